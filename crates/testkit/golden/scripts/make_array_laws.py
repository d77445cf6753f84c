"""What values of random distributions should be, from SciPy: for each law the probabilities of bins, which no test draws from."""

import numpy as np
from scipy import stats

from common import Area

AREA = Area("array_laws")
QUANTILES = np.array([0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999])

FLOATS = {
    "gamma": [((a,), stats.gamma(a)) for a in [0.05, 0.7, 1.0, 3.5, 1e4]],
    "beta": [((a, b), stats.beta(a, b)) for a, b in [(0.1, 0.2), (0.5, 3.0), (2.0, 5.0), (1e3, 1e3)]],
    "lognormal": [((0.5, 0.7), stats.lognorm(0.7, scale=np.exp(0.5)))],
    "chisquare": [((df,), stats.chi2(df)) for df in [0.5, 4.0]],
    "student_t": [((df,), stats.t(df)) for df in [1.0, 3.5, 200.0]],
    "fisher_f": [((3.0, 7.0), stats.f(3.0, 7.0))],
    "weibull": [((a,), stats.weibull_min(a)) for a in [0.5, 3.0]],
    "pareto": [((3.0,), stats.lomax(3.0))],
    "power": [((a,), stats.powerlaw(a)) for a in [0.3, 4.0]],
    "rayleigh": [((), stats.rayleigh())],
    "laplace": [((), stats.laplace())],
    "logistic": [((), stats.logistic())],
    "gumbel": [((), stats.gumbel_r())],
    "cauchy": [((), stats.cauchy())],
    "triangular": [((-1.0, 2.0, 3.0), stats.triang(0.75, -1.0, 4.0)), ((0.0, 0.0, 1.0), stats.triang(0.0, 0.0, 1.0))],
    "von_mises": [((0.0, k), stats.vonmises(k)) for k in [1e-9, 1e-6, 0.5, 4.0, 1e4, 1e7]],
    "wald": [((m, s), stats.invgauss(m / s, scale=s)) for m, s in [(1.0, 2.0), (3.0, 0.2)]],
    "noncentral_chisquare": [((df, nc), stats.ncx2(df, nc)) for df, nc in [(0.7, 2.0), (3.0, 40.0)]],
    "noncentral_f": [((3.0, 20.0, 4.0), stats.ncf(3.0, 20.0, 4.0))],
}
COUNTS = {
    "poisson": [((m,), stats.poisson(m)) for m in [0.3, 4.0, 9.9, 10.0, 50.0, 1e5]],
    "binomial": [((n, p), stats.binom(n, p)) for n, p in [(1, 0.3), (20, 0.1), (50, 0.4), (400, 0.97), (10**6, 0.5), (10**6, 2e-6)]],
    "geometric": [((p,), stats.geom(p)) for p in [0.02, 0.5, 0.99]],
    "negative_binomial": [((n, p), stats.nbinom(n, p)) for n, p in [(3.0, 0.4), (0.5, 0.02)]],
    "hypergeometric": [((g, b, s), stats.hypergeom(g + b, g, s)) for g, b, s in [(5, 10, 4), (40, 60, 90), (3000, 7000, 1000)]],
    "zipf": [((a,), stats.zipf(a)) for a in [1.5, 3.0]],
    "logseries": [((p,), stats.logser(p)) for p in [0.2, 0.9]],
}


def case(name, parameters, edges, shares):
    tag = "_".join(f"{value:g}" for value in parameters)
    AREA.case(f"{name}_{tag}", name, [], value=None, parameters=list(parameters), edges=list(edges), shares=list(shares))


for name, rows in FLOATS.items():
    for parameters, law in rows:
        edges = law.ppf(QUANTILES)
        edges = np.unique(edges[np.isfinite(edges)])
        case(name, parameters, edges, np.diff(np.concatenate([[0.0], law.cdf(edges), [1.0]])))
for name, rows in COUNTS.items():
    for parameters, law in rows:
        # Between whole numbers, so that each lies on one side.
        edges = np.unique(law.ppf(QUANTILES) + 0.5)
        case(name, parameters, edges, np.diff(np.concatenate([[0.0], law.cdf(np.floor(edges)), [1.0]])))
AREA.finish()
