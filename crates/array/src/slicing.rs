//! Slices with steps, indices and new axes, as ndarray's `s![]` writes them. Blocks outside a slice are never made.

use crate::array::{Array, Core};
use crate::block::Block;
use crate::chunks::Chunking;
use crate::element::Element;
use crate::error::{Error, expect};
use crate::from_array::{handed_out, part_of};
use crate::kernel::memory::copied;
use crate::kernel::strip::Axes;
use crate::layout::passed_through;
use musher_graph_core::{
    Absorb, AxisMap, Codec, Facts, Inputs, Layer, Output, Place, Port, Site, Task, TaskError, Token,
    Tokenizer, Wiring,
};
use ndarray::{Axis, Dimension, Slice, SliceArg, SliceInfoElem};
use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

/// What a slice takes of one block along one axis: where it begins, the step, how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cut {
    /// The block.
    block: usize,
    /// The first index inside the block; the last one taken where the step is negative.
    start: usize,
    /// The distance, never 0; negative steps run backward.
    step: isize,
    /// How many elements.
    len: usize,
}

/// What a slice does to one axis of the array.
#[derive(Clone, Debug, PartialEq)]
enum Along {
    /// The axis goes: one index inside one block.
    Index { block: usize, at: usize },
    /// The axis stays, in these pieces.
    Cuts(Arc<[Cut]>),
}

/// The pieces of `start, start + step, …` before `end`; with a negative step the same elements backward, as ndarray
/// does: it cuts first and then reverses.
fn cuts(lengths: &[usize], start: usize, end: usize, step: isize) -> Vec<Cut> {
    let by = step.unsigned_abs();
    let n = end.saturating_sub(start).div_ceil(by);
    // Backward, the element at `end - 1` comes first: the grid of indices is aligned to the end.
    let low = if step < 0 && n > 0 { end - 1 - (n - 1) * by } else { start };
    let high = low + n.saturating_sub(1) * by;
    let mut found = Vec::new();
    let mut first = 0;
    for (block, &length) in lengths.iter().enumerate() {
        let last = first + length;
        // The first index of the grid that is not before the block.
        let from = if first <= low { low } else { low + (first - low).div_ceil(by) * by };
        if n > 0 && from < last && from <= high {
            let len = (last.min(high + 1) - from).div_ceil(by);
            found.push(Cut { block, start: from - first, step, len });
        }
        first = last;
    }
    if step < 0 {
        found.reverse();
    }
    if found.is_empty() {
        found.push(Cut { block: 0, start: 0, step: 1, len: 0 });
    }
    found
}

/// An index counted from the end where it is negative.
fn from_end(index: isize, length: usize) -> Option<usize> {
    if index < 0 { length.checked_add_signed(index) } else { Some(index as usize) }
}

/// Takes a part of a block.
struct SliceBlock<A> {
    label: &'static str,
    along: Vec<Along>,
    /// For each axis of the result: the axis of the array it comes from, or none where it is new.
    kept: Vec<Option<usize>>,
    marker: PhantomData<fn() -> A>,
}

impl<A> SliceBlock<A> {
    /// The cut of an axis for the task at these coordinates.
    fn cut(&self, axis: usize, coords: &[usize]) -> Cut {
        match &self.along[axis] {
            Along::Index { block, at } => Cut { block: *block, start: *at, step: 1, len: 1 },
            Along::Cuts(cuts) => {
                let at = self.kept.iter().position(|kept| *kept == Some(axis)).expect("the axis stays");
                cuts[coords[at]]
            }
        }
    }
}

impl<A> SliceBlock<A> {
    /// The cuts of each axis, if all that the slice takes is a range of each.
    fn ranges(&self) -> Option<Vec<&[Cut]>> {
        let mut ranges: Vec<&[Cut]> = Vec::with_capacity(self.along.len());
        for (axis, along) in self.along.iter().enumerate() {
            match along {
                Along::Cuts(cuts) if self.kept.get(axis) == Some(&Some(axis)) => ranges.push(cuts),
                _ => return None,
            }
        }
        let one_by_one = ranges.iter().all(|cuts| cuts.iter().all(|cut| cut.step == 1));
        (one_by_one && self.kept.len() == self.along.len()).then_some(ranges)
    }
}

/// Whether a port hands out ranges of an array in memory, which any other division reads where they lie.
pub(crate) fn lies_in_memory<A: Element>(port: &Port) -> bool {
    let mut layer = &port.layer;
    loop {
        if handed_out::<A>(&**layer.task()).is_some() {
            return true;
        }
        let is_range =
            layer.task().downcast_ref::<SliceBlock<A>>().is_some_and(|slice| slice.ranges().is_some());
        match layer.inputs().first().and_then(|input| input.producer()) {
            Some(producer) if is_range && layer.annotations().is_none() => layer = producer,
            _ => return false,
        }
    }
}

impl<A: Element> Task for SliceBlock<A> {
    fn label(&self) -> Cow<'_, str> {
        self.label.into()
    }

    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let block: &Block<A> = inputs.get(0)?;
        let coords = at.coords();
        let mut array = block.array().clone();
        array.slice_each_axis_inplace(|axis| {
            let Cut { start, step, len, .. } = self.cut(axis.axis.0, &coords);
            let end = if len == 0 { start } else { start + (len - 1) * step.unsigned_abs() + 1 };
            Slice::new(start as isize, Some(end as isize), step)
        });
        for (axis, along) in self.along.iter().enumerate().rev() {
            if matches!(along, Along::Index { .. }) {
                array = array.index_axis_move(Axis(axis), 0);
            }
        }
        for (axis, kept) in self.kept.iter().enumerate() {
            if kept.is_none() {
                array = array.insert_axis(Axis(axis));
            }
        }
        // A part that keeps a much larger block alive would hold memory that nobody accounts for.
        let small = array.len() * 2 < block.view().len();
        Ok(Output::one(match small {
            true => Block::new(copied(&array.view())?),
            false => Block::try_shared(array)?,
        }))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("array.slice/1");
        for along in &self.along {
            match along {
                Along::Index { block, at } => (0_u8, *block, *at).token(tokenizer),
                Along::Cuts(cuts) => {
                    1_u8.token(tokenizer);
                    let words = |cut: &Cut| (cut.block, cut.start, cut.step, cut.len);
                    cuts.iter().map(words).collect::<Vec<_>>().token(tokenizer);
                }
            }
        }
        self.kept.token(tokenizer);
    }

    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        Some(Block::<A>::CODEC)
    }

    /// A range of an array in memory is one, too.
    fn absorb(&self, request: &Absorb<'_>) -> Option<Arc<dyn Task>> {
        let from = handed_out::<A>(request.producer)?;
        let mut start = Vec::new();
        let mut lengths = Vec::new();
        for (axis, cuts) in self.ranges()?.into_iter().enumerate() {
            let first = cuts.first()?;
            start.push(from.axis(axis)[..first.block].iter().sum::<usize>() + first.start);
            lengths.push(cuts.iter().map(|cut| cut.len).collect::<Arc<[usize]>>());
        }
        part_of::<A>(request.producer, &start, Chunking::from_axes(lengths))
    }

    fn facts(&self, at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        let coords = at.coords();
        let n: usize = (0..self.along.len()).map(|axis| self.cut(axis, &coords).len).product();
        let bytes = (n * size_of::<A>()) as u64;
        Facts::bytes(bytes).cost(500 + bytes / 4)
    }
}

/// The core of a slice.
pub(crate) fn sliced<A: Element>(
    operation: &'static str,
    core: &Core,
    elements: &[SliceInfoElem],
    caller: Site,
) -> Result<Core, Error> {
    let mut along = Vec::new();
    let mut kept: Vec<Option<usize>> = Vec::new();
    for element in elements {
        let axis = along.len();
        match *element {
            SliceInfoElem::NewAxis => kept.push(None),
            SliceInfoElem::Index(index) => {
                let lengths = core.chunking.axis(axis);
                let length: usize = lengths.iter().sum();
                let outside = Error::Index { operation, axis, index, length, caller };
                let mut at = from_end(index, length).filter(|&at| at < length).ok_or(outside)?;
                let mut block = 0;
                while at >= lengths[block] {
                    at -= lengths[block];
                    block += 1;
                }
                along.push(Along::Index { block, at });
            }
            SliceInfoElem::Slice { start, end, step } => {
                let lengths = core.chunking.axis(axis);
                let length: usize = lengths.iter().sum();
                let outside = |index: isize| Error::Index { operation, axis, index, length, caller };
                let last = end.unwrap_or(length as isize);
                let from = from_end(start, length).filter(|&at| at <= length).ok_or(outside(start))?;
                let to = from_end(last, length).filter(|&at| at <= length).ok_or(outside(last))?;
                along.push(Along::Cuts(cuts(lengths, from, to, step).into()));
                kept.push(Some(axis));
            }
        }
    }
    Ok(layer::<A>(operation, core, along, kept, caller))
}

/// The layer of a slice that was checked.
fn layer<A: Element>(
    label: &'static str,
    core: &Core,
    along: Vec<Along>,
    kept: Vec<Option<usize>>,
    caller: Site,
) -> Core {
    let lengths_of = |axis: &Option<usize>| -> Arc<[usize]> {
        match axis.map(|axis| &along[axis]) {
            Some(Along::Cuts(cuts)) => cuts.iter().map(|cut| cut.len).collect(),
            _ => [1].into(),
        }
    };
    let chunking = Chunking::from_axes(kept.iter().map(lengths_of));
    let maps = along.iter().enumerate().map(|(axis, along)| match along {
        Along::Index { block, .. } => AxisMap::Fixed(*block),
        Along::Cuts(cuts) => {
            let follows = kept.iter().position(|kept| *kept == Some(axis)).expect("the axis stays");
            blocks_of(cuts, follows)
        }
    });
    let wiring = Wiring::axes(maps);
    let whole = |(axis, along): (usize, &Along)| match along {
        Along::Index { block, .. } => core.chunking.axis(axis)[*block] == 1,
        Along::Cuts(cuts) => {
            cuts.iter().all(|cut| cut.step == 1 && cut.len == core.chunking.axis(axis)[cut.block])
        }
    };
    if along.iter().enumerate().all(whole) {
        // Whole blocks: elementwise work sees through the slice, generators included.
        let place = |axis: usize| kept.iter().position(|kept| *kept == Some(axis)).map(|at| at as u8);
        let axes: Axes = (0..along.len()).map(place).collect();
        return passed_through::<A>(label, core, (axes, wiring), chunking, caller);
    }
    let task = SliceBlock::<A> { label, along, kept, marker: PhantomData };
    let layer = Layer::build(task).caller(caller).input(&core.port, wiring).finish(chunking.grid());
    Core { port: Port::of(layer), chunking }
}

/// Which blocks pieces lie in: a straight run where it is one, else a table.
fn blocks_of(cuts: &[Cut], axis: usize) -> AxisMap {
    let first = cuts[0].block as isize;
    let step = cuts.get(1).map_or(1, |second| second.block as isize - first);
    let straight = (0..).zip(cuts).all(|(at, cut)| cut.block as isize == first + step * at);
    if straight && step != 0 {
        AxisMap::Affine { axis, start: first, step }
    } else {
        AxisMap::Lookup { axis, table: cuts.iter().map(|cut| cut.block as u32).collect() }
    }
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// The part of the array that ndarray's [`s!`](ndarray::s) names: ranges with steps, indices, new axes.
    ///
    /// A negative step runs backward over the same elements, as in ndarray: the range is cut first and then reversed.
    ///
    /// **Shape** as ndarray's; each block of the result is part of one block, and empty ones are left out.
    /// **Cost** one block at a time; blocks outside the slice are not made.
    ///
    /// # Panics
    /// When an index or a bound lies outside its axis.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Ix1, arr1, arr2, s}};
    /// use musher_scheduler::Compute;
    /// let x = Array::arange(0, 12, 1, 6).reshape((4, 3));
    /// assert_eq!(x.slice(s![1..;2, ..2]).compute()?, arr2(&[[3, 4], [9, 10]]));
    /// let last: Array<i32, Ix1> = x.slice(s![-1, ..;-1]);
    /// assert_eq!(last.compute()?, arr1(&[11, 10, 9]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn slice<I: SliceArg<D>>(&self, info: I) -> Array<A, I::OutDim> {
        expect(self.try_slice(info))
    }

    /// As [`slice`](Self::slice).
    ///
    /// # Errors
    /// [`Error::Index`] when an index or a bound lies outside its axis.
    #[track_caller]
    pub fn try_slice<I: SliceArg<D>>(&self, info: I) -> Result<Array<A, I::OutDim>, Error> {
        let caller = Site::caller();
        let elements = info.as_ref();
        let named = elements.iter().filter(|element| !element.is_new_axis()).count();
        if named != self.ndim() {
            return Err(Error::Axis { operation: "slice", axis: named, ndim: self.ndim(), caller });
        }
        sliced::<A>("slice", self.core(), elements, caller).map(Array::from_core)
    }

    /// The part of the array that consists of the blocks that ndarray's [`s!`](ndarray::s) names: ranges and indices of
    /// blocks. An index keeps its axis.
    ///
    /// **Shape** the lengths of the blocks along each axis together.
    /// **Cost** none; other blocks are not made.
    ///
    /// # Panics
    /// When an index or a bound lies outside the grid of blocks, or there are steps or new axes.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{arr1, s}};
    /// use musher_scheduler::Compute;
    /// let x = Array::arange(0, 10, 1, 3);
    /// assert_eq!(x.blocks(s![1..3]).compute()?, arr1(&[3, 4, 5, 6, 7, 8]));
    /// assert_eq!(x.blocks(s![-1]).compute()?, arr1(&[9]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "partitions")]
    pub fn blocks<I: SliceArg<D>>(&self, info: I) -> Self {
        expect(self.try_blocks(info))
    }

    /// As [`blocks`](Self::blocks).
    ///
    /// # Errors
    /// [`Error::Index`] when an index or a bound lies outside the grid of blocks, [`Error::Arrangement`] when there are steps
    /// or new axes.
    #[track_caller]
    pub fn try_blocks<I: SliceArg<D>>(&self, info: I) -> Result<Self, Error> {
        let (operation, caller) = ("blocks", Site::caller());
        let mut elements = Vec::with_capacity(self.ndim());
        for (axis, element) in info.as_ref().iter().enumerate() {
            let (start, end) = match *element {
                SliceInfoElem::Index(index) => (index, None),
                SliceInfoElem::Slice { start, end, step: 1 } => (start, Some(end)),
                _ => {
                    let problem = "blocks are named by ranges and indices";
                    return Err(Error::Arrangement { operation, problem, caller });
                }
            };
            let lengths = self.chunks().axis(axis);
            let n = lengths.len();
            let outside = |index: isize| Error::Index { operation, axis, index, length: n, caller };
            let first = from_end(start, n).filter(|&at| at <= n).ok_or_else(|| outside(start))?;
            let last = match end {
                // One block, which must be there.
                None => Some(first + 1).filter(|&at| at <= n).ok_or_else(|| outside(start))?,
                Some(end) => {
                    let end = end.unwrap_or(n as isize);
                    from_end(end, n).filter(|&at| at <= n).ok_or_else(|| outside(end))?.max(first)
                }
            };
            let before = lengths[..first].iter().sum::<usize>() as isize;
            let inside = lengths[first..last].iter().sum::<usize>() as isize;
            elements.push(SliceInfoElem::Slice { start: before, end: Some(before + inside), step: 1 });
        }
        sliced::<A>(operation, self.core(), &elements, caller).map(Self::from_core)
    }

    /// The part of the array along one axis.
    ///
    /// # Panics
    /// When there is no such axis or a bound lies outside it.
    #[must_use]
    #[track_caller]
    pub fn slice_axis(&self, axis: Axis, indices: Slice) -> Self {
        expect(self.try_slice_axis(axis, indices))
    }

    /// As [`slice_axis`](Self::slice_axis).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis, [`Error::Index`] when a bound lies outside it.
    #[track_caller]
    pub fn try_slice_axis(&self, axis: Axis, indices: Slice) -> Result<Self, Error> {
        let caller = Site::caller();
        self.check_axis("slice_axis", axis.0, self.ndim(), caller)?;
        let mut elements = vec![SliceInfoElem::Slice { start: 0, end: None, step: 1 }; self.ndim()];
        let Slice { start, end, step } = indices;
        elements[axis.0] = SliceInfoElem::Slice { start, end, step };
        sliced::<A>("slice_axis", self.core(), &elements, caller).map(Self::from_core)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, s};

    /// All ranges and steps over all small divisions, against ndarray.
    #[test]
    fn cuts_name_the_elements_of_ndarray() {
        for lengths in [vec![5], vec![2, 3], vec![1, 0, 3, 1], vec![0], vec![3, 3, 1]] {
            let n: usize = lengths.iter().sum();
            let all = Array1::from_iter(0..n);
            for start in 0..=n {
                for end in 0..=n {
                    for step in [1, 2, 3, 7, -1, -2, -3, -7] {
                        let want = all.slice(s![start..end.max(start);step]).to_vec();
                        let found: Vec<usize> = cuts(&lengths, start, end.max(start), step)
                            .iter()
                            .flat_map(|cut| {
                                let first: usize = lengths[..cut.block].iter().sum();
                                let mut places: Vec<usize> = (0..cut.len)
                                    .map(|i| first + cut.start + i * cut.step.unsigned_abs())
                                    .collect();
                                if cut.step < 0 {
                                    places.reverse();
                                }
                                places
                            })
                            .collect();
                        assert_eq!(found, want, "{lengths:?} {start}..{end};{step}");
                    }
                }
            }
        }
    }
}
