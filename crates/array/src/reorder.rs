//! The same elements in another order along their axes: moved axes, flips, rotations, rolls.

use crate::array::{Array, Core};
use crate::element::Element;
use crate::error::{Error, expect};
use crate::join::joined;
use crate::slicing::sliced;
use musher_graph_core::Site;
use ndarray::{Axis, Dimension, SliceInfoElem};

/// The part of a core along one axis.
pub(crate) fn part<A: Element>(
    operation: &'static str,
    core: &Core,
    axis: usize,
    (start, end, step): (usize, usize, isize),
    caller: Site,
) -> Result<Core, Error> {
    let mut elements = vec![SliceInfoElem::Slice { start: 0, end: None, step: 1 }; core.chunking.ndim()];
    let (start, end) = (start as isize, Some(end as isize));
    *elements.get_mut(axis).ok_or(Error::Axis { operation, axis, ndim: core.chunking.ndim(), caller })? =
        SliceInfoElem::Slice { start, end, step };
    sliced::<A>(operation, core, &elements, caller)
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// The array with one axis moved to another place; the others keep their order.
    ///
    /// **Shape** and blocks move with the axis.
    /// **Cost** none: elementwise work reads the blocks across, others get a view.
    ///
    /// # Panics
    /// When there are no such axes.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::Axis};
    /// let x = Array::<u8, _>::zeros((3, 4, 5), 2);
    /// assert_eq!(x.move_axis(Axis(0), Axis(2)).shape(), [4, 5, 3]);
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "moveaxis")]
    #[doc(alias = "rollaxis")]
    pub fn move_axis(&self, from: Axis, to: Axis) -> Self {
        expect(self.try_move_axis(from, to))
    }

    /// As [`move_axis`](Self::move_axis).
    ///
    /// # Errors
    /// [`Error::Axis`] when there are no such axes.
    #[track_caller]
    pub fn try_move_axis(&self, from: Axis, to: Axis) -> Result<Self, Error> {
        let caller = Site::caller();
        for axis in [from, to] {
            self.check_axis("move_axis", axis.0, self.ndim(), caller)?;
        }
        let mut order: Vec<usize> = (0..self.ndim()).filter(|&axis| axis != from.0).collect();
        order.insert(to.0, from.0);
        Ok(self.permuted("move_axis", &order, caller))
    }

    /// The array with an axis in reverse order.
    ///
    /// **Shape** stays; blocks come in reverse order.
    /// **Cost** one pass.
    ///
    /// # Panics
    /// When there is no such axis.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr2}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[1, 2], [3, 4]]), 1);
    /// assert_eq!(x.flip(Axis(0)).compute()?, arr2(&[[3, 4], [1, 2]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "flipud")]
    #[doc(alias = "fliplr")]
    #[doc(alias = "invert_axis")]
    pub fn flip(&self, axis: Axis) -> Self {
        expect(self.try_flip(axis))
    }

    /// As [`flip`](Self::flip).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis.
    #[track_caller]
    pub fn try_flip(&self, axis: Axis) -> Result<Self, Error> {
        let caller = Site::caller();
        self.check_axis("flip", axis.0, self.ndim(), caller)?;
        part::<A>("flip", self.core(), axis.0, (0, self.len_of(axis), -1), caller).map(Self::from_core)
    }

    /// The array turned by so many quarters in the plane of two axes, from the first one toward the second.
    ///
    /// **Shape** the two lengths change places where `quarters` is odd.
    /// **Cost** one pass.
    ///
    /// # Panics
    /// When there are no such axes, or both are the same.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr2}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[1, 2], [3, 4]]), 1);
    /// assert_eq!(x.rot90(1, Axis(0), Axis(1)).compute()?, arr2(&[[2, 4], [1, 3]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "rotate")]
    pub fn rot90(&self, quarters: isize, from: Axis, to: Axis) -> Self {
        expect(self.try_rot90(quarters, from, to))
    }

    /// As [`rot90`](Self::rot90).
    ///
    /// # Errors
    /// [`Error::Axis`] when there are no such axes, [`Error::Arrangement`] when both are the same.
    #[track_caller]
    pub fn try_rot90(&self, quarters: isize, from: Axis, to: Axis) -> Result<Self, Error> {
        let (operation, caller) = ("rot90", Site::caller());
        for axis in [from, to] {
            self.check_axis(operation, axis.0, self.ndim(), caller)?;
        }
        if from == to {
            let problem = "a plane has two different axes";
            return Err(Error::Arrangement { operation, problem, caller });
        }
        match quarters.rem_euclid(4) {
            0 => Ok(self.clone()),
            1 => self.try_flip(to)?.try_swap_axes(from.0, to.0),
            2 => self.try_flip(from)?.try_flip(to),
            _ => self.try_swap_axes(from.0, to.0)?.try_flip(to),
        }
    }

    /// The array with the elements moved on along an axis; those that leave it at one end come in at the other.
    ///
    /// **Shape** stays; where the end came to lie inside a block, the block is cut there.
    /// **Cost** none for whole blocks, a copy of the block that is cut.
    ///
    /// # Panics
    /// When there is no such axis.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr1}};
    /// use musher_scheduler::Compute;
    /// let x = Array::arange(0, 5, 1, 2);
    /// assert_eq!(x.roll(2, Axis(0)).compute()?, arr1(&[3, 4, 0, 1, 2]));
    /// assert_eq!(x.roll(-1, Axis(0)).compute()?, arr1(&[1, 2, 3, 4, 0]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "rotate")]
    pub fn roll(&self, shift: isize, axis: Axis) -> Self {
        expect(self.try_roll(shift, axis))
    }

    /// As [`roll`](Self::roll).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis.
    #[track_caller]
    pub fn try_roll(&self, shift: isize, axis: Axis) -> Result<Self, Error> {
        let (operation, caller) = ("roll", Site::caller());
        self.check_axis(operation, axis.0, self.ndim(), caller)?;
        let length = self.len_of(axis);
        // No axis is longer than isize::MAX, ndarray's own limit.
        let cut =
            if length == 0 { 0 } else { (-(shift % length as isize)).rem_euclid(length as isize) as usize };
        if cut == 0 {
            return Ok(self.clone());
        }
        let parts = [(cut, length), (0, cut)]
            .map(|(start, end)| part::<A>(operation, self.core(), axis.0, (start, end, 1), caller));
        let [last, first] = parts;
        joined::<A>(operation, axis, &[last?, first?], caller).map(Self::from_core)
    }
}
