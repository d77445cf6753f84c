//! What a check finds, in words that say what to do.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::byte_size::ByteSize;
use crate::report::report;
use crate::site::Site;

/// An operation and the user's line that built it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Its label.
    pub label: String,
    /// The user's line.
    pub caller: Site,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (built at {})", self.label, self.caller)
    }
}

/// Something that is known to go wrong if a plan runs; see [`Plan::check`](crate::Plan::check).
#[derive(Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Problem {
    /// A task's inputs, outputs and scratch are more than the memory limit, whatever else is spilled.
    #[error(
        "{operation} needs {} at once for one task, the memory limit is {}; use smaller chunks or raise the limit",
        ByteSize::from(*need),
        ByteSize::from(*limit)
    )]
    TaskTooLarge {
        /// The operation.
        operation: Operation,
        /// Bytes needed, the plan's tables among them.
        need: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// What is asked for is more than the memory limit.
    #[error(
        "the result of {operation} is {} in memory, the memory limit is {}; write it to files, reduce it, or raise the limit",
        ByteSize::from(*need),
        ByteSize::from(*limit)
    )]
    ResultTooLarge {
        /// The operation whose chunk is the largest of the result.
        operation: Operation,
        /// Bytes needed, the plan's tables among them.
        need: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// What would be spilled is more than the disk for it.
    #[error(
        "under a memory limit of {} about {} are spilled, and there is room for {}; raise the limit, set another \
         spill directory or its budget, or use smaller chunks",
        ByteSize::from(*memory),
        ByteSize::from(*need),
        ByteSize::from(*disk)
    )]
    SpillTooLarge {
        /// Bytes spilled when one task runs after the other.
        need: u64,
        /// Bytes there is room for.
        disk: u64,
        /// The memory limit in bytes.
        memory: u64,
    },
    /// What does not fit into memory goes to a folder that is memory, too: nothing is gained.
    #[error(
        "{} will be spilled to {}, which keeps its files in memory (tmpfs); set spill_dir to a disk, or raise the \
         memory limit",
        ByteSize::from(*need),
        dir.display()
    )]
    SpillInMemory {
        /// Bytes spilled when one task runs after the other.
        need: u64,
        /// The folder.
        #[serde(with = "crate::serde_path")]
        dir: PathBuf,
    },
    /// What is written to a file system is more than is free there.
    #[error(
        "{operation} and what else goes there write {} to the disk of {}, which has {} free; free some or write elsewhere",
        ByteSize::from(*need),
        path.display(),
        ByteSize::from(*free)
    )]
    DiskTooSmall {
        /// The first operation that writes there.
        operation: Operation,
        /// What it writes.
        #[serde(with = "crate::serde_path")]
        path: PathBuf,
        /// Bytes written to the file system.
        need: u64,
        /// Bytes free.
        free: u64,
    },
    /// Tasks of one operation write the same part of a target.
    #[error(
        "{operation}: two of its tasks write the same part of {}, and one of them would be lost; choose chunks whose ends \
         are ends of what is stored",
        path.display()
    )]
    UnalignedWriters {
        /// The operation.
        operation: Operation,
        /// The target.
        #[serde(with = "crate::serde_path")]
        path: PathBuf,
    },
    /// Two operations write the same target.
    #[error("{operation} and {other} both write {}; give each a target of its own", path.display())]
    TwoWriters {
        /// One operation.
        operation: Operation,
        /// The other.
        other: Operation,
        /// The target.
        #[serde(with = "crate::serde_path")]
        path: PathBuf,
    },
    /// A file is read and overwritten in one plan.
    #[error(
        "{operation} reads {} while {writer} overwrites it; write to another path, or compute the two one after the other",
        path.display()
    )]
    ReadAndWritten {
        /// The operation that reads.
        operation: Operation,
        /// The operation that writes.
        writer: Operation,
        /// The file.
        #[serde(with = "crate::serde_path")]
        path: PathBuf,
    },
    /// A file that is read does not exist.
    #[error("{operation} reads {}, which is not there; correct the path, or make the file first", path.display())]
    Missing {
        /// The operation.
        operation: Operation,
        /// The file.
        #[serde(with = "crate::serde_path")]
        path: PathBuf,
    },
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report(self, f)
    }
}
