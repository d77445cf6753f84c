//! The middle: all receipts, turned around, so that a target need not look at inputs that have nothing for it.

use std::borrow::Cow;
use std::sync::Arc;

use smallvec::smallvec;

use super::Exchange;
use super::split::Receipt;
use crate::chunk::{Chunk, ChunkRef};
use crate::grid::Place;
use crate::key::Tokenizer;
use crate::task::{Facts, Inputs, Output, Staged, Task, TaskError};

/// Turns the receipts around.
pub(super) struct Turn<E> {
    pub(super) exchange: Arc<E>,
    pub(super) n_targets: usize,
}

/// All receipts of an exchange, and in rows the inputs that have a piece for each target.
pub(super) struct Ledger {
    receipts: Vec<ChunkRef>,
    starts: Vec<usize>,
    inputs: Vec<u32>,
}

impl Ledger {
    /// The inputs that have a piece for a target, in order.
    pub(super) fn inputs_of(&self, target: usize) -> &[u32] {
        &self.inputs[self.starts[target]..self.starts[target + 1]]
    }

    /// The receipt of an input.
    pub(super) fn receipt<E: Exchange>(&self, input: u32) -> Result<&Receipt<E>, TaskError> {
        receipt(&self.receipts[input as usize])
    }
}

impl Chunk for Ledger {
    /// The receipts count here: their own layer has let them go when this one is made.
    fn nbytes(&self) -> Option<usize> {
        let receipts: Option<usize> = self.receipts.iter().map(|receipt| receipt.nbytes()).sum();
        Some(receipts? + self.starts.len() * size_of::<usize>())
    }
}

/// A chunk as a receipt of this exchange.
fn receipt<E: Exchange>(chunk: &ChunkRef) -> Result<&Receipt<E>, TaskError> {
    chunk.downcast_ref().ok_or_else(|| TaskError::new(ForeignReceipt))
}

/// A split gave something that is no receipt: the graph was put together by hand, and wrongly.
#[derive(Debug, thiserror::Error)]
#[error("a chunk is no receipt of this exchange")]
struct ForeignReceipt;

impl<E: Exchange> Task for Turn<E> {
    fn label(&self) -> Cow<'_, str> {
        format!("{} (ledger)", self.exchange.label()).into()
    }

    fn run(&self, _at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let receipts = inputs.shared()?;
        // Counted, summed up, and filled in: a counting sort by target, which keeps the inputs' order.
        let mut starts = vec![0_usize; self.n_targets + 1];
        for chunk in &receipts {
            for &target in &receipt::<E>(chunk)?.shares.targets {
                starts[target as usize + 1] += 1;
            }
        }
        for target in 0..self.n_targets {
            starts[target + 1] += starts[target];
        }
        let mut next = starts.clone();
        let mut rows = vec![0; starts[self.n_targets]];
        for (input, chunk) in receipts.iter().enumerate() {
            for &target in &receipt::<E>(chunk)?.shares.targets {
                let at = &mut next[target as usize];
                // Tasks are numbered with 32 bits.
                rows[*at] = input as u32;
                *at += 1;
            }
        }
        Ok(Output::one(Ledger { receipts, starts, inputs: rows }))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("core.exchange_ledger/1");
        self.exchange.token(tokenizer);
    }

    fn facts(&self, _at: Place<'_>, inputs: &[Option<u64>]) -> Facts {
        let own = ((self.n_targets + 1) * size_of::<usize>()) as u64;
        let receipts: Option<u64> = inputs.iter().copied().sum();
        Facts {
            output_bytes: smallvec![receipts.map(|bytes| bytes.saturating_add(own))],
            staged: Staged::OfInputs,
            scratch_bytes: own,
            cost_ns: Some(1_000 + 100 * inputs.len() as u64),
            // It holds the receipts that it read, and copies none.
            reuses_input: true,
            ..Facts::default()
        }
    }
}
