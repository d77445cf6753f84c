//! What can go wrong when files leave the process.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use musher_graph_core::report;

/// Why files were not written; every one names what was to be written.
///
/// As an [`io::Error`] it keeps its kind, and itself as the cause.
///
/// # Examples
/// ```
/// use musher_scheduler::sink::{SinkError, Target, open};
/// let target = Target::folder("/no/such/folder/parts");
/// let error = open(&target, 1).expect_err("there is no such folder");
/// assert!(matches!(error, SinkError::Io { .. }));
/// assert!(error.to_string().contains("/no/such/folder/parts"));
/// assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::NotFound);
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// The operating system refused something.
    #[error("{}: {action} failed", path.display())]
    Io {
        /// What was to be written.
        path: PathBuf,
        /// What was tried, such as "rename".
        action: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// The file system cannot give a file its name when it is complete, as some that stand on object stores, or the target
    /// is a file system of its own, whose folder cannot be renamed.
    #[error("{}: files cannot be renamed there; write to another folder", path.display())]
    NoRename {
        /// What was to be written.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// What stands there is not a sink's to replace.
    #[error("{}: not replaced, because it holds {found:?}", path.display())]
    Foreign {
        /// What was to be written.
        path: PathBuf,
        /// What stands in it.
        found: OsString,
    },
    /// A part that was written is not there any more.
    #[error("{}: the part {name:?} is missing", path.display())]
    Missing {
        /// What was to be written.
        path: PathBuf,
        /// The part.
        name: String,
    },
    /// A file is not as long as what was written into it.
    #[error("{}: {name:?} has {found} bytes, {expected} were written", path.display())]
    Length {
        /// What was to be written.
        path: PathBuf,
        /// The file or part.
        name: String,
        /// Bytes that were written.
        expected: u64,
        /// Bytes that there are.
        found: u64,
    },
    /// The run whose parts these are has ended, and they with it.
    #[error("{}: its parts are gone, because the run that wrote them has ended", path.display())]
    Gone {
        /// What was to be written.
        path: PathBuf,
    },
}

impl fmt::Debug for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report(self, f)
    }
}

impl SinkError {
    /// What was to be written.
    pub fn path(&self) -> &Path {
        match self {
            Self::Io { path, .. }
            | Self::NoRename { path, .. }
            | Self::Foreign { path, .. }
            | Self::Missing { path, .. }
            | Self::Length { path, .. }
            | Self::Gone { path } => path,
        }
    }
}

impl From<SinkError> for io::Error {
    fn from(error: SinkError) -> Self {
        let kind = match &error {
            SinkError::Io { source, .. } => source.kind(),
            SinkError::NoRename { .. } => io::ErrorKind::Unsupported,
            SinkError::Foreign { .. } => io::ErrorKind::AlreadyExists,
            SinkError::Missing { .. } | SinkError::Gone { .. } => io::ErrorKind::NotFound,
            SinkError::Length { .. } => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}
