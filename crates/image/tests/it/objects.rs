//! Objects in images: every golden case of scipy.ndimage and scikit-image, over several divisions into blocks.

use musher_array::{Array, Element, PerAxis};
use musher_image::{
    ChamferMetric, Column, Columns, LabelIndex, binary_fill_holes, binary_propagation, clear_border,
    distance_transform_cdt, distance_transform_edt, extrema, label, labeled_comprehension, maximum_position,
    measure, median_filter, minimum_position, percentile_filter, rank_filter, regionprops,
    remove_small_holes, remove_small_objects,
};
use musher_scheduler::Compute;
use ndarray::{ArrayD, Axis, IxDyn};
use serde_json::Value;

use crate::support::{Bits, Case, TOLERANCE, cases, check, close, divisions, load, some_divisions};

const FOLDER: &str = "image_objects";

/// The inputs of a case, divided in several ways.
fn divided<A: Element>(case: &Case, input: usize) -> Vec<Array<A, IxDyn>> {
    let values: ArrayD<A> = load(case.folder, &case.inputs[input]);
    some_divisions(values.shape())
        .into_iter()
        .map(|lengths| Array::from_array(values.clone(), lengths))
        .collect()
}

/// Values and labels of a case, divided in several ways.
fn pairs(case: &Case) -> impl Iterator<Item = (Array<f64, IxDyn>, Array<i32, IxDyn>)> {
    divided(case, 0).into_iter().zip(divided(case, 1))
}

#[test]
fn places_of_extrema_equal_scipys() {
    for case in cases(FOLDER, "minimum_position") {
        for (values, labels) in pairs(&case) {
            let found = check(&minimum_position(&values, &labels, ..).unwrap());
            assert_eq!(found.into_dyn(), case.output::<i64>(), "{}", case.name);
        }
    }
    for case in cases(FOLDER, "maximum_position") {
        for (values, labels) in pairs(&case) {
            let found = check(&maximum_position(&values, &labels, ..).unwrap());
            assert_eq!(found.into_dyn(), case.output::<i64>(), "{}", case.name);
            let absent = check(&maximum_position(&values, &labels, [1000]).unwrap());
            assert!(absent.iter().all(|&place| place == -1));
        }
    }
    for case in cases(FOLDER, "extrema") {
        let expected: ArrayD<f64> = case.output();
        for (values, labels) in pairs(&case) {
            let (least, most, least_at, most_at) = extrema(&values, &labels, ..).unwrap();
            assert_eq!(check(&least).into_dyn(), expected.index_axis(Axis(0), 0).into_dyn());
            assert_eq!(check(&most).into_dyn(), expected.index_axis(Axis(0), 1).into_dyn());
            assert_eq!(check(&least_at), check(&minimum_position(&values, &labels, ..).unwrap()));
            assert_eq!(check(&most_at), check(&maximum_position(&values, &labels, ..).unwrap()));
        }
    }
}

#[test]
fn a_function_of_the_values_of_each_region_equals_scipys() {
    for case in cases(FOLDER, "labeled_comprehension_spread") {
        let index: Vec<i32> = case.numbers("index", 0).iter().map(|&label| label as i32).collect();
        for (values, labels) in pairs(&case) {
            let found = labeled_comprehension(&values, &labels, index.clone(), |values: &[f64]| {
                let fold = |of: fn(f64, f64) -> f64| values.iter().copied().reduce(of).unwrap();
                fold(f64::max) - fold(f64::min)
            });
            close(&check(&found.unwrap()).into_dyn(), &case.output(), TOLERANCE, &case.name);
        }
    }
}

#[test]
fn a_function_of_the_values_of_each_region_sees_them_in_order() {
    for case in cases(FOLDER, "labeled_comprehension") {
        let index: Vec<i32> = case.numbers("index", 0).iter().map(|&label| label as i32).collect();
        for (values, labels) in pairs(&case) {
            let weighted = |values: &[f64]| (1..).zip(values).map(|(at, value)| f64::from(at) * value).sum();
            let found = labeled_comprehension(&values, &labels, index.clone(), weighted).unwrap();
            close(&check(&found).into_dyn(), &case.output(), TOLERANCE, &case.name);
            let all = check(&labeled_comprehension(&values, &labels, .., weighted).unwrap());
            assert_eq!(all.len(), index.len() - 1, "the last one does not occur");
        }
    }
}

fn column(table: &Columns, name: &str) -> Vec<f64> {
    match table.get(name).unwrap_or_else(|| panic!("no column {name}")) {
        Column::F64(values) => values.clone(),
        Column::U64(values) => values.iter().map(|&value| value as f64).collect(),
        Column::I64(values) => values.iter().map(|&value| value as f64).collect(),
    }
}

#[test]
fn the_table_of_forms_equals_scikit_images() {
    for case in cases(FOLDER, "regionprops") {
        let expected: ArrayD<f64> = case.output();
        for (values, labels) in pairs(&case) {
            let lazy = regionprops(&values, &labels).unwrap();
            let table = check(&lazy);
            let names: Vec<&str> =
                lazy.empty_columns().names().map(str::to_owned).map(|name| &*name.leak()).collect();
            assert_eq!(table.names().collect::<Vec<_>>(), names);
            let area = column(&table, "area");
            let columns =
                case.parameters["columns"].as_array().unwrap().iter().map(Value::as_str).map(Option::unwrap);
            for (name, expected) in columns.zip(expected.axis_iter(Axis(0))) {
                for ((found, expected), &area) in column(&table, name).iter().zip(expected).zip(&area) {
                    // A region with equal axes has no direction, and one of two pixels a minor axis of rounding errors.
                    let tolerance =
                        if name.contains("length") || name == "eccentricity" { 1e-7 } else { TOLERANCE };
                    let equal = (found - expected).abs() <= tolerance * expected.abs().max(1.0);
                    let turned = name == "orientation" && (found.abs() - expected.abs()).abs() < 1e-9;
                    assert!(equal || turned, "{} {name} of {area}: {found}, expected {expected}", case.name);
                }
            }
        }
    }
}

#[test]
fn forms_far_from_the_origin_keep_their_digits() {
    let disk = |(y, x): (usize, usize)| {
        let (y, x) = (y as f64 - 9.5, x as f64 - 7.0);
        i32::from(y * y + x * x < 30.0)
    };
    let near = Array::from_shape_fn((20, 20), 7, disk);
    let far = Array::from_shape_fn((20, 400_020), (20, 100_000), move |(y, x)| {
        if x < 400_000 { 0 } else { disk((y, x - 400_000)) }
    });
    let table = |labels: &Array<i32, ndarray::Ix2>| regionprops(labels, labels).unwrap().compute().unwrap();
    let (near, far) = (table(&near), table(&far));
    for name in ["axis_major_length", "axis_minor_length", "orientation", "inertia_tensor-0-1"] {
        assert_eq!(column(&near, name), column(&far, name), "{name}");
    }
}

#[test]
fn a_million_labels_are_counted_exactly() {
    let labels =
        Array::from_shape_fn((2_000, 2_000), (512, 700), |(y, x)| (y / 2 * 1_000 + x / 2) as i32 + 1);
    let table = measure(&labels, &labels).unwrap().compute().unwrap();
    assert_eq!(table.len(), 1_000_000);
    assert!(table.u64("area").unwrap().iter().all(|&area| area == 4));
    assert_eq!(table.f64("centroid_1").unwrap()[999], 1998.5);
}

type OfBinary = dyn Fn(&Case, &Array<bool, IxDyn>, &Array<bool, IxDyn>, usize) -> Array<bool, IxDyn>;

fn components(operation: &str, of: &OfBinary) {
    for case in cases(FOLDER, operation) {
        let connectivity = case.number("connectivity") as usize;
        let masks = divided(&case, case.inputs.len() - 1);
        for (first, mask) in divided(&case, 0).iter().zip(&masks) {
            assert_eq!(check(&of(&case, first, mask, connectivity)), case.output::<bool>(), "{}", case.name);
        }
    }
}

#[test]
fn chosen_components_equal_scipys_and_scikit_images() {
    components("binary_propagation", &|_, seeds, mask, n| binary_propagation(seeds, mask, n).unwrap());
    components("binary_fill_holes", &|_, _, mask, n| binary_fill_holes(mask, n).unwrap());
    components("remove_small_objects", &|case, _, mask, n| {
        remove_small_objects(mask, case.number("most") as u64, n).unwrap()
    });
    components("remove_small_holes", &|case, _, mask, n| {
        remove_small_holes(mask, case.number("most") as u64, n).unwrap()
    });
    components("clear_border", &|_, _, mask, n| clear_border(mask, n).unwrap());
}

#[test]
fn holes_are_filled_in_all_small_images_in_all_divisions() {
    for bits in (0..1_u32 << 12).step_by(37) {
        let mask = ndarray::Array2::from_shape_fn((3, 4), |(y, x)| bits >> (4 * y + x) & 1 == 1);
        let whole = Array::from_array(mask.clone(), (3, 4));
        let expected = binary_fill_holes(&whole, 1).unwrap().compute().unwrap();
        // By the definition: a hole is a component of the background without a pixel at the border.
        let (labels, _) = label(&!&whole, 1).unwrap();
        let labels = labels.compute().unwrap();
        let at_border = |number: i32| {
            labels.indexed_iter().any(|((y, x), &other)| other == number && (y % 2 == 0 || x % 3 == 0))
        };
        let defined = labels.mapv(|number| number == 0 || !at_border(number));
        assert_eq!(expected, defined, "{mask}");
        for lengths in divisions(&[3, 4]).into_iter().step_by(5) {
            let lazy = Array::from_array(mask.clone(), lengths);
            assert_eq!(binary_fill_holes(&lazy, 1).unwrap().compute().unwrap(), expected, "{mask}");
        }
    }
}

#[test]
fn distances_equal_scipys() {
    for case in cases(FOLDER, "distance_transform_edt") {
        let mut first: Option<ArrayD<f64>> = None;
        for mask in divided::<bool>(&case, 0) {
            let sampling = PerAxis::Each(case.numbers("sampling", mask.ndim()));
            let found = check(&distance_transform_edt(&mask, sampling).unwrap());
            close(&found, &case.output(), 1e-15, &case.name);
            assert_eq!(found.bits(), first.get_or_insert(found.clone()).bits(), "{}", case.name);
        }
    }
    for case in cases(FOLDER, "distance_transform_cdt") {
        let metric = match case.parameters["metric"].as_str().unwrap() {
            "chessboard" => ChamferMetric::Chessboard,
            _ => ChamferMetric::Taxicab,
        };
        for mask in divided::<bool>(&case, 0) {
            let found = check(&distance_transform_cdt(&mask, metric).unwrap());
            assert_eq!(found, case.output::<i32>(), "{}", case.name);
        }
    }
}

#[test]
fn an_image_without_background_is_infinitely_far_from_it() {
    let solid = Array::<bool, _>::full((4, 5), true, 2);
    assert!(check(&distance_transform_edt(&solid, 1.0).unwrap()).iter().all(|&far| far == f64::INFINITY));
    let steps = check(&distance_transform_cdt(&solid, ChamferMetric::Taxicab).unwrap());
    assert!(steps.iter().all(|&steps| steps == -1));
    let point = Array::from_array(ndarray::arr0(true), 1);
    assert_eq!(distance_transform_edt(&point, 1.0).unwrap().compute().unwrap(), f64::INFINITY);
    let nothing = Array::<bool, _>::full((0, 5), true, 2);
    assert_eq!(distance_transform_edt(&nothing, 1.0).unwrap().compute().unwrap().dim(), (0, 5));
}

#[test]
fn wrong_parameters_are_refused_where_they_are_given() {
    let mask = Array::<bool, _>::full((4, 5), true, 2);
    let said = |error: musher_image::Error, word: &str| {
        let text = error.to_string();
        assert!(text.contains(word) && text.contains("objects.rs"), "{text}");
    };
    said(binary_fill_holes(&mask, 3).unwrap_err(), "connectivity");
    said(binary_propagation(&Array::<bool, _>::full((4, 4), true, 2), &mask, 1).unwrap_err(), "(4, 4)");
    said(distance_transform_edt(&mask, 0.0).unwrap_err(), "sampling");
    said(distance_transform_edt(&mask, [1.0]).unwrap_err(), "1 axes");
    let (image, labels) = (Array::<u8, _>::ones((4, 4), 2), Array::<i32, _>::ones((4, 5), 2));
    said(regionprops(&image, &labels).unwrap_err(), "(4, 5)");
    said(labeled_comprehension(&image, &labels, .., |_| 0.0).unwrap_err(), "(4, 5)");
    let labels = Array::<i32, _>::ones((4, 4), 2);
    said(minimum_position(&image, &labels, LabelIndex::from([0])).unwrap_err(), "label");
    let window = || musher_image::Window::size(3).mode(musher_image::Mode::Constant(0.5));
    said(median_filter(&image, window()).unwrap_err(), "mode");
    said(percentile_filter(&image, 20.0, window()).unwrap_err(), "mode");
    said(rank_filter(&image, 0, window()).unwrap_err(), "mode");
}
