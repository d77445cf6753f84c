"""Golden files of linear regression and its ridge, from scikit-learn: easy, wide, nearly and wholly collinear, far from zero."""

import numpy as np
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import r2_score

from common import Area

AREA = Area("ml_linear")
rng = np.random.Generator(np.random.Philox(23))


def target_of(x):
    """A plane with noise, so that no fit is perfect."""
    return x @ rng.normal(size=x.shape[1]) + 3.0 + rng.normal(size=len(x)) * 0.5


def cases(name, x, y, alpha=0.0, intercept=True):
    """All answers of one fit. The rank is that of the centered columns, where there is no penalty."""
    files = [AREA.array(f"{name}_x", x), AREA.array(f"{name}_y", y)]
    given = {"alpha": alpha, "intercept": intercept}
    if alpha > 0:
        model = Ridge(alpha=alpha, fit_intercept=intercept, solver="svd").fit(x, y)
    else:
        model = LinearRegression(fit_intercept=intercept).fit(x, y)
        given["rank"] = int(model.rank_)
    predicted = model.predict(x)
    AREA.case(f"{name}_coefficients", "coefficients", files, model.coef_, **given)
    AREA.case(f"{name}_intercept", "intercept", files, value=float(model.intercept_), **given)
    AREA.case(f"{name}_predict", "predict", files, predicted, **given)
    if len(x) > 1:
        AREA.case(f"{name}_r2", "r2", files, value=float(r2_score(y, predicted)), **given)


def fits():
    x = rng.normal(size=(60, 3)) * [1.0, 30.0, 0.01] + [0.0, 5.0, -2.0]
    y = target_of(x)
    cases("plain", x, y)
    cases("no_intercept", x, y, intercept=False)
    cases("ridge", x, y, alpha=2.5)
    cases("ridge_no_intercept", x, y, alpha=0.1, intercept=False)
    one = rng.normal(size=(25, 1)) * 4 + 10
    cases("one_column", one, target_of(one))
    many = rng.normal(size=(150, 40))
    cases("many_columns", many, target_of(many))
    far = rng.normal(size=(50, 2)) + [1e6, -3e5]
    cases("far", far, target_of(far))
    near = rng.normal(size=(80, 3))
    near[:, 2] = near[:, 0] + 1e-3 * near[:, 2]
    cases("nearly_collinear", near, target_of(near))


def without_a_single_answer():
    """The shortest of many answers."""
    base = rng.normal(size=(40, 2))
    collinear = np.column_stack([base[:, 0], base[:, 1], 2 * base[:, 0] - 3 * base[:, 1], np.full(40, 0.1)])
    y = target_of(collinear)
    cases("collinear", collinear, y)
    cases("collinear_no_intercept", collinear, y, intercept=False)
    cases("collinear_ridge", collinear, y, alpha=1.0)
    wide = rng.normal(size=(5, 9))
    cases("wide", wide, target_of(wide))
    cases("one_row", wide[:1], np.array([4.0]))


def scores():
    """R² of any two vectors, and where all of the truth is the same."""
    truth, guess = rng.normal(size=30), rng.normal(size=30)
    flat = np.full(30, 2.0)
    for name, truth, guess in [("bad", truth, guess), ("flat_right", flat, flat), ("flat_wrong", flat, guess), ("mean", truth, np.full(30, truth.mean()))]:
        files = [AREA.array(f"{name}_truth", truth), AREA.array(f"{name}_guess", guess)]
        AREA.case(f"{name}_score", "r2_score", files, value=float(r2_score(truth, guess)))


for part in [fits, without_a_single_answer, scores]:
    part()
AREA.finish()
