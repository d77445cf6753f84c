//! Rows at a distance: what partitions see of each other is what polars sees in one table.

use musher_frame::polars::prelude::*;
use musher_frame::polars::series::ops::NullBehavior;
use musher_frame::{Error, Frame};
use musher_scheduler::Compute;

use crate::support::{assert_same, cause, check, layouts, options, table};

fn lazy(table: &DataFrame) -> LazyFrame {
    table.clone().lazy()
}

fn diff(expression: Expr, n: i64) -> Expr {
    expression.diff(lit(n), NullBehavior::Ignore)
}

#[test]
fn whole_frames_are_shifted_as_by_polars() {
    for table in [table(40), table(3), table(1), table(0)] {
        for n in [0, 1, -1, 2, 7, -13, 39, 40, -41, 1000] {
            let expected = lazy(&table).shift(n).collect().unwrap();
            check(&table, &expected, |frame| frame.shift(n));
            let numbers = || [col("int"), col("small"), col("float")];
            let expected = lazy(&table).select(numbers().map(|x| diff(x, n))).collect().unwrap();
            check(&table, &expected, |frame| frame.select(numbers())?.diff(n));
            let expected = lazy(&table).select(numbers()).shift_and_fill(n, 7).collect().unwrap();
            check(&table, &expected, |frame| frame.select(numbers())?.shift_and_fill(n, 7));
        }
    }
}

#[test]
fn expressions_see_rows_of_other_partitions() {
    let back = || col("float").shift(lit(2));
    // Each needs more rows than the one before it, on both sides and through other functions.
    let exprs = || {
        [
            (col("int") - col("int").shift(lit(1))).alias("change"),
            col("int").shift(lit(3)).shift(lit(-3)).alias("there and back"),
            col("int").shift(lit(-3)).shift(lit(4)).alias("and more"),
            diff(diff(col("small"), 1), 2).alias("second"),
            when(col("flag")).then(back()).otherwise(col("float").shift(lit(-5))).alias("either"),
            (col("text").str().len_chars() + col("key").shift(lit(1)).str().len_chars()).alias("chars"),
            col("text").shift_and_fill(lit(6), lit("none")).alias("filled"),
            col("key").shift_and_fill(lit(-2), lit(NULL)).alias("null"),
        ]
    };
    for table in [table(40), table(4), table(0)] {
        check(&table, &lazy(&table).select(exprs()).collect().unwrap(), |frame| frame.select(exprs()));
        check(&table, &lazy(&table).with_columns(exprs()).collect().unwrap(), |frame| {
            frame.with_columns(exprs())
        });
        let grows = || col("int").gt(col("int").shift(lit(1))).and(back().lt(col("float")));
        check(&table, &lazy(&table).filter(grows()).collect().unwrap(), |frame| frame.filter(grows()));
        // Steps before and behind are put into the same tasks.
        let steps = |lazy: LazyFrame| {
            let kept = lazy.filter(col("flag").is_not_null()).with_columns([diff(col("int"), 1).alias("d")]);
            kept.filter(col("d").gt(lit(0)))
                .with_columns([col("d").shift(lit(-1)).alias("next")])
                .select([col("next"), col("key")])
        };
        check(&table, &steps(lazy(&table)).collect().unwrap(), |frame| {
            let kept =
                frame.filter(col("flag").is_not_null())?.with_columns([diff(col("int"), 1).alias("d")])?;
            let next =
                kept.filter(col("d").gt(lit(0)))?.with_columns([col("d").shift(lit(-1)).alias("next")])?;
            next.select([col("next"), col("key")])
        });
    }
}

#[test]
fn all_partitions_may_be_shorter_than_the_distance() {
    let whole = table(23);
    for cuts in 0..64_u32 {
        // Partitions of 0 to 3 rows, of lengths that are known or not.
        let mut parts = Vec::new();
        let mut start = 0;
        for part in 0_u32.. {
            let length = ((cuts.wrapping_mul(2_654_435_761) >> (part % 13)) % 4) as usize;
            let length = length.min(23 - start).max(usize::from(part > 40));
            parts.push(Frame::from(whole.slice(start as i64, length)));
            start += length;
            if start == 23 {
                break;
            }
        }
        let known = Frame::concat(&parts).unwrap();
        let unknown = Frame::from_delayed(known.to_delayed(), known.schema().clone()).unwrap();
        let n = [1, -2, 5, -9, 22][cuts as usize % 5];
        let expected = lazy(&whole).shift(n).collect().unwrap();
        for frame in [known, unknown] {
            assert_same(&frame.shift(n).unwrap().compute().unwrap(), &expected, &format!("{cuts} {n}"));
        }
    }
}

#[test]
fn types_with_and_without_differences() {
    let numbers = Series::new("x".into(), [Some(3_i64), None, Some(1), Some(100), Some(0)]);
    let zone = DataType::Datetime(TimeUnit::Milliseconds, Some(TimeZone::UTC));
    for dtype in [
        DataType::UInt8,
        DataType::UInt64,
        DataType::Date,
        zone,
        DataType::Duration(TimeUnit::Nanoseconds),
        DataType::Float32,
    ] {
        let whole = numbers.cast(&dtype).unwrap().into_frame();
        let expected =
            lazy(&whole).select([diff(col("x"), 2), col("x").shift(lit(-1)).alias("y")]).collect().unwrap();
        check(&whole, &expected, |frame| {
            frame.select([diff(col("x"), 2), col("x").shift(lit(-1)).alias("y")])
        });
    }
    let texts = Series::new("x".into(), ["b", "a", "b", "c", "a"]);
    let categories = texts.cast(&DataType::from_categories(Categories::global())).unwrap();
    let lists = Series::new(
        "x".into(),
        (0..5).map(|n| Series::new("".into(), vec![n as i64; n])).collect::<Vec<_>>(),
    );
    // polars cannot fill categories of a table that is shorter than the distance, and a partition may be such a table.
    let whole = categories.clone().into_frame();
    assert!(lazy(&whole).shift_and_fill(6, lit("c")).collect().is_err());
    let expected = lazy(&whole).shift_and_fill(1, lit("c")).collect().unwrap();
    let halves = Frame::from_polars(whole.clone(), 2).unwrap();
    assert_same(&halves.shift_and_fill(1, lit("c")).unwrap().compute().unwrap(), &expected, "categories");
    let error = halves.shift_and_fill(4, lit("c")).unwrap().compute().unwrap_err();
    assert!(matches!(cause(&error), Error::Polars { .. }), "{error:?}");
    for values in [texts.clone(), categories, lists] {
        let whole = values.into_frame();
        check(&whole, &lazy(&whole).shift(2).collect().unwrap(), |frame| frame.shift(2));
    }
    let frame = Frame::from(texts.into_frame());
    assert!(matches!(frame.diff(1), Err(Error::Expression { .. })));
    assert!(matches!(frame.shift(1 << 40), Err(Error::NotRowWise { .. })));
    let filled = frame.shift_and_fill(1, col("x").first());
    assert!(matches!(filled, Err(Error::NotRowWise { .. })), "{filled:?}");
    for expression in [col("x").shift(col("x").len()), diff(col("x").len(), 1)] {
        assert!(matches!(frame.with_columns([expression.alias("y")]), Err(Error::NotRowWise { .. })));
    }
    let first = frame.with_columns([col("x").shift(lit(1)).first().alias("y")]);
    assert!(matches!(first, Err(Error::NotDecomposable { .. })));
    assert!(matches!(
        frame.sort([col("x").shift(lit(1))], musher_frame::Order::Ascending),
        Err(Error::NotRowWise { .. })
    ));
}

#[test]
fn of_neighbors_only_the_ends_are_read_and_only_the_columns_that_are_needed() {
    let directory = tempfile::tempdir().unwrap();
    for part in 0..6_i64 {
        let file = std::fs::File::create(directory.path().join(format!("{part}.parquet"))).unwrap();
        ParquetWriter::new(file).finish(&mut table(500)).unwrap();
    }
    let frame = Frame::read_parquet(directory.path()).unwrap();
    let shifted = frame.select([col("int").shift(lit(1))]).unwrap();
    // A partition reads its own file and the one before it.
    let reads = |frame: &Frame| frame.explain().unwrap().bytes_read();
    assert_eq!(3 * reads(&shifted.partitions([4]).unwrap()), reads(&shifted));
    assert!(2 * reads(&shifted) < reads(&frame), "{} {}", reads(&shifted), reads(&frame));
    let all: Vec<DataFrame> = (0..6).map(|_| table(500)).collect();
    let all = all.iter().skip(1).fold(all[0].clone(), |all, part| all.vstack(part).unwrap());
    let expected = lazy(&all).select([col("int").shift(lit(1))]).collect().unwrap();
    assert_same(&shifted.compute().unwrap(), &expected, "files");
}

#[test]
fn one_pattern_of_bits() {
    for (layout, frame) in layouts(&table(60)) {
        let shifted =
            frame.select([diff(col("float"), 3), col("float").shift(lit(-4)).alias("next")]).unwrap();
        let expected = shifted.compute().unwrap();
        for options in options() {
            assert_same(
                &shifted.compute_with(&options).unwrap(),
                &expected,
                &format!("{layout} {options:?}"),
            );
        }
    }
}
