//! Products of chunked matrices.

use crate::blocks::{answer, bits, cuts, golden_array, grids};
use musher_array::linalg::{Faer, LinalgBackend, LinalgElement, LinalgError, Svd};
use musher_array::ndarray::{Array1, Array2, ArrayView2, ArrayViewMut2, Ix1, Ix2, IxDyn, arr1};
use musher_array::{Array, Chunks, Element, Error};
use musher_scheduler::{Compute, Options};

/// Rounding of sums of 23 products of normal numbers in another order.
const TOLERANCE: f64 = 1e-13;
const TOLERANCE_32: f64 = 2e-5;

fn assert_close<A: LinalgElement>(found: &[A], expected: &[A], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        let (found, expected) = (found.to_f64().expect("a float"), expected.to_f64().expect("a float"));
        let same = found == expected || (found.is_nan() && expected.is_nan());
        assert!(same || (found - expected).abs() <= tolerance, "{what}: {found} is not {expected}");
    }
}

fn elements<A: Element>(file: &str) -> Vec<A> {
    let whole: Array<A, IxDyn> = golden_array(file, Chunks::whole());
    whole.compute().expect("reads").into_iter().collect()
}

#[test]
fn numpy_agrees() {
    for chunks in [(17, 23, 11), (5, 4, 3), (1, 2, 11), (17, 1, 1)] {
        let (n, k, m) = chunks;
        let (left, right) =
            (golden_array::<f64, Ix2>("left", (n, k)), golden_array::<f64, Ix2>("right", (k, m)));
        let vector = golden_array::<f64, Ix1>("vector", k);
        let what = format!("{chunks:?}");
        assert_close(
            answer(&left.matmul(&right)).as_slice().expect("C order"),
            &elements("matmul"),
            TOLERANCE,
            &what,
        );
        assert_close(&answer(&left.dot(&vector)).to_vec(), &elements("matmul_vector"), TOLERANCE, &what);
        let dot = vector.dot(&vector).compute().expect("computes");
        assert_close(&[dot], &elements("dot"), TOLERANCE, &what);
        let odd = golden_array::<f64, Ix2>("left_odd", (n, k)).matmul(&right);
        assert_close(answer(&odd).as_slice().expect("C order"), &elements("matmul_odd"), TOLERANCE, &what);
        let single =
            golden_array::<f32, Ix2>("left32", (n, k)).matmul(&golden_array::<f32, Ix2>("right32", (k, m)));
        assert_close(
            answer(&single).as_slice().expect("C order"),
            &elements("matmul32"),
            TOLERANCE_32,
            &what,
        );
    }
}

/// Small whole numbers: sums are exact in every order, so one answer is right.
fn whole_numbers(rows: usize, columns: usize) -> Array2<f64> {
    Array2::from_shape_fn((rows, columns), |(i, j)| ((i * 7 + j * 3) % 11) as f64 - 5.0)
}

#[test]
fn every_division_of_both_operands_gives_the_product() {
    let (left, right) = (whole_numbers(2, 4), whole_numbers(4, 3));
    let expected = left.dot(&right);
    for rows in grids(2, 4) {
        let x = Array::from_array(left.clone(), rows.clone());
        for columns in grids(4, 3) {
            let y = Array::from_array(right.clone(), columns.clone());
            let found = x.matmul(&y).compute_with(&Options::sequential()).expect("computes");
            assert_eq!(found, expected, "{rows:?} {columns:?}");
        }
    }
}

#[test]
fn vectors_on_either_side_in_every_division() {
    let (matrix, vector) = (whole_numbers(5, 5), arr1(&[1.0, -2.0, 3.0, 0.5, 4.0]));
    for lengths in cuts(5) {
        let v = Array::from_array(vector.clone(), vec![lengths.clone()]);
        for others in cuts(5) {
            let m = Array::from_array(matrix.clone(), vec![others.clone(), lengths.clone()]);
            let found = m.matmul(&v).compute_with(&Options::sequential()).expect("computes");
            assert_eq!(found, matrix.dot(&vector));
            let found = v.matmul(&m).compute_with(&Options::sequential()).expect("computes");
            assert_eq!(found, vector.dot(&matrix));
            let w = Array::from_array(vector.clone(), vec![others]);
            assert_eq!(
                v.dot(&w).compute_with(&Options::sequential()).expect("computes"),
                vector.dot(&vector)
            );
        }
    }
}

#[test]
fn long_contractions_go_up_a_tree_of_fixed_shape() {
    // 50 blocks along the contracted axis: 13 partial products, then 2 partial sums, then 1.
    let left = Array2::from_shape_fn((3, 50), |(i, j)| ((i + 2) as f64).sqrt() * (j as f64 * 0.37).sin());
    let right = Array2::from_shape_fn((50, 2), |(i, j)| (i as f64 * 0.11).cos() / (j as f64 + 3.0));
    let (x, y) = (Array::from_array(left.clone(), (2, 1)), Array::from_array(right.clone(), (1, 2)));
    let found = answer(&x.matmul(&y));
    assert_close(
        found.as_slice().expect("C order"),
        left.dot(&right).as_slice().expect("C order"),
        TOLERANCE,
        "tree",
    );
    let vector = Array::from_array(right.column(0).to_owned(), 1);
    let dot = vector.dot(&vector);
    let one = dot.compute_with(&Options::sequential()).expect("computes");
    for threads in [1, 2, 3, 8] {
        let other = dot.compute_with(&Options::default().threads(threads)).expect("computes");
        assert_eq!(one.to_bits(), other.to_bits());
    }
    assert_close(&[one], &[right.column(0).dot(&right.column(0))], TOLERANCE, "dot");
}

#[test]
fn a_long_product_fits_into_a_fraction_of_its_operands() {
    // Two operands of 4 MiB each in blocks of 64 KiB; four pairs of them are 512 KiB.
    let row = |(i, j): (usize, usize)| ((i + 3 * j) % 5) as f64;
    let (left, right) =
        (Array::from_shape_fn((64, 8192), (64, 128), row), Array::from_shape_fn((8192, 64), (128, 64), row));
    let product = left.matmul(&right);
    let expected = product.compute().expect("computes");
    for options in [Options::sequential(), Options::default().threads(2)] {
        let found = product.compute_with(&options.memory_limit(3_u64 << 20)).expect("fits into 3 MiB");
        assert_eq!(found, expected);
    }
    let refused = product.compute_with(&Options::sequential().memory_limit(1_u64 << 18));
    assert!(refused.is_err(), "four pairs of blocks do not fit into 256 KiB");
    let entry: f64 = (0..8192).map(|k| row((1, k)) * row((k, 2))).sum();
    assert_eq!(expected[[1, 2]], entry);
}

#[test]
fn empty_and_single_operands() {
    for (n, k, m) in [(0, 3, 2), (3, 0, 2), (3, 2, 0), (0, 0, 0), (1, 1, 1)] {
        let (left, right) = (whole_numbers(n, k), whole_numbers(k, m));
        let product = Array::from_array(left.clone(), 2).matmul(&Array::from_array(right.clone(), 1));
        assert_eq!(answer(&product), left.dot(&right), "{n} {k} {m}");
    }
    let nothing = Array::from_array(Array1::<f32>::zeros(0), 2);
    assert_eq!(nothing.dot(&nothing).compute().expect("computes"), 0.0);
}

#[test]
fn the_layout_of_blocks_does_not_change_bits() {
    let left = Array2::from_shape_fn((37, 29), |(i, j)| (i as f64 * 1.3 + j as f64).sin());
    let right = Array2::from_shape_fn((29, 31), |(i, j)| (i as f64 - j as f64 * 0.7).cos());
    let expected = answer(&Array::from_array(left.clone(), 10).matmul(&Array::from_array(right.clone(), 10)));
    let turned =
        |x: &Array2<f64>| Array::from_array(x.t().as_standard_layout().into_owned().reversed_axes(), 10);
    assert_eq!(bits(&answer(&turned(&left).matmul(&turned(&right)))), bits(&expected));
}

#[test]
fn contracted_axes_of_different_lengths_are_refused_at_the_users_line() {
    let (x, y) = (Array::from_array(whole_numbers(2, 3), 1), Array::from_array(whole_numbers(2, 3), 1));
    let error = x.try_matmul(&y).expect_err("3 is not 2");
    assert!(matches!(error, Error::Shapes { operation: "matmul", .. }));
    assert!(error.to_string().starts_with("matmul: shapes (2, 3) and (2, 3) do not fit, at "), "{error}");
    assert!(error.to_string().contains("linalg.rs"), "{error}");
}

/// A backend that cannot multiply.
#[derive(Clone, Debug)]
struct Broken;

impl LinalgBackend<f64> for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn matmul(
        &self,
        _: ArrayView2<'_, f64>,
        _: ArrayView2<'_, f64>,
        _: ArrayViewMut2<'_, f64>,
    ) -> Result<(), LinalgError> {
        Err(LinalgError::Backend { operation: "matmul", backend: "broken" })
    }

    fn qr(&self, matrix: ArrayView2<'_, f64>) -> Result<(Array2<f64>, Array2<f64>), LinalgError> {
        Faer.qr(matrix)
    }

    fn svd(&self, matrix: ArrayView2<'_, f64>) -> Result<Svd<f64>, LinalgError> {
        Faer.svd(matrix)
    }

    fn cholesky(&self, matrix: ArrayView2<'_, f64>) -> Result<Array2<f64>, LinalgError> {
        Faer.cholesky(matrix)
    }

    fn solve(
        &self,
        matrix: ArrayView2<'_, f64>,
        right: ArrayView2<'_, f64>,
    ) -> Result<Array2<f64>, LinalgError> {
        Faer.solve(matrix, right)
    }

    fn eigh(&self, matrix: ArrayView2<'_, f64>) -> Result<(Array1<f64>, Array2<f64>), LinalgError> {
        Faer.eigh(matrix)
    }
}

#[test]
fn another_backend_has_another_key_and_its_errors_name_the_place() {
    let x = Array::from_array(whole_numbers(2, 2), 1);
    let (by_faer, by_broken) = (x.matmul_by(&x, Faer).expect("fits"), x.matmul_by(&x, Broken).expect("fits"));
    assert_ne!(by_faer.key(), by_broken.key());
    let error = by_broken.compute().expect_err("cannot multiply");
    assert!(error.to_string().contains("matmul"), "{error}");
    let cause = std::error::Error::source(&error).expect("has a cause").to_string();
    assert_eq!(cause, "matmul: broken failed");
}

#[cfg(feature = "lapack")]
#[test]
fn backends_agree() {
    let (x, y) = (golden_array::<f64, Ix2>("left", (5, 4)), golden_array::<f64, Ix2>("right", (4, 3)));
    let by_lapack = answer(&x.matmul_by(&y, musher_array::linalg::Lapack).expect("fits"));
    let by_faer = answer(&x.matmul_by(&y, Faer).expect("fits"));
    let by_faer = by_faer.as_slice().expect("C order");
    assert_close(by_lapack.as_slice().expect("C order"), by_faer, TOLERANCE, "backends");
}
