"""Golden files of the layout of arrays, from NumPy: orders, repeats, pads, joins, splits, triangles and diagonals."""

import numpy as np

from common import Area

AREA = Area("array_layout")
RNG = np.random.Generator(np.random.Philox(20261130))
X = {
    "line": RNG.integers(-9, 10, size=7), "line2": RNG.integers(-9, 10, size=7), "short": RNG.integers(-9, 10, size=3),
    "plane": RNG.integers(-99, 100, size=(5, 6)), "plane2": RNG.integers(-99, 100, size=(5, 6)),
    "cube": RNG.integers(-99, 100, size=(3, 4, 5)), "single": np.array([4]), "thin": RNG.integers(-9, 10, size=(1, 5, 1)),
    "empty": np.zeros((0, 3), np.int64), "scalar": np.array(7),
}
FLOATS = {"ramp_line": RNG.normal(size=6), "ramp_plane": RNG.normal(size=(4, 5))}
for key, array in {**X, **FLOATS}.items():
    AREA.array(key, array)


def case(operation, inputs, output, tag="", **parameters):
    names = "_".join(inputs)
    AREA.case(f"{operation}_{names}{tag}", operation, [f"{name}.npy" for name in inputs], output, **parameters)


def orders():
    for a in range(3):
        for b in range(3):
            case("move_axis", ["cube"], np.moveaxis(X["cube"], a, b), f"_{a}{b}", start=a, end=b)
        case("flip", ["cube"], np.flip(X["cube"], a), f"_{a}", axis=a)
    for name in ["plane", "cube"]:
        for k in range(-3, 6):
            case("rot90", [name], np.rot90(X[name], k), f"_{k}", quarters=k, start=0, end=1)
    case("rot90", ["cube"], np.rot90(X["cube"], 1, (2, 0)), "_across", quarters=1, start=2, end=0)
    for name, axis in [("line", 0), ("plane", 0), ("plane", 1), ("empty", 0), ("empty", 1)]:
        for shift in [0, 1, -1, 2, 5, -13, 100]:
            case("roll", [name], np.roll(X[name], shift, axis), f"_{axis}_{shift}", shift=shift, axis=axis)


def repeats():
    for name, times in [("line", [3]), ("line", [0]), ("plane", [2, 1]), ("plane", [1, 3]), ("plane", [2, 2]), ("plane", [0, 2]), ("cube", [1, 2, 2]), ("empty", [2, 2])]:
        case("tile", [name], np.tile(X[name], times), "_" + "x".join(map(str, times)), times=times)
    for name in ["line", "plane", "cube", "empty"]:
        for axis in range(X[name].ndim):
            for times in [0, 1, 2, 5]:
                case("repeat", [name], np.repeat(X[name], times, axis), f"_{axis}_{times}", axis=axis, times=times)


def pads():
    widths = {
        "line": [[[2, 3]], [[0, 1]], [[15, 20]]],
        "single": [[[3, 2]]],
        "plane": [[[1, 2], [3, 0]], [[7, 0], [0, 13]]],
        "cube": [[[1, 1], [2, 0], [0, 6]]],
    }
    for name, all_widths in widths.items():
        for at, width in enumerate(all_widths):
            for mode in ["edge", "reflect", "symmetric", "wrap"]:
                case("pad", [name], np.pad(X[name], width, mode), f"_{mode}_{at}", mode=mode, width=width)
            case("pad", [name], np.pad(X[name], width, constant_values=-5), f"_constant_{at}", mode="constant", width=width, constant=-5)
    case("pad", ["empty"], np.pad(X["empty"], [[2, 1], [1, 1]]), "_constant", mode="constant", width=[[2, 1], [1, 1]], constant=0)
    for name, width in [("ramp_line", [[3, 4]]), ("ramp_plane", [[2, 0], [1, 3]])]:
        case("pad_ramp", [name], np.pad(FLOATS[name], width, "linear_ramp", end_values=0.5), width=width, end=0.5)
        for mode in ["maximum", "mean", "minimum"]:
            axis_0 = [[0, 0]] * (FLOATS[name].ndim - 1) + [[2, 3]]
            axis = FLOATS[name].ndim - 1
            case("pad_with", [name], np.pad(FLOATS[name], axis_0, mode), f"_{mode}", mode=mode, axis=axis, width=[2, 3])


def joins():
    for operation, function in {"vstack": np.vstack, "hstack": np.hstack, "dstack": np.dstack, "column_stack": np.column_stack}.items():
        for names in [["line", "line2"], ["plane", "plane2"], ["cube", "cube"], ["plane"]]:
            if operation == "column_stack" and names[0] == "cube":
                continue
            case(operation, names, function([X[name] for name in names]))
    for name in ["scalar", "line", "plane", "cube"]:
        for ndim, function in enumerate([np.atleast_1d, np.atleast_2d, np.atleast_3d], 1):
            case(f"atleast_{ndim}d", [name], function(X[name]))
    for name in ["thin", "plane", "single"]:
        case("squeeze", [name], np.squeeze(X[name]))
    case("squeeze_axis", ["thin"], np.squeeze(X["thin"], 2), axis=2)
    for index in [0, 3, 7]:
        case("insert", ["line", "short"], np.insert(X["line"], index, X["short"]), f"_{index}", axis=0, index=index)
    case("insert", ["plane", "plane2"], np.insert(X["plane"], [2] * 6, X["plane2"], axis=1), axis=1, index=2)
    for at, indices in enumerate([[], [0], [6, 2, 2], [0, 1, 2, 3, 4, 5, 6]]):
        case("delete", ["line"], np.delete(X["line"], np.array(indices, int)), f"_{at}", axis=0, indices=indices)
    case("delete", ["cube"], np.delete(X["cube"], [3, 1], axis=1), axis=1, indices=[3, 1])
    case("append", ["plane", "plane2"], np.append(X["plane"], X["plane2"], axis=1), axis=1)


def splits():
    for at, indices in enumerate([[], [2], [0, 3, 3, 7]]):
        for part, found in enumerate(np.split(X["line"], indices)):
            case("split", ["line"], found, f"_{at}_{part}", axis=0, indices=indices, part=part)
    for part, found in enumerate(np.split(X["cube"], [1, 3], axis=2)):
        case("split", ["cube"], found, f"_{part}", axis=2, indices=[1, 3], part=part)
    for parts in [1, 2, 4, 9]:
        for part, found in enumerate(np.array_split(X["line"], parts)):
            case("array_split", ["line"], found, f"_{parts}_{part}", axis=0, parts=parts, part=part)
    for part in range(4):
        case("unstack", ["cube"], X["cube"][:, part], f"_{part}", axis=1, part=part)


def triangles():
    for name in ["plane", "cube", "empty"]:
        for offset in [-9, -2, -1, 0, 1, 3, 9]:
            case("tril", [name], np.tril(X[name], offset), f"_{offset}", offset=offset)
            case("triu", [name], np.triu(X[name], offset), f"_{offset}", offset=offset)
    for rows, columns, offset in [(4, 4, 0), (3, 5, 1), (5, 3, -2), (0, 3, 0)]:
        case("tri", [], np.tri(rows, columns, offset, int), f"{rows}{columns}_{offset}", shape=[rows, columns], offset=offset)
    for name in ["line", "single"]:
        for offset in [-3, -1, 0, 1, 2]:
            case("from_diag", [name], np.diag(X[name], offset), f"_{offset}", offset=offset)
    for offset in [-4, -1, 0, 1, 2, 5]:
        case("diagonal", ["plane"], np.diagonal(X["plane"], offset), f"_{offset}", offset=offset, rows=0, columns=1)
        case("trace", ["plane"], np.trace(X["plane"], offset), f"_{offset}", offset=offset)
    for rows in range(3):
        for columns in range(3):
            if rows != columns:
                case("diagonal", ["cube"], np.diagonal(X["cube"], 1, rows, columns), f"_{rows}{columns}", offset=1, rows=rows, columns=columns)
    case("trace", ["cube"], np.trace(X["cube"], -1), offset=-1)


def grids():
    for indexing in ["xy", "ij"]:
        for names in [["line"], ["line", "short"], ["line", "short", "single"]]:
            for part, found in enumerate(np.meshgrid(*[X[name] for name in names], indexing=indexing)):
                case("meshgrid", names, found, f"_{indexing}_{part}", indexing=indexing, part=part)
    for part, found in enumerate(np.broadcast_arrays(X["plane"], X["plane"][:, :1])):
        AREA.array("column", X["plane"][:, :1])
        case("broadcast_arrays", ["plane", "column"], found, f"_{part}", part=part)


def takes():
    for name, axis, indices in [("line", 0, [6, 0, 0, 3]), ("line", 0, []), ("plane", 0, [4, 4, 1]), ("plane", 1, [5, 3, 1, 0, 0, 2, 4]), ("cube", 1, [3, 2, 1, 0]), ("cube", 2, [2])]:
        case("take", [name], np.take(X[name], indices, axis) if indices else np.take(X[name], np.array([], int), axis), f"_{axis}_{len(indices)}", axis=axis, indices=indices)
    for name, axis in [("line", 0), ("plane", 1), ("cube", 0)]:
        truths = RNG.random(X[name].shape[axis]) < 0.5
        case("compress", [name], np.compress(truths, X[name], axis), f"_{axis}", axis=axis, truths=truths.tolist())


for family in [orders, repeats, pads, joins, splits, triangles, grids, takes]:
    family()
AREA.finish()
