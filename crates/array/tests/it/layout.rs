//! Slices, transposes, joins and reshapes for every division of small shapes.

use crate::blocks::{answer, cuts, grids};
use musher_array::ndarray::{self, Array2, Array3, Axis, arr1, s};
use musher_array::{Array, Error, concatenate, stack};
use musher_scheduler::Compute;

fn table(rows: usize, columns: usize) -> Array2<i32> {
    Array2::from_shape_fn((rows, columns), |(i, j)| (10 * i + j) as i32)
}

#[test]
#[expect(clippy::reversed_empty_ranges, reason = "a negative end counts from the back")]
fn slices_of_every_division_are_those_of_ndarray() {
    let whole = table(4, 5);
    for lengths in grids(4, 5) {
        let x = Array::from_array(whole.clone(), lengths.clone());
        /// One slice of both.
        macro_rules! same {
            ($($slice:tt)*) => {
                let found = x.slice(s![$($slice)*]);
                assert_eq!(found.compute().unwrap(), whole.slice(s![$($slice)*]), "{} {lengths:?}", stringify!($($slice)*));
                assert_eq!(found.shape(), whole.slice(s![$($slice)*]).shape());
            };
        }
        same!(1..3, ..);
        same!(..;2, 1..;3);
        same!(..;-1, ..;-2);
        same!(2, ..);
        same!(.., -1);
        same!(1..-1, -3..);
        same!(2..2, ..);
        same!(.., ndarray::NewAxis, 4);
        same!(..;3, 1..5;-3);
    }
}

#[test]
fn slices_of_slices_and_of_generators() {
    let x = Array::arange(0, 100, 1, 7);
    let part = x.slice(s![10..90;3]).slice(s![..;-2]) * 2;
    let want: Vec<i32> =
        (10..90).step_by(3).collect::<Vec<_>>().into_iter().rev().step_by(2).map(|x| x * 2).collect();
    assert_eq!(answer(&part), arr1(&want));
    let x = Array::arange(0, 1000, 1, 100);
    let blocks = x.slice(s![200..500]).slice(s![..;-1]) + x.slice(s![700..]);
    let want: Vec<i32> = (0..300).map(|i| 499 - i + 700 + i).collect();
    assert_eq!(answer(&blocks), arr1(&want));
}

#[test]
fn indices_outside_are_refused_with_the_line() {
    let x = Array::<f64, _>::zeros((3, 4), 2);
    let error = x.try_slice(s![1..5, ..]).unwrap_err();
    assert!(matches!(error, Error::Index { axis: 0, index: 5, length: 3, .. }), "{error}");
    assert!(error.to_string().contains(file!()));
    assert!(matches!(x.try_index_axis(Axis(1), 4), Err(Error::Index { .. })));
    assert!(matches!(x.try_index_axis(Axis(2), 0), Err(Error::Axis { .. })));
    assert!(matches!(x.try_slice(s![-4, ..]), Err(Error::Index { index: -4, .. })));
}

#[test]
fn permutations_of_every_division() {
    let whole = Array3::from_shape_fn((2, 3, 2), |(i, j, k)| (100 * i + 10 * j + k) as u16);
    for first in cuts(2) {
        for second in cuts(3) {
            let x = Array::from_array(whole.clone(), vec![first.clone(), second.clone(), vec![1, 1]]);
            for axes in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
                let want = whole.clone().permuted_axes(axes);
                let turned = x.permuted_axes(axes);
                assert_eq!(turned.compute().unwrap(), want);
                assert_eq!((&turned + 1).compute().unwrap(), &want + 1);
                assert_eq!(
                    turned.sum_axis(Axis(0)).compute().unwrap(),
                    want.mapv(u64::from).sum_axis(Axis(0))
                );
            }
            assert_eq!(x.swap_axes(0, 2).compute().unwrap(), whole.clone().permuted_axes([2, 1, 0]));
            assert_eq!(x.t().t().compute().unwrap(), whole);
        }
    }
    let x = Array::<f64, _>::zeros((2, 3), 1);
    assert!(matches!(x.try_permuted_axes([0, 0]), Err(Error::Permutation { .. })));
}

#[test]
fn new_and_repeated_axes() {
    let x = Array::from_array(arr1(&[1, 2, 3]), 2);
    for axis in [0, 1] {
        let want = arr1(&[1, 2, 3]).insert_axis(Axis(axis));
        assert_eq!(answer(&x.insert_axis(Axis(axis))), want);
        assert_eq!(answer(&(x.insert_axis(Axis(axis)) * 2)), want * 2);
    }
    let wide = x.broadcast_to((4, 3));
    assert_eq!(answer(&wide), arr1(&[1, 2, 3]).broadcast((4, 3)).unwrap().to_owned());
    assert_eq!(wide.sum().compute().unwrap(), 24_i64);
    let column = x.insert_axis(Axis(1)).broadcast_to((2, 3, 5));
    assert_eq!(answer(&column).sum(), 60);
    assert!(matches!(x.try_broadcast_to((3, 4)), Err(Error::Shapes { .. })));
}

#[test]
fn joins_of_every_division() {
    let (a, b) = (table(2, 3), table(3, 3) + 100);
    for left in grids(2, 3) {
        for right in [vec![vec![3], vec![3]], vec![vec![1, 2], vec![2, 1]]] {
            let (x, y) = (Array::from_array(a.clone(), left.clone()), Array::from_array(b.clone(), right));
            let found = concatenate(Axis(0), &[&x, &y, &x]).unwrap();
            let want = ndarray::concatenate(Axis(0), &[a.view(), b.view(), a.view()]).unwrap();
            assert_eq!(found.compute().unwrap(), want);
            let found = stack(Axis(1), &[&x, &(&x * 2)]).unwrap();
            assert_eq!(
                found.compute().unwrap(),
                ndarray::stack(Axis(1), &[a.view(), (&a * 2).view()]).unwrap()
            );
            let rows = [vec![x.clone(), &x + 1], vec![y.clone(), &y + 1]];
            let found = Array::block(&rows).unwrap().compute().unwrap();
            assert_eq!(found.slice(s![..2, 3..]), &a + 1);
            assert_eq!(found.slice(s![2.., ..3]), b);
            assert_eq!(found.shape(), [5, 6]);
        }
    }
    let (x, y) = (Array::from_array(a, 1), Array::from_array(b, 1));
    assert!(matches!(concatenate(Axis(1), &[&x, &y]), Err(Error::Shapes { .. })));
    assert!(matches!(concatenate::<i32, ndarray::Ix2>(Axis(0), &[]), Err(Error::Arrangement { .. })));
    assert!(matches!(concatenate(Axis(2), &[&x]), Err(Error::Axis { .. })));
    assert!(matches!(stack(Axis(0), &[&x, &y]), Err(Error::Shapes { .. })));
    let ragged = [vec![x.clone()], vec![x.clone(), x.clone()]];
    assert!(matches!(Array::block(&ragged), Err(Error::Arrangement { .. })));
    assert!(matches!(Array::block(&[vec![x.clone(), y.clone()]]), Err(Error::Shapes { .. })));
}

#[test]
fn reshapes_keep_the_order() {
    let x = Array::from_array(table(6, 4), (2, 4));
    let want = table(6, 4);
    assert_eq!(answer(&x.reshape(24)), want.clone().into_shape_with_order(24).unwrap());
    assert_eq!(answer(&x.reshape((6, 2, 2))), want.clone().into_shape_with_order((6, 2, 2)).unwrap());
    assert_eq!(answer(&x.reshape((3, 8))), want.clone().into_shape_with_order((3, 8)).unwrap());
    assert_eq!(
        answer(&x.t().rechunk((4, 6)).reshape(24)),
        want.t().iter().copied().collect::<ndarray::Array1<_>>()
    );
    // Blocks of two rows of four cannot become blocks of rows of six: elements move between blocks.
    let moved = x.reshape((4, 6));
    assert_eq!(moved.chunks().axis(0), [1, 1, 1, 1]);
    assert_eq!(answer(&moved), want.clone().into_shape_with_order((4, 6)).unwrap());
    assert!(matches!(x.try_reshape(25), Err(Error::Shapes { .. })));
    assert_eq!(answer(&x.rechunk((6, 4)).reshape((4, 6))), want.into_shape_with_order((4, 6)).unwrap());
}

#[test]
fn one_axis_is_cut_and_one_dimension_told_as_ndarray_does() {
    let whole = table(5, 4);
    for lengths in grids(5, 4) {
        let x = Array::from_array(whole.clone(), lengths);
        for slice in
            [ndarray::Slice::from(1..4), ndarray::Slice::new(-3, None, 2), ndarray::Slice::new(0, None, -1)]
        {
            assert_eq!(answer(&x.slice_axis(Axis(0), slice)), whole.slice_axis(Axis(0), slice));
        }
        let back = x.clone().into_dyn().into_dimensionality::<ndarray::Ix2>().unwrap();
        assert_eq!(answer(&back), whole);
        assert!(x.into_dyn().into_dimensionality::<ndarray::Ix3>().is_err());
    }
    let x = Array::from_array(whole, 2);
    assert!(matches!(x.try_slice_axis(Axis(2), ndarray::Slice::from(..)), Err(Error::Axis { .. })));
    assert!(matches!(x.try_swap_axes(0, 2), Err(Error::Axis { .. })));
    assert!(matches!(x.try_insert_axis(Axis(3)), Err(Error::Axis { .. })));
}
