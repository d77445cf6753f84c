//! What feeds the slots of a strip program: the chunk in a slot of the task, or an array that is in memory already, of
//! which each task reads its block where it lies.
//!
//! So elementwise work and reductions over an array from memory copy nothing: a strip reads the rows that it needs.

use crate::element::{DType, Element, Source, Visit};
use crate::from_array::FromArray;
use crate::kernel::strip::Binding;
use crate::strip_task::c_strides;
use musher_graph_core::{AxisMap, Grid, Key, Task, Token, Tokenizer, Wiring};
use smallvec::SmallVec;
use std::ops::Range;
use std::sync::Arc;

/// What feeds a slot of a program.
#[derive(Clone)]
pub(crate) enum Feed {
    /// The chunk in this slot of the task.
    Slot(usize),
    /// A block of an array in memory.
    Memory(Memory),
}

/// An array in memory, seen from the places of a task.
#[derive(Clone)]
pub(crate) struct Memory {
    array: Arc<dyn Held>,
    /// What the array holds and how it is divided, as a fingerprint: two seen as one are read once.
    key: Key,
    /// From the task's place to the block.
    wiring: Wiring,
}

impl PartialEq for Feed {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Slot(own), Self::Slot(other)) => own == other,
            (Self::Memory(own), Self::Memory(other)) => own.key == other.key && own.wiring == other.wiring,
            _ => false,
        }
    }
}

impl Feed {
    /// The same where the slots of the task have become these.
    pub(crate) fn with_slots(&self, new: &[usize]) -> Self {
        match self {
            Self::Slot(slot) => Self::Slot(new[*slot]),
            Self::Memory(memory) => Self::Memory(memory.clone()),
        }
    }

    /// What feeds a slot of a program that takes the producer's place, where its consumer is wired to it by `maps` and its
    /// slots have become `slots`; none where that cannot be said.
    pub(crate) fn seen_through(&self, maps: &Wiring, grid: &Grid, slots: &[usize]) -> Option<Self> {
        Some(match self {
            Self::Slot(slot) => Self::Slot(slots[*slot]),
            Self::Memory(Memory { array, key, wiring }) => {
                let wiring = maps.compose(wiring, grid)?;
                Self::Memory(Memory { array: Arc::clone(array), key: *key, wiring })
            }
        })
    }

    /// Enters what is read, but for chunks: of these the wiring of the layer tells.
    pub(crate) fn token(&self, tokenizer: &mut Tokenizer) {
        match self {
            Self::Slot(slot) => (0_u8, *slot).token(tokenizer),
            Self::Memory(memory) => {
                1_u8.token(tokenizer);
                tokenizer.key(memory.key);
                memory.wiring.token(tokenizer);
            }
        }
    }
}

impl Memory {
    /// The array that a producer hands out, for consumers that are wired to it so; none where it hands out no array of
    /// this type, or one that has gaps.
    pub(crate) fn of(producer: &dyn Task, dtype: DType, wiring: &Wiring) -> Option<Self> {
        if !wiring.is_axis_map() {
            return None;
        }
        let array = dtype.visit(Hold(producer))?;
        let mut tokenizer = Tokenizer::new();
        producer.token(&mut tokenizer);
        Some(Self { array, key: tokenizer.finish(), wiring: wiring.clone() })
    }

    /// The block that the task at these coordinates reads, or a box of it.
    pub(crate) fn part(&self, coords: &[usize], needed: Option<&[Range<usize>]>) -> Option<Part<'_>> {
        let Wiring::Axes(maps) = &self.wiring else { return None };
        let read = |map: &AxisMap| match map {
            AxisMap::Affine { axis, start, step } => Some((start + step * coords[*axis] as isize) as usize),
            AxisMap::Lookup { axis, table } => Some(table[coords[*axis]] as usize),
            AxisMap::Fixed(at) => Some(*at),
            _ => None,
        };
        let block: Option<SmallVec<[usize; 4]>> = maps.iter().map(read).collect();
        Some(self.array.part(&block?, needed))
    }
}

/// An array in memory, whatever its elements.
pub(crate) trait Held: Send + Sync {
    /// The block at these coordinates, or a box of it.
    fn part(&self, block: &[usize], needed: Option<&[Range<usize>]>) -> Part<'_>;
}

/// Asks a producer for its array.
struct Hold<'a>(&'a dyn Task);

impl Visit for Hold<'_> {
    type Output = Option<Arc<dyn Held>>;

    fn visit<A: Element>(self) -> Self::Output {
        let from: &FromArray<A> = self.0.downcast_ref()?;
        from.held()
    }
}

/// A box of a block, bound to a program.
pub(crate) struct Part<'a> {
    /// From its first element on.
    pub(crate) elements: Source<'a>,
    pub(crate) shape: SmallVec<[usize; 4]>,
    pub(crate) strides: SmallVec<[isize; 4]>,
}

impl<'a> Part<'a> {
    pub(crate) fn binding(&self) -> Binding<'_> {
        Binding { elements: self.elements, shape: &self.shape, strides: &self.strides }
    }

    /// Of elements in memory order, which have these strides; `first` is the index of the box's first element along each axis.
    pub(crate) fn of_box<A: Element>(
        elements: &'a [A],
        strides: &[isize],
        first: impl Iterator<Item = usize>,
        shape: SmallVec<[usize; 4]>,
    ) -> Self {
        let offset: usize = first.zip(strides).map(|(first, stride)| first * stride.unsigned_abs()).sum();
        // A box without elements may begin behind the last one.
        let elements = elements.get(offset..).unwrap_or_default();
        Self { elements: A::into_source(elements), shape, strides: strides.iter().copied().collect() }
    }

    /// Of elements in C order.
    pub(crate) fn of_elements<A: Element>(elements: &'a [A], shape: &[usize]) -> Self {
        let shape_of = shape.iter().copied().collect();
        Self { elements: A::into_source(elements), shape: shape_of, strides: c_strides(shape) }
    }
}

#[cfg(test)]
mod tests {
    use crate::array::Array;
    use crate::strip_task::StripTask;
    use musher_graph_core::{Collection, Graph, Plan};
    use ndarray::{Array2, Ix2, s};

    /// How many arrays the first fused task reads.
    fn n_read(work: &impl Collection) -> usize {
        let plan = Plan::new(Graph::collect(&[work.request()]).unwrap().optimize()).unwrap();
        let first = plan
            .tasks()
            .layers()
            .iter()
            .find_map(|layer| layer.task.downcast_ref::<StripTask>().map(|task| task.feeds().len()));
        first.unwrap()
    }

    #[test]
    fn an_array_is_read_once_however_often_it_is_named() {
        let whole = Array2::from_shape_fn((6, 4), |(i, j)| (i * 4 + j) as f64);
        let x: Array<f64, Ix2> = Array::from_array(whole.clone(), (2, 4));
        assert_eq!(n_read(&(x.sin().square() + x.cos().square()).sum()), 1);
        assert_eq!(n_read(&(&x + Array::from_array(whole, (2, 4))).sum()), 1, "equal arrays are one");
        assert_eq!(n_read(&(x.slice(s![1.., ..]) + x.slice(s![..-1, ..])).sum()), 2, "two parts");
        assert_eq!(n_read(&(x.slice(s![1.., ..]) * x.slice(s![1.., ..])).sum()), 1);
        assert_eq!(n_read(&(&x + x.rechunk((3, 4)).rechunk((2, 4))).sum()), 1, "the same division");
    }
}
