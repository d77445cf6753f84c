//! What is refused, where, and with which words.

use std::error::Error as _;

use musher_array::Array;
use musher_image::{
    Error, Gaussian, Mode, Window, area, gaussian_filter, imread, imread_chunked, imread_tiles, imsave,
    imsave_tiles, label, maximum_filter, measure, median_filter, minimum_filter, percentile_filter,
    rank_filter, rgb_to_gray, rgb2gray, threshold, threshold_otsu, to_u8_scaled, uniform_filter,
};
use musher_scheduler::Compute;
use ndarray::{Ix0, Ix1, Ix2, Ix3, Ix4, arr1};

/// The message names what is wrong and the line of the call in this file.
#[track_caller]
fn refused<T>(result: Result<T, Error>, words: &str) -> Error {
    let Err(error) = result else { panic!("not refused: {words}") };
    let text = error.to_string();
    assert!(text.contains(words) && text.contains("errors.rs"), "{text}");
    error
}

#[test]
fn parameters_out_of_range_are_refused_when_the_graph_is_built() {
    let image = Array::<f64, Ix2>::zeros((4, 4), 2);
    refused(gaussian_filter(&image, -1.0), "sigma is -1");
    refused(gaussian_filter(&image, f64::NAN), "sigma is NaN");
    refused(gaussian_filter(&image, f64::INFINITY), "sigma is inf");
    refused(gaussian_filter(&image, 1e300), "sigma * truncate");
    refused(gaussian_filter(&image, Gaussian::sigma(1.0).truncate(-2.0)), "truncate is -2");
    refused(gaussian_filter(&image, [1.0, 1.0, 1.0]), "sigma is given for 3 axes, but the image has 2");
    refused(gaussian_filter(&image, Gaussian::sigma(1.0).order([1])), "order is given for 1 axes");
    refused(gaussian_filter(&image, Gaussian::sigma(1.0).mode([Mode::Wrap])), "mode is given for 1 axes");
    refused(gaussian_filter(&image, Gaussian::sigma(1.0).mode(Mode::None)), "mode is `None`");
    let bytes = Array::<u8, Ix1>::zeros(4, 2);
    let between = Window::size(3).mode(Mode::Constant(2.5));
    refused(uniform_filter(&bytes, between), "mode is 2.5, but must be a value that the pixels can have");
    refused(uniform_filter(&image, 0), "size is 0");
    refused(minimum_filter(&image, usize::MAX), "size is 18446744073709552000");
    refused(maximum_filter(&image, [1, 2, 3]), "size is given for 3 axes");
    refused(uniform_filter(&image, Window::size(3).origin(2)), "origin is 2");
    refused(uniform_filter(&image, Window::size(4).origin(-3)), "origin is -3");
    refused(uniform_filter(&image, Window::size(4).origin([0])), "origin is given for 1 axes");
    refused(median_filter(&image, Window::size(3).mode([Mode::Wrap, Mode::None])), "mode is `None`");
    refused(median_filter(&image, 1 << 13), "size is 67108864");
    refused(percentile_filter(&image, 101.0, 3), "percentile is 101");
    refused(percentile_filter(&image, f64::NAN, 3), "percentile is NaN");
    refused(rank_filter(&image, 9, 3), "rank is 9");
    refused(rank_filter(&image, -10, 3), "rank is -10");
    refused(threshold_otsu(&image, 0), "bins is 0");
    refused(to_u8_scaled(&image, 1.0..=1.0), "high is 1");
    refused(threshold(&image, f64::NAN), "value is NaN");
    let mask = image.gt(0.0);
    refused(label(&mask, 0), "connectivity is 0");
    refused(label(&mask, 3), "connectivity is 3");
    let labels = Array::<i32, Ix2>::zeros((4, 4), 2);
    refused(area(&image, &labels, [1, 0]), "label is 0");
}

#[test]
fn shapes_that_do_not_fit_are_refused_when_the_graph_is_built() {
    let image = Array::<f64, Ix2>::zeros((4, 4), 2);
    let labels = Array::<i32, Ix2>::zeros((4, 5), 2);
    refused(measure(&image, &labels), "measure needs equal shapes, found (4, 4) and (4, 5)");
    refused(
        rgb2gray(&image),
        "rgb2gray needs 3 (in one block) channels along the last axis, found shape (4, 4)",
    );
    refused(rgb2gray(&Array::<u8, Ix3>::zeros((4, 4, 3), 1)), "in one block");
    refused(rgb_to_gray(&Array::<u8, Ix3>::zeros((4, 4, 4), 4), [1.0; 3]), "rgb_to_gray needs 3");
    refused(
        threshold_otsu(&Array::<f64, Ix1>::zeros(0, 1), 256),
        "threshold_otsu of an image without pixels",
    );
    refused(to_u8_scaled(&Array::<f64, Ix1>::zeros(0, 1), ..), "to_u8_scaled of an image without pixels");
    refused(imsave(&Array::<u8, Ix4>::zeros((1, 1, 1, 1), 1), "never.png"), "imsave needs 1 to 4");
    refused(imsave(&Array::<u8, Ix3>::zeros((2, 2, 5), 5), "never.png"), "found shape (2, 2, 5)");
    refused(imsave_tiles(&Array::<u8, Ix3>::zeros((2, 2, 3), 2), "never", "png"), "all in one block");
    refused(imsave_tiles(&Array::<u8, Ix0>::zeros((), 2), "never", "png"), "imsave_tiles needs");
}

#[test]
fn patterns_without_files_are_refused_when_the_graph_is_built() {
    refused(imread("no/such/*.png"), "imread: no file matches \"no/such/*.png\"");
    refused(imread("a[.png"), "imread: \"a[.png\" is no pattern of file names");
    refused(imread_chunked("no.png", 1), "imread_chunked: cannot look at no.png");
    let folder = tempfile::tempdir().unwrap();
    imsave(&Array::<u8, Ix2>::zeros((2, 2), 2), folder.path().join("a.png")).unwrap();
    let pattern = format!("{}/*.png", folder.path().display());
    refused(imread(folder.path().to_str().unwrap()), "is a folder; the files in it are");
    refused(imread_tiles(&pattern, (2, 2)), "a grid of 2 x 2 tiles needs one file for each");
    refused(imread_tiles(&pattern, (usize::MAX, 2)), "matches 1");
}

#[test]
fn values_without_a_histogram_fail_when_it_is_computed() {
    for values in [[1.0, f64::NAN], [f64::INFINITY, 1.0], [f64::MIN, f64::MAX]] {
        let level = threshold_otsu(&Array::from_array(arr1(&values), 1), 256).unwrap();
        let error = level.compute().unwrap_err();
        assert!(error.to_string().contains("errors.rs"), "{error}");
        let cause = error.source().unwrap().downcast_ref::<Error>();
        assert!(matches!(cause, Some(Error::NotFinite { .. })), "{error:?}");
    }
    let level = threshold_otsu(&Array::from_array(arr1(&[1.0, 1.0 + f64::EPSILON]), 1), 256).unwrap();
    let error = level.compute().unwrap_err();
    let cause = error.source().unwrap().downcast_ref::<Error>();
    assert!(matches!(cause, Some(Error::TooManyBins { bins: 256, .. })), "{error:?}");
}

#[test]
fn what_main_prints_is_a_report() {
    let image = Array::<f64, Ix2>::zeros((4, 4), 2);
    let error = gaussian_filter(&image, -1.0).unwrap_err();
    assert_eq!(format!("{error:?}"), error.to_string());
    let pattern = imread("a[.png").unwrap_err();
    let report = format!("{pattern:?}");
    assert!(report.starts_with(&pattern.to_string()) && report.contains("\n\nCaused by:\n    "), "{report}");
}
