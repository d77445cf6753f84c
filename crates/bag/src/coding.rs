//! How the items of a bag are written, where the user said that they shall be, and the codec of partitions.

use std::io::{Read, Write};
use std::sync::Arc;

use musher_graph_core::{Chunk, ChunkRef, Codec, CodecError, Coder, coding_error};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::partition::Partition;

/// How items are written by serde, alone and with their counts.
pub(crate) struct Coding<T: 'static> {
    pub(crate) items: Coder<T>,
    /// Makes a partition of items, which can leave memory.
    pub(crate) partition: fn(Vec<T>) -> Partition<T>,
    pub(crate) codec: &'static dyn Codec,
    /// Counted items have no such coder, or there would be no end of types.
    counted: Option<Coder<(T, u64)>>,
}

impl<T> Clone for Coding<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Coding<T> {}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Coding<T> {
    /// Of a type that serde can write and read.
    pub(crate) fn serde() -> Self {
        let counted = Some(Coder::serde());
        Self { items: Coder::serde(), partition: Partition::encoded, codec: encoded::<T>(), counted }
    }
}

impl<T: Send + Sync + 'static> Coding<T> {
    /// How counted items are written; `own` is what the user said of the items.
    pub(crate) fn counted(own: Option<Self>) -> Option<Coder<(T, u64)>> {
        own.and_then(|own| own.counted).or_else(Coder::known)
    }
}

/// The codec of partitions whose items are of a common type.
pub(crate) fn known<T: Send + Sync + 'static>() -> Option<&'static dyn Codec> {
    Coder::<T>::known()?;
    const { Some(&PartitionCodec { coder: Coder::<T>::known, partition: Partition::new }) }
}

/// The codec of partitions whose items serde can write and read.
pub(crate) fn encoded<T: Serialize + DeserializeOwned + Send + Sync + 'static>() -> &'static dyn Codec {
    const { &PartitionCodec { coder: || Some(Coder::<T>::serde()), partition: Partition::encoded } }
}

/// Writes a partition as the number of its items, little-endian in 64 bits, and its items.
struct PartitionCodec<T: 'static> {
    /// None where there is no such codec.
    coder: fn() -> Option<Coder<T>>,
    partition: fn(Vec<T>) -> Partition<T>,
}

impl<T: 'static> PartitionCodec<T> {
    fn coder(&self) -> Coder<T> {
        (self.coder)().expect("a codec is given only where there is a coder")
    }
}

impl<T: Send + Sync + 'static> Codec for PartitionCodec<T> {
    fn kind(&self) -> &'static str {
        self.coder().kind("bag.partition/1")
    }

    fn encode(&self, chunk: &dyn Chunk, to: &mut dyn Write) -> Result<(), CodecError> {
        let partition: &Partition<T> =
            chunk.downcast_ref().ok_or(CodecError::WrongKind { expected: self.kind() })?;
        let items = partition.items();
        let written = to.write_all(&(items.len() as u64).to_le_bytes());
        let written = written.and_then(|()| self.coder().write(items, to));
        written.map_err(|error| coding_error(self.kind(), error))
    }

    fn decode(&self, from: &mut dyn Read) -> Result<ChunkRef, CodecError> {
        let mut n = [0; 8];
        let mut items = Vec::new();
        let read = from.read_exact(&mut n);
        let read = read.and_then(|()| self.coder().read(u64::from_le_bytes(n), from, &mut items));
        read.map_err(|error| coding_error(self.kind(), error))?;
        Ok(Arc::new((self.partition)(items)))
    }
}
