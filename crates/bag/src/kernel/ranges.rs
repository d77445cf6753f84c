//! Cutting a length into pieces: byte ranges of a file, item ranges of a sequence.

use std::ops::Range;

/// The ranges of `block_size` bytes that cover a file of `length` bytes; the last one is shorter.
///
/// An empty file has one empty range, so that every file has a partition.
pub(crate) fn byte_ranges(length: u64, block_size: u64) -> Vec<Range<u64>> {
    let block_size = block_size.max(1);
    let blocks = length.div_ceil(block_size).max(1);
    (0..blocks)
        .map(|block| block * block_size..((block + 1).saturating_mul(block_size)).min(length))
        .collect()
}

/// `parts` consecutive ranges that cover `0..length` and differ in length by at most one, longer ones first.
pub(crate) fn even_ranges(length: usize, parts: usize) -> Vec<Range<usize>> {
    let parts = parts.max(1);
    let (base, longer) = (length / parts, length % parts);
    let mut start = 0;
    (0..parts)
        .map(|part| {
            let end = start + base + usize::from(part < longer);
            let range = start..end;
            start = end;
            range
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{byte_ranges, even_ranges};

    #[test]
    fn byte_ranges_cover_the_file_once() {
        for length in 0..40 {
            for block_size in 1..45 {
                let ranges = byte_ranges(length, block_size);
                assert_eq!(ranges[0].start, 0);
                assert_eq!(ranges.last().unwrap().end, length);
                assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
                assert!(ranges.iter().all(|range| range.end - range.start <= block_size));
            }
        }
        assert_eq!(byte_ranges(u64::MAX, u64::MAX - 1).len(), 2);
    }

    #[test]
    fn even_ranges_differ_by_at_most_one() {
        for length in 0..30usize {
            for parts in 1..35 {
                let ranges = even_ranges(length, parts);
                assert_eq!(ranges.len(), parts);
                assert_eq!(ranges.iter().map(|range| range.len()).sum::<usize>(), length);
                assert!(
                    ranges
                        .iter()
                        .all(|range| range.len() == length / parts || range.len() == length / parts + 1)
                );
                assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
            }
        }
    }
}
