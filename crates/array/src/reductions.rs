//! Reductions: partial states of each block, combined as a tree by chunk index, finished once.
//!
//! `x.over(axes)` says which axes go and which elements count; the method behind it says what is asked. What a method of
//! ndarray is called by is a thin method of [`Array`] over it.

mod answers;
mod over;

pub use over::{All, Axes, Over};

use crate::array::Core;
use crate::block::CodecOf;
use crate::chunks::Chunking;
use crate::element::DType;
use crate::elementwise::{aligned, broadcast};
use crate::error::{Error, ReducedAxes, Shape};
use crate::kernel::ops::{BinaryOp, TestOp, UnaryOp};
use crate::kernel::reduce::AxisSet;
use crate::kernel::strip::{Axes as LoadAxes, NodeIx, Op, Program, Sink};
use crate::strip_task::StripTask;
use answers::{Asked, Asking, ByType};
use musher_graph_core::{
    Codec, Facts, Grouping, Inputs, Layer, Level, Output, Place, Port, Site, Task, TaskError, Token,
    Tokenizer, Wiring, tree_of,
};
use std::borrow::Cow;
use std::sync::Arc;

/// A reduction as the user asked for it.
#[derive(Clone)]
struct Reduce {
    operation: &'static str,
    /// What is asked, for the element type of the array.
    asked: &'static dyn Asked,
    /// The element type of what is reduced.
    from: DType,
    axes: AxisSet,
    /// Whether NaN does not count.
    skip_nan: bool,
    /// The blocks of bools that say which elements count.
    mask: Option<Core>,
    /// The degrees of freedom taken off a variance.
    ddof: f64,
    caller: Site,
}

impl Reduce {
    /// Whether some elements may not count.
    fn is_masked(&self) -> bool {
        self.skip_nan || self.mask.is_some()
    }

    /// The layers of the reduction.
    fn over(&self, core: &Core) -> Result<Core, Error> {
        let (chunking, ndim) = (&core.chunking, core.chunking.ndim());
        let shape = chunking.shape();
        let count = self.axes.along(&shape);
        if self.asked.needs_one() && count == 0 {
            let axes = match self.axes.is_all(ndim) {
                true => ReducedAxes::All,
                false => ReducedAxes::These(self.axes.iter().collect()),
            };
            let (operation, shape, caller) = (self.operation, Shape(shape), self.caller);
            return Err(Error::EmptyReduction { operation, axes, shape, caller });
        }
        let reduced: Vec<bool> = (0..ndim).map(|axis| self.axes.contains(axis)).collect();
        let kept = (0..ndim).filter(|&axis| !reduced[axis]);
        let output = Chunking::from_axes(kept.map(|axis| chunking.shared_axis(axis)));
        let states = self.partial(core)?;
        let port = tree_of(&states, &reduced, Grouping::Lines, output.grid(), self.caller, |level| {
            let output = (level == Level::Last).then(|| output.clone());
            Arc::new(Combine { reduce: self.clone(), count, output })
        });
        Ok(Core { port, chunking: output })
    }

    /// The layer of partial states, one for each block.
    fn partial(&self, core: &Core) -> Result<Port, Error> {
        let ndim = core.chunking.ndim();
        let mut program = Program::default();
        let axes: LoadAxes = (0..ndim).map(|axis| Some(axis as u8)).collect();
        let node = program.node(Op::Load { slot: 0, axes }, [], self.from);
        let mut inputs = vec![(core.port.clone(), Wiring::one_to_one(ndim))];
        let counts = self.skip_nan.then(|| {
            let nan = program.node(Op::Test(TestOp::is_nan), [node], DType::Bool);
            program.node(Op::Unary(UnaryOp::not), [nan], DType::Bool)
        });
        let chosen = match &self.mask {
            Some(mask) => {
                let mask = aligned::<bool>(self.operation, mask, &core.chunking, self.caller)?;
                let (axes, wiring) = broadcast(&mask.chunking, &core.chunking);
                inputs.push((mask.port, wiring));
                Some(program.node(Op::Load { slot: 1, axes }, [], DType::Bool))
            }
            None => None,
        };
        let mask: Option<NodeIx> = match (counts, chosen) {
            (Some(a), Some(b)) => Some(program.node(Op::Binary(BinaryOp::bitand), [a, b], DType::Bool)),
            (one, other) => one.or(other),
        };
        let reduction = self.asked.reduction();
        let wide = reduction.algebra().item();
        let node = if wide == self.from { node } else { program.node(Op::Cast, [node], wide) };
        program.target(node, Sink::Reduce { reduction, axes: self.axes, mask });
        let task = StripTask::new(format!("partial {}", self.operation), program, core.chunking.clone());
        let mut layer = Layer::build(task).caller(self.caller);
        for (port, wiring) in &inputs {
            layer = layer.input(port, wiring.clone());
        }
        Ok(Port::of(layer.finish(core.chunking.grid())))
    }
}

/// Combines states; the last one of a tree finishes them.
struct Combine {
    reduce: Reduce,
    /// How many elements went into each answer, but for those that a mask leaves out.
    count: usize,
    /// The block lengths of the answer, at the last level.
    output: Option<Chunking>,
}

impl Task for Combine {
    fn label(&self) -> Cow<'_, str> {
        match self.output {
            Some(_) => self.reduce.operation.into(),
            None => format!("combine {}", self.reduce.operation).into(),
        }
    }

    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let Reduce { asked, operation, from, ddof, .. } = self.reduce;
        let masked = self.reduce.is_masked();
        let chunk = match &self.output {
            None => asked.combine(&inputs, masked)?,
            Some(output) => {
                let shape = output.block_shape(&at.coords());
                let count = (!masked).then_some(self.count as u64);
                asked.finish(&inputs, &Asking { operation, count, ddof, from, shape: &shape })?
            }
        };
        Ok(Output::shared(chunk))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("array.combine/2");
        let Reduce { asked, operation, axes, ddof, .. } = &self.reduce;
        let reduction = asked.reduction();
        // Two names may ask the same of one algebra, but one name never asks two things.
        tokenizer.name(reduction.algebra().name());
        tokenizer.name(operation);
        (reduction.algebra().item().name(), asked.value().name(), axes.bits()).token(tokenizer);
        (self.reduce.is_masked(), ddof.to_bits(), self.count, &self.output).token(tokenizer);
    }

    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        let Reduce { asked, .. } = &self.reduce;
        Some(match &self.output {
            Some(_) => asked.value().visit(CodecOf),
            None => asked.reduction().algebra().no_states(self.reduce.is_masked()).codec(),
        })
    }

    fn facts(&self, at: Place<'_>, inputs: &[Option<u64>]) -> Facts {
        let read: u64 = inputs.iter().flatten().sum();
        let facts = match &self.output {
            Some(output) => {
                let n: usize = output.block_shape(&at.coords()).iter().product();
                let asked = self.reduce.asked;
                // The answers are made of states, which are complete before.
                let states = n * asked.reduction().algebra().state_bytes(self.reduce.is_masked());
                Facts::bytes((n * asked.value().bytes()) as u64).scratch(states as u64)
            }
            None => match inputs.first().copied().flatten() {
                Some(bytes) => Facts::bytes(bytes),
                None => return Facts::default(),
            },
        };
        facts.cost(500 + read / 4)
    }
}
