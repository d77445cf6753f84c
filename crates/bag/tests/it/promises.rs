//! The promises of every operation on bags: data of eight times the memory limit, one pattern of bits.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use musher_bag::{Bag, TextOptions};
use musher_graph_core::Delayed;
use musher_scheduler::{Compute, Error, Options};
use musher_testkit::{Cases, Random, Size, digest};
use serde_json::Value;
use tempfile::TempDir;

/// An item of 256 bytes: a number, and text on the heap.
type Record = (u64, String);

const TEXT: usize = 224;
const BYTES: usize = 256;
/// How many items have the same key.
const KEYS: u64 = 97;

fn record(n: i64) -> Record {
    let bits = Random::new(n as u64).bits();
    (bits, format!("{bits:016x}").repeat(TEXT / 16))
}

fn n_records(size: Size) -> usize {
    size.elements::<[u8; BYTES]>()
}

fn n_partitions(size: Size) -> usize {
    n_records(size).div_ceil(size.chunk::<[u8; BYTES]>())
}

/// Data that is made partition by partition, each of known size.
fn records(size: Size) -> Bag<Record> {
    Bag::range(0..n_records(size) as i64, n_partitions(size)).map(record).measured()
}

fn numbers(size: Size) -> Bag<u64> {
    // As many bytes, in large items: a test's own code is slow.
    records(size).map_ref(|record| record.0)
}

/// The digest of all items in their order.
fn read<T: Clone + Send + Sync + 'static>(
    bag: &Bag<T>,
    options: &Options,
    word: impl Fn(&T) -> u64 + Send + Sync + 'static,
) -> Result<u64, Error> {
    bag.map_ref(word).fold(0, |all, word| digest([all, word]), |a, b| digest([a, b])).compute_with(options)
}

fn read_records(bag: &Bag<Record>, options: &Options) -> Result<u64, Error> {
    read(bag, options, |record| digest([record.0, record.1.len() as u64]))
}

fn read_numbers(bag: &Bag<u64>, options: &Options) -> Result<u64, Error> {
    read(bag, options, |number| *number)
}

/// The digest of a computed value, by its text.
fn told<T: Clone + Send + Sync + 'static + std::fmt::Debug>(
    value: &Delayed<T>,
    options: &Options,
) -> Result<u64, Error> {
    Ok(digest(format!("{:?}", value.compute_with(options)?).bytes().map(u64::from)))
}

/// A file of lines, as many bytes as the data.
fn lines(size: Size, line: impl Fn(u64) -> String) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lines.txt");
    let mut file = BufWriter::new(File::create(&path).unwrap());
    for n in 0..n_records(size) as u64 {
        writeln!(file, "{}", line(n)).unwrap();
    }
    file.flush().unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

fn blocks(path: &str, size: Size) -> TextOptions {
    TextOptions::new(path).block_bytes(size.chunk::<u8>() as u64)
}

fn json(n: u64) -> String {
    format!("{{\"n\": {n}, \"text\": \"{:0TEXT$}\"}}", n % KEYS)
}

fn build(cases: &mut Cases) {
    cases.add("Bag::range", |size, options| {
        let n = size.elements::<[u8; 64]>() as i64;
        read(&Bag::range(0..n, 256), options, |n| *n as u64)
    });
    cases.add("Bag::from_delayed Bag::to_delayed", |size, options| {
        read_records(&Bag::from_delayed(records(size).to_delayed()), options)
    });
    cases.add("Bag::concat", |size, options| {
        let bag = records(size);
        let half = bag.n_partitions() / 2;
        read_records(
            &Bag::concat(&[bag.partitions(half..bag.n_partitions()), bag.partitions(0..half)]),
            options,
        )
    });
    cases.add("Bag::partitions", |size, options| {
        let bag = records(size);
        read_records(&bag.partitions(1..bag.n_partitions()), options)
    });
    cases.add("Bag::measured", |size, options| read_records(&records(size), options));
    cases.add("Bag::repartition", |size, options| {
        let bag = records(size);
        read_records(&bag.repartition(bag.n_partitions() / 3), options)
    });
    cases.add("Bag::repartition", |size, options| {
        let bag = records(size);
        read_records(&bag.repartition(bag.n_partitions() * 5 / 2), options)
    });
    cases.add("Bag::take", |size, options| read_records(&records(size).take(1000), options));
}

fn elementwise(cases: &mut Cases) {
    cases.add("Bag::filter", |size, options| read_records(&records(size).filter(|r| r.0 % 3 > 0), options));
    cases.add("Bag::remove", |size, options| read_records(&records(size).remove(|r| r.0 % 3 > 0), options));
    cases.add("Bag::filter_map", |size, options| {
        read_records(&records(size).filter_map(|r| (r.0 % 3 > 0).then_some(r)), options)
    });
    cases.add("Bag::random_sample", |size, options| {
        read_records(&records(size).random_sample(0.5, 7), options)
    });
    cases.add("Bag::flat_map", |size, options| {
        read_records(&records(size).flat_map(|r| [r.clone(), r]), options)
    });
    cases.add("Bag::flatten", |size, options| {
        let pairs = records(size).map(|r| vec![r.clone(), r]);
        read_records(&pairs.flatten(), options)
    });
    cases.add("Bag::map", |size, options| read_records(&records(size).map(|r| (r.0 + 1, r.1)), options));
    cases.add("Bag::map_ref", |size, options| {
        read_records(&records(size).map_ref(|r| (r.0 / 2, r.1.clone())), options)
    });
    cases.add("Bag::try_map", |size, options| {
        read_records(&records(size).try_map(|r| Ok::<_, std::fmt::Error>((r.0 / 2, r.1))), options)
    });
    cases.add("Bag::first", |size, options| read_numbers(&records(size).first(), options));
    cases.add("Bag::second", |size, options| {
        read(&records(size).second(), options, |text| digest(text.bytes().take(30).map(u64::from)))
    });
    cases.add("Bag::map_partitions", |size, options| {
        read_records(&records(size).map_partitions(|items| items.into_iter().rev()), options)
    });
    cases.add("Bag::zip", |size, options| {
        let (left, right) = (records(size), records(size).map(|r| (r.0 / 3, r.1)).measured());
        read(&left.zip(&right), options, |(a, b)| digest([a.0, b.0, b.1.len() as u64]))
    });
    cases.add("Bag::split_with", |size, options| {
        let pieces = records(size).second().split_with(|text, sink| text.split("77").for_each(sink));
        read(&pieces, options, |piece| piece.len() as u64)
    });
    cases.add("Bag::words", |size, options| {
        read(&records(size).map(|r| format!("{} {}", r.0, r.1)).words(), options, |word| word.len() as u64)
    });
}

fn reductions(cases: &mut Cases) {
    cases.add("Bag::fold", |size, options| read_numbers(&numbers(size), options));
    cases.add("Bag::reduce", |size, options| {
        told(&records(size).reduce(|a, b| (a.0.rotate_left(1) ^ b.0, b.1)), options)
    });
    cases.add("Bag::accumulate", |size, options| {
        read_numbers(&numbers(size).accumulate(u64::wrapping_add), options)
    });
    cases.add("Bag::count", |size, options| told(&records(size).count(), options));
    cases.add("Bag::any", |size, options| told(&records(size).any(|r| r.0 == 1), options));
    cases.add("Bag::all", |size, options| told(&records(size).all(|r| r.0 > 1), options));
    cases.add("Bag::min", |size, options| told(&records(size).min(), options));
    cases.add("Bag::max", |size, options| told(&records(size).max(), options));
    let floats = |size| numbers(size).map(|n| (n >> 11) as f64);
    cases.add("Bag::sum", move |size, options| told(&floats(size).sum(), options));
    cases.add("Bag::mean", move |size, options| told(&floats(size).mean(), options));
    cases.add("Bag::var", move |size, options| told(&floats(size).var(1.0), options));
    cases.add("Bag::std", move |size, options| told(&floats(size).std(0.0), options));
    cases.add("Bag::topk", |size, options| read_records(&records(size).topk(50), options));
    cases.add("Bag::topk_by_key", |size, options| {
        read_records(&records(size).topk_by_key(50, |r| r.0 % 1009), options)
    });
    cases.add("Bag::topk_by", |size, options| {
        read_records(&records(size).topk_by(50, |a, b| b.0.cmp(&a.0)), options)
    });
}

fn groups(cases: &mut Cases) {
    let keyed = |size| numbers(size).map(|n| n % KEYS);
    let sum = |sum: u64, r: Record| sum.wrapping_add(r.0);
    cases.add("Bag::frequencies", move |size, options| {
        read(&keyed(size).frequencies(), options, |(key, n)| digest([*key, *n]))
    });
    cases.add("Bag::distinct", move |size, options| read_numbers(&keyed(size).distinct(), options));
    cases.add("Bag::fold_by", move |size, options| {
        let folded = records(size).fold_by(|r| r.0 % KEYS, 0, sum, |a, b| a.wrapping_add(b));
        read(&folded, options, |(key, sum)| digest([*key, *sum]))
    });
    cases.add("Bag::join", |size, options| {
        let table = Bag::range(0..KEYS as i64, 3).map(|n| (n as u64, n * n));
        let joined = records(size).join(&table, |r| r.0 % (2 * KEYS), |entry| entry.0);
        read(&joined, options, |(r, entry)| digest([r.0, entry.0, entry.1 as u64]))
    });
    cases.add("Bag::shuffle_by Bag::encoded", |size, options| {
        let shuffled = records(size).encoded().shuffle_by(n_partitions(size), |r| r.0);
        read_records(&shuffled, options)
    });
    cases.add("Bag::group_by_into", |size, options| {
        let groups = records(size).encoded().group_by_into(n_partitions(size), |r| r.0 / 8);
        read(&groups, options, |(key, group)| digest([*key, group.len() as u64]))
    });
    cases.add("Bag::fold_by_into", move |size, options| {
        let folded = records(size).encoded();
        let folded = folded.fold_by_into(n_partitions(size), |r| r.0, 0, sum, |a, b| a.wrapping_add(b));
        read(&folded, options, |(key, sum)| digest([*key, *sum]))
    });
    cases.add("Bag::frequencies_into", |size, options| {
        let counts = records(size).encoded().frequencies_into(n_partitions(size));
        read(&counts, options, |(r, n)| digest([r.0, *n]))
    });
    cases.add("Bag::distinct_into", |size, options| {
        read_records(&records(size).encoded().distinct_into(n_partitions(size)), options)
    });
}

fn files(cases: &mut Cases) {
    let line = |n: u64| format!("line {n} {:0TEXT$}", n % KEYS);
    let words = |text: &String| digest(text.bytes().take(30).map(u64::from));
    cases.add("Bag::read_text", move |size, options| {
        let (_folder, path) = lines(size, line);
        read(&Bag::read_text(blocks(&path, size)).unwrap(), options, words)
    });
    cases.own_files();
    cases.add("Bag::read_text", move |size, options| {
        let (_folder, path) = lines(size, line);
        read(&Bag::read_text(&path).unwrap(), options, words)
    });
    cases.own_files();
    let number = |value: &Value| value.as_u64().unwrap_or(0);
    cases.add("Bag::read_json_lines Bag::pluck", move |size, options| {
        let (_folder, path) = lines(size, json);
        let values: Bag<Value> = Bag::read_json_lines(blocks(&path, size)).unwrap();
        read(&values.pluck("n"), options, number)
    });
    cases.own_files();
    cases.add("Bag::read_json_lines Bag::pluck_or", move |size, options| {
        let (_folder, path) = lines(size, json);
        let values: Bag<Value> = Bag::read_json_lines(&path).unwrap();
        read(&values.pluck_or("m", 7), options, number)
    });
    cases.own_files();
    cases.add("Bag::to_text", |size, options| {
        let folder = tempfile::tempdir().unwrap();
        let written = records(size).second().to_text(folder.path().join("part-*.txt")).unwrap();
        written.compute_with(options)?;
        Ok(digest_of_files(folder.path()))
    });
    cases.own_files();
    cases.add("Bag::to_json_lines", |size, options| {
        let folder = tempfile::tempdir().unwrap();
        let written = records(size).to_json_lines(folder.path().join("part-*.json")).unwrap();
        written.compute_with(options)?;
        Ok(digest_of_files(folder.path()))
    });
    cases.own_files();
}

/// The digest of the files of a folder: names, lengths, and each hundredth byte.
fn digest_of_files(folder: &Path) -> u64 {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let words = paths.into_iter().flat_map(|path| {
        let bytes = std::fs::read(&path).unwrap();
        let mut words: Vec<u64> = bytes.iter().step_by(100).map(|&byte| byte.into()).collect();
        words.push(bytes.len() as u64);
        words
    });
    digest(words)
}

musher_testkit::promises!("promises", cases());

fn cases() -> Cases {
    let mut cases = Cases::new("bag");
    for family in [build, elementwise, reductions, groups, files] {
        family(&mut cases);
    }
    cases.without("Bag::from_port", "the door for operations of other crates");
    cases.without("Bag::from_sequence", "its items are in memory already, and are the user's");
    cases.without("Bag::head", "gives items back to the user; what it computes is `take`");
    cases.without("Bag::group_by", "all groups end in one partition: `group_by_into` is for large data");
    cases
}

#[test]
fn no_more_memory_than_projected() {
    println!("{}", cases().check_projections(|work| allocation_counter::measure(work).bytes_max));
}
