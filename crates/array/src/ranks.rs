//! Elements by their rank among all elements of an array, however many blocks it has.
//!
//! ```text
//!   blocks ──▶ counts by leading bits ──▶ sum ──▶ search ─┐
//!      └─────▶ what has the bits wanted ◀─────────────────┤
//!                   └──▶ counts by further bits ──▶ sum ──▶ search ──▶ …
//! ```
//!
//! The blocks are read twice; then only what is left of them is, which is little unless many elements are nearly equal. A
//! task holds a block and counts of an eighth of its size, so nothing grows with the number of elements. The blocks need not
//! be computed twice: they wait in memory or on the disk, as any block with two readers.
//! See [`select`](crate::kernel::select).

use crate::array::Core;
use crate::block::Block;
use crate::chunks::Chunking;
use crate::element::Real;
use crate::gather::check;
use crate::kernel::keys::bits;
use crate::kernel::memory::zeros;
use crate::kernel::select::{Search, count_first, count_next, keep};
use musher_graph_core::{
    AxisMap, Combine, Facts, FnTask, Grid, Grouping, Inputs, Layer, Place, Port, Site, TaskError, Token,
    Tokenizer, Wiring, tree,
};
use ndarray::Array1;
use std::borrow::Cow;
use std::ops::RangeInclusive;

/// How many leading bits the first pass counts by.
const FIRST_BITS: RangeInclusive<u32> = 6..=16;
/// How many bits a further pass counts by.
const NEXT_BITS: RangeInclusive<u32> = 3..=14;
/// The counts of a block take at most this part of its memory, where the fewest bits allow it.
const PART: usize = 8;

/// Elements that are looked for by their ranks.
pub(crate) struct Ranks<F> {
    pub(crate) label: &'static str,
    /// How many elements are looked for.
    pub(crate) n_wanted: usize,
    /// Their ranks, from how many numbers and how many NaN there are; none where there is nothing to be found.
    pub(crate) ranks: F,
    pub(crate) caller: Site,
}

/// As many bits as so many counts have, within bounds.
fn fitting(n_counts: usize, bounds: &RangeInclusive<u32>) -> u32 {
    n_counts.max(1).ilog2().clamp(*bounds.start(), *bounds.end())
}

/// The search that a chunk tells.
fn search(inputs: &Inputs<'_>, index: usize) -> Result<Search, TaskError> {
    Search::from_words(inputs.get::<Block<u64>>(index)?.elements()).ok_or_else(|| TaskError::new(NoSearch))
}

/// A chunk is no search: a defect of the layers.
#[derive(Debug, thiserror::Error)]
#[error("a chunk tells nothing of a search")]
struct NoSearch;

fn words(search: &Search) -> Block<u64> {
    Block::new(Array1::from_vec(search.to_words()).into_dyn())
}

impl<F: Fn(u64, u64) -> Vec<u64> + Send + Sync + 'static> Ranks<F> {
    /// What `answer` makes of the elements found, of which there are none where no ranks were asked for: a line of
    /// `length` elements. The parameters tell all that the ranks and the answer depend on.
    pub(crate) fn find<A: Real>(
        self,
        core: &Core,
        length: usize,
        parameters: &impl Token,
        answer: impl Fn(&Search, &[A]) -> Vec<A> + Send + Sync + 'static,
    ) -> Core {
        let Self { label, n_wanted, ranks, caller } = self;
        let counts = core.chunking.largest_block().iter().product::<usize>() * size_of::<A>() / PART / 8;
        let first = fitting(counts, &FIRST_BITS).min(bits::<A>());
        let further = fitting(counts / n_wanted.max(1), &NEXT_BITS);
        let counted = self::counted::<A>(core, None, (1 << first) + 1, (0, first), caller);
        let begin = FnTask::new(format!("ranks of {label}"), move |_: Place<'_>, inputs: &mut Inputs<'_>| {
            let counts = inputs.get::<Block<u64>>(0)?;
            Ok(words(&Search::begin(counts.elements(), first, &ranks)))
        });
        let begin = begin.params("array.ranks_begin/1", &(first, parameters));
        let bytes = 8 * (3 + 2 * n_wanted as u64);
        let facts = move |_: Place<'_>, inputs: &[Option<u64>]| {
            Facts::bytes(bytes).scratch(bytes).cost(1_000 + inputs.iter().flatten().sum::<u64>())
        };
        let single = || Wiring::axes([AxisMap::Fixed(0)]);
        let layer = Layer::build(begin.facts(facts)).caller(caller).input(&counted, Wiring::axes([]));
        let mut found = Port::of(layer.finish(Grid::from([1])));
        let mut known = first;
        if known < bits::<A>() {
            let left = kept::<A>(core, &found, caller);
            while known < bits::<A>() {
                let more = further.min(bits::<A>() - known);
                let counted =
                    self::counted::<A>(&left, Some(&found), n_wanted << more, (known, more), caller);
                let narrow =
                    FnTask::new(format!("ranks of {label}"), move |_: Place<'_>, inputs: &mut Inputs<'_>| {
                        let mut search = search(inputs, 1)?;
                        search.narrow(inputs.get::<Block<u64>>(0)?.elements(), more);
                        Ok(words(&search))
                    });
                let narrow = narrow.params("array.ranks_narrow/1", &more).facts(facts);
                let layer = Layer::build(narrow).caller(caller).input(&counted, Wiring::axes([]));
                found = Port::of(layer.input(&found, single()).finish(Grid::from([1])));
                known += more;
            }
        }
        let finish = FnTask::new(label, move |_: Place<'_>, inputs: &mut Inputs<'_>| {
            let search = search(inputs, 0)?;
            let answer = answer(&search, &search.found().collect::<Vec<A>>());
            Ok(Block::new(Array1::from_vec(answer).into_dyn()))
        });
        let finish = finish.params("array.ranks_found/1", &(A::NAME, parameters));
        let bytes = (length * size_of::<A>()) as u64;
        let finish = finish.facts(move |_, _| Facts::bytes(bytes).cost(1_000 + bytes));
        let layer = Layer::build(finish).caller(caller).input(&found, single());
        let chunking = Chunking::from_axes([[length].into()]);
        Core { port: Port::of(layer.finish(chunking.grid())), chunking }
    }
}

/// So many counts of all blocks together: those by the leading bits, or by the bits that follow those which a search knows.
fn counted<A: Real>(
    core: &Core,
    search: Option<&Port>,
    n_counts: usize,
    (known, more): (u32, u32),
    caller: Site,
) -> Port {
    let ndim = core.chunking.ndim();
    let is_first = search.is_none();
    let task = FnTask::new("partial ranks", move |_: Place<'_>, inputs: &mut Inputs<'_>| {
        let mut counts = zeros::<u64>(n_counts)?;
        let elements = inputs.get::<Block<A>>(0)?.elements();
        if is_first {
            count_first(elements, more, &mut counts);
        } else {
            let prefixes = self::search(inputs, 1)?.prefixes();
            count_next(elements, known, &prefixes, more, &mut counts);
        }
        Ok(Block::new(Array1::from_vec(counts).into_dyn()))
    });
    let task = task.params("array.ranks_count/1", &(A::NAME, n_counts, (known, more), is_first));
    let task = task.facts(move |_, inputs| {
        let read = inputs.first().copied().flatten().unwrap_or_default();
        Facts::bytes(8 * n_counts as u64).cost(1_000 + read / 4 + n_counts as u64)
    });
    let mut layer = Layer::build(task).caller(caller).input(&core.port, Wiring::one_to_one(ndim));
    if let Some(search) = search {
        layer = layer.input(search, Wiring::axes([AxisMap::Fixed(0)]));
    }
    let counts = Port::of(layer.finish(core.chunking.grid()));
    tree(&counts, &vec![true; ndim], Grouping::Lines, Grid::scalar(), Together, caller)
}

/// Counts of several blocks become those of all.
struct Together;

impl Combine for Together {
    type State = Block<u64>;

    fn label(&self) -> Cow<'_, str> {
        "ranks".into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("array.ranks_together/1");
    }

    fn merge(&self, earlier: &mut Block<u64>, later: Block<u64>) -> Result<(), TaskError> {
        let none = Block::new(Array1::default(0).into_dyn());
        let mut sum = std::mem::replace(earlier, none).into_array();
        check(sum.shape(), later.shape())?;
        sum.zip_mut_with(&later.view(), |sum, &more| *sum += more);
        *earlier = Block::new(sum);
        Ok(())
    }
}

/// The elements of each block that a search still cares for, a line of a length that only running tells.
fn kept<A: Real>(core: &Core, search: &Port, caller: Site) -> Core {
    let task = FnTask::new("keep ranks", |_: Place<'_>, inputs: &mut Inputs<'_>| {
        let search = self::search(inputs, 1)?;
        let elements = inputs.get::<Block<A>>(0)?.elements();
        let kept = keep(elements, search.known, &search.prefixes())?;
        Ok(Block::new(Array1::from_vec(kept).into_dyn()))
    });
    let blocks = core.chunking.clone();
    let task = task.params("array.ranks_keep/1", &A::NAME).facts(move |at, _| {
        let n: usize = blocks.block_shape(&at.coords()).iter().product();
        let bytes = (n * size_of::<A>()) as u64;
        Facts::bytes(bytes).scratch(bytes).cost(1_000 + bytes / 4)
    });
    let layer = Layer::build(task).caller(caller).input(&core.port, Wiring::one_to_one(core.chunking.ndim()));
    let port = Port::of(layer.input(search, Wiring::axes([AxisMap::Fixed(0)])).finish(core.chunking.grid()));
    Core { port, chunking: core.chunking.clone() }
}
