"""More golden files of the image area: derivatives of Gaussians, boxes and variances per label, the table of all regions,
thresholds of every dtype, gray by other weights, floats as bytes."""

import warnings

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.exposure import rescale_intensity
from skimage.filters import threshold_otsu
from skimage.measure import regionprops_table

from common import Area

AREA = Area("image_more")


def derivatives():
    rng = np.random.Generator(np.random.Philox(21))
    plane = AREA.array("plane", rng.normal(size=(9, 12)))
    values = np.load(AREA.folder / plane)
    for number, (sigma, order, truncate) in enumerate([
        (1.0, [1, 0], 4.0), ([1.0, 2.0], [0, 1], 4.0), (1.5, [2, 2], 3.0), ([0.7, 0.0], [3, 0], 4.0), (1.0, [4, 1], 5.0),
    ]):
        for mode in ["reflect", "nearest", "mirror", "wrap", "constant"]:
            result = ndimage.gaussian_filter(values, sigma, order=order, mode=mode, cval=-1.5, truncate=truncate)
            AREA.case(f"derivative_{number}_{mode}", "gaussian_filter", [plane], result, sigma=sigma, order=order, truncate=truncate, mode=mode, cval=-1.5)
    mixed = ndimage.gaussian_filter(values, 1.2, mode=["wrap", "mirror"])
    AREA.case("modes_per_axis", "gaussian_filter", [plane], mixed, sigma=1.2, order=[0, 0], truncate=4.0, mode=["wrap", "mirror"], cval=0.0)


def regions():
    rng = np.random.Generator(np.random.Philox(22))
    labels = rng.integers(0, 6, size=(7, 11)).astype(np.int32) * rng.integers(0, 2, size=(7, 11)).astype(np.int32) * 3
    values = rng.normal(size=labels.shape) * 2 - 1
    files = [AREA.array("values", values), AREA.array("labels", labels)]
    index = [3, 15, 9, 2, 12]
    present = [i for i in index if (labels == i).any()]
    AREA.case("variance", "variance", files, np.asarray(ndimage.variance(values, labels, present)), index=present)
    AREA.case("sum_of_absent", "sum_labels", files, np.asarray(ndimage.sum_labels(values, labels, index)), index=index)
    boxes = ndimage.find_objects(labels)
    table = [[v for s in boxes[i - 1] for v in (s.start, s.stop)] if boxes[i - 1] else [0] * 4 for i in index]
    AREA.case("find_objects", "find_objects", files, np.asarray(table, np.uint64), index=index)


def table():
    """All columns of `measure` for regions of a plane and of a volume, from scikit-image."""
    rng = np.random.Generator(np.random.Philox(24))
    for name, shape in {"plane": (13, 17), "volume": (5, 6, 7)}.items():
        labels, _ = ndimage.label(rng.random(shape) < 0.4)
        labels = labels.astype(np.int32)
        values = rng.random(shape) * 9 + 1
        files = [AREA.array(f"table_{name}_values", values), AREA.array(f"table_{name}_labels", labels)]
        wanted = ["label", "area", "intensity_mean", "intensity_std", "intensity_min", "intensity_max", "centroid_weighted", "centroid", "bbox"]
        found = regionprops_table(labels, values, properties=wanted)
        axes = range(len(shape))
        columns = {"label": found["label"], "area": found["area"], "sum": ndimage.sum_labels(values, labels, found["label"])}
        columns |= {"mean": found["intensity_mean"], "standard_deviation": found["intensity_std"]}
        columns |= {"minimum": found["intensity_min"], "maximum": found["intensity_max"]}
        columns |= {f"center_{axis}": found[f"centroid_weighted-{axis}"] for axis in axes}
        columns |= {f"centroid_{axis}": found[f"centroid-{axis}"] for axis in axes}
        for axis in axes:
            columns |= {f"begin_{axis}": found[f"bbox-{axis}"], f"end_{axis}": found[f"bbox-{axis + len(shape)}"]}
        AREA.case(f"table_{name}", "measure", files, np.array(list(columns.values()), dtype=float), columns=list(columns))


def gray():
    """Pillow's own gray is that of Rec. 601, rounded to whole numbers."""
    rng = np.random.Generator(np.random.Philox(25))
    color = rng.integers(0, 256, size=(6, 7, 3)).astype(np.uint8)
    file = AREA.array("color", color)
    for name, weights in {"rec_601": [0.299, 0.587, 0.114], "equal": [1 / 3, 1 / 3, 1 / 3]}.items():
        AREA.case(f"gray_{name}", "rgb_to_gray", [file], color.astype(float) @ np.array(weights), weights=name)
    AREA.case("gray_pillow", "rgb_to_gray_rounded", [file], np.asarray(Image.fromarray(color).convert("L")))


def scaled():
    """Floats as bytes, rounded; from the whole range, and from a part of it."""
    rng = np.random.Generator(np.random.Philox(26))
    values = rng.normal(size=(8, 9)) * 40 + 100
    file = AREA.array("to_bytes", values)
    for name, limits in {"all": None, "part": (60.0, 130.0)}.items():
        floats = rescale_intensity(values, in_range=limits or "image", out_range=(0.0, 255.0))
        AREA.case(f"scaled_{name}", "to_u8_scaled", [file], np.floor(floats + 0.5).astype(np.uint8), limits=limits)


def thresholds():
    rng = np.random.Generator(np.random.Philox(23))
    two = np.concatenate([rng.normal(300, 40, 500), rng.normal(900, 120, 300)])
    for name, value in {"f32": two.astype(np.float32), "u16": two.astype(np.uint16), "negative": two - 1000.0}.items():
        value = value.reshape(20, 40)
        AREA.case(f"otsu_{name}", "threshold_otsu", [AREA.array(f"otsu_{name}", value)], value=float(threshold_otsu(value)), bins=256)


warnings.simplefilter("ignore", RuntimeWarning)
for part in [derivatives, regions, table, gray, scaled, thresholds]:
    part()
AREA.finish()
