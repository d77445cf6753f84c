//! Erosion and dilation, of grey and of binary images, and what they are put together to.

use musher_array::neighborhood::neighborhood;
use musher_array::{Array, Boundary as Mode, Element};
use musher_graph_core::Token;
use ndarray::Dimension;

use crate::error::Error;
use crate::filter::{Along, along_axes, check_constants, halo};
use crate::gaussian::FloatPixel;
use crate::kernel::separable::Line;
use crate::kernel::taps::{Extreme, Form, Heights, Taps};
use crate::kernel::windows::{Greatest, Least, Windows};
use crate::pixel::Pixel;
use crate::structure::{Resolved, Structure};
use crate::tapped::Tapped;

/// The least (`IS_LEAST`) or greatest of the neighbors that count, once or several times.
#[track_caller]
fn extremes<A: Pixel, D: Dimension, const IS_LEAST: bool>(
    image: &Array<A, D>,
    label: &'static str,
    structure: &Resolved,
) -> Result<Array<A, D>, Error> {
    match (&structure.heights, &structure.footprint) {
        (None, None) if IS_LEAST => boxed::<A, D, Least>(image, label, "image.minimum_filter/1", structure),
        (None, None) => boxed::<A, D, Greatest>(image, label, "image.maximum_filter/1", structure),
        (heights, _) => {
            check_constants::<A>(structure.along.iter().map(|&(.., mode)| mode))?;
            match heights {
                Some(heights) => {
                    let heights = Heights::<IS_LEAST>(heights.iter().copied().collect());
                    tapped(image, label, structure, A::narrow, heights)
                }
                None => tapped(image, label, structure, A::narrow, Extreme::<IS_LEAST>),
            }
        }
    }
}

/// What becomes of a box, axis after axis.
#[track_caller]
fn boxed<A: Pixel, D: Dimension, M>(
    image: &Array<A, D>,
    label: &'static str,
    name: &'static str,
    structure: &Resolved,
) -> Result<Array<A, D>, Error>
where
    Windows<M>: Line<A>,
{
    let mut image = image.clone();
    for _ in 0..structure.iterations {
        let lines = structure.along.iter().map(|&(size, reach, mode)| {
            let line = (size > 1).then(|| Windows::<M>::new(size));
            Along { line, reach, mode }
        });
        image = along_axes(&image, label, name, lines.collect())?;
    }
    Ok(image)
}

/// What taps make of the places that count.
#[track_caller]
fn tapped<A: Element, D: Dimension, T: Taps<A> + Token + Clone>(
    image: &Array<A, D>,
    label: &'static str,
    structure: &Resolved,
    pixel: fn(f64) -> A,
    taps: T,
) -> Result<Array<A, D>, Error> {
    let (depths, modes) = halo(&structure.along, pixel);
    let form = Form::new(&structure.places()?);
    let mut image = image.clone();
    for _ in 0..structure.iterations {
        let kernel = Tapped::new(label, "image.morphology/1", form.clone(), taps.clone());
        image = neighborhood(&image, depths.clone(), modes.clone(), kernel)?;
    }
    Ok(image)
}

/// Both of an opening or closing.
#[track_caller]
fn both<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    structure: impl Into<Structure>,
    is_opening: bool,
) -> Result<Array<A, D>, Error> {
    let structure = structure.into();
    match is_opening {
        true => grey_dilation(&grey_erosion(image, structure.clone())?, structure),
        false => grey_erosion(&grey_dilation(image, structure.clone())?, structure),
    }
}

/// The least of the neighbors that a structure has, each less its height: what `scipy.ndimage.grey_erosion` gives.
///
/// The second argument is the size of a box, one for all axes or one for each, an ndarray array of `bool` that says which
/// neighbors count, or a [`Structure`] that says more. Where a neighbor that counts is NaN, the answer is.
///
/// **Shape** and blocks stay. **Units** of sizes: pixels.
/// **Cost** one pass; for a box per pixel and axis one comparison more than its size has binary digits, else one for each
/// place that counts. Heights are taken away in `f64`, so that integers beyond 2^53 are rounded; what does not fit
/// becomes the end of the integers' range.
///
/// # Errors
/// [`Error::AxisCount`] for a structure with another number of axes, [`Error::Parameter`] for one without a place that counts,
/// for an origin that leaves the pixel outside of it and for no iterations; [`Error::NoMode`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::{Structure, grey_erosion};
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[5_u8, 3, 6, 7, 9]), 2);
/// assert_eq!(grey_erosion(&image, 3)?.compute()?, arr1(&[3, 3, 3, 6, 7]));
/// let ends = arr1(&[true, false, true]);
/// assert_eq!(grey_erosion(&image, ends)?.compute()?, arr1(&[3, 5, 3, 6, 7]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.grey_erosion`.
#[track_caller]
#[doc(alias = "erode")]
pub fn grey_erosion<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    structure: impl Into<Structure>,
) -> Result<Array<A, D>, Error> {
    let structure = structure.into().resolve(image.ndim(), Mode::Reflect)?;
    extremes::<A, D, true>(image, "grey_erosion", &structure)
}

/// The greatest of the neighbors that have a pixel in their structure, each with its height there: what
/// `scipy.ndimage.grey_dilation` gives.
///
/// As [`grey_erosion`] otherwise, with the structure reflected.
///
/// # Errors
/// As [`grey_erosion`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::{Structure, grey_dilation};
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[5_u8, 3, 6, 7, 9]), 2);
/// let two = Structure::heights(arr1(&[0.0, 10.0]));
/// assert_eq!(grey_dilation(&image, two)?.compute()?, arr1(&[15, 13, 16, 17, 19]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.grey_dilation`.
#[track_caller]
#[doc(alias = "dilate")]
pub fn grey_dilation<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    structure: impl Into<Structure>,
) -> Result<Array<A, D>, Error> {
    let structure = structure.into().resolve(image.ndim(), Mode::Reflect)?.reflected();
    extremes::<A, D, false>(image, "grey_dilation", &structure)
}

/// An erosion and a dilation after it, which removes what is brighter and smaller than the structure: what
/// `scipy.ndimage.grey_opening` gives.
///
/// As [`grey_erosion`] otherwise.
///
/// # Errors
/// As [`grey_erosion`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::grey_opening;
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[1, 9, 1, 5, 5, 5]), 2);
/// assert_eq!(grey_opening(&image, 3)?.compute()?, arr1(&[1, 1, 1, 5, 5, 5]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.grey_opening`.
#[track_caller]
pub fn grey_opening<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    structure: impl Into<Structure>,
) -> Result<Array<A, D>, Error> {
    both(image, structure, true)
}

/// A dilation and an erosion after it, which fills what is darker and smaller than the structure: what
/// `scipy.ndimage.grey_closing` gives.
///
/// As [`grey_erosion`] otherwise.
///
/// # Errors
/// As [`grey_erosion`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::grey_closing;
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[5, 1, 5, 5, 1, 1]), 2);
/// assert_eq!(grey_closing(&image, 3)?.compute()?, arr1(&[5, 5, 5, 5, 1, 1]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.grey_closing`.
#[track_caller]
pub fn grey_closing<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    structure: impl Into<Structure>,
) -> Result<Array<A, D>, Error> {
    both(image, structure, false)
}

/// A dilation less an erosion, which is bright along edges: what `scipy.ndimage.morphological_gradient` gives.
///
/// As [`grey_erosion`] otherwise; computing fails where a difference of integers does not fit.
///
/// # Errors
/// As [`grey_erosion`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::morphological_gradient;
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[1_u8, 1, 1, 5, 5, 5]), 2);
/// assert_eq!(morphological_gradient(&image, 3)?.compute()?, arr1(&[0, 0, 4, 4, 0, 0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.morphological_gradient`.
#[track_caller]
pub fn morphological_gradient<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    structure: impl Into<Structure>,
) -> Result<Array<A, D>, Error> {
    let structure = structure.into();
    Ok(grey_dilation(image, structure.clone())? - grey_erosion(image, structure)?)
}

/// A dilation and an erosion together, less the image twice: what `scipy.ndimage.morphological_laplace` gives.
///
/// As [`grey_erosion`] otherwise.
///
/// # Errors
/// As [`grey_erosion`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::morphological_laplace;
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[1.0, 1.0, 5.0, 5.0]), 2);
/// assert_eq!(morphological_laplace(&image, 3)?.compute()?, arr1(&[0.0, 4.0, -4.0, 0.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.morphological_laplace`.
#[track_caller]
pub fn morphological_laplace<A: FloatPixel + Pixel, D: Dimension>(
    image: &Array<A, D>,
    structure: impl Into<Structure>,
) -> Result<Array<A, D>, Error> {
    let structure = structure.into();
    let sum = grey_dilation(image, structure.clone())? + grey_erosion(image, structure)?;
    Ok(sum - image - image)
}

/// The image less its opening: what is brighter and smaller than the structure, as `scipy.ndimage.white_tophat` gives it.
///
/// As [`grey_erosion`] otherwise; computing fails where a difference of integers does not fit.
///
/// # Errors
/// As [`grey_erosion`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::white_tophat;
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[1, 9, 1, 5, 5, 5]), 2);
/// assert_eq!(white_tophat(&image, 3)?.compute()?, arr1(&[0, 8, 0, 0, 0, 0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.white_tophat`.
#[track_caller]
pub fn white_tophat<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    structure: impl Into<Structure>,
) -> Result<Array<A, D>, Error> {
    Ok(image - grey_opening(image, structure)?)
}

/// The closing less the image: what is darker and smaller than the structure, as `scipy.ndimage.black_tophat` gives it.
///
/// As [`white_tophat`] otherwise.
///
/// # Errors
/// As [`grey_erosion`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::black_tophat;
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[5, 1, 5, 5, 1, 1]), 2);
/// assert_eq!(black_tophat(&image, 3)?.compute()?, arr1(&[0, 4, 0, 0, 0, 0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.black_tophat`.
#[track_caller]
#[doc(alias = "black_hat")]
pub fn black_tophat<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    structure: impl Into<Structure>,
) -> Result<Array<A, D>, Error> {
    Ok(grey_closing(image, structure)? - image)
}

/// All (`ALL`) or any of the neighbors that count, once or several times.
#[track_caller]
fn binary<D: Dimension, const ALL: bool>(
    image: &Array<bool, D>,
    label: &'static str,
    structure: &Resolved,
) -> Result<Array<bool, D>, Error> {
    // False is less than true.
    tapped(image, label, structure, |value| value != 0.0, Extreme::<ALL>)
}

/// The structure of a binary image; beyond its edges is false.
#[track_caller]
fn of_binary(structure: impl Into<Structure>, ndim: usize) -> Result<Resolved, Error> {
    structure.into().resolve(ndim, Mode::Constant(0.0))
}

/// True where all neighbors that a structure has are true: what `scipy.ndimage.binary_erosion` gives.
///
/// The second argument is the size of a box, one for all axes or one for each, an ndarray array of `bool` that says which
/// neighbors count, or a [`Structure`] that says more: how often, and what stands beyond the edges, which is false else.
/// scipy's own structure where nothing is said is `Structure::connectivity(1)`.
///
/// **Shape** and blocks stay. **Units** of sizes: pixels.
/// **Cost** one pass for each iteration; a comparison for each place that counts.
///
/// # Errors
/// As [`grey_erosion`]; heights do not count.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::{Mode, Structure, binary_erosion};
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[true, true, true, false, true]), 2);
/// let small = binary_erosion(&image, Structure::connectivity(1))?;
/// assert_eq!(small.compute()?, arr1(&[false, true, false, false, false]));
/// let light_outside = Structure::connectivity(1).mode(Mode::Constant(1.0));
/// assert_eq!(binary_erosion(&image, light_outside)?.compute()?, arr1(&[true, true, false, false, false]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.binary_erosion`.
#[track_caller]
#[doc(alias = "dask_image.ndmorph.binary_erosion")]
pub fn binary_erosion<D: Dimension>(
    image: &Array<bool, D>,
    structure: impl Into<Structure>,
) -> Result<Array<bool, D>, Error> {
    binary::<D, true>(image, "binary_erosion", &of_binary(structure, image.ndim())?)
}

/// True where a pixel lies in the structure of any neighbor that is true: what `scipy.ndimage.binary_dilation` gives.
///
/// As [`binary_erosion`] otherwise.
///
/// # Errors
/// As [`binary_erosion`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::{Structure, binary_dilation};
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[true, false, false, false, false]), 2);
/// let twice = Structure::connectivity(1).iterations(2);
/// assert_eq!(binary_dilation(&image, twice)?.compute()?, arr1(&[true, true, true, false, false]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.binary_dilation`.
#[track_caller]
#[doc(alias = "dask_image.ndmorph.binary_dilation")]
pub fn binary_dilation<D: Dimension>(
    image: &Array<bool, D>,
    structure: impl Into<Structure>,
) -> Result<Array<bool, D>, Error> {
    binary::<D, false>(image, "binary_dilation", &of_binary(structure, image.ndim())?.reflected())
}

/// An erosion and a dilation after it, which removes what the structure does not fit into: what
/// `scipy.ndimage.binary_opening` gives.
///
/// As [`binary_erosion`] otherwise.
///
/// # Errors
/// As [`binary_erosion`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::{Structure, binary_opening};
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[true, true, true, false, true, false]), 2);
/// let open = binary_opening(&image, Structure::connectivity(1))?;
/// assert_eq!(open.compute()?, arr1(&[true, true, true, false, false, false]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.binary_opening`.
#[track_caller]
#[doc(alias = "dask_image.ndmorph.binary_opening")]
pub fn binary_opening<D: Dimension>(
    image: &Array<bool, D>,
    structure: impl Into<Structure>,
) -> Result<Array<bool, D>, Error> {
    let structure = structure.into();
    binary_dilation(&binary_erosion(image, structure.clone())?, structure)
}

/// A dilation and an erosion after it, which fills what the structure does not fit into: what
/// `scipy.ndimage.binary_closing` gives.
///
/// As [`binary_erosion`] otherwise.
///
/// # Errors
/// As [`binary_erosion`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::{Structure, binary_closing};
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[false, true, true, false, true, true, false]), 2);
/// let closed = binary_closing(&image, Structure::connectivity(1))?;
/// assert_eq!(closed.compute()?, arr1(&[false, true, true, true, true, true, false]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.binary_closing`.
#[track_caller]
#[doc(alias = "dask_image.ndmorph.binary_closing")]
pub fn binary_closing<D: Dimension>(
    image: &Array<bool, D>,
    structure: impl Into<Structure>,
) -> Result<Array<bool, D>, Error> {
    let structure = structure.into();
    binary_erosion(&binary_dilation(image, structure.clone())?, structure)
}

/// True where all neighbors that one structure has are true, and all that another has are false: what
/// `scipy.ndimage.binary_hit_or_miss` gives. Beyond the edges is false.
///
/// scipy's own second structure where nothing is said is the first one with true and false exchanged.
///
/// As [`binary_erosion`] otherwise.
///
/// # Errors
/// As [`binary_erosion`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::binary_hit_or_miss;
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[true, true, false, true]), 2);
/// let (on, off) = (arr1(&[false, true, false]), arr1(&[true, false, false]));
/// let begins = binary_hit_or_miss(&image, on, off)?;
/// assert_eq!(begins.compute()?, arr1(&[true, false, false, true]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.binary_hit_or_miss`.
#[track_caller]
pub fn binary_hit_or_miss<D: Dimension>(
    image: &Array<bool, D>,
    hit: impl Into<Structure>,
    miss: impl Into<Structure>,
) -> Result<Array<bool, D>, Error> {
    let hits = binary::<D, true>(image, "binary_hit_or_miss", &of_binary(hit, image.ndim())?)?;
    let others = binary::<D, false>(image, "binary_hit_or_miss", &of_binary(miss, image.ndim())?)?;
    Ok(hits & !others)
}
