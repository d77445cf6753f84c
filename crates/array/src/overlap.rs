//! Blocks that see their neighbors: halos, functions that need them, and cutting them off again.

use crate::array::Array;
use crate::block::Block;
use crate::chunks::Chunking;
use crate::element::{Element, Plain};
use crate::error::{Error, Shape, expect};
use crate::gather::check;
use crate::kernel::assemble::{Piece, offsets};
use crate::kernel::memory::{OutOfMemory, copied};
use crate::kernel::overlap::{Boundary, Depth, halo, padded_pieces, trimmed};
use crate::region::{AxisReads, assemble_inputs, wiring};
use musher_graph_core::{
    Facts, Inputs, Layer, Output, Place, Port, Session, Task, TaskError, Token, Tokenizer, Wiring,
};
use ndarray::{ArrayD, ArrayView, ArrayViewD, Dimension};
use std::borrow::Cow;
use std::marker::PhantomData;
use std::panic::Location;

/// How deep the halo of a block is along each axis.
///
/// A number is the depth on both sides of every axis; an array, a tuple or a vector gives one entry for each axis:
/// a number for both sides, or a [`Depth`] for each side its own.
///
/// # Examples
/// ```
/// use musher_array::{Depth, Depths};
/// assert_eq!(Depths::from((1, 0)), Depths::from([Depth::both(1), Depth::both(0)]));
/// assert_ne!(Depths::from(1), Depths::from([Depth::new(1, 0)]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Depths {
    /// The same along every axis.
    Every(Depth),
    /// One entry for each axis.
    Axes(Vec<Depth>),
}

impl From<usize> for Depths {
    fn from(both: usize) -> Self {
        Self::Every(Depth::both(both))
    }
}

impl From<Depth> for Depths {
    fn from(depth: Depth) -> Self {
        Self::Every(depth)
    }
}

impl<const N: usize> From<[usize; N]> for Depths {
    fn from(depths: [usize; N]) -> Self {
        Self::Axes(depths.map(Depth::both).to_vec())
    }
}

impl<const N: usize> From<[Depth; N]> for Depths {
    fn from(depths: [Depth; N]) -> Self {
        Self::Axes(depths.to_vec())
    }
}

impl From<Vec<Depth>> for Depths {
    fn from(depths: Vec<Depth>) -> Self {
        Self::Axes(depths)
    }
}

impl From<Vec<usize>> for Depths {
    fn from(depths: Vec<usize>) -> Self {
        Self::Axes(depths.into_iter().map(Depth::both).collect())
    }
}

impl From<(usize, usize)> for Depths {
    fn from((first, second): (usize, usize)) -> Self {
        [first, second].into()
    }
}

impl From<(usize, usize, usize)> for Depths {
    fn from((first, second, third): (usize, usize, usize)) -> Self {
        [first, second, third].into()
    }
}

/// What a block sees beyond the ends of each axis.
///
/// One [`Boundary`] holds for every axis; an array or a vector gives one for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Boundaries<A> {
    /// The same along every axis.
    Every(Boundary<A>),
    /// One for each axis.
    Axes(Vec<Boundary<A>>),
}

impl<A> From<Boundary<A>> for Boundaries<A> {
    fn from(boundary: Boundary<A>) -> Self {
        Self::Every(boundary)
    }
}

impl<A, const N: usize> From<[Boundary<A>; N]> for Boundaries<A> {
    fn from(boundaries: [Boundary<A>; N]) -> Self {
        Self::Axes(boundaries.into())
    }
}

impl<A> From<Vec<Boundary<A>>> for Boundaries<A> {
    fn from(boundaries: Vec<Boundary<A>>) -> Self {
        Self::Axes(boundaries)
    }
}

/// One axis of an overlap: what its blocks are without and with their halos.
struct HaloAxis<A> {
    offsets: Vec<usize>,
    depth: Depth,
    boundary: Boundary<A>,
}

impl<A: Element> HaloAxis<A> {
    fn n_blocks(&self) -> usize {
        self.offsets.len() - 1
    }

    fn halo(&self, block: usize) -> Depth {
        halo(&self.offsets, block, self.depth, &self.boundary)
    }

    fn pieces(&self, block: usize) -> Vec<Piece<A>> {
        padded_pieces(&self.offsets, block, self.depth, &self.boundary)
    }

    fn padded_length(&self, block: usize) -> usize {
        let halo = self.halo(block);
        self.offsets[block + 1] - self.offsets[block] + halo.before + halo.after
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.offsets.token(tokenizer);
        (self.depth.before, self.depth.after).token(tokenizer);
        match &self.boundary {
            Boundary::None => tokenizer.word(0),
            Boundary::Reflect => tokenizer.word(1),
            Boundary::Mirror => tokenizer.word(2),
            Boundary::Periodic => tokenizer.word(3),
            Boundary::Nearest => tokenizer.word(4),
            Boundary::Constant(value) => {
                tokenizer.word(5);
                let mut bytes = vec![0; <A as Plain>::BYTES];
                value.store(&mut bytes);
                tokenizer.bytes(&bytes);
            }
        }
    }
}

/// All axes of an overlap.
struct Halos<A>(Vec<HaloAxis<A>>);

impl<A: Element> Halos<A> {
    /// The halos of an array with these blocks.
    fn new(
        operation: &'static str,
        chunking: &Chunking,
        depths: Depths,
        boundaries: Boundaries<A>,
        caller: &'static Location<'static>,
    ) -> Result<Self, Error> {
        let ndim = chunking.ndim();
        let wrong = |found: usize| Error::Shapes {
            operation,
            left: Shape(chunking.shape()),
            right: Shape(vec![0; found]),
            caller,
        };
        let depths = match depths {
            Depths::Every(depth) => vec![depth; ndim],
            Depths::Axes(depths) => depths,
        };
        let boundaries = match boundaries {
            Boundaries::Every(boundary) => vec![boundary; ndim],
            Boundaries::Axes(boundaries) => boundaries,
        };
        if depths.len() != ndim || boundaries.len() != ndim {
            return Err(wrong(if depths.len() == ndim { boundaries.len() } else { depths.len() }));
        }
        let axes = chunking.axes().zip(depths).zip(boundaries);
        Ok(Self(
            axes.map(|((lengths, depth), boundary)| HaloAxis { offsets: offsets(lengths), depth, boundary })
                .collect(),
        ))
    }

    fn reads(&self) -> Vec<AxisReads> {
        self.0
            .iter()
            .map(|axis| {
                AxisReads::covering(axis.n_blocks(), (0..axis.n_blocks()).map(|place| axis.pieces(place)))
            })
            .collect()
    }

    fn padded_shape(&self, coords: &[usize]) -> Vec<usize> {
        self.0.iter().zip(coords).map(|(axis, &coord)| axis.padded_length(coord)).collect()
    }

    fn at(&self, coords: &[usize]) -> Vec<Depth> {
        self.0.iter().zip(coords).map(|(axis, &coord)| axis.halo(coord)).collect()
    }

    /// The block lengths with halos.
    fn padded_chunking(&self) -> Chunking {
        Chunking::from_axes(
            self.0.iter().map(|axis| (0..axis.n_blocks()).map(|block| axis.padded_length(block)).collect()),
        )
    }

    /// The block at these coordinates with its halo.
    fn padded(
        &self,
        reads: &[AxisReads],
        coords: &[usize],
        inputs: &Inputs<'_>,
    ) -> Result<ArrayD<A>, TaskError> {
        let pieces: Vec<Vec<Piece<A>>> =
            self.0.iter().zip(coords).map(|(axis, &coord)| axis.pieces(coord)).collect();
        assemble_inputs(reads, coords, &pieces, inputs)
    }

    fn padded_bytes(&self, at: Place<'_>) -> u64 {
        (self.padded_shape(&at.coords()).iter().product::<usize>() * size_of::<A>()) as u64
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.word(self.0.len() as u64);
        self.0.iter().for_each(|axis| axis.token(tokenizer));
    }
}

/// Gives each block its halo.
struct Overlap<A> {
    halos: Halos<A>,
    reads: Vec<AxisReads>,
}

impl<A: Element> Task for Overlap<A> {
    fn label(&self) -> Cow<'_, str> {
        "overlap".into()
    }

    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        Ok(Output::one(Block::new(self.halos.padded(&self.reads, &at.coords(), &inputs)?)))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("array.overlap/1");
        self.halos.token(tokenizer);
    }

    fn facts(&self, at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        let bytes = self.halos.padded_bytes(at);
        Facts::bytes(bytes).cost(1000 + bytes / 4)
    }
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

    fn facts(&self, at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        // The halo is thin: the block with it is a good enough bound.
        let bytes = self.halos.padded_bytes(at);
        Facts::bytes(bytes).cost(500 + bytes / 8)
    }
}

/// Runs a user's function on each block with its halo, and cuts the halo off its result.
struct MapOverlap<A, D, B, F> {
    function: F,
    fresh: (u64, u64),
    halos: Halos<A>,
    reads: Vec<AxisReads>,
    marker: PhantomData<fn(D) -> B>,
}

impl<A, D, B, F> Task for MapOverlap<A, D, B, F>
where
    A: Element,
    D: Dimension + 'static,
    B: Element,
    F: Fn(ArrayView<'_, A, D>) -> ndarray::Array<B, D> + Send + Sync + 'static,
{
    fn label(&self) -> Cow<'_, str> {
        "map_overlap".into()
    }

    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let coords = at.coords();
        let padded = self.halos.padded(&self.reads, &coords, &inputs)?;
        let result = (self.function)(padded.view().into_dimensionality::<D>()?).into_dyn();
        check(padded.shape(), result.shape())?;
        Ok(Output::one(Block::new(cut(result, &self.halos.at(&coords))?)))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("array.map_overlap/1");
        if size_of::<F>() == 0 {
            tokenizer.type_of::<F>();
        } else {
            self.fresh.token(tokenizer);
            tokenizer.bind_to_process();
        }
        self.halos.token(tokenizer);
    }

    fn facts(&self, at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        let coords = at.coords();
        let own = self.halos.0.iter().zip(&coords).map(|(axis, &at)| axis.offsets[at + 1] - axis.offsets[at]);
        let own: usize = own.product();
        let padded: usize = self.halos.padded_shape(&coords).iter().product();
        // The block with its halo, and what the function makes of it.
        Facts::bytes((own * size_of::<B>()) as u64)
            .scratch((padded * (size_of::<A>() + size_of::<B>())) as u64)
    }
}

/// The block without its halo; copied only where there is one.
fn cut<B: Element>(block: ArrayD<B>, halos: &[Depth]) -> Result<ArrayD<B>, OutOfMemory> {
    match halos.iter().all(|halo| *halo == Depth::default()) {
        true => Ok(block),
        false => {
            let inside: ArrayViewD<'_, B> = trimmed(block.view(), halos);
            copied(&inside)
        }
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
        depth: impl Into<Depths>,
        boundary: impl Into<Boundaries<A>>,
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
        depth: impl Into<Depths>,
        boundary: impl Into<Boundaries<A>>,
        f: F,
    ) -> Result<Array<B, D>, Error>
    where
        B: Element,
        F: Fn(ArrayView<'_, A, D>) -> ndarray::Array<B, D> + Send + Sync + 'static,
    {
        let caller = Location::caller();
        let halos = Halos::new("map_overlap", self.chunks(), depth.into(), boundary.into(), caller)?;
        let reads = halos.reads();
        let wiring = wiring(&reads);
        let task = MapOverlap {
            function: f,
            fresh: Session::fresh(),
            halos,
            reads,
            marker: PhantomData::<fn(D) -> B>,
        };
        let layer =
            Layer::build(task).caller(caller).input(&self.core().port, wiring).finish(self.chunks().grid());
        Ok(Array::from_port(Port::of(layer), self.chunks().clone()))
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
    /// let wide = x.overlap(1, Boundary::Periodic);
    /// assert_eq!(wide.compute()?, arr1(&[4, 1, 2, 3, 2, 3, 4, 1]));
    /// assert_eq!(wide.trim_overlap(x.chunks(), 1, Boundary::Periodic).compute()?, arr1(&[1, 2, 3, 4]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[must_use]
    #[doc(alias = "dask.array.overlap.overlap")]
    #[doc(alias = "ghost")]
    pub fn overlap(&self, depth: impl Into<Depths>, boundary: impl Into<Boundaries<A>>) -> Self {
        expect(self.try_overlap(depth, boundary))
    }

    /// As [`overlap`](Self::overlap).
    ///
    /// # Errors
    /// [`Error::Shapes`] when there is not one depth and one boundary for each axis.
    #[track_caller]
    pub fn try_overlap(
        &self,
        depth: impl Into<Depths>,
        boundary: impl Into<Boundaries<A>>,
    ) -> Result<Self, Error> {
        let caller = Location::caller();
        let halos = Halos::new("overlap", self.chunks(), depth.into(), boundary.into(), caller)?;
        let (chunking, reads) = (halos.padded_chunking(), halos.reads());
        let wiring = wiring(&reads);
        let layer = Layer::build(Overlap { halos, reads }).caller(caller).input(&self.core().port, wiring);
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
        depth: impl Into<Depths>,
        boundary: impl Into<Boundaries<A>>,
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
        depth: impl Into<Depths>,
        boundary: impl Into<Boundaries<A>>,
    ) -> Result<Self, Error> {
        let caller = Location::caller();
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
