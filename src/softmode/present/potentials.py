"""The potentials' model cards (Table IV of Loew et al., 2024), from the registry."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from softmode.present.table_text import NOTHING, Table

_CAPTION = (
    "Phonons: those that were among what it was trained on. "
    "Structures and parameters as published for the checkpoint; gradient: forces are the gradient of the energy; "
    "direct: they are predicted; cost: one force call on a CPU, in that of M3GNet. Noise: by how much the highest "
    "frequency of the same symmetric crystal changes with its description; roughness: error of its force constants by "
    "displacements of 0.01 Å (both: softmode check-potential, the largest of its crystals). The CSV has each "
    "checkpoint's hash."
)


def potentials_table(potentials: Mapping[str, Mapping[str, Any]], *, weights: Mapping[str, str] | None = None) -> Table:
    """Return one row for each potential, in the given order.

    Args:
        potentials: settings as in config/potentials.yaml, by name
        weights: how each one's weights are to be had; with them, the first column is the name by which a campaign or
            a command asks for a potential
    """
    numbers = pd.DataFrame([_facts(name, settings) for name, settings in potentials.items()])
    header = ["potential", "checkpoint", "functional", "trained on", "phonons", "structures", "parameters"]
    header += ["forces", "licence", "cost", "noise (THz)", "roughness (%)"]
    shown = (
        "label",
        "checkpoint",
        "functional",
        "training_set",
        "training_phonons",
        "n_structures",
        "n_parameters",
        "forces",
        "licence",
        "relative_cost",
        "numerical_noise_THz",
        "roughness_percent",
    )
    rows = [[_text(column, row[column]) for column in shown] for _, row in numbers.iterrows()]
    if weights is not None:
        header = ["name", *header, "weights"]
        rows = [[name, *row, weights[name]] for name, row in zip(potentials, rows, strict=True)]
    return Table("table4_potentials", "Table IV. The potentials", header, rows, _CAPTION, numbers)


def _facts(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    checkpoint = settings.get("checkpoint", {})
    return {
        "potential": name,
        "label": settings["label"],
        "checkpoint": checkpoint.get("version"),
        "checkpoint_sha256": checkpoint.get("sha256"),
        "size_bytes": checkpoint.get("size_bytes"),
        "functional": settings.get("functional"),
        "training_set": settings.get("training_set"),
        "training_phonons": settings.get("training_phonons"),
        "n_structures": settings.get("n_structures"),
        "n_parameters": settings.get("n_parameters"),
        "forces": "gradient" if settings.get("conservative", True) else "direct",
        "dtype": settings.get("dtype"),
        "licence": checkpoint.get("licence"),
        "relative_cost": settings.get("relative_cost"),
        "numerical_noise_THz": settings.get("numerical_noise_THz"),
        "roughness_percent": settings.get("roughness_percent"),
    }


def _text(column: str, value: Any) -> str:
    if value is None or pd.isna(value):
        return NOTHING
    if column in ("n_structures", "n_parameters"):  # 413 k, 1.58 M, as the paper writes them
        return f"{value / 1e6:.3g} M" if value >= 1e6 else f"{value / 1e3:.3g} k"
    return value if isinstance(value, str) else f"{value:g}"
