//! Reductions over all partitions: a partial result of each, joined by a tree whose shape depends on their number only.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use musher_graph_core::{
    Chunk, ChunkRef, Codec, Combine, Facts, Grid, Grouping, Level, Place, Port, Scan, Site, TaskError,
    Tokenizer, Value, scan, tree,
};

use crate::bag::Bag;
use crate::drain::{Drain, Reduce, Takes};
use crate::pipe::{Flow, Item, Upstream};

/// A reduction in three steps: items into a partial result, partial results into one, that one into the answer.
///
/// Joining must be associative, and is always called with the earlier partitions on the left.
pub(crate) trait Fold<T>: Send + Sync + 'static {
    /// A partial result.
    type Acc: Clone + Send + Sync + 'static;
    /// The answer's chunk.
    type Answer: Chunk;

    /// Which way items should come.
    const TAKES: Takes = Takes::Lent;

    /// The operation's name.
    fn label(&self) -> Cow<'static, str>;

    /// Enters what identifies the operation into a fingerprint.
    fn token(&self, tokenizer: &mut Tokenizer);

    /// The partial result of nothing.
    fn start(&self) -> Self::Acc;

    /// Looks at the next item.
    fn look(&self, acc: &mut Self::Acc, item: &T) -> Flow;

    /// Takes the next item.
    fn take(&self, acc: &mut Self::Acc, item: T) -> Flow {
        self.look(acc, &item)
    }

    /// Joins the partial result of later items.
    fn merge(&self, acc: &mut Self::Acc, later: Self::Acc);

    /// The answer.
    fn finish(&self, acc: Self::Acc) -> Result<Self::Answer, TaskError>;
}

/// The first step of a fold: the partial result of one partition, or with `last` the answer for it alone.
struct Partially<F> {
    fold: Arc<F>,
    last: bool,
}

impl<T: Item, F: Fold<T>> Reduce<T> for Partially<F> {
    type Acc = F::Acc;
    const TAKES: Takes = F::TAKES;

    fn label(&self) -> Option<Cow<'static, str>> {
        Some(self.fold.label())
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("bag.partial/1");
        tokenizer.word(u64::from(self.last));
        self.fold.token(tokenizer);
    }

    fn start(&self) -> F::Acc {
        self.fold.start()
    }

    fn look(&self, acc: &mut F::Acc, item: &T) -> Flow {
        self.fold.look(acc, item)
    }

    fn take(&self, acc: &mut F::Acc, item: T) -> Flow {
        self.fold.take(acc, item)
    }

    fn finish(&self, acc: F::Acc) -> Result<ChunkRef, TaskError> {
        Ok(match self.last {
            true => Arc::new(self.fold.finish(acc)?),
            false => Arc::new(Value(acc)),
        })
    }

    fn codec(&self) -> Option<&'static dyn Codec> {
        match self.last {
            true => F::Answer::codec_of(),
            false => Value::<F::Acc>::codec_of(),
        }
    }

    fn output_bytes(&self) -> Option<u64> {
        (!self.last && !std::mem::needs_drop::<F::Acc>()).then_some(size_of::<F::Acc>() as u64)
    }
}

/// The second step, and the third.
struct Joining<T, F> {
    fold: Arc<F>,
    item: PhantomData<fn() -> T>,
}

impl<T: Item, F: Fold<T>> Combine for Joining<T, F> {
    type State = Value<F::Acc>;

    fn label(&self) -> Cow<'_, str> {
        self.fold.label()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.fold.token(tokenizer);
    }

    fn merge(&self, earlier: &mut Value<F::Acc>, later: Value<F::Acc>) -> Result<(), TaskError> {
        self.fold.merge(&mut earlier.0, later.0);
        Ok(())
    }

    fn finish(&self, _at: Place<'_>, whole: Value<F::Acc>) -> Result<ChunkRef, TaskError> {
        Ok(Arc::new(self.fold.finish(whole.0)?))
    }

    fn codec(&self) -> Option<&'static dyn Codec> {
        F::Answer::codec_of()
    }

    fn facts(&self, _at: Place<'_>, _level: Level, inputs: &[Option<u64>]) -> Facts {
        // A joined result holds at most what its parts hold.
        inputs.iter().copied().sum::<Option<u64>>().map_or_else(Facts::default, Facts::bytes)
    }
}

impl<T: Item, F: Fold<T>> Scan for Joining<T, F> {
    fn start(&self, _at: Place<'_>) -> Result<Value<F::Acc>, TaskError> {
        Ok(Value(self.fold.start()))
    }
}

impl<T: Item> Bag<T> {
    /// The answer of a fold for each partition alone, which must be a partition.
    #[track_caller]
    pub(crate) fn folded_locally<U: Item>(&self, fold: impl Fold<T>) -> Bag<U> {
        let local = Partially { fold: Arc::new(fold), last: true };
        Bag::from_port(self.layer(Drain::new(Upstream::Slot(0), local)))
    }

    /// For each partition the partial result of all partitions before it.
    #[track_caller]
    pub(crate) fn folded_before<F: Fold<T>>(&self, fold: Arc<F>) -> Port {
        let partials = Partially { fold: Arc::clone(&fold), last: false };
        let port = self.layer(Drain::new(Upstream::Slot(0), partials));
        scan(&port, 0, Joining { fold, item: PhantomData }, Site::caller())
    }

    /// The layers of a fold; the answer's chunk is the only one of the last layer, whose grid is `grid`.
    #[track_caller]
    pub(crate) fn folded<F: Fold<T>>(&self, fold: F, grid: Grid) -> Port {
        let fold = Arc::new(fold);
        let partials = Partially { fold: Arc::clone(&fold), last: false };
        let port = self.layer(Drain::new(Upstream::Slot(0), partials));
        let joining = Joining { fold, item: PhantomData };
        tree(&port, &[true], Grouping::Lines, grid, joining, Site::caller())
    }
}

/// A fold whose steps are closures and which only looks at its items.
pub(crate) struct Steps<S, L, M, E> {
    pub(crate) label: &'static str,
    /// Enters name, version and parameters.
    pub(crate) token: Box<dyn Fn(&mut Tokenizer) + Send + Sync>,
    pub(crate) start: S,
    pub(crate) look: L,
    pub(crate) merge: M,
    pub(crate) finish: E,
}

impl<T, A, R, S, L, M, E> Fold<T> for Steps<S, L, M, E>
where
    A: Clone + Send + Sync + 'static,
    R: Chunk,
    S: Fn() -> A + Send + Sync + 'static,
    L: Fn(&mut A, &T) -> Flow + Send + Sync + 'static,
    M: Fn(&mut A, A) + Send + Sync + 'static,
    E: Fn(A) -> Result<R, TaskError> + Send + Sync + 'static,
{
    type Acc = A;
    type Answer = R;

    fn label(&self) -> Cow<'static, str> {
        self.label.into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        (self.token)(tokenizer);
    }

    fn start(&self) -> A {
        (self.start)()
    }

    fn look(&self, acc: &mut A, item: &T) -> Flow {
        (self.look)(acc, item)
    }

    fn merge(&self, acc: &mut A, later: A) {
        (self.merge)(acc, later);
    }

    fn finish(&self, acc: A) -> Result<R, TaskError> {
        (self.finish)(acc)
    }
}

/// The token of an operation that is known by name and version.
pub(crate) fn named(name: &'static str) -> Box<dyn Fn(&mut Tokenizer) + Send + Sync> {
    Box::new(move |tokenizer| tokenizer.name(name))
}

/// The chunk of a delayed value.
pub(crate) fn value<R: Send + Sync + 'static>(value: R) -> Result<Value<R>, TaskError> {
    Ok(Value(value))
}
