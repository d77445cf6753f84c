//! Arrays of numbers: their shape, then their elements in C order.

use std::any::TypeId;
use std::io;

use ndarray::{Array, Dimension, Ix1, Ix2, Ix3, IxDyn};

use super::Functions;
use super::known::{Known, known_types};
use super::{In, Out, invalid};
use crate::chunk::Measure;

/// An array has no more axes than this; ndarray itself sets no bound.
const MOST_AXES: u64 = 64;

impl<A: Copy, D: Dimension> Measure for Array<A, D> {
    fn nbytes(&self) -> usize {
        size_of::<Self>() + self.len() * size_of::<A>()
    }
}

impl<A: Known + Copy, D: Dimension + 'static> Known for Array<A, D> {
    fn put(&self, to: &mut Out<'_, '_>) -> io::Result<()> {
        let shape: Vec<u64> = self.shape().iter().map(|&length| length as u64).collect();
        shape.put(to)?;
        self.iter().try_for_each(|element| element.put(to))
    }

    fn get(from: &mut In<'_, '_>) -> io::Result<Self> {
        let ndim = u64::get(from)?;
        if ndim > MOST_AXES || D::NDIM.is_some_and(|expected| ndim != expected as u64) {
            return Err(invalid("an array has another number of axes"));
        }
        let lengths = (0..ndim).map(|_| usize::get(from)).collect::<io::Result<Vec<usize>>>()?;
        let n = lengths.iter().try_fold(1_usize, |n, &length| n.checked_mul(length));
        // Also an empty array may not have lengths that no array has.
        let all = lengths
            .iter()
            .filter(|&&length| length > 0)
            .try_fold(1_usize, |n, &length| n.checked_mul(length));
        let (Some(n), Some(_)) = (n, all.filter(|&n| isize::try_from(n).is_ok())) else {
            return Err(invalid("an array has more elements than can be"));
        };
        let mut elements = Vec::new();
        super::known::get_all(n as u64, from, &mut elements)?;
        let array = Array::from_shape_vec(IxDyn(&lengths), elements).ok();
        let array = array.and_then(|array| array.into_dimensionality().ok());
        array.ok_or_else(|| invalid("an array is of another shape"))
    }
}

/// The table of the arrays of each number. For `f64` these are `Array<f64, Ix1>`, `Ix2`, `Ix3` and `IxDyn`.
macro_rules! known_arrays {
    ($($t:ty),*) => {
        known_types!($(Array<$t, Ix1>, Array<$t, Ix2>, Array<$t, Ix3>, Array<$t, IxDyn>),*);
    };
}

known_arrays!(bool, u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, f32, f64);
