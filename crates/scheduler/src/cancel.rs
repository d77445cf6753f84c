//! Cancelling a run: from outside, at a deadline, or by Ctrl-C.

use std::io;
use std::time::{Duration, Instant};

use crate::sync::{Arc, AtomicBool, Ordering};

/// Asks a run to stop: no new task starts, running ones end, the run gives [`Error::Cancelled`](crate::Error) or
/// [`Error::DeadlinePassed`](crate::Error).
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
pub struct CancelToken {
    asked: Arc<AtomicBool>,
    deadline: Option<Instant>,
    /// Who cancels this one, too.
    parent: Option<Arc<CancelToken>>,
}

impl CancelToken {
    /// Nothing is cancelled yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A token that cancels when the process is interrupted: by Ctrl-C, or by the signal `SIGTERM`.
    ///
    /// The first interrupt asks the runs to stop, so that they remove what they have on the disk and say what was done;
    /// the second one ends the process at once. It holds for the rest of the process: make one token and share it.
    ///
    /// # Errors
    /// When the system refuses the handler.
    ///
    /// # Examples
    /// ```
    /// use musher_graph_core::delayed;
    /// use musher_scheduler::{CancelToken, Compute, Options};
    /// let interrupt = CancelToken::on_interrupt()?;
    /// let answer = delayed(|| 42).call(()).compute_with(&Options::default().cancel(&interrupt));
    /// # assert_eq!(answer?, 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "ctrl_c")]
    #[doc(alias = "KeyboardInterrupt")]
    pub fn on_interrupt() -> io::Result<Self> {
        use signal_hook::consts::{SIGINT, SIGTERM};
        use signal_hook::flag;
        let asked = Arc::default();
        for signal in [SIGINT, SIGTERM] {
            // In this order: at the first signal the flag is still down, so that only the second one ends the process.
            flag::register_conditional_default(signal, Arc::clone(&asked))?;
            flag::register(signal, Arc::clone(&asked))?;
        }
        // A child, so that cancelling by hand does not count as the first interrupt.
        Ok(Self::new().under(&Self { asked, ..Self::default() }))
    }

    /// The same token, which also cancels when this much time has passed from now.
    #[must_use]
    #[doc(alias = "timeout")]
    pub fn deadline(&self, after: Duration) -> Self {
        let deadline = Instant::now().checked_add(after);
        let earlier = [self.deadline, deadline].into_iter().flatten().min();
        Self { deadline: earlier, ..self.clone() }
    }

    /// The same token, which is also cancelled when `parent` is.
    #[must_use]
    pub fn under(&self, parent: &Self) -> Self {
        Self { parent: Some(Arc::new(parent.clone())), ..self.clone() }
    }

    /// Asks every run that holds this token to stop.
    pub fn cancel(&self) {
        self.asked.store(true, Ordering::Release);
    }

    /// Whether it was asked, or the deadline has passed.
    pub fn is_cancelled(&self) -> bool {
        self.was_asked() || self.is_late()
    }

    /// Whether somebody asked.
    pub(crate) fn was_asked(&self) -> bool {
        self.with_parents().any(|token| token.asked.load(Ordering::Acquire))
    }

    fn is_late(&self) -> bool {
        self.with_parents().any(|token| token.deadline.is_some_and(|deadline| Instant::now() >= deadline))
    }

    fn with_parents(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |token| token.parent.as_deref())
    }
}
