//! Special functions: the sums and integrals behind tails of distributions.
//!
//! Probabilities of single values are computed by saddle points, so that they keep their digits for parameters of any size,
//! where differences of logarithms of factorials lose them. The logarithm is that of the kernels of mathematics: the bits are
//! equal on every machine.
//!
//! **Source** Loader 2000, "Fast and accurate computation of binomial probabilities"; Press, Teukolsky, Vetterling & Flannery
//! 2007, "Numerical recipes", sections 6.2 and 6.4, for the series and fractions.

use super::math::one::{exp, ln, ln_1p};
use std::f64::consts::TAU;

/// A continued fraction whose last step changes no more than this has all its digits.
const SETTLED: f64 = 2.0 * f64::EPSILON;

/// What Stirling's formula lacks of the logarithm of `n!`, for any `n > 0`.
fn stirling_error(n: f64) -> f64 {
    /// From here the series gives all digits.
    const LARGE: f64 = 15.0;
    if n >= LARGE {
        let square = 1.0 / (n * n);
        let tail = 1.0 / 1260.0 - (1.0 / 1680.0 - square / 1188.0) * square;
        return (1.0 / 12.0 - (1.0 / 360.0 - tail * square) * square) / n;
    }
    stirling_error(n + 1.0) + ((n + 0.5) * ln_1p(1.0 / n) - 1.0)
}

/// `x ln(x / mean) + mean - x`, without the loss of digits where `x` is near the mean.
fn deviance(x: f64, mean: f64) -> f64 {
    if (x - mean).abs() >= 0.1 * (x + mean) {
        return x * ln(x / mean) + mean - x;
    }
    let v = (x - mean) / (x + mean);
    let (mut sum, mut term) = ((x - mean) * v, 2.0 * x * v);
    for odd in (3..2000).step_by(2) {
        term *= v * v;
        let next = sum + term / f64::from(odd);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

/// The logarithm of the probability that a Poisson variable of this mean is `k`, for any `k ≥ 0`.
pub(crate) fn ln_poisson(k: f64, mean: f64) -> f64 {
    if k == 0.0 { -mean } else { -stirling_error(k) - deviance(k, mean) - 0.5 * ln(TAU * k) }
}

/// The logarithm of the probability of `k` successes in `n` trials, for any `0 ≤ k ≤ n`; `q` is `1 - p`.
pub(crate) fn ln_binomial(k: f64, n: f64, p: f64, q: f64) -> f64 {
    let rest = n - k;
    if k == 0.0 {
        return if n == 0.0 { 0.0 } else { n * if p < 0.1 { ln_1p(-p) } else { ln(q) } };
    }
    if rest == 0.0 {
        return n * if q < 0.1 { ln_1p(-q) } else { ln(p) };
    }
    let errors = stirling_error(n) - stirling_error(k) - stirling_error(rest);
    errors - deviance(k, n * p) - deviance(rest, n * q) - 0.5 * ln(TAU * k * (rest / n))
}

/// The upper part of the incomplete gamma function, as a share of the whole: the probability that a gamma variable of shape
/// `a > 0` is above `x`.
pub(crate) fn gamma_upper(a: f64, x: f64) -> f64 {
    if x.is_nan() || a.is_nan() {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 1.0;
    }
    if x == f64::INFINITY {
        return 0.0;
    }
    if a > LARGE_SHAPE {
        // The cube root of x/a is normal there (Wilson & Hilferty 1931), and the sums below take a step for each standard deviation.
        let ninth = 1.0 / (9.0 * a);
        let z = ((x / a).cbrt() - (1.0 - ninth)) / ninth.sqrt();
        return normal_above(z);
    }
    let density = exp(ln_poisson(a, x));
    if x < a + 1.0 {
        let (mut sum, mut term, mut n) = (1.0, 1.0, a);
        while term > sum * f64::EPSILON * 0.1 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return (1.0 - density * sum).max(0.0);
    }
    // A continued fraction, by Lentz's method.
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (1.0 / f64::MIN_POSITIVE, 1.0 / b);
    let (mut h, mut i) = (d, 1.0);
    loop {
        let factor = -i * (i - a);
        b += 2.0;
        d = 1.0 / away_from_zero(factor * d + b);
        c = away_from_zero(b + factor / c);
        let step = d * c;
        h *= step;
        i += 1.0;
        if step.is_nan() || (step - 1.0).abs() <= SETTLED {
            return density * a * h;
        }
    }
}

/// From this shape on a gamma variable is taken for the cube of a normal one, to 1e-9 of the probability.
const LARGE_SHAPE: f64 = 1e9;

/// The probability that a normal variable is above `z`.
fn normal_above(z: f64) -> f64 {
    let beyond = 0.5 * normal_both(z);
    if z < 0.0 { 1.0 - beyond } else { beyond }
}

/// A number that can be divided by.
fn away_from_zero(x: f64) -> f64 {
    if x.abs() < f64::MIN_POSITIVE { f64::MIN_POSITIVE } else { x }
}

/// The incomplete beta function, as a share of the whole, of `x` and `y = 1 - x`: the probability that a beta variable of
/// shapes `a` and `b` is below `x`.
pub(crate) fn beta_lower(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if x.is_nan() || y.is_nan() || a.is_nan() || b.is_nan() {
        return f64::NAN;
    }
    if x <= 0.0 || y <= 0.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    // The density times x y.
    let front = a * (b / (a + b)) * exp(ln_binomial(a, a + b, x, y));
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(a, b, x, y)
    } else {
        1.0 - front * beta_fraction(b, a, y, x)
    }
}

/// The continued fraction of the incomplete beta function, by Lentz's method. Nothing is taken off 1: near the ends of `x` and for
/// large shapes no digits are lost.
///
/// **Source** DiDonato & Morris 1992, "Algorithm 708", equation 9.
fn beta_fraction(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let beyond = if x > 0.5 { (a + b) * y - b } else { a - (a + b) * x } + 1.0;
    let mut c = away_from_zero(a / (a + 1.0) * beyond);
    let (mut whole, mut d, mut n) = (c, 0.0, 1.0);
    loop {
        let odd = a + 2.0 * n - 1.0;
        let step = n * (b - n) * x / odd;
        let alpha = (a + n - 1.0) * ((a + b + n - 1.0) / odd) * (step * x);
        let beta = n + step + (a + n) / (odd + 2.0) * (beyond + n * (1.0 + y));
        d = 1.0 / away_from_zero(beta + alpha * d);
        c = away_from_zero(beta + alpha / c);
        let change = c * d;
        whole *= change;
        n += 1.0;
        if change.is_nan() || (change - 1.0).abs() <= SETTLED {
            return 1.0 / whole;
        }
    }
}

/// The probability that a variable of Student's t lies at least as far from 0 as `t`.
pub(crate) fn student_both(t: f64, df: f64) -> f64 {
    if df.is_nan() || df <= 0.0 || t.is_nan() {
        return f64::NAN;
    }
    if t.is_infinite() {
        return 0.0;
    }
    // Neither a square of a large t may be infinite, nor a share of a small one 0.
    let ratio = t.abs() / df.sqrt();
    let square = ratio * ratio;
    let (x, y) = if square > 1.0 {
        let inverse = 1.0 / square;
        (inverse / (1.0 + inverse), 1.0 / (1.0 + inverse))
    } else {
        (1.0 / (1.0 + square), square / (1.0 + square))
    };
    beta_lower(0.5 * df, 0.5, x, y)
}

/// The probability that a normal variable lies at least as far from 0 as `z`.
pub(crate) fn normal_both(z: f64) -> f64 {
    gamma_upper(0.5, 0.5 * z * z)
}

/// The probability that a chi-square variable is above `x`.
pub(crate) fn chi_square_above(x: f64, df: f64) -> f64 {
    if df > 0.0 { gamma_upper(0.5 * df, 0.5 * x) } else { f64::NAN }
}

/// The probability that a variable of Fisher's F is above `f`.
pub(crate) fn fisher_above(f: f64, between: f64, within: f64) -> f64 {
    if f.is_nan() || ![between, within].iter().all(|&df| df > 0.0) {
        return f64::NAN;
    }
    if f.is_infinite() {
        return 0.0;
    }
    let (one, other) = (within, between * f.max(0.0));
    beta_lower(0.5 * within, 0.5 * between, one / (one + other), other / (one + other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    fn near(found: f64, want: f64, tolerance: f64) {
        assert!((found / want - 1.0).abs() <= tolerance, "{found} for {want}");
    }

    #[test]
    fn single_values_have_their_probabilities() {
        near(exp(ln_poisson(3.0, 2.5)), 2.5_f64.powi(3) / 6.0 * (-2.5_f64).exp(), 1e-14);
        near(exp(ln_poisson(0.0, 2.5)), (-2.5_f64).exp(), 1e-15);
        near(exp(ln_binomial(2.0, 5.0, 0.3, 0.7)), 10.0 * 0.09 * 0.343, 1e-14);
        let all: f64 = (0..=40).map(|k| exp(ln_binomial(f64::from(k), 40.0, 0.35, 0.65))).sum();
        near(all, 1.0, 1e-14);
        // The largest of a million million trials: 1 / sqrt(2 π n p q).
        near(exp(ln_binomial(5e11, 1e12, 0.5, 0.5)), 1.0 / (TAU * 0.25e12).sqrt(), 1e-11);
    }

    #[test]
    fn tails_are_those_of_closed_forms() {
        for x in [1e-8, 0.1, 1.0, 2.5, 30.0, 700.0] {
            near(gamma_upper(1.0, x), (-x).exp(), 1e-12);
            near(gamma_upper(3.0, x), (-x).exp() * (1.0 + x + x * x / 2.0), 1e-12);
            // Two degrees of freedom, and one: Cauchy's.
            near(student_both(x, 2.0), 1.0 - x / (2.0 + x * x).sqrt(), 1e-9 * x.max(1.0).powi(2));
            near(student_both(x, 1.0), 1.0 - x.atan() / (PI / 2.0), 1e-12 * x.max(1.0));
            near(fisher_above(x, 2.0, 4.0), (1.0 + x / 2.0).powi(-2), 1e-13);
        }
        near(normal_both(1.959_963_984_540_054), 0.05, 1e-14);
        near(student_both(1.959_963_984_540_054, 1e14), 0.05, 1e-10);
        assert_eq!([gamma_upper(2.0, 0.0), gamma_upper(2.0, f64::INFINITY)], [1.0, 0.0]);
        assert!(student_both(1.0, 0.0).is_nan() && student_both(f64::NAN, 3.0).is_nan());
        assert_eq!(student_both(f64::INFINITY, 3.0), 0.0);
    }

    #[test]
    fn tails_are_those_of_scipy() {
        /// Of both sides together: their series and fractions are not one.
        const TOLERANCE: f64 = 1e-10;
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../testkit/golden/array_hypotheses/cases.json");
        let cases: Vec<serde_json::Value> =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let mut count = 0;
        for case in cases {
            let parameter = |name: &str| case["parameters"][name].as_f64();
            let tail = |x: f64| match (case["operation"].as_str().unwrap(), parameter("df")) {
                ("student", Some(df)) => Some(student_both(x, df)),
                ("chi_square", Some(df)) => Some(chi_square_above(x, df)),
                ("fisher", Some(df)) => Some(fisher_above(x, df, parameter("within").unwrap())),
                _ => None,
            };
            let Some(values) = case["parameters"]["values"].as_array() else { continue };
            for (x, want) in values.iter().zip(case["value"].as_array().unwrap()) {
                let (x, want) = (x.as_f64().unwrap(), want.as_f64().unwrap());
                let found = tail(x).unwrap();
                let is_near = (found - want).abs() <= TOLERANCE * want.max(1e-290);
                assert!(is_near, "{}: {found} for {want} at {x}", case["name"]);
                count += 1;
            }
        }
        assert!(count > 150, "{count}");
    }
}
