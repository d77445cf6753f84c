//! Reductions with the user's own functions.

use std::borrow::Cow;
use std::sync::Arc;

use musher_graph_core::{
    Collection, Delayed, Facts, FnIdentity, Grid, Layer, Place, Port, TaskError, Tokenizer, Touch, Value,
    Wiring,
};

use crate::bag::Bag;
use crate::drain::{Collect, Drain, Takes};
use crate::fold::{Fold, value};
use crate::origin::Origin;
use crate::pipe::{Feed, Flow, Item, Pipe, Rewire, Upstream, opaque};

impl<T: Item> Bag<T> {
    /// Folds each partition from `init` by `function`, and joins the results, earlier ones on the left, by `combine`.
    ///
    /// `combine` must be associative, and `init` must change nothing when it is combined: it is used once for each partition.
    /// The tree of joins depends on the number of partitions only.
    ///
    /// **Cost** one pass, fused, then a tree of joins, eight at a time.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let longest = Bag::from_sequence(["a", "abc", "ab"], 2)
    ///     .fold(0, |longest: usize, word: &str| longest.max(word.len()), usize::max);
    /// assert_eq!(longest.compute()?, 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "aggregate")]
    pub fn fold<A, F, C>(&self, init: A, function: F, combine: C) -> Delayed<A>
    where
        A: Item,
        F: Fn(A, T) -> A + Send + Sync + 'static,
        C: Fn(A, A) -> A + Send + Sync + 'static,
    {
        // What `init` is cannot be told, so that equal folds are not merged.
        self.answered(ByFunctions { init, function, combine, identity: FnIdentity::fresh() })
    }

    /// Joins all items by `function`, earlier ones on the left; `None` of an empty bag.
    ///
    /// `function` must be associative.
    ///
    /// **Cost** one pass, fused, then a tree of joins, eight at a time.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let product = Bag::from_sequence(1..=5u64, 2).reduce(|a, b| a * b);
    /// assert_eq!(product.compute()?, Some(120));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "reduction")]
    pub fn reduce<F>(&self, function: F) -> Delayed<Option<T>>
    where
        F: Fn(T, T) -> T + Send + Sync + 'static,
    {
        self.answered(ByFunction { function, identity: FnIdentity::of::<F>() })
    }

    /// Each item joined by `function` with all items before it, which stand on the left.
    ///
    /// `function` must be associative: what partitions come to is joined, too.
    ///
    /// **Cost** two passes over the partitions, which are stored between; a partition waits for what those before it come
    /// to, not for their items.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let sums = Bag::from_sequence(1..=5, 2).accumulate(|a, b| a + b);
    /// assert_eq!(sums.compute()?, [1, 3, 6, 10, 15]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "scan")]
    #[doc(alias = "cumsum")]
    pub fn accumulate<F>(&self, function: F) -> Self
    where
        F: Fn(T, T) -> T + Send + Sync + 'static,
    {
        let fold = Arc::new(ByFunction { function, identity: FnIdentity::of::<F>() });
        let before = self.folded_before(Arc::clone(&fold));
        let pipe =
            Accumulate { source: Upstream::Slot(0), before: 1, fold, origin: Origin::new("accumulate") };
        let layer = Layer::build(Drain::new(Upstream::Pipe(Arc::new(pipe)), Collect::of(self.coding)))
            .input(self.port(), Wiring::one_to_one(1))
            .input(&before, Wiring::one_to_one(1));
        Self::from_port(Port::of(layer.finish(Grid::from([self.n_partitions()])))).with_coding(self.coding)
    }
}

/// Joins each item with those before it; what the partitions before come to is in a slot of its own.
struct Accumulate<T, F> {
    source: Upstream<T>,
    before: usize,
    fold: Arc<ByFunction<F>>,
    origin: Origin,
}

impl<T: Item, F: Fn(T, T) -> T + Send + Sync + 'static> Pipe<T> for Accumulate<T, F> {
    fn owned(&self, feed: &mut Feed<'_, '_>, sink: &mut dyn FnMut(T) -> Flow) -> Result<Flow, TaskError> {
        let Value(mut total) = feed.inputs.take_owned::<Value<Option<T>>>(self.before)?;
        self.source.owned(feed, &mut |item| {
            self.origin.call(|| self.fold.join(&mut total, item));
            total.clone().map_or(Flow::Continue(()), &mut *sink)
        })
    }

    fn labels(&self, into: &mut Vec<Cow<'static, str>>) {
        self.source.labels(into);
        into.push(self.origin.label().into());
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.source.token(tokenizer);
        self.fold.identity.enter::<F>("bag.accumulate/1", tokenizer);
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

    fn rewired(&self, rewire: Rewire<'_>) -> Option<Arc<dyn Pipe<T>>> {
        let slots = match rewire {
            Rewire::Renumber { slots, .. } => slots,
            Rewire::Absorb(absorb) => absorb.consumer_slots,
        };
        // The totals are made by a task of their own, which is not taken in.
        let before = slots.get(self.before).copied().filter(|&new| new != usize::MAX)?;
        let source = self.source.rewired(rewire)?;
        Some(Arc::new(Self { source, before, fold: Arc::clone(&self.fold), origin: self.origin }))
    }
}

struct ByFunctions<A, F, C> {
    init: A,
    function: F,
    combine: C,
    identity: FnIdentity,
}

impl<T, A, F, C> Fold<T> for ByFunctions<A, F, C>
where
    T: Item,
    A: Item,
    F: Fn(A, T) -> A + Send + Sync + 'static,
    C: Fn(A, A) -> A + Send + Sync + 'static,
{
    /// Absent only while a user's function has it.
    type Acc = Option<A>;
    type Answer = Value<A>;
    const TAKES: Takes = Takes::Owned;

    fn label(&self) -> Cow<'static, str> {
        "fold".into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.identity.enter::<(F, C)>("bag.fold/1", tokenizer);
    }

    fn start(&self) -> Option<A> {
        Some(self.init.clone())
    }

    fn look(&self, acc: &mut Option<A>, item: &T) -> Flow {
        self.take(acc, item.clone())
    }

    fn take(&self, acc: &mut Option<A>, item: T) -> Flow {
        *acc = acc.take().map(|acc| (self.function)(acc, item));
        Flow::Continue(())
    }

    fn merge(&self, acc: &mut Option<A>, later: Option<A>) {
        *acc = acc.take().zip(later).map(|(acc, later)| (self.combine)(acc, later));
    }

    fn finish(&self, acc: Option<A>) -> Result<Value<A>, TaskError> {
        value(acc.unwrap_or_else(|| self.init.clone()))
    }
}

struct ByFunction<F> {
    function: F,
    identity: FnIdentity,
}

impl<F> ByFunction<F> {
    fn join<T>(&self, acc: &mut Option<T>, later: T)
    where
        F: Fn(T, T) -> T,
    {
        *acc = Some(match acc.take() {
            Some(acc) => (self.function)(acc, later),
            None => later,
        });
    }
}

impl<T: Item, F: Fn(T, T) -> T + Send + Sync + 'static> Fold<T> for ByFunction<F> {
    type Acc = Option<T>;
    type Answer = Value<Option<T>>;
    const TAKES: Takes = Takes::Owned;

    fn label(&self) -> Cow<'static, str> {
        "reduce".into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.identity.enter::<F>("bag.reduce/1", tokenizer);
    }

    fn start(&self) -> Option<T> {
        None
    }

    fn look(&self, acc: &mut Option<T>, item: &T) -> Flow {
        self.take(acc, item.clone())
    }

    fn take(&self, acc: &mut Option<T>, item: T) -> Flow {
        self.join(acc, item);
        Flow::Continue(())
    }

    fn merge(&self, acc: &mut Option<T>, later: Option<T>) {
        if let Some(later) = later {
            self.join(acc, later);
        }
    }

    fn finish(&self, acc: Option<T>) -> Result<Value<Option<T>>, TaskError> {
        value(acc)
    }
}
