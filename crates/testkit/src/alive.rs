//! Chunks that are counted while they live, so that a test sees what is released and when.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use musher_graph_core::Chunk;

/// Counts the chunks that it has made and that still live; clones share the count.
///
/// # Examples
/// ```
/// use musher_testkit::Alive;
/// let alive = Alive::default();
/// let (a, b) = (alive.chunk(1, 100), alive.chunk(2, 50));
/// assert_eq!((alive.chunks(), alive.bytes()), (2, 150));
/// drop(a);
/// assert_eq!((alive.chunks(), alive.bytes(), alive.peak_bytes()), (1, 50, 150));
/// # drop(b);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Alive(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    made: AtomicU64,
    chunks: AtomicU64,
    bytes: AtomicU64,
    peak_bytes: AtomicU64,
}

impl Alive {
    /// A chunk of this value that says it holds so many bytes.
    pub fn chunk(&self, value: u64, bytes: u64) -> Counted {
        self.0.made.fetch_add(1, Ordering::SeqCst);
        self.0.chunks.fetch_add(1, Ordering::SeqCst);
        let now = self.0.bytes.fetch_add(bytes, Ordering::SeqCst) + bytes;
        self.0.peak_bytes.fetch_max(now, Ordering::SeqCst);
        Counted { value, bytes, alive: self.clone() }
    }

    /// How many chunks were made.
    pub fn made(&self) -> u64 {
        self.0.made.load(Ordering::SeqCst)
    }

    /// How many live now.
    pub fn chunks(&self) -> u64 {
        self.0.chunks.load(Ordering::SeqCst)
    }

    /// Their bytes.
    pub fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::SeqCst)
    }

    /// Most bytes that lived at once.
    pub fn peak_bytes(&self) -> u64 {
        self.0.peak_bytes.load(Ordering::SeqCst)
    }
}

/// A chunk that its [`Alive`] counts until it is dropped.
#[derive(Debug)]
pub struct Counted {
    /// What it stands for.
    pub value: u64,
    bytes: u64,
    alive: Alive,
}

impl Chunk for Counted {
    fn nbytes(&self) -> Option<usize> {
        usize::try_from(self.bytes).ok()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.alive.0.chunks.fetch_sub(1, Ordering::SeqCst);
        self.alive.0.bytes.fetch_sub(self.bytes, Ordering::SeqCst);
    }
}
