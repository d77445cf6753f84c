//! Slopes and curvatures: `sobel`, `prewitt`, `laplace`, and those of smoothed images.

use musher_array::{Array, Boundary as Mode, Depth, PerAxis};
use ndarray::{ArrayD, Axis, Dimension, IxDyn};

use crate::error::Error;
use crate::filter::{Along, along_axes, along_axis, check_axis, resolve_modes};
use crate::gaussian::{FloatPixel, Gaussian, gaussian_filter};
use crate::kernel::correlate::Weights;
use crate::weights::{FilterWeights, weighted};

/// A line of three weights along one axis and another along all the others.
///
/// The order of the axes matters where a constant stands beyond the edges, since it stands there again after each axis: scipy
/// comes to the axis of the slope first.
#[track_caller]
fn three<A: FloatPixel, D: Dimension>(
    image: &Array<A, D>,
    [label, name]: [&'static str; 2],
    axis: Axis,
    modes: PerAxis<Mode>,
    [along, across]: [[f64; 3]; 2],
) -> Result<Array<A, D>, Error> {
    check_axis(axis, image.ndim())?;
    let modes = resolve_modes(modes, image.ndim())?;
    let line = |weights: [f64; 3], mode| {
        let line = Some(Weights::new(weights.to_vec()));
        Along { line, reach: Depth::both(1), mode }
    };
    let of = |at: usize| if at == axis.index() { along } else { across };
    if !modes.iter().any(|mode| matches!(mode, Mode::Constant(_))) {
        let lines = modes.iter().enumerate().map(|(at, &mode)| line(of(at), mode));
        return along_axes(image, label, name, lines.collect());
    }
    let slope = along_axis(image, label, name, axis.index(), line(along, modes[axis.index()]))?;
    let others = modes.iter().enumerate().map(|(at, &mode)| match at == axis.index() {
        true => Along { line: None, reach: Depth::both(0), mode },
        false => line(across, mode),
    });
    along_axes(&slope, label, name, others.collect())
}

/// The slope along an axis, smoothed by 1, 2, 1 along the others: what `scipy.ndimage.sobel` gives.
///
/// It is not divided by the sum of its weights: a ramp that rises by 1 from pixel to pixel has the slope 8 in two
/// dimensions. The values do not depend on the blocks, to the last bit; the last digits are not always scipy's, which comes to
/// the axis first and to the others after it.
///
/// **Shape** and blocks stay.
/// **Cost** one pass; each block reads the pixels around it.
///
/// # Errors
/// [`Error::Parameter`] for an axis that the image has not; [`Error::AxisCount`] where modes are given for another number of
/// axes; [`Error::NoMode`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::{Axis, arr1}};
/// use musher_image::{Mode, sobel};
/// use musher_scheduler::Compute;
/// let ramp = Array::from_array(arr1(&[0.0, 1.0, 2.0, 5.0]), 2);
/// assert_eq!(sobel(&ramp, Axis(0), Mode::Reflect)?.compute()?, arr1(&[1.0, 2.0, 4.0, 3.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.sobel`.
#[track_caller]
#[doc(alias = "dask_image.ndfilters.sobel")]
pub fn sobel<A: FloatPixel, D: Dimension>(
    image: &Array<A, D>,
    axis: Axis,
    mode: impl Into<PerAxis<Mode>>,
) -> Result<Array<A, D>, Error> {
    let weights = [[-1.0, 0.0, 1.0], [1.0, 2.0, 1.0]];
    three(image, ["sobel", "image.sobel/1"], axis, mode.into(), weights)
}

/// The slope along an axis, smoothed by 1, 1, 1 along the others: what `scipy.ndimage.prewitt` gives.
///
/// As [`sobel`] otherwise.
///
/// # Errors
/// As [`sobel`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::{Axis, arr2}};
/// use musher_image::{Mode, prewitt};
/// use musher_scheduler::Compute;
/// let edge = Array::from_array(arr2(&[[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]), 2);
/// assert_eq!(prewitt(&edge, Axis(1), Mode::Nearest)?.compute()?, arr2(&[[0.0, 3.0, 3.0], [0.0, 3.0, 3.0]]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.prewitt`.
#[track_caller]
#[doc(alias = "dask_image.ndfilters.prewitt")]
pub fn prewitt<A: FloatPixel, D: Dimension>(
    image: &Array<A, D>,
    axis: Axis,
    mode: impl Into<PerAxis<Mode>>,
) -> Result<Array<A, D>, Error> {
    let weights = [[-1.0, 0.0, 1.0], [1.0, 1.0, 1.0]];
    three(image, ["prewitt", "image.prewitt/1"], axis, mode.into(), weights)
}

/// The slope along an axis, smoothed by 3/16, 10/16, 3/16 along the others: what
/// `skimage.filters.scharr` gives for one axis. It is closest to the same in all directions.
///
/// As [`sobel`] otherwise.
///
/// # Errors
/// As [`sobel`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::{Axis, arr1}};
/// use musher_image::{Mode, scharr};
/// use musher_scheduler::Compute;
/// let ramp = Array::from_array(arr1(&[0.0, 1.0, 2.0, 5.0]), 2);
/// assert_eq!(scharr(&ramp, Axis(0), Mode::Reflect)?.compute()?, arr1(&[1.0, 2.0, 4.0, 3.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `skimage.filters.scharr`.
#[track_caller]
pub fn scharr<A: FloatPixel, D: Dimension>(
    image: &Array<A, D>,
    axis: Axis,
    mode: impl Into<PerAxis<Mode>>,
) -> Result<Array<A, D>, Error> {
    check_axis(axis, image.ndim())?;
    let of =
        |at: usize| if at == axis.index() { [-1.0, 0.0, 1.0] } else { [3.0 / 16.0, 10.0 / 16.0, 3.0 / 16.0] };
    // All weights at once, as the original: a constant beyond the edges stands there once.
    let weights = ArrayD::from_shape_fn(IxDyn(&vec![3; image.ndim()]), |place| {
        place.slice().iter().enumerate().map(|(at, &step)| of(at)[step]).product()
    });
    weighted(image, "scharr", FilterWeights::new(weights).mode(mode))
}

/// Adds one more term to a sum.
fn plus<A: FloatPixel, D: Dimension>(sum: &mut Option<Array<A, D>>, term: Array<A, D>) {
    *sum = Some(match sum.take() {
        Some(sum) => sum + term,
        None => term,
    });
}

/// The curvature, summed over the axes, from differences of neighbors: what `scipy.ndimage.laplace` gives.
///
/// **Shape** and blocks stay.
/// **Cost** a pass for each axis, and their sum.
///
/// # Errors
/// [`Error::AxisCount`] where modes are given for another number of axes; [`Error::NoMode`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::{Mode, laplace};
/// use musher_scheduler::Compute;
/// let squares = Array::from_array(arr1(&[0.0, 1.0, 4.0, 9.0]), 2);
/// assert_eq!(laplace(&squares, Mode::Nearest)?.compute()?, arr1(&[1.0, 2.0, 2.0, -5.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.laplace`.
#[track_caller]
#[doc(alias = "dask_image.ndfilters.laplace")]
pub fn laplace<A: FloatPixel, D: Dimension>(
    image: &Array<A, D>,
    mode: impl Into<PerAxis<Mode>>,
) -> Result<Array<A, D>, Error> {
    let modes = resolve_modes(mode.into(), image.ndim())?;
    let mut sum = None;
    for (axis, &mode) in modes.iter().enumerate() {
        let along = Along { line: Some(Weights::new(vec![1.0, -2.0, 1.0])), reach: Depth::both(1), mode };
        plus(&mut sum, along_axis(image, "laplace", "image.laplace/1", axis, along)?);
    }
    Ok(sum.unwrap_or_else(|| image.clone()))
}

/// The curvature of the smoothed image, summed over the axes: what `scipy.ndimage.gaussian_laplace` gives.
///
/// The second argument is the standard deviation in pixels, one for all axes or one for each, or a [`Gaussian`] that says
/// more; orders of it do not count.
///
/// **Shape** and blocks stay. **Units** of `sigma`: pixels.
/// **Cost** a [`gaussian_filter`] for each axis, and their sum.
///
/// # Errors
/// As [`gaussian_filter`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::Ix2};
/// use musher_image::gaussian_laplace;
/// use musher_scheduler::Compute;
/// let star = Array::<f64, Ix2>::from_shape_fn((9, 9), 4, |place| if place == (4, 4) { 1.0 } else { 0.0 });
/// assert!(gaussian_laplace(&star, 1.0)?.compute()?[[4, 4]] < 0.0, "a summit");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.gaussian_laplace`.
#[track_caller]
#[doc(alias = "dask_image.ndfilters.gaussian_laplace")]
#[doc(alias = "laplacian_of_gaussian")]
pub fn gaussian_laplace<A: FloatPixel, D: Dimension>(
    image: &Array<A, D>,
    parameters: impl Into<Gaussian>,
) -> Result<Array<A, D>, Error> {
    let (parameters, ndim) = (parameters.into(), image.ndim());
    let mut sum = None;
    for axis in 0..ndim {
        plus(&mut sum, gaussian_filter(image, parameters.clone().order(one_of(ndim, axis, 2)))?);
    }
    Ok(sum.unwrap_or_else(|| image.clone()))
}

/// The steepest slope of the smoothed image: what `scipy.ndimage.gaussian_gradient_magnitude` gives.
///
/// As [`gaussian_laplace`] otherwise.
///
/// # Errors
/// As [`gaussian_filter`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::Ix2};
/// use musher_image::gaussian_gradient_magnitude;
/// use musher_scheduler::Compute;
/// let edge = Array::<f64, Ix2>::from_shape_fn((9, 9), 4, |(_, x)| if x < 4 { 0.0 } else { 1.0 });
/// let steep = gaussian_gradient_magnitude(&edge, 1.0)?.compute()?;
/// assert!(steep[[4, 4]] > 0.3 && steep[[4, 0]] < 0.01);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.gaussian_gradient_magnitude`.
#[track_caller]
#[doc(alias = "dask_image.ndfilters.gaussian_gradient_magnitude")]
pub fn gaussian_gradient_magnitude<A: FloatPixel, D: Dimension>(
    image: &Array<A, D>,
    parameters: impl Into<Gaussian>,
) -> Result<Array<A, D>, Error> {
    let (parameters, ndim) = (parameters.into(), image.ndim());
    let mut squares = None;
    for axis in 0..ndim {
        let slope = gaussian_filter(image, parameters.clone().order(one_of(ndim, axis, 1)))?;
        plus(&mut squares, &slope * &slope);
    }
    Ok(squares.map_or_else(|| image.clone(), |squares| squares.sqrt()))
}

/// A value for one axis, and 0 for the others.
fn one_of(ndim: usize, axis: usize, value: usize) -> Vec<usize> {
    (0..ndim).map(|at| if at == axis { value } else { 0 }).collect()
}
