"""Thermodynamics on a smooth grid and densities of states by element, from the mesh of the protocol.

Both are for the eye: the numbers of tables and figures are those of the protocol's own temperatures.
"""

from typing import Any

import numpy as np
from phonopy import Phonopy

from softmode.density_grid import density_of_states
from softmode.settings.harmonic import Phonons
from softmode.stages.phonons import thermodynamics

# Temperatures in K between which nothing happens that a line would not show. With a larger step, low temperatures have
# corners; with a smaller one, each entry takes longer and gets larger.
TEMPERATURES_K = [float(temperature) for temperature in range(0, 1001, 10)]
# Most numbers of eigenvectors at a time, 16 bytes each: with many more, a process with a large cell fills the memory.
_EIGENVECTORS_AT_A_TIME = 4_000_000


def curves(phonopy: Phonopy, matrix: np.ndarray, settings: Phonons) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return thermodynamics at TEMPERATURES_K, as `stages.phonons.thermodynamics`, and densities of states by element.

    The latter are in states per THz and primitive cell, on the bins of the protocol, and sum up to the whole density.

    Args:
        matrix: of the mesh, see `stages.mesh`
    """
    smooth = thermodynamics(phonopy, matrix, settings.model_copy(update={"temperatures_K": TEMPERATURES_K}))
    return smooth, _by_element(phonopy, settings)


def _by_element(phonopy: Phonopy, settings: Phonons) -> dict[str, np.ndarray]:
    """Return the densities of states of each element, on the mesh that was run last.

    Symmetry, which the mesh is reduced by, takes an atom to one of its element only: the sum over an element is exact.
    """
    mesh = phonopy.mesh
    assert mesh is not None
    symbols = phonopy.primitive.symbols
    elements = list(dict.fromkeys(symbols))
    members = np.array([np.repeat([symbol == element for symbol in symbols], 3) for element in elements], dtype=float)
    n_bands = 3 * len(symbols)
    at_a_time = max(1, _EIGENVECTORS_AT_A_TIME // n_bands**2)
    shares, frequencies = [], []
    for first in range(0, len(mesh.qpoints), at_a_time):
        found = phonopy.run_qpoints(mesh.qpoints[first : first + at_a_time], with_eigenvectors=True)
        assert found.eigenvectors is not None
        frequencies.append(found.frequencies)
        # of element e in band b: the sum of |component|² over its atoms
        shares.append(np.einsum("ec,qcb->eqb", members, np.abs(found.eigenvectors) ** 2))
    all_frequencies = np.concatenate(frequencies)
    return {
        element: density_of_states(all_frequencies, mesh.weights, settings.density_of_states, share)
        for element, share in zip(elements, np.concatenate(shares, axis=1), strict=True)
    }
