//! Reshaping all to all: elements of a block go wherever the sequence of all elements is cut under the new shape.

use crate::block::Block;
use crate::chunks::Chunking;
use crate::element::Element;
use crate::gather::{block_of, check};
use crate::kernel::memory::{in_order, with_room, zeros};
use crate::kernel::runs::Runs;
use crate::kernel::transfer;
use musher_graph_core::{ChunkRef, Codec, Exchange, Facts, Inputs, Share, TaskError, Token, Tokenizer};
use ndarray::{ArrayD, ArrayView1, ArrayViewMut1, IxDyn};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::marker::PhantomData;
use std::ops::Range;

/// Sends each segment of a block to the block under the new shape that holds it.
pub(super) struct Moves<A> {
    from: Runs,
    to: Runs,
    marker: PhantomData<fn() -> A>,
}

/// A block's elements sorted by target, those of one target in order.
pub(super) struct Sorted<A> {
    /// Each target, and where its elements begin.
    targets: Vec<(usize, usize)>,
    elements: Vec<A>,
}

/// A new block's elements sorted by the old block that they came from.
pub(super) struct Gathered<A> {
    /// Each old block, and where its elements begin.
    sources: Vec<(usize, usize)>,
    elements: Vec<A>,
}

impl<A: Element> Moves<A> {
    pub(super) fn new(from: &Chunking, to: &Chunking) -> Self {
        Self { from: Runs::new(from.axes()), to: Runs::new(to.axes()), marker: PhantomData }
    }

    fn n_elements(runs: &Runs, block: usize) -> usize {
        runs.ranges(block).iter().map(Range::len).product()
    }
}

impl<A> Sorted<A> {
    /// The elements of piece `index`.
    fn piece(&self, index: usize) -> &[A] {
        let end = self.targets.get(index + 1).map_or(self.elements.len(), |next| next.1);
        &self.elements[self.targets[index].1..end]
    }
}

impl<A: Element> Exchange for Moves<A> {
    type Cut = Sorted<A>;
    type Building = Gathered<A>;

    fn label(&self) -> Cow<'_, str> {
        "reshape".into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("array.reshape_moves/1");
        self.from.offsets().token(tokenizer);
        self.to.offsets().token(tokenizer);
    }

    fn cut(&self, from: usize, inputs: &mut Inputs<'_>) -> Result<Sorted<A>, TaskError> {
        let block = block_of::<A>(inputs.chunk(0)?.clone())?;
        let shape: Vec<usize> = self.from.ranges(from).iter().map(Range::len).collect();
        check(&shape, Block::<A>::shape(&block))?;
        let elements = in_order(block.view())?;
        let source = elements.as_slice().expect("standard layout has no gaps");
        let mut counts = BTreeMap::<usize, usize>::new();
        self.from.for_each_segment(from, &self.to, |to, n| *counts.entry(to).or_default() += n);
        let mut start = 0;
        let targets: Vec<(usize, usize)> = counts
            .iter_mut()
            .map(|(&to, next)| {
                let n = std::mem::replace(next, start);
                start += n;
                (to, start - n)
            })
            .collect();
        let mut elements: Vec<A> = zeros(source.len())?;
        let mut at = 0;
        self.from.for_each_segment(from, &self.to, |to, n| {
            let next = counts.get_mut(&to).expect("every target was counted");
            elements[*next..*next + n].copy_from_slice(&source[at..at + n]);
            *next += n;
            at += n;
        });
        Ok(Sorted { targets, elements })
    }

    fn n_items(&self, cut: &Sorted<A>) -> u64 {
        cut.elements.len() as u64
    }

    fn shares(&self, _from: usize, cut: &Sorted<A>, give: &mut dyn FnMut(usize, u64)) {
        for (index, &(target, _)) in cut.targets.iter().enumerate() {
            give(target, cut.piece(index).len() as u64);
        }
    }

    fn bytes(&self, cut: &Sorted<A>) -> Option<u64> {
        Some((cut.elements.capacity() * size_of::<A>()) as u64)
    }

    fn total_bytes(&self) -> Option<u64> {
        Some((self.from.n_elements() as u64).saturating_mul(size_of::<A>() as u64))
    }

    fn write(
        &self,
        _from: usize,
        cut: &Sorted<A>,
        share: Share,
        to: &mut dyn Write,
    ) -> Result<u64, TaskError> {
        Ok(transfer::write(ArrayView1::from(cut.piece(share.index)).into_dyn(), to)?)
    }

    fn begin(&self, _to: usize, n_items: u64) -> Result<Gathered<A>, TaskError> {
        Ok(Gathered { sources: Vec::new(), elements: with_room(n_items as usize)? })
    }

    fn copy(
        &self,
        building: &mut Gathered<A>,
        from: usize,
        cut: &Sorted<A>,
        share: Share,
    ) -> Result<u64, TaskError> {
        let piece = cut.piece(share.index);
        building.sources.push((from, building.elements.len()));
        building.elements.extend_from_slice(piece);
        Ok(piece.len() as u64)
    }

    fn read(
        &self,
        building: &mut Gathered<A>,
        from: usize,
        share: Share,
        bytes: &mut dyn Read,
    ) -> Result<u64, TaskError> {
        let start = building.elements.len();
        building.sources.push((from, start));
        building.elements.resize(start + share.n_items as usize, A::default());
        Ok(transfer::read(ArrayViewMut1::from(&mut building.elements[start..]).into_dyn(), bytes)?)
    }

    fn codec(&self) -> Option<&'static dyn Codec> {
        Some(Block::<A>::CODEC)
    }

    fn finish(&self, to: usize, building: Gathered<A>) -> Result<ChunkRef, TaskError> {
        let Gathered { mut sources, elements } = building;
        let mut block = with_room(elements.len())?;
        let mut last = 0;
        self.to.for_each_segment(to, &self.from, |from, n| {
            if sources[last].0 != from {
                let found = sources.binary_search_by_key(&from, |source| source.0);
                last = found.expect("the same walk has sent elements from there");
            }
            let next = &mut sources[last].1;
            block.extend_from_slice(&elements[*next..*next + n]);
            *next += n;
        });
        let shape: Vec<usize> = self.to.ranges(to).iter().map(Range::len).collect();
        Ok(std::sync::Arc::new(Block::new(ArrayD::from_shape_vec(IxDyn(&shape), block)?)))
    }

    fn expected_items(&self, to: usize) -> Option<u64> {
        Some(Self::n_elements(&self.to, to) as u64)
    }

    fn n_shares(&self, from: usize) -> Option<u64> {
        let n_targets = self.to.offsets().iter().map(|offsets| offsets.len() - 1).product::<usize>();
        Some(n_targets.min(self.from.most_segments(from, &self.to)) as u64)
    }

    fn cut_facts(&self, from: usize, _inputs: &[Option<u64>]) -> Facts {
        let bytes = (Self::n_elements(&self.from, from) * size_of::<A>()) as u64;
        // The sorted elements with their targets, and a copy where the block does not lie in C order.
        Facts::default().scratch(2 * bytes + transfer::BUFFER as u64).cost(1_000 + bytes)
    }

    fn build_facts(&self, to: usize) -> Facts {
        let bytes = (Self::n_elements(&self.to, to) * size_of::<A>()) as u64;
        Facts::bytes(bytes).scratch(bytes + transfer::BUFFER as u64).cost(1_000 + bytes)
    }
}
