//! The operators `+ - * / % & | ^ ! -` on arrays and scalars, by value and by reference, and their `try_` twins.

use crate::array::Array;
use crate::element::{Bits, Element, Number, Real};
use crate::elementwise::{Operand, binary, unary};
use crate::error::{Error, expect};
use crate::kernel::ops::{BinaryOp, UnaryOp};
use ndarray::{DimMax, Dimension};
use num_complex::Complex;
use std::ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Neg, Not, Rem, Sub};

/// One operator on arrays. Written out for `+`: `Array + Array`, `&Array + Array`, `Array + &Array`, `&Array + &Array`,
/// `Array + A`, `&Array + A`, all through [`binary`] with `BinaryOp::add`, and `try_add`.
macro_rules! array_operator {
    ($trait:ident fn $method:ident $try:ident $bound:ident $sign:literal, $(alias = $alias:literal),*) => {
        impl<A: $bound, D: Dimension, E: Dimension> $trait<&Array<A, E>> for &Array<A, D>
        where
            D: DimMax<E>,
        {
            type Output = Array<A, <D as DimMax<E>>::Output>;
            #[doc = concat!("`left ", $sign, " right`, element by element; shapes are broadcast.\n\n# Panics\nWhen the shapes do not fit.")]
            #[track_caller]
            fn $method(self, right: &Array<A, E>) -> Self::Output {
                expect(binary(BinaryOp::$method, self.into(), right.into()))
            }
        }

        impl<A: $bound, D: Dimension, E: Dimension> $trait<Array<A, E>> for Array<A, D>
        where
            D: DimMax<E>,
        {
            type Output = Array<A, <D as DimMax<E>>::Output>;
            #[track_caller]
            fn $method(self, right: Array<A, E>) -> Self::Output {
                expect(binary(BinaryOp::$method, (&self).into(), (&right).into()))
            }
        }

        impl<A: $bound, D: Dimension, E: Dimension> $trait<&Array<A, E>> for Array<A, D>
        where
            D: DimMax<E>,
        {
            type Output = Array<A, <D as DimMax<E>>::Output>;
            #[track_caller]
            fn $method(self, right: &Array<A, E>) -> Self::Output {
                expect(binary(BinaryOp::$method, (&self).into(), right.into()))
            }
        }

        impl<A: $bound, D: Dimension, E: Dimension> $trait<Array<A, E>> for &Array<A, D>
        where
            D: DimMax<E>,
        {
            type Output = Array<A, <D as DimMax<E>>::Output>;
            #[track_caller]
            fn $method(self, right: Array<A, E>) -> Self::Output {
                expect(binary(BinaryOp::$method, self.into(), (&right).into()))
            }
        }

        impl<A: $bound, D: Dimension> $trait<A> for Array<A, D> {
            type Output = Array<A, D>;
            #[track_caller]
            fn $method(self, right: A) -> Self::Output {
                expect(binary(BinaryOp::$method, (&self).into(), Operand::Value(right.into_scalar())))
            }
        }

        impl<A: $bound, D: Dimension> $trait<A> for &Array<A, D> {
            type Output = Array<A, D>;
            #[track_caller]
            fn $method(self, right: A) -> Self::Output {
                expect(binary(BinaryOp::$method, self.into(), Operand::Value(right.into_scalar())))
            }
        }

        impl<A: $bound, D: Dimension> Array<A, D> {
            #[doc = concat!("`self ", $sign, " right`, as the operator.\n\n# Errors\n[`Error::Shapes`] when the shapes do not fit.")]
            $(#[doc(alias = $alias)])*
            #[track_caller]
            pub fn $try<E: Dimension>(
                &self,
                right: &Array<A, E>,
            ) -> Result<Array<A, <D as DimMax<E>>::Output>, Error>
            where
                D: DimMax<E>,
            {
                binary(BinaryOp::$method, self.into(), right.into())
            }
        }
    };
}

array_operator!(Add fn add try_add Number "+", );
array_operator!(Sub fn sub try_sub Number "-", alias = "subtract");
array_operator!(Mul fn mul try_mul Number "*", alias = "multiply");
array_operator!(Div fn div try_div Number "/", alias = "divide", alias = "true_divide");
array_operator!(Rem fn rem try_rem Real "%", alias = "remainder", alias = "fmod");
array_operator!(BitAnd fn bitand try_bitand Bits "&", alias = "bitwise_and", alias = "logical_and");
array_operator!(BitOr fn bitor try_bitor Bits "|", alias = "bitwise_or", alias = "logical_or");
array_operator!(BitXor fn bitxor try_bitxor Bits "^", alias = "bitwise_xor", alias = "logical_xor");

/// Scalars on the left, for each number type. Written out for `f64`: `f64 + Array`, `f64 + &Array`, and so on.
macro_rules! scalar_on_the_left {
    ($($t:ty)*) => {$(
        scalar_on_the_left!(@ $t, Add add);
        scalar_on_the_left!(@ $t, Sub sub);
        scalar_on_the_left!(@ $t, Mul mul);
        scalar_on_the_left!(@ $t, Div div);
    )*};
    (@ $t:ty, $trait:ident $method:ident) => {
        impl<D: Dimension> $trait<Array<$t, D>> for $t {
            type Output = Array<$t, D>;
            #[track_caller]
            fn $method(self, right: Array<$t, D>) -> Array<$t, D> {
                expect(binary(BinaryOp::$method, Operand::Value(self.into_scalar()), (&right).into()))
            }
        }
        impl<D: Dimension> $trait<&Array<$t, D>> for $t {
            type Output = Array<$t, D>;
            #[track_caller]
            fn $method(self, right: &Array<$t, D>) -> Array<$t, D> {
                expect(binary(BinaryOp::$method, Operand::Value(self.into_scalar()), right.into()))
            }
        }
    };
}
scalar_on_the_left!(i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 Complex<f32> Complex<f64>);

impl<A: Number, D: Dimension> Neg for &Array<A, D> {
    type Output = Array<A, D>;
    #[track_caller]
    fn neg(self) -> Array<A, D> {
        unary(self, UnaryOp::neg)
    }
}

impl<A: Number, D: Dimension> Neg for Array<A, D> {
    type Output = Self;
    #[track_caller]
    fn neg(self) -> Self {
        unary(&self, UnaryOp::neg)
    }
}

impl<A: Bits, D: Dimension> Not for &Array<A, D> {
    type Output = Array<A, D>;
    #[track_caller]
    fn not(self) -> Array<A, D> {
        unary(self, UnaryOp::not)
    }
}

impl<A: Bits, D: Dimension> Not for Array<A, D> {
    type Output = Self;
    #[track_caller]
    fn not(self) -> Self {
        unary(&self, UnaryOp::not)
    }
}

/// The right operand of a comparison, a minimum, a selection: an array or a scalar.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::arr1};
/// use musher_scheduler::Compute;
/// let x = Array::from_array(arr1(&[1.0, 5.0, 3.0]), 2);
/// assert_eq!(x.gt(2.0).compute()?, arr1(&[false, true, true]));
/// assert_eq!(x.maximum(&x.slice(musher_array::ndarray::s![..;-1])).compute()?, arr1(&[3.0, 5.0, 3.0]));
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
#[diagnostic::on_unimplemented(message = "`{Self}` is neither an array of `{A}` nor an `{A}`")]
pub trait ArrayOrScalar<A: Element, D: Dimension> {
    /// The dimension of the result of an operation with an array of dimension `D`.
    type Dim: Dimension;

    /// The operand of the layer.
    fn into_operand(self) -> ArrayOperand;
}

/// An operand of an elementwise layer; made of arrays and scalars, of no use by itself.
#[derive(Clone)]
pub struct ArrayOperand(pub(crate) Operand);

impl<A: Element, D: Dimension> ArrayOrScalar<A, D> for A {
    type Dim = D;
    fn into_operand(self) -> ArrayOperand {
        ArrayOperand(Operand::Value(self.into_scalar()))
    }
}

impl<A: Element, D: Dimension + DimMax<E>, E: Dimension> ArrayOrScalar<A, D> for &Array<A, E> {
    type Dim = <D as DimMax<E>>::Output;
    fn into_operand(self) -> ArrayOperand {
        ArrayOperand(self.into())
    }
}

impl<A: Element, D: Dimension + DimMax<E>, E: Dimension> ArrayOrScalar<A, D> for Array<A, E> {
    type Dim = <D as DimMax<E>>::Output;
    fn into_operand(self) -> ArrayOperand {
        ArrayOperand((&self).into())
    }
}
