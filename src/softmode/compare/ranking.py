"""Which potential is really better than which: paired bootstrap over the entries that all completed."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from softmode.compare.mean_errors import Quantity, signed_errors, survivors
from softmode.compare.resampling import interval, resampled_means, share_below_zero
from softmode.compare.training import not_seen, seen_entries
from softmode.sources import YARDSTICK


def ranking_table(
    properties: pd.DataFrame, quantities: Sequence[Quantity], potentials: Sequence[str], report: Mapping[str, Any]
) -> pd.DataFrame:
    """Return one row for each quantity and ordered pair of potentials, on the entries that every potential completed.

    Both of a pair are resampled with the same entries, so that what is hard for both does not blur their difference. A
    pair of which one was trained on some of the entries is compared on those that neither has seen. The yardstick does
    not compete.

    Returns:
        columns quantity, unit, better, worse (the first has the smaller error or an equal one), subset (`common`, or
        `unseen` where one of the pair has seen some of that), n, mae_better, mae_worse, difference (worse minus
        better), difference_low and difference_high (its 95 % percentile interval; NaN for too few entries), confidence
        (share of resamples in which the first is the better, a tie counting half; NaN likewise), and decided (there is
        an interval, and it has no zero)
    """
    competing = [name for name in potentials if name != YARDSTICK]
    seen = seen_entries(properties, competing)
    common = survivors(properties, potentials)
    rows = []
    for quantity in quantities:
        errors = signed_errors(properties, quantity, competing).abs()
        errors = errors.loc[errors.index.isin(common)].dropna()
        # all pairs that have seen the same are resampled together
        compared: dict[frozenset[str], tuple[pd.Series, int, pd.DataFrame]] = {}
        for pair in combinations(errors.mean().sort_values(kind="stable").index, 2) if len(errors) else ():
            of_pair = {name: seen[name] for name in pair if name in seen}
            if frozenset(of_pair) not in compared:
                known = errors.loc[not_seen(errors.index, of_pair)]
                resampled = resampled_means(known.to_numpy(), report) if len(known) else np.zeros((0, len(competing)))
                drawn = pd.DataFrame(resampled, columns=competing)
                compared[frozenset(of_pair)] = known.mean(), len(known), drawn
            means, n, drawn = compared[frozenset(of_pair)]
            if n == 0:
                continue
            better, worse = means[list(pair)].sort_values(kind="stable").index
            differences = (drawn[worse] - drawn[better]).to_numpy()
            low, high = interval(differences)
            rows.append(
                {
                    "quantity": quantity.key,
                    "unit": quantity.unit,
                    "better": better,
                    "worse": worse,
                    "subset": "unseen" if of_pair else "common",
                    "n": n,
                    "mae_better": means[better],
                    "mae_worse": means[worse],
                    "difference": means[worse] - means[better],
                    "difference_low": low,
                    "difference_high": high,
                    "confidence": share_below_zero(-differences),
                    "decided": bool(low > 0 or high < 0),
                }
            )
    columns = ["quantity", "unit", "better", "worse", "subset", "n", "mae_better", "mae_worse", "difference"]
    columns += ["difference_low", "difference_high", "confidence", "decided"]
    return pd.DataFrame(rows, columns=columns)
