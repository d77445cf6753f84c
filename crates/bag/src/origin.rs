//! Which operation failed, where several were fused into one task.
//!
//! An error carries its operation's name and the user's line along. A panic cannot; so a guard that stands only while the user's
//! function runs writes both down when the stack unwinds through it, and the task passes them on. Where nothing panics,
//! the guard costs nothing.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use musher_graph_core::{Site, StepError, StepPanic, TaskError};
use musher_scheduler::files::FilesError;

use crate::error::Error;

/// An operation and the user's line that built it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    label: &'static str,
    caller: Site,
}

thread_local! {
    /// The operation whose function has panicked in the task that runs on this thread.
    static PANICKED: Cell<Option<Origin>> = const { Cell::new(None) };
}

/// Writes its operation down if it is dropped by a panic.
struct Guard(Origin);

impl Drop for Guard {
    fn drop(&mut self) {
        // The innermost is the first to be dropped; those around it only passed the panic on.
        if PANICKED.get().is_none() {
            PANICKED.set(Some(self.0));
        }
    }
}

impl Origin {
    /// An operation that is built on the line of the caller.
    #[track_caller]
    pub(crate) fn new(label: &'static str) -> Self {
        Self { label, caller: Site::caller() }
    }

    /// The operation's name.
    pub(crate) fn label(&self) -> &'static str {
        self.label
    }

    /// An error of this operation.
    pub(crate) fn error(&self, cause: impl Into<TaskError>) -> TaskError {
        TaskError::new(StepError { label: self.label.to_owned(), caller: self.caller, cause: cause.into() })
    }

    /// Why the files of this operation could not be found.
    pub(crate) fn find(&self, source: FilesError) -> Error {
        Error::Find { operation: self.label, caller: self.caller, source }
    }

    /// Calls a user's function, so that its panic is known to be this operation's.
    pub(crate) fn call<R>(&self, function: impl FnOnce() -> R) -> R {
        let guard = Guard(*self);
        let result = function();
        std::mem::forget(guard);
        result
    }
}

/// Runs fused operations, and names the one that panics.
pub(crate) fn name_panics<R>(work: impl FnOnce() -> R) -> R {
    PANICKED.set(None);
    // Whoever catches the panic in the end judges what it left behind: here it only passes.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result,
        Err(payload) => resume_unwind(named(payload)),
    }
}

fn named(payload: Box<dyn Any + Send>) -> Box<dyn Any + Send> {
    match PANICKED.take() {
        Some(Origin { label, caller }) => Box::new(StepPanic { label: label.to_owned(), caller, payload }),
        None => payload,
    }
}
