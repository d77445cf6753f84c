//! Arrays cut along an axis, and parts put in or left out.

use crate::array::{Array, Core};
use crate::element::Element;
use crate::error::{Error, expect};
use crate::join::joined;
use crate::reorder::part;
use crate::take::taken;
use musher_graph_core::Site;
use ndarray::{Axis, Dimension, RemoveAxis};

/// What is left in more runs than this is taken element by element: a layer for each run would be too many.
const MOST_RUNS: usize = 64;

impl<A: Element, D: Dimension> Array<A, D> {
    /// The array cut along an axis before each of these indices.
    ///
    /// **Shape** one array more than there are indices; together they have the elements in order.
    /// **Cost** none for whole blocks, a copy of those that are cut.
    ///
    /// # Panics
    /// When there is no such axis, an index lies beyond its end, or the indices fall.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr1}};
    /// use musher_scheduler::Compute;
    /// let parts = Array::arange(0, 6, 1, 2).split(Axis(0), &[1, 4]);
    /// assert_eq!(parts[1].compute()?, arr1(&[1, 2, 3]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "split_at")]
    #[doc(alias = "hsplit")]
    #[doc(alias = "vsplit")]
    #[doc(alias = "dsplit")]
    pub fn split(&self, axis: Axis, indices: &[usize]) -> Vec<Self> {
        expect(self.try_split(axis, indices))
    }

    /// As [`split`](Self::split).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis, [`Error::Index`] when an index lies beyond its end,
    /// [`Error::Arrangement`] when the indices fall.
    #[track_caller]
    pub fn try_split(&self, axis: Axis, indices: &[usize]) -> Result<Vec<Self>, Error> {
        let (operation, caller) = ("split", Site::caller());
        self.check_axis(operation, axis.0, self.ndim(), caller)?;
        if !indices.is_sorted() {
            return Err(Error::Arrangement { operation, problem: "the indices fall", caller });
        }
        let starts = std::iter::once(0).chain(indices.iter().copied());
        let ends = indices.iter().copied().chain([self.len_of(axis)]);
        let cut = |range: (usize, usize)| {
            part::<A>(operation, self.core(), axis.0, (range.0, range.1, 1), caller).map(Self::from_core)
        };
        starts.zip(ends).map(cut).collect()
    }

    /// The array cut along an axis into so many parts, of which the first ones are longer by one element where the length
    /// cannot be divided.
    ///
    /// **Cost** as [`split`](Self::split).
    ///
    /// # Panics
    /// When there is no such axis, or no part.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::Axis};
    /// let parts = Array::<u8, _>::zeros((7, 2), 2).array_split(Axis(0), 3);
    /// assert_eq!(parts.iter().map(|part| part.shape()[0]).collect::<Vec<_>>(), [3, 2, 2]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn array_split(&self, axis: Axis, parts: usize) -> Vec<Self> {
        expect(self.try_array_split(axis, parts))
    }

    /// As [`array_split`](Self::array_split).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis, [`Error::Arrangement`] when there is no part.
    #[track_caller]
    pub fn try_array_split(&self, axis: Axis, parts: usize) -> Result<Vec<Self>, Error> {
        let (operation, caller) = ("array_split", Site::caller());
        self.check_axis(operation, axis.0, self.ndim(), caller)?;
        if parts == 0 {
            return Err(Error::Arrangement { operation, problem: "no parts", caller });
        }
        let (each, longer) = (self.len_of(axis) / parts, self.len_of(axis) % parts);
        let ends: Vec<usize> = (1..parts).map(|part| part * each + part.min(longer)).collect();
        self.try_split(axis, &ends)
    }

    /// One array for each index along an axis, without that axis.
    ///
    /// **Cost** none until they are computed; each is one block for each block that holds its index.
    ///
    /// # Panics
    /// When there is no such axis.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr2, arr1}};
    /// use musher_scheduler::Compute;
    /// let columns = Array::from_array(arr2(&[[1, 2], [3, 4]]), 1).unstack(Axis(1));
    /// assert_eq!(columns[1].compute()?, arr1(&[2, 4]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "outer_iter")]
    #[doc(alias = "axis_iter")]
    pub fn unstack(&self, axis: Axis) -> Vec<Array<A, D::Smaller>>
    where
        D: RemoveAxis,
    {
        expect(self.try_unstack(axis))
    }

    /// As [`unstack`](Self::unstack).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis.
    #[track_caller]
    pub fn try_unstack(&self, axis: Axis) -> Result<Vec<Array<A, D::Smaller>>, Error>
    where
        D: RemoveAxis,
    {
        self.check_axis("unstack", axis.0, self.ndim(), Site::caller())?;
        (0..self.len_of(axis)).map(|index| self.try_index_axis(axis, index)).collect()
    }

    /// The array with `values` put in along an axis, before the element with this index.
    ///
    /// **Shape** lengths along `axis` are added; the others must be equal.
    /// **Cost** none for whole blocks, a copy of the one that is cut.
    ///
    /// # Panics
    /// When there is no such axis, the index lies beyond its end, or the shapes do not fit.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr1}};
    /// use musher_scheduler::Compute;
    /// let x = Array::arange(0, 4, 1, 2);
    /// assert_eq!(x.insert(Axis(0), 1, &(&x * 10)).compute()?, arr1(&[0, 0, 10, 20, 30, 1, 2, 3]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn insert(&self, axis: Axis, index: usize, values: &Self) -> Self {
        expect(self.try_insert(axis, index, values))
    }

    /// As [`insert`](Self::insert).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis, [`Error::Index`] when the index lies beyond its end, [`Error::Shapes`]
    /// when the shapes do not fit.
    #[track_caller]
    pub fn try_insert(&self, axis: Axis, index: usize, values: &Self) -> Result<Self, Error> {
        let (operation, caller) = ("insert", Site::caller());
        self.check_axis(operation, axis.0, self.ndim(), caller)?;
        let length = self.len_of(axis);
        let cut = |start, end| part::<A>(operation, self.core(), axis.0, (start, end, 1), caller);
        // Also told where the index is the wrong one.
        let mut parts = vec![cut(0, index)?, cut(index, length)?];
        parts.retain(|part| !part.chunking.axis(axis.0).iter().all(|&length| length == 0));
        parts.insert(parts.len().min(usize::from(index > 0)), values.core().clone());
        joined::<A>(operation, axis, &parts, caller).map(Self::from_core)
    }

    /// The array without the elements with these indices along an axis.
    ///
    /// **Shape** the axis is shorter by the number of different indices.
    /// **Cost** none for whole blocks, a copy of those that are cut.
    ///
    /// # Panics
    /// When there is no such axis, or an index lies outside it.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr1}};
    /// use musher_scheduler::Compute;
    /// let x = Array::arange(0, 6, 1, 2);
    /// assert_eq!(x.delete(Axis(0), &[4, 1, 1]).compute()?, arr1(&[0, 2, 3, 5]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn delete(&self, axis: Axis, indices: &[usize]) -> Self {
        expect(self.try_delete(axis, indices))
    }

    /// As [`delete`](Self::delete).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis, [`Error::Index`] when an index lies outside it.
    #[track_caller]
    pub fn try_delete(&self, axis: Axis, indices: &[usize]) -> Result<Self, Error> {
        let (operation, caller) = ("delete", Site::caller());
        self.check_axis(operation, axis.0, self.ndim(), caller)?;
        let length = self.len_of(axis);
        if let Some(&outside) = indices.iter().find(|&&index| index >= length) {
            let index = isize::try_from(outside).unwrap_or(isize::MAX);
            return Err(Error::Index { operation, axis: axis.0, index, length, caller });
        }
        let mut gone = indices.to_vec();
        gone.sort_unstable();
        gone.dedup();
        let starts = std::iter::once(0).chain(gone.iter().map(|&index| index + 1));
        let ends = gone.iter().copied().chain([length]);
        let runs: Vec<(usize, usize)> = starts.zip(ends).filter(|(start, end)| start < end).collect();
        if runs.len() > MOST_RUNS {
            let left: Vec<usize> = runs.iter().flat_map(|&(start, end)| start..end).collect();
            return taken::<A>(operation, self.core(), axis.0, &left, caller).map(Self::from_core);
        }
        let cut = |&(start, end): &(usize, usize)| {
            part::<A>(operation, self.core(), axis.0, (start, end, 1), caller)
        };
        let parts: Vec<Core> = match runs.is_empty() {
            true => vec![cut(&(0, 0))?],
            false => runs.iter().map(cut).collect::<Result<_, _>>()?,
        };
        joined::<A>(operation, axis, &parts, caller).map(Self::from_core)
    }

    /// The array with another behind it along an axis.
    ///
    /// **Shape** lengths along `axis` are added; the others must be equal.
    /// **Cost** none; blocks are handed on.
    ///
    /// # Panics
    /// When there is no such axis, or the shapes do not fit.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr1}};
    /// use musher_scheduler::Compute;
    /// let x = Array::arange(0, 2, 1, 2);
    /// assert_eq!(x.append(Axis(0), &(&x + 5)).compute()?, arr1(&[0, 1, 5, 6]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "push")]
    pub fn append(&self, axis: Axis, other: &Self) -> Self {
        expect(self.try_append(axis, other))
    }

    /// As [`append`](Self::append).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis, [`Error::Shapes`] when the shapes do not fit.
    #[track_caller]
    pub fn try_append(&self, axis: Axis, other: &Self) -> Result<Self, Error> {
        let parts = [self.core().clone(), other.core().clone()];
        joined::<A>("append", axis, &parts, Site::caller()).map(Self::from_core)
    }
}
