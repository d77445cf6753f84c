//! Why a checkpoint was not written, not resumed, or not read.

use std::fmt;
use std::io;
use std::path::PathBuf;

use musher_graph_core::{CodecError, Site, report};

/// A checkpoint that could not be written, resumed or read.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The collection's work is known in this process only, and nobody said which version of it this is.
    #[error(
        "checkpoint of {operation} (built at {caller}): its work is known in this process only (a function, a closure \
         or a value without a fingerprint); say which version it is, by `checkpoint_as(path, \"v1\")`"
    )]
    NoVersion {
        /// Label of the collection's last operation.
        operation: String,
        /// The user's line that built it.
        caller: Site,
    },
    /// The chunks cannot be written.
    #[error(
        "checkpoint of {operation} (built at {caller}): no codec is known for its chunks, which so cannot leave memory: call \
         `.encoded()`, or let their type and task say it (`Chunk::codec_of`, `Task::codec`)"
    )]
    NoCodec {
        /// Label of the collection's last operation.
        operation: String,
        /// The user's line that built it.
        caller: Site,
    },
    /// The folder holds the chunks of other work.
    #[error("resume refused: {} holds {held}, and {changed}; pass `restart(true)` or a new path", path.display())]
    Refused {
        /// The folder.
        path: PathBuf,
        /// Label of the operation whose chunks are there.
        held: String,
        /// What is different.
        changed: String,
    },
    /// The folder holds other files.
    #[error("{} has files in it and is no checkpoint; pass a new path", path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
    /// Another run writes to the folder.
    #[error("{} is being written by another run", path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// A file's bytes are not those that were written.
    #[error(
        "{}: checksum mismatch (stored {stored:032x}, computed {computed:032x}), {bytes} bytes; resume the checkpoint \
         to make the chunk again", path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The checksum in the file.
        stored: u128,
        /// That of its bytes.
        computed: u128,
        /// Bytes of the chunk in the file.
        bytes: u64,
    },
    /// A file is not what its name says.
    #[error("{}: {what}; resume the checkpoint to make the chunk again", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What was met.
        what: &'static str,
    },
    /// The manifest cannot be read.
    #[error("{} is no manifest of a checkpoint; pass `restart(true)` or a new path", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A chunk could not be encoded or decoded.
    #[error("{}", path.display())]
    Codec {
        /// The file.
        path: PathBuf,
        /// Why.
        source: CodecError,
    },
    /// A file or folder could not be written or read.
    #[error("{}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl fmt::Debug for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report(self, f)
    }
}
