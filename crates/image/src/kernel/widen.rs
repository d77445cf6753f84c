//! The numbers that filters work on.

use bytemuck::Zeroable;

/// Numbers that sums run over in `f64`, as scipy's do.
#[expect(unnameable_types, reason = "sealed: the list of types is closed")]
pub trait Widen: Copy + PartialOrd + Zeroable + Send + Sync + 'static {
    /// The value as `f64`: exactly, but for integers beyond 2^53.
    fn widen(self) -> f64;
    /// The nearest value of a float; of integers the one towards zero, or the end of their range.
    fn narrow(value: f64) -> Self;
}

/// Whether pixels of this type are integers.
#[inline(always)]
pub(crate) fn is_integer<A: Widen>() -> bool {
    A::narrow(0.5).widen() == 0.0
}

/// Whether a value beyond the edges can stand for pixels of this type: any can for floats.
pub(crate) fn can_have<A: Widen>(value: f64) -> bool {
    !is_integer::<A>() || A::narrow(value).widen() == value
}

/// Numbers. For `u8` it reads: `as f64`, `as u8`.
macro_rules! widen {
    ($($t:ty),*) => {$(
        impl Widen for $t {
            #[inline(always)]
            fn widen(self) -> f64 {
                self as f64
            }

            #[inline(always)]
            fn narrow(value: f64) -> $t {
                value as $t
            }
        }
    )*};
}
widen!(u8, u16, u32, u64, i8, i16, i32, i64, f32, f64);
