"""What each potential costs, and which is not beaten in both cost and accuracy."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from softmode.compare.mean_errors import Quantity, signed_errors, survivors
from softmode.compare.training import not_seen, seen_entries
from softmode.sources import YARDSTICK


def cost_table(
    properties: pd.DataFrame, quantities: Sequence[Quantity], potentials: Sequence[str], metadata: Mapping[str, Any]
) -> pd.DataFrame:
    """Return cost and errors of each potential on the entries that every potential completed.

    One that was trained on some of them has its errors on those that no potential was trained on, and is not compared.

    Args:
        metadata: of properties.parquet; says on what each potential ran

    Returns:
        one row for each potential and quantity: columns potential, device, n, seconds_per_atom (time of all force sets
        divided by the atoms of all displaced supercells: one force call), relax_seconds_per_atom and
        seconds_per_atom_total (relaxation, and relaxation with force sets, divided by the atoms of all unit cells),
        quantity, unit, mae, and pareto (no other is both faster in one force call and more accurate)
    """
    competing = [name for name in potentials if name != YARDSTICK]
    entries, seen = survivors(properties, potentials), seen_entries(properties, competing)
    unseen = not_seen(entries, seen)
    rows = []
    for quantity in quantities:
        errors = signed_errors(properties, quantity, competing).abs()
        errors = errors.loc[errors.index.isin(entries)]
        errors.loc[~errors.index.isin(unseen), list(seen)] = np.nan
        for name in competing:
            own = properties[(properties["source"] == name) & properties["entry"].isin(entries)]
            supercell_atoms = (own["n_displacements"].astype(float) * own["n_supercell"].astype(float)).sum()
            atoms = own["n_sites"].astype(float).sum()
            relax, force_sets = own["relax_seconds"].astype(float).sum(), own["force_sets_seconds"].astype(float).sum()
            rows.append(
                {
                    "potential": name,
                    "device": metadata.get("sources", {}).get(name, {}).get("device") or "unknown",
                    "n": int(errors[name].count()),
                    "seconds_per_atom": force_sets / supercell_atoms if supercell_atoms else np.nan,
                    "relax_seconds_per_atom": relax / atoms if atoms else np.nan,
                    "seconds_per_atom_total": (relax + force_sets) / atoms if atoms else np.nan,
                    "quantity": quantity.key,
                    "unit": quantity.unit,
                    "mae": errors[name].mean(),
                }
            )
    table = pd.DataFrame(rows)
    table["pareto"] = False
    for _, same in table[~table["potential"].isin(list(seen))].groupby("quantity"):
        table.loc[same.index, "pareto"] = pareto(same["seconds_per_atom"].to_numpy(), same["mae"].to_numpy())
    return table


def pareto(costs: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Return for each point whether no other is at least as good in both and better in one; never for NaN."""
    better = (costs[:, None] <= costs) & (errors[:, None] <= errors)
    strictly = (costs[:, None] < costs) | (errors[:, None] < errors)
    return np.asarray(~(better & strictly).any(axis=0) & np.isfinite(costs) & np.isfinite(errors))
