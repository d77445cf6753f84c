//! What can go wrong with a bag: when it is built, and while it runs.

use std::fmt;
use std::io;
use std::path::PathBuf;

use musher_graph_core::{Site, report};
use musher_scheduler::files::FilesError;
use musher_scheduler::sink::SinkError;

/// Why a bag could not be built, read or written.
///
/// Errors of building name the user's line. Errors of computing reach the user inside the scheduler's error, which adds
/// operation, place and line, and from there as its `source()`.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The files that a pattern means could not be found.
    #[error("{caller}: {operation}: {source}")]
    Find {
        /// The method that was called.
        operation: &'static str,
        /// The user's line.
        caller: Site,
        /// What is wrong.
        source: FilesError,
    },
    /// A file could not be opened, or has changed since the bag was built.
    #[error(transparent)]
    File(FilesError),
    /// A file could not be read to its end.
    #[error("cannot read {} at byte {offset}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Bytes from the start of the decoded text.
        offset: u64,
        /// The system's or the decoder's reason.
        source: io::Error,
    },
    /// A text file holds a byte that is not UTF-8.
    #[error("{}: line {line}, byte {offset}: not UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// Bytes from the start of the decoded text.
        offset: u64,
    },
    /// A line is not JSON, or not of the wanted form.
    #[error("{}: line {line}, column {}: {}", path.display(), json.column(), without_place(json))]
    Json {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// Bytes from the start of the decoded text to the line's first byte.
        offset: u64,
        /// What is wrong, and in which column; serde_json counts each line as line 1.
        json: serde_json::Error,
    },
    /// Two bags that go together item by item have different numbers of partitions.
    #[error("bags of {left} and {right} partitions cannot be zipped")]
    Partitions {
        /// Partitions of the first bag.
        left: usize,
        /// Partitions of the second bag.
        right: usize,
    },
    /// Two partitions that go together item by item have different lengths.
    #[error("partition {partition} has {left} items in one bag and {right} in the other")]
    Lengths {
        /// Number of the partition.
        partition: usize,
        /// Items in the first bag.
        left: usize,
        /// Items in the second bag.
        right: usize,
    },
    /// A sum of integers does not fit into the type of the result.
    #[error("the sum does not fit into {of}")]
    SumOverflow {
        /// The type of the result.
        of: &'static str,
    },
    /// An item has no such field.
    #[error("the item has no field `{field}`")]
    NoField {
        /// The field's name.
        field: String,
    },
    /// A file could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The name of an output file for several partitions has no `*` for their numbers.
    #[error("`{pattern}` needs exactly one `*`, in the file's name, for the number of the partition")]
    OutputPattern {
        /// The pattern as given.
        pattern: String,
    },
    /// Items without a serde form were to be staged.
    #[error("items of {item} cannot be staged on disk: call `.encoded()` on the bag")]
    NotEncoded {
        /// The items' type.
        item: &'static str,
    },
    /// A bag needs at least one partition.
    #[error("a bag has at least one partition")]
    NoPartitions,
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report(self, f)
    }
}

/// What is wrong with a line, without the place in it.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).map_or_else(|| text.clone(), str::to_owned)
}

impl From<SinkError> for Error {
    fn from(error: SinkError) -> Self {
        Self::Write { path: error.path().to_owned(), source: error.into() }
    }
}
