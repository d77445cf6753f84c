//! Optimizing: the same answers from fewer and larger tasks.
//!
//! Three passes, each linear in layers and inputs, in this order: [`fuse`] lets consumers absorb producers in their own
//! algebra, [`join`] makes siblings over the same producers one task, [`line`] strings opaque tasks together.
//! Equal keys were merged when the graph was collected; unneeded places are culled when it is lowered.

mod fuse;
mod join;
mod line;

use std::collections::HashMap;

use smallvec::SmallVec;

use crate::error::Error;
use crate::graph::{Graph, GraphInput, GraphRequest, LayerIx};

use crate::watch::Watch;

pub use line::{StepError, StepPanic};

impl Graph {
    /// The same requests over fused layers.
    ///
    /// Fusion never changes bits: a property that every task's `absorb` and `join` must keep.
    ///
    /// **Cost** linear in layers and inputs, no recursion.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "nobody watches who could give up")]
    pub fn optimize(self) -> Self {
        self.optimize_watched(Watch::NONE).expect("nobody watches who could give up")
    }

    pub(crate) fn optimize_watched(mut self, watch: Watch<'_>) -> Result<Self, Error> {
        // A layer that nobody needs any more would count as a reader: it goes before the next pass counts.
        fuse::fuse(&mut self, watch)?;
        self = self.sweep();
        // Siblings that became one read their producer once, so it may be absorbed now. Each round has fewer layers.
        while join::join(&mut self, watch)? {
            self = self.sweep();
            fuse::fuse(&mut self, watch)?;
            self = self.sweep();
        }
        watch.look()?;
        line::string_lines(&mut self);
        Ok(self.sweep())
    }

    /// How often each layer is read or asked for; a layer that reads another twice by the same wiring and output
    /// counts once.
    fn uses(&self) -> Vec<u32> {
        let mut uses = vec![0; self.layers.len()];
        for (own, layer) in self.layers.iter().enumerate() {
            let repeats = Repeats::of(&layer.inputs);
            for (slot, input) in layer.inputs.iter().enumerate() {
                if input.producer.index() != own && repeats.is_first(&layer.inputs, slot) {
                    uses[input.producer.index()] += 1;
                }
            }
        }
        for request in &self.requests {
            uses[request.layer.index()] += 1;
        }
        uses
    }

    /// Removes the layers that nothing needs any more and numbers the rest anew.
    fn sweep(self) -> Self {
        let mut needed = vec![false; self.layers.len()];
        for request in &self.requests {
            needed[request.layer.index()] = true;
        }
        for own in (0..self.layers.len()).rev() {
            if needed[own] {
                self.layers[own].inputs.iter().for_each(|input| needed[input.producer.index()] = true);
            }
        }
        if needed.iter().all(|&needed| needed) {
            return self;
        }
        let mut number = vec![LayerIx(u32::MAX); self.layers.len()];
        let mut layers = Vec::new();
        for (own, mut layer) in self.layers.into_iter().enumerate() {
            if needed[own] {
                number[own] = LayerIx(layers.len() as u32);
                for input in &mut layer.inputs {
                    input.producer = number[input.producer.index()];
                }
                layers.push(layer);
            }
        }
        let renumbered =
            |request: GraphRequest| GraphRequest { layer: number[request.layer.index()], ..request };
        Self { layers, requests: self.requests.into_iter().map(renumbered).collect() }
    }
}

/// Up to so many inputs are compared with one another; more are found by their hash.
const FEW: usize = 16;

/// Which slots read what an earlier one reads: the same output of the same producer, by the same wiring.
struct Repeats {
    /// For each slot the first one that reads the same; empty where the inputs are few, which are compared when asked.
    firsts: Vec<usize>,
}

impl Repeats {
    /// **Cost** linear in slots.
    fn of(inputs: &[GraphInput]) -> Self {
        if inputs.len() <= FEW {
            return Self { firsts: Vec::new() };
        }
        let mut met = HashMap::with_capacity(inputs.len());
        let first = |(slot, input)| *met.entry(input).or_insert(slot);
        Self { firsts: inputs.iter().enumerate().map(first).collect() }
    }

    /// The first slot that reads what this one reads.
    fn first(&self, inputs: &[GraphInput], slot: usize) -> usize {
        match self.firsts.get(slot) {
            Some(first) => *first,
            None => inputs[..slot].iter().position(|earlier| *earlier == inputs[slot]).unwrap_or(slot),
        }
    }

    #[inline]
    fn is_first(&self, inputs: &[GraphInput], slot: usize) -> bool {
        self.first(inputs, slot) == slot
    }
}

/// Of each slot of `read` the slot of `inputs` that reads the same; `None` where there is none.
///
/// **Cost** linear in slots.
fn equals_in(inputs: &[GraphInput], read: &[GraphInput]) -> Option<SmallVec<[usize; 4]>> {
    if inputs.len() <= FEW {
        return read.iter().map(|input| inputs.iter().position(|other| other == input)).collect();
    }
    // Of equal ones the first counts, as it does among few.
    let known: HashMap<&GraphInput, usize> =
        inputs.iter().enumerate().rev().map(|(slot, input)| (input, slot)).collect();
    read.iter().map(|input| known.get(input).copied()).collect()
}
