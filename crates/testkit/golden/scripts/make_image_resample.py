"""Images between their pixels: splines of all orders and modes, from scipy.ndimage and scikit-image.

An output of a function with modes holds the answers of all of them one behind the other: its first axis is that of
`parameters.modes`.
"""

import warnings

import numpy as np
from scipy import ndimage
from skimage import transform

from common import Area

AREA = Area("image_resample")
MODES = ["constant", "grid-constant", "nearest", "mirror", "reflect", "grid-wrap", "wrap"]
CVAL = 3
RNG = np.random.Generator(np.random.Philox(43))
SHAPES = {"line": (13,), "short": (2,), "plane": (7, 9), "flat": (1, 6), "volume": (4, 5, 6)}
IMAGES = {name: RNG.normal(size=shape) * 20 for name, shape in SHAPES.items()}
FILES = {name: AREA.array(name, image) for name, image in IMAGES.items()}


def coefficients(image, order, axes=None):
    """Those of a reflected image. scipy's own are wrong at about the pole to the power of twice the length, because the first of
    a line is read again after it was changed; of the image and its reflection on a circle they are right."""
    for axis in range(image.ndim) if axes is None else axes:
        twice = ndimage.spline_filter1d(np.concatenate([image, np.flip(image, axis)], axis), order, axis, mode="grid-wrap")
        image = np.take(twice, range(image.shape[axis]), axis)
    return image


def modes(name, operation, files, of, **parameters):
    """`of` gives the answer for an image, a mode, and what else there is to say."""
    image = IMAGES[parameters.pop("image")]
    order = parameters["order"]

    def answer(mode):
        if mode == "reflect" and order > 1 and parameters.get("prefilter", True):
            return of(coefficients(image, order, parameters.get("axes")), mode, {"cval": CVAL, "order": order, "prefilter": False})
        return of(image, mode, {"cval": CVAL, "order": order, **({"prefilter": False} if not parameters.get("prefilter", True) else {})})

    AREA.case(name, operation, files, np.stack([answer(mode) for mode in MODES]), modes=MODES, cval=CVAL, **parameters)


def own_filter(image, mode, order, axes=None):
    if mode in ["reflect", "nearest"]:
        return coefficients(image, order, axes)
    for axis in range(image.ndim) if axes is None else axes:
        image = ndimage.spline_filter1d(image, order, axis, mode=mode)
    return image


def filters():
    for name, image in IMAGES.items():
        for order in [2, 3, 4, 5]:
            AREA.case(f"filter_{name}_{order}", "spline_filter", [FILES[name]], np.stack([own_filter(image, mode, order) for mode in MODES]), modes=MODES, cval=CVAL, order=order)
        for axis in range(image.ndim):
            AREA.case(f"filter1d_{name}_{axis}", "spline_filter1d", [FILES[name]], np.stack([own_filter(image, mode, 3, [axis]) for mode in MODES]), modes=MODES, cval=CVAL, order=3, axis=axis)


def places():
    for name, image in IMAGES.items():
        shape = (3, 5) if image.ndim == 2 else (11,)
        length = np.array(image.shape).reshape((-1,) + (1,) * len(shape))
        # Inside, about the edges, and far away.
        where = RNG.uniform(-1.4, 2.4, size=(image.ndim,) + shape) * (length - 1) + RNG.uniform(-0.6, 0.6, size=(image.ndim,) + shape)
        where[..., 0] = np.round(where[..., 0])
        file = AREA.array(f"places_{name}", where)
        for order in range(6):
            modes(f"map_{name}_{order}", "map_coordinates", [FILES[name], file], lambda image, mode, more: ndimage.map_coordinates(image, where, mode=mode, **more), image=name, order=order)
        modes(f"map_{name}_coefficients", "map_coordinates", [FILES[name], file], lambda image, mode, more: ndimage.map_coordinates(image, where, mode=mode, **more), image=name, order=3, prefilter=False)


def affine():
    for name, image in IMAGES.items():
        matrix = np.eye(image.ndim) + RNG.uniform(-0.4, 0.4, size=(image.ndim, image.ndim))
        offset = RNG.uniform(-2, 2, size=image.ndim)
        shape = tuple(length + 3 for length in image.shape)
        for order in range(6):
            modes(f"affine_{name}_{order}", "affine_transform", [FILES[name]], lambda image, mode, more: ndimage.affine_transform(image, matrix, offset, shape, mode=mode, **more), image=name, order=order, matrix=matrix, offset=offset, shape=shape)


def stretches():
    for name, image in IMAGES.items():
        by = RNG.uniform(-3, 3, size=image.ndim)
        for order in range(6):
            modes(f"shift_{name}_{order}", "shift", [FILES[name]], lambda image, mode, more: ndimage.shift(image, by, mode=mode, **more), image=name, order=order, shift=by)
        for number, factor in enumerate([0.6, 1.7, [2.5, 0.5, 1.0][: image.ndim]]):
            for order in [0, 1, 3, 4]:
                modes(f"zoom_{name}_{number}_{order}", "zoom", [FILES[name]], lambda image, mode, more: ndimage.zoom(image, factor, mode=mode, **more), image=name, order=order, factor=[factor] * image.ndim if np.isscalar(factor) else factor)
    for name in ["plane", "volume"]:
        image = IMAGES[name]
        for angle, axes, reshape in [(30, (0, 1), True), (-100.5, (1, 0), False), (90, (0, 1), True), (217, (0, image.ndim - 1), True)]:
            for order in [1, 3]:
                modes(f"rotate_{name}_{angle}_{order}", "rotate", [FILES[name]], lambda image, mode, more: ndimage.rotate(image, angle, axes, reshape, mode=mode, **more), image=name, order=order, angle=angle, axes=list(axes), reshape=reshape)


def integers():
    for dtype in ["uint8", "int16"]:
        image = (RNG.integers(0, 256, size=(7, 9)) - (0 if dtype == "uint8" else 100)).astype(dtype)
        file = AREA.array(f"plane_{dtype}", image)
        for order in [0, 1, 3]:
            answers = [ndimage.shift(image, [0.3, -1.6], order=order, mode=mode, cval=CVAL) for mode in MODES]
            AREA.case(f"shift_{dtype}_{order}", "shift_integers", [file], np.stack(answers), modes=MODES, cval=CVAL, order=order, shift=[0.3, -1.6], dtype=dtype)


def resizes():
    names = {"reflect": "mirror", "symmetric": "reflect", "edge": "nearest", "constant": "grid-constant", "wrap": "grid-wrap"}
    for name in ["line", "plane", "volume"]:
        image = IMAGES[name]
        for number, factor in enumerate([0.4, 1.6]):
            shape = tuple(int(length * factor) + 1 for length in image.shape)
            for order in [0, 1, 3]:
                answers = [transform.resize(image, shape, order=order, mode=mode, cval=CVAL, clip=False, preserve_range=True) for mode in names]
                if order > 1:
                    factors = np.divide(image.shape, shape)
                    smooth = ndimage.gaussian_filter(image, np.maximum(0, (factors - 1) / 2), mode="reflect")
                    answers[1] = ndimage.zoom(coefficients(smooth, order), 1 / factors, order=order, mode="reflect", prefilter=False, grid_mode=True)
                AREA.case(f"resize_{name}_{number}_{order}", "resize", [FILES[name]], np.stack(answers), modes=list(names.values()), cval=CVAL, order=order, shape=shape)


def functions():
    # tests/it/resample.rs knows this function, too.
    for order in [1, 3]:
        modes(f"geometric_{order}", "geometric_transform", [FILES["plane"]], lambda image, mode, more: ndimage.geometric_transform(image, lambda at: (at[0] - 0.25 * at[1], at[1] * 0.5 + 1.25), mode=mode, **more), image="plane", order=order)


warnings.simplefilter("ignore")
for part in [filters, places, affine, stretches, integers, resizes, functions]:
    part()
AREA.finish()
