//! Keys and passes: equal work is one piece of work.

use musher_array::Array;
use musher_graph_core::{Collection, Graph};
use musher_image::{
    Gaussian, Labeling, Mode, Otsu, Window, area, gaussian_filter, imread, imsave, label, maximum_filter,
    mean, measure, median_filter, minimum_filter, percentile_filter, rank_filter, standard_deviation,
    threshold_otsu, to_u8_scaled, uniform_filter,
};
use musher_scheduler::{Compute, compute};
use ndarray::{Ix2, arr1};

fn image() -> Array<f64, Ix2> {
    Array::<f64, Ix2>::zeros((12, 12), 4)
}

#[test]
fn equal_calls_have_equal_keys_and_different_ones_different_keys() {
    let image = image();
    let key = |parameters: Gaussian| gaussian_filter(&image, parameters).unwrap().key();
    assert_eq!(key(Gaussian::sigma(1.0)), key(Gaussian::from([1.0, 1.0])));
    let others = [
        Gaussian::sigma(1.0),
        Gaussian::sigma(1.5),
        Gaussian::sigma([1.0, 1.5]),
        Gaussian::sigma(1.0).order(1),
        Gaussian::sigma(1.0).truncate(3.0),
        Gaussian::sigma(1.0).mode(Mode::Wrap),
        Gaussian::sigma(1.0).mode(Mode::Constant(1.0)),
        Gaussian::sigma(1.0).mode(Mode::Constant(2.0)),
    ];
    let mut keys: Vec<_> = others.into_iter().map(key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 8);
    let filters = [
        uniform_filter(&image, 3),
        uniform_filter(&image, 4),
        uniform_filter(&image, Window::size(3).origin(1)),
        uniform_filter(&image, Window::size(3).mode(Mode::Wrap)),
        minimum_filter(&image, 3),
        maximum_filter(&image, 3),
        median_filter(&image, 3),
        rank_filter(&image, 3, 3),
    ];
    let mut keys: Vec<_> = filters.into_iter().map(|filtered| filtered.unwrap().key()).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 8);
    let share = percentile_filter(&image, 50.0, 3).unwrap();
    assert_eq!(median_filter(&image, 3).unwrap().key(), share.key(), "they are one rank");
    let mask = image.gt(0.0);
    let key = |parameters: Labeling| label(&mask, parameters).unwrap().0.key();
    assert_eq!(key(Labeling::default()), key(Labeling::from(1)));
    assert_ne!(key(Labeling::from(1)), key(Labeling::default().connectivity(2)));
    let key = |parameters: Otsu| threshold_otsu(&image, parameters).unwrap().key();
    assert_eq!(key(Otsu::default()), key(Otsu::from(256)));
    assert_ne!(key(Otsu::from(256)), key(Otsu::default().bins(8)));
    let key = |range| to_u8_scaled(&image, range).unwrap().key();
    assert_eq!(key(0.0..=1.0), key(0.0..=1.0));
    assert_ne!(key(0.0..=1.0), key(0.0..=2.0));
}

#[test]
fn sigma_zero_gives_the_image_itself() {
    let image = image();
    assert_eq!(gaussian_filter(&image, 0.0).unwrap().key(), image.key());
}

#[test]
fn several_measurements_share_one_pass() {
    let image = image();
    let (labels, _) = label(&image.gt(0.0), 1).unwrap();
    let requests = [
        mean(&image, &labels, ..).unwrap().request(),
        standard_deviation(&image, &labels, 1..5).unwrap().request(),
        area(&image, &labels, ..).unwrap().request(),
        measure(&image, &labels).unwrap().request(),
    ];
    let graph = Graph::collect(&requests).unwrap();
    let passes = graph.layers().iter().filter(|layer| layer.task.label() == "measure").count();
    assert_eq!(passes, 1);
}

#[test]
fn a_changed_file_is_other_work() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    let pattern = path.display().to_string();
    imsave(&Array::<u8, Ix2>::zeros((4, 4), 2), &path).unwrap();
    let before = imread(&pattern).unwrap();
    assert_eq!(before.key(), imread(&pattern).unwrap().key());
    imsave(&Array::<u8, Ix2>::ones((4, 5), 2), &path).unwrap();
    assert_ne!(before.key(), imread(&pattern).unwrap().key());
}

#[test]
fn measurements_go_on_as_arrays_and_delayed_values() {
    let image = Array::from_array(arr1(&[1.0, 2.0, 6.0, 7.0]), 2);
    let labels = Array::from_array(arr1(&[1, 1, 2, 2]), 2);
    let means = mean(&image, &labels, [2, 1]).unwrap();
    let (all, doubled) = compute((&means, &(means.to_array().unwrap() * 2.0))).unwrap();
    assert_eq!((all, doubled), (arr1(&[6.5, 1.5]), arr1(&[13.0, 3.0])));
    assert!(mean(&image, &labels, ..).unwrap().to_array().is_none());
    let table = measure(&image, &labels).unwrap();
    let rows =
        musher_graph_core::delayed(|table: &musher_image::Columns| table.len()).call(&table.to_delayed());
    assert_eq!(rows.compute().unwrap(), 2);
}

#[test]
fn the_plan_reads_in_the_order_of_the_work() {
    let image = image();
    let smooth = gaussian_filter(&image, 1.0).unwrap();
    let (labels, _) = label(&smooth.gt(&threshold_otsu(&smooth, 256).unwrap()), 1).unwrap();
    let text = measure(&smooth, &labels).unwrap().explain().unwrap().to_string();
    for step in
        ["gaussian_filter", "threshold_otsu", "label", "merge_labels", "relabel", "measure", "region_table"]
    {
        assert!(text.contains(step), "{step} is missing in\n{text}");
    }
}
