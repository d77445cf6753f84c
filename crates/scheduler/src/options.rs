//! How a run is to be done.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use musher_graph_core::{Plan, Site, SpillStore};
use rayon::ThreadPool;

use crate::cancel::CancelToken;
use crate::disk::SpillDir;
use crate::event::Observer;
use crate::failed::FailedTasks;
use crate::limit::{self, Limit};
use crate::progress::ProgressBar;
use crate::run::Run;
use crate::settings::{Settings, SettingsError};
use crate::sync::{Arc, StaticMutex};

/// Threads, memory limit, observers and cancellation of a run.
///
/// Where they say nothing, [`Settings`] do.
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// use musher_scheduler::{Compute, Options};
/// let options = Options::default().threads(2).memory_limit("64MiB");
/// assert_eq!(delayed(|| 42).call(()).compute_with(&options)?, 42);
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Options {
    pub(crate) sequential: bool,
    threads: Option<NonZeroUsize>,
    memory_limit: Option<limit::Read>,
    spill_dir: Option<PathBuf>,
    spill_limit: Option<limit::Read>,
    observers: Vec<Arc<dyn Observer>>,
    pub(crate) cancel: Option<CancelToken>,
    deadline: Option<Duration>,
    spill: Spill,
    retries: Option<u32>,
    resources: Vec<(String, u32)>,
    failed: Option<FailedTasks>,
    pool: Option<Arc<ThreadPool>>,
    stall_after: Option<Duration>,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("sequential", &self.sequential)
            .field("threads", &self.threads)
            .field("memory_limit", &self.memory_limit)
            .field("observers", &self.observers.len())
            .finish_non_exhaustive()
    }
}

impl Options {
    /// One task after the other on the calling thread: for debugging.
    pub fn sequential() -> Self {
        Self { sequential: true, ..Self::default() }
    }

    /// This many worker threads; by default as many as the settings say, which is one for each core.
    ///
    /// The answer does not depend on it, to the last bit. 0 means the default.
    #[must_use]
    #[doc(alias = "num_workers")]
    pub fn threads(self, threads: usize) -> Self {
        Self { threads: NonZeroUsize::new(threads), ..self }
    }

    /// Bytes that chunks and declared scratch may take at once: a number, an amount such as `"2GiB"`, or a share of the
    /// machine's memory such as `"50%"`.
    ///
    /// By default 60 % of the machine's memory, as containers limit it, or what the settings say; of systems other than
    /// Linux the memory is not known (see [`Machine`](crate::Machine)): set a limit there. Chunks that do not fit
    /// go to the disk; a plan that can never fit is refused before anything runs. Text that cannot be read is the run's
    /// first error, which names the line of this call.
    #[must_use]
    #[track_caller]
    pub fn memory_limit(self, limit: impl Into<Limit>) -> Self {
        Self { memory_limit: Some(limit.into().read("memory_limit", Site::caller())), ..self }
    }

    /// Bytes that spilled chunks may take on the disk at once: a number, or an amount such as `"100GiB"`.
    ///
    /// By default 80 % of what is free there, less 1 GiB, or what the settings say. A store of one's own
    /// ([`spill_to`](Options::spill_to)) has its own limit. Text that cannot be read is the run's first error.
    ///
    /// # Examples
    /// ```
    /// use musher_graph_core::delayed;
    /// use musher_scheduler::{Compute, Options};
    /// let here = Options::default().memory_limit("1GiB").spill_limit("10GiB").spill_dir(std::env::temp_dir());
    /// assert_eq!(delayed(|| 42).call(()).compute_with(&here)?, 42);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn spill_limit(self, limit: impl Into<Limit>) -> Self {
        Self { spill_limit: Some(limit.into().read("spill_limit", Site::caller())), ..self }
    }

    /// The existing folder under which chunks are spilled; by default the system's folder for temporary files, or the one
    /// in the settings.
    #[must_use]
    #[doc(alias = "local_directory")]
    pub fn spill_dir(self, folder: impl Into<PathBuf>) -> Self {
        Self { spill_dir: Some(folder.into()), ..self }
    }

    /// Adds an observer.
    #[must_use]
    pub fn observe(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observers.push(observer);
        self
    }

    /// Shows a progress bar on the terminal; where there is none, nothing is shown.
    #[must_use]
    pub fn progress(self) -> Self {
        self.observe(Arc::new(ProgressBar::new()))
    }

    /// Lets `token` cancel the run.
    #[must_use]
    pub fn cancel(self, token: &CancelToken) -> Self {
        Self { cancel: Some(token.clone()), ..self }
    }

    /// Cancels a run that has not ended this long after the call; tasks that are running then are waited for.
    #[must_use]
    #[doc(alias = "timeout")]
    pub fn deadline(self, after: Duration) -> Self {
        Self { deadline: Some(after), ..self }
    }

    /// Puts chunks that do not fit into the memory limit into this store, such as a [`SpillDir`]; by default it is a
    /// folder of the run's own where the settings say.
    #[must_use]
    pub fn spill_to(self, store: Arc<dyn SpillStore>) -> Self {
        Self { spill: Spill::To(store), ..self }
    }

    /// Keeps all chunks in memory: a plan that does not fit into the limit is refused.
    #[must_use]
    pub fn never_spill(self) -> Self {
        Self { spill: Spill::Never, ..self }
    }

    /// Runs a task that reads or writes files again when it fails, up to this many times and after growing pauses; not
    /// when it panics.
    ///
    /// [`annotate`](musher_graph_core::annotate) says it for single layers, of whatever kind.
    #[must_use]
    pub fn retries(self, retries: u32) -> Self {
        Self { retries: Some(retries), ..self }
    }

    /// How many there are of a resource that tasks hold while they run:
    /// [`Annotations::resource`](musher_graph_core::Annotations::resource).
    #[must_use]
    pub fn resource(mut self, name: impl Into<String>, capacity: u32) -> Self {
        let name = name.into();
        self.resources.retain(|(other, _)| *other != name);
        self.resources.push((name, capacity));
        self
    }

    /// Keeps tasks that fail, with their inputs, so that they can be run again alone. Inputs are then kept while tasks
    /// run, so that no task takes over the storage of its input.
    #[must_use]
    pub fn keep_failed(self, failed: &FailedTasks) -> Self {
        Self { failed: Some(failed.clone()), ..self }
    }

    /// Runs tasks on the threads of this pool; `threads` is ignored then. A pool serves one run at a time: a
    /// second one waits for the first, and forever if a task of the first waits for it from a thread of its own.
    #[must_use]
    pub fn pool(self, pool: Arc<ThreadPool>) -> Self {
        Self { pool: Some(pool), ..self }
    }

    /// Tells observers when for this long no task has run and no chunk has come or gone ([`Event::Stalled`]); by default
    /// after 5 s. The run goes on waiting: a network disk may come back. A worker that waits tells
    /// them: where all workers hang in the disk, as the only one of a sequential run does, nothing is told.
    ///
    /// [`Event::Stalled`]: crate::Event::Stalled
    #[must_use]
    pub fn stall_after(self, time: Duration) -> Self {
        Self { stall_after: Some(time), ..self }
    }

    /// Removes what killed processes left in the folder to spill to, the first time that a process runs something that
    /// could spill there.
    pub(crate) fn sweep_once(&self, settings: &Settings) {
        static SWEPT: StaticMutex<Vec<PathBuf>> = StaticMutex::new(Vec::new());
        let Spill::AsSet = self.spill else { return };
        let is_first = {
            let mut swept = SWEPT.lock();
            let is_first = !swept.contains(&settings.spill_dir);
            if is_first {
                swept.push(settings.spill_dir.clone());
            }
            is_first
        };
        if is_first {
            SpillDir::new(settings.spill_options()).sweep();
        }
    }

    /// The folder to spill to, where it is the settings that say it.
    pub(crate) fn spill_folder<'a>(&self, settings: &'a Settings) -> Option<&'a Path> {
        matches!(self.spill, Spill::AsSet).then_some(&*settings.spill_dir)
    }

    /// The settings that hold here, overruled by these options.
    pub(crate) fn settings(&self) -> Result<Settings, SettingsError> {
        let set = Settings::current()?;
        Ok(Settings {
            threads: self.threads.unwrap_or(set.threads),
            memory_limit: self.memory_limit.clone().unwrap_or(Ok(set.memory_limit))?,
            spill_dir: self.spill_dir.clone().unwrap_or(set.spill_dir),
            spill_limit: self.spill_limit.clone().transpose()?.or(set.spill_limit),
            spill_compression: set.spill_compression,
            retries: self.retries.unwrap_or(set.retries),
        })
    }

    /// Who may cancel what begins now; a deadline counts from here.
    pub(crate) fn cancel_token(&self) -> Option<CancelToken> {
        match (self.deadline, &self.cancel) {
            (Some(after), cancel) => Some(cancel.clone().unwrap_or_default().deadline(after)),
            (None, cancel) => cancel.clone(),
        }
    }

    /// The run of a plan under these options and the [`settings`](Options::settings) that they give.
    pub(crate) fn run(&self, plan: Plan, settings: &Settings, cancel: Option<CancelToken>) -> Run {
        let limit = settings.memory_limit;
        let mut run = Run::new(plan);
        run.memory_limit = Some(limit);
        run.spill_store = match &self.spill {
            Spill::AsSet => {
                let in_memory = stays_in_memory(&run.plan, limit.bytes());
                Some(Arc::new(SpillDir::new(settings.spill_options().in_memory(in_memory))))
            }
            Spill::To(store) => Some(Arc::clone(store)),
            Spill::Never => None,
        };
        run.observers.clone_from(&self.observers);
        run.cancel = cancel;
        run.retries = settings.retries;
        run.resources.clone_from(&self.resources);
        run.failed.clone_from(&self.failed);
        run.pool.clone_from(&self.pool);
        run.stall_after = self.stall_after.unwrap_or(run.stall_after);
        run.threads = settings.threads;
        run
    }
}

/// Bytes that exchanges may keep in memory: a quarter of the limit, as long as one task after the other fits beside them,
/// since what they keep cannot leave.
pub(crate) fn stays_in_memory(plan: &Plan, limit: u64) -> u64 {
    if !plan.tasks().stages() {
        return limit / 4;
    }
    let beside = plan.least_peak_bytes().saturating_add(plan.tasks().table_bytes() as u64);
    limit.saturating_sub(beside).min(limit / 4)
}

/// Where chunks go that do not fit into the memory limit.
#[derive(Clone, Default)]
pub(crate) enum Spill {
    /// Where the settings say.
    #[default]
    AsSet,
    To(Arc<dyn SpillStore>),
    Never,
}
