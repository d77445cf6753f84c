//! Count, mean and spread of numbers, and of several parts of them together: one definition for all collections.

use serde::{Deserialize, Serialize};

/// Count, mean and sum of squared deviations of some numbers.
///
/// The mean is `shift + mean`, two floats, where `shift` is one of the numbers or near them: differences from it are exact
/// where they matter, so that numbers whose mean is 10⁸ times their spread keep the digits of their variance.
///
/// Parts are joined in the order of the numbers; the last bits depend on how the numbers were divided, and on nothing else.
///
/// **Source** One number at a time by B. P. Welford, *Technometrics* 4 (1962) 419; parts joined by T. F. Chan, G. H. Golub
/// and R. J. LeVeque, *The American Statistician* 37 (1983) 242.
///
/// # Examples
/// ```
/// use musher_graph_core::Moments;
/// let of = |numbers: &[f64]| numbers.iter().fold(Moments::default(), |mut all, &number| { all.add(number); all });
/// let all = of(&[1.0, 3.0]).combine(of(&[5.0, 7.0]));
/// assert_eq!((all.count, all.average(), all.variance(1.0)), (4.0, 4.0, 20.0 / 3.0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// How many numbers; 0 is the identity of [`combine`](Moments::combine).
    pub count: f64,
    /// A number near them.
    pub shift: f64,
    /// The mean of the differences from the shift.
    pub mean: f64,
    /// The sum of squared deviations from the mean.
    pub squares: f64,
}

impl Moments {
    /// The moments of `count` numbers with these sums of differences from `shift` and of their squares.
    #[inline(always)]
    pub fn from_sums(count: f64, shift: f64, sum: f64, sum_of_squares: f64) -> Self {
        let mean = sum / count;
        // Rounding may leave a trace below zero where all numbers are equal; NaN must pass.
        let squares = sum_of_squares - sum * mean;
        Self { count, shift, mean, squares: if squares < 0.0 { 0.0 } else { squares } }
    }

    /// Those of one number.
    #[inline(always)]
    pub fn one(number: f64) -> Self {
        Self { count: 1.0, shift: number, mean: 0.0, squares: 0.0 * number.abs() }
    }

    /// Takes one more number, which lies no further from the shift than floats reach, in a loop that compilers vectorize.
    #[inline(always)]
    pub fn push(&mut self, number: f64) {
        let difference = number - self.shift;
        let delta = difference - self.mean;
        self.count += 1.0;
        self.mean += delta / self.count;
        self.squares += delta * (difference - self.mean);
    }

    /// Takes one more number, whatever it is.
    #[inline]
    pub fn add(&mut self, number: f64) {
        let is_near = (number - self.shift).is_finite();
        match is_near && self.count > 0.0 {
            true => self.push(number),
            false => *self = self.combine(Self::one(number)),
        }
    }

    /// How far the mean of `later` lies from this one.
    #[inline(always)]
    pub fn distance(&self, later: &Self) -> f64 {
        (later.shift - self.shift) + (later.mean - self.mean)
    }

    /// The moments of both.
    #[must_use]
    #[inline(always)]
    pub fn combine(self, later: Self) -> Self {
        if self.count == 0.0 {
            return later;
        }
        if later.count == 0.0 {
            return self;
        }
        let count = self.count + later.count;
        let delta = self.distance(&later);
        if !delta.is_finite() {
            return self.combine_far(later);
        }
        Self {
            count,
            shift: self.shift,
            mean: self.mean + delta * (later.count / count),
            squares: self.squares + later.squares + delta * delta * (self.count * later.count / count),
        }
    }

    /// The moments of both where their means are no finite number apart.
    ///
    /// Numbers from both ends of what floats hold have a mean, and squares that are infinite. An infinity is the mean of all
    /// that is with it, but its own opposite and NaN, and has no deviation from itself.
    #[cold]
    fn combine_far(self, later: Self) -> Self {
        let (count, one, other) = (self.count + later.count, self.average(), later.average());
        let share = later.count / count;
        match one.is_finite() && other.is_finite() {
            true => {
                let shift = one * (1.0 - share) + other * share;
                Self { count, shift, mean: 0.0, squares: self.squares + later.squares + f64::INFINITY }
            }
            false => Self { count, shift: one + other, mean: 0.0, squares: f64::NAN },
        }
    }

    /// The mean, rounded once; 0 of nothing.
    #[inline]
    pub fn average(&self) -> f64 {
        self.shift + self.mean
    }

    /// The variance with `ddof` degrees of freedom taken off. Where none is left it is infinite, or NaN where nothing
    /// deviates, as NumPy's.
    #[inline]
    pub fn variance(&self, ddof: f64) -> f64 {
        self.squares / (self.count - ddof).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Moments;

    /// A few roundings of sums of this size.
    const TOLERANCE: f64 = 1e-12;

    fn of(numbers: &[f64]) -> Moments {
        let mut moments = Moments::default();
        numbers.iter().for_each(|&number| moments.add(number));
        moments
    }

    /// All numbers at once, and joined at every place.
    fn every_cut(numbers: &[f64]) -> impl Iterator<Item = Moments> {
        (0..=numbers.len()).map(|cut| of(&numbers[..cut]).combine(of(&numbers[cut..])))
    }

    #[test]
    fn joined_moments_are_those_of_all_numbers() {
        let numbers: Vec<f64> = (0..23).map(|index| f64::from(index * index % 7) + 1e3).collect();
        let mean = numbers.iter().sum::<f64>() / 23.0;
        let variance = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / 23.0;
        for joined in every_cut(&numbers) {
            assert_eq!(joined.count, 23.0);
            assert!((joined.average() / mean - 1.0).abs() < TOLERANCE);
            assert!((joined.variance(0.0) / variance - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn sums_of_differences_are_as_good() {
        let numbers = [1e9 + 1.0, 1e9 + 4.0, 1e9 + 7.0];
        let moments = Moments::from_sums(3.0, 1e9, 12.0, 66.0);
        assert_eq!((moments.average(), moments.variance(0.0)), (1e9 + 4.0, 6.0));
        assert!(every_cut(&numbers).all(|joined| joined.variance(0.0) == 6.0));
    }

    #[test]
    fn nan_stays() {
        assert!(every_cut(&[1.0, f64::NAN, 2.0]).all(|joined| joined.average().is_nan()));
    }

    #[test]
    fn an_infinity_is_the_mean_and_has_no_variance() {
        for at in 0..3 {
            for infinity in [f64::INFINITY, f64::NEG_INFINITY] {
                let mut numbers = [1.0, 2.0, 3.0];
                numbers[at] = infinity;
                for moments in every_cut(&numbers) {
                    assert_eq!(moments.average(), infinity, "{numbers:?}");
                    assert!(moments.variance(0.0).is_nan(), "{numbers:?}");
                }
            }
        }
        for numbers in [[f64::INFINITY, 1.0, f64::NEG_INFINITY], [f64::INFINITY, f64::NAN, 1.0]] {
            assert!(every_cut(&numbers).all(|moments| moments.average().is_nan()));
        }
    }

    #[test]
    fn numbers_from_both_ends_have_a_mean_and_an_infinite_variance() {
        for numbers in [[1e308, -1e308, 1e308, -1e308], [-1.5e308, 1.5e308, 1.5e308, -1.5e308]] {
            for moments in every_cut(&numbers) {
                assert!(moments.average().abs() < 1e293, "{numbers:?} {moments:?}");
                assert_eq!(moments.variance(0.0), f64::INFINITY);
            }
        }
    }

    #[test]
    fn a_mean_of_a_hundred_million_spreads_keeps_twelve_digits() {
        // The spread is exact in binary, so that numbers far from 0 have the variance of those near it.
        let near: Vec<f64> = (0..50_000).map(|i| f64::from(i * 7919 % 1024) / 256.0 - 2.0).collect();
        let far: Vec<f64> = near.iter().map(|number| number + 134_217_728.0).collect();
        let in_parts =
            |numbers: &[f64]| numbers.chunks(777).map(of).fold(Moments::default(), Moments::combine);
        for moments in [of as fn(&[f64]) -> Moments, in_parts] {
            let (near, far) = (moments(&near).variance(0.0), moments(&far).variance(0.0));
            assert!((near - far).abs() <= TOLERANCE * near, "{near} {far}");
        }
    }
}
