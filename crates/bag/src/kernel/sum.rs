//! Sums that neither wrap nor lose small terms, and the numbers that have one.
//!
//! Integers are added in 128 bits, which no bag that fits a disk can fill, and brought back to 64 at the end, where
//! an overflow is an error. Floats carry the rounding error of every addition along.

use std::fmt;

/// A number that a bag can sum and average: the primitive integers and floats.
pub trait Summand: Copy + PartialOrd + Send + Sync + fmt::Debug + 'static {
    /// What a sum is given as: `i64` and `u64` for integers up to 64 bits (NumPy's rule), else the type itself.
    type Sum: Clone + Send + Sync + fmt::Debug + PartialEq + 'static;

    /// The sum while it is made.
    type Total: Total<Item = Self, Sum = Self::Sum>;

    /// The number as a float, rounded when it has more than 53 bits.
    fn to_f64(self) -> f64;
}

/// A sum while it is made: of one partition, then of many.
pub trait Total: Clone + Default + Send + Sync + 'static {
    /// What is added.
    type Item;
    /// What the sum is given as.
    type Sum;

    /// Adds one more number.
    fn add(&mut self, item: Self::Item);

    /// Adds the sum of the numbers that come after these.
    fn merge(&mut self, later: &Self);

    /// The sum, or `None` when it does not fit.
    fn finish(&self) -> Option<Self::Sum>;
}

/// The exact sum of integers; `None` once 128 bits were not enough.
#[derive(Debug, Clone, Copy)]
pub struct Exact<A> {
    total: Option<i128>,
    item: std::marker::PhantomData<fn() -> A>,
}

impl<A> Default for Exact<A> {
    fn default() -> Self {
        Self { total: Some(0), item: std::marker::PhantomData }
    }
}

/// A sum of floats and the rounding errors that it has made so far.
///
/// Source: A. Neumaier, *Zeitschrift für Angewandte Mathematik und Mechanik* 54 (1974) 39.
#[derive(Debug, Clone, Copy, Default)]
pub struct Compensated<A> {
    total: f64,
    error: f64,
    item: std::marker::PhantomData<fn() -> A>,
}

impl<A> Compensated<A> {
    fn add_f64(&mut self, item: f64) {
        let sum = self.total + item;
        self.error += match self.total.abs() >= item.abs() {
            true => (self.total - sum) + item,
            false => (item - sum) + self.total,
        };
        self.total = sum;
    }

    /// The corrected sum; an infinite or undefined one has no correction.
    fn value(&self) -> f64 {
        match self.total.is_finite() {
            true => self.total + self.error,
            false => self.total,
        }
    }
}

/// `impl Summand` for integers; for `i32` it reads: the sum of `i32` is an `i64`, made in 128 bits.
macro_rules! integer {
    ($($item:ty => $sum:ty),*) => {$(
        impl Total for Exact<$item> {
            type Item = $item;
            type Sum = $sum;

            fn add(&mut self, item: $item) {
                self.total = self.total.and_then(|total| total.checked_add(i128::try_from(item).ok()?));
            }

            fn merge(&mut self, later: &Self) {
                self.total = self.total.and_then(|total| total.checked_add(later.total?));
            }

            fn finish(&self) -> Option<$sum> {
                self.total.and_then(|total| <$sum>::try_from(total).ok())
            }
        }

        impl Summand for $item {
            type Sum = $sum;
            type Total = Exact<$item>;

            fn to_f64(self) -> f64 {
                self as f64
            }
        }
    )*};
}
integer!(i8 => i64, i16 => i64, i32 => i64, i64 => i64, isize => i64, i128 => i128);
integer!(u8 => u64, u16 => u64, u32 => u64, u64 => u64, usize => u64);

/// `impl Summand` for floats; for `f32` it reads: the sum of `f32` is an `f32`, made in compensated `f64`.
macro_rules! float {
    ($($item:ty),*) => {$(
        impl Total for Compensated<$item> {
            type Item = $item;
            type Sum = $item;

            fn add(&mut self, item: $item) {
                self.add_f64(f64::from(item));
            }

            fn merge(&mut self, later: &Self) {
                self.add_f64(later.total);
                self.error += later.error;
            }

            fn finish(&self) -> Option<$item> {
                Some(self.value() as $item)
            }
        }

        impl Summand for $item {
            type Sum = $item;
            type Total = Compensated<$item>;

            fn to_f64(self) -> f64 {
                f64::from(self)
            }
        }
    )*};
}
float!(f32, f64);

#[cfg(test)]
mod tests {
    use super::{Summand, Total};

    fn total<A: Summand>(items: &[A]) -> A::Total {
        let mut total = A::Total::default();
        items.iter().for_each(|&item| total.add(item));
        total
    }

    #[test]
    fn integers_widen_and_overflow_is_found_at_the_end_only() {
        assert_eq!(total(&[i8::MAX; 300]).finish(), Some(127 * 300));
        assert_eq!(total(&[i64::MAX, 1, -2]).finish(), Some(i64::MAX - 1));
        assert_eq!(total(&[i64::MAX, 1]).finish(), None);
        assert_eq!(total(&[u64::MAX]).finish(), Some(u64::MAX));
        assert_eq!(total(&[u64::MAX, 1]).finish(), None);
        assert_eq!(total::<i32>(&[]).finish(), Some(0));
        assert_eq!(total(&[i128::MAX, 1, -1]).finish(), None);
        let mut left = total(&[i64::MAX]);
        left.merge(&total(&[1i64]));
        assert_eq!(left.finish(), None);
        left.merge(&total(&[-1i64]));
        assert_eq!(left.finish(), Some(i64::MAX));
    }

    #[test]
    fn floats_keep_small_terms_and_undefined_ones() {
        assert_eq!(total(&[1e100f64, 1.0, -1e100]).finish(), Some(1.0));
        assert_eq!(total(&[0.1f64; 10]).finish(), Some(1.0));
        assert_eq!(total(&[f64::INFINITY, 1.0]).finish(), Some(f64::INFINITY));
        assert!(total(&[f64::INFINITY, f64::NEG_INFINITY]).finish().unwrap().is_nan());
        assert!(total(&[1.0f64, f64::NAN]).finish().unwrap().is_nan());
        let mut left = total(&[1e100f64]);
        left.merge(&total(&[1.0f64]));
        left.merge(&total(&[-1e100f64]));
        assert_eq!(left.finish(), Some(1.0));
        assert_eq!(<f32 as Summand>::Total::default().finish(), Some(0.0));
        assert_eq!(total(&[16_777_216f32, 1.0, 1.0]).finish(), Some(16_777_218.0));
    }
}
