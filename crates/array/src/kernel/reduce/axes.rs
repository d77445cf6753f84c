//! Which axes a reduction takes away, and how a block lies along them.

use super::{GROUP, SEGMENT};
use std::ops::Range;

/// A set of axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AxisSet(u64);

impl AxisSet {
    /// Axes beyond this number cannot be named.
    pub const MOST: usize = 64;

    /// No axis.
    pub const NONE: Self = Self(0);

    /// All axes of an array with so many.
    #[must_use]
    pub const fn all(ndim: usize) -> Self {
        if ndim >= Self::MOST { Self(u64::MAX) } else { Self((1 << ndim) - 1) }
    }

    /// The set with one more axis.
    #[must_use]
    pub const fn with(self, axis: usize) -> Self {
        Self(self.0 | 1 << axis)
    }

    /// Whether an axis is among them.
    #[must_use]
    pub const fn contains(self, axis: usize) -> bool {
        axis < Self::MOST && self.0 >> axis & 1 == 1
    }

    /// Whether every axis of an array with so many is among them.
    #[must_use]
    pub const fn is_all(self, ndim: usize) -> bool {
        self.0 == Self::all(ndim).0
    }

    /// The axes, in order.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = usize> + Clone {
        (0..Self::MOST).filter(move |&axis| self.contains(axis))
    }

    /// The set as a number, for fingerprints.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// A shape with length 1 along these axes.
    #[must_use]
    pub fn reduced(self, shape: &[usize]) -> Vec<usize> {
        let kept = |(axis, &length): (usize, &usize)| if self.contains(axis) { 1 } else { length };
        shape.iter().enumerate().map(kept).collect()
    }

    /// How many elements of this shape meet in one answer.
    #[must_use]
    pub fn along(self, shape: &[usize]) -> usize {
        self.iter().take_while(|&axis| axis < shape.len()).map(|axis| shape[axis]).product()
    }
}

/// A block of some shape seen as (outer, n, inner): reduced along `n`, its last reduced axes that lie beside each other.
///
/// Reduced axes before these are among the outer ones; the states of the block are combined along them at the end.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    /// Elements before the reduced run.
    pub(super) outer: usize,
    /// Elements along it.
    pub(super) n: usize,
    /// Elements behind it.
    pub(super) inner: usize,
    /// The row of the segments, where `inner` is 1.
    pub(super) row: usize,
    /// Length of each axis before the run, and whether it is reduced.
    pub(super) before: Vec<(usize, bool)>,
    /// The axes of the run.
    pub(super) run: Range<usize>,
}

impl Lines {
    /// How a block of this shape lies along the axes.
    pub(super) fn new(shape: &[usize], axes: AxisSet) -> Self {
        if axes.is_all(shape.len()) {
            let total = shape.iter().product();
            // As many trailing axes as make a row of at least one segment.
            let mut row = 1;
            for &length in shape.iter().rev() {
                if row >= SEGMENT {
                    break;
                }
                row *= length;
            }
            return Self { outer: 1, n: total, inner: 1, row, before: Vec::new(), run: 0..shape.len() };
        }
        let end = axes.iter().take_while(|&axis| axis < shape.len()).last().map_or(0, |last| last + 1);
        let start = (0..end).rev().take_while(|&axis| axes.contains(axis)).last().unwrap_or(end);
        let n = shape[start..end].iter().product();
        Self {
            outer: shape[..start].iter().product(),
            n,
            inner: shape[end..].iter().product(),
            row: n,
            before: (0..start).map(|axis| (shape[axis], axes.contains(axis))).collect(),
            run: start..end,
        }
    }

    /// The number of states that a sink keeps of the block.
    pub(super) fn n_states(&self) -> usize {
        match (self.outer * self.n * self.inner, self.inner) {
            (0, _) => 0,
            (total, 1) => total / self.row * self.row.div_ceil(SEGMENT),
            (_, inner) => self.outer * self.n.div_ceil(GROUP) * inner,
        }
    }
}

/// The row on which the segments of a reduction lie: runs must not cross its ends except as whole rows.
///
/// `None` where any run will do.
#[must_use]
pub fn row_length(shape: &[usize], axes: AxisSet) -> Option<usize> {
    let lines = Lines::new(shape, axes);
    (lines.inner == 1).then_some(lines.row)
}

/// The axes along which the elements of a line must come in order, where a reduction does not lie along rows.
#[must_use]
pub fn ordered_axes(shape: &[usize], axes: AxisSet) -> Option<Range<usize>> {
    let lines = Lines::new(shape, axes);
    (lines.inner != 1).then_some(lines.run)
}

/// States that are alive at once while a block of this shape is reduced: those of the sink, those along its last run of
/// axes, and those that are combined along the axes before it.
#[must_use]
pub fn scratch_states(shape: &[usize], axes: AxisSet) -> usize {
    let lines = Lines::new(shape, axes);
    let along = lines.outer * lines.inner;
    // Across rows, states are lists until they are closed.
    let states = lines.n_states() * if lines.inner == 1 { 1 } else { 2 };
    let combined = if lines.before.iter().any(|(_, reduced)| *reduced) { along } else { 0 };
    states.max(combined) + along
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(axes: &[usize]) -> AxisSet {
        axes.iter().fold(AxisSet::NONE, |set, &axis| set.with(axis))
    }

    #[test]
    fn a_set_knows_its_axes() {
        let axes = set(&[2, 0]);
        assert_eq!(axes.iter().collect::<Vec<_>>(), [0, 2]);
        assert_eq!(axes.reduced(&[4, 5, 6]), [1, 5, 1]);
        assert_eq!(axes.along(&[4, 5, 6]), 24);
        assert!(set(&[0, 1]).is_all(2) && !set(&[0, 1]).is_all(3));
        assert!(AxisSet::all(0).is_all(0), "an array without axes has all of none");
        assert!(AxisSet::all(70).contains(63) && !AxisSet::all(3).contains(3));
    }

    #[test]
    fn the_last_run_of_reduced_axes_is_what_lines_lie_along() {
        let lines = |axes: &[usize]| {
            let Lines { outer, n, inner, before, .. } = Lines::new(&[2, 3, 4, 5], set(axes));
            (outer, n, inner, before.iter().filter(|(_, reduced)| *reduced).count())
        };
        assert_eq!(lines(&[1]), (2, 3, 20, 0));
        assert_eq!(lines(&[3]), (24, 5, 1, 0));
        assert_eq!(lines(&[1, 2]), (2, 12, 5, 0));
        assert_eq!(lines(&[0, 2]), (6, 4, 5, 1));
        assert_eq!(lines(&[0, 1, 3]), (24, 5, 1, 2));
        assert_eq!(lines(&[0, 1, 2, 3]), (1, 120, 1, 0));
    }
}
