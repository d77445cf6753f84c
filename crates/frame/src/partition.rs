//! The chunk of a frame: some of its rows as a polars table.

use std::io::{self, Read, Write};

use musher_graph_core::{Chunk, ChunkRef, Codec, CodecError};
use polars::prelude::DataFrame;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

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
        Self::codec_of()
    }

    fn codec_of() -> Option<&'static dyn Codec> {
        Some(&PartitionCodec)
    }
}

/// Partitions as bytes of the Arrow stream format, and the XXH3 (128 bits) of these, little-endian.
///
/// polars takes memory for lengths before it looks whether so many bytes come, so damaged ones must not reach it.
#[derive(Debug)]
pub(crate) struct PartitionCodec;

impl PartitionCodec {
    const KIND: &'static str = "frame.partition/2";
}

impl Codec for PartitionCodec {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn encode(&self, chunk: &dyn Chunk, to: &mut dyn Write) -> Result<(), CodecError> {
        let partition =
            chunk.downcast_ref::<Partition>().ok_or(CodecError::WrongKind { expected: Self::KIND })?;
        let mut kept = Kept { to, error: None, hash: Xxh3::new() };
        border::encode(&partition.0, &mut kept).map_err(|error| match kept.error.take() {
            Some(source) => CodecError::io(Self::KIND, source),
            None => CodecError::Malformed { kind: Self::KIND, source: error.into() },
        })?;
        let digest = kept.hash.digest128().to_le_bytes();
        kept.to.write_all(&digest).map_err(|source| CodecError::io(Self::KIND, source))
    }

    fn decode(&self, from: &mut dyn Read) -> Result<ChunkRef, CodecError> {
        // polars' reader wants to seek.
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).map_err(|source| CodecError::io(Self::KIND, source))?;
        let whole =
            bytes.split_last_chunk().filter(|(table, digest)| xxh3_128(table).to_le_bytes() == **digest);
        let Some((table, _)) = whole else {
            return Err(CodecError::Malformed {
                kind: Self::KIND,
                source: Box::new(Damaged { bytes: bytes.len() }),
            });
        };
        let table = border::decode(table)
            .map_err(|error| CodecError::Malformed { kind: Self::KIND, source: error.into() })?;
        Ok(std::sync::Arc::new(Partition(table)))
    }
}

/// A writer whose error does not get lost in polars.
struct Kept<'a> {
    to: &'a mut dyn Write,
    error: Option<io::Error>,
    /// Of what was written.
    hash: Xxh3,
}

/// The bytes are not those that were written.
#[derive(Debug, thiserror::Error)]
#[error("the checksum of {bytes} bytes does not fit them")]
struct Damaged {
    bytes: usize,
}

impl Kept<'_> {
    fn keep<T>(&mut self, done: io::Result<T>) -> io::Result<T> {
        done.map_err(|error| {
            let kind = error.kind();
            self.error = Some(error);
            kind.into()
        })
    }
}

impl Write for Kept<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes);
        let written = self.keep(written)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.to.flush();
        self.keep(flushed)
    }
}
