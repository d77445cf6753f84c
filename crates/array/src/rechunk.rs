//! Other block lengths for the same elements.

use crate::array::{Array, Core};
use crate::block::Block;
use crate::chunks::{Chunking, Chunks};
use crate::element::Element;
use crate::error::{Error, expect};
use crate::kernel::assemble::{Origin, Piece, offsets, pieces_of_range};
use crate::region::{AxisReads, assemble_inputs, wiring};
use musher_graph_core::{Facts, Inputs, Layer, Output, Place, Port, Task, TaskError, Token, Tokenizer};
use ndarray::Dimension;
use std::borrow::Cow;
use std::marker::PhantomData;
use std::panic::Location;

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
    /// they are, are handed on.
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
        Ok(Self::from_core(rechunked::<A>(self.core(), &chunking, Location::caller())))
    }
}

/// The core with these block lengths; itself where it has them already.
pub(crate) fn rechunked<A: Element>(core: &Core, to: &Chunking, caller: &'static Location<'static>) -> Core {
    if core.chunking == *to {
        return core.clone();
    }
    let task = Rechunk::<A>::new(&core.chunking, to);
    let wiring = wiring(&task.reads);
    let layer = Layer::build(task).caller(caller).input(&core.port, wiring).finish(to.grid());
    Core { port: Port::of(layer), chunking: to.clone() }
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

    #[test]
    fn common_lengths_cut_at_the_ends_of_both() {
        assert_eq!(common_lengths(&[3, 3], &[2, 2, 2]), [2, 1, 1, 2]);
        assert_eq!(common_lengths(&[6], &[1, 5]), [1, 5]);
        assert_eq!(common_lengths(&[2, 0, 2], &[4]), [2, 2]);
        assert_eq!(common_lengths(&[0], &[0, 0]), [0]);
        assert_eq!(common_lengths(&[0, 0], &[0, 0]), [0, 0]);
    }
}
