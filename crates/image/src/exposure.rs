//! Light spread anew: ranges stretched, gamma, and equal shares of all values.

use musher_array::{Array, Block};
use musher_graph_core::{Facts, FnTask, Inputs, Layer, Place, Port, Record, Site, TaskError, Wiring};
use ndarray::{ArrayD, Dimension};

use crate::error::Error;
use crate::gaussian::FloatPixel;
use crate::gray::Intensity;
use crate::scale::{ScaleRange, Scaling, scaled};
use crate::threshold::{Counts, Histogram, Histogrammed, Otsu, range_at};
use crate::wire::{Mapping, grid_of, port_of};

/// Stretches a range of values to another: what `skimage.exposure.rescale_intensity` gives.
///
/// The range is that of the image (`..`) or given (`low..=high`, see [`ScaleRange`]); what lies beyond a given range ends at it. An
/// image of one value keeps it, as far as it lies in the new range.
///
/// **Shape** and blocks stay; `f64`.
/// **Cost** one pass; a second for the range of the image.
///
/// # Errors
/// [`Error::Parameter`] when `low` is not below `high`, in either range, or one of them is not finite; [`Error::Empty`] for the range of
/// an image without pixels.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::rescale_intensity;
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[50_u8, 100, 150]), 2);
/// assert_eq!(rescale_intensity(&image, .., 0.0..=1.0)?.compute()?, arr1(&[0.0, 0.5, 1.0]));
/// assert_eq!(rescale_intensity(&image, 0.0..=100.0, 0.0..=2.0)?.compute()?, arr1(&[1.0, 2.0, 2.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `skimage.exposure.rescale_intensity`.
#[track_caller]
#[doc(alias = "skimage.exposure.rescale_intensity")]
pub fn rescale_intensity<A: Intensity, D: Dimension>(
    image: &Array<A, D>,
    range: impl Into<ScaleRange>,
    to: std::ops::RangeInclusive<f64>,
) -> Result<Array<f64, D>, Error> {
    let (first, last) = to.into_inner();
    if !(first < last && (last - first).is_finite()) {
        let (parameter, expected, caller) = ("to", "finite, its end above its start", Site::caller());
        return Err(Error::Parameter { parameter, value: last, expected, caller });
    }
    let scaling = Scaling {
        label: "rescale_intensity",
        name: "image.rescale_intensity/1",
        words: [first.to_bits(), last.to_bits()],
    };
    scaled(image, range.into(), scaling, move |value: f64, low, high| {
        let value = clamped(value, low, high);
        match low == high {
            true => clamped(value, first, last),
            false => (value - low) / (high - low) * (last - first) + first,
        }
    })
}

/// The value within these bounds; NaN where one of them is.
fn clamped(value: f64, low: f64, high: f64) -> f64 {
    match low.is_nan() || high.is_nan() {
        true => f64::NAN,
        false => value.clamp(low, high),
    }
}

/// Each value to the power of `gamma`, times `gain`: what `skimage.exposure.adjust_gamma` gives of floats from 0 to 1.
///
/// A gamma above 1 darkens, one below 1 brightens. A value below 0, which scikit-image refuses, becomes NaN.
///
/// **Shape** and blocks stay.
/// **Cost** one pass.
///
/// # Errors
/// [`Error::Parameter`] for a gamma that is negative or not finite, and for a gain that is not finite.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::adjust_gamma;
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[0.0, 0.5, 1.0]), 2);
/// assert_eq!(adjust_gamma(&image, 2.0, 1.0)?.compute()?, arr1(&[0.0, 0.25, 1.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `skimage.exposure.adjust_gamma`.
#[track_caller]
#[doc(alias = "skimage.exposure.adjust_gamma")]
pub fn adjust_gamma<A: FloatPixel, D: Dimension>(
    image: &Array<A, D>,
    gamma: f64,
    gain: f64,
) -> Result<Array<A, D>, Error> {
    let caller = Site::caller();
    if !(gamma >= 0.0 && gamma.is_finite()) {
        let expected = "0 or more, and finite";
        return Err(Error::Parameter { parameter: "gamma", value: gamma, expected, caller });
    }
    if !gain.is_finite() {
        return Err(Error::Parameter { parameter: "gain", value: gain, expected: "finite", caller });
    }
    let mapping = Mapping { label: "adjust_gamma", name: "image.adjust_gamma/1", cost: 10, caller };
    Ok(mapping.of(image, &(gamma, gain), move |values: &[A], out: &mut [A]| {
        for (out, value) in out.iter_mut().zip(values) {
            *out = A::narrow(value.widen().powf(gamma) * gain);
        }
    }))
}

/// Spreads the values so that all shares of the light are as frequent: what `skimage.exposure.equalize_hist` gives.
///
/// Each value becomes the share of the pixels up to it, read off between the centers of the bins of a histogram; the second argument is
/// the number of bins for floats, alone or in [`Otsu`].
///
/// **Shape** and blocks stay; `f64`, from 0 to 1.
/// **Cost** two passes over integers, three over floats; memory of one task: one block, its answer, and one histogram.
///
/// # Errors
/// As [`threshold_otsu`](crate::threshold_otsu).
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::{Otsu, equalize_hist};
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[10_u8, 11, 11, 250]), 2);
/// assert_eq!(equalize_hist(&image, Otsu::default())?.compute()?, arr1(&[0.25, 0.75, 0.75, 1.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `skimage.exposure.equalize_hist`.
#[track_caller]
#[doc(alias = "skimage.exposure.equalize_hist")]
pub fn equalize_hist<A: Histogram + Intensity, D: Dimension>(
    image: &Array<A, D>,
    parameters: impl Into<Otsu>,
) -> Result<Array<f64, D>, Error> {
    let caller = Site::caller();
    let histogram = Histogrammed::new("equalize_hist", image, parameters.into(), caller)?;
    let bins = histogram.bins;
    let task = FnTask::new("equalize_hist", move |_: Place<'_>, inputs: &mut Inputs<'_>| {
        let block: &Block<A> = inputs.get(0)?;
        let Record(Counts(counts)) = inputs.get(1)?;
        let centers = A::centers(range_at(inputs, 2)?, bins)?;
        let begin = counts.iter().position(|&count| count > 0).unwrap_or(0);
        let end = counts.iter().rposition(|&count| count > 0).map_or(begin, |last| last + 1);
        let total = counts.iter().sum::<u64>() as f64;
        let mut sum = 0;
        let mut points: Vec<(f64, f64)> = Vec::with_capacity(end - begin);
        for (&count, &center) in counts[begin..end].iter().zip(&centers[begin..end]) {
            sum += count;
            points.push((center, sum as f64 / total));
        }
        let made: ArrayD<f64> = block.view().mapv(|value| between(&points, value.as_()));
        Ok::<_, TaskError>(Block::new(made))
    })
    .params("image.equalize_hist/1", &(A::NAME, bins))
    .facts(move |_, inputs| {
        let pixels = inputs.first().copied().flatten().unwrap_or(0) / size_of::<A>() as u64;
        let points = A::LEVELS.unwrap_or(bins) as u64 * 3 * size_of::<f64>() as u64;
        Facts::bytes(pixels * size_of::<f64>() as u64).scratch(points).cost(20 * pixels)
    });
    let layer = Layer::build(task).caller(caller).input(&port_of(image), Wiring::one_to_one(image.ndim()));
    let layer = histogram.read_by(layer).finish(grid_of(image));
    Ok(Array::from_port(Port::of(layer), image.chunks().clone()))
}

/// The value of a line through points at `x`, and of its ends beyond them, as `numpy.interp`.
fn between(points: &[(f64, f64)], x: f64) -> f64 {
    let after = points.partition_point(|point| point.0 <= x);
    match (after.checked_sub(1).map(|before| points[before]), points.get(after)) {
        (None, None) => f64::NAN,
        (None, Some(&(_, first))) => first,
        (Some((_, last)), None) => last,
        (Some((a, low)), Some(&(b, high))) => (high - low) / (b - a) * (x - a) + low,
    }
}
