//! The border to linfa, which is on ndarray 0.16 while musher is on 0.17: buffers move across, values are not copied.
//!
//! Nothing of ndarray 0.16 leaves this crate, so that a linfa on 0.17 will be no breaking change.

use ndarray::{Array1, Array2, ArrayView2};
use ndarray16::{Array1 as Array1Of16, Array2 as Array2Of16, ArrayView2 as ArrayView2Of16};

/// Moves a matrix to 0.16; one whose rows do not follow each other in memory is copied.
pub(crate) fn matrix(x: Array2<f64>) -> Array2Of16<f64> {
    let shape = x.dim();
    let values = match x.is_standard_layout() {
        true => whole_buffer(x.into_raw_vec_and_offset(), shape.0 * shape.1),
        false => x.iter().copied().collect(),
    };
    Array2Of16::from_shape_vec(shape, values).expect("as many values as the shape says")
}

/// Moves a vector to 0.16; one with gaps is copied.
pub(crate) fn vector<T: Clone>(y: Array1<T>) -> Array1Of16<T> {
    let rows = y.len();
    Array1Of16::from_vec(match y.is_standard_layout() {
        true => whole_buffer(y.into_raw_vec_and_offset(), rows),
        false => y.iter().cloned().collect(),
    })
}

/// Moves a vector back to 0.17.
pub(crate) fn vector_back<T: Clone>(y: Array1Of16<T>) -> Array1<T> {
    let rows = y.len();
    Array1::from_vec(match y.is_standard_layout() {
        true => whole_buffer(y.into_raw_vec_and_offset(), rows),
        false => y.iter().cloned().collect(),
    })
}

/// Shows a matrix to code on 0.16. `None` if its rows do not follow each other in memory.
pub(crate) fn view<'a>(x: &'a ArrayView2<'_, f64>) -> Option<ArrayView2Of16<'a, f64>> {
    let values = x.as_slice()?;
    Some(ArrayView2Of16::from_shape(x.dim(), values).expect("as many values as the shape says"))
}

/// The values that an array of standard layout shows of its buffer.
fn whole_buffer<T>((mut values, offset): (Vec<T>, Option<usize>), length: usize) -> Vec<T> {
    let offset = offset.unwrap_or(0);
    if offset > 0 {
        values.drain(..offset);
    }
    values.truncate(length);
    values
}

#[cfg(test)]
mod tests {
    use ndarray::{Axis, array, s};

    use super::*;

    #[track_caller]
    fn check(x: Array2<f64>) {
        let shown = x.view();
        if let Some(shown) = view(&shown) {
            assert!(shown.iter().eq(x.iter()));
        }
        let moved = matrix(x.clone());
        assert_eq!(moved.dim(), x.dim());
        assert!(moved.iter().eq(x.iter()));
    }

    #[test]
    fn matrices_of_every_layout_keep_their_values() {
        let x = Array2::from_shape_fn((4, 3), |(i, j)| (10 * i + j) as f64);
        check(x.clone());
        check(x.clone().reversed_axes());
        check(x.clone().slice_move(s![1..3, ..]));
        check(x.clone().slice_move(s![.., 1..]));
        check(x.clone().slice_move(s![..;-1, ..]));
        check(x.clone().slice_move(s![2..2, ..]));
        check(x.index_axis_move(Axis(0), 2).insert_axis(Axis(0)));
    }

    #[test]
    fn vectors_of_every_layout_keep_their_values() {
        for y in [
            array![1, 2, 3, 4],
            array![1, 2, 3, 4].slice_move(s![1..;2]),
            array![1, 2, 3].slice_move(s![1..2]),
        ] {
            assert_eq!(vector_back(vector(y.clone())), y);
        }
    }

    #[test]
    fn a_buffer_is_moved_and_not_copied() {
        let x = Array2::<f64>::zeros((100, 10));
        let before = x.as_ptr();
        assert_eq!(matrix(x).as_ptr(), before);
    }
}
