//! `uniform_filter`: the mean of a window around each pixel.

use musher_array::Array;
use ndarray::Dimension;

use crate::error::Error;
use crate::filter::{Window, along_axes};
use crate::kernel::windows::{Mean, Windows};
use crate::pixel::Pixel;

/// The mean of a window around each pixel: what `scipy.ndimage.uniform_filter` gives.
///
/// The second argument is the size of the window in pixels, one for all axes or one for each, or a [`Window`] that says
/// more. Sums run in `f64`; as in scipy the answer is rounded to the pixel's type after each axis, of integers towards zero.
/// Its bits do not depend on the blocks. Of floats the last digits are not scipy's, whose running sums round otherwise, and
/// a NaN reaches as far as the window where scipy's reaches to the end of the line.
///
/// **Shape** and blocks stay. **Units** of the size: pixels.
/// **Cost** one pass; per pixel and axis as many additions as the size has binary digits, or twice that.
///
/// # Errors
/// [`Error::Parameter`] for a size of 0 or beyond 2^24 and for an origin that leaves the pixel outside its window;
/// [`Error::AxisCount`] when something is given for another number of axes; [`Error::NoMode`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::{Mode, Window, uniform_filter};
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[3.0, 3.0, 6.0, 0.0]), 2);
/// assert_eq!(uniform_filter(&image, 3)?.compute()?, arr1(&[3.0, 4.0, 3.0, 2.0]));
/// let dark_outside = Window::size(3).mode(Mode::Constant(0.0));
/// assert_eq!(uniform_filter(&image, dark_outside)?.compute()?, arr1(&[2.0, 4.0, 3.0, 2.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.uniform_filter`.
#[track_caller]
#[doc(alias = "dask_image.ndfilters.uniform_filter")]
#[doc(alias = "box_blur")]
#[doc(alias = "mean_filter")]
pub fn uniform_filter<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    window: impl Into<Window>,
) -> Result<Array<A, D>, Error> {
    let along = window.into().lines(image.ndim(), Windows::<Mean>::new)?;
    along_axes(image, "uniform_filter", "image.uniform_filter/1", along)
}
