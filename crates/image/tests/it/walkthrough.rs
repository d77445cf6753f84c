//! The whole walk-through on the photograph of the examples, against scipy and scikit-image.

use musher_array::Array;
use musher_image::{gaussian_filter, imread_tiles, label, measure, rgb2gray, threshold_otsu};
use musher_scheduler::compute;
use ndarray::Ix2;
use serde_json::Value;

use crate::support::root;

/// Objects of a thousand pixels, summed in another order.
const TOLERANCE: f64 = 1e-10;

#[test]
fn the_objects_of_the_photograph_are_found_and_measured() {
    let golden = root().join("crates/testkit/golden/image/walkthrough.json");
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(golden).unwrap()).unwrap();
    let pattern = root().join("examples/data/hubble/image-*.png").display().to_string();
    let gray: Vec<Vec<Array<f64, Ix2>>> = imread_tiles(pattern, (3, 3))
        .unwrap()
        .iter()
        .map(|row| row.iter().map(|tile| rgb2gray(tile).unwrap()).collect())
        .collect();
    let gray = Array::block(&gray).unwrap();
    let smooth = gaussian_filter(&gray, 1.0).unwrap();
    let level = threshold_otsu(&smooth, 256).unwrap();
    let (labels, count) = label(&smooth.gt(&level), 1).unwrap();
    let tables = (&measure(&gray, &labels).unwrap(), &measure(&smooth, &labels).unwrap());
    let (level, count, of_gray, of_smooth) = compute((&level, &count, tables.0, tables.1)).unwrap();

    let number = |value: &Value| value.as_f64().unwrap();
    assert!((level - number(&golden["threshold"])).abs() < TOLERANCE * level);
    assert_eq!(count, golden["objects"].as_u64().unwrap());
    assert_eq!(of_gray.len() as u64, count);
    let foreground: u64 = of_gray.u64("area").unwrap().iter().sum();
    assert_eq!(foreground, golden["foreground_pixels"].as_u64().unwrap());
    for object in golden["largest"].as_array().unwrap() {
        let row = object["label"].as_u64().unwrap() as usize - 1;
        assert_eq!(of_gray.u64("area").unwrap()[row], object["area"].as_u64().unwrap());
        for (table, name, expected) in [
            (&of_gray, "mean", &object["mean_gray"]),
            (&of_gray, "standard_deviation", &object["std_gray"]),
            (&of_smooth, "mean", &object["mean_smooth"]),
            (&of_smooth, "standard_deviation", &object["std_smooth"]),
            (&of_smooth, "center_0", &object["center_of_mass"][0]),
            (&of_smooth, "center_1", &object["center_of_mass"][1]),
        ] {
            let (found, expected) = (table.f64(name).unwrap()[row], number(expected));
            assert!(
                (found - expected).abs() < TOLERANCE * expected,
                "{name} of {row}: {found}, expected {expected}"
            );
        }
    }
}
