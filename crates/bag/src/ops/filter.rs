//! Some of the items.

use std::borrow::Cow;
use std::sync::Arc;

use musher_graph_core::{Facts, FnIdentity, Place, TaskError, Token, Tokenizer, Touch};

use crate::bag::Bag;
use crate::origin::Origin;
use crate::pipe::{Feed, Flow, Item, Pipe, Rewire, Selection, Stage, Upstream, opaque};

impl<T: Item> Bag<T> {
    /// The items for which `predicate` holds.
    ///
    /// **Cost** one pass, fused; only items that are kept are ever copied.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// assert_eq!(Bag::from_sequence(0..6, 2).filter(|x| x % 2 == 0).compute()?, [0, 2, 4]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn filter<F>(&self, predicate: F) -> Self
    where
        F: Fn(&T) -> bool + Send + Sync + 'static,
    {
        self.staged(Filter {
            predicate,
            wanted: true,
            origin: Origin::new("filter"),
            identity: FnIdentity::of::<F>(),
        })
    }

    /// The items for which `predicate` does not hold.
    ///
    /// **Cost** that of [`filter`](Bag::filter).
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// assert_eq!(Bag::from_sequence(0..6, 2).remove(|x| x % 2 == 0).compute()?, [1, 3, 5]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn remove<F>(&self, predicate: F) -> Self
    where
        F: Fn(&T) -> bool + Send + Sync + 'static,
    {
        self.staged(Filter {
            predicate,
            wanted: false,
            origin: Origin::new("remove"),
            identity: FnIdentity::of::<F>(),
        })
    }

    /// Applies `function` to each item and keeps what is not `None`.
    ///
    /// **Cost** one pass, fused.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let numbers = Bag::from_sequence(["1", "x", "3"], 2).filter_map(|text| text.parse::<i64>().ok());
    /// assert_eq!(numbers.compute()?, [1, 3]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn filter_map<U: Item, F>(&self, function: F) -> Bag<U>
    where
        F: Fn(T) -> Option<U> + Send + Sync + 'static,
    {
        self.stage_fn("filter_map", "bag.filter_map/1", function, |function, source, feed, sink| {
            source.owned(feed, &mut |item| match function.by(|function| function(item)) {
                Some(made) => sink(made),
                None => Flow::Continue(()),
            })
        })
    }

    /// A random sample of about this fraction of the items, each chosen independently.
    ///
    /// Whether an item is taken depends on `seed`, its partition and its position there only.
    ///
    /// **Cost** one pass, fused.
    ///
    /// # Panics
    /// If `fraction` is not from 0 to 1.
    ///
    /// # Examples
    /// ```
    /// use musher_bag::{Bag, prelude::*};
    /// let some = Bag::range(0..10_000, 4).random_sample(0.1, 7).count().compute()?;
    /// assert!((800..1200).contains(&some));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// **Source** SplitMix64: G. L. Steele, D. Lea and C. H. Flood, *OOPSLA* 2014, 453.
    #[track_caller]
    #[doc(alias = "sample")]
    pub fn random_sample(&self, fraction: f64, seed: u64) -> Self {
        assert!((0.0..=1.0).contains(&fraction), "random_sample: the fraction {fraction} is not from 0 to 1");
        let pipe = Sample { source: Upstream::Slot(0), fraction, seed, selection: Selection::default() };
        self.piped(Upstream::Pipe(Arc::new(pipe)))
    }
}

struct Filter<F> {
    predicate: F,
    wanted: bool,
    origin: Origin,
    identity: FnIdentity,
}

impl<T: Item, F: Fn(&T) -> bool + Send + Sync + 'static> Stage<T, T> for Filter<F> {
    fn label(&self) -> Cow<'static, str> {
        self.origin.label().into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.identity.enter::<F>("bag.filter/1", tokenizer);
        self.wanted.token(tokenizer);
    }

    fn owned(
        &self,
        source: &Upstream<T>,
        feed: &mut Feed<'_, '_>,
        sink: &mut dyn FnMut(T) -> Flow,
    ) -> Result<Flow, TaskError> {
        // What a source lends is copied only when it is kept.
        if source.lends(feed) {
            return self.lent(source, feed, &mut |item| sink(item.clone()));
        }
        source.owned(feed, &mut |item| match self.origin.call(|| (self.predicate)(&item)) == self.wanted {
            true => sink(item),
            false => Flow::Continue(()),
        })
    }

    fn lent(
        &self,
        source: &Upstream<T>,
        feed: &mut Feed<'_, '_>,
        sink: &mut dyn FnMut(&T) -> Flow,
    ) -> Result<Flow, TaskError> {
        source.lent(feed, &mut |item| match self.origin.call(|| (self.predicate)(item)) == self.wanted {
            true => sink(item),
            false => Flow::Continue(()),
        })
    }

    fn lends(&self, source: &Upstream<T>, feed: &Feed<'_, '_>) -> bool {
        source.lends(feed)
    }
}

/// Lets through what its die chooses; a pipe of its own, because the die depends on the partition's number.
#[derive(Clone)]
struct Sample<T> {
    source: Upstream<T>,
    fraction: f64,
    seed: u64,
    selection: Selection,
}

impl<T> Sample<T> {
    /// The die of one partition: whether each next item is taken.
    fn die(&self, at: Place<'_>) -> impl FnMut() -> bool + use<T> {
        let stream = mix(mix(self.seed) ^ self.selection.index(at) as u64);
        let (fraction, mut position) = (self.fraction, 0u64);
        move || {
            position += 1;
            // The upper 53 bits as a number in [0, 1).
            let uniform = (mix(stream.wrapping_add(position)) >> 11) as f64 / (1u64 << 53) as f64;
            uniform < fraction
        }
    }
}

/// The step and output function of SplitMix64: a bijection in which every input bit moves every output bit.
fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

impl<T: Item> Pipe<T> for Sample<T> {
    fn owned(&self, feed: &mut Feed<'_, '_>, sink: &mut dyn FnMut(T) -> Flow) -> Result<Flow, TaskError> {
        // What a source lends is copied only when it is kept.
        if self.source.lends(feed) {
            return self.lent(feed, &mut |item| sink(item.clone()));
        }
        let mut die = self.die(feed.at);
        self.source.owned(feed, &mut |item| match die() {
            true => sink(item),
            false => Flow::Continue(()),
        })
    }

    fn lent(&self, feed: &mut Feed<'_, '_>, sink: &mut dyn FnMut(&T) -> Flow) -> Result<Flow, TaskError> {
        let mut die = self.die(feed.at);
        self.source.lent(feed, &mut |item| match die() {
            true => sink(item),
            false => Flow::Continue(()),
        })
    }

    fn lends(&self, feed: &Feed<'_, '_>) -> bool {
        self.source.lends(feed)
    }

    fn labels(&self, into: &mut Vec<Cow<'static, str>>) {
        self.source.labels(into);
        into.push("random_sample".into());
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.source.token(tokenizer);
        tokenizer.name("bag.random_sample/1");
        (self.fraction, self.seed).token(tokenizer);
    }

    fn depth(&self) -> usize {
        1 + self.source.depth()
    }

    fn facts(&self, at: Place<'_>) -> Facts {
        opaque(self.source.facts(at))
    }

    fn touches(&self, at: Place<'_>) -> Vec<Touch> {
        self.source.touches(at)
    }

    fn rewired(&self, rewire: Rewire<'_>) -> Option<Arc<dyn Pipe<T>>> {
        let source = self.source.rewired(rewire)?;
        Some(Arc::new(Self { source, selection: self.selection.rewired(rewire), ..self.clone() }))
    }
}
