"""Which potential is really better than which: paired bootstrap over the entries that all completed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pandas as pd

from softmode.compare.mean_errors import Quantity, signed_errors, survivors
from softmode.compare.resampling import interval, resampled_means, share_below_zero
from softmode.compare.training import not_seen, seen_entries
from softmode.sources import YARDSTICK


@dataclass(frozen=True)
class Pair:
    """Two potentials that are compared.

    Attributes:
        better: the one with the smaller mean absolute error, or an equal one
        worse: the other
        seen: of the two, those that were trained on some of the entries that every potential completed
        errors: absolute errors of all potentials in the reported unit on the entries on which these two are compared
    """

    better: str
    worse: str
    seen: frozenset[str]
    errors: pd.DataFrame

    @property
    def difference(self) -> float:
        """By how much the error of the second is larger."""
        return float(self.errors[self.worse].mean() - self.errors[self.better].mean())


def compared_pairs(properties: pd.DataFrame, quantity: Quantity, potentials: Sequence[str]) -> Iterator[Pair]:
    """Yield each pair of potentials, on the entries that every potential completed and neither was trained on.

    The yardstick does not compete; a pair without any such entry is left out.
    """
    competing = [name for name in potentials if name != YARDSTICK]
    seen = seen_entries(properties, competing)
    errors = signed_errors(properties, quantity, competing).abs()
    errors = errors.loc[errors.index.isin(survivors(properties, potentials))].dropna()
    known: dict[frozenset[str], pd.DataFrame] = {}
    for pair in combinations(errors.mean().sort_values(kind="stable").index, 2):
        of_pair = frozenset(name for name in pair if name in seen)
        if of_pair not in known:
            known[of_pair] = errors.loc[not_seen(errors.index, {name: seen[name] for name in of_pair})]
        if len(known[of_pair]):
            better, worse = known[of_pair][list(pair)].mean().sort_values(kind="stable").index
            yield Pair(better, worse, of_pair, known[of_pair])


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
    rows = []
    for quantity in quantities:
        # all pairs that have seen the same are resampled together
        resampled: dict[frozenset[str], pd.DataFrame] = {}
        for pair in compared_pairs(properties, quantity, potentials):
            if pair.seen not in resampled:
                drawn = resampled_means(pair.errors.to_numpy(), report)
                resampled[pair.seen] = pd.DataFrame(drawn, columns=pair.errors.columns)
            differences = (resampled[pair.seen][pair.worse] - resampled[pair.seen][pair.better]).to_numpy()
            low, high = interval(differences)
            rows.append(
                {
                    "quantity": quantity.key,
                    "unit": quantity.unit,
                    "better": pair.better,
                    "worse": pair.worse,
                    "subset": "unseen" if pair.seen else "common",
                    "n": len(pair.errors),
                    "mae_better": pair.errors[pair.better].mean(),
                    "mae_worse": pair.errors[pair.worse].mean(),
                    "difference": pair.difference,
                    "difference_low": low,
                    "difference_high": high,
                    "confidence": share_below_zero(-differences),
                    "decided": bool(low > 0 or high < 0),
                }
            )
    columns = ["quantity", "unit", "better", "worse", "subset", "n", "mae_better", "mae_worse", "difference"]
    columns += ["difference_low", "difference_high", "confidence", "decided"]
    return pd.DataFrame(rows, columns=columns)
