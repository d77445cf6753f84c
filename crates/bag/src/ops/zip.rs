//! Items of two bags side by side.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use musher_graph_core::{Collection, Facts, Grid, Layer, Place, Port, TaskError, Tokenizer, Wiring};

use crate::bag::Bag;
use crate::drain::{Collect, Drain};
use crate::error::Error;
use crate::origin::Origin;
use crate::partition::Partition;
use crate::pipe::{Feed, Flow, Item, Pipe, Rewire, Selection, Upstream};

impl<T: Item> Bag<T> {
    /// Pairs of the items of two bags, partition by partition.
    ///
    /// **Cost** one pass; the two partitions are in memory together.
    ///
    /// # Errors
    /// When it is computed: [`Error::Lengths`] where two partitions differ in length.
    ///
    /// # Panics
    /// If the bags differ in their number of partitions; [`try_zip`](Bag::try_zip) gives an error then.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let pairs = Bag::from_sequence(0..3, 2).zip(&Bag::from_sequence(["a", "b", "c"], 2));
    /// assert_eq!(pairs.compute()?, [(0, "a"), (1, "b"), (2, "c")]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn zip<U: Item>(&self, other: &Bag<U>) -> Bag<(T, U)> {
        match self.try_zip(other) {
            Ok(pairs) => pairs,
            Err(error) => panic!("{error}"),
        }
    }

    /// The fallible twin of [`zip`](Bag::zip).
    ///
    /// # Errors
    /// [`Error::Partitions`] if the bags differ in their number of partitions, and what `zip` says of computing.
    #[track_caller]
    pub fn try_zip<U: Item>(&self, other: &Bag<U>) -> Result<Bag<(T, U)>, Error> {
        let (left, right) = (self.n_partitions(), other.n_partitions());
        if left != right {
            return Err(Error::Partitions { left, right });
        }
        let origin = Origin::new("zip");
        let pipe: Zip<T, U> =
            Zip { left: 0, right: 1, selection: Selection::default(), origin, items: PhantomData };
        let layer = Layer::build(Drain::new(Upstream::Pipe(Arc::new(pipe)), Collect::<(T, U)>::of(None)))
            .input(self.port(), Wiring::one_to_one(1))
            .input(other.port(), Wiring::one_to_one(1));
        Ok(Bag::from_port(Port::of(layer.finish(Grid::from([left])))))
    }
}

/// Walks through two partitions at once; it reads chunks only, and takes no producer in.
struct Zip<T, U> {
    left: usize,
    right: usize,
    selection: Selection,
    origin: Origin,
    items: PhantomData<fn() -> (T, U)>,
}

impl<T: Item, U: Item> Pipe<(T, U)> for Zip<T, U> {
    fn owned(
        &self,
        feed: &mut Feed<'_, '_>,
        sink: &mut dyn FnMut((T, U)) -> Flow,
    ) -> Result<Flow, TaskError> {
        let left = feed.inputs.get::<Partition<T>>(self.left)?.items();
        let right = feed.inputs.get::<Partition<U>>(self.right)?.items();
        if left.len() != right.len() {
            let partition = self.selection.index(feed.at);
            let error = Error::Lengths { partition, left: left.len(), right: right.len() };
            return Err(self.origin.error(error));
        }
        Ok(left.iter().cloned().zip(right.iter().cloned()).try_for_each(sink))
    }

    fn labels(&self, into: &mut Vec<Cow<'static, str>>) {
        into.push(self.origin.label().into());
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("bag.zip/1");
    }

    fn depth(&self) -> usize {
        1
    }

    fn facts(&self, _at: Place<'_>) -> Facts {
        Facts::default()
    }

    fn rewired(&self, rewire: Rewire<'_>) -> Option<Arc<dyn Pipe<(T, U)>>> {
        let slots = match rewire {
            Rewire::Renumber { slots, .. } => slots,
            Rewire::Absorb(absorb) => absorb.consumer_slots,
        };
        // A slot that goes away is a producer to be taken in, which would have to be pulled.
        let slot = |old: usize| slots.get(old).copied().filter(|&new| new != usize::MAX);
        Some(Arc::new(Self {
            left: slot(self.left)?,
            right: slot(self.right)?,
            selection: self.selection.rewired(rewire),
            origin: self.origin,
            items: PhantomData,
        }))
    }
}
