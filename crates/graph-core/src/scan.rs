//! Running totals: what all chunks before a chunk come to, for each chunk along an axis.
//!
//! Cumulative sums, forward fill and ranks are one problem: a chunk can be scanned on its own once it is known what the
//! chunks before it come to. [`scan`] turns the total of each chunk into the total of all chunks *before* it (its
//! exclusive prefix); applying the prefix to the chunk is an ordinary step of the caller's, which fuses with what
//! follows.
//!
//! Up to [`CHAIN`] chunks along the axis, each prefix is the one before and the total between, a chain. Beyond that,
//! totals are merged upwards in groups and prefixes handed down:
//!
//! ```text
//!   totals       0  1  2 … 7   8  9 …             groups of eight, merged
//!                └──┴──┴─┬─┘   └──┴─ …
//!   of groups            ▢         ▢ …
//!   before groups        ▢         ▢ …            all groups before
//!                ┌──┬──┬─┴─┐   ┌──┬─ …
//!   prefixes     ▢─▶▢─▶▢ … ▢   ▢─▶▢ …             and the chunks before in the group, one after the other
//! ```
//!
//! Which totals meet in which order depends on the grid alone. A prefix needs totals of earlier chunks only, so a run in
//! order holds a few chunks at a time, however many there are.

use std::borrow::Cow;
use std::sync::Arc;

use crate::chunk::{Chunk, Codec};
use crate::combine::{Combine, FAN_IN, Level, merging};
use crate::grid::{Grid, Place};
use crate::key::Tokenizer;
use crate::layer::{Layer, Port};
use crate::site::Site;
use crate::task::{Facts, Inputs, Output, Task, TaskError};
use crate::wiring::{AxisMap, Lists, Wiring};

/// The most chunks along an axis whose prefixes are a chain.
///
/// A chain has half of a tree's edges, and its depth costs nothing while a merge is much shorter than what makes a
/// chunk.
pub(crate) const CHAIN: usize = 64;

/// A [`Combine`] that knows what nothing comes to: see [`scan`].
pub trait Scan: Combine {
    /// The state before the first chunk, at this place of the grid (whatever its coordinate along the axis).
    ///
    /// # Errors
    /// When there is no memory for it.
    fn start(&self, at: Place<'_>) -> Result<Self::State, TaskError>;

    /// Bytes of the [`start`](Self::start) at this place, where they are known.
    fn start_bytes(&self, at: Place<'_>) -> Option<u64> {
        let _ = at;
        None
    }
}

/// For each chunk of `totals`, the state of all chunks before it along `axis`, in the same grid; `caller` is the line that
/// errors name.
///
/// **Cost** one merge for each chunk, and beyond 64 chunks along the axis about two.
///
/// # Panics
/// If the grid has no such axis.
///
/// # Examples
/// ```
/// use std::{borrow::Cow, sync::Arc};
/// use musher_graph_core::*;
///
/// #[derive(Clone)]
/// struct Sum(u64);
/// impl Chunk for Sum {
///     fn nbytes(&self) -> Option<usize> { Some(8) }
/// }
///
/// struct Add;
/// impl Combine for Add {
///     type State = Sum;
///     fn label(&self) -> Cow<'_, str> { "sum before".into() }
///     fn token(&self, tokenizer: &mut Tokenizer) { tokenizer.name("doc.add/1") }
///     fn merge(&self, earlier: &mut Sum, later: Sum) -> Result<(), TaskError> {
///         earlier.0 += later.0;
///         Ok(())
///     }
/// }
/// impl Scan for Add {
///     fn start(&self, _at: Place<'_>) -> Result<Sum, TaskError> { Ok(Sum(0)) }
///     fn start_bytes(&self, _at: Place<'_>) -> Option<u64> { Some(8) }
/// }
///
/// let totals = [3, 1, 4, 1].map(|n| Arc::new(Sum(n)) as ChunkRef);
/// let totals = Port::of(Layer::build(Held::new("totals", totals.into(), None)).finish(Grid::from([4])));
/// let before = scan(&totals, 0, Add, Site::caller());
/// let read = FnTask::new("read", |_: Place<'_>, inputs: &mut Inputs<'_>| {
///     Ok(Value(inputs.slot::<Sum>(0)?.iter().map(|sum| sum.0).collect::<Vec<_>>()))
/// });
/// let read = Layer::build(read).input(&before, Wiring::All).finish(Grid::scalar());
/// let read: Delayed<Vec<u64>> = Delayed::from_port(Port::of(read));
/// assert_eq!(musher_testkit::check_everywhere(&read), [0, 3, 4, 8]);
/// ```
pub fn scan<S: Scan>(totals: &Port, axis: usize, scan: S, caller: Site) -> Port {
    let scan = Arc::new(scan);
    let n = totals.grid().shape()[axis] as usize;
    match n <= CHAIN {
        true => prefixes(totals, None, axis, n.max(1), scan, caller),
        false => up_and_down(totals, axis, &scan, caller),
    }
}

/// Chunks that are made one after the other along an axis: each task reads the chunk before its own, which the same layer
/// made, and its own of `port`.
///
/// Slot 0 is empty for the first chunks along the axis. For answers whose every step must be taken, such as totals of
/// integers that may not overflow; [`scan`] lets chunks be made side by side.
///
/// **Cost** one task for each chunk; along the axis no two run at once.
///
/// # Panics
/// If the grid has no such axis.
///
/// # Examples
/// ```
/// use musher_graph_core::*;
/// let numbers = FnTask::new("numbers", |at: Place<'_>, _: &mut Inputs<'_>| Ok(Value(at.index() as u64 + 1)));
/// let numbers = Port::of(Layer::build(numbers).finish(Grid::from([5])));
/// let factorial = FnTask::new("factorial", |at: Place<'_>, inputs: &mut Inputs<'_>| {
///     let before = if at.index() == 0 { 1 } else { inputs.get::<Value<u64>>(0)?.0 };
///     let own = inputs.get::<Value<u64>>(inputs.len() - 1)?.0;
///     Ok(Value(before * own))
/// });
/// let factorials = in_turn(&numbers, 0, factorial, Site::caller());
/// let last = Layer::build(Forward::new("last")).input(&factorials, Wiring::axes([AxisMap::Fixed(4)]));
/// let last: Delayed<u64> = Delayed::from_port(last.finish(Grid::scalar()).into());
/// assert_eq!(musher_testkit::check_everywhere(&last), 120);
/// ```
pub fn in_turn(port: &Port, axis: usize, task: impl Task, caller: Site) -> Port {
    let grid = port.grid().clone();
    let layer = Layer::build(task).caller(caller).input_from_itself(neighbors(&grid, axis, grid.n_tasks()));
    Port::of(layer.input(port, Wiring::one_to_one(grid.ndim())).finish(grid))
}

/// For each place the place before it along the axis, but at the beginning of each group of so many.
fn neighbors(grid: &Grid, axis: usize, group: usize) -> Lists {
    let stride: usize = grid.shape()[axis + 1..].iter().map(|&n| n as usize).product();
    let mut lists = Lists::new();
    for index in 0..grid.n_tasks() {
        let is_first = grid.coords_of(index)[axis].is_multiple_of(group);
        lists.push((!is_first).then(|| (index - stride) as u32));
    }
    lists
}

/// Prefixes of groups: the first of a group is what stands in `parents`, or the start; the others are the one before them
/// and the total between.
fn prefixes<S: Scan>(
    totals: &Port,
    parents: Option<&Port>,
    axis: usize,
    group: usize,
    scan: Arc<S>,
    caller: Site,
) -> Port {
    let grid = totals.grid().clone();
    let is_first = |at: u32| (at as usize).is_multiple_of(group);
    let ranges = |range: &dyn Fn(u32) -> (u32, u32)| {
        let ranges = (0..grid.shape()[axis]).map(range).collect();
        along(axis, grid.ndim(), AxisMap::Ranges { axis, ranges })
    };
    let task = Prefix { scan, axis, group, has_parents: parents.is_some() };
    let mut layer = Layer::build(task).caller(caller).input_from_itself(neighbors(&grid, axis, group));
    if let Some(parents) = parents {
        let parent = |at: u32| at / group as u32;
        let first_child =
            |at| if is_first(at) { (parent(at), parent(at) + 1) } else { (parent(at), parent(at)) };
        layer = layer.input(parents, ranges(&first_child));
    }
    let between = |at: u32| if is_first(at) { (at, at) } else { (at - 1, at) };
    let layer = layer.input(totals, ranges(&between));
    Port::of(layer.finish(grid))
}

/// Totals merged upwards until few are left, and prefixes handed down again.
fn up_and_down<S: Scan>(totals: &Port, axis: usize, scan: &Arc<S>, caller: Site) -> Port {
    let ndim = totals.grid().ndim();
    let mut levels = vec![totals.clone()];
    let n_of = |port: &Port| port.grid().shape()[axis] as usize;
    while let Some(below) = levels.last().filter(|port| n_of(port) > FAN_IN) {
        let mut lengths: Vec<usize> = below.grid().shape().iter().map(|&n| n as usize).collect();
        lengths[axis] = lengths[axis].div_ceil(FAN_IN);
        let groups = along(axis, ndim, AxisMap::Group { axis, fan_in: FAN_IN });
        let layer = Layer::build(merging(Arc::clone(scan))).caller(caller).input(below, groups);
        let above = Port::of(layer.finish(Grid::from(lengths.as_slice())));
        levels.push(above);
    }
    let mut parents: Option<Port> = None;
    for level in levels.iter().rev() {
        parents = Some(prefixes(level, parents.as_ref(), axis, FAN_IN, Arc::clone(scan), caller));
    }
    // There is at least the level of the totals.
    parents.unwrap_or_else(|| totals.clone())
}

/// This map along the axis, and the same place along the others.
fn along(axis: usize, ndim: usize, map: AxisMap) -> Wiring {
    Wiring::axes((0..ndim).map(|other| if other == axis { map.clone() } else { AxisMap::follow(other) }))
}

/// The state of all chunks before a place: the first input is what it goes on from, if there is one, the others come on top.
struct Prefix<S> {
    scan: Arc<S>,
    axis: usize,
    group: usize,
    has_parents: bool,
}

impl<S: Scan> Task for Prefix<S> {
    fn label(&self) -> Cow<'_, str> {
        self.scan.label()
    }

    fn run(&self, at: Place<'_>, mut inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let mut state = match inputs.is_empty() {
            true => self.scan.start(at)?,
            false => inputs.take_owned(0)?,
        };
        for index in 1..inputs.len() {
            self.scan.merge(&mut state, inputs.take_owned(index)?)?;
        }
        Ok(Output::one(state))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("core.prefix/1");
        tokenizer.word(self.axis as u64);
        tokenizer.word(self.group as u64);
        tokenizer.word(u64::from(self.has_parents));
        self.scan.token(tokenizer);
    }

    fn facts(&self, at: Place<'_>, inputs: &[Option<u64>]) -> Facts {
        match (inputs, self.scan.start_bytes(at)) {
            ([], Some(bytes)) => Facts::bytes(bytes).cost(100),
            ([], None) => Facts::default(),
            _ => self.scan.facts(at, Level::Between, inputs),
        }
    }

    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        S::State::codec_of()
    }
}
