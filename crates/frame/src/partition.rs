//! The chunk of a frame: some of its rows as a polars table.

use musher_graph_core::{Chunk, ChunkRef, Codec, CodecError, Frames};
use polars::prelude::DataFrame;

use crate::border;

/// Some rows of a [`Frame`](crate::Frame): a polars table that travels between tasks.
///
/// # Examples
/// ```
/// use musher_frame::{Partition, polars::prelude::*};
/// use musher_graph_core::Chunk;
/// let partition = Partition(df!("x" => [1, 2, 3])?);
/// assert!(partition.nbytes() >= Some(12));
/// # Ok::<(), PolarsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Partition(pub DataFrame);

impl Chunk for Partition {
    /// polars' estimate: the buffers of all columns, shared ones counted in full.
    fn nbytes(&self) -> Option<usize> {
        Some(self.0.estimated_size())
    }

    fn codec(&self) -> Option<&'static dyn Codec> {
        Some(&PartitionCodec)
    }
}

/// Partitions as bytes of the Arrow stream format.
#[derive(Debug)]
struct PartitionCodec;

impl PartitionCodec {
    const KIND: &'static str = "frame.partition/1";
}

impl Codec for PartitionCodec {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn encode(&self, chunk: &dyn Chunk) -> Result<Frames, CodecError> {
        let partition =
            chunk.downcast_ref::<Partition>().ok_or(CodecError::WrongKind { expected: Self::KIND })?;
        let bytes = border::encode(&partition.0);
        Ok(vec![bytes.map_err(|error| CodecError::Malformed { kind: Self::KIND, source: error.into() })?])
    }

    fn decode(&self, frames: Frames) -> Result<ChunkRef, CodecError> {
        let malformed = |source| CodecError::Malformed { kind: Self::KIND, source };
        let [bytes] = frames.as_slice() else {
            return Err(malformed(format!("{} frames instead of 1", frames.len()).into()));
        };
        let table = border::decode(bytes).map_err(|error| malformed(error.into()))?;
        Ok(std::sync::Arc::new(Partition(table)))
    }
}
