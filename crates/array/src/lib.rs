//! Lazy chunked n-dimensional arrays: the array crate of musher.

mod array;
mod block;
mod chunks;
mod element;
mod error;
mod from_array;
mod gather;
pub mod kernel;
mod map_blocks;

pub use array::Array;
pub use block::Block;
pub use chunks::{Chunking, Chunks};
pub use element::{Bits, Buffer, DType, Element, Float, Integer, Number, Plain, Real, Scalar, Source};
pub use error::{Error, ReducedAxes, Shape};
pub use gather::Gather;
pub use map_blocks::BlockPlace;
pub use ndarray;
pub use num_complex::Complex;
