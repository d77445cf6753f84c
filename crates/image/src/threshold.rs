//! Thresholds: given ones, and those that are found in a histogram.

use musher_array::{Array, Block, Chunking, Real};
use musher_graph_core::{
    AsRecord, Facts, FnTask, Grid, Inputs, Layer, LayerBuilder, Measure, Place, Port, Record, Site, Task,
    TaskError, Wiring,
};
use ndarray::{ArrayD, Dimension, Ix0, Ix1, IxDyn};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::gray::Intensity;
use crate::kernel::thresholds::{Method, multi_otsu};
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

/// The parameters of [`threshold_otsu`] and its kin: into how many bins floats are counted.
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
    find("threshold_otsu", image, parameters.into(), Method::Otsu, Site::caller())
}

/// Makes of each row a function: how it is named, its method, and its documentation.
macro_rules! thresholds {
    ($($(#[$doc:meta])* fn $name:ident = $method:expr;)*) => {$(
        $(#[$doc])*
        ///
        /// Pixels above it are foreground: `image.gt(&threshold)`. An image of one value gives that value. As [`threshold_otsu`]
        /// otherwise.
        ///
        /// # Errors
        /// As [`threshold_otsu`].
        ///
        /// # Examples
        /// ```
        /// use musher_array::{Array, ndarray::arr1};
        /// use musher_image::Otsu;
        /// use musher_scheduler::Compute;
        /// let image = Array::from_array(arr1(&[1_u8, 2, 2, 2, 3, 200, 201, 202]), 3);
        #[doc = concat!("let value = musher_image::", stringify!($name), "(&image, Otsu::default())?.compute()?;")]
        /// assert!((2.0..201.0).contains(&value));
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        ///
        #[doc = concat!("**Source** `skimage.filters.", stringify!($name), "`.")]
        #[track_caller]
        pub fn $name<A: Histogram, D: Dimension>(
            image: &Array<A, D>,
            parameters: impl Into<Otsu>,
        ) -> Result<Array<f64, Ix0>, Error> {
            find(stringify!($name), image, parameters.into(), $method, Site::caller())
        }
    )*};
}

thresholds! {
    /// The value whose two classes are correlated most: Yen's threshold (1995).
    #[doc(alias = "skimage.filters.threshold_yen")]
    fn threshold_yen = Method::Yen;

    /// The first value that is the mean of the means of both classes: the threshold of Ridler and Calvard (1978), NaN where there is
    /// none.
    #[doc(alias = "skimage.filters.threshold_isodata")]
    fn threshold_isodata = Method::Isodata;

    /// The value furthest below the line from the peak of the histogram to its further end: the triangle of Zack, Rogers and Latt (1977),
    /// for an image whose objects are few.
    #[doc(alias = "skimage.filters.threshold_triangle")]
    fn threshold_triangle = Method::Triangle;

    /// The value of least cross-entropy between an image and its two classes: Li's threshold, found by the iteration of Li and Tam
    /// (1998). scikit-image iterates over the values of floats, this over the centers of their bins.
    #[doc(alias = "skimage.filters.threshold_li")]
    fn threshold_li = Method::Li;
}

/// The values that best separate several classes of brightness: Otsu's criterion for more than two.
///
/// The second argument is the number of classes. A pixel belongs to the first class whose threshold is not below it, so that
/// `musher_array`'s `digitize` numbers them. scikit-image counts in `f32`, and may choose another of values of all but equal
/// merit.
///
/// **Shape** `(…) → (classes - 1,)` of `f64`, rising.
/// **Cost** as [`threshold_otsu`], and `classes · levels²` steps for so many different values or filled bins: a `u16` image may have many.
///
/// # Errors
/// As [`threshold_otsu`], and [`Error::Parameter`] for fewer than two classes. Computing fails with [`Error::TooFewLevels`] when there
/// are fewer different values than classes.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::{Otsu, threshold_multiotsu};
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[1_u8, 2, 2, 100, 101, 101, 200, 201]), 3);
/// assert_eq!(threshold_multiotsu(&image, 3, Otsu::default())?.compute()?, arr1(&[2.0, 101.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `skimage.filters.threshold_multiotsu`; Liao, Chen and Chung 2001.
#[track_caller]
#[doc(alias = "skimage.filters.threshold_multiotsu")]
pub fn threshold_multiotsu<A: Histogram, D: Dimension>(
    image: &Array<A, D>,
    classes: usize,
    parameters: impl Into<Otsu>,
) -> Result<Array<f64, Ix1>, Error> {
    let caller = Site::caller();
    if classes < 2 {
        let (value, expected) = (classes as f64, "2 or more");
        return Err(Error::Parameter { parameter: "classes", value, expected, caller });
    }
    let histogram = Histogrammed::new("threshold_multiotsu", image, parameters.into(), caller)?;
    let bins = histogram.bins;
    let finish = FnTask::new("threshold_multiotsu", move |_: Place<'_>, inputs: &mut Inputs<'_>| {
        let Record(Counts(counts)) = inputs.get(0)?;
        let centers = A::centers(range_at(inputs, 1)?, bins)?;
        let found = multi_otsu(counts, &centers, classes).ok_or_else(|| {
            let found = counts.iter().filter(|&&count| count > 0).count();
            Error::TooFewLevels { found, classes }
        })?;
        Ok::<_, TaskError>(Block::new(ArrayD::from_shape_vec(IxDyn(&[found.len()]), found)?))
    })
    .params("image.threshold_multiotsu/1", &(A::NAME, bins, classes))
    .facts(move |_, _| {
        let levels = A::LEVELS.unwrap_or(bins) as u64;
        let scratch = levels * size_of::<f64>() as u64 * (classes as u64 + 6);
        Facts::bytes(8 * (classes as u64 - 1)).scratch(scratch).cost(1_000_000)
    });
    let chunks = Chunking::from_lengths(&[vec![classes - 1]]);
    Ok(Array::from_port(histogram.finish(finish, Grid::from([1]), caller), chunks))
}

/// Counts of the pixels of some blocks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Counts(pub(crate) Vec<u64>);

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

/// The histogram of an image, about to be looked at.
pub(crate) struct Histogrammed {
    counts: Port,
    /// The range, of floats.
    range: Option<Port>,
    pub(crate) bins: usize,
}

impl Histogrammed {
    pub(crate) fn new<A: Histogram, D: Dimension>(
        operation: &'static str,
        image: &Array<A, D>,
        parameters: Otsu,
        caller: Site,
    ) -> Result<Self, Error> {
        let Otsu { bins } = parameters;
        if image.is_empty() {
            return Err(Error::Empty { operation, caller });
        }
        if bins == 0 {
            return Err(Error::Parameter { parameter: "bins", value: 0.0, expected: "at least 1", caller });
        }
        let range = match A::LEVELS {
            Some(_) => None,
            None => Some(range(image, caller)),
        };
        let counts = counts(image, range.as_ref(), bins, caller);
        Ok(Self { counts, range, bins })
    }

    /// The single task that reads the counts and, of floats, the range.
    fn finish(&self, task: impl Task, grid: Grid, caller: Site) -> Port {
        Port::of(self.read_by(Layer::build(task).caller(caller)).finish(grid))
    }

    /// The layer with the counts as one more input, and the range as another where there is one.
    pub(crate) fn read_by(&self, layer: LayerBuilder) -> LayerBuilder {
        let layer = layer.input(&self.counts, single(&self.counts));
        self.range.iter().fold(layer, |layer, range| layer.input(range, single(range)))
    }
}

fn find<A: Histogram, D: Dimension>(
    operation: &'static str,
    image: &Array<A, D>,
    parameters: Otsu,
    method: Method,
    caller: Site,
) -> Result<Array<f64, Ix0>, Error> {
    let histogram = Histogrammed::new(operation, image, parameters, caller)?;
    let bins = histogram.bins;
    let finish = FnTask::new(operation, move |_: Place<'_>, inputs: &mut Inputs<'_>| {
        let Record(Counts(counts)) = inputs.get(0)?;
        let centers = A::centers(range_at(inputs, 1)?, bins)?;
        let value = method.find(counts, &centers).unwrap_or(f64::NAN);
        Ok::<_, TaskError>(Block::new(ArrayD::from_elem(IxDyn(&[]), value)))
    })
    .params("image.threshold/1", &(A::NAME, bins, operation))
    .facts(move |_, _| {
        let levels = A::LEVELS.unwrap_or(bins) as u64;
        Facts::bytes(8).scratch(5 * levels * size_of::<f64>() as u64).cost(10_000)
    });
    let port = histogram.finish(finish, Grid::scalar(), caller);
    Ok(Array::from_port(port, Chunking::from_lengths(&[])))
}

/// The range in a slot, where there is one.
pub(crate) fn range_at<A: Histogram>(inputs: &Inputs<'_>, slot: usize) -> Result<Option<(A, A)>, TaskError> {
    if inputs.len() > slot { Ok(inputs.get::<Record<Extremes<A>>>(slot)?.0.0) } else { Ok(None) }
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
        Ok::<_, TaskError>(Record(Counts(A::count(elements_of(block), range_at(inputs, 1)?, bins)?)))
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
