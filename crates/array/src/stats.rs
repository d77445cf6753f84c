//! Tests of hypotheses and shapes of distributions, under SciPy's names.
//!
//! Each function takes arrays [over](Array::over) some axes: whatever counts there counts here, with a mask or past NaN. Numbers
//! are taken as `f64`. Of too few numbers, or of such that do not vary, nothing is known: the answer is NaN.
//!
//! ```
//! use musher_array::{random, stats, ndarray::Axis};
//! use musher_scheduler::Compute;
//! let x = random::normal((1000, 3), (250, 3)).seed(1).build();
//! let test = stats::ttest_1samp(x.over(Axis(0)), 5.0)?;
//! assert!(test.p_value.compute()?.iter().all(|&p| p < 1e-9));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::array::Array;
use crate::element::Real;
use crate::error::Error;
use crate::kernel::math::one::{exp, ln, pow};
use crate::kernel::special::{chi_square_above, fisher_above, normal_both, student_both};
use crate::reductions::Over;
use musher_graph_core::Site;
use ndarray::Dimension;
use num_complex::Complex;

/// What a test found: for each line its statistic, and how likely it or a more extreme one is where the hypothesis holds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TestResult<L: Dimension> {
    /// The statistics.
    pub statistic: Array<f64, L>,
    /// The probabilities, two-sided where the statistic has two sides.
    #[doc(alias = "pvalue")]
    pub p_value: Array<f64, L>,
}

/// A number for each line.
type Lines<L> = Result<Array<f64, L>, Error>;

/// Asks the numbers as `f64`.
fn of_floats<A: Real, D: Dimension, L: Dimension, T>(
    over: Over<'_, A, D, L>,
    ask: impl FnOnce(Over<'_, f64, D, L>) -> Result<T, Error>,
) -> Result<T, Error> {
    let floats = over.array().try_cast::<f64>()?;
    ask(over.of_another(&floats))
}

/// How many numbers count in each line.
fn count<D: Dimension, L: Dimension>(over: Over<'_, f64, D, L>) -> Lines<L> {
    let (_, _, _, skips_nan, _) = over.parts();
    let x = over.array();
    let ones = if skips_nan { x.is_not_nan().cast::<f64>() } else { Array::ones_like(x) };
    over.of_another(&ones).try_sum()
}

/// Count, mean and variance of a sample.
struct Sampled<L> {
    n: Array<f64, L>,
    mean: Array<f64, L>,
    variance: Array<f64, L>,
}

impl<L: Dimension> Sampled<L> {
    fn of<D: Dimension>(over: Over<'_, f64, D, L>) -> Result<Self, Error> {
        let n = count(over.clone())?;
        Ok(Self { n, mean: over.clone().try_mean()?, variance: over.try_var(1.0)? })
    }

    /// The squares of the distances from the mean, summed; 0 of one number, which has no variance.
    fn squares(&self) -> Array<f64, L> {
        self.n.gt(1.0).select((&self.n - 1.0) * &self.variance, 0.0)
    }

    /// The variance of the mean.
    fn of_mean(&self) -> Array<f64, L> {
        &self.variance / &self.n
    }
}

/// A statistic of Student's t with its probability.
fn student<L: Dimension>(statistic: Array<f64, L>, df: &Array<f64, L>) -> TestResult<L> {
    let p_value = statistic.zip_map(df, student_both);
    TestResult { statistic, p_value }
}

/// A statistic of two squares of normal numbers with its probability.
fn of_two_squares<L: Dimension>(statistic: Array<f64, L>) -> TestResult<L> {
    let p_value = statistic.mapv(|square| exp(-0.5 * square));
    TestResult { statistic, p_value }
}

/// Whether the mean is this.
///
/// **Cost** two passes.
///
/// # Errors
/// [`Error::Shapes`] when a mask does not fit.
///
/// Source: `scipy.stats.ttest_1samp`.
#[track_caller]
#[doc(alias = "dask.array.stats.ttest_1samp")]
pub fn ttest_1samp<A: Real, D: Dimension, L: Dimension>(
    x: Over<'_, A, D, L>,
    mean: f64,
) -> Result<TestResult<L>, Error> {
    of_floats(x, |x| {
        let found = Sampled::of(x)?;
        Ok(student((&found.mean - mean) / found.of_mean().sqrt(), &(&found.n - 1.0)))
    })
}

/// Whether two samples with one variance have one mean.
///
/// **Cost** two passes over each.
///
/// # Errors
/// [`Error::Shapes`] when a mask does not fit, or there is not the same number of lines.
///
/// # Examples
/// ```
/// use musher_array::{Array, All, stats, ndarray::arr1};
/// use musher_scheduler::Compute;
/// let x = Array::from_array(arr1(&[1.0, 2.0, 3.0]), 2);
/// let y = Array::from_array(arr1(&[2.0, 3.0, 4.0, 5.0]), 2);
/// let test = stats::ttest_ind(x.over(All), y.over(All))?;
/// assert!((test.statistic.compute()? + 1.659_850_005_517_464_5).abs() < 1e-14);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: `scipy.stats.ttest_ind`.
#[track_caller]
#[doc(alias = "dask.array.stats.ttest_ind")]
pub fn ttest_ind<A: Real, B: Real, D: Dimension, E: Dimension, L: Dimension>(
    x: Over<'_, A, D, L>,
    y: Over<'_, B, E, L>,
) -> Result<TestResult<L>, Error> {
    let (x, y) = (of_floats(x, Sampled::of)?, of_floats(y, Sampled::of)?);
    let (less_x, less_y) = (&x.n - 1.0, &y.n - 1.0);
    let df = less_x.try_add(&less_y)?;
    let pooled = x.squares().try_add(&y.squares())? / &df;
    let spread = (pooled * (x.n.recip() + y.n.recip())).sqrt();
    Ok(student((&x.mean - &y.mean) / spread, &df))
}

/// Whether two samples, of variances that may differ, have one mean: Welch's test.
///
/// **Cost** two passes over each.
///
/// # Errors
/// [`Error::Shapes`] when a mask does not fit, or there is not the same number of lines.
///
/// Source: `scipy.stats.ttest_ind` with `equal_var=False`.
#[track_caller]
pub fn ttest_welch<A: Real, B: Real, D: Dimension, E: Dimension, L: Dimension>(
    x: Over<'_, A, D, L>,
    y: Over<'_, B, E, L>,
) -> Result<TestResult<L>, Error> {
    let (x, y) = (of_floats(x, Sampled::of)?, of_floats(y, Sampled::of)?);
    let (of_x, of_y) = (x.of_mean(), y.of_mean());
    let both = of_x.try_add(&of_y)?;
    let parts = of_x.powi(2) / (&x.n - 1.0) + of_y.powi(2) / (&y.n - 1.0);
    let df = both.powi(2) / parts;
    Ok(student((&x.mean - &y.mean) / both.sqrt(), &df))
}

/// Whether pairs of numbers have one mean.
///
/// **Cost** two passes over both.
///
/// # Errors
/// [`Error::Shapes`] when the shapes or a mask do not fit.
///
/// Source: `scipy.stats.ttest_rel`.
#[track_caller]
#[doc(alias = "dask.array.stats.ttest_rel")]
pub fn ttest_rel<A: Real, B: Real, D: Dimension, L: Dimension>(
    x: Over<'_, A, D, L>,
    y: &Array<B, D>,
) -> Result<TestResult<L>, Error> {
    let difference = x.array().try_cast::<f64>()?.try_sub(&y.try_cast::<f64>()?)?;
    if difference.shape() != x.array().shape() {
        let (left, right) = (x.array().shape(), y.shape());
        let (left, right) = (left.as_slice().into(), right.as_slice().into());
        return Err(Error::Shapes { operation: "ttest_rel", left, right, caller: Site::caller() });
    }
    ttest_1samp(x.of_another(&difference), 0.0)
}

/// Whether all samples have one mean: analysis of variance.
///
/// **Cost** two passes over each.
///
/// # Errors
/// [`Error::Arrangement`] when there are fewer than two samples, [`Error::Shapes`] when a mask does not fit, or there is not the
/// same number of lines.
///
/// Source: `scipy.stats.f_oneway`.
#[track_caller]
#[doc(alias = "anova")]
#[doc(alias = "dask.array.stats.f_oneway")]
pub fn f_oneway<A: Real, D: Dimension, L: Dimension>(
    samples: &[Over<'_, A, D, L>],
) -> Result<TestResult<L>, Error> {
    let [first, others @ ..] = samples else {
        return Err(few_samples());
    };
    if others.is_empty() {
        return Err(few_samples());
    }
    let first = of_floats(first.clone(), Sampled::of)?;
    let others = others.iter().map(|sample| of_floats(sample.clone(), Sampled::of));
    let others: Vec<Sampled<L>> = others.collect::<Result<_, _>>()?;
    let total = |of: &dyn Fn(&Sampled<L>) -> Array<f64, L>| {
        others.iter().try_fold(of(&first), |sum, sample| sum.try_add(&of(sample)))
    };
    let n = total(&|sample| sample.n.clone())?;
    let mean = total(&|sample| &sample.n * &sample.mean)? / &n;
    let between = total(&|sample| &sample.n * (&sample.mean - &mean).powi(2))?;
    let within = total(&|sample| sample.squares())?;
    let df_between = others.len() as f64;
    let df_within = n - (df_between + 1.0);
    let statistic = (between / df_between) / (within / &df_within);
    // Three numbers for each line: two of them go as one.
    let pair = statistic.zip_map(&Array::<f64, L>::full_like(&df_within, df_between), Complex::new);
    let p_value = pair.zip_map(&df_within, |pair, within| fisher_above(pair.re, pair.im, within));
    Ok(TestResult { statistic, p_value })
}

#[track_caller]
fn few_samples() -> Error {
    let (operation, problem) = ("f_oneway", "there are fewer than two samples");
    Error::Arrangement { operation, problem, caller: Site::caller() }
}

/// The third standardized moment: how lopsided the numbers are.
///
/// **Cost** three passes.
///
/// # Errors
/// [`Error::Shapes`] when a mask does not fit.
///
/// # Examples
/// ```
/// use musher_array::{All, Array, stats, ndarray::arr1};
/// use musher_scheduler::Compute;
/// let x = Array::from_array(arr1(&[1.0, 1.0, 1.0, 5.0]), 2);
/// assert!((stats::skew(x.over(All))?.compute()? - 2.0 / 3.0_f64.sqrt()).abs() < 1e-14);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: `scipy.stats.skew`.
#[track_caller]
#[doc(alias = "skewness")]
#[doc(alias = "dask.array.stats.skew")]
pub fn skew<A: Real, D: Dimension, L: Dimension>(x: Over<'_, A, D, L>) -> Lines<L> {
    of_floats(x, |x| Ok(Shapes::of(x)?.skew()))
}

/// As [`skew`], as far as a sample tells it of the numbers that it was drawn from; of fewer than three numbers it is `skew`.
///
/// **Cost** three passes.
///
/// # Errors
/// [`Error::Shapes`] when a mask does not fit.
///
/// Source: `scipy.stats.skew` with `bias=False`.
#[track_caller]
pub fn skew_unbiased<A: Real, D: Dimension, L: Dimension>(x: Over<'_, A, D, L>) -> Lines<L> {
    of_floats(x, |x| {
        let n = count(x.clone())?;
        let factor = n.mapv(|n| if n > 2.0 { (n * (n - 1.0)).sqrt() / (n - 2.0) } else { 1.0 });
        Ok(Shapes::of(x)?.skew() * factor)
    })
}

/// The fourth standardized moment less 3, which it is of normal numbers: how heavy the tails are.
///
/// **Cost** three passes.
///
/// # Errors
/// [`Error::Shapes`] when a mask does not fit.
///
/// Source: `scipy.stats.kurtosis`; Pearson's definition, `fisher=False`, is 3 more.
#[track_caller]
#[doc(alias = "dask.array.stats.kurtosis")]
pub fn kurtosis<A: Real, D: Dimension, L: Dimension>(x: Over<'_, A, D, L>) -> Lines<L> {
    of_floats(x, |x| Ok(Shapes::of(x)?.kurtosis() - 3.0))
}

/// As [`kurtosis`], as far as a sample tells it of the numbers that it was drawn from; of fewer than four numbers it is
/// `kurtosis`.
///
/// **Cost** three passes.
///
/// # Errors
/// [`Error::Shapes`] when a mask does not fit.
///
/// Source: `scipy.stats.kurtosis` with `bias=False`.
#[track_caller]
pub fn kurtosis_unbiased<A: Real, D: Dimension, L: Dimension>(x: Over<'_, A, D, L>) -> Lines<L> {
    of_floats(x, |x| {
        let n = count(x.clone())?;
        Ok(Shapes::of(x)?.kurtosis().zip_map(&n, |kurtosis, n| match n > 3.0 {
            true => ((n * n - 1.0) * kurtosis - 3.0 * (n - 1.0) * (n - 1.0)) / ((n - 2.0) * (n - 3.0)),
            false => kurtosis - 3.0,
        }))
    })
}

/// Mean and central moments.
struct Shapes<L> {
    mean: Array<f64, L>,
    second: Array<f64, L>,
    third: Array<f64, L>,
    fourth: Array<f64, L>,
}

impl<L: Dimension> Shapes<L> {
    fn of<D: Dimension>(x: Over<'_, f64, D, L>) -> Result<Self, Error> {
        let moment = |order| x.clone().try_moment(order);
        Ok(Self { mean: x.clone().try_mean()?, second: moment(2)?, third: moment(3)?, fourth: moment(4)? })
    }

    /// The variance, or NaN where it is no more than roundings of the mean.
    fn varies(&self) -> Array<f64, L> {
        self.second.zip_map(&self.mean, |second, mean| {
            let rounding = f64::EPSILON * mean;
            if second <= rounding * rounding { f64::NAN } else { second }
        })
    }

    fn skew(&self) -> Array<f64, L> {
        let varies = self.varies();
        &self.third / (&varies * varies.sqrt())
    }

    fn kurtosis(&self) -> Array<f64, L> {
        &self.fourth / self.varies().powi(2)
    }
}

/// Whether numbers are as little lopsided as normal ones. Of fewer than 8 nothing is known.
///
/// **Cost** three passes.
///
/// # Errors
/// [`Error::Shapes`] when a mask does not fit.
///
/// **Source** D'Agostino 1970; `scipy.stats.skewtest`.
#[track_caller]
#[doc(alias = "dask.array.stats.skewtest")]
pub fn skewtest<A: Real, D: Dimension, L: Dimension>(x: Over<'_, A, D, L>) -> Result<TestResult<L>, Error> {
    of_floats(x, |x| {
        let n = count(x.clone())?;
        let statistic = Shapes::of(x)?.skew().zip_map(&n, normal_of_skew);
        let p_value = statistic.mapv(normal_both);
        Ok(TestResult { statistic, p_value })
    })
}

/// A number that is standard normal where the skewness is that of `n` normal numbers.
fn normal_of_skew(skew: f64, n: f64) -> f64 {
    if n < 8.0 {
        return f64::NAN;
    }
    let y = skew * ((n + 1.0) * (n + 3.0) / (6.0 * (n - 2.0))).sqrt();
    let beta = 3.0 * (n * n + 27.0 * n - 70.0) * ((n + 1.0) * (n + 3.0))
        / ((n - 2.0) * (n + 5.0) * ((n + 7.0) * (n + 9.0)));
    let w = (2.0 * (beta - 1.0)).sqrt() - 1.0;
    let share = y / (2.0 / (w - 1.0)).sqrt();
    crate::kernel::math::one::asinh(share) / (0.5 * ln(w)).sqrt()
}

/// Whether tails are as heavy as those of normal numbers. Of fewer than 5 nothing is known.
///
/// **Cost** three passes.
///
/// # Errors
/// [`Error::Shapes`] when a mask does not fit.
///
/// **Source** Anscombe & Glynn 1983; `scipy.stats.kurtosistest`.
#[track_caller]
#[doc(alias = "dask.array.stats.kurtosistest")]
pub fn kurtosistest<A: Real, D: Dimension, L: Dimension>(
    x: Over<'_, A, D, L>,
) -> Result<TestResult<L>, Error> {
    of_floats(x, |x| {
        let n = count(x.clone())?;
        let statistic = Shapes::of(x)?.kurtosis().zip_map(&n, normal_of_kurtosis);
        let p_value = statistic.mapv(normal_both);
        Ok(TestResult { statistic, p_value })
    })
}

/// A number that is standard normal where the kurtosis, of Pearson's definition, is that of `n` normal numbers.
fn normal_of_kurtosis(kurtosis: f64, n: f64) -> f64 {
    if n < 5.0 {
        return f64::NAN;
    }
    let expected = 3.0 * (n - 1.0) / (n + 1.0);
    let variance = 24.0 * n * (n - 2.0) * (n - 3.0) / ((n + 1.0) * (n + 1.0) * (n + 3.0) * (n + 5.0));
    let x = (kurtosis - expected) / variance.sqrt();
    let third = 6.0 * (n * n - 5.0 * n + 2.0) / ((n + 7.0) * (n + 9.0))
        * (6.0 * (n + 3.0) * (n + 5.0) / (n * (n - 2.0) * (n - 3.0))).sqrt();
    let a = 6.0 + 8.0 / third * (2.0 / third + (1.0 + 4.0 / (third * third)).sqrt());
    let rest = 1.0 + x * (2.0 / (a - 4.0)).sqrt();
    let root = match rest == 0.0 {
        true => f64::NAN,
        false => pow((1.0 - 2.0 / a) / rest.abs(), 1.0 / 3.0).copysign(rest),
    };
    (1.0 - 2.0 / (9.0 * a) - root) / (2.0 / (9.0 * a)).sqrt()
}

/// Whether numbers are normal, by [`skewtest`] and [`kurtosistest`] together. Of fewer than 8 nothing is known.
///
/// **Cost** three passes.
///
/// # Errors
/// [`Error::Shapes`] when a mask does not fit.
///
/// **Source** D'Agostino & Pearson 1973; `scipy.stats.normaltest`.
#[track_caller]
#[doc(alias = "dask.array.stats.normaltest")]
pub fn normaltest<A: Real, D: Dimension, L: Dimension>(x: Over<'_, A, D, L>) -> Result<TestResult<L>, Error> {
    of_floats(x, |x| {
        let n = count(x.clone())?;
        let shapes = Shapes::of(x)?;
        let skew = shapes.skew().zip_map(&n, normal_of_skew);
        let kurtosis = shapes.kurtosis().zip_map(&n, normal_of_kurtosis);
        Ok(of_two_squares(skew.powi(2) + kurtosis.powi(2)))
    })
}

/// Whether skewness and kurtosis are those of normal numbers, of which there are many.
///
/// **Cost** three passes.
///
/// # Errors
/// [`Error::Shapes`] when a mask does not fit.
///
/// **Source** Jarque & Bera 1980; `scipy.stats.jarque_bera`.
#[track_caller]
pub fn jarque_bera<A: Real, D: Dimension, L: Dimension>(
    x: Over<'_, A, D, L>,
) -> Result<TestResult<L>, Error> {
    of_floats(x, |x| {
        let n = count(x.clone())?;
        let shapes = Shapes::of(x)?;
        let squares = shapes.skew().powi(2) + (shapes.kurtosis() - 3.0).powi(2) / 4.0;
        Ok(of_two_squares(n / 6.0 * squares))
    })
}

/// Whether counts are as often as expected, or without expectations all alike: Pearson's test.
///
/// `ddof` more degrees of freedom are taken off than the one of the sum. The sums of counts and expectations are not compared.
///
/// **Cost** two passes.
///
/// # Errors
/// [`Error::Shapes`] when a mask or the expectations do not fit.
///
/// # Examples
/// ```
/// use musher_array::{All, Array, stats, ndarray::arr1};
/// use musher_scheduler::Compute;
/// let counts = Array::from_array(arr1(&[16, 18, 16, 14, 12, 12]), 4);
/// let test = stats::chisquare(counts.over(All), None, 0.0)?;
/// assert!((test.statistic.compute()? - 2.0).abs() < 1e-14);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: `scipy.stats.chisquare` with `sum_check=False`.
#[track_caller]
#[doc(alias = "dask.array.stats.chisquare")]
pub fn chisquare<A: Real, D: Dimension, L: Dimension>(
    counts: Over<'_, A, D, L>,
    expected: Option<&Array<f64, D>>,
    ddof: f64,
) -> Result<TestResult<L>, Error> {
    power_divergence(counts, expected, ddof, 1.0)
}

/// Whether counts are as often as expected, or without expectations all alike, by a statistic of Cressie & Read: its power is 1 for
/// [`chisquare`], 0 for the likelihood ratio (the G-test), -1/2 for Freeman & Tukey, -2 for Neyman.
///
/// `ddof` more degrees of freedom are taken off than the one of the sum. The sums of counts and expectations are not compared.
///
/// **Cost** two passes.
///
/// # Errors
/// [`Error::Shapes`] when a mask or the expectations do not fit.
///
/// Source: `scipy.stats.power_divergence`.
#[track_caller]
#[doc(alias = "g_test")]
#[doc(alias = "dask.array.stats.power_divergence")]
pub fn power_divergence<A: Real, D: Dimension, L: Dimension>(
    counts: Over<'_, A, D, L>,
    expected: Option<&Array<f64, D>>,
    ddof: f64,
    power: f64,
) -> Result<TestResult<L>, Error> {
    of_floats(counts, |counts| {
        let observed = counts.array();
        let mean: Array<f64, D>;
        let expected = match expected {
            Some(expected) => expected,
            None => {
                mean = counts.clone().keep_axes().try_mean()?;
                &mean
            }
        };
        let terms = match power {
            1.0 => observed.try_sub(expected)?.powi(2).try_div(expected)?,
            0.0 => observed.try_div(expected)?.zip_map(observed, |ratio, count| 2.0 * times_ln(count, ratio)),
            -1.0 => {
                expected.try_div(observed)?.zip_map(expected, |ratio, count| 2.0 * times_ln(count, ratio))
            }
            _ => (observed.try_div(expected)?.powf(power) - 1.0) * observed * (2.0 / (power * (power + 1.0))),
        };
        if terms.shape() != observed.shape() {
            let (left, right) = (observed.shape().as_slice().into(), terms.shape().as_slice().into());
            return Err(Error::Shapes { operation: "power_divergence", left, right, caller: Site::caller() });
        }
        let statistic = counts.clone().of_another(&terms).try_sum()?;
        let df = count(counts)? - (1.0 + ddof);
        let p_value = statistic.zip_map(&df, chi_square_above);
        Ok(TestResult { statistic, p_value })
    })
}

/// `count ln(ratio)`, and 0 of no counts.
fn times_ln(count: f64, ratio: f64) -> f64 {
    if count == 0.0 { 0.0 } else { count * ln(ratio) }
}
