//! Chunks: pieces of data that fit in memory, know their bytes and may be encoded for spill and wire.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// A chunk as it travels between tasks: shared, immutable, of any kind.
pub type ChunkRef = Arc<dyn Chunk>;

/// The encoded parts of a chunk, in order.
pub type Frames = Vec<Vec<u8>>;

/// A piece of data that fits in memory; immutable once made.
///
/// Each domain has a newtype of its own (`Block`, `Partition`, [`Value`]): a blanket implementation would make
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
/// # Errors
/// `decode` treats its bytes as hostile: what does not fit is a [`CodecError`], never a panic.
pub trait Codec: Send + Sync {
    /// Name and version of the encoding, such as `"array.f64/1"`.
    fn kind(&self) -> &'static str;

    /// The frames of a chunk of this kind.
    ///
    /// # Errors
    /// [`CodecError`] when the chunk is of another kind.
    fn encode(&self, chunk: &dyn Chunk) -> Result<Frames, CodecError>;

    /// The chunk whose frames these are.
    ///
    /// # Errors
    /// [`CodecError`] when the frames are not such a chunk's.
    fn decode(&self, frames: Frames) -> Result<ChunkRef, CodecError>;
}

/// Encoding or decoding a chunk failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum CodecError {
    /// The chunk is not of the codec's kind.
    WrongKind {
        /// The codec's kind.
        expected: &'static str,
    },
    /// The frames are not a chunk's.
    Malformed {
        /// The codec's kind.
        kind: &'static str,
        /// What was met.
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongKind { expected } => write!(f, "the chunk is not of kind {expected}"),
            Self::Malformed { kind, .. } => write!(f, "malformed frames of kind {kind}"),
        }
    }
}

impl StdError for CodecError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::WrongKind { .. } => None,
            Self::Malformed { source, .. } => Some(source.as_ref()),
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

/// The chunk of a value of any type: pinned and, where heap memory counts, unmeasured.
///
/// A type without drop glue holds nothing beyond itself, so its size is known.
#[derive(Debug)]
pub struct Value<T>(pub T);

impl<T: Send + Sync + 'static> Chunk for Value<T> {
    fn nbytes(&self) -> Option<usize> {
        if std::mem::needs_drop::<T>() { None } else { Some(size_of::<T>()) }
    }
}

/// The chunk of a value that implements [`Measure`].
#[derive(Debug)]
pub struct Measured<T>(pub T);

impl<T: Measure + Send + Sync + 'static> Chunk for Measured<T> {
    fn nbytes(&self) -> Option<usize> {
        Some(self.0.nbytes())
    }
}
