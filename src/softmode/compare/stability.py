"""Dynamical stability against the reference, with failure as a third outcome (Table III)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from softmode.sources import REFERENCE
from softmode.stages.phonons import kelvin_per_THz

OUTCOMES = ("stable", "unstable", "failed")
# How the columns of the variants begin in properties.parquet; with another beginning none is found.
_COLUMN = "stable_"


def outcome(properties: pd.DataFrame, variant: str) -> pd.Series:
    """Return `stable`, `unstable` or `failed` for each row, by one variant of the threshold."""
    stable = properties[f"{_COLUMN}{variant}"]
    outcomes = stable.map({True: "stable", False: "unstable"}).astype(object)
    return outcomes.where(properties["status"] == "done", "failed")


def outcomes(properties: pd.DataFrame, variant: str) -> pd.DataFrame:
    """Return the same as a table: index entry, a column for each source."""
    return properties.assign(outcome=outcome(properties, variant)).pivot(
        index="entry", columns="source", values="outcome"
    )


def variants_of(properties: pd.DataFrame, reported: str) -> list[str]:
    """Return the variants of the threshold that a properties.parquet has, the reported one first."""
    columns = [column for column in properties if column.startswith(_COLUMN)]
    return sorted((column.removeprefix(_COLUMN) for column in columns), key=lambda variant: variant != reported)


def confusion_table(properties: pd.DataFrame, potentials: Sequence[str], variant: str) -> pd.DataFrame:
    """Return one row for each potential and class of the reference: how many it calls stable, unstable, or fails.

    Columns: potential, reference (`stable` or `unstable`), n (entries of that class), then number and percentage of the
    class for each outcome. Entries without a reference do not count; failed ones are never dropped.
    """
    wide = outcomes(properties, variant)
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


def class_shares(properties: pd.DataFrame, potentials: Sequence[str], variant: str) -> pd.DataFrame:
    """Return TS and TU in % of the reference's class, and the F1 of `stable`, in which a failed entry is not found.

    Returns:
        one row for each potential and verdict: columns potential, quantity (TS, TU, F1), unit, n (entries of the class,
        of both for F1), value (NaN where there is nothing to divide by)
    """
    wide = outcomes(properties, variant)
    judged = wide[wide[REFERENCE] != "failed"]
    stable = judged[REFERENCE] == "stable"
    rows: list[dict[str, object]] = []
    for name in potentials:
        own = judged[name]
        found = {
            "TS": ("%", int(stable.sum()), _percent(stable & (own == "stable"), int(stable.sum()))),
            "TU": ("%", int((~stable).sum()), _percent(~stable & (own == "unstable"), int((~stable).sum()))),
            "F1": ("", len(judged), _f1(stable, own == "stable")),
        }
        for verdict, (unit, n, value) in found.items():
            rows.append({"potential": name, "quantity": verdict, "unit": unit, "n": n, "value": value})
    return pd.DataFrame(rows)


def threshold_table(
    spectra: pd.DataFrame, potentials: Sequence[str], bounds: Mapping[str, float], tolerances_K: Sequence[float]
) -> pd.DataFrame:
    """Return how the confusion with the reference changes with the imaginary frequency that is still called stable.

    At a tolerance t every mode may be imaginary down to -t, and those that the protocol allows more keep theirs; the
    reference is judged by the same t. At zero this is Table III.

    Args:
        spectra: spectra.parquet
        bounds: `acoustic_gamma_K` and `other_K` of the protocol's variant
        tolerances_K: imaginary frequencies in K, zero or positive

    Returns:
        columns potential, tolerance_K, n_stable and n_unstable (entries of the reference's classes), TS, FU,
        failed_stable, TU, FS, failed_unstable in % of the class, and f1_stable and f1_unstable, in which a failed
        entry is one not found; NaN where there is nothing to divide by
    """
    wide = spectra.pivot(index="entry", columns="source")
    factor = kelvin_per_THz()
    rows = []
    for tolerance in tolerances_K:
        acoustic, other = min(bounds["acoustic_gamma_K"], -tolerance), min(bounds["other_K"], -tolerance)
        stable = (wide["lowest_acoustic_gamma_THz"].astype(float) * factor >= acoustic) & (
            wide["lowest_other_THz"].astype(float) * factor >= other
        )
        done = wide["status"] == "done"
        reference_stable = stable[REFERENCE] & done[REFERENCE]
        reference_unstable = ~stable[REFERENCE] & done[REFERENCE]
        for name in potentials:
            yes, no, failed = stable[name] & done[name], ~stable[name] & done[name], ~done[name]
            n_stable, n_unstable = int(reference_stable.sum()), int(reference_unstable.sum())
            percentages = {
                "TS": _percent(reference_stable & yes, n_stable),
                "FU": _percent(reference_stable & no, n_stable),
                "failed_stable": _percent(reference_stable & failed, n_stable),
                "TU": _percent(reference_unstable & no, n_unstable),
                "FS": _percent(reference_unstable & yes, n_unstable),
                "failed_unstable": _percent(reference_unstable & failed, n_unstable),
            }
            rows.append(
                {"potential": name, "tolerance_K": tolerance, "n_stable": n_stable, "n_unstable": n_unstable}
                | percentages
                | {
                    "f1_stable": _f1(reference_stable, yes & done[REFERENCE]),
                    "f1_unstable": _f1(reference_unstable, no & done[REFERENCE]),
                }
            )
    return pd.DataFrame(rows)


def _percent(found: pd.Series, n: int) -> float:
    return 100.0 * int(found.sum()) / n if n else np.nan


def _f1(true: pd.Series, predicted: pd.Series) -> float:
    total = int(true.sum()) + int(predicted.sum())
    return 2.0 * int((true & predicted).sum()) / total if total else np.nan
