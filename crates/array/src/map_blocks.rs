//! A user's function on every block.

use crate::array::Array;
use crate::block::Block;
use crate::chunks::Chunking;
use crate::element::Element;
use crate::error::{Error, expect};
use crate::gather::check;
use crate::rechunk::rechunked;
use musher_graph_core::{
    AxisMap, Codec, Facts, FnIdentity, Inputs, Layer, Output, Place, Port, Site, Task, TaskError, Token,
    Tokenizer, Wiring, function_name,
};
use ndarray::{ArrayView, Axis, Dimension, RemoveAxis};
use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

/// Where a block stands in its array.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_scheduler::Compute;
/// let x = Array::<i64, _>::zeros(4, 3).map_blocks_with_place(|place, block| block.mapv(|_| place.start[0] as i64));
/// assert_eq!(x.compute()?, arr1(&[0, 0, 0, 3]));
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "block_info")]
pub struct BlockPlace {
    /// Which block it is, along each axis.
    pub coords: Vec<usize>,
    /// The index in the whole array of its first element.
    pub start: Vec<usize>,
    /// Its shape.
    pub shape: Vec<usize>,
}

/// Runs a user's function on a block.
struct MapBlocks<A, D, B, E, F> {
    function: F,
    identity: FnIdentity,
    label: &'static str,
    input: Chunking,
    output: Chunking,
    marker: PhantomData<Signature<A, D, B, E>>,
}

/// From blocks of `A` and `D` to blocks of `B` and `E`.
type Signature<A, D, B, E> = fn(A, D) -> (B, E);

impl<A, D, B, E, F> Task for MapBlocks<A, D, B, E, F>
where
    A: Element,
    D: Dimension + 'static,
    B: Element,
    E: Dimension + 'static,
    F: Fn(BlockPlace, ArrayView<'_, A, D>) -> ndarray::Array<B, E> + Send + Sync + 'static,
{
    fn label(&self) -> Cow<'_, str> {
        self.label.into()
    }

    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let block: &Block<A> = inputs.get(0)?;
        let place = self.input_place(at);
        let view = block.view().into_dimensionality::<D>()?;
        let result = (self.function)(place, view).into_dyn();
        check(&self.output.block_shape(&at.coords()), result.shape())?;
        Ok(Output::one(Block::new(result)))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.identity.enter::<F>("array.map_blocks/1", tokenizer);
        self.output.token(tokenizer);
    }

    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        Some(Block::<B>::CODEC)
    }

    fn facts(&self, at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        let n: usize = self.output.block_shape(&at.coords()).iter().product();
        Facts::bytes((n * size_of::<B>()) as u64)
    }
}

impl<A, D, B, E, F> MapBlocks<A, D, B, E, F> {
    /// Where the input block stands: both grids have the same tasks in C order.
    fn input_place(&self, at: Place<'_>) -> BlockPlace {
        let coords = self.input.grid().coords_of(at.index());
        BlockPlace {
            start: self.input.block_start(&coords),
            shape: self.input.block_shape(&coords),
            coords: coords.to_vec(),
        }
    }
}

impl<A: Element, D: Dimension + 'static> Array<A, D> {
    /// Applies `f` to every block; it gives a block of the same shape, perhaps of another element type.
    ///
    /// A function that captures nothing is taken to be pure: applied twice to the same array it runs once. Pictures and
    /// errors call the step by the function's name, if it has one.
    ///
    /// **Shape** and blocks stay.
    /// **Cost** one pass; one block in, one block out.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[3.0, 1.0, 2.0]), 2);
    /// let ranks = x.map_blocks(|block| block.mapv(|value: f64| value as u8));
    /// assert_eq!(ranks.compute()?, arr1(&[3_u8, 1, 2]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[track_caller]
    #[doc(alias = "dask.array.map_blocks")]
    pub fn map_blocks<B, F>(&self, f: F) -> Array<B, D>
    where
        B: Element,
        F: Fn(ArrayView<'_, A, D>) -> ndarray::Array<B, D> + Send + Sync + 'static,
    {
        expect(self.mapped(self.chunks().clone(), move |_, block| f(block), function_name::<F>()))
    }

    /// As [`map_blocks`](Self::map_blocks), for a function that wants to know where the block stands.
    #[track_caller]
    #[doc(alias = "block_info")]
    pub fn map_blocks_with_place<B, F>(&self, f: F) -> Array<B, D>
    where
        B: Element,
        F: Fn(BlockPlace, ArrayView<'_, A, D>) -> ndarray::Array<B, D> + Send + Sync + 'static,
    {
        expect(self.try_map_blocks_to(self.chunks().clone(), f))
    }

    /// Applies `f` to every block, the whole of `axis` with it; it gives a block without that axis.
    ///
    /// **Shape** that of the array without the axis. The axis is brought into one block first.
    /// **Cost** one pass; one block in, one block out.
    ///
    /// # Panics
    /// When there is no such axis.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::Axis};
    /// use musher_scheduler::Compute;
    /// let rgb = Array::<u8, _>::ones((4, 6, 3), (2, 3, 1));
    /// let gray = rgb.map_blocks_dropping(Axis(2), |block| block.mapv(f32::from).sum_axis(Axis(2)));
    /// assert_eq!(gray.compute()?[[3, 5]], 3.0);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "drop_axis")]
    pub fn map_blocks_dropping<B, F>(&self, axis: Axis, f: F) -> Array<B, D::Smaller>
    where
        B: Element,
        D: RemoveAxis,
        F: Fn(ArrayView<'_, A, D>) -> ndarray::Array<B, D::Smaller> + Send + Sync + 'static,
    {
        expect(self.try_map_blocks_dropping(axis, f))
    }

    /// As [`map_blocks_dropping`](Self::map_blocks_dropping).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis.
    #[track_caller]
    pub fn try_map_blocks_dropping<B, F>(&self, axis: Axis, f: F) -> Result<Array<B, D::Smaller>, Error>
    where
        B: Element,
        D: RemoveAxis,
        F: Fn(ArrayView<'_, A, D>) -> ndarray::Array<B, D::Smaller> + Send + Sync + 'static,
    {
        let (Axis(axis), ndim, caller) = (axis, self.ndim(), Site::caller());
        if axis >= ndim {
            return Err(Error::Axis { operation: "map_blocks_dropping", axis, ndim, caller });
        }
        let whole = [self.shape()[axis]].into();
        let lengths =
            (0..ndim).map(|at| if at == axis { Arc::clone(&whole) } else { self.chunks().shared_axis(at) });
        let one_block = rechunked::<A>(self.core(), &Chunking::from_axes(lengths), caller);
        let kept = (0..ndim).filter(|&at| at != axis).map(|at| self.chunks().shared_axis(at));
        let chunks = Chunking::from_axes(kept);
        Self::from_core(one_block).mapped(chunks, move |_, block| f(block), function_name::<F>())
    }

    /// Applies `f` to every block; it gives blocks of the lengths that `chunks` says, perhaps with other axes.
    ///
    /// **Shape** that of `chunks`, which must have as many blocks as this array along each axis; axes of one block
    /// may be dropped and added.
    /// **Cost** one pass; one block in, one block out.
    ///
    /// # Panics
    /// When the blocks of `chunks` are not in one-to-one relation to those of this array.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, Chunking, ndarray::{Axis, Ix2}};
    /// use musher_scheduler::Compute;
    /// let x = Array::<f64, _>::ones((4, 6), (2, 3));
    /// // The first and the last column of each block.
    /// let chunks = Chunking::from_lengths(&[vec![2, 2], vec![2, 2]]);
    /// let ends = x.map_blocks_to::<f64, Ix2, _>(chunks, |_, block| block.select(Axis(1), &[0, 2]));
    /// assert_eq!(ends.compute()?.shape(), [4, 4]);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "new_axis")]
    pub fn map_blocks_to<B, E, F>(&self, chunks: Chunking, f: F) -> Array<B, E>
    where
        B: Element,
        E: Dimension + 'static,
        F: Fn(BlockPlace, ArrayView<'_, A, D>) -> ndarray::Array<B, E> + Send + Sync + 'static,
    {
        expect(self.try_map_blocks_to(chunks, f))
    }

    /// As [`map_blocks_to`](Self::map_blocks_to).
    ///
    /// # Errors
    /// [`Error::Chunks`] when the blocks of `chunks` are not in one-to-one relation to those of this array.
    #[track_caller]
    pub fn try_map_blocks_to<B, E, F>(&self, chunks: Chunking, f: F) -> Result<Array<B, E>, Error>
    where
        B: Element,
        E: Dimension + 'static,
        F: Fn(BlockPlace, ArrayView<'_, A, D>) -> ndarray::Array<B, E> + Send + Sync + 'static,
    {
        self.mapped(chunks, f, function_name::<F>())
    }

    /// The layer of a function that is called by this name, if it has one.
    #[track_caller]
    fn mapped<B, E, F>(
        &self,
        chunks: Chunking,
        f: F,
        name: Option<&'static str>,
    ) -> Result<Array<B, E>, Error>
    where
        B: Element,
        E: Dimension + 'static,
        F: Fn(BlockPlace, ArrayView<'_, A, D>) -> ndarray::Array<B, E> + Send + Sync + 'static,
    {
        let caller = Site::caller();
        let wiring = same_blocks(self.chunks(), &chunks).ok_or_else(|| Error::Chunks {
            blocks: chunks.grid_shape().as_slice().into(),
            shape: self.chunks().grid_shape().as_slice().into(),
            caller,
        })?;
        let task = MapBlocks {
            function: f,
            identity: FnIdentity::of::<F>(),
            label: name.unwrap_or("map_blocks"),
            input: self.chunks().clone(),
            output: chunks.clone(),
            marker: PhantomData,
        };
        let layer = Layer::build(task).caller(caller).input(&self.core().port, wiring).finish(chunks.grid());
        Ok(Array::from_port(Port::of(layer), chunks))
    }
}

/// The wiring between two divisions that have the same blocks but for axes of one block.
fn same_blocks(producer: &Chunking, consumer: &Chunking) -> Option<Wiring> {
    let mut several = consumer.grid_shape().into_iter().enumerate().filter(|&(_, n)| n != 1);
    let maps: Option<Vec<AxisMap>> = producer
        .grid_shape()
        .into_iter()
        .map(|n| match n {
            1 => Some(AxisMap::Fixed(0)),
            _ => several.next().filter(|&(_, other)| other == n).map(|(axis, _)| AxisMap::follow(axis)),
        })
        .collect();
    if several.next().is_some() { None } else { maps.map(Wiring::axes) }
}
