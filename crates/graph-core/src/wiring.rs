//! Wirings: which tasks of a producer each task of a consumer reads.
//!
//! The enum is closed, because the optimizer composes wirings and the planner counts them.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::grid::Grid;
use crate::key::{Token, Tokenizer};

/// How the grid of a consumer is wired to the grid of one of its producers.
///
/// # Examples
/// ```
/// use musher_graph_core::{AxisMap, Grid, Wiring};
/// // A transpose: the producer's axis 0 follows the consumer's axis 1.
/// let wiring = Wiring::axes([AxisMap::follow(1), AxisMap::follow(0)]);
/// let (consumer, producer) = (Grid::from([2, 3]), Grid::from([3, 2]));
/// let read = wiring.producers(consumer.place(1), &producer);
/// assert_eq!(read.as_slice(), [2], "place (0, 1) reads (1, 0)");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Wiring {
    /// One map for each axis of the producer; together they name a box of its tasks, read in C order.
    Axes(Box<[AxisMap]>),
    /// Every task reads every task of the producer, in C order; lowered as a barrier, never as n² edges.
    All,
    /// Written out for each task of the consumer.
    Explicit(Arc<Lists>),
    /// Only the tasks in a box of the consumer's grid read this producer: concatenation and its like.
    Part(Box<Part>),
}

/// A box of a consumer's grid whose tasks read one producer; the others read other producers in the same slot.
///
/// A layer with such inputs has no other inputs, and its tasks see a single slot.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Part {
    /// First place of the box, along each axis of the consumer.
    pub start: Box<[u32]>,
    /// The box as a grid of its own.
    pub grid: Grid,
    /// From the box to the producer.
    pub wiring: Wiring,
}

impl Part {
    /// Indices, in the consumer's grid, of the places of the box, with their places in the box.
    pub(crate) fn places<'a>(
        &'a self,
        consumer: &'a Grid,
    ) -> impl Iterator<Item = (usize, crate::grid::Place<'a>)> {
        (0..self.grid.n_tasks()).map(move |index| {
            let mut coords = self.grid.coords_of(index);
            coords.iter_mut().zip(&self.start).for_each(|(coord, &start)| *coord += start as usize);
            (consumer.index_of(&coords), self.grid.place(index))
        })
    }

    /// The place in the box of a place of the consumer, if it is inside.
    fn inside(&self, at: crate::grid::Place<'_>) -> Option<usize> {
        let mut coords = at.coords();
        for ((coord, &start), &n) in coords.iter_mut().zip(&self.start).zip(self.grid.shape()) {
            *coord = coord.checked_sub(start as usize).filter(|&inside| inside < n as usize)?;
        }
        Some(self.grid.index_of(&coords))
    }
}

/// Where along one axis of the producer a task reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AxisMap {
    /// `start + step * consumer[axis]`: one-to-one, slice, step, flip, shift, transpose.
    Affine {
        /// Axis of the consumer.
        axis: usize,
        /// Coordinate read by the consumer's coordinate 0.
        start: isize,
        /// Distance between the reads of neighbors.
        step: isize,
    },
    /// Always this coordinate: broadcast, or selection of one index.
    Fixed(usize),
    /// `table[consumer[axis]]`: index selection.
    Lookup {
        /// Axis of the consumer.
        axis: usize,
        /// The coordinate read, for each coordinate of the consumer.
        table: Arc<[u32]>,
    },
    /// `fan_in` neighbors in a row, the last group perhaps fewer: a level of a tree.
    Group {
        /// Axis of the consumer.
        axis: usize,
        /// How many are read at most.
        fan_in: usize,
    },
    /// The coordinate itself and its neighbors, cut off (or wrapped around) at the ends.
    Window {
        /// Axis of the consumer.
        axis: usize,
        /// How many before.
        before: usize,
        /// How many after.
        after: usize,
        /// Whether the axis is periodic.
        wrap: bool,
    },
    /// A half-open range for each coordinate of the consumer: rechunk.
    Ranges {
        /// Axis of the consumer.
        axis: usize,
        /// `(first, end)` for each coordinate of the consumer.
        ranges: Arc<[(u32, u32)]>,
    },
    /// All coordinates of this axis.
    Whole,
}

/// Producers written out for each task, in compressed rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Lists {
    pub(crate) ends: Vec<u32>,
    pub(crate) producers: Vec<u32>,
}

impl Lists {
    /// No tasks yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next task, which reads the producer's tasks with these indices.
    ///
    /// # Panics
    /// If there are more than `u32::MAX` reads.
    pub fn push(&mut self, producers: impl IntoIterator<Item = u32>) {
        self.producers.extend(producers);
        self.ends.push(u32::try_from(self.producers.len()).expect("at most u32::MAX reads"));
    }

    /// Number of tasks.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no task.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// What the task with this index reads.
    pub fn row(&self, index: usize) -> &[u32] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.producers[start..self.ends[index] as usize]
    }
}

impl Token for Lists {
    fn token(&self, tokenizer: &mut Tokenizer) {
        self.ends.token(tokenizer);
        self.producers.token(tokenizer);
    }
}

impl AxisMap {
    /// The same coordinate as the consumer's on `axis`.
    pub fn follow(axis: usize) -> Self {
        Self::Affine { axis, start: 0, step: 1 }
    }

    /// Whether each task reads exactly one coordinate.
    pub fn is_single(&self) -> bool {
        matches!(self, Self::Affine { .. } | Self::Fixed(_) | Self::Lookup { .. })
    }

    /// The axis of the consumer that this map follows, if it follows one.
    pub(crate) fn follows(&self) -> Option<usize> {
        match self {
            Self::Fixed(_) | Self::Whole => None,
            Self::Affine { axis, .. }
            | Self::Lookup { axis, .. }
            | Self::Group { axis, .. }
            | Self::Window { axis, .. }
            | Self::Ranges { axis, .. } => Some(*axis),
        }
    }

    /// Coordinates read, for a consumer at `coords` and a producer with `n` tasks along this axis.
    fn read(&self, coords: &[usize], n: usize, into: &mut SmallVec<[usize; 4]>) {
        match self {
            Self::Affine { axis, start, step } => {
                into.push(start.wrapping_add(step.wrapping_mul(coords[*axis] as isize)) as usize);
            }
            Self::Fixed(coord) => into.push(*coord),
            Self::Lookup { axis, table } => into.push(table[coords[*axis]] as usize),
            Self::Group { axis, fan_in } => {
                let first = coords[*axis].saturating_mul(*fan_in);
                into.extend(first..first.saturating_add(*fan_in).min(n));
            }
            Self::Window { axis, before, after, wrap } => {
                let at = coords[*axis];
                if *wrap {
                    into.extend(
                        (0..before + after + 1).map(|k| (at + k + (before / n + 1) * n - before) % n),
                    );
                } else {
                    into.extend(at.saturating_sub(*before)..(at + after + 1).min(n));
                }
            }
            Self::Ranges { axis, ranges } => {
                let (first, end) = ranges[coords[*axis]];
                into.extend(first as usize..end as usize);
            }
            Self::Whole => into.extend(0..n),
        }
    }

    /// This map (of a middle layer) seen by a consumer that is wired to the middle by `outer`, one map for each
    /// axis of the middle. `None` where the result is none of these forms.
    fn seen_through(&self, outer: &[AxisMap], consumer: &Grid) -> Option<Self> {
        let Some(axis) = self.follows() else { return Some(self.clone()) };
        match (&outer[axis], self) {
            (Self::Affine { axis: follows, start: 0, step: 1 }, _) => Some(self.renamed(*follows)),
            (Self::Affine { axis: follows, start, step }, Self::Affine { start: inner, step: by, .. }) => {
                Some(Self::Affine { axis: *follows, start: inner + by * start, step: by * step })
            }
            (Self::Fixed(at), Self::Affine { start, step, .. }) => {
                Some(Self::Fixed((start + step * *at as isize) as usize))
            }
            (Self::Fixed(at), Self::Lookup { table, .. }) => Some(Self::Fixed(table[*at] as usize)),
            // Other windows end where the middle's axis ends, and the producer's may be longer.
            (Self::Ranges { .. }, Self::Affine { start: 0, step: 1, .. }) => Some(outer[axis].clone()),
            (outer @ (Self::Affine { axis: follows, .. } | Self::Lookup { axis: follows, .. }), inner)
                if inner.is_single() =>
            {
                let n = *consumer.shape().get(*follows)? as usize;
                let mut at: SmallVec<[usize; 4]> = SmallVec::from_elem(0, consumer.ndim());
                let mut table = Vec::with_capacity(n);
                for coord in 0..n {
                    at[*follows] = coord;
                    let mut middle = SmallVec::new();
                    outer.read(&at, usize::MAX, &mut middle);
                    let mut coords: SmallVec<[usize; 4]> = SmallVec::from_elem(0, axis + 1);
                    coords[axis] = middle[0];
                    let mut read = SmallVec::new();
                    inner.read(&coords, usize::MAX, &mut read);
                    table.push(u32::try_from(read[0]).ok()?);
                }
                Some(Self::Lookup { axis: *follows, table: table.into() })
            }
            _ => None,
        }
    }

    /// The same map following another axis of the consumer.
    fn renamed(&self, to: usize) -> Self {
        let mut map = self.clone();
        match &mut map {
            Self::Affine { axis, .. }
            | Self::Lookup { axis, .. }
            | Self::Group { axis, .. }
            | Self::Window { axis, .. }
            | Self::Ranges { axis, .. } => *axis = to,
            Self::Fixed(_) | Self::Whole => {}
        }
        map
    }
}

impl Wiring {
    /// One map for each axis of the producer.
    pub fn axes(maps: impl IntoIterator<Item = AxisMap>) -> Self {
        Self::Axes(maps.into_iter().collect())
    }

    /// Each task reads the task at its own place; the producer has `ndim` axes.
    pub fn one_to_one(ndim: usize) -> Self {
        Self::axes((0..ndim).map(AxisMap::follow))
    }

    /// Each task reads the only task of a producer with this grid.
    pub fn single(producer: &Grid) -> Self {
        Self::axes((0..producer.ndim()).map(|_| AxisMap::Fixed(0)))
    }

    /// Each task reads itself and its direct neighbors, diagonal ones too, along the axes where `radius` is not 0.
    pub fn neighbors(radius: &[usize], wrap: bool) -> Self {
        Self::axes(radius.iter().enumerate().map(|(axis, &r)| match r {
            0 => AxisMap::follow(axis),
            _ => AxisMap::Window { axis, before: r, after: r, wrap },
        }))
    }

    /// A level of a tree: along each axis `fan_ins[axis]` neighbors are read by one task.
    pub fn tree(fan_ins: &[usize]) -> Self {
        Self::axes(fan_ins.iter().enumerate().map(|(axis, &fan_in)| match fan_in {
            1 => AxisMap::follow(axis),
            _ => AxisMap::Group { axis, fan_in },
        }))
    }

    /// Written out for each task of the consumer.
    pub fn explicit(lists: Lists) -> Self {
        Self::Explicit(Arc::new(lists))
    }

    /// Only the tasks in the box of this shape that begins at `start` read the producer, by `wiring`.
    ///
    /// # Panics
    /// If `wiring` is itself such a part.
    pub fn part(start: &[usize], shape: &[usize], wiring: Self) -> Self {
        assert!(!matches!(wiring, Self::Part(_)), "a part holds no parts");
        let start =
            start.iter().map(|&n| u32::try_from(n).expect("at most u32::MAX tasks along an axis")).collect();
        Self::Part(Box::new(Part { start, grid: Grid::from(shape), wiring }))
    }

    /// Whether each task reads exactly one task: the wirings across which layers fuse.
    pub fn is_axis_map(&self) -> bool {
        matches!(self, Self::Axes(maps) if maps.iter().all(AxisMap::is_single))
    }

    /// Whether each task reads the task at its own place.
    pub fn is_one_to_one(&self) -> bool {
        matches!(self, Self::Axes(maps) if maps.iter().enumerate().all(|(axis, map)| *map == AxisMap::follow(axis)))
    }

    /// Whether no two tasks of the consumer read the same task, as far as single maps tell.
    pub(crate) fn reads_once(&self, consumer: &Grid) -> bool {
        let Self::Axes(maps) = self else { return false };
        let tells_apart = |along: usize| {
            maps.iter().any(|map| match map {
                AxisMap::Affine { axis, step, .. } => *axis == along && *step != 0,
                AxisMap::Lookup { axis, table } if *axis == along => {
                    let mut seen = table.to_vec();
                    seen.sort_unstable();
                    seen.windows(2).all(|pair| pair[0] != pair[1])
                }
                _ => false,
            })
        };
        consumer.shape().iter().enumerate().all(|(axis, &n)| n <= 1 || tells_apart(axis))
    }

    /// Indices of the producer's tasks that the task at `at` reads, in order.
    ///
    /// **Cost** linear in their number.
    pub fn producers(&self, at: crate::grid::Place<'_>, producer: &Grid) -> SmallVec<[u32; 8]> {
        let mut read = SmallVec::new();
        self.for_each_producer(at, producer, |index| read.push(index));
        read
    }

    /// Calls `visit` for each of the producer's tasks that the task at `at` reads, in order.
    pub(crate) fn for_each_producer(
        &self,
        at: crate::grid::Place<'_>,
        producer: &Grid,
        mut visit: impl FnMut(u32),
    ) {
        match self {
            Self::Part(part) => {
                if let Some(inside) = part.inside(at) {
                    // A part holds no parts: one step down at most.
                    part.wiring.for_each_plain(part.grid.place(inside), producer, &mut visit);
                }
            }
            _ => self.for_each_plain(at, producer, &mut visit),
        }
    }

    /// The same for a wiring that is no part.
    pub(crate) fn for_each_plain(
        &self,
        at: crate::grid::Place<'_>,
        producer: &Grid,
        visit: &mut dyn FnMut(u32),
    ) {
        match self {
            Self::All => (0..producer.n_tasks() as u32).for_each(visit),
            Self::Explicit(lists) => lists.row(at.index()).iter().copied().for_each(visit),
            Self::Part(_) => {}
            Self::Axes(maps) if maps.is_empty() => visit(0),
            Self::Axes(_) if producer == at.grid() && self.is_one_to_one() => visit(at.index() as u32),
            Self::Axes(maps) => {
                let coords = at.coords();
                let mut along: SmallVec<[SmallVec<[usize; 4]>; 4]> = SmallVec::new();
                for (map, &n) in maps.iter().zip(producer.shape()) {
                    let mut reads = SmallVec::new();
                    map.read(&coords, n as usize, &mut reads);
                    along.push(reads);
                }
                let total: usize = along.iter().map(SmallVec::len).product();
                let mut digits: SmallVec<[usize; 4]> = SmallVec::from_elem(0, along.len());
                for _ in 0..total {
                    let index = (0..along.len())
                        .fold(0, |index, d| index * producer.shape()[d] as usize + along[d][digits[d]]);
                    visit(index as u32);
                    for d in (0..along.len()).rev() {
                        digits[d] += 1;
                        if digits[d] < along[d].len() {
                            break;
                        }
                        digits[d] = 0;
                    }
                }
            }
        }
    }

    /// The wiring from a consumer straight to a producer, when the consumer is wired to a middle layer by `self`
    /// and the middle to the producer by `inner`. `None` where it would be no [`Wiring::Axes`].
    ///
    /// Ranges of the middle become those of the producer where the middle reads it place by place; what the middle reads at
    /// a fixed place is read there, once for the whole range.
    pub fn compose(&self, inner: &Self, consumer: &Grid) -> Option<Self> {
        match (self, inner) {
            (Self::Axes(outer), Self::Axes(maps))
                if self.is_axis_map() || inner.is_axis_map() && follow_apart(outer, maps) =>
            {
                let maps: Option<Box<[AxisMap]>> =
                    maps.iter().map(|map| map.seen_through(outer, consumer)).collect();
                Some(Self::Axes(maps?))
            }
            (Self::Axes(outer), Self::All) if self.is_one_to_one() && outer.len() == consumer.ndim() => {
                Some(Self::All)
            }
            // Lists go by index: only over equal grids does a place have the same index in both.
            (Self::Axes(outer), Self::Explicit(lists))
                if self.is_one_to_one()
                    && outer.len() == consumer.ndim()
                    && lists.len() == consumer.n_tasks() =>
            {
                Some(inner.clone())
            }
            _ => None,
        }
    }
}

/// Whether no two maps follow one axis of which several places are read: together they would read a box and not what the
/// places read one by one.
fn follow_apart(outer: &[AxisMap], maps: &[AxisMap]) -> bool {
    let follows = |map: &AxisMap| map.follows().filter(|&axis| !outer[axis].is_single());
    let mut seen: SmallVec<[usize; 4]> = SmallVec::new();
    maps.iter().filter_map(follows).all(|axis| {
        let is_new = !seen.contains(&axis);
        seen.push(axis);
        is_new
    })
}

impl Token for AxisMap {
    fn token(&self, tokenizer: &mut Tokenizer) {
        match self {
            Self::Affine { axis, start, step } => (0u8, *axis, (*start, *step)).token(tokenizer),
            Self::Fixed(at) => (1u8, *at).token(tokenizer),
            Self::Lookup { axis, table } => (2u8, *axis, &**table).token(tokenizer),
            Self::Group { axis, fan_in } => (3u8, *axis, *fan_in).token(tokenizer),
            Self::Window { axis, before, after, wrap } => {
                (4u8, (*axis, *before), (*after, *wrap)).token(tokenizer)
            }
            Self::Ranges { axis, ranges } => (5u8, *axis, &**ranges).token(tokenizer),
            Self::Whole => 6u8.token(tokenizer),
        }
    }
}

impl Token for Wiring {
    fn token(&self, tokenizer: &mut Tokenizer) {
        match self {
            Self::Axes(maps) => {
                (0u8, maps.len()).token(tokenizer);
                maps.iter().for_each(|map| map.token(tokenizer));
            }
            Self::All => 1u8.token(tokenizer),
            Self::Explicit(lists) => (2u8, &**lists).token(tokenizer),
            Self::Part(part) => {
                (3u8, &*part.start).token(tokenizer);
                part.grid.token(tokenizer);
                // A part holds no parts: one step down at most.
                part.wiring.token(tokenizer);
            }
        }
    }
}
