//! Other block lengths, same elements.

use crate::blocks::{answer, bits, cuts, golden_array, grids};
use musher_array::ndarray::{Array2, ArrayD, Ix3, IxDyn, arr0};
use musher_array::{Array, Chunks, Error};
use musher_scheduler::{Compute, Options};

#[test]
fn every_pair_of_divisions_keeps_the_elements() {
    let whole = Array2::from_shape_fn((3, 4), |(i, j)| (i * 10 + j) as i64);
    for from in grids(3, 4) {
        let x = Array::from_array(whole.clone(), from.clone());
        for to in grids(3, 4) {
            let y = x.rechunk(to.clone());
            assert_eq!(y.chunks().axes().map(<[usize]>::to_vec).collect::<Vec<_>>(), to);
            let found = y.compute_with(&Options::sequential()).expect("computes");
            assert_eq!(found, whole, "{from:?} to {to:?}");
        }
    }
}

#[test]
fn threads_agree_and_nan_survives() {
    let whole = Array2::from_shape_fn((5, 7), |(i, j)| if i == j { f64::NAN } else { -((i * j) as f64) });
    for to in [(5, 7), (1, 7), (5, 1), (2, 3), (4, 4)] {
        let found = answer(&Array::from_array(whole.clone(), (2, 3)).rechunk(to));
        assert_eq!(bits(&found), bits(&whole));
    }
}

#[test]
fn dask_agrees() {
    let cube = golden_array::<f64, Ix3>("cube", [3, 2, 4]);
    let expected = golden_array::<f64, Ix3>("rechunk", Chunks::whole()).compute().expect("reads");
    assert_eq!(bits(&answer(&cube.rechunk([1, 5, 3]))), bits(&expected));
}

#[test]
fn empty_one_element_and_no_axes_are_rechunked() {
    let empty = Array2::<u8>::zeros((0, 3));
    for to in grids(0, 3) {
        assert_eq!(answer(&Array::from_array(empty.clone(), 2).rechunk(to)), empty);
    }
    let one = ArrayD::from_elem(IxDyn(&[1, 1, 1]), true);
    assert_eq!(
        answer(&Array::from_array(one.clone(), 1).rechunk(vec![vec![0, 1], vec![1], vec![1, 0]])),
        one
    );
    let scalar = Array::from_array(arr0(7_i32), Chunks::Axes(vec![])).rechunk(Chunks::Axes(vec![]));
    assert_eq!(scalar.compute().expect("computes"), 7);
}

#[test]
fn equal_blocks_add_no_layer_and_equal_work_one_key() {
    let x = Array::from_array(Array2::<f64>::zeros((4, 4)), 2);
    assert_eq!(x.rechunk(2).key(), x.key());
    assert_eq!(x.rechunk((1, 4)).key(), x.rechunk((1, 4)).key());
    assert_ne!(x.rechunk((1, 4)).key(), x.rechunk((4, 1)).key());
}

#[test]
fn lengths_that_do_not_fit_are_refused_where_they_are_asked_for() {
    let x = Array::from_array(Array2::<f64>::zeros((4, 4)), 2);
    let error = x.try_rechunk((1, 2, 3)).expect_err("three lengths for two axes");
    assert!(matches!(error, Error::Chunks { .. }));
    assert!(error.to_string().contains("rechunk.rs"), "{error}");
    assert!(x.try_rechunk(vec![vec![1, 2], vec![4]]).is_err());
    for lengths in cuts(3) {
        assert!(x.try_rechunk(vec![lengths, vec![4]]).is_err());
    }
}
