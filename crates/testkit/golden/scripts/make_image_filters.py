"""Filters of windows, from scipy.ndimage: uniform, minimum, maximum, median, percentile, rank.

An output holds the answers of all modes one behind the other: its first axis is that of `parameters.modes`.
"""

import numpy as np
from scipy import ndimage

from common import Area

AREA = Area("image_filters")
MODES = ["reflect", "nearest", "mirror", "wrap", "constant"]
CVAL = 3
SHAPES = {"line": (13,), "plane": (7, 9), "volume": (4, 5, 6), "four": (3, 4, 3, 5)}
# Sizes even and odd, greater than the axis, one; origins at both ends.
WINDOWS = {
    "line": [(3, 0), (4, 0), (5, -2), (6, 2), (17, 3)],
    "plane": [(3, 0), ([2, 5], 0), ([4, 3], [1, -1]), ([1, 6], [0, -3]), ([9, 10], [-4, 4])],
    "volume": [(3, 0), ([2, 1, 4], [0, 0, 1]), ([5, 3, 2], [-2, 1, -1])],
    "four": [(2, 0), ([3, 1, 2, 4], [1, 0, -1, 1])],
}
FUNCTIONS = ["uniform_filter", "minimum_filter", "maximum_filter", "median_filter"]


def case(name, operation, file, values, size, origin, **more):
    function = getattr(ndimage, operation)
    answers = [function(values, size=size, mode=mode, cval=CVAL, origin=origin, **more) for mode in MODES]
    AREA.case(name, operation, [file], np.stack(answers), size=size, origin=origin, modes=MODES, cval=CVAL, dtype=str(values.dtype), **more)


def floats():
    rng = np.random.Generator(np.random.Philox(31))
    for shape_name, shape in SHAPES.items():
        values = rng.normal(size=shape) * 20
        file = AREA.array(shape_name, values)
        for number, (size, origin) in enumerate(WINDOWS[shape_name]):
            for operation in FUNCTIONS:
                case(f"{operation}_{shape_name}_{number}", operation, file, values, size, origin)
        for size, origin in WINDOWS[shape_name][1:3]:
            for percentile in [0, 20, 62.5, -10, 100]:
                case(f"percentile_{shape_name}_{size}_{percentile}".replace(" ", ""), "percentile_filter", file, values, size, origin, percentile=percentile)
            for rank in [0, 1, -2, -1]:
                case(f"rank_{shape_name}_{size}_{rank}".replace(" ", ""), "rank_filter", file, values, size, origin, rank=rank)


def other_numbers():
    rng = np.random.Generator(np.random.Philox(32))
    for dtype in ["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float32"]:
        kind = np.dtype(dtype)
        if kind.kind == "f":
            values = (rng.normal(size=(7, 9)) * 20).astype(dtype)
        else:
            limits = np.iinfo(dtype)
            # Sums of 64 bits are those of numbers that doubles hold exactly.
            low, high = max(limits.min, -(2**40)), min(limits.max, 2**40)
            values = rng.integers(low, high, size=(7, 9), endpoint=True, dtype=dtype)
        file = AREA.array(f"plane_{dtype}", values)
        for number, (size, origin) in enumerate(WINDOWS["plane"][:3]):
            for operation in FUNCTIONS:
                case(f"{operation}_{dtype}_{number}", operation, file, values, size, origin)
            case(f"percentile_{dtype}_{number}", "percentile_filter", file, values, size, origin, percentile=30)
    # Bytes have a way of their own: it is tried on volumes and on a line with few values, too.
    volume = rng.integers(0, 256, size=(4, 5, 6), dtype=np.uint8)
    line = rng.integers(7, 10, size=13, dtype=np.uint8)
    for name, values in [("volume", volume), ("line", line)]:
        file = AREA.array(f"{name}_uint8", values)
        for number, (size, origin) in enumerate(WINDOWS[name]):
            case(f"median_{name}_uint8_{number}", "median_filter", file, values, size, origin)
            case(f"rank_{name}_uint8_{number}", "rank_filter", file, values, size, origin, rank=-2)


for part in [floats, other_numbers]:
    part()
AREA.finish()
