"""Colors, exposure and thresholds, from scikit-image."""

import warnings

import numpy as np
from skimage import color, exposure, filters

from common import Area

AREA = Area("image_color")
RNG = np.random.Generator(np.random.Philox(53))
warnings.simplefilter("ignore")


def colors():
    values = RNG.random(size=(6, 7, 3))
    # Grays, primaries, and what is dark.
    values[0, :, 1] = values[0, :, 2] = values[0, :, 0]
    values[1, :4] = [[0, 0, 0], [1, 0, 0], [0, 1, 1], [1, 1, 1]]
    values[1, 4:] *= 0.02
    whole = RNG.integers(0, 256, size=(5, 4, 3), dtype=np.uint8)
    files = {"f64": AREA.array("colors", values), "u8": AREA.array("colors_uint8", whole)}
    for space in ["hsv", "xyz", "lab", "luv", "ycbcr", "hed"]:
        there, back = getattr(color, f"rgb2{space}"), getattr(color, f"{space}2rgb")
        for kind, image in [("f64", values), ("u8", whole)]:
            AREA.case(f"rgb2{space}_{kind}", f"rgb2{space}", [files[kind]], there(image), kind=kind)
        # A little beyond what the colors of a screen are.
        there = there(values) * 1.03
        AREA.case(f"{space}2rgb", f"{space}2rgb", [AREA.array(f"colors_{space}", there)], back(there), kind="f64")
    for space in ["lab", "luv"]:
        xyz = color.rgb2xyz(values)
        file = AREA.array(f"xyz_{space}", xyz)
        AREA.case(f"xyz2{space}", f"xyz2{space}", [file], getattr(color, f"xyz2{space}")(xyz), kind="f64")
        other = getattr(color, f"xyz2{space}")(xyz)
        AREA.case(f"{space}2xyz", f"{space}2xyz", [AREA.array(f"{space}_xyz", other)], getattr(color, f"{space}2xyz")(other), kind="f64")


def images():
    smooth = np.concatenate([RNG.normal(40, 9, size=300), RNG.normal(150, 20, size=200), RNG.normal(215, 8, size=73)])
    RNG.shuffle(smooth)
    smooth = np.clip(smooth, 1, 254).reshape(573 // 3, 3)
    return {"f64": smooth, "u8": smooth.astype(np.uint8), "u16": (smooth * 3).astype(np.uint16)}


def thresholds():
    for kind, image in images().items():
        file = AREA.array(f"light_{kind}", image)
        for method in ["yen", "isodata", "triangle"]:
            AREA.case(f"{method}_{kind}", f"threshold_{method}", [file], value=float(getattr(filters, f"threshold_{method}")(image)), kind=kind)
        if kind != "f64":
            AREA.case(f"li_{kind}", "threshold_li", [file], value=float(filters.threshold_li(image)), kind=kind)
        if kind != "u16":
            for classes in [2, 3, 4]:
                AREA.case(f"multiotsu_{kind}_{classes}", "threshold_multiotsu", [file], filters.threshold_multiotsu(image, classes).astype(np.float64), kind=kind, classes=classes)
        AREA.case(f"equalize_{kind}", "equalize_hist", [file], exposure.equalize_hist(image).astype(np.float64), kind=kind)
    image = images()["f64"]
    file = AREA.array("light", image)
    for number, (low, high, to) in enumerate([(20.0, 200.0, (0.0, 1.0)), (0.0, 255.0, (-1.0, 3.0))]):
        AREA.case(f"rescale_{number}", "rescale_intensity", [file], exposure.rescale_intensity(image, (low, high), to), range=[low, high], to=list(to))
    AREA.case("rescale_image", "rescale_intensity", [file], exposure.rescale_intensity(image, "image", (0.0, 1.0)), to=[0.0, 1.0])
    # Floats are from 0 to 1 there.
    light = image / 255.0
    file = AREA.array("light_of_one", light)
    for gamma, gain in [(2.0, 1.0), (0.5, 0.8)]:
        AREA.case(f"gamma_{gamma}", "adjust_gamma", [file], exposure.adjust_gamma(light, gamma, gain), gamma=gamma, gain=gain)


for part in [colors, thresholds]:
    part()
AREA.finish()
