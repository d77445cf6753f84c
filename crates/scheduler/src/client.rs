//! Futures: work that starts when it is submitted, and whose results are asked for later.
//!
//! ```text
//! Client ─ submit ─▶ Job (waits for the futures it stands on) ─▶ Desk (ready, by priority) ─▶ worker ─▶ outcome
//!                     ▲ handle: Future<T>, to_delayed()                                          │
//!                     └─────────────── result(), .await, as_completed, callbacks ◀──────────────┘
//! ```
//!
//! `job` is the state machine of one submission, `desk` the line of ready ones and the rule how many threads each
//! gets, `future` the typed handle, `completed` what waits for many.

mod completed;
mod desk;
mod future;
mod job;

use std::collections::HashSet;

use musher_graph_core::{CallWith, ChunkRef, Collection, Layer, Site, Value, delayed};

pub use completed::{AsCompleted, ReturnWhen, Waited, as_completed, gather, wait};
pub use future::Future;
pub use job::Status;

use crate::compute::compute_with;
use crate::error::Error;
use crate::options::Options;
use crate::sync::{Arc, thread};
use desk::Desk;
use job::{Job, JobInfo};

/// Runs what is submitted, in the background, and hands out a [`Future`] for each result.
///
/// A client has as many threads as its options say, one for each core by default. Ready work starts by priority,
/// then in the order of submission. Work without parallelism takes one thread, so that many small submissions keep
/// all cores busy; work with parallelism takes its share of the threads that are free when it starts: all of them
/// when it is alone. Submissions that run at once share the memory limit in the same proportion; one that does not
/// fit into its share waits until it can have all of it. What runs is never interrupted by what comes later.
///
/// A submission runs under the [`Settings`](crate::Settings) that hold where it is submitted: those of a scope, or else
/// of the scope in which the client was made, or of the process.
///
/// Within one submission equal work is done once; across submissions use the future as an argument.
///
/// Dropping the client cancels what has not ended and waits for the tasks that run, unless it is dropped inside a task;
/// results stay with their futures. A cancel token among the options cancels all that starts or runs.
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// use musher_scheduler::{Client, Options, gather};
///
/// let client = Client::new(Options::default())?;
/// let squares = client.map(|x: i64| x * x, 0..5);
/// // A future is an argument of further work before it has ended.
/// let sum = client.submit(&delayed(|a: i64, b: i64| a + b).call((&squares[3], &squares[4])));
/// assert_eq!(sum.result()?, 25);
/// assert_eq!(gather(&squares)?, [0, 1, 4, 9, 16]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "Executor")]
#[doc(alias = "distributed.Client")]
pub struct Client {
    desk: Arc<Desk>,
    workers: Vec<thread::JoinHandle<()>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("threads", &self.desk.threads).finish_non_exhaustive()
    }
}

/// How a submission is run.
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// use musher_scheduler::{Client, Options, Submit};
/// let client = Client::new(Options::default())?;
/// let urgent = client.submit_with(&delayed(|| 42).call(()), Submit::default().priority(10).retries(2));
/// assert_eq!(urgent.result()?, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Submit {
    priority: i32,
    retries: u32,
}

impl Submit {
    /// Of the work that is ready, the highest priority starts first; 0 by default.
    #[must_use]
    pub fn priority(self, priority: i32) -> Self {
        Self { priority, ..self }
    }

    /// How often the work is done again if a task of it fails or panics; never by default.
    #[must_use]
    pub fn retries(self, retries: u32) -> Self {
        Self { retries, ..self }
    }
}

impl Client {
    /// Starts a client that runs its work under these options.
    ///
    /// **Cost** one thread for each core, or as many as the options say; sequential options mean one.
    ///
    /// # Errors
    /// [`Error::Spawn`] if the threads cannot be started, [`Error::Settings`].
    pub fn new(options: Options) -> Result<Self, Error> {
        let settings = options.settings()?;
        let threads = if options.sequential { 1 } else { settings.threads.get() };
        // Made first, so that its drop ends the threads that were started if one cannot be.
        let mut client = Self { desk: Desk::new(threads, options), workers: Vec::new() };
        for index in 0..threads {
            let desk = Arc::clone(&client.desk);
            let worker = thread::Builder::new().name(format!("musher-client-{index}"));
            let worker =
                worker.spawn(move || desk.serve()).map_err(|source| Error::Spawn { threads, source })?;
            client.workers.push(worker);
        }
        Ok(client)
    }

    /// Starts to compute a collection in the background, as soon as the futures that it depends on have ended.
    ///
    /// **Cost** a walk over the collection's layers.
    #[track_caller]
    pub fn submit<C>(&self, collection: &C) -> Future<C::Output>
    where
        C: Collection + Clone + Send + Sync + 'static,
        C::Output: Send + Sync + 'static,
    {
        self.submit_with(collection, Submit::default())
    }

    /// [`submit`](Client::submit) with a priority and retries.
    #[track_caller]
    pub fn submit_with<C>(&self, collection: &C, how: Submit) -> Future<C::Output>
    where
        C: Collection + Clone + Send + Sync + 'static,
        C::Output: Send + Sync + 'static,
    {
        let caller = Site::caller();
        let survey = Survey::of(&collection.port().layer);
        let label = collection.port().layer.label().into_owned();
        let Submit { priority, retries } = how;
        let info =
            JobInfo { label, caller, priority, retries, n_tasks: survey.n_tasks, is_wide: survey.is_wide };
        let collection = collection.clone();
        let work = move |options: &Options| -> Result<ChunkRef, Error> {
            compute_with(&collection, options).map(|value| Arc::new(Value(value)) as ChunkRef)
        };
        let job = Job::new(self.desk.number(), info, &self.desk, Box::new(work));
        if self.desk.note(&job) {
            job.stand_on(survey.futures);
        } else {
            job.cancel();
        }
        Future::of(job)
    }

    /// Submits one call of `function` for each item.
    ///
    /// An item is what [`delayed`]'s `call` takes: a plain value, a future, a `Delayed`, a tuple of them for a
    /// function of several parameters.
    ///
    /// # Examples
    /// ```
    /// use musher_scheduler::{Client, Options, gather};
    /// let client = Client::new(Options::default())?;
    /// let numbers = client.map(|x: u64| x + 1, 0..3);
    /// let sums = client.map(|x: u64, y: u64| x + y, numbers.iter().zip([10, 20, 30]));
    /// assert_eq!(gather(sums)?, [11, 22, 33]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn map<P, F, I>(&self, function: F, items: I) -> Vec<Future<F::Output>>
    where
        P: 'static,
        I: IntoIterator,
        F: CallWith<P, I::Item> + Clone,
        F::Output: Clone + Send + Sync + 'static,
    {
        let function = delayed(function);
        let mut futures = Vec::new();
        for item in items {
            futures.push(self.submit(&function.call(item)));
        }
        futures
    }

    /// A future of a value that exists already: an argument that many submissions share.
    #[track_caller]
    pub fn scatter<T: Send + Sync + 'static>(&self, value: T) -> Future<T> {
        let info = JobInfo {
            label: "scatter".to_owned(),
            caller: Site::caller(),
            priority: 0,
            retries: 0,
            n_tasks: 0,
            is_wide: false,
        };
        Future::of(Job::ended(self.desk.number(), info, &self.desk, Arc::new(Value(value))))
    }
}

impl Drop for Client {
    /// Inside a task nothing is waited for: the task itself may be what would be waited for.
    fn drop(&mut self) {
        self.desk.close();
        if job::is_inside() {
            return;
        }
        for worker in self.workers.drain(..) {
            // A worker does not panic: what is the user's is caught where it is called.
            let _ = worker.join();
        }
    }
}

/// What a submission's layers tell before they are planned.
struct Survey {
    /// The futures that must end first.
    futures: Vec<Arc<Job>>,
    n_tasks: usize,
    is_wide: bool,
}

impl Survey {
    fn of(layer: &Layer) -> Self {
        let mut survey = Self { futures: Vec::new(), n_tasks: 0, is_wide: false };
        let mut seen = HashSet::from([layer.key()]);
        let mut unvisited = vec![layer];
        while let Some(layer) = unvisited.pop() {
            if let Some(job) = future::job_of(layer) {
                survey.futures.push(Arc::clone(job));
                continue;
            }
            survey.n_tasks = survey.n_tasks.saturating_add(layer.grid().n_tasks());
            let producers = layer.inputs().iter().filter_map(|input| input.producer());
            let mut n_computed = 0;
            for producer in producers {
                n_computed += usize::from(future::job_of(producer).is_none());
                if seen.insert(producer.key()) {
                    unvisited.push(producer);
                }
            }
            survey.is_wide |= layer.grid().n_tasks() > 1 || n_computed > 1;
        }
        survey
    }
}
