//! Lazy chunked n-dimensional arrays: [`ndarray`] larger than memory, on all cores.
//!
//! # Should I be using this crate?
//!
//! | you have | take |
//! |---|---|
//! | an array that fits in memory and work of a few milliseconds | `ndarray` alone |
//! | an array larger than memory, or seconds of work on it | this crate |
//! | arrays together with tables, bags, images or models | the facade `musher`, which re-exports this crate |
//!
//! An [`Array<A, D>`](Array) has ndarray's dimensions and names. It is divided into blocks, each an ndarray array of
//! its own, and a call on it computes nothing: it adds a layer to a graph. `compute()` runs the graph.
//!
//! ```
//! use musher_array::prelude::*;
//! use musher_array::ndarray::{Axis, s};
//!
//! let x = random::normal((1000, 600), (250, 200)).seed(42).build();
//! let z = (&x - x.mean_axis(Axis(0))) / x.std_axis(Axis(0), 0.0);
//! let outliers = z.abs().gt(3.0).count_true();
//! assert!((500..3000).contains(&outliers.compute()?));
//! let corner: ndarray::Array2<f64> = z.slice(s![..3, ..;-200]).compute()?;
//! assert_eq!(corner.shape(), [3, 3]);
//! # Ok::<(), musher_scheduler::Error>(())
//! ```
//!
//! Dimensions are checked by the compiler:
//!
//! ```compile_fail,E0277
//! use musher_array::{Array, ndarray::Axis};
//! let scalar = Array::<f64, _>::zeros((2, 3), 1).sum();
//! let _ = scalar.sum_axis(Axis(0)); // an array without axes has none to reduce
//! ```
//!
//! # What is where
//!
//! - *Making arrays*: [`Array::from_array`], [`Array::zeros`], [`Array::arange`], [`Array::from_shape_fn`], [`random`],
//!   [`Array::read_npy`], [`Array::from_delayed`].
//! - *Elementwise*: the operators, [`Array::mapv`], [`Array::zip_map`], [`Array::select`], [`Array::cast`], comparisons such as
//!   [`Array::lt`], and mathematics such as [`Array::exp`], all rows of one table ([`kernel::ops`]). A chain of them is one
//!   pass: see [`kernel::strip`].
//! - *Reductions*: [`Array::sum`], [`Array::std`], [`Array::max`], [`Array::argmin`], …, over some axes or with a mask by
//!   [`Array::over`]: see [`kernel::reduce`] for the order in which elements meet.
//! - *Statistics*: [`Array::histogram`], [`histogramdd`], [`Array::bincount`], [`Array::coarsen`], [`Array::moment`],
//!   [`Array::cov`], [`Array::diff`], [`Array::gradient`], [`Array::search_sorted`], [`Array::is_in`], [`Array::is_close`].
//! - *Order*: [`Array::sort`], [`Array::argsort`], [`Array::partition`], [`Array::topk`], [`Array::median`],
//!   [`Array::quantile`], over some axes by [`Array::over`].
//! - *Running totals*: [`Array::cumsum`], [`Array::cumprod`], [`Array::cummax`], [`Array::cummin`], [`Array::forward_fill`].
//! - *Layout*: [`Array::slice`], [`Array::t`], [`Array::insert_axis`], [`Array::broadcast_to`], [`Array::reshape`],
//!   [`Array::rechunk`], [`concatenate`], [`stack`], [`vstack`], [`Array::block`], [`Array::split`], [`Array::flip`],
//!   [`Array::roll`], [`Array::pad`], [`Array::tile`], [`Array::repeat`], [`Array::tril`], [`Array::diagonal`], [`meshgrid`].
//! - *Elements by number or truth*: [`Array::take`], [`Array::compress`], [`Array::vindex`]; [`Array::filter`] and
//!   [`Array::nonzero`], which give a [`Selected`]; [`Array::choose`], [`Array::piecewise`]; [`Array::assign`].
//! - *Your own functions on blocks*: [`Array::map_blocks`], [`Array::map_overlap`], [`Array::to_delayed`]; of neighborhoods:
//!   [`neighborhood`].
//! - *Linear algebra*: [`Array::matmul`], [`linalg::einsum`], [`Array::tensordot`], [`Array::qr`], [`Array::svd`],
//!   [`Array::svd_compressed`], [`Array::solve`], [`Array::lstsq`], [`Array::cholesky`], [`Array::det`], [`Array::eigh`],
//!   [`Array::norm`], and more: see [`linalg`].
//! - *Files*: [`Array::read_npy`], [`Array::to_npy_stack`], [`Array::read_raw`], many at once by [`store`]; Zarr by `read_zarr`
//!   and `to_zarr`, with the feature `zarr`.
//! - *Fourier transforms*: [`fft`]. *Tests of hypotheses*: [`stats`]. *Masked elements*: [`masked`].
//!
//! # What is promised
//!
//! For given blocks an answer has the same bits for any number of threads, any memory limit, fused or not, with or
//! without vector instructions ([`fft`] alone takes the instructions that there are). Integers never wrap: sums widen to 64 bits, and what does not fit is an error.
//!
//! # In a dev build
//!
//! Cargo does not optimise dependencies there, and work on blocks is many times slower. Run what computes with
//! `--release`, or say in your `Cargo.toml`:
//!
//! ```toml
//! [profile.dev.package]
//! musher-array = { opt-level = 2 }
//! ndarray = { opt-level = 2 }
//! musher-graph-core = { opt-level = 2 }
//! musher-scheduler = { opt-level = 2 }
//! ```

mod along;
mod array;
mod assign;
mod block;
mod blockwise;
mod choices;
mod chunks;
mod coarsen;
mod creation;
mod cumulative;
mod delayed;
mod differences;
mod element;
mod elementwise;
mod error;
mod feed;
pub mod fft;
mod from_array;
mod functions;
mod gather;
mod groups;
mod halos;
mod histogram;
mod join;
pub mod kernel;
mod layout;
pub mod linalg;
mod lines;
mod lookup;
mod map_blocks;
pub mod masked;
mod moments;
mod nearness;
pub mod neighborhood;
mod npy;
mod npy_stack;
mod operators;
mod order;
mod overlap;
mod pad;
mod per_axis;
mod per_block;
mod picture;
mod points;
pub mod prelude;
mod quantiles;
pub mod random;
mod ranges;
mod ranks;
mod raw_file;
mod rechunk;
mod reductions;
mod region;
mod reorder;
mod repeat;
mod reshape;
mod selected;
mod slicing;
mod split;
mod stacks;
mod stage;
pub mod stats;
mod store;
mod strip_task;
mod take;
mod together;
mod triangle;
mod unique;
mod windows;
#[cfg(feature = "zarr")]
pub mod zarr;

pub use along::lexsort;
pub use array::Array;
pub use block::Block;
pub use blockwise::{Named, apply_gufunc, blockwise};
pub use choices::Branch;
pub use chunks::{Chunking, Chunks};
pub use element::{
    Bits, Buffer, DType, Element, Float, Inexact, Integer, Number, Ordered, Plain, Real, Scalar, Source,
    Visit,
};
pub use error::{Error, ReducedAxes, Shape};
pub use gather::Gather;
pub use groups::GroupedAxis;
pub use histogram::{bin_edges, histogram2d, histogramdd, histogramdd_weighted};
pub use join::{concatenate, stack};
pub use kernel::npy::NpyError;
pub use kernel::overlap::{Boundary, Depth};
pub use lookup::Side;
pub use map_blocks::BlockPlace;
pub use ndarray;
pub use num_complex::Complex;
pub use operators::{ArrayOperand, ArrayOrScalar};
pub use per_axis::PerAxis;
pub use quantiles::Interpolation;
pub use reductions::{All, Axes, Over};
pub use selected::Selected;
pub use stacks::{column_stack, dstack, hstack, vstack};
pub use store::store;
pub use together::{Indexing, broadcast_arrays, meshgrid, unify_chunks};
pub use unique::Unique;
pub use windows::{Overhang, Rolling};
