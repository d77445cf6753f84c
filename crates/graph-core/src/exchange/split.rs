//! The first layer: cuts an input and gives back a receipt for its pieces.

use std::borrow::Cow;
use std::sync::Arc;

use smallvec::smallvec;

use super::{Exchange, ExchangeMismatch, Share};
use crate::{Chunk, Facts, Inputs, Output, Place, SpillStore, Spilled, Task, TaskError, Tokenizer};

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
    /// In memory; with the bytes that they take, where they are known.
    Memory(C, Option<u64>),
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
            Pieces::Memory(_, bytes) => shares * Shares::BYTES + (*bytes)?,
            Pieces::Staged(_) => shares * (Shares::BYTES + Shares::STAGED_BYTES),
        };
        usize::try_from(bytes).ok()
    }
}

impl<E: Exchange> Split<E> {
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

    /// The store, where the pieces of this cut shall go out of memory.
    fn stages<'a>(&self, cut: &E::Cut, store: Option<&'a dyn SpillStore>) -> Option<&'a dyn SpillStore> {
        let store = store.filter(|_| self.exchange.can_write(cut))?;
        let bytes = self.exchange.total_bytes().or_else(|| {
            let bytes = self.exchange.bytes(cut)?;
            Some(bytes.saturating_mul(self.n_inputs as u64))
        });
        // What nobody knows to fit does not fit.
        (!store.stays_in_memory(bytes.unwrap_or(u64::MAX))).then_some(store)
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
        let pieces = match self.stages(&cut, store) {
            Some(store) => Pieces::Staged(self.staged(from, &cut, &shares, store)?),
            None => {
                let bytes = self.exchange.bytes(&cut);
                Pieces::Memory(cut, bytes)
            }
        };
        Ok(Output::one(Receipt::<E> { shares, pieces }))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("core.exchange_split/1");
        self.exchange.token(tokenizer);
    }

    /// The receipt's bytes are those of a staged one: a cut that stays in memory is charged when it is made.
    fn facts(&self, at: Place<'_>, inputs: &[Option<u64>]) -> Facts {
        let n_shares = self.exchange.n_shares(at.index());
        let bytes = n_shares.map(|n| n.saturating_mul(Shares::BYTES + Shares::STAGED_BYTES));
        Facts { output_bytes: smallvec![bytes], ..self.exchange.cut_facts(at.index(), inputs) }
    }
}
