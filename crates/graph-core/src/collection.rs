//! What a user holds: outputs of a graph and how to gather them.

use std::sync::Arc;

use crate::chunk::ChunkRef;
use crate::layer::Port;
use crate::task::TaskError;

/// Which tasks of a layer are asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Places {
    /// All of them, in C order.
    #[default]
    All,
    /// Those with these indices, in this order.
    Some(Arc<[u32]>),
}

/// Outputs of a graph that are asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The layer and its output.
    pub port: Port,
    /// Which tasks of the layer.
    pub places: Places,
}

impl Request {
    /// Number of chunks asked for.
    pub fn n_chunks(&self) -> usize {
        match &self.places {
            Places::All => self.port.grid().n_tasks(),
            Places::Some(places) => places.len(),
        }
    }
}

/// A lazy collection: it names outputs of a graph and knows how to gather them into a result.
///
/// `musher-scheduler`'s prelude gives every collection `compute()`, `persist()` and `explain()`.
///
/// # Errors
/// [`gather`](Collection::gather) fails only where assembling the chunks needs memory or meets a foreign chunk.
pub trait Collection {
    /// What `compute()` returns.
    type Output;

    /// The layer and output that hold this collection's chunks.
    fn port(&self) -> &Port;

    /// Which tasks of the layer belong to it; all by default.
    fn places(&self) -> Places {
        Places::All
    }

    /// Assembles the result from the chunks, given in the order of [`places`](Collection::places).
    ///
    /// # Errors
    /// [`TaskError`] if the chunks do not fit together.
    fn gather(&self, chunks: Vec<ChunkRef>) -> Result<Self::Output, TaskError>;

    /// The same collection over other layers with equal chunks: what `persist()` returns.
    #[must_use]
    fn with_port(&self, port: Port) -> Self
    where
        Self: Sized;

    /// What this collection asks of a plan.
    fn request(&self) -> Request {
        Request { port: self.port().clone(), places: self.places() }
    }
}
