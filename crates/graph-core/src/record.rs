//! Chunks of plain data with one codec for all of them: partial answers, tables, borders, whatever derives serde.

use std::io::{Read, Write};
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::chunk::{Chunk, ChunkRef, Codec, CodecError, Measure};
use crate::coder::to_vec;

/// A value that is a chunk once it stands in a [`Record`]: plain data that serde writes and reads back.
///
/// # Examples
/// ```
/// use musher_graph_core::{AsRecord, Chunk, Measure, Record};
///
/// #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
/// struct Range { least: f64, most: f64 }
/// impl Measure for Range {
///     fn nbytes(&self) -> usize { size_of::<Self>() }
/// }
/// impl AsRecord for Range {
///     const KIND: &'static str = "doc.range/1";
///     fn is_sound(&self) -> bool { self.least <= self.most }
/// }
///
/// let record = Record(Range { least: -1.0, most: 2.5 });
/// let codec = record.codec().expect("records can leave memory");
/// let mut bytes = Vec::new();
/// codec.encode(&record, &mut bytes)?;
/// let back = codec.decode(&mut bytes.as_slice())?;
/// assert_eq!(back.downcast_ref::<Record<Range>>().map(|back| &back.0), Some(&record.0));
/// assert!(codec.decode(&mut &bytes[1..]).is_err());
/// # Ok::<(), musher_graph_core::CodecError>(())
/// ```
pub trait AsRecord: Measure + Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Name and version of the encoding, such as `"image.border/1"`.
    const KIND: &'static str;

    /// Whether a value that was read back holds together: lengths that belong to each other, numbers within their range.
    ///
    /// Bytes that come back are taken as hostile; what is not sound is refused.
    fn is_sound(&self) -> bool {
        true
    }
}

/// The chunk of a value that is plain data.
#[derive(Debug, Clone)]
pub struct Record<T>(pub T);

impl<T: AsRecord> Chunk for Record<T> {
    fn nbytes(&self) -> Option<usize> {
        Some(self.0.nbytes())
    }

    fn codec(&self) -> Option<&'static dyn Codec> {
        Self::codec_of()
    }

    fn codec_of() -> Option<&'static dyn Codec> {
        const { Some(&RecordCodec::<T>(PhantomData)) }
    }
}

struct RecordCodec<T>(PhantomData<fn() -> T>);

/// The bytes are not a record's.
#[derive(Debug, thiserror::Error)]
#[error("{bytes} bytes hold no such record")]
struct NotARecord {
    bytes: usize,
}

impl<T: AsRecord> Codec for RecordCodec<T> {
    fn kind(&self) -> &'static str {
        T::KIND
    }

    fn encode(&self, chunk: &dyn Chunk, to: &mut dyn Write) -> Result<(), CodecError> {
        let record: &Record<T> = chunk.downcast_ref().ok_or(CodecError::WrongKind { expected: T::KIND })?;
        // Records are small beside the blocks they come from: written as one.
        let malformed = |source| CodecError::Malformed { kind: T::KIND, source: Box::new(source) };
        let bytes = to_vec(&record.0).map_err(malformed)?;
        to.write_all(&bytes).map_err(|source| CodecError::io(T::KIND, source))
    }

    fn decode(&self, from: &mut dyn Read) -> Result<ChunkRef, CodecError> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).map_err(|source| CodecError::io(T::KIND, source))?;
        match postcard::take_from_bytes::<T>(&bytes) {
            Ok((value, [])) if value.is_sound() => Ok(Arc::new(Record(value))),
            Ok(_) => {
                let source = Box::new(NotARecord { bytes: bytes.len() });
                Err(CodecError::Malformed { kind: T::KIND, source })
            }
            Err(source) => Err(CodecError::Malformed { kind: T::KIND, source: Box::new(source) }),
        }
    }
}
