//! Floats as bytes: the step before an image of floats is saved.

use std::ops::{RangeFull, RangeInclusive};

use musher_array::{Array, Block, Element};
use musher_graph_core::{AxisMap, Facts, FnTask, Inputs, Layer, Place, Port, Site, TaskError, Wiring};
use ndarray::{ArrayD, Dimension};

use crate::error::Error;
use crate::gray::Intensity;
use crate::wire::{grid_of, port_of};

/// Which values become 0 and 255 in [`to_u8_scaled`].
///
/// `..` takes the least and the greatest value of the image, `low..=high` those two numbers.
///
/// # Examples
/// ```
/// use musher_image::ScaleRange;
/// assert_eq!(ScaleRange::from(..), ScaleRange::OfImage);
/// assert_eq!(ScaleRange::from(0.0..=1.0), ScaleRange::Between { low: 0.0, high: 1.0 });
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum ScaleRange {
    /// From the least to the greatest value of the image.
    OfImage,
    /// From one number to another.
    Between {
        /// What becomes 0.
        low: f64,
        /// What becomes 255.
        high: f64,
    },
}

impl From<RangeFull> for ScaleRange {
    fn from(_: RangeFull) -> Self {
        Self::OfImage
    }
}

impl From<RangeInclusive<f64>> for ScaleRange {
    fn from(range: RangeInclusive<f64>) -> Self {
        let (low, high) = range.into_inner();
        Self::Between { low, high }
    }
}

/// Floats as bytes: the least value of a range becomes 0, the greatest 255, what is between is rounded.
///
/// The range is that of the image (`..`) or given (`low..=high`, see [`ScaleRange`]). What lies beyond a given range becomes 0
/// or 255, and NaN becomes 0. With `..`, an image of one value, or with a NaN or an infinity in it, becomes black.
///
/// **Shape** and blocks stay; `u8`.
/// **Cost** one pass; a second for the range of the image.
///
/// # Errors
/// [`Error::Parameter`] when `low` is not below `high`, or one of them is not finite; [`Error::Empty`] for the range of an
/// image without pixels.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::to_u8_scaled;
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[-1.0, 0.0, 0.5, 1.0, 3.0]), 3);
/// assert_eq!(to_u8_scaled(&image, 0.0..=1.0)?.compute()?, arr1(&[0, 0, 128, 255, 255]));
/// assert_eq!(to_u8_scaled(&image, ..)?.compute()?, arr1(&[0, 64, 96, 128, 255]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
#[doc(alias = "img_as_ubyte")]
pub fn to_u8_scaled<A: Intensity, D: Dimension>(
    image: &Array<A, D>,
    range: impl Into<ScaleRange>,
) -> Result<Array<u8, D>, Error> {
    let scaling = Scaling { label: "to_u8_scaled", name: "image.to_u8_scaled/2", words: [0; 2] };
    // A cast cuts off below 0 and above 255, and takes NaN for 0.
    scaled(image, range.into(), scaling, |value: f64, low, high| {
        let factor = if low < high { 255.0 / (high - low) } else { 0.0 };
        ((value - low) * factor).round() as u8
    })
}

/// How values that are scaled are named.
pub(crate) struct Scaling {
    pub(crate) label: &'static str,
    /// Name and version of the work in fingerprints.
    pub(crate) name: &'static str,
    /// What the function captures.
    pub(crate) words: [u64; 2],
}

/// What `f` makes of each value and the two ends of the range.
#[track_caller]
pub(crate) fn scaled<A: Intensity, B: Element, D: Dimension>(
    image: &Array<A, D>,
    range: ScaleRange,
    scaling: Scaling,
    f: impl Fn(f64, f64, f64) -> B + Send + Sync + 'static,
) -> Result<Array<B, D>, Error> {
    let caller = Site::caller();
    let Scaling { label, name, words } = scaling;
    let whole = match range {
        ScaleRange::OfImage if image.is_empty() => return Err(Error::Empty { operation: label, caller }),
        ScaleRange::OfImage => Some([image.min(), image.max()]),
        ScaleRange::Between { low, high } if low < high && (high - low).is_finite() => None,
        ScaleRange::Between { high, .. } => {
            let expected = "finite and above low";
            return Err(Error::Parameter { parameter: "high", value: high, expected, caller });
        }
    };
    let bits = match range {
        ScaleRange::OfImage => None,
        ScaleRange::Between { low, high } => Some((low.to_bits(), high.to_bits())),
    };
    let task = FnTask::new(label, move |_: Place<'_>, inputs: &mut Inputs<'_>| {
        let bound = |slot: usize| -> Result<f64, TaskError> {
            Ok(inputs.get::<Block<A>>(slot)?.elements().first().map_or(f64::NAN, |value| value.as_()))
        };
        let (low, high) = match range {
            ScaleRange::OfImage => (bound(1)?, bound(2)?),
            ScaleRange::Between { low, high } => (low, high),
        };
        let made: ArrayD<B> = inputs.get::<Block<A>>(0)?.view().mapv(|value| f(value.as_(), low, high));
        Ok::<_, TaskError>(Block::new(made))
    })
    .params(name, &((A::NAME, B::NAME), bits, words))
    .facts(|_, inputs| {
        let pixels = inputs.first().copied().flatten().unwrap_or(0) / size_of::<A>() as u64;
        Facts::bytes(pixels * size_of::<B>() as u64).cost(pixels)
    });
    let layer = Layer::build(task).caller(caller).input(&port_of(image), Wiring::one_to_one(image.ndim()));
    let layer = whole.iter().flatten().fold(layer, |layer, bound| {
        layer.input(&port_of(bound), Wiring::axes(std::iter::empty::<AxisMap>()))
    });
    Ok(Array::from_port(Port::of(layer.finish(grid_of(image))), image.chunks().clone()))
}
