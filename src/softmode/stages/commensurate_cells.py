"""The smallest cells that hold one of the waves of a supercell, with the force constants that they have there.

A supercell's harmonic crystal is the sum of its commensurate waves, and each of them repeats in a much smaller cell,
seldom a diagonal one (Lloyd-Williams and Monserrat, Phys. Rev. B 92, 184301 (2015)). Force constants of such a cell are
sums over those of the supercell, without an approximation. What costs as the number of atoms costs a fraction there.
"""

from functools import cached_property
from itertools import product
from math import gcd

import numpy as np
from ase import Atoms
from ase.geometry.minkowski_reduction import minkowski_reduce
from phonopy import Phonopy
from phonopy.harmonic.dynmat_to_fc import get_commensurate_points_in_integers

from softmode.errors import EntryError
from softmode.reference.cells import to_phonopy
from softmode.stages.thermal_displacements import ThermalDisplacements

# Distance in Å within which two atoms are images of each other. With less, atoms of a unit cell that was written with
# few digits have none; with more than half a bond, neighbours are taken for images.
_IMAGES = 0.1


class CommensurateCells:
    """The smallest cells of the waves of one supercell.

    Args:
        thermal: the crystal's thermal displacements in the supercell

    Attributes:
        waves: q points in reduced coordinates of the primitive cell times `n_cells`, shape (n_cells, 3), integers
        n_cells: primitive cells in the supercell
        unit_cell: of the crystal, at rest
    """

    def __init__(self, thermal: ThermalDisplacements) -> None:
        self._thermal = thermal
        self.unit_cell = thermal.unit_cell
        matrix = np.rint(thermal.supercell.cell.array @ np.linalg.inv(thermal.primitive_cell)).astype(int)
        self.waves = get_commensurate_points_in_integers(matrix.T)
        self.n_cells = len(self.waves)
        self._cells: dict[tuple[int, ...], ThermalDisplacements] = {}

    @cached_property
    def _choices(self) -> np.ndarray:
        """The waves that move atoms: of a primitive cell of one atom, the one of infinite length does not."""
        one_atom = len(self._thermal.supercell) == self.n_cells
        return self.waves[np.any(self.waves != 0, axis=1)] if one_atom and self.n_cells > 1 else self.waves

    def draw(self, generator: np.random.Generator) -> ThermalDisplacements:
        """Return the thermal displacements in the smallest cell of a wave; each wave is drawn as often."""
        return self.of_wave(self._choices[generator.integers(len(self._choices))])

    def of_wave(self, wave: np.ndarray) -> ThermalDisplacements:
        """Return the thermal displacements in the smallest cell that one of `waves` repeats in.

        Raises:
            EntryError: (kind `rounding`) atoms of the supercell are not images of each other.
        """
        lattice = lattice_of(wave, self.n_cells)
        key = tuple(lattice.ravel().tolist())
        if key not in self._cells:
            self._cells[key] = self._fold(lattice)
        return self._cells[key]

    def _fold(self, lattice: np.ndarray) -> ThermalDisplacements:
        supercell, constants = self._thermal.supercell, self._thermal.force_constants
        cell, _ = minkowski_reduce(lattice @ self._thermal.primitive_cell)
        n_atoms = round(len(supercell) * abs(np.linalg.det(cell)) / supercell.get_volume())
        places, image_of = _images(supercell, cell)
        if len(places) != n_atoms or np.any(np.bincount(image_of) != len(supercell) // n_atoms):
            raise EntryError(
                "rounding",
                f"{self._thermal.entry}: atoms of its supercell are not images of each other to {_IMAGES} Å; leave the "
                "entry out",
            )
        folded = np.zeros((n_atoms, n_atoms, 3, 3))
        for atom, image in enumerate(image_of):
            folded[:, image] += constants[places, atom]
        phonopy = Phonopy(
            to_phonopy(Atoms(supercell.symbols[places], supercell.positions[places], cell=cell, pbc=True)),
            supercell_matrix=np.eye(3, dtype=int),
            primitive_matrix=np.eye(3),
            is_symmetry=False,
        )
        phonopy.force_constants = folded
        return ThermalDisplacements(self._thermal.entry, phonopy)


def lattice_of(wave: np.ndarray, denominator: int) -> np.ndarray:
    """Return the lattice in which a wave repeats, shape (3, 3), its rows in vectors of the primitive cell.

    Of the lattices of that size, in their Hermite normal forms, it is the one whose vectors all have whole phases.

    Args:
        wave: q point in reduced coordinates of the primitive cell times `denominator`, integers
    """
    size = denominator // gcd(denominator, *wave.tolist())
    for a, b in product(range(1, size + 1), repeat=2):
        if size % (a * b):
            continue
        c = size // (a * b)
        for x, y, z in product(range(a), range(a), range(b)):
            lattice = np.array([[a, 0, 0], [x, b, 0], [y, z, c]])
            if not np.any((lattice @ wave) % denominator):
                return lattice
    raise AssertionError(f"no lattice of {wave} in {denominator}")


def _images(supercell: Atoms, cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return an atom of each set of images that a smaller cell makes one, and of each atom the number of its set."""
    fractional = supercell.positions @ np.linalg.inv(cell)
    image_of = np.full(len(supercell), -1)
    places: list[int] = []
    for atom, place in enumerate(fractional):
        if image_of[atom] >= 0:
            continue
        apart = fractional - place
        near = np.linalg.norm((apart - np.rint(apart)) @ cell, axis=1) < _IMAGES
        image_of[near & (supercell.numbers == supercell.numbers[atom])] = len(places)
        places.append(atom)
    return np.array(places), image_of
