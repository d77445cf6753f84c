"""Golden files of maps over lines, windows, groups and named axes, from NumPy."""

import numpy as np

from common import Area

AREA = Area("array_maps")
RNG = np.random.Generator(np.random.Philox(20261231))
NAN = np.nan
X = {
    "plane": RNG.normal(size=(7, 9)),
    "cube": RNG.normal(size=(3, 4, 5)),
    "line": RNG.normal(size=23),
    "square": RNG.normal(size=(9, 7)),
    "few": RNG.integers(0, 3, size=23).astype(float),
    "rising": np.sort(np.round(RNG.normal(size=12), 1)),
}
X["holes"] = X["plane"].copy()
X["holes"][2, 3], X["holes"][6, 0] = NAN, NAN
for key, array in X.items():
    AREA.array(key, array)


def case(operation, inputs, output, tag="", **parameters):
    AREA.case(f"{operation}_{'_'.join(inputs)}{tag}", operation, [f"{name}.npy" for name in inputs], output, **parameters)


def windows():
    for name, shape in [("plane", (3, 2)), ("plane", (7, 9)), ("line", (5,)), ("cube", (1, 2, 3))]:
        tag = "_" + "_".join(map(str, shape))
        case("sliding_window_view", [name], np.lib.stride_tricks.sliding_window_view(X[name], shape), tag, windows=list(shape))
    for name in ["plane", "holes", "line"]:
        for axis in range(X[name].ndim):
            for window in [1, 2, 5]:
                view = np.lib.stride_tricks.sliding_window_view(X[name], window, axis)
                for how in ["sum", "mean", "max", "min"]:
                    case(f"rolling_{how}", [name], getattr(view, how)(-1), f"_{axis}_{window}", axis=axis, window=window)
    for mode in ["full", "same", "valid"]:
        for kernel in [[2.0], [1.0, -0.5], [0.25, 0.5, 3.0], [1.0, 2.0, 0.0, -1.0]]:
            tag = f"_{mode}_{len(kernel)}"
            case("convolve", ["line"], np.convolve(X["line"], kernel, mode), tag, kernel=kernel, mode=mode)
            case("correlate", ["line"], np.correlate(X["line"], kernel, mode), tag, kernel=kernel, mode=mode)


def lines():
    for name in ["plane", "cube"]:
        for axis in range(X[name].ndim):
            indices = np.argsort(-X[name], axis, kind="stable")[tuple(slice(0, 2) if a == axis else slice(None) for a in range(X[name].ndim))]
            AREA.array(f"at_{name}_{axis}", indices.astype(np.uint64))
            case("take_along_axis", [name, f"at_{name}_{axis}"], np.take_along_axis(X[name], indices, axis), axis=axis)
            changed = X[name].copy()
            values = np.arange(indices.size, dtype=float).reshape(indices.shape)
            AREA.array(f"put_{name}_{axis}", values)
            np.put_along_axis(changed, indices, values, axis)
            case("put_along_axis", [name, f"at_{name}_{axis}", f"put_{name}_{axis}"], changed, axis=axis)
            case("map_axis", [name], np.apply_along_axis(lambda v: v[0] - 2 * v[-1], axis, X[name]), f"_{axis}", axis=axis)
            case("map_lanes", [name], np.apply_along_axis(lambda v: np.array([v[1], v[0], v[-1]]), axis, X[name]), f"_{axis}", axis=axis)
    case("apply_over_axes", ["cube"], np.apply_over_axes(np.sum, X["cube"], [0, 2]), axes=[0, 2])
    case("lexsort", ["line", "few"], np.lexsort((X["line"], X["few"])).astype(np.uint64))
    case("lexsort", ["few", "few"], np.lexsort((X["few"], X["few"])).astype(np.uint64))
    for side in ["left", "right"]:
        case("search_sorted_in", ["plane", "rising"], np.searchsorted(X["rising"], X["plane"], side).astype(np.uint64), f"_{side}", side=side)
        case("search_sorted_in", ["rising", "rising"], np.searchsorted(X["rising"], X["rising"], side).astype(np.uint64), f"_{side}", side=side)
    at, values = [-1.0, -0.25, 0.5, 1.0], [3.0, -1.0, 0.0, 10.0]
    case("interp", ["holes"], np.interp(X["holes"], at, values), at=at, values=values)
    case("shuffle", ["plane"], X["plane"][:, [8, 0, 3, 3, 1]], groups=[[8, 0], [3], [3, 1]], axis=1)


def names():
    case("blockwise_product", ["plane", "square"], np.einsum("ij,jk->ik", X["plane"], X["square"]))
    case("blockwise_outer", ["line", "few"], np.einsum("i,j->ji", X["line"], X["few"]))
    case("gufunc_inner", ["plane", "plane"], np.einsum("ij,ij->i", X["plane"], X["plane"]))
    case("gufunc_matvec", ["cube", "cube"], np.einsum("xij,xkj->xik", X["cube"], X["cube"]))


def groups():
    for name in ["plane", "holes", "cube"]:
        for axis in range(X[name].ndim):
            n = X[name].shape[axis]
            labels = [(3 * i + i // 2) % 4 for i in range(n)]
            parts = [np.compress([label == group for label in labels], X[name], axis) for group in range(5)]
            some = lambda f: np.stack([f(part, axis=axis) if part.shape[axis] else np.full(np.delete(part.shape, axis), NAN) for part in parts], axis)
            for how in ["sum", "mean", "max", "min"]:
                output = np.stack([part.sum(axis) for part in parts], axis) if how == "sum" else some(getattr(np, how))
                case(f"group_{how}", [name], output, f"_{axis}", axis=axis, labels=labels, n=5)


for family in [windows, lines, names, groups]:
    family()
AREA.finish()
