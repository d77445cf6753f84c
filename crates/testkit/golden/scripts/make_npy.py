"""Golden files of the .npy format itself: every element type, both orders, every header version, and damaged files."""

import numpy as np

from common import Area

AREA = Area("npy")
TYPES = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"]

for code in TYPES:
    value = (np.arange(6).reshape(2, 3) * 37 % 11).astype(code)
    AREA.case(f"type_{np.dtype(code).name}", "read", [], value, dtype=np.dtype(code).name, values=[str(v) for v in value.ravel()])
for code in ["c8", "c16"]:
    AREA.case(f"type_{np.dtype(code).name}", "read", [], np.array([1 + 2j, 3 - 0.5j], code), dtype=np.dtype(code).name, parts=[1.0, 2.0, 3.0, -0.5])
AREA.case("fortran", "read", [], np.asfortranarray(np.arange(6.0).reshape(2, 3)), dtype="float64", order="F")
AREA.case("big_endian", "read", [], np.arange(6.0).reshape(2, 3).astype(">f8"), dtype="float64", order="C")
AREA.case("scalar", "read", [], np.float64(2.5), dtype="float64", shape=[])
AREA.case("empty", "read", [], np.empty((0, 4)), dtype="float64", shape=[0, 4])
AREA.case("vector", "read", [], np.arange(5.0), dtype="float64", shape=[5])

for version in [(1, 0), (2, 0), (3, 0)]:
    name = f"version_{version[0]}"
    with open(AREA.folder / f"{name}.npy", "wb") as stream:
        np.lib.format.write_array(stream, np.arange(4.0), version=version)
    AREA.case(name, "read_file", [f"{name}.npy"], value=[0.0, 1.0, 2.0, 3.0])

good = (AREA.folder / "type_float64.npy").read_bytes()
damaged = {
    "magic": b"\x92NUMPY" + good[6:],
    "short": good[:-5],
    "header_cut": good[:40],
    "huge_shape": good.replace(b"(2, 3), }" + b" " * 18, b"(2, 1152921504606846976), }"),
    "object": good.replace(b"'<f8'", b"'|O8'"),
    "negative_shape": good.replace(b"(2, 3)", b"(-2,3)"),
}
for name, data in damaged.items():
    (AREA.folder / f"damaged_{name}.npy").write_bytes(data)
    AREA.case(f"damaged_{name}", "read_file", [f"damaged_{name}.npy"], value="error")
AREA.finish()
