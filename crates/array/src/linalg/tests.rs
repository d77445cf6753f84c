//! Every backend against the definition of what it computes, and against each other.

use super::*;
use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut2, Axis, s};

/// Numbers without a pattern that a factorization could profit from, in [-1, 1).
fn matrix<A: LinalgElement>(rows: usize, columns: usize, seed: u64) -> Array2<A> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    Array2::from_shape_simple_fn((rows, columns), || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        A::from((state >> 40) as f64 / (1_u64 << 23) as f64 - 1.0).expect("a small number")
    })
}

/// The product by its definition, summed in f64.
fn product<A: LinalgElement>(left: &Array2<A>, right: &Array2<A>) -> Array2<A> {
    Array2::from_shape_fn((left.nrows(), right.ncols()), |(i, j)| {
        let terms = left
            .row(i)
            .iter()
            .zip(right.column(j))
            .map(|(&a, &b)| a.to_f64().expect("a float") * b.to_f64().expect("a float"))
            .sum::<f64>();
        A::from(terms).expect("a float")
    })
}

/// Rounding of a sum of `n` products of numbers below one, with room for the order of additions.
fn tolerance<A: LinalgElement>(n: usize) -> A {
    A::epsilon() * A::from(8 * (n + 4)).expect("a small number")
}

fn assert_close<A: LinalgElement>(found: &Array2<A>, expected: &Array2<A>, tolerance: A, what: &str) {
    assert_eq!(found.dim(), expected.dim(), "{what}");
    let furthest = found.iter().zip(expected).map(|(&a, &b)| (a - b).abs()).fold(A::zero(), |a, b| {
        // A NaN is never close.
        if b > a || b.is_nan() { b } else { a }
    });
    assert!(furthest <= tolerance, "{what}: {furthest:?} is more than {tolerance:?}");
}

fn identity<A: LinalgElement>(n: usize) -> Array2<A> {
    Array2::from_diag_elem(n, A::one())
}

const SHAPES: [(usize, usize); 9] =
    [(0, 0), (0, 3), (3, 0), (1, 1), (5, 3), (3, 5), (40, 17), (64, 64), (900, 3)];

/// `start + left right` with every operand in another layout: columns first, backwards, with gaps.
fn strided_product<A: LinalgElement, B: LinalgBackend<A>>(
    backend: &B,
    left: &Array2<A>,
    right: &Array2<A>,
    start: &Array2<A>,
) -> Array2<A> {
    let turned = left.t().to_owned();
    let backwards = right.slice(s![..;-1, ..]).to_owned();
    let mut wide = Array2::zeros((start.nrows() * 2, start.ncols() * 3));
    wide.slice_mut(s![..;2, ..;-3]).assign(start);
    backend
        .matmul(turned.t(), backwards.slice(s![..;-1, ..]), wide.slice_mut(s![..;2, ..;-3]))
        .expect("the shapes fit");
    wide.slice(s![..;2, ..;-3]).to_owned()
}

fn check_products<A: LinalgElement, B: LinalgBackend<A>>(backend: &B) {
    for (n, k) in SHAPES {
        for m in [0, 1, 4, 33] {
            let (left, right) = (matrix::<A>(n, k, 1), matrix::<A>(k, m, 2));
            let start = matrix::<A>(n, m, 3);
            let mut sum = start.clone();
            backend.matmul(left.view(), right.view(), sum.view_mut()).expect("the shapes fit");
            assert_close(&sum, &(&start + &product(&left, &right)), tolerance(k), "matmul");
            let strided = strided_product(backend, &left, &right, &start);
            assert_close(&strided, &sum, tolerance(k), "matmul of strided operands");
        }
    }
    let (left, right) = (matrix::<A>(2, 3, 1), matrix::<A>(2, 3, 2));
    let mut sum = Array2::zeros((2, 3));
    let error = backend.matmul(left.view(), right.view(), sum.view_mut()).expect_err("the shapes do not fit");
    assert_eq!(error.to_string(), "matmul: shapes [2, 3] and [2, 3] do not fit");
    let right = right.t();
    assert!(backend.matmul(left.view(), right, sum.view_mut()).is_err());
}

fn check_factorizations<A: LinalgElement, B: LinalgBackend<A>>(backend: &B) {
    for (n, m) in SHAPES {
        let a = matrix::<A>(n, m, 7);
        let size = n.min(m);
        let (q, r) = backend.qr(a.view()).expect("any matrix has one");
        assert_eq!((q.dim(), r.dim()), ((n, size), (size, m)));
        assert_close(&product(&q, &r), &a, tolerance(n + m), "q r");
        assert_close(&product(&q.t().to_owned(), &q), &identity(size), tolerance(n), "qᵀ q");
        assert!(r.indexed_iter().all(|((i, j), &value)| i <= j || value == A::zero()), "r is triangular");
        let Svd { u, sigma, vt } = backend.svd(a.view()).expect("any finite matrix has one");
        assert_eq!((u.dim(), sigma.len(), vt.dim()), ((n, size), size, (size, m)));
        assert_close(&product(&(&u * &sigma), &vt), &a, tolerance(n + m), "u sigma vt");
        assert_close(&product(&u.t().to_owned(), &u), &identity(size), tolerance(n + m), "uᵀ u");
        assert_close(&product(&vt, &vt.t().to_owned()), &identity(size), tolerance(n + m), "vt v");
        assert!(
            sigma.iter().zip(sigma.iter().skip(1)).all(|(a, b)| a >= b)
                && sigma.iter().all(|&s| s >= A::zero())
        );
    }
    let mut hole = matrix::<A>(4, 3, 1);
    hole[[2, 1]] = A::nan();
    assert_eq!(backend.svd(hole.view()), Err(LinalgError::NotFinite { operation: "svd" }));
}

fn check_square_systems<A: LinalgElement, B: LinalgBackend<A>>(backend: &B) {
    for n in [0, 1, 2, 5, 33, 70] {
        let base = matrix::<A>(n, n, 5);
        let mut positive = product(&base, &base.t().to_owned());
        positive.diag_mut().mapv_inplace(|value| value + A::from(n).expect("small"));
        let scale = A::from(2 * n + 1).expect("small");
        let lower = backend.cholesky(positive.view()).expect("positive definite");
        assert_close(&product(&lower, &lower.t().to_owned()), &positive, tolerance::<A>(n) * scale, "l lᵀ");
        assert!(lower.indexed_iter().all(|((i, j), &value)| i >= j || value == A::zero()), "l is triangular");
        // Only the lower triangle is read.
        let mut half = positive.clone();
        half.indexed_iter_mut().filter(|((i, j), _)| i < j).for_each(|(_, value)| *value = A::nan());
        assert_eq!(backend.cholesky(half.view()).expect("positive definite"), lower);
        let x = matrix::<A>(n, 3, 6);
        let right = product(&positive, &x);
        let found = backend.solve(positive.view(), right.view()).expect("positive definite");
        assert_close(&found, &x, tolerance::<A>(n) * scale, "solve");
        let (values, vectors) = backend.eigh(positive.view()).expect("symmetric");
        assert!(values.iter().zip(values.iter().skip(1)).all(|(a, b)| a <= b), "ascending");
        let again = product(&(&vectors * &values), &vectors.t().to_owned());
        assert_close(&again, &positive, tolerance::<A>(n) * scale, "v diag vᵀ");
    }
    let upside_down =
        ndarray::array![[1.0, 2.0], [2.0, 1.0]].mapv(|value: f64| A::from(value).expect("small"));
    assert_eq!(backend.cholesky(upside_down.view()), Err(LinalgError::NotPositiveDefinite));
    let hole = Array2::from_elem((2, 2), A::nan());
    assert_eq!(backend.cholesky(hole.view()), Err(LinalgError::NotPositiveDefinite));
    let singular = Array2::from_elem((2, 2), A::one());
    let right = Array1::from_elem(2, A::one()).insert_axis(Axis(1));
    assert_eq!(
        backend.solve(singular.view(), right.view()),
        Err(LinalgError::Singular { operation: "solve" })
    );
    let oblong = matrix::<A>(2, 3, 1);
    let not_square = |operation| LinalgError::NotSquare { operation, shape: [2, 3] };
    assert_eq!(backend.solve(oblong.view(), right.view()), Err(not_square("solve")));
    assert_eq!(backend.cholesky(oblong.view()), Err(not_square("cholesky")));
    assert_eq!(backend.eigh(oblong.view()), Err(not_square("eigh")));
    let long = matrix::<A>(3, 1, 1);
    assert!(matches!(backend.solve(singular.view(), long.view()), Err(LinalgError::Shapes { .. })));
}

fn check_elimination<A: LinalgElement, B: LinalgBackend<A>>(backend: &B) {
    for (n, m) in SHAPES {
        let a = matrix::<A>(n, m, 13);
        assert_eq!(backend.triangle(a.view()), backend.qr(a.view()).map(|(_, r)| r), "to the same bits");
        let (factors, order) = backend.lu(a.view()).expect("any matrix has one");
        let size = n.min(m);
        let l = Array2::from_shape_fn((n, size), |(i, j)| match i.cmp(&j) {
            std::cmp::Ordering::Greater => factors[[i, j]],
            std::cmp::Ordering::Equal => A::one(),
            std::cmp::Ordering::Less => A::zero(),
        });
        let u = Array2::from_shape_fn((size, m), |(i, j)| if i <= j { factors[[i, j]] } else { A::zero() });
        assert_close(&product(&l, &u), &a.select(Axis(0), &order), tolerance(n + m), "l u");
        assert!(l.iter().all(|factor| factor.abs() <= A::one()), "pivots are the largest");
    }
    // The first of equal pivots, and a column that has none.
    let a = ndarray::array![[1.0, 0.0, 2.0], [-1.0, 0.0, 3.0], [1.0, 0.0, 4.0]];
    let a = a.mapv(|value: f64| A::from(value).expect("small"));
    let (factors, order) = backend.lu(a.view()).expect("any matrix has one");
    assert_eq!((order[0], factors[[1, 1]]), (0, A::zero()));
    assert!(factors.iter().all(|factor| factor.is_finite()));
    for n in [0, 1, 2, 5, 33, 70] {
        let a = matrix::<A>(n, n, 5) + Array2::from_diag_elem(n, A::from(n + 1).expect("small"));
        let x = matrix::<A>(n, 3, 6);
        for triangle in [Triangle::Lower, Triangle::UnitLower, Triangle::Upper, Triangle::UnitUpper] {
            // Ones on the diagonal of a matrix this large would make its solution so.
            let scale = A::one() / A::from(2 * n + 2).expect("small");
            let a = if triangle.has_ones() { a.mapv(|value| value * scale) } else { a.clone() };
            let read = Array2::from_shape_fn((n, n), |(i, j)| match i.cmp(&j) {
                std::cmp::Ordering::Equal if triangle.has_ones() => A::one(),
                std::cmp::Ordering::Equal => a[[i, j]],
                order if order.is_gt() == triangle.is_lower() => a[[i, j]],
                _ => A::zero(),
            });
            let right = product(&read, &x);
            let found = backend.solve_triangular(triangle, a.view(), right.view()).expect("the shapes fit");
            let far = tolerance::<A>(n) * A::from(n + 1).expect("small");
            assert_close(&found, &x, far, "solve_triangular");
        }
    }
    let oblong = matrix::<A>(2, 3, 1);
    let error = backend.solve_triangular(Triangle::Lower, oblong.view(), oblong.view());
    assert_eq!(error, Err(LinalgError::NotSquare { operation: "solve_triangular", shape: [2, 3] }));
}

/// A backend that brings only what it must: the rest are plain loops.
#[derive(Clone, Debug)]
struct Plain;

impl<A: LinalgElement> LinalgBackend<A> for Plain
where
    Faer: LinalgBackend<A>,
{
    fn name(&self) -> &'static str {
        "plain"
    }

    fn matmul(
        &self,
        left: ArrayView2<'_, A>,
        right: ArrayView2<'_, A>,
        sum: ArrayViewMut2<'_, A>,
    ) -> Result<(), LinalgError> {
        Faer.matmul(left, right, sum)
    }

    fn qr(&self, matrix: ArrayView2<'_, A>) -> Result<(Array2<A>, Array2<A>), LinalgError> {
        Faer.qr(matrix)
    }

    fn svd(&self, matrix: ArrayView2<'_, A>) -> Result<Svd<A>, LinalgError> {
        Faer.svd(matrix)
    }

    fn cholesky(&self, matrix: ArrayView2<'_, A>) -> Result<Array2<A>, LinalgError> {
        Faer.cholesky(matrix)
    }

    fn solve(&self, matrix: ArrayView2<'_, A>, right: ArrayView2<'_, A>) -> Result<Array2<A>, LinalgError> {
        Faer.solve(matrix, right)
    }

    fn eigh(&self, matrix: ArrayView2<'_, A>) -> Result<(Array1<A>, Array2<A>), LinalgError> {
        Faer.eigh(matrix)
    }
}

#[test]
fn plain_loops_compute_what_they_promise() {
    check_elimination::<f64, _>(&Plain);
    check_elimination::<f32, _>(&Plain);
}

/// Columns that depend on each other but for a billionth are not taken for dependent, however many rows there are.
#[test]
fn nearly_dependent_columns_of_tall_matrices_keep_what_is_their_own() {
    let own = matrix::<f64>(50_000, 2, 3);
    let mut a = own.clone();
    a.column_mut(1).zip_mut_with(&own.column(0), |small, &large| *small = large + 1e-9 * *small);
    let (q, r) = Faer.qr(a.view()).expect("any");
    assert!((r[[1, 1]].abs() / 1e-9 / (50_000_f64 / 3.0).sqrt() - 1.0).abs() < 0.1, "{r}");
    assert_close(&q.dot(&r), &a, 1e-13, "q r");
}

fn check<A: LinalgElement, B: LinalgBackend<A>>(backend: &B) {
    check_elimination::<A, B>(backend);
    check_products::<A, B>(backend);
    check_factorizations::<A, B>(backend);
    check_square_systems::<A, B>(backend);
}

#[test]
fn faer_computes_what_it_promises() {
    check::<f64, _>(&Faer);
    check::<f32, _>(&Faer);
}

/// Bits are promised of faer, by which arrays are multiplied, and of no system library.
fn check_bits<A: LinalgElement>()
where
    Faer: LinalgBackend<A>,
{
    for (n, k) in SHAPES {
        let a = matrix::<A>(n, k, 1);
        for m in [0, 1, 4, 33] {
            let (right, start) = (matrix::<A>(k, m, 2), matrix::<A>(n, m, 3));
            let mut sum = start.clone();
            Faer.matmul(a.view(), right.view(), sum.view_mut()).expect("the shapes fit");
            let strided = strided_product(&Faer, &a, &right, &start);
            assert_eq!(strided, sum, "layout changed bits at {n} {k} {m}");
        }
        let turned = a.t().to_owned();
        assert_eq!(Faer.qr(turned.t()).expect("any"), Faer.qr(a.view()).expect("any"));
        assert_eq!(Faer.svd(turned.t()).expect("any"), Faer.svd(a.view()).expect("any"));
    }
    // Where the operands lie in memory does not matter either.
    let (left, right) = (matrix::<A>(24, 41, 4), matrix::<A>(41, 1, 5));
    let mut first = None;
    for shift in 0..16 {
        let shifted = |whole: &Array2<A>| {
            let elements = (0..shift).map(|_| A::zero()).chain(whole.iter().copied());
            Array1::from_iter(elements)
        };
        let (a, b) = (shifted(&left), shifted(&right));
        let a = a.slice(s![shift..]).into_shape_with_order(left.dim()).expect("as many elements");
        let b = b.slice(s![shift..]).into_shape_with_order(right.dim()).expect("as many elements");
        let mut sum = Array2::zeros((24, 1));
        Faer.matmul(a, b, sum.view_mut()).expect("the shapes fit");
        assert_eq!(*first.get_or_insert_with(|| sum.clone()), sum, "memory changed bits at {shift}");
    }
}

#[test]
fn neither_layout_nor_place_in_memory_changes_bits_of_faer() {
    check_bits::<f64>();
    check_bits::<f32>();
}

#[test]
fn faer_passes_on_what_is_not_finite() {
    let left = ndarray::array![[1.0, f64::INFINITY], [f64::NAN, 0.0]];
    let right = ndarray::array![[1.0, 0.0], [1.0, 0.0]];
    let mut sum = Array2::zeros((2, 2));
    Faer.matmul(left.view(), right.view(), sum.view_mut()).expect("the shapes fit");
    assert_eq!(sum[[0, 0]], f64::INFINITY);
    assert!(sum[[0, 1]].is_nan() && sum[[1, 0]].is_nan() && sum[[1, 1]].is_nan());
}

#[cfg(feature = "lapack")]
#[test]
fn lapack_computes_what_it_promises() {
    check::<f64, _>(&Lapack);
    check::<f32, _>(&Lapack);
}

#[cfg(feature = "lapack")]
#[test]
fn backends_agree() {
    for (n, m) in SHAPES {
        let a = matrix::<f64>(n, m, 11);
        let right = matrix::<f64>(m, 9, 12);
        let (mut one, mut other) = (Array2::zeros((n, 9)), Array2::zeros((n, 9)));
        Faer.matmul(a.view(), right.view(), one.view_mut()).expect("the shapes fit");
        Lapack.matmul(a.view(), right.view(), other.view_mut()).expect("the shapes fit");
        assert_close(&one, &other, tolerance(m), "matmul");
        // Up to the signs of the rows.
        let (r, s) = (Faer.qr(a.view()).expect("any").1, Lapack.qr(a.view()).expect("any").1);
        assert_close(&r.mapv(f64::abs), &s.mapv(f64::abs), 100.0 * tolerance::<f64>(n), "r");
        let (sigma, other) =
            (Faer.svd(a.view()).expect("any").sigma, Lapack.svd(a.view()).expect("any").sigma);
        assert_close(&sigma.insert_axis(Axis(0)), &other.insert_axis(Axis(0)), tolerance(n + m), "sigma");
        let gram = product(&a.t().to_owned(), &a) + &identity::<f64>(m);
        let (l, k) = (Faer.cholesky(gram.view()), Lapack.cholesky(gram.view()));
        assert_close(
            &l.expect("positive"),
            &k.expect("positive"),
            tolerance::<f64>(n + m) * 10.0,
            "cholesky",
        );
        let (x, y) = (Faer.solve(gram.view(), right.view()), Lapack.solve(gram.view(), right.view()));
        assert_close(&x.expect("positive"), &y.expect("positive"), 100.0 * tolerance::<f64>(n + m), "solve");
        let (v, w) = (Faer.eigh(gram.view()).expect("any").0, Lapack.eigh(gram.view()).expect("any").0);
        let scale = 100.0 * tolerance::<f64>(n + m);
        assert_close(&v.insert_axis(Axis(0)), &w.insert_axis(Axis(0)), scale, "eigenvalues");
    }
}
