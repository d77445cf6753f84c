//! The one task of frames: rows from somewhere, then steps, all as one polars `LazyFrame`.
//!
//! Because the task is always of this form, a consumer takes a producer into itself by putting its steps behind
//! the producer's: a file read, three filters and a partial aggregation become one lazy frame, and polars pushes
//! the columns and the predicate that are needed down into the reader.

use std::borrow::Cow;
use std::sync::Arc;

use musher_graph_core::{Absorb, Facts, Inputs, Output, Place, Task, TaskError, Token, Tokenizer};
use polars::prelude::{DataFrame, IntoLazy, PlSmallStr};

use crate::border::{Escape, collect, guard, stack};
use crate::read::{Source, scan};
use crate::step::{Needs, Step};
use crate::{Error, Partition};

/// Steps that are put into one lazy frame at most: polars' planner takes more than linear time.
const LONGEST: usize = 32;

/// Rows from somewhere, then steps.
pub(crate) struct PartitionTask {
    rows: Rows,
    steps: Vec<Step>,
    /// The columns that are read of files, as far as the steps tell; for estimates only.
    needed: Option<Vec<PlSmallStr>>,
}

/// Where the rows of a task come from.
#[derive(Clone)]
pub(crate) enum Rows {
    /// The partition in a slot.
    Input { slot: usize },
    /// The partitions in a slot, one below the other.
    Stack { slot: usize },
    /// A part of some files; `parts[place]` says which.
    Files { source: Arc<dyn Source>, parts: Arc<[u32]>, label: &'static str },
}

impl PartitionTask {
    pub(crate) fn new(rows: Rows, steps: Vec<Step>) -> Self {
        let needed = matches!(rows, Rows::Files { .. }).then(|| needed(&steps)).flatten();
        Self { rows, steps, needed }
    }

    /// The rows of the input partition, then a step.
    pub(crate) fn step(step: Step) -> Self {
        Self::new(Rows::Input { slot: 0 }, vec![step])
    }

    pub(crate) fn rows(&self) -> &Rows {
        &self.rows
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    fn compute(&self, at: Place<'_>, mut inputs: Inputs<'_>) -> Result<DataFrame, TaskError> {
        let escape = Escape::default();
        let lazy = match &self.rows {
            Rows::Input { slot } if self.steps.is_empty() => {
                return Ok(inputs.take::<Partition>(*slot)?.0.clone());
            }
            Rows::Input { slot } => inputs.slot::<Partition>(*slot)?[0].0.clone().lazy(),
            Rows::Stack { slot } => {
                let partitions = inputs.slot::<Partition>(*slot)?;
                let polars = |source| Error::Polars { steps: self.label().into_owned(), source };
                let tables = partitions.iter().map(|partition| &partition.0);
                guard(|| self.label().into_owned(), polars, || stack(tables))?.lazy()
            }
            Rows::Files { source, parts, label } => {
                let part = parts[at.index()] as usize;
                scan(Arc::clone(source), part, &escape)
                    .map_err(|source| Error::Polars { steps: (*label).to_owned(), source })?
            }
        };
        let steps = self.steps.iter();
        let lazy = steps.clone().try_fold(lazy, |lazy, step| step.add_to(lazy, &inputs, &escape))?;
        let place = || match &self.rows {
            Rows::Files { source, parts, .. } => {
                format!("{} ({})", self.label(), source.place(parts[at.index()] as usize))
            }
            Rows::Input { .. } | Rows::Stack { .. } => self.label().into_owned(),
        };
        Ok(collect(lazy, &escape, place)?)
    }
}

/// The columns that these steps read of their input; `None` if that may be all.
fn needed(steps: &[Step]) -> Option<Vec<PlSmallStr>> {
    let mut columns = Vec::new();
    for step in steps {
        match step.need(&mut columns) {
            Needs::NoMore => return Some(columns),
            Needs::More => {}
            Needs::All => return None,
        }
    }
    None
}

impl Task for PartitionTask {
    fn label(&self) -> Cow<'_, str> {
        let rows = match &self.rows {
            Rows::Input { .. } => None,
            Rows::Stack { .. } => Some("combine"),
            Rows::Files { label, .. } => Some(*label),
        };
        let names: Vec<&str> = rows.into_iter().chain(self.steps.iter().map(Step::name)).collect();
        match names.as_slice() {
            [] => Cow::Borrowed("partition"),
            [one] => Cow::Borrowed(one),
            names => Cow::Owned(names.join("·")),
        }
    }

    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        Ok(Output::one(Partition(self.compute(at, inputs)?)))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("frame.partition/1");
        match &self.rows {
            Rows::Input { slot } => (0_u8, *slot).token(tokenizer),
            Rows::Stack { slot } => (1_u8, *slot).token(tokenizer),
            Rows::Files { source, parts, .. } => {
                2_u8.token(tokenizer);
                source.token(tokenizer);
                parts.token(tokenizer);
            }
        }
        self.steps.token(tokenizer);
    }

    /// Estimates: polars tells no sizes in advance.
    fn facts(&self, at: Place<'_>, inputs: &[Option<u64>]) -> Facts {
        let (read, rows) = match &self.rows {
            Rows::Files { source, parts, .. } => {
                let (read, rows) = source.bytes(parts[at.index()] as usize, self.needed.as_deref());
                (read, Some(rows))
            }
            Rows::Input { .. } | Rows::Stack { .. } => (0, inputs.iter().copied().sum()),
        };
        let output = rows.map(|bytes| self.steps.iter().fold(bytes, |bytes, step| step.estimate(bytes)));
        // The rows exist beside the result while it is made, and the text beside the rows.
        let scratch = if self.steps.is_empty() { read } else { read + rows.unwrap_or(0) };
        let cost = rows.map(|bytes| (read * 3 + bytes * (1 + self.steps.len() as u64)).max(20_000));
        Facts {
            output_bytes: smallvec::smallvec![output],
            scratch_bytes: scratch,
            cost_ns: cost,
            bytes_read: read,
            ..Facts::default()
        }
    }

    fn absorb(&self, request: &Absorb<'_>) -> Option<Arc<dyn Task>> {
        let Rows::Input { slot } = self.rows else { return None };
        let producer = request.producer.downcast_ref::<Self>()?;
        // The producer must be where the rows come from, and nothing else that is read.
        if request.slots != [slot] || self.steps.len() + producer.steps.len() > LONGEST {
            return None;
        }
        let rows = match &producer.rows {
            Rows::Input { slot } => Rows::Input { slot: request.producer_slots[*slot] },
            Rows::Stack { slot } => Rows::Stack { slot: request.producer_slots[*slot] },
            Rows::Files { source, parts, label } => {
                let read = |place| request.wiring.producers(request.grid.place(place), request.producer_grid);
                let parts = (0..request.grid.n_tasks()).map(|place| parts[read(place)[0] as usize]).collect();
                Rows::Files { source: Arc::clone(source), parts, label }
            }
        };
        let inner = producer.steps.iter().map(|step| step.with_slots(request.producer_slots));
        let outer = self.steps.iter().map(|step| step.with_slots(request.consumer_slots));
        Some(Arc::new(Self::new(rows, inner.chain(outer).collect())))
    }
}
