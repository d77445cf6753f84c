//! Reductions over all partitions: a partial result of each, joined by a tree whose shape depends on their number only.

use std::borrow::Cow;
use std::sync::Arc;

use musher_graph_core::{
    ChunkRef, Facts, Grid, Inputs, Layer, Output, Place, Port, Task, TaskError, Tokenizer, Value, Wiring,
};

use crate::bag::Bag;
use crate::drain::{Drain, Reduce, Takes};
use crate::partition::Partial;
use crate::pipe::{Flow, Item, Upstream};

/// How many partial results are joined by one task: wide enough for a flat tree, narrow enough for memory.
const FAN_IN: usize = 8;

/// A reduction in three steps: items into a partial result, partial results into one, that one into the answer.
///
/// Joining must be associative, and is always called with the earlier partitions on the left.
pub(crate) trait Fold<T>: Send + Sync + 'static {
    /// A partial result.
    type Acc: Clone + Send + Sync + 'static;

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

    /// The answer's chunk.
    fn finish(&self, acc: Self::Acc) -> Result<ChunkRef, TaskError>;
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
        match self.last {
            true => self.fold.finish(acc),
            false => Ok(Arc::new(Partial(acc))),
        }
    }

    fn output_bytes(&self) -> Option<u64> {
        (!self.last && !std::mem::needs_drop::<F::Acc>()).then_some(size_of::<F::Acc>() as u64)
    }
}

/// The second step, and with `last` the third.
struct Combine<T, F> {
    fold: Arc<F>,
    last: bool,
    item: std::marker::PhantomData<fn() -> T>,
}

impl<T: Item, F: Fold<T>> Task for Combine<T, F> {
    fn label(&self) -> Cow<'_, str> {
        match self.last {
            true => self.fold.label(),
            false => format!("{} (combine)", self.fold.label()).into(),
        }
    }

    fn run(&self, _at: Place<'_>, mut inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let mut acc = partial(&mut inputs, 0)?;
        for index in 1..inputs.len() {
            self.fold.merge(&mut acc, partial(&mut inputs, index)?);
        }
        match self.last {
            true => Ok(Output::shared(self.fold.finish(acc)?)),
            false => Ok(Output::one(Partial(acc))),
        }
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("bag.combine/1");
        tokenizer.word(u64::from(self.last));
        self.fold.token(tokenizer);
    }

    fn facts(&self, _at: Place<'_>, inputs: &[Option<u64>]) -> Facts {
        // A joined result holds at most what its parts hold.
        match inputs.iter().copied().sum::<Option<u64>>() {
            Some(bytes) => Facts::bytes(bytes),
            None => Facts::default(),
        }
    }
}

/// The partial result with this number, moved where nobody else holds it.
fn partial<A: Clone + Send + Sync + 'static>(inputs: &mut Inputs<'_>, index: usize) -> Result<A, TaskError> {
    let chunk = inputs.take::<Partial<A>>(index)?;
    Ok(Arc::try_unwrap(chunk).map_or_else(|shared| shared.0.clone(), |own| own.0))
}

impl<T: Item> Bag<T> {
    /// The answer of a fold for each partition alone, which must be a partition.
    #[track_caller]
    pub(crate) fn folded_locally<U: Item>(&self, fold: impl Fold<T>) -> Bag<U> {
        let local = Partially { fold: Arc::new(fold), last: true };
        Bag::from_port(self.layer(Drain::new(Upstream::Slot(0), local)))
    }

    /// The layers of a fold; the answer's chunk is the only one of the last layer, whose grid is `grid`.
    #[track_caller]
    pub(crate) fn folded<F: Fold<T>>(&self, fold: F, grid: Grid) -> Port {
        let fold = Arc::new(fold);
        let mut port =
            self.layer(Drain::new(Upstream::Slot(0), Partially { fold: Arc::clone(&fold), last: false }));
        let mut partials = self.n_partitions();
        while partials > FAN_IN {
            partials = partials.div_ceil(FAN_IN);
            let combine = Combine { fold: Arc::clone(&fold), last: false, item: std::marker::PhantomData };
            let layer =
                Layer::build(combine).input(&port, Wiring::tree(&[FAN_IN])).finish(Grid::from([partials]));
            port = Port::of(layer);
        }
        let combine = Combine { fold, last: true, item: std::marker::PhantomData };
        Port::of(Layer::build(combine).input(&port, Wiring::All).finish(grid))
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

impl<T, A, S, L, M, E> Fold<T> for Steps<S, L, M, E>
where
    A: Clone + Send + Sync + 'static,
    S: Fn() -> A + Send + Sync + 'static,
    L: Fn(&mut A, &T) -> Flow + Send + Sync + 'static,
    M: Fn(&mut A, A) + Send + Sync + 'static,
    E: Fn(A) -> Result<ChunkRef, TaskError> + Send + Sync + 'static,
{
    type Acc = A;

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

    fn finish(&self, acc: A) -> Result<ChunkRef, TaskError> {
        (self.finish)(acc)
    }
}

/// The token of an operation that is known by name and version.
pub(crate) fn named(name: &'static str) -> Box<dyn Fn(&mut Tokenizer) + Send + Sync> {
    Box::new(move |tokenizer| tokenizer.name(name))
}

/// The chunk of a delayed value.
pub(crate) fn value<R: Send + Sync + 'static>(value: R) -> Result<ChunkRef, TaskError> {
    Ok(Arc::new(Value(value)))
}
