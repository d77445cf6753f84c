//! The task of a bag: it draws all items of one partition through its pipe and makes one chunk of them.
//!
//! What is made is a [`Reduce`]: the items themselves ([`Collect`]) or something smaller. A consumer can take in a producer that
//! collects, because then the items can go on without being collected.

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;

use musher_graph_core::{
    Absorb, Chunk, ChunkRef, Codec, Facts, Inputs, Measure, Output, Place, Task, TaskError, Tokenizer, Touch,
    fused_label,
};

use crate::coding::Coding;
use crate::origin::name_panics;
use crate::partition::Partition;
use crate::pipe::{Feed, Flow, Item, Rewire, Upstream, may_fuse};

/// What is made of the items of one partition.
pub(crate) trait Reduce<T>: Send + Sync + 'static {
    /// What is known of the items seen so far.
    type Acc;

    /// Which way items should come.
    const TAKES: Takes;

    /// The operation's name; none for the mere collection of what other operations made.
    fn label(&self) -> Option<Cow<'static, str>>;

    /// Enters what identifies the operation into a fingerprint.
    fn token(&self, tokenizer: &mut Tokenizer);

    /// What is known before the first item.
    fn start(&self) -> Self::Acc;

    /// Looks at the next item.
    fn look(&self, acc: &mut Self::Acc, item: &T) -> Flow;

    /// Takes the next item.
    fn take(&self, acc: &mut Self::Acc, item: T) -> Flow {
        self.look(acc, &item)
    }

    /// The chunk.
    fn finish(&self, acc: Self::Acc) -> Result<ChunkRef, TaskError>;

    /// How the chunk is written and read back.
    fn codec(&self) -> Option<&'static dyn Codec>;

    /// Bytes of the chunk, where they are known before.
    fn output_bytes(&self) -> Option<u64> {
        None
    }

    /// Whether the chunk holds the items themselves, all of them, in order.
    fn is_collection(&self) -> bool {
        false
    }
}

/// Which way a reduction wants its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// It keeps them.
    Owned,
    /// It keeps some of them; a copy is made of those if the source lends.
    OwnedUnlessLent,
    /// It only looks.
    Lent,
}

/// The items themselves.
pub(crate) struct Collect<T: 'static> {
    name: &'static str,
    /// How the finished partition measures itself.
    finish: fn(Vec<T>) -> Partition<T>,
    /// How it is written, where the user said so.
    coding: Option<Coding<T>>,
}

impl<T: Item> Collect<T> {
    /// A partition that is measured, and can leave memory, where its items are of a common type, or where the user said how.
    pub(crate) fn of(coding: Option<Coding<T>>) -> Self {
        let finish = coding.map_or(Partition::new as fn(Vec<T>) -> _, |coding| coding.partition);
        Self { name: "bag.collect/1", finish, coding }
    }

    /// A partition whose items measure themselves.
    pub(crate) fn measured(coding: Option<Coding<T>>) -> Self
    where
        T: Measure,
    {
        Self { name: "bag.collect_measured/1", finish: Partition::measured, coding }
    }
}

impl<T: Item> Reduce<T> for Collect<T> {
    type Acc = Vec<T>;
    const TAKES: Takes = Takes::Owned;

    fn label(&self) -> Option<Cow<'static, str>> {
        None
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name(self.name);
        if let Some(coding) = self.coding {
            tokenizer.name(coding.codec.kind());
        }
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

    fn finish(&self, mut acc: Vec<T>) -> Result<ChunkRef, TaskError> {
        // A partition lives long; what pushing left over is given back where it is much.
        if acc.len() < acc.capacity() / 4 * 3 {
            acc.shrink_to_fit();
        }
        Ok(Arc::new((self.finish)(acc).with_codec(self.coding.map(|coding| coding.codec))))
    }

    fn codec(&self) -> Option<&'static dyn Codec> {
        self.coding.map(|coding| coding.codec).or_else(Partition::<T>::codec_of)
    }

    fn is_collection(&self) -> bool {
        true
    }
}

/// The task: a source, and what is made of its items.
pub(crate) struct Drain(Arc<dyn Work>);

impl Drain {
    /// A task that makes one chunk of what the source pushes.
    pub(crate) fn new<T: Item>(source: Upstream<T>, reduce: impl Reduce<T>) -> Self {
        Self(Arc::new(Reduction { source, reduce: Arc::new(reduce) }))
    }

    /// The source of the items, if they are collected.
    pub(crate) fn collected<T: Item>(&self) -> Option<&Upstream<T>> {
        self.0.collected()?.downcast_ref()
    }
}

/// A source and what is made of its items, for items of any type.
trait Work: Send + Sync {
    fn run(&self, feed: &mut Feed<'_, '_>) -> Result<ChunkRef, TaskError>;
    fn labels(&self, into: &mut Vec<Cow<'static, str>>);
    fn token(&self, tokenizer: &mut Tokenizer);
    fn depth(&self) -> usize;
    fn facts(&self, at: Place<'_>) -> Facts;
    fn touches(&self, at: Place<'_>) -> Vec<Touch>;
    fn rewired(&self, rewire: Rewire<'_>) -> Option<Arc<dyn Work>>;
    fn codec(&self) -> Option<&'static dyn Codec>;
    /// The `Upstream<T>`, if the items are collected.
    fn collected(&self) -> Option<&dyn Any>;
}

struct Reduction<T, R> {
    source: Upstream<T>,
    reduce: Arc<R>,
}

impl<T: Item, R: Reduce<T>> Work for Reduction<T, R> {
    fn run(&self, feed: &mut Feed<'_, '_>) -> Result<ChunkRef, TaskError> {
        let mut acc = self.reduce.start();
        let owned = match R::TAKES {
            Takes::Owned => true,
            Takes::OwnedUnlessLent => !self.source.lends(feed),
            Takes::Lent => false,
        };
        // That the reduction wants no more items is an end like any other.
        let _ = match owned {
            true => self.source.owned(feed, &mut |item| self.reduce.take(&mut acc, item))?,
            false => self.source.lent(feed, &mut |item| self.reduce.look(&mut acc, item))?,
        };
        self.reduce.finish(acc)
    }

    fn labels(&self, into: &mut Vec<Cow<'static, str>>) {
        self.source.labels(into);
        into.extend(self.reduce.label());
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.source.token(tokenizer);
        self.reduce.token(tokenizer);
    }

    fn depth(&self) -> usize {
        self.source.depth()
    }

    fn facts(&self, at: Place<'_>) -> Facts {
        let source = self.source.facts(at);
        match (self.reduce.is_collection(), self.reduce.output_bytes()) {
            (true, _) => source,
            (false, Some(bytes)) => Facts { output_bytes: Facts::bytes(bytes).output_bytes, ..source },
            (false, None) => Facts { output_bytes: Default::default(), ..source },
        }
    }

    fn touches(&self, at: Place<'_>) -> Vec<Touch> {
        self.source.touches(at)
    }

    fn rewired(&self, rewire: Rewire<'_>) -> Option<Arc<dyn Work>> {
        Some(Arc::new(Self { source: self.source.rewired(rewire)?, reduce: Arc::clone(&self.reduce) }))
    }

    fn codec(&self) -> Option<&'static dyn Codec> {
        self.reduce.codec()
    }

    fn collected(&self) -> Option<&dyn Any> {
        self.reduce.is_collection().then_some(&self.source as &dyn Any)
    }
}

impl Task for Drain {
    /// The operations from first to last; a long line shows its ends.
    fn label(&self) -> Cow<'_, str> {
        let mut labels = Vec::new();
        self.0.labels(&mut labels);
        match labels.as_slice() {
            [] => "collect".into(),
            labels => fused_label(labels).into(),
        }
    }

    fn run(&self, at: Place<'_>, mut inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let chunk = name_panics(|| self.0.run(&mut Feed { at, inputs: &mut inputs }))?;
        Ok(Output::shared(chunk))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("bag.drain/1");
        self.0.token(tokenizer);
    }

    fn facts(&self, at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        self.0.facts(at)
    }

    fn touches(&self, at: Place<'_>) -> Vec<Touch> {
        self.0.touches(at)
    }

    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        self.0.codec()
    }

    /// What users' functions made of the items on the way is theirs; the items they can say how to write.
    fn codec_advice(&self) -> Option<&'static str> {
        self.0.collected().map(|_| "call `.encoded()`")
    }

    fn absorb(&self, request: &Absorb<'_>) -> Option<Arc<dyn Task>> {
        let producer = request.producer.downcast_ref::<Self>()?;
        if !may_fuse(self.0.depth(), producer.0.depth()) {
            return None;
        }
        Some(Arc::new(Self(self.0.rewired(Rewire::Absorb(request))?)))
    }
}
