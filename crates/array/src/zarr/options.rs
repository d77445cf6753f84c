//! How Zarr arrays are read and written.

use crate::chunks::Chunks;
use crate::element::{Element, Scalar};
use crate::kernel::zarr::{Compression, Version};
use serde_json::{Map, Value};

/// What a chunk means that is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Missing {
    /// Something went wrong: reading is refused.
    #[default]
    Error,
    /// It was never written, and its elements have the fill value.
    Fill,
}

/// How a Zarr array is read. A wish for blocks is one of these, too.
///
/// # Examples
/// ```
/// use musher_array::zarr::{Missing, ReadOptions};
/// let sparse = ReadOptions::default().missing(Missing::Fill);
/// let blocks = ReadOptions::from((1000, 1000));
/// # let _ = (sparse, blocks);
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ReadOptions {
    pub(super) chunks: Option<Chunks>,
    pub(super) missing: Missing,
}

impl ReadOptions {
    /// Other blocks than the stored chunks or shards. Where they cut stored chunks, those are read whole and divided then.
    #[must_use]
    pub fn chunks(self, chunks: impl Into<Chunks>) -> Self {
        Self { chunks: Some(chunks.into()), ..self }
    }

    /// What a chunk means that is not there.
    #[must_use]
    pub fn missing(self, missing: Missing) -> Self {
        Self { missing, ..self }
    }
}

impl<C: Into<Chunks>> From<C> for ReadOptions {
    fn from(chunks: C) -> Self {
        Self::default().chunks(chunks)
    }
}

/// How a Zarr array is written. A [`Compression`] and a [`Version`] are each one of these, too.
///
/// # Examples
/// ```
/// use musher_array::zarr::{Compression, WriteOptions};
/// let shards = WriteOptions::default().chunks((100, 100)).shards((1000, 1000));
/// let plain = WriteOptions::from(Compression::None).checksum(false);
/// # let _ = (shards, plain);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WriteOptions {
    pub(super) version: Version,
    pub(super) compression: Compression,
    pub(super) checksum: bool,
    pub(super) chunks: Option<Chunks>,
    pub(super) shards: Option<Chunks>,
    pub(super) fill: Option<Scalar>,
    pub(super) separator: Option<char>,
    pub(super) names: Option<Vec<Option<String>>>,
    pub(super) attributes: Map<String, Value>,
    pub(super) overwrite: bool,
    pub(super) region: Option<Vec<usize>>,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self {
            version: Version::default(),
            compression: Compression::default(),
            checksum: true,
            chunks: None,
            shards: None,
            fill: None,
            separator: None,
            names: None,
            attributes: Map::new(),
            overwrite: true,
            region: None,
        }
    }
}

impl WriteOptions {
    /// The version of the format: 3 if nothing else is said.
    #[must_use]
    pub fn version(self, version: Version) -> Self {
        Self { version, ..self }
    }

    /// How chunks are compressed: by Zstandard at level 1 if nothing else is said.
    #[must_use]
    pub fn compression(self, compression: Compression) -> Self {
        Self { compression, ..self }
    }

    /// Whether chunks have checksums, as they have if nothing else is said: CRC32C in version 3; in version 2 Zstandard's
    /// own, and none with other codecs.
    #[must_use]
    pub fn checksum(self, checksum: bool) -> Self {
        Self { checksum, ..self }
    }

    /// The stored chunks: the array's blocks if nothing else is said. All are of one shape: that of the first, or where blocks differ the largest.
    #[must_use]
    pub fn chunks(self, chunks: impl Into<Chunks>) -> Self {
        Self { chunks: Some(chunks.into()), ..self }
    }

    /// Files that hold many chunks each, of lengths that are rounded up to whole chunks. Version 3 has them.
    #[must_use]
    pub fn shards(self, shards: impl Into<Chunks>) -> Self {
        Self { shards: Some(shards.into()), ..self }
    }

    /// The value of elements that are not stored, of the array's type: 0 if nothing else is said.
    #[must_use]
    pub fn fill_value<A: Element>(self, value: A) -> Self {
        Self { fill: Some(value.into_scalar()), ..self }
    }

    /// What stands between the numbers of a chunk's name, `/` or `.`: in version 3 a slash, in version 2 a dot if nothing
    /// else is said.
    #[must_use]
    pub fn separator(self, separator: char) -> Self {
        Self { separator: Some(separator), ..self }
    }

    /// Names of the axes, which version 3 has.
    #[must_use]
    pub fn dimension_names<N: Into<String>>(self, names: impl IntoIterator<Item = N>) -> Self {
        Self { names: Some(names.into_iter().map(|name| Some(name.into())).collect()), ..self }
    }

    /// One more attribute: any JSON.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.attributes.insert(name.into(), value.into());
        self
    }

    /// Attributes, instead of those before.
    #[must_use]
    pub fn attributes(self, attributes: Map<String, Value>) -> Self {
        Self { attributes, ..self }
    }

    /// Whether an array that stands there may be replaced, as it may if nothing else is said. What is no array never is.
    #[must_use]
    pub fn overwrite(self, overwrite: bool) -> Self {
        Self { overwrite, ..self }
    }

    /// Writes into an array that is there, from this element on, and leaves what is around. Its metadata stay, so other
    /// options mean nothing.
    #[must_use]
    pub fn region(self, start: impl Into<Vec<usize>>) -> Self {
        Self { region: Some(start.into()), ..self }
    }
}

impl From<Compression> for WriteOptions {
    fn from(compression: Compression) -> Self {
        Self::default().compression(compression)
    }
}

impl From<Version> for WriteOptions {
    fn from(version: Version) -> Self {
        Self::default().version(version)
    }
}
