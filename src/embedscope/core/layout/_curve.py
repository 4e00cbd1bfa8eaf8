"""The similarity curve of the map: fit `a` and `b` to `min_dist` and `spread`."""

from __future__ import annotations

import numpy as np
from scipy.optimize import curve_fit


def similarity(distance: np.ndarray, a: float, b: float) -> np.ndarray:
    """Similarity of two points of the map, ``1 / (1 + a d^2b)``, in 0..1."""
    return np.asarray(1.0 / (1.0 + a * distance ** (2.0 * b)))


def fit_curve(min_dist: float, spread: float) -> tuple[float, float]:
    """Fit `a` and `b` to an exponential that is 1 up to `min_dist` and then decays.

    Parameters
    ----------
    min_dist : float
        Distance up to which two points count as touching, in map units; 0 or more.
    spread : float
        Distance over which similarity decays by 1/e, in map units; more than 0.

    Returns
    -------
    a, b : float
        Coefficients of ``1 / (1 + a d^2b)``.

    References
    ----------
    McInnes, Healy and Melville, "UMAP: Uniform Manifold Approximation and Projection for
    Dimension Reduction", arXiv:1802.03426, section 3.2.
    """
    # In units of the spread the problem is the same for every scale of the map. In map units the
    # fit diverges to negative exponents for spreads far from 1.
    distance = np.linspace(0.0, 3.0, 300)
    beyond = np.maximum(distance - min_dist / spread, 0.0)
    (a, b), _ = curve_fit(similarity, distance, np.exp(-beyond))
    return float(a / spread ** (2.0 * b)), float(b)
