//! Elements by their order along an axis: sorted, partly sorted, the largest and the smallest of them.
//!
//! NaN stands behind all numbers, as NumPy sorts it. A line of several blocks that is all there is, is sorted by
//! [`ranges`](crate::ranges), and need not fit in memory; lines beside others are brought into one block each.

use crate::array::{Array, Core};
use crate::element::{Element, Real};
use crate::error::{Error, expect};
use crate::kernel::assemble::offsets;
use crate::kernel::best::{best_places, best_values};
use crate::kernel::keys::{equal_key, key, sort, unkey};
use crate::kernel::memory::{OutOfMemory, zeros};
use crate::kernel::ranges::{Borders, cut};
use crate::lines::Lines;
use crate::lookup::is_before;
use crate::per_block::PerBlock;
use crate::ranges::Ranges;
use crate::rechunk::rechunked;
use musher_graph_core::{Site, Wiring};
use ndarray::{ArrayD, Axis, Dimension, IxDyn, Slice};
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
fn sorted_indices<A: Real>(line: &[A]) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..line.len()).collect();
    // In place, and yet of equal elements the first stands first.
    indices.sort_unstable_by(|&one, &other| order(line[one], line[other]).then(one.cmp(&other)));
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
}

/// So many blocks along an axis become one.
const JOINED: usize = 8;

/// The lines of a tree that keeps the best of each: those of each block, of neighbors together, and so on.
struct Tree {
    operation: &'static str,
    /// Elements in a line for each that is kept.
    width: usize,
    best: Best,
    axis: usize,
    caller: Site,
}

impl Tree {
    /// What `first` keeps of each block, given where in the line the block begins, and `again` of what was kept before;
    /// both are given how many.
    fn of<A: Real, B: Element>(
        &self,
        core: &Core,
        first: impl Fn(&[A], usize, usize) -> Result<Vec<B>, OutOfMemory> + Send + Sync + 'static,
        again: fn(&[B], Best) -> Result<Vec<B>, OutOfMemory>,
    ) -> Core {
        let Self { width, best, axis, .. } = *self;
        let starts = offsets(core.chunking.axis(axis));
        let n_kept = move |n: usize| n.min(best.count);
        let mut kept = self.level::<A, B>(
            core,
            move |at, line| first(line, n_kept(line.len()), starts[at]),
            |n| width * n_kept(n),
        );
        while kept.chunking.axis(axis).len() > 1 {
            let joined = kept.chunking.axis(axis).chunks(JOINED).map(|some| some.iter().sum()).collect();
            let core = rechunked::<B>(&kept, &kept.chunking.with_axis(axis, joined), self.caller);
            kept = self.level::<B, B>(&core, move |_, line| again(line, best), |n| width * n_kept(n / width));
        }
        kept
    }

    /// Each line of each block becomes what `f` makes of it, given the number of the block along the axis.
    fn level<A: Element, B: Element>(
        &self,
        core: &Core,
        f: impl Fn(usize, &[A]) -> Result<Vec<B>, OutOfMemory> + Send + Sync + 'static,
        length: impl Fn(usize) -> usize,
    ) -> Core {
        let Self { operation, width, best, axis, caller } = *self;
        let lengths: Arc<[usize]> = core.chunking.axis(axis).iter().map(|&n| length(n)).collect();
        let output = core.chunking.with_axis(axis, Arc::clone(&lengths));
        let wiring = Wiring::one_to_one(output.ndim());
        let step = PerBlock { label: operation, name: "array.topk/2", wiring, output, scratch: 1, caller };
        let parameters = (width, axis, (best.count, best.is_largest));
        step.of::<A, B>(core, &parameters, move |at, block| {
            let mut shape = block.shape().to_vec();
            shape[axis] = lengths[at[axis]];
            let mut made = ArrayD::from_shape_vec(IxDyn(&shape), zeros::<B>(shape.iter().product())?)?;
            let mut line: Vec<A> = Vec::new();
            let lanes = block.lanes(Axis(axis)).into_iter();
            for (mut to, from) in made.lanes_mut(Axis(axis)).into_iter().zip(lanes) {
                let found = match from.to_slice() {
                    Some(from) => f(at[axis], from)?,
                    None => {
                        line.clear();
                        line.try_reserve_exact(from.len())?;
                        line.extend(from.iter());
                        f(at[axis], &line)?
                    }
                };
                to.iter_mut().zip(found).for_each(|(to, value)| *to = value);
            }
            Ok(made)
        })
    }
}

/// Whether the elements are one line in several blocks.
fn is_long(core: &Core) -> bool {
    core.chunking.ndim() == 1 && core.chunking.n_blocks() > 1
}

/// For keys that may go to several ranges: those of earlier blocks go to earlier ones, so that equal keys keep their order.
pub(crate) fn shared_out(key: u64, borders: &Borders<'_>, block: usize, n_blocks: usize) -> u32 {
    let (first, last) = borders.ranges_of(key);
    (first + (last - first + 1) * block / n_blocks) as u32
}

/// The elements of a line in order, in the same blocks.
fn sorted<A: Real>(core: &Core, caller: Site) -> Core {
    let n_blocks = core.chunking.n_blocks();
    let ranges = Ranges::of::<A>(core, 8, caller);
    let cut = move |block: usize, elements: &[A], borders: &Borders<'_>, n: usize| {
        let keys = elements.iter().map(|&element| [key(element)]);
        Ok(cut(keys, n, |&[key]| shared_out(key, borders, block, n_blocks))?)
    };
    let runs = ranges.runs::<A>("sort", "array.sorted/1", (1, 1), cut, |mut keys| {
        keys.sort_unstable();
        Ok(keys)
    });
    ranges.in_blocks("sort", &runs, &core.chunking, unkey::<A>)
}

/// The indices that put a line in order, in the same blocks.
fn argsorted<A: Real>(core: &Core, caller: Site) -> Core {
    let (n_blocks, chunking) = (core.chunking.n_blocks(), core.chunking.clone());
    let ranges = Ranges::of::<A>(core, 16, caller);
    let cut = move |block: usize, elements: &[A], borders: &Borders<'_>, n: usize| {
        let start = chunking.block_start(&[block])[0] as u64;
        let items = elements.iter().enumerate().map(|(at, &element)| [equal_key(element), start + at as u64]);
        Ok(cut(items, n, |&[key, _]| shared_out(key, borders, block, n_blocks))?)
    };
    let runs = ranges.runs::<A>("argsort", "array.argsorted/1", (2, 1), cut, |mut words| {
        let (items, _) = words.as_chunks_mut::<2>();
        items.sort_unstable();
        let n = items.len();
        (0..n).for_each(|at| words[at] = words[2 * at + 1]);
        words.truncate(n);
        Ok(words)
    });
    ranges.in_blocks("argsort", &runs, &core.chunking, |index| index)
}

impl<A: Real, D: Dimension> Array<A, D> {
    /// The work on whole lines along an axis.
    #[track_caller]
    fn lines(&self, label: &'static str, name: &'static str, axis: Axis) -> Result<Lines, Error> {
        let caller = Site::caller();
        self.check_axis(label, axis.0, self.ndim(), caller)?;
        Ok(Lines { label, name, axis: axis.0, needs: 0, caller })
    }

    /// The elements in rising order along an axis; NaN stands last.
    ///
    /// **Shape** stays. So do the blocks of an array of one axis; of others the axis becomes one block, and the others are cut so
    /// that blocks stay as large as they were.
    /// **Cost** one pass where the axis is one block. An array of one axis is exchanged twice, by ranges of values and by
    /// places: a task holds some blocks. Of others, that of [`rechunk`](Self::rechunk): a line along the axis must fit in
    /// memory, the array need not.
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
        // A key of 64 bits for each element.
        let lines = Lines { needs: 8, ..self.lines("sort", "array.sort/1", axis)? };
        if is_long(self.core()) {
            return Ok(Self::from_core(sorted::<A>(self.core(), lines.caller)));
        }
        Ok(Self::from_core(lines.of::<A, A>(self.core(), self.len_of(axis), &(), |line, out| {
            out.copy_from_slice(line);
            sort(out, &mut Vec::new());
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
        let lines = Lines { needs: size_of::<usize>(), ..self.lines("argsort", "array.argsort/1", axis)? };
        if is_long(self.core()) {
            return Ok(Array::from_core(argsorted::<A>(self.core(), lines.caller)));
        }
        Ok(Array::from_core(lines.of::<A, u64>(self.core(), self.len_of(axis), &(), |line, out| {
            let indices = sorted_indices(line);
            out.iter_mut().zip(indices).for_each(|(out, index)| *out = index as u64);
        })))
    }

    /// The elements along an axis with the one that sorting puts at place `kth` in that place: smaller ones stand before it,
    /// larger ones behind it, in no order.
    ///
    /// **Shape** stays, blocks and cost as [`sort`](Self::sort), but for comparing less where the axis is one block.
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
        if is_long(self.core()) {
            return Ok(Self::from_core(sorted::<A>(self.core(), lines.caller)));
        }
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
        if is_long(self.core()) {
            return Ok(Array::from_core(argsorted::<A>(self.core(), lines.caller)));
        }
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
        let best = Best::of(k);
        let tree = Tree { operation: "topk", width: 1, best, axis: axis.0, caller };
        let first = move |line: &[A], n: usize, _: usize| best_values(line, n, best.is_largest);
        let again = |line: &[A], best: Best| best_values(line, best.count, best.is_largest);
        Ok(Self::from_core(tree.of::<A, A>(self.core(), first, again)))
    }

    /// The indices of the `k` largest elements along an axis, that of the largest first; of a negative `k` those of the `-k`
    /// smallest. Of equal elements the first counts first.
    ///
    /// **Shape** the axis has `|k|` elements, or as many as there are, in one block.
    /// **Cost** that of [`topk`](Self::topk), with two words for each element kept.
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
        let caller = Site::caller();
        self.check_axis("argtopk", axis.0, self.ndim(), caller)?;
        let best = Best::of(k);
        let tree = Tree { operation: "argtopk", width: 2, best, axis: axis.0, caller };
        // Ranks and indices, in turn.
        let first = move |line: &[A], n: usize, start: usize| {
            let mut found = best_places(line, n, best.is_largest)?;
            found.iter_mut().for_each(|[_, place]| *place += start as u64);
            Ok(found.into_flattened())
        };
        let again = |line: &[u64], best: Best| {
            let (items, _) = line.as_chunks::<2>();
            let mut items = items.to_vec();
            items.sort_unstable();
            items.truncate(best.count);
            Ok(items.into_flattened())
        };
        let kept = tree.of::<A, u64>(self.core(), first, again);
        let kept: Array<u64, D> = Array::from_core(kept);
        kept.try_slice_axis(axis, Slice::new(1, None, 2))
    }
}
