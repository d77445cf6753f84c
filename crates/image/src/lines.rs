//! Work on whole lines along an axis: the axis is brought into one block, and a function sees one line at a time.

use musher_array::kernel::memory::{with_room, zeros};
use musher_array::{Array, Block, Chunking, Element};
use musher_graph_core::{Facts, FnTask, Inputs, Layer, Place, Port, Site, TaskError, Token, Wiring};
use musher_scheduler::check_cancelled;
use ndarray::{ArrayD, Axis, Dimension, IxDyn, Zip};

use crate::error::Error;
use crate::wire::{grid_of, port_of};

/// The division with one block along an axis, and along the others blocks as long as before, or shorter where a block would be
/// larger than the largest before.
fn whole_along(chunks: &Chunking, axis: usize) -> Chunking {
    let lengths = chunks.shape();
    let largest: usize = chunks.largest_block().iter().product();
    let mut room = if largest == 0 { usize::MAX } else { (largest / lengths[axis].max(1)).max(1) };
    let mut divided: Vec<Vec<usize>> = vec![Vec::new(); chunks.ndim()];
    for own in (0..chunks.ndim()).rev() {
        if own == axis {
            divided[own] = vec![lengths[own]];
            continue;
        }
        let longest = chunks.largest_block()[own].max(1);
        let cut = |&length: &usize| {
            (0..length.max(1)).step_by(room.min(longest)).map(move |at| room.min(longest).min(length - at))
        };
        divided[own] = chunks.axis(own).iter().flat_map(cut).collect();
        room = (room / longest).max(1);
    }
    Chunking::from_lengths(&divided)
}

/// A function of whole lines, under a name with its version.
pub(crate) struct Lines {
    pub(crate) label: &'static str,
    pub(crate) name: &'static str,
    pub(crate) axis: usize,
    /// Bytes that the function needs for each element of a line.
    pub(crate) needs: usize,
    /// About how many nanoseconds an element takes.
    pub(crate) cost: u64,
}

impl Lines {
    /// What `f` makes of each line; the blocks are whole along the axis.
    #[track_caller]
    pub(crate) fn of<A: Element, B: Element, D: Dimension, S: Default>(
        self,
        array: &Array<A, D>,
        parameters: &impl Token,
        f: impl Fn(&[A], &mut S, &mut [B]) + Send + Sync + 'static,
    ) -> Result<Array<B, D>, Error> {
        let Self { label, name, axis, needs, cost } = self;
        let whole = whole_along(array.chunks(), axis);
        let array =
            if array.chunks() == &whole { array.clone() } else { array.try_rechunk(whole.clone())? };
        let task = FnTask::new(label, move |_: Place<'_>, inputs: &mut Inputs<'_>| {
            let block = inputs.get::<Block<A>>(0)?.view();
            let mut made = ArrayD::from_shape_vec(IxDyn(block.shape()), zeros::<B>(block.len())?)?;
            let mut line: Vec<A> = with_room(block.shape()[axis])?;
            let mut out: Vec<B> = zeros(block.shape()[axis])?;
            let mut scratch = S::default();
            check_cancelled()?;
            Zip::from(made.lanes_mut(Axis(axis))).and(block.lanes(Axis(axis))).for_each(|mut to, from| {
                line.clear();
                line.extend(from.iter());
                f(&line, &mut scratch, &mut out);
                to.iter_mut().zip(&out).for_each(|(to, value)| *to = *value);
            });
            Ok::<_, TaskError>(Block::new(made))
        })
        .params(name, &((A::NAME, B::NAME), axis, parameters));
        let of_facts = whole.clone();
        let task = task.facts(move |at, _| {
            let shape = of_facts.block_shape(&at.coords());
            let elements = shape.iter().product::<usize>();
            let line = shape[axis] * (size_of::<A>() + size_of::<B>() + needs);
            Facts::bytes((elements * size_of::<B>()) as u64)
                .scratch(line as u64 + 256)
                .cost(1_000 + elements as u64 * cost)
        });
        let layer = Layer::build(task)
            .caller(Site::caller())
            .input(&port_of(&array), Wiring::one_to_one(array.ndim()))
            .finish(grid_of(&array));
        Ok(Array::from_port(Port::of(layer), whole))
    }
}

#[cfg(test)]
mod tests {
    use super::whole_along;
    use musher_array::Chunking;

    #[test]
    fn blocks_of_whole_lines_are_no_larger_than_before_where_that_is_possible() {
        let divided = |lengths: &[&[usize]]| {
            Chunking::from_lengths(&lengths.iter().map(|axis| axis.to_vec()).collect::<Vec<_>>())
        };
        assert_eq!(whole_along(&divided(&[&[4, 4], &[6, 6]]), 0), divided(&[&[8], &[3, 3, 3, 3]]));
        assert_eq!(whole_along(&divided(&[&[4], &[6]]), 0), divided(&[&[4], &[6]]));
        assert_eq!(whole_along(&divided(&[&[1; 9], &[1, 2]]), 0), divided(&[&[9], &[1, 1, 1]]));
        assert_eq!(whole_along(&divided(&[&[0], &[3]]), 0), divided(&[&[0], &[3]]));
        assert_eq!(whole_along(&divided(&[&[2, 2], &[0], &[5]]), 0).shape(), [4, 0, 5]);
    }
}
