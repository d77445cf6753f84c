//! Pure functions on one block of data. Nothing here knows of keys, graphs or schedulers.
//!
//! Users seldom come here; people who write array operations do. Reading order: [`ops`] (loops over slices), `math`
//! (sine, exponential and their kin), [`random`] (numbers from an index), [`strip`] (fused programs), [`reduce`] (states of reductions),
//! [`fft`] (Fourier transforms of lines).

pub mod assemble;
pub mod best;
pub mod bins;
pub mod fft;
pub mod keys;
pub(crate) mod math;
pub mod memory;
pub mod npy;
pub mod ops;
pub mod overlap;
pub mod random;
pub mod ranges;
pub mod reduce;
pub mod running;
pub mod runs;
pub mod select;
pub(crate) mod simd;
pub(crate) mod special;
pub mod strip;
pub mod transfer;
#[cfg(feature = "zarr")]
pub(crate) mod zarr;
