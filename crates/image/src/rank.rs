//! `median_filter`, `percentile_filter`, `rank_filter`: the value of a rank in a window around each pixel.

use std::marker::PhantomData;

use musher_array::Array;
use musher_array::neighborhood::{Band, Kernel, neighborhood};
use musher_graph_core::{Site, TaskError, Token, Tokenizer};
use ndarray::Dimension;

use crate::error::Error;
use crate::filter::{Window, check_constants, halo, n_pixels};
use crate::kernel::rank::ranked;
use crate::pixel::Pixel;

/// Finds the value of a rank in each window.
struct Rank<A> {
    label: &'static str,
    sizes: Vec<usize>,
    rank: usize,
    marker: PhantomData<fn() -> A>,
}

impl<A: Pixel> Kernel for Rank<A> {
    type In = A;
    type Out = A;
    type Scratch = Vec<A>;

    fn label(&self) -> &'static str {
        self.label
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("image.rank_filter/1");
        (&*self.sizes, self.rank).token(tokenizer);
    }

    fn cost(&self, elements: u64) -> Option<u64> {
        let window: usize = self.sizes.iter().product();
        let seen = if size_of::<A>() == 1 { window / self.sizes.last().unwrap_or(&1) } else { 2 * window };
        Some(1_000 + elements.saturating_mul(2 + seen as u64))
    }

    fn scratch(&self, _: usize) -> usize {
        self.sizes.iter().product::<usize>() * (size_of::<A>() + size_of::<usize>())
    }

    fn run(&self, band: &Band<'_, A>, window: &mut Vec<A>, out: &mut [A]) -> Result<(), TaskError> {
        Ok(ranked(band, &self.sizes, self.rank, window, out)?)
    }
}

/// The value of the rank that `rank` finds for the number of pixels in a window.
#[track_caller]
fn filtered<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    label: &'static str,
    window: Window,
    rank: impl FnOnce(usize) -> Result<usize, Error>,
) -> Result<Array<A, D>, Error> {
    let along = window.resolve(image.ndim())?;
    check_constants::<A>(along.iter().map(|&(.., mode)| mode))?;
    let sizes: Vec<usize> = along.iter().map(|&(size, ..)| size).collect();
    let rank = rank(n_pixels(&along)?)?;
    let (depths, modes) = halo(&along, A::narrow);
    Ok(neighborhood(image, depths, modes, Rank { label, sizes, rank, marker: PhantomData })?)
}

/// The median of a window around each pixel: what `scipy.ndimage.median_filter` gives.
///
/// The second argument is the size of the window in pixels, one for all axes or one for each, or a [`Window`] that says
/// more. Of an even number of pixels it is the greater of the two in the middle. NaN counts as greater than all numbers.
///
/// **Shape** and blocks stay. **Units** of the size: pixels.
/// **Cost** one pass; per pixel as many steps as the window has pixels, of `u8` as many as it has rows.
///
/// # Errors
/// As [`uniform_filter`](crate::uniform_filter), and [`Error::Parameter`] for a window of more than 2^24 pixels.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::median_filter;
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[5.0, 90.0, 6.0, 7.0, 9.0]), 2);
/// assert_eq!(median_filter(&image, 3)?.compute()?, arr1(&[5.0, 6.0, 7.0, 7.0, 9.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.median_filter`.
#[track_caller]
#[doc(alias = "dask_image.ndfilters.median_filter")]
#[doc(alias = "despeckle")]
pub fn median_filter<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    window: impl Into<Window>,
) -> Result<Array<A, D>, Error> {
    filtered(image, "median_filter", window.into(), |pixels| Ok(pixels / 2))
}

/// A percentile of a window around each pixel: what `scipy.ndimage.percentile_filter` gives.
///
/// It is the value of rank `pixels * percentile / 100`, rounded down, of those in the window; a negative percentile counts
/// from 100 backwards. As [`median_filter`] otherwise.
///
/// # Errors
/// As [`median_filter`], and [`Error::Parameter`] for a percentile outside -100 to 100.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::percentile_filter;
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[5, 90, 6, 7, 9]), 2);
/// assert_eq!(percentile_filter(&image, 20.0, 3)?.compute()?, arr1(&[5, 5, 6, 6, 7]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.percentile_filter`.
#[track_caller]
#[doc(alias = "dask_image.ndfilters.percentile_filter")]
pub fn percentile_filter<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    percentile: f64,
    window: impl Into<Window>,
) -> Result<Array<A, D>, Error> {
    let caller = Site::caller();
    let share = if percentile < 0.0 { percentile + 100.0 } else { percentile };
    if !(0.0..=100.0).contains(&share) {
        let (parameter, expected) = ("percentile", "from -100 to 100");
        return Err(Error::Parameter { parameter, value: percentile, expected, caller });
    }
    let rank = |pixels: usize| Ok(((pixels as f64 * share / 100.0) as usize).min(pixels - 1));
    filtered(image, "percentile_filter", window.into(), rank)
}

/// The value of a rank in a window around each pixel: what `scipy.ndimage.rank_filter` gives.
///
/// Rank 0 is the least value, -1 the greatest. As [`median_filter`] otherwise.
///
/// # Errors
/// As [`median_filter`], and [`Error::Parameter`] for a rank that the window has not.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::rank_filter;
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[5, 90, 6, 7, 9]), 2);
/// assert_eq!(rank_filter(&image, -2, 3)?.compute()?, arr1(&[5, 6, 7, 7, 9]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.rank_filter`.
#[track_caller]
#[doc(alias = "dask_image.ndfilters.rank_filter")]
pub fn rank_filter<A: Pixel, D: Dimension>(
    image: &Array<A, D>,
    rank: isize,
    window: impl Into<Window>,
) -> Result<Array<A, D>, Error> {
    let caller = Site::caller();
    filtered(image, "rank_filter", window.into(), |pixels| {
        let from_the_end = if rank < 0 { pixels } else { 0 };
        let found = from_the_end.checked_add_signed(rank).filter(|&rank| rank < pixels);
        let (parameter, value, expected) = ("rank", rank as f64, "a rank that the window has");
        found.ok_or(Error::Parameter { parameter, value, expected, caller })
    })
}
