//! Missing values and NaN replaced: by one value, or by the nearest value of another row.

use std::collections::HashSet;
use std::sync::Arc;

use musher_graph_core::Site;
use polars::prelude::{Expr, FillNullStrategy, col};

use crate::carried::{Carried, Side};
use crate::check;
use crate::error::Error;
use crate::frame::Frame;
use crate::origin::Origin;
use crate::step::PartitionStep;

/// What begins the names of the columns that are carried.
const PREFIX: &str = "__musher_carried_";

impl Frame {
    /// Missing values replaced by what an expression says, in all columns whose type it has; a literal number replaces them
    /// in all columns of numbers, a literal text in those of texts.
    ///
    /// For some columns only, or by an aggregate: `col("x").fill_null(col("x").mean())` in
    /// [`with_columns`](Frame::with_columns).
    ///
    /// **Shape** the same rows and partitions.
    /// **Cost** one pass.
    ///
    /// # Errors
    /// [`Error::Expression`] where the value fits no column; else as [`select`](Frame::select).
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [Some(1), None], "name" => [None, Some("b")])?, 2)?;
    /// assert_eq!(frame.fill_null(0)?.compute()?, df!("x" => [1, 0], "name" => [None, Some("b")])?);
    /// assert_eq!(frame.fill_null(lit("?"))?.compute()?, df!("x" => [Some(1), None], "name" => ["?", "b"])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "fillna")]
    pub fn fill_null(&self, value: impl Into<Expr>) -> Result<Self, Error> {
        let origin = Origin { operation: "fill_null", caller: Site::caller() };
        let value = value.into();
        let of = Self::resolved(self.nothing().select([value.clone().alias("value")]), origin)?;
        let kind = |dtype: &polars::prelude::DataType| match dtype {
            dtype if dtype.is_primitive_numeric() || dtype.is_decimal() => 0,
            dtype if dtype.is_string() || dtype.is_categorical() || dtype.is_enum() => 1,
            dtype if dtype.is_bool() => 2,
            dtype if dtype.is_temporal() => 3,
            _ => 4,
        };
        let wanted = of.iter_values().next().map(kind);
        let columns = self.schema.iter().filter(|(_, dtype)| Some(kind(dtype)) == wanted);
        let filled: Vec<Expr> = columns.map(|(name, _)| col(name.clone()).fill_null(value.clone())).collect();
        if filled.is_empty() {
            let what = "the number of columns of the value's kind";
            return Err(Error::Zero { operation: origin.operation, what, caller: origin.caller });
        }
        self.with_columns_at(&filled, origin)
    }

    /// NaN replaced by what an expression says, in all columns of floats.
    ///
    /// **Shape** the same rows and partitions.
    /// **Cost** one pass.
    ///
    /// # Errors
    /// [`Error::Zero`] if no column is of floats; else as [`select`](Frame::select).
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1.5, f64::NAN], "n" => [1, 2])?, 2)?;
    /// assert_eq!(frame.fill_nan(0.0)?.compute()?, df!("x" => [1.5, 0.0], "n" => [1, 2])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn fill_nan(&self, value: impl Into<Expr>) -> Result<Self, Error> {
        let origin = Origin { operation: "fill_nan", caller: Site::caller() };
        let value = value.into();
        let floats = self.schema.iter().filter(|(_, dtype)| dtype.is_float());
        let filled: Vec<Expr> = floats.map(|(name, _)| col(name.clone()).fill_nan(value.clone())).collect();
        if filled.is_empty() {
            let what = "the number of columns of floats";
            return Err(Error::Zero { operation: origin.operation, what, caller: origin.caller });
        }
        self.with_columns_at(&filled, origin)
    }

    /// Missing values of these columns replaced by the last value before them that is not missing; of all columns, if none
    /// is named.
    ///
    /// Those before the first value stay missing. NaN is a value. With a `limit` at most so many missing values behind a
    /// value are replaced.
    ///
    /// **Shape** the same rows and partitions.
    /// **Cost** one pass. Without a limit partitions wait for the last values of those before them; with one they see so many
    /// rows of their neighbors, as [`shift`](Frame::shift) does.
    ///
    /// # Errors
    /// [`Error::NoColumn`]; [`Error::Expression`] for types of which polars fills none.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [None, Some(1), None, None])?, 3)?;
    /// assert_eq!(frame.forward_fill([], None)?.compute()?, df!("x" => [None, Some(1), Some(1), Some(1)])?);
    /// assert_eq!(frame.forward_fill(["x"], 1)?.compute()?, df!("x" => [None, Some(1), Some(1), None])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "ffill")]
    #[doc(alias = "pad")]
    pub fn forward_fill<'a>(
        &self,
        columns: impl IntoIterator<Item = &'a str>,
        limit: impl Into<Option<u32>>,
    ) -> Result<Self, Error> {
        let origin = Origin { operation: "forward_fill", caller: Site::caller() };
        self.filled(Side::Before, columns.into_iter().collect(), limit.into(), origin)
    }

    /// Missing values of these columns replaced by the next value behind them that is not missing; of all columns, if none
    /// is named.
    ///
    /// Otherwise as [`forward_fill`](Frame::forward_fill), seen from the end: a partition waits for those behind it.
    ///
    /// # Errors
    /// As [`forward_fill`](Frame::forward_fill).
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [None, Some(1), None, None, Some(2)])?, 3)?;
    /// assert_eq!(frame.backward_fill([], None)?.compute()?, df!("x" => [1, 1, 2, 2, 2])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "bfill")]
    #[doc(alias = "backfill")]
    pub fn backward_fill<'a>(
        &self,
        columns: impl IntoIterator<Item = &'a str>,
        limit: impl Into<Option<u32>>,
    ) -> Result<Self, Error> {
        let origin = Origin { operation: "backward_fill", caller: Site::caller() };
        self.filled(Side::After, columns.into_iter().collect(), limit.into(), origin)
    }

    /// Missing values replaced by the nearest value on a side.
    fn filled<'a>(
        &'a self,
        side: Side,
        mut columns: Vec<&'a str>,
        limit: Option<u32>,
        origin: Origin,
    ) -> Result<Self, Error> {
        if columns.is_empty() {
            columns = self.columns();
        }
        let mut seen = HashSet::new();
        columns.retain(|column| seen.insert(*column));
        columns.iter().try_for_each(|column| self.check_column(column, origin).map(drop))?;
        let strategy = match side {
            Side::Before => FillNullStrategy::Forward(limit),
            Side::After => FillNullStrategy::Backward(limit),
        };
        let filled = |column: &&str| col(*column).fill_null_with_strategy(strategy);
        let own: Vec<Expr> = columns.iter().map(filled).collect();
        if limit.is_some() {
            return self.with_columns_at(&own, origin);
        }
        check::types(&self.schema, &own, origin, |lazy| lazy.with_columns(&own))?;
        let nearest = |x: Expr| match side {
            Side::Before => x.last_non_null(),
            Side::After => x.first_non_null(),
        };
        let [mut state, mut combine, mut all] = [const { Vec::new() }; 3];
        for (number, column) in columns.iter().enumerate() {
            let carried = format!("{PREFIX}{number}");
            state.push(nearest(col(*column)).alias(&carried));
            combine.push(nearest(col(&carried)));
            all.push(col(*column).fill_null(col(&carried)));
        }
        let names = self.columns().into_iter().map(col).collect();
        let apply = [
            PartitionStep::with_columns(own),
            PartitionStep::with_columns(all),
            PartitionStep::select(names),
        ];
        let carried = Carried { side, state, combine, apply: apply.into() };
        self.carried(carried, Arc::clone(&self.schema), origin)
    }
}
