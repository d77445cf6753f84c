//! Products of arrays as NumPy has them, for several ways to cut the operands.

use crate::blocks::{answer, bits};
use crate::cases::{Case, cases_of};
use musher_array::linalg::{Contracted, Norm, Operands, einsum, multi_dot};
use musher_array::ndarray::{Array2, ArrayD, Axis, Ix1, Ix2, Ix3, IxDyn, arr1};
use musher_array::{All, Array, Complex, Element, Error};
use musher_scheduler::{Compute, Options};
use musher_testkit::Random;

/// Block lengths along every axis.
const CUTS: [usize; 4] = [100, 1, 2, 3];

/// Sums of up to 97 products of normal numbers in another order.
const TOLERANCE: f64 = 1e-13;

type X = Array<f64, IxDyn>;

/// Whether an answer is NumPy's, as far as sums in another order allow.
#[track_caller]
pub(crate) fn near(case: &Case, found: X, tolerance: f64) {
    let (found, want): (ArrayD<f64>, ArrayD<f64>) = (answer(&found), case.want());
    assert_eq!(found.shape(), want.shape(), "{}", case.name());
    let scale = want.iter().filter(|x| x.is_finite()).fold(1.0_f64, |most, x| most.max(x.abs()));
    for (a, b) in found.iter().zip(&want) {
        let same = a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * scale;
        assert!(same, "{}: {a} for {b}\n{found}\nfor\n{want}", case.name());
    }
}

#[track_caller]
fn exact<A: Element>(case: &Case, found: Array<A, IxDyn>) {
    assert_eq!(answer(&found), case.want::<A>(), "{}", case.name());
}

fn two<A: Element>(x: &Array<A, IxDyn>) -> Array<A, Ix2> {
    x.clone().into_dimensionality().unwrap()
}

fn axes(case: &Case) -> Contracted {
    let lists = |at: usize| -> Vec<usize> {
        let list = case.parameter("axes")[at].as_array().unwrap();
        list.iter().map(|axis| axis.as_u64().unwrap() as usize).collect()
    };
    match case.parameter("axes").as_u64() {
        Some(n) => Contracted::Last(n as usize),
        None => Contracted::Pairs(lists(0), lists(1)),
    }
}

/// Whether the operation is one of this module.
fn check(case: &Case, cut: usize) -> bool {
    let load = |at: usize| case.load::<f64>(at, cut + at);
    let whole = |at: usize| case.load::<i64>(at, cut + at);
    match case.operation() {
        "einsum" => {
            let xs: Vec<X> = (0..case.n_inputs()).map(load).collect();
            near(case, einsum(case.parameter("subscripts").as_str().unwrap(), &xs[..]).unwrap(), TOLERANCE);
        }
        "tensordot" => near(case, load(0).tensordot(&load(1), axes(case)), TOLERANCE),
        "matmul" => near(case, load(0).batched_matmul(&load(1)), TOLERANCE),
        "inner" => near(case, load(0).inner(&load(1)), TOLERANCE),
        "outer" => {
            let [x, y] = [0, 1].map(|at| load(at).into_dimensionality::<Ix1>().unwrap());
            near(case, x.outer(&y).into_dyn(), 0.0);
        }
        "outer_whole" => {
            let [x, y] = [0, 1].map(|at| whole(at).into_dimensionality::<Ix1>().unwrap());
            exact(case, x.outer(&y).into_dyn());
        }
        "kron" => near(case, load(0).kron(&load(1)), 0.0),
        "kron_whole" => exact(case, whole(0).kron(&whole(1))),
        "vdot" => near(case, load(0).vdot(&load(1)).into_dyn(), TOLERANCE),
        "vdot_whole" => exact(case, whole(0).vdot(&whole(1)).into_dyn()),
        "vdot_complex" => {
            let [x, y] = [0, 1].map(|at| case.load::<Complex<f64>>(at, cut + at));
            let (found, want) = (x.vdot(&y).compute().unwrap(), case.want::<Complex<f64>>());
            assert!((found - want.first().unwrap()).norm() < TOLERANCE, "{}", case.name());
        }
        "multi_dot" => {
            let xs: Vec<Array<f64, Ix2>> = (0..case.n_inputs()).map(|at| two(&load(at))).collect();
            near(case, multi_dot(&xs.iter().collect::<Vec<_>>()).unwrap().into_dyn(), TOLERANCE);
        }
        _ => return false,
    }
    true
}

#[test]
fn numpy_agrees() {
    let cases = cases_of("array_linalg");
    let n: usize = CUTS.iter().map(|&cut| cases.iter().filter(|case| check(case, cut)).count()).sum();
    assert_eq!(n, CUTS.len() * 65);
}

fn random(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let mut random = Random::new(seed);
    Array2::from_shape_simple_fn((rows, columns), || {
        (random.bits() >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    })
}

#[test]
fn random_products_are_those_of_ndarray_in_random_blocks() {
    let mut random_lengths = Random::new(5);
    for seed in 0..40 {
        let mut length = |most: usize| random_lengths.below(most);
        let (n, k, m, cut) = (length(90), length(90), length(90), 1 + length(40));
        let (x, y) = (random(n, k, seed), random(k, m, seed + 100));
        let (a, b) = (Array::from_array(x.clone(), cut), Array::from_array(y.clone(), cut + 7));
        let want = x.dot(&y);
        for (text, left, right) in [
            ("ij,jk->ik", a.clone(), b.clone()),
            ("ji,jk->ik", a.t(), b.clone()),
            ("ij,kj->ik", a.clone(), b.t()),
            ("ji,kj->ik", a.t(), b.t()),
        ] {
            let found = einsum(text, (&left, &right)).unwrap().compute().unwrap();
            let found = found.into_dimensionality::<Ix2>().unwrap();
            assert_eq!(found.dim(), want.dim());
            assert!(
                found.iter().zip(&want).all(|(a, b)| (a - b).abs() < TOLERANCE),
                "{text} {n} {k} {m} {cut}"
            );
        }
    }
}

#[test]
fn neither_layout_nor_threads_change_bits() {
    let (x, y) = (random(300, 70, 1), random(300, 40, 2));
    let turned = |x: &Array2<f64>| x.t().as_standard_layout().into_owned().reversed_axes();
    let products = |x: Array2<f64>, y: Array2<f64>| {
        let (x, y) = (Array::from_array(x, (64, 33)), Array::from_array(y, (64, 33)));
        let tall = einsum("ki,kj->ij", (&x, &y)).unwrap();
        (tall.clone(), einsum("ki,ij->kj", (&x, &tall)).unwrap())
    };
    let one = products(x.clone(), y.clone());
    let expected = [answer(&one.0), answer(&one.1)];
    let other = products(turned(&x), turned(&y));
    assert_eq!(bits(&answer(&other.0)), bits(&expected[0]));
    assert_eq!(bits(&answer(&other.1)), bits(&expected[1]));
    for threads in [1, 2, 5] {
        let found = one.0.compute_with(&Options::default().threads(threads)).unwrap();
        assert_eq!(bits(&found), bits(&expected[0]));
    }
}

#[test]
fn nan_and_infinity_reach_what_they_touch_and_nothing_else() {
    let mut x = random(4, 5, 3);
    (x[[1, 2]], x[[3, 0]]) = (f64::NAN, f64::INFINITY);
    let y = Array2::from_elem((5, 2), 1.0);
    let (a, b) = (Array::from_array(x, 2), Array::from_array(y, 2));
    for found in [a.clone().into_dyn().tensordot(&b, 1), einsum("ij,jk->ik", (&a, &b)).unwrap()] {
        let found = found.compute().unwrap();
        assert!(found[[1, 0]].is_nan() && found[[3, 1]] == f64::INFINITY);
        assert!(found[[0, 0]].is_finite() && found[[2, 1]].is_finite());
    }
}

#[test]
fn blocks_of_an_outer_product_do_not_outgrow_their_operands() {
    let long = Array::<f64, Ix2>::ones((40_000, 3), (40_000, 3));
    let product = einsum("ik,jk->ij", (&long, &long)).unwrap();
    assert!(product.chunks().largest_block().iter().product::<usize>() <= 4 * 120_000);
    let corner = product.into_dimensionality::<Ix2>().unwrap();
    let corner = corner.slice(musher_array::ndarray::s![..2, -2..]).compute().unwrap();
    assert_eq!(corner, Array2::from_elem((2, 2), 3.0));
    let rows = Array::<f64, Ix1>::ones(3000, 3000);
    assert_eq!(rows.kron(&Array::ones(1000, 1000)).chunks().largest_block(), [131_000]);
    assert_eq!(rows.kron(&Array::ones(5, 2)).chunks().axis(0)[..4], [2, 2, 1, 2]);
}

#[test]
fn what_does_not_fit_is_refused_at_the_users_line() {
    let (x, cube) = (Array::<f64, Ix2>::ones((2, 3), 2), Array::<f64, Ix3>::ones((2, 3, 4), 2));
    let shapes = |error: Error| {
        assert!(matches!(error, Error::Shapes { .. }), "{error}");
        assert!(error.to_string().contains("products.rs"), "{error}");
    };
    let arrangement = |error: Error| assert!(matches!(error, Error::Arrangement { .. }), "{error}");
    let axis = |error: Error| assert!(matches!(error, Error::Axis { .. }), "{error}");
    shapes(einsum("ij,jk", (&x, &x)).unwrap_err());
    shapes(einsum("ii", (&x,)).unwrap_err());
    shapes(x.try_tensordot(&x, 1).unwrap_err());
    shapes(x.try_inner(&cube).unwrap_err());
    shapes(cube.try_batched_matmul(&cube).unwrap_err());
    shapes(x.try_vdot(&x.t()).unwrap_err());
    shapes(multi_dot(&[&x, &x]).unwrap_err());
    shapes(x.clone().into_dyn().try_kron(&cube.clone().into_dyn()).unwrap_err());
    arrangement(einsum("ij->ijk", (&x,)).unwrap_err());
    arrangement(einsum("ij", (&x, &x)).unwrap_err());
    arrangement(x.try_tensordot(&x, ([0, 0], [0, 1])).unwrap_err());
    arrangement(x.try_tensordot(&x, ([0, 1], [0])).unwrap_err());
    arrangement(multi_dot::<f64>(&[]).unwrap_err());
    axis(x.try_tensordot(&x, 3).unwrap_err());
    axis(x.try_tensordot(&x, ([2], [0])).unwrap_err());
    axis(x.sum_axis(Axis(0)).sum().try_inner(&x).unwrap_err());
    let vector = Array::<f64, Ix1>::ones(3, 2);
    axis(vector.try_batched_matmul(&vector).unwrap_err());
    let endless = Array::<f64, Ix1>::ones(1 << 40, 1 << 20);
    assert!(matches!(endless.try_outer(&endless), Err(Error::TooLarge { .. })));
    assert!(matches!(endless.try_kron(&endless), Err(Error::TooLarge { .. })));
    assert!(matches!(einsum("i,j->ij", (&endless, &endless)), Err(Error::TooLarge { .. })));
    assert_eq!((&x, &cube).into_arrays().len(), 2);
}

#[test]
fn products_with_nothing_are_empty_and_infinite_orders_are_extremes() {
    let nothing = Array::<f64, Ix2>::zeros((0, 1), 1).kron(&Array::ones((4, 2), 2));
    let again = Array::<f64, Ix2>::ones((3, 3), 2).kron(&nothing);
    assert_eq!(again.compute().unwrap().dim(), (0, 6));
    let large = Array::<f64, Ix1>::zeros(1 << 40, 1 << 36).try_kron(&Array::ones(4, 2));
    assert!(matches!(large, Err(Error::TooLarge { .. })));
    let x = Array::from_array(arr1(&[1.0, -3.0, 2.0]), 2);
    assert_eq!(x.norm(Norm::P(f64::INFINITY)).compute().unwrap(), 3.0);
    assert_eq!(x.norm(Norm::P(f64::NEG_INFINITY)).compute().unwrap(), 1.0);
    let holes = Array::from_array(arr1(&[f64::NAN, 2.0, 0.0]), 2);
    assert_eq!(holes.over(All).skip_nan().norm(Norm::P(0.0)).compute().unwrap(), 1.0);
}
