//! Fourier transforms of lines of elements that lie in C order.
//!
//! The transforms are those of rustfft and realfft, which choose vector instructions when the program runs. Each line is
//! transformed alone and by one way, so its bits do not depend on the lines beside it.

use super::memory::{OutOfMemory, with_room, zeros};
use crate::element::{Element, Float, Inexact};
use num_complex::Complex;
use num_traits::Zero;
use realfft::{ComplexToReal, FftNum, RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftDirection, FftPlanner};
use std::ops::Range;
use std::sync::Arc;

/// What becomes of one line.
pub trait LineTransform<A: Sample, B>: Send + Sync {
    /// How many elements of a line are read; a shorter line is taken to go on with zeros.
    fn n_read(&self) -> usize;

    /// How many elements are made.
    fn n_made(&self) -> usize;

    /// How many complex numbers of room a transform needs beside the lines.
    fn n_work(&self) -> usize;

    /// Fills `out` from a line of any length; `line` is room for [`n_read`](Self::n_read) elements, `work` for
    /// [`n_work`](Self::n_work).
    fn of(&self, input: &[A], out: &mut [B], line: &mut [A], work: &mut [A::Spectrum]);
}

/// Copies a line; what it lacks is zero.
fn padded<A: Copy + Zero>(input: &[A], line: &mut [A]) {
    let n = input.len().min(line.len());
    let (front, rest) = line.split_at_mut(n);
    front.copy_from_slice(&input[..n]);
    rest.fill(A::zero());
}

/// Multiplies by a factor that is most often 1.
fn scaled<A: Copy + std::ops::Mul<T, Output = A>, T: FftNum>(line: &mut [A], factor: T) {
    if factor != T::one() {
        line.iter_mut().for_each(|value| *value = *value * factor);
    }
}

/// Complex numbers to as many.
struct Full<T> {
    fft: Arc<dyn Fft<T>>,
    factor: T,
}

/// Real numbers to the half of the spectrum that tells the other half.
struct Half<T> {
    fft: Arc<dyn RealToComplex<T>>,
    factor: T,
}

/// Real numbers to the whole spectrum.
struct Mirrored<T> {
    half: Half<T>,
    is_inverse: bool,
}

/// Half a spectrum to real numbers.
struct Back<T> {
    fft: Arc<dyn ComplexToReal<T>>,
    factor: T,
}

/// Real numbers that are transformed: `f32` and `f64`.
pub trait RealSample: Float + Sample<Real = Self> + FftNum {
    /// The transform of a line of `n` real numbers to the first half of its spectrum, times a factor.
    #[doc(hidden)]
    fn to_half(n: usize, factor: f64) -> Arc<dyn LineTransform<Self, Self::Spectrum>>;
}

/// Complex numbers of `f32` and `f64`.
pub trait ComplexSample: Sample<Spectrum = Self> {
    /// The transform of half a spectrum to a line of `n` real numbers, times a factor.
    #[doc(hidden)]
    fn to_real(n: usize, factor: f64) -> Arc<dyn LineTransform<Self, Self::Real>>;
}

/// Numbers that are transformed: `f32`, `f64` and complex numbers of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no Fourier transform",
    note = "use `cast::<f64>()` first"
)]
pub trait Sample: Inexact + Zero {
    /// The real numbers of this precision.
    type Real: RealSample<Spectrum = Self::Spectrum>;
    /// The complex numbers of this precision.
    type Spectrum: ComplexSample<Real = Self::Real>;

    /// The transform of a line of `n` numbers to as many, times a factor.
    #[doc(hidden)]
    fn to_full(n: usize, is_inverse: bool, factor: f64) -> Arc<dyn LineTransform<Self, Self::Spectrum>>;
}

/// Implements the traits for one precision.
macro_rules! precision {
    ($t:ident) => {
        impl Sample for $t {
            type Real = $t;
            type Spectrum = Complex<$t>;

            fn to_full(n: usize, is_inverse: bool, factor: f64) -> Arc<dyn LineTransform<$t, Complex<$t>>> {
                let fft = RealFftPlanner::new().plan_fft_forward(n);
                Arc::new(Mirrored { half: Half { fft, factor: factor as $t }, is_inverse })
            }
        }

        impl RealSample for $t {
            fn to_half(n: usize, factor: f64) -> Arc<dyn LineTransform<$t, Complex<$t>>> {
                Arc::new(Half { fft: RealFftPlanner::new().plan_fft_forward(n), factor: factor as $t })
            }
        }

        impl Sample for Complex<$t> {
            type Real = $t;
            type Spectrum = Complex<$t>;

            fn to_full(n: usize, is_inverse: bool, factor: f64) -> Arc<dyn LineTransform<Self, Self>> {
                let direction = if is_inverse { FftDirection::Inverse } else { FftDirection::Forward };
                Arc::new(Full { fft: FftPlanner::new().plan_fft(n, direction), factor: factor as $t })
            }
        }

        impl ComplexSample for Complex<$t> {
            fn to_real(n: usize, factor: f64) -> Arc<dyn LineTransform<Self, $t>> {
                Arc::new(Back { fft: RealFftPlanner::new().plan_fft_inverse(n), factor: factor as $t })
            }
        }

        impl LineTransform<Complex<$t>, Complex<$t>> for Full<$t> {
            fn n_read(&self) -> usize {
                self.fft.len()
            }
            fn n_made(&self) -> usize {
                self.fft.len()
            }
            fn n_work(&self) -> usize {
                self.fft.get_inplace_scratch_len()
            }
            fn of(
                &self,
                input: &[Complex<$t>],
                out: &mut [Complex<$t>],
                _: &mut [Complex<$t>],
                work: &mut [Complex<$t>],
            ) {
                padded(input, out);
                self.fft.process_with_scratch(out, work);
                scaled(out, self.factor);
            }
        }

        impl LineTransform<$t, Complex<$t>> for Half<$t> {
            fn n_read(&self) -> usize {
                self.fft.len()
            }
            fn n_made(&self) -> usize {
                self.fft.complex_len()
            }
            fn n_work(&self) -> usize {
                self.fft.get_scratch_len()
            }
            fn of(&self, input: &[$t], out: &mut [Complex<$t>], line: &mut [$t], work: &mut [Complex<$t>]) {
                padded(input, line);
                let done = self.fft.process_with_scratch(line, out, work);
                done.expect("a line, half a spectrum and the room are as long as the transform says");
                scaled(out, self.factor);
            }
        }

        impl LineTransform<$t, Complex<$t>> for Mirrored<$t> {
            fn n_read(&self) -> usize {
                self.half.fft.len()
            }
            fn n_made(&self) -> usize {
                self.half.fft.len()
            }
            fn n_work(&self) -> usize {
                self.half.fft.get_scratch_len()
            }
            fn of(&self, input: &[$t], out: &mut [Complex<$t>], line: &mut [$t], work: &mut [Complex<$t>]) {
                let (n, half) = (out.len(), self.half.fft.complex_len());
                self.half.of(input, &mut out[..half], line, work);
                if self.is_inverse {
                    out[..half].iter_mut().for_each(|value| *value = value.conj());
                }
                let (known, mirrored) = out.split_at_mut(half);
                // Frequency n - k is the conjugate of frequency k.
                mirrored
                    .iter_mut()
                    .zip(known[1..=n - half].iter().rev())
                    .for_each(|(to, from)| *to = from.conj());
            }
        }

        impl LineTransform<Complex<$t>, $t> for Back<$t> {
            fn n_read(&self) -> usize {
                self.fft.complex_len()
            }
            fn n_made(&self) -> usize {
                self.fft.len()
            }
            fn n_work(&self) -> usize {
                self.fft.get_scratch_len()
            }
            fn of(
                &self,
                input: &[Complex<$t>],
                out: &mut [$t],
                line: &mut [Complex<$t>],
                work: &mut [Complex<$t>],
            ) {
                padded(input, line);
                // Of real numbers these are real; as NumPy, what is not is left out.
                line[0].im = 0.0;
                if out.len() % 2 == 0 {
                    line[out.len() / 2].im = 0.0;
                }
                let done = self.fft.process_with_scratch(line, out, work);
                done.expect("half a spectrum, a line and the room are as long as the transform says");
                scaled(out, self.factor);
            }
        }
    };
}
precision!(f32);
precision!(f64);

/// Bytes of neighboring elements that are gathered together where lines do not lie in one piece: a few lines of the cache.
const GATHERED: usize = 128;

/// Bytes between gathered lines: at distances that are powers of two they would push each other out of the cache.
const GAP: usize = 64;

/// Some lines that are gathered, transformed and put back together.
struct Tile<A: Sample, B> {
    input: Vec<A>,
    output: Vec<B>,
    line: Vec<A>,
    work: Vec<A::Spectrum>,
    /// How many lines there is room for.
    width: usize,
    /// From one line to the next, before and after.
    strides: [usize; 2],
}

/// How many lines of so many neighbors are gathered together.
const fn width<A, B>(inner: usize) -> usize {
    let itemsize = if size_of::<A>() > size_of::<B>() { size_of::<A>() } else { size_of::<B>() };
    let most = GATHERED / itemsize;
    if inner < most { inner } else { most }
}

/// The largest prime that divides a length, or 100 if all are smaller.
const fn largest_prime(mut n: u64) -> u64 {
    let mut factor = 2;
    // What has no small factor is taken for a prime: it asks for no less.
    while factor * factor <= n && factor < 1 << 20 {
        if n.is_multiple_of(factor) {
            n /= factor;
        } else {
            factor += 1;
        }
    }
    if n > SMALL_PRIME { n } else { SMALL_PRIME }
}

/// Primes up to here take no room to speak of.
const SMALL_PRIME: u64 = 100;

/// The bytes that [`transform`] takes beside input and output for lines of `n` elements and a transform of so many points,
/// whose tables are among them.
pub fn scratch_bytes<A: Sample, B>(n: usize, inner: usize, points: usize) -> u64 {
    let longest = n.max(points).saturating_add(GAP) as u64;
    // Tables and room for as many points, and for a large prime those of a transform of up to four times its length.
    let numbers = longest.saturating_mul(4).saturating_add(16 * largest_prime(points as u64));
    let plan = numbers.saturating_mul(size_of::<A::Spectrum>() as u64);
    let line = longest.saturating_mul((size_of::<A>() + size_of::<B>()) as u64);
    plan.saturating_add(line.saturating_mul(width::<A, B>(inner) as u64 + 1))
}

impl<A: Sample, B: Element> Tile<A, B> {
    fn new(plan: &dyn LineTransform<A, B>, n: usize, inner: usize) -> Result<Self, OutOfMemory> {
        let width = width::<A, B>(inner).max(1);
        let strides = [n + GAP / size_of::<A>(), plan.n_made() + GAP / size_of::<B>()];
        Ok(Self {
            input: zeros(width * strides[0])?,
            output: zeros(width * strides[1])?,
            line: zeros(plan.n_read())?,
            work: zeros(plan.n_work())?,
            width,
            strides,
        })
    }

    /// Takes the lines at these places among `inner` neighbors.
    fn gather(&mut self, from: &[A], inner: usize, places: Range<usize>) {
        for (i, row) in from.chunks_exact(inner).enumerate() {
            for (line, value) in self.input.chunks_exact_mut(self.strides[0]).zip(&row[places.clone()]) {
                line[i] = *value;
            }
        }
    }

    fn run(&mut self, plan: &dyn LineTransform<A, B>, n: usize, count: usize) {
        let (inputs, outputs) =
            (self.input.chunks_exact(self.strides[0]), self.output.chunks_exact_mut(self.strides[1]));
        for (input, output) in inputs.zip(outputs).take(count) {
            plan.of(&input[..n], &mut output[..plan.n_made()], &mut self.line, &mut self.work);
        }
    }

    fn scatter(&self, to: &mut [B], inner: usize, places: Range<usize>) {
        for (i, row) in to.chunks_exact_mut(inner).enumerate() {
            for (line, value) in self.output.chunks_exact(self.strides[1]).zip(&mut row[places.clone()]) {
                *value = line[i];
            }
        }
    }
}

/// Transforms the lines along the middle one of three axes: `input` is of shape `[outer, n, inner]` in C order, and what is
/// made of `[outer, n_made, inner]`. `look` is called every few lines and may end the work.
///
/// **Cost** one pass over both, and the transforms.
///
/// # Errors
/// When there is no room for what is made or for a few lines, or what `look` says.
pub fn transform<A: Sample, B: Element, E: From<OutOfMemory>>(
    plan: &dyn LineTransform<A, B>,
    input: &[A],
    [outer, n, inner]: [usize; 3],
    look: impl Fn() -> Result<(), E>,
) -> Result<Vec<B>, E> {
    let slab = plan.n_made() * inner;
    let mut made = with_room::<B>(outer * slab)?;
    if outer * slab == 0 {
        return Ok(made);
    }
    let mut tile = Tile::new(plan, n, inner)?;
    for at in 0..outer {
        let input = &input[at * n * inner..(at + 1) * n * inner];
        // Filled a slab at a time, while it is in the cache.
        made.resize((at + 1) * slab, B::default());
        let out = &mut made[at * slab..];
        if inner == 1 {
            look()?;
            plan.of(input, out, &mut tile.line, &mut tile.work);
            continue;
        }
        for start in (0..inner).step_by(tile.width) {
            look()?;
            let places = start..(start + tile.width).min(inner);
            tile.gather(input, inner, places.clone());
            tile.run(plan, n, places.len());
            tile.scatter(out, inner, places);
        }
    }
    Ok(made)
}

/// The same where the lines stay as long and of one type, and are put in their own place.
///
/// # Errors
/// As [`transform`].
///
/// # Panics
/// When the types are not one.
pub fn transform_in_place<A: Sample, B: Element, E: From<OutOfMemory>>(
    plan: &dyn LineTransform<A, B>,
    elements: &mut [B],
    inner: usize,
    look: impl Fn() -> Result<(), E>,
) -> Result<(), E> {
    if elements.is_empty() {
        return Ok(());
    }
    let n = plan.n_made();
    let mut tile = Tile::new(plan, n, inner)?;
    for slab in elements.chunks_exact_mut(n * inner) {
        for start in (0..inner).step_by(tile.width) {
            look()?;
            let places = start..(start + tile.width).min(inner);
            let input = A::from_source(B::into_source(slab)).expect("both are one type");
            tile.gather(input, inner, places.clone());
            tile.run(plan, n, places.len());
            tile.scatter(slab, inner, places);
        }
    }
    Ok(())
}
