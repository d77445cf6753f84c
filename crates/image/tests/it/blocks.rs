//! All divisions of small images: the answer must not see the blocks.

use std::collections::VecDeque;

use musher_array::Array;
use musher_image::{
    Gaussian, GrayWeights, Mode, gaussian_filter, label, measure, rgb_to_gray, rgb2gray, threshold,
    threshold_otsu, to_u8_scaled,
};
use musher_scheduler::{Compute, Options, compute_with};
use ndarray::{Array2, ArrayD, IxDyn, array};

use crate::support::{Bits, cuts, divisions, some_divisions};

const MODES: [Mode; 5] = [Mode::Reflect, Mode::Mirror, Mode::Nearest, Mode::Wrap, Mode::Constant(-3.0)];

fn image(shape: &[usize]) -> ArrayD<f64> {
    let mut at = 0_u32;
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        at += 1;
        f64::from(at * 7919 % 101).sqrt()
    })
}

#[test]
fn a_filter_gives_the_same_bits_for_all_divisions() {
    for (shape, sigma) in [(vec![3, 5], 1.0), (vec![6], 2.0), (vec![2, 3, 2], 0.6), (vec![1, 1], 3.0)] {
        let image = image(&shape);
        for mode in MODES {
            let parameters = Gaussian::sigma(sigma).mode(mode);
            let mut expected: Option<Vec<u64>> = None;
            for lengths in divisions(&shape) {
                let lazy = Array::from_array(image.clone(), lengths.clone());
                let filtered = gaussian_filter(&lazy, parameters.clone()).unwrap();
                let found = filtered.compute_with(&Options::sequential()).unwrap().bits();
                assert_eq!(*expected.get_or_insert_with(|| found.clone()), found, "{mode:?} {lengths:?}");
            }
        }
    }
}

#[test]
fn nan_spreads_as_far_as_the_weights_and_no_further() {
    let mut image = image(&[7, 9]);
    image[[3, 4]] = f64::NAN;
    let parameters = Gaussian::sigma(0.5).mode(Mode::Nearest);
    for lengths in some_divisions(&[7, 9]) {
        let lazy = Array::from_array(image.clone(), lengths);
        let found = gaussian_filter(&lazy, parameters.clone()).unwrap().compute().unwrap();
        for (at, value) in found.indexed_iter() {
            let near = at[0].abs_diff(3) <= 2 && at[1].abs_diff(4) <= 2;
            assert_eq!(value.is_nan(), near, "{at:?}");
        }
    }
}

#[test]
fn an_image_without_pixels_is_filtered_labeled_and_measured() {
    for shape in [[0, 4], [3, 0]] {
        let lazy = Array::from_array(ArrayD::<f64>::zeros(IxDyn(&shape)), 2);
        assert_eq!(gaussian_filter(&lazy, 1.0).unwrap().compute().unwrap().shape(), shape);
        let (labels, count) = label(&threshold(&lazy, 0.0).unwrap(), 2).unwrap();
        assert_eq!(labels.compute().unwrap().shape(), shape);
        assert_eq!(count.compute().unwrap(), 0);
        assert!(measure(&lazy, &labels).unwrap().compute().unwrap().is_empty());
    }
}

/// Labels by flood fill from every pixel in C order: the definition.
fn flood(mask: &Array2<bool>, connectivity: usize) -> (Array2<i32>, u64) {
    let mut labels = Array2::<i32>::zeros(mask.raw_dim());
    let mut count = 0;
    for start in mask.indexed_iter().filter(|&(_, &set)| set).map(|(at, _)| at) {
        if labels[start] != 0 {
            continue;
        }
        count += 1;
        labels[start] = count;
        let mut queue = VecDeque::from([start]);
        while let Some((row, column)) = queue.pop_front() {
            for (down, right) in [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)] {
                if down != 0 && right != 0 && connectivity < 2 {
                    continue;
                }
                let next = (row.wrapping_add_signed(down), column.wrapping_add_signed(right));
                if mask.get(next) == Some(&true) && labels[next] == 0 {
                    labels[next] = count;
                    queue.push_back(next);
                }
            }
        }
    }
    (labels, u64::from(count.unsigned_abs()))
}

#[test]
fn labels_of_all_divisions_equal_flood_fill() {
    let options = Options::sequential();
    // Every 37th of the images of 3 x 4 pixels; the kernels are tested on all of them.
    for bits in (0..1_u32 << 12).step_by(37) {
        let mask = Array2::from_shape_fn((3, 4), |(row, column)| bits >> (row * 4 + column) & 1 == 1);
        for connectivity in 1..=2 {
            let expected = flood(&mask, connectivity);
            for rows in cuts(3) {
                for columns in cuts(4) {
                    let lazy = Array::from_array(mask.clone(), vec![rows.clone(), columns]);
                    let (labels, count) = label(&lazy, connectivity).unwrap();
                    assert_eq!(compute_with((&labels, &count), &options).unwrap(), expected);
                }
            }
        }
    }
}

#[test]
fn labels_are_joined_through_many_blocks_on_threads() {
    let size = 61;
    // Stripes joined at alternating ends: one long snake.
    let mask = Array2::from_shape_fn((size, size), |(row, column)| {
        row % 2 == 0 || column == if row % 4 == 1 { size - 1 } else { 0 }
    });
    for block in [1, 2, 7, 61] {
        let lazy = Array::from_array(mask.clone(), block);
        let (labels, count) = label(&lazy, 1).unwrap();
        assert_eq!(count.compute().unwrap(), 1);
        assert_eq!(labels.compute().unwrap(), mask.mapv(i32::from));
    }
}

#[test]
fn labels_and_image_may_have_different_blocks() {
    let values = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
    let marks = array![[1, 1, 0], [2, 2, 1]];
    for lengths in divisions(&[2, 3]) {
        for others in divisions(&[2, 3]) {
            let values = Array::from_array(values.clone(), lengths.clone());
            let marks = Array::from_array(marks.clone(), others);
            let table = measure(&values, &marks).unwrap().compute().unwrap();
            assert_eq!(table.f64("sum"), Some(&[9.0, 9.0][..]));
            assert_eq!(table.f64("minimum"), Some(&[1.0, 4.0][..]));
        }
    }
}

#[test]
fn a_transposed_image_is_taken_in_its_own_order() {
    let mask = array![[true, false, true], [false, true, true]];
    let values = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
    for lengths in divisions(&[2, 3]) {
        let lazy = Array::from_array(mask.clone(), lengths.clone()).t();
        let image = Array::from_array(values.clone(), lengths).t();
        let (labels, _) = label(&lazy, 1).unwrap();
        assert_eq!(labels.compute().unwrap(), array![[1, 0], [0, 2], [2, 2]]);
        let table = measure(&image, &labels).unwrap().compute().unwrap();
        assert_eq!(table.f64("sum"), Some(&[1.0, 14.0][..]));
        let smooth = gaussian_filter(&image, 1.0).unwrap().compute().unwrap();
        let plain =
            gaussian_filter(&Array::from_array(values.t().to_owned(), 3), 1.0).unwrap().compute().unwrap();
        assert_eq!(smooth, plain);
    }
}

#[test]
fn colors_become_gray_for_all_divisions() {
    let image = ndarray::Array3::from_shape_fn((3, 3, 3), |(row, column, channel)| {
        (row * 50 + column * 9 + channel) as u8
    });
    let expected = Array2::from_shape_fn((3, 3), |(row, column)| {
        let pixel = |channel: usize| f64::from(image[[row, column, channel]]);
        pixel(0) * 0.2125 + pixel(1) * 0.7154 + pixel(2) * 0.0721
    });
    for rows in cuts(3) {
        for columns in cuts(3) {
            let lazy = Array::from_array(image.clone(), vec![rows.clone(), columns, vec![3]]);
            assert_eq!(rgb2gray(&lazy).unwrap().compute().unwrap(), expected);
            let named = rgb_to_gray(&lazy, GrayWeights::REC_709).unwrap();
            assert_eq!(named.compute().unwrap(), expected);
        }
    }
}

#[test]
fn thresholds_and_scales_do_not_see_blocks() {
    let values = array![[0.0, 10.0, 250.0], [245.0, 5.0, 12.0]];
    for lengths in divisions(&[2, 3]) {
        let lazy = Array::from_array(values.clone(), lengths);
        let level = threshold_otsu(&lazy, 256).unwrap();
        let bright = lazy.gt(&level).compute().unwrap();
        assert_eq!(bright, array![[false, false, true], [true, false, false]]);
        assert_eq!(threshold(&lazy, 10.0).unwrap().compute().unwrap(), values.mapv(|value| value > 10.0));
        let bytes = to_u8_scaled(&lazy, 0.0..=250.0).unwrap().compute().unwrap();
        assert_eq!(bytes, array![[0, 10, 255], [250, 5, 12]]);
        assert_eq!(to_u8_scaled(&lazy, ..).unwrap().compute().unwrap(), bytes);
    }
}
