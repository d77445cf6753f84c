//! Products of chunked matrices and vectors.
//!
//! Blocks of the result are sums over the blocks along the contracted axis. A task multiplies and adds at most
//! [`FAN_IN`] pairs of blocks, so what it holds does not grow with the array; its partial sums go up a tree by block
//! number. So the additions have one order, whatever runs first.

use super::Faer;
use super::backend::{LinalgBackend, LinalgElement};
use crate::array::{Array, Core};
use crate::block::Block;
use crate::chunks::Chunking;
use crate::element::Element;
use crate::error::{Error, Shape, expect};
use crate::kernel::memory::{in_order, zeros};
use crate::rechunk::{common_lengths, rechunked};
use musher_graph_core::{
    AxisMap, Codec, Facts, Grid, Grouping, Inputs, Layer, Output, Place, Port, Site, Task, TaskError,
    Tokenizer, Wiring, tree_of,
};
use musher_scheduler::check_cancelled;
use ndarray::{Array2, ArrayView2, ArrayViewD, Axis, Dimension, Ix0, Ix1, Ix2, IxDyn};
use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

/// Pairs of blocks that one task multiplies: 2 × 4 blocks in, 1 out.
const FAN_IN: usize = 4;
/// Floating-point operations a nanosecond, for the planner's estimate.
const FLOPS_PER_NS: u64 = 20;

/// The number of axes of a product: a vector on the left counts as a row, on the right as a column, and its axis is
/// not in the result.
#[diagnostic::on_unimplemented(
    message = "no matrix product of arrays with dimensions `{Self}` and `{Right}`",
    note = "matrices (Ix2) and vectors (Ix1) can be multiplied"
)]
pub trait Contract<Right: Dimension>: Dimension {
    /// The dimension of the product.
    type Product: Dimension;
}

impl Contract<Ix2> for Ix2 {
    type Product = Ix2;
}

impl Contract<Ix1> for Ix2 {
    type Product = Ix1;
}

impl Contract<Ix2> for Ix1 {
    type Product = Ix1;
}

impl Contract<Ix1> for Ix1 {
    type Product = Ix0;
}

/// The blocks of a product: rows, contracted axis, columns. A vector has no rows or no columns.
#[derive(Clone, Debug)]
struct Extents {
    rows: Option<Arc<[usize]>>,
    inner: Arc<[usize]>,
    columns: Option<Arc<[usize]>>,
}

impl Extents {
    /// The block lengths of the result.
    fn output(&self) -> Chunking {
        Chunking::from_axes(self.rows.iter().chain(&self.columns).map(Arc::clone))
    }

    /// Rows and columns of the block of the result at these coordinates; further coordinates do not matter.
    fn block(&self, coords: &[usize]) -> (usize, usize) {
        let mut coords = coords.iter();
        let mut length = |lengths: &Option<Arc<[usize]>>| {
            lengths.as_ref().map_or(1, |axis| axis[*coords.next().unwrap_or(&0)])
        };
        (length(&self.rows), length(&self.columns))
    }

    /// A block of the result in the shape that it has for the user.
    fn finish<A: Clone>(&self, matrix: Array2<A>) -> Result<Block<A>, TaskError> {
        let shape: Vec<usize> = self.kept(matrix.nrows(), matrix.ncols());
        let (elements, _) = matrix.into_raw_vec_and_offset();
        Ok(Block::new(ndarray::ArrayD::from_shape_vec(IxDyn(&shape), elements)?))
    }

    /// The lengths of those of both axes that the result has.
    fn kept(&self, rows: usize, columns: usize) -> Vec<usize> {
        let rows = self.rows.as_ref().map(|_| rows);
        rows.into_iter().chain(self.columns.as_ref().map(|_| columns)).collect()
    }
}

/// A block as a matrix: a vector on the left is a row.
fn left_matrix<'a, A>(block: ArrayViewD<'a, A>) -> Result<ArrayView2<'a, A>, TaskError> {
    Ok(if block.ndim() == 1 { block.insert_axis(Axis(0)) } else { block }.into_dimensionality()?)
}

/// A block as a matrix: a vector on the right is a column.
fn right_matrix<'a, A>(block: ArrayViewD<'a, A>) -> Result<ArrayView2<'a, A>, TaskError> {
    Ok(if block.ndim() == 1 { block.insert_axis(Axis(1)) } else { block }.into_dimensionality()?)
}

/// Multiplies some pairs of blocks and adds their products, lower block numbers first.
struct Multiply<A, B> {
    backend: B,
    extents: Extents,
    /// Number of pairs at most, for the planner.
    n_pairs: usize,
    marker: PhantomData<fn() -> A>,
}

impl<A, B> Task for Multiply<A, B>
where
    A: Element + LinalgElement,
    B: LinalgBackend<A>,
{
    fn label(&self) -> Cow<'_, str> {
        "matmul".into()
    }

    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let (rows, columns) = self.extents.block(&at.coords());
        let mut sum = Array2::from_shape_vec((rows, columns), zeros::<A>(rows * columns)?)?;
        let (left, right) = (inputs.slot::<Block<A>>(0)?, inputs.slot::<Block<A>>(1)?);
        for (left, right) in left.into_iter().zip(right) {
            check_cancelled()?;
            // Backends want operands in C order; a copy made here may be refused.
            let (left, right) = (in_order(left.view())?, in_order(right.view())?);
            let (left, right) = (left_matrix(left.view())?, right_matrix(right.view())?);
            self.backend.matmul(left, right, sum.view_mut())?;
        }
        Ok(Output::one(self.extents.finish(sum)?))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("array.matmul/1");
        tokenizer.name(self.backend.name());
        tokenizer.name(<A as crate::element::Plain>::NAME);
    }

    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        Some(Block::<A>::CODEC)
    }

    fn facts(&self, at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        let (rows, columns) = self.extents.block(&at.coords());
        let inner = self.extents.inner.iter().copied().max().unwrap_or(0);
        let flops = (2 * rows * inner * columns * self.n_pairs) as u64;
        // An operand that is not in C order is copied.
        let copies = ((rows * inner + inner * columns) * size_of::<A>()) as u64;
        Facts::bytes((rows * columns * size_of::<A>()) as u64)
            .scratch(copies)
            .cost(1000 + flops / FLOPS_PER_NS)
    }
}

/// Adds partial products, lower block numbers first.
struct AddPartials<A> {
    extents: Extents,
    marker: PhantomData<fn() -> A>,
}

impl<A: Element + LinalgElement> Task for AddPartials<A> {
    fn label(&self) -> Cow<'_, str> {
        "matmul_sum".into()
    }

    fn run(&self, _at: Place<'_>, mut inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let n_partials = inputs.len();
        let mut sum = inputs.take_owned::<Block<A>>(0)?.into_array();
        for partial in 1..n_partials {
            let partial: &Block<A> = inputs.get(partial)?;
            sum.zip_mut_with(&partial.view(), |sum, &partial| *sum = *sum + partial);
        }
        Ok(Output::one(Block::new(sum)))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("array.matmul_sum/1");
        tokenizer.name(<A as crate::element::Plain>::NAME);
    }

    fn codec(&self, _: usize, _: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        Some(Block::<A>::CODEC)
    }

    fn facts(&self, at: Place<'_>, inputs: &[Option<u64>]) -> Facts {
        let (rows, columns) = self.extents.block(&at.coords());
        let n = (rows * columns) as u64;
        let mut facts = Facts::bytes(n * size_of::<A>() as u64).cost(500 + n * inputs.len() as u64 / 2);
        facts.reuses_input = true;
        facts
    }
}

impl<A: Element + LinalgElement, D: Dimension> Array<A, D> {
    /// The matrix product `selfᵢₖ rightₖⱼ` summed over `k`, by faer; a vector on the left counts as a row, on the right as a column.
    ///
    /// **Shape** `(n, k), (k, m) → (n, m)`; with vectors `(n, k), (k,) → (n,)`, `(k,), (k, m) → (m,)`, `(k,), (k,) → ()`.
    /// Blocks are the rows' of the left and the columns' of the right operand. Where the blocks of the contracted
    /// axes differ, both operands are rechunked to the ends of both.
    /// **Cost** `2 n k m` operations; a task holds at most four pairs of blocks and a block of the result.
    ///
    /// # Panics
    /// When the contracted axes have different lengths.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let a = Array::from_array(arr2(&[[1.0, 2.0], [3.0, 4.0]]), 1);
    /// assert_eq!(a.matmul(&a).compute()?, arr2(&[[7.0, 10.0], [15.0, 22.0]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    #[doc(alias = "@")]
    #[doc(alias = "dask.array.matmul")]
    pub fn matmul<E>(&self, right: &Array<A, E>) -> Array<A, D::Product>
    where
        D: Contract<E>,
        E: Dimension,
        Faer: LinalgBackend<A>,
    {
        expect(self.try_matmul(right))
    }

    /// As [`matmul`](Self::matmul), under ndarray's name.
    ///
    /// # Panics
    /// When the contracted axes have different lengths.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr1};
    /// use musher_scheduler::Compute;
    /// let v = Array::from_array(arr1(&[1.0, 2.0, 3.0]), 2);
    /// assert_eq!(v.dot(&v).compute()?, 14.0);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    #[doc(alias = "dask.array.dot")]
    pub fn dot<E>(&self, right: &Array<A, E>) -> Array<A, D::Product>
    where
        D: Contract<E>,
        E: Dimension,
        Faer: LinalgBackend<A>,
    {
        expect(self.try_matmul(right))
    }

    /// As [`matmul`](Self::matmul).
    ///
    /// # Errors
    /// [`Error::Shapes`] when the contracted axes have different lengths.
    #[track_caller]
    pub fn try_matmul<E>(&self, right: &Array<A, E>) -> Result<Array<A, D::Product>, Error>
    where
        D: Contract<E>,
        E: Dimension,
        Faer: LinalgBackend<A>,
    {
        self.matmul_by(right, Faer)
    }

    /// As [`matmul`](Self::matmul), by a backend of your choice.
    ///
    /// The default does not change with the cargo feature `lapack`, so that no dependency can change your bits.
    ///
    /// # Errors
    /// [`Error::Shapes`] when the contracted axes have different lengths.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, linalg::Faer, ndarray::Ix2};
    /// use musher_scheduler::Compute;
    /// let ones = Array::<f32, Ix2>::ones((3, 5), 2);
    /// assert_eq!(ones.matmul_by(&ones.t(), Faer)?.compute()?[[2, 2]], 5.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn matmul_by<E, B>(&self, right: &Array<A, E>, backend: B) -> Result<Array<A, D::Product>, Error>
    where
        D: Contract<E>,
        E: Dimension,
        B: LinalgBackend<A>,
    {
        product::<A, B>(self.core(), right.core(), backend, Site::caller()).map(Array::from_core)
    }
}

/// The core of a product.
fn product<A: Element + LinalgElement, B: LinalgBackend<A>>(
    left: &Core,
    right: &Core,
    backend: B,
    caller: Site,
) -> Result<Core, Error> {
    let (left_shape, right_shape) = (left.chunking.shape(), right.chunking.shape());
    let (left_inner, right_inner) = (left_shape.len() - 1, 0);
    if left_shape[left_inner] != right_shape[right_inner] {
        let (left, right) = (Shape(left_shape), Shape(right_shape));
        return Err(Error::Shapes { operation: "matmul", left, right, caller });
    }
    let inner: Arc<[usize]> =
        common_lengths(left.chunking.axis(left_inner), right.chunking.axis(right_inner)).into();
    let with_inner = |core: &Core, at: usize| {
        rechunked::<A>(core, &core.chunking.with_axis(at, Arc::clone(&inner)), caller)
    };
    let (left, right) = (with_inner(left, left_inner), with_inner(right, right_inner));
    let extents = Extents {
        rows: (left_inner == 1).then(|| left.chunking.shared_axis(0)),
        inner: Arc::clone(&inner),
        columns: (right.chunking.ndim() == 2).then(|| right.chunking.shared_axis(1)),
    };
    Ok(contract::<A, B>(&left, &right, backend, extents, caller))
}

/// The layers of a product whose operands have the same blocks along the contracted axis.
fn contract<A: Element + LinalgElement, B: LinalgBackend<A>>(
    left: &Core,
    right: &Core,
    backend: B,
    extents: Extents,
    caller: Site,
) -> Core {
    let output = extents.output();
    let kept = output.ndim();
    let n_inner = extents.inner.len();
    let n_groups = n_inner.div_ceil(FAN_IN);
    // The groups are a last axis of the grid; a single one needs none.
    let inner = match n_groups {
        1 => AxisMap::Whole,
        _ => AxisMap::Group { axis: kept, fan_in: FAN_IN },
    };
    let left_maps = extents.rows.iter().map(|_| AxisMap::follow(0)).chain([inner.clone()]);
    let right_maps = [inner].into_iter().chain(extents.columns.iter().map(|_| AxisMap::follow(kept - 1)));
    let (left_wiring, right_wiring) = (Wiring::axes(left_maps), Wiring::axes(right_maps));
    let grid = |n_groups: usize| {
        let groups = (n_groups > 1).then_some(n_groups);
        Grid::from(output.grid_shape().into_iter().chain(groups).collect::<Vec<_>>().as_slice())
    };
    let n_pairs = n_inner.min(FAN_IN);
    let task = Multiply { backend, extents: extents.clone(), n_pairs, marker: PhantomData::<fn() -> A> };
    let layer =
        Layer::build(task).caller(caller).input(&left.port, left_wiring).input(&right.port, right_wiring);
    let mut port = Port::of(layer.finish(grid(n_groups)));
    if n_groups > 1 {
        let reduced: Vec<bool> = (0..=kept).map(|axis| axis == kept).collect();
        port = tree_of(&port, &reduced, Grouping::Lines, output.grid(), caller, |_| {
            Arc::new(AddPartials { extents: extents.clone(), marker: PhantomData::<fn() -> A> })
        });
    }
    Core { port, chunking: output }
}
