//! Number, mean and squared deviations of the items, joined without cancellation.

/// Count, mean and the sum of squared deviations from it.
///
/// The mean is the sum of two numbers: with one, items whose mean is 10^8 times their spread would lose half of the digits
/// of their variance.
///
/// Source: one item at a time by B. P. Welford, *Technometrics* 4 (1962) 419; joined by T. F. Chan, G. H. Golub and
/// R. J. LeVeque, *The American Statistician* 37 (1983) 242.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Moments {
    count: u64,
    /// The mean, rounded.
    mean: f64,
    /// What the rounding of `mean` left off.
    rest: f64,
    squares: f64,
}

impl Moments {
    /// Takes one more item.
    pub(crate) fn add(&mut self, item: f64) {
        self.count += 1;
        let count = self.count as f64;
        let rounded = item - self.mean;
        if !rounded.is_finite() {
            return self.join_far(item, 0.0, 1.0 / count);
        }
        let apart = rounded - self.rest;
        let mean = self.mean + rounded / count;
        self.rest += (self.mean - mean) + apart / count;
        self.mean = mean;
        self.squares += apart * (apart - apart / count);
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
        self.count += later.count;
        let share = right / self.count as f64;
        let rounded = later.mean - self.mean;
        if !rounded.is_finite() {
            return self.join_far(later.mean, later.squares, share);
        }
        let apart = rounded + (later.rest - self.rest);
        let mean = self.mean + rounded * share;
        self.rest += (self.mean - mean) + apart * share;
        self.mean = mean;
        self.squares += later.squares + apart * apart * (left * share);
    }

    /// Takes items whose mean is no finite number away, and which are this share of all.
    ///
    /// Numbers from both ends of what floats hold have a mean, and squares that are infinite. An infinity is the mean of
    /// all that is with it, but its own opposite and NaN, and has no deviation from itself.
    #[cold]
    fn join_far(&mut self, mean: f64, squares: f64, share: f64) {
        if self.mean.is_finite() && mean.is_finite() {
            self.mean = self.mean * (1.0 - share) + mean * share;
            self.squares += squares + f64::INFINITY;
        } else {
            self.mean += mean;
            self.squares = f64::NAN;
        }
        self.rest = 0.0;
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

    /// All items at once, and joined at every place.
    fn every_cut(items: &[f64]) -> impl Iterator<Item = Moments> {
        (0..=items.len()).map(|cut| {
            let mut joined = of(&items[..cut]);
            joined.merge(&of(&items[cut..]));
            joined
        })
    }

    #[test]
    fn an_infinity_is_the_mean_and_has_no_variance() {
        for at in 0..3 {
            for infinity in [f64::INFINITY, f64::NEG_INFINITY] {
                let mut items = [1.0, 2.0, 3.0];
                items[at] = infinity;
                for moments in every_cut(&items) {
                    assert_eq!(moments.mean(), Some(infinity), "{items:?}");
                    assert!(moments.variance(0.0).unwrap().is_nan(), "{items:?}");
                }
            }
        }
        for items in [[f64::INFINITY, 1.0, f64::NEG_INFINITY], [f64::INFINITY, f64::NAN, 1.0]] {
            assert!(every_cut(&items).all(|moments| moments.mean().unwrap().is_nan()));
        }
    }

    #[test]
    fn numbers_from_both_ends_have_a_mean_and_an_infinite_variance() {
        for items in [[1e308, -1e308, 1e308, -1e308], [-1.5e308, 1.5e308, 1.5e308, -1.5e308]] {
            for moments in every_cut(&items) {
                assert!(moments.mean().unwrap().abs() < 1e293, "{items:?} {moments:?}");
                assert_eq!(moments.variance(0.0), Some(f64::INFINITY));
            }
        }
    }

    #[test]
    fn a_mean_of_a_hundred_million_spreads_keeps_twelve_digits() {
        // The spread is exact in binary, so that items far from 0 have the variance of those near it.
        let near: Vec<f64> = (0..50_000).map(|i| f64::from(i * 7919 % 1024) / 256.0 - 2.0).collect();
        let far: Vec<f64> = near.iter().map(|item| item + 134_217_728.0).collect();
        let in_parts = |items: &[f64]| {
            let mut joined = Moments::default();
            items.chunks(777).for_each(|part| joined.merge(&of(part)));
            joined
        };
        for moments in [of as fn(&[f64]) -> Moments, in_parts] {
            let (near, far) = (moments(&near).variance(0.0).unwrap(), moments(&far).variance(0.0).unwrap());
            assert!((near - far).abs() <= TOLERANCE * near, "{near} {far}");
        }
    }
}
