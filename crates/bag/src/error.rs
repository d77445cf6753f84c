//! What can go wrong with a bag: when it is built, and while it runs.

use std::io;
use std::path::PathBuf;

/// Why a bag could not be built, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The pattern is not a valid one.
    #[error("`{pattern}` is not a valid file pattern")]
    Pattern {
        /// The pattern as given.
        pattern: String,
        /// What is wrong with it.
        source: globset::Error,
    },
    /// No file has a name that the pattern matches.
    #[error("no file matches `{pattern}`")]
    NoFiles {
        /// The pattern as given.
        pattern: String,
    },
    /// A file or folder could not be opened, listed or measured.
    #[error("cannot open {}", path.display())]
    Open {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
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
    /// A file is no longer as long as when the bag was built.
    #[error("{} had {expected} bytes when the bag was built and now has {found}", path.display())]
    FileChanged {
        /// The file.
        path: PathBuf,
        /// Bytes when the bag was built.
        expected: u64,
        /// Bytes now.
        found: u64,
    },
    /// A text file holds a byte that is not UTF-8.
    #[error("{} is not UTF-8 at byte {offset}", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Bytes from the start of the decoded text.
        offset: u64,
    },
    /// A line is not JSON, or not of the wanted form.
    #[error("{} has no valid JSON in the line at byte {offset}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Bytes from the start of the decoded text to the line's first byte.
        offset: u64,
        /// What is wrong, with the column.
        source: serde_json::Error,
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
    /// An item could not be written, or not be read back as it was.
    #[error(
        "items of {item} cannot be staged on disk: their serde form must not skip fields or depend on what is read"
    )]
    Coding {
        /// The items' type.
        item: &'static str,
        /// What is wrong.
        source: postcard::Error,
    },
    /// Items without a serde form were to be staged.
    #[error("items of {item} cannot be staged on disk: call `spillable()` on the bag")]
    NotSpillable {
        /// The items' type.
        item: &'static str,
    },
    /// A bag cannot be cut into no partitions.
    #[error("a bag has at least one partition")]
    NoPartitions,
}
