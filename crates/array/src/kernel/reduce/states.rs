//! The states of reductions: small values that blocks of partial results are made of.

use musher_graph_core::Moments;

use crate::element::Plain;

impl Plain for Moments {
    const BYTES: usize = 32;
    const NAME: &'static str = "moments";
    const KIND: &'static str = "array.moments/1";
    fn store(self, out: &mut [u8]) {
        for (part, value) in [self.count, self.shift, self.mean, self.squares].into_iter().enumerate() {
            value.store(&mut out[8 * part..]);
        }
    }
    fn load(bytes: &[u8]) -> Self {
        let part = |part: usize| f64::load(&bytes[8 * part..]);
        Self { count: part(0), shift: part(1), mean: part(2), squares: part(3) }
    }
}

/// An exact product of integers, or the knowledge that it does not fit 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product {
    /// The product, where it fits.
    pub value: i128,
    /// Whether it fits.
    pub fits: bool,
}

impl Product {
    /// The product of both; a zero makes everything fit again.
    #[must_use]
    #[inline(always)]
    pub fn combine(self, other: Self) -> Self {
        let zero = |product: Self| product.fits && product.value == 0;
        if zero(self) || zero(other) {
            return Self { value: 0, fits: true };
        }
        match self.value.checked_mul(other.value) {
            Some(value) if self.fits && other.fits => Self { value, fits: true },
            _ => Self { value: 1, fits: false },
        }
    }
}

impl Plain for Product {
    const BYTES: usize = 17;
    const NAME: &'static str = "product";
    const KIND: &'static str = "array.product/1";
    fn store(self, out: &mut [u8]) {
        self.value.store(out);
        self.fits.store(&mut out[16..]);
    }
    fn load(bytes: &[u8]) -> Self {
        Self { value: i128::load(bytes), fits: bool::load(&bytes[16..]) }
    }
}

/// Makes a state of an extreme and its place.
macro_rules! arg_state {
    ($name:ident, $value:ty, $doc:literal, $kind:literal, $label:literal) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name {
            /// The extreme.
            pub value: $value,
            /// Its index along what is reduced; `u64::MAX` is the identity.
            pub index: u64,
        }

        impl Plain for $name {
            const BYTES: usize = size_of::<$value>() + 8;
            const NAME: &'static str = $label;
            const KIND: &'static str = $kind;
            fn store(self, out: &mut [u8]) {
                self.value.store(out);
                self.index.store(&mut out[size_of::<$value>()..]);
            }
            fn load(bytes: &[u8]) -> Self {
                Self { value: <$value>::load(bytes), index: u64::load(&bytes[size_of::<$value>()..]) }
            }
        }
    };
}
arg_state!(ArgFloat, f64, "An extreme of floats and its place.", "array.argfloat/1", "argfloat");
arg_state!(ArgInteger, i128, "An extreme of integers and its place.", "array.arginteger/1", "arginteger");
