//! Measurements per label: one pass over image and labels for all of them together.
//!
//! ```text
//!   image ──┐
//!           ├─▶ measure ──▶ tree ──┬─▶ table
//!   labels ─┘                      └─▶ mean, area, …
//! ```
//!
//! Every function here reads the same two layers, whose keys are equal for equal images and labels; so several of them
//! in one `compute((&a, &b))` cost one pass.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Range, RangeFull, RangeInclusive};
use std::sync::Arc;

use musher_array::{Array, Block, Chunking, Element, Shape};
use musher_graph_core::{
    AsRecord, AxisMap, ChunkRef, Collection, Delayed, Facts, FnTask, Grid, Inputs, Layer, Measured, Place,
    Port, Record, Site, TaskError, Token, Tokenizer, Wiring,
};
use ndarray::{ArrayD, Dimension, Ix1, Ix2, IxDyn};

use crate::columns::{Column, Columns};
use crate::error::Error;
use crate::gray::Intensity;
use crate::kernel::measure::{Region, Regions, join, measure_block};
use crate::wire::{Joining, grid_of, joined, port_of, single};

/// Measures every region of a labeled image in one pass.
///
/// A region is the set of pixels of one label; labels of 0 and below are background. Computing gives [`Columns`], one row
/// per label that occurs, in ascending order:
///
/// | column | type | meaning |
/// |---|---|---|
/// | `label` | `i64` | the label |
/// | `area` | `u64` | number of pixels |
/// | `sum`, `mean` | `f64` | of the values |
/// | `standard_deviation` | `f64` | of the values, divided by their number |
/// | `minimum`, `maximum` | `f64` | of the values |
/// | `center_0`, `center_1`, … | `f64` | mean position along each axis, weighted by value, in pixels |
/// | `centroid_0`, … | `f64` | mean position along each axis, in pixels |
/// | `begin_0`, `end_0`, … | `u64` | bounding box: first position along each axis, and one past the last |
///
/// A NaN in a region makes its sum, mean, deviation, minimum, maximum and center NaN.
///
/// **Cost** one pass over image and labels; memory of one task: its two blocks, and about 200 bytes per label in them.
///
/// # Errors
/// [`Error::ShapeMismatch`] when image and labels differ in shape.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr2};
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr2(&[[1.0, 3.0, 0.0], [5.0, 0.0, 8.0]]), (1, 3));
/// let (labels, _) = musher_image::label(&image.gt(0.0), 1)?;
/// let table = musher_image::measure(&image, &labels)?.compute()?;
/// assert_eq!(table.u64("area"), Some(&[3, 1][..]));
/// assert_eq!(table.f64("mean"), Some(&[3.0, 8.0][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** means and deviations of parts are joined as by [`Moments`](musher_graph_core::Moments).
#[track_caller]
pub fn measure<A: Intensity, D: Dimension>(
    image: &Array<A, D>,
    labels: &Array<i32, D>,
) -> Result<Measurements, Error> {
    tabled("measure", image, labels, table, Site::caller())
}

/// The table that a function makes of all regions.
pub(crate) fn tabled<A: Intensity, D: Dimension>(
    operation: &'static str,
    image: &Array<A, D>,
    labels: &Array<i32, D>,
    table: Table,
    caller: Site,
) -> Result<Measurements, Error> {
    let regions = regions(operation, image, labels, caller)?;
    let shape = image.shape();
    let of_run = shape.clone();
    let task = FnTask::new("region_table", move |_: Place<'_>, inputs: &mut Inputs<'_>| {
        Ok::<_, TaskError>(Measured(table(&inputs.get::<Record<Regions>>(0)?.0, &of_run)))
    })
    .params("image.region_table/2", &(operation, &*shape))
    .facts(|_, inputs| {
        let bytes = inputs.first().copied().flatten();
        Facts { output_bytes: [bytes].into_iter().collect(), ..Facts::default() }
    });
    let layer = Layer::build(task).caller(caller).input(&regions, single(&regions)).finish(Grid::scalar());
    Ok(Measurements { port: Port::of(layer), shape, table })
}

/// What makes a table of the regions of an image of some shape.
pub(crate) type Table = fn(&Regions, &[usize]) -> Columns;

/// The lazy table that [`measure`] gives; computes to [`Columns`].
///
/// # Examples
/// ```
/// use musher_array::Array;
/// use musher_scheduler::Compute;
/// let (image, labels) = (Array::<u8, _>::ones((4, 4), 2), Array::<i32, _>::ones((4, 4), 2));
/// let measurements = musher_image::measure(&image, &labels)?;
/// assert_eq!(measurements.to_delayed().compute()?.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Measurements {
    port: Port,
    shape: Vec<usize>,
    table: Table,
}

impl Measurements {
    /// The same table as a delayed value, for functions of your own and for sibling collections.
    #[must_use]
    pub fn to_delayed(&self) -> Delayed<Columns> {
        Delayed::from_port(self.port.clone())
    }

    /// The table without rows: names and types of its columns, known before anything is computed.
    #[must_use]
    pub fn empty_columns(&self) -> Columns {
        (self.table)(&Regions { ndim: self.shape.len(), ..Regions::default() }, &self.shape)
    }
}

impl Collection for Measurements {
    type Output = Columns;

    fn port(&self) -> &Port {
        &self.port
    }

    fn gather(&self, chunks: Vec<ChunkRef>) -> Result<Columns, TaskError> {
        self.to_delayed().gather(chunks)
    }

    fn with_port(&self, port: Port) -> Self {
        Self { port, ..self.clone() }
    }
}

/// Which labels to measure.
///
/// `..` means all that occur, in ascending order. A list means those, in its order; labels in it that do not occur have the
/// area and sum 0, everything else is NaN.
///
/// # Examples
/// ```
/// use musher_image::LabelIndex;
/// assert_eq!(LabelIndex::from(1..4), LabelIndex::from([1, 2, 3]));
/// assert_eq!(LabelIndex::from(..), LabelIndex::All);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LabelIndex {
    /// All labels that occur.
    All,
    /// These labels.
    These(Arc<[i32]>),
}

impl From<RangeFull> for LabelIndex {
    fn from(_: RangeFull) -> Self {
        Self::All
    }
}

impl<const N: usize> From<[i32; N]> for LabelIndex {
    fn from(labels: [i32; N]) -> Self {
        Self::These(labels.into())
    }
}

impl From<&[i32]> for LabelIndex {
    fn from(labels: &[i32]) -> Self {
        Self::These(labels.into())
    }
}

impl From<Vec<i32>> for LabelIndex {
    fn from(labels: Vec<i32>) -> Self {
        Self::These(labels.into())
    }
}

impl From<Range<i32>> for LabelIndex {
    fn from(labels: Range<i32>) -> Self {
        Self::These(labels.collect())
    }
}

impl From<RangeInclusive<i32>> for LabelIndex {
    fn from(labels: RangeInclusive<i32>) -> Self {
        Self::These(labels.collect())
    }
}

impl Token for LabelIndex {
    fn token(&self, tokenizer: &mut Tokenizer) {
        match self {
            Self::All => 0_u8.token(tokenizer),
            Self::These(labels) => (1_u8, &**labels).token(tokenizer),
        }
    }
}

/// One measurement per label, lazily; computes to an `ndarray::Array<A, D>` whose first axis is the labels.
///
/// # Examples
/// ```
/// use musher_array::Array;
/// use musher_scheduler::Compute;
/// let (image, labels) = (Array::<u8, _>::ones((4, 4), 2), Array::<i32, _>::ones((4, 4), 2));
/// let areas = musher_image::area(&image, &labels, [1, 7])?;
/// assert_eq!(areas.compute()?.to_vec(), [16, 0]);
/// assert_eq!(areas.to_array().map(|array| array.shape()), Some(vec![2]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PerLabel<A, D> {
    port: Port,
    /// Lengths of the axes; the first is unknown where all labels are asked for.
    shape: Option<Vec<usize>>,
    marker: PhantomData<fn() -> (A, D)>,
}

impl<A, D> Clone for PerLabel<A, D> {
    fn clone(&self) -> Self {
        Self { port: self.port.clone(), shape: self.shape.clone(), marker: PhantomData }
    }
}

impl<A, D> fmt::Debug for PerLabel<A, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PerLabel({}-{}: shape {:?})", self.port.layer.label(), self.port.key(), self.shape)
    }
}

impl<A: Element, D: Dimension> PerLabel<A, D> {
    /// The same as an array of one block; `None` where all labels are asked for, because their number is not known yet.
    #[must_use]
    #[track_caller]
    pub fn to_array(&self) -> Option<Array<A, D>> {
        let lengths: Vec<Vec<usize>> = self.shape.as_ref()?.iter().map(|&length| vec![length]).collect();
        Some(Array::from_port(self.port.clone(), Chunking::from_lengths(&lengths)))
    }
}

impl<A: Element, D: Dimension> Collection for PerLabel<A, D> {
    type Output = ndarray::Array<A, D>;

    fn port(&self) -> &Port {
        &self.port
    }

    fn gather(&self, chunks: Vec<ChunkRef>) -> Result<Self::Output, TaskError> {
        let mut chunks: Vec<_> = chunks.into_iter().map(Some).collect();
        let mut inputs = Inputs::new(&mut chunks, &[]);
        let block = inputs.take::<Block<A>>(0)?;
        let array = Arc::try_unwrap(block).unwrap_or_else(|block| (*block).clone()).into_array();
        Ok(array.into_dimensionality()?)
    }

    fn with_port(&self, port: Port) -> Self {
        Self { port, ..self.clone() }
    }
}

/// Defines the functions of one number per label. For `mean` it reads: the mean of the values of each region.
macro_rules! per_label {
    ($($(#[$doc:meta])* fn $name:ident: $t:ty = $value:expr, $label:literal;)*) => {$(
        $(#[$doc])*
        ///
        /// **Shape** one value per label. **Cost** one pass, shared by all measurements of the same image and labels that
        /// are computed together.
        ///
        /// # Errors
        /// [`Error::ShapeMismatch`] when image and labels differ in shape; [`Error::Parameter`] for a label below 1.
        #[track_caller]
        pub fn $name<A: Intensity, D: Dimension>(
            image: &Array<A, D>,
            labels: &Array<i32, D>,
            index: impl Into<LabelIndex>,
        ) -> Result<PerLabel<$t, Ix1>, Error> {
            let caller = Site::caller();
            let regions = regions($label, image, labels, caller)?;
            pick(&regions, $label, index.into(), &[], caller, |regions: &Regions, row, into| {
                let value: fn(&Region) -> $t = $value;
                into.push(value(row.map_or(&Region::nothing(), |row| &regions.regions[row])));
            })
        }
    )*};
}

per_label! {
    /// The number of pixels of each region; of the image only the shape is used.
    ///
    /// # Examples
    /// ```
    /// use musher_array::Array;
    /// use musher_scheduler::Compute;
    /// let (image, labels) = (Array::<f64, _>::ones((4, 4), 2), Array::<i32, _>::ones((4, 4), 2));
    /// assert_eq!(musher_image::area(&image, &labels, ..)?.compute()?.to_vec(), [16]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "dask_image.ndmeasure.area")]
    fn area: u64 = |region| region.count, "area";

    /// The sum of the values of each region.
    ///
    /// # Examples
    /// ```
    /// use musher_array::Array;
    /// use musher_scheduler::Compute;
    /// let (image, labels) = (Array::<f64, _>::ones((4, 4), 2), Array::<i32, _>::ones((4, 4), 2));
    /// assert_eq!(musher_image::sum_labels(&image, &labels, ..)?.compute()?.to_vec(), [16.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "dask_image.ndmeasure.sum_labels")]
    fn sum_labels: f64 = |region| region.sum, "sum_labels";

    /// The mean of the values of each region.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let image = Array::from_array(arr1(&[1.0, 3.0, 8.0]), 2);
    /// let labels = Array::from_array(arr1(&[1, 1, 2]), 2);
    /// assert_eq!(musher_image::mean(&image, &labels, 1..=2)?.compute()?, arr1(&[2.0, 8.0]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "dask_image.ndmeasure.mean")]
    fn mean: f64 = mean_of, "mean";

    /// The variance of the values of each region, divided by their number.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let image = Array::from_array(arr1(&[1.0, 3.0]), 2);
    /// let labels = Array::from_array(arr1(&[1, 1]), 2);
    /// assert_eq!(musher_image::variance(&image, &labels, ..)?.compute()?, arr1(&[1.0]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "dask_image.ndmeasure.variance")]
    fn variance: f64 = variance_of, "variance";

    /// The standard deviation of the values of each region, divided by their number.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let image = Array::from_array(arr1(&[1.0, 5.0]), 2);
    /// let labels = Array::from_array(arr1(&[1, 1]), 2);
    /// assert_eq!(musher_image::standard_deviation(&image, &labels, ..)?.compute()?, arr1(&[2.0]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "dask_image.ndmeasure.standard_deviation")]
    fn standard_deviation: f64 = |region| variance_of(region).sqrt(), "standard_deviation";

    /// The least value of each region.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let image = Array::from_array(arr1(&[1.0, 5.0]), 2);
    /// let labels = Array::from_array(arr1(&[1, 1]), 2);
    /// assert_eq!(musher_image::minimum(&image, &labels, ..)?.compute()?, arr1(&[1.0]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "dask_image.ndmeasure.minimum")]
    fn minimum: f64 = |region| if region.count == 0 { f64::NAN } else { region.minimum }, "minimum";

    /// The greatest value of each region.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let image = Array::from_array(arr1(&[1.0, 5.0]), 2);
    /// let labels = Array::from_array(arr1(&[1, 1]), 2);
    /// assert_eq!(musher_image::maximum(&image, &labels, ..)?.compute()?, arr1(&[5.0]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "dask_image.ndmeasure.maximum")]
    fn maximum: f64 = |region| if region.count == 0 { f64::NAN } else { region.maximum }, "maximum";
}

/// The mean position of each region along each axis, weighted by value.
///
/// **Shape** `(labels, axes)`. **Units** pixels. **Cost** as [`mean`].
///
/// # Errors
/// As [`mean`].
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::{arr1, arr2}};
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[1.0, 3.0, 8.0]), 2);
/// let labels = Array::from_array(arr1(&[1, 1, 2]), 2);
/// assert_eq!(musher_image::center_of_mass(&image, &labels, ..)?.compute()?, arr2(&[[0.75], [2.0]]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
#[doc(alias = "dask_image.ndmeasure.center_of_mass")]
pub fn center_of_mass<A: Intensity, D: Dimension>(
    image: &Array<A, D>,
    labels: &Array<i32, D>,
    index: impl Into<LabelIndex>,
) -> Result<PerLabel<f64, Ix2>, Error> {
    let caller = Site::caller();
    let ndim = image.ndim();
    let regions = regions("center_of_mass", image, labels, caller)?;
    pick(&regions, "center_of_mass", index.into(), &[ndim], caller, move |regions: &Regions, row, into| {
        match row {
            Some(row) => {
                let sum = regions.regions[row].sum;
                into.extend(regions.extents_of(row).iter().map(|extent| extent.weighted / sum));
            }
            None => into.extend(std::iter::repeat_n(f64::NAN, ndim)),
        }
    })
}

/// The bounding box of each region: first position and one past the last along each axis; all 0 for an absent label.
///
/// **Shape** `(labels, 2 * axes)`: first and one past the last of axis 0, then of axis 1, … **Units** pixels.
/// **Cost** as [`mean`].
///
/// # Errors
/// [`Error::Parameter`] for a label below 1.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::{arr1, arr2}};
/// use musher_scheduler::Compute;
/// let labels = Array::from_array(arr1(&[0, 1, 0, 1, 2]), 2);
/// assert_eq!(musher_image::find_objects(&labels, ..)?.compute()?, arr2(&[[1, 4], [4, 5]]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
#[doc(alias = "scipy.ndimage.find_objects")]
pub fn find_objects<D: Dimension>(
    labels: &Array<i32, D>,
    index: impl Into<LabelIndex>,
) -> Result<PerLabel<u64, Ix2>, Error> {
    let caller = Site::caller();
    let sides = 2 * labels.ndim();
    let regions = regions("find_objects", labels, labels, caller)?;
    pick(&regions, "find_objects", index.into(), &[sides], caller, move |regions: &Regions, row, into| {
        match row {
            Some(row) => {
                into.extend(regions.extents_of(row).iter().flat_map(|extent| [extent.begin, extent.end]))
            }
            None => into.extend(std::iter::repeat_n(0, sides)),
        }
    })
}

pub(crate) fn mean_of(region: &Region) -> f64 {
    region.sum / region.count as f64
}

pub(crate) fn variance_of(region: &Region) -> f64 {
    region.moments.variance(0.0)
}

/// Measures the regions of all blocks and joins them.
pub(crate) fn regions<A: Intensity, D: Dimension>(
    operation: &'static str,
    image: &Array<A, D>,
    labels: &Array<i32, D>,
    caller: Site,
) -> Result<Port, Error> {
    if image.shape() != labels.shape() {
        let (left, right) = (Shape(image.shape()), Shape(labels.shape()));
        return Err(Error::ShapeMismatch { operation, left, right, caller });
    }
    let chunks = image.chunks();
    let labels = labels.rechunk(chunks);
    let of_run = chunks.clone();
    let task = FnTask::new("measure", move |at: Place<'_>, inputs: &mut Inputs<'_>| {
        let (values, labels) = (inputs.get::<Block<A>>(0)?, inputs.get::<Block<i32>>(1)?);
        let origin = of_run.block_start(&at.coords());
        Ok::<_, TaskError>(Record(measure_block(values.view(), labels.view(), &origin, &of_run.shape())))
    })
    .params("image.measure/3", &(A::NAME, chunks.clone()))
    .facts(|_, inputs| {
        let pixels = inputs.get(1).copied().flatten().unwrap_or(0) / size_of::<i32>() as u64;
        // One label in a hundred pixels is a busy image; the true size is counted when it is known.
        Facts::bytes(2 * pixels).scratch(4 * pixels).cost(3 * pixels)
    });
    let layer = Layer::build(task)
        .caller(caller)
        .input(&port_of(image), Wiring::one_to_one(image.ndim()))
        .input(&port_of(&labels), Wiring::one_to_one(image.ndim()))
        .finish(grid_of(image));
    let joining = Joining { label: "join_regions", name: "image.join_regions/3", join };
    Ok(joined(&Port::of(layer), joining, caller))
}

/// A record with a row for each label, in ascending order.
pub(crate) trait Labelled: AsRecord {
    /// The labels, rising.
    fn labels(&self) -> &[i32];
}

impl Labelled for Regions {
    fn labels(&self) -> &[i32] {
        &self.labels
    }
}

/// Takes one measurement out of the regions, for the labels asked for, as one block.
///
/// `row` writes the values of the region in a row of the table, or those of a label that does not occur.
pub(crate) fn pick<A: Element, D: Dimension, T: Labelled>(
    regions: &Port,
    name: &'static str,
    index: LabelIndex,
    trailing: &[usize],
    caller: Site,
    row: impl Fn(&T, Option<usize>, &mut Vec<A>) + Send + Sync + 'static,
) -> Result<PerLabel<A, D>, Error> {
    let shape = match &index {
        LabelIndex::All => None,
        LabelIndex::These(labels) => {
            if let Some(&label) = labels.iter().find(|&&label| label < 1) {
                let expected = "1 or more: what is below is background";
                return Err(Error::Parameter {
                    parameter: "label",
                    value: f64::from(label),
                    expected,
                    caller,
                });
            }
            Some(std::iter::once(labels.len()).chain(trailing.iter().copied()).collect())
        }
    };
    let parameters = (name, index.clone());
    let trailing = trailing.to_vec();
    let task = FnTask::new(name, move |_: Place<'_>, inputs: &mut Inputs<'_>| {
        let Record(regions) = inputs.get::<Record<T>>(0)?;
        let labels_of_all = regions.labels();
        let mut values = Vec::new();
        let rows = match &index {
            LabelIndex::All => {
                (0..labels_of_all.len()).for_each(|at| row(regions, Some(at), &mut values));
                labels_of_all.len()
            }
            LabelIndex::These(labels) => {
                for label in labels.iter() {
                    row(regions, labels_of_all.binary_search(label).ok(), &mut values);
                }
                labels.len()
            }
        };
        let shape: Vec<usize> = std::iter::once(rows).chain(trailing.iter().copied()).collect();
        Ok(Block::new(ArrayD::from_shape_vec(IxDyn(&shape), values)?))
    })
    .params("image.pick/1", &parameters)
    .facts(|_, inputs| {
        let bytes = inputs.first().copied().flatten();
        Facts { output_bytes: [bytes].into_iter().collect(), ..Facts::default() }
    });
    // One block along each axis, so that it is an array's layer, too.
    let grid = Grid::from(vec![1; D::NDIM.unwrap_or(1)].as_slice());
    let maps = (0..regions.grid().ndim()).map(|_| AxisMap::Fixed(0));
    let layer = Layer::build(task).caller(caller).input(regions, Wiring::axes(maps)).finish(grid);
    Ok(PerLabel { port: Port::of(layer), shape, marker: PhantomData })
}

/// The table of all regions.
fn table(regions: &Regions, _: &[usize]) -> Columns {
    let floats = |value: fn(&Region) -> f64| Column::F64(regions.regions.iter().map(value).collect());
    let mut columns: Vec<(String, Column)> = vec![
        ("label".to_owned(), Column::I64(regions.labels.iter().map(|&label| i64::from(label)).collect())),
        ("area".to_owned(), Column::U64(regions.regions.iter().map(|region| region.count).collect())),
        ("sum".to_owned(), floats(|region| region.sum)),
        ("mean".to_owned(), floats(mean_of)),
        ("standard_deviation".to_owned(), floats(|region| variance_of(region).sqrt())),
        ("minimum".to_owned(), floats(|region| region.minimum)),
        ("maximum".to_owned(), floats(|region| region.maximum)),
    ];
    let rows = regions.regions.iter().enumerate();
    for axis in 0..regions.ndim {
        let extents = rows.clone().map(|(row, region)| (region, &regions.extents_of(row)[axis]));
        let center = extents.clone().map(|(region, extent)| extent.weighted / region.sum).collect();
        columns.push((format!("center_{axis}"), Column::F64(center)));
    }
    for axis in 0..regions.ndim {
        let extents = rows.clone().map(|(row, region)| (region, &regions.extents_of(row)[axis]));
        let centroid =
            extents.clone().map(|(region, extent)| extent.positions as f64 / region.count as f64).collect();
        columns.push((format!("centroid_{axis}"), Column::F64(centroid)));
    }
    for axis in 0..regions.ndim {
        let extents = rows.clone().map(|(row, _)| &regions.extents_of(row)[axis]);
        columns.push((
            format!("begin_{axis}"),
            Column::U64(extents.clone().map(|extent| extent.begin).collect()),
        ));
        columns.push((format!("end_{axis}"), Column::U64(extents.map(|extent| extent.end).collect())));
    }
    Columns::new(columns)
}
