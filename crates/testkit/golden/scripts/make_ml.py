"""Golden files of the ml area, from scikit-learn: scaler, linear and logistic regression, accuracy."""

import numpy as np
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, log_loss, r2_score
from sklearn.preprocessing import StandardScaler

from common import Area

AREA = Area("ml")
rng = np.random.Generator(np.random.Philox(21))
ROWS, COLUMNS = 120, 4
x = rng.normal(size=(ROWS, COLUMNS)) * [1.0, 3.0, 0.5, 10.0] + [0.0, 5.0, -2.0, 100.0]
true = np.array([1.5, -0.8, 2.0, 0.1])
score = (x - x.mean(axis=0)) @ true + rng.normal(size=ROWS) * 3  # noisy enough that the classes overlap
labels = (score > 0).astype(np.int64)
target = x @ true + 7.0 + rng.normal(size=ROWS)
files = {"x": AREA.array("x", x), "labels": AREA.array("labels", labels), "target": AREA.array("target", target)}


def scaler():
    flat = x.copy()
    flat[:, 2] = 4.25
    for name, data in [("x", x), ("flat", flat)]:
        file = AREA.array(name, data)
        fitted = StandardScaler().fit(data)
        AREA.case(f"scaler_mean_{name}", "scaler_mean", [file], fitted.mean_)
        AREA.case(f"scaler_variance_{name}", "scaler_variance", [file], fitted.var_)
        AREA.case(f"scaler_scale_{name}", "scaler_scale", [file], fitted.scale_)
        AREA.case(f"scaler_transform_{name}", "scaler_transform", [file], fitted.transform(data))
    centered = StandardScaler(with_std=False).fit_transform(x)
    scaled = StandardScaler(with_mean=False).fit_transform(x)
    AREA.case("scaler_only_mean", "scaler_transform", [files["x"]], centered, with_mean=True, with_std=False)
    AREA.case("scaler_only_std", "scaler_transform", [files["x"]], scaled, with_mean=False, with_std=True)


def logistic():
    """Minimizes sum(log loss) + |w|^2 / (2 C), the intercept free; solved until the gradient is nothing but rounding."""
    scaled = StandardScaler().fit_transform(x)
    file = AREA.array("x_scaled", scaled)
    for name, strength, intercept in [("l2", 1.0, True), ("l2_strong", 0.05, True), ("none", np.inf, True), ("l2_no_intercept", 1.0, False)]:
        model = LogisticRegression(C=strength, solver="newton-cholesky", tol=1e-12, max_iter=1000, fit_intercept=intercept).fit(scaled, labels)
        again = LogisticRegression(C=strength, solver="lbfgs", tol=1e-12, max_iter=10_000, fit_intercept=intercept).fit(scaled, labels)
        np.testing.assert_allclose(model.coef_, again.coef_, rtol=1e-5)
        predicted, chance = model.predict(scaled), model.predict_proba(scaled)[:, 1]
        given = {"c": strength, "intercept": intercept}
        AREA.case(f"logistic_{name}_coefficients", "logistic_coefficients", [file, files["labels"]], model.coef_[0], **given)
        AREA.case(f"logistic_{name}_intercept", "logistic_intercept", [file, files["labels"]], value=float(np.ravel(model.intercept_)[0]), **given)
        AREA.case(f"logistic_{name}_probability", "logistic_probability", [file, files["labels"]], chance, **given)
        AREA.case(f"logistic_{name}_decision", "logistic_decision", [file, files["labels"]], model.decision_function(scaled), **given)
        AREA.case(f"logistic_{name}_predict", "logistic_predict", [file, files["labels"]], predicted, **given)
        AREA.case(f"logistic_{name}_accuracy", "logistic_accuracy", [file, files["labels"]], value=accuracy_score(labels, predicted), **given)
        AREA.case(f"logistic_{name}_log_loss", "logistic_log_loss", [file, files["labels"]], value=log_loss(labels, chance), **given)


def linear():
    model = LinearRegression().fit(x, target)
    inputs = [files["x"], files["target"]]
    AREA.case("linear_coefficients", "linear_coefficients", inputs, model.coef_)
    AREA.case("linear_intercept", "linear_intercept", inputs, value=float(model.intercept_))
    AREA.case("linear_predict", "linear_predict", inputs, model.predict(x))
    AREA.case("linear_r2", "linear_r2", inputs, value=r2_score(target, model.predict(x)))


def accuracy():
    guess = labels.copy()
    guess[::7] ^= 1
    weight = rng.random(ROWS)
    named = [AREA.array("guess", guess), AREA.array("weight", weight)]
    AREA.case("accuracy", "accuracy", [files["labels"], named[0]], value=accuracy_score(labels, guess))
    AREA.case("accuracy_count", "accuracy_count", [files["labels"], named[0]], value=int(accuracy_score(labels, guess, normalize=False)))
    AREA.case("accuracy_weighted", "accuracy_weighted", [files["labels"], *named], value=accuracy_score(labels, guess, sample_weight=weight))


for part in [scaler, logistic, linear, accuracy]:
    part()
AREA.finish()
