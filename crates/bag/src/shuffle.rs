//! Items to other partitions by a key: equal keys to one.

use std::any::type_name;
use std::borrow::Cow;
use std::io::{Read, Write};
use std::marker::PhantomData;
use std::sync::Arc;

use musher_graph_core::{
    Chunk, ChunkRef, Codec, Coder, Collection, Exchange, Facts, FnIdentity, Grid, Inputs, Scatter, Share,
    TaskError, Tokenizer, exchanged,
};

use crate::bag::Bag;
use crate::coding::Coding;
use crate::error::Error;
use crate::partition::Partition;
use crate::pipe::Item;

/// Sends each item to the partition that its key's hash says.
pub(crate) struct Shuffle<T: 'static, F> {
    /// The target of an item.
    target: F,
    label: &'static str,
    /// What the target stands on; none where the label says it all.
    identity: Option<FnIdentity>,
    n_targets: usize,
    /// How items are written.
    coder: Option<Coder<T>>,
    /// How the new partitions are, where the user said so.
    coding: Option<Coding<T>>,
    item: PhantomData<fn() -> T>,
}

/// The items of one partition by target; none is empty, targets rise.
pub(crate) struct Pieces<T> {
    pieces: Vec<(u32, Vec<T>)>,
    n_items: usize,
    bytes: Option<usize>,
}

impl<T: Item, F> Exchange for Shuffle<T, F>
where
    F: Fn(&T, &mut Scatter) -> usize + Send + Sync + 'static,
{
    type Cut = Pieces<T>;
    type Building = Vec<T>;

    fn label(&self) -> Cow<'_, str> {
        self.label.into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        match &self.identity {
            Some(identity) => identity.enter::<F>("bag.shuffle/1", tokenizer),
            None => tokenizer.name(self.label),
        }
        tokenizer.word(self.n_targets as u64);
    }

    fn cut(&self, _from: usize, inputs: &mut Inputs<'_>) -> Result<Pieces<T>, TaskError> {
        let partition = inputs.take::<Partition<T>>(0)?;
        let bytes = partition.nbytes();
        let n_items = partition.items().len();
        let mut scatter = Scatter::new(self.n_targets);
        // Tasks are numbered with 32 bits.
        let target = |item: &T| (self.target)(item, &mut scatter) as u32;
        let targets: Vec<u32> = partition.items().iter().map(target).collect();
        let mut sorted = targets.clone();
        sorted.sort_unstable();
        let runs = sorted.chunk_by(|a, b| a == b);
        let mut pieces: Vec<_> = runs.map(|run| (run[0], Vec::with_capacity(run.len()))).collect();
        let mut put = |(item, target): (T, u32)| {
            let piece = pieces.binary_search_by_key(&target, |piece| piece.0);
            pieces[piece.expect("every target has its piece")].1.push(item);
        };
        match Arc::try_unwrap(partition) {
            Ok(own) => own.into_items().into_iter().zip(targets).for_each(&mut put),
            Err(shared) => shared.items().iter().cloned().zip(targets).for_each(&mut put),
        }
        Ok(Pieces { pieces, n_items, bytes })
    }

    fn n_items(&self, cut: &Pieces<T>) -> u64 {
        cut.n_items as u64
    }

    fn shares(&self, _from: usize, cut: &Pieces<T>, give: &mut dyn FnMut(usize, u64)) {
        cut.pieces.iter().for_each(|(target, items)| give(*target as usize, items.len() as u64));
    }

    fn bytes(&self, cut: &Pieces<T>) -> Option<u64> {
        Some((cut.bytes? + cut.pieces.capacity() * size_of::<(u32, Vec<T>)>()) as u64)
    }

    fn cut_bytes(&self, _from: usize, input: Option<u64>) -> Option<u64> {
        let pieces = (self.n_targets as u64).min(n_items::<T>(input?));
        Some(input? + pieces * size_of::<(u32, Vec<T>)>() as u64)
    }

    /// The targets of the items, twice, and the pieces beside the partition where it is not taken apart.
    fn cut_facts(&self, _from: usize, inputs: &[Option<u64>]) -> Facts {
        let input = inputs.first().copied().flatten();
        let items = n_items::<T>(input.unwrap_or(0));
        Facts::default().scratch(input.unwrap_or(0) + 2 * size_of::<u32>() as u64 * items)
    }

    fn can_write(&self, _cut: &Pieces<T>) -> bool {
        self.coder.is_some()
    }

    fn write(
        &self,
        _from: usize,
        cut: &Pieces<T>,
        share: Share,
        to: &mut dyn Write,
    ) -> Result<u64, TaskError> {
        let items = &cut.pieces[share.index].1;
        self.coder()?.write(items, to)?;
        Ok(items.len() as u64)
    }

    fn begin(&self, _to: usize, n_items: u64) -> Result<Vec<T>, TaskError> {
        let mut items = Vec::new();
        items.try_reserve_exact(usize::try_from(n_items)?)?;
        Ok(items)
    }

    fn copy(
        &self,
        items: &mut Vec<T>,
        _from: usize,
        cut: &Pieces<T>,
        share: Share,
    ) -> Result<u64, TaskError> {
        let piece = &cut.pieces[share.index].1;
        items.extend_from_slice(piece);
        Ok(piece.len() as u64)
    }

    fn read(
        &self,
        items: &mut Vec<T>,
        _from: usize,
        share: Share,
        bytes: &mut dyn Read,
    ) -> Result<u64, TaskError> {
        let before = items.len();
        self.coder()?.read(share.n_items, bytes, items)?;
        Ok((items.len() - before) as u64)
    }

    fn finish(&self, _to: usize, items: Vec<T>) -> Result<ChunkRef, TaskError> {
        Ok(Arc::new(self.coding.map_or(Partition::new as fn(Vec<T>) -> _, |coding| coding.partition)(items)))
    }

    fn codec(&self) -> Option<&'static dyn Codec> {
        self.coding.map(|coding| coding.codec).or_else(Partition::<T>::codec_of)
    }
}

/// How many items a partition of so many bytes has at most.
fn n_items<T>(bytes: u64) -> u64 {
    bytes / (size_of::<T>() as u64).max(1)
}

impl<T: Item, F> Shuffle<T, F> {
    fn coder(&self) -> Result<Coder<T>, TaskError> {
        self.coder.ok_or_else(|| TaskError::new(Error::NotEncoded { item: type_name::<T>() }))
    }
}

impl<T: Item> Bag<T> {
    /// The same items in `n` partitions, each in the one that `target` says; `coder` writes them, where neither their type
    /// nor this bag says how.
    ///
    /// # Panics
    /// If `n` is 0 or more than tasks can be numbered.
    #[track_caller]
    pub(crate) fn shuffled<F>(
        &self,
        label: &'static str,
        n: usize,
        coder: Option<Coder<T>>,
        identity: Option<FnIdentity>,
        target: F,
    ) -> Self
    where
        F: Fn(&T, &mut Scatter) -> usize + Send + Sync + 'static,
    {
        assert!(n > 0, "{label} into no partitions");
        let coding = self.coding;
        let coder = coding.map(|coding| coding.items).or(coder).or_else(Coder::known);
        let shuffle = Shuffle { target, label, identity, n_targets: n, coder, coding, item: PhantomData };
        Self::from_port(exchanged(self.port(), shuffle, Grid::from([n]))).with_coding(coding)
    }
}
