//! One argument: how a value becomes one, how it is kept in the task, how the function receives it.

use std::any::{Any, TypeId};
use std::sync::Arc;

use smallvec::SmallVec;

use crate::collection::Collection;
use crate::delayed::Delayed;
use crate::key::{Token, Tokenizer};
use crate::layer::Port;
use crate::scope::Identity;
use crate::task::{Inputs, TaskError};
use crate::value::{Encoded, Measured, Value};

/// An argument of type `T` as the task keeps it.
pub trait Arg<T>: Send + Sync + 'static {
    /// Hands the argument over, taking the next input chunks where it came from other tasks.
    ///
    /// # Errors
    /// If an input chunk is of another kind.
    fn receive<'a>(&'a self, inputs: &mut Inputs<'_>, next: &mut usize)
    -> Result<Received<'a, T>, TaskError>;

    /// Enters the argument into the fingerprint.
    fn token(&self, tokenizer: &mut Tokenizer);
}

/// Something that can stand for a parameter of type `T`: a plain value, [`opaque`]`(value)`, a [`Delayed`], or a
/// vector of `Delayed`s for a vector.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument for a parameter of type `{T}`",
    label = "expected a `{T}`, a `Delayed<{T}>`, or `opaque(value)`",
    note = "a plain value must implement `Token` and `Clone`, so that equal calls are recognized; pass others as `opaque(value)`"
)]
pub trait IntoArg<T> {
    /// How the task keeps it.
    type Stored: Arg<T>;

    /// Adds the ports it reads and returns what the task keeps.
    fn into_arg(self, ports: &mut SmallVec<[Port; 4]>) -> Self::Stored;
}

/// An argument as the function's adaptor receives it.
#[derive(Debug)]
pub enum Received<'a, T> {
    /// Kept by the task.
    Kept(&'a T),
    /// Made for this call.
    Owned(T),
    /// A chunk, perhaps shared.
    Chunk(Arc<Value<T>>),
    /// A measured chunk, perhaps shared.
    MeasuredChunk(Arc<Measured<T>>),
    /// A chunk that serde writes, perhaps shared.
    EncodedChunk(Arc<Encoded<T>>),
}

impl<T: Send + Sync + 'static> Received<'_, T> {
    /// Takes an input chunk.
    ///
    /// # Errors
    /// If it is of another kind.
    pub(crate) fn take(inputs: &mut Inputs<'_>, index: usize) -> Result<Self, TaskError> {
        let chunk: &dyn Any = &**inputs.chunk(index)?;
        let kind = chunk.type_id();
        // These are chunks only where `T` is measured, or serde's, so they are taken as `Any`.
        if kind == TypeId::of::<Measured<T>>() {
            let chunk = inputs.take_any(index)?;
            return chunk.downcast().map(Received::MeasuredChunk).map_err(|_| unreachable_kind());
        }
        if kind == TypeId::of::<Encoded<T>>() {
            let chunk = inputs.take_any(index)?;
            return chunk.downcast().map(Received::EncodedChunk).map_err(|_| unreachable_kind());
        }
        inputs.take::<Value<T>>(index).map(Received::Chunk)
    }
}

/// The kind was checked on the line before; kept as an error, because library code does not panic.
fn unreachable_kind() -> TaskError {
    TaskError::new(std::fmt::Error)
}

impl<T> AsRef<T> for Received<'_, T> {
    fn as_ref(&self) -> &T {
        match self {
            Self::Kept(value) => value,
            Self::Owned(value) => value,
            Self::Chunk(chunk) => &chunk.0,
            Self::MeasuredChunk(chunk) => &chunk.0,
            Self::EncodedChunk(chunk) => chunk.value(),
        }
    }
}

impl<T: Clone> Received<'_, T> {
    /// The value itself: moved at its last use, else cloned.
    pub fn into_value(self) -> T {
        match self {
            Self::Kept(value) => value.clone(),
            Self::Owned(value) => value,
            Self::Chunk(chunk) => Arc::try_unwrap(chunk).map_or_else(|shared| shared.0.clone(), |own| own.0),
            Self::MeasuredChunk(chunk) => {
                Arc::try_unwrap(chunk).map_or_else(|shared| shared.0.clone(), |own| own.0)
            }
            Self::EncodedChunk(chunk) => {
                Arc::try_unwrap(chunk).map_or_else(|shared| shared.value().clone(), Encoded::into_value)
            }
        }
    }
}

/// A plain value kept by the task.
#[derive(Debug)]
pub struct Constant<T>(T);

impl<T: Token + Send + Sync + 'static> Arg<T> for Constant<T> {
    fn receive<'a>(
        &'a self,
        _inputs: &mut Inputs<'_>,
        _next: &mut usize,
    ) -> Result<Received<'a, T>, TaskError> {
        Ok(Received::Kept(&self.0))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.word(0);
        self.0.token(tokenizer);
    }
}

impl<T: Token + Send + Sync + 'static> IntoArg<T> for T {
    type Stored = Constant<T>;

    fn into_arg(self, _ports: &mut SmallVec<[Port; 4]>) -> Constant<T> {
        Constant(self)
    }
}

/// A value that cannot enter a fingerprint, under an identity of its own; made by [`opaque`].
#[derive(Debug, Clone)]
pub struct Opaque<T> {
    value: T,
    identity: Identity,
}

/// Wraps a value that cannot be tokenized, so that it can be an argument: work on it is never merged with other
/// work, except on clones of the same wrapper.
///
/// # Examples
/// ```
/// use musher_graph_core::{delayed, opaque};
/// #[derive(Clone)]
/// struct Model;
/// fn score(_model: &Model, x: f64) -> f64 { x }
/// let y = delayed(score).call((opaque(Model), 1.0));
/// # let _ = y;
/// ```
pub fn opaque<T>(value: T) -> Opaque<T> {
    Opaque { value, identity: Identity::fresh() }
}

impl<T: Send + Sync + 'static> Arg<T> for Opaque<T> {
    fn receive<'a>(
        &'a self,
        _inputs: &mut Inputs<'_>,
        _next: &mut usize,
    ) -> Result<Received<'a, T>, TaskError> {
        Ok(Received::Kept(&self.value))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.word(1);
        self.identity.token(tokenizer);
    }
}

impl<T: Send + Sync + 'static> IntoArg<T> for Opaque<T> {
    type Stored = Self;

    fn into_arg(self, _ports: &mut SmallVec<[Port; 4]>) -> Self {
        self
    }
}

/// The next input chunk; takes no room in the task.
#[derive(Debug)]
pub struct FromInput;

impl<T: Send + Sync + 'static> Arg<T> for FromInput {
    fn receive<'a>(
        &'a self,
        inputs: &mut Inputs<'_>,
        next: &mut usize,
    ) -> Result<Received<'a, T>, TaskError> {
        *next += 1;
        Received::take(inputs, *next - 1)
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.word(2);
    }
}

impl<T: Send + Sync + 'static> IntoArg<T> for Delayed<T> {
    type Stored = FromInput;

    fn into_arg(self, ports: &mut SmallVec<[Port; 4]>) -> FromInput {
        ports.push(self.port);
        FromInput
    }
}

impl<T: Send + Sync + Clone + 'static> IntoArg<T> for &Delayed<T> {
    type Stored = FromInput;

    fn into_arg(self, ports: &mut SmallVec<[Port; 4]>) -> FromInput {
        ports.push(self.port().clone());
        FromInput
    }
}

/// The next so many input chunks, as a vector.
#[derive(Debug)]
pub struct FromInputs(usize);

impl<T: Clone + Send + Sync + 'static> Arg<Vec<T>> for FromInputs {
    fn receive<'a>(
        &'a self,
        inputs: &mut Inputs<'_>,
        next: &mut usize,
    ) -> Result<Received<'a, Vec<T>>, TaskError> {
        let range = *next..*next + self.0;
        *next = range.end;
        let values: Result<Vec<T>, TaskError> =
            range.map(|index| Ok(Received::take(inputs, index)?.into_value())).collect();
        Ok(Received::Owned(values?))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.word(3);
        tokenizer.word(self.0 as u64);
    }
}

impl<T: Clone + Send + Sync + 'static> IntoArg<Vec<T>> for Vec<Delayed<T>> {
    type Stored = FromInputs;

    fn into_arg(self, ports: &mut SmallVec<[Port; 4]>) -> FromInputs {
        let n = self.len();
        ports.extend(self.into_iter().map(|delayed| delayed.port));
        FromInputs(n)
    }
}
