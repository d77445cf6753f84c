//! What several tests here need: runs of plans that are not optimized, and a look at errors.

use std::error::Error as _;
use std::sync::Arc;

use musher_graph_core::{ChunkRef, Graph, Plan, Request};
use musher_scheduler::{Error, Run, Scheduler, Sequential, Threaded};

/// The plan of these requests as they stand: nothing is fused.
pub(crate) fn unfused(requests: &[Request]) -> Arc<Plan> {
    Arc::new(Plan::new(Graph::collect(requests).unwrap()).unwrap())
}

/// Runs a plan in sequence (0 threads) or on threads.
pub(crate) fn run(plan: &Arc<Plan>, threads: usize, limit: Option<u64>) -> Result<Vec<ChunkRef>, Error> {
    let mut run = Run::new(Arc::clone(plan));
    run.memory_limit = limit.map(Into::into);
    execute(&run, threads)
}

/// Executes a run in sequence (0 threads) or on threads.
pub(crate) fn execute(run: &Run, threads: usize) -> Result<Vec<ChunkRef>, Error> {
    match std::num::NonZeroUsize::new(threads) {
        None => Sequential.run(run),
        threads => Threaded::new(threads).run(run),
    }
}

/// An error's message and those of its causes.
pub(crate) fn messages(error: &Error) -> Vec<String> {
    let mut messages = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        messages.push(cause.to_string());
        source = cause.source();
    }
    messages
}
