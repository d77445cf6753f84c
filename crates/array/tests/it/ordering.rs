//! Sorted lines, the largest elements and quantiles as NumPy and Dask have them, for several ways to cut the inputs.

use crate::blocks::answer;
use crate::cases::{Case, cases_of};
use musher_array::ndarray::{Array1, Array2, ArrayD, Axis, IxDyn, arr1};
use musher_array::{All, Array, Element, Error, Interpolation};
use musher_scheduler::Compute;
use musher_testkit::Random;

/// Block lengths along every axis.
const CUTS: [usize; 4] = [100, 1, 2, 3];

/// A quantile between two elements is rounded as NumPy's, or once more.
const TOLERANCE: f64 = 4e-16;

type X = Array<f64, IxDyn>;

/// NaN equals NaN.
#[track_caller]
fn same<A: Element>(case: &Case, cut: usize, found: Array<A, IxDyn>) {
    let (found, want) = (answer(&found), case.want::<A>());
    assert_eq!(found.shape(), want.shape(), "{}", case.name());
    #[expect(
        clippy::eq_op,
        reason = "only a NaN differs from itself, and not every element type has `is_nan`"
    )]
    let equal = found.iter().zip(&want).all(|(a, b)| a == b || (a != a && b != b));
    assert!(equal, "{}, blocks of {cut}:\n{found}\nfor\n{want}", case.name());
}

#[track_caller]
fn near(case: &Case, cut: usize, found: X) {
    let (found, want): (ArrayD<f64>, ArrayD<f64>) = (answer(&found), case.want());
    assert_eq!(found.shape(), want.shape(), "{}", case.name());
    let close = |(a, b): (&f64, &f64)| {
        a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= TOLERANCE * b.abs().max(1.0)
    };
    assert!(found.iter().zip(&want).all(close), "{}, blocks of {cut}:\n{found}\nfor\n{want}", case.name());
}

fn interpolation(case: &Case) -> Interpolation {
    match case.parameter("method").as_str().unwrap() {
        "linear" => Interpolation::Linear,
        "lower" => Interpolation::Lower,
        "higher" => Interpolation::Higher,
        "nearest" => Interpolation::Nearest,
        _ => Interpolation::Midpoint,
    }
}

fn check(case: &Case, cut: usize) {
    let x = || -> X { case.load(0, cut) };
    let whole = || -> Array<i64, IxDyn> { case.load(0, cut) };
    let axis = || case.axis().unwrap();
    let k = || case.number("k");
    let q = || case.parameter("q").as_f64().unwrap();
    // Over all only where there are floats.
    let axes = case.axes().unwrap_or_else(|| (0..x().ndim()).map(Axis).collect());
    match case.operation() {
        "sort" => same(case, cut, x().sort(axis())),
        "argsort" => same(case, cut, x().argsort(axis())),
        "sort_whole" => same(case, cut, whole().sort(axis())),
        "topk" => same(case, cut, x().topk(k(), axis())),
        "argtopk" => same(case, cut, x().argtopk(k(), axis())),
        "topk_whole" => same(case, cut, whole().topk(k(), axis())),
        "median" => near(case, cut, x().over(&axes[..]).median()),
        "nanmedian" => near(case, cut, x().over(&axes[..]).skip_nan().median()),
        "quantile" => near(case, cut, x().over(&axes[..]).quantile(q(), interpolation(case))),
        "nanquantile" => near(case, cut, x().over(&axes[..]).skip_nan().quantile(q(), interpolation(case))),
        "quantile_where" => {
            let truth: X = case.load(1, cut + 1);
            let found = x().over(&axes[..]).where_true(&truth.gt(0.5)).quantile(q(), interpolation(case));
            near(case, cut, found);
        }
        "percentile_whole" => near(case, cut, whole().over(&axes[..]).percentile(q(), interpolation(case))),
        "median_whole" => near(case, cut, whole().over(&axes[..]).median()),
        other => panic!("nobody reads the cases of {other}"),
    }
}

#[test]
fn order_is_that_of_numpy_and_dask() {
    for case in cases_of("array_order") {
        for cut in CUTS {
            check(&case, cut);
        }
    }
}

#[test]
fn random_lines_are_sorted_partitioned_and_cut() {
    for seed in 0..60 {
        let mut random = Random::new(seed);
        let shape = (1 + random.below(8), 1 + random.below(8));
        let whole = Array2::from_shape_fn(shape, |_| random.below(9) as i32 - 4);
        let x = Array::from_array(whole.clone(), (1 + random.below(4), 1 + random.below(4)));
        let axis = Axis(random.below(2));
        let n = whole.len_of(axis);
        let sorted = answer(&x.sort(axis));
        let (kth, k) = (random.below(n), random.below(n + 3));
        let (parted, places) = (answer(&x.partition(kth, axis)), answer(&x.argpartition(kth, axis)));
        let best = answer(&x.topk(k as isize, axis));
        let lanes = whole.lanes(axis).into_iter().zip(sorted.lanes(axis)).enumerate();
        for (number, (line, found)) in lanes {
            let mut want = line.to_vec();
            want.sort_unstable();
            assert_eq!(found.to_vec(), want, "seed {seed}");
            let parted = parted.lanes(axis).into_iter().nth(number).unwrap().to_vec();
            assert_eq!(parted[kth], want[kth], "seed {seed}");
            assert!(
                parted[..kth].iter().all(|x| *x <= want[kth])
                    && parted[kth..].iter().all(|x| *x >= want[kth])
            );
            let places = places.lanes(axis).into_iter().nth(number).unwrap();
            assert_eq!(line[places[kth] as usize], want[kth], "seed {seed}");
            want.reverse();
            want.truncate(k);
            assert_eq!(
                best.lanes(axis).into_iter().nth(number).unwrap().to_vec(),
                want,
                "seed {seed}, k {k}"
            );
        }
    }
}

#[test]
fn a_long_line_gives_its_largest_by_a_tree() {
    let n = 10_000_u64;
    let x = Array::from_shape_fn(n as usize, 37, |i| (i as u64 * 7919) % 10_007);
    let mut want: Vec<u64> = (0..n).map(|i| i * 7919 % 10_007).collect();
    want.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(answer(&x.topk(5, Axis(0))), Array1::from_vec(want[..5].to_vec()));
    assert_eq!(x.median().compute().unwrap(), (want[4_999] + want[5_000]) as f64 / 2.0);
}

#[test]
fn hostile_numbers_stand_where_they_should() {
    let x = Array::from_array(arr1(&[f64::NAN, 1.0, f64::NEG_INFINITY, f64::NAN, f64::INFINITY]), 2);
    let sorted = x.sort(Axis(0)).compute().unwrap();
    assert_eq!(sorted.slice(musher_array::ndarray::s![..3]), arr1(&[f64::NEG_INFINITY, 1.0, f64::INFINITY]));
    assert!(sorted[3].is_nan() && sorted[4].is_nan());
    assert!(x.median().compute().unwrap().is_nan());
    assert_eq!(x.over(All).skip_nan().median().compute().unwrap(), 1.0);
    let counted = Array::from_array(arr1(&[false, true, true, true, true]), 3);
    assert!(x.over(All).where_true(&counted).median().compute().unwrap().is_nan(), "a NaN that counts");
    assert_eq!(x.over(All).where_true(&counted).skip_nan().median().compute().unwrap(), 1.0);
    let none = Array::<f64, _>::zeros(0, 1);
    assert!(none.median().compute().unwrap().is_nan());
    assert_eq!(none.sort(Axis(0)).compute().unwrap().len(), 0);
    assert_eq!(none.topk(3, Axis(0)).compute().unwrap().len(), 0);
    let kept =
        Array::<f32, _>::ones((3, 4), 2).over(Axis(1)).keep_axes().quantile(0.5, Interpolation::Linear);
    assert_eq!(kept.compute().unwrap(), Array2::<f32>::ones((3, 1)));
}

#[test]
fn what_is_no_place_or_share_is_told() {
    let x = Array::<f64, _>::zeros((3, 4), 2);
    assert!(matches!(x.try_sort(Axis(2)), Err(Error::Axis { .. })));
    assert!(matches!(x.try_argtopk(1, Axis(2)), Err(Error::Axis { .. })));
    assert!(matches!(x.try_partition(4, Axis(1)), Err(Error::Index { index: 4, .. })));
    for q in [-0.1, 1.1, f64::NAN] {
        assert!(matches!(x.over(All).try_quantile(q, Interpolation::Linear), Err(Error::Arrangement { .. })));
    }
    assert!(matches!(
        x.over(All).try_percentile(101.0, Interpolation::Lower),
        Err(Error::Arrangement { .. })
    ));
    let mask = Array::from_elem((2, 2), true, 2);
    assert!(matches!(x.over(All).where_true(&mask).try_median(), Err(Error::Shapes { .. })));
}
