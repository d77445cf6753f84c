//! Thresholds: given ones, and the one that Otsu's method finds.

use musher_array::{Array, Block, Chunking, Real};
use musher_graph_core::{
    AsRecord, Facts, FnTask, Grid, Inputs, Layer, Measure, Place, Port, Record, Site, TaskError, Wiring,
};
use ndarray::{ArrayD, Dimension, Ix0, IxDyn};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::gray::Intensity;
use crate::kernel::otsu::otsu;
use crate::wire::{Joining, elements_of, grid_of, joined, port_of, single};

/// Bins of a histogram of floats, unless another number is given.
const BINS: usize = 256;

/// Where an image is brighter than a value.
///
/// **Shape** and blocks stay.
/// **Cost** one pass; it fuses with what comes before and after.
///
/// # Errors
/// [`Error::Parameter`] for a value that is NaN: nothing is above or below it.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[1.0, 5.0, 3.0]), 2);
/// assert_eq!(musher_image::threshold(&image, 3.0)?.compute()?, arr1(&[false, true, false]));
/// assert!(musher_image::threshold(&image, f64::NAN).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn threshold<A: Intensity, D: Dimension>(image: &Array<A, D>, value: A) -> Result<Array<bool, D>, Error> {
    let caller = Site::caller();
    if value.as_().is_nan() {
        let expected = "a number";
        return Err(Error::Parameter { parameter: "value", value: f64::NAN, expected, caller });
    }
    Ok(image.gt(value))
}

/// An element type whose histogram can be made: `u8`, `u16`, `f32`, `f64`.
///
/// Integers have one bin for each value, floats equal bins between the least and the greatest value.
///
/// # Examples
/// ```
/// fn is_counted_exactly<A: musher_image::Histogram>() -> bool {
///     A::LEVELS.is_some()
/// }
/// assert!(is_counted_exactly::<u8>() && !is_counted_exactly::<f64>());
/// ```
pub trait Histogram: Real + sealed::Sealed + Serialize + DeserializeOwned {
    /// How many values an integer type has; `None` for floats.
    const LEVELS: Option<usize>;
}

mod sealed {
    use crate::error::Error;
    use crate::kernel::otsu::{Bins, Tally, range};

    /// How each type is counted. A `range` is the least and the greatest value; integers need none.
    #[expect(unnameable_types, reason = "sealed: the list of types is closed")]
    pub trait Sealed: Sized {
        /// Name and version of the encoding of a range.
        const RANGE: &'static str;

        /// Least and greatest value, `None` of nothing; NaN if one is there.
        fn range(values: &[Self]) -> Option<(Self, Self)>;

        /// Counts values: each integer in a bin of its own, floats in `bins` bins over the range.
        fn count(values: &[Self], range: Option<(Self, Self)>, bins: usize) -> Result<Vec<u64>, Error>;

        /// The center of each bin.
        fn centers(range: Option<(Self, Self)>, bins: usize) -> Result<Vec<f64>, Error>;
    }

    /// Counting of integers. For `u8` it reads: 256 bins, one for each value.
    macro_rules! integers {
        ($($t:ty),*) => {$(
            impl Sealed for $t {
                const RANGE: &'static str = concat!("image.range.", stringify!($t), "/2");

                fn range(values: &[$t]) -> Option<($t, $t)> {
                    Some((*values.iter().min()?, *values.iter().max()?))
                }

                fn count(values: &[$t], _: Option<($t, $t)>, _: usize) -> Result<Vec<u64>, Error> {
                    let mut tally = Tally::new(<$t>::MAX as usize + 1);
                    values.iter().enumerate().for_each(|(at, &value)| tally.add(at, value as usize));
                    Ok(tally.sum())
                }

                fn centers(_: Option<($t, $t)>, _: usize) -> Result<Vec<f64>, Error> {
                    Ok((0..=<$t>::MAX).map(f64::from).collect())
                }
            }
        )*};
    }
    integers!(u8, u16);

    /// Counting of floats. For `f64` it reads: `bins` equal bins, or one bin where all values are equal.
    macro_rules! floats {
        ($($t:ty),*) => {$(
            impl Sealed for $t {
                const RANGE: &'static str = concat!("image.range.", stringify!($t), "/2");

                fn range(values: &[$t]) -> Option<($t, $t)> {
                    range(values)
                }

                fn count(values: &[$t], range: Option<($t, $t)>, bins: usize) -> Result<Vec<u64>, Error> {
                    match range {
                        Some((low, high)) if low != high => Ok(bins_of(low, high, bins)?.count(values)),
                        _ => Ok(vec![values.len() as u64]),
                    }
                }

                fn centers(range: Option<($t, $t)>, bins: usize) -> Result<Vec<f64>, Error> {
                    match range {
                        Some((low, high)) if low != high => Ok(bins_of(low, high, bins)?.centers()),
                        range => Ok(range.map(|(low, _)| f64::from(low)).into_iter().collect()),
                    }
                }
            }
        )*};
    }
    floats!(f32, f64);

    /// The bins from one value to another; values that are not finite or too close together are refused.
    fn bins_of<A: num_traits::Float + Into<f64>>(low: A, high: A, bins: usize) -> Result<Bins<A>, Error> {
        if !(high - low).is_finite() {
            return Err(Error::NotFinite { low: low.into(), high: high.into() });
        }
        Bins::new(low, high, bins).ok_or(Error::TooManyBins { bins, low: low.into(), high: high.into() })
    }
}

impl Histogram for u8 {
    const LEVELS: Option<usize> = Some(1 << 8);
}

impl Histogram for u16 {
    const LEVELS: Option<usize> = Some(1 << 16);
}

impl Histogram for f32 {
    const LEVELS: Option<usize> = None;
}

impl Histogram for f64 {
    const LEVELS: Option<usize> = None;
}

/// The parameters of [`threshold_otsu`]: into how many bins floats are counted.
///
/// A plain number is the number of bins. The default is 256, scikit-image's.
///
/// # Examples
/// ```
/// use musher_image::Otsu;
/// assert_eq!(Otsu::from(256), Otsu::default());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Otsu {
    bins: usize,
}

impl Otsu {
    /// Counts floats in this many equal bins between the least and the greatest value; integers are counted exactly.
    #[doc(alias = "nbins")]
    #[must_use]
    pub const fn bins(self, bins: usize) -> Self {
        Self { bins }
    }
}

impl Default for Otsu {
    fn default() -> Self {
        Self { bins: BINS }
    }
}

impl From<usize> for Otsu {
    fn from(bins: usize) -> Self {
        Self { bins }
    }
}

/// The value that best separates bright from dark: Otsu's threshold, as scikit-image's `threshold_otsu` finds it.
///
/// Pixels above it are foreground: `image.gt(&threshold)`. An image of one value gives that value. Integers are counted
/// exactly; floats in bins, whose number is the second argument (scikit-image's default is 256), alone or in [`Otsu`].
/// Counts are exact at any size, where scikit-image's are `f32`.
///
/// **Shape** `(…) → ()` of `f64`.
/// **Cost** one pass over integers, two over floats; memory of one task: one block and one histogram.
///
/// # Errors
/// [`Error::Empty`] for an image without pixels, [`Error::Parameter`] for less than one bin. Computing fails with
/// [`Error::NotFinite`] when a value is NaN or infinite, and with [`Error::TooManyBins`] when bins are too narrow to tell
/// apart.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::{Otsu, threshold_otsu};
/// use musher_scheduler::Compute;
/// let bytes = Array::from_array(arr1(&[1_u8, 2, 2, 200, 201]), 2);
/// assert_eq!(threshold_otsu(&bytes, Otsu::default())?.compute()?, 2.0);
/// let floats = Array::from_array(arr1(&[0.0, 0.1, 0.9, 1.0]), 2);
/// assert_eq!(threshold_otsu(&floats, 4)?.compute()?, 0.125);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** Otsu 1979, "A threshold selection method from gray-level histograms".
#[track_caller]
#[doc(alias = "skimage.filters.threshold_otsu")]
pub fn threshold_otsu<A: Histogram, D: Dimension>(
    image: &Array<A, D>,
    parameters: impl Into<Otsu>,
) -> Result<Array<f64, Ix0>, Error> {
    find(image, parameters.into().bins, Site::caller())
}

/// Counts of the pixels of some blocks.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Counts(Vec<u64>);

impl Counts {
    fn join(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(one, other)| one + other).collect())
    }
}

impl Measure for Counts {
    fn nbytes(&self) -> usize {
        self.0.len() * size_of::<u64>()
    }
}

impl AsRecord for Counts {
    const KIND: &'static str = "image.counts/2";
}

/// Least and greatest value of some blocks; `None` for blocks without pixels.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Extremes<A>(Option<(A, A)>);

impl<A: Histogram> Extremes<A> {
    fn join(&self, other: &Self) -> Self {
        let values: Vec<A> =
            [self, other].iter().filter_map(|range| range.0).flat_map(<[A; 2]>::from).collect();
        Self(A::range(&values))
    }
}

impl<A: Histogram> Measure for Extremes<A> {
    fn nbytes(&self) -> usize {
        size_of::<Self>()
    }
}

impl<A: Histogram> AsRecord for Extremes<A> {
    const KIND: &'static str = A::RANGE;
}

fn find<A: Histogram, D: Dimension>(
    image: &Array<A, D>,
    bins: usize,
    caller: Site,
) -> Result<Array<f64, Ix0>, Error> {
    if image.is_empty() {
        return Err(Error::Empty { operation: "threshold_otsu", caller });
    }
    if bins == 0 {
        return Err(Error::Parameter { parameter: "bins", value: 0.0, expected: "at least 1", caller });
    }
    let range = match A::LEVELS {
        Some(_) => None,
        None => Some(range(image, caller)),
    };
    let counts = counts(image, range.as_ref(), bins, caller);
    let finish = FnTask::new("threshold_otsu", move |_: Place<'_>, inputs: &mut Inputs<'_>| {
        let Record(Counts(counts)) = inputs.get(0)?;
        let centers = A::centers(range_at(inputs)?, bins)?;
        let value = otsu(counts, &centers).unwrap_or(f64::NAN);
        Ok::<_, TaskError>(Block::new(ArrayD::from_elem(IxDyn(&[]), value)))
    })
    .params("image.threshold_otsu/1", &(A::NAME, bins))
    .facts(|_, _| Facts::bytes(8).cost(10_000));
    let layer = Layer::build(finish).caller(caller).input(&counts, single(&counts));
    let layer = range.iter().fold(layer, |layer, range| layer.input(range, single(range)));
    Ok(Array::from_port(Port::of(layer.finish(Grid::scalar())), Chunking::from_lengths(&[])))
}

/// The range in the second slot, where there is one.
fn range_at<A: Histogram>(inputs: &Inputs<'_>) -> Result<Option<(A, A)>, TaskError> {
    if inputs.len() > 1 { Ok(inputs.get::<Record<Extremes<A>>>(1)?.0.0) } else { Ok(None) }
}

/// Least and greatest value of the whole image.
fn range<A: Histogram, D: Dimension>(image: &Array<A, D>, caller: Site) -> Port {
    let task = FnTask::new("range", |_: Place<'_>, inputs: &mut Inputs<'_>| {
        let block: &Block<A> = inputs.get(0)?;
        Ok::<_, TaskError>(Record(Extremes(A::range(elements_of(block)))))
    })
    .params("image.range/1", &A::NAME)
    .facts(|_, inputs| Facts::bytes(size_of::<Extremes<A>>() as u64).cost(elements::<A>(inputs)));
    let layer = Layer::build(task).caller(caller).input(&port_of(image), Wiring::one_to_one(image.ndim()));
    let port = Port::of(layer.finish(grid_of(image)));
    joined(&port, Joining { label: "range", name: "image.range.join/1", join: Extremes::<A>::join }, caller)
}

/// The histogram of the whole image.
fn counts<A: Histogram, D: Dimension>(
    image: &Array<A, D>,
    range: Option<&Port>,
    bins: usize,
    caller: Site,
) -> Port {
    let task = FnTask::new("histogram", move |_: Place<'_>, inputs: &mut Inputs<'_>| {
        let block: &Block<A> = inputs.get(0)?;
        Ok::<_, TaskError>(Record(Counts(A::count(elements_of(block), range_at(inputs)?, bins)?)))
    })
    .params("image.histogram/1", &(A::NAME, bins))
    .facts(move |_, inputs| {
        let bytes = A::LEVELS.unwrap_or(bins) * size_of::<u64>();
        Facts::bytes(bytes as u64).cost(4 * elements::<A>(inputs))
    });
    let layer = Layer::build(task).caller(caller).input(&port_of(image), Wiring::one_to_one(image.ndim()));
    let layer = range.into_iter().fold(layer, |layer, range| layer.input(range, single(range)));
    let port = Port::of(layer.finish(grid_of(image)));
    joined(&port, Joining { label: "histogram", name: "image.histogram.join/1", join: Counts::join }, caller)
}

/// About how many elements the first input has.
fn elements<A>(inputs: &[Option<u64>]) -> u64 {
    inputs.first().copied().flatten().unwrap_or(0) / size_of::<A>() as u64
}
