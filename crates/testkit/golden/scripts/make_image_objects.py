"""Objects in images: tables of regions, components kept or dropped, distances, from scipy.ndimage and scikit-image."""

import warnings

import numpy as np
from scipy import ndimage
from skimage import measure, morphology, segmentation

from common import Area

AREA = Area("image_objects")
RNG = np.random.Generator(np.random.Philox(47))
SHAPES = {"line": (23,), "plane": (11, 14), "volume": (5, 6, 7)}
warnings.simplefilter("ignore")


def regions():
    for name, shape in SHAPES.items():
        labels, count = ndimage.label(RNG.random(size=shape) < 0.55)
        labels = (labels * 3 % 17 + (labels > 0)).astype(np.int32)
        values = RNG.integers(0, 9, size=shape).astype(np.float64) + 0.25
        files = [AREA.array(f"values_{name}", values), AREA.array(f"labels_{name}", labels)]
        index = [int(label) for label in np.unique(labels) if label > 0]
        # Which of equal values scipy names is left to a sort that is not stable.
        distinct = RNG.permutation(values.size).reshape(shape) * 0.5
        distinct_file = AREA.array(f"distinct_{name}", distinct)
        for operation in ["minimum_position", "maximum_position"]:
            places = np.array(getattr(ndimage, operation)(distinct, labels, index), dtype=np.int64).reshape(len(index), len(shape))
            AREA.case(f"{operation}_{name}", operation, [distinct_file, files[1]], places)
        least, most, _, _ = ndimage.extrema(values, labels, index)
        AREA.case(f"extrema_{name}", "extrema", files, np.stack([least, most]))
        # tests/it/objects.rs knows this function, too: it sees the order of the values.
        # scipy's own order is that of a sort that is not stable; the pixels of a label are in C order here.
        weighted = lambda values: np.sum(values * np.arange(1, len(values) + 1)) if len(values) else np.nan
        answer = np.array([weighted(values[labels == label]) for label in index + [99]])
        spread = ndimage.labeled_comprehension(values, labels, index + [99], np.ptp, np.float64, np.nan)
        AREA.case(f"spread_{name}", "labeled_comprehension_spread", files, spread, index=index + [99])
        AREA.case(f"comprehension_{name}", "labeled_comprehension", files, answer, index=index + [99])
        properties = ["label", "area", "bbox", "area_bbox", "extent", "equivalent_diameter_area", "centroid", "intensity_mean", "intensity_std", "intensity_min", "intensity_max"]
        if len(shape) > 1:
            properties += ["centroid_weighted", "inertia_tensor", "inertia_tensor_eigvals", "axis_major_length"]
        if len(shape) == 2:
            properties += ["axis_minor_length", "orientation", "eccentricity"]
        if len(shape) == 3:
            properties += ["axis_minor_length"]
        if len(shape) > 1:
            table = measure.regionprops_table(labels, values, properties=properties)
            columns = list(table)
            AREA.case(f"regionprops_{name}", "regionprops", files, np.stack([np.asarray(table[column], dtype=np.float64) for column in columns]), columns=columns)


def components():
    for name, shape in SHAPES.items():
        for share in [0.35, 0.6, 0.8]:
            mask = RNG.random(size=shape) < share
            seeds = RNG.random(size=shape) < 0.04
            file = AREA.array(f"mask_{name}_{share}", mask)
            seed = AREA.array(f"seeds_{name}_{share}", seeds)
            for connectivity in range(1, mask.ndim + 1):
                structure = ndimage.generate_binary_structure(mask.ndim, connectivity)
                label = f"{name}_{share}_{connectivity}"
                AREA.case(f"propagation_{label}", "binary_propagation", [seed, file], ndimage.binary_propagation(seeds, structure, mask), connectivity=connectivity)
                AREA.case(f"fill_{label}", "binary_fill_holes", [file], ndimage.binary_fill_holes(mask, structure), connectivity=connectivity)
                for most in [1, 4]:
                    AREA.case(f"objects_{label}_{most}", "remove_small_objects", [file], morphology.remove_small_objects(mask, max_size=most, connectivity=connectivity), connectivity=connectivity, most=most)
                    AREA.case(f"holes_{label}_{most}", "remove_small_holes", [file], morphology.remove_small_holes(mask, max_size=most, connectivity=connectivity), connectivity=connectivity, most=most)
            AREA.case(f"border_{name}_{share}", "clear_border", [file], segmentation.clear_border(mask), connectivity=mask.ndim)


def distances():
    for name, shape in SHAPES.items():
        for share in [0.7, 0.97]:
            mask = RNG.random(size=shape) < share
            mask.flat[7] = False
            file = AREA.array(f"solid_{name}_{share}", mask)
            for number, sampling in enumerate([[1.0] * mask.ndim, [2.0, 0.5, 1.25][: mask.ndim]]):
                AREA.case(f"edt_{name}_{share}_{number}", "distance_transform_edt", [file], ndimage.distance_transform_edt(mask, sampling), sampling=sampling)
            for metric in ["chessboard", "taxicab"]:
                AREA.case(f"cdt_{name}_{share}_{metric}", "distance_transform_cdt", [file], ndimage.distance_transform_cdt(mask, metric).astype(np.int32), metric=metric)


for part in [regions, components, distances]:
    part()
AREA.finish()
