//! Pure functions on one block of rows: they know neither graphs nor keys.
//!
//! Each kernel returns a small partial answer, a [`Piece`], that merges with that of another block; merged in a fixed order,
//! the answer has the same bits on every scheduler.

pub(crate) mod comoments;
pub(crate) mod labels;
pub(crate) mod logistic;
pub(crate) mod math;
pub(crate) mod moments;
pub(crate) mod newton;
pub(crate) mod solve;
pub(crate) mod split;
pub(crate) mod squares;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Rows that a kernel takes at a time: small enough that a tile of a hundred columns stays in the second-level cache,
/// large enough that the cost of merging tiles vanishes.
pub(crate) const TILE_ROWS: usize = 128;

/// What a kernel says about some rows: plain data.
pub(crate) trait Piece: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Name and version, of its merge in fingerprints and of its fields where it leaves memory.
    const NAME: &'static str;

    /// Bytes of memory that it holds.
    fn nbytes(&self) -> usize;

    /// Whether the fields of what was read back belong together.
    fn is_sound(&self) -> bool;

    /// Takes in what is said about rows that come later.
    fn merge(&mut self, later: Self);
}

/// The first value of a block that is not finite: where it stands, and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cell {
    /// Row, counted from the start of the whole array.
    pub(crate) row: usize,
    /// Column, counted from the start of the whole array.
    pub(crate) column: usize,
    /// NaN or an infinity.
    pub(crate) value: f64,
}

/// The earlier of two cells in C order.
pub(crate) fn first_cell(a: Option<Cell>, b: Option<Cell>) -> Option<Cell> {
    match (a, b) {
        (Some(a), Some(b)) if (b.row, b.column) < (a.row, a.column) => Some(b),
        (Some(a), _) => Some(a),
        (None, b) => b,
    }
}

/// The first value in `row` that is not finite.
pub(crate) fn find_non_finite(row: &[f64], row_index: usize, first_column: usize) -> Option<Cell> {
    row.iter().position(|value| !value.is_finite()).map(|column| Cell {
        row: row_index,
        column: first_column + column,
        value: row[column],
    })
}

/// The pieces of blocks in the order of their rows, merged one by one.
#[cfg(test)]
pub(crate) fn merged<T: Piece>(pieces: impl IntoIterator<Item = T>) -> T {
    let take_in = |mut whole: T, later| {
        whole.merge(later);
        whole
    };
    pieces.into_iter().reduce(take_in).expect("at least one piece")
}
