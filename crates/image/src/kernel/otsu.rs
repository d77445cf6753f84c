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
    pub(crate) fn count<'a>(&self, values: impl Iterator<Item = &'a A>) -> Vec<u64>
    where
        A: 'a,
    {
        let last = self.edges.len() - 2;
        let scale = A::from(last + 1).expect("a number of bins is small");
        let mut counts = vec![0; last + 1];
        for &value in values {
            let place = (value - self.first) / self.span * scale;
            let mut bin = place.to_usize().unwrap_or(0).min(last);
            // The quotient may miss by one at an edge.
            if value < self.edges[bin] {
                bin = bin.saturating_sub(1);
            } else if bin < last && value >= self.edges[bin + 1] {
                bin += 1;
            }
            counts[bin] += 1;
        }
        counts
    }

    /// The middle of each bin.
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
    use super::{Bins, otsu};

    #[test]
    fn bins_follow_numpy_at_their_edges() {
        let bins = Bins::new(0.0, 1.0, 10).unwrap();
        let values: Vec<f64> = (0..=10).map(|tenth| f64::from(tenth) / 10.0).collect();
        // `numpy.histogram(numpy.arange(11) / 10, 10)[0]`
        assert_eq!(bins.count(values.iter()), [1, 1, 2, 0, 1, 2, 1, 0, 1, 2]);
        assert!((bins.centers()[3] - 0.35).abs() < 1e-15);
    }

    #[test]
    fn bins_narrower_than_numbers_are_refused() {
        assert_eq!(Bins::new(1.0, 1.0 + f64::EPSILON, 256), None);
    }

    #[test]
    fn a_gap_is_parted_at_its_first_bin() {
        let centers: Vec<f64> = (0..8).map(f64::from).collect();
        assert_eq!(otsu(&[0, 5, 5, 0, 0, 0, 5, 5], &centers), Some(2.0));
        assert_eq!(otsu(&[0, 0, 7, 0, 0, 0, 0, 0], &centers), Some(2.0));
        assert_eq!(otsu(&[0; 8], &centers), None);
    }
}
