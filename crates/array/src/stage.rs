//! Elementwise work beside a kernel of neighborhoods: on what it reads, as the rows are assembled, and on what it makes,
//! while it is in the cache.
//!
//! A stage runs on a box of a block, so it takes programs alone whose elements do not depend on where they stand, and that
//! make one block. What a program makes of an element is the same in every box: so are the bits.

use crate::block::Block;
use crate::element::{Buffer, DType, Element, Visit};
use crate::feed::{Feed, Part};
use crate::kernel::strip::{Binding, Code, CompileError, Leaf, Made, Op, Program, RunError, Sink};
use crate::strip_task::StripTask;
use musher_graph_core::{Inputs, Reach, TaskError, Token, Tokenizer};
use musher_scheduler::check_cancelled;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

/// A program of one block, and where it reads.
pub(crate) struct Stage {
    labels: SmallVec<[Cow<'static, str>; 2]>,
    program: Program,
    /// What feeds each slot of the program; none is what the kernel has made.
    feeds: Vec<Option<Feed>>,
    code: OnceLock<Result<Code, CompileError>>,
}

impl Clone for Stage {
    fn clone(&self) -> Self {
        let Self { labels, program, feeds, .. } = self;
        Self { labels: labels.clone(), program: program.clone(), feeds: feeds.clone(), code: OnceLock::new() }
    }
}

impl Stage {
    /// The work of a task whose slots have become these, where a box of a block may be made on its own. The slots that have
    /// become `usize::MAX` are what the kernel has made.
    pub(crate) fn of(task: &StripTask, slots: &[usize]) -> Option<Self> {
        let program = task.program();
        let [target] = program.targets() else { return None };
        let by_index = |op: &Op| matches!(op, Op::Random { .. } | Op::RandomInteger { .. } | Op::Ramp { .. });
        if target.sink != Sink::Block || program.nodes().iter().any(|node| by_index(&node.op)) {
            return None;
        }
        let labels = task.labels().iter().cloned().collect();
        let fed = |feed: &Feed| match feed {
            Feed::Slot(slot) if slots[*slot] == usize::MAX => None,
            feed => Some(feed.with_slots(slots)),
        };
        let feeds = task.feeds().iter().map(fed).collect();
        Some(Self { labels, program: program.clone(), feeds, code: OnceLock::new() })
    }

    /// This work on what a kernel has made, or on what `first` has made of that.
    pub(crate) fn behind(&self, first: Option<&Self>) -> Self {
        let mut feeds: Vec<Option<Feed>> = vec![None];
        let mut number = |feed: Option<Feed>| {
            let known = feeds.iter().position(|known| *known == feed);
            known.unwrap_or_else(|| {
                feeds.push(feed);
                feeds.len() - 1
            }) as u32
        };
        let mut program = Program::default();
        let made = first.map(|first| {
            let numbers = program.graft(&first.program, |_, node| match &node.op {
                Op::Load { slot, axes } => Leaf::Becomes(Op::Load {
                    slot: number(first.feeds[*slot as usize].clone()),
                    axes: axes.clone(),
                }),
                _ => Leaf::Stays,
            });
            numbers[first.program.targets()[0].node.index()]
        });
        let numbers = program.graft(&self.program, |_, node| match (&node.op, made) {
            (Op::Load { slot, .. }, Some(made)) if self.feeds[*slot as usize].is_none() => Leaf::Is(made),
            (Op::Load { slot, axes }, _) => {
                let slot = number(self.feeds[*slot as usize].clone());
                Leaf::Becomes(Op::Load { slot, axes: axes.clone() })
            }
            _ => Leaf::Stays,
        });
        program.graft_targets(&self.program, &numbers);
        let labels = first.into_iter().flat_map(|first| &first.labels).chain(&self.labels).cloned().collect();
        Self { labels, program, feeds, code: OnceLock::new() }
    }

    /// The same with other slots of the task.
    pub(crate) fn with_slots(&self, new: &[usize]) -> Self {
        let feeds = self.feeds.iter().map(|feed| feed.as_ref().map(|feed| feed.with_slots(new)));
        Self { feeds: feeds.collect(), ..self.clone() }
    }

    pub(crate) fn labels(&self) -> &[Cow<'static, str>] {
        &self.labels
    }

    /// What feeds each slot of the program; none is what the kernel has made.
    pub(crate) fn feeds(&self) -> &[Option<Feed>] {
        &self.feeds
    }

    /// Whether a slot of the program is one value for all elements.
    pub(crate) fn is_value(&self, slot: usize) -> bool {
        self.axes(slot).all(<[_]>::is_empty)
    }

    /// The type of what it makes.
    pub(crate) fn dtype(&self) -> DType {
        self.program.nodes()[self.program.targets()[0].node.index()].dtype
    }

    /// About how many nanoseconds it takes for so many elements.
    pub(crate) fn cost(&self, elements: u64) -> u64 {
        let each: u64 = self.program.nodes().iter().map(|node| node.op.cost()).sum();
        elements.saturating_mul(each) / 1024
    }

    pub(crate) fn token(&self, tokenizer: &mut Tokenizer) {
        self.program.words().token(tokenizer);
        self.feeds.iter().flatten().for_each(|feed| feed.token(tokenizer));
        tokenizer.narrow(Reach::of_rank(self.program.reach()));
    }

    /// Whether each load of these slots of the program has the axes of what is made, one by one.
    pub(crate) fn reads_in_place(&self, ndim: usize, is_asked: impl Fn(usize) -> bool) -> bool {
        self.program.nodes().iter().all(|node| match &node.op {
            Op::Load { slot, axes } if is_asked(*slot as usize) => {
                axes.len() == ndim
                    && axes.iter().enumerate().all(|(axis, &from)| from.map(usize::from) == Some(axis))
            }
            _ => true,
        })
    }

    /// Makes the elements of a box of this shape. `part` binds what a slot of the program reads.
    pub(crate) fn run<'b>(
        &self,
        shape: &[usize],
        mut part: impl FnMut(usize, DType) -> Result<Part<'b>, TaskError>,
    ) -> Result<Buffer, TaskError> {
        let code = self.code.get_or_init(|| Code::compile(&self.program));
        let code = code.as_ref().map_err(|error| TaskError::new(error.clone()))?;
        let types = self.program.slot_types().into_iter().enumerate();
        let parts = types.map(|(slot, dtype)| part(slot, dtype.unwrap_or(DType::Bool)));
        let parts: SmallVec<[Part<'b>; 4]> = parts.collect::<Result<_, _>>()?;
        let bindings: SmallVec<[Binding<'_>; 4]> = parts.iter().map(Part::binding).collect();
        // No node asks where the block stands.
        let coords = vec![0; shape.len()];
        let made = code.run_in_place(shape, &coords, &bindings, None, &|| check_cancelled().is_err())?;
        match made.into_iter().next() {
            Some(Made::Block(buffer)) => Ok(buffer),
            _ => Err(TaskError::new(RunError::Input { slot: 0 })),
        }
    }

    /// The axes of a load of a slot; none where the slot is never loaded.
    fn axes(&self, slot: usize) -> impl Iterator<Item = &[Option<u8>]> {
        self.program.nodes().iter().filter_map(move |node| match &node.op {
            Op::Load { slot: own, axes } if *own as usize == slot => Some(axes.as_slice()),
            _ => None,
        })
    }

    /// The rows of a block that the program meets when it makes these rows of its result; none where loads of the slot
    /// differ in that.
    pub(crate) fn needed(
        &self,
        slot: usize,
        shape: &[usize],
        rows: &Range<usize>,
    ) -> Option<Vec<Range<usize>>> {
        let along = |axes: &[Option<u8>]| -> Vec<Range<usize>> {
            let range = |(&axis, &length): (&Option<u8>, &usize)| match axis {
                Some(0) => rows.clone(),
                _ => 0..length,
            };
            axes.iter().zip(shape).map(range).collect()
        };
        let mut loads = self.axes(slot).map(along);
        let first = loads.next()?;
        loads.all(|other| other == first).then_some(first)
    }

    /// Whether all loads of each slot go along the rows in the same way, so that [`needed`](Self::needed) is known.
    pub(crate) fn goes_by_rows(&self) -> bool {
        (0..self.program.n_slots()).all(|slot| {
            let rows = |axes: &[Option<u8>]| -> SmallVec<[bool; 4]> {
                axes.iter().map(|axis| *axis == Some(0)).collect()
            };
            let mut loads = self.axes(slot).map(rows);
            match loads.next() {
                Some(first) => loads.all(|other| other == first),
                None => true,
            }
        })
    }
}

/// Finds a block of a type known at run time among the chunks of a slot, and binds a box of it.
pub(crate) struct BindBox<'i, 'c, F> {
    pub(crate) inputs: &'i Inputs<'c>,
    pub(crate) slot: usize,
    pub(crate) number: usize,
    /// Which box, by the shape of the block.
    pub(crate) needed: F,
}

impl<'i, F: FnOnce(&[usize]) -> Vec<Range<usize>>> Visit for BindBox<'i, '_, F> {
    type Output = Result<Part<'i>, TaskError>;

    fn visit<A: Element>(self) -> Self::Output {
        let blocks = self.inputs.slot::<Block<A>>(self.slot)?;
        let block = blocks.get(self.number).copied().ok_or(RunError::Input { slot: self.slot })?;
        let needed = (self.needed)(block.shape());
        let (first, shape) =
            (needed.iter().map(|needed| needed.start), needed.iter().map(ExactSizeIterator::len));
        Ok(Part::of_box(block.elements(), block.array().strides(), first, shape.collect()))
    }
}

/// Appends elements of the same type.
pub(crate) struct Append<'a>(pub(crate) &'a mut Buffer, pub(crate) Buffer);

impl Visit for Append<'_> {
    type Output = ();

    fn visit<A: Element>(self) {
        if let (Some(into), Some(from)) = (A::buffer_mut(self.0), A::buffer_ref(&self.1)) {
            into.extend_from_slice(from);
        }
    }
}
