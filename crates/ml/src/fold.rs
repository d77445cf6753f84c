//! Partial answers of blocks, and the tree by which they become one.

use std::panic::Location;

use musher_graph_core::{
    Chunk, ChunkRef, Collection, Facts, FnTask, Grid, Inputs, Layer, Measure, Place, Port, TaskError, Wiring,
};
use musher_scheduler::{Compute, Options};

use crate::error::Error;
use crate::kernel::labels::Distinct;
use crate::kernel::logistic::LogisticSums;
use crate::kernel::moments::Moments;
use crate::label::Label;

/// How many partial answers one task merges.
const FAN_IN: usize = 8;

/// The partial answer of one kernel.
pub(crate) trait Piece: Measure + Clone + Send + Sync + 'static {
    /// Name and version of the merge.
    const MERGE: &'static str;

    /// Of the rows of both; `other` comes later.
    fn merge(self, other: &Self) -> Self;
}

impl Measure for Moments {
    fn nbytes(&self) -> usize {
        size_of::<Self>() + 3 * self.mean.len() * size_of::<f64>()
    }
}

impl Piece for Moments {
    const MERGE: &'static str = "ml.moments.merge/1";

    fn merge(self, other: &Self) -> Self {
        Moments::merge(self, other)
    }
}

impl Measure for LogisticSums {
    fn nbytes(&self) -> usize {
        size_of::<Self>() + (self.gradient.len() + self.hessian.len()) * size_of::<f64>()
    }
}

impl Piece for LogisticSums {
    const MERGE: &'static str = "ml.logistic.merge/1";

    fn merge(self, other: &Self) -> Self {
        LogisticSums::merge(self, other)
    }
}

impl<L: Label> Measure for Distinct<L> {
    fn nbytes(&self) -> usize {
        size_of::<Self>() + self.labels.len() * size_of::<L>()
    }
}

impl<L: Label> Piece for Distinct<L> {
    const MERGE: &'static str = "ml.labels.merge/1";

    fn merge(self, other: &Self) -> Self {
        Distinct::merge(self, other)
    }
}

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
            Ok(PieceChunk(rest.iter().fold(first.0.clone(), |acc, piece| acc.merge(&piece.0))))
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
    Ok(Pieces { port: Port::of(pieces), piece: std::marker::PhantomData }.compute_with(options)?)
}

/// Pieces as a collection: computing it gives them in the order of the grid.
struct Pieces<T> {
    port: Port,
    piece: std::marker::PhantomData<fn() -> T>,
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
        Pieces { port, piece: std::marker::PhantomData }
    }
}
