//! Reductions against plain loops: exact for integers, to a few units for floats, the same for any order of tiles.

use super::*;
use crate::element::{Element, Source};

/// The axes of a test: all of them, or one.
fn set(axis: Option<usize>, shape: &[usize]) -> AxisSet {
    axis.map_or(AxisSet::all(shape.len()), |axis| AxisSet::NONE.with(axis))
}

/// The states of a sink that has met all elements.
fn finished<C: Accumulate>(sink: Box<dyn Reducer>) -> Vec<C::State> {
    let states = sink.finish(&|index| index).unwrap();
    states.as_any().downcast_ref::<Vec<C::State>>().unwrap().clone()
}

/// The states of a block, entered in runs that end at multiples of `step` along the row.
fn states_over<C: Accumulate>(
    values: &[C::Item],
    shape: &[usize],
    axes: AxisSet,
    step: usize,
) -> Vec<C::State> {
    let mut sink = Reduction::of::<C>().algebra().reducer(shape, axes, false).unwrap();
    let row = row_length(shape, axes);
    let mut start = 0;
    while start < values.len() {
        let len = match row {
            Some(row) if step >= row => (step / row * row).min(values.len() - start),
            Some(row) => (step / SEGMENT * SEGMENT).max(SEGMENT).min(row - start % row),
            None => step.min(values.len() - start),
        };
        sink.accept(start, C::Item::into_source(&values[start..start + len]), &[]);
        start += len;
    }
    finished::<C>(sink)
}

/// The same along all axes or one.
fn states<C: Accumulate>(
    values: &[C::Item],
    shape: &[usize],
    axis: Option<usize>,
    step: usize,
) -> Vec<C::State> {
    states_over::<C>(values, shape, set(axis, shape), step)
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
                assert_eq!(states::<Sum<i64>>(&values, shape, axis, step), want, "{shape:?} {axis:?}");
            }
        }
    }
    let halves: Vec<u64> = vec![u64::MAX; 1000];
    assert_eq!(states::<Sum<u64>>(&halves, &[1000], None, 256), [1000 * i128::from(u64::MAX)]);
    assert_eq!(states::<Sum<bool>>(&[true; 300], &[300], None, 256), [300]);
}

#[test]
fn any_order_of_tiles_gives_the_same_bits() {
    fn check<C: Accumulate<Item = f64>>() {
        let shape = [40, 300];
        let values: Vec<f64> =
            (0..12_000).map(|i| 1.0 + (f64::from(i) * 0.37).sin() * 1e-3_f64.powi(i % 5 + 1)).collect();
        for axis in axes(&shape) {
            let whole = states::<C>(&values, &shape, axis, 600);
            for step in [128, 256, 300, 1200] {
                assert_eq!(states::<C>(&values, &shape, axis, step), whole, "{} {axis:?} {step}", C::NAME);
            }
            // Columns of boxes first, rows of a column in order.
            let mut sink = Reduction::of::<C>().algebra().reducer(&shape, set(axis, &shape), false).unwrap();
            for column in (0..300).step_by(128).rev() {
                for row in 0..40 {
                    let end = (column + 128).min(300);
                    let run = &values[row * 300 + column..row * 300 + end];
                    sink.accept(row * 300 + column, Source::F64(run), &[]);
                }
            }
            assert_eq!(finished::<C>(sink), whole, "{} {axis:?} boxes", C::NAME);
        }
    }
    check::<Sum<f64>>();
    check::<Spread<f64>>();
    check::<Prod<f64>>();
}

/// Every set of axes of small shapes, against the loop over the elements in C order of the reduced axes.
#[test]
fn any_set_of_axes_agrees_with_a_loop() {
    for shape in [vec![3, 4, 5], vec![2, 3, 40, 4], vec![2, 150, 3], vec![3, 1, 4, 1], vec![2, 0, 3], vec![4]]
    {
        let n: usize = shape.iter().product();
        let values: Vec<i64> = (0..n as i64).map(|i| i * i * 31 % 41 - 20).collect();
        for bits in 1_usize..1 << shape.len() {
            let axes =
                (0..shape.len()).filter(|axis| bits >> axis & 1 == 1).fold(AxisSet::NONE, AxisSet::with);
            let answers: usize = axes.reduced(&shape).iter().product();
            let mut want: Vec<Vec<i64>> = vec![Vec::new(); answers];
            for (flat, &value) in values.iter().enumerate() {
                let (mut rest, mut step, mut answer) = (flat, 1, 0);
                for axis in (0..shape.len()).rev() {
                    if !axes.contains(axis) {
                        answer += rest % shape[axis] * step;
                        step *= shape[axis];
                    }
                    rest /= shape[axis];
                }
                want[answer].push(value);
            }
            let sums: Vec<i128> = want.iter().map(|line| line.iter().map(|&x| i128::from(x)).sum()).collect();
            assert_eq!(states_over::<Sum<i64>>(&values, &shape, axes, 256), sums, "{shape:?} {axes:?}");
            if n > 0 {
                let first_of_the_most = |line: &Vec<i64>| {
                    let most = *line.iter().max().unwrap();
                    line.iter().position(|&value| value == most).unwrap() as u64
                };
                let places: Vec<u64> = want.iter().map(first_of_the_most).collect();
                let found = states_over::<ArgMax<i64>>(&values, &shape, axes, 256);
                assert_eq!(
                    found.iter().map(|state| state.index).collect::<Vec<_>>(),
                    places,
                    "{shape:?} {axes:?}"
                );
            }
        }
    }
}

/// A mask leaves elements out and counts the others, along rows and across them.
#[test]
fn what_a_mask_leaves_out_does_not_count() {
    fn check<C: Accumulate<Item = f64>>(near: impl Fn(C::State, C::State) -> bool) {
        for shape in [vec![1000], vec![7, 300], vec![70, 130], vec![3, 40, 5]] {
            let n: usize = shape.iter().product();
            let values: Vec<f64> = (0..n).map(|i| (i as f64 * 0.37).sin()).collect();
            let mask: Vec<bool> = (0..n).map(|i| i * 7 % 11 < 6).collect();
            for axis in axes(&shape) {
                let axes = set(axis, &shape);
                let mut sink = Reduction::of::<C>().algebra().reducer(&shape, axes, true).unwrap();
                let row = row_length(&shape, axes).unwrap_or(n);
                for start in (0..n).step_by(row) {
                    let end = (start + row).min(n);
                    sink.accept(start, Source::F64(&values[start..end]), &mask[start..end]);
                }
                let found = finished::<Counted<C>>(sink);
                let kept: Vec<(f64, bool)> = values.iter().copied().zip(mask.iter().copied()).collect();
                for (found, line) in found.iter().zip(lines(&kept, &shape, axis)) {
                    let line: Vec<f64> =
                        line.into_iter().filter(|(_, counts)| *counts).map(|(x, _)| x).collect();
                    assert_eq!(found.count, line.len() as u64);
                    let want = states::<C>(&line, &[line.len()], None, 1 << 20)[0];
                    assert!(near(found.state, want), "{shape:?} {axis:?}: {found:?} for {want:?}");
                }
            }
        }
    }
    check::<Sum<f64>>(|a, b| (a - b).abs() < 1e-12);
    check::<Prod<f64>>(|a, b| (a - b).abs() <= 1e-12 * b.abs());
    check::<Max<f64>>(|a, b| a == b);
    check::<Spread<f64>>(|a, b| {
        a.count == b.count
            && (a.variance(0.0) - b.variance(0.0)).abs() < 1e-12
            && (a.shift + a.mean - b.shift - b.mean).abs() < 1e-12
    });
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
            assert_eq!(states::<Min<i64>>(&values, shape, axis, 500), least);
            assert_eq!(states::<Max<i64>>(&values, shape, axis, 500), most);
            let places = |extremes: &[i64]| -> Vec<ArgInteger> {
                let place = |(line, extreme): (&Vec<i64>, &i64)| ArgInteger {
                    value: i128::from(*extreme),
                    index: line.iter().position(|value| value == extreme).unwrap() as u64,
                };
                all.iter().zip(extremes).map(place).collect()
            };
            assert_eq!(
                states::<ArgMin<i64>>(&values, shape, axis, 500),
                places(&least),
                "{shape:?} {axis:?}"
            );
            assert_eq!(states::<ArgMax<i64>>(&values, shape, axis, 500), places(&most), "{shape:?} {axis:?}");
        }
    }
}

#[test]
fn nan_is_passed_on_from_every_place() {
    for at in [0, 1, 15, 16, 100, 127, 128, 250, 299] {
        let mut values: Vec<f64> = (0..300).map(f64::from).collect();
        values[at] = f64::NAN;
        assert!(states::<Min<f64>>(&values, &[300], None, 256)[0].is_nan(), "{at}");
        assert!(states::<Max<f64>>(&values, &[300], None, 256)[0].is_nan(), "{at}");
        assert!(states::<Sum<f64>>(&values, &[300], None, 256)[0].is_nan(), "{at}");
        assert_eq!(states::<ArgMin<f64>>(&values, &[300], None, 256)[0].index, at as u64);
        assert_eq!(states::<ArgMax<f64>>(&values, &[300], None, 256)[0].index, at as u64);
        assert!(states::<Spread<f64>>(&values, &[300], None, 256)[0].variance(0.0).is_nan());
    }
}

#[test]
fn more_degrees_of_freedom_than_numbers_leave_nothing_to_divide_by() {
    let variance =
        |values: &[f64], ddof| states::<Spread<f64>>(values, &[values.len()], None, 256)[0].variance(ddof);
    assert_eq!(variance(&[5.0, 6.0], 1.0), 0.5);
    assert_eq!(variance(&[5.0, 6.0], 2.0), f64::INFINITY);
    assert_eq!(variance(&[5.0, 6.0], 3.0), f64::INFINITY, "NumPy's answer, and not -0.5");
    assert!(variance(&[5.0], 1.0).is_nan());
    assert!(variance(&[], 0.0).is_nan());
}

#[test]
fn variance_is_right_where_the_mean_is_large() {
    // RELIABILITY A3: within 1e-12 at mean / std = 1e8 over 1e5 values; the numbers below are exact in f64.
    for shape in [vec![100_000], vec![100_000, 1], vec![50_000, 2]] {
        let n = shape.iter().product::<usize>();
        let small: Vec<f64> = (0..n).map(|i| ((i * 7_919) % 4096) as f64 / 1024.0 - 2.0).collect();
        let large: Vec<f64> = small.iter().map(|x| x + 67_108_864.0).collect();
        for axis in [None, Some(0)] {
            let variance =
                |values: &[f64]| states::<Spread<f64>>(values, &shape, axis, 2048)[0].variance(0.0);
            let (a, b) = (variance(&small), variance(&large));
            assert!((a / b - 1.0).abs() < 1e-12, "{shape:?} {axis:?}: {a} {b}");
        }
    }
}

#[test]
fn a_sum_of_a_hundred_thousand_tenths_is_right_to_a_few_units() {
    let values = vec![0.1_f64; 100_000];
    let answer = states::<Sum<f64>>(&values, &[100_000], None, 2048);
    // RELIABILITY A3: 1e-15 log2(n).
    assert!((answer[0] / 10_000.0 - 1.0).abs() < 1e-15 * 17.0, "{}", answer[0]);
}

#[test]
fn truths_and_products() {
    let values: Vec<bool> = (0..300).map(|i| i == 200).collect();
    assert_eq!(states::<AnyOf<bool>>(&values, &[300], None, 256), [true]);
    assert_eq!(states::<AllOf<bool>>(&values, &[300], None, 256), [false]);
    let mut factors = vec![i64::MAX; 300];
    let product = |factors: &[i64]| states::<Prod<i64>>(factors, &[300], None, 256)[0];
    assert!(!product(&factors).fits);
    factors[299] = 0;
    assert_eq!(product(&factors), Product { value: 0, fits: true });
}
