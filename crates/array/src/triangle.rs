//! Triangles and diagonals of matrices: what the indices of an element decide, as elementwise work; and the elements of a
//! diagonal.

use crate::array::{Array, Core};
use crate::chunks::{Chunking, Chunks};
use crate::creation::source;
use crate::element::{DType, Element, Number, Scalar};
use crate::elementwise::{Elementwise, Operand};
use crate::error::{Error, Shape, expect};
use crate::kernel::memory::zeros;
use crate::kernel::ops::CompareOp;
use crate::kernel::overlap::{Boundary, Depth};
use crate::kernel::strip::{GlobalIndex, Op, Term};
use crate::pad::padded_axis;
use crate::per_block::PerBlock;
use crate::rechunk::{common_lengths, rechunked};
use crate::reorder::part;
use musher_graph_core::{AxisMap, Site, Wiring};
use ndarray::{ArrayD, Axis, Dimension, Ix1, Ix2, IxDyn, RemoveAxis};
use smallvec::smallvec;

/// The index along an axis of every element of an array with these block lengths, plus `plus`, as `i64`.
pub(crate) fn index_along(chunking: &Chunking, axis: usize, plus: i64) -> Core {
    let starts = chunking.axis(axis).iter().scan(0_u64, |start, &length| {
        let own = *start;
        *start += length as u64;
        Some(own)
    });
    let term = Term { axis: axis as u8, stride: 1, starts: starts.collect() };
    let index = GlobalIndex { base: 0, terms: smallvec![term] };
    let (start, step) = (Scalar::I64(plus), Scalar::I64(1));
    source::<i64>("indices", &chunking.shape(), &Chunks::Exact(chunking.clone()), |_| Op::Ramp {
        start,
        step,
        last: None,
        index,
    })
}

/// Which elements of the matrices along the last two axes stand so to their diagonal number `offset`: their column is
/// compared with the column of the diagonal in their row.
fn beside_diagonal(
    operation: &'static str,
    chunking: &Chunking,
    offset: isize,
    is: CompareOp,
    caller: Site,
) -> Result<Core, Error> {
    let ndim = chunking.ndim();
    let Some(rows) = ndim.checked_sub(2) else {
        let problem = "an array of fewer than two axes has no diagonal";
        return Err(Error::Arrangement { operation, problem, caller });
    };
    let shape = chunking.shape();
    // Beyond the corners there is nothing to tell apart. No axis is longer than isize::MAX, ndarray's own limit.
    let (down, right) = (shape[rows] as isize, shape[rows + 1] as isize);
    let offset = offset.clamp(-down, right) as i64;
    let column = Operand::Blocks(index_along(chunking, rows + 1, 0), DType::I64);
    let diagonal = Operand::Blocks(index_along(chunking, rows, offset), DType::I64);
    let work = Elementwise { operation, op: Op::Compare(is), dtype: DType::Bool, caller };
    work.over(&[column, diagonal])
}

/// `if mask { yes } else { 0 }`.
fn or_zero<A: Element>(
    operation: &'static str,
    mask: Core,
    yes: Operand,
    caller: Site,
) -> Result<Core, Error> {
    let work = Elementwise { operation, op: Op::Select, dtype: A::DTYPE, caller };
    work.over(&[Operand::Blocks(mask, DType::Bool), yes, Operand::Value(A::default().into_scalar())])
}

/// One triangle of an array, with its twin that tells errors. Written out for `tril`: `tril` and `try_tril`.
macro_rules! triangles {
    ($($(#[$doc:meta])* fn $name:ident, $try:ident = $is:ident;)*) => {
        impl<A: Element, D: Dimension> Array<A, D> {$(
            $(#[$doc])*
            #[must_use]
            #[track_caller]
            pub fn $name(&self, offset: isize) -> Self {
                expect(self.$try(offset))
            }

            #[doc = concat!("As [`", stringify!($name), "`](Self::", stringify!($name), ").")]
            ///
            /// # Errors
            /// [`Error::Arrangement`] when there are fewer than two axes.
            #[track_caller]
            pub fn $try(&self, offset: isize) -> Result<Self, Error> {
                let (operation, caller) = (stringify!($name), Site::caller());
                let mask = beside_diagonal(operation, self.chunks(), offset, CompareOp::$is, caller)?;
                or_zero::<A>(operation, mask, self.into(), caller).map(Self::from_core)
            }
        )*}
    };
}

triangles! {
    /// The lower triangle of the matrices along the last two axes: what lies above diagonal number `offset` becomes zero.
    /// Number 0 is the main diagonal, positive ones lie above it.
    ///
    /// **Shape** and blocks stay.
    /// **Cost** one pass; it fuses with what comes before and after.
    ///
    /// # Panics
    /// When there are fewer than two axes.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[1, 2], [3, 4]]), 1);
    /// assert_eq!(x.tril(0).compute()?, arr2(&[[1, 0], [3, 4]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    fn tril, try_tril = le;
    /// The upper triangle of the matrices along the last two axes: what lies below diagonal number `offset` becomes zero.
    /// Number 0 is the main diagonal, positive ones lie above it.
    ///
    /// **Shape** and blocks stay.
    /// **Cost** one pass; it fuses with what comes before and after.
    ///
    /// # Panics
    /// When there are fewer than two axes.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[1, 2], [3, 4]]), 1);
    /// assert_eq!(x.triu(1).compute()?, arr2(&[[0, 2], [0, 0]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    fn triu, try_triu = ge;
}

impl<A: Number> Array<A, Ix2> {
    /// Ones on and below diagonal number `offset`, zeros above it.
    ///
    /// **Shape** `(rows, columns)`, in blocks as `chunks` says.
    /// **Cost** none: the elements are made where they are used.
    ///
    /// # Panics
    /// When `chunks` does not fit the shape.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let lower = Array::<f64, _>::tri((2, 3), 0, 2);
    /// assert_eq!(lower.compute()?, arr2(&[[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn tri((rows, columns): (usize, usize), offset: isize, chunks: impl Into<Chunks>) -> Self {
        let caller = Site::caller();
        let chunking = crate::array::resolve::<A>(&chunks.into(), &[rows, columns]);
        let mask = beside_diagonal("tri", &chunking, offset, CompareOp::le, caller);
        let one = Operand::Value(A::ONE.into_scalar());
        Self::from_core(expect(mask.and_then(|mask| or_zero::<A>("tri", mask, one, caller))))
    }
}

impl<A: Element> Array<A, Ix2> {
    /// The square matrix with a vector on diagonal number `offset`, and zeros elsewhere.
    ///
    /// **Shape** `(n,) → (n + |offset|, n + |offset|)`; blocks along both axes are those of the vector.
    /// **Cost** none: the elements are made where they are used.
    ///
    /// # Panics
    /// When the elements cannot be counted.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::arange(1, 3, 1, 1);
    /// assert_eq!(Array::from_diag(&x, 0).compute()?, arr2(&[[1, 0], [0, 2]]));
    /// assert_eq!(Array::from_diag(&x, -1).compute()?, arr2(&[[0, 0, 0], [1, 0, 0], [0, 2, 0]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "diag")]
    #[doc(alias = "diagflat")]
    pub fn from_diag(vector: &Array<A, Ix1>, offset: isize) -> Self {
        expect(Self::try_from_diag(vector, offset))
    }

    /// As [`from_diag`](Self::from_diag).
    ///
    /// # Errors
    /// [`Error::TooLarge`] when the elements cannot be counted.
    #[track_caller]
    pub fn try_from_diag(vector: &Array<A, Ix1>, offset: isize) -> Result<Self, Error> {
        let (operation, caller) = ("from_diag", Site::caller());
        let beyond = offset.unsigned_abs();
        let n = vector.len().saturating_add(beyond);
        if crate::chunks::n_elements(&[n, n]).is_none() {
            return Err(Error::TooLarge { shape: Shape(vec![n, n]), what: "elements", caller });
        }
        // Row i has element i of the vector, or i - |offset| below the main diagonal.
        let depth = if offset < 0 { Depth::new(beyond, 0) } else { Depth::new(0, beyond) };
        let zero = Boundary::Constant(A::default());
        let column = padded_axis::<A>(operation, vector.core().clone(), 0, (depth, zero), caller)?;
        let lengths = column.chunking.shared_axis(0);
        let column: Array<A, Ix1> = Array::from_core(column);
        let column = column.try_insert_axis(Axis(1))?;
        let square = Chunking::from_axes([lengths.clone(), lengths]);
        let mask = beside_diagonal(operation, &square, offset, CompareOp::eq_elem, caller)?;
        or_zero::<A>(operation, mask, (&column).into(), caller).map(Self::from_core)
    }
}

impl<A: Element, D: RemoveAxis> Array<A, D> {
    /// Diagonal number `offset` of the matrices along two axes; it becomes the last axis. Number 0 is the main diagonal,
    /// positive ones lie to the right of it along `columns`.
    ///
    /// **Shape** that of the array without both axes, then the length of the diagonal.
    /// **Cost** only blocks on the diagonal are made.
    ///
    /// # Panics
    /// When there are no such axes, or both are the same.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{Axis, arr1, arr2}};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[1, 2, 3], [4, 5, 6]]), 2);
    /// assert_eq!(x.diagonal(1, Axis(0), Axis(1)).compute()?, arr1(&[2, 6]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "diag")]
    pub fn diagonal(&self, offset: isize, rows: Axis, columns: Axis) -> Array<A, D::Smaller> {
        expect(self.try_diagonal(offset, rows, columns))
    }

    /// As [`diagonal`](Self::diagonal).
    ///
    /// # Errors
    /// [`Error::Axis`] when there are no such axes, [`Error::Arrangement`] when both are the same.
    #[track_caller]
    pub fn try_diagonal(
        &self,
        offset: isize,
        rows: Axis,
        columns: Axis,
    ) -> Result<Array<A, D::Smaller>, Error> {
        let (operation, caller, ndim) = ("diagonal", Site::caller(), self.ndim());
        for axis in [rows, columns] {
            self.check_axis(operation, axis.0, ndim, caller)?;
        }
        if rows == columns {
            let problem = "a matrix has two different axes";
            return Err(Error::Arrangement { operation, problem, caller });
        }
        let (rows, columns) = (rows.0, columns.0);
        let square = square_blocks::<A>(operation, self.core(), (rows, columns), offset, caller)?;
        let kept: Vec<usize> = (0..ndim).filter(|&axis| axis != rows && axis != columns).collect();
        let last = kept.len();
        let maps = (0..ndim).map(|axis| {
            let follows = kept.iter().position(|&kept| kept == axis);
            AxisMap::follow(follows.unwrap_or(last))
        });
        let lengths = kept.iter().chain([&rows]).map(|&axis| square.chunking.shared_axis(axis));
        let step = PerBlock {
            label: operation,
            name: "array.diagonal/1",
            wiring: Wiring::axes(maps),
            output: Chunking::from_axes(lengths),
            scratch: 0,
            caller,
        };
        let core = step.of::<A, A>(&square, &(rows, columns), move |_, block| {
            let n = block.shape()[rows];
            let shape: Vec<usize> = kept.iter().map(|&axis| block.shape()[axis]).chain([n]).collect();
            let mut diagonal = ArrayD::from_shape_vec(IxDyn(&shape), zeros::<A>(shape.iter().product())?)?;
            for index in 0..n {
                let (first, second) = (rows.max(columns), rows.min(columns));
                let line = block.index_axis(Axis(first), index);
                diagonal.index_axis_mut(Axis(last), index).assign(&line.index_axis(Axis(second), index));
            }
            Ok(diagonal)
        });
        Ok(Array::from_core(core))
    }

    /// The sum of diagonal number `offset` of the matrices along the first two axes.
    ///
    /// **Shape** that of the array without both axes.
    /// **Cost** only blocks on the diagonal are made.
    ///
    /// # Panics
    /// When there are fewer than two axes. Computing fails where a sum of integers does not fit 64 bits.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[1_i64, 2], [3, 4]]), 1);
    /// assert_eq!(x.trace(0).compute()?, 5);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn trace(&self, offset: isize) -> Array<A::Sum, <D::Smaller as Dimension>::Smaller>
    where
        A: Number,
        D::Smaller: RemoveAxis,
    {
        expect(self.try_trace(offset))
    }

    /// As [`trace`](Self::trace).
    ///
    /// # Errors
    /// [`Error::Axis`] when there are fewer than two axes.
    #[track_caller]
    pub fn try_trace(&self, offset: isize) -> Result<Array<A::Sum, <D::Smaller as Dimension>::Smaller>, Error>
    where
        A: Number,
        D::Smaller: RemoveAxis,
    {
        let diagonal = self.try_diagonal(offset, Axis(0), Axis(1))?;
        diagonal.try_over(Axis(diagonal.ndim() - 1))?.try_sum()
    }
}

/// The part of the array that a diagonal goes through corner to corner, with equal block lengths along both axes.
fn square_blocks<A: Element>(
    operation: &'static str,
    core: &Core,
    (rows, columns): (usize, usize),
    offset: isize,
    caller: Site,
) -> Result<Core, Error> {
    let shape = core.chunking.shape();
    let (down, right) = if offset < 0 { (offset.unsigned_abs(), 0) } else { (0, offset.unsigned_abs()) };
    let (down, right) = (down.min(shape[rows]), right.min(shape[columns]));
    let n = (shape[rows] - down).min(shape[columns] - right);
    let cut = part::<A>(operation, core, rows, (down, down + n, 1), caller)?;
    let cut = part::<A>(operation, &cut, columns, (right, right + n, 1), caller)?;
    let both = common_lengths(cut.chunking.axis(rows), cut.chunking.axis(columns));
    let square = cut.chunking.with_axis(rows, both.as_slice().into()).with_axis(columns, both.into());
    Ok(rechunked::<A>(&cut, &square, caller))
}
