//! Work on whole lines along an axis: the axis is brought into one block, and a plain function sees one line at a time.

use crate::array::Core;
use crate::chunks::Chunking;
use crate::element::Element;
use crate::kernel::memory::{with_room, zeros};
use crate::per_block::PerBlock;
use crate::rechunk::rechunked;
use musher_graph_core::{Site, Token, Wiring};
use ndarray::{ArrayD, Axis, IxDyn, Zip};
use std::sync::Arc;

/// The division with one block along an axis, and along the others blocks as long as before, or shorter where a block would
/// be larger than the largest before.
pub(crate) fn whole_along(chunking: &Chunking, axis: usize) -> Chunking {
    whole_along_axes(chunking, &[axis], 0)
}

/// The same for several axes. Room is left for lines that become as long as `longest`.
pub(crate) fn whole_along_axes(chunking: &Chunking, axes: &[usize], longest: usize) -> Chunking {
    let length = |axis: usize| chunking.axis(axis).iter().sum::<usize>();
    let n: usize = axes.iter().map(|&axis| length(axis)).product();
    // Blocks without elements are of no size: the others may stay as they are.
    let largest = chunking.largest_block().iter().product::<usize>();
    let mut room = if largest == 0 { usize::MAX } else { (largest / n.max(longest).max(1)).max(1) };
    let mut lengths: Vec<Arc<[usize]>> = Vec::with_capacity(chunking.ndim());
    for own in (0..chunking.ndim()).rev() {
        let longest = chunking.largest_block()[own].max(1);
        lengths.push(match own {
            _ if axes.contains(&own) => [length(own)].into(),
            _ if longest <= room => chunking.shared_axis(own),
            _ => {
                let cut =
                    |&length: &usize| (0..length.max(1)).step_by(room).map(move |at| room.min(length - at));
                chunking.axis(own).iter().flat_map(cut).collect()
            }
        });
        if !axes.contains(&own) {
            room = (room / longest).max(1);
        }
    }
    lengths.reverse();
    Chunking::from_axes(lengths)
}

/// A function of whole lines.
pub(crate) struct Lines {
    pub(crate) label: &'static str,
    /// Name and version of the work in fingerprints.
    pub(crate) name: &'static str,
    pub(crate) axis: usize,
    /// Bytes that the function needs for each element of a line.
    pub(crate) needs: usize,
    pub(crate) caller: Site,
}

impl Lines {
    /// Each line of the core becomes one of `length` elements, which `f` fills; its first argument is the line, in a place of
    /// its own that it may change.
    pub(crate) fn of<A: Element, B: Element>(
        self,
        core: &Core,
        length: usize,
        parameters: &impl Token,
        f: impl Fn(&mut [A], &mut [B]) + Send + Sync + 'static,
    ) -> Core {
        let whole = whole_along(&core.chunking, self.axis);
        let core = rechunked::<A>(core, &whole, self.caller);
        let lengths = vec![length; whole.axis(self.axis).len()];
        self.within_blocks(&core, lengths.into(), parameters, f)
    }

    /// The same of the part of each line that stands in a block; the parts become as long as these.
    pub(crate) fn within_blocks<A: Element, B: Element>(
        self,
        core: &Core,
        lengths: Arc<[usize]>,
        parameters: &impl Token,
        f: impl Fn(&mut [A], &mut [B]) + Send + Sync + 'static,
    ) -> Core {
        let Self { label, name, axis, needs, caller } = self;
        let output = core.chunking.with_axis(axis, Arc::clone(&lengths));
        let wiring = Wiring::one_to_one(output.ndim());
        // A line and what becomes of it; the block itself is counted by who made it.
        let longest = |lengths: &[usize]| lengths.iter().copied().max().unwrap_or(0);
        let (read, made) = (longest(core.chunking.axis(axis)), longest(&lengths));
        let bytes =
            read.saturating_mul(size_of::<A>() + needs).saturating_add(made.saturating_mul(size_of::<B>()));
        let step = PerBlock { label, name, wiring, output, scratch: 0, caller };
        step.beside::<A, B>(core, &(axis, parameters), bytes as u64, move |at, block| {
            let mut shape = block.shape().to_vec();
            shape[axis] = lengths[at[axis]];
            let mut made = ArrayD::from_shape_vec(IxDyn(&shape), zeros::<B>(shape.iter().product())?)?;
            let mut line: Vec<A> = with_room(block.shape()[axis])?;
            let mut out: Vec<B> = zeros(shape[axis])?;
            Zip::from(made.lanes_mut(Axis(axis))).and(block.lanes(Axis(axis))).for_each(|mut to, from| {
                line.clear();
                line.extend(from.iter());
                f(&mut line, &mut out);
                to.iter_mut().zip(&out).for_each(|(to, value)| *to = *value);
            });
            Ok(made)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_whole_lines_are_no_larger_than_before_where_that_is_possible() {
        let divided = |lengths: &[&[usize]]| {
            Chunking::from_lengths(&lengths.iter().map(|axis| axis.to_vec()).collect::<Vec<_>>())
        };
        let found = whole_along(&divided(&[&[4, 4], &[6, 6]]), 0);
        assert_eq!(found, divided(&[&[8], &[3, 3, 3, 3]]));
        assert_eq!(whole_along(&divided(&[&[4], &[6]]), 0), divided(&[&[4], &[6]]));
        assert_eq!(whole_along(&divided(&[&[1; 9], &[1, 2]]), 0), divided(&[&[9], &[1, 1, 1]]));
        assert_eq!(whole_along(&divided(&[&[0], &[3]]), 0), divided(&[&[0], &[3]]));
        assert_eq!(whole_along(&divided(&[&[2, 2], &[0], &[5]]), 0).shape(), [4, 0, 5]);
        assert_eq!(whole_along(&divided(&[&[0, 0], &[900, 900]]), 0), divided(&[&[0], &[900, 900]]));
        assert_eq!(whole_along(&divided(&[&[2, 2], &[0], &[900]]), 0), divided(&[&[4], &[0], &[900]]));
        let cube = divided(&[&[4, 4], &[2, 2], &[3, 3]]);
        assert_eq!(whole_along_axes(&cube, &[1, 2], 0), divided(&[&[1; 8], &[4], &[6]]));
        assert_eq!(whole_along_axes(&cube, &[], 0), cube);
    }
}
