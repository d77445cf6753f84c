//! `Array<A, D>`: the typed shell that users hold, over a plain core of one layer and its block lengths.

use crate::chunks::{Chunking, Chunks};
use crate::element::{DType, Element};
use crate::error::{Error, Shape, expect};
use crate::gather::{Filling, Gather, gather};
use musher_graph_core::{Answer, ByteSize, ChunkRef, Collection, Key, Port, Site, TaskError};
use ndarray::{Dimension, IxDyn};
use std::fmt;
use std::marker::PhantomData;

/// A lazy n-dimensional array of elements `A` with ndarray's dimension `D`, divided into blocks.
///
/// A call on an array computes nothing: it adds a layer to a graph. `compute()` (from `musher_scheduler::Compute`)
/// runs the graph on all cores and gives the answer as an ordinary [`ndarray::Array`]; an `Array<A, Ix0>` gives the
/// scalar. Cheap to clone.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::Axis};
/// use musher_scheduler::Compute;
/// let x = Array::from_shape_fn((4, 6), 2, |(i, j)| (i * 6 + j) as f64);
/// let centered = &x - x.mean_axis(Axis(0));
/// assert_eq!(centered.sum().compute()?, 0.0);
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
#[doc(alias = "dask.array.Array")]
pub struct Array<A, D> {
    core: Core,
    marker: PhantomData<fn() -> (A, D)>,
}

/// What an array is at run time: where its blocks come from and how long they are.
#[derive(Clone)]
pub(crate) struct Core {
    /// The layer that makes the blocks.
    pub(crate) port: Port,
    /// The block lengths; the layer's grid has one task for each block.
    pub(crate) chunking: Chunking,
}

impl<A, D> Clone for Array<A, D> {
    fn clone(&self) -> Self {
        Self { core: self.core.clone(), marker: PhantomData }
    }
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// The array whose blocks are the chunks of a layer: the door for operations that this crate has not got.
    ///
    /// The layer's grid must have one task for each block, and each task must make a [`Block<A>`](crate::Block) of the shape that
    /// `chunks` says.
    ///
    /// # Panics
    /// When the number of axes is not that of `D`, or the grid of the layer has not one task for each block.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, Block, Chunking, ndarray::{Ix1, arr1}};
    /// use musher_graph_core::{FnTask, Grid, Inputs, Layer, Place, Port};
    /// let task = FnTask::new("squares", |at: Place<'_>, _: &mut Inputs<'_>| {
    ///     Ok(Block::new(arr1(&[(at.index() * at.index()) as f64]).into_dyn()))
    /// });
    /// let layer = Layer::build(task).finish(Grid::from([3]));
    /// let squares = Array::<f64, Ix1>::from_port(Port::of(layer), Chunking::from_lengths(&[vec![1, 1, 1]]));
    /// assert_eq!(squares.shape(), [3]);
    /// ```
    #[track_caller]
    pub fn from_port(port: Port, chunks: Chunking) -> Self {
        assert!(
            D::NDIM.is_none_or(|ndim| ndim == chunks.ndim()),
            "block lengths of {} axes for an array with {:?}",
            chunks.ndim(),
            D::NDIM
        );
        assert_eq!(*port.grid(), chunks.grid(), "a layer has one task for each block");
        Self { core: Core { port, chunking: chunks }, marker: PhantomData }
    }

    /// The same from a core.
    pub(crate) const fn from_core(core: Core) -> Self {
        Self { core, marker: PhantomData }
    }

    /// The run-time part.
    pub(crate) const fn core(&self) -> &Core {
        &self.core
    }

    /// The lengths of all axes.
    #[must_use]
    pub fn shape(&self) -> Vec<usize> {
        self.core.chunking.shape()
    }

    /// The shape as ndarray's dimension.
    ///
    /// # Panics
    /// Never: the number of axes was checked when the array was made.
    #[must_use]
    pub fn raw_dim(&self) -> D {
        D::from_dimension(&IxDyn(&self.shape())).expect("the number of axes is that of the type")
    }

    /// The number of axes.
    #[must_use]
    pub fn ndim(&self) -> usize {
        self.core.chunking.ndim()
    }

    /// The number of elements.
    #[must_use]
    #[doc(alias = "size")]
    pub fn len(&self) -> usize {
        self.shape().iter().product()
    }

    /// Whether there is no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The length of an axis.
    ///
    /// # Panics
    /// When there is no such axis.
    #[must_use]
    pub fn len_of(&self, axis: ndarray::Axis) -> usize {
        self.core.chunking.axis(axis.0).iter().sum()
    }

    /// The element type, known at run time.
    #[must_use]
    pub const fn dtype(&self) -> DType {
        A::DTYPE
    }

    /// The block lengths.
    #[must_use]
    #[doc(alias = "chunksize")]
    #[doc(alias = "numblocks")]
    pub const fn chunks(&self) -> &Chunking {
        &self.core.chunking
    }

    /// Bytes of the whole array, were it in memory.
    #[must_use]
    pub fn nbytes(&self) -> u128 {
        self.shape().iter().fold(size_of::<A>() as u128, |bytes, &length| bytes * length as u128)
    }

    /// The fingerprint of the array: equal work has an equal key.
    #[must_use]
    #[doc(alias = "name")]
    pub fn key(&self) -> Key {
        self.core.port.key()
    }

    /// The same array with its number of axes known at run time only.
    #[must_use]
    pub fn into_dyn(self) -> Array<A, IxDyn> {
        Array::from_core(self.core)
    }

    /// The same array with its number of axes in the type.
    ///
    /// # Errors
    /// [`Error::Shapes`] when the array has another number of axes.
    #[track_caller]
    pub fn into_dimensionality<D2: Dimension>(self) -> Result<Array<A, D2>, Error> {
        match D2::NDIM {
            Some(ndim) if ndim != self.ndim() => Err(Error::Shapes {
                operation: "into_dimensionality",
                left: Shape(self.shape()),
                right: Shape(vec![0; ndim]),
                caller: Site::caller(),
            }),
            _ => Ok(Array::from_core(self.core)),
        }
    }
}

/// The division that a user's wish makes of a shape; panics with the user's line as creation does.
#[track_caller]
pub(crate) fn resolve<A: Element>(chunks: &Chunks, shape: &[usize]) -> Chunking {
    expect(chunks.resolve(shape, A::DTYPE))
}

impl<A: Element, D: Gather<A>> Collection for Array<A, D> {
    type Output = D::Gathered;

    fn port(&self) -> &Port {
        &self.core.port
    }

    fn gather(&self, chunks: Vec<ChunkRef>) -> Result<Self::Output, TaskError> {
        gather::<A>(&self.core.chunking, chunks).map(D::from_dyn)
    }

    fn begin(&self) -> Option<Box<dyn Answer<Self::Output>>> {
        Some(Box::new(Filling::<A, D>::new(&self.core.chunking)?))
    }

    fn with_port(&self, port: Port) -> Self {
        Self::from_core(Core { port, chunking: self.core.chunking.clone() })
    }
}

/// Bytes for people to read; what does not fit into 64 bits is no memory of today.
fn shown(bytes: u128) -> ByteSize {
    u64::try_from(bytes).unwrap_or(u64::MAX).into()
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// A small table in HTML that says what the array is, for notebooks.
    ///
    /// # Examples
    /// ```
    /// use musher_array::Array;
    /// let html = Array::<f64, _>::zeros((4, 6), (2, 3)).to_html();
    /// assert!(html.contains("<td>(4, 6)</td>") && html.contains("<td>4 blocks of at most (2, 3)</td>"));
    /// ```
    #[must_use]
    #[doc(alias = "_repr_html_")]
    pub fn to_html(&self) -> String {
        let chunking = &self.core.chunking;
        let rows = [
            ("element type", A::NAME.to_owned()),
            ("shape", Shape(self.shape()).to_string()),
            (
                "blocks",
                format!("{} blocks of at most {}", chunking.n_blocks(), Shape(chunking.largest_block())),
            ),
            ("bytes", shown(self.nbytes()).to_string()),
            ("made by", self.core.port.layer.label().replace('&', "&amp;").replace('<', "&lt;")),
        ];
        let row = |(name, value): &(&str, String)| format!("<tr><th>{name}</th><td>{value}</td></tr>");
        format!("<table>{}</table>", rows.iter().map(row).collect::<String>())
    }
}

impl<A: Element, D: Dimension> fmt::Debug for Array<A, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chunking = &self.core.chunking;
        let block = chunking.largest_block();
        let block_bytes = block.iter().fold(size_of::<A>() as u128, |bytes, &length| bytes * length as u128);
        write!(
            f,
            "Array<{}>({}-{}: shape {}, {} in {} blocks of at most {}, {})",
            A::NAME,
            self.core.port.layer.label(),
            self.core.port.key(),
            Shape(self.shape()),
            shown(self.nbytes()),
            chunking.n_blocks(),
            Shape(block),
            shown(block_bytes),
        )
    }
}

impl<A: Element, D: Dimension> fmt::Display for Array<A, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
