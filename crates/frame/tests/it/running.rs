//! Running answers over partitions are those of polars over one table.

use musher_frame::polars::prelude::*;
use musher_frame::{Error, Frame};
use musher_scheduler::Compute;

use crate::support::{assert_close, assert_same, cause, check, layouts, options, table};

/// Names, polars' function, and the type of results that differ from polars'.
type Case = (&'static str, fn(Expr) -> Expr, fn(&DataType) -> DataType);

const CASES: [Case; 5] = [
    (
        "cum_sum",
        |x| x.cum_sum(false),
        |dtype| if dtype.is_float() || *dtype == DataType::UInt64 { dtype.clone() } else { DataType::Int64 },
    ),
    (
        "cum_prod",
        |x| x.cum_prod(false),
        |dtype| if dtype.is_float() { dtype.clone() } else { DataType::Int64 },
    ),
    ("cum_min", |x| x.cum_min(false), DataType::clone),
    ("cum_max", |x| x.cum_max(false), DataType::clone),
    ("cum_count", |x| x.cum_count(false), |_| DataType::Int64),
];

fn running(frame: &Frame, name: &str, columns: &[&'static str]) -> Result<Frame, Error> {
    let columns = columns.iter().copied();
    match name {
        "cum_sum" => frame.cum_sum(columns),
        "cum_prod" => frame.cum_prod(columns),
        "cum_min" => frame.cum_min(columns),
        "cum_max" => frame.cum_max(columns),
        _ => frame.cum_count(columns),
    }
}

#[test]
fn running_answers_equal_polars() {
    for table in [table(40), table(3), table(1), table(0)] {
        for (name, polars, result) in CASES {
            // Products of these stay within 64 bits: most are 0 or 1.
            let columns = if name == "cum_prod" { vec!["flag"] } else { vec!["int", "small", "flag"] };
            let expected = |column: &&'static str| {
                let dtype = table.column(column).unwrap().dtype();
                let wide = if name == "cum_sum" { col(*column).cast(DataType::Int64) } else { col(*column) };
                polars(wide).cast(result(dtype)).alias(*column)
            };
            let expected =
                table.clone().lazy().with_columns(columns.iter().map(expected).collect::<Vec<_>>());
            check(&table, &expected.collect().unwrap(), |frame| running(frame, name, &columns));
        }
    }
}

#[test]
fn floats_with_nan_and_infinity_equal_polars() {
    let hostile = [
        vec![
            None,
            Some(f64::NAN),
            Some(2.0),
            Some(-0.0),
            Some(0.0),
            None,
            Some(f64::INFINITY),
            Some(1e-300),
            Some(-3.0),
        ],
        vec![Some(f64::NAN), Some(f64::NAN), Some(1.5), None, Some(f64::NAN), Some(0.5)],
        vec![Some(1e300), Some(1e300), Some(-1e300), Some(f64::NEG_INFINITY), Some(f64::INFINITY), Some(1.0)],
        vec![None, None, None],
        table(40)
            .column("float")
            .unwrap()
            .f64()
            .unwrap()
            .iter()
            .filter(|x| x.is_none_or(|x| !x.is_nan()))
            .collect(),
    ];
    for values in hostile {
        for dtype in [DataType::Float64, DataType::Float32] {
            let whole = Series::new("x".into(), &values).cast(&dtype).unwrap().into_frame();
            for (name, polars, result) in CASES {
                let expected =
                    whole.clone().lazy().select([polars(col("x")).cast(result(&dtype))]).collect().unwrap();
                for (layout, frame) in layouts(&whole) {
                    let found = running(&frame, name, &["x"]).unwrap().compute().unwrap();
                    assert_eq!(found.schema(), expected.schema());
                    // A sum over several partitions is rounded in another order.
                    let tolerance = if dtype == DataType::Float32 { 1e-6 } else { 1e-14 };
                    assert_close(&found, &expected, tolerance);
                    assert_eq!(found.height(), whole.height(), "{layout} {name}");
                }
            }
        }
    }
}

#[test]
fn all_types_that_have_running_answers() {
    let numbers = Series::new("x".into(), [Some(3_i64), None, Some(1), Some(7), Some(0), Some(5)]);
    let zone = DataType::Datetime(TimeUnit::Milliseconds, Some(TimeZone::UTC));
    let micro = DataType::Duration(TimeUnit::Microseconds);
    let ordered = [
        DataType::Int8,
        DataType::UInt64,
        DataType::Int128,
        DataType::Date,
        DataType::Time,
        zone,
        micro.clone(),
        DataType::Decimal(10, 2),
    ];
    for dtype in ordered {
        let whole = numbers.cast(&dtype).unwrap().into_frame();
        for (name, polars, result) in
            CASES.into_iter().filter(|(name, ..)| matches!(*name, "cum_min" | "cum_max" | "cum_count"))
        {
            let expected =
                whole.clone().lazy().select([polars(col("x")).cast(result(&dtype))]).collect().unwrap();
            check(&whole, &expected, |frame| running(frame, name, &["x"]));
        }
    }
    for dtype in [DataType::UInt64, DataType::Int128, micro, DataType::Decimal(10, 2)] {
        let whole = numbers.cast(&dtype).unwrap().into_frame();
        let expected = whole.clone().lazy().select([col("x").cum_sum(false)]).collect().unwrap();
        check(&whole, &expected, |frame| frame.cum_sum(["x"]));
    }
    let texts = Frame::from(df!("x" => ["b", "a"], "y" => [1, 2]).unwrap());
    assert!(matches!(texts.cum_sum(["x"]), Err(Error::NotNumeric { .. })));
    assert!(matches!(texts.cum_sum([]), Err(Error::NotNumeric { .. })));
    assert!(matches!(texts.cum_prod(["x"]), Err(Error::NotNumeric { .. })));
    assert!(matches!(texts.cum_min(["x"]), Err(Error::Expression { .. })));
    assert!(matches!(texts.cum_max(["z"]), Err(Error::NoColumn { .. })));
    let named_twice = texts.cum_sum(["y", "y"]).unwrap().compute().unwrap();
    assert_same(&named_twice, &df!("x" => ["b", "a"], "y" => [1_i64, 3]).unwrap(), "named twice");
}

#[test]
fn integers_are_exact_or_an_error() {
    let largest = [i64::MAX, 0, -5, 5];
    for n in 1..5 {
        let frame = |values: &[i64]| Frame::from_polars(df!("x" => values).unwrap(), n).unwrap();
        let sums = frame(&largest).cum_sum(["x"]).unwrap().compute().unwrap();
        assert_same(&sums, &df!("x" => [i64::MAX, i64::MAX, i64::MAX - 5, i64::MAX]).unwrap(), "sums");
        let error = frame(&[i64::MAX, 0, 1, -1]).cum_sum(["x"]).unwrap().compute().unwrap_err();
        match cause(&error) {
            Error::IntegerOverflow { expression, value, dtype } => {
                assert_eq!(
                    (expression.as_str(), *value, dtype),
                    ("cum_sum(\"x\")", 1 << 63, &DataType::Int64)
                );
            }
            other => panic!("{other:?}"),
        }
        let products = frame(&[1 << 31, -(1 << 32), 1, 0, i64::MAX, i64::MIN])
            .cum_prod(["x"])
            .unwrap()
            .compute()
            .unwrap();
        assert_same(&products, &df!("x" => [1 << 31, i64::MIN, i64::MIN, 0, 0, 0]).unwrap(), "products");
        let error = frame(&[1 << 31, 1 << 32, 0]).cum_prod(["x"]).unwrap().compute().unwrap_err();
        assert!(
            matches!(cause(&error), Error::IntegerOverflow { value, .. } if *value == 1 << 63),
            "{error:?}"
        );
    }
    let large = Frame::from_polars(df!("x" => [u64::MAX - 1, 1]).unwrap(), 2).unwrap();
    assert_same(
        &large.cum_sum([]).unwrap().compute().unwrap(),
        &df!("x" => [u64::MAX - 1, u64::MAX]).unwrap(),
        "u64",
    );
    assert!(matches!(
        cause(&large.cum_prod([]).unwrap().compute().unwrap_err()),
        Error::IntegerOverflow { .. }
    ));
}

#[test]
fn one_pattern_of_bits_and_steps_fuse() {
    for (layout, frame) in layouts(&table(60)) {
        let kept = frame.filter(col("float").is_not_null().and(col("float").is_not_nan())).unwrap();
        let sums = kept
            .cum_sum(["float", "int"])
            .unwrap()
            .with_columns([col("float").shift(lit(1)).alias("before")])
            .unwrap();
        let expected = sums.compute().unwrap();
        let last: i64 = table(60)
            .lazy()
            .filter(col("float").is_not_null().and(col("float").is_not_nan()))
            .select([col("int").sum()])
            .collect()
            .unwrap()
            .column("int")
            .unwrap()
            .i64()
            .unwrap()
            .get(0)
            .unwrap();
        assert_eq!(
            expected.column("int").unwrap().i64().unwrap().iter().flatten().last(),
            Some(last),
            "{layout}"
        );
        for options in options() {
            assert_same(&sums.compute_with(&options).unwrap(), &expected, &format!("{layout} {options:?}"));
        }
    }
}
