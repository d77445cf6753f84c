"""Golden files of elements chosen and replaced, from NumPy: masks, points, choices, assignment."""

import numpy as np

from common import Area

AREA = Area("array_select")
RNG = np.random.Generator(np.random.Philox(20261201))
X = {
    "line": RNG.integers(-9, 10, size=9), "plane": RNG.integers(-3, 4, size=(5, 6)), "plane2": RNG.integers(-99, 100, size=(5, 6)),
    "plane3": RNG.integers(-99, 100, size=(5, 6)), "cube": RNG.integers(-2, 3, size=(3, 4, 5)), "empty": np.zeros((0, 3), np.int64),
    "row": RNG.integers(100, 200, size=6), "short_row": RNG.integers(100, 200, size=3), "part": RNG.integers(100, 200, size=(2, 3)),
    "column": RNG.integers(100, 200, size=(3, 1)), "which": RNG.integers(-2, 5, size=(5, 6)),
}
for key, array in X.items():
    AREA.array(key, array)


def case(operation, inputs, output, tag="", **parameters):
    names = "_".join(inputs)
    AREA.case(f"{operation}_{names}{tag}", operation, [f"{name}.npy" for name in inputs], output, **parameters)


def chosen():
    for name in ["line", "plane", "cube", "empty"]:
        for above in [-100, 0, 100]:
            case("filter", [name], X[name][X[name] > above], f"_{above}", above=above)
        case("flat_nonzero", [name], np.flatnonzero(X[name]).astype(np.uint64))
        for axis, found in enumerate(np.nonzero(X[name])):
            case("nonzero", [name], found.astype(np.uint64), f"_{axis}", part=axis)
        case("argwhere", [name], np.argwhere(X[name]).astype(np.uint64))
    for name, n in [("line", 12), ("plane", 12), ("plane", 0), ("cube", 100)]:
        points = [RNG.integers(0, length, size=n) for length in X[name].shape]
        case("vindex", [name], X[name][tuple(points)], f"_{n}", points=[list(map(int, axis)) for axis in points])


def choices():
    case("choose", ["which", "plane", "plane2", "plane3"], np.choose(X["which"], [X["plane"], X["plane2"], X["plane3"]], mode="clip"))
    x = X["plane"]
    case("piecewise", ["plane"], np.piecewise(x, [x < 1, x < -1, x == 3], [lambda v: -v, lambda v: v * 10, lambda v: v + 7, 5]))


def assigned():
    def with_values(name, text, values, tag=""):
        x, value = X[name].copy(), X.get(values, values)
        exec(f"x[{text}] = value", {"x": x, "value": value})
        inputs = [name] + ([values] if isinstance(values, str) else [])
        case("assign", inputs, x, f"_{tag or text.replace(':', '.').replace(', ', '_')}", text=text, scalar=None if isinstance(values, str) else values)

    with_values("plane", ":, :", 5)
    with_values("plane", "1:3, 2:5", 5)
    with_values("plane", "1:3, 2:5", "part")
    with_values("plane", ":, :", "plane2")
    with_values("plane", ":, :", "row", "row")
    with_values("plane", "2, :", "row", "one_row")
    with_values("plane", ":, ::2", "short_row", "every_other")
    with_values("plane", "1:4, 0:6:2", "column", "column")
    with_values("plane", "1:5:3, 1:6:2", "part", "steps")
    with_values("plane", "::-1, ::-1", "plane2", "backward")
    with_values("plane", "4:0:-3, 5:0:-2", "part", "backward_steps")
    with_values("plane", "-1, -2", 77, "corner")
    with_values("plane", "2:2, :", 77, "nothing")
    with_values("line", "3:", 1)
    with_values("line", "8:1:-4", 1, "line_backward")
    case("assign_where", ["plane", "plane2"], np.where(X["plane"] > 0, X["plane2"], X["plane"]))


for family in [chosen, choices, assigned]:
    family()
AREA.finish()
