//! The answers of NumPy, for several ways to cut the inputs.

use crate::blocks::{answer, bits, golden, golden_array};
use musher_array::ndarray::{self, ArrayD, Axis, IxDyn, SliceInfoElem};
use musher_array::{Array, Chunks, Element, Error, Number, Plain, Real, concatenate, select, stack};
use musher_scheduler::{Compute, Options};
use serde_json::Value;

/// Functions of the platform's library may differ from NumPy's by this many units in the last place.
const UNITS: u64 = 2;

/// Relative tolerance where NumPy adds in another order: 1e-15 × log2 of a few thousand elements, and room for the
/// single-precision sums that NumPy makes in single precision.
const SUM_TOLERANCE: f64 = 2e-14;
const SINGLE_TOLERANCE: f64 = 3e-6;

/// Block lengths along every axis.
const CUTS: [usize; 4] = [100, 1, 2, 3];

struct Case(Value);

impl Case {
    fn name(&self) -> &str {
        self.0["name"].as_str().unwrap()
    }

    fn input(&self, at: usize) -> &str {
        self.0["inputs"][at].as_str().unwrap().trim_end_matches(".npy")
    }

    fn output(&self) -> &str {
        self.0["output"].as_str().unwrap().trim_end_matches(".npy")
    }

    fn parameter(&self, name: &str) -> &Value {
        &self.0["parameters"][name]
    }

    fn axis(&self) -> Option<Axis> {
        self.parameter("axis").as_u64().map(|axis| Axis(axis as usize))
    }

    fn numbers(&self, name: &str) -> Vec<usize> {
        let values = self.parameter(name).as_array().unwrap();
        values.iter().map(|value| value.as_u64().unwrap() as usize).collect()
    }

    /// An input in blocks of this length.
    fn load<A: Element>(&self, at: usize, cut: usize) -> Array<A, IxDyn> {
        golden_array(self.input(at), cut)
    }

    /// NumPy's answer.
    fn want<A: Element>(&self) -> ArrayD<A> {
        let answer: Array<A, IxDyn> = golden_array(self.output(), Chunks::whole());
        answer.compute_with(&Options::sequential()).unwrap()
    }
}

/// The cases of some operations; a list that names none is a mistake in the test.
fn cases(operations: &[&str]) -> Vec<Case> {
    let text = std::fs::read_to_string(golden("array/cases.json")).unwrap();
    let all: Vec<Value> = serde_json::from_str(&text).unwrap();
    for operation in operations {
        assert!(all.iter().any(|case| case["operation"] == *operation), "no case of {operation}");
    }
    let chosen =
        all.into_iter().filter(|case| operations.iter().any(|operation| case["operation"] == *operation));
    chosen.map(Case).collect()
}

/// How far apart two floats are, in units of the last place; NaNs are equal.
fn units(a: f64, b: f64) -> u64 {
    let line = |x: f64| {
        let bits = x.to_bits() as i64;
        if bits < 0 { i64::MIN.wrapping_sub(bits) } else { bits }
    };
    if a.is_nan() && b.is_nan() { 0 } else { line(a).abs_diff(line(b)) }
}

#[track_caller]
fn same<A: Element>(case: &Case, cut: usize, found: &ArrayD<A>, want: &ArrayD<A>) {
    assert_eq!(found.shape(), want.shape(), "{} in blocks of {cut}", case.name());
    // NaNs may differ in sign: IEEE 754 leaves it open.
    #[expect(
        clippy::eq_op,
        reason = "only a NaN differs from itself, and not every element type has `is_nan`"
    )]
    let equal = found.iter().zip(want).all(|(a, b)| a == b || (a != a && b != b));
    assert!(equal, "{} in blocks of {cut}:\n{found}\nbut NumPy\n{want}", case.name());
}

#[track_caller]
fn close(case: &Case, cut: usize, found: &ArrayD<f64>, want: &ArrayD<f64>, tolerance: f64) {
    assert_eq!(found.shape(), want.shape(), "{} in blocks of {cut}", case.name());
    let scale = want.iter().filter(|x| x.is_finite()).fold(0.0_f64, |most, x| most.max(x.abs()));
    for (a, b) in found.iter().zip(want) {
        let near = (a - b).abs() <= tolerance * scale;
        assert!(
            near || a == b || (a.is_nan() && b.is_nan()),
            "{} in blocks of {cut}: {a} for {b}",
            case.name()
        );
    }
}

/// A function of one or two arrays of floats.
fn float_function(
    operation: &str,
    x: &Array<f64, IxDyn>,
    y: Option<&Array<f64, IxDyn>>,
) -> Array<f64, IxDyn> {
    let y = || y.expect("a second input");
    match operation {
        "add" => x + y(),
        "subtract" => x - y(),
        "multiply" => x * y(),
        "divide" => x / y(),
        "remainder" => x % y(),
        "power" => x.powf(y()),
        "maximum" => x.maximum(y()),
        "minimum" => x.minimum(y()),
        "arctan2" => x.atan2(y()),
        "hypot" => x.hypot(y()),
        "negative" => -x,
        "absolute" => x.abs(),
        "floor" => x.floor(),
        "ceil" => x.ceil(),
        "trunc" => x.trunc(),
        "rint" => x.round_ties_even(),
        "square" => x.square(),
        "exp" => x.exp(),
        "expm1" => x.exp_m1(),
        "sin" => x.sin(),
        "cos" => x.cos(),
        "tan" => x.tan(),
        "tanh" => x.tanh(),
        "arctan" => x.atan(),
        "sign" => x.signum(),
        "sqrt" => x.sqrt(),
        "ln" => x.ln(),
        "log2" => x.log2(),
        "log10" => x.log10(),
        "ln_1p" => x.ln_1p(),
        "recip" => x.recip(),
        _ => panic!("{operation} is no function of floats"),
    }
}

const EXACT: &[&str] = &[
    "add",
    "subtract",
    "multiply",
    "divide",
    "remainder",
    "maximum",
    "minimum",
    "negative",
    "absolute",
    "floor",
    "ceil",
    "trunc",
    "rint",
    "square",
    "sign",
    "sqrt",
    "recip",
];

const LIBRARY: &[&str] = &[
    "power", "arctan2", "hypot", "exp", "expm1", "sin", "cos", "tan", "tanh", "arctan", "ln", "log2",
    "log10", "ln_1p",
];

#[test]
fn functions_of_floats() {
    for case in cases(&[EXACT, LIBRARY].concat()) {
        let operation = case.0["operation"].as_str().unwrap();
        let two = case.0["inputs"].as_array().unwrap().len() == 2;
        if case.input(0).starts_with("single")
            || case.input(0).starts_with("whole")
            || case.name() == "add_scalar"
        {
            continue;
        }
        let want = case.want::<f64>();
        for cut in CUTS {
            let x = case.load::<f64>(0, cut);
            // The second one is cut in another way: blocks are brought into line.
            let y = two.then(|| case.load::<f64>(1, cut + 1));
            let found = answer(&float_function(operation, &x, y.as_ref()));
            if EXACT.contains(&operation) {
                same(&case, cut, &found, &want);
            } else {
                assert_eq!(found.shape(), want.shape());
                for (&a, &b) in found.iter().zip(&want) {
                    assert!(units(a, b) <= UNITS, "{} in blocks of {cut}: {a:e} for {b:e}", case.name());
                }
            }
        }
    }
}

#[test]
fn functions_of_singles_and_integers() {
    for case in cases(&["add", "subtract", "multiply", "divide", "maximum", "minimum", "remainder"]) {
        let operation = case.0["operation"].as_str().unwrap().to_owned();
        fn apply<A: Real>(operation: &str, x: &Array<A, IxDyn>, y: &Array<A, IxDyn>) -> Array<A, IxDyn> {
            match operation {
                "add" => x + y,
                "subtract" => x - y,
                "multiply" => x * y,
                "divide" => x / y,
                "maximum" => x.maximum(y),
                "minimum" => x.minimum(y),
                _ => x % y,
            }
        }
        for cut in CUTS {
            if case.input(0) == "single" {
                let found = answer(&apply::<f32>(&operation, &case.load(0, cut), &case.load(1, cut)));
                same(&case, cut, &found, &case.want::<f32>());
            } else if case.input(0) == "whole" {
                let found = answer(&apply::<i64>(&operation, &case.load(0, cut), &case.load(1, cut)));
                same(&case, cut, &found, &case.want::<i64>());
            }
        }
    }
}

#[test]
fn comparisons_and_tests() {
    fn apply<A: Element>(operation: &str, x: &Array<A, IxDyn>, y: &Array<A, IxDyn>) -> Array<bool, IxDyn> {
        match operation {
            "less" => x.lt(y),
            "less_equal" => x.le(y),
            "greater" => x.gt(y),
            "greater_equal" => x.ge(y),
            "equal" => x.eq_elem(y),
            _ => x.ne_elem(y),
        }
    }
    for case in cases(&["less", "less_equal", "greater", "greater_equal", "equal", "not_equal"]) {
        let operation = case.0["operation"].as_str().unwrap().to_owned();
        for cut in CUTS {
            let found = match case.input(0) {
                "single" => apply::<f32>(&operation, &case.load(0, cut), &case.load(1, cut)),
                "whole" => apply::<i64>(&operation, &case.load(0, cut), &case.load(1, cut)),
                _ => apply::<f64>(&operation, &case.load(0, cut), &case.load(1, cut)),
            };
            same(&case, cut, &answer(&found), &case.want::<bool>());
        }
    }
    for case in cases(&["isnan", "isfinite"]) {
        for cut in CUTS {
            let x = case.load::<f64>(0, cut);
            let found = if case.name().starts_with("isnan") { x.is_nan() } else { x.is_finite() };
            same(&case, cut, &answer(&found), &case.want::<bool>());
        }
    }
}

#[test]
fn scalars_clip_and_select() {
    for cut in CUTS {
        for case in cases(&["clip"]) {
            let x = case.load::<f64>(0, cut);
            let (low, high) =
                (case.parameter("low").as_f64().unwrap(), case.parameter("high").as_f64().unwrap());
            same(&case, cut, &answer(&x.clip(low, high)), &case.want::<f64>());
        }
        for case in cases(&["select"]) {
            let (mask, x) = (case.load::<bool>(0, cut), case.load::<f64>(1, cut));
            let found = match case.parameter("otherwise").as_f64() {
                Some(value) => select(&mask, &x, value),
                None => select(&mask, &x, &case.load::<f64>(2, cut + 1)),
            };
            same(&case, cut, &answer(&found), &case.want::<f64>());
        }
        for case in cases(&["subtract_from", "add"]) {
            let Some(scalar) = case.parameter("scalar").as_f64() else { continue };
            let x = case.load::<f64>(0, cut);
            let found = if case.name() == "add_scalar" { &x + scalar } else { scalar - &x };
            same(&case, cut, &answer(&found), &case.want::<f64>());
        }
    }
}

#[test]
fn transposed_and_broadcast_operands_meet() {
    for cut in CUTS {
        for case in cases(&["add_transposed"]) {
            let found = case.load::<f64>(0, cut) + case.load::<f64>(1, cut).t();
            same(&case, cut, &answer(&found), &case.want::<f64>());
        }
        for case in cases(&["x_plus_xt_minus_column_mean"]) {
            let x = case.load::<f64>(0, cut);
            let found = &x + x.t() - x.mean_axis(Axis(0));
            close(&case, cut, &answer(&found), &case.want::<f64>(), SUM_TOLERANCE);
        }
    }
}

/// Runs a reduction of an array of floats in either precision.
macro_rules! reduced {
    ($case:expr, $cut:expr, $x:expr, $all:ident, $axis:ident $(, $extra:expr)*) => {
        match $case.axis() {
            None => answer(&$x.$all($($extra),*).into_dyn()),
            Some(axis) => answer(&$x.$axis(axis $(, $extra)*)),
        }
    };
}

#[test]
fn sums_products_and_means() {
    fn wide(array: ArrayD<f32>) -> ArrayD<f64> {
        array.mapv(f64::from)
    }
    for case in cases(&["sum", "product", "mean"]) {
        let operation = case.0["operation"].as_str().unwrap();
        for cut in CUTS {
            match case.input(0) {
                "int32" | "int64" | "byte" | "truth" if operation == "product" => panic!("not in the list"),
                "cube32" => {
                    let x = case.load::<f32>(0, cut);
                    let found = match operation {
                        "sum" => reduced!(case, cut, x, sum, sum_axis),
                        "product" => reduced!(case, cut, x, product, product_axis),
                        _ => reduced!(case, cut, x, mean, mean_axis),
                    };
                    close(&case, cut, &wide(found), &wide(case.want::<f32>()), SINGLE_TOLERANCE);
                }
                "int32" => integer::<i32>(&case, cut, operation),
                "int64" => integer::<i64>(&case, cut, operation),
                "byte" => integer::<u8>(&case, cut, operation),
                "truth" => {
                    let x = case.load::<bool>(0, cut);
                    if operation == "sum" {
                        let found = reduced!(case, cut, x, count_true, count_true_axis).mapv(|n| n as i64);
                        same(&case, cut, &found, &case.want::<i64>());
                    } else {
                        let found = reduced!(case, cut, x.cast::<u8>(), mean, mean_axis);
                        close(&case, cut, &found, &case.want::<f64>(), SUM_TOLERANCE);
                    }
                }
                _ => {
                    let x = case.load::<f64>(0, cut);
                    let found = match operation {
                        "sum" => reduced!(case, cut, x, sum, sum_axis),
                        "product" => reduced!(case, cut, x, product, product_axis),
                        _ => reduced!(case, cut, x, mean, mean_axis),
                    };
                    close(&case, cut, &found, &case.want::<f64>(), SUM_TOLERANCE);
                }
            }
        }
    }
}

/// Sums of integers are exact and wide; their means are floats.
fn integer<A: Number<Mean = f64>>(case: &Case, cut: usize, operation: &str) {
    let x = case.load::<A>(0, cut);
    if operation == "mean" {
        let found = reduced!(case, cut, x, mean, mean_axis);
        close(case, cut, &found, &case.want::<f64>(), SUM_TOLERANCE);
        return;
    }
    let found = reduced!(case, cut, x, sum, sum_axis);
    assert_eq!(bits(&found), bits(&case.want::<A::Sum>()), "{} in blocks of {cut}", case.name());
    assert!(["i64", "u64"].contains(&<A::Sum as Plain>::NAME));
}

#[test]
fn variances() {
    for case in cases(&["variance", "standard_deviation"]) {
        let ddof = case.parameter("ddof").as_f64().unwrap();
        let root = case.name().starts_with("standard");
        for cut in CUTS {
            macro_rules! found {
                ($x:expr) => {
                    match root {
                        true => reduced!(case, cut, $x, std_ddof, std_axis_ddof, ddof),
                        false => reduced!(case, cut, $x, var_ddof, var_axis_ddof, ddof),
                    }
                };
            }
            match case.input(0) {
                "cube32" => {
                    let found = found!(case.load::<f32>(0, cut)).mapv(f64::from);
                    close(&case, cut, &found, &case.want::<f32>().mapv(f64::from), SINGLE_TOLERANCE);
                }
                "int32" => close(&case, cut, &found!(case.load::<i32>(0, cut)), &case.want(), SUM_TOLERANCE),
                "int64" => close(&case, cut, &found!(case.load::<i64>(0, cut)), &case.want(), SUM_TOLERANCE),
                "byte" => close(&case, cut, &found!(case.load::<u8>(0, cut)), &case.want(), SUM_TOLERANCE),
                "truth" => {
                    let x = case.load::<bool>(0, cut).cast::<u8>();
                    close(&case, cut, &found!(x), &case.want(), SUM_TOLERANCE);
                }
                _ => close(&case, cut, &found!(case.load::<f64>(0, cut)), &case.want(), SUM_TOLERANCE),
            }
        }
    }
}

#[test]
fn extremes_and_their_places() {
    fn extreme<A: Element>(case: &Case, cut: usize) {
        let x = case.load::<A>(0, cut);
        let largest = case.0["operation"] == "max";
        if case.0["value"].is_string() {
            let error = match (largest, case.axis()) {
                (true, None) => x.try_max().map(Array::into_dyn).unwrap_err(),
                (true, Some(axis)) => x.try_max_axis(axis).unwrap_err(),
                (false, None) => x.try_min().map(Array::into_dyn).unwrap_err(),
                (false, Some(axis)) => x.try_min_axis(axis).unwrap_err(),
            };
            assert!(matches!(error, Error::EmptyReduction { .. }), "{error}");
            return;
        }
        let found = match largest {
            true => reduced!(case, cut, x, max, max_axis),
            false => reduced!(case, cut, x, min, min_axis),
        };
        same(case, cut, &found, &case.want::<A>());
    }
    for case in cases(&["min", "max"]) {
        for cut in CUTS {
            match case.input(0) {
                "cube32" => extreme::<f32>(&case, cut),
                "int32" => extreme::<i32>(&case, cut),
                "int64" => extreme::<i64>(&case, cut),
                "byte" => extreme::<u8>(&case, cut),
                "truth" => extreme::<bool>(&case, cut),
                _ => extreme::<f64>(&case, cut),
            }
        }
    }
    for case in cases(&["argmin", "argmax"]) {
        let largest = case.0["operation"] == "argmax";
        for cut in CUTS {
            macro_rules! found {
                ($x:expr) => {
                    match largest {
                        true => reduced!(case, cut, $x, argmax, argmax_axis),
                        false => reduced!(case, cut, $x, argmin, argmin_axis),
                    }
                };
            }
            let found = match case.input(0) {
                "cube32" => found!(case.load::<f32>(0, cut)),
                _ => found!(case.load::<f64>(0, cut)),
            };
            same(&case, cut, &found.mapv(|at| at as i64), &case.want::<i64>());
        }
    }
}

#[test]
fn truths() {
    for case in cases(&["any", "all"]) {
        let any = case.0["operation"] == "any";
        for cut in CUTS {
            let x = match case.input(0) {
                "cube32" => case.load::<f32>(0, cut).ne_elem(0.0),
                "int32" => case.load::<i32>(0, cut).ne_elem(0),
                "int64" => case.load::<i64>(0, cut).ne_elem(0),
                "byte" => case.load::<u8>(0, cut).ne_elem(0),
                "truth" => case.load::<bool>(0, cut),
                _ => case.load::<f64>(0, cut).ne_elem(0.0),
            };
            let found = match any {
                true => reduced!(case, cut, x, any, any_axis),
                false => reduced!(case, cut, x, all, all_axis),
            };
            same(&case, cut, &found, &case.want::<bool>());
        }
    }
}

#[test]
fn sums_beyond_64_bits_are_errors_and_float_sums_are_good() {
    for case in cases(&["exact_integer_sum"]) {
        let exact = case.0["value"].as_str().unwrap();
        for cut in CUTS {
            let error = match case.input(0) {
                "int64wide" => case.load::<i64>(0, cut).sum().compute().unwrap_err(),
                _ => case.load::<u64>(0, cut).sum().compute().unwrap_err(),
            };
            let mut text = error.to_string();
            let mut cause = std::error::Error::source(&error);
            while let Some(inner) = cause {
                text += &inner.to_string();
                cause = inner.source();
            }
            assert!(text.contains(exact), "{text}");
        }
    }
    for case in cases(&["exact_float_sum", "exact_mean", "exact_variance"]) {
        let want = case.0["value"].as_f64().unwrap();
        for cut in [7, 128, 1000, 5000] {
            let x = case.load::<f64>(0, cut);
            let (found, tolerance) = match case.0["operation"].as_str().unwrap() {
                "exact_float_sum" => (x.sum(), 1e-15 * 13.0 * 300.0),
                "exact_mean" => (x.mean(), 1e-15 * 13.0 * 300.0),
                _ => (x.var(), case.parameter("relative_tolerance").as_f64().unwrap()),
            };
            // Sums of `many` cancel by a factor of a few hundred, so relative errors grow by as much.
            let found = found.compute().unwrap();
            assert!(
                (found / want - 1.0).abs() <= tolerance,
                "{} in blocks of {cut}: {found} for {want}",
                case.name()
            );
        }
    }
}

#[test]
fn slices_indices_and_flips() {
    let everything = SliceInfoElem::Slice { start: 0, end: None, step: 1 };
    for case in cases(&["slice"]) {
        let indices: Vec<Vec<isize>> = serde_json::from_value(case.parameter("indices").clone()).unwrap();
        for cut in CUTS {
            let x = case.load::<f64>(0, cut);
            let mut info: Vec<SliceInfoElem> = Vec::new();
            for places in &indices {
                let Some((&first, &last)) = places.first().zip(places.last()) else {
                    info.push(SliceInfoElem::Slice { start: 2, end: Some(2), step: 1 });
                    continue;
                };
                let step = if places.len() > 1 { places[1] - places[0] } else { 1 };
                // ndarray cuts first and then reverses, NumPy the other way round.
                let (start, end) = if step > 0 { (first, last + 1) } else { (last, first + 1) };
                info.push(SliceInfoElem::Slice { start, end: Some(end), step });
            }
            let want = case.want::<f64>();
            let found = answer(&x.slice(info.as_slice()));
            same(&case, cut, &found, &want.into_shape_with_order(found.raw_dim()).unwrap());
        }
    }
    for case in cases(&["index_axis", "flip"]) {
        let axis = case.axis().unwrap();
        for cut in CUTS {
            let x = case.load::<f64>(0, cut);
            let found = match case.parameter("index").as_u64() {
                Some(index) => x.index_axis(axis, index as usize),
                None => {
                    let mut info = vec![everything; 3];
                    info[axis.0] = SliceInfoElem::Slice { start: 0, end: None, step: -1 };
                    x.slice(info.as_slice())
                }
            };
            same(&case, cut, &answer(&found), &case.want::<f64>());
        }
    }
}

#[test]
fn joins_and_layouts() {
    for cut in CUTS {
        for case in cases(&["concatenate", "stack"]) {
            let n = case.0["inputs"].as_array().unwrap().len();
            let arrays: Vec<_> = (0..n).map(|at| case.load::<f64>(at, cut + at)).collect();
            let arrays: Vec<_> = arrays.iter().collect();
            let found = match case.name().starts_with("stack") {
                true => stack(case.axis().unwrap(), &arrays).unwrap(),
                false => concatenate(case.axis().unwrap(), &arrays).unwrap(),
            };
            same(&case, cut, &answer(&found), &case.want::<f64>());
        }
        for case in cases(&["block"]) {
            let part = |at| case.load::<f64>(at, cut);
            let found = Array::block(&[vec![part(0), part(1)], vec![part(2), part(3)]]).unwrap();
            same(&case, cut, &answer(&found), &case.want::<f64>());
        }
        for case in cases(&["transpose"]) {
            let found = case.load::<f64>(0, cut).permuted_axes(case.numbers("axes"));
            same(&case, cut, &answer(&found), &case.want::<f64>());
        }
        for case in cases(&["insert_axis"]) {
            let found = case.load::<f64>(0, cut).insert_axis(case.axis().unwrap());
            same(&case, cut, &answer(&found), &case.want::<f64>());
        }
        for case in cases(&["reshape"]) {
            // (4, 5, 6) becomes (10, 12) where the first axis is cut into even halves and the others are whole.
            let x = case.load::<f64>(0, 100).rechunk([if cut == 1 { 4 } else { 2 }, 5, 6]);
            let found = x.reshape(case.numbers("shape")).unwrap();
            same(&case, cut, &answer(&found), &case.want::<f64>());
        }
    }
}

#[test]
fn ramps() {
    for cut in [1, 2, 3, 100] {
        for case in cases(&["linspace"]) {
            if case.parameter("endpoint").is_boolean() {
                continue;
            }
            let at = |name: &str| case.parameter(name).as_f64().unwrap();
            let found = Array::linspace(at("start"), at("stop"), at("count") as usize, cut).into_dyn();
            same(&case, cut, &answer(&found), &case.want::<f64>());
        }
        for case in cases(&["arange"]) {
            let at = |name: &str| case.parameter(name);
            if at("start").is_i64() {
                let at = |name: &str| at(name).as_i64().unwrap();
                let found = Array::arange(at("start"), at("stop"), at("step"), cut).into_dyn();
                same(&case, cut, &answer(&found), &case.want::<i64>());
            } else {
                let at = |name: &str| at(name).as_f64().unwrap();
                let found = Array::arange(at("start"), at("stop"), at("step"), cut).into_dyn();
                // NumPy multiplies a rounded step, we the step that was asked for: one unit.
                let want = case.want::<f64>();
                for (a, b) in answer(&found).iter().zip(&want) {
                    assert!(units(*a, *b) <= 1, "{a} for {b}");
                }
            }
        }
    }
    let eye = ndarray::Array2::<f64>::eye(5);
    assert_eq!(answer(&Array::<f64, _>::eye(5, 2)), eye);
}
