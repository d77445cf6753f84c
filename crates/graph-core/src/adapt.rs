//! Typed adaptors: tasks made of closures, and chunks that are there already.

use std::borrow::Cow;
use std::sync::Arc;

use smallvec::smallvec;

use crate::chunk::{Chunk, ChunkRef, Codec};
use crate::codecs::agreed;
use crate::collection::Places;
use crate::fn_identity::FnIdentity;
use crate::grid::{Grid, Place};
use crate::key::{Key, Reach, Token, Tokenizer};
use crate::layer::{Layer, Port};
use crate::site::Site;
use crate::task::{Facts, Inputs, Output, Task, TaskError};
use crate::touch::Touch;

/// A task of one output made of a closure.
///
/// The closure gets the place and the inputs, whose typed accessors ([`Inputs::get`], [`Inputs::slot`],
/// [`Inputs::take`]) are where chunks are downcast.
///
/// # Examples
/// ```
/// use musher_graph_core::*;
/// let double = FnTask::new("double", |_at: Place<'_>, inputs: &mut Inputs<'_>| {
///     let Value(x) = inputs.get::<Value<i64>>(0)?;
///     Ok(Value(2 * x))
/// })
/// .named("doc.double/1")
/// .facts(|_at, _inputs| Facts::bytes(8));
/// assert_eq!(double.label(), "double");
/// ```
pub struct FnTask<F> {
    label: Cow<'static, str>,
    run: F,
    identity: Identity,
    facts: Option<FactsFn>,
    touches: Option<TouchesFn>,
}

type FactsFn = Box<dyn Fn(Place<'_>, &[Option<u64>]) -> Facts + Send + Sync>;
type TouchesFn = Box<dyn Fn(Place<'_>) -> Vec<Touch> + Send + Sync>;

/// What a closure's fingerprint stands on.
enum Identity {
    /// The closure itself.
    Function(FnIdentity),
    /// Name and version of an operation with the digest of its parameters.
    Named { name: Cow<'static, str>, parameters: Key, reach: Reach },
}

impl<F> FnTask<F> {
    /// A task that runs `run`; it is merged with equal work only if the closure captures nothing.
    pub fn new<T>(label: impl Into<Cow<'static, str>>, run: F) -> Self
    where
        T: Chunk,
        F: Fn(Place<'_>, &mut Inputs<'_>) -> Result<T, TaskError> + Send + Sync + 'static,
    {
        Self::unchecked(label.into(), run)
    }

    fn unchecked(label: Cow<'static, str>, run: F) -> Self
    where
        F: 'static,
    {
        let identity = Identity::Function(FnIdentity::of::<F>());
        Self { label, run, identity, facts: None, touches: None }
    }

    /// Identifies the work by the name and version of an operation: whatever the closure captures must enter too,
    /// by [`params`](FnTask::params).
    #[must_use]
    pub fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.params(name, &())
    }

    /// Identifies the work by the name and version of an operation and its parameters.
    #[must_use]
    pub fn params(mut self, name: impl Into<Cow<'static, str>>, parameters: &impl Token) -> Self {
        let mut tokenizer = Tokenizer::new();
        parameters.token(&mut tokenizer);
        let (parameters, reach) = (tokenizer.finish(), tokenizer.reach());
        self.identity = Identity::Named { name: name.into(), parameters, reach };
        self
    }

    /// Tells the planner what is known before running.
    #[must_use]
    pub fn facts(
        mut self,
        facts: impl Fn(Place<'_>, &[Option<u64>]) -> Facts + Send + Sync + 'static,
    ) -> Self {
        self.facts = Some(Box::new(facts));
        self
    }

    /// Tells what is read and written outside memory, so that a plan can be checked before it runs; the
    /// [`facts`](FnTask::facts) must say that bytes are read or written.
    #[must_use]
    pub fn touches(mut self, touches: impl Fn(Place<'_>) -> Vec<Touch> + Send + Sync + 'static) -> Self {
        self.touches = Some(Box::new(touches));
        self
    }

    fn enter<M: 'static>(&self, tokenizer: &mut Tokenizer) {
        match &self.identity {
            Identity::Function(function) => function.enter::<M>("core.function/1", tokenizer),
            Identity::Named { name, parameters, reach } => {
                tokenizer.name(name);
                tokenizer.key(*parameters);
                tokenizer.narrow(*reach);
            }
        }
    }
}

impl<T, F> Task for FnTask<F>
where
    T: Chunk,
    F: Fn(Place<'_>, &mut Inputs<'_>) -> Result<T, TaskError> + Send + Sync + 'static,
{
    fn label(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.label)
    }

    fn run(&self, at: Place<'_>, mut inputs: Inputs<'_>) -> Result<Output, TaskError> {
        (self.run)(at, &mut inputs).map(Output::one)
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.enter::<F>(tokenizer);
    }

    fn facts(&self, at: Place<'_>, inputs: &[Option<u64>]) -> Facts {
        self.facts.as_ref().map_or_else(Facts::default, |facts| facts(at, inputs))
    }

    fn touches(&self, at: Place<'_>) -> Vec<Touch> {
        self.touches.as_ref().map_or_else(Vec::new, |touches| touches(at))
    }

    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        T::codec_of()
    }
}

/// A task of several outputs made of a closure; otherwise like [`FnTask`].
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use musher_graph_core::*;
/// let divide = FnTaskMany::new("div_rem", 2, |_at: Place<'_>, inputs: &mut Inputs<'_>| {
///     let (Value(a), Value(b)) = (inputs.get::<Value<i64>>(0)?, inputs.get::<Value<i64>>(1)?);
///     Ok(vec![Arc::new(Value(a / b)) as ChunkRef, Arc::new(Value(a % b))])
/// });
/// assert_eq!(divide.n_outputs(), 2);
/// ```
pub struct FnTaskMany<F> {
    inner: FnTask<F>,
    n_outputs: usize,
    codecs: Vec<Option<&'static dyn Codec>>,
}

impl<F> FnTaskMany<F>
where
    F: Fn(Place<'_>, &mut Inputs<'_>) -> Result<Vec<ChunkRef>, TaskError> + Send + Sync + 'static,
{
    /// A task with `n_outputs` outputs that runs `run`.
    pub fn new(label: impl Into<Cow<'static, str>>, n_outputs: usize, run: F) -> Self {
        Self { inner: FnTask::unchecked(label.into(), run), n_outputs, codecs: Vec::new() }
    }

    /// See [`FnTask::params`].
    #[must_use]
    pub fn params(self, name: impl Into<Cow<'static, str>>, parameters: &impl Token) -> Self {
        Self { inner: self.inner.params(name, parameters), ..self }
    }

    /// See [`FnTask::facts`].
    #[must_use]
    pub fn facts(self, facts: impl Fn(Place<'_>, &[Option<u64>]) -> Facts + Send + Sync + 'static) -> Self {
        Self { inner: self.inner.facts(facts), ..self }
    }

    /// How the chunks of each output are written: [`Chunk::codec_of`] of their types, which the closure does not show.
    #[must_use]
    pub fn codecs(self, codecs: impl IntoIterator<Item = Option<&'static dyn Codec>>) -> Self {
        Self { codecs: codecs.into_iter().collect(), ..self }
    }
}

impl<F> Task for FnTaskMany<F>
where
    F: Fn(Place<'_>, &mut Inputs<'_>) -> Result<Vec<ChunkRef>, TaskError> + Send + Sync + 'static,
{
    fn label(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.inner.label)
    }

    fn run(&self, at: Place<'_>, mut inputs: Inputs<'_>) -> Result<Output, TaskError> {
        (self.inner.run)(at, &mut inputs).map(Output::many)
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.n_outputs.token(tokenizer);
        self.inner.enter::<F>(tokenizer);
    }

    fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    fn facts(&self, at: Place<'_>, inputs: &[Option<u64>]) -> Facts {
        self.inner.facts.as_ref().map_or_else(Facts::default, |facts| facts(at, inputs))
    }

    fn codec(&self, output: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        self.codecs.get(output).copied().flatten()
    }
}

/// Hands on the single chunk it reads: what joins several producers into one layer without copying.
///
/// # Examples
/// ```
/// use musher_graph_core::*;
/// let (a, b) = (ready(Value(1)), ready(Value(2)));
/// let both = Layer::build(Forward::new("concatenate"))
///     .part(&Port::of(a), &[0], &[1], Wiring::one_to_one(0))
///     .part(&Port::of(b), &[1], &[1], Wiring::one_to_one(0))
///     .finish(Grid::from([2]));
/// assert_eq!(both.grid().n_tasks(), 2);
/// ```
pub struct Forward(Cow<'static, str>);

impl Forward {
    /// A forwarding task with this label.
    pub fn new(label: impl Into<Cow<'static, str>>) -> Self {
        Self(label.into())
    }
}

impl Task for Forward {
    fn label(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }

    fn run(&self, _at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        Ok(Output::shared(Arc::clone(inputs.chunk(0)?)))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("core.forward/1");
    }

    fn facts(&self, _at: Place<'_>, inputs: &[Option<u64>]) -> Facts {
        Facts {
            output_bytes: smallvec![inputs.first().copied().flatten()],
            cost_ns: Some(20),
            reuses_input: true,
            ..Facts::default()
        }
    }

    fn codec(&self, _: usize, inputs: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        inputs.first().copied().flatten()
    }
}

/// The source of chunks that are in memory already: one for each place.
///
/// What `from_array` and `persist` stand on.
pub struct Held {
    label: Cow<'static, str>,
    chunks: Vec<ChunkRef>,
    key: Key,
    reach: Reach,
}

impl Held {
    /// These chunks, in C order of the grid they will be given. With a `key`, equal keys mean equal chunks.
    pub fn new(label: impl Into<Cow<'static, str>>, chunks: Vec<ChunkRef>, key: Option<Key>) -> Self {
        let mut tokenizer = Tokenizer::new();
        match key {
            Some(key) => tokenizer.key(key),
            None => tokenizer.fresh(),
        }
        Self { label: label.into(), chunks, key: tokenizer.finish(), reach: tokenizer.reach() }
    }

    /// The chunks of these places of a port, which have been computed: equal work on equal places is equal.
    pub fn computed(port: &Port, places: &Places, chunks: Vec<ChunkRef>) -> Self {
        let label = format!("{} (held)", port.layer.label());
        let key = match places {
            Places::All => Key::of(&("held", port.key())),
            Places::Some(places) => Key::of(&("held", port.key(), &**places)),
        };
        Self { reach: port.layer.reach(), ..Self::new(label, chunks, Some(key)) }
    }
}

impl Task for Held {
    fn label(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.label)
    }

    fn run(&self, at: Place<'_>, _inputs: Inputs<'_>) -> Result<Output, TaskError> {
        Ok(Output::shared(Arc::clone(&self.chunks[at.index()])))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("core.held/1");
        tokenizer.key(self.key);
        tokenizer.narrow(self.reach);
    }

    fn facts(&self, at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        let bytes = self.chunks[at.index()].nbytes().map(|bytes| bytes as u64);
        // The chunk exists whether it is asked for or not: handing it out costs nothing.
        Facts { output_bytes: smallvec![bytes], cost_ns: Some(20), ..Facts::default() }
    }

    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        agreed(self.chunks.iter().map(|chunk| chunk.codec()))
    }
}

/// A layer of one task that hands out this chunk.
#[track_caller]
pub fn ready(chunk: impl Chunk) -> Layer {
    let caller = Site::caller();
    Layer::build(Held::new("ready", vec![Arc::new(chunk)], None)).caller(caller).finish(Grid::scalar())
}
