//! Elements looked up in a list that is in memory: where they would stand, and whether they are there.

use crate::array::Array;
use crate::element::{Ordered, Plain, Real};
use crate::elementwise::map_named;
use crate::error::{Error, expect};
use musher_graph_core::Site;
use ndarray::Dimension;

/// On which side of equal elements a place lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Side {
    /// Before the first of them.
    #[default]
    Left,
    /// Behind the last of them.
    Right,
}

/// Whether one value stands before another; NaN stands last.
pub(crate) fn is_before<A: Ordered>(one: A, other: A) -> bool {
    #[expect(clippy::eq_op, reason = "only NaN differs from itself, and not every type has `is_nan`")]
    one.partial_cmp(&other).map_or(one == one && other != other, std::cmp::Ordering::is_lt)
}

/// How many values of a rising list stand before the place of another.
pub(crate) fn place<A: Ordered>(sorted: &[A], value: A, side: Side) -> usize {
    match side {
        Side::Left => sorted.partition_point(|&own| is_before(own, value)),
        Side::Right => sorted.partition_point(|&own| !is_before(value, own)),
    }
}

/// The bytes of values, for fingerprints.
pub(crate) fn bytes<A: Plain>(values: &[A]) -> Vec<u8> {
    let mut bytes = vec![0; values.len() * A::BYTES];
    bytes.chunks_exact_mut(A::BYTES).zip(values).for_each(|(out, value)| value.store(out));
    bytes
}

impl<A: Ordered, D: Dimension> Array<A, D> {
    /// Where each element would stand in a rising list: how many of `sorted` come before it. NaN stands last.
    ///
    /// **Shape** and blocks stay.
    /// **Cost** one pass, log₂(n) comparisons for each element.
    ///
    /// # Panics
    /// When the list falls somewhere.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, Side, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[5, 20, 31]), 2);
    /// assert_eq!(x.search_sorted(&[10, 20, 30], Side::Left).compute()?, arr1(&[0_u64, 1, 3]));
    /// assert_eq!(x.search_sorted(&[10, 20, 30], Side::Right).compute()?, arr1(&[0_u64, 2, 3]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.searchsorted`, whose operands stand the other way round.
    #[must_use]
    #[track_caller]
    #[doc(alias = "searchsorted")]
    pub fn search_sorted(&self, sorted: &[A], side: Side) -> Array<u64, D> {
        expect(self.try_search_sorted(sorted, side))
    }

    /// As [`search_sorted`](Self::search_sorted).
    ///
    /// # Errors
    /// [`Error::Arrangement`] when the list falls somewhere.
    #[track_caller]
    pub fn try_search_sorted(&self, sorted: &[A], side: Side) -> Result<Array<u64, D>, Error> {
        if sorted.windows(2).any(|pair| is_before(pair[1], pair[0])) {
            let problem = "the list to search falls somewhere";
            return Err(Error::Arrangement { operation: "search_sorted", problem, caller: Site::caller() });
        }
        let parameters = (bytes(sorted), side == Side::Left);
        let list = sorted.to_vec();
        Ok(map_named("search_sorted", self, &parameters, move |value| place(&list, value, side) as u64))
    }

    /// Whether each element is one of these. NaN is none.
    ///
    /// **Shape** and blocks stay.
    /// **Cost** one pass, log₂(n) comparisons for each element.
    ///
    /// # Panics
    /// Never.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[1, 5, 2]), 2);
    /// assert_eq!(x.is_in(&[5, 1]).compute()?, arr1(&[true, true, false]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "isin")]
    #[doc(alias = "in1d")]
    pub fn is_in(&self, values: &[A]) -> Array<bool, D> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(|&one, &other| is_before(other, one).cmp(&is_before(one, other)));
        let parameters = bytes(&sorted);
        map_named("is_in", self, &parameters, move |value| {
            sorted.get(place(&sorted, value, Side::Left)).is_some_and(|&found| found == value)
        })
    }
}

impl<A: Real, D: Dimension> Array<A, D> {
    /// The number of the bin that each element lies in: bin `i` lies between `edges[i - 1]` and `edges[i]`, bin 0 before all
    /// edges and bin `n` behind all. Edges rise, or fall. An element that equals a rising edge lies in the bin on this `side`
    /// of it, where edges fall in the other one. NaN counts as larger than all edges.
    ///
    /// **Shape** and blocks stay.
    /// **Cost** one pass, log₂(n) comparisons for each element.
    ///
    /// # Panics
    /// When the edges neither rise nor fall.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, Side, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[0.2, 6.4, 3.0, 1.0]), 2);
    /// let bins = [0.0, 1.0, 2.5, 4.0, 10.0];
    /// assert_eq!(x.digitize(&bins, Side::Right).compute()?, arr1(&[1_u64, 4, 3, 2]));
    /// assert_eq!(x.digitize(&bins, Side::Left).compute()?, arr1(&[1_u64, 4, 3, 1]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.digitize`; [`Side::Right`] is its `right=False`.
    #[must_use]
    #[track_caller]
    pub fn digitize(&self, edges: &[A], side: Side) -> Array<u64, D> {
        expect(self.try_digitize(edges, side))
    }

    /// As [`digitize`](Self::digitize).
    ///
    /// # Errors
    /// [`Error::Arrangement`] when the edges neither rise nor fall.
    #[track_caller]
    pub fn try_digitize(&self, edges: &[A], side: Side) -> Result<Array<u64, D>, Error> {
        let rises = edges.windows(2).all(|pair| !is_before(pair[1], pair[0]));
        let falls = edges.windows(2).all(|pair| !is_before(pair[0], pair[1]));
        if rises {
            let parameters = (bytes(edges), side == Side::Left);
            let list = edges.to_vec();
            return Ok(map_named("digitize", self, &parameters, move |value| {
                place(&list, value, side) as u64
            }));
        }
        if !falls {
            let problem = "edges neither rise nor fall";
            return Err(Error::Arrangement { operation: "digitize", problem, caller: Site::caller() });
        }
        let (mut list, n) = (edges.to_vec(), edges.len());
        list.reverse();
        let parameters = (bytes(&list), (side == Side::Left, "falling"));
        Ok(map_named("digitize", self, &parameters, move |value| (n - place(&list, value, side)) as u64))
    }
}

impl<D: Dimension> Array<f64, D> {
    /// The line through the points `(at[i], values[i])` where each element is: straight between two points, level before the
    /// first and behind the last. NaN stays.
    ///
    /// **Shape** and blocks stay.
    /// **Cost** one pass, log₂(n) comparisons for each element.
    ///
    /// # Panics
    /// When there are no points, not as many values as places, or the places do not rise.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[0.0, 1.5, 2.5, 9.0]), 2);
    /// assert_eq!(x.interp(&[1.0, 2.0, 3.0], &[10.0, 20.0, 0.0]).compute()?, arr1(&[10.0, 15.0, 10.0, 0.0]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.interp`.
    #[must_use]
    #[track_caller]
    #[doc(alias = "interpolate")]
    pub fn interp(&self, at: &[f64], values: &[f64]) -> Self {
        expect(self.try_interp(at, values))
    }

    /// As [`interp`](Self::interp).
    ///
    /// # Errors
    /// [`Error::Arrangement`] when there are no points, not as many values as places, or the places do not rise.
    #[track_caller]
    pub fn try_interp(&self, at: &[f64], values: &[f64]) -> Result<Self, Error> {
        let rises = at.windows(2).all(|pair| pair[0] < pair[1]) && at.iter().all(|place| !place.is_nan());
        if at.is_empty() || at.len() != values.len() || !rises {
            let problem = "a value for each place is needed, and places that rise";
            return Err(Error::Arrangement { operation: "interp", problem, caller: Site::caller() });
        }
        let parameters = (bytes(at), bytes(values));
        let (at, values) = (at.to_vec(), values.to_vec());
        Ok(map_named("interp", self, &parameters, move |x| on_line(&at, &values, x)))
    }
}

/// The line through points at `x`.
fn on_line(at: &[f64], values: &[f64], x: f64) -> f64 {
    let last = at.len() - 1;
    match at.partition_point(|&place| place <= x) {
        _ if x.is_nan() => x,
        0 => values[0],
        // A place itself has its value, also beside an infinite one.
        behind if behind > last || at[behind - 1] == x => values[behind - 1],
        behind => {
            let (left, right) = (behind - 1, behind);
            let slope = (values[right] - values[left]) / (at[right] - at[left]);
            let found = slope * (x - at[left]) + values[left];
            // Where the slope is infinite, the line is told from its other end, or is level.
            let found = if found.is_nan() { slope * (x - at[right]) + values[right] } else { found };
            if found.is_nan() && values[left] == values[right] { values[left] } else { found }
        }
    }
}
