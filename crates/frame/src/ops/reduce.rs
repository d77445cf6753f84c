//! Whole columns in one number or a few: sums, means, counts, distinct values, a description.

use std::sync::Arc;

use musher_graph_core::{
    Delayed, FnTask, Grid, Inputs, Layer, Place, Port, Site, Token, Tokenizer, Value, Wiring,
};
use polars::prelude::{
    Column, DataFrame, DataType, Expr, Field, IntoColumn, NULL, NamedFrom, PlSmallStr, PolarsResult,
    QuantileMethod, Schema, Series, SortMultipleOptions, UniqueKeepStrategy, col, len, lit, when,
};

use crate::error::Error;
use crate::frame::Frame;
use crate::kernel::aggregate::is_number;
use crate::origin::Origin;
use crate::partition::Partition;
use crate::step::PartitionStep;

impl Frame {
    /// The number of rows.
    ///
    /// **Cost** none where [`lengths`](Frame::lengths) are known; else one pass that reads no more columns than it
    /// takes to count.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1, 2, 6])?, 2)?;
    /// assert_eq!(frame.filter(col("x").gt(lit(1)))?.len().compute()?, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "height")]
    #[doc(alias = "n_rows")]
    pub fn len(&self) -> Delayed<u64> {
        let origin = Origin { operation: "len", caller: Site::caller() };
        if let Some(lengths) = self.lengths() {
            let n_rows = lengths.iter().map(|&n| n as u64).sum::<u64>();
            let task = FnTask::new("len", move |_at: Place<'_>, _: &mut Inputs<'_>| Ok(Value(n_rows)))
                .params("frame.known_len/1", &n_rows);
            let layer = Layer::build(task).caller(origin.caller).finish(Grid::scalar());
            return Delayed::from_port(Port::of(layer));
        }
        let counts = PartitionStep::aggregate(vec![len().cast(DataType::UInt64)]);
        let counts = self.then(counts, Arc::clone(&self.schema), false, origin);
        let sum = FnTask::new("len", |_at: Place<'_>, inputs: &mut Inputs<'_>| {
            let mut n_rows = 0;
            for partition in inputs.slot::<Partition>(0)? {
                n_rows += partition.0.columns()[0].u64()?.get(0).unwrap_or(0);
            }
            Ok(Value(n_rows))
        })
        .named("frame.len/1");
        let layer =
            Layer::build(sum).caller(origin.caller).input(&counts.port, Wiring::All).finish(Grid::scalar());
        Delayed::from_port(Port::of(layer))
    }

    /// Whether the frame has no rows.
    ///
    /// **Cost** as [`len`](Frame::len).
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from(df!("x" => [1, 2])?);
    /// assert!(frame.filter(col("x").gt(lit(2)))?.is_empty().compute()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn is_empty(&self) -> Delayed<bool> {
        let caller = Site::caller();
        let task = FnTask::new("is_empty", |_at: Place<'_>, inputs: &mut Inputs<'_>| {
            let Value(n_rows) = inputs.get::<Value<u64>>(0)?;
            Ok(Value(*n_rows == 0))
        })
        .named("frame.is_empty/1");
        let len = self.len();
        let layer =
            Layer::build(task).caller(caller).input(musher_graph_core::Collection::port(&len), Wiring::All);
        Delayed::from_port(Port::of(layer.finish(Grid::scalar())))
    }

    /// The sum of each column of numbers, booleans or durations, as one row; integers as `Int64`, or an error.
    ///
    /// # Errors
    /// [`Error::Zero`] if there is no such column.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from(df!("x" => [i32::MAX, i32::MAX], "name" => ["a", "b"])?);
    /// assert_eq!(frame.sum()?.compute()?, df!("x" => [2 * i64::from(i32::MAX)])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn sum(&self) -> Result<Self, Error> {
        let origin = Origin { operation: "sum", caller: Site::caller() };
        self.each(|dtype| is_number(dtype) || dtype.is_duration() || dtype.is_decimal(), Expr::sum, origin)
    }

    /// The mean of each column of numbers or booleans, as one row.
    ///
    /// # Errors
    /// [`Error::Zero`] if there is no such column.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1, 2, 6], "name" => ["a", "b", "b"])?, 2)?;
    /// assert_eq!(frame.mean()?.compute()?, df!("x" => [3.0])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn mean(&self) -> Result<Self, Error> {
        self.each(is_number, Expr::mean, Origin { operation: "mean", caller: Site::caller() })
    }

    /// The standard deviation of each column of numbers or booleans, as one row: the root of [`var`](Frame::var).
    ///
    /// # Errors
    /// As [`var`](Frame::var).
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1, 2, 6], "name" => ["a", "b", "b"])?, 2)?;
    /// assert_eq!(frame.std(1.0)?.compute()?, df!("x" => [7_f64.sqrt()])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn std(&self, ddof: f64) -> Result<Self, Error> {
        let origin = Origin { operation: "std", caller: Site::caller() };
        check_ddof(ddof, origin)?;
        self.each(is_number, |x| deviation(x, ddof, true), origin)
    }

    /// The variance of each column of numbers or booleans, as one row: Σ (xᵢ − mean)² / (n − `ddof`) over the n values
    /// that are not missing, or a missing value where n is not greater than `ddof`.
    ///
    /// # Errors
    /// [`Error::Zero`] if there is no such column, [`Error::Ddof`] if `ddof` is negative or NaN.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1, 2, 6], "name" => ["a", "b", "b"])?, 2)?;
    /// assert_eq!(frame.var(1.0)?.compute()?, df!("x" => [7.0])?);
    /// assert!(frame.var(-1.0).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn var(&self, ddof: f64) -> Result<Self, Error> {
        let origin = Origin { operation: "var", caller: Site::caller() };
        check_ddof(ddof, origin)?;
        self.each(is_number, |x| deviation(x, ddof, false), origin)
    }

    /// The smallest value of each column that has an order, as one row.
    ///
    /// # Errors
    /// [`Error::Zero`] if there is no such column.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1, 2, 6], "name" => ["a", "b", "b"])?, 2)?;
    /// assert_eq!(frame.min()?.compute()?, df!("x" => [1], "name" => ["a"])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn min(&self) -> Result<Self, Error> {
        self.each(|dtype| !dtype.is_nested(), Expr::min, Origin { operation: "min", caller: Site::caller() })
    }

    /// The largest value of each column that has an order, as one row.
    ///
    /// # Errors
    /// [`Error::Zero`] if there is no such column.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1, 2, 6], "name" => ["a", "b", "b"])?, 2)?;
    /// assert_eq!(frame.max()?.compute()?, df!("x" => [6], "name" => ["b"])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn max(&self) -> Result<Self, Error> {
        self.each(|dtype| !dtype.is_nested(), Expr::max, Origin { operation: "max", caller: Site::caller() })
    }

    /// The number of values of each column that are not missing, as one row.
    ///
    /// # Errors
    /// [`Error::Zero`] if there are no columns.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [Some(1), None, Some(1)])?, 2)?;
    /// assert_eq!(frame.count()?.compute()?, df!("x" => [2_i64])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn count(&self) -> Result<Self, Error> {
        self.each(|_| true, Expr::count, Origin { operation: "count", caller: Site::caller() })
    }

    /// The number of missing values of each column, as one row.
    ///
    /// # Errors
    /// [`Error::Zero`] if there are no columns.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [Some(1), None, Some(1)])?, 2)?;
    /// assert_eq!(frame.null_count()?.compute()?, df!("x" => [1_i64])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "isna")]
    pub fn null_count(&self) -> Result<Self, Error> {
        self.each(|_| true, Expr::null_count, Origin { operation: "null_count", caller: Site::caller() })
    }

    /// The number of distinct values of each column, missing ones being one, as one row.
    ///
    /// **Cost** the distinct values of all columns must fit into memory.
    ///
    /// # Errors
    /// [`Error::Zero`] if there are no columns.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [Some(1), None, Some(1)])?, 2)?;
    /// assert_eq!(frame.n_unique()?.compute()?, df!("x" => [2_i64])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "nunique")]
    pub fn n_unique(&self) -> Result<Self, Error> {
        let origin = Origin { operation: "n_unique", caller: Site::caller() };
        self.each(|dtype| !dtype.is_nested(), Expr::n_unique, origin)
    }

    /// An aggregate of each column whose type is chosen.
    pub(super) fn each(
        &self,
        chosen: impl Fn(&DataType) -> bool,
        aggregate: impl Fn(Expr) -> Expr,
        origin: Origin,
    ) -> Result<Self, Error> {
        let columns = self.schema.iter().filter(|(_, dtype)| chosen(dtype));
        let aggregates: Vec<Expr> = columns.map(|(name, _)| aggregate(col(name.clone()))).collect();
        if aggregates.is_empty() {
            return Err(Error::Zero {
                operation: origin.operation,
                what: "the number of columns that this can be computed of",
                caller: origin.caller,
            });
        }
        self.aggregate_at(&aggregates, origin)
    }

    /// Count, missing values, mean, deviation, smallest and largest value of each column, and quantiles of the
    /// numbers: one row each, named in the column `statistic`.
    ///
    /// Columns of numbers and booleans become floats, others texts, of which only counts and extremes are given.
    /// Quantiles are interpolated linearly, as pandas does.
    ///
    /// **Cost** one pass. With `quantiles`, which are exact, all numbers go to one task: 8 bytes a number. None
    /// are computed for an empty list.
    ///
    /// # Errors
    /// [`Error::Zero`] if there are no columns; [`Error::Expression`] for a quantile that is not from 0 to 1.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1, 2, 6], "name" => ["a", "b", "c"])?, 2)?;
    /// let described = frame.describe(&[0.5])?.compute()?;
    /// assert_eq!(described.column("statistic")?.str()?.get(5), Some("50%"));
    /// assert_eq!(described.column("x")?.f64()?.get(5), Some(2.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn describe(&self, quantiles: &[f64]) -> Result<Self, Error> {
        let origin = Origin { operation: "describe", caller: Site::caller() };
        let columns: Vec<(PlSmallStr, bool)> = self
            .schema
            .iter()
            .filter(|(_, dtype)| !dtype.is_nested())
            .map(|(name, dtype)| (name.clone(), is_number(dtype)))
            .collect();
        if columns.is_empty() {
            return Err(Error::Zero {
                operation: origin.operation,
                what: "the number of columns",
                caller: origin.caller,
            });
        }
        let statistics = statistics(quantiles);
        let mut aggregates = Vec::new();
        for (name, is_number) in &columns {
            for (number, statistic) in statistics.iter().enumerate() {
                aggregates.extend(statistic.of(name, *is_number).map(|expr| expr.alias(cell(name, number))));
            }
        }
        let row = self.aggregate_at(&aggregates, origin)?;
        let mut schema = Schema::from_iter([Field::new("statistic".into(), DataType::String)]);
        for (name, is_number) in &columns {
            schema.with_column(name.clone(), if *is_number { DataType::Float64 } else { DataType::String });
        }
        let schema = Arc::new(schema);
        let names: Vec<String> = statistics.iter().map(Statistic::name).collect();
        let function = Arc::new(move |row| Ok(upright(&row, &columns, &names)?));
        let enter = |tokenizer: &mut Tokenizer| {
            tokenizer.name("frame.describe/1");
            quantiles.to_vec().token(tokenizer);
        };
        let step = PartitionStep::map(origin.operation, enter, Arc::clone(&schema), function);
        Ok(row.then(step, schema, false, origin))
    }

    /// How often each value of a column occurs, most frequent first, equal counts in order of appearance: the
    /// value and its `count`.
    ///
    /// **Cost** the distinct values must fit into memory.
    ///
    /// # Errors
    /// [`Error::NoColumn`].
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => ["b", "a", "c", "a"])?, 2)?;
    /// let counts = frame.value_counts("x")?.compute()?;
    /// assert_eq!(counts, df!("x" => ["a", "b", "c"], "count" => [2_i64, 1, 1])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn value_counts(&self, column: &str) -> Result<Self, Error> {
        let origin = Origin { operation: "value_counts", caller: Site::caller() };
        self.check_column(column, origin)?;
        self.value_counts_at(column, "count", origin)
    }

    pub(super) fn value_counts_at(&self, column: &str, count: &str, origin: Origin) -> Result<Self, Error> {
        let counts = self.group_by([col(column)])?.agg_at(&[len().alias(count)], origin)?;
        let options = SortMultipleOptions::default().with_order_descending(true).with_maintain_order(true);
        let sort = PartitionStep::sort(vec![col(count)], options);
        let schema = Arc::clone(&counts.schema);
        Ok(counts.then(sort, schema, true, origin))
    }

    /// The first row of each combination of values in these columns, in order; of all columns, if none is named.
    ///
    /// **Shape** one partition.
    /// **Cost** the distinct rows must fit into memory.
    ///
    /// # Errors
    /// [`Error::NoColumn`].
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1, 2, 1], "y" => [1, 2, 3])?, 2)?;
    /// assert_eq!(frame.unique(["x"])?.compute()?, df!("x" => [1, 2], "y" => [1, 2])?);
    /// assert_eq!(frame.unique([])?.compute()?.height(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "drop_duplicates")]
    pub fn unique<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let origin = Origin { operation: "unique", caller: Site::caller() };
        let step = self.unique_step(columns.into_iter().collect(), origin)?;
        let parts = self.then(step.clone(), Arc::clone(&self.schema), false, origin);
        Ok(parts.tree(&[step], Vec::new(), Arc::clone(&self.schema), origin))
    }

    fn unique_step(&self, columns: Vec<&str>, origin: Origin) -> Result<PartitionStep, Error> {
        columns.iter().try_for_each(|column| self.check_column(column, origin).map(drop))?;
        let subset = (!columns.is_empty()).then(|| columns.into_iter().map(PlSmallStr::from).collect());
        Ok(PartitionStep::unique(subset, UniqueKeepStrategy::First))
    }

    /// As [`unique`](Frame::unique), with the rows in `n_partitions` partitions: for more of them than fit into memory.
    ///
    /// **Shape** `n_partitions`; which of them a row is in depends on its values in these columns alone, as for
    /// [`shuffle`](Frame::shuffle); in each the rows keep their order.
    /// **Cost** one pass; the distinct rows of each partition move all to all.
    ///
    /// # Errors
    /// [`Error::NoColumn`], [`Error::Zero`] for no partitions, [`Error::NoHash`] for columns of lists, arrays or structs.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1, 2, 1], "y" => [1, 2, 3])?, 2)?;
    /// let distinct = frame.unique_into(["x"], 2)?;
    /// assert_eq!((distinct.n_partitions(), distinct.len().compute()?), (2, 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn unique_into<'a>(
        &self,
        columns: impl IntoIterator<Item = &'a str>,
        n_partitions: usize,
    ) -> Result<Self, Error> {
        let origin = Origin { operation: "unique_into", caller: Site::caller() };
        if n_partitions == 0 {
            return Err(Error::Zero {
                operation: origin.operation,
                what: "n_partitions",
                caller: origin.caller,
            });
        }
        let columns: Vec<&str> = columns.into_iter().collect();
        let step = self.unique_step(columns.clone(), origin)?;
        let keys = if columns.is_empty() { self.columns() } else { columns };
        let keys: Vec<Expr> = keys.into_iter().map(col).collect();
        self.check_hashed(&keys, origin)?;
        let parts = self.then(step.clone(), Arc::clone(&self.schema), false, origin);
        let met = parts.exchanged_by(keys, n_partitions, origin);
        Ok(met.then(step, Arc::clone(&self.schema), false, origin))
    }
}

pub(super) fn check_ddof(ddof: f64, origin: Origin) -> Result<(), Error> {
    // NaN is not greater either.
    if ddof >= 0.0 {
        return Ok(());
    }
    Err(Error::Ddof { operation: origin.operation, ddof, caller: origin.caller })
}

/// The variance of `x`, or its root, with `ddof` degrees of freedom taken off.
fn deviation(x: Expr, ddof: f64, root: bool) -> Expr {
    // polars takes small whole numbers, which nearly all are.
    if ddof.fract() == 0.0 && ddof <= f64::from(u8::MAX) {
        return if root { x.std(ddof as u8) } else { x.var(ddof as u8) };
    }
    let n = x.clone().count().cast(DataType::Float64);
    let left = n.clone() - lit(ddof);
    let variance = x.var(0) * n / left.clone();
    let variance = if root { variance.sqrt() } else { variance };
    when(left.gt(lit(0.0))).then(variance).otherwise(lit(NULL).cast(DataType::Float64))
}

/// A row of a description.
enum Statistic {
    Count,
    NullCount,
    Mean,
    Std,
    Min,
    Quantile(f64),
    Max,
}

fn statistics(quantiles: &[f64]) -> Vec<Statistic> {
    use Statistic::{Count, Max, Mean, Min, NullCount, Quantile, Std};
    let before = [Count, NullCount, Mean, Std, Min].into_iter();
    before.chain(quantiles.iter().copied().map(Quantile)).chain([Max]).collect()
}

impl Statistic {
    fn name(&self) -> String {
        match self {
            Self::Count => "count".to_owned(),
            Self::NullCount => "null_count".to_owned(),
            Self::Mean => "mean".to_owned(),
            Self::Std => "std".to_owned(),
            Self::Min => "min".to_owned(),
            Self::Quantile(at) => format!("{}%", hundredfold(*at)),
            Self::Max => "max".to_owned(),
        }
    }

    /// The aggregate of a column, if it has one.
    fn of(&self, name: &PlSmallStr, is_number: bool) -> Option<Expr> {
        let x = col(name.clone());
        let extreme = |x: Expr| x.cast(if is_number { DataType::Float64 } else { DataType::String });
        match self {
            Self::Count => Some(x.count()),
            Self::NullCount => Some(x.null_count()),
            Self::Min => Some(extreme(x.min())),
            Self::Max => Some(extreme(x.max())),
            Self::Mean | Self::Std | Self::Quantile(_) if !is_number => None,
            Self::Mean => Some(x.mean()),
            Self::Std => Some(x.std(1)),
            Self::Quantile(at) => Some(x.cast(DataType::Float64).quantile(lit(*at), QuantileMethod::Linear)),
        }
    }
}

/// A hundred times a number, as its decimal digits say it: 29 for 0.29, of which the product is 28.999999999999996.
fn hundredfold(x: f64) -> f64 {
    let text = format!("{x:e}");
    let moved = text.split_once('e').and_then(|(digits, exponent)| {
        let exponent: i32 = exponent.parse().ok()?;
        format!("{digits}e{}", exponent + 2).parse().ok()
    });
    moved.unwrap_or(x * 100.0)
}

/// The name of a statistic of a column while they lie side by side.
fn cell(column: &str, statistic: usize) -> String {
    format!("{statistic}:{column}")
}

/// The description with one row a statistic, from the row that holds them all.
fn upright(row: &DataFrame, columns: &[(PlSmallStr, bool)], names: &[String]) -> PolarsResult<DataFrame> {
    let mut upright: Vec<Column> = vec![Series::new("statistic".into(), names).into_column()];
    for (column, is_number) in columns {
        let dtype = if *is_number { DataType::Float64 } else { DataType::String };
        let mut values = Series::new_empty(column.clone(), &dtype);
        for statistic in 0..names.len() {
            let value = match row.column(&cell(column, statistic)) {
                Ok(value) => value.as_materialized_series().cast(&dtype)?,
                Err(_) => Series::full_null(column.clone(), 1, &dtype),
            };
            values.append(&value.with_name(column.clone()))?;
        }
        upright.push(values.rechunk().into_column());
    }
    DataFrame::new_infer_height(upright)
}
