//! Splines through the pixels of an image: how they are chosen, and their coefficients.

use musher_array::{Array, Boundary as Mode, Depth, PerAxis};
use musher_graph_core::{Site, Token, Tokenizer};
use ndarray::{Axis, Dimension};

use crate::error::Error;
use crate::filter::{Along, along_axes, check_axis};
use crate::kernel::bspline::{MOST_ORDER, filter_weights};
use crate::kernel::correlate::Weights;
use crate::kernel::resample::{Knots, SplineMode};
use crate::kernel::widen::can_have;
use crate::pixel::Pixel;

/// Pixels that scipy adds at each side before it makes coefficients, where the mode has no coefficients of its own.
const PAD: usize = 12;

/// The spline by which an image is seen between its pixels: its order, and what stands beyond the edges.
///
/// A plain number is the order. The default is scipy's: order 3, mode [`SplineMode::Constant`] of 0.
///
/// # Examples
/// ```
/// use musher_image::{Spline, SplineMode};
/// assert_eq!(Spline::from(3), Spline::default());
/// assert_ne!(Spline::order(1).mode(SplineMode::Nearest), Spline::order(1));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Spline {
    order: usize,
    mode: SplineMode,
    is_filtered: bool,
    reach: Option<PerAxis<usize>>,
}

impl Spline {
    /// A spline of this order: 0 takes the nearest pixel, 1 is linear between pixels, 3 is cubic; at most 5.
    #[must_use]
    pub fn order(order: usize) -> Self {
        Self { order, mode: SplineMode::default(), is_filtered: false, reach: None }
    }

    /// What stands beyond the edges; a constant of integer pixels must be one of their values.
    #[must_use]
    pub fn mode(self, mode: SplineMode) -> Self {
        Self { mode, ..self }
    }

    /// Says that the image holds coefficients already, as [`spline_filter`] makes them: scipy's `prefilter=False`.
    #[must_use]
    #[doc(alias = "prefilter")]
    pub fn of_coefficients(self) -> Self {
        Self { is_filtered: true, ..self }
    }

    pub(crate) fn is_of_coefficients(&self) -> bool {
        self.is_filtered
    }

    /// Promises that no coordinate lies further than this from the place for which it is asked, so that a block reads its
    /// surroundings only: for [`map_coordinates`](crate::map_coordinates) and
    /// [`geometric_transform`](crate::geometric_transform), whose blocks read the whole image otherwise.
    ///
    /// **Units** pixels, for all axes or for each.
    #[must_use]
    pub fn reach(self, reach: impl Into<PerAxis<usize>>) -> Self {
        Self { reach: Some(reach.into()), ..self }
    }

    /// The same, checked for pixels of a type.
    #[track_caller]
    pub(crate) fn check<A: Pixel>(self, ndim: usize) -> Result<Resolved, Error> {
        let caller = Site::caller();
        let Self { order, mode, is_filtered, reach } = self;
        check_order(order, 0, caller)?;
        let constant = mode.constant();
        if !can_have::<A>(constant) {
            let expected = "a value that the pixels can have";
            return Err(Error::Parameter { parameter: "mode", value: constant, expected, caller });
        }
        let reach = match reach {
            None => None,
            Some(reach) => Some(reach.resolve(ndim).map_err(|found| Error::AxisCount {
                parameter: "reach",
                expected: ndim,
                found,
                caller,
            })?),
        };
        Ok(Resolved { order, mode, is_filtered, reach })
    }
}

impl Default for Spline {
    fn default() -> Self {
        Self::order(3)
    }
}

impl From<usize> for Spline {
    fn from(order: usize) -> Self {
        Self::order(order)
    }
}

impl Token for SplineMode {
    fn token(&self, tokenizer: &mut Tokenizer) {
        let kind = match self {
            Self::Constant(_) => 0_u8,
            Self::GridConstant(_) => 1,
            Self::Nearest => 2,
            Self::Mirror => 3,
            Self::Reflect => 4,
            Self::GridWrap => 5,
            Self::Wrap => 6,
        };
        (kind, self.constant()).token(tokenizer);
    }
}

/// A spline that was checked against an image.
#[derive(Debug, Clone)]
pub(crate) struct Resolved {
    pub(crate) order: usize,
    pub(crate) mode: SplineMode,
    pub(crate) is_filtered: bool,
    pub(crate) reach: Option<Vec<usize>>,
}

/// What a transformation samples: coefficients, and what is known of their axes.
pub(crate) enum Samples<A, D> {
    /// The pixels are the coefficients.
    Pixels(Array<A, D>, Vec<Knots>),
    /// Coefficients were made of them.
    Made(Array<f64, D>, Vec<Knots>),
}

impl Resolved {
    /// The coefficients of an image; along axes that `stay` no spline is needed, because coordinates are whole pixels there.
    #[track_caller]
    pub(crate) fn samples<A: Pixel, D: Dimension>(
        &self,
        image: &Array<A, D>,
        stay: &[bool],
    ) -> Result<Samples<A, D>, Error> {
        let lengths = image.shape();
        // Whole coordinates among coefficients are no pixels yet.
        let order = |axis: usize| if stay[axis] && !self.is_filtered { 0 } else { self.order };
        let knots = |pad: usize| -> Vec<Knots> {
            let pad = |axis: usize| if order(axis) > 1 { pad } else { 0 };
            let of_axis = |(axis, &n): (usize, &usize)| Knots {
                n: n + 2 * pad(axis),
                pad: pad(axis),
                order: order(axis),
                mode: self.mode,
            };
            lengths.iter().enumerate().map(of_axis).collect()
        };
        let filtered: Vec<usize> = (0..lengths.len()).filter(|&axis| order(axis) > 1).collect();
        if self.is_filtered || filtered.is_empty() || image.is_empty() {
            return Ok(Samples::Pixels(image.clone(), knots(0)));
        }
        let beyond = match self.mode {
            SplineMode::GridConstant(value) => Some(Mode::Constant(value)),
            SplineMode::Nearest => Some(Mode::Nearest),
            _ => None,
        };
        let values: Array<f64, D> = image.cast();
        let (values, pad) = match beyond {
            None => (values, 0),
            Some(beyond) => {
                let depths: Vec<Depth> = (0..lengths.len())
                    .map(|axis| Depth::both(if order(axis) > 1 { PAD } else { 0 }))
                    .collect();
                (values.try_pad(PerAxis::Each(depths), beyond)?, PAD)
            }
        };
        let coefficients = filtered_along(&values, "spline_filter", &filtered, self.order, self.mode)?;
        Ok(Samples::Made(coefficients, knots(pad)))
    }
}

fn check_order(order: usize, least: usize, caller: Site) -> Result<(), Error> {
    match (least..=MOST_ORDER).contains(&order) {
        true => Ok(()),
        false => {
            let expected = if least == 0 { "from 0 to 5" } else { "from 2 to 5" };
            Err(Error::Parameter { parameter: "order", value: order as f64, expected, caller })
        }
    }
}

/// The coefficients along some axes.
#[track_caller]
fn filtered_along<D: Dimension>(
    values: &Array<f64, D>,
    label: &'static str,
    axes: &[usize],
    order: usize,
    mode: SplineMode,
) -> Result<Array<f64, D>, Error> {
    let weights = Weights::new(filter_weights(order));
    let mode = match mode {
        SplineMode::Reflect | SplineMode::Nearest => Mode::Reflect,
        SplineMode::GridWrap => Mode::Wrap,
        _ => Mode::Mirror,
    };
    let along = (0..values.ndim()).map(|axis| match axes.contains(&axis) {
        true => Along { line: Some(weights.clone()), reach: Depth::both(weights.radius()), mode },
        false => Along { line: None, reach: Depth::both(0), mode },
    });
    along_axes(values, label, "image.spline_filter/1", along.collect())
}

/// The coefficients of the spline that goes through all pixels: what `scipy.ndimage.spline_filter` gives.
///
/// Functions that take a [`Spline`] make them on their own. Whoever samples one image several times makes them once, and says
/// [`Spline::of_coefficients`] then; the modes [`SplineMode::Nearest`] and [`SplineMode::GridConstant`] add pixels around the
/// image first, which this function, like scipy's, does not.
///
/// **Shape** and blocks stay; `f64`.
/// **Cost** one pass. Each block reads the blocks in its halo of 24 pixels for order 2, 32 for 3, 41 for 4 and 50 for 5: beyond
/// that no pixel changes the sixteenth digit. scipy, which recurs along whole lines, agrees within a few units of the last
/// place but for the modes `Reflect` and `Nearest`, where its own beginning of a line of few pixels is not exact; and a NaN, which spoils its line there, spoils the halo around it here. The bits do not depend on the blocks.
///
/// # Errors
/// [`Error::Parameter`] for an order that is not from 2 to 5: splines of lower order have the pixels themselves as
/// coefficients.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::{Spline, map_coordinates, spline_filter};
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[0.0, 0.0, 6.0, 0.0, 0.0]), 2);
/// let coefficients = spline_filter(&image, 3)?;
/// let places = Array::from_array(ndarray::arr2(&[[2.0]]), 1);
/// let center = map_coordinates(&coefficients, &places, Spline::order(3).of_coefficients())?;
/// assert!((center.compute()?[0] - 6.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.spline_filter`; Unser, Aldroubi and Eden 1993, "B-spline signal processing".
#[track_caller]
#[doc(alias = "dask_image.ndinterp.spline_filter")]
#[doc(alias = "scipy.ndimage.spline_filter")]
pub fn spline_filter<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    spline: impl Into<Spline>,
) -> Result<Array<f64, D>, Error> {
    let spline = spline.into();
    check_order(spline.order, 2, Site::caller())?;
    let axes: Vec<usize> = (0..image.ndim()).collect();
    filtered_along(&image.cast(), "spline_filter", &axes, spline.order, spline.mode)
}

/// The coefficients of the splines through the pixels of each line along one axis: what `scipy.ndimage.spline_filter1d` gives.
///
/// As [`spline_filter`] otherwise; the orders 0 and 1 give the pixels themselves.
///
/// # Errors
/// [`Error::Parameter`] for an order above 5 and for an axis that the image has not.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::{Axis, arr2}};
/// use musher_image::spline_filter1d;
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr2(&[[1.0, 1.0, 1.0]]), 2);
/// let flat = spline_filter1d(&image, Axis(1), 3)?.compute()?;
/// assert!(flat.iter().all(|value| (value - 1.0).abs() < 1e-12));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.spline_filter1d`.
#[track_caller]
#[doc(alias = "dask_image.ndinterp.spline_filter1d")]
#[doc(alias = "scipy.ndimage.spline_filter1d")]
pub fn spline_filter1d<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    axis: Axis,
    spline: impl Into<Spline>,
) -> Result<Array<f64, D>, Error> {
    let spline = spline.into();
    check_axis(axis, image.ndim())?;
    check_order(spline.order, 0, Site::caller())?;
    let axes: &[usize] = if spline.order > 1 { &[axis.index()] } else { &[] };
    filtered_along(&image.cast(), "spline_filter1d", axes, spline.order, spline.mode)
}
