//! The sequential scheduler: one task after the other, in plan order, on the calling thread.

use musher_graph_core::ChunkRef;

use crate::crew::Crew;
use crate::error::Error;
use crate::nested;
use crate::rooms::Rooms;
use crate::run::{Run, Scheduler};

/// Runs one task after the other on the calling thread: for debugging, tiny plans, and nested runs.
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// use musher_scheduler::{Compute, Options};
/// assert_eq!(delayed(|| 42).call(()).compute_with(&Options::sequential())?, 42);
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Sequential;

impl Scheduler for Sequential {
    fn run(&self, run: &Run) -> Result<Vec<ChunkRef>, Error> {
        self.run_into(run, &Rooms::default())
    }

    fn run_into(&self, run: &Run, rooms: &Rooms<'_>) -> Result<Vec<ChunkRef>, Error> {
        let crew = Crew::new(run)?;
        crew.run(rooms, |work| nested::inside(&crew, || work(0)))
    }
}
