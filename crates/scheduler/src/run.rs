//! What a scheduler is: something that runs a plan; and what a run is: a plan and its conditions.

use std::num::NonZeroUsize;
use std::time::Duration;

use musher_graph_core::{ByteSize, ChunkRef, Plan, SpillStore, TaskIx};
use rayon::ThreadPool;

use crate::cancel::CancelToken;
use crate::error::Error;
use crate::event::Observer;
use crate::failed::FailedTasks;
use crate::rooms::Rooms;
use crate::settings::Scoped;
use crate::sync::Arc;

/// By default a run is told to be stalled after this long.
const STALL_AFTER: Duration = Duration::from_secs(5);

/// Runs plans. The answer is the same on every scheduler, to the last bit.
///
/// # Errors
/// A run ends with the first error: what a task returned or a panic, cancellation, the memory limit, or the disk.
pub trait Scheduler {
    /// Runs a plan and returns the chunks asked for, in order.
    ///
    /// # Errors
    /// [`Error`]; nothing of the run goes on when this returns.
    fn run(&self, run: &Run) -> Result<Vec<ChunkRef>, Error>;

    /// The same, where chunks may go to their rooms in an answer as they are made; another chunk is returned for them
    /// then. A scheduler that knows of no rooms leaves them empty, and whoever called it fills them.
    ///
    /// # Errors
    /// As [`run`](Scheduler::run), and if a chunk does not fit its room.
    fn run_into(&self, run: &Run, rooms: &Rooms<'_>) -> Result<Vec<ChunkRef>, Error> {
        let _ = rooms;
        self.run(run)
    }
}

/// A plan and the conditions under which it runs.
#[derive(Clone)]
#[non_exhaustive]
pub struct Run {
    /// The plan.
    pub plan: Arc<Plan>,
    /// Bytes that chunks and declared scratch may take at once.
    pub memory_limit: Option<ByteSize>,
    /// Where chunks go that do not fit into the limit; `None` refuses plans that do not fit.
    pub spill_store: Option<Arc<dyn SpillStore>>,
    /// Who sees the events.
    pub observers: Vec<Arc<dyn Observer>>,
    /// Who may cancel the run.
    pub cancel: Option<CancelToken>,
    /// How often a task that reads or writes files is run again when it fails.
    pub retries: u32,
    /// How many there are of each resource that tasks hold while they run.
    pub resources: Vec<(String, u32)>,
    /// How many worker threads a threaded scheduler uses, unless it was made with a number of its own.
    pub threads: NonZeroUsize,
    /// Who keeps the tasks that fail, with their inputs.
    pub failed: Option<FailedTasks>,
    /// The pool whose threads run the tasks, where the user brings one.
    pub pool: Option<Arc<ThreadPool>>,
    /// Observers are told of a run in which nothing has moved for this long.
    pub stall_after: Duration,
    /// Memory of the run in whose task this one runs.
    pub(crate) loan: Option<Arc<dyn Loan>>,
    /// The settings that hold for what its tasks compute.
    pub(crate) settings: Scoped,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("n_tasks", &self.plan.tasks().n_tasks()).finish_non_exhaustive()
    }
}

/// Memory that was lent to a run by the one in whose task it runs; whoever drops it gives the memory back.
pub(crate) trait Loan: std::fmt::Debug + Send + Sync {
    /// Borrows at most so many bytes more, for a run inside a task of the run inside a task; what it got.
    fn extend(&self, want: u64) -> u64;
}

impl Run {
    /// A plan without conditions. What its tasks compute themselves runs under the settings that hold here.
    pub fn new(plan: impl Into<Arc<Plan>>) -> Self {
        Self {
            plan: plan.into(),
            memory_limit: None,
            spill_store: None,
            observers: Vec::new(),
            cancel: None,
            retries: 0,
            resources: Vec::new(),
            threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            failed: None,
            pool: None,
            stall_after: STALL_AFTER,
            loan: None,
            settings: Scoped::here(),
        }
    }

    /// Takes the order that moves the fewest bytes to the disk and back, where some must go there.
    pub(crate) fn order_for_limit(&mut self) {
        if let (Some(limit), Some(_)) = (self.memory_limit, &self.spill_store)
            && let Some(plan) = self.plan.ordered_for(limit.bytes())
        {
            self.plan = Arc::new(plan);
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.as_ref().is_some_and(CancelToken::is_cancelled)
    }

    /// The error of a run that is cancelled.
    pub(crate) fn cancelled(&self, finished: usize, n_tasks: usize) -> Error {
        let cancel = self.cancel.as_ref().expect("only whoever has a token is cancelled");
        Error::stopped(cancel, finished, n_tasks)
    }

    /// Whether any task of a plan is run again when it fails.
    pub(crate) fn may_retry(&self, plan: &Plan) -> bool {
        plan.has_annotations() || (self.retries > 0 && plan.tasks().touches_any_file())
    }

    /// How often a task is run again when it fails.
    pub(crate) fn retries_of(&self, plan: &Plan, task: TaskIx) -> u32 {
        let layer = plan.tasks().layer(task);
        match layer.annotations.as_ref().and_then(|annotations| annotations.retries_of()) {
            Some(retries) => retries,
            None if self.retries > 0 && plan.tasks().touches_files(task) => self.retries,
            None => 0,
        }
    }
}
