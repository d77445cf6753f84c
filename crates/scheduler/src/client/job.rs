//! One submission on its way from waiting to ended: the state machine under futures.
//!
//! A job waits until the jobs it stands on have ended, is then ready, is run by whoever starts it first, and ends
//! once. No two locks are ever held together, and none while user code runs: what a step leaves behind (work,
//! chunks, callbacks) is carried out of the lock and dropped or called there. A chain of a million jobs ends, fails
//! and is dropped without recursion.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;
use std::time::Instant;

use musher_graph_core::{ChunkRef, Scope, Site};

use super::desk::Desk;
use crate::cancel::CancelToken;
use crate::error::Error;
use crate::options::Options;
use crate::settings::Scoped;
use crate::sync::{Arc, Condvar, Mutex};

/// How a job ended: its value as a chunk, or the error, which all who stand on it share.
pub(crate) type Outcome = Result<ChunkRef, Arc<Error>>;
/// What a job does; it may be done again.
pub(crate) type Work = Box<dyn Fn(&Options) -> Result<ChunkRef, Error> + Send + Sync>;

/// Who wants to know that a job has ended.
pub(crate) enum Watcher {
    /// Told the outcome.
    Call(Box<dyn FnOnce(&Outcome) + Send>),
    /// Told that it is there.
    Notify(Box<dyn FnOnce() + Send>),
    /// A task of somebody's executor.
    Wake(Waker),
}

/// What is known of a job when it is submitted.
#[derive(Debug, Clone)]
pub(crate) struct JobInfo {
    /// What its errors call it.
    pub(crate) label: String,
    /// The user's line.
    pub(crate) caller: Site,
    pub(crate) priority: i32,
    pub(crate) retries: u32,
    /// Tasks of its graph, before fusion.
    pub(crate) n_tasks: usize,
    /// Whether several threads may have work in it.
    pub(crate) is_wide: bool,
}

/// One submission.
pub(crate) struct Job {
    pub(crate) number: u64,
    pub(crate) info: JobInfo,
    cancel: CancelToken,
    desk: Arc<Desk>,
    /// Where it was submitted, or else where the client was made.
    settings: Scoped,
    /// Where it was submitted: what it builds has identities of there, on whatever thread.
    scope: u128,
    state: Mutex<State>,
    /// The phase is another one.
    changed: Condvar,
}

struct State {
    phase: Phase,
    work: Option<Work>,
    /// Jobs that must end first, and one more while the job is being submitted.
    waits_for: usize,
    /// Those jobs, for a thread that helps.
    dependencies: Vec<Arc<Job>>,
    dependents: Vec<Arc<Job>>,
    watchers: Vec<(u64, Watcher)>,
    next_ticket: u64,
    ownership: Ownership,
}

enum Phase {
    Waiting,
    Ready,
    Running,
    Ended(Outcome),
}

/// Whether somebody still wants the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ownership {
    Held,
    /// Runs to its end although nobody holds it.
    Detached,
    Abandoned,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// It waits for other futures.
    Waiting,
    /// It waits for a thread.
    Ready,
    /// It runs.
    Running,
    /// Its result is there.
    Finished,
    /// It, or a future it stands on, failed.
    Failed,
    /// It, or a future it stands on, was cancelled.
    Cancelled,
}

/// What came of doing a job's work.
pub(super) enum Performed {
    Ended(Outcome),
    /// It wants all the memory.
    Refused(Work),
}

/// What a job that has ended leaves behind.
struct Left {
    work: Option<Work>,
    dependencies: Vec<Arc<Job>>,
    dependents: Vec<Arc<Job>>,
    watchers: Vec<(u64, Watcher)>,
    /// For watchers that are told it. Otherwise only the job holds it, so that who takes it need not clone it.
    outcome: Option<Outcome>,
    error: Option<Arc<Error>>,
    /// What nobody holds a handle of.
    unwanted: Option<Outcome>,
}

/// Who ends a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EndedBy {
    /// Who has run it, or what it stands on.
    Outcome,
    /// A cancel, which leaves alone what runs: that ends by itself.
    Cancel,
}

thread_local! {
    /// Whether this thread runs a job.
    static WORKING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is inside a task, so that waiting on it might keep from running what is waited for.
pub(super) fn is_inside() -> bool {
    WORKING.get() || crate::nested::is_inside()
}

/// Calls or drops what is the user's; a panic in it ends there.
fn shielded(work: impl FnOnce()) {
    // The payload may panic when it is dropped, too; it is a message in all but made-up cases.
    let _ = catch_unwind(AssertUnwindSafe(work));
}

impl Watcher {
    /// Tells what there is to tell; `outcome` is there for those that are told it.
    fn tell(self, outcome: Option<&Outcome>) {
        shielded(move || match (self, outcome) {
            (Self::Call(call), Some(outcome)) => call(outcome),
            (Self::Call(_), None) => {}
            (Self::Notify(notify), _) => notify(),
            (Self::Wake(waker), _) => waker.wake(),
        });
    }
}

/// A chain of errors is as long as a chain of jobs: what is passed on is its root.
fn root(error: &Arc<Error>) -> &Arc<Error> {
    match &**error {
        Error::Upstream { source, .. } => source,
        _ => error,
    }
}

impl Job {
    /// A job that waits for one thing: the end of its submission.
    pub(super) fn new(number: u64, info: JobInfo, desk: &Arc<Desk>, work: Work) -> Arc<Self> {
        Self::in_phase(number, info, desk, Phase::Waiting, Some(work))
    }

    /// A job that has ended before it began.
    pub(super) fn ended(number: u64, info: JobInfo, desk: &Arc<Desk>, chunk: ChunkRef) -> Arc<Self> {
        Self::in_phase(number, info, desk, Phase::Ended(Ok(chunk)), None)
    }

    fn in_phase(number: u64, info: JobInfo, desk: &Arc<Desk>, phase: Phase, work: Option<Work>) -> Arc<Self> {
        let state = State {
            phase,
            work,
            waits_for: 1,
            dependencies: Vec::new(),
            dependents: Vec::new(),
            watchers: Vec::new(),
            next_ticket: 0,
            ownership: Ownership::Held,
        };
        Arc::new(Self {
            number,
            info,
            cancel: CancelToken::new(),
            desk: Arc::clone(desk),
            settings: Scoped::here().or(&desk.settings),
            scope: Scope::fresh().to_bits(),
            state: Mutex::new(state),
            changed: Condvar::new(),
        })
    }

    /// Lets the job wait for others, and go on when they have ended.
    pub(super) fn stand_on(self: &Arc<Self>, dependencies: Vec<Arc<Self>>) {
        {
            let mut state = self.state.lock();
            state.waits_for += dependencies.len();
            state.dependencies.clone_from(&dependencies);
        }
        for dependency in &dependencies {
            let outcome = {
                let mut state = dependency.state.lock();
                match &state.phase {
                    Phase::Ended(outcome) => outcome.clone(),
                    Phase::Waiting | Phase::Ready | Phase::Running => {
                        state.dependents.push(Arc::clone(self));
                        continue;
                    }
                }
            };
            match outcome {
                Ok(_) => self.one_less(),
                Err(error) => self.end(Err(self.upstream(&error))),
            }
        }
        self.one_less();
    }

    /// One of the things it waited for is there.
    fn one_less(self: &Arc<Self>) {
        {
            let mut state = self.state.lock();
            state.waits_for -= 1;
            if state.waits_for > 0 || !matches!(state.phase, Phase::Waiting) {
                return;
            }
            state.phase = Phase::Ready;
            state.dependencies = Vec::new();
            self.changed.notify_all();
        }
        self.desk.push(self);
    }

    fn upstream(&self, error: &Arc<Error>) -> Arc<Error> {
        let (operation, caller) = (self.info.label.clone(), self.info.caller);
        Arc::new(Error::Upstream { operation, caller, source: Arc::clone(root(error)) })
    }

    /// Does the work if the job is ready and nobody has started it. Nobody hears of it before [`conclude`](Job::conclude).
    pub(super) fn perform(&self, threads: usize) -> Option<Performed> {
        let work = self.start()?;
        let helps = is_inside();
        let before = WORKING.replace(true);
        let attempt = || self.attempt(&work, &self.desk.options(threads, &self.cancel));
        let outcome = Scope::from_bits(self.scope).run(|| self.settings.run(attempt));
        WORKING.set(before);
        match outcome {
            // Nothing has run; with all the threads it has all the memory. Who helps does not wait for that.
            Err(Error::MemoryLimit { .. }) if threads < self.desk.threads && !helps => {
                Some(Performed::Refused(work))
            }
            outcome => {
                // What the work stands on is let go before anybody hears that it has ended.
                shielded(|| drop(work));
                Some(Performed::Ended(outcome.map_err(Arc::new)))
            }
        }
    }

    /// Ends the job that was performed, or puts it back in line.
    pub(super) fn conclude(self: &Arc<Self>, performed: Performed) {
        match performed {
            Performed::Ended(outcome) => self.end(outcome),
            Performed::Refused(work) => self.put_back(work),
        }
    }

    fn start(&self) -> Option<Work> {
        let mut state = self.state.lock();
        match state.phase {
            Phase::Ready => {
                state.phase = Phase::Running;
                state.work.take()
            }
            Phase::Waiting | Phase::Running | Phase::Ended(_) => None,
        }
    }

    /// Does the work until it succeeds or all tries are used up.
    fn attempt(&self, work: &Work, options: &Options) -> Result<ChunkRef, Error> {
        let mut tries_left = self.info.retries;
        loop {
            let outcome = catch_unwind(AssertUnwindSafe(|| work(options))).unwrap_or_else(|payload| {
                let (operation, caller) = (self.info.label.clone(), self.info.caller);
                Err(Error::Panicked {
                    operation,
                    place: Vec::new(),
                    caller,
                    message: crate::error::text(payload.as_ref()),
                })
            });
            let may_differ =
                matches!(outcome, Err(Error::Task(_) | Error::Panicked { .. } | Error::Gather { .. }));
            if !may_differ || tries_left == 0 || self.cancel.is_cancelled() {
                return outcome;
            }
            tries_left -= 1;
        }
    }

    /// Makes a job ready again that was refused for want of memory.
    fn put_back(self: &Arc<Self>, work: Work) {
        {
            let mut state = self.state.lock();
            state.work = Some(work);
            state.phase = Phase::Ready;
            self.changed.notify_all();
        }
        if self.cancel.is_cancelled() {
            self.cancel();
        } else {
            self.desk.push_whole(self);
        }
    }

    fn cancelled(&self) -> Arc<Error> {
        Arc::new(Error::Cancelled { finished: 0, n_tasks: self.info.n_tasks })
    }

    /// Asks the job to stop: it ends now if it has not started, else when its running tasks have ended.
    pub(super) fn cancel(self: &Arc<Self>) {
        self.cancel.cancel();
        self.end_by(EndedBy::Cancel, Err(self.cancelled()));
    }

    fn end(self: &Arc<Self>, outcome: Outcome) {
        self.end_by(EndedBy::Outcome, outcome);
    }

    /// Ends the job, and with an error all that stand on it; then tells everybody.
    fn end_by(self: &Arc<Self>, by: EndedBy, outcome: Outcome) {
        let mut ended = vec![(Arc::clone(self), by, outcome)];
        let mut told = Vec::new();
        while let Some((job, by, outcome)) = ended.pop() {
            let left = match job.settle(by, outcome) {
                Ok(left) => left,
                Err(late) => {
                    shielded(|| drop(late));
                    continue;
                }
            };
            job.desk.forget(&job);
            for dependent in left.dependents {
                match &left.error {
                    None => dependent.one_less(),
                    Some(error) => {
                        let error = dependent.upstream(error);
                        ended.push((dependent, EndedBy::Outcome, Err(error)));
                    }
                }
            }
            shielded(|| drop((left.work, left.dependencies, left.unwanted)));
            told.push((left.watchers, left.outcome));
        }
        for (watchers, outcome) in told {
            watchers.into_iter().for_each(|(_, watcher)| watcher.tell(outcome.as_ref()));
            shielded(|| drop(outcome));
        }
    }

    /// Puts the outcome in its place, unless there is one: then it comes back.
    fn settle(&self, by: EndedBy, outcome: Outcome) -> Result<Left, Outcome> {
        let mut state = self.state.lock();
        match state.phase {
            Phase::Ended(_) => return Err(outcome),
            Phase::Running if by == EndedBy::Cancel => return Err(outcome),
            Phase::Waiting | Phase::Ready | Phase::Running => {}
        }
        let watchers = std::mem::take(&mut state.watchers);
        let is_told = watchers.iter().any(|(_, watcher)| matches!(watcher, Watcher::Call(_)));
        let (told, error) = (is_told.then(|| outcome.clone()), outcome.as_ref().err().map(Arc::clone));
        let (kept, unwanted) = match state.ownership {
            Ownership::Held | Ownership::Detached => (outcome, None),
            Ownership::Abandoned => (Err(self.cancelled()), Some(outcome)),
        };
        state.phase = Phase::Ended(kept);
        self.changed.notify_all();
        Ok(Left {
            work: state.work.take(),
            dependencies: std::mem::take(&mut state.dependencies),
            dependents: std::mem::take(&mut state.dependents),
            watchers,
            outcome: told,
            error,
            unwanted,
        })
    }

    /// Nobody holds the job any more: what has ended is freed, what has not is cancelled unless it is detached.
    pub(super) fn abandon(self: &Arc<Self>) {
        let freed = {
            let mut state = self.state.lock();
            if let Phase::Ended(outcome) = &mut state.phase {
                Some(std::mem::replace(outcome, Err(self.cancelled())))
            } else {
                let before = std::mem::replace(&mut state.ownership, Ownership::Abandoned);
                if before == Ownership::Detached {
                    return;
                }
                None
            }
        };
        match freed {
            Some(outcome) => shielded(|| drop(outcome)),
            None => self.cancel(),
        }
    }

    /// Lets the job run to its end although nobody may hold it.
    pub(super) fn detach(&self) {
        self.state.lock().ownership = Ownership::Detached;
    }

    pub(super) fn outcome(&self) -> Option<Outcome> {
        match &self.state.lock().phase {
            Phase::Ended(outcome) => Some(outcome.clone()),
            Phase::Waiting | Phase::Ready | Phase::Running => None,
        }
    }

    pub(super) fn status(&self) -> Status {
        match &self.state.lock().phase {
            Phase::Waiting => Status::Waiting,
            Phase::Ready => Status::Ready,
            Phase::Running => Status::Running,
            Phase::Ended(Ok(_)) => Status::Finished,
            Phase::Ended(Err(error)) if matches!(**root(error), Error::Cancelled { .. }) => Status::Cancelled,
            Phase::Ended(Err(_)) => Status::Failed,
        }
    }

    /// Tells `watcher` when the job has ended, at once if it has; returns the ticket that takes it away again.
    pub(super) fn watch(&self, watcher: Watcher) -> Option<u64> {
        let outcome = {
            let mut state = self.state.lock();
            match &state.phase {
                Phase::Ended(outcome) => outcome.clone(),
                Phase::Waiting | Phase::Ready | Phase::Running => {
                    let ticket = state.next_ticket;
                    state.next_ticket += 1;
                    state.watchers.push((ticket, watcher));
                    return Some(ticket);
                }
            }
        };
        watcher.tell(Some(&outcome));
        None
    }

    /// Takes a watcher away.
    pub(super) fn unwatch(&self, ticket: u64) {
        let watcher = {
            let watchers = &mut self.state.lock().watchers;
            let at = watchers.iter().position(|(other, _)| *other == ticket);
            at.map(|at| watchers.swap_remove(at))
        };
        shielded(|| drop(watcher));
    }

    /// Waits until the job has ended, or the deadline has passed. Inside a task the thread does what is needed itself.
    pub(super) fn wait(self: &Arc<Self>, deadline: Option<Instant>) -> Option<Outcome> {
        if is_inside() {
            self.help(deadline);
        }
        let mut state = self.state.lock();
        loop {
            if let Phase::Ended(outcome) = &state.phase {
                return Some(outcome.clone());
            }
            match deadline {
                None => self.changed.wait(&mut state),
                Some(deadline) if Instant::now() >= deadline => return None,
                Some(deadline) => {
                    self.changed.wait_until(&mut state, deadline);
                }
            }
        }
    }

    /// Runs in place what the job needs and nobody has started; waits only for what others run.
    ///
    /// This cannot deadlock unless the user's program does. A thread takes up only what the task on its stack waits
    /// for, so whoever lies on a stack needs what lies above it, and a thread waits only for a job that runs
    /// elsewhere. A circle of threads that wait for each other is then a circle of jobs that need each other.
    fn help(self: &Arc<Self>, deadline: Option<Instant>) {
        let mut needed = vec![Arc::clone(self)];
        while let Some(job) = needed.last().map(Arc::clone) {
            let dependencies = {
                let state = job.state.lock();
                match &state.phase {
                    Phase::Ended(_) => {
                        needed.pop();
                        continue;
                    }
                    Phase::Waiting => state.dependencies.clone(),
                    Phase::Ready | Phase::Running => Vec::new(),
                }
            };
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return;
            }
            let before = needed.len();
            needed.extend(dependencies.into_iter().filter(|dependency| dependency.outcome().is_none()));
            if needed.len() > before {
                continue;
            }
            if let Some(performed) = job.perform(1) {
                job.conclude(performed);
                continue;
            }
            let mut state = job.state.lock();
            // Waiting with nothing to wait for: whoever ended the last dependency is about to make it ready.
            if matches!(state.phase, Phase::Waiting | Phase::Running) {
                match deadline {
                    None => job.changed.wait(&mut state),
                    Some(deadline) => {
                        job.changed.wait_until(&mut state, deadline);
                    }
                }
            }
        }
    }
}
