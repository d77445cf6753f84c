//! Waiting for many futures: all of them, any of them, or each as it comes.

use std::borrow::Borrow;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Future;
use super::job::{Status, Watcher, is_inside};
use crate::error::Error;
use crate::sync::{Arc, Condvar, Mutex};

/// Waits for all results, in the order of the futures.
///
/// # Errors
/// The first error, in the order of the futures; the others go on.
///
/// # Examples
/// ```
/// use musher_scheduler::{Client, Options, gather};
/// let client = Client::new(Options::default())?;
/// assert_eq!(gather(client.map(|x: u32| x + 1, 0..3))?, [1, 2, 3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn gather<T, F>(futures: impl IntoIterator<Item = F>) -> Result<Vec<T>, Arc<Error>>
where
    T: Clone + Send + Sync + 'static,
    F: Borrow<Future<T>>,
{
    futures.into_iter().map(|future| future.borrow().result()).collect()
}

/// The futures one by one as they end, whether well or not.
///
/// Inside a task those that nobody has started are run in place, in the order in which they were given: each must be
/// able to end without the task.
///
/// # Examples
/// ```
/// use musher_scheduler::{Client, Options, as_completed};
/// let client = Client::new(Options::default())?;
/// let mut sum = 0;
/// for future in as_completed(client.map(|x: u64| x * x, 0..10)) {
///     sum += future.result()?;
/// }
/// assert_eq!(sum, 285);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn as_completed<T>(futures: impl IntoIterator<Item = Future<T>>) -> AsCompleted<T> {
    let mut all = AsCompleted { waiting: Vec::new(), n_waiting: 0, ended: Arc::default() };
    for future in futures {
        all.push(future);
    }
    all
}

/// Iterator over futures as they end; see [`as_completed`].
///
/// More futures may be added while it goes on.
#[derive(Debug)]
pub struct AsCompleted<T> {
    /// With what takes their watchers away; `None` are those that were handed out.
    waiting: Vec<Option<(Future<T>, Option<u64>)>>,
    n_waiting: usize,
    ended: Arc<Ended>,
}

/// Indices of the futures that have ended, in that order.
#[derive(Debug, Default)]
struct Ended {
    indices: Mutex<VecDeque<usize>>,
    more: Condvar,
}

impl<T> AsCompleted<T> {
    /// Adds a future to those that are waited for.
    #[doc(alias = "add")]
    pub fn push(&mut self, future: Future<T>) {
        let (index, ended) = (self.waiting.len(), Arc::clone(&self.ended));
        let ticket = future.watch(Watcher::Notify(Box::new(move || {
            ended.indices.lock().push_back(index);
            ended.more.notify_one();
        })));
        self.waiting.push(Some((future, ticket)));
        self.n_waiting += 1;
    }

    /// How many have not been handed out.
    pub fn n_waiting(&self) -> usize {
        self.n_waiting
    }

    /// Waits for the next one until the deadline; returns its index.
    fn next_by(&mut self, deadline: Option<Instant>) -> Option<(usize, Future<T>)> {
        if self.n_waiting == 0 {
            return None;
        }
        let mut indices = self.ended.indices.lock();
        let index = loop {
            if let Some(index) = indices.pop_front() {
                break index;
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return None;
            }
            if is_inside() {
                // On this thread's stack there is a task, and the others may all wait likewise: see `Job::help`.
                drop(indices);
                let first = self.waiting.iter().flatten().find(|(future, _)| !future.done());
                if let Some((future, _)) = first {
                    future.wait(deadline);
                }
                indices = self.ended.indices.lock();
                if indices.is_empty() && first.is_none() {
                    // All have ended, and the thread that ended the last one is about to say so.
                    self.ended.more.wait(&mut indices);
                }
                continue;
            }
            match deadline {
                None => self.ended.more.wait(&mut indices),
                Some(deadline) => {
                    self.ended.more.wait_until(&mut indices, deadline);
                }
            }
        };
        drop(indices);
        self.n_waiting -= 1;
        self.waiting[index].take().map(|(future, _)| (index, future))
    }
}

impl<T> Iterator for AsCompleted<T> {
    type Item = Future<T>;

    fn next(&mut self) -> Option<Future<T>> {
        self.next_by(None).map(|(_, future)| future)
    }
}

impl<T> Drop for AsCompleted<T> {
    fn drop(&mut self) {
        for (future, ticket) in self.waiting.iter().flatten() {
            if let Some(ticket) = ticket {
                future.unwatch(*ticket);
            }
        }
    }
}

/// When [`wait`] comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReturnWhen {
    /// When all have ended.
    #[default]
    All,
    /// When one has ended.
    FirstCompleted,
    /// When one has failed or was cancelled, or all have ended.
    FirstError,
}

/// The futures that have ended and those that have not, each in the order in which they were given.
#[derive(Debug)]
pub struct Waited<T> {
    /// Ended, well or not.
    pub done: Vec<Future<T>>,
    /// Not ended yet.
    pub pending: Vec<Future<T>>,
}

/// Waits until all, one, or the first failing future has ended, or the time is up.
///
/// # Examples
/// ```
/// use musher_scheduler::{Client, Options, ReturnWhen, wait};
/// let client = Client::new(Options::default())?;
/// let waited = wait(client.map(|x: u64| x * x, 0..10), ReturnWhen::All, None);
/// assert_eq!((waited.done.len(), waited.pending.len()), (10, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn wait<T>(
    futures: impl IntoIterator<Item = Future<T>>,
    until: ReturnWhen,
    timeout: Option<Duration>,
) -> Waited<T> {
    // A time too far away to be told is no limit.
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let futures: Vec<Future<T>> = futures.into_iter().collect();
    let mut all = as_completed(futures.iter().cloned());
    while let Some((_, ended)) = all.next_by(deadline) {
        let enough = match until {
            ReturnWhen::All => false,
            ReturnWhen::FirstCompleted => true,
            ReturnWhen::FirstError => ended.status() != Status::Finished,
        };
        if enough {
            break;
        }
    }
    drop(all);
    let (done, pending) = futures.into_iter().partition(Future::done);
    Waited { done, pending }
}
