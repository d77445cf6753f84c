//! How an elementwise operation becomes a layer: shapes broadcast, block lengths brought into line, one small program.

use crate::array::{Array, Core};
use crate::chunks::Chunking;
use crate::element::{DType, Element, Number, Visit};
use crate::error::{Error, Shape, expect};
use crate::kernel::ops::{BinaryOp, CompareOp, PartOp, TestOp, UnaryOp, cast_kernel};
use crate::kernel::strip::{Axes, Mapped, NodeIx, Op, Program, Sink, StripFn};
use crate::rechunk::{common_lengths, rechunked};
use crate::strip_task::StripTask;
use musher_graph_core::{AxisMap, FnIdentity, Layer, Port, Site, Token, Tokenizer, Wiring};
use ndarray::Dimension;
use std::marker::PhantomData;
use std::sync::Arc;

/// An operand of an elementwise operation: the blocks of an array, or one value.
#[derive(Clone)]
pub(crate) enum Operand {
    /// Blocks with elements of this type.
    Blocks(Core, DType),
    /// One value for all elements.
    Value(crate::element::Scalar),
}

impl<A: Element, D: Dimension> From<&Array<A, D>> for Operand {
    fn from(array: &Array<A, D>) -> Self {
        Self::Blocks(array.core().clone(), A::DTYPE)
    }
}

/// What an elementwise operation computes, and where the user asked for it.
pub(crate) struct Elementwise {
    /// The name of the operation.
    pub(crate) operation: &'static str,
    /// What each element becomes.
    pub(crate) op: Op,
    /// The type of the result.
    pub(crate) dtype: DType,
    /// The user's line.
    pub(crate) caller: Site,
}

impl Elementwise {
    /// The layer over these operands. Shapes are broadcast as NumPy's: axes are matched from the last one, and an
    /// axis of length 1 is repeated. Where the block lengths along an axis differ, the result has the shorter ones if they
    /// divide the others, and else those of the operand with fewer blocks, across whose ends the others are read; unless blocks
    /// would become larger than those of both, which are then cut at the ends of both.
    pub(crate) fn over(&self, operands: &[Operand]) -> Result<Core, Error> {
        let chunking = self.common_chunking(operands)?;
        let mut program = Program::default();
        let mut inputs: Vec<(Port, Wiring)> = Vec::new();
        let mut nodes: Vec<NodeIx> = Vec::new();
        for operand in operands {
            let node = match operand {
                Operand::Value(scalar) => program.node(Op::Constant(*scalar), [], scalar.dtype()),
                Operand::Blocks(core, dtype) => {
                    let core = dtype.visit(Align(core, &chunking, self.caller));
                    let (axes, wiring) = broadcast(&core.chunking, &chunking);
                    let slot = inputs.len() as u32;
                    inputs.push((core.port, wiring));
                    program.node(Op::Load { slot, axes }, [], *dtype)
                }
            };
            nodes.push(node);
        }
        let node = program.node(self.op.clone(), nodes, self.dtype);
        program.target(node, Sink::Block);
        let task = StripTask::new(self.operation, program, chunking.clone());
        let mut builder = Layer::build(task).caller(self.caller);
        for (port, wiring) in &inputs {
            builder = builder.input(port, wiring.clone());
        }
        let layer = builder.finish(chunking.grid());
        Ok(Core { port: Port::of(layer), chunking })
    }

    /// The block lengths of the result.
    pub(crate) fn common_chunking(&self, operands: &[Operand]) -> Result<Chunking, Error> {
        let mut chunkings = operands.iter().filter_map(|operand| match operand {
            Operand::Blocks(core, _) => Some(&core.chunking),
            Operand::Value(_) => None,
        });
        let Some(first) = chunkings.next() else { return Ok(Chunking::from_lengths(&[])) };
        let mut common = first.clone();
        for chunking in chunkings {
            common = self.both(&common, chunking)?;
        }
        Ok(common)
    }

    /// The block lengths of two operands together.
    fn both(&self, left: &Chunking, right: &Chunking) -> Result<Chunking, Error> {
        if left == right {
            return Ok(left.clone());
        }
        // Blocks that are cut at the ends of both where neither divides the other would be slivers, unless those of one along
        // one axis and those of the other along another would make larger blocks than either has.
        let across = self.lengths_of_both(left, right, true)?;
        let largest = |chunking: &Chunking| chunking.largest_block().iter().product::<usize>();
        match largest(&across) <= largest(left).max(largest(right)) {
            true => Ok(across),
            false => self.lengths_of_both(left, right, false),
        }
    }

    /// The same, cut at the ends of both, or `across` the blocks of one of them where neither divides the other.
    fn lengths_of_both(&self, left: &Chunking, right: &Chunking, across: bool) -> Result<Chunking, Error> {
        let ndim = left.ndim().max(right.ndim());
        let mut axes: Vec<Arc<[usize]>> = Vec::with_capacity(ndim);
        for axis in 0..ndim {
            let part = |chunking: &Chunking| {
                let at = (axis + chunking.ndim()).checked_sub(ndim)?;
                Some((chunking.axis(at).iter().sum::<usize>(), chunking.shared_axis(at)))
            };
            axes.push(match (part(left), part(right)) {
                (Some((n, a)), Some((m, b))) if n == m => {
                    let common = common_lengths(&a, &b);
                    match across && common.len() > a.len().max(b.len()) {
                        false => common.into(),
                        true if a.len() <= b.len() => a,
                        true => b,
                    }
                }
                (Some((_, a)), Some((1, _)) | None) => a,
                (Some((1, _)) | None, Some((_, b))) => b,
                _ => {
                    return Err(Error::Shapes {
                        operation: self.operation,
                        left: Shape(left.shape()),
                        right: Shape(right.shape()),
                        caller: self.caller,
                    });
                }
            });
        }
        Ok(Chunking::from_axes(axes))
    }
}

/// The blocks of an operand in line with those of an array to whose shape it is broadcast.
pub(crate) fn aligned<A: Element>(
    operation: &'static str,
    operand: &Core,
    whole: &Chunking,
    caller: Site,
) -> Result<Core, Error> {
    let (shape, wanted) = (operand.chunking.shape(), whole.shape());
    let skipped = wanted.len().checked_sub(shape.len());
    let fits =
        skipped.is_some_and(|skipped| shape.iter().zip(&wanted[skipped..]).all(|(&n, &m)| n == m || n == 1));
    if !fits {
        let (left, right) = (Shape(wanted), Shape(shape));
        return Err(Error::Shapes { operation, left, right, caller });
    }
    Ok(Align(operand, whole, caller).visit::<A>())
}

/// Brings the blocks of an operand into line with those of the result.
struct Align<'a>(&'a Core, &'a Chunking, Site);

impl Visit for Align<'_> {
    type Output = Core;

    fn visit<A: Element>(self) -> Core {
        let Self(core, common, caller) = self;
        let skipped = common.ndim() - core.chunking.ndim();
        let repeated = |axis: usize| core.chunking.axis(axis).iter().sum::<usize>() == 1;
        let axes = (0..core.chunking.ndim()).map(|axis| {
            if repeated(axis) { core.chunking.shared_axis(axis) } else { common.shared_axis(axis + skipped) }
        });
        let wanted = Chunking::from_axes(axes);
        // An axis of length 1 in several blocks (one of them with the element) is joined first.
        let wanted = if wanted.axes().zip(0..).any(|(axis, at)| repeated(at) && axis.len() > 1) {
            let joined =
                wanted.axes().zip(0..).map(|(axis, at)| if repeated(at) { [1].into() } else { axis.into() });
            Chunking::from_axes(joined)
        } else {
            wanted
        };
        rechunked::<A>(core, &wanted, caller)
    }
}

/// How an operand's axes follow those of the result, inside blocks and among them.
pub(crate) fn broadcast(operand: &Chunking, result: &Chunking) -> (Axes, Wiring) {
    let skipped = result.ndim() - operand.ndim();
    let follows = |axis: usize| operand.axis(axis) == result.axis(axis + skipped);
    let axes = (0..operand.ndim()).map(|axis| follows(axis).then_some((axis + skipped) as u8)).collect();
    let maps = (0..operand.ndim())
        .map(|axis| if follows(axis) { AxisMap::follow(axis + skipped) } else { AxisMap::Fixed(0) });
    (axes, Wiring::axes(maps))
}

/// The result of an operation on these operands.
fn combine<B: Element, E: Dimension>(work: &Elementwise, operands: &[Operand]) -> Result<Array<B, E>, Error> {
    work.over(operands).map(Array::from_core)
}

/// The result of an operation on one array, whose shape fits itself.
#[track_caller]
fn alone<A: Element, B: Element, D: Dimension>(
    array: &Array<A, D>,
    operation: &'static str,
    op: Op,
) -> Array<B, D> {
    let work = Elementwise { operation, op, dtype: B::DTYPE, caller: Site::caller() };
    expect(combine(&work, &[array.into()]))
}

/// A function of one array that keeps the element type.
#[track_caller]
pub(crate) fn unary<A: Element, D: Dimension>(array: &Array<A, D>, op: UnaryOp) -> Array<A, D> {
    alone(array, op.row().name, Op::Unary(op))
}

/// A fixed integer power.
#[track_caller]
pub(crate) fn powi<A: Element, D: Dimension>(array: &Array<A, D>, power: i32) -> Array<A, D> {
    alone(array, "powi", Op::Powi(power))
}

/// A real part of one array, or the like.
#[track_caller]
pub(crate) fn part<A: Number, D: Dimension>(array: &Array<A, D>, op: PartOp) -> Array<A::Re, D> {
    alone(array, op.row().name, Op::Part(op))
}

/// A test of one array.
#[track_caller]
pub(crate) fn test<A: Element, D: Dimension>(array: &Array<A, D>, op: TestOp) -> Array<bool, D> {
    alone(array, op.row().name, Op::Test(op))
}

/// A function of two operands that keeps the element type.
#[track_caller]
pub(crate) fn binary<A: Element, E: Dimension>(
    op: BinaryOp,
    left: Operand,
    right: Operand,
) -> Result<Array<A, E>, Error> {
    binary_named(op.row().name, op, left, right)
}

/// The same under another name.
#[track_caller]
pub(crate) fn binary_named<A: Element, E: Dimension>(
    operation: &'static str,
    op: BinaryOp,
    left: Operand,
    right: Operand,
) -> Result<Array<A, E>, Error> {
    let work = Elementwise { operation, op: Op::Binary(op), dtype: A::DTYPE, caller: Site::caller() };
    combine(&work, &[left, right])
}

/// A comparison of two operands.
#[track_caller]
pub(crate) fn compare<E: Dimension>(
    op: CompareOp,
    left: Operand,
    right: Operand,
) -> Result<Array<bool, E>, Error> {
    let (operation, caller) = (op.row().name, Site::caller());
    combine(&Elementwise { operation, op: Op::Compare(op), dtype: DType::Bool, caller }, &[left, right])
}

/// `if cond { a } else { b }`, element by element.
#[track_caller]
pub(crate) fn select<A: Element, E: Dimension>(
    cond: Operand,
    a: Operand,
    b: Operand,
) -> Result<Array<A, E>, Error> {
    let work = Elementwise { operation: "select", op: Op::Select, dtype: A::DTYPE, caller: Site::caller() };
    combine(&work, &[cond, a, b])
}

/// The elements in another type.
#[track_caller]
pub(crate) fn cast<A: Element, B: Element, D: Dimension>(array: &Array<A, D>) -> Result<Array<B, D>, Error> {
    let caller = Site::caller();
    if A::DTYPE == B::DTYPE {
        return Ok(Array::from_core(array.core().clone()));
    }
    if cast_kernel(A::DTYPE, B::DTYPE).is_none() {
        return Err(Error::Cast { from: A::DTYPE, to: B::DTYPE, caller });
    }
    combine(&Elementwise { operation: "cast", op: Op::Cast, dtype: B::DTYPE, caller }, &[array.into()])
}

/// A user's function of one element, as a function over strips.
struct MapEach<A, B, F>(F, PhantomData<fn(A) -> B>);

/// Why strips have the types that a user's function was added with.
const TYPED: &str = "the program was built with these types";

impl<A: Element, B: Element, F: Fn(A) -> B + Send + Sync> StripFn for MapEach<A, B, F> {
    fn run(&self, inputs: &[crate::element::Source<'_>], out: &mut crate::element::Buffer, len: usize) {
        let out = &mut B::buffer_mut(out).expect(TYPED)[..len];
        for (out, &x) in out.iter_mut().zip(A::from_source(inputs[0]).expect(TYPED)) {
            *out = (self.0)(x);
        }
    }
}

/// A user's function of two elements, as a function over strips.
struct MapPairs<A, B, C, F>(F, PhantomData<fn(A, B) -> C>);

impl<A: Element, B: Element, C: Element, F: Fn(A, B) -> C + Send + Sync> StripFn for MapPairs<A, B, C, F> {
    fn run(&self, inputs: &[crate::element::Source<'_>], out: &mut crate::element::Buffer, len: usize) {
        let out = &mut C::buffer_mut(out).expect(TYPED)[..len];
        let (x, y) = (A::from_source(inputs[0]).expect(TYPED), B::from_source(inputs[1]).expect(TYPED));
        for ((out, &x), &y) in out.iter_mut().zip(x).zip(y) {
            *out = (self.0)(x, y);
        }
    }
}

/// A user's function with its identity: its type if it captures nothing, else a fresh one.
fn mapped<F: 'static>(function: impl StripFn + 'static) -> Mapped {
    let mut tokenizer = Tokenizer::new();
    FnIdentity::of::<F>().enter::<F>("array.map/1", &mut tokenizer);
    let (identity, reach) = (tokenizer.finish().to_bits(), tokenizer.reach() as u8);
    Mapped { function: Arc::new(function), identity, reach }
}

/// Applies a function to every element.
#[track_caller]
pub(crate) fn map_each<A, B, D, F>(array: &Array<A, D>, f: F) -> Array<B, D>
where
    A: Element,
    B: Element,
    D: Dimension,
    F: Fn(A) -> B + Send + Sync + 'static,
{
    alone(array, "mapv", Op::Map(mapped::<F>(MapEach(f, PhantomData))))
}

/// Applies a function that its name and parameters identify to every element.
#[track_caller]
pub(crate) fn map_named<A, B, D, F>(
    operation: &'static str,
    array: &Array<A, D>,
    parameters: &impl Token,
    f: F,
) -> Array<B, D>
where
    A: Element,
    B: Element,
    D: Dimension,
    F: Fn(A) -> B + Send + Sync + 'static,
{
    let mut tokenizer = Tokenizer::new();
    tokenizer.name(operation);
    (A::NAME, B::NAME).token(&mut tokenizer);
    parameters.token(&mut tokenizer);
    let (identity, reach) = (tokenizer.finish().to_bits(), tokenizer.reach() as u8);
    let function = Arc::new(MapEach(f, PhantomData));
    alone(array, operation, Op::Map(Mapped { function, identity, reach }))
}

/// Applies a function to every pair of elements.
#[track_caller]
pub(crate) fn map_pairs<A, B, C, E, F>(left: Operand, right: Operand, f: F) -> Result<Array<C, E>, Error>
where
    A: Element,
    B: Element,
    C: Element,
    E: Dimension,
    F: Fn(A, B) -> C + Send + Sync + 'static,
{
    let op = Op::Map(mapped::<F>(MapPairs(f, PhantomData)));
    let work = Elementwise { operation: "zip_map", op, dtype: C::DTYPE, caller: Site::caller() };
    combine(&work, &[left, right])
}
