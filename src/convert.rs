//! Conversions between sibling collections: only the facade knows more than one of them.
//!
//! They go through the neutral exits that every collection has (`to_delayed`, `from_delayed`), stay lazy, and add one
//! task for each chunk.

#[cfg(feature = "frame")]
mod row;
#[cfg(all(feature = "array", feature = "frame"))]
mod to_array;
#[cfg(all(feature = "array", feature = "bag"))]
mod to_bag;
#[cfg(feature = "frame")]
mod to_frame;

#[cfg(feature = "frame")]
pub use row::{Cell, Row};
#[cfg(all(feature = "array", feature = "frame"))]
pub use to_array::{Number, ToArray, ToArrayError};
#[cfg(all(feature = "array", feature = "bag"))]
pub use to_bag::ToBag;
#[cfg(feature = "frame")]
pub use to_frame::ToFrame;
