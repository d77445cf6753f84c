//! What can be told from metadata fails when the frame is built, with the user's line.

use musher_frame::polars::prelude::*;
use musher_frame::polars::series::ops::NullBehavior;
use musher_frame::{CsvOptions, Error, Frame, How, Order};
use musher_graph_core::Site;
use musher_scheduler::files::FilesError;

use crate::support::table;

fn frame() -> Frame {
    Frame::from_polars(table(10), 2).unwrap()
}

#[test]
fn a_wrong_column_or_type_names_the_line() {
    let line = line!() + 1;
    let error = frame().select([col("nope")]).unwrap_err();
    assert!(error.to_string().contains(&format!("build.rs:{line}")), "{error}");
    assert!(matches!(&error, Error::Expression { operation: "select", caller, .. } if caller.line() == line));
    let polars = std::error::Error::source(&error).unwrap().to_string();
    assert!(polars.contains("nope"), "{polars}");

    for error in [
        frame().filter(col("int")).unwrap_err(),
        frame().with_columns([col("text") - lit(1.5)]).unwrap_err(),
        frame().group_by([col("nope")]).map(drop).unwrap_err(),
        frame().group_by([col("key")]).unwrap().agg([col("nope").sum()]).unwrap_err(),
        frame().aggregate([col("text").mean() + lit(1)]).map(drop).err().unwrap_or(Error::Zero {
            operation: "",
            what: "",
            caller: Site::caller(),
        }),
        frame().join(table(1), [col("key")], [col("nope")], How::Inner).unwrap_err(),
        frame().rename([("key", "int")]).unwrap_err(),
    ] {
        assert!(error.to_string().contains("build.rs") || matches!(error, Error::Zero { .. }), "{error}");
    }
    for error in [
        frame().drop(["nope"]).unwrap_err(),
        frame().rename([("nope", "x")]).unwrap_err(),
        frame().cast([("nope", DataType::Int8)]).unwrap_err(),
        frame().value_counts("nope").unwrap_err(),
        frame().unique(["nope"]).unwrap_err(),
        frame().drop_nulls(["nope"]).unwrap_err(),
    ] {
        assert!(matches!(&error, Error::NoColumn { column, .. } if column == "nope"), "{error}");
    }
}

#[test]
fn expressions_that_fail_whatever_the_values_are_refused() {
    let frame = frame();
    let text = || col("text").gt(lit(3));
    for error in [
        frame.filter(text()).map(drop),
        frame.select([text()]).map(drop),
        frame.with_columns([text().alias("x")]).map(drop),
        frame.group_by([text()]).map(drop),
        frame.aggregate([text().any(true)]).map(drop),
        frame.sort([text()], Order::Ascending).map(drop),
        frame.select([col("int").dt().year()]).map(drop),
    ] {
        let error = error.unwrap_err();
        assert!(
            matches!(error, Error::Expression { .. }) && error.to_string().contains("build.rs"),
            "{error}"
        );
    }
    // What only looks for a first value, or may fit, is not refused.
    let format = StrptimeOptions { format: Some("t%d".into()), ..StrptimeOptions::default() };
    let dates = col("text").str().to_date(format);
    for may_fit in [dates, col("text").strict_cast(DataType::Int64)] {
        frame.select([may_fit]).unwrap();
    }
    // A function of the user's is not called when the frame is built.
    let panics = col("int").map(|_| panic!("called"), |_, field| Ok(field.clone()));
    assert!(frame.select([panics]).is_ok());
}

#[test]
fn an_aggregate_of_numbers_over_a_text_says_that_it_is_text() {
    for expression in [col("text").mean(), col("text").var(0), col("text").std(1) * lit(2.0)] {
        let error = frame().aggregate([expression.clone()]).map(drop).unwrap_err();
        assert!(matches!(&error, Error::NotNumeric { dtype, .. } if **dtype == DataType::String), "{error}");
        let text = error.to_string();
        assert!(text.contains("this is str") && text.contains("null_values"), "{text}");
        assert!(matches!(
            frame().group_by([col("key")]).unwrap().agg([expression]),
            Err(Error::NotNumeric { .. })
        ));
    }
}

#[test]
fn debug_of_an_error_is_its_report() {
    let error = frame().select([col("nope")]).unwrap_err();
    let report = format!("{error:?}");
    assert!(report.starts_with(&error.to_string()) && report.contains("Caused by:"), "{report}");
    assert!(report.contains("nope"), "{report}");
}

#[test]
fn what_looks_at_other_rows_is_refused() {
    for expression in [
        col("int").sum(),
        col("int").shift(len()),
        col("int").len().diff(lit(1), NullBehavior::Ignore),
        (col("int").sum() + col("float").max()).shift(lit(1)) + col("int"),
        col("int").rolling_mean(RollingOptionsFixedWindow { window_size: usize::MAX, ..Default::default() }),
        col("int").is_duplicated(),
        col("int").mode(true),
        col("float").interpolate(InterpolationMethod::Linear),
        col("int").qcut_uniform(3, None::<Vec<PlSmallStr>>, false, false, false),
        col("int").rle_id(),
        col("int").ewm_mean(EWMOptions::default()),
        col("int").diff(lit(1), NullBehavior::Drop),
        col("int").cum_sum(false),
        col("int").sort(SortOptions::default()),
        col("int")
            .over_with_options(Some([col("key")]), None::<([Expr; 1], SortOptions)>, WindowMapping::Join)
            .unwrap(),
        col("int").rank(RankOptions::default(), None),
        col("int").unique(),
        col("int").head(Some(3)),
        col("int").reverse(),
        col("float").fill_null_with_strategy(FillNullStrategy::Forward(None)),
        len(),
        lit(1),
    ] {
        let error = frame().select([expression.clone()]).map(drop).unwrap_err();
        assert!(matches!(error, Error::NotRowWise { .. }), "{expression}: {error}");
    }
    let filtered = frame().filter(col("int").gt(col("int").cum_sum(false)));
    assert!(matches!(filtered, Err(Error::NotRowWise { .. })));
    let sorted = frame().with_columns([col("int") - col("int").sort(SortOptions::default()).first()]);
    assert!(matches!(sorted, Err(Error::NotDecomposable { .. })));
    assert!(matches!(frame().group_by([col("int").sum()]), Err(Error::NotRowWise { .. })));
    assert!(matches!(
        frame().join(table(3), [col("key").reverse()], [col("key")], How::Inner),
        Err(Error::NotRowWise { .. })
    ));
    for (expression, instead) in [
        (col("int").sum(), "`aggregate`"),
        (col("int").cum_sum(false), "`Frame::cum_sum`"),
        (col("int").fill_null_with_strategy(FillNullStrategy::Backward(None)), "`Frame::backward_fill`"),
        (col("int").fill_null_with_strategy(FillNullStrategy::Mean), "x.mean()"),
        (
            col("int")
                .over_with_options(Some([col("key")]), None::<([Expr; 1], SortOptions)>, WindowMapping::Join)
                .unwrap(),
            "`GroupBy::apply`",
        ),
        (col("int").rank(RankOptions::default(), None), "`Frame::with_row_index`"),
        (col("int").is_duplicated(), "`GroupBy::transform`"),
        (col("int").drop_nulls(), "`Frame::drop_nulls`"),
    ] {
        let error = frame().select([expression]).unwrap_err().to_string();
        assert!(error.contains(instead) && error.contains("build.rs"), "{error}");
    }
    let error = frame().aggregate([col("int").sort(SortOptions::default()).first()]).unwrap_err().to_string();
    assert!(error.contains("first") && error.contains("build.rs") && error.contains("n_unique"), "{error}");
}

#[test]
fn impossible_shapes_are_refused() {
    assert!(matches!(Frame::from_polars(table(1), 0), Err(Error::Zero { .. })));
    assert!(matches!(frame().repartition(0), Err(Error::Zero { .. })));
    assert!(matches!(frame().partitions([2]), Err(Error::NoPartition { index: 2, n_partitions: 2, .. })));
    assert!(matches!(frame().partitions([]), Err(Error::Zero { .. })));
    assert!(matches!(Frame::concat([]), Err(Error::Zero { .. })));
    assert!(matches!(Frame::from_delayed([], table(0).schema().clone()), Err(Error::Zero { .. })));
    let other = Frame::from(df!("key" => ["a"]).unwrap());
    assert!(
        matches!(Frame::concat([&frame(), &other]), Err(Error::Schemas { difference, .. }) if difference.position == 1)
    );
    let error = Frame::read_csv("/nonexistent/*.csv").unwrap_err();
    assert!(matches!(&error, Error::Find { source: FilesError::NoMatch { .. }, .. }), "{error}");
    assert!(error.to_string().contains("build.rs"), "{error}");
    let error = Frame::read_csv("a[b").unwrap_err();
    assert!(matches!(&error, Error::Find { source: FilesError::Pattern { .. }, .. }), "{error}");
    for ddof in [-1.0, f64::NAN, f64::NEG_INFINITY] {
        assert!(matches!(frame().var(ddof), Err(Error::Ddof { operation: "var", .. })), "{ddof}");
        assert!(matches!(frame().std(ddof), Err(Error::Ddof { operation: "std", .. })), "{ddof}");
    }
    for at in [-0.1, 1.5, f64::NAN] {
        let quantile = || col("int").quantile(lit(at), QuantileMethod::Linear);
        for error in [
            frame().describe(&[0.5, at]).unwrap_err(),
            frame().aggregate([quantile()]).unwrap_err(),
            frame().group_by([col("key")]).unwrap().agg([quantile()]).unwrap_err(),
        ] {
            assert!(error.to_string().contains("build.rs"), "{error}");
            let polars = std::error::Error::source(&error).unwrap().to_string();
            assert!(polars.contains(&format!("the quantile {at} is not from 0 to 1")), "{polars}");
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.csv");
    std::fs::write(&path, "x\n1\n").unwrap();
    assert!(matches!(Frame::read_csv(CsvOptions::new(&path).block_bytes(0)), Err(Error::Zero { .. })));
}

#[test]
fn deep_expressions_are_refused_before_they_overflow_a_stack() {
    let deep = |depth: usize| (0..depth).fold(col("int"), |sum, _| sum + lit(1));
    assert!(frame().select([deep(60)]).is_ok());
    let worker = std::thread::Builder::new().stack_size(512 << 10);
    let error =
        worker.spawn(move || frame().select([deep(600)]).map(drop).unwrap_err()).unwrap().join().unwrap();
    assert!(matches!(error, Error::TooDeep { limit: 256, .. }), "{error}");
}

#[test]
fn a_frame_shows_its_columns() {
    let shown = Frame::from_polars(df!("x" => [1], "name" => ["a"]).unwrap(), 1).unwrap().to_string();
    assert_eq!(shown, "Frame of 1 partition, 1 rows\n  x     i32\n  name  str");
}

#[test]
fn equal_work_has_equal_keys() {
    use musher_graph_core::Collection;
    let frame = frame();
    let twice = [0, 1].map(|_| {
        let frame = frame.filter(col("int").gt(lit(1))).unwrap().select([col("int")]).unwrap();
        frame.sum().unwrap().port().key()
    });
    assert_eq!(twice[0], twice[1]);
    let other = frame.filter(col("int").gt(lit(2))).unwrap().select([col("int")]).unwrap();
    assert_ne!(other.sum().unwrap().port().key(), twice[0]);
}
