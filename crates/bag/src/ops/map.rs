//! One item from one item.

use std::error::Error as StdError;

use musher_graph_core::TaskError;

use crate::bag::Bag;
use crate::pipe::{Flow, Item};

impl<T: Item> Bag<T> {
    /// Applies `function` to each item.
    ///
    /// **Cost** one pass, fused with the operations before and after it. An item is moved into `function` where nobody else
    /// holds its partition, else cloned; where it is only looked at, [`map_ref`](Bag::map_ref) spares that.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let lengths = Bag::from_sequence(["a", "bcd"], 2).map(str::len);
    /// assert_eq!(lengths.compute()?, [1, 3]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn map<U: Item, F>(&self, function: F) -> Bag<U>
    where
        F: Fn(T) -> U + Send + Sync + 'static,
    {
        self.stage_fn("map", "bag.map/1", function, |function, source, feed, sink| {
            source.owned(feed, &mut |item| sink(function.by(|function| function(item))))
        })
    }

    /// Applies `function` to a reference to each item.
    ///
    /// **Cost** one pass, fused; no item is copied, and a line of text is not even stored.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let lengths = Bag::from_sequence(["a".to_string(), "bcd".to_string()], 2).map_ref(String::len);
    /// assert_eq!(lengths.compute()?, [1, 3]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn map_ref<U: Item, F>(&self, function: F) -> Bag<U>
    where
        F: Fn(&T) -> U + Send + Sync + 'static,
    {
        self.stage_fn("map", "bag.map_ref/1", function, |function, source, feed, sink| {
            source.lent(feed, &mut |item| sink(function.by(|function| function(item))))
        })
    }

    /// Applies a function that may fail to each item; the first error fails the run.
    ///
    /// Its error may be of any error type, boxed ones and those of `anyhow` among them, or a text.
    ///
    /// **Cost** that of [`map`](Bag::map).
    ///
    /// # Errors
    /// When it is computed: the error of the first item, of some partition, for which `function` fails; it is the `source()` of
    /// the run's error, which names the operation, the partition and the line of this call.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let numbers = Bag::from_sequence(["1", "2"], 1).try_map(str::parse::<i64>);
    /// assert_eq!(numbers.sum().compute()?, 3);
    /// assert!(Bag::from_sequence(["1", "two"], 1).try_map(str::parse::<i64>).compute().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn try_map<U: Item, E, F>(&self, function: F) -> Bag<U>
    where
        E: Into<Box<dyn StdError + Send + Sync>> + 'static,
        F: Fn(T) -> Result<U, E> + Send + Sync + 'static,
    {
        self.stage_fn("try_map", "bag.try_map/1", function, |function, source, feed, sink| {
            let mut failure = None;
            let flow = source.owned(feed, &mut |item| match function.by(|function| function(item)) {
                Ok(made) => sink(made),
                Err(error) => {
                    failure = Some(error);
                    Flow::Break(())
                }
            })?;
            match failure {
                Some(error) => Err(function.error(TaskError::from_boxed(error.into()))),
                None => Ok(flow),
            }
        })
    }
}

impl<A: Item, B: Item> Bag<(A, B)> {
    /// The first half of each pair.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// assert_eq!(Bag::from_sequence([(1, 'a'), (2, 'b')], 1).first().compute()?, [1, 2]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "pluck")]
    #[doc(alias = "unzip")]
    pub fn first(&self) -> Bag<A> {
        self.map_ref(|pair| pair.0.clone())
    }

    /// The second half of each pair.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// assert_eq!(Bag::from_sequence([(1, 'a'), (2, 'b')], 1).second().compute()?, ['a', 'b']);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "pluck")]
    #[doc(alias = "unzip")]
    pub fn second(&self) -> Bag<B> {
        self.map_ref(|pair| pair.1.clone())
    }
}
