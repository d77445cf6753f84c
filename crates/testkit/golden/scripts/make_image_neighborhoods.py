"""Slopes, weights, morphology and filters along one axis, from scipy.ndimage and scikit-image.

An output of a filter with modes holds the answers of all of them one behind the other: its first axis is that of
`parameters.modes`.
"""

import numpy as np
from scipy import ndimage
from skimage import filters

from common import Area

AREA = Area("image_neighborhoods")
MODES = ["reflect", "nearest", "mirror", "wrap", "constant"]
CVAL = 3
RNG = np.random.Generator(np.random.Philox(41))
IMAGES = {name: RNG.normal(size=shape) * 20 for name, shape in {"line": (13,), "plane": (7, 9), "volume": (4, 5, 6)}.items()}
FILES = {name: AREA.array(name, image) for name, image in IMAGES.items()}


def modes(name, operation, file, of, **parameters):
    """`of` gives the answer for a mode."""
    AREA.case(name, operation, [file], np.stack([of(mode) for mode in MODES]), modes=MODES, cval=CVAL, **parameters)


def slopes():
    for name, image in IMAGES.items():
        for axis in range(image.ndim):
            for operation in ["sobel", "prewitt"]:
                function = getattr(ndimage, operation)
                modes(f"{operation}_{name}_{axis}", operation, FILES[name], lambda mode: function(image, axis, mode=mode, cval=CVAL), axis=axis)
            modes(f"scharr_{name}_{axis}", "scharr", FILES[name], lambda mode: filters.scharr(image, axis=axis, mode=mode, cval=CVAL), axis=axis)
        modes(f"laplace_{name}", "laplace", FILES[name], lambda mode: ndimage.laplace(image, mode=mode, cval=CVAL))
        for sigma in [0.7, 1.6]:
            for operation in ["gaussian_laplace", "gaussian_gradient_magnitude"]:
                function = getattr(ndimage, operation)
                modes(f"{operation}_{name}_{sigma}", operation, FILES[name], lambda mode: function(image, sigma, mode=mode, cval=CVAL), sigma=sigma)


def one_axis():
    for name, image in IMAGES.items():
        for axis in range(image.ndim):
            for sigma, order in [(1.2, 0), (0.8, 1)]:
                modes(
                    f"gaussian1d_{name}_{axis}_{order}", "gaussian_filter1d", FILES[name],
                    lambda mode: ndimage.gaussian_filter1d(image, sigma, axis, order, mode=mode, cval=CVAL), axis=axis, sigma=sigma, order=order,
                )
            for operation in ["uniform_filter1d", "minimum_filter1d", "maximum_filter1d"]:
                function = getattr(ndimage, operation)
                for size, origin in [(3, 0), (4, -1)]:
                    modes(
                        f"{operation}_{name}_{axis}_{size}", operation, FILES[name],
                        lambda mode: function(image, size, axis, mode=mode, cval=CVAL, origin=origin), axis=axis, size=size, origin=origin,
                    )
            for operation in ["correlate1d", "convolve1d"]:
                function = getattr(ndimage, operation)
                for number, (weights, origin) in enumerate([([1.0, -2.0, 0.5], 0), ([1.0, 2.0, 3.0, 4.0], 0), ([0.5, 0.25], -1), ([-1.0, 0.0, 1.0], 1), ([1, 2, 3, 2, 1], 2)]):
                    modes(
                        f"{operation}_{name}_{axis}_{number}", operation, FILES[name],
                        lambda mode: function(image, weights, axis, mode=mode, cval=CVAL, origin=origin), axis=axis, weights=list(map(float, weights)), origin=origin,
                    )


# Shapes of weights and structures, even and odd, and origins at their ends.
FORMS = {
    "line": [((3,), [0]), ((4,), [1]), ((6,), [-3])],
    "plane": [((3, 3), [0, 0]), ((2, 5), [0, -2]), ((4, 3), [1, 1]), ((1, 2), [0, -1])],
    "volume": [((3, 3, 3), [0, 0, 0]), ((2, 1, 4), [-1, 0, 1])],
}


def weights():
    for name, image in IMAGES.items():
        for number, (shape, origin) in enumerate(FORMS[name]):
            values = RNG.normal(size=shape)
            values[RNG.random(size=shape) < 0.2] = 0.0
            file = AREA.array(f"weights_{name}_{number}", values)
            for operation in ["correlate", "convolve"]:
                function = getattr(ndimage, operation)
                answers = [function(image, values, mode=mode, cval=CVAL, origin=origin) for mode in MODES]
                AREA.case(f"{operation}_{name}_{number}", operation, [FILES[name], file], np.stack(answers), modes=MODES, cval=CVAL, origin=origin)


GREY = ["grey_erosion", "grey_dilation", "grey_opening", "grey_closing", "morphological_gradient", "morphological_laplace", "white_tophat", "black_tophat"]


def grey():
    for name, image in IMAGES.items():
        for number, (shape, origin) in enumerate(FORMS[name]):
            footprint = RNG.random(size=shape) < 0.6
            footprint.flat[0] = True
            heights = RNG.normal(size=shape) * 5
            form = AREA.array(f"footprint_{name}_{number}", footprint)
            high = AREA.array(f"heights_{name}_{number}", heights)
            for operation in GREY:
                function = getattr(ndimage, operation)
                for kind, file, given in [("size", None, {"size": shape}), ("footprint", form, {"footprint": footprint}), ("heights", high, {"structure": heights})]:
                    files = [FILES[name]] + ([file] if file else [])
                    answers = [function(image, mode=mode, cval=CVAL, origin=origin, **given) for mode in MODES]
                    AREA.case(f"{operation}_{name}_{number}_{kind}", operation, files, np.stack(answers), modes=MODES, cval=CVAL, origin=origin, kind=kind, size=list(shape))
    image = RNG.integers(0, 256, size=(7, 9), dtype=np.uint8)
    file = AREA.array("plane_uint8", image)
    for operation in GREY[:5] + GREY[6:]:
        answers = [getattr(ndimage, operation)(image, size=(3, 3), mode=mode, cval=CVAL) for mode in MODES[:4]]
        AREA.case(f"{operation}_uint8", operation, [file], np.stack(answers), modes=MODES[:4], cval=CVAL, origin=[0, 0], kind="size", size=[3, 3], dtype="uint8")


BINARY = ["binary_erosion", "binary_dilation", "binary_opening", "binary_closing"]


def binary():
    for name, shape in {"line": (17,), "plane": (11, 13), "volume": (5, 6, 7)}.items():
        image = RNG.random(size=shape) < 0.7
        file = AREA.array(f"binary_{name}", image)
        for operation in BINARY:
            function = getattr(ndimage, operation)
            for connectivity in range(1, image.ndim + 1):
                structure = ndimage.generate_binary_structure(image.ndim, connectivity)
                for iterations in [1, 2, 3]:
                    for border in [0, 1] if iterations < 3 else [0]:
                        answer = function(image, structure, iterations=iterations, border_value=border)
                        AREA.case(
                            f"{operation}_{name}_{connectivity}_{iterations}_{border}", operation, [file], answer,
                            connectivity=connectivity, iterations=iterations, border=border,
                        )
            for number, (form, origin) in enumerate(FORMS[name]):
                structure = RNG.random(size=form) < 0.6
                structure.flat[0] = True
                places = AREA.array(f"structure_{operation}_{name}_{number}", structure)
                answer = function(image, structure, origin=origin)
                AREA.case(f"{operation}_{name}_form_{number}", operation, [file, places], answer, origin=origin, iterations=1, border=0)
        for number, (form, _) in enumerate(FORMS[name]):
            hit = RNG.random(size=form) < 0.4
            miss = ~hit & (RNG.random(size=form) < 0.4)
            hit.flat[0], miss.flat[-1], miss.flat[0] = True, True, False
            files = [file, AREA.array(f"hit_{name}_{number}", hit), AREA.array(f"miss_{name}_{number}", miss)]
            AREA.case(f"hit_or_miss_{name}_{number}", "binary_hit_or_miss", files, ndimage.binary_hit_or_miss(image, hit, miss))


def others():
    for name, image in IMAGES.items():
        modes(f"generic_{name}", "generic_filter", FILES[name], lambda mode: ndimage.generic_filter(image, lambda near: near.max() - 2 * near[0], size=3, mode=mode, cval=CVAL))
    image = np.abs(IMAGES["plane"])
    file = AREA.array("light", image)
    for method in ["gaussian", "mean", "median"]:
        for size in [3, (5, 7)]:
            answer = filters.threshold_local(image, size, method=method, offset=0.5)
            AREA.case(f"threshold_local_{method}_{np.max(size)}", "threshold_local", [file], answer, method=method, size=[size] * 2 if np.isscalar(size) else list(size), offset=0.5)


for part in [slopes, one_axis, weights, grey, binary, others]:
    part()
AREA.finish()
