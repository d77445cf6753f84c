//! Bins on a line, and in which of them a number lies.
//!
//! Where the edges lie at equal distances, the bin is guessed by a multiplication and the guess is mended by comparing with
//! the edges themselves, so the answer is the same as that of searching.

/// How far an edge may lie from its place at equal distances, in widths, for a guess to be worth it.
const EVEN: f64 = 0.01;

/// Bins on a line.
#[derive(Clone, Debug, PartialEq)]
pub enum Bins {
    /// Between rising edges; the last one contains its upper edge.
    Between {
        /// The edges, two at least.
        edges: Vec<f64>,
        /// Bins for each unit, where the edges lie at equal distances.
        per_unit: Option<f64>,
    },
    /// One for each of the integers below a number.
    Integers(usize),
}

impl Bins {
    /// The bins between these edges, if there are two at least, none is NaN, and they rise.
    #[must_use]
    pub fn new(edges: &[f64]) -> Option<Self> {
        let (&first, &last) = (edges.first()?, edges.last()?);
        if edges.len() < 2 || !edges.windows(2).all(|pair| pair[0] <= pair[1]) {
            return None;
        }
        let per_unit = (edges.len() - 1) as f64 / (last - first);
        let is_even = |(at, edge): (usize, &f64)| ((edge - first) * per_unit - at as f64).abs() < EVEN;
        let is_even = per_unit.is_finite() && edges.iter().enumerate().all(is_even);
        Some(Self::Between { edges: edges.to_vec(), per_unit: is_even.then_some(per_unit) })
    }

    /// The number of bins.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Between { edges, .. } => edges.len() - 1,
            Self::Integers(n) => *n,
        }
    }

    /// Whether there is no bin.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bin that a number lies in.
    #[must_use]
    pub fn bin_of(&self, x: f64) -> Option<usize> {
        let (edges, per_unit) = match self {
            Self::Between { edges, per_unit } => (edges.as_slice(), *per_unit),
            Self::Integers(n) => return (x >= 0.0 && x < *n as f64).then_some(x as usize),
        };
        let n = edges.len() - 1;
        let (first, last) = (edges[0], edges[n]);
        // Also where it is NaN.
        if !(x >= first && x <= last) {
            return None;
        }
        if x == last {
            return Some(n - 1);
        }
        let Some(per_unit) = per_unit else {
            return Some(edges.partition_point(|&edge| edge <= x) - 1);
        };
        let mut bin = (((x - first) * per_unit) as usize).min(n - 1);
        while x < edges[bin] {
            bin -= 1;
        }
        while x >= edges[bin + 1] {
            bin += 1;
        }
        Some(bin)
    }

    /// Calls `add` with the bin of each number that lies in one.
    pub fn each(&self, numbers: &[f64], mut add: impl FnMut(usize)) {
        let Self::Between { edges, per_unit: Some(per_unit) } = self else {
            return numbers.iter().filter_map(|&x| self.bin_of(x)).for_each(add);
        };
        let n = edges.len() - 1;
        let (first, last, per_unit) = (edges[0], edges[n], *per_unit);
        for &x in numbers {
            // Not where it is NaN.
            if x >= first && x <= last {
                // Edges lie so near to equal distances that a guess is wrong by one at most.
                let guess = (((x - first) * per_unit) as usize).min(n - 1);
                let bin = guess - usize::from(x < edges[guess]);
                add(bin + usize::from(bin + 1 < n && x >= edges[bin + 1]));
            }
        }
    }

    /// What the bins are, for a fingerprint.
    #[must_use]
    pub fn words(&self) -> Vec<u64> {
        match self {
            Self::Between { edges, .. } => edges.iter().map(|edge| edge.to_bits()).collect(),
            Self::Integers(n) => vec![*n as u64],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bin by looking at all of them.
    fn plain(edges: &[f64], x: f64) -> Option<usize> {
        let n = edges.len() - 1;
        let inside = |bin: &usize| edges[*bin] <= x && (x < edges[bin + 1] || *bin == n - 1 && x == edges[n]);
        (0..n).rfind(inside)
    }

    #[test]
    fn a_guess_and_a_search_find_the_same() {
        let lists: [Vec<f64>; 5] = [
            (0..=10).map(|at| at as f64 * 0.1).collect(),
            (0..=7).map(|at| -3.0 + at as f64 * (1.0 / 3.0)).collect(),
            vec![0.0, 1.0, 1.0, 5.0],
            vec![f64::NEG_INFINITY, 0.0, f64::INFINITY],
            vec![-1e300, 1e300],
        ];
        for edges in &lists {
            let bins = Bins::new(edges).expect("they rise");
            let near = edges.iter().flat_map(|edge| [edge.next_down(), *edge, edge.next_up(), edge + 0.05]);
            for x in near.chain([f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.3, -0.0, 1e308]) {
                assert_eq!(bins.bin_of(x), plain(edges, x), "{x} in {edges:?}");
                let mut found = None;
                bins.each(&[x], |bin| found = Some(bin));
                assert_eq!(found, plain(edges, x), "{x} in {edges:?}");
            }
        }
        let is_even =
            |edges: &[f64]| matches!(Bins::new(edges), Some(Bins::Between { per_unit: Some(_), .. }));
        assert!(is_even(&[0.0, 1.0, 2.0]) && !is_even(&[0.0, 1.0, 4.0]));
    }

    #[test]
    fn what_is_no_list_of_edges_is_refused() {
        for edges in [&[][..], &[1.0], &[1.0, 0.0], &[0.0, f64::NAN], &[f64::NAN, 0.0]] {
            assert_eq!(Bins::new(edges), None, "{edges:?}");
        }
    }

    #[test]
    fn integers_have_a_bin_each() {
        let bins = Bins::Integers(3);
        assert_eq!(
            [0.0, 1.0, 2.0, 3.0, -1.0].map(|x| bins.bin_of(x)),
            [Some(0), Some(1), Some(2), None, None]
        );
        assert_eq!(Bins::Integers(0).bin_of(0.0), None);
    }
}
