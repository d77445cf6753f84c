//! Which target a key goes to: the same one in every process and on every platform.

use std::hash::{Hash, Hasher};

use xxhash_rust::xxh3::xxh3_64;

/// Chooses one of `n` targets for a key, evenly, by the hash of what the key gives to a [`Hasher`].
///
/// The hash is XXH3 (64 bits, seed 0) over the written bytes; numbers are written in little-endian order and `usize`
/// as 64 bits. So the target depends on the key's value and on its type's `Hash` only.
///
/// **Source** Y. Collet: XXH3. From the hash to the target: D. Lemire: Fast random integer generation in an interval,
/// ACM Transactions on Modeling and Computer Simulation 29 (2019).
///
/// # Examples
/// ```
/// use musher_graph_core::Scatter;
/// let mut scatter = Scatter::new(8);
/// assert_eq!(scatter.target_of(&"musher"), scatter.target_of(&String::from("musher")));
/// assert!((0..1000).all(|key| scatter.target_of(&key) < 8));
/// assert_eq!([1_u64, 2, 3].map(|key| scatter.target_of(&key)), [1, 1, 2]);
/// ```
#[derive(Debug)]
pub struct Scatter {
    n: usize,
    written: Written,
}

impl Scatter {
    /// A choice of `n` targets.
    ///
    /// # Panics
    /// If `n` is 0.
    #[must_use]
    pub fn new(n: usize) -> Self {
        assert!(n > 0, "a key needs a target");
        Self { n, written: Written(Vec::new()) }
    }

    /// The target of a key, below `n`.
    pub fn target_of<K: Hash + ?Sized>(&mut self, key: &K) -> usize {
        self.written.0.clear();
        key.hash(&mut self.written);
        ((u128::from(self.written.finish()) * self.n as u128) >> 64) as usize
    }
}

/// The bytes that a key wrote.
#[derive(Debug)]
struct Written(Vec<u8>);

/// Writes numbers in one order of bytes on every platform.
macro_rules! write_numbers {
    ($($method:ident $t:ty),*) => {$(
        fn $method(&mut self, number: $t) {
            self.write(&number.to_le_bytes());
        }
    )*};
}

impl Hasher for Written {
    fn finish(&self) -> u64 {
        xxh3_64(&self.0)
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    write_numbers!(
        write_u16 u16, write_u32 u32, write_u64 u64, write_u128 u128,
        write_i16 i16, write_i32 i32, write_i64 i64, write_i128 i128
    );

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_i64(number as i64);
    }
}

#[cfg(test)]
mod tests {
    use super::Scatter;

    #[test]
    fn keys_spread_evenly_over_any_number_of_targets() {
        for n in [1, 2, 3, 127, 128, 129, 255, 257] {
            let mut counts = vec![0; n];
            let mut scatter = Scatter::new(n);
            (0..1000 * n as u64).for_each(|key| counts[scatter.target_of(&key)] += 1);
            // Six standard deviations of a Poisson distribution of mean 1000.
            assert!(counts.iter().all(|&count: &i32| (count - 1000).abs() < 190), "{n}: {counts:?}");
        }
    }

    #[test]
    fn the_target_is_the_same_in_every_process() {
        // Written down once; a change of these moves the keys of every exchange.
        let mut scatter = Scatter::new(65_537);
        let found = [scatter.target_of(""), scatter.target_of("key"), scatter.target_of(&(1_u8, -1_i32))];
        assert_eq!(found, [54_973, 55_686, 54_315]);
    }
}
