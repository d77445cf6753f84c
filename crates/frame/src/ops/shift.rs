//! Rows against rows at a fixed distance.

use musher_graph_core::Site;
use polars::prelude::{Expr, all, lit};
use polars::series::ops::NullBehavior;

use crate::error::Error;
use crate::frame::Frame;
use crate::origin::Origin;

impl Frame {
    /// All values `n` rows farther down, or up if `n` is negative; where there is no row to take from they are missing.
    ///
    /// For some columns only, or both the old and the new, `col("x").shift(lit(n))` is an expression for
    /// [`select`](Frame::select), [`with_columns`](Frame::with_columns) and [`filter`](Frame::filter).
    ///
    /// **Shape** the same rows and partitions.
    /// **Cost** one pass, in which each partition has `|n|` rows of its neighbors beside it: `n` should be small against a
    /// partition. Where [`lengths`](Frame::lengths) are not known, the ends of partitions are passed on from one to the next,
    /// so a partition needs all before it, or all behind it where `n` is negative.
    ///
    /// # Errors
    /// [`Error::NotRowWise`] if `|n|` is more than rows are counted with (32 bits).
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1, 2, 3])?, 2)?;
    /// assert_eq!(frame.shift(1)?.compute()?, df!("x" => [None, Some(1), Some(2)])?);
    /// assert_eq!(frame.shift(-2)?.compute()?, df!("x" => [Some(3), None, None])?);
    /// let grows = frame.filter(col("x").gt(col("x").shift(lit(1))))?;
    /// assert_eq!(grows.compute()?, df!("x" => [2, 3])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn shift(&self, n: i64) -> Result<Self, Error> {
        let origin = Origin { operation: "shift", caller: Site::caller() };
        self.select_at(&[all().as_expr().shift(lit(n))], origin)
    }

    /// As [`shift`](Frame::shift), with a value where there is no row to take from.
    ///
    /// # Errors
    /// [`Error::Expression`] where the value does not fit a column, [`Error::NotRowWise`] where it is no literal; else as
    /// [`shift`](Frame::shift). On computing [`Error::Polars`] where categories, enums or structs are filled and a partition sees
    /// fewer than `|n|` rows with those beside it: polars fails on such short tables, and here partitions are some.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1, 2, 3])?, 2)?;
    /// assert_eq!(frame.shift_and_fill(1, 0)?.compute()?, df!("x" => [0, 1, 2])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn shift_and_fill(&self, n: i64, fill: impl Into<Expr>) -> Result<Self, Error> {
        let origin = Origin { operation: "shift_and_fill", caller: Site::caller() };
        self.select_at(&[all().as_expr().shift_and_fill(lit(n), fill)], origin)
    }

    /// All values less those `n` rows before, or behind if `n` is negative; missing where there is no such row.
    ///
    /// Types are polars': the differences of unsigned numbers have a sign, those of times are durations.
    ///
    /// **Shape** the same rows and partitions.
    /// **Cost** as [`shift`](Frame::shift).
    ///
    /// # Errors
    /// [`Error::Expression`] where a column has no differences, such as one of texts; else as [`shift`](Frame::shift).
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1, 4, 9])?, 3)?;
    /// assert_eq!(frame.diff(1)?.compute()?, df!("x" => [None, Some(3), Some(5)])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn diff(&self, n: i64) -> Result<Self, Error> {
        let origin = Origin { operation: "diff", caller: Site::caller() };
        self.select_at(&[all().as_expr().diff(lit(n), NullBehavior::Ignore)], origin)
    }
}
