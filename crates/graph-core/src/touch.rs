//! What a task touches outside memory: told before it runs, so that a plan can be checked before the first byte.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// A part of a file, or of a folder that holds one thing, that a task reads or writes.
///
/// # Examples
/// ```
/// use musher_graph_core::{Access, Region, Touch};
/// let part = Touch::write("table.npy").region(Region::Bytes(128..4096));
/// assert_eq!((part.access, part.path.to_str()), (Access::Write, Some("table.npy")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    /// Where it is.
    pub path: Arc<Path>,
    /// Which part of it.
    pub region: Region,
    /// What is done with it.
    pub access: Access,
}

/// Whether something is read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It must be there when the plan starts.
    Read,
    /// It is made or overwritten.
    Write,
}

/// Which part of a file or folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Region {
    /// All of it; of a folder also what is in it.
    #[default]
    Whole,
    /// These bytes.
    Bytes(Range<u64>),
    /// A box of the units in which it is stored, such as the chunks of a chunked array: from the first unit to
    /// behind the last one, along each axis. A unit is written by one task or is lost.
    Units {
        /// The first unit.
        start: Box<[u64]>,
        /// Behind the last unit.
        end: Box<[u64]>,
    },
}

impl Touch {
    /// Reads all of this.
    pub fn read(path: impl AsRef<Path>) -> Self {
        Self { path: path.as_ref().into(), region: Region::Whole, access: Access::Read }
    }

    /// Writes all of this.
    pub fn write(path: impl AsRef<Path>) -> Self {
        Self { access: Access::Write, ..Self::read(path) }
    }

    /// The same of this part only.
    #[must_use]
    pub fn region(self, region: Region) -> Self {
        Self { region, ..self }
    }
}
