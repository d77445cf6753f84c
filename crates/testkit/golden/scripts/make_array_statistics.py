"""Golden files of what is asked of the elements of arrays, from NumPy, SciPy and dask.array: nearness, places in a list,
differences, moments, covariances, histograms, coarser grids."""

import dask.array as da
import numpy as np
from scipy import stats

from common import Area

AREA = Area("array_statistics")
RNG = np.random.Generator(np.random.Philox(20261202))
NAN, INF = np.nan, np.inf


def near():
    x = RNG.normal(size=(4, 6))
    y = x * (1 + RNG.choice([0, 1e-6, 1e-4, -1e-4], size=x.shape))
    x[0, :5], y[0, :5] = [NAN, INF, -INF, INF, 0.0], [NAN, INF, INF, 1.0, INF]
    x[1, :3], y[1, :3] = [1.0, 0.0, 1e-9], [NAN, -0.0, 0.0]
    return x, y


LEFT, RIGHT = near()
X = {
    "left": LEFT, "right": RIGHT, "plane": RNG.normal(size=(5, 7)), "wide": RNG.normal(size=(4, 30)), "line": RNG.normal(size=11),
    "cube": RNG.normal(size=(4, 6, 3)), "weights": RNG.random(size=(5, 7)), "other": RNG.normal(size=(5, 7)),
    "third": RNG.normal(size=(5, 7)),
}
HOLES = X["plane"].copy()
HOLES[0, 1], HOLES[2, :], HOLES[4, 6] = NAN, NAN, NAN
X["holes"] = HOLES
SORTED = np.array([-1.5, -0.5, -0.5, 0.0, 0.25, 0.25, 1.0, INF])
X["values"] = np.array([[-2.0, -0.5, 0.0, 0.1], [0.25, 2.0, INF, NAN], [-INF, -1.5, 1.0, -0.0]])
I = {"whole": RNG.integers(-30, 30, size=(6, 8)), "small": RNG.integers(0, 9, size=(5, 7)), "steps": RNG.integers(-9, 9, size=12), "single": np.array([3])}
for key, array in {**X, **I}.items():
    AREA.array(key, array)


def case(operation, inputs, output, tag="", **parameters):
    names = "_".join(inputs)
    AREA.case(f"{operation}_{names}{tag}", operation, [f"{name}.npy" for name in inputs], output, **parameters)


def nearness():
    for relative, absolute in [(1e-5, 1e-8), (0.0, 0.0), (1e-3, 0.0)]:
        parameters = {"relative": relative, "absolute": absolute}
        case("is_close", ["left", "right"], np.isclose(LEFT, RIGHT, relative, absolute), f"_{relative}", **parameters)
        case("is_close", ["right", "left"], np.isclose(RIGHT, LEFT, relative, absolute), f"_{relative}", **parameters)
        case("all_close", ["left", "right"], np.array(np.allclose(LEFT, RIGHT, relative, absolute)), f"_{relative}", **parameters)
    case("all_close", ["plane", "plane"], np.array(np.allclose(X["plane"], X["plane"], 0.0, 0.0)), relative=0.0, absolute=0.0)
    case("nan_to_num", ["left"], np.nan_to_num(LEFT, nan=0.5, posinf=7.0, neginf=-8.0), nan=0.5, positive=7.0, negative=-8.0)
    case("is_not_nan", ["left"], ~np.isnan(LEFT))
    quotient, rest = np.divmod(I["whole"], 7)
    case("divmod", ["whole"], quotient, "_quotient", by=7, part=0)
    case("divmod", ["whole"], rest, "_rest", by=7, part=1)


def lookups():
    for side in ["left", "right"]:
        case("search_sorted", ["values"], np.searchsorted(SORTED, X["values"], side).astype(np.uint64), f"_{side}", side=side, sorted=list(SORTED))
        edges = SORTED[:-1]
        case("digitize", ["values"], np.digitize(X["values"], edges, right=side == "left").astype(np.uint64), f"_{side}", side=side, edges=list(edges))
        case("digitize", ["values"], np.digitize(X["values"], edges[::-1], right=side == "left").astype(np.uint64), f"_{side}_falling", side=side, edges=list(edges[::-1]))
    case("is_in", ["whole"], np.isin(I["whole"], [3, -4, 11, 3, 29]), values=[3, -4, 11, 3, 29])
    case("is_in", ["whole"], np.isin(I["whole"], []), "_nothing", values=[])
    case("is_in_floats", ["values"], np.isin(X["values"], [NAN, 0.0, INF]), values=["nan", 0.0, "inf"])


def differences():
    for name in ["steps", "whole"]:
        for axis in range(I[name].ndim):
            for times in [0, 1, 2, 5, 20]:
                case("diff", [name], np.diff(I[name], times, axis), f"_{axis}_{times}", axis=axis, times=times)
    for name in ["steps", "whole", "single"]:
        case("ediff1d", [name], np.ediff1d(I[name]))
    for name, axis in [("line", 0), ("plane", 0), ("plane", 1), ("cube", 1)]:
        for spacing in [1.0, 0.25, 3.0]:
            case("gradient", [name], np.gradient(X[name], spacing, axis=axis), f"_{axis}_{spacing}", axis=axis, spacing=spacing)
    two = X["plane"][:2]
    AREA.array("two", two)
    case("gradient", ["two"], np.gradient(two, axis=0), axis=0, spacing=1.0)


def moments():
    for name, axis in [("plane", None), ("plane", 0), ("plane", 1), ("cube", 2)]:
        tag = "all" if axis is None else axis
        case("ptp", [name], np.ptp(X[name], axis=axis), f"_{tag}", axis=axis)
        for order in [0, 1, 2, 3, 4]:
            case("moment", [name], np.asarray(stats.moment(X[name], order, axis=axis)), f"_{tag}_{order}", axis=axis, order=order)
    for axis in [0, 1]:
        case("nan_moment", ["holes"], np.asarray(stats.moment(HOLES, 3, axis=axis, nan_policy="omit")), f"_{axis}", axis=axis, order=3)
        case("nancumsum", ["holes"], np.nancumsum(HOLES, axis=axis), f"_{axis}", axis=axis)
        case("nancumprod", ["holes"], np.nancumprod(HOLES, axis=axis), f"_{axis}", axis=axis)
    for ddof in [0, 1, 2]:
        case("cov", ["wide"], np.cov(X["wide"], ddof=ddof), f"_{ddof}", ddof=ddof)
    case("corrcoef", ["wide"], np.corrcoef(X["wide"]))


def coarser():
    for name, windows in [("cube", [2, 3, 1]), ("cube", [1, 1, 3]), ("cube", [4, 6, 3]), ("cube", [2, 2, 3])]:
        for function in ["sum", "mean", "max", "std"]:
            found = da.coarsen(getattr(np, function), da.from_array(X[name]), dict(enumerate(windows))).compute()
            case("coarsen", [name], found, f"_{function}_{'x'.join(map(str, windows))}", windows=windows, function=function)


def histograms():
    even, uneven = np.linspace(-2.0, 2.0, 9), [-3.0, -0.5, 0.0, 0.1, 2.0]
    for tag, edges in [("even", even), ("uneven", uneven), ("two", [0.0, 1.0])]:
        edges = list(map(float, edges))
        for name in ["plane", "holes"]:
            case("histogram", [name], np.histogram(X[name], edges)[0].astype(np.uint64), f"_{tag}", edges=edges)
        case("histogram_density", ["plane"], np.histogram(X["plane"], edges, density=True)[0], f"_{tag}", edges=edges)
        case("histogram_weighted", ["plane", "weights"], np.histogram(X["plane"], edges, weights=X["weights"])[0], f"_{tag}", edges=edges)
    case("histogram_whole", ["whole"], np.histogram(I["whole"], list(range(-30, 31, 5)))[0].astype(np.uint64), edges=[float(x) for x in range(-30, 31, 5)])
    case("bin_edges", [], np.histogram_bin_edges([], 7, (-1.5, 2.25)), low=-1.5, high=2.25, n=7)
    pair, three = [list(even), uneven], [list(even), uneven, [-1.0, 0.0, 1.0]]
    case("histogram2d", ["plane", "other"], np.histogram2d(X["plane"].ravel(), X["other"].ravel(), pair)[0].astype(np.uint64), edges=pair)
    sample = np.stack([X[name].ravel() for name in ["plane", "other", "third"]], axis=1)
    case("histogramdd", ["plane", "other", "third"], np.histogramdd(sample, three)[0].astype(np.uint64), edges=three)
    case("histogramdd_weighted", ["plane", "other", "third", "weights"], np.histogramdd(sample, three, weights=X["weights"].ravel())[0], edges=three)
    for n in [9, 12]:
        case("bincount", ["small"], np.bincount(I["small"].ravel(), minlength=n).astype(np.uint64), f"_{n}", n=n)
        case("bincount_weighted", ["small", "weights"], np.bincount(I["small"].ravel(), X["weights"].ravel(), n), f"_{n}", n=n)


for family in [nearness, lookups, differences, moments, coarser, histograms]:
    family()
AREA.finish()
