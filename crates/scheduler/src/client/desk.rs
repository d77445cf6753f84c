//! Where ready jobs wait for a thread: the best first, and never more threads at work than there are.
//!
//! A client has as many worker threads as it may use cores. Each takes the best ready job. A job without parallelism
//! runs on the worker itself; one with parallelism gets its share of the threads that are free: all of them when
//! it is alone, one when many others are ready. What it was given it keeps until it ends.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::job::Job;
use crate::cancel::CancelToken;
use crate::options::Options;
use crate::settings::Scoped;
use crate::sync::{Arc, Condvar, Mutex, Weak};

/// The ready jobs of one client.
pub(super) struct Desk {
    /// Threads that may be at work at once.
    pub(super) threads: usize,
    /// Where the client was made.
    pub(super) settings: Scoped,
    options: Options,
    state: Mutex<State>,
    /// There may be something to do.
    work: Condvar,
}

struct State {
    ready: BinaryHeap<Entry>,
    /// Threads that no job uses.
    free: usize,
    /// Jobs that have not ended, so that closing finds them.
    jobs: HashMap<u64, Weak<Job>>,
    next_number: u64,
    is_closed: bool,
}

/// A job in line: by priority, then by number. A job that somebody else has started or cancelled stays in line.
struct Entry {
    job: Arc<Job>,
    /// Whether it waits for all the threads.
    whole: bool,
}

impl Entry {
    fn rank(&self) -> (i32, Reverse<u64>) {
        (self.job.info.priority, Reverse(self.job.number))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl Desk {
    pub(super) fn new(threads: usize, options: Options) -> Arc<Self> {
        let state = State {
            ready: BinaryHeap::new(),
            free: threads,
            jobs: HashMap::new(),
            next_number: 0,
            is_closed: false,
        };
        Arc::new(Self {
            threads,
            settings: Scoped::here(),
            options,
            state: Mutex::new(state),
            work: Condvar::new(),
        })
    }

    /// The options of a run on so many of the threads: it has their share of the memory, and its own way to cancel.
    pub(super) fn options(&self, threads: usize, cancel: &CancelToken) -> Options {
        let cancel = self.options.cancel.as_ref().map_or_else(|| cancel.clone(), |all| cancel.under(all));
        let options = self.options.clone().threads(threads).cancel(&cancel);
        match options.settings() {
            Ok(settings) if threads < self.threads => {
                let all = u128::from(settings.memory_limit.bytes());
                options.memory_limit((all * threads as u128 / self.threads as u128) as u64)
            }
            // The run reports what is wrong with the settings.
            Ok(_) | Err(_) => options,
        }
    }

    /// The next job's number.
    pub(super) fn number(&self) -> u64 {
        let mut state = self.state.lock();
        state.next_number += 1;
        state.next_number
    }

    /// Notes a job that has not ended; `false` when the desk is closed.
    pub(super) fn note(&self, job: &Arc<Job>) -> bool {
        let mut state = self.state.lock();
        if !state.is_closed {
            state.jobs.insert(job.number, Arc::downgrade(job));
        }
        !state.is_closed
    }

    /// A job has ended.
    pub(super) fn forget(&self, job: &Job) {
        self.state.lock().jobs.remove(&job.number);
    }

    /// Puts a job in line that is ready.
    pub(super) fn push(&self, job: &Arc<Job>) {
        self.line_up(Entry { job: Arc::clone(job), whole: false });
    }

    /// Puts a job in line that needs everything.
    pub(super) fn push_whole(&self, job: &Arc<Job>) {
        self.line_up(Entry { job: Arc::clone(job), whole: true });
    }

    fn line_up(&self, entry: Entry) {
        let mut state = self.state.lock();
        if state.is_closed {
            // Closing cancels it.
            return;
        }
        state.ready.push(entry);
        drop(state);
        self.work.notify_one();
    }

    /// A worker: takes the best job, runs it, and so on until the desk is closed.
    pub(super) fn serve(&self) {
        while let Some((job, threads)) = self.take() {
            let performed = job.perform(threads);
            // Before anybody hears that the job has ended: what he submits then finds its threads free.
            self.state.lock().free += threads;
            if threads > 1 {
                // Of a single thread this worker makes use itself.
                self.work.notify_all();
            }
            if let Some(performed) = performed {
                job.conclude(performed);
            }
        }
    }

    /// The best ready job, and how many threads are its.
    fn take(&self) -> Option<(Arc<Job>, usize)> {
        let mut state = self.state.lock();
        loop {
            if state.is_closed {
                return None;
            }
            let needed = match state.ready.peek() {
                Some(best) if best.whole => self.threads,
                Some(_) => 1,
                None => usize::MAX,
            };
            if needed <= state.free {
                break;
            }
            self.work.wait(&mut state);
        }
        let entry = state.ready.pop()?;
        let threads = match (entry.whole, entry.job.info.is_wide) {
            (true, _) => self.threads,
            (false, true) => (state.free / (1 + state.ready.len())).max(1),
            (false, false) => 1,
        };
        state.free -= threads;
        Some((entry.job, threads))
    }

    /// Takes nothing more and cancels all that has not ended.
    pub(super) fn close(&self) {
        let (jobs, ready) = {
            let mut state = self.state.lock();
            state.is_closed = true;
            (std::mem::take(&mut state.jobs), std::mem::take(&mut state.ready))
        };
        drop(ready);
        self.work.notify_all();
        for job in jobs.into_values().filter_map(|job| job.upgrade()) {
            job.cancel();
        }
    }
}
