//! From a user's seed to the seed of one use of it.
//!
//! Two functions that are given the same seed must not draw the same numbers: rows whose random label is 1 would be those
//! that are chosen for the test. So every use has a name, and the name goes into the stream.

use super::splitmix::mix;

/// The seed of the use that is named `purpose`, for a user's `seed`.
#[must_use]
pub fn seed_of(purpose: &str, seed: u64) -> u64 {
    // FNV-1a: names are short, and mixed below.
    let name = purpose.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    mix(mix(name).wrapping_add(seed))
}

#[cfg(test)]
mod tests {
    use super::seed_of;

    #[test]
    fn another_name_or_seed_is_another_seed() {
        let mut seeds: Vec<u64> = ["", "a", "b", "ab", "ba"]
            .iter()
            .flat_map(|name| (0..100).map(|seed| seed_of(name, seed)))
            .collect();
        assert_eq!(seed_of("a", 7), seeds[107]);
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), 500);
    }
}
