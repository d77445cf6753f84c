//! Steps that polars does alone, a function each: what its fingerprint is made of, what it reads, and the call.

use musher_graph_core::{Token, Tokenizer};
use std::sync::Arc;

use polars::prelude::{
    AllowedOptimizations, Column, DataFrame, ExplodeOptions, Expr, IntoColumn, LazyFrame, NamedFrom,
    PlSmallStr, PolarsResult, Schema, SchemaRef, Series, SortMultipleOptions, UniqueKeepStrategy, by_name,
};

use crate::border::{canonical, copied};
use crate::step::reads::{Needs, Reads};
use crate::step::{Operation, PartitionStep};
use crate::token;

/// Bytes of a few rows.
const FEW: u64 = 64 << 10;

/// A step in the making.
struct LazyStep {
    name: &'static str,
    entered: Tokenizer,
    needs: Reads,
    estimate: fn(u64) -> u64,
}

impl LazyStep {
    /// A step of this name in pictures and plans, and in fingerprints.
    fn new(name: &'static str, fingerprint: &str) -> Self {
        let mut entered = Tokenizer::new();
        entered.name(fingerprint);
        Self { name, entered, needs: Reads::of([], Needs::All), estimate: |bytes| bytes }
    }

    /// It is made of these expressions and, unless `then` says so, reads no other columns.
    fn of(mut self, exprs: &[&[Expr]], then: Needs) -> Self {
        exprs.iter().for_each(|exprs| token::expressions(exprs, &mut self.entered));
        self.needs = Reads::of(exprs.iter().copied().flatten(), then);
        self
    }

    /// It depends on this, too.
    fn params(mut self, params: impl Token) -> Self {
        params.token(&mut self.entered);
        self
    }

    /// About how many bytes come out, of those that come in.
    fn estimate(self, estimate: fn(u64) -> u64) -> Self {
        Self { estimate, ..self }
    }

    /// What polars does.
    fn make(self, make: impl Fn(LazyFrame) -> LazyFrame + Send + Sync + 'static) -> PartitionStep {
        let Self { name, entered, needs, estimate } = self;
        PartitionStep::new(Operation::Lazy { name, make: Box::new(make), needs, estimate }, &entered)
    }
}

impl PartitionStep {
    /// Expressions, which are the columns of the result.
    pub(crate) fn select(exprs: Vec<Expr>) -> Self {
        let step = LazyStep::new("select", "frame.select/1").of(&[&exprs], Needs::NoMore);
        step.make(move |lazy| lazy.select(&exprs))
    }

    /// Adds or replaces columns by expressions.
    pub(crate) fn with_columns(exprs: Vec<Expr>) -> Self {
        let step = LazyStep::new("with_columns", "frame.with_columns/1").of(&[&exprs], Needs::More);
        step.make(move |lazy| lazy.with_columns(&exprs))
    }

    /// Keeps the rows for which an expression is true.
    pub(crate) fn filter(predicate: Expr) -> Self {
        let exprs = std::slice::from_ref(&predicate);
        let step = LazyStep::new("filter", "frame.filter/1").of(&[exprs], Needs::More);
        step.make(move |lazy| lazy.filter(predicate.clone()))
    }

    /// The rows of `offset..offset + length`, counted from the end if negative.
    pub(crate) fn slice(offset: i64, length: u32) -> Self {
        let step = LazyStep::new("slice", "frame.slice/1").of(&[], Needs::More).params((offset, length));
        let step = if length <= 1000 { step.estimate(|bytes| bytes.min(FEW)) } else { step };
        step.make(move |lazy| lazy.slice(offset, length))
    }

    /// The last `n` rows, or the first ones, in memory of their own: the partition they come from is let go.
    pub(crate) fn end(n: u32, is_last: bool) -> Self {
        let step = LazyStep::new("end", "frame.end_rows/1").of(&[], Needs::More).params((n, is_last));
        let step = if n <= 1000 { step.estimate(|bytes| bytes.min(FEW)) } else { step };
        let offset = if is_last { -i64::from(n) } else { 0 };
        step.make(move |lazy| {
            lazy.slice(offset, n).map(copied, AllowedOptimizations::default(), None, Some("COPY"))
        })
    }

    /// Sorts by expressions.
    pub(crate) fn sort(by: Vec<Expr>, options: SortMultipleOptions) -> Self {
        let step = LazyStep::new("sort", "frame.sort/1").of(&[&by], Needs::More);
        let step = step.params((&options.descending, &options.nulls_last));
        step.make(move |lazy| lazy.sort_by_exprs(&by, options.clone()))
    }

    /// One row for each group, in order of appearance.
    pub(crate) fn group_by(keys: Vec<Expr>, aggs: Vec<Expr>) -> Self {
        let step = LazyStep::new("group_by", "frame.group_by/1").of(&[&keys, &aggs], Needs::NoMore);
        // Most groups have many rows.
        let step = step.estimate(|bytes| bytes.min(FEW.max(bytes / 16)));
        step.make(move |lazy| lazy.group_by_stable(&keys).agg(&aggs))
    }

    /// Aggregates, which are one row.
    pub(crate) fn aggregate(exprs: Vec<Expr>) -> Self {
        let step = LazyStep::new("aggregate", "frame.aggregate/1").of(&[&exprs], Needs::NoMore);
        // A sum over several pieces of memory depends on where they end, and so on polars' threads.
        let step = step.estimate(|bytes| bytes.min(FEW));
        step.make(move |lazy| in_one_piece(lazy).select(&exprs))
    }

    /// A row for each element of the lists in these columns.
    pub(crate) fn explode(columns: Vec<PlSmallStr>, options: ExplodeOptions) -> Self {
        let names: Vec<String> = columns.iter().map(PlSmallStr::to_string).collect();
        let step = LazyStep::new("explode", "frame.explode/1").params(names);
        let step = step.params((options.empty_as_null, options.keep_nulls));
        step.make(move |lazy| lazy.explode(by_name(columns.iter().cloned(), true, false), options))
    }

    /// The bytes of each column, one row.
    pub(crate) fn sizes(schema: SchemaRef) -> Self {
        let step = LazyStep::new("memory_usage", "frame.sizes/1").estimate(|bytes| bytes.min(FEW));
        let promised = Arc::clone(&schema);
        let schema_of = Arc::new(move |_: &Schema| Ok(Arc::clone(&promised)));
        step.make(move |lazy| {
            lazy.map(
                |table| sizes(&canonical(table)),
                AllowedOptimizations::empty(),
                Some(schema_of.clone()),
                Some("SIZES"),
            )
        })
    }

    /// Distinct rows in order of appearance, by the columns of a subset.
    pub(crate) fn unique(subset: Option<Vec<PlSmallStr>>, keep: UniqueKeepStrategy) -> Self {
        let names = subset.as_ref().map(|names| names.iter().map(PlSmallStr::to_string).collect::<Vec<_>>());
        let step = LazyStep::new("unique", "frame.unique/1").params(names);
        let step = step.params(<&'static str>::from(keep));
        let step = step.estimate(|bytes| bytes.min(FEW.max(bytes / 16)));
        step.make(move |lazy| {
            let subset = subset.as_ref().map(|names| by_name(names.iter().cloned(), true, false));
            lazy.unique_stable(subset, keep)
        })
    }
}

/// The bytes of each column.
fn sizes(table: &DataFrame) -> PolarsResult<DataFrame> {
    let size = |column: &Column| {
        let bytes = column.as_materialized_series().estimated_size() as u64;
        Series::new(column.name().clone(), [bytes]).into_column()
    };
    DataFrame::new_infer_height(table.columns().iter().map(size).collect())
}

/// The same rows in one piece of memory a column; columns and rows that are not needed still never get here.
fn in_one_piece(lazy: LazyFrame) -> LazyFrame {
    lazy.map(|table| Ok(canonical(table)), AllowedOptimizations::default(), None, Some("IN ONE PIECE"))
}
