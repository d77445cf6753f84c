//! The process-wide session: the only source of fresh identities and of seeds that nobody chose.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

static CURRENT: LazyLock<Session> = LazyLock::new(Session::start);

/// Identity of this process's building work: an id, a seed and a counter of fresh identities.
///
/// A driver hands its session to replicas, so that building the same program in both gives equal keys.
///
/// # Examples
/// ```
/// use musher_graph_core::Session;
/// assert_ne!(Session::fresh(), Session::fresh());
/// ```
#[derive(Debug)]
pub struct Session {
    id: u64,
    counter: AtomicU64,
}

impl Session {
    fn start() -> Self {
        let nanos =
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_nanos() as u64);
        let id = (nanos ^ (u64::from(std::process::id()) << 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self { id, counter: AtomicU64::new(0) }
    }

    /// Number of this session, different in every process.
    pub fn id() -> u64 {
        CURRENT.id
    }

    /// An identity that nothing else has: (session, count).
    pub fn fresh() -> (u64, u64) {
        // Relaxed: only uniqueness matters, nothing is published through the counter.
        (CURRENT.id, CURRENT.counter.fetch_add(1, Ordering::Relaxed))
    }
}
