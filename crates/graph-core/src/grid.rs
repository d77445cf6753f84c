//! Grids of tasks and places on them.

use std::hash::{Hash, Hasher};

use smallvec::SmallVec;

use crate::key::{Token, Tokenizer};

/// How many tasks a layer has along each axis; no axes at all mean one task.
///
/// # Examples
/// ```
/// use musher_graph_core::Grid;
/// let grid = Grid::from([3, 4]);
/// assert_eq!(grid.n_tasks(), 12);
/// assert_eq!(grid.index_of(&[1, 2]), 6);
/// assert_eq!(Grid::scalar().n_tasks(), 1);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Grid(Box<[u32]>);

impl PartialEq for Grid {
    fn eq(&self, other: &Self) -> bool {
        // Number by number: to compare memory, some processors read from the address that an empty slice does not
        // have, and take 80 ns to find that it does not matter. The grids of delayed calls are empty.
        self.0.iter().eq(other.0.iter())
    }
}

impl Eq for Grid {}

impl Hash for Grid {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl Grid {
    /// The grid of a single task.
    pub fn scalar() -> Self {
        Self(Box::default())
    }

    /// Tasks along each axis.
    pub fn shape(&self) -> &[u32] {
        &self.0
    }

    /// Number of axes.
    pub fn ndim(&self) -> usize {
        self.0.len()
    }

    /// Number of tasks; `usize::MAX` where there are more than can be counted, which no plan takes.
    pub fn n_tasks(&self) -> usize {
        // An axis without tasks leaves none, however long the others are.
        self.0.iter().fold(1, |n: usize, &along| n.saturating_mul(along as usize))
    }

    /// Index in C order of the task at these coordinates.
    pub fn index_of(&self, coords: &[usize]) -> usize {
        self.0.iter().zip(coords).fold(0, |index, (&n, &coord)| index * n as usize + coord)
    }

    /// Coordinates of the task with this index in C order.
    pub fn coords_of(&self, mut index: usize) -> SmallVec<[usize; 4]> {
        let mut coords: SmallVec<[usize; 4]> = SmallVec::from_elem(0, self.0.len());
        for (coord, &n) in coords.iter_mut().zip(self.0.iter()).rev() {
            *coord = index % n as usize;
            index /= n as usize;
        }
        coords
    }

    /// The place with this index in C order.
    #[inline]
    pub fn place(&self, index: usize) -> Place<'_> {
        Place { grid: self, index }
    }
}

impl<const N: usize> From<[usize; N]> for Grid {
    /// # Panics
    /// If an axis has more than `u32::MAX` tasks.
    fn from(shape: [usize; N]) -> Self {
        Self::from(shape.as_slice())
    }
}

impl From<&[usize]> for Grid {
    /// # Panics
    /// If an axis has more than `u32::MAX` tasks.
    fn from(shape: &[usize]) -> Self {
        Self(shape.iter().map(|&n| u32::try_from(n).expect("at most u32::MAX tasks along an axis")).collect())
    }
}

impl Token for Grid {
    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.word(self.0.len() as u64);
        for n in &self.0 {
            n.token(tokenizer);
        }
    }
}

/// One place on a grid: which task of its layer is meant.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    grid: &'a Grid,
    index: usize,
}

impl<'a> Place<'a> {
    /// Index of the task in C order.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Coordinates of the task, one for each axis of the grid.
    pub fn coords(&self) -> SmallVec<[usize; 4]> {
        self.grid.coords_of(self.index)
    }

    /// The grid this place is on.
    pub fn grid(&self) -> &'a Grid {
        self.grid
    }
}
