//! Items of two bags that have a key in common.

use std::borrow::Cow;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::Arc;

use musher_graph_core::{
    Collection, Facts, FnIdentity, Grid, Layer, Place, Port, TaskError, Tokenizer, Touch, Value, Wiring,
};

use crate::bag::Bag;
use crate::drain::{Collect, Drain, Takes};
use crate::fold::Fold;
use crate::kernel::groups::Groups;
use crate::ops::groups::GroupBy;
use crate::pipe::{Feed, Flow, Item, Pipe, Rewire, Upstream, opaque};

impl<T: Item> Bag<T> {
    /// Pairs of each item with each item of the small bag `other` that has the same key.
    ///
    /// The order is that of this bag, and for one item that of `other`.
    ///
    /// **Cost** one pass over each, fused; all items of `other` are in memory, in one table that every task reads.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let orders = Bag::from_sequence([(1, "tea"), (2, "milk"), (1, "rice")], 2);
    /// let people = Bag::from_sequence([(1, "Ada"), (3, "Mary")], 1);
    /// let joined = orders.join(&people, |order| order.0, |person| person.0);
    /// let names = joined.map(|(order, person)| (person.1, order.1));
    /// assert_eq!(names.compute()?, [("Ada", "tea"), ("Ada", "rice")]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn join<U, K, F, G>(&self, other: &Bag<U>, key: F, other_key: G) -> Bag<(T, U)>
    where
        U: Item,
        K: Item + Eq + Hash,
        F: Fn(&T) -> K + Send + Sync + 'static,
        G: Fn(&U) -> K + Send + Sync + 'static,
    {
        let groups = GroupBy { key: other_key, identity: FnIdentity::of::<G>(), name: "join table" };
        let table = other.folded(Table(groups), Grid::scalar());
        let join: Join<T, U, K, F> = Join {
            source: Upstream::Slot(0),
            table: 1,
            key: Arc::new(key),
            identity: FnIdentity::of::<F>(),
            items: PhantomData,
        };
        let layer = Layer::build(Drain::new(Upstream::Pipe(Arc::new(join)), Collect::<(T, U)>::of(None)))
            .input(self.port(), Wiring::one_to_one(1))
            .input(&table, Wiring::axes([]));
        Bag::from_port(Port::of(layer.finish(Grid::from([self.n_partitions()]))))
    }
}

/// The table of the small side: the groups themselves, not a bag of them.
struct Table<G>(GroupBy<G>);

impl<U, K, G> Fold<U> for Table<G>
where
    U: Item,
    K: Item + Eq + Hash,
    G: Fn(&U) -> K + Send + Sync + 'static,
{
    type Acc = Groups<K, Vec<U>>;
    type Answer = Value<Self::Acc>;
    const TAKES: Takes = Takes::Owned;

    fn label(&self) -> Cow<'static, str> {
        Fold::<U>::label(&self.0)
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("bag.join_table/1");
        Fold::<U>::token(&self.0, tokenizer);
    }

    fn start(&self) -> Self::Acc {
        Groups::default()
    }

    fn look(&self, acc: &mut Self::Acc, item: &U) -> Flow {
        self.0.look(acc, item)
    }

    fn take(&self, acc: &mut Self::Acc, item: U) -> Flow {
        self.0.take(acc, item)
    }

    fn merge(&self, acc: &mut Self::Acc, later: Self::Acc) {
        Fold::<U>::merge(&self.0, acc, later);
    }

    fn finish(&self, acc: Self::Acc) -> Result<Self::Answer, TaskError> {
        Ok(Value(acc))
    }
}

/// Looks each item up in the table, which is the chunk of slot `table`.
struct Join<T, U, K, F> {
    source: Upstream<T>,
    table: usize,
    key: Arc<F>,
    identity: FnIdentity,
    items: PhantomData<fn() -> (U, K)>,
}

impl<T, U, K, F> Pipe<(T, U)> for Join<T, U, K, F>
where
    T: Item,
    U: Item,
    K: Item + Eq + Hash,
    F: Fn(&T) -> K + Send + Sync + 'static,
{
    fn owned(
        &self,
        feed: &mut Feed<'_, '_>,
        sink: &mut dyn FnMut((T, U)) -> Flow,
    ) -> Result<Flow, TaskError> {
        let chunk = Arc::clone(feed.inputs.chunk(self.table)?);
        let table = chunk.downcast_ref::<Value<Groups<K, Vec<U>>>>();
        // Asking the inputs again names the chunk that is wrong.
        let Some(Value(table)) = table else {
            return feed.inputs.get::<Value<Groups<K, Vec<U>>>>(self.table).map(|_| Flow::Continue(()));
        };
        self.source.lent(feed, &mut |item| match table.get(&(self.key)(item)) {
            Some(partners) => partners.iter().try_for_each(|partner| sink((item.clone(), partner.clone()))),
            None => Flow::Continue(()),
        })
    }

    fn labels(&self, into: &mut Vec<Cow<'static, str>>) {
        self.source.labels(into);
        into.push("join".into());
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.source.token(tokenizer);
        self.identity.enter::<F>("bag.join/1", tokenizer);
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

    fn rewired(&self, rewire: Rewire<'_>) -> Option<Arc<dyn Pipe<(T, U)>>> {
        let slots = match rewire {
            Rewire::Renumber { slots, .. } => slots,
            Rewire::Absorb(absorb) => absorb.consumer_slots,
        };
        let table = slots.get(self.table).copied().filter(|&new| new != usize::MAX)?;
        let source = self.source.rewired(rewire)?;
        Some(Arc::new(Self {
            source,
            table,
            key: Arc::clone(&self.key),
            identity: self.identity,
            items: PhantomData,
        }))
    }
}
