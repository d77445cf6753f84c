//! A permutation of `0 .. n` of which each element is found alone.

use super::mix;

/// Up to here any two elements may change places in each round; beyond, halves of the bits of an index do.
const SMALL: u64 = 1 << 12;

/// A permutation that a key chooses.
///
/// **Source** for few elements Hoang, Morris & Rogaway 2012, "An enciphering scheme based on a card shuffle", whose permutations are
/// close to uniform for any `n`; for more a Feistel network over the bits of the index (Luby & Rackoff 1988), walked
/// until it meets an index that there is (Black & Rogaway 2002).
#[derive(Clone, Copy, Debug)]
pub(super) struct Permutation {
    n: u64,
    key: u64,
}

impl Permutation {
    pub(super) const fn new(n: u64, key: u64) -> Self {
        Self { n, key }
    }

    /// The element at an index below `n`.
    pub(super) fn at(self, index: u64) -> u64 {
        if self.n <= SMALL { self.swapped(index) } else { self.walked(index) }
    }

    fn round(self, round: u64, value: u64) -> u64 {
        mix(mix(self.key.wrapping_add(round)).wrapping_add(value))
    }

    /// In each round an element and its partner change places, or not.
    fn swapped(self, mut at: u64) -> u64 {
        let rounds = 24 + 6 * u64::from(self.n.max(1).ilog2());
        for round in 0..rounds {
            // Biased by less than 2⁻⁵⁰.
            let pivot = self.round(2 * round, u64::MAX) % self.n;
            let partner = (pivot + self.n - at) % self.n;
            if self.round(2 * round + 1, at.max(partner)) & 1 == 1 {
                at = partner;
            }
        }
        at
    }

    fn walked(self, index: u64) -> u64 {
        let bits = 64 - (self.n - 1).leading_zeros();
        let low = bits / 2;
        let (low_mask, high_mask) = ((1_u64 << low) - 1, (1_u64 << (bits - low)) - 1);
        let mut at = index;
        loop {
            let (mut right, mut left) = (at & low_mask, at >> low);
            for round in 0..6 {
                left ^= self.round(2 * round, right) & high_mask;
                right ^= self.round(2 * round + 1, left) & low_mask;
            }
            at = left << low | right;
            if at < self.n {
                return at;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_element_is_there_once() {
        for n in (1..70).chain([4095, 4096, 4097, 5000, 100_003]) {
            let mut seen = vec![false; n as usize];
            for at in 0..n {
                let found = Permutation::new(n, 77).at(at) as usize;
                assert!(!std::mem::replace(&mut seen[found], true), "{n}: {found} twice");
            }
        }
    }

    #[test]
    fn all_orders_are_alike() {
        // 24 orders of 4 elements: chi-square of 23 degrees of freedom is above 49.7 once in a thousand times.
        const TIMES: u64 = 24_000;
        let mut counts = std::collections::HashMap::new();
        for key in 0..TIMES {
            let order: Vec<u64> = (0..4).map(|at| Permutation::new(4, mix(key)).at(at)).collect();
            *counts.entry(order).or_insert(0_u64) += 1;
        }
        let expected = TIMES as f64 / 24.0;
        let distance: f64 = counts.values().map(|&n| (n as f64 - expected).powi(2) / expected).sum();
        assert!(counts.len() == 24 && distance < 49.7, "{distance}");
    }

    #[test]
    fn neighbors_go_far_apart() {
        // Where an element goes says nothing of where the next one goes.
        let n = 1_u64 << 20;
        let permutation = Permutation::new(n - 3, 5);
        let unit = |at| permutation.at(at) as f64 / n as f64 - 0.5;
        let product: f64 = (0..100_000).map(|at| 12.0 * unit(at) * unit(at + 1)).sum::<f64>() / 100_000.0;
        assert!(product.abs() < 6.0 / 100_000.0_f64.sqrt(), "{product}");
    }
}
