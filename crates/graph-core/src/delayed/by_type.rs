//! How `#[delayed]` finds out by itself whether a function's results are serde's.
//!
//! A method is looked up on `&&&ByType<T>`, and the compiler takes the first of three traits that `T` fits: a known type stays a
//! plain value, one of serde's is encoded, any other stays in memory. That works where the type is concrete, as it is in the
//! signature of a function that cannot be generic. **Source** of the idea: D. Tolnay, autoref-based stable specialization
//! (2019).

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::delayed::{DelayedFn, Encodable, WithCodec};

pub use crate::coder::IsKnown;

/// The type of a result.
#[derive(Debug)]
pub struct ByType<T>(PhantomData<fn() -> T>);

impl<T> ByType<T> {
    /// To look methods up on.
    #[expect(clippy::new_without_default, reason = "only the expansion of `#[delayed]` makes it")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// A known type.
pub trait AsKnown {
    /// The function as it is.
    fn by_type<F, O>(&self, function: DelayedFn<F, O>) -> DelayedFn<F, O> {
        function
    }
}

impl<T: IsKnown> AsKnown for &&ByType<T> {}

/// A type of serde's.
pub trait AsSerde {
    /// The function, whose results are encoded.
    fn by_type<F: Send + Sync + 'static, O: Encodable>(
        &self,
        function: DelayedFn<F, O>,
    ) -> DelayedFn<F, WithCodec<O>> {
        function.encoded()
    }
}

impl<T: Serialize + DeserializeOwned> AsSerde for &ByType<T> {}

/// Any other type.
pub trait AsValue {
    /// The function as it is.
    fn by_type<F, O>(&self, function: DelayedFn<F, O>) -> DelayedFn<F, O> {
        function
    }
}

impl<T> AsValue for ByType<T> {}
