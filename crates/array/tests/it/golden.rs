//! The answers of NumPy, for several ways to cut the inputs.

use crate::blocks::{answer, bits};
use crate::cases::{Case, cases_of};
use musher_array::ndarray::{ArrayD, Axis, SliceInfoElem};
use musher_array::{All, Array, Element, Error, Float, Number, Ordered, Plain, concatenate, stack};
use musher_scheduler::Compute;

/// Relative tolerance where NumPy adds in another order: 1e-15 × log2 of a few thousand elements, and room for the
/// single-precision sums that NumPy makes in single precision.
const SUM_TOLERANCE: f64 = 2e-14;
const SINGLE_TOLERANCE: f64 = 3e-6;

/// Block lengths along every axis.
const CUTS: [usize; 4] = [100, 1, 2, 3];

/// The cases of some operations; a list that names none is a mistake in the test.
fn cases(operations: &[&str]) -> Vec<Case> {
    let all = cases_of("array");
    for operation in operations {
        assert!(all.iter().any(|case| case.operation() == *operation), "no case of {operation}");
    }
    all.into_iter().filter(|case| operations.contains(&case.operation())).collect()
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

/// Broadcast operands in blocks that differ: the operators of the table, which has operands of one shape only.
#[test]
fn operands_are_broadcast() {
    for case in cases(&["subtract", "multiply"]) {
        for cut in CUTS {
            let (x, y) = (case.load::<f64>(0, cut), case.load::<f64>(1, cut + 1));
            let found = if case.operation() == "subtract" { x - y } else { x * y };
            same(&case, cut, &answer(&found), &case.want::<f64>());
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
                Some(value) => mask.select(&x, value),
                None => mask.select(&x, &case.load::<f64>(2, cut + 1)),
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

/// Runs a reduction over the axes of a case: over all, one by its type, or a list.
macro_rules! reduced {
    ($case:expr, $x:expr, $($call:tt)*) => {
        match ($case.axis(), $case.axes()) {
            (Some(axis), _) => answer(&$x.over(axis).$($call)*),
            (None, Some(axes)) => answer(&$x.over(&axes[..]).$($call)*),
            (None, None) => answer(&$x.over(All).$($call)*.into_dyn()),
        }
    };
}

#[test]
fn sums_products_and_means() {
    fn wide(array: ArrayD<f32>) -> ArrayD<f64> {
        array.mapv(f64::from)
    }
    for case in cases(&["sum", "product", "mean"]) {
        let operation = case.operation();
        for cut in CUTS {
            match case.input(0) {
                "int32" | "int64" | "byte" | "truth" if operation == "product" => panic!("not in the list"),
                "cube32" => {
                    let x = case.load::<f32>(0, cut);
                    let found = match operation {
                        "sum" => reduced!(case, x, sum()),
                        "product" => reduced!(case, x, product()),
                        _ => reduced!(case, x, mean()),
                    };
                    close(&case, cut, &wide(found), &wide(case.want::<f32>()), SINGLE_TOLERANCE);
                }
                "int32" => integer::<i32>(&case, cut, operation),
                "int64" => integer::<i64>(&case, cut, operation),
                "byte" => integer::<u8>(&case, cut, operation),
                "truth" => {
                    let x = case.load::<bool>(0, cut);
                    if operation == "sum" {
                        let found = reduced!(case, x, count_true()).mapv(|n| n as i64);
                        same(&case, cut, &found, &case.want::<i64>());
                    } else {
                        let found = reduced!(case, x.cast::<u8>(), mean());
                        close(&case, cut, &found, &case.want::<f64>(), SUM_TOLERANCE);
                    }
                }
                _ => {
                    let x = case.load::<f64>(0, cut);
                    let found = match operation {
                        "sum" => reduced!(case, x, sum()),
                        "product" => reduced!(case, x, product()),
                        _ => reduced!(case, x, mean()),
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
        let found = reduced!(case, x, mean());
        close(case, cut, &found, &case.want::<f64>(), SUM_TOLERANCE);
        return;
    }
    let found = reduced!(case, x, sum());
    assert_eq!(bits(&found), bits(&case.want::<A::Sum>()), "{} in blocks of {cut}", case.name());
    assert!(["i64", "u64"].contains(&<A::Sum as Plain>::NAME));
}

/// Running totals: in one block they have NumPy's own bits, in several floats are added in another order.
#[test]
fn running_totals() {
    fn totals<A: Number<Sum: Into<f64>>>(case: &Case, cut: usize, tolerance: f64) {
        let (x, axis) = (case.load::<A>(0, cut), case.axis().unwrap());
        let found = match case.operation() {
            "cumsum" => x.cumsum(axis),
            _ => x.cumprod(axis),
        };
        let (found, want) = (answer(&found), case.want::<A::Sum>());
        match cut {
            100 => same(case, cut, &found, &want),
            _ => close(case, cut, &found.mapv(Into::into), &want.mapv(Into::into), tolerance),
        }
    }
    fn exact<A: Number>(case: &Case, cut: usize) {
        let (x, axis) = (case.load::<A>(0, cut), case.axis().unwrap());
        let found = if case.operation() == "cumsum" { x.cumsum(axis) } else { x.cumprod(axis) };
        same(case, cut, &answer(&found), &case.want::<A::Sum>());
    }
    fn extremes<A: Ordered>(case: &Case, cut: usize) {
        let (x, axis) = (case.load::<A>(0, cut), case.axis().unwrap());
        let found = if case.operation() == "cummax" { x.cummax(axis) } else { x.cummin(axis) };
        same(case, cut, &answer(&found), &case.want::<A>());
    }
    fn filled<A: Float>(case: &Case, cut: usize) {
        let found = case.load::<A>(0, cut).forward_fill(case.axis().unwrap());
        same(case, cut, &answer(&found), &case.want::<A>());
    }
    for case in cases(&["cumsum", "cumprod", "cummax", "cummin", "forward_fill"]) {
        let (operation, dtype) = (case.operation(), case.parameter("type").as_str().unwrap());
        for cut in CUTS {
            match (operation, dtype) {
                ("cumsum" | "cumprod", "float64") => totals::<f64>(&case, cut, SUM_TOLERANCE),
                ("cumsum" | "cumprod", "float32") => totals::<f32>(&case, cut, SINGLE_TOLERANCE),
                ("cumsum" | "cumprod", "int64") => exact::<i64>(&case, cut),
                ("cumsum" | "cumprod", "int32") => exact::<i32>(&case, cut),
                ("cumsum" | "cumprod", "uint8") => exact::<u8>(&case, cut),
                ("cummax" | "cummin", "float64") => extremes::<f64>(&case, cut),
                ("cummax" | "cummin", "float32") => extremes::<f32>(&case, cut),
                ("cummax" | "cummin", "int64") => extremes::<i64>(&case, cut),
                ("cummax" | "cummin", "int32") => extremes::<i32>(&case, cut),
                ("cummax" | "cummin", "uint8") => extremes::<u8>(&case, cut),
                ("cummax" | "cummin", "bool") => extremes::<bool>(&case, cut),
                ("forward_fill", "float64") => filled::<f64>(&case, cut),
                ("forward_fill", "float32") => filled::<f32>(&case, cut),
                other => panic!("not in the list: {other:?}"),
            }
        }
    }
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
                        true => reduced!(case, $x, std(ddof)),
                        false => reduced!(case, $x, var(ddof)),
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
fn reductions_that_pass_over_nan() {
    let operations =
        ["nansum", "nanproduct", "nanmean", "nanmin", "nanmax", "nanvariance", "nanstandard_deviation"];
    for case in cases(&operations) {
        for cut in CUTS {
            let x = case.load::<f64>(0, cut);
            let found = match case.operation() {
                "nansum" => reduced!(case, x, skip_nan().sum()),
                "nanproduct" => reduced!(case, x, skip_nan().product()),
                "nanmean" => reduced!(case, x, skip_nan().mean()),
                "nanmin" => reduced!(case, x, skip_nan().min()),
                "nanmax" => reduced!(case, x, skip_nan().max()),
                "nanvariance" => reduced!(case, x, skip_nan().var(0.0)),
                _ => reduced!(case, x, skip_nan().std(0.0)),
            };
            close(&case, cut, &found, &case.want::<f64>(), SUM_TOLERANCE);
        }
    }
    for case in cases(&["nanargmin", "nanargmax"]) {
        for cut in CUTS {
            let x = case.load::<f64>(0, cut);
            let found = match case.operation() == "nanargmin" {
                true => reduced!(case, x, skip_nan().argmin()),
                false => reduced!(case, x, skip_nan().argmax()),
            };
            same(&case, cut, &found.mapv(|at| at as i64), &case.want::<i64>());
        }
    }
}

#[test]
fn reductions_of_what_a_mask_lets_through() {
    let operations = ["sum_where", "product_where", "mean_where", "variance_where", "min_where", "max_where"];
    for case in cases(&operations) {
        for cut in CUTS {
            // The mask is cut in another way: it is brought into line with the array.
            let (x, low) = (case.load::<f64>(0, cut), case.load::<bool>(1, cut + 1));
            let found = match case.operation() {
                "sum_where" => reduced!(case, x, where_true(&low).sum()),
                "product_where" => reduced!(case, x, where_true(&low).product()),
                "mean_where" => reduced!(case, x, where_true(&low).mean()),
                "variance_where" => reduced!(case, x, where_true(&low).var(0.0)),
                "min_where" => reduced!(case, x, where_true(&low).min()),
                _ => reduced!(case, x, where_true(&low).max()),
            };
            close(&case, cut, &found, &case.want::<f64>(), SUM_TOLERANCE);
        }
    }
}

#[test]
fn axes_that_are_kept() {
    for case in cases(&["kept_sum", "kept_product", "kept_mean", "kept_min", "kept_max"]) {
        for cut in CUTS {
            let x = case.load::<f64>(0, cut);
            let axes = case.axes().unwrap();
            let over = x.over(&axes[..]).keep_axes();
            let found = match case.operation() {
                "kept_sum" => over.sum(),
                "kept_product" => over.product(),
                "kept_mean" => over.mean(),
                "kept_min" => over.min(),
                _ => over.max(),
            };
            close(&case, cut, &answer(&found), &case.want::<f64>(), SUM_TOLERANCE);
        }
    }
}

#[test]
fn extremes_and_their_places() {
    fn extreme<A: Ordered>(case: &Case, cut: usize) {
        let x = case.load::<A>(0, cut);
        let largest = case.operation() == "max";
        if case.value().is_string() {
            let axis = case.axis().unwrap();
            let error = if largest { x.over(axis).try_max() } else { x.over(axis).try_min() }.unwrap_err();
            assert!(matches!(error, Error::EmptyReduction { .. }), "{error}");
            return;
        }
        let found = match largest {
            true => reduced!(case, x, max()),
            false => reduced!(case, x, min()),
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
        let largest = case.operation() == "argmax";
        for cut in CUTS {
            macro_rules! found {
                ($x:expr) => {
                    match largest {
                        true => reduced!(case, $x, argmax()),
                        false => reduced!(case, $x, argmin()),
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
        let any = case.operation() == "any";
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
                true => reduced!(case, x, any()),
                false => reduced!(case, x, all()),
            };
            same(&case, cut, &found, &case.want::<bool>());
        }
    }
}

#[test]
fn sums_beyond_64_bits_are_errors_and_float_sums_are_good() {
    for case in cases(&["exact_integer_sum"]) {
        let exact = case.value().as_str().unwrap();
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
        let want = case.value().as_f64().unwrap();
        for cut in [7, 128, 1000, 5000] {
            let x = case.load::<f64>(0, cut);
            let (found, tolerance) = match case.operation() {
                "exact_float_sum" => (x.sum(), 1e-15 * 13.0 * 300.0),
                "exact_mean" => (x.mean(), 1e-15 * 13.0 * 300.0),
                _ => (x.var(0.0), case.parameter("relative_tolerance").as_f64().unwrap()),
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
            let n = case.n_inputs();
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
            let found = x.reshape(case.numbers("shape"));
            same(&case, cut, &answer(&found), &case.want::<f64>());
        }
    }
}

#[test]
fn ramps() {
    for cut in [1, 2, 3, 100] {
        for case in cases(&["linspace"]) {
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
    for case in cases(&["eye"]) {
        let rows = case.parameter("rows").as_u64().unwrap() as usize;
        same(&case, 2, &answer(&Array::<f64, _>::eye(rows, 2).into_dyn()), &case.want::<f64>());
    }
}
