//! `threshold_local`: a threshold for each pixel, from its neighbors.

use musher_array::{Array, PerAxis};
use musher_graph_core::Site;
use ndarray::Dimension;

use crate::error::Error;
use crate::filter::{Window, resolve};
use crate::gaussian::{FloatPixel, Gaussian, gaussian_filter};
use crate::pixel::Pixel;
use crate::rank::median_filter;
use crate::uniform::uniform_filter;

/// What [`threshold_local`] takes the neighbors for.
///
/// # Examples
/// ```
/// use musher_image::LocalMethod;
/// assert_eq!(LocalMethod::default(), LocalMethod::Gaussian);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LocalMethod {
    /// A mean by the weights of a Gaussian, whose standard deviation is a sixth of the size less one.
    #[default]
    Gaussian,
    /// The mean.
    Mean,
    /// The median.
    Median,
}

/// A threshold for each pixel from its neighbors, less an offset: what `skimage.filters.threshold_local` and
/// `dask_image.ndfilters.threshold_local` give. `image.gt(&threshold)` is the bright part then, also where the light changes
/// over the image.
///
/// `size` is that of the neighborhood in pixels, odd, one for all axes or one for each. Edges are reflected.
///
/// **Shape** and blocks stay. **Units** of the size: pixels.
/// **Cost** that of the filter.
///
/// # Errors
/// [`Error::Parameter`] for an even size, one beyond 2^24 and an offset that is not finite; [`Error::AxisCount`] where sizes
/// are given for another number of axes.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::{LocalMethod, threshold_local};
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[3.0, 3.0, 6.0, 0.0]), 2);
/// let threshold = threshold_local(&image, 3, LocalMethod::Mean, 1.0)?;
/// assert_eq!(threshold.compute()?, arr1(&[2.0, 3.0, 2.0, 1.0]));
/// assert_eq!(image.gt(&threshold).compute()?, arr1(&[true, false, true, false]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `skimage.filters.threshold_local`.
#[track_caller]
#[doc(alias = "dask_image.ndfilters.threshold_local")]
#[doc(alias = "adaptive_threshold")]
pub fn threshold_local<A: FloatPixel + Pixel, D: Dimension>(
    image: &Array<A, D>,
    size: impl Into<PerAxis<usize>>,
    method: LocalMethod,
    offset: f64,
) -> Result<Array<A, D>, Error> {
    let caller = Site::caller();
    let sizes = resolve(size.into(), "size", image.ndim())?;
    let refuse = |parameter, value, expected| Err(Error::Parameter { parameter, value, expected, caller });
    if let Some(even) = sizes.iter().find(|&size| size % 2 == 0) {
        return refuse("size", *even as f64, "odd");
    }
    if !offset.is_finite() {
        return refuse("offset", offset, "finite");
    }
    let middle = match method {
        LocalMethod::Gaussian => {
            let sigmas: Vec<f64> = sizes.iter().map(|&size| (size as f64 - 1.0) / 6.0).collect();
            gaussian_filter(image, Gaussian::sigma(sigmas))?
        }
        LocalMethod::Mean => uniform_filter(image, Window::size(sizes))?,
        LocalMethod::Median => median_filter(image, Window::size(sizes))?,
    };
    Ok(middle - A::narrow(offset))
}
