//! Steps: what is done with the rows of one partition, as operations on a polars `LazyFrame`.
//!
//! Each has a function that makes it and enters its fingerprint: those that polars does alone in [`lazy`], the others here.

mod lazy;
mod reads;

use std::error::Error as StdError;
use std::sync::Arc;

use musher_graph_core::{Inputs, Key, Reach, TaskError, Token, Tokenizer};
use polars::prelude::{
    AllowedOptimizations, Column, DataFrame, DataType, Expr, IdxSize, IntoLazy, JoinCoalesce, JoinType,
    LazyFrame, MaintainOrderJoin, PlSmallStr, PolarsResult, Scalar, Schema, SchemaRef, lit,
};

use crate::border::{Escape, canonical};
use crate::check::compare_schemas;
use crate::error::Error;
use crate::kernel::aggregate::WideSum;
use crate::partition::Partition;
use crate::step::reads::Reads;
use crate::token;

pub(crate) use reads::Needs;

/// A function of the user's from the rows of a partition to other rows.
pub(crate) type MapFn =
    Arc<dyn Fn(DataFrame) -> Result<DataFrame, Box<dyn StdError + Send + Sync>> + Send + Sync>;

/// One step and its fingerprint; cheap to clone.
#[derive(Clone)]
pub(crate) struct PartitionStep(Arc<Inner>);

struct Inner {
    operation: Operation,
    key: Key,
    reach: Reach,
}

/// What a step does.
enum Operation {
    /// What polars alone does with the rows.
    Lazy { name: &'static str, make: LazyFn, needs: Reads, estimate: fn(u64) -> u64 },
    /// Fails if a sum in 128 bits does not fit the type of its result.
    CheckSums(Vec<WideSum>),
    /// Joins with the table in a slot.
    Join { slot: usize, on: Box<JoinOn> },
    /// Adds the columns of the partition in a slot, which has as many rows.
    Zip { slot: usize },
    /// Adds the columns of the only row in a slot to every row.
    Carry { slot: usize },
    /// Of rows with others before and behind them, those of the slot `own`; `before` is the slot of those before.
    OwnRows { before: Option<usize>, own: usize },
    /// A function of the user's, what it is called, and the schema it promises.
    Map { function: MapFn, name: &'static str, schema: SchemaRef },
}

/// How two tables are joined.
#[derive(Clone)]
pub(crate) struct JoinOn {
    pub(crate) left: Vec<Expr>,
    pub(crate) right: Vec<Expr>,
    pub(crate) how: JoinType,
    /// What columns of the right side get whose names are taken.
    pub(crate) suffix: PlSmallStr,
    /// Whether missing keys are equal.
    pub(crate) nulls_equal: bool,
}

impl JoinOn {
    /// The two tables joined.
    pub(crate) fn join(&self, left: LazyFrame, right: LazyFrame) -> LazyFrame {
        let joined = left.join_builder().with(right);
        let joined = match self.how {
            JoinType::Cross => joined,
            _ => joined.left_on(&self.left).right_on(&self.right),
        };
        joined
            .how(self.how.clone())
            .suffix(self.suffix.clone())
            .join_nulls(self.nulls_equal)
            .coalesce(JoinCoalesce::JoinSpecific)
            .maintain_order(order_of(&self.how))
            .finish()
    }
}

/// A lazy frame with a step added.
type LazyFn = Box<dyn Fn(LazyFrame) -> LazyFrame + Send + Sync>;

impl PartitionStep {
    /// The step with the fingerprint of what was entered; what polars cannot compare has a fresh one, made once.
    fn new(operation: Operation, entered: &Tokenizer) -> Self {
        Self(Arc::new(Inner { operation, key: entered.finish(), reach: entered.reach() }))
    }

    /// Fails if one of these sums does not fit the type of its result.
    pub(crate) fn check_sums(sums: Vec<WideSum>) -> Self {
        let mut tokenizer = Tokenizer::new();
        tokenizer.name("frame.check_sums/1");
        for sum in &sums {
            (sum.column.as_str(), format!("{:?}", sum.dtype)).token(&mut tokenizer);
        }
        Self::new(Operation::CheckSums(sums), &tokenizer)
    }

    /// Joins with the table in a slot.
    pub(crate) fn join(slot: usize, on: JoinOn) -> Self {
        let mut tokenizer = Tokenizer::new();
        tokenizer.name("frame.join/2");
        (slot, on.how.to_string(), on.suffix.as_str(), on.nulls_equal).token(&mut tokenizer);
        token::expressions(&on.left, &mut tokenizer);
        token::expressions(&on.right, &mut tokenizer);
        Self::new(Operation::Join { slot, on: Box::new(on) }, &tokenizer)
    }

    /// Adds the columns of the partition in a slot.
    pub(crate) fn zip(slot: usize) -> Self {
        let mut tokenizer = Tokenizer::new();
        tokenizer.name("frame.zip/1");
        slot.token(&mut tokenizer);
        Self::new(Operation::Zip { slot }, &tokenizer)
    }

    /// Adds the columns of the state in a slot, which is one row, to every row.
    pub(crate) fn carry(slot: usize) -> Self {
        let mut tokenizer = Tokenizer::new();
        tokenizer.name("frame.carry/1");
        slot.token(&mut tokenizer);
        Self::new(Operation::Carry { slot }, &tokenizer)
    }

    /// Leaves out the rows that were put beside those of the slot `own`: before them, as many as in the slot `before`.
    pub(crate) fn own_rows(before: Option<usize>, own: usize) -> Self {
        let mut tokenizer = Tokenizer::new();
        tokenizer.name("frame.own_rows/1");
        (before, own).token(&mut tokenizer);
        Self::new(Operation::OwnRows { before, own }, &tokenizer)
    }

    /// A function from rows to rows of this schema; `enter` says what identifies it.
    pub(crate) fn map(
        name: &'static str,
        enter: impl FnOnce(&mut Tokenizer),
        schema: SchemaRef,
        function: MapFn,
    ) -> Self {
        let mut tokenizer = Tokenizer::new();
        enter(&mut tokenizer);
        token::schema(&schema, &mut tokenizer);
        Self::new(Operation::Map { function, name, schema }, &tokenizer)
    }

    fn operation(&self) -> &Operation {
        &self.0.operation
    }

    /// The same step reading other slots.
    pub(crate) fn with_slots(&self, renumber: &[usize]) -> Self {
        match self.operation() {
            Operation::Join { slot, on } => Self::join(renumber[*slot], JoinOn::clone(on)),
            Operation::Zip { slot } => Self::zip(renumber[*slot]),
            Operation::Carry { slot } => Self::carry(renumber[*slot]),
            Operation::OwnRows { before, own } => {
                Self::own_rows(before.map(|slot| renumber[slot]), renumber[*own])
            }
            _ => self.clone(),
        }
    }

    /// What the step is called in pictures, plans and errors.
    pub(crate) fn name(&self) -> &'static str {
        match self.operation() {
            Operation::Lazy { name, .. } | Operation::Map { name, .. } => name,
            Operation::CheckSums(_) => "check_sums",
            Operation::Join { .. } => "join",
            Operation::Zip { .. } => "zip",
            Operation::Carry { .. } => "carry",
            Operation::OwnRows { .. } => "own_rows",
        }
    }

    /// About how many bytes the result has, from those of the rows.
    pub(crate) fn estimate(&self, bytes: u64) -> u64 {
        match self.operation() {
            Operation::Lazy { estimate, .. } => estimate(bytes),
            _ => bytes,
        }
    }

    /// Adds the columns that the step reads to those that are needed of its input.
    pub(crate) fn need(&self, columns: &mut Vec<PlSmallStr>) -> Needs {
        match self.operation() {
            Operation::Lazy { needs, .. } => needs.add_to(columns),
            Operation::Join { on, .. } => Reads::of(&on.left, Needs::More).add_to(columns),
            Operation::CheckSums(_)
            | Operation::Carry { .. }
            | Operation::OwnRows { .. }
            | Operation::Zip { .. } => Needs::More,
            Operation::Map { .. } => Needs::All,
        }
    }

    /// The columns that the step reads, if those are all that it needs.
    pub(crate) fn reads_only(&self) -> Option<Vec<PlSmallStr>> {
        let mut columns = Vec::new();
        let only = self.need(&mut columns) == Needs::NoMore && !columns.is_empty();
        only.then_some(columns)
    }

    /// The lazy frame with this step added.
    pub(crate) fn add_to(
        &self,
        lazy: LazyFrame,
        inputs: &Inputs<'_>,
        escape: &Escape,
    ) -> Result<LazyFrame, TaskError> {
        Ok(match self.operation() {
            Operation::Lazy { make, .. } => make(lazy),
            Operation::CheckSums(sums) => check_sums(lazy, sums.clone(), escape.clone()),
            Operation::Join { slot, on } => {
                let right = inputs.slot::<Partition>(*slot)?;
                let right = right.first().map(|partition| partition.0.clone()).unwrap_or_default();
                on.join(lazy, right.lazy())
            }
            Operation::Zip { slot } => {
                let right = inputs.slot::<Partition>(*slot)?[0].0.clone();
                zip(lazy, right, escape.clone())
            }
            Operation::Carry { slot } => {
                let state = &inputs.slot::<Partition>(*slot)?[0].0;
                let columns = state.columns().iter().map(constant).collect::<PolarsResult<Vec<_>>>()?;
                lazy.with_columns(columns)
            }
            Operation::OwnRows { before, own } => {
                let n_rows = |slot: usize| -> Result<usize, TaskError> {
                    let partitions = inputs.slot::<Partition>(slot)?;
                    Ok(partitions.iter().map(|partition| partition.0.height()).sum())
                };
                // As many rows as polars counts in one table.
                let skipped = before.map_or(Ok(0), n_rows)? as i64;
                lazy.slice(skipped, n_rows(*own)? as IdxSize)
            }
            Operation::Map { function, name, schema } => {
                map(lazy, Arc::clone(function), name, Arc::clone(schema), escape.clone())
            }
        })
    }
}

impl Token for PartitionStep {
    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.key(self.0.key);
        tokenizer.narrow(self.0.reach);
    }
}

/// The order of a join's rows that does not depend on polars' threads.
pub(crate) fn order_of(how: &JoinType) -> MaintainOrderJoin {
    match how {
        JoinType::Semi | JoinType::Anti => MaintainOrderJoin::Left,
        JoinType::Right => MaintainOrderJoin::RightLeft,
        _ => MaintainOrderJoin::LeftRight,
    }
}

/// The first value of a column, for every row.
fn constant(column: &Column) -> PolarsResult<Expr> {
    let value = Scalar::new(column.dtype().clone(), column.get(0)?.into_static());
    Ok(lit(value).alias(column.name().clone()))
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

/// The columns of another table beside those of this one.
fn zip(lazy: LazyFrame, right: DataFrame, escape: Escape) -> LazyFrame {
    let more = Arc::clone(right.schema());
    let beside = move |table: DataFrame| match table.height() == right.height() {
        true => table.hstack(right.columns()),
        false => Err(escape.raise(Error::Heights { left: table.height(), right: right.height() })),
    };
    let schema_of = move |schema: &Schema| {
        let mut both = schema.clone();
        both.merge(Schema::clone(&more));
        Ok(Arc::new(both))
    };
    lazy.map(beside, AllowedOptimizations::empty(), Some(Arc::new(schema_of)), Some("ZIP"))
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
    let schema_of = move |_: &Schema| Ok(Arc::clone(&schema));
    lazy.map(run, AllowedOptimizations::empty(), Some(Arc::new(schema_of)), Some("MAP PARTITIONS"))
}
