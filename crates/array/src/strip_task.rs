//! The task behind everything elementwise: a strip program over the blocks of a layer, and how two of them fuse.
//!
//! Fusing is substitution: where the consumer loads the producer's block, the producer's program takes the place of
//! the load, its own loads and generators seen through the axes of the load. Values never change: each element is
//! computed by the same operations, and reductions meet the elements in an order that only their index decides.

use crate::block::{Block, CodecOf};
use crate::chunks::Chunking;
use crate::element::{Buffer, DType, Element, Plain, Source, Visit};
use crate::feed::{Feed, Memory, Part};
use crate::gather::check;
use crate::kernel::reduce::{AxisSet, scratch_states};
use crate::kernel::strip::{
    Axes, Binding, Code, CompileError, GlobalIndex, Leaf, Made, NodeIx, Op, Program, Reused, RunError, Sink,
    Term,
};
use crate::neighborhood::followed;
use musher_graph_core::{
    Absorb, AxisMap, ChunkRef, Codec, Facts, Forward, Grid, Inputs, Output, Place, Reach, Task, TaskError,
    Token, Tokenizer, Wiring, fused_label,
};
use musher_scheduler::check_cancelled;
use ndarray::{ArrayD, Axis, IxDyn};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::cell::LazyCell;
use std::sync::{Arc, OnceLock};

/// Programs of more nodes are not fused further: the gain is spent, and copying them again and again would make
/// building long chains quadratic.
const MOST_NODES: usize = 256;

/// A strip program over the blocks of a layer.
pub(crate) struct StripTask {
    /// What is done, producers first.
    labels: SmallVec<[Cow<'static, str>; 2]>,
    program: Program,
    /// What feeds each slot of the program.
    feeds: SmallVec<[Feed; 2]>,
    /// The block lengths of what the program runs over; one task for each block.
    chunking: Chunking,
    compiled: OnceLock<Result<Compiled, CompileError>>,
}

/// What all blocks have in common.
struct Compiled {
    code: Code,
    /// The element type that each slot of the program reads.
    types: Vec<DType>,
    /// The slots of the program whose chunk the result may take the place of.
    reusable: SmallVec<[usize; 4]>,
}

impl StripTask {
    /// A task that runs `program` over blocks of these lengths; the slots of the program are those of the task.
    pub(crate) fn new(label: impl Into<Cow<'static, str>>, program: Program, chunking: Chunking) -> Self {
        let feeds = (0..program.n_slots()).map(Feed::Slot).collect();
        let labels = SmallVec::from_elem(label.into(), 1);
        Self { labels, program, feeds, chunking, compiled: OnceLock::new() }
    }

    /// What feeds each slot of the program.
    pub(crate) fn feeds(&self) -> &[Feed] {
        &self.feeds
    }

    /// What is done, as a program over the block.
    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// The names of what is done, producers first.
    pub(crate) fn labels(&self) -> &[Cow<'static, str>] {
        &self.labels
    }

    /// The compiled program; compiled once, by whoever comes first.
    fn compiled(&self) -> Result<&Compiled, TaskError> {
        let compile = || {
            let types = self.program.slot_types().into_iter();
            let types = types.map(|dtype| dtype.expect("a slot that is read by some load")).collect();
            Ok(Compiled { code: Code::compile(&self.program)?, types, reusable: self.reusable() })
        };
        self.compiled.get_or_init(compile).as_ref().map_err(|error| TaskError::new(error.clone()))
    }

    /// The slots of the program whose chunk the result may take the place of.
    fn reusable(&self) -> SmallVec<[usize; 4]> {
        let mut slots = self.program.reusable(self.chunking.ndim());
        slots.retain(|slot| matches!(self.feeds[*slot], Feed::Slot(_)));
        slots
    }

    /// Takes over the elements of an input that nobody else holds, for the result to take their place; an input that turns
    /// out to be shared, or laid out otherwise, is given back.
    fn try_reuse(
        &self,
        Compiled { types, reusable, .. }: &Compiled,
        shape: &[usize],
        inputs: &mut Inputs<'_>,
    ) -> Result<Option<(usize, Reuse)>, TaskError> {
        for &slot in reusable {
            let Feed::Slot(read) = self.feeds[slot] else { continue };
            if Arc::strong_count(inputs.chunk(read)?) > 1 {
                continue;
            }
            return Ok(Some((slot, types[slot].visit(TryReuse { inputs, slot: read, shape })?)));
        }
        Ok(None)
    }

    /// The axes of the only input, when all the program does is to hand it on.
    fn passed_through(&self) -> Option<&Axes> {
        let [target] = self.program.targets() else { return None };
        match (&self.program.nodes().get(target.node.index())?.op, target.sink) {
            (Op::Load { axes, .. }, Sink::Block) if matches!(*self.feeds, [Feed::Slot(0)]) => Some(axes),
            _ => None,
        }
    }

    /// The chunk of what a target made.
    fn chunk(&self, made: Made, sink: Sink, coords: &[usize]) -> Result<ChunkRef, TaskError> {
        let shape = self.chunking.lengths_at(coords);
        let axes = if let Sink::Reduce { axes, .. } = sink { axes } else { AxisSet::NONE };
        Ok(match made {
            Made::Block(buffer) => buffer.dtype().visit(ToBlock(buffer, &shape))?,
            Made::Reduced(reducer) => {
                reducer.finish(&self.globally(axes, coords))?.into_chunk(&axes.reduced(&shape))?
            }
        })
    }

    /// From an index along the reduced axes of a block, in C order, to one along those of the whole array.
    fn globally(&self, axes: AxisSet, coords: &[usize]) -> impl Fn(u64) -> u64 + use<> {
        let (chunking, coords) = (self.chunking.clone(), SmallVec::<[usize; 4]>::from_slice(coords));
        // Few reductions ask.
        let place = LazyCell::new(move || {
            (chunking.block_start(&coords), chunking.block_shape(&coords), chunking.shape())
        });
        move |index| {
            let (start, block, whole) = &*place;
            let (mut rest, mut step, mut global) = (index as usize, 1, 0);
            for axis in axes.iter().filter(|&axis| axis < whole.len()).rev() {
                global += (start[axis] + rest % block[axis]) * step;
                rest /= block[axis];
                step *= whole[axis];
            }
            global as u64
        }
    }
}

/// Makes a block of elements of a type known at run time.
pub(crate) struct ToBlock<'a>(pub(crate) Buffer, pub(crate) &'a [usize]);

impl Visit for ToBlock<'_> {
    type Output = Result<ChunkRef, TaskError>;
    fn visit<A: Element>(self) -> Self::Output {
        to_block(A::from_buffer(self.0).expect("visited with its own type"), self.1)
    }
}

/// The strides of elements in C order.
pub(crate) fn c_strides(shape: &[usize]) -> SmallVec<[isize; 4]> {
    let mut strides: SmallVec<[isize; 4]> = SmallVec::from_elem(0, shape.len());
    let mut step = 1;
    for (stride, &length) in strides.iter_mut().zip(shape).rev() {
        *stride = step;
        step *= length as isize;
    }
    strides
}

/// Makes a block of states or elements in C order.
fn to_block<S: Plain>(values: Vec<S>, shape: &[usize]) -> Result<ChunkRef, TaskError> {
    Ok(Arc::new(Block::new(ArrayD::from_shape_vec(IxDyn(shape), values)?)))
}

/// Finds the inputs of a program among the chunks.
struct Bind<'t>(&'t ChunkRef, usize);

impl<'t> Visit for Bind<'t> {
    type Output = Result<Binding<'t>, TaskError>;
    fn visit<A: Element>(self) -> Self::Output {
        let block: Option<&Block<A>> = self.0.downcast_ref();
        let block = block.ok_or(RunError::Input { slot: self.1 })?;
        let array = block.array();
        Ok(Binding {
            elements: A::into_source(block.elements()),
            shape: array.shape(),
            strides: array.strides(),
        })
    }
}

/// Takes the elements out of a block that nobody else holds, if they are in C order and in memory of just their size.
struct TryReuse<'t, 'i> {
    inputs: &'t mut Inputs<'i>,
    slot: usize,
    shape: &'t [usize],
}

/// The elements, or the block as it was.
enum Reuse {
    Elements(Buffer),
    Chunk(ChunkRef),
}

impl Visit for TryReuse<'_, '_> {
    type Output = Result<Reuse, TaskError>;

    fn visit<A: Element>(self) -> Self::Output {
        let Self { inputs, slot, shape } = self;
        let block = inputs.take::<Block<A>>(slot)?;
        let in_order = block.shape() == shape && block.view().is_standard_layout();
        Ok(match Arc::try_unwrap(block) {
            Ok(block) if in_order => match block.into_elements() {
                Ok(elements) => Reuse::Elements(A::into_buffer(elements)),
                Err(block) => Reuse::Chunk(Arc::new(block)),
            },
            Ok(block) => Reuse::Chunk(Arc::new(block)),
            Err(block) => Reuse::Chunk(block),
        })
    }
}

/// An input without elements: its place is known to be that of the result.
struct NoElements;

impl Visit for NoElements {
    type Output = Source<'static>;
    fn visit<A: Element>(self) -> Self::Output {
        A::into_source(&[])
    }
}

/// Hands a block on under other axes, without copying; none where axes must be repeated.
struct PassThrough<'t, 'i> {
    inputs: &'t Inputs<'i>,
    axes: &'t Axes,
    shape: &'t [usize],
}

impl Visit for PassThrough<'_, '_> {
    type Output = Result<Option<ChunkRef>, TaskError>;

    fn visit<A: Element>(self) -> Self::Output {
        let Self { inputs, axes, shape } = self;
        let block: &Block<A> = inputs.get(0)?;
        if axes.iter().enumerate().all(|(source, axis)| *axis == Some(source as u8))
            && axes.len() == shape.len()
        {
            check(shape, block.shape())?;
            return Ok(Some(inputs.chunk(0)?.clone()));
        }
        let mut array = block.array().clone();
        let mut kept: Vec<usize> = Vec::new();
        for (source, axis) in axes.iter().enumerate().rev() {
            match axis.map(usize::from) {
                Some(axis) if kept.contains(&axis) => return Ok(None),
                Some(axis) => kept.insert(0, axis),
                None => array = array.index_axis_move(Axis(source), 0),
            }
        }
        let mut order: Vec<usize> = (0..kept.len()).collect();
        order.sort_by_key(|&at| kept[at]);
        let mut array = array.permuted_axes(IxDyn(&order));
        for (axis, &length) in shape.iter().enumerate() {
            if !kept.contains(&axis) {
                if length != 1 {
                    return Ok(None);
                }
                array = array.insert_axis(Axis(axis));
            }
        }
        check(shape, array.shape())?;
        Ok(Some(Arc::new(Block::try_shared(array)?)))
    }
}

impl Task for StripTask {
    fn label(&self) -> Cow<'_, str> {
        match self.labels.as_slice() {
            [only] => Cow::Borrowed(only),
            labels => fused_label(labels).into(),
        }
    }

    fn run(&self, at: Place<'_>, mut inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let coords = at.coords();
        let shape = self.chunking.lengths_at(&coords);
        if let Some(axes) = self.passed_through() {
            let dtype = self.program.nodes()[self.program.targets()[0].node.index()].dtype;
            if let Some(chunk) = dtype.visit(PassThrough { inputs: &inputs, axes, shape: &shape })? {
                return Ok(Output::shared(chunk));
            }
        }
        let compiled = self.compiled()?;
        let Compiled { code, types, .. } = compiled;
        let (reused, returned) = match self.try_reuse(compiled, &shape, &mut inputs)? {
            Some((slot, Reuse::Elements(elements))) => (Some(Reused { slot, elements }), None),
            Some((slot, Reuse::Chunk(chunk))) => (None, Some((slot, chunk))),
            None => (None, None),
        };
        // Of what is reused, the shape and the strides of C order are all that is bound.
        let strides: SmallVec<[isize; 4]> = c_strides(&shape);
        let parts = self.feeds.iter().enumerate().map(|(slot, feed)| match feed {
            Feed::Slot(_) => Ok(None),
            Feed::Memory(memory) => memory.part(&coords, None).ok_or(RunError::Input { slot }).map(Some),
        });
        let parts: SmallVec<[Option<Part<'_>>; 4]> = parts.collect::<Result<_, _>>()?;
        let bind = |(slot, dtype): (usize, &DType)| match (&self.feeds[slot], &parts[slot]) {
            (_, Some(part)) => Ok(part.binding()),
            (Feed::Slot(read), None) => match (&reused, &returned) {
                (Some(reused), _) if reused.slot == slot => {
                    Ok(Binding { elements: dtype.visit(NoElements), shape: &shape, strides: &strides })
                }
                (_, Some((own, chunk))) if *own == slot => dtype.visit(Bind(chunk, slot)),
                _ => dtype.visit(Bind(inputs.chunk(*read)?, slot)),
            },
            (Feed::Memory(_), None) => Err(RunError::Input { slot }.into()),
        };
        let bindings: SmallVec<[Binding<'_>; 4]> =
            types.iter().enumerate().map(bind).collect::<Result<_, _>>()?;
        let made = code.run_in_place(&shape, &coords, &bindings, reused, &|| check_cancelled().is_err())?;
        let made = made.into_iter().zip(self.program.targets());
        let mut chunks = made.map(|(made, target)| self.chunk(made, target.sink, &coords));
        if let [_] = self.program.targets()
            && let Some(chunk) = chunks.next()
        {
            return Ok(Output::shared(chunk?));
        }
        Ok(Output::many(chunks.collect::<Result<Vec<ChunkRef>, _>>()?))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("array.strip/2");
        self.program.words().token(tokenizer);
        self.feeds.iter().for_each(|feed| feed.token(tokenizer));
        self.chunking.token(tokenizer);
        tokenizer.narrow(Reach::of_rank(self.program.reach()));
    }

    fn n_outputs(&self) -> usize {
        self.program.targets().len()
    }

    fn codec(&self, output: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        let target = self.program.targets().get(output)?;
        Some(match target.sink {
            Sink::Block | Sink::Running { .. } => {
                self.program.nodes()[target.node.index()].dtype.visit(CodecOf)
            }
            Sink::Reduce { reduction, mask, .. } => reduction.algebra().no_states(mask.is_some()).codec(),
        })
    }

    fn facts(&self, at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        let shape = self.chunking.block_shape(&at.coords());
        let total: usize = shape.iter().product();
        let mut facts = Facts { scratch_bytes: 1 << 16, ..Facts::default() };
        for target in self.program.targets() {
            let dtype = self.program.nodes()[target.node.index()].dtype;
            let bytes = match target.sink {
                Sink::Block | Sink::Running { .. } => total * dtype.bytes(),
                Sink::Reduce { reduction, axes, mask } => {
                    let answers: usize = axes.reduced(&shape).iter().product();
                    let bytes = reduction.algebra().state_bytes(mask.is_some());
                    facts.scratch_bytes += ((scratch_states(&shape, axes) + answers) * bytes) as u64;
                    answers * bytes
                }
            };
            facts.output_bytes.push(Some(bytes as u64));
        }
        if self.passed_through().is_some() {
            return Facts { scratch_bytes: 0, reuses_input: true, ..facts }.cost(500);
        }
        facts.reuses_input = !self.reusable().is_empty();
        let each: u64 = self.program.nodes().iter().map(|node| node.op.cost()).sum();
        facts.cost(1_000 + each * total as u64 / 1024)
    }

    fn absorb(&self, request: &Absorb<'_>) -> Option<Arc<dyn Task>> {
        let Wiring::Axes(maps) = request.wiring else { return None };
        if request.producer.downcast_ref::<Forward>().is_some() {
            let [slot] = request.producer_slots else { return None };
            let feed = Feed::Slot(*slot);
            return Some(Arc::new(self.refed(
                request.slots,
                &feed,
                request.consumer_slots,
                self.labels.clone(),
            )));
        }
        let Some(producer): Option<&Self> = request.producer.downcast_ref() else {
            return self.over_memory(request).or_else(|| followed(self, request));
        };
        let target = producer.program.targets().get(request.output)?;
        if target.sink != Sink::Block
            || self.program.nodes().len() + producer.program.nodes().len() > MOST_NODES
        {
            return None;
        }
        let through = SeenThrough {
            maps,
            wiring: request.wiring,
            grid: request.grid,
            chunking: &self.chunking,
            slots: request.producer_slots,
        };
        let (mut program, mut feeds) = (Program::default(), Feeds::default());
        let mut possible = true;
        let numbers = program.graft(&self.program, |program, node| match &node.op {
            Op::Load { slot, axes } if self.reads(*slot, request.slots) => {
                match through.substitute(program, &mut feeds, producer, target.node, axes) {
                    Some(number) => Leaf::Is(number),
                    None => {
                        possible = false;
                        Leaf::Stays
                    }
                }
            }
            Op::Load { slot, axes } => {
                feeds.load(self.feeds[*slot as usize].with_slots(request.consumer_slots), axes)
            }
            _ => Leaf::Stays,
        });
        if !possible {
            return None;
        }
        program.graft_targets(&self.program, &numbers);
        let labels = producer.labels.iter().chain(&self.labels).cloned().collect();
        Some(Arc::new(self.with_program(labels, program, feeds)))
    }

    fn join(&self, sibling: &dyn Task, sibling_slots: &[usize]) -> Option<Arc<dyn Task>> {
        let sibling: &Self = sibling.downcast_ref()?;
        let reduces = |task: &Self| {
            task.program.targets().iter().all(|target| matches!(target.sink, Sink::Reduce { .. }))
        };
        // Two whole blocks at once may be one too many for the memory; states are small.
        let nodes = self.program.nodes().len() + sibling.program.nodes().len();
        if !self.shares_arrays(sibling) {
            return None;
        }
        if self.chunking != sibling.chunking || nodes > MOST_NODES || !(reduces(self) || reduces(sibling)) {
            return None;
        }
        let (mut program, mut feeds) = (self.program.clone(), Feeds(self.feeds.clone()));
        let numbers = program.graft(&sibling.program, |_, node| match &node.op {
            Op::Load { slot, axes } => {
                feeds.load(sibling.feeds[*slot as usize].with_slots(sibling_slots), axes)
            }
            _ => Leaf::Stays,
        });
        program.graft_targets(&sibling.program, &numbers);
        let shared = self.labels.iter().zip(&sibling.labels).take_while(|(a, b)| a == b).count();
        let ends = [&self.labels[shared..], &sibling.labels[shared..]].map(fused_label);
        let mut labels: SmallVec<[Cow<'static, str>; 2]> = self.labels[..shared].iter().cloned().collect();
        labels.push(ends.join(" + ").into());
        Some(Arc::new(self.with_program(labels, program, feeds)))
    }
}

/// What feeds a program that is put together, each feed once.
#[derive(Default)]
struct Feeds(SmallVec<[Feed; 2]>);

impl Feeds {
    /// The slot of a feed.
    fn slot(&mut self, feed: Feed) -> u32 {
        let known = self.0.iter().position(|known| *known == feed);
        known.unwrap_or_else(|| {
            self.0.push(feed);
            self.0.len() - 1
        }) as u32
    }

    /// A load that reads a feed.
    fn load(&mut self, feed: Feed, axes: &Axes) -> Leaf {
        Leaf::Becomes(Op::Load { slot: self.slot(feed), axes: axes.clone() })
    }
}

impl StripTask {
    /// A task with another program over the same blocks.
    fn with_program(&self, labels: SmallVec<[Cow<'static, str>; 2]>, program: Program, feeds: Feeds) -> Self {
        Self { labels, program, feeds: feeds.0, chunking: self.chunking.clone(), compiled: OnceLock::new() }
    }

    /// Whether a slot of the program is fed by one of these slots of the task.
    fn reads(&self, slot: u32, slots: &[usize]) -> bool {
        matches!(self.feeds[slot as usize], Feed::Slot(read) if slots.contains(&read))
    }

    /// Whether the two have an array in memory in common, where these are all that they read: others have nothing to gain
    /// from each other.
    fn shares_arrays(&self, sibling: &Self) -> bool {
        let in_memory = |task: &Self| task.feeds.iter().all(|feed| matches!(feed, Feed::Memory(_)));
        let is_apart =
            !self.feeds.is_empty() && !sibling.feeds.is_empty() && in_memory(self) && in_memory(sibling);
        !is_apart || self.feeds.iter().any(|feed| sibling.feeds.contains(feed))
    }

    /// The same task where the loads of `slots` read what `feed` says, and the others their new slots.
    fn refed(
        &self,
        slots: &[usize],
        feed: &Feed,
        others: &[usize],
        labels: SmallVec<[Cow<'static, str>; 2]>,
    ) -> Self {
        let (mut program, mut feeds) = (Program::default(), Feeds::default());
        let numbers = program.graft(&self.program, |_, node| match &node.op {
            Op::Load { slot, axes } if self.reads(*slot, slots) => feeds.load(feed.clone(), axes),
            Op::Load { slot, axes } => feeds.load(self.feeds[*slot as usize].with_slots(others), axes),
            _ => Leaf::Stays,
        });
        program.graft_targets(&self.program, &numbers);
        self.with_program(labels, program, feeds)
    }

    /// The same task where the producer's array is read where it lies, if the producer hands one out. A task that hands
    /// its input on has nothing to read it for.
    fn over_memory(&self, request: &Absorb<'_>) -> Option<Arc<dyn Task>> {
        if self.passed_through().is_some() {
            return None;
        }
        let types = self.program.slot_types();
        let asked = (0..types.len()).find(|&slot| self.reads(slot as u32, request.slots))?;
        let memory = Memory::of(request.producer, types[asked]?, request.wiring)?;
        let labels = std::iter::once(request.producer.label().into_owned().into());
        let labels = labels.chain(self.labels.iter().cloned()).collect();
        let feed = Feed::Memory(memory);
        Some(Arc::new(self.refed(request.slots, &feed, request.consumer_slots, labels)))
    }
}

/// How a consumer sees its producer.
struct SeenThrough<'a> {
    /// For each axis of the producer, which block is read.
    maps: &'a [AxisMap],
    /// The same as a wiring.
    wiring: &'a Wiring,
    /// The consumer's grid.
    grid: &'a Grid,
    /// The consumer's block lengths.
    chunking: &'a Chunking,
    /// The new slots of the producer's inputs.
    slots: &'a [usize],
}

impl SeenThrough<'_> {
    /// Puts the producer's program in the place of a load with these axes; none where that is not possible or would
    /// repeat much work.
    fn substitute(
        &self,
        program: &mut Program,
        feeds: &mut Feeds,
        producer: &StripTask,
        result: NodeIx,
        axes: &Axes,
    ) -> Option<NodeIx> {
        let repeats = (0..self.chunking.ndim())
            .any(|axis| !axes.contains(&Some(axis as u8)) && self.chunking.axis(axis).iter().any(|&n| n > 1));
        let cheap = |op: &Op| matches!(op, Op::Load { .. } | Op::Constant(_) | Op::Ramp { .. });
        if repeats && !producer.program.nodes().iter().all(|node| cheap(&node.op)) {
            return None;
        }
        let seen_feeds =
            producer.feeds.iter().map(|feed| feed.seen_through(self.wiring, self.grid, self.slots));
        let seen_feeds: SmallVec<[Feed; 2]> = seen_feeds.collect::<Option<_>>()?;
        let mut possible = true;
        let mut seen = |index: &GlobalIndex| {
            self.index(index, axes).unwrap_or_else(|| {
                possible = false;
                GlobalIndex::default()
            })
        };
        let numbers = program.graft(&producer.program, |_, node| match &node.op {
            Op::Load { slot, axes: inner } => Leaf::Becomes(Op::Load {
                slot: feeds.slot(seen_feeds[*slot as usize].clone()),
                axes: inner.iter().map(|axis| axis.and_then(|axis| axes[usize::from(axis)])).collect(),
            }),
            Op::Random { engine, distribution, index } => {
                Leaf::Becomes(Op::Random { engine: *engine, distribution: *distribution, index: seen(index) })
            }
            Op::RandomInteger { engine, low, span, index } => Leaf::Becomes(Op::RandomInteger {
                engine: *engine,
                low: *low,
                span: *span,
                index: seen(index),
            }),
            Op::Ramp { start, step, last, index } => {
                Leaf::Becomes(Op::Ramp { start: *start, step: *step, last: *last, index: seen(index) })
            }
            _ => Leaf::Stays,
        });
        possible.then(|| numbers[result.index()])
    }

    /// A global index of the producer, by the axes and blocks of the consumer.
    fn index(&self, index: &GlobalIndex, axes: &Axes) -> Option<GlobalIndex> {
        let mut seen = GlobalIndex { base: index.base, terms: SmallVec::new() };
        for term in &index.terms {
            let inner = usize::from(term.axis);
            let read = |n: usize, at: &dyn Fn(usize) -> usize| -> Option<Arc<[u64]>> {
                (0..n).map(|coord| term.starts.get(at(coord)).copied()).collect()
            };
            let n = |axis: usize| self.grid.shape().get(axis).map(|&n| n as usize);
            match (axes[inner], &self.maps[inner]) {
                (None, AxisMap::Fixed(at)) => seen.base = seen.base.wrapping_add(*term.starts.get(*at)?),
                (Some(axis), AxisMap::Fixed(at)) => {
                    let starts = read(n(axis.into())?, &|_| *at)?;
                    seen.terms.push(Term { axis, stride: term.stride, starts });
                }
                (Some(axis), AxisMap::Affine { axis: follows, start, step })
                    if usize::from(axis) == *follows =>
                {
                    let starts = read(n(*follows)?, &|coord| (start + step * coord as isize) as usize)?;
                    seen.terms.push(Term { axis, stride: term.stride, starts });
                }
                (Some(axis), AxisMap::Lookup { axis: follows, table }) if usize::from(axis) == *follows => {
                    let starts = read(n(*follows)?, &|coord| table[coord] as usize)?;
                    seen.terms.push(Term { axis, stride: term.stride, starts });
                }
                _ => return None,
            }
        }
        Some(seen)
    }
}
