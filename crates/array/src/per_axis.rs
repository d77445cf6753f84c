//! One value for all axes of an array, or one for each: how depths, boundaries, sizes and widths are given.

use crate::kernel::overlap::Depth;

/// One value for all axes of an array, or one for each.
///
/// A value becomes `All`, an array or a vector of values `Each`. Where depths are asked for, numbers do as well, and
/// tuples of them: the depth on both sides.
///
/// # Examples
/// ```
/// use musher_array::{Depth, PerAxis};
/// assert_eq!(PerAxis::from(2.0), PerAxis::All(2.0));
/// assert_eq!(PerAxis::from([1.0, 2.0]), PerAxis::Each(vec![1.0, 2.0]));
/// assert_eq!(PerAxis::<Depth>::from((1, 0)), PerAxis::from([Depth::both(1), Depth::both(0)]));
/// assert_ne!(PerAxis::<Depth>::from(1), PerAxis::from([Depth::new(1, 0)]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PerAxis<T> {
    /// The same for all axes.
    All(T),
    /// One for each axis.
    Each(Vec<T>),
}

impl<T> PerAxis<T> {
    /// One value for each of `ndim` axes.
    ///
    /// # Errors
    /// For how many axes values are given, where that is another number.
    ///
    /// # Examples
    /// ```
    /// use musher_array::PerAxis;
    /// assert_eq!(PerAxis::<usize>::from(3).resolve(2), Ok(vec![3, 3]));
    /// assert_eq!(PerAxis::<usize>::from([1, 2, 3]).resolve(2), Err(3));
    /// ```
    pub fn resolve(self, ndim: usize) -> Result<Vec<T>, usize>
    where
        T: Clone,
    {
        match self {
            Self::All(value) => Ok(vec![value; ndim]),
            Self::Each(values) if values.len() == ndim => Ok(values),
            Self::Each(values) => Err(values.len()),
        }
    }

    /// The same with each value changed by `f`.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> PerAxis<U> {
        let mut f = f;
        match self {
            Self::All(value) => PerAxis::All(f(value)),
            Self::Each(values) => PerAxis::Each(values.into_iter().map(f).collect()),
        }
    }
}

impl<T> From<T> for PerAxis<T> {
    fn from(value: T) -> Self {
        Self::All(value)
    }
}

impl<T, const N: usize> From<[T; N]> for PerAxis<T> {
    fn from(values: [T; N]) -> Self {
        Self::Each(values.into())
    }
}

impl<T> From<Vec<T>> for PerAxis<T> {
    fn from(values: Vec<T>) -> Self {
        Self::Each(values)
    }
}

impl From<usize> for PerAxis<Depth> {
    fn from(both: usize) -> Self {
        Self::All(Depth::both(both))
    }
}

impl<const N: usize> From<[usize; N]> for PerAxis<Depth> {
    fn from(depths: [usize; N]) -> Self {
        Self::Each(depths.map(Depth::both).into())
    }
}

impl From<Vec<usize>> for PerAxis<Depth> {
    fn from(depths: Vec<usize>) -> Self {
        Self::Each(depths.into_iter().map(Depth::both).collect())
    }
}

impl From<(usize, usize)> for PerAxis<Depth> {
    fn from((first, second): (usize, usize)) -> Self {
        [first, second].into()
    }
}

impl From<(usize, usize, usize)> for PerAxis<Depth> {
    fn from((first, second, third): (usize, usize, usize)) -> Self {
        [first, second, third].into()
    }
}
