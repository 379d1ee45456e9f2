"""Crystals of real structure types with forces of their symmetry, whose exact force constants are known.

Every pair of atoms within reach is a Morse oscillator at rest at its distance in the crystal, so that free coordinates
can have any value and the crystal is in equilibrium and stable.
"""

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from ase.spacegroup import crystal

# in Å: pairs further apart than this multiple of the shortest distance are free of each other
_REACH = 1.9
# in eV/Å², of nearest neighbours, and how it fades with distance, in Å
_STIFFNESS, _FADING = 8.0, 0.9
# in 1/Å, the width of Morse's potential; that of real bonds is 1.2 to 2
_WIDTH = 1.5

# elements, sites, space group and cell (Å, degrees) of structure types with free coordinates that are no fractions
STRUCTURES: dict[str, tuple[str, list[tuple[float, float, float]], int, list[float]]] = {
    "rock salt": ("NaCl", [(0, 0, 0), (0.5, 0.5, 0.5)], 225, [5.6413717, 5.6413717, 5.6413717, 90, 90, 90]),
    "zincblende": ("ZnS", [(0, 0, 0), (0.25, 0.25, 0.25)], 216, [5.4093731, 5.4093731, 5.4093731, 90, 90, 90]),
    "fluorite": ("CaF", [(0, 0, 0), (0.25, 0.25, 0.25)], 225, [5.4631719, 5.4631719, 5.4631719, 90, 90, 90]),
    "perovskite": ("SrTiO", [(0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0)], 221, [3.9052317] * 3 + [90] * 3),
    "rutile": ("TiO", [(0, 0, 0), (0.3047913, 0.3047913, 0)], 136, [4.5937213, 4.5937213, 2.9587311, 90, 90, 90]),
    "anatase": ("TiO", [(0, 0, 0), (0, 0, 0.2081317)], 141, [3.7845713, 3.7845713, 9.5143179, 90, 90, 90]),
    "wurtzite": (
        "ZnO",
        [(1 / 3, 2 / 3, 0), (1 / 3, 2 / 3, 0.3826173)],
        186,
        [3.2494717] * 2 + [5.2038313, 90, 90, 120],
    ),
    "close packing": ("Mg", [(1 / 3, 2 / 3, 0.25)], 194, [3.2093713, 3.2093713, 5.2105177, 90, 90, 120]),
    "CdI2": ("CdI", [(0, 0, 0), (1 / 3, 2 / 3, 0.2491713)], 164, [4.2443171, 4.2443171, 6.8593713, 90, 90, 120]),
    "quartz": (
        "SiO",
        [(0.4697317, 0, 1 / 3), (0.4135171, 0.2669313, 0.2141917)],
        152,
        [4.9137313, 4.9137313, 5.4047717, 90, 90, 120],
    ),
    "GeTe": ("GeTe", [(0, 0, 0.0013719), (0, 0, 0.4734131)], 160, [4.1643173, 4.1643173, 10.6743131, 90, 90, 120]),
    "GeS": (
        "GeS",
        [(0.1217313, 0.25, 0.1061719), (0.8517131, 0.25, 0.5033717)],
        62,
        [10.4743171, 3.6413173, 4.3031917, 90, 90, 90],
    ),
    "martensite": (
        "NiTi",
        [(0.0372131, 0.25, 0.6752317), (0.4176917, 0.25, 0.2164313)],
        11,
        [2.8981713, 4.1083171, 4.6463917, 90, 97.7813, 90],
    ),
    "pyrite": ("FeS", [(0, 0, 0), (0.3851317,) * 3], 205, [5.4281713] * 3 + [90] * 3),
}


def make_crystal(name: str, primitive: bool, shift: np.ndarray) -> Atoms:
    """Return a crystal of `STRUCTURES` in its conventional or primitive cell, its origin moved by fractions."""
    symbols, sites, space_group, cell = STRUCTURES[name]
    atoms = crystal(symbols, sites, spacegroup=space_group, cellpar=cell, primitive_cell=primitive)
    return Atoms(
        atoms.numbers, cell=atoms.cell, scaled_positions=(atoms.get_scaled_positions() + shift) % 1.0, pbc=True
    )


@dataclass(frozen=True)
class Springs:
    """The Morse oscillators of a supercell; a supercell with atoms elsewhere has the same pairs.

    Attributes:
        first, second: the atoms of each pair, each pair both ways round, shape (n,)
        vectors: from the first to the second in Å in the crystal, shape (n, 3)
        stiffness: in eV/Å², shape (n,)
    """

    first: np.ndarray
    second: np.ndarray
    vectors: np.ndarray
    stiffness: np.ndarray

    @classmethod
    def of(cls, supercell: Atoms) -> "Springs":
        shortest = neighbor_list("d", supercell, 4.0).min()
        # a hair more, so that equal distances are within reach together
        first, second, vectors = neighbor_list("ijD", supercell, _REACH * shortest + 1e-4)
        distances = np.linalg.norm(vectors, axis=1)
        kinds = (supercell.numbers[first] + supercell.numbers[second]) % 3
        stiffness = _STIFFNESS * np.exp((shortest - distances) / _FADING) * (1 + 0.3 * kinds)
        return cls(first, second, vectors, stiffness)

    def forces(self, displacements: np.ndarray) -> np.ndarray:
        """Return forces in eV/Å for displacements in Å from the crystal, both of shape (n_supercell, 3)."""
        vectors = self.vectors + displacements[self.second] - displacements[self.first]
        lengths = np.linalg.norm(vectors, axis=1)
        decay = np.exp(-_WIDTH * (lengths - np.linalg.norm(self.vectors, axis=1)))
        pulls = self.stiffness / _WIDTH * decay * (1 - decay)
        forces = np.zeros_like(displacements)
        np.add.at(forces, self.first, (pulls / lengths)[:, None] * vectors)
        return forces

    def force_constants(self, displacements: np.ndarray) -> np.ndarray:
        """Return the second derivatives of the energy in eV/Å², shape (n_supercell, n_supercell, 3, 3)."""
        vectors = self.vectors + displacements[self.second] - displacements[self.first]
        lengths = np.linalg.norm(vectors, axis=1)
        decay = np.exp(-_WIDTH * (lengths - np.linalg.norm(self.vectors, axis=1)))
        across = self.stiffness / _WIDTH * decay * (1 - decay) / lengths
        along = self.stiffness * decay * (2 * decay - 1)
        outer = np.einsum("ni,nj->nij", vectors, vectors) / lengths[:, None, None] ** 2
        blocks = across[:, None, None] * np.eye(3) + (along - across)[:, None, None] * outer
        n = len(displacements)
        result = np.zeros((n, n, 3, 3))
        np.add.at(result, (self.first, self.second), -blocks)
        np.add.at(result, (self.first, self.first), blocks)
        return result
