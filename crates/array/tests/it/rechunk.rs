//! Other block lengths, same elements.

use crate::blocks::{answer, bits, cuts, golden_array, grids};
use musher_array::ndarray::{Array1, Array2, ArrayD, Axis, Ix2, Ix3, IxDyn, arr0};
use musher_array::{Array, Chunks, Error, random};
use musher_graph_core::delayed;
use musher_scheduler::{Compute, Options};
use musher_testkit::{Peak, Staging};
use std::sync::Arc;

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

/// 64 × 64 blocks of 128 KiB, 8 MiB together, under a limit of 1 MiB.
#[test]
fn rows_become_columns_in_an_eighth_of_their_memory() {
    let n = 1024;
    let limit = 1 << 20;
    let x = Array::<f64, Ix2>::from_shape_fn((n, n), (16, n), move |(i, j)| (i * n + j) as f64);
    let sums = x.rechunk((n, 16)).sum_axis(Axis(0));
    let column = |j: usize| (0..n).map(|i| (i * n + j) as f64).sum::<f64>();
    let expected: Array1<f64> = (0..n).map(column).collect();
    for threads in [1, 2, 4] {
        let (staging, peak) = (Arc::new(Staging::new(limit / 4)), Arc::new(Peak::default()));
        let options = Options::default().threads(threads).memory_limit(limit);
        let options = options.spill_to(staging.clone()).observe(peak.clone());
        assert_eq!(sums.compute_with(&options).unwrap(), expected, "{threads} threads");
        assert!(staging.written_bytes() >= (n * n * 8) as u64 && staging.n_alive() == 0);
        assert!(peak.bytes() <= limit, "{threads} threads: {} bytes", peak.bytes());
    }
}

/// Few blocks, each of which every new one needs: four of 1 MiB, under a limit of 3 MiB; and 16 of 256 KiB, under 1.5 MiB.
#[test]
fn few_blocks_become_others_in_less_than_their_memory() {
    let n = 724;
    let x = |rows| Array::<f64, Ix2>::from_shape_fn((n, n), (rows, n), move |(i, j)| (i * n + j) as f64);
    let expected: Array1<f64> = (0..n).map(|j| (0..n).map(|i| (i * n + j) as f64).sum::<f64>()).collect();
    for (length, limit) in [(181, 3 << 20), (46, 3 << 19)] {
        for threads in [1, 2] {
            let staging = Arc::new(Staging::new(limit / 4));
            let options = Options::default().threads(threads).memory_limit(limit).spill_to(staging.clone());
            let sums = x(length).rechunk((n, length)).sum_axis(Axis(0));
            assert_eq!(sums.compute_with(&options).unwrap(), expected, "{length} rows on {threads} threads");
            assert!(staging.written_bytes() >= (n * n * 8) as u64 && staging.n_alive() == 0);
        }
    }
}

#[test]
fn a_reshape_that_moves_elements_fits_a_quarter_of_their_memory() {
    let limit = 2 << 20;
    let x = Array::<f64, _>::arange(0.0, (1 << 20) as f64, 1.0, 1 << 14).reshape((1 << 10, 1 << 10));
    let y = x.t().reshape(1 << 20);
    let staging = Arc::new(Staging::new(0));
    let options = Options::default().threads(2).memory_limit(limit).spill_to(staging.clone());
    let sums = y.rechunk(1 << 10).reshape((1 << 10, 1 << 10)).sum_axis(Axis(1));
    let row = |i: usize| (0..1 << 10).map(|j| (j * (1 << 10) + i) as f64).sum::<f64>();
    assert_eq!(sums.compute_with(&options).unwrap(), (0..1 << 10).map(row).collect::<Array1<_>>());
    assert!(staging.written_bytes() >= 8 << 20 && staging.n_alive() == 0);
}

#[test]
fn a_rechunk_inside_a_task_keeps_to_the_memory_that_its_run_borrows() {
    // 16 MiB go from rows to columns: a quarter of the outer limit, which may keep them in memory, and four times what the
    // inner run borrows.
    fn inside(taken: Vec<u8>) -> Result<(usize, usize), String> {
        let x = random::uniform((2048, 1024), (64, 1024)).seed(3).build();
        let sums = x.rechunk((2048, 32)).sum_axis(Axis(0)).compute().map_err(|error| error.to_string())?;
        Ok((sums.len(), taken.len()))
    }
    for taken in [0, 40 << 20] {
        let beside = delayed(move || vec![1_u8; taken]).measured().call(());
        let options = Options::default().threads(2).memory_limit("64MiB");
        assert_eq!(delayed(inside).call(&beside).compute_with(&options).unwrap(), Ok((1024, taken)));
    }
}
