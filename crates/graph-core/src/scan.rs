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
//!   prefixes     ▢  ▢  ▢ … ▢   ▢  ▢ …             and the chunks before in the group
//! ```
//!
//! Which totals meet in which order depends on the grid alone. A prefix needs totals of earlier chunks only, so a run in
//! order holds a few chunks at a time, however many there are.

use std::borrow::Cow;
use std::panic::Location;
use std::sync::Arc;

use crate::combine::{Combine, FAN_IN, Level, merging};
use crate::grid::{Grid, Place};
use crate::key::Tokenizer;
use crate::layer::{Layer, Port};
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
/// **Cost** one merge for each chunk, and beyond 64 chunks along the axis about five more for every eight.
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
/// let before = scan(&totals, 0, Add, std::panic::Location::caller());
/// let read = FnTask::new("read", |_: Place<'_>, inputs: &mut Inputs<'_>| {
///     Ok(Value(inputs.slot::<Sum>(0)?.iter().map(|sum| sum.0).collect::<Vec<_>>()))
/// });
/// let read = Layer::build(read).input(&before, Wiring::All).finish(Grid::scalar());
/// let read: Delayed<Vec<u64>> = Delayed::from_port(Port::of(read));
/// assert_eq!(musher_testkit::check_everywhere(&read), [0, 3, 4, 8]);
/// ```
pub fn scan<S: Scan>(totals: &Port, axis: usize, scan: S, caller: &'static Location<'static>) -> Port {
    let scan = Arc::new(scan);
    let n = totals.grid().shape()[axis] as usize;
    match n <= CHAIN {
        true => chain(totals, axis, scan, caller),
        false => up_and_down(totals, axis, &scan, caller),
    }
}

/// Each prefix from the one before it and the total between.
fn chain<S: Scan>(totals: &Port, axis: usize, scan: Arc<S>, caller: &'static Location<'static>) -> Port {
    let grid = totals.grid().clone();
    let stride: usize = grid.shape()[axis + 1..].iter().map(|&n| n as usize).product();
    let mut itself = Lists::new();
    for index in 0..grid.n_tasks() {
        let is_first = grid.coords_of(index)[axis] == 0;
        itself.push((!is_first).then(|| (index - stride) as u32));
    }
    let between = (0..grid.shape()[axis]).map(|at| (at.saturating_sub(1), at)).collect();
    let between = along(axis, grid.ndim(), AxisMap::Ranges { axis, ranges: between });
    let layer = Layer::build(Prefix { scan, axis, from: From::Itself }).caller(caller);
    Port::of(layer.input_from_itself(itself).input(totals, between).finish(grid))
}

/// Totals merged upwards until few are left, and prefixes handed down again.
fn up_and_down<S: Scan>(
    totals: &Port,
    axis: usize,
    scan: &Arc<S>,
    caller: &'static Location<'static>,
) -> Port {
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
    let mut prefixes: Option<Port> = None;
    for level in levels.iter().rev() {
        let n = n_of(level) as u32;
        let group = |at: u32| at / FAN_IN as u32;
        let from = if prefixes.is_some() { From::Parent } else { From::Start };
        let mut layer = Layer::build(Prefix { scan: Arc::clone(scan), axis, from }).caller(caller);
        if let Some(parents) = &prefixes {
            let table = (0..n).map(group).collect();
            layer = layer.input(parents, along(axis, ndim, AxisMap::Lookup { axis, table }));
        }
        let siblings = (0..n).map(|at| (group(at) * FAN_IN as u32, at)).collect();
        let siblings = along(axis, ndim, AxisMap::Ranges { axis, ranges: siblings });
        prefixes = Some(Port::of(layer.input(level, siblings).finish(level.grid().clone())));
    }
    // There is at least the level of the totals.
    prefixes.unwrap_or_else(|| totals.clone())
}

/// This map along the axis, and the same place along the others.
fn along(axis: usize, ndim: usize, map: AxisMap) -> Wiring {
    Wiring::axes((0..ndim).map(|other| if other == axis { map.clone() } else { AxisMap::follow(other) }))
}

/// What a prefix begins with; the totals that come on top are the last slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    /// The prefix before it, in the layer itself; the first begins with the start.
    Itself,
    /// The prefix of its group.
    Parent,
    /// The start: there is one group.
    Start,
}

/// The state of all chunks before a place.
struct Prefix<S> {
    scan: Arc<S>,
    axis: usize,
    from: From,
}

impl<S: Scan> Prefix<S> {
    /// Whether the state begins with the first input.
    fn has_earlier(&self, at: Place<'_>) -> bool {
        match self.from {
            From::Itself => at.coords()[self.axis] > 0,
            From::Parent => true,
            From::Start => false,
        }
    }
}

impl<S: Scan> Task for Prefix<S> {
    fn label(&self) -> Cow<'_, str> {
        self.scan.label()
    }

    fn run(&self, at: Place<'_>, mut inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let earlier = self.has_earlier(at);
        let mut state = match earlier {
            true => inputs.take_owned(0)?,
            false => self.scan.start(at)?,
        };
        for index in usize::from(earlier)..inputs.len() {
            self.scan.merge(&mut state, inputs.take_owned(index)?)?;
        }
        Ok(Output::one(state))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("core.prefix/1");
        tokenizer.word(self.axis as u64);
        tokenizer.word(self.from as u64);
        self.scan.token(tokenizer);
    }

    fn facts(&self, at: Place<'_>, inputs: &[Option<u64>]) -> Facts {
        match (inputs, self.scan.start_bytes(at)) {
            ([], Some(bytes)) => Facts::bytes(bytes).cost(100),
            ([], None) => Facts::default(),
            _ => self.scan.facts(at, Level::Between, inputs),
        }
    }
}
