//! Number, mean and squared deviations of the items, joined without cancellation.

/// Count, mean and the sum of squared deviations from it.
///
/// Source: one item at a time by B. P. Welford, *Technometrics* 4 (1962) 419; joined by T. F. Chan, G. H. Golub and
/// R. J. LeVeque, *The American Statistician* 37 (1983) 242.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Moments {
    pub(crate) count: u64,
    pub(crate) mean: f64,
    pub(crate) squares: f64,
}

impl Moments {
    /// Takes one more item.
    pub(crate) fn add(&mut self, item: f64) {
        self.count += 1;
        let before = item - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (item - self.mean);
    }

    /// Takes the items that come after these.
    pub(crate) fn merge(&mut self, later: &Self) {
        if later.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *later;
            return;
        }
        let (left, right) = (self.count as f64, later.count as f64);
        let apart = later.mean - self.mean;
        self.count += later.count;
        let total = self.count as f64;
        self.mean += apart * (right / total);
        self.squares += later.squares + apart * apart * (left * (right / total));
    }

    /// The mean, or `None` of nothing.
    pub(crate) fn mean(&self) -> Option<f64> {
        (self.count > 0).then_some(self.mean)
    }

    /// The variance with `ddof` degrees of freedom taken off, or `None` when none is left.
    pub(crate) fn variance(&self, ddof: f64) -> Option<f64> {
        let left = self.count as f64 - ddof;
        (left > 0.0).then(|| self.squares / left)
    }
}

#[cfg(test)]
mod tests {
    use super::Moments;

    /// A few roundings of sums of this size.
    const TOLERANCE: f64 = 1e-12;

    fn of(items: &[f64]) -> Moments {
        let mut moments = Moments::default();
        items.iter().for_each(|&item| moments.add(item));
        moments
    }

    #[test]
    fn joined_moments_are_those_of_all_items() {
        let items: Vec<f64> = (0..23).map(|index| f64::from(index * index % 7) + 1e3).collect();
        let mean = items.iter().sum::<f64>() / 23.0;
        let variance = items.iter().map(|item| (item - mean).powi(2)).sum::<f64>() / 23.0;
        for cut in 0..=items.len() {
            let mut joined = of(&items[..cut]);
            joined.merge(&of(&items[cut..]));
            assert_eq!(joined.count, 23);
            assert!((joined.mean().unwrap() / mean - 1.0).abs() < TOLERANCE);
            assert!((joined.variance(0.0).unwrap() / variance - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn nothing_has_no_mean_and_nan_stays() {
        assert_eq!(of(&[]).mean(), None);
        assert_eq!(of(&[1.0]).variance(1.0), None);
        assert_eq!(of(&[1.0]).variance(0.0), Some(0.0));
        let mut joined = of(&[1.0]);
        joined.merge(&of(&[f64::NAN]));
        assert!(joined.mean().unwrap().is_nan());
    }
}
