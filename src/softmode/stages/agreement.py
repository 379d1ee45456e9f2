"""How far a reference's phonons are from the numbers that its own file states.

They are compared where ours are computed anyway, with the reference's phonons: to read a data set takes no phonons.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

# Difference in K of two temperatures that were meant to be one. With a step of the grid and more, numbers of
# different temperatures would be compared.
_SAME_TEMPERATURE = 1e-3
# Columns of one mole of primitive cells, and those of their differences for one mole of atoms: the file's cell may be
# another one.
_EXTENSIVE = {
    "free_energy_kJ_per_mol": "own_free_energy_difference_kJ_per_mol_atoms",
    "entropy_J_per_K_mol": "own_entropy_difference_J_per_K_mol_atoms",
    "heat_capacity_J_per_K_mol": "own_heat_capacity_difference_J_per_K_mol_atoms",
}


def disagreement(row: Mapping[str, Any], own_numbers: Mapping[str, Any]) -> dict[str, float]:
    """Return the largest differences between our phonons and the file's own numbers, ours minus theirs.

    Known to differ a little: the mesh, the acoustic modes at Gamma, how the sum rule is imposed, and the non-analytical
    term, which is never used here.

    Args:
        row: of one reference, as in `compare.properties`
        own_numbers: as in `reference.own_numbers`

    Returns:
        `own_frequency_difference_THz` over the q points of the file, each against the commensurate one that fits best
        (the file does not say which it is), and `own_entropy_difference_J_per_K_mol_atoms` and the like over the
        temperatures that both have; nothing for what the file does not state
    """
    if not own_numbers:
        return {}
    found = {}
    stated = np.asarray(own_numbers.get("frequencies_THz", []))
    ours = np.sort(row["frequencies_THz"], axis=1)
    if stated.ndim == 2 and stated.shape[1] == ours.shape[1]:
        found["own_frequency_difference_THz"] = max(_nearest(ours, frequencies) for frequencies in stated)
    temperatures = np.asarray(own_numbers.get("temperatures_K", []))
    pairs = [
        (index, int(same[0]))
        for index, temperature in enumerate(row["temperatures_K"])
        if len(same := np.flatnonzero(np.abs(temperatures - temperature) < _SAME_TEMPERATURE))
    ]
    for name, column in _EXTENSIVE.items():
        if name in own_numbers and pairs:
            ours = np.asarray(row[name]) / row["n_primitive"]
            theirs = np.asarray(own_numbers[name]) / own_numbers["n_atoms"]
            found[column] = _largest(np.array([ours[mine] - theirs[their] for mine, their in pairs]))
    return found


def _nearest(ours: np.ndarray, stated: np.ndarray) -> float:
    """Return the largest difference of any band at the q point of ours, shape (n_q, n_bands), that fits best."""
    return float(np.abs(ours - stated).max(axis=1).min())


def _largest(differences: np.ndarray) -> float:
    """Return the difference of largest absolute value, with its sign."""
    return float(differences[np.abs(differences).argmax()])
