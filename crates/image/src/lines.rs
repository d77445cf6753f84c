//! Work on whole lines along an axis: the axis is brought into one block, and a function sees one line at a time.

use musher_array::kernel::memory::{with_room, zeros};
use musher_array::{Array, Block, Element};
use musher_graph_core::{Facts, FnTask, Inputs, Layer, Place, Port, Site, TaskError, Token, Wiring};
use musher_scheduler::check_cancelled;
use ndarray::{ArrayD, Axis, Dimension, IxDyn, Zip};

use crate::error::Error;
use crate::wire::{grid_of, port_of};

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
        let whole = array.chunks().whole_along(Axis(axis));
        let array = array.try_rechunk(&whole)?;
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
