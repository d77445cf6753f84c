//! What a scheduler is: something that runs a plan.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use musher_graph_core::{ChunkRef, Output, Plan, SlotIx, TaskIx};
use smallvec::SmallVec;

use crate::sync::Arc;
use crate::{CancelToken, Error, Event, MemoryLimit, Observer};

/// Runs plans. The answer is the same on every scheduler, to the last bit.
///
/// # Errors
/// A run ends with the first error: what a task gave back or a panic, cancellation, or the memory limit.
pub trait Scheduler {
    /// Runs a plan and gives back the chunks asked for, in order.
    ///
    /// # Errors
    /// [`Error`]; nothing of the run goes on when this returns.
    fn run(&self, run: &Run<'_>) -> Result<Vec<ChunkRef>, Error>;
}

/// A plan and the conditions under which it runs.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Bytes that chunks and declared scratch may take at once.
    pub memory_limit: Option<MemoryLimit>,
    /// Who sees the events.
    pub observers: &'a [Arc<dyn Observer>],
    /// Who may cancel the run.
    pub cancel: Option<&'a CancelToken>,
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("n_tasks", &self.plan.tasks().n_tasks()).finish_non_exhaustive()
    }
}

/// The chunks of one task's inputs or outputs.
pub(crate) type Chunks = SmallVec<[Option<ChunkRef>; 4]>;

impl<'a> Run<'a> {
    pub(crate) fn tell(&self, event: Event<'a>) {
        for observer in self.observers {
            observer.event(event);
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.is_some_and(CancelToken::is_cancelled)
    }

    pub(crate) fn cancelled(&self, finished: usize) -> Error {
        Error::Cancelled { finished, n_tasks: self.plan.tasks().n_tasks() }
    }

    /// Runs one task and lets its inputs go.
    ///
    /// # Errors
    /// What the task says. Tasks, observers, sizes and drops of chunks are user code: a panic in any of them becomes
    /// an error.
    pub(crate) fn task(&self, task: TaskIx, worker: usize, inputs: &mut Chunks) -> Result<Made, Error> {
        self.guard(task, || {
            let outputs = self.observed(task, worker, inputs)?;
            inputs.clear();
            let tasks = self.plan.tasks();
            let slots = tasks.outputs_of(task);
            let bytes = slots.zip(&outputs).map(|(slot, chunk)| {
                let expected = || tasks.bytes_of(SlotIx(slot as u32)).unwrap_or(0);
                chunk.nbytes().map_or_else(expected, |bytes| bytes as u64)
            });
            Ok(Made { bytes: bytes.collect(), outputs })
        })
    }

    /// Drops chunks that nobody needs any more.
    ///
    /// # Errors
    /// If a drop panics.
    pub(crate) fn let_go<T>(&self, task: TaskIx, chunks: T) -> Result<(), Error> {
        self.guard(task, || {
            drop(chunks);
            Ok(())
        })
    }

    /// Runs user code on behalf of a task; a panic in it becomes an error.
    pub(crate) fn guard<R>(&self, task: TaskIx, work: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
        catch_unwind(AssertUnwindSafe(work))
            .unwrap_or_else(|payload| Err(Error::panicked(self.plan, task, payload)))
    }

    fn observed(&self, task: TaskIx, worker: usize, inputs: &mut Chunks) -> Result<Outputs, Error> {
        let plan = self.plan;
        let start = (!self.observers.is_empty()).then(Instant::now);
        if start.is_some() {
            self.tell(Event::TaskStarted { plan, task, worker });
        }
        let outcome = self.guard(task, || {
            let output = crate::compute::inside(|| plan.tasks().run(task, inputs, None));
            output.map(Output::into_chunks).map_err(|error| Error::task(plan, task, error))
        });
        if let Some(start) = start {
            self.tell(match &outcome {
                Ok(chunks) => {
                    let bytes = chunks.iter().filter_map(|chunk| chunk.nbytes()).sum::<usize>() as u64;
                    Event::TaskFinished { plan, task, worker, elapsed: start.elapsed(), bytes }
                }
                Err(_) => Event::TaskFailed { plan, task, worker },
            });
        }
        outcome
    }
}

/// What a task gave back, with the bytes that each output goes on the books with: its own, or the expected ones
/// where nobody measured.
pub(crate) struct Made {
    pub(crate) outputs: Outputs,
    pub(crate) bytes: SmallVec<[u64; 1]>,
}

/// The outputs of one task.
pub(crate) type Outputs = SmallVec<[ChunkRef; 1]>;
