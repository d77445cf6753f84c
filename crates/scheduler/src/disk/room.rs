//! Room in memory for what exchanges stage: so much over all that run at once, the rest goes to the disk.

use musher_graph_core::{Kept, SpillStore, SpillWriter, TaskError};

use crate::sync::{Arc, AtomicU64, Ordering};

/// So many bytes of memory, and how many of them are taken.
#[derive(Debug)]
pub(super) struct Room {
    most: u64,
    taken: AtomicU64,
}

impl Room {
    pub(super) fn new(most: u64) -> Arc<Self> {
        Arc::new(Self { most, taken: AtomicU64::new(0) })
    }

    /// As [`SpillStore::keep`].
    pub(super) fn keep(self: &Arc<Self>, bytes: u64, together: u64) -> Option<Kept> {
        let fits = |taken: &u64| *taken <= self.most && together <= self.most;
        let more = |taken: u64| taken.checked_add(bytes).filter(fits);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Kept::until_dropped(Taken { room: Arc::clone(self), bytes }))
    }
}

/// Bytes that stay in memory, and count there until this is dropped.
struct Taken {
    room: Arc<Room>,
    bytes: u64,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.room.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The store of an outer run in a run inside one of its tasks, which has other room: that of its loan.
#[derive(Debug)]
pub(crate) struct Lent {
    store: Arc<dyn SpillStore>,
    room: Arc<Room>,
}

impl Lent {
    /// The same store with so much room in memory.
    pub(crate) fn new(store: Arc<dyn SpillStore>, in_memory: u64) -> Self {
        Self { store, room: Room::new(in_memory) }
    }
}

impl SpillStore for Lent {
    fn keep(&self, bytes: u64, together: u64) -> Option<Kept> {
        self.room.keep(bytes, together)
    }

    fn parcel(&self) -> Result<Box<dyn SpillWriter>, TaskError> {
        self.store.parcel()
    }
}
