"""Golden files of Fourier transforms, from NumPy: small lengths of every kind, all axes, lengths and norms."""

import numpy as np

from common import Area

AREA = Area("array_fft")
RNG = np.random.Generator(np.random.Philox(20261203))
REAL = {"one": (1,), "two": (2,), "prime": (17,), "even": (24,), "large_prime": (211,), "plane": (5, 8), "cube": (4, 3, 6)}
X = {name: RNG.normal(size=shape) for name, shape in REAL.items()}
C = {f"complex_{name}": RNG.normal(size=shape) + 1j * RNG.normal(size=shape) for name, shape in REAL.items()}
for name, array in {**X, **C}.items():
    AREA.array(name, array)
NORMS = ["backward", "ortho", "forward"]


def case(operation, name, output, tag, **parameters):
    AREA.case(f"{operation}_{name}{tag}", operation, [f"{name}.npy"], output, **parameters)


def lines():
    for name, x in {**X, **C}.items():
        is_real = name in X
        functions = ["fft", "ifft", "rfft", "ihfft"] if is_real else ["fft", "ifft", "irfft", "hfft"]
        for axis in range(x.ndim):
            for operation in functions:
                n = x.shape[axis]
                lengths = [None] if n > 100 else [None, n + 3, max(n - 1, 1)]
                for n in lengths:
                    if n is None and x.shape[axis] == 1 and operation in ["irfft", "hfft"]:
                        continue
                    for norm in NORMS if n is None else ["backward"]:
                        found = getattr(np.fft, operation)(x, n, axis, norm)
                        case(operation, name, found, f"_{axis}_{n}_{norm}", axis=[axis], lengths=[] if n is None else [n], norm=norm)


def planes():
    for name in ["plane", "cube"]:
        for key, x in [(name, X[name]), (f"complex_{name}", C[f"complex_{name}"])]:
            is_real = key in X
            for operation in ["fft", "ifft", "rfft"] if is_real else ["fft", "ifft", "irfft"]:
                for axes in [(0, 1), (x.ndim - 1, 0)]:
                    for lengths, norm in [(None, "backward"), (None, "ortho"), ((7, 4), "forward")]:
                        for kind in ["2", "n"]:
                            found = getattr(np.fft, operation + kind)(x, lengths, axes, norm)
                            tag = f"_{axes[0]}{axes[1]}_{norm}"
                            case(operation + kind, key, found, tag, axis=list(axes), lengths=list(lengths or []), norm=norm)
    for key in ["cube", "complex_cube"]:
        x = {**X, **C}[key]
        for operation in ["fftn", "ifftn", "rfftn"] if key == "cube" else ["fftn", "ifftn", "irfftn"]:
            case(operation, key, getattr(np.fft, operation)(x), "_all", axis=[0, 1, 2], lengths=[], norm="backward")


def frequencies():
    for n in [1, 2, 5, 8]:
        for spacing in [1.0, 0.1]:
            AREA.case(f"fftfreq_{n}_{spacing}", "fftfreq", [], np.fft.fftfreq(n, spacing), n=n, spacing=spacing)
            AREA.case(f"rfftfreq_{n}_{spacing}", "rfftfreq", [], np.fft.rfftfreq(n, spacing), n=n, spacing=spacing)
    for name in ["prime", "plane", "cube"]:
        for operation in ["fftshift", "ifftshift"]:
            for axis in [None, 0]:
                case(operation, name, getattr(np.fft, operation)(X[name], axis), f"_{axis}", axis=list(range(X[name].ndim)) if axis is None else [axis])


for family in [lines, planes, frequencies]:
    family()
AREA.finish()
