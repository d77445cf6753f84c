//! Which elements of two divisions of one sequence lie together: what a reshape moves.
//!
//! Under every shape an array is the same sequence of elements in C order. A block of a division holds *runs* of it:
//! stretches that follow each other in the sequence and in the block. Two divisions, perhaps of different shapes, meet
//! in *segments*, the stretches that lie in one run of each.

use super::assemble::{advance, offsets};
use std::ops::Range;

/// A division of an array's sequence of elements into blocks, as seen under one shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Runs {
    offsets: Vec<Vec<usize>>,
    /// How far apart in the sequence neighbors along each axis are.
    strides: Vec<usize>,
}

impl Runs {
    /// The division with these block lengths along each axis.
    #[must_use]
    pub fn new<'a>(lengths: impl IntoIterator<Item = &'a [usize]>) -> Self {
        let offsets: Vec<Vec<usize>> = lengths.into_iter().map(offsets).collect();
        let mut strides = vec![1; offsets.len()];
        for axis in (1..offsets.len()).rev() {
            strides[axis - 1] = strides[axis] * length_of(&offsets[axis]);
        }
        Self { offsets, strides }
    }

    /// The offsets of the blocks along each axis.
    #[must_use]
    pub fn offsets(&self) -> &[Vec<usize>] {
        &self.offsets
    }

    /// The number of elements.
    #[must_use]
    pub fn n_elements(&self) -> usize {
        self.offsets.iter().map(|offsets| length_of(offsets)).product()
    }

    /// The indices along each axis that a block holds; blocks are counted in C order.
    #[must_use]
    pub fn ranges(&self, mut block: usize) -> Vec<Range<usize>> {
        let mut ranges = vec![0..0; self.offsets.len()];
        for (range, offsets) in ranges.iter_mut().zip(&self.offsets).rev() {
            let (n, at) = (offsets.len() - 1, block % (offsets.len() - 1));
            *range = offsets[at]..offsets[at + 1];
            block /= n;
        }
        ranges
    }

    /// The axis along which the runs of a block lie: the first one behind which the block is whole.
    fn axis_of_runs(&self, ranges: &[Range<usize>]) -> usize {
        let is_whole = |axis: usize| ranges[axis].len() == length_of(&self.offsets[axis]);
        (1..ranges.len()).rev().find(|&axis| !is_whole(axis)).unwrap_or(0)
    }

    /// The longest runs of any block: the lengths along the last axis that is divided, with all behind it.
    fn longest_run(&self) -> usize {
        let divided = |&axis: &usize| self.offsets[axis].len() > 2;
        let Some(axis) = (0..self.offsets.len()).rev().find(divided) else { return self.n_elements() };
        let longest = self.offsets[axis].windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
        longest * self.strides[axis]
    }

    /// At most so many segments a block has with a division whose blocks are alike, but for the last along each axis.
    ///
    /// **Cost** none for the elements of the block.
    #[must_use]
    pub fn most_segments(&self, block: usize, other: &Self) -> usize {
        let ranges = self.ranges(block);
        let elements = ranges.iter().map(Range::len).product::<usize>();
        if elements == 0 || ranges.is_empty() {
            return elements;
        }
        let axis = self.axis_of_runs(&ranges);
        let run = ranges[axis].len() * self.strides[axis];
        // Between two whole runs of the other division there is at most one that is cut short.
        let a_run = 2 + 2 * (run / other.longest_run().max(1));
        (elements / run).saturating_mul(a_run).min(elements)
    }

    /// Calls `visit` with the first element and the length of each run of a block, in order.
    pub fn for_each_run(&self, block: usize, mut visit: impl FnMut(usize, usize)) {
        let ranges = self.ranges(block);
        if ranges.iter().any(Range::is_empty) {
            return;
        }
        let Some(last) = ranges.len().checked_sub(1).map(|_| self.axis_of_runs(&ranges)) else {
            return visit(0, 1);
        };
        let length = ranges[last].len() * self.strides[last];
        let mut place = vec![0; last];
        loop {
            let outer = (0..last).map(|axis| (ranges[axis].start + place[axis]) * self.strides[axis]);
            visit(outer.sum::<usize>() + ranges[last].start * self.strides[last], length);
            if !advance(&mut place, |axis| ranges[axis].len()) {
                return;
            }
        }
    }

    /// The block that holds an element of the sequence, and how many elements of its run begin there.
    ///
    /// # Panics
    /// When there is no such element.
    #[must_use]
    pub fn locate(&self, element: usize) -> (usize, usize) {
        let (mut block, mut rest) = (0, element);
        // What is left of the run, if the axes behind turn out to be whole.
        let mut left = 1;
        for (axis, (offsets, &stride)) in self.offsets.iter().zip(&self.strides).enumerate() {
            let index = rest / stride;
            rest %= stride;
            let at = offsets.partition_point(|&offset| offset <= index) - 1;
            block = block * (offsets.len() - 1) + at;
            let is_whole = offsets[at + 1] - offsets[at] == length_of(offsets);
            if axis == 0 || !is_whole {
                left = (offsets[at + 1] - index) * stride - rest;
            }
        }
        (block, left)
    }

    /// Calls `visit` with the block of `other` and the length of each segment of a block, in the order of the sequence.
    ///
    /// **Cost** about 20 nanoseconds a segment and axis.
    pub fn for_each_segment(&self, block: usize, other: &Self, mut visit: impl FnMut(usize, usize)) {
        self.for_each_run(block, |mut element, mut length| {
            while length > 0 {
                let (there, run) = other.locate(element);
                let n = run.min(length);
                visit(there, n);
                element += n;
                length -= n;
            }
        });
    }
}

/// The length of an axis.
fn length_of(offsets: &[usize]) -> usize {
    offsets.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use musher_testkit::{chunkings_of, with_empty_chunks};

    /// The block of each element, and of which elements each block consists, by counting through.
    fn by_hand(lengths: &[Vec<usize>]) -> (Vec<usize>, Vec<Vec<usize>>) {
        let shape: Vec<usize> = lengths.iter().map(|axis| axis.iter().sum()).collect();
        let n_blocks = lengths.iter().map(Vec::len).product();
        let (mut of, mut blocks) = (Vec::new(), vec![Vec::new(); n_blocks]);
        for element in 0..shape.iter().product() {
            let (mut block, mut rest) = (0, element);
            for (axis, lengths) in lengths.iter().enumerate() {
                let stride: usize = shape[axis + 1..].iter().product();
                let mut index = rest / stride;
                rest %= stride;
                let at = lengths.iter().position(|&length| {
                    let found = index < length;
                    index -= if found { 0 } else { length };
                    found
                });
                block = block * lengths.len() + at.unwrap();
            }
            of.push(block);
            blocks[block].push(element);
        }
        (of, blocks)
    }

    #[test]
    fn runs_and_places_are_those_of_counting_through() {
        for shape in [vec![], vec![5], vec![3, 4], vec![2, 3, 2], vec![2, 1, 3], vec![3, 0, 2]] {
            for lengths in chunkings_of(&shape) {
                let runs = Runs::new(lengths.iter().map(Vec::as_slice));
                let (of, blocks) = by_hand(&lengths);
                for (block, expected) in blocks.iter().enumerate() {
                    let mut found = Vec::new();
                    let mut ends = Vec::new();
                    runs.for_each_run(block, |start, length| {
                        found.extend(start..start + length);
                        ends.push(start + length);
                    });
                    assert_eq!(found, *expected, "{lengths:?}");
                    for &element in expected {
                        let (there, left) = runs.locate(element);
                        assert_eq!(there, of[element], "{lengths:?}");
                        assert!(ends.contains(&(element + left)), "{lengths:?} {element}: {left}");
                    }
                }
            }
        }
    }

    #[test]
    fn segments_of_two_shapes_cover_each_block_once() {
        let to = chunkings_of(&[6, 2]);
        for from in chunkings_of(&[3, 4]) {
            let own = Runs::new(from.iter().map(Vec::as_slice));
            for to in &to {
                let other = Runs::new(to.iter().map(Vec::as_slice));
                let there = by_hand(to).0;
                for (block, elements) in by_hand(&from).1.iter().enumerate() {
                    let mut found = Vec::new();
                    own.for_each_segment(block, &other, |to, n| found.extend(vec![to; n]));
                    assert_eq!(found, elements.iter().map(|&e| there[e]).collect::<Vec<_>>());
                    let mut n_segments = 0;
                    own.for_each_segment(block, &other, |_, _| n_segments += 1);
                    let is_even = |axis: &Vec<usize>| {
                        axis[1..].iter().all(|&n| n == axis[0] || n == axis[axis.len() - 1])
                    };
                    if to.iter().all(|axis| is_even(axis) && axis[axis.len() - 1] <= axis[0]) {
                        assert!(n_segments <= own.most_segments(block, &other), "{from:?} to {to:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn empty_blocks_hold_nothing() {
        for lengths in with_empty_chunks(&[2, 1]) {
            let runs = Runs::new([lengths.as_slice(), &[0, 2]]);
            let mut n = 0;
            (0..lengths.len() * 2).for_each(|block| runs.for_each_run(block, |_, length| n += length));
            assert_eq!(n, 6);
            assert!((0..6).all(|e| lengths[runs.locate(e).0 / 2] > 0 && runs.locate(e).0 % 2 == 1));
        }
    }
}
