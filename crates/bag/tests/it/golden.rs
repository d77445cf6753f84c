//! Answers of dask.bag: word frequencies of the example texts, and a folded JSON-lines file.

use crate::support::everywhere;
use musher_bag::{Bag, TextOptions};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testkit/golden/bag");
const TEXTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/text/declaration-*.txt");

fn golden<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    serde_json::from_str(&std::fs::read_to_string(format!("{GOLDEN}/{name}")).unwrap()).unwrap()
}

#[derive(Deserialize)]
struct Frequencies {
    lines: u64,
    words: u64,
    distinct: usize,
    top: Vec<(String, u64)>,
    all: BTreeMap<String, u64>,
}

#[track_caller]
fn check(words: &Bag<String>, expected: &Frequencies) {
    let counts = words.frequencies();
    assert_eq!(everywhere(&words.count()), expected.words);
    assert_eq!(everywhere(&counts).into_iter().collect::<BTreeMap<_, _>>(), expected.all);
    assert_eq!(everywhere(&words.distinct()).len(), expected.distinct);
    let top = counts.topk_by(20, |a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0)));
    assert_eq!(everywhere(&top), expected.top);
}

#[test]
fn word_frequencies_are_those_of_dask() {
    let (split, letters): (Frequencies, Frequencies) =
        (golden("frequencies_split.json"), golden("frequencies_letters.json"));
    for block_bytes in [7, 100, 1_000, 1 << 20] {
        let lines = Bag::read_text(TextOptions::new(TEXTS).block_bytes(block_bytes)).unwrap();
        assert_eq!(everywhere(&lines.count()), split.lines);
        check(&lines.words(), &split);
        check(&lines.flat_map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()), &split);
        let runs = lines.split_with(|line, emit| {
            let lower = line.to_lowercase();
            lower
                .split(|letter: char| !letter.is_ascii_lowercase())
                .filter(|word| !word.is_empty())
                .for_each(emit);
        });
        check(&runs, &letters);
    }
}

#[derive(Debug, Clone, Deserialize)]
struct Account {
    name: String,
    amount: i64,
    tags: Vec<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Accounts {
    count: u64,
    sum: i64,
    max: i64,
    names: BTreeMap<String, u64>,
    tags: BTreeMap<String, u64>,
    min: i64,
    distinct_names: Vec<String>,
    any_over_990: bool,
    all_over_minus_490: bool,
    positive: u64,
    topk_amounts: Vec<i64>,
    amount_by_name: BTreeMap<String, i64>,
}

#[test]
fn folded_accounts_are_those_of_dask() {
    let expected: Accounts = golden("accounts.json");
    for (name, block_bytes) in
        [("accounts.jsonl", 300), ("accounts.jsonl", 1 << 20), ("accounts.jsonl.gz", 1)]
    {
        let options = TextOptions::new(format!("{GOLDEN}/{name}")).block_bytes(block_bytes);
        let accounts = Bag::<Account>::read_json_lines(options).unwrap();
        let amounts = accounts.map_ref(|account| account.amount);
        let by_name =
            accounts.fold_by(|a| a.name.clone(), 0, |sum, account| sum + account.amount, |a, b| a + b);
        let found = Accounts {
            count: everywhere(&accounts.count()),
            sum: everywhere(&amounts.sum()),
            max: everywhere(&amounts.max()).unwrap(),
            names: everywhere(&accounts.map(|a| a.name).frequencies()).into_iter().collect(),
            tags: everywhere(&accounts.flat_map(|a| a.tags).frequencies()).into_iter().collect(),
            min: everywhere(&amounts.min()).unwrap(),
            distinct_names: {
                let mut names = everywhere(&accounts.map(|a| a.name).distinct());
                names.sort();
                names
            },
            any_over_990: everywhere(&amounts.any(|amount| *amount > 990)),
            all_over_minus_490: everywhere(&amounts.all(|amount| *amount > -490)),
            positive: everywhere(&accounts.filter(|a| a.amount > 0).count()),
            topk_amounts: everywhere(&amounts.topk(5)),
            amount_by_name: everywhere(&by_name).into_iter().collect(),
        };
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn plucked_fields_are_those_of_dask() {
    let expected: Accounts = golden("accounts.json");
    let accounts = Bag::<Value>::read_json_lines(format!("{GOLDEN}/accounts.jsonl")).unwrap();
    let amounts = accounts.pluck("amount").filter_map(|amount| amount.as_i64());
    assert_eq!(everywhere(&amounts.sum()), expected.sum);
    let names = accounts.pluck("name").filter_map(|name| name.as_str().map(str::to_owned));
    assert_eq!(everywhere(&names.frequencies()).into_iter().collect::<BTreeMap<_, _>>(), expected.names);
}

/// A few roundings.
const TOLERANCE: f64 = 1e-12;

#[test]
fn moments_are_those_of_numpy() {
    #[derive(Deserialize)]
    struct Moments {
        mean: f64,
        var: [f64; 3],
        std: [f64; 3],
    }
    let expected: Moments = golden("accounts.json");
    for block_bytes in [300, 1 << 20] {
        let options = TextOptions::new(format!("{GOLDEN}/accounts.jsonl")).block_bytes(block_bytes);
        let amounts = Bag::<Account>::read_json_lines(options).unwrap().map_ref(|account| account.amount);
        let close = |found: Option<f64>, expected: f64| (found.unwrap() / expected - 1.0).abs() < TOLERANCE;
        assert!(close(everywhere(&amounts.mean()), expected.mean));
        for (place, ddof) in [0.0, 1.0, 2.5].into_iter().enumerate() {
            assert!(close(everywhere(&amounts.var(ddof)), expected.var[place]), "{ddof}");
            assert!(close(everywhere(&amounts.std(ddof)), expected.std[place]), "{ddof}");
        }
    }
}
