//! From the types of elements to loops over `f64`, in which every function is computed.

use crate::kernel::ops::Lane;

/// A loop of a function of one value.
pub(crate) type Fill = fn(&[f64], &mut [f64]);
/// A loop of a function of two values.
pub(crate) type FillOfTwo = fn(&[f64], &[f64], &mut [f64]);
/// A loop of two functions of one value.
pub(crate) type FillTwo = fn(&[f64], &mut [f64], &mut [f64]);

/// Elements that are converted at once.
const CHUNK: usize = 512;

/// A float whose functions are computed in `f64` and rounded once.
pub(crate) trait Wide: Copy {
    /// The same number.
    fn widen(self) -> f64;
    /// The nearest number.
    fn narrow(x: f64) -> Self;

    /// Fills `out` with a function of `x`.
    fn fill(x: &[Self], out: &mut [Self], f: Fill) {
        let (mut wide, mut made) = ([0.0; CHUNK], [0.0; CHUNK]);
        for (x, out) in x.chunks(CHUNK).zip(out.chunks_mut(CHUNK)) {
            let n = out.len();
            widen(x, &mut wide);
            f(&wide[..n], &mut made[..n]);
            narrow(&made, out);
        }
    }

    /// Fills two slices with functions of `x`.
    fn fill_two(x: &[Self], first: &mut [Self], second: &mut [Self], f: FillTwo) {
        let (mut wide, mut made) = ([0.0; CHUNK], [[0.0; CHUNK]; 2]);
        let outs = first.chunks_mut(CHUNK).zip(second.chunks_mut(CHUNK));
        for (x, (first, second)) in x.chunks(CHUNK).zip(outs) {
            let n = first.len();
            let [a, b] = &mut made;
            widen(x, &mut wide);
            f(&wide[..n], &mut a[..n], &mut b[..n]);
            narrow(a, first);
            narrow(b, second);
        }
    }

    /// Fills `out` with a function of `x` and `y`.
    fn fill_of_two(x: Lane<'_, Self>, y: Lane<'_, Self>, out: &mut [Self], f: FillOfTwo) {
        let (mut wide, mut made) = ([[0.0; CHUNK]; 2], [0.0; CHUNK]);
        for (at, out) in out.chunks_mut(CHUNK).enumerate() {
            let (start, n) = (at * CHUNK, out.len());
            for (lane, wide) in [x, y].into_iter().zip(&mut wide) {
                match lane {
                    Lane::Slice(values) => widen(&values[start..start + n], wide),
                    Lane::Splat(value) => wide.fill(value.widen()),
                }
            }
            let [x, y] = &wide;
            f(&x[..n], &y[..n], &mut made[..n]);
            narrow(&made, out);
        }
    }
}

/// Widens all values.
#[inline(always)]
fn widen<A: Wide>(from: &[A], to: &mut [f64]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = from.widen();
    }
}

/// Rounds as many values as there is room for.
#[inline(always)]
fn narrow<A: Wide>(from: &[f64], to: &mut [A]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = A::narrow(*from);
    }
}

impl Wide for f32 {
    #[inline(always)]
    fn widen(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn narrow(x: f64) -> Self {
        x as Self
    }
}

impl Wide for f64 {
    #[inline(always)]
    fn widen(self) -> f64 {
        self
    }

    #[inline(always)]
    fn narrow(x: f64) -> Self {
        x
    }

    fn fill(x: &[Self], out: &mut [Self], f: Fill) {
        f(x, out);
    }

    fn fill_two(x: &[Self], first: &mut [Self], second: &mut [Self], f: FillTwo) {
        f(x, first, second);
    }
}
