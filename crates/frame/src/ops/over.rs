//! What is computed of the rows of a group and stands beside each of them.

use std::collections::HashSet;
use std::error::Error as StdError;
use std::sync::Arc;

use musher_graph_core::{Facts, FnIdentity, FnTask, Inputs, Layer, Place, Port, Site, Tokenizer, Wiring};
use polars::prelude::{
    DataFrame, DataType, Expr, IdxSize, IntoColumn, JoinType, NamedFrom, Schema, SchemaRef, Series,
    SortMultipleOptions, col,
};

use crate::border::stack;
use crate::check;
use crate::error::Error;
use crate::frame::Frame;
use crate::kernel::aggregate::sums_that_fail;
use crate::ops::group::GroupBy;
use crate::origin::Origin;
use crate::partition::Partition;
use crate::step::{JoinOn, PartitionStep};

/// Where a row comes from: the number of its partition, and its own in there.
const HOME: &str = "__musher_home";
const ROW: &str = "__musher_home_row";
/// What begins the names of keys and results while they lie beside the rows.
const KEY: &str = "__musher_key_";
const RESULT: &str = "__musher_of_group_";

impl Frame {
    /// This frame with new columns of expressions that are evaluated over the rows of a group at once, as polars' `over` does
    /// in one table; rows and partitions stay.
    ///
    /// Rows go to a partition with all rows of their keys, and then back to where they were.
    pub(super) fn over(&self, keys: &[Expr], expressions: Vec<Expr>, origin: Origin) -> Result<Self, Error> {
        check::row_wise(self.nothing().select(keys), origin)?;
        check::types(&self.schema, keys, origin, |lazy| lazy.select(keys))?;
        self.check_hashed(keys, origin)?;
        let expressions: Vec<Expr> =
            expressions.into_iter().map(|expression| sums_that_fail(expression, &self.schema)).collect();
        let schema = Self::resolved(self.nothing().with_columns(&expressions), origin)?;
        check::types(&self.schema, &expressions, origin, |lazy| lazy.with_columns(&expressions))?;
        let (n, numbered) = (self.n_partitions(), self.at_home(origin));
        let met = numbered.exchanged_by(keys.to_vec(), n, origin);
        let mut with_homes = Schema::clone(&numbered.schema);
        with_homes.merge(Schema::clone(&schema));
        let computed = met.then(PartitionStep::with_columns(expressions), with_homes.into(), true, origin);
        let back = computed.exchanged_to(HOME, n, origin);
        let sort = PartitionStep::sort(vec![col(ROW)], SortMultipleOptions::default());
        let select = PartitionStep::select(schema.iter_names().cloned().map(col).collect());
        let back = back.then(sort, Arc::clone(&back.schema), true, origin).then(select, schema, true, origin);
        Ok(Self { lengths: self.lengths.clone(), ..back })
    }

    /// All rows with the number of their partition, and their own in it.
    fn at_home(&self, origin: Origin) -> Self {
        let task = FnTask::new(origin.operation, move |at: Place<'_>, inputs: &mut Inputs<'_>| {
            let mut table = inputs.take::<Partition>(0)?.0.clone();
            // Tasks are numbered with 32 bits, and so are the rows of a table.
            let home = Series::new(HOME.into(), vec![at.index() as u32; table.height()]);
            let rows: Vec<u32> = (0..table.height() as u32).collect();
            table.with_column(home.into_column())?;
            table.with_column(Series::new(ROW.into(), rows).into_column())?;
            Ok(Partition(table))
        })
        .named("frame.at_home/1")
        .facts(|_at, inputs| inputs[0].map_or_else(Facts::default, |bytes| Facts::bytes(bytes + bytes / 2)));
        let layer = Layer::build(task).caller(origin.caller).input(&self.port, Wiring::one_to_one(1));
        let mut schema = Schema::clone(&self.schema);
        schema.with_column(HOME.into(), DataType::UInt32);
        schema.with_column(ROW.into(), DataType::UInt32);
        let port = Port::of(layer.finish(self.port.grid().clone()));
        Self { port, schema: schema.into(), lengths: self.lengths.clone(), sorted: None }
    }
}

impl GroupBy {
    /// All rows, with aggregates of the group of each as new columns; a column of the same name is replaced.
    ///
    /// What can be aggregated, and the types of the results, are those of [`agg`](GroupBy::agg). Expressions with
    /// `over(keys)` in [`Frame::select`] and its like give any function of the rows of a group, by moving rows.
    ///
    /// **Shape** the same rows and partitions.
    /// **Cost** two passes; the groups are held whole beside each partition.
    ///
    /// # Errors
    /// Those of [`agg`](GroupBy::agg).
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("key" => ["b", "a", "b"], "x" => [1.0, 2.0, 4.0])?, 3)?;
    /// let means = frame.group_by([col("key")])?.transform([col("x").mean().alias("mean")])?;
    /// let expected = df!("key" => ["b", "a", "b"], "x" => [1.0, 2.0, 4.0], "mean" => [2.5, 2.0, 2.5])?;
    /// assert_eq!(means.compute()?, expected);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn transform(&self, aggregates: impl AsRef<[Expr]>) -> Result<Frame, Error> {
        let origin = Origin { operation: "transform", caller: Site::caller() };
        let (frame, aggregates) = (&self.frame, aggregates.as_ref());
        check::depth(aggregates, origin)?;
        let expanded = check::expand(frame.nothing().group_by_stable(&self.keys).agg(aggregates), origin)?;
        let numbered = |prefix: &str, number: usize| format!("{prefix}{number}");
        let keys: Vec<Expr> =
            self.keys.iter().enumerate().map(|(i, key)| key.clone().alias(numbered(KEY, i))).collect();
        let named: Vec<Expr> = expanded
            .iter()
            .enumerate()
            .map(|(i, (_, expr))| expr.clone().alias(numbered(RESULT, i)))
            .collect();
        let groups = frame.group_by(&keys)?.agg_at(&named, origin)?;
        let keyed = frame.with_columns_at(&keys, origin)?;
        let on: Vec<Expr> = (0..keys.len()).map(|i| col(numbered(KEY, i))).collect();
        let joined = keyed.joined(
            &groups,
            JoinOn {
                left: on.clone(),
                right: on,
                how: JoinType::Left,
                suffix: "_right".into(),
                // A missing key is a group.
                nulls_equal: true,
            },
            origin,
        )?;
        let new: Vec<_> = expanded.iter().map(|(name, _)| name.clone()).collect();
        let old = frame.schema.iter_names().filter(|name| !new.contains(name)).cloned().map(col);
        let results = new.iter().enumerate().map(|(i, name)| col(numbered(RESULT, i)).alias(name.clone()));
        let columns: Vec<Expr> = old.chain(results).collect();
        let transformed = joined.select_at(&columns, origin)?;
        Ok(Frame { lengths: frame.lengths.clone(), ..transformed })
    }

    /// Applies a function to the rows of each group as a polars table; `schema` declares its results, and every one is checked
    /// against it.
    ///
    /// The function sees the columns of the frame, rows in their order.
    ///
    /// **Shape** as many partitions as the frame has, each with the results of some groups, in the order in which their keys
    /// first appear.
    /// **Cost** one pass all to all, as [`Frame::shuffle`]; a task holds all groups of its partition.
    ///
    /// # Errors
    /// [`Error::NoHash`] for keys that are lists, arrays or structs; on computing [`Error::User`] where the function fails,
    /// [`Error::Declared`] where it does not keep its promise.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, Order, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("key" => ["b", "a", "b"], "x" => [1, 2, 4])?, 3)?;
    /// let last = |group: DataFrame| -> PolarsResult<DataFrame> { Ok(group.tail(Some(1))) };
    /// let lasts = frame.group_by([col("key")])?.apply(last, frame.schema().clone())?;
    /// let lasts = lasts.sort([col("key")], Order::Ascending)?;
    /// assert_eq!(lasts.compute()?, df!("key" => ["a", "b"], "x" => [2, 4])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "map_groups")]
    pub fn apply<F, E>(&self, function: F, schema: SchemaRef) -> Result<Frame, Error>
    where
        F: Fn(DataFrame) -> Result<DataFrame, E> + Send + Sync + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let origin = Origin { operation: "apply", caller: Site::caller() };
        let frame = &self.frame;
        frame.check_hashed(&self.keys, origin)?;
        let named = self.keys.iter().enumerate().map(|(i, key)| key.clone().alias(format!("{KEY}{i}")));
        let keyed = frame.with_columns_at(&named.collect::<Vec<_>>(), origin)?;
        let names: Vec<String> = (0..self.keys.len()).map(|i| format!("{KEY}{i}")).collect();
        let keys = names.iter().map(|name| col(name.as_str())).collect();
        let met = keyed.exchanged_by(keys, frame.n_partitions(), origin);
        let identity = FnIdentity::of::<F>();
        let enter = |tokenizer: &mut Tokenizer| identity.enter::<F>("frame.apply/1", tokenizer);
        let declared = Arc::clone(&schema);
        let each = move |table: DataFrame| -> Result<DataFrame, Box<dyn StdError + Send + Sync>> {
            let mut results = vec![DataFrame::empty_with_schema(&declared)];
            for group in table.partition_by_stable(names.iter().map(String::as_str), false)? {
                let result = function(group).map_err(Into::into)?;
                check::compare_schemas(&declared, result.schema())
                    .map_err(|difference| Error::Declared { place: "apply".to_owned(), difference })?;
                results.push(result);
            }
            Ok(stack(|| "apply".to_owned(), &results)?)
        };
        let step = PartitionStep::map(origin.operation, enter, Arc::clone(&schema), Arc::new(each));
        Ok(met.then(step, schema, false, origin))
    }
}

/// Expressions over groups with the same keys, under the names of columns.
pub(super) struct Over {
    pub(super) keys: Vec<Expr>,
    pub(super) expressions: Vec<Expr>,
}

/// The column of an expression over groups; equal ones have one.
pub(super) fn column_of(overs: &mut Vec<Over>, keys: &[Expr], expression: Expr) -> Expr {
    let mut seen = HashSet::new();
    for over in overs.iter() {
        for known in &over.expressions {
            if let Expr::Alias(inner, name) = known {
                if **inner == expression {
                    return col(name.clone());
                }
                seen.insert(name.clone());
            }
        }
    }
    let name = format!("{RESULT}{}", seen.len());
    let named = expression.alias(&name);
    match overs.iter_mut().find(|over| over.keys == keys) {
        Some(over) => over.expressions.push(named),
        None => overs.push(Over { keys: keys.to_vec(), expressions: vec![named] }),
    }
    col(name)
}

/// How many rows polars counts in one table.
const _: () = assert!(IdxSize::MAX == u32::MAX, "rows of a table are numbered with 32 bits");
