//! One partition from one partition.

use std::borrow::Cow;
use std::marker::PhantomData;

use musher_graph_core::{TaskError, Tokenizer};

use crate::bag::Bag;
use crate::identity::FnIdentity;
use crate::pipe::{Feed, Flow, Item, Stage, Upstream};
use crate::site::Site;

impl<T: Item> Bag<T> {
    /// Applies `function` to all items of each partition at once.
    ///
    /// **Cost** one pass, fused; the items of a partition are in memory together.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let sums = Bag::from_sequence(1..=6, 2).map_partitions(|items: Vec<i32>| [items.iter().sum::<i32>()]);
    /// assert_eq!(sums.compute()?, [6, 15]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "glom")]
    pub fn map_partitions<I, F>(&self, function: F) -> Bag<I::Item>
    where
        I: IntoIterator + 'static,
        I::Item: Item,
        F: Fn(Vec<T>) -> I + Send + Sync + 'static,
    {
        self.staged(MapPartitions {
            function,
            site: Site::new("map_partitions"),
            identity: FnIdentity::of::<F>(),
            many: PhantomData,
        })
    }
}

struct MapPartitions<I, F> {
    function: F,
    site: Site,
    identity: FnIdentity,
    many: PhantomData<fn() -> I>,
}

impl<T, I, F> Stage<T, I::Item> for MapPartitions<I, F>
where
    T: Item,
    I: IntoIterator + 'static,
    I::Item: Item,
    F: Fn(Vec<T>) -> I + Send + Sync + 'static,
{
    fn label(&self) -> Cow<'static, str> {
        self.site.label().into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.identity.enter::<F>("bag.map_partitions/1", tokenizer);
    }

    fn owned(
        &self,
        source: &Upstream<T>,
        feed: &mut Feed<'_, '_>,
        sink: &mut dyn FnMut(I::Item) -> Flow,
    ) -> Result<Flow, TaskError> {
        let items = source.items(feed)?;
        let mut many = self.site.call(|| (self.function)(items).into_iter());
        while let Some(made) = self.site.call(|| many.next()) {
            if sink(made).is_break() {
                return Ok(Flow::Break(()));
            }
        }
        Ok(Flow::Continue(()))
    }
}
