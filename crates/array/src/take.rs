//! Elements of an axis by their numbers: any order, any number of times.
//!
//! Blocks without a wanted element are never made. What is left is wired where a new block needs few old ones ([`Take`]), and
//! goes through the bounded exchange where it needs many ([`Scattered`]), as rechunking does.

mod scattered;

use self::scattered::Scattered;
use crate::array::{Array, Core};
use crate::block::Block;
use crate::chunks::Chunking;
use crate::element::Element;
use crate::error::{Error, Shape, expect};
use crate::kernel::assemble::{Origin, Piece, locate, offsets, push_element};
use crate::kernel::strip::Axes;
use crate::layout::passed_through;
use crate::rechunk::is_all_to_all;
use crate::region::{AxisReads, assemble_inputs, wiring};
use musher_graph_core::{
    AxisMap, Codec, Facts, Inputs, Layer, Output, Place, Port, Site, Task, TaskError, Token, Tokenizer,
    Wiring, exchanged_at,
};
use ndarray::{Axis, Dimension};
use std::borrow::Cow;
use std::sync::Arc;

/// The core with the elements of these indices along an axis.
pub(crate) fn taken<A: Element>(
    operation: &'static str,
    core: &Core,
    axis: usize,
    indices: &[usize],
    caller: Site,
) -> Result<Core, Error> {
    let ndim = core.chunking.ndim();
    if axis >= ndim {
        return Err(Error::Axis { operation, axis, ndim, caller });
    }
    let length = core.chunking.axis(axis).iter().sum();
    if let Some(&outside) = indices.iter().find(|&&index| index >= length) {
        let index = isize::try_from(outside).unwrap_or(isize::MAX);
        return Err(Error::Index { operation, axis, index, length, caller });
    }
    let mut shape = core.chunking.shape();
    shape[axis] = indices.len();
    if crate::chunks::n_elements(&shape).is_none() {
        return Err(Error::TooLarge { shape: Shape(shape), what: "elements", caller });
    }
    Ok(Wanted::of(&core.chunking, axis, indices).from::<A>(operation, core, caller))
}

/// The wanted elements of an axis, by blocks.
struct Wanted {
    axis: usize,
    /// The blocks that hold one, in order.
    blocks: Vec<u32>,
    /// For each new block, its elements: the number of the block among those, and the index in it.
    elements: Vec<Vec<(u32, u32)>>,
}

impl Wanted {
    fn of(chunking: &Chunking, axis: usize, indices: &[usize]) -> Self {
        let starts = offsets(chunking.axis(axis));
        let longest = chunking.largest_block()[axis].max(1);
        // A grid has at most u32::MAX tasks along an axis, and a block of more elements along one is no block of today.
        let place = |&index: &usize| {
            let (block, at) = locate(&starts, index);
            (block as u32, at as u32)
        };
        let mut elements: Vec<Vec<(u32, u32)>> =
            indices.chunks(longest).map(|some| some.iter().map(place).collect()).collect();
        if elements.is_empty() {
            elements.push(Vec::new());
        }
        let mut blocks: Vec<u32> = elements.iter().flatten().map(|&(block, _)| block).collect();
        blocks.sort_unstable();
        blocks.dedup();
        for (block, _) in elements.iter_mut().flatten() {
            *block = blocks.binary_search(block).expect("it was just counted") as u32;
        }
        Self { axis, blocks, elements }
    }

    /// The layers.
    fn from<A: Element>(self, operation: &'static str, core: &Core, caller: Site) -> Core {
        let core = &self.narrowed::<A>(operation, core, caller);
        let lengths: Arc<[usize]> = self.elements.iter().map(Vec::len).collect();
        let along = |own: usize| match own == self.axis {
            true => Arc::clone(&lengths),
            false => core.chunking.shared_axis(own),
        };
        let output = Chunking::from_axes((0..core.chunking.ndim()).map(along));
        let task = Take::<A>::new(operation, &self, &core.chunking, output.clone());
        if is_all_to_all(&task.reads, &core.chunking, &output, size_of::<A>()) {
            let scattered = Scattered::<A>::new(operation, &self, &core.chunking, &output);
            return Core {
                port: exchanged_at(&core.port, scattered, output.grid(), caller),
                chunking: output,
            };
        }
        let wiring = wiring(&task.reads);
        let layer = Layer::build(task).caller(caller).input(&core.port, wiring).finish(output.grid());
        Core { port: Port::of(layer), chunking: output }
    }

    /// The core with the blocks alone that are wanted.
    fn narrowed<A: Element>(&self, operation: &'static str, core: &Core, caller: Site) -> Core {
        let own = core.chunking.axis(self.axis);
        if self.blocks.len() == own.len() || self.blocks.is_empty() {
            return core.clone();
        }
        let ndim = core.chunking.ndim();
        let axes: Axes = (0..ndim).map(|axis| Some(axis as u8)).collect();
        let maps = (0..ndim).map(|axis| match axis == self.axis {
            true => AxisMap::Lookup { axis, table: self.blocks.as_slice().into() },
            false => AxisMap::follow(axis),
        });
        let lengths = (0..ndim).map(|axis| match axis == self.axis {
            true => self.blocks.iter().map(|&block| own[block as usize]).collect(),
            false => core.chunking.shared_axis(axis),
        });
        let chunking = Chunking::from_axes(lengths);
        passed_through::<A>(operation, core, (axes, Wiring::axes(maps)), chunking, caller)
    }
}

/// Assembles one new block from elements of old ones along an axis.
struct Take<A> {
    label: &'static str,
    axis: usize,
    /// The runs of each new block along the axis.
    pieces: Vec<Vec<Piece<A>>>,
    reads: Vec<AxisReads>,
    output: Chunking,
}

impl<A: Element> Take<A> {
    fn new(label: &'static str, wanted: &Wanted, from: &Chunking, output: Chunking) -> Self {
        let runs = |elements: &Vec<(u32, u32)>| {
            let mut pieces = Vec::new();
            elements.iter().for_each(|&(block, at)| push_element(&mut pieces, block as usize, at as usize));
            pieces
        };
        let pieces: Vec<Vec<Piece<A>>> = wanted.elements.iter().map(runs).collect();
        let reads = |axis| match axis == wanted.axis {
            true => AxisReads::covering(from.axis(axis).len(), pieces.iter().cloned()),
            false => AxisReads::Own,
        };
        Self { label, axis: wanted.axis, reads: (0..from.ndim()).map(reads).collect(), pieces, output }
    }

    /// The runs of the block at these coordinates, axis by axis.
    fn pieces(&self, coords: &[usize]) -> Vec<Vec<Piece<A>>> {
        let along = |(axis, &at): (usize, &usize)| match self.output.axis(axis)[at] {
            _ if axis == self.axis => self.pieces[at].clone(),
            0 => Vec::new(),
            length => vec![Piece { at: 0, length, origin: Origin::Forward { block: at, start: 0 } }],
        };
        coords.iter().enumerate().map(along).collect()
    }
}

impl<A: Element> Task for Take<A> {
    fn label(&self) -> Cow<'_, str> {
        self.label.into()
    }

    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let coords = at.coords();
        let block = assemble_inputs(&self.reads, &coords, &self.pieces(&coords), &inputs)?;
        Ok(Output::one(Block::new(block)))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("array.take/1");
        self.axis.token(tokenizer);
        self.output.token(tokenizer);
        for piece in self.pieces.iter().flatten() {
            let words = match piece.origin {
                Origin::Forward { block, start } => [0, block, start, piece.length],
                Origin::Backward { block, start } => [1, block, start, piece.length],
                Origin::Fill(_) => [2, 0, 0, piece.length],
            };
            words.iter().for_each(|word| word.token(tokenizer));
        }
    }

    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        Some(Block::<A>::CODEC)
    }

    fn facts(&self, at: Place<'_>, inputs: &[Option<u64>]) -> Facts {
        let n: usize = self.output.block_shape(&at.coords()).iter().product();
        let bytes = (n * size_of::<A>()) as u64;
        // A block that does not lie in C order is copied first.
        Facts::bytes(bytes).scratch(inputs.iter().flatten().sum()).cost(1_000 + bytes / 2)
    }
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// The elements with these indices along an axis, in their order and as often as they are named.
    ///
    /// **Shape** that of the array, with as many elements along `axis` as there are indices; blocks along it are as long as
    /// the longest before.
    /// **Cost** one pass; blocks without such an element are not made. Where a new block needs many old ones, the old ones are
    /// cut instead, and the pieces wait on disk if they do not fit.
    ///
    /// # Panics
    /// When there is no such axis, or an index lies outside it.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr1}};
    /// use musher_scheduler::Compute;
    /// let x = Array::arange(10, 60, 10, 2);
    /// assert_eq!(x.take(Axis(0), &[4, 0, 0, 2]).compute()?, arr1(&[50, 10, 10, 30]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "fancy indexing")]
    #[doc(alias = "dask.array.take")]
    pub fn take(&self, axis: Axis, indices: &[usize]) -> Self {
        expect(self.try_take(axis, indices))
    }

    /// As [`take`](Self::take).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis, [`Error::Index`] when an index lies outside it, [`Error::TooLarge`] when
    /// the elements cannot be counted.
    #[track_caller]
    pub fn try_take(&self, axis: Axis, indices: &[usize]) -> Result<Self, Error> {
        taken::<A>("take", self.core(), axis.0, indices, Site::caller()).map(Self::from_core)
    }

    /// The elements along an axis whose truth is true, in order.
    ///
    /// **Shape** that of the array, with as many elements along `axis` as truths are true.
    /// **Cost** as [`take`](Self::take).
    ///
    /// # Panics
    /// When there is no such axis, or not one truth for each element along it.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr2}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[1, 2, 3], [4, 5, 6]]), 2);
    /// assert_eq!(x.compress(Axis(1), &[true, false, true]).compute()?, arr2(&[[1, 3], [4, 6]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "boolean indexing")]
    pub fn compress(&self, axis: Axis, truths: &[bool]) -> Self {
        expect(self.try_compress(axis, truths))
    }

    /// As [`compress`](Self::compress).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis, [`Error::Shapes`] when there is not one truth for each element along it.
    #[track_caller]
    pub fn try_compress(&self, axis: Axis, truths: &[bool]) -> Result<Self, Error> {
        let (operation, caller) = ("compress", Site::caller());
        self.check_axis(operation, axis.0, self.ndim(), caller)?;
        if truths.len() != self.len_of(axis) {
            let (left, right) = (Shape(self.shape()), Shape(vec![truths.len()]));
            return Err(Error::Shapes { operation, left, right, caller });
        }
        let indices: Vec<usize> = (0..truths.len()).filter(|&index| truths[index]).collect();
        taken::<A>(operation, self.core(), axis.0, &indices, caller).map(Self::from_core)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use musher_testkit::{Random, Staging, check_everywhere, chunkings, compute_staged};
    use ndarray::{Array3, ArrayD, IxDyn};

    /// Both ways to take these elements.
    fn forced(x: &Array<i32, IxDyn>, axis: usize, indices: &[usize]) -> [Array<i32, IxDyn>; 2] {
        let wanted = Wanted::of(x.chunks(), axis, indices);
        let lengths = |own: usize| match own == axis {
            true => wanted.elements.iter().map(Vec::len).collect(),
            false => x.chunks().shared_axis(own),
        };
        let core = wanted.narrowed::<i32>("take", x.core(), Site::caller());
        let output = Chunking::from_axes((0..x.ndim()).map(lengths));
        let task = Take::<i32>::new("take", &wanted, &core.chunking, output.clone());
        let wiring = wiring(&task.reads);
        let wired = Port::of(Layer::build(task).input(&core.port, wiring).finish(output.grid()));
        let scattered = Scattered::<i32>::new("take", &wanted, &core.chunking, &output);
        let exchanged = exchanged_at(&core.port, scattered, output.grid(), Site::caller());
        [wired, exchanged].map(|port| Array::from_core(Core { port, chunking: output.clone() }))
    }

    #[test]
    fn both_ways_give_what_ndarray_selects() {
        let staging = Staging::new(0);
        for seed in 0..120 {
            let mut random = Random::new(seed);
            let shape = [1 + random.below(4), 1 + random.below(5), 1 + random.below(4)];
            let whole = Array3::from_shape_fn(shape, |(i, j, k)| (100 * i + 10 * j + k) as i32).into_dyn();
            let lengths = shape.map(|n| {
                let all = chunkings(n);
                all[random.below(all.len())].clone()
            });
            let turned = random.one_in(3);
            let x = match turned {
                true => Array::from_array(whole.clone().reversed_axes(), {
                    let mut lengths = lengths.to_vec();
                    lengths.reverse();
                    lengths
                })
                .t(),
                false => Array::from_array(whole.clone(), lengths.to_vec()),
            };
            let axis = random.below(3);
            let indices: Vec<usize> = (0..random.below(9)).map(|_| random.below(shape[axis])).collect();
            let want: ArrayD<i32> = whole.select(Axis(axis), &indices);
            for found in forced(&x, axis, &indices) {
                assert_eq!(check_everywhere(&found), want, "seed {seed}: {indices:?} of axis {axis}");
                assert_eq!(compute_staged(&found, &staging).unwrap().0, want, "seed {seed}, staged");
            }
            assert_eq!(check_everywhere(&x.take(Axis(axis), &indices)), want);
        }
        assert_eq!(staging.n_alive(), 0);
    }

    #[test]
    fn blocks_without_a_wanted_element_are_not_made() {
        let x = Array::<f64, _>::from_shape_fn(1000, 10, |i| {
            assert!((200..210).contains(&i) || i >= 990, "element {i} is in no wanted block");
            i as f64
        });
        assert_eq!(
            check_everywhere(&x.take(Axis(0), &[995, 201, 204])),
            ndarray::arr1(&[995.0, 201.0, 204.0])
        );
    }

    #[test]
    fn a_permutation_of_many_blocks_is_an_exchange() {
        let (n, length) = (40_usize, 5);
        let x = Array::arange(0, (n * length) as i64, 1, length);
        let indices: Vec<usize> = (0..n * length).map(|i| i * 77 % (n * length)).collect();
        let y = x.take(Axis(0), &indices);
        let plan = format!("{:?}", y.core().port.layer.label());
        assert!(musher_graph_core::exchange_of::<Scattered<i64>>(&y.core().port).is_some(), "{plan}");
        let want: ndarray::Array1<i64> = indices.iter().map(|&index| index as i64).collect();
        assert_eq!(check_everywhere(&y), want);
    }

    #[test]
    fn equal_lists_have_equal_keys_and_others_not() {
        let x = Array::<f32, _>::ones(12, 4);
        let key = |indices: &[usize]| x.take(Axis(0), indices).key();
        assert_eq!(key(&[1, 5, 9]), key(&[1, 5, 9]));
        let others: [&[usize]; 5] = [&[1, 5, 8], &[5, 1, 9], &[1, 5], &[], &[1, 5, 9, 9]];
        for other in others {
            assert_ne!(key(&[1, 5, 9]), key(other), "{other:?}");
        }
    }
}
