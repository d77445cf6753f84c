//! `label`: connected components across blocks.
//!
//! ```text
//!   mask ──▶ label_block ──┬─ labels ────────────────▶ relabel ──▶ labels
//!                          └─ borders ──▶ merge ──┬──────▲
//!                                                 └──▶ count
//! ```
//!
//! Blocks are labeled alone; one task joins them from their faces; a last pass gives every label its final number.
//! The merge sees faces and first pixels, never whole blocks, so its memory is that of the cuts.

use std::sync::Arc;

use musher_array::{Array, Block, Chunking};
use musher_graph_core::{
    Chunk, ChunkRef, Facts, FnTask, FnTaskMany, Grid, Inputs, Layer, Place, Port, Record, Site, TaskError,
    Wiring,
};
use ndarray::{ArrayD, Dimension, Ix0, IxDyn};

use crate::error::Error;
use crate::kernel::label::{BlockPlace, Border, Unlabeled, label_block};
use crate::kernel::merge::{Merged, merge};
use crate::wire::{grid_of, port_of, single};

/// What labeling gives: the labels, and the number of components.
pub type Labeled<D> = (Array<i32, D>, Array<u64, Ix0>);

/// The parameters of [`label`]: which pixels touch.
///
/// A plain number is the connectivity. The default is 1.
///
/// # Examples
/// ```
/// use musher_image::Labeling;
/// assert_eq!(Labeling::from(2), Labeling::default().connectivity(2));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Labeling {
    connectivity: usize,
}

impl Labeling {
    /// Pixels touch when they differ by one along at most this many axes.
    ///
    /// In a plane 1 means 4 neighbours and 2 means 8; in a volume 1, 2, 3 mean 6, 18, 26:
    /// `scipy.ndimage.generate_binary_structure(ndim, connectivity)`.
    #[doc(alias = "generate_binary_structure")]
    #[must_use]
    pub const fn connectivity(self, connectivity: usize) -> Self {
        Self { connectivity }
    }

    /// The connectivity, checked for so many axes.
    pub(crate) fn check(self, ndim: usize, caller: Site) -> Result<usize, Error> {
        let Self { connectivity } = self;
        if connectivity == 0 || connectivity > ndim.max(1) {
            let (value, expected) = (connectivity as f64, "from 1 to the number of axes");
            return Err(Error::Parameter { parameter: "connectivity", value, expected, caller });
        }
        Ok(connectivity)
    }
}

impl Default for Labeling {
    fn default() -> Self {
        Self { connectivity: 1 }
    }
}

impl From<usize> for Labeling {
    fn from(connectivity: usize) -> Self {
        Self { connectivity }
    }
}

/// Numbers the connected components of a mask: what `scipy.ndimage.label` gives, for every division into blocks.
///
/// The second argument says which pixels touch, as a number of axes or as [`Labeling`]: with 1 they share a face (4
/// neighbours in a plane), with 2 also an edge (8 in a plane), and so on. Components are numbered from 1 in the order of
/// their first pixels in C order; the background is 0. Pixels touch along every axis: the images of a stack are labeled
/// apart one by one, by `stack.index_axis(Axis(0), i)`.
///
/// **Shape** labels: shape and blocks of the mask, `i32`. Number of components: `()` of `u64`.
/// **Cost** one pass over the mask, one over the labels; memory of one task: one block of labels and its runs; of the
/// task that joins the blocks: their faces and 12 bytes a component of each block.
///
/// # Errors
/// [`Error::Parameter`] for a connectivity that is not from 1 to the number of axes. Computing fails with
/// [`Error::TooManyLabels`] when there are more components than an `i32` can number.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr2};
/// use musher_scheduler::{Compute, compute};
/// let mask = Array::from_array(arr2(&[[true, false, true], [true, false, false], [false, true, true]]), (2, 2));
/// let (labels, count) = musher_image::label(&mask, 1)?;
/// let (labels, count) = compute((&labels, &count))?;
/// assert_eq!(labels, arr2(&[[1, 0, 2], [1, 0, 0], [0, 3, 3]]));
/// assert_eq!(count, 3);
/// let (_, touching) = musher_image::label(&mask, 2)?;
/// assert_eq!(touching.compute()?, 2, "corners touch, too");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** two-pass labeling by runs (He, Chao, Suzuki 2008) with a union-find over the faces of blocks.
#[track_caller]
#[doc(alias = "dask_image.ndmeasure.label")]
#[doc(alias = "connected_components")]
pub fn label<D: Dimension>(
    mask: &Array<bool, D>,
    parameters: impl Into<Labeling>,
) -> Result<Labeled<D>, Error> {
    let caller = Site::caller();
    let connectivity = parameters.into().check(mask.ndim(), caller)?;
    Ok(layers(mask, connectivity, caller))
}

impl From<Unlabeled> for Error {
    fn from(why: Unlabeled) -> Error {
        match why {
            Unlabeled::TooMany { found } => Error::TooManyLabels { found },
            Unlabeled::OutOfMemory(source) => source.into(),
        }
    }
}

fn layers<D: Dimension>(mask: &Array<bool, D>, connectivity: usize, caller: Site) -> Labeled<D> {
    let (chunks, grid) = (mask.chunks(), grid_of(mask));
    let blocks = Layer::build(label_blocks(chunks, connectivity))
        .caller(caller)
        .input(&port_of(mask), Wiring::one_to_one(mask.ndim()))
        .finish(grid.clone());
    let shape = chunks.grid_shape();
    let join = FnTask::new("merge_labels", move |_: Place<'_>, inputs: &mut Inputs<'_>| {
        let borders = inputs.slot::<Record<Border>>(0)?;
        let borders: Vec<&Border> = borders.iter().map(|border| &border.0).collect();
        Ok(Record(merge(&borders, &shape, connectivity).map_err(Error::from)?))
    })
    .params("image.merge_labels/1", &connectivity)
    .facts(|_, inputs| {
        let bytes = inputs.iter().flatten().sum::<u64>();
        Facts::bytes(bytes).scratch(2 * bytes).cost(bytes)
    });
    let borders = Port { layer: blocks.clone(), output: 1 };
    let merged =
        Port::of(Layer::build(join).caller(caller).input(&borders, Wiring::All).finish(Grid::scalar()));
    let relabel = Layer::build(relabel())
        .caller(caller)
        .input(&Port::of(blocks), Wiring::one_to_one(mask.ndim()))
        .input(&merged, single(&merged))
        .finish(grid.clone());
    let count = FnTask::new("count_labels", |_: Place<'_>, inputs: &mut Inputs<'_>| {
        let Record(merged) = inputs.get::<Record<Merged>>(0)?;
        Ok::<_, TaskError>(Block::new(ArrayD::from_elem(IxDyn(&[]), merged.count)))
    })
    .params("image.count_labels/1", &())
    .facts(|_, _| Facts::bytes(8).cost(100));
    let count = Layer::build(count).caller(caller).input(&merged, single(&merged)).finish(Grid::scalar());
    (
        Array::from_port(Port::of(relabel), chunks.clone()),
        Array::from_port(Port::of(count), Chunking::from_lengths(&[])),
    )
}

/// About how many bytes the labels of a block of this shape take, and its border.
pub(crate) fn labelled_bytes(shape: &[usize]) -> [u64; 2] {
    let pixels = shape.iter().product::<usize>() as u64;
    let faces: u64 = shape.iter().map(|&length| 2 * pixels.checked_div(length as u64).unwrap_or(0)).sum();
    let of_labels = |n: u64| size_of::<i32>() as u64 * n;
    // Runs and components are fewer than pixels by about this much; the true size is counted when it is known.
    [of_labels(pixels), of_labels(faces) + pixels / 8]
}

/// Labels each block alone: its labels, and its border.
fn label_blocks(chunks: &Chunking, connectivity: usize) -> impl musher_graph_core::Task {
    let (of_run, of_facts) = (chunks.clone(), chunks.clone());
    FnTaskMany::new("label", 2, move |at: Place<'_>, inputs: &mut Inputs<'_>| {
        let block: &Block<bool> = inputs.get(0)?;
        let (origin, image) = (of_run.block_start(&at.coords()), of_run.shape());
        let location = BlockPlace { origin: &origin, image: &image };
        let found = label_block(block.view(), connectivity, location).map_err(Error::from)?;
        Ok(vec![Arc::new(Block::new(found.labels)) as ChunkRef, Arc::new(Record(found.border))])
    })
    .params("image.label/1", &(connectivity, chunks.clone()))
    .codecs([Block::<i32>::codec_of(), Record::<Border>::codec_of()])
    .facts(move |at, _| {
        let shape = of_facts.block_shape(&at.coords());
        let pixels = shape.iter().product::<usize>() as u64;
        let output_bytes = labelled_bytes(&shape).map(Some).into_iter().collect();
        Facts { output_bytes, ..Facts::default() }.scratch(pixels).cost(2 * pixels)
    })
}

/// Gives the labels of each block their final numbers, in place where nobody else holds them.
fn relabel() -> impl musher_graph_core::Task {
    FnTask::new("relabel", |at: Place<'_>, inputs: &mut Inputs<'_>| {
        let block = inputs.take_owned::<Block<i32>>(0)?;
        let Record(merged) = inputs.get::<Record<Merged>>(1)?;
        let table = &merged.tables[at.index()];
        if table.iter().enumerate().all(|(own, &whole)| own as i32 == whole) {
            return Ok(block);
        }
        let mut labels = block.into_array();
        labels.mapv_inplace(|label| table[label as usize]);
        Ok::<_, TaskError>(Block::new(labels))
    })
    .params("image.relabel/1", &())
    .facts(|_, inputs| {
        let bytes = inputs.first().copied().flatten().unwrap_or(0);
        Facts { reuses_input: true, ..Facts::bytes(bytes) }.cost(bytes / 4)
    })
}
