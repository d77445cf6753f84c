//! Images between their pixels: every golden case of scipy.ndimage and scikit-image, over several divisions into blocks.

use std::collections::BTreeSet;

use musher_array::{Array, PerAxis};
use musher_image::{
    Affine, Rotation, Spline, SplineMode, affine_transform, geometric_transform, map_coordinates, resize,
    rotate, shift, spline_filter, spline_filter1d, zoom,
};
use musher_scheduler::Compute;
use ndarray::{Array2, ArrayD, Axis, IxDyn};

use crate::support::{Bits, Case, cases, check, close, load, operations, some_divisions};

/// Coefficients are sums of about fifty neighbors, where scipy recurs along a line.
const TOLERANCE: f64 = 1e-12;

type Lazy = Array<f64, IxDyn>;
type Answer = Result<Lazy, musher_image::Error>;

fn mode(text: &str, value: f64) -> SplineMode {
    match text {
        "constant" => SplineMode::Constant(value),
        "grid-constant" => SplineMode::GridConstant(value),
        "nearest" => SplineMode::Nearest,
        "mirror" => SplineMode::Mirror,
        "reflect" => SplineMode::Reflect,
        "grid-wrap" => SplineMode::GridWrap,
        "wrap" => SplineMode::Wrap,
        other => panic!("{other} is no mode"),
    }
}

/// The splines of a case, and the answer of each.
fn splines(case: &Case) -> Vec<(Spline, ArrayD<f64>)> {
    let answers: ArrayD<f64> = case.output();
    let modes = case.parameters["modes"].as_array().unwrap();
    modes
        .iter()
        .zip(answers.axis_iter(Axis(0)))
        .map(|(text, answer)| {
            let spline = Spline::order(case.number("order") as usize);
            let spline = spline.mode(mode(text.as_str().unwrap(), case.number("cval")));
            let is_filtered = case.parameters["prefilter"].as_bool() == Some(false);
            (if is_filtered { spline.of_coefficients() } else { spline }, answer.to_owned())
        })
        .collect()
}

/// Compares the function of every case of an operation with its answers, and its bits over divisions.
#[track_caller]
fn equal(operation: &str, of: impl Fn(&Case, &Lazy, Spline) -> Answer) {
    let mut number = 0;
    for case in cases("image_resample", operation) {
        let image: ArrayD<f64> = load(case.folder, &case.inputs[0]);
        for (spline, answer) in splines(&case) {
            let name = format!("{} {spline:?}", case.name);
            let divided = |lengths: &[Vec<usize>]| {
                let lazy = Array::from_array(image.clone(), lengths.to_vec());
                of(&case, &lazy, spline.clone()).unwrap().compute().unwrap()
            };
            let divisions = some_divisions(image.shape());
            let whole = divided(&divisions[0]);
            close(&whole, &answer, TOLERANCE, &name);
            // All divisions come in turn: there are many cases, and blocks of one pixel read very many.
            if number % 4 == 0 {
                let other = divided(&divisions[1 + number / 4 % (divisions.len() - 1)]);
                assert_eq!(other.bits(), whole.bits(), "{name}");
            }
            number += 1;
        }
    }
}

fn shape(case: &Case) -> Vec<usize> {
    case.numbers("shape", 0).iter().map(|&length| length as usize).collect()
}

#[test]
fn coefficients_equal_scipys() {
    equal("spline_filter", |_, image, spline| spline_filter(image, spline));
    equal("spline_filter1d", |case, image, spline| {
        spline_filter1d(image, Axis(case.number("axis") as usize), spline)
    });
}

#[test]
fn values_at_coordinates_equal_scipys() {
    equal("map_coordinates", |case, image, spline| {
        let places: ArrayD<f64> = load(case.folder, &case.inputs[1]);
        map_coordinates(image, &Array::from_array(places, 2), spline)
    });
}

#[test]
fn affine_transformations_equal_scipys() {
    equal("affine_transform", |case, image, spline| {
        let rows = case.parameters["matrix"].as_array().unwrap();
        let n = rows.len();
        let values = rows.iter().flat_map(|row| row.as_array().unwrap()).map(|value| value.as_f64().unwrap());
        let matrix = Array2::from_shape_vec((n, n), values.collect()).unwrap();
        let affine = Affine::matrix(matrix).offset(PerAxis::Each(case.numbers("offset", n)));
        affine_transform(image, affine.shape(shape(case)), spline)
    });
}

#[test]
fn homogeneous_matrices_hold_their_offset() {
    let image = Array::<f64, _>::from_shape_fn((6, 7), 3, |(y, x)| (y * y + x) as f64);
    let plain = Affine::matrix(ndarray::arr2(&[[1.0, 0.5], [0.0, 1.0]])).offset([0.5, -1.0]);
    let expected = affine_transform(&image, plain, 1).unwrap().compute().unwrap();
    let wide = ndarray::arr2(&[[1.0, 0.5, 0.5], [0.0, 1.0, -1.0]]);
    let square = ndarray::arr2(&[[1.0, 0.5, 0.5], [0.0, 1.0, -1.0], [0.0, 0.0, 1.0]]);
    for matrix in [wide, square] {
        assert_eq!(affine_transform(&image, matrix, 1).unwrap().compute().unwrap(), expected);
    }
    let other = ndarray::arr2(&[[1.0, 0.5, 0.5], [0.0, 1.0, -1.0], [0.0, 1.0, 1.0]]);
    assert!(affine_transform(&image, other, 1).unwrap_err().to_string().contains("matrix"));
}

#[test]
fn shifts_and_zooms_equal_scipys() {
    equal("shift", |case, image, spline| {
        shift(image, PerAxis::Each(case.numbers("shift", image.ndim())), spline)
    });
    equal("zoom", |case, image, spline| {
        zoom(image, PerAxis::Each(case.numbers("factor", image.ndim())), spline)
    });
}

#[test]
fn rotations_equal_scipys() {
    equal("rotate", |case, image, spline| {
        let axes = case.numbers("axes", 2);
        let rotation =
            Rotation::degrees(case.number("angle")).axes([Axis(axes[0] as usize), Axis(axes[1] as usize)]);
        let keeps = case.parameters["reshape"].as_bool() == Some(false);
        rotate(image, if keeps { rotation.keep_shape() } else { rotation }, spline)
    });
}

#[test]
fn other_shapes_equal_scikit_images() {
    equal("resize", |case, image, spline| resize(image, shape(case), spline));
}

#[test]
fn functions_of_places_equal_scipys() {
    fn places(at: &[usize], x: &mut [f64]) {
        x[0] = at[0] as f64 - 0.25 * at[1] as f64;
        x[1] = at[1] as f64 * 0.5 + 1.25;
    }
    for reach in [None, Some([2, 3]), Some([90, 90])] {
        equal("geometric_transform", |_, image, spline| {
            let spline = match reach {
                Some(reach) => spline.reach(reach),
                None => spline,
            };
            geometric_transform(image, image.shape(), places, spline)
        });
    }
}

#[test]
fn integers_are_rounded_as_scipys() {
    for case in cases("image_resample", "shift_integers") {
        let by = || PerAxis::Each(case.numbers("shift", 2));
        let modes = case.parameters["modes"].as_array().unwrap();
        for (number, text) in modes.iter().enumerate() {
            let spline = Spline::order(case.number("order") as usize);
            let spline = spline.mode(mode(text.as_str().unwrap(), case.number("cval")));
            macro_rules! same {
                ($t:ty) => {{
                    let image: ArrayD<$t> = load(case.folder, &case.inputs[0]);
                    let expected = case.output::<$t>().index_axis(Axis(0), number).to_owned();
                    for lengths in some_divisions(image.shape()) {
                        let lazy = Array::from_array(image.clone(), lengths);
                        let found = check(&shift(&lazy, by(), spline.clone()).unwrap());
                        assert_eq!(found, expected, "{} {text}", case.name);
                    }
                }};
            }
            match case.parameters["dtype"].as_str().unwrap() {
                "uint8" => same!(u8),
                _ => same!(i16),
            }
        }
    }
}

#[test]
fn coordinates_within_their_reach_need_no_more_and_others_are_refused() {
    let image = Array::<f64, _>::from_shape_fn((20, 20), 4, |(y, x)| (y * 31 % 7 + x * x) as f64);
    let field = ndarray::Array3::from_shape_fn((2, 20, 20), |(axis, y, x)| {
        [y, x][axis] as f64 + ((y + 2 * x) % 5) as f64 / 2.0 - 1.0
    });
    let field = Array::from_array(field, (2, 5, 5));
    let whole = check(&map_coordinates(&image, &field, 3).unwrap());
    let near = map_coordinates(&image, &field, Spline::order(3).reach(1)).unwrap();
    assert_eq!(check(&near).bits(), whole.bits());
    let error =
        map_coordinates(&image, &(field + 0.5), Spline::order(3).reach(1)).unwrap().compute().unwrap_err();
    assert!(format!("{error:?}").contains("reach of 1 pixels"), "{error:?}");
}

#[test]
fn hostile_values_are_answered() {
    let image = Array::from_array(ndarray::arr1(&[1.0, 2.0, f64::NAN, 4.0, 5.0]), 2);
    let places = |values: &[f64]| {
        let values = ArrayD::from_shape_vec(IxDyn(&[1, values.len()]), values.to_vec()).unwrap();
        Array::from_array(values, 2)
    };
    let far = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300, 0.5];
    let constant = Spline::order(1).mode(SplineMode::Constant(7.0));
    let found = map_coordinates(&image, &places(&far), constant).unwrap().compute().unwrap();
    assert_eq!(found.iter().copied().collect::<Vec<_>>(), [7.0, 7.0, 7.0, 7.0, 7.0, 1.5]);
    let nearest = Spline::order(1).mode(SplineMode::Nearest);
    let found = map_coordinates(&image, &places(&far), nearest).unwrap().compute().unwrap();
    assert_eq!(found.iter().copied().collect::<Vec<_>>(), [0.0, 5.0, 1.0, 5.0, 1.0, 1.5]);
    for mode in [SplineMode::Mirror, SplineMode::Reflect, SplineMode::Wrap, SplineMode::GridWrap] {
        let found =
            map_coordinates(&image, &places(&far), Spline::order(3).mode(mode)).unwrap().compute().unwrap();
        assert_eq!(found.len(), 6);
    }
    let nothing = Array::<f64, _>::zeros((0, 3), 2);
    let found = affine_transform(&nothing, Affine::matrix(Array2::eye(2)).shape([2, 2]), 3)
        .unwrap()
        .compute()
        .unwrap();
    assert_eq!(found, Array2::<f64>::zeros((2, 2)));
    assert_eq!(zoom(&nothing, 2.0, 3).unwrap().compute().unwrap().dim(), (0, 6));
}

#[test]
fn blocks_read_their_surroundings_only() {
    let made = |touched: &'static std::sync::Mutex<BTreeSet<Vec<usize>>>| {
        Array::<f64, _>::zeros((100, 100), 10).map_blocks_with_place(move |place, block| {
            touched.lock().unwrap().insert(place.start.to_vec());
            block.to_owned()
        })
    };
    static TOUCHED: std::sync::Mutex<BTreeSet<Vec<usize>>> = std::sync::Mutex::new(BTreeSet::new());
    let image = made(&TOUCHED);
    let part = shift(&image, [0.5, 0.25], 1).unwrap().slice(ndarray::s![40..50, 40..50]);
    part.compute().unwrap();
    assert!(TOUCHED.lock().unwrap().len() <= 9, "{TOUCHED:?}");
}

#[test]
fn wrong_parameters_are_refused_where_they_are_given() {
    let image = Array::<u8, _>::zeros((4, 5), 2);
    let said = |error: musher_image::Error, word: &str| {
        let text = error.to_string();
        assert!(text.contains(word) && text.contains("resample.rs"), "{text}");
    };
    said(shift(&image, 1.0, 6).unwrap_err(), "order");
    said(shift(&image, f64::NAN, 1).unwrap_err(), "shift");
    said(shift(&image, [1.0], 1).unwrap_err(), "1 axes");
    said(shift(&image, 1.0, Spline::order(1).mode(SplineMode::Constant(0.5))).unwrap_err(), "mode");
    said(zoom(&image, -1.0, 1).unwrap_err(), "factor");
    said(zoom(&image, 1e18, 1).unwrap_err(), "shape");
    said(spline_filter(&image, 1).unwrap_err(), "order");
    said(spline_filter1d(&image, Axis(2), 3).unwrap_err(), "axis");
    said(rotate(&image, f64::INFINITY, 1).unwrap_err(), "degrees");
    said(rotate(&image, Rotation::degrees(1.0).axes([Axis(1), Axis(1)]), 1).unwrap_err(), "axis");
    said(affine_transform(&image, Array2::eye(4), 1).unwrap_err(), "matrix");
    said(affine_transform(&image, Array2::from_elem((2, 2), f64::NAN), 1).unwrap_err(), "matrix");
    said(geometric_transform(&image, [4], |_, _| {}, 1).unwrap_err(), "shape");
    let places = Array::<f64, _>::zeros((3, 4), 2);
    said(map_coordinates(&image, &places, 1).unwrap_err(), "map_coordinates");
    let places = Array::<f64, _>::zeros((2, 4), 2);
    said(map_coordinates(&image, &places, Spline::order(1).reach(2)).unwrap_err(), "reach");
    said(resize(&image.cast::<f64>(), [4], 1).unwrap_err(), "shape");
}

#[test]
fn every_case_is_compared() {
    let known = [
        "spline_filter",
        "spline_filter1d",
        "map_coordinates",
        "affine_transform",
        "shift",
        "zoom",
        "rotate",
        "shift_integers",
        "resize",
        "geometric_transform",
    ];
    let found: BTreeSet<String> = operations("image_resample").into_iter().collect();
    assert_eq!(found, known.map(str::to_owned).into_iter().collect());
}

#[test]
fn coefficients_are_splines_at_whole_places_too() {
    let image =
        Array::from_array(ArrayD::from_shape_fn(IxDyn(&[7, 5]), |at| (at[0] * 3 % 7 + at[1]) as f64), 3);
    let mirror = || Spline::order(3).mode(SplineMode::Mirror);
    let coefficients = spline_filter(&image, mirror()).unwrap();
    let expected = image.compute().unwrap();
    for found in [
        shift(&coefficients, 0.0, mirror().of_coefficients()),
        rotate(&coefficients, 0.0, mirror().of_coefficients()),
        affine_transform(&coefficients, Array2::eye(2), mirror().of_coefficients()),
    ] {
        close(&found.unwrap().compute().unwrap(), &expected, TOLERANCE, "whole places");
    }
    let deep = Array::from_array(ArrayD::<f64>::zeros(IxDyn(&[3, 3, 3])), 2);
    assert!(rotate(&deep, 10.0, mirror().of_coefficients()).is_err());
}

#[test]
fn halves_beyond_the_edges_are_rounded_as_scipys() {
    // scipy.ndimage.shift([1, 2, 3, 4], by, order=0, mode="mirror")
    let line = Array::from_array(ndarray::arr1(&[1.0, 2.0, 3.0, 4.0]), 2);
    for (by, expected) in
        [(-0.5, [2.0, 3.0, 4.0, 3.0]), (3.5, [4.0, 4.0, 3.0, 2.0]), (-6.5, [2.0, 3.0, 4.0, 3.0])]
    {
        let found = shift(&line, by, Spline::order(0).mode(SplineMode::Mirror)).unwrap().compute().unwrap();
        assert_eq!(found.to_vec(), expected, "{by}");
    }
}

#[test]
fn places_far_away_and_tiny_angles_are_answered() {
    let image = Array::from_array(Array2::from_shape_fn((20, 20), |(i, j)| (i * 20 + j) as f64), 10);
    let tiny = rotate(&image, -1e-15, 1).unwrap();
    assert_eq!(tiny.compute().unwrap(), image.compute().unwrap());
    for mode in [SplineMode::Reflect, SplineMode::Mirror, SplineMode::Wrap, SplineMode::GridWrap] {
        let far = shift(&image, 1e17, Spline::order(1).mode(mode)).unwrap();
        assert!(far.compute().unwrap().iter().all(|value| (0.0..400.0).contains(value)), "{mode:?}");
    }
    let torn = ndarray::arr2(&[[1e308, -1e308], [0.0, 1.0]]);
    let nearest = affine_transform(&image, torn, Spline::order(0).mode(SplineMode::Nearest)).unwrap();
    assert_eq!(nearest.compute().unwrap().dim(), (20, 20));
    assert!(zoom(&image, 1e15, 1).is_err());
    let nothing = Array::from_array(Array2::<f64>::zeros((0, 3)), 2);
    assert!(zoom(&nothing, PerAxis::Each(vec![1.0, 1e30]), 1).is_err());
    let at = Array::from_array(ndarray::arr2(&[[f64::INFINITY], [0.0]]), 2);
    let constant = map_coordinates(&image, &at, Spline::order(1).mode(SplineMode::GridConstant(7.0)));
    assert_eq!(constant.unwrap().compute().unwrap().to_vec(), [7.0]);
}
