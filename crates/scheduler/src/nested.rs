//! Runs inside tasks: which run a thread works for, and what a run inside one of its tasks has of it.
//!
//! `compute()` inside a task runs in place, on that thread, with memory that it borrows from the outer run: what is free,
//! never by waiting. So it waits for nobody, and the outer run never waits for its own task's child.

use std::cell::RefCell;
use std::fmt;

use musher_graph_core::{SpillStore, report};

use crate::cancel::CancelToken;
use crate::crew::Crew;
use crate::disk::Lent;
use crate::options::stays_in_memory;
use crate::run::{Loan, Run};
use crate::sync::{Arc, AtomicU64, Ordering, thread_local};

thread_local! {
    /// The crew whose task runs on this thread: a computation inside it runs in place.
    static CURRENT: RefCell<Option<Arc<Crew>>> = const { RefCell::new(None) };
}

/// Whether this thread runs a task of ours, or is one of somebody's rayon pool: waiting for workers could wait for
/// ourselves.
pub(crate) fn is_inside() -> bool {
    CURRENT.with(|current| current.borrow().is_some()) || rayon::current_thread_index().is_some()
}

/// Does the work of one of a crew's loops with the mark that it is inside that crew's run, under the settings of whoever
/// started it.
pub(crate) fn inside<R>(crew: &Arc<Crew>, work: impl FnOnce() -> R) -> R {
    struct Restore(Option<Arc<Crew>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.with(|current| current.replace(self.0.take()));
        }
    }
    let _restore = Restore(CURRENT.with(|current| current.replace(Some(Arc::clone(crew)))));
    crew.conditions().settings.run(work)
}

/// Who may cancel what starts here: inside a task its run's end ends it, too.
pub(crate) fn under_outer(own: Option<CancelToken>) -> Option<CancelToken> {
    CURRENT.with(|current| {
        let outer = current.borrow().as_ref().and_then(|crew| crew.conditions().cancel.clone());
        match (own, outer) {
            (Some(own), Some(outer)) => Some(own.under(&outer)),
            (own, outer) => own.or(outer),
        }
    })
}

/// Puts a run that starts inside a task below the run of that task: its limit is what it borrows, its disk the outer
/// one's. Elsewhere it stays as it is.
pub(crate) fn go_below_outer(run: &mut Run) {
    let Some(lender) = CURRENT.with(|current| current.borrow().clone()) else { return };
    let outer = lender.conditions();
    run.spill_store.clone_from(&outer.spill_store);
    let tables = run.plan.tasks().table_bytes() as u64;
    let most = run.memory_limit.map_or(u64::MAX, |limit| limit.bytes());
    // Twice the sequential peak lets nothing wait; more would be taken from the outer run for nothing.
    let peak = run.plan.peak_bytes();
    // Of what is unknown nobody can say what it will need: it gets its share of what is free.
    let unknown = run.plan.tasks().known_bytes().1 > 0;
    let share = if unknown { lender.share() } else { 0 };
    let want = tables.saturating_add(peak.saturating_mul(2)).max(share).min(most);
    if let Some(bytes) = lender.lend(want) {
        run.memory_limit = Some(bytes.into());
        // The outer run's room is no longer free: part of it is this loan.
        let in_memory = stays_in_memory(&run.plan, bytes);
        let lent = |store| Arc::new(Lent::new(store, in_memory)) as Arc<dyn SpillStore>;
        run.spill_store = run.spill_store.take().map(lent);
        run.loan = Some(Arc::new(LoanOfCrew { lender, bytes: AtomicU64::new(bytes) }));
    }
}

/// Memory that a run inside a task has of the outer run: what it would like as far as it is free.
#[derive(Debug)]
struct LoanOfCrew {
    lender: Arc<Crew>,
    bytes: AtomicU64,
}

impl Loan for LoanOfCrew {
    fn extend(&self, want: u64) -> u64 {
        let bytes = self.lender.lend(want).unwrap_or(0);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        bytes
    }
}

impl Drop for LoanOfCrew {
    fn drop(&mut self) {
        self.lender.take_back(self.bytes.load(Ordering::Relaxed));
    }
}

/// The run was cancelled, or its deadline has passed: what [`check_cancelled`] says to a task in it.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("gave up, because the run was cancelled")]
#[non_exhaustive]
pub struct GaveUp;

impl fmt::Debug for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report(self, f)
    }
}

/// Asks, inside a task that takes long, whether its run is to end: a task that gives up by `?` ends the run at once, and
/// the run's error is [`Error::Cancelled`](crate::Error::Cancelled) or
/// [`Error::DeadlinePassed`](crate::Error::DeadlinePassed), whatever the task returned.
///
/// Our own kernels ask every 65,536 elements, or every 256 items of a bag. Outside of tasks, and on threads that are not
/// those of the run, there is nothing to end. A closure that cannot fail may `expect` it: its panic does not hide that
/// the run was cancelled, while an answer that is not finished could pass for the result of the last task.
///
/// **Cost** some nanoseconds; 50 where there is a deadline.
///
/// # Errors
/// [`GaveUp`] once the run is cancelled.
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// use musher_scheduler::{CancelToken, Compute, Error, GaveUp, Options, check_cancelled};
/// fn search(from: u64) -> Result<u64, GaveUp> {
///     for n in from.. {
///         check_cancelled()?;
///         if n % 7 == 6 && n % 11 == 10 && n % 13 == 12 {
///             return Ok(n);
///         }
///     }
///     Ok(0)
/// }
/// assert_eq!(delayed(search).fallible().call(5).compute()?, 1000);
/// # Ok::<(), Error>(())
/// ```
pub fn check_cancelled() -> Result<(), GaveUp> {
    CURRENT.with(|current| match &*current.borrow() {
        Some(crew) if crew.conditions().is_cancelled() => Err(GaveUp),
        _ => Ok(()),
    })
}
