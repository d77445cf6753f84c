//! Running sums, products, extremes and counts over all rows so far.

use musher_graph_core::Site;
use std::collections::HashSet;
use std::sync::Arc;

use polars::prelude::{DataType, Expr, Schema, col, when};

use crate::carried::{Carried, Side};
use crate::check;
use crate::error::Error;
use crate::frame::Frame;
use crate::kernel::aggregate::WideSum;
use crate::origin::Origin;
use crate::step::PartitionStep;

/// What begins the names of the columns that are carried.
const PREFIX: &str = "__musher_carried_";

/// A column whose running answers are asked for.
struct Values<'a> {
    dtype: &'a DataType,
    /// The values.
    x: Expr,
    /// The running answer within the partition.
    own: Expr,
    /// The answer of all rows before the partition.
    before: Expr,
}

/// How running answers are computed.
struct Running {
    /// Within the partition, from the values.
    own: Expr,
    /// Of all rows of a partition, from the values.
    state: Expr,
    /// Of several partitions, from `before`.
    combine: Expr,
    /// Of all rows so far, from `own` and `before`.
    all: Expr,
    /// Their type.
    result: DataType,
}

impl Frame {
    /// These columns replaced by the sums of their values so far; all columns, if none is named.
    ///
    /// A missing value has no sum, and the sums behind it pass over it; NaN stays in all sums behind it.
    /// Sums of integers and truth values are `Int64` (`UInt64` sums stay so) and exact, or they fail the run with
    /// [`Error::IntegerOverflow`], where polars' wrap; sums of floats are as exact as polars' own.
    ///
    /// **Shape** the same rows and partitions.
    /// **Cost** one pass. Partitions wait for the sums of those before them, which are made first. Sums of integers take 16
    /// bytes a row while a partition is computed.
    ///
    /// # Errors
    /// [`Error::NoColumn`]; [`Error::NotNumeric`] for columns that have no sums.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [Some(1), Some(2), None, Some(3)], "y" => [1, 1, 1, 1])?, 2)?;
    /// let sums = frame.cum_sum(["x"])?.compute()?;
    /// assert_eq!(sums, df!("x" => [Some(1_i64), Some(3), None, Some(6)], "y" => [1, 1, 1, 1])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "cumsum")]
    pub fn cum_sum<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let origin = Origin { operation: "cum_sum", caller: Site::caller() };
        self.running(columns, origin, |Values { dtype, x, own, before }| {
            let (x, result) = wide(x, dtype)?;
            let (running, combine) = (x.clone().cum_sum(false), before.clone().sum());
            Some(Running { own: running, state: x.sum(), combine, all: own + before, result })
        })
    }

    /// These columns replaced by the products of their values so far; all columns, if none is named.
    ///
    /// Missing values and NaN are treated as by [`cum_sum`](Frame::cum_sum). Products of integers and truth values are
    /// `Int64` and exact, or they fail the run with [`Error::IntegerOverflow`], where polars' wrap.
    ///
    /// **Shape** and **cost** as [`cum_sum`](Frame::cum_sum).
    ///
    /// # Errors
    /// [`Error::NoColumn`]; [`Error::NotNumeric`] for columns that are neither integers of up to 64 bits nor floats.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [2.0, 3.0, 0.5])?, 3)?;
    /// assert_eq!(frame.cum_prod(["x"])?.compute()?, df!("x" => [2.0, 6.0, 3.0])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "cumprod")]
    pub fn cum_prod<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let origin = Origin { operation: "cum_prod", caller: Site::caller() };
        self.running(columns, origin, |Values { dtype, x, own, before }| {
            // The first product beyond 64 bits is exact in 128, and fails the run; what wraps later is not seen, or times 0.
            let (x, result) = match wide(x, dtype)? {
                (x, DataType::UInt64 | DataType::Int64) => (x, DataType::Int64),
                (x, result) if result.is_float() => (x, result),
                _ => return None,
            };
            let (running, combine) = (x.clone().cum_prod(false), before.clone().product());
            Some(Running { own: running, state: x.product(), combine, all: own * before, result })
        })
    }

    /// These columns replaced by the least of their values so far; all columns, if none is named.
    ///
    /// A missing value has none, and those behind it pass over it; NaN is passed over unless there is nothing else.
    ///
    /// **Shape** and **cost** as [`cum_sum`](Frame::cum_sum).
    ///
    /// # Errors
    /// [`Error::NoColumn`]; [`Error::Expression`] for texts and lists, of which polars has none.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [Some(3), None, Some(5), Some(1)])?, 2)?;
    /// assert_eq!(frame.cum_min([])?.compute()?, df!("x" => [Some(3), None, Some(3), Some(1)])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "cummin")]
    pub fn cum_min<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let origin = Origin { operation: "cum_min", caller: Site::caller() };
        self.running(columns, origin, |Values { dtype, x, own, before }| {
            let (running, state, combine) = (x.clone().cum_min(false), x.min(), before.clone().min());
            // NaN is larger than every number.
            let all = either(own.clone().lt(before.clone()), own, before);
            Some(Running { own: running, state, combine, all, result: dtype.clone() })
        })
    }

    /// These columns replaced by the greatest of their values so far; all columns, if none is named.
    ///
    /// Missing values and NaN, **shape**, **cost** and errors are those of [`cum_min`](Frame::cum_min).
    ///
    /// # Errors
    /// As [`cum_min`](Frame::cum_min).
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [Some(3), None, Some(1), Some(5)])?, 2)?;
    /// assert_eq!(frame.cum_max([])?.compute()?, df!("x" => [Some(3), None, Some(3), Some(5)])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "cummax")]
    pub fn cum_max<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let origin = Origin { operation: "cum_max", caller: Site::caller() };
        self.running(columns, origin, |Values { dtype, x, own, before }| {
            let (running, state, combine) = (x.clone().cum_max(false), x.max(), before.clone().max());
            let mut greater = own.clone().gt(before.clone());
            if dtype.is_float() {
                // NaN is no greatest value unless it is the only one.
                greater = before.clone().is_nan().or(own.clone().is_not_nan().and(greater));
            }
            let all = either(greater, own, before);
            Some(Running { own: running, state, combine, all, result: dtype.clone() })
        })
    }

    /// These columns replaced by the number of their values so far that are not missing; all columns, if none is named.
    ///
    /// Counts are `Int64`, and a missing value has one, too.
    ///
    /// **Shape** and **cost** as [`cum_sum`](Frame::cum_sum).
    ///
    /// # Errors
    /// [`Error::NoColumn`].
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [Some("a"), None, Some("b")])?, 3)?;
    /// assert_eq!(frame.cum_count(["x"])?.compute()?, df!("x" => [1_i64, 1, 2])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "cumcount")]
    pub fn cum_count<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let origin = Origin { operation: "cum_count", caller: Site::caller() };
        self.running(columns, origin, |Values { x, own, before, .. }| {
            let result = DataType::Int64;
            let (running, state) =
                (x.clone().cum_count(false).cast(result.clone()), x.count().cast(result.clone()));
            Some(Running { own: running, state, combine: before.clone().sum(), all: own + before, result })
        })
    }

    fn running<'a>(
        &self,
        columns: impl IntoIterator<Item = &'a str>,
        origin: Origin,
        of: impl Fn(Values<'_>) -> Option<Running>,
    ) -> Result<Self, Error> {
        let mut columns: Vec<&str> = columns.into_iter().collect();
        if columns.is_empty() {
            columns = self.columns();
        }
        let mut seen = HashSet::new();
        columns.retain(|column| seen.insert(*column));
        let mut schema = Schema::clone(&self.schema);
        let [mut own, mut state, mut combine, mut all, mut result] = [const { Vec::new() }; 5];
        for (number, column) in columns.iter().enumerate() {
            let dtype = self.check_column(column, origin)?;
            let carried = format!("{PREFIX}{number}");
            let values = Values { dtype, x: col(*column), own: col(*column), before: col(&carried) };
            let running = of(values).ok_or_else(|| Error::NotNumeric {
                expression: format!("{}(\"{column}\")", origin.operation),
                part: origin.operation.to_owned(),
                dtype: Box::new(dtype.clone()),
                caller: origin.caller,
            })?;
            own.push(running.own.alias(*column));
            state.push(running.state.alias(&carried));
            combine.push(running.combine.alias(&carried));
            all.push(running.all.alias(*column));
            result.push(match running.result.is_duration() {
                // No cast leads there from 128 bits.
                true => col(*column).cast(DataType::Int64).cast(running.result.clone()),
                false => col(*column).cast(running.result.clone()),
            });
            schema.with_column((*column).into(), running.result);
        }
        check::types(&self.schema, &own, origin, |lazy| lazy.with_columns(&own))?;
        // What is carried in 128 bits must fit where fewer are given back.
        let states = Self::resolved(self.nothing().select(&state), origin)?;
        let mut sums = Vec::new();
        for (column, state) in columns.iter().zip(states.iter_values()) {
            let dtype = schema.get(column).cloned().unwrap_or(DataType::Int128);
            if *state == DataType::Int128 && dtype != DataType::Int128 {
                let expression = format!("{}(\"{column}\")", origin.operation);
                sums.push(WideSum { column: (*column).into(), expression, dtype });
            }
        }
        let check = (!sums.is_empty()).then(|| PartitionStep::check_sums(sums));
        let names = self.columns().into_iter().map(col).collect();
        let apply = [own, all].map(PartitionStep::with_columns).into_iter().chain(check);
        let apply =
            apply.chain([PartitionStep::with_columns(result), PartitionStep::select(names)]).collect();
        self.carried(Carried { side: Side::Before, state, combine, apply }, Arc::new(schema), origin)
    }
}

/// Values in the type in which they are added without loss, and the type of their sums; `None` of what has none.
fn wide(x: Expr, dtype: &DataType) -> Option<(Expr, DataType)> {
    let wide = |x: Expr| x.cast(DataType::Int128);
    Some(match dtype {
        DataType::UInt128 => return None,
        DataType::UInt64 | DataType::Int128 => (wide(x), dtype.clone()),
        DataType::Duration(_) => (wide(x.cast(DataType::Int64)), dtype.clone()),
        DataType::Decimal(_, scale) => (x, DataType::Decimal(DECIMAL_DIGITS, *scale)),
        dtype if dtype.is_float() => (x.cast(DataType::Float64), dtype.clone()),
        dtype if dtype.is_integer() || dtype.is_bool() => (wide(x.cast(DataType::Int64)), DataType::Int64),
        _ => return None,
    })
}

/// Digits of the sums of decimals.
const DECIMAL_DIGITS: usize = 38;

/// The value of the partition where it is chosen or the only one; else the one before; none where it is missing.
fn either(own_is_chosen: Expr, own: Expr, before: Expr) -> Expr {
    let only = own.clone().is_null().or(before.clone().is_null());
    when(only.or(own_is_chosen)).then(own).otherwise(before)
}
