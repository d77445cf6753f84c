//! From nodes to typed steps: pairs of nodes that are one loop are joined, registers are assigned and given back at
//! the last use.

use super::run::Tile;
use super::{Node, NodeIx, Op, Program, Sink, Target};
use crate::element::{DType, Element, Scalar, Visit};
use crate::kernel::ops::{
    BinaryOp, CompareOp, Fault, Kernels, Lane, SinCosKernel, UnaryKernel, UnaryOp, cast_kernel,
};
use crate::kernel::random::{Distribution, Engine, RandomFloat, fill_integers};
use crate::kernel::running::RunningOp;
use smallvec::SmallVec;
use std::collections::HashMap;

/// An operation does not exist for its element types. Programs are checked when they are built, so users never see it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("no loop for {operation} of {dtype}")]
pub struct CompileError {
    /// The operation.
    pub operation: String,
    /// The type of its result.
    pub dtype: DType,
}

/// Where the value of a node is while a strip runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// In a register.
    Register(u32),
    /// In an input, or in the register into which it was gathered.
    Input(u32),
    /// The same for all elements.
    Constant(u32),
}

/// One step: reads homes, fills a register.
pub(super) type Step = Box<dyn Fn(&mut Tile<'_>) -> Result<(), Fault> + Send + Sync>;

/// A load: its node, and the register for elements that must be gathered.
#[derive(Clone, Debug)]
pub(super) struct Load {
    pub(super) node: NodeIx,
    pub(super) register: u32,
}

/// An output: where its elements are, and those of its mask.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    pub(super) home: Home,
    pub(super) dtype: DType,
    pub(super) sink: Sink,
    pub(super) mask: Option<Home>,
}

/// A compiled program, run with [`Code::run`].
pub struct Code {
    pub(super) steps: Vec<Step>,
    /// The type of each register.
    pub(super) registers: Vec<DType>,
    pub(super) loads: Vec<Load>,
    pub(super) constants: Vec<Scalar>,
    /// The generators, in the order in which the steps count them.
    pub(super) generators: Vec<NodeIx>,
    /// Where each output is when the steps are done.
    pub(super) targets: Vec<Outcome>,
    pub(super) program: Program,
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Code({} steps, {} registers)", self.steps.len(), self.registers.len())
    }
}

impl Code {
    /// Compiles a program.
    ///
    /// **Cost** linear in the number of nodes.
    ///
    /// # Errors
    /// [`CompileError`] when an operation has no loop for its element types.
    ///
    /// # Panics
    /// Never: every node that is used gets a home first.
    pub fn compile(program: &Program) -> Result<Self, CompileError> {
        let program = join_pairs(program);
        let mut compiler = Compiler::new(&program);
        for index in 0..program.nodes().len() {
            compiler.step(NodeIx(index as u32))?;
        }
        let homes = compiler.homes;
        let home_of = |node: NodeIx| homes[node.index()].expect("every node that is used has a home");
        let outcome = |target: &Target| Outcome {
            home: home_of(target.node),
            dtype: program.nodes()[target.node.index()].dtype,
            sink: target.sink,
            mask: target.reads().nth(1).map(home_of),
        };
        let targets: Vec<Outcome> = program.targets().iter().map(outcome).collect();
        for Outcome { dtype, sink, .. } in &targets {
            if let Sink::Running { op, .. } = sink
                && !dtype.visit(HasRunning(*op))
            {
                return Err(CompileError { operation: format!("{op:?}"), dtype: *dtype });
            }
        }
        Ok(Self {
            steps: compiler.steps,
            registers: compiler.registers,
            loads: compiler.loads,
            constants: compiler.constants,
            generators: compiler.generators,
            targets,
            program,
        })
    }

    /// The program after pairs were joined.
    #[must_use]
    pub const fn program(&self) -> &Program {
        &self.program
    }

    /// Bytes of the registers, the scratch memory of a run but for reductions.
    #[must_use]
    pub fn register_bytes(&self) -> usize {
        // The largest strip has 2048 elements.
        self.registers.iter().map(|dtype| 2048 * dtype.bytes()).sum()
    }
}

/// How often each node is read, by nodes and targets.
fn count_uses(nodes: &[Node], targets: &[Target]) -> Vec<u32> {
    let mut uses = vec![0; nodes.len()];
    for input in nodes.iter().flat_map(|node| &node.inputs) {
        uses[input.index()] += 1;
    }
    for node in targets.iter().flat_map(Target::reads) {
        uses[node.index()] += 1;
    }
    uses
}

/// Makes one node of `a * b` and `+ c`, and of a comparison and the selection by it, where nobody else reads the
/// first; drops what nobody reads.
fn join_pairs(program: &Program) -> Program {
    let nodes = program.nodes();
    let uses = count_uses(nodes, program.targets());
    let mut joined: Vec<Node> = nodes.to_vec();
    for index in 0..nodes.len() {
        let node = &nodes[index];
        let first = |input: usize| &nodes[node.inputs[input].index()];
        let alone = |input: usize| uses[node.inputs[input].index()] == 1;
        match &node.op {
            Op::Binary(BinaryOp::add)
                if matches!(node.dtype, DType::F32 | DType::F64)
                    && alone(0)
                    && matches!(first(0).op, Op::Binary(BinaryOp::mul)) =>
            {
                let inputs = [first(0).inputs[0], first(0).inputs[1], node.inputs[1]];
                joined[index] =
                    Node { op: Op::MulAdd, inputs: inputs.into_iter().collect(), dtype: node.dtype };
            }
            Op::Select if alone(0) => {
                let Op::Compare(compare) = first(0).op else { continue };
                let compared = nodes[first(0).inputs[0].index()].dtype;
                if compared != node.dtype || !has_compare_select(compared, compare) {
                    continue;
                }
                let inputs = [first(0).inputs[0], first(0).inputs[1], node.inputs[1], node.inputs[2]];
                joined[index] = Node {
                    op: Op::CompareSelect(compare),
                    inputs: inputs.into_iter().collect(),
                    dtype: node.dtype,
                };
            }
            _ => {}
        }
    }
    let mut needed = vec![false; joined.len()];
    program.targets().iter().flat_map(Target::reads).for_each(|node| needed[node.index()] = true);
    for index in (0..joined.len()).rev() {
        if needed[index] {
            joined[index].inputs.iter().for_each(|input| needed[input.index()] = true);
        }
    }
    let mut result = Program::default();
    let mut numbers = vec![NodeIx(u32::MAX); joined.len()];
    for (index, node) in joined.into_iter().enumerate() {
        if needed[index] {
            let inputs: SmallVec<[NodeIx; 4]> =
                node.inputs.iter().map(|input| numbers[input.index()]).collect();
            numbers[index] = result.node(node.op, inputs, node.dtype);
        }
    }
    result.graft_targets(program, &numbers);
    result
}

/// For each sine and cosine whose angle has the other one later: that one, which the same step computes.
fn find_twins(nodes: &[Node]) -> Vec<Option<NodeIx>> {
    let mut twins = vec![None; nodes.len()];
    let mut first: HashMap<NodeIx, (usize, UnaryOp)> = HashMap::new();
    for (index, node) in nodes.iter().enumerate() {
        let Op::Unary(op @ (UnaryOp::sin | UnaryOp::cos)) = node.op else { continue };
        if !matches!(node.dtype, DType::F32 | DType::F64) {
            continue;
        }
        match first.get(&node.inputs[0]) {
            Some(&(earlier, other)) if other != op && twins[earlier].is_none() => {
                twins[earlier] = Some(NodeIx(index as u32));
            }
            Some(_) => {}
            None => _ = first.insert(node.inputs[0], (index, op)),
        }
    }
    twins
}

/// Whether a type has the joined loop.
fn has_compare_select(dtype: DType, op: CompareOp) -> bool {
    struct Ask(CompareOp);
    impl Visit for Ask {
        type Output = bool;
        fn visit<A: Element>(self) -> bool {
            A::compare_select(self.0).is_some()
        }
    }
    dtype.visit(Ask(op))
}

/// Whether a type keeps such totals.
struct HasRunning(RunningOp);

impl Visit for HasRunning {
    type Output = bool;
    fn visit<A: Element>(self) -> bool {
        A::running(self.0).is_some()
    }
}

/// The state of compiling: what has a home already, which registers are free.
struct Compiler<'a> {
    program: &'a Program,
    /// How many readers of each node are still to come.
    uses: Vec<u32>,
    homes: Vec<Option<Home>>,
    /// The nodes that a step of an earlier one computes, by that one.
    twins: Vec<Option<NodeIx>>,
    registers: Vec<DType>,
    free: HashMap<DType, Vec<u32>>,
    loads: Vec<Load>,
    constants: Vec<Scalar>,
    generators: Vec<NodeIx>,
    steps: Vec<Step>,
}

impl<'a> Compiler<'a> {
    fn new(program: &'a Program) -> Self {
        Self {
            program,
            uses: count_uses(program.nodes(), program.targets()),
            homes: vec![None; program.nodes().len()],
            twins: find_twins(program.nodes()),
            registers: Vec::new(),
            free: HashMap::new(),
            loads: Vec::new(),
            constants: Vec::new(),
            generators: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// A free register of a type.
    fn register(&mut self, dtype: DType) -> u32 {
        self.free.get_mut(&dtype).and_then(Vec::pop).unwrap_or_else(|| {
            self.registers.push(dtype);
            self.registers.len() as u32 - 1
        })
    }

    /// Gives back the registers whose last reader this node is.
    fn release(&mut self, inputs: &[NodeIx]) {
        for input in inputs {
            let left = &mut self.uses[input.index()];
            *left -= 1;
            if *left > 0 {
                continue;
            }
            let register = match self.homes[input.index()] {
                Some(Home::Register(register)) => register,
                Some(Home::Input(load)) => self.loads[load as usize].register,
                _ => continue,
            };
            self.free.entry(self.registers[register as usize]).or_default().push(register);
        }
    }

    /// Compiles one node.
    fn step(&mut self, node_ix: NodeIx) -> Result<(), CompileError> {
        let node = &self.program.nodes()[node_ix.index()];
        if self.homes[node_ix.index()].is_some() {
            // The step of its twin has computed it.
            self.release(&node.inputs.clone());
            return Ok(());
        }
        let inputs: SmallVec<[(Home, DType); 4]> = node
            .inputs
            .iter()
            .map(|input| {
                let home = self.homes[input.index()].expect("inputs come before their readers");
                (home, self.program.nodes()[input.index()].dtype)
            })
            .collect();
        let home = match &node.op {
            Op::Constant(scalar) => {
                self.constants.push(*scalar);
                Home::Constant(self.constants.len() as u32 - 1)
            }
            Op::Load { .. } => {
                let register = self.register(node.dtype);
                self.loads.push(Load { node: node_ix, register });
                let load = self.loads.len() as u32 - 1;
                self.steps.push(Box::new(move |tile| {
                    tile.load(load as usize);
                    Ok(())
                }));
                Home::Input(load)
            }
            _ => {
                let out = self.register(node.dtype);
                let twin = self.twins[node_ix.index()].map(|twin| (twin, self.register(node.dtype)));
                let generator = self.generators.len();
                if matches!(node.op, Op::Random { .. } | Op::RandomInteger { .. } | Op::Ramp { .. }) {
                    self.generators.push(node_ix);
                }
                if let Some((twin, register)) = twin {
                    self.homes[twin.index()] = Some(Home::Register(register));
                }
                let step = make_step(node, &inputs, out, twin.map(|(_, register)| register), generator)
                    .ok_or_else(|| CompileError { operation: format!("{:?}", node.op), dtype: node.dtype })?;
                self.steps.push(step);
                Home::Register(out)
            }
        };
        self.homes[node_ix.index()] = Some(home);
        // The result's register was taken before the inputs' are given back: no loop writes what it reads.
        let inputs = node.inputs.clone();
        self.release(&inputs);
        Ok(())
    }
}

/// What a step is made of, but for its element type.
struct Making<'a> {
    node: &'a Node,
    inputs: &'a [(Home, DType)],
    out: u32,
    /// The register of the cosine or sine that this step computes too.
    twin: Option<u32>,
    generator: usize,
}

impl Visit for Making<'_> {
    type Output = Option<Step>;

    /// Makes the step; `A` is the type of the result, or of what is tested or compared.
    fn visit<A: Element>(self) -> Option<Step> {
        let Self { node, inputs, out, twin, generator } = self;
        let home = |input: usize| inputs[input].0;
        match &node.op {
            Op::Load { .. } | Op::Constant(_) => None,
            Op::Random { engine, distribution, .. } => match node.dtype {
                DType::F32 => Some(random::<f32>(*engine, *distribution, out, generator)),
                DType::F64 => Some(random::<f64>(*engine, *distribution, out, generator)),
                _ => None,
            },
            Op::RandomInteger { engine, low, span, .. } => {
                let (engine, low, span) = (*engine, *low, *span);
                (node.dtype == DType::I64).then(|| -> Step {
                    Box::new(move |tile| {
                        tile.generate::<i64>(out, generator, |indices, out| {
                            fill_integers(engine, indices, low, span, out);
                        });
                        Ok(())
                    })
                })
            }
            Op::Ramp { start, step, last, .. } => ramp(*start, *step, *last, out, generator),
            Op::Unary(op) if let Some(twin) = twin => {
                let registers = if *op == UnaryOp::sin { [out, twin] } else { [twin, out] };
                Some(sin_cos(<A as Kernels>::sin_cos()?, home(0), registers))
            }
            Op::Unary(op) => Some(one(A::unary(*op)?, home(0), out)),
            Op::Part(op) => Some(one(A::part(*op)?, home(0), out)),
            Op::Test(op) => Some(one(A::test(*op)?, home(0), out)),
            Op::Powi(power) => {
                let (kernel, power) = (A::powi()?, *power);
                Some(one_by(move |x, out| kernel(power, x, out), home(0), out))
            }
            Op::Binary(op) => {
                let (kernel, x, y) = (A::binary(*op)?, home(0), home(1));
                Some(Box::new(move |tile| {
                    tile.fill::<A>(out, |tile, out| kernel(tile.lane(x), tile.lane(y), out))
                }))
            }
            Op::Compare(op) => {
                let (kernel, x, y) = (A::compare(*op)?, home(0), home(1));
                Some(Box::new(move |tile| {
                    tile.fill::<bool>(out, |tile, out| kernel(tile.lane(x), tile.lane(y), out))
                }))
            }
            Op::Select => {
                let (cond, x, y) = (home(0), home(1), home(2));
                Some(Box::new(move |tile| {
                    tile.fill::<A>(out, |tile, out| {
                        A::select(tile.lane(cond), tile.lane(x), tile.lane(y), out);
                        Ok(())
                    })
                }))
            }
            Op::MulAdd => {
                let (kernel, x, y, z) = (<A as Kernels>::mul_add()?, home(0), home(1), home(2));
                Some(Box::new(move |tile| {
                    tile.fill::<A>(out, |tile, out| {
                        kernel(tile.lane(x), tile.lane(y), tile.lane(z), out);
                        Ok(())
                    })
                }))
            }
            Op::CompareSelect(op) => {
                let (kernel, homes) = (A::compare_select(*op)?, [home(0), home(1), home(2), home(3)]);
                Some(Box::new(move |tile| {
                    tile.fill::<A>(out, |tile, out| {
                        kernel(homes.map(|home| tile.lane(home)), out);
                        Ok(())
                    })
                }))
            }
            Op::Cast => cast::<A>(inputs[0], node.dtype, out),
            Op::Map(mapped) => {
                let (mapped, inputs) = (mapped.clone(), inputs.to_vec());
                Some(Box::new(move |tile| {
                    tile.map(&*mapped.function, &inputs, out);
                    Ok(())
                }))
            }
        }
    }
}

/// The typed step of a node that fills a register.
fn make_step(
    node: &Node,
    inputs: &[(Home, DType)],
    out: u32,
    twin: Option<u32>,
    generator: usize,
) -> Option<Step> {
    let dtype = match node.op {
        // The type of the result says nothing of what these loops read.
        Op::Test(_) | Op::Part(_) | Op::Compare(_) | Op::Cast => inputs[0].1,
        _ => node.dtype,
    };
    dtype.visit(Making { node, inputs, out, twin, generator })
}

/// The step of a generator of random floats.
fn random<A: Element + RandomFloat>(
    engine: Engine,
    distribution: Distribution,
    out: u32,
    generator: usize,
) -> Step {
    Box::new(move |tile| {
        tile.generate::<A>(out, generator, |indices, out| distribution.fill(engine, indices, out));
        Ok(())
    })
}

/// The step of `start + step * index`.
fn ramp(
    start: Scalar,
    step: Scalar,
    last: Option<(u64, Scalar)>,
    out: u32,
    generator: usize,
) -> Option<Step> {
    /// Fills a strip, each value computed from its index alone.
    fn fill<A: Element>(
        last: Option<(u64, Scalar)>,
        out: u32,
        generator: usize,
        value: impl Fn(u64) -> A + Send + Sync + 'static,
    ) -> Option<Step> {
        let last = last.and_then(|(at, value)| Some((at, A::from_scalar(value)?)));
        Some(Box::new(move |tile| {
            tile.generate::<A>(out, generator, |indices, out| {
                for (j, out) in out.iter_mut().enumerate() {
                    let index = indices.at(j);
                    *out = match last {
                        Some((at, exact)) if at == index => exact,
                        _ => value(index),
                    };
                }
            });
            Ok(())
        }))
    }
    /// Integers are computed exactly; the builder has counted the elements, so all values fit.
    macro_rules! arms {
        ($($variant:ident $t:ident),*) => {
            match (start, step) {
                $((Scalar::$variant(start), Scalar::$variant(step)) => fill(last, out, generator, move |index| {
                    (i128::from(start) + i128::from(step) * i128::from(index)) as $t
                }),)*
                (Scalar::F32(start), Scalar::F32(step)) => fill(last, out, generator, move |index| {
                    (f64::from(start) + f64::from(step) * index as f64) as f32
                }),
                (Scalar::F32(start), Scalar::F64(step)) => fill(last, out, generator, move |index| {
                    (f64::from(start) + step * index as f64) as f32
                }),
                (Scalar::F64(start), Scalar::F64(step)) => fill(last, out, generator, move |index| {
                    start + step * index as f64
                }),
                _ => None,
            }
        };
    }
    arms!(I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64)
}

/// The step of a function of one value.
fn one<A: Element, B: Element>(kernel: UnaryKernel<A, B>, x: Home, out: u32) -> Step {
    one_by(kernel, x, out)
}

/// The same with any loop.
fn one_by<A: Element, B: Element>(
    kernel: impl Fn(&[A], &mut [B]) -> Result<(), Fault> + Send + Sync + 'static,
    x: Home,
    out: u32,
) -> Step {
    Box::new(move |tile| {
        tile.fill::<B>(out, |tile, out| match tile.lane(x) {
            Lane::Slice(x) => kernel(x, out),
            Lane::Splat(x) => {
                let mut value = [B::default()];
                kernel(&[x], &mut value)?;
                out.fill(value[0]);
                Ok(())
            }
        })
    })
}

/// The step of sine and cosine.
fn sin_cos<A: Element>(kernel: SinCosKernel<A>, x: Home, registers: [u32; 2]) -> Step {
    Box::new(move |tile| {
        tile.fill_two::<A>(registers, |tile, sin, cos| match tile.lane(x) {
            Lane::Slice(x) => kernel(x, sin, cos),
            Lane::Splat(x) => {
                let (mut of_sin, mut of_cos) = ([A::default()], [A::default()]);
                kernel(&[x], &mut of_sin, &mut of_cos);
                sin.fill(of_sin[0]);
                cos.fill(of_cos[0]);
            }
        });
        Ok(())
    })
}

/// The step of a cast.
fn cast<A: Element>((x, from): (Home, DType), to: DType, out: u32) -> Option<Step> {
    let kernel = cast_kernel(from, to)?;
    Some(Box::new(move |tile| {
        tile.fill_any(out, |tile, out| match tile.lane::<A>(x) {
            Lane::Slice(x) => kernel(A::into_source(x), out),
            Lane::Splat(x) => {
                let mut all = Vec::with_capacity(tile.len());
                all.resize(tile.len(), x);
                kernel(A::into_source(&all), out)
            }
        })
    }))
}
