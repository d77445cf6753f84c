//! The most memory of a run, as the run itself accounts for it.

use std::sync::atomic::{AtomicU64, Ordering};

use musher_scheduler::{Event, Observer};

/// Remembers the most bytes that the runs it watches had on their books: chunks, scratch, and the plans' own tables.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use musher_graph_core::delayed;
/// use musher_scheduler::{Compute, Options};
/// let peak = Arc::new(musher_testkit::Peak::default());
/// delayed(|| [0_u8; 1000]).call(()).compute_with(&Options::default().observe(peak.clone())).unwrap();
/// assert!(peak.bytes() >= 1000);
/// ```
#[derive(Debug, Default)]
pub struct Peak(AtomicU64);

impl Peak {
    /// In bytes; 0 before a run has ended.
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Observer for Peak {
    fn event(&self, event: Event<'_>) {
        if let Event::RunFinished { peak_bytes, .. } = event {
            self.0.fetch_max(peak_bytes, Ordering::SeqCst);
        }
    }
}
