//! Reductions in three parts: *partial* (states of one block), *combine* (two states to one), *finish* (a state to
//! the answer).
//!
//! Which elements meet in which order is fixed by their index, so that neither tiles nor threads nor fusion change a
//! bit. Along rows a state is made for each [`SEGMENT`] of neighbors, with fixed lanes inside; across rows one for
//! each [`GROUP`] of rows, in order; then states are combined pairwise as a tree by index.

mod accumulate;
mod axes;
mod groups;
mod masked;
mod sink;
mod states;

pub use crate::block::StateList;
pub use accumulate::{Accumulate, combine_states};
pub(crate) use accumulate::{AllOf, AnyOf, ArgMax, ArgMin, Max, Min, Prod, Spread, Sum};
pub use axes::{AxisSet, ordered_axes, row_length, scratch_states};
pub use groups::Groups;
pub(crate) use masked::Counted;
pub use masked::CountedState;
pub use sink::{Algebra, Reducer, Reduction, States};
pub use states::{ArgFloat, ArgInteger, Product};

/// Neighbors along a row that make one state.
pub const SEGMENT: usize = 128;

/// Rows that are accumulated in order before a tree takes over.
pub const GROUP: usize = 32;

#[cfg(test)]
mod tests;
