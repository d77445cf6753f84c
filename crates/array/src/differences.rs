//! Differences of neighbors along an axis.

use crate::array::{Array, Core};
use crate::element::{Element, Float, Number, float};
use crate::elementwise::{Operand, binary_named};
use crate::error::{Error, Shape, expect};
use crate::join::joined;
use crate::kernel::ops::BinaryOp;
use crate::rechunk::rechunked;
use crate::reorder::part;
use musher_graph_core::Site;
use ndarray::{Axis, Dimension, Ix1};

/// Each element less the one so many places before it, in the blocks of the former.
fn apart<A: Element>(
    operation: &'static str,
    core: &Core,
    axis: usize,
    places: usize,
    caller: Site,
) -> Result<Core, Error> {
    let n: usize = core.chunking.axis(axis).iter().sum();
    let later = part::<A>(operation, core, axis, (places.min(n), n, 1), caller)?;
    let earlier = part::<A>(operation, core, axis, (0, n.saturating_sub(places), 1), caller)?;
    // The former says which blocks there are, also where the latter has fewer.
    let earlier = rechunked::<A>(&earlier, &later.chunking, caller);
    let [later, earlier] = [later, earlier].map(|core| Operand::Blocks(core, A::DTYPE));
    let difference: Array<A, ndarray::IxDyn> = binary_named(operation, BinaryOp::sub, later, earlier)?;
    Ok(difference.core().clone())
}

impl<A: Number, D: Dimension> Array<A, D> {
    /// The differences of neighbors along an axis, taken `times` times over; integers report overflow.
    ///
    /// **Shape** the axis is shorter by `times`, or empty.
    /// **Cost** one pass each time; a task holds a block, its neighbor and their difference.
    ///
    /// # Panics
    /// When there is no such axis.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr1}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[1, 2, 4, 7, 0]), 2);
    /// assert_eq!(x.diff(Axis(0), 1).compute()?, arr1(&[1, 2, 3, -7]));
    /// assert_eq!(x.diff(Axis(0), 2).compute()?, arr1(&[1, 1, -10]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn diff(&self, axis: Axis, times: usize) -> Self {
        expect(self.try_diff(axis, times))
    }

    /// As [`diff`](Self::diff).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis.
    #[track_caller]
    pub fn try_diff(&self, axis: Axis, times: usize) -> Result<Self, Error> {
        let (operation, caller) = ("diff", Site::caller());
        self.check_axis(operation, axis.0, self.ndim(), caller)?;
        let mut core = self.core().clone();
        // Once nothing is left, nothing changes.
        for _ in 0..times.min(self.len_of(axis)) {
            core = apart::<A>(operation, &core, axis.0, 1, caller)?;
        }
        Ok(Self::from_core(core))
    }

    /// The differences of neighbors in C order of the whole array; integers report overflow.
    ///
    /// **Shape** `(n - 1,)` for n elements.
    /// **Cost** that of [`reshape`](Self::reshape) and one pass.
    ///
    /// # Panics
    /// Never.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{arr1, arr2}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[1, 2], [4, 8]]), 2);
    /// assert_eq!(x.ediff1d().compute()?, arr1(&[1, 2, 4]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn ediff1d(&self) -> Array<A, Ix1> {
        self.reshape(self.len()).diff(Axis(0), 1)
    }
}

impl<A: Float, D: Dimension> Array<A, D> {
    /// The slope along an axis of which neighbors are `spacing` apart: half the difference of both neighbors, at the ends the
    /// difference to the only one.
    ///
    /// **Shape** and blocks stay.
    /// **Cost** one pass; a task holds a block and its neighbors.
    ///
    /// # Panics
    /// When there is no such axis, or fewer than two elements along it.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr1}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[1.0, 2.0, 4.0, 7.0]), 2);
    /// assert_eq!(x.gradient(Axis(0), 1.0).compute()?, arr1(&[1.0, 1.5, 2.5, 3.0]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.gradient` with `edge_order=1`.
    #[must_use]
    #[track_caller]
    pub fn gradient(&self, axis: Axis, spacing: A) -> Self {
        expect(self.try_gradient(axis, spacing))
    }

    /// As [`gradient`](Self::gradient).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis, [`Error::Shapes`] when there are fewer than two elements along it.
    #[track_caller]
    pub fn try_gradient(&self, axis: Axis, spacing: A) -> Result<Self, Error> {
        let (operation, caller) = ("gradient", Site::caller());
        self.check_axis(operation, axis.0, self.ndim(), caller)?;
        let n = self.len_of(axis);
        if n < 2 {
            let mut least = self.shape();
            least[axis.0] = 2;
            let (left, right) = (Shape(self.shape()), Shape(least));
            return Err(Error::Shapes { operation, left, right, caller });
        }
        let inner = apart::<A>(operation, self.core(), axis.0, 2, caller)?;
        let inner: Self = Self::from_core(inner) / spacing / float::<A>(2.0);
        let end = |start: usize| -> Result<Core, Error> {
            let pair = part::<A>(operation, self.core(), axis.0, (start, start + 2, 1), caller)?;
            let slope: Self = Self::from_core(apart::<A>(operation, &pair, axis.0, 1, caller)?) / spacing;
            Ok(slope.core().clone())
        };
        let mut parts = vec![end(0)?, end(n - 2)?];
        if n > 2 {
            parts.insert(1, inner.core().clone());
        }
        // The first part says how the others are divided: it has the blocks of the array.
        let whole = joined::<A>(operation, axis, &parts, caller)?;
        Ok(Self::from_core(rechunked::<A>(&whole, self.chunks(), caller)))
    }
}
