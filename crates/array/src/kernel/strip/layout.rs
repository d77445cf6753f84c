//! How strips cover a block, and how a strip walks over an input that lies in memory in its own way.

use crate::kernel::reduce::SEGMENT;
use smallvec::SmallVec;
use std::ops::Range;

/// Elements of a strip, about: three strips of `f64` fit into L1.
const STRIP: usize = 1024;

/// Columns of a strip over a transposed input; a multiple of [`SEGMENT`], or segments would be cut.
const COLUMNS: usize = SEGMENT;

/// Neighbors in an input that are worth a strip of their own.
const SHORTEST: usize = STRIP / 4;

/// Rows of a strip over a transposed input: a cache line of `f64` or more.
const ROWS: usize = 16;

/// Steps along each axis of the program, in elements of an input or a generator.
pub(super) type Strides = SmallVec<[usize; 4]>;

/// The shape of a block without axes of length 1 and with axes joined along which an input runs on, innermost last.
#[derive(Clone, Debug, Default)]
pub(super) struct Walk {
    /// (length, stride) of each axis.
    axes: SmallVec<[(usize, usize); 4]>,
}

/// Neighbors at equal distances: part of a strip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where the piece begins in the strip.
    pub(super) to: usize,
    /// Where it begins in the input.
    pub(super) from: usize,
    /// The distance of neighbors in the input.
    pub(super) stride: usize,
    /// How many.
    pub(super) len: usize,
}

impl Walk {
    /// The walk over a block of this shape with these strides.
    pub(super) fn new(shape: &[usize], strides: &[usize]) -> Self {
        let mut axes: SmallVec<[(usize, usize); 4]> = SmallVec::new();
        for (&length, &stride) in shape.iter().zip(strides) {
            if length == 1 {
                continue;
            }
            match axes.last_mut() {
                Some((outer, step)) if *step == stride.wrapping_mul(length) => {
                    *outer *= length;
                    *step = stride;
                }
                _ => axes.push((length, stride)),
            }
        }
        if axes.is_empty() {
            axes.push((1, 0));
        }
        Self { axes }
    }

    /// Where an element of the block is in the input. None behind the last one.
    pub(super) fn place(&self, mut flat: usize) -> Option<usize> {
        let mut from = 0_usize;
        for &(length, stride) in self.axes.iter().rev() {
            from = from.wrapping_add((flat % length).wrapping_mul(stride));
            flat /= length;
        }
        (flat == 0).then_some(from)
    }

    /// Calls `visit` for the pieces of the run of `len` elements that begins at `start` in C order of the block;
    /// the run begins at `to` in the strip.
    pub(super) fn pieces(&self, start: usize, len: usize, to: usize, mut visit: impl FnMut(Piece)) {
        let last = self.axes.len() - 1;
        let mut digits: SmallVec<[usize; 4]> = SmallVec::from_elem(0, self.axes.len());
        let (mut rest, mut from) = (start, 0_usize);
        for (digit, &(length, stride)) in digits.iter_mut().zip(&self.axes).rev() {
            *digit = rest % length;
            rest /= length;
            from = from.wrapping_add(digit.wrapping_mul(stride));
        }
        let (inner_length, inner_stride) = self.axes[last];
        let mut done = 0;
        loop {
            let n = (inner_length - digits[last]).min(len - done);
            visit(Piece { to: to + done, from, stride: inner_stride, len: n });
            done += n;
            if done == len {
                return;
            }
            from = from.wrapping_sub(digits[last].wrapping_mul(inner_stride));
            digits[last] = 0;
            for axis in (0..last).rev() {
                let (length, stride) = self.axes[axis];
                digits[axis] += 1;
                from = from.wrapping_add(stride);
                if digits[axis] < length {
                    break;
                }
                from = from.wrapping_sub(length.wrapping_mul(stride));
                digits[axis] = 0;
            }
        }
    }
}

/// How many neighbors in C order of a block are neighbors in an input with these strides.
fn neighbors(shape: &[usize], strides: &[usize]) -> usize {
    let mut run = 1;
    for (&length, &stride) in shape.iter().zip(strides).rev() {
        if length != 1 && stride != run {
            break;
        }
        run *= length;
    }
    run
}

/// How strips cover a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cover {
    /// Runs of neighbors in C order.
    Flat {
        /// Elements of a row: a run ends at the end of a row or covers whole rows.
        row: usize,
        /// Elements of a strip.
        strip: usize,
    },
    /// Boxes of [`ROWS`] × [`COLUMNS`], for inputs that run along another axis than the last.
    Boxes {
        /// The axis along which the rows of a box follow each other.
        axis: usize,
    },
}

/// A strip: runs of equal length, at equal distances in C order of the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Strip {
    /// Where the first run begins in the block.
    pub(super) start: usize,
    /// Elements of a run.
    pub(super) run: usize,
    /// How many runs.
    pub(super) n_runs: usize,
    /// The distance of the beginnings of runs.
    pub(super) distance: usize,
}

impl Strip {
    /// The number of elements.
    pub(super) const fn len(&self) -> usize {
        self.run * self.n_runs
    }

    /// Where the runs begin, in the strip and in the block.
    pub(super) fn runs(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let Self { start, run, distance, n_runs } = *self;
        (0..n_runs).map(move |i| (i * run, start + i * distance))
    }
}

impl Cover {
    /// Covers a block of this shape. `row` is what reductions along rows ask for, `ordered` the axes along which others
    /// must meet the elements in order, `strides` are those of the inputs.
    ///
    /// It depends on the layout of the inputs, but no result does: see `kernel/reduce.rs`.
    pub(super) fn new<'a>(
        shape: &[usize],
        row: Option<usize>,
        ordered: &[Range<usize>],
        strides: impl Iterator<Item = &'a [usize]>,
    ) -> Self {
        let total: usize = shape.iter().product();
        let strides: SmallVec<[&[usize]; 4]> = strides.collect();
        // Where nobody asks for rows, strips end where neighbors in an input do: then it is borrowed and not gathered.
        let unbroken =
            strides.iter().map(|strides| neighbors(shape, strides)).filter(|n| (SHORTEST..total).contains(n));
        let flat = match row {
            None => match unbroken.min() {
                Some(row) => Self::Flat { row, strip: row.min(STRIP) },
                None => Self::Flat { row: total.max(1), strip: STRIP },
            },
            Some(row) if row <= STRIP => Self::Flat { row, strip: (STRIP / row.max(1)).max(1) * row },
            Some(row) => Self::Flat { row, strip: STRIP },
        };
        let Some(&last) = shape.last() else { return flat };
        if last < ROWS || row.is_some_and(|row| row != last) {
            return flat;
        }
        // The axis along which some input that does not run along the last axis has neighbors in memory.
        let turned = |strides: &[usize]| {
            let (&along, before) = strides.split_last()?;
            let axis = before.iter().position(|&stride| stride == 1)?;
            (along > 1 && shape[axis] >= ROWS).then_some(axis)
        };
        // Boxes run through their axis before the axes between it and the last one.
        let in_order =
            |axis: &usize| !ordered.iter().any(|run| run.contains(axis) && run.contains(&(axis + 1)));
        let axis = strides.into_iter().filter_map(turned).find(in_order);
        axis.map_or(flat, |axis| Self::Boxes { axis })
    }

    /// The largest number of elements of a strip.
    pub(super) fn largest(&self, shape: &[usize]) -> usize {
        let total: usize = shape.iter().product();
        match self {
            Self::Flat { strip, .. } => (*strip).min(total),
            Self::Boxes { .. } => ROWS * COLUMNS,
        }
    }

    /// Calls `visit` for each strip, in a fixed order in which the rows of any column come one after another.
    ///
    /// # Errors
    /// The first error of `visit`.
    pub(super) fn strips<E>(
        &self,
        shape: &[usize],
        mut visit: impl FnMut(Strip) -> Result<(), E>,
    ) -> Result<(), E> {
        let total: usize = shape.iter().product();
        if total == 0 {
            return Ok(());
        }
        match *self {
            Self::Flat { row, strip } => {
                let mut start = 0;
                while start < total {
                    let run =
                        if row > strip { strip.min(row - start % row) } else { strip.min(total - start) };
                    visit(Strip { start, run, n_runs: 1, distance: 0 })?;
                    start += run;
                }
                Ok(())
            }
            Self::Boxes { axis } => {
                let last = shape[shape.len() - 1];
                let distance: usize = shape[axis + 1..].iter().product();
                let between = distance / last;
                let outer = total / (shape[axis] * distance);
                for outside in 0..outer {
                    for middle in 0..between {
                        for first in (0..shape[axis]).step_by(ROWS) {
                            let corner = (outside * shape[axis] + first) * distance + middle * last;
                            let n_runs = ROWS.min(shape[axis] - first);
                            for column in (0..last).step_by(COLUMNS) {
                                let run = COLUMNS.min(last - column);
                                visit(Strip { start: corner + column, run, n_runs, distance })?;
                            }
                        }
                    }
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every element of a block is covered once, and rows of a column come in order.
    #[test]
    fn strips_cover_a_block_exactly() {
        for (shape, axis) in [(vec![33, 300], 0), (vec![5, 17, 2, 129], 1), (vec![40, 3, 40], 0)] {
            for cover in [
                Cover::Boxes { axis },
                Cover::Flat { row: shape[shape.len() - 1], strip: 256 },
                Cover::new(&shape, None, &[], std::iter::empty()),
            ] {
                let mut seen = vec![0; shape.iter().product()];
                cover
                    .strips(&shape, |strip| {
                        assert!(strip.len() <= cover.largest(&shape));
                        for (_, start) in strip.runs() {
                            seen[start..start + strip.run].iter_mut().for_each(|count| *count += 1);
                        }
                        Ok::<(), ()>(())
                    })
                    .unwrap();
                assert!(seen.iter().all(|&count| count == 1), "{shape:?} {cover:?}");
            }
        }
    }

    #[test]
    fn pieces_name_the_elements_in_order() {
        let shape = [3, 1, 4, 5];
        for strides in [[20, 20, 5, 1], [1, 0, 3, 12], [0, 0, 0, 1], [5, 9, 0, 1], [0, 0, 1, 0], [0, 0, 0, 0]]
        {
            let walk = Walk::new(&shape, &strides);
            let place = |mut flat: usize| {
                let mut from = 0;
                for (&length, &stride) in shape.iter().zip(&strides).rev() {
                    from += flat % length * stride;
                    flat /= length;
                }
                from
            };
            for start in 0..60 {
                for len in 1..=60 - start {
                    let mut found = vec![usize::MAX; len];
                    walk.pieces(start, len, 0, |piece| {
                        for i in 0..piece.len {
                            found[piece.to + i] = piece.from + i * piece.stride;
                        }
                    });
                    let want: Vec<usize> = (start..start + len).map(place).collect();
                    assert_eq!(found, want, "{strides:?} {start} {len}");
                }
            }
        }
        assert_eq!(Walk::new(&[7, 8], &[8, 1]).axes.len(), 1, "rows that run on are one");
    }
}
