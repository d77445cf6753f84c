//! `labeled_comprehension`: what a user's function makes of all values of each region.
//!
//! ```text
//!   image ──┐
//!           ├─▶ mark ──▶ exchange by label ──▶ function ──▶ tree ──▶ one value per label
//!   labels ─┘
//! ```
//!
//! The values of a region may stand in any number of blocks; they are brought together like the rows of a group, through the
//! disk where they do not fit in memory. Only the largest regions must fit.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{Read, Write};
use std::sync::Arc;

use musher_array::kernel::memory::with_room;
use musher_array::{Array, Block, Plain, Shape};
use musher_graph_core::{
    AsRecord, ChunkRef, Codec, Exchange, Facts, FnIdentity, FnTask, Grid, Inputs, Layer, Measure, Place,
    Port, Record, Scatter, Share, Site, TaskError, Token, Tokenizer, Wiring, exchanged_at,
};
use ndarray::{Dimension, Ix1};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::gray::Intensity;
use crate::kernel::label::advance;
use crate::measure::{LabelIndex, Labelled, PerLabel, pick};
use crate::wire::{Joining, grid_of, joined, port_of};

/// The pixels of a block that lie in regions, in C order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Marked {
    labels: Vec<i32>,
    /// Where in the image each stands, in C order.
    positions: Vec<u64>,
    /// Their values, as plain bytes one behind the other.
    values: Vec<u8>,
}

impl Measure for Marked {
    fn nbytes(&self) -> usize {
        self.labels.len() * size_of::<i32>() + self.positions.len() * size_of::<u64>() + self.values.len()
    }
}

impl AsRecord for Marked {
    const KIND: &'static str = "image.marked/1";

    fn is_sound(&self) -> bool {
        let n = self.labels.len();
        self.positions.len() == n
            && if n == 0 { self.values.is_empty() } else { self.values.len().is_multiple_of(n) }
    }
}

/// One value for each of some labels, in ascending order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct PerRegion {
    labels: Vec<i32>,
    values: Vec<f64>,
}

impl PerRegion {
    /// Both; no label is in both.
    fn join(&self, other: &Self) -> Self {
        let mut joined = Self::default();
        let (mut i, mut j) = (0, 0);
        while i < self.labels.len() || j < other.labels.len() {
            let from_other = match (self.labels.get(i), other.labels.get(j)) {
                (Some(one), Some(two)) => two < one,
                (one, _) => one.is_none(),
            };
            let (from, at) = if from_other { (other, &mut j) } else { (self, &mut i) };
            joined.labels.push(from.labels[*at]);
            joined.values.push(from.values[*at]);
            *at += 1;
        }
        joined
    }
}

impl Measure for PerRegion {
    fn nbytes(&self) -> usize {
        self.labels.len() * (size_of::<i32>() + size_of::<f64>())
    }
}

impl AsRecord for PerRegion {
    const KIND: &'static str = "image.per_region/1";

    fn is_sound(&self) -> bool {
        self.labels.len() == self.values.len() && self.labels.is_sorted()
    }
}

impl Labelled for PerRegion {
    fn labels(&self) -> &[i32] {
        &self.labels
    }
}

/// Brings the values of each region together, and calls the function.
struct ByLabel<A, F> {
    function: F,
    identity: FnIdentity,
    n_targets: usize,
    /// Pixels that a target gets, if all are in regions and all regions are alike.
    pixels: usize,
    marker: std::marker::PhantomData<fn(A)>,
}

/// A block's pixels, those for one target behind those for another.
struct Cut {
    marked: Marked,
    /// The targets that get some, rising, and how many pixels end with each.
    ends: Vec<(usize, usize)>,
}

impl Cut {
    fn range(&self, index: usize) -> std::ops::Range<usize> {
        let begin = index.checked_sub(1).map_or(0, |before| self.ends[before].1);
        begin..self.ends[index].1
    }
}

impl<A: Intensity, F: Fn(&[A]) -> f64 + Send + Sync + 'static> ByLabel<A, F> {
    /// Bytes of a pixel that is written: its label, its position, its value.
    const ITEM: usize = size_of::<i32>() + size_of::<u64>() + <A as Plain>::BYTES;
}

impl<A: Intensity, F: Fn(&[A]) -> f64 + Send + Sync + 'static> Exchange for ByLabel<A, F> {
    type Cut = Cut;
    type Building = Vec<(i32, u64, A)>;

    fn label(&self) -> Cow<'_, str> {
        "labeled_comprehension".into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.identity.enter::<F>("image.labeled_comprehension/1", tokenizer);
        (A::NAME, self.n_targets).token(tokenizer);
    }

    fn cut(&self, _from: usize, inputs: &mut Inputs<'_>) -> Result<Cut, TaskError> {
        let Record(marked) = inputs.get::<Record<Marked>>(0)?;
        let mut scatter = Scatter::new(self.n_targets);
        let mut order: Vec<(usize, usize)> = with_room(marked.labels.len())?;
        order.extend(marked.labels.iter().map(|label| scatter.target_of(label)).zip(0..));
        order.sort_unstable();
        let mut cut = Cut { marked: Marked::default(), ends: Vec::new() };
        let bytes = <A as Plain>::BYTES;
        cut.marked.labels = with_room(order.len())?;
        cut.marked.positions = with_room(order.len())?;
        cut.marked.values = with_room(order.len() * bytes)?;
        for (number, (target, at)) in order.into_iter().enumerate() {
            cut.marked.labels.push(marked.labels[at]);
            cut.marked.positions.push(marked.positions[at]);
            cut.marked.values.extend_from_slice(&marked.values[at * bytes..][..bytes]);
            match cut.ends.last_mut() {
                Some((last, end)) if *last == target => *end = number + 1,
                _ => cut.ends.push((target, number + 1)),
            }
        }
        Ok(cut)
    }

    fn n_items(&self, cut: &Cut) -> u64 {
        cut.marked.labels.len() as u64
    }

    fn shares(&self, _from: usize, cut: &Cut, give: &mut dyn FnMut(usize, u64)) {
        (0..cut.ends.len()).for_each(|index| give(cut.ends[index].0, cut.range(index).len() as u64));
    }

    fn bytes(&self, cut: &Cut) -> Option<u64> {
        Some(cut.marked.nbytes() as u64)
    }

    fn write(&self, _: usize, cut: &Cut, share: Share, to: &mut dyn Write) -> Result<u64, TaskError> {
        let range = cut.range(share.index);
        let (labels, positions) = (&cut.marked.labels[range.clone()], &cut.marked.positions[range.clone()]);
        labels.iter().try_for_each(|label| to.write_all(&label.to_le_bytes()))?;
        positions.iter().try_for_each(|position| to.write_all(&position.to_le_bytes()))?;
        let bytes = <A as Plain>::BYTES;
        to.write_all(&cut.marked.values[range.start * bytes..range.end * bytes])?;
        Ok(range.len() as u64)
    }

    fn begin(&self, _to: usize, n_items: u64) -> Result<Self::Building, TaskError> {
        Ok(with_room(n_items as usize)?)
    }

    fn copy(&self, made: &mut Self::Building, _: usize, cut: &Cut, share: Share) -> Result<u64, TaskError> {
        let range = cut.range(share.index);
        let bytes = <A as Plain>::BYTES;
        made.extend(range.clone().map(|at| {
            (
                cut.marked.labels[at],
                cut.marked.positions[at],
                A::load(&cut.marked.values[at * bytes..][..bytes]),
            )
        }));
        Ok(range.len() as u64)
    }

    fn read(
        &self,
        made: &mut Self::Building,
        _: usize,
        share: Share,
        bytes: &mut dyn Read,
    ) -> Result<u64, TaskError> {
        let n = share.n_items as usize;
        let begin = made.len();
        let (mut label, mut position, mut value) = ([0; 4], [0; 8], [0; 16]);
        for _ in 0..n {
            bytes.read_exact(&mut label)?;
            made.push((i32::from_le_bytes(label), 0, A::default()));
        }
        for item in &mut made[begin..] {
            bytes.read_exact(&mut position)?;
            item.1 = u64::from_le_bytes(position);
        }
        for item in &mut made[begin..] {
            bytes.read_exact(&mut value[..<A as Plain>::BYTES])?;
            item.2 = A::load(&value);
        }
        Ok(share.n_items)
    }

    fn finish(&self, _to: usize, mut made: Self::Building) -> Result<ChunkRef, TaskError> {
        // Blocks cut lines: only the positions tell C order, whatever the blocks.
        made.sort_unstable_by_key(|&(label, position, _)| (label, position));
        let mut done = PerRegion::default();
        let mut values: Vec<A> = Vec::new();
        for region in made.chunk_by(|one, other| one.0 == other.0) {
            values.clear();
            values.extend(region.iter().map(|&(.., value)| value));
            done.labels.push(region[0].0);
            done.values.push((self.function)(&values));
        }
        Ok(Arc::new(Record(done)))
    }

    fn codec(&self) -> Option<&'static dyn Codec> {
        use musher_graph_core::Chunk;
        Record::<PerRegion>::codec_of()
    }

    fn cut_facts(&self, _from: usize, inputs: &[Option<u64>]) -> Facts {
        // The order, and the pixels once more.
        let bytes = inputs.first().copied().flatten().unwrap_or(0);
        let order = bytes / Self::ITEM as u64 * size_of::<(usize, usize)>() as u64;
        Facts::default().scratch(bytes + order).cost(bytes)
    }

    fn build_facts(&self, _to: usize) -> Facts {
        // As where regions are measured: one label in a hundred pixels is a busy image.
        let per_label = size_of::<i32>() + size_of::<f64>();
        let per_pixel = size_of::<(i32, u64, A)>() + size_of::<A>();
        Facts::bytes((self.pixels / 100 * per_label) as u64)
            .scratch((self.pixels * per_pixel) as u64)
            .cost(30 * self.pixels as u64)
    }
}

/// What a function of yours makes of all values of each region: as `scipy.ndimage.labeled_comprehension`.
///
/// The function gets the values of one region in C order of the image, of the image's own type, in an order that does not depend
/// on the blocks. A label that does not occur gives NaN.
///
/// **Shape** one value per label. **Cost** one pass, after which the pixels of each region are brought together, through the disk
/// where they do not fit in memory: 12 bytes and the value for each. The largest regions must fit.
///
/// # Errors
/// [`Error::ShapeMismatch`] when image and labels differ in shape; [`Error::Parameter`] for a label below 1.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::labeled_comprehension;
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[5, 3, 9, 8]), 2);
/// let labels = Array::from_array(arr1(&[1, 1, 1, 2]), 2);
/// let median = |values: &[i32]| {
///     let mut values = values.to_vec();
///     values.sort();
///     f64::from(values[values.len() / 2])
/// };
/// assert_eq!(labeled_comprehension(&image, &labels, .., median)?.compute()?, arr1(&[5.0, 8.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.labeled_comprehension`.
#[track_caller]
#[doc(alias = "dask_image.ndmeasure.labeled_comprehension")]
pub fn labeled_comprehension<A: Intensity, D: Dimension, F>(
    image: &Array<A, D>,
    labels: &Array<i32, D>,
    index: impl Into<LabelIndex>,
    function: F,
) -> Result<PerLabel<f64, Ix1>, Error>
where
    F: Fn(&[A]) -> f64 + Send + Sync + 'static,
{
    let (operation, caller, index) = ("labeled_comprehension", Site::caller(), index.into());
    if image.shape() != labels.shape() {
        let (left, right) = (Shape(image.shape()), Shape(labels.shape()));
        return Err(Error::ShapeMismatch { operation, left, right, caller });
    }
    let marked = marked(image, labels, &index, caller);
    let n_targets = marked.grid().n_tasks().max(1);
    let identity = FnIdentity::of::<F>();
    let pixels = image.len().div_ceil(n_targets);
    let by_label =
        ByLabel::<A, F> { function, identity, n_targets, pixels, marker: std::marker::PhantomData };
    let told = exchanged_at(&marked, by_label, Grid::from([n_targets]), caller);
    let joining = Joining { label: "join_values", name: "image.join_values/1", join: PerRegion::join };
    let told = joined(&told, joining, caller);
    pick(&told, operation, index, &[], caller, |told: &PerRegion, row, into| {
        into.push(row.map_or(f64::NAN, |row| told.values[row]));
    })
}

/// The pixels of each block that lie in regions that are asked for.
fn marked<A: Intensity, D: Dimension>(
    image: &Array<A, D>,
    labels: &Array<i32, D>,
    index: &LabelIndex,
    caller: Site,
) -> Port {
    let chunks = image.chunks();
    let labels = labels.rechunk(chunks);
    let (of_run, shape) = (chunks.clone(), image.shape());
    let these: Option<HashSet<i32>> = match index {
        LabelIndex::All => None,
        LabelIndex::These(labels) => Some(labels.iter().copied().collect()),
    };
    let task = FnTask::new("mark", move |at: Place<'_>, inputs: &mut Inputs<'_>| {
        let (values, labels) = (inputs.get::<Block<A>>(0)?.view(), inputs.get::<Block<i32>>(1)?.view());
        let origin = of_run.block_start(&at.coords());
        let wanted = |label: i32| label > 0 && these.as_ref().is_none_or(|these| these.contains(&label));
        let n = labels.iter().filter(|&&label| wanted(label)).count();
        let bytes = <A as Plain>::BYTES;
        let mut marked =
            Marked { labels: with_room(n)?, positions: with_room(n)?, values: with_room(n * bytes)? };
        let (mut place, mut value_bytes) = (vec![0; shape.len()], [0; 16]);
        for (&label, &value) in labels.iter().zip(&values) {
            if wanted(label) {
                let axes = place.iter().zip(&origin).zip(&shape);
                let position =
                    axes.fold(0, |position, ((&at, &origin), &n)| position * n as u64 + (at + origin) as u64);
                marked.labels.push(label);
                marked.positions.push(position);
                value.store(&mut value_bytes);
                marked.values.extend_from_slice(&value_bytes[..bytes]);
            }
            advance(&mut place, labels.shape());
        }
        Ok::<_, TaskError>(Record(marked))
    })
    .params("image.mark/1", &(A::NAME, chunks.clone(), index))
    .facts(|_, inputs| {
        let pixels = inputs.get(1).copied().flatten().unwrap_or(0) / size_of::<i32>() as u64;
        let bytes = pixels * (size_of::<i32>() + size_of::<u64>() + <A as Plain>::BYTES) as u64;
        Facts::bytes(bytes).cost(5 * pixels)
    });
    let layer = Layer::build(task)
        .caller(caller)
        .input(&port_of(image), Wiring::one_to_one(image.ndim()))
        .input(&port_of(&labels), Wiring::one_to_one(image.ndim()))
        .finish(grid_of(image));
    Port::of(layer)
}
