//! Elements, or whole arrays, several times in a row.

use crate::array::{Array, Core};
use crate::chunks::{Chunking, n_elements};
use crate::element::Element;
use crate::error::{Error, Shape, expect};
use crate::kernel::memory::{in_order, with_room};
use crate::kernel::strip::Axes;
use crate::layout::passed_through;
use crate::per_axis::PerAxis;
use crate::per_block::PerBlock;
use crate::rechunk::rechunked;
use crate::reorder::part;
use musher_graph_core::{AxisMap, Site, TaskError, Wiring};
use ndarray::{ArrayD, ArrayViewD, Axis, Dimension, IxDyn};
use std::sync::Arc;

impl<A: Element, D: Dimension> Array<A, D> {
    /// The array so many times in a row along each axis.
    ///
    /// **Shape** each length times its number. Blocks are those of the array, over and over.
    /// **Cost** none; blocks are handed on.
    ///
    /// # Panics
    /// When there is not one number for each axis, or the elements cannot be counted.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[1, 2]]), 1);
    /// assert_eq!(x.tile([2, 2]).compute()?, arr2(&[[1, 2, 1, 2], [1, 2, 1, 2]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "dask.array.tile")]
    pub fn tile(&self, times: impl Into<PerAxis<usize>>) -> Self {
        expect(self.try_tile(times))
    }

    /// As [`tile`](Self::tile).
    ///
    /// # Errors
    /// [`Error::Shapes`] when there is not one number for each axis, [`Error::TooLarge`] when the elements cannot be counted.
    #[track_caller]
    pub fn try_tile(&self, times: impl Into<PerAxis<usize>>) -> Result<Self, Error> {
        let (operation, caller, ndim) = ("tile", Site::caller(), self.ndim());
        let times = times.into().resolve(ndim).map_err(|found| {
            let (left, right) = (Shape(self.shape()), Shape(vec![0; found]));
            Error::Shapes { operation, left, right, caller }
        })?;
        // A plan counts 2³² tasks at most.
        let blocks = self.chunks().grid_shape();
        let counts = blocks.iter().zip(&times).try_fold(1_u32, |all, (&blocks, &times)| {
            all.checked_mul(u32::try_from(blocks.checked_mul(times)?.max(1)).ok()?)
        });
        let shape: Vec<usize> =
            self.shape().iter().zip(&times).map(|(&length, &times)| length.saturating_mul(times)).collect();
        if counts.is_none() || n_elements(&shape).is_none() {
            let what = if counts.is_none() { "blocks" } else { "elements" };
            return Err(Error::TooLarge { shape: Shape(shape), what, caller });
        }
        let mut core = self.core().clone();
        for (axis, _) in times.iter().enumerate().filter(|&(_, &times)| times == 0) {
            core = part::<A>(operation, &core, axis, (0, 0, 1), caller)?;
        }
        let axes: Axes = (0..ndim).map(|axis| Some(axis as u8)).collect();
        let over_and_over = |axis: usize| {
            let n = core.chunking.axis(axis).len();
            (0..n * times[axis].max(1)).map(move |place| place % n)
        };
        let maps = (0..ndim).map(|axis| match times[axis] {
            0 | 1 => AxisMap::follow(axis),
            _ => AxisMap::Lookup { axis, table: over_and_over(axis).map(|block| block as u32).collect() },
        });
        let wiring = Wiring::axes(maps);
        let lengths = |axis| over_and_over(axis).map(|block| core.chunking.axis(axis)[block]).collect();
        let chunking = Chunking::from_axes((0..ndim).map(lengths));
        Ok(Self::from_core(passed_through::<A>(operation, &core, (axes, wiring), chunking, caller)))
    }

    /// Every element so many times in a row along an axis.
    ///
    /// **Shape** the length of the axis times `times`; blocks along it are at most as long as the longest before, but for a
    /// single element, whose copies stay together.
    /// **Cost** one pass.
    ///
    /// # Panics
    /// When there is no such axis, or the elements cannot be counted.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr1}};
    /// use musher_scheduler::Compute;
    /// let x = Array::arange(0, 3, 1, 2);
    /// assert_eq!(x.repeat(Axis(0), 2).compute()?, arr1(&[0, 0, 1, 1, 2, 2]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "dask.array.repeat")]
    pub fn repeat(&self, axis: Axis, times: usize) -> Self {
        expect(self.try_repeat(axis, times))
    }

    /// As [`repeat`](Self::repeat).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis, [`Error::TooLarge`] when the elements cannot be counted.
    #[track_caller]
    pub fn try_repeat(&self, axis: Axis, times: usize) -> Result<Self, Error> {
        let (operation, caller, ndim, axis) = ("repeat", Site::caller(), self.ndim(), axis.0);
        self.check_axis(operation, axis, ndim, caller)?;
        let mut shape = self.shape();
        shape[axis] = shape[axis].saturating_mul(times);
        if n_elements(&shape).is_none() {
            return Err(Error::TooLarge { shape: Shape(shape), what: "elements", caller });
        }
        if times == 0 {
            return part::<A>(operation, self.core(), axis, (0, 0, 1), caller).map(Self::from_core);
        }
        let most = (self.chunks().largest_block()[axis] / times).max(1);
        let cut = |&length: &usize| (0..length.max(1)).step_by(most).map(move |at| most.min(length - at));
        let short: Arc<[usize]> = self.chunks().axis(axis).iter().flat_map(cut).collect();
        let long: Arc<[usize]> = short.iter().map(|length| length * times).collect();
        let [before, after] = [short, long].map(|lengths| self.chunks().with_axis(axis, lengths));
        let core: Core = rechunked::<A>(self.core(), &before, caller);
        let step = PerBlock {
            label: operation,
            name: "array.repeat/1",
            wiring: Wiring::one_to_one(ndim),
            output: after,
            scratch: 1,
            caller,
        };
        let core = step.of::<A, A>(&core, &(axis, times), move |_, block| repeated(block, axis, times));
        Ok(Self::from_core(core))
    }
}

/// Every element so many times in a row along an axis of a block.
fn repeated<A: Element>(block: ArrayViewD<'_, A>, axis: usize, times: usize) -> Result<ArrayD<A>, TaskError> {
    let mut shape = block.shape().to_vec();
    let inner: usize = shape[axis + 1..].iter().product();
    shape[axis] *= times;
    let block = in_order(block)?;
    let elements = block.as_slice().expect("standard layout has no gaps");
    let mut repeated = with_room(elements.len() * times)?;
    for element in elements.chunks(inner.max(1)) {
        (0..times).for_each(|_| repeated.extend_from_slice(element));
    }
    Ok(ArrayD::from_shape_vec(IxDyn(&shape), repeated)?)
}
