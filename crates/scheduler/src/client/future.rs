//! The typed handle of one submission: ask, wait, await, cancel, or use it as an argument of further work.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use musher_graph_core::{
    Arg, Codec, Delayed, Facts, FromInput, Grid, Identity, Inputs, IntoArg, Layer, Output, Place, Port, Task,
    TaskError, Token, Tokenizer, Value,
};
use smallvec::SmallVec;

use super::job::{Job, Outcome, Status, Watcher};
use crate::error::Error;
use crate::sync::Arc;

/// The result of a submission, there or still to come. Clones are handles of the same result.
///
/// `result()` waits; `.await` does so on any executor. Errors are shared (`Arc<Error>`), because a future may be
/// asked more than once and others may stand on it.
///
/// **Release.** When the last handle is dropped, a result is freed, and work that has not ended is cancelled:
/// handles are the clones of the future, what [`to_delayed`](Future::to_delayed) gave, and submissions that stand on
/// it. [`detach`](Future::detach) lets the work go on without a handle.
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// use musher_scheduler::{Client, Options, Status};
/// let client = Client::new(Options::default())?;
/// let future = client.submit(&delayed(|| 21).call(()));
/// let doubled = client.submit(&delayed(|x: i32| 2 * x).call(&future));
/// assert_eq!(doubled.result()?, 42);
/// assert_eq!(future.status(), Status::Finished);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping the last handle of a future cancels its work"]
pub struct Future<T> {
    handle: Arc<Handle>,
    /// What takes the waker away again.
    ticket: Option<u64>,
    marker: PhantomData<fn() -> T>,
}

/// Its last drop lets the job go.
struct Handle {
    job: Arc<Job>,
    identity: Identity,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.job.abandon();
    }
}

impl<T> Clone for Future<T> {
    fn clone(&self) -> Self {
        Self { handle: Arc::clone(&self.handle), ticket: None, marker: PhantomData }
    }
}

impl<T> Drop for Future<T> {
    fn drop(&mut self) {
        self.forget_waker();
    }
}

impl<T> std::fmt::Debug for Future<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let job = &self.handle.job;
        write!(f, "Future<{}>({}, {:?})", std::any::type_name::<T>(), job.info.label, job.status())
    }
}

impl<T> Future<T> {
    fn forget_waker(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.handle.job.unwatch(ticket);
        }
    }

    /// Where the work stands.
    pub fn status(&self) -> Status {
        self.handle.job.status()
    }

    /// Whether it has ended, well or not.
    pub fn done(&self) -> bool {
        self.handle.job.outcome().is_some()
    }

    /// Asks the work to stop. What has not started ends at once; of what runs, no further task starts. Work that
    /// stands on it is cancelled, too.
    pub fn cancel(&self) {
        self.handle.job.cancel();
    }

    /// Why there is no result; `None` where there is one, or none yet.
    #[doc(alias = "exception")]
    pub fn error(&self) -> Option<Arc<Error>> {
        self.handle.job.outcome().and_then(Result::err)
    }

    /// Lets the work run to its end although no handle is left.
    #[doc(alias = "fire_and_forget")]
    pub fn detach(self) {
        self.handle.job.detach();
    }

    pub(super) fn watch(&self, watcher: Watcher) -> Option<u64> {
        self.handle.job.watch(watcher)
    }

    pub(super) fn unwatch(&self, ticket: u64) {
        self.handle.job.unwatch(ticket);
    }

    pub(super) fn wait(&self, deadline: Option<Instant>) -> Option<Outcome> {
        self.handle.job.wait(deadline)
    }
}

impl<T: Send + Sync + 'static> Future<T> {
    pub(super) fn of(job: Arc<Job>) -> Self {
        let handle = Arc::new(Handle { job, identity: Identity::fresh() });
        Self { handle, ticket: None, marker: PhantomData }
    }

    /// Waits for the result and clones it.
    ///
    /// Inside a task the thread does not merely wait: it runs what the future needs and nobody has started, so that
    /// a client cannot run out of threads. A thread that a task has started itself is not known to be inside.
    ///
    /// # Errors
    /// Why there is none: the error of a task, a cancel, or [`Error::Upstream`] with the root cause.
    pub fn result(&self) -> Result<T, Arc<Error>>
    where
        T: Clone,
    {
        self.result_arc().map(|value| value.0.clone())
    }

    /// Waits for the result without cloning it: the value is the `0` of what comes back.
    ///
    /// # Errors
    /// As those of [`result`](Future::result).
    pub fn result_arc(&self) -> Result<Arc<Value<T>>, Arc<Error>> {
        loop {
            if let Some(outcome) = self.wait(None) {
                return typed(outcome);
            }
        }
    }

    /// Waits for the result and takes it, without cloning where nobody else holds it.
    ///
    /// # Errors
    /// As those of [`result`](Future::result).
    pub fn into_result(self) -> Result<T, Arc<Error>>
    where
        T: Clone,
    {
        let value = self.result_arc()?;
        drop(self);
        Ok(Arc::try_unwrap(value).map_or_else(|shared| shared.0.clone(), |own| own.0))
    }

    /// Waits at most so long; `None` where there is no result yet.
    ///
    /// Inside a task the time is looked at only between the pieces of work that are run in place.
    ///
    /// # Errors
    /// As those of [`result`](Future::result).
    pub fn result_timeout(&self, timeout: Duration) -> Option<Result<T, Arc<Error>>>
    where
        T: Clone,
    {
        let outcome = self.wait(Instant::now().checked_add(timeout))?;
        Some(typed::<T>(outcome).map(|value| value.0.clone()))
    }

    /// The result if it has ended.
    ///
    /// # Errors
    /// As those of [`result`](Future::result).
    pub fn try_result(&self) -> Option<Result<T, Arc<Error>>>
    where
        T: Clone,
    {
        let outcome = self.handle.job.outcome()?;
        Some(typed::<T>(outcome).map(|value| value.0.clone()))
    }

    /// Calls `callback` when the work has ended, on the thread that ended it, or here if it has already.
    ///
    /// It must be quick. A panic in it ends there. A callback is no handle: it does not keep the work going.
    pub fn add_done_callback(&self, callback: impl FnOnce(Result<&T, &Arc<Error>>) + Send + 'static) {
        self.watch(Watcher::Call(Box::new(move |outcome| match outcome {
            Ok(chunk) => {
                if let Some(Value(value)) = chunk.downcast_ref::<Value<T>>() {
                    callback(Ok(value));
                }
            }
            Err(error) => callback(Err(error)),
        })));
    }

    /// The result as an argument of further work, which may be submitted before this has ended.
    ///
    /// Functions that take it by reference share the value; by value it is cloned. Computed directly, not by
    /// [`Client::submit`](crate::Client::submit), it waits for the future as [`result`](Future::result) does.
    pub fn to_delayed(&self) -> Delayed<T> {
        let task = Awaited { handle: Arc::clone(&self.handle) };
        let layer = Layer::build(task).caller(self.handle.job.info.caller);
        Delayed::from_port(Port::of(layer.finish(Grid::scalar())))
    }
}

/// An outcome's value. Only a job whose chunk is a `Value<T>` is given to a `Future<T>`.
fn typed<T: Send + Sync + 'static>(outcome: Outcome) -> Result<Arc<Value<T>>, Arc<Error>> {
    let chunk: Arc<dyn std::any::Any + Send + Sync> = outcome?;
    chunk.downcast().map_err(|_| Arc::new(Error::gather(TaskError::new(std::fmt::Error))))
}

impl<T: Clone + Send + Sync + 'static> std::future::Future for Future<T> {
    type Output = Result<T, Arc<Error>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.forget_waker();
        if let Some(result) = self.try_result() {
            return Poll::Ready(result);
        }
        // If it has ended in between, it wakes at once.
        self.ticket = self.watch(Watcher::Wake(context.waker().clone()));
        Poll::Pending
    }
}

impl<T: Send + Sync + 'static> IntoArg<T> for Future<T>
where
    FromInput: Arg<T>,
{
    type Stored = FromInput;

    fn into_arg(self, ports: &mut SmallVec<[Port; 4]>) -> FromInput {
        self.to_delayed().into_arg(ports)
    }
}

impl<T: Send + Sync + 'static> IntoArg<T> for &Future<T>
where
    FromInput: Arg<T>,
{
    type Stored = FromInput;

    fn into_arg(self, ports: &mut SmallVec<[Port; 4]>) -> FromInput {
        self.to_delayed().into_arg(ports)
    }
}

/// The source of a future's value.
struct Awaited {
    handle: Arc<Handle>,
}

/// The job whose value this layer hands out, if it is one of a future.
pub(super) fn job_of(layer: &Layer) -> Option<&Arc<Job>> {
    layer.task().downcast_ref::<Awaited>().map(|task| &task.handle.job)
}

impl Task for Awaited {
    fn label(&self) -> Cow<'_, str> {
        Cow::Owned(format!("future of {}", self.handle.job.info.label))
    }

    fn run(&self, _at: Place<'_>, _inputs: Inputs<'_>) -> Result<Output, TaskError> {
        loop {
            if let Some(outcome) = self.handle.job.wait(None) {
                return Ok(Output::shared(outcome.map_err(TaskError::new)?));
            }
        }
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("scheduler.future/1");
        self.handle.identity.token(tokenizer);
    }

    /// Known when the value is there.
    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        self.handle.job.outcome().and_then(Result::ok).and_then(|chunk| chunk.codec())
    }

    fn facts(&self, _at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        let bytes = self.handle.job.outcome().and_then(Result::ok).and_then(|chunk| chunk.nbytes());
        bytes.map_or_else(Facts::default, |bytes| Facts::bytes(bytes as u64).cost(20))
    }
}
