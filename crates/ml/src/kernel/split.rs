//! Random keys of rows: those with the smallest go to the test side of a split.
//!
//! A row's key depends on the seed and its index in the whole array, so the split does not depend on the chunks. Keys
//! of different rows differ (the map is a bijection), so that a threshold takes an exact number of rows.

use std::ops::Range;

use musher_array::kernel::random::{mix, seed_of};

/// Keys of rows, drawn from a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowKeys {
    offset: u64,
}

impl RowKeys {
    /// Those of a seed, for the use that is named `purpose`.
    pub(crate) fn new(purpose: &str, seed: u64) -> Self {
        RowKeys { offset: seed_of(purpose, seed) }
    }

    /// The key of the row at `index`.
    ///
    /// Source: SplitMix64 (Steele, Lea and Flood, 2014) used as a counter.
    #[inline(always)]
    pub(crate) fn key(self, index: usize) -> u64 {
        mix(self.offset.wrapping_add((index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// The largest key that still belongs to the `count` smallest of `rows` rows, or `None` if `count` is none.
    ///
    /// Two passes over the keys (about 2 ns a row in all), and memory for one row in 65,536.
    pub(crate) fn threshold(self, rows: usize, count: usize) -> Option<u64> {
        let count = count.min(rows);
        if count == 0 {
            return None;
        }
        let mut histogram = vec![0usize; 1 << 16];
        for row in 0..rows {
            histogram[(self.key(row) >> 48) as usize] += 1;
        }
        let mut below = 0;
        let mut bucket = 0;
        while below + histogram[bucket] < count {
            below += histogram[bucket];
            bucket += 1;
        }
        let mut keys: Vec<u64> =
            (0..rows).map(|row| self.key(row)).filter(|key| (key >> 48) as usize == bucket).collect();
        keys.sort_unstable();
        Some(keys[count - below - 1])
    }

    /// How many of `rows` have a key of at most `threshold`.
    pub(crate) fn count(self, rows: Range<usize>, threshold: u64) -> usize {
        rows.filter(|&row| self.key(row) <= threshold).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_takes_exactly_the_rows_asked_for() {
        for rows in [1, 2, 3, 10, 1000, 100_000] {
            let keys = RowKeys::new("test", rows as u64);
            assert_eq!(keys.threshold(rows, 0), None);
            for count in [1, (rows / 4).max(1), (rows / 2).max(1), rows] {
                let threshold = keys.threshold(rows, count).unwrap();
                assert_eq!(keys.count(0..rows, threshold), count, "{count} of {rows}");
            }
        }
    }

    #[test]
    fn parts_hold_as_many_as_the_whole() {
        let keys = RowKeys::new("test", 5);
        let threshold = keys.threshold(1000, 250).unwrap();
        let parts: usize =
            (0..1000).step_by(7).map(|from| keys.count(from..(from + 7).min(1000), threshold)).sum();
        assert_eq!(parts, 250);
    }

    #[test]
    fn chosen_rows_spread_over_the_whole() {
        let keys = RowKeys::new("test", 0);
        let threshold = keys.threshold(100_000, 25_000).unwrap();
        for tenth in 0..10 {
            // Standard deviation of a tenth's count is 41: five of them.
            let found = keys.count(tenth * 10_000..(tenth + 1) * 10_000, threshold);
            assert!(found.abs_diff(2500) < 205, "{found}");
        }
    }

    #[test]
    fn another_seed_takes_other_rows() {
        let chosen = |seed| {
            let keys = RowKeys::new("test", seed);
            let threshold = keys.threshold(100, 30).unwrap();
            (0..100).filter(|&row| keys.key(row) <= threshold).collect::<Vec<_>>()
        };
        assert_eq!(chosen(1), chosen(1));
        assert_ne!(chosen(1), chosen(2));
    }
}
