//! The halos of the blocks of an array: how deep they are, which blocks they read, and how they are filled.

use crate::chunks::Chunking;
use crate::element::{Element, Plain};
use crate::error::{Error, Shape};
use crate::kernel::assemble::{Piece, offsets};
use crate::kernel::overlap::{Boundary, Depth, halo, padded_pieces};
use crate::per_axis::PerAxis;
use crate::region::{AxisReads, assemble_inputs};
use musher_graph_core::{Inputs, Site, TaskError, Token, Tokenizer};
use ndarray::ArrayD;

/// One axis of an overlap: what its blocks are without and with their halos.
struct HaloAxis<A> {
    offsets: Vec<usize>,
    depth: Depth,
    boundary: Boundary<A>,
}

impl<A: Element> HaloAxis<A> {
    fn n_blocks(&self) -> usize {
        self.offsets.len() - 1
    }

    fn own_length(&self, block: usize) -> usize {
        self.offsets[block + 1] - self.offsets[block]
    }

    fn halo(&self, block: usize) -> Depth {
        halo(&self.offsets, block, self.depth, &self.boundary)
    }

    fn pieces(&self, block: usize) -> Vec<Piece<A>> {
        padded_pieces(&self.offsets, block, self.depth, &self.boundary)
    }

    fn padded_length(&self, block: usize) -> usize {
        let halo = self.halo(block);
        self.own_length(block) + halo.before + halo.after
    }

    fn surround(&self, block: usize) -> Option<(Depth, A)> {
        let Boundary::Constant(value) = self.boundary else { return None };
        let length = self.offsets[self.n_blocks()];
        let beyond = Depth {
            before: self.depth.before.saturating_sub(self.offsets[block]),
            after: self.depth.after.saturating_sub(length - self.offsets[block + 1]),
        };
        (beyond != Depth::default()).then_some((beyond, value))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.offsets.token(tokenizer);
        (self.depth.before, self.depth.after).token(tokenizer);
        match &self.boundary {
            Boundary::None => tokenizer.word(0),
            Boundary::Reflect => tokenizer.word(1),
            Boundary::Mirror => tokenizer.word(2),
            Boundary::Wrap => tokenizer.word(3),
            Boundary::Nearest => tokenizer.word(4),
            Boundary::Constant(value) => {
                tokenizer.word(5);
                let mut bytes = vec![0; <A as Plain>::BYTES];
                value.store(&mut bytes);
                tokenizer.bytes(&bytes);
            }
        }
    }
}

/// All axes of an overlap, and which blocks it reads along each.
pub(crate) struct Halos<A> {
    axes: Vec<HaloAxis<A>>,
    reads: Vec<AxisReads>,
}

impl<A: Element> Halos<A> {
    /// The halos of an array with these blocks.
    pub(crate) fn new(
        operation: &'static str,
        chunking: &Chunking,
        depths: PerAxis<Depth>,
        boundaries: PerAxis<Boundary<A>>,
        caller: Site,
    ) -> Result<Self, Error> {
        let wrong = |found: usize| Error::Shapes {
            operation,
            left: Shape(chunking.shape()),
            right: Shape(vec![0; found]),
            caller,
        };
        let depths = depths.resolve(chunking.ndim()).map_err(wrong)?;
        let boundaries = boundaries.resolve(chunking.ndim()).map_err(wrong)?;
        let padded =
            chunking.largest_block().iter().zip(&depths).try_fold(size_of::<A>(), |n, (&own, depth)| {
                n.checked_mul(own.checked_add(depth.before)?.checked_add(depth.after)?)
            });
        if padded.is_none_or(|bytes| bytes > isize::MAX as usize) {
            return Err(Error::Halo { operation, caller });
        }
        let axes = chunking.axes().zip(depths).zip(boundaries);
        let axes: Vec<HaloAxis<A>> = axes
            .map(|((lengths, depth), boundary)| HaloAxis { offsets: offsets(lengths), depth, boundary })
            .collect();
        let reads = |axis: &HaloAxis<A>| {
            AxisReads::covering(axis.n_blocks(), (0..axis.n_blocks()).map(|place| axis.pieces(place)))
        };
        Ok(Self { reads: axes.iter().map(reads).collect(), axes })
    }

    /// Which blocks each place reads along each axis.
    pub(crate) fn reads(&self) -> &[AxisReads] {
        &self.reads
    }

    /// The block at these coordinates without its halo.
    pub(crate) fn own_shape(&self, coords: &[usize]) -> Vec<usize> {
        self.axes.iter().zip(coords).map(|(axis, &coord)| axis.own_length(coord)).collect()
    }

    pub(crate) fn padded_shape(&self, coords: &[usize]) -> Vec<usize> {
        self.axes.iter().zip(coords).map(|(axis, &coord)| axis.padded_length(coord)).collect()
    }

    pub(crate) fn at(&self, coords: &[usize]) -> Vec<Depth> {
        self.axes.iter().zip(coords).map(|(axis, &coord)| axis.halo(coord)).collect()
    }

    /// How much of the halo lies beyond the array along each axis and holds which constant.
    pub(crate) fn surrounds(&self, coords: &[usize]) -> Vec<Option<(Depth, A)>> {
        self.axes.iter().zip(coords).map(|(axis, &coord)| axis.surround(coord)).collect()
    }

    /// Which share of the elements is read once more in the halo of another block.
    pub(crate) fn repeats(&self) -> f64 {
        let along = |axis: &HaloAxis<A>| {
            let own = (0..axis.n_blocks()).map(|block| axis.own_length(block)).max().unwrap_or(0).max(1);
            (own + axis.depth.before + axis.depth.after) as f64 / own as f64
        };
        self.axes.iter().map(along).product::<f64>() - 1.0
    }

    /// The block lengths with halos.
    pub(crate) fn padded_chunking(&self) -> Chunking {
        Chunking::from_axes(
            self.axes
                .iter()
                .map(|axis| (0..axis.n_blocks()).map(|block| axis.padded_length(block)).collect()),
        )
    }

    /// The runs along each axis that make up the block at these coordinates with its halo.
    pub(crate) fn pieces(&self, coords: &[usize]) -> Vec<Vec<Piece<A>>> {
        self.axes.iter().zip(coords).map(|(axis, &coord)| axis.pieces(coord)).collect()
    }

    /// The block at these coordinates with its halo.
    pub(crate) fn padded(&self, coords: &[usize], inputs: &Inputs<'_>) -> Result<ArrayD<A>, TaskError> {
        assemble_inputs(&self.reads, coords, &self.pieces(coords), inputs)
    }

    pub(crate) fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.word(self.axes.len() as u64);
        self.axes.iter().for_each(|axis| axis.token(tokenizer));
    }
}
