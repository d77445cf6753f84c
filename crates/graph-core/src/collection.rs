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

/// An answer that a run fills as it goes on.
pub trait Answer<T>: Send {
    /// Bytes that it takes once it has begun.
    fn nbytes(&self) -> u64;

    /// Takes its memory; where each chunk goes then, in the order of [`places`](Collection::places). None where the memory
    /// is refused.
    fn rooms(&mut self) -> Option<Vec<Box<dyn Room + '_>>>;

    /// The answer, if it has begun; all rooms are filled then.
    fn finish(self: Box<Self>) -> Option<T>;
}

/// The part of an answer that one chunk fills.
pub trait Room: Send {
    /// Puts the chunk in.
    ///
    /// # Errors
    /// [`TaskError`] if the chunk does not fit.
    fn put(&mut self, chunk: ChunkRef) -> Result<(), TaskError>;
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

    /// An answer into which chunks are put one by one, in any order and by several threads, as they are made. None where the
    /// answer is better put together by [`gather`](Collection::gather): it is small, or of one chunk.
    ///
    /// **Cost** nothing: memory is taken when a run has room for it.
    fn begin(&self) -> Option<Box<dyn Answer<Self::Output>>> {
        None
    }

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
