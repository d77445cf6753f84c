//! Taking elements all to all: each old block is cut into what each new block wants of it.

use super::Wanted;
use crate::block::Block;
use crate::chunks::Chunking;
use crate::element::Element;
use crate::gather::{block_of, check};
use crate::kernel::assemble::{Origin, Piece, assemble, push_element};
use crate::kernel::memory::zeros;
use crate::kernel::transfer;
use musher_graph_core::{ChunkRef, Codec, Exchange, Facts, Inputs, Share, TaskError, Token, Tokenizer};
use ndarray::{ArrayD, ArrayViewD, Axis, IxDyn, Zip};
use std::borrow::Cow;
use std::io::{Read, Write};
use std::marker::PhantomData;
use std::sync::Arc;

/// An element on its way: its index in the old block, and in the new one.
type Move = (u32, u32);

/// Sends elements along an axis to the new blocks that want them. An old block stays whole while it waits in memory.
pub(super) struct Scattered<A> {
    label: &'static str,
    axis: usize,
    from: Chunking,
    to: Chunking,
    /// For each old block along the axis: the new ones that want something of it, in order, and what.
    moves: Vec<Vec<(u32, Vec<Move>)>>,
    marker: PhantomData<fn() -> A>,
}

impl<A: Element> Scattered<A> {
    pub(super) fn new(label: &'static str, wanted: &Wanted, from: &Chunking, to: &Chunking) -> Self {
        let mut moves: Vec<Vec<(u32, Vec<Move>)>> = vec![Vec::new(); from.axis(wanted.axis).len()];
        for (target, elements) in (0..).zip(&wanted.elements) {
            for (place, &(block, at)) in (0..).zip(elements) {
                let of_block = &mut moves[block as usize];
                match of_block.last_mut() {
                    Some((last, moves)) if *last == target => moves.push((at, place)),
                    _ => of_block.push((target, vec![(at, place)])),
                }
            }
        }
        let (from, to) = (from.clone(), to.clone());
        Self { label, axis: wanted.axis, from, to, moves, marker: PhantomData }
    }

    /// What a new block wants of an old one.
    fn moves(&self, from: usize, to: usize) -> &[Move] {
        let (from, to) =
            (self.from.grid().coords_of(from)[self.axis], self.to.grid().coords_of(to)[self.axis]);
        let of_block = &self.moves[from];
        let found = of_block.binary_search_by_key(&(to as u32), |&(target, _)| target);
        found.map_or(&[], |at| &of_block[at].1)
    }

    /// The elements of a block for each index along the axis.
    fn others(&self, from: usize) -> usize {
        let shape = self.from.block_shape(&self.from.grid().coords_of(from));
        (0..shape.len()).filter(|&axis| axis != self.axis).map(|axis| shape[axis]).product()
    }

    fn n_sent(&self, from: usize) -> u64 {
        let moves = &self.moves[self.from.grid().coords_of(from)[self.axis]];
        (moves.iter().map(|(_, moves)| moves.len()).sum::<usize>() * self.others(from)) as u64
    }

    fn bytes_of(chunking: &Chunking, block: usize) -> u64 {
        let shape = chunking.block_shape(&chunking.grid().coords_of(block));
        (shape.iter().product::<usize>() * size_of::<A>()) as u64
    }

    /// Puts elements of a block where they go in another.
    fn put(&self, from: &ArrayViewD<'_, A>, to: &mut ArrayD<A>, moves: impl Iterator<Item = Move> + Clone) {
        if self.axis + 1 == from.ndim() {
            let lines = Zip::from(to.lanes_mut(Axis(self.axis))).and(from.lanes(Axis(self.axis)));
            lines.for_each(|mut to, from| {
                moves.clone().for_each(|(at, place)| to[place as usize] = from[at as usize])
            });
        } else {
            for (at, place) in moves {
                let element = from.index_axis(Axis(self.axis), at as usize);
                to.index_axis_mut(Axis(self.axis), place as usize).assign(&element);
            }
        }
    }
}

impl<A: Element> Exchange for Scattered<A> {
    type Cut = (usize, Arc<Block<A>>);
    type Building = (usize, ArrayD<A>);

    fn label(&self) -> Cow<'_, str> {
        self.label.into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("array.take_scattered/1");
        self.axis.token(tokenizer);
        self.from.token(tokenizer);
        self.to.token(tokenizer);
        self.moves.len().token(tokenizer);
        for of_block in &self.moves {
            of_block.len().token(tokenizer);
            for (target, moves) in of_block {
                target.token(tokenizer);
                moves.token(tokenizer);
            }
        }
    }

    fn cut(&self, from: usize, inputs: &mut Inputs<'_>) -> Result<Self::Cut, TaskError> {
        let block = block_of(inputs.chunk(0)?.clone())?;
        check(&self.from.block_shape(&self.from.grid().coords_of(from)), Block::<A>::shape(&block))?;
        Ok((from, block))
    }

    fn n_items(&self, (from, _): &Self::Cut) -> u64 {
        self.n_sent(*from)
    }

    fn shares(&self, from: usize, _cut: &Self::Cut, give: &mut dyn FnMut(usize, u64)) {
        let (grid, others) = (self.to.grid(), self.others(from));
        if others == 0 {
            return;
        }
        let mut coords = self.from.grid().coords_of(from);
        for (target, moves) in &self.moves[coords[self.axis]].clone() {
            coords[self.axis] = *target as usize;
            give(grid.index_of(&coords), (moves.len() * others) as u64);
        }
    }

    fn bytes(&self, (_, block): &Self::Cut) -> Option<u64> {
        Some((block.view().len() * size_of::<A>()) as u64)
    }

    fn cut_bytes(&self, from: usize, _input: Option<u64>) -> Option<u64> {
        Some(Self::bytes_of(&self.from, from))
    }

    fn total_bytes(&self) -> Option<u64> {
        let shape = self.from.shape();
        Some(shape.iter().fold(size_of::<A>() as u64, |bytes, &length| bytes.saturating_mul(length as u64)))
    }

    fn write(
        &self,
        from: usize,
        (_, cut): &Self::Cut,
        share: Share,
        to: &mut dyn Write,
    ) -> Result<u64, TaskError> {
        let mut along = Vec::new();
        self.moves(from, share.target).iter().for_each(|&(at, _)| push_element(&mut along, 0, at as usize));
        let whole = |length| vec![Piece { at: 0, length, origin: Origin::Forward { block: 0, start: 0 } }];
        let mut axes: Vec<Vec<Piece<A>>> = cut.shape().iter().map(|&length| whole(length)).collect();
        axes[self.axis] = along;
        Ok(transfer::write(assemble(&axes, |_| cut.view())?.view(), to)?)
    }

    fn begin(&self, to: usize, n_items: u64) -> Result<Self::Building, TaskError> {
        let shape = self.to.block_shape(&self.to.grid().coords_of(to));
        Ok((to, ArrayD::from_shape_vec(IxDyn(&shape), zeros(n_items as usize)?)?))
    }

    fn copy(
        &self,
        (to, block): &mut Self::Building,
        from: usize,
        (_, cut): &Self::Cut,
        _share: Share,
    ) -> Result<u64, TaskError> {
        let moves = self.moves(from, *to);
        self.put(&cut.view(), block, moves.iter().copied());
        Ok((moves.len() * self.others(from)) as u64)
    }

    fn read(
        &self,
        (to, block): &mut Self::Building,
        from: usize,
        share: Share,
        bytes: &mut dyn Read,
    ) -> Result<u64, TaskError> {
        let moves = self.moves(from, *to);
        let mut shape = block.shape().to_vec();
        shape[self.axis] = moves.len();
        let mut piece = ArrayD::from_shape_vec(IxDyn(&shape), zeros::<A>(share.n_items as usize)?)?;
        let n = transfer::read(piece.view_mut(), bytes)?;
        self.put(&piece.view(), block, (0..).zip(moves).map(|(at, &(_, place))| (at, place)));
        Ok(n)
    }

    fn codec(&self) -> Option<&'static dyn Codec> {
        Some(Block::<A>::CODEC)
    }

    fn finish(&self, _to: usize, (_, block): Self::Building) -> Result<ChunkRef, TaskError> {
        Ok(Arc::new(Block::new(block)))
    }

    fn expected_items(&self, to: usize) -> Option<u64> {
        let shape = self.to.block_shape(&self.to.grid().coords_of(to));
        Some(shape.iter().product::<usize>() as u64)
    }

    fn n_shares(&self, from: usize) -> Option<u64> {
        Some(self.moves[self.from.grid().coords_of(from)[self.axis]].len() as u64)
    }

    fn cut_facts(&self, from: usize, _inputs: &[Option<u64>]) -> Facts {
        let bytes = self.n_sent(from) * size_of::<A>() as u64;
        Facts::default().scratch(transfer::BUFFER as u64 + bytes).cost(1_000 + bytes / 2)
    }

    fn build_facts(&self, to: usize) -> Facts {
        let bytes = Self::bytes_of(&self.to, to);
        Facts::bytes(bytes).scratch(transfer::BUFFER as u64 + bytes).cost(1_000 + bytes / 2)
    }
}
