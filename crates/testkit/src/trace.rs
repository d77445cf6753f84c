//! What happened in a run, as lines of text: the trace is the assertion.

use std::sync::{Mutex, PoisonError};

use musher_graph_core::{Plan, TaskIx};
use musher_scheduler::{CancelToken, Event, Observer};

/// An observer that writes down every event as one line.
///
/// Times, workers and sizes of tables are left out, so that a sequential run always reads the same.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use musher_graph_core::delayed;
/// use musher_scheduler::{Compute, Options};
/// use musher_testkit::Trace;
///
/// fn one() -> i64 { 1 }
/// fn add(a: i64, b: i64) -> i64 { a + b }
/// let one = delayed(one).call(());
/// let two = delayed(add).call((&one, &one));
/// let trace = Arc::new(Trace::default());
/// two.compute_with(&Options::sequential().observe(trace.clone()))?;
/// assert_eq!(trace.text(), "\
/// run 2 tasks
/// start one []
/// finish one [], 8 bytes
/// start add []
/// finish add [], 8 bytes
/// end well
/// ");
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Trace(Mutex<Vec<String>>);

impl Trace {
    /// The lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The lines so far, each with its line end.
    pub fn text(&self) -> String {
        self.lines().into_iter().flat_map(|line| [line, "\n".to_owned()]).collect()
    }

    /// The lines in the order of the alphabet: on several threads only this is always the same.
    pub fn sorted(&self) -> Vec<String> {
        let mut lines = self.lines();
        lines.sort();
        lines
    }

    /// How many lines begin so.
    pub fn count(&self, start: &str) -> usize {
        self.lines().iter().filter(|line| line.starts_with(start)).count()
    }
}

/// Label and place of a task.
fn name(plan: &Plan, task: TaskIx) -> String {
    let label = plan.tasks().layer(task).task.label().into_owned();
    format!("{label} {:?}", plan.tasks().place_of(task).coords().as_slice())
}

impl Observer for Trace {
    fn event(&self, event: Event<'_>) {
        let line = match event {
            Event::RunStarted { plan } => format!("run {} tasks", plan.tasks().n_tasks()),
            Event::TaskStarted { plan, task, .. } => format!("start {}", name(plan, task)),
            Event::TaskFinished { plan, task, bytes, .. } => {
                format!("finish {}, {bytes} bytes", name(plan, task))
            }
            Event::TaskFailed { plan, task, .. } => format!("fail {}", name(plan, task)),
            Event::TaskRetried { plan, task, error, .. } => format!("retry {}: {error}", name(plan, task)),
            Event::Continued { more, .. } => format!("continue with {} tasks", more.tasks().n_tasks()),
            Event::ChunkSpilled { bytes, .. } => format!("spill {bytes} bytes"),
            Event::ChunkLoaded { bytes, .. } => format!("load {bytes} bytes"),
            Event::Stalled { moving, .. } => format!("stalled with {moving} chunks on their way"),
            Event::RunFinished { success: true, .. } => "end well".to_owned(),
            Event::RunFinished { success: false, .. } => "end badly".to_owned(),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

/// An observer that cancels its run when a task starts: what ends the task then is its own look at the token.
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// use musher_scheduler::{CancelToken, Compute, Error, Options, check_cancelled};
/// use musher_testkit::CancelsAtStart;
/// let token = CancelToken::new();
/// let options = Options::default().cancel(&token).observe(std::sync::Arc::new(CancelsAtStart::new(&token)));
/// let error = delayed(check_cancelled).fallible().call(()).compute_with(&options).unwrap_err();
/// assert!(matches!(error, Error::Cancelled { .. }));
/// ```
#[derive(Debug)]
pub struct CancelsAtStart(CancelToken);

impl CancelsAtStart {
    /// Cancels by this token.
    pub fn new(token: &CancelToken) -> Self {
        Self(token.clone())
    }
}

impl Observer for CancelsAtStart {
    fn event(&self, event: Event<'_>) {
        if let Event::TaskStarted { .. } = event {
            self.0.cancel();
        }
    }
}
