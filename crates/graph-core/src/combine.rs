//! Partial answers joined by a tree that the grid alone decides.
//!
//! Sums, folds, group-by, borders of labels and the passes of a fit are one problem: every chunk gives a partial answer
//! of its own, neighbours are merged, and what is left is finished. A [`Combine`] says how two partial answers become
//! one; [`tree`] makes the layers:
//!
//! ```text
//!   states     0  1  2  3  4  5  6  7   8  9 …
//!              └──┴──┴──┴┬─┴──┴──┴──┘   └┬─┴ …
//!   between              ▢               ▢        merges its group, pairwise by index
//!                        └───────┬───────┘
//!   last                         ▢                merges what is left, and finishes
//! ```
//!
//! Which states meet, and in which order, depends on the grid and on nothing else: never on threads, memory or time.
//! So floating-point answers have the same bits wherever and whenever they are computed.
//!
//! The layer of partial answers is the caller's own, so that it fuses with what made the chunks; and a crate whose
//! tasks fuse across a tree's last level makes the levels' tasks itself and takes the loop alone: [`tree_of`].

use std::borrow::Cow;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::chunk::{Chunk, ChunkRef, Codec};
use crate::grid::{Grid, Place};
use crate::key::Tokenizer;
use crate::layer::{Layer, Port};
use crate::site::Site;
use crate::task::{Facts, Inputs, Output, Task, TaskError};
use crate::wiring::{AxisMap, Wiring};

/// About how many states one task of a tree merges: wide enough for a flat tree, narrow enough for memory.
pub(crate) const FAN_IN: usize = 8;

/// How partial answers become one: see [`tree`].
///
/// Merging must be associative as far as the answer's promise goes, and is always called with the state of the earlier
/// chunks on the left.
///
/// # Errors
/// Every method's error ends the run.
///
/// # Examples
/// The longest of all words, by chunks.
/// ```
/// use std::{borrow::Cow, sync::Arc};
/// use musher_graph_core::*;
///
/// #[derive(Clone)]
/// struct Longest(String);
/// impl Chunk for Longest {
///     fn nbytes(&self) -> Option<usize> { Some(self.0.nbytes()) }
/// }
///
/// struct ByLength;
/// impl Combine for ByLength {
///     type State = Longest;
///     fn label(&self) -> Cow<'_, str> { "longest".into() }
///     fn token(&self, tokenizer: &mut Tokenizer) { tokenizer.name("doc.longest/1") }
///     fn merge(&self, earlier: &mut Longest, later: Longest) -> Result<(), TaskError> {
///         if later.0.len() > earlier.0.len() {
///             *earlier = later;
///         }
///         Ok(())
///     }
///     fn finish(&self, _at: Place<'_>, whole: Longest) -> Result<ChunkRef, TaskError> {
///         Ok(Arc::new(Value(whole.0)))
///     }
///     fn codec(&self) -> Option<&'static dyn Codec> { Value::<String>::codec_of() }
/// }
///
/// let words = ["to", "be", "or", "not", "that", "is"];
/// let states = words.map(|word| Arc::new(Longest(word.into())) as ChunkRef);
/// let states = Port::of(Layer::build(Held::new("words", states.into(), None)).finish(Grid::from([6])));
/// let here = Site::caller();
/// let longest = tree(&states, &[true], Grouping::Lines, Grid::scalar(), ByLength, here);
/// let longest: Delayed<String> = Delayed::from_port(longest);
/// assert_eq!(musher_testkit::check_everywhere(&longest), "that");
/// ```
pub trait Combine: Send + Sync + 'static {
    /// A partial answer.
    type State: Chunk + Clone;

    /// The operation's name, for pictures, plans and errors.
    fn label(&self) -> Cow<'_, str>;

    /// Enters name, version and parameters into the fingerprint.
    fn token(&self, tokenizer: &mut Tokenizer);

    /// Joins the state of later chunks to that of earlier ones.
    ///
    /// # Errors
    /// When there is no memory for it, or the states do not go together.
    fn merge(&self, earlier: &mut Self::State, later: Self::State) -> Result<(), TaskError>;

    /// The answer's chunk at this place, from the state of all; without it, the state itself.
    ///
    /// # Errors
    /// When there is no answer.
    fn finish(&self, at: Place<'_>, whole: Self::State) -> Result<ChunkRef, TaskError> {
        let _ = at;
        Ok(Arc::new(whole))
    }

    /// How the answer's chunk is written and read back: that of what [`finish`](Self::finish) gives.
    fn codec(&self) -> Option<&'static dyn Codec> {
        Self::State::codec_of()
    }

    /// What is known of one merging before it runs; without it, that a state is as large as the largest it is made of, and
    /// that those which somebody else holds are copied.
    fn facts(&self, at: Place<'_>, level: Level, inputs: &[Option<u64>]) -> Facts {
        let _ = (at, level);
        let total: u64 = inputs.iter().flatten().sum();
        let largest =
            inputs.iter().copied().collect::<Option<Vec<u64>>>().and_then(|all| all.into_iter().max());
        largest.map_or_else(Facts::default, Facts::bytes).scratch(total).cost(100 + total / 4)
    }
}

/// Which states of a grid one task merges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// Up to eight in all, the last axes first: reductions of rows and columns.
    Lines,
    /// Neighbours in space, 8, 3 × 3 or 2 × 2 × 2: what shrinks where borders meet.
    Boxes,
}

impl Grouping {
    /// How many states one task merges along each axis.
    fn fan_ins(self, lengths: &[usize], reduced: &[bool]) -> Vec<usize> {
        let mut fan_ins = vec![1; lengths.len()];
        match self {
            Self::Lines => {
                let mut left = FAN_IN;
                for axis in (0..lengths.len()).rev().filter(|&axis| reduced[axis]) {
                    fan_ins[axis] = left.min(lengths[axis]).max(1);
                    left /= fan_ins[axis];
                }
            }
            Self::Boxes => {
                let long: Vec<usize> =
                    (0..lengths.len()).filter(|&axis| reduced[axis] && lengths[axis] > 1).collect();
                let fan_in = match long.len() {
                    1 => FAN_IN,
                    2 => 3,
                    _ => 2,
                };
                long.into_iter().for_each(|axis| fan_ins[axis] = fan_in);
            }
        }
        fan_ins
    }
}

/// Where in a tree a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Its answer is merged further.
    Between,
    /// Its answer is the tree's.
    Last,
}

/// Merges the states of `port` along the axes that are `reduced`, by a tree; the answer has the grid `answer`, whose first
/// axes are those that stay.
///
/// There is always a last level, also over a single state. `caller` is the line that errors name.
///
/// **Cost** n states along the reduced axes take about n/7 tasks, each of which holds up to eight states (nine, 27 or
/// more in boxes of three or more axes' neighbours).
///
/// # Panics
/// If `reduced` does not have one entry for each axis of the port's grid.
///
/// # Examples
/// See [`Combine`].
pub fn tree<C: Combine>(
    port: &Port,
    reduced: &[bool],
    grouping: Grouping,
    answer: Grid,
    combine: C,
    caller: Site,
) -> Port {
    let combine = Arc::new(combine);
    tree_of(port, reduced, grouping, answer, caller, |level| {
        Arc::new(Merging { combine: Arc::clone(&combine), level })
    })
}

/// The layers of a [`tree`] whose tasks are the caller's: `task` makes one for each level.
///
/// A task gets the states of its group as its only slot, in C order.
///
/// # Panics
/// If `reduced` does not have one entry for each axis of the port's grid.
pub fn tree_of(
    port: &Port,
    reduced: &[bool],
    grouping: Grouping,
    answer: Grid,
    caller: Site,
    mut task: impl FnMut(Level) -> Arc<dyn Task>,
) -> Port {
    assert_eq!(reduced.len(), port.grid().ndim(), "each axis is reduced or stays");
    let mut port = port.clone();
    let mut lengths: Vec<usize> = port.grid().shape().iter().map(|&n| n as usize).collect();
    loop {
        let fan_ins = grouping.fan_ins(&lengths, reduced);
        if (0..lengths.len()).all(|axis| !reduced[axis] || fan_ins[axis] >= lengths[axis]) {
            break;
        }
        lengths.iter_mut().zip(&fan_ins).for_each(|(n, fan_in)| *n = n.div_ceil(*fan_in));
        let layer = Layer::build_shared(task(Level::Between)).caller(caller);
        port = Port::of(layer.input(&port, Wiring::tree(&fan_ins)).finish(Grid::from(lengths.as_slice())));
    }
    let mut kept = 0..;
    let maps = reduced.iter().map(|&goes| match goes {
        true => AxisMap::Whole,
        false => AxisMap::follow(kept.next().unwrap_or(0)),
    });
    let layer = Layer::build_shared(task(Level::Last)).caller(caller);
    Port::of(layer.input(&port, Wiring::axes(maps)).finish(answer))
}

/// A task that merges the states of its group, somewhere within a tree.
pub(crate) fn merging<C: Combine>(combine: Arc<C>) -> impl Task {
    Merging { combine, level: Level::Between }
}

/// Merges the states of a group.
struct Merging<C> {
    combine: Arc<C>,
    level: Level,
}

impl<C: Combine> Task for Merging<C> {
    fn label(&self) -> Cow<'_, str> {
        match self.level {
            Level::Between => format!("combine {}", self.combine.label()).into(),
            Level::Last => self.combine.label(),
        }
    }

    fn run(&self, at: Place<'_>, mut inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let whole = pairwise(&*self.combine, &mut inputs)?;
        match self.level {
            Level::Between => Ok(Output::one(whole)),
            Level::Last => Ok(Output::shared(self.combine.finish(at, whole)?)),
        }
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("core.combine/1");
        tokenizer.word(u64::from(self.level == Level::Last));
        self.combine.token(tokenizer);
    }

    fn facts(&self, at: Place<'_>, inputs: &[Option<u64>]) -> Facts {
        self.combine.facts(at, self.level, inputs)
    }

    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        match self.level {
            Level::Between => C::State::codec_of(),
            Level::Last => self.combine.codec(),
        }
    }
}

/// One state of all inputs: neighbours first, then pairs of neighbours, and so on.
fn pairwise<C: Combine>(combine: &C, inputs: &mut Inputs<'_>) -> Result<C::State, TaskError> {
    let mut states: SmallVec<[C::State; FAN_IN]> = SmallVec::with_capacity(inputs.len());
    for index in 0..inputs.len() {
        states.push(inputs.take_owned(index)?);
    }
    while states.len() > 1 {
        let mut halves = SmallVec::with_capacity(states.len().div_ceil(2));
        let mut left = states.into_iter();
        while let Some(mut earlier) = left.next() {
            if let Some(later) = left.next() {
                combine.merge(&mut earlier, later)?;
            }
            halves.push(earlier);
        }
        states = halves;
    }
    states.pop().ok_or_else(|| TaskError::new(NothingToMerge))
}

/// A tree over a grid without chunks: its last task has no state.
#[derive(Debug, thiserror::Error)]
#[error("there is no partial answer to merge")]
struct NothingToMerge;
