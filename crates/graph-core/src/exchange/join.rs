//! The last layer: fetches the pieces of a target and builds it.

use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;

use super::ledger::Ledger;
use super::split::Pieces;
use super::{Exchange, ExchangeMismatch, Share};
use smallvec::smallvec;

use crate::chunk::Codec;
use crate::grid::Place;
use crate::key::Tokenizer;
use crate::spill::Spilled;
use crate::task::{Facts, Inputs, Output, Task, TaskError};

/// Builds the target at its place.
pub(super) struct Join<E> {
    pub(super) exchange: Arc<E>,
}

impl<E: Exchange> Join<E> {
    /// Bytes that a store is taken to hold of what it reads, at most.
    const READER_BYTES: u64 = 192 << 10;

    fn operation(&self) -> String {
        self.exchange.label().into_owned()
    }

    /// The pieces of a target, in the order of the inputs.
    fn shares(&self, ledger: &Ledger, target: usize) -> Result<Vec<(u32, Share)>, TaskError> {
        let inputs = ledger.inputs_of(target).iter();
        let share = |&input: &u32| {
            let share = ledger.receipt::<E>(input)?.shares.of_target(target);
            Ok((input, share.expect("the ledger lists the inputs that have a piece for the target")))
        };
        inputs.map(share).collect()
    }

    /// Adds a piece that was written. Reading to its end makes the store compare checksums.
    fn read(
        &self,
        building: &mut E::Building,
        from: usize,
        share: Share,
        parcel: &dyn Spilled,
    ) -> Result<u64, TaskError> {
        let mut bytes = parcel.read(share.index)?;
        let found = self.exchange.read(building, from, share, &mut bytes)?;
        // With too few items the rest is what is missing, not what is too much.
        if found == share.n_items && bytes.read(&mut [0])? != 0 {
            let operation = self.operation();
            let target = share.target;
            return Err(TaskError::new(ExchangeMismatch::LeftOver { operation, input: from, target }));
        }
        Ok(found)
    }
}

impl<E: Exchange> Task for Join<E> {
    fn label(&self) -> Cow<'_, str> {
        self.exchange.label()
    }

    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let target = at.index();
        let ledger: &Ledger = inputs.get(0)?;
        let shares = self.shares(ledger, target)?;
        let total = shares.iter().fold(0, |sum: u64, (_, share)| sum.saturating_add(share.n_items));
        if let Some(expected) = self.exchange.expected_items(target)
            && expected != total
        {
            let operation = self.operation();
            return Err(TaskError::new(ExchangeMismatch::Total {
                operation,
                target,
                expected,
                found: total,
            }));
        }
        let mut building = self.exchange.begin(target, total)?;
        for (input, share) in shares {
            let from = input as usize;
            let found = match &ledger.receipt::<E>(input)?.pieces {
                Pieces::Memory { cut, .. } => self.exchange.copy(&mut building, from, cut, share)?,
                Pieces::Staged(parcel) => self.read(&mut building, from, share, &**parcel)?,
            };
            if found != share.n_items {
                return Err(TaskError::new(ExchangeMismatch::Received {
                    operation: self.operation(),
                    input: from,
                    target,
                    expected: share.n_items,
                    found,
                }));
            }
        }
        Ok(Output::shared(self.exchange.finish(target, building)?))
    }

    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        self.exchange.codec()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("core.exchange_join/1");
        self.exchange.token(tokenizer);
    }

    /// Where nobody knows how large the targets are, they are taken to be alike.
    fn facts(&self, at: Place<'_>, inputs: &[Option<u64>]) -> Facts {
        let facts = self.exchange.build_facts(at.index());
        let all = inputs.first().copied().flatten();
        let alike = all.map(|all| all.div_ceil(at.grid().n_tasks().max(1) as u64));
        let bytes = facts.output(0).or(alike);
        let scratch_bytes = facts.scratch_bytes.saturating_add(bytes.unwrap_or(0).min(Self::READER_BYTES));
        Facts { output_bytes: smallvec![bytes], scratch_bytes, ..facts }
    }
}
