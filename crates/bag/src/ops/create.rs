//! Bags of items that are there already, of numbers, and of delayed values.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use musher_graph_core::{
    ChunkRef, Collection, Delayed, Facts, FnTask, Forward, Grid, Held, Inputs, Layer, Place, Port, TaskError,
    Token, Tokenizer, Value, Wiring,
};

use crate::bag::{Bag, from_source};
use crate::kernel::ranges::even_ranges;
use crate::partition::Partition;
use crate::pipe::{Feed, Flow, Item, Pipe, Rewire, Selection, Upstream, push};

impl<T: Item> Bag<T> {
    /// The bag of these items, in `n_partitions` partitions that differ in length by at most one.
    ///
    /// Zero partitions count as one.
    ///
    /// **Cost** the items are moved once.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let names = Bag::from_sequence(["Ada", "Grace", "Mary"], 2);
    /// assert_eq!(names.n_partitions(), 2);
    /// assert_eq!(names.compute()?, ["Ada", "Grace", "Mary"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "from_iter")]
    pub fn from_sequence(items: impl IntoIterator<Item = T>, n_partitions: usize) -> Self {
        let items: Vec<T> = items.into_iter().collect();
        let ranges = even_ranges(items.len(), n_partitions);
        let mut items = items.into_iter();
        let chunk = |range: Range<usize>| -> ChunkRef {
            Arc::new(Partition::new(items.by_ref().take(range.len()).collect::<Vec<T>>()))
        };
        let chunks: Vec<ChunkRef> = ranges.into_iter().map(chunk).collect();
        let grid = Grid::from([chunks.len()]);
        Self::from_port(Port::of(Layer::build(Held::new("from_sequence", chunks, None)).finish(grid)))
    }

    /// The bag whose partitions are these delayed vectors, in order; none at all give one empty partition.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// use musher_graph_core::delayed;
    /// let parts = (0..3u64).map(|i| delayed(|i: u64| vec![i, 10 * i]).call(i));
    /// assert_eq!(Bag::from_delayed(parts).compute()?, [0, 0, 1, 10, 2, 20]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn from_delayed(parts: impl IntoIterator<Item = Delayed<Vec<T>>>) -> Self {
        let parts: Vec<_> = parts.into_iter().collect();
        if parts.is_empty() {
            return Self::from_sequence([], 1);
        }
        let grid = Grid::from([parts.len()]);
        let mut values = Layer::build(Forward::new("from_delayed"));
        for (index, part) in parts.iter().enumerate() {
            values = values.part(part.port(), &[index], &[1], Wiring::axes([]));
        }
        let values = Port::of(values.finish(grid.clone()));
        let unwrap = FnTask::new("from_delayed", |_at: Place<'_>, inputs: &mut Inputs<'_>| {
            if inputs.get::<Value<Vec<T>>>(0).is_ok() {
                let value = inputs.take::<Value<Vec<T>>>(0)?;
                let items = Arc::try_unwrap(value).map_or_else(|shared| shared.0.clone(), |own| own.0);
                return Ok(Partition::new(items));
            }
            // A measured value: what it is inside, its own collection knows.
            let chunk = Arc::clone(inputs.chunk(0)?);
            Ok(Partition::new(Delayed::<Vec<T>>::ready(Vec::new()).gather(vec![chunk])?))
        });
        Self::from_port(Port::of(Layer::build(unwrap).input(&values, Wiring::one_to_one(1)).finish(grid)))
    }

    /// The partitions of all these bags, in order; no bags at all give one empty partition.
    ///
    /// **Cost** none: partitions are handed on as they are.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let both = Bag::concat(&[Bag::from_sequence(0..2, 1), Bag::from_sequence(5..8, 2)]);
    /// assert_eq!(both.n_partitions(), 3);
    /// assert_eq!(both.compute()?, [0, 1, 5, 6, 7]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "chain")]
    pub fn concat(bags: &[Self]) -> Self {
        if bags.is_empty() {
            return Self::from_sequence([], 1);
        }
        let mut layer = Layer::build(Forward::new("concat"));
        let mut start = 0;
        for bag in bags {
            // A part counts places from its own start.
            layer = layer.part(bag.port(), &[start], &[bag.n_partitions()], Wiring::one_to_one(1));
            start += bag.n_partitions();
        }
        Self::from_port(Port::of(layer.finish(Grid::from([start]))))
    }
}

impl Bag<i64> {
    /// The bag of these numbers, in `n_partitions` partitions that differ in length by at most one.
    ///
    /// **Cost** nothing is stored: each task counts.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// assert_eq!(Bag::range(0..1_000_000, 8).sum().compute()?, 499_999_500_000);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn range(numbers: Range<i64>, n_partitions: usize) -> Self {
        let n_partitions = n_partitions.max(1);
        let pipe = Count { numbers, n_partitions, selection: Selection::default() };
        from_source(Upstream::Pipe(Arc::new(pipe)), n_partitions)
    }
}

/// Counts through one part of a range.
#[derive(Clone)]
struct Count {
    numbers: Range<i64>,
    n_partitions: usize,
    selection: Selection,
}

impl Count {
    /// The numbers of the partition at a place, as [`even_ranges`] cuts them.
    fn part(&self, at: Place<'_>) -> Range<i64> {
        // In 128 bits, because a range of `i64` may be longer than an `i64`.
        let (start, end) = (i128::from(self.numbers.start), i128::from(self.numbers.end));
        let (length, parts) = ((end - start).max(0), self.n_partitions as i128);
        let bound = |part: i128| (start + length / parts * part + part.min(length % parts)) as i64;
        let part = self.selection.index(at) as i128;
        bound(part)..bound(part + 1)
    }
}

impl Pipe<i64> for Count {
    fn owned(&self, feed: &mut Feed<'_, '_>, sink: &mut dyn FnMut(i64) -> Flow) -> Result<Flow, TaskError> {
        push(self.part(feed.at), sink)
    }

    fn labels(&self, into: &mut Vec<Cow<'static, str>>) {
        into.push("range".into());
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("bag.range/1");
        (self.numbers.start, self.numbers.end, self.n_partitions).token(tokenizer);
    }

    fn depth(&self) -> usize {
        1
    }

    fn facts(&self, at: Place<'_>) -> Facts {
        let part = self.part(at);
        let length = part.end.abs_diff(part.start);
        Facts::bytes(length.saturating_mul(8)).cost(length)
    }

    fn rewired(&self, rewire: Rewire<'_>) -> Option<Arc<dyn Pipe<i64>>> {
        Some(Arc::new(Self { selection: self.selection.rewired(rewire), ..self.clone() }))
    }
}
