"""The numbers that a reference's file states of itself, by which ours can be checked.

Alexandria's files carry thermodynamics and frequencies of the authors, and a phonopy run leaves thermal_properties.yaml
beside its forces. They are never results of softmode; `stages.agreement` compares them with ours.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

# Words of Alexandria's files for the columns of `compare.properties`; one that is missing is not compared.
_ALEXANDRIA = {
    "temperatures": "temperatures_K",
    "free_e": "free_energy_kJ_per_mol",
    "entropy": "entropy_J_per_K_mol",
    "heat_capacity": "heat_capacity_J_per_K_mol",
}
# Words of thermal_properties.yaml for the same columns.
_PHONOPY = {
    "temperature": "temperatures_K",
    "free_energy": "free_energy_kJ_per_mol",
    "entropy": "entropy_J_per_K_mol",
    "heat_capacity": "heat_capacity_J_per_K_mol",
}


def of_alexandria(document: Mapping[str, Any], n_primitive: int) -> dict[str, Any]:
    """Return what a file of the Alexandria phonon benchmark states, for `n_primitive` atoms; nothing of other files.

    Returns:
        arrays by column, each of the length of `temperatures_K`; `frequencies_THz`, of shape (n_q, n_bands), sorted, at
        commensurate q points that nobody names; `n_atoms` to which extensive values belong
    """
    numbers = {ours: _array(document.get(theirs)) for theirs, ours in _ALEXANDRIA.items()}
    frequencies = _array(document.get("phonon_freq"))
    if frequencies.ndim == 2:
        numbers["frequencies_THz"] = np.sort(frequencies, axis=1)
    return _complete(numbers, n_primitive)


def of_phonopy(document: Any) -> dict[str, Any]:
    """Return what a thermal_properties.yaml states, as `of_alexandria`; nothing where it is none."""
    if not isinstance(document, Mapping) or not isinstance(document.get("thermal_properties"), list):
        return {}
    units = document.get("unit") or {}
    rows = [row for row in document["thermal_properties"] if isinstance(row, Mapping)]
    if not isinstance(units, Mapping) or units.get("free_energy", "kJ/mol") != "kJ/mol" or "natom" not in document:
        return {}
    n_atoms = document["natom"]
    if not isinstance(n_atoms, int) or n_atoms < 1:
        return {}
    numbers = {ours: _array([row.get(theirs) for row in rows]) for theirs, ours in _PHONOPY.items()}
    return _complete(numbers, n_atoms)


def _array(values: Any) -> np.ndarray:
    try:
        return np.array([] if values is None else values, dtype=float)
    except (TypeError, ValueError):  # None in a list, lists of different lengths: not their numbers
        return np.array([])


def _complete(numbers: dict[str, np.ndarray], n_atoms: int) -> dict[str, Any]:
    """Return the finite values that belong together."""
    n = numbers["temperatures_K"].size
    found: dict[str, Any] = {
        name: values
        for name, values in numbers.items()
        if values.size and np.isfinite(values).all() and (name == "frequencies_THz" or values.shape == (n,))
    }
    return found | {"n_atoms": n_atoms} if found else {}
