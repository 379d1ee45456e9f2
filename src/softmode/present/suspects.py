"""References that something speaks against: forces that no force constants give, other numbers than their file's."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from softmode.present.table_text import Table, three_digits
from softmode.sources import REFERENCE, YARDSTICK

NAME = "suspects"
# What the table says of each column that the protocol has a bound for (`report.suspect`), and its unit, in the order of
# the table; with a bound whose column is missing here, the table cannot be made.
_REASONS = {
    "force_residual_ratio": ("force residual", ""),
    "static_force_eV_per_A": ("force on the undisplaced crystal", "eV/Å"),
    "own_frequency_difference_THz": ("frequency, ours − its file's", "THz"),
    "own_free_energy_difference_kJ_per_mol_atoms": ("free energy, ours − its file's", "kJ/mol atoms"),
    "own_entropy_difference_J_per_K_mol_atoms": ("entropy, ours − its file's", "J/K/mol atoms"),
    "own_heat_capacity_difference_J_per_K_mol_atoms": ("heat capacity, ours − its file's", "J/K/mol atoms"),
}
_OF_ENTRY = ["entry", "formula", "source"]
_COLUMNS = [*_OF_ENTRY, "reason", "value", "bound"]


def suspects_table(properties: pd.DataFrame, report: Mapping[str, Any], labels: Mapping[str, str]) -> Table:
    """Return the references beyond a bound of the protocol, the worst of each reason first.

    Args:
        report: settings of the report, with the bounds under `suspect`
        labels: what potentials and yardstick are called
    """
    names = {REFERENCE: "reference"} | ({YARDSTICK: labels[YARDSTICK]} if YARDSTICK in labels else {})
    references = properties[properties["source"].isin(names) & (properties["status"] == "done")]
    # a column of nothing is one of objects; what an older softmode computed lacks some
    references = references.reindex(columns=[*_OF_ENTRY, *_REASONS]).astype(dict.fromkeys(_REASONS, float))
    found = []
    for column, bound in report["suspect"].items():
        beyond = references[references[column].abs() > bound].assign(reason=column, bound=bound)
        found.append(beyond.rename(columns={column: "value"})[_COLUMNS])
    numbers = pd.concat(found, ignore_index=True)
    order = numbers.assign(size=numbers["value"].abs(), reason=numbers["reason"].map(list(_REASONS).index))
    numbers = numbers.loc[order.sort_values(["reason", "size"], ascending=[True, False]).index].reset_index(drop=True)
    rows = []
    for row in numbers.itertuples():
        reason, unit = _REASONS[row.reason]
        value = three_digits(row.value).replace("-", "−")
        cells = [f"{row.entry} ({row.formula})", names[row.source], reason]
        rows.append([*cells, f"{value} {unit}".strip(), f"{row.bound:g} {unit}".strip()])
    checked = references["force_residual_ratio"].notna()
    stated = references[[name for name in _REASONS if name.startswith("own_")]].notna().any(axis=1)
    caption = (
        f"{numbers.groupby(['entry', 'source']).ngroups} of {len(references)} references. Force residual: forces minus "
        "those that the force constants give for the same displacements and those on the undisplaced crystal, over the "
        f"forces (root mean squares; {int(checked.sum())} references have forces). Known to differ from a file's own "
        "numbers by less than the bounds: mesh, sum rule, non-analytical term "
        f"({int(stated.sum())} references state any)."
    )
    header = ["entry", "reference", "what", "value", "bound"]
    return Table(NAME, "Suspect references", header, rows, caption, numbers)
