//! Filters of windows and Gaussians along one axis.

use musher_array::Array;
use ndarray::{Axis, Dimension};

use crate::error::Error;
use crate::filter::{Window, along_axis, check_axis};
use crate::gaussian::{FloatPixel, Gaussian};
use crate::kernel::windows::{Greatest, Least, Mean, Windows};
use crate::pixel::Pixel;

/// What a filter of windows does along one axis.
#[track_caller]
fn windowed<A: Pixel, D: Dimension, M>(
    image: &Array<A, D>,
    [label, name]: [&'static str; 2],
    axis: Axis,
    window: Window,
    line: impl Fn(usize) -> Windows<M>,
) -> Result<Array<A, D>, Error>
where
    Windows<M>: crate::kernel::separable::Line<A>,
{
    check_axis(axis, image.ndim())?;
    let along = window.lines(1, line)?.remove(0);
    along_axis(image, label, name, axis.index(), along)
}

/// Smooths along one axis, or takes a derivative along it: what `scipy.ndimage.gaussian_filter1d` gives.
///
/// As [`gaussian_filter`](crate::gaussian_filter) with a standard deviation of 0 along all other axes.
///
/// # Errors
/// As [`gaussian_filter`](crate::gaussian_filter), and [`Error::Parameter`] for an axis that the image has not.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::{Axis, Ix2}};
/// use musher_image::{gaussian_filter, gaussian_filter1d};
/// use musher_scheduler::Compute;
/// let image = Array::<f64, Ix2>::from_shape_fn((9, 9), 4, |(y, x)| (y * x) as f64);
/// let rows = gaussian_filter1d(&image, Axis(1), 1.5)?;
/// assert_eq!(rows.compute()?, gaussian_filter(&image, [0.0, 1.5])?.compute()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.gaussian_filter1d`.
#[track_caller]
pub fn gaussian_filter1d<A: FloatPixel, D: Dimension>(
    image: &Array<A, D>,
    axis: Axis,
    parameters: impl Into<Gaussian>,
) -> Result<Array<A, D>, Error> {
    check_axis(axis, image.ndim())?;
    let along = parameters.into().lines(1)?.remove(0);
    along_axis(image, "gaussian_filter1d", "image.gaussian_filter/1", axis.index(), along)
}

/// The mean of so many neighbors along one axis: what `scipy.ndimage.uniform_filter1d` gives.
///
/// As [`uniform_filter`](crate::uniform_filter) with a size of 1 along all other axes.
///
/// # Errors
/// As [`uniform_filter`](crate::uniform_filter), and [`Error::Parameter`] for an axis that the image has not.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::{Axis, arr2}};
/// use musher_image::uniform_filter1d;
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr2(&[[3.0, 3.0, 6.0, 0.0]]), 2);
/// assert_eq!(uniform_filter1d(&image, Axis(1), 3)?.compute()?, arr2(&[[3.0, 4.0, 3.0, 2.0]]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.uniform_filter1d`.
#[track_caller]
pub fn uniform_filter1d<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    axis: Axis,
    window: impl Into<Window>,
) -> Result<Array<A, D>, Error> {
    let names = ["uniform_filter1d", "image.uniform_filter/1"];
    windowed(image, names, axis, window.into(), Windows::<Mean>::new)
}

/// The least of so many neighbors along one axis: what `scipy.ndimage.minimum_filter1d` gives.
///
/// As [`minimum_filter`](crate::minimum_filter) with a size of 1 along all other axes.
///
/// # Errors
/// As [`uniform_filter1d`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::{Axis, arr2}};
/// use musher_image::minimum_filter1d;
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr2(&[[3, 9], [1, 6]]), 2);
/// assert_eq!(minimum_filter1d(&image, Axis(0), 3)?.compute()?, arr2(&[[1, 6], [1, 6]]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.minimum_filter1d`.
#[track_caller]
pub fn minimum_filter1d<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    axis: Axis,
    window: impl Into<Window>,
) -> Result<Array<A, D>, Error> {
    let names = ["minimum_filter1d", "image.minimum_filter/1"];
    windowed(image, names, axis, window.into(), Windows::<Least>::new)
}

/// The greatest of so many neighbors along one axis: what `scipy.ndimage.maximum_filter1d` gives.
///
/// As [`maximum_filter`](crate::maximum_filter) with a size of 1 along all other axes.
///
/// # Errors
/// As [`uniform_filter1d`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::{Axis, arr2}};
/// use musher_image::maximum_filter1d;
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr2(&[[3, 9], [1, 6]]), 2);
/// assert_eq!(maximum_filter1d(&image, Axis(0), 3)?.compute()?, arr2(&[[3, 9], [3, 9]]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.maximum_filter1d`.
#[track_caller]
pub fn maximum_filter1d<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    axis: Axis,
    window: impl Into<Window>,
) -> Result<Array<A, D>, Error> {
    let names = ["maximum_filter1d", "image.maximum_filter/1"];
    windowed(image, names, axis, window.into(), Windows::<Greatest>::new)
}
