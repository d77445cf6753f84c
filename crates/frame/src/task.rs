//! The one task of frames: rows from somewhere, then steps, all as one polars `LazyFrame`.
//!
//! Because the task is always of this form, a consumer takes a producer into itself by putting its steps behind
//! the producer's: a file read, three filters and a partial aggregation become one lazy frame, and polars pushes
//! the columns and the predicate that are needed down into the reader.

use std::borrow::Cow;
use std::sync::Arc;

use musher_graph_core::{
    Absorb, Chunk, ChunkRef, Codec, Facts, Inputs, Output, Place, Task, TaskError, Token, Tokenizer, Touch,
    fused_label,
};
use polars::prelude::{DataFrame, Expr, IntoLazy, LazyFrame, PlSmallStr, col};

use crate::border::{Escape, collect, schema_of, stack};
use crate::error::Error;
use crate::partition::Partition;
use crate::read::{PartReader, scan};
use crate::step::{Needs, PartitionStep};

/// Steps that are put into one lazy frame at most: polars' planner takes more than linear time.
const LONGEST: usize = 32;

/// Rows from somewhere, then steps; the task of several consumers of the same rows branches, and has an output for
/// each branch.
pub(crate) struct PartitionTask {
    rows: Rows,
    /// Steps that all branches share; none where there is a single branch.
    common: Vec<PartitionStep>,
    branches: Vec<Vec<PartitionStep>>,
    /// The columns that the branches read behind the common steps, as far as the steps tell.
    needed: Option<Vec<PlSmallStr>>,
}

/// Where the rows of a task come from.
#[derive(Clone)]
pub(crate) enum Rows {
    /// The partition in a slot.
    Input { slot: usize },
    /// The partitions in a slot, one below the other.
    Stack { slot: usize },
    /// The partition in a slot, with the rows of other slots before it and behind it.
    Beside { before: Option<usize>, own: usize, after: Option<usize> },
    /// A part of some files; `parts[place]` says which.
    Files { source: Arc<dyn PartReader>, parts: Arc<[u32]>, label: &'static str },
}

impl PartitionTask {
    pub(crate) fn new(rows: Rows, steps: Vec<PartitionStep>) -> Self {
        Self::branching(rows, Vec::new(), vec![steps])
    }

    fn branching(rows: Rows, common: Vec<PartitionStep>, branches: Vec<Vec<PartitionStep>>) -> Self {
        let mut union: Option<Vec<PlSmallStr>> = Some(Vec::new());
        for branch in &branches {
            union = union.zip(needed(branch)).map(|(mut union, more)| {
                union.extend(more.into_iter().filter(|name| !union.contains(name)).collect::<Vec<_>>());
                union
            });
        }
        Self { rows, common, branches, needed: union }
    }

    /// The rows of the input partition, then a step.
    pub(crate) fn step(step: PartitionStep) -> Self {
        Self::new(Rows::Input { slot: 0 }, vec![step])
    }

    pub(crate) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The steps, if there is a single branch.
    pub(crate) fn steps(&self) -> Option<&[PartitionStep]> {
        match self.branches.as_slice() {
            [steps] => Some(steps),
            _ => None,
        }
    }

    fn n_steps(&self) -> usize {
        self.common.len() + self.branches.iter().map(Vec::len).sum::<usize>()
    }

    /// The rows as the beginning of a lazy frame.
    fn begin(&self, at: Place<'_>, inputs: &Inputs<'_>, escape: &Escape) -> Result<LazyFrame, TaskError> {
        Ok(match &self.rows {
            Rows::Input { slot } => inputs.slot::<Partition>(*slot)?[0].0.clone().lazy(),
            Rows::Stack { slot } => self.stacked([*slot], inputs)?.lazy(),
            Rows::Beside { before, own, after } => {
                self.stacked(before.iter().chain([own]).chain(after).copied(), inputs)?.lazy()
            }
            Rows::Files { source, parts, label } => {
                let part = parts[at.index()] as usize;
                scan(Arc::clone(source), part, escape)
                    .map_err(|source| Error::Polars { steps: (*label).to_owned(), source })?
            }
        })
    }

    /// The partitions in some slots, one below the other.
    fn stacked(
        &self,
        slots: impl IntoIterator<Item = usize>,
        inputs: &Inputs<'_>,
    ) -> Result<DataFrame, TaskError> {
        let partitions = slots.into_iter().map(|slot| inputs.slot::<Partition>(slot));
        let partitions = partitions.collect::<Result<Vec<_>, _>>()?;
        let tables = partitions.iter().flatten().map(|partition| &partition.0);
        Ok(stack(|| self.label().into_owned(), tables)?)
    }

    fn compute(&self, at: Place<'_>, mut inputs: Inputs<'_>) -> Result<Output, TaskError> {
        if let (Rows::Input { slot }, Some([])) = (&self.rows, self.steps()) {
            return Ok(Output::shared(inputs.take::<Partition>(*slot)?));
        }
        let escape = Escape::default();
        let place = || match &self.rows {
            Rows::Files { source, parts, .. } => {
                format!("{} ({})", self.label(), source.place(parts[at.index()] as usize))
            }
            _ => self.label().into_owned(),
        };
        let run = |begin: LazyFrame, steps: &[PartitionStep]| -> Result<DataFrame, TaskError> {
            let mut steps = steps.iter();
            let lazy = steps.try_fold(begin, |lazy, step| step.add_to(lazy, &inputs, &escape))?;
            Ok(collect(lazy, &escape, place)?)
        };
        let begin = self.begin(at, &inputs, &escape)?;
        if let Some(steps) = self.steps() {
            return Ok(Output::one(Partition(run(begin, steps)?)));
        }
        // The rows are made once, with the columns that any branch needs, and then go through each branch.
        let mut steps = self.common.iter();
        let mut rows = steps.try_fold(begin, |lazy, step| step.add_to(lazy, &inputs, &escape))?;
        if let Some(needed) = self.needed.as_ref().filter(|needed| !needed.is_empty()) {
            let schema = schema_of(&mut rows).map_err(|source| Error::Polars { steps: place(), source })?;
            // What is not there a step of the branch adds: a join, a total.
            let there = needed.iter().filter(|name| schema.contains(name.as_str()));
            let columns: Vec<Expr> = there.map(|name| col(name.clone())).collect();
            if !columns.is_empty() {
                rows = rows.select(columns);
            }
        }
        let rows = collect(rows, &escape, place)?;
        let branches = self.branches.iter();
        let outputs = branches.map(|steps| {
            let partition = Partition(run(rows.clone().lazy(), steps)?);
            Ok(Arc::new(partition) as ChunkRef)
        });
        Ok(Output::many(outputs.collect::<Result<Vec<_>, TaskError>>()?))
    }
}

/// The columns that these steps read of their input; `None` if that may be all.
fn needed(steps: &[PartitionStep]) -> Option<Vec<PlSmallStr>> {
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
            Rows::Beside { .. } => Some("beside"),
            Rows::Files { label, .. } => Some(*label),
        };
        let shared = self.steps().unwrap_or(&self.common).iter().map(PartitionStep::name);
        let mut names: Vec<&str> = rows.into_iter().chain(shared).collect();
        let ends: Vec<String>;
        let all;
        if self.steps().is_none() {
            let branches = self.branches.iter();
            ends = branches
                .map(|steps| fused_label(&steps.iter().map(PartitionStep::name).collect::<Vec<_>>()))
                .collect();
            all = format!("({})", ends.join(" | "));
            names.push(&all);
        }
        match names.as_slice() {
            [] => Cow::Borrowed("partition"),
            names => Cow::Owned(fused_label(names)),
        }
    }

    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        self.compute(at, inputs)
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
            Rows::Beside { before, own, after } => (3_u8, *before, *own, *after).token(tokenizer),
        }
        self.common.token(tokenizer);
        self.branches.token(tokenizer);
    }

    fn n_outputs(&self) -> usize {
        self.branches.len()
    }

    /// Estimates: polars tells no sizes in advance.
    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        Partition::codec_of()
    }

    fn facts(&self, at: Place<'_>, inputs: &[Option<u64>]) -> Facts {
        let (read, buffers, rows) = match &self.rows {
            Rows::Files { source, parts, .. } => {
                // What common steps need besides is not known; they are seldom much.
                let bytes = source.bytes(parts[at.index()] as usize, self.needed.as_deref());
                // Also a file of which no column is wanted is opened.
                (bytes.read.max(1), bytes.scratch, bytes.rows)
            }
            _ => (0, 0, inputs.iter().copied().sum()),
        };
        let estimate =
            |bytes, steps: &[PartitionStep]| steps.iter().fold(bytes, |bytes, step| step.estimate(bytes));
        let output =
            |steps: &Vec<PartitionStep>| rows.map(|bytes| estimate(estimate(bytes, &self.common), steps));
        // The rows exist beside the result while it is made, and the text beside the rows.
        let scratch = if self.n_steps() == 0 { buffers } else { buffers + rows.unwrap_or(0) };
        let cost = rows.map(|bytes| (read * 3 + bytes * (1 + self.n_steps() as u64)).max(20_000));
        Facts {
            output_bytes: self.branches.iter().map(output).collect(),
            scratch_bytes: scratch,
            cost_ns: cost,
            bytes_read: read,
            ..Facts::default()
        }
    }

    fn touches(&self, at: Place<'_>) -> Vec<Touch> {
        match &self.rows {
            Rows::Files { source, parts, .. } => vec![source.touch(parts[at.index()] as usize)],
            _ => Vec::new(),
        }
    }

    /// Takes in the task that makes the rows: its steps come before all others.
    fn absorb(&self, request: &Absorb<'_>) -> Option<Arc<dyn Task>> {
        let Rows::Input { slot } = self.rows else { return None };
        let producer = request.producer.downcast_ref::<Self>()?;
        let before = producer.steps()?;
        // The producer must be where the rows come from, and nothing else that is read.
        if request.slots != [slot] || self.n_steps() + before.len() > LONGEST {
            return None;
        }
        let renumbered = |slot: &usize| request.producer_slots[*slot];
        let rows = match &producer.rows {
            Rows::Input { slot } => Rows::Input { slot: renumbered(slot) },
            Rows::Stack { slot } => Rows::Stack { slot: renumbered(slot) },
            Rows::Beside { before, own, after } => Rows::Beside {
                before: before.as_ref().map(renumbered),
                own: renumbered(own),
                after: after.as_ref().map(renumbered),
            },
            Rows::Files { source, parts, label } => {
                let read = |place| request.wiring.producers(request.grid.place(place), request.producer_grid);
                let parts = (0..request.grid.n_tasks()).map(|place| parts[read(place)[0] as usize]).collect();
                Rows::Files { source: Arc::clone(source), parts, label }
            }
        };
        let before = before.iter().map(|step| step.with_slots(request.producer_slots));
        let own = |steps: &[PartitionStep]| {
            steps.iter().map(|step| step.with_slots(request.consumer_slots)).collect::<Vec<_>>()
        };
        Some(Arc::new(match self.steps() {
            Some(steps) => Self::new(rows, before.chain(own(steps)).collect()),
            None => {
                let branches = self.branches.iter().map(|steps| own(steps)).collect();
                Self::branching(rows, before.chain(own(&self.common)).collect(), branches)
            }
        }))
    }

    /// One task for two that read the same rows: they are made, or read from files, once.
    fn join(&self, sibling: &dyn Task, sibling_slots: &[usize]) -> Option<Arc<dyn Task>> {
        let sibling = sibling.downcast_ref::<Self>()?;
        let (Rows::Input { slot }, Rows::Input { slot: other }) = (&self.rows, &sibling.rows) else {
            return None;
        };
        let same_rows = *slot == sibling_slots[*other];
        let plain = self.common.is_empty() && sibling.common.is_empty();
        if !same_rows || !plain || self.n_steps() + sibling.n_steps() > LONGEST {
            return None;
        }
        let theirs = sibling
            .branches
            .iter()
            .map(|steps| steps.iter().map(|step| step.with_slots(sibling_slots)).collect());
        let branches = self.branches.iter().cloned().chain(theirs).collect();
        Some(Arc::new(Self::branching(self.rows.clone(), Vec::new(), branches)))
    }
}
