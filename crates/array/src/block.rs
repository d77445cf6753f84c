//! The chunk of an array: one block of elements.

use crate::element::{Element, Plain, Visit};
use crate::kernel::memory::{OutOfMemory, copied};
use bytemuck::Zeroable;
use musher_graph_core::{Chunk, ChunkRef, Codec, CodecError};
use ndarray::{ArcArray, Array1, ArrayD, ArrayViewD, IxDyn, s};
use std::any::Any;
use std::io::{self, Read, Write};
use std::marker::PhantomData;
use std::sync::Arc;

/// A block of an array: a shared n-dimensional array whose elements lie without gaps in memory, in some order of axes.
///
/// It is the chunk of an [`Array<A, D>`](crate::Array) of any dimension: a task of your own that reads an array gets
/// it from its inputs.
///
/// # Examples
/// ```
/// use musher_array::{Block, ndarray::{arr2, s}};
/// let block = Block::new(arr2(&[[1.0, 2.0], [3.0, 4.0]]).into_dyn());
/// assert_eq!(block.view().shape(), [2, 2]);
/// assert_eq!(block.elements(), [1.0, 2.0, 3.0, 4.0]);
/// ```
///
/// The sum of each block, by a task of one's own:
/// ```
/// use musher_array::{Array, Block};
/// use musher_graph_core::{Collection, FnTask, Grid, Inputs, Layer, Place, Port, Value, Wiring};
///
/// let x = Array::arange(0, 6, 1, 4);
/// let sums = FnTask::new("block sums", |_: Place<'_>, inputs: &mut Inputs<'_>| {
///     Ok(Value(inputs.get::<Block<i64>>(0)?.elements().iter().sum::<i64>()))
/// });
/// let grid = Grid::from([x.chunks().n_blocks()]);
/// let sums = Port::of(Layer::build(sums).input(x.port(), Wiring::one_to_one(1)).finish(grid));
/// assert_eq!(sums.grid().n_tasks(), 2);
/// ```
#[derive(Clone, Debug)]
pub struct Block<A>(ArcArray<A, IxDyn>);

/// Whether the elements lie without gaps and no axis runs backward.
pub(crate) fn is_gapless<A>(array: &ArcArray<A, IxDyn>) -> bool {
    // Also an empty array may have strides that are none of a plain array's.
    array.as_slice_memory_order().is_some() && array.strides().iter().all(|&stride| stride >= 0)
}

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
        Self::gapless(array).unwrap_or_else(|array| {
            Self(
                ArrayD::from_shape_vec(array.raw_dim(), array.iter().cloned().collect())
                    .expect("as many elements as the shape says")
                    .into_shared(),
            )
        })
    }

    /// A block of these elements as they are, or the elements back where they have gaps.
    fn gapless(array: ArcArray<A, IxDyn>) -> Result<Self, ArcArray<A, IxDyn>> {
        if is_gapless(&array) { Ok(Self(array)) } else { Err(array) }
    }

    /// The elements, owned; copied only when someone else holds the block.
    #[must_use]
    pub fn into_array(self) -> ArrayD<A> {
        self.0.into_owned()
    }
}

impl<A: Copy + Zeroable> Block<A> {
    /// The elements in C order, if this block is in C order, nobody else holds them, and their memory holds nothing else;
    /// else the block.
    pub(crate) fn into_elements(self) -> Result<Vec<A>, Self> {
        let n = self.0.len();
        let array = match self.0.try_into_owned_nocopy() {
            Ok(array) if array.is_standard_layout() => array,
            Ok(array) => return Err(Self(array.into_shared())),
            Err(shared) => return Err(Self(shared)),
        };
        let shape = array.raw_dim();
        let (elements, offset) = array.into_raw_vec_and_offset();
        let start = offset.unwrap_or(0);
        if elements.capacity() == n {
            return Ok(elements);
        }
        let part = Array1::from_vec(elements).slice_move(s![start..start + n]);
        Err(Self(
            part.into_shape_with_order(shape).expect("as many elements as the shape says").into_shared(),
        ))
    }

    /// As [`shared`](Self::shared), for tasks: where elements are copied, memory may be refused.
    pub(crate) fn try_shared(array: ArcArray<A, IxDyn>) -> Result<Self, OutOfMemory> {
        Self::gapless(array).or_else(|array| Ok(Self(copied(&array.view())?.into_shared())))
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

impl<A: Plain> Block<A> {
    /// How blocks of these elements are written and read back.
    pub(crate) const CODEC: &'static dyn Codec = &BlockCodec::<A>(PhantomData);
}

impl<A: Plain> Chunk for Block<A> {
    fn nbytes(&self) -> Option<usize> {
        Some(self.0.len() * size_of::<A>())
    }

    fn codec(&self) -> Option<&'static dyn Codec> {
        Self::codec_of()
    }

    fn codec_of() -> Option<&'static dyn Codec> {
        Some(Self::CODEC)
    }
}

/// The codec of blocks whose element type is known at run time.
pub(crate) struct CodecOf;

impl Visit for CodecOf {
    type Output = &'static dyn Codec;

    fn visit<A: Element>(self) -> Self::Output {
        Block::<A>::CODEC
    }
}

/// Values of a type that only their maker knows, about to become a block: the states of a reduction.
pub trait StateList: Send {
    /// The block of this shape, as a chunk.
    ///
    /// # Errors
    /// When there are not as many values as the shape says.
    fn into_chunk(self: Box<Self>, shape: &[usize]) -> Result<ChunkRef, ndarray::ShapeError>;

    /// How such a block is written and read back.
    fn codec(&self) -> &'static dyn Codec;

    /// The values, for who knows their type.
    fn as_any(&self) -> &dyn Any;
}

impl<S: Plain> StateList for Vec<S> {
    fn into_chunk(self: Box<Self>, shape: &[usize]) -> Result<ChunkRef, ndarray::ShapeError> {
        Ok(Arc::new(Block::new(ArrayD::from_shape_vec(IxDyn(shape), *self)?)))
    }

    fn codec(&self) -> &'static dyn Codec {
        Block::<S>::CODEC
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Writes a block as its number of axes, then number and length of each axis from the outermost in memory to the
/// innermost, then its elements as they lie in memory; all little-endian.
///
/// In C order a transposed block would go out at a tenth of the speed, and come back in another layout.
struct BlockCodec<A>(PhantomData<fn() -> A>);

/// Bytes that are gathered before they are written, and read at once: they stay in a core's own cache.
const BUFFER: usize = 256 << 10;

/// The bytes are no block's.
#[derive(Debug, thiserror::Error)]
enum NoBlock {
    #[error("a block of axes {axes:?} (number, length) with elements of {element} bytes cannot be")]
    Axes { axes: Vec<[u64; 2]>, element: usize },
    #[error("bytes go on behind a block of shape {shape:?}")]
    Behind { shape: Vec<usize> },
}

impl<A: Plain> BlockCodec<A> {
    /// Elements that fit into the buffer.
    const N_BUFFERED: usize = if A::BYTES < BUFFER { BUFFER / A::BYTES } else { 1 };

    fn malformed(source: NoBlock) -> CodecError {
        CodecError::Malformed { kind: A::KIND, source: Box::new(source) }
    }

    fn write(block: &Block<A>, to: &mut dyn Write) -> io::Result<()> {
        let (shape, strides) = (block.shape(), block.0.strides());
        let mut axes: Vec<usize> = (0..shape.len()).collect();
        // The stride of an axis of length 1 says nothing: such axes may stand anywhere.
        axes.sort_by_key(|&axis| std::cmp::Reverse(if shape[axis] == 1 { 0 } else { strides[axis] }));
        let numbers = [axes.len()].into_iter().chain(axes.iter().flat_map(|&axis| [axis, shape[axis]]));
        to.write_all(&numbers.flat_map(|number| (number as u64).to_le_bytes()).collect::<Vec<u8>>())?;
        let elements = block.elements();
        let mut buffer = vec![0; Self::N_BUFFERED.min(elements.len()) * A::BYTES];
        for some in elements.chunks(Self::N_BUFFERED) {
            let bytes = &mut buffer[..some.len() * A::BYTES];
            bytes.chunks_exact_mut(A::BYTES).zip(some).for_each(|(out, element)| element.store(out));
            to.write_all(bytes)?;
        }
        Ok(())
    }

    /// Number and length of the axes of a block that can be, in the order of memory.
    fn read_axes(from: &mut dyn Read) -> Result<Vec<[usize; 2]>, CodecError> {
        let mut number = || {
            let mut bytes = [0; 8];
            from.read_exact(&mut bytes).map_err(|source| CodecError::io(A::KIND, source))?;
            Ok(u64::from_le_bytes(bytes))
        };
        let ndim = number()?;
        let mut axes = Vec::new();
        for _ in 0..ndim {
            axes.push([number()?, number()?]);
        }
        let lengths = axes.iter().map(|&[_, length]| length);
        let bytes = lengths.clone().try_fold(A::BYTES as u64, u64::checked_mul);
        let mut seen = vec![false; axes.len()];
        let each_once = axes.iter().all(|&[axis, _]| {
            let seen = usize::try_from(axis).ok().and_then(|axis| seen.get_mut(axis));
            seen.is_some_and(|seen| !std::mem::replace(seen, true))
        });
        // Also an empty block may not have a length that is no `usize`.
        let fits = lengths.clone().all(|length| usize::try_from(length).is_ok());
        if !each_once || !fits || bytes.is_none_or(|bytes| isize::try_from(bytes).is_err()) {
            return Err(Self::malformed(NoBlock::Axes { axes, element: A::BYTES }));
        }
        Ok(axes.into_iter().map(|axis| axis.map(|number| number as usize)).collect())
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
        let axes = Self::read_axes(from)?;
        let shape: Vec<usize> = axes.iter().map(|&[_, length]| length).collect();
        let elements = Self::read_elements(from, shape.iter().product())?;
        if from.read(&mut [0]).map_err(|source| CodecError::io(A::KIND, source))? > 0 {
            return Err(Self::malformed(NoBlock::Behind { shape }));
        }
        let mut places = vec![0; axes.len()];
        axes.iter().enumerate().for_each(|(place, &[axis, _])| places[axis] = place);
        let array = ArrayD::from_shape_vec(IxDyn(&shape), elements).map_err(|_| {
            let axes = axes.iter().map(|axis| axis.map(|number| number as u64)).collect();
            Self::malformed(NoBlock::Axes { axes, element: A::BYTES })
        })?;
        Ok(Arc::new(Block::new(array.permuted_axes(IxDyn(&places)))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array, Axis};

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
    fn a_block_goes_out_and_comes_back() {
        check(ArrayD::<f64>::zeros(IxDyn(&[])));
        check(ArrayD::<f64>::zeros(IxDyn(&[4, 0, 3])));
        check(ArrayD::from_elem(IxDyn(&[2, 2]), true));
        let n = BUFFER / 8;
        for length in [n - 1, n, n + 1, 5 * n + 3] {
            check(Array::from_iter((0..length).map(|i| i as f64)).into_dyn());
        }
    }

    #[test]
    fn a_block_keeps_its_layout() {
        for shape in [[3, 4, 5], [1, 4, 2], [4, 1, 1], [1, 1, 1], [3, 0, 2]] {
            let array = Array::from_shape_fn(shape, |(i, j, k)| (100 * i + 10 * j + k) as i32);
            for axes in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
                let permuted = array.clone().permuted_axes(axes).into_dyn();
                let bytes = encoded(&Block::new(permuted.clone()));
                let codec = Block::new(permuted.clone()).codec().unwrap();
                let back = codec.decode(&mut bytes.as_slice()).unwrap();
                let back = back.downcast_ref::<Block<i32>>().unwrap();
                assert_eq!(back.elements(), Block::new(permuted.clone()).elements());
                check(permuted);
            }
        }
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
            numbers(&[1, 0, 2, 0]),
            numbers(&[2, 0, u64::MAX, 1, u64::MAX, 0]),
            numbers(&[2, 0, u64::MAX, 1, 0]),
            numbers(&[1, 0, 1 << 60, 0]),
            numbers(&[u64::MAX, 0, 1]),
            // A million gigabytes, of which eight bytes come.
            numbers(&[1, 0, 1 << 47, 0]),
            // An axis that is not, and one that is twice.
            numbers(&[1, 1, 1, 0]),
            numbers(&[2, 0, 1, 0, 1, 0]),
            vec![1, 0, 0],
        ] {
            let error = codec.decode(&mut lies.as_slice()).unwrap_err();
            assert!(matches!(error, CodecError::Malformed { .. }), "{error:?}");
        }
        let mut endless = Endless(0);
        let long = numbers(&[1, 0, 3 << 20]);
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
