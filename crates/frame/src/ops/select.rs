//! Row by row: columns chosen, computed, renamed; rows kept or dropped; a function over each partition.

use std::error::Error as StdError;
use std::sync::Arc;

use musher_graph_core::{FnIdentity, Site, Tokenizer};
use polars::prelude::{DataFrame, DataType, Expr, SchemaRef, col};

use crate::check::{self, Window};
use crate::error::Error;
use crate::frame::Frame;
use crate::ops::totals::Totals;
use crate::origin::Origin;
use crate::step::PartitionStep;

/// The column of a predicate that sees other rows.
const PREDICATE: &str = "__musher_predicate";

impl Frame {
    /// The columns that these expressions compute, each row from that row alone or from rows at fixed distances.
    ///
    /// `shift`, `shift_and_fill`, `diff` and `pct_change` by literal numbers, rolling windows of so many rows
    /// (`rolling_mean`, `rolling_sum`, …), fills of at most so many rows, and peaks see the rows of other partitions, as
    /// polars' do in one table.
    /// An aggregate beside values of rows is that of the whole frame: `col("x") - col("x").mean()`. What can be aggregated, and
    /// the types of the results, are those of [`GroupBy::agg`](crate::GroupBy::agg).
    /// A rolling sum of floats is carried from row to row, so other partitions may change its last digits.
    ///
    /// **Cost** one pass; with rows of other partitions as [`shift`](Frame::shift). With aggregates one pass before it: what
    /// makes the rows is computed twice, or kept.
    ///
    /// # Errors
    /// [`Error::Expression`] where polars refuses them, [`Error::NotRowWise`] where they look at other rows in other ways
    /// (`over`, ranks, running sums): a partition holds only some of the rows, and the result would be silently wrong. The
    /// error says what to call instead. [`Error::NotDecomposable`] and [`Error::NotNumeric`] for aggregates, as
    /// [`aggregate`](Frame::aggregate).
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from(df!("x" => [1, 2], "y" => [10, 20])?);
    /// let sum = frame.select([(col("x") + col("y")).alias("sum")])?;
    /// assert_eq!(sum.compute()?, df!("sum" => [11, 22])?);
    /// assert!(frame.select([col("z")]).is_err());
    /// let change = frame.select([(col("y") - col("y").shift(lit(1))).alias("change")])?;
    /// assert_eq!(change.compute()?, df!("change" => [None, Some(10)])?);
    /// let centered = frame.select([col("x") - col("x").mean()])?;
    /// assert_eq!(centered.compute()?, df!("x" => [-0.5, 0.5])?);
    /// assert!(frame.select([col("x").rank(RankOptions::default(), None)]).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn select(&self, expressions: impl AsRef<[Expr]>) -> Result<Self, Error> {
        let origin = Origin { operation: "select", caller: Site::caller() };
        let expressions = expressions.as_ref();
        self.select_at(expressions, origin)
    }

    pub(super) fn select_at(&self, expressions: &[Expr], origin: Origin) -> Result<Self, Error> {
        check::depth(expressions, origin)?;
        let window = match check::window(self.nothing().select(expressions), origin) {
            Ok(window) => window,
            Err(refused) => {
                let totals = self.with_totals(expressions, origin)?.filter(Totals::has_rows);
                let Some(Totals { frame, expressions }) = totals else { return Err(refused) };
                return frame.select_at(&expressions, origin).map_err(|error| or_first(error, refused));
            }
        };
        let schema = Self::resolved(self.nothing().select(expressions), origin)?;
        check::types(&self.schema, expressions, origin, |lazy| lazy.select(expressions))?;
        let made = self.beside(window, PartitionStep::select(expressions.to_vec()), schema, origin);
        self.keep_sorted_by(made, expressions, origin)
    }

    /// All columns, plus those that these expressions compute; a column of the same name is replaced.
    ///
    /// # Errors
    /// As [`select`](Frame::select).
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from(df!("x" => [1, 2])?);
    /// let more = frame.with_columns([(col("x") * lit(2)).alias("double")])?;
    /// assert_eq!(more.compute()?, df!("x" => [1, 2], "double" => [2, 4])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "assign")]
    pub fn with_columns(&self, expressions: impl AsRef<[Expr]>) -> Result<Self, Error> {
        let origin = Origin { operation: "with_columns", caller: Site::caller() };
        self.with_columns_at(expressions.as_ref(), origin)
    }

    pub(super) fn with_columns_at(&self, expressions: &[Expr], origin: Origin) -> Result<Self, Error> {
        check::depth(expressions, origin)?;
        let schema = Self::resolved(self.nothing().with_columns(expressions), origin)?;
        let window = match check::window(self.nothing().with_columns(expressions), origin) {
            Ok(window) => window,
            Err(refused) => {
                let totals = self.with_totals(expressions, origin)?;
                let Some(Totals { frame, expressions }) = totals else { return Err(refused) };
                let more = frame.with_columns_at(&expressions, origin);
                let more = more.map_err(|error| or_first(error, refused))?;
                let columns: Vec<Expr> = schema.iter_names().cloned().map(col).collect();
                return more.select_at(&columns, origin);
            }
        };
        check::types(&self.schema, expressions, origin, |lazy| lazy.with_columns(expressions))?;
        let made = self.beside(window, PartitionStep::with_columns(expressions.to_vec()), schema, origin);
        self.keep_sorted_by(made, expressions, origin)
    }

    /// The rows for which an expression is true that [`select`](Frame::select) can compute.
    ///
    /// # Errors
    /// As [`select`](Frame::select).
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from(df!("x" => [Some(1), None, Some(3)])?);
    /// assert_eq!(frame.filter(col("x").gt(lit(1)))?.compute()?, df!("x" => [3])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "query")]
    #[doc(alias = "loc")]
    pub fn filter(&self, predicate: Expr) -> Result<Self, Error> {
        let origin = Origin { operation: "filter", caller: Site::caller() };
        self.filter_at(predicate, origin)
    }

    pub(super) fn filter_at(&self, predicate: Expr, origin: Origin) -> Result<Self, Error> {
        check::depth(std::slice::from_ref(&predicate), origin)?;
        // As a new column, because a predicate that reads no column is fine.
        let column = predicate.clone().alias(PREDICATE);
        let window = check::window(self.nothing().with_columns([column.clone()]), origin);
        let schema = Self::resolved(self.nothing().filter(predicate.clone()), origin)?;
        let predicates = std::slice::from_ref(&predicate);
        check::types(&self.schema, predicates, origin, |lazy| lazy.filter(predicate.clone()))?;
        if !window.is_ok_and(|window| window == Window::default()) {
            // The rows that are seen beside a partition's own are needed until the predicate is known, and so are totals.
            let known = self.with_columns_at(&[column], origin)?;
            let filter = PartitionStep::filter(col(PREDICATE));
            let kept = known.then(filter, Arc::clone(&known.schema), false, origin);
            let columns = self.columns().into_iter().map(col).collect();
            return Ok(
                self.keep_sorted(kept.then(PartitionStep::select(columns), schema, false, origin), &[])
            );
        }
        Ok(self.keep_sorted(self.then(PartitionStep::filter(predicate), schema, false, origin), &[]))
    }

    /// The rows without missing values in these columns; in any column, if none is named.
    ///
    /// # Errors
    /// [`Error::NoColumn`].
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from(df!("x" => [Some(1), None], "y" => [1, 2])?);
    /// assert_eq!(frame.drop_nulls(["y"])?.compute()?.height(), 2);
    /// assert_eq!(frame.drop_nulls([])?.compute()?.height(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "dropna")]
    pub fn drop_nulls<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let origin = Origin { operation: "drop_nulls", caller: Site::caller() };
        let mut columns: Vec<&str> = columns.into_iter().collect();
        columns.iter().try_for_each(|column| self.check_column(column, origin).map(drop))?;
        if columns.is_empty() {
            columns = self.columns();
        }
        let present = columns.into_iter().map(|column| col(column).is_not_null()).reduce(Expr::and);
        present.map_or_else(|| Ok(self.clone()), |present| self.filter_at(present, origin))
    }

    /// The same columns under other names: `(old, new)`.
    ///
    /// # Errors
    /// [`Error::NoColumn`]; [`Error::Expression`] where a name would stand twice.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// let frame = Frame::from(df!("x" => [1], "y" => [2])?);
    /// assert_eq!(frame.rename([("x", "a")])?.columns(), ["a", "y"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn rename<'a>(&self, names: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Error> {
        let origin = Origin { operation: "rename", caller: Site::caller() };
        let names: Vec<(&str, &str)> = names.into_iter().collect();
        names.iter().try_for_each(|(old, _)| self.check_column(old, origin).map(drop))?;
        let renamed = |column: &str| {
            let new = names.iter().find(|(old, _)| *old == column).map(|(_, new)| *new);
            new.map_or_else(|| col(column), |new| col(column).alias(new))
        };
        let expressions: Vec<Expr> = self.columns().into_iter().map(renamed).collect();
        let schema = Self::resolved(self.nothing().select(&expressions), origin)?;
        Ok(self.then(PartitionStep::select(expressions), schema, true, origin))
    }

    /// All columns except these.
    ///
    /// # Errors
    /// [`Error::NoColumn`].
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// let frame = Frame::from(df!("x" => [1], "y" => [2])?);
    /// assert_eq!(frame.drop(["x"])?.columns(), ["y"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn drop<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let origin = Origin { operation: "drop", caller: Site::caller() };
        let dropped: Vec<&str> = columns.into_iter().collect();
        dropped.iter().try_for_each(|column| self.check_column(column, origin).map(drop))?;
        let kept = self.columns().into_iter().filter(|column| !dropped.contains(column));
        let expressions: Vec<Expr> = kept.map(col).collect();
        let schema = Self::resolved(self.nothing().select(&expressions), origin)?;
        Ok(self.keep_sorted(self.then(PartitionStep::select(expressions), schema, true, origin), &[]))
    }

    /// The same columns with some types changed; a value that does not fit fails the run.
    ///
    /// # Errors
    /// [`Error::NoColumn`]; [`Error::Expression`] where polars knows no such cast.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from(df!("x" => [1, 300])?);
    /// assert_eq!(frame.cast([("x", DataType::Float64)])?.compute()?, df!("x" => [1.0, 300.0])?);
    /// assert!(frame.cast([("x", DataType::Int8)])?.compute().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "astype")]
    pub fn cast<'a>(&self, types: impl IntoIterator<Item = (&'a str, DataType)>) -> Result<Self, Error> {
        let origin = Origin { operation: "cast", caller: Site::caller() };
        let cast = |(column, dtype): (&str, DataType)| {
            self.check_column(column, origin)?;
            Ok(col(column).strict_cast(dtype))
        };
        let expressions: Vec<Expr> = types.into_iter().map(cast).collect::<Result<_, Error>>()?;
        self.with_columns_at(&expressions, origin)
    }

    /// Applies a function to each partition as a polars table; `schema` declares its results, and every one is checked
    /// against it.
    ///
    /// Where partitions begin depends on files and sizes, so a function that looks at several rows, such as a
    /// cumulative sum, starts anew in each partition.
    /// A function that captures nothing is taken to be pure.
    ///
    /// # Errors
    /// None when built; on computing [`Error::User`] where the function fails, [`Error::Declared`] where it does
    /// not keep its promise.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1, 2, 3])?, 2)?;
    /// let first = |table: DataFrame| -> PolarsResult<DataFrame> { Ok(table.head(Some(1))) };
    /// let firsts = frame.map_partitions(first, frame.schema().clone());
    /// assert_eq!(firsts.compute()?, df!("x" => [1, 2])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn map_partitions<F, E>(&self, function: F, schema: SchemaRef) -> Self
    where
        F: Fn(DataFrame) -> Result<DataFrame, E> + Send + Sync + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let origin = Origin { operation: "map_partitions", caller: Site::caller() };
        let identity = FnIdentity::of::<F>();
        let enter = |tokenizer: &mut Tokenizer| identity.enter::<F>("frame.map_partitions/1", tokenizer);
        let function = Arc::new(move |table| function(table).map_err(Into::into));
        let step = PartitionStep::map(origin.operation, enter, Arc::clone(&schema), function);
        self.then(step, schema, false, origin)
    }

    /// Applies a function to each partition as a polars table, with so many rows of others `before` and `after` it; `schema`
    /// declares its results, and every one is checked against it.
    ///
    /// The function gives a row for each that it sees, and those of the rows beside the partition are dropped. At the ends of
    /// the frame there are fewer rows to see, or none.
    /// A function that captures nothing is taken to be pure.
    ///
    /// **Shape** the same rows and partitions.
    /// **Cost** as [`shift`](Frame::shift).
    ///
    /// # Errors
    /// None when built; on computing [`Error::User`] where the function fails or its result has not as many rows as it saw
    /// ([`Error::Heights`]), [`Error::Declared`] where it does not keep its promise.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1, 2, 3, 4])?, 2)?;
    /// let before = |table: DataFrame| table.lazy().select([col("x").shift(lit(1))]).collect();
    /// let shifted = frame.map_overlap(before, 1, 0, frame.schema().clone());
    /// assert_eq!(shifted.compute()?, df!("x" => [None, Some(1), Some(2), Some(3)])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn map_overlap<F, E>(&self, function: F, before: u32, after: u32, schema: SchemaRef) -> Self
    where
        F: Fn(DataFrame) -> Result<DataFrame, E> + Send + Sync + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let origin = Origin { operation: "map_overlap", caller: Site::caller() };
        let identity = FnIdentity::of::<F>();
        let enter = |tokenizer: &mut Tokenizer| identity.enter::<F>("frame.map_overlap/1", tokenizer);
        let function = Arc::new(move |table: DataFrame| {
            let left = table.height();
            let result = function(table).map_err(Into::into)?;
            match result.height() == left {
                true => Ok(result),
                false => Err(Error::Heights { left, right: result.height() }.into()),
            }
        });
        let step = PartitionStep::map(origin.operation, enter, Arc::clone(&schema), function);
        self.beside(Window { before, after }, step, schema, origin)
    }
}

/// What was wrong with the expressions as they were given, if that is still wrong.
fn or_first(error: Error, first: Error) -> Error {
    if matches!(error, Error::NotRowWise { .. }) { first } else { error }
}
