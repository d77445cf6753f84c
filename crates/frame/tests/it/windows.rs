//! Expressions that see other rows than their own: rolling windows, fills, totals of the whole frame.

use musher_frame::polars::prelude::*;
use musher_frame::{Error, Frame};
use musher_scheduler::Compute;

use crate::support::{check, check_close, table};

fn lazy(table: &DataFrame) -> LazyFrame {
    table.clone().lazy()
}

fn window(window_size: usize, min_periods: usize, center: bool) -> RollingOptionsFixedWindow {
    RollingOptionsFixedWindow { window_size, min_periods, center, ..Default::default() }
}

/// Of a column without NaN, which polars' windows carry along.
fn number() -> Expr {
    col("float").fill_nan(lit(2.5))
}

#[test]
fn rolling_windows_see_the_rows_of_other_partitions() {
    for (size, least, center) in
        [(1, 1, false), (2, 2, false), (3, 1, true), (4, 2, true), (7, 1, false), (39, 1, true)]
    {
        let options = || window(size, least, center);
        let exprs = || {
            [
                col("int").rolling_sum(options()).alias("sum"),
                col("int").rolling_min(options()).alias("min"),
                col("small").rolling_max(options()).alias("max"),
                number().rolling_mean(options()).alias("mean"),
                number().rolling_median(options()).alias("median"),
                number().rolling_var(options()).alias("var"),
                number().rolling_std(options()).alias("std"),
                number().rolling_quantile(QuantileMethod::Linear, 0.3, options()).alias("quantile"),
                (number() - number().rolling_mean(options()).shift(lit(2))).alias("against before"),
                number().rolling_sum(options()).rolling_max(window(2, 1, false)).alias("of windows"),
            ]
        };
        for table in [table(40), table(4), table(1), table(0)] {
            // Sums are carried along a window and so have other roundings in every partition.
            check_close(&table, &lazy(&table).select(exprs()).collect().unwrap(), 1e-9, |frame| {
                frame.select(exprs())
            });
        }
    }
}

#[test]
fn weighted_windows_and_correlations_see_the_rows_of_other_partitions() {
    let whole = lazy(&table(40))
        .with_columns([number().fill_null(lit(1.0)), col("int").fill_null(lit(0))])
        .collect()
        .unwrap();
    for center in [false, true] {
        let options =
            || RollingOptionsFixedWindow { weights: Some(vec![0.25, 0.5, 0.25]), ..window(3, 3, center) };
        let exprs = || {
            [
                col("float").rolling_mean(options()).alias("mean"),
                col("float").rolling_sum(options()).alias("sum"),
            ]
        };
        check_close(&whole, &lazy(&whole).select(exprs()).collect().unwrap(), 1e-9, |frame| {
            frame.select(exprs())
        });
    }
    let options = || RollingCovOptions { window_size: 5, min_periods: 3, ddof: 1 };
    let exprs = || [rolling_cov(col("float"), col("int"), options()).alias("cov")];
    check_close(&whole, &lazy(&whole).select(exprs()).collect().unwrap(), 1e-9, |frame| {
        frame.select(exprs())
    });
}

#[test]
fn changes_in_percent_and_peaks_see_their_neighbors() {
    for table in [table(40), table(2), table(0)] {
        let exprs = || {
            [
                col("small").pct_change(lit(1)).alias("one"),
                col("float").pct_change(lit(-3)).alias("three on"),
                col("small").peak_max().alias("peak"),
                col("small").peak_min().alias("valley"),
            ]
        };
        check(&table, &lazy(&table).select(exprs()).collect().unwrap(), |frame| frame.select(exprs()));
    }
}

/// A table in which missing values stand in runs, also across partitions.
fn holes(n: i64) -> DataFrame {
    let kept = |i: i64, every: i64| i % every == every / 2;
    let row = 0..n;
    df!(
        "int" => row.clone().map(|i| kept(i, 5).then_some(i)).collect::<Vec<_>>(),
        "float" => row.clone().map(|i| kept(i, 3).then_some(if i % 2 == 0 { f64::NAN } else { i as f64 })).collect::<Vec<_>>(),
        "text" => row.clone().map(|i| kept(i, 17).then(|| format!("t{i}"))).collect::<Vec<_>>(),
        "flag" => row.clone().map(|i| kept(i, 4).then_some(i % 8 == 2)).collect::<Vec<_>>(),
        "void" => row.map(|_| None::<i64>).collect::<Vec<_>>(),
    )
    .unwrap()
}

#[test]
fn missing_values_are_filled_from_other_partitions() {
    for table in [holes(40), holes(3), holes(0)] {
        for limit in [None, Some(1), Some(4), Some(100)] {
            for strategy in [FillNullStrategy::Forward(limit), FillNullStrategy::Backward(limit)] {
                let filled = all().as_expr().fill_null_with_strategy(strategy);
                let expected = lazy(&table).select([filled.clone()]).collect().unwrap();
                check(&table, &expected, |frame| match strategy {
                    FillNullStrategy::Forward(_) => frame.forward_fill([], limit),
                    _ => frame.backward_fill([], limit),
                });
                if limit.is_some() {
                    check(&table, &expected, |frame| frame.select([filled.clone()]));
                }
            }
        }
        let some = [col("text").fill_null_with_strategy(FillNullStrategy::Forward(None))];
        check(&table, &lazy(&table).with_columns(some).collect().unwrap(), |frame| {
            frame.forward_fill(["text", "text"], None)
        });
    }
    let frame = Frame::from_polars(holes(9), 3).unwrap();
    assert!(matches!(frame.forward_fill(["nope"], None), Err(Error::NoColumn { .. })));
}

#[test]
fn categories_lists_and_times_are_filled_or_refused() {
    let texts = Series::new("x".into(), [None, Some("a"), None, None, Some("b"), None]);
    let categories = texts.cast(&DataType::from_categories(Categories::global())).unwrap();
    let days = Series::new("x".into(), [Some(1_i32), None, None, Some(7), None, None])
        .cast(&DataType::Date)
        .unwrap();
    for whole in [categories, days] {
        let table = whole.into_frame();
        let filled = col("x").fill_null_with_strategy(FillNullStrategy::Forward(None));
        check(&table, &lazy(&table).select([filled]).collect().unwrap(), |frame| {
            frame.forward_fill([], None)
        });
    }
}

#[test]
fn holes_and_nan_are_filled_with_a_value() {
    let table = table(40);
    let numbers = || cols(["int", "small", "float"]).as_expr().fill_null(lit(7));
    check(&table, &lazy(&table).with_columns([numbers()]).collect().unwrap(), |frame| frame.fill_null(7));
    let texts = || cols(["key", "text"]).as_expr().fill_null(lit("?"));
    check(&table, &lazy(&table).with_columns([texts()]).collect().unwrap(), |frame| {
        frame.fill_null(lit("?"))
    });
    let flags = || col("flag").fill_null(lit(true));
    check(&table, &lazy(&table).with_columns([flags()]).collect().unwrap(), |frame| frame.fill_null(true));
    let nan = || col("float").fill_nan(lit(0.5));
    check(&table, &lazy(&table).with_columns([nan()]).collect().unwrap(), |frame| frame.fill_nan(0.5));
    let frame = Frame::from(df!("x" => ["a"]).unwrap());
    assert!(matches!(frame.fill_null(1), Err(Error::Zero { .. })));
    assert!(matches!(frame.fill_nan(1.0), Err(Error::Zero { .. })));
}

#[test]
fn aggregates_beside_rows_are_those_of_the_whole_frame() {
    let exprs = || {
        [
            (col("int") - col("int").mean()).alias("centered"),
            (col("int").cast(DataType::Float64) / col("int").sum().cast(DataType::Float64)).alias("share"),
            ((number() - number().mean()) / number().std(1)).alias("z"),
            col("int").fill_null(col("int").max()).alias("filled"),
            col("text").fill_null(col("text").first_non_null()).alias("text"),
            (col("small").cast(DataType::Int64) - col("small").median().cast(DataType::Int64))
                .alias("median"),
            col("int").eq(col("int").max()).and(col("flag").any(true)).alias("largest"),
            (number() - number().mean()).rolling_max(window(3, 1, false)).alias("window"),
        ]
    };
    for table in [table(40), table(1), table(0)] {
        let expected = lazy(&table).select(exprs()).collect().unwrap();
        check_close(&table, &expected, 1e-12, |frame| frame.select(exprs()));
        let expected = lazy(&table).with_columns(exprs()).collect().unwrap();
        check_close(&table, &expected, 1e-12, |frame| frame.with_columns(exprs()));
        let above = || col("int").gt(col("int").mean());
        check(&table, &lazy(&table).filter(above()).collect().unwrap(), |frame| frame.filter(above()));
        // Alone in a new column an aggregate says the same in every row.
        let most = || [col("int").max().alias("most")];
        check(&table, &lazy(&table).with_columns(most()).collect().unwrap(), |frame| {
            frame.with_columns(most())
        });
        let lists = || [element_in_list()];
        check(&table, &lazy(&table).select(lists()).collect().unwrap(), |frame| frame.select(lists()));
    }
    let mixed = [col("int") - col("int").mean()];
    let error =
        Frame::from(table(4)).select([mixed[0].clone(), col("text") - col("text").mean()]).unwrap_err();
    assert!(matches!(error, Error::NotNumeric { .. } | Error::Expression { .. }), "{error}");
}

/// An aggregate of a list, which is no aggregate of rows.
fn element_in_list() -> Expr {
    let list = concat_list([col("int"), col("int") + lit(1)]).unwrap();
    (list.list().eval(element().sum()).list().first() - col("int")).alias("sum")
}

#[test]
fn a_total_of_no_rows_is_missing() {
    let frame = Frame::from_polars(table(0), 3).unwrap();
    let none = frame.select([col("int") - col("int").mean()]).unwrap().compute().unwrap();
    assert_eq!(none.height(), 0);
}
