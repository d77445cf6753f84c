//! Philox4x32-10.

use super::{Bits, mix};

/// Philox4x32-10 keyed by (seed, stream): the counter is (index / 2, draw number).
///
/// **Source** Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Philox {
    key: [u32; 2],
    draw: u64,
}

impl Philox {
    /// The generator of a stream. The seed is the key; the stream is the upper half of the counter.
    #[must_use]
    pub const fn new(seed: u64, stream: u64) -> Self {
        Self { key: [seed as u32, (seed >> 32) as u32], draw: stream }
    }
}

/// Ten rounds of Philox on a counter of four words with a key of two.
///
/// # Examples
/// ```
/// use musher_array::kernel::random::philox4x32_10;
/// assert_eq!(philox4x32_10([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
/// ```
#[must_use]
#[inline(always)]
pub const fn philox4x32_10(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    let mut round = 0;
    while round < 10 {
        let first = 0xd251_1f53_u64 * counter[0] as u64;
        let second = 0xcd9e_8d57_u64 * counter[2] as u64;
        counter = [
            (second >> 32) as u32 ^ counter[1] ^ key[0],
            second as u32,
            (first >> 32) as u32 ^ counter[3] ^ key[1],
            first as u32,
        ];
        key = [key[0].wrapping_add(0x9e37_79b9), key[1].wrapping_add(0xbb67_ae85)];
        round += 1;
    }
    counter
}

impl Bits for Philox {
    #[inline(always)]
    fn at(self, index: u64) -> u64 {
        let (even, odd) = self.pair(index >> 1);
        if index & 1 == 0 { even } else { odd }
    }

    #[inline(always)]
    fn pair(self, pair: u64) -> (u64, u64) {
        let counter = [pair as u32, (pair >> 32) as u32, self.draw as u32, (self.draw >> 32) as u32];
        let [a, b, c, d] = philox4x32_10(counter, self.key);
        (u64::from(a) | u64::from(b) << 32, u64::from(c) | u64::from(d) << 32)
    }

    #[inline(always)]
    fn nth(self, index: u64, draw: u64) -> u64 {
        // Each number of a draw has a key of its own, far from those of others.
        let key = u64::from(self.key[0]) | u64::from(self.key[1]) << 32;
        let other = mix(mix(key).wrapping_add(draw));
        Self { key: [other as u32, (other >> 32) as u32], ..self }.at(index)
    }
}
