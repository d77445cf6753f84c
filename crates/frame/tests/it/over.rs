//! What is computed over groups beside their rows, against polars on the whole table.

use musher_frame::polars::prelude::*;
use musher_frame::polars::series::ops::NullBehavior;
use musher_frame::{Error, Frame, How};
use musher_scheduler::{Compute, compute};

use crate::support::{assert_close, assert_same, check, check_close, layouts, options, table};

fn lazy(table: &DataFrame) -> LazyFrame {
    table.clone().lazy()
}

fn over(expression: Expr, keys: &[&str]) -> Expr {
    expression.over(keys.iter().map(|key| col(*key)).collect::<Vec<_>>()).unwrap()
}

/// Expressions over groups that are exact.
fn expressions() -> Vec<Expr> {
    vec![
        over(col("int").cum_sum(false), &["key"]).alias("running"),
        over(col("int").rank(RankOptions::default(), None), &["key"]).alias("rank"),
        over(col("int").shift(lit(1)), &["key", "flag"]).alias("before"),
        over(col("float").fill_null_with_strategy(FillNullStrategy::Forward(None)), &["key"]).alias("filled"),
        (col("int") - over(col("int").max(), &["flag"])).alias("below"),
        over(len(), &["text"]).gt(lit(1)).alias("duplicated"),
        over(col("int").diff(lit(1), NullBehavior::Ignore), &["flag"]).alias("change"),
        (over(col("int").min(), &["key"]) + col("int").max().cast(DataType::Int64)).alias("and total"),
        over(col("text").first(), &["key"]).eq(col("text")).alias("is first"),
    ]
}

#[test]
fn expressions_over_groups_equal_polars() {
    for table in [table(40), table(5), table(1), table(0)] {
        check(&table, &lazy(&table).select(expressions()).collect().unwrap(), |frame| {
            frame.select(expressions())
        });
        check(&table, &lazy(&table).with_columns(expressions()).collect().unwrap(), |frame| {
            frame.with_columns(expressions())
        });
        let largest = || col("int").eq(over(col("int").max(), &["key"]));
        check(&table, &lazy(&table).filter(largest()).collect().unwrap(), |frame| frame.filter(largest()));
    }
}

#[test]
fn one_pattern_of_bits() {
    let frame = Frame::from_polars(table(60), 7).unwrap().select(expressions()).unwrap();
    assert_eq!(frame.lengths().map(<[usize]>::len), Some(7));
    let expected = frame.compute().unwrap();
    for options in options() {
        assert_same(&frame.compute_with(&options).unwrap(), &expected, &format!("{options:?}"));
    }
}

#[test]
fn keys_that_have_no_hash_and_windows_without_keys_are_refused() {
    let frame = Frame::from(table(10)).with_columns([as_struct(vec![col("int")]).alias("nested")]).unwrap();
    let error = frame.select([over(col("int").sum(), &["nested"])]).unwrap_err();
    assert!(matches!(error, Error::NoHash { .. }), "{error}");
    let ordered = col("int").cum_sum(false).over_with_options(
        None::<[Expr; 1]>,
        Some(([col("float")], SortOptions::default())),
        WindowMapping::GroupsToRows,
    );
    let error = frame.select([ordered.unwrap()]).unwrap_err();
    assert!(matches!(error, Error::NotRowWise { .. }), "{error}");
    let lists = col("int").over_with_options(
        Some([col("key")]),
        None::<([Expr; 1], SortOptions)>,
        WindowMapping::Join,
    );
    assert!(matches!(frame.select([lists.unwrap()]), Err(Error::NotRowWise { .. })));
}

#[test]
fn aggregates_of_groups_stand_beside_their_rows() {
    let aggregates = || {
        [
            col("int").mean().alias("mean"),
            col("float").max().alias("float"),
            col("text").n_unique().alias("n"),
        ]
    };
    for table in [table(40), table(1), table(0)] {
        let of_group = aggregates().map(|expr| over(expr, &["key"]));
        let expected = lazy(&table)
            .with_columns(of_group)
            .with_columns([col("n").cast(DataType::Int64)])
            .collect()
            .unwrap();
        let names: Vec<Expr> = ["key", "int", "small", "flag", "text", "mean", "float", "n"].map(col).into();
        let expected = expected.lazy().select(&names).collect().unwrap();
        check_close(&table, &expected, 1e-12, |frame| frame.group_by([col("key")])?.transform(aggregates()));
    }
    let frame = Frame::from_polars(table(20), 3).unwrap();
    let keys = frame.group_by([(col("int") % lit(3)).alias("third"), col("flag")]).unwrap();
    let found = keys.transform([len().alias("n")]).unwrap();
    assert_eq!(found.lengths(), frame.lengths());
    let n = len().over([col("int") % lit(3), col("flag")]).unwrap().cast(DataType::Int64).alias("n");
    let expected = lazy(&table(20)).with_columns([n]).collect().unwrap();
    assert_same(&found.compute().unwrap(), &expected, "two keys");
}

#[test]
fn aggregates_without_a_state_stand_beside_the_rows_of_every_group() {
    let least = || col("int").sort(SortOptions::default()).first().alias("least");
    for table in [table(40), table(1), table(0)] {
        let expected = lazy(&table).with_columns([over(least(), &["key"])]).collect().unwrap();
        check(&table, &expected, |frame| frame.group_by([col("key")])?.transform([least()]));
    }
}

#[test]
fn sums_of_integers_over_groups_fail_rather_than_wrap() {
    let least = || col("x").sort(SortOptions::default()).first().alias("least");
    for (x, fits) in [([i32::MAX, 1, -1], true), ([i32::MAX, 1, 0], false)] {
        let table = df!("key" => [1, 1, 1], "x" => x).unwrap();
        let frame = Frame::from_polars(table, 2).unwrap();
        let beside = frame.select([over(col("x").sum(), &["key"])]).unwrap();
        assert_eq!(beside.compute().ok(), fits.then(|| df!("x" => [i32::MAX; 3]).unwrap()));
        let whole = frame.group_by([col("key")]).unwrap().agg([col("x").sum(), least()]).unwrap();
        assert_eq!(whole.compute().is_ok(), fits);
    }
}

#[test]
fn a_function_sees_all_rows_of_a_group_in_their_order() {
    let schema = || {
        Schema::from_iter([
            Field::new("key".into(), DataType::String),
            Field::new("texts".into(), DataType::String),
        ])
        .into()
    };
    let join = |group: DataFrame| -> PolarsResult<DataFrame> {
        let texts: Vec<&str> = group.column("text")?.str()?.iter().map(|text| text.unwrap_or("-")).collect();
        let key = group.column("key")?.str()?.get(0);
        df!("key" => [key], "texts" => [texts.join(",")])
    };
    for table in [table(40), table(1), table(0)] {
        let joined = col("text").fill_null(lit("-")).str().join(",", false).alias("texts");
        let expected = lazy(&table).group_by_stable([col("key")]).agg([joined]);
        let expected = expected.sort(["key"], SortMultipleOptions::default()).collect().unwrap();
        for (layout, frame) in layouts(&table) {
            let groups = frame.group_by([col("key")]).unwrap().apply(join, schema()).unwrap();
            assert_eq!(groups.n_partitions(), frame.n_partitions());
            let sorted = groups.compute().unwrap().sort(["key"], SortMultipleOptions::default()).unwrap();
            assert_same(&sorted, &expected, &layout);
        }
    }
    let wrong = Frame::from(table(9)).group_by([col("key")]).unwrap().apply(Ok::<_, PolarsError>, schema());
    let error = wrong.unwrap().compute().unwrap_err();
    let mut texts = vec![error.to_string()];
    let mut source: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(&error);
    while let Some(error) = source {
        texts.push(error.to_string());
        source = error.source();
    }
    assert!(texts.concat().contains("not those that were declared"), "{texts:?}");
}

#[test]
fn correlations_and_moments_of_groups_equal_polars() {
    let number = || col("float").fill_nan(lit(2.5));
    let aggregates = || {
        [
            number().skew(true).alias("skew"),
            number().kurtosis(true, false).alias("kurtosis"),
            pearson_corr(number(), col("small")).alias("corr"),
        ]
    };
    let whole = table(60);
    let expected = lazy(&whole).group_by_stable([col("key")]).agg(aggregates()).collect().unwrap();
    for (_, frame) in layouts(&whole) {
        let found = frame.group_by([col("key")]).unwrap().agg(aggregates()).unwrap().compute().unwrap();
        assert_close(&found, &expected, 1e-10);
    }
}

#[test]
fn steps_that_add_columns_run_beside_others_of_the_same_rows() {
    let names = df!("key" => ["a", "b"], "name" => ["Ada", "Bob"]).unwrap();
    for (layout, frame) in layouts(&table(40)) {
        let rows = frame.filter(col("small").gt(lit(-100))).unwrap();
        let joined = rows.join(names.clone(), [col("key")], [col("key")], How::Left).unwrap();
        let joined = joined.select([col("name")]).unwrap();
        let sums = rows.cum_sum(["int"]).unwrap().select([col("int")]).unwrap();
        let centered = rows.select([(col("int") - col("int").mean()).alias("x")]).unwrap();
        let plain = rows.select([col("text")]).unwrap();
        let alone = [&joined, &sums, &centered, &plain].map(|frame| frame.compute().unwrap());
        let (joined, sums, centered, plain) = compute((&joined, &sums, &centered, &plain)).unwrap();
        for (together, alone) in [joined, sums, centered, plain].iter().zip(&alone) {
            assert_same(together, alone, &layout);
        }
    }
}

#[test]
fn branches_that_add_columns_share_the_rows_that_they_come_from() {
    let names = df!("key" => ["a", "b"], "name" => ["Ada", "Bob"]).unwrap();
    for (layout, frame) in layouts(&table(40)) {
        let rows = frame.filter(col("small").gt(lit(-100))).unwrap();
        let names = Frame::from(names.clone());
        let joined = |how| rows.join(&names, [col("key")], [col("key")], how).unwrap();
        let named = [How::Inner, How::Left].map(|how| joined(how).select([col("name")]).unwrap());
        let centered = rows.select([(col("int") - col("int").mean()).alias("x")]).unwrap();
        let scaled =
            rows.select([(col("small").cast(DataType::Float64) / col("int").mean()).alias("y")]).unwrap();
        let made = rows.with_columns([(col("int") + lit(1)).alias("z")]).unwrap().select([col("z")]).unwrap();
        let plain = rows.select([col("text")]).unwrap();
        let frames = [&named[0], &named[1], &centered, &scaled, &made, &plain];
        let alone = frames.map(|frame| frame.compute().unwrap());
        let (a, b, c, d, e, f) =
            compute((frames[0], frames[1], frames[2], frames[3], frames[4], frames[5])).unwrap();
        for (together, alone) in [a, b, c, d, e, f].iter().zip(&alone) {
            assert_same(together, alone, &layout);
        }
    }
}
