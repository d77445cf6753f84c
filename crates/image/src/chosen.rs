//! Components of a binary image, kept or dropped as a whole: holes, specks, what touches the border, what holds a seed.
//!
//! ```text
//!   mask ──▶ components ──┬─ labels ──────────────────────▶ keep ──▶ mask
//!                         ├─ borders ──▶ choose ──────────────▲
//!                         └─ traits ───────▲
//! ```
//!
//! As in `label`, blocks are looked at alone and joined from their faces; a trait of a component is the sum of those of its
//! parts. So the answers are exact for any division into blocks, in two passes, where growing a seed until nothing changes takes
//! as many passes as a path is long.

use std::sync::Arc;

use musher_array::{Array, Block, Shape};
use musher_graph_core::{
    AsRecord, Chunk, ChunkRef, Facts, FnTask, FnTaskMany, Grid, Inputs, Layer, Measure, Place, Port, Record,
    Site, TaskError, Wiring,
};
use ndarray::{Axis, Dimension, Zip};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::kernel::label::{BlockPlace, Border, label_block};
use crate::kernel::merge::merge;
use crate::label::{Labeling, labelled_bytes};
use crate::wire::{grid_of, port_of, single};

/// Which components are kept, and of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    /// Those that hold a seed.
    Seeded,
    /// Those of more pixels.
    Larger(u64),
    /// Those that do not touch the border of the image.
    Inside,
    /// The holes that do not touch the border are filled.
    FillInside,
    /// The holes of as many pixels or fewer are filled.
    FillSmall(u64),
}

impl Choice {
    /// Whether components are those of the background.
    fn is_of_holes(self) -> bool {
        matches!(self, Self::FillInside | Self::FillSmall(_))
    }

    /// What becomes of the pixels of a component.
    fn is_true(self, of: Trait) -> bool {
        match self {
            Self::Seeded => of.has_seed,
            Self::Larger(most) => of.count > most,
            Self::Inside | Self::FillInside => !of.touches,
            Self::FillSmall(most) => of.count <= most,
        }
    }

    fn words(self) -> (u8, u64) {
        match self {
            Self::Seeded => (0, 0),
            Self::Larger(most) => (1, most),
            Self::Inside => (2, 0),
            Self::FillInside => (3, 0),
            Self::FillSmall(most) => (4, most),
        }
    }
}

/// What is known of a component.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Trait {
    count: u64,
    touches: bool,
    has_seed: bool,
}

impl Trait {
    fn join(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            touches: self.touches | other.touches,
            has_seed: self.has_seed | other.has_seed,
        }
    }
}

/// The traits of the components of a block.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Traits(Vec<Trait>);

impl Measure for Traits {
    fn nbytes(&self) -> usize {
        self.0.len() * size_of::<Trait>()
    }
}

impl AsRecord for Traits {
    const KIND: &'static str = "image.traits/1";
}

/// For each block, what becomes of the pixels of each of its labels, the background first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Chosen(Vec<Vec<bool>>);

impl Measure for Chosen {
    fn nbytes(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }
}

impl AsRecord for Chosen {
    const KIND: &'static str = "image.chosen/1";
}

/// The layers of a choice; `seed` says where seeds are.
#[track_caller]
fn chosen<D: Dimension>(
    label: &'static str,
    mask: &Array<bool, D>,
    seed: Option<&Array<bool, D>>,
    labeling: Labeling,
    choice: Choice,
) -> Result<Array<bool, D>, Error> {
    let caller = Site::caller();
    let connectivity = labeling.check(mask.ndim(), caller)?;
    let (chunks, grid) = (mask.chunks(), grid_of(mask));
    let components = components(label, mask, seed, connectivity, choice, caller);
    let shape = chunks.grid_shape();
    let choose = FnTask::new("choose", move |_: Place<'_>, inputs: &mut Inputs<'_>| {
        let borders = inputs.slot::<Record<Border>>(0)?;
        let borders: Vec<&Border> = borders.iter().map(|border| &border.0).collect();
        let traits = inputs.slot::<Record<Traits>>(1)?;
        let merged = merge(&borders, &shape, connectivity).map_err(Error::from)?;
        // Every component has a number, from 1 on.
        let mut whole = vec![Trait::default(); merged.count as usize + 1];
        for (table, Record(Traits(own))) in merged.tables.iter().zip(&traits) {
            for (&number, &own) in table.iter().skip(1).zip(own) {
                whole[number as usize] = whole[number as usize].join(own);
            }
        }
        let becomes = |&number: &i32| match number {
            0 => choice.is_of_holes(),
            number => choice.is_true(whole[number as usize]),
        };
        let tables = merged.tables.iter().map(|table| table.iter().map(becomes).collect()).collect();
        Ok::<_, TaskError>(Record(Chosen(tables)))
    })
    .params("image.choose/1", &(connectivity, choice.words()))
    .facts(|_, inputs| {
        // A byte for each component, of which the borders and traits tell about twenty.
        let bytes = inputs.iter().flatten().sum::<u64>();
        Facts::bytes(bytes / 8).scratch(2 * bytes).cost(bytes)
    });
    let output = |output| Port { layer: components.layer.clone(), output };
    let choose =
        Layer::build(choose).caller(caller).input(&output(1), Wiring::All).input(&output(2), Wiring::All);
    let chosen = Port::of(choose.finish(Grid::scalar()));
    let keep = FnTask::new("keep", |at: Place<'_>, inputs: &mut Inputs<'_>| {
        let labels = inputs.get::<Block<i32>>(0)?.view();
        let Record(Chosen(tables)) = inputs.get::<Record<Chosen>>(1)?;
        let table = &tables[at.index()];
        Ok::<_, TaskError>(Block::new(labels.mapv(|label| table[label as usize])))
    })
    .params("image.keep/1", &())
    .facts(|_, inputs| {
        let pixels = inputs.first().copied().flatten().unwrap_or(0) / size_of::<i32>() as u64;
        Facts::bytes(pixels).cost(pixels)
    });
    let keep = Layer::build(keep)
        .caller(caller)
        .input(&output(0), Wiring::one_to_one(mask.ndim()))
        .input(&chosen, single(&chosen))
        .finish(grid);
    Ok(Array::from_port(Port::of(keep), chunks.clone()))
}

/// The components of each block alone: labels, border, traits.
fn components<D: Dimension>(
    label: &'static str,
    mask: &Array<bool, D>,
    seed: Option<&Array<bool, D>>,
    connectivity: usize,
    choice: Choice,
    caller: Site,
) -> Port {
    let chunks = mask.chunks();
    let (of_run, of_facts) = (chunks.clone(), chunks.clone());
    let has_seed = seed.is_some();
    let task = FnTaskMany::new(label, 3, move |at: Place<'_>, inputs: &mut Inputs<'_>| {
        let own: &Block<bool> = inputs.get(0)?;
        let seed = if has_seed { Some(inputs.get::<Block<bool>>(1)?.view()) } else { None };
        let (origin, image) = (of_run.block_start(&at.coords()), of_run.shape());
        let location = BlockPlace { origin: &origin, image: &image };
        let found = match &seed {
            // Seeds beyond the mask are kept, and grow into it.
            Some(seed) => {
                let both = Zip::from(own.view()).and(seed).map_collect(|&own, &seed| own | seed);
                label_block(both.view(), connectivity, location)
            }
            None if choice.is_of_holes() => {
                label_block(own.view().mapv(|own| !own).view(), connectivity, location)
            }
            None => label_block(own.view(), connectivity, location),
        };
        let found = found.map_err(Error::from)?;
        let mut traits = vec![Trait::default(); found.border.firsts.len() + 1];
        found.labels.iter().for_each(|&label| traits[label as usize].count += 1);
        if let Some(seed) = &seed {
            Zip::from(&found.labels)
                .and(seed)
                .for_each(|&label, &seed| traits[label as usize].has_seed |= seed);
        }
        for (axis, &length) in found.labels.shape().iter().enumerate() {
            let mut face = |at: usize| {
                found
                    .labels
                    .index_axis(Axis(axis), at)
                    .iter()
                    .for_each(|&label| traits[label as usize].touches = true);
            };
            if length > 0 && origin[axis] == 0 {
                face(0);
            }
            if length > 0 && origin[axis] + length == image[axis] {
                face(length - 1);
            }
        }
        traits.remove(0);
        let traits = Arc::new(Record(Traits(traits))) as ChunkRef;
        Ok(vec![Arc::new(Block::new(found.labels)), Arc::new(Record(found.border)), traits])
    })
    .params("image.components/1", &(connectivity, (choice.is_of_holes(), has_seed), chunks.clone()))
    .codecs([Block::<i32>::codec_of(), Record::<Border>::codec_of(), Record::<Traits>::codec_of()])
    .facts(move |at, _| {
        let shape = of_facts.block_shape(&at.coords());
        let pixels = shape.iter().product::<usize>() as u64;
        let [labels, border] = labelled_bytes(&shape);
        let output_bytes = [Some(labels), Some(border), Some(pixels / 8)].into_iter().collect();
        Facts { output_bytes, ..Facts::default() }.scratch(2 * pixels).cost(4 * pixels)
    });
    let layer = Layer::build(task).caller(caller).input(&port_of(mask), Wiring::one_to_one(mask.ndim()));
    let layer = seed.into_iter().fold(layer, |layer, seed| {
        layer.input(&port_of(&seed.rechunk(chunks)), Wiring::one_to_one(mask.ndim()))
    });
    Port::of(layer.finish(grid_of(mask)))
}

/// The seeds, and all of the mask that can be reached from them: what `scipy.ndimage.binary_propagation` gives.
///
/// The third argument says which pixels touch, as for [`label`](crate::label()).
///
/// **Shape** and blocks of the mask.
/// **Cost** two passes, however long the ways are, and memory as [`label`](crate::label()).
///
/// # Errors
/// [`Error::ShapeMismatch`] when seeds and mask differ in shape, [`Error::Parameter`] for a connectivity that is not from 1 to
/// the number of axes. Computing fails with [`Error::TooManyLabels`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::binary_propagation;
/// use musher_scheduler::Compute;
/// let seeds = Array::from_array(arr1(&[false, true, false, false, false]), 2);
/// let mask = Array::from_array(arr1(&[true, true, true, false, true]), 2);
/// assert_eq!(binary_propagation(&seeds, &mask, 1)?.compute()?, arr1(&[true, true, true, false, false]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.binary_propagation`; here the components of the mask that hold a seed.
#[track_caller]
#[doc(alias = "scipy.ndimage.binary_propagation")]
pub fn binary_propagation<D: Dimension>(
    seeds: &Array<bool, D>,
    mask: &Array<bool, D>,
    labeling: impl Into<Labeling>,
) -> Result<Array<bool, D>, Error> {
    if seeds.shape() != mask.shape() {
        let (operation, caller) = ("binary_propagation", Site::caller());
        return Err(Error::ShapeMismatch {
            operation,
            left: Shape(seeds.shape()),
            right: Shape(mask.shape()),
            caller,
        });
    }
    chosen("binary_propagation", mask, Some(seeds), labeling.into(), Choice::Seeded)
}

/// Fills the holes: what is false and cannot be reached from outside, as `scipy.ndimage.binary_fill_holes`.
///
/// The second argument says which pixels of a hole touch, as for [`label`](crate::label()); scipy's own is 1. As
/// [`binary_propagation`] otherwise.
///
/// # Errors
/// As [`binary_propagation`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::binary_fill_holes;
/// use musher_scheduler::Compute;
/// let ring = Array::from_array(arr1(&[false, true, false, true, false]), 2);
/// assert_eq!(binary_fill_holes(&ring, 1)?.compute()?, arr1(&[false, true, true, true, false]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.binary_fill_holes`.
#[track_caller]
#[doc(alias = "scipy.ndimage.binary_fill_holes")]
pub fn binary_fill_holes<D: Dimension>(
    mask: &Array<bool, D>,
    labeling: impl Into<Labeling>,
) -> Result<Array<bool, D>, Error> {
    chosen("binary_fill_holes", mask, None, labeling.into(), Choice::FillInside)
}

/// Drops the components of `most` pixels or fewer: what `skimage.morphology.remove_small_objects` gives with `max_size`.
///
/// As [`binary_propagation`] otherwise.
///
/// # Errors
/// As [`binary_propagation`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::remove_small_objects;
/// use musher_scheduler::Compute;
/// let mask = Array::from_array(arr1(&[true, false, true, true, true]), 2);
/// assert_eq!(remove_small_objects(&mask, 2, 1)?.compute()?, arr1(&[false, false, true, true, true]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `skimage.morphology.remove_small_objects`.
#[track_caller]
#[doc(alias = "skimage.morphology.remove_small_objects")]
#[doc(alias = "area_opening")]
pub fn remove_small_objects<D: Dimension>(
    mask: &Array<bool, D>,
    most: u64,
    labeling: impl Into<Labeling>,
) -> Result<Array<bool, D>, Error> {
    chosen("remove_small_objects", mask, None, labeling.into(), Choice::Larger(most))
}

/// Fills the holes of `most` pixels or fewer, those at the border, too: what `skimage.morphology.remove_small_holes` gives with
/// `max_size`.
///
/// As [`binary_propagation`] otherwise.
///
/// # Errors
/// As [`binary_propagation`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::remove_small_holes;
/// use musher_scheduler::Compute;
/// let mask = Array::from_array(arr1(&[false, true, false, false, true]), 2);
/// assert_eq!(remove_small_holes(&mask, 1, 1)?.compute()?, arr1(&[true, true, false, false, true]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `skimage.morphology.remove_small_holes`.
#[track_caller]
#[doc(alias = "skimage.morphology.remove_small_holes")]
pub fn remove_small_holes<D: Dimension>(
    mask: &Array<bool, D>,
    most: u64,
    labeling: impl Into<Labeling>,
) -> Result<Array<bool, D>, Error> {
    chosen("remove_small_holes", mask, None, labeling.into(), Choice::FillSmall(most))
}

/// Drops the components that touch the border of the image: what `skimage.segmentation.clear_border` gives of a binary image.
///
/// The second argument says which pixels touch; scikit-image's own is the number of axes. As [`binary_propagation`] otherwise.
///
/// # Errors
/// As [`binary_propagation`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::clear_border;
/// use musher_scheduler::Compute;
/// let mask = Array::from_array(arr1(&[true, true, false, true, false]), 2);
/// assert_eq!(clear_border(&mask, 1)?.compute()?, arr1(&[false, false, false, true, false]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `skimage.segmentation.clear_border`.
#[track_caller]
#[doc(alias = "skimage.segmentation.clear_border")]
pub fn clear_border<D: Dimension>(
    mask: &Array<bool, D>,
    labeling: impl Into<Labeling>,
) -> Result<Array<bool, D>, Error> {
    chosen("clear_border", mask, None, labeling.into(), Choice::Inside)
}
