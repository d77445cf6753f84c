//! Filters of windows: scipy's answers, every division into blocks, and values that spread.

use musher_array::{Array, Depth};
use musher_image::{
    Error, Mode, Pixel, Window, maximum_filter, median_filter, minimum_filter, percentile_filter,
    rank_filter, uniform_filter,
};
use musher_scheduler::{Compute, Options};
use ndarray::{ArrayD, Axis, IxDyn};
use serde_json::Value;

use crate::support::{
    Bits, Case, TOLERANCE, cases, check, close, divisions, load, operations, some_divisions,
};

/// scipy's running sums in doubles, rounded to `f32` after each axis, may be one unit in the last place away.
const SINGLE: f64 = 1e-6;

const OPERATIONS: [&str; 6] = [
    "uniform_filter",
    "minimum_filter",
    "maximum_filter",
    "median_filter",
    "percentile_filter",
    "rank_filter",
];

fn mode(text: &Value, value: f64) -> Mode {
    match text.as_str().unwrap() {
        "reflect" => Mode::Reflect,
        "mirror" => Mode::Mirror,
        "nearest" => Mode::Nearest,
        "wrap" => Mode::Wrap,
        "constant" => Mode::Constant(value),
        other => panic!("{other} is no mode"),
    }
}

/// The filter of this name in a golden case.
fn filtered<A: Pixel>(
    case: &Case,
    image: &Array<A, IxDyn>,
    window: Window,
) -> Result<Array<A, IxDyn>, Error> {
    match case.operation.as_str() {
        "uniform_filter" => uniform_filter(image, window),
        "minimum_filter" => minimum_filter(image, window),
        "maximum_filter" => maximum_filter(image, window),
        "median_filter" => median_filter(image, window),
        "percentile_filter" => percentile_filter(image, case.number("percentile"), window),
        "rank_filter" => rank_filter(image, case.number("rank") as isize, window),
        other => panic!("{other} is no filter"),
    }
}

/// All modes and some divisions of a case, whose answers are close to scipy's by `tolerance`, or equal where it is 0.
#[track_caller]
fn check_case<A: Pixel + Bits + Into<f64>>(case: &Case, tolerance: f64) {
    check_as::<A>(case, tolerance, Into::into);
}

#[track_caller]
fn check_as<A: Pixel + Bits>(case: &Case, tolerance: f64, number: fn(A) -> f64) {
    let image: ArrayD<A> = load(case.folder, &case.inputs[0]);
    let expected: ArrayD<A> = case.output();
    let ndim = image.ndim();
    let sizes: Vec<usize> = case.numbers("size", ndim).iter().map(|&size| size as usize).collect();
    let origins: Vec<isize> = case.numbers("origin", ndim).iter().map(|&origin| origin as isize).collect();
    for (text, expected) in
        case.parameters["modes"].as_array().unwrap().iter().zip(expected.axis_iter(Axis(0)))
    {
        let window =
            Window::size(sizes.clone()).origin(origins.clone()).mode(mode(text, case.number("cval")));
        let mut first: Option<Vec<u64>> = None;
        for lengths in some_divisions(image.shape()) {
            let lazy = Array::from_array(image.clone(), lengths);
            let found = check(&filtered(case, &lazy, window.clone()).unwrap());
            let name = format!("{} {text}", case.name);
            match &first {
                Some(first) => assert_eq!(found.bits(), *first, "{name}"),
                None => {
                    first = Some(found.bits());
                    close(&found.mapv(number), &expected.mapv(number), tolerance, &name);
                }
            }
        }
    }
}

fn check_operation(operation: &str) {
    for case in cases("image_filters", operation) {
        match case.parameters["dtype"].as_str().unwrap() {
            "uint8" => check_case::<u8>(&case, 0.0),
            "uint16" => check_case::<u16>(&case, 0.0),
            "uint32" => check_case::<u32>(&case, 0.0),
            "uint64" => check_as::<u64>(&case, 0.0, |value| value as f64),
            "int8" => check_case::<i8>(&case, 0.0),
            "int16" => check_case::<i16>(&case, 0.0),
            "int32" => check_case::<i32>(&case, 0.0),
            "int64" => check_as::<i64>(&case, 0.0, |value| value as f64),
            "float32" => check_case::<f32>(&case, if operation == "uniform_filter" { SINGLE } else { 0.0 }),
            _ => check_case::<f64>(&case, if operation == "uniform_filter" { TOLERANCE } else { 0.0 }),
        }
    }
}

#[test]
fn uniform_filters_equal_scipys_and_do_not_see_blocks() {
    check_operation("uniform_filter");
}

#[test]
fn minimum_and_maximum_filters_equal_scipys_and_do_not_see_blocks() {
    check_operation("minimum_filter");
    check_operation("maximum_filter");
}

#[test]
fn median_percentile_and_rank_filters_equal_scipys_and_do_not_see_blocks() {
    check_operation("median_filter");
    check_operation("percentile_filter");
    check_operation("rank_filter");
}

#[test]
fn every_operation_of_the_golden_files_is_compared() {
    assert!(operations("image_filters").iter().all(|operation| OPERATIONS.contains(&operation.as_str())));
}

/// A function of the values in a window.
type OfWindow = fn(&mut Vec<f64>) -> f64;

/// The definition of a filter: what a function makes of each window of an image whose edges are repeated.
fn naive(image: &ArrayD<f64>, reach: Depth, of: OfWindow) -> ArrayD<f64> {
    let window = vec![reach.before + reach.after + 1; image.ndim()];
    ArrayD::from_shape_fn(image.raw_dim(), |at| {
        let window = ArrayD::from_shape_fn(IxDyn(&window), |other| {
            let inside = (0..image.ndim()).map(|axis| {
                let position = (at[axis] + other[axis]) as isize - reach.before as isize;
                position.clamp(0, image.shape()[axis] as isize - 1) as usize
            });
            image[inside.collect::<Vec<_>>().as_slice()]
        });
        of(&mut window.into_iter().collect())
    })
}

#[test]
fn hostile_values_spread_as_far_as_the_window_for_all_divisions() {
    let least: OfWindow = |window| {
        window
            .iter()
            .fold(f64::INFINITY, |least, &value| if value < least || value.is_nan() { value } else { least })
    };
    let mean: OfWindow = |window| window.iter().sum::<f64>() / window.len() as f64;
    let median: OfWindow = |window| {
        window.sort_by(|one, other| {
            one.partial_cmp(other).unwrap_or_else(|| one.is_nan().cmp(&other.is_nan()))
        });
        window[window.len() / 2]
    };
    for shape in [vec![5], vec![3, 4], vec![2, 3, 2], vec![1, 1]] {
        let mut image = ArrayD::from_shape_fn(IxDyn(&shape), |at| {
            let at: usize = (0..shape.len()).map(|axis| at[axis] * (3 * axis + 1)).sum();
            f64::from((at * 37 % 11) as u32)
        });
        for hostile in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -0.0] {
            *image.last_mut().unwrap() = hostile;
            let window = Window::size(4).origin(-1).mode(Mode::Nearest);
            let reach = Depth::new(1, 2);
            // An infinity less an infinity is NaN in any order; sums of whole numbers are exact.
            let (least, mean, median) =
                (naive(&image, reach, least), naive(&image, reach, mean), naive(&image, reach, median));
            for lengths in divisions(&shape) {
                let lazy = Array::from_array(image.clone(), lengths.clone());
                let run = |filtered: Result<Array<f64, IxDyn>, Error>| {
                    filtered.unwrap().compute_with(&Options::sequential()).unwrap()
                };
                let name = format!("{hostile} {lengths:?}");
                // A minimum axis after axis passes NaN on, as the definition does.
                close(&run(minimum_filter(&lazy, window.clone())), &least, 0.0, &name);
                close(&run(median_filter(&lazy, window.clone())), &median, 0.0, &name);
                close(&run(uniform_filter(&lazy, window.clone())), &mean, TOLERANCE, &name);
            }
        }
    }
}

#[test]
fn bands_do_not_change_what_a_large_block_becomes() {
    // Rows of 100,000 pixels: bands of a few rows, against blocks of all sizes.
    for (shape, blocks) in [([40, 100_000], [7, 33_333]), ([100_000, 3], [999, 2])] {
        let image = Array::from_shape_fn(shape, blocks, |(row, column)| {
            (row * 7919 + column * 104_729) as u16 as f64 / 16.0
        });
        let whole = image.rechunk(shape);
        let check = |one: Result<Array<f64, _>, Error>, other: Result<Array<f64, _>, Error>| {
            let (one, other) = (one.unwrap().compute().unwrap(), other.unwrap().compute().unwrap());
            assert!(one == other);
        };
        let window = Window::size([6, 5]).origin([2, -1]).mode([Mode::Constant(-1.0), Mode::Constant(7.0)]);
        check(uniform_filter(&image, window.clone()), uniform_filter(&whole, window.clone()));
        check(maximum_filter(&image, window.clone()), maximum_filter(&whole, window.clone()));
        check(median_filter(&image, window.clone()), median_filter(&whole, window));
        let smooth =
            musher_image::Gaussian::sigma([1.0, 2.0]).mode([Mode::Constant(-1.0), Mode::Constant(7.0)]);
        check(
            musher_image::gaussian_filter(&image, smooth.clone()),
            musher_image::gaussian_filter(&whole, smooth),
        );
    }
}

#[test]
fn empty_images_and_windows_of_one_pixel() {
    for shape in [[0, 4], [3, 0]] {
        let lazy = Array::from_array(ArrayD::<u8>::zeros(IxDyn(&shape)), 2);
        assert_eq!(uniform_filter(&lazy, 3).unwrap().compute().unwrap().shape(), shape);
        assert_eq!(median_filter(&lazy, 3).unwrap().compute().unwrap().shape(), shape);
    }
    let image = Array::from_array(ArrayD::from_elem(IxDyn(&[2, 3]), 1.5), 2);
    assert_eq!(maximum_filter(&image, 1).unwrap().compute().unwrap(), image.compute().unwrap());
    assert_eq!(median_filter(&image, 1).unwrap().compute().unwrap(), image.compute().unwrap());
    let scalar = Array::from_array(ArrayD::from_elem(IxDyn(&[]), 1.5), 2);
    assert_eq!(median_filter(&scalar, 3).unwrap().compute().unwrap(), scalar.compute().unwrap());
}
