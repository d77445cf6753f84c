//! The Zarr format of one array, versions 2 and 3: what its metadata say, and any box of its elements by its chunks.
//!
//! Metadata, data types, fill values and codecs are those of the crate `zarrs`. Where bytes stand in a file is settled here,
//! because a file is hostile until proven otherwise: a compressed chunk is never given more memory than its metadata promise,
//! a chunk that is not there is told from one that is, and of a shard only the chunks that are needed are read, one by one.
//!
//! Source: the specifications of Zarr versions 2 and 3, and that of the codec `sharding_indexed`.

mod chain;
mod document;
mod error;
mod layout;
mod parts;
mod shard;

pub use document::{Compression, Version};
pub use error::ZarrError;

pub(crate) use document::Document;
pub(crate) use layout::{Layout, MOST_METADATA};
pub(crate) use parts::{Found, covering, read_block, write_file};

#[cfg(target_endian = "big")]
compile_error!("the feature `zarr` copies decoded chunks as they are, in little-endian order");
