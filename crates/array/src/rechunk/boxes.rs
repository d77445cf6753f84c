//! Rechunking all to all: each old block is cut into boxes, each new block is put together from them.

use crate::block::Block;
use crate::chunks::Chunking;
use crate::element::Element;
use crate::gather::{block_of, check};
use crate::kernel::assemble::{advance, offsets};
use crate::kernel::memory::zeros;
use crate::kernel::transfer;
use musher_graph_core::{ChunkRef, Codec, Exchange, Facts, Grid, Inputs, Share, TaskError, Token, Tokenizer};
use ndarray::{ArrayD, IxDyn, Slice};
use std::borrow::Cow;
use std::io::{Read, Write};
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

/// One division of the array: where blocks begin along each axis, and their grid.
struct Division {
    offsets: Vec<Vec<usize>>,
    grid: Grid,
}

impl Division {
    fn of(chunking: &Chunking) -> Self {
        Self { offsets: chunking.axes().map(offsets).collect(), grid: chunking.grid() }
    }

    /// The elements along each axis that a block holds.
    fn ranges(&self, block: usize) -> Vec<Range<usize>> {
        let coords = self.grid.coords_of(block);
        self.offsets.iter().zip(coords).map(|(offsets, at)| offsets[at]..offsets[at + 1]).collect()
    }

    /// The blocks along one axis that hold elements of a range, with how many of them.
    fn overlapping(offsets: &[usize], range: &Range<usize>) -> impl Iterator<Item = (usize, usize)> {
        let first = offsets.partition_point(|&offset| offset <= range.start).saturating_sub(1);
        let blocks = (first..offsets.len() - 1).take_while(|&block| offsets[block] < range.end);
        blocks.filter_map(|block| {
            let both = offsets[block].max(range.start)..offsets[block + 1].min(range.end);
            (!both.is_empty()).then_some((block, both.len()))
        })
    }
}

/// Sends each box of an old block to the new block that holds it. An old block stays whole while it waits in memory.
pub(super) struct Boxes<A> {
    from: Division,
    to: Division,
    marker: PhantomData<fn() -> A>,
}

impl<A: Element> Boxes<A> {
    pub(super) fn new(from: &Chunking, to: &Chunking) -> Self {
        Self { from: Division::of(from), to: Division::of(to), marker: PhantomData }
    }

    /// The block lengths of the blocks that are cut.
    pub(super) fn divided_before(&self) -> Chunking {
        Chunking::from_offsets(&self.from.offsets)
    }

    /// The box that two blocks share, within the first and within the second.
    fn shared(&self, from: usize, to: usize) -> (Vec<Slice>, Vec<Slice>) {
        let both = self.from.ranges(from).into_iter().zip(self.to.ranges(to));
        both.map(|(old, new)| {
            let (start, end) = (old.start.max(new.start), old.end.min(new.end));
            (Slice::from(start - old.start..end - old.start), Slice::from(start - new.start..end - new.start))
        })
        .unzip()
    }

    fn bytes_of(ranges: &[Range<usize>]) -> u64 {
        (ranges.iter().map(Range::len).product::<usize>() * size_of::<A>()) as u64
    }
}

impl<A: Element> Exchange for Boxes<A> {
    type Cut = Arc<Block<A>>;
    type Building = (usize, ArrayD<A>);

    fn label(&self) -> Cow<'_, str> {
        "rechunk".into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("array.rechunk_boxes/1");
        self.from.offsets.token(tokenizer);
        self.to.offsets.token(tokenizer);
    }

    fn cut(&self, from: usize, inputs: &mut Inputs<'_>) -> Result<Arc<Block<A>>, TaskError> {
        let block = block_of(inputs.chunk(0)?.clone())?;
        let shape: Vec<usize> = self.from.ranges(from).iter().map(Range::len).collect();
        check(&shape, Block::<A>::shape(&block))?;
        Ok(block)
    }

    fn n_items(&self, cut: &Arc<Block<A>>) -> u64 {
        cut.view().len() as u64
    }

    fn shares(&self, from: usize, _cut: &Arc<Block<A>>, give: &mut dyn FnMut(usize, u64)) {
        let ranges = self.from.ranges(from);
        let axes = self.to.offsets.iter().zip(&ranges);
        let axes: Vec<Vec<(usize, usize)>> =
            axes.map(|(offsets, range)| Division::overlapping(offsets, range).collect()).collect();
        if axes.iter().any(Vec::is_empty) {
            return;
        }
        let mut at = vec![0; axes.len()];
        let mut coords = vec![0; axes.len()];
        loop {
            let mut n_items = 1;
            for (axis, overlaps) in axes.iter().enumerate() {
                let (block, length) = overlaps[at[axis]];
                coords[axis] = block;
                n_items *= length as u64;
            }
            give(self.to.grid.index_of(&coords), n_items);
            if !advance(&mut at, |axis| axes[axis].len()) {
                return;
            }
        }
    }

    fn bytes(&self, cut: &Arc<Block<A>>) -> Option<u64> {
        Some((cut.view().len() * size_of::<A>()) as u64)
    }

    fn cut_bytes(&self, from: usize, _input: Option<u64>) -> Option<u64> {
        Some(Self::bytes_of(&self.from.ranges(from)))
    }

    fn total_bytes(&self) -> Option<u64> {
        let lengths = self.from.offsets.iter().map(|offsets| offsets.last().copied().unwrap_or(0) as u64);
        Some(lengths.fold(size_of::<A>() as u64, u64::saturating_mul))
    }

    fn write(
        &self,
        from: usize,
        cut: &Arc<Block<A>>,
        share: Share,
        to: &mut dyn Write,
    ) -> Result<u64, TaskError> {
        let (within, _) = self.shared(from, share.target);
        let view = cut.view();
        Ok(transfer::write(view.slice_each_axis(|axis| within[axis.axis.0]), to)?)
    }

    fn begin(&self, to: usize, n_items: u64) -> Result<Self::Building, TaskError> {
        let shape: Vec<usize> = self.to.ranges(to).iter().map(Range::len).collect();
        Ok((to, ArrayD::from_shape_vec(IxDyn(&shape), zeros(n_items as usize)?)?))
    }

    fn copy(
        &self,
        (to, block): &mut Self::Building,
        from: usize,
        cut: &Arc<Block<A>>,
        _share: Share,
    ) -> Result<u64, TaskError> {
        let (within, place) = self.shared(from, *to);
        let view = cut.view();
        let piece = view.slice_each_axis(|axis| within[axis.axis.0]);
        block.slice_each_axis_mut(|axis| place[axis.axis.0]).assign(&piece);
        Ok(piece.len() as u64)
    }

    fn read(
        &self,
        (to, block): &mut Self::Building,
        from: usize,
        _share: Share,
        bytes: &mut dyn Read,
    ) -> Result<u64, TaskError> {
        let (_, place) = self.shared(from, *to);
        Ok(transfer::read(block.slice_each_axis_mut(|axis| place[axis.axis.0]), bytes)?)
    }

    fn codec(&self) -> Option<&'static dyn Codec> {
        Some(Block::<A>::CODEC)
    }

    fn finish(&self, _to: usize, (_, block): Self::Building) -> Result<ChunkRef, TaskError> {
        Ok(Arc::new(Block::new(block)))
    }

    fn expected_items(&self, to: usize) -> Option<u64> {
        Some(self.to.ranges(to).iter().map(Range::len).product::<usize>() as u64)
    }

    fn n_shares(&self, from: usize) -> Option<u64> {
        let axes = self.to.offsets.iter().zip(self.from.ranges(from));
        Some(axes.map(|(to, range)| Division::overlapping(to, &range).count() as u64).product())
    }

    fn cut_facts(&self, from: usize, _inputs: &[Option<u64>]) -> Facts {
        let bytes = Self::bytes_of(&self.from.ranges(from));
        Facts::default().scratch(transfer::BUFFER as u64).cost(1_000 + bytes / 2)
    }

    fn build_facts(&self, to: usize) -> Facts {
        let bytes = Self::bytes_of(&self.to.ranges(to));
        Facts::bytes(bytes).scratch(transfer::BUFFER as u64).cost(1_000 + bytes / 2)
    }
}
