//! Connected components of one block, by runs.
//!
//! A *run* is a stretch of foreground along the last axis. Runs are found eight pixels at a time, joined to overlapping
//! runs of the lines before (the neighbours that C order has passed already), and numbered in the order in which their
//! components begin. The whole is one pass over the mask, a union-find over runs and one pass to write the labels.

use serde::{Deserialize, Serialize};
use std::ops::Range;

use musher_array::kernel::memory::{OutOfMemory, zeros};
use ndarray::{ArrayD, ArrayViewD, IxDyn};

use super::union_find::Forest;

/// The labels of one block, and what its neighbours must know of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BlockLabels {
    /// 0 for the background, and 1.. in the order in which the components of this block begin.
    pub(crate) labels: ArrayD<i32>,
    /// Faces and first pixels.
    pub(crate) border: Border,
}

/// The outside of a labeled block: all that is needed to join it to its neighbours.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Border {
    /// Pixels of the block along each axis.
    pub(crate) shape: Vec<usize>,
    /// Position in the whole image, in C order, of the first pixel of each component.
    pub(crate) firsts: Vec<u64>,
    /// Labels of the first and of the last slice across each axis, in C order; empty where the image ends.
    pub(crate) faces: Vec<[Vec<i32>; 2]>,
}

/// Why a block has no labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unlabeled {
    /// There are more components than labels.
    TooMany {
        /// How many there are, at least.
        found: u64,
    },
    /// There is no memory for them.
    OutOfMemory(OutOfMemory),
}

impl From<OutOfMemory> for Unlabeled {
    fn from(source: OutOfMemory) -> Self {
        Self::OutOfMemory(source)
    }
}

/// Where a block lies in its image.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockPlace<'a> {
    /// First pixel of the block along each axis.
    pub(crate) origin: &'a [usize],
    /// Pixels of the image along each axis.
    pub(crate) image: &'a [usize],
}

/// A stretch of foreground in one line: from `begin` up to `end`, not included.
#[derive(Debug, Clone, Copy)]
struct Run {
    begin: u32,
    end: u32,
}

/// The runs of a mask, line by line.
struct Runs {
    runs: Vec<Run>,
    /// Line `i` has the runs `lines[i]..lines[i + 1]`.
    lines: Vec<u32>,
}

/// Labels the components of a block.
///
/// Two pixels touch when they differ by one along at least one and at most `connectivity` axes.
///
/// # Errors
///
/// When the block has more runs than an `i32` can number, or a line of more than `u32::MAX` pixels.
///
/// Source: two-pass labeling by runs (He, Chao, Suzuki 2008, "A run-based two-scan labeling algorithm"); the numbers are
/// those of `scipy.ndimage.label`.
pub(crate) fn label_block(
    mask: ArrayViewD<'_, bool>,
    connectivity: usize,
    place: BlockPlace<'_>,
) -> Result<BlockLabels, Unlabeled> {
    let shape = mask.shape().to_vec();
    if shape.last().is_some_and(|&length| length > u32::MAX as usize) {
        return Err(Unlabeled::TooMany { found: mask.len() as u64 });
    }
    let found = find_runs(&mask);
    if found.runs.len() > i32::MAX as usize {
        return Err(Unlabeled::TooMany { found: found.runs.len() as u64 });
    }
    let mut forest = Forest::new(found.runs.len() as u32);
    join_lines(&found, &shape[..shape.len().saturating_sub(1)], connectivity, &mut forest);
    let (numbers, first_runs) = number(forest.into_roots());
    let length = shape.last().copied().unwrap_or(1);
    let mut labels = zeros::<i32>(mask.len())?;
    if length > 0 {
        for (line, target) in labels.chunks_exact_mut(length).enumerate() {
            for run in found.line(line) {
                let Run { begin, end } = found.runs[run];
                target[begin as usize..end as usize].fill(numbers[run]);
            }
        }
    }
    let labels = ArrayD::from_shape_vec(IxDyn(&shape), labels).expect("as many labels as pixels");
    let firsts = firsts(&found, &first_runs, &shape, place);
    let faces = faces(&labels, place);
    Ok(BlockLabels { labels, border: Border { shape, firsts, faces } })
}

impl Runs {
    fn line(&self, line: usize) -> Range<usize> {
        self.lines[line] as usize..self.lines[line + 1] as usize
    }
}

/// Finds the runs of all lines along the last axis.
fn find_runs(mask: &ArrayViewD<'_, bool>) -> Runs {
    let mut found = Runs { runs: Vec::new(), lines: vec![0] };
    if mask.is_empty() {
        return found;
    }
    let contiguous = mask.as_standard_layout();
    let pixels = contiguous.as_slice().expect("standard layout is contiguous");
    let length = mask.shape().last().copied().unwrap_or(1);
    for line in pixels.chunks_exact(length) {
        find_runs_of_line(line, &mut found.runs);
        found.lines.push(found.runs.len() as u32);
    }
    found
}

/// Finds the runs of one line, eight pixels at a time.
fn find_runs_of_line(line: &[bool], runs: &mut Vec<Run>) {
    // The state at the end of the pixels seen so far: where the open run began, if one is open.
    let mut open: Option<u32> = None;
    let (words, rest) = line.as_chunks::<8>();
    for (word, pixels) in words.iter().enumerate() {
        let bytes = u64::from_le_bytes(pixels.map(u8::from));
        let uniform = if open.is_some() { 0x0101_0101_0101_0101 } else { 0 };
        if bytes == uniform {
            continue;
        }
        scan(pixels, (word * 8) as u32, &mut open, runs);
    }
    scan(rest, (words.len() * 8) as u32, &mut open, runs);
    if let Some(begin) = open {
        runs.push(Run { begin, end: line.len() as u32 });
    }
}

/// Goes on with a line pixel by pixel; the first of `pixels` stands at `offset`.
fn scan(pixels: &[bool], offset: u32, open: &mut Option<u32>, runs: &mut Vec<Run>) {
    for (position, &set) in (offset..).zip(pixels) {
        match (*open, set) {
            (None, true) => *open = Some(position),
            (Some(begin), false) => {
                runs.push(Run { begin, end: position });
                *open = None;
            }
            _ => {}
        }
    }
}

/// The offsets of neighbouring lines that come earlier in C order, each with the number of axes along which it differs.
fn earlier_neighbours(ndim: usize, connectivity: usize) -> Vec<(Vec<i8>, usize)> {
    offsets(ndim)
        .filter(|(offset, moved)| {
            *moved <= connectivity && offset.iter().find(|&&step| step != 0) == Some(&-1)
        })
        .collect()
}

/// All offsets of -1, 0, 1 along `ndim` axes, each with the number of axes along which it differs from zero.
pub(crate) fn offsets(ndim: usize) -> impl Iterator<Item = (Vec<i8>, usize)> {
    (0..3_usize.pow(ndim as u32)).map(move |code| {
        let mut rest = code;
        let mut offset = vec![0_i8; ndim];
        for step in offset.iter_mut().rev() {
            *step = (rest % 3) as i8 - 1;
            rest /= 3;
        }
        let moved = offset.iter().filter(|&&step| step != 0).count();
        (offset, moved)
    })
}

/// Joins the runs of every line with those of the lines before it that touch.
fn join_lines(found: &Runs, outer: &[usize], connectivity: usize, forest: &mut Forest) {
    let mut strides = vec![1_i64; outer.len()];
    for axis in (1..outer.len()).rev() {
        strides[axis - 1] = strides[axis] * outer[axis] as i64;
    }
    let neighbours: Vec<(Vec<i8>, i64, u32)> = earlier_neighbours(outer.len(), connectivity)
        .into_iter()
        .map(|(offset, moved)| {
            let distance = strides.iter().zip(&offset).map(|(stride, &step)| stride * i64::from(step)).sum();
            // A diagonal step along the line is one axis more.
            (offset, distance, u32::from(moved < connectivity))
        })
        .collect();
    let mut place = vec![0_usize; outer.len()];
    for line in 0..found.lines.len() - 1 {
        for (offset, distance, slack) in &neighbours {
            let inside = place.iter().zip(outer).zip(offset).all(|((&at, &length), &step)| {
                at.checked_add_signed(isize::from(step)).is_some_and(|at| at < length)
            });
            if inside {
                let earlier = (line as i64 + distance) as usize;
                join_two(&found.runs, found.line(earlier), found.line(line), *slack, forest);
            }
        }
        advance(&mut place, outer);
    }
}

/// The next place of a grid in C order.
pub(crate) fn advance(place: &mut [usize], shape: &[usize]) {
    for axis in (0..shape.len()).rev() {
        place[axis] += 1;
        if place[axis] < shape[axis] {
            return;
        }
        place[axis] = 0;
    }
}

/// Joins the runs of two lines that overlap, or that come within `slack` pixels.
fn join_two(runs: &[Run], one: Range<usize>, other: Range<usize>, slack: u32, forest: &mut Forest) {
    let (mut i, mut j) = (one.start, other.start);
    while i < one.end && j < other.end {
        let (a, b) = (runs[i], runs[j]);
        if a.begin < b.end + slack && b.begin < a.end + slack {
            forest.union(i as u32, j as u32);
        }
        if a.end < b.end { i += 1 } else { j += 1 }
    }
}

/// Numbers the sets from 1 in the order of their roots; returns the number of each run and the roots.
fn number(mut roots: Vec<u32>) -> (Vec<i32>, Vec<u32>) {
    let mut firsts = Vec::new();
    let mut numbers = Vec::with_capacity(roots.len());
    for (run, root) in roots.drain(..).enumerate() {
        if root as usize == run {
            firsts.push(root);
            numbers.push(firsts.len() as i32);
        } else {
            numbers.push(numbers[root as usize]);
        }
    }
    (numbers, firsts)
}

/// The position in the whole image of the first pixel of each component.
fn firsts(found: &Runs, first_runs: &[u32], shape: &[usize], place: BlockPlace<'_>) -> Vec<u64> {
    let Some(last) = shape.len().checked_sub(1) else {
        return vec![0; first_runs.len()];
    };
    let mut line = 0;
    first_runs
        .iter()
        .map(|&run| {
            while found.lines[line + 1] <= run {
                line += 1;
            }
            let mut rest = line;
            let mut index = vec![0; shape.len()];
            for axis in (0..last).rev() {
                index[axis] = rest % shape[axis];
                rest /= shape[axis];
            }
            index[last] = found.runs[run as usize].begin as usize;
            let axes = index.iter().zip(place.origin).zip(place.image);
            axes.fold(0_u64, |position, ((at, origin), length)| {
                position * *length as u64 + (at + origin) as u64
            })
        })
        .collect()
}

/// The faces of a block that other blocks may touch.
fn faces(labels: &ArrayD<i32>, place: BlockPlace<'_>) -> Vec<[Vec<i32>; 2]> {
    (0..labels.ndim())
        .map(|axis| {
            let length = labels.shape()[axis];
            let slice = |at: usize| -> Vec<i32> {
                labels.index_axis(ndarray::Axis(axis), at).iter().copied().collect()
            };
            let begins = place.origin[axis] == 0;
            let ends = place.origin[axis] + length == place.image[axis];
            match labels.is_empty() {
                true => [Vec::new(), Vec::new()],
                false => [
                    if begins { Vec::new() } else { slice(0) },
                    if ends { Vec::new() } else { slice(length - 1) },
                ],
            }
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::VecDeque;

    use ndarray::{ArrayD, IxDyn};

    use super::{BlockPlace, label_block, offsets};

    /// Labels by flood fill from every pixel in C order: the definition.
    pub(crate) fn flood(mask: &ArrayD<bool>, connectivity: usize) -> (ArrayD<i32>, u64) {
        let mut labels = ArrayD::<i32>::zeros(mask.raw_dim());
        let steps: Vec<_> =
            offsets(mask.ndim()).filter(|(_, moved)| (1..=connectivity).contains(moved)).collect();
        let mut count = 0;
        let starts: Vec<Vec<usize>> =
            mask.indexed_iter().map(|(index, _)| ndarray::Dimension::slice(&index).to_vec()).collect();
        for start in starts {
            if !mask[start.as_slice()] || labels[start.as_slice()] != 0 {
                continue;
            }
            count += 1;
            labels[start.as_slice()] = count;
            let mut queue = VecDeque::from([start]);
            while let Some(at) = queue.pop_front() {
                for (step, _) in &steps {
                    let next: Option<Vec<usize>> = (0..at.len())
                        .map(|axis| {
                            at[axis]
                                .checked_add_signed(step[axis] as isize)
                                .filter(|&at| at < mask.shape()[axis])
                        })
                        .collect();
                    let Some(next) = next else { continue };
                    if mask[next.as_slice()] && labels[next.as_slice()] == 0 {
                        labels[next.as_slice()] = count;
                        queue.push_back(next);
                    }
                }
            }
        }
        (labels, count as u64)
    }

    /// A mask whose pixels are the bits of `bits`, in C order.
    pub(crate) fn from_bits(shape: &[usize], bits: u64) -> ArrayD<bool> {
        let mut position = 0;
        ArrayD::from_shape_simple_fn(IxDyn(shape), || {
            position += 1;
            bits >> (position - 1) & 1 == 1
        })
    }

    /// A mask of seeded noise.
    pub(crate) fn noise(shape: &[usize], seed: u64, of_eight: u64) -> ArrayD<bool> {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        ArrayD::from_shape_simple_fn(IxDyn(shape), || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state >> 32 & 7 < of_eight
        })
    }

    #[track_caller]
    fn check(mask: &ArrayD<bool>) {
        let origin = vec![0; mask.ndim()];
        for connectivity in 1..=mask.ndim() {
            let place = BlockPlace { origin: &origin, image: mask.shape() };
            let found = label_block(mask.view(), connectivity, place).unwrap();
            let (labels, count) = flood(mask, connectivity);
            assert_eq!(found.labels, labels, "{mask} {connectivity}");
            assert_eq!(found.border.firsts.len() as u64, count);
            let flat = labels.as_slice().unwrap();
            for (number, &first) in found.border.firsts.iter().enumerate() {
                assert_eq!(flat.iter().position(|&label| label as usize == number + 1), Some(first as usize));
            }
        }
    }

    #[test]
    fn all_images_of_3_by_4_pixels_equal_flood_fill() {
        for bits in 0..1 << 12 {
            check(&from_bits(&[3, 4], bits));
        }
    }

    #[test]
    fn all_images_of_2_by_2_by_3_pixels_equal_flood_fill() {
        for bits in 0..1 << 12 {
            check(&from_bits(&[2, 2, 3], bits));
        }
    }

    #[test]
    fn noise_of_one_to_four_dimensions_equals_flood_fill() {
        for (seed, shape) in [
            vec![200],
            vec![23, 41],
            vec![1, 64],
            vec![64, 1],
            vec![7, 9, 11],
            vec![4, 5, 3, 9],
            vec![0, 5],
            vec![5, 0],
        ]
        .iter()
        .enumerate()
        {
            for of_eight in [1, 3, 5, 7, 8] {
                check(&noise(shape, seed as u64 + 1, of_eight));
            }
        }
    }

    #[test]
    fn a_transposed_mask_is_labeled_in_its_own_order() {
        let mask = noise(&[9, 17], 5, 4);
        let place = BlockPlace { origin: &[0, 0], image: &[17, 9] };
        let found = label_block(mask.t(), 1, place).unwrap();
        assert_eq!(found.labels, flood(&mask.t().to_owned(), 1).0);
    }

    #[test]
    fn a_block_tells_its_place_in_the_image_and_its_inner_faces() {
        let mask = from_bits(&[2, 3], 0b101_010);
        let place = BlockPlace { origin: &[4, 0], image: &[10, 6] };
        let border = label_block(mask.view(), 1, place).unwrap().border;
        assert_eq!(border.firsts, [4 * 6 + 1, 5 * 6, 5 * 6 + 2]);
        assert_eq!(border.faces[0], [vec![0, 1, 0], vec![2, 0, 3]]);
        assert_eq!(border.faces[1], [vec![], vec![0, 3]]);
    }
}
