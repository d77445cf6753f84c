//! The neutral exits: an array as one delayed ndarray array for each block, and back.

use crate::array::{Array, Core};
use crate::block::Block;
use crate::chunks::Chunking;
use crate::element::Element;
use crate::error::Error;
use crate::gather::check;
use musher_graph_core::{AxisMap, Delayed, Facts, FnTask, Inputs, Layer, Place, Port, Site, Value, Wiring};
use ndarray::Dimension;
use std::sync::Arc;

impl<A: Element, D: Dimension + 'static> Array<A, D> {
    /// One delayed [`ndarray::Array`] for each block, in C order of the blocks.
    ///
    /// **Cost** none where the block is not needed by others, else a copy of it.
    ///
    /// # Panics
    /// Never: the number of axes was checked when the array was made.
    ///
    /// # Examples
    /// ```
    /// use musher_array::Array;
    /// use musher_graph_core::delayed;
    /// use musher_scheduler::{Compute, compute};
    /// fn largest(block: ndarray::Array1<i32>) -> i32 { block.into_iter().max().unwrap_or(i32::MIN) }
    /// # use musher_array::ndarray;
    /// let blocks = Array::arange(0, 10, 1, 4).to_delayed();
    /// let each: Vec<_> = blocks.into_iter().map(|block| delayed(largest).call(block)).collect();
    /// assert_eq!(compute(each.as_slice())?, [3, 7, 9]);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn to_delayed(&self) -> Vec<Delayed<ndarray::Array<A, D>>> {
        let caller = Site::caller();
        let (port, grid) = (&self.core().port, self.chunks().grid());
        let one = |index: usize| {
            let task = FnTask::new("to_delayed", |_: Place<'_>, inputs: &mut Inputs<'_>| {
                let block = inputs.take::<Block<A>>(0)?;
                let array = Arc::try_unwrap(block).unwrap_or_else(|shared| (*shared).clone()).into_array();
                Ok(Value(array.into_dimensionality::<D>()?))
            })
            .named("array.to_delayed/1")
            .facts(|_, inputs| inputs.first().copied().flatten().map_or_else(Facts::default, Facts::bytes));
            let wiring = Wiring::axes(grid.coords_of(index).iter().map(|&at| AxisMap::Fixed(at)));
            let layer = Layer::build(task).caller(caller).input(port, wiring);
            Delayed::from_port(Port::of(layer.finish(musher_graph_core::Grid::scalar())))
        };
        (0..grid.n_tasks()).map(one).collect()
    }

    /// The array whose blocks are these delayed arrays, in C order of the blocks that `chunks` describes.
    ///
    /// A delayed array of another shape than promised fails the computation.
    ///
    /// # Errors
    /// [`Error::Arrangement`] when there are more or fewer than `chunks` has blocks, or the number of axes is not
    /// that of `D`.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, Chunking, ndarray::{Array1, arr1}};
    /// use musher_graph_core::delayed;
    /// use musher_scheduler::Compute;
    /// fn read(part: usize) -> Array1<f64> { Array1::from_elem(2, part as f64) }
    /// let parts: Vec<_> = (0..3).map(|part| delayed(read).call(part)).collect();
    /// let x = Array::from_delayed(parts, Chunking::from_lengths(&[vec![2, 2, 2]]))?;
    /// assert_eq!(x.compute()?, arr1(&[0.0, 0.0, 1.0, 1.0, 2.0, 2.0]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn from_delayed(
        blocks: impl IntoIterator<Item = Delayed<ndarray::Array<A, D>>>,
        chunks: Chunking,
    ) -> Result<Self, Error> {
        let caller = Site::caller();
        let wrong = |problem: &'static str| Error::Arrangement { operation: "from_delayed", problem, caller };
        let blocks: Vec<_> = blocks.into_iter().collect();
        if blocks.len() != chunks.n_blocks() {
            return Err(wrong("another number of delayed arrays than of blocks"));
        }
        if D::NDIM.is_some_and(|ndim| ndim != chunks.ndim()) {
            return Err(wrong("block lengths of another number of axes"));
        }
        let grid = chunks.grid();
        let promised = chunks.clone();
        let task = FnTask::new("from_delayed", move |at: Place<'_>, inputs: &mut Inputs<'_>| {
            let value = inputs.take::<Value<ndarray::Array<A, D>>>(0)?;
            let array = Arc::try_unwrap(value).map_or_else(|shared| shared.0.clone(), |own| own.0);
            check(&promised.block_shape(&at.coords()), array.shape())?;
            Ok(Block::new(array.into_dyn()))
        })
        .params("array.from_delayed/1", &chunks)
        .facts({
            let promised = chunks.clone();
            move |at, _| {
                let n: usize = promised.block_shape(&at.coords()).iter().product();
                Facts::bytes((n * size_of::<A>()) as u64)
            }
        });
        let ones = vec![1; chunks.ndim()];
        let mut builder = Layer::build(task).caller(caller);
        for (index, block) in blocks.iter().enumerate() {
            let start = grid.coords_of(index);
            builder =
                builder.part(musher_graph_core::Collection::port(block), &start, &ones, Wiring::axes([]));
        }
        Ok(Self::from_core(Core { port: Port::of(builder.finish(grid)), chunking: chunks }))
    }
}
