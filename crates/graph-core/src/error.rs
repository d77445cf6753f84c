//! What can be wrong with a graph before it runs.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::fit::Misfit;
use crate::report::report;
use crate::scope::OUTSIDE;
use crate::site::Site;

/// A graph that cannot be planned.
#[derive(Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Error {
    /// Whoever watched the planning said that it is not to go on.
    #[error("planning was given up")]
    GivenUp,
    /// Tasks are numbered with 32 bits.
    #[error("{n_tasks} tasks are more than one graph can number ({})", u32::MAX)]
    TooManyTasks {
        /// How many there would be.
        n_tasks: usize,
    },
    /// Outputs are numbered with 32 bits.
    #[error("{n_outputs} outputs of tasks are more than one graph can number ({})", u32::MAX)]
    TooManyOutputs {
        /// How many there would be.
        n_outputs: usize,
    },
    /// Edges are numbered with 32 bits.
    #[error(
        "{n_edges} edges between tasks are more than one graph can number ({}); use larger chunks",
        u32::MAX
    )]
    TooManyEdges {
        /// How many there are at least.
        n_edges: usize,
    },
    /// Bytes are counted with 62 bits, so that no sum of them wraps.
    #[error("the chunks of this graph are {bytes} bytes together, more than can be counted")]
    TooManyBytes {
        /// How many there would be.
        bytes: u128,
    },
    /// A wiring reads a task that its producer does not have.
    #[error("{consumer} (built at {caller}) reads task {index} of {producer}, which has {n_tasks}")]
    ReadsOutside {
        /// Label of the reading layer.
        consumer: String,
        /// Where it was built.
        caller: Site,
        /// Label of the layer it reads.
        producer: String,
        /// The task it asks for.
        index: usize,
        /// How many there are.
        n_tasks: usize,
    },
    /// A wiring does not fit the grids that it joins.
    #[error("{consumer} (built at {caller}) reads {producer} by a wiring that does not fit: {misfit}")]
    Wiring {
        /// Label of the reading layer.
        consumer: String,
        /// Where it was built.
        caller: Site,
        /// Label of the layer it reads.
        producer: String,
        /// What does not fit.
        misfit: Box<Misfit>,
    },
    /// Identities must come from scopes ([`Scope::require`](crate::Scope::require)), and this one could not.
    #[error("{layer} (built at {caller}) needs an identity, and {OUTSIDE}")]
    NoScope {
        /// Label of the layer.
        layer: String,
        /// Where it was built.
        caller: Site,
    },
    /// Something is asked for that its layer does not have.
    #[error(
        "task {index}, output {output} of {layer} is asked for, which has {n_tasks} tasks of {n_outputs} outputs"
    )]
    RequestOutside {
        /// Label of the layer.
        layer: String,
        /// The task asked for.
        index: usize,
        /// The output asked for.
        output: usize,
        /// How many tasks there are.
        n_tasks: usize,
        /// How many outputs each has.
        n_outputs: usize,
    },
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report(self, f)
    }
}
