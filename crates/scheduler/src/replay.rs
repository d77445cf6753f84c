//! Recording the order in which a run started its tasks, and running a plan again in exactly that order.
//!
//! An order that brought a mistake to light on eight threads can so be looked at on one, again and again.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use musher_graph_core::{
    ChunkRef, Collection, Key, NotAnOrder, Plan, Site, TaskIx, Token, Tokenizer, report,
};
use serde::{Deserialize, Serialize};

use crate::atomic::AtomicFile;
use crate::error::Error;
use crate::event::{Event, Observer};
use crate::event_log::address;
use crate::options::Options;
use crate::planning::plan_unless;
use crate::run::{Run, Scheduler};
use crate::sequential::Sequential;
use crate::sync::{Arc, Mutex};

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
#[derive(Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
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
    /// The recorded order is none of the plan.
    #[error("the recorded order is none of the plan: {0}")]
    NotAnOrder(#[from] NotAnOrder),
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
        caller: Site,
    },
}

impl fmt::Debug for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report(self, f)
    }
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
pub struct Recorder(Mutex<RunInProgress>);

/// What a recorder has seen of a run.
#[derive(Debug, Default)]
struct RunInProgress {
    recording: Recording,
    /// Of the plan that is recorded; further work of its tasks is not.
    address: usize,
    /// Of each task that was run again, how many steps there were then: its earlier ones do not count.
    retried: HashMap<u32, usize>,
}

impl Default for Recording {
    fn default() -> Self {
        Self { plan: "nothing".to_owned(), steps: Vec::new() }
    }
}

impl Recorder {
    /// A task is run again: it counts as started when that happens.
    fn forget(&self, plan: &Plan, task: TaskIx) {
        let run = &mut *self.0.lock();
        if run.address == address(plan) {
            run.retried.insert(task.0, run.recording.steps.len());
        }
    }

    fn note(&self, plan: &Plan, step: Recorded) {
        let run = &mut *self.0.lock();
        if run.address == address(plan) {
            run.recording.steps.push(step);
        }
    }

    /// What was recorded.
    pub fn recording(&self) -> Recording {
        let run = self.0.lock();
        let counts = |(at, step): &(usize, &Recorded)| {
            let (Recorded::Started(task) | Recorded::Ended(task)) = step;
            run.retried.get(task).is_none_or(|since| at >= since)
        };
        let steps = run.recording.steps.iter().enumerate().filter(counts).map(|(_, step)| *step).collect();
        Recording { plan: run.recording.plan.clone(), steps }
    }
}

impl Observer for Recorder {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::RunStarted { plan } => {
                let recording = Recording { plan: fingerprint(plan), steps: Vec::new() };
                *self.0.lock() = RunInProgress { recording, address: address(plan), ..Default::default() };
            }
            Event::TaskStarted { plan, task, .. } => self.note(plan, Recorded::Started(task.0)),
            Event::TaskFinished { plan, task, .. } | Event::TaskFailed { plan, task, .. } => {
                self.note(plan, Recorded::Ended(task.0));
            }
            Event::TaskRetried { plan, task, .. } => self.forget(plan, task),
            Event::Continued { .. }
            | Event::ChunkSpilled { .. }
            | Event::ChunkLoaded { .. }
            | Event::Stalled { .. }
            | Event::RunFinished { .. } => {}
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
    /// An error of reading the file, or that it is not a recording.
    pub fn load(path: impl AsRef<Path>) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(path)?)?)
    }
}

/// Runs a plan one task after the other, in the order in which a recorded run started them.
///
/// What the recorded run did not start, because it failed or was cancelled, comes after, in the order of the plan.
#[derive(Debug, Clone)]
pub struct Replay {
    recording: Recording,
}

impl Replay {
    /// A replay of this recording.
    pub fn new(recording: Recording) -> Self {
        Self { recording }
    }

    /// Computes a collection in the recorded order; the number of threads in the options is ignored.
    ///
    /// # Errors
    /// [`Error::Replay`] if the recording does not fit the collection's plan; else the first failure of a task.
    pub fn compute<C: Collection>(&self, collection: &C, options: &Options) -> Result<C::Output, Error> {
        let cancel = options.cancel_token();
        let plan = plan_unless(&[collection.request()], cancel.as_ref())?;
        let chunks = self.run(&options.run(plan, &options.settings()?, cancel))?;
        collection.gather(chunks).map_err(Error::gather)
    }

    /// The plan in the recorded order.
    fn ordered(&self, plan: &Plan) -> Result<Plan, ReplayError> {
        let found = fingerprint(plan);
        if found != self.recording.plan {
            return Err(ReplayError::OtherPlan { recorded: self.recording.plan.clone(), found });
        }
        let mut is_started = vec![false; plan.tasks().n_tasks()];
        let starts: Vec<TaskIx> = self.recording.starts().collect();
        for task in &starts {
            if let Some(started) = is_started.get_mut(task.index()) {
                *started = true;
            }
        }
        let rest = plan.order().iter().filter(|task| !is_started[task.index()]);
        Ok(plan.with_order(starts.iter().copied().chain(rest))?)
    }
}

impl Scheduler for Replay {
    fn run(&self, run: &Run) -> Result<Vec<ChunkRef>, Error> {
        let plan = Arc::new(self.ordered(&run.plan)?);
        Sequential.run(&Run { plan, ..run.clone() })
    }
}
