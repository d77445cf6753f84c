//! Lines: a straight line of opaque tasks becomes one task.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use crate::chunk::Codec;
use crate::fused_label::fused_label;
use crate::graph::Graph;
use crate::grid::Place;
use crate::key::Tokenizer;
use crate::report::report;
use crate::site::Site;
use crate::task::{Facts, Inputs, Output, Staged, Task, TaskError};
use crate::touch::Touch;

/// Strings together layers that read one producer, place by place, which nobody else reads.
pub(super) fn string_lines(graph: &mut Graph) {
    let uses = graph.uses();
    let n = graph.layers.len();
    // The layer that each layer continues, and whether it is continued itself.
    let mut continues: Vec<Option<usize>> = vec![None; n];
    let mut is_continued = vec![false; n];
    for (own, layer) in graph.layers.iter().enumerate() {
        if let [input] = layer.inputs.as_slice() {
            let at = input.producer.index();
            let producer = &graph.layers[at];
            if at != own
                && uses[at] == 1
                && producer.task.n_outputs() == 1
                && !producer.task.continues()
                && producer.grid == layer.grid
                && producer.annotations == layer.annotations
                && input.wiring.is_one_to_one()
                && producer.inputs.iter().all(|input| input.producer.index() != at)
            {
                continues[own] = Some(at);
                is_continued[at] = true;
            }
        }
    }
    for own in 0..n {
        if is_continued[own] || continues[own].is_none() {
            continue;
        }
        let mut steps = Vec::new();
        let mut at = own;
        loop {
            steps.push(Step { task: Arc::clone(&graph.layers[at].task), caller: graph.layers[at].caller });
            match continues[at] {
                Some(before) => at = before,
                None => break,
            }
        }
        steps.reverse();
        graph.layers[own].inputs = std::mem::take(&mut graph.layers[at].inputs);
        graph.layers[own].task = Arc::new(Line { steps });
    }
}

/// Tasks one after the other, each reading what the one before returned.
struct Line {
    steps: Vec<Step>,
}

struct Step {
    task: Arc<dyn Task>,
    caller: Site,
}

/// Which step of a line failed.
pub struct StepError {
    /// Label of the step's task.
    pub label: String,
    /// The user's line that built the step.
    pub caller: Site,
    /// Why.
    pub cause: TaskError,
}

impl fmt::Debug for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report(self, f)
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (built at {}) failed", self.label, self.caller)
    }
}

impl std::error::Error for StepError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.cause.cause())
    }
}

/// A step of a line panicked: what the line panics with in its place, so that the step can be named.
pub struct StepPanic {
    /// Label of the step's task.
    pub label: String,
    /// The user's line that built the step.
    pub caller: Site,
    /// What the step panicked with.
    pub payload: Box<dyn Any + Send>,
}

impl fmt::Debug for StepPanic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StepPanic({} built at {})", self.label, self.caller)
    }
}

/// A step returned more work and had not said that it may.
#[derive(Debug, thiserror::Error)]
#[error("a task gave more work back although its `continues` says that it never does")]
struct Unannounced;

impl Step {
    /// Runs the step, so that an error or a panic names it.
    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let label = || self.task.label().into_owned();
        // Whoever catches the panic in the end judges what it left behind: here it only passes.
        match catch_unwind(AssertUnwindSafe(|| self.task.run(at, inputs))) {
            Ok(result) => result
                .map_err(|cause| TaskError::new(StepError { label: label(), caller: self.caller, cause })),
            Err(payload) => {
                resume_unwind(Box::new(StepPanic { label: label(), caller: self.caller, payload }))
            }
        }
    }
}

impl Task for Line {
    /// The labels from first to last; a long line shows its ends.
    fn label(&self) -> Cow<'_, str> {
        let labels: Vec<_> = self.steps.iter().map(|step| step.task.label()).collect();
        fused_label(&labels).into()
    }

    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let spill_store = inputs.spill_store();
        let mut steps = self.steps.iter();
        let Some(first) = steps.next() else { return Ok(Output::many([])) };
        let mut output = first.run(at, inputs)?;
        for step in steps {
            let mut between = smallvec::SmallVec::<[_; 1]>::new();
            output.hand_over(|chunk| between.push(Some(chunk))).map_err(|_| TaskError::new(Unannounced))?;
            output = step.run(at, Inputs::new(&mut between, &[]).with_spill_store(spill_store))?;
        }
        Ok(output)
    }

    fn continues(&self) -> bool {
        self.steps.last().is_some_and(|step| step.task.continues())
    }

    fn n_outputs(&self) -> usize {
        self.steps.last().map_or(1, |step| step.task.n_outputs())
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.steps.iter().for_each(|step| step.task.token(tokenizer));
    }

    fn codec(&self, output: usize, inputs: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        let (last, before) = self.steps.split_last()?;
        let Some((first, between)) = before.split_first() else { return last.task.codec(output, inputs) };
        let made = between.iter().fold(first.task.codec(0, inputs), |made, step| step.task.codec(0, &[made]));
        last.task.codec(output, &[made])
    }

    fn codec_advice(&self) -> Option<&'static str> {
        self.steps.last()?.task.codec_advice()
    }

    fn touches(&self, at: Place<'_>) -> Vec<Touch> {
        self.steps.iter().flat_map(|step| step.task.touches(at)).collect()
    }

    fn facts(&self, at: Place<'_>, inputs: &[Option<u64>]) -> Facts {
        let mut line = Facts { cost_ns: Some(0), ..Facts::default() };
        let mut between: smallvec::SmallVec<[Option<u64>; 4]> = inputs.into();
        for (index, step) in self.steps.iter().enumerate() {
            let facts = step.task.facts(at, &between);
            let held = if index == 0 {
                0
            } else {
                between.iter().flatten().fold(0, |sum: u64, b| sum.saturating_add(*b))
            };
            let made = if index + 1 == self.steps.len() { 0 } else { facts.output(0).unwrap_or(0) };
            line.scratch_bytes =
                line.scratch_bytes.max(facts.scratch_bytes.saturating_add(held).saturating_add(made));
            line.cost_ns = line.cost_ns.zip(facts.cost_ns).map(|(sum, cost)| sum.saturating_add(cost));
            line.bytes_read = line.bytes_read.saturating_add(facts.bytes_read);
            line.bytes_written = line.bytes_written.saturating_add(facts.bytes_written);
            between = smallvec::smallvec![facts.output(0)];
            line.output_bytes = facts.output_bytes;
            line.staged = match facts.staged {
                // What the step before staged is held on.
                Staged::OfInputs if index > 0 => line.staged,
                staged => staged,
            };
        }
        line
    }
}
