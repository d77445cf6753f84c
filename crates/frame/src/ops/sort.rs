//! Rows in order: keys of a sample say which range of keys each partition holds, rows go there, and each is sorted apart.

use std::sync::Arc;

use musher_graph_core::{
    AxisMap, Facts, FnTask, Grid, Inputs, Layer, Place, Port, Site, TaskError, Token, Tokenizer, Wiring,
};
use polars::chunked_array::ops::row_encode::_get_rows_encoded_ca;
use polars::prelude::{
    BinaryChunked, DataFrame, DataType, Expr, IntoColumn, IntoLazy, NamedFrom, Schema, Series,
    SortMultipleOptions, col, lit,
};

use crate::border::{Escape, collect};
use crate::check;
use crate::error::Error;
use crate::frame::Frame;
use crate::ops::rows::Order;
use crate::origin::Origin;
use crate::partition::Partition;
use crate::step::PartitionStep;

/// Keys that a partition gives for the sample.
const SAMPLED: usize = 256;
/// The number of the partition to which a row goes.
const TARGET: &str = "__musher_target";

impl Frame {
    /// All rows in the order of `by`; equal ones in their order in the frame.
    ///
    /// `by` are row-wise expressions, largest first if `descending`; missing values come last.
    ///
    /// **Shape** as many partitions; each holds a range of keys, so they are as even as a sample of the keys tells and equal
    /// keys allow. In one partition where keys are lists, structs or categories.
    /// **Cost** one pass for a sample of the keys, one all to all; rows wait on the disk if they do not fit into memory, and a
    /// task holds one partition, twice while it is sorted. Where a few rows are enough, [`top_k`](Frame::top_k) needs only
    /// those.
    ///
    /// # Errors
    /// [`Error::Expression`] and [`Error::NotRowWise`] as [`select`](Frame::select).
    ///
    /// **Source** D. J. DeWitt, J. F. Naughton, D. A. Schneider, "Parallel sorting on a shared-nothing architecture using
    /// probabilistic splitting", 1991; here the sample is taken at fixed places of each sorted partition.
    ///
    /// # Examples
    /// ```
    /// use musher_frame::{Frame, Order, polars::prelude::*};
    /// use musher_scheduler::Compute;
    /// let frame = Frame::from_polars(df!("x" => [3, 1, 2])?, 2)?;
    /// assert_eq!(frame.sort([col("x")], Order::Ascending)?.compute()?, df!("x" => [1, 2, 3])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "sort_values")]
    #[doc(alias = "sort_index")]
    #[doc(alias = "set_index")]
    #[doc(alias = "order_by")]
    pub fn sort(&self, by: impl AsRef<[Expr]>, order: Order) -> Result<Self, Error> {
        let origin = Origin { operation: "sort", caller: Site::caller() };
        let by = by.as_ref();
        let sort = self.sort_step(by, order, origin)?;
        let n = self.n_partitions();
        let types = Self::resolved(self.nothing().select(by), origin)?;
        if n == 1 || by.is_empty() || !types.iter_values().all(has_order) {
            return Ok(self.gathered(vec![sort], origin));
        }
        let splitters = self.splitters(by, order, origin);
        let routed = self.routed(by, order, &splitters, origin);
        let met = routed.exchanged_to(TARGET, n, origin);
        let names = PartitionStep::select(self.columns().into_iter().map(col).collect());
        let schema = || Arc::clone(&self.schema);
        Ok(met.then(names, schema(), true, origin).then(sort, schema(), true, origin))
    }

    pub(super) fn sort_step(
        &self,
        by: &[Expr],
        order: Order,
        origin: Origin,
    ) -> Result<PartitionStep, Error> {
        check::depth(by, origin)?;
        check::row_wise(self.nothing().select(by), origin)?;
        let options = SortMultipleOptions::default()
            .with_order_descending(order == Order::Descending)
            .with_nulls_last(true)
            .with_maintain_order(true);
        Self::resolved(self.nothing().sort_by_exprs(by, options.clone()), origin)?;
        check::types(&self.schema, by, origin, |lazy| lazy.select(by))?;
        Ok(PartitionStep::sort(by.to_vec(), options))
    }

    /// The keys at which partitions begin, but for the first.
    fn splitters(&self, by: &[Expr], order: Order, origin: Origin) -> Port {
        let keys = by.to_vec();
        let task = FnTask::new("sort (sample)", move |_at: Place<'_>, inputs: &mut Inputs<'_>| {
            let partitions = inputs.slot::<Partition>(0)?;
            let table = &partitions[0].0;
            let mut keys: Vec<Vec<u8>> = encoded(table, &keys, order)?;
            keys.sort_unstable();
            let n = keys.len().min(SAMPLED);
            let chosen = (0..n).map(|i| std::mem::take(&mut keys[(2 * i + 1) * table.height() / (2 * n)]));
            let chosen: Vec<Vec<u8>> = chosen.collect();
            let weight = table.height() as f64 / n.max(1) as f64;
            Ok(Partition(sample(&chosen, vec![weight; n])?))
        })
        .params("frame.sort_sample/1", &Keys(by, order))
        // The keys as bytes take about as much as all columns do.
        .facts(|_at, inputs| Facts::bytes(SAMPLED as u64 * 64).scratch(bytes(inputs)));
        let layer = Layer::build(task).caller(origin.caller).input(&self.port, Wiring::one_to_one(1));
        let samples = Port::of(layer.finish(self.port.grid().clone()));
        let n = self.n_partitions();
        let task = FnTask::new("sort (split)", move |_at: Place<'_>, inputs: &mut Inputs<'_>| {
            let mut keys: Vec<(Vec<u8>, f64)> = Vec::new();
            for partition in inputs.slot::<Partition>(0)? {
                let (bytes, weights) = (partition.0.columns()[0].binary()?, partition.0.columns()[1].f64()?);
                let bytes = bytes.iter().flatten().map(<[u8]>::to_vec);
                keys.extend(bytes.zip(weights.iter().flatten()));
            }
            // Of equal keys the weights are one sum, whatever their order.
            keys.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
            let splitters = split(&keys, n);
            let weights = vec![0.0; splitters.len()];
            Ok(Partition(sample(&splitters, weights)?))
        })
        .params("frame.sort_split/1", &n)
        .facts(|_at, inputs| Facts::bytes(SAMPLED as u64 * 64).scratch(bytes(inputs)));
        let layer = Layer::build(task).caller(origin.caller).input(&samples, Wiring::All);
        Port::of(layer.finish(Grid::from([1])))
    }

    /// The rows with the number of the partition whose range their key is in.
    fn routed(&self, by: &[Expr], order: Order, splitters: &Port, origin: Origin) -> Self {
        let keys = by.to_vec();
        let task = FnTask::new("sort (route)", move |_at: Place<'_>, inputs: &mut Inputs<'_>| {
            let splitters = inputs.slot::<Partition>(1)?[0].0.columns()[0].binary()?.clone();
            let splitters: Vec<&[u8]> = splitters.iter().flatten().collect();
            let mut table = inputs.take::<Partition>(0)?.0.clone();
            let target =
                |key: &Vec<u8>| splitters.partition_point(|splitter| *splitter <= key.as_slice()) as u32;
            let targets: Vec<u32> = encoded(&table, &keys, order)?.iter().map(target).collect();
            table.with_column(Series::new(TARGET.into(), targets).into_column())?;
            Ok(Partition(table))
        })
        .params("frame.sort_route/1", &Keys(by, order))
        .facts(|_at, inputs| Facts::bytes(bytes(inputs)).scratch(bytes(inputs)));
        let layer = Layer::build(task).caller(origin.caller).input(&self.port, Wiring::one_to_one(1));
        let first = Wiring::axes([AxisMap::Fixed(0)]);
        let layer = layer.input(splitters, first);
        let mut schema = Schema::clone(&self.schema);
        schema.with_column(TARGET.into(), DataType::UInt32);
        let port = Port::of(layer.finish(self.port.grid().clone()));
        Self { port, schema: schema.into(), lengths: self.lengths.clone(), sorted: None }
    }
}

/// What comes in, as far as it is known.
fn bytes(inputs: &[Option<u64>]) -> u64 {
    inputs.iter().flatten().sum()
}

/// Whether polars makes bytes of values of this type that are in their order.
fn has_order(dtype: &DataType) -> bool {
    dtype.is_primitive_numeric()
        || dtype.is_bool()
        || dtype.is_string()
        || dtype.is_temporal()
        || matches!(dtype, DataType::Binary | DataType::Decimal(..))
}

/// For each row bytes whose order is that of the keys.
fn encoded(table: &DataFrame, by: &[Expr], order: Order) -> Result<Vec<Vec<u8>>, TaskError> {
    let keys = table
        .clone()
        .lazy()
        .select(by.iter().enumerate().map(|(i, key)| key.clone().alias(i.to_string())).collect::<Vec<_>>());
    let keys = collect(keys, &Escape::default(), || "sort: keys".to_owned())?;
    // The negative zero is zero.
    let plain = keys.schema().iter().map(|(name, dtype)| match dtype.is_float() {
        true => col(name.clone()) + lit(0.0).cast(dtype.clone()),
        false => col(name.clone()),
    });
    let plain: Vec<Expr> = plain.collect();
    let keys = collect(keys.lazy().select(plain), &Escape::default(), || "sort: keys".to_owned())?;
    let n = keys.width();
    let descending = vec![order == Order::Descending; n];
    let rows = _get_rows_encoded_ca("".into(), keys.columns(), &descending, &vec![true; n], false)?;
    Ok(rows.iter().map(|row| row.unwrap_or_default().to_vec()).collect())
}

/// Keys as a table.
fn sample(keys: &[Vec<u8>], weights: Vec<f64>) -> Result<DataFrame, TaskError> {
    let keys: BinaryChunked = keys.iter().map(|key| Some(key.as_slice())).collect();
    let columns =
        vec![keys.into_column().with_name("key".into()), Series::new("weight".into(), weights).into_column()];
    Ok(DataFrame::new_infer_height(columns)?)
}

/// The keys that part `n` ranges of about equal weights, of sorted keys; fewer, if many are equal.
fn split(keys: &[(Vec<u8>, f64)], n: usize) -> Vec<Vec<u8>> {
    let total: f64 = keys.iter().map(|(_, weight)| weight).sum();
    let mut splitters: Vec<Vec<u8>> = Vec::new();
    let mut before = 0.0;
    for at in 0..keys.len() {
        let next = (splitters.len() + 1) as f64 * total / n as f64;
        // A range begins where a key is seen first: equal ones stay together.
        let is_new = at > 0 && keys[at - 1].0 != keys[at].0;
        if splitters.len() + 1 < n && before >= next && is_new {
            splitters.push(keys[at].0.clone());
        }
        before += keys[at].1;
    }
    splitters
}

/// What a task is made of.
struct Keys<'a>(&'a [Expr], Order);

impl Token for Keys<'_> {
    fn token(&self, tokenizer: &mut Tokenizer) {
        crate::token::expressions(self.0, tokenizer);
        (self.1 == Order::Descending).token(tokenizer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[u8]) -> Vec<(Vec<u8>, f64)> {
        keys.iter().map(|key| (vec![*key], 1.0)).collect()
    }

    #[test]
    fn splitters_part_even_ranges() {
        assert_eq!(split(&keys(&[0, 1, 2, 3, 4, 5, 6, 7]), 4), [vec![2], vec![4], vec![6]]);
        assert_eq!(split(&keys(&[0, 0, 0, 0, 0, 0, 1, 2]), 2), [vec![1]]);
        assert_eq!(split(&keys(&[5; 9]), 3), Vec::<Vec<u8>>::new());
        assert_eq!(split(&[], 3), Vec::<Vec<u8>>::new());
    }
}
