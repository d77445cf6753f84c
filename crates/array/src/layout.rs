//! The same elements under other axes: transposes, new axes, repeated axes.

use crate::array::{Array, Core};
use crate::chunks::{Chunking, Chunks};
use crate::element::Element;
use crate::elementwise::broadcast;
use crate::error::{Error, Shape, expect};
use crate::kernel::strip::{Axes, Op, Program, Sink};
use crate::strip_task::StripTask;
use musher_graph_core::{AxisMap, Layer, Port, Site, Wiring};
use ndarray::{Axis, Dimension, IntoDimension, RemoveAxis};
use std::sync::Arc;

/// A layer that hands blocks on under other axes; whatever is elementwise sees through it.
pub(crate) fn passed_through<A: Element>(
    label: &'static str,
    core: &Core,
    (axes, wiring): (Axes, Wiring),
    chunking: Chunking,
    caller: Site,
) -> Core {
    let mut program = Program::default();
    let node = program.node(Op::Load { slot: 0, axes }, [], A::DTYPE);
    program.target(node, Sink::Block);
    let task = StripTask::new(label, program, chunking.clone());
    let layer = Layer::build(task).caller(caller).input(&core.port, wiring).finish(chunking.grid());
    Core { port: Port::of(layer), chunking }
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// The array with its axes in reverse order.
    ///
    /// **Shape** `(n, m) → (m, n)`; blocks likewise.
    /// **Cost** none: elementwise work reads the blocks across, others get a view.
    ///
    /// # Panics
    /// Never.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[1, 2, 3], [4, 5, 6]]), (1, 2));
    /// assert_eq!(x.t().compute()?, arr2(&[[1, 4], [2, 5], [3, 6]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "T")]
    #[doc(alias = "transpose")]
    #[doc(alias = "reversed_axes")]
    pub fn t(&self) -> Self {
        let order: Vec<usize> = (0..self.ndim()).rev().collect();
        self.permuted("t", &order, Site::caller())
    }

    /// The array with its axes in another order: axis `i` of the result is axis `axes[i]` of this one.
    ///
    /// # Panics
    /// When `axes` is not a permutation.
    #[must_use]
    #[track_caller]
    #[doc(alias = "transpose")]
    pub fn permuted_axes<T: IntoDimension<Dim = D>>(&self, axes: T) -> Self {
        expect(self.try_permuted_axes(axes))
    }

    /// As [`permuted_axes`](Self::permuted_axes).
    ///
    /// # Errors
    /// [`Error::Permutation`] when `axes` is not one.
    #[track_caller]
    pub fn try_permuted_axes<T: IntoDimension<Dim = D>>(&self, axes: T) -> Result<Self, Error> {
        let axes = axes.into_dimension();
        let mut sorted = axes.slice().to_vec();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..self.ndim()) {
            let caller = Site::caller();
            return Err(Error::Permutation { operation: "permuted_axes", axes: axes.slice().into(), caller });
        }
        Ok(self.permuted("permuted_axes", axes.slice(), Site::caller()))
    }

    /// The array with two axes exchanged.
    ///
    /// # Panics
    /// When there are no such axes.
    #[must_use]
    #[track_caller]
    #[doc(alias = "swapaxes")]
    pub fn swap_axes(&self, a: usize, b: usize) -> Self {
        expect(self.try_swap_axes(a, b))
    }

    /// As [`swap_axes`](Self::swap_axes).
    ///
    /// # Errors
    /// [`Error::Axis`] when there are no such axes.
    #[track_caller]
    pub fn try_swap_axes(&self, a: usize, b: usize) -> Result<Self, Error> {
        let caller = Site::caller();
        for axis in [a, b] {
            self.check_axis("swap_axes", axis, self.ndim(), caller)?;
        }
        let mut order: Vec<usize> = (0..self.ndim()).collect();
        order.swap(a, b);
        Ok(self.permuted("swap_axes", &order, caller))
    }

    /// Refuses an axis that is not there.
    pub(crate) fn check_axis(
        &self,
        operation: &'static str,
        axis: usize,
        ndim: usize,
        caller: Site,
    ) -> Result<(), Error> {
        if axis < ndim { Ok(()) } else { Err(Error::Axis { operation, axis, ndim: self.ndim(), caller }) }
    }

    /// The layer of a permutation that was checked.
    pub(crate) fn permuted(&self, label: &'static str, order: &[usize], caller: Site) -> Self {
        let place = |axis: usize| order.iter().position(|&from| from == axis).expect("a permutation");
        let axes: Axes = (0..self.ndim()).map(|axis| Some(place(axis) as u8)).collect();
        let wiring = Wiring::axes((0..self.ndim()).map(|axis| AxisMap::follow(place(axis))));
        let chunking = Chunking::from_axes(order.iter().map(|&axis| self.chunks().shared_axis(axis)));
        Self::from_core(passed_through::<A>(label, self.core(), (axes, wiring), chunking, caller))
    }

    /// The array with a new axis of length 1.
    ///
    /// # Panics
    /// When `axis` is greater than the number of axes.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr2}};
    /// use musher_scheduler::Compute;
    /// let x = Array::arange(0, 3, 1, 2);
    /// let table = &x.clone().insert_axis(Axis(1)) * 10 + x;
    /// assert_eq!(table.compute()?, arr2(&[[0, 1, 2], [10, 11, 12], [20, 21, 22]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "expand_dims")]
    #[doc(alias = "newaxis")]
    pub fn insert_axis(&self, axis: Axis) -> Array<A, D::Larger> {
        expect(self.try_insert_axis(axis))
    }

    /// As [`insert_axis`](Self::insert_axis).
    ///
    /// # Errors
    /// [`Error::Axis`] when the array has fewer axes than would stand before it.
    #[track_caller]
    pub fn try_insert_axis(&self, axis: Axis) -> Result<Array<A, D::Larger>, Error> {
        let caller = Site::caller();
        self.check_axis("insert_axis", axis.0, self.ndim() + 1, caller)?;
        let place = |own: usize| if own < axis.0 { own } else { own + 1 };
        let axes: Axes = (0..self.ndim()).map(|own| Some(place(own) as u8)).collect();
        let wiring = Wiring::axes((0..self.ndim()).map(|own| AxisMap::follow(place(own))));
        let mut lengths: Vec<Arc<[usize]>> =
            (0..self.ndim()).map(|own| self.chunks().shared_axis(own)).collect();
        lengths.insert(axis.0, [1].into());
        let chunking = Chunking::from_axes(lengths);
        Ok(Array::from_core(passed_through::<A>(
            "insert_axis",
            self.core(),
            (axes, wiring),
            chunking,
            caller,
        )))
    }

    /// The array without an axis, at one index along it.
    ///
    /// **Cost** one block for each block that holds the index; the others are not made.
    ///
    /// # Panics
    /// When there is no such axis or index.
    #[must_use]
    #[track_caller]
    #[doc(alias = "take")]
    pub fn index_axis(&self, axis: Axis, index: usize) -> Array<A, D::Smaller>
    where
        D: RemoveAxis,
    {
        expect(self.try_index_axis(axis, index))
    }

    /// As [`index_axis`](Self::index_axis).
    ///
    /// # Errors
    /// [`Error::Axis`] or [`Error::Index`] when there is no such axis or index.
    #[track_caller]
    pub fn try_index_axis(&self, axis: Axis, index: usize) -> Result<Array<A, D::Smaller>, Error>
    where
        D: RemoveAxis,
    {
        let caller = Site::caller();
        self.check_axis("index_axis", axis.0, self.ndim(), caller)?;
        let mut elements = vec![ndarray::SliceInfoElem::Slice { start: 0, end: None, step: 1 }; self.ndim()];
        elements[axis.0] = ndarray::SliceInfoElem::Index(index as isize);
        crate::slicing::sliced::<A>("index_axis", self.core(), &elements, caller).map(Array::from_core)
    }

    /// The array repeated to a larger shape: axes are matched from the last one, and those of length 1 are repeated.
    ///
    /// **Shape** as given; axes that are repeated get blocks as [`Chunks::auto`] would give them.
    /// **Cost** none inside elementwise work; else one block at a time is made.
    ///
    /// # Panics
    /// When the shapes do not fit.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::arange(0, 3, 1, 2).broadcast_to((2, 3));
    /// assert_eq!(x.compute()?, arr2(&[[0, 1, 2], [0, 1, 2]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "broadcast")]
    pub fn broadcast_to<Sh: IntoDimension>(&self, shape: Sh) -> Array<A, Sh::Dim> {
        expect(self.try_broadcast_to(shape))
    }

    /// As [`broadcast_to`](Self::broadcast_to).
    ///
    /// # Errors
    /// [`Error::Shapes`] when the shapes do not fit.
    #[track_caller]
    pub fn try_broadcast_to<Sh: IntoDimension>(&self, shape: Sh) -> Result<Array<A, Sh::Dim>, Error> {
        let caller = Site::caller();
        let shape = shape.into_dimension();
        let wrong = || Error::Shapes {
            operation: "broadcast_to",
            left: Shape(self.shape()),
            right: shape.slice().into(),
            caller,
        };
        let skipped = shape.ndim().checked_sub(self.ndim()).ok_or_else(wrong)?;
        let automatic = Chunks::Auto.resolve(shape.slice(), A::DTYPE)?;
        let mut lengths = Vec::with_capacity(shape.ndim());
        for (axis, &length) in shape.slice().iter().enumerate() {
            let own = axis.checked_sub(skipped).map(|axis| self.chunks().shared_axis(axis));
            lengths.push(match own {
                Some(own) if own.iter().sum::<usize>() == length => own,
                Some(own) if own.iter().sum::<usize>() != 1 => return Err(wrong()),
                _ => automatic.shared_axis(axis),
            });
        }
        let chunking = Chunking::from_axes(lengths);
        let own = single_blocks::<A>(self.core(), &chunking, caller);
        let seen = broadcast(&own.chunking, &chunking);
        Ok(Array::from_core(passed_through::<A>("broadcast_to", &own, seen, chunking, caller)))
    }
}

/// The array with one block along axes of length 1 that are repeated.
fn single_blocks<A: Element>(core: &Core, result: &Chunking, caller: Site) -> Core {
    let skipped = result.ndim() - core.chunking.ndim();
    let lengths = (0..core.chunking.ndim()).map(|axis| {
        let own = core.chunking.shared_axis(axis);
        if *own == *result.axis(axis + skipped) { own } else { [own.iter().sum::<usize>()].into() }
    });
    crate::rechunk::rechunked::<A>(core, &Chunking::from_axes(lengths), caller)
}
