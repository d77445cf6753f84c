//! Work on whole lines along an axis: the axis is brought into one block, and a plain function sees one line at a time.

use crate::array::Core;
use crate::element::Element;
use crate::kernel::memory::{with_room, zeros};
use crate::per_block::PerBlock;
use crate::rechunk::rechunked;
use musher_graph_core::{Site, Token, Wiring};
use ndarray::{ArrayD, Axis, IxDyn, Zip};
use std::sync::Arc;

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
        let whole = core.chunking.whole_along(Axis(self.axis));
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
