//! The same bits whatever the number of polars' own threads, which is fixed when a process starts.

use std::process::Command;

use musher_frame::Frame;
use musher_frame::polars::prelude::*;
use musher_graph_core::{Collection, Reach};
use musher_scheduler::Compute;

/// What begins the line in which a child process says its result.
const MARK: &str = "bits of the result: ";

fn result() -> DataFrame {
    let n = 20_000_u64;
    // A cheap generator: the values only have to be of many magnitudes.
    let number = |i: u64| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11) as f64 / 1e9 - 3e6;
    let table = df!(
        "key" => (0..n).map(|i| i * i % 17).collect::<Vec<_>>(),
        "x" => (0..n).map(number).collect::<Vec<_>>(),
        "y" => (0..n).map(|i| number(i + n)).collect::<Vec<_>>(),
        "z" => (0..n).map(|i| number(i + 2 * n)).collect::<Vec<_>>(),
    )
    .unwrap();
    let frame = Frame::from_polars(table, 3).unwrap().filter(col("x").gt(lit(-1e6))).unwrap();
    let aggs = [col("x").sum(), col("y").mean(), col("z").std(1), col("z").sum().alias("zz")];
    let groups = frame.group_by([col("key")]).unwrap().agg(&aggs).unwrap().compute().unwrap();
    let whole = frame.aggregate(aggs).unwrap().compute().unwrap();
    groups.drop("key").unwrap().vstack(&whole).unwrap()
}

#[test]
fn a_child_says_its_bits() {
    let result = result();
    assert_eq!(result.shape(), (result.height(), 4));
    let mut hash = 0_u64;
    for column in result.columns() {
        for value in column.f64().unwrap().iter() {
            let value = value.expect("no group is empty");
            assert!(value.is_finite());
            hash = (hash ^ value.to_bits()).wrapping_mul(0x0100_0000_01B3).rotate_left(17);
        }
    }
    println!("{MARK}{hash:016x}");
}

/// What begins the line in which a child process says a key.
const KEY: &str = "key of the work: ";

#[test]
fn a_child_says_its_key() {
    let flights = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/flights");
    let flights = Frame::read_parquet(flights).unwrap();
    let late = flights.filter(col("dep_delay").gt(lit(60.5)).and(col("origin").neq(lit("JFK")))).unwrap();
    let met =
        late.with_columns([col("dep_delay").shift(lit(1))]).unwrap().shuffle([col("carrier")], 4).unwrap();
    let groups = met.group_by([col("carrier")]).unwrap().agg([col("air_time").mean(), len()]).unwrap();
    let groups = groups.top_k(3, [col("len")], musher_frame::Order::Descending).unwrap();
    assert_eq!(groups.port().layer.reach(), Reach::Anywhere);
    println!("{KEY}{:?}", groups.port().key());
}

#[test]
fn equal_programs_have_equal_keys_in_every_process() {
    let key = || said("determinism::a_child_says_its_key", KEY, "2");
    assert_eq!(key(), key());
}

/// What a test says behind a mark when a new process runs it with this many threads of polars'.
fn said(test: &str, mark: &str, threads: &str) -> String {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env("POLARS_MAX_THREADS", threads)
        .output()
        .unwrap();
    let said = String::from_utf8(child.stdout).unwrap();
    let found = said.lines().find_map(|line| line.split(mark).nth(1)).map(str::to_owned);
    found.unwrap_or_else(|| panic!("{said}"))
}

#[test]
fn the_number_of_polars_threads_does_not_matter() {
    let bits = |threads: &str| said("determinism::a_child_says_its_bits", MARK, threads);
    let one = bits("1");
    assert_eq!(one, bits("2"));
    assert_eq!(one, bits("5"));
}
