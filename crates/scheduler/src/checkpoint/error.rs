//! Why a checkpoint was not written, not resumed, or not read.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::PathBuf;

use musher_graph_core::{Site, report};
use serde::{Deserialize, Serialize};

/// A checkpoint that could not be written, resumed or read.
#[derive(thiserror::Error, Serialize, Deserialize)]
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
        #[serde(with = "musher_graph_core::serde_path")]
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
        #[serde(with = "musher_graph_core::serde_path")]
        path: PathBuf,
    },
    /// Another run writes to the folder.
    #[error("{} is being written by another run", path.display())]
    Busy {
        /// The folder.
        #[serde(with = "musher_graph_core::serde_path")]
        path: PathBuf,
    },
    /// A file's bytes are not those that were written.
    #[error(
        "{}: checksum mismatch (stored {stored:032x}, computed {computed:032x}), {bytes} bytes; resume the checkpoint \
         to make the chunk again", path.display()
    )]
    Damaged {
        /// The file.
        #[serde(with = "musher_graph_core::serde_path")]
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
        #[serde(with = "musher_graph_core::serde_path")]
        path: PathBuf,
        /// What was met.
        what: Cow<'static, str>,
    },
    /// The manifest cannot be read.
    #[error("{} is no manifest of a checkpoint; pass `restart(true)` or a new path", path.display())]
    Manifest {
        /// The file.
        #[serde(with = "musher_graph_core::serde_path")]
        path: PathBuf,
        /// Why.
        #[serde(with = "crate::error::stored::boxed")]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A chunk could not be encoded or decoded.
    #[error("{}", path.display())]
    Codec {
        /// The file.
        #[serde(with = "musher_graph_core::serde_path")]
        path: PathBuf,
        /// Why.
        #[serde(with = "crate::error::stored::boxed")]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A file or folder could not be written or read.
    #[error("{}", path.display())]
    Io {
        /// The file or folder.
        #[serde(with = "musher_graph_core::serde_path")]
        path: PathBuf,
        /// Why.
        #[serde(with = "crate::error::stored::io")]
        source: io::Error,
    },
}

impl fmt::Debug for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report(self, f)
    }
}
