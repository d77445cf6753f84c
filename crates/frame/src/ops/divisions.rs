//! A sorted column whose ranges are known: which partition holds which of its values.

use std::sync::Arc;

use musher_graph_core::{
    AxisMap, Facts, FnTask, Grid, Inputs, Layer, Place, Port, Site, Token, Tokenizer, Wiring,
};
use musher_scheduler::Compute;
use polars::prelude::{
    AnyValue, Column, DataFrame, Expr, IntoColumn, IntoLazy, NamedFrom, PlSmallStr, PolarsResult, Scalar,
    Series, col, lit, polars_err,
};

use crate::border::{Escape, collect, stack};
use crate::check;
use crate::error::Error;
use crate::frame::Frame;
use crate::origin::Origin;
use crate::partition::Partition;
use crate::step::PartitionStep;
use crate::token;

/// By which column the rows of a frame are sorted, and what is known of its ranges.
#[derive(Debug)]
pub(crate) struct Sorted {
    column: PlSmallStr,
    /// `min` and `max`, a row a partition, missing where it is empty: no value is outside.
    bounds: DataFrame,
}

/// Units of the periods of [`Frame::repartition_every`].
const UNITS: [&str; 11] = ["ns", "us", "ms", "s", "m", "h", "d", "w", "mo", "q", "y"];
/// Partitions that [`Frame::repartition_every`] makes at most.
const MOST: usize = 1 << 20;

impl Frame {
    /// The same frame, which knows from now on that its rows are sorted by a column, smallest first, and which values each
    /// partition holds: Dask's divisions.
    ///
    /// `filter`, `with_columns`, `select`, `drop` and `join` with a right side of one partition keep this while they keep the
    /// column; what moves rows forgets it.
    ///
    /// **Cost** the column is read now, with the scheduler's default options, to see that it is sorted. A frame that is not
    /// is sorted by [`sort`](Frame::sort) first.
    ///
    /// # Errors
    /// [`Error::NoColumn`]; [`Error::Unsorted`] where rows are out of order or a value is missing; [`Error::Run`] where the
    /// column cannot be computed.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("day" => [1, 2, 3, 5, 8, 9], "x" => [0, 1, 2, 3, 4, 5])?, 3)?;
    /// let frame = frame.sorted_by("day")?;
    /// assert_eq!(frame.divisions().map(|days| days.i32().map(|days| days.to_vec())).transpose()?,
    ///     Some(vec![Some(1), Some(3), Some(8), Some(9)]));
    /// let some = frame.filter_range(lit(4), lit(6))?;
    /// assert_eq!((some.n_partitions(), some.compute()?), (1, df!("day" => [5], "x" => [3])?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "set_index(sorted=True)")]
    #[doc(alias = "compute_current_divisions")]
    #[doc(alias = "set_sorted")]
    pub fn sorted_by(&self, column: &str) -> Result<Self, Error> {
        let origin = Origin { operation: "sorted_by", caller: Site::caller() };
        self.check_column(column, origin)?;
        let x = || col(column);
        let facts = [
            x().min().alias("min"),
            x().max().alias("max"),
            x().null_count().alias("missing"),
            x().is_sorted(Some(false), Some(true)).alias("sorted"),
        ];
        let schema = Self::resolved(self.nothing().select(&facts), origin)?;
        let facts = self.then(PartitionStep::aggregate(facts.into()), schema, false, origin);
        let failed = |source| Error::Run {
            operation: origin.operation,
            caller: origin.caller,
            source: Box::new(source),
        };
        let facts = facts.compute().map_err(failed)?;
        // What is before a partition ends with the largest value of the last one that has any.
        let before = col("max")
            .fill_null_with_strategy(polars::prelude::FillNullStrategy::Forward(None))
            .shift(lit(1));
        let falls = col("min").lt(before).fill_null(lit(false));
        let wrong = falls.or(col("missing").gt(lit(0))).or(col("sorted").not());
        let wrong = evaluated(&facts, wrong, origin)?;
        if let Some(partition) =
            wrong.bool().ok().and_then(|wrong| wrong.iter().position(|wrong| wrong == Some(true)))
        {
            let (operation, column, caller) = (origin.operation, column.to_owned(), origin.caller);
            return Err(Error::Unsorted { operation, column, partition, caller });
        }
        let bounds = collect(facts.lazy().select([col("min"), col("max")]), &Escape::default(), || {
            "sorted_by".to_owned()
        })?;
        let sorted = Some(Arc::new(Sorted { column: column.into(), bounds }));
        Ok(Self { sorted, ..self.clone() })
    }

    /// Of a frame that knows by which column it is [sorted](Frame::sorted_by), the smallest value of each partition, and the
    /// largest of the last; of an empty partition it is missing.
    ///
    /// The values of partitions that [`repartition_every`](Frame::repartition_every) has made are where they may begin and
    /// end, not what they hold.
    #[doc(alias = "known_divisions")]
    pub fn divisions(&self) -> Option<Series> {
        let sorted = self.sorted.as_ref()?;
        let [least, most] = sorted.bounds.columns() else { return None };
        let mut divisions = least.as_materialized_series().clone();
        let last = most.as_materialized_series().drop_nulls().tail(Some(1));
        let last = if last.is_empty() { Series::full_null("".into(), 1, most.dtype()) } else { last };
        divisions.append(&last).ok()?;
        Some(divisions.rechunk().with_name(sorted.column.clone()))
    }

    /// The rows whose value in the sorted column is from `from` to below `to`; only partitions that can have any are read.
    ///
    /// **Shape** those partitions, one at least.
    ///
    /// # Errors
    /// [`Error::NotSorted`] if the frame does not know by what it is [sorted](Frame::sorted_by); [`Error::Expression`] where the
    /// values do not fit the column.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1, 2, 3, 4])?, 2)?.sorted_by("x")?;
    /// assert_eq!(frame.filter_range(lit(2), lit(4))?.compute()?, df!("x" => [2, 3])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "loc")]
    #[doc(alias = "truncate")]
    pub fn filter_range(&self, from: Expr, to: Expr) -> Result<Self, Error> {
        let origin = Origin { operation: "filter_range", caller: Site::caller() };
        let sorted = self.known_sorted(origin)?;
        let chosen = self.overlapping(&sorted, Some(from.clone()), Some(to.clone()), origin)?;
        let x = || col(sorted.column.clone());
        self.partitions_at(chosen, origin)?.filter_at(x().gt_eq(from).and(x().lt(to)), origin)
    }

    /// The same rows in partitions of a period of the sorted column each, which is of dates or times: `"1mo"`, `"15m"`, `"1d"`.
    ///
    /// Periods begin where polars' `truncate` says: months with their first day, weeks on Mondays. There is a partition for
    /// each from the first value to the last, also for those without rows.
    ///
    /// **Cost** each partition reads those that hold some of its rows.
    ///
    /// # Errors
    /// [`Error::NotSorted`] if the frame does not know by what it is [sorted](Frame::sorted_by); [`Error::Expression`] where the
    /// column is of no dates or times, the text is no period, or there would be more than a million partitions.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let days = df!("day" => [0, 10, 40, 100])?.lazy().select([col("day").cast(DataType::Date)]).collect()?;
    /// let frame = Frame::from_polars(days, 2)?.sorted_by("day")?;
    /// let months = frame.repartition_every("1mo")?;
    /// assert_eq!(months.n_partitions(), 4);
    /// assert_eq!(months.partitions([0])?.compute()?.height(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "resample")]
    #[doc(alias = "asfreq")]
    pub fn repartition_every(&self, every: &str) -> Result<Self, Error> {
        let origin = Origin { operation: "repartition_every", caller: Site::caller() };
        let sorted = self.known_sorted(origin)?;
        let refuse =
            |source| Error::Expression { operation: origin.operation, caller: origin.caller, source };
        let dtype = sorted.bounds.columns()[0].dtype();
        if !dtype.is_temporal() || dtype.is_duration() {
            let source = polars_err!(InvalidOperation: "column \"{}\" is {dtype}, which has no periods", sorted.column);
            return Err(refuse(source));
        }
        let digits = every.len() - every.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = every.split_at(digits);
        let number: u64 = match number.parse() {
            Ok(number) if number > 0 && UNITS.contains(&unit) => number,
            _ => {
                return Err(refuse(
                    polars_err!(InvalidOperation: "\"{every}\" is no period of one unit; \"1mo\" is, and so are ns, us, ms, s, m, h, d, w, q, y"),
                ));
            }
        };
        let extremes = collect(
            sorted.bounds.clone().lazy().select([col("min").min(), col("max").max()]),
            &Escape::default(),
            || origin.operation.to_owned(),
        )?;
        let [least, most] = extremes.columns() else { return Ok(self.clone()) };
        if least.null_count() > 0 {
            // There are no rows.
            return Ok(self.clone());
        }
        let first = value(least, 0).map_err(refuse)?.dt().truncate(lit(every));
        let mut n = 1;
        let starts = loop {
            let offsets: Vec<String> = (0..n as u64).map(|k| format!("{}{unit}", k * number)).collect();
            let offsets = DataFrame::new_infer_height(vec![Series::new("by".into(), offsets).into_column()])
                .map_err(refuse)?;
            let starts = evaluated(&offsets, first.clone().dt().offset_by(col("by")), origin)?;
            let starts = starts.into_frame();
            let within = col("by").lt_eq(value(most, 0).map_err(refuse)?);
            let starts = starts.lazy().select([polars::prelude::nth(0).as_expr().alias("by")]).filter(within);
            let starts = collect(starts, &Escape::default(), || origin.operation.to_owned())?;
            if starts.height() < n {
                break starts;
            }
            if n >= MOST {
                let source = polars_err!(InvalidOperation: "there would be more than {MOST} partitions");
                return Err(refuse(source));
            }
            n *= 2;
        };
        self.ranged(&sorted, &starts.columns()[0], most, origin)
    }

    /// The same rows in partitions of which each begins at one of these values.
    fn ranged(&self, sorted: &Sorted, starts: &Column, most: &Column, origin: Origin) -> Result<Self, Error> {
        let refuse =
            |source| Error::Expression { operation: origin.operation, caller: origin.caller, source };
        let n = starts.len();
        let mut ranges = Vec::with_capacity(n);
        let mut predicates = Vec::with_capacity(n);
        let x = || col(sorted.column.clone());
        for i in 0..n {
            let from = (i > 0).then(|| value(starts, i)).transpose().map_err(refuse)?;
            let to = (i + 1 < n).then(|| value(starts, i + 1)).transpose().map_err(refuse)?;
            let old = self.overlapping(sorted, from.clone(), to.clone(), origin)?;
            let (first, last) = (old.first().copied().unwrap_or(0), old.last().copied().unwrap_or(0));
            ranges.push((first as u32, last as u32 + 1));
            let from = from.map(|from| x().gt_eq(from));
            let to = to.map(|to| x().lt(to));
            predicates.push(from.into_iter().chain(to).reduce(Expr::and).unwrap_or_else(|| lit(true)));
        }
        let identity = Ranges { column: sorted.column.clone(), starts: starts.clone().into_frame() };
        let task = FnTask::new(origin.operation, move |at: Place<'_>, inputs: &mut Inputs<'_>| {
            let partitions = inputs.slot::<Partition>(0)?;
            let tables = partitions.iter().map(|partition| &partition.0);
            let table = stack(|| origin.operation.to_owned(), tables)?;
            let chosen = table.lazy().filter(predicates[at.index()].clone());
            Ok(Partition(collect(chosen, &Escape::default(), || origin.operation.to_owned())?))
        })
        .params("frame.ranged/1", &identity)
        .facts(|_at, inputs| {
            let bytes = inputs.iter().flatten().sum();
            Facts::bytes(bytes).scratch(bytes)
        });
        let wiring = Wiring::axes([AxisMap::Ranges { axis: 0, ranges: ranges.into() }]);
        let layer = Layer::build(task).caller(origin.caller).input(&self.port, wiring);
        let port = Port::of(layer.finish(Grid::from([n])));
        let mut ends = starts.as_materialized_series().slice(1, n);
        ends.append(most.as_materialized_series()).map_err(refuse)?;
        let columns = vec![
            starts.clone().with_name("min".into()),
            ends.rechunk().with_name("max".into()).into_column(),
        ];
        let bounds = DataFrame::new_infer_height(columns).map_err(refuse)?;
        let sorted = Some(Arc::new(Sorted { column: sorted.column.clone(), bounds }));
        Ok(Self { port, schema: Arc::clone(&self.schema), lengths: None, sorted })
    }

    fn known_sorted(&self, origin: Origin) -> Result<Arc<Sorted>, Error> {
        let missing = Error::NotSorted { operation: origin.operation, caller: origin.caller };
        self.sorted.clone().ok_or(missing)
    }

    /// The partitions that may hold values of a range; the first if there are none.
    fn overlapping(
        &self,
        sorted: &Sorted,
        from: Option<Expr>,
        to: Option<Expr>,
        origin: Origin,
    ) -> Result<Vec<usize>, Error> {
        let from = from.map(|from| col("max").gt_eq(from));
        let to = to.map(|to| col("min").lt(to));
        let mask = from.into_iter().chain(to).reduce(Expr::and).unwrap_or_else(|| col("min").is_not_null());
        let mask = evaluated(&sorted.bounds, mask, origin)?;
        let mask = mask.bool().map_err(|source| Error::Expression {
            operation: origin.operation,
            caller: origin.caller,
            source,
        })?;
        let chosen: Vec<usize> =
            mask.iter().enumerate().filter(|(_, chosen)| *chosen == Some(true)).map(|(at, _)| at).collect();
        Ok(if chosen.is_empty() { vec![0] } else { chosen })
    }

    /// What was made of this frame, if it has the same rows in their order or some of them, knows what this one knows of
    /// the order, as long as the column is there as it was; `outputs` are the columns that were computed.
    pub(super) fn keep_sorted(&self, made: Self, outputs: &[(PlSmallStr, Expr)]) -> Self {
        let Some(sorted) = &self.sorted else { return made };
        let column = &sorted.column;
        let is_same = |expression: &Expr| matches!(expression, Expr::Column(name) if name == column);
        let changed = outputs.iter().any(|(name, expression)| name == column && !is_same(expression));
        let kept = made.schema.get(column) == self.schema.get(column) && !changed;
        Self { sorted: kept.then(|| Arc::clone(sorted)), ..made }
    }

    /// As [`keep_sorted`](Frame::keep_sorted), from expressions as they were given.
    pub(super) fn keep_sorted_by(
        &self,
        made: Self,
        expressions: &[Expr],
        origin: Origin,
    ) -> Result<Self, Error> {
        if self.sorted.is_none() {
            return Ok(made);
        }
        let outputs = check::expand(self.nothing().select(expressions), origin)?;
        Ok(self.keep_sorted(made, &outputs))
    }
}

impl Sorted {
    /// What is known of some of the partitions, in rising order.
    pub(crate) fn of_partitions(&self, partitions: &[u32]) -> Option<Arc<Self>> {
        let rows = polars::prelude::IdxCa::new("rows".into(), partitions);
        let rising = partitions.is_sorted_by(|a, b| a < b);
        let bounds = rising.then(|| self.bounds.take(&rows).ok())??;
        Some(Arc::new(Self { column: self.column.clone(), bounds }))
    }
}

/// What identifies partitions of ranges.
struct Ranges {
    column: PlSmallStr,
    starts: DataFrame,
}

impl Token for Ranges {
    fn token(&self, tokenizer: &mut Tokenizer) {
        self.column.as_str().token(tokenizer);
        token::table(&self.starts, tokenizer);
    }
}

/// A value of a column.
fn value(column: &Column, row: usize) -> PolarsResult<Expr> {
    let value: AnyValue<'static> = column.get(row)?.into_static();
    Ok(lit(Scalar::new(column.dtype().clone(), value)))
}

/// An expression over a small table, now.
fn evaluated(table: &DataFrame, expression: Expr, origin: Origin) -> Result<Series, Error> {
    let lazy = table.clone().lazy().select([expression]);
    let wrong = |error| match error {
        Error::Polars { source, .. } => {
            Error::Expression { operation: origin.operation, caller: origin.caller, source }
        }
        other => other,
    };
    let found = collect(lazy, &Escape::default(), || origin.operation.to_owned()).map_err(wrong)?;
    Ok(found.columns()[0].as_materialized_series().clone())
}
