//! Quantiles, exact ones: of whole lines, and of all elements by their [`ranks`](crate::ranks).

use crate::array::{Array, Core};
use crate::element::{Element, Float, Real, Scalar, float};
use crate::elementwise::{Operand, select};
use crate::error::{Error, expect};
use crate::lines::Lines;
use crate::order::order;
use crate::ranks::Ranks;
use crate::reductions::{All, Over};
use musher_graph_core::Site;
use ndarray::{Axis, Dimension, Ix0, Ix1, IxDyn};
use std::sync::Arc;

/// What a quantile is that lies between two elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Interpolation {
    /// On the straight line between both.
    #[default]
    Linear,
    /// The lower one.
    Lower,
    /// The higher one.
    Higher,
    /// The nearer one; halfway the one at the even place.
    Nearest,
    /// The mean of both.
    Midpoint,
}

/// A number as `f64`.
fn wide<A: Float>(number: A) -> f64 {
    match number.into_scalar() {
        Scalar::F32(number) => f64::from(number),
        Scalar::F64(number) => number,
        _ => f64::NAN,
    }
}

/// The place of a quantile among `n` numbers in order: the rank of the element below it, and what lies between.
fn place_of(q: f64, n: usize) -> (usize, f64) {
    let place = (n - 1) as f64 * q;
    let low = (place.floor() as usize).min(n - 1);
    (low, place - low as f64)
}

/// The quantile between two elements, of which the lower one has this rank.
fn between<A: Float>(low: usize, share: f64, lower: A, higher: A, interpolation: Interpolation) -> A {
    match interpolation {
        // No place between two: an infinity beside it does not count.
        _ if share == 0.0 => lower,
        Interpolation::Lower => lower,
        Interpolation::Higher => higher,
        Interpolation::Nearest if share > 0.5 || (share == 0.5 && low % 2 == 1) => higher,
        Interpolation::Nearest => lower,
        Interpolation::Midpoint => float((wide(lower) + wide(higher)) / 2.0),
        Interpolation::Linear => {
            let (a, b) = (wide(lower), wide(higher));
            float(if share < 0.5 { a + (b - a) * share } else { b - (b - a) * (1.0 - share) })
        }
    }
}

/// The quantile of a line, whose elements come to stand in any order.
fn quantile_of<A: Float>(line: &mut [A], q: f64, interpolation: Interpolation, skip_nan: bool) -> A {
    let n_numbers = {
        // NaN moves behind the numbers.
        let mut n = 0;
        for at in 0..line.len() {
            if !wide(line[at]).is_nan() {
                line.swap(n, at);
                n += 1;
            }
        }
        n
    };
    if n_numbers == 0 || (!skip_nan && n_numbers < line.len()) {
        return float(f64::NAN);
    }
    let numbers = &mut line[..n_numbers];
    let (low, share) = place_of(q, n_numbers);
    let (_, &mut lower, above) = numbers.select_nth_unstable_by(low, |&one, &other| order(one, other));
    let higher = above.iter().copied().min_by(|&one, &other| order(one, other)).unwrap_or(lower);
    between(low, share, lower, higher, interpolation)
}

/// Quantiles of all elements of a core, a line of them.
fn quantiles_of_all<A: Float>(
    label: &'static str,
    core: &Core,
    qs: &[f64],
    how: Interpolation,
    skip_nan: bool,
    caller: Site,
) -> Core {
    let qs: Arc<[f64]> = qs.into();
    let words: Vec<u64> = qs.iter().map(|q| q.to_bits()).collect();
    let of_ranks = Arc::clone(&qs);
    let ranks = move |n: u64, n_nan: u64| {
        let n = if skip_nan || n_nan == 0 { n as usize } else { 0 };
        let pair = |&q: &f64| {
            let (low, _) = place_of(q, n);
            [low as u64, (low + 1).min(n - 1) as u64]
        };
        of_ranks.iter().filter(|_| n > 0).flat_map(pair).collect()
    };
    let work = Ranks { label, n_wanted: 2 * qs.len(), ranks, caller };
    let n = qs.len();
    work.find::<A>(core, n, &(words, how as u8, skip_nan), move |search, found| {
        let of_pair = |(pair, &q): (&[A], &f64)| {
            let (low, share) = place_of(q, search.n_numbers as usize);
            between(low, share, pair[0], pair[1], how)
        };
        match found {
            [] => vec![float(f64::NAN); qs.len()],
            found => found.chunks_exact(2).zip(&*qs).map(of_pair).collect(),
        }
    })
}

/// Elements of which those that do not count are NaN, and where a NaN counts, if that is to be asked apart.
type Counting<A> = (Array<A, IxDyn>, Option<Array<bool, IxDyn>>);

/// Refuses what is no share of the elements.
#[track_caller]
fn check_share(operation: &'static str, q: f64) -> Result<(), Error> {
    match (0.0..=1.0).contains(&q) {
        true => Ok(()),
        false => {
            let problem = "a quantile lies between 0 and 1, a percentile between 0 and 100";
            Err(Error::Arrangement { operation, problem, caller: Site::caller() })
        }
    }
}

impl<A: Real<Mean: Float>, D: Dimension, L: Dimension> Over<'_, A, D, L> {
    /// The value below which a share `q` of the elements lies, exact. NaN if there is one; of integers as `f64`.
    ///
    /// **Cost** over all axes, that of [`quantiles`](Self::quantiles): a task holds a block. Over some axes, that of bringing
    /// them into one block: the elements that go into one answer must fit in memory, the array need not. Finding the value
    /// takes time linear in their number.
    ///
    /// # Panics
    /// When `q` lies outside 0 to 1, or a [mask](Self::where_true) does not fit.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, Interpolation, ndarray::{Axis, arr1, arr2}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[1.0, 4.0], [2.0, 8.0], [3.0, 6.0]]), 2);
    /// assert_eq!(x.over(Axis(0)).quantile(0.25, Interpolation::Linear).compute()?, arr1(&[1.5, 5.0]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.quantile`. An element that stands at the place itself is the answer, also where it is infinite and
    /// NumPy's arithmetic between it and its neighbor makes NaN of it.
    #[must_use]
    #[track_caller]
    #[doc(alias = "nanquantile")]
    pub fn quantile(self, q: f64, interpolation: Interpolation) -> Array<A::Mean, L> {
        expect(self.try_quantile(q, interpolation))
    }

    /// As [`quantile`](Self::quantile).
    ///
    /// # Errors
    /// [`Error::Arrangement`] when `q` lies outside 0 to 1, [`Error::Shapes`] when a mask does not fit.
    #[track_caller]
    pub fn try_quantile(self, q: f64, interpolation: Interpolation) -> Result<Array<A::Mean, L>, Error> {
        let operation = "quantile";
        check_share(operation, q)?;
        self.of_lines(operation, q, interpolation)
    }

    /// The value below which `p` percent of the elements lie: [`quantile`](Self::quantile) of `p / 100`.
    ///
    /// # Panics
    /// When `p` lies outside 0 to 100, or a [mask](Self::where_true) does not fit.
    #[must_use]
    #[track_caller]
    #[doc(alias = "nanpercentile")]
    pub fn percentile(self, p: f64, interpolation: Interpolation) -> Array<A::Mean, L> {
        expect(self.try_percentile(p, interpolation))
    }

    /// As [`percentile`](Self::percentile).
    ///
    /// # Errors
    /// [`Error::Arrangement`] when `p` lies outside 0 to 100, [`Error::Shapes`] when a mask does not fit.
    #[track_caller]
    pub fn try_percentile(self, p: f64, interpolation: Interpolation) -> Result<Array<A::Mean, L>, Error> {
        let operation = "percentile";
        check_share(operation, p / 100.0)?;
        self.of_lines(operation, p / 100.0, interpolation)
    }

    /// The value in the middle: half of the elements lie below it. Between two it is their mean.
    ///
    /// **Cost** that of [`quantile`](Self::quantile).
    ///
    /// # Panics
    /// When a [mask](Self::where_true) does not fit.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{All, Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[3_i64, 1, 4, 1]), 2);
    /// assert_eq!(x.over(All).median().compute()?, 2.0);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "nanmedian")]
    pub fn median(self) -> Array<A::Mean, L> {
        expect(self.try_median())
    }

    /// As [`median`](Self::median).
    ///
    /// # Errors
    /// [`Error::Shapes`] when a mask does not fit.
    #[track_caller]
    pub fn try_median(self) -> Result<Array<A::Mean, L>, Error> {
        self.of_lines("median", 0.5, Interpolation::Midpoint)
    }

    /// The elements that count, the others NaN; and where a NaN counts, if not by itself.
    #[track_caller]
    fn counting(&self, operation: &'static str) -> Result<Counting<A::Mean>, Error> {
        let caller = Site::caller();
        let (_, _, _, skip_nan, mask) = self.parts();
        let floats: Array<A::Mean, IxDyn> = Array::from_core(self.array().cast::<A::Mean>().core().clone());
        let Some(mask) = mask else { return Ok((floats, None)) };
        // What a mask leaves out becomes NaN, which is passed over then; a NaN that counts spoils the answer apart.
        let none = Operand::Value(float::<A::Mean>(f64::NAN).into_scalar());
        let mask: Array<bool, IxDyn> = Array::from_core(mask.clone());
        let spoiled = if skip_nan { None } else { Some(floats.is_nan().try_bitand(&mask)?) };
        let masked: Array<A::Mean, IxDyn> = select((&mask).into(), (&floats).into(), none)?;
        if masked.shape() != floats.shape() {
            let (left, right) = (floats.shape().as_slice().into(), mask.shape().as_slice().into());
            return Err(Error::Shapes { operation, left, right, caller });
        }
        Ok((masked, spoiled))
    }

    /// The reduced axes as one, and the quantile of each line along it; of all elements in many blocks by their ranks.
    #[track_caller]
    fn of_lines(
        self,
        operation: &'static str,
        q: f64,
        how: Interpolation,
    ) -> Result<Array<A::Mean, L>, Error> {
        let caller = Site::caller();
        let (floats, spoiled) = self.counting(operation)?;
        let (reduced, kept, keep, skip_nan, mask) = self.parts();
        let skips = skip_nan || mask.is_some();
        let mut found: Array<A::Mean, IxDyn> = if kept.is_empty() && floats.chunks().n_blocks() > 1 {
            let found = quantiles_of_all::<A::Mean>(operation, floats.core(), &[q], how, skips, caller);
            Array::<A::Mean, IxDyn>::from_core(found).try_index_axis(Axis(0), 0)?
        } else {
            let order: Vec<usize> = kept.iter().chain(&reduced).copied().collect();
            let shape = floats.shape();
            let mut line: Vec<usize> = kept.iter().map(|&axis| shape[axis]).collect();
            line.push(reduced.iter().map(|&axis| shape[axis]).product());
            let lines = floats.try_permuted_axes(order.as_slice())?;
            let lines = if reduced.len() == 1 { lines } else { lines.try_reshape(line.as_slice())? };
            let axis = kept.len();
            let work = Lines { label: operation, name: "array.quantile/1", axis, needs: 0, caller };
            let parameters = (q.to_bits(), how as u8, skips);
            let found = work.of::<A::Mean, A::Mean>(lines.core(), 1, &parameters, move |line, out| {
                out[0] = quantile_of(line, q, how, skips);
            });
            Array::<A::Mean, IxDyn>::from_core(found).try_index_axis(Axis(axis), 0)?
        };
        if let Some(spoiled) = spoiled {
            let reduced: Vec<Axis> = reduced.iter().copied().map(Axis).collect();
            let none = Operand::Value(float::<A::Mean>(f64::NAN).into_scalar());
            found = select((&spoiled.try_over(&reduced[..])?.any()).into(), none, (&found).into())?;
        }
        if keep {
            for &axis in &reduced {
                found = found.try_insert_axis(Axis(axis))?;
            }
        }
        Ok(Array::from_core(found.core().clone()))
    }
}

impl<A: Real<Mean: Float>, D: Dimension> Over<'_, A, D, Ix0> {
    /// Several [quantiles](Self::quantile) at once: the elements are looked through as often as for one.
    ///
    /// **Shape** `(n,)` for `n` shares.
    /// **Cost** two passes over the elements, and some over those that share their leading bits with a quantile; a task holds a
    /// block and counts of an eighth of its size.
    ///
    /// # Panics
    /// When a share lies outside 0 to 1, or a [mask](Self::where_true) does not fit.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{All, Array, Interpolation, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[5.0, f64::NAN, 1.0, 3.0]), 2);
    /// let found = x.over(All).skip_nan().quantiles(&[0.0, 0.25, 1.0], Interpolation::Linear);
    /// assert_eq!(found.compute()?, arr1(&[1.0, 2.0, 5.0]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.quantile` with several `q`.
    #[must_use]
    #[track_caller]
    pub fn quantiles(self, qs: &[f64], interpolation: Interpolation) -> Array<A::Mean, Ix1> {
        expect(self.try_quantiles(qs, interpolation))
    }

    /// As [`quantiles`](Self::quantiles).
    ///
    /// # Errors
    /// [`Error::Arrangement`] when a share lies outside 0 to 1, [`Error::Shapes`] when a mask does not fit.
    #[track_caller]
    pub fn try_quantiles(
        self,
        qs: &[f64],
        interpolation: Interpolation,
    ) -> Result<Array<A::Mean, Ix1>, Error> {
        let (operation, caller) = ("quantiles", Site::caller());
        qs.iter().try_for_each(|&q| check_share(operation, q))?;
        let (floats, spoiled) = self.counting(operation)?;
        let (_, _, _, skip_nan, mask) = self.parts();
        let skips = skip_nan || mask.is_some();
        let found = quantiles_of_all::<A::Mean>(operation, floats.core(), qs, interpolation, skips, caller);
        let found = Array::from_core(found);
        let Some(spoiled) = spoiled else { return Ok(found) };
        let none = Operand::Value(float::<A::Mean>(f64::NAN).into_scalar());
        select((&spoiled.over(All).any()).into(), none, (&found).into())
    }
}

impl<A: Real<Mean: Float>, D: Dimension> Array<A, D> {
    /// The value below which a share `q` of all elements lies; over some axes it is
    /// [`x.over(axes).quantile(q, …)`](Over::quantile).
    ///
    /// # Panics
    /// When `q` lies outside 0 to 1.
    #[must_use]
    #[track_caller]
    pub fn quantile(&self, q: f64, interpolation: Interpolation) -> Array<A::Mean, Ix0> {
        self.over(All).quantile(q, interpolation)
    }

    /// The value below which `p` percent of all elements lie; over some axes it is
    /// [`x.over(axes).percentile(p, …)`](Over::percentile).
    ///
    /// # Panics
    /// When `p` lies outside 0 to 100.
    #[must_use]
    #[track_caller]
    pub fn percentile(&self, p: f64, interpolation: Interpolation) -> Array<A::Mean, Ix0> {
        self.over(All).percentile(p, interpolation)
    }

    /// Several quantiles of all elements at once: [`x.over(All).quantiles(qs, …)`](Over::quantiles).
    ///
    /// # Panics
    /// When a share lies outside 0 to 1.
    #[must_use]
    #[track_caller]
    pub fn quantiles(&self, qs: &[f64], interpolation: Interpolation) -> Array<A::Mean, Ix1> {
        self.over(All).quantiles(qs, interpolation)
    }

    /// Several percentiles of all elements at once: [`quantiles`](Self::quantiles) of hundredths.
    ///
    /// # Panics
    /// When a percentage lies outside 0 to 100.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, Interpolation, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::arange(0, 101, 1, 10);
    /// assert_eq!(x.percentiles(&[1.0, 50.0, 99.0], Interpolation::Linear).compute()?, arr1(&[1.0, 50.0, 99.0]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn percentiles(&self, ps: &[f64], interpolation: Interpolation) -> Array<A::Mean, Ix1> {
        let qs: Vec<f64> = ps.iter().map(|p| p / 100.0).collect();
        self.over(All).quantiles(&qs, interpolation)
    }

    /// The value in the middle of all elements; over some axes it is [`x.over(axes).median()`](Over::median).
    ///
    /// # Panics
    /// Never.
    #[must_use]
    #[track_caller]
    pub fn median(&self) -> Array<A::Mean, Ix0> {
        self.over(All).median()
    }
}
