//! Casts between element types. A value that does not fit is an error, never a wrapped or saturated number.
//!
//! Fractions are cut toward zero; a NaN has no integer; a non-zero number is `true`; a real number becomes a complex
//! one, but not the other way round (take its real part).

use super::Fault;
use crate::element::{Buffer, DType, Plain, Source};
use num_complex::Complex;

/// A loop that casts all values of a source into a buffer of another type and of at least that length.
pub type CastKernel = fn(Source<'_>, &mut Buffer) -> Result<(), Fault>;

/// A conversion of one value, and whether it lost what a cast may not lose.
trait Convert<B> {
    /// The value, and whether it did not fit.
    fn convert(self) -> (B, bool);
}

/// Integers to integers.
macro_rules! integer_to_integer {
    ($($a:ident)*; $bs:tt) => {$(integer_to_integer!(@ $a $bs);)*};
    (@ $a:ident [$($b:ident)*]) => {$(
        impl Convert<$b> for $a {
            #[inline(always)]
            fn convert(self) -> ($b, bool) {
                let value = self as $b;
                (value, value as i128 != self as i128)
            }
        }
    )*};
}
integer_to_integer!(i8 i16 i32 i64 u8 u16 u32 u64; [i8 i16 i32 i64 u8 u16 u32 u64]);

/// Integers to floats, to bool, to complex; floats and bool to integers.
macro_rules! integer_and_others {
    ($($a:ident)*) => {$(
        integer_and_others!(@ $a f32);
        integer_and_others!(@ $a f64);
        impl Convert<bool> for $a {
            #[inline(always)]
            fn convert(self) -> (bool, bool) {
                (self != 0, false)
            }
        }
        impl Convert<$a> for bool {
            #[inline(always)]
            fn convert(self) -> ($a, bool) {
                (<$a>::from(self), false)
            }
        }
    )*};
    (@ $a:ident $f:ident) => {
        impl Convert<$f> for $a {
            #[inline(always)]
            fn convert(self) -> ($f, bool) {
                (self as $f, false)
            }
        }
        impl Convert<Complex<$f>> for $a {
            #[inline(always)]
            fn convert(self) -> (Complex<$f>, bool) {
                (Complex::new(self as $f, 0.0), false)
            }
        }
        impl Convert<$a> for $f {
            #[inline(always)]
            fn convert(self) -> ($a, bool) {
                let whole = self.trunc();
                // The largest value plus one is a power of two, exact in every float type.
                let fits = whole >= $a::MIN as $f && whole < $a::MAX as $f + 1.0;
                (self as $a, !fits)
            }
        }
    };
}
integer_and_others!(i8 i16 i32 i64 u8 u16 u32 u64);

/// Floats and complex numbers among themselves and with bool.
macro_rules! float_and_others {
    ($($a:ident $b:ident),*) => {$(
        impl Convert<$b> for $a {
            #[inline(always)]
            fn convert(self) -> ($b, bool) {
                (self as $b, false)
            }
        }
        impl Convert<Complex<$b>> for $a {
            #[inline(always)]
            fn convert(self) -> (Complex<$b>, bool) {
                (Complex::new(self as $b, 0.0), false)
            }
        }
        impl Convert<Complex<$b>> for Complex<$a> {
            #[inline(always)]
            fn convert(self) -> (Complex<$b>, bool) {
                (Complex::new(self.re as $b, self.im as $b), false)
            }
        }
    )*};
}
float_and_others!(f32 f32, f32 f64, f64 f32, f64 f64);

/// Bool with floats and complex numbers.
macro_rules! bool_and_floats {
    ($($f:ident)*) => {$(
        impl Convert<$f> for bool {
            #[inline(always)]
            fn convert(self) -> ($f, bool) {
                (<$f>::from(u8::from(self)), false)
            }
        }
        impl Convert<bool> for $f {
            #[inline(always)]
            fn convert(self) -> (bool, bool) {
                (self != 0.0, false)
            }
        }
        impl Convert<Complex<$f>> for bool {
            #[inline(always)]
            fn convert(self) -> (Complex<$f>, bool) {
                (Complex::new(<$f>::from(u8::from(self)), 0.0), false)
            }
        }
        impl Convert<bool> for Complex<$f> {
            #[inline(always)]
            fn convert(self) -> (bool, bool) {
                (self.re != 0.0 || self.im != 0.0, false)
            }
        }
    )*};
}
bool_and_floats!(f32 f64);

impl Convert<bool> for bool {
    #[inline(always)]
    fn convert(self) -> (bool, bool) {
        (self, false)
    }
}

/// Casts a slice.
fn cast_slice<A: Convert<B> + Plain, B: Plain>(x: &[A], out: &mut [B]) -> Result<(), Fault> {
    let mut bad = false;
    for (out, &x) in out.iter_mut().zip(x) {
        let (value, flag) = x.convert();
        *out = value;
        bad |= flag;
    }
    if bad { Err(Fault::Cast { from: A::NAME, to: B::NAME }) } else { Ok(()) }
}

/// The loop of one pair of types. Both were looked up from the same pair, so the arms always match.
macro_rules! pair {
    ($a:ident, $b:ident) => {
        Some(|source, buffer| match (source, buffer) {
            (Source::$a(x), Buffer::$b(out)) => cast_slice(x, out),
            (source, buffer) => Err(Fault::Cast { from: source.dtype().name(), to: buffer.dtype().name() }),
        })
    };
}

/// The table from real types to all types, and from complex types to complex types and bool.
macro_rules! table {
    ($from:ident, $to:ident; $($a:ident)*) => {
        match $from {
            $(DType::$a => match $to {
                DType::Bool => pair!($a, Bool),
                DType::I8 => pair!($a, I8),
                DType::I16 => pair!($a, I16),
                DType::I32 => pair!($a, I32),
                DType::I64 => pair!($a, I64),
                DType::U8 => pair!($a, U8),
                DType::U16 => pair!($a, U16),
                DType::U32 => pair!($a, U32),
                DType::U64 => pair!($a, U64),
                DType::F32 => pair!($a, F32),
                DType::F64 => pair!($a, F64),
                DType::C32 => pair!($a, C32),
                DType::C64 => pair!($a, C64),
            },)*
            DType::C32 => match $to {
                DType::Bool => pair!(C32, Bool),
                DType::C32 => pair!(C32, C32),
                DType::C64 => pair!(C32, C64),
                _ => None,
            },
            DType::C64 => match $to {
                DType::Bool => pair!(C64, Bool),
                DType::C32 => pair!(C64, C32),
                DType::C64 => pair!(C64, C64),
                _ => None,
            },
        }
    };
}

/// The loop that casts `from` to `to`; none from complex to real.
#[must_use]
pub fn cast_kernel(from: DType, to: DType) -> Option<CastKernel> {
    table!(from, to; Bool I8 I16 I32 I64 U8 U16 U32 U64 F32 F64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::Element;

    fn cast<A: Element, B: Element>(x: A) -> Option<B> {
        let mut out = B::into_buffer(vec![B::default()]);
        cast_kernel(A::DTYPE, B::DTYPE)?(A::into_source(&[x]), &mut out).ok()?;
        Some(B::from_buffer(out)?[0])
    }

    #[test]
    fn what_fits_is_cast_and_what_does_not_is_an_error() {
        assert_eq!(cast::<i32, u8>(255), Some(255));
        assert_eq!(cast::<i32, u8>(256), None);
        assert_eq!(cast::<i32, u8>(-1), None);
        assert_eq!(cast::<u64, i64>(1 << 63), None);
        assert_eq!(cast::<f64, u8>(255.9), Some(255));
        assert_eq!(cast::<f64, u8>(256.0), None);
        assert_eq!(cast::<f64, u8>(-0.9), Some(0));
        assert_eq!(cast::<f64, i8>(-128.9), Some(-128));
        assert_eq!(cast::<f64, i32>(f64::NAN), None);
        assert_eq!(cast::<f64, i64>(9_223_372_036_854_775_808.0), None);
        assert_eq!(cast::<f64, i64>(-9_223_372_036_854_775_808.0), Some(i64::MIN));
        assert_eq!(cast::<f32, i32>(2_147_483_648.0), None);
        assert_eq!(cast::<f64, bool>(f64::NAN), Some(true));
        assert_eq!(cast::<bool, f64>(true), Some(1.0));
        assert_eq!(cast::<f32, Complex<f64>>(2.5), Some(Complex::new(2.5, 0.0)));
        assert_eq!(cast::<Complex<f64>, f64>(Complex::new(2.5, 0.0)), None);
    }
}
