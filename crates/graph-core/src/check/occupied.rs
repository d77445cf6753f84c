//! Which parts of one file are written by whom.

use std::collections::{BTreeMap, HashMap};

use crate::lower::TaskIx;
use crate::touch::Region;

/// The parts of one file that have been claimed.
///
/// Parts of different kinds, such as bytes and units, cannot be compared and are taken to overlap.
#[derive(Debug, Default)]
pub(super) struct Occupied {
    whole: Option<TaskIx>,
    /// By their first byte: the byte behind the last one, and by whom. They do not overlap.
    bytes: BTreeMap<u64, (u64, TaskIx)>,
    units: HashMap<Box<[u64]>, TaskIx>,
}

impl Occupied {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Claims a part, as far as it is free; returns another task that has claimed some of it before.
    pub(super) fn add(&mut self, task: TaskIx, region: &Region) -> Option<TaskIx> {
        let met = self.met(task, region);
        match region {
            Region::Whole => {
                self.whole.get_or_insert(task);
            }
            Region::Bytes(range) if met.is_none() && !range.is_empty() => {
                let (mut start, mut end) = (range.start, range.end);
                // The task's own claims may overlap this one: they become one claim.
                while let Some((&first, &(behind, _))) = self.bytes.range(..end).next_back()
                    && behind > start
                {
                    self.bytes.remove(&first);
                    (start, end) = (start.min(first), end.max(behind));
                }
                self.bytes.insert(start, (end, task));
            }
            Region::Bytes(_) => {}
            Region::Units { start, end } => each_unit(start, end, |unit| {
                self.units.entry(unit.into()).or_insert(task);
                None
            })
            .unwrap_or(()),
        }
        met
    }

    /// Another task that has claimed some of this part.
    pub(super) fn met(&self, task: TaskIx, region: &Region) -> Option<TaskIx> {
        let others = |other: &TaskIx| *other != task;
        let any_bytes = || self.bytes.values().map(|&(_, by)| by).find(others);
        let any_units = || self.units.values().copied().find(others);
        let whole = self.whole.filter(others);
        whole.or_else(|| match region {
            Region::Whole => any_bytes().or_else(any_units),
            Region::Bytes(range) => {
                let before = self.bytes.range(..range.end).rev();
                let overlapping = before.take_while(|&(_, &(end, _))| end > range.start);
                overlapping.map(|(_, &(_, by))| by).find(others).or_else(any_units)
            }
            Region::Units { start, end } => {
                each_unit(start, end, |unit| self.units.get(unit).copied().filter(others)).or_else(any_bytes)
            }
        })
    }
}

/// Calls `visit` for the units of a box in C order, until it finds something.
fn each_unit<T>(start: &[u64], end: &[u64], mut visit: impl FnMut(&[u64]) -> Option<T>) -> Option<T> {
    if start.len() != end.len() || start.iter().zip(end).any(|(start, end)| start >= end) {
        return None;
    }
    let mut unit = start.to_vec();
    loop {
        if let Some(found) = visit(&unit) {
            return Some(found);
        }
        let mut axis = unit.len();
        loop {
            if axis == 0 {
                return None;
            }
            axis -= 1;
            unit[axis] += 1;
            if unit[axis] < end[axis] {
                break;
            }
            unit[axis] = start[axis];
        }
    }
}
