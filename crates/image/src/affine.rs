//! Images moved, stretched and turned: transformations in which straight lines stay straight.

use musher_array::{Array, Chunking, PerAxis};
use musher_graph_core::Site;
use ndarray::{Array2, Axis, Dimension};

use crate::error::Error;
use crate::filter::{check_axis, resolve};
use crate::gaussian::{FloatPixel, Gaussian, gaussian_filter};
use crate::kernel::resample::SplineMode;
use crate::pixel::Pixel;
use crate::resample::{Coordinates, Plan, Stretch};
use crate::spline::Spline;
use musher_array::Boundary as Mode;

/// A transformation by a matrix: the place `o` of the answer shows the image at `matrix · o + offset`.
///
/// A matrix alone has no offset and keeps the shape of the image. One with a column more holds the offset in it, and may have
/// a last row of zeros and a one: homogeneous coordinates.
///
/// # Examples
/// ```
/// use musher_array::ndarray::arr2;
/// use musher_image::Affine;
/// let turned = Affine::matrix(arr2(&[[0.0, 1.0], [-1.0, 0.0]])).offset([0.0, 4.0]).shape([6, 5]);
/// assert_ne!(turned, Affine::from(arr2(&[[0.0, 1.0], [-1.0, 0.0]])));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Affine {
    matrix: Array2<f64>,
    offset: PerAxis<f64>,
    shape: Option<Vec<usize>>,
}

/// A transformation that was checked against an image: rows of the matrix, an offset for each, and the shape of the answer.
struct Checked {
    matrix: Vec<f64>,
    offset: Vec<f64>,
    shape: Vec<usize>,
}

impl Affine {
    /// The transformation of a matrix with a row and a column for each axis.
    #[must_use]
    pub fn matrix(matrix: Array2<f64>) -> Self {
        Self { matrix, offset: PerAxis::All(0.0), shape: None }
    }

    /// Where the first place of the answer lies in the image, in pixels; a matrix with a column more has its own.
    #[must_use]
    pub fn offset(self, offset: impl Into<PerAxis<f64>>) -> Self {
        Self { offset: offset.into(), ..self }
    }

    /// The shape of the answer, which is that of the image else.
    #[must_use]
    #[doc(alias = "output_shape")]
    pub fn shape(self, shape: impl Into<Vec<usize>>) -> Self {
        Self { shape: Some(shape.into()), ..self }
    }

    /// Rows, offset and shape for an image of this shape.
    fn resolve(self, image: &[usize], caller: Site) -> Result<Checked, Error> {
        let ndim = image.len();
        let count = |parameter, found| match found == ndim {
            true => Ok(()),
            false => Err(Error::AxisCount { parameter, expected: ndim, found, caller }),
        };
        let (rows, columns) = self.matrix.dim();
        let mut offset = resolve(self.offset, "offset", ndim)?;
        let matrix = if columns == ndim + 1 && (rows == ndim || rows == ndim + 1) {
            let last = self.matrix.rows().into_iter().nth(ndim);
            let is_plain = |(at, &value): (usize, &f64)| value == f64::from(u8::from(at == ndim));
            if last.is_some_and(|last| !last.iter().enumerate().all(is_plain)) {
                let expected = "one with a last row of zeros and a one";
                return Err(Error::Parameter { parameter: "matrix", value: f64::NAN, expected, caller });
            }
            offset = self.matrix.column(ndim).iter().take(ndim).copied().collect();
            self.matrix.slice(ndarray::s![..ndim, ..ndim]).to_owned()
        } else {
            count("matrix", rows)?;
            count("matrix", columns)?;
            self.matrix
        };
        if let Some(&value) = matrix.iter().chain(&offset).find(|value| !value.is_finite()) {
            return Err(Error::Parameter { parameter: "matrix", value, expected: "finite", caller });
        }
        let shape = self.shape.unwrap_or_else(|| image.to_vec());
        count("shape", shape.len())?;
        Ok(Checked { matrix: matrix.iter().copied().collect(), offset, shape })
    }
}

impl From<Array2<f64>> for Affine {
    fn from(matrix: Array2<f64>) -> Self {
        Self::matrix(matrix)
    }
}

/// Blocks that an answer has along an axis at most.
const MOST_BLOCKS: usize = 1 << 20;

/// The blocks of an answer of this shape, of which a step along each axis is so many pixels of the image: as long as the
/// image's, shorter where the image is made smaller, so that what they read stays as large.
pub(crate) fn divided(
    image: &Chunking,
    shape: &[usize],
    steps: &[f64],
    caller: Site,
) -> Result<Chunking, Error> {
    let is_same = image.shape() == shape && steps.iter().all(|&step| step <= 1.0);
    if is_same {
        return Ok(image.clone());
    }
    let whole = shape
        .iter()
        .try_fold(1_usize, |n, &length| n.checked_mul(length.max(1)))
        .filter(|&n| n <= isize::MAX as usize / 16);
    if whole.is_none() {
        let value = shape.iter().map(|&length| length as f64).product();
        return Err(Error::Parameter {
            parameter: "shape",
            value,
            expected: "of fewer than 2^59 pixels",
            caller,
        });
    }
    let pieces: Vec<usize> = image
        .largest_block()
        .into_iter()
        .zip(steps)
        .map(|(longest, &step)| ((longest as f64 / step.max(1.0)) as usize).max(1))
        .collect();
    if let Some((&length, _)) =
        shape.iter().zip(&pieces).find(|&(length, &piece)| length.div_ceil(piece) > MOST_BLOCKS)
    {
        let expected = "of at most 2^20 blocks along an axis, which are as long as the image's";
        return Err(Error::Parameter { parameter: "shape", value: length as f64, expected, caller });
    }
    let lengths: Vec<Vec<usize>> = shape
        .iter()
        .zip(pieces)
        .map(|(&length, piece)| match length {
            0 => vec![0],
            _ => (0..length).step_by(piece).map(|at| piece.min(length - at)).collect(),
        })
        .collect();
    Ok(Chunking::from_lengths(&lengths))
}

/// The image stretched along each axis.
#[track_caller]
fn stretched<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    label: &'static str,
    shape: &[usize],
    along: Vec<Stretch>,
    spline: Spline,
) -> Result<Array<A, D>, Error> {
    let caller = Site::caller();
    let spline = spline.check::<A>(image.ndim())?;
    let steps: Vec<f64> = along.iter().map(|along| along.step.abs()).collect();
    let chunks = divided(image.chunks(), shape, &steps, caller)?;
    Plan { label, chunks, spline, caller }.resampled(image, Coordinates::Stretched(along))
}

/// Moves, stretches, turns or shears an image: what `scipy.ndimage.affine_transform` gives.
///
/// The second argument is a matrix, or an [`Affine`] that says more; the third the order of a [`Spline`], or one that says
/// more. Integers are rounded to the nearest, and end at their range.
///
/// **Shape** that of the image, or [`Affine::shape`]; blocks are as long as the image's, shorter where it is made smaller.
/// **Cost** one pass, after one for the coefficients of splines of order 2 and more. Each block reads the blocks of the image
/// around the box in which its corners lie; the sum of `(order + 1)^axes` pixels for each.
///
/// # Errors
/// [`Error::Parameter`] for an order above 5, a matrix that is not finite and a constant that integer pixels cannot have;
/// [`Error::AxisCount`] for a matrix, offset or shape with another number of axes.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr2};
/// use musher_image::{Affine, affine_transform};
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr2(&[[1, 2, 3], [4, 5, 6]]), 2);
/// let turned = Affine::matrix(arr2(&[[0.0, 1.0], [-1.0, 0.0]])).offset([0.0, 2.0]).shape([3, 2]);
/// assert_eq!(affine_transform(&image, turned, 1)?.compute()?, arr2(&[[3, 6], [2, 5], [1, 4]]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.affine_transform`.
#[track_caller]
#[doc(alias = "dask_image.ndinterp.affine_transform")]
#[doc(alias = "scipy.ndimage.affine_transform")]
#[doc(alias = "warp")]
pub fn affine_transform<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    transformation: impl Into<Affine>,
    spline: impl Into<Spline>,
) -> Result<Array<A, D>, Error> {
    affine(image, "affine_transform", transformation.into(), spline.into())
}

#[track_caller]
fn affine<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    label: &'static str,
    transformation: Affine,
    spline: Spline,
) -> Result<Array<A, D>, Error> {
    let caller = Site::caller();
    let ndim = image.ndim();
    let Checked { matrix, offset, shape } = transformation.resolve(&image.shape(), caller)?;
    let spline = spline.check::<A>(ndim)?;
    let step = |column: usize| (0..ndim).map(|row| matrix[row * ndim + column].abs()).fold(0.0, f64::max);
    let steps: Vec<f64> = (0..ndim).map(step).collect();
    let chunks = divided(image.chunks(), &shape, &steps, caller)?;
    Plan { label, chunks, spline, caller }.resampled(image, Coordinates::Affine { matrix, offset })
}

/// Moves an image by parts of pixels: what `scipy.ndimage.shift` gives.
///
/// The second argument says by how many pixels towards higher indices, for all axes or for each. As [`affine_transform`]
/// otherwise.
///
/// **Shape** and blocks stay. **Units** of the shift: pixels.
///
/// # Errors
/// [`Error::Parameter`] for an order above 5, a shift that is not finite and a constant that integer pixels cannot have;
/// [`Error::AxisCount`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::{Spline, SplineMode, shift};
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[1.0, 2.0, 4.0, 8.0]), 2);
/// assert_eq!(shift(&image, 0.5, 1)?.compute()?, arr1(&[0.0, 1.5, 3.0, 6.0]));
/// let nearest = Spline::order(1).mode(SplineMode::Nearest);
/// assert_eq!(shift(&image, -1.0, nearest)?.compute()?, arr1(&[2.0, 4.0, 8.0, 8.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.shift`.
#[track_caller]
#[doc(alias = "scipy.ndimage.shift")]
#[doc(alias = "translate")]
pub fn shift<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    by: impl Into<PerAxis<f64>>,
    spline: impl Into<Spline>,
) -> Result<Array<A, D>, Error> {
    let caller = Site::caller();
    let by = resolve(by.into(), "shift", image.ndim())?;
    if let Some(&value) = by.iter().find(|value| !value.is_finite()) {
        return Err(Error::Parameter { parameter: "shift", value, expected: "finite", caller });
    }
    let along = by.iter().map(|by| Stretch { shift: -by, step: 1.0, is_of_areas: false }).collect();
    stretched(image, "shift", &image.shape(), along, spline.into())
}

/// Makes an image larger or smaller by a factor: what `scipy.ndimage.zoom` gives.
///
/// The second argument is the factor, for all axes or for each. The centers of the pixels in the corners stay where they are, so
/// that the steps between pixels are not quite the factor; [`resize`] takes pixels for areas instead, and smooths what it makes
/// smaller.
///
/// **Shape** lengths times the factor, rounded, halves to the even number; blocks as [`affine_transform`].
/// **Cost** as [`affine_transform`].
///
/// # Errors
/// [`Error::Parameter`] for an order above 5, a factor that is negative or not finite and a constant that integer pixels cannot
/// have; [`Error::AxisCount`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::zoom;
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[0.0, 10.0, 40.0]), 2);
/// let larger = zoom(&image, 5.0 / 3.0, 1)?;
/// assert_eq!(larger.compute()?, arr1(&[0.0, 5.0, 10.0, 25.0, 40.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.zoom`.
#[track_caller]
#[doc(alias = "scipy.ndimage.zoom")]
#[doc(alias = "rescale")]
pub fn zoom<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    factor: impl Into<PerAxis<f64>>,
    spline: impl Into<Spline>,
) -> Result<Array<A, D>, Error> {
    let caller = Site::caller();
    let factors = resolve(factor.into(), "factor", image.ndim())?;
    if let Some(&value) = factors.iter().find(|&&factor| !(factor >= 0.0 && factor.is_finite())) {
        return Err(Error::Parameter {
            parameter: "factor",
            value,
            expected: "0 or more, and finite",
            caller,
        });
    }
    let lengths = image.shape();
    let length = |(&length, &factor): (&usize, &f64)| (length as f64 * factor).round_ties_even() as usize;
    let shape: Vec<usize> = lengths.iter().zip(&factors).map(length).collect();
    let along = lengths.iter().zip(&shape).map(|(&from, &to)| {
        let step = if to > 1 { (from as f64 - 1.0) / (to as f64 - 1.0) } else { 1.0 };
        Stretch { shift: 0.0, step, is_of_areas: false }
    });
    stretched(image, "zoom", &shape, along.collect(), spline.into())
}

/// How [`rotate`] turns an image.
///
/// A plain number is the angle in degrees. The plane is that of the first two axes, and the answer is so large that it holds
/// the whole image.
///
/// # Examples
/// ```
/// use musher_array::ndarray::Axis;
/// use musher_image::Rotation;
/// assert_ne!(Rotation::degrees(30.0).axes([Axis(1), Axis(2)]).keep_shape(), Rotation::from(30.0));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Rotation {
    degrees: f64,
    axes: [Axis; 2],
    keeps_shape: bool,
}

impl Rotation {
    /// Turns by an angle in degrees, from the second axis of the plane towards the first: to the left, as images are shown.
    #[must_use]
    pub fn degrees(degrees: f64) -> Self {
        Self { degrees, axes: [Axis(0), Axis(1)], keeps_shape: false }
    }

    /// The axes of the plane that is turned, in any order.
    #[must_use]
    pub fn axes(self, axes: [Axis; 2]) -> Self {
        Self { axes, ..self }
    }

    /// Keeps the shape of the image, and cuts off what it does not hold: scipy's `reshape=False`.
    #[must_use]
    pub fn keep_shape(self) -> Self {
        Self { keeps_shape: true, ..self }
    }
}

impl From<f64> for Rotation {
    fn from(degrees: f64) -> Self {
        Self::degrees(degrees)
    }
}

/// Sine and cosine of an angle in degrees, exact at right angles.
fn sine_and_cosine(degrees: f64) -> (f64, f64) {
    // A small negative angle is rounded to a whole turn.
    let around = degrees.rem_euclid(360.0) % 360.0;
    let (quarter, rest) = ((around / 90.0).floor(), around % 90.0);
    let (sine, cosine) = rest.to_radians().sin_cos();
    match quarter as u8 {
        0 => (sine, cosine),
        1 => (cosine, -sine),
        2 => (-sine, -cosine),
        _ => (-cosine, sine),
    }
}

/// Turns an image in a plane about its middle: what `scipy.ndimage.rotate` gives.
///
/// The second argument is the angle in degrees, or a [`Rotation`] that says more. As [`affine_transform`] otherwise.
///
/// **Shape** as large as the turned image, or that of the image with [`Rotation::keep_shape`].
///
/// # Errors
/// As [`affine_transform`], and [`Error::Parameter`] for an angle that is not finite, for axes that are equal or that the
/// image has not, and for coefficients of more than two axes.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr2};
/// use musher_image::rotate;
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr2(&[[1, 2, 3], [4, 5, 6]]), 2);
/// assert_eq!(rotate(&image, 90.0, 1)?.compute()?, arr2(&[[3, 6], [2, 5], [1, 4]]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.rotate`.
#[track_caller]
#[doc(alias = "scipy.ndimage.rotate")]
pub fn rotate<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    rotation: impl Into<Rotation>,
    spline: impl Into<Spline>,
) -> Result<Array<A, D>, Error> {
    let (caller, spline) = (Site::caller(), spline.into());
    let Rotation { degrees, axes, keeps_shape } = rotation.into();
    let mut shape = image.shape();
    let ndim = shape.len();
    axes.iter().try_for_each(|&axis| check_axis(axis, ndim))?;
    let refuse = |parameter, value, expected| Err(Error::Parameter { parameter, value, expected, caller });
    if axes[0] == axes[1] {
        return refuse("axis", axes[1].index() as f64, "another than the first of the plane");
    }
    if !degrees.is_finite() {
        return refuse("degrees", degrees, "finite");
    }
    if ndim > 2 && spline.is_of_coefficients() {
        return refuse("spline", ndim as f64, "of pixels, not coefficients, for more than two axes");
    }
    let [first, second] = [axes[0].min(axes[1]).index(), axes[0].max(axes[1]).index()];
    let (sine, cosine) = sine_and_cosine(degrees);
    let (rows, columns) = (shape[first] as f64, shape[second] as f64);
    let center = |length: f64| (length - 1.0) / 2.0;
    if !keeps_shape {
        let spread = |along: [f64; 2]| {
            let corners = [0.0, along[0] * rows, along[1] * columns, along[0] * rows + along[1] * columns];
            let (low, high) =
                (corners.iter().copied().fold(0.0, f64::min), corners.iter().copied().fold(0.0, f64::max));
            (high - low + 0.5) as usize
        };
        (shape[first], shape[second]) = (spread([cosine, sine]), spread([-sine, cosine]));
    }
    let (row, column) = (center(shape[first] as f64), center(shape[second] as f64));
    let mut matrix = Array2::eye(ndim);
    matrix[[first, first]] = cosine;
    matrix[[first, second]] = sine;
    matrix[[second, first]] = -sine;
    matrix[[second, second]] = cosine;
    let mut offset = vec![0.0; ndim];
    offset[first] = center(rows) - (cosine * row + sine * column);
    offset[second] = center(columns) - (cosine * column - sine * row);
    let transformation = Affine::matrix(matrix).offset(PerAxis::Each(offset)).shape(shape);
    affine(image, "rotate", transformation, spline)
}

/// Makes an image of a shape of another, and smooths it first where it becomes smaller: what `skimage.transform.resize` gives
/// with `clip=False` and `preserve_range=True`.
///
/// Pixels are areas: their edges stay where they are, not their centers. Where an axis becomes shorter by the factor `f`, the image is
/// smoothed along it by a Gaussian of the standard deviation `(f - 1) / 2`, which keeps fine patterns from becoming coarse ones;
/// `scipy.ndimage.zoom` has `grid_mode=True` for the same without it. scikit-image calls modes otherwise: its `reflect`, the
/// default there, is [`SplineMode::Mirror`], its `symmetric` [`SplineMode::Reflect`], its `edge` [`SplineMode::Nearest`], its
/// `constant` [`SplineMode::GridConstant`] and its `wrap` [`SplineMode::GridWrap`].
///
/// **Shape** the one asked for; blocks as [`affine_transform`].
/// **Cost** as [`affine_transform`], and a [`gaussian_filter`] where the image is made smaller.
///
/// # Errors
/// [`Error::Parameter`] for an order above 5; [`Error::AxisCount`] for a shape with another number of axes.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::Ix2};
/// use musher_image::{Spline, SplineMode, resize};
/// use musher_scheduler::Compute;
/// let image = Array::<f64, Ix2>::from_shape_fn((40, 60), 16, |(y, _)| y as f64);
/// let small = resize(&image, [10, 15], Spline::order(1).mode(SplineMode::Mirror))?.compute()?;
/// assert_eq!(small.dim(), (10, 15));
/// assert!((small[[5, 5]] - 21.5).abs() < 1e-9, "the middle of four rows");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `skimage.transform.resize`.
#[track_caller]
#[doc(alias = "skimage.transform.resize")]
#[doc(alias = "anti_aliasing")]
pub fn resize<A: FloatPixel + Pixel, D: Dimension>(
    image: &Array<A, D>,
    shape: impl Into<Vec<usize>>,
    spline: impl Into<Spline>,
) -> Result<Array<A, D>, Error> {
    let caller = Site::caller();
    let (shape, spline) = (shape.into(), spline.into());
    let lengths = image.shape();
    if shape.len() != lengths.len() {
        let (expected, found) = (lengths.len(), shape.len());
        return Err(Error::AxisCount { parameter: "shape", expected, found, caller });
    }
    let mode = spline.clone().check::<A>(lengths.len())?.mode;
    let step = |(&from, &to): (&usize, &usize)| if to == 0 { 1.0 } else { from as f64 / to as f64 };
    let steps: Vec<f64> = lengths.iter().zip(&shape).map(step).collect();
    let sigmas: Vec<f64> = steps.iter().map(|step| ((step - 1.0) / 2.0).max(0.0)).collect();
    let beyond = match mode {
        SplineMode::Constant(value) | SplineMode::GridConstant(value) => Mode::Constant(value),
        SplineMode::Nearest => Mode::Nearest,
        SplineMode::Mirror => Mode::Mirror,
        SplineMode::Reflect => Mode::Reflect,
        SplineMode::GridWrap | SplineMode::Wrap => Mode::Wrap,
    };
    let smooth = gaussian_filter(image, Gaussian::sigma(PerAxis::Each(sigmas)).mode(beyond))?;
    let along = steps.iter().map(|&step| Stretch { shift: 0.0, step, is_of_areas: true }).collect();
    stretched(&smooth, "resize", &shape, along, spline)
}
