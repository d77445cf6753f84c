//! Run-time choice of the instruction set for a hot loop.
//!
//! The loops are ordinary Rust; `pulp` compiles each of them once per instruction set and picks one when the
//! program runs. Nothing contracts a multiplication and an addition into one rounding unless the source says
//! [`f64::mul_add`], which rounds once on every set: so every set gives the same bits.

/// Runs `body` compiled for the best instruction set of 256-bit vectors or less that this machine has.
///
/// `body` must be marked `#[inline(always)]`, or it is compiled for the baseline only.
#[inline(always)]
pub(crate) fn dispatch<R>(body: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    {
        match pulp::x86::V3::try_new() {
            Some(simd) => simd.vectorize(body),
            None => body(),
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        pulp::Arch::new().dispatch(body)
    }
}

/// Runs `body` compiled for the widest vectors this machine has.
///
/// Only generators and transcendental functions use it: elsewhere 512-bit vectors gain nothing over memory and cost compile time.
#[inline(always)]
pub(crate) fn dispatch_wide<R>(body: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(body)
}
