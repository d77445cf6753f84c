//! How a run is to be done.

use std::num::NonZeroUsize;

use crate::sync::Arc;
use crate::{CancelToken, MemoryLimit, Observer, ProgressBar};

/// Threads, memory limit, observers and cancellation of a run.
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// use musher_scheduler::{Compute, Options};
/// let options = Options::default().threads(2).memory_limit(1 << 20);
/// assert_eq!(delayed(|| 42).call(()).compute_with(&options)?, 42);
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Options {
    pub(crate) sequential: bool,
    pub(crate) threads: Option<NonZeroUsize>,
    pub(crate) memory_limit: Option<MemoryLimit>,
    pub(crate) observers: Vec<Arc<dyn Observer>>,
    pub(crate) cancel: Option<CancelToken>,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("sequential", &self.sequential)
            .field("threads", &self.threads)
            .field("memory_limit", &self.memory_limit)
            .field("observers", &self.observers.len())
            .finish_non_exhaustive()
    }
}

impl Options {
    /// One task after the other on the calling thread: for debugging.
    pub fn sequential() -> Self {
        Self { sequential: true, ..Self::default() }
    }

    /// This many worker threads; by default one for each core.
    ///
    /// The answer does not depend on it, to the last bit. 0 means the default.
    #[must_use]
    #[doc(alias = "num_workers")]
    pub fn threads(self, threads: usize) -> Self {
        Self { threads: NonZeroUsize::new(threads), ..self }
    }

    /// Bytes that chunks and declared scratch may take at once.
    ///
    /// A plan that can never fit is refused before anything runs.
    #[must_use]
    pub fn memory_limit(self, limit: impl Into<MemoryLimit>) -> Self {
        Self { memory_limit: Some(limit.into()), ..self }
    }

    /// Adds an observer.
    #[must_use]
    pub fn observe(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observers.push(observer);
        self
    }

    /// Shows a progress bar on the terminal; where there is none, nothing is shown.
    #[must_use]
    pub fn progress(self) -> Self {
        self.observe(Arc::new(ProgressBar::new()))
    }

    /// Lets `token` cancel the run.
    #[must_use]
    pub fn cancel(self, token: &CancelToken) -> Self {
        Self { cancel: Some(token.clone()), ..self }
    }
}
