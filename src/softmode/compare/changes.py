"""How much the errors change with one setting of a campaign, on the entries completed with every value of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd

from softmode.compare.mean_errors import THERMODYNAMICS, Quantity, signed_errors, survivors
from softmode.compare.resampling import interval, resampled_means, share_below_zero
from softmode.compare.stability import outcomes
from softmode.sources import REFERENCE

# Outcomes that count as errors, in % of the reference's class, as in Table III.
FALSE_OUTCOMES = (
    Quantity("false_unstable", "", 1.0, "%", r"\mathrm{FU}", "stable entries called unstable"),
    Quantity("false_stable", "", 1.0, "%", r"\mathrm{FS}", "unstable entries called stable"),
)
QUANTITIES = (*THERMODYNAMICS, *FALSE_OUTCOMES)
_COLUMNS = [
    "setting", "base_value", "value", "campaign", "potential", "quantity", "unit", "n", "n_dropped", "error_base",
    "error", "change", "change_low", "change_high", "ratio", "ratio_low", "ratio_high", "confidence", "decided",
]  # fmt: skip


@dataclass(frozen=True)
class Base:
    """The campaign that others are compared with.

    Attributes:
        properties: properties.parquet
        dataset_digest: of its entries
        report: settings of the report
        labels: of its potentials, in its order
        colours: of its potentials
        cautions: what speaks against the phonons of some of them, for people
    """

    properties: pd.DataFrame
    dataset_digest: str
    report: Mapping[str, Any]
    labels: Mapping[str, str]
    colours: Mapping[str, str]
    cautions: str


@dataclass(frozen=True)
class Variation:
    """A campaign that differs from the base in one setting.

    Attributes:
        name: its name
        properties: properties.parquet
        stability: the thresholds by which its entries are stable
        setting: the key of the setting
        values: of the setting in the base and here, for each potential for which it differs
    """

    name: str
    properties: pd.DataFrame
    stability: str
    setting: str
    values: Mapping[str, tuple[Any, Any]]


def change_table(base: Base, variations: Sequence[Variation]) -> pd.DataFrame:
    """Return one row for each potential, variation and quantity, with its error there and in the base.

    Errors of a potential are means over the entries that the reference and this potential brought to the end in the
    base and in every variation, so that a change is never one of the entries. Each campaign is held against its own
    reference. The same entries are resampled in both.

    Returns:
        columns setting, base_value, value, campaign, potential, quantity, unit, n, n_dropped (entries with a reference
        that this potential fails in one campaign or more), error_base and error (mean absolute error; for the false
        outcomes the share of the reference's class), change (error minus error_base), change_low and change_high (its
        95 % percentile bootstrap interval; NaN for too few entries), ratio (error by error_base; NaN where that is
        zero), ratio_low and ratio_high (its interval), confidence (share of resamples in which the error is smaller
        than in the base, a tie counting half; NaN for too few entries), and decided (there is an interval of the
        change, and it has no zero)
    """
    rows = []
    for potential in base.labels:
        own = [variation for variation in variations if potential in variation.values]
        if not own:
            continue
        tables = [base.properties, *(variation.properties for variation in own)]
        common = reduce(pd.Index.intersection, (survivors(table, [potential]) for table in tables))
        reference = base.properties[base.properties["source"] == REFERENCE]
        n_dropped = int((reference["status"] == "done").sum()) - len(common)
        variants = [base.report["stability"], *(variation.stability for variation in own)]
        errors = [
            errors_of_entries(table, potential, variant).loc[common]
            for table, variant in zip(tables, variants, strict=True)
        ]
        for quantity in QUANTITIES:
            values = pd.concat([table[quantity.key] for table in errors], axis=1).dropna().to_numpy()
            changes = _changes(values, base.report)
            for position, (variation, change) in enumerate(zip(own, changes, strict=True), start=1):
                base_value, value = variation.values[potential]
                rows.append(
                    {
                        "setting": variation.setting,
                        "base_value": base_value,
                        "value": value,
                        "campaign": variation.name,
                        "potential": potential,
                        "quantity": quantity.key,
                        "unit": quantity.unit,
                        "n": len(values),
                        "n_dropped": n_dropped,
                        "error_base": values[:, 0].mean() if len(values) else np.nan,
                        "error": values[:, position].mean() if len(values) else np.nan,
                    }
                    | change
                )
    return pd.DataFrame(rows, columns=_COLUMNS)


def errors_of_entries(properties: pd.DataFrame, potential: str, variant: str) -> pd.DataFrame:
    """Return absolute errors in the reported units, and 100 for each false outcome and 0 for each true one.

    Index entry, a column for each of `QUANTITIES`; NaN where there is no error, or the entry is not of the class.
    """
    columns = {
        quantity.key: signed_errors(properties, quantity, [potential])[potential].abs() for quantity in THERMODYNAMICS
    }
    wide = outcomes(properties, variant)
    for quantity, reference_class in zip(FALSE_OUTCOMES, ("stable", "unstable"), strict=True):
        false = 100.0 * (wide[potential] != reference_class)
        columns[quantity.key] = false.where(wide[REFERENCE] == reference_class)
    return pd.DataFrame(columns)


def _changes(values: np.ndarray, report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return for each column but the first how its mean differs from that of the first.

    Args:
        values: shape (n_entries, n_campaigns)
    """
    if not len(values):
        numbers = ("change", "change_low", "change_high", "ratio", "ratio_low", "ratio_high", "confidence")
        return [dict.fromkeys(numbers, np.nan) | {"decided": False}] * (values.shape[1] - 1)
    errors = values.mean(axis=0)
    means = resampled_means(values, report)
    found = []
    for error, resampled in zip(errors[1:], means.T[1:], strict=True):
        low, high = interval(resampled - means[:, 0])
        # a share of false outcomes may be zero in the base, or in a resample of it
        ratio_low, ratio_high = interval(resampled / means[:, 0]) if (means[:, 0] > 0).all() else (np.nan, np.nan)
        found.append(
            {
                "change": error - errors[0],
                "change_low": low,
                "change_high": high,
                "ratio": error / errors[0] if errors[0] else np.nan,
                "ratio_low": ratio_low,
                "ratio_high": ratio_high,
                "confidence": share_below_zero(resampled - means[:, 0]),
                "decided": bool(low > 0 or high < 0),
            }
        )
    return found
