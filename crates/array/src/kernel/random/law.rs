//! Distributions that take several draws for a value, or parameters of their own.
//!
//! A value is a function of the draws of its index, so that it depends on the seed and the index alone, also where draws are
//! refused and made again.

use super::draws::Draws;
use super::permutation::Permutation;
use super::{Engine, Indices, mix};
use crate::kernel::math::one::{exp, exp_m1, ln, ln_1p, pow};
use crate::kernel::math::random::sin_cos_turn;
use crate::kernel::special::{ln_binomial, ln_poisson};
use std::f64::consts::{PI, TAU};

/// A distribution by name, with its parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Law {
    /// Which one it is.
    pub name: LawName,
    /// As many as it has; the others are 0.
    pub parameters: [f64; 3],
}

/// Names the laws, with the number of each in fingerprints.
macro_rules! laws {
    ($($name:ident = $number:literal, $label:literal, $purpose:literal;)*) => {
        /// The name of a [`Law`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum LawName {
            $(#[doc = concat!("NumPy's `", $label, "`.")] $name = $number,)*
        }

        impl LawName {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// What pictures and errors call it.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$name => $label,)*
                }
            }

            /// The name of this use of a seed.
            #[must_use]
            pub const fn purpose(self) -> &'static str {
                match self {
                    $(Self::$name => $purpose,)*
                }
            }
        }
    };
}
laws! {
    Gamma = 3, "gamma", "random gamma";
    Beta = 4, "beta", "random beta";
    LogNormal = 5, "lognormal", "random lognormal";
    ChiSquare = 6, "chisquare", "random chisquare";
    StudentT = 7, "standard_t", "random student t";
    Fisher = 8, "f", "random fisher";
    Weibull = 9, "weibull", "random weibull";
    Pareto = 10, "pareto", "random pareto";
    Power = 11, "power", "random power";
    Rayleigh = 12, "rayleigh", "random rayleigh";
    Laplace = 13, "laplace", "random laplace";
    Logistic = 14, "logistic", "random logistic";
    Gumbel = 15, "gumbel", "random gumbel";
    Cauchy = 16, "standard_cauchy", "random cauchy";
    Triangular = 17, "triangular", "random triangular";
    VonMises = 18, "vonmises", "random von mises";
    Wald = 19, "wald", "random wald";
    NoncentralChiSquare = 20, "noncentral_chisquare", "random noncentral chisquare";
    NoncentralFisher = 21, "noncentral_f", "random noncentral fisher";
    Poisson = 22, "poisson", "random poisson";
    Binomial = 23, "binomial", "random binomial";
    Geometric = 24, "geometric", "random geometric";
    NegativeBinomial = 25, "negative_binomial", "random negative binomial";
    Hypergeometric = 26, "hypergeometric", "random hypergeometric";
    Zipf = 27, "zipf", "random zipf";
    LogSeries = 28, "logseries", "random logseries";
    Permutation = 29, "permutation", "random permutation";
}

/// Whole numbers are made as floats: above this they are not all told apart, and none is larger.
const LARGEST: f64 = 9_007_199_254_740_992.0;

/// What makes a value of draws.
type Draw = Box<dyn Fn(&mut Draws) -> f64>;

impl Law {
    /// Everything that decides the values, but for the engine and the indices.
    pub(crate) fn words(self) -> [u64; 4] {
        let [a, b, c] = self.parameters.map(f64::to_bits);
        [self.name as u64, a, b, c]
    }

    /// Gives `set` the number of each of `n` elements of a run and its value.
    pub(super) fn fill(self, engine: Engine, indices: Indices, n: usize, mut set: impl FnMut(usize, f64)) {
        if self.name == LawName::Permutation {
            // A key that no element shares.
            let key = mix(Draws::of(engine, u64::MAX).bits());
            let permutation = Permutation::new(self.parameters[0] as u64, key);
            (0..n).for_each(|at| set(at, permutation.at(indices.at(at)) as f64));
            return;
        }
        let draw = self.draw();
        (0..n).for_each(|at| set(at, draw(&mut Draws::of(engine, indices.at(at)))));
    }

    /// What is the same for all elements is computed once.
    fn draw(self) -> Draw {
        let [a, b, c] = self.parameters;
        match self.name {
            LawName::Gamma => Box::new(move |draws| exp(draws.ln_gamma(a))),
            LawName::Beta => Box::new(move |draws| {
                let (one, other) = (draws.ln_gamma(a), draws.ln_gamma(b));
                1.0 / (1.0 + exp(other - one))
            }),
            LawName::LogNormal => Box::new(move |draws| exp(a + b * draws.normal())),
            LawName::ChiSquare => Box::new(move |draws| chi_square(draws, a)),
            LawName::StudentT => {
                Box::new(move |draws| draws.normal() * exp(0.5 * (ln(0.5 * a) - draws.ln_gamma(0.5 * a))))
            }
            LawName::Fisher => Box::new(move |draws| {
                let ratio = draws.ln_gamma(0.5 * a) - draws.ln_gamma(0.5 * b);
                exp(ratio) * (b / a)
            }),
            LawName::Weibull => Box::new(move |draws| pow(draws.exponential(), 1.0 / a)),
            LawName::Pareto => Box::new(move |draws| exp_m1(draws.exponential() / a)),
            LawName::Power => Box::new(move |draws| exp(-draws.exponential() / a)),
            LawName::Rayleigh => Box::new(|draws| (2.0 * draws.exponential()).sqrt()),
            LawName::Laplace => Box::new(|draws| {
                let u = draws.unit();
                if u < 0.5 { ln(2.0 * u) } else { -ln(2.0 * (1.0 - u)) }
            }),
            LawName::Logistic => Box::new(|draws| {
                let u = draws.unit();
                ln(u / (1.0 - u))
            }),
            LawName::Gumbel => Box::new(|draws| -ln(draws.exponential())),
            LawName::Cauchy => Box::new(|draws| {
                // No multiple of a half turn, where it would be infinite.
                let (sine, cosine) = sin_cos_turn(0.5 * draws.unit());
                cosine / sine
            }),
            LawName::Triangular => Box::new(move |draws| triangular(draws.unit(), a, b, c)),
            LawName::VonMises => von_mises(a, b),
            LawName::Wald => Box::new(move |draws| wald(draws, a, b)),
            LawName::NoncentralChiSquare => noncentral_chi_square(a, b),
            LawName::NoncentralFisher => {
                let above = noncentral_chi_square(a, c);
                Box::new(move |draws| (above(draws) / a) / (chi_square(draws, b) / b))
            }
            LawName::Poisson => poisson(a),
            LawName::Binomial => binomial(a, b),
            LawName::Geometric => {
                let per_step = -ln_1p(-a);
                Box::new(move |draws| (draws.exponential() / per_step).ceil().clamp(1.0, LARGEST))
            }
            LawName::NegativeBinomial => {
                let odds = (1.0 - b) / b;
                Box::new(move |draws| {
                    let mean = exp(draws.ln_gamma(a)) * odds;
                    poisson(mean.min(LARGEST / 2.0))(draws)
                })
            }
            LawName::Hypergeometric => hypergeometric(a, b, c),
            LawName::Zipf => Box::new(move |draws| zipf(draws, a)),
            LawName::LogSeries => Box::new(move |draws| log_series(draws, a)),
            LawName::Permutation => unreachable!("a permutation takes no draws"),
        }
    }
}

fn chi_square(draws: &mut Draws, df: f64) -> f64 {
    2.0 * exp(draws.ln_gamma(0.5 * df))
}

fn noncentral_chi_square(df: f64, noncentrality: f64) -> Draw {
    let more = poisson(0.5 * noncentrality);
    Box::new(move |draws| {
        let count = more(draws);
        chi_square(draws, df + 2.0 * count)
    })
}

fn triangular(u: f64, left: f64, mode: f64, right: f64) -> f64 {
    let width = right - left;
    if u * width <= mode - left {
        left + (u * width).sqrt() * (mode - left).sqrt()
    } else {
        right - ((1.0 - u) * width).sqrt() * (right - mode).sqrt()
    }
}

/// An angle around `center`, from -π to π.
///
/// **Source** Best & Fisher 1979, "Efficient simulation of the von Mises distribution".
fn von_mises(center: f64, concentration: f64) -> Draw {
    let wrapped = |angle: f64| angle - TAU * ((angle + PI) / TAU).floor();
    if concentration < 1e-8 {
        return Box::new(move |draws| wrapped(center + PI * (2.0 * draws.unit() - 1.0)));
    }
    if concentration > 1e6 {
        // A wrapped normal; the method below loses its digits here.
        let spread = 1.0 / concentration.sqrt();
        return Box::new(move |draws| wrapped(center + spread * draws.normal()));
    }
    let s = if concentration < 1e-5 {
        1.0 / concentration + concentration
    } else {
        let r = 1.0 + (1.0 + 4.0 * concentration * concentration).sqrt();
        let rho = (r - (2.0 * r).sqrt()) / (2.0 * concentration);
        (1.0 + rho * rho) / (2.0 * rho)
    };
    Box::new(move |draws| {
        loop {
            // The cosine of a uniform angle.
            let z = sin_cos_turn(0.5 * draws.unit()).1;
            let w = ((1.0 + s * z) / (s + z)).clamp(-1.0, 1.0);
            let y = concentration * (s - w);
            let v = draws.unit();
            if y * (2.0 - y) - v >= 0.0 || ln(y / v) + 1.0 - y >= 0.0 {
                // The angle of a cosine, by a function whose bits are the same everywhere.
                let angle = crate::kernel::math::one::atan2((1.0 - w * w).sqrt(), w);
                return wrapped(center + if draws.bits() & 1 == 0 { angle } else { -angle });
            }
        }
    })
}

/// **Source** Michael, Schucany & Haas 1976, "Generating random variates using transformations with multiple roots".
fn wald(draws: &mut Draws, mean: f64, shape: f64) -> f64 {
    let z = draws.normal();
    // The smaller root, without the difference of two large numbers or a product of three.
    let r = mean / (2.0 * shape) * z * z;
    let x = mean / (1.0 + r + (r * (r + 2.0)).sqrt());
    if draws.unit() <= mean / (mean + x) { x } else { mean * (mean / x) }
}

/// **Source** for means from 10 on PTRS of Hörmann 1993, "The transformed rejection method for generating Poisson random
/// variables"; below, a product of uniform numbers.
fn poisson(mean: f64) -> Draw {
    if mean == 0.0 {
        return Box::new(|_| 0.0);
    }
    if mean < 10.0 {
        let end = exp(-mean);
        return Box::new(move |draws| {
            let (mut count, mut product) = (0.0, draws.unit());
            while product > end {
                count += 1.0;
                product *= draws.unit();
            }
            count
        });
    }
    let b = 0.931 + 2.53 * mean.sqrt();
    let a = -0.059 + 0.02483 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let v_r = 0.9277 - 3.6224 / (b - 2.0);
    Box::new(move |draws| {
        loop {
            let (u, v) = (draws.unit() - 0.5, draws.unit());
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + mean + 0.43).floor();
            if us >= 0.07 && v <= v_r {
                return k.min(LARGEST);
            }
            if k < 0.0 || (us < 0.013 && v > us) {
                continue;
            }
            if ln(v * inverse_alpha / (a / (us * us) + b)) <= ln_poisson(k, mean) {
                return k.min(LARGEST);
            }
        }
    })
}

/// **Source** for means from 10 on BTRS of Hörmann 1993, "The generation of binomial random variates"; below, the search
/// from 0 through the probabilities.
fn binomial(n: f64, p: f64) -> Draw {
    if p > 0.5 {
        let failures = binomial(n, 1.0 - p);
        return Box::new(move |draws| n - failures(draws));
    }
    let q = 1.0 - p;
    if n == 0.0 || p == 0.0 {
        return Box::new(|_| 0.0);
    }
    if n * p < 10.0 {
        let (none, odds) = (exp(n * ln_1p(-p)), p / q);
        return Box::new(move |draws| {
            let (mut u, mut k, mut probability) = (draws.unit(), 0.0, none);
            while u > probability && k < n && probability > 0.0 {
                u -= probability;
                k += 1.0;
                probability *= (n - k + 1.0) / k * odds;
            }
            k
        });
    }
    let spread = (n * p * q).sqrt();
    let b = 1.15 + 2.53 * spread;
    let a = -0.0873 + 0.0248 * b + 0.01 * p;
    let center = n * p + 0.5;
    let v_r = 0.92 - 4.2 / b;
    let alpha = (2.83 + 5.1 / b) * spread;
    let at_mode = ln_binomial(((n + 1.0) * p).floor(), n, p, q);
    Box::new(move |draws| {
        loop {
            let (u, v) = (draws.unit() - 0.5, draws.unit());
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + center).floor();
            if k < 0.0 || k > n {
                continue;
            }
            let is_inside = us >= 0.07 && v <= v_r;
            if is_inside || ln(v * alpha / (a / (us * us) + b)) <= ln_binomial(k, n, p, q) - at_mode {
                return k;
            }
        }
    })
}

/// The number of good ones in a sample, by a search through the probabilities from the most likely number to both sides.
fn hypergeometric(good: f64, bad: f64, sample: f64) -> Draw {
    let all = good + bad;
    let (least, most) = ((sample - bad).max(0.0), sample.min(good));
    let mode = ((sample + 1.0) * ((good + 1.0) / (all + 2.0))).floor().clamp(least, most);
    let p = if all > 0.0 { sample / all } else { 0.0 };
    let q = 1.0 - p;
    let log = ln_binomial(mode, good, p, q) + ln_binomial(sample - mode, bad, p, q)
        - ln_binomial(sample, all, p, q);
    // All of them or none leave nothing to chance.
    let at_mode = if sample == 0.0 || sample == all || most == least { 1.0 } else { exp(log) };
    Box::new(move |draws| {
        let mut u = draws.unit() - at_mode;
        let (mut low, mut high) = (mode, mode);
        let (mut below, mut above) = (at_mode, at_mode);
        while u > 0.0 && (low > least || high < most) {
            if high < most {
                above *= (good - high) / (high + 1.0) * ((sample - high) / (bad - sample + high + 1.0));
                high += 1.0;
                u -= above;
                if u <= 0.0 {
                    return high;
                }
            }
            if low > least {
                below *= low / (good - low + 1.0) * ((bad - sample + low) / (sample - low + 1.0));
                low -= 1.0;
                u -= below;
                if u <= 0.0 {
                    return low;
                }
            }
            if above + below < f64::MIN_POSITIVE {
                // What is left of the unit are roundings.
                break;
            }
        }
        mode
    })
}

/// **Source** Devroye 1986, "Non-uniform random variate generation", chapter X.6.1.
fn zipf(draws: &mut Draws, a: f64) -> f64 {
    /// From here on a value other than 1 is rarer than the smallest number.
    const STEEP: f64 = 1025.0;
    if a >= STEEP {
        return 1.0;
    }
    let power = a - 1.0;
    // Larger values than the largest are never drawn, so that a power near 1 does not refuse nearly all.
    let least = pow(LARGEST, -power);
    let b_less_1 = exp_m1(power * std::f64::consts::LN_2);
    loop {
        let (u, v) = (least + (1.0 - least) * draws.unit(), draws.unit());
        let x = pow(u, -1.0 / power).floor().min(LARGEST);
        let t_less_1 = exp_m1(power * ln_1p(1.0 / x));
        if v * x * t_less_1 / b_less_1 <= (1.0 + t_less_1) / (1.0 + b_less_1) {
            return x;
        }
    }
}

/// **Source** Kemp 1981, "Efficient generation of logarithmically distributed pseudo-random variables".
fn log_series(draws: &mut Draws, p: f64) -> f64 {
    let r = ln_1p(-p);
    let v = draws.unit();
    if v >= p {
        return 1.0;
    }
    let q = -exp_m1(r * draws.unit());
    if v > q {
        return 1.0;
    }
    (1.0 + ln(v) / ln(q)).floor().clamp(1.0, LARGEST)
}
