//! The element types an array can hold, and the plain run-time faces of them.
//!
//! A user's `Array<A, D>` knows its element type at compile time. The engine room does not want one copy of every
//! plan per element type, so it works with [`DType`], [`Scalar`] and [`Buffer`]: closed enums over the same list.

use crate::kernel::memory::hints;
use crate::kernel::ops::Kernels;
use bytemuck::Zeroable;
use num_complex::Complex;
use std::fmt::{Debug, Display};
use std::ops::Range;

/// Applies a macro to the list of all element types, as `Variant type` pairs.
///
/// With `for_each_element! { m }` the macro `m` receives `Bool bool, I8 i8, …`.
macro_rules! for_each_element {
    ($macro:ident) => {
        $macro! {
            Bool bool, I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64,
            F32 f32, F64 f64, C32 num_complex::Complex<f32>, C64 num_complex::Complex<f64>
        }
    };
}

/// A value with a fixed number of bytes, written in little-endian order.
///
/// Element types have it, and so do the states of reductions: whatever may stand in a [`Block`](crate::Block).
///
/// # Examples
/// ```
/// use musher_array::Plain;
/// let mut bytes = [0; 8];
/// 1.5_f64.store(&mut bytes);
/// assert_eq!(f64::load(&bytes), 1.5);
/// ```
pub trait Plain: Copy + Send + Sync + 'static {
    /// Bytes of one value.
    const BYTES: usize;
    /// The name of the type; complex types carry NumPy's name.
    const NAME: &'static str;
    /// Name and version of the encoding of a block of such values, different for every type.
    const KIND: &'static str;

    /// Writes the value to the first [`BYTES`](Self::BYTES) bytes of `out`.
    ///
    /// # Panics
    /// When `out` is shorter than that.
    fn store(self, out: &mut [u8]);

    /// Reads a value from the first [`BYTES`](Self::BYTES) bytes of `bytes`.
    ///
    /// # Panics
    /// When `bytes` is shorter than that.
    fn load(bytes: &[u8]) -> Self;
}

/// Implements [`Plain`] for numbers. For `f64` it reads: 8 bytes, `to_le_bytes`, `from_le_bytes`.
macro_rules! plain_number {
    ($($t:ident)*) => {$(
        impl Plain for $t {
            const BYTES: usize = size_of::<$t>();
            const NAME: &'static str = stringify!($t);
            const KIND: &'static str = concat!("array.", stringify!($t), "/1");
            #[inline(always)]
            fn store(self, out: &mut [u8]) {
                out[..Self::BYTES].copy_from_slice(&self.to_le_bytes());
            }
            #[inline(always)]
            fn load(bytes: &[u8]) -> Self {
                let mut raw = [0; size_of::<$t>()];
                raw.copy_from_slice(&bytes[..Self::BYTES]);
                $t::from_le_bytes(raw)
            }
        }
    )*};
}
plain_number!(i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64);

impl Plain for bool {
    const BYTES: usize = 1;
    const NAME: &'static str = "bool";
    const KIND: &'static str = "array.bool/1";
    #[inline(always)]
    fn store(self, out: &mut [u8]) {
        out[0] = u8::from(self);
    }
    #[inline(always)]
    fn load(bytes: &[u8]) -> Self {
        bytes[0] != 0
    }
}

/// Implements [`Plain`] for complex numbers: real part, then imaginary part.
macro_rules! plain_complex {
    ($($t:ident $name:literal)*) => {$(
        impl Plain for Complex<$t> {
            const BYTES: usize = 2 * size_of::<$t>();
            const NAME: &'static str = $name;
            const KIND: &'static str = concat!("array.", $name, "/1");
            #[inline(always)]
            fn store(self, out: &mut [u8]) {
                self.re.store(out);
                self.im.store(&mut out[size_of::<$t>()..]);
            }
            #[inline(always)]
            fn load(bytes: &[u8]) -> Self {
                Complex::new($t::load(bytes), $t::load(&bytes[size_of::<$t>()..]))
            }
        }
    )*};
}
plain_complex!(f32 "complex64" f64 "complex128");

/// Makes the closed enums over all element types, and [`Element`] for each of them.
macro_rules! elements {
    ($($variant:ident $t:ty),* $(,)?) => {
        /// The element type of an array, known at run time.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum DType {
            $(#[doc = concat!("`", stringify!($t), "`.")] $variant,)*
        }

        impl DType {
            /// All element types, in declaration order.
            pub const ALL: &'static [DType] = &[$(DType::$variant),*];

            /// Bytes of one element.
            #[must_use]
            #[doc(alias = "itemsize")]
            pub const fn bytes(self) -> usize {
                match self { $(DType::$variant => size_of::<$t>(),)* }
            }

            /// The Rust name of the type; complex types carry NumPy's name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(DType::$variant => <$t as Plain>::NAME,)* }
            }

            /// Calls a visitor with the type: from a value that is known at run time to code that is generic.
            pub fn visit<V: Visit>(self, visitor: V) -> V::Output {
                match self { $(DType::$variant => visitor.visit::<$t>(),)* }
            }
        }

        /// One element of any type.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum Scalar {
            $(#[doc = concat!("A `", stringify!($t), "`.")] $variant($t),)*
        }

        impl Scalar {
            /// The type of the element.
            #[must_use]
            pub const fn dtype(&self) -> DType {
                match self { $(Scalar::$variant(_) => DType::$variant,)* }
            }
        }

        /// Elements of any one type, owned: a register or an output of a strip program.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Buffer {
            $(#[doc = concat!("`", stringify!($t), "` elements.")] $variant(Vec<$t>),)*
        }

        impl Buffer {
            /// The type of the elements.
            #[must_use]
            pub const fn dtype(&self) -> DType {
                match self { $(Buffer::$variant(_) => DType::$variant,)* }
            }

            /// The number of elements.
            #[must_use]
            pub fn len(&self) -> usize {
                match self { $(Buffer::$variant(values) => values.len(),)* }
            }

            /// Whether there is no element.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }
        }

        /// Elements of any one type, borrowed in memory order: an input of a strip program.
        #[derive(Clone, Copy, Debug)]
        pub enum Source<'a> {
            $(#[doc = concat!("`", stringify!($t), "` elements.")] $variant(&'a [$t]),)*
        }

        impl Source<'_> {
            /// The type of the elements.
            #[must_use]
            pub const fn dtype(&self) -> DType {
                match self { $(Source::$variant(_) => DType::$variant,)* }
            }

            /// Says that those of these elements that there are will be read soon.
            pub(crate) fn will_read(&self, range: Range<usize>) {
                match self { $(Source::$variant(elements) => {
                    let end = range.end.min(elements.len());
                    hints::will_read(elements.get(range.start..end).unwrap_or_default());
                })* }
            }
        }

        $(
            impl Element for $t {
                const DTYPE: DType = DType::$variant;

                fn into_scalar(self) -> Scalar {
                    Scalar::$variant(self)
                }
                fn from_scalar(scalar: Scalar) -> Option<Self> {
                    match scalar { Scalar::$variant(value) => Some(value), _ => None }
                }
                fn into_buffer(values: Vec<Self>) -> Buffer {
                    Buffer::$variant(values)
                }
                fn from_buffer(buffer: Buffer) -> Option<Vec<Self>> {
                    match buffer { Buffer::$variant(values) => Some(values), _ => None }
                }
                fn buffer_ref(buffer: &Buffer) -> Option<&Vec<Self>> {
                    match buffer { Buffer::$variant(values) => Some(values), _ => None }
                }
                fn buffer_mut(buffer: &mut Buffer) -> Option<&mut Vec<Self>> {
                    match buffer { Buffer::$variant(values) => Some(values), _ => None }
                }
                fn into_source(values: &[Self]) -> Source<'_> {
                    Source::$variant(values)
                }
                fn from_source(source: Source<'_>) -> Option<&[Self]> {
                    match source { Source::$variant(values) => Some(values), _ => None }
                }
            }
        )*
    };
}
for_each_element!(elements);

impl Display for DType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Generic code that is called with a type known at run time, see [`DType::visit`].
///
/// # Examples
/// ```
/// use musher_array::{DType, Element, Visit};
/// struct Size;
/// impl Visit for Size {
///     type Output = usize;
///     fn visit<A: Element>(self) -> usize { size_of::<A>() }
/// }
/// assert_eq!(DType::U16.visit(Size), 2);
/// ```
pub trait Visit {
    /// What the code gives.
    type Output;

    /// Runs the code for a type.
    fn visit<A: Element>(self) -> Self::Output;
}

/// A type that an [`Array`](crate::Array) can hold: `bool`, integers of 8 to 64 bits, `f32`, `f64`, and complex numbers of both.
///
/// The list is closed, because a fused program keeps its values in typed registers of exactly these types.
/// The conversions are the doors between typed and run-time-typed code; users seldom need them.
///
/// # Examples
/// ```
/// use musher_array::{DType, Element};
/// assert_eq!(<f32 as Element>::DTYPE, DType::F32);
/// assert_eq!(DType::F32.bytes(), 4);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an element of a musher array",
    note = "elements are bool, i8 to i64, u8 to u64, f32, f64 and num_complex::Complex of f32 or f64"
)]
pub trait Element: Plain + Zeroable + Kernels + Default + PartialEq + Debug + Display {
    /// The type, at run time.
    const DTYPE: DType;

    /// The value as a [`Scalar`].
    fn into_scalar(self) -> Scalar;
    /// The value in a scalar, when it has this type.
    fn from_scalar(scalar: Scalar) -> Option<Self>;
    /// The values as a [`Buffer`].
    fn into_buffer(values: Vec<Self>) -> Buffer;
    /// The values of a buffer, when it has this type.
    fn from_buffer(buffer: Buffer) -> Option<Vec<Self>>;
    /// The values of a borrowed buffer, when it has this type.
    fn buffer_ref(buffer: &Buffer) -> Option<&Vec<Self>>;
    /// The values of a mutably borrowed buffer, when it has this type.
    fn buffer_mut(buffer: &mut Buffer) -> Option<&mut Vec<Self>>;
    /// The values as a [`Source`].
    fn into_source(values: &[Self]) -> Source<'_>;
    /// The values of a source, when it has this type.
    fn from_source(source: Source<'_>) -> Option<&[Self]>;
}

/// Element types that have an order: `bool`, integers and floats.
///
/// # Examples
/// ```
/// use musher_array::{Array, Ordered, ndarray::{Dimension, Ix0}};
/// fn range<A: Ordered, D: Dimension>(x: &Array<A, D>) -> (Array<A, Ix0>, Array<A, Ix0>) { (x.min(), x.max()) }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no order",
    note = "of complex numbers take `abs()`, `re()` or `im()` first"
)]
pub trait Ordered: Element + PartialOrd {}

/// Element types with the four rules of arithmetic: all but `bool`.
///
/// # Examples
/// ```
/// use musher_array::Number;
/// assert_eq!(<u8 as Number>::ONE, 1);
/// ```
#[diagnostic::on_unimplemented(message = "`{Self}` has no arithmetic", note = "use `cast` to a number first")]
pub trait Number: Element {
    /// The number 1.
    const ONE: Self;
    /// What a magnitude or a real part is: the type itself, or `f32` and `f64` for complex numbers of them.
    type Re: Real;
    /// What [`sum`](crate::Array::sum) gives: `i64` or `u64` for integers, the type itself otherwise.
    type Sum: Element;
    /// What [`mean`](crate::Array::mean) gives: `f64` for integers, the type itself otherwise.
    type Mean: Element;
}

/// Numbers that have an order: integers and floats.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no real number",
    note = "of complex numbers take `abs()`, `re()` or `im()` first; of bool use `cast`"
)]
pub trait Real: Number<Re = Self> + Ordered {}

/// Floats and complex numbers of them: what roots, logarithms and angles are made for.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a float nor a complex number",
    note = "use `cast::<f64>()` first"
)]
pub trait Inexact: Number<Sum = Self, Mean = Self> {}

/// `f32` and `f64`.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a float", note = "use `cast::<f64>()` first")]
pub trait Float: Real + Inexact {}

/// Integers of 8 to 64 bits.
#[diagnostic::on_unimplemented(message = "`{Self}` is no integer")]
pub trait Integer: Real {}

/// `bool` and integers: what `&`, `|`, `^` and `!` are made for.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no bits to combine",
    note = "compare first: `x.gt(0.0)`"
)]
pub trait Bits: Element {}

/// A number of a float type.
pub(crate) fn float<A: Float>(number: f64) -> A {
    let scalar = if A::DTYPE == DType::F32 { Scalar::F32(number as f32) } else { Scalar::F64(number) };
    A::from_scalar(scalar).expect("a float is one of two types")
}

/// Implements [`Number`]. For `u8` it reads: one is 1, magnitudes are `u8`, sums `u64`, means `f64`.
macro_rules! numbers {
    ($($t:ty, $one:expr, $re:ty, $sum:ty, $mean:ty;)*) => {$(
        impl Number for $t {
            const ONE: Self = $one;
            type Re = $re;
            type Sum = $sum;
            type Mean = $mean;
        }
    )*};
}
numbers! {
    i8, 1, i8, i64, f64; i16, 1, i16, i64, f64; i32, 1, i32, i64, f64; i64, 1, i64, i64, f64;
    u8, 1, u8, u64, f64; u16, 1, u16, u64, f64; u32, 1, u32, u64, f64; u64, 1, u64, u64, f64;
    f32, 1.0, f32, f32, f32; f64, 1.0, f64, f64, f64;
    Complex<f32>, Complex::new(1.0, 0.0), f32, Self, Self; Complex<f64>, Complex::new(1.0, 0.0), f64, Self, Self;
}

/// Marks types with traits that carry no items.
macro_rules! mark {
    ($($tr:ident: $($t:ty),*;)*) => {$($(impl $tr for $t {})*)*};
}
mark! {
    Ordered: bool, i8, i16, i32, i64, u8, u16, u32, u64, f32, f64;
    Real: i8, i16, i32, i64, u8, u16, u32, u64, f32, f64;
    Inexact: f32, f64, Complex<f32>, Complex<f64>;
    Float: f32, f64;
    Integer: i8, i16, i32, i64, u8, u16, u32, u64;
    Bits: bool, i8, i16, i32, i64, u8, u16, u32, u64;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_every_type_go_out_and_come_back() {
        let mut bytes = [0; 16];
        let value = Complex::new(-1.5_f64, f64::INFINITY);
        value.store(&mut bytes);
        assert_eq!(Complex::<f64>::load(&bytes), value);
        i8::MIN.store(&mut bytes);
        assert_eq!(i8::load(&bytes), i8::MIN);
        true.store(&mut bytes);
        assert!(bool::load(&bytes));
    }

    #[test]
    fn names_and_sizes_differ_as_they_should() {
        let names: std::collections::BTreeSet<_> = DType::ALL.iter().map(|dtype| dtype.name()).collect();
        assert_eq!(names.len(), DType::ALL.len());
        assert_eq!(DType::C64.bytes(), 16);
        assert_eq!(DType::C64.to_string(), "complex128");
    }
}
