//! Fourier transforms along axes, of real and complex numbers, under NumPy's names.
//!
//! Each function takes the array and the axes along which it is transformed: an [`Axis`], a list of them, [`All`], or
//! [`Transform::of`] with lengths and a [`Norm`]. A transformed axis becomes one block, for which the plan gets a `rechunk`
//! that [`explain()`](musher_scheduler::Compute) shows; the other axes are cut so that blocks stay as large as they were. A line
//! along the axis must fit in memory, the array need not.
//!
//! ```
//! use musher_array::{Array, fft, ndarray::Axis};
//! use musher_scheduler::Compute;
//! let wave = Array::from_shape_fn(64, 16, |i| (i as f64 * std::f64::consts::TAU * 5.0 / 64.0).cos());
//! let loud = fft::rfft(&wave, Axis(0))?.abs().argmax().compute()?;
//! assert_eq!(loud, 5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The transforms are those of [rustfft](https://docs.rs/rustfft) and [realfft](https://docs.rs/realfft), of any length: products of
//! small primes are fastest, a large prime costs about four times as much. They use the vector instructions that the machine has:
//! the bits of an answer do not depend on blocks, threads or memory, but two machines with other instructions may differ in the
//! last ones.

use crate::array::{Array, Core};
use crate::block::Block;
use crate::chunks::{Chunks, n_elements};
use crate::element::Element;
use crate::error::{Error, Shape};
use crate::kernel::fft::{LineTransform, scratch_bytes, transform, transform_in_place};
use crate::kernel::memory::in_order;
use crate::rechunk::rechunked;
use crate::reductions::{All, Axes};
use musher_graph_core::{Facts, FnTask, Inputs, Layer, Place, Port, Site, TaskError, Wiring};
use musher_scheduler::check_cancelled;
use ndarray::{ArrayD, Axis, Dimension, Ix1, IxDyn};
use std::sync::{Arc, OnceLock};

pub use crate::kernel::fft::{ComplexSample, RealSample, Sample};

/// Which way there and back is divided by the number of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Norm {
    /// The way back is divided by it: NumPy's default.
    #[default]
    Backward,
    /// Both are divided by its square root, so that lengths of vectors stay.
    Ortho,
    /// The way there is divided by it.
    Forward,
}

impl Norm {
    /// What a transform of `n` points is multiplied by.
    fn factor(self, n: usize, is_inverse: bool) -> f64 {
        match (self, is_inverse) {
            (Self::Ortho, _) => 1.0 / (n as f64).sqrt(),
            (Self::Backward, true) | (Self::Forward, false) => 1.0 / n as f64,
            _ => 1.0,
        }
    }

    /// That of the transform in the other direction.
    const fn swapped(self) -> Self {
        match self {
            Self::Backward => Self::Forward,
            Self::Ortho => Self::Ortho,
            Self::Forward => Self::Backward,
        }
    }
}

/// Along which axes, over how many points, and divided by what an array is transformed.
///
/// # Examples
/// ```
/// use musher_array::{Array, fft, fft::{Norm, Transform}, ndarray::Axis};
/// let x = Array::<f64, _>::ones((4, 6), (2, 3));
/// let y = fft::fft(&x, Transform::of(Axis(1)).lengths([16]).norm(Norm::Ortho))?;
/// assert_eq!(y.shape(), [4, 16]);
/// # Ok::<(), musher_array::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transform {
    /// The axes; none means all.
    axes: Option<Vec<usize>>,
    lengths: Option<Vec<usize>>,
    norm: Norm,
}

impl Transform {
    /// A transform along these axes, over as many points as there are elements along each.
    #[must_use]
    pub fn of(axes: impl Into<Self>) -> Self {
        axes.into()
    }

    /// Takes so many points along each axis: what is longer is cut, what is shorter goes on with zeros. Of a transform to
    /// real numbers it is the number of those.
    #[must_use]
    #[doc(alias = "n")]
    #[doc(alias = "s")]
    pub fn lengths(self, lengths: impl Into<Vec<usize>>) -> Self {
        Self { lengths: Some(lengths.into()), ..self }
    }

    /// Divides by the number of points otherwise.
    #[must_use]
    pub fn norm(self, norm: Norm) -> Self {
        Self { norm, ..self }
    }

    fn along(axes: Option<Vec<usize>>) -> Self {
        Self { axes, lengths: None, norm: Norm::default() }
    }
}

impl From<Axis> for Transform {
    fn from(axis: Axis) -> Self {
        Self::along(Some(vec![axis.0]))
    }
}

impl<const N: usize> From<[Axis; N]> for Transform {
    fn from(axes: [Axis; N]) -> Self {
        axes[..].into()
    }
}

impl From<&[Axis]> for Transform {
    fn from(axes: &[Axis]) -> Self {
        Self::along(Some(axes.iter().map(|axis| axis.0).collect()))
    }
}

impl From<All> for Transform {
    fn from(_: All) -> Self {
        Self::along(None)
    }
}

/// A transform that was checked against the axes of an array.
struct Checked {
    operation: &'static str,
    /// The axes and the number of points asked for along each.
    axes: Vec<(usize, Option<usize>)>,
    norm: Norm,
    caller: Site,
}

impl Checked {
    /// Checks the axes; `count` is how many there must be.
    #[track_caller]
    fn new(
        operation: &'static str,
        transform: Transform,
        count: Option<usize>,
        ndim: usize,
    ) -> Result<Self, Error> {
        let caller = Site::caller();
        let wrong = |problem| Error::Arrangement { operation, problem, caller };
        let axes = transform.axes.unwrap_or_else(|| (0..ndim).collect());
        if let Some(&axis) = axes.iter().find(|&&axis| axis >= ndim) {
            return Err(Error::Axis { operation, axis, ndim, caller });
        }
        if (1..axes.len()).any(|at| axes[..at].contains(&axes[at])) {
            return Err(wrong("an axis is named twice"));
        }
        if axes.is_empty() || count.is_some_and(|count| count != axes.len()) {
            return Err(wrong(match count {
                Some(1) => "it goes along one axis",
                Some(_) => "it goes along two axes",
                None => "it goes along one axis at least",
            }));
        }
        let lengths = match transform.lengths {
            Some(lengths) if lengths.len() != axes.len() => {
                return Err(wrong("there is not one length for each axis"));
            }
            Some(lengths) => lengths.into_iter().map(Some).collect(),
            None => vec![None; axes.len()],
        };
        Ok(Self { operation, axes: axes.into_iter().zip(lengths).collect(), norm: transform.norm, caller })
    }

    /// Transforms along one axis; `made` tells, from the number of points, how many elements there are after it.
    fn step<A, B>(
        &self,
        core: &Core,
        axis: usize,
        points: usize,
        made: usize,
        plan: impl Fn(f64) -> Arc<dyn LineTransform<A, B>> + Send + Sync + 'static,
        is_inverse: bool,
    ) -> Result<Core, Error>
    where
        A: Sample,
        B: Element,
    {
        let &Self { operation, norm, caller, .. } = self;
        if points == 0 {
            return Err(Error::Arrangement {
                operation,
                problem: "there is no transform of no points",
                caller,
            });
        }
        let mut shape = core.chunking.shape();
        shape[axis] = points.max(made);
        let bytes = n_elements(&shape).and_then(|n| n.checked_mul(2 * size_of::<[f64; 2]>()));
        if bytes.is_none_or(|bytes| bytes > isize::MAX as usize) {
            return Err(Error::TooLarge { shape: Shape(shape), what: "elements", caller });
        }
        let whole = core.chunking.whole_along_axes(&[axis], made);
        let core = rechunked::<A>(core, &whole, caller);
        let output = whole.with_axis(axis, [made].into());
        let factor = norm.factor(points, is_inverse);
        // Tables for a length are made once, by whoever comes first.
        let made_plan: OnceLock<Arc<dyn LineTransform<A, B>>> = OnceLock::new();
        let of_run = output.clone();
        let task = FnTask::new(operation, move |at: Place<'_>, inputs: &mut Inputs<'_>| {
            let plan = made_plan.get_or_init(|| plan(factor));
            along(&**plan, axis, &of_run.block_shape(&at.coords()), inputs)
        });
        let parameters = ((A::NAME, B::NAME), (axis, points), (is_inverse, factor.to_bits()), &output);
        let task = task.params("array.fft/1", &parameters);
        let (of_facts, n) = (output.clone(), whole.axis(axis)[0]);
        let task = task.facts(move |at, inputs| {
            let shape = of_facts.block_shape(&at.coords());
            let (elements, inner) = (shape.iter().product::<usize>(), shape[axis + 1..].iter().product());
            let bytes = (elements * size_of::<B>()) as u64;
            // A block that does not lie in C order is copied first.
            let read = inputs.first().copied().flatten().unwrap_or(bytes);
            let scratch = scratch_bytes::<A, B>(n, inner, points).saturating_add(read);
            let depth = u64::from(points.ilog2()) + 1;
            Facts::bytes(bytes).scratch(scratch).cost(2_000 + elements as u64 * depth / 2)
        });
        let wiring = Wiring::one_to_one(output.ndim());
        let layer = Layer::build(task).caller(caller).input(&core.port, wiring).finish(output.grid());
        Ok(Core { port: Port::of(layer), chunking: output })
    }

    /// How many points there are along an axis of the core, unless others were asked for.
    fn points(core: &Core, (axis, asked): (usize, Option<usize>)) -> usize {
        asked.unwrap_or_else(|| core.chunking.axis(axis).iter().sum())
    }

    /// As many elements as points, along all axes but some of the last.
    fn full<A: Sample>(&self, mut core: Core, without: usize, is_inverse: bool) -> Result<Core, Error> {
        // As NumPy, from the last axis to the first.
        for &axis in self.axes[..self.axes.len() - without].iter().rev() {
            let n = Self::points(&core, axis);
            core =
                self.step(&core, axis.0, n, n, move |factor| A::to_full(n, is_inverse, factor), is_inverse)?;
        }
        Ok(core)
    }

    /// Numbers of any kind along all axes; the first step makes them complex.
    fn spectrum<A: Sample>(&self, core: &Core, is_inverse: bool) -> Result<Core, Error> {
        let last = self.axes[self.axes.len() - 1];
        let n = Self::points(core, last);
        let first =
            self.step(core, last.0, n, n, move |factor| A::to_full(n, is_inverse, factor), is_inverse)?;
        self.full::<A::Spectrum>(first, 1, is_inverse)
    }

    /// Real numbers: half a spectrum along the last axis, then whole ones along the others.
    fn half<A: RealSample>(&self, core: &Core, is_inverse: bool) -> Result<Core, Error> {
        let last = self.axes[self.axes.len() - 1];
        let n = Self::points(core, last);
        let first = self.step(core, last.0, n, n / 2 + 1, move |factor| A::to_half(n, factor), is_inverse)?;
        self.full::<A::Spectrum>(first, 1, is_inverse)
    }

    /// The way back from half a spectrum.
    fn real<C: ComplexSample>(&self, core: &Core, is_inverse: bool) -> Result<Core, Error> {
        let core = self.full::<C>(core.clone(), 1, is_inverse)?;
        let (axis, asked) = self.axes[self.axes.len() - 1];
        // Of no elements there is nothing to go back to.
        let n =
            asked.unwrap_or_else(|| (2 * core.chunking.axis(axis).iter().sum::<usize>()).saturating_sub(2));
        self.step(&core, axis, n, n, move |factor| C::to_real(n, factor), is_inverse)
    }
}

/// One block of another, transformed along an axis; in its place, where it stays as long and nobody else holds it.
fn along<A: Sample, B: Element>(
    plan: &dyn LineTransform<A, B>,
    axis: usize,
    shape: &[usize],
    inputs: &mut Inputs<'_>,
) -> Result<Block<B>, TaskError> {
    let look = || check_cancelled().map_err(TaskError::from);
    let inner: usize = shape[axis + 1..].iter().product();
    let block = inputs.take::<Block<A>>(0)?;
    let n = block.shape()[axis];
    let is_same = n == shape[axis] && A::DTYPE == B::DTYPE;
    let block = match Arc::try_unwrap(block) {
        Ok(block) if is_same => match block.into_elements() {
            Ok(elements) => {
                let mut elements = B::from_buffer(A::into_buffer(elements))
                    .ok_or(Error::ForeignChunk { expected: B::DTYPE })?;
                transform_in_place(plan, &mut elements, inner, look)?;
                return Ok(Block::new(ArrayD::from_shape_vec(IxDyn(shape), elements)?));
            }
            Err(block) => Arc::new(block),
        },
        Ok(block) => Arc::new(block),
        Err(shared) => shared,
    };
    let input = in_order(block.view())?;
    let input = input.as_slice().unwrap_or_default();
    let outer = shape[..axis].iter().product();
    let made = transform(plan, input, [outer, n, inner], look)?;
    Ok(Block::new(ArrayD::from_shape_vec(IxDyn(shape), made)?))
}

/// Makes of each row a function along one axis, two, or any: what it reads and makes, how, and its documentation.
macro_rules! transforms {
    ($(
        $(#[$doc:meta])*
        fn $name:ident where $a:ident: $kind:ident = $count:expr, $out:ty, |$checked:ident, $core:ident| $body:expr;
    )*) => {$(
        $(#[$doc])*
        ///
        /// **Cost** a pass along each axis, and a [`rechunk`](Array::rechunk) for each that has several blocks.
        ///
        /// # Errors
        /// [`Error::Axis`] when there is no such axis, [`Error::Arrangement`] when axes are named twice, are too few or too many, or
        /// there are no points along one, [`Error::TooLarge`] when the elements cannot be counted.
        #[track_caller]
        pub fn $name<$a: $kind, D: Dimension>(
            x: &Array<$a, D>,
            transform: impl Into<Transform>,
        ) -> Result<Array<$out, D>, Error> {
            let $checked = Checked::new(stringify!($name), transform.into(), $count, x.ndim())?;
            let $core = x.core();
            Ok(Array::from_core($body?))
        }
    )*};
}

transforms! {
    /// The Fourier transform along an axis.
    ///
    /// **Shape** the axis has as many frequencies as there are points: 0, the positive ones, the negative ones.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, Complex, fft, ndarray::{Axis, arr1}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[1.0, 0.0, 0.0, 0.0]), 2);
    /// assert_eq!(fft::fft(&x, Axis(0))?.compute()?, arr1(&[Complex::new(1.0, 0.0); 4]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "dask.array.fft.fft")]
    fn fft where A: Sample = Some(1), A::Spectrum, |checked, core| checked.spectrum::<A>(core, false);

    /// The way back from [`fft`].
    ///
    /// **Shape** the axis has as many points as there are frequencies.
    #[doc(alias = "dask.array.fft.ifft")]
    fn ifft where A: Sample = Some(1), A::Spectrum, |checked, core| checked.spectrum::<A>(core, true);

    /// The Fourier transform along two axes.
    ///
    /// **Shape** each axis has as many frequencies as there are points.
    #[doc(alias = "dask.array.fft.fft2")]
    fn fft2 where A: Sample = Some(2), A::Spectrum, |checked, core| checked.spectrum::<A>(core, false);

    /// The way back from [`fft2`].
    ///
    /// **Shape** each axis has as many points as there are frequencies.
    #[doc(alias = "dask.array.fft.ifft2")]
    fn ifft2 where A: Sample = Some(2), A::Spectrum, |checked, core| checked.spectrum::<A>(core, true);

    /// The Fourier transform along some axes.
    ///
    /// **Shape** each axis has as many frequencies as there are points.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{All, Array, Complex, fft};
    /// use musher_scheduler::Compute;
    /// let x = Array::<f64, _>::ones((4, 6, 2), 2);
    /// let y = fft::fftn(&x, All)?.compute()?;
    /// assert_eq!(y[[0, 0, 0]], Complex::new(48.0, 0.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "dask.array.fft.fftn")]
    fn fftn where A: Sample = None, A::Spectrum, |checked, core| checked.spectrum::<A>(core, false);

    /// The way back from [`fftn`].
    ///
    /// **Shape** each axis has as many points as there are frequencies.
    #[doc(alias = "dask.array.fft.ifftn")]
    fn ifftn where A: Sample = None, A::Spectrum, |checked, core| checked.spectrum::<A>(core, true);

    /// The Fourier transform of real numbers along an axis: the frequencies that are not negative, of which the others are the
    /// conjugates.
    ///
    /// **Shape** `n → n / 2 + 1` along the axis.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, fft, ndarray::Axis};
    /// use musher_scheduler::Compute;
    /// let x = Array::<f64, _>::ones((3, 8), 2);
    /// assert_eq!(fft::rfft(&x, Axis(1))?.shape(), [3, 5]);
    /// # Ok::<(), musher_array::Error>(())
    /// ```
    #[doc(alias = "dask.array.fft.rfft")]
    fn rfft where A: RealSample = Some(1), A::Spectrum, |checked, core| checked.half::<A>(core, false);

    /// The way back from [`rfft`].
    ///
    /// **Shape** `n → 2 n - 2` along the axis, or the length that is asked for, since an odd one cannot be told.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, fft, fft::Transform, ndarray::Axis};
    /// let x = Array::<f64, _>::ones(9, 4);
    /// let y = fft::irfft(&fft::rfft(&x, Axis(0))?, Transform::of(Axis(0)).lengths([9]))?;
    /// assert_eq!(y.shape(), [9]);
    /// # Ok::<(), musher_array::Error>(())
    /// ```
    #[doc(alias = "dask.array.fft.irfft")]
    fn irfft where C: ComplexSample = Some(1), C::Real, |checked, core| checked.real::<C>(core, true);

    /// The Fourier transform of real numbers along two axes; the second has the frequencies alone that are not negative.
    ///
    /// **Shape** `n → n / 2 + 1` along the second of the axes.
    #[doc(alias = "dask.array.fft.rfft2")]
    fn rfft2 where A: RealSample = Some(2), A::Spectrum, |checked, core| checked.half::<A>(core, false);

    /// The way back from [`rfft2`].
    ///
    /// **Shape** `n → 2 n - 2` along the second of the axes, or the length that is asked for.
    #[doc(alias = "dask.array.fft.irfft2")]
    fn irfft2 where C: ComplexSample = Some(2), C::Real, |checked, core| checked.real::<C>(core, true);

    /// The Fourier transform of real numbers along some axes; the last of them has the frequencies alone that are not negative.
    ///
    /// **Shape** `n → n / 2 + 1` along the last of the axes.
    #[doc(alias = "dask.array.fft.rfftn")]
    fn rfftn where A: RealSample = None, A::Spectrum, |checked, core| checked.half::<A>(core, false);

    /// The way back from [`rfftn`].
    ///
    /// **Shape** `n → 2 n - 2` along the last of the axes, or the length that is asked for.
    #[doc(alias = "dask.array.fft.irfftn")]
    fn irfftn where C: ComplexSample = None, C::Real, |checked, core| checked.real::<C>(core, true);

    /// The transform along an axis of a signal whose spectrum is real: the signal is the conjugate of itself run backward, and
    /// half of it is given.
    ///
    /// **Shape** `n → 2 n - 2` along the axis, or the length that is asked for.
    #[doc(alias = "dask.array.fft.hfft")]
    fn hfft where C: ComplexSample = Some(1), C::Real, |checked, core| {
        let signal = Array::<C, D>::from_core(core.clone()).conj();
        Checked { norm: checked.norm.swapped(), ..checked }.real::<C>(signal.core(), true)
    };

    /// The way back from [`hfft`].
    ///
    /// **Shape** `n → n / 2 + 1` along the axis.
    #[doc(alias = "dask.array.fft.ihfft")]
    fn ihfft where A: RealSample = Some(1), A::Spectrum, |checked, core| {
        let half = Checked { norm: checked.norm.swapped(), ..checked }.half::<A>(core, false);
        half.map(|half| Array::<A::Spectrum, D>::from_core(half).conj().core().clone())
    };
}

/// The frequencies of [`fft`](fft()) of `n` samples at a distance of `spacing`: 0, the positive ones, the negative ones.
///
/// **Shape** `(n,)`. **Cost** none: they become part of whatever uses them.
///
/// # Errors
/// [`Error::Arrangement`] when there are no points or no distance.
///
/// # Examples
/// ```
/// use musher_array::{fft, ndarray::arr1};
/// use musher_scheduler::Compute;
/// assert_eq!(fft::fftfreq(4, 0.5, 2)?.compute()?, arr1(&[0.0, 0.5, -1.0, -0.5]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
#[doc(alias = "dask.array.fft.fftfreq")]
pub fn fftfreq(n: usize, spacing: f64, chunks: impl Into<Chunks>) -> Result<Array<f64, Ix1>, Error> {
    let unit = unit("fftfreq", n, spacing)?;
    let k = Array::arange(0.0, n as f64, 1.0, chunks);
    let is_positive = k.lt(n.div_ceil(2) as f64);
    Ok(is_positive.try_select(&k, &k - n as f64)? * unit)
}

/// The frequencies of [`rfft`] of `n` samples at a distance of `spacing`.
///
/// **Shape** `(n / 2 + 1,)`. **Cost** none: they become part of whatever uses them.
///
/// # Errors
/// [`Error::Arrangement`] when there are no points or no distance.
#[track_caller]
#[doc(alias = "dask.array.fft.rfftfreq")]
pub fn rfftfreq(n: usize, spacing: f64, chunks: impl Into<Chunks>) -> Result<Array<f64, Ix1>, Error> {
    let unit = unit("rfftfreq", n, spacing)?;
    Ok(Array::arange(0.0, (n / 2 + 1) as f64, 1.0, chunks) * unit)
}

/// The lowest frequency that is not 0.
#[track_caller]
fn unit(operation: &'static str, n: usize, spacing: f64) -> Result<f64, Error> {
    match n > 0 && spacing.is_finite() && spacing != 0.0 {
        true => Ok(1.0 / (n as f64 * spacing)),
        false => {
            let (problem, caller) = ("there are no points or no distance between them", Site::caller());
            Err(Error::Arrangement { operation, problem, caller })
        }
    }
}

/// Frequency 0 in the middle of each of these axes.
///
/// **Shape** stays. **Cost** that of [`Array::roll`].
///
/// # Errors
/// [`Error::Axis`] when there is no such axis.
///
/// # Examples
/// ```
/// use musher_array::{fft, ndarray::{Axis, arr1}};
/// use musher_scheduler::Compute;
/// let shifted = fft::fftshift(&fft::fftfreq(4, 1.0, 2)?, Axis(0))?;
/// assert_eq!(shifted.compute()?, arr1(&[-0.5, -0.25, 0.0, 0.25]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
#[doc(alias = "dask.array.fft.fftshift")]
pub fn fftshift<A: Element, D: Dimension>(x: &Array<A, D>, axes: impl Axes<D>) -> Result<Array<A, D>, Error> {
    rolled(x, axes.axes(), |n| (n / 2) as isize)
}

/// The way back from [`fftshift`].
///
/// **Shape** stays. **Cost** that of [`Array::roll`].
///
/// # Errors
/// [`Error::Axis`] when there is no such axis.
#[track_caller]
#[doc(alias = "dask.array.fft.ifftshift")]
pub fn ifftshift<A: Element, D: Dimension>(
    x: &Array<A, D>,
    axes: impl Axes<D>,
) -> Result<Array<A, D>, Error> {
    rolled(x, axes.axes(), |n| -((n / 2) as isize))
}

#[track_caller]
fn rolled<A: Element, D: Dimension>(
    x: &Array<A, D>,
    axes: Option<&[Axis]>,
    by: impl Fn(usize) -> isize,
) -> Result<Array<A, D>, Error> {
    let all: Vec<Axis> = (0..x.ndim()).map(Axis).collect();
    let mut rolled = x.clone();
    for &axis in axes.unwrap_or(&all) {
        // An axis that there is not is refused by `try_roll`.
        let n = x.shape().get(axis.0).copied().unwrap_or_default();
        rolled = rolled.try_roll(by(n), axis)?;
    }
    Ok(rolled)
}
