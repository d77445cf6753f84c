//! States that are carried from partition to partition: what all rows before a partition, or behind it, come to.

use std::borrow::Cow;
use std::sync::Arc;

use musher_graph_core::{
    AxisMap, Combine, Inputs, Layer, Place, Port, Scan, TaskError, Token, Tokenizer, Wiring, scan,
};
use polars::prelude::{DataFrame, Expr, IntoLazy, SchemaRef};

use crate::border::{Escape, collect, stack};
use crate::error::Error;
use crate::frame::Frame;
use crate::origin::Origin;
use crate::partition::Partition;
use crate::step::PartitionStep;
use crate::task::{PartitionTask, Rows};
use crate::token;

/// What is carried, and what is made of it.
pub(crate) struct Carried {
    /// Whether the state is that of all rows before a partition, or of those behind it.
    pub(crate) side: Side,
    /// The state of some rows, a column each, from the rows.
    pub(crate) state: Vec<Expr>,
    /// The state of all from states one below the other.
    pub(crate) combine: Vec<Expr>,
    /// What is done with the rows, to which the columns of the state of all rows on that side of their partition were added;
    /// rows stay, and those columns go.
    pub(crate) apply: Vec<PartitionStep>,
}

/// A side of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    After,
}

impl Frame {
    /// This frame with steps in every partition that know the state of all rows before it, or behind it.
    ///
    /// The source is made once: a partition waits until the states on that side of it are known.
    ///
    /// # Errors
    /// [`Error::Polars`] where polars cannot compute the state of no rows.
    pub(crate) fn carried(&self, carried: Carried, schema: SchemaRef, origin: Origin) -> Result<Self, Error> {
        let Carried { side, state, combine, apply } = carried;
        let start = self.nothing().select(&state);
        let start = collect(start, &Escape::default(), || origin.operation.to_owned())?;
        let states = self.then(PartitionStep::aggregate(state), Arc::clone(&schema), false, origin);
        let (states, wiring) = states.so_far(side, PartitionStep::aggregate(combine), start, origin);
        let steps = [PartitionStep::carry(1)].into_iter().chain(apply).collect();
        let task = PartitionTask::new(Rows::Input { slot: 0 }, steps);
        let layer = Layer::build(task).caller(origin.caller).input(&self.port, Wiring::one_to_one(1));
        let layer = layer.input(&states, wiring).finish(self.port.grid().clone());
        Ok(Self { port: Port::of(layer), schema, lengths: self.lengths.clone(), sorted: None })
    }

    /// The states of all partitions on a side of each, and how a partition reads its own; these partitions are states
    /// themselves, `combine` makes one of some of them, and `start` is the state of none.
    pub(crate) fn so_far(
        &self,
        side: Side,
        combine: PartitionStep,
        start: DataFrame,
        origin: Origin,
    ) -> (Port, Wiring) {
        let order = match side {
            Side::Before => Wiring::one_to_one(1),
            Side::After => {
                let table = (0..self.n_partitions() as u32).rev().collect();
                Wiring::axes([AxisMap::Lookup { axis: 0, table }])
            }
        };
        let in_order = match side {
            Side::Before => self.port.clone(),
            Side::After => {
                let task = PartitionTask::new(Rows::Input { slot: 0 }, Vec::new());
                let layer = Layer::build(task).caller(origin.caller).input(&self.port, order.clone());
                Port::of(layer.finish(self.port.grid().clone()))
            }
        };
        let so_far = SoFar { operation: origin.operation, side, combine, start };
        (scan(&in_order, 0, so_far, origin.caller), order)
    }
}

/// Makes one state of two, each some rows.
struct SoFar {
    operation: &'static str,
    side: Side,
    combine: PartitionStep,
    start: DataFrame,
}

impl Combine for SoFar {
    type State = Partition;

    fn label(&self) -> Cow<'_, str> {
        format!("{} (carried)", self.operation).into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("frame.so_far/1");
        (self.side == Side::Before).token(tokenizer);
        self.combine.token(tokenizer);
        token::table(&self.start, tokenizer);
    }

    fn merge(&self, earlier: &mut Partition, later: Partition) -> Result<(), TaskError> {
        let tables = match self.side {
            Side::Before => [&earlier.0, &later.0],
            Side::After => [&later.0, &earlier.0],
        };
        let label = || self.label().into_owned();
        let (escape, rows) = (Escape::default(), stack(label, tables)?.lazy());
        let combined = self.combine.add_to(rows, &Inputs::new(&mut [], &[]), &escape)?;
        *earlier = Partition(collect(combined, &escape, label)?);
        Ok(())
    }
}

impl Scan for SoFar {
    fn start(&self, _at: Place<'_>) -> Result<Partition, TaskError> {
        Ok(Partition(self.start.clone()))
    }

    fn start_bytes(&self, _at: Place<'_>) -> Option<u64> {
        Some(self.start.estimated_size() as u64)
    }
}
