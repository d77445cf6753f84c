//! The loop over strips: inputs are bound, each strip runs all steps, and what comes out is kept or reduced.

use super::code::{Code, Home, Outcome};
use super::layout::{Cover, Piece, Strides, Strip, Walk};
use super::{Op, Sink, StripFn};
use crate::element::{Buffer, DType, Element, Scalar, Source, Visit};
use crate::kernel::memory::{OutOfMemory, with_room, zeros};
use crate::kernel::ops::{Fault, Lane};
use crate::kernel::random::Indices;
use crate::kernel::reduce::{Reducer, SEGMENT, ordered_axes, row_length};
use crate::kernel::running::{Lines, RunningOp};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::ops::Range;

/// Elements between two looks at whether to stop: some ten microseconds of work, so that looking costs nothing.
pub const BETWEEN_LOOKS: usize = 1 << 16;

/// Running a program failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A loop met a value that its type cannot hold.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// No memory for the output.
    #[error(transparent)]
    OutOfMemory(#[from] OutOfMemory),
    /// It was told to stop.
    #[error("the work on a block was stopped")]
    Stopped,
    /// An input has not the type or the shape that the program was built for.
    #[error("input {slot} of a fused program does not fit it")]
    Input {
        /// Which input.
        slot: usize,
    },
}

/// An input block: its elements in memory order and its strides in elements, none negative.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// The elements from the block's first one on; others may lie between them.
    pub elements: Source<'a>,
    /// The shape.
    pub shape: &'a [usize],
    /// The strides.
    pub strides: &'a [isize],
}

/// A block that nobody else reads, whose place the result takes.
#[derive(Clone, Debug)]
pub struct Reused {
    /// Which input it is; its binding says shape and strides, which are those of C order, and holds no elements.
    pub slot: usize,
    /// The elements.
    pub elements: Buffer,
}

/// What comes out of one target.
pub enum Made {
    /// The elements of a block in C order.
    Block(Buffer),
    /// A reduction that has met all elements.
    Reduced(Box<dyn Reducer>),
}

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Block(buffer) => write!(f, "a block of {} {}", buffer.len(), buffer.dtype()),
            Self::Reduced(_) => f.write_str("a reduction"),
        }
    }
}

/// An input while a program runs: where the elements of the current strip are.
struct Input<'a> {
    elements: Source<'a>,
    walk: Walk,
    strides: Strides,
    register: u32,
    located: Located,
    /// Whether the elements are those that a result takes the place of, and not `elements`.
    is_reused: bool,
}

/// Where the elements of a strip are.
#[derive(Clone, Copy, Debug)]
enum Located {
    /// In the input, one after another from here.
    Borrowed(usize),
    /// All the same, here.
    Splat(usize),
    /// In the input's register.
    Gathered,
}

/// A generator while a program runs.
struct Generator {
    start: u64,
    walk: Walk,
}

/// Elements of the next strip that are still to be read ahead.
struct Ahead {
    load: usize,
    from: Cell<usize>,
    end: usize,
}

/// Elements that are read ahead at once; segments of reductions are not cut there.
const PIECE: usize = 2 * SEGMENT;

/// The registers and inputs of a running program, at one strip.
pub(super) struct Tile<'a> {
    registers: Registers,
    /// The block that a result takes the place of, strip by strip.
    reused: Buffer,
    inputs: Vec<Input<'a>>,
    generators: Vec<Generator>,
    constants: &'a [Scalar],
    strip: Strip,
    /// Where reductions along rows end.
    row: usize,
    ahead: SmallVec<[Ahead; 4]>,
}

impl Code {
    /// Runs the program over a block of this shape. `coords` is the block's place among the blocks, which tells
    /// generators where they are.
    ///
    /// **Cost** one pass over inputs and outputs, registers of a few strips.
    ///
    /// # Errors
    /// [`RunError`] when a value does not fit its type, memory is refused, or an input is not what the program
    /// was built for.
    ///
    /// # Panics
    /// Never: each target belongs to one pass.
    pub fn run(
        &self,
        shape: &[usize],
        coords: &[usize],
        inputs: &[Binding<'_>],
    ) -> Result<Vec<Made>, RunError> {
        self.run_in_place(shape, coords, inputs, None, &|| false)
    }

    /// The same where the only result takes the place of a block that nobody else reads, so that no memory is asked for
    /// it. Of which slot, [`Program::reusable`](super::Program::reusable) says. The bits are those of `run`. Whether to
    /// `stop` is asked after every [`BETWEEN_LOOKS`] elements.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    ///
    /// # Panics
    /// Never, as `run`.
    pub fn run_in_place(
        &self,
        shape: &[usize],
        coords: &[usize],
        inputs: &[Binding<'_>],
        reused: Option<Reused>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Vec<Made>, RunError> {
        // Reductions along rows of different lengths cannot share strips: each length gets a pass of its own.
        let row_of = |sink: &Sink| match sink {
            Sink::Reduce { axes, .. } => row_length(shape, *axes),
            Sink::Block | Sink::Running { .. } => None,
        };
        let mut rows: SmallVec<[usize; 4]> =
            self.targets.iter().filter_map(|outcome| row_of(&outcome.sink)).collect();
        rows.sort_unstable();
        rows.dedup();
        if rows.len() <= 1 {
            let all: SmallVec<[usize; 8]> = (0..self.targets.len()).collect();
            return self.pass(shape, coords, inputs, rows.first().copied(), &all, reused, stop);
        }
        let mut made: Vec<Option<Made>> = self.targets.iter().map(|_| None).collect();
        for (pass, &row) in rows.iter().enumerate() {
            let targets: Vec<usize> = (0..self.targets.len())
                .filter(|&target| row_of(&self.targets[target].sink).map_or(pass == 0, |own| own == row))
                .collect();
            let outputs = self.pass(shape, coords, inputs, Some(row), &targets, None, stop)?;
            for (target, output) in targets.iter().zip(outputs) {
                made[*target] = Some(output);
            }
        }
        Ok(made.into_iter().map(|made| made.expect("each target belongs to one pass")).collect())
    }

    /// Runs all steps over the block once and keeps some targets.
    #[expect(clippy::too_many_arguments, reason = "those of `run_in_place`, and which targets by which rows")]
    fn pass(
        &self,
        shape: &[usize],
        coords: &[usize],
        inputs: &[Binding<'_>],
        row: Option<usize>,
        targets: &[usize],
        reused: Option<Reused>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Vec<Made>, RunError> {
        let mut inputs = self.bind(shape, inputs)?;
        let in_place = reused.is_some();
        let mut elements = Buffer::Bool(Vec::new());
        if let Some(reused) = reused {
            for (input, load) in inputs.iter_mut().zip(&self.loads) {
                let op = &self.program.nodes()[load.node.index()].op;
                input.is_reused = matches!(op, Op::Load { slot, .. } if *slot as usize == reused.slot);
            }
            elements = reused.elements;
        }
        let ordered: SmallVec<[Range<usize>; 2]> = targets
            .iter()
            .filter_map(|&target| match self.targets[target].sink {
                Sink::Reduce { axes, .. } => ordered_axes(shape, axes),
                Sink::Block | Sink::Running { .. } => None,
            })
            .collect();
        let cover = Cover::new(shape, row, &ordered, inputs.iter().map(|input| input.strides.as_slice()));
        let room = cover.largest(shape);
        let mut tile = Tile {
            registers: Registers::take(&self.registers, room)?,
            reused: elements,
            inputs,
            generators: self.generators(shape, coords),
            constants: &self.constants,
            strip: Strip { start: 0, run: 0, n_runs: 0, distance: 0 },
            row: row.unwrap_or(usize::MAX),
            ahead: SmallVec::new(),
        };
        let mut outputs = match in_place {
            true => Vec::new(),
            false => self.outputs(shape, &cover, targets)?,
        };
        let mut since_look = 0;
        cover.strips(shape, |strip| {
            tile.strip = strip;
            tile.ahead.clear();
            since_look += strip.len();
            if since_look >= BETWEEN_LOOKS {
                since_look = 0;
                if stop() {
                    return Err(RunError::Stopped);
                }
            }
            for step in &self.steps {
                step(&mut tile)?;
                tile.read_on();
            }
            for (output, &target) in outputs.iter_mut().zip(targets) {
                let Outcome { home, dtype, mask, .. } = self.targets[target];
                dtype.visit(Keep { tile: &tile, home, mask, output })?;
            }
            if let (true, &[target]) = (in_place, targets) {
                // The result is in a register: what stood in its place has been read.
                let Outcome { home, dtype, mask, .. } = self.targets[target];
                tile.fill_reused(|tile, output| dtype.visit(Keep { tile, home, mask, output }))?;
            }
            Ok::<(), RunError>(())
        })?;
        if in_place {
            return Ok(vec![Made::Block(tile.reused)]);
        }
        Ok(outputs.into_iter().map(Keeping::finish).collect())
    }

    /// Checks the inputs and finds how the program walks over them.
    fn bind<'a>(&self, shape: &[usize], bindings: &[Binding<'a>]) -> Result<Vec<Input<'a>>, RunError> {
        self.loads
            .iter()
            .map(|load| {
                let node = &self.program.nodes()[load.node.index()];
                let Op::Load { slot, axes } = &node.op else { return Err(RunError::Input { slot: 0 }) };
                let wrong = RunError::Input { slot: *slot as usize };
                let binding = bindings.get(*slot as usize).ok_or(wrong.clone())?;
                if binding.elements.dtype() != node.dtype || binding.shape.len() != axes.len() {
                    return Err(wrong);
                }
                let mut strides: Strides = Strides::from_elem(0, shape.len());
                for ((axis, &length), &stride) in axes.iter().zip(binding.shape).zip(binding.strides) {
                    match axis.map(usize::from) {
                        Some(axis) if length == shape[axis] => strides[axis] += stride.unsigned_abs(),
                        None if length == 1 => {}
                        _ => return Err(wrong),
                    }
                }
                let walk = Walk::new(shape, &strides);
                let located = Located::Gathered;
                Ok(Input {
                    elements: binding.elements,
                    walk,
                    strides,
                    register: load.register,
                    located,
                    is_reused: false,
                })
            })
            .collect()
    }

    /// The generators with the indices of this block.
    fn generators(&self, shape: &[usize], coords: &[usize]) -> Vec<Generator> {
        let generator = |node: &super::NodeIx| {
            let mut strides: Strides = Strides::from_elem(0, shape.len());
            let (Op::Random { index, .. } | Op::RandomInteger { index, .. } | Op::Ramp { index, .. }) =
                &self.program.nodes()[node.index()].op
            else {
                return Generator { start: 0, walk: Walk::new(shape, &strides) };
            };
            for term in &index.terms {
                let stride = &mut strides[usize::from(term.axis)];
                *stride = stride.wrapping_add(term.stride as usize);
            }
            Generator { start: index.start(coords), walk: Walk::new(shape, &strides) }
        };
        self.generators.iter().map(generator).collect()
    }

    /// Room for the outputs.
    fn outputs(&self, shape: &[usize], cover: &Cover, targets: &[usize]) -> Result<Vec<Keeping>, RunError> {
        let total = shape.iter().product();
        targets
            .iter()
            .map(|&target| &self.targets[target])
            .map(|Outcome { dtype, sink, .. }| match (sink, cover) {
                (Sink::Reduce { reduction, axes, mask }, _) => {
                    Ok(Keeping::Reduced(reduction.algebra().reducer(shape, *axes, mask.is_some())?))
                }
                // Runs in C order are appended, so the memory is not written twice.
                (Sink::Block, Cover::Flat { .. }) => Ok(Keeping::Appended(dtype.visit(Room(total))?)),
                (Sink::Block, Cover::Boxes { .. }) => Ok(Keeping::Placed(dtype.visit(Zeros(total))?)),
                (&Sink::Running { op, axis }, _) => {
                    let lines = Lines::along(shape, usize::from(axis));
                    Ok(Keeping::Running { buffer: dtype.visit(Zeros(total))?, op, lines })
                }
            })
            .collect()
    }
}

/// The registers of a program. What a step reads has been written in the same strip, so they are used again by what this
/// thread runs next, whatever they hold: making them anew would cost more than a small block.
struct Registers(Vec<Buffer>);

/// Registers that a thread keeps, at most.
const MOST_KEPT: usize = 32;

thread_local! {
    static KEPT: RefCell<Vec<Buffer>> = const { RefCell::new(Vec::new()) };
}

impl Registers {
    /// Registers of these types, each of so many elements at least.
    fn take(types: &[DType], room: usize) -> Result<Self, OutOfMemory> {
        KEPT.with_borrow_mut(|kept| {
            let take = |&dtype: &DType| match kept
                .iter()
                .rposition(|buffer| buffer.dtype() == dtype && buffer.len() >= room)
            {
                Some(at) => Ok(kept.swap_remove(at)),
                None => dtype.visit(Zeros(room)),
            };
            types.iter().map(take).collect::<Result<_, _>>().map(Self)
        })
    }
}

impl Drop for Registers {
    fn drop(&mut self) {
        // A thread that ends keeps nothing.
        let _ = KEPT.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            if kept.len() + self.0.len() > MOST_KEPT {
                kept.clear();
            }
            // What a panic has taken out is not there.
            kept.extend(self.0.drain(..).filter(|buffer| !buffer.is_empty()).take(MOST_KEPT));
        });
    }
}

/// Makes a buffer of zeros.
struct Zeros(usize);

impl Visit for Zeros {
    type Output = Result<Buffer, OutOfMemory>;
    fn visit<A: Element>(self) -> Self::Output {
        zeros::<A>(self.0).map(A::into_buffer)
    }
}

/// Makes an empty buffer with room.
pub(crate) struct Room(pub(crate) usize);

impl Visit for Room {
    type Output = Result<Buffer, OutOfMemory>;
    fn visit<A: Element>(self) -> Self::Output {
        with_room::<A>(self.0).map(A::into_buffer)
    }
}

/// An output while it is made.
enum Keeping {
    Appended(Buffer),
    Placed(Buffer),
    Running { buffer: Buffer, op: RunningOp, lines: Lines },
    Reduced(Box<dyn Reducer>),
}

impl Keeping {
    /// The output.
    fn finish(self) -> Made {
        match self {
            Self::Appended(buffer) | Self::Placed(buffer) | Self::Running { buffer, .. } => {
                Made::Block(buffer)
            }
            Self::Reduced(reducer) => Made::Reduced(reducer),
        }
    }
}

/// Keeps the elements of a strip.
struct Keep<'t, 'a> {
    tile: &'t Tile<'a>,
    home: Home,
    mask: Option<Home>,
    output: &'t mut Keeping,
}

impl Visit for Keep<'_, '_> {
    type Output = Result<(), Fault>;

    fn visit<A: Element>(self) -> Result<(), Fault> {
        const TYPED: &str = "outputs were made with the types of their nodes";
        let strip = self.tile.strip;
        let lane = self.tile.lane::<A>(self.home);
        match self.output {
            Keeping::Appended(buffer) => {
                let buffer = A::buffer_mut(buffer).expect(TYPED);
                match lane {
                    Lane::Slice(values) => {
                        self.tile.pieces().for_each(|piece| buffer.extend_from_slice(&values[piece]));
                    }
                    Lane::Splat(value) => buffer.resize(buffer.len() + strip.len(), value),
                }
            }
            Keeping::Placed(buffer) => place(lane, strip, A::buffer_mut(buffer).expect(TYPED)),
            Keeping::Running { buffer, op, lines } => {
                let buffer = A::buffer_mut(buffer).expect(TYPED);
                place(lane, strip, buffer);
                let running = A::running(*op).expect(TYPED);
                for (_, to) in strip.runs() {
                    (running.kernel)(buffer, to..to + strip.run, *lines)?;
                }
            }
            Keeping::Reduced(reducer) => {
                let values = spread(lane, strip.len());
                let mask = self.mask.map(|mask| spread(self.tile.lane::<bool>(mask), strip.len()));
                for (from, start) in strip.runs() {
                    for piece in self.tile.pieces() {
                        let within = from + piece.start..from + piece.end;
                        let mask = mask.as_ref().map_or(&[][..], |mask| &mask[within.clone()]);
                        reducer.accept(start + piece.start, A::into_source(&values[within]), mask);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Writes the elements of a strip where they belong in a block.
fn place<A: Element>(lane: Lane<'_, A>, strip: Strip, block: &mut [A]) {
    for (from, to) in strip.runs() {
        let target = &mut block[to..to + strip.run];
        match lane {
            Lane::Slice(values) => target.copy_from_slice(&values[from..from + strip.run]),
            Lane::Splat(value) => target.fill(value),
        }
    }
}

/// The elements of a lane, one for each place.
fn spread<A: Element>(lane: Lane<'_, A>, len: usize) -> Cow<'_, [A]> {
    match lane {
        Lane::Slice(values) => Cow::Borrowed(values),
        Lane::Splat(value) => Cow::Owned(vec![value; len]),
    }
}

/// Why a register has the type that a step expects.
const TYPED: &str = "registers and homes were typed when the program was compiled";

impl Tile<'_> {
    /// The number of elements of the strip.
    pub(super) const fn len(&self) -> usize {
        self.strip.len()
    }

    /// The elements of a node.
    pub(super) fn lane<A: Element>(&self, home: Home) -> Lane<'_, A> {
        let n = self.len();
        let register = |register: u32| {
            Lane::Slice(&A::buffer_ref(&self.registers.0[register as usize]).expect(TYPED)[..n])
        };
        match home {
            Home::Register(index) => register(index),
            Home::Constant(index) => {
                Lane::Splat(A::from_scalar(self.constants[index as usize]).expect(TYPED))
            }
            Home::Input(index) => {
                let input = &self.inputs[index as usize];
                let elements = self.elements::<A>(input);
                match input.located {
                    Located::Borrowed(from) => Lane::Slice(&elements[from..from + n]),
                    Located::Splat(at) => Lane::Splat(elements[at]),
                    Located::Gathered => register(input.register),
                }
            }
        }
    }

    /// The elements of an input.
    fn elements<'t, A: Element>(&'t self, input: &'t Input<'_>) -> &'t [A] {
        match input.is_reused {
            true => A::buffer_ref(&self.reused).expect(TYPED),
            false => A::from_source(input.elements).expect(TYPED),
        }
    }

    /// Takes the block out whose place the result takes, lets `f` write a strip of it, and puts it back.
    fn fill_reused<R>(&mut self, f: impl FnOnce(&Self, &mut Keeping) -> R) -> R {
        let mut output = Keeping::Placed(std::mem::replace(&mut self.reused, Buffer::Bool(Vec::new())));
        let result = f(self, &mut output);
        if let Keeping::Placed(reused) = output {
            self.reused = reused;
        }
        result
    }

    /// Takes a register out, lets `f` fill it, and puts it back.
    pub(super) fn fill_any<R>(&mut self, out: u32, f: impl FnOnce(&Self, &mut Buffer) -> R) -> R {
        let mut buffer = std::mem::replace(&mut self.registers.0[out as usize], Buffer::Bool(Vec::new()));
        let result = f(self, &mut buffer);
        self.registers.0[out as usize] = buffer;
        result
    }

    /// The same with the register's elements of this strip.
    pub(super) fn fill<A: Element>(
        &mut self,
        out: u32,
        f: impl FnOnce(&Self, &mut [A]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let n = self.len();
        self.fill_any(out, |tile, buffer| f(tile, &mut A::buffer_mut(buffer).expect(TYPED)[..n]))
    }

    /// The same with two registers.
    pub(super) fn fill_two<A: Element>(
        &mut self,
        [first, second]: [u32; 2],
        f: impl FnOnce(&Self, &mut [A], &mut [A]),
    ) {
        let n = self.len();
        let mut taken = std::mem::replace(&mut self.registers.0[first as usize], Buffer::Bool(Vec::new()));
        self.fill_any(second, |tile, other| {
            f(
                tile,
                &mut A::buffer_mut(&mut taken).expect(TYPED)[..n],
                &mut A::buffer_mut(other).expect(TYPED)[..n],
            );
        });
        self.registers.0[first as usize] = taken;
    }

    /// Fills a register with what a generator makes of indices.
    pub(super) fn generate<A: Element>(
        &mut self,
        out: u32,
        generator: usize,
        mut make: impl FnMut(Indices, &mut [A]),
    ) {
        let strip = self.strip;
        self.fill_any(out, |tile, buffer| {
            let values = A::buffer_mut(buffer).expect(TYPED);
            let Generator { start, walk } = &tile.generators[generator];
            for (to, first) in strip.runs() {
                walk.pieces(first, strip.run, to, |piece| {
                    let indices =
                        Indices { start: start.wrapping_add(piece.from as u64), step: piece.stride as u64 };
                    make(indices, &mut values[piece.to..piece.to + piece.len]);
                });
            }
        });
    }

    /// Runs a user's function.
    pub(super) fn map(&mut self, function: &dyn StripFn, inputs: &[(Home, DType)], out: u32) {
        /// Keeps an operand that is the same for all as a list, because users' functions read lists.
        struct Spread<'t, 'a>(&'t Tile<'a>, Home);
        impl Visit for Spread<'_, '_> {
            type Output = Option<Buffer>;
            fn visit<A: Element>(self) -> Option<Buffer> {
                match self.0.lane::<A>(self.1) {
                    Lane::Slice(_) => None,
                    Lane::Splat(value) => Some(A::into_buffer(vec![value; self.0.len()])),
                }
            }
        }
        struct Borrow<'t, 'a>(&'t Tile<'a>, Home, &'t Option<Buffer>);
        impl<'t> Visit for Borrow<'t, '_> {
            type Output = Source<'t>;
            fn visit<A: Element>(self) -> Source<'t> {
                match (self.2, self.0.lane::<A>(self.1)) {
                    (Some(buffer), _) => A::into_source(A::buffer_ref(buffer).expect(TYPED)),
                    (None, Lane::Slice(values)) => A::into_source(values),
                    (None, Lane::Splat(_)) => A::into_source(&[]),
                }
            }
        }
        self.fill_any(out, |tile, buffer| {
            let lists: Vec<Option<Buffer>> =
                inputs.iter().map(|&(home, dtype)| dtype.visit(Spread(tile, home))).collect();
            let sources: Vec<Source<'_>> = inputs
                .iter()
                .zip(&lists)
                .map(|(&(home, dtype), list)| dtype.visit(Borrow(tile, home, list)))
                .collect();
            function.run(&sources, buffer, tile.len());
        });
    }

    /// Where the next strip does not begin right behind this one in an input, it is read ahead while this one is worked on.
    fn read_ahead(&mut self, load: usize, behind: usize) {
        let (next, run) = (self.strip.start + self.strip.run, self.strip.run);
        if let Some(from) = self.inputs[load].walk.place(next).filter(|&from| from != behind) {
            self.ahead.push(Ahead { load, from: Cell::new(from), end: from + run });
        }
    }

    /// The run of this strip in pieces, between which the next one is read ahead.
    fn pieces(&self) -> impl Iterator<Item = Range<usize>> + use<'_> {
        let run = self.strip.run;
        let is_whole = self.ahead.is_empty() || run > self.row;
        let piece = if is_whole { run } else { PIECE };
        (0..run).step_by(piece.max(1)).map(move |start| {
            self.read_on();
            start..run.min(start + piece)
        })
    }

    /// Brings a piece more of the next strip near. All at once would hold up this strip.
    fn read_on(&self) {
        for Ahead { load, from, end } in &self.ahead {
            let to = (from.get() + PIECE).min(*end);
            self.inputs[*load].elements.will_read(from.replace(to)..to);
        }
    }

    /// Finds the elements of an input for this strip, gathering them where they do not lie one after another.
    pub(super) fn load(&mut self, load: usize) {
        let strip = self.strip;
        let input = &mut self.inputs[load];
        if strip.n_runs == 1 {
            let mut whole = None;
            input.walk.pieces(strip.start, strip.run, 0, |piece| {
                if piece.len == strip.run {
                    whole = Some(piece);
                }
            });
            match whole {
                Some(Piece { from, stride: 1, .. }) => {
                    input.located = Located::Borrowed(from);
                    return self.read_ahead(load, from + strip.run);
                }
                Some(Piece { from, stride: 0, .. }) => return input.located = Located::Splat(from),
                Some(Piece { from, len: 1, .. }) => return input.located = Located::Splat(from),
                _ => {}
            }
        } else if input.strides.iter().all(|&stride| stride == 0) {
            return input.located = Located::Splat(0);
        }
        input.located = Located::Gathered;
        let (register, dtype) = (input.register, input.elements.dtype());
        self.fill_any(register, |tile, buffer| {
            dtype.visit(Gather { tile, input: &tile.inputs[load], strip, buffer });
        });
    }
}

/// Gathers the elements of an input into its register.
struct Gather<'t, 'a> {
    tile: &'t Tile<'a>,
    input: &'t Input<'a>,
    strip: Strip,
    buffer: &'t mut Buffer,
}

impl Visit for Gather<'_, '_> {
    type Output = ();

    fn visit<A: Element>(self) {
        let Self { tile, input, strip, buffer } = self;
        let elements = tile.elements::<A>(input);
        let out = A::buffer_mut(buffer).expect(TYPED);
        if strip.n_runs == 1 {
            input.walk.pieces(strip.start, strip.run, 0, |piece| copy_piece(elements, piece, out));
            return;
        }
        // A box lies along two axes of the block: two distances say where all its elements are.
        let place = |start| input.walk.place(start).expect("a strip lies in its block");
        let corner = place(strip.start);
        let between = place(strip.start + strip.distance) - corner;
        let along = input.strides.last().copied().unwrap_or(0);
        if between == 1 && along > 1 {
            return turn(elements, corner, along, strip, out);
        }
        for row in 0..strip.n_runs {
            let (to, from) = (row * strip.run, corner + row * between);
            copy_piece(elements, Piece { to, from, stride: along, len: strip.run }, out);
        }
    }
}

/// Copies neighbors at equal distances.
fn copy_piece<A: Copy>(elements: &[A], piece: Piece, out: &mut [A]) {
    let Piece { to, from, stride, len } = piece;
    let out = &mut out[to..to + len];
    match stride {
        0 => out.fill(elements[from]),
        1 => out.copy_from_slice(&elements[from..from + len]),
        _ => {
            for (out, value) in out.iter_mut().zip(elements[from..].iter().step_by(stride)) {
                *out = *value;
            }
        }
    }
}

/// Reads a box whose rows are columns in memory, in squares of 8 × 8, so that each cache line is read once and
/// written once.
fn turn<A: Copy>(elements: &[A], corner: usize, along: usize, strip: Strip, out: &mut [A]) {
    const SIDE: usize = 8;
    let Strip { run, n_runs, .. } = strip;
    for column in (0..run).step_by(SIDE) {
        let columns = SIDE.min(run - column);
        for row in (0..n_runs).step_by(SIDE) {
            let rows = SIDE.min(n_runs - row);
            let from = corner + column * along + row;
            let whole = columns == SIDE && rows == SIDE;
            let lines: [Option<&[A; SIDE]>; SIDE] =
                std::array::from_fn(
                    |c| {
                        if whole { elements[from + c * along..].first_chunk() } else { None }
                    },
                );
            if let Some(lines) = all_of(lines) {
                for r in 0..SIDE {
                    let target = &mut out[(row + r) * run + column..][..SIDE];
                    for c in 0..SIDE {
                        target[c] = lines[c][r];
                    }
                }
            } else {
                for r in 0..rows {
                    for c in 0..columns {
                        out[(row + r) * run + column + c] = elements[from + c * along + r];
                    }
                }
            }
        }
    }
}

/// All of them, if they are there.
#[inline(always)]
fn all_of<A, const N: usize>(lines: [Option<&[A; N]>; N]) -> Option<[&[A; N]; N]> {
    let first = lines[0]?;
    let mut all = [first; N];
    for (all, line) in all.iter_mut().zip(lines) {
        *all = line?;
    }
    Some(all)
}
