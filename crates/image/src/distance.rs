//! How far each pixel of a binary image is from the background.

use musher_array::{Array, PerAxis};
use musher_graph_core::{Site, Token, Tokenizer};
use ndarray::Dimension;

use crate::error::Error;
use crate::filter::resolve;
use crate::kernel::distance::{Along, Hull};
use crate::lines::Lines;
use crate::wire::Mapping;

impl Token for Along {
    fn token(&self, tokenizer: &mut Tokenizer) {
        match *self {
            Self::Squares(step) => (0_u8, step),
            Self::Taxicab => (1, 0.0),
            Self::Chessboard => (2, 0.0),
        }
        .token(tokenizer);
    }
}

/// Distances along one axis after the other, in the blocks of the mask; infinite where there is no background.
#[track_caller]
fn distances<D: Dimension>(
    label: &'static str,
    mask: &Array<bool, D>,
    along: &[Along],
) -> Result<Array<f64, D>, Error> {
    let start = |label, axis| Lines {
        label,
        name: "image.distance/1",
        axis,
        needs: 2 * size_of::<usize>() + size_of::<f64>(),
        cost: 20,
    };
    let mut made: Option<Array<f64, D>> = None;
    for (axis, &along) in along.iter().enumerate() {
        made = Some(match &made {
            None => start(label, axis).of(
                mask,
                &along,
                move |line: &[bool], (values, hull): &mut (Vec<f64>, Hull), out| {
                    values.clear();
                    values.extend(line.iter().map(|&is_set| if is_set { f64::INFINITY } else { 0.0 }));
                    along.line(values, hull, out);
                },
            )?,
            Some(made) => {
                start(label, axis).of(made, &along, move |line: &[f64], hull: &mut Hull, out| {
                    along.line(line, hull, out);
                })?
            }
        });
    }
    match made {
        Some(made) if made.chunks() == mask.chunks() => Ok(made),
        Some(made) => Ok(made.try_rechunk(mask.chunks().clone())?),
        // No axes: one pixel, which is background or has none.
        None => Ok(mask.select(f64::INFINITY, 0.0)),
    }
}

/// The Euclidean distance of each pixel to the nearest one that is false: what `scipy.ndimage.distance_transform_edt` gives.
///
/// `sampling` is how far pixels lie apart, for all axes or for each. It is exact: squares of distances are sums of integers where
/// the sampling is 1, whatever the blocks. In an image without a pixel that is false all distances are infinite, where scipy
/// measures to a place outside.
///
/// **Shape** and blocks stay; `f64`. **Units** those of the sampling; pixels where it is 1.
/// **Cost** a pass along each axis, and a [`rechunk`](Array::rechunk) for each that has several blocks: a line along an axis must fit in
/// memory, the image need not.
///
/// # Errors
/// [`Error::Parameter`] for a sampling that is not above 0 and finite; [`Error::AxisCount`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr2};
/// use musher_image::distance_transform_edt;
/// use musher_scheduler::Compute;
/// let mask = Array::from_array(arr2(&[[false, true, true], [true, true, true]]), 2);
/// let found = distance_transform_edt(&mask, 1.0)?.compute()?;
/// assert_eq!(found, arr2(&[[0.0, 1.0, 2.0], [1.0, 2.0_f64.sqrt(), 5.0_f64.sqrt()]]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.distance_transform_edt`; Felzenszwalb and Huttenlocher 2012.
#[track_caller]
#[doc(alias = "scipy.ndimage.distance_transform_edt")]
#[doc(alias = "scipy.ndimage.distance_transform_bf")]
pub fn distance_transform_edt<D: Dimension>(
    mask: &Array<bool, D>,
    sampling: impl Into<PerAxis<f64>>,
) -> Result<Array<f64, D>, Error> {
    let caller = Site::caller();
    let sampling = resolve(sampling.into(), "sampling", mask.ndim())?;
    if let Some(&value) = sampling.iter().find(|&&step| !(step > 0.0 && step.is_finite())) {
        return Err(Error::Parameter {
            parameter: "sampling",
            value,
            expected: "above 0, and finite",
            caller,
        });
    }
    let along: Vec<Along> = sampling.into_iter().map(Along::Squares).collect();
    Ok(distances("distance_transform_edt", mask, &along)?.sqrt())
}

/// How [`distance_transform_cdt`] counts.
///
/// # Examples
/// ```
/// use musher_image::ChamferMetric;
/// assert_eq!(ChamferMetric::default(), ChamferMetric::Chessboard);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ChamferMetric {
    /// The moves of a king, who goes along diagonals: the most steps along any axis.
    #[default]
    Chessboard,
    /// The sum of the steps along all axes.
    #[doc(alias = "cityblock")]
    #[doc(alias = "manhattan")]
    Taxicab,
}

/// The number of steps from each pixel to the nearest one that is false: what `scipy.ndimage.distance_transform_cdt` gives.
///
/// In an image without a pixel that is false all are -1. As [`distance_transform_edt`] otherwise.
///
/// **Shape** and blocks stay; `i32`.
///
/// # Errors
/// When the blocks of whole lines cannot be counted.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr2};
/// use musher_image::{ChamferMetric, distance_transform_cdt};
/// use musher_scheduler::Compute;
/// let mask = Array::from_array(arr2(&[[false, true, true], [true, true, true]]), 2);
/// let steps = distance_transform_cdt(&mask, ChamferMetric::Taxicab)?;
/// assert_eq!(steps.compute()?, arr2(&[[0, 1, 2], [1, 2, 3]]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.distance_transform_cdt`; Meijster, Roerdink and Hesselink 2000.
#[track_caller]
#[doc(alias = "scipy.ndimage.distance_transform_cdt")]
pub fn distance_transform_cdt<D: Dimension>(
    mask: &Array<bool, D>,
    metric: ChamferMetric,
) -> Result<Array<i32, D>, Error> {
    let along = match metric {
        ChamferMetric::Chessboard => Along::Chessboard,
        ChamferMetric::Taxicab => Along::Taxicab,
    };
    let found = distances("distance_transform_cdt", mask, &vec![along; mask.ndim()])?;
    let label = "distance_transform_cdt";
    let mapping = Mapping { label, name: "image.distance_steps/1", cost: 1, caller: Site::caller() };
    Ok(mapping.of(&found, &(), |distances: &[f64], steps: &mut [i32]| {
        for (steps, &distance) in steps.iter_mut().zip(distances) {
            *steps = if distance.is_finite() { distance as i32 } else { -1 };
        }
    }))
}
