//! Correlation and convolution with weights of any form.

use musher_array::neighborhood::neighborhood;
use musher_array::{Array, Boundary as Mode, PerAxis};
use musher_graph_core::Site;
use ndarray::{Array1, ArrayD, Axis, Dimension};

use crate::error::Error;
use crate::filter::{Along, Window, along_axis, check_axis, halo, resolve};
use crate::gaussian::FloatPixel;
use crate::kernel::correlate::Weights;
use crate::kernel::taps::{Form, Sum};
use crate::structure::reverse;
use crate::tapped::Tapped;

/// Weights of neighbors for [`correlate`] and its kin: which, where they lie, and what stands beyond the edges.
///
/// An ndarray array, or a list of numbers for a line, becomes one with the defaults of scipy: centered, mode
/// [`Mode::Reflect`]. They lie in the order in which they meet rising positions.
///
/// # Examples
/// ```
/// use musher_image::{FilterWeights, Mode};
/// let slope = FilterWeights::from([-1.0, 1.0]).origin(-1).mode(Mode::Nearest);
/// assert_ne!(slope, FilterWeights::from(vec![-1.0, 1.0]));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FilterWeights {
    values: ArrayD<f64>,
    origin: PerAxis<isize>,
    mode: PerAxis<Mode>,
}

impl FilterWeights {
    /// These weights around each pixel; along an axis with an even number one more lies before it than after.
    #[must_use]
    pub fn new<D: Dimension>(values: ndarray::Array<f64, D>) -> Self {
        let values = values.into_dyn();
        Self { values, origin: PerAxis::All(0), mode: PerAxis::All(Mode::Reflect) }
    }

    /// Moves the weights so many pixels towards lower indices.
    #[must_use]
    pub fn origin(self, origin: impl Into<PerAxis<isize>>) -> Self {
        Self { origin: origin.into(), ..self }
    }

    /// What stands beyond the edges.
    #[must_use]
    pub fn mode(self, mode: impl Into<PerAxis<Mode>>) -> Self {
        Self { mode: mode.into(), ..self }
    }

    /// The weights in reverse, for a convolution: an even number of them lies one pixel further on then.
    #[track_caller]
    fn reversed(mut self) -> Result<Self, Error> {
        let found = self.values.ndim();
        let origins = resolve(self.origin, "origin", found)?;
        reverse(&mut self.values);
        let lengths = self.values.shape();
        let moved = origins
            .iter()
            .zip(lengths)
            .map(|(origin, length)| origin.saturating_neg().saturating_sub(isize::from(length % 2 == 0)));
        self.origin = PerAxis::Each(moved.collect());
        Ok(self)
    }

    /// The window that the weights fill, in an image of so many axes.
    #[track_caller]
    fn window(&self, ndim: usize) -> Result<Window, Error> {
        let caller = Site::caller();
        if self.values.ndim() != ndim {
            let found = self.values.ndim();
            return Err(Error::AxisCount { parameter: "weights", expected: ndim, found, caller });
        }
        if let Some(&value) = self.values.iter().find(|value| !value.is_finite()) {
            return Err(Error::Parameter { parameter: "weights", value, expected: "finite", caller });
        }
        Ok(Window::size(self.values.shape().to_vec()).origin(self.origin.clone()).mode(self.mode.clone()))
    }

    /// What they do along one axis.
    #[track_caller]
    fn along(self) -> Result<Along<Weights>, Error> {
        let mut along = self.window(1)?.resolve(1)?;
        let (_, reach, mode) = along.remove(0);
        Ok(Along { line: Some(Weights::new(self.values.into_iter().collect())), reach, mode })
    }
}

impl<D: Dimension> From<ndarray::Array<f64, D>> for FilterWeights {
    fn from(values: ndarray::Array<f64, D>) -> Self {
        Self::new(values)
    }
}

impl From<Vec<f64>> for FilterWeights {
    fn from(values: Vec<f64>) -> Self {
        Self::new(Array1::from(values))
    }
}

impl<const N: usize> From<[f64; N]> for FilterWeights {
    fn from(values: [f64; N]) -> Self {
        Self::from(values.to_vec())
    }
}

/// The sum of the neighbors of each pixel, each times its weight: what `scipy.ndimage.correlate` gives.
///
/// The second argument is the weights, an ndarray array with as many axes as the image, or [`FilterWeights`] that say more.
/// Sums run in `f64`, in the order of the weights, and are rounded to the pixel's type once; so the values do not depend on
/// the blocks, to the last bit. Weights that differ from 0 by less than 2.3e-16 do not count, as in scipy.
///
/// **Shape** and blocks stay.
/// **Cost** one pass; a multiplication for each weight. Where the weights are a product of lines, calls of
/// [`correlate1d`] one after the other take far fewer.
///
/// # Errors
/// [`Error::AxisCount`] for weights with another number of axes, [`Error::Parameter`] for none along an axis or more than 2^24,
/// for one that is not finite and for an origin that leaves the pixel outside of them; [`Error::NoMode`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr2};
/// use musher_image::{FilterWeights, Mode, correlate};
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr2(&[[1.0, 2.0], [4.0, 8.0]]), 1);
/// let below_right = FilterWeights::new(arr2(&[[1.0, 0.0], [0.0, 10.0]])).origin(-1).mode(Mode::Constant(0.0));
/// assert_eq!(correlate(&image, below_right)?.compute()?, arr2(&[[81.0, 2.0], [4.0, 8.0]]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.correlate`.
#[track_caller]
#[doc(alias = "dask_image.ndfilters.correlate")]
#[doc(alias = "filter2d")]
pub fn correlate<A: FloatPixel, D: Dimension>(
    image: &Array<A, D>,
    weights: impl Into<FilterWeights>,
) -> Result<Array<A, D>, Error> {
    weighted(image, "correlate", weights.into())
}

/// The convolution with weights: what `scipy.ndimage.convolve` gives.
///
/// As [`correlate`] with the weights in reverse along all axes.
///
/// # Errors
/// As [`correlate`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr2};
/// use musher_image::convolve;
/// use musher_scheduler::Compute;
/// let one = Array::from_array(arr2(&[[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]), 2);
/// let weights = arr2(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]);
/// assert_eq!(convolve(&one, weights.clone())?.compute()?, weights);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.convolve`.
#[track_caller]
#[doc(alias = "dask_image.ndfilters.convolve")]
pub fn convolve<A: FloatPixel, D: Dimension>(
    image: &Array<A, D>,
    weights: impl Into<FilterWeights>,
) -> Result<Array<A, D>, Error> {
    weighted(image, "convolve", weights.into().reversed()?)
}

/// The sum of the neighbors of each pixel, each times its weight.
#[track_caller]
pub(crate) fn weighted<A: FloatPixel, D: Dimension>(
    image: &Array<A, D>,
    label: &'static str,
    weights: FilterWeights,
) -> Result<Array<A, D>, Error> {
    let along = weights.window(image.ndim())?.resolve(image.ndim())?;
    let counts = |weight: &f64| weight.abs() > f64::EPSILON;
    let form = Form::new(&weights.values.mapv(|weight| counts(&weight)));
    let values = weights.values.iter().copied().filter(counts).collect();
    let (depths, modes) = halo(&along, A::narrow);
    let kernel = Tapped::new(label, "image.correlate/1", form, Sum(values));
    Ok(neighborhood(image, depths, modes, kernel)?)
}

/// The sum of the neighbors of each pixel along one axis, each times its weight: what `scipy.ndimage.correlate1d` gives.
///
/// The third argument is the weights, in the order in which they meet rising positions, or [`FilterWeights`] that say more.
/// Sums run in `f64`, in scipy's order, and are rounded to the pixel's type once.
///
/// **Shape** and blocks stay.
/// **Cost** one pass; a multiplication for each weight, half as many where they are symmetric.
///
/// # Errors
/// As [`correlate`] of a line, and [`Error::Parameter`] for an axis that the image has not.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::{Axis, arr1}};
/// use musher_image::correlate1d;
/// use musher_scheduler::Compute;
/// let line = Array::from_array(arr1(&[1.0, 2.0, 4.0, 8.0]), 2);
/// assert_eq!(correlate1d(&line, Axis(0), [1.0, 0.0, 10.0])?.compute()?, arr1(&[21.0, 41.0, 82.0, 84.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.correlate1d`.
#[track_caller]
pub fn correlate1d<A: FloatPixel, D: Dimension>(
    image: &Array<A, D>,
    axis: Axis,
    weights: impl Into<FilterWeights>,
) -> Result<Array<A, D>, Error> {
    check_axis(axis, image.ndim())?;
    along_axis(image, "correlate1d", "image.correlate1d/1", axis.index(), weights.into().along()?)
}

/// The convolution with a line of weights along one axis: what `scipy.ndimage.convolve1d` gives.
///
/// As [`correlate1d`] with the weights in reverse.
///
/// # Errors
/// As [`correlate1d`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::{Axis, arr1}};
/// use musher_image::convolve1d;
/// use musher_scheduler::Compute;
/// let one = Array::from_array(arr1(&[0.0, 0.0, 1.0, 0.0]), 2);
/// assert_eq!(convolve1d(&one, Axis(0), [1.0, 2.0, 3.0])?.compute()?, arr1(&[0.0, 1.0, 2.0, 3.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.convolve1d`.
#[track_caller]
pub fn convolve1d<A: FloatPixel, D: Dimension>(
    image: &Array<A, D>,
    axis: Axis,
    weights: impl Into<FilterWeights>,
) -> Result<Array<A, D>, Error> {
    check_axis(axis, image.ndim())?;
    let along = weights.into().reversed()?.along()?;
    along_axis(image, "convolve1d", "image.correlate1d/1", axis.index(), along)
}
