//! Images that do not fit in memory: reading, gray, smoothing, thresholds, labels and measurements.
//!
//! Every function takes and gives lazy [`Array`](musher_array::Array)s. Answers are those of scipy.ndimage, scikit-image
//! and dask-image, and they are the same for every division into blocks.
//!
//! | to | use | Dask's world says |
//! |---|---|---|
//! | read tiles, or one image in blocks | [`imread`](imread()), [`imread_tiles`], [`imread_chunked`], [`Imread`] | `dask_image.imread.imread` |
//! | make color gray | [`rgb2gray`], [`rgb_to_gray`] | `skimage.color.rgb2gray` |
//! | change the space of colors | [`rgb2hsv`], [`rgb2lab`], [`rgb2luv`], [`rgb2xyz`], [`rgb2ycbcr`], [`rgb2hed`], and the way back | `skimage.color.rgb2lab` |
//! | spread the light | [`rescale_intensity`], [`equalize_hist`], [`adjust_gamma`] | `skimage.exposure.equalize_hist` |
//! | smooth, or take a derivative | [`gaussian_filter`], [`uniform_filter`] | `dask_image.ndfilters.gaussian_filter` |
//! | find edges | [`sobel`], [`prewitt`], [`scharr`], [`laplace`], [`gaussian_laplace`], [`gaussian_gradient_magnitude`] | `dask_image.ndfilters.sobel` |
//! | use weights or a function of your own | [`correlate`], [`convolve`], [`generic_filter`] | `dask_image.ndfilters.convolve` |
//! | work along one axis | [`gaussian_filter1d`], [`uniform_filter1d`], [`minimum_filter1d`], [`maximum_filter1d`], [`correlate1d`], [`convolve1d`] | `scipy.ndimage.correlate1d` |
//! | remove specks, or widen what is bright or dark | [`median_filter`], [`percentile_filter`], [`rank_filter`], [`minimum_filter`], [`maximum_filter`] | `dask_image.ndfilters.median_filter` |
//! | move, turn, stretch, warp | [`shift()`], [`zoom`], [`rotate`], [`resize`], [`affine_transform`], [`map_coordinates`], [`geometric_transform`], [`spline_filter`] | `dask_image.ndinterp.affine_transform` |
//! | erode, dilate, open, close | [`binary_erosion`], [`binary_dilation`], [`grey_opening`], [`white_tophat`], [`Structure`], … | `dask_image.ndmorph.binary_erosion` |
//! | fill holes, drop specks, grow seeds | [`binary_fill_holes`], [`remove_small_objects`], [`remove_small_holes`], [`clear_border`], [`binary_propagation`] | `scipy.ndimage.binary_fill_holes` |
//! | measure distances to the background | [`distance_transform_edt`], [`distance_transform_cdt`] | `scipy.ndimage.distance_transform_edt` |
//! | separate bright from dark | [`threshold`](threshold()), [`threshold_otsu`], [`threshold_li`], [`threshold_yen`], [`threshold_multiotsu`], [`threshold_local`], … | `skimage.filters.threshold_otsu` |
//! | number the objects | [`label`](label()) | `dask_image.ndmeasure.label` |
//! | measure the objects | [`measure`](measure()), [`regionprops`], [`labeled_comprehension`], [`extrema`], [`mean`], [`standard_deviation`], [`area`], [`center_of_mass`], … | `dask_image.ndmeasure.mean` |
//! | save | [`imsave`](imsave()), [`imsave_tiles`], [`to_u8_scaled`] | `skimage.io.imsave` |
//!
//! # Example
//!
//! Two stars, found and measured:
//!
//! ```
//! use musher_array::{Array, ndarray::Ix2};
//! use musher_image::{gaussian_filter, label, measure, threshold_otsu};
//! use musher_scheduler::Compute;
//!
//! let star = |row: f64, column: f64, y: usize, x: usize| {
//!     100.0 * (-((y as f64 - row).powi(2) + (x as f64 - column).powi(2)) / 8.0).exp()
//! };
//! let sky = Array::<f64, Ix2>::from_shape_fn((64, 64), (20, 30), move |(y, x)| {
//!     star(19.5, 31.0, y, x) + star(50.0, 10.0, y, x)
//! });
//! let smooth = gaussian_filter(&sky, 1.0)?;
//! let bright = smooth.gt(&threshold_otsu(&smooth, 256)?);
//! let (labels, count) = label(&bright, 1)?;
//! assert_eq!(count.compute()?, 2);
//! let table = measure(&sky, &labels)?.compute()?;
//! let center = table.f64("center_0").expect("there is such a column");
//! assert!((center[0] - 19.5).abs() < 0.1 && (center[1] - 50.0).abs() < 0.1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # In a dev build
//!
//! Cargo does not optimise dependencies there, and work on blocks is many times slower. Run what computes with
//! `--release`, or say in your `Cargo.toml`:
//!
//! ```toml
//! [profile.dev.package]
//! musher-image = { opt-level = 2 }
//! musher-array = { opt-level = 2 }
//! ndarray = { opt-level = 2 }
//! musher-graph-core = { opt-level = 2 }
//! musher-scheduler = { opt-level = 2 }
//! ```

mod affine;
mod chosen;
mod color;
mod columns;
mod comprehension;
mod coordinates;
mod decode;
mod distance;
mod encode;
mod error;
mod exposure;
mod extremes;
mod filter;
mod gaussian;
mod generic;
mod gray;
mod imread;
mod imsave;
mod kernel;
mod label;
mod lines;
mod local;
mod measure;
mod morphology;
mod one_axis;
mod pixel;
mod positions;
mod rank;
mod record;
mod regionprops;
mod resample;
mod scale;
mod slopes;
mod spline;
mod structure;
mod tapped;
mod threshold;
mod uniform;
mod weights;
mod wire;

pub use affine::{Affine, Rotation, affine_transform, resize, rotate, shift, zoom};
pub use chosen::{
    binary_fill_holes, binary_propagation, clear_border, remove_small_holes, remove_small_objects,
};
pub use color::{
    hed2rgb, hsv2rgb, lab2rgb, lab2xyz, luv2rgb, luv2xyz, rgb2hed, rgb2hsv, rgb2lab, rgb2luv, rgb2xyz,
    rgb2ycbcr, xyz2lab, xyz2luv, xyz2rgb, ycbcr2rgb,
};
pub use columns::{Column, Columns};
pub use comprehension::labeled_comprehension;
pub use coordinates::{geometric_transform, map_coordinates};
pub use distance::{ChamferMetric, distance_transform_cdt, distance_transform_edt};
pub use error::{Error, PageKind};
pub use exposure::{adjust_gamma, equalize_hist, rescale_intensity};
pub use extremes::{maximum_filter, minimum_filter};
pub use filter::Window;
pub use gaussian::{FloatPixel, Gaussian, gaussian_filter};
pub use generic::generic_filter;
pub use gray::{Intensity, rgb_to_gray, rgb2gray};
pub use imread::{Imread, imread, imread_chunked, imread_tiles};
pub use imsave::{imsave, imsave_tiles};
pub use kernel::gray::GrayWeights;
pub use kernel::resample::SplineMode;
pub use label::{Labeled, Labeling, label};
pub use local::{LocalMethod, threshold_local};
pub use measure::{
    LabelIndex, Measurements, PerLabel, area, center_of_mass, find_objects, maximum, mean, measure, minimum,
    standard_deviation, sum_labels, variance,
};
pub use morphology::{
    binary_closing, binary_dilation, binary_erosion, binary_hit_or_miss, binary_opening, black_tophat,
    grey_closing, grey_dilation, grey_erosion, grey_opening, morphological_gradient, morphological_laplace,
    white_tophat,
};
pub use musher_array::{Boundary as Mode, PerAxis};
pub use one_axis::{gaussian_filter1d, maximum_filter1d, minimum_filter1d, uniform_filter1d};
pub use pixel::Pixel;
pub use positions::{Extrema, extrema, maximum_position, minimum_position};
pub use rank::{median_filter, percentile_filter, rank_filter};
pub use regionprops::regionprops;
pub use scale::{ScaleRange, to_u8_scaled};
pub use slopes::{gaussian_gradient_magnitude, gaussian_laplace, laplace, prewitt, scharr, sobel};
pub use spline::{Spline, spline_filter, spline_filter1d};
pub use structure::{Structure, generate_binary_structure};
pub use threshold::{
    Histogram, Otsu, threshold, threshold_isodata, threshold_li, threshold_multiotsu, threshold_otsu,
    threshold_triangle, threshold_yen,
};
pub use uniform::uniform_filter;
pub use weights::{FilterWeights, convolve, convolve1d, correlate, correlate1d};
