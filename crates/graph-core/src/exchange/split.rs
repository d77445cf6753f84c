//! The first layer: cuts an input and gives back a receipt for its pieces.

use std::borrow::Cow;
use std::sync::Arc;

use smallvec::smallvec;

use super::{Exchange, ExchangeMismatch, Share};
use crate::chunk::Chunk;
use crate::grid::Place;
use crate::key::Tokenizer;
use crate::spill::{Kept, SpillStore, Spilled};
use crate::task::{Facts, Inputs, Output, Staged, Task, TaskError};

/// Cuts the input at its place.
pub(super) struct Split<E> {
    pub(super) exchange: Arc<E>,
    pub(super) n_inputs: usize,
    pub(super) n_targets: usize,
}

/// Which targets an input has pieces for, and where the pieces are.
pub(super) struct Receipt<E: Exchange> {
    pub(super) shares: Shares,
    pub(super) pieces: Pieces<E::Cut>,
}

/// The pieces of one input: in rising order of their targets, none of them empty.
#[derive(Debug, Default)]
pub(super) struct Shares {
    pub(super) targets: Vec<u32>,
    n_items: Vec<u64>,
}

/// Where the pieces of one input are.
pub(super) enum Pieces<C> {
    /// In memory, with the bytes that they take, where they are known, and the store's leave, where there is a store.
    Memory { cut: C, bytes: Option<u64>, _leave: Option<Kept> },
    /// Outside; part i is share i.
    Staged(Arc<dyn Spilled>),
}

impl Shares {
    /// Bytes in memory for each piece: target and number of items here, and the input's number in the ledger.
    pub(super) const BYTES: u64 = 16;
    /// Bytes that a store is taken to hold in memory for each part: offset, lengths, checksum.
    const STAGED_BYTES: u64 = 40;

    pub(super) fn len(&self) -> usize {
        self.targets.len()
    }

    /// The piece with this number.
    fn get(&self, index: usize) -> Share {
        Share { index, target: self.targets[index] as usize, n_items: self.n_items[index] }
    }

    /// What there is for a target.
    pub(super) fn of_target(&self, target: usize) -> Option<Share> {
        let index = self.targets.binary_search_by_key(&target, |&known| known as usize);
        index.ok().map(|index| self.get(index))
    }
}

impl<E: Exchange> Chunk for Receipt<E> {
    fn nbytes(&self) -> Option<usize> {
        let shares = self.shares.len() as u64;
        let bytes = match &self.pieces {
            Pieces::Memory { bytes, .. } => shares * Shares::BYTES + (*bytes)?,
            Pieces::Staged(_) => shares * (Shares::BYTES + Shares::STAGED_BYTES),
        };
        usize::try_from(bytes).ok()
    }
}

impl<E: Exchange> Split<E> {
    /// Bytes that a store is taken to gather before it writes, at most.
    const WRITER_BYTES: u64 = 512 << 10;

    /// The pieces of a cut, which hold all its items.
    fn shares(&self, from: usize, cut: &E::Cut) -> Result<Shares, ExchangeMismatch> {
        let mut shares = Shares::default();
        let mut wrong = None;
        self.exchange.shares(from, cut, &mut |target, n_items| {
            let rises = shares.targets.last().is_none_or(|&last| (last as usize) < target);
            if !rises || target >= self.n_targets {
                wrong = wrong.or(Some(target));
            } else if n_items > 0 {
                // Tasks are numbered with 32 bits.
                shares.targets.push(target as u32);
                shares.n_items.push(n_items);
            }
        });
        let operation = || self.exchange.label().into_owned();
        if let Some(target) = wrong {
            let n_targets = self.n_targets;
            return Err(ExchangeMismatch::Target { operation: operation(), input: from, target, n_targets });
        }
        let expected = self.exchange.n_items(cut);
        let found = shares.n_items.iter().fold(0, |sum: u64, n| sum.saturating_add(*n));
        if expected != found {
            return Err(ExchangeMismatch::Cut { operation: operation(), input: from, expected, found });
        }
        shares.targets.shrink_to_fit();
        shares.n_items.shrink_to_fit();
        Ok(shares)
    }

    /// The store's leave to keep this cut in memory. What nobody knows to fit does not fit.
    fn keep(&self, cut: &E::Cut, store: &dyn SpillStore) -> Option<Kept> {
        let bytes = self.exchange.bytes(cut)?;
        let together = self.exchange.total_bytes().unwrap_or(bytes.saturating_mul(self.n_inputs as u64));
        store.keep(bytes, together)
    }

    /// Writes the pieces, one part each.
    fn staged(
        &self,
        from: usize,
        cut: &E::Cut,
        shares: &Shares,
        store: &dyn SpillStore,
    ) -> Result<Arc<dyn Spilled>, TaskError> {
        let mut parcel = store.parcel()?;
        for share in (0..shares.len()).map(|index| shares.get(index)) {
            let found = self.exchange.write(from, cut, share, &mut parcel)?;
            if found != share.n_items {
                return Err(TaskError::new(ExchangeMismatch::Written {
                    operation: self.exchange.label().into_owned(),
                    input: from,
                    target: share.target,
                    expected: share.n_items,
                    found,
                }));
            }
            parcel.end_part()?;
        }
        parcel.finish()
    }
}

impl<E: Exchange> Task for Split<E> {
    fn label(&self) -> Cow<'_, str> {
        format!("{} (split)", self.exchange.label()).into()
    }

    fn run(&self, at: Place<'_>, mut inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let from = at.index();
        let store = inputs.spill_store();
        let cut = self.exchange.cut(from, &mut inputs)?;
        let shares = self.shares(from, &cut)?;
        let store = store.filter(|_| self.exchange.can_write(&cut));
        let leave = store.and_then(|store| self.keep(&cut, store));
        let pieces = match store.filter(|_| leave.is_none()) {
            Some(store) => Pieces::Staged(self.staged(from, &cut, &shares, store)?),
            None => {
                let bytes = self.exchange.bytes(&cut);
                Pieces::Memory { cut, bytes, _leave: leave }
            }
        };
        Ok(Output::one(Receipt::<E> { shares, pieces }))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("core.exchange_split/1");
        self.exchange.token(tokenizer);
    }

    /// The receipt's bytes are those of a staged one. What a cut holds that stays in memory is declared beside them, and
    /// charged when it is made.
    fn facts(&self, at: Place<'_>, inputs: &[Option<u64>]) -> Facts {
        let cut = self.exchange.cut_bytes(at.index(), inputs.first().copied().flatten());
        let bytes_of = |n: u64| n.saturating_mul(Shares::BYTES + Shares::STAGED_BYTES);
        // There are no more pieces than targets; where they may be far fewer, nothing is said.
        let most = bytes_of(self.n_targets as u64);
        let bytes = self
            .exchange
            .n_shares(at.index())
            .map(bytes_of)
            .or(cut.is_some_and(|cut| most <= cut).then_some(most));
        let staged = cut.map_or(Staged::Nothing, Staged::Bytes);
        let facts = self.exchange.cut_facts(at.index(), inputs);
        let scratch_bytes = facts.scratch_bytes.saturating_add(cut.unwrap_or(0).min(Self::WRITER_BYTES));
        Facts { output_bytes: smallvec![bytes], staged, scratch_bytes, ..facts }
    }
}
