//! Reductions in three parts: *partial* (states of one block), *combine* (two states to one), *finish* (a state to
//! the answer).
//!
//! Which elements meet in which order is fixed by their index, so that neither tiles nor threads nor fusion change a
//! bit. Along rows a state is made for each [`SEGMENT`] of neighbors, with fixed lanes inside; across rows one for
//! each [`GROUP`] of rows, in order; then states are combined pairwise as a tree by index.

mod accumulate;
mod sink;
mod states;

pub use accumulate::{Accumulate, combine_states};
pub use sink::{Reducer, VisitAlgebra, reducer, row_length, state_bytes};
pub use states::{ArgFloat, ArgInteger, Moments, Product, States};

use crate::element::DType;

/// Neighbors along a row that make one state.
pub const SEGMENT: usize = 128;

/// Rows that are accumulated in order before a tree takes over.
pub const GROUP: usize = 32;

/// What a reduction collects. Several answers stand on one: mean and sum on [`Sum`](Self::Sum), variance and standard
/// deviation on [`Moments`](Self::Moments).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reduction {
    /// The sum: of floats in `f64`, of integers exact in 128 bits.
    Sum,
    /// Mean and sum of squared deviations, shifted by an element of their own group.
    Moments,
    /// The product: of floats in `f64`, of integers exact in 128 bits or known not to fit.
    Product,
    /// The smallest element; NaN if there is one.
    Min,
    /// The largest element; NaN if there is one.
    Max,
    /// Whether any element is true.
    Any,
    /// Whether all elements are true.
    All,
    /// The first smallest element and its index; the first NaN if there is one.
    ArgMin,
    /// The first largest element and its index; the first NaN if there is one.
    ArgMax,
}

impl Reduction {
    /// The type in which elements of a type are reduced: exact, and far fewer types than there are elements.
    #[must_use]
    pub const fn widened(self, dtype: DType) -> DType {
        match (self, dtype) {
            (Self::Min | Self::Max | Self::Any | Self::All, _) => dtype,
            (Self::Moments, DType::I8 | DType::I16 | DType::I32 | DType::I64) => DType::F64,
            (Self::Moments, DType::U8 | DType::U16 | DType::U32 | DType::U64) => DType::F64,
            (_, DType::I8 | DType::I16 | DType::I32) => DType::I64,
            (_, DType::U8 | DType::U16 | DType::U32) => DType::U64,
            _ => dtype,
        }
    }
}

#[cfg(test)]
mod tests;
