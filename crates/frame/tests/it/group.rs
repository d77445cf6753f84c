//! Aggregates against polars on the whole table, over all layouts.

use musher_frame::polars::prelude::*;
use musher_frame::{Error, Frame};
use musher_scheduler::Compute;

use crate::support::{assert_close, assert_same, cause, layouts, options, table};

fn aggregates() -> Vec<Expr> {
    vec![
        len().alias("len"),
        col("int").sum().alias("sum"),
        col("int").mean().alias("mean"),
        col("small").sum().alias("small_sum"),
        col("float").sum().alias("float_sum"),
        col("float").std(1).alias("std"),
        col("int").var(1).alias("var"),
        col("int").median().alias("median"),
        col("float").min().alias("min"),
        col("float").max().alias("max"),
        col("text").first().alias("first"),
        col("text").last().alias("last"),
        col("text").n_unique().alias("n_unique"),
        col("text").count().alias("count"),
        col("flag").any(true).alias("any"),
        (col("int").sum() / col("int").count()).alias("ratio"),
        col("int").filter(col("flag")).sum().alias("filtered"),
    ]
}

#[test]
fn groups_equal_polars_on_every_layout() {
    for table in [table(60), table(1), table(0)] {
        for keys in
            [vec![col("key")], vec![col("key"), col("flag")], vec![(col("int") % lit(3)).alias("third")]]
        {
            let expected = table.clone().lazy().group_by_stable(&keys).agg(aggregates()).collect().unwrap();
            for (_, frame) in layouts(&table) {
                let groups = frame.group_by(&keys).unwrap().agg(aggregates()).unwrap();
                let found = groups.compute().unwrap();
                assert_close(&found, &expected, 1e-12);
                assert_eq!(found.schema(), groups.schema());
            }
        }
    }
}

#[test]
fn whole_columns_equal_polars_on_every_layout() {
    for table in [table(60), table(1), table(0)] {
        let expected = table.clone().lazy().select(aggregates()).collect().unwrap();
        for (_, frame) in layouts(&table) {
            assert_close(&frame.aggregate(aggregates()).unwrap().compute().unwrap(), &expected, 1e-12);
        }
    }
}

#[test]
fn selectors_are_expanded() {
    let table = table(20);
    let frame = Frame::from_polars(table.clone(), 4).unwrap();
    let lazy = || table.clone().lazy().select([col("key"), col("int"), col("float")]);
    let frame = frame.select([col("key"), col("int"), col("float")]).unwrap();
    let expected = lazy().group_by_stable([col("key")]).agg([all().as_expr().mean()]).collect().unwrap();
    let found = frame.group_by([col("key")]).unwrap().agg([all().as_expr().mean()]).unwrap();
    assert_close(&found.compute().unwrap(), &expected, 1e-12);
    let expected = lazy().select([all().as_expr().n_unique()]).collect().unwrap();
    assert_close(&frame.n_unique().unwrap().compute().unwrap(), &expected, 0.0);
}

#[test]
fn bits_do_not_depend_on_threads_or_scheduler() {
    let table = table(300);
    let frame = Frame::from_polars(table, 19).unwrap();
    let groups = frame.group_by([col("key")]).unwrap().agg(aggregates()).unwrap();
    let first = groups.compute().unwrap();
    for options in options() {
        for _ in 0..3 {
            assert_same(&groups.compute_with(&options).unwrap(), &first, &format!("{options:?}"));
        }
    }
}

#[test]
fn a_sum_that_does_not_fit_is_an_error_and_not_a_wrapped_number() {
    for (values, n) in
        [(vec![i64::MAX, 1], 1), (vec![i64::MIN, -1], 2), (vec![i64::MAX, i64::MAX, i64::MAX], 3)]
    {
        let exact: i128 = values.iter().map(|&x| i128::from(x)).sum();
        let frame = Frame::from_polars(df!("x" => values).unwrap(), n).unwrap();
        let error = frame.sum().unwrap().compute().unwrap_err();
        match cause(&error) {
            Error::IntegerOverflow { expression, value, dtype } => {
                assert_eq!((expression.contains("\"x\""), *value, dtype), (true, exact, &DataType::Int64));
            }
            other => panic!("{other:?}"),
        }
    }
    // Only the sum itself must fit, not what it passes through.
    let frame = Frame::from_polars(df!("x" => [i64::MAX, 1, -1, i64::MIN]).unwrap(), 4).unwrap();
    assert_eq!(frame.sum().unwrap().compute().unwrap(), df!("x" => [-1_i64]).unwrap());
    let frame = Frame::from_polars(df!("x" => [u64::MAX, 0]).unwrap(), 2).unwrap();
    assert_eq!(frame.sum().unwrap().compute().unwrap(), df!("x" => [u64::MAX]).unwrap());
    let frame = Frame::from_polars(df!("x" => [u32::MAX, u32::MAX]).unwrap(), 2).unwrap();
    assert_eq!(frame.sum().unwrap().compute().unwrap(), df!("x" => [2 * i64::from(u32::MAX)]).unwrap());
}

#[test]
fn columns_at_once() {
    let table = table(50);
    let lazy = || table.clone().lazy();
    let numbers = ["int", "small", "float", "flag"];
    let all = ["key", "int", "small", "float", "flag", "text"];
    let each = |names: &[&str], f: fn(Expr) -> Expr| {
        lazy().select(names.iter().map(|name| f(col(*name))).collect::<Vec<_>>()).collect().unwrap()
    };
    for (_, frame) in layouts(&table) {
        let close = |frame: Result<Frame, Error>, expected: DataFrame| {
            assert_close(&frame.unwrap().compute().unwrap(), &expected, 1e-12);
        };
        close(frame.sum(), each(&numbers, Expr::sum));
        close(frame.mean(), each(&numbers, Expr::mean));
        close(frame.std(1.0), each(&numbers, |x| x.std(1)));
        close(frame.var(0.0), each(&numbers, |x| x.var(0)));
        close(frame.min(), each(&all, Expr::min));
        close(frame.max(), each(&all, Expr::max));
        close(frame.count(), each(&all, Expr::count));
        close(frame.null_count(), each(&all, Expr::null_count));
        close(frame.n_unique(), each(&all, Expr::n_unique));
    }
}

#[test]
fn values_are_counted_most_frequent_first() {
    let table = table(50);
    let expected = table
        .clone()
        .lazy()
        .group_by_stable([col("text")])
        .agg([len().cast(DataType::Int64).alias("count")])
        .sort(["count"], SortMultipleOptions::default().with_order_descending(true).with_maintain_order(true))
        .collect()
        .unwrap();
    crate::support::check(&table, &expected, |frame| frame.value_counts("text"));
}

#[test]
fn a_description_has_the_statistics_of_every_column() {
    let table = table(50);
    for (_, frame) in layouts(&table) {
        let described = frame.describe(&[0.25, 0.5]).unwrap();
        let found = described.compute().unwrap();
        assert_eq!(found.schema(), described.schema());
        let names: Vec<_> = found.column("statistic").unwrap().str().unwrap().iter().flatten().collect();
        assert_eq!(names, ["count", "null_count", "mean", "std", "min", "25%", "50%", "max"]);
        let x = col("int").cast(DataType::Float64);
        let expected = table
            .clone()
            .lazy()
            .select([concat_list([
                x.clone().count().cast(DataType::Float64),
                x.clone().null_count().cast(DataType::Float64),
                x.clone().mean(),
                x.clone().std(1),
                x.clone().min(),
                x.clone().quantile(lit(0.25), QuantileMethod::Linear),
                x.clone().quantile(lit(0.5), QuantileMethod::Linear),
                x.max(),
            ])
            .unwrap()
            .explode(ExplodeOptions { empty_as_null: false, keep_nulls: true })
            .alias("int")])
            .collect()
            .unwrap();
        assert_close(&found.select(["int"]).unwrap(), &expected, 1e-12);
        let text: Vec<_> = found.column("text").unwrap().str().unwrap().iter().collect();
        assert_eq!(text, [Some("45"), Some("5"), None, None, Some("t0"), None, None, Some("t9")]);
    }
}

#[test]
fn quantiles_are_named_by_their_digits() {
    let frame = Frame::from(df!("x" => [1, 2]).unwrap());
    let described = frame.describe(&[0.29, 0.57, 0.001, 0.999, 1.0, 0.0, 1e-7]).unwrap().compute().unwrap();
    let names: Vec<_> = described.column("statistic").unwrap().str().unwrap().iter().flatten().collect();
    assert_eq!(names[5..12], ["29%", "57%", "0.1%", "99.9%", "100%", "0%", "0.00001%"]);
}

/// The rows in the order of their keys.
fn by_key(table: &DataFrame, keys: &[&str]) -> DataFrame {
    table.sort(keys.iter().copied(), SortMultipleOptions::default().with_nulls_last(true)).unwrap()
}

#[test]
fn what_has_no_state_is_computed_where_all_rows_of_a_key_meet() {
    let aggregates = || {
        [
            col("int").sort(SortOptions::default()).first().alias("least"),
            col("float").sort_by([col("small")], SortMultipleOptions::default()).last().alias("last"),
            col("text").str().join("-", true).alias("texts"),
            (col("int") - col("int").mean()).abs().max().alias("farthest"),
            col("int").cum_sum(false).alias("running"),
            col("key").mode(true).first().alias("mode"),
        ]
    };
    for table in [table(60), table(1), table(0)] {
        let grouped = table.clone().lazy().group_by_stable([col("flag"), col("key").is_null().alias("none")]);
        let expected = by_key(&grouped.agg(aggregates()).collect().unwrap(), &["flag", "none"]);
        for (layout, frame) in layouts(&table) {
            let groups = frame.group_by([col("flag"), col("key").is_null().alias("none")]).unwrap();
            for (found, n) in [
                (groups.agg(aggregates()).unwrap(), frame.n_partitions()),
                (groups.agg_into(aggregates(), 3).unwrap(), 3),
            ] {
                assert_eq!(found.n_partitions(), n, "{layout}");
                let rows = found.compute().unwrap();
                assert_eq!(rows.schema(), found.schema(), "{layout}");
                assert_close(
                    &by_key(&rows, &["flag", "none"]).drop("running").unwrap(),
                    &expected.drop("running").unwrap(),
                    1e-12,
                );
                let running = by_key(&rows, &["flag", "none"]).column("running").unwrap().clone();
                assert!(running.equals_missing(expected.column("running").unwrap()), "{layout}");
            }
        }
    }
}

#[test]
fn groups_and_distinct_rows_may_stay_in_several_partitions() {
    for table in [table(60), table(1), table(0)] {
        let expected = table.clone().lazy().group_by_stable([col("key"), col("flag")]).agg(aggregates());
        let expected = by_key(&expected.collect().unwrap(), &["key", "flag"]);
        let distinct = table
            .clone()
            .lazy()
            .unique_stable(Some(by_name(["key", "flag"], true, false)), UniqueKeepStrategy::First);
        let distinct = by_key(&distinct.collect().unwrap(), &["key", "flag"]);
        for (layout, frame) in layouts(&table) {
            for n in [1, 4] {
                let groups =
                    frame.group_by([col("key"), col("flag")]).unwrap().agg_into(aggregates(), n).unwrap();
                assert_eq!(groups.n_partitions(), n);
                let rows = groups.compute().unwrap();
                assert_eq!(rows.schema(), groups.schema(), "{layout}");
                assert_close(&by_key(&rows, &["key", "flag"]), &expected, 1e-12);
                let found = frame.unique_into(["key", "flag"], n).unwrap();
                assert_same(&by_key(&found.compute().unwrap(), &["key", "flag"]), &distinct, &layout);
                assert_eq!(found.n_partitions(), n);
            }
        }
    }
    let frame = Frame::from_polars(table(60), 5).unwrap();
    let groups = frame.group_by([col("int")]).unwrap().agg_into(aggregates(), 3).unwrap();
    let expected = groups.compute().unwrap();
    for options in options() {
        assert_same(&groups.compute_with(&options).unwrap(), &expected, &format!("{options:?}"));
    }
    assert!(matches!(frame.group_by([col("key")]).unwrap().agg_into([len()], 0), Err(Error::Zero { .. })));
    assert!(matches!(frame.unique_into([], 0), Err(Error::Zero { .. })));
    let large = Frame::from_polars(df!("key" => [1, 1], "x" => [i64::MAX, 1]).unwrap(), 2).unwrap();
    let error =
        large.group_by([col("key")]).unwrap().agg_into([col("x").sum()], 2).unwrap().compute().unwrap_err();
    assert!(matches!(cause(&error), Error::IntegerOverflow { .. }), "{error:?}");
}
