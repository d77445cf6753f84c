//! Single elements, point by point.

use crate::array::{Array, Core};
use crate::block::Block;
use crate::chunks::Chunking;
use crate::element::Element;
use crate::error::{Error, Shape, expect};
use crate::kernel::assemble::{locate, offsets};
use crate::kernel::memory::with_room;
use musher_graph_core::{Facts, FnTask, Grid, Inputs, Layer, Lists, Place, Port, Site, Wiring};
use ndarray::{Array1, Dimension, Ix1, IxDyn};
use std::sync::Arc;

/// The points of one block of the answer.
struct Points {
    /// The blocks that hold one, in order.
    blocks: Vec<u32>,
    /// For each point, which of these blocks it lies in, and its index there.
    places: Vec<(u32, Vec<u32>)>,
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// The elements at these points: `indices` holds a list for each axis, and element `i` of the answer is that at the
    /// indices number `i` of all lists.
    ///
    /// **Shape** `(n,)` for lists of n indices, in blocks of as many elements as the largest block has.
    /// **Cost** one task for each block of the answer, which reads all blocks that hold one of its points: points that are near
    /// each other in the lists should be near in the array. Blocks without a point are not made.
    ///
    /// # Panics
    /// When there is not one list for each axis, the lists differ in length, or an index lies outside its axis.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{arr1, arr2}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[1, 2, 3], [4, 5, 6]]), 2);
    /// assert_eq!(x.vindex(&[&[0, 1, 1], &[2, 0, 2]]).compute()?, arr1(&[3, 4, 6]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "fancy indexing")]
    pub fn vindex(&self, indices: &[&[usize]]) -> Array<A, Ix1> {
        expect(self.try_vindex(indices))
    }

    /// As [`vindex`](Self::vindex).
    ///
    /// # Errors
    /// [`Error::Shapes`] when there is not one list for each axis, or the lists differ in length, [`Error::Index`] when an
    /// index lies outside its axis.
    #[track_caller]
    pub fn try_vindex(&self, indices: &[&[usize]]) -> Result<Array<A, Ix1>, Error> {
        let (operation, caller, ndim) = ("vindex", Site::caller(), self.ndim());
        let n = indices.first().map_or(0, |list| list.len());
        if indices.len() != ndim || ndim == 0 || indices.iter().any(|list| list.len() != n) {
            let (left, right) = (Shape(self.shape()), Shape(indices.iter().map(|list| list.len()).collect()));
            return Err(Error::Shapes { operation, left, right, caller });
        }
        for (axis, list) in indices.iter().enumerate() {
            let length = self.chunks().axis(axis).iter().sum();
            if let Some(&outside) = list.iter().find(|&&index| index >= length) {
                let index = isize::try_from(outside).unwrap_or(isize::MAX);
                return Err(Error::Index { operation, axis, index, length, caller });
            }
        }
        let most = self.chunks().largest_block().iter().product::<usize>().max(1);
        let groups: Vec<Points> =
            (0..n).step_by(most).map(|at| self.points(indices, at..n.min(at + most))).collect();
        let groups = if groups.is_empty() { vec![self.points(indices, 0..0)] } else { groups };
        let mut lists = Lists::new();
        groups.iter().for_each(|group| lists.push(group.blocks.iter().copied()));
        let chunking = Chunking::from_axes([groups.iter().map(|group| group.places.len()).collect()]);
        let groups = Arc::new(groups);
        let words: Vec<&(u32, Vec<u32>)> = groups.iter().flat_map(|group| &group.places).collect();
        let name = (A::NAME, words, self.chunks());
        let (of_task, of_facts) = (Arc::clone(&groups), Arc::clone(&groups));
        let task = FnTask::new(operation, move |at: Place<'_>, inputs: &mut Inputs<'_>| {
            let group = &of_task[at.index()];
            let blocks =
                if group.blocks.is_empty() { Default::default() } else { inputs.slot::<Block<A>>(0)? };
            let mut elements = with_room(group.places.len())?;
            for (block, place) in &group.places {
                let place: Vec<usize> = place.iter().map(|&index| index as usize).collect();
                elements.push(blocks[*block as usize].view()[IxDyn(&place)]);
            }
            Ok(Block::new(Array1::from_vec(elements).into_dyn()))
        });
        let task = task.params("array.vindex/1", &name).facts(move |at, _| {
            let n = of_facts[at.index()].places.len() as u64;
            Facts::bytes(n * size_of::<A>() as u64).cost(1_000 + 20 * n)
        });
        let layer = Layer::build(task).caller(caller);
        let layer = layer.input(&self.core().port, Wiring::Explicit(Arc::new(lists)));
        let port = Port::of(layer.finish(Grid::from([chunking.n_blocks()])));
        Ok(Array::from_core(Core { port, chunking }))
    }

    /// Some of the points.
    fn points(&self, indices: &[&[usize]], range: std::ops::Range<usize>) -> Points {
        let grid = self.chunks().grid();
        let starts: Vec<Vec<usize>> = self.chunks().axes().map(offsets).collect();
        let mut places: Vec<(u32, Vec<u32>)> = range
            .map(|point| {
                let at = indices.iter().zip(&starts).map(|(list, starts)| locate(starts, list[point]));
                let (block, place): (Vec<usize>, Vec<u32>) = at.map(|(block, at)| (block, at as u32)).unzip();
                (grid.index_of(&block) as u32, place)
            })
            .collect();
        let mut blocks: Vec<u32> = places.iter().map(|(block, _)| *block).collect();
        blocks.sort_unstable();
        blocks.dedup();
        for (block, _) in &mut places {
            *block = blocks.binary_search(block).expect("it was just counted") as u32;
        }
        Points { blocks, places }
    }
}
