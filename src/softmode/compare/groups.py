"""Errors by what the entries are: elements, crystal system, class of stability, number of atoms."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from softmode.compare.mean_errors import RELAXATION, THERMODYNAMICS, Quantity, signed_errors
from softmode.compare.resampling import enough
from softmode.compare.stability import outcome
from softmode.sources import REFERENCE

CRYSTAL_SYSTEMS = ("cubic", "hexagonal", "trigonal", "tetragonal", "orthorhombic", "monoclinic", "triclinic")
STABILITY = ("stable", "unstable")
# Groups of the number of atoms in the primitive cell, each with the limit above the one before. Tables of errors by
# atoms, and their figure, have these rows.
SIZES = ("1–4", "5–8", "9–16", "17–32", "33 and more")
_LIMITS = (0, 4, 8, 16, 32, np.inf)
PER_ATOM = tuple(
    Quantity(
        f"{q.key}_per_atom", f"{q.column}_atoms", 1.0, f"{q.unit} atoms", q.symbol, f"{q.name} of one mole of atoms"
    )
    for q in THERMODYNAMICS[1:]
)
QUANTITIES = (*RELAXATION, *THERMODYNAMICS, *PER_ATOM)


def groups(properties: pd.DataFrame, variant: str) -> pd.DataFrame:
    """Return to which groups each entry belongs: columns entry, grouping, group.

    `elements`: an entry is in the group of each of its elements; `crystal_system`; `stability` of the reference;
    `atoms` of the reference's primitive cell. The last two have only entries with a reference.

    Args:
        variant: thresholds by which the reference is stable
    """
    reference = properties[properties["source"] == REFERENCE]
    done = reference[reference["status"] == "done"]
    elements = reference.assign(group=reference["elements"].str.split()).explode("group")
    parts = {
        "elements": elements,
        "crystal_system": reference.assign(group=reference["crystal_system"]),
        "stability": done.assign(group=outcome(done, variant)),
        "atoms": done.assign(group=pd.cut(done["n_primitive"].astype(float), _LIMITS, labels=SIZES).astype(str)),
    }
    found = [part[["entry", "group"]].assign(grouping=name) for name, part in parts.items()]
    return pd.concat(found, ignore_index=True)[["entry", "grouping", "group"]]


def grouped_errors(
    properties: pd.DataFrame,
    members: pd.DataFrame,
    potentials: Sequence[str],
    report: Mapping[str, Any],
    quantities: Sequence[Quantity] = QUANTITIES,
) -> pd.DataFrame:
    """Return the mean absolute errors of each group.

    Args:
        members: of `groups`
        report: settings of the report

    Returns:
        columns grouping, group, potential, quantity, unit, n_entries (of the group), n (of them, behind the number),
        mae, mae_standard_error (NaN for too few entries) and mean_error
    """
    sizes = members.groupby(["grouping", "group"])["entry"].nunique()
    parts = []
    for quantity in quantities:
        errors = signed_errors(properties, quantity, potentials)
        long = members.merge(
            errors.melt(ignore_index=False, var_name="potential", value_name="error").reset_index(), on="entry"
        )
        long["absolute"] = long["error"].abs()
        by_group = long.groupby(["grouping", "group", "potential"], sort=False)
        parts.append(
            by_group.agg(
                n=("absolute", "count"),
                mae=("absolute", "mean"),
                mae_standard_error=("absolute", "sem"),
                mean_error=("error", "mean"),
            )
            .reset_index()
            .assign(quantity=quantity.key, unit=quantity.unit)
        )
    table = pd.concat(parts, ignore_index=True)
    table["n_entries"] = [int(sizes.loc[key]) for key in zip(table["grouping"], table["group"], strict=True)]
    table["mae_standard_error"] = table["mae_standard_error"].where(table["n"].map(lambda n: enough(n, report)))
    order = ["grouping", "group", "potential", "quantity", "unit", "n_entries", "n", "mae", "mae_standard_error"]
    return table[[*order, "mean_error"]]
