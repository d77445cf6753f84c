//! Frames that know by which column they are sorted, and what is read of them.

use musher_frame::polars::prelude::*;
use musher_frame::{Error, Frame, How, Order};
use musher_scheduler::Compute;

use crate::support::{assert_same, layouts};

/// Rows sorted by days with gaps and repeats.
fn table(n: i32) -> DataFrame {
    let days: Vec<i32> = (0..n).map(|i| 15_000 + i * i / 7).collect();
    let day = Series::new("day".into(), days).cast(&DataType::Date).unwrap();
    let x = Series::new("x".into(), (0..n).collect::<Vec<_>>());
    DataFrame::new_infer_height(vec![day.into_column(), x.into_column()]).unwrap()
}

fn date(day: i32) -> Expr {
    lit(Scalar::new(DataType::Date, AnyValue::Date(day)))
}

#[test]
fn ranges_of_a_sorted_column_equal_polars_and_read_what_they_need() {
    let table = table(60);
    for (layout, frame) in layouts(&table) {
        let frame = frame.sorted_by("day").unwrap();
        let divisions = frame.divisions().unwrap();
        assert_eq!((divisions.len(), divisions.name().as_str()), (frame.n_partitions() + 1, "day"));
        assert_eq!(divisions.dtype(), &DataType::Date);
        for (from, to) in
            [(15_000, 15_001), (15_020, 15_200), (14_000, 15_100), (15_300, 20_000), (0, 1), (15_003, 15_003)]
        {
            let chosen = col("day").gt_eq(date(from)).and(col("day").lt(date(to)));
            let expected = table.clone().lazy().filter(chosen).collect().unwrap();
            let found = frame.filter_range(date(from), date(to)).unwrap();
            assert_same(&found.compute().unwrap(), &expected, &format!("{layout} {from} {to}"));
        }
    }
    let frame = Frame::from_polars(table, 10).unwrap().sorted_by("day").unwrap();
    assert_eq!(frame.filter_range(date(15_000), date(15_001)).unwrap().n_partitions(), 1);
    assert_eq!(frame.filter_range(date(0), date(1)).unwrap().n_partitions(), 1);
    let some = frame.filter_range(date(15_100), date(15_200)).unwrap();
    assert!((2..5).contains(&some.n_partitions()), "{}", some.n_partitions());
    // A range of a range.
    assert_eq!(some.filter_range(date(15_100), date(15_101)).unwrap().n_partitions(), 1);
}

#[test]
fn what_keeps_rows_and_column_keeps_the_order() {
    let frame = Frame::from_polars(table(30), 4).unwrap().sorted_by("day").unwrap();
    let names = df!("x" => [1, 2, 3], "name" => ["a", "b", "c"]).unwrap();
    for kept in [
        frame.filter(col("x").gt(lit(3))).unwrap(),
        frame.filter(col("x").gt(col("x").shift(lit(1)))).unwrap(),
        frame.with_columns([(col("x") + lit(1)).alias("y")]).unwrap(),
        frame.select([all().as_expr()]).unwrap(),
        frame.select([col("x") * lit(2), col("day")]).unwrap(),
        frame.drop(["x"]).unwrap(),
        frame.join(names.clone(), [col("x")], [col("x")], How::Inner).unwrap(),
        frame.partitions([1, 3]).unwrap(),
    ] {
        assert!(kept.divisions().is_some());
    }
    for lost in [
        frame.with_columns([col("day").dt().offset_by(lit("-1d"))]).unwrap(),
        frame.select([col("x").alias("day")]).unwrap(),
        frame.select([col("x")]).unwrap(),
        frame.drop(["day"]).unwrap(),
        frame.partitions([3, 1]).unwrap(),
        frame.shuffle([col("x")], 3).unwrap(),
        frame.sort([col("x")], Order::Descending).unwrap(),
        frame.join(Frame::from_polars(names, 2).unwrap(), [col("x")], [col("x")], How::Inner).unwrap(),
        frame.shift(1).unwrap(),
        Frame::concat([&frame, &frame]).unwrap(),
    ] {
        assert!(lost.divisions().is_none());
        assert!(matches!(lost.filter_range(date(0), date(1)), Err(Error::NotSorted { .. })));
    }
}

#[test]
fn periods_hold_their_rows_in_order() {
    let table = table(60);
    for (layout, frame) in layouts(&table) {
        let frame = frame.sorted_by("day").unwrap();
        for every in ["1mo", "2w", "1y", "3mo", "10d"] {
            let periods = frame.repartition_every(every).unwrap();
            assert_same(&periods.compute().unwrap(), &table, &format!("{layout} {every}"));
            let mut last = None;
            for part in 0..periods.n_partitions() {
                let rows = periods.partitions([part]).unwrap().compute().unwrap();
                let starts = rows
                    .lazy()
                    .select([col("day").dt().truncate(lit(every)).unique_stable()])
                    .collect()
                    .unwrap();
                assert!(starts.height() <= 1, "{layout} {every}: {starts}");
                if starts.height() == 1 {
                    let start =
                        starts.columns()[0].as_materialized_series().to_physical_repr().i32().unwrap().get(0);
                    assert!(start > last, "{layout} {every}");
                    last = start;
                }
            }
            let some = periods.filter_range(date(15_100), date(15_150)).unwrap().compute().unwrap();
            let chosen = col("day").gt_eq(date(15_100)).and(col("day").lt(date(15_150)));
            assert_same(&some, &table.clone().lazy().filter(chosen).collect().unwrap(), &layout);
        }
    }
    let times = table
        .clone()
        .lazy()
        .with_columns([col("day").cast(DataType::Datetime(TimeUnit::Milliseconds, Some(TimeZone::UTC)))]);
    let times = times.collect().unwrap();
    let frame = Frame::from_polars(times.clone(), 3).unwrap().sorted_by("day").unwrap();
    assert_same(&frame.repartition_every("7d").unwrap().compute().unwrap(), &times, "times");
    let none = Frame::from_polars(table.head(Some(0)), 2).unwrap().sorted_by("day").unwrap();
    assert_eq!(none.repartition_every("1mo").unwrap().compute().unwrap().height(), 0);
    for every in ["", "mo", "0d", "5", "1quarter", "1d12h", "1h30m"] {
        assert!(matches!(frame.repartition_every(every), Err(Error::Expression { .. })), "{every}");
    }
    let numbers = Frame::from_polars(table, 2).unwrap().sorted_by("x").unwrap();
    assert!(matches!(numbers.repartition_every("1d"), Err(Error::Expression { .. })));
    assert!(matches!(frame.repartition_every("1us"), Err(Error::Expression { .. })));
}

#[test]
fn what_is_not_sorted_is_refused_with_its_partition() {
    let frame = |values: &[Option<i32>]| Frame::from_polars(df!("x" => values).unwrap(), 3).unwrap();
    let partition = |values: &[Option<i32>]| match frame(values).sorted_by("x") {
        Err(Error::Unsorted { partition, .. }) => Some(partition),
        _ => None,
    };
    assert_eq!(partition(&[Some(1), Some(2), Some(2), Some(3), Some(5), Some(4)]), Some(2));
    assert_eq!(partition(&[Some(1), Some(4), Some(2), Some(3), Some(5), Some(6)]), Some(1));
    assert_eq!(partition(&[Some(1), None, Some(2), Some(3), Some(5), Some(6)]), Some(0));
    assert_eq!(partition(&[Some(1), Some(1), Some(1), Some(3), Some(3), Some(6)]), None);
    // The value before an empty partition counts.
    let parts =
        [df!("x" => [5]).unwrap(), df!("x" => [0; 0]).unwrap(), df!("x" => [4]).unwrap()].map(Frame::from);
    assert!(matches!(
        Frame::concat(&parts).unwrap().sorted_by("x"),
        Err(Error::Unsorted { partition: 2, .. })
    ));
    assert!(matches!(frame(&[]).sorted_by("y"), Err(Error::NoColumn { .. })));
    let fails = |_: DataFrame| Err::<DataFrame, _>("on purpose");
    let failing =
        frame(&[Some(1)]).map_partitions(fails, frame(&[]).schema().clone()).sorted_by("x").unwrap_err();
    assert!(matches!(failing, Error::Run { .. }), "{failing:?}");
}
