//! `gaussian_filter`: each block reads its neighbours as far as the weights reach.

use std::panic::Location;
use std::sync::Arc;

use musher_array::{Array, Block, Float};
use musher_graph_core::{
    AxisMap, Facts, FnTask, Grid, Inputs, Layer, Lists, Place, Port, TaskError, Token, Tokenizer, Wiring,
};
use ndarray::{ArrayD, Dimension, IxDyn};

use crate::error::Error;
use crate::kernel::boundary::Mode;
use crate::kernel::correlate::{Weights, separable};
use crate::kernel::gaussian::{SMALLEST_SIGMA, radius, weights};
use crate::kernel::halo::{HaloReads, assemble, halo_reads};
use crate::kernel::widen::Widen;
use crate::wire::{grid_of, port_of};

/// Weights that reach further than this are a mistake: no image has as many pixels along an axis.
const MOST_PIXELS: f64 = (1_u64 << 24) as f64;

/// `f32` or `f64`: what filters work on.
///
/// The list is closed; sums always run in `f64`. Use `cast::<f64>()` on images of integers.
///
/// # Examples
/// ```
/// fn bits<A: musher_image::FloatPixel>() -> usize {
///     8 * size_of::<A>()
/// }
/// assert_eq!(bits::<f32>(), 32);
/// ```
pub trait FloatPixel: Float + Widen {}

impl FloatPixel for f32 {}
impl FloatPixel for f64 {}

/// One value for all axes of an image, or one for each.
///
/// # Examples
/// ```
/// use musher_image::PerAxis;
/// assert_eq!(PerAxis::from(2.0), PerAxis::All(2.0));
/// assert_eq!(PerAxis::from([1.0, 2.0]), PerAxis::Each(vec![1.0, 2.0]));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum PerAxis<T> {
    /// The same for all axes.
    All(T),
    /// One for each axis.
    Each(Vec<T>),
}

impl<T: Copy> PerAxis<T> {
    fn resolve(
        &self,
        parameter: &'static str,
        ndim: usize,
        caller: &'static Location<'static>,
    ) -> Result<Vec<T>, Error> {
        match self {
            PerAxis::All(value) => Ok(vec![*value; ndim]),
            PerAxis::Each(values) if values.len() == ndim => Ok(values.clone()),
            PerAxis::Each(values) => {
                Err(Error::AxisCount { parameter, expected: ndim, found: values.len(), caller })
            }
        }
    }
}

/// Conversions into [`PerAxis`]. For `f64` they read: from a number, from an array of numbers, from a vector of them.
macro_rules! per_axis {
    ($($t:ty),*) => {$(
        impl From<$t> for PerAxis<$t> {
            fn from(value: $t) -> Self {
                PerAxis::All(value)
            }
        }

        impl<const N: usize> From<[$t; N]> for PerAxis<$t> {
            fn from(values: [$t; N]) -> Self {
                PerAxis::Each(values.to_vec())
            }
        }

        impl From<Vec<$t>> for PerAxis<$t> {
            fn from(values: Vec<$t>) -> Self {
                PerAxis::Each(values)
            }
        }
    )*};
}
per_axis!(f64, usize, Mode);

/// The parameters of [`gaussian_filter`]: standard deviation, order of derivative, reach, and what is beyond the edge.
///
/// A plain number or an array of numbers becomes one with the defaults of scipy: order 0, `truncate` 4, mode
/// [`Mode::Reflect`].
///
/// # Examples
/// ```
/// use musher_image::{Gaussian, Mode};
/// let along_rows = Gaussian::sigma([0.0, 2.0]).order([0, 1]).truncate(3.0).mode(Mode::Nearest);
/// assert_ne!(along_rows, Gaussian::from([0.0, 2.0]));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Gaussian {
    sigma: PerAxis<f64>,
    order: PerAxis<usize>,
    mode: PerAxis<Mode>,
    truncate: f64,
}

impl Gaussian {
    /// A Gaussian of this standard deviation in pixels; 0 leaves an axis as it is.
    #[must_use]
    pub fn sigma(sigma: impl Into<PerAxis<f64>>) -> Self {
        Self { sigma: sigma.into(), order: PerAxis::All(0), mode: PerAxis::All(Mode::Reflect), truncate: 4.0 }
    }

    /// The order of the derivative: 0 smooths, 1 is the slope of the smoothed image, 2 its curvature.
    #[must_use]
    pub fn order(self, order: impl Into<PerAxis<usize>>) -> Self {
        Self { order: order.into(), ..self }
    }

    /// How far the weights reach, in standard deviations.
    #[must_use]
    pub fn truncate(self, truncate: f64) -> Self {
        Self { truncate, ..self }
    }

    /// What stands beyond the edges.
    #[must_use]
    pub fn mode(self, mode: impl Into<PerAxis<Mode>>) -> Self {
        Self { mode: mode.into(), ..self }
    }
}

impl<T: Into<PerAxis<f64>>> From<T> for Gaussian {
    fn from(sigma: T) -> Self {
        Self::sigma(sigma)
    }
}

/// The parameters along one axis, checked.
#[derive(Debug, Clone)]
struct Along {
    weights: Option<Weights>,
    mode: Mode,
}

impl Token for Along {
    fn token(&self, tokenizer: &mut Tokenizer) {
        self.weights.as_ref().map(Weights::values).token(tokenizer);
        match self.mode {
            Mode::Reflect => 0_u8.token(tokenizer),
            Mode::Mirror => 1_u8.token(tokenizer),
            Mode::Nearest => 2_u8.token(tokenizer),
            Mode::Wrap => 3_u8.token(tokenizer),
            Mode::Constant(value) => (4_u8, value).token(tokenizer),
        }
    }
}

/// Smooths an image with a Gaussian, or takes a derivative of the smoothed image: what `scipy.ndimage.gaussian_filter`
/// gives, for every division into blocks.
///
/// The second argument is the standard deviation in pixels, one for all axes or one for each, or a [`Gaussian`] that
/// says more. The values do not depend on the blocks, to the last bit.
///
/// **Shape** and blocks stay. **Units** of `sigma`: pixels.
/// **Cost** one pass; memory of one task: a block with its halo of `truncate * sigma` pixels, twice. Each block reads the
/// blocks in its halo.
///
/// # Errors
/// [`Error::Parameter`] for a `sigma` or `truncate` that is negative, not finite or absurdly large; [`Error::AxisCount`]
/// when a parameter is given for another number of axes.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::Ix2};
/// use musher_image::{Gaussian, Mode, gaussian_filter};
/// use musher_scheduler::Compute;
/// let star = Array::<f64, Ix2>::from_shape_fn((9, 9), 4, |place| if place == (4, 4) { 1.0 } else { 0.0 });
/// let smooth = gaussian_filter(&star, 1.0)?;
/// let total = smooth.sum().compute()?;
/// assert!((total - 1.0).abs() < 1e-12, "smoothing keeps the light");
/// let slope = gaussian_filter(&star, Gaussian::sigma(1.0).order([0, 1]).mode(Mode::Wrap))?;
/// assert!(slope.compute()?[[4, 3]] > 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.gaussian_filter`: separable correlation, the weights cut at `truncate` standard deviations.
#[track_caller]
#[doc(alias = "dask_image.ndfilters.gaussian_filter")]
#[doc(alias = "gaussian_blur")]
pub fn gaussian_filter<A, D>(
    image: &Array<A, D>,
    parameters: impl Into<Gaussian>,
) -> Result<Array<A, D>, Error>
where
    A: FloatPixel,
    D: Dimension,
{
    let caller = Location::caller();
    let along = check(&parameters.into(), image.ndim(), caller)?;
    if along.iter().all(|along| along.weights.is_none()) {
        return Ok(image.clone());
    }
    let halo_reads: Vec<Vec<HaloReads>> = along
        .iter()
        .enumerate()
        .map(|(axis, along)| {
            halo_reads(
                image.chunks().axis(axis),
                along.weights.as_ref().map_or(0, Weights::radius),
                along.mode,
            )
        })
        .collect();
    let grid = grid_of(image);
    let layer = Layer::build(task::<A>(along, &halo_reads))
        .caller(caller)
        .input(&port_of(image), wiring(&halo_reads, &grid))
        .finish(grid);
    Ok(Array::from_port(Port::of(layer), image.chunks().clone()))
}

/// Checks the parameters once; what runs later takes them as they are.
fn check(
    parameters: &Gaussian,
    ndim: usize,
    caller: &'static Location<'static>,
) -> Result<Vec<Along>, Error> {
    let refuse = |parameter, value, expected| Err(Error::Parameter { parameter, value, expected, caller });
    let sigmas = parameters.sigma.resolve("sigma", ndim, caller)?;
    let orders = parameters.order.resolve("order", ndim, caller)?;
    let modes = parameters.mode.resolve("mode", ndim, caller)?;
    let truncate = parameters.truncate;
    if !(truncate >= 0.0 && truncate.is_finite()) {
        return refuse("truncate", truncate, "0 or more, and finite");
    }
    let mut along = Vec::with_capacity(ndim);
    for ((sigma, order), mode) in sigmas.into_iter().zip(orders).zip(modes) {
        if !(sigma >= 0.0 && sigma.is_finite()) {
            return refuse("sigma", sigma, "0 or more, and finite");
        }
        if sigma * truncate > MOST_PIXELS {
            return refuse("sigma", sigma, "such that sigma * truncate is at most 2^24 pixels");
        }
        let weights = (sigma > SMALLEST_SIGMA).then(|| weights(sigma, order, radius(sigma, truncate)));
        along.push(Along { weights, mode });
    }
    Ok(along)
}

/// Which blocks each block reads: ranges along each axis, or lists where an axis runs around.
fn wiring(halo_reads: &[Vec<HaloReads>], grid: &Grid) -> Wiring {
    let maps: Option<Vec<AxisMap>> = halo_reads
        .iter()
        .enumerate()
        .map(|(axis, halo_reads)| {
            if halo_reads.iter().enumerate().all(|(at, reads)| reads.sources == [at as u32]) {
                return Some(AxisMap::follow(axis));
            }
            let ranges: Option<Arc<[(u32, u32)]>> = halo_reads.iter().map(HaloReads::range).collect();
            ranges.map(|ranges| AxisMap::Ranges { axis, ranges })
        })
        .collect();
    if let Some(maps) = maps {
        return Wiring::axes(maps);
    }
    let mut lists = Lists::new();
    for index in 0..grid.n_tasks() {
        let coords = grid.coords_of(index);
        let mut read = vec![0];
        for ((halo_reads, &coord), &length) in halo_reads.iter().zip(&coords).zip(grid.shape()) {
            let sources = &halo_reads[coord].sources;
            read = read
                .iter()
                .flat_map(|&head| sources.iter().map(move |&source| head * length + source))
                .collect();
        }
        lists.push(read);
    }
    Wiring::explicit(lists)
}

fn task<A: FloatPixel>(along: Vec<Along>, halo_reads: &[Vec<HaloReads>]) -> impl musher_graph_core::Task {
    let parameters = (A::NAME, along.clone());
    let taps: usize =
        along.iter().flat_map(|along| &along.weights).map(|weights| weights.values().len()).sum();
    // A constant belongs to its axis: what surrounds the image differs from axis to axis.
    let surrounds: Vec<A> = along
        .iter()
        .map(|along| match along.mode {
            Mode::Constant(value) => A::narrow(value),
            _ => A::default(),
        })
        .collect();
    let weights: Vec<Option<Weights>> = along.into_iter().map(|along| along.weights).collect();
    let (of_run, of_facts) =
        (Arc::<[Vec<HaloReads>]>::from(halo_reads), Arc::<[Vec<HaloReads>]>::from(halo_reads));
    FnTask::new("gaussian_filter", move |at: Place<'_>, inputs: &mut Inputs<'_>| {
        let halo_reads: Vec<&HaloReads> =
            of_run.iter().zip(at.coords()).map(|(halo_reads, at)| &halo_reads[at]).collect();
        let own: Vec<usize> = halo_reads.iter().map(|reads| reads.own).collect();
        if own.contains(&0) {
            return Ok(Block::new(ArrayD::from_elem(IxDyn(&own), A::default())));
        }
        let blocks = inputs.slot::<Block<A>>(0)?;
        let views: Vec<_> = blocks.iter().map(|block| block.view()).collect();
        let outside: Vec<_> = halo_reads.iter().map(|reads| reads.outside).collect();
        let shape = halo_reads.iter().map(|reads| reads.length).collect();
        let padded = assemble(&views, &halo_reads)?;
        Ok::<_, TaskError>(Block::new(separable(padded, shape, &outside, &weights, &surrounds)?))
    })
    .params("image.gaussian_filter/1", &parameters)
    .facts(move |at, _| {
        let halo_reads = of_facts.iter().zip(at.coords()).map(|(halo_reads, at)| &halo_reads[at]);
        let (mut own, mut padded) = (size_of::<A>() as u64, size_of::<A>() as u64);
        for reads in halo_reads {
            own *= reads.own as u64;
            padded *= (reads.length + reads.outside.0 + reads.outside.1) as u64;
        }
        Facts::bytes(own).scratch(2 * padded).cost(padded / size_of::<A>() as u64 * taps as u64 / 4)
    })
}
