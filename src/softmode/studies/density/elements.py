"""What is known of elements before any crystal is: numbers of the periodic table that a model starts from.

`elements.csv` has them from pymatgen 2026.10 (MIT licence), covalent radii from ASE. Through them a model knows
something of an element that it has never seen.
"""

import csv
from functools import cache
from importlib.resources import files

import numpy as np

# Largest atomic number, and one; rows of tables are atomic numbers.
N_ELEMENTS = 97
# Elements of which nothing is known: no row of the table.
_COLUMNS = ("mendeleev_number", "molar_volume_cm3", "melting_point_K", "ionization_energy_eV", "electron_affinity_eV",
            "covalent_radius_A")  # fmt: skip
_LOGARITHMS = ("molar_volume_cm3", "melting_point_K")
_BLOCKS = {"s": range(1, 3), "d": range(3, 13), "p": range(13, 19)}


@cache
def known_elements() -> frozenset[int]:
    """Return the atomic numbers of which numbers are known."""
    return frozenset(int(row["number"]) for row in _rows())


@cache
def element_features() -> np.ndarray:
    """Return numbers of each element, of mean zero and spread one; zeros where none are known.

    Period, group and block are told apart one by one, what else is known is scaled.

    Returns:
        shape (N_ELEMENTS, n_features)
    """
    rows = _rows()
    numbers = np.array([int(row["number"]) for row in rows])
    known = np.array([[float(row[name]) for name in _COLUMNS] for row in rows])
    for name in _LOGARITHMS:
        known[:, _COLUMNS.index(name)] = np.log(known[:, _COLUMNS.index(name)])
    known = (known - known.mean(axis=0)) / known.std(axis=0)
    groups = np.array([int(row["group"]) for row in rows])
    periods = np.array([int(row["period"]) for row in rows])
    kinds = [groups == group for group in range(1, 19)] + [periods == period for period in range(1, 8)]
    kinds += [np.isin(groups, list(of_block)) for of_block in _BLOCKS.values()]
    lanthanide_or_actinide = ((numbers >= 57) & (numbers <= 71)) | (numbers >= 89)
    kinds.append(lanthanide_or_actinide)
    features = np.zeros((N_ELEMENTS, known.shape[1] + len(kinds)))
    features[numbers] = np.column_stack([known, np.array(kinds, dtype=float).T])
    return features


@cache
def covalent_radii_A() -> np.ndarray:
    """Return the covalent radius of each element in Å, shape (N_ELEMENTS,); 1.5 where none is known."""
    radii = np.full(N_ELEMENTS, 1.5)
    for row in _rows():
        radii[int(row["number"])] = float(row["covalent_radius_A"])
    return radii


def _rows() -> list[dict[str, str]]:
    with (files(__package__) / "elements.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))
