"""Graphene with the Tersoff potential that was fitted to its phonons, in cells that differ in what is no graphene."""

from dataclasses import replace
from functools import cache

import numpy as np
from ase import Atoms
from ase.calculators.tersoff import Tersoff, TersoffParameters

from softmode.reference.cells import build_cells, to_ase
from softmode.reference.entry import Entry, ForceSet
from softmode.stages.phonons import PhononTask, task_of_reference

# Lindsay and Broido, Phys. Rev. B 81, 205441 (2010), and its lattice constant in Å
_CARBON = (3, 1, 0, 38049, 4.3484, -0.930, 0.72751, 1.5724e-7, 2.2119, 430.0, 1.95, 0.15, 3.4879, 1393.6)
_LATTICE_CONSTANT = 2.4920


def graphene(vacuum: float, tilt: tuple[float, float] = (0, 0), digits: int = 16, across: int = 2) -> Atoms:
    """Return a monolayer with so many Å between neighbours across the vacuum.

    Args:
        tilt: how far the vector across the vacuum leads along the other two, in their lengths
        digits: decimals of the numbers of its file
        across: which vector leads across the vacuum
    """
    a = _LATTICE_CONSTANT
    lattice = np.array([[a, 0, 0], [-a / 2, a * 3**0.5 / 2, 0], [0, 0, vacuum]])
    lattice[2] += np.array(tilt) @ lattice[:2]
    positions = np.array([[0, 0, vacuum / 2], [a / 2, a / 12**0.5, vacuum / 2]])
    lattice = np.roll(lattice, across - 2, axis=0)
    return Atoms("C2", positions=positions.round(digits), cell=lattice.round(digits), pbc=True)


def task(cell: Atoms, across: int = 2, n_across: int = 1) -> PhononTask:
    """Return graphene in this cell as the stage is given it: the same forces whatever vacuum, tilt and digits."""
    entry = Entry("graphene", cell, _supercell(across, n_across), np.eye(3), "made for a test")
    return task_of_reference(replace(entry, force_set=force_set(across, n_across)))


@cache
def force_set(across: int, n_across: int) -> ForceSet:
    """Return the forces on a supercell of 3 × 3 × n_across cells; each atom of a cell is displaced to all six sides."""
    built, _ = build_cells(graphene(15, across=across), _supercell(across, n_across), np.eye(3))
    atoms = np.repeat(np.unique(built.s2u_map), 6)
    displacements = 0.01 * np.vstack([np.eye(3), -np.eye(3)] * 2)
    calculator = Tersoff({("C", "C", "C"): TersoffParameters.from_list(list(_CARBON))})
    forces = []
    for atom, displacement in zip(atoms, displacements, strict=True):
        supercell = to_ase(built)
        supercell.positions[atom] += displacement
        supercell.calc = calculator
        forces.append(supercell.get_forces())
    return ForceSet(atoms, displacements, np.array(forces))


def _supercell(across: int, n_across: int) -> np.ndarray:
    return np.diag(np.roll([3, 3, n_across], across - 2))
