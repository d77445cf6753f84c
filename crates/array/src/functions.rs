//! Elementwise functions: those of the table, selection, casts, and a user's own.

use crate::array::Array;
use crate::element::{Element, Float, Inexact, Integer, Number, Ordered, Real};
use crate::elementwise::{
    Operand, binary, binary_named, cast, compare, map_each, map_pairs, part, powi, select, test, unary,
};
use crate::error::{Error, expect};
use crate::kernel::ops::table::{binary_table, compare_table, part_table, test_table, unary_table};
use crate::kernel::ops::{BinaryOp, CompareOp, PartOp, TestOp, UnaryOp};
use crate::operators::ArrayOrScalar;
use musher_graph_core::Site;
use ndarray::{DimMax, Dimension};

/// A method for each row that is a function. `methods!(unary_method; …)` calls `unary_method!` with each of them.
macro_rules! methods {
    ($method:ident; $($(#[$meta:meta])* $kind:ident $name:ident where A: $bound:ident = $code:literal, $class:ident,
        ulp $ulp:literal, $numpy:literal: $($domain:ident $($mode:ident)? |$($x:ident),+| $body:expr),+;)*
    ) => {
        impl<A: Element, D: Dimension> Array<A, D> {
            $($method! { $kind $name $bound $numpy $(#[$meta])* })*
        }
    };
}

/// Written out for `sqrt`: the square roots of the elements, for floats and complex numbers.
macro_rules! unary_method {
    (operator $($rest:tt)*) => {};
    (fn $name:ident $bound:ident $numpy:literal $(#[$meta:meta])*) => {
        $(#[$meta])*
        ///
        /// **Shape** and blocks stay.
        #[must_use]
        #[track_caller]
        pub fn $name(&self) -> Self
        where
            A: $bound,
        {
            unary(self, UnaryOp::$name)
        }
    };
}

/// Written out for `abs`: the magnitudes of the elements, real also where they are complex.
macro_rules! part_method {
    (fn $name:ident $bound:ident $numpy:literal $(#[$meta:meta])*) => {
        $(#[$meta])*
        ///
        /// **Shape** and blocks stay.
        #[must_use]
        #[track_caller]
        pub fn $name(&self) -> Array<A::Re, D>
        where
            A: $bound,
        {
            part(self, PartOp::$name)
        }
    };
}

/// Written out for `is_nan`: whether each element is NaN.
macro_rules! test_method {
    (fn $name:ident $bound:ident $numpy:literal $(#[$meta:meta])*) => {
        $(#[$meta])*
        ///
        /// **Shape** and blocks stay.
        #[must_use]
        #[track_caller]
        pub fn $name(&self) -> Array<bool, D>
        where
            A: $bound,
        {
            test(self, TestOp::$name)
        }
    };
}

/// Written out for `minimum`: the smaller of each pair.
macro_rules! binary_method {
    (operator $($rest:tt)*) => {};
    (fn $name:ident $bound:ident $numpy:literal $(#[$meta:meta])*) => {
        $(#[$meta])*
        ///
        /// **Shape** broadcast of both.
        ///
        /// # Panics
        /// When the shapes do not fit.
        #[must_use]
        #[track_caller]
        pub fn $name<R: ArrayOrScalar<A, D>>(&self, other: R) -> Array<A, R::Dim>
        where
            A: $bound,
        {
            expect(binary(BinaryOp::$name, self.into(), other.into_operand().0))
        }
    };
}

/// Written out for `lt`: whether the first of each pair is less.
macro_rules! compare_method {
    (fn $name:ident $bound:ident $numpy:literal $(#[$meta:meta])*) => {
        $(#[$meta])*
        ///
        /// **Shape** broadcast of both.
        ///
        /// # Panics
        /// When the shapes do not fit.
        #[must_use]
        #[track_caller]
        pub fn $name<R: ArrayOrScalar<A, D>>(&self, other: R) -> Array<bool, R::Dim>
        where
            A: $bound,
        {
            expect(compare(CompareOp::$name, self.into(), other.into_operand().0))
        }
    };
}

unary_table!(methods unary_method;);
part_table!(methods part_method;);
test_table!(methods test_method;);
binary_table!(methods binary_method;);
compare_table!(methods compare_method;);

impl<A: Element, D: Dimension> Array<A, D> {
    /// Applies `f` to every element; fused with its neighbors.
    ///
    /// A function that captures nothing is taken to be pure: applied twice to the same array it runs once.
    ///
    /// **Shape** and blocks stay; the element type may change.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[1.5, -2.5]), 1);
    /// assert_eq!(x.mapv(|value: f64| value < 0.0).compute()?, arr1(&[false, true]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "vectorize")]
    #[doc(alias = "frompyfunc")]
    pub fn mapv<B: Element, F>(&self, f: F) -> Array<B, D>
    where
        F: Fn(A) -> B + Send + Sync + 'static,
    {
        map_each(self, f)
    }

    /// As [`mapv`](Self::mapv), consuming the array.
    #[must_use]
    #[track_caller]
    pub fn mapv_into<B: Element, F>(self, f: F) -> Array<B, D>
    where
        F: Fn(A) -> B + Send + Sync + 'static,
    {
        map_each(&self, f)
    }

    /// Applies `f` to every pair of elements of two arrays; shapes are broadcast.
    ///
    /// # Panics
    /// When the shapes do not fit.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let (x, n) = (Array::from_array(arr1(&[2.0, 3.0]), 1), Array::from_array(arr1(&[3, 2]), 1));
    /// assert_eq!(x.zip_map(&n, |x: f64, n: i32| x.powi(n)).compute()?, arr1(&[8.0, 9.0]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "apply_ufunc")]
    pub fn zip_map<B, C, E, F>(&self, other: &Array<B, E>, f: F) -> Array<C, <D as DimMax<E>>::Output>
    where
        B: Element,
        C: Element,
        E: Dimension,
        D: DimMax<E>,
        F: Fn(A, B) -> C + Send + Sync + 'static,
    {
        expect(map_pairs(self.into(), other.into(), f))
    }

    /// The elements in another type. Fractions are cut toward zero; a value that does not fit fails the computation.
    ///
    /// **Shape** and blocks stay.
    ///
    /// # Panics
    /// When complex numbers are cast to real ones: take their real part.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[1.9, -2.9]), 1);
    /// assert_eq!(x.cast::<i32>().compute()?, arr1(&[1, -2]));
    /// assert!(x.cast::<u8>().compute().is_err(), "-2 is no u8");
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "astype")]
    pub fn cast<B: Element>(&self) -> Array<B, D> {
        expect(cast(self))
    }

    /// As [`cast`](Self::cast).
    ///
    /// # Errors
    /// [`Error::Cast`] when there is no cast between the types.
    #[track_caller]
    pub fn try_cast<B: Element>(&self) -> Result<Array<B, D>, Error> {
        cast(self)
    }
}

impl<D: Dimension> Array<bool, D> {
    /// `if self { a } else { b }`, element by element; shapes are broadcast. Both sides are computed.
    ///
    /// **Shape** broadcast of all three.
    ///
    /// # Panics
    /// When the shapes do not fit.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[-1.0, 4.0]), 1);
    /// assert_eq!(x.gt(0.0).select(&x, 0.0).compute()?, arr1(&[0.0, 4.0]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "where")]
    #[doc(alias = "if_else")]
    pub fn select<A, L, R>(&self, a: L, b: R) -> Array<A, R::Dim>
    where
        A: Element,
        L: ArrayOrScalar<A, D>,
        R: ArrayOrScalar<A, L::Dim>,
    {
        expect(self.try_select(a, b))
    }

    /// As [`select`](Self::select).
    ///
    /// # Errors
    /// [`Error::Shapes`] when the shapes do not fit.
    #[track_caller]
    pub fn try_select<A, L, R>(&self, a: L, b: R) -> Result<Array<A, R::Dim>, Error>
    where
        A: Element,
        L: ArrayOrScalar<A, D>,
        R: ArrayOrScalar<A, L::Dim>,
    {
        select(self.into(), a.into_operand().0, b.into_operand().0)
    }
}

/// The operations of the table by run-time name, for programs that choose one from text or data.
impl<A: Element, D: Dimension> Array<A, D> {
    /// A function of the table that keeps the type, as the method or the operator of that name.
    ///
    /// # Errors
    /// [`Error::Undefined`] when the element type has no such function.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, kernel::ops::UnaryOp, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[-1.5, 2.5]), 1);
    /// assert_eq!(x.try_unary(UnaryOp::floor)?.compute()?, arr1(&[-2.0, 2.0]));
    /// assert!(x.gt(0.0).try_unary(UnaryOp::floor).is_err(), "a bool has no floor");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn try_unary(&self, op: UnaryOp) -> Result<Self, Error> {
        defined::<A>(op.row().name, A::unary(op).is_some())?;
        Ok(unary(self, op))
    }

    /// A test of the table, as the method of that name.
    ///
    /// # Errors
    /// [`Error::Undefined`] when the element type has no such test.
    #[track_caller]
    pub fn try_test(&self, op: TestOp) -> Result<Array<bool, D>, Error> {
        defined::<A>(op.row().name, A::test(op).is_some())?;
        Ok(test(self, op))
    }

    /// A function of the table with two operands, as the method or the operator of that name.
    ///
    /// # Errors
    /// [`Error::Shapes`] when the shapes do not fit, [`Error::Undefined`] when the element type has no such function.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, kernel::ops::BinaryOp, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[3.0, 5.0]), 1);
    /// assert_eq!(x.try_binary(BinaryOp::hypot, 4.0)?.compute()?[0], 5.0);
    /// assert!(x.try_binary(BinaryOp::hypot, Array::zeros(3, 1)).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn try_binary<R: ArrayOrScalar<A, D>>(
        &self,
        op: BinaryOp,
        other: R,
    ) -> Result<Array<A, R::Dim>, Error> {
        defined::<A>(op.row().name, A::binary(op).is_some())?;
        binary(op, self.into(), other.into_operand().0)
    }

    /// A comparison of the table, as the method of that name.
    ///
    /// # Errors
    /// [`Error::Shapes`] when the shapes do not fit, [`Error::Undefined`] when the element type has no order.
    #[track_caller]
    pub fn try_compare<R: ArrayOrScalar<A, D>>(
        &self,
        op: CompareOp,
        other: R,
    ) -> Result<Array<bool, R::Dim>, Error> {
        defined::<A>(op.row().name, A::compare(op).is_some())?;
        compare(op, self.into(), other.into_operand().0)
    }
}

/// Refuses an operation that an element type does not have.
#[track_caller]
fn defined<A: Element>(operation: &'static str, is_defined: bool) -> Result<(), Error> {
    match is_defined {
        true => Ok(()),
        false => Err(Error::Undefined { operation, dtype: A::DTYPE, caller: Site::caller() }),
    }
}

impl<A: Number, D: Dimension> Array<A, D> {
    /// A function of the table that gives a part, as the method of that name.
    ///
    /// # Errors
    /// [`Error::Undefined`] when the element type has no such part.
    #[track_caller]
    pub fn try_part(&self, op: PartOp) -> Result<Array<A::Re, D>, Error> {
        defined::<A>(op.row().name, A::part(op).is_some())?;
        Ok(part(self, op))
    }

    /// Every element to an integer power, by repeated multiplication. A negative power of integers fails the
    /// computation, as overflow does.
    #[must_use]
    #[track_caller]
    pub fn powi(&self, power: i32) -> Self {
        powi(self, power)
    }
}

impl<A: Float, D: Dimension> Array<A, D> {
    /// [`pow`](Self::pow) of floats, by ndarray's name.
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[must_use]
    #[track_caller]
    pub fn powf<R: ArrayOrScalar<A, D>>(&self, other: R) -> Array<A, R::Dim> {
        self.pow(other)
    }
}

impl<A: Ordered, D: Dimension> Array<A, D> {
    /// Every element, but not below `low` nor above `high`; NaN stays.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr1(&[-3, 4, 9]), 2);
    /// assert_eq!(x.clip(0, 5).compute()?, arr1(&[0, 4, 5]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "clamp")]
    pub fn clip(&self, low: A, high: A) -> Self {
        let raised: Self =
            expect(binary_named("clip", BinaryOp::maximum, self.into(), Operand::Value(low.into_scalar())));
        expect(binary_named("clip", BinaryOp::minimum, (&raised).into(), Operand::Value(high.into_scalar())))
    }
}
