//! Pure functions on one block, in the order in which the walk-through meets them.
//!
//! They do not know graphs, so each can be tested against a naive loop and measured alone.

pub(crate) mod bspline;
pub(crate) mod color;
pub(crate) mod correlate;
pub(crate) mod distance;
pub(crate) mod eigen;
pub(crate) mod gaussian;
pub(crate) mod gray;
pub(crate) mod label;
pub(crate) mod measure;
pub(crate) mod merge;
pub(crate) mod otsu;
pub(crate) mod rank;
pub(crate) mod resample;
pub(crate) mod separable;
pub(crate) mod taps;
pub(crate) mod thresholds;
pub(crate) mod union_find;
pub(crate) mod widen;
pub(crate) mod windows;
