//! The tree by which the partial answers of blocks become one.

use std::marker::PhantomData;
use std::panic::Location;

use musher_graph_core::{
    Chunk, ChunkRef, Collection, Facts, FnTask, Grid, Inputs, Layer, Place, Port, TaskError, Wiring,
};
use musher_scheduler::{Compute, Options};

use crate::error::Error;
use crate::kernel::Piece;

/// How many partial answers one task merges.
const FAN_IN: usize = 8;

/// The chunk of a partial answer.
pub(crate) struct PieceChunk<T>(pub(crate) T);

impl<T: Piece> Chunk for PieceChunk<T> {
    fn nbytes(&self) -> Option<usize> {
        Some(self.0.nbytes())
    }
}

/// Merges the pieces of a layer along its first axis, in the order of their index, and computes what comes out: one
/// piece for each place along the other axis (one in all, if there is none).
pub(crate) fn fold<T: Piece>(
    mut pieces: Layer,
    caller: &'static Location<'static>,
    options: &Options,
) -> Result<Vec<T>, Error> {
    loop {
        let shape: Vec<usize> = pieces.grid().shape().iter().map(|&n| n as usize).collect();
        if shape[0] <= 1 {
            break;
        }
        let mut fan_ins = vec![1; shape.len()];
        fan_ins[0] = FAN_IN;
        let mut merged = shape.clone();
        merged[0] = shape[0].div_ceil(FAN_IN);
        let task = FnTask::new("merge", |_: Place<'_>, inputs: &mut Inputs<'_>| {
            let pieces = inputs.slot::<PieceChunk<T>>(0)?;
            let (first, rest) = pieces.split_first().ok_or(TaskError::new(Error::NothingToMerge))?;
            let mut whole = first.0.clone();
            rest.iter().for_each(|piece| whole.merge(piece.0.clone()));
            Ok(PieceChunk(whole))
        })
        .named(T::MERGE)
        .facts(|_, inputs| {
            let bytes = inputs.iter().copied().flatten().max();
            let total: u64 = inputs.iter().copied().flatten().sum();
            bytes.map_or_else(Facts::default, Facts::bytes).cost(100 + total / 4)
        });
        pieces = Layer::build(task)
            .caller(caller)
            .input(&Port::of(pieces), Wiring::tree(&fan_ins))
            .finish(Grid::from(merged.as_slice()));
    }
    Ok(Pieces { port: Port::of(pieces), piece: PhantomData }.compute_with(options)?)
}

/// Pieces as a collection: computing it gives them in the order of the grid.
struct Pieces<T> {
    port: Port,
    piece: PhantomData<fn() -> T>,
}

impl<T: Piece> Collection for Pieces<T> {
    type Output = Vec<T>;

    fn port(&self) -> &Port {
        &self.port
    }

    fn gather(&self, chunks: Vec<ChunkRef>) -> Result<Vec<T>, TaskError> {
        let piece = |chunk: &ChunkRef| chunk.downcast_ref::<PieceChunk<T>>().map(|piece| piece.0.clone());
        chunks.iter().map(|chunk| piece(chunk).ok_or_else(|| TaskError::new(Error::NothingToMerge))).collect()
    }

    fn with_port(&self, port: Port) -> Self {
        Pieces { port, piece: PhantomData }
    }
}
