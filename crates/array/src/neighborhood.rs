//! Functions of the neighborhood of every element: one mechanism for filters, stencils and [`Array::map_overlap`].
//!
//! A [`Kernel`] says what becomes of some rows of a block when it sees their neighbors. [`neighborhood`] wires each block to
//! those that its halo reads, and gives the kernel *bands*: rows of the block with the halo around them, so few that they
//! stay in the cache of a core, whatever the size of the block. Consecutive bands share the rows of their halos, which are
//! assembled once.
//!
//! The task that runs it is of one type whatever the kernel and the elements, so that passes over the graph recognize it.

use crate::array::Array;
use crate::block::{Block, CodecOf};
use crate::element::{Buffer, DType, Element, Plain};
use crate::error::Error;
use crate::feed::{Feed, Part};
use crate::halos::Halos;
use crate::kernel::assemble::{Source, clipped};
use crate::kernel::memory::{with_room, zeros};
use crate::kernel::overlap::{Boundary, Depth};
use crate::kernel::strip::{Room, RunError};
use crate::per_axis::PerAxis;
use crate::region::{assembly, wiring};
use crate::stage::{Append, BindBox, Stage};
use crate::strip_task::{StripTask, ToBlock};
use musher_graph_core::{
    Absorb, ChunkRef, Codec, Facts, Forward, Inputs, Layer, Output, Place, Port, Site, Task, TaskError,
    Tokenizer, fused_label,
};
use musher_scheduler::check_cancelled;
use ndarray::{ArrayD, Dimension, IxDyn};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// Bytes of the rows that a band has beside its halo, unless the halo is deeper: with what the kernel writes they stay in
/// a core's second cache, which has a megabyte or more.
const BAND_BYTES: usize = 1 << 18;

/// Bytes that elementwise work needs for its registers.
const STAGE_BYTES: usize = 1 << 16;

/// What becomes of elements that see their neighbors.
///
/// A kernel is a pure function of a [`Band`]; it names no block. The answer of an element may depend on the element and on
/// those around it as far as the depths reach that [`neighborhood`] is given, and on nothing else: then it is the same for
/// every division into blocks.
///
/// # Examples
/// The greater of two neighbors:
/// ```
/// use musher_array::neighborhood::{Band, Kernel, neighborhood};
/// use musher_array::{Array, Boundary, Depth, ndarray::arr1};
/// use musher_graph_core::{TaskError, Tokenizer};
/// use musher_scheduler::Compute;
///
/// struct Greater;
/// impl Kernel for Greater {
///     type In = i32;
///     type Out = i32;
///     type Scratch = ();
///     fn label(&self) -> &'static str { "greater" }
///     fn token(&self, tokenizer: &mut Tokenizer) { tokenizer.name("doc.greater/1") }
///     fn run(&self, band: &Band<'_, i32>, _: &mut (), out: &mut [i32]) -> Result<(), TaskError> {
///         for (out, pair) in out.iter_mut().zip(band.elements.windows(2)) {
///             *out = pair[0].max(pair[1]);
///         }
///         Ok(())
///     }
/// }
/// let x = Array::from_array(arr1(&[3, 1, 2, 5]), 2);
/// let greater = neighborhood(&x, Depth::new(1, 0), Boundary::Nearest, Greater)?;
/// assert_eq!(greater.compute()?, arr1(&[3, 3, 2, 5]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "stencil")]
pub trait Kernel: Send + Sync + 'static {
    /// What it reads.
    type In: Element;
    /// What it makes.
    type Out: Element;
    /// Memory that it uses again for each band of a block.
    type Scratch: Default;

    /// Short name for pictures, plans and errors, such as `"gaussian_filter"`.
    fn label(&self) -> &'static str;

    /// Enters name, version and parameters into the fingerprint; types, blocks, depths and boundaries are entered beside
    /// it.
    fn token(&self, tokenizer: &mut Tokenizer);

    /// Whether it wants the block in one band.
    fn wants_whole(&self) -> bool {
        false
    }

    /// About how many nanoseconds it takes for a block that has so many elements with its halo, where that is known.
    fn cost(&self, elements: u64) -> Option<u64> {
        let _ = elements;
        None
    }

    /// Bytes that it needs beside a band of so many elements and what it makes of it.
    fn scratch(&self, elements: usize) -> usize {
        let _ = elements;
        0
    }

    /// Fills `out`, in C order, with what becomes of the band's elements without its halo.
    ///
    /// # Errors
    /// Whatever goes wrong with the data or with memory.
    fn run(
        &self,
        band: &Band<'_, Self::In>,
        scratch: &mut Self::Scratch,
        out: &mut [Self::Out],
    ) -> Result<(), TaskError>;
}

/// Some rows of a block with the halo around them.
#[derive(Clone, Copy, Debug)]
pub struct Band<'a, A> {
    /// The elements with the halo, in C order.
    pub elements: &'a [A],
    /// Their shape.
    pub shape: &'a [usize],
    /// How much of it is halo, along each axis: less than was asked for only at edges with [`Boundary::None`].
    pub halo: &'a [Depth],
    /// Along each axis but the first: how much of the halo lies beyond the whole array and holds which constant.
    ///
    /// A filter that works axis after axis writes the constant there once more before it comes to the axis: what it made
    /// of the constants along other axes is another value. The first axis is the first to be filtered.
    pub surrounds: &'a [Option<(Depth, A)>],
}

impl<A> Band<'_, A> {
    /// The shape without the halo.
    #[must_use]
    pub fn own_shape(&self) -> Vec<usize> {
        self.shape.iter().zip(self.halo).map(|(length, halo)| length - halo.before - halo.after).collect()
    }
}

/// Applies a kernel to every element of an array and its neighbors, as far as `depths` reach; `boundaries` say what it
/// sees beyond the edges.
///
/// **Shape** and blocks stay.
/// **Cost** one pass; a task holds the blocks that its halo reads, its result, and a band of rows.
///
/// # Errors
/// [`Error::Shapes`] when there is not one depth and one boundary for each axis.
///
/// # Examples
/// See [`Kernel`].
#[track_caller]
pub fn neighborhood<D: Dimension, K: Kernel>(
    array: &Array<K::In, D>,
    depths: impl Into<PerAxis<Depth>>,
    boundaries: impl Into<PerAxis<Boundary<K::In>>>,
    kernel: K,
) -> Result<Array<K::Out, D>, Error> {
    let caller = Site::caller();
    let halos = Halos::new(kernel.label(), array.chunks(), depths.into(), boundaries.into(), caller)?;
    let wiring = wiring(halos.reads());
    let stages = Stages { slot: Some(0), before: None, after: None };
    let task = Neighborhood { kernel: Arc::new(InBands { kernel, halos }), stages };
    let layer =
        Layer::build(task).caller(caller).input(&array.core().port, wiring).finish(array.chunks().grid());
    Ok(Array::from_port(Port::of(layer), array.chunks().clone()))
}

/// Halos that repeat more of a producer's work than this share of it are read from its blocks.
const MOST_REPEATED: f64 = 0.25;

/// Runs a kernel over the blocks of a layer, each with its halo.
///
/// ```text
/// slots ─▶ before ─▶ rows with their halo ─▶ kernel ─▶ after ─▶ block
/// ```
struct Neighborhood {
    kernel: Arc<dyn AnyKernel>,
    stages: Stages,
}

/// Elementwise work around a kernel.
#[derive(Clone)]
struct Stages {
    /// The slot that the kernel reads; none where it reads what `before` makes.
    slot: Option<usize>,
    /// What becomes of the elements as they are assembled.
    before: Option<Stage>,
    /// What becomes of the kernel's answers, which the program reads in slot 0.
    after: Option<Stage>,
}

impl Task for Neighborhood {
    fn label(&self) -> Cow<'_, str> {
        let labels =
            |stage: &Option<Stage>| stage.iter().flat_map(Stage::labels).cloned().collect::<Vec<_>>();
        let mut all = labels(&self.stages.before);
        all.push(self.kernel.label().into());
        all.extend(labels(&self.stages.after));
        fused_label(&all).into()
    }

    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        Ok(Output::shared(self.kernel.run(&at.coords(), &inputs, &self.stages)?))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.kernel.token(tokenizer);
        for stage in [&self.stages.before, &self.stages.after].into_iter().flatten() {
            stage.token(tokenizer);
        }
    }

    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        Some(self.stages.after.as_ref().map_or(self.kernel.made(), Stage::dtype).visit(CodecOf))
    }

    fn facts(&self, at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        self.kernel.facts(&at.coords(), &self.stages)
    }

    fn absorbs_neighbors(&self) -> bool {
        true
    }

    fn absorb(&self, request: &Absorb<'_>) -> Option<Arc<dyn Task>> {
        if self.stages.slot.is_none_or(|slot| request.slots != [slot]) {
            return None;
        }
        let after = self.stages.after.as_ref().map(|after| after.with_slots(request.consumer_slots));
        let stages = if request.producer.downcast_ref::<Forward>().is_some() {
            let [slot] = request.producer_slots else { return None };
            Stages { slot: Some(*slot), before: None, after }
        } else {
            let producer: &StripTask = request.producer.downcast_ref()?;
            let before = Stage::of(producer, request.producer_slots)?;
            // What the producer reads in its own place is read in the window, and a single value with every row.
            let ndim = request.producer_grid.ndim();
            let n_read = (0..before.feeds().len()).filter(|&slot| !before.is_value(slot)).count();
            if n_read == 0
                || !before.reads_in_place(ndim, |slot| !before.is_value(slot))
                || self.kernel.repeats() > MOST_REPEATED
            {
                return None;
            }
            Stages { slot: None, before: Some(before), after }
        };
        Some(Arc::new(Self { kernel: Arc::clone(&self.kernel), stages }))
    }
}

impl Neighborhood {
    /// This task with a consumer's elementwise work behind it.
    fn followed(&self, consumer: &StripTask, request: &Absorb<'_>) -> Option<Self> {
        let ndim = request.grid.ndim();
        if request.output != 0 || !request.wiring.is_one_to_one() || request.producer_grid != request.grid {
            return None;
        }
        let own = Stage::of(consumer, request.consumer_slots)?;
        if !own.reads_in_place(ndim, |slot| own.feeds()[slot].is_none()) {
            return None;
        }
        let first = self.stages.after.as_ref().map(|after| after.with_slots(request.producer_slots));
        let after = own.behind(first.as_ref());
        if !after.goes_by_rows() {
            return None;
        }
        let stages = Stages {
            slot: self.stages.slot.map(|slot| request.producer_slots[slot]),
            before: self.stages.before.as_ref().map(|before| before.with_slots(request.producer_slots)),
            after: Some(after),
        };
        Some(Self { kernel: Arc::clone(&self.kernel), stages })
    }
}

/// A consumer's elementwise task with the kernel of neighborhoods that it reads, if `request` asks about one.
pub(crate) fn followed(consumer: &StripTask, request: &Absorb<'_>) -> Option<Arc<dyn Task>> {
    let producer: &Neighborhood = request.producer.downcast_ref()?;
    Some(Arc::new(producer.followed(consumer, request)?))
}

/// A kernel with its halos, whatever its elements.
trait AnyKernel: Send + Sync {
    fn label(&self) -> &'static str;
    fn token(&self, tokenizer: &mut Tokenizer);
    fn facts(&self, coords: &[usize], stages: &Stages) -> Facts;
    /// Which share of the elements is read once more in a halo.
    fn repeats(&self) -> f64;
    /// The type of what it makes.
    fn made(&self) -> DType;
    fn run(&self, coords: &[usize], inputs: &Inputs<'_>, stages: &Stages) -> Result<ChunkRef, TaskError>;
}

struct InBands<K: Kernel> {
    kernel: K,
    halos: Halos<K::In>,
}

impl<K: Kernel> InBands<K> {
    /// How many rows of the block at these coordinates a band has, without its halo.
    fn rows(&self, coords: &[usize]) -> usize {
        let own = self.halos.own_shape(coords).first().copied().unwrap_or(1);
        if self.kernel.wants_whole() {
            return own.max(1);
        }
        let row: usize = self.halos.padded_shape(coords).iter().skip(1).product();
        let halo = self.halos.at(coords).first().copied().unwrap_or_default();
        (BAND_BYTES / (row * size_of::<K::In>()).max(1)).max(halo.before + halo.after).clamp(1, own.max(1))
    }

    /// What of a block is needed to assemble a band, once it has been through the work before the kernel.
    fn made_before<'i>(
        stage: &Stage,
        inputs: &Inputs<'_>,
        number: usize,
        block: &[usize],
        needed: &[Range<usize>],
    ) -> Result<Source<'i, K::In>, TaskError> {
        let shape: Vec<usize> = needed.iter().map(ExactSizeIterator::len).collect();
        let buffer = stage.run(&shape, |slot, dtype| {
            let (number, needed) = if stage.is_value(slot) { (0, &[][..]) } else { (number, needed) };
            match stage.feeds()[slot].as_ref().ok_or(RunError::Input { slot })? {
                Feed::Memory(memory) => {
                    Ok(memory.part(block, Some(needed)).ok_or(RunError::Input { slot })?)
                }
                &Feed::Slot(slot) => {
                    dtype.visit(BindBox { inputs, slot, number, needed: |_: &[usize]| needed.to_vec() })
                }
            }
        })?;
        let elements = K::In::from_buffer(buffer).ok_or(RunError::Input { slot: 0 })?;
        Ok(Source::of_part(ArrayD::from_shape_vec(IxDyn(&shape), elements)?, needed))
    }

    /// Appends what becomes of rows that the kernel has made.
    fn append_after(
        stage: &Stage,
        inputs: &Inputs<'_>,
        coords: &[usize],
        made: &[K::Out],
        shape: &[usize],
        rows: Range<usize>,
        into: &mut Buffer,
    ) -> Result<(), TaskError> {
        let buffer = stage.run(shape, |slot, dtype| {
            let needed = |block: &[usize]| stage.needed(slot, block, &rows).unwrap_or_default();
            match &stage.feeds()[slot] {
                None => Ok(Part::of_elements(made, shape)),
                Some(Feed::Memory(memory)) => {
                    let whole = memory.part(coords, None).ok_or(RunError::Input { slot })?;
                    let part = memory.part(coords, Some(&needed(&whole.shape)));
                    Ok(part.ok_or(RunError::Input { slot })?)
                }
                &Some(Feed::Slot(slot)) => dtype.visit(BindBox { inputs, slot, number: 0, needed }),
            }
        })?;
        stage.dtype().visit(Append(into, buffer));
        Ok(())
    }
}

impl<K: Kernel> AnyKernel for InBands<K> {
    fn label(&self) -> &'static str {
        self.kernel.label()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.kernel.token(tokenizer);
        tokenizer.name(K::In::NAME);
        tokenizer.name(K::Out::NAME);
        self.halos.token(tokenizer);
    }

    fn made(&self) -> DType {
        K::Out::DTYPE
    }

    fn repeats(&self) -> f64 {
        self.halos.repeats()
    }

    fn facts(&self, coords: &[usize], stages: &Stages) -> Facts {
        let own_shape = self.halos.own_shape(coords);
        let own: usize = own_shape.iter().product();
        let padded_shape = self.halos.padded_shape(coords);
        let padded = padded_shape.iter().product::<usize>() as u64;
        let halo = self.halos.at(coords).first().copied().unwrap_or_default();
        let rows = self.rows(coords);
        let band = (rows + halo.before + halo.after) * padded_shape.iter().skip(1).product::<usize>();
        let mut scratch = band * size_of::<K::In>() + self.kernel.scratch(band);
        let (mut bytes, mut cost) = (own * size_of::<K::Out>(), self.kernel.cost(padded));
        if let Some(before) = &stages.before {
            scratch += STAGE_BYTES + band * size_of::<K::In>();
            cost = cost.map(|cost| cost + before.cost(padded));
        }
        if let Some(after) = &stages.after {
            let made = rows * own_shape.iter().skip(1).product::<usize>();
            scratch += STAGE_BYTES + made * (size_of::<K::Out>() + after.dtype().bytes());
            bytes = own * after.dtype().bytes();
            cost = cost.map(|cost| cost + after.cost(own as u64));
        }
        Facts { cost_ns: cost, ..Facts::bytes(bytes as u64).scratch(scratch as u64) }
    }

    fn run(&self, coords: &[usize], inputs: &Inputs<'_>, stages: &Stages) -> Result<ChunkRef, TaskError> {
        let (own, mut shape) = (self.halos.own_shape(coords), self.halos.padded_shape(coords));
        let (n, n_rows) = (own.iter().product::<usize>(), own.first().copied().unwrap_or(1));
        let (own_row, row) = (own.iter().skip(1).product::<usize>(), shape.iter().skip(1).product::<usize>());
        let (halo, surrounds) = (self.halos.at(coords), self.halos.surrounds(coords));
        let around = halo.first().map_or(0, |halo| halo.before + halo.after);
        let rows = self.rows(coords);
        // What the kernel makes: the block, or a band of it that something is made of.
        let mut made = zeros::<K::Out>(if stages.after.is_some() { n.min(rows * own_row) } else { n })?;
        let mut block = match &stages.after {
            Some(after) => Some(after.dtype().visit(Room(n))?),
            None => None,
        };
        let mut pieces = self.halos.pieces(coords);
        let rows_of_all = pieces.first().cloned().unwrap_or_default();
        // An axis without elements reads nothing: there may be no slot to ask for.
        let blocks = match stages.slot.filter(|_| !pieces.iter().any(Vec::is_empty)) {
            Some(slot) => inputs.slot::<Block<K::In>>(slot)?,
            None => SmallVec::new(),
        };
        let mut elements = with_room::<K::In>((rows + around) * row)?;
        let mut scratch = K::Scratch::default();
        let mut start = 0;
        while start < n_rows && n > 0 || start == 0 && self.kernel.wants_whole() {
            check_cancelled()?;
            let end = (start + rows).min(n_rows);
            // What follows the band's own rows is the halo of the next one.
            let held = elements.len() / row.max(1);
            let kept = if start == 0 { 0 } else { held.min(around) };
            elements.copy_within((held - kept) * row.., 0);
            elements.truncate(kept * row);
            if let Some(rows) = pieces.first_mut() {
                *rows = clipped(&rows_of_all, start + kept..end + around);
            }
            let source = |number: usize, block: &[usize], needed: &[Range<usize>]| match &stages.before {
                Some(stage) => Self::made_before(stage, inputs, number, block, needed),
                None => Ok(Source::of_block(blocks[number].view(), needed)?),
            };
            assembly(self.halos.reads(), coords, &pieces, source)?.append_to(&mut elements);
            if let Some(length) = shape.first_mut() {
                *length = end - start + around;
            }
            let band = Band { elements: &elements, shape: &shape, halo: &halo, surrounds: &surrounds };
            let out = match stages.after {
                Some(_) => &mut made[..(end - start) * own_row],
                None => &mut made[start * own_row..end * own_row],
            };
            self.kernel.run(&band, &mut scratch, out)?;
            if let (Some(after), Some(block)) = (&stages.after, &mut block) {
                let mut shape = own.clone();
                if let Some(length) = shape.first_mut() {
                    *length = end - start;
                }
                Self::append_after(after, inputs, coords, out, &shape, start..end, block)?;
            }
            start = end.max(1);
        }
        match block {
            Some(block) => block.dtype().visit(ToBlock(block, &own)),
            None => Ok(Arc::new(Block::new(ArrayD::from_shape_vec(IxDyn(&own), made)?))),
        }
    }
}
