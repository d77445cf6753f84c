//! `delayed(f).call(args)`: a function call as a node of the graph.
//!
//! A parameter is taken by value (`T: Clone`, moved at its last use) or by reference; an argument is a plain value
//! ([`Token`]), an [`opaque`] value, a [`Delayed`], or a vector of `Delayed`s. The pieces meet in two traits:
//! [`Call`] says how a function takes its parameters, [`IntoArg`] how a value becomes an argument.

use std::any::type_name;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::chunk::{Chunk, ChunkRef, Codec, Measure};
use crate::collection::Collection;
use crate::fn_identity::function_name;
use crate::grid::Grid;
use crate::key::{Key, Reach, Token, Tokenizer};
use crate::layer::{Layer, Port};
use crate::scope::Identity;
use crate::site::Site;
use crate::task::{Inputs, Output, Task, TaskError};
use crate::value::{Encoded, Measured, Value};

pub mod by_type;
mod call;
#[cfg(doctest)]
mod misuse;
mod received;

pub use call::{ByRef, ByValue, Call, CallWith, For, StoredArgs};
pub use received::{Arg, Constant, FromInput, FromInputs, IntoArg, Opaque, Received, opaque};

/// A value that will be computed: the result of a delayed call, or a chunk of a collection.
///
/// Cheap to clone; equal calls of pure functions are computed once.
///
/// # Examples
/// ```
/// use musher_graph_core::{Collection, delayed};
/// fn inc(x: i64) -> i64 { x + 1 }
/// let a = delayed(inc).call(1);
/// let b = delayed(inc).call(1);
/// assert_eq!(a.port().key(), b.port().key(), "the same work");
/// ```
pub struct Delayed<T> {
    port: Port,
    marker: PhantomData<fn() -> T>,
}

impl<T> Clone for Delayed<T> {
    fn clone(&self) -> Self {
        Self { port: self.port.clone(), marker: PhantomData }
    }
}

impl<T> fmt::Debug for Delayed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Delayed<{}>({}-{})", type_name::<T>(), self.port.layer.label(), self.port.key())
    }
}

impl<T: Send + Sync + 'static> Delayed<T> {
    /// The single task of this port, whose chunk is a [`Value<T>`], a [`Measured<T>`] or an [`Encoded<T>`].
    ///
    /// # Panics
    /// If the port's layer has several tasks.
    pub fn from_port(port: Port) -> Self {
        assert_eq!(port.grid().n_tasks(), 1, "a delayed value is a single task");
        Self { port, marker: PhantomData }
    }

    /// A value that exists already, under a fresh identity.
    #[track_caller]
    #[doc(alias = "dask.delayed")]
    pub fn ready(value: T) -> Self {
        Self::from_port(Port::of(crate::ready(Value(value))))
    }
}

impl<T: Send + Sync + 'static> Collection for Delayed<T>
where
    T: Clone,
{
    type Output = T;

    fn port(&self) -> &Port {
        &self.port
    }

    /// The value, moved out where nobody else holds it, else cloned.
    fn gather(&self, mut chunks: Vec<ChunkRef>) -> Result<T, TaskError> {
        let mut chunks: Vec<_> = chunks.drain(..).map(Some).collect();
        let mut inputs = Inputs::new(&mut chunks, &[]);
        Ok(Received::take(&mut inputs, 0)?.into_value())
    }

    fn with_port(&self, port: Port) -> Self {
        Self::from_port(port)
    }
}

/// Makes a function's calls nodes of the graph; `#[delayed]` on the function does the same.
///
/// A function or closure that captures nothing is taken to be pure: within one process equal calls are one task.
/// This differs from Dask's default. What reads the clock, the environment, files or statics must be marked:
///
/// ```
/// use std::time::SystemTime;
/// use musher_graph_core::{Collection, delayed};
/// let first = delayed(SystemTime::now).impure().call(());
/// let second = delayed(SystemTime::now).impure().call(());
/// assert_ne!(first.port().key(), second.port().key(), "two readings of the clock");
/// ```
///
/// Calls of a closure that captures something are never merged, unless `.token(..)` says what it captures.
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// fn add(a: f64, b: &f64) -> f64 { a + b }
/// let one = delayed(|| 1.0).call(());
/// let sum = delayed(add).call((one, 2.0));
/// # let _ = sum;
/// ```
#[doc(alias = "dask.delayed")]
pub fn delayed<F: Send + Sync + 'static>(function: F) -> DelayedFn<F> {
    DelayedFn { function, options: None, output: PhantomData }
}

/// A function whose calls are nodes of the graph; see [`delayed`].
pub struct DelayedFn<F, O = Plain> {
    function: F,
    options: Option<Arc<Options>>,
    output: PhantomData<fn() -> O>,
}

/// What is not said for most functions, and so costs a call one pointer.
#[derive(Debug, Clone, Default)]
struct Options {
    label: Option<Cow<'static, str>>,
    identity: Option<CallIdentity>,
}

#[derive(Debug, Clone)]
enum CallIdentity {
    /// Each call is work of its own.
    Impure,
    /// What the closure captures is condensed here.
    Token { key: Key, reach: Reach },
}

impl<F: Send + Sync + 'static, O: 'static> DelayedFn<F, O> {
    fn with(mut self, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = self.options.as_deref().cloned().unwrap_or_default();
        change(&mut options);
        self.options = Some(Arc::new(options));
        self
    }

    /// Each call is work of its own: for code that reads the clock, the environment, files or statics.
    #[must_use]
    #[doc(alias = "pure")]
    pub fn impure(self) -> Self {
        self.with(|options| options.identity = Some(CallIdentity::Impure))
    }

    /// What the closure captures: with it, equal calls of equal closures are one task.
    #[must_use]
    pub fn token(self, captured: &impl Token) -> Self {
        let mut tokenizer = Tokenizer::new();
        captured.token(&mut tokenizer);
        let (key, reach) = (tokenizer.finish(), tokenizer.reach());
        self.with(|options| options.identity = Some(CallIdentity::Token { key, reach }))
    }

    /// The name in pictures, plans and errors, instead of the function's own.
    ///
    /// Of many calls made on one line an error names the line alone: a label for each, such as a path, tells which of
    /// them it was. Arguments are never printed, because they are data.
    #[must_use]
    pub fn label(self, label: impl Into<Cow<'static, str>>) -> Self {
        let label = label.into();
        self.with(|options| options.label = Some(label))
    }

    /// A call with these arguments: nothing runs yet.
    ///
    /// One argument stands alone, several in a tuple, none is `()`.
    ///
    /// **Cost** three small allocations; no data is copied but the plain arguments.
    #[track_caller]
    pub fn call<P, A>(&self, args: A) -> Delayed<<O as Receive<F::Output>>::Value>
    where
        P: 'static,
        F: CallWith<P, A> + Clone,
        O: Receive<F::Output>,
    {
        let caller = Site::caller();
        let mut ports = smallvec::SmallVec::<[Port; 4]>::new();
        let args = F::store(args, &mut ports);
        let fresh = match self.options.as_ref().and_then(|options| options.identity.as_ref()) {
            Some(CallIdentity::Impure) => true,
            Some(CallIdentity::Token { .. }) => false,
            None => size_of::<F>() != 0,
        };
        let said = (fresh || self.options.is_some())
            .then(|| Box::new(Said { options: self.options.clone(), fresh: fresh.then(Identity::fresh) }));
        let task = CallTask::<F, P, F::Stored, O> {
            function: self.function.clone(),
            args,
            said,
            marker: PhantomData,
        };
        let layer = Layer::build(task).caller(caller).single_tasks(ports);
        Delayed { port: Port::of(layer.finish(Grid::scalar())), marker: PhantomData }
    }
}

impl<F: Send + Sync + 'static> DelayedFn<F, Plain> {
    /// The result says how many bytes it holds, so that the memory limit covers it.
    #[must_use]
    pub fn measured(self) -> DelayedFn<F, WithBytes> {
        DelayedFn { function: self.function, options: self.options, output: PhantomData }
    }

    /// The function returns a `Result`: its error fails the run, its value goes on.
    ///
    /// # Examples
    /// ```
    /// use musher_graph_core::{Delayed, delayed};
    /// fn parse(text: &String) -> Result<f64, std::num::ParseFloatError> { text.parse() }
    /// let number: Delayed<f64> = delayed(parse).fallible().call("2.5".to_string());
    /// # let _ = number;
    /// ```
    #[must_use]
    pub fn fallible(self) -> DelayedFn<F, Fallible> {
        DelayedFn { function: self.function, options: self.options, output: PhantomData }
    }
}

/// What says that a result stands in a chunk that serde can write: values as they are, and those of a `Result`.
#[diagnostic::on_unimplemented(
    message = "results that are received as `{Self}` cannot be encoded",
    note = "`encoded` goes with plain and with `fallible` functions"
)]
pub trait Encodable: Send + Sync + 'static {}
impl Encodable for Plain {}
impl Encodable for Fallible {}

impl<F: Send + Sync + 'static, O: Encodable> DelayedFn<F, O> {
    /// The result can leave memory, by what serde knows of its type: it may be spilled, and a checkpoint can keep it.
    ///
    /// Results of common types can without it ([`Coder::known`](crate::Coder::known)), and `#[delayed]` finds by
    /// itself whether a type is serde's.
    ///
    /// **Cost** one look at each result, to measure it. A result that serde cannot read back as it was (skipped
    /// fields, untagged enums) is an error where it is read.
    ///
    /// # Examples
    /// ```
    /// use musher_graph_core::{Delayed, delayed};
    /// #[derive(Clone, serde::Serialize, serde::Deserialize)]
    /// struct Model { weights: Vec<f64> }
    /// let model = delayed(|n: usize| Model { weights: vec![0.5; n] }).encoded().call(3);
    /// assert!(model.port().codec()?.is_some());
    /// # use musher_graph_core::Collection;
    /// # Ok::<(), musher_graph_core::Error>(())
    /// ```
    #[must_use]
    pub fn encoded(self) -> DelayedFn<F, WithCodec<O>> {
        DelayedFn { function: self.function, options: self.options, output: PhantomData }
    }
}

impl<F: Send + Sync + 'static> DelayedFn<F, Plain> {
    /// The function returns a [`Delayed`]: further work, chosen by data, whose value stands for the call's.
    ///
    /// The call has ended when it has built that work: it holds neither thread nor memory meanwhile.
    ///
    /// # Examples
    /// ```
    /// use musher_graph_core::{Delayed, delayed};
    /// fn halve(x: u64) -> u64 { x / 2 }
    /// fn collatz(x: u64) -> Delayed<u64> {
    ///     if x % 2 == 0 { delayed(halve).call(x) } else { Delayed::ready(3 * x + 1) }
    /// }
    /// let next: Delayed<u64> = delayed(collatz).continued().call(7);
    /// # let _ = next;
    /// ```
    #[must_use]
    pub fn continued(self) -> DelayedFn<F, Continued> {
        DelayedFn { function: self.function, options: self.options, output: PhantomData }
    }
}

/// How a function's return value of type `R` becomes the chunk of a delayed value.
pub trait Receive<R>: Send + Sync + 'static {
    /// The type of the delayed value.
    type Value: Send + Sync + 'static;

    /// Whether the return value is more work.
    const CONTINUES: bool = false;

    /// Wraps the value, or fails the task.
    ///
    /// # Errors
    /// Where the function returned an error.
    fn receive(result: R) -> Result<Output, TaskError>;

    /// How the chunk is written and read back.
    fn codec() -> Option<&'static dyn Codec> {
        Value::<Self::Value>::codec_of()
    }
}

/// The return value as it is.
#[derive(Debug)]
pub struct Plain;

impl<R: Send + Sync + 'static> Receive<R> for Plain {
    type Value = R;

    fn receive(result: R) -> Result<Output, TaskError> {
        Ok(Output::one(Value(result)))
    }
}

/// The return value with its bytes; see [`DelayedFn::measured`].
#[derive(Debug)]
pub struct WithBytes;

impl<R: Measure + Send + Sync + 'static> Receive<R> for WithBytes {
    type Value = R;

    fn receive(result: R) -> Result<Output, TaskError> {
        Ok(Output::one(Measured(result)))
    }
}

/// The value of a `Result`; see [`DelayedFn::fallible`].
#[derive(Debug)]
pub struct Fallible;

impl<T, E> Receive<Result<T, E>> for Fallible
where
    T: Send + Sync + 'static,
    E: std::error::Error + Send + Sync + 'static,
{
    type Value = T;

    fn receive(result: Result<T, E>) -> Result<Output, TaskError> {
        Ok(Output::one(Value(result?)))
    }
}

/// The value in a chunk that serde writes; see [`DelayedFn::encoded`].
#[derive(Debug)]
pub struct WithCodec<O = Plain>(PhantomData<fn() -> O>);

impl<R: Serialize + DeserializeOwned + Send + Sync + 'static> Receive<R> for WithCodec<Plain> {
    type Value = R;

    fn receive(result: R) -> Result<Output, TaskError> {
        Ok(Output::one(Encoded::new(result)))
    }

    fn codec() -> Option<&'static dyn Codec> {
        Encoded::<R>::codec_of()
    }
}

impl<T, E> Receive<Result<T, E>> for WithCodec<Fallible>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    E: std::error::Error + Send + Sync + 'static,
{
    type Value = T;

    fn receive(result: Result<T, E>) -> Result<Output, TaskError> {
        Ok(Output::one(Encoded::new(result?)))
    }

    fn codec() -> Option<&'static dyn Codec> {
        Encoded::<T>::codec_of()
    }
}

/// The value of further work; see [`DelayedFn::continued`].
#[derive(Debug)]
pub struct Continued;

impl<T: Clone + Send + Sync + 'static> Receive<Delayed<T>> for Continued {
    type Value = T;

    const CONTINUES: bool = true;

    fn receive(result: Delayed<T>) -> Result<Output, TaskError> {
        Ok(Output::more([result.request()]))
    }
}

/// The task of one call: the function and its plain arguments.
struct CallTask<F, P, S, O> {
    function: F,
    args: S,
    said: Option<Box<Said>>,
    marker: PhantomData<fn() -> (P, O)>,
}

/// What there is to say of few calls, and so costs the others one pointer.
struct Said {
    options: Option<Arc<Options>>,
    /// The call's own identity, where the function's does not say what it does.
    fresh: Option<Identity>,
}

impl<F, P, S, O> Task for CallTask<F, P, S, O>
where
    F: Call<P, S>,
    P: 'static,
    S: StoredArgs,
    O: Receive<F::Output>,
{
    fn label(&self) -> Cow<'_, str> {
        let options = self.said.as_ref().and_then(|said| said.options.as_ref());
        let given = options.and_then(|options| options.label.clone());
        given.unwrap_or_else(|| Cow::Borrowed(function_name::<F>().unwrap_or("closure")))
    }

    fn run(&self, _at: crate::grid::Place<'_>, mut inputs: Inputs<'_>) -> Result<Output, TaskError> {
        O::receive(self.function.call(&self.args, &mut inputs)?)
    }

    fn continues(&self) -> bool {
        O::CONTINUES
    }

    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        O::codec()
    }

    fn codec_advice(&self) -> Option<&'static str> {
        (!O::CONTINUES).then_some("call `.encoded()`")
    }

    /// A value without drop glue holds nothing beyond itself, so its size is known.
    fn facts(&self, _at: crate::grid::Place<'_>, _inputs: &[Option<u64>]) -> crate::task::Facts {
        match std::mem::needs_drop::<O::Value>() {
            true => crate::task::Facts::default(),
            false => crate::task::Facts::bytes(size_of::<O::Value>() as u64),
        }
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        let options = self.said.as_ref().and_then(|said| said.options.as_ref());
        if let Some(fresh) = self.said.as_ref().and_then(|said| said.fresh) {
            fresh.token(tokenizer);
        } else if let Some(CallIdentity::Token { key, reach }) =
            options.and_then(|options| options.identity.as_ref())
        {
            tokenizer.key(*key);
            tokenizer.narrow(*reach);
        }
        tokenizer.type_of::<(F, O)>();
        self.args.token(tokenizer);
    }
}
