//! `gaussian_filter`: smoothing, and derivatives of what is smoothed.

use musher_array::{Array, Boundary as Mode, Depth, Float, PerAxis};
use musher_graph_core::Site;
use ndarray::Dimension;

use crate::error::Error;
use crate::filter::{Along, MOST_PIXELS, along_axes, resolve, resolve_modes};
use crate::kernel::correlate::Weights;
use crate::kernel::gaussian::{SMALLEST_SIGMA, radius, weights};
use crate::kernel::widen::Widen;

/// `f32` or `f64`: what is smoothed.
///
/// The list is closed; sums always run in `f64`. Use `cast::<f64>()` on images of integers.
///
/// # Examples
/// ```
/// fn bits<A: musher_image::FloatPixel>() -> usize {
///     8 * size_of::<A>()
/// }
/// assert_eq!(bits::<f32>(), 32);
/// ```
pub trait FloatPixel: Float + Widen {}

impl FloatPixel for f32 {}
impl FloatPixel for f64 {}

/// The parameters of [`gaussian_filter`]: standard deviation, order of derivative, reach, and what is beyond the edge.
///
/// A plain number or an array of numbers becomes one with the defaults of scipy: order 0, `truncate` 4, mode
/// [`Mode::Reflect`].
///
/// # Examples
/// ```
/// use musher_image::{Gaussian, Mode};
/// let along_rows = Gaussian::sigma([0.0, 2.0]).order([0, 1]).truncate(3.0).mode(Mode::Nearest);
/// assert_ne!(along_rows, Gaussian::from([0.0, 2.0]));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Gaussian {
    sigma: PerAxis<f64>,
    order: PerAxis<usize>,
    mode: PerAxis<Mode>,
    truncate: f64,
}

impl Gaussian {
    /// A Gaussian of this standard deviation in pixels; 0 leaves an axis as it is.
    #[must_use]
    pub fn sigma(sigma: impl Into<PerAxis<f64>>) -> Self {
        Self { sigma: sigma.into(), order: PerAxis::All(0), mode: PerAxis::All(Mode::Reflect), truncate: 4.0 }
    }

    /// The order of the derivative: 0 smooths, 1 is the slope of the smoothed image, 2 its curvature.
    #[must_use]
    pub fn order(self, order: impl Into<PerAxis<usize>>) -> Self {
        Self { order: order.into(), ..self }
    }

    /// How far the weights reach, in standard deviations.
    #[must_use]
    pub fn truncate(self, truncate: f64) -> Self {
        Self { truncate, ..self }
    }

    /// What stands beyond the edges.
    #[must_use]
    pub fn mode(self, mode: impl Into<PerAxis<Mode>>) -> Self {
        Self { mode: mode.into(), ..self }
    }

    /// The weights along each axis; none where an axis stays as it is.
    #[track_caller]
    pub(crate) fn lines(self, ndim: usize) -> Result<Vec<Along<Weights>>, Error> {
        let caller = Site::caller();
        let refuse =
            |parameter, value, expected| Err(Error::Parameter { parameter, value, expected, caller });
        let sigmas = resolve(self.sigma, "sigma", ndim)?;
        let orders = resolve(self.order, "order", ndim)?;
        let modes = resolve_modes(self.mode, ndim)?;
        let truncate = self.truncate;
        if !(truncate >= 0.0 && truncate.is_finite()) {
            return refuse("truncate", truncate, "0 or more, and finite");
        }
        let mut along = Vec::with_capacity(ndim);
        for ((sigma, order), mode) in sigmas.into_iter().zip(orders).zip(modes) {
            if !(sigma >= 0.0 && sigma.is_finite()) {
                return refuse("sigma", sigma, "0 or more, and finite");
            }
            if sigma * truncate > MOST_PIXELS as f64 {
                return refuse("sigma", sigma, "such that sigma * truncate is at most 2^24 pixels");
            }
            let radius = radius(sigma, truncate);
            let line = (sigma > SMALLEST_SIGMA).then(|| weights(sigma, order, radius));
            let reach = Depth::both(if line.is_some() { radius } else { 0 });
            along.push(Along { line, reach, mode });
        }
        Ok(along)
    }
}

impl<T: Into<PerAxis<f64>>> From<T> for Gaussian {
    fn from(sigma: T) -> Self {
        Self::sigma(sigma)
    }
}

/// Smooths an image with a Gaussian, or takes a derivative of the smoothed image: what `scipy.ndimage.gaussian_filter`
/// gives, for every division into blocks.
///
/// The second argument is the standard deviation in pixels, one for all axes or one for each, or a [`Gaussian`] that
/// says more. The values do not depend on the blocks, to the last bit.
///
/// **Shape** and blocks stay. **Units** of `sigma`: pixels.
/// **Cost** one pass, in bands of rows that stay in the cache. Each block reads the blocks in its halo of
/// `truncate * sigma` pixels.
///
/// # Errors
/// [`Error::Parameter`] for a `sigma` or `truncate` that is negative, not finite or absurdly large; [`Error::AxisCount`]
/// when a parameter is given for another number of axes; [`Error::NoMode`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::Ix2};
/// use musher_image::{Gaussian, Mode, gaussian_filter};
/// use musher_scheduler::Compute;
/// let star = Array::<f64, Ix2>::from_shape_fn((9, 9), 4, |place| if place == (4, 4) { 1.0 } else { 0.0 });
/// let smooth = gaussian_filter(&star, 1.0)?;
/// let total = smooth.sum().compute()?;
/// assert!((total - 1.0).abs() < 1e-12, "smoothing keeps the light");
/// let slope = gaussian_filter(&star, Gaussian::sigma(1.0).order([0, 1]).mode(Mode::Wrap))?;
/// assert!(slope.compute()?[[4, 3]] > 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.gaussian_filter`: separable correlation, the weights cut at `truncate` standard deviations.
#[track_caller]
#[doc(alias = "dask_image.ndfilters.gaussian_filter")]
#[doc(alias = "gaussian_blur")]
pub fn gaussian_filter<A, D>(
    image: &Array<A, D>,
    parameters: impl Into<Gaussian>,
) -> Result<Array<A, D>, Error>
where
    A: FloatPixel,
    D: Dimension,
{
    let along = parameters.into().lines(image.ndim())?;
    along_axes(image, "gaussian_filter", "image.gaussian_filter/1", along)
}
