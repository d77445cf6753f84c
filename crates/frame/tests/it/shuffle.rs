//! Rows shuffled by keys: nothing is lost, equal keys meet, order is kept, everywhere the same.

use std::collections::HashMap;
use std::sync::Arc;

use musher_frame::polars::prelude::*;
use musher_frame::{Error, Frame, Order};
use musher_graph_core::Scatter;
use musher_scheduler::{Compute, Options, SpillDir, SpillOptions, compute_with};

use crate::support::{assert_same, layouts, options, table};

/// The partitions one by one.
fn parts(frame: &Frame, options: &Options) -> Vec<DataFrame> {
    compute_with(frame.to_delayed().as_slice(), options).unwrap()
}

/// The table with the number of each row.
fn numbered(n: i64) -> DataFrame {
    let mut table = table(n);
    table.with_column(Column::new("row".into(), (0..n).collect::<Vec<_>>())).unwrap();
    table
}

/// The texts of the keys of each row; NaN is "NaN".
fn keys(table: &DataFrame, names: &[&str]) -> Vec<String> {
    let text = |row| names.iter().map(move |name| table.column(name).unwrap().get(row).unwrap().to_string());
    (0..table.height()).map(|row| text(row).collect::<Vec<_>>().join("|")).collect()
}

#[test]
fn rows_are_kept_in_order_and_equal_keys_meet() {
    for whole in [numbered(40), numbered(1), numbered(0)] {
        for names in [&["key"][..], &["float"], &["flag", "small"], &["text", "int", "float"]] {
            for n in [1, 2, 3, 7, 50] {
                let mut target_of = HashMap::new();
                for (layout, frame) in layouts(&whole) {
                    let by: Vec<Expr> = names.iter().map(|name| col(*name)).collect();
                    let shuffled = frame.shuffle(by, n).unwrap();
                    assert_eq!(shuffled.n_partitions(), n);
                    let parts = parts(&shuffled, &Options::default().threads(2));
                    for (target, part) in parts.iter().enumerate() {
                        assert_eq!(part.schema(), whole.schema());
                        let rows: Vec<i64> =
                            part.column("row").unwrap().i64().unwrap().iter().flatten().collect();
                        // Partitions are in order, so their rows in order are rows in rising order.
                        assert!(rows.is_sorted(), "{layout}: {rows:?}");
                        for key in keys(part, names) {
                            // The same whatever the layout.
                            assert_eq!(
                                *target_of.entry(key.clone()).or_insert(target),
                                target,
                                "{layout}: {key}"
                            );
                        }
                    }
                    let all = shuffled.sort([col("row")], Order::Ascending).unwrap();
                    assert_same(&all.compute().unwrap(), &whole, &layout);
                }
            }
        }
    }
}

/// Where a key goes is part of checkpoints and of what other processes made: it may never change.
#[test]
fn a_key_goes_to_the_same_partition_for_ever() {
    let targets = |column: Column| {
        let n_rows = column.len() as i64;
        let row = Column::new("row".into(), (0..n_rows).collect::<Vec<_>>());
        let frame =
            Frame::from(DataFrame::new(column.len(), vec![column.with_name("key".into()), row]).unwrap());
        let mut found = vec![0; n_rows as usize];
        for (target, part) in
            parts(&frame.shuffle([col("key")], 1000).unwrap(), &Options::default()).iter().enumerate()
        {
            let rows = part.column("row").unwrap().i64().unwrap();
            rows.iter().flatten().for_each(|row| found[row as usize] = target);
        }
        found
    };
    let column = |series: Series| series.into_column();
    let mut scatter = Scatter::new(1000);
    let integers = [Some(0_i64), Some(1), Some(-1), Some(i64::MAX), None];
    let found = targets(column(Series::new("".into(), integers)));
    let expected = integers.map(|value| match value {
        Some(value) => scatter.target_of(&(1_u8, value)),
        None => scatter.target_of(&0_u8),
    });
    assert_eq!(found, expected);
    // Written down once: what a key writes, and its hash.
    assert_eq!(found, [192, 626, 326, 726, 766]);
    let floats = [0.0, -0.0, 1.5, f64::NAN, -f64::NAN, f64::INFINITY];
    let found = targets(column(Series::new("".into(), floats)));
    let bits = [0, 0, 1.5_f64.to_bits(), 0x7ff8 << 48, 0x7ff8 << 48, f64::INFINITY.to_bits()];
    assert_eq!(found, bits.map(|bits| scatter.target_of(&(1_u8, bits))));
    let texts = ["", "a", "musher", "ä"];
    let found = targets(column(Series::new("".into(), texts)));
    assert_eq!(found, texts.map(|text| scatter.target_of(&(1_u8, text))));
}

#[test]
fn keys_of_all_types_that_have_a_hash() {
    let numbers = || Series::new("x".into(), [Some(3_i64), None, Some(1), Some(3), Some(0), Some(1)]);
    let texts = Series::new("x".into(), [Some("b"), None, Some("a"), Some("b"), Some(""), Some("a")]);
    let zone = DataType::Datetime(TimeUnit::Milliseconds, Some(TimeZone::UTC));
    let mut keys = vec![texts.clone(), texts.cast(&DataType::Binary).unwrap()];
    keys.push(texts.cast(&DataType::from_categories(Categories::global())).unwrap());
    for dtype in [
        DataType::Boolean,
        DataType::UInt8,
        DataType::Int128,
        DataType::Float32,
        DataType::Date,
        DataType::Time,
        DataType::Duration(TimeUnit::Nanoseconds),
        zone,
        DataType::Decimal(20, 2),
        DataType::Null,
    ] {
        let typed = numbers().cast(&dtype);
        keys.push(typed.unwrap_or_else(|_| Series::new_null("x".into(), 6)));
    }
    for key in keys {
        let dtype = key.dtype().clone();
        let whole = DataFrame::new(6, vec![key.into_column(), Column::new("row".into(), 0..6_i64)]).unwrap();
        let frame = Frame::from_polars(whole.clone(), 4).unwrap();
        let spilled = SpillDir::new(SpillOptions::default().in_memory(0));
        for options in
            [Options::default(), Options::default().memory_limit("64MiB").spill_to(Arc::new(spilled))]
        {
            let parts = parts(&frame.shuffle([col("x")], 5).unwrap(), &options);
            let distinct: usize =
                parts.iter().map(|part| part.column("x").unwrap().n_unique().unwrap_or(0)).sum();
            let expected = whole.column("x").unwrap().n_unique().unwrap();
            assert_eq!(distinct, expected, "{dtype}: a key is in two partitions");
            let all = parts.iter().skip(1).fold(parts[0].clone(), |all, part| all.vstack(part).unwrap());
            assert_same(
                &all.sort(["row"], SortMultipleOptions::default()).unwrap(),
                &whole,
                &dtype.to_string(),
            );
        }
    }
}

#[test]
fn a_shuffle_has_the_same_bits_on_every_scheduler_and_from_the_disk() {
    let whole = numbered(300);
    let frame = Frame::from_polars(whole, 7).unwrap();
    let shuffled = frame.shuffle([col("key"), col("int") + lit(1)], 5).unwrap();
    let expected = parts(&shuffled, &Options::sequential());
    for (number, options) in options().into_iter().enumerate() {
        let disk = Arc::new(SpillDir::new(SpillOptions::default().in_memory(0)));
        let limited = options.clone().memory_limit("64MiB").spill_to(disk.clone());
        for (found, expected) in parts(&shuffled, &options).iter().zip(&expected) {
            assert_same(found, expected, &format!("{options:?}"));
        }
        for (found, expected) in parts(&shuffled, &limited).iter().zip(&expected) {
            assert_same(found, expected, &format!("{options:?}, from the disk"));
        }
        assert!(disk.counts().written > 0, "run {number} wrote no piece");
    }
}

#[test]
fn keys_that_cannot_be_hashed_are_refused() {
    let lists =
        Series::new("list".into(), [Series::new("".into(), [1_i64]), Series::new("".into(), [2_i64])]);
    let frame =
        Frame::from(DataFrame::new(2, vec![lists.into_column(), Column::new("x".into(), [1, 2])]).unwrap());
    let error = frame.shuffle([col("x"), col("list")], 2).unwrap_err();
    assert!(matches!(&error, Error::NoHash { expression, .. } if expression == "list"), "{error:?}");
    assert!(error.to_string().contains("the key list is list[i64], which is not hashed"), "{error}");
    assert!(error.to_string().contains("shuffle.rs"), "{error}");
    assert!(matches!(frame.shuffle([col("x")], 0), Err(Error::Zero { what: "n_partitions", .. })));
    assert!(matches!(frame.shuffle([], 2), Err(Error::Zero { what: "the number of keys", .. })));
    assert!(matches!(frame.shuffle([col("x").sum()], 2), Err(Error::NotRowWise { .. })));
    assert!(matches!(frame.shuffle([col("y")], 2), Err(Error::Expression { .. })));
    // Lists that are no keys travel along.
    let moved = frame.shuffle([col("x")], 3).unwrap().sort([col("x")], Order::Ascending).unwrap();
    assert!(moved.compute().unwrap().equals(&frame.compute().unwrap()));
}
