//! The tree by which the partial answers of blocks become one.

use std::borrow::Cow;
use std::marker::PhantomData;

use musher_graph_core::{
    AsRecord, ChunkRef, Collection, Combine, Grid, Grouping, Measure, Port, Record, Site, TaskError,
    Tokenizer, tree,
};
use musher_scheduler::{Compute, Options};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::kernel::Piece;

/// A partial answer as plain data, which can leave memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Partial<T>(pub(crate) T);

impl<T: Piece> Measure for Partial<T> {
    fn nbytes(&self) -> usize {
        self.0.nbytes()
    }
}

impl<T: Piece> AsRecord for Partial<T> {
    const KIND: &'static str = T::NAME;

    fn is_sound(&self) -> bool {
        self.0.is_sound()
    }
}

/// Merges pieces; its label is that of the pass.
struct Merge<T> {
    label: &'static str,
    piece: PhantomData<fn() -> T>,
}

impl<T: Piece> Combine for Merge<T> {
    type State = Record<Partial<T>>;

    fn label(&self) -> Cow<'_, str> {
        self.label.into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name(T::NAME);
    }

    fn merge(&self, earlier: &mut Self::State, later: Self::State) -> Result<(), TaskError> {
        earlier.0.0.merge(later.0.0);
        Ok(())
    }
}

/// Merges pieces along the first axis of their grid and computes what comes out: one piece for each place along the other
/// axis (one in all, if there is none).
pub(crate) fn fold<T: Piece>(
    label: &'static str,
    pieces: &Port,
    caller: Site,
    options: &Options,
) -> Result<Vec<T>, Error> {
    let lengths: Vec<usize> = pieces.grid().shape().iter().map(|&n| n as usize).collect();
    let reduced: Vec<bool> = (0..lengths.len()).map(|axis| axis == 0).collect();
    let merge = Merge::<T> { label, piece: PhantomData };
    let port = tree(pieces, &reduced, Grouping::Lines, Grid::from(&lengths[1..]), merge, caller);
    Ok(Pieces { port, piece: PhantomData }.compute_with(options)?)
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
        let piece =
            |chunk: &ChunkRef| chunk.downcast_ref::<Record<Partial<T>>>().map(|piece| piece.0.0.clone());
        chunks.iter().map(|chunk| piece(chunk).ok_or_else(|| TaskError::new(Error::NothingToMerge))).collect()
    }

    fn with_port(&self, port: Port) -> Self {
        Pieces { port, piece: PhantomData }
    }
}

#[cfg(test)]
mod tests {
    use musher_graph_core::Chunk;
    use musher_testkit::check_codec;
    use ndarray::array;

    use super::*;
    use crate::kernel::comoments::Comoments;
    use crate::kernel::labels::Distinct;
    use crate::kernel::logistic::logistic_sums;
    use crate::kernel::moments::ColumnMoments;

    #[track_caller]
    fn check<T: Piece>(piece: T) {
        let is_sound = |chunk: &dyn Chunk| {
            chunk.downcast_ref::<Record<Partial<T>>>().is_some_and(|Record(piece)| piece.is_sound())
        };
        check_codec(&Record(Partial(piece)), is_sound, |work| allocation_counter::measure(work).bytes_max);
    }

    #[test]
    fn pieces_leave_memory_and_come_back_and_damaged_ones_are_refused() {
        let (x, y) = (array![[1.0, 2.5], [-3.0, 1e300], [0.1, 0.0]], array![1.0, -2.0, 0.5]);
        check(ColumnMoments::of(x.view(), (7, 2)));
        check(Comoments::of(x.view(), y.view(), 7));
        check(logistic_sums(x.view(), &[0, 2, 1], &[0.1; 9], 3, true, 7));
        check(Distinct::of(array![3_i64, -1, 3].view(), 7, 10));
        check(Distinct::of(array![true, false].view(), 0, 1));
        check(Distinct::of(array![0.5, f64::NAN].view(), 0, 10));
    }
}
