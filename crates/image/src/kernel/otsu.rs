//! Histograms and Otsu's threshold.

use num_traits::Float;

/// Equal bins over a range of floating-point values, with NumPy's rules at the edges.
///
/// Source: `numpy.histogram` with a number of bins: computed in the element type, the last bin holds its right edge.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bins<A> {
    first: A,
    span: A,
    edges: Vec<A>,
}

/// Values whose places are found at once.
const STRETCH: usize = 256;

/// Counts in four tables, so that a run of equal values does not wait for its own counter.
pub(crate) struct Tally {
    bins: usize,
    counts: Vec<u64>,
}

impl Tally {
    /// No values yet.
    pub(crate) fn new(bins: usize) -> Tally {
        Tally { bins, counts: vec![0; 4 * bins] }
    }

    /// Counts a value; `at` is its position, which chooses a table.
    #[inline(always)]
    pub(crate) fn add(&mut self, at: usize, bin: usize) {
        self.counts[(at % 4) * self.bins + bin] += 1;
    }

    /// The counts of all tables.
    pub(crate) fn sum(&self) -> Vec<u64> {
        (0..self.bins).map(|bin| (0..4).map(|table| self.counts[table * self.bins + bin]).sum()).collect()
    }
}

/// Least and greatest value, `None` of nothing; NaN and NaN if one is there.
pub(crate) fn range<A: Float>(values: &[A]) -> Option<(A, A)> {
    /// Values that are compared at once.
    const LANES: usize = 16;
    let first = *values.first()?;
    let (mut low, mut high, mut is_nan) = ([first; LANES], [first; LANES], [false; LANES]);
    let mut see = |lane: usize, value: A| {
        low[lane] = if value < low[lane] { value } else { low[lane] };
        high[lane] = if value > high[lane] { value } else { high[lane] };
        is_nan[lane] |= value.is_nan();
    };
    let (blocks, rest) = values.as_chunks::<LANES>();
    for block in blocks {
        block.iter().enumerate().for_each(|(lane, &value)| see(lane, value));
    }
    rest.iter().for_each(|&value| see(0, value));
    if is_nan.contains(&true) {
        return Some((A::nan(), A::nan()));
    }
    let less = |one: A, other: A| if other < one { other } else { one };
    let more = |one: A, other: A| if other > one { other } else { one };
    Some((low.into_iter().fold(first, less), high.into_iter().fold(first, more)))
}

impl<A: Float> Bins<A> {
    /// `count` bins from `low` to `high`; both are finite and `low < high`. `None` when bins cannot be told apart.
    pub(crate) fn new(low: A, high: A, count: usize) -> Option<Bins<A>> {
        let number = |value: usize| A::from(value).expect("a number of bins is small");
        let step = (high - low) / number(count);
        let mut edges: Vec<A> = (0..count).map(|at| number(at) * step + low).collect();
        edges.push(high);
        let rising = edges.windows(2).all(|pair| pair[0] < pair[1]);
        rising.then_some(Bins { first: low, span: high - low, edges })
    }

    /// Counts values into the bins; every value lies in the range.
    pub(crate) fn count(&self, values: &[A]) -> Vec<u64> {
        let last = self.edges.len() - 2;
        let scale = A::from(last + 1).expect("a number of bins is small");
        let mut tally = Tally::new(last + 1);
        let mut places = [A::zero(); STRETCH];
        for values in values.chunks(STRETCH) {
            // Divisions go by lanes, apart from the look-ups that cannot.
            for (place, &value) in places.iter_mut().zip(values) {
                *place = (value - self.first) / self.span * scale;
            }
            for (at, (place, &value)) in places.iter().zip(values).enumerate() {
                let mut bin = place.to_usize().unwrap_or(0).min(last);
                // The quotient may miss by one at an edge.
                if value < self.edges[bin] {
                    bin = bin.saturating_sub(1);
                } else if bin < last && value >= self.edges[bin + 1] {
                    bin += 1;
                }
                tally.add(at, bin);
            }
        }
        tally.sum()
    }

    /// The center of each bin.
    pub(crate) fn centers(&self) -> Vec<f64> {
        let two = A::one() + A::one();
        let middle = |pair: &[A]| ((pair[0] + pair[1]) / two).to_f64().expect("a float is an f64");
        self.edges.windows(2).map(middle).collect()
    }
}

/// The bin center that best parts a histogram: the greatest variance between the two classes; the first of equals.
///
/// Bins before the first and after the last filled one change nothing. `None` for a histogram of nothing; the value
/// itself for a histogram of one bin.
///
/// Source: Otsu 1979, "A threshold selection method from gray-level histograms"; `skimage.filters.threshold_otsu`,
/// which counts in `f32` where this counts exactly.
pub(crate) fn otsu(counts: &[u64], centers: &[f64]) -> Option<f64> {
    let begin = counts.iter().position(|&count| count > 0)?;
    let end = counts.iter().rposition(|&count| count > 0)? + 1;
    let (counts, centers) = (&counts[begin..end], &centers[begin..end]);
    let classes = |backwards: bool| -> Vec<(f64, f64)> {
        let (mut weight, mut moment) = (0.0, 0.0);
        let step = |at: usize| {
            weight += counts[at] as f64;
            moment += counts[at] as f64 * centers[at];
            (weight, moment / weight)
        };
        let mut classes: Vec<_> = if backwards {
            (0..counts.len()).rev().map(step).collect()
        } else {
            (0..counts.len()).map(step).collect()
        };
        if backwards {
            classes.reverse();
        }
        classes
    };
    let (below, above) = (classes(false), classes(true));
    let mut best = (0, f64::NEG_INFINITY);
    for at in 0..counts.len() - 1 {
        let difference = below[at].1 - above[at + 1].1;
        let variance = below[at].0 * above[at + 1].0 * (difference * difference);
        if variance > best.1 {
            best = (at, variance);
        }
    }
    Some(centers[best.0])
}

#[cfg(test)]
mod tests {
    use super::{Bins, otsu, range};

    #[test]
    fn bins_follow_numpy_at_their_edges() {
        let bins = Bins::new(0.0, 1.0, 10).unwrap();
        let values: Vec<f64> = (0..=10).map(|tenth| f64::from(tenth) / 10.0).collect();
        // `numpy.histogram(numpy.arange(11) / 10, 10)[0]`
        assert_eq!(bins.count(&values), [1, 1, 2, 0, 1, 2, 1, 0, 1, 2]);
        assert!((bins.centers()[3] - 0.35).abs() < 1e-15);
    }

    #[test]
    fn bins_narrower_than_numbers_are_refused() {
        assert_eq!(Bins::new(1.0, 1.0 + f64::EPSILON, 256), None);
    }

    #[test]
    fn the_range_of_any_length_is_found_and_nan_is_seen_anywhere() {
        assert_eq!(range::<f64>(&[]), None);
        for length in 1..40 {
            let mut values: Vec<f64> = (0..length).map(|at| f64::from(at * 17 % 41)).collect();
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            assert_eq!(range(&values), Some((low, high)));
            for at in 0..values.len() {
                let value = std::mem::replace(&mut values[at], f64::NAN);
                assert!(range(&values).is_some_and(|(low, high)| low.is_nan() && high.is_nan()));
                values[at] = value;
            }
        }
    }

    #[test]
    fn a_gap_is_parted_at_its_first_bin() {
        let centers: Vec<f64> = (0..8).map(f64::from).collect();
        assert_eq!(otsu(&[0, 5, 5, 0, 0, 0, 5, 5], &centers), Some(2.0));
        assert_eq!(otsu(&[0, 0, 7, 0, 0, 0, 0, 0], &centers), Some(2.0));
        assert_eq!(otsu(&[0; 8], &centers), None);
    }
}
