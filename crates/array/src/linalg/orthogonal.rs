//! Factorizations with orthonormal columns: QR, singular values, and what they tell: rank, condition, pseudoinverse, least squares.

use super::Faer;
use super::backend::{LinalgBackend, LinalgElement, LinalgError, Svd};
use super::contraction::{Label, Labelled, contract};
use super::steps::{Made, RightSide, Step, chunk, columns_of, like_right, matrix, single, transposed};
use super::tall::{Tall, factorized, in_rows, triangle};
use crate::array::{Array, Core};
use crate::block::Block;
use crate::chunks::Chunking;
use crate::element::{Element, Float, float};
use crate::elementwise::{Operand, select};
use crate::error::{Error, expect};
use crate::join::joined;
use crate::random;
use crate::rechunk::rechunked;
use crate::reorder::part;
use musher_graph_core::{Grid, Site, TaskError, Wiring};
use ndarray::{Array1, Array2, ArrayView2, Axis, Dimension, Ix0, Ix1, Ix2, arr0, s};

/// The product of two matrices; `text` is read as by [`einsum`](super::einsum).
fn product<A>(left: (&Core, [char; 2]), right: (&Core, [char; 2]), output: [char; 2], caller: Site) -> Core
where
    A: Float + LinalgElement,
    Faer: LinalgBackend<A>,
{
    let labelled = |(core, labels): (&Core, [char; 2])| Labelled {
        core: core.clone(),
        labels: labels.map(|letter| letter as Label).to_vec(),
    };
    let output = output.map(|letter| letter as Label);
    let stays = |label: Label| output.contains(&label);
    let product = contract::<A, Faer>(&labelled(left), &labelled(right), stays, Faer, caller);
    // The shapes fit, and matrices are not multiplied element by element.
    expect(product).in_order_of::<A>(&output, caller).core
}

/// Signs by which rows of `vt` get sums that are not negative.
fn positive_rows<A: LinalgElement>(vt: &Array2<A>) -> Array1<A> {
    vt.rows()
        .into_iter()
        .map(
            |row| {
                if row.iter().fold(A::zero(), |sum, &x| sum + x) < A::zero() { -A::one() } else { A::one() }
            },
        )
        .collect()
}

/// The decomposition whose rows of `vt` have sums that are not negative.
fn signed_svd<A: LinalgElement, B: LinalgBackend<A>>(
    backend: &B,
    block: ArrayView2<'_, A>,
) -> Result<Svd<A>, LinalgError> {
    let Svd { u, sigma, vt } = backend.svd(block)?;
    let signs = positive_rows(&vt);
    let zero = A::zero();
    let vt = (vt * signs.view().insert_axis(Axis(1))).mapv_into(|value| value + zero);
    Ok(Svd { u: u * signs, sigma, vt })
}

/// `u`, `sigma` and `vt` of a matrix that is at least as tall as wide, of which only the first is large.
struct Parts {
    u: Core,
    sigma: Core,
    vt: Core,
}

/// The decomposition of the triangle of a tall matrix: all in one task.
fn of_triangle<A, B>(r: &Core, backend: &B, caller: Site) -> Parts
where
    A: Float + LinalgElement,
    B: LinalgBackend<A>,
{
    let [k, m]: [usize; 2] = [0, 1].map(|axis| r.chunking.axis(axis).iter().sum());
    let size = k.min(m);
    let step = Step {
        label: "svd",
        name: "array.svd/1",
        grid: Grid::from([1, 1]),
        made: vec![Made::one::<A>(&[k, size]), Made::one::<A>(&[size]), Made::one::<A>(&[size, m])],
        // Two copies of the triangle, and room for what the iteration works on.
        scratch: 2,
        caller,
    };
    let own = backend.clone();
    let ports = step.of::<A>(&[(&r.port, Wiring::one_to_one(2))], &backend.name(), move |_, inputs| {
        let Svd { u, sigma, vt } = signed_svd(&own, matrix::<A>(inputs, 0)?)?;
        Ok(vec![chunk(u.into_dyn()), chunk(sigma.into_dyn()), chunk(vt.into_dyn())])
    });
    Parts {
        u: single(&ports[0], &[k, size], caller),
        sigma: single(&ports[1], &[size], caller),
        vt: single(&ports[2], &[size, m], caller),
    }
}

/// The matrix, or its transpose where that is taller.
fn upright<A: Float>(core: &Core, caller: Site) -> (Core, bool) {
    let shape = core.chunking.shape();
    let wide = shape[0] < shape[1];
    (in_rows::<A>(&if wide { transposed::<A>(core) } else { core.clone() }, caller), wide)
}

fn svd_of<A, B>(core: &Core, backend: &B, caller: Site) -> Parts
where
    A: Float + LinalgElement,
    B: LinalgBackend<A>,
{
    let (upright, wide) = upright::<A>(core, caller);
    let tall = factorized::<A, B>(&upright, backend.clone(), caller);
    let parts = of_triangle::<A, B>(&tall.r, backend, caller);
    let u = tall.q_times::<A>(&parts.u);
    match wide {
        false => Parts { u, ..parts },
        true => Parts { u: transposed::<A>(&parts.vt), sigma: parts.sigma, vt: transposed::<A>(&u) },
    }
}

/// The singular values of a matrix, in one block.
pub(super) fn sigma_of<A, B>(core: &Core, backend: &B, caller: Site) -> Core
where
    A: Float + LinalgElement,
    B: LinalgBackend<A>,
{
    let (upright, _) = upright::<A>(core, caller);
    of_triangle::<A, B>(&triangle::<A, B>(&upright, backend, caller), backend, caller).sigma
}

/// What counts as zero beside the largest singular value of a matrix of this shape: NumPy's `max(n, m) ε`.
fn negligible<A: LinalgElement>(shape: [usize; 2]) -> A {
    A::epsilon() * A::from(shape[0].max(shape[1])).unwrap_or(A::one())
}

/// How many singular values, from the largest on, are not zero beside it.
fn rank_of<A: LinalgElement>(sigma: &Array1<A>, negligible: A) -> usize {
    let least = sigma.first().map_or(A::zero(), |&largest| largest * negligible);
    sigma.iter().filter(|&&value| value > least).count()
}

impl<A: Float + LinalgElement> Array<A, Ix2>
where
    Faer: LinalgBackend<A>,
{
    /// Orthonormal columns `q` and an upper triangle `r` with `self = q r`; the diagonal of `r` is not negative.
    ///
    /// Blocks of rows are factorized one by one, and their triangles by a tree. A wide matrix is `q [r₁ r₂]`, of which `q r₁` is
    /// its first columns. With that sign both are unique where the columns are independent, so that another division into blocks
    /// changes rounding alone.
    ///
    /// **Shape** `(n, m) → (n, k), (k, m)` with `k = min(n, m)`. `q` has the blocks of the rows, `r` is one block; of a wide
    /// matrix `r` has the blocks of the columns from `n` on.
    /// **Cost** about `8 n m²` operations. A matrix that is divided along its columns is rechunked
    /// first, to blocks of whole rows, which are no larger than before or square. A task holds a block of rows or eight triangles
    /// `(m, m)`; what waits for the triangle of all is as large as the matrix, and can wait on the disk. NaN and infinities make
    /// NaN.
    ///
    /// # Panics
    /// Never.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::compute;
    /// let x = Array::from_array(arr2(&[[3.0, 1.0], [4.0, 2.0], [0.0, 5.0]]), (2, 2));
    /// let (q, r) = x.qr();
    /// let (product, r) = compute((&q.matmul(&r), &r))?;
    /// assert!((r[[0, 0]] - 5.0_f64).abs() < 1e-14 && r[[1, 0]] == 0.0);
    /// assert!((product[[2, 1]] - 5.0_f64).abs() < 1e-14);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.linalg.qr` up to signs; Demmel, Grigori, Hoemmen & Langou 2012.
    #[must_use]
    #[track_caller]
    #[doc(alias = "tsqr")]
    #[doc(alias = "sfqr")]
    #[doc(alias = "dask.array.linalg.qr")]
    pub fn qr(&self) -> (Self, Self) {
        let (caller, shape) = (Site::caller(), self.shape());
        if shape[0] >= shape[1] {
            let tall = factorized::<A, Faer>(&in_rows::<A>(self.core(), caller), Faer, caller);
            return (Self::from_core(tall.q::<A>()), Self::from_core(tall.r));
        }
        let columns = |range| part::<A>("qr", self.core(), 1, range, caller);
        let [square, rest] = [expect(columns((0, shape[0], 1))), expect(columns((shape[0], shape[1], 1)))];
        let tall = factorized::<A, Faer>(&in_rows::<A>(&square, caller), Faer, caller);
        let q = tall.q::<A>();
        let rest = product::<A>((&q, ['k', 'i']), (&rest, ['k', 'j']), ['i', 'j'], caller);
        let r = joined::<A>("qr", Axis(1), &[tall.r, rest], caller);
        (Self::from_core(q), Self::from_core(expect(r)))
    }

    /// Orthonormal columns `u`, singular values from largest to smallest, and orthonormal rows `vt` with
    /// `self = u diag(sigma) vt`.
    ///
    /// The signs that this leaves open are chosen so that no row of `vt` has a negative sum; of a wide matrix, so that no column
    /// of `u` has.
    ///
    /// **Shape** `(n, m) → (n, k), (k,), (k, m)` with `k = min(n, m)`; the longer of `u` and `vt` has the blocks of the longer
    /// axis, the others are one block.
    /// **Cost** that of [`qr`](Self::qr) of the matrix or its transpose, and a decomposition of a square `(k, k)` in one task.
    /// Computing fails where there is NaN or an infinity.
    ///
    /// # Panics
    /// Never.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[3.0, 0.0], [0.0, 4.0], [0.0, 0.0]]), (2, 2));
    /// let (u, sigma, vt) = x.svd();
    /// assert!((sigma.compute()?[0] - 4.0_f64).abs() < 1e-14);
    /// assert_eq!((u.shape(), vt.shape()), (vec![3, 2], vec![2, 2]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.linalg.svd(full_matrices=False)` up to signs.
    #[must_use]
    #[track_caller]
    #[doc(alias = "dask.array.linalg.svd")]
    pub fn svd(&self) -> (Self, Array<A, Ix1>, Self) {
        let Parts { u, sigma, vt } = svd_of::<A, Faer>(self.core(), &Faer, Site::caller());
        (Self::from_core(u), Array::from_core(sigma), Self::from_core(vt))
    }

    /// The singular values, from largest to smallest.
    ///
    /// **Shape** `(n, m) → (min(n, m),)`, one block.
    /// **Cost** that of the triangle of [`qr`](Self::qr), and a decomposition of a square in one task. Computing fails where there
    /// is NaN or an infinity.
    ///
    /// # Panics
    /// Never.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::Ix2};
    /// use musher_scheduler::Compute;
    /// let ones = Array::<f64, Ix2>::ones((9, 4), 3);
    /// assert!((ones.svdvals().compute()?[0] - 6.0).abs() < 1e-13);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.linalg.svdvals`.
    #[must_use]
    #[track_caller]
    pub fn svdvals(&self) -> Array<A, Ix1> {
        Array::from_core(sigma_of::<A, Faer>(self.core(), &Faer, Site::caller()))
    }

    /// A number of singular values out of one task on all of them.
    fn of_sigma<B: Element>(
        &self,
        label: &'static str,
        name: &'static str,
        caller: Site,
        f: impl Fn(&Array1<A>) -> B + Send + Sync + 'static,
    ) -> Array<B, Ix0> {
        let sigma = sigma_of::<A, Faer>(self.core(), &Faer, caller);
        let step =
            Step { label, name, grid: Grid::scalar(), made: vec![Made::one::<B>(&[])], scratch: 1, caller };
        let shape = self.shape();
        let ports = step.of::<A>(&[(&sigma.port, super::steps::fixed(&[0]))], &shape, move |_, inputs| {
            let sigma: Array1<A> = inputs.get::<Block<A>>(0)?.view().to_owned().into_dimensionality()?;
            Ok(vec![chunk(arr0(f(&sigma)).into_dyn())])
        });
        Array::from_core(single(&ports[0], &[], caller))
    }

    /// How many columns are independent: singular values that are larger than `max(n, m) ε` times the largest.
    ///
    /// **Cost** that of [`svdvals`](Self::svdvals).
    ///
    /// # Panics
    /// Never.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::Ix2};
    /// use musher_scheduler::Compute;
    /// assert_eq!(Array::<f64, Ix2>::ones((9, 4), 3).matrix_rank().compute()?, 1);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.linalg.matrix_rank`.
    #[must_use]
    #[track_caller]
    #[doc(alias = "rank")]
    pub fn matrix_rank(&self) -> Array<u64, Ix0> {
        let least = negligible::<A>([self.shape()[0], self.shape()[1]]);
        self.of_sigma("matrix_rank", "array.matrix_rank/1", Site::caller(), move |sigma| {
            rank_of(sigma, least) as u64
        })
    }

    /// The condition number: the largest singular value over the smallest. Infinite where that is zero, NaN where there is none.
    ///
    /// **Cost** that of [`svdvals`](Self::svdvals).
    ///
    /// # Panics
    /// Never.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::arr2};
    /// use musher_scheduler::Compute;
    /// let x = Array::from_array(arr2(&[[4.0, 0.0], [0.0, 0.5]]), 1);
    /// assert!((x.cond().compute()? - 8.0_f64).abs() < 1e-14);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.linalg.cond`.
    #[must_use]
    #[track_caller]
    pub fn cond(&self) -> Array<A, Ix0> {
        self.of_sigma("cond", "array.cond/1", Site::caller(), |sigma| match (sigma.first(), sigma.last()) {
            (Some(&largest), Some(&smallest)) if smallest == A::zero() && largest > A::zero() => {
                A::infinity()
            }
            (Some(&largest), Some(&smallest)) if smallest > A::zero() => largest / smallest,
            (Some(_), _) => A::infinity(),
            _ => A::nan(),
        })
    }

    /// The matrix that inverts what can be inverted: `v diag(1/sigma) uᵀ` over singular values larger than `max(n, m) ε` times the
    /// largest.
    ///
    /// **Shape** `(n, m) → (m, n)`.
    /// **Cost** that of [`svd`](Self::svd). Computing fails where there is NaN or an infinity.
    ///
    /// # Panics
    /// Never.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::Ix2};
    /// use musher_scheduler::Compute;
    /// let inverse = Array::<f64, Ix2>::ones((2, 4), 2).pinv();
    /// assert!((inverse.compute()?[[3, 1]] - 0.125).abs() < 1e-15);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.linalg.pinv`.
    #[must_use]
    #[track_caller]
    #[doc(alias = "pseudoinverse")]
    pub fn pinv(&self) -> Self {
        let (caller, shape) = (Site::caller(), self.shape());
        let (upright, wide) = upright::<A>(self.core(), caller);
        let tall = factorized::<A, Faer>(&upright, Faer, caller);
        let [k, m] = [tall.size(), upright.chunking.axis(1).iter().sum()];
        let least = negligible::<A>([shape[0], shape[1]]);
        let step = Step {
            label: "pinv",
            name: "array.pinv/1",
            grid: Grid::from([1, 1]),
            made: vec![Made::one::<A>(&[k, m])],
            scratch: 5,
            caller,
        };
        let ports = step.of::<A>(&[(&tall.r.port, Wiring::one_to_one(2))], &shape, move |_, inputs| {
            let Svd { u, sigma, vt } = Faer.svd(matrix::<A>(inputs, 0)?)?;
            let rank = rank_of(&sigma, least);
            let inverse = sigma.slice(s![..rank]).mapv(|value| A::one() / value);
            let product =
                multiplied(&(u.slice(s![.., ..rank]).to_owned() * inverse), vt.slice(s![..rank, ..]))?;
            Ok(vec![chunk(product.into_dyn())])
        });
        // (q r)⁺ is the transpose of q u diag(1/sigma) vt.
        let turned = tall.q_times::<A>(&single(&ports[0], &[k, m], caller));
        Self::from_core(if wide { turned } else { transposed::<A>(&turned) })
    }

    /// The solution of `self x = right` with the least sum of squared residuals, and of several the one with the least squares of
    /// its own.
    ///
    /// **Shape** `(n, m), (n, p) → (m, p)`, or `(n, m), (n,) → (m,)`; the parts are one block each, but of a wide matrix the
    /// solution has the blocks of the columns.
    /// **Cost** one pass over a tall matrix, `2 n m²` operations: the triangle of [`qr`](Self::qr) of the matrix with the right side
    /// beside it, and a decomposition of a square `(m, m)` in one task. Of a wide matrix that of [`pinv`](Self::pinv).
    /// Computing fails where there is NaN or an infinity.
    ///
    /// # Panics
    /// When the lengths differ.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, ndarray::{arr1, arr2}};
    /// use musher_scheduler::compute;
    /// let x = Array::from_array(arr2(&[[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]), (2, 2));
    /// let line = x.lstsq(&Array::from_array(arr1(&[1.0, 3.0, 5.0]), 2));
    /// let (found, rank) = compute((&line.solution, &line.rank))?;
    /// assert!((found[0] - 1.0_f64).abs() < 1e-14 && (found[1] - 2.0_f64).abs() < 1e-14 && rank == 2);
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: `numpy.linalg.lstsq`, whose residuals are missing where the rank is less than `m`; here they always stand.
    #[must_use]
    #[track_caller]
    #[doc(alias = "dask.array.linalg.lstsq")]
    pub fn lstsq<D: RightSide>(&self, right: &Array<A, D>) -> LeastSquares<A, D> {
        expect(self.try_lstsq(right))
    }

    /// As [`lstsq`](Self::lstsq).
    ///
    /// # Errors
    /// [`Error::Shapes`] when the lengths differ.
    #[track_caller]
    pub fn try_lstsq<D: RightSide>(&self, right: &Array<A, D>) -> Result<LeastSquares<A, D>, Error> {
        let (operation, caller, shape) = ("lstsq", Site::caller(), self.shape());
        let right = columns_of::<A, D>(operation, &shape, right, caller)?;
        let parts = match shape[0] >= shape[1] {
            true => least_squares_tall::<A>(self.core(), &right, caller)?,
            false => least_squares_wide::<A>(self.core(), &right, caller),
        };
        let [solution, residuals, rank, sigma] = parts;
        Ok(LeastSquares {
            solution: like_right(solution)?,
            residuals: Array::from_core(residuals),
            rank: Array::from_core(rank),
            sigma: Array::from_core(sigma),
        })
    }
}

/// The product of two small matrices, in a task.
fn multiplied<A>(left: &Array2<A>, right: ArrayView2<'_, A>) -> Result<Array2<A>, TaskError>
where
    A: Float + LinalgElement,
    Faer: LinalgBackend<A>,
{
    let shape = (left.nrows(), right.ncols());
    let mut product = Array2::from_shape_vec(shape, crate::kernel::memory::zeros::<A>(shape.0 * shape.1)?)?;
    Faer.matmul(left.view(), right, product.view_mut())?;
    Ok(product)
}

/// What [`Array::lstsq`] finds.
#[derive(Clone, Debug)]
pub struct LeastSquares<A: Element, D: Dimension> {
    /// The solution.
    pub solution: Array<A, D>,
    /// The sum of squared residuals of each right side.
    pub residuals: Array<A, Ix1>,
    /// How many columns of the matrix are independent.
    pub rank: Array<u64, Ix0>,
    /// The singular values of the matrix, from largest to smallest.
    pub sigma: Array<A, Ix1>,
}

/// What a small task makes of a triangle: the solution in terms of it, the squares of what is left, rank and singular values.
struct Solved<A> {
    solution: Array2<A>,
    residuals: Array1<A>,
    rank: u64,
    sigma: Array1<A>,
}

impl<A: Float + LinalgElement> Solved<A>
where
    Faer: LinalgBackend<A>,
{
    /// Of `u diag(sigma) vt x = right`.
    fn of(svd: &Svd<A>, right: ArrayView2<'_, A>, least: A) -> Result<Self, TaskError> {
        let Svd { u, sigma, vt } = svd;
        let rank = rank_of(sigma, least);
        let known = multiplied(&u.t().to_owned(), right)?;
        let squares =
            |column: ndarray::ArrayView1<'_, A>| column.iter().fold(A::zero(), |sum, &x| sum + x * x);
        let residuals = known.slice(s![rank.., ..]).columns().into_iter().map(squares).collect();
        let inverse = sigma.slice(s![..rank]).mapv(|value| A::one() / value).insert_axis(Axis(1));
        let scaled = known.slice(s![..rank, ..]).to_owned() * inverse;
        let solution = multiplied(&vt.slice(s![..rank, ..]).t().to_owned(), scaled.view())?;
        Ok(Self { solution, residuals, rank: rank as u64, sigma: sigma.clone() })
    }

    fn chunks(self) -> Vec<musher_graph_core::ChunkRef> {
        vec![
            chunk(self.solution.into_dyn()),
            chunk(self.residuals.into_dyn()),
            chunk(arr0(self.rank).into_dyn()),
            chunk(self.sigma.into_dyn()),
        ]
    }

    /// The step that makes these of a solution of `rows` rows for `p` right sides.
    fn step(name: &'static str, [rows, p, size]: [usize; 3], caller: Site) -> Step {
        let made = vec![
            Made::one::<A>(&[rows, p]),
            Made::one::<A>(&[p]),
            Made::one::<u64>(&[]),
            Made::one::<A>(&[size]),
        ];
        Step { label: "lstsq", name, grid: Grid::from([1, 1]), made, scratch: 10, caller }
    }

    /// The arrays of its outputs.
    fn cores(ports: &[musher_graph_core::Port], [rows, p, size]: [usize; 3], caller: Site) -> [Core; 4] {
        [
            single(&ports[0], &[rows, p], caller),
            single(&ports[1], &[p], caller),
            single(&ports[2], &[], caller),
            single(&ports[3], &[size], caller),
        ]
    }
}

/// The triangle of the matrix with the right side beside it tells all: there is no need for the orthonormal factor.
fn least_squares_tall<A>(core: &Core, right: &Core, caller: Site) -> Result<[Core; 4], Error>
where
    A: Float + LinalgElement,
    Faer: LinalgBackend<A>,
{
    let [n, m, p] = [core.chunking.shape()[0], core.chunking.shape()[1], right.chunking.shape()[1]];
    let both = joined::<A>("lstsq", Axis(1), &[core.clone(), right.clone()], caller)?;
    let tall = if core.chunking.axis(1).len() == 1 {
        // The rows stay as they are.
        rechunked::<A>(&both, &both.chunking.with_axis(1, [m + p].into()), caller)
    } else {
        in_rows::<A>(&both, caller)
    };
    let r = triangle::<A, Faer>(&tall, &Faer, caller);
    let least = negligible::<A>([n, m]);
    let lengths = [m, p, m];
    let step = Solved::<A>::step("array.lstsq/1", lengths, caller);
    let ports = step.of::<A>(&[(&r.port, Wiring::one_to_one(2))], &(n, m), move |_, inputs| {
        let r = matrix::<A>(inputs, 0)?;
        let (own, beside) = r.split_at(Axis(1), m);
        let svd = Faer.svd(own.slice(s![..m, ..]))?;
        let mut solved = Solved::of(&svd, beside.slice(s![..m, ..]), least)?;
        for (sum, column) in solved.residuals.iter_mut().zip(beside.slice(s![m.., ..]).columns()) {
            *sum = column.iter().fold(*sum, |sum, &x| sum + x * x);
        }
        Ok(solved.chunks())
    });
    Ok(Solved::<A>::cores(&ports, lengths, caller))
}

/// By the triangle of the transpose.
fn least_squares_wide<A>(core: &Core, right: &Core, caller: Site) -> [Core; 4]
where
    A: Float + LinalgElement,
    Faer: LinalgBackend<A>,
{
    let [n, m, p] = [core.chunking.shape()[0], core.chunking.shape()[1], right.chunking.shape()[1]];
    let (upright, _) = upright::<A>(core, caller);
    let tall = factorized::<A, Faer>(&upright, Faer, caller);
    let right = super::steps::one_block::<A>(right, caller);
    let least = negligible::<A>([n, m]);
    let lengths = [n, p, n];
    let step = Solved::<A>::step("array.lstsq_wide/1", lengths, caller);
    let inputs = [(&tall.r.port, Wiring::one_to_one(2)), (&right.port, Wiring::one_to_one(2))];
    let ports = step.of::<A>(&inputs, &(n, m), move |_, inputs| {
        let (r, right) = (matrix::<A>(inputs, 0)?, matrix::<A>(inputs, 1)?);
        Ok(Solved::of(&Faer.svd(r.t())?, right, least)?.chunks())
    });
    let [inner, residuals, rank, sigma] = Solved::<A>::cores(&ports, lengths, caller);
    [tall.q_times::<A>(&inner), residuals, rank, sigma]
}

/// How a [compressed decomposition](Array::svd_compressed) looks for the directions of the largest singular values.
///
/// # Examples
/// ```
/// use musher_array::linalg::Compression;
/// let careful = Compression::default().seed(7).power_iterations(2);
/// assert_eq!(careful, Compression::default().seed(7).power_iterations(2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "it is only a description"]
pub struct Compression {
    oversamples: usize,
    power_iterations: usize,
    seed: u64,
}

impl Default for Compression {
    /// Ten more directions than are asked for, no power iterations, seed 0.
    fn default() -> Self {
        Self { oversamples: 10, power_iterations: 0, seed: 0 }
    }
}

impl Compression {
    /// How many more directions are looked at than are asked for.
    pub const fn oversamples(self, n: usize) -> Self {
        Self { oversamples: n, ..self }
    }

    /// How many times the directions are improved by the matrix and its transpose, where singular values fall slowly: each takes
    /// two passes more.
    #[doc(alias = "n_power_iter")]
    pub const fn power_iterations(self, n: usize) -> Self {
        Self { power_iterations: n, ..self }
    }

    /// Which random directions are the first.
    pub const fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// How many directions are looked at, where `q` are asked for and `most` are all: `q` and some more, 20 at least.
    ///
    /// # Examples
    /// ```
    /// use musher_array::linalg::Compression;
    /// assert_eq!(Compression::default().level(1000, 5), 20);
    /// assert_eq!(Compression::default().level(1000, 50), 60);
    /// assert_eq!(Compression::default().level(30, 50), 30);
    /// ```
    ///
    /// Source: `dask.array.linalg.compression_level`.
    #[must_use]
    #[doc(alias = "compression_level")]
    pub fn level(self, most: usize, q: usize) -> usize {
        q.saturating_add(self.oversamples).max(20).min(most)
    }
}

/// The factorized image of random directions: its columns are nearly those that the matrix stretches most.
fn range_of<A>(core: &Core, q: usize, how: Compression, caller: Site) -> Tall<Faer>
where
    A: Float + LinalgElement,
    Faer: LinalgBackend<A>,
{
    let shape = core.chunking.shape();
    let level = how.level(shape[0].min(shape[1]), q);
    let lengths = Chunking::from_axes([core.chunking.shared_axis(1), [level].into()]);
    let directions = random::normal((shape[1], level), lengths_of(&lengths)).seed(how.seed).build();
    let directions: Array<A, Ix2> = directions.cast();
    let image = |of: &Core| {
        let image = product::<A>((core, ['i', 'j']), (of, ['j', 'k']), ['i', 'k'], caller);
        factorized::<A, Faer>(&in_rows::<A>(&image, caller), Faer, caller)
    };
    let mut found = image(directions.core());
    for _ in 0..how.power_iterations {
        let back = product::<A>((core, ['i', 'j']), (&found.q::<A>(), ['i', 'k']), ['j', 'k'], caller);
        let back = factorized::<A, Faer>(&in_rows::<A>(&back, caller), Faer, caller);
        found = image(&back.q::<A>());
    }
    found
}

/// A division as a wish.
fn lengths_of(chunking: &Chunking) -> crate::Chunks {
    crate::Chunks::Exact(chunking.clone())
}

impl<A: Float + LinalgElement> Array<A, Ix2>
where
    Faer: LinalgBackend<A>,
{
    /// The largest `k` singular values with their vectors, found in the image of random directions: exact where the matrix has no
    /// more directions than are looked at, else nearly so, and the nearer the faster singular values fall.
    ///
    /// **Shape** `(n, m) → (n, k), (k,), (k, m)`, of which `k` is at most `min(n, m)`; blocks are those of rows and columns.
    /// **Cost** two passes over the matrix in any blocks, and two more for each power iteration; `4 n m l` operations, where `l` is
    /// the number of directions: `k + 10`, or 20. Computing fails where there is NaN or an infinity. Signs as in
    /// [`svd`](Self::svd) of a tall matrix.
    ///
    /// # Panics
    /// Never.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, linalg::Compression, ndarray::Ix2};
    /// use musher_scheduler::Compute;
    /// let x = Array::<f64, Ix2>::ones((300, 200), 100);
    /// let (u, sigma, vt) = x.svd_compressed(1, Compression::default());
    /// assert!((sigma.compute()?[0] - 60_000_f64.sqrt()).abs() < 1e-9);
    /// assert_eq!((u.shape(), vt.shape()), (vec![300, 1], vec![1, 200]));
    /// # Ok::<(), musher_scheduler::Error>(())
    /// ```
    ///
    /// Source: Halko, Martinsson & Tropp 2011, algorithms 4.4 and 5.1; as `dask.array.linalg.svd_compressed`.
    #[must_use]
    #[track_caller]
    #[doc(alias = "randomized_svd")]
    pub fn svd_compressed(&self, k: usize, how: Compression) -> (Self, Array<A, Ix1>, Self) {
        let caller = Site::caller();
        let found = range_of::<A>(self.core(), k, how, caller);
        // The transpose of what is left is as tall as the matrix is wide.
        let left = product::<A>((self.core(), ['i', 'j']), (&found.q::<A>(), ['i', 'k']), ['j', 'k'], caller);
        let left = factorized::<A, Faer>(&in_rows::<A>(&left, caller), Faer, caller);
        let size = left.size();
        let k = k.min(size);
        let parts = of_triangle::<A, Faer>(&left.r, &Faer, caller);
        let cut = |core: &Core, axis| expect(part::<A>("svd_compressed", core, axis, (0, k, 1), caller));
        // Of the transpose, `u` is our `v`.
        let v = left.q_times::<A>(&cut(&parts.u, 1));
        let u = found.q_times::<A>(&transposed::<A>(&cut(&parts.vt, 0)));
        let (u, vt) = svd_flip(&Self::from_core(u), &Self::from_core(transposed::<A>(&v)));
        (u, Array::from_core(cut(&parts.sigma, 0)), vt)
    }

    /// Orthonormal rows whose product with the matrix keeps its largest singular values: the directions that
    /// [`svd_compressed`](Self::svd_compressed) finds.
    ///
    /// **Shape** `(n, m) → (l, n)` with `l =` [`Compression::level`] of `min(n, m)` and `q`.
    /// **Cost** one pass over the matrix, and two more for each power iteration.
    ///
    /// # Panics
    /// Never.
    ///
    /// # Examples
    /// ```
    /// use musher_array::{Array, linalg::Compression, ndarray::Ix2};
    /// let x = Array::<f64, Ix2>::ones((300, 200), 100);
    /// assert_eq!(x.compression_matrix(5, Compression::default()).shape(), [20, 300]);
    /// ```
    ///
    /// Source: `dask.array.linalg.compression_matrix`.
    #[must_use]
    #[track_caller]
    pub fn compression_matrix(&self, q: usize, how: Compression) -> Self {
        Self::from_core(transposed::<A>(&range_of::<A>(self.core(), q, how, Site::caller()).q::<A>()))
    }
}

/// Singular vectors with the same signs wherever they were found: no row of `vt` has a negative sum.
///
/// **Shape** `(n, k), (k, m)` stay.
/// **Cost** one pass over `vt`.
///
/// # Panics
/// When `u` has not as many columns as `vt` has rows.
///
/// # Examples
/// ```
/// use musher_array::{Array, linalg::svd_flip, ndarray::arr2};
/// use musher_scheduler::compute;
/// let (u, vt) = (Array::from_array(arr2(&[[1.0]]), 1), Array::from_array(arr2(&[[0.6, -0.8]]), 1));
/// let (u, vt) = svd_flip(&u, &vt);
/// assert_eq!(compute((&u, &vt))?, (arr2(&[[-1.0]]), arr2(&[[-0.6, 0.8]])));
/// # Ok::<(), musher_scheduler::Error>(())
/// ```
///
/// Source: `dask.array.linalg.svd_flip`.
#[must_use]
#[track_caller]
pub fn svd_flip<A: Float>(u: &Array<A, Ix2>, vt: &Array<A, Ix2>) -> (Array<A, Ix2>, Array<A, Ix2>) {
    let sums = vt.sum_axis(Axis(1));
    let [one, minus] = [1.0, -1.0].map(|sign| Operand::Value(float::<A>(sign).into_scalar()));
    let negative = sums.lt(A::Sum::default());
    let signs: Array<A, Ix1> = expect(select((&negative).into(), minus, one));
    (u * &signs, vt * signs.insert_axis(Axis(1)))
}
