//! The threaded scheduler: a crew on the threads of a rayon pool.

use std::num::NonZeroUsize;

use musher_graph_core::ChunkRef;
use rayon::ThreadPoolBuilder;

use crate::crew::Crew;
use crate::error::Error;
use crate::nested;
use crate::rooms::Rooms;
use crate::run::{Run, Scheduler};
use crate::sync::{StaticMutex, ThreadPool, on_threads};

/// Runs a plan on a pool of threads.
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// use musher_scheduler::{Compute, Options};
/// assert_eq!(delayed(|| 42).call(()).compute_with(&Options::default().threads(2))?, 42);
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Threaded {
    threads: Option<NonZeroUsize>,
}

impl Threaded {
    /// This many threads; `None` is one for each core.
    pub fn new(threads: Option<NonZeroUsize>) -> Self {
        Self { threads }
    }
}

impl Scheduler for Threaded {
    fn run(&self, run: &Run) -> Result<Vec<ChunkRef>, Error> {
        self.run_into(run, &Rooms::default())
    }

    fn run_into(&self, run: &Run, rooms: &Rooms<'_>) -> Result<Vec<ChunkRef>, Error> {
        let crew = Crew::new(run)?;
        let inside = |work: &(dyn Fn(usize) + Sync), index| nested::inside(&crew, || work(index));
        if let Some(pool) = &run.pool {
            return crew.run(rooms, |work| on_threads(pool, |index| inside(work, index)));
        }
        let pool = Lease::new(self.threads.unwrap_or(run.threads))?;
        crew.run(rooms, |work| pool.broadcast(|index| inside(work, index)))
    }
}

/// The pools that nobody uses now: making threads costs more than most runs.
static IDLE: StaticMutex<Vec<ThreadPool>> = StaticMutex::new(Vec::new());
/// More idle pools than this are not kept.
const MOST_IDLE: usize = 8;

/// A pool for the length of one run.
///
/// Two runs at once never share a pool: the loops of the second would wait on the stacks of the first one's tasks,
/// forever if such a task waits for the second run.
struct Lease {
    pool: Option<ThreadPool>,
}

impl Lease {
    fn new(threads: NonZeroUsize) -> Result<Self, Error> {
        let threads = threads.get();
        let mut idle = IDLE.lock();
        if let Some(at) = idle.iter().position(|pool| pool.current_num_threads() == threads) {
            return Ok(Self { pool: Some(idle.swap_remove(at)) });
        }
        drop(idle);
        let builder =
            ThreadPoolBuilder::new().num_threads(threads).thread_name(|index| format!("musher-{index}"));
        let pool = builder.build().map_err(|source| Error::Workers { threads, source: Box::new(source) })?;
        Ok(Self { pool: Some(pool) })
    }

    /// Runs `work` once on each thread.
    fn broadcast(&self, work: impl Fn(usize) + Sync) {
        if let Some(pool) = &self.pool {
            on_threads(pool, work);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut idle = IDLE.lock();
        if idle.len() < MOST_IDLE {
            idle.extend(self.pool.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_are_used_again_and_few_are_kept() {
        let lease = |threads| Lease::new(NonZeroUsize::new(threads).unwrap()).unwrap();
        let idle = || IDLE.lock().len();
        drop(lease(2));
        assert_eq!(idle(), 1);
        // Two at once are two pools; one after the other is one.
        let (first, second) = (lease(2), lease(2));
        assert_eq!(idle(), 0);
        drop((first, second));
        assert_eq!(idle(), 2);
        drop(lease(2));
        assert_eq!(idle(), 2);
        let many: Vec<Lease> = (0..MOST_IDLE + 3).map(|_| lease(1)).collect();
        drop(many);
        assert_eq!(idle(), MOST_IDLE);
    }
}
