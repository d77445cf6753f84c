//! The chunks of single values: as they are, measured by themselves, and written by serde.

use std::any::Any;
use std::fmt;
use std::io::{Read, Write};
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::chunk::{Chunk, ChunkRef, Codec, CodecError, Measure};
use crate::coder::{Coder, coding_error};

/// The chunk of a value of any type.
///
/// Values of common types ([`Coder::known`]) are measured and can leave memory. Others are pinned and, where heap memory
/// counts, unmeasured: see [`Measured`] and [`Encoded`].
///
/// # Examples
/// ```
/// use musher_graph_core::{Chunk, Value};
/// assert!(Value(vec![1.5, 2.5]).codec().is_some());
/// assert!(Value(std::time::SystemTime::now()).codec().is_none(), "pinned");
/// ```
#[derive(Debug, Clone)]
pub struct Value<T>(pub T);

impl<T: Send + Sync + 'static> Chunk for Value<T> {
    /// A type without drop glue holds nothing beyond itself, so its size is known.
    fn nbytes(&self) -> Option<usize> {
        match std::mem::needs_drop::<T>() {
            true => Coder::known()?.nbytes(&self.0),
            false => Some(size_of::<T>()),
        }
    }

    fn codec(&self) -> Option<&'static dyn Codec> {
        Self::codec_of()
    }

    fn codec_of() -> Option<&'static dyn Codec> {
        codec::<Self>()
    }
}

/// The chunk of a value that implements [`Measure`].
#[derive(Debug)]
pub struct Measured<T>(pub T);

impl<T: Measure + Send + Sync + 'static> Chunk for Measured<T> {
    fn nbytes(&self) -> Option<usize> {
        Some(self.0.nbytes())
    }

    fn codec(&self) -> Option<&'static dyn Codec> {
        Self::codec_of()
    }

    fn codec_of() -> Option<&'static dyn Codec> {
        codec::<Self>()
    }
}

/// The chunk of a value that serde can write and read back, so that it can leave memory.
///
/// # Examples
/// ```
/// use musher_graph_core::{Chunk, Encoded};
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Model { weights: Vec<f64> }
/// let chunk = Encoded::new(Model { weights: vec![0.5; 100] });
/// assert!(chunk.codec().is_some() && chunk.nbytes() >= Some(800));
/// ```
#[derive(Debug)]
pub struct Encoded<T> {
    value: T,
    nbytes: Option<usize>,
}

impl<T: Serialize + DeserializeOwned + 'static> Encoded<T> {
    /// The chunk of this value.
    ///
    /// **Cost** one look at the value, to measure it ([`Coder::nbytes`]).
    pub fn new(value: T) -> Self {
        let nbytes = Coder::serde().nbytes(&value);
        Self { value, nbytes }
    }
}

impl<T> Encoded<T> {
    /// The value.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// The value, owned.
    pub fn into_value(self) -> T {
        self.value
    }
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Chunk for Encoded<T> {
    fn nbytes(&self) -> Option<usize> {
        self.nbytes
    }

    fn codec(&self) -> Option<&'static dyn Codec> {
        Self::codec_of()
    }

    fn codec_of() -> Option<&'static dyn Codec> {
        codec::<Self>()
    }
}

/// A chunk that is a value, and how the value is written where it can be.
trait Single: Chunk + Sized {
    type Value: Send + Sync + 'static;

    fn coder() -> Option<Coder<Self::Value>>;

    fn of(value: Self::Value) -> Self;
}

impl<T: Send + Sync + 'static> Single for Value<T> {
    type Value = T;

    fn coder() -> Option<Coder<T>> {
        Coder::known()
    }

    fn of(value: T) -> Self {
        Self(value)
    }
}

impl<T: Measure + Send + Sync + 'static> Single for Measured<T> {
    type Value = T;

    fn coder() -> Option<Coder<T>> {
        Coder::known()
    }

    fn of(value: T) -> Self {
        Self(value)
    }
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Single for Encoded<T> {
    type Value = T;

    fn coder() -> Option<Coder<T>> {
        Some(Coder::serde())
    }

    fn of(value: T) -> Self {
        Self::new(value)
    }
}

fn codec<C: Single>() -> Option<&'static dyn Codec> {
    C::coder().map(|_| const { &ValueCodec::<C>(PhantomData) } as &dyn Codec)
}

/// Writes the value of any of these chunks, and reads a `C`: a task need not know which of them its value will be.
struct ValueCodec<C>(PhantomData<fn() -> C>);

impl<C> fmt::Debug for ValueCodec<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ValueCodec")
    }
}

impl<C: Single> ValueCodec<C> {
    fn coder() -> Coder<C::Value> {
        C::coder().expect("a codec is given only where there is a coder")
    }
}

impl<C: Single> Codec for ValueCodec<C> {
    fn kind(&self) -> &'static str {
        Self::coder().kind("core.value/1")
    }

    fn encode(&self, chunk: &dyn Chunk, to: &mut dyn Write) -> Result<(), CodecError> {
        let value = value_of::<C::Value>(chunk).ok_or(CodecError::WrongKind { expected: self.kind() })?;
        let values = std::slice::from_ref(value);
        Self::coder().write(values, to).map_err(|error| coding_error(self.kind(), error))
    }

    fn decode(&self, from: &mut dyn Read) -> Result<ChunkRef, CodecError> {
        let mut values = Vec::new();
        Self::coder().read(1, from, &mut values).map_err(|error| coding_error(self.kind(), error))?;
        let value = values.pop().expect("one value was read");
        Ok(Arc::new(C::of(value)))
    }
}

/// The value that a chunk is, if it is one of this type.
fn value_of<T: 'static>(chunk: &dyn Chunk) -> Option<&T> {
    let chunk: &dyn Any = chunk;
    let plain = chunk.downcast_ref().map(|Value(value)| value);
    let measured = || chunk.downcast_ref().map(|Measured(value)| value);
    plain.or_else(measured).or_else(|| chunk.downcast_ref().map(Encoded::value))
}
