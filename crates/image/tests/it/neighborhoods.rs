//! Slopes, weights, morphology and filters along one axis: the originals' answers, for every division into blocks.

use musher_array::{Array, Element};
use musher_image::{
    Error, FilterWeights, Gaussian, LocalMethod, Mode, Pixel, Structure, Window, binary_closing,
    binary_dilation, binary_erosion, binary_hit_or_miss, binary_opening, black_tophat, convolve, convolve1d,
    correlate, correlate1d, gaussian_filter1d, gaussian_gradient_magnitude, gaussian_laplace,
    generate_binary_structure, generic_filter, grey_closing, grey_dilation, grey_erosion, grey_opening,
    laplace, maximum_filter1d, minimum_filter1d, morphological_gradient, morphological_laplace, prewitt,
    scharr, sobel, threshold_local, uniform_filter1d, white_tophat,
};
use ndarray::{ArrayD, Axis, IxDyn, arr1, arr2};

use crate::support::{
    Bits, Case, TOLERANCE, cases, check, close, divisions, load, operations, some_divisions,
};

const FOLDER: &str = "image_neighborhoods";
type Image<A> = Array<A, IxDyn>;

const SLOPES: [&str; 6] =
    ["sobel", "prewitt", "scharr", "laplace", "gaussian_laplace", "gaussian_gradient_magnitude"];
const LINES: [&str; 6] = [
    "gaussian_filter1d",
    "uniform_filter1d",
    "minimum_filter1d",
    "maximum_filter1d",
    "correlate1d",
    "convolve1d",
];
const GREY: [&str; 8] = [
    "grey_erosion",
    "grey_dilation",
    "grey_opening",
    "grey_closing",
    "morphological_gradient",
    "morphological_laplace",
    "white_tophat",
    "black_tophat",
];
const BINARY: [&str; 4] = ["binary_erosion", "binary_dilation", "binary_opening", "binary_closing"];
const OTHERS: [&str; 5] =
    ["correlate", "convolve", "binary_hit_or_miss", "generic_filter", "threshold_local"];

/// A filter of a golden case.
type Filter<'a, A> = &'a dyn Fn(&Image<A>) -> Result<Image<A>, Error>;

/// Some divisions of the first input give the bits of the first one, which are close to an answer.
#[track_caller]
fn equals<A: Pixel + Bits + Into<f64>>(case: &Case, filter: Filter<'_, A>, expected: &ArrayD<A>, name: &str) {
    let image: ArrayD<A> = load(case.folder, &case.inputs[0]);
    let mut first: Option<ArrayD<A>> = None;
    for lengths in some_divisions(image.shape()) {
        let found = check(&filter(&Array::from_array(image.clone(), lengths)).unwrap());
        match &first {
            Some(first) => assert_eq!(found.bits(), first.bits(), "{name}"),
            None => {
                close(&found.mapv(Into::into), &expected.mapv(Into::into), TOLERANCE, name);
                first = Some(found);
            }
        }
    }
}

/// The same for each mode that a case has answers of.
#[track_caller]
fn in_all_modes<A: Pixel + Bits + Into<f64>>(
    case: &Case,
    filter: impl Fn(&Image<A>, Mode) -> Result<Image<A>, Error>,
) {
    let expected: ArrayD<A> = case.output();
    for (text, expected) in
        case.parameters["modes"].as_array().unwrap().iter().zip(expected.axis_iter(Axis(0)))
    {
        let mode = match text.as_str().unwrap() {
            "reflect" => Mode::Reflect,
            "nearest" => Mode::Nearest,
            "mirror" => Mode::Mirror,
            "wrap" => Mode::Wrap,
            _ => Mode::Constant(case.number("cval")),
        };
        let name = format!("{} {text}", case.name);
        equals(case, &|image| filter(image, mode), &expected.to_owned(), &name);
    }
}

fn axis(case: &Case) -> Axis {
    Axis(case.number("axis") as usize)
}

fn origins(case: &Case) -> Vec<isize> {
    let origins = case.parameters["origin"].as_array().unwrap();
    origins.iter().map(|origin| origin.as_i64().unwrap() as isize).collect()
}

#[test]
fn slopes_equal_scipys_and_do_not_see_blocks() {
    for case in SLOPES.iter().flat_map(|operation| cases(FOLDER, operation)) {
        in_all_modes::<f64>(&case, |image, mode| match case.operation.as_str() {
            "sobel" => sobel(image, axis(&case), mode),
            "prewitt" => prewitt(image, axis(&case), mode),
            "scharr" => scharr(image, axis(&case), mode),
            "laplace" => laplace(image, mode),
            "gaussian_laplace" => gaussian_laplace(image, Gaussian::sigma(case.number("sigma")).mode(mode)),
            _ => gaussian_gradient_magnitude(image, Gaussian::sigma(case.number("sigma")).mode(mode)),
        });
    }
}

#[test]
fn filters_along_one_axis_equal_scipys_and_do_not_see_blocks() {
    for case in LINES.iter().flat_map(|operation| cases(FOLDER, operation)) {
        let window = || Window::size(case.number("size") as usize).origin(case.number("origin") as isize);
        let weights = || {
            let values = case.parameters["weights"].as_array().unwrap().iter();
            let values: Vec<f64> = values.map(|weight| weight.as_f64().unwrap()).collect();
            FilterWeights::from(values).origin(case.number("origin") as isize)
        };
        in_all_modes::<f64>(&case, |image, mode| match case.operation.as_str() {
            "gaussian_filter1d" => {
                let order = case.number("order") as usize;
                let gaussian = Gaussian::sigma(case.number("sigma")).order(order).mode(mode);
                gaussian_filter1d(image, axis(&case), gaussian)
            }
            "uniform_filter1d" => uniform_filter1d(image, axis(&case), window().mode(mode)),
            "minimum_filter1d" => minimum_filter1d(image, axis(&case), window().mode(mode)),
            "maximum_filter1d" => maximum_filter1d(image, axis(&case), window().mode(mode)),
            "correlate1d" => correlate1d(image, axis(&case), weights().mode(mode)),
            _ => convolve1d(image, axis(&case), weights().mode(mode)),
        });
    }
}

#[test]
fn weights_of_any_form_equal_scipys_and_do_not_see_blocks() {
    for case in ["correlate", "convolve"].iter().flat_map(|operation| cases(FOLDER, operation)) {
        let values: ArrayD<f64> = load(FOLDER, &case.inputs[1]);
        in_all_modes::<f64>(&case, |image, mode| {
            let weights = FilterWeights::new(values.clone()).origin(origins(&case)).mode(mode);
            if case.operation == "correlate" { correlate(image, weights) } else { convolve(image, weights) }
        });
    }
}

fn grey<A: Pixel>(operation: &str, image: &Image<A>, structure: Structure) -> Result<Image<A>, Error> {
    match operation {
        "grey_erosion" => grey_erosion(image, structure),
        "grey_dilation" => grey_dilation(image, structure),
        "grey_opening" => grey_opening(image, structure),
        "grey_closing" => grey_closing(image, structure),
        "morphological_gradient" => morphological_gradient(image, structure),
        "white_tophat" => white_tophat(image, structure),
        "black_tophat" => black_tophat(image, structure),
        other => panic!("{other} is no operation"),
    }
}

#[test]
fn grey_morphology_equals_scipys_and_does_not_see_blocks() {
    for case in GREY.iter().flat_map(|operation| cases(FOLDER, operation)) {
        let sizes: Vec<usize> = case.numbers("size", 0).iter().map(|&size| size as usize).collect();
        let structure = |mode| {
            let form = match case.parameters["kind"].as_str().unwrap() {
                "size" => Structure::size(sizes.clone()),
                "footprint" => Structure::from(load::<bool>(FOLDER, &case.inputs[1])),
                _ => Structure::heights(load::<f64>(FOLDER, &case.inputs[1])),
            };
            form.origin(origins(&case)).mode(mode)
        };
        if case.parameters["dtype"] == "uint8" {
            in_all_modes::<u8>(&case, |image, mode| grey(&case.operation, image, structure(mode)));
            continue;
        }
        in_all_modes::<f64>(&case, |image, mode| match case.operation.as_str() {
            "morphological_laplace" => morphological_laplace(image, structure(mode)),
            operation => grey(operation, image, structure(mode)),
        });
    }
}

/// All divisions of a line and some of others give scipy's answer.
#[track_caller]
fn equals_binary(case: &Case, filter: impl Fn(&Image<bool>) -> Result<Image<bool>, Error>) {
    let image: ArrayD<bool> = load(FOLDER, &case.inputs[0]);
    let expected: ArrayD<bool> = case.output();
    for lengths in some_divisions(image.shape()) {
        let found = check(&filter(&Array::from_array(image.clone(), lengths)).unwrap());
        assert_eq!(found, expected, "{}", case.name);
    }
}

#[test]
fn binary_morphology_equals_scipys_and_does_not_see_blocks() {
    for case in BINARY.iter().flat_map(|operation| cases(FOLDER, operation)) {
        let structure = match case.inputs.get(1) {
            Some(places) => Structure::from(load::<bool>(FOLDER, places)).origin(origins(&case)),
            None => Structure::connectivity(case.number("connectivity") as usize),
        };
        let structure = structure.iterations(case.number("iterations") as usize);
        let structure = structure.mode(Mode::Constant(case.number("border")));
        equals_binary(&case, |image| match case.operation.as_str() {
            "binary_erosion" => binary_erosion(image, structure.clone()),
            "binary_dilation" => binary_dilation(image, structure.clone()),
            "binary_opening" => binary_opening(image, structure.clone()),
            _ => binary_closing(image, structure.clone()),
        });
    }
    for case in cases(FOLDER, "binary_hit_or_miss") {
        let form = |at: usize| Structure::from(load::<bool>(FOLDER, &case.inputs[at]));
        equals_binary(&case, |image| binary_hit_or_miss(image, form(1), form(2)));
    }
}

#[test]
fn functions_of_neighbors_equal_scipys_and_do_not_see_blocks() {
    for case in cases(FOLDER, "generic_filter") {
        in_all_modes::<f64>(&case, |image, mode| {
            generic_filter(image, Structure::size(3).mode(mode), |near| {
                near.iter().copied().fold(f64::MIN, f64::max) - 2.0 * near[0]
            })
        });
    }
}

#[test]
fn local_thresholds_equal_scikit_images() {
    for case in cases(FOLDER, "threshold_local") {
        let method = match case.parameters["method"].as_str().unwrap() {
            "gaussian" => LocalMethod::Gaussian,
            "mean" => LocalMethod::Mean,
            _ => LocalMethod::Median,
        };
        let sizes: Vec<usize> = case.numbers("size", 2).iter().map(|&size| size as usize).collect();
        let filter =
            |image: &Image<f64>| threshold_local(image, sizes.clone(), method, case.number("offset"));
        equals::<f64>(&case, &filter, &case.output(), &case.name);
    }
}

#[test]
fn every_operation_of_the_golden_files_is_compared() {
    let all: Vec<&str> = [&SLOPES[..], &LINES, &GREY, &BINARY, &OTHERS].concat();
    assert!(operations(FOLDER).iter().all(|operation| all.contains(&operation.as_str())));
}

/// The bits of all divisions of a small image are those of one block.
#[track_caller]
fn does_not_see_blocks<A: Element + Bits>(
    image: &ArrayD<A>,
    filter: impl Fn(&Image<A>) -> Result<Image<A>, Error>,
) {
    let whole = check(&filter(&Array::from_array(image.clone(), musher_array::Chunks::whole())).unwrap());
    for lengths in divisions(image.shape()) {
        let found = check(&filter(&Array::from_array(image.clone(), lengths.clone())).unwrap());
        assert_eq!(found.bits(), whole.bits(), "{lengths:?}");
    }
}

#[test]
fn a_reach_beyond_whole_blocks_and_values_that_spread_do_not_see_blocks() {
    let hostile = [f64::NAN, f64::INFINITY, -0.0, f64::MIN_POSITIVE / 4.0, f64::MAX, f64::NEG_INFINITY];
    let image = ArrayD::from_shape_fn(IxDyn(&[4, 5]), |at| match at[0] * 5 + at[1] {
        n if n % 3 == 0 => hostile[n / 3 % hostile.len()],
        n => n as f64 * 1e3,
    });
    let plain = image.mapv(|value| if value.is_finite() { value } else { 1.0 });
    for image in [image, plain] {
        let form = |at: usize| ArrayD::from_shape_fn(IxDyn(&[3, 4]), |p| (p[0] + 2 * p[1]) % 3 != at);
        does_not_see_blocks(&image, |x| grey_erosion(x, form(0)));
        does_not_see_blocks(&image, |x| grey_dilation(x, Structure::from(form(1)).iterations(2)));
        let weights =
            ArrayD::from_shape_fn(IxDyn(&[4, 3]), |p| 1.0 / (1.0 + p[0] as f64 + 3.0 * p[1] as f64));
        does_not_see_blocks(&image, |x| correlate(x, weights.clone()));
        does_not_see_blocks(&image, |x| sobel(x, Axis(1), Mode::Mirror));
        let bright = image.mapv(|value| value > 4e3);
        does_not_see_blocks(&bright, |x| binary_closing(x, Structure::connectivity(1).iterations(2)));
    }
}

#[test]
fn a_structure_can_be_told_by_hand() {
    let image = Array::from_array(arr1(&[false, false, true, false, false, false]), 2);
    // Reflected, the structure is the pixel and the one before it.
    let ahead = binary_dilation(&image, arr1(&[false, true, true])).unwrap();
    assert_eq!(check(&ahead), arr1(&[false, false, true, true, false, false]));
    assert_eq!(generate_binary_structure(3, 1).iter().filter(|&&counts| counts).count(), 7);
    assert!(generate_binary_structure(2, 2).iter().all(|&counts| counts));
    assert_eq!(generate_binary_structure(0, 1).len(), 1);
    assert_eq!(generate_binary_structure(2, 0), generate_binary_structure(2, 1));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let image = Array::from_array(arr1(&[1.0, 2.0]), 1);
    let message = |error: Result<Array<f64, ndarray::Ix1>, Error>| error.unwrap_err().to_string();
    for (found, part) in [
        (message(sobel(&image, Axis(1), Mode::Nearest)), "axis is 1, but must be an axis of the image"),
        (message(correlate(&image, arr2(&[[1.0]]))), "weights is given for 2 axes, but the image has 1"),
        (message(correlate(&image, [f64::NAN])), "weights is NaN, but must be finite"),
        (message(correlate1d(&image, Axis(0), [])), "size is 0, but must be 1 or more"),
        (message(grey_erosion(&image, arr1(&[false, false]))), "such that a neighbor counts"),
        (message(grey_erosion(&image, Structure::size(3).iterations(0))), "iterations is 0"),
        (message(grey_erosion(&image, Structure::size(3).origin(2))), "origin is 2"),
        (message(grey_dilation(&image, Structure::heights(arr1(&[f64::INFINITY])))), "must be finite"),
        (message(generic_filter(&image, Structure::size(3).iterations(2), |near| near[0])), "must be 1 here"),
        (message(threshold_local(&image, 4, LocalMethod::Mean, 0.0)), "size is 4, but must be odd"),
        (message(threshold_local(&image, 3, LocalMethod::Mean, f64::NAN)), "offset is NaN"),
        (message(grey_erosion(&image, Structure::size(3).mode(Mode::None))), "mode is `None`"),
    ] {
        assert!(found.contains(part), "{found}");
        assert!(found.contains("neighborhoods.rs"), "{found}");
    }
    let bytes = Array::from_array(arr2(&[[1_u8, 2]]), 1);
    let bright = Structure::from(arr2(&[[true, false]])).mode(Mode::Constant(300.0));
    assert!(
        grey_erosion(&bytes, bright).unwrap_err().to_string().contains("a value that the pixels can have")
    );
    let large = binary_erosion(&bytes.gt(1), 1_000_001);
    assert!(large.unwrap_err().to_string().contains("at most 2^24 pixels"));
}
