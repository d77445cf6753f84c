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
pub use sink::{Reducer, VisitAlgebra, reducer, row_length};
pub use states::{ArgFloat, ArgInteger, Moments, Product, States};

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

#[cfg(test)]
mod tests;
