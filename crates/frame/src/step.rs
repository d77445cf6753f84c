//! Steps: what is done with the rows of one partition, as operations on a polars `LazyFrame`.

use std::error::Error as StdError;
use std::sync::Arc;

use musher_graph_core::{Inputs, Key, Session, TaskError, Token, Tokenizer};
use polars::prelude::{
    AllowedOptimizations, DataFrame, DataType, Expr, IntoLazy, JoinCoalesce, JoinType, LazyFrame,
    MaintainOrderJoin, PlSmallStr, PolarsResult, SchemaRef, SortMultipleOptions, UniqueKeepStrategy, by_name,
};

use crate::border::{Escape, canonical};
use crate::check::compare_schemas;
use crate::error::Error;
use crate::kernel::aggregate::WideSum;
use crate::partition::Partition;
use crate::token;

/// A function of the user's from the rows of a partition to other rows.
pub(crate) type MapFn =
    Arc<dyn Fn(DataFrame) -> Result<DataFrame, Box<dyn StdError + Send + Sync>> + Send + Sync>;

/// One step and its fingerprint; cheap to clone.
#[derive(Clone)]
pub(crate) struct PartitionStep(Arc<Inner>);

struct Inner {
    operation: Operation,
    key: Key,
    process_bound: bool,
}

/// What a step does.
pub(crate) enum Operation {
    /// Row-wise expressions, which are the columns of the result.
    Select(Vec<Expr>),
    /// Keeps the rows for which an expression is true.
    Filter(Expr),
    /// Adds or replaces columns by row-wise expressions.
    WithColumns(Vec<Expr>),
    /// The rows of `offset..offset + length`, counted from the end if negative.
    Slice { offset: i64, length: u32 },
    /// Sorts, rows of equal keys in their order.
    Sort { by: Vec<Expr>, options: SortMultipleOptions },
    /// One row for each group, in order of appearance.
    GroupBy { keys: Vec<Expr>, aggs: Vec<Expr> },
    /// One row.
    Aggregate(Vec<Expr>),
    /// Fails if a sum in 128 bits does not fit the type of its result.
    CheckSums(Vec<WideSum>),
    /// Distinct rows in order of appearance, by the columns of a subset.
    Unique { subset: Option<Vec<PlSmallStr>>, keep: UniqueKeepStrategy },
    /// Joins with the table in a slot.
    Join { slot: usize, left_on: Vec<Expr>, right_on: Vec<Expr>, how: JoinType, suffix: PlSmallStr },
    /// A function of the user's, what it is called, and the schema it promises.
    Map { function: MapFn, name: &'static str, schema: SchemaRef, identity: Option<Key> },
}

impl PartitionStep {
    /// The step with its fingerprint; what polars cannot compare has a fresh one, made here once.
    pub(crate) fn new(operation: Operation) -> Self {
        let mut tokenizer = Tokenizer::new();
        operation.token(&mut tokenizer);
        let process_bound = tokenizer.is_process_bound();
        Self(Arc::new(Inner { operation, key: tokenizer.finish(), process_bound }))
    }

    pub(crate) fn operation(&self) -> &Operation {
        &self.0.operation
    }

    /// The same step reading other slots.
    pub(crate) fn with_slots(&self, renumber: &[usize]) -> Self {
        match self.operation() {
            Operation::Join { slot, left_on, right_on, how, suffix } => Self::new(Operation::Join {
                slot: renumber[*slot],
                left_on: left_on.clone(),
                right_on: right_on.clone(),
                how: how.clone(),
                suffix: suffix.clone(),
            }),
            _ => self.clone(),
        }
    }

    /// What the step is called in pictures, plans and errors.
    pub(crate) fn name(&self) -> &'static str {
        match self.operation() {
            Operation::Select(_) => "select",
            Operation::Filter(_) => "filter",
            Operation::WithColumns(_) => "with_columns",
            Operation::Slice { .. } => "slice",
            Operation::Sort { .. } => "sort",
            Operation::GroupBy { .. } => "group_by",
            Operation::Aggregate(_) => "aggregate",
            Operation::CheckSums(_) => "check_sums",
            Operation::Unique { .. } => "unique",
            Operation::Join { .. } => "join",
            Operation::Map { name, .. } => name,
        }
    }

    /// About how many bytes the result has, from those of the rows.
    pub(crate) fn estimate(&self, bytes: u64) -> u64 {
        const FEW: u64 = 64 << 10;
        match self.operation() {
            Operation::Aggregate(_) | Operation::Slice { length: 0..=1000, .. } => bytes.min(FEW),
            // Most groups have many rows.
            Operation::GroupBy { .. } | Operation::Unique { .. } => bytes.min(FEW.max(bytes / 16)),
            _ => bytes,
        }
    }

    /// Adds the columns that the step reads to those that are needed of its input.
    pub(crate) fn need(&self, columns: &mut Vec<PlSmallStr>) -> Needs {
        let exprs = |exprs: &[Expr], columns: &mut Vec<PlSmallStr>, then| {
            for node in exprs.iter().flatten() {
                match node {
                    Expr::Column(name) if !columns.contains(name) => columns.push(name.clone()),
                    // These read columns that they do not show.
                    Expr::Selector(_) | Expr::DataTypeFunction(_) | Expr::SubPlan(..) => return Needs::All,
                    _ => {}
                }
            }
            then
        };
        match self.operation() {
            Operation::Select(list) | Operation::Aggregate(list) => exprs(list, columns, Needs::NoMore),
            Operation::GroupBy { keys, aggs } => match exprs(keys, columns, Needs::NoMore) {
                Needs::NoMore => exprs(aggs, columns, Needs::NoMore),
                other => other,
            },
            Operation::WithColumns(list) => exprs(list, columns, Needs::More),
            Operation::Filter(predicate) => exprs(std::slice::from_ref(predicate), columns, Needs::More),
            Operation::Sort { by, .. } => exprs(by, columns, Needs::More),
            Operation::Join { left_on, .. } => exprs(left_on, columns, Needs::More),
            Operation::Slice { .. } | Operation::CheckSums(_) => Needs::More,
            Operation::Unique { .. } | Operation::Map { .. } => Needs::All,
        }
    }

    /// The lazy frame with this step added.
    pub(crate) fn add_to(
        &self,
        lazy: LazyFrame,
        inputs: &Inputs<'_>,
        escape: &Escape,
    ) -> Result<LazyFrame, TaskError> {
        Ok(match self.operation() {
            Operation::Select(exprs) => lazy.select(exprs),
            Operation::Filter(predicate) => lazy.filter(predicate.clone()),
            Operation::WithColumns(exprs) => lazy.with_columns(exprs),
            Operation::Slice { offset, length } => lazy.slice(*offset, *length),
            Operation::Sort { by, options } => lazy.sort_by_exprs(by, options.clone()),
            Operation::GroupBy { keys, aggs } => lazy.group_by_stable(keys).agg(aggs),
            // A sum over several pieces of memory depends on where they end, and so on polars' threads.
            Operation::Aggregate(exprs) => in_one_piece(lazy).select(exprs),
            Operation::CheckSums(sums) => check_sums(lazy, sums.clone(), escape.clone()),
            Operation::Unique { subset, keep } => {
                let subset = subset.as_ref().map(|names| by_name(names.iter().cloned(), true, false));
                lazy.unique_stable(subset, *keep)
            }
            Operation::Join { slot, left_on, right_on, how, suffix } => {
                let right = inputs.slot::<Partition>(*slot)?;
                let right = right.first().map(|partition| partition.0.clone()).unwrap_or_default();
                let right = right.lazy();
                let joined = lazy.join_builder().with(right).left_on(left_on).right_on(right_on);
                joined
                    .how(how.clone())
                    .suffix(suffix.clone())
                    .coalesce(JoinCoalesce::JoinSpecific)
                    .maintain_order(order_of(how))
                    .finish()
            }
            Operation::Map { function, name, schema, .. } => {
                map(lazy, Arc::clone(function), name, Arc::clone(schema), escape.clone())
            }
        })
    }
}

/// Which other columns of its input are needed after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// None: the step names all that go on.
    NoMore,
    /// Those that later steps need.
    More,
    /// All.
    All,
}

impl Token for PartitionStep {
    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.key(self.0.key);
        if self.0.process_bound {
            tokenizer.bind_to_process();
        }
    }
}

impl Operation {
    fn token(&self, tokenizer: &mut Tokenizer) {
        let expressions = token::expressions;
        match self {
            Self::Select(exprs) => {
                tokenizer.name("frame.select/1");
                expressions(exprs, tokenizer);
            }
            Self::Filter(predicate) => {
                tokenizer.name("frame.filter/1");
                expressions(std::slice::from_ref(predicate), tokenizer);
            }
            Self::WithColumns(exprs) => {
                tokenizer.name("frame.with_columns/1");
                expressions(exprs, tokenizer);
            }
            Self::Slice { offset, length } => {
                tokenizer.name("frame.slice/1");
                (*offset, *length).token(tokenizer);
            }
            Self::Sort { by, options } => {
                tokenizer.name("frame.sort/1");
                expressions(by, tokenizer);
                (&options.descending, &options.nulls_last).token(tokenizer);
            }
            Self::GroupBy { keys, aggs } => {
                tokenizer.name("frame.group_by/1");
                expressions(keys, tokenizer);
                expressions(aggs, tokenizer);
            }
            Self::Aggregate(exprs) => {
                tokenizer.name("frame.aggregate/1");
                expressions(exprs, tokenizer);
            }
            Self::CheckSums(sums) => {
                tokenizer.name("frame.check_sums/1");
                for sum in sums {
                    (sum.column.as_str(), format!("{:?}", sum.dtype)).token(tokenizer);
                }
            }
            Self::Unique { subset, keep } => {
                tokenizer.name("frame.unique/1");
                let subset = subset.as_ref();
                subset
                    .map(|names| names.iter().map(PlSmallStr::to_string).collect::<Vec<_>>())
                    .token(tokenizer);
                <&'static str>::from(*keep).token(tokenizer);
            }
            Self::Join { slot, left_on, right_on, how, suffix } => {
                tokenizer.name("frame.join/1");
                (*slot, how.to_string(), suffix.as_str()).token(tokenizer);
                expressions(left_on, tokenizer);
                expressions(right_on, tokenizer);
            }
            Self::Map { schema, identity, .. } => {
                tokenizer.name("frame.map/1");
                token::schema(schema, tokenizer);
                match identity {
                    Some(identity) => tokenizer.key(*identity),
                    None => Session::fresh().token(tokenizer),
                }
                tokenizer.bind_to_process();
            }
        }
    }
}

/// The order of a join's rows that does not depend on polars' threads.
pub(crate) fn order_of(how: &JoinType) -> MaintainOrderJoin {
    match how {
        JoinType::Semi | JoinType::Anti => MaintainOrderJoin::Left,
        _ => MaintainOrderJoin::LeftRight,
    }
}

/// The same rows in one piece of memory a column; columns and rows that are not needed still never get here.
fn in_one_piece(lazy: LazyFrame) -> LazyFrame {
    lazy.map(|table| Ok(canonical(table)), AllowedOptimizations::default(), None, Some("IN ONE PIECE"))
}

fn check_sums(lazy: LazyFrame, sums: Vec<WideSum>, escape: Escape) -> LazyFrame {
    let check = move |table: DataFrame| {
        for sum in &sums {
            let column = table.column(&sum.column)?.i128()?;
            let range = match sum.dtype {
                DataType::UInt64 => 0..=i128::from(u64::MAX),
                _ => i128::from(i64::MIN)..=i128::from(i64::MAX),
            };
            if let Some(value) = column.iter().flatten().find(|value| !range.contains(value)) {
                let (expression, dtype) = (sum.expression.clone(), sum.dtype.clone());
                return Err(escape.raise(Error::IntegerOverflow { expression, value, dtype }));
            }
        }
        Ok(table)
    };
    // No column that is checked may be projected away before.
    lazy.map(check, AllowedOptimizations::empty(), None, Some("CHECK SUMS"))
}

fn map(lazy: LazyFrame, function: MapFn, name: &'static str, schema: SchemaRef, escape: Escape) -> LazyFrame {
    let promised = Arc::clone(&schema);
    let run = move |table: DataFrame| -> PolarsResult<DataFrame> {
        let table =
            function(canonical(table)).map_err(|source| escape.raise(Error::User { name, source }))?;
        match compare_schemas(&promised, table.schema()) {
            Ok(()) => Ok(table),
            Err(difference) => Err(escape.raise(Error::Declared { place: name.to_owned(), difference })),
        }
    };
    let schema_of = move |_: &polars::prelude::Schema| Ok(Arc::clone(&schema));
    lazy.map(run, AllowedOptimizations::empty(), Some(Arc::new(schema_of)), Some("MAP PARTITIONS"))
}
