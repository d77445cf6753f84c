//! Arrays from ndarray arrays that are in memory already, and from one delayed value for each block.

use crate::array::{Array, resolve};
use crate::block::Block;
use crate::chunks::{Chunking, Chunks};
use crate::element::Element;
use musher_graph_core::{Codec, Facts, Inputs, Key, Layer, Output, Place, Port, Task, TaskError, Tokenizer};
use ndarray::{ArcArray, ArrayBase, Data, Dimension, IxDyn, Slice};
use std::borrow::Cow;

/// Hands out one block of an array that is in memory.
struct FromArray<A> {
    array: ArcArray<A, IxDyn>,
    chunking: Chunking,
    key: Key,
}

impl<A: Element> Task for FromArray<A> {
    fn label(&self) -> Cow<'_, str> {
        "from_array".into()
    }

    fn run(&self, at: Place<'_>, _inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let coords = at.coords();
        let (start, lengths) = (self.chunking.block_start(&coords), self.chunking.block_shape(&coords));
        let mut block = self.array.clone();
        block.slice_each_axis_inplace(|axis| {
            let (start, length) = (start[axis.axis.0], lengths[axis.axis.0]);
            Slice::from(start..start + length)
        });
        Ok(Output::one(Block::try_shared(block)?))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("array.from_array/1");
        tokenizer.key(self.key);
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

/// Fingerprint of shape and elements.
fn content<A: Element>(array: &ArcArray<A, IxDyn>) -> Key {
    const STEP: usize = 1 << 12;
    let mut tokenizer = Tokenizer::new();
    tokenizer.name(A::KIND);
    for &length in array.shape() {
        tokenizer.word(length as u64);
    }
    let mut key = tokenizer.finish();
    let mut bytes = Vec::with_capacity(STEP * A::BYTES);
    let mut enter = |elements: &mut dyn Iterator<Item = A>| {
        loop {
            bytes.resize(STEP * A::BYTES, 0);
            let mut n = 0;
            for (out, element) in bytes.chunks_exact_mut(A::BYTES).zip(&mut *elements) {
                element.store(out);
                n += 1;
            }
            if n == 0 {
                break;
            }
            let mut tokenizer = Tokenizer::new();
            tokenizer.key(key);
            tokenizer.bytes(&bytes[..n * A::BYTES]);
            key = tokenizer.finish();
        }
    };
    match array.as_slice() {
        Some(elements) => enter(&mut elements.iter().copied()),
        None => enter(&mut array.iter().copied()),
    }
    key
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// Divides an array that is in memory into blocks. Blocks of whole rows share its storage, others are copied
    /// when they are needed.
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
        let mut tokenizer = Tokenizer::new();
        tokenizer.key(content(&array));
        musher_graph_core::Token::token(&chunking, &mut tokenizer);
        let task = FromArray { array, chunking: chunking.clone(), key: tokenizer.finish() };
        let layer = Layer::build(task).finish(chunking.grid());
        Self::from_port(Port::of(layer), chunking)
    }
}
