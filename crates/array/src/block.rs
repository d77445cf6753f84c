//! The chunk of an array: one block of elements.

use crate::element::Plain;
use musher_graph_core::{Chunk, ChunkRef, Codec, CodecError};
use ndarray::{ArcArray, ArrayD, ArrayViewD, IxDyn};
use std::io::{self, Read, Write};
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

/// Writes a block as its number of axes, its lengths and its elements in C order, all little-endian.
struct BlockCodec<A>(PhantomData<fn() -> A>);

/// Bytes that are gathered before they are written, and read at once: they stay in a core's own cache.
const BUFFER: usize = 256 << 10;

/// The bytes of a block are not as many as its lengths say.
#[derive(Debug, thiserror::Error)]
enum WrongLength {
    #[error("a block of shape {shape:?} with elements of {element} bytes cannot be")]
    Shape { shape: Vec<u64>, element: usize },
    #[error("bytes go on behind a block of shape {shape:?}")]
    Behind { shape: Vec<usize> },
}

impl<A: Plain> BlockCodec<A> {
    /// Elements that fit into the buffer.
    const N_BUFFERED: usize = if A::BYTES < BUFFER { BUFFER / A::BYTES } else { 1 };

    fn malformed(source: WrongLength) -> CodecError {
        CodecError::Malformed { kind: A::KIND, source: Box::new(source) }
    }

    fn write(block: &Block<A>, to: &mut dyn Write) -> io::Result<()> {
        let lengths = [block.shape().len()].into_iter().chain(block.shape().iter().copied());
        to.write_all(&lengths.flat_map(|length| (length as u64).to_le_bytes()).collect::<Vec<u8>>())?;
        let mut buffer = vec![0; Self::N_BUFFERED.min(block.0.len()) * A::BYTES];
        match block.0.as_slice() {
            Some(elements) => {
                for some in elements.chunks(Self::N_BUFFERED) {
                    let bytes = &mut buffer[..some.len() * A::BYTES];
                    bytes.chunks_exact_mut(A::BYTES).zip(some).for_each(|(out, element)| element.store(out));
                    to.write_all(bytes)?;
                }
            }
            None => {
                let mut elements = block.0.iter();
                while elements.len() > 0 {
                    let n = elements.len().min(Self::N_BUFFERED);
                    let bytes = &mut buffer[..n * A::BYTES];
                    // The bytes stand first: where they end, no element has been taken.
                    for (out, element) in bytes.chunks_exact_mut(A::BYTES).zip(&mut elements) {
                        element.store(out);
                    }
                    to.write_all(bytes)?;
                }
            }
        }
        Ok(())
    }

    /// The lengths of a block that can be.
    fn read_shape(from: &mut dyn Read) -> Result<Vec<usize>, CodecError> {
        let mut number = || {
            let mut bytes = [0; 8];
            from.read_exact(&mut bytes).map_err(|source| CodecError::io(A::KIND, source))?;
            Ok(u64::from_le_bytes(bytes))
        };
        let ndim = number()?;
        let mut shape = Vec::new();
        for _ in 0..ndim {
            shape.push(number()?);
        }
        let bytes = shape.iter().try_fold(A::BYTES as u64, |bytes, &length| bytes.checked_mul(length));
        let lengths = shape.iter().map(|&length| usize::try_from(length).ok()).collect();
        match (bytes.and_then(|bytes| isize::try_from(bytes).ok()), lengths) {
            (Some(_), Some(lengths)) => Ok(lengths),
            _ => Err(Self::malformed(WrongLength::Shape { shape, element: A::BYTES })),
        }
    }

    /// So many elements. Memory is taken as bytes come: never more than twice theirs and a buffer.
    fn read_elements(from: &mut dyn Read, n: usize) -> Result<Vec<A>, CodecError> {
        let mut elements: Vec<A> = Vec::new();
        let mut buffer = vec![0; Self::N_BUFFERED.min(n) * A::BYTES];
        while elements.len() < n {
            let missing = n - elements.len();
            let bytes = &mut buffer[..missing.min(Self::N_BUFFERED) * A::BYTES];
            from.read_exact(bytes).map_err(|source| CodecError::io(A::KIND, source))?;
            if elements.capacity() == elements.len() {
                let more = missing.min(elements.len().max(Self::N_BUFFERED));
                let bytes = (elements.len() + more) * size_of::<A>();
                elements
                    .try_reserve_exact(more)
                    .map_err(|_| CodecError::OutOfMemory { kind: A::KIND, bytes })?;
            }
            elements.extend(bytes.chunks_exact(A::BYTES).map(A::load));
        }
        Ok(elements)
    }
}

impl<A: Plain> Codec for BlockCodec<A> {
    fn kind(&self) -> &'static str {
        A::KIND
    }

    fn encode(&self, chunk: &dyn Chunk, to: &mut dyn Write) -> Result<(), CodecError> {
        let block: &Block<A> = chunk.downcast_ref().ok_or(CodecError::WrongKind { expected: A::KIND })?;
        Self::write(block, to).map_err(|source| CodecError::io(A::KIND, source))
    }

    fn decode(&self, from: &mut dyn Read) -> Result<ChunkRef, CodecError> {
        let shape = Self::read_shape(from)?;
        let elements = Self::read_elements(from, shape.iter().product())?;
        if from.read(&mut [0]).map_err(|source| CodecError::io(A::KIND, source))? > 0 {
            return Err(Self::malformed(WrongLength::Behind { shape }));
        }
        let array = ArrayD::from_shape_vec(IxDyn(&shape), elements).map_err(|_| {
            let shape = shape.iter().map(|&length| length as u64).collect();
            Self::malformed(WrongLength::Shape { shape, element: A::BYTES })
        })?;
        Ok(Arc::new(Block::new(array)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array, Axis, s};

    /// The bytes of a block.
    fn encoded(block: &dyn Chunk) -> Vec<u8> {
        let mut bytes = Vec::new();
        block.codec().unwrap().encode(block, &mut bytes).unwrap();
        bytes
    }

    #[track_caller]
    fn check<A: Plain + PartialEq + std::fmt::Debug>(array: ArrayD<A>) {
        let block = Block::new(array);
        let bytes = encoded(&block);
        let codec = block.codec().unwrap();
        let back = codec.decode(&mut bytes.as_slice()).unwrap();
        let back = back.downcast_ref::<Block<A>>().unwrap();
        assert_eq!(back.view(), block.view());
        for cut in [0, 4, 8, bytes.len() / 2, bytes.len() - 1] {
            let error = codec.decode(&mut &bytes[..cut]).unwrap_err();
            assert!(matches!(error, CodecError::Malformed { .. }), "cut at {cut}: {error:?}");
        }
        assert!(codec.decode(&mut [bytes.as_slice(), &[0]].concat().as_slice()).is_err());
    }

    #[test]
    fn a_block_goes_out_and_comes_back_in_c_order() {
        let array = Array::from_shape_fn((3, 4), |(i, j)| (10 * i + j) as i32);
        check(array.clone().into_dyn());
        check(array.reversed_axes().into_dyn());
        check(ArrayD::<f64>::zeros(IxDyn(&[])));
        check(ArrayD::<f64>::zeros(IxDyn(&[4, 0, 3])));
        check(ArrayD::from_elem(IxDyn(&[2, 2]), true));
    }

    #[test]
    fn blocks_of_several_buffers_go_out_and_come_back() {
        let n = BUFFER / 8;
        for length in [n - 1, n, n + 1, 5 * n + 3] {
            check(Array::from_iter((0..length).map(|i| i as f64)).into_dyn());
        }
        let array = Array::from_shape_fn((1000, 77), |(i, j)| (i * 77 + j) as u64);
        check(array.reversed_axes().into_dyn());
    }

    /// Gives bytes without end, and the most that were asked for at once.
    struct Endless(usize);

    impl Read for Endless {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            self.0 = self.0.max(out.len());
            out.fill(1);
            Ok(out.len())
        }
    }

    #[test]
    fn hostile_bytes_are_refused_before_memory_is_taken() {
        let codec = Block::<f64>::new(ArrayD::zeros(IxDyn(&[1]))).codec().unwrap();
        let numbers =
            |numbers: &[u64]| numbers.iter().flat_map(|length| length.to_le_bytes()).collect::<Vec<u8>>();
        for lies in [
            numbers(&[]),
            numbers(&[1, 2, 0]),
            numbers(&[2, u64::MAX, u64::MAX, 0]),
            numbers(&[1, 1 << 60, 0]),
            numbers(&[u64::MAX, 1]),
            // A million gigabytes, of which eight bytes come.
            numbers(&[1, 1 << 47, 0]),
            vec![1, 0, 0],
        ] {
            let error = codec.decode(&mut lies.as_slice()).unwrap_err();
            assert!(matches!(error, CodecError::Malformed { .. }), "{error:?}");
        }
        let mut endless = Endless(0);
        let long = numbers(&[1, 3 << 20]);
        assert!(codec.decode(&mut long.as_slice().chain(&mut endless)).is_err(), "bytes go on behind it");
        assert!(endless.0 <= BUFFER, "{} bytes were asked for at once", endless.0);
    }

    #[test]
    fn a_failing_disk_is_no_malformed_block() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let block = Block::new(ArrayD::<f64>::zeros(IxDyn(&[3])));
        let error = block.codec().unwrap().encode(&block, &mut Full).unwrap_err();
        assert!(matches!(error, CodecError::Io { .. }), "{error:?}");
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
