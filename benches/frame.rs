//! Frames: a group-by over a year of departures, beside polars on the whole table.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use musher::frame::polars::prelude::{DataFrame, IntoLazy, col, len};
use musher::prelude::*;

const FLIGHTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/flights/*.parquet");

fn group_by(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("flights");
    group.sample_size(20).measurement_time(Duration::from_secs(8));
    let flights = match Frame::read_parquet(FLIGHTS) {
        Ok(flights) => flights,
        Err(error) => panic!("{error}"),
    };
    let delays = |frame: &Frame| {
        frame
            .group_by([col("carrier"), col("month")])?
            .agg([col("dep_delay").mean().alias("mean"), len().alias("flights")])
    };
    group.bench_function("read_and_group_by", |bench| {
        bench.iter(|| delays(&flights).map(|delays| delays.compute()));
    });
    let table: DataFrame = match flights.compute() {
        Ok(table) => table,
        Err(error) => panic!("{error}"),
    };
    let held = match flights.persist() {
        Ok(held) => held,
        Err(error) => panic!("{error}"),
    };
    group.bench_function("group_by_in_memory", |bench| {
        bench.iter(|| delays(&held).map(|delays| delays.compute()));
    });
    group.bench_function("polars_group_by_in_memory", |bench| {
        bench.iter(|| {
            let groups = table.clone().lazy().group_by_stable([col("carrier"), col("month")]);
            groups.agg([col("dep_delay").mean().alias("mean"), len().alias("flights")]).collect()
        });
    });
    group.finish();
}

criterion_group!(benches, group_by);
criterion_main!(benches);
