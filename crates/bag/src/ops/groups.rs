//! Equal items and equal keys brought together.

use std::borrow::Cow;
use std::hash::Hash;

use musher_graph_core::{FnIdentity, Grid, TaskError, Tokenizer};

use crate::bag::Bag;
use crate::drain::Takes;
use crate::fold::Fold;
use crate::kernel::counter::Counter;
use crate::kernel::groups::Groups;
use crate::partition::Partition;
use crate::pipe::{Flow, Item};

impl<T: Item> Bag<T> {
    /// How often each distinct item occurs, in the order of first appearance, as a bag of one partition.
    ///
    /// **Cost** one pass, fused; one table of the distinct items for each partition, and in the end one of all. An item is
    /// copied at most once for each table.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let counts = Bag::from_sequence(["b", "a", "b"], 2).frequencies();
    /// assert_eq!(counts.compute()?, [("b", 2), ("a", 1)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "value_counts")]
    pub fn frequencies(&self) -> Bag<(T, u64)>
    where
        T: Eq + Hash,
    {
        Bag::from_port(self.folded(frequencies(), Grid::from([1])))
    }

    /// The distinct items, in the order of first appearance, as a bag of one partition.
    ///
    /// **Cost** that of [`frequencies`](Bag::frequencies).
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// assert_eq!(Bag::from_sequence([3, 1, 3, 2], 2).distinct().compute()?, [3, 1, 2]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "unique")]
    pub fn distinct(&self) -> Self
    where
        T: Eq + Hash,
    {
        Self::from_port(self.folded(distinct(), Grid::from([1]))).recoded(self.coding)
    }

    /// Folds the items of each key, keys in the order of first appearance, as a bag of one partition.
    ///
    /// `init`, `function` and `combine` are those of [`fold`](Bag::fold), for each key.
    ///
    /// **Cost** one pass, fused; one table of the distinct keys for each partition, and in the end one of all.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let sums = Bag::from_sequence(1..=6, 2).fold_by(|x| x % 2 == 0, 0, |sum, x| sum + x, |a, b| a + b);
    /// assert_eq!(sums.compute()?, [(false, 9), (true, 12)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "foldby")]
    #[doc(alias = "reduceByKey")]
    pub fn fold_by<K, A, G, F, C>(&self, key: G, init: A, function: F, combine: C) -> Bag<(K, A)>
    where
        K: Item + Eq + Hash,
        A: Item,
        G: Fn(&T) -> K + Send + Sync + 'static,
        F: Fn(A, T) -> A + Send + Sync + 'static,
        C: Fn(A, A) -> A + Send + Sync + 'static,
    {
        let fold = FoldBy { key, init, function, combine, identity: FnIdentity::fresh() };
        Bag::from_port(self.folded(fold, Grid::from([1])))
    }

    /// The items of each key in order, keys in the order of first appearance, as a bag of one partition.
    ///
    /// **Cost** one pass, fused; in the end *all* items are in one partition. Where a fold says what is wanted of each
    /// group, [`fold_by`](Bag::fold_by) holds one value for each key instead.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let groups = Bag::from_sequence(1..=5, 2).group_by(|x| x % 2 == 0);
    /// assert_eq!(groups.compute()?, [(false, vec![1, 3, 5]), (true, vec![2, 4])]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "groupby")]
    pub fn group_by<K, G>(&self, key: G) -> Bag<(K, Vec<T>)>
    where
        K: Item + Eq + Hash,
        G: Fn(&T) -> K + Send + Sync + 'static,
    {
        let fold = GroupBy { key, identity: FnIdentity::of::<G>(), name: "group_by" };
        Bag::from_port(self.folded(fold, Grid::from([1])))
    }
}

/// Counts of distinct items, and what becomes of them.
pub(crate) struct Counted<T, U> {
    label: &'static str,
    name: &'static str,
    finish: fn(Counter<T>) -> Vec<U>,
}

/// How often each distinct item occurs.
pub(crate) fn frequencies<T: Item + Eq + Hash>() -> Counted<T, (T, u64)> {
    let finish = |counts: Counter<T>| counts.into_groups().into_pairs().collect();
    Counted { label: "frequencies", name: "bag.frequencies/1", finish }
}

/// The distinct items.
pub(crate) fn distinct<T: Item + Eq + Hash>() -> Counted<T, T> {
    let finish = |counts: Counter<T>| counts.into_groups().into_pairs().map(|(item, _)| item).collect();
    Counted { label: "distinct", name: "bag.distinct/1", finish }
}

impl<T: Item + Eq + Hash, U: Item> Fold<T> for Counted<T, U> {
    type Acc = Counter<T>;
    type Answer = Partition<U>;
    const TAKES: Takes = Takes::OwnedUnlessLent;

    fn label(&self) -> Cow<'static, str> {
        self.label.into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name(self.name);
    }

    fn start(&self) -> Counter<T> {
        Counter::new()
    }

    fn look(&self, acc: &mut Counter<T>, item: &T) -> Flow {
        acc.look(item);
        Flow::Continue(())
    }

    fn take(&self, acc: &mut Counter<T>, item: T) -> Flow {
        acc.take(item);
        Flow::Continue(())
    }

    fn merge(&self, acc: &mut Counter<T>, later: Counter<T>) {
        acc.merge(later);
    }

    fn finish(&self, acc: Counter<T>) -> Result<Partition<U>, TaskError> {
        Ok(Partition::new((self.finish)(acc)))
    }
}

pub(crate) struct FoldBy<A, G, F, C> {
    pub(crate) key: G,
    pub(crate) init: A,
    pub(crate) function: F,
    pub(crate) combine: C,
    pub(crate) identity: FnIdentity,
}

impl<T, K, A, G, F, C> Fold<T> for FoldBy<A, G, F, C>
where
    T: Item,
    K: Item + Eq + Hash,
    A: Item,
    G: Fn(&T) -> K + Send + Sync + 'static,
    F: Fn(A, T) -> A + Send + Sync + 'static,
    C: Fn(A, A) -> A + Send + Sync + 'static,
{
    /// A value is absent only while a user's function has it.
    type Acc = Groups<K, Option<A>>;
    type Answer = Partition<(K, A)>;
    const TAKES: Takes = Takes::Owned;

    fn label(&self) -> Cow<'static, str> {
        "fold_by".into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.identity.enter::<(G, F, C)>("bag.fold_by/1", tokenizer);
    }

    fn start(&self) -> Self::Acc {
        Groups::default()
    }

    fn look(&self, acc: &mut Self::Acc, item: &T) -> Flow {
        self.take(acc, item.clone())
    }

    fn take(&self, acc: &mut Self::Acc, item: T) -> Flow {
        let key = (self.key)(&item);
        acc.with(
            key,
            || Some(self.init.clone()),
            |value| *value = value.take().map(|value| (self.function)(value, item)),
        );
        Flow::Continue(())
    }

    fn merge(&self, acc: &mut Self::Acc, later: Self::Acc) {
        acc.combine(later, &self.combine);
    }

    fn finish(&self, acc: Self::Acc) -> Result<Self::Answer, TaskError> {
        Ok(Partition::new(acc.into_present().collect()))
    }
}

/// The items of each key, in order.
pub(crate) struct GroupBy<G> {
    pub(crate) key: G,
    pub(crate) identity: FnIdentity,
    pub(crate) name: &'static str,
}

impl<T, K, G> Fold<T> for GroupBy<G>
where
    T: Item,
    K: Item + Eq + Hash,
    G: Fn(&T) -> K + Send + Sync + 'static,
{
    type Acc = Groups<K, Vec<T>>;
    type Answer = Partition<(K, Vec<T>)>;
    const TAKES: Takes = Takes::Owned;

    fn label(&self) -> Cow<'static, str> {
        self.name.into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.identity.enter::<G>("bag.group_by/1", tokenizer);
    }

    fn start(&self) -> Self::Acc {
        Groups::default()
    }

    fn look(&self, acc: &mut Self::Acc, item: &T) -> Flow {
        self.take(acc, item.clone())
    }

    fn take(&self, acc: &mut Self::Acc, item: T) -> Flow {
        acc.with((self.key)(&item), Vec::new, |items| items.push(item));
        Flow::Continue(())
    }

    fn merge(&self, acc: &mut Self::Acc, later: Self::Acc) {
        acc.merge(later, |items, mut later| items.append(&mut later));
    }

    fn finish(&self, acc: Self::Acc) -> Result<Self::Answer, TaskError> {
        Ok(Partition::new(acc.into_pairs().collect()))
    }
}
