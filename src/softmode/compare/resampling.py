"""Bootstrap over entries: how the means of errors would vary with another choice of entries."""

from typing import Any

import numpy as np
from scipy.stats import bootstrap

# numbers that are held resampled at a time, about 80 MB; more takes more memory and no less time
_RESAMPLED_NUMBERS = 10_000_000


def resampled_means(values: np.ndarray, n_resamples: int, seed: int) -> np.ndarray:
    """Return the means of resampled rows, the same rows for all columns: shape (n_resamples, n_columns).

    Args:
        values: shape (n_entries, n_columns), two entries or more
        seed: makes them reproducible
    """
    return np.asarray(_resampled(values, n_resamples, seed).bootstrap_distribution.T)


def mean_interval(values: np.ndarray, n_resamples: int, seed: int) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of the mean; NaN for fewer than two values.

    Args:
        values: shape (n_entries,)
        seed: makes it reproducible
    """
    if len(values) < 2:
        return np.nan, np.nan
    interval = _resampled(values[:, None], n_resamples, seed).confidence_interval
    return float(interval.low[0]), float(interval.high[0])


def _resampled(values: np.ndarray, n_resamples: int, seed: int) -> Any:
    """Return SciPy's bootstrap of the means of columns, shape (n_entries, n_columns), with the same rows for all."""

    def means(*columns: np.ndarray, axis: int) -> np.ndarray:
        return np.stack([column.mean(axis=axis) for column in columns])

    return bootstrap(
        tuple(values.T),
        means,
        n_resamples=n_resamples,
        batch=max(1, _RESAMPLED_NUMBERS // values.size),
        paired=True,
        vectorized=True,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
