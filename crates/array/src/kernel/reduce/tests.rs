//! Reductions against plain loops: exact for integers, to a few units for floats, the same for any order of tiles.

use super::*;
use crate::element::{DType, Element, Source};

/// The states of a block, entered in runs that end at multiples of `step` along the row.
fn states<A: Element>(
    reduction: Reduction,
    values: &[A],
    shape: &[usize],
    axis: Option<usize>,
    step: usize,
) -> States {
    let mut sink = reducer(reduction, A::DTYPE, shape, axis).unwrap().unwrap();
    let row = row_length(shape, axis);
    let mut start = 0;
    while start < values.len() {
        let len = match row {
            Some(row) if step >= row => (step / row * row).min(values.len() - start),
            Some(row) => (step / SEGMENT * SEGMENT).max(SEGMENT).min(row - start % row),
            None => step.min(values.len() - start),
        };
        sink.accept(start, A::into_source(&values[start..start + len]));
        start += len;
    }
    sink.finish().unwrap()
}

/// The values along the reduced axis, for each element of the answer.
fn lines<A: Copy>(values: &[A], shape: &[usize], axis: Option<usize>) -> Vec<Vec<A>> {
    let Some(axis) = axis else { return vec![values.to_vec()] };
    let inner: usize = shape[axis + 1..].iter().product();
    let outer: usize = shape[..axis].iter().product();
    let line =
        |o: usize, i: usize| (0..shape[axis]).map(|n| values[(o * shape[axis] + n) * inner + i]).collect();
    (0..outer).flat_map(|o| (0..inner).map(move |i| (o, i))).map(|(o, i)| line(o, i)).collect()
}

const SHAPES: &[&[usize]] = &[
    &[],
    &[1],
    &[5],
    &[128],
    &[129],
    &[1000],
    &[3, 4],
    &[40, 7],
    &[7, 300],
    &[70, 130],
    &[2, 3, 4],
    &[33, 5, 3],
    &[5, 200, 1],
    &[4, 70, 140],
    &[0],
    &[3, 0],
    &[0, 3],
    &[2, 0, 3],
];

fn axes(shape: &[usize]) -> impl Iterator<Item = Option<usize>> {
    std::iter::once(None).chain((0..shape.len()).map(Some))
}

#[test]
fn integers_are_summed_exactly() {
    for shape in SHAPES {
        let n: usize = shape.iter().product();
        let values: Vec<i64> = (0..n as i64).map(|i| (i * 7_919 % 1009 - 500) * (i64::MAX / 1000)).collect();
        for axis in axes(shape) {
            let want: Vec<i128> = lines(&values, shape, axis)
                .iter()
                .map(|line| line.iter().map(|&x| i128::from(x)).sum())
                .collect();
            for step in [1, 200, 4096] {
                assert_eq!(
                    states(Reduction::Sum, &values, shape, axis, step),
                    States::Integer(want.clone()),
                    "{shape:?} {axis:?}"
                );
            }
        }
    }
    let halves: Vec<u64> = vec![u64::MAX; 1000];
    assert_eq!(
        states(Reduction::Sum, &halves, &[1000], None, 256),
        States::Integer(vec![1000 * i128::from(u64::MAX)])
    );
    assert_eq!(states(Reduction::Sum, &[true; 300], &[300], None, 256), States::Integer(vec![300]));
}

#[test]
fn any_order_of_tiles_gives_the_same_bits() {
    let shape = [40, 300];
    let values: Vec<f64> =
        (0..12_000).map(|i| 1.0 + (f64::from(i) * 0.37).sin() * 1e-3_f64.powi(i % 5 + 1)).collect();
    for reduction in [Reduction::Sum, Reduction::Moments, Reduction::Product] {
        for axis in axes(&shape) {
            let whole = states(reduction, &values, &shape, axis, 600);
            for step in [128, 256, 300, 1200] {
                assert_eq!(
                    states(reduction, &values, &shape, axis, step),
                    whole,
                    "{reduction:?} {axis:?} {step}"
                );
            }
            // Columns of boxes first, rows of a column in order.
            let mut sink = reducer(reduction, DType::F64, &shape, axis).unwrap().unwrap();
            for column in (0..300).step_by(128).rev() {
                for row in 0..40 {
                    let end = (column + 128).min(300);
                    let run = &values[row * 300 + column..row * 300 + end];
                    sink.accept(row * 300 + column, Source::F64(run));
                }
            }
            assert_eq!(sink.finish().unwrap(), whole, "{reduction:?} {axis:?} boxes");
        }
    }
}

#[test]
fn extremes_and_their_places_agree_with_a_loop() {
    for shape in SHAPES.iter().filter(|shape| shape.iter().product::<usize>() > 0) {
        let n: usize = shape.iter().product();
        let values: Vec<i64> = (0..n as i64).map(|i| i * i * 31 % 41 - 20).collect();
        for axis in axes(shape) {
            let all = lines(&values, shape, axis);
            let least: Vec<i64> = all.iter().map(|line| *line.iter().min().unwrap()).collect();
            let most: Vec<i64> = all.iter().map(|line| *line.iter().max().unwrap()).collect();
            assert_eq!(
                states(Reduction::Min, &values, shape, axis, 500),
                States::Elements(i64::into_buffer(least.clone()))
            );
            assert_eq!(
                states(Reduction::Max, &values, shape, axis, 500),
                States::Elements(i64::into_buffer(most.clone()))
            );
            let places = |extremes: &[i64]| -> Vec<ArgInteger> {
                let place = |(line, extreme): (&Vec<i64>, &i64)| ArgInteger {
                    value: i128::from(*extreme),
                    index: line.iter().position(|value| value == extreme).unwrap() as u64,
                };
                all.iter().zip(extremes).map(place).collect()
            };
            assert_eq!(
                states(Reduction::ArgMin, &values, shape, axis, 500),
                States::ArgInteger(places(&least)),
                "{shape:?} {axis:?}"
            );
            assert_eq!(
                states(Reduction::ArgMax, &values, shape, axis, 500),
                States::ArgInteger(places(&most)),
                "{shape:?} {axis:?}"
            );
        }
    }
}

#[test]
fn nan_is_passed_on_from_every_place() {
    for at in [0, 1, 15, 16, 100, 127, 128, 250, 299] {
        let mut values: Vec<f64> = (0..300).map(f64::from).collect();
        values[at] = f64::NAN;
        for reduction in [Reduction::Min, Reduction::Max, Reduction::Sum] {
            let States::Elements(crate::element::Buffer::F64(answer)) =
                states(reduction, &values, &[300], None, 256)
            else {
                panic!("a float state")
            };
            assert!(answer[0].is_nan(), "{reduction:?} {at}");
        }
        for reduction in [Reduction::ArgMin, Reduction::ArgMax] {
            let States::ArgFloat(answer) = states(reduction, &values, &[300], None, 256) else {
                panic!("a place")
            };
            assert_eq!(answer[0].index, at as u64, "{reduction:?}");
        }
        let States::Moments(answer) = states(Reduction::Moments, &values, &[300], None, 256) else {
            panic!("moments")
        };
        assert!(answer[0].variance(0.0).is_nan());
    }
}

#[test]
fn variance_is_right_where_the_mean_is_large() {
    // RELIABILITY A3: within 1e-12 at mean / std = 1e8 over 1e5 values; the numbers below are exact in f64.
    for shape in [vec![100_000], vec![100_000, 1], vec![50_000, 2]] {
        let n = shape.iter().product::<usize>();
        let small: Vec<f64> = (0..n).map(|i| ((i * 7_919) % 4096) as f64 / 1024.0 - 2.0).collect();
        let large: Vec<f64> = small.iter().map(|x| x + 67_108_864.0).collect();
        for axis in [None, Some(0)] {
            let variance = |values: &[f64]| match states(Reduction::Moments, values, &shape, axis, 2048) {
                States::Moments(answer) => answer[0].variance(0.0),
                other => panic!("{other:?}"),
            };
            let (a, b) = (variance(&small), variance(&large));
            assert!((a / b - 1.0).abs() < 1e-12, "{shape:?} {axis:?}: {a} {b}");
        }
    }
}

#[test]
fn a_sum_of_a_hundred_thousand_tenths_is_right_to_a_few_units() {
    let values = vec![0.1_f64; 100_000];
    let States::Elements(crate::element::Buffer::F64(answer)) =
        states(Reduction::Sum, &values, &[100_000], None, 2048)
    else {
        panic!("a float state")
    };
    // RELIABILITY A3: 1e-15 log2(n).
    assert!((answer[0] / 10_000.0 - 1.0).abs() < 1e-15 * 17.0, "{}", answer[0]);
}

#[test]
fn truths_and_products() {
    let values: Vec<bool> = (0..300).map(|i| i == 200).collect();
    assert_eq!(
        states(Reduction::Any, &values, &[300], None, 256),
        States::Elements(bool::into_buffer(vec![true]))
    );
    assert_eq!(
        states(Reduction::All, &values, &[300], None, 256),
        States::Elements(bool::into_buffer(vec![false]))
    );
    let mut factors = vec![i64::MAX; 300];
    let product = |factors: &[i64]| match states(Reduction::Product, factors, &[300], None, 256) {
        States::Product(answer) => answer[0],
        other => panic!("{other:?}"),
    };
    assert!(!product(&factors).fits);
    factors[299] = 0;
    assert_eq!(product(&factors), Product { value: 0, fits: true });
}
