//! Random numbers that depend on a seed and an index only: element `i` of an array has the same value whatever the
//! blocks, the threads and the order.
//!
//! Two engines map (seed, index) to 64 bits: [`Engine::SplitMix`], a counter through a strong mixing function, and
//! [`Engine::Philox`], Philox4x32-10. Distributions are built on the bits of index `i`, or, for normals, on those of
//! the pair `(2k, 2k + 1)` to which it belongs. A [`Law`] that takes more draws has them from a sequence of the index. All loops use plain multiplications and additions and give equal
//! bits on every instruction set.

mod draws;
mod law;
mod permutation;
mod philox;
mod seed;
mod splitmix;

use super::simd::dispatch_wide;
use crate::kernel::math::random::{exponent_trick_unit, ln_unit, sin_cos_turn};
pub use law::{Law, LawName};
pub use philox::{Philox, philox4x32_10};
pub use seed::seed_of;
pub use splitmix::{SplitMix, mix};

/// A source of 64 random bits for each index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// SplitMix64 as a counter: the default, the fastest.
    SplitMix(SplitMix),
    /// Philox4x32-10: the choice of those who want a published counter-based generator.
    Philox(Philox),
}

/// What the bits are turned into.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distribution {
    /// Every value in `[low, high)` alike.
    Uniform {
        /// The smallest value.
        low: f64,
        /// The end, not reached but by rounding.
        high: f64,
    },
    /// The bell curve.
    Normal {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        std: f64,
    },
    /// Waiting times.
    Exponential {
        /// The mean.
        scale: f64,
    },
    /// What takes several draws for a value, or parameters of its own.
    By(Law),
}

/// Indices at equal distances: those of a run of elements along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Indices {
    /// The index of the first element.
    pub start: u64,
    /// The distance between neighbors.
    pub step: u64,
}

impl Indices {
    /// The index of element `j` of the run.
    #[must_use]
    #[inline(always)]
    pub const fn at(self, j: usize) -> u64 {
        self.start.wrapping_add(self.step.wrapping_mul(j as u64))
    }
}

/// 64 bits for an index.
trait Bits: Copy {
    /// The bits of one index.
    fn at(self, index: u64) -> u64;
    /// The bits of the indices `2 * pair` and `2 * pair + 1`.
    fn pair(self, pair: u64) -> (u64, u64);
    /// The bits of one index once more: as many independent draws as are asked for, by number.
    fn nth(self, index: u64, draw: u64) -> u64;
}

/// A floating-point type that random numbers are made in.
pub trait RandomFloat: Copy + Default + 'static {
    /// Rounds from `f64`.
    fn from_f64(value: f64) -> Self;
    /// A number in `[0, 1)` from the leading bits.
    fn unit(bits: u64) -> Self;
    /// `low + (high - low) * unit`.
    fn spread(unit: Self, low: f64, high: f64) -> Self;
}

impl RandomFloat for f64 {
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn unit(bits: u64) -> Self {
        exponent_trick_unit(bits)
    }
    #[inline(always)]
    fn spread(unit: Self, low: f64, high: f64) -> Self {
        low + (high - low) * unit
    }
}

impl RandomFloat for f32 {
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as f32
    }
    #[inline(always)]
    fn unit(bits: u64) -> Self {
        f32::from_bits(0x3f80_0000 | (bits >> 41) as u32) - 1.0
    }
    #[inline(always)]
    fn spread(unit: Self, low: f64, high: f64) -> Self {
        low as f32 + (high - low) as f32 * unit
    }
}

impl Distribution {
    /// The values of the elements at `indices`.
    ///
    /// **Cost** one pass over `out`; no memory.
    ///
    /// # Examples
    /// ```
    /// use musher_array::kernel::random::{Distribution, Engine, Indices, SplitMix};
    /// let engine = Engine::SplitMix(SplitMix::new(42, 0));
    /// let uniform = Distribution::Uniform { low: 0.0, high: 1.0 };
    /// let (mut all, mut last) = ([0.0_f64; 8], [0.0_f64; 2]);
    /// uniform.fill(engine, Indices { start: 0, step: 1 }, &mut all);
    /// uniform.fill(engine, Indices { start: 3, step: 4 }, &mut last);
    /// assert_eq!(last, [all[3], all[7]]);
    /// ```
    pub fn fill<A: RandomFloat>(self, engine: Engine, indices: Indices, out: &mut [A]) {
        if let Self::By(law) = self {
            return law.fill(engine, indices, out.len(), |at, value| out[at] = A::from_f64(value));
        }
        match engine {
            Engine::SplitMix(bits) => self.fill_from(bits, indices, out),
            Engine::Philox(bits) => self.fill_from(bits, indices, out),
        }
    }

    /// The same for a known engine.
    fn fill_from<A: RandomFloat>(self, bits: impl Bits, indices: Indices, out: &mut [A]) {
        match self {
            Self::Uniform { low, high } if low == 0.0 && high == 1.0 => each(bits, indices, out, A::unit),
            Self::Uniform { low, high } => {
                each(bits, indices, out, move |bits| A::spread(A::unit(bits), low, high));
            }
            Self::Exponential { scale } => each(bits, indices, out, move |bits| {
                A::from_f64(-scale * ln_unit(1.0 - exponent_trick_unit(bits)))
            }),
            Self::Normal { mean, std } => normals(bits, indices, out, move |z| A::from_f64(mean + std * z)),
            Self::By(_) => unreachable!("laws fill by themselves"),
        }
    }
}

/// `low` plus a number below `span`, for each index.
///
/// The product of 64 random bits and `span` is cut to its upper half: each value is off its share by at most
/// `span / 2⁶⁴`.
///
/// # Examples
/// ```
/// use musher_array::kernel::random::{Engine, Indices, SplitMix, fill_integers};
/// let mut dice = [0; 100];
/// fill_integers(Engine::SplitMix(SplitMix::new(1, 0)), Indices { start: 0, step: 1 }, 1, 6, &mut dice);
/// assert!(dice.iter().all(|face| (1..=6).contains(face)));
/// ```
pub fn fill_integers(engine: Engine, indices: Indices, low: i64, span: u64, out: &mut [i64]) {
    let pick = move |bits: u64| low.wrapping_add(((u128::from(bits) * u128::from(span)) >> 64) as i64);
    match engine {
        Engine::SplitMix(bits) => each(bits, indices, out, pick),
        Engine::Philox(bits) => each(bits, indices, out, pick),
    }
}

/// `out[j] = f(bits of index j)`.
#[inline(always)]
fn each<A>(bits: impl Bits, indices: Indices, out: &mut [A], f: impl Fn(u64) -> A + Copy) {
    dispatch_wide(
        #[inline(always)]
        || {
            if indices.step == 1 && indices.start.is_multiple_of(2) {
                // Neighbors share a counter in engines that make two numbers at once.
                let mut pairs = out.chunks_exact_mut(2);
                let mut pair = indices.start / 2;
                for out in &mut pairs {
                    let (even, odd) = bits.pair(pair);
                    out[0] = f(even);
                    out[1] = f(odd);
                    pair += 1;
                }
                if let [last] = pairs.into_remainder() {
                    *last = f(bits.pair(pair).0);
                }
            } else {
                for (j, out) in out.iter_mut().enumerate() {
                    *out = f(bits.at(indices.at(j)));
                }
            }
        },
    );
}

/// Pairs that are worked on at a time: small arrays that stay in registers and L1.
const PAIRS: usize = 64;

/// Standard normals by Box–Muller, through `f`.
///
/// Element `2k` is `r cos φ` and element `2k + 1` is `r sin φ`, with `r` and `φ` from the bits of both.
///
/// **Source** Box & Muller 1958.
#[inline(always)]
fn normals<A>(bits: impl Bits, indices: Indices, out: &mut [A], f: impl Fn(f64) -> A + Copy) {
    if indices.step != 1 {
        return scattered_normals(bits, indices, out, f);
    }
    let odd_start = (indices.start % 2) as usize;
    let (head, body) = out.split_at_mut(odd_start.min(out.len()));
    scattered_normals(bits, indices, head, f);
    let even_start = indices.start + odd_start as u64;
    for (block, out) in body.chunks_mut(2 * PAIRS).enumerate() {
        let first = even_start / 2 + (block * PAIRS) as u64;
        let (mut cosines, mut sines) = ([0.0; PAIRS], [0.0; PAIRS]);
        dispatch_wide(
            #[inline(always)]
            || {
                for k in 0..PAIRS {
                    let (a, b) = bits.pair(first + k as u64);
                    (cosines[k], sines[k]) = box_muller(a, b);
                }
            },
        );
        for ((out, &cosine), &sine) in out.chunks_mut(2).zip(&cosines).zip(&sines) {
            out[0] = f(cosine);
            if let [_, odd] = out {
                *odd = f(sine);
            }
        }
    }
}

/// Normals at any indices: each makes its pair and keeps its half.
#[inline(always)]
fn scattered_normals<A>(bits: impl Bits, indices: Indices, out: &mut [A], f: impl Fn(f64) -> A + Copy) {
    dispatch_wide(
        #[inline(always)]
        || {
            for (j, out) in out.iter_mut().enumerate() {
                let index = indices.at(j);
                let (a, b) = bits.pair(index >> 1);
                let (cosine, sine) = box_muller(a, b);
                *out = f(if index & 1 == 0 { cosine } else { sine });
            }
        },
    );
}

/// Two independent standard normals from two times 64 bits.
#[inline(always)]
fn box_muller(a: u64, b: u64) -> (f64, f64) {
    // 1 - u lies in (0, 1]: its logarithm is finite.
    let radius = (-2.0 * ln_unit(1.0 - exponent_trick_unit(a))).sqrt();
    let (sine, cosine) = sin_cos_turn(exponent_trick_unit(b));
    (radius * cosine, radius * sine)
}

#[cfg(test)]
mod tests;
