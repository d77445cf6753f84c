//! Rows in order over many partitions, against polars on the whole table.

use musher_frame::polars::prelude::*;
use musher_frame::{Frame, Order};
use musher_scheduler::Compute;

use crate::support::{assert_same, check, layouts, options, table};

fn sorted(table: &DataFrame, by: &[Expr], order: Order) -> DataFrame {
    let options = SortMultipleOptions::default()
        .with_order_descending(order == Order::Descending)
        .with_nulls_last(true)
        .with_maintain_order(true);
    table.clone().lazy().sort_by_exprs(by, options).collect().unwrap()
}

#[test]
fn rows_of_all_types_of_keys_stand_in_the_order_of_polars() {
    let keys = [
        vec![col("int")],
        vec![col("float")],
        vec![col("text")],
        vec![col("flag"), col("key")],
        vec![col("key"), col("int"), col("float")],
        vec![-col("small")],
        vec![col("text").str().len_chars(), col("float") * lit(0.0)],
        vec![lit(1) + col("int") * lit(0)],
    ];
    for table in [table(60), table(7), table(1), table(0)] {
        for by in &keys {
            for order in [Order::Ascending, Order::Descending] {
                check(&table, &sorted(&table, by, order), |frame| frame.sort(by, order));
            }
        }
    }
}

#[test]
fn partitions_hold_ranges_of_keys_of_about_equal_lengths() {
    let n = 4000_i64;
    let numbers = (0..n).map(|i| i * 7919 % n).collect::<Vec<_>>();
    let frame = Frame::from_polars(df!("x" => numbers).unwrap(), 8).unwrap();
    let sorted = frame.sort([col("x")], Order::Ascending).unwrap();
    assert_eq!(sorted.n_partitions(), 8);
    for part in 0..8 {
        let rows = sorted.partitions([part]).unwrap().compute().unwrap();
        assert!((400..600).contains(&rows.height()), "{part}: {}", rows.height());
        let rows: Vec<_> = rows.column("x").unwrap().i64().unwrap().iter().flatten().collect();
        assert!(rows.is_sorted());
    }
    // One key for nearly all.
    let frame = Frame::from_polars(
        df!("x" => (0..n).map(|i| i64::from(i % 100 == 0) * i).collect::<Vec<_>>()).unwrap(),
        5,
    );
    let rows = frame.unwrap().sort([col("x")], Order::Descending).unwrap().compute().unwrap();
    assert_eq!(rows.column("x").unwrap().i64().unwrap().get(0), Some(3900));
    assert_eq!(rows.height(), 4000);
}

#[test]
fn zeros_nan_dates_decimals_and_bytes_have_one_order() {
    let floats = [0.0, -0.0, f64::NAN, -1.0, 0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, -f64::NAN];
    let numbers = Series::new("x".into(), [3_i64, -1, 7, 0, 2, 2, 9, -8, 5]);
    for x in [
        Series::new("x".into(), floats),
        Series::new("x".into(), floats.map(|x| x as f32)),
        numbers.cast(&DataType::Date).unwrap(),
        numbers.cast(&DataType::Decimal(20, 2)).unwrap(),
        numbers.cast(&DataType::Int128).unwrap(),
        Series::new("x".into(), [b"b".as_slice(), b"", b"a", b"ab", b"\xff", b"a", b"\x00", b"b", b"c"]),
        numbers
            .cast(&DataType::String)
            .unwrap()
            .cast(&DataType::from_categories(Categories::global()))
            .unwrap(),
    ] {
        let row = Series::new("row".into(), (0..9).collect::<Vec<i32>>());
        let table = DataFrame::new_infer_height(vec![x.into_column(), row.into_column()]).unwrap();
        for order in [Order::Ascending, Order::Descending] {
            let by = [col("x")];
            check(&table, &sorted(&table, &by, order), |frame| frame.sort(&by, order));
        }
    }
}

#[test]
fn one_pattern_of_bits() {
    for (layout, frame) in layouts(&table(60)) {
        let sorted = frame.sort([col("key"), col("float")], Order::Ascending).unwrap();
        let expected = sorted.compute().unwrap();
        for options in options() {
            assert_same(&sorted.compute_with(&options).unwrap(), &expected, &format!("{layout} {options:?}"));
        }
    }
}
