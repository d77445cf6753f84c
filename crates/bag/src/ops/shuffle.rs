//! Equal items and equal keys brought together in many partitions, none of which holds all of them.
//!
//! Each is a local step, a shuffle of what is left by the hash of its key, and a second local step. The operations
//! without `_into` end in one partition instead, and give the order of first appearance over all of them.

use std::borrow::Cow;
use std::hash::Hash;
use std::sync::Arc;

use musher_graph_core::{Coder, FnIdentity, Scatter, TaskError, Tokenizer};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bag::Bag;
use crate::coding::Coding;
use crate::drain::Takes;
use crate::fold::Fold;
use crate::kernel::groups::Groups;
use crate::ops::groups::{FoldBy, GroupBy, distinct, frequencies};
use crate::partition::Partition;
use crate::pipe::{Flow, Item};

impl<T: Item> Bag<T> {
    /// The same items, which can leave memory by what serde knows of their type.
    ///
    /// Its partitions may then be spilled and kept by a checkpoint, and its items may wait on disk where an operation moves
    /// them between partitions. It holds for all operations that give items of the same type. Items of common types
    /// ([`Coder::known`](musher_graph_core::Coder::known)) need it not: numbers, text, JSON, vectors, options and pairs of
    /// these.
    ///
    /// **Cost** where items own memory, one look at each, to measure them. What cannot be read back exactly (skipped fields,
    /// untagged enums) ends the run with [`Unfit`](musher_graph_core::Unfit).
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let bag = Bag::from_sequence([("a", 1), ("b", 2)].map(|(name, n)| (name.to_owned(), vec![n])), 2);
    /// let moved = bag.encoded().shuffle_by(4, |item| item.0.clone());
    /// assert_eq!(moved.count().compute()?, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "spillable")]
    pub fn encoded(&self) -> Self
    where
        T: Serialize + DeserializeOwned,
    {
        let coding = Some(Coding::serde());
        match Coder::<T>::known() {
            // Its partitions can leave memory as they are.
            Some(_) => self.clone().with_coding(coding),
            None => self.clone().recoded(coding),
        }
    }

    /// The same items in `n_partitions` partitions, those with equal keys in one.
    ///
    /// Which one depends on the key's hash alone ([`Scatter`]), the same in every process. Within a partition the items
    /// keep their order.
    ///
    /// **Cost** one pass all to all: tasks and edges grow with the *sum* of old and new partitions. The pieces wait on
    /// disk if they do not fit in memory and can be written, see [`encoded`](Bag::encoded).
    ///
    /// # Panics
    /// If `n_partitions` is 0.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let bag = Bag::from_sequence(0..100, 4).shuffle_by(3, |x| x % 10);
    /// // All items of a key are in one partition, in order.
    /// let sevens = bag.map_partitions(|items: Vec<i32>| vec![items.iter().filter(|x| *x % 10 == 7).count()]);
    /// assert_eq!(sevens.max().compute()?, Some(10));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[must_use]
    #[doc(alias = "partition_by")]
    #[doc(alias = "dask.dataframe.DataFrame.shuffle")]
    pub fn shuffle_by<K, G>(&self, n_partitions: usize, key: G) -> Self
    where
        K: Hash,
        G: Fn(&T) -> K + Send + Sync + 'static,
    {
        let identity = FnIdentity::of::<G>();
        let target = move |item: &T, scatter: &mut Scatter| scatter.target_of(&key(item));
        self.shuffled("shuffle_by", n_partitions, None, Some(identity), target)
    }

    /// The items of each key, as a bag of `n_partitions` partitions, each key in one.
    ///
    /// The items of a key stand in order. Within a partition the keys stand in the order of first appearance; over all
    /// partitions they do not, unlike in [`group_by`](Bag::group_by), which ends in one partition.
    ///
    /// **Cost** that of [`shuffle_by`](Bag::shuffle_by); the key of an item is computed twice. A task holds one partition's
    /// groups.
    ///
    /// # Panics
    /// If `n_partitions` is 0.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let groups = Bag::from_sequence(1..=5, 2).group_by_into(8, |x| x % 2 == 0);
    /// assert_eq!(groups.n_partitions(), 8);
    /// let mut groups = groups.compute()?;
    /// groups.sort();
    /// assert_eq!(groups, [(false, vec![1, 3, 5]), (true, vec![2, 4])]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "dask.bag.Bag.groupby")]
    pub fn group_by_into<K, G>(&self, n_partitions: usize, key: G) -> Bag<(K, Vec<T>)>
    where
        K: Item + Eq + Hash,
        G: Fn(&T) -> K + Send + Sync + 'static,
    {
        let identity = FnIdentity::of::<G>();
        let key = Arc::new(key);
        let target = {
            let key = Arc::clone(&key);
            move |item: &T, scatter: &mut Scatter| scatter.target_of(&key(item))
        };
        let moved = self.shuffled("group_by_into", n_partitions, None, Some(identity), target);
        moved.folded_locally(GroupBy { key: move |item: &T| key(item), identity, name: "group_by_into" })
    }

    /// Folds the items of each key, as a bag of `n_partitions` partitions, each key in one.
    ///
    /// `init`, `function` and `combine` are those of [`fold`](Bag::fold), for each key. Keys stand as in
    /// [`group_by_into`](Bag::group_by_into).
    ///
    /// **Cost** one pass, fused, then a shuffle of one value for each key and old partition, in memory.
    ///
    /// # Panics
    /// If `n_partitions` is 0.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let sums = Bag::range(0..1000, 100).fold_by_into(4, |x| x % 100, 0, |sum, x| sum + x, |a, b| a + b);
    /// assert_eq!(sums.count().compute()?, 100);
    /// assert_eq!(sums.map(|pair| pair.1).sum().compute()?, 499_500);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "foldby")]
    pub fn fold_by_into<K, A, G, F, C>(
        &self,
        n_partitions: usize,
        key: G,
        init: A,
        function: F,
        combine: C,
    ) -> Bag<(K, A)>
    where
        K: Item + Eq + Hash,
        A: Item,
        G: Fn(&T) -> K + Send + Sync + 'static,
        F: Fn(A, T) -> A + Send + Sync + 'static,
        C: Fn(A, A) -> A + Send + Sync + 'static,
    {
        let identity = FnIdentity::fresh();
        let combine = Arc::new(combine);
        let local = {
            let combine = Arc::clone(&combine);
            let combine = move |a, b| combine(a, b);
            self.folded_locally(FoldBy { key, init, function, combine, identity })
        };
        local.pairs_joined("fold_by_into", n_partitions, None, Some(identity), move |a, b| combine(a, b))
    }

    /// How often each distinct item occurs, as a bag of `n_partitions` partitions.
    ///
    /// Items stand as the keys of [`group_by_into`](Bag::group_by_into).
    ///
    /// **Cost** that of [`fold_by_into`](Bag::fold_by_into); counts of numbers, text and [`encoded`](Bag::encoded)
    /// items may wait on disk.
    ///
    /// # Panics
    /// If `n_partitions` is 0.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let counts = Bag::from_sequence(["b", "a", "b"], 2).frequencies_into(3);
    /// assert_eq!(counts.topk_by_key(1, |pair| pair.1).compute()?, [("b", 2)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "dask.bag.Bag.frequencies")]
    pub fn frequencies_into(&self, n_partitions: usize) -> Bag<(T, u64)>
    where
        T: Eq + Hash,
    {
        let add = |a: u64, b: u64| a + b;
        let counts: Bag<(T, u64)> = self.folded_locally(frequencies());
        counts.pairs_joined("frequencies_into", n_partitions, Coding::counted(self.coding), None, add)
    }

    /// The distinct items, as a bag of `n_partitions` partitions.
    ///
    /// Items stand as the keys of [`group_by_into`](Bag::group_by_into).
    ///
    /// **Cost** one pass, fused, then a shuffle of the distinct items of each partition; see
    /// [`encoded`](Bag::encoded).
    ///
    /// # Panics
    /// If `n_partitions` is 0.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// assert_eq!(Bag::from_sequence([3, 1, 3, 2], 2).distinct_into(5).count().compute()?, 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "dask.bag.Bag.distinct")]
    pub fn distinct_into(&self, n_partitions: usize) -> Self
    where
        T: Eq + Hash,
    {
        let target = |item: &T, scatter: &mut Scatter| scatter.target_of(item);
        let local = self.folded_locally::<T>(distinct()).with_coding(self.coding);
        let moved = local.shuffled("distinct_into", n_partitions, None, None, target);
        moved.folded_locally(distinct()).recoded(self.coding)
    }
}

impl<K: Item + Eq + Hash, A: Item> Bag<(K, A)> {
    /// One value for each key, joined from those of all partitions, in new partitions.
    #[track_caller]
    fn pairs_joined<C>(
        &self,
        label: &'static str,
        n: usize,
        coder: Option<Coder<(K, A)>>,
        identity: Option<FnIdentity>,
        combine: C,
    ) -> Self
    where
        C: Fn(A, A) -> A + Send + Sync + 'static,
    {
        let target = |pair: &(K, A), scatter: &mut Scatter| scatter.target_of(&pair.0);
        // Where a pair goes stands on its key alone, whatever joins the values.
        let moved = self.shuffled(label, n, coder, None, target);
        moved.folded_locally(Joined { combine, identity, label })
    }
}

/// Joins the values of each key.
struct Joined<C> {
    combine: C,
    /// What `combine` stands on; none where the label says it all.
    identity: Option<FnIdentity>,
    label: &'static str,
}

impl<K, A, C> Fold<(K, A)> for Joined<C>
where
    K: Item + Eq + Hash,
    A: Item,
    C: Fn(A, A) -> A + Send + Sync + 'static,
{
    /// A value is absent only while a user's function has it.
    type Acc = Groups<K, Option<A>>;
    type Answer = Partition<(K, A)>;
    const TAKES: Takes = Takes::Owned;

    fn label(&self) -> Cow<'static, str> {
        self.label.into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        match &self.identity {
            Some(identity) => identity.enter::<C>("bag.joined/1", tokenizer),
            None => tokenizer.name(self.label),
        }
    }

    fn start(&self) -> Self::Acc {
        Groups::default()
    }

    fn look(&self, acc: &mut Self::Acc, item: &(K, A)) -> Flow {
        self.take(acc, item.clone())
    }

    fn take(&self, acc: &mut Self::Acc, (key, value): (K, A)) -> Flow {
        let join = |known: &mut Option<A>| {
            *known = Some(match known.take() {
                Some(known) => (self.combine)(known, value),
                None => value,
            });
        };
        acc.with(key, || None, join);
        Flow::Continue(())
    }

    fn merge(&self, acc: &mut Self::Acc, later: Self::Acc) {
        acc.combine(later, &self.combine);
    }

    fn finish(&self, acc: Self::Acc) -> Result<Self::Answer, TaskError> {
        Ok(Partition::new(acc.into_present().collect()))
    }
}
