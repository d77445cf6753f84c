//! Chunks: pieces of data that fit in memory, know their bytes and may be encoded for spill and wire.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use crate::byte_size::ByteSize;
use crate::report::report;

/// A chunk as it travels between tasks: shared, immutable, of any kind.
pub type ChunkRef = Arc<dyn Chunk>;

/// A piece of data that fits in memory; immutable once made.
///
/// Each domain has a newtype of its own (`Block`, `Partition`, [`Value`](crate::Value)): a blanket implementation would make
/// `arc.as_any()` resolve on the `Arc` itself.
///
/// # Examples
/// ```
/// use musher_graph_core::{Chunk, ChunkRef};
/// use std::sync::Arc;
/// struct Text(String);
/// impl Chunk for Text {
///     fn nbytes(&self) -> Option<usize> { Some(self.0.capacity()) }
/// }
/// let chunk: ChunkRef = Arc::new(Text("abc".into()));
/// assert!(chunk.codec().is_none(), "pinned: it cannot leave memory");
/// ```
pub trait Chunk: Any + Send + Sync {
    /// Bytes of memory this chunk holds, or `None` where nobody measured.
    fn nbytes(&self) -> Option<usize>;

    /// How to write this chunk out and read it back; `None` pins it in memory.
    fn codec(&self) -> Option<&'static dyn Codec> {
        None
    }

    /// How chunks of this type are written and read back, where their type alone tells: by it a plan knows before it runs
    /// which chunks can leave memory. [`codec`](Chunk::codec) of a chunk of such a type gives one of the same kind.
    fn codec_of() -> Option<&'static dyn Codec>
    where
        Self: Sized,
    {
        None
    }
}

impl fmt::Debug for dyn Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chunk({:?} bytes)", self.nbytes())
    }
}

impl dyn Chunk {
    /// This chunk as a `T`, if it is one.
    pub fn downcast_ref<T: Chunk>(&self) -> Option<&T> {
        (self as &dyn Any).downcast_ref()
    }
}

/// Writes one kind of chunk out and reads it back; spilling uses it first, the wire later.
///
/// Both directions are streams, so that a chunk is not copied whole on its way to the disk.
///
/// # Errors
/// `decode` treats its bytes as hostile: what does not fit is a [`CodecError`], never a panic; and a length in them is
/// believed only as far as bytes come, so that a lie cannot take more memory than a small multiple of those.
///
/// # Examples
/// ```
/// use musher_graph_core::{Chunk, ChunkRef, Codec, CodecError};
/// use std::io::{Read, Write};
/// use std::sync::Arc;
///
/// struct Text(String);
/// impl Chunk for Text {
///     fn nbytes(&self) -> Option<usize> { Some(self.0.capacity()) }
///     fn codec(&self) -> Option<&'static dyn Codec> { Self::codec_of() }
///     fn codec_of() -> Option<&'static dyn Codec> { Some(&TextCodec) }
/// }
///
/// struct TextCodec;
/// impl Codec for TextCodec {
///     fn kind(&self) -> &'static str { "text/1" }
///     fn encode(&self, chunk: &dyn Chunk, to: &mut dyn Write) -> Result<(), CodecError> {
///         let text: &Text = chunk.downcast_ref().ok_or(CodecError::WrongKind { expected: self.kind() })?;
///         to.write_all(text.0.as_bytes()).map_err(|source| CodecError::io(self.kind(), source))
///     }
///     fn decode(&self, from: &mut dyn Read) -> Result<ChunkRef, CodecError> {
///         let mut text = String::new();
///         from.read_to_string(&mut text).map_err(|source| CodecError::io(self.kind(), source))?;
///         Ok(Arc::new(Text(text)))
///     }
/// }
///
/// let mut bytes = Vec::new();
/// TextCodec.encode(&Text("abc".into()), &mut bytes)?;
/// let back = TextCodec.decode(&mut bytes.as_slice())?;
/// assert_eq!(back.downcast_ref::<Text>().map(|text| text.0.as_str()), Some("abc"));
/// # Ok::<(), CodecError>(())
/// ```
pub trait Codec: Send + Sync {
    /// Name and version of the encoding, such as `"array.f64/1"`.
    fn kind(&self) -> &'static str;

    /// Writes a chunk of this kind. Many small writes may be slow: gather about 256 KiB.
    ///
    /// # Errors
    /// [`CodecError`] when the chunk is of another kind, or writing fails.
    fn encode(&self, chunk: &dyn Chunk, to: &mut dyn Write) -> Result<(), CodecError>;

    /// Reads the chunk that these bytes are, to their very end: only there a checksum can be verified.
    ///
    /// # Errors
    /// [`CodecError`] when the bytes are not such a chunk's, or go on behind it, or reading fails.
    fn decode(&self, from: &mut dyn Read) -> Result<ChunkRef, CodecError>;
}

/// Encoding or decoding a chunk failed.
#[non_exhaustive]
pub enum CodecError {
    /// The chunk is not of the codec's kind.
    WrongKind {
        /// The codec's kind.
        expected: &'static str,
    },
    /// The bytes are not a chunk's.
    Malformed {
        /// The codec's kind.
        kind: &'static str,
        /// What was met.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The bytes could not be written or read.
    Io {
        /// The codec's kind.
        kind: &'static str,
        /// Why.
        source: io::Error,
    },
    /// There is no memory for the chunk.
    OutOfMemory {
        /// The codec's kind.
        kind: &'static str,
        /// Bytes that were asked for.
        bytes: usize,
    },
}

impl fmt::Debug for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report(self, f)
    }
}

impl CodecError {
    /// Writing or reading failed; bytes that end too early are [`Malformed`](Self::Malformed).
    ///
    /// # Examples
    /// ```
    /// use musher_graph_core::CodecError;
    /// let full = CodecError::io("text/1", std::io::ErrorKind::StorageFull.into());
    /// assert!(matches!(full, CodecError::Io { .. }));
    /// let short = CodecError::io("text/1", std::io::ErrorKind::UnexpectedEof.into());
    /// assert!(matches!(short, CodecError::Malformed { .. }));
    /// ```
    pub fn io(kind: &'static str, source: io::Error) -> Self {
        match source.kind() {
            // A store's own finding that its file was cut travels inside.
            io::ErrorKind::UnexpectedEof if source.get_ref().is_none() => {
                Self::Malformed { kind, source: Box::new(source) }
            }
            _ => Self::Io { kind, source },
        }
    }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongKind { expected } => write!(f, "the chunk is not of kind {expected}"),
            Self::Malformed { kind, .. } => write!(f, "malformed bytes of a chunk of kind {kind}"),
            Self::Io { kind, .. } => write!(f, "writing or reading a chunk of kind {kind} failed"),
            Self::OutOfMemory { kind, bytes } => {
                let bytes = ByteSize::from(*bytes as u64);
                write!(f, "no memory for {bytes} of a chunk of kind {kind}; use smaller chunks")
            }
        }
    }
}

impl StdError for CodecError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::WrongKind { .. } | Self::OutOfMemory { .. } => None,
            Self::Malformed { source, .. } => Some(source.as_ref()),
            Self::Io { source, .. } => Some(source),
        }
    }
}

/// A value that knows how many bytes it holds, heap included: at least its own size.
///
/// # Examples
/// ```
/// use musher_graph_core::Measure;
/// assert!(vec![0_u64; 4].nbytes() >= 32);
/// ```
pub trait Measure {
    /// Bytes of memory this value holds.
    fn nbytes(&self) -> usize;
}

macro_rules! measure_of_plain {
    ($($t:ty),*) => {$(
        impl Measure for $t {
            fn nbytes(&self) -> usize {
                size_of::<Self>()
            }
        }
    )*};
}
measure_of_plain!(u8, u16, u32, u64, u128, i8, i16, i32, i64, i128, f32, f64, usize, isize, bool, char, ());

impl Measure for String {
    fn nbytes(&self) -> usize {
        size_of::<Self>() + self.capacity()
    }
}

impl<T: Measure> Measure for Vec<T> {
    fn nbytes(&self) -> usize {
        let spare = (self.capacity() - self.len()) * size_of::<T>();
        size_of::<Self>() + spare + self.iter().map(Measure::nbytes).sum::<usize>()
    }
}

impl<T: Measure> Measure for Option<T> {
    fn nbytes(&self) -> usize {
        let heap = self.as_ref().map_or(0, |value| value.nbytes() - size_of::<T>());
        size_of::<Self>() + heap
    }
}

impl<A: Measure, B: Measure> Measure for (A, B) {
    fn nbytes(&self) -> usize {
        let heap = self.0.nbytes() - size_of::<A>() + self.1.nbytes() - size_of::<B>();
        size_of::<Self>() + heap
    }
}
