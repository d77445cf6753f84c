//! `generic_filter`: a user's function of the neighbors of each pixel.

use std::marker::PhantomData;

use musher_array::neighborhood::{Band, Kernel, neighborhood};
use musher_array::{Array, Boundary as Mode};
use musher_graph_core::{FnIdentity, TaskError, Token, Tokenizer, function_name};
use ndarray::Dimension;

use crate::error::Error;
use crate::filter::{check_constants, halo};
use crate::kernel::taps::{Form, Offsets, rows};
use crate::pixel::Pixel;
use crate::structure::Structure;

/// Calls a function with the neighbors of each pixel.
struct Generic<A, B, F> {
    label: &'static str,
    form: Form,
    function: F,
    identity: FnIdentity,
    marker: PhantomData<fn(A) -> B>,
}

impl<A: Pixel, B: Pixel, F> Kernel for Generic<A, B, F>
where
    F: Fn(&[A]) -> B + Send + Sync + 'static,
{
    type In = A;
    type Out = B;
    type Scratch = Vec<A>;

    fn label(&self) -> &'static str {
        self.label
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        self.identity.enter::<F>("image.generic_filter/1", tokenizer);
        self.form.token(tokenizer);
    }

    fn cost(&self, elements: u64) -> Option<u64> {
        Some(1_000 + elements.saturating_mul(5 + 2 * self.form.len() as u64))
    }

    fn scratch(&self, _: usize) -> usize {
        self.form.len() * (size_of::<A>() + size_of::<usize>())
    }

    fn run(&self, band: &Band<'_, A>, window: &mut Vec<A>, out: &mut [B]) -> Result<(), TaskError> {
        let offsets = Offsets::new(band.shape);
        let begins = self.form.begins(&offsets)?;
        rows(band, &offsets, out, |elements, out| {
            for (column, out) in out.iter_mut().enumerate() {
                window.clear();
                window.extend(begins.iter().map(|begin| elements[begin + column]));
                *out = (self.function)(window);
            }
        });
        Ok(())
    }
}

/// What a function of yours makes of the neighbors of each pixel: as `scipy.ndimage.generic_filter`.
///
/// The second argument is the size of a box, one for all axes or one for each, an ndarray array of `bool` that says which
/// neighbors count, or a [`Structure`] that says more. The function gets those that count in C order of the structure, of
/// the image's own type. Heights of a structure do not count.
///
/// **Shape** and blocks stay. **Units** of sizes: pixels.
/// **Cost** one call of the function for each pixel.
///
/// # Errors
/// As [`grey_erosion`](crate::grey_erosion), and [`Error::Parameter`] for more than one iteration.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_image::generic_filter;
/// use musher_scheduler::Compute;
/// let image = Array::from_array(arr1(&[5_i32, 3, 6, 7, 9]), 2);
/// let span = generic_filter(&image, 3, |near| near.iter().max().unwrap() - near.iter().min().unwrap())?;
/// assert_eq!(span.compute()?, arr1(&[2, 3, 4, 3, 2]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source** `scipy.ndimage.generic_filter`.
#[track_caller]
#[doc(alias = "dask_image.ndfilters.generic_filter")]
#[doc(alias = "vectorized_filter")]
pub fn generic_filter<A: Pixel, B: Pixel, D: Dimension, F>(
    image: &Array<A, D>,
    structure: impl Into<Structure>,
    function: F,
) -> Result<Array<B, D>, Error>
where
    F: Fn(&[A]) -> B + Send + Sync + 'static,
{
    let structure = structure.into().once()?.resolve(image.ndim(), Mode::Reflect)?;
    check_constants::<A>(structure.along.iter().map(|&(.., mode)| mode))?;
    let (depths, modes) = halo(&structure.along, A::narrow);
    let kernel = Generic {
        label: function_name::<F>().unwrap_or("generic_filter"),
        form: Form::new(&structure.places()?),
        function,
        identity: FnIdentity::of::<F>(),
        marker: PhantomData,
    };
    Ok(neighborhood(image, depths, modes, kernel)?)
}
