"""The numbers that Loew et al. (2024) published, for the potentials of a campaign."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from softmode.errors import InputError

# Numbers of the paper's entries in each of the reference's classes; published percentages are held against a
# campaign's by them.
N_STABLE, N_UNSTABLE = 8189, 1769
# Columns of the CSVs of data/published, by the keys of `mean_errors.Quantity` or of what else a table shows.
_COLUMNS = {
    "loew2024_table1.csv": {
        "failed_percent": "failed_percent", "energy": "energy_meV_per_atom", "volume": "volume_A3_per_atom",
    },
    "loew2024_table2.csv": {
        "omega_max": "omega_max_K", "entropy": "entropy_J_per_K_mol", "free_energy": "free_energy_kJ_per_mol",
        "heat_capacity": "heat_capacity_J_per_K_mol",
    },
    "loew2024_table3.csv": {
        name: f"{name}_percent" for name in ("true_stable", "false_unstable", "true_unstable", "false_stable")
    },
}  # fmt: skip


def read_published(folder: Path, potentials: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the published numbers of those potentials (or functionals, such as PBEsol) that the paper has.

    Args:
        folder: data/published

    Returns:
        by potential: its `model` in the paper; `difference`, what is another checkpoint or size, or empty; and
        `numbers` of Tables I to III in the reported units: `failed_percent`, the keys of `errors.Quantity`, and
        `true_stable`, `false_unstable`, `true_unstable`, `false_stable` in per cent of the reference's class

    Raises:
        InputError: a file is missing, lacks a column or model, or holds what is no number.
    """
    models = {row["potential"]: row for row in _rows(folder / "loew2024_models.csv", "potential")}
    tables = {name: {row["model"]: row for row in _rows(folder / name, "model")} for name in _COLUMNS}
    found = {}
    for potential in potentials:
        model = models.get(potential, {}).get("model", potential)
        if not any(model in table for table in tables.values()):
            continue
        numbers = {}
        for name, columns in _COLUMNS.items():
            for key, column in columns.items():
                try:
                    text = tables[name][model][column]
                    if text:
                        numbers[key] = float(text)
                except (KeyError, ValueError) as error:
                    raise InputError(f"{folder / name}: no number '{column}' of {model}; restore the file") from error
        found[potential] = {
            "model": model,
            "difference": models.get(potential, {}).get("difference", ""),
            "numbers": numbers,
        }
    return found


def _rows(path: Path, key: str) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; 'published' in the configuration names the folder") from error
    if any(key not in row for row in rows):
        raise InputError(f"{path}: no column '{key}'; restore the file")
    return rows
