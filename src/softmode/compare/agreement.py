"""Potentials against each other, which needs no reference: differences, ranks, stability, and spread of each entry."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from softmode.compare.groups import PER_ATOM
from softmode.compare.mean_errors import RELAXATION, THERMODYNAMICS, Quantity
from softmode.compare.resampling import mean_interval
from softmode.compare.stability import outcomes

# Quantities that potentials are compared by. Thermodynamics are per mole of atoms: per mole of cells, large cells rank
# before small ones whatever the potential. Energies are left out: potentials count them from different zeros.
COMPARED = (RELAXATION[1], THERMODYNAMICS[0], *PER_ATOM)
# Smallest number of entries of which a rank correlation is given. With fewer, it is always one or minus one.
FEWEST_FOR_RANKS = 3
# Quantities whose relative ranges make the disagreement of an entry; free energies may be zero, and are left out.
_RELATIVE = tuple(quantity for quantity in COMPARED if not quantity.key.startswith("free_energy"))


def values_of(
    properties: pd.DataFrame, quantity: Quantity, potentials: Sequence[str], report: Mapping[str, Any]
) -> pd.DataFrame:
    """Return a quantity in its unit: index entry, a column for each potential, NaN where there is none.

    Thermodynamics count where the potential calls the entry stable: else they are sums over the modes that are not
    imaginary, and differ by how many these are.
    """
    wide = properties.pivot(index="entry", columns="source", values=quantity.column).astype(float)
    if quantity in PER_ATOM:
        wide = wide.where(outcomes(properties, report["stability"]) == "stable")
    return wide[list(potentials)] * quantity.factor


def difference_table(properties: pd.DataFrame, potentials: Sequence[str], report: Mapping[str, Any]) -> pd.DataFrame:
    """Return how far two potentials are apart, one row for each quantity and pair, over the entries that both have.

    Args:
        report: settings of the report; its seed makes the intervals reproducible

    Returns:
        columns quantity, unit, one, other, n, mean_difference (one minus other), mean_absolute_difference with its 95 %
        bootstrap interval in _low and _high (NaN for too few entries), and rank_correlation (Spearman's; NaN for
        fewer than three, or where one potential has a single value)
    """
    rows = []
    for quantity in COMPARED:
        values = values_of(properties, quantity, potentials, report)
        for one, other in combinations(potentials, 2):
            both = values[[one, other]].dropna()
            differences = (both[one] - both[other]).to_numpy()
            low, high = mean_interval(np.abs(differences), report)
            rows.append(
                {
                    "quantity": quantity.key,
                    "unit": quantity.unit,
                    "one": one,
                    "other": other,
                    "n": len(both),
                    "mean_difference": differences.mean() if len(both) else np.nan,
                    "mean_absolute_difference": np.abs(differences).mean() if len(both) else np.nan,
                    "mean_absolute_difference_low": low,
                    "mean_absolute_difference_high": high,
                    "rank_correlation": _rank_correlation(both),
                }
            )
    return pd.DataFrame(rows)


def _rank_correlation(both: pd.DataFrame) -> float:
    if len(both) < FEWEST_FOR_RANKS or (both.nunique() == 1).any():
        return float("nan")
    return float(spearmanr(both.iloc[:, 0], both.iloc[:, 1]).statistic)


def stability_table(properties: pd.DataFrame, potentials: Sequence[str], variant: str) -> pd.DataFrame:
    """Return whether two potentials call the same entries dynamically stable, one row for each pair.

    Returns:
        columns one, other, n (entries that both brought to the end), both_stable, both_unstable, only_one_stable,
        only_other_stable, and agreement_percent (NaN for none)
    """
    wide = outcomes(properties, variant)
    rows = []
    for one, other in combinations(potentials, 2):
        both = wide[(wide[one] != "failed") & (wide[other] != "failed")]
        first, second = both[one] == "stable", both[other] == "stable"
        rows.append(
            {
                "one": one,
                "other": other,
                "n": len(both),
                "both_stable": int((first & second).sum()),
                "both_unstable": int((~first & ~second).sum()),
                "only_one_stable": int((first & ~second).sum()),
                "only_other_stable": int((~first & second).sum()),
                "agreement_percent": 100.0 * float((first == second).mean()) if len(both) else np.nan,
            }
        )
    return pd.DataFrame(rows)


def spread_table(properties: pd.DataFrame, potentials: Sequence[str], report: Mapping[str, Any]) -> pd.DataFrame:
    """Return how far all potentials are apart, one row for each entry and quantity that two potentials or more have.

    Entries on which they disagree most come first.

    Args:
        report: settings of the report

    Returns:
        columns entry, formula, quantity, unit, n (potentials that have it), mean, lowest, lowest_of, highest,
        highest_of, range (highest minus lowest), and disagreement_percent: of the entry, the root mean square over
        volume, highest frequency, entropy and heat capacity of the range over the mean
    """
    formulas = properties.drop_duplicates("entry").set_index("entry")["formula"]
    rows = [
        row for quantity in COMPARED for row in _spread(quantity, values_of(properties, quantity, potentials, report))
    ]
    columns = [*("entry", "formula", "quantity", "unit", "n", "mean", "lowest", "lowest_of", "highest", "highest_of")]
    if not rows:
        return pd.DataFrame(columns=[*columns, "range", "disagreement_percent"])
    table = pd.DataFrame(rows)
    table["formula"] = table["entry"].map(formulas)
    table["range"] = table["highest"] - table["lowest"]
    counted = table[table["quantity"].isin([quantity.key for quantity in _RELATIVE])]
    relative = (counted["range"] / counted["mean"].abs()).where(counted["mean"] != 0)
    squares = (relative**2).groupby(counted["entry"]).mean()
    table["disagreement_percent"] = 100.0 * np.sqrt(table["entry"].map(squares))
    order = table.sort_values(["disagreement_percent", "entry"], ascending=[False, True], kind="stable")
    return order[[*columns, "range", "disagreement_percent"]].reset_index(drop=True)


def _spread(quantity: Quantity, values: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for entry, row in values[values.notna().sum(axis=1) > 1].iterrows():
        yield {
            "entry": entry,
            "quantity": quantity.key,
            "unit": quantity.unit,
            "n": int(row.notna().sum()),
            "mean": row.mean(),
            "lowest": row.min(),
            "lowest_of": row.idxmin(),
            "highest": row.max(),
            "highest_of": row.idxmax(),
        }
