//! SplitMix64 as a counter-based generator.

use super::Bits;

/// The output function of SplitMix64 over a counter, with an odd increment and an offset of its own for each stream.
///
/// Both come out of a hash of (seed, stream), so no two streams are shifts of each other.
///
/// **Source** Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators"; mixing function of
/// Stafford's variant 13.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SplitMix {
    offset: u64,
    increment: u64,
}

impl SplitMix {
    /// The generator of a stream.
    #[must_use]
    pub const fn new(seed: u64, stream: u64) -> Self {
        let a = mix(seed.wrapping_add(GOLDEN));
        let b = mix(a ^ mix(stream.wrapping_mul(GOLDEN).wrapping_add(0x5851_f42d_4c95_7f2d)));
        let offset = mix(b.wrapping_add(GOLDEN));
        let increment = mix(b.wrapping_add(GOLDEN.wrapping_mul(2))) | 1;
        // Increments with long runs of equal bits make neighbors alike.
        let turns = (increment ^ (increment >> 1)).count_ones();
        let increment = if turns < 24 { increment ^ 0xaaaa_aaaa_aaaa_aaaa } else { increment };
        Self { offset, increment }
    }
}

/// 2⁶⁴ divided by the golden ratio, odd.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Stafford's variant 13 of the 64-bit finalizer: a bijection in which every bit depends on all.
#[must_use]
#[inline(always)]
pub const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Bits for SplitMix {
    #[inline(always)]
    fn at(self, index: u64) -> u64 {
        mix(self.offset.wrapping_add(index.wrapping_mul(self.increment)))
    }

    #[inline(always)]
    fn pair(self, pair: u64) -> (u64, u64) {
        let even = self.offset.wrapping_add((2 * pair).wrapping_mul(self.increment));
        (mix(even), mix(even.wrapping_add(self.increment)))
    }

    #[inline(always)]
    fn nth(self, index: u64, draw: u64) -> u64 {
        // A sequence of its own, that begins at what the index gave.
        mix(self.at(index).wrapping_add(draw.wrapping_mul(GOLDEN)))
    }
}
