//! Colors, exposure and thresholds: every golden case of scikit-image, over several divisions into blocks.

use musher_array::{Array, Element};
use musher_image::{
    Histogram, Intensity, Otsu, ScaleRange, adjust_gamma, equalize_hist, hed2rgb, hsv2rgb, lab2rgb, lab2xyz,
    luv2rgb, luv2xyz, rescale_intensity, rgb2hed, rgb2hsv, rgb2lab, rgb2luv, rgb2xyz, rgb2ycbcr,
    threshold_isodata, threshold_li, threshold_multiotsu, threshold_triangle, threshold_yen, xyz2lab,
    xyz2luv, xyz2rgb, ycbcr2rgb,
};
use musher_scheduler::Compute;
use ndarray::{ArrayD, Ix0, IxDyn};

use crate::support::{Bits, Case, TOLERANCE, cases, check, close, load, some_divisions};

const FOLDER: &str = "image_color";

/// Another library's powers, and products of matrices in another order.
const POWERS: f64 = 1e-13;

/// The input of a case, divided in several ways.
fn divided<A: Element>(case: &Case) -> Vec<Array<A, IxDyn>> {
    let values: ArrayD<A> = load(case.folder, &case.inputs[0]);
    some_divisions(values.shape())
        .into_iter()
        .map(|lengths| Array::from_array(values.clone(), lengths))
        .collect()
}

fn kind(case: &Case) -> &str {
    case.parameters["kind"].as_str().unwrap()
}

#[test]
fn colors_equal_scikit_images() {
    macro_rules! equal {
        ($($operation:literal => $name:ident),*) => {$(
            for case in cases(FOLDER, $operation) {
                let found: Vec<ArrayD<f64>> = match kind(&case) {
                    "u8" => divided::<u8>(&case).iter().map(|image| check(&$name(image).unwrap())).collect(),
                    _ => divided::<f64>(&case).iter().map(|image| check(&$name(image).unwrap())).collect(),
                };
                close(&found[0], &case.output(), POWERS, &case.name);
                assert!(found.iter().all(|other| other.bits() == found[0].bits()), "{}", case.name);
            }
        )*};
    }
    equal!("rgb2hsv" => rgb2hsv, "hsv2rgb" => hsv2rgb, "rgb2xyz" => rgb2xyz, "xyz2rgb" => xyz2rgb, "rgb2lab" => rgb2lab, "lab2rgb" => lab2rgb, "xyz2lab" => xyz2lab, "lab2xyz" => lab2xyz);
    equal!("rgb2luv" => rgb2luv, "luv2rgb" => luv2rgb, "xyz2luv" => xyz2luv, "luv2xyz" => luv2xyz, "rgb2ycbcr" => rgb2ycbcr, "ycbcr2rgb" => ycbcr2rgb, "rgb2hed" => rgb2hed, "hed2rgb" => hed2rgb);
}

#[test]
fn images_without_three_channels_are_refused() {
    let error = rgb2hsv(&Array::<u8, _>::ones((4, 4), 2)).unwrap_err().to_string();
    assert!(error.contains("(4, 4)") && error.contains("colors.rs"), "{error}");
    let nothing = rgb2lab(&Array::<f32, _>::ones((0, 3), 2)).unwrap();
    assert_eq!(nothing.compute().unwrap().dim(), (0, 3));
}

/// A threshold of an image of any type.
fn threshold<A: Histogram + Intensity>(name: &str, image: &Array<A, IxDyn>) -> Array<f64, Ix0> {
    let otsu = Otsu::default();
    match name {
        "threshold_yen" => threshold_yen(image, otsu),
        "threshold_isodata" => threshold_isodata(image, otsu),
        "threshold_triangle" => threshold_triangle(image, otsu),
        _ => threshold_li(image, otsu),
    }
    .unwrap()
}

#[test]
fn thresholds_equal_scikit_images() {
    for name in ["threshold_yen", "threshold_isodata", "threshold_triangle", "threshold_li"] {
        for case in cases(FOLDER, name) {
            let found: Vec<f64> = match kind(&case) {
                "u8" => divided::<u8>(&case).iter().map(|image| check(&threshold(name, image))).collect(),
                "u16" => divided::<u16>(&case).iter().map(|image| check(&threshold(name, image))).collect(),
                _ => divided::<f64>(&case).iter().map(|image| check(&threshold(name, image))).collect(),
            };
            let expected = case.value.as_f64().unwrap();
            // scikit-image weighs with counts of single precision.
            let tolerance = if name == "threshold_li" { 1e-4 } else { TOLERANCE };
            assert!(
                (found[0] - expected).abs() <= tolerance * expected,
                "{} {found:?} {expected}",
                case.name
            );
            assert!(found.iter().all(|other| other.to_bits() == found[0].to_bits()), "{}", case.name);
        }
    }
}

#[test]
fn several_thresholds_equal_scikit_images() {
    for case in cases(FOLDER, "threshold_multiotsu") {
        let classes = case.number("classes") as usize;
        let found: Vec<ArrayD<f64>> = match kind(&case) {
            "u8" => divided::<u8>(&case)
                .iter()
                .map(|image| check(&threshold_multiotsu(image, classes, Otsu::default()).unwrap()).into_dyn())
                .collect(),
            _ => divided::<f64>(&case)
                .iter()
                .map(|image| check(&threshold_multiotsu(image, classes, Otsu::default()).unwrap()).into_dyn())
                .collect(),
        };
        for found in &found {
            close(found, &case.output(), TOLERANCE, &case.name);
        }
    }
    let image = Array::from_array(ndarray::arr1(&[1_u8, 1, 2]), 2);
    let error = threshold_multiotsu(&image, 3, Otsu::default()).unwrap().compute().unwrap_err();
    assert!(format!("{error:?}").contains("2 different values cannot be parted into 3 classes"), "{error:?}");
    let error = threshold_multiotsu(&image, 1, Otsu::default()).unwrap_err().to_string();
    assert!(error.contains("classes") && error.contains("colors.rs"), "{error}");
}

#[test]
fn exposure_equals_scikit_images() {
    for case in cases(FOLDER, "equalize_hist") {
        let found: Vec<ArrayD<f64>> = match kind(&case) {
            "u8" => {
                divided::<u8>(&case).iter().map(|image| check(&equalize_hist(image, 256).unwrap())).collect()
            }
            "u16" => {
                divided::<u16>(&case).iter().map(|image| check(&equalize_hist(image, 256).unwrap())).collect()
            }
            _ => {
                divided::<f64>(&case).iter().map(|image| check(&equalize_hist(image, 256).unwrap())).collect()
            }
        };
        for found in &found {
            close(found, &case.output(), TOLERANCE, &case.name);
        }
    }
    for case in cases(FOLDER, "rescale_intensity") {
        let to = case.numbers("to", 2);
        let range = match case.parameters["range"].as_array() {
            Some(_) => ScaleRange::from(case.numbers("range", 2)[0]..=case.numbers("range", 2)[1]),
            None => ScaleRange::from(..),
        };
        for image in divided::<f64>(&case) {
            let found = check(&rescale_intensity(&image, range, to[0]..=to[1]).unwrap());
            close(&found, &case.output(), TOLERANCE, &case.name);
        }
    }
    for case in cases(FOLDER, "adjust_gamma") {
        for image in divided::<f64>(&case) {
            let found = check(&adjust_gamma(&image, case.number("gamma"), case.number("gain")).unwrap());
            close(&found, &case.output(), TOLERANCE, &case.name);
        }
    }
}

#[test]
fn hostile_light_is_answered_or_refused() {
    let nan = Array::from_array(ndarray::arr1(&[1.0, f64::NAN, 3.0]), 2);
    assert!(
        rescale_intensity(&nan, .., 0.0..=1.0).unwrap().compute().unwrap().iter().all(|value| value.is_nan())
    );
    assert!(equalize_hist(&nan, 8).unwrap().compute().is_err());
    let flat = Array::from_array(ndarray::arr1(&[7.0, 7.0]), 1);
    assert_eq!(rescale_intensity(&flat, .., 0.0..=1.0).unwrap().compute().unwrap().to_vec(), [1.0, 1.0]);
    assert_eq!(equalize_hist(&flat, 8).unwrap().compute().unwrap().to_vec(), [1.0, 1.0]);
    let said = |error: musher_image::Error, word: &str| {
        let text = error.to_string();
        assert!(text.contains(word) && text.contains("colors.rs"), "{text}");
    };
    said(rescale_intensity(&flat, .., 1.0..=1.0).unwrap_err(), "to is 1");
    said(rescale_intensity(&flat, 2.0..=1.0, 0.0..=1.0).unwrap_err(), "high");
    said(adjust_gamma(&flat, -1.0, 1.0).unwrap_err(), "gamma");
    said(adjust_gamma(&flat, 1.0, f64::NAN).unwrap_err(), "gain");
    let nothing = Array::<f64, _>::ones((0,), 1);
    said(equalize_hist(&nothing, 8).unwrap_err(), "without pixels");
    said(threshold_yen(&flat, 0).unwrap_err(), "bins");
}
