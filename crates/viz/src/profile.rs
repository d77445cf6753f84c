//! A run as a picture: which worker did what, when.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use musher_graph_core::Plan;
use musher_scheduler::{Event, Observer};

use crate::error::Error;
use crate::render;
use crate::save::{self, Format};
use crate::scene::Scene;

/// Records the tasks of one or more runs and draws them on a line of time, one row for each worker.
///
/// **Cost** 48 bytes a task, and one lock, which all workers share, when a task ends. Of work that tasks return it
/// keeps the labels of its layers until the run has ended.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use musher_graph_core::delayed;
/// use musher_scheduler::{Compute, Options};
/// use musher_viz::Profile;
///
/// let profile = Arc::new(Profile::new());
/// delayed(|| 42).call(()).compute_with(&Options::default().observe(profile.clone()))?;
/// assert_eq!(profile.operations()[0].n_tasks, 1);
/// assert!(profile.to_svg_string().starts_with("<svg"));
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
#[doc(alias = "Profiler")]
#[doc(alias = "ResourceProfiler")]
#[derive(Debug, Default)]
pub struct Profile {
    recording: Mutex<Recording>,
}

/// What one operation took in the runs that were recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperationTime {
    /// Label of the operation.
    pub label: String,
    /// Tasks that ended well.
    pub n_tasks: usize,
    /// Time of all its tasks together.
    pub busy: Duration,
    /// Bytes of all its outputs, as far as they are measured.
    pub bytes: u64,
}

/// All that was seen.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    start: Option<Instant>,
    /// The plans of the runs that go on, by the address at which a plan stays while it runs.
    running: HashMap<usize, Running>,
    groups: HashMap<String, u32>,
    pub(crate) labels: Vec<String>,
    pub(crate) bars: Vec<Bar>,
    /// When the last run ended.
    pub(crate) end: Duration,
    pub(crate) n_runs: usize,
    pub(crate) n_failed: usize,
    pub(crate) peak_bytes: u64,
}

/// A plan that runs.
#[derive(Debug)]
struct Running {
    /// Number of its run.
    run: usize,
    /// Group of each of its layers.
    groups: Vec<u32>,
}

/// One task on the line of time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bar {
    pub(crate) worker: u32,
    /// Place of the label.
    pub(crate) group: u32,
    pub(crate) start: Duration,
    pub(crate) end: Duration,
    bytes: u64,
}

impl Profile {
    /// Nothing is recorded yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What each operation took, the longest first.
    pub fn operations(&self) -> Vec<OperationTime> {
        let recording = self.recording();
        let mut operations: Vec<OperationTime> = recording
            .labels
            .iter()
            .map(|label| OperationTime { label: label.clone(), n_tasks: 0, busy: Duration::ZERO, bytes: 0 })
            .collect();
        for bar in &recording.bars {
            let operation = &mut operations[bar.group as usize];
            operation.n_tasks += 1;
            operation.busy += bar.end - bar.start;
            operation.bytes = operation.bytes.saturating_add(bar.bytes);
        }
        operations.retain(|operation| operation.n_tasks > 0);
        operations.sort_by_key(|operation| std::cmp::Reverse(operation.busy));
        operations
    }

    /// The picture as the text of an SVG file, complete in itself.
    pub fn to_svg_string(&self) -> String {
        render::svg(&self.scene())
    }

    /// Writes the picture to a file; the extension (`svg` or `png`) says in which form.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownExtension`] when the extension is another one, [`Error::Write`] when the file cannot be written.
    #[doc(alias = "dask.diagnostics.visualize")]
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let unknown = || Error::UnknownExtension { path: path.to_owned(), expected: "svg or png" };
        let bytes = match Format::of(path).map_err(|_| unknown())? {
            Format::Svg => self.to_svg_string().into_bytes(),
            Format::Png => render::png(&self.scene())?,
            Format::Dot => return Err(unknown()),
        };
        save::write(path, &bytes)
    }

    fn scene(&self) -> Scene {
        let operations = self.operations();
        Scene::of_recording(&self.recording(), &operations)
    }

    fn recording(&self) -> MutexGuard<'_, Recording> {
        // A record is pushed whole or not at all, so that a panic elsewhere leaves nothing half done.
        self.recording.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Profile {
    fn event(&self, event: Event<'_>) {
        let now = Instant::now();
        match event {
            // Workers that only start need not wait for one another here.
            Event::TaskStarted { .. }
            | Event::TaskRetried { .. }
            | Event::ChunkSpilled { .. }
            | Event::ChunkLoaded { .. }
            | Event::Stalled { .. } => {}
            Event::RunStarted { plan } => {
                let mut recording = self.recording();
                recording.at(now);
                recording.enter_run(plan);
            }
            Event::Continued { plan, more, .. } => {
                let mut recording = self.recording();
                let run = recording.running_of(plan).run;
                recording.enter(more, run);
            }
            Event::TaskFinished { plan, task, worker, elapsed, bytes, .. } => {
                let mut recording = self.recording();
                let end = recording.at(now);
                let group = recording.running_of(plan).groups[plan.tasks().layer_of(task)];
                let start = end.saturating_sub(elapsed);
                recording.bars.push(Bar { worker: worker as u32, group, start, end, bytes });
            }
            Event::TaskFailed { .. } => self.recording().n_failed += 1,
            Event::RunFinished { plan, peak_bytes, .. } => {
                let mut recording = self.recording();
                recording.end = recording.at(now);
                let ended = recording.running_of(plan).run;
                recording.running.retain(|_, running| running.run != ended);
                recording.peak_bytes = recording.peak_bytes.max(peak_bytes);
            }
        }
    }
}

impl Recording {
    /// The time of now since the first event.
    fn at(&mut self, now: Instant) -> Duration {
        now.saturating_duration_since(*self.start.get_or_insert(now))
    }

    fn enter_run(&mut self, plan: &Plan) {
        self.n_runs += 1;
        self.enter(plan, self.n_runs);
    }

    /// Enters the plan that was asked for in a run, or that one of its tasks returned.
    fn enter(&mut self, plan: &Plan, run: usize) {
        let layers = plan.tasks().layers().iter();
        let groups = layers
            .map(|layer| {
                let label = layer.task.label().into_owned();
                let next = self.labels.len() as u32;
                *self.groups.entry(label.clone()).or_insert_with(|| {
                    self.labels.push(label);
                    next
                })
            })
            .collect();
        self.running.insert(address(plan), Running { run, groups });
    }

    fn running_of(&mut self, plan: &Plan) -> &Running {
        if !self.running.contains_key(&address(plan)) {
            // Whoever attaches the profile in the middle of a run sees no start.
            self.enter_run(plan);
        }
        &self.running[&address(plan)]
    }
}

fn address(plan: &Plan) -> usize {
    std::ptr::from_ref(plan).addr()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use musher_graph_core::{Delayed, delayed, iterate};
    use musher_scheduler::{Compute, Options};

    use super::*;

    #[test]
    fn work_that_tasks_give_back_belongs_to_their_run_and_goes_with_it() {
        let profile = Arc::new(Profile::new());
        let options = Options::sequential().observe(profile.clone());
        let halved = iterate(&Delayed::ready(1024), |x| delayed(|x: i32| x / 2).call(x), |x, _| *x == 1);
        for n_runs in 1..=2 {
            assert_eq!(halved.compute_with(&options).unwrap(), 1);
            let recording = profile.recording();
            assert_eq!((recording.n_runs, recording.running.len()), (n_runs, 0));
        }
    }

    #[test]
    fn a_task_takes_what_the_documentation_says() {
        assert_eq!(size_of::<Bar>(), 48);
    }
}
