//! One partition from one partition.

use crate::bag::Bag;
use crate::pipe::Item;

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
        self.stage_fn("map_partitions", "bag.map_partitions/1", function, |function, source, feed, sink| {
            let items = source.items(feed)?;
            Ok(function.many(|function| function(items), sink))
        })
    }
}
