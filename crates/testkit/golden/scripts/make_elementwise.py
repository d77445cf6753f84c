"""Golden files of every row of the table of elementwise operations and every element type that has it, from NumPy.

The rows are read from the table itself, so a new one is tested as soon as this has run. What has a tolerance is computed
in NumPy's longest floats and rounded: its shorter loops differ by instruction set.
"""

import re
import warnings
from pathlib import Path

import numpy as np

from common import Area

AREA = Area("elementwise")
TABLE = Path(__file__).resolve().parents[3] / "array" / "src" / "kernel" / "ops" / "table.rs"
ROW = re.compile(r'^ +(?:fn|operator) (\w+) where A: (\w+) = \d+, \w+, ulp (\d+), "([^"]+)"', re.MULTILINE)

SIGNED = ["int8", "int16", "int32", "int64"]
UNSIGNED = ["uint8", "uint16", "uint32", "uint64"]
FLOATS = ["float32", "float64"]
COMPLEX = ["complex64", "complex128"]
BOUNDS = {
    "Number": SIGNED + UNSIGNED + FLOATS + COMPLEX, "Real": SIGNED + UNSIGNED + FLOATS, "Float": FLOATS,
    "Integer": SIGNED + UNSIGNED, "Bits": ["bool"] + SIGNED + UNSIGNED, "Inexact": FLOATS + COMPLEX,
    "Ordered": ["bool"] + SIGNED + UNSIGNED + FLOATS, "Element": ["bool"] + SIGNED + UNSIGNED + FLOATS + COMPLEX,
}


def rows():
    """(table, name, bound, tolerance, NumPy's term) of every row."""
    for part in re.split(r"^macro_rules! ", TABLE.read_text(), flags=re.MULTILINE)[1:]:
        table = part.split("_table", 1)[0]
        for name, bound, ulp, term in ROW.findall(part):
            yield table, name, bound, int(ulp), term


def floats(rng, dtype):
    """Two operands: all pairs of some special values, then ordinary ones of many sizes."""
    special = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, 1.0, -1.0, 2.5, -3.5, 0.5, np.finfo(dtype).smallest_subnormal, np.finfo(dtype).max])
    x, y = (side.ravel() for side in np.meshgrid(special, special))
    near = 1.0 + np.array([1e-3, -1e-3, 1e-6, -1e-6, 3e-7, -3e-7])
    small = np.array([1e-8, -1e-8, 1e-4, -1e-4, 30.0, -30.0, 80.0, -80.0, 0.49999997, -0.49999997])
    large = np.array([1e8, -1e8, 1e20, -1e20, 1e30, -1e30])
    x = np.concatenate([x, near, small, large, rng.normal(size=60) * 3, rng.uniform(-1, 1, size=60)])
    y = np.concatenate([y, rng.normal(size=22), rng.normal(size=60) * 2, rng.uniform(-4, 4, size=60)])
    return x.astype(dtype), y.astype(dtype)


def complexes(rng, dtype):
    """Two operands away from the branch points themselves, where nothing is exact."""
    side = np.array([[1], [-1]])
    x = np.concatenate([
        rng.normal(size=80) * 2 + 1j * rng.normal(size=80) * 2, 1e-3 * (rng.normal(size=8) + 1j * rng.normal(size=8)),
        np.array([1e15 - 2e15j, -3e15 + 1e14j, 0.25, -0.5, 0.75j, -0.5j, 3.0 + 1e-9j, -3.0 - 1e-9j]),
        # Beside the branch points of the inverse functions.
        (side * (1 - 64 * np.finfo(dtype).eps) * np.array([1, 1j])).ravel(), (side * 0.99 * np.array([1, 1j])).ravel(),
    ])
    y = rng.normal(size=x.size) + 1j * rng.normal(size=x.size)
    y[:12] = x[:12]
    return x.astype(dtype), y.astype(dtype)


def integers(rng, dtype):
    """Two operands of which all sums, products and powers fit, and two of which few do."""
    low = 0 if dtype in UNSIGNED else -5
    x = rng.integers(max(low, 3 if low == 0 else low), 6, size=64)
    y = rng.integers(1, 4, size=64)
    if low < 0:
        y *= rng.choice([-1, 1], size=64)
    info = np.iinfo(dtype)
    edges = np.array([info.min, info.max, info.min + 1, info.max - 1, 0, 1], dtype=dtype)
    wide = rng.integers(info.min, info.max, size=58, dtype=dtype, endpoint=True)
    return (x.astype(dtype), y.astype(dtype)), (np.concatenate([edges, wide]), np.concatenate([wide[:58], edges]))


def inputs():
    """For each type the names and values of its operands: the usual ones, and those of bits and wrapping."""
    rng = np.random.Generator(np.random.Philox(20261130))
    usual, wide = {}, {}
    for dtype in FLOATS:
        usual[dtype] = floats(rng, dtype)
    for dtype in COMPLEX:
        usual[dtype] = complexes(rng, dtype)
    for dtype in SIGNED + UNSIGNED:
        usual[dtype], wide[dtype] = integers(rng, dtype)
    usual["bool"] = np.array([False, False, True, True]), np.array([False, True, False, True])
    return usual, wide


USUAL, WIDE = inputs()
FILES = {}
for tag, sets in {"usual": USUAL, "wide": WIDE}.items():
    for dtype, pair in sets.items():
        for side, values in zip("xy", pair, strict=True):
            FILES[tag, dtype, side] = AREA.array(f"{tag}_{dtype}_{side}", values)
# Integers have no negative powers.
for dtype in SIGNED:
    USUAL[dtype, "powers"] = USUAL[dtype][0], np.abs(USUAL[dtype][1])
    FILES["powers", dtype, "x"] = FILES["usual", dtype, "x"]
    FILES["powers", dtype, "y"] = AREA.array(f"powers_{dtype}_y", USUAL[dtype, "powers"][1])


def evaluate(term, x, y):
    names = {name: getattr(np, name) for name in re.findall(r"[a-z_]\w*", term) if hasattr(np, name)}
    if "(" in term or " " in term:
        return eval(term, names, {"x": x, "y": y})
    return names[term](x) if y is None else names[term](x, y)


def answer(table, term, ulp, dtype, x, y):
    """NumPy's answer in the type of ours."""
    real = {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)
    result = {"part": real, "test": "bool", "compare": "bool"}.get(table, dtype)
    precise = {"f": np.longdouble, "c": np.clongdouble}.get(np.dtype(dtype).kind)
    if ulp > 0 and precise:
        x, y = x.astype(precise), None if y is None else y.astype(precise)
    return np.asarray(evaluate(term, x, y)).astype(result)


def main():
    outputs = {}
    for table, name, bound, ulp, term in rows():
        for dtype in BOUNDS[bound]:
            if name == "neg" and dtype in UNSIGNED:
                continue  # no unsigned number but 0 has a negative
            tag = "wide" if bound in ("Bits", "Integer") and dtype != "bool" else "usual"
            x, y = (WIDE if tag == "wide" else USUAL)[dtype]
            operands = tag
            if name == "pow" and dtype in SIGNED:
                operands, (x, y) = "powers", USUAL[dtype, "powers"]
            binary = table in ("binary", "compare")
            values = answer(table, term, ulp, dtype, x, y if binary else None)
            group = outputs.setdefault((table, dtype, tag), [])
            group.append((name, [FILES[operands, dtype, side] for side in ("xy" if binary else "x")], values))
    for (table, dtype, tag), group in outputs.items():
        output = AREA.array(f"{table}_{tag}_{dtype}", np.stack([values for _, _, values in group]))
        for row, (name, files, _) in enumerate(group):
            AREA.cases.append({"name": f"{table} {name} {dtype}", "operation": name, "inputs": files, "parameters": {"row": row, "table": table, "dtype": dtype}, "output": output})


warnings.simplefilter("ignore", RuntimeWarning)
with np.errstate(all="ignore"):
    main()
AREA.finish()
