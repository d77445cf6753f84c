//! Products of arrays beside the matrix product: scalar, outer, Kronecker and tensor products, batches and chains of matrices.

use super::Faer;
use super::backend::{LinalgBackend, LinalgElement};
use super::contraction::Label;
use super::einsum::{Expression, of_labels};
use crate::array::{Array, Core};
use crate::block::Block;
use crate::chunks::{Chunking, n_elements};
use crate::element::{Float, Number, Plain};
use crate::error::{Error, Shape, expect};
use crate::kernel::memory::zeros;
use crate::kernel::ops::UnaryOp;
use crate::rechunk::rechunked;
use musher_graph_core::{AxisMap, Facts, FnTask, Inputs, Layer, Place, Port, Site, Wiring};
use ndarray::{ArrayD, Axis, Dimension, Ix0, Ix1, Ix2, IxDyn, Slice};
use std::sync::Arc;

impl<A: Number, D: Dimension> Array<A, D> {
    /// The scalar product of all elements: `Σ conj(selfᵢ) otherᵢ`. Integers widen as in [`sum`](Self::sum).
    ///
    /// **Shape** `() `, of two arrays of equal shape.
    /// **Cost** one pass over both.
    ///
    /// # Panics
    /// When the shapes differ.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[1.0_f64, 2.0], [3.0, 4.0]]), 1);
    /// assert_eq!(x.vdot(&x).compute()?, 30.0);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "dask.array.vdot")]
    #[doc(alias = "vecdot")]
    pub fn vdot(&self, other: &Self) -> Array<A::Sum, Ix0> {
        expect(self.try_vdot(other))
    }

    /// As [`vdot`](Self::vdot).
    ///
    /// # Errors
    /// [`Error::Shapes`] when the shapes differ.
    #[track_caller]
    pub fn try_vdot(&self, other: &Self) -> Result<Array<A::Sum, Ix0>, Error> {
        if self.shape() != other.shape() {
            let (left, right) = (Shape(self.shape()), Shape(other.shape()));
            return Err(Error::Shapes { operation: "vdot", left, right, caller: Site::caller() });
        }
        self.try_unary(UnaryOp::conj)?
            .into_dyn()
            .try_mul(&other.clone().into_dyn())?
            .try_over(crate::All)?
            .try_sum()
    }

    /// The Kronecker product: each element of `self` becomes a copy of `other`, times the element.
    ///
    /// **Shape** `(n, m), (p, q) → (n p, m q)`. Blocks are those of `self` times `other` where `other` is one block along an axis
    /// and they do not become larger than those of both; else the blocks of `other` once for each index of `self`.
    /// **Cost** a product for each element.
    ///
    /// # Panics
    /// When the numbers of axes differ (of `IxDyn`), or elements or blocks cannot be counted.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[1, 2]]), 1);
    /// let y = Array::from_array(arr2(&[[1, 0], [0, 1]]), 2);
    /// assert_eq!(x.kron(&y).compute()?, arr2(&[[1, 0, 2, 0], [0, 1, 0, 2]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.kron`.
    #[must_use]
    #[track_caller]
    pub fn kron(&self, other: &Self) -> Self
    where
        A: std::ops::Mul<Output = A>,
    {
        expect(self.try_kron(other))
    }

    /// As [`kron`](Self::kron).
    ///
    /// # Errors
    /// [`Error::Shapes`] when the numbers of axes differ, [`Error::TooLarge`] when elements or blocks cannot be counted.
    #[track_caller]
    pub fn try_kron(&self, other: &Self) -> Result<Self, Error>
    where
        A: std::ops::Mul<Output = A>,
    {
        kron::<A>(self.core(), other.core(), Site::caller()).map(Self::from_core)
    }
}

/// Blocks of a Kronecker product are never cut below this number of elements.
const SMALL: usize = 1 << 17;
/// More blocks than this are a mistake.
const MOST_BLOCKS: usize = 1 << 28;

/// The block lengths of the left operand along an axis, where each index becomes `inner` and a product may be so long.
fn left_lengths(lengths: &[usize], right: &[usize], longest: usize) -> Arc<[usize]> {
    let n: usize = lengths.iter().sum();
    if n == 0 {
        return [0].into();
    }
    if right.len() > 1 {
        return vec![1; n].into();
    }
    let most = (longest / right[0].max(1)).max(1);
    lengths
        .iter()
        .flat_map(|&length| (0..length.max(1)).step_by(most).map(move |at| most.min(length - at)))
        .collect()
}

/// Products of blocks with blocks.
fn kron<A>(left: &Core, right: &Core, caller: Site) -> Result<Core, Error>
where
    A: Number + std::ops::Mul<Output = A>,
{
    let (one, other) = (left.chunking.shape(), right.chunking.shape());
    let (operation, ndim) = ("kron", one.len());
    if other.len() != ndim {
        return Err(Error::Shapes { operation, left: Shape(one), right: Shape(other), caller });
    }
    let shape: Option<Vec<usize>> = one.iter().zip(&other).map(|(&a, &b)| a.checked_mul(b)).collect();
    let too_large = |what| Error::TooLarge { shape: Shape(other.clone()), what, caller };
    let shape = shape.filter(|shape| n_elements(shape).is_some()).ok_or_else(|| too_large("elements"))?;
    let largest = |core: &Core| core.chunking.largest_block().iter().product::<usize>();
    let most = largest(left).max(largest(right)).max(SMALL);
    // The same share of growth along each axis.
    let share = |axis: usize| {
        let growth = (most as f64 / largest(left).max(1) as f64).powf(1.0 / ndim as f64);
        ((left.chunking.largest_block()[axis] as f64 * growth) as usize).max(1)
    };
    // Where the right operand has several blocks, each index of the left one is a block: too many to be listed.
    let is_cut = |axis: usize| right.chunking.axis(axis).len() > 1 && one[axis] > MOST_BLOCKS;
    if (0..ndim).any(is_cut) {
        return Err(Error::TooLarge { shape: Shape(shape), what: "blocks", caller });
    }
    let cut =
        (0..ndim).map(|axis| left_lengths(left.chunking.axis(axis), right.chunking.axis(axis), share(axis)));
    let left = rechunked::<A>(left, &Chunking::from_axes(cut), caller);
    let (a, b) = (left.chunking.clone(), right.chunking.clone());
    let blocks = |axis: usize| (a.axis(axis).len(), b.axis(axis).len());
    if (0..ndim)
        .try_fold(1_usize, |n, axis| n.checked_mul(blocks(axis).0)?.checked_mul(blocks(axis).1))
        .is_none_or(|n| n > MOST_BLOCKS)
    {
        return Err(Error::TooLarge { shape: Shape(shape), what: "blocks", caller });
    }
    let along = |axis: usize| -> Arc<[usize]> {
        let (a, b) = (a.axis(axis), b.axis(axis));
        a.iter().flat_map(|own| b.iter().map(move |other| own * other)).collect()
    };
    let output = Chunking::from_axes((0..ndim).map(along));
    let lookup = |axis: usize, of_left: bool| {
        let (n_left, n_right) = blocks(axis);
        let table = (0..n_left * n_right).map(|at| if of_left { at / n_right } else { at % n_right } as u32);
        AxisMap::Lookup { axis, table: table.collect() }
    };
    let wiring = |of_left: bool| Wiring::axes((0..ndim).map(|axis| lookup(axis, of_left)));
    let task = FnTask::new(operation, |_: Place<'_>, inputs: &mut Inputs<'_>| {
        let (left, right) = (inputs.get::<Block<A>>(0)?, inputs.get::<Block<A>>(1)?);
        let shape: Vec<usize> = left.shape().iter().zip(right.shape()).map(|(a, b)| a * b).collect();
        let mut out = ArrayD::from_shape_vec(IxDyn(&shape), zeros::<A>(shape.iter().product())?)?;
        for (at, &value) in left.view().indexed_iter() {
            let mut tile = out.view_mut();
            tile.slice_each_axis_inplace(|axis| {
                let length = right.shape()[axis.axis.0];
                Slice::from(at[axis.axis.0] * length..(at[axis.axis.0] + 1) * length)
            });
            tile.zip_mut_with(&right.view(), |out, &other| *out = value * other);
        }
        Ok(Block::new(out))
    });
    let of_facts = output.clone();
    let task = task.params("array.kron/1", &(<A as Plain>::NAME, &output)).facts(move |at, _| {
        let n: usize = of_facts.block_shape(&at.coords()).iter().product();
        Facts::bytes((n * size_of::<A>()) as u64).cost(1000 + n as u64)
    });
    let layer = Layer::build(task).caller(caller);
    let layer = layer.input(&left.port, wiring(true)).input(&right.port, wiring(false));
    Ok(Core { port: Port::of(layer.finish(output.grid())), chunking: output })
}

impl<A: Number> Array<A, Ix1> {
    /// The products of all pairs of elements: `selfᵢ otherⱼ`.
    ///
    /// **Shape** `(n,), (m,) → (n, m)`; blocks are those of both.
    /// **Cost** a product for each element; fuses with elementwise work.
    ///
    /// # Panics
    /// When the elements cannot be counted.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let (x, y) = (Array::arange(1, 3, 1, 1), Array::arange(3, 6, 1, 2));
    /// assert_eq!(x.outer(&y).compute()?, arr2(&[[3, 4, 5], [6, 8, 10]]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[doc(alias = "dask.array.outer")]
    pub fn outer(&self, other: &Self) -> Array<A, Ix2> {
        expect(self.try_outer(other))
    }

    /// As [`outer`](Self::outer).
    ///
    /// # Errors
    /// [`Error::TooLarge`] when the elements cannot be counted.
    #[track_caller]
    pub fn try_outer(&self, other: &Self) -> Result<Array<A, Ix2>, Error> {
        let shape = vec![self.len(), other.len()];
        if n_elements(&shape).is_none() {
            return Err(Error::TooLarge { shape: Shape(shape), what: "elements", caller: Site::caller() });
        }
        self.try_insert_axis(Axis(1))?.try_mul(&other.try_insert_axis(Axis(0))?)
    }
}

/// Which axes of two arrays a [tensor product](Array::tensordot) multiplies and sums.
///
/// # Examples
/// ```
/// use musher_array::linalg::Contracted;
/// assert_eq!(Contracted::from(2), Contracted::Last(2));
/// assert_eq!(Contracted::from(([0], [1])), Contracted::Pairs(vec![0], vec![1]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contracted {
    /// So many: the last ones of the left array with the first ones of the right.
    Last(usize),
    /// These of the left array with these of the right, one by one.
    Pairs(Vec<usize>, Vec<usize>),
}

impl From<usize> for Contracted {
    fn from(n: usize) -> Self {
        Self::Last(n)
    }
}

impl<const N: usize, const M: usize> From<([usize; N], [usize; M])> for Contracted {
    fn from((left, right): ([usize; N], [usize; M])) -> Self {
        Self::Pairs(left.to_vec(), right.to_vec())
    }
}

impl From<(&[usize], &[usize])> for Contracted {
    fn from((left, right): (&[usize], &[usize])) -> Self {
        Self::Pairs(left.to_vec(), right.to_vec())
    }
}

/// The labels of two operands: each axis of the left its own, those of the right after them, but for pairs of axes.
fn paired(left: usize, right: usize, pairs: &[(usize, usize)]) -> Expression {
    let label = |axis: usize| axis as Label;
    let own: Vec<Label> = (0..left).map(label).collect();
    let of_right = |axis: usize| {
        let pair = pairs.iter().find(|&&(_, other)| other == axis);
        pair.map_or(label(left + axis), |&(one, _)| label(one))
    };
    let other: Vec<Label> = (0..right).map(of_right).collect();
    let kept = |label: &&Label| !own.contains(label) || !other.contains(label);
    let output = own.iter().filter(kept).chain(other.iter().filter(kept)).copied().collect();
    Expression { inputs: vec![own, other], output }
}

impl<A: Float + LinalgElement, D: Dimension> Array<A, D>
where
    Faer: LinalgBackend<A>,
{
    /// The sums of products over some axes of both: a number of axes, or two lists of them.
    ///
    /// **Shape** the axes of the left array that are not summed, then those of the right.
    /// **Cost** as [`einsum`](super::einsum).
    ///
    /// # Panics
    /// When there are no such axes, one is named twice, or their lengths differ.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::Ix3};
    /// use musher_scheduler::Compute;
    /// let x = Array::<f64, Ix3>::ones((2, 3, 4), 2);
    /// assert_eq!(x.tensordot(&Array::<f64, Ix3>::ones((3, 4, 5), 2), 2).shape(), [2, 5]);
    /// let product = x.tensordot(&x, ([1, 2], [1, 2])).compute()?;
    /// assert_eq!(product[[1, 1]], 12.0);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.tensordot`.
    #[must_use]
    #[track_caller]
    #[doc(alias = "dask.array.tensordot")]
    pub fn tensordot<E: Dimension>(
        &self,
        right: &Array<A, E>,
        axes: impl Into<Contracted>,
    ) -> Array<A, IxDyn> {
        expect(self.try_tensordot(right, axes))
    }

    /// As [`tensordot`](Self::tensordot).
    ///
    /// # Errors
    /// [`Error::Axis`] when there is no such axis, [`Error::Arrangement`] when one is named twice or the lists differ in length,
    /// [`Error::Shapes`] when lengths differ.
    #[track_caller]
    pub fn try_tensordot<E: Dimension>(
        &self,
        right: &Array<A, E>,
        axes: impl Into<Contracted>,
    ) -> Result<Array<A, IxDyn>, Error> {
        let (operation, caller) = ("tensordot", Site::caller());
        let (left, other) = match axes.into() {
            Contracted::Last(n) => {
                let first = self.ndim().checked_sub(n);
                let first = first.ok_or(Error::Axis { operation, axis: n, ndim: self.ndim(), caller })?;
                ((first..self.ndim()).collect(), (0..n).collect())
            }
            Contracted::Pairs(left, right) => (left, right),
        };
        self.paired_with(operation, right, &left, &other, caller)
    }

    /// The sums of products over the last axes of both: of vectors the scalar product.
    ///
    /// **Shape** the axes of the left array but the last, then those of the right but the last.
    /// **Cost** as [`einsum`](super::einsum).
    ///
    /// # Panics
    /// When one has no axes, or the lengths of the last axes differ.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[1.0, 2.0], [3.0, 4.0]]), 1);
    /// assert_eq!(x.inner(&x).compute()?, arr2(&[[5.0, 11.0], [11.0, 25.0]]).into_dyn());
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.inner`.
    #[must_use]
    #[track_caller]
    pub fn inner<E: Dimension>(&self, right: &Array<A, E>) -> Array<A, IxDyn> {
        expect(self.try_inner(right))
    }

    /// As [`inner`](Self::inner).
    ///
    /// # Errors
    /// [`Error::Axis`] when one has no axes, [`Error::Shapes`] when lengths differ.
    #[track_caller]
    pub fn try_inner<E: Dimension>(&self, right: &Array<A, E>) -> Result<Array<A, IxDyn>, Error> {
        let (operation, caller) = ("inner", Site::caller());
        let last = |ndim: usize| ndim.checked_sub(1).ok_or(Error::Axis { operation, axis: 0, ndim, caller });
        self.paired_with(operation, right, &[last(self.ndim())?], &[last(right.ndim())?], caller)
    }

    /// The sums of products over pairs of axes.
    fn paired_with<E: Dimension>(
        &self,
        operation: &'static str,
        right: &Array<A, E>,
        axes: &[usize],
        others: &[usize],
        caller: Site,
    ) -> Result<Array<A, IxDyn>, Error> {
        let problem = match axes.len() == others.len() {
            false => Some("there are not as many axes of the left array as of the right"),
            true => [axes, others]
                .iter()
                .any(|axes| axes.iter().enumerate().any(|(at, axis)| axes[..at].contains(axis)))
                .then_some("an axis is named twice"),
        };
        if let Some(problem) = problem {
            return Err(Error::Arrangement { operation, problem, caller });
        }
        for (&axis, ndim) in
            axes.iter().map(|axis| (axis, self.ndim())).chain(others.iter().map(|axis| (axis, right.ndim())))
        {
            if axis >= ndim {
                return Err(Error::Axis { operation, axis, ndim, caller });
            }
        }
        let pairs: Vec<(usize, usize)> = axes.iter().copied().zip(others.iter().copied()).collect();
        let (left, other) = (self.shape(), right.shape());
        if pairs.iter().any(|&(one, two)| left[one] != other[two]) {
            return Err(Error::Shapes { operation, left: Shape(left), right: Shape(other), caller });
        }
        let expression = paired(self.ndim(), right.ndim(), &pairs);
        of_labels(operation, &[self.clone().into_dyn(), right.clone().into_dyn()], &expression, caller)
    }

    /// The matrix products of the matrices along the last two axes; the axes before them are matched from the last one, and
    /// those of length 1 are repeated.
    ///
    /// **Shape** `(…, n, k), (…, k, m) → (…, n, m)`.
    /// **Cost** as [`einsum`](super::einsum).
    ///
    /// # Panics
    /// When there are fewer than two axes, or shapes do not fit.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::Ix3};
    /// use musher_scheduler::Compute;
    /// let (x, y) = (Array::<f64, Ix3>::ones((5, 2, 3), 2), Array::<f64, Ix3>::ones((1, 3, 4), 2));
    /// let product = x.batched_matmul(&y);
    /// assert_eq!(product.shape(), [5, 2, 4]);
    /// assert_eq!(product.compute()?[[4, 1, 3]], 3.0);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.matmul`.
    #[must_use]
    #[track_caller]
    #[doc(alias = "matmul")]
    pub fn batched_matmul(&self, right: &Self) -> Self {
        expect(self.try_batched_matmul(right))
    }

    /// As [`batched_matmul`](Self::batched_matmul).
    ///
    /// # Errors
    /// [`Error::Axis`] when there are fewer than two axes, [`Error::Shapes`] when shapes do not fit.
    #[track_caller]
    pub fn try_batched_matmul(&self, right: &Self) -> Result<Self, Error> {
        let (operation, caller) = ("batched_matmul", Site::caller());
        for ndim in [self.ndim(), right.ndim()] {
            if ndim < 2 {
                return Err(Error::Axis { operation, axis: 1, ndim, caller });
            }
        }
        let (left, other) = (self.shape(), right.shape());
        // A length of 1 is repeated in a batch, and in no matrix.
        if left[left.len() - 1] != other[other.len() - 2] {
            return Err(Error::Shapes { operation, left: Shape(left), right: Shape(other), caller });
        }
        let most = left.len().max(other.len()) as Label;
        let [row, inner, column] = [most, most + 1, most + 2];
        // Axes of the batch are numbered from the last one.
        let numbered = |ndim: usize, last: [Label; 2]| -> Vec<Label> {
            (0..ndim - 2).map(|axis| (most as usize - ndim + axis) as Label).chain(last).collect()
        };
        let inputs = vec![numbered(left.len(), [row, inner]), numbered(other.len(), [inner, column])];
        let output = numbered(most as usize, [row, column]);
        let expression = Expression { inputs, output };
        let arrays = [self.clone().into_dyn(), right.clone().into_dyn()];
        Ok(Array::from_core(of_labels(operation, &arrays, &expression, caller)?.core().clone()))
    }
}

/// The product of a chain of matrices, multiplied in the order that takes the fewest operations.
///
/// **Shape** `(n, …), …, (…, m) → (n, m)`.
/// **Cost** that of the [products](Array::matmul) in the best order; finding it takes the cube of the number of matrices.
///
/// # Errors
/// [`Error::Arrangement`] for no matrices, [`Error::Shapes`] when neighbors do not fit.
///
/// # Examples
/// ```
/// use musher_array::{Array, linalg::multi_dot, ndarray::Ix2};
/// use musher_scheduler::Compute;
/// let (wide, tall) = (Array::<f64, Ix2>::ones((2, 90), 40), Array::<f64, Ix2>::ones((90, 2), 40));
/// assert_eq!(multi_dot(&[&wide, &tall, &wide])?.compute()?[[1, 89]], 180.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: `numpy.linalg.multi_dot`; the order by dynamic programming, Cormen, Leiserson, Rivest & Stein, section 15.2.
#[track_caller]
pub fn multi_dot<A: Float + LinalgElement>(matrices: &[&Array<A, Ix2>]) -> Result<Array<A, Ix2>, Error>
where
    Faer: LinalgBackend<A>,
{
    let (operation, caller, n) = ("multi_dot", Site::caller(), matrices.len());
    if n == 0 {
        return Err(Error::Arrangement { operation, problem: "no arrays", caller });
    }
    for pair in matrices.windows(2) {
        let (left, right) = (pair[0].shape(), pair[1].shape());
        if left[1] != right[0] {
            return Err(Error::Shapes { operation, left: Shape(left), right: Shape(right), caller });
        }
    }
    let mut lengths: Vec<f64> = matrices.iter().map(|matrix| matrix.shape()[0] as f64).collect();
    lengths.extend(matrices.last().map(|matrix| matrix.shape()[1] as f64));
    // The fewest multiplications of each part of the chain, and before which matrix it is divided last.
    let mut least = vec![vec![0.0; n]; n];
    let mut divided = vec![vec![0; n]; n];
    for span in 1..n {
        for first in 0..n - span {
            let last = first + span;
            let cost = |middle: usize| {
                let own = lengths[first] * lengths[middle] * lengths[last + 1];
                least[first][middle - 1] + least[middle][last] + own
            };
            let best = (first + 1..=last).min_by(|&a, &b| cost(a).total_cmp(&cost(b))).unwrap_or(last);
            least[first][last] = cost(best);
            divided[first][last] = best;
        }
    }
    chain(matrices, &divided, (0, n - 1), caller)
}

/// The product of a part of a chain, divided as the table says.
fn chain<A: Float + LinalgElement>(
    matrices: &[&Array<A, Ix2>],
    divided: &[Vec<usize>],
    (first, last): (usize, usize),
    caller: Site,
) -> Result<Array<A, Ix2>, Error>
where
    Faer: LinalgBackend<A>,
{
    if first == last {
        return Ok(matrices[first].clone());
    }
    let middle = divided[first][last];
    let left = chain(matrices, divided, (first, middle - 1), caller)?.into_dyn();
    let right = chain(matrices, divided, (middle, last), caller)?.into_dyn();
    let product = of_labels("multi_dot", &[left, right], &paired(2, 2, &[(1, 0)]), caller)?;
    Ok(Array::from_core(product.core().clone()))
}
