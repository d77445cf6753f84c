//! Functions of the neighborhood of every element: one mechanism for filters, stencils and [`Array::map_overlap`].
//!
//! A [`Kernel`] says what becomes of some rows of a block when it sees their neighbors. [`neighborhood`] wires each block to
//! those that its halo reads, and gives the kernel *bands*: rows of the block with the halo around them, so few that they
//! stay in the cache of a core, whatever the size of the block. Consecutive bands share the rows of their halos, which are
//! assembled once.
//!
//! The task that runs it is of one type whatever the kernel and the elements, so that passes over the graph recognize it.

use crate::array::Array;
use crate::block::Block;
use crate::element::{Element, Plain};
use crate::error::Error;
use crate::halos::Halos;
use crate::kernel::assemble::{Source, clipped};
use crate::kernel::memory::{with_room, zeros};
use crate::kernel::overlap::{Boundary, Depth};
use crate::per_axis::PerAxis;
use crate::region::{assembly, wiring};
use musher_graph_core::{ChunkRef, Facts, Inputs, Layer, Output, Place, Port, Task, TaskError, Tokenizer};
use musher_scheduler::check_cancelled;
use ndarray::{ArrayD, Dimension, IxDyn};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::ops::Range;
use std::panic::Location;
use std::sync::Arc;

/// Bytes of the rows that a band has beside its halo, unless the halo is deeper: with what the kernel writes they stay in
/// a core's second cache, which has a megabyte or more.
const BAND_BYTES: usize = 1 << 18;

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
    let caller = Location::caller();
    let halos = Halos::new(kernel.label(), array.chunks(), depths.into(), boundaries.into(), caller)?;
    let wiring = wiring(halos.reads());
    let task = Neighborhood { kernel: Arc::new(InBands { kernel, halos }) };
    let layer =
        Layer::build(task).caller(caller).input(&array.core().port, wiring).finish(array.chunks().grid());
    Ok(Array::from_port(Port::of(layer), array.chunks().clone()))
}

/// Runs a kernel over the blocks of a layer, each with its halo.
struct Neighborhood {
    kernel: Arc<dyn AnyKernel>,
}

impl Task for Neighborhood {
    fn label(&self) -> Cow<'_, str> {
        self.kernel.label().into()
    }

    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        Ok(Output::shared(self.kernel.run(&at.coords(), &inputs)?))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.kernel.token(tokenizer);
    }

    fn facts(&self, at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        self.kernel.facts(&at.coords())
    }
}

/// A kernel with its halos, whatever its elements.
trait AnyKernel: Send + Sync {
    fn label(&self) -> &'static str;
    fn token(&self, tokenizer: &mut Tokenizer);
    fn facts(&self, coords: &[usize]) -> Facts;
    fn run(&self, coords: &[usize], inputs: &Inputs<'_>) -> Result<ChunkRef, TaskError>;
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
}

impl<K: Kernel> AnyKernel for InBands<K> {
    fn label(&self) -> &'static str {
        self.kernel.label()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.kernel.token(tokenizer);
        tokenizer.name(K::In::NAME);
        self.halos.token(tokenizer);
    }

    fn facts(&self, coords: &[usize]) -> Facts {
        let own: usize = self.halos.own_shape(coords).iter().product();
        let padded = self.halos.padded_shape(coords);
        let halo = self.halos.at(coords).first().copied().unwrap_or_default();
        let rows = self.rows(coords) + halo.before + halo.after;
        let band = rows * padded.iter().skip(1).product::<usize>();
        let scratch = band * size_of::<K::In>() + self.kernel.scratch(band);
        let facts = Facts::bytes((own * size_of::<K::Out>()) as u64).scratch(scratch as u64);
        Facts { cost_ns: self.kernel.cost(padded.iter().product::<usize>() as u64), ..facts }
    }

    fn run(&self, coords: &[usize], inputs: &Inputs<'_>) -> Result<ChunkRef, TaskError> {
        let (own, mut shape) = (self.halos.own_shape(coords), self.halos.padded_shape(coords));
        let mut made = zeros::<K::Out>(own.iter().product())?;
        let (own_row, row) = (own.iter().skip(1).product::<usize>(), shape.iter().skip(1).product::<usize>());
        let (halo, surrounds) = (self.halos.at(coords), self.halos.surrounds(coords));
        let around = halo.first().map_or(0, |halo| halo.before + halo.after);
        let n = own.first().copied().unwrap_or(1);
        let rows = self.rows(coords);
        if made.is_empty() && !self.kernel.wants_whole() {
            return Ok(Arc::new(Block::new(ArrayD::from_shape_vec(IxDyn(&own), made)?)));
        }
        let mut pieces = self.halos.pieces(coords);
        let rows_of_all = pieces.first().cloned().unwrap_or_default();
        // An axis without elements reads nothing: there may be no slot to ask for.
        let blocks = match pieces.iter().any(Vec::is_empty) {
            true => SmallVec::new(),
            false => inputs.slot::<Block<K::In>>(0)?,
        };
        let mut elements = with_room::<K::In>((rows + around) * row)?;
        let mut scratch = K::Scratch::default();
        let mut start = 0;
        loop {
            check_cancelled()?;
            let end = (start + rows).min(n);
            // What follows the band's own rows is the halo of the next one.
            let held = elements.len() / row.max(1);
            let kept = if start == 0 { 0 } else { held.min(around) };
            elements.copy_within((held - kept) * row.., 0);
            elements.truncate(kept * row);
            if let Some(rows) = pieces.first_mut() {
                *rows = clipped(&rows_of_all, start + kept..end + around);
            }
            let source =
                |flat: usize, needed: &[Range<usize>]| Ok(Source::of_block(blocks[flat].view(), needed)?);
            assembly(self.halos.reads(), coords, &pieces, source)?.append_to(&mut elements);
            if let Some(length) = shape.first_mut() {
                *length = end - start + around;
            }
            let band = Band { elements: &elements, shape: &shape, halo: &halo, surrounds: &surrounds };
            self.kernel.run(&band, &mut scratch, &mut made[start * own_row..end * own_row])?;
            start = end;
            if start >= n {
                return Ok(Arc::new(Block::new(ArrayD::from_shape_vec(IxDyn(&own), made)?)));
            }
        }
    }
}
