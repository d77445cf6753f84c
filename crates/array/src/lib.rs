//! Lazy chunked n-dimensional arrays: the array crate of musher.

mod array;
mod block;
mod chunks;
mod element;
mod error;
mod from_array;
mod gather;
pub mod kernel;
pub mod linalg;
mod map_blocks;
mod npy;
mod overlap;
mod rechunk;
mod region;

pub use array::Array;
pub use block::Block;
pub use chunks::{Chunking, Chunks};
pub use element::{Bits, Buffer, DType, Element, Float, Integer, Number, Plain, Real, Scalar, Source, Visit};
pub use error::{Error, ReducedAxes, Shape};
pub use gather::Gather;
pub use kernel::npy::NpyError;
pub use kernel::overlap::{Boundary, Depth};
pub use map_blocks::BlockPlace;
pub use ndarray;
pub use num_complex::Complex;
pub use overlap::{Boundaries, Depths};
