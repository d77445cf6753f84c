//! A number as the sum of two floats: what rounding takes from the first stands in the second.
//!
//! **Source** Dekker 1971, "A floating-point technique for extending the available precision", and Knuth, "The Art of
//! Computer Programming" 4.2.2, with a fused multiply-add for the rest of a product.

/// The sum `hi + lo`, where `lo` is at most about a unit in the last place of `hi`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub(super) hi: f64,
    pub(super) lo: f64,
}

impl Pair {
    #[inline(always)]
    pub(super) const fn new(hi: f64, lo: f64) -> Self {
        Self { hi, lo }
    }

    /// `a + b`, exactly.
    #[inline(always)]
    pub(super) fn sum(a: f64, b: f64) -> Self {
        let hi = a + b;
        let b_part = hi - a;
        Self { hi, lo: (a - (hi - b_part)) + (b - b_part) }
    }

    /// `a + b`, exactly where `a` is 0 or not smaller than `b` in magnitude.
    #[inline(always)]
    pub(super) fn ordered_sum(a: f64, b: f64) -> Self {
        let hi = a + b;
        Self { hi, lo: b - (hi - a) }
    }

    /// `a * b`, exactly where nothing underflows.
    #[inline(always)]
    pub(super) fn product(a: f64, b: f64) -> Self {
        let hi = a * b;
        Self { hi, lo: a.mul_add(b, -hi) }
    }

    /// `above / below`, to about 100 bits.
    #[inline(always)]
    pub(super) fn quotient(above: Self, below: Self) -> Self {
        let hi = above.hi / below.hi;
        let rest = (-hi).mul_add(below.hi, above.hi) + (-hi).mul_add(below.lo, above.lo);
        Self { hi, lo: rest / below.hi }
    }

    /// The square root of a number that is not negative, to about 100 bits.
    #[inline(always)]
    pub(super) fn root(self) -> Self {
        let hi = self.hi.sqrt();
        let rest = (-hi).mul_add(hi, self.hi) + self.lo;
        let lo = rest / (hi + hi);
        Self { hi, lo: if hi == 0.0 { 0.0 } else { lo } }
    }

    /// The same number with `lo` below half a unit of `hi`.
    #[inline(always)]
    pub(super) fn settled(self) -> Self {
        Self::ordered_sum(self.hi, self.lo)
    }

    /// The number with `more` added to what `hi` has lost.
    #[inline(always)]
    pub(super) fn with(self, more: f64) -> Self {
        Self { hi: self.hi, lo: self.lo + more }
    }

    /// The number as one float.
    #[inline(always)]
    pub(super) fn value(self) -> f64 {
        self.hi + self.lo
    }
}

impl std::ops::Neg for Pair {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self { hi: -self.hi, lo: -self.lo }
    }
}

/// The value of the polynomial `c[0] + c[1] x + c[2] x² + …` by Horner's rule.
#[inline(always)]
pub(super) fn polynomial<const N: usize>(x: f64, coefficients: &[f64; N]) -> f64 {
    let mut value = coefficients[N - 1];
    let mut at = N - 1;
    while at > 0 {
        at -= 1;
        value = value.mul_add(x, coefficients[at]);
    }
    value
}

/// Adding it to a number below 2⁵¹ in magnitude rounds that to an integer, which then stands in the lowest bits.
pub(super) const ROUNDER: f64 = 6_755_399_441_055_744.0;
