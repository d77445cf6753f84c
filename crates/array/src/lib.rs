//! Lazy chunked n-dimensional arrays: the array crate of musher.

mod array;
mod block;
mod chunks;
mod creation;
mod element;
mod elementwise;
mod error;
mod from_array;
mod functions;
mod gather;
pub mod kernel;
pub mod linalg;
mod map_blocks;
mod npy;
mod operators;
mod overlap;
pub mod random;
mod rechunk;
mod reductions;
mod region;
mod strip_task;

pub use array::Array;
pub use block::Block;
pub use chunks::{Chunking, Chunks};
pub use element::{Bits, Buffer, DType, Element, Float, Integer, Number, Plain, Real, Scalar, Source, Visit};
pub use error::{Error, ReducedAxes, Shape};
pub use functions::{select, try_select};
pub use gather::Gather;
pub use kernel::npy::NpyError;
pub use kernel::overlap::{Boundary, Depth};
pub use map_blocks::BlockPlace;
pub use ndarray;
pub use num_complex::Complex;
pub use operators::{ArrayOperand, ArrayOrScalar};
pub use overlap::{Boundaries, Depths};
