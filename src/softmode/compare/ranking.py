"""Which potential is really better than which: paired bootstrap over the entries that all completed."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from softmode.compare.mean_errors import Quantity, signed_errors, survivors
from softmode.compare.resampling import interval, resampled_means, share_below_zero
from softmode.sources import YARDSTICK


def ranked_errors(properties: pd.DataFrame, quantity: Quantity, potentials: Sequence[str]) -> pd.DataFrame:
    """Return the absolute errors that are ranked, in the reported unit, on the entries that every potential completed.

    The yardstick does not compete.

    Returns:
        index entry, a column for each potential, no NaN; without rows where there is no entry
    """
    competing = [name for name in potentials if name != YARDSTICK]
    errors = signed_errors(properties, quantity, competing).abs()
    return errors.loc[errors.index.isin(survivors(properties, potentials))].dropna()


def ranking_table(
    properties: pd.DataFrame, quantities: Sequence[Quantity], potentials: Sequence[str], report: Mapping[str, Any]
) -> pd.DataFrame:
    """Return one row for each quantity and ordered pair of potentials, on the entries that every potential completed.

    Both of a pair are resampled with the same entries, so that what is hard for both does not blur their difference.
    The yardstick does not compete.

    Returns:
        columns quantity, unit, better, worse (the first has the smaller error or an equal one), n, mae_better,
        mae_worse, difference (worse minus better), difference_low and difference_high (its 95 % percentile interval;
        NaN for too few entries), confidence (share of resamples in which the first is the better, a tie counting half;
        NaN likewise), and decided (there is an interval, and it has no zero)
    """
    rows = []
    for quantity in quantities:
        errors = ranked_errors(properties, quantity, potentials)
        if errors.empty:
            continue
        means = errors.mean().sort_values(kind="stable")
        resampled = dict(zip(errors, resampled_means(errors.to_numpy(), report).T, strict=True))
        for position, better in enumerate(means.index):
            for worse in means.index[position + 1 :]:
                differences = resampled[worse] - resampled[better]
                low, high = interval(differences)
                rows.append(
                    {
                        "quantity": quantity.key,
                        "unit": quantity.unit,
                        "better": better,
                        "worse": worse,
                        "n": len(errors),
                        "mae_better": means[better],
                        "mae_worse": means[worse],
                        "difference": means[worse] - means[better],
                        "difference_low": low,
                        "difference_high": high,
                        "confidence": share_below_zero(-differences),
                        "decided": bool(low > 0 or high < 0),
                    }
                )
    columns = ["quantity", "unit", "better", "worse", "n", "mae_better", "mae_worse", "difference", "difference_low"]
    return pd.DataFrame(rows, columns=[*columns, "difference_high", "confidence", "decided"])
