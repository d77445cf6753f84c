"""Image files as others write them, and what they hold: TIFF by tifffile, PNG and WebP by Pillow.

Every output has the shape (frames, rows, columns, channels). `refused` are files that hold what musher says it cannot read.
"""

import numpy as np
import tifffile
from PIL import Image

from common import Area

AREA = Area("image_files")
RNG = np.random.Generator(np.random.Philox(27))
OME = """<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" \
DimensionOrder="XYCZT" Type="uint16" SizeX="7" SizeY="5" SizeC="1" SizeZ="1" SizeT="3"><Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData/></Pixels></Image></OME>"""


def numbers(dtype, *shape):
    """Numbers that use the whole range of a type."""
    dtype = np.dtype(dtype)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return RNG.integers(limits.min, limits.max, size=shape, dtype=dtype, endpoint=True)
    return (RNG.normal(size=shape) * 100).astype(dtype)


def path(name):
    return AREA.folder / name


def frames(values, channels):
    """As (frames, rows, columns, channels)."""
    values = values if channels else values[..., np.newaxis]
    return values if values.ndim == 4 else values[np.newaxis]


def written(name, values, channels=False, **options):
    """Writes a TIFF, reads it back with tifffile, and says what is in it."""
    tifffile.imwrite(path(name), values, **{"photometric": "minisblack", "metadata": None, **options})
    found = tifffile.imread(path(name))
    np.testing.assert_array_equal(found, values)
    return name, frames(values, channels)


def case(name, values, **parameters):
    AREA.case(name.replace(".", "_"), "imread", [name], values, **parameters)


def number_types():
    for dtype in ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64"]:
        name, values = written(f"gray_{dtype}.tif", numbers(dtype, 5, 7), rowsperstrip=2)
        case(name, values.astype(np.float32) if dtype == "float16" else values)


def layouts():
    case(*written("channels_2.tif", numbers("uint8", 5, 7, 2), True, planarconfig="contig"))
    case(*written("channels_5.tif", numbers("uint16", 5, 7, 5), True, planarconfig="contig", rowsperstrip=2))
    case(*written("alpha.tif", numbers("uint8", 5, 7, 4), True, photometric="rgb", extrasamples=["unassalpha"]))
    planes = numbers("float32", 3, 5, 7)
    tifffile.imwrite(path("planes.tif"), planes, photometric="rgb", planarconfig="separate", rowsperstrip=2, metadata=None)
    case("planes.tif", frames(np.moveaxis(planes, 0, -1), True))
    case(*written("tiles.tif", numbers("float32", 20, 37), tile=(16, 16)))
    case(*written("tiles_color.tif", numbers("uint8", 20, 37, 3), True, photometric="rgb", tile=(16, 16), compression="zlib", predictor=True))
    case(*written("predicted_u16.tif", numbers("uint16", 5, 7), compression="zlib", predictor=True))
    case(*written("pressed_f32.tif", numbers("float32", 5, 7), compression="zlib", rowsperstrip=2))
    case(*written("big_endian.tif", numbers("int16", 5, 7), byteorder=">"))
    case(*written("bigtiff.tif", numbers("uint32", 2, 5, 7), bigtiff=True))
    for compression in ["tiff_lzw", "packbits"]:
        values = numbers("uint8", 5, 7, 3)
        Image.fromarray(values).save(path(f"{compression}.tif"), compression=compression)
        case(f"{compression}.tif", frames(values, True))
    # Pillow turns black and white around, tifffile does not.
    values = numbers("uint8", 5, 7)
    tifffile.imwrite(path("white_is_zero.tif"), values, photometric="miniswhite", metadata=None)
    np.testing.assert_array_equal(np.asarray(Image.open(path("white_is_zero.tif"))), 255 - values)
    case("white_is_zero.tif", frames(255 - values, False))
    bits = RNG.random((5, 11)) < 0.5
    Image.fromarray(bits).save(path("bilevel.tif"))
    case("bilevel.tif", frames(bits.astype(np.uint8) * 255, False))


def pages():
    case(*written("pages.tif", numbers("uint8", 3, 5, 7), rowsperstrip=2))
    case(*written("pages_color.tif", numbers("uint16", 2, 5, 7, 3), True, photometric="rgb", compression="zlib"))
    case(*written("ome.tif", numbers("uint16", 3, 5, 7), description=OME))
    case(*written("imagej.tif", numbers("uint16", 3, 5, 7), imagej=True, metadata={"axes": "TYX"}))
    base = numbers("uint8", 32, 48)
    with tifffile.TiffWriter(path("pyramid_below.tif")) as file:
        file.write(base, photometric="minisblack", subifds=2, metadata=None)
        for step in [2, 4]:
            file.write(base[::step, ::step], photometric="minisblack", subfiletype=1, metadata=None)
    case("pyramid_below.tif", frames(base, False))


def one_page():
    """Files whose frames differ, or of which only the first can be read: one of them must be chosen."""
    base = numbers("uint8", 32, 48)
    with tifffile.TiffWriter(path("pyramid.tif")) as file:
        for step in [1, 2, 4]:
            file.write(base[::step, ::step], photometric="minisblack", subfiletype=int(step > 1), metadata=None)
    for page, step in enumerate([1, 2, 4]):
        AREA.case(f"pyramid_{page}", "imread_page", ["pyramid.tif"], frames(base[::step, ::step], False), page=page, pages=3)
    deep = numbers("float32", 5, 7)
    with tifffile.TiffWriter(path("mixed.tif")) as file:
        file.write(base[:5, :7], photometric="minisblack", metadata=None)
        file.write(deep, photometric="minisblack", metadata=None)
    AREA.case("mixed_1", "imread_page", ["mixed.tif"], frames(deep, False), page=1, pages=2)
    stack = numbers("uint16", 3, 5, 7)
    tifffile.imwrite(path("truncated.tif"), stack, photometric="minisblack", truncate=True)
    AREA.case("truncated", "imread_page", ["truncated.tif"], frames(stack[0], False), page=0, pages=3)
    tifffile.imwrite(path("imagej_truncated.tif"), stack, imagej=True, truncate=True, photometric="minisblack", metadata={"axes": "TYX"})
    AREA.case("imagej_truncated", "imread_page", ["imagej_truncated.tif"], frames(stack[0], False), page=0, pages=3)
    colors = [numbers("uint8", 5, 7, 3) for _ in range(3)]
    images = [Image.fromarray(color) for color in colors]
    images[0].save(path("animated.png"), save_all=True, append_images=images[1:], duration=100)
    AREA.case("animated_png", "imread_page", ["animated.png"], frames(colors[0], True), page=0, pages=3)
    images[0].save(path("animated.webp"), save_all=True, append_images=images[1:], duration=100, lossless=True)
    AREA.case("animated_webp", "imread_page", ["animated.webp"], frames(colors[0], True), page=0, pages=3)


def refused():
    palette = Image.fromarray(numbers("uint8", 5, 7)).convert("P")
    palette.save(path("palette.tif"))
    AREA.case("palette", "refused", ["palette.tif"], value="a palette")
    Image.fromarray(numbers("uint8", 16, 16, 3)).convert("YCbCr").save(path("ycbcr.tif"))
    AREA.case("ycbcr", "refused", ["ycbcr.tif"], value="YCbCr")
    written("complex.tif", (numbers("float32", 5, 7) * 1j).astype(np.complex64))
    AREA.case("complex", "refused", ["complex.tif"], value="complex numbers")
    written("extra.tif", numbers("uint8", 5, 7, 5), True, photometric="rgb", extrasamples=["unspecified", "unspecified"], planarconfig="contig")
    AREA.case("extra", "refused", ["extra.tif"], value="5 channels")


def low_bits_first(name, image, **options):
    """Writes a TIFF in whose bytes the lowest bit comes first."""
    image.save(path(name), tiffinfo={266: 2}, **options)
    data = bytearray(path(name).read_bytes())
    with tifffile.TiffFile(path(name)) as file:
        for offset, count in zip(file.pages[0].dataoffsets, file.pages[0].databytecounts):
            data[offset:offset + count] = bytes(int(f"{byte:08b}"[::-1], 2) for byte in data[offset:offset + count])
    path(name).write_bytes(data)


def meanings():
    """Tags that say what the numbers mean."""
    bits = RNG.random((5, 11)) < 0.5
    low_bits_first("low_bits_first.tif", Image.fromarray(bits))
    np.testing.assert_array_equal(np.asarray(Image.open(path("low_bits_first.tif"))), bits)
    np.testing.assert_array_equal(tifffile.imread(path("low_bits_first.tif")), bits)
    case("low_bits_first.tif", frames(bits.astype(np.uint8) * 255, False))
    low_bits_first("low_bits_of_bytes.tif", Image.fromarray(numbers("uint8", 5, 7)))
    AREA.case("low_bits_of_bytes", "refused", ["low_bits_of_bytes.tif"], value="lowest bit first")
    # What an inverted float is, no two programs agree on.
    tifffile.imwrite(path("white_is_zero_f32.tif"), numbers("float32", 5, 7), photometric="miniswhite", metadata=None)
    AREA.case("white_is_zero_f32", "refused", ["white_is_zero_f32.tif"], value="inverted gray")


for part in [number_types, layouts, pages, one_page, refused, meanings]:
    part()
AREA.finish()
