//! What is wrong with a Zarr array, or why a chunk of it cannot be had.

use crate::element::DType;
use crate::kernel::memory::OutOfMemory;
use crate::kernel::npy::IoError;
use std::io;

/// What is wrong with a Zarr array, or why a chunk of it cannot be read or written.
///
/// A chunk is named by its file in the array's folder, and by its place in there if that is a shard.
///
/// # Examples
/// ```
/// use musher_array::{Array, Error, ndarray::Ix1, zarr::{ReadOptions, ZarrError}};
/// let folder = tempfile::tempdir()?;
/// let error = Array::<f64, Ix1>::read_zarr(folder.path(), ReadOptions::default()).unwrap_err();
/// assert!(matches!(error, Error::Zarr { source: ZarrError::NotAnArray, .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ZarrError {
    /// The folder holds no array.
    #[error("there is neither zarr.json nor .zarray in it")]
    NotAnArray,
    /// The folder is a group of arrays.
    #[error("it is a group of arrays; the path of an array goes on with its name")]
    Group,
    /// The metadata are not those of an array that musher can read.
    #[error("{file}: {problem}")]
    Metadata {
        /// The file that says so.
        file: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The element type in the file is not the one asked for, or none that musher knows.
    #[error("its elements are {found}, expected {expected}")]
    ElementType {
        /// The type that the metadata name.
        found: String,
        /// What was asked for.
        expected: DType,
    },
    /// The number of dimensions is not the one asked for.
    #[error("it has {found} dimensions, expected {expected}")]
    Dimensions {
        /// Dimensions asked for.
        expected: usize,
        /// Dimensions in the file.
        found: usize,
    },
    /// Some chunks are not there.
    #[error(
        "chunk {chunk} is missing (the array has {expected} chunks, {present} are there); read it with \
         `Missing::Fill` if it was never written whole"
    )]
    Missing {
        /// The first of them.
        chunk: String,
        /// Chunks, or shards, that are there.
        present: usize,
        /// Those that the array has.
        expected: usize,
    },
    /// The bytes of a chunk are not those that were written.
    #[error("chunk {chunk}: checksum mismatch (stored {stored:08x}, computed {computed:08x})")]
    Checksum {
        /// The chunk.
        chunk: String,
        /// The checksum in the file.
        stored: u32,
        /// That of the bytes in it.
        computed: u32,
    },
    /// A chunk is cut short, too long, or no product of its codecs.
    #[error("chunk {chunk} is damaged: {problem}")]
    Damaged {
        /// The chunk.
        chunk: String,
        /// What is wrong.
        problem: String,
    },
    /// The file of a chunk is not the one that was there when the array was opened.
    #[error("chunk {chunk} has changed since the array was opened: {how}")]
    Changed {
        /// The chunk.
        chunk: String,
        /// In which way.
        how: String,
    },
    /// A region begins or ends inside a chunk, whose other elements would be lost.
    #[error(
        "along axis {axis} the region {start}..{end} cuts a stored chunk of length {length}; begin and end it at \
         multiples of that, or at the end of the array"
    )]
    Unaligned {
        /// The axis.
        axis: usize,
        /// Where the region begins.
        start: usize,
        /// Behind its last element.
        end: usize,
        /// The length of the stored chunks.
        length: usize,
    },
    /// A region does not lie in the array.
    #[error("the region {start:?} + {shape:?} does not lie in the stored array of shape {stored:?}")]
    OutOfBounds {
        /// Where the region begins.
        start: Box<[usize]>,
        /// Its lengths.
        shape: Box<[usize]>,
        /// Those of the array in the file.
        stored: Box<[usize]>,
    },
    /// There is an array, and it is not to be replaced.
    #[error("there is something already, and it is not to be replaced")]
    Exists,
    /// Memory for a chunk was refused.
    #[error(transparent)]
    OutOfMemory(#[from] OutOfMemory),
    /// A file could not be read or written.
    #[error(transparent)]
    Io(#[from] IoError),
}

impl From<io::Error> for ZarrError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.into())
    }
}
