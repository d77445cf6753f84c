//! Runs plans: everything that happens while data exists.
//!
//! [`Compute`] gives every collection `compute()`, `persist()` and `explain()`; [`compute`] and [`persist`] take
//! several collections at once, so that shared work is done once. [`Options`] choose threads, memory limit,
//! observers and a way to cancel.
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
mod failed;
mod machine;
mod memory;
#[cfg(test)]
#[cfg(shuttle)]
mod model;
mod options;
mod progress;
mod run;
mod sequential;
mod settings;
mod spilling;
mod sync;
mod threaded;

pub use atomic::{AtomicDir, AtomicFile};
pub use cancel::CancelToken;
pub use checkpoint::{Checkpoint, CheckpointError, Checkpointing, Saved};
pub use client::{
    AsCompleted, Client, Future, ReturnWhen, Status, Submit, Waited, as_completed, gather, wait,
};
pub use compute::{Collections, Compute, compute, compute_with, persist, persist_with, plan};
pub use disk::{SpillCompression, SpillCounts, SpillDir, SpillError, SpillOptions};
pub use error::{Error, Failure};
pub use event::{Event, Observer};
pub use failed::{FailedTask, FailedTasks};
pub use machine::Machine;
pub use memory::{MemoryLimit, ParseMemoryLimitError};
pub use options::Options;
pub use progress::ProgressBar;
pub use run::{Run, Scheduler};
pub use sequential::Sequential;
pub use settings::{Settings, SettingsError, SettingsSource};
pub use threaded::Threaded;
