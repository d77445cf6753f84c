//! Zarr arrays in and out, versions 2 and 3: chunk by chunk, with checksums, by one writer for each stored chunk.
//!
//! [`Array::read_zarr`] and [`Array::to_zarr`] do the work; what one file says is in [`Info`].
//! Metadata and codecs are those of the crate `zarrs`; files are read and written by tasks of the graph, so that a plan
//! knows them before it runs, a memory limit holds, and an array appears under its name when it is complete.
//!
//! ```
//! use musher_array::{Array, ndarray::Ix2, zarr::{Compression, Info, ReadOptions, WriteOptions}};
//! use musher_scheduler::Compute;
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("x.zarr");
//! let x = Array::from_shape_fn((50, 40), (20, 20), |(i, j)| (i * 40 + j) as f32);
//! let options = WriteOptions::default().compression(Compression::BloscLz4 { level: 5 }).dimension_names(["y", "x"]);
//! x.to_zarr(&path, options.attribute("unit", "m"))?.compute()?;
//!
//! let info = Info::open(&path)?;
//! assert_eq!((info.shape(), info.stored()), ([50, 40].as_slice(), [20, 20].as_slice()));
//! assert_eq!(info.attributes()["unit"], "m");
//! let again = Array::<f32, Ix2>::read_zarr(&path, ReadOptions::default())?;
//! assert_eq!(again.sum().compute()?, x.sum().compute()?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is read and written
//!
//! | | read | written |
//! |---|---|---|
//! | element types | `bool`, integers of 8 to 64 bits, floats and complex numbers of 32 and 64, of either byte order | the same, little-endian |
//! | codecs | `bytes`, `transpose` (order F), `zstd`, `gzip`, `zlib`, `blosc` with all its inner ones, `crc32c` | `zstd`, `blosc`, `gzip` or none, then `crc32c` |
//! | shards | of one level, also chunk by chunk | whole, by one task each |
//! | names of chunks | any | `c/0/1` or `c.0.1`; `0.1` or `0/1` in version 2 |
//!
//! Chunks of several sizes, variable lengths, groups and consolidated metadata are not read.
//!
//! A chunk that is not there is an error ([`Missing`]), and so is one that is cut short, too long, or changed: by its
//! checksum where it has one. A chunk that a shard's own list leaves out is one of fill values, as its writer has said so.

mod info;
mod opened;
mod options;
mod read;
mod write;

#[doc(no_inline)]
pub use crate::kernel::zarr::{Compression, Version, ZarrError};
pub use info::Info;
pub use options::{Missing, ReadOptions, WriteOptions};
#[doc(no_inline)]
pub use serde_json;

#[cfg(doc)]
use crate::array::Array;
