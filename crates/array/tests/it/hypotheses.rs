//! Tests of hypotheses as SciPy has them, and masked arrays as `numpy.ma`, for several ways to cut the inputs.

use crate::blocks::answer;
use crate::cases::{Case, cases_of};
use musher_array::masked::{self, MaskedArray};
use musher_array::ndarray::{ArrayD, Axis, IxDyn, arr1};
use musher_array::stats::{self, TestResult};
use musher_array::{All, Array, Element, Error, Over, Real};
use musher_scheduler::Compute;
use serde_json::Value;

/// Block lengths along every axis.
const CUTS: [usize; 2] = [100, 3];

/// Of the size of an answer: sums are made in another order than NumPy's, and far from 0 six digits of sixteen are lost.
const TOLERANCE: f64 = 1e-12;
const FAR: f64 = 1e-6;

/// What stands for elements that do not count in the golden files.
const MASKED: f64 = -77.0;

type X = Array<f64, IxDyn>;

#[track_caller]
fn near(case: &Case, found: &ArrayD<f64>, want: &ArrayD<f64>) {
    assert_eq!(found.shape(), want.shape(), "{}", case.name());
    let tolerance = if case.name().contains("far") { FAR } else { TOLERANCE };
    for (a, b) in found.iter().zip(want) {
        let same = a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * b.abs().max(1e-3);
        assert!(same, "{}: {a} for {b}\n{found}\nfor\n{want}", case.name());
    }
}

/// The lines of an input, about to be asked.
fn over<'a>(case: &Case, x: &'a X) -> Over<'a, f64, IxDyn, IxDyn> {
    let over = x.over(&[case.axis().unwrap()][..]);
    if case.parameter("skip") == &Value::Bool(true) { over.skip_nan() } else { over }
}

fn hypothesis(case: &Case, cut: usize) {
    let xs: Vec<X> = (0..case.n_inputs()).map(|at| case.load(at, cut + at)).collect();
    let first = || over(case, &xs[0]);
    let number = |name: &str| case.parameter(name).as_f64().unwrap();
    let alone = match case.operation() {
        "skew" => Some(stats::skew(first())),
        "skew_unbiased" => Some(stats::skew_unbiased(first())),
        "kurtosis" => Some(stats::kurtosis(first())),
        "kurtosis_unbiased" => Some(stats::kurtosis_unbiased(first())),
        _ => None,
    };
    if let Some(alone) = alone {
        return near(case, &answer(&alone.unwrap()), &case.want());
    }
    let found: Result<TestResult<IxDyn>, Error> = match case.operation() {
        "ttest_1samp" => stats::ttest_1samp(first(), number("mean")),
        "ttest_ind" => stats::ttest_ind(first(), over(case, &xs[1])),
        "ttest_welch" => stats::ttest_welch(first(), over(case, &xs[1])),
        "ttest_rel" => stats::ttest_rel(first(), &xs[1]),
        "f_oneway" => stats::f_oneway(&xs.iter().map(|x| over(case, x)).collect::<Vec<_>>()),
        "skewtest" => stats::skewtest(first()),
        "kurtosistest" => stats::kurtosistest(first()),
        "normaltest" => stats::normaltest(first()),
        "jarque_bera" => stats::jarque_bera(first()),
        "power_divergence" => {
            let (ddof, power) = (number("ddof"), number("power"));
            stats::power_divergence(first(), xs.get(1), ddof, power)
        }
        other => panic!("nobody reads the cases of {other}"),
    };
    let found = found.unwrap();
    let want: ArrayD<f64> = case.want();
    near(case, &answer(&found.statistic), &want.index_axis(Axis(0), 0).to_owned());
    near(case, &answer(&found.p_value), &want.index_axis(Axis(0), 1).to_owned());
}

fn maker(case: &Case, x: &Array<i64, IxDyn>) -> MaskedArray<i64, IxDyn> {
    match case.parameter("maker").as_str().unwrap() {
        "masked_equal" => masked::masked_equal(x, 4),
        "masked_not_equal" => masked::masked_not_equal(x, 4),
        "masked_greater" => masked::masked_greater(x, 3),
        "masked_greater_equal" => masked::masked_greater_equal(x, 3),
        "masked_less" => masked::masked_less(x, -3),
        "masked_less_equal" => masked::masked_less_equal(x, -3),
        "masked_inside" => masked::masked_inside(x, 5, -3),
        "masked_outside" => masked::masked_outside(x, 5, -3),
        "masked_where" => masked::masked_where(&x.rem_euclid(5).eq_elem(0), x).unwrap(),
        "none" => masked::masked_greater(x, 99),
        _ => masked::masked_less(x, 99),
    }
}

/// A reduction of a masked array; what does not count is the mark of the golden files.
fn reduced<A: Real>(case: &Case, x: &MaskedArray<A, IxDyn>) -> ArrayD<f64> {
    fn marked<B: Element>(found: Result<MaskedArray<B, IxDyn>, Error>) -> ArrayD<f64> {
        let floats = found.unwrap().map(|data| data.cast::<f64>()).unwrap();
        answer(&floats.filled(MASKED))
    }
    let all: Vec<Axis> = (0..x.shape().len()).map(Axis).collect();
    let one = case.axis().map(|axis| vec![axis]);
    let axes = one.as_deref().unwrap_or(&all);
    match case.parameter("function").as_str().unwrap() {
        "count" => answer(&x.count(axes).unwrap().cast::<f64>()),
        "sum" => marked(x.sum(axes)),
        "mean" => marked(x.mean(axes)),
        "min" => marked(x.min(axes)),
        "max" => marked(x.max(axes)),
        "prod" => marked(x.map(|data| data.cast::<f64>()).unwrap().product(axes)),
        "var" => marked(x.var(axes, 0.0)),
        _ => marked(x.std(axes, 0.0)),
    }
}

/// Whether a case is one of masked arrays.
fn of_masked(case: &Case, cut: usize) -> bool {
    let whole = || maker(case, &case.load(0, cut));
    match case.operation() {
        "make" => assert_eq!(answer(&whole().filled(-77)), case.want::<i64>(), "{}", case.name()),
        "reduce" => near(case, &reduced(case, &whole()), &case.want()),
        "make_float" => {
            let x: X = case.load(0, cut);
            let found = match case.parameter("maker").as_str().unwrap() {
                "masked_invalid" => masked::masked_invalid(&x).filled(MASKED),
                "fix_invalid" => masked::fix_invalid(&x, 5.0).data().clone(),
                _ => masked::masked_values(&x, 3.0, 1e-5, 1e-8).filled(MASKED),
            };
            assert_eq!(answer(&found), case.want::<f64>(), "{}", case.name());
        }
        "floats" => {
            let x = masked::masked_values(&case.load::<f64>(0, cut), 3.0, 1e-5, 1e-8);
            near(case, &reduced(case, &x), &case.want());
        }
        "operate" => {
            let wild = masked::masked_invalid(&case.load::<f64>(0, cut));
            let tame = masked::masked_values(&case.load::<f64>(1, cut + 1), 3.0, 1e-5, 1e-8);
            let found = match case.parameter("operator").as_str().unwrap() {
                "add" => &wild + &tame,
                "sub" => &wild - &tame,
                "mul" => &wild * &tame,
                "div" => &wild / &tame,
                "neg" => -&wild,
                _ => &wild * 2.0,
            };
            assert_eq!(answer(&found.filled(MASKED)), case.want::<f64>(), "{}", case.name());
        }
        // The unit tests of special functions read these.
        "student" | "chi_square" | "fisher" => {}
        _ => return false,
    }
    true
}

#[test]
fn hypotheses_and_masks_are_those_of_scipy_and_numpy() {
    for case in cases_of("array_hypotheses") {
        for cut in CUTS {
            if !of_masked(&case, cut) {
                hypothesis(&case, cut);
            }
        }
    }
}

#[test]
fn masks_and_nan_are_left_out_together() {
    let x = Array::from_array(arr1(&[1.0, f64::NAN, 100.0, 2.0, 6.0]), 2);
    let plain = Array::from_array(arr1(&[1.0, 2.0, 6.0]), 2);
    let counts = x.ne_elem(100.0);
    let ask = |over: Over<'_, f64, _, _>| stats::skew(over).unwrap().compute().unwrap();
    let found = ask(x.over(All).skip_nan().where_true(&counts));
    assert!((found - ask(plain.over(All))).abs() < 1e-15);
    let test = stats::ttest_1samp(x.over(All).skip_nan().where_true(&counts), 1.5).unwrap();
    let want = stats::ttest_1samp(plain.over(All), 1.5).unwrap();
    assert!((test.statistic.compute().unwrap() - want.statistic.compute().unwrap()).abs() < 1e-14);
    assert!(stats::skew(Array::from_array(arr1(&[1, 1, 4]), 2).over(All)).unwrap().shape().is_empty());
}

#[test]
fn of_too_few_numbers_nothing_is_known() {
    let none = Array::<f64, _>::zeros(0, 1);
    let one = Array::<f64, _>::ones(1, 1);
    for x in [none, one] {
        let over = || x.over(All);
        let pairs = [
            stats::ttest_1samp(over(), 0.0),
            stats::skewtest(over()),
            stats::kurtosistest(over()),
            stats::normaltest(over()),
        ];
        for found in pairs {
            let found = found.unwrap();
            assert!(found.statistic.compute().unwrap().is_nan() && found.p_value.compute().unwrap().is_nan());
        }
        assert!(stats::skew(over()).unwrap().compute().unwrap().is_nan());
        assert!(stats::kurtosis_unbiased(over()).unwrap().compute().unwrap().is_nan());
    }
}

#[test]
fn what_shapes_refuse_is_told() {
    let x = Array::<f64, _>::zeros((3, 4), 2);
    let other = Array::<f64, _>::zeros((3, 5), 2);
    assert!(matches!(stats::ttest_ind(x.over(Axis(0)), other.over(Axis(0))), Err(Error::Shapes { .. })));
    assert!(matches!(stats::ttest_rel(x.over(Axis(0)), &other), Err(Error::Shapes { .. })));
    assert!(matches!(stats::f_oneway(&[x.over(Axis(0))]), Err(Error::Arrangement { .. })));
    assert!(matches!(stats::chisquare(x.over(Axis(0)), Some(&other), 0.0), Err(Error::Shapes { .. })));
    assert!(matches!(masked::masked_where(&other.gt(0.0), &x), Err(Error::Shapes { .. })));
    assert!(matches!(MaskedArray::new(&x, &other.gt(0.0)), Err(Error::Shapes { .. })));
    let whole = masked::masked_less(&x, 0.0);
    assert!(matches!(whole.sum(Axis(2)), Err(Error::Axis { .. })));
    assert!(matches!(whole.over(Axis(2)), Err(Error::Axis { .. })));
    assert!(matches!(whole.map(|data| data.slice_axis(Axis(0), (..1).into())), Err(Error::Shapes { .. })));
    let others = masked::masked_less(&other, 0.0);
    assert!(matches!(whole.zip(&others, |a, b| a.try_add(b)), Err(Error::Shapes { .. })));
}

#[test]
fn a_masked_array_is_reduced_by_name() {
    let x = Array::from_array(arr1(&[3.0, 100.0, 1.0]), 2);
    let known = MaskedArray::new(&x, &x.gt(50.0)).unwrap();
    assert_eq!(known.over(All).unwrap().argmin().compute().unwrap(), 2);
    let both = known.zip(&masked::masked_equal(&x, 1.0), |a, b| a.try_mul(b)).unwrap();
    assert_eq!(both.filled(0.0).compute().unwrap(), arr1(&[9.0, 0.0, 0.0]));
    assert_eq!(both.mask().compute().unwrap(), arr1(&[false, true, true]));
}

/// The answers are those of `scipy.stats` 1.17.1.
#[test]
fn a_sample_of_one_number_has_no_variance_and_still_counts() {
    let [three, one, two] =
        [&[1.0, 2.0, 3.0][..], &[5.0], &[4.0, 6.0]].map(|x| Array::from_array(arr1(x), 2));
    let f = stats::f_oneway(&[three.over(All), one.over(All), two.over(All)]).unwrap();
    assert!((f.statistic.compute().unwrap() - 5.0625).abs() < 1e-12);
    let t = stats::ttest_ind(three.over(All), one.over(All)).unwrap();
    assert!((t.statistic.compute().unwrap() + 2.598_076_211_353_316).abs() < 1e-12);
    assert!((t.p_value.compute().unwrap() - 0.121_690).abs() < 1e-5);
    // Once a series without an end.
    let far = stats::power_divergence(
        Array::from_array(arr1(&[536_870_913.0]), 1).over(All),
        Some(&Array::from_array(arr1(&[1.0]), 1)),
        -288_230_376_151_711_744.0,
        1.0,
    );
    assert!((far.unwrap().p_value.compute().unwrap() - 0.5).abs() < 1e-6);
}
