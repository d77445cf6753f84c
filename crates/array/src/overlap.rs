//! Blocks that see their neighbors: halos, functions that need them, and cutting them off again.

use crate::array::Array;
use crate::block::Block;
use crate::chunks::Chunking;
use crate::element::Element;
use crate::error::{Error, Shape, expect};
use crate::gather::check;
use crate::halos::Halos;
use crate::kernel::memory::copied;
use crate::kernel::overlap::{Boundary, Depth, trimmed};
use crate::neighborhood::{Band, Kernel, neighborhood};
use crate::per_axis::PerAxis;
use crate::region::wiring;
use musher_graph_core::{
    Codec, Facts, FnIdentity, Inputs, Layer, Output, Place, Port, Site, Task, TaskError, Tokenizer, Wiring,
    function_name,
};
use ndarray::{ArrayView, ArrayViewD, ArrayViewMutD, Dimension};
use std::borrow::Cow;
use std::marker::PhantomData;

/// Gives each block its halo.
struct Overlap<A> {
    halos: Halos<A>,
}

impl<A: Element> Task for Overlap<A> {
    fn label(&self) -> Cow<'_, str> {
        "overlap".into()
    }

    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        Ok(Output::one(Block::new(self.halos.padded(&at.coords(), &inputs)?)))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("array.overlap/1");
        self.halos.token(tokenizer);
    }

    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        Some(Block::<A>::CODEC)
    }

    fn facts(&self, at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        let bytes = padded_bytes(&self.halos, at);
        Facts::bytes(bytes).cost(1000 + bytes / 4)
    }
}

fn padded_bytes<A: Element>(halos: &Halos<A>, at: Place<'_>) -> u64 {
    (halos.padded_shape(&at.coords()).iter().product::<usize>() * size_of::<A>()) as u64
}

/// Cuts the halo off each block.
struct TrimOverlap<A> {
    halos: Halos<A>,
}

impl<A: Element> Task for TrimOverlap<A> {
    fn label(&self) -> Cow<'_, str> {
        "trim_overlap".into()
    }

    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let block: &Block<A> = inputs.get(0)?;
        let coords = at.coords();
        check(&self.halos.padded_shape(&coords), block.shape())?;
        Ok(Output::one(Block::new(copied(&trimmed(block.view(), &self.halos.at(&coords)))?)))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("array.trim_overlap/1");
        self.halos.token(tokenizer);
    }

    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        Some(Block::<A>::CODEC)
    }

    fn facts(&self, at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        // The halo is thin: the block with it is a good enough bound.
        let bytes = padded_bytes(&self.halos, at);
        Facts::bytes(bytes).cost(500 + bytes / 8)
    }
}

/// Runs a user's function on each block with its halo, and cuts the halo off its result.
struct MapOverlap<A, D, B, F> {
    function: F,
    identity: FnIdentity,
    label: &'static str,
    marker: PhantomData<fn(A, D) -> B>,
}

impl<A, D, B, F> Kernel for MapOverlap<A, D, B, F>
where
    A: Element,
    D: Dimension + 'static,
    B: Element,
    F: Fn(ArrayView<'_, A, D>) -> ndarray::Array<B, D> + Send + Sync + 'static,
{
    type In = A;
    type Out = B;
    type Scratch = ();

    fn label(&self) -> &'static str {
        self.label
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.identity.enter::<F>("array.map_overlap/1", tokenizer);
    }

    fn wants_whole(&self) -> bool {
        true
    }

    fn scratch(&self, elements: usize) -> usize {
        elements * size_of::<B>()
    }

    fn run(&self, band: &Band<'_, A>, (): &mut (), out: &mut [B]) -> Result<(), TaskError> {
        let padded = ArrayViewD::from_shape(band.shape, band.elements)?.into_dimensionality::<D>()?;
        let result = (self.function)(padded).into_dyn();
        check(band.shape, result.shape())?;
        ArrayViewMutD::from_shape(band.own_shape(), out)?.assign(&trimmed(result.view(), band.halo));
        Ok(())
    }
}

impl<A: Element, D: Dimension + 'static> Array<A, D> {
    /// Applies `f` to every block enlarged by some elements of its neighbors, and cuts the enlargement off what `f`
    /// gives: filters and stencils in blocks.
    ///
    /// `f` gets the block with its halo and must give back an array of the same shape, perhaps of another element
    /// type. A halo may be deeper than a block: it then spans several. A function that captures nothing is taken
    /// to be pure: applied twice to the same array it runs once.
    ///
    /// **Shape** and blocks stay.
    /// **Cost** one pass; a task holds a block and its neighbors, the enlarged block and its result.
    ///
    /// # Panics
    /// When there is not one depth and one boundary for each axis.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, Boundary, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[1.0, 2.0, 4.0, 7.0, 11.0]), 2);
    /// // The difference of both neighbors; beyond the ends stands the last element again.
    /// let slope = x.map_overlap(1, Boundary::Nearest, |block| {
    ///     let mut slope = block.to_owned();
    ///     for i in 1..block.len() - 1 {
    ///         slope[i] = block[i + 1] - block[i - 1];
    ///     }
    ///     slope
    /// });
    /// assert_eq!(slope.compute()?, arr1(&[1.0, 3.0, 5.0, 7.0, 4.0]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `dask.array.map_overlap`, which joins blocks that are thinner than the halo; here blocks stay.
    #[track_caller]
    #[must_use]
    #[doc(alias = "dask.array.map_overlap")]
    #[doc(alias = "stencil")]
    pub fn map_overlap<B, F>(
        &self,
        depth: impl Into<PerAxis<Depth>>,
        boundary: impl Into<PerAxis<Boundary<A>>>,
        f: F,
    ) -> Array<B, D>
    where
        B: Element,
        F: Fn(ArrayView<'_, A, D>) -> ndarray::Array<B, D> + Send + Sync + 'static,
    {
        expect(self.try_map_overlap(depth, boundary, f))
    }

    /// As [`map_overlap`](Self::map_overlap).
    ///
    /// # Errors
    /// [`Error::Shapes`] when there is not one depth and one boundary for each axis.
    #[track_caller]
    pub fn try_map_overlap<B, F>(
        &self,
        depth: impl Into<PerAxis<Depth>>,
        boundary: impl Into<PerAxis<Boundary<A>>>,
        f: F,
    ) -> Result<Array<B, D>, Error>
    where
        B: Element,
        F: Fn(ArrayView<'_, A, D>) -> ndarray::Array<B, D> + Send + Sync + 'static,
    {
        let kernel = MapOverlap {
            label: function_name::<F>().unwrap_or("map_overlap"),
            function: f,
            identity: FnIdentity::of::<F>(),
            marker: PhantomData::<fn(A, D) -> B>,
        };
        neighborhood(self, depth, boundary, kernel)
    }

    /// The array whose blocks are enlarged by some elements of their neighbors; elements in a halo occur several
    /// times.
    ///
    /// **Shape** each axis grows by what its blocks grow; as many blocks as before.
    /// **Cost** one pass; a task holds a block and its neighbors.
    ///
    /// # Panics
    /// When there is not one depth and one boundary for each axis.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, Boundary, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[1, 2, 3, 4]), 2);
    /// let wide = x.overlap(1, Boundary::Wrap);
    /// assert_eq!(wide.compute()?, arr1(&[4, 1, 2, 3, 2, 3, 4, 1]));
    /// assert_eq!(wide.trim_overlap(x.chunks(), 1, Boundary::Wrap).compute()?, arr1(&[1, 2, 3, 4]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[must_use]
    #[doc(alias = "dask.array.overlap.overlap")]
    #[doc(alias = "ghost")]
    pub fn overlap(
        &self,
        depth: impl Into<PerAxis<Depth>>,
        boundary: impl Into<PerAxis<Boundary<A>>>,
    ) -> Self {
        expect(self.try_overlap(depth, boundary))
    }

    /// As [`overlap`](Self::overlap).
    ///
    /// # Errors
    /// [`Error::Shapes`] when there is not one depth and one boundary for each axis.
    #[track_caller]
    pub fn try_overlap(
        &self,
        depth: impl Into<PerAxis<Depth>>,
        boundary: impl Into<PerAxis<Boundary<A>>>,
    ) -> Result<Self, Error> {
        let caller = Site::caller();
        let halos = Halos::new("overlap", self.chunks(), depth.into(), boundary.into(), caller)?;
        let (chunking, wiring) = (halos.padded_chunking(), wiring(halos.reads()));
        let layer = Layer::build(Overlap { halos }).caller(caller).input(&self.core().port, wiring);
        Ok(Self::from_port(Port::of(layer.finish(chunking.grid())), chunking))
    }

    /// Undoes [`overlap`](Self::overlap): cuts off the halos that blocks of lengths `chunks` were given.
    ///
    /// **Shape** and blocks are those of `chunks`.
    /// **Cost** one pass.
    ///
    /// # Panics
    /// When there is not one depth and one boundary for each axis, or the blocks of this array are not those of `chunks`
    /// with such halos.
    #[must_use]
    #[track_caller]
    #[doc(alias = "dask.array.overlap.trim_internal")]
    pub fn trim_overlap(
        &self,
        chunks: &Chunking,
        depth: impl Into<PerAxis<Depth>>,
        boundary: impl Into<PerAxis<Boundary<A>>>,
    ) -> Self {
        expect(self.try_trim_overlap(chunks, depth, boundary))
    }

    /// As [`trim_overlap`](Self::trim_overlap).
    ///
    /// # Errors
    /// [`Error::Shapes`] when there is not one depth and one boundary for each axis, [`Error::Chunks`] when the blocks of
    /// this array are not those of `chunks` with such halos.
    #[track_caller]
    pub fn try_trim_overlap(
        &self,
        chunks: &Chunking,
        depth: impl Into<PerAxis<Depth>>,
        boundary: impl Into<PerAxis<Boundary<A>>>,
    ) -> Result<Self, Error> {
        let caller = Site::caller();
        let halos = Halos::new("trim_overlap", chunks, depth.into(), boundary.into(), caller)?;
        let padded = halos.padded_chunking();
        if padded != *self.chunks() {
            return Err(Error::Chunks { blocks: Shape(padded.shape()), shape: Shape(self.shape()), caller });
        }
        let wiring = Wiring::one_to_one(self.ndim());
        let layer = Layer::build(TrimOverlap { halos }).caller(caller).input(&self.core().port, wiring);
        Ok(Self::from_port(Port::of(layer.finish(chunks.grid())), chunks.clone()))
    }
}
