//! The two floating-point types that filters work on.

use num_traits::Float;

/// `f32` or `f64`: what a filter reads and writes; sums always run in `f64`, as scipy's do.
#[expect(unnameable_types, reason = "sealed: the list of types is closed")]
pub trait Widen: Float + Default + Send + Sync + 'static {
    /// The value as `f64`, exactly.
    fn widen(self) -> f64;
    /// The nearest value of this type.
    fn narrow(value: f64) -> Self;
}

impl Widen for f64 {
    #[inline(always)]
    fn widen(self) -> f64 {
        self
    }

    #[inline(always)]
    fn narrow(value: f64) -> f64 {
        value
    }
}

impl Widen for f32 {
    #[inline(always)]
    fn widen(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn narrow(value: f64) -> f32 {
        value as f32
    }
}
