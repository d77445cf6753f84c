//! How an array is divided into blocks: what a user asks for ([`Chunks`]) and what comes of it ([`Chunking`]).

use crate::element::DType;
use crate::error::{Error, Shape};
use crate::kernel::assemble::offsets;
use musher_graph_core::{Grid, Site, Token, Tokenizer};
use ndarray::Axis;
use smallvec::SmallVec;
use std::sync::{Arc, OnceLock};

/// Bytes of a block that [`Chunks::auto`] aims at: large against the cost of a task, small against memory.
///
/// It is a constant, because a default that asked the machine would change the bits of results.
const AUTO_BYTES: usize = 8 << 20;

/// How a user wishes an array to be divided into blocks.
///
/// A number is the block length along every axis, a tuple or an array gives one length for each axis; the last
/// block of an axis is shorter where the length does not divide it. Vectors give every block length.
///
/// # Examples
/// ```
/// use musher_array::{Chunks, DType};
/// let chunking = Chunks::from((1000, 400)).resolve(&[2500, 1000], DType::F64)?;
/// assert_eq!(chunking.axis(0), [1000, 1000, 500]);
/// assert_eq!(chunking.axis(1), [400, 400, 200]);
/// let exact = Chunks::from(vec![vec![1, 3], vec![2]]).resolve(&[4, 2], DType::F64)?;
/// assert_eq!(exact.axis(0), [1, 3]);
/// # Ok::<(), musher_array::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Chunks {
    /// Blocks of about 8 MiB, as square as the shape allows.
    Auto,
    /// The same length along every axis.
    Every(usize),
    /// One length for each axis.
    Axes(Vec<usize>),
    /// All lengths of each axis.
    Exact(Chunking),
    /// All lengths of each axis, not yet checked.
    Lengths(Vec<Vec<usize>>),
}

impl Chunks {
    /// Blocks of about 8 MiB, as square as the shape allows.
    #[must_use]
    pub const fn auto() -> Self {
        Self::Auto
    }

    /// One block along every axis.
    #[must_use]
    pub const fn whole() -> Self {
        Self::Every(usize::MAX)
    }

    /// The division of an array of this shape and element type.
    ///
    /// # Errors
    /// [`Error::Chunks`] when there are more or fewer lengths than axes, a length is 0, or exact lengths do not sum
    /// up to the shape; [`Error::TooLarge`] when elements or blocks cannot be counted.
    #[track_caller]
    #[doc(alias = "normalize_chunks")]
    pub fn resolve(&self, shape: &[usize], dtype: DType) -> Result<Chunking, Error> {
        let caller = Site::caller();
        if n_elements(shape).is_none() {
            return Err(Error::TooLarge { shape: shape.into(), what: "elements", caller });
        }
        let wrong = |blocks: Vec<usize>| Error::Chunks { blocks: Shape(blocks), shape: shape.into(), caller };
        let lengths = match self {
            Self::Auto => auto_lengths(shape, dtype.bytes()),
            Self::Every(length) => vec![*length; shape.len()],
            Self::Axes(lengths) => lengths.clone(),
            Self::Exact(chunking) => {
                return if chunking.shape() == shape {
                    Ok(chunking.clone())
                } else {
                    Err(wrong(chunking.shape()))
                };
            }
            Self::Lengths(axes) => {
                let sums: Vec<usize> = axes.iter().map(|axis| axis.iter().sum()).collect();
                return if sums == shape { Ok(Chunking::from_lengths(axes)) } else { Err(wrong(sums)) };
            }
        };
        if lengths.len() != shape.len() || lengths.contains(&0) {
            return Err(wrong(lengths));
        }
        // Counted before a list of their lengths is made.
        let counts = shape.iter().zip(&lengths).map(|(&n, &length)| n.div_ceil(length).max(1));
        if counts.fold(1_usize, usize::saturating_mul) > MOST_BLOCKS {
            return Err(Error::TooLarge { shape: shape.into(), what: "blocks", caller });
        }
        Ok(Chunking::from_axes(shape.iter().zip(&lengths).map(|(&n, &length)| even_lengths(n, length))))
    }
}

/// Blocks of an array: each is a task at least, of which a plan can count 2³².
const MOST_BLOCKS: usize = 1 << 28;

/// The number of elements of a shape, where it can be counted. The lengths that are not 0 must multiply to an `isize`, as
/// ndarray demands it of its arrays.
pub(crate) fn n_elements(shape: &[usize]) -> Option<usize> {
    let others = shape.iter().filter(|&&length| length > 0);
    let product = others.copied().try_fold(1_usize, usize::checked_mul)?;
    isize::try_from(product).ok()?;
    Some(if shape.contains(&0) { 0 } else { product })
}

/// `n` in pieces of `length`, the last one shorter; one empty piece for an empty axis.
fn even_lengths(n: usize, length: usize) -> Arc<[usize]> {
    let length = length.min(n.max(1));
    let (whole, rest) = (n / length, n % length);
    let tail = if rest > 0 || n == 0 { Some(rest) } else { None };
    std::iter::repeat_n(length, whole).chain(tail).collect()
}

/// Halves the longest block length until a block has about [`AUTO_BYTES`].
fn auto_lengths(shape: &[usize], itemsize: usize) -> Vec<usize> {
    let mut lengths: Vec<usize> = shape.iter().map(|&n| n.max(1)).collect();
    let limit = AUTO_BYTES / itemsize;
    // Each round halves one length: at most 64 rounds for each axis.
    while lengths.iter().fold(1_usize, |total, &length| total.saturating_mul(length)) > limit {
        let Some(longest) = lengths.iter_mut().max_by_key(|length| **length) else { break };
        *longest = longest.div_ceil(2);
    }
    lengths
}

impl From<usize> for Chunks {
    fn from(length: usize) -> Self {
        Self::Every(length)
    }
}

impl<const N: usize> From<[usize; N]> for Chunks {
    fn from(lengths: [usize; N]) -> Self {
        Self::Axes(lengths.to_vec())
    }
}

impl From<&[usize]> for Chunks {
    fn from(lengths: &[usize]) -> Self {
        Self::Axes(lengths.to_vec())
    }
}

impl From<Vec<usize>> for Chunks {
    fn from(lengths: Vec<usize>) -> Self {
        Self::Axes(lengths)
    }
}

impl From<Vec<Vec<usize>>> for Chunks {
    fn from(lengths: Vec<Vec<usize>>) -> Self {
        Self::Lengths(lengths)
    }
}

impl From<Chunking> for Chunks {
    fn from(chunking: Chunking) -> Self {
        Self::Exact(chunking)
    }
}

impl From<&Chunking> for Chunks {
    fn from(chunking: &Chunking) -> Self {
        Self::Exact(chunking.clone())
    }
}

/// Tuples of lengths, one for each axis. For two axes: `(a, b)` becomes `Axes([a, b])`.
macro_rules! chunks_of_tuples {
    ($(($($name:ident)*))*) => {$(
        impl From<($(chunks_of_tuples!(@ $name),)*)> for Chunks {
            #[expect(non_snake_case, reason = "the letter names the member")]
            fn from(($($name,)*): ($(chunks_of_tuples!(@ $name),)*)) -> Self {
                Self::Axes(vec![$($name),*])
            }
        }
    )*};
    (@ $name:ident) => { usize };
}
chunks_of_tuples!((A)(A B)(A B C)(A B C D)(A B C D E)(A B C D E F));

/// The block lengths of an array along each axis; cheap to clone.
///
/// # Examples
/// ```
/// use musher_array::Array;
/// let x = Array::<f32, _>::zeros((5, 4), (2, 4));
/// assert_eq!(x.chunks().axis(0), [2, 2, 1]);
/// assert_eq!(x.chunks().shape(), [5, 4]);
/// assert_eq!(x.chunks().n_blocks(), 3);
/// ```
#[derive(Clone)]
pub struct Chunking(Arc<Division>);

/// The block lengths along each axis, and where blocks begin once somebody has asked.
struct Division {
    lengths: Box<[Arc<[usize]>]>,
    starts: OnceLock<Box<[Box<[usize]>]>>,
}

impl std::fmt::Debug for Chunking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Chunking").field(&self.0.lengths).finish()
    }
}

impl PartialEq for Chunking {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.lengths == other.0.lengths
    }
}

impl Eq for Chunking {}

impl Chunking {
    /// These block lengths; an axis without any block gets one empty block.
    #[must_use]
    pub fn from_lengths(axes: &[Vec<usize>]) -> Self {
        let lengths = |axis: &Vec<usize>| if axis.is_empty() { [0].into() } else { axis.as_slice().into() };
        Self::from_axes(axes.iter().map(lengths))
    }

    /// The same from shared lists.
    pub(crate) fn from_axes(axes: impl IntoIterator<Item = Arc<[usize]>>) -> Self {
        Self(Arc::new(Division { lengths: axes.into_iter().collect(), starts: OnceLock::new() }))
    }

    /// The same from where blocks begin along each axis, and where the last one ends.
    pub(crate) fn from_offsets(axes: &[Vec<usize>]) -> Self {
        let lengths = |offsets: &Vec<usize>| offsets.windows(2).map(|pair| pair[1] - pair[0]).collect();
        Self::from_axes(axes.iter().map(lengths))
    }

    /// Where the blocks begin along each axis, and where the last one ends.
    fn starts(&self) -> &[Box<[usize]>] {
        self.0.starts.get_or_init(|| self.axes().map(|axis| offsets(axis).into()).collect())
    }

    /// The block lengths along an axis.
    ///
    /// # Panics
    /// When there is no such axis.
    #[must_use]
    pub fn axis(&self, axis: usize) -> &[usize] {
        &self.0.lengths[axis]
    }

    /// The shared block lengths along an axis.
    pub(crate) fn shared_axis(&self, axis: usize) -> Arc<[usize]> {
        Arc::clone(&self.0.lengths[axis])
    }

    /// The same with other blocks along an axis.
    pub(crate) fn with_axis(&self, axis: usize, lengths: Arc<[usize]>) -> Self {
        let mut axes = self.0.lengths.clone();
        axes[axis] = lengths;
        Self::from_axes(axes)
    }

    /// The block lengths of all axes.
    pub fn axes(&self) -> impl ExactSizeIterator<Item = &[usize]> + Clone {
        self.0.lengths.iter().map(|axis| &**axis)
    }

    /// The number of axes.
    #[must_use]
    pub fn ndim(&self) -> usize {
        self.0.lengths.len()
    }

    /// The shape of the whole array.
    #[must_use]
    pub fn shape(&self) -> Vec<usize> {
        match self.0.starts.get() {
            Some(starts) => starts.iter().filter_map(|starts| starts.last().copied()).collect(),
            None => self.axes().map(|axis| axis.iter().sum()).collect(),
        }
    }

    /// The number of blocks along each axis.
    #[must_use]
    pub fn grid_shape(&self) -> Vec<usize> {
        self.axes().map(<[usize]>::len).collect()
    }

    /// The grid of tasks that make the blocks.
    pub(crate) fn grid(&self) -> Grid {
        Grid::from(self.grid_shape().as_slice())
    }

    /// The number of blocks.
    #[must_use]
    #[doc(alias = "npartitions")]
    pub fn n_blocks(&self) -> usize {
        self.axes().map(<[usize]>::len).product()
    }

    /// The shape of the block at these coordinates.
    ///
    /// # Panics
    /// When a coordinate is outside the grid.
    #[must_use]
    pub fn block_shape(&self, coords: &[usize]) -> Vec<usize> {
        self.lengths_at(coords).to_vec()
    }

    /// The same without a list of its own.
    pub(crate) fn lengths_at(&self, coords: &[usize]) -> SmallVec<[usize; 4]> {
        self.axes().zip(coords).map(|(axis, &coord)| axis[coord]).collect()
    }

    /// The index in the whole array of the first element of the block at these coordinates.
    ///
    /// **Cost** linear in the number of blocks along each axis the first time, and in the number of axes from then on.
    ///
    /// # Panics
    /// When a coordinate is outside the grid.
    #[must_use]
    pub fn block_start(&self, coords: &[usize]) -> Vec<usize> {
        self.starts().iter().zip(coords).map(|(starts, &coord)| starts[coord]).collect()
    }

    /// The greatest block shape: along each axis the longest block.
    #[must_use]
    pub fn largest_block(&self) -> Vec<usize> {
        self.axes().map(|axis| axis.iter().copied().max().unwrap_or(0)).collect()
    }

    /// The division with one block along an axis, and along the others blocks as long as before, or shorter where a block
    /// would be larger than the largest before.
    ///
    /// # Panics
    /// When there is no such axis.
    ///
    /// # Examples
    /// ```
    /// use musher_array::Chunking;
    /// use musher_array::ndarray::Axis;
    /// let blocks = Chunking::from_lengths(&[vec![4, 4], vec![6, 6]]);
    /// assert_eq!(blocks.whole_along(Axis(0)), Chunking::from_lengths(&[vec![8], vec![3; 4]]));
    /// ```
    #[must_use]
    pub fn whole_along(&self, axis: Axis) -> Self {
        self.whole_along_axes(&[axis.index()], 0)
    }

    /// The same for several axes. Room is left for lines that become as long as `longest`.
    pub(crate) fn whole_along_axes(&self, axes: &[usize], longest: usize) -> Self {
        let length = |axis: usize| self.axis(axis).iter().sum::<usize>();
        let n: usize = axes.iter().map(|&axis| length(axis)).product();
        // Blocks without elements are of no size: the others may stay as they are.
        let largest = self.largest_block().iter().product::<usize>();
        let mut room = if largest == 0 { usize::MAX } else { (largest / n.max(longest).max(1)).max(1) };
        let mut lengths: Vec<Arc<[usize]>> = Vec::with_capacity(self.ndim());
        for own in (0..self.ndim()).rev() {
            let longest = self.largest_block()[own].max(1);
            lengths.push(match own {
                _ if axes.contains(&own) => [length(own)].into(),
                _ if longest <= room => self.shared_axis(own),
                _ => {
                    let cut = |&length: &usize| {
                        (0..length.max(1)).step_by(room).map(move |at| room.min(length - at))
                    };
                    self.axis(own).iter().flat_map(cut).collect()
                }
            });
            if !axes.contains(&own) {
                room = (room / longest).max(1);
            }
        }
        lengths.reverse();
        Self::from_axes(lengths)
    }
}

impl Token for Chunking {
    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.word(self.ndim() as u64);
        for axis in self.axes() {
            axis.token(tokenizer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_up_the_axis() {
        for n in 0..12 {
            for length in 1..14 {
                let pieces = even_lengths(n, length);
                assert_eq!(pieces.iter().sum::<usize>(), n);
                assert!(pieces.iter().all(|&piece| piece <= length));
                assert_eq!(pieces.len(), n.div_ceil(length).max(1));
            }
        }
    }

    #[test]
    fn automatic_blocks_have_about_eight_mebibytes() {
        for shape in [vec![100_000, 100_000], vec![1 << 30], vec![10, 4000, 4000, 3], vec![3, 0], vec![]] {
            let chunking = Chunks::Auto.resolve(&shape, DType::F64).unwrap();
            assert_eq!(chunking.shape(), shape);
            let bytes = chunking.largest_block().iter().product::<usize>() * 8;
            assert!(bytes <= AUTO_BYTES, "{shape:?}: {bytes}");
            let total = shape.iter().product::<usize>() * 8;
            assert!(bytes >= AUTO_BYTES / 4 || bytes == total, "{shape:?}: {bytes}");
        }
    }

    #[test]
    fn wrong_lengths_are_refused() {
        let refused = |chunks: Chunks, shape: &[usize]| chunks.resolve(shape, DType::U8).is_err();
        assert!(refused((2, 2).into(), &[4]));
        assert!(refused(0.into(), &[4]));
        assert!(refused(vec![vec![1, 2]].into(), &[4]));
        assert!(!refused(vec![vec![1, 0, 3]].into(), &[4]));
    }

    #[test]
    fn blocks_of_whole_lines_are_no_larger_than_before_where_that_is_possible() {
        let divided = |lengths: &[&[usize]]| {
            Chunking::from_lengths(&lengths.iter().map(|axis| axis.to_vec()).collect::<Vec<_>>())
        };
        let found = divided(&[&[4, 4], &[6, 6]]).whole_along(Axis(0));
        assert_eq!(found, divided(&[&[8], &[3, 3, 3, 3]]));
        assert_eq!(divided(&[&[4], &[6]]).whole_along(Axis(0)), divided(&[&[4], &[6]]));
        assert_eq!(divided(&[&[1; 9], &[1, 2]]).whole_along(Axis(0)), divided(&[&[9], &[1, 1, 1]]));
        assert_eq!(divided(&[&[0], &[3]]).whole_along(Axis(0)), divided(&[&[0], &[3]]));
        assert_eq!(divided(&[&[2, 2], &[0], &[5]]).whole_along(Axis(0)).shape(), [4, 0, 5]);
        assert_eq!(divided(&[&[0, 0], &[900, 900]]).whole_along(Axis(0)), divided(&[&[0], &[900, 900]]));
        assert_eq!(divided(&[&[2, 2], &[0], &[900]]).whole_along(Axis(0)), divided(&[&[4], &[0], &[900]]));
        let cube = divided(&[&[4, 4], &[2, 2], &[3, 3]]);
        assert_eq!(cube.whole_along_axes(&[1, 2], 0), divided(&[&[1; 8], &[4], &[6]]));
        assert_eq!(cube.whole_along_axes(&[], 0), cube);
    }
}
