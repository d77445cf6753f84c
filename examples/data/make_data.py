"""Makes the data of the examples from the originals; see README.md for what they are and where they come from.

Usage: python make_data.py <folder with hubble_deep_field.jpg, flights.csv.zip and airlines.csv>

The files are committed, so nobody needs to run this to use musher; it is kept so that anybody can see (and repeat)
how they came about. Needs the versions pinned in crates/testkit/golden/requirements.txt.
"""

import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

HERE = Path(__file__).resolve().parent
GRID = 3


def tiles(source: Path) -> None:
    """Cuts the photograph into 3 x 3 tiles with numpy's array_split rule: the first tiles are one pixel longer."""
    folder = HERE / "hubble"
    folder.mkdir(exist_ok=True)
    pixels = np.asarray(Image.open(source / "hubble_deep_field.jpg").convert("RGB"))
    for row, band in enumerate(np.array_split(pixels, GRID, axis=0)):
        for column, tile in enumerate(np.array_split(band, GRID, axis=1)):
            path = folder / f"image-{row}-{column}.png"
            Image.fromarray(np.ascontiguousarray(tile)).save(path, optimize=True)


def flights(source: Path) -> None:
    """Writes one Parquet file a month, in the order of the original, `NA` as null, time_hour as a UTC instant."""
    folder = HERE / "flights"
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(source / "flights.csv.zip") as archive:
        table = pl.read_csv(archive.read("flights.csv"), null_values="NA", infer_schema_length=None)
    table = table.with_columns(pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", time_zone="UTC"))
    for month in range(1, 13):
        part = table.filter(pl.col("month") == month)
        part.write_parquet(folder / f"flights-{month:02}.parquet", compression="zstd", compression_level=19, row_group_size=16_384)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    originals = Path(sys.argv[1])
    tiles(originals)
    flights(originals)
    shutil.copyfile(originals / "airlines.csv", HERE / "airlines.csv")
