//! The same elements under other shapes.
//!
//! Where the elements of a block stay together, only its shape changes ([`Reshape`]). Otherwise elements move between
//! blocks, and the bounded exchange carries them ([`Moves`]).

mod moves;

use self::moves::Moves;
use crate::array::{Array, Core};
use crate::block::Block;
use crate::chunks::{Chunking, Chunks, n_elements};
use crate::element::Element;
use crate::error::{Error, Shape, expect};
use crate::gather::check;
use crate::kernel::memory::copied;
use musher_graph_core::{
    AxisMap, Codec, Facts, Inputs, Layer, Output, Place, Port, Site, Task, TaskError, Token, Tokenizer,
    Wiring, exchanged_at,
};
use ndarray::{Dimension, IntoDimension, IxDyn};
use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

impl<A: Element, D: Dimension> Array<A, D> {
    /// The elements, in C order, under another shape.
    ///
    /// **Shape** as given. Axes that are equal from the first one on stay as they are; where the blocks are whole but
    /// along the first axis that differs, their elements become blocks along the new one. Otherwise the new blocks
    /// have at most as many elements as the largest old one, and are whole along as many of the last axes as fit.
    /// **Cost** none for blocks that lie in C order and stay together, else a copy. Where elements move between blocks,
    /// one pass all to all; the pieces wait on disk if they do not fit in memory.
    ///
    /// # Panics
    /// When the number of elements differs.
    ///
    /// # Examples
    /// ```
    /// use musher_array::Array;
    /// use musher_scheduler::Compute;
    /// let x = Array::arange(0, 12, 1, 6).reshape((4, 3));
    /// assert_eq!(x.chunks().axis(0), [2, 2]);
    /// assert_eq!(x.compute()?[[3, 0]], 9);
    /// // Blocks of 6 cannot become rows of 4.
    /// let y = x.reshape((3, 4));
    /// assert_eq!(y.chunks().axis(0), [1, 1, 1]);
    /// assert_eq!(y.compute()?[[2, 1]], 9);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "ravel")]
    #[doc(alias = "flatten")]
    #[doc(alias = "to_shape")]
    pub fn reshape<Sh: IntoDimension>(&self, shape: Sh) -> Array<A, Sh::Dim> {
        expect(self.try_reshape(shape))
    }

    /// As [`reshape`](Self::reshape).
    ///
    /// # Errors
    /// [`Error::Shapes`] when the number of elements differs.
    #[track_caller]
    pub fn try_reshape<Sh: IntoDimension>(&self, shape: Sh) -> Result<Array<A, Sh::Dim>, Error> {
        let caller = Site::caller();
        let (from, shape) = (self.shape(), shape.into_dimension());
        let to = shape.slice();
        if n_elements(&from) != n_elements(to) {
            let (left, right) = (Shape(from), to.into());
            return Err(Error::Shapes { operation: "reshape", left, right, caller });
        }
        let Some(chunking) = reshaped(self.chunks(), to) else {
            return Ok(Array::from_core(moved::<A>(self.core(), to, caller)));
        };
        let kept = from.iter().zip(to).take_while(|(a, b)| a == b).count();
        let maps = (0..self.ndim()).map(|axis| {
            if axis < chunking.ndim().min(kept + 1) { AxisMap::follow(axis) } else { AxisMap::Fixed(0) }
        });
        let task = Reshape::<A> { output: chunking.clone(), marker: PhantomData };
        let layer = Layer::build(task).caller(caller).input(&self.core().port, Wiring::axes(maps));
        let layer = layer.finish(chunking.grid());
        Ok(Array::from_core(Core { port: Port::of(layer), chunking }))
    }
}

/// The block lengths after a reshape that moves no element between blocks, if there is one.
fn reshaped(chunking: &Chunking, to: &[usize]) -> Option<Chunking> {
    let from = chunking.shape();
    let kept = from.iter().zip(to).take_while(|(a, b)| a == b).count();
    let single = |axis: usize| chunking.axis(axis).len() == 1;
    let mut lengths: Vec<Arc<[usize]>> = (0..kept).map(|axis| chunking.shared_axis(axis)).collect();
    let (Some(&first), Some(_)) = (to.get(kept), from.get(kept)) else {
        // Only axes of length 1 come or go.
        if !(kept..from.len()).all(single) {
            return None;
        }
        lengths.extend(to[kept..].iter().map(|&length| [length].into()));
        return Some(Chunking::from_axes(lengths));
    };
    if !(kept + 1..from.len()).all(single) {
        return None;
    }
    let inner: usize = from[kept + 1..].iter().product();
    let new_inner: usize = to[kept + 1..].iter().product();
    let along: Option<Vec<usize>> = if single(kept) {
        Some(vec![first])
    } else {
        let cut = |&length: &usize| {
            let elements = length * inner;
            (new_inner > 0 && elements.is_multiple_of(new_inner)).then(|| elements / new_inner)
        };
        chunking.axis(kept).iter().map(cut).collect()
    };
    lengths.push(along?.into());
    lengths.extend(to[kept + 1..].iter().map(|&length| [length].into()));
    Some(Chunking::from_axes(lengths))
}

/// The layers of a reshape that moves elements between blocks.
fn moved<A: Element>(core: &Core, to: &[usize], caller: Site) -> Core {
    let largest = core.chunking.largest_block().iter().product();
    let chunking = slabs(to, largest);
    let moves = Moves::<A>::new(&core.chunking, &chunking);
    Core { port: exchanged_at(&core.port, moves, chunking.grid(), caller), chunking }
}

/// Blocks of at most so many elements, but at least one, whole along as many of the last axes as fit.
pub(crate) fn slabs(shape: &[usize], n_elements: usize) -> Chunking {
    let mut room = n_elements.max(1);
    let mut lengths = vec![1; shape.len()];
    for (length, &n) in lengths.iter_mut().zip(shape).rev() {
        *length = n.clamp(1, room);
        room /= *length;
    }
    Chunks::Axes(lengths).resolve(shape, crate::element::DType::U8).expect("a positive length for each axis")
}

/// Gives a block another shape.
struct Reshape<A> {
    output: Chunking,
    marker: PhantomData<fn() -> A>,
}

impl<A: Element> Task for Reshape<A> {
    fn label(&self) -> Cow<'_, str> {
        "reshape".into()
    }

    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let block: &Block<A> = inputs.get(0)?;
        let shape = self.output.block_shape(&at.coords());
        check(&[shape.iter().product()], &[block.view().len()])?;
        let array = block.array().clone();
        let array = match array.is_standard_layout() {
            true => array,
            false => copied(&array.view())?.into_shared(),
        };
        Ok(Output::one(Block::try_shared(array.into_shape_with_order(IxDyn(&shape))?)?))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("array.reshape/1");
        self.output.token(tokenizer);
    }

    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        Some(Block::<A>::CODEC)
    }

    fn facts(&self, at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        let n: usize = self.output.block_shape(&at.coords()).iter().product();
        Facts::bytes((n * size_of::<A>()) as u64).cost(500)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use musher_testkit::{EXCHANGE_COUNTS, Random, Staging, check_everywhere, chunkings_of, compute_staged};
    use ndarray::{Array2, ArrayD};

    #[test]
    fn slabs_are_whole_along_the_last_axes() {
        let lengths = |shape: &[usize], n| slabs(shape, n).axes().map(<[usize]>::to_vec).collect::<Vec<_>>();
        assert_eq!(lengths(&[4, 6], 12), [vec![2, 2], vec![6]]);
        assert_eq!(lengths(&[4, 6], 13), [vec![2, 2], vec![6]]);
        assert_eq!(lengths(&[2, 6], 4), [vec![1, 1], vec![4, 2]]);
        assert_eq!(lengths(&[2, 0, 3], 100), [vec![2], vec![0], vec![3]]);
        assert_eq!(lengths(&[], 0), Vec::<Vec<usize>>::new());
    }

    #[test]
    fn every_division_of_a_shape_becomes_every_other_shape() {
        let whole = Array2::from_shape_fn((3, 4), |(i, j)| (i * 4 + j) as u16);
        let staging = Staging::new(0);
        for lengths in chunkings_of(&[3, 4]) {
            let x = Array::from_array(whole.clone(), lengths);
            for shape in
                [vec![12], vec![4, 3], vec![2, 6], vec![6, 2], vec![2, 3, 2], vec![1, 12], vec![12, 1]]
            {
                let want = whole.clone().into_shape_with_order(IxDyn(&shape)).unwrap();
                let moved = Array::<u16, IxDyn>::from_core(moved::<u16>(x.core(), &shape, Site::caller()));
                assert_eq!(compute_staged(&moved, &staging).unwrap().0, want);
                assert_eq!(check_everywhere(&x.reshape(shape.as_slice())), want);
            }
        }
        assert!(staging.written_bytes() > 0 && staging.n_alive() == 0);
    }

    #[test]
    fn random_shapes_divisions_and_layouts_keep_the_order() {
        let shapes: [&[usize]; 6] = [&[60], &[3, 20], &[5, 4, 3], &[2, 2, 3, 5], &[1, 60, 1], &[30, 2]];
        for seed in 0..150 {
            let mut random = Random::new(seed);
            let (from, to) = (shapes[random.below(6)], shapes[random.below(6)]);
            let whole = ArrayD::from_shape_fn(IxDyn(from), |_| random.bits());
            let lengths: Vec<usize> = from.iter().map(|&n| 1 + random.below(n)).collect();
            let x = Array::from_array(whole.clone(), lengths);
            let (x, whole) = match random.one_in(2) {
                true => (x.t(), whole.reversed_axes()),
                false => (x, whole),
            };
            let want = ArrayD::from_shape_vec(IxDyn(to), whole.iter().copied().collect()).unwrap();
            let y = x.reshape(to);
            assert_eq!(check_everywhere(&y), want, "seed {seed}: {from:?} to {to:?}");
            assert_eq!(compute_staged(&y, &Staging::new(0)).unwrap().0, want, "seed {seed}, staged");
        }
    }

    #[test]
    fn every_number_of_blocks_keeps_the_order() {
        for n in EXCHANGE_COUNTS {
            let whole = ndarray::Array1::from_iter(0..2 * n as u32);
            let want = whole.clone().into_shape_with_order((2, n)).unwrap();
            // Blocks of one and of two elements for which some target has to look at two blocks.
            let x = Array::from_array(
                whole,
                vec![std::iter::repeat_n(2, n - 1).chain([1, 1]).collect::<Vec<_>>()],
            );
            let y = Array::<u32, ndarray::Ix2>::from_core(moved::<u32>(x.core(), &[2, n], Site::caller()));
            assert_eq!(compute_staged(&y, &Staging::new(u64::MAX)).unwrap().0, want, "{n} blocks");
            if n < 1_000 {
                assert_eq!(compute_staged(&y, &Staging::new(0)).unwrap().0, want, "{n} blocks, staged");
            }
        }
    }

    #[test]
    fn nothing_is_reshaped_to_nothing() {
        let x = Array::from_array(ArrayD::<f32>::zeros(IxDyn(&[0, 4])), vec![vec![0, 0], vec![2, 2]]);
        for shape in [vec![0], vec![3, 0], vec![4, 0, 2]] {
            assert_eq!(check_everywhere(&x.reshape(shape.as_slice())).shape(), shape);
        }
    }

    fn lengths(axes: &[&[usize]]) -> Chunking {
        Chunking::from_lengths(&axes.iter().map(|axis| axis.to_vec()).collect::<Vec<_>>())
    }

    #[test]
    fn only_whole_blocks_are_reshaped() {
        /// Block lengths before, shape after, block lengths after.
        type Case<'a> = (&'a [&'a [usize]], &'a [usize], Option<&'a [&'a [usize]]>);
        let cases: &[Case<'_>] = &[
            (&[&[2, 4], &[4]], &[24], Some(&[&[8, 16]])),
            (&[&[8, 16]], &[6, 4], Some(&[&[2, 4], &[4]])),
            (&[&[6, 18]], &[6, 4], None),
            (&[&[2, 4], &[2, 2]], &[24], None),
            (&[&[1, 1], &[3], &[4]], &[2, 12], Some(&[&[1, 1], &[12]])),
            (&[&[1, 1], &[1, 2], &[4]], &[2, 12], Some(&[&[1, 1], &[4, 8]])),
            (&[&[5]], &[5, 1, 1], Some(&[&[5], &[1], &[1]])),
            (&[&[2, 3]], &[5, 1], Some(&[&[2, 3], &[1]])),
            (&[&[2, 3], &[1]], &[5], Some(&[&[2, 3]])),
            (&[&[1], &[2, 3]], &[5], None),
        ];
        for (from, to, want) in cases {
            assert_eq!(reshaped(&lengths(from), to), want.map(lengths), "{from:?} {to:?}");
        }
    }
}
