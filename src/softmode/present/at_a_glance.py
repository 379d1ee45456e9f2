"""The table that answers which potential."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from softmode.compare.at_a_glance import KEYS, VERDICTS
from softmode.present.table_text import NOTHING, Table, percent_or_dash, with_interval
from softmode.sources import YARDSTICK

# Titles of the columns; a quantity that is missing here has no column.
TITLES = {
    "omega_max": "ω_max (K)",
    "omega_avg": "ω_avg (K)",
    "omega_min": "ω_min (K)",
    "frequencies": "bands (THz)",
    "entropy": "S (J/K/mol)",
    "free_energy": "F (kJ/mol)",
    "heat_capacity": "C_V (J/K/mol)",
    "TS": "TS (%)",
    "TU": "TU (%)",
    "F1": "stability F1",
}
# Mark of the best number of a column; the note below the table explains it.
_BEST = "*"


def at_a_glance_table(
    numbers: pd.DataFrame, labels: Mapping[str, str], report: Mapping[str, Any], origin: str
) -> Table:
    """Return the table of `compare.at_a_glance.glance_table`'s numbers, in their order, the best of a column marked.

    Args:
        origin: what the numbers are of, for the caption
    """
    rows = []
    for name, own in numbers.groupby("potential", sort=False):
        cells = own.set_index("quantity")
        shown = [cell_text(cells.loc[key]) + (_BEST if cells.loc[key, "best"] else "") for key in (*KEYS, *VERDICTS)]
        rows.append([labels[str(name)], *shown])
    title = "At a glance: which potential? The first has the best mean place"
    header = ["potential", *(TITLES[key] for key in (*KEYS, *VERDICTS))]
    return Table("at_a_glance", title, header, rows, f"{caption(numbers, report)} {_BEST}: the best. {origin}", numbers)


def cell_text(row: pd.Series) -> str:
    """Return a number with its interval, as it stands in the table."""
    if row.name == "F1":
        return NOTHING if math.isnan(row["value"]) else f"{row['value']:.3f}"
    if row.name in VERDICTS:
        return percent_or_dash(row["value"])
    return with_interval(row["value"], row["low"], row["high"])


def caption(numbers: pd.DataFrame, report: Mapping[str, Any]) -> str:
    """Return what a reader must know of the columns."""
    n = numbers.drop_duplicates("quantity").set_index("quantity")["n"]
    others = numbers[
        (numbers["quantity"] == "omega_max") & numbers["place"].isna() & (numbers["potential"] != YARDSTICK)
    ]
    unseen = (
        f"Without a place: what was trained on some of these entries, over the {others['n'].max()} that no potential "
        "has seen. "
        if len(others)
        else ""
    )
    return (
        f"Mean absolute errors over the {n['omega_max']} entries that every potential completed, with 95 % bootstrap "
        f"intervals; S, F and C_V at {report['temperature_K']:g} K, per mole of primitive cells; bands: all "
        f"frequencies at the q points that the supercell holds. TS, TU: of the {n['TS']} entries that are stable in "
        f"the reference and the {n['TU']} that are not, the share that the potential recognises; F1: harmonic mean of "
        f"precision and recall of 'stable'; a failure is never right (thresholds '{report['stability']}'). {unseen}"
        "Intervals "
        "that overlap may still be of potentials that certainly differ: the table of places compares pairs."
    )
