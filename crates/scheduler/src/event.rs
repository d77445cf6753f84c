//! What happens in a run, as one stream of events.

use std::time::Duration;

use musher_graph_core::{ChunkRef, Plan, TaskIx};

use crate::error::Error;

/// Something that happened in a run. The enum is closed: observers see all of it.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// The plan starts to run.
    RunStarted {
        /// The plan.
        plan: &'a Plan,
    },
    /// A task starts on a worker.
    TaskStarted {
        /// The plan.
        plan: &'a Plan,
        /// Which task.
        task: TaskIx,
        /// Number of the worker.
        worker: usize,
        /// Threads that are busy with tasks, this one among them.
        busy: usize,
        /// Bytes of chunks and scratch on the ledger, those of this task among them.
        alive_bytes: u64,
    },
    /// A task has succeeded.
    TaskFinished {
        /// The plan.
        plan: &'a Plan,
        /// Which task.
        task: TaskIx,
        /// Number of the worker.
        worker: usize,
        /// How long it ran.
        elapsed: Duration,
        /// Bytes of its outputs, as far as they are measured.
        bytes: u64,
        /// Its outputs; none where it ended with more work. Who keeps one holds its memory, and nobody accounts for it.
        outputs: &'a [ChunkRef],
    },
    /// A task has failed; the run will end, unless the task is run again.
    TaskFailed {
        /// The plan.
        plan: &'a Plan,
        /// Which task.
        task: TaskIx,
        /// Number of the worker.
        worker: usize,
        /// Why.
        error: &'a Error,
    },
    /// A task has failed and is run again.
    TaskRetried {
        /// The plan.
        plan: &'a Plan,
        /// Which task.
        task: TaskIx,
        /// Number of the worker.
        worker: usize,
        /// Why it failed.
        error: &'a Error,
    },
    /// A task has ended with more work, which runs as part of the same run; its results are the task's outputs.
    Continued {
        /// The plan of the task.
        plan: &'a Plan,
        /// Which task.
        task: TaskIx,
        /// The plan of the further work.
        more: &'a Plan,
    },
    /// A chunk has gone to the disk.
    ChunkSpilled {
        /// The plan that the run began with.
        plan: &'a Plan,
        /// Bytes that it held in memory.
        bytes: u64,
        /// How long writing took.
        elapsed: Duration,
    },
    /// A chunk has come back from the disk.
    ChunkLoaded {
        /// The plan that the run began with.
        plan: &'a Plan,
        /// Bytes that it holds in memory.
        bytes: u64,
        /// How long reading took.
        elapsed: Duration,
    },
    /// For some time no task has run, none could start, and nothing has come or gone: the run waits for chunks on their way
    /// to the disk or back. It goes on waiting; told once for each such time, by runs on several threads.
    Stalled {
        /// The plan that the run began with.
        plan: &'a Plan,
        /// For how long.
        elapsed: Duration,
        /// Chunks on their way.
        moving: usize,
        /// Bytes of chunks and scratch on the ledger.
        alive_bytes: u64,
    },
    /// The run has ended, successfully or not.
    RunFinished {
        /// The plan.
        plan: &'a Plan,
        /// Whether all tasks succeeded.
        success: bool,
        /// Most bytes that chunks and scratch were accounted for at once.
        peak_bytes: u64,
    },
}

/// Sees the events of a run; called from the workers, so it must be quick.
///
/// # Examples
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use musher_graph_core::delayed;
/// use musher_scheduler::{Compute, Event, Observer, Options};
///
/// #[derive(Default)]
/// struct Count(AtomicUsize);
/// impl Observer for Count {
///     fn event(&self, event: Event<'_>) {
///         if let Event::TaskFinished { .. } = event {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
/// let count = std::sync::Arc::new(Count::default());
/// delayed(|| 1).call(()).compute_with(&Options::default().observe(count.clone()))?;
/// assert_eq!(count.0.load(Ordering::Relaxed), 1);
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
pub trait Observer: Send + Sync {
    /// Sees one event.
    fn event(&self, event: Event<'_>);
}
