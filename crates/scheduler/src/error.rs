//! Why a run failed: as it is met, and as data that can be stored and sent.

mod cause;

use std::any::Any;
use std::error::Error as StdError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{fmt, io};

use musher_graph_core::{ByteSize, Plan, Site, StepError, StepPanic, TaskError, TaskIx, report};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) use cause::stored;
pub use cause::{Cause, CauseKind};

use crate::cancel::CancelToken;
use crate::checkpoint::CheckpointError;
use crate::replay::ReplayError;
use crate::sync::Arc;

/// A computation that did not give a result.
///
/// It is plain data to serde: written out and read back it is the same error, of the same line of your code and with the
/// same words. What only its process knew, the type of a task's own error, has become its name: see [`Cause`].
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// use musher_scheduler::{Compute, Error};
/// let lost = delayed(|| std::fs::read("no such file")).fallible().call(());
/// let error = lost.compute().unwrap_err();
/// let stored = serde_json::to_string(&error)?;
/// let again: Error = serde_json::from_str(&stored)?;
/// assert_eq!(format!("{again:?}"), format!("{error:?}"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Error {
    /// A task failed: data, input/output, memory or user code.
    #[error(transparent)]
    Task(Box<Failure>),
    /// A task panicked; the process and its workers live on.
    #[error("{operation} panicked{} (built at {caller}): {message}", AtChunk(place))]
    Panicked {
        /// Label of the task.
        operation: String,
        /// Coordinates of the chunk on its grid.
        place: Vec<usize>,
        /// The user's line that built the operation.
        caller: Site,
        /// What the panic said.
        message: String,
    },
    /// The run was cancelled.
    #[error("cancelled {}", Progress { finished: *finished, n_tasks: *n_tasks })]
    Cancelled {
        /// Tasks that had finished.
        finished: usize,
        /// Tasks of the plan; 0 where there was no plan yet.
        n_tasks: usize,
    },
    /// The deadline passed before the run had ended.
    #[error("the deadline passed {}", Progress { finished: *finished, n_tasks: *n_tasks })]
    DeadlinePassed {
        /// Tasks that had finished.
        finished: usize,
        /// Tasks of the plan; 0 where there was no plan yet.
        n_tasks: usize,
    },
    /// The plan can never fit into the memory limit; nothing has run.
    #[error(
        "memory limit: {operation} (built at {caller}) needs {} at once, the limit is {}; {}",
        told_apart(*need, *limit).0,
        told_apart(*need, *limit).1,
        Remedy(*result_bytes)
    )]
    MemoryLimit {
        /// Label of the task at the peak.
        operation: String,
        /// The user's line that built it.
        caller: Site,
        /// Bytes alive at the projected peak.
        need: u64,
        /// The limit.
        limit: u64,
        /// Bytes of what is asked for, where that alone is more than the limit: then smaller chunks do not help.
        result_bytes: Option<u64>,
    },
    /// Chunks turned out larger than projected, and nothing is left to wait for.
    #[error(
        "memory limit: {operation} (built at {caller}) needs {} beside {} in memory, the limit is {}; some chunks were \
         larger than projected",
        ByteSize::from(*need),
        ByteSize::from(*alive),
        ByteSize::from(*limit)
    )]
    MemoryExhausted {
        /// Label of the task that does not fit.
        operation: String,
        /// The user's line that built it.
        caller: Site,
        /// Bytes it needs.
        need: u64,
        /// Bytes alive.
        alive: u64,
        /// The limit.
        limit: u64,
    },
    /// Nothing runs, nothing may start, and work is left, though memory is free: a defect of the scheduler, which would
    /// otherwise wait forever.
    #[error(
        "stalled with {finished} of {n_tasks} tasks finished: {operation} (built at {caller}) is next and cannot start \
         ({state}); this is a defect of musher, please report it"
    )]
    Stalled {
        /// Label of the first task that has not started.
        operation: String,
        /// The user's line that built it.
        caller: Site,
        /// Tasks that had finished.
        finished: usize,
        /// Tasks of all plans so far.
        n_tasks: usize,
        /// The state of the run in numbers.
        state: String,
    },
    /// A task wants more of a resource than there is; nothing has run.
    #[error(
        "{operation} (built at {caller}) wants {wanted} of the resource {name:?}, and the run has {capacity}; \
         say how many there are by `Options::resource`"
    )]
    Resource {
        /// Label of the task.
        operation: String,
        /// The user's line that built it.
        caller: Site,
        /// The resource.
        name: String,
        /// How many it wants.
        wanted: u32,
        /// How many there are.
        capacity: u32,
    },
    /// A chunk could not be written to the disk or read from there.
    #[error("{doing} a spilled chunk failed")]
    Spill {
        /// To the disk or back.
        doing: Spilling,
        /// Why: names the directory and what was needed.
        #[source]
        #[serde(with = "stored::boxed")]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The drop of a chunk panicked.
    #[error("dropping a chunk panicked: {message}")]
    DropPanicked {
        /// What the panic said.
        message: String,
    },
    /// An observer panicked.
    #[error("an observer of the run panicked: {message}")]
    ObserverPanicked {
        /// What the panic said.
        message: String,
    },
    /// A look at the files shows that the run would fail; nothing has run.
    #[error("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Check {
        /// All that was found.
        problems: Vec<musher_graph_core::Problem>,
    },
    /// A setting is not valid.
    #[error(transparent)]
    Settings(#[from] crate::settings::SettingsError),
    /// The graph cannot be planned.
    #[error("the graph cannot be planned")]
    Plan(#[from] musher_graph_core::Error),
    /// A submission was not run, because one that it depends on failed or was cancelled.
    #[error("{operation} (submitted at {caller}) was not run: a future that it stands on has no result")]
    Upstream {
        /// Label of what was submitted.
        operation: String,
        /// The user's line that submitted it.
        caller: Site,
        /// Why: the first failure, however many futures lie between.
        #[serde(with = "stored::shared::run")]
        source: Arc<Error>,
    },
    /// The threads of a client could not be started.
    #[error("starting {threads} threads for a client failed")]
    Spawn {
        /// How many were asked for.
        threads: usize,
        /// Why.
        #[source]
        #[serde(with = "stored::io")]
        source: io::Error,
    },
    /// A checkpoint could not be written, resumed or read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A recorded order could not be replayed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The chunks could not be assembled into the result.
    #[error("assembling the result failed")]
    Gather {
        /// Why.
        #[source]
        #[serde(with = "stored::boxed")]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The pool of worker threads could not be made.
    #[error("starting {threads} worker threads failed")]
    Workers {
        /// How many were asked for.
        threads: usize,
        /// Why.
        #[source]
        #[serde(with = "stored::boxed")]
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report(self, f)
    }
}

/// Which way a chunk was on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Spilling {
    /// To the disk.
    Writing,
    /// From the disk.
    Reading,
}

impl fmt::Display for Spilling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Writing => "writing",
            Self::Reading => "reading",
        })
    }
}

/// Which task failed, where, and why.
pub struct Failure {
    operation: String,
    place: Vec<usize>,
    caller: Site,
    cause: Box<dyn StdError + Send + Sync>,
    cause_type: &'static str,
}

/// A failure as it is stored.
#[derive(Serialize, Deserialize)]
struct StoredFailure {
    operation: String,
    place: Vec<usize>,
    caller: Site,
    cause: Cause,
}

impl Serialize for Failure {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { operation, place, caller, cause, cause_type } = self;
        let cause = Cause::named(cause.as_ref(), cause_type);
        StoredFailure { operation: operation.clone(), place: place.clone(), caller: *caller, cause }
            .serialize(to)
    }
}

impl<'de> Deserialize<'de> for Failure {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let StoredFailure { operation, place, caller, cause } = Deserialize::deserialize(from)?;
        Ok(Self { operation, place, caller, cause: Box::new(cause), cause_type: "" })
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report(self, f)
    }
}

impl Failure {
    /// Label of the task that failed.
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// Coordinates of the chunk on its grid.
    pub fn place(&self) -> &[usize] {
        &self.place
    }

    /// The user's line that built the operation.
    pub fn caller(&self) -> Site {
        self.caller
    }

    /// Why it failed: the task's own error, or what is left of it where the failure was stored, a [`Cause`].
    pub fn cause(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self.cause.as_ref()
    }

    /// The path of the type of the task's own error; empty where nobody knew it.
    pub fn cause_type(&self) -> &str {
        self.cause.downcast_ref().map_or(self.cause_type, Cause::type_name)
    }

    /// What kind of thing went wrong, also where the failure was stored.
    pub fn kind(&self) -> CauseKind {
        CauseKind::of(self.cause.as_ref())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed{} (built at {})", self.operation, AtChunk(&self.place), self.caller)
    }
}

impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.cause.as_ref())
    }
}

impl Error {
    /// The run ends that this token cancels.
    pub(crate) fn stopped(cancel: &CancelToken, finished: usize, n_tasks: usize) -> Self {
        match cancel.was_asked() {
            true => Self::Cancelled { finished, n_tasks },
            false => Self::DeadlinePassed { finished, n_tasks },
        }
    }

    /// A task returned an error; inside a line of fused tasks the step that failed is named.
    pub(crate) fn task(plan: &Plan, task: TaskIx, error: TaskError) -> Self {
        let (mut operation, place, mut caller) = site(plan, task);
        let mut cause_type = error.type_name();
        let mut cause = error.into_cause();
        loop {
            cause = match cause.downcast::<StepError>() {
                Ok(step) => {
                    (operation, caller, cause_type) = (step.label, step.caller, step.cause.type_name());
                    step.cause.into_cause()
                }
                Err(cause) => {
                    break Self::Task(Box::new(Failure { operation, place, caller, cause, cause_type }));
                }
            };
        }
    }

    /// A task panicked with this payload; inside a line of fused tasks the step that panicked is named.
    pub(crate) fn panicked(plan: &Plan, task: TaskIx, mut payload: Box<dyn Any + Send>) -> Self {
        let (mut operation, place, mut caller) = site(plan, task);
        let payload = loop {
            payload = match payload.downcast::<StepPanic>() {
                Ok(step) => {
                    (operation, caller) = (step.label, step.caller);
                    step.payload
                }
                Err(payload) => break payload,
            };
        };
        Self::Panicked { operation, place, caller, message: text(payload.as_ref()) }
    }

    /// The drop of a chunk panicked with this payload.
    pub(crate) fn dropping(payload: &(dyn Any + Send)) -> Self {
        Self::DropPanicked { message: text(payload) }
    }

    /// An observer panicked with this payload.
    pub(crate) fn observing(payload: &(dyn Any + Send)) -> Self {
        Self::ObserverPanicked { message: text(payload) }
    }

    /// What failed a checkpoint's own task is the run's error.
    pub(crate) fn checkpoint(self) -> Self {
        match self {
            Self::Task(failure) if failure.cause.is::<CheckpointError>() => {
                let Failure { operation, place, caller, cause, cause_type } = *failure;
                match cause.downcast() {
                    Ok(error) => Self::Checkpoint(*error),
                    Err(cause) => {
                        Self::Task(Box::new(Failure { operation, place, caller, cause, cause_type }))
                    }
                }
            }
            error => error,
        }
    }

    pub(crate) fn gather(error: TaskError) -> Self {
        Self::Gather { source: error.into_cause() }
    }
}

/// Where on its grid a task is, in the words of a message: nothing where the grid is a single place.
struct AtChunk<'a>(&'a [usize]);

impl fmt::Display for AtChunk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => Ok(()),
            place => write!(f, " at chunk {place:?}"),
        }
    }
}

/// How far a run had come, in the words of a message.
struct Progress {
    finished: usize,
    n_tasks: usize,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { n_tasks: 0, .. } => f.write_str("before the graph was planned"),
            Self { finished, n_tasks } => write!(f, "with {finished} of {n_tasks} tasks finished"),
        }
    }
}

/// What helps where memory does not suffice.
struct Remedy(Option<u64>);

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("use smaller chunks or raise the limit"),
            Some(bytes) => write!(
                f,
                "the result alone is {}, whatever its chunks: reduce it, write it to files, or raise the limit",
                ByteSize::from(bytes)
            ),
        }
    }
}

/// Two amounts of bytes as people read them, in full where they would read the same.
fn told_apart(one: u64, other: u64) -> (String, String) {
    let texts = [one, other].map(|bytes| ByteSize::from(bytes).to_string());
    match texts {
        [same, again] if same == again && one != other => (format!("{one} B"), format!("{other} B")),
        [one, other] => (one, other),
    }
}

/// What a panic said.
pub(crate) fn text(payload: &(dyn Any + Send)) -> String {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (None, Some(text)) => text.clone(),
        (None, None) => "a value that is no text".to_owned(),
    }
}

/// Operation, place and user's line of a task.
pub(crate) fn site(plan: &Plan, task: TaskIx) -> (String, Vec<usize>, Site) {
    let layer = plan.tasks().layer(task);
    (layer.task.label().into_owned(), plan.tasks().place_of(task).coords().to_vec(), layer.caller)
}

/// Runs user code on behalf of a task; a panic in it becomes an error.
pub(crate) fn guard<R>(
    plan: &Plan,
    task: TaskIx,
    work: impl FnOnce() -> Result<R, Box<Error>>,
) -> Result<R, Box<Error>> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result,
        Err(payload) => Err(Box::new(Error::panicked(plan, task, payload))),
    }
}
