//! Where a run puts what shall not stay in memory: the seam between tasks, which may stage pieces, and the scheduler,
//! which owns the disk.

use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;

use crate::task::TaskError;

/// A place outside memory that lives as long as a run: parcels of parts are written once and read part by part.
///
/// The scheduler hands it to tasks by [`Inputs::spill_store`](crate::Inputs::spill_store).
///
/// # Errors
/// Every method's error names the directory, what was needed, and the setting that governs it.
pub trait SpillStore: fmt::Debug + Send + Sync {
    /// Lets `bytes` rather stay in memory, or not; they are part of `together`, which all tasks of a layer keep at once.
    ///
    /// What has leave to stay counts until it is dropped, so that several layers share what room there is.
    fn keep(&self, bytes: u64, together: u64) -> Option<Kept>;

    /// Begins a parcel.
    ///
    /// # Errors
    /// When the directory or a file in it cannot be made.
    fn parcel(&self) -> Result<Box<dyn SpillWriter>, TaskError>;
}

/// The leave to keep bytes in memory, given back when it is dropped; see [`SpillStore::keep`].
///
/// # Examples
/// ```
/// use musher_graph_core::Kept;
/// let room = std::sync::Arc::new(());
/// let kept = Kept::until_dropped(room.clone());
/// assert_eq!(std::sync::Arc::strong_count(&room), 2);
/// drop(kept);
/// assert_eq!(std::sync::Arc::strong_count(&room), 1);
/// ```
pub struct Kept {
    _guard: Box<dyn Send + Sync>,
}

impl Kept {
    /// A leave that drops `guard` when it ends; `()` is one that nobody counts.
    pub fn until_dropped(guard: impl Send + Sync + 'static) -> Self {
        Self { _guard: Box::new(guard) }
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}

/// A parcel in the making: parts are written one after the other. Dropped without `finish` it leaves nothing behind.
pub trait SpillWriter: Write + Send {
    /// Ends the part that was being written; an empty part is a part, too.
    ///
    /// # Errors
    /// When the disk or its budget is full.
    fn end_part(&mut self) -> Result<(), TaskError>;

    /// Ends the parcel: all its parts can be read from now on.
    ///
    /// # Errors
    /// When the disk or its budget is full.
    fn finish(self: Box<Self>) -> Result<Arc<dyn Spilled>, TaskError>;
}

/// A finished parcel. Its place on the disk is free again when the last handle is dropped.
pub trait Spilled: fmt::Debug + Send + Sync {
    /// Number of parts.
    fn n_parts(&self) -> usize;

    /// Bytes of a part as they were written.
    fn part_bytes(&self, part: usize) -> u64;

    /// Bytes that the parcel takes on the disk.
    fn stored_bytes(&self) -> u64;

    /// Reads a part. Reading to the end verifies its checksum: bytes that differ from those written are an error,
    /// never data.
    ///
    /// # Errors
    /// When there is no such part, or the file cannot be opened.
    fn read(&self, part: usize) -> Result<Box<dyn Read + '_>, TaskError>;
}
