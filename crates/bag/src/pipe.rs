//! Pipes: how the items of one partition reach whoever wants them, through any number of fused operations.
//!
//! A [`Pipe`] pushes items into a sink. `map`, `filter` and the like are [`Stage`]s between a [`Source`] and the sink, so that a
//! chain of them is one pass over the partition, and no vector is made between. Items travel in one of two ways: *owned*,
//! when the sink keeps or changes them, or *lent*, when it only looks; a source that makes items in a buffer of its own
//! (lines, words) lends the buffer and copies nothing.
//!
//! Pushing was chosen over pulling because `flat_map` needs no state machine then, and one indirect call for each item and
//! stage is all that fusion costs. Its price is a stack frame for each stage; [`MAX_DEPTH`] bounds it, and a longer chain
//! makes a partition in between.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::Arc;

use musher_graph_core::{Absorb, Facts, Inputs, Place, TaskError, Tokenizer, Touch};

use musher_scheduler::check_cancelled;

use crate::drain::Drain;
use crate::partition::Partition;

/// What may be an item of a bag.
///
/// Items are cloned where two consumers share a partition, and cross threads.
pub trait Item: Clone + Send + Sync + 'static {}
impl<T: Clone + Send + Sync + 'static> Item for T {}

/// Whether more items are wanted.
pub(crate) type Flow = ControlFlow<()>;

/// More stages than this are not fused: at about 200 bytes of stack each they fit the smallest stack many times over.
const MAX_DEPTH: usize = 64;

/// Items between two looks at whether the run is cancelled: looking costs some nanoseconds, an item about as many.
const BETWEEN_LOOKS: usize = 256;

/// Pushes items until the sink breaks or the run is cancelled. Every source pushes by this, or looks itself.
pub(crate) fn push<T>(
    items: impl IntoIterator<Item = T>,
    sink: &mut dyn FnMut(T) -> Flow,
) -> Result<Flow, TaskError> {
    for (number, item) in items.into_iter().enumerate() {
        if number % BETWEEN_LOOKS == 0 {
            check_cancelled()?;
        }
        if sink(item).is_break() {
            return Ok(Flow::Break(()));
        }
    }
    Ok(Flow::Continue(()))
}

/// Where a task stands, and its input chunks.
pub(crate) struct Feed<'a, 'i> {
    pub(crate) at: Place<'i>,
    pub(crate) inputs: &'i mut Inputs<'a>,
}

/// Which of its own partitions a source makes at a place of the task that it is in.
///
/// The same number, until a consumer that reads a selection of the partitions takes the source in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection(Option<Arc<[u32]>>);

impl Selection {
    /// The number of the source's partition.
    pub(crate) fn index(&self, at: Place<'_>) -> usize {
        match &self.0 {
            Some(table) => table[at.index()] as usize,
            None => at.index(),
        }
    }

    /// The selection of a source inside a new task.
    pub(crate) fn rewired(&self, rewire: Rewire<'_>) -> Self {
        match (rewire, &self.0) {
            (Rewire::Renumber { selection: Self(None), .. } | Rewire::Absorb(_), _) => self.clone(),
            (Rewire::Renumber { selection, .. }, None) => selection.clone(),
            (Rewire::Renumber { selection: Self(Some(outer)), .. }, Some(inner)) => {
                Self(Some(outer.iter().map(|&at| inner[at as usize]).collect()))
            }
        }
    }

    /// How a consumer selects the partitions of the producer that it takes in.
    fn of(absorb: &Absorb<'_>) -> Self {
        if absorb.wiring.is_one_to_one() && absorb.grid.n_tasks() == absorb.producer_grid.n_tasks() {
            return Self(None);
        }
        let read = |index| absorb.wiring.producers(absorb.grid.place(index), absorb.producer_grid)[0];
        Self(Some((0..absorb.grid.n_tasks()).map(read).collect()))
    }
}

/// Pushes the items of one partition into a sink, in order.
pub(crate) trait Pipe<T>: Send + Sync {
    /// Pushes items that the sink may keep, until it breaks.
    fn owned(&self, feed: &mut Feed<'_, '_>, sink: &mut dyn FnMut(T) -> Flow) -> Result<Flow, TaskError>;

    /// Pushes items that the sink only looks at, until it breaks.
    fn lent(&self, feed: &mut Feed<'_, '_>, sink: &mut dyn FnMut(&T) -> Flow) -> Result<Flow, TaskError> {
        self.owned(feed, &mut |item| sink(&item))
    }

    /// Whether lending spares a copy of each item.
    fn lends(&self, feed: &Feed<'_, '_>) -> bool {
        let _ = feed;
        false
    }

    /// Pushes the text itself in runs of whole lines, if this pipe makes its items of text.
    fn text(
        &self,
        feed: &mut Feed<'_, '_>,
        sink: &mut dyn FnMut(&str) -> Flow,
    ) -> Option<Result<Flow, TaskError>> {
        let _ = (feed, sink);
        None
    }

    /// Adds the names of the operations, first one first.
    fn labels(&self, into: &mut Vec<Cow<'static, str>>);

    /// Enters what identifies the operations into a fingerprint.
    fn token(&self, tokenizer: &mut Tokenizer);

    /// Number of stages one inside the other.
    fn depth(&self) -> usize;

    /// What is known before running: bytes read, scratch.
    fn facts(&self, at: Place<'_>) -> Facts;

    /// What is read outside memory.
    fn touches(&self, at: Place<'_>) -> Vec<Touch> {
        let _ = at;
        Vec::new()
    }

    /// The same pipe in another task, or `None` where it cannot be.
    fn rewired(&self, rewire: Rewire<'_>) -> Option<Arc<dyn Pipe<T>>>;
}

/// How the inputs of a pipe change when two tasks become one.
#[derive(Clone, Copy)]
pub(crate) enum Rewire<'a> {
    /// The pipe's slots have these new numbers, and its sources make these partitions.
    Renumber {
        /// The new number of each slot.
        slots: &'a [usize],
        /// The partition made at each new place.
        selection: &'a Selection,
    },
    /// The slots that read the producer are replaced by the producer's own pipe.
    Absorb(&'a Absorb<'a>),
}

/// Where a stage takes its items from.
pub(crate) enum Upstream<T> {
    /// The partition in this slot.
    Slot(usize),
    /// Another pipe.
    Pipe(Arc<dyn Pipe<T>>),
}

impl<T> Clone for Upstream<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Slot(slot) => Self::Slot(*slot),
            Self::Pipe(pipe) => Self::Pipe(Arc::clone(pipe)),
        }
    }
}

impl<T: Item> Upstream<T> {
    /// See [`Pipe::owned`]. The items of a partition that nobody else holds are moved out of it.
    pub(crate) fn owned(
        &self,
        feed: &mut Feed<'_, '_>,
        sink: &mut dyn FnMut(T) -> Flow,
    ) -> Result<Flow, TaskError> {
        match self {
            Self::Pipe(pipe) => pipe.owned(feed, sink),
            Self::Slot(slot) => {
                let partition = feed.inputs.take::<Partition<T>>(*slot)?;
                match Arc::try_unwrap(partition) {
                    Ok(partition) => push(partition.into_items(), sink),
                    Err(shared) => push(shared.items().iter().cloned(), sink),
                }
            }
        }
    }

    /// All items at once; those of a partition that nobody else holds stay where they are.
    pub(crate) fn items(&self, feed: &mut Feed<'_, '_>) -> Result<Vec<T>, TaskError> {
        match self {
            Self::Slot(slot) => {
                let partition = feed.inputs.take::<Partition<T>>(*slot)?;
                Ok(Arc::try_unwrap(partition)
                    .map_or_else(|shared| shared.items().to_vec(), Partition::into_items))
            }
            Self::Pipe(pipe) => {
                let mut items = Vec::new();
                let _ = pipe.owned(feed, &mut |item| {
                    items.push(item);
                    Flow::Continue(())
                })?;
                Ok(items)
            }
        }
    }

    /// See [`Pipe::lent`].
    pub(crate) fn lent(
        &self,
        feed: &mut Feed<'_, '_>,
        sink: &mut dyn FnMut(&T) -> Flow,
    ) -> Result<Flow, TaskError> {
        match self {
            Self::Pipe(pipe) => pipe.lent(feed, sink),
            Self::Slot(slot) => push(feed.inputs.get::<Partition<T>>(*slot)?.items(), sink),
        }
    }

    /// See [`Pipe::lends`].
    pub(crate) fn lends(&self, feed: &Feed<'_, '_>) -> bool {
        match self {
            Self::Pipe(pipe) => pipe.lends(feed),
            Self::Slot(slot) => feed.inputs.chunk(*slot).is_ok_and(|chunk| Arc::strong_count(chunk) > 1),
        }
    }

    /// See [`Pipe::text`].
    pub(crate) fn text(
        &self,
        feed: &mut Feed<'_, '_>,
        sink: &mut dyn FnMut(&str) -> Flow,
    ) -> Option<Result<Flow, TaskError>> {
        match self {
            Self::Pipe(pipe) => pipe.text(feed, sink),
            Self::Slot(_) => None,
        }
    }

    /// See [`Pipe::labels`].
    pub(crate) fn labels(&self, into: &mut Vec<Cow<'static, str>>) {
        if let Self::Pipe(pipe) = self {
            pipe.labels(into);
        }
    }

    /// See [`Pipe::token`].
    pub(crate) fn token(&self, tokenizer: &mut Tokenizer) {
        match self {
            Self::Pipe(pipe) => pipe.token(tokenizer),
            Self::Slot(slot) => tokenizer.word(*slot as u64),
        }
    }

    /// See [`Pipe::depth`].
    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::Pipe(pipe) => pipe.depth(),
            Self::Slot(_) => 0,
        }
    }

    /// See [`Pipe::facts`].
    pub(crate) fn facts(&self, at: Place<'_>) -> Facts {
        match self {
            Self::Pipe(pipe) => pipe.facts(at),
            Self::Slot(_) => Facts::default(),
        }
    }

    /// See [`Pipe::touches`].
    pub(crate) fn touches(&self, at: Place<'_>) -> Vec<Touch> {
        match self {
            Self::Pipe(pipe) => pipe.touches(at),
            Self::Slot(_) => Vec::new(),
        }
    }

    /// See [`Pipe::rewired`].
    pub(crate) fn rewired(&self, rewire: Rewire<'_>) -> Option<Self> {
        match (self, rewire) {
            (Self::Pipe(pipe), _) => pipe.rewired(rewire).map(Self::Pipe),
            (Self::Slot(slot), Rewire::Renumber { slots, .. }) => Some(Self::Slot(slots[*slot])),
            (Self::Slot(slot), Rewire::Absorb(absorb)) if !absorb.slots.contains(slot) => {
                Some(Self::Slot(absorb.consumer_slots[*slot]))
            }
            (Self::Slot(_), Rewire::Absorb(absorb)) => {
                let producer = absorb.producer.downcast_ref::<Drain>()?.collected::<T>()?;
                let selection = Selection::of(absorb);
                producer.rewired(Rewire::Renumber { slots: absorb.producer_slots, selection: &selection })
            }
        }
    }
}

/// Whether a consumer of depth `consumer` may take in a producer of depth `producer`.
pub(crate) fn may_fuse(consumer: usize, producer: usize) -> bool {
    consumer + producer <= MAX_DEPTH
}

/// What is known of an operation with a user's function in it: what its source reads, but neither bytes nor time.
pub(crate) fn opaque(source: Facts) -> Facts {
    Facts { output_bytes: Default::default(), cost_ns: None, ..source }
}

/// One operation that makes items of type `U` from items of type `T`.
pub(crate) trait Stage<T: Item, U: Item>: Send + Sync + 'static {
    /// The operation's name.
    fn label(&self) -> Cow<'static, str>;

    /// Enters what identifies the operation into a fingerprint.
    fn token(&self, tokenizer: &mut Tokenizer);

    /// See [`Pipe::owned`].
    fn owned(
        &self,
        source: &Upstream<T>,
        feed: &mut Feed<'_, '_>,
        sink: &mut dyn FnMut(U) -> Flow,
    ) -> Result<Flow, TaskError>;

    /// See [`Pipe::lent`].
    fn lent(
        &self,
        source: &Upstream<T>,
        feed: &mut Feed<'_, '_>,
        sink: &mut dyn FnMut(&U) -> Flow,
    ) -> Result<Flow, TaskError> {
        self.owned(source, feed, &mut |item| sink(&item))
    }

    /// See [`Pipe::lends`].
    fn lends(&self, source: &Upstream<T>, feed: &Feed<'_, '_>) -> bool {
        let _ = (source, feed);
        false
    }
}

/// A stage behind its source.
pub(crate) struct Staged<T, S> {
    source: Upstream<T>,
    stage: Arc<S>,
}

impl<T: Item, S> Staged<T, S> {
    /// The stage on the partition in slot 0.
    pub(crate) fn first<U: Item>(stage: S) -> Upstream<U>
    where
        S: Stage<T, U>,
    {
        Upstream::Pipe(Arc::new(Self { source: Upstream::Slot(0), stage: Arc::new(stage) }))
    }
}

impl<T: Item, U: Item, S: Stage<T, U>> Pipe<U> for Staged<T, S> {
    fn owned(&self, feed: &mut Feed<'_, '_>, sink: &mut dyn FnMut(U) -> Flow) -> Result<Flow, TaskError> {
        self.stage.owned(&self.source, feed, sink)
    }

    fn lent(&self, feed: &mut Feed<'_, '_>, sink: &mut dyn FnMut(&U) -> Flow) -> Result<Flow, TaskError> {
        self.stage.lent(&self.source, feed, sink)
    }

    fn lends(&self, feed: &Feed<'_, '_>) -> bool {
        self.stage.lends(&self.source, feed)
    }

    fn labels(&self, into: &mut Vec<Cow<'static, str>>) {
        self.source.labels(into);
        into.push(self.stage.label());
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.source.token(tokenizer);
        self.stage.token(tokenizer);
    }

    fn depth(&self) -> usize {
        1 + self.source.depth()
    }

    fn facts(&self, at: Place<'_>) -> Facts {
        opaque(self.source.facts(at))
    }

    fn touches(&self, at: Place<'_>) -> Vec<Touch> {
        self.source.touches(at)
    }

    fn rewired(&self, rewire: Rewire<'_>) -> Option<Arc<dyn Pipe<U>>> {
        Some(Arc::new(Self { source: self.source.rewired(rewire)?, stage: Arc::clone(&self.stage) }))
    }
}
