//! Steps that know what came before their partition: a state is carried from partition to partition.

use std::sync::Arc;

use musher_graph_core::{Layer, Port, Wiring};
use polars::prelude::{Expr, SchemaRef};

use crate::beside::{Side, reads};
use crate::border::{Escape, collect};
use crate::error::Error;
use crate::frame::Frame;
use crate::site::Site;
use crate::step::PartitionStep;
use crate::task::{PartitionTask, Rows};

/// What is carried, and what is made of it.
pub(crate) struct Carried {
    /// The state of some rows, a column each, from the rows.
    pub(crate) state: Vec<Expr>,
    /// The state of all from states one below the other.
    pub(crate) combine: Vec<Expr>,
    /// What is done with the rows, to which the columns of the state of all rows before their partition were added; rows
    /// stay, and those columns go.
    pub(crate) apply: Vec<PartitionStep>,
}

impl Frame {
    /// This frame with steps in every partition that know the state of all rows before it.
    ///
    /// The source is made once: its partitions wait until the states before them are known.
    ///
    /// # Errors
    /// [`Error::Polars`] where polars cannot compute the state of no rows.
    pub(crate) fn carried(&self, carried: Carried, schema: SchemaRef, site: Site) -> Result<Self, Error> {
        let Carried { state, combine, apply } = carried;
        let start = self.nothing().select(&state);
        let start = collect(start, &Escape::default(), || site.operation.to_owned())?;
        let states = self.then(PartitionStep::aggregate(state), Arc::clone(&schema), false, site);
        let so_far = states.so_far(Side::Before, &PartitionStep::aggregate(combine), site);
        let n_partitions = self.n_partitions();
        let before = reads(n_partitions, |at| Side::Before.next(at, 1, n_partitions));
        let steps = [PartitionStep::carry(1, start)].into_iter().chain(apply).collect();
        let task = PartitionTask::new(Rows::Input { slot: 0 }, steps);
        let layer = Layer::build(task).caller(site.caller).input(&self.port, Wiring::one_to_one(1));
        let layer = layer.input(&so_far, before).finish(self.port.grid().clone());
        Ok(Self { port: Port::of(layer), schema, lengths: self.lengths.clone() })
    }
}
