"""Dynamical stability against the reference, with failure as a third outcome (Table III)."""

from collections.abc import Sequence

import pandas as pd

from softmode.compare.errors import REFERENCE

OUTCOMES = ("stable", "unstable", "failed")


def outcome(properties: pd.DataFrame, variant: str) -> pd.Series:
    """Return `stable`, `unstable` or `failed` for each row, by one variant of the threshold."""
    stable = properties[f"stable_{variant}"]
    outcomes = stable.map({True: "stable", False: "unstable"}).astype(object)
    return outcomes.where(properties["status"] == "done", "failed")


def confusion_table(properties: pd.DataFrame, potentials: Sequence[str], variant: str) -> pd.DataFrame:
    """Return one row for each potential and class of the reference: how many it calls stable, unstable, or fails.

    Columns: potential, reference (`stable` or `unstable`), n (entries of that class), then number and percentage of the
    class for each outcome. Entries without a reference do not count; failed ones are never dropped.
    """
    wide = properties.assign(outcome=outcome(properties, variant)).pivot(
        index="entry", columns="source", values="outcome"
    )
    rows = []
    for name in potentials:
        for reference_class in ("stable", "unstable"):
            predicted = wide.loc[wide[REFERENCE] == reference_class, name]
            row: dict[str, object] = {"potential": name, "reference": reference_class, "n": len(predicted)}
            for result in OUTCOMES:
                number = int((predicted == result).sum())
                row[f"n_{result}"] = number
                row[f"percent_{result}"] = 100.0 * number / len(predicted) if len(predicted) else float("nan")
            rows.append(row)
    return pd.DataFrame(rows)
