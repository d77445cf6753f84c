//! Axes of length 1 that come and go, and arrays stacked upright, side by side and in depth.

use crate::array::{Array, Core};
use crate::element::Element;
use crate::error::{Error, Shape, expect};
use crate::join::joined;
use crate::slicing::sliced;
use musher_graph_core::Site;
use ndarray::{Axis, Dimension, IxDyn, RemoveAxis, SliceInfoElem};

/// The core with new axes of length 1 where `true` stands.
fn with_axes<A: Element>(core: &Core, is_new: &[bool], caller: Site) -> Result<Core, Error> {
    let all = SliceInfoElem::Slice { start: 0, end: None, step: 1 };
    let elements: Vec<SliceInfoElem> =
        is_new.iter().map(|&is_new| if is_new { SliceInfoElem::NewAxis } else { all }).collect();
    sliced::<A>("insert_axis", core, &elements, caller)
}

/// The core with at least so many axes, as NumPy's `atleast_1d`, `atleast_2d` and `atleast_3d` place them.
fn at_least<A: Element>(core: &Core, ndim: usize, caller: Site) -> Result<Core, Error> {
    let is_new: &[bool] = match (ndim, core.chunking.ndim()) {
        (1, 0) => &[true],
        (2, 0) => &[true, true],
        (2, 1) => &[true, false],
        (3, 0) => &[true, true, true],
        (3, 1) => &[true, false, true],
        (3, 2) => &[false, false, true],
        _ => return Ok(core.clone()),
    };
    with_axes::<A>(core, is_new, caller)
}

impl<A: Element, D: Dimension> Array<A, D> {
    /// The array without its axes of length 1.
    ///
    /// **Cost** none.
    ///
    /// # Panics
    /// Never.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::Axis};
    /// let x = Array::<f32, _>::zeros((1, 3, 1), 2);
    /// assert_eq!(x.squeeze().shape(), [3]);
    /// assert_eq!(x.squeeze_axis(Axis(0)).shape(), [3, 1]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn squeeze(&self) -> Array<A, IxDyn> {
        let kept = |&length: &usize| match length {
            1 => SliceInfoElem::Index(0),
            _ => SliceInfoElem::Slice { start: 0, end: None, step: 1 },
        };
        let elements: Vec<SliceInfoElem> = self.shape().iter().map(kept).collect();
        Array::from_core(expect(sliced::<A>("squeeze", self.core(), &elements, Site::caller())))
    }

    /// The array without an axis of length 1.
    ///
    /// **Cost** none.
    ///
    /// # Panics
    /// When there is no such axis, or its length is not 1.
    #[must_use]
    #[track_caller]
    #[doc(alias = "remove_axis")]
    pub fn squeeze_axis(&self, axis: Axis) -> Array<A, D::Smaller>
    where
        D: RemoveAxis,
    {
        expect(self.try_squeeze_axis(axis))
    }

    /// As [`squeeze_axis`](Self::squeeze_axis).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis, [`Error::Shapes`] when its length is not 1.
    #[track_caller]
    pub fn try_squeeze_axis(&self, axis: Axis) -> Result<Array<A, D::Smaller>, Error>
    where
        D: RemoveAxis,
    {
        let (operation, caller) = ("squeeze_axis", Site::caller());
        self.check_axis(operation, axis.0, self.ndim(), caller)?;
        let mut wanted = self.shape();
        wanted[axis.0] = 1;
        if wanted != self.shape() {
            let (left, right) = (Shape(self.shape()), Shape(wanted));
            return Err(Error::Shapes { operation, left, right, caller });
        }
        self.try_index_axis(axis, 0)
    }

    /// The array with at least one axis.
    ///
    /// # Panics
    /// Never.
    ///
    /// # Examples
    /// ```
    /// use musher_array::Array;
    /// let sum = Array::<f32, _>::ones(3, 2).sum();
    /// assert_eq!(sum.atleast_1d().shape(), [1]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn atleast_1d(&self) -> Array<A, IxDyn> {
        Array::from_core(expect(at_least::<A>(self.core(), 1, Site::caller())))
    }

    /// The array with at least two axes: a vector becomes a row.
    ///
    /// **Shape** `(n,) → (1, n)`.
    ///
    /// # Panics
    /// Never.
    ///
    /// # Examples
    /// ```
    /// use musher_array::Array;
    /// assert_eq!(Array::<f32, _>::ones(3, 2).atleast_2d().shape(), [1, 3]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn atleast_2d(&self) -> Array<A, IxDyn> {
        Array::from_core(expect(at_least::<A>(self.core(), 2, Site::caller())))
    }

    /// The array with at least three axes: a matrix becomes a layer of depth 1.
    ///
    /// **Shape** `(n,) → (1, n, 1)`, `(n, m) → (n, m, 1)`.
    ///
    /// # Panics
    /// Never.
    ///
    /// # Examples
    /// ```
    /// use musher_array::Array;
    /// assert_eq!(Array::<f32, _>::ones((3, 4), 2).atleast_3d().shape(), [3, 4, 1]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn atleast_3d(&self) -> Array<A, IxDyn> {
        Array::from_core(expect(at_least::<A>(self.core(), 3, Site::caller())))
    }
}

/// The arrays joined along an axis, after each has at least so many.
#[track_caller]
fn joined_with<A: Element, D: Dimension>(
    operation: &'static str,
    axis: usize,
    arrays: &[&Array<A, D>],
    prepared: impl Fn(&Core, Site) -> Result<Core, Error>,
) -> Result<Array<A, IxDyn>, Error> {
    let caller = Site::caller();
    let cores = arrays.iter().map(|array| prepared(array.core(), caller));
    joined::<A>(operation, Axis(axis), &cores.collect::<Result<Vec<_>, _>>()?, caller).map(Array::from_core)
}

/// The arrays below each other; vectors are rows.
///
/// **Shape** `(n,), (n,) → (2, n)`; `(a, m), (b, m) → (a + b, m)`.
/// **Cost** none; blocks are handed on.
///
/// # Errors
/// [`Error::Arrangement`] for no arrays, [`Error::Shapes`] when the other axes differ.
///
/// # Examples
/// ```
/// use musher_array::{Array, vstack, ndarray::arr2};
/// use musher_scheduler::Compute;
/// let x = Array::arange(0, 3, 1, 2);
/// assert_eq!(vstack(&[&x, &(&x * 2)])?.compute()?, arr2(&[[0, 1, 2], [0, 2, 4]]).into_dyn());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
#[doc(alias = "row_stack")]
pub fn vstack<A: Element, D: Dimension>(arrays: &[&Array<A, D>]) -> Result<Array<A, IxDyn>, Error> {
    joined_with("vstack", 0, arrays, |core, caller| at_least::<A>(core, 2, caller))
}

/// The arrays side by side; vectors one behind the other.
///
/// **Shape** `(a,), (b,) → (a + b,)`; `(n, a), (n, b) → (n, a + b)`.
/// **Cost** none; blocks are handed on.
///
/// # Errors
/// [`Error::Arrangement`] for no arrays, [`Error::Shapes`] when the other axes differ.
///
/// # Examples
/// ```
/// use musher_array::{Array, hstack};
/// let x = Array::<f64, _>::zeros((3, 2), 2);
/// assert_eq!(hstack(&[&x, &x])?.shape(), [3, 4]);
/// # Ok::<(), musher_array::Error>(())
/// ```
#[track_caller]
pub fn hstack<A: Element, D: Dimension>(arrays: &[&Array<A, D>]) -> Result<Array<A, IxDyn>, Error> {
    let axis = usize::from(arrays.first().is_some_and(|array| array.ndim() > 1));
    joined_with("hstack", axis, arrays, |core, caller| at_least::<A>(core, 1, caller))
}

/// The arrays behind each other along the third axis.
///
/// **Shape** `(n,), (n,) → (1, n, 2)`; `(n, m), (n, m) → (n, m, 2)`.
/// **Cost** none; blocks are handed on.
///
/// # Errors
/// [`Error::Arrangement`] for no arrays, [`Error::Shapes`] when the other axes differ.
///
/// # Examples
/// ```
/// use musher_array::{Array, dstack};
/// let red = Array::<u8, _>::zeros((3, 2), 2);
/// assert_eq!(dstack(&[&red, &red, &red])?.shape(), [3, 2, 3]);
/// # Ok::<(), musher_array::Error>(())
/// ```
#[track_caller]
pub fn dstack<A: Element, D: Dimension>(arrays: &[&Array<A, D>]) -> Result<Array<A, IxDyn>, Error> {
    joined_with("dstack", 2, arrays, |core, caller| at_least::<A>(core, 3, caller))
}

/// The arrays side by side; vectors are columns.
///
/// **Shape** `(n,), (n,) → (n, 2)`; `(n, a), (n, b) → (n, a + b)`.
/// **Cost** none; blocks are handed on.
///
/// # Errors
/// [`Error::Arrangement`] for no arrays, [`Error::Shapes`] when the other axes differ.
///
/// # Examples
/// ```
/// use musher_array::{Array, column_stack, ndarray::arr2};
/// use musher_scheduler::Compute;
/// let x = Array::arange(0, 2, 1, 2);
/// assert_eq!(column_stack(&[&x, &(&x + 5)])?.compute()?, arr2(&[[0, 5], [1, 6]]).into_dyn());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn column_stack<A: Element, D: Dimension>(arrays: &[&Array<A, D>]) -> Result<Array<A, IxDyn>, Error> {
    joined_with("column_stack", 1, arrays, |core, caller| match core.chunking.ndim() {
        1 => with_axes::<A>(core, &[false, true], caller),
        _ => at_least::<A>(core, 2, caller),
    })
}
