"""Golden files of the array area, from NumPy and dask.array."""

import math
import warnings

import dask.array as da
import numpy as np
import pandas as pd
from scipy import ndimage

from common import Area

AREA = Area("array")
NAN, INF = np.nan, np.inf


def inputs():
    """The arrays that the cases read, by name."""
    rng = np.random.Generator(np.random.Philox(20261122))
    finite = rng.normal(size=(6, 7)) * 3
    other = rng.normal(size=(6, 7)) * 2
    odd = finite.copy()
    odd[0, :6] = [NAN, INF, -INF, -0.0, 0.0, 5e-324]
    odd[3, 2] = NAN
    odd2 = other.copy()
    odd2[0, :6] = [1.0, INF, 2.0, 0.0, -0.0, -1.0]
    odd2[3, :3] = [NAN, -INF, NAN]
    cube = rng.normal(size=(4, 5, 6))
    hole = cube.copy()
    hole[1, 2, 3] = NAN
    hole[2, :, 4] = NAN
    hole[3] = NAN
    i32 = rng.integers(-50, 50, size=(4, 5, 6)).astype(np.int32)
    i32[0, 0, :] = np.iinfo(np.int32).max
    i32[1, 1, :] = np.iinfo(np.int32).min
    return {
        "finite": finite, "other": other, "odd": odd, "odd2": odd2,
        "row": rng.normal(size=7), "column": rng.normal(size=(6, 1)), "positive": np.abs(finite) + 0.25,
        "single": finite.astype(np.float32), "single2": other.astype(np.float32),
        "whole": rng.integers(-9, 10, size=(6, 7)), "whole2": rng.choice([-4, -3, -2, -1, 1, 2, 3, 5], size=(6, 7)),
        "byte": rng.integers(0, 256, size=(4, 5, 6)).astype(np.uint8), "truth": rng.random((4, 5, 6)) < 0.3,
        "mask": rng.random((6, 7)) < 0.5,
        "cube": cube, "hole": hole, "cube32": cube.astype(np.float32), "int32": i32,
        "int64": rng.integers(-2**40, 2**40, size=(4, 5, 6)),
        "int64wide": np.array([2**63 - 1, 2**63 - 1, -5, 7]), "uint64wide": np.array([2**64 - 1, 2, 3], np.uint64),
        "far": 1e8 + rng.normal(size=5000), "many": rng.normal(size=4096) * np.exp(rng.normal(size=4096) * 4),
        "three_a": rng.normal(size=(2, 1, 4)), "three_b": rng.normal(size=(3, 1)),
    }


X = inputs()
for key, array in X.items():
    AREA.array(key, array)


def file(name):
    return f"{name}.npy"


def elementwise():
    AREA.case("clip_odd", "clip", [file("odd")], np.clip(X["odd"], -1.0, 1.5), low=-1.0, high=1.5)
    AREA.case("select", "select", [file("mask"), file("odd"), file("odd2")], np.where(X["mask"], X["odd"], X["odd2"]))
    AREA.case("select_scalar", "select", [file("mask"), file("odd")], np.where(X["mask"], X["odd"], 0.0), otherwise=0.0)


def broadcasting():
    for a, b in [("finite", "row"), ("finite", "column"), ("column", "row"), ("row", "finite"), ("three_a", "three_b"), ("cube", "three_b")]:
        if a == "cube":
            left, right = X[a][:, :3, :], X[b]
            AREA.array("cube_part", left)
            AREA.case("subtract_cube_part_three_b", "subtract", ["cube_part.npy", file(b)], left - right)
            continue
        AREA.case(f"subtract_{a}_{b}", "subtract", [file(a), file(b)], X[a] - X[b])
        AREA.case(f"multiply_{a}_{b}", "multiply", [file(a), file(b)], X[a] * X[b])
    AREA.case("add_scalar", "add", [file("finite")], X["finite"] + 2.5, scalar=2.5)
    AREA.case("scalar_minus", "subtract_from", [file("finite")], 2.5 - X["finite"], scalar=2.5)
    x, row = X["finite"][:, :6], X["column"].T
    AREA.array("square", x)
    AREA.case("x_plus_transpose", "x_plus_xt_minus_column_mean", ["square.npy"], x + x.T - x.mean(axis=0))
    AREA.case("add_square_transposed_column", "add_transposed", ["square.npy", file("column")], x + row)


def reductions():
    float_ops = {
        "sum": np.sum, "product": np.prod, "mean": np.mean, "min": np.min, "max": np.max,
        "argmin": np.argmin, "argmax": np.argmax, "any": np.any, "all": np.all,
    }
    for name in ["cube", "hole", "cube32"]:
        x = X[name]
        for axis in (None, 0, 1, 2):
            tag = "all" if axis is None else axis
            for operation, function in float_ops.items():
                AREA.case(f"{operation}_{name}_{tag}", operation, [file(name)], function(x, axis=axis), axis=axis)
            for ddof in (0, 1):
                for operation, function in {"variance": np.var, "standard_deviation": np.std}.items():
                    AREA.case(f"{operation}{ddof}_{name}_{tag}", operation, [file(name)], function(x, axis=axis, ddof=ddof), axis=axis, ddof=ddof)
    skipping = {
        "nansum": np.nansum, "nanproduct": np.nanprod, "nanmean": np.nanmean, "nanmin": np.nanmin, "nanmax": np.nanmax, "nanvariance": np.nanvar,
        "nanstandard_deviation": np.nanstd,
    }
    several = [(0, 1), (0, 2), (1, 2)]
    for axis in [None, 0, 1, 2, *several]:
        tag = "all" if axis is None else "".join(map(str, np.atleast_1d(axis)))
        for operation, function in skipping.items():
            AREA.case(f"{operation}_hole_{tag}", operation, ["hole.npy"], function(X["hole"], axis=axis), axis=axis)
    for axis in several:
        tag = "".join(map(str, axis))
        for operation in ["sum", "product", "mean", "min", "max"]:
            AREA.case(f"{operation}_cube_{tag}", operation, ["cube.npy"], float_ops[operation](X["cube"], axis=axis), axis=axis)
            AREA.case(f"{operation}_kept_cube_{tag}", f"kept_{operation}", ["cube.npy"], float_ops[operation](X["cube"], axis=axis, keepdims=True), axis=axis)
        AREA.case(f"variance1_cube_{tag}", "variance", ["cube.npy"], np.var(X["cube"], axis=axis, ddof=1), axis=axis, ddof=1)
        for name in ["int32", "byte"]:
            AREA.case(f"sum_{name}_{tag}", "sum", [file(name)], np.sum(X[name], axis=axis), axis=axis)
            AREA.case(f"max_{name}_{tag}", "max", [file(name)], np.max(X[name], axis=axis), axis=axis)
    low = X["cube"] < 0.4
    low[0], low[:, :, 0] = True, True  # something is left of every line: NumPy has no extreme of nothing
    AREA.array("low", low)
    for axis in [None, 0, 2, (0, 2)]:
        tag = "all" if axis is None else "".join(map(str, np.atleast_1d(axis)))
        for operation, function in {"sum": np.sum, "product": np.prod, "mean": np.mean, "variance": np.var}.items():
            AREA.case(f"{operation}_where_{tag}", f"{operation}_where", ["cube.npy", "low.npy"], function(X["cube"], axis=axis, where=low), axis=axis)
        for operation, function, initial in [("min", np.min, INF), ("max", np.max, -INF)]:
            AREA.case(f"{operation}_where_{tag}", f"{operation}_where", ["cube.npy", "low.npy"], function(X["cube"], axis=axis, where=low, initial=initial), axis=axis)
    for axis in (None, 2):
        for operation, function in {"nanargmin": np.nanargmin, "nanargmax": np.nanargmax}.items():
            part = X["hole"][:2]
            AREA.array("hole_part", part)
            AREA.case(f"{operation}_hole_part_{'all' if axis is None else axis}", operation, ["hole_part.npy"], function(part, axis=axis), axis=axis)
    integer_ops = {"sum": np.sum, "mean": np.mean, "min": np.min, "max": np.max, "any": np.any, "all": np.all}
    for name in ["int32", "byte", "int64", "truth"]:
        x = X[name]
        for axis in (None, 0, 1, 2):
            tag = "all" if axis is None else axis
            for operation, function in integer_ops.items():
                AREA.case(f"{operation}_{name}_{tag}", operation, [file(name)], function(x, axis=axis), axis=axis)
            AREA.case(f"variance0_{name}_{tag}", "variance", [file(name)], np.var(x, axis=axis), axis=axis, ddof=0)


def cumulative():
    """Running totals; forward fill is pandas', line by line."""
    fill = lambda line: pd.Series(line).ffill().to_numpy()
    operations = {
        "cumsum": lambda x, axis: np.cumsum(x, axis=axis), "cumprod": lambda x, axis: np.cumprod(x, axis=axis),
        "cummax": lambda x, axis: np.maximum.accumulate(x, axis=axis),
        "cummin": lambda x, axis: np.minimum.accumulate(x, axis=axis),
        "forward_fill": lambda x, axis: np.apply_along_axis(fill, axis, x),
    }
    floats, integers = ["odd", "hole", "single", "cube32"], ["whole", "byte", "int32"]
    kinds = {
        "cumsum": floats + integers + ["int64"], "cumprod": floats + ["whole"], "cummax": floats + integers + ["int64", "truth"],
        "cummin": floats + integers + ["int64", "truth"], "forward_fill": ["odd", "hole", "cube32"],
    }
    for operation, keys in kinds.items():
        for key in keys:
            for axis in range(X[key].ndim):
                found = operations[operation](X[key], axis)
                AREA.case(f"{operation}_{key}_{axis}", operation, [file(key)], found, axis=axis, type=str(X[key].dtype))


def exact_sums():
    """What the exact value is: NumPy wraps integers and rounds float sums, so these come from Python's integers and math.fsum."""
    for name in ["int64wide", "uint64wide"]:
        AREA.case(f"exact_sum_{name}", "exact_integer_sum", [file(name)], value=str(sum(int(v) for v in X[name])), overflows=True)
    for name in ["far", "many"]:
        x = X[name].tolist()
        total = math.fsum(x)
        mean = total / len(x)
        variance = math.fsum((v - mean) ** 2 for v in x) / len(x)
        AREA.case(f"exact_sum_{name}", "exact_float_sum", [file(name)], value=total)
        AREA.case(f"exact_mean_{name}", "exact_mean", [file(name)], value=mean)
        AREA.case(f"exact_variance_{name}", "exact_variance", [file(name)], value=variance, relative_tolerance=1e-12)


def empty_reductions():
    empty = np.empty((0, 3))
    AREA.array("empty", empty)
    for operation, function in {"sum": np.sum, "product": np.prod, "any": np.any, "all": np.all}.items():
        for axis in (None, 0, 1):
            AREA.case(f"{operation}_empty_{'all' if axis is None else axis}", operation, ["empty.npy"], function(empty, axis=axis), axis=axis)
    for operation in ["min", "max"]:
        AREA.case(f"{operation}_empty_1", operation, ["empty.npy"], getattr(np, operation)(empty, axis=1), axis=1)
        AREA.case(f"{operation}_empty_0", operation, ["empty.npy"], value="error: no identity", axis=0)


def slicing():
    """`text` is NumPy's notation; `indices` are the resolved positions of each axis, free of any notation."""
    x = X["cube"]
    cuts = [
        "1:3, :, :", "::2, ::3, ::-1", "::-1, ::-2, 1:5:2", ":, 4:1:-1, :", "-2:, :-1, -5:-1:2", "2:2, :, :", "0:4:9, 0:100, -100:3",
        "3:4, 4:5, 5:6", ":, 1::2, 1::2",
    ]
    for number, text in enumerate(cuts):
        index = eval(f"np.s_[{text}]")
        indices = [list(range(n))[s] for n, s in zip(x.shape, index, strict=True)]
        AREA.case(f"slice_{number}", "slice", ["cube.npy"], x[index], text=text, indices=indices)
    for axis in range(3):
        AREA.case(f"index_axis_{axis}", "index_axis", ["cube.npy"], x.take(2, axis=axis), axis=axis, index=2)


def shapes():
    x, y = X["finite"], X["other"]
    for axis in (0, 1):
        AREA.case(f"concatenate_{axis}", "concatenate", ["finite.npy", "other.npy", "finite.npy"], np.concatenate([x, y, x], axis=axis), axis=axis)
    for axis in (0, 1, 2):
        AREA.case(f"stack_{axis}", "stack", ["finite.npy", "other.npy"], np.stack([x, y], axis=axis), axis=axis)
    parts = [[x[:2, :3], x[:2, 3:]], [x[2:, :3], x[2:, 3:]]]
    names = [AREA.array(f"block_part_{r}{c}", parts[r][c]) for r in range(2) for c in range(2)]
    AREA.case("block_2x2", "block", names, np.block(parts), grid=[2, 2])
    for axes in [(0, 2, 1), (1, 0, 2), (2, 0, 1), (2, 1, 0)]:
        AREA.case("transpose_" + "".join(map(str, axes)), "transpose", ["cube.npy"], X["cube"].transpose(axes), axes=axes)
    AREA.case("reshape", "reshape", ["cube.npy"], X["cube"].reshape(10, 12), shape=[10, 12])
    AREA.case("insert_axis", "insert_axis", ["cube.npy"], X["cube"][:, None], axis=1)
    for axis in range(3):
        AREA.case(f"flip_{axis}", "flip", ["cube.npy"], np.flip(X["cube"], axis=axis), axis=axis)
    AREA.case("rechunk", "rechunk", ["cube.npy"], da.from_array(X["cube"], chunks=(3, 2, 4)).rechunk((1, 5, 3)).compute(), before=[3, 2, 4], after=[1, 5, 3])


def creation():
    AREA.case("linspace", "linspace", [], np.linspace(-1.0, 2.0, 11), start=-1.0, stop=2.0, count=11)
    AREA.case("arange", "arange", [], np.arange(0.5, 9.0, 0.7), start=0.5, stop=9.0, step=0.7)
    AREA.case("arange_down", "arange", [], np.arange(5, -5, -3), start=5, stop=-5, step=-3)
    AREA.case("eye", "eye", [], np.eye(5), rows=5)


def overlap():
    """A window with unequal weights on every chunk with its halo; what lies outside a chunk with its halo counts as zero."""
    x = X["cube"].reshape(10, 12)
    AREA.array("plane", x)
    weights = np.arange(1.0, 16.0).reshape(3, 5) / 8.0
    depth = (1, 2)

    def window(block):
        return ndimage.correlate(block, weights, mode="constant", cval=0.0)

    for boundary in ["reflect", "periodic", "nearest", "none", 1.5]:
        tag = "constant" if boundary == 1.5 else boundary
        results = []
        for chunks in [(10, 12), (4, 5), (3, 4), (2, 3)]:
            lazy = da.from_array(x, chunks=chunks)
            results.append(lazy.map_overlap(window, depth=depth, boundary=boundary, dtype=x.dtype).compute())
        for result in results[1:]:
            np.testing.assert_array_equal(results[0], result)
        AREA.case(f"map_overlap_{tag}", "map_overlap", ["plane.npy"], results[0], boundary=tag, constant=1.5, depth=depth, weights=weights)
        if boundary != "none":
            padded = da.overlap.overlap(da.from_array(x, chunks=x.shape), depth=dict(enumerate(depth)), boundary=boundary).compute()
            AREA.case(f"overlap_{tag}", "overlap_whole", ["plane.npy"], padded, boundary=tag, constant=1.5, depth=depth)


def products():
    rng = np.random.Generator(np.random.Philox(7))
    a, b, v = rng.normal(size=(17, 23)), rng.normal(size=(23, 11)), rng.normal(size=23)
    files = [AREA.array(n, x) for n, x in [("left", a), ("right", b), ("vector", v)]]
    AREA.case("matmul", "matmul", files[:2], a @ b)
    AREA.case("matmul_vector", "matmul", [files[0], files[2]], a @ v)
    AREA.case("dot", "matmul", [files[2], files[2]], v @ v)
    single = [AREA.array(n, x.astype(np.float32)) for n, x in [("left32", a), ("right32", b)]]
    AREA.case("matmul32", "matmul", single, a.astype(np.float32) @ b.astype(np.float32))
    odd = a.copy()
    odd[3, 4], odd[5, 6] = NAN, INF
    AREA.case("matmul_odd", "matmul", [AREA.array("left_odd", odd), files[1]], odd @ b)


warnings.simplefilter("ignore", RuntimeWarning)  # means of empty slices are meant
with np.errstate(all="ignore"):
    for part in [elementwise, broadcasting, reductions, cumulative, exact_sums, empty_reductions, slicing, shapes, creation, overlap, products]:
        part()
AREA.finish()
