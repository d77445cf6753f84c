"""Golden files of orders over many blocks, from NumPy: sorted lines, quantiles of everything, distinct elements."""

import numpy as np

from common import Area

AREA = Area("array_ranges")
RNG = np.random.Generator(np.random.Philox(20261230))
NAN, INF = np.nan, np.inf
X = {
    "line": RNG.normal(size=61),
    "ties": RNG.integers(0, 5, size=83).astype(float),
    "constant": np.full(40, 2.5),
    "plane": RNG.integers(-6, 6, size=(9, 11)) / 4.0,
    "none": np.zeros(0),
    "one": np.array([7.0]),
}
X["holes"] = X["line"].copy()
X["holes"][[0, 7, 33, 60]] = NAN, NAN, -INF, INF
X["zeros"] = np.array([0.0, -0.0, 1.0, -0.0, 0.0, -1.0, NAN, -NAN, 0.0])
I = {"whole": RNG.integers(-30, 30, size=70), "ends": np.array([np.iinfo(np.int64).max, 0, np.iinfo(np.int64).min, -1, 0, 5])}
for key, array in {**X, **I}.items():
    AREA.array(key, array)


def case(operation, name, output, tag="", **parameters):
    AREA.case(f"{operation}_{name}{tag}", operation, [f"{name}.npy"], output, **parameters)


def sorts():
    for name in ["line", "ties", "constant", "holes", "zeros", "none", "one"]:
        case("sort", name, np.sort(X[name]))
        case("argsort", name, np.argsort(X[name], kind="stable").astype(np.uint64))
    for name in I:
        case("sort_whole", name, np.sort(I[name]))
        case("argsort_whole", name, np.argsort(I[name], kind="stable").astype(np.uint64))


def quantiles():
    q = [0.0, 0.01, 0.3, 0.5, 0.99, 1.0]
    for name in ["line", "ties", "constant", "plane", "holes", "one"]:
        for method in ["lower", "higher", "nearest", "linear", "midpoint"]:
            if name == "holes" and method in ["linear", "midpoint"]:
                continue
            case("quantiles", name, np.quantile(X[name], q, method=method), f"_{method}", q=q, method=method)
            case("nanquantiles", name, np.nanquantile(X[name], q, method=method), f"_{method}", q=q, method=method)
    case("percentiles_whole", "whole", np.percentile(I["whole"], [1, 50, 99]), p=[1, 50, 99])


def distinct():
    for name, array in {**X, **I}.items():
        values, indices, inverse, counts = np.unique(array, return_index=True, return_inverse=True, return_counts=True)
        whole = "_whole" if name in I else ""
        case(f"unique{whole}", name, values)
        case(f"unique_counts{whole}", name, counts.astype(np.uint64))
        case(f"unique_indices{whole}", name, indices.astype(np.uint64))
        case(f"unique_inverse{whole}", name, inverse.astype(np.uint64).reshape(array.shape))


for family in [sorts, quantiles, distinct]:
    family()
AREA.finish()
