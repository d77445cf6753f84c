//! Windows that slide along axes: as axes of their own, or summed up while they slide.
//!
//! Each block sees as many elements of its neighbors as a window is long, and no block sees beyond the edge of the array; so
//! windows are whole, and there is one for each place where one fits.

use crate::array::Array;
use crate::chunks::Chunking;
use crate::element::{Element, Float, Real, Scalar, float};
use crate::error::{Error, Shape, expect};
use crate::kernel::memory::zeros;
use crate::kernel::overlap::{Boundary, Depth};
use crate::lookup::{bytes, is_before};
use crate::per_axis::PerAxis;
use crate::per_block::PerBlock;
use musher_graph_core::{Site, TaskError, Token, Wiring};
use ndarray::{ArrayD, ArrayViewD, Axis, Dimension, Ix1, IxDyn, Slice, Zip};
use std::fmt;
use std::sync::Arc;

/// The array in blocks that hold all windows which begin in them, and the blocks of windows: along each axis as many as begin
/// in a block.
fn with_windows<A: Element, D: Dimension + 'static>(
    array: &Array<A, D>,
    windows: &[usize],
) -> Result<(Array<A, D>, Chunking), Error> {
    let depths: Vec<Depth> = windows.iter().map(|&length| Depth::new(0, length - 1)).collect();
    let padded = array.try_overlap(PerAxis::Each(depths), PerAxis::All(Boundary::None))?;
    let lengths = padded.chunks().axes().zip(windows);
    let fitting =
        lengths.map(|(lengths, &window)| lengths.iter().map(|&n| (n + 1).saturating_sub(window)).collect());
    let output = Chunking::from_axes(fitting.collect::<Vec<Arc<[usize]>>>());
    Ok((padded, output))
}

/// The elements of a block that stand at one place of all windows that begin in it.
fn at_place<'a, A>(block: &ArrayViewD<'a, A>, place: &[usize], shape: &[usize]) -> ArrayViewD<'a, A> {
    let mut view = block.clone();
    for (axis, (&at, &n)) in place.iter().zip(shape).enumerate() {
        view.slice_axis_inplace(Axis(axis), if n == 0 { Slice::from(0..0) } else { Slice::from(at..at + n) });
    }
    view
}

/// Refuses windows that are empty or longer than their axis.
fn check_windows(
    operation: &'static str,
    windows: &[usize],
    shape: &[usize],
    caller: Site,
) -> Result<(), Error> {
    let fits = |(&window, &length): (&usize, &usize)| (1..=length).contains(&window);
    match windows.len() == shape.len() && windows.iter().zip(shape).all(fits) {
        true => Ok(()),
        false => Err(Error::Shapes { operation, left: shape.into(), right: Shape(windows.to_vec()), caller }),
    }
}

impl<A: Element, D: Dimension + 'static> Array<A, D> {
    /// All windows of a shape: the first axes are the places where one begins, the others those of the window.
    ///
    /// **Shape** `(n, m) → (n - w + 1, m - v + 1, w, v)` for windows of `(w, v)`; a window is one block along its axes.
    /// **Cost** one pass; a block becomes as many times larger as a window has elements, unless what reads it is done with it
    /// at once. For a sum or an extreme of windows along an axis take [`rolling`](Self::rolling), which makes no windows.
    ///
    /// # Panics
    /// When there is not one length for each axis, or a window is empty or longer than its axis.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let windows = Array::arange(0, 5, 1, 2).sliding_window_view([3]);
    /// assert_eq!(windows.compute()?, arr2(&[[0, 1, 2], [1, 2, 3], [2, 3, 4]]).into_dyn());
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.lib.stride_tricks.sliding_window_view`.
    #[must_use]
    #[track_caller]
    #[doc(alias = "lib.stride_tricks.sliding_window_view")]
    #[doc(alias = "windows")]
    pub fn sliding_window_view(&self, windows: impl Into<PerAxis<usize>>) -> Array<A, IxDyn> {
        expect(self.try_sliding_window_view(windows))
    }

    /// As [`sliding_window_view`](Self::sliding_window_view).
    ///
    /// # Errors
    /// [`Error::Shapes`] when there is not one length for each axis, or a window is empty or longer than its axis.
    #[track_caller]
    pub fn try_sliding_window_view(
        &self,
        windows: impl Into<PerAxis<usize>>,
    ) -> Result<Array<A, IxDyn>, Error> {
        let (label, caller, shape) = ("sliding_window_view", Site::caller(), self.shape());
        let windows = windows.into().resolve(self.ndim()).map_err(|n| Error::Shapes {
            operation: label,
            left: Shape(shape.clone()),
            right: Shape(vec![0; n]),
            caller,
        })?;
        check_windows(label, &windows, &shape, caller)?;
        let (padded, places) = with_windows(self, &windows)?;
        let ndim = windows.len();
        let lengths = (0..ndim).map(|axis| places.shared_axis(axis));
        let output = Chunking::from_axes(lengths.chain(windows.iter().map(|&n| [n].into())));
        if crate::chunks::n_elements(&output.shape()).is_none() {
            return Err(Error::TooLarge { shape: Shape(output.shape()), what: "elements", caller });
        }
        let wiring = Wiring::one_to_one(ndim);
        let of_task = output.clone();
        let step = PerBlock { label, name: "array.windows/1", wiring, output, scratch: 0, caller };
        let made = step.of::<A, A>(padded.core(), &windows.clone(), move |at, block| {
            let shape = of_task.block_shape(at);
            let mut made = ArrayD::from_shape_vec(IxDyn(&shape), zeros::<A>(shape.iter().product())?)?;
            for place in ndarray::indices(IxDyn(&windows)) {
                let mut own = made.view_mut();
                place.slice().iter().for_each(|&at| own.index_axis_inplace(Axis(ndim), at));
                own.assign(&at_place(&block, place.slice(), &shape[..ndim]));
            }
            Ok(made)
        });
        Ok(Array::from_core(made))
    }

    /// Windows of a length along an axis, about to be summed up: `x.rolling(Axis(0), 7).mean()`.
    ///
    /// # Panics
    /// When there is no such axis, or the window is empty or longer than it.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr1}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[1.0, 5.0, 3.0, 4.0]), 2);
    /// assert_eq!(x.rolling(Axis(0), 2).mean().compute()?, arr1(&[3.0, 4.0, 3.5]));
    /// assert_eq!(x.rolling(Axis(0), 3).max().compute()?, arr1(&[5.0, 5.0]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[track_caller]
    #[doc(alias = "moving average")]
    #[doc(alias = "move_mean")]
    pub fn rolling(&self, axis: Axis, window: usize) -> Rolling<'_, A, D> {
        expect(self.try_rolling(axis, window))
    }

    /// As [`rolling`](Self::rolling).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis, [`Error::Shapes`] when the window is empty or longer than it.
    #[track_caller]
    pub fn try_rolling(&self, axis: Axis, window: usize) -> Result<Rolling<'_, A, D>, Error> {
        let (operation, caller) = ("rolling", Site::caller());
        self.check_axis(operation, axis.0, self.ndim(), caller)?;
        check_windows(operation, &[window], &[self.shape()[axis.0]], caller)?;
        Ok(Rolling { array: self, axis: axis.0, window, caller })
    }
}

/// Windows along an axis, about to be summed up: made by [`Array::rolling`].
///
/// **Shape** of the answers: the axis has one element for each place where a window fits, `n - window + 1`.
/// **Cost** one pass, and as many operations for each element as a window is long.
#[derive(Clone, Copy)]
#[must_use = "it is only about to be summed up: name how, such as `.mean()`"]
pub struct Rolling<'a, A, D: Dimension> {
    array: &'a Array<A, D>,
    axis: usize,
    window: usize,
    caller: Site,
}

impl<A: Element, D: Dimension> fmt::Debug for Rolling<'_, A, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { array, axis, window, .. } = self;
        f.debug_struct("Rolling")
            .field("array", array)
            .field("axis", axis)
            .field("window", window)
            .finish_non_exhaustive()
    }
}

impl<A: Element, D: Dimension + 'static> Rolling<'_, A, D> {
    /// For each window what `step` makes of its elements, one after the other, given the place in the window; it begins with
    /// the first.
    fn folded<B: Element>(
        &self,
        label: &'static str,
        parameters: &impl Token,
        begin: impl Fn(A) -> B + Send + Sync + 'static,
        step: impl Fn(B, A, usize) -> B + Send + Sync + 'static,
    ) -> Array<B, D> {
        let Self { array, axis, window, caller } = *self;
        let windows: Vec<usize> = (0..array.ndim()).map(|own| if own == axis { window } else { 1 }).collect();
        let (padded, output) = expect(with_windows(array, &windows));
        let wiring = Wiring::one_to_one(output.ndim());
        let of_task = output.clone();
        let name = "array.rolling/1";
        let per_block = PerBlock { label, name, wiring, output, scratch: 0, caller };
        let parameters = (label, (axis, window), parameters);
        Array::from_core(per_block.of::<A, B>(padded.core(), &parameters, move |at, block| {
            let shape = of_task.block_shape(at);
            let mut place = vec![0; shape.len()];
            let mut made = ArrayD::from_shape_vec(IxDyn(&shape), zeros::<B>(shape.iter().product())?)?;
            Zip::from(&mut made)
                .and(at_place(&block, &place, &shape))
                .for_each(|to, &first| *to = begin(first));
            for at in 1..window {
                place[axis] = at;
                Zip::from(&mut made)
                    .and(at_place(&block, &place, &shape))
                    .for_each(|to, &element| *to = step(*to, element, at));
            }
            Ok::<_, TaskError>(made)
        }))
    }
}

impl<A: Float, D: Dimension + 'static> Rolling<'_, A, D> {
    /// The sum of each window, its elements added in their order.
    #[must_use]
    pub fn sum(self) -> Array<A, D>
    where
        A: std::ops::Add<Output = A>,
    {
        self.folded("rolling sum", &(), |first| first, |sum, element, _| sum + element)
    }

    /// The mean of each window.
    #[must_use]
    pub fn mean(self) -> Array<A, D>
    where
        A: std::ops::Add<Output = A>,
    {
        let n = float::<A>(self.window as f64);
        self.sum() / n
    }
}

impl<A: Real, D: Dimension + 'static> Rolling<'_, A, D> {
    /// The largest element of each window; NaN if there is one.
    #[must_use]
    pub fn max(self) -> Array<A, D> {
        // NaN stands behind all numbers.
        self.folded(
            "rolling max",
            &(),
            |first| first,
            |most, element, _| {
                if is_before(most, element) { element } else { most }
            },
        )
    }

    /// The smallest element of each window; NaN if there is one.
    #[must_use]
    pub fn min(self) -> Array<A, D> {
        #[expect(clippy::eq_op, reason = "only NaN differs from itself, and not every type has `is_nan`")]
        self.folded(
            "rolling min",
            &(),
            |first| first,
            |least, element, _| {
                if element != element || (least == least && is_before(element, least)) {
                    element
                } else {
                    least
                }
            },
        )
    }
}

/// Which places a [`convolve`](Array::convolve) gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Overhang {
    /// All where array and kernel meet: `n + m - 1`.
    #[default]
    Full,
    /// As many as the array has, in the middle: n.
    Same,
    /// Those where the kernel lies wholly within the array: `n - m + 1`.
    Valid,
}

impl<A: Float> Array<A, Ix1>
where
    A: std::ops::Add<Output = A> + std::ops::Mul<Output = A>,
{
    /// The array weighted by a kernel that slides along it backwards: element `i` is the sum of `x[i - j] * kernel[j]`.
    ///
    /// **Shape** see [`Overhang`], for an array of n elements and a kernel of m.
    /// **Cost** one pass, and m multiplications for each element.
    ///
    /// # Panics
    /// When the kernel is empty or longer than the array.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, Overhang, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[1.0, 2.0, 3.0]), 2);
    /// let kernel = [0.0, 1.0, 0.5];
    /// assert_eq!(x.convolve(&kernel, Overhang::Full).compute()?, arr1(&[0.0, 1.0, 2.5, 4.0, 1.5]));
    /// assert_eq!(x.convolve(&kernel, Overhang::Same).compute()?, arr1(&[1.0, 2.5, 4.0]));
    /// assert_eq!(x.convolve(&kernel, Overhang::Valid).compute()?, arr1(&[2.5]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.convolve`, which takes the longer for the array.
    #[must_use]
    #[track_caller]
    pub fn convolve(&self, kernel: &[A], overhang: Overhang) -> Self {
        expect(self.try_convolve(kernel, overhang))
    }

    /// As [`convolve`](Self::convolve).
    ///
    /// # Errors
    /// [`Error::Shapes`] when the kernel is empty or longer than the array, [`Error::Arrangement`] when it has NaN or an infinity.
    #[track_caller]
    pub fn try_convolve(&self, kernel: &[A], overhang: Overhang) -> Result<Self, Error> {
        let mut weights = kernel.to_vec();
        weights.reverse();
        self.weighted("convolve", weights, overhang)
    }

    /// The array weighted by a kernel that slides along it: element `i` is the sum of `x[i + j] * kernel[j]`, from the first
    /// place on where they meet.
    ///
    /// **Shape** and cost as [`convolve`](Self::convolve).
    ///
    /// # Panics
    /// When the kernel is empty or longer than the array.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, Overhang, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[1.0, 2.0, 3.0]), 2);
    /// assert_eq!(x.correlate(&[0.0, 1.0, 0.5], Overhang::Valid).compute()?, arr1(&[3.5]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.correlate`.
    #[must_use]
    #[track_caller]
    pub fn correlate(&self, kernel: &[A], overhang: Overhang) -> Self {
        expect(self.try_correlate(kernel, overhang))
    }

    /// As [`correlate`](Self::correlate).
    ///
    /// # Errors
    /// [`Error::Shapes`] when the kernel is empty or longer than the array, [`Error::Arrangement`] when it has NaN or an infinity.
    #[track_caller]
    pub fn try_correlate(&self, kernel: &[A], overhang: Overhang) -> Result<Self, Error> {
        self.weighted("correlate", kernel.to_vec(), overhang)
    }

    /// The sums of windows, whose elements have these weights.
    #[track_caller]
    fn weighted(&self, operation: &'static str, weights: Vec<A>, overhang: Overhang) -> Result<Self, Error> {
        let (n, m, caller) = (self.len(), weights.len(), Site::caller());
        check_windows(operation, &[m], &[n], caller)?;
        let is_finite = |weight: &A| match weight.into_scalar() {
            Scalar::F32(weight) => weight.is_finite(),
            Scalar::F64(weight) => weight.is_finite(),
            _ => true,
        };
        if !weights.iter().all(is_finite) {
            // Beyond the ends is 0, which NaN and infinities would not leave 0.
            let problem = "the kernel has NaN or an infinity";
            return Err(Error::Arrangement { operation, problem, caller });
        }
        let zeros = PerAxis::All(Boundary::Constant(A::default()));
        let padded = self.try_pad(PerAxis::All(Depth::both(m - 1)), zeros)?;
        let words = bytes(&weights);
        let first = weights[0];
        let full = Rolling { array: &padded, axis: 0, window: m, caller }.folded(
            operation,
            &words,
            move |element| element * first,
            move |sum, element, at| sum + element * weights[at],
        );
        let kept = match overhang {
            Overhang::Full => return Ok(full),
            Overhang::Same => (m - 1) / 2..(m - 1) / 2 + n,
            Overhang::Valid => m - 1..n,
        };
        full.try_slice_axis(Axis(0), Slice::from(kept))
    }
}
