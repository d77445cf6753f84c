//! What can go wrong on the disk, in words that say where, how much, and which setting governs it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use musher_graph_core::{ByteSize, report};

/// Spilling failed, or what was spilled cannot be read.
///
/// It travels as the cause of a task's error, or inside an [`io::Error`] of the same kind.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SpillError {
    /// The disk or the user's quota on it is full.
    #[error(
        "spill disk full: {} has {} free, {} did not fit ({} spilled, spill_limit {}); \
         set spill_dir to a larger disk, or raise memory_limit",
        dir.display(), Free(*free), ByteSize::from(*need), ByteSize::from(*stored), ByteSize::from(*limit)
    )]
    Full {
        /// The folder under which is spilled.
        dir: PathBuf,
        /// Bytes that did not fit.
        need: u64,
        /// Bytes that were spilled already.
        stored: u64,
        /// The limit on them.
        limit: u64,
        /// Bytes that are free on the disk, where known.
        free: Option<u64>,
        /// What the system said.
        source: io::Error,
    },
    /// The disk budget is used up.
    #[error(
        "spill_limit reached: {} did not fit into {} ({} spilled, spill_limit {}, {} free on the disk); \
         raise spill_limit or memory_limit, or set spill_dir to a larger disk",
        ByteSize::from(*need), dir.display(), ByteSize::from(*stored), ByteSize::from(*limit), Free(*free)
    )]
    Limit {
        /// The folder under which is spilled.
        dir: PathBuf,
        /// Bytes that did not fit.
        need: u64,
        /// Bytes that were spilled already.
        stored: u64,
        /// The limit.
        limit: u64,
        /// Bytes that are free on the disk, where known.
        free: Option<u64>,
    },
    /// The system refused.
    #[error("spill: {action} {} failed; set spill_dir to another disk, or raise memory_limit", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A part is not what was written.
    #[error(
        "spilled bytes changed on the disk: {} part {part}: checksum {expected:016x} was written, \
         {found:016x} is read ({} bytes); set spill_dir to another disk",
        file.display(), bytes
    )]
    Corrupt {
        /// The file.
        file: PathBuf,
        /// The part in it.
        part: usize,
        /// Bytes of the part.
        bytes: u64,
        /// xxh3 of what was written.
        expected: u64,
        /// xxh3 of what is read.
        found: u64,
    },
    /// A part cannot be decompressed: its bytes are not those that were written.
    #[error(
        "spilled bytes changed on the disk: {} part {part}: no lz4 block at offset {offset}; \
         set spill_dir to another disk",
        file.display()
    )]
    NoBlock {
        /// The file.
        file: PathBuf,
        /// The part in it.
        part: usize,
        /// Where in the file.
        offset: u64,
    },
    /// A file is shorter than what was written.
    #[error(
        "spilled bytes are gone from the disk: {} part {part} ends at offset {found} instead of {expected}; \
         set spill_dir to another disk",
        file.display()
    )]
    Truncated {
        /// The file.
        file: PathBuf,
        /// The part in it.
        part: usize,
        /// Where the part ended when it was written.
        expected: u64,
        /// Where the file ends.
        found: u64,
    },
    /// There is no such part.
    #[error("part {part} was asked for of a parcel of {n_parts}")]
    NoPart {
        /// The part.
        part: usize,
        /// How many there are.
        n_parts: usize,
    },
}

impl fmt::Debug for SpillError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report(self, f)
    }
}

impl From<SpillError> for io::Error {
    fn from(error: SpillError) -> Self {
        let kind = match &error {
            SpillError::Full { source, .. } | SpillError::Io { source, .. } => source.kind(),
            SpillError::Limit { .. } => io::ErrorKind::QuotaExceeded,
            SpillError::Corrupt { .. } | SpillError::NoBlock { .. } => io::ErrorKind::InvalidData,
            SpillError::Truncated { .. } => io::ErrorKind::UnexpectedEof,
            SpillError::NoPart { .. } => io::ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
    }
}

/// Bytes that may be unknown.
struct Free(Option<u64>);

impl fmt::Display for Free {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(bytes) => ByteSize::from(bytes).fmt(f),
            None => f.write_str("an unknown amount"),
        }
    }
}
