//! Choices among the elements of an axis, by their numbers, and orders of them.

use super::{Kind, Random, random};
use crate::array::Array;
use crate::chunks::{Chunks, n_elements};
use crate::element::Element;
use crate::error::{Error, Shape, expect};
use crate::kernel::random::{Distribution, Engine, Indices, Law, LawName, SplitMix, seed_of};
use crate::take::taken;
use musher_graph_core::Site;
use ndarray::{Axis, Dimension, IntoDimension, Ix1};

/// As many as floats tell apart.
const MOST: usize = 1 << 53;

/// Refuses to choose among nothing, or among more than can be told apart.
fn check(operation: &'static str, n: usize, least: usize, caller: Site) -> Result<(), Error> {
    if (least..=MOST).contains(&n) {
        return Ok(());
    }
    let needs = "there must be something to choose from, up to 2⁵³";
    Err(Error::Parameter { operation, parameter: "n", value: n as f64, needs, caller })
}

/// The law whose values are the elements of a permutation of `0 .. n`.
const fn permuted(n: usize) -> Law {
    Law { name: LawName::Permutation, parameters: [n as f64, 0.0, 0.0] }
}

/// Numbers below `n`, every one alike, again and again: the indices of a sample with replacement.
///
/// # Errors
/// [`Error::Parameter`] when `n` is 0.
///
/// # Examples
/// ```
/// use musher_array::{Array, random, ndarray::Axis};
/// use musher_scheduler::Compute;
/// let rows = random::choice(1000, 200, 50)?.seed(1).build();
/// assert!(rows.max().compute()? < 1000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
#[doc(alias = "dask.array.random.choice")]
pub fn choice<Sh: IntoDimension>(
    n: usize,
    shape: Sh,
    chunks: impl Into<Chunks>,
) -> Result<Random<u64, Sh::Dim>, Error> {
    check("choice", n, 1, Site::caller())?;
    Ok(random(shape, chunks, Kind::Choice { n: n as u64 }))
}

/// Places in a list of weights, each as often as its share of their sum says.
///
/// **Cost** a search through the list for each element.
///
/// # Errors
/// [`Error::Parameter`] when a weight is negative or not finite, or their sum is 0 or not finite.
///
/// # Examples
/// ```
/// use musher_array::random;
/// use musher_scheduler::Compute;
/// let drawn = random::choice_weighted(&[0.0, 3.0, 1.0], 1000, 100)?.seed(1).build();
/// let ones = drawn.eq_elem(1).count_true().compute()?;
/// assert!((650..850).contains(&ones));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn choice_weighted<Sh: IntoDimension>(
    weights: &[f64],
    shape: Sh,
    chunks: impl Into<Chunks>,
) -> Result<Random<u64, Sh::Dim>, Error> {
    let (operation, caller) = ("choice_weighted", Site::caller());
    let wrong = |value| {
        let needs = "weights are finite and not negative, and so is their sum, which is not 0";
        Error::Parameter { operation, parameter: "weights", value, needs, caller }
    };
    if let Some(&weight) = weights.iter().find(|&&weight| weight < 0.0 || !weight.is_finite()) {
        return Err(wrong(weight));
    }
    let running: Vec<f64> = weights
        .iter()
        .scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect();
    let sum = running.last().copied().unwrap_or_default();
    if sum <= 0.0 || !sum.is_finite() {
        return Err(wrong(sum));
    }
    let shares = running.into_iter().map(|until| until / sum).collect();
    Ok(random(shape, chunks, Kind::Weighted(shares)))
}

/// Numbers below `n`, none of them twice: the indices of a sample without replacement.
///
/// They are the first ones of [`permutation`] with the same seed.
///
/// **Cost** about 50 ns an element; each is found alone, and nothing is kept.
///
/// # Errors
/// [`Error::Parameter`] when `n` is 0, [`Error::Shapes`] when more are asked for than there are.
///
/// # Examples
/// ```
/// use musher_array::random;
/// use musher_scheduler::Compute;
/// let mut rows = random::choice_distinct(1000, 200, 50)?.seed(1).build().compute()?.to_vec();
/// rows.sort_unstable();
/// rows.dedup();
/// assert_eq!(rows.len(), 200);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
#[doc(alias = "sample")]
pub fn choice_distinct<Sh: IntoDimension>(
    n: usize,
    shape: Sh,
    chunks: impl Into<Chunks>,
) -> Result<Random<u64, Sh::Dim>, Error> {
    let (operation, caller) = ("choice_distinct", Site::caller());
    check(operation, n, 1, caller)?;
    let shape = shape.into_dimension();
    if n_elements(shape.slice()).is_none_or(|count| count > n) {
        let (left, right) = (Shape(vec![n]), Shape(shape.slice().to_vec()));
        return Err(Error::Shapes { operation, left, right, caller });
    }
    Ok(random(shape, chunks, Kind::Float(Distribution::By(permuted(n)))))
}

/// The numbers below `n` in an order that the seed chooses.
///
/// **Shape** `(n,)`.
/// **Cost** about 50 ns an element; each is found alone, and nothing is kept.
///
/// **Source** for up to 4096 numbers Hoang, Morris & Rogaway 2012; for more a Feistel network over the bits of the index, walked
/// until it meets a number that there is (Black & Rogaway 2002). It is no cipher.
///
/// # Errors
/// [`Error::Parameter`] when there are more than 2⁵³.
///
/// # Examples
/// ```
/// use musher_array::random;
/// use musher_scheduler::Compute;
/// let order = random::permutation(10_000, 1000)?.seed(1).build();
/// assert_eq!(order.sum().compute()?, 9_999 * 5_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
#[doc(alias = "dask.array.random.permutation")]
pub fn permutation(n: usize, chunks: impl Into<Chunks>) -> Result<Random<u64, Ix1>, Error> {
    check("permutation", n, 0, Site::caller())?;
    Ok(random(n, chunks, Kind::Float(Distribution::By(permuted(n)))))
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// The elements along an axis in an order that a seed chooses: that of [`random::permutation`](permutation).
    ///
    /// **Shape** stays.
    /// **Cost** as [`take`](Self::take): what does not fit in memory goes through the disk.
    ///
    /// # Panics
    /// When there is no such axis.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::Axis};
    /// use musher_scheduler::Compute;
    /// let x = Array::arange(0_i64, 100, 1, 7);
    /// let shuffled = x.shuffle(Axis(0), 42);
    /// assert_eq!(shuffled.sum().compute()?, x.sum().compute()?);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn shuffle(&self, axis: Axis, seed: u64) -> Self {
        expect(self.try_shuffle(axis, seed))
    }

    /// As [`shuffle`](Self::shuffle).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis.
    #[track_caller]
    pub fn try_shuffle(&self, axis: Axis, seed: u64) -> Result<Self, Error> {
        let (operation, caller) = ("shuffle", Site::caller());
        self.check_axis(operation, axis.0, self.ndim(), caller)?;
        let n = self.len_of(axis);
        check(operation, n, 0, caller)?;
        let law = permuted(n);
        let engine = Engine::SplitMix(SplitMix::new(seed_of(law.name.purpose(), seed), 0));
        let mut order = vec![0.0; n];
        Distribution::By(law).fill(engine, Indices { start: 0, step: 1 }, &mut order);
        let order: Vec<usize> = order.into_iter().map(|index| index as usize).collect();
        taken::<A>(operation, self.core(), axis.0, &order, caller).map(Self::from_core)
    }
}
