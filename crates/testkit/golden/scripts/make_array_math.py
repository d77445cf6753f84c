"""Golden files of the transcendental functions, from mpmath with 2,400 bits: the nearest float of each answer, and how far in
units in the last place the answer is from that float. A test can so measure errors below one unit.

A file has a line for each argument: the argument (or both), the nearest float, the rest. Those named `special` hold the
arguments whose answer is NaN, infinite or 0 with its sign, from NumPy, without a rest.
"""

import itertools
import math

import mpmath
import numpy as np
from mpmath import mp, mpf

from common import Area

AREA = Area("array_math")
RNG = np.random.Generator(np.random.Philox(20261130))
mp.prec = 2400
LN2, LN10 = mp.log(2), mp.log(10)

UNARY = {
    "sin": mp.sin, "cos": mp.cos, "tan": mp.tan, "asin": mp.asin, "acos": mp.acos, "atan": mp.atan,
    "exp": mp.exp, "exp2": lambda x: mp.power(2, x), "exp_m1": mp.expm1, "sinh": mp.sinh, "cosh": mp.cosh, "tanh": mp.tanh,
    "ln": mp.log, "log2": lambda x: mp.log(x) / LN2, "log10": lambda x: mp.log(x) / LN10, "ln_1p": mp.log1p,
    "asinh": mp.asinh, "acosh": mp.acosh, "atanh": mp.atanh, "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
}
BINARY = {"pow": mp.power, "atan2": mp.atan2, "hypot": mp.hypot}
NUMPY = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "exp_m1": "expm1", "ln": "log", "ln_1p": "log1p", "asinh": "arcsinh",
    "acosh": "arccosh", "atanh": "arctanh", "pow": "power", "atan2": "arctan2",
}
SPECIAL = [
    math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, -3.0, 2.5, 5e-324, -5e-324, 2.0**53, -(2.0**53) - 2,
    1.7976931348623157e308, -1.7976931348623157e308, 1 + 2.0**-52, 1 - 2.0**-53,
]
ANGLES, POWERS, LOGARITHMS = ("sin", "cos", "tan"), ("exp", "exp2", "exp_m1", "sinh", "cosh"), ("ln", "log2", "log10")

# Values at which an implementation may change its way, with their neighbors.
BORDERS = [
    0.5, 1.0, 2.0, math.sqrt(0.5), math.sqrt(2), math.sqrt(2) - 1, math.sqrt(2) + 1, math.pi / 4, math.pi / 2, math.pi, 0.75 * math.pi,
    0.4375, 0.6875, 1.1875, 2.4375, 20.0, 22.0, 40.0, 2.0**26, 2.0**27, 2.0**28, 2.0**30, 2.0**53, 1e-8, 2.0**-26, 2.0**-27, 2.0**-53,
    2.0**-54, math.log(2) / 2, math.log(2), 1.5 * math.log(2), 2.0**-1022, 2.0**-1074, 3e-310, 1e150, 1e-150, 1e300, 1.7976931348623157e308,
    math.e, 10.0, 1000.0, 8.0, 27.0, 709.0, 708.3964185322641, 709.782712893384, 710.4758600739439, 745.1332191019411, 745.13321910194122,
    1024.0, 1022.0, 1074.0, 1075.0,
]
# Angles that come close to a multiple of a quarter turn, and others that cancel; see Muller, "Elementary Functions", ch. 11.
HARD_ANGLES = [
    6381956970095103.0 * 2.0**797, 5154357700195423.0, 6411027962775774.0 * 2.0**-53, 573442112.5, 0.8 * 2.0**1023, 1e22, 1e5, 1e15,
    5.319372648326541e255, 16367173.0 * 2.0**72, 8.0 * math.pi, 355.0, 103993.0, 5e15, 1.0e9, 1.0737418235e9, 1.0737418245e9,
]
# Arguments at which the errors of our functions were largest in a search of some hundred thousand each.
WORST = {
    "sin": [-5.523581805144272e+141, 1017904338.8333225, 2.4175281416028316, 7.038208582661699],
    "cos": [84504503.0318172, -777821406.1313131, 1006573707.4540179, 978209929.2714553],
    "tan": [-912681251.3590647, 5.1859483065533176e+157, 1151472983.2255726],
    "exp": [-708.454231731134, -709.0436171829493, -708.4337606220332],
    "exp2": [-1022.1376439080435, -1022.7311028606566, -1022.032179396878],
    "exp_m1": [0.3847051891618652, 0.3595612155523513, 0.351186031046404],
    "ln": [0.6964707900123707, 0.6991939187738611, 1.3999017262568663],
    "log2": [1.4057053915647872, 1.3825995877581465, 1.387964167519068],
    "log10": [0.6983765482504216, 1.328073369396663, 1.319854132278704],
    "ln_1p": [0.3828828130988027, 0.4023505973447637, 0.40382135398696956],
    "sinh": [-0.8791098223224738, 0.8384147627441161, -0.8000155624281149],
    "cosh": [-0.1341429518567456, 0.23035919241839187, 0.17639993507569285],
    "tanh": [0.1766078785360694, -0.18829053392495831, -0.1251611198160599],
    "asinh": [-0.337398460082055, 0.34394959980983986, 0.34680784574878754],
    "acosh": [1.0594215181554274, 1.059921487013769, 1.0587756653678675],
    "atanh": [0.1687977932330107, -0.1624992200912163, 0.17123502615216446],
    "asin": [-0.5393711166726827, 0.5583067717412702, -0.514505873815073],
    "acos": [0.6006304451458591, 0.5785862699462385, 0.5496624935589101],
    "atan": [0.4065614388428857, -0.4083481503726656, -0.459389519775689],
    "cbrt": [-3.7126806724766315e-308, -4.014623457754841e-308, 3.1816577376074114e-308],
    "pow": [(1.4072827733901392, 2009.8720458562127), (0.7030498875812013, 1972.6407543234025), (0.7009702801221028, -1816.0757940850415), (1.4097826296739853, -2021.0643888548016)],
    "atan2": [(-5.9047776526024345e-276, 1.2605930093502055e+32), (-3.866805575797991e-130, 4.795263050852206e+177), (-4.735087491733391e-308, 0.5268624858811646)],
    "hypot": [(9.626631695566076e-309, 1.90121345874839e-309), (-3.11847608583562e-309, 4.00308126643141e-309), (-1.3907119927007232e+18, -4.645988016073142e+17)],
}


def of_all_exponents(n, dtype):
    """Floats of all exponents and both signs."""
    if dtype == np.float32:
        bits = RNG.integers(1, 0x7F800000, n, dtype=np.uint32)
    else:
        bits = RNG.integers(1, 0x7FF0000000000000, n, dtype=np.uint64)
    return bits.view(dtype) * RNG.choice([-1.0, 1.0], n).astype(dtype)


def signed(values):
    return values * RNG.choice([-1.0, 1.0], len(values))


def sizes(low, high, n):
    """Numbers between the two, evenly by their logarithm."""
    return np.exp(RNG.uniform(math.log(low), math.log(high), n))


def arguments(name, n, dtype):
    borders = np.array(BORDERS)
    borders = np.concatenate([borders, np.nextafter(borders, 0), np.nextafter(borders, np.inf)]) if dtype == np.float64 else borders
    parts = [borders, -borders, RNG.uniform(-2, 2, n), signed(sizes(1e-17, 1, n // 2)), of_all_exponents(n, dtype)]
    if name in ANGLES:
        quarters = RNG.integers(-(2**31), 2**31, n) * (math.pi / 2)
        parts += [np.array(HARD_ANGLES), quarters, RNG.integers(-200, 200, n // 2) * (math.pi / 2), RNG.uniform(-30, 30, n)]
    elif name in POWERS:
        parts += [RNG.uniform(-750, 712, n), RNG.uniform(-40, 40, n), RNG.uniform(-746, -707, n // 4), np.arange(-40.0, 40.0)]
    elif name in LOGARITHMS:
        parts += [RNG.uniform(0.5, 2, n), 1 + signed(sizes(1e-16, 0.5, n)), 10.0 ** np.arange(-20, 23, 3)]
    elif name == "ln_1p":
        parts += [RNG.uniform(-0.5, 0.5, n), sizes(1e-16, 1e-3, n // 2) - 1]
    elif name in ("asin", "acos", "atanh"):
        parts += [RNG.uniform(-1, 1, n), signed(1 - sizes(1e-16, 0.5, n))]
    elif name == "acosh":
        parts += [1 + sizes(1e-16, 1e12, n)]
    else:
        parts += [RNG.uniform(-25, 25, n), signed(sizes(1e-17, 1e17, n // 2)), np.arange(1.0, 20.0) ** 3]
    parts += [np.array(WORST.get(name, []), dtype=np.float64)]
    return [np.concatenate(parts).astype(dtype)]


def pairs(name, n, dtype):
    top = float(np.finfo(dtype).max)
    if name == "pow":
        x = np.concatenate([RNG.uniform(0.5, 2, n), abs(of_all_exponents(n, dtype)).astype(float), 1 + signed(sizes(1e-7, 0.3, n))])
        y = RNG.uniform(-math.log(top) * 1.04, math.log(top), 3 * n) / np.log(x)
        x, y = np.append(x, signed(RNG.uniform(0.1, 30, n))), np.append(y, RNG.integers(-20, 20, n))
    elif name == "atan2":
        tiny = sizes(1e-320, 1e-300, n // 2)
        # NumPy's first operand is the ordinate.
        x = np.concatenate([RNG.uniform(-3, 3, n), of_all_exponents(n, dtype), tiny, of_all_exponents(n, dtype)])
        y = np.concatenate([RNG.uniform(-3, 3, n), of_all_exponents(n, dtype), signed(tiny[::-1]), RNG.uniform(-1, 1, n)])
    else:
        side = of_all_exponents(n, dtype).astype(float) / 4
        x, y = np.concatenate([RNG.uniform(-3, 3, n), side]), np.concatenate([RNG.uniform(-3, 3, n), side * RNG.uniform(-3, 3, n)])
    worst = np.array(WORST.get(name, []), dtype=np.float64).reshape(-1, 2)
    return [np.append(x, worst[:, 0]).astype(dtype), np.append(y, worst[:, 1]).astype(dtype)]


def rounded(answer, dtype):
    """The nearest float, and what is missing to the answer in units in its last place; none if that is no float."""
    digits, least = (24, -149) if dtype == np.float32 else (53, -1074)
    if not isinstance(answer, mpf) or not mpmath.isfinite(answer):
        return None
    if answer == 0:
        return 0.0, 0.0
    exponent = max(int(mpmath.frexp(abs(answer))[1]) - digits, least)
    units = mpmath.ldexp(answer, -exponent)
    nearest = mpmath.nint(units)
    value = mpmath.ldexp(nearest, exponent)
    if abs(value) > mpf(float(np.finfo(dtype).max)):
        return None
    return float(value), float(units - nearest)


def special(name, n_operands):
    operands = [np.array(side) for side in zip(*itertools.product(SPECIAL, repeat=n_operands), strict=True)]
    answers = getattr(np, NUMPY.get(name, name))(*operands)
    kept = ~np.isfinite(answers) | (answers == 0)
    AREA.case(f"{name}_special", name, [], np.stack([*operands, answers])[:, kept].T.copy(), dtype="special")


def main():
    for n_operands, names in ((1, UNARY), (2, BINARY)):
        for name in names:
            special(name, n_operands)
    for dtype, n in ((np.float64, 60), (np.float32, 40)):
        for names, points in ((UNARY, arguments), (BINARY, pairs)):
            for name, function in names.items():
                lines = []
                for line in zip(*points(name, n, dtype), strict=True):
                    if not all(math.isfinite(x) and x != 0 for x in line):
                        continue  # mpmath's 0 has no sign
                    try:
                        answer = rounded(function(*(mpf(float(x)) for x in line)), dtype)
                    except (ValueError, ZeroDivisionError):
                        continue  # outside of the domain
                    if answer:
                        lines.append([*map(float, line), *answer])
                width = "f32" if dtype == np.float32 else "f64"
                AREA.case(f"{name}_{width}", name, [], np.array(lines, dtype=dtype), dtype=width)


with np.errstate(all="ignore"):
    main()
AREA.finish()
