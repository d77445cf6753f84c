//! Two frames at once, against polars on whole tables.

use musher_frame::polars::prelude::*;
use musher_frame::{Error, Frame, How};
use musher_scheduler::Compute;

use crate::support::{assert_same, cause, check, layouts, options, table};

fn lazy(table: &DataFrame) -> LazyFrame {
    table.clone().lazy()
}

const HOWS: [How; 6] = [How::Inner, How::Left, How::Right, How::Full, How::Semi, How::Anti];

fn right(n: i64) -> DataFrame {
    lazy(&table(n)).select([col("int"), col("key"), col("float").alias("weight")]).collect().unwrap()
}

fn joined(left: &DataFrame, right: &DataFrame, on: &[&str], how: How) -> DataFrame {
    let on: Vec<Expr> = on.iter().map(|name| col(*name)).collect();
    lazy(left).join(lazy(right), &on, &on, JoinArgs::new(how.into())).collect().unwrap()
}

/// The rows in one order, whatever they stood in.
fn sorted(table: &DataFrame) -> DataFrame {
    let names: Vec<PlSmallStr> = table.get_column_names_owned();
    table.sort(names, SortMultipleOptions::default().with_nulls_last(true)).unwrap()
}

#[test]
fn joins_of_many_partitions_equal_polars() {
    for (left, right) in
        [(table(30), right(12)), (table(7), right(40)), (table(0), right(5)), (table(5), right(0))]
    {
        for on in [vec!["int"], vec!["int", "key"]] {
            for how in HOWS {
                let expected = sorted(&joined(&left, &right, &on, how));
                let keys: Vec<Expr> = on.iter().map(|name| col(*name)).collect();
                for (layout, frame) in layouts(&left) {
                    for n in [1, 2, 5] {
                        let right = Frame::from_polars(right.clone(), n).unwrap();
                        let found = frame.join(&right, &keys, &keys, how).unwrap();
                        let table = found.compute().unwrap();
                        let what = format!("{layout}, {n}, {on:?} {how:?}");
                        assert_eq!(found.schema(), table.schema(), "{what}");
                        assert_same(&sorted(&table), &expected, &what);
                    }
                }
            }
        }
    }
}

#[test]
fn keys_of_other_names_and_computed_ones() {
    let left = table(25);
    let right = df!("number" => [1_i64, 4, -5, 4], "name" => ["one", "four", "minus five", "vier"]).unwrap();
    for how in [How::Inner, How::Left, How::Right] {
        let args = JoinArgs::new(how.into());
        let expected =
            lazy(&left).join(lazy(&right), [col("int") + lit(1)], [col("number")], args).collect().unwrap();
        for n in [1, 3] {
            let right = Frame::from_polars(right.clone(), n).unwrap();
            let frame = Frame::from_polars(left.clone(), 4).unwrap();
            let found =
                frame.join(&right, [col("int") + lit(1)], [col("number")], how).unwrap().compute().unwrap();
            assert_same(&sorted(&found), &sorted(&expected), &format!("{how:?} {n}"));
        }
    }
}

#[test]
fn one_pattern_of_bits_and_order_within_partitions() {
    let frame = Frame::from_polars(table(60), 5).unwrap().with_row_index("row").unwrap();
    let right = Frame::from_polars(right(30), 4).unwrap();
    let joined = frame.join(&right, [col("key")], [col("key")], How::Left).unwrap();
    assert_eq!(joined.n_partitions(), 5);
    let expected = joined.compute().unwrap();
    for options in options() {
        assert_same(&joined.compute_with(&options).unwrap(), &expected, &format!("{options:?}"));
    }
    for part in 0..5 {
        let rows = joined.partitions([part]).unwrap().compute().unwrap();
        let rows: Vec<_> = rows.column("row").unwrap().u64().unwrap().iter().collect();
        assert!(rows.is_sorted(), "{rows:?}");
    }
}

#[test]
fn keys_without_a_hash_are_refused_where_rows_move() {
    let nested = |n| {
        let table = lazy(&table(10)).with_columns([as_struct(vec![col("int")]).alias("nested")]);
        Frame::from_polars(table.collect().unwrap(), n).unwrap()
    };
    let join = |right| nested(2).join(nested(right), [col("nested")], [col("nested")], How::Inner);
    assert!(join(1).is_ok());
    assert!(matches!(join(2), Err(Error::NoHash { .. })));
}

#[test]
fn every_row_with_every_row() {
    for (left, right) in [(table(9), right(4)), (table(0), right(2)), (table(3), right(0))] {
        let expected = lazy(&left).cross_join(lazy(&right), None).collect().unwrap();
        check(&left, &expected, |frame| frame.cross_join(right.clone()));
        check(&left, &expected, |frame| frame.cross_join(Frame::from_polars(right.clone(), 3)?));
    }
}

#[test]
fn frames_with_other_columns_are_stacked_by_name() {
    let (a, b) = (table(11), right(7));
    let expected = polars_concat(&[a.clone(), b.clone(), a.head(Some(0))]);
    for (layout, frame) in layouts(&a) {
        let b = Frame::from_polars(b.clone(), 3).unwrap();
        let both = Frame::concat_diagonal([&frame, &b, &Frame::from(a.head(Some(0)))]).unwrap();
        assert_eq!(both.schema(), expected.schema());
        assert_same(&both.compute().unwrap(), &expected, &layout);
    }
    let texts = Frame::from(df!("int" => ["a"]).unwrap());
    assert!(matches!(Frame::concat_diagonal([&Frame::from(a), &texts]), Err(Error::Schemas { .. })));
    assert!(matches!(Frame::concat_diagonal([]), Err(Error::Zero { .. })));
}

fn polars_concat(tables: &[DataFrame]) -> DataFrame {
    let args = UnionArgs { diagonal: true, ..UnionArgs::default() };
    concat_lf_diagonal(tables.iter().map(lazy).collect::<Vec<_>>(), args).unwrap().collect().unwrap()
}

#[test]
fn columns_stand_side_by_side() {
    let whole = table(20);
    let left = || whole.select(["int", "key"]).unwrap();
    let other = whole.select(["small", "text"]).unwrap();
    let expected = whole.select(["int", "key", "small", "text"]).unwrap();
    for (layout, frame) in layouts(&left()) {
        if frame.lengths().is_some() {
            for n in [1, 3, 20] {
                let other = Frame::from_polars(other.clone(), n).unwrap();
                let both = Frame::concat_horizontal([&frame, &other]).unwrap();
                assert_same(&both.compute().unwrap(), &expected, &layout);
            }
        }
        let other = frame.select([col("int").alias("more")]).unwrap();
        let both = Frame::concat_horizontal([&frame, &other]).unwrap().compute().unwrap();
        assert!(both.column("more").unwrap().equals_missing(whole.column("int").unwrap()), "{layout}");
    }
    let frame = Frame::from_polars(whole.clone(), 3).unwrap();
    assert!(matches!(Frame::concat_horizontal([&frame, &frame]), Err(Error::Expression { .. })));
    let fewer = Frame::from_polars(df!("x" => [1]).unwrap(), 3).unwrap();
    assert!(matches!(Frame::concat_horizontal([&frame, &fewer]), Err(Error::Heights { left: 20, right: 1 })));
    assert!(matches!(Frame::concat_horizontal([]), Err(Error::Zero { .. })));
    let some = frame.filter(col("int").gt(lit(0))).unwrap().select([col("int").alias("x")]).unwrap();
    let error = Frame::concat_horizontal([&frame, &some]).unwrap().compute().unwrap_err();
    assert!(matches!(cause(&error), Error::Heights { .. }), "{error:?}");
}

#[test]
fn a_function_sees_rows_beside_its_partition() {
    let whole = table(30);
    let sums = |table: DataFrame| {
        let options = RollingOptionsFixedWindow { window_size: 4, min_periods: 1, ..Default::default() };
        table.lazy().select([col("int").rolling_sum(options)]).collect()
    };
    let expected = sums(whole.clone()).unwrap();
    check(&whole, &expected, |frame| Ok(frame.map_overlap(sums, 3, 0, expected.schema().clone())));
    let after = |table: DataFrame| table.lazy().shift(-2).collect();
    let expected = after(whole.clone()).unwrap();
    check(&whole, &expected, |frame| Ok(frame.map_overlap(after, 0, 2, frame.schema().clone())));
    let fewer = |table: DataFrame| Ok::<_, PolarsError>(table.head(Some(1)));
    let frame = Frame::from_polars(whole, 3).unwrap();
    let error = frame.map_overlap(fewer, 1, 1, frame.schema().clone()).compute().unwrap_err();
    assert!(matches!(cause(&error), Error::User { .. }), "{error:?}");
}

#[test]
fn a_partition_is_made_of_each_argument() {
    let schema = || Schema::from_iter([Field::new("x".into(), DataType::Int64)]).into();
    let offset = 10;
    let numbers = Frame::from_map(
        move |n: i64| df!("x" => (0..n).map(|i| i + offset).collect::<Vec<_>>()).unwrap(),
        [2, 0, 1],
        schema(),
    );
    let numbers = numbers.unwrap();
    assert_eq!(numbers.n_partitions(), 3);
    assert_eq!(numbers.compute().unwrap(), df!("x" => [10_i64, 11, 10]).unwrap());
    let none = Frame::from_map(|_: i64| DataFrame::empty(), [], schema());
    assert!(matches!(none, Err(Error::Zero { .. })));
    let wrong = Frame::from_map(|_: i64| DataFrame::empty(), [1], schema()).unwrap().compute().unwrap_err();
    assert!(matches!(cause(&wrong), Error::Declared { .. }), "{wrong:?}");
}
