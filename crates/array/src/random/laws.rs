//! The distributions with parameters that no sum or product with a number gives.

use super::{Kind, Random, random};
use crate::chunks::Chunks;
use crate::error::Error;
use crate::kernel::random::{Distribution, Law, LawName};
use musher_graph_core::Site;
use ndarray::IntoDimension;

/// What a parameter may be.
#[derive(Clone, Copy)]
enum Needs {
    Finite,
    NotNegative,
    Positive,
    /// A probability.
    Share,
    /// A probability that is not 0.
    Chance,
    /// A probability that is neither 0 nor 1.
    Inner,
    AboveOne,
    /// A mean of whole numbers, or how many there are.
    Count,
    /// How many there are of what is looked through.
    Few,
}

impl Needs {
    fn check(
        self,
        operation: &'static str,
        parameter: &'static str,
        value: f64,
        caller: Site,
    ) -> Result<(), Error> {
        let (is_right, needs) = match self {
            Self::Finite => (value.is_finite(), "it must be finite"),
            Self::NotNegative => (value.is_finite() && value >= 0.0, "it must be finite and not negative"),
            Self::Positive => (value.is_finite() && value > 0.0, "it must be finite and more than 0"),
            Self::Share => ((0.0..=1.0).contains(&value), "it must be from 0 to 1"),
            Self::Chance => ((1e-14..=1.0).contains(&value), "it must be from 1e-14 to 1"),
            Self::Inner => (value > 0.0 && value < 1.0, "it must be between 0 and 1"),
            Self::AboveOne => (value.is_finite() && value > 1.0, "it must be finite and more than 1"),
            Self::Count => ((0.0..=4.5e15).contains(&value), "it must be from 0 to 4.5e15"),
            Self::Few => ((0.0..=1e9).contains(&value), "it must be from 0 to a thousand million"),
        };
        match is_right {
            true => Ok(()),
            false => Err(Error::Parameter { operation, parameter, value, needs, caller }),
        }
    }
}

/// The parameters in their places.
fn filled<const N: usize>(given: [f64; N]) -> [f64; 3] {
    let mut parameters = [0.0; 3];
    parameters[..N].copy_from_slice(&given);
    parameters
}

fn by<A, Sh: IntoDimension>(
    name: LawName,
    parameters: [f64; 3],
    shape: Sh,
    chunks: impl Into<Chunks>,
) -> Random<A, Sh::Dim> {
    random(shape, chunks, Kind::Float(Distribution::By(Law { name, parameters })))
}

/// Makes of each row a function: its law, the element type, its parameters with what they may be, and what they may be together.
macro_rules! laws {
    ($(
        $(#[$doc:meta])*
        fn $name:ident = $law:ident($($parameter:ident: $t:ty = $needs:ident),+) -> $out:ty $(, $also:expr)?;
    )*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// [`Error::Parameter`] when a parameter is none that it may have.
        #[track_caller]
        pub fn $name<Sh: IntoDimension>(
            $($parameter: $t,)+
            shape: Sh,
            chunks: impl Into<Chunks>,
        ) -> Result<Random<$out, Sh::Dim>, Error> {
            let (operation, caller) = (stringify!($name), Site::caller());
            $(Needs::$needs.check(operation, stringify!($parameter), $parameter as f64, caller)?;)+
            let given = [$($parameter as f64),+];
            $(
                let (is_right, parameter, value, needs): (bool, _, f64, _) = $also(given);
                if !is_right {
                    return Err(Error::Parameter { operation, parameter, value, needs, caller });
                }
            )?
            Ok(by(LawName::$law, filled(given), shape, chunks))
        }
    )*};
}

laws! {
    /// Numbers of the gamma distribution of this shape and scale 1; for another scale multiply.
    ///
    /// # Examples
    /// ```
    /// use musher_array::random;
    /// use musher_scheduler::Compute;
    /// let x = random::gamma(3.0, (100, 100), 50)?.seed(1).build() * 2.0;
    /// assert!((x.mean().compute()? - 6.0).abs() < 0.2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "standard_gamma")]
    #[doc(alias = "dask.array.random.gamma")]
    fn gamma = Gamma(alpha: f64 = Positive) -> f64;

    /// Shares between 0 and 1 of the beta distribution.
    #[doc(alias = "dask.array.random.beta")]
    fn beta = Beta(alpha: f64 = Positive, beta: f64 = Positive) -> f64,
        |[alpha, beta]: [f64; 2]| {
            (alpha.min(beta) >= 1e-300, "alpha", alpha.min(beta), "both shapes must be 1e-300 at least")
        };

    /// Numbers whose logarithms are normal with this mean and standard deviation.
    fn lognormal = LogNormal(mean: f64 = Finite, sigma: f64 = NotNegative) -> f64;

    /// Sums of as many squares of standard normal numbers as there are degrees of freedom.
    fn chisquare = ChiSquare(df: f64 = Positive) -> f64;

    /// Numbers of Student's t distribution.
    #[doc(alias = "standard_t")]
    fn student_t = StudentT(df: f64 = Positive) -> f64;

    /// Numbers of Fisher's F distribution: ratios of two means of squares.
    #[doc(alias = "f")]
    fn fisher_f = Fisher(dfnum: f64 = Positive, dfden: f64 = Positive) -> f64,
        |[dfnum, dfden]: [f64; 2]| {
            (dfnum.min(dfden) >= 1e-300, "dfnum", dfnum.min(dfden), "both must be 1e-300 at least")
        };

    /// Numbers of the Weibull distribution of this shape and scale 1.
    fn weibull = Weibull(shape_parameter: f64 = Positive) -> f64;

    /// Numbers of the Pareto distribution of the second kind, which begins at 0, as NumPy's; add 1 for the first kind.
    #[doc(alias = "lomax")]
    fn pareto = Pareto(alpha: f64 = Positive) -> f64;

    /// Numbers between 0 and 1 whose density is this power less 1.
    fn power = Power(exponent: f64 = Positive) -> f64;

    /// Numbers of the triangle from the first to the last with its top above the second.
    fn triangular = Triangular(left: f64 = Finite, mode: f64 = Finite, right: f64 = Finite) -> f64,
        |[left, mode, right]: [f64; 3]| {
            let is_right = left <= mode && mode <= right && left < right && (right - left).is_finite();
            (is_right, "mode", mode, "it must be from left to right, which are not one")
        };

    /// Angles from -π to π around a center: the normal distribution of a circle.
    #[doc(alias = "vonmises")]
    fn von_mises = VonMises(center: f64 = Finite, concentration: f64 = NotNegative) -> f64,
        |[center, _]: [f64; 2]| {
            // Beyond that, few digits of the angle are left.
            (center.abs() <= 1e6, "center", center, "it must be a million at most, on either side of 0")
        };

    /// Numbers of the inverse Gaussian distribution.
    #[doc(alias = "inverse_gaussian")]
    fn wald = Wald(mean: f64 = Positive, scale: f64 = Positive) -> f64;

    /// Sums of squares of normal numbers, whose means have this sum of squares.
    fn noncentral_chisquare = NoncentralChiSquare(df: f64 = Positive, noncentrality: f64 = NotNegative) -> f64,
        |[_, noncentrality]: [f64; 2]| {
            (noncentrality <= 4.5e15, "noncentrality", noncentrality, "it must be 4.5e15 at most")
        };

    /// Ratios of a noncentral mean of squares and a central one.
    fn noncentral_f = NoncentralFisher(dfnum: f64 = Positive, dfden: f64 = Positive, noncentrality: f64 = NotNegative) -> f64,
        |[_, _, noncentrality]: [f64; 3]| {
            (noncentrality <= 4.5e15, "noncentrality", noncentrality, "it must be 4.5e15 at most")
        };

    /// How often what happens this often on average happens.
    ///
    /// # Examples
    /// ```
    /// use musher_array::random;
    /// use musher_scheduler::Compute;
    /// let x = random::poisson(100.0, (100, 100), 50)?.seed(1).build();
    /// assert!((x.mean().compute()? - 100.0).abs() < 0.5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "dask.array.random.poisson")]
    fn poisson = Poisson(mean: f64 = Count) -> i64;

    /// How many of `n` trials succeed, each with probability `p`.
    #[doc(alias = "dask.array.random.binomial")]
    fn binomial = Binomial(n: u64 = Count, p: f64 = Share) -> i64;

    /// At which trial the first one succeeds, each with probability `p`.
    fn geometric = Geometric(p: f64 = Chance) -> i64;

    /// How many trials fail before `n` succeed, each with probability `p`; `n` need not be whole.
    fn negative_binomial = NegativeBinomial(n: f64 = Positive, p: f64 = Chance) -> i64,
        |[n, p]: [f64; 2]| {
            (n * ((1.0 - p) / p) <= 1e13, "n", n, "n (1 - p) / p must be 1e13 at most")
        };

    /// How many good ones are among `sample` of `good` and `bad` ones, taken without replacement.
    ///
    /// **Cost** of the order of the standard deviation for each element.
    fn hypergeometric = Hypergeometric(good: u64 = Few, bad: u64 = Few, sample: u64 = Few) -> i64,
        |[good, bad, sample]: [f64; 3]| {
            (sample <= good + bad, "sample", sample, "there must be as many good and bad ones together")
        };

    /// Whole numbers from 1 on, each as often as its power `-a` says. None is larger than 2⁵³.
    fn zipf = Zipf(a: f64 = AboveOne) -> i64,
        |[a]: [f64; 1]| (a >= 1.0 + 1e-9, "a", a, "it must be more than 1 by 1e-9 at least");

    /// Whole numbers from 1 on of the logarithmic series distribution. None is larger than 2⁵³.
    fn logseries = LogSeries(p: f64 = Inner) -> i64;
}

/// Makes of each row a function without parameters.
macro_rules! plain {
    ($($(#[$doc:meta])* fn $name:ident = $law:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name<Sh: IntoDimension>(shape: Sh, chunks: impl Into<Chunks>) -> Random<f64, Sh::Dim> {
            by(LawName::$law, [0.0; 3], shape, chunks)
        }
    )*};
}

plain! {
    /// Lengths of vectors of two standard normal numbers.
    fn rayleigh = Rayleigh;

    /// Numbers of the double exponential distribution around 0 with scale 1.
    fn laplace = Laplace;

    /// Numbers of the logistic distribution around 0 with scale 1.
    fn logistic = Logistic;

    /// Numbers of the distribution of largest values with mode 0 and scale 1.
    fn gumbel = Gumbel;

    /// Numbers of the standard Cauchy distribution, which has no mean.
    #[doc(alias = "standard_cauchy")]
    fn cauchy = Cauchy;
}
