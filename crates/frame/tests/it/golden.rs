//! The flights of 2013 from New York against pandas' answers.

use std::path::PathBuf;

use musher_frame::polars::prelude::*;
use musher_frame::{Frame, How, Order};
use musher_scheduler::Compute;

use crate::support::assert_close;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn golden(name: &str) -> DataFrame {
    let path = root().join("crates/testkit/golden/frame").join(name);
    let options = CsvReadOptions::default().with_infer_schema_length(None);
    options.try_into_reader_with_file_path(Some(path)).unwrap().finish().unwrap()
}

fn flights() -> Frame {
    Frame::read_parquet(root().join("examples/data/flights").to_str().unwrap()).unwrap()
}

#[test]
fn delays_by_carrier_and_month_equal_pandas() {
    let delay = || col("dep_delay");
    let groups = flights()
        .group_by([col("carrier"), col("month")])
        .unwrap()
        .agg([
            len().alias("flights"),
            delay().count().alias("departed"),
            delay().mean().alias("mean_dep_delay"),
            delay().sum().alias("sum_dep_delay"),
            delay().min().alias("min_dep_delay"),
            delay().max().alias("max_dep_delay"),
            delay().std(1).alias("std_dep_delay"),
        ])
        .unwrap()
        .sort([col("carrier"), col("month")], Order::Ascending)
        .unwrap();
    assert_close(&groups.compute().unwrap(), &golden("carrier_month.csv"), 1e-12);
}

#[test]
fn carriers_with_their_names_equal_pandas() {
    let airlines = Frame::read_csv(root().join("examples/data/airlines.csv").to_str().unwrap()).unwrap();
    let carriers = flights()
        .group_by([col("carrier")])
        .unwrap()
        .agg([
            len().alias("flights"),
            col("dep_delay").mean().alias("mean_dep_delay"),
            col("arr_delay").mean().alias("mean_arr_delay"),
        ])
        .unwrap()
        .join(&airlines, [col("carrier")], [col("carrier")], How::Left)
        .unwrap()
        .sort([col("mean_dep_delay")], Order::Descending)
        .unwrap();
    assert_close(&carriers.compute().unwrap(), &golden("carrier_name.csv"), 1e-12);
}

#[test]
fn the_description_equals_pandas() {
    let expected = golden("describe.csv");
    let columns: Vec<Expr> =
        expected.get_column_names().into_iter().skip(1).map(|name| col(name.clone())).collect();
    let described = flights().select(columns).unwrap().describe(&[0.25, 0.5, 0.75]).unwrap();
    let described = described.filter(col("statistic").neq(lit("null_count"))).unwrap().compute().unwrap();
    assert_close(&described, &expected, 1e-12);
}

#[test]
fn counts_equal_pandas() {
    let flights = flights();
    let lengths = [27004, 24951, 28834, 28330, 28796, 28243, 29425, 29327, 27574, 28889, 27268, 28135];
    assert_eq!(flights.lengths(), Some(lengths.as_slice()));
    assert_eq!(flights.len().compute().unwrap(), 336_776);
    let nulls = flights.null_count().unwrap().compute().unwrap();
    let of = |table: &DataFrame, name: &str| table.column(name).unwrap().i64().unwrap().get(0);
    let expected =
        [("dep_time", 8255), ("arr_time", 8713), ("arr_delay", 9430), ("tailnum", 2512), ("air_time", 9430)];
    for (name, expected) in expected {
        assert_eq!(of(&nulls, name), Some(expected), "{name}");
    }
    let distinct = flights.drop_nulls(["tailnum"]).unwrap();
    let distinct = distinct.select([col("carrier"), col("origin"), col("dest"), col("tailnum")]).unwrap();
    let distinct = flights
        .select([col("carrier"), col("origin"), col("dest")])
        .unwrap()
        .n_unique()
        .unwrap()
        .compute()
        .map(|table| (table, distinct.aggregate([col("tailnum").n_unique()]).unwrap().compute().unwrap()));
    let (distinct, tails) = distinct.unwrap();
    assert_eq!(of(&distinct, "carrier"), Some(16));
    assert_eq!(of(&distinct, "dest"), Some(105));
    assert_eq!(of(&tails, "tailnum"), Some(4043));
    let busiest = flights.value_counts("dest").unwrap().head(5).compute().unwrap();
    let expected = df!("dest" => ["ORD", "ATL", "LAX", "BOS", "MCO"], "count" => [17283_i64, 17215, 16174, 15508, 14082]);
    assert_eq!(busiest, expected.unwrap());
}

#[test]
fn the_first_rows_equal_pandas() {
    let expected = golden("head.csv");
    let columns: Vec<Expr> = expected
        .get_column_names()
        .into_iter()
        .filter(|name| *name != "time_hour")
        .map(|name| col(name.clone()))
        .collect();
    let head = flights().head(expected.height() as u32).select(&columns).unwrap().compute().unwrap();
    assert_close(&head, &expected.lazy().select(columns).collect().unwrap(), 0.0);
}

/// `golden/frame/small.json`.
fn small() -> DataFrame {
    let whole = [
        Some(5_i64),
        Some(3),
        Some(9),
        None,
        None,
        Some(7),
        Some(-4),
        None,
        Some(9_007_199_254_740_992),
        Some(1),
        Some(0),
        Some(-3),
    ];
    let real = [
        Some(1.5),
        None,
        Some(2.0),
        Some(-0.5),
        None,
        Some(4.0),
        Some(8.25),
        None,
        Some(1e9),
        Some(3.0),
        Some(-0.0),
        Some(0.125),
    ];
    let key = [
        Some("b"),
        Some("a"),
        None,
        Some("b"),
        Some("c"),
        Some("a"),
        Some("d"),
        Some("c"),
        Some("b"),
        None,
        Some("e"),
        Some("a"),
    ];
    let text = [
        Some("x"),
        Some("yy"),
        Some(""),
        None,
        Some("z,z"),
        Some("quo\"te"),
        Some("\u{e4}"),
        Some("x"),
        Some("x"),
        Some("line"),
        Some(""),
        None,
    ];
    df!("key" => key, "whole" => whole, "real" => real, "text" => text).unwrap()
}

#[test]
fn a_small_table_with_holes_equals_pandas() {
    let table = small();
    let expected = golden("small_grouped.csv");
    for n in 1..=13 {
        let frame = Frame::from_polars(table.clone(), n).unwrap();
        let groups = frame
            .group_by([col("key")])
            .unwrap()
            .agg([
                len().alias("rows"),
                col("whole").count().alias("count"),
                col("whole").sum().alias("sum"),
                col("whole").min().alias("min"),
                col("whole").max().alias("max"),
                col("real").mean().alias("mean"),
                col("whole").first_non_null().alias("first"),
                col("whole").last_non_null().alias("last"),
                col("text").drop_nulls().n_unique().alias("distinct"),
                col("real").std(1).alias("std"),
            ])
            .unwrap()
            .sort([col("key")], Order::Ascending)
            .unwrap();
        let found = groups.compute().unwrap();
        assert_close(&found, &expected, 1e-12);
    }
}
