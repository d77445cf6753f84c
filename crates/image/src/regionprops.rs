//! The table of regions that scikit-image knows as `regionprops_table`.

use std::f64::consts::{FRAC_PI_4, PI};

use musher_array::Array;
use musher_graph_core::Site;
use ndarray::Dimension;

use crate::columns::{Column, Columns};
use crate::error::Error;
use crate::gray::Intensity;
use crate::kernel::eigen::eigenvalues;
use crate::kernel::measure::{Region, Regions};
use crate::measure::{Measurements, mean_of, tabled, variance_of};
use crate::positions::unravel;

/// Measures form and light of every region of a labeled image in one pass, under the names of scikit-image's
/// `regionprops_table`.
///
/// A region is the set of pixels of one label; labels of 0 and below are background. Computing gives [`Columns`], one row
/// per label that occurs, in ascending order:
///
/// | column | type | meaning |
/// |---|---|---|
/// | `label` | `i64` | the label |
/// | `area` | `u64` | number of pixels |
/// | `bbox-0`, … | `u64` | first position along each axis, then one past the last along each |
/// | `area_bbox` | `u64` | pixels of that box |
/// | `extent` | `f64` | share of the box that the region fills |
/// | `equivalent_diameter_area` | `f64` | diameter of the ball with as many pixels |
/// | `centroid-0`, … | `f64` | mean position along each axis |
/// | `centroid_weighted-0`, … | `f64` | the same, weighted by value |
/// | `inertia_tensor-0-0`, … | `f64` | second central moments of the positions, as a body turns |
/// | `inertia_tensor_eigvals-0`, … | `f64` | its eigenvalues, falling |
/// | `axis_major_length`, `axis_minor_length` | `f64` | of the ellipse with the same second moments, in planes and volumes |
/// | `orientation` | `f64` | angle between the first axis and the longer one of the ellipse, in planes: from -π/2 to π/2 |
/// | `eccentricity` | `f64` | of that ellipse, in planes |
/// | `intensity_mean`, `intensity_std`, `intensity_min`, `intensity_max` | `f64` | of the values |
/// | `minimum_position-0`, …, `maximum_position-0`, … | `i64` | where the least and the greatest value stand first |
///
/// **Units** lengths and positions in pixels, angles in radians.
/// **Cost** one pass over image and labels, shared with all other measurements of the same image and labels that are computed
/// together; memory of one task: its two blocks, and about 200 bytes per label in them. Counts and sums of positions are
/// exact for any number of pixels.
///
/// # Errors
/// [`Error::ShapeMismatch`] when image and labels differ in shape.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr2};
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr2(&[[1.0, 3.0, 5.0], [0.0, 0.0, 8.0]]), (1, 3));
/// let labels = Array::from_array(arr2(&[[1, 1, 1], [0, 0, 1]]), (1, 3));
/// let table = musher_image::regionprops(&image, &labels)?.compute()?;
/// assert_eq!(table.u64("area"), Some(&[4][..]));
/// assert_eq!(table.f64("centroid-1"), Some(&[1.25][..]));
/// assert_eq!(table.f64("intensity_max"), Some(&[8.0][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `skimage.measure.regionprops_table`.
#[track_caller]
#[doc(alias = "skimage.measure.regionprops_table")]
#[doc(alias = "regionprops_table")]
pub fn regionprops<A: Intensity, D: Dimension>(
    image: &Array<A, D>,
    labels: &Array<i32, D>,
) -> Result<Measurements, Error> {
    tabled("regionprops", image, labels, table, Site::caller())
}

/// The inertia tensor of a region, row after row.
fn inertia(spread: &[f64], ndim: usize) -> Vec<f64> {
    let trace: f64 = (0..ndim).map(|axis| spread[axis * ndim + axis]).sum();
    let of = |(at, &value): (usize, &f64)| if at % (ndim + 1) == 0 { trace - value } else { -value };
    match ndim {
        // A line has a second moment, but nothing to turn about.
        1 => spread.to_vec(),
        _ => spread.iter().enumerate().map(of).collect(),
    }
}

/// The longest and the shortest axis of an ellipse or ellipsoid of these eigenvalues.
fn axes(values: &[f64]) -> Option<[f64; 2]> {
    let root = |value: f64| value.max(0.0).sqrt();
    match *values {
        [most, least] => Some([4.0 * root(most), 4.0 * root(least)]),
        [most, middle, least] => {
            Some([root(10.0 * (most + middle - least)), root(10.0 * (middle + least - most))])
        }
        _ => None,
    }
}

/// The angle of the longer axis of an ellipse.
fn orientation(tensor: &[f64]) -> f64 {
    let &[a, b, _, c] = tensor else { return f64::NAN };
    match a - c == 0.0 {
        true if b < 0.0 => FRAC_PI_4,
        true => -FRAC_PI_4,
        false => 0.5 * (-2.0 * b).atan2(c - a),
    }
}

/// A column's name, and its value of a region.
type Named<T> = (&'static str, fn(&Region) -> T);

/// The columns of all regions of an image of this shape.
fn table(regions: &Regions, shape: &[usize]) -> Columns {
    let ndim = regions.ndim;
    let n = regions.labels.len();
    let mut columns: Vec<(String, Column)> = Vec::new();
    let mut add = |name: String, column: Column| columns.push((name, column));
    let floats = |value: &dyn Fn(usize) -> f64| Column::F64((0..n).map(value).collect());
    let counts = |value: &dyn Fn(usize) -> u64| Column::U64((0..n).map(value).collect());
    let extent = |row: usize, axis: usize| &regions.extents_of(row)[axis];
    let count = |row: usize| regions.regions[row].count;
    let boxed = |row: usize| -> u64 {
        regions.extents_of(row).iter().map(|extent| extent.end - extent.begin).fold(1, u64::saturating_mul)
    };
    add("label".to_owned(), Column::I64(regions.labels.iter().map(|&label| i64::from(label)).collect()));
    add("area".to_owned(), counts(&count));
    for axis in 0..ndim {
        add(format!("bbox-{axis}"), counts(&|row| extent(row, axis).begin));
    }
    for axis in 0..ndim {
        add(format!("bbox-{}", ndim + axis), counts(&|row| extent(row, axis).end));
    }
    add("area_bbox".to_owned(), counts(&boxed));
    add("extent".to_owned(), floats(&|row| count(row) as f64 / boxed(row) as f64));
    let ball = |row: usize| (2.0 * ndim as f64 * count(row) as f64 / PI).powf(1.0 / ndim as f64);
    add("equivalent_diameter_area".to_owned(), floats(&ball));
    for axis in 0..ndim {
        add(
            format!("centroid-{axis}"),
            floats(&|row| extent(row, axis).positions as f64 / count(row) as f64),
        );
    }
    for axis in 0..ndim {
        let of = |row: usize| extent(row, axis).weighted / regions.regions[row].sum;
        add(format!("centroid_weighted-{axis}"), floats(&of));
    }
    let tensors: Vec<Vec<f64>> = (0..n).map(|row| inertia(&regions.spread_of(row), ndim)).collect();
    let values: Vec<Vec<f64>> = tensors.iter().map(|tensor| eigenvalues(tensor, ndim)).collect();
    for i in 0..ndim {
        for j in 0..ndim {
            add(format!("inertia_tensor-{i}-{j}"), floats(&|row| tensors[row][i * ndim + j]));
        }
    }
    (0..ndim)
        .for_each(|axis| add(format!("inertia_tensor_eigvals-{axis}"), floats(&|row| values[row][axis])));
    if ndim == 2 || ndim == 3 {
        for (at, name) in ["axis_major_length", "axis_minor_length"].into_iter().enumerate() {
            add(name.to_owned(), floats(&|row| axes(&values[row]).map_or(f64::NAN, |axes| axes[at])));
        }
    }
    if ndim == 2 {
        add("orientation".to_owned(), floats(&|row| orientation(&tensors[row])));
        let eccentricity = |row: usize| match values[row][..] {
            [most, least] if most > 0.0 => (1.0 - least / most).sqrt(),
            _ => 0.0,
        };
        add("eccentricity".to_owned(), floats(&eccentricity));
    }
    let light: [Named<f64>; 4] = [
        ("intensity_mean", mean_of),
        ("intensity_std", |region| variance_of(region).sqrt()),
        ("intensity_min", |region| region.minimum),
        ("intensity_max", |region| region.maximum),
    ];
    for (name, of) in light {
        add(name.to_owned(), floats(&|row| of(&regions.regions[row])));
    }
    let places: [Named<u64>; 2] =
        [("minimum_position", |region| region.minimum_at), ("maximum_position", |region| region.maximum_at)];
    for (name, of) in places {
        for axis in 0..ndim {
            let at = |region: &Region| unravel(of(region), shape).nth(axis).unwrap_or(0);
            add(format!("{name}-{axis}"), Column::I64(regions.regions.iter().map(at).collect()));
        }
    }
    Columns::new(columns)
}
