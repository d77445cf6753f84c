//! Elements by their order along an axis: sorted, partly sorted, the largest and the smallest of them.
//!
//! NaN stands behind all numbers, as NumPy sorts it.

use crate::array::{Array, Core};
use crate::element::Real;
use crate::error::{Error, expect};
use crate::lines::Lines;
use crate::lookup::is_before;
use crate::rechunk::rechunked;
use musher_graph_core::Site;
use ndarray::{Axis, Dimension};
use std::cmp::Ordering;
use std::sync::Arc;

/// The order in which elements are sorted.
pub(crate) fn order<A: Real>(one: A, other: A) -> Ordering {
    match (is_before(one, other), is_before(other, one)) {
        (true, _) => Ordering::Less,
        (_, true) => Ordering::Greater,
        _ => Ordering::Equal,
    }
}

/// The indices of a line, sorted by their elements; of equal ones the first stands first.
fn sorted_indices<A: Real>(line: &[A], compare: impl Fn(A, A) -> Ordering) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..line.len()).collect();
    indices.sort_by(|&one, &other| compare(line[one], line[other]));
    indices
}

/// How many of the largest are asked for, or of the smallest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Best {
    count: usize,
    is_largest: bool,
}

impl Best {
    /// As NumPy and Dask count: negative for the smallest.
    const fn of(k: isize) -> Self {
        Self { count: k.unsigned_abs(), is_largest: k >= 0 }
    }

    /// Which stands nearer to the front of the answer. NaN is never among the smallest while there are numbers, and stands
    /// first among the largest, as it is sorted.
    fn order<A: Real>(self, one: A, other: A) -> Ordering {
        if self.is_largest { order(other, one) } else { order(one, other) }
    }
}

/// So many blocks along an axis become one.
const JOINED: usize = 8;

/// The best of each line, by a tree: those of each block, of neighbors together, and so on.
fn best<A: Real>(operation: &'static str, core: &Core, axis: usize, best: Best, caller: Site) -> Core {
    let mut core = core.clone();
    loop {
        let lengths: Arc<[usize]> =
            core.chunking.axis(axis).iter().map(|&length| length.min(best.count)).collect();
        let lines = Lines { label: operation, name: "array.topk/1", axis, caller };
        core =
            lines.within_blocks::<A, A>(&core, lengths, &(best.count, best.is_largest), move |line, out| {
                let n = out.len();
                if n > 0 && n < line.len() {
                    line.select_nth_unstable_by(n - 1, |&one, &other| best.order(one, other));
                }
                line[..n].sort_unstable_by(|&one, &other| best.order(one, other));
                out.copy_from_slice(&line[..n]);
            });
        if core.chunking.axis(axis).len() == 1 {
            return core;
        }
        let joined = core.chunking.axis(axis).chunks(JOINED).map(|some| some.iter().sum()).collect();
        core = rechunked::<A>(&core, &core.chunking.with_axis(axis, joined), caller);
    }
}

impl<A: Real, D: Dimension> Array<A, D> {
    /// The work on whole lines along an axis.
    #[track_caller]
    fn lines(&self, label: &'static str, name: &'static str, axis: Axis) -> Result<Lines, Error> {
        let caller = Site::caller();
        self.check_axis(label, axis.0, self.ndim(), caller)?;
        Ok(Lines { label, name, axis: axis.0, caller })
    }

    /// The elements in rising order along an axis; NaN stands last.
    ///
    /// **Shape** stays; the axis becomes one block, the others are cut so that blocks stay as large as they were.
    /// **Cost** one pass, and that of [`rechunk`](Self::rechunk) where the axis has several blocks: a line along it must fit
    /// in memory, the array need not.
    ///
    /// # Panics
    /// When there is no such axis.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr1}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[3, 1, 2]), 2);
    /// assert_eq!(x.sort(Axis(0)).compute()?, arr1(&[1, 2, 3]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn sort(&self, axis: Axis) -> Self {
        expect(self.try_sort(axis))
    }

    /// As [`sort`](Self::sort).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis.
    #[track_caller]
    pub fn try_sort(&self, axis: Axis) -> Result<Self, Error> {
        let lines = self.lines("sort", "array.sort/1", axis)?;
        Ok(Self::from_core(lines.of::<A, A>(self.core(), self.len_of(axis), &(), |line, out| {
            line.sort_unstable_by(|&one, &other| order(one, other));
            out.copy_from_slice(line);
        })))
    }

    /// The indices along an axis that put its elements in rising order; of equal elements the first stands first, NaN last.
    ///
    /// **Shape** stays, blocks and cost as [`sort`](Self::sort).
    ///
    /// # Panics
    /// When there is no such axis.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr1}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[3, 1, 2]), 2);
    /// assert_eq!(x.argsort(Axis(0)).compute()?, arr1(&[1, 2, 0]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.argsort` with `kind="stable"`.
    #[must_use]
    #[track_caller]
    pub fn argsort(&self, axis: Axis) -> Array<u64, D> {
        expect(self.try_argsort(axis))
    }

    /// As [`argsort`](Self::argsort).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis.
    #[track_caller]
    pub fn try_argsort(&self, axis: Axis) -> Result<Array<u64, D>, Error> {
        let lines = self.lines("argsort", "array.argsort/1", axis)?;
        Ok(Array::from_core(lines.of::<A, u64>(self.core(), self.len_of(axis), &(), |line, out| {
            let indices = sorted_indices(line, order);
            out.iter_mut().zip(indices).for_each(|(out, index)| *out = index as u64);
        })))
    }

    /// The elements along an axis with the one that sorting puts at place `kth` in that place: smaller ones stand before it,
    /// larger ones behind it, in no order.
    ///
    /// **Shape** stays, blocks and cost as [`sort`](Self::sort), but for comparing less.
    ///
    /// # Panics
    /// When there is no such axis or place.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr1}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[3, 1, 2, 5, 4]), 2);
    /// assert_eq!(x.partition(2, Axis(0)).compute()?[2], 3);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn partition(&self, kth: usize, axis: Axis) -> Self {
        expect(self.try_partition(kth, axis))
    }

    /// As [`partition`](Self::partition).
    ///
    /// # Errors
    /// [`Error::Axis`] or [`Error::Index`] when there is no such axis or place.
    #[track_caller]
    pub fn try_partition(&self, kth: usize, axis: Axis) -> Result<Self, Error> {
        let lines = self.lines("partition", "array.partition/1", axis)?;
        self.check_place("partition", kth, axis)?;
        Ok(Self::from_core(lines.of::<A, A>(self.core(), self.len_of(axis), &kth, move |line, out| {
            line.select_nth_unstable_by(kth, |&one, &other| order(one, other));
            out.copy_from_slice(line);
        })))
    }

    /// The indices along an axis that [`partition`](Self::partition) it.
    ///
    /// **Shape** stays, blocks and cost as [`partition`](Self::partition).
    ///
    /// # Panics
    /// When there is no such axis or place.
    #[must_use]
    #[track_caller]
    pub fn argpartition(&self, kth: usize, axis: Axis) -> Array<u64, D> {
        expect(self.try_argpartition(kth, axis))
    }

    /// As [`argpartition`](Self::argpartition).
    ///
    /// # Errors
    /// [`Error::Axis`] or [`Error::Index`] when there is no such axis or place.
    #[track_caller]
    pub fn try_argpartition(&self, kth: usize, axis: Axis) -> Result<Array<u64, D>, Error> {
        let lines = self.lines("argpartition", "array.argpartition/1", axis)?;
        self.check_place("argpartition", kth, axis)?;
        Ok(Array::from_core(lines.of::<A, u64>(self.core(), self.len_of(axis), &kth, move |line, out| {
            out.iter_mut().zip(0..).for_each(|(out, index)| *out = index);
            let by_element = |&one: &u64, &other: &u64| order(line[one as usize], line[other as usize]);
            out.select_nth_unstable_by(kth, by_element);
        })))
    }

    /// Refuses a place behind the end of an axis.
    #[track_caller]
    fn check_place(&self, operation: &'static str, place: usize, axis: Axis) -> Result<(), Error> {
        let length = self.len_of(axis);
        if place < length {
            return Ok(());
        }
        let index = isize::try_from(place).unwrap_or(isize::MAX);
        Err(Error::Index { operation, axis: axis.0, index, length, caller: Site::caller() })
    }

    /// The `k` largest elements along an axis, the largest first; of a negative `k` the `-k` smallest, the smallest first.
    /// NaN counts as larger than all numbers.
    ///
    /// **Shape** the axis has `|k|` elements, or as many as there are, in one block.
    /// **Cost** one pass by a tree: a task holds `8 |k|` elements of a line, or a block.
    ///
    /// # Panics
    /// When there is no such axis.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr1}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[5, 1, 3, 6]), 2);
    /// assert_eq!(x.topk(2, Axis(0)).compute()?, arr1(&[6, 5]));
    /// assert_eq!(x.topk(-2, Axis(0)).compute()?, arr1(&[1, 3]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `dask.array.topk`.
    #[must_use]
    #[track_caller]
    #[doc(alias = "nlargest")]
    #[doc(alias = "dask.array.topk")]
    pub fn topk(&self, k: isize, axis: Axis) -> Self {
        expect(self.try_topk(k, axis))
    }

    /// As [`topk`](Self::topk).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis.
    #[track_caller]
    pub fn try_topk(&self, k: isize, axis: Axis) -> Result<Self, Error> {
        let caller = Site::caller();
        self.check_axis("topk", axis.0, self.ndim(), caller)?;
        Ok(Self::from_core(best::<A>("topk", self.core(), axis.0, Best::of(k), caller)))
    }

    /// The indices of the `k` largest elements along an axis, that of the largest first; of a negative `k` those of the `-k`
    /// smallest. Of equal elements the first counts first.
    ///
    /// **Shape** the axis has `|k|` elements, or as many as there are, in one block.
    /// **Cost** as [`argsort`](Self::argsort): a line along the axis must fit in memory.
    ///
    /// # Panics
    /// When there is no such axis.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr1}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[5, 1, 3, 6]), 2);
    /// assert_eq!(x.argtopk(2, Axis(0)).compute()?, arr1(&[3, 0]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `dask.array.argtopk`.
    #[must_use]
    #[track_caller]
    #[doc(alias = "dask.array.argtopk")]
    pub fn argtopk(&self, k: isize, axis: Axis) -> Array<u64, D> {
        expect(self.try_argtopk(k, axis))
    }

    /// As [`argtopk`](Self::argtopk).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis.
    #[track_caller]
    pub fn try_argtopk(&self, k: isize, axis: Axis) -> Result<Array<u64, D>, Error> {
        let lines = self.lines("argtopk", "array.argtopk/1", axis)?;
        let best = Best::of(k);
        let n = best.count.min(self.len_of(axis));
        Ok(Array::from_core(lines.of::<A, u64>(self.core(), n, &(n, best.is_largest), move |line, out| {
            let indices = sorted_indices(line, |one, other| best.order(one, other));
            out.iter_mut().zip(indices).for_each(|(out, index)| *out = index as u64);
        })))
    }
}
