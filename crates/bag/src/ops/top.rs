//! The greatest items.

use std::borrow::Cow;
use std::cmp::Ordering;

use musher_graph_core::{FnIdentity, Grid, TaskError, Token, Tokenizer};

use crate::bag::Bag;
use crate::drain::Takes;
use crate::fold::Fold;
use crate::kernel::top::Top;
use crate::partition::Partition;
use crate::pipe::{Flow, Item};

impl<T: Item> Bag<T> {
    /// The `k` greatest items, greatest first, the earlier first among equals, as a bag of one partition.
    ///
    /// **Cost** one pass, fused; 2 `k` items for each partition.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// assert_eq!(Bag::from_sequence([10, 3, 5, 7], 2).topk(2).compute()?, [10, 7]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "top_k")]
    #[doc(alias = "nlargest")]
    pub fn topk(&self, k: usize) -> Self
    where
        T: Ord,
    {
        self.topk_by(k, T::cmp)
    }

    /// The `k` items with the greatest keys, greatest first, the earlier first among equals.
    ///
    /// **Cost** that of [`topk`](Bag::topk); the key of an item is computed for each comparison.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let words = Bag::from_sequence(["to", "be", "or", "not"], 2).frequencies();
    /// assert_eq!(words.topk_by_key(1, |pair| pair.0.len()).compute()?, [("not", 1)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn topk_by_key<K, F>(&self, k: usize, key: F) -> Self
    where
        K: Ord,
        F: Fn(&T) -> K + Send + Sync + 'static,
    {
        let identity = FnIdentity::of::<F>();
        let compare = move |left: &T, right: &T| key(left).cmp(&key(right));
        self.top(k, compare, move |tokenizer| identity.enter::<F>("bag.topk_by_key/1", tokenizer))
    }

    /// The `k` greatest items as `compare` orders them, greatest first, the earlier first among equals.
    ///
    /// **Cost** that of [`topk`](Bag::topk).
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// assert_eq!(Bag::from_sequence([0.5, 2.5, 1.5], 2).topk_by(1, f64::total_cmp).compute()?, [2.5]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn topk_by<F>(&self, k: usize, compare: F) -> Self
    where
        F: Fn(&T, &T) -> Ordering + Send + Sync + 'static,
    {
        let identity = FnIdentity::of::<F>();
        self.top(k, compare, move |tokenizer| identity.enter::<F>("bag.topk/1", tokenizer))
    }

    #[track_caller]
    fn top(
        &self,
        k: usize,
        compare: impl Fn(&T, &T) -> Ordering + Send + Sync + 'static,
        token: impl Fn(&mut Tokenizer) + Send + Sync + 'static,
    ) -> Self {
        Self::from_port(self.folded(Greatest { k, compare, token }, Grid::from([1]))).recoded(self.coding)
    }
}

struct Greatest<F, G> {
    k: usize,
    compare: F,
    token: G,
}

impl<T, F, G> Fold<T> for Greatest<F, G>
where
    T: Item,
    F: Fn(&T, &T) -> Ordering + Send + Sync + 'static,
    G: Fn(&mut Tokenizer) + Send + Sync + 'static,
{
    type Acc = Top<T>;
    type Answer = Partition<T>;
    const TAKES: Takes = Takes::OwnedUnlessLent;

    fn label(&self) -> Cow<'static, str> {
        "topk".into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        (self.token)(tokenizer);
        self.k.token(tokenizer);
    }

    fn start(&self) -> Top<T> {
        Top::new(self.k)
    }

    fn look(&self, acc: &mut Top<T>, item: &T) -> Flow {
        if acc.wants(item, &self.compare) {
            acc.push(item.clone(), &self.compare);
        }
        Flow::Continue(())
    }

    fn take(&self, acc: &mut Top<T>, item: T) -> Flow {
        if acc.wants(&item, &self.compare) {
            acc.push(item, &self.compare);
        }
        Flow::Continue(())
    }

    fn merge(&self, acc: &mut Top<T>, later: Top<T>) {
        acc.merge(later, &self.compare);
    }

    fn finish(&self, acc: Top<T>) -> Result<Partition<T>, TaskError> {
        Ok(Partition::new(acc.into_items(&self.compare)))
    }
}
