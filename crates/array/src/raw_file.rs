//! Elements in files without a header, such as the programs of instruments write.

use crate::array::Array;
use crate::chunks::Chunks;
use crate::element::Element;
use crate::error::Error;
use crate::kernel::npy::{NpyError, NpyHeader};
use crate::npy::{NpyFile, stored, written};
use musher_graph_core::{Delayed, Site};
use musher_scheduler::files::FileFacts;
use ndarray::{Dimension, IntoDimension};
use std::path::Path;

impl<A: Element, D: Dimension> Array<A, D> {
    /// The array whose elements stand in a file from byte `offset` on, in C order and little-endian, without a header. Each
    /// task reads the rows of its own block.
    ///
    /// **Shape** `shape`; the file may be longer. Blocks are those of `chunks`.
    /// **Cost** as for [`read_npy`](Self::read_npy).
    ///
    /// # Errors
    /// [`Error::Npy`] when the file cannot be read, or is shorter than the elements; [`Error::Chunks`] when `chunks` does not
    /// fit the shape.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("samples.raw");
    /// std::fs::write(&path, [9, 1, 0, 2, 0, 3, 1])?;
    /// let x = Array::<u16, _>::read_raw(&path, 1, 3, 2)?;
    /// assert_eq!(x.compute()?, arr1(&[1, 2, 259]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "numpy.fromfile")]
    #[doc(alias = "numpy.memmap")]
    pub fn read_raw<Sh>(
        path: impl AsRef<Path>,
        offset: u64,
        shape: Sh,
        chunks: impl Into<Chunks>,
    ) -> Result<Self, Error>
    where
        Sh: IntoDimension<Dim = D>,
    {
        let (caller, path, shape) = (Site::caller(), path.as_ref(), shape.into_dimension());
        let npy = |source: NpyError| Error::Npy { operation: "read_raw", path: path.to_owned(), source };
        let chunking = chunks.into().resolve(shape.slice(), A::DTYPE)?;
        let facts = FileFacts::of(path).map_err(|error| npy(error.into()))?;
        let header = header::<A>(shape.slice(), offset);
        let (expected, found) = (header.file_bytes().map_err(npy)?, facts.bytes());
        if expected > found {
            return Err(npy(NpyError::Truncated { expected, found }));
        }
        Ok(Self::from_core(stored::<A>("read_raw", NpyFile { facts, header }, chunking, caller)))
    }

    /// Writes the elements alone to a file, in C order and little-endian, when the returned value is computed; otherwise as
    /// [`to_npy`](Self::to_npy).
    ///
    /// # Examples
    /// ```
    /// use musher_array::Array;
    /// use musher_scheduler::Compute;
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("samples.raw");
    /// Array::<u16, _>::arange(1, 4, 1, 2).to_raw(&path).compute()?;
    /// assert_eq!(std::fs::read(&path)?, [1, 0, 2, 0, 3, 0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[must_use = "nothing is written before the returned value is computed"]
    #[doc(alias = "numpy.ndarray.tofile")]
    pub fn to_raw(&self, path: impl AsRef<Path>) -> Delayed<()> {
        let header = header::<A>(&self.shape(), 0);
        written::<A>("to_raw", self.core(), path.as_ref(), Vec::new(), header, Site::caller())
    }
}

/// What a header would say.
fn header<A: Element>(shape: &[usize], offset: u64) -> NpyHeader {
    NpyHeader { data_offset: offset, ..NpyHeader::of::<A>(shape) }
}
