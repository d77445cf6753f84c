//! The chunk of an array: one block of elements.

use crate::element::Plain;
use musher_graph_core::{Chunk, ChunkRef, Codec, CodecError, Frames};
use ndarray::{ArcArray, ArrayD, ArrayViewD, IxDyn};
use std::marker::PhantomData;
use std::sync::Arc;

/// A block of an array: a shared n-dimensional array whose elements lie without gaps in memory, in some order of axes.
///
/// # Examples
/// ```
/// use musher_array::{Block, ndarray::{arr2, s}};
/// let block = Block::new(arr2(&[[1.0, 2.0], [3.0, 4.0]]).into_dyn());
/// assert_eq!(block.view().shape(), [2, 2]);
/// assert_eq!(block.elements(), [1.0, 2.0, 3.0, 4.0]);
/// ```
#[derive(Clone, Debug)]
pub struct Block<A>(ArcArray<A, IxDyn>);

impl<A: Clone> Block<A> {
    /// A block of these elements.
    ///
    /// **Cost** nothing where the elements lie without gaps and no axis runs backward; else a copy.
    #[must_use]
    pub fn new(array: ArrayD<A>) -> Self {
        Self::shared(array.into_shared())
    }

    /// A block of elements that are shared already; otherwise as [`new`](Self::new).
    ///
    /// # Panics
    /// Never: as many elements are copied as the shape says.
    #[must_use]
    pub fn shared(array: ArcArray<A, IxDyn>) -> Self {
        let gapless =
            array.as_slice_memory_order().is_some() && array.strides().iter().all(|&stride| stride >= 0);
        // Also an empty array may have strides that are none of a plain array's.
        if gapless {
            Self(array)
        } else {
            Self(
                ArrayD::from_shape_vec(array.raw_dim(), array.iter().cloned().collect())
                    .expect("as many elements as the shape says")
                    .into_shared(),
            )
        }
    }

    /// The elements, owned; copied only when someone else holds the block.
    #[must_use]
    pub fn into_array(self) -> ArrayD<A> {
        self.0.into_owned()
    }
}

impl<A> Block<A> {
    /// The elements.
    #[must_use]
    pub fn view(&self) -> ArrayViewD<'_, A> {
        self.0.view()
    }

    /// The shared elements.
    #[must_use]
    pub const fn array(&self) -> &ArcArray<A, IxDyn> {
        &self.0
    }

    /// The shape.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        self.0.shape()
    }

    /// The elements in the order in which they lie in memory.
    ///
    /// # Panics
    /// Never: a block has no gaps.
    #[must_use]
    pub fn elements(&self) -> &[A] {
        self.0.as_slice_memory_order().expect("a block has no gaps")
    }
}

impl<A: Plain> Chunk for Block<A> {
    fn nbytes(&self) -> Option<usize> {
        Some(self.0.len() * size_of::<A>())
    }

    fn codec(&self) -> Option<&'static dyn Codec> {
        const { Some(&BlockCodec::<A>(PhantomData)) }
    }
}

/// Writes a block as its lengths and its elements in C order, all little-endian.
struct BlockCodec<A>(PhantomData<fn() -> A>);

/// The frames of a block are not as long as they say.
#[derive(Debug, thiserror::Error)]
#[error("a block of shape {shape:?} cannot have {bytes} bytes")]
struct WrongLength {
    shape: Vec<u64>,
    bytes: usize,
}

impl<A: Plain> Codec for BlockCodec<A> {
    fn kind(&self) -> &'static str {
        A::KIND
    }

    fn encode(&self, chunk: &dyn Chunk) -> Result<Frames, CodecError> {
        let block: &Block<A> = chunk.downcast_ref().ok_or(CodecError::WrongKind { expected: A::KIND })?;
        let shape = block.shape().iter().flat_map(|&length| (length as u64).to_le_bytes()).collect();
        let mut bytes = vec![0; block.0.len() * A::BYTES];
        let each = bytes.chunks_exact_mut(A::BYTES);
        match block.0.as_slice() {
            Some(elements) => each.zip(elements).for_each(|(out, element)| element.store(out)),
            None => each.zip(block.0.iter()).for_each(|(out, element)| element.store(out)),
        }
        Ok(vec![shape, bytes])
    }

    fn decode(&self, frames: Frames) -> Result<ChunkRef, CodecError> {
        let [header, bytes] = frames.as_slice() else {
            return Err(CodecError::WrongKind { expected: A::KIND });
        };
        let shape: Vec<u64> = header.chunks_exact(8).map(u64::load).collect();
        let n = shape.iter().try_fold(1_u64, |n, &length| n.checked_mul(length));
        let fits = n.and_then(|n| n.checked_mul(A::BYTES as u64)) == Some(bytes.len() as u64);
        if !fits || header.len() % 8 != 0 {
            let source = Box::new(WrongLength { shape, bytes: bytes.len() });
            return Err(CodecError::Malformed { kind: A::KIND, source });
        }
        let elements: Vec<A> = bytes.chunks_exact(A::BYTES).map(A::load).collect();
        let dimension: Vec<usize> = shape.iter().map(|&length| length as usize).collect();
        let array = ArrayD::from_shape_vec(IxDyn(&dimension), elements);
        let array = array.map_err(|_| CodecError::Malformed {
            kind: A::KIND,
            source: Box::new(WrongLength { shape, bytes: bytes.len() }),
        })?;
        Ok(Arc::new(Block::new(array)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array, Axis, s};

    #[test]
    fn a_block_goes_out_and_comes_back_in_c_order() {
        let array = Array::from_shape_fn((3, 4), |(i, j)| (10 * i + j) as i32);
        for block in [Block::new(array.clone().into_dyn()), Block::new(array.reversed_axes().into_dyn())] {
            let codec = block.codec().unwrap();
            let back = codec.decode(codec.encode(&block).unwrap()).unwrap();
            assert_eq!(back.downcast_ref::<Block<i32>>().unwrap().view(), block.view());
        }
    }

    #[test]
    fn hostile_frames_are_refused() {
        let codec = Block::<f64>::new(ArrayD::zeros(IxDyn(&[1]))).codec().unwrap();
        let lengths =
            |lengths: &[u64]| lengths.iter().flat_map(|length| length.to_le_bytes()).collect::<Vec<u8>>();
        for frames in [
            vec![],
            vec![lengths(&[2]), vec![0; 8]],
            vec![lengths(&[u64::MAX, u64::MAX]), vec![0; 8]],
            vec![vec![1, 0, 0], vec![0; 8]],
        ] {
            assert!(codec.decode(frames).is_err());
        }
    }

    #[test]
    fn gaps_and_backward_axes_are_copied_away() {
        let array = Array::from_shape_fn((4, 6), |(i, j)| i * 6 + j).into_shared();
        let mut backward = array.clone();
        backward.invert_axis(Axis(0));
        for view in [array.clone().slice_move(s![.., 1..3]).into_dyn(), backward.into_dyn()] {
            let block = Block::shared(view.clone());
            assert_eq!(block.view(), view.view());
            assert_eq!(block.elements().len(), view.len());
        }
        let rows = Block::shared(array.clone().slice_move(s![1..3, ..]).into_dyn());
        assert_eq!(rows.elements().as_ptr(), array.as_ptr().wrapping_add(6), "whole rows are shared");
    }
}
