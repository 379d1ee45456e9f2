"""What the page knows of all entries: the numbers of every source, whether they are stable, and what failed."""

import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pandas as pd
from ase.spacegroup import Spacegroup

from softmode.compare.agreement import spread_table
from softmode.compare.groups import QUANTITIES as _OF_GROUPS
from softmode.compare.mean_errors import Quantity, signed_errors, survivors
from softmode.compare.stability import outcome
from softmode.present.failures import seconds_of
from softmode.present.page.rounding import significant
from softmode.present.table_text import NOTHING, three_digits
from softmode.sources import REFERENCE, YARDSTICK

# Quantities of the page. It lists the numbers of each for all entries, and by their errors chooses the entries that are
# shown in detail.
QUANTITIES = (
    *_OF_GROUPS,
    Quantity("omega_min", "omega_min_K", 1.0, "K", r"\omega_\mathrm{min}", "lowest frequency"),
    Quantity("omega_avg", "omega_avg_K", 1.0, "K", r"\omega_\mathrm{avg}", "mean frequency"),
)
# Significant digits of these numbers: six keep an energy of -10 eV/atom to 0.01 meV. With fewer, the page cannot show
# small errors of energies; with more, it loads longer.
_DIGITS = 6
# Keys of the quantities in the table "At a glance"; one that is in none of QUANTITIES is left out without a word.
_GLANCE = ("volume", "omega_max", "entropy", "free_energy", "heat_capacity")


def sources(properties: pd.DataFrame, labels: Mapping[str, str], colours: Mapping[str, str]) -> list[dict[str, str]]:
    """Return key, label and colour of the reference if there is one, the potentials, and the yardstick."""
    others = [{"key": key, "label": label, "colour": colours[key]} for key, label in labels.items()]
    if not _has_reference(properties):
        return others
    functionals = "/".join(sorted(set(properties["functional"].dropna()) - {""}))
    reference = {"key": REFERENCE, "label": functionals or "reference", "colour": "#000000"}
    return [reference, *others]


def _has_reference(properties: pd.DataFrame) -> bool:
    return REFERENCE in set(properties["source"])


def campaign_data(properties: pd.DataFrame, entries: Sequence[str], variant: str) -> dict[str, Any]:
    """Return the numbers of all entries, as plain values in lists that have the order of `entries`.

    Args:
        variant: thresholds by which something is stable
    """
    described = properties.drop_duplicates("entry").set_index("entry").loc[list(entries)]
    present = list(dict.fromkeys(properties["source"]))
    outcomes = properties.assign(outcome=outcome(properties, variant)).pivot(
        index="entry", columns="source", values="outcome"
    )
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
        "outcomes": {source: outcomes.loc[list(entries), source].tolist() for source in present},
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
    if not _has_reference(properties):
        return list(dict.fromkeys([*spread_table(properties, potentials, report)["entry"], *properties["entry"]]))
    ranks = [
        signed_errors(properties, quantity, potentials).abs().rank(ascending=False, method="first")
        for quantity in QUANTITIES
    ]
    best = pd.concat(ranks, axis=1).min(axis=1)
    return list(best.sort_values(kind="stable", na_position="last").index)


def at_a_glance(properties: pd.DataFrame, labels: Mapping[str, str], variant: str) -> dict[str, Any]:
    """Return mean absolute errors over the entries that every potential survived, and how many each brought to the end.

    Args:
        variant: thresholds by which something is stable

    Returns:
        n (entries behind the errors), quantities (none without a reference), and rows of potential, label, n_done,
        n_failed, n_stable and errors
    """
    judged = _has_reference(properties)
    common = survivors(properties, list(labels)) if judged else pd.Index([])
    quantities = [quantity for quantity in QUANTITIES if judged and quantity.key in _GLANCE]
    errors = {q.key: signed_errors(properties, q, list(labels)).abs() for q in quantities}
    rows = []
    for name, label in labels.items():
        own = properties[properties["source"] == name]
        n_done = int((own["status"] == "done").sum())
        means = [errors[q.key].loc[errors[q.key].index.isin(common), name].mean() for q in quantities]
        rows.append(
            {
                "potential": name,
                "label": label,
                "is_yardstick": name == YARDSTICK,
                "n_done": n_done,
                "n_failed": len(own) - n_done,
                "n_stable": int((outcome(own, variant) == "stable").sum()),
                "errors": [NOTHING if math.isnan(mean) else three_digits(mean) for mean in means],
            }
        )
    return {"n": len(common), "quantities": quantities, "rows": rows}
