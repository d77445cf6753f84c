//! Failed tasks, kept with their inputs so that they can be run again alone.

use std::fmt;

use musher_graph_core::{ChunkRef, Plan, RunNumber, TaskIx};

use crate::error::{Error, guard, site};
use crate::sync::{Arc, Mutex};

/// Collects the tasks that fail in the runs it is given to, by [`Options::keep_failed`](crate::Options::keep_failed).
///
/// Clones share what was collected.
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// use musher_scheduler::{Compute, FailedTasks, Options};
/// fn third(text: String) -> char { text.chars().nth(2).unwrap() }
/// let failed = FailedTasks::default();
/// let call = delayed(third).call("ab".to_string());
/// assert!(call.compute_with(&Options::sequential().keep_failed(&failed)).is_err());
///
/// let task = failed.take().remove(0);
/// assert_eq!(task.operation(), "third");
/// // In a debugger, or with more logging: the same task on the same inputs, on this thread.
/// assert!(task.run().is_err());
/// ```
#[derive(Debug, Clone, Default)]
#[doc(alias = "recreate_task_locally")]
pub struct FailedTasks(Arc<Mutex<Vec<FailedTask>>>);

impl FailedTasks {
    /// Takes what was collected, in the order of failure.
    pub fn take(&self) -> Vec<FailedTask> {
        std::mem::take(&mut self.0.lock())
    }

    pub(crate) fn keep(&self, failed: FailedTask) {
        self.0.lock().push(failed);
    }
}

/// A task that failed, with the inputs on which it did.
#[doc(alias = "recreate_error_locally")]
pub struct FailedTask {
    pub(crate) plan: Arc<Plan>,
    pub(crate) task: TaskIx,
    pub(crate) inputs: Vec<Option<ChunkRef>>,
}

impl fmt::Debug for FailedTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FailedTask({} at {:?})", self.operation(), self.place())
    }
}

impl FailedTask {
    /// Label of the operation.
    pub fn operation(&self) -> String {
        site(&self.plan, self.task).0
    }

    /// Coordinates of the chunk on its grid.
    pub fn place(&self) -> Vec<usize> {
        site(&self.plan, self.task).1
    }

    /// The input chunks, slot after slot.
    pub fn inputs(&self) -> impl Iterator<Item = &ChunkRef> {
        self.inputs.iter().flatten()
    }

    /// Runs the task again, on this thread and on the same inputs, and returns its outputs; a task that returned
    /// further work has none.
    ///
    /// # Errors
    /// What the task says this time.
    pub fn run(&self) -> Result<Vec<ChunkRef>, Error> {
        let mut inputs = self.inputs.clone();
        let outcome = guard(&self.plan, self.task, || {
            let run = || self.plan.tasks().run(self.task, &mut inputs, None);
            let output = RunNumber::fresh().work(0, run);
            output.map_err(|error| Box::new(Error::task(&self.plan, self.task, error)))
        });
        outcome.map(|output| output.into_chunks()).map_err(|error| *error)
    }
}
