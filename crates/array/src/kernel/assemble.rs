//! Building one block from boxes of other blocks: which boxes, and the copy.
//!
//! Rechunking, overlapping and reading a region are one problem: each axis of the wanted block is a list of runs,
//! each run lies in one source block (forwards or backwards) or is filled with a value, and the block is the
//! product of its axes. So it is written once, here.

use super::memory::{OutOfMemory, zeros};
use ndarray::{ArrayD, ArrayViewD, Axis, IxDyn, Slice};
use std::ops::Range;

/// A run of one axis of the wanted block.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Piece<A> {
    /// Offset in the wanted block.
    pub at: usize,
    /// Number of elements along the axis, at least one.
    pub length: usize,
    /// Where they come from.
    pub origin: Origin<A>,
}

/// Where a run of one axis comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
pub fn assemble<'a, A: Copy + Default + 'a>(
    axes: &[Vec<Piece<A>>],
    mut block: impl FnMut(&[usize]) -> ArrayViewD<'a, A>,
) -> Result<ArrayD<A>, OutOfMemory> {
    let shape: Vec<usize> = axes.iter().map(|pieces| pieces.iter().map(|piece| piece.length).sum()).collect();
    let elements = zeros(shape.iter().product())?;
    let mut result =
        ArrayD::from_shape_vec(IxDyn(&shape), elements).expect("as many elements as the shape says");
    if shape.contains(&0) {
        return Ok(result);
    }
    let mut place = vec![0; axes.len()];
    let mut position = vec![0; axes.len()];
    loop {
        let chosen = || axes.iter().zip(&place).map(|(pieces, &index)| &pieces[index]).enumerate();
        let mut target = result.view_mut();
        let mut fill = None;
        for (axis, piece) in chosen() {
            target.slice_axis_inplace(Axis(axis), Slice::from(piece.at..piece.at + piece.length));
            match piece.origin {
                Origin::Fill(value) => fill = Some(value),
                Origin::Forward { block, .. } | Origin::Backward { block, .. } => position[axis] = block,
            }
        }
        match fill {
            Some(value) => target.fill(value),
            None => {
                let mut source = block(&position);
                for (axis, piece) in chosen() {
                    let (start, backward) = match piece.origin {
                        Origin::Forward { start, .. } => (start, false),
                        Origin::Backward { start, .. } => (start, true),
                        Origin::Fill(_) => continue,
                    };
                    source.slice_axis_inplace(Axis(axis), Slice::from(start..start + piece.length));
                    if backward {
                        source.invert_axis(Axis(axis));
                    }
                }
                target.assign(&source);
            }
        }
        if !advance(&mut place, |axis| axes[axis].len()) {
            return Ok(result);
        }
    }
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
