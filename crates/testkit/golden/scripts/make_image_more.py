"""More golden files of the image area: derivatives of Gaussians, boxes and variances per label, thresholds of every dtype."""

import warnings

import numpy as np
from scipy import ndimage
from skimage.filters import threshold_otsu

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


def thresholds():
    rng = np.random.Generator(np.random.Philox(23))
    two = np.concatenate([rng.normal(300, 40, 500), rng.normal(900, 120, 300)])
    for name, value in {"f32": two.astype(np.float32), "u16": two.astype(np.uint16), "negative": two - 1000.0}.items():
        value = value.reshape(20, 40)
        AREA.case(f"otsu_{name}", "threshold_otsu", [AREA.array(f"otsu_{name}", value)], value=float(threshold_otsu(value)), bins=256)


warnings.simplefilter("ignore", RuntimeWarning)
for part in [derivatives, regions, thresholds]:
    part()
AREA.finish()
