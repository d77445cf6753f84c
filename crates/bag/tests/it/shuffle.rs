//! Items moved by their keys into many partitions: nothing lost, each key in one place, in memory and staged.

use std::collections::HashMap;
use std::sync::Arc;

use musher_bag::{Bag, Error};
use musher_graph_core::Collection;
use musher_scheduler::{Compute, Options};
use musher_testkit::{EXCHANGE_COUNTS, Random, Staging, compute_staged};
use serde::{Deserialize, Serialize};

use crate::support::{cuts, everywhere, layers};

/// The items of each partition.
fn partitions<T: Clone + Send + Sync + 'static>(bag: &Bag<T>) -> Bag<Vec<T>> {
    bag.map_partitions(|items| vec![items])
}

/// Computes staged on disk, where nothing may stay in memory.
#[track_caller]
fn staged<C: Collection>(collection: &C) -> (C::Output, u64) {
    let staging = Staging::new(0);
    let (answer, _) = compute_staged(collection, &staging).unwrap();
    assert_eq!(staging.n_alive(), 0);
    (answer, staging.written_bytes())
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort();
    items
}

#[test]
fn every_number_of_partitions_conserves_items_and_keeps_keys_together() {
    let mut random = Random::new(1);
    let items: Vec<(u64, usize)> = (0..600).map(|i| (random.bits() % 97, i)).collect();
    for n in EXCHANGE_COUNTS {
        let bag = Bag::from_sequence(items.clone(), 7).shuffle_by(n, |item| item.0);
        let found = partitions(&bag).compute().unwrap();
        assert_eq!(found.len(), n);
        let mut home = HashMap::new();
        for (partition, items) in found.iter().enumerate() {
            // In the order of the inputs; a partition may hold several keys.
            assert!(items.is_sorted_by_key(|item| item.1));
            for (key, _) in items {
                assert_eq!(*home.entry(*key).or_insert(partition), partition, "key {key} of {n}");
            }
        }
        assert_eq!(home.len(), 97);
        assert_eq!(found.concat().len(), 600);
        assert_eq!(sorted(found.concat()), sorted(items.clone()));
    }
}

#[test]
fn every_number_of_partitions_gives_the_same_groups() {
    let words = Bag::from_sequence((0..600).map(|i| i * i % 97), 7);
    let groups = |n: usize| words.group_by_into(n, |x| x % 13).map(|(key, items)| (key, items.len()));
    let folds = |n: usize| words.fold_by_into(n, |x| x % 13, 0_usize, |sum, _| sum + 1, |a, b| a + b);
    let (counted, frequencies, distinct) = (
        sorted(groups(3).compute().unwrap()),
        sorted(words.frequencies().compute().unwrap()),
        sorted(words.distinct().compute().unwrap()),
    );
    for n in EXCHANGE_COUNTS {
        assert_eq!(sorted(groups(n).compute().unwrap()), counted, "{n} partitions");
        assert_eq!(sorted(folds(n).compute().unwrap()), counted, "{n} partitions");
        assert_eq!(sorted(words.frequencies_into(n).compute().unwrap()), frequencies, "{n} partitions");
        assert_eq!(sorted(words.distinct_into(n).compute().unwrap()), distinct, "{n} partitions");
    }
}

#[test]
fn grouped_operations_equal_those_that_end_in_one_partition() {
    for seed in 0..30 {
        let mut random = Random::new(seed);
        let n_items = random.below(200);
        let items: Vec<u32> = (0..n_items).map(|_| random.bits() as u32 % 23).collect();
        let (parts, n) = (1 + random.below(9), 1 + random.below(40));
        let bag = Bag::from_sequence(items, parts);
        let equal = |found: Vec<(u32, u64)>, wanted: Bag<(u32, u64)>| {
            assert_eq!(sorted(found), sorted(wanted.compute().unwrap()), "seed {seed}");
        };
        equal(everywhere(&bag.frequencies_into(n)), bag.frequencies());
        let sum = |sum: u64, x: u32| sum + u64::from(x);
        let fold = bag.fold_by_into(n, |x| x % 5, 0, sum, |a, b| a + b);
        equal(everywhere(&fold), bag.fold_by(|x| x % 5, 0, sum, |a, b| a + b));
        assert_eq!(sorted(everywhere(&bag.distinct_into(n))), sorted(bag.distinct().compute().unwrap()));
        let groups = bag.group_by_into(n, |x| x % 5);
        assert_eq!(sorted(everywhere(&groups)), sorted(bag.group_by(|x| x % 5).compute().unwrap()));
        assert_eq!(groups.n_partitions(), n);
    }
}

#[test]
fn one_partition_gives_the_order_of_first_appearance() {
    const WORDS: [&str; 6] = ["b", "a", "b", "c", "a", "b"];
    for bag in cuts(&WORDS, 3) {
        assert_eq!(everywhere(&bag.frequencies_into(1)), [("b", 3), ("a", 2), ("c", 1)]);
        assert_eq!(everywhere(&bag.distinct_into(1)), ["b", "a", "c"]);
        let groups = everywhere(&bag.group_by_into(1, |word| *word == "b"));
        assert_eq!(groups, [(true, vec!["b"; 3]), (false, vec!["a", "c", "a"])]);
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Record {
    name: String,
    tags: Vec<Option<u16>>,
}

fn records(n: usize) -> Vec<Record> {
    let mut random = Random::new(n as u64);
    let tags = |random: &mut Random| (0..random.below(4)).map(|_| Some(random.bits() as u16)).collect();
    (0..n).map(|i| Record { name: format!("name {}", i % 13), tags: tags(&mut random) }).collect()
}

#[test]
fn spillable_items_are_staged_and_come_back_exactly() {
    let bag = Bag::from_sequence(records(500), 8);
    let in_memory = everywhere(&bag.shuffle_by(20, |item| item.name.clone()));
    let moved = bag.encoded().shuffle_by(20, |item| item.name.clone());
    let (found, written) = staged(&moved);
    assert_eq!(found, in_memory);
    assert!(written > 500 * 16, "{written}");
    let groups = bag.encoded().group_by_into(5, |item| item.name.clone());
    let (found, written) = staged(&groups);
    assert_eq!(found, everywhere(&groups));
    assert!(written > 500 * 16, "{written}");
    let (found, written) = staged(&bag.encoded().distinct_into(9));
    assert_eq!(sorted(found), sorted(bag.distinct().compute().unwrap()));
    assert!(written > 0);
}

#[test]
fn other_items_stay_in_memory_but_for_common_types() {
    let bag = Bag::from_sequence(records(50), 3);
    assert_eq!(staged(&bag.shuffle_by(4, |item| item.name.clone())).1, 0);
    let names = bag.map(|item| item.name);
    let (found, written) = staged(&names.shuffle_by(4, Clone::clone));
    assert!(written > 0);
    assert_eq!(sorted(found), sorted(names.compute().unwrap()));
    let (counts, written) = staged(&names.frequencies_into(4));
    assert_eq!(counts.len(), 13);
    assert!(written > 0);
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Skips {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    tag: Option<u8>,
    id: u8,
}

#[test]
fn what_cannot_come_back_exactly_is_an_error() {
    let bag = Bag::from_sequence((0..20).map(|id| Skips { tag: None, id }), 2);
    let error = compute_staged(&bag.encoded().shuffle_by(2, |item| item.id), &Staging::new(0)).unwrap_err();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let text = format!("{error:?} {cause}");
    assert!(text.contains("Skips cannot be written and read back"), "{text}");
    assert!(matches!(bag.compute(), Ok(items) if items.len() == 20), "in memory nothing is written");
    let message = Error::NotEncoded { item: "Skips" }.to_string();
    assert_eq!(message, "items of Skips cannot be staged on disk: call `.encoded()` on the bag");
}

/// 4 MB of numbers in 64 partitions, under a limit of 512 KiB.
#[test]
fn a_shuffle_fits_an_eighth_of_its_memory() {
    let numbers = Bag::range(0..512_000, 64).map(|x| x * 7919 % 512_000);
    let groups = numbers.shuffle_by(64, |x| x % 1000).fold(0, |acc, x| acc + x, |a, b| a + b);
    for threads in [1, 2, 4] {
        let staging = Arc::new(Staging::new(0));
        let options = Options::default().threads(threads).memory_limit(512 << 10).spill_to(staging.clone());
        assert_eq!(groups.compute_with(&options).unwrap(), (0..512_000).sum::<i64>());
        assert!(staging.written_bytes() > 4_000_000 && staging.n_alive() == 0);
    }
}

/// A quarter of the limit is what an exchange may keep; its receipts are counted twice while they are turned around.
#[test]
fn what_stays_in_memory_fits_the_limit() {
    let limit = 2 << 20;
    let numbers = Bag::range(0..45_000, 16).map(|x| x * 7919 % 45_000);
    let groups = numbers.shuffle_by(16, |x| x % 1000).fold(0, |acc, x| acc + x, |a, b| a + b);
    for threads in [1, 2, 4] {
        let staging = Arc::new(Staging::new(limit / 4));
        let options = Options::default().threads(threads).memory_limit(limit).spill_to(staging.clone());
        assert_eq!(groups.compute_with(&options).unwrap(), (0..45_000).sum::<i64>());
        assert_eq!(staging.written_bytes(), 0);
    }
}

#[test]
fn the_local_step_is_fused_with_what_is_before_it() {
    let counts = Bag::range(0..100, 10).map(|x| x % 7).frequencies_into(3);
    let labels = layers(&counts);
    assert_eq!(labels.len(), 3, "{labels:?}");
    assert!(labels[0].contains("map → frequencies → frequencies_into (split)"), "{labels:?}");
}

#[test]
fn a_key_that_panics_is_named() {
    let bag = Bag::from_sequence([1, 2, 3], 2).shuffle_by(2, |x| 10 / (x - 2));
    let error = bag.compute().unwrap_err().to_string();
    assert!(error.contains("shuffle_by (split)"), "{error}");
}

#[test]
#[should_panic(expected = "group_by_into into no partitions")]
fn no_partitions_are_refused() {
    let _ = Bag::from_sequence([1], 1).group_by_into(0, |x| *x);
}

#[test]
fn partitions_are_the_same_in_every_process() {
    // Written down once; a change of these moves the keys of every shuffle.
    let bag = Bag::from_sequence(["a", "b", "c", "d"].map(str::to_owned), 1).shuffle_by(3, Clone::clone);
    let found = partitions(&bag).compute().unwrap();
    assert_eq!(found, [vec!["a", "c"], vec!["b"], vec!["d"]]);
}

#[test]
fn bags_print_their_last_layer() {
    let bag = Bag::from_sequence([1], 1).shuffle_by(2, |x| *x);
    assert!(format!("{bag:?}").contains("shuffle_by, 2 partitions"));
}
