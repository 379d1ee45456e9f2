"""What every way of relaxing has in common."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from softmode.errors import EntryError
from softmode.potentials.base import Evaluation


@dataclass(frozen=True)
class Relaxed:
    """A relaxed structure.

    Attributes:
        atoms: the structure
        evaluation: its energy, forces and stress
        largest_force: by the criterion of the method, in eV/Å
        n_steps: steps of the optimiser, or energies of an equation of state
        crease: where the minimum lies on a crease of the energy, the gradient in eV/Å that is left on one side; 0
            elsewhere
    """

    atoms: Atoms
    evaluation: Evaluation
    largest_force: float
    n_steps: int
    crease: float = 0.0


# Steps of a relaxation: a generator that yields structures, is sent their evaluations with stress, and returns the
# relaxed structure. `stages.relax` runs every method as such; one of another shape would need a driver of its own.
RelaxationSteps = Generator[list[Atoms], list[Evaluation], Relaxed]


def check_physical(evaluation: Evaluation, largest_force: float) -> None:
    """Raise EntryError where a force (eV/Å) is larger than any real one."""
    found = np.linalg.norm(evaluation.forces, axis=1).max()
    if found > largest_force:
        raise EntryError("unphysical_forces", f"a force of {found:.3g} eV/Å; {largest_force:g} eV/Å is the bound")


def without_constraints(atoms: Atoms) -> Atoms:
    """Return the bare structure, without constraints, calculator and notes."""
    return Atoms(atoms.symbols, cell=atoms.cell, positions=atoms.positions, pbc=True)
