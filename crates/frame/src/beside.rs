//! Steps that see rows of other partitions: those before and behind their own.
//!
//! The rows beside a partition come from its neighbors, and from farther away where those are short or empty. Of each
//! partition only its ends travel: from as many neighbors as it takes, where lengths are known, and else from partition to
//! partition.

use std::ops::Range;
use std::sync::Arc;

use musher_graph_core::{AxisMap, Layer, Port, Wiring};
use polars::prelude::{DataFrame, PlSmallStr, Schema, SchemaExt, SchemaRef, col};

use crate::carried::Side;
use crate::check::Window;
use crate::frame::Frame;
use crate::origin::Origin;
use crate::step::PartitionStep;
use crate::task::{PartitionTask, Rows};

impl Frame {
    /// This frame with a step in every partition that keeps its rows and sees the rows of a window beside them.
    ///
    /// At the ends of the frame there are fewer rows to see, or none: what the step makes of that is what polars makes of
    /// it at the ends of a table.
    pub(crate) fn beside(
        &self,
        window: Window,
        step: PartitionStep,
        schema: SchemaRef,
        origin: Origin,
    ) -> Self {
        if window == Window::default() {
            return self.then(step, schema, true, origin);
        }
        let frame = self.with_needed(&step, origin);
        let [before, after] = [(Side::Before, window.before), (Side::After, window.after)]
            .map(|(side, n)| frame.ends(side, n, origin));
        let slots = [before.as_ref().map(|_| 1), after.as_ref().map(|_| 1 + usize::from(before.is_some()))];
        let steps = vec![step, PartitionStep::own_rows(slots[0], 0)];
        let task = PartitionTask::new(Rows::Beside { before: slots[0], own: 0, after: slots[1] }, steps);
        let layer = Layer::build(task).caller(origin.caller).input(&frame.port, Wiring::one_to_one(1));
        let ends = before.into_iter().chain(after);
        let layer = ends.fold(layer, |layer, (port, wiring)| layer.input(&port, wiring));
        Self {
            port: Port::of(layer.finish(self.port.grid().clone())),
            schema,
            lengths: self.lengths.clone(),
            sorted: None,
        }
    }

    /// The columns that a step reads, where it names all: the others are not made for it.
    fn with_needed(&self, step: &PartitionStep, origin: Origin) -> Self {
        let Some(columns) = step.reads_only() else { return self.clone() };
        let field = |name: &PlSmallStr| self.schema.get_field(name);
        let Some(schema) = columns.iter().map(field).collect::<Option<Schema>>() else { return self.clone() };
        let select = PartitionStep::select(columns.into_iter().map(col).collect());
        self.then(select, schema.into(), true, origin)
    }

    /// At least `n` rows on a side of each partition, or all that there are, and how a partition reads them; none if `n` is 0.
    fn ends(&self, side: Side, n: u32, origin: Origin) -> Option<(Port, Wiring)> {
        if n == 0 {
            return None;
        }
        let end = PartitionStep::end(n, side == Side::Before);
        let ends = self.then(end.clone(), Arc::clone(&self.schema), false, origin);
        Some(match self.lengths() {
            Some(lengths) => (ends.port, side.nearest(lengths, n as usize)),
            None => ends.so_far(side, end, DataFrame::empty_with_schema(&self.schema), origin),
        })
    }
}

impl Side {
    /// Each partition reads the ends of the nearest ones, as many as it takes.
    fn nearest(self, lengths: &[usize], n: usize) -> Wiring {
        let ranges = (0..lengths.len()).map(|at| self.reach(lengths, at, n));
        let ranges = ranges.map(|range| (range.start as u32, range.end as u32)).collect();
        Wiring::axes([AxisMap::Ranges { axis: 0, ranges }])
    }

    /// The fewest partitions next to one that hold `n` rows, or all that there are.
    fn reach(self, lengths: &[usize], at: usize, n: usize) -> Range<usize> {
        let enough = |lengths: &mut dyn Iterator<Item = &usize>| {
            let mut have = 0;
            let count = lengths.take_while(|&&length| {
                let more = have < n;
                have += length;
                more
            });
            count.count()
        };
        match self {
            Self::Before => at - enough(&mut lengths[..at].iter().rev())..at,
            Self::After => at + 1..at + 1 + enough(&mut lengths[at + 1..].iter()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_partitions_that_hold_enough_rows_are_read() {
        let lengths = [2, 0, 3, 0, 1, 4];
        let before = |at, n| Side::Before.reach(&lengths, at, n);
        assert_eq!([before(0, 1), before(1, 1), before(2, 1), before(2, 3)], [0..0, 0..1, 0..2, 0..2]);
        assert_eq!([before(5, 1), before(5, 2), before(5, 4), before(5, 5)], [4..5, 2..5, 2..5, 0..5]);
        let after = |at, n| Side::After.reach(&lengths, at, n);
        assert_eq!([after(5, 1), after(4, 1), after(2, 1), after(2, 2)], [6..6, 5..6, 3..5, 3..6]);
        assert_eq!([after(0, 3), after(0, 4), after(0, 99)], [1..3, 1..5, 1..6]);
    }
}
