//! The draws that one element may take: a sequence of its own, which its index begins.

use super::{Bits, Engine};
use crate::kernel::math::one::ln;
use crate::kernel::math::random::{exponent_trick_unit, sin_cos_turn};

/// The draws of one index.
pub(super) struct Draws {
    engine: Engine,
    index: u64,
    next: u64,
}

impl Draws {
    pub(super) const fn of(engine: Engine, index: u64) -> Self {
        Self { engine, index, next: 0 }
    }

    /// 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.next += 1;
        match self.engine {
            Engine::SplitMix(engine) => engine.nth(self.index, self.next),
            Engine::Philox(engine) => engine.nth(self.index, self.next),
        }
    }

    /// A number between 0 and 1 that is neither.
    pub(super) fn unit(&mut self) -> f64 {
        exponent_trick_unit(self.bits()) + 0.5 * f64::EPSILON
    }

    /// A standard normal number, by Box & Muller; the other half of the pair is given up.
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (2.0 * self.exponential()).sqrt();
        let (_, cosine) = sin_cos_turn(exponent_trick_unit(self.bits()));
        radius * cosine
    }

    /// A waiting time with mean 1.
    pub(super) fn exponential(&mut self) -> f64 {
        -ln(self.unit())
    }

    /// The logarithm of a gamma variable of this shape.
    ///
    /// **Source** Marsaglia & Tsang 2000, "A simple method for generating gamma variables", with their step for shapes below 1.
    pub(super) fn ln_gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let rest = ln(self.unit()) / shape;
            return self.ln_gamma(shape + 1.0) + rest;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let root = 1.0 + c * x;
            if root <= 0.0 {
                continue;
            }
            let v = root * root * root;
            let ln_v = ln(v);
            if ln(self.unit()) < 0.5 * x * x + d * (1.0 - v + ln_v) {
                return ln(d) + ln_v;
            }
        }
    }
}
