"""Golden stacks of .npy files: what dask.array writes, and the file `info` of musher, which Python's pickle reads as Dask's."""

import pickle

import dask.array as da
import numpy as np

from common import Area

AREA = Area("array_npy_stack")

for axis in [0, 1]:
    x = np.arange(35.0).reshape(5, 7) * 1.5
    da.to_npy_stack(str(AREA.folder / f"axis{axis}"), da.from_array(x, chunks=(2, 3)), axis=axis)
    AREA.case(f"axis{axis}", "read_npy_stack", [], x, axis=axis)

# What musher writes, made by hand once; it must mean what Dask's file means.
for name, chunks, order, code, axis in [("f8", [[2, 2, 1], [7]], "<", "f8", 0), ("bool", [[5], [3, 3, 1]], "|", "b1", 1)]:
    tuples = "".join("(" + "".join(f"I{n}\n" for n in lengths) + "t" for lengths in chunks)
    dtype = f"cnumpy\ndtype\n(V{code}\nI00\nI01\ntR(I3\nV{order}\nNNNI-1\nI-1\nI0\ntb"
    text = f"(dVchunks\n({tuples}tsVdtype\n{dtype}sVaxis\nI{axis}\ns."
    want = {"chunks": tuple(tuple(lengths) for lengths in chunks), "dtype": np.dtype(code), "axis": axis}
    assert pickle.loads(text.encode()) == want, name
    AREA.case(f"info_{name}", "to_npy_stack", [], value=text, axis=axis)
    folder = AREA.folder / "check"
    folder.mkdir()
    (folder / "info").write_bytes(text.encode())
    ends = np.cumsum([0, *chunks[axis]])
    whole = np.arange(35).reshape(5, 7).astype(code)
    for number in range(len(ends) - 1):
        np.save(folder / f"{number}.npy", whole.take(range(ends[number], ends[number + 1]), axis))
    assert np.array_equal(da.from_npy_stack(str(folder)).compute(), whole)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
AREA.finish()
