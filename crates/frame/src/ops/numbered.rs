//! The numbers of rows, and what is chosen by them: samples and random parts, the same whatever the partitions.

use std::sync::Arc;

use musher_graph_core::Site;
use polars::prelude::{DataType, Expr, Field, Schema, col, int_range, len, lit};

use crate::carried::{Carried, Side};
use crate::error::Error;
use crate::frame::Frame;
use crate::origin::Origin;
use crate::step::PartitionStep;

/// The column that is carried.
const BEFORE: &str = "__musher_carried_rows";
/// The number of a row, while it is needed.
const ROW: &str = "__musher_row";

impl Frame {
    /// All columns behind one that numbers the rows from 0, of type `UInt64`.
    ///
    /// **Shape** the same rows and partitions.
    /// **Cost** one pass. Partitions wait until the rows of those before them are counted.
    ///
    /// # Errors
    /// [`Error::Expression`] if there is such a column.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => ["a", "b", "c"])?, 2)?;
    /// let numbered = frame.with_row_index("row")?;
    /// assert_eq!(numbered.compute()?, df!("row" => [0_u64, 1, 2], "x" => ["a", "b", "c"])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "reset_index")]
    #[doc(alias = "ngroup")]
    pub fn with_row_index(&self, name: &str) -> Result<Self, Error> {
        self.numbered(name, Origin { operation: "with_row_index", caller: Site::caller() })
    }

    pub(super) fn numbered(&self, name: &str, origin: Origin) -> Result<Self, Error> {
        let mut schema = Schema::from_iter([Field::new(name.into(), DataType::UInt64)]);
        schema.merge(Schema::clone(&self.schema));
        if schema.len() == self.schema.len() {
            let names: Vec<Expr> =
                [lit(0).alias(name)].into_iter().chain(self.columns().into_iter().map(col)).collect();
            return Self::resolved(self.nothing().select(names), origin).map(|_| self.clone());
        }
        let own = int_range(lit(0_u64), len().cast(DataType::UInt64), 1, DataType::UInt64);
        let row = (own + col(BEFORE)).alias(name);
        let names = [row].into_iter().chain(self.columns().into_iter().map(col)).collect();
        let carried = Carried {
            side: Side::Before,
            state: vec![len().cast(DataType::UInt64).alias(BEFORE)],
            combine: vec![col(BEFORE).sum()],
            apply: vec![PartitionStep::select(names)],
        };
        self.carried(carried, Arc::new(schema), origin)
    }

    /// About a `fraction` of the rows, from 0 to 1, in their order.
    ///
    /// Whether a row is kept depends on its number and the seed alone: any partitions give the same rows, and a smaller
    /// fraction gives some of those of a larger one.
    ///
    /// **Cost** as [`with_row_index`](Frame::with_row_index).
    ///
    /// # Errors
    /// [`Error::Fraction`] if it is not from 0 to 1.
    ///
    /// **Source** G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", 2014: the numbers of
    /// the rows and the seed go through the finalizer of SplitMix64.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => (0..1000).collect::<Vec<_>>())?, 7)?;
    /// let some = frame.sample(0.1, 42)?.compute()?;
    /// assert!((60..140).contains(&some.height()));
    /// assert_eq!(frame.repartition(3)?.sample(0.1, 42)?.compute()?, some);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "random_sample")]
    pub fn sample(&self, fraction: f64, seed: u64) -> Result<Self, Error> {
        let origin = Origin { operation: "sample", caller: Site::caller() };
        if !(0.0..=1.0).contains(&fraction) {
            return Err(Error::Fraction { operation: origin.operation, fraction, caller: origin.caller });
        }
        self.drawn(0.0, fraction, seed, origin)
    }

    /// The rows in as many parts as there are fractions, each row at random in one; the fractions must add up to 1.
    ///
    /// Which part a row is in depends on its number and the seed alone.
    ///
    /// **Cost** as [`with_row_index`](Frame::with_row_index); parts that are computed together read the frame once.
    ///
    /// # Errors
    /// [`Error::Fraction`] if one is not from 0 to 1, or their sum is not 1.
    ///
    /// **Source** as of [`sample`](Frame::sample).
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => (0..1000).collect::<Vec<_>>())?, 7)?;
    /// let parts = frame.random_split(&[0.75, 0.25], 42)?;
    /// let (train, test) = (parts[0].len().compute()?, parts[1].len().compute()?);
    /// assert_eq!(train + test, 1000);
    /// assert!((700..800).contains(&train));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn random_split(&self, fractions: &[f64], seed: u64) -> Result<Vec<Self>, Error> {
        let origin = Origin { operation: "random_split", caller: Site::caller() };
        let wrong =
            |fraction| Error::Fraction { operation: origin.operation, fraction, caller: origin.caller };
        if let Some(fraction) = fractions.iter().find(|fraction| !(0.0..=1.0).contains(*fraction)) {
            return Err(wrong(*fraction));
        }
        let sum: f64 = fractions.iter().sum();
        if (sum - 1.0).abs() > ROUNDING {
            return Err(wrong(sum));
        }
        let mut from = 0.0;
        let mut parts = Vec::with_capacity(fractions.len());
        for (number, fraction) in fractions.iter().enumerate() {
            let to = if number + 1 == fractions.len() { 1.0 } else { from + fraction };
            parts.push(self.drawn(from, to, seed, origin)?);
            from = to;
        }
        Ok(parts)
    }

    /// The rows whose random number, from 0 up to 1, is in a range.
    fn drawn(&self, from: f64, to: f64, seed: u64, origin: Origin) -> Result<Self, Error> {
        let mut drawn = mixed(col(ROW), seed).gt_eq(lit(bound(from)));
        if to < 1.0 {
            drawn = drawn.and(mixed(col(ROW), seed).lt(lit(bound(to))));
        }
        let columns: Vec<Expr> = self.columns().into_iter().map(col).collect();
        self.numbered(ROW, origin)?.filter_at(drawn, origin)?.select_at(&columns, origin)
    }
}

/// How far a sum of fractions may be from 1.
const ROUNDING: f64 = 1e-9;

/// A fraction of 2⁶⁴.
fn bound(fraction: f64) -> u64 {
    (fraction * 2.0_f64.powi(64)) as u64
}

/// 64 random bits of a number: SplitMix64's, whose state is the number times the golden gamma from the seed on.
fn mixed(number: Expr, seed: u64) -> Expr {
    // Products of unsigned numbers wrap around.
    let shifted = |z: &Expr, bits: u32| z.clone().xor(z.clone().floor_div(lit(1_u64 << bits)));
    let z = (number + lit(1_u64)) * lit(0x9e37_79b9_7f4a_7c15_u64) + lit(seed);
    let z = shifted(&z, 30) * lit(0xbf58_476d_1ce4_e5b9_u64);
    let z = shifted(&z, 27) * lit(0x94d0_49bb_1331_11eb_u64);
    shifted(&z, 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::*;

    /// SplitMix64 as its authors write it.
    fn split_mix(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    #[test]
    fn the_numbers_are_those_of_split_mix_64() {
        for seed in [0, 42, u64::MAX] {
            let numbers = df!("row" => (0..1000_u64).collect::<Vec<_>>()).unwrap();
            let found = numbers.lazy().select([mixed(col("row"), seed)]).collect().unwrap();
            let mut state = seed;
            for found in found.columns()[0].u64().unwrap().iter() {
                assert_eq!(found, Some(split_mix(&mut state)));
            }
        }
        // Published with the generator, for the seed 1234567.
        let mut state = 1_234_567;
        assert_eq!(split_mix(&mut state), 6_457_827_717_110_365_317);
    }

    #[test]
    fn bounds_of_fractions_cover_all_numbers() {
        assert_eq!([bound(0.0), bound(0.5), bound(1.0)], [0, 1 << 63, u64::MAX]);
    }
}
