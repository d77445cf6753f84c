//! Steps that see rows of other partitions: those before and behind their own.
//!
//! The rows beside a partition come from its neighbors, and from farther away where those are short or empty. Of each
//! partition only its ends travel: its last rows to those behind it, its first rows to those before.

use std::ops::Range;
use std::sync::Arc;

use musher_graph_core::{AxisMap, Layer, Port, Wiring};
use polars::prelude::SchemaRef;

use crate::check::Window;
use crate::frame::Frame;
use crate::site::Site;
use crate::step::PartitionStep;
use crate::task::{PartitionTask, Rows};

/// A side of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    After,
}

impl Frame {
    /// This frame with a step in every partition that keeps its rows and sees the rows of a window beside them.
    ///
    /// At the ends of the frame there are fewer rows to see, or none: what the step makes of that is what polars makes of
    /// it at the ends of a table.
    pub(crate) fn beside(&self, window: Window, step: PartitionStep, schema: SchemaRef, site: Site) -> Self {
        if window == Window::default() {
            return self.then(step, schema, true, site);
        }
        let frame = self.with_needed(&step, site);
        let [before, after] = [(Side::Before, window.before), (Side::After, window.after)]
            .map(|(side, n)| frame.ends(side, n, site));
        let slots = [before.as_ref().map(|_| 1), after.as_ref().map(|_| 1 + usize::from(before.is_some()))];
        let steps = vec![step, PartitionStep::own_rows(slots[0], 0)];
        let task = PartitionTask::new(Rows::Beside { before: slots[0], own: 0, after: slots[1] }, steps);
        let layer = Layer::build(task).caller(site.caller).input(&frame.port, Wiring::one_to_one(1));
        let ends = before.into_iter().chain(after);
        let layer = ends.fold(layer, |layer, (port, wiring)| layer.input(&port, wiring));
        Self { port: Port::of(layer.finish(self.port.grid().clone())), schema, lengths: self.lengths.clone() }
    }

    /// The columns that a step reads, where it names all: the others are not made for it.
    fn with_needed(&self, step: &PartitionStep, site: Site) -> Self {
        match step.reads_only() {
            Some(columns) => self.then(PartitionStep::select(columns), Arc::clone(&self.schema), true, site),
            None => self.clone(),
        }
    }

    /// At least `n` rows on a side of each partition, or all that there are, and how a partition reads them; none if `n` is 0.
    fn ends(&self, side: Side, n: u32, site: Site) -> Option<(Port, Wiring)> {
        if n == 0 {
            return None;
        }
        let end = PartitionStep::end(n, side == Side::Before);
        let ends = self.then(end.clone(), Arc::clone(&self.schema), false, site);
        let n_partitions = self.n_partitions();
        Some(match self.lengths() {
            Some(lengths) => (ends.port, reads(n_partitions, |at| side.reach(lengths, at, n as usize))),
            None => (ends.so_far(side, &end, site), reads(n_partitions, |at| side.next(at, 1, n_partitions))),
        })
    }

    /// For each partition what a step makes of the rows up to it and of it, where it may be applied to what it made of some of
    /// them: in each round every partition adds what the one twice as far away as in the round before has gathered.
    ///
    /// **Source** W. D. Hillis, G. L. Steele: Data parallel algorithms, Communications of the ACM 29 (1986).
    pub(crate) fn so_far(&self, side: Side, combine: &PartitionStep, site: Site) -> Port {
        let rows = match side {
            Side::Before => Rows::Beside { before: Some(1), own: 0, after: None },
            Side::After => Rows::Beside { before: None, own: 0, after: Some(1) },
        };
        let n_partitions = self.n_partitions();
        let distances = std::iter::successors(Some(1), |distance| Some(2 * distance));
        distances.take_while(|&distance| distance < n_partitions).fold(self.port.clone(), |port, distance| {
            let task = PartitionTask::new(rows.clone(), vec![combine.clone()]);
            let layer = Layer::build(task).caller(site.caller).input(&port, Wiring::one_to_one(1));
            let farther = reads(n_partitions, |at| side.next(at, distance, n_partitions));
            Port::of(layer.input(&port, farther).finish(port.grid().clone()))
        })
    }
}

impl Side {
    /// The partition at this distance, if there is one.
    pub(crate) fn next(self, at: usize, distance: usize, n_partitions: usize) -> Range<usize> {
        let next = match self {
            Self::Before => at.checked_sub(distance),
            Self::After => Some(at + distance).filter(|&next| next < n_partitions),
        };
        next.map_or(0..0, |next| next..next + 1)
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

/// Each partition reads the ends of these ones.
pub(crate) fn reads(n_partitions: usize, of: impl Fn(usize) -> Range<usize>) -> Wiring {
    let ranges = (0..n_partitions).map(of).map(|range| (range.start as u32, range.end as u32));
    Wiring::axes([AxisMap::Ranges { axis: 0, ranges: ranges.collect() }])
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
