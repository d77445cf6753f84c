//! Optimizing: the same answers from fewer and larger tasks.
//!
//! Three passes, each linear in the graph, in this order: [`fuse`] lets consumers absorb producers in their own
//! algebra, [`join`] makes siblings over the same producers one task, [`line`] strings opaque tasks together.
//! Equal keys were merged when the graph was collected; unneeded places are culled when it is lowered.

mod fuse;
mod join;
mod line;

use crate::graph::{Graph, GraphInput, GraphRequest, LayerIx};

pub use line::{StepError, StepPanic};

impl Graph {
    /// The same requests over fused layers.
    ///
    /// Fusion never changes bits: a property that every task's `absorb` and `join` must keep.
    ///
    /// **Cost** linear in layers and inputs, no recursion.
    #[must_use]
    pub fn optimize(mut self) -> Self {
        // A layer that nobody needs any more would count as a reader: it goes before the next pass counts.
        fuse::fuse(&mut self);
        self = self.sweep();
        // Siblings that became one read their producer once, so it may be absorbed now. Each round has fewer layers.
        while join::join(&mut self) {
            self = self.sweep();
            fuse::fuse(&mut self);
            self = self.sweep();
        }
        line::string_lines(&mut self);
        self.sweep()
    }

    /// How often each layer is read or asked for; a layer that reads another twice by the same wiring and output
    /// counts once.
    fn uses(&self) -> Vec<u32> {
        let mut uses = vec![0; self.layers.len()];
        for (own, layer) in self.layers.iter().enumerate() {
            for (slot, input) in layer.inputs.iter().enumerate() {
                if input.producer.index() != own && !layer.inputs[..slot].contains(input) {
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

/// The slot that reads exactly this, added at the end if there is none.
fn slot_of(inputs: &mut smallvec::SmallVec<[GraphInput; 2]>, input: GraphInput) -> usize {
    inputs.iter().position(|known| *known == input).unwrap_or_else(|| {
        inputs.push(input);
        inputs.len() - 1
    })
}
