//! One of several arrays, element by element: by number, or by the first condition that holds.

use crate::array::Array;
use crate::element::{DType, Element, Integer, Scalar};
use crate::elementwise::{Operand, compare, select};
use crate::error::{Error, expect};
use crate::kernel::ops::CompareOp;
use musher_graph_core::Site;
use ndarray::Dimension;

/// A number in an integer type, if it has it.
fn integer(dtype: DType, n: usize) -> Option<Scalar> {
    /// One arm for each type. For `I8` it reads: `i8::try_from(n).ok().map(Scalar::I8)`.
    macro_rules! by_type {
        ($($variant:ident $t:ty),*) => {
            match dtype {
                $(DType::$variant => <$t>::try_from(n).ok().map(Scalar::$variant),)*
                _ => None,
            }
        };
    }
    by_type!(I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64)
}

impl<I: Integer, D: Dimension> Array<I, D> {
    /// The element of the choice whose number stands at its place in this array. Numbers below 0 are the first choice, those
    /// beyond the last one are the last, as NumPy's `mode="clip"`.
    ///
    /// **Shape** broadcast of this array and all choices.
    /// **Cost** one pass; all choices are computed.
    ///
    /// # Panics
    /// When there are no choices, or the shapes do not fit.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let which = Array::from_array(arr1(&[0, 1, 1, 0]), 2);
    /// let (x, y) = (Array::arange(0, 4, 1, 2), Array::arange(10, 14, 1, 2));
    /// assert_eq!(which.choose(&[&x, &y]).compute()?, arr1(&[0, 11, 12, 3]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn choose<A: Element>(&self, choices: &[&Array<A, D>]) -> Array<A, D> {
        expect(self.try_choose(choices))
    }

    /// As [`choose`](Self::choose).
    ///
    /// # Errors
    /// [`Error::Arrangement`] when there are no choices, [`Error::Shapes`] when the shapes do not fit.
    #[track_caller]
    pub fn try_choose<A: Element>(&self, choices: &[&Array<A, D>]) -> Result<Array<A, D>, Error> {
        let Some((last, others)) = choices.split_last() else {
            let problem = "nothing to choose from";
            return Err(Error::Arrangement { operation: "choose", problem, caller: Site::caller() });
        };
        // Always selected, for its shape to count also where it is the only one.
        let zero = Operand::Value(I::default().into_scalar());
        let any: Array<bool, D> = compare(CompareOp::eq_elem, self.into(), zero)?;
        let mut chosen: Array<A, D> = select((&any).into(), (*last).into(), (*last).into())?;
        for (number, choice) in others.iter().enumerate().rev() {
            if let Some(number) = integer(I::DTYPE, number) {
                let up_to: Array<bool, D> = compare(CompareOp::le, self.into(), Operand::Value(number))?;
                chosen = select((&up_to).into(), (*choice).into(), (&chosen).into())?;
            }
        }
        Ok(chosen)
    }
}

/// A condition and what becomes of the elements where it holds.
pub type Branch<'a, A, B, D> = (&'a Array<bool, D>, &'a dyn Fn(&Array<A, D>) -> Array<B, D>);

impl<A: Element, D: Dimension> Array<A, D> {
    /// A function in pieces: where the condition of a piece holds, what its function makes of the array, and `otherwise`
    /// elsewhere. Where several hold, the last one counts.
    ///
    /// **Shape** broadcast of all.
    /// **Cost** one pass; all functions are computed everywhere.
    ///
    /// # Panics
    /// When the shapes do not fit.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let x = Array::arange(-2.0, 3.0, 1.0, 2);
    /// let y = x.piecewise(&[(&x.lt(0.0), &|x| -x), (&x.gt(1.0), &|x| x * 10.0)], 0.0);
    /// assert_eq!(y.compute()?, arr1(&[2.0, 1.0, 0.0, 0.0, 20.0]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.piecewise`.
    #[must_use]
    #[track_caller]
    pub fn piecewise<B: Element>(&self, pieces: &[Branch<'_, A, B, D>], otherwise: B) -> Array<B, D> {
        expect(self.try_piecewise(pieces, otherwise))
    }

    /// As [`piecewise`](Self::piecewise).
    ///
    /// # Errors
    /// [`Error::Shapes`] when the shapes do not fit.
    #[track_caller]
    pub fn try_piecewise<B: Element>(
        &self,
        pieces: &[Branch<'_, A, B, D>],
        otherwise: B,
    ) -> Result<Array<B, D>, Error> {
        let mut made: Array<B, D> = Array::full_like(self, otherwise);
        for (condition, function) in pieces {
            made = select((*condition).into(), (&function(self)).into(), (&made).into())?;
        }
        Ok(made)
    }
}
