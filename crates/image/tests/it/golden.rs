//! Every golden case of scipy.ndimage and scikit-image, over several divisions into blocks.

use std::collections::BTreeSet;
use std::mem::discriminant;

use musher_array::Array;
use musher_image::{
    Column, Columns, Gaussian, GrayWeights, Histogram, Mode, PerAxis, ScaleRange, area, center_of_mass,
    find_objects, gaussian_filter, label, maximum, mean, measure, minimum, rgb_to_gray, rgb2gray,
    standard_deviation, sum_labels, threshold_otsu, to_u8_scaled, variance,
};
use musher_scheduler::Compute;
use ndarray::{ArrayD, IxDyn};
use serde_json::Value;

use crate::support::{Bits, Case, TOLERANCE, cases, check, close, load, operations, some_divisions};

/// The golden file's own arithmetic is `f32`, whose last bit depends on the order of its additions.
const SINGLE: f64 = 1e-6;

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

fn gaussian(case: &Case, ndim: usize) -> Gaussian {
    let value = case.number("cval");
    let modes: PerAxis<Mode> = match &case.parameters["mode"] {
        Value::Array(modes) => PerAxis::Each(modes.iter().map(|text| mode(text, value)).collect()),
        text => PerAxis::All(mode(text, value)),
    };
    let orders: Vec<usize> = case.numbers("order", ndim).iter().map(|&order| order as usize).collect();
    Gaussian::sigma(case.numbers("sigma", ndim)).order(orders).truncate(case.number("truncate")).mode(modes)
}

#[test]
fn gaussian_filters_equal_scipys_and_do_not_see_blocks() {
    for folder in ["image", "image_more"] {
        for case in cases(folder, "gaussian_filter") {
            if case.name == "gaussian_float32" {
                continue;
            }
            let image: ArrayD<f64> = load(folder, &case.inputs[0]);
            let parameters = gaussian(&case, image.ndim());
            let mut first: Option<ArrayD<f64>> = None;
            for lengths in some_divisions(image.shape()) {
                let lazy = Array::from_array(image.clone(), lengths);
                let found = check(&gaussian_filter(&lazy, parameters.clone()).unwrap());
                match &first {
                    Some(first) => assert_eq!(found.bits(), first.bits(), "{}", case.name),
                    None => {
                        close(&found, &case.output(), TOLERANCE, &case.name);
                        first = Some(found);
                    }
                }
            }
        }
    }
}

#[test]
fn single_precision_equals_scipys() {
    let case =
        cases("image", "gaussian_filter").into_iter().find(|case| case.name == "gaussian_float32").unwrap();
    let image: ArrayD<f32> = load("image", &case.inputs[0]);
    let mut answers = Vec::new();
    for lengths in some_divisions(image.shape()) {
        let lazy = Array::from_array(image.clone(), lengths);
        let found = check(&gaussian_filter(&lazy, gaussian(&case, 2)).unwrap());
        answers.push(found.bits());
        close(&found.mapv(f64::from), &case.output::<f32>().mapv(f64::from), SINGLE, &case.name);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "all divisions give the same bits");
}

#[test]
fn gray_equals_scikit_image() {
    for case in cases("image", "rgb_to_gray") {
        let image: ArrayD<u8> = load("image", &case.inputs[0]);
        for lengths in some_divisions(&image.shape()[..2]) {
            let lengths = lengths.into_iter().chain([vec![3]]).collect::<Vec<_>>();
            let lazy = Array::from_array(image.clone(), lengths);
            close(&check(&rgb2gray(&lazy).unwrap()), &case.output(), TOLERANCE, &case.name);
        }
    }
}

#[test]
fn gray_of_other_weights_equals_numpys_and_rounded_pillows() {
    let more = cases("image_more", "rgb_to_gray").into_iter();
    for case in more.chain(cases("image_more", "rgb_to_gray_rounded")) {
        let color: ArrayD<u8> = load(case.folder, &case.inputs[0]);
        let lazy = Array::from_array(color, (4, 3, 3));
        let weights = if case.name == "gray_equal" { GrayWeights::EQUAL } else { GrayWeights::REC_601 };
        let found = check(&rgb_to_gray(&lazy, weights).unwrap());
        match case.operation.as_str() {
            "rgb_to_gray" => close(&found, &case.output(), TOLERANCE, &case.name),
            // Pillow rounds, and its weights are multiples of 2^-16.
            _ => {
                let rounded = case.output::<u8>().mapv(f64::from);
                assert!(found.iter().zip(&rounded).all(|(found, rounded)| (found - rounded).abs() < 0.51));
            }
        }
    }
}

#[test]
fn floats_become_the_bytes_of_scikit_image() {
    for case in cases("image_more", "to_u8_scaled") {
        let values: ArrayD<f64> = load(case.folder, &case.inputs[0]);
        let range = match case.parameters["limits"].as_array() {
            Some(_) => {
                let limits = case.numbers("limits", 2);
                ScaleRange::from(limits[0]..=limits[1])
            }
            None => ScaleRange::OfImage,
        };
        for lengths in some_divisions(values.shape()) {
            let lazy = Array::from_array(values.clone(), lengths);
            assert_eq!(check(&to_u8_scaled(&lazy, range).unwrap()), case.output::<u8>(), "{}", case.name);
        }
    }
}

#[test]
fn labels_equal_scipys() {
    for case in cases("image", "label") {
        let mask: ArrayD<bool> = load("image", &case.inputs[0]);
        let neighbours = case.number("neighbors") as usize;
        let connectivity = [vec![2], vec![4, 8], vec![6, 18, 26]][mask.ndim() - 1]
            .iter()
            .position(|&other: &usize| other == neighbours)
            .map(|at| at + 1)
            .unwrap();
        let expected: ArrayD<i32> = case.output();
        for lengths in some_divisions(mask.shape()) {
            let lazy = Array::from_array(mask.clone(), lengths);
            let (labels, count) = label(&lazy, connectivity).unwrap();
            assert_eq!(check(&labels), expected, "{}", case.name);
            assert_eq!(check(&count), case.number("count") as u64);
        }
    }
}

#[test]
fn measurements_equal_scipys() {
    for operation in ["mean", "standard_deviation", "area", "sum", "center_of_mass", "minimum", "maximum"] {
        for case in cases("image", operation) {
            let values: ArrayD<f64> = load("image", &case.inputs[0]);
            let labels: ArrayD<i32> = load("image", &case.inputs[1]);
            for lengths in some_divisions(values.shape()) {
                let values = Array::from_array(values.clone(), lengths.clone());
                let labels = Array::from_array(labels.clone(), lengths);
                let expected = match operation {
                    "area" => case.output::<i64>().mapv(|area| area as f64),
                    _ => case.output::<f64>(),
                };
                let found = match operation {
                    "mean" => check(&mean(&values, &labels, ..).unwrap()).into_dyn(),
                    "standard_deviation" => {
                        check(&standard_deviation(&values, &labels, ..).unwrap()).into_dyn()
                    }
                    "area" => check(&area(&values, &labels, ..).unwrap()).mapv(|area| area as f64).into_dyn(),
                    "sum" => check(&sum_labels(&values, &labels, ..).unwrap()).into_dyn(),
                    "center_of_mass" => check(&center_of_mass(&values, &labels, ..).unwrap()).into_dyn(),
                    "minimum" => check(&minimum(&values, &labels, ..).unwrap()).into_dyn(),
                    _ => check(&maximum(&values, &labels, ..).unwrap()).into_dyn(),
                };
                close(&found, &expected, TOLERANCE, &case.name);
            }
        }
    }
}

/// A column of a table, whatever its type.
fn column(table: &Columns, name: &str) -> Vec<f64> {
    match table.get(name) {
        Some(Column::F64(values)) => values.clone(),
        Some(Column::U64(values)) => values.iter().map(|&value| value as f64).collect(),
        Some(Column::I64(values)) => values.iter().map(|&value| value as f64).collect(),
        None => panic!("no column {name}"),
    }
}

#[test]
fn the_table_of_all_regions_equals_scikit_images() {
    for case in cases("image_more", "measure") {
        let values: ArrayD<f64> = load(case.folder, &case.inputs[0]);
        let labels: ArrayD<i32> = load(case.folder, &case.inputs[1]);
        let names: Vec<&str> =
            case.parameters["columns"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let expected: ArrayD<f64> = case.output();
        for lengths in some_divisions(values.shape()) {
            let values = Array::from_array(values.clone(), lengths.clone());
            let measurements = measure(&values, &Array::from_array(labels.clone(), lengths)).unwrap();
            let table = check(&measurements);
            assert_eq!(table.names().collect::<Vec<_>>(), names, "every column is compared");
            for (name, expected) in names.iter().zip(expected.outer_iter()) {
                let found = ArrayD::from_shape_vec(expected.raw_dim(), column(&table, name)).unwrap();
                close(&found, &expected.to_owned(), TOLERANCE, &format!("{} {name}", case.name));
            }
            assert_eq!(measurements.to_delayed().compute().unwrap(), table);
            let empty = measurements.empty_columns().into_columns();
            let kinds = |columns: &[(String, Column)]| -> Vec<_> {
                columns.iter().map(|(name, column)| (name.clone(), discriminant(column))).collect()
            };
            assert_eq!(kinds(&empty), kinds(&table.into_columns()));
            assert!(empty.iter().all(|(_, column)| column.is_empty()));
        }
    }
}

#[test]
fn the_table_holds_what_the_single_functions_give() {
    let values: Array<f64, IxDyn> = crate::support::golden("image", "measure_noise_values.npy");
    let labels: Array<i32, IxDyn> = crate::support::golden("image", "measure_noise_labels.npy");
    let table = check(&measure(&values, &labels).unwrap());
    let column = |name: &str| table.f64(name).unwrap().to_vec();
    assert_eq!(column("mean"), check(&mean(&values, &labels, ..).unwrap()).to_vec());
    assert_eq!(
        column("standard_deviation"),
        check(&standard_deviation(&values, &labels, ..).unwrap()).to_vec()
    );
    assert_eq!(table.u64("area").unwrap(), check(&area(&values, &labels, ..).unwrap()).to_vec());
    let centers = check(&center_of_mass(&values, &labels, ..).unwrap());
    assert_eq!(column("center_1"), centers.column(1).to_vec());
    let boxes = check(&find_objects(&labels, ..).unwrap());
    assert_eq!(table.u64("end_0").unwrap(), boxes.column(1).to_vec());
    assert_eq!(table.i64("label").unwrap(), (1..=table.len() as i64).collect::<Vec<_>>());
}

#[test]
fn a_list_of_labels_is_answered_in_its_order() {
    let index =
        |case: &Case| -> Vec<i32> { case.numbers("index", 0).iter().map(|&label| label as i32).collect() };
    let values: ArrayD<f64> = load("image_more", "values.npy");
    let labels: ArrayD<i32> = load("image_more", "labels.npy");
    for lengths in some_divisions(values.shape()) {
        let values = Array::from_array(values.clone(), lengths.clone());
        let labels = Array::from_array(labels.clone(), lengths);
        let case = &cases("image_more", "variance")[0];
        let found = check(&variance(&values, &labels, index(case)).unwrap());
        close(&found.into_dyn(), &case.output(), TOLERANCE, &case.name);
        let case = &cases("image_more", "sum_labels")[0];
        let found = check(&sum_labels(&values, &labels, index(case)).unwrap());
        close(&found.into_dyn(), &case.output(), TOLERANCE, &case.name);
        let case = &cases("image_more", "find_objects")[0];
        let found = check(&find_objects(&labels, index(case)).unwrap());
        assert_eq!(found.into_dyn(), case.output::<u64>());
    }
}

#[track_caller]
fn check_otsu<A: Histogram>(case: &Case) {
    let image: ArrayD<A> = load(case.folder, &case.inputs[0]);
    let expected = case.value.as_f64().unwrap();
    for lengths in some_divisions(image.shape()) {
        let lazy = Array::from_array(image.clone(), lengths);
        let found = check(&threshold_otsu(&lazy, case.number("bins") as usize).unwrap());
        assert!(
            (found - expected).abs() <= 1e-12 * expected.abs(),
            "{}: {found}, expected {expected}",
            case.name
        );
    }
}

#[test]
fn otsus_thresholds_equal_scikit_images() {
    for case in ["image", "image_more"].into_iter().flat_map(|folder| cases(folder, "threshold_otsu")) {
        match case.name.as_str() {
            "otsu_bytes" => check_otsu::<u8>(&case),
            "otsu_u16" => check_otsu::<u16>(&case),
            "otsu_f32" => check_otsu::<f32>(&case),
            _ => check_otsu::<f64>(&case),
        }
    }
}

#[test]
fn every_operation_of_the_golden_files_is_compared() {
    let compared = [
        ["area", "center_of_mass", "find_objects", "gaussian_filter", "label", "maximum", "mean"].as_slice(),
        &["measure", "minimum", "rgb_to_gray", "rgb_to_gray_rounded", "standard_deviation", "sum"],
        &["sum_labels", "threshold_otsu", "to_u8_scaled", "variance"],
    ];
    let compared: BTreeSet<&str> = compared.concat().into_iter().collect();
    let there: Vec<String> = ["image", "image_more"].into_iter().flat_map(operations).collect();
    assert_eq!(there.iter().map(String::as_str).collect::<BTreeSet<_>>(), compared);
}
