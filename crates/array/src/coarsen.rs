//! Windows that lie side by side, each reduced to one element.

use crate::array::Array;
use crate::chunks::Chunking;
use crate::element::Element;
use crate::error::{Error, Shape, expect};
use crate::kernel::memory::in_order;
use crate::per_axis::PerAxis;
use crate::per_block::PerBlock;
use crate::rechunk::rechunked;
use crate::reductions::Over;
use musher_graph_core::{AxisMap, Site, Wiring};
use ndarray::{Axis, Dimension, IxDyn};
use std::sync::Arc;

/// Block lengths of multiples of a number, as near as they come to these.
fn multiples(lengths: &[usize], of: usize) -> Arc<[usize]> {
    let mut end = 0;
    let mut cut = 0;
    let mut multiples: Vec<usize> = Vec::with_capacity(lengths.len());
    for length in lengths {
        end += length;
        let whole = end / of * of;
        if whole > cut {
            multiples.push(whole - cut);
            cut = whole;
        }
    }
    if multiples.is_empty() { [0].into() } else { multiples.into() }
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// The array on a coarser grid: windows of so many elements along each axis, side by side, each of which becomes what `f`
    /// makes of it. `f` is given the windows about to be reduced and names the reduction.
    ///
    /// **Shape** each length divided by its number.
    /// **Cost** one pass.
    ///
    /// # Panics
    /// When there is not one number for each axis, a number is 0, or a length is no multiple of its number: cut off first
    /// what is left over.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::arange(0.0, 8.0, 1.0, 4).reshape((2, 4));
    /// let coarse = x.coarsen([2, 2], |window| window.mean());
    /// assert_eq!(coarse.compute()?, arr2(&[[2.5, 4.5]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `dask.array.coarsen`.
    #[must_use]
    #[track_caller]
    #[doc(alias = "block_reduce")]
    #[doc(alias = "dask.array.coarsen")]
    pub fn coarsen<B: Element>(
        &self,
        windows: impl Into<PerAxis<usize>>,
        f: impl FnOnce(Over<'_, A, IxDyn, IxDyn>) -> Array<B, IxDyn>,
    ) -> Array<B, D> {
        expect(self.try_coarsen(windows, f))
    }

    /// As [`coarsen`](Self::coarsen).
    ///
    /// # Errors
    /// [`Error::Shapes`] when there is not one number for each axis, or a length is no multiple of its number,
    /// [`Error::Arrangement`] when a number is 0, or what `f` gives does not have one element for each window.
    #[track_caller]
    pub fn try_coarsen<B: Element>(
        &self,
        windows: impl Into<PerAxis<usize>>,
        f: impl FnOnce(Over<'_, A, IxDyn, IxDyn>) -> Array<B, IxDyn>,
    ) -> Result<Array<B, D>, Error> {
        let (operation, caller, ndim) = ("coarsen", Site::caller(), self.ndim());
        let wrong = |windows: &[usize]| {
            let (left, right) = (Shape(self.shape()), windows.into());
            Error::Shapes { operation, left, right, caller }
        };
        let windows = windows.into().resolve(ndim).map_err(|found| wrong(&vec![0; found]))?;
        if windows.contains(&0) {
            let problem = "a window without elements";
            return Err(Error::Arrangement { operation, problem, caller });
        }
        let coarse: Vec<usize> =
            self.shape().iter().zip(&windows).map(|(length, window)| length / window).collect();
        if !self.shape().iter().zip(&windows).all(|(length, window)| length.is_multiple_of(*window)) {
            return Err(wrong(&windows));
        }
        let whole = (0..ndim).map(|axis| multiples(self.chunks().axis(axis), windows[axis]));
        let core = rechunked::<A>(self.core(), &Chunking::from_axes(whole), caller);
        // Axis i becomes axes 2 i and 2 i + 1: which window, and where in it.
        let lengths = (0..2 * ndim).map(|axis| -> Arc<[usize]> {
            let (own, window) = (axis / 2, windows[axis / 2]);
            match axis % 2 {
                0 => core.chunking.axis(own).iter().map(|length| length / window).collect(),
                _ => [window].into(),
            }
        });
        let step = PerBlock {
            label: "windows",
            name: "array.windows/1",
            wiring: Wiring::axes((0..ndim).map(|axis| AxisMap::follow(2 * axis))),
            output: Chunking::from_axes(lengths),
            scratch: 1,
            caller,
        };
        let of_step = windows.clone();
        let core = step.of::<A, A>(&core, &windows, move |_, block| {
            let shape: Vec<usize> = block
                .shape()
                .iter()
                .zip(&of_step)
                .flat_map(|(length, window)| [length / window, *window])
                .collect();
            let elements = in_order(block)?.into_owned();
            Ok(elements.into_shape_with_order(IxDyn(&shape))?)
        });
        let windows: Array<A, IxDyn> = Array::from_core(core);
        let inner: Vec<Axis> = (0..ndim).map(|axis| Axis(2 * axis + 1)).collect();
        let reduced = f(windows.try_over(&inner[..])?);
        if reduced.shape() != coarse {
            let problem = "a window becomes one element";
            return Err(Error::Arrangement { operation, problem, caller });
        }
        Ok(Array::from_core(reduced.core().clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_multiples_have_the_same_elements() {
        for lengths in musher_testkit::chunkings(8).into_iter().chain([vec![0, 8, 0], vec![3, 0, 5]]) {
            for of in [1, 2, 4, 8] {
                let found = multiples(&lengths, of);
                assert_eq!(found.iter().sum::<usize>(), 8);
                assert!(found.iter().all(|length| length % of == 0 && *length > 0), "{lengths:?} {of}");
            }
        }
        assert_eq!(*multiples(&[0], 3), [0]);
    }
}
