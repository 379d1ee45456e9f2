"""Tables I to III with the numbers of Loew et al. (2024) in a column beside ours, and what makes the two differ."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from softmode.compare.published import N_STABLE, N_UNSTABLE
from softmode.present.table_text import NOTHING, Table
from softmode.present.tables import REPORTED

# Published number (a key of `compare.published`) that belongs to a column, by table and title of the column; a column
# whose title is missing here gets no published one beside it.
_BESIDE = {
    "table1_relaxation": {"failed (%)": "failed_percent", "E (meV/atom)": "energy", "V (Å³/atom)": "volume"},
    "table2_thermodynamics": {
        "ω_max (K)": "omega_max", "S (J/K/mol)": "entropy", "F (kJ/mol)": "free_energy",
        "C_V (J/K/mol)": "heat_capacity",
    },
    "table3_stability": {
        "TS (%)": "true_stable", "FU (%)": "false_unstable", "TU (%)": "true_unstable", "FS (%)": "false_stable",
    },
}  # fmt: skip
# Published shares of each class of the reference: what is called stable, then what is called unstable. Their order is
# that of the columns `published_percent_…` in the CSV of Table III; turned round, these hold each other's numbers.
_OF_CLASS = {"stable": ("true_stable", "false_unstable"), "unstable": ("false_stable", "true_unstable")}


def with_published(
    table: Table,
    properties: pd.DataFrame,
    labels: Mapping[str, str],
    published: Mapping[str, Mapping[str, Any]],
    protocol: str,
) -> Table:
    """Return one of Tables I to III with a column `paper` after each that the paper has, and what differs in words.

    The paper's errors are over the entries that each model completed, so they stand in those rows, and its shares of
    stable entries beside ours by the reported threshold. The table is left as it is if the paper has none of the
    potentials.

    Args:
        labels: what each potential is called
        published: of `compare.published.read_published`, by potential
        protocol: name of the campaign's protocol
    """
    if not published:
        return table
    return _beside(table, labels, published, differences(properties, labels, published, protocol))


def differences(
    properties: pd.DataFrame, labels: Mapping[str, str], published: Mapping[str, Mapping[str, Any]], protocol: str
) -> str:
    """Return in words what is not the same here and in the paper."""
    functionals = " and ".join(sorted(set(properties["functional"].dropna()) - {""})) or "unknown functional"
    n_entries = properties["entry"].nunique()
    variants = [f"{labels[name]}: {row['difference']}" for name, row in published.items() if row["difference"]]
    missing = [label for name, label in labels.items() if name not in published]
    parts = [
        "paper: Loew et al. (2024), over the entries that each model completed",
        f"its entries are {N_STABLE + N_UNSTABLE:,} of the MDR database ({N_STABLE:,} stable), here {n_entries:,}",
        f"its reference is PBE (VASP), here {functionals}",
        f"its protocol is loew2024, here {protocol}",
        *variants,
        *([f"not in the paper: {', '.join(missing)}"] if missing else []),
    ]
    return "; ".join(parts) + "."


def _beside(
    table: Table, labels: Mapping[str, str], published: Mapping[str, Mapping[str, Any]], sentence: str
) -> Table:
    columns = _BESIDE[table.name]
    names = {label: name for name, label in labels.items()}
    header: list[str] = []
    for title in table.header:
        header += [title, "paper"] if title in columns else [title]
    rows = []
    for row in table.rows:
        numbers = published.get(names.get(row[0], ""), {}).get("numbers", {})
        # in Table III what is reported here, in the others what the paper reports
        shown = numbers if any(cell == "own" or cell.endswith(REPORTED) for cell in row) else {}
        cells: list[str] = []
        for title, cell in zip(table.header, row, strict=True):
            cells.append(cell)
            if title in columns:
                cells.append(f"{shown[columns[title]]:g}" if columns[title] in shown else NOTHING)
        rows.append(cells)
    caption = f"{table.caption} {sentence}"
    return replace(table, header=header, rows=rows, caption=caption, numbers=_numbers(table, published))


def _numbers(table: Table, published: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    def number(potential: str, key: str) -> float:
        return float(published.get(potential, {}).get("numbers", {}).get(key, float("nan")))

    numbers = table.numbers.copy()
    if "reference" in numbers:
        for position, outcome in enumerate(("stable", "unstable")):
            numbers[f"published_percent_{outcome}"] = [
                number(row.potential, _OF_CLASS[str(row.reference)][position]) if row.reported else float("nan")
                for row in numbers.itertuples()
            ]
        return numbers
    numbers["published_mae"] = [
        number(row.potential, str(row.quantity)) if row.subset == "own" else float("nan")
        for row in numbers.itertuples()
    ]
    if "failed_relaxation" in numbers:
        numbers["published_failed_percent"] = [number(name, "failed_percent") for name in numbers["potential"]]
    return numbers
