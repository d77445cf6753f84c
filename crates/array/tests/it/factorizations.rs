//! Factorizations, systems and norms as NumPy and SciPy have them, for several ways to cut the operands.

use crate::blocks::{answer, bits};
use crate::cases::{Case, cases_of};
use crate::products::near;
use musher_array::linalg::{Compression, Norm, Triangle, svd_flip};
use musher_array::ndarray::{Array1, Array2, Axis, Ix1, Ix2, IxDyn, arr1};
use musher_array::{Array, Error};
use musher_scheduler::{Compute, Options, compute};
use musher_testkit::Random;

/// Block lengths along every axis.
const CUTS: [usize; 4] = [100, 1, 3, 4];

/// Matrices of a condition of hundreds.
const TOLERANCE: f64 = 1e-11;

type M = Array<f64, Ix2>;

fn order(case: &Case) -> Norm {
    let order = case.parameter("order");
    match order.as_str() {
        Some("fro") => Norm::Frobenius,
        Some("nuc") => Norm::Nuclear,
        Some("inf") => Norm::Infinity,
        Some("-inf") => Norm::NegInfinity,
        _ => Norm::P(order.as_f64().unwrap()),
    }
}

fn vector(case: &Case, at: usize, cut: usize) -> Array<f64, Ix1> {
    case.load::<f64>(at, cut).into_dimensionality().unwrap()
}

/// A right side of one column or several.
enum Right {
    One(Array<f64, Ix1>),
    Several(M),
}

fn right(case: &Case, cut: usize) -> Right {
    let right = case.load::<f64>(1, cut);
    match right.ndim() {
        1 => Right::One(right.into_dimensionality().unwrap()),
        _ => Right::Several(right.into_dimensionality().unwrap()),
    }
}

/// One of the parts of a solution by least squares.
fn least_squares(case: &Case, x: &M, cut: usize) -> Option<Array<f64, IxDyn>> {
    let part = case.operation();
    macro_rules! of {
        ($right:expr) => {{
            let found = x.lstsq($right);
            match part {
                "lstsq_x" => found.solution.into_dyn(),
                "lstsq_rank" => found.rank.cast::<f64>().into_dyn(),
                "lstsq_s" => found.sigma.into_dyn(),
                // NumPy has none where the rank is not full.
                _ if case.want::<f64>().is_empty() => return None,
                _ => found.residuals.into_dyn(),
            }
        }};
    }
    Some(match right(case, cut + 1) {
        Right::One(right) => of!(&right),
        Right::Several(right) => of!(&right),
    })
}

/// The norm that a case asks for.
fn length(case: &Case, cut: usize) -> Array<f64, IxDyn> {
    let x = || -> M { case.load::<f64>(0, cut).into_dimensionality().unwrap() };
    match case.operation() {
        "norm_matrix" => x().norm(order(case)).into_dyn(),
        "norm_vector" => vector(case, 0, cut).norm(order(case)).into_dyn(),
        _ => x().over(case.axis().unwrap()).norm(order(case)).into_dyn(),
    }
}

/// Whether the operation is one of this module.
fn check(case: &Case, cut: usize) -> bool {
    let near = |found: Array<f64, IxDyn>| {
        let ill = case.input(0) == "hilbert" || case.input(0) == "far";
        near(case, found, if ill { 1e-6 } else { TOLERANCE });
    };
    let is_single = case.n_inputs() > 0 && case.input(0) == "singles";
    let x = || -> M {
        match is_single {
            true => case.load::<f32>(0, cut).cast::<f64>().into_dimensionality().unwrap(),
            false => case.load::<f64>(0, cut).into_dimensionality().unwrap(),
        }
    };
    match case.operation() {
        "qr_q" | "qr_r" | "svd_u" | "svd_s" | "svd_vt" if is_single => singles(case, cut),
        "qr_q" => near(x().qr().0.into_dyn()),
        "qr_r" => near(x().qr().1.into_dyn()),
        "svd_u" => near(x().svd().0.into_dyn()),
        "svd_s" => {
            near(x().svd().1.into_dyn());
            near(x().svdvals().into_dyn());
        }
        "svd_vt" => near(x().svd().2.into_dyn()),
        "cholesky" => near(x().cholesky().into_dyn()),
        "lu_p" => near_order(case, &x().lu().order),
        "lu_l" => near(x().lu().l.into_dyn()),
        "lu_u" => near(x().lu().u.into_dyn()),
        "eigh_values" => {
            near(x().eigh().0.into_dyn());
            near(x().eigvalsh().into_dyn());
        }
        "eigh_vectors" => near(x().eigh().1.into_dyn()),
        "solve" => near(match right(case, cut + 1) {
            Right::One(right) => x().solve(&right).into_dyn(),
            Right::Several(right) => x().solve(&right).into_dyn(),
        }),
        "solve_triangular" => {
            let triangle = match (case.parameter("lower").as_bool(), case.parameter("unit").as_bool()) {
                (Some(true), Some(false)) => Triangle::Lower,
                (Some(true), _) => Triangle::UnitLower,
                (_, Some(false)) => Triangle::Upper,
                _ => Triangle::UnitUpper,
            };
            near(match right(case, cut + 1) {
                Right::One(right) => x().solve_triangular(&right, triangle).into_dyn(),
                Right::Several(right) => x().solve_triangular(&right, triangle).into_dyn(),
            });
        }
        "inv" => near(x().inv().into_dyn()),
        "lstsq_x" | "lstsq_residuals" | "lstsq_s" => {
            least_squares(case, &x(), cut).into_iter().for_each(near);
        }
        "lstsq_rank" => {
            let found = least_squares(case, &x(), cut).unwrap().compute().unwrap();
            assert_eq!(found.mapv(|rank| rank as u64), case.want::<u64>(), "{}", case.name());
        }
        "det" => near(x().det().into_dyn()),
        "slogdet" => {
            let (sign, log) = x().slogdet();
            let (sign, log) = compute((&sign, &log)).unwrap();
            let want = case.want::<f64>();
            assert!(
                sign == want[0] && (log - want[1]).abs() < 1e-6 * want[1].abs().max(1.0),
                "{}",
                case.name()
            );
        }
        "pinv" => near(x().pinv().into_dyn()),
        "matrix_rank" => {
            let rank = x().matrix_rank().compute().unwrap();
            assert_eq!(Some(&rank), case.want::<u64>().first(), "{}", case.name());
        }
        "cond" => {
            let (found, want) = (x().cond().compute().unwrap(), case.want::<f64>());
            assert!((found / want.first().unwrap() - 1.0).abs() < 1e-5, "{}", case.name());
        }
        "norm_matrix" | "norm_vector" | "norm_over" => near(length(case, cut)),
        "matrix_power" => near(x().matrix_power(case.number("power") as i32).into_dyn()),
        _ => return false,
    }
    true
}

/// The same of `f32`.
fn singles(case: &Case, cut: usize) {
    let x: Array<f32, Ix2> = case.load::<f32>(0, cut).into_dimensionality().unwrap();
    let found = match case.operation() {
        "qr_q" => x.qr().0.into_dyn(),
        "qr_r" => x.qr().1.into_dyn(),
        "svd_u" => x.svd().0.into_dyn(),
        "svd_s" => x.svd().1.into_dyn(),
        _ => x.svd().2.into_dyn(),
    };
    let (found, want) = (answer(&found), case.want::<f32>());
    assert!(
        found.shape() == want.shape() && found.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-4),
        "{}",
        case.name()
    );
}

fn near_order(case: &Case, found: &Array<u64, Ix1>) {
    assert_eq!(answer(found).into_dyn(), case.want::<u64>(), "{}", case.name());
}

#[test]
fn numpy_and_scipy_agree() {
    let cases = cases_of("array_linalg");
    let n: usize = CUTS.iter().map(|&cut| cases.iter().filter(|case| check(case, cut)).count()).sum();
    assert_eq!(n, CUTS.len() * 192);
}

fn random(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let mut random = Random::new(seed);
    Array2::from_shape_simple_fn((rows, columns), || {
        (random.bits() >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    })
}

#[track_caller]
fn assert_close(found: &Array2<f64>, want: &Array2<f64>, tolerance: f64) {
    assert_eq!(found.dim(), want.dim());
    let furthest = found
        .iter()
        .zip(want)
        .fold(0.0_f64, |most, (a, b)| if (a - b).abs() <= most { most } else { (a - b).abs() });
    assert!(furthest <= tolerance, "{furthest} is more than {tolerance}");
}

/// What makes the factors what they are, whatever the matrix.
fn check_definitions(x: &Array2<f64>, blocks: (usize, usize)) {
    let array = Array::from_array(x.clone(), blocks);
    let size = x.nrows().min(x.ncols());
    let (q, r) = array.qr();
    let (u, sigma, vt) = array.svd();
    let (q, r, u, sigma, vt) = compute((&q, &r, &u, &sigma, &vt)).unwrap();
    let scale = x.iter().fold(1.0_f64, |most, value| most.max(value.abs()));
    assert_eq!((q.dim(), r.dim()), ((x.nrows(), size), (size, x.ncols())));
    assert_close(&q.dot(&r), x, 1e-12 * scale);
    assert_close(&q.t().dot(&q), &Array2::eye(size), 1e-12);
    assert!(
        r.indexed_iter().all(|((i, j), &value)| i < j || if i == j { value >= 0.0 } else { value == 0.0 })
    );
    assert_close(&(&u * &sigma).dot(&vt), x, 1e-12 * scale);
    assert_close(&u.t().dot(&u), &Array2::eye(size), 1e-12);
    assert_close(&vt.dot(&vt.t()), &Array2::eye(size), 1e-12);
    assert!(sigma.iter().zip(sigma.iter().skip(1)).all(|(a, b)| a >= b && *b >= 0.0));
}

#[test]
fn factors_are_what_they_are_called_of_all_shapes_and_ranks() {
    for (seed, (n, m)) in
        [(40, 7), (7, 40), (1, 1), (1, 9), (9, 1), (0, 4), (4, 0), (0, 0), (33, 33), (70, 20)]
            .into_iter()
            .enumerate()
    {
        for blocks in [(100, 100), (5, 3), (1, 100), (9, 1)] {
            check_definitions(&random(n, m, seed as u64), blocks);
        }
    }
    // Rank-deficient: equal columns, zeros, a product of thin matrices.
    for blocks in [(100, 100), (5, 3), (2, 9)] {
        check_definitions(&Array2::zeros((12, 5)), blocks);
        check_definitions(&Array2::ones((12, 5)), blocks);
        check_definitions(&random(30, 2, 1).dot(&random(2, 9, 2)), blocks);
        check_definitions(&random(6, 2, 1).dot(&random(2, 19, 2)), blocks);
    }
}

#[test]
fn threads_memory_and_layout_do_not_change_bits() {
    let x = random(400, 12, 3);
    let turned = x.t().as_standard_layout().into_owned().reversed_axes();
    let q_of = |x: Array2<f64>| Array::from_array(x, (50, 12)).qr().0;
    let q = q_of(x.clone());
    let expected = bits(&answer(&q));
    assert_eq!(bits(&answer(&q_of(turned))), expected);
    for threads in [1, 2, 5] {
        let found = q.compute_with(&Options::default().threads(threads).memory_limit(1_u64 << 20)).unwrap();
        assert_eq!(bits(&found), expected);
    }
}

#[test]
fn other_blocks_change_rounding_alone() {
    let x = random(300, 9, 4);
    let first = Array::from_array(x.clone(), (300, 9)).qr();
    let (q, r) = compute((&first.0, &first.1)).unwrap();
    for rows in [1, 7, 64] {
        let other = Array::from_array(x.clone(), (rows, 4)).qr();
        let (p, s) = compute((&other.0, &other.1)).unwrap();
        assert_close(&p, &q, 1e-13);
        assert_close(&s, &r, 1e-12);
    }
}

#[test]
fn systems_of_all_sizes_in_all_blocks() {
    for (seed, n) in [0, 1, 2, 17, 40, 100].into_iter().enumerate() {
        let x = random(n, n, seed as u64) + Array2::<f64>::eye(n) * 2.0;
        let want = random(n, 3, 99);
        let (right, gram) = (x.dot(&want), x.dot(&x.t()));
        for block in [7, 33, 1000] {
            let (a, b) = (Array::from_array(x.clone(), block), Array::from_array(right.clone(), (block, 2)));
            let lu = a.lu();
            let (order, l, u) = compute((&lu.order, &lu.l, &lu.u)).unwrap();
            let sorted = order.iter().map(|&row| row as usize).collect::<Vec<_>>();
            assert_close(&l.dot(&u), &x.select(Axis(0), &sorted), 1e-13 * (n + 1) as f64);
            assert!(l.indexed_iter().all(|((i, j), &value)| if i == j {
                value == 1.0
            } else {
                i > j || value == 0.0
            } && value.abs() <= 1.0));
            assert_close(&a.solve(&b).compute().unwrap(), &want, 1e-9);
            assert_close(&a.inv().compute().unwrap().dot(&x), &Array2::eye(n), 1e-9);
            let lower = Array::from_array(gram.clone(), block).cholesky().compute().unwrap();
            assert_close(&lower.dot(&lower.t()), &gram, 1e-12 * (n + 1) as f64);
            let (sign, log) = a.slogdet();
            let (det, sign, log) = compute((&a.det(), &sign, &log)).unwrap();
            assert!((det - sign * log.exp()).abs() <= 1e-9 * det.abs().max(1e-300), "{det} {sign} {log}");
        }
    }
}

#[test]
fn what_is_singular_is_told() {
    let twice =
        Array2::from_shape_fn((40, 40), |(i, j)| if j == 5 { 0.0 } else { ((i * 7 + j * 3) % 11) as f64 });
    for block in [3, 100] {
        let x = Array::from_array(twice.clone(), block);
        let told = |error: musher_scheduler::Error, what: &str| {
            let cause = std::error::Error::source(&error).unwrap().to_string();
            assert!(cause.contains(what), "{error}: {cause}");
        };
        told(x.solve(&Array::ones(40, 7)).compute().unwrap_err(), "solve: matrix is singular");
        told(x.inv().compute().unwrap_err(), "inv: matrix is singular");
        told(
            x.solve_triangular(&Array::ones(40, 7), Triangle::Upper).compute().unwrap_err(),
            "solve_triangular: matrix is singular",
        );
        told(x.cholesky().compute().unwrap_err(), "not positive definite");
        let (sign, log) = x.slogdet();
        assert_eq!(compute((&x.det(), &sign, &log)).unwrap(), (0.0, 0.0, f64::NEG_INFINITY));
        let lu = x.lu();
        let (order, l, u) = compute((&lu.order, &lu.l, &lu.u)).unwrap();
        let sorted = order.iter().map(|&row| row as usize).collect::<Vec<_>>();
        assert_close(&l.dot(&u), &twice.select(Axis(0), &sorted), 1e-10);
        assert!(x.solve_triangular(&Array::ones(40, 7), Triangle::UnitUpper).compute().is_ok());
    }
    assert_eq!(Array::<f64, Ix2>::zeros((0, 0), 1).det().compute().unwrap(), 1.0);
}

#[test]
fn nan_and_infinity_end_in_nan_or_an_error() {
    for hole in [f64::NAN, f64::INFINITY] {
        for (place, shape) in [([3, 1], (20, 4)), ([1, 3], (4, 20)), ([2, 2], (9, 9))] {
            let mut x = random(shape.0, shape.1, 7);
            x[place] = hole;
            let x = Array::from_array(x, 4);
            let (q, r) = x.qr();
            let (q, r) = compute((&q, &r)).unwrap();
            assert!(q.iter().chain(&r).any(|value| value.is_nan()));
            for error in [
                x.svd().1.compute().unwrap_err(),
                x.svdvals().compute().unwrap_err(),
                x.pinv().compute().unwrap_err(),
                x.cond().compute().unwrap_err(),
                x.lstsq(&Array::<f64, Ix1>::ones(shape.0, 3)).solution.compute().unwrap_err(),
            ] {
                let cause = std::error::Error::source(&error).unwrap().to_string();
                assert!(cause.contains("not finite"), "{cause}");
            }
            if shape.0 == shape.1 {
                // An infinite pivot leaves nothing of its row: a solution may be finite, as NumPy's.
                let solution = x.solve(&Array::<f64, Ix1>::ones(9, 3)).compute().unwrap();
                assert!(hole.is_infinite() || solution.iter().any(|value| value.is_nan()));
                assert!(!x.det().compute().unwrap().is_finite());
                assert!(x.eigh().0.compute().is_err() && x.cholesky().compute().is_err());
                assert!(x.lu().u.compute().unwrap().iter().any(|value| !value.is_finite()));
            }
        }
    }
}

#[test]
fn compressed_decompositions_are_exact_where_the_rank_is_low() {
    let x = random(120, 5, 1).dot(&random(5, 90, 2));
    for blocks in [(50, 40), (200, 200), (13, 90)] {
        let array = Array::from_array(x.clone(), blocks);
        for how in [Compression::default(), Compression::default().seed(3).power_iterations(2).oversamples(2)]
        {
            let (u, sigma, vt) = array.svd_compressed(5, how);
            let (u, sigma, vt, all) = compute((&u, &sigma, &vt, &array.svdvals())).unwrap();
            assert_close(&(&u * &sigma).dot(&vt), &x, 1e-12);
            assert!(sigma.iter().zip(&all).all(|(a, b)| (a - b).abs() < 1e-11));
            assert!(vt.rows().into_iter().all(|row| row.sum() >= 0.0));
            let rows = array.compression_matrix(5, how).compute().unwrap();
            assert_close(&rows.dot(&rows.t()), &Array2::eye(20), 1e-12);
            assert_close(&rows.t().dot(&rows.dot(&x)), &x, 1e-11);
        }
    }
    // dask.array.linalg.compression_level(n, q) of the same.
    let levels = [(1000, 5, 20), (1000, 50, 60), (30, 50, 30)];
    assert!(levels.into_iter().all(|(n, q, level)| Compression::default().level(n, q) == level));
    // More than there are, and of nothing.
    let (u, sigma, vt) = Array::from_array(random(6, 4, 1), 3).svd_compressed(9, Compression::default());
    assert_eq!((u.shape(), sigma.shape(), vt.shape()), (vec![6, 4], vec![4], vec![4, 4]));
    let (_, sigma, _) = Array::<f64, Ix2>::zeros((6, 4), 3).svd_compressed(2, Compression::default());
    assert_eq!(sigma.compute().unwrap(), arr1(&[0.0, 0.0]));
}

#[test]
fn power_iterations_find_what_falls_slowly() {
    // Singular values 1, 0.99, 0.98, …
    let (q, _) = Array::from_array(random(300, 100, 5), 100).qr();
    let (p, _) = Array::from_array(random(100, 100, 6), 100).qr();
    let falls = Array1::from_shape_fn(100, |at| 0.99_f64.powi(at as i32));
    let x = (q * Array::from_array(falls.clone(), 50)).matmul(&p);
    let worst = |n: usize| {
        let sigma = x.svd_compressed(5, Compression::default().power_iterations(n)).1.compute().unwrap();
        sigma.iter().zip(&falls).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    };
    let (without, with) = (worst(0), worst(4));
    assert!(with < without / 3.0, "{with} is not much less than {without}");
}

#[test]
fn signs_are_those_of_dask() {
    // dask.array.linalg.svd_flip of the same two.
    let (u, vt) = (Array::from_array(random(4, 3, 1), 2), Array::from_array(random(3, 5, 2), 2));
    let (flipped, rows) = svd_flip(&u, &vt);
    let (a, b, c, d) = compute((&u, &vt, &flipped, &rows)).unwrap();
    for at in 0..3 {
        let sign = if b.row(at).sum() < 0.0 { -1.0 } else { 1.0 };
        assert_eq!(c.column(at), &a.column(at) * sign);
        assert_eq!(d.row(at), &b.row(at) * sign);
    }
}

#[test]
fn what_shapes_refuse_is_told() {
    let (x, square) = (Array::<f64, Ix2>::ones((3, 4), 2), Array::<f64, Ix2>::ones((3, 3), 2));
    let arrangement = |error: Error| {
        assert!(matches!(error, Error::Arrangement { .. }), "{error}");
        assert!(error.to_string().contains("factorizations.rs"), "{error}");
    };
    arrangement(x.try_lu().unwrap_err());
    arrangement(x.try_inv().unwrap_err());
    arrangement(x.try_det().unwrap_err());
    arrangement(x.try_slogdet().unwrap_err());
    arrangement(x.try_cholesky().unwrap_err());
    arrangement(x.try_eigh().unwrap_err());
    arrangement(x.try_eigvalsh().unwrap_err());
    arrangement(x.try_matrix_power(2).unwrap_err());
    arrangement(x.try_solve(&square).unwrap_err());
    arrangement(x.try_solve_triangular(&square, Triangle::Lower).unwrap_err());
    arrangement(x.try_norm(Norm::P(3.0)).unwrap_err());
    arrangement(x.sum_axis(Axis(1)).try_norm(Norm::Nuclear).unwrap_err());
    assert!(matches!(square.try_solve(&x.t()), Err(Error::Shapes { .. })));
    assert!(matches!(x.try_lstsq(&x.t()), Err(Error::Shapes { .. })));
    assert!(matches!(
        Array::<f64, Ix1>::ones(0, 1).try_norm(Norm::Infinity),
        Err(Error::EmptyReduction { .. })
    ));
    assert_eq!(Array::<f64, Ix1>::ones(0, 1).norm(Norm::P(2.0)).compute().unwrap(), 0.0);
}

#[test]
fn least_squares_of_polynomials_on_many_points() {
    let n = 5000;
    let line = move |i: usize| i as f64 / n as f64;
    let x = Array::from_shape_fn((n, 6), (700, 6), move |(i, j)| line(i).powi(j as i32));
    let want = arr1(&[1.0, -2.0, 3.0, -4.0, 5.0, -6.0]);
    let right = x.matmul(&Array::from_array(want.clone(), 6));
    let found = x.lstsq(&right);
    let (solution, residuals, rank) = compute((&found.solution, &found.residuals, &found.rank)).unwrap();
    assert!(solution.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-9), "{solution}");
    assert!(residuals[0] < 1e-20 && rank == 6);
}
