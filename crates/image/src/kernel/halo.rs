//! From blocks to a block with its halo: which stretches of which blocks stand where.
//!
//! A boundary mode is a map of positions, so a halo is found by asking that map for every position of the halo. It may
//! be deeper than a block or than the image and needs no special case.

use musher_array::kernel::memory::{OutOfMemory, with_room};
use ndarray::ArrayViewD;

use super::boundary::Mode;
use super::label::advance;

/// What one block sees along one axis.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct HaloReads {
    /// The blocks that it reads, by their position along the axis.
    pub(crate) sources: Vec<u32>,
    /// Which stretches of them stand where.
    stretches: Vec<Stretch>,
    /// Pixels of the block without its halo.
    pub(crate) own: usize,
    /// Pixels of the block with its halo, as far as the halo lies in the image.
    pub(crate) length: usize,
    /// Pixels of the halo that lie beyond the image, before and after, where a constant surrounds it.
    pub(crate) outside: (usize, usize),
}

/// A row of neighbouring positions that are neighbours in their source, too.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stretch {
    /// Which of the block's sources.
    source: usize,
    /// First position in the source.
    from: usize,
    /// Number of positions.
    length: usize,
    /// Whether the source is read backwards.
    backwards: bool,
}

/// What each block of an axis sees, with a halo of `radius` pixels on both sides.
///
/// **Cost** linear in the pixels of the axis and of its halos.
pub(crate) fn halo_reads(lengths: &[usize], radius: usize, mode: Mode) -> Vec<HaloReads> {
    let starts: Vec<usize> = lengths
        .iter()
        .scan(0, |start, length| {
            *start += length;
            Some(*start - length)
        })
        .collect();
    let total: usize = lengths.iter().sum();
    lengths
        .iter()
        .zip(&starts)
        .map(|(&length, &start)| reads(start, length, total, radius, mode, &starts))
        .collect()
}

fn reads(
    start: usize,
    length: usize,
    total: usize,
    radius: usize,
    mode: Mode,
    starts: &[usize],
) -> HaloReads {
    if total == 0 || length == 0 {
        // It reads one block, of which nothing is used.
        return HaloReads { sources: vec![0], ..HaloReads::default() };
    }
    let (mut found, mut reads) =
        (Vec::<(u32, usize)>::new(), HaloReads { own: length, ..HaloReads::default() });
    for position in start as i64 - radius as i64..(start + length + radius) as i64 {
        match mode.resolve(position, total) {
            Some(inside) => {
                // The last block that begins here or before; empty blocks begin where their successor does.
                let block = starts.partition_point(|&other| other <= inside) - 1;
                found.push((block as u32, inside - starts[block]));
            }
            None if position < 0 => reads.outside.0 += 1,
            None => reads.outside.1 += 1,
        }
    }
    reads.length = found.len();
    reads.sources = found.iter().map(|&(block, _)| block).collect();
    reads.sources.sort_unstable();
    reads.sources.dedup();
    bridge(&mut reads.sources, starts);
    for &(block, at) in &found {
        let source = reads.sources.binary_search(&block).unwrap_or_default();
        reads.push(Stretch { source, from: at, length: 1, backwards: false });
    }
    reads
}

/// Fills gaps that empty blocks leave between sources, so that they are a range.
fn bridge(sources: &mut Vec<u32>, starts: &[usize]) {
    let is_empty = |block: u32| starts.get(block as usize + 1) == Some(&starts[block as usize]);
    let mut bridged: Vec<u32> = Vec::with_capacity(sources.len());
    for &source in sources.iter() {
        if let Some(&last) = bridged.last()
            && (last + 1..source).all(is_empty)
        {
            bridged.extend(last + 1..source);
        }
        bridged.push(source);
    }
    *sources = bridged;
}

impl HaloReads {
    /// Adds one position, to the last stretch if it goes on with it.
    fn push(&mut self, next: Stretch) {
        if let Some(last) = self.stretches.last_mut()
            && last.source == next.source
        {
            if next.from == last.from + last.length && !last.backwards {
                last.length += 1;
                return;
            }
            if next.from + 1 == last.from && (last.backwards || last.length == 1) {
                (last.from, last.length, last.backwards) = (next.from, last.length + 1, true);
                return;
            }
        }
        self.stretches.push(next);
    }

    /// For every position of the block with its halo: which source, and where in it.
    fn table(&self) -> Vec<(usize, usize)> {
        let positions = self.stretches.iter().flat_map(|stretch| {
            let last = stretch.from + stretch.length - 1;
            (0..stretch.length).map(move |step| {
                (stretch.source, if stretch.backwards { last - step } else { stretch.from + step })
            })
        });
        positions.collect()
    }

    /// The blocks from the first to the last that it reads, if it reads all between.
    pub(crate) fn range(&self) -> Option<(u32, u32)> {
        let (first, last) = (*self.sources.first()?, *self.sources.last()?);
        ((last - first) as usize + 1 == self.sources.len()).then_some((first, last + 1))
    }
}

/// Puts a block and its halo together: its elements in C order. The shape is the lengths of the halo_reads.
///
/// `sources` are the blocks that the halo_reads name, in C order over the axes. Each element is written once, row by row.
pub(crate) fn assemble<A: Copy>(
    sources: &[ArrayViewD<'_, A>],
    halo_reads: &[&HaloReads],
) -> Result<Vec<A>, OutOfMemory> {
    let count = halo_reads.iter().map(|reads| reads.length).product();
    let mut target = with_room(count)?;
    let Some((along, outer)) = halo_reads.split_last() else {
        target.extend(sources.iter().flat_map(|source| source.iter().copied()));
        return Ok(target);
    };
    let sources: Vec<_> = sources.iter().map(|source| source.as_standard_layout()).collect();
    let parts: Vec<(&[A], &[usize])> =
        sources.iter().map(|source| (source.as_slice().unwrap_or_default(), source.shape())).collect();
    let tables: Vec<Vec<(usize, usize)>> = outer.iter().map(|reads| reads.table()).collect();
    let shape: Vec<usize> = outer.iter().map(|reads| reads.length).collect();
    let mut place = vec![0; outer.len()];
    for _ in 0..shape.iter().product() {
        let number = |axis: usize| tables[axis][place[axis]].0;
        let row_of_sources = (0..outer.len())
            .fold(0, |row, axis| row * outer[axis].sources.len() + number(axis))
            * along.sources.len();
        for stretch in &along.stretches {
            let (elements, lengths) = parts[row_of_sources + stretch.source];
            let row = (0..outer.len()).fold(0, |row, axis| row * lengths[axis] + tables[axis][place[axis]].1);
            let begin = row * lengths[outer.len()] + stretch.from;
            let elements = &elements[begin..begin + stretch.length];
            if stretch.backwards {
                target.extend(elements.iter().rev());
            } else {
                target.extend_from_slice(elements);
            }
        }
        advance(&mut place, &shape);
    }
    Ok(target)
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, IxDyn, Slice};

    use super::{HaloReads, Mode, assemble, halo_reads};

    const MODES: [Mode; 5] = [Mode::Reflect, Mode::Mirror, Mode::Nearest, Mode::Wrap, Mode::Constant(0.0)];

    #[test]
    fn a_block_sees_what_the_mode_says() {
        let divisions =
            [vec![1], vec![5], vec![2, 3], vec![1, 1, 1, 1], vec![0, 2, 0, 4, 1, 0], vec![3, 3, 3]];
        for lengths in &divisions {
            let total: usize = lengths.iter().sum();
            for mode in MODES {
                for radius in 0..9 {
                    let mut start = 0;
                    for (reads, &length) in halo_reads(lengths, radius, mode).iter().zip(lengths) {
                        let blocks: Vec<ArrayD<usize>> = reads
                            .sources
                            .iter()
                            .map(|&source| {
                                let begin: usize = lengths[..source as usize].iter().sum();
                                ArrayD::from_shape_fn(IxDyn(&[lengths[source as usize]]), |at| begin + at[0])
                            })
                            .collect();
                        let views: Vec<_> = blocks.iter().map(|block| block.view()).collect();
                        let found = assemble(&views, &[reads]).unwrap();
                        let reach = start as i64 - radius as i64..(start + length + radius) as i64;
                        let expected: Vec<usize> =
                            reach.clone().filter_map(|position| mode.resolve(position, total)).collect();
                        if length > 0 {
                            assert_eq!(found, expected, "{lengths:?} {mode:?} {radius}");
                            assert_eq!(found.len() + reads.outside.0 + reads.outside.1, length + 2 * radius);
                        }
                        start += length;
                    }
                }
            }
        }
    }

    #[test]
    fn blocks_of_a_plane_are_read_in_c_order() {
        let image = ArrayD::from_shape_fn(IxDyn(&[4, 6]), |at| at[0] * 6 + at[1]);
        let (rows, columns) = (halo_reads(&[2, 2], 1, Mode::Nearest), halo_reads(&[3, 3], 2, Mode::Mirror));
        let block = |row: usize, column: usize| {
            image.slice_each_axis(|axis| match axis.axis.index() {
                0 => Slice::from(row * 2..row * 2 + 2),
                _ => Slice::from(column * 3..column * 3 + 3),
            })
        };
        let views = [block(0, 0), block(0, 1), block(1, 0), block(1, 1)];
        let found = assemble(&views, &[&rows[0], &columns[1]]).unwrap();
        let expected = ArrayD::from_shape_fn(IxDyn(&[4, 7]), |at| {
            let row = Mode::Nearest.resolve(at[0] as i64 - 1, 4).unwrap();
            row * 6 + Mode::Mirror.resolve(at[1] as i64 + 1, 6).unwrap()
        });
        assert_eq!(found, expected.into_raw_vec_and_offset().0);
    }

    #[test]
    fn a_range_is_known_where_there_is_one() {
        let ranges = |lengths: &[usize], radius, mode| -> Vec<Option<(u32, u32)>> {
            halo_reads(lengths, radius, mode).iter().map(HaloReads::range).collect()
        };
        assert_eq!(ranges(&[2, 3], 0, Mode::Wrap), [Some((0, 1)), Some((1, 2))]);
        assert_eq!(ranges(&[2, 3, 2], 1, Mode::Reflect), [Some((0, 2)), Some((0, 3)), Some((1, 3))]);
        assert_eq!(ranges(&[2, 3, 2], 1, Mode::Wrap), [Some((0, 3)), Some((0, 3)), Some((0, 3))]);
        assert_eq!(ranges(&[2, 2, 2, 2], 1, Mode::Wrap)[0], None);
    }
}
