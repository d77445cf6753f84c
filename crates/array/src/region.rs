//! Which blocks of a producer a block is assembled from: the part that rechunking and overlapping share.
//!
//! The kernel says for each axis which runs of which blocks are wanted ([`Piece`]); a task receives the blocks as a
//! flat list in the order of its wiring. This file is where the two meet.

use crate::block::Block;
use crate::element::Element;
use crate::kernel::assemble::{Assembly, Piece, Source, blocks_read};
use musher_graph_core::{AxisMap, Inputs, TaskError, Wiring};
use ndarray::ArrayD;
use smallvec::SmallVec;
use std::ops::Range;
use std::sync::Arc;

/// The blocks that each place along one axis reads.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AxisReads {
    /// Its own.
    Own,
    /// A half-open range.
    Ranges(Arc<[(u32, u32)]>),
    /// Itself and neighbors on a circle of `n` blocks, fewer than all of them.
    Circle {
        /// Neighbors with lower numbers.
        before: usize,
        /// Neighbors with higher numbers.
        after: usize,
        /// Number of blocks.
        n: usize,
    },
    /// All of them.
    All {
        /// Number of blocks.
        n: usize,
    },
}

impl AxisReads {
    /// The least reads that cover these runs, given for each place along the axis; the producer has `n` blocks.
    pub(crate) fn covering<A>(n: usize, places: impl Iterator<Item = Vec<Piece<A>>>) -> Self {
        let reads: Vec<Vec<usize>> = places.map(|pieces| blocks_read(&pieces)).collect();
        if reads.len() == n && reads.iter().enumerate().all(|(place, read)| *read == [place]) {
            return Self::Own;
        }
        let is_range = |read: &Vec<usize>| read.windows(2).all(|pair| pair[0] + 1 == pair[1]);
        if reads.iter().all(is_range) {
            let range = |read: &Vec<usize>| match (read.first(), read.last()) {
                // A grid has at most u32::MAX tasks along an axis.
                (Some(&first), Some(&last)) => (first as u32, last as u32 + 1),
                _ => (0, 0),
            };
            return Self::Ranges(reads.iter().map(range).collect());
        }
        if reads.len() != n {
            // There is no circle on which places and blocks would stand side by side.
            return Self::All { n };
        }
        let (mut before, mut after) = (0, 0);
        for (place, read) in reads.iter().enumerate() {
            for block in read {
                let (back, forth) = ((place + n - block) % n, (block + n - place) % n);
                if back < forth {
                    before = before.max(back);
                } else {
                    after = after.max(forth);
                }
            }
        }
        if before + after + 1 < n { Self::Circle { before, after, n } } else { Self::All { n } }
    }

    /// The wiring along this axis, followed by the axis of the same number of the consumer.
    fn map(&self, axis: usize) -> AxisMap {
        match self {
            Self::Own => AxisMap::follow(axis),
            Self::Ranges(ranges) => AxisMap::Ranges { axis, ranges: Arc::clone(ranges) },
            &Self::Circle { before, after, .. } => AxisMap::Window { axis, before, after, wrap: true },
            Self::All { .. } => AxisMap::Whole,
        }
    }

    /// How many blocks the place at `coord` reads along this axis.
    pub(crate) fn count(&self, coord: usize) -> usize {
        match self {
            Self::Own => 1,
            Self::Ranges(ranges) => (ranges[coord].1 - ranges[coord].0) as usize,
            Self::Circle { before, after, .. } => before + after + 1,
            Self::All { n } => *n,
        }
    }

    /// The blocks that the place at `coord` reads along this axis.
    pub(crate) fn blocks(&self, coord: usize) -> impl Iterator<Item = usize> {
        let (first, n) = match self {
            Self::Own => (coord, usize::MAX),
            Self::Ranges(ranges) => (ranges[coord].0 as usize, usize::MAX),
            Self::Circle { before, n, .. } => (coord + n - before, *n),
            Self::All { n } => (0, *n),
        };
        (0..self.count(coord)).map(move |step| (first + step) % n)
    }

    /// At which position of its reads along this axis the place at `coord` finds `block`.
    fn position(&self, coord: usize, block: usize) -> usize {
        match self {
            Self::Own => 0,
            Self::Ranges(ranges) => block - ranges[coord].0 as usize,
            Self::Circle { before, n, .. } => (block + n + before - coord) % n,
            Self::All { .. } => block,
        }
    }
}

/// The wiring of a layer whose places read these blocks.
pub(crate) fn wiring(reads: &[AxisReads]) -> Wiring {
    Wiring::axes(reads.iter().enumerate().map(|(axis, reads)| reads.map(axis)))
}

/// The runs of the blocks that were read at `coords` by [`wiring`], about to be assembled: `source` gives what is needed of
/// the one with a number in the slot and a place in the producer's grid.
pub(crate) fn assembly<'a, A: Element>(
    reads: &[AxisReads],
    coords: &[usize],
    pieces: &[Vec<Piece<A>>],
    mut source: impl FnMut(usize, &[usize], &[Range<usize>]) -> Result<Source<'a, A>, TaskError>,
) -> Result<Assembly<'a, A>, TaskError> {
    Assembly::new(pieces, |at, needed| {
        let flat = reads.iter().zip(coords).zip(at).fold(0, |flat, ((reads, &coord), &block)| {
            flat * reads.count(coord) + reads.position(coord, block)
        });
        source(flat, at, needed)
    })
}

/// Assembles the runs from the blocks in slot 0, which were read at `coords` by [`wiring`].
pub(crate) fn assemble_inputs<A: Element>(
    reads: &[AxisReads],
    coords: &[usize],
    pieces: &[Vec<Piece<A>>],
    inputs: &Inputs<'_>,
) -> Result<ArrayD<A>, TaskError> {
    // An axis without elements reads nothing: there may be no slot to ask for.
    let blocks = match pieces.iter().any(Vec::is_empty) {
        true => SmallVec::new(),
        false => inputs.slot::<Block<A>>(0)?,
    };
    let source = |flat: usize, _: &[usize], needed: &[Range<usize>]| {
        Ok(Source::of_block(blocks[flat].view(), needed)?)
    };
    Ok(assembly(reads, coords, pieces, source)?.whole()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::assemble::offsets;
    use crate::kernel::overlap::{Boundary, Depth, padded_pieces};
    use musher_graph_core::Grid;

    #[test]
    fn reads_name_the_blocks_that_the_wiring_delivers() {
        for n in 1..6 {
            for depth in 0..4 {
                for boundary in [Boundary::None, Boundary::Wrap, Boundary::Reflect, Boundary::Constant(0_u8)]
                {
                    let starts = offsets(&vec![1; n]);
                    let pieces = |place| padded_pieces(&starts, place, Depth::both(depth), &boundary);
                    let reads = AxisReads::covering(n, (0..n).map(pieces));
                    let (wiring, grid) = (wiring(std::slice::from_ref(&reads)), Grid::from([n]));
                    for place in 0..n {
                        let delivered = wiring.producers(grid.place(place), &grid);
                        assert!(reads.blocks(place).eq(delivered.iter().map(|&block| block as usize)));
                        for block in blocks_read(&pieces(place)) {
                            assert_eq!(delivered[reads.position(place, block)] as usize, block);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_periodic_halo_reads_its_neighbors_only() {
        let starts = offsets(&[3; 9]);
        let pieces = |place| padded_pieces(&starts, place, Depth::both(1), &Boundary::<u8>::Wrap);
        let reads = AxisReads::covering(9, (0..9).map(pieces));
        assert_eq!(reads, AxisReads::Circle { before: 1, after: 1, n: 9 });
    }
}
