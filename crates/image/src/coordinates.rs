//! Images seen at coordinates that an array or a function tells.

use musher_array::{Array, Chunking, Shape};
use musher_graph_core::{Site, function_name};
use ndarray::{Dimension, RemoveAxis};

use crate::affine::divided;
use crate::error::Error;
use crate::pixel::Pixel;
use crate::resample::{Coordinates, Plan};
use crate::spline::{Resolved, Spline};
use crate::wire::port_of;

/// Refuses a reach where the answer has other axes than the image, whose places are not those of the image.
fn check_reach(spline: &Resolved, image: usize, answer: usize, caller: Site) -> Result<(), Error> {
    match spline.reach.is_some() && image != answer {
        true => Err(Error::AxisCount { parameter: "reach", expected: image, found: answer, caller }),
        false => Ok(()),
    }
}

/// The image at given coordinates: what `scipy.ndimage.map_coordinates` gives.
///
/// The first axis of `coordinates` is the axes of the image, the others are those of the answer: element `[.., i, j]` holds where
/// the element `[i, j]` of the answer lies. The third argument is the order of a [`Spline`], or one that says more.
/// A coordinate that is NaN, or infinite but with [`SplineMode::Nearest`](crate::SplineMode::Nearest), gives the constant of the
/// mode, 0 where it has none.
///
/// **Shape** `(axes, …) → (…)`; blocks of the coordinates, whose first axis is brought into one block.
/// **Cost** one pass, after one for the coefficients of splines of order 2 and more. Coordinates are data: without a bound each block
/// needs the whole image, which must fit into memory then. With [`Spline::reach`], where the answer lies on the image, as for
/// fields of displacements, each block reads its surroundings only.
///
/// # Errors
/// [`Error::Parameter`] for an order above 5 and a constant that integer pixels cannot have, [`Error::ShapeMismatch`] when the
/// first axis of the coordinates is not as long as the image has axes, [`Error::AxisCount`] for a reach with another number of axes.
/// Computing fails with [`Error::Reach`] when a coordinate lies further than the reach.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::{arr1, arr2}};
/// use musher_image::map_coordinates;
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr2(&[[1.0, 3.0], [5.0, 7.0]]), 1);
/// let places = Array::from_array(arr2(&[[0.5, 1.0, 0.0], [0.5, 0.0, 9.0]]), 2);
/// assert_eq!(map_coordinates(&image, &places, 1)?.compute()?, arr1(&[4.0, 5.0, 0.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.map_coordinates`.
#[track_caller]
#[doc(alias = "dask_image.ndinterp.map_coordinates")]
#[doc(alias = "scipy.ndimage.map_coordinates")]
#[doc(alias = "remap")]
pub fn map_coordinates<A: Pixel, D: Dimension, E: RemoveAxis>(
    image: &Array<A, D>,
    coordinates: &Array<f64, E>,
    spline: impl Into<Spline>,
) -> Result<Array<A, E::Smaller>, Error> {
    let caller = Site::caller();
    let shape = coordinates.shape();
    let wrong = || {
        let (left, right) = (Shape(image.shape()), Shape(shape.clone()));
        Error::ShapeMismatch { operation: "map_coordinates", left, right, caller }
    };
    if shape.first() != Some(&image.ndim()) {
        return Err(wrong());
    }
    let lengths: Vec<Vec<usize>> = coordinates.chunks().axes().skip(1).map(<[usize]>::to_vec).collect();
    let spline = spline.into().check::<A>(image.ndim())?;
    check_reach(&spline, image.ndim(), lengths.len(), caller)?;
    let chunks = Chunking::from_lengths(&lengths);
    let whole: Vec<Vec<usize>> = std::iter::once(vec![shape[0]]).chain(lengths).collect();
    let coordinates = coordinates.try_rechunk(Chunking::from_lengths(&whole))?;
    let plan = Plan { label: "map_coordinates", chunks, spline, caller };
    plan.resampled(image, Coordinates::Given(port_of(&coordinates)))
}

/// The image at the coordinates that a function tells: what `scipy.ndimage.geometric_transform` gives.
///
/// The function gets a place of the answer and writes the coordinates of the image that stand there. The fourth argument is the order
/// of a [`Spline`], or one that says more. Coordinates that are not finite: as [`map_coordinates`].
///
/// **Shape** the one asked for, whose blocks are as long as the image's.
/// **Cost** one call of the function for each pixel of the answer. Nobody knows beforehand where the function leads: each block
/// needs the whole image, which must fit into memory, but with [`Spline::reach`] its surroundings only.
///
/// # Errors
/// [`Error::Parameter`] for an order above 5 and a constant that integer pixels cannot have, [`Error::AxisCount`] for a shape or
/// reach with another number of axes. Computing fails with [`Error::Reach`] when a coordinate lies further than the reach.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::{Spline, geometric_transform};
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[1.0, 3.0, 5.0, 7.0]), 2);
/// let half = |place: &[usize], x: &mut [f64]| x[0] = place[0] as f64 + 0.5;
/// let found = geometric_transform(&image, [4], half, Spline::order(1).reach(1))?;
/// assert_eq!(found.compute()?, arr1(&[2.0, 4.0, 6.0, 0.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.geometric_transform`.
#[track_caller]
#[doc(alias = "scipy.ndimage.geometric_transform")]
pub fn geometric_transform<A: Pixel, D: Dimension, F>(
    image: &Array<A, D>,
    shape: impl Into<Vec<usize>>,
    function: F,
    spline: impl Into<Spline>,
) -> Result<Array<A, D>, Error>
where
    F: Fn(&[usize], &mut [f64]) + Send + Sync + 'static,
{
    let caller = Site::caller();
    let (shape, ndim) = (shape.into(), image.ndim());
    if shape.len() != ndim {
        return Err(Error::AxisCount { parameter: "shape", expected: ndim, found: shape.len(), caller });
    }
    let spline = spline.into().check::<A>(ndim)?;
    let chunks = divided(image.chunks(), &shape, &vec![1.0; ndim], caller)?;
    let label = function_name::<F>().unwrap_or("geometric_transform");
    Plan { label, chunks, spline, caller }.resampled(image, Coordinates::of(function))
}
