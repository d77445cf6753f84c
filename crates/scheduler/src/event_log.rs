//! The log of a run: its last transitions and every failure, for the moment when something went wrong.

use std::collections::{HashMap, VecDeque};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use musher_graph_core::{ByteSize, Plan, Site, TaskIx};
use serde_json::json;

use crate::atomic::AtomicFile;
use crate::event::{Event, Observer};
use crate::sync::{Arc, Mutex};

/// Bytes of a log as JSON, but for the braces around it.
const MOST_JSON: usize = (10 << 20) - 1024;
/// Characters that are kept of what an error says.
const MOST_SAID: usize = 1000;

/// Keeps the last transitions of the runs it observes, and every failure.
///
/// **Cost** about 150 bytes a transition that is kept; one lock and one small allocation an event.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use musher_graph_core::delayed;
/// use musher_scheduler::{Compute, EventLog, Options};
///
/// let log = Arc::new(EventLog::new(1000));
/// let broken = delayed(|| -> f64 { panic!("no") }).label("load").call(());
/// assert!(broken.compute_with(&Options::default().observe(log.clone())).is_err());
/// assert_eq!(log.failures().len(), 1);
/// assert!(log.text().contains("load [] failed"));
/// ```
#[doc(alias = "Client.story")]
pub struct EventLog {
    capacity: usize,
    start: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last: VecDeque<Transition>,
    failures: Vec<Transition>,
    n_forgotten: u64,
    n_runs: u64,
    /// The runs that go on, by the address of their plan.
    runs: HashMap<usize, Labels>,
}

/// A run's number and the labels of its layers.
struct Labels {
    run: u64,
    layers: Vec<Arc<str>>,
}

impl Labels {
    fn new(run: u64, plan: &Plan) -> Self {
        let layers = plan.tasks().layers().iter();
        Self { run, layers: layers.map(|layer| layer.task.label().into()).collect() }
    }
}

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Transition {
    /// Since the log began.
    pub at: Duration,
    /// Number of the run, from 1.
    pub run: u64,
    /// What happened.
    pub kind: TransitionKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum TransitionKind {
    /// A run began.
    RunStarted {
        /// Tasks of its plan.
        n_tasks: usize,
    },
    /// Something happened to a task.
    Task {
        /// Which one.
        task: LoggedTask,
        /// What.
        outcome: TaskTransition,
    },
    /// A chunk went to the disk.
    ChunkSpilled {
        /// Bytes that it held in memory.
        bytes: u64,
        /// How long writing took.
        elapsed: Duration,
    },
    /// A chunk came back from the disk.
    ChunkLoaded {
        /// Bytes that it holds in memory.
        bytes: u64,
        /// How long reading took.
        elapsed: Duration,
    },
    /// Nothing happened for some time but that the run waited for chunks on their way to the disk or back.
    Stalled {
        /// For how long.
        elapsed: Duration,
        /// Chunks on their way.
        moving: usize,
        /// Bytes of chunks and scratch on the ledger.
        alive_bytes: u64,
    },
    /// A run ended.
    RunFinished {
        /// Whether well.
        success: bool,
        /// Most bytes that it was accounted for.
        peak_bytes: u64,
    },
}

/// A task as a log names it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LoggedTask {
    /// Its number in the plan.
    pub task: u32,
    /// Label of its layer.
    pub operation: Arc<str>,
    /// Coordinates on its grid.
    pub place: Vec<usize>,
    /// The user's line.
    pub caller: Site,
    /// Who ran it.
    pub worker: usize,
}

/// What happened to a task.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskTransition {
    /// It started.
    Started,
    /// It ended well.
    Finished {
        /// How long it ran.
        elapsed: Duration,
        /// Bytes of its outputs, as far as they are measured.
        bytes: u64,
    },
    /// It failed.
    Failed {
        /// What the error says.
        why: String,
    },
    /// It failed and is run again.
    Retried,
    /// It returned further work.
    Continued {
        /// Tasks of that work.
        n_tasks: usize,
    },
}

impl EventLog {
    /// A log that keeps so many transitions, and all failures.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, start: Instant::now(), state: Mutex::default() }
    }

    /// The last transitions, oldest first.
    pub fn transitions(&self) -> Vec<Transition> {
        self.state.lock().last.iter().cloned().collect()
    }

    /// Every task that failed, oldest first.
    pub fn failures(&self) -> Vec<Transition> {
        self.state.lock().failures.clone()
    }

    /// The log as lines of text: failures first, then the last transitions.
    pub fn text(&self) -> String {
        let (failures, last, n_forgotten) = self.parts();
        let mut text = String::new();
        for failure in &failures {
            text += &format!("failure: {failure}\n");
        }
        if n_forgotten > 0 {
            text += &format!("… {n_forgotten} earlier transitions\n");
        }
        for transition in &last {
            text += &format!("{transition}\n");
        }
        text
    }

    /// The log as JSON: `{"forgotten": …, "failures": […], "transitions": […]}`, times in seconds.
    ///
    /// It is at most 10 MiB long: of more, the first failures and the last transitions are there, and the others are counted
    /// as forgotten. Values of chunks are never in it; what errors and panics say is, up to 1,000 characters of each.
    pub fn json(&self) -> String {
        let (failures, last, n_forgotten) = self.parts();
        let (failures, n_failures, used) = fitting(failures.iter(), MOST_JSON / 2);
        let (mut transitions, n_transitions, _) = fitting(last.iter().rev(), MOST_JSON - used);
        transitions.reverse();
        let n_forgotten = n_forgotten + n_failures + n_transitions;
        json!({"forgotten": n_forgotten, "failures": failures, "transitions": transitions}).to_string()
    }

    /// Writes the log as JSON to a file, which is there whole or not at all.
    ///
    /// # Errors
    /// Those of writing the file.
    pub fn dump(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let mut file = AtomicFile::create(path)?;
        file.write_all(self.json().as_bytes())?;
        file.commit()
    }

    fn parts(&self) -> (Vec<Transition>, Vec<Transition>, u64) {
        let state = self.state.lock();
        (state.failures.clone(), state.last.iter().cloned().collect(), state.n_forgotten)
    }

    fn add(&self, plan: &Plan, kind: impl FnOnce(&Labels) -> TransitionKind) {
        let at = self.start.elapsed();
        let mut state = self.state.lock();
        let State { last, failures, n_forgotten, n_runs, runs } = &mut *state;
        let labels = runs.entry(address(plan)).or_insert_with(|| {
            *n_runs += 1;
            Labels::new(*n_runs, plan)
        });
        let transition = Transition { at, run: labels.run, kind: kind(labels) };
        if let TransitionKind::Task { outcome: TaskTransition::Failed { .. }, .. } = transition.kind {
            failures.push(transition.clone());
        }
        last.push_back(transition);
        if last.len() > self.capacity {
            last.pop_front();
            *n_forgotten += 1;
        }
    }

    fn add_task(&self, plan: &Plan, task: TaskIx, worker: usize, outcome: TaskTransition) {
        self.add(plan, |labels| {
            let layer = plan.tasks().layer_of(task);
            let task = LoggedTask {
                task: task.0,
                operation: labels.layers.get(layer).cloned().unwrap_or_default(),
                place: plan.tasks().place_of(task).coords().to_vec(),
                caller: plan.tasks().layers()[layer].caller,
                worker,
            };
            TransitionKind::Task { task, outcome }
        });
    }
}

/// As many transitions as fit into so many bytes of JSON, how many do not, and the bytes.
fn fitting<'a>(
    transitions: impl ExactSizeIterator<Item = &'a Transition>,
    most: usize,
) -> (Vec<serde_json::Value>, u64, usize) {
    let (n, mut used, mut fit) = (transitions.len(), 0, Vec::new());
    for value in transitions.map(Transition::json) {
        // And the comma.
        let bytes = value.to_string().len() + 1;
        if used + bytes > most {
            break;
        }
        used += bytes;
        fit.push(value);
    }
    let left = (n - fit.len()) as u64;
    (fit, left, used)
}

/// While a plan runs, its address is its own.
pub(crate) fn address(plan: &Plan) -> usize {
    std::ptr::from_ref(plan).addr()
}

impl Observer for EventLog {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::RunStarted { plan } => {
                // Whatever had this address before is gone.
                self.state.lock().runs.remove(&address(plan));
                self.add(plan, |_| TransitionKind::RunStarted { n_tasks: plan.tasks().n_tasks() });
            }
            Event::TaskStarted { plan, task, worker, .. } => {
                self.add_task(plan, task, worker, TaskTransition::Started);
            }
            Event::TaskFinished { plan, task, worker, elapsed, bytes, .. } => {
                self.add_task(plan, task, worker, TaskTransition::Finished { elapsed, bytes });
            }
            Event::TaskFailed { plan, task, worker, error } => {
                self.add_task(plan, task, worker, TaskTransition::Failed { why: said(error) });
            }
            Event::TaskRetried { plan, task, worker, .. } => {
                self.add_task(plan, task, worker, TaskTransition::Retried);
            }
            Event::Continued { plan, task, more } => {
                let n_tasks = more.tasks().n_tasks();
                self.add_task(plan, task, 0, TaskTransition::Continued { n_tasks });
                let runs = &mut self.state.lock().runs;
                if let Some(run) = runs.get(&address(plan)).map(|labels| labels.run) {
                    runs.insert(address(more), Labels::new(run, more));
                }
            }
            Event::ChunkSpilled { plan, bytes, elapsed } => {
                self.add(plan, |_| TransitionKind::ChunkSpilled { bytes, elapsed });
            }
            Event::ChunkLoaded { plan, bytes, elapsed } => {
                self.add(plan, |_| TransitionKind::ChunkLoaded { bytes, elapsed });
            }
            Event::Stalled { plan, elapsed, moving, alive_bytes } => {
                self.add(plan, |_| TransitionKind::Stalled { elapsed, moving, alive_bytes });
            }
            Event::RunFinished { plan, success, peak_bytes } => {
                self.add(plan, |_| TransitionKind::RunFinished { success, peak_bytes });
                let runs = &mut self.state.lock().runs;
                if let Some(ended) = runs.get(&address(plan)).map(|labels| labels.run) {
                    runs.retain(|_, labels| labels.run != ended);
                }
            }
        }
    }
}

/// What an error says, with its causes.
fn said(error: &crate::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    // A user's message may quote the data.
    match text.char_indices().nth(MOST_SAID) {
        None => text,
        Some((end, _)) => format!("{}… ({} bytes more)", &text[..end], text.len() - end),
    }
}

impl std::fmt::Debug for EventLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventLog").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

impl std::fmt::Display for Transition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>12.6} s  run {}  ", self.at.as_secs_f64(), self.run)?;
        match &self.kind {
            TransitionKind::RunStarted { n_tasks } => write!(f, "starts with {n_tasks} tasks"),
            TransitionKind::Task { task, outcome } => {
                let LoggedTask { operation, place, caller, worker, .. } = task;
                write!(f, "worker {worker}  {operation} {place:?} ")?;
                match outcome {
                    TaskTransition::Started => write!(f, "started"),
                    TaskTransition::Finished { elapsed, bytes } => {
                        write!(f, "finished after {:.6} s, {}", elapsed.as_secs_f64(), ByteSize::from(*bytes))
                    }
                    TaskTransition::Failed { why } => write!(f, "failed (built at {caller}): {why}"),
                    TaskTransition::Retried => write!(f, "is run again"),
                    TaskTransition::Continued { n_tasks } => write!(f, "goes on with {n_tasks} tasks"),
                }
            }
            TransitionKind::ChunkSpilled { bytes, elapsed } => {
                write!(f, "{} to the disk in {:.6} s", ByteSize::from(*bytes), elapsed.as_secs_f64())
            }
            TransitionKind::ChunkLoaded { bytes, elapsed } => {
                write!(f, "{} from the disk in {:.6} s", ByteSize::from(*bytes), elapsed.as_secs_f64())
            }
            TransitionKind::Stalled { elapsed, moving, alive_bytes } => {
                let elapsed = elapsed.as_secs_f64();
                write!(
                    f,
                    "has waited {elapsed:.3} s for {moving} chunks on their way, {} in memory",
                    ByteSize::from(*alive_bytes)
                )
            }
            TransitionKind::RunFinished { success: true, peak_bytes } => {
                write!(f, "ends well, at most {}", ByteSize::from(*peak_bytes))
            }
            TransitionKind::RunFinished { success: false, peak_bytes } => {
                write!(f, "ends badly, at most {}", ByteSize::from(*peak_bytes))
            }
        }
    }
}

impl Transition {
    fn json(&self) -> serde_json::Value {
        let (at, run) = (self.at.as_secs_f64(), self.run);
        let (task, outcome) = match &self.kind {
            TransitionKind::RunStarted { n_tasks } => {
                return json!({"at": at, "run": run, "kind": "run started", "tasks": n_tasks});
            }
            TransitionKind::RunFinished { success, peak_bytes } => {
                return json!({
                    "at": at, "run": run, "kind": "run finished", "success": success, "peak_bytes": peak_bytes,
                });
            }
            TransitionKind::Stalled { elapsed, moving, alive_bytes } => {
                let elapsed = elapsed.as_secs_f64();
                return json!({
                    "at": at, "run": run, "kind": "stalled", "elapsed": elapsed, "moving": moving,
                    "alive_bytes": alive_bytes,
                });
            }
            TransitionKind::ChunkSpilled { bytes, elapsed } => {
                let elapsed = elapsed.as_secs_f64();
                return json!({"at": at, "run": run, "kind": "spilled", "bytes": bytes, "elapsed": elapsed});
            }
            TransitionKind::ChunkLoaded { bytes, elapsed } => {
                let elapsed = elapsed.as_secs_f64();
                return json!({"at": at, "run": run, "kind": "loaded", "bytes": bytes, "elapsed": elapsed});
            }
            TransitionKind::Task { task, outcome } => (task, outcome),
        };
        let mut value = json!({
            "at": at,
            "run": run,
            "task": task.task,
            "operation": &*task.operation,
            "place": task.place,
            "caller": task.caller.to_string(),
            "worker": task.worker,
        });
        match outcome {
            TaskTransition::Started => value["kind"] = "started".into(),
            TaskTransition::Finished { elapsed, bytes } => {
                value["kind"] = "finished".into();
                value["elapsed"] = elapsed.as_secs_f64().into();
                value["bytes"] = (*bytes).into();
            }
            TaskTransition::Failed { why } => {
                value["kind"] = "failed".into();
                value["why"] = why.as_str().into();
            }
            TaskTransition::Retried => value["kind"] = "retried".into(),
            TaskTransition::Continued { n_tasks } => {
                value["kind"] = "continued".into();
                value["tasks"] = (*n_tasks).into();
            }
        }
        value
    }
}
