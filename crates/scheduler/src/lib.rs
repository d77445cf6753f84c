//! Runs plans: everything that happens while data exists.
//!
//! | for | there is |
//! |---|---|
//! | a result | [`Compute`] on every collection: `compute()`, `persist()`; [`compute`] and [`persist`] of several at once |
//! | what would happen | `explain()`, `check()` |
//! | how to run | [`Options`] of one call, [`Settings`] of a program, a shell, a machine |
//! | an end before the end | [`CancelToken`]: by hand, at a deadline, by Ctrl-C; [`check_cancelled`] in tasks that take long |
//! | work in the background | [`Client`] and its [`Future`]s |
//! | results that outlive the process | [`Checkpointing`] |
//! | seeing | [`Observer`], [`ProgressBar`], [`EventLog`] |
//! | finding a fault | [`FailedTasks`], [`rerun`], [`Recorder`] and [`Replay`] |
//!
//! ```
//! use musher_graph_core::delayed;
//! use musher_scheduler::{Compute, Options, compute};
//!
//! fn inc(x: i64) -> i64 { x + 1 }
//! fn add(a: i64, b: i64) -> i64 { a + b }
//! let a = delayed(inc).call(1);
//! let b = delayed(add).call((&a, 10));
//! assert_eq!(b.compute()?, 12);
//! assert_eq!(compute((&a, &b))?, (2, 12));
//! assert_eq!(b.compute_with(&Options::sequential())?, 12);
//! # Ok::<(), musher_scheduler::Error>(())
//! ```

mod atomic;
mod cancel;
mod check;
mod checkpoint;
mod client;
mod compute;
mod crew;
mod disk;
mod engine;
mod error;
mod event;
mod event_log;
mod failed;
pub mod files;
mod limit;
mod machine;
#[cfg(test)]
#[cfg(shuttle)]
mod model;
mod nested;
mod options;
mod planning;
mod progress;
mod raw;
mod replay;
mod rerun;
mod rooms;
mod run;
mod sequential;
mod settings;
pub mod sink;
mod spilling;
mod sync;
mod threaded;

pub use atomic::AtomicFile;
pub use cancel::CancelToken;
pub use checkpoint::{Checkpoint, CheckpointError, Checkpointing, Saved};
pub use client::{
    AsCompleted, Client, Future, ReturnWhen, Status, Submit, Waited, as_completed, gather, wait,
};
pub use compute::{Collections, Compute, compute, compute_with, persist, persist_with};
pub use disk::{SpillCompression, SpillCounts, SpillDir, SpillError, SpillOptions};
pub use error::{Cause, CauseKind, Error, Failure, Spilling};
pub use event::{Event, Observer};
pub use event_log::{EventLog, LoggedTask, TaskTransition, Transition, TransitionKind};
pub use failed::{FailedTask, FailedTasks};
pub use limit::Limit;
pub use machine::Machine;
pub use nested::{GaveUp, check_cancelled};
pub use options::Options;
pub use planning::plan;
pub use progress::ProgressBar;
pub use replay::{Recorder, Recording, Replay, ReplayError};
pub use rerun::rerun;
pub use rooms::Rooms;
pub use run::{Run, Scheduler};
pub use sequential::Sequential;
pub use settings::{Settings, SettingsError, SettingsSource};
pub use threaded::Threaded;
