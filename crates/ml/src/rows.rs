//! The two ways in which estimators read arrays: [`pass`] makes one small answer of all rows, [`map`] makes other rows of them.
//!
//! Both take a pure function on one block of rows. What surrounds it (the layer, its grid and wiring, where a block stands in
//! the whole array, and the tree that merges partial answers) is here and nowhere else in this crate.

use musher_array::{Array, Block, Chunking, Element, Gather};
use musher_graph_core::{
    AxisMap, Collection, Facts, FnTask, Grid, Inputs, Layer, LayerBuilder, Place, Port, Record, Site,
    TaskError, Token, Wiring,
};
use musher_scheduler::Options;
use ndarray::{ArrayView, ArrayView2, Dimension, Ix2};

use crate::blocks::{starts, whole_rows};
use crate::error::Error;
use crate::fold::{Partial, fold};
use crate::kernel::Piece;

/// What a function on blocks of rows is called, and what it costs. The user's line is that of the call.
pub(crate) struct Work<P, F> {
    /// In pictures, plans and errors.
    pub(crate) label: &'static str,
    /// Name and version in fingerprints.
    pub(crate) name: &'static str,
    /// All that the function captures; where the rows stand is added.
    pub(crate) parameters: P,
    /// What is known of a task from the number of its rows.
    pub(crate) facts: F,
}

/// Arrays whose blocks are read together: they have the same row blocks.
pub(crate) trait Rows {
    /// One block of each.
    type Block<'a>;

    /// The chunks, which are those of the first.
    fn chunks(&self) -> &Chunking;

    /// The grid, which is that of the first.
    fn grid(&self) -> &Grid;

    /// The layer with a slot for each array.
    fn read(&self, layer: LayerBuilder) -> LayerBuilder;

    /// The blocks that a task was given, from this slot on.
    fn block<'a>(inputs: &'a Inputs<'_>, slot: usize) -> Result<Self::Block<'a>, TaskError>;
}

impl<A: Element, D: Dimension + Gather<A>> Rows for &Array<A, D> {
    type Block<'a> = ArrayView<'a, A, D>;

    fn chunks(&self) -> &Chunking {
        Array::chunks(self)
    }

    fn grid(&self) -> &Grid {
        self.port().grid()
    }

    fn read(&self, layer: LayerBuilder) -> LayerBuilder {
        layer.input(self.port(), Wiring::one_to_one(self.ndim()))
    }

    fn block<'a>(inputs: &'a Inputs<'_>, slot: usize) -> Result<Self::Block<'a>, TaskError> {
        Ok(inputs.get::<Block<A>>(slot)?.view().into_dimensionality()?)
    }
}

impl<X: Rows, Y: Rows> Rows for (X, Y) {
    type Block<'a> = (X::Block<'a>, Y::Block<'a>);

    fn chunks(&self) -> &Chunking {
        self.0.chunks()
    }

    fn grid(&self) -> &Grid {
        self.0.grid()
    }

    fn read(&self, layer: LayerBuilder) -> LayerBuilder {
        self.1.read(self.0.read(layer))
    }

    fn block<'a>(inputs: &'a Inputs<'_>, slot: usize) -> Result<Self::Block<'a>, TaskError> {
        Ok((X::block(inputs, slot)?, Y::block(inputs, slot + 1)?))
    }
}

/// One pass over data of whole rows: what `piece` says of each block, merged to what it says of all rows.
///
/// `piece` is also told where the block begins in the whole array, as (row, column).
///
/// **Cost** one pass; a piece for each block in flight, and `log₈` of the number of blocks levels of merges.
///
/// # Errors
/// Those of `piece`, and of the run.
#[track_caller]
pub(crate) fn pass<R: Rows, T: Piece>(
    data: R,
    work: Work<impl Token, impl Fn(usize) -> Facts + Send + Sync + 'static>,
    options: &Options,
    piece: impl for<'a> Fn(R::Block<'a>, (usize, usize)) -> Result<T, TaskError> + Send + Sync + 'static,
) -> Result<T, Error> {
    pass_by_columns(data, work, options, piece)?.into_iter().next().ok_or(Error::NothingToMerge)
}

/// As [`pass`], where the blocks need not hold whole rows: one answer for each block of columns.
#[track_caller]
pub(crate) fn pass_by_columns<R: Rows, T: Piece>(
    data: R,
    work: Work<impl Token, impl Fn(usize) -> Facts + Send + Sync + 'static>,
    options: &Options,
    piece: impl for<'a> Fn(R::Block<'a>, (usize, usize)) -> Result<T, TaskError> + Send + Sync + 'static,
) -> Result<Vec<T>, Error> {
    let (caller, Work { label, name, parameters, facts }) = (Site::caller(), work);
    let lengths = data.chunks().axis(0).to_vec();
    let origins: Vec<Vec<usize>> = data.chunks().axes().map(starts).collect();
    let parameters = (parameters, origins.clone());
    let task = FnTask::new(label, move |at: Place<'_>, inputs: &mut Inputs<'_>| {
        let coords = at.coords();
        let column = origins.get(1).map_or(0, |starts| starts[coords[1]]);
        Ok(Record(Partial(piece(R::block(inputs, 0)?, (origins[0][coords[0]], column))?)))
    })
    .params(name, &parameters)
    .facts(move |at, _| facts(lengths[at.coords()[0]]));
    let layer = data.read(Layer::build(task).caller(caller)).finish(data.grid().clone());
    fold(label, &Port::of(layer), caller, options)
}

/// Other rows, lazily: `rows` makes those of each block, and is told the number of its first row.
///
/// **Shape** `(n, m) → (n, …row)`, the row blocks of `x`. The bytes of an answer are known from its shape, so that `facts`
/// need not tell them. **Cost** one pass.
#[track_caller]
pub(crate) fn map<B: Element, R: Dimension>(
    x: &Array<f64, Ix2>,
    row: R,
    work: Work<impl Token, impl Fn(usize) -> Facts + Send + Sync + 'static>,
    rows: impl for<'a> Fn(ArrayView2<'a, f64>, usize) -> Result<ndarray::Array<B, R::Larger>, TaskError>
    + Send
    + Sync
    + 'static,
) -> Array<B, R::Larger> {
    let (caller, Work { label, name, parameters, facts }) = (Site::caller(), work);
    let x = whole_rows(x);
    let lengths = x.chunks().axis(0).to_vec();
    let first_rows = starts(&lengths);
    let parameters = (parameters, first_rows.clone());
    let row_bytes = row.size() * size_of::<B>();
    let mut chunks = vec![lengths.clone()];
    chunks.extend(row.as_array_view().iter().map(|&length| vec![length]));
    let task = FnTask::new(label, move |at: Place<'_>, inputs: &mut Inputs<'_>| {
        let block = <&Array<f64, Ix2>>::block(inputs, 0)?;
        Ok(Block::new(rows(block, first_rows[at.coords()[0]])?.into_dyn()))
    })
    .params(name, &parameters)
    .facts(move |at, _| {
        let n_rows = lengths[at.coords()[0]];
        Facts { output_bytes: Facts::bytes((n_rows * row_bytes) as u64).output_bytes, ..facts(n_rows) }
    });
    let grid: Vec<usize> = chunks.iter().map(Vec::len).collect();
    let wiring = Wiring::axes([AxisMap::follow(0), AxisMap::Fixed(0)]);
    let layer = Layer::build(task).caller(caller).input(x.port(), wiring).finish(Grid::from(grid.as_slice()));
    Array::from_port(Port::of(layer), Chunking::from_lengths(&chunks))
}
