"""Golden files of Zarr arrays: stores that zarr-python wrote, of both versions, and what it reads of those that musher wrote.

`array_zarr/` is made here. `array_zarr_written/` is made by musher (tests/it/zarr.rs of the array crate says how); this script
reads it with zarr-python, compares it, and keeps what zarr-python says of it.
"""

import json
import shutil
import warnings

import numcodecs
import numpy as np
import zarr
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, ShardingCodec, TransposeCodec, ZstdCodec

from common import GOLDEN, Area

warnings.simplefilter("ignore")
AREA = Area("array_zarr")
WRITTEN = GOLDEN / "array_zarr_written"
TYPES = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8", "c8", "c16"]


def numbers(code, shape=(5, 4)):
    """Numbers of every sign, none of which is a fill value throughout a chunk."""
    n = np.arange(int(np.prod(shape))) * 37 % 23 - 9
    value = n.astype("f8") / 4 if np.dtype(code).kind in "fc" else np.abs(n) if np.dtype(code).kind == "u" else n
    value = value.astype(code)
    if np.dtype(code).kind == "c":
        value = value + (1j * n[::-1]).astype(code)
    return value.reshape(shape)


VALUES = {}


def store(name, value, chunks=(2, 3), version=3, write_empty=True, **options):
    """Writes an array with zarr-python and keeps it with its values."""
    path = AREA.folder / f"{name}.zarr"
    options.setdefault("fill_value", 0)
    config = {"write_empty_chunks": write_empty}
    array = zarr.create_array(store=path, shape=value.shape, chunks=chunks, dtype=value.dtype, zarr_format=version, config=config, **options)
    array[...] = value
    array = zarr.open_array(path, mode="r")
    assert np.array_equal(array[...], value, equal_nan=value.dtype.kind in "fc"), name
    kept = np.ascontiguousarray(value.astype(value.dtype.newbyteorder("="))).reshape(value.shape)
    # Many stores hold the same values.
    same = next((file for file, other in VALUES.items() if other.dtype == kept.dtype and other.shape == kept.shape and other.tobytes() == kept.tobytes()), None)
    AREA.case(name, "read_zarr", [], None if same else kept, value=None, dtype=np.dtype(value.dtype).name, version=version, shape=list(value.shape),
              chunks=list(array.chunks), stored=list(array.shards or array.chunks), attributes=dict(array.attrs))
    if same:
        del AREA.cases[-1]["value"]
        AREA.cases[-1]["output"] = same
    VALUES[AREA.cases[-1]["output"]] = kept


for version in [2, 3]:
    for code in TYPES:
        store(f"v{version}_{np.dtype(code).name}", numbers(code), version=version)
    whole = numbers("f8")
    store(f"v{version}_big_endian", whole.astype(">f8"), version=version)
    store(f"v{version}_big_complex", numbers("c8").astype(">c8"), version=version)
    store(f"v{version}_scalar", np.array(2.5), chunks=(), version=version)
    store(f"v{version}_empty", np.empty((0, 4)), chunks=(1, 4), version=version)
    store(f"v{version}_cube", numbers("i2", (3, 4, 5)), chunks=(2, 3, 2), version=version)
    store(f"v{version}_one_chunk", whole, chunks=(8, 9), version=version)
    store(f"v{version}_attributes", whole, version=version, attributes={"unit": "m", "scale": [1, 2.5], "none": None})
    for name, fill in [("nan", np.nan), ("infinity", np.inf), ("minus_infinity", -np.inf), ("tenth", 0.1)]:
        value = np.full((5, 4), fill, "f4")
        value[0, 0] = 1
        store(f"v{version}_fill_{name}", value, version=version, write_empty=False, fill_value=np.float32(fill))
    for code, fill in [("i8", -(2**63)), ("u8", 2**64 - 1), ("?", True), ("c16", 1 - 2j)]:
        value = np.full((5, 4), fill, code)
        value[0, 0] = 0
        store(f"v{version}_fill_{np.dtype(code).name}", value, version=version, write_empty=False, fill_value=np.dtype(code).type(fill))

store("v2_order_f", whole, version=2, order="F", compressors=numcodecs.Zstd())
store("v2_order_f_cube", numbers("i2", (3, 4, 5)), chunks=(2, 3, 2), version=2, order="F", compressors=None)
store("v2_nested", whole, version=2, chunk_key_encoding={"name": "v2", "separator": "/"})
for name, compressor in {
    "none": None,
    "gzip": numcodecs.GZip(5),
    "zlib": numcodecs.Zlib(5),
    "zstd": numcodecs.Zstd(3),
    "zstd_checksum": numcodecs.Zstd(3, checksum=True),
    **{f"blosc_{c}_{s}": numcodecs.Blosc(c, 5, s) for c in ["lz4", "lz4hc", "zstd", "zlib", "blosclz"] for s in [0, 1, 2]},
}.items():
    store(f"v2_{name}", numbers("f8", (40, 30)), chunks=(25, 30), version=2, compressors=compressor)

many = numbers("f8", (40, 30))
for name, codecs in {
    "none": [],
    "gzip": [GzipCodec(level=5)],
    "zstd_checksum": [ZstdCodec(level=3, checksum=True)],
    "crc32c": [Crc32cCodec()],
    "zstd_crc32c": [ZstdCodec(level=3), Crc32cCodec()],
    **{f"blosc_{c}_{s}": [BloscCodec(cname=c, clevel=5, shuffle=s)] for c in ["lz4", "lz4hc", "zstd", "zlib", "blosclz"] for s in ["noshuffle", "shuffle", "bitshuffle"]},
}.items():
    store(f"v3_{name}", many, chunks=(25, 30), compressors=codecs)
store("v3_transpose", numbers("i2", (3, 4, 5)), chunks=(2, 3, 2), filters=[TransposeCodec(order=(2, 0, 1))])
store("v3_big_bytes", numbers("u4"), serializer=BytesCodec(endian="big"))
store("v3_dotted", whole, chunk_key_encoding={"name": "default", "separator": "."})
store("v3_names_of_v2", whole, chunk_key_encoding={"name": "v2", "separator": "."})
store("v3_dimensions", whole, dimension_names=["y", None])
for place in ["start", "end"]:
    inner = ShardingCodec(chunk_shape=(2, 3), codecs=[BytesCodec(), ZstdCodec(), Crc32cCodec()], index_location=place)
    store(f"v3_shards_{place}", numbers("f4", (9, 13)), chunks=(4, 6), serializer=inner, compressors=[])
store("v3_shards", many, chunks=(5, 10), shards=(20, 20))
store("v3_shards_sparse", np.where(many > 1, 0, many) * (np.arange(30) < 9), chunks=(5, 10), shards=(20, 30), write_empty=False)
store("v3_shards_of_one", numbers("u2"), chunks=(2, 3), shards=(2, 3))
store("v3_shards_transposed", numbers("i4", (9, 13)), chunks=(2, 3), shards=(4, 6), filters=[TransposeCodec(order=(1, 0))])

# What no reader of numbers reads.
zarr.create_group(store=AREA.folder / "group3.zarr", zarr_format=3)
zarr.create_group(store=AREA.folder / "group2.zarr", zarr_format=2)
zarr.create_array(store=AREA.folder / "text.zarr", shape=(2,), chunks=(2,), dtype="U3")


def written():
    """What zarr-python says of the stores that musher wrote."""
    told = []
    for path in sorted(WRITTEN.glob("*.zarr")):
        array = zarr.open_array(path, mode="r")
        expected = np.load(WRITTEN / f"{path.stem}.npy")
        assert array.dtype == expected.dtype and np.array_equal(array[...], expected, equal_nan=expected.dtype.kind in "fc"), path
        metadata = json.loads((path / ("zarr.json" if array.metadata.zarr_format == 3 else ".zarray")).read_text())
        told.append({
            "name": path.stem, "shape": list(array.shape), "dtype": array.dtype.name, "chunks": list(array.chunks),
            "stored": list(array.shards or array.chunks), "fill_value": str(array.fill_value),
            "attributes": dict(array.attrs), "metadata": metadata,
            "bytes": {str(p.relative_to(path)): p.stat().st_size for p in sorted(path.rglob("*")) if p.is_file() and p.name[0] != "." and p.name != "zarr.json"} if "plain" in path.stem else {},
        })
    return told


AREA.json("written.json", written())
shutil.rmtree(AREA.folder / "__pycache__", ignore_errors=True)
AREA.finish()
