//! Elements around an array: one value, its own elements again, a ramp, or whatever is given.
//!
//! What is added stands in blocks of its own, beside those of the array, which are handed on.

use crate::array::{Array, Core};
use crate::chunks::{Chunking, Chunks, n_elements};
use crate::creation::source;
use crate::element::{Element, Float, float};
use crate::elementwise::broadcast;
use crate::error::{Error, Shape, expect};
use crate::join::joined;
use crate::kernel::overlap::{Boundary, Depth, element_at};
use crate::kernel::strip::Op;
use crate::layout::passed_through;
use crate::per_axis::PerAxis;
use crate::reorder::part;
use crate::take::taken;
use musher_graph_core::Site;
use ndarray::{Axis, Dimension, IxDyn};

/// So many elements along an axis, in blocks no longer than the longest of the array; along the others as the array.
fn beside(chunking: &Chunking, axis: usize, length: usize, caller: Site) -> Result<Chunking, Error> {
    let mut shape = chunking.shape();
    shape[axis] = length;
    let longest = chunking.largest_block()[axis].max(1);
    if n_elements(&shape).is_none() || length.div_ceil(longest) > u32::MAX as usize {
        return Err(Error::TooLarge { shape: Shape(shape), what: "elements", caller });
    }
    let cut = (0..length).step_by(longest).map(|at| longest.min(length - at));
    Ok(chunking.with_axis(axis, cut.collect()))
}

/// The core between what comes before and behind it along an axis; what is none adds nothing.
fn between<A: Element>(
    operation: &'static str,
    axis: usize,
    (before, after): (Option<Core>, Option<Core>),
    core: Core,
    caller: Site,
) -> Result<Core, Error> {
    if before.is_none() && after.is_none() {
        return Ok(core);
    }
    let mut shape = core.chunking.shape();
    let beside = before.iter().chain(&after).map(|beside| beside.chunking.axis(axis).iter().sum::<usize>());
    shape[axis] = beside.fold(shape[axis], usize::saturating_add);
    if n_elements(&shape).is_none() {
        return Err(Error::TooLarge { shape: Shape(shape), what: "elements", caller });
    }
    // The array itself says how the others are divided.
    let whole: Vec<Core> = before.into_iter().chain([core]).chain(after).collect();
    joined::<A>(operation, Axis(axis), &whole, caller)
}

/// Pads one axis by a boundary.
pub(crate) fn padded_axis<A: Element>(
    operation: &'static str,
    core: Core,
    axis: usize,
    (depth, boundary): (Depth, Boundary<A>),
    caller: Site,
) -> Result<Core, Error> {
    let length: usize = core.chunking.axis(axis).iter().sum();
    let beyond = |first: isize, n: usize| -> Result<Option<Core>, Error> {
        match boundary {
            Boundary::None => Ok(None),
            _ if n == 0 => Ok(None),
            Boundary::Constant(value) => {
                let chunks = beside(&core.chunking, axis, n, caller)?;
                let constant = Op::Constant(value.into_scalar());
                let shape = chunks.shape();
                Ok(Some(source::<A>(operation, &shape, &Chunks::Exact(chunks), |_| constant)))
            }
            _ if length == 0 => {
                let problem = "an axis without elements has none to go on with";
                Err(Error::Arrangement { operation, problem, caller })
            }
            _ => {
                // Told before a list of them is made.
                beside(&core.chunking, axis, n, caller)?;
                let at = |step| element_at(&boundary, first + step, length);
                let indices: Vec<usize> = (0..n as isize).filter_map(at).collect();
                taken::<A>(operation, &core, axis, &indices, caller).map(Some)
            }
        }
    };
    // No axis is longer than isize::MAX, ndarray's own limit.
    let before = beyond(-(depth.before as isize), depth.before)?;
    let after = beyond(length as isize, depth.after)?;
    between::<A>(operation, axis, (before, after), core, caller)
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// The array with elements added around it: `depth` says how many on which sides, `boundary` which.
    ///
    /// | NumPy's mode | boundary |
    /// |---|---|
    /// | `constant` | [`Boundary::Constant`] |
    /// | `edge` | [`Boundary::Nearest`] |
    /// | `reflect` | [`Boundary::Mirror`] |
    /// | `symmetric` | [`Boundary::Reflect`] |
    /// | `wrap` | [`Boundary::Wrap`] |
    /// | `linear_ramp` | [`pad_ramp`](Self::pad_ramp) |
    /// | `maximum`, `mean`, `median`, `minimum` | [`pad_with`](Self::pad_with) |
    ///
    /// Along an axis with [`Boundary::None`] nothing is added.
    ///
    /// **Shape** each axis grows by its depth; what is added stands in blocks of its own.
    /// **Cost** none for the array; what is added is made of the blocks that it repeats.
    ///
    /// # Panics
    /// When there is not one depth and one boundary for each axis, when an axis without elements should be repeated, or when
    /// the elements cannot be counted.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, Boundary, Depth, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::arange(1, 4, 1, 2);
    /// assert_eq!(x.pad(2, Boundary::Mirror).compute()?, arr1(&[3, 2, 1, 2, 3, 2, 1]));
    /// assert_eq!(x.pad([Depth::new(0, 2)], Boundary::Constant(9)).compute()?, arr1(&[1, 2, 3, 9, 9]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.pad`.
    #[must_use]
    #[track_caller]
    #[doc(alias = "dask.array.pad")]
    pub fn pad(&self, depth: impl Into<PerAxis<Depth>>, boundary: impl Into<PerAxis<Boundary<A>>>) -> Self {
        expect(self.try_pad(depth, boundary))
    }

    /// As [`pad`](Self::pad).
    ///
    /// # Errors
    /// [`Error::Shapes`] when there is not one depth and one boundary for each axis, [`Error::Arrangement`] when an axis
    /// without elements should be repeated, [`Error::TooLarge`] when the elements cannot be counted.
    #[track_caller]
    pub fn try_pad(
        &self,
        depth: impl Into<PerAxis<Depth>>,
        boundary: impl Into<PerAxis<Boundary<A>>>,
    ) -> Result<Self, Error> {
        let (operation, caller) = ("pad", Site::caller());
        let depths = self.for_each_axis(operation, depth.into(), caller)?;
        let boundaries = self.for_each_axis(operation, boundary.into(), caller)?;
        let mut core = self.core().clone();
        for (axis, how) in depths.into_iter().zip(boundaries).enumerate() {
            core = padded_axis(operation, core, axis, how, caller)?;
        }
        Ok(Self::from_core(core))
    }

    /// One value for each axis.
    fn for_each_axis<T: Clone>(
        &self,
        operation: &'static str,
        values: PerAxis<T>,
        caller: Site,
    ) -> Result<Vec<T>, Error> {
        values.resolve(self.ndim()).map_err(|found| {
            let (left, right) = (Shape(self.shape()), Shape(vec![0; found]));
            Error::Shapes { operation, left, right, caller }
        })
    }

    /// The array with `edge`, over and over, on both sides of an axis: its largest elements, its mean, or whatever is given.
    ///
    /// **Shape** the axis grows by `depth`; `edge` has the shape of the array, but for a length of 1 along `axis`.
    /// **Cost** none for the array.
    ///
    /// # Panics
    /// When there is no such axis, `edge` has another shape, or the elements cannot be counted.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, Depth, ndarray::{Axis, arr1}};
    /// use musher_scheduler::Compute;
    /// let x = Array::arange(1.0, 5.0, 1.0, 2);
    /// let mean = x.over(Axis(0)).keep_axes().mean();
    /// assert_eq!(x.pad_with(Axis(0), Depth::both(1), &mean).compute()?, arr1(&[2.5, 1.0, 2.0, 3.0, 4.0, 2.5]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.pad` in the modes `maximum`, `mean`, `median` and `minimum`.
    #[must_use]
    #[track_caller]
    pub fn pad_with(&self, axis: Axis, depth: Depth, edge: &Self) -> Self {
        expect(self.try_pad_with(axis, depth, edge))
    }

    /// As [`pad_with`](Self::pad_with).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis, [`Error::Shapes`] when `edge` has another shape, [`Error::TooLarge`] when
    /// the elements cannot be counted.
    #[track_caller]
    pub fn try_pad_with(&self, axis: Axis, depth: Depth, edge: &Self) -> Result<Self, Error> {
        let (operation, caller) = ("pad_with", Site::caller());
        self.check_axis(operation, axis.0, self.ndim(), caller)?;
        let mut line = self.shape();
        line[axis.0] = 1;
        if edge.shape() != line {
            let (left, right) = (Shape(line), Shape(edge.shape()));
            return Err(Error::Shapes { operation, left, right, caller });
        }
        let beyond = |n: usize| -> Result<Option<Core>, Error> {
            if n == 0 {
                return Ok(None);
            }
            let chunking = beside(self.chunks(), axis.0, n, caller)?;
            let edge = crate::elementwise::aligned::<A>(operation, edge.core(), &chunking, caller)?;
            let seen = broadcast(&edge.chunking, &chunking);
            Ok(Some(passed_through::<A>(operation, &edge, seen, chunking, caller)))
        };
        let around = (beyond(depth.before)?, beyond(depth.after)?);
        between::<A>(operation, axis.0, around, self.core().clone(), caller).map(Self::from_core)
    }

    /// The array with straight lines from its edges to `end`, which is the outermost of what is added along each axis.
    ///
    /// **Shape** each axis grows by its depth.
    /// **Cost** none for the array.
    ///
    /// # Panics
    /// When there is not one depth and one end for each axis, when an axis without elements should go on, or when the
    /// elements cannot be counted.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, Depth, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[4.0, 6.0]), 2);
    /// assert_eq!(x.pad_ramp(2, 0.0).compute()?, arr1(&[0.0, 2.0, 4.0, 6.0, 3.0, 0.0]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.pad` in the mode `linear_ramp`.
    #[must_use]
    #[track_caller]
    #[doc(alias = "linear_ramp")]
    pub fn pad_ramp(&self, depth: impl Into<PerAxis<Depth>>, end: impl Into<PerAxis<A>>) -> Self
    where
        A: Float,
    {
        expect(self.try_pad_ramp(depth, end))
    }

    /// As [`pad_ramp`](Self::pad_ramp).
    ///
    /// # Errors
    /// [`Error::Shapes`] when there is not one depth and one end for each axis, [`Error::Arrangement`] when an axis without
    /// elements should go on, [`Error::TooLarge`] when the elements cannot be counted.
    #[track_caller]
    pub fn try_pad_ramp(
        &self,
        depth: impl Into<PerAxis<Depth>>,
        end: impl Into<PerAxis<A>>,
    ) -> Result<Self, Error>
    where
        A: Float,
    {
        let (operation, caller) = ("pad_ramp", Site::caller());
        let depths = self.for_each_axis(operation, depth.into(), caller)?;
        let ends = self.for_each_axis(operation, end.into(), caller)?;
        let mut core = self.core().clone();
        for (axis, (depth, end)) in depths.into_iter().zip(ends).enumerate() {
            let length: usize = core.chunking.axis(axis).iter().sum();
            if length == 0 && depth != Depth::default() {
                let problem = "an axis without elements has no edge";
                return Err(Error::Arrangement { operation, problem, caller });
            }
            let ramp = |edge: usize, n: usize| -> Result<Option<Array<A, IxDyn>>, Error> {
                if n == 0 {
                    return Ok(None);
                }
                let edge = part::<A>(operation, &core, axis, (edge, edge + 1, 1), caller)?;
                ramp_to(&Array::from_core(edge), axis, n, end, beside(&core.chunking, axis, n, caller)?)
                    .map(Some)
            };
            let before = ramp(0, depth.before)?;
            let after = ramp(length.saturating_sub(1), depth.after)?.map(|after| after.flip(Axis(axis)));
            let around = [before, after].map(|ramp| ramp.map(|ramp| ramp.core().clone()));
            let [before, after] = around;
            core = between::<A>(operation, axis, (before, after), core, caller)?;
        }
        Ok(Self::from_core(core))
    }
}

/// From `end`, in so many equal steps, to before the edge, which has a length of 1 along the axis.
fn ramp_to<A: Float>(
    edge: &Array<A, IxDyn>,
    axis: usize,
    n: usize,
    end: A,
    chunking: Chunking,
) -> Result<Array<A, IxDyn>, Error> {
    let steps: Array<A, ndarray::Ix1> =
        Array::arange(float(0.0), float(n as f64), float(1.0), vec![chunking.axis(axis).to_vec()]);
    let mut steps = steps.into_dyn();
    for _ in 0..axis {
        steps = steps.insert_axis(Axis(0)).into_dyn();
    }
    for _ in axis + 1..chunking.ndim() {
        steps = steps.insert_axis(Axis(steps.ndim())).into_dyn();
    }
    let step = (edge - end) / float::<A>(n as f64);
    Ok((steps * step) + end)
}
