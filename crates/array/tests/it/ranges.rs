//! Orders of lines in many blocks, quantiles of all elements and distinct elements, as NumPy has them, for several ways to cut
//! the inputs.

use crate::blocks::answer;
use crate::cases::{Case, cases_of};
use musher_array::ndarray::{Array1, ArrayD, Axis, IxDyn};
use musher_array::{All, Array, Element, Interpolation, Selected};
use musher_scheduler::{Compute, Options};
use musher_testkit::Random;

/// Block lengths along every axis.
const CUTS: [usize; 4] = [100, 1, 3, 16];

/// A quantile between two elements is rounded as NumPy's, or once more.
const TOLERANCE: f64 = 4e-16;

type X = Array<f64, IxDyn>;

/// NaN equals NaN.
fn is_same<A: Element>(one: A, other: A) -> bool {
    #[expect(
        clippy::eq_op,
        reason = "only a NaN differs from itself, and not every element type has `is_nan`"
    )]
    let both_nan = one != one && other != other;
    one == other || both_nan
}

#[track_caller]
fn same<A: Element>(case: &Case, cut: usize, found: &ArrayD<A>) {
    let want = case.want::<A>();
    assert_eq!(found.shape(), want.shape(), "{}", case.name());
    let equal = found.iter().zip(&want).all(|(&a, &b)| is_same(a, b));
    assert!(equal, "{}, blocks of {cut}:\n{found}\nfor\n{want}", case.name());
}

#[track_caller]
fn near(case: &Case, cut: usize, found: &ArrayD<f64>) {
    let want = case.want::<f64>();
    let close = |(&a, &b): (&f64, &f64)| is_same(a, b) || (a - b).abs() <= TOLERANCE * b.abs().max(1.0);
    assert_eq!(found.shape(), want.shape(), "{}", case.name());
    assert!(found.iter().zip(&want).all(close), "{}, blocks of {cut}:\n{found}\nfor\n{want}", case.name());
}

fn chosen<A: Element>(selected: &Selected<A>) -> ArrayD<A> {
    let all = selected.compute_with(&Options::sequential()).unwrap();
    assert_eq!(selected.len().compute().unwrap(), all.len() as u64);
    let counted = selected.counted().unwrap().compute().unwrap();
    assert!(counted.iter().zip(&all).all(|(&a, &b)| is_same(a, b)) && counted.len() == all.len());
    all.into_dyn()
}

fn numbers(case: &Case, name: &str) -> Vec<f64> {
    case.parameter(name).as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn check(case: &Case, cut: usize) {
    let x = || -> X { case.load(0, cut) };
    let whole = || -> Array<i64, IxDyn> { case.load(0, cut) };
    let how = || match case.parameter("method").as_str().unwrap() {
        "linear" => Interpolation::Linear,
        "lower" => Interpolation::Lower,
        "higher" => Interpolation::Higher,
        "nearest" => Interpolation::Nearest,
        _ => Interpolation::Midpoint,
    };
    match case.operation() {
        "sort" => same(case, cut, &answer(&x().sort(Axis(0)))),
        "argsort" => same(case, cut, &answer(&x().argsort(Axis(0)))),
        "sort_whole" => same(case, cut, &answer(&whole().sort(Axis(0)))),
        "argsort_whole" => same(case, cut, &answer(&whole().argsort(Axis(0)))),
        "quantiles" => near(case, cut, &answer(&x().quantiles(&numbers(case, "q"), how()).into_dyn())),
        "nanquantiles" => {
            let found = x().over(All).skip_nan().quantiles(&numbers(case, "q"), how());
            near(case, cut, &answer(&found.into_dyn()));
        }
        "percentiles_whole" => {
            let found = whole().percentiles(&numbers(case, "p"), Interpolation::Linear);
            near(case, cut, &answer(&found.into_dyn()));
        }
        "unique" => {
            same(case, cut, &chosen(&x().unique()));
            same(case, cut, &chosen(&x().unique_all().values));
        }
        "unique_counts" => same(case, cut, &chosen(&x().unique_all().counts)),
        "unique_indices" => same(case, cut, &chosen(&x().unique_all().indices)),
        "unique_inverse" => same(case, cut, &answer(&x().unique_all().inverse)),
        "unique_whole" => same(case, cut, &chosen(&whole().unique())),
        "unique_counts_whole" => same(case, cut, &chosen(&whole().unique_all().counts)),
        "unique_indices_whole" => same(case, cut, &chosen(&whole().unique_all().indices)),
        "unique_inverse_whole" => same(case, cut, &answer(&whole().unique_all().inverse)),
        other => panic!("nobody reads the cases of {other}"),
    }
}

#[test]
fn orders_of_many_blocks_are_those_of_numpy() {
    for case in cases_of("array_ranges") {
        for cut in CUTS {
            check(&case, cut);
        }
    }
}

#[test]
fn long_lines_are_sorted_whatever_is_in_them() {
    for (seed, n_values) in [(1, 3), (2, 1000), (3, usize::MAX >> 8)] {
        let mut random = Random::new(seed);
        let whole: Vec<i64> = (0..40_000).map(|_| random.below(n_values) as i64 - 500).collect();
        let x = Array::from_array(Array1::from_vec(whole.clone()), 1 + random.below(2000));
        let mut places: Vec<u64> = (0..40_000).collect();
        places.sort_by_key(|&place| whole[place as usize]);
        let want: Vec<i64> = places.iter().map(|&place| whole[place as usize]).collect();
        assert_eq!(answer(&x.sort(Axis(0))).to_vec(), want);
        assert_eq!(answer(&x.argsort(Axis(0))).to_vec(), places);
        assert_eq!(x.sort(Axis(0)).chunks(), x.chunks());
        assert_eq!(answer(&x.partition(777, Axis(0)))[777], want[777]);
        assert_eq!(whole[answer(&x.argpartition(777, Axis(0)))[777] as usize], want[777]);
        let mut distinct = want.clone();
        distinct.dedup();
        assert_eq!(x.unique().compute().unwrap().to_vec(), distinct);
        let inverse = answer(&x.unique_all().inverse);
        assert!(inverse.iter().zip(&whole).all(|(&at, value)| distinct[at as usize] == *value));
        let q = x.quantiles(&[0.25], Interpolation::Lower).compute().unwrap()[0];
        assert_eq!(q, want[(39_999.0 * 0.25_f64) as usize] as f64);
    }
}

#[test]
fn sorted_lines_go_on_as_arrays() {
    let x = Array::from_shape_fn(1000, 64, |i| ((i * 7919) % 1009) as f32);
    let mut want: Vec<f32> = (0..1000).map(|i| 2.0 * ((i * 7919) % 1009) as f32).collect();
    want.sort_unstable_by(f32::total_cmp);
    assert_eq!((x.sort(Axis(0)) * 2.0).compute().unwrap().to_vec(), want);
    let bools = Array::from_shape_fn(100, 7, |i| i % 3 == 0);
    assert_eq!(bools.unique().compute().unwrap().to_vec(), [false, true]);
}
