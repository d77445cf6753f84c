//! Arrays from ndarray arrays that are in memory already, and from one delayed value for each block.

use crate::array::{Array, resolve};
use crate::block::{Block, is_gapless};
use crate::chunks::{Chunking, Chunks};
use crate::element::Element;
use crate::feed::{Held, Part};
use musher_graph_core::{
    Codec, Facts, Inputs, Key, Layer, Output, Place, Port, Task, TaskError, Token, Tokenizer,
};
use ndarray::{ArcArray, ArrayBase, Data, Dimension, IxDyn, Slice};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// Hands out blocks of an array that is in memory.
///
/// Where a block is asked for, it is copied unless its elements lie without gaps. Strip programs do not ask: they read the
/// elements where they lie ([`Held`]). Slices and other divisions of it are arrays in memory once more ([`part_of`]).
#[derive(Clone)]
pub(crate) struct FromArray<A> {
    /// All elements; strips read them only where they lie without gaps and no axis runs backward.
    array: ArcArray<A, IxDyn>,
    /// Where the part begins that is handed out, along each axis.
    start: SmallVec<[usize; 4]>,
    /// The blocks of the part.
    chunking: Chunking,
    /// The fingerprint of shape and elements.
    key: Key,
}

impl<A: Element> FromArray<A> {
    /// The array for strip programs.
    pub(crate) fn held(&self) -> Option<Arc<dyn Held>> {
        is_gapless(&self.array).then(|| Arc::new(self.clone()) as Arc<dyn Held>)
    }

    /// Where a block begins in the whole.
    fn block_start(&self, block: &[usize]) -> SmallVec<[usize; 4]> {
        self.chunking.block_start(block).iter().zip(&self.start).map(|(block, part)| block + part).collect()
    }
}

/// How an array in memory is divided, if a task hands one out.
pub(crate) fn handed_out<A: Element>(producer: &dyn Task) -> Option<&Chunking> {
    producer.downcast_ref::<FromArray<A>>().map(|from| &from.chunking)
}

/// The part of an array in memory that begins at `start` and is divided so, if a task hands out such an array; `start`
/// counts in what the task hands out.
pub(crate) fn part_of<A: Element>(
    producer: &dyn Task,
    start: &[usize],
    chunking: Chunking,
) -> Option<Arc<dyn Task>> {
    let whole: &FromArray<A> = producer.downcast_ref()?;
    let start = whole.start.iter().zip(start).map(|(whole, part)| whole + part).collect();
    Some(Arc::new(FromArray { start, chunking, ..whole.clone() }))
}

impl<A: Element> Held for FromArray<A> {
    fn part(&self, block: &[usize], needed: Option<&[Range<usize>]>) -> Part<'_> {
        let mut first = self.block_start(block);
        let mut shape = self.chunking.lengths_at(block);
        if let Some(needed) = needed {
            first.iter_mut().zip(needed).for_each(|(first, needed)| *first += needed.start);
            shape = needed.iter().map(ExactSizeIterator::len).collect();
        }
        // Only an array without gaps is held.
        let elements = self.array.as_slice_memory_order().unwrap_or_default();
        Part::of_box(elements, self.array.strides(), first.into_iter(), shape)
    }
}

impl<A: Element> Task for FromArray<A> {
    fn label(&self) -> Cow<'_, str> {
        "from_array".into()
    }

    fn run(&self, at: Place<'_>, _inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let coords = at.coords();
        let (start, lengths) = (self.block_start(&coords), self.chunking.block_shape(&coords));
        let mut block = self.array.clone();
        block.slice_each_axis_inplace(|axis| {
            let (start, length) = (start[axis.axis.0], lengths[axis.axis.0]);
            Slice::from(start..start + length)
        });
        Ok(Output::one(Block::try_shared(block)?))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("array.from_array/2");
        tokenizer.key(self.key);
        self.start.as_slice().token(tokenizer);
        self.chunking.token(tokenizer);
    }

    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        Some(Block::<A>::CODEC)
    }

    fn facts(&self, at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        let n: usize = self.chunking.block_shape(&at.coords()).iter().product();
        let bytes = (n * size_of::<A>()) as u64;
        // Cutting a block out again costs a copy: less than holding it.
        Facts::bytes(bytes).cost(100 + bytes / 8)
    }
}

/// Fingerprint of shape and elements in C order.
fn content<A: Element>(array: &ArcArray<A, IxDyn>) -> Key {
    const STEP: usize = 1 << 12;
    let mut tokenizer = Tokenizer::new();
    tokenizer.name(A::KIND);
    for &length in array.shape() {
        tokenizer.word(length as u64);
    }
    let mut key = tokenizer.finish();
    let mut bytes = vec![0; STEP * A::BYTES];
    let mut enter = |elements: &[A]| {
        let bytes = &mut bytes[..elements.len() * A::BYTES];
        bytes.chunks_exact_mut(A::BYTES).zip(elements).for_each(|(out, element)| element.store(out));
        let mut tokenizer = Tokenizer::new();
        tokenizer.key(key);
        tokenizer.bytes(bytes);
        key = tokenizer.finish();
    };
    match array.as_slice() {
        Some(elements) => elements.chunks(STEP).for_each(enter),
        None => {
            let mut some = Vec::with_capacity(STEP);
            for &element in array {
                some.push(element);
                if some.len() == STEP {
                    enter(&some);
                    some.clear();
                }
            }
            if !some.is_empty() {
                enter(&some);
            }
        }
    }
    key
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// Divides an array that is in memory into blocks. Elementwise work and reductions read its elements where they lie, also
    /// those of its slices without steps and of its other divisions, as long as it has no gaps and no axis runs backward. For
    /// other work blocks of whole rows share its storage, and others are copied when they are needed.
    ///
    /// **Shape** that of `array`.
    /// **Cost** one pass over the elements for the fingerprint: equal arrays are one.
    ///
    /// # Panics
    /// When `chunks` does not fit the shape.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[1, 2], [3, 4]]), (1, 2));
    /// assert_eq!((&x + &x).compute()?, arr2(&[[2, 4], [6, 8]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[track_caller]
    #[doc(alias = "dask.array.from_array")]
    #[doc(alias = "asarray")]
    pub fn from_array<S>(array: ArrayBase<S, D>, chunks: impl Into<Chunks>) -> Self
    where
        S: Data<Elem = A>,
    {
        let array = array.into_owned().into_dyn().into_shared();
        let chunking = resolve::<A>(&chunks.into(), array.shape());
        let (key, start) = (content(&array), SmallVec::from_elem(0, array.ndim()));
        let task = FromArray { array, start, chunking: chunking.clone(), key };
        let layer = Layer::build(task).finish(chunking.grid());
        Self::from_port(Port::of(layer), chunking)
    }
}
