//! Group-by: partial results a partition, combined in a tree or where all of a key meet.

use musher_graph_core::Site;
use polars::prelude::{Expr, LazyFrame, PlSmallStr, SchemaRef, col, len};

use crate::check;
use crate::error::Error;
use crate::frame::Frame;
use crate::kernel::aggregate::{Decomposed, Refusal, WideSum, analyze, decompose, sums_that_fail};
use crate::origin::Origin;
use crate::step::PartitionStep;

/// A frame whose rows are grouped by keys; see [`Frame::group_by`].
#[derive(Debug, Clone)]
pub struct GroupBy {
    pub(super) frame: Frame,
    pub(super) keys: Vec<Expr>,
    key_names: Vec<PlSmallStr>,
}

impl Frame {
    /// Groups the rows by row-wise keys; then [`agg`](GroupBy::agg) says what is computed of each group.
    ///
    /// As in polars a missing key is a group, and so is NaN.
    ///
    /// # Errors
    /// [`Error::Expression`] and [`Error::NotRowWise`] as [`select`](Frame::select).
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("key" => ["b", "a", "b"], "x" => [1.0, 2.0, 4.0])?, 3)?;
    /// let means = frame.group_by([col("key")])?.agg([col("x").mean(), len()])?;
    /// assert_eq!(means.compute()?, df!("key" => ["b", "a"], "x" => [2.5, 2.0], "len" => [2_i64, 1])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "groupby")]
    pub fn group_by(&self, keys: impl AsRef<[Expr]>) -> Result<GroupBy, Error> {
        let origin = Origin { operation: "group_by", caller: Site::caller() };
        let keys = keys.as_ref();
        check::depth(keys, origin)?;
        check::row_wise(self.nothing().select(keys), origin)?;
        let schema = Self::resolved(self.nothing().select(keys), origin)?;
        check::types(&self.schema, keys, origin, |lazy| lazy.select(keys))?;
        let key_names = schema.iter_names().cloned().collect();
        Ok(GroupBy { frame: self.clone(), keys: keys.to_vec(), key_names })
    }

    /// One row of aggregates over all rows.
    ///
    /// What can be aggregated, and the types of the results, are those of [`GroupBy::agg`].
    ///
    /// # Errors
    /// As [`GroupBy::agg`].
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [1, 2, 6])?, 2)?;
    /// let row = frame.aggregate([col("x").max(), col("x").mean().alias("mean")])?;
    /// assert_eq!(row.compute()?, df!("x" => [6], "mean" => [3.0])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "reduction")]
    #[doc(alias = "agg")]
    pub fn aggregate(&self, aggregates: impl AsRef<[Expr]>) -> Result<Self, Error> {
        let origin = Origin { operation: "aggregate", caller: Site::caller() };
        self.aggregate_at(aggregates.as_ref(), origin)
    }

    pub(super) fn aggregate_at(&self, aggregates: &[Expr], origin: Origin) -> Result<Self, Error> {
        check::depth(aggregates, origin)?;
        let expanded = check::expand(self.nothing().select(aggregates), origin)?;
        for (_, expression) in &expanded {
            // In a group such an expression is the list of its values, over the whole frame the column itself.
            let facts = analyze(&self.schema, expression);
            if facts.is_ok_and(|facts| facts.row_separable && facts.has_column) {
                let expression = expression.to_string();
                return Err(Error::NotDecomposable {
                    part: expression.clone(),
                    expression,
                    caller: origin.caller,
                });
            }
        }
        let plan = self.decomposed(&expanded, origin)?;
        let partial = PartitionStep::aggregate(plan.partial.clone());
        let combine = PartitionStep::aggregate(plan.combine.clone());
        let finish = finish(plan.sums, plan.finish.clone());
        let states = self.nothing().select(&plan.partial).select(&plan.combine);
        let schema = Self::resolved(states.select(&plan.finish), origin)?;
        let partials = self.then(partial, self.schema.clone(), false, origin);
        let mut row = partials.tree(&[combine], finish, schema, origin);
        row.lengths = Some([1].into());
        Ok(row)
    }

    fn decomposed(&self, expanded: &[(PlSmallStr, Expr)], origin: Origin) -> Result<Decomposed, Error> {
        let plan = decompose(expanded, &self.schema).map_err(|refusal| match refusal {
            Refusal::Part { expression, part } => {
                Error::NotDecomposable { expression, part, caller: origin.caller }
            }
            Refusal::Type { expression, part, dtype } => {
                Error::NotNumeric { expression, part, dtype: Box::new(dtype), caller: origin.caller }
            }
            Refusal::Polars(source) => {
                Error::Expression { operation: origin.operation, caller: origin.caller, source }
            }
        })?;
        check::types(&self.schema, &plan.partial, origin, |lazy| lazy.select(&plan.partial))?;
        Ok(plan)
    }
}

/// The steps that make results of combined states.
fn finish(sums: Vec<WideSum>, results: Vec<Expr>) -> Vec<PartitionStep> {
    let check = (!sums.is_empty()).then(|| PartitionStep::check_sums(sums));
    check.into_iter().chain([PartitionStep::select(results)]).collect()
}

impl GroupBy {
    /// One row for each group, in order of appearance: the keys, then these aggregates.
    ///
    /// Expressions are made of `sum`, `mean`, `min`, `max`, `count`, `len`, `null_count`, `first`, `last`, `std`,
    /// `var`, `n_unique`, `median`, `quantile`, `any`, `all`, `implode` or (of floats) `product` of row-wise
    /// expressions, and of row-wise functions of those: `(col("a").sum() / col("b").sum()).round(2)`.
    ///
    /// Missing values and NaN are treated as polars does: aggregates pass over missing values; `sum` and `mean` of
    /// NaN are NaN; `min` and `max` pass over NaN unless there is nothing else.
    /// Types differ from polars in one point: counts, and sums of integers, are `Int64` (`UInt64` sums stay so),
    /// and a sum that does not fit fails the run with [`Error::IntegerOverflow`] instead of wrapping.
    ///
    /// Where one expression is something else, such as `col("a").sort(…).first()`, all are polars' own, with polars' types,
    /// over the rows of a group at once, which move as [`shuffle`](Frame::shuffle) moves them.
    ///
    /// **Shape** one partition, in order of appearance; where rows move as many as the frame has, in each the groups in order
    /// of appearance.
    /// **Cost** one pass; what travels is a state of a few numbers a group and partition, for `n_unique`, `median`,
    /// `quantile` and `implode` the values themselves. All groups must fit into memory;
    /// [`agg_into`](GroupBy::agg_into) is for more of them. Where rows move one pass all to all.
    ///
    /// # Errors
    /// [`Error::NotNumeric`] for an aggregate of numbers over texts, [`Error::Expression`] where polars refuses an expression,
    /// [`Error::NoHash`] for keys that are lists, arrays or structs where rows move.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("key" => [1, 1, 2], "x" => [1.0, 3.0, 5.0])?, 2)?;
    /// let groups = frame.group_by([col("key")])?;
    /// let range = groups.agg([(col("x").max() - col("x").min()).alias("range")])?;
    /// assert_eq!(range.compute()?, df!("key" => [1, 2], "range" => [2.0, 0.0])?);
    /// let latest = groups.agg([col("x").sort(SortOptions::default()).last()])?;
    /// assert_eq!(latest.compute()?.height(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "aggregate")]
    pub fn agg(&self, aggregates: impl AsRef<[Expr]>) -> Result<Frame, Error> {
        self.agg_at(aggregates.as_ref(), Origin { operation: "agg", caller: Site::caller() })
    }

    /// The number of rows of each group, as column `len`.
    ///
    /// # Errors
    /// Those of [`agg`](GroupBy::agg).
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from(df!("key" => ["a", "b", "a"])?);
    /// assert_eq!(frame.group_by([col("key")])?.len()?.compute()?, df!("key" => ["a", "b"], "len" => [2_i64, 1])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "size")]
    pub fn len(&self) -> Result<Frame, Error> {
        self.agg_at(&[len()], Origin { operation: "len", caller: Site::caller() })
    }

    pub(super) fn agg_at(&self, aggregates: &[Expr], origin: Origin) -> Result<Frame, Error> {
        match self.agg_in_one(aggregates, origin) {
            Err(Error::NotDecomposable { .. }) => {
                self.agg_whole_into(aggregates, self.frame.n_partitions(), origin)
            }
            groups => groups,
        }
    }

    /// The groups in one partition, in the order in which their keys first appear; aggregates without a state are refused.
    pub(super) fn agg_in_one(&self, aggregates: &[Expr], origin: Origin) -> Result<Frame, Error> {
        check::depth(aggregates, origin)?;
        let frame = &self.frame;
        let grouped = |keys: &[Expr], aggs: &[Expr]| PartitionStep::group_by(keys.to_vec(), aggs.to_vec());
        let expanded = check::expand(frame.nothing().group_by_stable(&self.keys).agg(aggregates), origin)?;
        let plan = frame.decomposed(&expanded, origin)?;
        let names: Vec<Expr> = self.key_names.iter().map(|name| col(name.clone())).collect();
        let finish: Vec<Expr> = names.iter().cloned().chain(plan.finish).collect();
        let schema = self.finished_schema(&plan.partial, &plan.combine, &names, &finish, origin)?;
        let partials = frame.then(grouped(&self.keys, &plan.partial), schema.clone(), false, origin);
        let combine = grouped(&names, &plan.combine);
        Ok(partials.tree(&[combine], self::finish(plan.sums, finish), schema, origin))
    }

    /// As [`agg`](GroupBy::agg), with the groups in `n_partitions` partitions: for more groups than fit into memory, or than
    /// one task should end with.
    ///
    /// **Shape** `n_partitions`; which of them a group is in depends on its keys alone, as for [`shuffle`](Frame::shuffle); in
    /// each they are in order of appearance.
    /// **Cost** one pass; the states of each partition's groups move all to all.
    ///
    /// # Errors
    /// Those of [`agg`](GroupBy::agg); [`Error::Zero`] for no partitions.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, Order, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("key" => ["b", "a", "b"], "x" => [1.0, 2.0, 4.0])?, 3)?;
    /// let means = frame.group_by([col("key")])?.agg_into([col("x").mean()], 2)?;
    /// assert_eq!(means.n_partitions(), 2);
    /// let sorted = means.sort([col("key")], Order::Ascending)?;
    /// assert_eq!(sorted.compute()?, df!("key" => ["a", "b"], "x" => [2.0, 2.5])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "split_out")]
    pub fn agg_into(&self, aggregates: impl AsRef<[Expr]>, n_partitions: usize) -> Result<Frame, Error> {
        let origin = Origin { operation: "agg_into", caller: Site::caller() };
        if n_partitions == 0 {
            return Err(Error::Zero {
                operation: origin.operation,
                what: "n_partitions",
                caller: origin.caller,
            });
        }
        let (frame, aggregates) = (&self.frame, aggregates.as_ref());
        check::depth(aggregates, origin)?;
        frame.check_hashed(&self.keys, origin)?;
        let expanded = check::expand(frame.nothing().group_by_stable(&self.keys).agg(aggregates), origin)?;
        let plan = match frame.decomposed(&expanded, origin) {
            Err(Error::NotDecomposable { .. }) => {
                return self.agg_whole_into(aggregates, n_partitions, origin);
            }
            plan => plan?,
        };
        let names: Vec<Expr> = self.key_names.iter().map(|name| col(name.clone())).collect();
        let results: Vec<Expr> = names.iter().cloned().chain(plan.finish).collect();
        let schema = self.finished_schema(&plan.partial, &plan.combine, &names, &results, origin)?;
        let partial = PartitionStep::group_by(self.keys.clone(), plan.partial.clone());
        let states = frame.nothing().group_by_stable(&self.keys).agg(&plan.partial);
        let states = frame.then(partial, Frame::resolved(states, origin)?, false, origin);
        let met = states.exchanged_by(names.clone(), n_partitions, origin);
        let combine = PartitionStep::group_by(names, plan.combine);
        let steps = [combine].into_iter().chain(finish(plan.sums, results));
        Ok(steps.fold(met, |frame, step| frame.then(step, schema.clone(), false, origin)))
    }

    /// Any expressions of polars over the rows of a group at once.
    fn agg_whole_into(&self, aggregates: &[Expr], n: usize, origin: Origin) -> Result<Frame, Error> {
        let frame = &self.frame;
        let aggregates: Vec<Expr> =
            aggregates.iter().map(|aggregate| sums_that_fail(aggregate.clone(), &frame.schema)).collect();
        let grouped = |lazy: LazyFrame| lazy.group_by_stable(&self.keys).agg(&aggregates);
        let schema = Frame::resolved(grouped(frame.nothing()), origin)?;
        let all: Vec<Expr> = self.keys.iter().chain(&aggregates).cloned().collect();
        check::types(&frame.schema, &all, origin, grouped)?;
        let met = match frame.n_partitions() == 1 && n == 1 {
            true => frame.clone(),
            false => {
                frame.check_hashed(&self.keys, origin)?;
                frame.exchanged_by(self.keys.clone(), n, origin)
            }
        };
        let step = PartitionStep::group_by(self.keys.clone(), aggregates);
        Ok(met.then(step, schema, false, origin))
    }

    fn finished_schema(
        &self,
        partial: &[Expr],
        combine: &[Expr],
        names: &[Expr],
        finish: &[Expr],
        origin: Origin,
    ) -> Result<SchemaRef, Error> {
        let partials = self.frame.nothing().group_by_stable(&self.keys).agg(partial);
        let combined = partials.group_by_stable(names).agg(combine);
        Frame::resolved(combined.select(finish), origin)
    }
}
