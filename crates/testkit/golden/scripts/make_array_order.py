"""Golden files of elements by their order, from NumPy and dask.array: sorts, places, the largest, quantiles."""

import warnings

import dask.array as da
import numpy as np

from common import Area

warnings.simplefilter("ignore", RuntimeWarning)
AREA = Area("array_order")
RNG = np.random.Generator(np.random.Philox(20261203))
NAN, INF = np.nan, np.inf
X = {"plane": RNG.normal(size=(6, 7)), "cube": RNG.normal(size=(4, 5, 6)), "line": RNG.normal(size=23), "ties": RNG.integers(0, 4, size=(5, 9)).astype(float)}
HOLES = RNG.normal(size=(6, 8))
HOLES[0, 0], HOLES[1, :], HOLES[3, 2:5], HOLES[5, 7] = NAN, NAN, NAN, 9.0
X["holes"] = HOLES
X["ends"] = np.array([[INF, -INF, 1.0, 2.0], [INF, INF, INF, 0.0], [-INF, -INF, 3.0, 4.0], [1e308, 1e308, -1e308, 0.0]])
X["truth"] = (RNG.random(size=(6, 7)) < 0.6).astype(float)
I = {"whole": RNG.integers(-20, 20, size=(5, 8)), "one": np.array([[7]])}
for key, array in {**X, **I}.items():
    AREA.array(key, array)


def case(operation, inputs, output, tag="", **parameters):
    names = "_".join(inputs)
    AREA.case(f"{operation}_{names}{tag}", operation, [f"{name}.npy" for name in inputs], output, **parameters)


def sorts():
    for name in ["plane", "cube", "holes", "ends", "ties"]:
        for axis in range(X[name].ndim):
            case("sort", [name], np.sort(X[name], axis), f"_{axis}", axis=axis)
            case("argsort", [name], np.argsort(X[name], axis, kind="stable").astype(np.uint64), f"_{axis}", axis=axis)
    for axis in [0, 1]:
        case("sort_whole", ["whole"], np.sort(I["whole"], axis), f"_{axis}", axis=axis)
        for k in [1, 3, -2, -20, 0, 20]:
            case("topk_whole", ["whole"], da.topk(da.from_array(I["whole"]), k, axis).compute() if k else I["whole"].take([], axis), f"_{axis}_{k}", axis=axis, k=k)
    for name in ["plane", "cube", "line"]:
        for axis in range(X[name].ndim):
            for k in [1, 2, -2, 100]:
                case("topk", [name], da.topk(da.from_array(X[name]), k, axis).compute(), f"_{axis}_{k}", axis=axis, k=k)
                case("argtopk", [name], da.argtopk(da.from_array(X[name]), k, axis).compute().astype(np.uint64), f"_{axis}_{k}", axis=axis, k=k)


def quantiles():
    for name in ["plane", "cube", "holes", "ends"]:
        for axis in [None, *range(X[name].ndim)]:
            tag = "all" if axis is None else axis
            case("median", [name], np.median(X[name], axis), f"_{tag}", axis=axis)
            case("nanmedian", [name], np.nanmedian(X[name], axis), f"_{tag}", axis=axis)
            for q in [0.0, 0.1, 0.5, 0.77, 1.0]:
                for method in ["linear", "lower", "higher", "nearest", "midpoint"]:
                    if name == "ends" and method in ("linear", "midpoint"):
                        continue
                    case("quantile", [name], np.quantile(X[name], q, axis, method=method), f"_{tag}_{q}_{method}", axis=axis, q=q, method=method)
                if name != "ends":
                    case("nanquantile", [name], np.nanquantile(X[name], q, axis), f"_{tag}_{q}", axis=axis, q=q, method="linear")
    case("quantile", ["cube"], np.quantile(X["cube"], 0.3, (0, 2)), "_02", axis=[0, 2], q=0.3, method="linear")
    case("percentile_whole", ["whole"], np.percentile(I["whole"], 35.0, axis=1), axis=1, q=35.0, method="linear")
    case("median_whole", ["whole"], np.median(I["whole"], axis=0), axis=0)
    case("median_whole", ["one"], np.median(I["one"], axis=0), axis=0)
    left = np.where(X["truth"] == 1, X["plane"], NAN)
    for axis in [0, 1]:
        case("quantile_where", ["plane", "truth"], np.nanquantile(left, 0.4, axis), f"_{axis}", axis=axis, q=0.4, method="linear")


for family in [sorts, quantiles]:
    family()
AREA.finish()
