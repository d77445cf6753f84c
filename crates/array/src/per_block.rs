//! Steps that make one block out of one: the layer around a plain function of a block.

use crate::array::Core;
use crate::block::Block;
use crate::chunks::Chunking;
use crate::element::Element;
use musher_graph_core::{Facts, FnTask, Inputs, Layer, Place, Port, Site, TaskError, Token, Wiring};
use ndarray::{ArrayD, ArrayViewD};

/// A layer of blocks that are each made of one block.
pub(crate) struct PerBlock {
    /// What pictures and errors call the step.
    pub(crate) label: &'static str,
    /// Name and version of the work in fingerprints.
    pub(crate) name: &'static str,
    /// Which block each block is made of.
    pub(crate) wiring: Wiring,
    /// The block lengths of what is made.
    pub(crate) output: Chunking,
    /// How many times the bytes of the block that is read are needed while one is made.
    pub(crate) scratch: u64,
    /// The user's line.
    pub(crate) caller: Site,
}

impl PerBlock {
    /// The layer of a function, of which the parameters tell all that it captures. It is given the coordinates of the block
    /// that it makes.
    pub(crate) fn of<A: Element, B: Element>(
        self,
        core: &Core,
        parameters: &impl Token,
        f: impl Fn(&[usize], ArrayViewD<'_, A>) -> Result<ArrayD<B>, TaskError> + Send + Sync + 'static,
    ) -> Core {
        self.beside(core, parameters, 0, f)
    }

    /// The same where so many bytes more are needed, whatever the block.
    pub(crate) fn beside<A: Element, B: Element>(
        self,
        core: &Core,
        parameters: &impl Token,
        bytes: u64,
        f: impl Fn(&[usize], ArrayViewD<'_, A>) -> Result<ArrayD<B>, TaskError> + Send + Sync + 'static,
    ) -> Core {
        let Self { label, name, wiring, output, scratch, caller } = self;
        let task = FnTask::new(label, move |at: Place<'_>, inputs: &mut Inputs<'_>| {
            f(&at.coords(), inputs.get::<Block<A>>(0)?.view()).map(Block::new)
        });
        let task = task.params(name, &((A::NAME, B::NAME), parameters, &output));
        let of_facts = output.clone();
        let task = task.facts(move |at, inputs| {
            let n: usize = of_facts.block_shape(&at.coords()).iter().product();
            let made = (n * size_of::<B>()) as u64;
            let read = inputs.first().copied().flatten().unwrap_or(made);
            let scratch = read.saturating_mul(scratch).saturating_add(bytes);
            Facts::bytes(made).scratch(scratch).cost(1_000 + (made + read) / 4)
        });
        let layer = Layer::build(task).caller(caller).input(&core.port, wiring).finish(output.grid());
        Core { port: Port::of(layer), chunking: output }
    }
}
