//! The split: exact counts, rows that stay together, and no dependence on chunks.

use std::collections::BTreeSet;

use musher_ml::Error;
use musher_ml::prelude::*;
use musher_testkit::chunkings;
use ndarray::{Array1, Array2, Array3};

use crate::schedulers;

/// Row `i` is full of `i`.
fn numbered(n: usize) -> (Array2<f64>, Array1<i64>) {
    (Array2::from_shape_fn((n, 3), |(i, _)| i as f64), Array1::from_iter(0..n as i64))
}

#[test]
fn every_chunking_gives_the_same_split() {
    let (data, targets) = numbered(8);
    let whole = {
        let (x, y) = (Array::from_array(data.clone(), 8), Array::from_array(targets.clone(), 8));
        train_test_split(&x, &y, TestPart::rows(3).seed(4)).unwrap()
    };
    let expected = (whole.x_train.compute().unwrap(), whole.x_test.compute().unwrap());
    for lengths in chunkings(8) {
        for widths in chunkings(3) {
            let x = Array::from_array(data.clone(), vec![lengths.clone(), widths]);
            let y =
                Array::from_array(targets.clone(), vec![lengths.iter().rev().copied().collect::<Vec<_>>()]);
            let split = train_test_split(&x, &y, TestPart::rows(3).seed(4)).unwrap();
            let options = Options::sequential();
            let (train, test) =
                (split.x_train.compute_with(&options).unwrap(), split.x_test.compute_with(&options).unwrap());
            assert_eq!((&train, &test), (&expected.0, &expected.1), "{lengths:?}");
            let rows = |x: &Array2<f64>| x.column(0).iter().map(|row| *row as i64).collect::<Array1<i64>>();
            assert_eq!(split.y_train.compute_with(&options).unwrap(), rows(&train));
            assert_eq!(split.y_test.compute_with(&options).unwrap(), rows(&test));
        }
    }
}

#[test]
fn sides_are_disjoint_complete_and_in_order() {
    let (data, targets) = numbered(1000);
    let (x, y) = (Array::from_array(data, 64), Array::from_array(targets, 100));
    for options in schedulers() {
        let split = train_test_split(&x, &y, TestPart::default()).unwrap();
        let [train, test] = [split.y_train, split.y_test].map(|side| side.compute_with(&options).unwrap());
        assert_eq!((train.len(), test.len()), (750, 250));
        assert!(train.iter().is_sorted() && test.iter().is_sorted());
        assert_eq!(train.iter().chain(&test).collect::<BTreeSet<_>>().len(), 1000);
    }
}

#[test]
fn shares_are_rounded_up_to_rows() {
    let (data, targets) = numbered(7);
    let (x, y) = (Array::from_array(data, 3), Array::from_array(targets, 3));
    for (share, rows) in [(0.1, 1), (0.25, 2), (0.5, 4), (0.85, 6)] {
        let split = train_test_split(&x, &y, share).unwrap();
        assert_eq!(split.x_test.shape(), [rows, 3]);
        assert_eq!(split.y_train.shape(), [7 - rows]);
    }
}

#[test]
fn the_last_rows_can_be_taken() {
    let (data, targets) = numbered(10);
    let (x, y) = (Array::from_array(data, 4), Array::from_array(targets, 3));
    let split = train_test_split(&x, &y, TestPart::rows(3).last_rows()).unwrap();
    assert_eq!(split.y_test.compute().unwrap(), Array1::from_iter(7..10));
    assert_eq!(
        split.x_train.compute().unwrap().column(0).to_vec(),
        (0..7).map(f64::from).collect::<Vec<_>>()
    );
}

#[test]
fn arrays_of_other_axes_and_types_are_split_by_their_rows() {
    let cubes = Array3::from_shape_fn((6, 2, 2), |(i, _, _)| i as u8);
    let (_, targets) = numbered(6);
    let (x, y) = (Array::from_array(cubes, 2), Array::from_array(targets, 6));
    let split = train_test_split(&x, &y, 2).unwrap();
    let (cubes, rows) = (split.x_test.compute().unwrap(), split.y_test.compute().unwrap());
    assert_eq!(cubes.dim(), (2, 2, 2));
    assert!(
        cubes.outer_iter().zip(&rows).all(|(cube, row)| cube.iter().all(|value| i64::from(*value) == *row))
    );
}

#[test]
fn splits_that_cannot_be_are_refused() {
    let (data, targets) = numbered(4);
    let (x, y) = (Array::from_array(data, 2), Array::from_array(targets, 2));
    for share in [0.0, 1.0, -0.5, f64::NAN] {
        let error = train_test_split(&x, &y, share).err().unwrap();
        assert!(matches!(error, Error::InvalidParameter { name: "share", .. }));
        assert!(error.to_string().contains("tests/it/split.rs"), "{error}");
    }
    for rows in [0, 4, 5] {
        assert!(matches!(train_test_split(&x, &y, rows), Err(Error::EmptySide { rows: 4, .. })));
    }
    let other = Array::from_array(Array1::<i64>::zeros(5), 2);
    assert!(matches!(
        train_test_split(&x, &other, 0.25),
        Err(Error::RowMismatch { expected: 4, found: 5, .. })
    ));
}
