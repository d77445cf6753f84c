//! Nearness, lookups, differences, moments and histograms as NumPy and SciPy have them, for several ways to cut the inputs.

use crate::blocks::answer;
use crate::cases::{Case, cases_of};
use musher_array::ndarray::{Array1, Array2, ArrayD, Axis, Ix2, IxDyn, arr1};
use musher_array::{
    All, Array, Element, Error, Side, bin_edges, histogram2d, histogramdd, histogramdd_weighted,
};
use musher_scheduler::Compute;
use musher_testkit::Random;
use serde_json::Value;

/// Block lengths along every axis.
const CUTS: [usize; 4] = [100, 1, 2, 3];

/// Sums are made in another order than NumPy's, of a few dozen elements.
const TOLERANCE: f64 = 1e-13;

type X = Array<f64, IxDyn>;
type I = Array<i64, IxDyn>;

fn float(value: &Value) -> f64 {
    match value.as_str() {
        Some("nan") => f64::NAN,
        Some("inf") => f64::INFINITY,
        Some("-inf") => f64::NEG_INFINITY,
        _ => value.as_f64().unwrap(),
    }
}

fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(float).collect()
}

fn lists(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().unwrap().iter().map(floats).collect()
}

fn side(case: &Case) -> Side {
    if case.parameter("side") == "left" { Side::Left } else { Side::Right }
}

/// Whether an answer that is exact is NumPy's.
#[track_caller]
fn exact<A: Element>(case: &Case, found: Array<A, IxDyn>) {
    assert_eq!(answer(&found), case.want::<A>(), "{}", case.name());
}

/// Whether an answer is NumPy's, as far as sums in another order allow.
#[track_caller]
fn near(case: &Case, found: X) {
    let (found, want): (ArrayD<f64>, ArrayD<f64>) = (answer(&found), case.want());
    assert_eq!(found.shape(), want.shape(), "{}", case.name());
    let scale = want.iter().filter(|x| x.is_finite()).fold(1.0_f64, |most, x| most.max(x.abs()));
    for (a, b) in found.iter().zip(&want) {
        let same = a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= TOLERANCE * scale;
        assert!(same, "{}: {a} for {b}\n{found}\nfor\n{want}", case.name());
    }
}

fn of_floats(case: &Case, cut: usize) {
    let xs: Vec<X> = (0..case.n_inputs()).map(|at| case.load(at, cut + at)).collect();
    let number = |name| float(case.parameter(name));
    let axis: Vec<Axis> = case.axis().into_iter().collect();
    let all: Vec<Axis> = (0..xs.first().map_or(0, Array::ndim)).map(Axis).collect();
    let axes = if axis.is_empty() { &all } else { &axis };
    let edges = || floats(case.parameter("edges"));
    match case.operation() {
        "is_close" => exact(case, xs[0].is_close(&xs[1], number("relative"), number("absolute"))),
        "all_close" => {
            let found = xs[0].all_close(&xs[1], number("relative"), number("absolute"));
            exact(case, found.into_dyn());
        }
        "nan_to_num" => exact(case, xs[0].nan_to_num(number("nan"), number("positive"), number("negative"))),
        "is_not_nan" => exact(case, xs[0].is_not_nan()),
        "search_sorted" => exact(case, xs[0].search_sorted(&floats(case.parameter("sorted")), side(case))),
        "digitize" => exact(case, xs[0].digitize(&edges(), side(case))),
        "is_in_floats" => exact(case, xs[0].is_in(&floats(case.parameter("values")))),
        "gradient" => near(case, xs[0].gradient(axis[0], number("spacing"))),
        "ptp" => exact(case, xs[0].over(&axes[..]).ptp()),
        "moment" => near(case, xs[0].over(&axes[..]).moment(case.number("order") as u16)),
        "nan_moment" => near(case, xs[0].over(&axes[..]).skip_nan().moment(case.number("order") as u16)),
        "nancumsum" => near(case, xs[0].nancumsum(axis[0])),
        "nancumprod" => near(case, xs[0].nancumprod(axis[0])),
        "cov" => near(case, plane(&xs[0]).cov(number("ddof")).into_dyn()),
        "corrcoef" => near(case, plane(&xs[0]).corrcoef().into_dyn()),
        "coarsen" => near(case, coarsened(case, &xs[0])),
        "histogram" => exact(case, xs[0].histogram(&edges()).into_dyn()),
        "histogram_density" => near(case, xs[0].histogram_density(&edges()).into_dyn()),
        "histogram_weighted" => near(case, xs[0].histogram_weighted(&edges(), &xs[1]).into_dyn()),
        "histogram2d" => {
            let edges = lists(case.parameter("edges"));
            exact(case, histogram2d(&xs[0], &xs[1], [&edges[0], &edges[1]]).unwrap().into_dyn());
        }
        "histogramdd" | "histogramdd_weighted" => {
            let edges = lists(case.parameter("edges"));
            let edges: Vec<&[f64]> = edges.iter().map(Vec::as_slice).collect();
            let samples: Vec<&X> = xs.iter().take(3).collect();
            match xs.get(3) {
                Some(weights) => near(case, histogramdd_weighted(&samples, &edges, weights).unwrap()),
                None => exact(case, histogramdd(&samples, &edges).unwrap()),
            }
        }
        other => panic!("nobody reads the cases of {other}"),
    }
}

fn plane(x: &X) -> Array<f64, Ix2> {
    x.clone().into_dimensionality().unwrap()
}

fn coarsened(case: &Case, x: &X) -> X {
    x.coarsen(case.numbers("windows"), |window| match case.parameter("function").as_str().unwrap() {
        "sum" => window.sum(),
        "mean" => window.mean(),
        "max" => window.max(),
        _ => window.std(0.0),
    })
}

/// Whether a case is one of integers.
fn of_integers(case: &Case, cut: usize) -> bool {
    let whole = || -> I { case.load(0, cut) };
    let axis = || case.axis().unwrap();
    let n = || case.number("n") as usize;
    match case.operation() {
        "divmod" => {
            let (quotient, rest) = whole().div_rem_euclid(case.number("by") as i64);
            exact(case, if case.number("part") == 0 { quotient } else { rest });
        }
        "is_in" => {
            let values = case.parameter("values").as_array().unwrap();
            exact(
                case,
                whole().is_in(&values.iter().map(|value| value.as_i64().unwrap()).collect::<Vec<_>>()),
            );
        }
        "diff" => exact(case, whole().diff(axis(), case.number("times") as usize)),
        "ediff1d" => exact(case, whole().ediff1d().into_dyn()),
        "histogram_whole" => exact(case, whole().histogram(&floats(case.parameter("edges"))).into_dyn()),
        "bincount" => exact(case, whole().bincount(n()).into_dyn()),
        "bincount_weighted" => near(case, whole().bincount_weighted(n(), &case.load(1, cut + 1)).into_dyn()),
        "bin_edges" => {
            let edges = bin_edges(float(case.parameter("low")), float(case.parameter("high")), n());
            near(case, Array::from_array(Array1::from_vec(edges), cut).into_dyn());
        }
        _ => return false,
    }
    true
}

#[test]
fn statistics_are_those_of_numpy_and_scipy() {
    for case in cases_of("array_statistics") {
        for cut in CUTS {
            if !of_integers(&case, cut) {
                of_floats(&case, cut);
            }
        }
    }
}

#[test]
fn random_blocks_are_counted_once() {
    for seed in 0..40 {
        let mut random = Random::new(seed);
        let shape = (random.below(9), 1 + random.below(9));
        let whole = Array2::from_shape_fn(shape, |_| random.below(50) as i32 - 10);
        let x = Array::from_array(whole.clone(), (1 + random.below(4), 1 + random.below(4)));
        let counts = answer(&x.bincount(30));
        let of = |n: i32| whole.iter().filter(|&&x| x == n).count() as u64;
        assert_eq!(counts, (0..30).map(of).collect::<Array1<_>>(), "seed {seed}");
        let edges = [-10.0, -2.5, 0.0, 7.0, 39.0];
        let inside = answer(&x.histogram(&edges)).sum();
        assert_eq!(inside, whole.len() as u64, "seed {seed}: all lie within");
        let n = x.diff(Axis(1), 1).sum().compute().unwrap();
        let ends = whole.rows().into_iter().map(|row| i64::from(row[row.len() - 1] - row[0])).sum::<i64>();
        assert_eq!(n, ends, "seed {seed}");
    }
}

#[test]
fn hostile_numbers_lie_where_they_should() {
    let x = Array::from_array(arr1(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 5e-324, 1e308]), 2);
    assert_eq!(x.histogram(&[0.0, 1.0]).compute().unwrap(), arr1(&[2]));
    assert_eq!(x.search_sorted(&[0.0, f64::NAN], Side::Left).compute().unwrap(), arr1(&[1, 1, 0, 0, 1, 1]));
    assert_eq!(x.search_sorted(&[0.0, f64::NAN], Side::Right).compute().unwrap(), arr1(&[2, 1, 0, 1, 1, 1]));
    assert!(x.ptp().compute().unwrap().is_nan());
    let none = Array::<f64, _>::zeros(0, 1);
    assert_eq!(none.histogram(&[0.0, 1.0]).compute().unwrap(), arr1(&[0]));
    assert!(none.moment(2).compute().unwrap().is_nan());
    assert!(none.all_close(&none, 0.0, 0.0).compute().unwrap());
    assert_eq!(none.diff(Axis(0), 3).shape(), [0]);
    let one = Array::<f64, _>::ones((1, 1), 1);
    assert!(one.cov(1.0).compute().unwrap()[[0, 0]].is_nan());
    assert!(
        Array::from_array(arr1(&[i64::MIN, 1]), 1).diff(Axis(0), 1).compute().is_err(),
        "overflow is told"
    );
}

#[test]
fn what_shapes_refuse_is_told() {
    let x = Array::<f64, _>::zeros((3, 4), 2);
    assert!(matches!(x.try_is_close(&x.t(), 0.0, 0.0), Err(Error::Shapes { .. })));
    assert!(matches!(x.try_search_sorted(&[1.0, 0.0], Side::Left), Err(Error::Arrangement { .. })));
    assert!(matches!(x.try_digitize(&[1.0, 0.0, 2.0], Side::Left), Err(Error::Arrangement { .. })));
    assert!(matches!(x.try_diff(Axis(2), 1), Err(Error::Axis { .. })));
    assert!(matches!(
        x.slice_axis(Axis(0), (..1).into()).try_gradient(Axis(0), 1.0),
        Err(Error::Shapes { .. })
    ));
    assert!(matches!(Array::<f64, _>::zeros(0, 1).over(All).try_ptp(), Err(Error::EmptyReduction { .. })));
    assert!(matches!(x.try_cov(-1.0), Err(Error::DegreesOfFreedom { .. })));
    assert!(matches!(x.try_coarsen([2, 2], |window| window.sum()), Err(Error::Shapes { .. })));
    assert!(matches!(x.try_coarsen([0, 2], |window| window.sum()), Err(Error::Arrangement { .. })));
    assert!(matches!(x.try_histogram(&[1.0]), Err(Error::Arrangement { .. })));
    assert!(matches!(x.try_histogram_weighted(&[0.0, 1.0], &x.t()), Err(Error::Shapes { .. })));
    assert!(matches!(histogramdd::<f64, Ix2>(&[], &[]), Err(Error::Arrangement { .. })));
    assert!(matches!(x.cast::<i8>().try_bincount(usize::MAX - 1), Err(Error::TooLarge { .. })));
}
