//! Running totals along an axis: sums, products, extremes, and values carried forward over NaN.
//!
//! ```text
//!   blocks      ▢     ▢     ▢        each alone: its own running totals, made while its elements are
//!               │     │     │
//!   last        ·     ·     ·        what a block comes to: the last of them
//!               └──┬──┴──┬──┘
//!   before      ·     ·     ·        what all blocks before it come to (`graph_core::scan`)
//!               │     │     │
//!   answer      ▢     ▢     ▢        the one joined with the other: an elementwise step, in place
//! ```
//!
//! The first step fuses with what made the blocks, the last one with what follows. Blocks wait for the sums of those
//! before them only, so a long axis streams.
//!
//! Products and sums of integers go another way: what a block comes to alone may not fit its type where the totals from
//! the beginning do (a zero or a negative number came before). There each block goes on from the totals of the one before
//! it ([`in_turn`]), so every step is the one that a loop over the whole axis takes.

use crate::array::{Array, Core};
use crate::block::Block;
use crate::chunks::Chunking;
use crate::element::{DType, Element, Float, Number, Ordered};
use crate::error::{Error, expect};
use crate::kernel::memory::{copied, with_room};
use crate::kernel::ops::{BinaryOp, TestOp};
use crate::kernel::running::{Lines, Running, RunningKernel, RunningOp};
use crate::kernel::strip::{Axes, Op, Program, Sink};
use crate::rechunk::rechunked;
use crate::strip_task::StripTask;
use musher_graph_core::{
    Combine, Facts, FnTask, Inputs, Layer, Level, Place, Port, Scan, Site, TaskError, Tokenizer, Wiring,
    in_turn, scan,
};
use ndarray::{ArrayD, ArrayViewD, Axis, Dimension, IxDyn, Slice};
use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

/// Running totals along one axis, of elements of the type in which they are kept.
struct Cumulative {
    operation: &'static str,
    op: RunningOp,
    axis: usize,
    caller: Site,
}

impl Cumulative {
    /// The layers: totals within blocks, and where there are several along the axis, those of what came before.
    fn over<A: Element, B: Element>(&self, core: &Core) -> Result<Core, Error> {
        let Self { operation, axis, caller, .. } = *self;
        let (chunking, ndim) = (&core.chunking, core.chunking.ndim());
        if axis >= ndim {
            return Err(Error::Axis { operation, axis, ndim, caller });
        }
        let port = match (chunking.axis(axis).len(), self.steps_are_exact::<B>()) {
            (0 | 1, _) => self.within_blocks::<A, B>(core),
            (_, true) => return Ok(self.one_after_the_other::<A, B>(core)),
            (_, false) => {
                let local = self.within_blocks::<A, B>(core);
                let before = Before::<B> {
                    name: format!("{operation} before").into(),
                    op: self.op,
                    axis,
                    chunking: chunking.clone(),
                    element: PhantomData,
                };
                let before = scan(&self.last_of_blocks::<B>(&local, chunking), axis, before, caller);
                self.joined::<B>(&local, &before, chunking)
            }
        };
        Ok(Core { port, chunking: chunking.clone() })
    }

    /// Whether each step must be that of a loop over the whole axis.
    fn steps_are_exact<B: Element>(&self) -> bool {
        match self.op {
            RunningOp::Product => true,
            RunningOp::Sum => matches!(B::DTYPE, DType::I64 | DType::U64),
            RunningOp::Minimum | RunningOp::Maximum | RunningOp::Fill => false,
        }
    }

    /// Each block goes on from the last totals of the block before it.
    fn one_after_the_other<A: Element, B: Element>(&self, core: &Core) -> Core {
        let filled: Arc<[usize]> = core.chunking.axis(self.axis).iter().copied().filter(|&n| n > 0).collect();
        if filled.is_empty() || filled.len() == core.chunking.axis(self.axis).len() {
            return Core { port: self.in_turn::<A, B>(core), chunking: core.chunking.clone() };
        }
        // A block without elements along the axis has no last totals to go on from.
        let core_of_filled = rechunked::<A>(core, &core.chunking.with_axis(self.axis, filled), self.caller);
        let port = self.in_turn::<A, B>(&core_of_filled);
        let totals = Core { port, chunking: core_of_filled.chunking };
        rechunked::<B>(&totals, &core.chunking, self.caller)
    }

    /// The same of blocks that all have elements along the axis, or none of which has.
    fn in_turn<A: Element, B: Element>(&self, core: &Core) -> Port {
        let (op, axis) = (self.op, self.axis);
        let source = match A::DTYPE == B::DTYPE {
            true => core.port.clone(),
            false => self.strip::<A, B>("cast", core, Sink::Block),
        };
        let of_facts = core.chunking.clone();
        let task = FnTask::new(self.operation, move |at: Place<'_>, inputs: &mut Inputs<'_>| {
            let own = inputs.take_owned::<Block<B>>(inputs.len() - 1)?;
            let shape = own.shape().to_vec();
            let mut elements = match own.into_elements() {
                Ok(elements) => elements,
                Err(own) => copied(&own.view())?.into_raw_vec_and_offset().0,
            };
            let Running { kernel, .. } = B::running(op).expect(TYPED);
            let lines = Lines::along(&shape, axis);
            if at.coords()[axis] > 0 && !elements.is_empty() {
                let before = inputs.get::<Block<B>>(0)?.view();
                go_on_from(before.slice_axis(Axis(axis), Slice::from(-1..)), &mut elements, lines, kernel)?;
            }
            let n = elements.len();
            kernel(&mut elements, 0..n, lines)?;
            Ok(Block::new(ArrayD::from_shape_vec(IxDyn(&shape), elements)?))
        });
        let task = task.params("array.total_in_turn/1", &((B::NAME, op.code()), axis));
        let task = task.facts(move |at, _| {
            let n: usize = of_facts.block_shape(&at.coords()).iter().product();
            let lines = 3 * line_count(&of_facts, axis, at);
            let bytes = |n: usize| (n * size_of::<B>()) as u64;
            Facts { reuses_input: true, ..Facts::bytes(bytes(n)) }
                .scratch(bytes(lines))
                .cost(1_000 + n as u64)
        });
        in_turn(&source, axis, task, self.caller)
    }

    /// Each block alone.
    fn within_blocks<A: Element, B: Element>(&self, core: &Core) -> Port {
        let sink = Sink::Running { op: self.op, axis: self.axis as u8 };
        self.strip::<A, B>(self.operation, core, sink)
    }

    /// The elements in the type in which totals are kept, and what becomes of them.
    fn strip<A: Element, B: Element>(&self, label: &'static str, core: &Core, sink: Sink) -> Port {
        let mut program = Program::default();
        let mut node = program.node(Op::Load { slot: 0, axes: all_axes(&core.chunking) }, [], A::DTYPE);
        if A::DTYPE != B::DTYPE {
            node = program.node(Op::Cast, [node], B::DTYPE);
        }
        program.target(node, sink);
        let task = StripTask::new(label, program, core.chunking.clone());
        let wiring = Wiring::one_to_one(core.chunking.ndim());
        let layer = Layer::build(task).caller(self.caller).input(&core.port, wiring);
        Port::of(layer.finish(core.chunking.grid()))
    }

    /// What each block comes to: its last totals, as a block of length 1 along the axis.
    fn last_of_blocks<B: Element>(&self, local: &Port, chunking: &Chunking) -> Port {
        let (op, axis) = (self.op, self.axis);
        let of_facts = chunking.clone();
        let task = FnTask::new(format!("{} of a block", self.operation), {
            move |_: Place<'_>, inputs: &mut Inputs<'_>| {
                let block = inputs.get::<Block<B>>(0)?.view();
                let mut shape = block.shape().to_vec();
                shape[axis] = 1;
                if block.shape()[axis] == 0 {
                    return filled(&shape, start::<B>(op));
                }
                let last = block.slice_axis(Axis(axis), Slice::from(-1..));
                Ok(Block::new(copied(&last)?))
            }
        });
        let task = task.params("array.last_total/1", &((B::NAME, op.code()), axis));
        let task = task.facts(move |at, _| {
            let n = line_count(&of_facts, axis, at);
            Facts::bytes((n * size_of::<B>()) as u64).cost(500 + n as u64)
        });
        let layer = Layer::build(task).caller(self.caller);
        let layer = layer.input(local, Wiring::one_to_one(chunking.ndim()));
        Port::of(layer.finish(chunking.grid()))
    }

    /// The totals of each block joined with what all blocks before it come to.
    fn joined<B: Element>(&self, local: &Port, before: &Port, chunking: &Chunking) -> Port {
        let mut program = Program::default();
        let axes = all_axes(chunking);
        let mut line = axes.clone();
        line[self.axis] = None;
        let own = program.node(Op::Load { slot: 0, axes }, [], B::DTYPE);
        let prefix = program.node(Op::Load { slot: 1, axes: line }, [], B::DTYPE);
        let mut binary = |op| program.node(Op::Binary(op), [prefix, own], B::DTYPE);
        let node = match self.op {
            RunningOp::Sum => binary(BinaryOp::add),
            RunningOp::Product => binary(BinaryOp::mul),
            RunningOp::Minimum => binary(BinaryOp::minimum),
            RunningOp::Maximum => binary(BinaryOp::maximum),
            RunningOp::Fill => {
                let missing = program.node(Op::Test(TestOp::is_nan), [own], DType::Bool);
                program.node(Op::Select, [missing, prefix, own], B::DTYPE)
            }
        };
        program.target(node, Sink::Block);
        let task = StripTask::new(self.operation, program, chunking.clone());
        let one_to_one = || Wiring::one_to_one(chunking.ndim());
        let layer =
            Layer::build(task).caller(self.caller).input(local, one_to_one()).input(before, one_to_one());
        Port::of(layer.finish(chunking.grid()))
    }
}

/// Every axis of a block follows the program's own.
fn all_axes(chunking: &Chunking) -> Axes {
    (0..chunking.ndim()).map(|axis| Some(axis as u8)).collect()
}

/// How many lines along an axis a block has.
fn line_count(chunking: &Chunking, axis: usize, at: Place<'_>) -> usize {
    let shape = chunking.block_shape(&at.coords());
    (0..shape.len()).filter(|&other| other != axis).map(|other| shape[other]).product()
}

/// Why a running total has a loop.
const TYPED: &str = "methods allow an operation only for types that have it";

/// What nothing comes to.
fn start<B: Element>(op: RunningOp) -> B {
    B::running(op).expect(TYPED).start
}

/// A block of one value.
fn filled<B: Element>(shape: &[usize], value: B) -> Result<Block<B>, TaskError> {
    let n = shape.iter().product();
    let mut elements = with_room(n)?;
    elements.resize(n, value);
    Ok(Block::new(ArrayD::from_shape_vec(IxDyn(shape), elements)?))
}

/// Joins the first elements along an axis with the totals before them.
fn go_on_from<B: Element>(
    before: ArrayViewD<'_, B>,
    elements: &mut [B],
    lines: Lines,
    kernel: RunningKernel<B>,
) -> Result<(), TaskError> {
    let block = lines.n * lines.inner;
    let firsts = (0..elements.len() / block).flat_map(|outer| outer * block..outer * block + lines.inner);
    let own = firsts.clone().map(|at| elements[at]);
    let joined = pairs(before.iter().copied(), own, before.len(), kernel)?;
    firsts.zip(joined).for_each(|(at, joined)| elements[at] = joined);
    Ok(())
}

/// Joins so many totals with those behind them, as two neighbors along an axis of their own.
fn pairs<B: Element>(
    earlier: impl Iterator<Item = B>,
    later: impl Iterator<Item = B>,
    n: usize,
    kernel: RunningKernel<B>,
) -> Result<Vec<B>, TaskError> {
    let mut both = with_room(2 * n)?;
    both.extend(earlier.chain(later));
    kernel(&mut both, n..2 * n, Lines { n: 2, inner: n.max(1) })?;
    both.drain(..n);
    Ok(both)
}

/// What several neighboring blocks come to.
struct Before<B> {
    name: Cow<'static, str>,
    op: RunningOp,
    axis: usize,
    chunking: Chunking,
    element: PhantomData<fn() -> B>,
}

impl<B: Element> Combine for Before<B> {
    type State = Block<B>;

    fn label(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.name)
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("array.total_before/1");
        tokenizer.name(B::NAME);
        tokenizer.word(self.op.code());
        tokenizer.word(self.axis as u64);
    }

    fn merge(&self, earlier: &mut Block<B>, later: Block<B>) -> Result<(), TaskError> {
        let (n, Running { kernel, .. }) = (later.elements().len(), B::running(self.op).expect(TYPED));
        let both = pairs(earlier.elements().iter().copied(), later.elements().iter().copied(), n, kernel)?;
        *earlier = Block::new(ArrayD::from_shape_vec(IxDyn(later.shape()), both)?);
        Ok(())
    }

    fn facts(&self, at: Place<'_>, _level: Level, inputs: &[Option<u64>]) -> Facts {
        let n = line_count(&self.chunking, self.axis, at) as u64;
        let bytes = n * size_of::<B>() as u64;
        // Two states side by side, and copies of those that somebody else holds.
        let scratch = (2 + inputs.len() as u64) * bytes;
        Facts::bytes(bytes).scratch(scratch).cost(500 + n * inputs.len() as u64)
    }
}

impl<B: Element> Scan for Before<B> {
    fn start(&self, at: Place<'_>) -> Result<Block<B>, TaskError> {
        let mut coords = at.coords();
        coords[self.axis] = 0;
        let mut shape = self.chunking.block_shape(&coords);
        shape[self.axis] = 1;
        filled(&shape, start::<B>(self.op))
    }

    fn start_bytes(&self, at: Place<'_>) -> Option<u64> {
        Some((line_count(&self.chunking, self.axis, at) * size_of::<B>()) as u64)
    }
}

/// One kind of running total, with its twin that tells errors. Written out for `cumsum`: `cumsum` and `try_cumsum`.
macro_rules! cumulative {
    ($($(#[$doc:meta])* fn $name:ident, $try:ident where A: $bound:ident -> $out:ty = $op:ident, $text:literal;)*) => {
        impl<A: Element, D: Dimension> Array<A, D> {$(
            $(#[$doc])*
            #[must_use]
            #[track_caller]
            pub fn $name(&self, axis: Axis) -> Array<$out, D>
            where
                A: $bound,
            {
                expect(self.$try(axis))
            }

            #[doc = concat!("As [`", $text, "`](Self::", $text, ").")]
            ///
            /// # Errors
            /// [`Error::Axis`] when there is no such axis.
            #[track_caller]
            pub fn $try(&self, axis: Axis) -> Result<Array<$out, D>, Error>
            where
                A: $bound,
            {
                let (Axis(axis), caller) = (axis, Site::caller());
                let work = Cumulative { operation: $text, op: RunningOp::$op, axis, caller };
                work.over::<A, $out>(self.core()).map(Array::from_core)
            }
        )*}
    };
}

cumulative! {
    /// The running sum along an axis: each element and all before it; of integers as `i64` or `u64`, as [`sum`](Self::sum).
    ///
    /// **Shape** and blocks stay.
    /// **Cost** one pass over the array and one over the answer; it fuses with what comes before and after. Blocks along
    /// the axis wait for the sums of those before them, not for the blocks.
    ///
    /// Within a block additions go from element to element, as NumPy's do; across blocks whole sums of floats are added, so
    /// their last bits depend on the blocks, but on nothing else. Integers are added one after the other, block after block.
    ///
    /// # Panics
    /// When there is no such axis. Computing fails where one of the sums does not fit 64 bits.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr1}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[3_i32, 1, 4, 1, 5]), 2);
    /// assert_eq!(x.cumsum(Axis(0)).compute()?, arr1(&[3_i64, 4, 8, 9, 14]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[doc(alias = "cumulative_sum")]
    #[doc(alias = "accumulate")]
    #[doc(alias = "numpy.cumsum")]
    fn cumsum, try_cumsum where A: Number -> A::Sum = Sum, "cumsum";
    /// The running product along an axis: each element times all before it; of integers as `i64` or `u64`.
    ///
    /// **Shape** and blocks stay.
    /// **Cost** one pass; along the axis one block after the other, so that every product is NumPy's, also where a zero came
    /// before.
    ///
    /// # Panics
    /// When there is no such axis. Computing fails where one of the products of integers does not fit 64 bits.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr1}};
    /// use musher_scheduler::Compute;
    /// let growth = Array::from_array(arr1(&[1.5, 2.0, 0.5]), 2);
    /// assert_eq!(growth.cumprod(Axis(0)).compute()?, arr1(&[1.5, 3.0, 1.5]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[doc(alias = "cumulative_prod")]
    #[doc(alias = "numpy.cumprod")]
    fn cumprod, try_cumprod where A: Number -> A::Sum = Product, "cumprod";
    /// The largest so far along an axis; NaN once there was one.
    ///
    /// **Shape** and blocks stay.
    /// **Cost** as [`cumsum`](Self::cumsum).
    ///
    /// # Panics
    /// When there is no such axis.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr2}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[1, 5, 2], [4, 0, 3]]), (1, 2));
    /// assert_eq!(x.cummax(Axis(1)).compute()?, arr2(&[[1, 5, 5], [4, 4, 4]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[doc(alias = "maximum.accumulate")]
    fn cummax, try_cummax where A: Ordered -> A = Maximum, "cummax";
    /// The smallest so far along an axis; NaN once there was one.
    ///
    /// **Shape** and blocks stay.
    /// **Cost** as [`cumsum`](Self::cumsum).
    ///
    /// # Panics
    /// When there is no such axis.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr2}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[1, 5, 2], [4, 0, 3]]), (1, 2));
    /// assert_eq!(x.cummin(Axis(0)).compute()?, arr2(&[[1, 5, 2], [1, 0, 2]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[doc(alias = "minimum.accumulate")]
    fn cummin, try_cummin where A: Ordered -> A = Minimum, "cummin";
    /// NaN replaced by the last number before it along an axis; NaN stays where there is none.
    ///
    /// **Shape** and blocks stay.
    /// **Cost** as [`cumsum`](Self::cumsum).
    ///
    /// # Panics
    /// When there is no such axis.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr1}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[1.0, f64::NAN, f64::NAN, 2.0, f64::NAN]), 2);
    /// assert_eq!(x.forward_fill(Axis(0)).compute()?, arr1(&[1.0, 1.0, 1.0, 2.0, 2.0]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[doc(alias = "ffill")]
    #[doc(alias = "dask.array.push")]
    fn forward_fill, try_forward_fill where A: Float -> A = Fill, "forward_fill";
}
