"""Golden files of the image area, from scipy.ndimage, dask-image and scikit-image, and the walk-through on the tiles of the examples."""

import warnings

import dask.array as da
import dask_image.ndfilters
import dask_image.ndmeasure
import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.color import rgb2gray
from skimage.filters import threshold_otsu

from common import DATA, Area

AREA = Area("image")
WEIGHTS = [0.2125, 0.7154, 0.0721]


def photograph():
    rows = [[np.asarray(Image.open(DATA / "hubble" / f"image-{r}-{c}.png")) for c in range(3)] for r in range(3)]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


PHOTO = photograph()
CROP = PHOTO[280:304, 320:350]


def to_gray(pixels):
    return pixels.astype(np.float64) @ np.array(WEIGHTS)


def gray():
    AREA.array("crop", CROP)
    plain = to_gray(CROP)
    np.testing.assert_allclose(rgb2gray(CROP) * 255, plain, rtol=1e-12)
    AREA.case("gray_crop", "rgb_to_gray", ["crop.npy"], plain, weights=WEIGHTS)


def gaussian():
    rng = np.random.Generator(np.random.Philox(3))
    arrays = {
        "plane": to_gray(CROP)[:15, :17], "tiny": rng.normal(size=(3, 4)), "line": rng.normal(size=11), "point": np.array([[2.5]]),
        "volume": rng.normal(size=(5, 6, 7)),
    }
    files = {name: AREA.array(name, value) for name, value in arrays.items()}
    settings = [
        ("plane", 0.5, 4.0), ("plane", 1.0, 4.0), ("plane", 2.0, 4.0), ("plane", (1.0, 2.5), 4.0), ("plane", (0.0, 1.5), 4.0), ("plane", 1.0, 2.0),
        ("plane", 6.0, 4.0), ("tiny", 2.0, 4.0), ("line", 1.3, 3.0), ("point", 1.0, 4.0), ("volume", (0.7, 1.0, 1.6), 4.0),
    ]
    for number, (name, sigma, truncate) in enumerate(settings):
        for mode in ["reflect", "nearest", "mirror", "wrap", "constant"]:
            result = ndimage.gaussian_filter(arrays[name], sigma, order=0, mode=mode, cval=0.5, truncate=truncate)
            AREA.case(f"gaussian_{number}_{name}_{mode}", "gaussian_filter", [files[name]], result, sigma=sigma, truncate=truncate, mode=mode, cval=0.5)
    x = arrays["plane"]
    lazy = dask_image.ndfilters.gaussian_filter(da.from_array(x, chunks=(8, 9)), sigma=(1, 1), mode="reflect").compute()
    np.testing.assert_allclose(lazy, ndimage.gaussian_filter(x, 1.0), rtol=1e-13)
    single = x.astype(np.float32)
    AREA.case("gaussian_float32", "gaussian_filter", [AREA.array("plane32", single)], ndimage.gaussian_filter(single, 1.0), sigma=1.0, truncate=4.0, mode="reflect", cval=0.0)
    AREA.json("gaussian_kernels.json", [
        {"sigma": sigma, "truncate": truncate, "radius": int(truncate * sigma + 0.5), "weights": ndimage._filters._gaussian_kernel1d(sigma, 0, int(truncate * sigma + 0.5))}
        for sigma, truncate in [(0.5, 4.0), (1.0, 4.0), (1.3, 3.0), (2.5, 4.0), (1.0, 2.0)]
    ])


def spiral(n):
    """One connected arm, one pixel wide: the worst case for joining across chunk faces."""
    out = np.zeros((n, n), bool)
    row, column, step = 0, 0, (0, 1)
    out[0, 0] = True
    while True:
        for turn in (0, 1):
            r, c = row + step[0], column + step[1]
            r2, c2 = r + step[0], c + step[1]
            blocked = not (0 <= r < n and 0 <= c < n) or out[r, c] or (0 <= r2 < n and 0 <= c2 < n and out[r2, c2])
            if not blocked:
                break
            step = (step[1], -step[0])
        if blocked:
            return out
        row, column = r, c
        out[row, column] = True


def first_seen(labels):
    """Whether labels 1, 2, ... appear in this order when the array is read in C order."""
    flat = labels[labels > 0]
    _, where = np.unique(flat, return_index=True)
    return bool(np.all(np.diff(where) > 0))


def masks():
    rng = np.random.Generator(np.random.Philox(11))
    comb = np.zeros((9, 12), bool)
    comb[:, ::2] = True
    comb[-1] = True
    return {
        "noise": rng.random((20, 23)) < 0.45, "sparse": rng.random((20, 23)) < 0.15, "comb": comb, "spiral": spiral(17),
        "board": np.indices((8, 9)).sum(axis=0) % 2 == 0, "nothing": np.zeros((4, 5), bool), "everything": np.ones((4, 5), bool),
        "pixel": np.eye(1, dtype=bool), "noise_line": rng.random(40) < 0.5, "noise_volume": rng.random((7, 8, 9)) < 0.3,
    }


def labels():
    for name, mask in masks().items():
        file = AREA.array(f"mask_{name}", mask)
        for connectivity in range(1, mask.ndim + 1):
            found, count = ndimage.label(mask, ndimage.generate_binary_structure(mask.ndim, connectivity))
            neighbors = int(ndimage.generate_binary_structure(mask.ndim, connectivity).sum()) - 1
            AREA.case(f"label_{name}_{neighbors}", "label", [file], found.astype(np.int32), count=count, neighbors=neighbors, first_seen_order=first_seen(found))


def measurements():
    rng = np.random.Generator(np.random.Philox(12))
    for name in ["noise", "noise_volume", "everything", "nothing", "spiral"]:
        mask = masks()[name]
        found, count = ndimage.label(mask)
        values = rng.normal(size=mask.shape) * 5 + 20
        index = np.arange(1, count + 1)
        files = [AREA.array(f"measure_{name}_values", values), AREA.array(f"measure_{name}_labels", found.astype(np.int32))]
        results = {
            "mean": ndimage.mean(values, found, index), "standard_deviation": ndimage.standard_deviation(values, found, index),
            "area": ndimage.sum_labels(np.ones_like(values), found, index).astype(np.int64), "sum": ndimage.sum_labels(values, found, index),
            "center_of_mass": np.array(ndimage.center_of_mass(values, found, index)).reshape(count, mask.ndim),
            "minimum": ndimage.minimum(values, found, index), "maximum": ndimage.maximum(values, found, index),
        }
        for operation, result in results.items():
            AREA.case(f"{operation}_{name}", operation, files, np.asarray(result), count=count)
        if count:
            lazy = [da.from_array(a, chunks=3) for a in (values, found)]
            for operation in ["mean", "standard_deviation", "center_of_mass"]:
                other = getattr(dask_image.ndmeasure, operation)(*lazy, index).compute()
                np.testing.assert_allclose(other, results[operation], rtol=1e-9, atol=1e-6)  # dask-image: mean of squares less square of mean
            np.testing.assert_array_equal(dask_image.ndmeasure.area(*lazy, index).compute(), results["area"])


def otsu():
    rng = np.random.Generator(np.random.Philox(13))
    two = np.concatenate([rng.normal(50, 8, 400), rng.normal(160, 20, 200)]).reshape(20, 30)
    arrays = {
        "two_bells": two, "gray_crop": to_gray(CROP), "uniform": rng.random((16, 16)), "bytes": np.clip(two, 0, 255).astype(np.uint8),
        "two_levels": np.where(rng.random((8, 8)) < 0.3, 10.0, 3.0), "constant": np.full((4, 4), 7.0),
    }
    for name, value in arrays.items():
        file = AREA.array(f"otsu_{name}", value)
        AREA.case(f"otsu_{name}", "threshold_otsu", [file], value=float(threshold_otsu(value)), bins=256)
        if name != "constant" and value.dtype != np.uint8:
            AREA.case(f"otsu_{name}_64", "threshold_otsu", [file], value=float(threshold_otsu(value, nbins=64)), bins=64)


def walkthrough():
    plain = to_gray(PHOTO)
    smooth = ndimage.gaussian_filter(plain, 1.0)
    threshold = float(threshold_otsu(smooth, nbins=256))
    found, count = ndimage.label(smooth > threshold)
    index = np.arange(1, count + 1)
    area = ndimage.sum_labels(np.ones_like(smooth), found, index).astype(int)
    table = {
        "gray": (ndimage.mean(plain, found, index), ndimage.standard_deviation(plain, found, index)),
        "smooth": (ndimage.mean(smooth, found, index), ndimage.standard_deviation(smooth, found, index)),
    }
    center = np.array(ndimage.center_of_mass(smooth, found, index))
    where = np.unique(found, return_index=True)[1][1:]
    first = np.stack(np.unravel_index(where, found.shape), axis=1)
    biggest = sorted(range(count), key=lambda i: (-area[i], i))[:10]
    objects = [
        {
            "label": i + 1, "area": int(area[i]), "first_pixel": [int(v) for v in first[i]], "center_of_mass": center[i],
            "mean_gray": table["gray"][0][i], "std_gray": table["gray"][1][i], "mean_smooth": table["smooth"][0][i], "std_smooth": table["smooth"][1][i],
        }
        for i in biggest
    ]
    AREA.json("walkthrough.json", {
        "weights": WEIGHTS, "sigma": 1.0, "truncate": 4.0, "mode": "reflect", "bins": 256, "neighbors": 4, "comparison": "greater than",
        "shape": plain.shape, "mean_gray": plain.mean(), "mean_smooth": smooth.mean(), "max_smooth": smooth.max(), "min_smooth": smooth.min(),
        "threshold": threshold, "objects": count, "foreground_pixels": int((found > 0).sum()),
        "objects_of_8_neighbors": int(ndimage.label(smooth > threshold, np.ones((3, 3)))[1]),
        "margin_of_threshold": float(np.abs(smooth - threshold).min()), "largest": objects,
    })


warnings.simplefilter("ignore", RuntimeWarning)
for part in [gray, gaussian, labels, measurements, otsu, walkthrough]:
    part()
AREA.finish()
