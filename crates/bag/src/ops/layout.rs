//! The same items in other partitions, or some partitions only.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use musher_graph_core::{
    AxisMap, Chunk, ChunkRef, Codec, Collection, Delayed, FnTask, Grid, Inputs, Layer, Measure, Place, Port,
    TaskError, Token, Tokenizer, Value, Wiring,
};
use musher_scheduler::Compute;

use crate::bag::Bag;
use crate::drain::{Collect, Drain, Reduce, Takes};
use crate::fold::Fold;
use crate::kernel::ranges::even_ranges;
use crate::partition::Partition;
use crate::pipe::{Flow, Item, Upstream};

impl<T: Item> Bag<T> {
    /// The same items in another number of partitions, order kept.
    ///
    /// Fewer partitions are runs of the old ones; more are even cuts of them.
    /// Zero partitions count as one.
    ///
    /// **Cost** one pass; a task holds the old partitions that it reads and its own.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let bag = Bag::from_sequence(0..10, 4).repartition(3);
    /// assert_eq!(bag.n_partitions(), 3);
    /// assert_eq!(bag.compute()?, (0..10).collect::<Vec<_>>());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn repartition(&self, n_partitions: usize) -> Self {
        let (before, after) = (self.n_partitions(), n_partitions.max(1));
        if before == after {
            return self.clone();
        }
        // For each new partition: the old ones, and which of how many even cuts of them.
        let cuts: Vec<(Range<usize>, usize, usize)> = match after < before {
            true => even_ranges(before, after).into_iter().map(|old| (old, 0, 1)).collect(),
            false => even_ranges(after, before)
                .into_iter()
                .enumerate()
                .flat_map(|(old, new)| (0..new.len()).map(move |cut| (old..old + 1, cut, new.len())))
                .collect(),
        };
        let ranges = cuts.iter().map(|(old, ..)| (old.start as u32, old.end as u32)).collect();
        let task = FnTask::new("repartition", move |at: Place<'_>, inputs: &mut Inputs<'_>| {
            let (_, cut, of) = &cuts[at.index()];
            repartitioned::<T>(inputs, *cut, *of)
        })
        .params("bag.repartition/1", &(before, after));
        let layer =
            Layer::build(task).input(self.port(), Wiring::axes([AxisMap::Ranges { axis: 0, ranges }]));
        Self::from_port(Port::of(layer.finish(Grid::from([after])))).recoded(self.coding)
    }

    /// Some of the partitions, by their numbers.
    ///
    /// **Cost** only these partitions are computed.
    ///
    /// # Panics
    /// If the range is empty or reaches beyond the last partition.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// assert_eq!(Bag::from_sequence(0..10, 5).partitions(1..3).compute()?, [2, 3, 4, 5]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn partitions(&self, range: Range<usize>) -> Self {
        let n = self.n_partitions();
        assert!(range.start < range.end && range.end <= n, "partitions {range:?} of a bag that has {n}");
        let wiring = Wiring::axes([AxisMap::Affine { axis: 0, start: range.start as isize, step: 1 }]);
        let task = Drain::new(Upstream::Slot(0), Collect::of(self.coding));
        Self::from_port(Port::of(
            Layer::build(task).input(self.port(), wiring).finish(Grid::from([range.len()])),
        ))
        .with_coding(self.coding)
    }

    /// The first `n` items, as a bag of one partition.
    ///
    /// **Cost** each partition stops after its first `n` items. [`head`](Bag::head) runs no more partitions than it needs.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// assert_eq!(Bag::from_sequence(0..10, 5).take(3).compute()?, [0, 1, 2]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn take(&self, n: usize) -> Self {
        Self::from_port(self.folded(Take { n }, Grid::from([1]))).recoded(self.coding)
    }

    /// The first `n` items, computed now from the first partition, then from two more, four more, until there are enough.
    ///
    /// **Cost** the first `n` items, in the partitions that hold them; those after the first `n` are not made where the
    /// operations are fused.
    ///
    /// # Errors
    /// Those of computing the partitions that are looked at.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let numbers = Bag::range(0..1_000_000_000_000, 1_000_000).map(|x| x * x);
    /// assert_eq!(numbers.head(3)?, [0, 1, 4]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn head(&self, n: usize) -> Result<Vec<T>, musher_scheduler::Error> {
        let (mut items, mut start, mut count) = (Vec::new(), 0, 1);
        while items.len() < n && start < self.n_partitions() {
            let end = (start + count).min(self.n_partitions());
            items.extend(self.partitions(start..end).take(n - items.len()).compute()?);
            (start, count) = (end, count * 2);
        }
        Ok(items)
    }

    /// Each partition as a delayed vector.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// use musher_graph_core::delayed;
    /// let parts = Bag::from_sequence(0..5, 2).to_delayed();
    /// let lengths = parts.iter().map(|part| delayed(|items: &Vec<i32>| items.len()).call(part));
    /// assert_eq!(lengths.map(|length| length.compute().unwrap()).collect::<Vec<_>>(), [3, 2]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn to_delayed(&self) -> Vec<Delayed<Vec<T>>> {
        let mut parts = Vec::with_capacity(self.n_partitions());
        for index in 0..self.n_partitions() {
            let task = Drain::new(Upstream::<T>::Slot(0), ToValue);
            let layer = Layer::build(task).input(self.port(), Wiring::axes([AxisMap::Fixed(index)]));
            parts.push(Delayed::from_port(Port::of(layer.finish(Grid::scalar()))));
        }
        parts
    }

    /// The same items, whose partitions know how many bytes they hold.
    ///
    /// The memory limit then holds for them. Without it items that own memory are measured only where they are of a common
    /// type ([`Coder::known`](musher_graph_core::Coder::known)) or [`encoded`](Bag::encoded).
    ///
    /// **Cost** a look at each item, fused.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let texts = Bag::from_sequence([Some("a".to_string()), None], 1).measured();
    /// assert_eq!(texts.count().compute()?, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn measured(&self) -> Self
    where
        T: Measure,
    {
        let task = Drain::new(Upstream::Slot(0), Collect::measured(self.coding));
        Self::from_port(self.layer(task)).with_coding(self.coding)
    }
}

/// Cut number `cut` of `of` even cuts of the items of all input partitions.
fn repartitioned<T: Item>(inputs: &mut Inputs<'_>, cut: usize, of: usize) -> Result<Partition<T>, TaskError> {
    if of > 1 {
        let items = inputs.get::<Partition<T>>(0)?.items();
        let range = even_ranges(items.len(), of)[cut].clone();
        return Ok(Partition::new(items[range].to_vec()));
    }
    let mut items = Vec::new();
    for index in 0..inputs.len() {
        match Arc::try_unwrap(inputs.take::<Partition<T>>(index)?) {
            Ok(own) => items.extend(own.into_items()),
            Err(shared) => items.extend_from_slice(shared.items()),
        }
    }
    Ok(Partition::new(items))
}

/// The first `n` items.
struct Take {
    n: usize,
}

impl<T: Item> Fold<T> for Take {
    type Acc = Vec<T>;
    type Answer = Partition<T>;
    const TAKES: Takes = Takes::OwnedUnlessLent;

    fn label(&self) -> Cow<'static, str> {
        "take".into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("bag.take/1");
        self.n.token(tokenizer);
    }

    fn start(&self) -> Vec<T> {
        Vec::new()
    }

    fn look(&self, acc: &mut Vec<T>, item: &T) -> Flow {
        match acc.len() < self.n {
            true => self.take(acc, item.clone()),
            false => Flow::Break(()),
        }
    }

    fn take(&self, acc: &mut Vec<T>, item: T) -> Flow {
        if acc.len() < self.n {
            acc.push(item);
        }
        match acc.len() < self.n {
            true => Flow::Continue(()),
            false => Flow::Break(()),
        }
    }

    fn merge(&self, acc: &mut Vec<T>, later: Vec<T>) {
        acc.extend(later.into_iter().take(self.n - acc.len()));
    }

    fn finish(&self, acc: Vec<T>) -> Result<Partition<T>, TaskError> {
        Ok(Partition::new(acc))
    }
}

/// The items as a delayed value.
struct ToValue;

impl<T: Item> Reduce<T> for ToValue {
    type Acc = Vec<T>;
    const TAKES: Takes = Takes::Owned;

    fn label(&self) -> Option<Cow<'static, str>> {
        Some("to_delayed".into())
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("bag.to_delayed/1");
    }

    fn start(&self) -> Vec<T> {
        Vec::new()
    }

    fn look(&self, acc: &mut Vec<T>, item: &T) -> Flow {
        self.take(acc, item.clone())
    }

    fn take(&self, acc: &mut Vec<T>, item: T) -> Flow {
        acc.push(item);
        Flow::Continue(())
    }

    fn finish(&self, acc: Vec<T>) -> Result<ChunkRef, TaskError> {
        Ok(Arc::new(Value(acc)))
    }

    fn codec(&self) -> Option<&'static dyn Codec> {
        Value::<Vec<T>>::codec_of()
    }
}
