//! What a Zarr array in files is like.

use crate::element::DType;
use crate::error::Error;
use crate::kernel::zarr::{Layout, Version};
use crate::zarr::opened::Opened;
use serde_json::{Map, Value};
use std::fmt;
use std::path::Path;

/// What a Zarr array in files is like: shape, element type, chunks, names and attributes.
///
/// # Examples
/// ```
/// use musher_array::{Array, DType, zarr::{Info, Version, WriteOptions}};
/// use musher_scheduler::Compute;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("x.zarr");
/// Array::arange(0, 10, 1, 4).to_zarr(&path, WriteOptions::default().chunks(2).shards(6))?.compute()?;
/// let info = Info::open(&path)?;
/// assert_eq!((info.version(), info.dtype(), info.shape()), (Version::V3, DType::I32, [10].as_slice()));
/// assert_eq!((info.chunks(), info.stored()), ([2].as_slice(), [6].as_slice()));
/// assert_eq!(info.codecs(), ["sharding_indexed"]);
/// assert_eq!(info.dimension_names(), None);
/// assert!(info.attributes().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Info(Layout);

impl Info {
    /// Reads the metadata of the array in a folder.
    ///
    /// # Errors
    /// [`Error::Zarr`] when there is none, or none that can be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let layout = Opened::look(path, None).and_then(|opened| opened.layout());
        layout.map(Self).map_err(|source| Error::Zarr {
            operation: "Info::open",
            path: path.to_owned(),
            source,
        })
    }

    /// The version of the format.
    #[must_use]
    pub fn version(&self) -> Version {
        self.0.version
    }

    /// The lengths of the axes.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.0.shape
    }

    /// The element type.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.0.dtype
    }

    /// The lengths of a chunk, the least that can be read.
    #[must_use]
    pub fn chunks(&self) -> &[usize] {
        &self.0.chunk
    }

    /// The lengths of what stands in one file: a shard, or a chunk where there are no shards.
    #[must_use]
    #[doc(alias = "shards")]
    pub fn stored(&self) -> &[usize] {
        &self.0.file
    }

    /// What the chunks go through when they are written, by name.
    #[must_use]
    pub fn codecs(&self) -> Vec<String> {
        self.0.codecs()
    }

    /// The names of the axes, if they have any.
    #[must_use]
    pub fn dimension_names(&self) -> Option<&[Option<String>]> {
        self.0.names.as_deref()
    }

    /// Whatever else is said of the array.
    #[must_use]
    pub fn attributes(&self) -> &Map<String, Value> {
        &self.0.attributes
    }
}

impl fmt::Debug for Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("Info");
        text.field("version", &self.version()).field("dtype", &self.dtype()).field("shape", &self.shape());
        text.field("chunks", &self.chunks()).field("stored", &self.stored()).finish_non_exhaustive()
    }
}
