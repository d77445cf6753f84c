//! To a bag: one-dimensional arrays.

use musher_array::ndarray::{Array1, Ix1};
use musher_array::{Array, Element};
use musher_bag::Bag;
use musher_graph_core::delayed;

/// Collections that can become a bag.
pub trait ToBag {
    /// What the bag's records are.
    type Item;

    /// The lazy bag of this collection's records, one partition for each chunk.
    fn to_bag(&self) -> Bag<Self::Item>;
}

impl<A: Element> ToBag for Array<A, Ix1> {
    type Item = A;

    /// # Examples
    /// ```
    /// use musher::prelude::*;
    /// let numbers = Array::arange(0, 10, 1, 4).to_bag();
    /// assert_eq!(numbers.filter(|number: &i64| number % 3 == 0).compute()?, [0, 3, 6, 9]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    fn to_bag(&self) -> Bag<A> {
        fn records<A: Element>(block: Array1<A>) -> Vec<A> {
            block.into_iter().collect()
        }
        let blocks = self.to_delayed().into_iter();
        Bag::from_delayed(blocks.map(|block| delayed(records::<A>).label("to_bag").call(block)))
    }
}
