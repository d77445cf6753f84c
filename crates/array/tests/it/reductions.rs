//! Reductions for every division of small shapes, and their refusals.

use crate::blocks::{answer, bits, cuts, grids};
use musher_array::ndarray::{ArrayD, Axis, IxDyn, arr1, arr2};
use musher_array::{All, Array, Complex, Error};
use musher_scheduler::{Compute, compute};

/// A table with a NaN, an infinity and signs.
fn table() -> musher_array::ndarray::Array2<f64> {
    arr2(&[[1.5, -2.0, 0.25, 8.0], [f64::NAN, 3.0, -0.0, 1e300], [4.0, -1e300, f64::INFINITY, 7.0]])
}

#[test]
fn every_division_of_a_table_gives_the_answers_of_a_loop() {
    let whole = table();
    let rows: Vec<f64> =
        whole.rows().into_iter().map(|row| row.iter().fold(f64::NEG_INFINITY, nan_max)).collect();
    let columns: Vec<f64> =
        whole.columns().into_iter().map(|column| column.iter().fold(f64::INFINITY, nan_min)).collect();
    for lengths in grids(3, 4) {
        let x = Array::from_array(whole.clone(), lengths.clone());
        assert_eq!(bits(&answer(&x.over(Axis(1)).max())), bits(&arr1(&rows)), "{lengths:?}");
        assert_eq!(bits(&answer(&x.over(Axis(0)).min())), bits(&arr1(&columns)), "{lengths:?}");
        assert!(x.sum().compute().unwrap().is_nan());
        assert_eq!(x.argmax().compute().unwrap(), 4, "the NaN, {lengths:?}");
        assert_eq!(answer(&x.over(Axis(0)).argmin()), arr1(&[1, 2, 1, 2]), "{lengths:?}");
        assert_eq!(x.is_nan().count_true().compute().unwrap(), 1);
        assert!(x.is_nan().any().compute().unwrap());
        assert_eq!(answer(&x.is_finite().over(Axis(0)).all()), arr1(&[false, true, false, true]));
    }
}

fn nan_max(most: f64, x: &f64) -> f64 {
    if most.is_nan() || x.is_nan() { f64::NAN } else { most.max(*x) }
}

fn nan_min(least: f64, x: &f64) -> f64 {
    if least.is_nan() || x.is_nan() { f64::NAN } else { least.min(*x) }
}

#[test]
fn integers_are_exact_for_every_division() {
    let whole = ArrayD::from_shape_fn(IxDyn(&[2, 3, 4]), |i| (i[0] * 12 + i[1] * 4 + i[2]) as i8 - 12);
    for first in cuts(2) {
        for second in cuts(3) {
            for third in cuts(4) {
                let lengths = vec![first.clone(), second.clone(), third];
                let x = Array::from_array(whole.clone(), lengths);
                assert_eq!(x.sum().compute().unwrap(), -12);
                assert_eq!(x.mean().compute().unwrap(), -0.5);
                for axis in 0..3 {
                    let want = whole.mapv(i64::from).sum_axis(Axis(axis));
                    assert_eq!(x.sum_axis(Axis(axis)).compute().unwrap(), want);
                    let want = whole.mapv(f64::from).var_axis(Axis(axis), 1.0);
                    let found = x.var_axis(Axis(axis), 1.0).compute().unwrap();
                    assert!(found.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-12), "{found} {want}");
                }
            }
        }
    }
}

#[test]
fn sums_widen_and_overflow_is_an_error_that_says_so() {
    let x = Array::from_array(arr1(&[i32::MAX; 4]), 1);
    assert_eq!(x.sum().compute().unwrap(), 4 * i64::from(i32::MAX));
    assert_eq!(Array::from_array(arr1(&[u8::MAX; 4]), 3).sum().compute().unwrap(), 1020_u64);
    assert_eq!(Array::from_array(arr1(&[i64::MAX, 1, -1]), 1).sum().compute().unwrap(), i64::MAX);
    let error = Array::from_array(arr1(&[i64::MAX, 1]), 1).sum().compute().unwrap_err();
    let text = causes(&error);
    assert!(text.contains("sum is 9223372036854775808, which does not fit i64"), "{text}");
    assert!(text.contains(file!()), "the user's line: {text}");
    assert!(Array::from_array(arr1(&[i64::MAX, 2]), 1).product().compute().is_err());
    assert_eq!(Array::from_array(arr1(&[i64::MAX, i64::MAX, 0]), 1).product().compute().unwrap(), 0);
    let error = (Array::from_array(arr1(&[200_u8, 100]), 1) + 100).compute().unwrap_err();
    assert!(causes(&error).contains("integer overflow in add of u8"), "{}", causes(&error));
}

/// An error and everything behind it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

#[test]
fn nothing_has_a_sum_and_no_extreme() {
    for lengths in [vec![vec![0], vec![3]], vec![vec![0, 0], vec![1, 2]]] {
        let x = Array::from_array(musher_array::ndarray::Array2::<f64>::zeros((0, 3)), lengths);
        assert_eq!(x.sum().compute().unwrap(), 0.0);
        assert!(x.mean().compute().unwrap().is_nan());
        assert!(x.var(0.0).compute().unwrap().is_nan());
        assert_eq!(answer(&x.sum_axis(Axis(0))), arr1(&[0.0; 3]));
        assert_eq!(answer(&x.sum_axis(Axis(1))), arr1::<f64>(&[]));
        assert_eq!(answer(&x.over(Axis(1)).max()), arr1::<f64>(&[]));
        assert!(matches!(x.try_max(), Err(Error::EmptyReduction { .. })));
        let error = x.over(Axis(0)).try_min().unwrap_err().to_string();
        assert!(
            error.starts_with("min over axis 0 of shape (0, 3): an empty reduction has no identity"),
            "{error}"
        );
        assert!(error.contains(file!()), "{error}");
    }
    let x = Array::<f64, _>::zeros((2, 3), 1);
    assert!(matches!(x.try_over(Axis(2)), Err(Error::Axis { axis: 2, ndim: 2, .. })));
    let twice = x.try_over([Axis(1), Axis(1)]).unwrap_err().to_string();
    assert!(twice.contains("an axis is named twice") && twice.contains(file!()), "{twice}");
}

#[test]
fn one_element_and_no_axes() {
    let x = Array::from_array(arr1(&[2.5_f32]), 1);
    assert_eq!(x.sum().compute().unwrap(), 2.5);
    assert_eq!(x.std(0.0).compute().unwrap(), 0.0);
    assert!(x.std(1.0).compute().unwrap().is_nan());
    let scalar = x.sum();
    assert_eq!(scalar.sum().compute().unwrap(), 2.5);
    assert_eq!((scalar.max() + scalar).compute().unwrap(), 5.0);
}

#[test]
fn complex_numbers_are_summed() {
    let x = Array::from_array(arr1(&[Complex::new(1.0, 2.0), Complex::new(-3.0, 0.5)]), 1);
    assert_eq!(x.sum().compute().unwrap(), Complex::new(-2.0, 2.5));
    assert_eq!(x.mean().compute().unwrap(), Complex::new(-1.0, 1.25));
}

/// Trees of several levels: 1000 blocks of one element, 30 × 30 blocks.
#[test]
fn trees_of_many_blocks() {
    let x = Array::arange(0_i64, 1000, 1, 1);
    assert_eq!(x.sum().compute().unwrap(), 499_500);
    assert_eq!(x.argmax().compute().unwrap(), 999);
    let x = Array::from_shape_fn((30, 30), 1, |(i, j)| (i * 30 + j) as f64);
    assert_eq!(x.mean().compute().unwrap(), 449.5);
    assert_eq!(answer(&x.over(Axis(1)).argmin()), musher_array::ndarray::Array1::<u64>::zeros(30));
    let want: Vec<f64> = (0..30).map(|j| 435.0 + f64::from(j)).collect();
    assert_eq!(answer(&x.mean_axis(Axis(0))), arr1(&want));
}

/// Sets of axes, masks and passing over NaN, for every division of a small array.
#[test]
fn sets_of_axes_and_masks_for_every_division() {
    let whole = ArrayD::from_shape_fn(IxDyn(&[2, 3, 4]), |i| match (i[0] * 12 + i[1] * 4 + i[2]) * 7 % 13 {
        5 => f64::NAN,
        other => other as f64,
    });
    let plain = |axes: [usize; 2]| {
        let kept = 3 - axes[0] - axes[1];
        let lines = whole.axis_iter(Axis(kept)).map(|line| {
            let numbers: Vec<f64> = line.iter().copied().filter(|x| !x.is_nan()).collect();
            (
                numbers.iter().sum::<f64>(),
                numbers.iter().copied().fold(f64::NAN, f64::max),
                numbers.len() as f64,
            )
        });
        lines.collect::<Vec<_>>()
    };
    for first in cuts(2) {
        for second in cuts(3) {
            let x = Array::from_array(whole.clone(), vec![first.clone(), second.clone(), vec![1, 3]]);
            for axes in [[0, 1], [0, 2], [1, 2]] {
                let over = || x.over([Axis(axes[0]), Axis(axes[1])]).skip_nan();
                let want = plain(axes);
                let sums: Vec<f64> = want.iter().map(|line| line.0).collect();
                assert_eq!(answer(&over().sum()).into_raw_vec_and_offset().0, sums);
                let most: Vec<f64> = want.iter().map(|line| line.1).collect();
                assert_eq!(answer(&over().max()).into_raw_vec_and_offset().0, most);
                let means: Vec<f64> = want.iter().map(|line| line.0 / line.2).collect();
                assert_eq!(answer(&over().mean()).into_raw_vec_and_offset().0, means);
                let kept = answer(&over().keep_axes().sum());
                assert_eq!(
                    kept.shape(),
                    [0, 1, 2].map(|axis| if axes.contains(&axis) { 1 } else { whole.shape()[axis] })
                );
            }
            let even = x.rem_euclid(2.0).eq_elem(0.0);
            let sum: f64 = whole.iter().filter(|x| *x % 2.0 == 0.0).sum();
            assert_eq!(x.over(All).where_true(&even).sum().compute().unwrap(), sum);
        }
    }
}

#[test]
fn an_extreme_of_nothing_is_nan_of_floats_and_an_error_of_integers() {
    let x = Array::from_array(arr2(&[[f64::NAN, 1.0], [f64::NAN, f64::NAN]]), 1);
    assert!(x.over(Axis(1)).skip_nan().max().compute().unwrap()[1].is_nan());
    assert_eq!(x.over(Axis(1)).skip_nan().sum().compute().unwrap(), arr1(&[1.0, 0.0]));
    assert!(x.over(Axis(1)).skip_nan().mean().compute().unwrap()[1].is_nan());
    let n = Array::from_array(arr1(&[3, 4]), 1);
    let error = n.over(All).where_true(&n.gt(9)).max().compute().unwrap_err();
    assert!(causes(&error).contains("max of i32: no element is left to reduce"), "{}", causes(&error));
    let error = x.over(Axis(1)).skip_nan().argmin().compute().unwrap_err();
    assert!(causes(&error).contains("argmin of f64: no element is left to reduce"), "{}", causes(&error));
    let wrong = Array::from_array(arr1(&[true, false, true]), 1);
    assert!(matches!(n.over(All).where_true(&wrong).try_max(), Err(Error::Shapes { .. })));
    assert!(matches!(n.over(All).where_true(&wrong).try_sum(), Err(Error::Shapes { .. })));
}

#[test]
fn degrees_of_freedom_are_checked() {
    let x = Array::from_array(arr1(&[5.0, 6.0]), 1);
    assert_eq!(x.var(3.0).compute().unwrap(), f64::INFINITY, "as NumPy");
    for ddof in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(x.try_var(ddof), Err(Error::DegreesOfFreedom { .. })), "{ddof}");
        assert!(x.over(Axis(0)).try_std(ddof).is_err(), "{ddof}");
    }
}

/// The names that ndarray has for one axis are those of `over`.
#[test]
fn one_axis_by_ndarrays_names() {
    let whole = musher_array::ndarray::Array2::from_shape_fn((3, 4), |(i, j)| (i * 4 + j) as f64 * 0.5 - 2.0);
    let x = Array::from_array(whole.clone(), (2, 3));
    for axis in [Axis(0), Axis(1)] {
        assert_eq!(answer(&x.sum_axis(axis)), whole.sum_axis(axis));
        assert_eq!(answer(&x.product_axis(axis)), whole.product_axis(axis));
        let near = |found: &musher_array::ndarray::Array1<f64>, want: musher_array::ndarray::Array1<f64>| {
            found.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-14)
        };
        assert!(near(&answer(&x.mean_axis(axis)), whole.mean_axis(axis).unwrap()));
        assert!(near(&answer(&x.var_axis(axis, 1.0)), whole.var_axis(axis, 1.0)));
        assert!(near(&answer(&x.std_axis(axis, 0.0)), whole.std_axis(axis, 0.0)));
    }
}

/// Blocks that lie otherwise in memory are read in another order, and reduced to the same bits.
#[test]
fn any_layout_is_reduced_over_any_axes_to_the_same_bits() {
    let value = |i: &IxDyn| ((i[0] * 31 + i[1] * 17 + i[2] * 7) % 101) as f64 * 0.1 - 3.0;
    for shape in [[40, 3, 64], [3, 40, 64], [64, 33, 20]] {
        let whole = ArrayD::from_shape_fn(IxDyn(&shape), |i| value(&i));
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let turned = whole.clone().permuted_axes(IxDyn(&order));
            let plain = turned.as_standard_layout().into_owned();
            let (turned, plain) = (Array::from_array(turned, 1 << 20), Array::from_array(plain, 1 << 20));
            // One that only a program turns.
            let lazily = Array::from_array(whole.clone(), 1 << 20).permuted_axes(order.to_vec()) * 1.0;
            for bits_of_axes in 1..7_usize {
                let axes: Vec<Axis> = (0..3).filter(|axis| bits_of_axes >> axis & 1 == 1).map(Axis).collect();
                let all = |x: &Array<f64, IxDyn>| {
                    let over = || x.over(&axes[..]);
                    let mask = x.gt(0.0);
                    let answers = compute((
                        &over().sum(),
                        &over().max(),
                        &over().var(1.0),
                        &over().argmax(),
                        &over().where_true(&mask).sum(),
                    ));
                    let (sum, max, var, place, masked) = answers.unwrap();
                    let floats = [sum, max, var, masked].iter().flat_map(bits).collect::<Vec<u8>>();
                    (floats, place)
                };
                let want = all(&plain);
                assert_eq!(all(&turned), want, "{shape:?} {order:?} {axes:?}");
                assert_eq!(all(&lazily), want, "{shape:?} {order:?} {axes:?}, lazily");
            }
        }
    }
}
