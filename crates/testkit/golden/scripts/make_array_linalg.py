"""Golden files of linear algebra, from NumPy and SciPy: products, factorizations, systems, norms.

Factorizations leave signs open. Here they are chosen as musher chooses them: the diagonal of R is not negative; the rows of Vᵀ
(of U's columns, where a matrix is wide) and eigenvectors have sums that are not negative.
"""

import numpy as np
import scipy.linalg as sl

from common import Area

AREA = Area("array_linalg")
RNG = np.random.Generator(np.random.Philox(20261203))

X = {
    "a23": RNG.normal(size=(2, 3)), "b34": RNG.normal(size=(3, 4)), "c45": RNG.normal(size=(4, 5)), "d33": RNG.normal(size=(3, 3)),
    "v3": RNG.normal(size=3), "w4": RNG.normal(size=4), "u3": RNG.normal(size=3), "t234": RNG.normal(size=(2, 3, 4)), "t345": RNG.normal(size=(3, 4, 5)),
    "t243": RNG.normal(size=(2, 4, 3)), "t143": RNG.normal(size=(1, 4, 3)), "q2243": RNG.normal(size=(2, 2, 4, 3)), "q1234": RNG.normal(size=(1, 2, 3, 4)),
    "cube": RNG.normal(size=(3, 3, 3)), "one": np.array([[2.5]]), "scalar": np.array(1.5), "row": RNG.normal(size=(1, 4)), "long": RNG.normal(size=(5, 97)), "narrow": RNG.normal(size=(97, 3)),
    "empty": np.zeros((3, 0)), "empty_t": np.zeros((0, 4)),
}
I = {"i23": RNG.integers(-9, 9, size=(2, 3)), "j23": RNG.integers(-9, 9, size=(2, 3)), "k2": RNG.integers(-9, 9, size=2)}
C = {"z4": RNG.normal(size=4) + 1j * RNG.normal(size=4), "y4": RNG.normal(size=4) + 1j * RNG.normal(size=4)}
for key, array in {**X, **I, **C}.items():
    AREA.array(key, array)


def case(operation, inputs, output, tag="", **parameters):
    names = "_".join(inputs)
    AREA.case(f"{operation}_{names}{tag}", operation, [f"{name}.npy" for name in inputs], output, **parameters)


def products():
    expressions = [
        ("ij,jk->ik", "a23 b34"), ("ij,jk", "a23 b34"), ("ji,kj->ik", "b34 a23"), ("ij,jk,kl->il", "a23 b34 c45"), ("ij,jk,kl->", "a23 b34 c45"),
        ("ii->i", "d33"), ("ii", "d33"), ("ij->ji", "a23"), ("ba", "a23"), ("ij->", "a23"), ("ij->j", "a23"), ("iii->i", "cube"), ("iij->ij", "cube"), ("iji->j", "cube"),
        ("i,i->", "v3 u3"), ("i,j->ij", "v3 w4"), ("i,j->ji", "v3 w4"), ("i,i->i", "v3 u3"), ("ij,j->i", "b34 w4"), ("i,ij,j->", "v3 b34 w4"),
        ("bij,bjk->bik", "t234 t243"), ("bij,bjk->ikb", "t234 t243"), ("ijk,jkl->il", "t234 t345"), ("ijk,ikj->i", "t234 t243"), ("ijk,ikl->jl", "t234 t243"),
        ("...ij,...jk->...ik", "q1234 q2243"), ("...ij,...jk", "t234 q2243"), ("...i->i...", "t234"), ("...,...", "t234 w4"), ("ij...,k->k...", "t234 v3"),
        ("ijk,jl,km->ilm", "t234 d33 c45"), ("ij,ij->ij", "d33 d33"), ("ij,kl->ijkl", "a23 b34"), ("ij,jk->ik", "empty empty_t"), ("ab,bc->ac", "long narrow"),
        ("bij,bjk->bik", "t234 t143"), (",ij->ij", "scalar a23"), ("ij,ik->jk", "narrow narrow"), ("ij,kj->ik", "long long"), ("ijk,ijk->", "t234 t234"), ("ii,ij->j", "d33 b34"),
    ]
    for number, (text, names) in enumerate(expressions):
        names = names.split()
        AREA.case(f"einsum_{number}", "einsum", [f"{name}.npy" for name in names], np.asarray(np.einsum(text, *[X[name] for name in names])), subscripts=text)
    for left, right, axes in [("a23", "b34", 1), ("t234", "t345", 2), ("t234", "t243", [[1, 2], [2, 1]]), ("a23", "w4", 0), ("t234", "t234", 3), ("t345", "t234", [[0, 1], [1, 2]])]:
        case("tensordot", [left, right], np.tensordot(X[left], X[right], axes), f"_{axes if isinstance(axes, int) else 'pairs'}", axes=axes)
    for left, right in [("t234", "t243"), ("t234", "t143"), ("q1234", "q2243"), ("a23", "b34")]:
        case("matmul", [left, right], X[left] @ X[right])
    for left, right in [("a23", "d33"), ("v3", "u3"), ("t234", "row")]:
        case("inner", [left, right], np.asarray(np.inner(X[left], X[right])))
    case("outer", ["v3", "w4"], np.outer(X["v3"], X["w4"]))
    case("outer_whole", ["k2", "k2"], np.outer(I["k2"], I["k2"]))
    for left, right in [("a23", "b34"), ("d33", "one"), ("one", "d33")]:
        case("kron", [left, right], np.kron(X[left], X[right]))
    case("kron", ["v3", "w4"], np.kron(X["v3"], X["w4"]))
    case("kron_whole", ["i23", "j23"], np.kron(I["i23"], I["j23"]))
    case("vdot", ["t234", "t234"], np.asarray(np.vdot(X["t234"], X["t234"])))
    case("vdot_whole", ["i23", "j23"], np.asarray(np.vdot(I["i23"], I["j23"])))
    case("vdot_complex", ["z4", "y4"], np.asarray(np.vdot(C["z4"], C["y4"])))
    case("multi_dot", ["a23", "b34", "c45"], np.linalg.multi_dot([X["a23"], X["b34"], X["c45"]]))
    for power in [0, 1, 2, 5, 7, -1, -3]:
        case("matrix_power", ["d33"], np.linalg.matrix_power(X["d33"], power), f"_{power}", power=power)


def low_rank(n, m, rank):
    return RNG.normal(size=(n, rank)) @ RNG.normal(size=(rank, m))


M = {
    "tall": RNG.normal(size=(23, 5)), "square": RNG.normal(size=(9, 9)), "wide": RNG.normal(size=(4, 13)), "column": RNG.normal(size=(7, 1)), "single": np.array([[-3.0]]),
    "line": RNG.normal(size=(1, 6)), "far": RNG.normal(size=(30, 4)) * [1e-8, 1.0, 1e6, 1e3] + 5.0, "flat": low_rank(14, 6, 3), "flat_wide": low_rank(5, 11, 2), "hilbert": sl.hilbert(8),
    "zero": np.zeros((6, 4)), "singles": RNG.normal(size=(12, 5)).astype(np.float32),
}
B = {"right": RNG.normal(size=(9, 3)), "vector": RNG.normal(size=9), "of_tall": RNG.normal(size=(23, 2)), "of_tall_vector": RNG.normal(size=23), "of_wide": RNG.normal(size=(4, 2)), "of_flat": RNG.normal(size=(14, 2)), "of_flat_wide": RNG.normal(size=5)}
base = RNG.normal(size=(9, 9))
S = {"positive": base @ base.T + 9 * np.eye(9), "symmetric": base + base.T, "lower": np.tril(base) + 3 * np.eye(9), "upper": np.triu(base) + 3 * np.eye(9), "turned": np.eye(6)[[2, 0, 1, 5, 3, 4]], "singular": low_rank(6, 6, 5)}


def plus(x):
    return np.where(x >= 0, 1.0, -1.0)


def factorizations():
    for name in ["tall", "square", "wide", "column", "single", "line", "far", "hilbert", "singles"]:
        q, r = np.linalg.qr(M[name])
        signs = plus(np.diag(r)).astype(q.dtype)
        case("qr_q", [name], q * signs)
        case("qr_r", [name], r * signs[:, None])
    for name in ["tall", "square", "wide", "column", "single", "line", "singles"]:
        u, s, vt = np.linalg.svd(M[name], full_matrices=False)
        n, m = M[name].shape
        signs = plus(vt.sum(axis=1) if n >= m else u.sum(axis=0)).astype(u.dtype)
        for part, value in [("u", u * signs), ("s", s), ("vt", vt * signs[:, None])]:
            case(f"svd_{part}", [name], value)
    for name in ["flat", "flat_wide", "zero", "hilbert", "far"]:
        case("svd_s", [name], np.linalg.svd(M[name], compute_uv=False))
    case("cholesky", ["positive"], np.linalg.cholesky(S["positive"]))
    for name, matrix in [("square", M["square"]), ("positive", S["positive"]), ("turned", S["turned"]), ("hilbert", M["hilbert"])]:
        p, l, u = sl.lu(matrix, p_indices=True)
        # SciPy's indices give the matrix back: a = (l u)[p]. Ours say which row of the matrix each row of l u is.
        case("lu_p", [name], np.argsort(p).astype(np.uint64))
        case("lu_l", [name], l)
        case("lu_u", [name], u)
    for name in ["symmetric", "positive"]:
        values, vectors = np.linalg.eigh(S[name])
        case("eigh_values", [name], values)
        case("eigh_vectors", [name], vectors * plus(vectors.sum(axis=0)))


def systems():
    for name, matrix in [("square", M["square"]), ("positive", S["positive"])]:
        for right in ["right", "vector"]:
            case("solve", [name, right], np.linalg.solve(matrix, B[right]))
        case("inv", [name], np.linalg.inv(matrix))
    for name, lower in [("lower", True), ("upper", False)]:
        for right in ["right", "vector"]:
            for unit in [False, True]:
                case("solve_triangular", [name, right], sl.solve_triangular(S[name], B[right], lower=lower, unit_diagonal=unit), f"_{unit}", lower=lower, unit=unit)
    for name, right in [("tall", "of_tall"), ("tall", "of_tall_vector"), ("wide", "of_wide"), ("flat", "of_flat"), ("square", "vector"), ("flat_wide", "of_flat_wide")]:
        x, residuals, rank, s = np.linalg.lstsq(M[name], B[right], rcond=None)
        for part, value in [("x", x), ("residuals", residuals), ("rank", np.asarray(rank, dtype=np.uint64)), ("s", s)]:
            case(f"lstsq_{part}", [name, right], value)
    for name, matrix in [("square", M["square"]), ("positive", S["positive"]), ("single", M["single"]), ("turned", S["turned"]), ("hilbert", M["hilbert"])]:
        sign, log = np.linalg.slogdet(matrix)
        case("det", [name], np.asarray(np.linalg.det(matrix)))
        case("slogdet", [name], np.array([sign, log]))
    for name in ["tall", "wide", "square", "flat", "zero", "single"]:
        case("pinv", [name], np.linalg.pinv(M[name]))
    for name in ["tall", "wide", "square", "flat", "flat_wide", "zero", "single", "hilbert"]:
        case("matrix_rank", [name], np.asarray(np.linalg.matrix_rank(M[name]), dtype=np.uint64))
    for name in ["tall", "square", "wide", "hilbert"]:
        case("cond", [name], np.asarray(np.linalg.cond(M[name])))


def norms():
    for name in ["tall", "square", "wide", "single"]:
        for order in ["fro", "nuc", np.inf, -np.inf, 1, -1, 2, -2]:
            case("norm_matrix", [name], np.asarray(np.linalg.norm(M[name], order)), f"_{order}", order=order)
    for name in ["v3", "w4"]:
        for order in [np.inf, -np.inf, 0, 1, -1, 2, -2, 3, 0.5]:
            case("norm_vector", [name], np.asarray(np.linalg.norm(X[name], order)), f"_{order}", order=order)
    for axis in [0, 1]:
        for order in [np.inf, 1, 2, 3]:
            case("norm_over", ["tall"], np.linalg.norm(M["tall"], order, axis=axis), f"_{axis}_{order}", axis=axis, order=order)


for key, array in {**M, **B, **S}.items():
    AREA.array(key, array)
for family in [products, factorizations, systems, norms]:
    family()
AREA.finish()
