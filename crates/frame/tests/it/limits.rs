//! What moves rows between partitions keeps to the memory limit and to one pattern of bits.
//!
//! Other operations have no case: polars bounds no memory of its own, and a group-by holds all groups.

use std::sync::Arc;

use musher_frame::polars::prelude::*;
use musher_frame::{Error as FrameError, Frame, How, Order};
use musher_scheduler::{Compute, Error, Options, SpillDir, SpillOptions};
use musher_testkit::{Cases, Child, Random, Size, digest};

/// Bytes of a row: two numbers and a text that is not kept inside its view.
const BYTES: usize = 8 + 8 + 16 + TEXT;
const TEXT: usize = 32;

fn made(first: u64, end: u64) -> DataFrame {
    let bits: Vec<u64> = (first..end).map(|row| Random::new(row).bits()).collect();
    df!(
        "row" => (first..end).collect::<Vec<_>>(),
        "key" => bits.iter().map(|bits| (bits % 997) as i64).collect::<Vec<_>>(),
        "text" => bits.iter().map(|bits| format!("{bits:016x}").repeat(TEXT / 16)).collect::<Vec<_>>(),
    )
    .unwrap()
}

/// Rows that are made partition by partition, in fewer partitions than other crates have chunks: in unoptimised builds
/// of polars the smallest table costs as much as thousands of rows.
fn rows(size: Size) -> Frame {
    rows_of(size.elements::<[u8; BYTES]>())
}

fn rows_of(n_rows: usize) -> Frame {
    let start = |part: usize| (part * n_rows / PARTITIONS) as u64;
    let first: Vec<u64> = (0..PARTITIONS).map(start).collect();
    let end: Vec<u64> = (1..=PARTITIONS).map(start).collect();
    let ranges = Frame::from_polars(df!("first" => first, "end" => end).unwrap(), PARTITIONS).unwrap();
    let make = |range: DataFrame| -> PolarsResult<DataFrame> {
        let bound = |name| range.column(name)?.u64()?.get(0).ok_or_else(|| polars_err!(NoData: "no range"));
        Ok(made(bound("first")?, bound("end")?))
    };
    ranges.map_partitions(make, made(0, 0).schema().clone())
}

const PARTITIONS: usize = 64;

/// The digest of all rows in their order.
fn read(frame: &Frame, options: &Options) -> Result<u64, Error> {
    fn of_part(table: &DataFrame) -> u64 {
        digest(table.columns().iter().flat_map(|column| {
            let hash = |value: AnyValue<'_>| match value {
                AnyValue::String(text) => digest(text.bytes().map(u64::from)),
                value => value.extract::<i64>().map_or(u64::MAX, |number| number as u64),
            };
            column.as_materialized_series().iter().map(hash).collect::<Vec<_>>()
        }))
    }
    let digests = |table: DataFrame| df!("digest" => [of_part(&table)]);
    let schema = df!("digest" => [0_u64]).unwrap().schema().clone();
    let digests = frame.map_partitions(digests, schema).compute_with(options)?;
    Ok(digest(digests.column("digest").unwrap().u64().unwrap().iter().flatten()))
}

type Work = fn(&Frame) -> Result<Frame, FrameError>;

/// Operations, and what is computed with them.
const WORKS: [(&str, Work); 10] = [
    ("Frame::shuffle", |rows| rows.shuffle([col("key")], 48)),
    ("Frame::shuffle", |rows| rows.shuffle([col("text")], 32)?.shuffle([col("key"), col("row")], 40)),
    // The lengths are not known: what is beside a partition, and before it, comes from one to the next.
    ("Frame::shift", |rows| rows.shift(3)),
    ("Frame::diff Frame::shift_and_fill", |rows| {
        rows.select([col("key"), col("row")])?.diff(2)?.shift_and_fill(-5, 0)
    }),
    ("Frame::cum_sum Frame::cum_max", |rows| rows.cum_sum(["key"])?.cum_max(["row"])),
    ("Frame::sort", |rows| rows.sort([col("text")], Order::Ascending)),
    ("Frame::with_columns", |rows| {
        let most = col("row").cum_max(false).over([col("key")]).unwrap();
        rows.with_columns([most.alias("most"), col("key") - col("key").mean()])
    }),
    ("Frame::join", |rows| {
        let right = rows.select([col("row"), col("key").alias("other")])?;
        rows.join(&right, [col("row")], [col("row")], How::Right)
    }),
    ("GroupBy::apply", |rows| {
        rows.group_by([col("key")])?.apply(Ok::<_, PolarsError>, rows.schema().clone())
    }),
    ("Frame::forward_fill Frame::sample Frame::unpivot", |rows| {
        let some = when(col("key").gt(lit(500))).then(col("text")).otherwise(lit(NULL)).alias("text");
        let filled = rows.with_columns([some])?.forward_fill(["text"], None)?.sample(0.9, 1)?;
        filled.unpivot(["key", "row"], ["text"])
    }),
];

fn cases() -> Cases {
    let mut cases = Cases::new("frame");
    for (operations, work) in WORKS {
        cases.add(operations, move |size, options| read(&work(&rows(size)).unwrap(), options));
    }
    cases
}

const CHILD: Child = Child::new("limits::child");

/// Does nothing unless it is the child process of the other tests.
#[test]
fn child() {
    // The code of an unoptimised polars is tens of MiB, and is no memory of the run: it is read before anything is measured.
    let disk = Arc::new(SpillDir::new(SpillOptions::default().in_memory(0)));
    let options = Options::default().memory_limit("8MiB").spill_to(disk);
    for (_, work) in WORKS {
        read(&work(&rows_of(PARTITIONS)).unwrap(), &options).unwrap();
    }
    cases().child(CHILD);
}

#[test]
fn rows_of_eight_times_the_limit_stay_within_it() {
    println!("{}", cases().check_limits(CHILD));
}

#[test]
fn one_pattern_of_bits() {
    cases().check_bits();
}

#[test]
fn the_same_bits_in_another_process() {
    cases().check_processes(CHILD);
}
