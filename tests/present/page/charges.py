"""Born charges for the sodium chloride of the small campaign, whose data set has none."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from softmode.reference.born_charges import BornCharges
from softmode.reference.dataset import load_entries, write_dataset


def give_charges(campaign: Path) -> None:
    """Write entries.db again, with charges of ±1.1 e and a dielectric constant of 2.4 for sodium chloride."""
    entries = []
    for entry in load_entries(campaign / "entries.db"):
        charges = None
        if entry.id == "NaCl-rocksalt":
            signs = np.array([1.1 if symbol == "Na" else -1.1 for symbol in entry.unit_cell.get_chemical_symbols()])
            charges = BornCharges(signs[:, None, None] * np.eye(3), 2.4 * np.eye(3))
        entries.append(replace(entry, born_charges=charges))
    (campaign / "entries.db").unlink()
    write_dataset(iter(entries), campaign / "entries.db", campaign / "index.csv", campaign / "unreadable.csv")
