//! Elements brought together by ranges of their values, however many blocks they come from: what sorts and what finds
//! distinct elements.
//!
//! ```text
//!   blocks ──▶ samples ──▶ borders
//!      └──────────┐           │
//!                 ▼           ▼
//!             items cut by ranges ──▶ exchange ──▶ runs: a range each, in order ──▶ exchange ──▶ blocks
//! ```
//!
//! A run knows the rank of its first item, because each block tells with every piece how many of its items lie before it. By
//! the ranks the second exchange makes blocks whose lengths are known before anything is computed.

use crate::array::Core;
use crate::block::Block;
use crate::chunks::Chunking;
use crate::element::{Element, Ordered};
use crate::gather::block_of;
use crate::kernel::assemble::offsets;
use crate::kernel::keys::equal_key;
use crate::kernel::memory::{in_order, with_room, zeros};
use crate::kernel::ranges::{Borders, borders, part, sampled};
use crate::kernel::transfer;
use musher_graph_core::{
    AxisMap, ChunkRef, Codec, Exchange, Facts, FnTask, Grid, Inputs, Layer, Place, Port, Share, Site,
    TaskError, Token, Tokenizer, Wiring, exchanged_at,
};
use ndarray::{Array1, ArrayView1, Ix1};
use std::borrow::Cow;
use std::io::{Read, Write};
use std::sync::Arc;

/// Bytes that a piece of an exchange costs beside what is in it: in the ledger, and where it waits on the disk.
const PIECE_BYTES: usize = 56;
/// Samples for each range, at most.
const SAMPLES: usize = 128;
/// One in so many elements is sampled, at most.
const SAMPLED: usize = 64;

/// The division of a core into ranges.
#[derive(Clone)]
pub(crate) struct Ranges {
    /// The blocks, in C order.
    core: Core,
    /// How many ranges there are.
    n: usize,
    /// Where the borders are made.
    borders: Port,
    caller: Site,
}

impl Ranges {
    /// The ranges of the elements of a core, for items of so many bytes.
    ///
    /// Their number makes what an exchange holds beside the data about as large as a range.
    pub(crate) fn of<A: Ordered>(core: &Core, item_bytes: usize, caller: Site) -> Self {
        let chunking = &core.chunking;
        let largest = chunking.largest_block().iter().product::<usize>() * item_bytes;
        let n = chunking.n_blocks().min((largest / (PIECE_BYTES / 2)).isqrt()).max(1);
        let all: usize = chunking.shape().iter().product();
        let samples = (n * SAMPLES).min(all / SAMPLED).max(n.min(all));
        let n_sampled = {
            let chunking = chunking.clone();
            move |index: usize| {
                let len: usize = chunking.block_shape(&chunking.grid().coords_of(index)).iter().product();
                (len as u128 * samples as u128).div_ceil(all.max(1) as u128) as usize
            }
        };
        let of_facts = n_sampled.clone();
        let sample = FnTask::new("sample", move |at: Place<'_>, inputs: &mut Inputs<'_>| {
            let elements = inputs.get::<Block<A>>(0)?.elements();
            let places = sampled(elements.len(), n_sampled(at.index()), at.index() as u64);
            let keys: Vec<u64> = places.map(|place| equal_key(elements[place])).collect();
            Ok(Block::new(Array1::from_vec(keys).into_dyn()))
        });
        let sample = sample.params("array.sample/1", &(A::NAME, samples, chunking));
        let sample = sample.facts(move |at, _| {
            let bytes = 8 * of_facts(at.index()) as u64;
            Facts::bytes(bytes).scratch(bytes).cost(1_000 + bytes)
        });
        let layer =
            Layer::build(sample).caller(caller).input(&core.port, Wiring::one_to_one(chunking.ndim()));
        let samples = Port::of(layer.finish(chunking.grid()));
        let find = FnTask::new("borders", move |_: Place<'_>, inputs: &mut Inputs<'_>| {
            let blocks = inputs.slot::<Block<u64>>(0)?;
            let mut sample = with_room(blocks.iter().map(|block| block.elements().len()).sum())?;
            blocks.iter().for_each(|block| sample.extend_from_slice(block.elements()));
            Ok(Block::new(Array1::from_vec(borders(&mut sample, n)).into_dyn()))
        });
        let find = find.params("array.borders/1", &n).facts(move |_, inputs| {
            let read = inputs.iter().flatten().sum::<u64>();
            Facts::bytes(8 * (n as u64 - 1)).scratch(read).cost(1_000 + 2 * read)
        });
        let layer = Layer::build(find).caller(caller).input(&samples, Wiring::All);
        let borders = Port::of(layer.finish(Grid::from([1])));
        Self { core: core.clone(), n, borders, caller }
    }

    /// Runs of items: `cut` makes items of a block, given the index of the block, its elements in C order, the borders and
    /// the number of ranges, as [`cut`](crate::kernel::ranges::cut) makes them; `finish` makes a run of the items of a
    /// range. What the run is preceded by is how many items come before it.
    ///
    /// An item has `width` words, and what becomes of it at most as many as `finished`.
    pub(crate) fn runs<A: Element>(
        &self,
        label: &'static str,
        name: &'static str,
        (width, finished): (usize, usize),
        cut: impl Fn(usize, &[A], &Borders<'_>, usize) -> Result<Vec<u64>, TaskError> + Send + Sync + 'static,
        finish: fn(Vec<u64>) -> Result<Vec<u64>, TaskError>,
    ) -> Port {
        let Self { ref core, n, ref borders, caller } = *self;
        let task = FnTask::new(format!("cut for {label}"), move |at: Place<'_>, inputs: &mut Inputs<'_>| {
            let elements = in_order(inputs.get::<Block<A>>(0)?.view())?;
            let borders = Borders::new(inputs.get::<Block<u64>>(1)?.elements());
            let elements = elements.as_slice().unwrap_or_default();
            Ok(Block::new(Array1::from_vec(cut(at.index(), elements, &borders, n)?).into_dyn()))
        });
        let chunking = core.chunking.clone();
        let task = task.params("array.cut_by_range/1", &(name, A::NAME, (width, n), &chunking));
        let blocks = chunking.clone();
        let task = task.facts(move |at, inputs| {
            let len: usize = blocks.block_shape(&at.coords()).iter().product();
            let bytes = 8 * (len * width + n + 1) as u64;
            // The range of each item, what is rearranged, and what `cut` makes of the elements first.
            let scratch = inputs.first().copied().flatten().unwrap_or(bytes) + 20 * (len + n) as u64;
            let own = if width > 2 { bytes } else { 0 };
            Facts::bytes(bytes).scratch(scratch + own).cost(1_000 + 10 * len as u64)
        });
        let layer = Layer::build(task).caller(caller);
        let layer = layer.input(&core.port, Wiring::one_to_one(chunking.ndim()));
        let layer = layer.input(borders, Wiring::axes([AxisMap::Fixed(0)]));
        let items = Port::of(layer.finish(chunking.grid()));
        let all: usize = chunking.shape().iter().product();
        exchanged_items(&items, Runs { label, name, n, width, finished, all, finish }, caller)
    }

    /// The words of runs in blocks of known lengths, each as an element.
    pub(crate) fn in_blocks<B: Element>(
        &self,
        label: &'static str,
        runs: &Port,
        output: &Chunking,
        decode: fn(u64) -> B,
    ) -> Core {
        let starts = offsets(output.axis(0));
        let placed = Placed { label, starts, n_runs: self.n, decode };
        let port = exchanged_at(runs, placed, output.grid(), self.caller);
        Core { port, chunking: output.clone() }
    }
}

/// Runs that are to be made of items which are [`cut`](crate::kernel::ranges::cut).
pub(crate) struct Runs {
    pub(crate) label: &'static str,
    /// Name and version of the work in fingerprints.
    pub(crate) name: &'static str,
    /// How many runs there are.
    pub(crate) n: usize,
    /// Words of an item.
    pub(crate) width: usize,
    /// Words that become of an item, at most.
    pub(crate) finished: usize,
    /// How many items there are, at most.
    pub(crate) all: usize,
    /// What becomes of the items of a run.
    pub(crate) finish: fn(Vec<u64>) -> Result<Vec<u64>, TaskError>,
}

/// Sends cut items to their runs.
pub(crate) fn exchanged_items(items: &Port, runs: Runs, caller: Site) -> Port {
    let (n, n_inputs) = (runs.n, items.grid().n_tasks());
    exchanged_at(items, ByRange { runs, n_inputs }, Grid::from([n]), caller)
}

/// Sends items to the run of their range.
struct ByRange {
    runs: Runs,
    n_inputs: usize,
}

/// A chunk is not what a layer before it makes: a defect of the layers.
#[derive(Debug, thiserror::Error)]
#[error("a chunk holds no items for range {0}")]
struct NoRange(usize);

impl ByRange {
    fn part<'a>(&self, cut: &'a Block<u64>, to: usize) -> Result<(u64, &'a [u64]), TaskError> {
        part(cut.elements(), self.runs.n, to).ok_or_else(|| TaskError::new(NoRange(to)))
    }
}

/// A run in the making.
struct Run {
    /// Items that come before it.
    before: u64,
    items: Vec<u64>,
}

/// Each piece begins with how many words of its block come before it, so that no piece is empty.
impl Exchange for ByRange {
    type Cut = Arc<Block<u64>>;
    type Building = Run;

    fn label(&self) -> Cow<'_, str> {
        self.runs.label.into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("array.by_range/1");
        (self.runs.name, (self.runs.n, self.n_inputs), (self.runs.width, self.runs.finished))
            .token(tokenizer);
    }

    fn cut(&self, _from: usize, inputs: &mut Inputs<'_>) -> Result<Self::Cut, TaskError> {
        block_of::<u64>(inputs.chunk(0)?.clone())
    }

    fn n_items(&self, cut: &Self::Cut) -> u64 {
        (cut.elements().len() - 1) as u64
    }

    fn shares(&self, _from: usize, cut: &Self::Cut, give: &mut dyn FnMut(usize, u64)) {
        for to in 0..self.runs.n {
            if let Some((_, words)) = part(cut.elements(), self.runs.n, to) {
                give(to, 1 + words.len() as u64);
            }
        }
    }

    fn bytes(&self, cut: &Self::Cut) -> Option<u64> {
        Some(8 * cut.elements().len() as u64)
    }

    fn total_bytes(&self) -> Option<u64> {
        Some(8 * (self.runs.all * self.runs.width + (self.runs.n + 1) * self.n_inputs) as u64)
    }

    fn write(&self, _: usize, cut: &Self::Cut, share: Share, to: &mut dyn Write) -> Result<u64, TaskError> {
        let (before, words) = self.part(cut, share.target)?;
        to.write_all(&before.to_le_bytes())?;
        Ok(1 + transfer::write(ArrayView1::from(words).into_dyn(), to)?)
    }

    fn begin(&self, _to: usize, n_items: u64) -> Result<Run, TaskError> {
        Ok(Run { before: 0, items: with_room(n_items as usize)? })
    }

    fn copy(&self, run: &mut Run, _: usize, cut: &Self::Cut, share: Share) -> Result<u64, TaskError> {
        let (before, words) = self.part(cut, share.target)?;
        run.before += before / self.runs.width as u64;
        run.items.extend_from_slice(words);
        Ok(1 + words.len() as u64)
    }

    fn read(&self, run: &mut Run, _: usize, share: Share, bytes: &mut dyn Read) -> Result<u64, TaskError> {
        let mut before = [0; 8];
        bytes.read_exact(&mut before)?;
        run.before += u64::from_le_bytes(before) / self.runs.width as u64;
        let start = run.items.len();
        run.items.resize(start + share.n_items as usize - 1, 0);
        let mut place = ndarray::ArrayViewMut1::from(&mut run.items[start..]);
        Ok(1 + transfer::read(place.view_mut().into_dyn(), bytes)?)
    }

    fn finish(&self, _to: usize, run: Run) -> Result<ChunkRef, TaskError> {
        let finished = (self.runs.finish)(run.items)?;
        let mut words = with_room(1 + finished.len())?;
        words.push(run.before);
        words.extend_from_slice(&finished);
        Ok(Arc::new(Block::new(Array1::from_vec(words).into_dyn())))
    }

    fn codec(&self) -> Option<&'static dyn Codec> {
        Some(Block::<u64>::CODEC)
    }

    fn n_shares(&self, _from: usize) -> Option<u64> {
        Some(self.runs.n as u64)
    }

    fn cut_facts(&self, _from: usize, inputs: &[Option<u64>]) -> Facts {
        let bytes = inputs.iter().flatten().sum::<u64>();
        Facts::default().scratch(transfer::BUFFER as u64).cost(1_000 + bytes / 8)
    }

    /// A range may be fuller than others by what a sample does not see: a quarter is counted for it.
    fn build_facts(&self, _to: usize) -> Facts {
        let items = (self.runs.all.div_ceil(self.runs.n) as u64).saturating_mul(5) / 4;
        let (bytes, held) = (8 * (4 + items * self.runs.finished as u64), 8 * items * self.runs.width as u64);
        let scratch =
            transfer::BUFFER as u64 + held + 8 * items * self.runs.finished as u64 + 8 * self.n_inputs as u64;
        Facts::bytes(bytes).scratch(scratch).cost(1_000 + 20 * items)
    }
}

/// Puts the words of runs where their ranks say.
struct Placed<B> {
    label: &'static str,
    /// The first rank of each block, and the end of the last.
    starts: Vec<usize>,
    n_runs: usize,
    decode: fn(u64) -> B,
}

impl<B> Placed<B> {
    fn len(&self, to: usize) -> usize {
        self.starts[to + 1] - self.starts[to]
    }

    /// The words of a run that a block gets, and where in the block they begin.
    fn part<'a>(&self, run: &'a Block<u64>, to: usize) -> Result<(usize, &'a [u64]), TaskError> {
        let (&before, words) = run.elements().split_first().ok_or_else(|| TaskError::new(NoRange(to)))?;
        let (before, end) = (before as usize, before as usize + words.len());
        let first = self.starts[to].clamp(before, end);
        let last = self.starts[to + 1].clamp(first, end);
        Ok((first.saturating_sub(self.starts[to]), &words[first - before..last - before]))
    }
}

impl<B: Element> Exchange for Placed<B> {
    type Cut = Arc<Block<u64>>;
    /// The block, and where each run comes to stand.
    type Building = (usize, Vec<B>);

    fn label(&self) -> Cow<'_, str> {
        self.label.into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("array.placed/1");
        (self.label, B::NAME, &self.starts, self.n_runs).token(tokenizer);
    }

    fn cut(&self, _from: usize, inputs: &mut Inputs<'_>) -> Result<Self::Cut, TaskError> {
        block_of::<u64>(inputs.chunk(0)?.clone())
    }

    fn n_items(&self, run: &Self::Cut) -> u64 {
        (run.elements().len() - 1) as u64
    }

    fn shares(&self, _from: usize, run: &Self::Cut, give: &mut dyn FnMut(usize, u64)) {
        let Some((&before, words)) = run.elements().split_first() else { return };
        let first = self.starts.partition_point(|&start| start <= before as usize).saturating_sub(1);
        for to in first..self.starts.len() - 1 {
            if self.starts[to] >= before as usize + words.len() {
                break;
            }
            if let Ok((_, words)) = self.part(run, to) {
                give(to, words.len() as u64);
            }
        }
    }

    fn bytes(&self, run: &Self::Cut) -> Option<u64> {
        Some(8 * run.elements().len() as u64)
    }

    fn total_bytes(&self) -> Option<u64> {
        Some(8 * (self.starts.last().copied().unwrap_or(0) + self.n_runs) as u64)
    }

    fn write(&self, _: usize, run: &Self::Cut, share: Share, to: &mut dyn Write) -> Result<u64, TaskError> {
        let (start, words) = self.part(run, share.target)?;
        to.write_all(&(start as u64).to_le_bytes())?;
        Ok(transfer::write(ArrayView1::from(words).into_dyn(), to)?)
    }

    fn begin(&self, to: usize, _n_items: u64) -> Result<Self::Building, TaskError> {
        Ok((to, zeros(self.len(to))?))
    }

    fn copy(
        &self,
        (to, block): &mut Self::Building,
        _: usize,
        run: &Self::Cut,
        _: Share,
    ) -> Result<u64, TaskError> {
        let (start, words) = self.part(run, *to)?;
        let place = block.get_mut(start..start + words.len()).ok_or_else(|| TaskError::new(NoRange(*to)))?;
        place.iter_mut().zip(words).for_each(|(place, &word)| *place = (self.decode)(word));
        Ok(words.len() as u64)
    }

    fn read(
        &self,
        (to, block): &mut Self::Building,
        _: usize,
        share: Share,
        bytes: &mut dyn Read,
    ) -> Result<u64, TaskError> {
        let mut start = [0; 8];
        bytes.read_exact(&mut start)?;
        let (start, n) = (u64::from_le_bytes(start) as usize, share.n_items as usize);
        let place =
            block.get_mut(start..start.saturating_add(n)).ok_or_else(|| TaskError::new(NoRange(*to)))?;
        let mut words = ndarray::Array::<u64, Ix1>::from_vec(zeros(n)?);
        let n = transfer::read(words.view_mut().into_dyn(), bytes)?;
        place.iter_mut().zip(&words).for_each(|(place, &word)| *place = (self.decode)(word));
        Ok(n)
    }

    fn finish(&self, _to: usize, (_, block): Self::Building) -> Result<ChunkRef, TaskError> {
        Ok(Arc::new(Block::new(Array1::from_vec(block).into_dyn())))
    }

    fn codec(&self) -> Option<&'static dyn Codec> {
        Some(Block::<B>::CODEC)
    }

    fn expected_items(&self, to: usize) -> Option<u64> {
        Some(self.len(to) as u64)
    }

    /// A range that is as full as others lies in so many blocks, or in a few more.
    fn n_shares(&self, _from: usize) -> Option<u64> {
        Some(((self.starts.len() - 1) / self.n_runs) as u64 + 3)
    }

    fn cut_facts(&self, _from: usize, inputs: &[Option<u64>]) -> Facts {
        let bytes = inputs.iter().flatten().sum::<u64>();
        Facts::default().scratch(transfer::BUFFER as u64).cost(1_000 + bytes / 8)
    }

    fn build_facts(&self, to: usize) -> Facts {
        let n = self.len(to) as u64;
        Facts::bytes(n * size_of::<B>() as u64).scratch(transfer::BUFFER as u64 + 8 * n).cost(1_000 + 2 * n)
    }
}
