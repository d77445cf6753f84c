//! A new array with some elements replaced: those of a slice, or those that a mask names.
//!
//! What a slice names is told by the indices of an element, and the new values are brought to the places where they go; both
//! are elementwise work, so nothing is copied that does not change.

use crate::array::{Array, Core};
use crate::element::{DType, Element};
use crate::elementwise::{Elementwise, Operand, aligned, select};
use crate::error::{Error, expect};
use crate::kernel::overlap::{Boundary, Depth};
use crate::kernel::strip::{Axes, Op};
use crate::layout::passed_through;
use crate::operators::ArrayOrScalar;
use crate::pad::padded_axis;
use crate::reorder::part;
use crate::slicing::sliced;
use crate::take::taken;
use crate::together::spread;
use crate::triangle::index_along;
use musher_graph_core::{AxisMap, Site, Wiring};
use ndarray::{Dimension, IxDyn, SliceArg, SliceInfoElem};

/// What a slice names along one axis of the array.
struct Region {
    /// The first index and how many from there on, of which one in `step` is named.
    first: usize,
    span: usize,
    step: usize,
    /// Whether the values come in reverse order.
    backward: bool,
    /// Whether the values lack this axis.
    is_index: bool,
}

impl Region {
    fn of(
        operation: &'static str,
        element: &SliceInfoElem,
        (axis, length): (usize, usize),
        caller: Site,
    ) -> Result<Self, Error> {
        let outside = |index: isize| Error::Index { operation, axis, index, length, caller };
        let from_end = |index: isize| -> Option<usize> {
            if index < 0 { length.checked_add_signed(index) } else { usize::try_from(index).ok() }
        };
        match *element {
            SliceInfoElem::Index(index) => {
                let first = from_end(index).filter(|&at| at < length).ok_or_else(|| outside(index))?;
                Ok(Self { first, span: 1, step: 1, backward: false, is_index: true })
            }
            SliceInfoElem::Slice { start, end, step } => {
                let last = end.unwrap_or(length as isize);
                let from = from_end(start).filter(|&at| at <= length).ok_or_else(|| outside(start))?;
                let to = from_end(last).filter(|&at| at <= length).ok_or_else(|| outside(last))?;
                let (by, backward) = (step.unsigned_abs(), step < 0);
                let n = to.saturating_sub(from).div_ceil(by);
                let span = if n == 0 { 0 } else { (n - 1) * by + 1 };
                // ndarray cuts first and then reverses: backward, the indices are those counted from the end.
                let first = if backward && n > 0 { to - span } else { from };
                Ok(Self { first, span, step: by, backward, is_index: false })
            }
            SliceInfoElem::NewAxis => {
                let problem = "a slice that is assigned to has no new axes";
                Err(Error::Arrangement { operation, problem, caller })
            }
        }
    }

    fn is_whole(&self, length: usize) -> bool {
        self.first == 0 && self.span == length && self.step == 1
    }
}

/// Whether each element of an array lies in a region; none where it is the whole array.
fn mask(core: &Core, regions: &[Region]) -> Result<Option<Array<bool, IxDyn>>, Error> {
    let mut mask: Option<Array<bool, IxDyn>> = None;
    for (axis, region) in regions.iter().enumerate() {
        let length: usize = core.chunking.axis(axis).iter().sum();
        if region.is_whole(length) {
            continue;
        }
        // No axis is longer than isize::MAX, ndarray's own limit.
        let from: Array<i64, IxDyn> =
            Array::from_core(index_along(&core.chunking, axis, -(region.first as i64)));
        let mut inside = from.ge(0).try_bitand(&from.lt(region.span as i64))?;
        if region.step > 1 {
            let steps = from.rem_euclid(i64::try_from(region.step).unwrap_or(i64::MAX));
            inside = inside.try_bitand(&steps.eq_elem(0))?;
        }
        mask = Some(match mask {
            Some(mask) => mask.try_bitand(&inside)?,
            None => inside,
        });
    }
    Ok(mask)
}

/// Values with the axes of the array: those that an index took away stand again, with length 1.
fn with_all_axes<A: Element>(
    operation: &'static str,
    values: &Core,
    regions: &[Region],
    caller: Site,
) -> Core {
    let mut kept = 0..;
    let mut lengths = Vec::with_capacity(regions.len());
    let mut places = Vec::new();
    for (axis, region) in regions.iter().enumerate() {
        lengths.push(match region.is_index {
            true => [1].into(),
            false => {
                places.push(axis);
                values.chunking.shared_axis(kept.next().expect("an axis for each"))
            }
        });
    }
    if places.len() == regions.len() {
        return values.clone();
    }
    let axes: Axes = places.iter().map(|&axis| Some(axis as u8)).collect();
    let wiring = Wiring::axes(places.iter().map(|&axis| AxisMap::follow(axis)));
    let chunking = crate::chunks::Chunking::from_axes(lengths);
    passed_through::<A>(operation, values, (axes, wiring), chunking, caller)
}

/// Values of the shape of a region at their places in an array, with whatever elsewhere.
fn placed<A: Element>(
    operation: &'static str,
    values: Core,
    regions: &[Region],
    whole: &[usize],
    caller: Site,
) -> Result<Core, Error> {
    let mut core = with_all_axes::<A>(operation, &values, regions, caller);
    for (axis, (region, &length)) in regions.iter().zip(whole).enumerate() {
        if region.backward {
            let n = core.chunking.axis(axis).iter().sum();
            core = part::<A>(operation, &core, axis, (0, n, -1), caller)?;
        }
        if region.step > 1 {
            let indices: Vec<usize> = (0..region.span).map(|at| at / region.step).collect();
            core = taken::<A>(operation, &core, axis, &indices, caller)?;
        }
        let depth = Depth::new(region.first, length - region.first - region.span);
        let boundary = Boundary::Constant(A::default());
        core = padded_axis::<A>(operation, core, axis, (depth, boundary), caller)?;
    }
    Ok(core)
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// The array with the part that ndarray's [`s!`](ndarray::s) names replaced by `values`: a scalar, or an array whose
    /// shape is broadcast to that of the part.
    ///
    /// **Shape** stays; blocks are cut at the ends of the part.
    /// **Cost** one pass; it fuses with what comes before and after.
    ///
    /// # Panics
    /// When an index or a bound lies outside its axis, the shape of the values does not fit, or the slice has new axes.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{arr1, arr2, s}};
    /// use musher_scheduler::Compute;
    /// let x = Array::<i64, _>::zeros((2, 4), 2);
    /// let y = x.assign(s![.., ..;2], &Array::from_array(arr1(&[1, 2]), 1));
    /// assert_eq!(y.compute()?, arr2(&[[1, 0, 2, 0], [1, 0, 2, 0]]));
    /// assert_eq!(y.assign(s![0, 1..], 9).compute()?, arr2(&[[1, 9, 9, 9], [1, 0, 2, 0]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "__setitem__")]
    #[doc(alias = "slice_assign")]
    pub fn assign<I: SliceArg<D>, V: ArrayOrScalar<A, I::OutDim>>(&self, info: I, values: V) -> Self {
        expect(self.try_assign(info, values))
    }

    /// As [`assign`](Self::assign).
    ///
    /// # Errors
    /// [`Error::Index`] when an index or a bound lies outside its axis, [`Error::Shapes`] when the shape of the values does
    /// not fit, [`Error::Axis`] or [`Error::Arrangement`] when the slice names other axes than there are.
    #[track_caller]
    pub fn try_assign<I: SliceArg<D>, V: ArrayOrScalar<A, I::OutDim>>(
        &self,
        info: I,
        values: V,
    ) -> Result<Self, Error> {
        let (operation, caller, shape) = ("assign", Site::caller(), self.shape());
        let elements = info.as_ref();
        let new_axes = elements.iter().filter(|element| element.is_new_axis()).count();
        if elements.len() - new_axes != shape.len() {
            let axis = elements.len() - new_axes;
            return Err(Error::Axis { operation, axis, ndim: shape.len(), caller });
        }
        if new_axes > 0 {
            let problem = "a slice that is assigned to has no new axes";
            return Err(Error::Arrangement { operation, problem, caller });
        }
        let of = |(axis, element): (usize, &SliceInfoElem)| {
            Region::of(operation, element, (axis, shape[axis]), caller)
        };
        let regions = elements.iter().enumerate().map(of).collect::<Result<Vec<_>, _>>()?;
        let values = match values.into_operand().0 {
            Operand::Blocks(values, _) => {
                // The part itself says how the values are divided.
                let region = sliced::<A>(operation, self.core(), elements, caller)?.chunking;
                Operand::Blocks(spread::<A>(operation, &values, &region, caller)?, A::DTYPE)
            }
            value => value,
        };
        if regions.iter().any(|region| region.span == 0) {
            return Ok(self.clone());
        }
        let values = match values {
            Operand::Blocks(values, dtype) => {
                Operand::Blocks(placed::<A>(operation, values, &regions, &shape, caller)?, dtype)
            }
            value => value,
        };
        let inside = match (mask(self.core(), &regions)?, &values) {
            (Some(mask), _) => Operand::Blocks(mask.core().clone(), DType::Bool),
            (None, Operand::Blocks(values, _)) => {
                return aligned::<A>(operation, values, self.chunks(), caller).map(Self::from_core);
            }
            (None, Operand::Value(_)) => Operand::Value(true.into_scalar()),
        };
        let work = Elementwise { operation, op: Op::Select, dtype: A::DTYPE, caller };
        work.over(&[inside, values, self.into()]).map(Self::from_core)
    }

    /// The array with the elements where `mask` is true replaced by those of `values`, an array or a scalar; shapes are
    /// broadcast.
    ///
    /// **Shape** broadcast of all three.
    /// **Cost** one pass; it fuses with what comes before and after.
    ///
    /// # Panics
    /// When the shapes do not fit.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[1.0, f64::NAN, 3.0]), 2);
    /// assert_eq!(x.assign_where(&x.is_nan(), 0.0).compute()?, arr1(&[1.0, 0.0, 3.0]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "putmask")]
    #[doc(alias = "place")]
    #[doc(alias = "copyto")]
    pub fn assign_where<V: ArrayOrScalar<A, D>>(&self, mask: &Array<bool, D>, values: V) -> Array<A, V::Dim> {
        expect(self.try_assign_where(mask, values))
    }

    /// As [`assign_where`](Self::assign_where).
    ///
    /// # Errors
    /// [`Error::Shapes`] when the shapes do not fit.
    #[track_caller]
    pub fn try_assign_where<V: ArrayOrScalar<A, D>>(
        &self,
        mask: &Array<bool, D>,
        values: V,
    ) -> Result<Array<A, V::Dim>, Error> {
        select(mask.into(), values.into_operand().0, self.into())
    }
}
