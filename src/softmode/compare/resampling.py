"""Bootstrap over entries: how the means of errors would vary with another choice of entries.

The one place that says how few entries have no interval: `report.interval_smallest_n` of the protocol. All numbers of
fewer are NaN, and NaN decides nothing.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import bootstrap

# Resampled numbers that are held at a time, about 80 MB; more takes more memory and no less time. It changes no
# result.
_RESAMPLED_NUMBERS = 10_000_000


def enough(n: int, report: Mapping[str, Any]) -> bool:
    """Return whether so many values have an interval or a standard error.

    Args:
        report: settings of the report
    """
    return bool(n >= report["interval_smallest_n"])


def resampled_means(values: np.ndarray, report: Mapping[str, Any]) -> np.ndarray:
    """Return the means of resampled rows, the same rows for all columns: shape (n_resamples, n_columns).

    All are NaN where there are too few rows.

    Args:
        values: shape (n_entries, n_columns)
        report: settings of the report; its seed makes them reproducible
    """
    n_resamples = report["bootstrap_resamples"]
    if not enough(len(values), report):
        return np.full((n_resamples, values.shape[1]), np.nan)

    def means(*columns: np.ndarray, axis: int) -> np.ndarray:
        return np.stack([column.mean(axis=axis) for column in columns])

    result = bootstrap(
        tuple(values.T),
        means,
        n_resamples=n_resamples,
        batch=max(1, _RESAMPLED_NUMBERS // values.size),
        paired=True,
        vectorized=True,
        method="percentile",
        rng=np.random.default_rng(report["bootstrap_seed"]),
    )
    return np.asarray(result.bootstrap_distribution.T)


def mean_interval(values: np.ndarray, report: Mapping[str, Any]) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of the mean; NaN for too few values.

    Args:
        values: shape (n_entries,)
        report: settings of the report
    """
    return interval(resampled_means(values[:, None], report)[:, 0])


def interval(resampled: np.ndarray) -> tuple[float, float]:
    """Return between what 95 % of resampled numbers lie; NaN where they are.

    Args:
        resampled: shape (n_resamples,)
    """
    low, high = np.percentile(resampled, [2.5, 97.5])
    return float(low), float(high)


def share_below_zero(resampled: np.ndarray) -> float:
    """Return the share of resampled numbers below zero, a zero counting half; NaN where they are.

    Args:
        resampled: shape (n_resamples,)
    """
    if np.isnan(resampled).any():
        return np.nan
    return float((resampled < 0).mean() + 0.5 * (resampled == 0).mean())
