//! Other block lengths for the same elements.
//!
//! Where a new block needs few old ones, it is wired to them ([`Rechunk`]). Where every new block needs many, that would
//! be a graph of n × m edges, and where it needs a large part of the array, it would hold that while it is made: then the
//! blocks go through the bounded exchange ([`Boxes`]). [`is_all_to_all`] decides by shape and blocks alone, and both
//! ways give the same bits.

mod boxes;

use self::boxes::Boxes;
use crate::array::{Array, Core};
use crate::block::Block;
use crate::chunks::{Chunking, Chunks};
use crate::element::Element;
use crate::error::{Error, expect};
use crate::from_array::part_of;
use crate::kernel::assemble::{Origin, Piece, offsets, pieces_of_range};
use crate::region::{AxisReads, assemble_inputs, wiring};
use crate::slicing::lies_in_memory;
use musher_graph_core::{
    Absorb, Codec, Facts, Inputs, Layer, Output, Place, Port, Site, Task, TaskError, Token, Tokenizer,
    exchange_of, exchanged_at,
};
use ndarray::Dimension;
use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

/// Assembles one new block from boxes of old ones.
struct Rechunk<A> {
    from: Vec<Vec<usize>>,
    to: Vec<Vec<usize>>,
    reads: Vec<AxisReads>,
    marker: PhantomData<fn() -> A>,
}

impl<A: Element> Rechunk<A> {
    fn new(from: &Chunking, to: &Chunking) -> Self {
        let starts = |chunking: &Chunking| chunking.axes().map(offsets).collect::<Vec<_>>();
        let (from, to) = (starts(from), starts(to));
        let reads = from
            .iter()
            .zip(&to)
            .map(|(from, to)| {
                let pieces = |place: usize| pieces_of_range::<A>(from, to[place]..to[place + 1], 0);
                AxisReads::covering(from.len() - 1, (0..to.len() - 1).map(pieces))
            })
            .collect();
        Self { from, to, reads, marker: PhantomData }
    }

    /// The runs of the block at these coordinates, axis by axis.
    fn pieces(&self, coords: &[usize]) -> Vec<Vec<Piece<A>>> {
        let axes = self.from.iter().zip(&self.to).zip(coords);
        axes.map(|((from, to), &at)| pieces_of_range(from, to[at]..to[at + 1], 0)).collect()
    }

    /// Whether these runs are one whole block.
    fn is_whole_block(&self, pieces: &[Vec<Piece<A>>]) -> bool {
        pieces.iter().zip(&self.from).all(|(pieces, from)| match pieces.as_slice() {
            [Piece { length, origin: Origin::Forward { block, start: 0 }, .. }] => {
                *length == from[block + 1] - from[*block]
            }
            _ => false,
        })
    }
}

impl<A: Element> Task for Rechunk<A> {
    fn label(&self) -> Cow<'_, str> {
        "rechunk".into()
    }

    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let coords = at.coords();
        let pieces = self.pieces(&coords);
        if self.is_whole_block(&pieces) && inputs.len() == 1 {
            return Ok(Output::shared(inputs.chunk(0)?.clone()));
        }
        Ok(Output::one(Block::new(assemble_inputs(&self.reads, &coords, &pieces, &inputs)?)))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("array.rechunk/1");
        self.from.token(tokenizer);
        self.to.token(tokenizer);
    }

    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        Some(Block::<A>::CODEC)
    }

    fn absorbs_neighbors(&self) -> bool {
        true
    }

    /// Another division of an array in memory is one, too.
    fn absorb(&self, request: &Absorb<'_>) -> Option<Arc<dyn Task>> {
        part_of::<A>(request.producer, &vec![0; self.to.len()], Chunking::from_offsets(&self.to))
    }

    fn facts(&self, at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        let lengths =
            at.coords().iter().zip(&self.to).map(|(&at, to)| to[at + 1] - to[at]).product::<usize>();
        let bytes = (lengths * size_of::<A>()) as u64;
        Facts::bytes(bytes).cost(500 + bytes / 4)
    }
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// The same elements in blocks of other lengths.
    ///
    /// **Shape** stays; blocks are those of `chunks`.
    /// **Cost** one pass. A new block needs all old blocks that it touches in memory at once; blocks that stay as
    /// they are, are handed on. Where blocks of rows become blocks of columns, or the like, the old blocks are cut
    /// instead, and the pieces wait on disk if they do not fit: then a task holds one old block or one new one.
    ///
    /// # Panics
    /// When `chunks` does not fit the shape.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[1, 2, 3, 4, 5]), 2).rechunk(3);
    /// assert_eq!(x.chunks().axis(0), [3, 2]);
    /// assert_eq!(x.compute()?, arr1(&[1, 2, 3, 4, 5]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    #[doc(alias = "dask.array.rechunk")]
    pub fn rechunk(&self, chunks: impl Into<Chunks>) -> Self {
        expect(self.try_rechunk(chunks))
    }

    /// As [`rechunk`](Self::rechunk).
    ///
    /// # Errors
    /// [`Error::Chunks`] when `chunks` does not fit the shape.
    #[track_caller]
    pub fn try_rechunk(&self, chunks: impl Into<Chunks>) -> Result<Self, Error> {
        let chunking = chunks.into().resolve(&self.shape(), A::DTYPE)?;
        Ok(Self::from_core(rechunked::<A>(self.core(), &chunking, Site::caller())))
    }
}

/// The core with these block lengths; itself where it has them already.
///
/// Divisions between the first and the last are passed over: how elements were divided before, changes none of them.
pub(crate) fn rechunked<A: Element>(core: &Core, to: &Chunking, caller: Site) -> Core {
    match core.chunking == *to {
        true => core.clone(),
        false => rechunked_within::<A>(&undivided::<A>(core), to, MOST_PIECES, caller),
    }
}

/// The core as it was before it was rechunked, however often that was.
pub(crate) fn undivided<A: Element>(core: &Core) -> Core {
    let mut core = core.clone();
    while let Some(before) = before_rechunk::<A>(&core.port) {
        core = before;
    }
    core
}

/// What a port was before it was rechunked, if it was and nobody has annotated that step.
fn before_rechunk<A: Element>(port: &Port) -> Option<Core> {
    let layer = &port.layer;
    if layer.annotations().is_some() {
        return None;
    }
    if let Some(rechunk) = layer.task().downcast_ref::<Rechunk<A>>() {
        let input = layer.inputs().first()?;
        let port = Port { layer: input.producer()?.clone(), output: input.output() };
        return Some(Core { port, chunking: Chunking::from_offsets(&rechunk.from) });
    }
    let (boxes, port) = exchange_of::<Boxes<A>>(port)?;
    Some(Core { port, chunking: boxes.divided_before() })
}

/// The same by exchanges of at most so many pieces, as far as middle steps can do it.
fn rechunked_within<A: Element>(core: &Core, to: &Chunking, most_pieces: usize, caller: Site) -> Core {
    if core.chunking == *to {
        return core.clone();
    }
    let task = Rechunk::<A>::new(&core.chunking, to);
    let is_exchange = is_all_to_all(&task.reads, &core.chunking, to, size_of::<A>());
    if !is_exchange || lies_in_memory::<A>(&core.port) {
        return wired(task, core, to, caller);
    }
    let middle = halfway(&core.chunking, to);
    if n_pieces(&task.reads, to) <= most_pieces || middle == core.chunking || middle == *to {
        return by_exchange::<A>(core, to, caller);
    }
    // Each step has about the square root as many pieces for a block: the steps become few soon.
    let middle = rechunked_within::<A>(core, &middle, most_pieces, caller);
    rechunked_within::<A>(&middle, to, most_pieces, caller)
}

/// Blocks between two divisions: along each axis their number is the geometric mean, so that a block reads and is
/// read by about the square root of the blocks that it would otherwise be.
fn halfway(from: &Chunking, to: &Chunking) -> Chunking {
    Chunking::from_axes(from.axes().zip(to.axes()).map(|(old, new)| {
        let n = ((old.len() as f64 * new.len() as f64).sqrt().round() as usize).max(1);
        let length = old.iter().sum::<usize>();
        (0..n).map(|at| (at + 1) * length / n - at * length / n).collect()
    }))
}

/// Each new block reads the old ones that it touches.
fn wired<A: Element>(task: Rechunk<A>, core: &Core, to: &Chunking, caller: Site) -> Core {
    let wiring = wiring(&task.reads);
    let layer = Layer::build(task).caller(caller).input(&core.port, wiring).finish(to.grid());
    Core { port: Port::of(layer), chunking: to.clone() }
}

/// Old blocks are cut into boxes, new ones are made of boxes.
fn by_exchange<A: Element>(core: &Core, to: &Chunking, caller: Site) -> Core {
    let boxes = Boxes::<A>::new(&core.chunking, to);
    Core { port: exchanged_at(&core.port, boxes, to.grid(), caller), chunking: to.clone() }
}

/// More old blocks than this for each new one, and [`MANY_EDGES`], are an exchange.
const MANY_READS: usize = 16;
/// More edges than this for each block, old and new, and [`MANY_READS`], are an exchange.
const MANY_EDGES: usize = 8;
/// More bytes of old blocks for one new block, and [`MANY_TIMES`] its own, are an exchange.
const MANY_BYTES: usize = 128 << 20;
/// More times its own bytes for one new block, and [`MANY_BYTES`], are an exchange.
const MANY_TIMES: usize = 4;
/// More bytes of old blocks for one new block are worth an exchange, where they are a large part of the array.
const FEW_BYTES: usize = 1 << 20;
/// So many new blocks together read the array, or fewer: that is a large part.
const LARGE_PART: usize = 16;

/// An exchange of more pieces goes in two steps: their list takes about 50 bytes for each of them.
const MOST_PIECES: usize = 4 << 20;

/// How many boxes of old blocks the new ones are made of.
fn n_pieces(reads: &[AxisReads], to: &Chunking) -> usize {
    let along = |axis: usize| (0..to.axis(axis).len()).map(|at| reads[axis].count(at)).sum::<usize>();
    (0..reads.len()).map(along).fold(1, usize::saturating_mul)
}

/// Whether so much is read by each new block that cutting the old ones is better.
pub(crate) fn is_all_to_all(reads: &[AxisReads], from: &Chunking, to: &Chunking, itemsize: usize) -> bool {
    let product = |axis: &dyn Fn(usize) -> usize| (0..reads.len()).map(axis).fold(1, usize::saturating_mul);
    let edges = n_pieces(reads, to);
    let blocks = from.n_blocks().saturating_add(to.n_blocks());
    let crowded = edges / MANY_READS > to.n_blocks() && edges / MANY_EDGES > blocks;
    let longest = |axis: usize| to.axis(axis).iter().copied().max().unwrap_or(0);
    let most_read = |axis: usize| {
        let read = |at| reads[axis].blocks(at).map(|block| from.axis(axis)[block]).sum::<usize>();
        (0..to.axis(axis).len()).map(read).max().unwrap_or(0)
    };
    let (most_read, most_made) = (product(&most_read), product(&longest));
    let bytes = most_read.saturating_mul(itemsize);
    let heavy = bytes > MANY_BYTES && most_read / MANY_TIMES > most_made;
    // Some axis is joined while others are cut, as rows become columns: however few the blocks, one that is made would need
    // much of the array in memory.
    let n_read = |axis: usize| (0..to.axis(axis).len()).map(|at| reads[axis].count(at)).max().unwrap_or(0);
    let joins =
        (0..reads.len()).any(|axis| from.axis(axis).len() > 1 && n_read(axis) == from.axis(axis).len());
    let large_part = most_read >= product(&|axis| from.axis(axis).iter().sum()) / LARGE_PART;
    let across = bytes > FEW_BYTES && most_read / 2 >= most_made && joins && large_part;
    crowded || heavy || across
}

/// The longest block lengths that both divisions of one axis can be cut into without joining blocks.
pub(crate) fn common_lengths(left: &[usize], right: &[usize]) -> Vec<usize> {
    if left == right {
        return left.to_vec();
    }
    let mut cuts: Vec<usize> = [offsets(left), offsets(right)].concat();
    cuts.sort_unstable();
    cuts.dedup();
    if cuts.len() == 1 { vec![0] } else { cuts.windows(2).map(|pair| pair[1] - pair[0]).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use musher_scheduler::Compute;
    use musher_testkit::{EXCHANGE_COUNTS, Random, Staging, check_everywhere, compute_staged};
    use ndarray::{Array1, Array2, Array3, ArrayD, Ix2, IxDyn};

    /// Every way to cut an axis, one with empty blocks included.
    fn cuts(length: usize) -> Vec<Vec<usize>> {
        musher_testkit::chunkings(length).into_iter().chain([vec![0, 1, 0, length - 1, 0]]).collect()
    }

    fn forced<A: Element, D: Dimension>(x: &Array<A, D>, to: &Chunking) -> [Array<A, D>; 2] {
        let caller = Site::caller();
        let directly = wired(Rechunk::<A>::new(&x.core().chunking, to), x.core(), to, caller);
        [directly, by_exchange::<A>(x.core(), to, caller)].map(Array::from_core)
    }

    #[test]
    fn both_ways_give_the_same_for_every_pair_of_divisions() {
        let whole = Array2::from_shape_fn((3, 4), |(i, j)| (i * 10 + j) as i64);
        let [in_memory, staging] = [u64::MAX, 0].map(Staging::new);
        let grids: Vec<_> = cuts(3)
            .into_iter()
            .flat_map(|rows| cuts(4).into_iter().map(move |c| vec![rows.clone(), c]))
            .collect();
        for from in &grids {
            let x = Array::from_array(whole.clone(), from.clone());
            for to in &grids {
                for y in forced(&x, &Chunking::from_lengths(to)) {
                    assert_eq!(compute_staged(&y, &staging).unwrap().0, whole, "{from:?} to {to:?}");
                    assert_eq!(compute_staged(&y, &in_memory).unwrap().0, whole, "{from:?} to {to:?}");
                }
            }
        }
        assert!(staging.written_bytes() > 0 && staging.n_alive() == 0 && in_memory.written_bytes() == 0);
    }

    #[test]
    fn random_shapes_and_divisions_keep_every_element() {
        let staging = Staging::new(0);
        for seed in 0..200 {
            let mut random = Random::new(seed);
            let shape: Vec<usize> = (0..random.below(5)).map(|_| random.below(7)).collect();
            let mut division = || {
                let cut = |&n: &usize| {
                    let mut ends: Vec<usize> = (0..random.below(4)).map(|_| random.below(n + 1)).collect();
                    ends.extend([0, n]);
                    ends.sort_unstable();
                    ends.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>()
                };
                shape.iter().map(cut).collect::<Vec<_>>()
            };
            let (from, to) = (division(), division());
            let n = shape.iter().product::<usize>();
            let whole = ArrayD::from_shape_vec(IxDyn(&shape), (0..n as u32).collect()).unwrap();
            let x = Array::from_array(whole.clone(), from);
            let [directly, exchanged] = forced(&x, &Chunking::from_lengths(&to));
            assert_eq!(check_everywhere(&directly), whole, "seed {seed}");
            assert_eq!(check_everywhere(&exchanged), whole, "seed {seed}");
            assert_eq!(compute_staged(&exchanged, &staging).unwrap().0, whole, "seed {seed}, staged");
        }
    }

    #[test]
    fn transposed_blocks_are_cut_like_others() {
        let whole = Array2::from_shape_fn((9, 8), |(i, j)| i as f32 - j as f32);
        let x = Array::from_array(whole.clone(), (3, 2)).t();
        let [directly, exchanged] = forced(&x, &Chunking::from_lengths(&[vec![8], vec![1; 9]]));
        assert_eq!(compute_staged(&exchanged, &Staging::new(0)).unwrap().0, whole.t());
        assert_eq!(check_everywhere(&directly), check_everywhere(&exchanged));
    }

    fn is_exchange(shape: (usize, usize), from: (usize, usize), to: (usize, usize)) -> bool {
        let x = Array::<f64, Ix2>::zeros(shape, from).rechunk(to);
        x.core().port.layer.inputs()[0].producer().is_some_and(|layer| layer.label().contains("ledger"))
    }

    #[test]
    fn shape_and_blocks_alone_decide_for_the_exchange() {
        assert!(is_exchange((64, 64), (1, 64), (64, 1)));
        assert!(!is_exchange((8, 8), (1, 8), (8, 1)), "few bytes");
        assert!(is_exchange((512, 512), (32, 512), (512, 32)), "few blocks, but of a megabyte together");
        assert!(is_exchange((512, 512), (256, 512), (512, 256)), "each needs the whole");
        assert!(!is_exchange((512, 512), (32, 512), (512, 512)), "the whole is made");
        assert!(!is_exchange((512, 512), (100, 512), (101, 512)), "neighbors");
        assert!(!is_exchange((2000, 2000), (100, 100), (101, 101)), "neighbors along both axes");
        assert!(!is_exchange((64 << 10, 64), (32, 8), (256, 8)), "joined along one axis, and cut along none");
        assert!(
            is_exchange((20_000, 20_000), (2_500, 20_000), (20_000, 2_500)),
            "few blocks, but large ones"
        );
        assert!(!is_exchange((100, 100), (1, 100), (10, 100)), "each old block is read once");
        assert!(!is_exchange((10_000, 10_000), (100, 10_000), (101, 10_000)), "neighbors");
        assert!(!is_exchange((20_000, 20_000), (100, 20_000), (20_000, 20_000)), "gathered into one block");
    }

    #[test]
    fn every_number_of_blocks_keeps_every_element() {
        for n in EXCHANGE_COUNTS {
            let whole = Array1::from_iter(0..n as u32);
            // As many blocks as elements become two or, if there is no more, one; and the other way.
            for (from, to) in [(vec![1; n], vec![n / 2, n - n / 2]), (vec![n / 2, n - n / 2], vec![1; n])] {
                let x = Array::from_array(whole.clone(), vec![from]);
                let [_, exchanged] = forced(&x, &Chunking::from_lengths(&[to]));
                for keeps in if n < 1_000 { vec![0, u64::MAX] } else { vec![u64::MAX] } {
                    assert_eq!(
                        compute_staged(&exchanged, &Staging::new(keeps)).unwrap().0,
                        whole,
                        "{n} blocks"
                    );
                }
            }
        }
    }

    #[test]
    fn a_staged_exchange_holds_a_few_blocks_only() {
        // 64 × 64 blocks of rows to columns: 8 MiB in blocks of 128 KiB.
        let n = 1024;
        let x = Array::<f64, Ix2>::from_shape_fn((n, n), (16, n), move |(i, j)| (i * n + j) as f64);
        let y = x.rechunk((n, 16)).sum_axis(ndarray::Axis(0)).rechunk(n);
        let staging = Staging::new(0);
        let (found, peak) = compute_staged(&y, &staging).unwrap();
        let column = |j: usize| (0..n).map(|i| (i * n + j) as f64).sum::<f64>();
        assert_eq!(found, (0..n).map(column).collect::<Array1<_>>());
        assert_eq!(staging.written_bytes(), (n * n * 8) as u64);
        let block = 16 * n as u64 * 8;
        // One block, the buffer, and receipts of 56 bytes a piece.
        assert!(peak < 4 * block + 2 * 64 * 64 * 56, "{peak}");
    }

    #[test]
    fn too_many_pieces_go_in_steps() {
        let x = Array::<u8, Ix2>::zeros((100_000, 100_000), (10, 100_000)).rechunk((100_000, 10));
        // 10,000 × 10,000 blocks: 100 × 100 between them, and 100 pieces for each block instead of 10,000.
        // The middle blocks are cut in the task that makes them.
        let n_tasks: Vec<_> = x.explain().unwrap().layers.iter().map(|layer| layer.n_tasks).collect();
        assert_eq!(n_tasks, [10_000, 1, 10_000, 1, 10_000]);
        let whole = Array2::from_shape_fn((60, 70), |(i, j)| (i * 70 + j) as u16);
        let x = Array::from_array(whole.clone(), (1, 70));
        let to = Chunking::from_lengths(&[vec![60], vec![1; 70]]);
        for most in [1, 100, 1_000, 4_000] {
            let core = rechunked_within::<u16>(x.core(), &to, most, Site::caller());
            let y = Array::<u16, Ix2>::from_core(core);
            assert_eq!(compute_staged(&y, &Staging::new(0)).unwrap().0, whole, "at most {most} pieces");
        }
    }

    #[test]
    fn thousands_of_pieces_in_three_dimensions() {
        let whole = Array3::from_shape_fn((12, 12, 12), |(i, j, k)| (i * 144 + j * 12 + k) as u16);
        let x = Array::from_array(whole.clone(), (1, 12, 12));
        let y = x.rechunk((12, 1, 12)).rechunk((12, 12, 1));
        assert_eq!(check_everywhere(&y), whole);
        assert_eq!(compute_staged(&y, &Staging::new(0)).unwrap().0, whole);
    }

    #[test]
    fn common_lengths_cut_at_the_ends_of_both() {
        assert_eq!(common_lengths(&[3, 3], &[2, 2, 2]), [2, 1, 1, 2]);
        assert_eq!(common_lengths(&[6], &[1, 5]), [1, 5]);
        assert_eq!(common_lengths(&[2, 0, 2], &[4]), [2, 2]);
        assert_eq!(common_lengths(&[0], &[0, 0]), [0]);
        assert_eq!(common_lengths(&[0, 0], &[0, 0]), [0, 0]);
    }
}
