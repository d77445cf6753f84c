//! The flights of 2013 from New York against pandas' answers.

use std::path::PathBuf;

use musher_frame::polars::prelude::*;
use musher_frame::{Frame, How, Order};
use musher_scheduler::Compute;
use serde_json::Value;

use crate::support::assert_close;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn golden(name: &str) -> DataFrame {
    let path = root().join("crates/testkit/golden/frame").join(name);
    let options = CsvReadOptions::default().with_infer_schema_length(None);
    options.try_into_reader_with_file_path(Some(path)).unwrap().finish().unwrap()
}

fn json(name: &str) -> Value {
    let path = root().join("crates/testkit/golden/frame").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
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
    let expected = json("flights.json");
    let flights = flights();
    let lengths: Vec<u64> = flights.lengths().unwrap().iter().map(|&n| n as u64).collect();
    let texts = |key: &str| -> Vec<String> { serde_json::from_value(expected[key].clone()).unwrap() };
    assert_eq!(flights.columns(), texts("columns"));
    assert_eq!(lengths, serde_json::from_value::<Vec<u64>>(expected["rows_by_month"].clone()).unwrap());
    assert_eq!(Some(flights.len().compute().unwrap()), expected["rows"].as_u64());
    let of = |table: &DataFrame, name: &str| table.column(name).unwrap().i64().unwrap().get(0);
    let nulls = flights.null_count().unwrap().compute().unwrap();
    for name in flights.columns() {
        assert_eq!(of(&nulls, name), expected["nulls"].get(name).map_or(Some(0), Value::as_i64), "{name}");
    }
    // pandas does not count a missing value as one.
    for (name, n) in expected["distinct"].as_object().unwrap() {
        let column = flights.select([col(name.as_str())]).unwrap().drop_nulls([]).unwrap();
        assert_eq!(of(&column.n_unique().unwrap().compute().unwrap(), name), n.as_i64(), "{name}");
    }
    let late = flights.filter(col("dep_delay").gt(lit(60))).unwrap().len().compute().unwrap();
    assert_eq!(Some(late), expected["late"].as_u64());
    let mean = flights.select([col("dep_delay")]).unwrap().mean().unwrap().compute().unwrap();
    let mean = mean.column("dep_delay").unwrap().f64().unwrap().get(0).unwrap();
    assert!((mean / expected["mean_dep_delay"].as_f64().unwrap() - 1.0).abs() < 1e-12, "{mean}");
    let busiest = flights.value_counts("dest").unwrap().head(5).compute().unwrap();
    let (dest, count) = (busiest.column("dest").unwrap(), busiest.column("count").unwrap());
    let busiest: Vec<(String, i64)> = (0..5)
        .map(|row| (dest.str().unwrap().get(row).unwrap().to_owned(), count.i64().unwrap().get(row).unwrap()))
        .collect();
    assert_eq!(busiest, serde_json::from_value::<Vec<(String, i64)>>(expected["busiest"].clone()).unwrap());
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

/// The table that the script made.
fn small() -> DataFrame {
    let columns = json("small.json");
    let whole: Vec<Option<i64>> = serde_json::from_value(columns["whole"].clone()).unwrap();
    let real: Vec<Option<f64>> = serde_json::from_value(columns["real"].clone()).unwrap();
    let text = |name: &str| -> Vec<Option<String>> { serde_json::from_value(columns[name].clone()).unwrap() };
    df!("key" => text("key"), "whole" => whole, "real" => real, "text" => text("text")).unwrap()
}

/// The table in every number of partitions.
fn smalls() -> impl Iterator<Item = Frame> {
    (1..=13).map(|n| Frame::from_polars(small(), n).unwrap())
}

#[test]
fn moments_and_extremes_of_columns_with_holes_equal_pandas() {
    let expected = golden("small_moments.csv");
    let of = |name: &str, row: usize| -> Option<f64> {
        expected.column(name).unwrap().cast(&DataType::Float64).unwrap().f64().unwrap().get(row)
    };
    for frame in smalls() {
        for row in 0..expected.height() {
            let column = expected.column("column").unwrap().str().unwrap().get(row).unwrap();
            let ddof = of("ddof", row).unwrap();
            // pandas counts in floats; the largest whole number here is exact in both.
            let frame = frame.select([col(column).cast(DataType::Float64)]).unwrap();
            let found = [
                ("var", frame.var(ddof)),
                ("std", frame.std(ddof)),
                ("mean", frame.mean()),
                ("sum", frame.sum()),
                ("min", frame.min()),
                ("max", frame.max()),
                ("count", frame.count()),
                ("missing", frame.null_count()),
                ("distinct", frame.drop_nulls([]).and_then(|frame| frame.n_unique())),
            ];
            for (name, found) in found {
                let found = found.unwrap().compute().unwrap();
                let found = found.column(column).unwrap().cast(&DataType::Float64).unwrap();
                match (found.f64().unwrap().get(0), of(name, row)) {
                    (Some(found), Some(expected)) => {
                        assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{name} {column} {ddof}");
                    }
                    // Without a degree of freedom left pandas' answer is its missing value.
                    (found, expected) => assert_eq!(found, expected, "{name} {column} {ddof}"),
                }
            }
        }
    }
}

#[test]
fn sorted_distinct_counted_and_joined_rows_equal_pandas() {
    let names = df!("key" => ["a", "b", "b", "z"], "name" => ["Ada", "Bob", "Ben", "Zoe"]).unwrap();
    let columns = |frame: &Frame, names: &[&str]| {
        frame.select(names.iter().map(|name| col(*name)).collect::<Vec<_>>()).unwrap()
    };
    for frame in smalls() {
        let check = |found: Frame, name: &str| assert_close(&found.compute().unwrap(), &golden(name), 0.0);
        let sorted = frame.sort([col("key"), col("whole")], Order::Ascending).unwrap();
        // A CSV file of pandas' does not tell an empty text from a missing one.
        let text = when(col("text").eq(lit(""))).then(lit(NULL)).otherwise(col("text")).alias("text");
        check(sorted.select([col("key"), col("whole"), text]).unwrap(), "small_sorted.csv");
        check(columns(&frame.unique(["key"]).unwrap(), &["key", "whole"]), "small_unique.csv");
        let top = frame.top_k(3, [col("whole")], Order::Descending).unwrap();
        check(columns(&top, &["key", "whole"]), "small_top.csv");
        let keyed = columns(&frame, &["key", "whole"]).drop_nulls(["key"]).unwrap();
        for (how, name) in [(How::Inner, "small_inner.csv"), (How::Left, "small_left.csv")] {
            check(keyed.join(names.clone(), [col("key")], [col("key")], how).unwrap(), name);
        }
        // Texts of equal counts stand in order of appearance, in pandas in some order.
        let counts = frame.value_counts("text").unwrap().compute().unwrap();
        let counts: Vec<i64> = counts.column("count").unwrap().i64().unwrap().iter().flatten().collect();
        let expected = golden("small_counts.csv");
        let expected: Vec<i64> = expected.column("count").unwrap().i64().unwrap().iter().flatten().collect();
        assert_eq!(counts, expected);
    }
}

#[test]
fn a_small_table_with_holes_equals_pandas() {
    let expected = golden("small_grouped.csv");
    for frame in smalls() {
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

#[test]
fn rows_against_their_neighbors_equal_pandas() {
    let expected = golden("small_beside.csv");
    for frame in smalls() {
        // A CSV file of pandas' does not tell an empty text from a missing one.
        let text = when(col("text").eq(lit(""))).then(lit(NULL)).otherwise(col("text")).alias("text");
        let frame = frame.with_columns([text]).unwrap();
        for n in [1, 2, -1, -3, 0, 11, 12, -40] {
            let expected = expected.clone().lazy().filter(col("n").eq(lit(n))).collect().unwrap();
            let part = |prefix: &str, names: &[&str]| {
                let columns = names.iter().map(|name| col(format!("{prefix}_{name}")).alias(*name));
                expected.clone().lazy().select(columns.collect::<Vec<_>>()).collect().unwrap()
            };
            let shifted = frame.shift(n).unwrap().compute().unwrap();
            assert_close(&shifted, &part("shift", &["key", "whole", "real", "text"]), 0.0);
            let numbers = frame.select([col("whole"), col("real")]).unwrap();
            assert_close(
                &numbers.diff(n).unwrap().compute().unwrap(),
                &part("diff", &["whole", "real"]),
                0.0,
            );
        }
    }
}

#[test]
fn running_answers_equal_pandas() {
    let expected = golden("small_running.csv");
    for frame in smalls() {
        let part = |prefix: &str, names: &[&str]| {
            let columns = names.iter().map(|name| col(format!("{prefix}_{name}")).alias(*name));
            expected.clone().lazy().select(columns.collect::<Vec<_>>()).collect().unwrap()
        };
        let check = |frame: Frame, expected: DataFrame| {
            assert_close(&frame.compute().unwrap(), &expected, 1e-15);
        };
        let names = ["whole", "real"];
        let numbers = frame.select(names.map(col)).unwrap();
        check(numbers.cum_sum(names).unwrap(), part("sum", &names));
        check(numbers.cum_min(names).unwrap(), part("min", &names));
        check(numbers.cum_max([]).unwrap(), part("max", &names));
        check(numbers.cum_prod(["real"]).unwrap().drop(["whole"]).unwrap(), part("prod", &["real"]));
        let first = numbers.head(8).repartition(3).unwrap().cum_prod(["whole"]).unwrap();
        check(first.drop(["real"]).unwrap(), part("prod", &["whole"]).head(Some(8)));
        check(frame.cum_count([]).unwrap(), part("count", &["key", "whole", "real", "text"]));
    }
}

/// The numbers without the extremes, as floats.
fn moderate(frame: &Frame) -> Frame {
    let number = |name: &str| {
        let x = col(name).cast(DataType::Float64);
        when(x.clone().abs().lt(lit(1e6))).then(x).otherwise(lit(NULL)).alias(name)
    };
    frame.select([number("whole"), number("real")]).unwrap()
}

#[test]
fn statistics_of_a_small_table_equal_pandas() {
    let expected = golden("small_statistics.csv");
    for frame in smalls() {
        let numbers = moderate(&frame);
        let found = [
            ("median", numbers.median()),
            ("quantile", numbers.quantile(0.3, QuantileMethod::Linear)),
            ("skew", numbers.skew(false)),
            ("prod", numbers.head(5).product()),
        ];
        let kurtosis = ["whole", "real"].map(|name| col(name).kurtosis(true, false));
        let found = found.into_iter().chain([("kurt", numbers.aggregate(kurtosis))]);
        for (name, found) in found {
            let found = found.unwrap().compute().unwrap();
            for (row, column) in ["whole", "real"].into_iter().enumerate() {
                let expected = expected.column(name).unwrap().f64().unwrap().get(row).unwrap();
                let found = found.column(column).unwrap().f64().unwrap().get(0).unwrap();
                assert!(
                    (found - expected).abs() <= 1e-12 * expected.abs(),
                    "{name} {column}: {found} {expected}"
                );
            }
        }
        assert_close(&numbers.corr().unwrap().compute().unwrap(), &golden("small_corr.csv"), 1e-12);
        assert_close(&numbers.cov(1.0).unwrap().compute().unwrap(), &golden("small_cov.csv"), 1e-12);
        let modes = json("small_mode.json");
        for (column, expected) in modes.as_object().unwrap() {
            let found = frame.mode(column).unwrap().compute().unwrap();
            let mut found: Vec<&str> = found.columns()[0].str().unwrap().iter().flatten().collect();
            found.sort_unstable();
            assert_eq!(Value::from(found), *expected, "{column}");
        }
    }
}

#[test]
fn groups_beside_their_rows_and_fills_equal_pandas() {
    let expected = golden("small_over.csv");
    let over = |x: Expr| x.over([col("key")]).unwrap();
    let whole = || col("whole").cast(DataType::Float64);
    let lowest = RankOptions { method: RankMethod::Min, ..RankOptions::default() };
    let three = RollingOptionsFixedWindow { window_size: 3, min_periods: 1, ..Default::default() };
    for frame in smalls() {
        let filled = |frame: Result<Frame, musher_frame::Error>, name: &str| {
            frame.unwrap().select([whole().alias(name)]).unwrap()
        };
        let sizes = frame.group_by([col("key")]).unwrap().transform([len().alias("size")]).unwrap();
        let columns = [
            over(col("real").mean()).alias("mean"),
            over(whole().cum_sum(false)).alias("running"),
            over(whole().shift(lit(1))).alias("before"),
            over(whole().rank(lowest, None)).cast(DataType::Float64).alias("rank"),
            over(whole().fill_null_with_strategy(FillNullStrategy::Forward(None))).alias("filled"),
            ((col("real") - col("real").mean()) / col("real").std(1)).alias("z"),
            whole().rolling_max(three.clone()).alias("rolling"),
        ];
        let parts = [
            frame.select(columns).unwrap(),
            sizes.select([col("size")]).unwrap(),
            filled(frame.forward_fill(["whole"], None), "forward"),
            filled(frame.backward_fill(["whole"], None), "backward"),
            filled(frame.forward_fill(["whole"], 1), "limited"),
        ];
        let found = Frame::concat_horizontal(&parts).unwrap();
        let names: Vec<Expr> = expected.get_column_names_owned().into_iter().map(col).collect();
        assert_close(&found.select(names).unwrap().compute().unwrap(), &expected, 1e-12);
    }
}

#[test]
fn other_joins_and_shapes_equal_pandas() {
    let names = df!("key" => ["a", "b", "b", "z"], "name" => ["Ada", "Bob", "Ben", "Zoe"]).unwrap();
    let by = || [col("key"), col("whole"), col("name")];
    for frame in smalls() {
        let check = |found: Frame, name: &str| assert_close(&found.compute().unwrap(), &golden(name), 0.0);
        let keyed = frame.select([col("key"), col("whole")]).unwrap().drop_nulls(["key"]).unwrap();
        for n in [1, 3] {
            let names = Frame::from_polars(names.clone(), n).unwrap();
            let right = keyed.join(&names, [col("key")], [col("key")], How::Right).unwrap();
            check(
                right
                    .select([col("key"), col("whole"), col("name")])
                    .unwrap()
                    .sort(by(), Order::Ascending)
                    .unwrap(),
                "small_right.csv",
            );
            let full = keyed.join(&names, [col("key")], [col("key")], How::Full).unwrap();
            let key = coalesce(&[col("key"), col("key_right")]).alias("key");
            let full = full.select([key, col("whole"), col("name")]).unwrap();
            check(full.sort(by(), Order::Ascending).unwrap(), "small_outer.csv");
        }
        check(frame.unpivot(["whole", "real"], ["key"]).unwrap(), "small_melt.csv");
        let dummies = frame.select([col("key")]).unwrap().to_dummies("key", ["a", "b", "c"]).unwrap();
        check(dummies, "small_dummies.csv");
        let sign = when(col("whole").gt(lit(1))).then(lit("large")).otherwise(lit("small")).alias("sign");
        let signs = keyed.with_columns([sign]).unwrap();
        let wide = signs.pivot([col("key")], "sign", ["large", "small"], "whole", Expr::count).unwrap();
        check(wide.sort([col("key")], Order::Ascending).unwrap(), "small_pivot.csv");
    }
}
