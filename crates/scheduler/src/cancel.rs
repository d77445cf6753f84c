//! Cancelling a run from outside.

use crate::sync::{Arc, AtomicBool, Ordering};

/// Asks a run to stop: no new task starts, running ones end, the run gives [`Error::Cancelled`](crate::Error).
///
/// Clones share the request.
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// use musher_scheduler::{CancelToken, Compute, Error, Options};
/// let token = CancelToken::new();
/// token.cancel();
/// let answer = delayed(|| 42).call(()).compute_with(&Options::default().cancel(&token));
/// assert!(matches!(answer, Err(Error::Cancelled { .. })));
/// ```
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// Nothing is cancelled yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks every run that holds this token to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it was asked.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
