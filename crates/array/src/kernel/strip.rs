//! Strip programs: a whole chain of elementwise work as one flat list of steps, run on short strips that stay in L1.
//!
//! A [`Program`] is a list of [`Node`]s in topological order, a shared sub-expression occurring once, and what
//! becomes of the results: a block, or the state of a reduction. [`Code::compile`] turns it into typed steps with
//! registers assigned; [`Code::run`] runs these over one block. Inputs that lie contiguously are borrowed, others
//! (transposed, broadcast) are gathered strip by strip; random numbers are made where they are used. So
//! `random().mean()` never makes a block, and `x + x.t() - c` reads each input once.
//!
//! Reading order: this file (the program), `layout` (how a strip walks over an input), `code` (steps and registers),
//! `run` (the loop over strips).

mod code;
mod layout;
mod run;

pub use code::{Code, CompileError};
pub(crate) use run::Room;
pub use run::{BETWEEN_LOOKS, Binding, Made, Reused, RunError};

use super::ops::{BinaryOp, Class, CompareOp, PartOp, TestOp, UnaryOp};
use super::random::{Distribution, Engine};
use super::reduce::{AxisSet, Reduction};
use super::running::RunningOp;
use crate::element::{Buffer, DType, Scalar, Source};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// The number of a node in its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeIx(pub u32);

impl NodeIx {
    /// As an index into a slice.
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// For each axis of an input: the axis of the program that it follows, or none where it has length 1.
pub type Axes = SmallVec<[Option<u8>; 4]>;

/// A user's function over strips.
pub trait StripFn: Send + Sync {
    /// Fills the first `len` elements of `out` from the inputs, each of `len` elements.
    fn run(&self, inputs: &[Source<'_>], out: &mut Buffer, len: usize);
}

/// A user's function with what identifies it.
#[derive(Clone)]
pub struct Mapped {
    /// The function.
    pub function: Arc<dyn StripFn>,
    /// Equal functions have equal identities.
    pub identity: u128,
    /// How narrow the circle is in which the identity means the same: a rank that whoever gave it understands.
    pub reach: u8,
}

impl fmt::Debug for Mapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mapped({:032x})", self.identity)
    }
}

/// The index of an element in the whole array of a generator, as a sum over the axes of the program.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct GlobalIndex {
    /// The constant part.
    pub base: u64,
    /// One part for each axis that counts.
    pub terms: SmallVec<[Term; 4]>,
}

/// What one axis adds to a [`GlobalIndex`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The axis of the program.
    pub axis: u8,
    /// What each step along the axis inside a block adds.
    pub stride: u64,
    /// What the block itself adds, by its coordinate along the axis.
    pub starts: Arc<[u64]>,
}

impl GlobalIndex {
    /// The index of the first element of the block at these coordinates.
    #[must_use]
    pub fn start(&self, coords: &[usize]) -> u64 {
        self.terms
            .iter()
            .fold(self.base, |index, term| index.wrapping_add(term.starts[coords[usize::from(term.axis)]]))
    }
}

/// What a node computes. The element type of the result is the node's.
#[derive(Clone, Debug)]
pub enum Op {
    /// The elements of an input block.
    Load {
        /// Which input.
        slot: u32,
        /// How its axes follow those of the program.
        axes: Axes,
    },
    /// One value for all elements.
    Constant(Scalar),
    /// Random floats.
    Random {
        /// Where the bits come from.
        engine: Engine,
        /// What they become.
        distribution: Distribution,
        /// Which numbers.
        index: GlobalIndex,
    },
    /// Random `i64` in `low .. low + span`.
    RandomInteger {
        /// Where the bits come from.
        engine: Engine,
        /// The smallest value.
        low: i64,
        /// How many values.
        span: u64,
        /// Which numbers.
        index: GlobalIndex,
    },
    /// `start + step * index`, computed in the node's type (`f64` for `f32`).
    Ramp {
        /// The value at index 0.
        start: Scalar,
        /// The difference of neighbors; `f64` for floats of any size.
        step: Scalar,
        /// An index whose value is known exactly.
        last: Option<(u64, Scalar)>,
        /// Which elements.
        index: GlobalIndex,
    },
    /// A function of one value.
    Unary(UnaryOp),
    /// The value to a fixed integer power.
    Powi(i32),
    /// A real part, or the like.
    Part(PartOp),
    /// A test of one value.
    Test(TestOp),
    /// A function of two values.
    Binary(BinaryOp),
    /// A comparison.
    Compare(CompareOp),
    /// `if a { b } else { c }`.
    Select,
    /// The value in the node's type.
    Cast,
    /// `a * b + c` with two roundings. Made by the compiler.
    MulAdd,
    /// `if a < b { c } else { d }` and the like. Made by the compiler.
    CompareSelect(CompareOp),
    /// A user's function.
    Map(Mapped),
}

/// A step of a program before it is compiled.
#[derive(Clone, Debug)]
pub struct Node {
    /// What is computed.
    pub op: Op,
    /// From which nodes; all have smaller numbers.
    pub inputs: SmallVec<[NodeIx; 3]>,
    /// The element type of the result.
    pub dtype: DType,
}

/// What becomes of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    /// It is kept as a block.
    Block,
    /// It is kept as a block in which each element is joined with all before it along an axis of the block.
    Running {
        /// How they are joined.
        op: RunningOp,
        /// The axis.
        axis: u8,
    },
    /// It is reduced over some axes of the block, to a block of states.
    Reduce {
        /// What is collected.
        reduction: Reduction,
        /// The axes that go.
        axes: AxisSet,
        /// A node of bools: the elements that count. Without one all do.
        mask: Option<NodeIx>,
    },
}

/// An output of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Which node.
    pub node: NodeIx,
    /// What becomes of it.
    pub sink: Sink,
}

impl Target {
    /// The nodes that are read: what is kept or reduced, and the mask.
    pub(crate) fn reads(&self) -> impl Iterator<Item = NodeIx> + use<> {
        let mask = match self.sink {
            Sink::Reduce { mask, .. } => mask,
            Sink::Block | Sink::Running { .. } => None,
        };
        std::iter::once(self.node).chain(mask)
    }

    /// The same output over the new numbers of the nodes.
    #[must_use]
    pub(crate) fn renumbered(mut self, numbers: &[NodeIx]) -> Self {
        self.node = numbers[self.node.index()];
        if let Sink::Reduce { mask: Some(mask), .. } = &mut self.sink {
            *mask = numbers[mask.index()];
        }
        self
    }
}

/// Elementwise work on one block: nodes in topological order and the outputs.
#[derive(Clone, Debug, Default)]
pub struct Program {
    nodes: Vec<Node>,
    targets: Vec<Target>,
    /// Nodes by what they compute, so that equal work is found again.
    known: HashMap<Vec<u64>, NodeIx>,
}

impl Program {
    /// The nodes in topological order.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The outputs in order.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Adds a node, or finds the node that computes the same.
    ///
    /// # Panics
    /// When there are `u32::MAX` nodes.
    pub fn node(&mut self, op: Op, inputs: impl IntoIterator<Item = NodeIx>, dtype: DType) -> NodeIx {
        let mut inputs: SmallVec<[NodeIx; 3]> = inputs.into_iter().collect();
        let exact = !matches!(dtype, DType::F32 | DType::F64 | DType::C32 | DType::C64);
        if exact && matches!(op, Op::Binary(op) if op.commutes()) {
            // Not for floats: of two NaNs the first is passed on.
            inputs.sort_unstable();
        }
        let mut words = op.words();
        words.push(dtype as u64);
        words.extend(inputs.iter().map(|input| u64::from(input.0)));
        let next = NodeIx(u32::try_from(self.nodes.len()).expect("fewer than 2^32 nodes"));
        let found = *self.known.entry(words).or_insert(next);
        if found == next {
            self.nodes.push(Node { op, inputs, dtype });
        }
        found
    }

    /// Adds an output.
    pub fn target(&mut self, node: NodeIx, sink: Sink) {
        self.targets.push(Target { node, sink });
    }

    /// Adds the outputs of a program whose nodes have these numbers here.
    pub(crate) fn graft_targets(&mut self, other: &Self, numbers: &[NodeIx]) {
        self.targets.extend(other.targets.iter().map(|target| target.renumbered(numbers)));
    }

    /// The number of input blocks: one more than the largest slot.
    #[must_use]
    pub fn n_slots(&self) -> usize {
        let slot =
            |node: &Node| if let Op::Load { slot, .. } = node.op { Some(slot as usize + 1) } else { None };
        self.nodes.iter().filter_map(slot).max().unwrap_or(0)
    }

    /// The element type of each input block; none for a slot that no load reads.
    pub(crate) fn slot_types(&self) -> Vec<Option<DType>> {
        let mut types = vec![None; self.n_slots()];
        for node in &self.nodes {
            if let Op::Load { slot, .. } = node.op {
                types[slot as usize] = Some(node.dtype);
            }
        }
        types
    }

    /// Copies the nodes of another program into this one, each leaf changed by `leaf`, and gives their new numbers.
    ///
    /// A leaf for which `leaf` gives a node is replaced by it.
    pub fn graft(&mut self, other: &Self, mut leaf: impl FnMut(&mut Self, &Node) -> Leaf) -> Vec<NodeIx> {
        let mut numbers: Vec<NodeIx> = Vec::with_capacity(other.nodes.len());
        for node in &other.nodes {
            let number = match leaf(self, node) {
                Leaf::Is(number) => number,
                Leaf::Becomes(op) => self.node(op, [], node.dtype),
                Leaf::Stays => {
                    let inputs: SmallVec<[NodeIx; 3]> =
                        node.inputs.iter().map(|input| numbers[input.index()]).collect();
                    self.node(node.op.clone(), inputs, node.dtype)
                }
            };
            numbers.push(number);
        }
        numbers
    }

    /// The slots whose block the only result, a block of `ndim` axes, may take the place of: of them the program reads
    /// nothing but what stands where the result goes, and in its type.
    #[must_use]
    pub fn reusable(&self, ndim: usize) -> SmallVec<[usize; 4]> {
        let [Target { node, sink: Sink::Block }] = self.targets.as_slice() else { return SmallVec::new() };
        let Node { op, dtype, .. } = &self.nodes[node.index()];
        if matches!(op, Op::Load { .. }) {
            return SmallVec::new();
        }
        let (mut slots, mut others): (SmallVec<[usize; 4]>, SmallVec<[usize; 4]>) = Default::default();
        for node in &self.nodes {
            let Op::Load { slot, axes } = &node.op else { continue };
            let in_place = axes.len() == ndim
                && axes.iter().enumerate().all(|(axis, &from)| from.map(usize::from) == Some(axis));
            let list = if in_place && node.dtype == *dtype { &mut slots } else { &mut others };
            list.push(*slot as usize);
        }
        slots.sort_unstable();
        slots.dedup();
        slots.retain(|slot| !others.contains(slot));
        slots
    }

    /// Everything that decides what the program computes, as words for a fingerprint.
    #[must_use]
    pub fn words(&self) -> Vec<u64> {
        let mut words = vec![self.nodes.len() as u64];
        for node in &self.nodes {
            words.extend(node.op.words());
            words.push(node.dtype as u64);
            words.push(node.inputs.len() as u64);
            words.extend(node.inputs.iter().map(|input| u64::from(input.0)));
        }
        for target in &self.targets {
            words.push(u64::from(target.node.0));
            match target.sink {
                Sink::Block => words.push(0),
                Sink::Running { op, axis } => words.extend([2, op.code(), u64::from(axis)]),
                Sink::Reduce { reduction, axes, mask } => {
                    let mask = mask.map_or(0, |mask| u64::from(mask.0) + 1);
                    words.extend([1, name_word(&reduction), axes.bits(), mask]);
                }
            }
        }
        words
    }

    /// The narrowest reach of an identity in it; 0 where there are none.
    #[must_use]
    pub fn reach(&self) -> u8 {
        let reaches = self.nodes.iter().map(|node| match &node.op {
            Op::Map(mapped) => mapped.reach,
            _ => 0,
        });
        reaches.max().unwrap_or(0)
    }
}

/// What becomes of a node that is grafted into another program.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "made and taken apart at once, never stored")]
pub enum Leaf {
    /// It is this node of the new program.
    Is(NodeIx),
    /// It becomes this leaf.
    Becomes(Op),
    /// It stays what it is, over the new numbers of its inputs.
    Stays,
}

/// A word for a name, the same in every process: FNV-1a of its debug text.
fn name_word(name: &impl fmt::Debug) -> u64 {
    format!("{name:?}")
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The words of a scalar: its type and its bits.
fn scalar_words(scalar: &Scalar, words: &mut Vec<u64>) {
    words.push(scalar.dtype() as u64);
    match scalar {
        Scalar::Bool(value) => words.push(u64::from(*value)),
        Scalar::I8(value) => words.push(*value as u64),
        Scalar::I16(value) => words.push(*value as u64),
        Scalar::I32(value) => words.push(*value as u64),
        Scalar::I64(value) => words.push(*value as u64),
        Scalar::U8(value) => words.push(u64::from(*value)),
        Scalar::U16(value) => words.push(u64::from(*value)),
        Scalar::U32(value) => words.push(u64::from(*value)),
        Scalar::U64(value) => words.push(*value),
        Scalar::F32(value) => words.push(u64::from(value.to_bits())),
        Scalar::F64(value) => words.push(value.to_bits()),
        Scalar::C32(value) => words.extend([u64::from(value.re.to_bits()), u64::from(value.im.to_bits())]),
        Scalar::C64(value) => words.extend([value.re.to_bits(), value.im.to_bits()]),
    }
}

impl GlobalIndex {
    /// Enters the index into the words of a node.
    fn words(&self, words: &mut Vec<u64>) {
        words.extend([self.base, self.terms.len() as u64]);
        for term in &self.terms {
            words.extend([u64::from(term.axis), term.stride, term.starts.len() as u64]);
            words.extend(term.starts.iter());
        }
    }
}

impl Op {
    /// Everything that decides what the operation computes, but for its inputs.
    fn words(&self) -> Vec<u64> {
        let mut words = Vec::new();
        match self {
            Self::Load { slot, axes } => {
                words.extend([0, u64::from(*slot), axes.len() as u64]);
                words.extend(axes.iter().map(|axis| axis.map_or(u64::MAX, u64::from)));
            }
            Self::Constant(scalar) => {
                words.push(1);
                scalar_words(scalar, &mut words);
            }
            Self::Random { engine, distribution, index } => {
                words.extend([2, name_word(engine)]);
                match *distribution {
                    Distribution::Uniform { low, high } => words.extend([0, low.to_bits(), high.to_bits()]),
                    Distribution::Normal { mean, std } => words.extend([1, mean.to_bits(), std.to_bits()]),
                    Distribution::Exponential { scale } => words.extend([2, scale.to_bits()]),
                    Distribution::By(law) => words.extend(law.words()),
                }
                index.words(&mut words);
            }
            Self::RandomInteger { engine, low, span, index } => {
                words.extend([3, name_word(engine), *low as u64, *span]);
                index.words(&mut words);
            }
            Self::Ramp { start, step, last, index } => {
                words.push(4);
                scalar_words(start, &mut words);
                scalar_words(step, &mut words);
                words.push(u64::from(last.is_some()));
                if let Some((at, value)) = last {
                    words.push(*at);
                    scalar_words(value, &mut words);
                }
                index.words(&mut words);
            }
            Self::Unary(op) => words.extend([5, op.code()]),
            Self::Test(op) => words.extend([6, op.code()]),
            Self::Binary(op) => words.extend([7, op.code()]),
            Self::Compare(op) => words.extend([8, op.code()]),
            Self::Select => words.push(9),
            Self::Cast => words.push(10),
            Self::MulAdd => words.push(11),
            Self::CompareSelect(op) => words.extend([12, op.code()]),
            Self::Map(mapped) => words.extend([13, mapped.identity as u64, (mapped.identity >> 64) as u64]),
            Self::Powi(power) => words.extend([14, *power as u64]),
            Self::Part(op) => words.extend([15, op.code()]),
        }
        words
    }

    /// About how many nanoseconds the operation takes for 1024 elements.
    #[must_use]
    pub const fn cost(&self) -> u64 {
        match self {
            Self::Load { .. } => 150,
            Self::Constant(_) => 0,
            Self::Ramp { .. } | Self::Select | Self::Cast => 200,
            Self::MulAdd | Self::CompareSelect(_) => 250,
            Self::Random { distribution: Distribution::Uniform { .. }, .. } => 800,
            Self::RandomInteger { .. } => 1200,
            Self::Random { distribution: Distribution::By(_), .. } => 60_000,
            Self::Random { .. } => 4500,
            Self::Unary(op) => op.row().class.cost(),
            Self::Part(op) => op.row().class.cost(),
            Self::Test(op) => op.row().class.cost(),
            Self::Binary(op) => op.row().class.cost(),
            Self::Compare(op) => op.row().class.cost(),
            Self::Powi(_) => Class::Root.cost(),
            Self::Map(_) => 6_000,
        }
    }
}

#[cfg(test)]
mod tests;
