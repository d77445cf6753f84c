//! Components that cross from block to block, joined from the blocks' faces alone.
//!
//! Every pair of touching blocks is looked at once: the one that comes first in C order of the grid and the one that
//! lies at a positive offset from it. Both faces are slices of whole blocks, so diagonal contacts across edges and
//! corners of blocks are pairs of rows and of single pixels of the same faces.

use ndarray::{ArrayViewD, Axis, IxDyn, Slice, Zip};
use serde::{Deserialize, Serialize};

use super::label::{Border, Unlabeled, advance, offsets};
use super::union_find::Forest;

/// What the labels of every block are called in the whole image.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Merged {
    /// For each block in C order of the grid: the final label of each label of the block, 0 for 0.
    pub(crate) tables: Vec<Vec<i32>>,
    /// Number of components of the whole image.
    pub(crate) count: u64,
}

/// Joins the blocks of a grid, and numbers the components from 1 in the order in which they begin in the whole image.
///
/// `borders` are in C order of the grid `blocks`, with the faces of all inner cuts.
///
/// # Errors
///
/// When there are more components than an `i32` can number.
pub(crate) fn merge(borders: &[&Border], blocks: &[usize], connectivity: usize) -> Result<Merged, Unlabeled> {
    let total: u64 = borders.iter().map(|border| border.firsts.len() as u64).sum();
    if total > u64::from(u32::MAX) {
        return Err(Unlabeled::TooMany { found: total });
    }
    let mut starts = Vec::with_capacity(borders.len());
    let mut start = 0_u32;
    for border in borders {
        starts.push(start);
        start += border.firsts.len() as u32;
    }
    let mut forest = Forest::new(start);
    join_blocks(borders, blocks, connectivity, &starts, &mut forest);
    let roots = forest.into_roots();
    let firsts: Vec<u64> = borders.iter().flat_map(|border| border.firsts.iter().copied()).collect();
    let (finals, count) = rank(&roots, &firsts);
    if count > i32::MAX as u64 {
        return Err(Unlabeled::TooMany { found: count });
    }
    let tables = borders
        .iter()
        .zip(&starts)
        .map(|(border, &start)| {
            let own = &finals[start as usize..start as usize + border.firsts.len()];
            std::iter::once(0).chain(own.iter().copied()).collect()
        })
        .collect();
    Ok(Merged { tables, count })
}

/// The final label of every provisional one: sets in the order of the earliest pixel of any of their members.
fn rank(roots: &[u32], firsts: &[u64]) -> (Vec<i32>, u64) {
    let mut earliest = firsts.to_vec();
    for (member, &root) in roots.iter().enumerate() {
        earliest[root as usize] = earliest[root as usize].min(firsts[member]);
    }
    let is_root = |member: usize| roots[member] as usize == member;
    let mut order: Vec<(u64, u32)> = (0..roots.len())
        .filter(|&member| is_root(member))
        .map(|root| (earliest[root], root as u32))
        .collect();
    order.sort_unstable();
    let mut finals = vec![0_i32; roots.len()];
    for (number, &(_, root)) in order.iter().enumerate() {
        // Wraps only where the caller refuses the count.
        finals[root as usize] = (number as i32).wrapping_add(1);
    }
    for member in 0..roots.len() {
        finals[member] = finals[roots[member] as usize];
    }
    (finals, order.len() as u64)
}

/// Looks at every pair of touching blocks once. Empty blocks are passed over, so their neighbours touch.
fn join_blocks(
    borders: &[&Border],
    blocks: &[usize],
    connectivity: usize,
    starts: &[u32],
    forest: &mut Forest,
) {
    let ndim = blocks.len();
    let strides: Vec<usize> = (0..ndim).map(|axis| blocks[axis + 1..].iter().product()).collect();
    // Along each axis the blocks that hold pixels; a length is a property of the axis, so any block of the row tells.
    let filled: Vec<Vec<usize>> = (0..ndim)
        .map(|axis| {
            (0..blocks[axis])
                .filter(|&at| borders.get(at * strides[axis]).is_some_and(|border| border.shape[axis] > 0))
                .collect()
        })
        .collect();
    let grid: Vec<usize> = filled.iter().map(Vec::len).collect();
    let steps: Vec<Vec<i8>> = offsets(ndim)
        .filter(|(offset, moved)| {
            *moved <= connectivity && offset.iter().find(|&&step| step != 0) == Some(&1)
        })
        .map(|(offset, _)| offset)
        .collect();
    let number = |place: &[usize]| -> usize {
        place.iter().zip(&filled).zip(&strides).map(|((&at, filled), stride)| filled[at] * stride).sum()
    };
    let mut place = vec![0; ndim];
    for _ in 0..grid.iter().product() {
        let here = number(&place);
        for step in &steps {
            let there: Option<Vec<usize>> = (0..ndim)
                .map(|axis| place[axis].checked_add_signed(step[axis] as isize).filter(|&at| at < grid[axis]))
                .collect();
            let Some(there) = there else { continue };
            let there = number(&there);
            let pair = [(borders[here], starts[here]), (borders[there], starts[there])];
            join_pair(pair, step, connectivity, forest);
        }
        advance(&mut place, &grid);
    }
}

/// Joins two blocks that touch, the second at `step` from the first, along all pixel pairs that touch.
fn join_pair(pair: [(&Border, u32); 2], step: &[i8], connectivity: usize, forest: &mut Forest) {
    let across = step.iter().position(|&step| step != 0).expect("a step goes somewhere");
    let moved = step.iter().filter(|&&step| step != 0).count();
    let face = |side: usize| -> ArrayViewD<'_, i32> {
        let (border, _) = pair[side];
        let mut shape = border.shape.clone();
        shape.remove(across);
        let labels = &border.faces[across][1 - side];
        let mut view =
            ArrayViewD::from_shape(IxDyn(&shape), labels).expect("a face has the block's cross-section");
        // Where the step is diagonal, only the row at that edge of the face touches.
        for axis in (across + 1..step.len()).rev() {
            let last = border.shape[axis].saturating_sub(1);
            match (step[axis], side) {
                (1, 0) | (-1, 1) => view.index_axis_inplace(Axis(axis - 1), last),
                (-1, 0) | (1, 1) => view.index_axis_inplace(Axis(axis - 1), 0),
                _ => {}
            }
        }
        view
    };
    let (near, far) = (face(0), face(1));
    for (shift, bent) in offsets(near.ndim()) {
        if moved + bent > connectivity {
            continue;
        }
        let (mut one, mut other) = (near.view(), far.view());
        for (axis, &shift) in shift.iter().enumerate() {
            let length = one.shape()[axis] as isize;
            let shift = shift as isize;
            let (low, high) = ((-shift).max(0), length - shift.max(0));
            // A face of one pixel has no shifted partner.
            let high = high.max(low);
            one.slice_axis_inplace(Axis(axis), Slice::from(low.min(length)..high.min(length)));
            let (low, high) = (low + shift, high + shift);
            other.slice_axis_inplace(Axis(axis), Slice::from(low.clamp(0, length)..high.clamp(0, length)));
        }
        if one.shape() != other.shape() || one.is_empty() {
            continue;
        }
        let mut last = (0, 0);
        Zip::from(&one).and(&other).for_each(|&a, &b| {
            // Long borders repeat the same pair.
            if a > 0 && b > 0 && (a, b) != last {
                forest.union(pair[0].1 + a as u32 - 1, pair[1].1 + b as u32 - 1);
                last = (a, b);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, IxDyn, Slice};

    use super::merge;
    use crate::kernel::label::tests::{flood, from_bits, noise};
    use crate::kernel::label::{BlockLabels, BlockPlace, advance, label_block};

    /// All ways to cut `length` into consecutive pieces.
    fn cuts(length: usize) -> Vec<Vec<usize>> {
        (0..1_usize << length.saturating_sub(1))
            .map(|mask| {
                let mut pieces = vec![1];
                for at in 1..length {
                    if mask >> (at - 1) & 1 == 1 { pieces.push(1) } else { *pieces.last_mut().unwrap() += 1 }
                }
                pieces
            })
            .collect()
    }

    /// Labels block by block, merges and relabels.
    fn label_in_blocks(
        mask: &ArrayD<bool>,
        lengths: &[Vec<usize>],
        connectivity: usize,
    ) -> (ArrayD<i32>, u64) {
        let grid: Vec<usize> = lengths.iter().map(Vec::len).collect();
        let mut place = vec![0; grid.len()];
        let mut blocks: Vec<(Vec<usize>, BlockLabels)> = Vec::new();
        for _ in 0..grid.iter().product() {
            let origin: Vec<usize> = place
                .iter()
                .zip(lengths)
                .map(|(&at, lengths): (&usize, _)| lengths[..at].iter().sum())
                .collect();
            let own = mask.slice_each_axis(|axis| {
                let begin = origin[axis.axis.0];
                Slice::from(begin..begin + lengths[axis.axis.0][place[axis.axis.0]])
            });
            let in_image = BlockPlace { origin: &origin, image: mask.shape() };
            blocks.push((origin.clone(), label_block(own, connectivity, in_image).unwrap()));
            advance(&mut place, &grid);
        }
        let borders: Vec<_> = blocks.iter().map(|(_, block)| &block.border).collect();
        let merged = merge(&borders, &grid, connectivity).unwrap();
        let mut labels = ArrayD::<i32>::zeros(mask.raw_dim());
        for ((origin, block), table) in blocks.iter().zip(&merged.tables) {
            labels
                .slice_each_axis_mut(|axis| {
                    let begin = origin[axis.axis.0];
                    Slice::from(begin..begin + block.labels.shape()[axis.axis.0])
                })
                .assign(&block.labels.mapv(|label| table[label as usize]));
        }
        (labels, merged.count)
    }

    #[test]
    fn all_images_of_3_by_4_pixels_in_all_chunkings_equal_flood_fill() {
        for bits in 0..1 << 12 {
            let mask = from_bits(&[3, 4], bits);
            for connectivity in 1..=2 {
                let expected = flood(&mask, connectivity);
                for rows in cuts(3) {
                    for columns in cuts(4) {
                        let lengths = [rows.clone(), columns];
                        assert_eq!(
                            label_in_blocks(&mask, &lengths, connectivity),
                            expected,
                            "{mask} {lengths:?} {connectivity}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn volumes_in_all_chunkings_equal_flood_fill() {
        let shape = [3, 2, 4];
        for seed in 0..60 {
            let mask = noise(&shape, seed + 1, 2 + seed % 5);
            for connectivity in 1..=3 {
                let expected = flood(&mask, connectivity);
                for first in cuts(shape[0]) {
                    for second in cuts(shape[1]) {
                        for third in cuts(shape[2]) {
                            let lengths = [first.clone(), second.clone(), third];
                            assert_eq!(
                                label_in_blocks(&mask, &lengths, connectivity),
                                expected,
                                "{lengths:?}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn empty_blocks_do_not_part_their_neighbours() {
        let mask = ArrayD::from_elem(IxDyn(&[4, 3]), true);
        let lengths = [vec![0, 2, 0, 0, 2, 0], vec![1, 0, 2]];
        assert_eq!(label_in_blocks(&mask, &lengths, 1), flood(&mask, 1));
        let empty = ArrayD::from_elem(IxDyn(&[0, 3]), true);
        assert_eq!(label_in_blocks(&empty, &[vec![0, 0], vec![1, 2]], 1).1, 0);
    }

    #[test]
    fn a_spiral_through_many_blocks_is_one_component() {
        let size = 41;
        let mut mask = ArrayD::from_elem(IxDyn(&[size, size]), false);
        let (mut low, mut high) = (0, size - 1);
        while low < high {
            for at in low..=high {
                mask[[low, at]] = true;
                mask[[at, high]] = true;
                mask[[high, at]] = true;
                if at > low + 1 {
                    mask[[at, low]] = true;
                }
            }
            if low + 2 < high {
                mask[[low + 2, low + 1]] = true;
            }
            low += 2;
            high -= 2;
        }
        let expected = flood(&mask, 1);
        for piece in [1, 2, 3, 5, 7, 40, 41] {
            let lengths: Vec<usize> = (0..size).step_by(piece).map(|begin| piece.min(size - begin)).collect();
            assert_eq!(label_in_blocks(&mask, &[lengths.clone(), lengths], 1), expected, "{piece}");
        }
    }
}
