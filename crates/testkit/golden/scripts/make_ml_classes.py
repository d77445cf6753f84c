"""Golden files of soft-max regression (three classes), from scikit-learn, and of a badly scaled two-class problem."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from common import Area

AREA = Area("ml_classes")
rng = np.random.Generator(np.random.Philox(22))
ROWS, COLUMNS = 150, 3
x = rng.normal(size=(ROWS, COLUMNS)) * [1.0, 2.0, 0.5]
labels = np.argmax(x @ rng.normal(size=(COLUMNS, 3)) + rng.gumbel(size=(ROWS, 3)) * 1.5, axis=1) * 2 - 1  # -1, 1, 3
files = [AREA.array("x", x), AREA.array("labels", labels)]


def fit(data, labels, strength, intercept):
    """Solved until the gradient is nothing but rounding; the coefficients do not depend on the solver."""
    given = {"C": strength, "fit_intercept": intercept, "tol": 1e-13, "max_iter": 100_000}
    model = LogisticRegression(solver="newton-cholesky", **given).fit(data, labels)
    again = LogisticRegression(solver="newton-cg", **given).fit(data, labels)
    np.testing.assert_allclose(model.predict_proba(data), again.predict_proba(data), rtol=1e-6, atol=1e-9)
    return model


def soft_max():
    for name, strength, intercept in [("l2", 1.0, True), ("strong", 0.02, True), ("none", np.inf, True), ("no_intercept", 1.0, False)]:
        model = fit(x, labels, strength, intercept)
        given = {"c": strength, "intercept": intercept}
        # The common shift of all classes is free: it is taken out, so that the files do not depend on the solver.
        coefficients = model.coef_ - (model.coef_.mean(axis=0) if np.isinf(strength) else 0)
        intercepts = np.broadcast_to(model.intercept_, (3,)) - np.mean(model.intercept_)
        AREA.case(f"{name}_coefficients", "coefficients", files, coefficients, **given)
        AREA.case(f"{name}_intercepts", "intercepts", files, intercepts, **given)
        AREA.case(f"{name}_decision", "decision", files, x @ coefficients.T + intercepts, **given)
        AREA.case(f"{name}_probability", "probability", files, model.predict_proba(x), **given)
        AREA.case(f"{name}_predict", "predict", files, model.predict(x), **given)


def badly_scaled():
    far = x * [1e-3, 1.0, 1e3] + [1.0, -50.0, 1e4]
    binary = (labels > 0).astype(np.int64)
    inputs = [AREA.array("far", far), AREA.array("binary", binary)]
    model = LogisticRegression(C=10.0, solver="newton-cholesky", tol=1e-13, max_iter=1000).fit(far, binary)
    given = {"c": 10.0, "intercept": True}
    AREA.case("far_coefficients", "coefficients", inputs, model.coef_, **given)
    AREA.case("far_intercepts", "intercepts", inputs, np.ravel(model.intercept_), **given)
    AREA.case("far_decision", "decision", inputs, model.decision_function(far)[:, np.newaxis], **given)
    AREA.case("far_probability", "probability", inputs, model.predict_proba(far), **given)
    AREA.case("far_predict", "predict", inputs, model.predict(far), **given)


for part in [soft_max, badly_scaled]:
    part()
AREA.finish()
