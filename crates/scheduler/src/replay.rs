//! Recording the order in which a run started its tasks, and running a plan again in exactly that order.
//!
//! An order that brought a mistake to light on eight threads can so be looked at on one, again and again.

use std::fs;
use std::io::{self, Write};
use std::panic::Location;
use std::path::Path;

use musher_graph_core::{ChunkRef, Collection, Key, Plan, SlotIx, TaskIx, Token, Tokenizer};
use serde::{Deserialize, Serialize};

use crate::run::Chunks;
use crate::sync::Mutex;
use crate::{AtomicFile, Error, Event, Observer, Options, Run, Scheduler};

/// The order of starts and ends of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// Fingerprint of the plan's labels, grids and edges, which is equal in every process.
    plan: String,
    steps: Vec<Recorded>,
}

/// A task started or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Recorded {
    Started(u32),
    Ended(u32),
}

/// A recorded order that cannot be replayed, or a task that cannot be run again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The plan is not the one that was recorded.
    #[error(
        "the recording is of another plan ({recorded}, not {found}); build the same collection with the same options"
    )]
    OtherPlan {
        /// Fingerprint of the recorded plan.
        recorded: String,
        /// Fingerprint of the plan at hand.
        found: String,
    },
    /// A task is recorded that the plan has not, or twice.
    #[error("the recording starts task {task} twice or has a task that the plan has not")]
    BadTask {
        /// Its number.
        task: u32,
    },
    /// The error names no task.
    #[error("the error names no task that could be run again")]
    NoTask,
    /// The collection has no such task.
    #[error("the collection has no task {operation} at chunk {place:?} (built at {caller})")]
    NotFound {
        /// Label of the operation.
        operation: String,
        /// Coordinates of the chunk.
        place: Vec<usize>,
        /// The user's line.
        caller: &'static Location<'static>,
    },
    /// A task was started before one whose output it reads.
    #[error("the recording starts task {task} before task {input}, whose output it reads")]
    NotTopological {
        /// The task.
        task: u32,
        /// What it reads.
        input: u32,
    },
}

/// Records the order of starts and ends of the last run that it observes.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use musher_graph_core::delayed;
/// use musher_scheduler::{Compute, Options, Recorder, Replay};
///
/// let parts: Vec<_> = (0..8).map(|x| delayed(|x: f64| x.sqrt()).call(f64::from(x))).collect();
/// let sum = delayed(|parts: Vec<f64>| parts.iter().sum::<f64>()).call(parts);
/// let recorder = Arc::new(Recorder::default());
/// let options = Options::default().threads(3);
/// let value = sum.compute_with(&options.observe(recorder.clone()))?;
/// let again = Replay::new(recorder.recording()).compute(&sum, &Options::default())?;
/// assert_eq!(value.to_bits(), again.to_bits());
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Recorder(Mutex<Recording>);

impl Default for Recording {
    fn default() -> Self {
        Self { plan: "nothing".to_owned(), steps: Vec::new() }
    }
}

impl Recorder {
    /// What was recorded.
    pub fn recording(&self) -> Recording {
        self.0.lock().clone()
    }
}

impl Observer for Recorder {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::RunStarted { plan } => {
                let recording = Recording { plan: fingerprint(plan), steps: Vec::new() };
                *self.0.lock() = recording;
            }
            Event::TaskStarted { task, .. } => self.0.lock().steps.push(Recorded::Started(task.0)),
            Event::TaskFinished { task, .. } | Event::TaskFailed { task, .. } => {
                self.0.lock().steps.push(Recorded::Ended(task.0));
            }
            Event::RunFinished { .. } => {}
        }
    }
}

/// What two plans must share for the numbers of their tasks to mean the same.
fn fingerprint(plan: &Plan) -> String {
    let tasks = plan.tasks();
    let mut tokenizer = Tokenizer::new();
    for layer in tasks.layers() {
        tokenizer.name(&layer.task.label());
        layer.grid.token(&mut tokenizer);
    }
    (tasks.n_tasks(), tasks.n_edges()).token(&mut tokenizer);
    let key: Key = tokenizer.finish();
    format!("{key:?}")
}

impl Recording {
    /// Tasks in the order in which they started.
    pub fn starts(&self) -> impl Iterator<Item = TaskIx> + '_ {
        self.steps.iter().filter_map(|step| match step {
            Recorded::Started(task) => Some(TaskIx(*task)),
            Recorded::Ended(_) => None,
        })
    }

    /// Most tasks that ran at once.
    pub fn most_at_once(&self) -> usize {
        let (mut running, mut most) = (0_usize, 0);
        for step in &self.steps {
            match step {
                Recorded::Started(_) => running += 1,
                Recorded::Ended(_) => running = running.saturating_sub(1),
            }
            most = most.max(running);
        }
        most
    }

    /// Writes the recording to a file, as JSON.
    ///
    /// # Errors
    /// Those of writing the file.
    pub fn save(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let mut file = AtomicFile::create(path)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.commit()
    }

    /// Reads what [`save`](Recording::save) wrote.
    ///
    /// # Errors
    /// Those of reading the file, and that it is no recording.
    pub fn load(path: impl AsRef<Path>) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(path)?)?)
    }
}

/// Runs a plan one task after the other, in the order in which a recorded run started them.
///
/// What the recorded run did not start, because it failed or was cancelled, comes after, in the order of the plan.
/// Made for debugging: it keeps no memory limit.
#[derive(Debug, Clone)]
pub struct Replay {
    recording: Recording,
}

impl Replay {
    /// A replay of this recording.
    pub fn new(recording: Recording) -> Self {
        Self { recording }
    }

    /// Computes a collection in the recorded order; of the options, observers and the cancel token count.
    ///
    /// # Errors
    /// [`Error::Replay`] if the recording does not fit the collection's plan; else the first failure of a task.
    pub fn compute<C: Collection>(&self, collection: &C, options: &Options) -> Result<C::Output, Error> {
        let plan = crate::plan(&[collection.request()])?;
        let (observers, cancel) = (options.observers.as_slice(), options.cancel.as_ref());
        let chunks = self.run(&Run { plan: &plan, memory_limit: None, observers, cancel })?;
        collection.gather(chunks).map_err(Error::gather)
    }

    /// The whole order, proved to be one in which the plan can run.
    fn sequence(&self, plan: &Plan) -> Result<Vec<TaskIx>, ReplayError> {
        let tasks = plan.tasks();
        let found = fingerprint(plan);
        if found != self.recording.plan {
            return Err(ReplayError::OtherPlan { recorded: self.recording.plan.clone(), found });
        }
        let mut is_done = vec![false; tasks.n_tasks()];
        let mut sequence = Vec::with_capacity(is_done.len());
        for task in self.recording.starts() {
            if is_done.get(task.index()) != Some(&false) {
                return Err(ReplayError::BadTask { task: task.0 });
            }
            let inputs = tasks.inputs_of(task).iter().map(|&slot| tasks.task_of(slot));
            if let Some(input) = inputs.into_iter().find(|input| !is_done[input.index()]) {
                return Err(ReplayError::NotTopological { task: task.0, input: input.0 });
            }
            is_done[task.index()] = true;
            sequence.push(task);
        }
        sequence.extend(plan.order().sequence.iter().filter(|task| !is_done[task.index()]));
        Ok(sequence)
    }
}

impl Scheduler for Replay {
    fn run(&self, run: &Run<'_>) -> Result<Vec<ChunkRef>, Error> {
        let sequence = self.sequence(run.plan)?;
        run.tell(Event::RunStarted { plan: run.plan });
        let mut alive = Alive::default();
        let result = alive.all(run, &sequence);
        run.tell(Event::RunFinished { plan: run.plan, success: result.is_ok(), peak_bytes: alive.peak });
        result
    }
}

/// Bytes of the chunks in memory.
#[derive(Default)]
struct Alive {
    bytes: u64,
    peak: u64,
}

impl Alive {
    fn all(&mut self, run: &Run<'_>, sequence: &[TaskIx]) -> Result<Vec<ChunkRef>, Error> {
        let tasks = run.plan.tasks();
        let mut uses = tasks.uses();
        let mut slots: Vec<Option<ChunkRef>> = vec![None; tasks.n_slots()];
        let mut slot_bytes = vec![0_u64; tasks.n_slots()];
        for (finished, &task) in sequence.iter().enumerate() {
            if run.is_cancelled() {
                return Err(run.cancelled(finished));
            }
            let inputs = tasks.inputs_of(task).iter();
            let mut inputs: Chunks = inputs.map(|&slot| take(slot, &mut slots, &mut uses)).collect();
            let made = run.task(task, 0, &mut inputs)?;
            for ((slot, chunk), bytes) in tasks.outputs_of(task).zip(made.outputs).zip(made.bytes) {
                self.bytes += bytes;
                slot_bytes[slot] = bytes;
                slots[slot] = Some(chunk);
            }
            self.peak = self.peak.max(self.bytes);
            let inputs = tasks.inputs_of(task).iter().map(|slot| slot.index());
            for slot in inputs.chain(tasks.outputs_of(task)).filter(|&slot| uses[slot] == 0) {
                self.bytes -= std::mem::take(&mut slot_bytes[slot]);
                run.let_go(task, slots[slot].take())?;
            }
        }
        Ok(tasks.requested().iter().filter_map(|slot| take(*slot, &mut slots, &mut uses)).collect())
    }
}

/// The chunk in a slot; moved out at its last use, so that the task may take its storage over.
fn take(slot: SlotIx, slots: &mut [Option<ChunkRef>], uses: &mut [u32]) -> Option<ChunkRef> {
    uses[slot.index()] -= 1;
    if uses[slot.index()] == 0 { slots[slot.index()].take() } else { slots[slot.index()].clone() }
}
