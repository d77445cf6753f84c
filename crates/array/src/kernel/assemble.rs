//! Building one block from boxes of other blocks: which boxes, and the copy.
//!
//! Rechunking, overlapping and reading a region are one problem: each axis of the wanted block is a list of runs,
//! each run lies in one source block (forwards or backwards) or is filled with a value, and the block is the
//! product of its axes. So it is written once, here.

use super::memory::{OutOfMemory, copied, with_room};
use bytemuck::Zeroable;
use ndarray::{ArrayD, ArrayViewD, Axis, CowArray, IxDyn, Slice};
use std::ops::Range;

/// A run of one axis of the wanted block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Piece<A> {
    /// Offset in the wanted block.
    pub at: usize,
    /// Number of elements along the axis, at least one.
    pub length: usize,
    /// Where they come from.
    pub origin: Origin<A>,
}

/// Where a run of one axis comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin<A> {
    /// Elements `start..start + length` of a source block, in order.
    Forward {
        /// Position of the block along the axis.
        block: usize,
        /// First element taken, relative to that block.
        start: usize,
    },
    /// Elements `start..start + length` of a source block, last one first.
    Backward {
        /// Position of the block along the axis.
        block: usize,
        /// Lowest element taken, relative to that block.
        start: usize,
    },
    /// One value.
    Fill(A),
}

/// The offsets of blocks of these lengths: one more than there are blocks, beginning with zero.
///
/// # Panics
/// When the lengths add up to more than `usize::MAX`, which no array has.
#[must_use]
pub fn offsets(lengths: &[usize]) -> Vec<usize> {
    let mut total: usize = 0;
    let mut offsets = Vec::with_capacity(lengths.len() + 1);
    offsets.push(0);
    for &length in lengths {
        total = total.checked_add(length).expect("the length of an axis fits usize");
        offsets.push(total);
    }
    offsets
}

/// The block that holds element `index` of the axis, and the element's offset in it. Empty blocks hold nothing.
///
/// # Panics
/// When `index` is not below the last offset.
#[must_use]
pub fn locate(offsets: &[usize], index: usize) -> (usize, usize) {
    let block = offsets.partition_point(|&offset| offset <= index) - 1;
    assert!(block + 1 < offsets.len(), "element {index} lies behind the axis of {:?}", offsets.last());
    (block, index - offsets[block])
}

/// The runs that make up elements `range` of an axis, the first at offset `at`.
pub fn pieces_of_range<A>(offsets: &[usize], range: Range<usize>, at: usize) -> Vec<Piece<A>> {
    let mut pieces = Vec::new();
    let mut next = range.start;
    while next < range.end {
        let (block, start) = locate(offsets, next);
        let length = offsets[block + 1].min(range.end) - next;
        let origin = Origin::Forward { block, start };
        pieces.push(Piece { at: at + next - range.start, length, origin });
        next += length;
    }
    pieces
}

/// Appends one element to the last run when it continues it, and begins a new run otherwise.
pub fn push_element<A>(pieces: &mut Vec<Piece<A>>, block: usize, start: usize) {
    let at = pieces.last().map_or(0, |last| last.at + last.length);
    if let Some(last) = pieces.last_mut() {
        match &mut last.origin {
            Origin::Forward { block: same, start: first }
                if *same == block && *first + last.length == start =>
            {
                last.length += 1;
                return;
            }
            Origin::Forward { block: same, start: first }
                if *same == block && last.length == 1 && start + 1 == *first =>
            {
                last.origin = Origin::Backward { block, start };
                last.length = 2;
                return;
            }
            Origin::Backward { block: same, start: first } if *same == block && start + 1 == *first => {
                *first = start;
                last.length += 1;
                return;
            }
            _ => {}
        }
    }
    pieces.push(Piece { at, length: 1, origin: Origin::Forward { block, start } });
}

/// The blocks along one axis that these runs read, each once, in order.
pub fn blocks_read<A>(pieces: &[Piece<A>]) -> Vec<usize> {
    let mut blocks: Vec<usize> = pieces
        .iter()
        .filter_map(|piece| match piece.origin {
            Origin::Forward { block, .. } | Origin::Backward { block, .. } => Some(block),
            Origin::Fill(_) => None,
        })
        .collect();
    blocks.sort_unstable();
    blocks.dedup();
    blocks
}

/// Copies the runs of every axis together; `block` gives the source block at a position, an index per axis.
///
/// Where several axes are filled, the last one's value is taken, as dask does by padding axis after axis.
///
/// **Shape** the length of each axis' runs, in C order.
/// **Cost** one pass over the result.
///
/// # Errors
/// [`OutOfMemory`] when the system refuses memory for the result.
///
/// # Panics
/// When a source block is shorter than a run asks for.
pub fn assemble<'a, A: Copy + Zeroable + 'a>(
    axes: &[Vec<Piece<A>>],
    mut block: impl FnMut(&[usize]) -> ArrayViewD<'a, A>,
) -> Result<ArrayD<A>, OutOfMemory> {
    Assembly::new(axes, |at, needed| Source::of_block(block(at), needed))?.whole()
}

/// The elements that runs make up.
fn total<A>(pieces: &[Piece<A>]) -> usize {
    pieces.iter().map(|piece| piece.length).sum()
}

/// The runs that make up positions `range` of those that these runs make up.
#[must_use]
pub fn clipped<A: Copy>(pieces: &[Piece<A>], range: Range<usize>) -> Vec<Piece<A>> {
    let clip = |piece: &Piece<A>| {
        let begin = range.start.max(piece.at);
        let end = range.end.min(piece.at + piece.length);
        let origin = match piece.origin {
            Origin::Forward { block, start } => Origin::Forward { block, start: start + (begin - piece.at) },
            Origin::Backward { block, start } => {
                Origin::Backward { block, start: start + (piece.at + piece.length - end) }
            }
            Origin::Fill(value) => Origin::Fill(value),
        };
        Piece { at: begin - range.start, length: end - begin, origin }
    };
    let is_inside = |piece: &&Piece<A>| piece.at < range.end && range.start < piece.at + piece.length;
    pieces.iter().filter(is_inside).map(clip).collect()
}

/// A block about to be assembled; each element is written once.
///
/// Axes at the end that are taken whole from blocks in C order are copied as one: an image of three channels is copied by
/// its rows and not by its pixels.
#[derive(Debug)]
pub struct Assembly<'a, A> {
    shape: Vec<usize>,
    /// For each axis before that of the runs: where each position comes from.
    outer: Vec<Vec<Position<A>>>,
    /// The runs along the axis after those.
    runs: Vec<Piece<A>>,
    /// How many elements of the last axes stand at each position of a run.
    inner: usize,
    /// How many blocks are read along each axis.
    counts: Vec<usize>,
    /// The blocks that are read, in C order.
    sources: Vec<Source<'a, A>>,
}

/// Where a position along an axis comes from.
#[derive(Clone, Copy, Debug)]
enum Position<A> {
    /// An element of a block.
    Block {
        /// Which of the blocks that are read along the axis.
        number: usize,
        /// Which of its elements.
        element: usize,
    },
    /// One value.
    Fill(A),
}

/// What is needed of a block, in C order.
#[derive(Debug)]
pub struct Source<'a, A> {
    elements: CowArray<'a, A, IxDyn>,
    /// The offset of the element at the block's index zero, negated: a part begins at the first element that is needed.
    before: usize,
    strides: Vec<usize>,
}

impl<'a, A: Copy + Zeroable> Source<'a, A> {
    /// Of a block, as far as a range of elements for each axis is needed; copied where it is not in C order.
    ///
    /// # Errors
    /// [`OutOfMemory`] when the system refuses memory for the copy.
    ///
    /// # Panics
    /// When the block is shorter than what is needed.
    pub fn of_block(block: ArrayViewD<'a, A>, needed: &[Range<usize>]) -> Result<Self, OutOfMemory> {
        if block.is_standard_layout() {
            let strides = c_strides(block.shape());
            return Ok(Self { elements: block.into(), before: 0, strides });
        }
        let mut part = block;
        part.slice_each_axis_inplace(|axis| Slice::from(needed[axis.axis.index()].clone()));
        Ok(Self::of_part(copied(&part)?, needed))
    }

    /// Of what is needed alone.
    #[must_use]
    pub fn of_part(part: ArrayD<A>, needed: &[Range<usize>]) -> Self {
        let strides = c_strides(part.shape());
        let before = needed.iter().zip(&strides).map(|(needed, stride)| needed.start * stride).sum();
        Self { elements: part.into(), before, strides }
    }

    /// So many elements in a row from an index of the block on.
    fn row(&self, index: impl Iterator<Item = usize>, length: usize) -> &[A] {
        let first =
            index.zip(&self.strides).map(|(index, stride)| index * stride).sum::<usize>() - self.before;
        &self.elements.as_slice().expect("in C order")[first..first + length]
    }
}

/// The distances of neighbors along each axis, in C order.
fn c_strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

impl<'a, A: Copy + Zeroable + 'a> Assembly<'a, A> {
    /// Prepares the blocks that the runs read: `source` gives what is needed of the one at a position.
    ///
    /// # Errors
    /// Those of `source`.
    pub fn new<E>(
        axes: &[Vec<Piece<A>>],
        mut source: impl FnMut(&[usize], &[Range<usize>]) -> Result<Source<'a, A>, E>,
    ) -> Result<Self, E> {
        let read: Vec<Vec<usize>> = axes.iter().map(|pieces| blocks_read(pieces)).collect();
        let counts: Vec<usize> = read.iter().map(Vec::len).collect();
        let needed: Vec<Vec<Range<usize>>> =
            axes.iter().zip(&read).map(|(pieces, read)| needed(pieces, read)).collect();
        let n: usize = counts.iter().product();
        let (mut sources, mut place) = (Vec::with_capacity(n), vec![0; axes.len()]);
        for _ in 0..n {
            let at: Vec<usize> = read.iter().zip(&place).map(|(read, &number)| read[number]).collect();
            let part: Vec<Range<usize>> =
                needed.iter().zip(&place).map(|(needed, &number)| needed[number].clone()).collect();
            sources.push(source(&at, &part)?);
            advance(&mut place, |axis| counts[axis]);
        }
        let is_whole = |axis: usize| match axes[axis].as_slice() {
            [Piece { length, origin: Origin::Forward { start: 0, .. }, .. }] => {
                !sources.is_empty()
                    && sources.iter().all(|source| source.elements.len_of(Axis(axis)) == *length)
            }
            _ => false,
        };
        let n_whole = (1..axes.len()).rev().take_while(|&axis| is_whole(axis)).count();
        let n_outer = axes.len().saturating_sub(n_whole + 1);
        let inner = axes[axes.len() - n_whole..].iter().map(|pieces| total(pieces)).product();
        let scalar = || vec![Piece { at: 0, length: 1, origin: Origin::Forward { block: 0, start: 0 } }];
        Ok(Self {
            shape: axes.iter().map(|pieces| total(pieces)).collect(),
            outer: axes[..n_outer].iter().zip(&read).map(|(pieces, read)| positions(pieces, read)).collect(),
            runs: axes.get(n_outer).map_or_else(scalar, |pieces| numbered(pieces, &read[n_outer])),
            inner,
            counts,
            sources,
        })
    }

    /// The block in full.
    ///
    /// # Errors
    /// [`OutOfMemory`] when the system refuses memory for it.
    ///
    /// # Panics
    /// When a source block is shorter than a run asks for.
    pub fn whole(&self) -> Result<ArrayD<A>, OutOfMemory> {
        let mut elements = with_room(self.shape.iter().product())?;
        self.append_to(&mut elements);
        Ok(ArrayD::from_shape_vec(IxDyn(&self.shape), elements).expect("as many elements as the shape says"))
    }

    /// Appends the block in C order.
    ///
    /// **Cost** one pass over it.
    ///
    /// # Panics
    /// When a source block is shorter than a run asks for.
    pub fn append_to(&self, target: &mut Vec<A>) {
        if self.shape.contains(&0) {
            return;
        }
        let mut place = vec![0; self.outer.len()];
        loop {
            self.append_line(&place, target);
            if !advance(&mut place, |axis| self.outer[axis].len()) {
                return;
            }
        }
    }

    /// Appends the runs at a place of the axes before them.
    fn append_line(&self, place: &[usize], target: &mut Vec<A>) {
        let from = || self.outer.iter().zip(place).map(|(positions, &at)| &positions[at]);
        let (mut first, mut filled) = (0, None);
        for (from, count) in from().zip(&self.counts) {
            match from {
                Position::Block { number, .. } => first = first * count + number,
                Position::Fill(value) => filled = Some(*value),
            }
        }
        let first = first * self.counts.get(place.len()).unwrap_or(&1);
        for piece in &self.runs {
            let length = piece.length * self.inner;
            let row = |number: usize, element: usize| {
                let index =
                    from().map(|from| if let Position::Block { element, .. } = from { *element } else { 0 });
                self.sources[first + number].row(index.chain([element]), length)
            };
            match (piece.origin, filled) {
                (Origin::Fill(value), _) | (_, Some(value)) => target.resize(target.len() + length, value),
                (Origin::Forward { block, start }, None) => target.extend_from_slice(row(block, start)),
                (Origin::Backward { block, start }, None) => {
                    let elements = row(block, start).rchunks_exact(self.inner);
                    elements.for_each(|inner| target.extend_from_slice(inner));
                }
            }
        }
    }
}

/// What is needed of each of the blocks that are read along an axis.
fn needed<A>(pieces: &[Piece<A>], read: &[usize]) -> Vec<Range<usize>> {
    let of_block = |&own: &usize| {
        let parts = pieces.iter().filter_map(move |piece| match piece.origin {
            Origin::Forward { block, start } | Origin::Backward { block, start } if block == own => {
                Some(start..start + piece.length)
            }
            _ => None,
        });
        let all = parts.reduce(|all, part| all.start.min(part.start)..all.end.max(part.end));
        all.expect("the runs read it")
    };
    read.iter().map(of_block).collect()
}

/// Which of the blocks that are read a block is.
fn number_of(block: usize, read: &[usize]) -> usize {
    read.binary_search(&block).expect("the runs read it")
}

/// The same runs, their blocks numbered among those that are read.
fn numbered<A: Copy>(pieces: &[Piece<A>], read: &[usize]) -> Vec<Piece<A>> {
    let numbered = |piece: &Piece<A>| {
        let mut piece = *piece;
        if let Origin::Forward { block, .. } | Origin::Backward { block, .. } = &mut piece.origin {
            *block = number_of(*block, read);
        }
        piece
    };
    pieces.iter().map(numbered).collect()
}

/// Where each position of these runs comes from.
fn positions<A: Copy>(pieces: &[Piece<A>], read: &[usize]) -> Vec<Position<A>> {
    let position = |piece: &Piece<A>, step: usize| match piece.origin {
        Origin::Forward { block, start } => {
            Position::Block { number: number_of(block, read), element: start + step }
        }
        Origin::Backward { block, start } => {
            Position::Block { number: number_of(block, read), element: start + piece.length - 1 - step }
        }
        Origin::Fill(value) => Position::Fill(value),
    };
    pieces.iter().flat_map(|piece| (0..piece.length).map(move |step| position(piece, step))).collect()
}

/// Moves `place` to the next one of a grid in C order; false when there is none.
pub fn advance(place: &mut [usize], length: impl Fn(usize) -> usize) -> bool {
    for axis in (0..place.len()).rev() {
        place[axis] += 1;
        if place[axis] < length(axis) {
            return true;
        }
        place[axis] = 0;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, Array2, s};

    #[test]
    fn a_range_over_ragged_and_empty_blocks_becomes_one_run_a_block() {
        let offsets = offsets(&[3, 0, 2, 4]);
        assert_eq!(offsets, [0, 3, 3, 5, 9]);
        assert_eq!(locate(&offsets, 3), (2, 0));
        let pieces = pieces_of_range::<f64>(&offsets, 1..8, 10);
        let expected = [(10, 2, 0, 1), (12, 2, 2, 0), (14, 3, 3, 0)]
            .map(|(at, length, block, start)| Piece { at, length, origin: Origin::Forward { block, start } });
        assert_eq!(pieces, expected);
        assert_eq!(blocks_read(&pieces), [0, 2, 3]);
        assert_eq!(pieces_of_range::<f64>(&offsets, 4..4, 0), []);
    }

    #[test]
    fn single_elements_join_into_runs_in_both_directions() {
        let mut pieces = Vec::<Piece<u8>>::new();
        for start in [4, 3, 2, 3, 4, 4] {
            push_element(&mut pieces, 7, start);
        }
        push_element(&mut pieces, 8, 5);
        let expected = [
            Piece { at: 0, length: 3, origin: Origin::Backward { block: 7, start: 2 } },
            Piece { at: 3, length: 2, origin: Origin::Forward { block: 7, start: 3 } },
            Piece { at: 5, length: 1, origin: Origin::Forward { block: 7, start: 4 } },
            Piece { at: 6, length: 1, origin: Origin::Forward { block: 8, start: 5 } },
        ];
        assert_eq!(pieces, expected);
    }

    #[test]
    fn assembled_boxes_equal_slices_of_the_whole_for_every_pair_of_chunkings() {
        let whole = Array2::from_shape_fn((4, 5), |(row, column)| row * 10 + column);
        for (old_rows, new_rows) in pairs(4) {
            for (old_columns, new_columns) in pairs(5) {
                let (rows, columns) = (offsets(&old_rows), offsets(&old_columns));
                let (to_rows, to_columns) = (offsets(&new_rows), offsets(&new_columns));
                for (i, j) in (0..new_rows.len()).flat_map(|i| (0..new_columns.len()).map(move |j| (i, j))) {
                    let (row, column) = (to_rows[i]..to_rows[i + 1], to_columns[j]..to_columns[j + 1]);
                    let axes = [
                        pieces_of_range(&rows, row.clone(), 0),
                        pieces_of_range(&columns, column.clone(), 0),
                    ];
                    let block = assemble(&axes, |at| {
                        let (i, j) = (at[0], at[1]);
                        whole.slice(s![rows[i]..rows[i + 1], columns[j]..columns[j + 1]]).into_dyn()
                    })
                    .expect("small");
                    assert_eq!(block, whole.slice(s![row, column]).into_dyn());
                }
            }
        }
    }

    #[test]
    fn clipped_runs_are_those_of_the_part() {
        let block = Array1::from_iter(0..9);
        let run = |at, length, origin| Piece { at, length, origin };
        let pieces = [
            run(0, 3, Origin::Backward { block: 0, start: 2 }),
            run(3, 2, Origin::Fill(77)),
            run(5, 4, Origin::Forward { block: 0, start: 5 }),
        ];
        let of = |pieces: Vec<Piece<i32>>| -> Vec<i32> {
            assemble(&[pieces], |_| block.view().into_dyn()).expect("small").into_iter().collect()
        };
        let whole = of(pieces.to_vec());
        assert_eq!(whole, [4, 3, 2, 77, 77, 5, 6, 7, 8]);
        for begin in 0..=9 {
            for end in begin..=9 {
                assert_eq!(of(clipped(&pieces, begin..end)), whole[begin..end]);
            }
        }
    }

    #[test]
    fn blocks_in_another_order_and_axes_taken_whole_are_assembled() {
        let whole = ndarray::Array3::from_shape_fn((4, 3, 2), |(i, j, k)| 100 * i + 10 * j + k);
        let turned = whole.clone().reversed_axes().as_standard_layout().into_owned();
        let run = |at, length, origin| Piece { at, length, origin };
        let rows = vec![
            run(0, 2, Origin::Backward { block: 0, start: 1 }),
            run(2, 3, Origin::Forward { block: 0, start: 1 }),
        ];
        let all = |n| vec![run(0, n, Origin::Forward { block: 0, start: 0 })];
        let columns = vec![run(0, 2, Origin::Forward { block: 0, start: 1 }), run(2, 1, Origin::Fill(9))];
        for columns in [all(3), columns] {
            let axes = [rows.clone(), columns, all(2)];
            let plain = assemble(&axes, |_| whole.view().into_dyn()).expect("small");
            assert_eq!(assemble(&axes, |_| turned.t().into_dyn()).expect("small"), plain);
            let expected = |i: usize, j: usize, k: usize| match (axes[1].len(), j) {
                (2, 2) => 9,
                (n, _) => whole[[[2, 1, 1, 2, 3][i], j + n - 1, k]],
            };
            assert!(plain.indexed_iter().all(|(at, &found)| found == expected(at[0], at[1], at[2])));
        }
    }

    #[test]
    fn filled_runs_win_and_the_last_axis_wins_among_them() {
        let inside = Array2::from_elem((1, 1), 1);
        let run = |at, origin| Piece { at, length: 1, origin };
        let axis = |value| vec![run(0, Origin::Fill(value)), run(1, Origin::Forward { block: 0, start: 0 })];
        let block = assemble(&[axis(5), axis(7)], |_| inside.view().into_dyn()).expect("small");
        assert_eq!(block, ndarray::arr2(&[[7, 5], [7, 1]]).into_dyn());
    }

    #[test]
    fn no_axes_and_empty_axes_are_allowed() {
        let scalar = ndarray::arr0(3);
        let copy = assemble(&[], |_| scalar.view().into_dyn()).expect("small");
        assert_eq!(copy.into_iter().collect::<Vec<_>>(), [3]);
        let none = Array1::<i32>::zeros(0);
        assert_eq!(assemble(&[vec![]], |_| none.view().into_dyn()).expect("small").shape(), [0]);
    }

    /// Every pair of ways to cut an axis into positive lengths, and one with an empty block.
    fn pairs(length: usize) -> Vec<(Vec<usize>, Vec<usize>)> {
        let mut cuts: Vec<Vec<usize>> = (0..1_usize << (length - 1))
            .map(|mask| {
                let mut lengths = vec![1];
                for bit in 0..length - 1 {
                    match mask >> bit & 1 {
                        0 => *lengths.last_mut().expect("begins with one") += 1,
                        _ => lengths.push(1),
                    }
                }
                lengths
            })
            .collect();
        cuts.push(vec![0, length, 0]);
        cuts.iter().flat_map(|old| cuts.iter().map(|new| (old.clone(), new.clone()))).collect()
    }
}
