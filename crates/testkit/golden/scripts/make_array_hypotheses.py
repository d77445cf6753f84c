"""Golden files of tests of hypotheses, from SciPy, and of masked arrays, from numpy.ma."""

import warnings

import numpy as np
from scipy import stats

from common import Area

warnings.simplefilter("ignore")
AREA = Area("array_hypotheses")
RNG = np.random.Generator(np.random.Philox(20261204))
NAN = np.nan
X = {
    "plane": RNG.normal(size=(11, 7)), "other": RNG.normal(0.4, 2.0, size=(11, 7)), "short": RNG.normal(0.2, size=(6, 7)),
    "line": RNG.gamma(2.0, size=40), "far": RNG.normal(1e6, 1.0, size=(11, 7)), "few": RNG.normal(size=(3, 4)),
    "constant": np.full((9, 2), 0.1), "counts": RNG.integers(1, 40, size=(6, 5)).astype(float), "expected": RNG.uniform(2, 30, size=(6, 5)),
}
X["apart"] = X["plane"] + RNG.normal(30.0, 0.5, size=(11, 7))
HOLES = X["plane"].copy()
HOLES[0, 1], HOLES[2, :], HOLES[4, 6] = NAN, NAN, NAN
X["holes"] = HOLES
X["zeros"] = X["counts"] * (RNG.random(size=(6, 5)) > 0.3)
X["wild"] = RNG.choice([-2.0, 0.0, 1.0, 3.0, NAN, np.inf], size=(6, 8))
X["tame"] = RNG.choice([-2.0, 0.0, 0.5, 3.0], size=(6, 8))
X["tame"][2, :] = 3.0
for key, array in X.items():
    if key != "expected":
        AREA.array(key, array)
AREA.array("whole", np.arange(-12, 12).reshape(4, 6))


def case(operation, names, found, tag="", **parameters):
    """The statistic and the probability, one behind the other; or a number alone."""
    output = np.stack([np.asarray(found.statistic, float), np.asarray(found.pvalue, float)]) if hasattr(found, "pvalue") else np.asarray(found)
    AREA.case(f"{operation}_{'_'.join(names)}{tag}", operation, [f"{name}.npy" for name in names], output, **parameters)


def hypotheses():
    for axis in [0, 1]:
        for name in ["plane", "far", "few", "holes", "constant"]:
            skip = name == "holes"
            policy = "omit" if skip else "propagate"
            x, tag, options = X[name], f"_{axis}", {"axis": axis, "skip": skip}
            if name != "constant":
                case("ttest_1samp", [name], stats.ttest_1samp(x, 0.3, axis=axis, nan_policy=policy), tag, mean=0.3, **options)
            for operation in ["skew", "kurtosis"]:
                f = getattr(stats, operation)
                case(operation, [name], f(x, axis=axis, nan_policy=policy), tag, **options)
                case(f"{operation}_unbiased", [name], f(x, axis=axis, bias=False, nan_policy=policy), tag, **options)
        for name in ["plane", "far", "holes"]:
            skip = name == "holes"
            policy = "omit" if skip else "propagate"
            for operation in ["skewtest", "kurtosistest", "normaltest", "jarque_bera"]:
                found = getattr(stats, operation)(X[name], axis=axis, nan_policy=policy)
                case(operation, [name], found, f"_{axis}", axis=axis, skip=skip)
        pairs = [("plane", "other"), ("plane", "apart"), ("plane", "far")]
        for one, two in pairs + ([("plane", "short"), ("holes", "short")] if axis == 0 else []):
            skip = one == "holes"
            policy = "omit" if skip else "propagate"
            options = {"axis": axis, "skip": skip}
            case("ttest_ind", [one, two], stats.ttest_ind(X[one], X[two], axis=axis, nan_policy=policy), f"_{axis}", **options)
            case("ttest_welch", [one, two], stats.ttest_ind(X[one], X[two], axis=axis, equal_var=False, nan_policy=policy), f"_{axis}", **options)
        for one, two in pairs + [("holes", "other")]:
            skip = one == "holes"
            policy = "omit" if skip else "propagate"
            case("ttest_rel", [one, two], stats.ttest_rel(X[one], X[two], axis=axis, nan_policy=policy), f"_{axis}", axis=axis, skip=skip)
    case("f_oneway", ["plane", "other", "short"], stats.f_oneway(X["plane"], X["other"], X["short"], axis=0), axis=0, skip=False)
    case("f_oneway", ["plane", "apart"], stats.f_oneway(X["plane"], X["apart"], axis=1), axis=1, skip=False)
    for axis in [0, 1]:
        case("power_divergence", ["counts"], stats.chisquare(X["counts"], axis=axis), f"_{axis}", axis=axis, skip=False, power=1.0, ddof=0)
        case("power_divergence", ["zeros"], stats.power_divergence(X["zeros"], axis=axis, ddof=1, lambda_=0), f"_{axis}", axis=axis, skip=False, power=0.0, ddof=1)
        expected = X["expected"] * (X["counts"].sum(axis, keepdims=True) / X["expected"].sum(axis, keepdims=True))
        AREA.array(f"expected_{axis}", expected)
        for power in [1.0, 0.0, -1.0, -2.0, -0.5, 2 / 3]:
            for ddof in [0, 2]:
                found = stats.power_divergence(X["counts"], expected, ddof, axis, power)
                case("power_divergence", ["counts", f"expected_{axis}"], found, f"_{axis}_{ddof}_{power:.2f}", axis=axis, skip=False, power=power, ddof=ddof)


def tails():
    """Probabilities of statistics and degrees of freedom of all sizes."""
    t = [0.0, 0.1, 1.0, 3.0, 12.0, 50.0, 1e5]
    for df in [0.5, 1.0, 2.0, 7.3, 60.0, 1e4, 1e9]:
        AREA.case(f"student_{df}", "student", [], value=2 * stats.t.sf(np.array(t), df), values=t, df=df)
        AREA.case(f"chi_square_{df}", "chi_square", [], value=stats.chi2.sf(df * np.array([1e-3, 0.5, 1.0, 1.001, 1.5, 4.0]), df), values=list(df * np.array([1e-3, 0.5, 1.0, 1.001, 1.5, 4.0])), df=df)
        for within in [1.0, 13.0, 1e6]:
            f = [1e-3, 0.5, 1.0, 1.7, 30.0]
            AREA.case(f"fisher_{df}_{within}", "fisher", [], value=stats.f.sf(np.array(f), df, within), values=f, df=df, within=within)


def masked():
    wild, tame = np.ma.masked_invalid(X["wild"]), np.ma.masked_values(X["tame"], 3.0)
    whole = np.arange(-12, 12).reshape(4, 6)
    makers = {
        "masked_equal": np.ma.masked_equal(whole, 4), "masked_not_equal": np.ma.masked_not_equal(whole, 4),
        "masked_greater": np.ma.masked_greater(whole, 3), "masked_greater_equal": np.ma.masked_greater_equal(whole, 3),
        "masked_less": np.ma.masked_less(whole, -3), "masked_less_equal": np.ma.masked_less_equal(whole, -3),
        "masked_inside": np.ma.masked_inside(whole, 5, -3), "masked_outside": np.ma.masked_outside(whole, 5, -3),
        "masked_where": np.ma.masked_where(whole % 5 == 0, whole), "none": np.ma.masked_greater(whole, 99), "all": np.ma.masked_less(whole, 99),
    }
    for name, array in makers.items():
        AREA.case(f"make_{name}", "make", ["whole.npy"], array.filled(-77), maker=name)
        for axis in [None, 0, 1]:
            for function in ["count", "sum", "mean", "min", "max", "prod", "var", "std"]:
                found = getattr(array, function)(axis=axis)
                value = np.ma.filled(np.ma.asarray(found, float), -77.0)
                AREA.case(f"reduce_{name}_{function}_{axis}", "reduce", ["whole.npy"], value, maker=name, function=function, axis=axis)
    AREA.case("make_invalid", "make_float", ["wild.npy"], wild.filled(-77.0), maker="masked_invalid")
    AREA.case("make_fixed", "make_float", ["wild.npy"], np.ma.fix_invalid(X["wild"], fill_value=5.0).data, maker="fix_invalid")
    AREA.case("make_values", "make_float", ["tame.npy"], tame.filled(-77.0), maker="masked_values")
    for axis in [0, 1]:
        for function in ["sum", "mean", "min", "max", "std"]:
            found = np.ma.filled(getattr(tame, function)(axis=axis), -77.0)
            AREA.case(f"floats_{function}_{axis}", "floats", ["tame.npy"], found, function=function, axis=axis)
    for name, found in {"add": wild + tame, "sub": wild - tame, "mul": wild * tame, "div": wild / tame, "neg": -wild, "scaled": wild * 2.0}.items():
        AREA.case(f"operate_{name}", "operate", ["wild.npy", "tame.npy"], found.filled(-77.0), operator=name)


for family in [hypotheses, tails, masked]:
    family()
AREA.finish()
