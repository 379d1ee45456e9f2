"""What the page knows of all entries: the numbers of every source, whether they are stable, and what failed."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pandas as pd
from ase.spacegroup import Spacegroup

from softmode.compare.agreement import spread_table
from softmode.compare.at_a_glance import FREQUENCIES, VERDICTS
from softmode.compare.groups import QUANTITIES as _OF_GROUPS
from softmode.compare.mean_errors import Quantity, signed_errors
from softmode.compare.stability import outcome, outcomes
from softmode.present.at_a_glance import cell_text
from softmode.present.failures import seconds_of
from softmode.present.page.rounding import significant
from softmode.present.table_text import NOTHING
from softmode.sources import REFERENCE, YARDSTICK

# Quantities of the page. It lists the numbers of each for all entries, and by their errors chooses the entries that are
# shown in detail.
QUANTITIES = (
    # values, and not only their errors: nobody reads energies of crystals in meV
    *(
        replace(quantity, factor=1.0, unit="eV/atom") if quantity.key == "energy" else quantity
        for quantity in _OF_GROUPS
    ),
    *FREQUENCIES,
)
# Significant digits of these numbers: six keep an energy of -10 eV/atom to 0.01 meV. With fewer, the page cannot show
# small errors of energies; with more, it loads longer.
_DIGITS = 6


def sources(properties: pd.DataFrame, labels: Mapping[str, str], colours: Mapping[str, str]) -> list[dict[str, str]]:
    """Return key, label and colour of the reference if there is one, the potentials, and the yardstick."""
    others = [{"key": key, "label": label, "colour": colours[key]} for key, label in labels.items()]
    if not has_reference(properties):
        return others
    functionals = "/".join(sorted(set(properties["functional"].dropna()) - {""}))
    reference = {"key": REFERENCE, "label": functionals or "reference", "colour": "#000000"}
    return [reference, *others]


def has_reference(properties: pd.DataFrame) -> bool:
    """Return whether the campaign has something that its potentials are judged against."""
    return REFERENCE in set(properties["source"])


def campaign_data(properties: pd.DataFrame, entries: Sequence[str], variant: str) -> dict[str, Any]:
    """Return the numbers of all entries, as plain values in lists that have the order of `entries`.

    Args:
        variant: thresholds by which something is stable
    """
    described = properties.drop_duplicates("entry").set_index("entry").loc[list(entries)]
    present = list(dict.fromkeys(properties["source"]))
    wide = outcomes(properties, variant)
    return {
        "entries": {
            "id": list(entries),
            **{name: described[name].tolist() for name in ("formula", "elements", "crystal_system")},
            **{name: [int(value) for value in described[name]] for name in ("space_group", "n_sites")},
            "space_group_symbol": [space_group_symbol(int(number)) for number in described["space_group"]],
        },
        "quantities": [
            {
                "key": q.key,
                "name": q.name,
                "symbol": q.symbol,
                "unit": q.unit,
                "values": _values(properties, entries, q),
            }
            for q in QUANTITIES
        ],
        "outcomes": {source: wide.loc[list(entries), source].tolist() for source in present},
        "failures": _failures(properties, entries),
    }


@cache
def space_group_symbol(space_group: int) -> str:
    """Return the Hermann-Mauguin symbol of a space group number, in its standard setting."""
    symbol = str(Spacegroup(space_group).symbol)
    # a screw axis is two digits without a space between them
    return re.sub(r"(\d)(\d)", lambda axis: axis[1] + "₀₁₂₃₄₅₆"[int(axis[2])], symbol).replace(" ", "")


def _values(properties: pd.DataFrame, entries: Sequence[str], quantity: Quantity) -> dict[str, list[float | None]]:
    wide = properties.pivot(index="entry", columns="source", values=quantity.column).astype(float) * quantity.factor
    return {source: significant(wide.loc[list(entries), source].tolist(), _DIGITS) for source in wide.columns}


def _failures(properties: pd.DataFrame, entries: Sequence[str]) -> list[dict[str, Any]]:
    """Return failed records: position of the entry, source, stage, kind, message and seconds, None where unknown."""
    positions = {entry: position for position, entry in enumerate(entries)}
    failed = properties[properties["status"] == "failed"]
    return [
        {
            "entry": positions[row["entry"]],
            "source": row["source"],
            "stage": row["failed_stage"],
            "kind": row["failed_kind"],
            "message": row["message"],
            "seconds": significant(time, 4),
        }
        for (_, row), time in zip(failed.iterrows(), seconds_of(failed), strict=True)
    ]


def entries_by_error(properties: pd.DataFrame, potentials: Sequence[str], report: Mapping[str, Any]) -> list[str]:
    """Return all entries, those first of which some error of some potential is the largest of its kind, or nearly.

    Without a reference, those come first on which the potentials disagree most.
    """
    if not has_reference(properties):
        return list(dict.fromkeys([*spread_table(properties, potentials, report)["entry"], *properties["entry"]]))
    ranks = [
        signed_errors(properties, quantity, potentials).abs().rank(ascending=False, method="first")
        for quantity in QUANTITIES
    ]
    best = pd.concat(ranks, axis=1).min(axis=1)
    return list(best.sort_values(kind="stable", na_position="last").index)


def at_a_glance(numbers: pd.DataFrame, labels: Mapping[str, str], properties: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of the table that answers which potential.

    Args:
        numbers: of `compare.at_a_glance.glance_table`

    Returns:
        potential, label, is_yardstick, place, n_failed, and cells: text, interval, best, and address of what is behind
        the number
    """
    failed = properties[properties["status"] == "failed"]["source"].value_counts()
    rows = []
    for name, own in numbers.groupby("potential", sort=False):
        cells = own.set_index("quantity")
        place = cells["place"].iloc[0]
        rows.append(
            {
                "potential": name,
                "label": labels[str(name)],
                "is_yardstick": name == YARDSTICK,
                "place": NOTHING if math.isnan(place) else f"{place:.1f}",
                "n_failed": int(failed.get(name, 0)),
                "cells": [
                    {"text": text, "interval": bracket + interval, "best": best, "address": _behind(key)}
                    for key, best in cells["best"].items()
                    for text, bracket, interval in [cell_text(cells.loc[key]).partition(" [")]
                ],
            }
        )
    return rows


def outcome_counts(properties: pd.DataFrame, labels: Mapping[str, str], variant: str) -> list[dict[str, Any]]:
    """Return what became of the entries with each potential.

    Args:
        variant: thresholds by which something is stable

    Returns:
        rows of potential, label, n_done, n_failed and n_stable
    """
    rows = []
    for name, label in labels.items():
        own = properties[properties["source"] == name]
        n_done = int((own["status"] == "done").sum())
        n_stable = int((outcome(own, variant) == "stable").sum())
        rows.append(
            {
                "potential": name,
                "label": label,
                "n_done": n_done,
                "n_failed": len(own) - n_done,
                "n_stable": n_stable,
            }
        )
    return rows


def _behind(key: str) -> str:
    """Return the address of the plot or table that a number comes of."""
    if key in VERDICTS:
        return "#overview/stability"
    return f"#compare/{key}" if key in {quantity.key for quantity in QUANTITIES} else "#tables/spectrum_errors"
