//! The `Task` trait: what is computed on one place of a grid from its input chunks.

use std::any::{Any, type_name};
use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use smallvec::{SmallVec, smallvec};

use crate::chunk::{Chunk, ChunkRef, Codec};
use crate::collection::Request;
use crate::grid::{Grid, Place};
use crate::key::Tokenizer;
use crate::layer::Bundle;
use crate::report::report;
use crate::spill::SpillStore;
use crate::touch::Touch;
use crate::wiring::Wiring;

/// What is computed on one place of a grid from its input chunks.
///
/// The trait is open: users write their own tasks. Only [`label`](Task::label) and [`run`](Task::run) are required;
/// the rest tells the planner more. [`FnTask`](crate::FnTask) makes a task of a closure.
///
/// # Examples
/// ```
/// use std::borrow::Cow;
/// use musher_graph_core::*;
///
/// struct Halve;
/// impl Task for Halve {
///     fn label(&self) -> Cow<'_, str> { "halve".into() }
///     fn run(&self, _at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
///         let Value(x) = inputs.get::<Value<f64>>(0)?;
///         Ok(Output::one(Value(x / 2.0)))
///     }
///     fn token(&self, tokenizer: &mut Tokenizer) { tokenizer.name("doc.halve/1") }
/// }
/// let layer = Layer::build(Halve).input(&Port::of(ready(Value(3.0))), Wiring::one_to_one(0)).finish(Grid::scalar());
/// assert_eq!(layer.label(), "halve");
/// ```
pub trait Task: Any + Send + Sync {
    /// Short name for pictures, plans and errors, such as `"mean"`.
    fn label(&self) -> Cow<'_, str>;

    /// Computes the outputs at `at` from the input chunks, slot after slot.
    ///
    /// # Errors
    /// Whatever goes wrong with the data, input/output or memory; the scheduler adds operation, place and line.
    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError>;

    /// Enters identity and parameters into the fingerprint. By default a fresh identity: never merged.
    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.fresh();
    }

    /// How many outputs each task has.
    fn n_outputs(&self) -> usize {
        1
    }

    /// Whether [`run`](Task::run) may return more work instead of chunks ([`Output::more`]); such a task ends the
    /// line it is strung into.
    fn continues(&self) -> bool {
        false
    }

    /// What is known before running: bytes, time, input and output. `inputs` holds the bytes of each input chunk
    /// in order, where they are known.
    fn facts(&self, at: Place<'_>, inputs: &[Option<u64>]) -> Facts {
        let _ = (at, inputs);
        Facts::default()
    }

    /// What [`facts`](Task::facts) says, where it says the same at every place whatever the inputs: then a layer is
    /// asked once and not a million times.
    /// A task whose uniform facts read and write no bytes touches no files.
    fn uniform_facts(&self) -> Option<Facts> {
        None
    }

    /// What the task at `at` reads and writes outside memory: by this a plan is checked before it runs. A task that
    /// absorbs another one touches what both do.
    fn touches(&self, at: Place<'_>) -> Vec<Touch> {
        let _ = at;
        Vec::new()
    }

    /// How the chunks of an output are written and read back, where that is known before there is one; `inputs` says it
    /// of each slot. What a chunk says of itself, later, is of the same kind.
    ///
    /// Asked only by who wants to know: neither planning nor a run asks.
    fn codec(&self, output: usize, inputs: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        let _ = (output, inputs);
        None
    }

    /// What a person can do where the chunks have no codec, such as "call `.encoded()`", for
    /// [`explain`](crate::Plan::explain); none where nothing is to be done about it.
    fn codec_advice(&self) -> Option<&'static str> {
        None
    }

    /// One task that does this task's work and its producer's, if this task's algebra can express it.
    fn absorb(&self, request: &Absorb<'_>) -> Option<Arc<dyn Task>> {
        let _ = request;
        None
    }

    /// Whether [`absorb`](Task::absorb) may be asked about a producer of which a task reads several places: a window.
    ///
    /// Then each input of the producer must be read in the producer's own place, or at a fixed one; the new task reads the
    /// first by the window, and finds the chunks in the same order.
    fn absorbs_neighbors(&self) -> bool {
        false
    }

    /// One task that does this task's work and that of a sibling over the same producers and grid, if both gain:
    /// its outputs are this task's and then the sibling's. `sibling_slots[s]` is the slot of this task that reads
    /// what slot `s` of the sibling reads.
    fn join(&self, sibling: &dyn Task, sibling_slots: &[usize]) -> Option<Arc<dyn Task>> {
        let _ = (sibling, sibling_slots);
        None
    }
}

impl dyn Task {
    /// This task as a `T`, if it is one: how `absorb` recognizes its own kind.
    pub fn downcast_ref<T: Task>(&self) -> Option<&T> {
        (self as &dyn Any).downcast_ref()
    }
}

impl fmt::Debug for dyn Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Task({})", self.label())
    }
}

/// What the optimizer asks of [`Task::absorb`]: to take a producer's work into this task.
///
/// The new task's slots are this task's without `slots`, and those of the producer, equal ones merged; the two maps
/// say which new slot each old one has become. The optimizer composes the wirings itself.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Absorb<'a> {
    /// The slots of this task that read the producer, all by the same wiring.
    pub slots: &'a [usize],
    /// The producer's task.
    pub producer: &'a dyn Task,
    /// Which output of the producer is read.
    pub output: usize,
    /// The producer's grid.
    pub producer_grid: &'a Grid,
    /// From this task's places to the producer's; an axis map, or a window if the task absorbs neighbors.
    pub wiring: &'a Wiring,
    /// This task's grid.
    pub grid: &'a Grid,
    /// The new slot of each of this task's slots; `usize::MAX` for those in `slots`.
    pub consumer_slots: &'a [usize],
    /// The new slot of each of the producer's slots.
    pub producer_slots: &'a [usize],
}

/// Bytes of an output that wait in memory or on the disk, as the run's [`SpillStore`] says when they are there.
///
/// They are no part of what [`TaskGraph::bytes_of`](crate::TaskGraph::bytes_of) an output says, which is in memory in any
/// case. A task that reads the output is told both together by [`Task::facts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Staged {
    /// None.
    #[default]
    Nothing,
    /// So many, from when the task ends.
    Bytes(u64),
    /// Those of its inputs: the output holds these, not copies, and its declared bytes count them.
    OfInputs,
}

/// What is known of a task before it runs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// Bytes of each output, where known.
    pub output_bytes: SmallVec<[Option<u64>; 1]>,
    /// Bytes that the outputs may hold besides, or leave on the disk: see [`Staged`].
    pub staged: Staged,
    /// Bytes needed beside inputs and outputs while it runs.
    pub scratch_bytes: u64,
    /// About how many nanoseconds it takes; without it nothing is "cheap enough to repeat".
    pub cost_ns: Option<u64>,
    /// Bytes read from files.
    pub bytes_read: u64,
    /// Bytes written to files.
    pub bytes_written: u64,
    /// Whether the output may take over the storage of an input that nobody else needs.
    pub reuses_input: bool,
}

impl Facts {
    /// One output of this many bytes.
    pub fn bytes(output: u64) -> Self {
        Self { output_bytes: smallvec![Some(output)], ..Self::default() }
    }

    /// The same with this much scratch memory.
    #[must_use]
    pub fn scratch(self, bytes: u64) -> Self {
        Self { scratch_bytes: bytes, ..self }
    }

    /// The same with so many bytes that wait in memory or on the disk.
    #[must_use]
    pub fn staged(self, bytes: u64) -> Self {
        Self { staged: Staged::Bytes(bytes), ..self }
    }

    /// The same with this cost in nanoseconds.
    #[must_use]
    pub fn cost(self, nanoseconds: u64) -> Self {
        Self { cost_ns: Some(nanoseconds), ..self }
    }

    /// The same reading this many bytes from files.
    #[must_use]
    pub fn read(self, bytes: u64) -> Self {
        Self { bytes_read: bytes, ..self }
    }

    /// The same writing this many bytes to files.
    #[must_use]
    pub fn written(self, bytes: u64) -> Self {
        Self { bytes_written: bytes, ..self }
    }

    /// Bytes of one output, where known.
    pub fn output(&self, output: usize) -> Option<u64> {
        self.output_bytes.get(output).copied().flatten()
    }
}

/// What a task returns: its outputs in order, or more work whose results they are.
#[derive(Debug)]
pub struct Output(Outputs);

#[derive(Debug)]
enum Outputs {
    /// Most tasks: worth a way of its own, because it is taken for each of them.
    One(ChunkRef),
    Many(Vec<ChunkRef>),
    More(Vec<Request>),
}

impl Output {
    /// One output.
    #[inline]
    pub fn one<T: Chunk>(chunk: T) -> Self {
        Self(Outputs::One(Arc::new(chunk)))
    }

    /// One output that is shared already.
    pub fn shared(chunk: ChunkRef) -> Self {
        Self(Outputs::One(chunk))
    }

    /// Several outputs, as many as [`Task::n_outputs`] says.
    pub fn many(chunks: impl IntoIterator<Item = ChunkRef>) -> Self {
        Self(Outputs::Many(chunks.into_iter().collect()))
    }

    /// A continuation: the task has ended and holds neither thread nor memory; its outputs will be those of this work.
    ///
    /// The requests together name as many chunks as the task has outputs. The task must say so by
    /// [`Task::continues`].
    pub fn more(requests: impl IntoIterator<Item = Request>) -> Self {
        Self(Outputs::More(requests.into_iter().collect()))
    }

    /// Number of chunks; those of a continuation are still to be made.
    #[inline]
    pub(crate) fn n_chunks(&self) -> usize {
        match &self.0 {
            Outputs::One(_) => 1,
            Outputs::Many(chunks) => chunks.len(),
            Outputs::More(requests) => requests.iter().map(Request::n_chunks).sum(),
        }
    }

    /// The outputs in order; none where the task returned more work.
    pub fn chunks(&self) -> &[ChunkRef] {
        match &self.0 {
            Outputs::One(chunk) => std::slice::from_ref(chunk),
            Outputs::Many(chunks) => chunks,
            Outputs::More(_) => &[],
        }
    }

    /// The outputs in order; none where the task returned more work.
    pub fn into_chunks(self) -> Vec<ChunkRef> {
        let mut chunks = Vec::new();
        // More work is no chunk.
        let _ = self.hand_over(|chunk| chunks.push(chunk));
        chunks
    }

    /// Calls `take` with each of the outputs in order.
    ///
    /// # Errors
    /// The requests of a continuation, where the task returned more work.
    #[inline]
    pub fn hand_over(self, mut take: impl FnMut(ChunkRef)) -> Result<(), Vec<Request>> {
        match self.0 {
            Outputs::One(chunk) => take(chunk),
            Outputs::Many(chunks) => chunks.into_iter().for_each(take),
            Outputs::More(requests) => return Err(requests),
        }
        Ok(())
    }
}

/// The input chunks of one task, slot after slot.
///
/// A slot that reads several tasks of its producer holds several chunks, in the order of the wiring.
#[derive(Debug)]
pub struct Inputs<'a> {
    chunks: &'a mut [Option<ChunkRef>],
    ends: &'a [u32],
    spill_store: Option<&'a dyn SpillStore>,
}

impl<'a> Inputs<'a> {
    /// The chunks of all slots in a row, and where each slot ends; no `ends` at all mean one chunk a slot.
    pub fn new(chunks: &'a mut [Option<ChunkRef>], ends: &'a [u32]) -> Self {
        Self { chunks, ends, spill_store: None }
    }

    /// The same with a place outside memory for the task.
    #[must_use]
    pub fn with_spill_store(self, spill_store: Option<&'a dyn SpillStore>) -> Self {
        Self { spill_store, ..self }
    }

    /// Where the task may put what shall not stay in memory; `None` where the run has no such place.
    pub fn spill_store(&self) -> Option<&'a dyn SpillStore> {
        self.spill_store
    }

    /// Number of chunks over all slots.
    #[inline]
    pub fn len(&self) -> usize {
        self.chunks.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Number of slots.
    pub fn n_slots(&self) -> usize {
        if self.ends.is_empty() { self.chunks.len() } else { self.ends.len() }
    }

    fn range(&self, slot: usize) -> std::ops::Range<usize> {
        match self.ends {
            [] => slot..slot + 1,
            ends => (if slot == 0 { 0 } else { ends[slot - 1] as usize })..ends[slot] as usize,
        }
    }

    /// The chunk with this number, counted over all slots.
    ///
    /// # Errors
    /// If there is no such chunk, or it was taken.
    #[inline]
    pub fn chunk(&self, index: usize) -> Result<&ChunkRef, TaskError> {
        let chunk = self.chunks.get(index).and_then(Option::as_ref);
        chunk.ok_or_else(|| TaskError::new(InputMismatch::Absent { index, n: self.chunks.len() }))
    }

    /// The chunk with this number as a `T`.
    ///
    /// # Errors
    /// If there is no such chunk, it was taken, or it is of another kind.
    #[inline]
    pub fn get<T: Chunk>(&self, index: usize) -> Result<&T, TaskError> {
        self.chunk(index)?.downcast_ref().ok_or_else(|| InputMismatch::wrong_kind::<T>(index))
    }

    /// All chunks of a slot as `T`s, in the order of the wiring; a barrier's bundle counts as its members.
    ///
    /// # Errors
    /// If one was taken or is of another kind.
    pub fn slot<T: Chunk>(&self, slot: usize) -> Result<SmallVec<[&T; 8]>, TaskError> {
        let range = self.range(slot);
        if range.len() == 1
            && let Some(bundle) = self.chunk(range.start)?.downcast_ref::<Bundle>()
        {
            let members = bundle.0.iter();
            return members
                .map(|chunk| chunk.downcast_ref().ok_or_else(|| InputMismatch::wrong_kind::<T>(range.start)))
                .collect();
        }
        range.map(|index| self.get(index)).collect()
    }

    /// Takes the chunk with this number: its storage can be reused if nobody else holds it (`Arc::try_unwrap`).
    ///
    /// # Errors
    /// If there is no such chunk, it was taken, or it is of another kind.
    #[inline]
    pub fn take<T: Chunk>(&mut self, index: usize) -> Result<Arc<T>, TaskError> {
        self.take_any(index)?.downcast().map_err(|_| InputMismatch::wrong_kind::<T>(index))
    }

    /// Takes the chunk with this number out of its sharing: moved where nobody else holds it, cloned where somebody does.
    ///
    /// The clone is in nobody's books: for partial answers and the like, which are small beside the data.
    ///
    /// # Errors
    /// If there is no such chunk, it was taken, or it is of another kind.
    pub fn take_owned<T: Chunk + Clone>(&mut self, index: usize) -> Result<T, TaskError> {
        Ok(Arc::unwrap_or_clone(self.take::<T>(index)?))
    }

    /// Takes the chunk with this number as whatever it is.
    #[inline]
    pub(crate) fn take_any(&mut self, index: usize) -> Result<Arc<dyn Any + Send + Sync>, TaskError> {
        let n = self.chunks.len();
        let chunk = self.chunks.get_mut(index).and_then(Option::take);
        let chunk = chunk.ok_or_else(|| TaskError::new(InputMismatch::Absent { index, n }))?;
        Ok(chunk)
    }

    /// The chunks of all slots as shared references, for tasks that hand them on.
    ///
    /// # Errors
    /// If one was taken.
    pub fn shared(&self) -> Result<Vec<ChunkRef>, TaskError> {
        (0..self.len()).map(|index| self.chunk(index).cloned()).collect()
    }
}

/// A task met other inputs than it was built for, or made other outputs: a defect of the task or of its wiring.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputMismatch {
    /// There is no such input, or it was taken.
    Absent {
        /// Its number.
        index: usize,
        /// How many there are.
        n: usize,
    },
    /// An input is of another kind.
    WrongKind {
        /// Its number.
        index: usize,
        /// The type that was expected.
        expected: &'static str,
    },
    /// Another number of outputs was made than was said.
    Outputs {
        /// How many were said.
        expected: u32,
        /// How many were made.
        found: usize,
    },
}

impl InputMismatch {
    fn wrong_kind<T>(index: usize) -> TaskError {
        TaskError::new(Self::WrongKind { index, expected: type_name::<T>() })
    }
}

impl fmt::Display for InputMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent { index, n } => write!(f, "input {index} is absent or taken ({n} inputs)"),
            Self::WrongKind { index, expected } => write!(f, "input {index} is not a {expected}"),
            Self::Outputs { expected, found } => write!(f, "{found} outputs were made, {expected} were said"),
        }
    }
}

impl StdError for InputMismatch {}

/// Why a task failed: any error, to which the scheduler adds operation, place and the user's line.
///
/// Like a boxed error it is made by `?` from any error type, and so implements none itself.
pub struct TaskError {
    cause: Box<dyn StdError + Send + Sync>,
    type_name: &'static str,
}

impl fmt::Debug for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report(self.cause(), f)
    }
}

impl TaskError {
    /// Wraps the cause.
    pub fn new<E: StdError + Send + Sync + 'static>(cause: E) -> Self {
        Self { cause: Box::new(cause), type_name: type_name::<E>() }
    }

    /// An error that is boxed already, such as one of `anyhow`'s: nobody knows its type any more.
    pub fn from_boxed(cause: Box<dyn StdError + Send + Sync>) -> Self {
        Self { cause, type_name: "" }
    }

    /// The cause.
    pub fn cause(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self.cause.as_ref()
    }

    /// The cause, owned.
    pub fn into_cause(self) -> Box<dyn StdError + Send + Sync> {
        self.cause
    }

    /// The path of the cause's type; empty where nobody knows it.
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for TaskError {
    fn from(cause: E) -> Self {
        Self::new(cause)
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}
