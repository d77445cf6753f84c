//! Where regions have their least and greatest values, and what a function makes of the values of each.

use musher_array::Array;
use musher_graph_core::Site;
use ndarray::{Dimension, Ix1, Ix2};

use crate::error::Error;
use crate::gray::Intensity;
use crate::kernel::measure::{Region, Regions};
use crate::measure::{LabelIndex, PerLabel, maximum, minimum, pick, regions};

/// The place of a position in C order, along each axis.
pub(crate) fn unravel(position: u64, shape: &[usize]) -> impl DoubleEndedIterator<Item = i64> {
    let mut rest = position;
    let mut place = vec![0; shape.len()];
    for (at, &length) in place.iter_mut().zip(shape).rev() {
        let length = (length as u64).max(1);
        *at = (rest % length) as i64;
        rest /= length;
    }
    place.into_iter()
}

/// The place that `of` takes from each region.
#[track_caller]
fn place<A: Intensity, D: Dimension>(
    name: &'static str,
    image: &Array<A, D>,
    labels: &Array<i32, D>,
    index: LabelIndex,
    of: fn(&Region) -> u64,
) -> Result<PerLabel<i64, Ix2>, Error> {
    let caller = Site::caller();
    let shape = image.shape();
    let regions = regions(name, image, labels, caller)?;
    pick(&regions, name, index, &[shape.len()], caller, move |regions: &Regions, row, into| match row {
        Some(row) => into.extend(unravel(of(&regions.regions[row]), &shape)),
        None => into.extend(std::iter::repeat_n(-1, shape.len())),
    })
}

/// Where the least value of each region stands first, in C order: what `scipy.ndimage.minimum_position` gives.
///
/// A NaN counts as least. All are -1 for a label that does not occur.
///
/// **Shape** `(labels, axes)`. **Units** pixels. **Cost** as [`mean`](crate::mean).
///
/// # Errors
/// As [`mean`](crate::mean).
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::{arr1, arr2}};
/// use musher_image::minimum_position;
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[5.0, 3.0, 3.0, 8.0]), 2);
/// let labels = Array::from_array(arr1(&[1, 1, 1, 2]), 2);
/// assert_eq!(minimum_position(&image, &labels, ..)?.compute()?, arr2(&[[1], [3]]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.minimum_position`.
#[track_caller]
#[doc(alias = "dask_image.ndmeasure.minimum_position")]
pub fn minimum_position<A: Intensity, D: Dimension>(
    image: &Array<A, D>,
    labels: &Array<i32, D>,
    index: impl Into<LabelIndex>,
) -> Result<PerLabel<i64, Ix2>, Error> {
    place("minimum_position", image, labels, index.into(), |region| region.minimum_at)
}

/// Where the greatest value of each region stands first, in C order: what `scipy.ndimage.maximum_position` gives.
///
/// As [`minimum_position`] otherwise; a NaN counts as greatest, too.
///
/// # Errors
/// As [`mean`](crate::mean).
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::{arr1, arr2}};
/// use musher_image::maximum_position;
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[5.0, 3.0, 5.0, 8.0]), 2);
/// let labels = Array::from_array(arr1(&[1, 1, 1, 2]), 2);
/// assert_eq!(maximum_position(&image, &labels, [2, 1])?.compute()?, arr2(&[[3], [0]]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.maximum_position`.
#[track_caller]
#[doc(alias = "dask_image.ndmeasure.maximum_position")]
pub fn maximum_position<A: Intensity, D: Dimension>(
    image: &Array<A, D>,
    labels: &Array<i32, D>,
    index: impl Into<LabelIndex>,
) -> Result<PerLabel<i64, Ix2>, Error> {
    place("maximum_position", image, labels, index.into(), |region| region.maximum_at)
}

/// What [`extrema`] gives: least values, greatest values, and where each stands.
pub type Extrema = (PerLabel<f64, Ix1>, PerLabel<f64, Ix1>, PerLabel<i64, Ix2>, PerLabel<i64, Ix2>);

/// Least and greatest value of each region and where they stand: what `scipy.ndimage.extrema` gives.
///
/// They are those of [`minimum`](crate::minimum()), [`maximum`](crate::maximum()), [`minimum_position`] and
/// [`maximum_position`]; computed together they cost one pass.
///
/// # Errors
/// As [`mean`](crate::mean).
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::{arr1, arr2}};
/// use musher_image::extrema;
/// use musher_scheduler::compute;
/// let image = Array::from_array(arr1(&[5.0, 3.0, 7.0, 8.0]), 2);
/// let labels = Array::from_array(arr1(&[1, 1, 1, 0]), 2);
/// let (least, most, least_at, most_at) = extrema(&image, &labels, ..)?;
/// let (least, most, least_at, most_at) = compute((&least, &most, &least_at, &most_at))?;
/// assert_eq!((least, most), (arr1(&[3.0]), arr1(&[7.0])));
/// assert_eq!((least_at, most_at), (arr2(&[[1]]), arr2(&[[2]])));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.extrema`.
#[track_caller]
#[doc(alias = "dask_image.ndmeasure.extrema")]
pub fn extrema<A: Intensity, D: Dimension>(
    image: &Array<A, D>,
    labels: &Array<i32, D>,
    index: impl Into<LabelIndex>,
) -> Result<Extrema, Error> {
    let index = index.into();
    Ok((
        minimum(image, labels, index.clone())?,
        maximum(image, labels, index.clone())?,
        minimum_position(image, labels, index.clone())?,
        maximum_position(image, labels, index)?,
    ))
}
