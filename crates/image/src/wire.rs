//! Pieces of graph that several operations share, such as trees over chunks that are no blocks.

use std::borrow::Cow;

use musher_array::kernel::memory::{in_order, zeros};
use musher_array::{Array, Block, Element};
use musher_graph_core::{
    AsRecord, AxisMap, Collection, Combine, Facts, FnTask, Grid, Grouping, Inputs, Layer, Level, Place, Port,
    Record, Site, TaskError, Token, Tokenizer, Wiring, tree,
};
use ndarray::{ArrayD, Dimension};

/// The layer and output that make an array's blocks, whatever its dimension computes to.
pub(crate) fn port_of<A: Element, D: Dimension>(array: &Array<A, D>) -> Port {
    array.clone().into_dyn().port().clone()
}

/// The grid of an array's layer: one task for each block.
pub(crate) fn grid_of<A: Element, D: Dimension>(array: &Array<A, D>) -> Grid {
    Grid::from(array.chunks().grid_shape().as_slice())
}

/// The elements of a block in the order in which they lie in memory; none for a block without any, whatever its strides.
pub(crate) fn elements_of<A: Clone>(block: &Block<A>) -> &[A] {
    if block.view().is_empty() { &[] } else { block.elements() }
}

/// How a function of the elements of a block is named, and about how many nanoseconds one takes.
pub(crate) struct Mapping {
    pub(crate) label: &'static str,
    /// Name and version of the work in fingerprints.
    pub(crate) name: &'static str,
    pub(crate) cost: u64,
    pub(crate) caller: Site,
}

impl Mapping {
    /// What `f` makes of the elements of each block, which it gets in C order, one for each.
    pub(crate) fn of<A: Element, B: Element, D: Dimension>(
        self,
        array: &Array<A, D>,
        parameters: &impl Token,
        f: impl Fn(&[A], &mut [B]) + Send + Sync + 'static,
    ) -> Array<B, D> {
        let Self { label, name, cost, caller } = self;
        let task = FnTask::new(label, move |_: Place<'_>, inputs: &mut Inputs<'_>| {
            let block = in_order(inputs.get::<Block<A>>(0)?.view())?;
            let mut made = zeros::<B>(block.len())?;
            f(block.as_slice().unwrap_or_default(), &mut made);
            Ok::<_, TaskError>(Block::new(ArrayD::from_shape_vec(block.raw_dim(), made)?))
        })
        .params(name, &((A::NAME, B::NAME), parameters));
        let of_facts = array.chunks().clone();
        let task = task.facts(move |at, _| {
            let elements = of_facts.block_shape(&at.coords()).iter().product::<usize>() as u64;
            let (read, made) = (elements * size_of::<A>() as u64, elements * size_of::<B>() as u64);
            Facts::bytes(made).scratch(read).cost(500 + elements * cost)
        });
        let layer =
            Layer::build(task).caller(caller).input(&port_of(array), Wiring::one_to_one(array.ndim()));
        Array::from_port(Port::of(layer.finish(grid_of(array))), array.chunks().clone())
    }
}

/// How the records of two neighbours become one, under a name and version.
pub(crate) struct Joining<T> {
    pub(crate) label: &'static str,
    pub(crate) name: &'static str,
    pub(crate) join: fn(&T, &T) -> T,
}

impl<T: AsRecord> Combine for Joining<T> {
    type State = Record<T>;

    fn label(&self) -> Cow<'_, str> {
        self.label.into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name(self.name);
    }

    fn merge(&self, earlier: &mut Record<T>, later: Record<T>) -> Result<(), TaskError> {
        earlier.0 = (self.join)(&earlier.0, &later.0);
        Ok(())
    }

    fn facts(&self, _at: Place<'_>, _level: Level, inputs: &[Option<u64>]) -> Facts {
        let (bytes, largest) = (inputs.iter().flatten().sum(), inputs.iter().copied().max().flatten());
        let facts = Facts { output_bytes: [largest].into_iter().collect(), ..Facts::default() };
        facts.scratch(bytes).cost(bytes)
    }
}

/// Joins the records of a grid to a single one, neighbours in space first.
pub(crate) fn joined<T: AsRecord>(port: &Port, joining: Joining<T>, caller: Site) -> Port {
    let reduced = vec![true; port.grid().ndim()];
    tree(port, &reduced, Grouping::Boxes, Grid::scalar(), joining, caller)
}

/// The wiring by which every task reads the only task of a port.
pub(crate) fn single(port: &Port) -> Wiring {
    Wiring::axes((0..port.grid().ndim()).map(|_| AxisMap::Fixed(0)))
}
