//! Distinct elements: brought together by [`ranges`](crate::ranges) of their values, so that neither they nor the elements
//! need fit in memory.

use crate::array::{Array, Core};
use crate::block::Block;
use crate::chunks::Chunking;
use crate::element::{Element, Ordered};
use crate::kernel::assemble::offsets;
use crate::kernel::keys::{equal_key, unkey};
use crate::kernel::memory::{collected, with_room, zeros};
use crate::kernel::ranges::{Borders, NOWHERE, cut, distinct, few};
use crate::order::shared_out;
use crate::ranges::{Ranges, Runs, exchanged_items};
use crate::selected::{Selected, in_order, in_place};
use musher_graph_core::{AxisMap, Facts, FnTask, Grid, Inputs, Layer, Place, Port, Site, TaskError, Wiring};
use ndarray::{Array1, ArrayD, Dimension, IxDyn};
use std::fmt;

/// Distinct elements and what belongs to them: made by [`Array::unique_all`].
///
/// Each field is computed alone; what is not asked for is not made.
#[derive(Clone)]
pub struct Unique<A, D> {
    /// The distinct elements, in rising order.
    pub values: Selected<A>,
    /// How often each occurs.
    pub counts: Selected<u64>,
    /// Where in C order each occurs first.
    pub indices: Selected<u64>,
    /// Which of the distinct elements stands in each place of the array.
    pub inverse: Array<u64, D>,
}

impl<A: Element, D: Dimension> fmt::Debug for Unique<A, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unique").field("values", &self.values).field("inverse", &self.inverse).finish()
    }
}

impl<A: Ordered, D: Dimension> Array<A, D> {
    /// The distinct elements in rising order; NaN is one, and stands last. How many they are, only computing tells.
    ///
    /// **Shape** see [`Selected`].
    /// **Cost** two passes; each element, or each distinct one of a block where these are few, is exchanged once.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[3, 1], [1, 7]]), 1);
    /// assert_eq!(x.unique().compute()?.to_vec(), [1, 3, 7]);
    /// assert_eq!(x.unique().len().compute()?, 3);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.unique` with `equal_nan=True`.
    #[must_use]
    #[track_caller]
    #[doc(alias = "unique_values")]
    #[doc(alias = "n_unique")]
    #[doc(alias = "dask.array.unique")]
    pub fn unique(&self) -> Selected<A> {
        let caller = Site::caller();
        let ranges = Ranges::of::<A>(self.core(), 8, caller);
        let cut = |_: usize, elements: &[A], borders: &Borders<'_>, n: usize| {
            // Of a key that is a border, one item is enough: so no range is filled by it.
            let mut seen = vec![false; borders.len() + 1];
            let range_of = |&[key]: &[u64; 1]| match borders.ranges_of(key) {
                (first, last) if first == last => first as u32,
                (first, _) if std::mem::replace(&mut seen[first], true) => NOWHERE,
                (first, _) => first as u32,
            };
            Ok(match few_of(elements)? {
                Some(few) => cut(few.into_iter().map(|key| [key]), n, range_of)?,
                None => cut(elements.iter().map(|&element| [equal_key(element)]), n, range_of)?,
            })
        };
        let finish = |keys| Ok(distinct(keys)?);
        let runs = ranges.runs::<A>("unique", "array.unique/1", (1, 1), cut, finish);
        let lengths = lengths(&runs, 1, caller);
        Selected::new(column(&runs, 1, 0, unkey::<A>, caller), &lengths, &self.shape())
    }

    /// The distinct elements in rising order, how often each occurs, where first, and which of them stands in each place.
    ///
    /// **Cost** values, counts and indices together: two passes, and an exchange of three words for each distinct element of each
    /// block; blocks that do not follow each other in C order are rechunked first. The inverse: two passes, and two exchanges
    /// of two words for each element.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[3, 1, 1, 7]), 2);
    /// let found = x.unique_all();
    /// assert_eq!(found.values.compute()?.to_vec(), [1, 3, 7]);
    /// assert_eq!(found.counts.compute()?.to_vec(), [2, 1, 1]);
    /// assert_eq!(found.indices.compute()?.to_vec(), [1, 0, 3]);
    /// assert_eq!(found.inverse.compute()?.to_vec(), [1, 0, 0, 2]);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.unique_all`, but that NaN is one.
    #[must_use]
    #[track_caller]
    #[doc(alias = "unique_counts")]
    #[doc(alias = "unique_inverse")]
    #[doc(alias = "return_counts")]
    #[doc(alias = "return_index")]
    #[doc(alias = "return_inverse")]
    pub fn unique_all(&self) -> Unique<A, D> {
        let caller = Site::caller();
        let core = in_order::<A>(self.core(), caller);
        let starts = positions(&core.chunking);
        let ranges = Ranges::of::<A>(&core, 24, caller);
        let cut = move |block: usize, elements: &[A], borders: &Borders<'_>, n: usize| {
            let indices = starts[block] as u64..;
            let items = elements.iter().zip(indices).map(|(&element, index)| [equal_key(element), 1, index]);
            let mut all = with_room(elements.len())?;
            all.extend(items);
            let all = summed_up(all);
            Ok(cut(all.iter().copied(), n, |&[key, _, _]| borders.ranges_of(key).0 as u32)?)
        };
        let finish = |words: Vec<u64>| {
            let (items, _) = words.as_chunks::<3>();
            let all = summed_up(collected(items.iter().copied())?);
            Ok(collected(all.into_flattened().into_iter())?)
        };
        let runs = ranges.runs::<A>("unique_all", "array.unique_all/1", (3, 3), cut, finish);
        let (lengths, shape) = (lengths(&runs, 3, caller), self.shape());
        let same: fn(u64) -> u64 = |word| word;
        Unique {
            values: Selected::new(column(&runs, 3, 0, unkey::<A>, caller), &lengths, &shape),
            counts: Selected::new(column(&runs, 3, 1, same, caller), &lengths, &shape),
            indices: Selected::new(column(&runs, 3, 2, same, caller), &lengths, &shape),
            inverse: Array::from_core(inverse::<A>(self.core(), caller)),
        }
    }
}

/// The distinct keys of a block, where they are few.
fn few_of<A: Ordered>(elements: &[A]) -> Result<Option<Vec<u64>>, TaskError> {
    /// Elements at the front that tell whether a look at all is worth it.
    const GLANCE: usize = 4096;
    let keys = |elements: &[A]| collected(elements.iter().map(|&element| equal_key(element)));
    if few(&keys(&elements[..elements.len().min(GLANCE)])?)?.is_none() {
        return Ok(None);
    }
    Ok(few(&keys(elements)?)?)
}

/// Of items of key, count and index, one for each key: with the sum of the counts and the smallest index.
fn summed_up(mut items: Vec<[u64; 3]>) -> Vec<[u64; 3]> {
    items.sort_unstable_by_key(|&[key, _, index]| (key, index));
    items.dedup_by(|later, kept| {
        let is_same = later[0] == kept[0];
        if is_same {
            kept[1] += later[1];
        }
        is_same
    });
    items
}

/// The place of the first element of each block, if all blocks stood one behind the other; and how many elements there are.
fn positions(chunking: &Chunking) -> Vec<usize> {
    let grid = chunking.grid();
    let length = |block| chunking.block_shape(&grid.coords_of(block)).iter().product::<usize>();
    offsets(&(0..chunking.n_blocks()).map(length).collect::<Vec<_>>())
}

/// How many items of so many words each run has.
fn lengths(runs: &Port, width: usize, caller: Site) -> Core {
    let task = FnTask::new("count", move |_: Place<'_>, inputs: &mut Inputs<'_>| {
        let n = (inputs.get::<Block<u64>>(0)?.elements().len() - 1) / width;
        Ok(Block::new(ndarray::arr1(&[n as u64]).into_dyn()))
    });
    let task = task.params("array.count_in_run/1", &width).facts(|_, _| Facts::bytes(8).cost(1_000));
    let n = runs.grid().n_tasks();
    let layer = Layer::build(task).caller(caller).input(runs, Wiring::one_to_one(1));
    Core { port: Port::of(layer.finish(Grid::from([n]))), chunking: Chunking::from_axes([vec![1; n].into()]) }
}

/// One word of each item of the runs, as an element.
fn column<B: Element>(runs: &Port, width: usize, at: usize, decode: fn(u64) -> B, caller: Site) -> Port {
    let task = FnTask::new("distinct elements", move |_: Place<'_>, inputs: &mut Inputs<'_>| {
        let items = inputs.get::<Block<u64>>(0)?.elements()[1..].chunks_exact(width);
        let elements = collected(items.map(|item| decode(item[at])))?;
        Ok(Block::new(Array1::from_vec(elements).into_dyn()))
    });
    let task = task.params("array.column_of_run/1", &(B::NAME, width, at)).facts(move |_, inputs| {
        let n = inputs.iter().flatten().sum::<u64>() / (8 * width as u64);
        Facts::bytes(n * size_of::<B>() as u64).cost(1_000 + 2 * n)
    });
    let layer = Layer::build(task).caller(caller).input(runs, Wiring::one_to_one(1));
    Port::of(layer.finish(runs.grid().clone()))
}

/// Words at the front of a run of ranks: how many distinct keys it has, the first of them and the last.
const HEAD: usize = 3;

/// For each element the number of its value among the distinct ones.
fn inverse<A: Ordered>(core: &Core, caller: Site) -> Core {
    let (n_blocks, starts) = (core.chunking.n_blocks(), positions(&core.chunking));
    let all = starts[n_blocks];
    let ranges = Ranges::of::<A>(core, 16, caller);
    let of_cut = starts.clone();
    let cut_elements = move |block: usize, elements: &[A], borders: &Borders<'_>, n: usize| {
        let start = of_cut[block] as u64;
        let items = elements.iter().enumerate().map(|(at, &element)| [equal_key(element), start + at as u64]);
        Ok(cut(items, n, |&[key, _]| shared_out(key, borders, block, n_blocks))?)
    };
    let runs = ranges.runs::<A>("unique inverse", "array.unique_ranks/1", (2, 2), cut_elements, ranked);
    let bases = bases(&runs, caller);
    let back = FnTask::new("number distinct", move |at: Place<'_>, inputs: &mut Inputs<'_>| {
        let base = inputs.get::<Block<u64>>(1)?.elements()[at.index()];
        let (items, _) = inputs.get::<Block<u64>>(0)?.elements()[1 + HEAD..].as_chunks::<2>();
        // Positions within their blocks, and numbers among all distinct elements.
        let block_of = |position: u64| starts.partition_point(|&start| start as u64 <= position) - 1;
        let mut blocks = with_room(items.len())?;
        blocks.extend(items.iter().map(|&[position, _]| block_of(position) as u32));
        let mut block = blocks.iter().copied();
        let numbered = items
            .iter()
            .zip(&blocks)
            .map(|(&[position, rank], &block)| [position - starts[block as usize] as u64, base + rank]);
        let words = cut(numbered, n_blocks, |_| block.next().unwrap_or(NOWHERE))?;
        Ok(Block::new(Array1::from_vec(words).into_dyn()))
    });
    let back = back.params("array.unique_number/1", &core.chunking).facts(move |_, inputs| {
        let read = inputs.first().copied().flatten().unwrap_or_default();
        Facts::bytes(read + 8 * n_blocks as u64).scratch(read).cost(1_000 + read)
    });
    let layer = Layer::build(back).caller(caller).input(&runs, Wiring::one_to_one(1));
    let layer = layer.input(&bases, Wiring::axes([AxisMap::Fixed(0)]));
    let items = Port::of(layer.finish(runs.grid().clone()));
    let (label, name) = ("unique inverse", "array.unique_inverse/1");
    let back = Runs { label, name, n: n_blocks, width: 2, finished: 1, all, finish: by_position };
    let lines = exchanged_items(&items, back, caller);
    let chunking = core.chunking.clone();
    let shape = FnTask::new("unique inverse", move |at: Place<'_>, inputs: &mut Inputs<'_>| {
        let numbers = &inputs.get::<Block<u64>>(0)?.elements()[1..];
        let numbers = collected(numbers.iter().copied())?;
        Ok(Block::new(ArrayD::from_shape_vec(IxDyn(&chunking.block_shape(&at.coords())), numbers)?))
    });
    let blocks = core.chunking.clone();
    let shape = shape.params("array.unique_shape/1", &core.chunking).facts(move |at, _| {
        let bytes = 8 * blocks.block_shape(&at.coords()).iter().product::<usize>() as u64;
        Facts::bytes(bytes).cost(1_000 + bytes / 8)
    });
    let layer = Layer::build(shape).caller(caller).input(&lines, in_place(&core.chunking));
    Core { port: Port::of(layer.finish(core.chunking.grid())), chunking: core.chunking.clone() }
}

/// Of items of key and position: the head of the run, then positions and the numbers of their keys in the run.
fn ranked(words: Vec<u64>) -> Result<Vec<u64>, TaskError> {
    let mut words = words;
    let (items, _) = words.as_chunks_mut::<2>();
    items.sort_unstable();
    let n_distinct = items.chunk_by(|one, other| one[0] == other[0]).count() as u64;
    let ends = [items.first(), items.last()].map(|item| item.map_or(0, |&[key, _]| key));
    let mut run = with_room(HEAD + 2 * items.len())?;
    run.extend([n_distinct, ends[0], ends[1]]);
    for (rank, equal) in (0..).zip(items.chunk_by(|one, other| one[0] == other[0])) {
        run.extend(equal.iter().flat_map(|&[_, position]| [position, rank]));
    }
    Ok(run)
}

/// The number of the first distinct element of each run: a key that ends one run and begins the next is one.
fn bases(runs: &Port, caller: Site) -> Port {
    let heads = FnTask::new("ends of runs", |_: Place<'_>, inputs: &mut Inputs<'_>| {
        let head = &inputs.get::<Block<u64>>(0)?.elements()[1..=HEAD];
        Ok(Block::new(ndarray::arr1(head).into_dyn()))
    });
    let heads = heads.named("array.run_head/1").facts(|_, _| Facts::bytes(8 * HEAD as u64).cost(1_000));
    let layer = Layer::build(heads).caller(caller).input(runs, Wiring::one_to_one(1));
    let heads = Port::of(layer.finish(runs.grid().clone()));
    let n = runs.grid().n_tasks();
    let bases = FnTask::new("number runs", |_: Place<'_>, inputs: &mut Inputs<'_>| {
        let (mut next, mut before) = (0, None);
        let mut bases = Vec::new();
        for head in inputs.slot::<Block<u64>>(0)? {
            let &[n, first, last] = head.elements() else { return Err(TaskError::new(NoHead)) };
            if n == 0 {
                bases.push(next);
                continue;
            }
            let base = if before == Some(first) { next - 1 } else { next };
            bases.push(base);
            (next, before) = (base + n, Some(last));
        }
        Ok(Block::new(Array1::from_vec(bases).into_dyn()))
    });
    let bases = bases.named("array.run_bases/1").facts(move |_, _| Facts::bytes(8 * n as u64).cost(1_000));
    let layer = Layer::build(bases).caller(caller).input(&heads, Wiring::All);
    Port::of(layer.finish(Grid::from([1])))
}

/// A chunk is no head of a run: a defect of the layers.
#[derive(Debug, thiserror::Error)]
#[error("a chunk tells nothing of a run")]
struct NoHead;

/// Numbers by their positions in a block.
fn by_position(words: Vec<u64>) -> Result<Vec<u64>, TaskError> {
    let (items, _) = words.as_chunks::<2>();
    let mut numbers = zeros(items.len())?;
    for &[position, number] in items {
        *numbers.get_mut(position as usize).ok_or_else(|| TaskError::new(NoHead))? = number;
    }
    Ok(numbers)
}
