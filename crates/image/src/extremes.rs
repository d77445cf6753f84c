//! `minimum_filter` and `maximum_filter`: the least and the greatest value of a window around each pixel.

use musher_array::Array;
use ndarray::Dimension;

use crate::error::Error;
use crate::filter::{Window, along_axes};
use crate::kernel::windows::{Greatest, Least, Windows};
use crate::pixel::Pixel;

/// The least value of a window around each pixel: what `scipy.ndimage.minimum_filter` gives.
///
/// The second argument is the size of the window in pixels, one for all axes or one for each, or a [`Window`] that says
/// more. A window that holds a NaN has the least value NaN.
///
/// **Shape** and blocks stay. **Units** of the size: pixels.
/// **Cost** one pass; per pixel and axis one comparison more than the size has binary digits.
///
/// # Errors
/// As [`uniform_filter`](crate::uniform_filter).
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::minimum_filter;
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[5_u8, 3, 6, 7, 9]), 2);
/// assert_eq!(minimum_filter(&image, 3)?.compute()?, arr1(&[3, 3, 3, 6, 7]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.minimum_filter`.
#[track_caller]
#[doc(alias = "dask_image.ndfilters.minimum_filter")]
pub fn minimum_filter<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    window: impl Into<Window>,
) -> Result<Array<A, D>, Error> {
    let along = window.into().lines(image.ndim(), Windows::<Least>::new)?;
    along_axes(image, "minimum_filter", "image.minimum_filter/1", along)
}

/// The greatest value of a window around each pixel: what `scipy.ndimage.maximum_filter` gives.
///
/// As [`minimum_filter`] otherwise.
///
/// # Errors
/// As [`uniform_filter`](crate::uniform_filter).
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::{Window, maximum_filter};
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[5_u8, 3, 6, 7, 9]), 2);
/// assert_eq!(maximum_filter(&image, 3)?.compute()?, arr1(&[5, 6, 7, 9, 9]));
/// let before = maximum_filter(&image, Window::size(2))?;
/// assert_eq!(before.compute()?, arr1(&[5, 5, 6, 7, 9]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.maximum_filter`.
#[track_caller]
#[doc(alias = "dask_image.ndfilters.maximum_filter")]
pub fn maximum_filter<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    window: impl Into<Window>,
) -> Result<Array<A, D>, Error> {
    let along = window.into().lines(image.ndim(), Windows::<Greatest>::new)?;
    along_axes(image, "maximum_filter", "image.maximum_filter/1", along)
}
