"""Means over entries of what a study found, by potential and subset, with intervals: the numbers of its table."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from softmode.compare.mean_errors import Quantity
from softmode.compare.resampling import mean_interval
from softmode.compare.training import not_seen


def study_means(
    done: pd.DataFrame,
    quantities: Sequence[Quantity],
    potentials: Sequence[str],
    report: Mapping[str, Any],
    by: Sequence[str] = (),
    more: Callable[[pd.DataFrame], Mapping[str, Any]] = lambda chosen: {},
    seen: Mapping[str, pd.Index] | None = None,
) -> pd.DataFrame:
    """Return one row for each potential, subset and quantity, with the mean.

    Columns: potential, subset (`common`, the entries that all potentials completed, or `own`; where a potential was
    trained on some, first `unseen`: of `common`, those that none was trained on), those of `by`, quantity,
    unit, n, mae, mae_low and mae_high (95 % percentile bootstrap interval; NaN for too few entries), median and
    percentile_95, and those of `more`.

    Args:
        done: a study's rows that were completed, with columns entry and source; a missing number counts for nothing
        by: columns whose values have means of their own, such as a temperature
        more: further columns of the rows that a mean is over, the same for all quantities
        seen: entries that potentials were trained on, of `seen_entries`; None where what is found is no error
    """
    counts = done[done["source"].isin(potentials)].groupby("entry")["source"].nunique()
    common = counts.index[counts == len(potentials)]
    subsets = {"unseen": not_seen(common, seen)} if seen else {}
    subsets |= {"common": common, "own": counts.index}
    rows = []
    for name in potentials:
        of_potential = done[done["source"] == name]
        for key, own in of_potential.groupby(list(by)) if by else [((), of_potential)]:
            for subset, entries in subsets.items():
                chosen = own[own["entry"].isin(entries)]
                where: dict[str, Any] = {"potential": name, "subset": subset, **dict(zip(by, key, strict=True))}
                rest = dict(more(chosen))
                rows += [where | _mean(chosen, quantity, report) | rest for quantity in quantities]
    return pd.DataFrame(rows)


def _mean(chosen: pd.DataFrame, quantity: Quantity, report: Mapping[str, Any]) -> dict[str, Any]:
    values = chosen[quantity.column].dropna().to_numpy(float) * quantity.factor
    low, high = mean_interval(values, report)
    known = len(values) > 0
    return {
        "quantity": quantity.key,
        "unit": quantity.unit,
        "n": len(values),
        "mae": values.mean() if known else np.nan,
        "mae_low": low,
        "mae_high": high,
        "median": np.median(values) if known else np.nan,
        "percentile_95": np.percentile(values, 95) if known else np.nan,
    }
