"""Relaxation as most pipelines do it: an optimiser of ASE, on a cell filter or not, with the symmetry kept or not."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import ase.optimize
import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixSymmetry
from ase.filters import FrechetCellFilter
from phonopy.structure.cells import get_primitive

from softmode.errors import EntryError
from softmode.potentials.base import Evaluation
from softmode.reference.cells import EXACT, build_cells, to_ase
from softmode.settings.relaxation import AseRelaxation
from softmode.stages.relaxed import RelaxationSteps, Relaxed, check_physical, without_constraints

# The strains, in Voigt's order, that `cell: no_shear` lets relax; with another mask it is not what k_SRME's scripts and
# Matbench Discovery's pipeline call NO_TILT_MASK.
_TENSILE = [True, True, True, False, False, False]


class _HasForces(Protocol):
    """Atoms, or a filter of them: what ASE's optimisers move."""

    def get_forces(self) -> np.ndarray:
        """Return the forces in eV/Å, those of the cell after those of the atoms."""


_MOVED: dict[str, Callable[[Atoms], _HasForces]] = {
    "free": FrechetCellFilter,
    "no_shear": lambda atoms: FrechetCellFilter(atoms, mask=_TENSILE),
    "fixed": lambda atoms: atoms,
}


def relax_with_ase(unit_cell: Atoms, primitive_matrix: np.ndarray, settings: AseRelaxation) -> RelaxationSteps:
    """Relax with one of ASE's optimisers, in rounds; each round detects the symmetry anew.

    Args:
        unit_cell: of the data set
        primitive_matrix: from it to its primitive cell, as in phonopy

    Raises:
        EntryError: `not_converged`, `unphysical_forces`, or `symmetry_broken` where ASE cannot keep the symmetry.
    """
    cell = _PrimitiveCell.of(unit_cell, primitive_matrix) if settings.relaxed_cell == "primitive" else None
    atoms = cell.primitive if cell else unit_cell.copy()
    n_steps, largest = 0, np.inf
    accepted = np.inf if settings.force_accepted_eV_per_A is None else settings.force_accepted_eV_per_A
    for _ in range(settings.rounds):
        atoms.set_constraint()
        try:
            if settings.symmetry_tolerance_A is not None:
                atoms.set_constraint(FixSymmetry(atoms, symprec=settings.symmetry_tolerance_A))
            moved = _MOVED[settings.cell](atoms)
            make: Any = getattr(ase.optimize, settings.optimizer)
            optimizer = make(moved, logfile=None, **(settings.optimizer_arguments or {}))
            for step in range(settings.steps + 1):
                (evaluation,) = yield [without_constraints(atoms)]
                check_physical(evaluation, settings.force_unphysical_eV_per_A)
                atoms.calc = SinglePointCalculator(
                    atoms, energy=evaluation.energy, forces=evaluation.forces, stress=evaluation.stress
                )
                # rows of the filter: the atoms' forces and the three of the cell
                largest = float(np.linalg.norm(moved.get_forces(), axis=1).max())
                if largest < settings.force_target_eV_per_A or step == settings.steps:
                    break
                optimizer.step()
                n_steps += 1
        except RuntimeError as error:  # FixSymmetry's way to say that a step was too large for it
            raise EntryError("symmetry_broken", f"after {n_steps} steps: {error}") from error
        if largest < accepted:
            if cell:
                return Relaxed(cell.unit_cell(atoms), cell.of_unit_cell(evaluation), largest, n_steps)
            return Relaxed(atoms, evaluation, largest, n_steps)
    raise EntryError(
        "not_converged",
        f"largest force {largest:.4g} eV/Å after {n_steps} steps in {settings.rounds} rounds; "
        f"{accepted} eV/Å would be accepted",
    )


@dataclass(frozen=True)
class _PrimitiveCell:
    """The primitive cell of a unit cell, and how the unit cell is made of it.

    Attributes:
        primitive: phonopy's, in the orientation of the unit cell
        multiplicity: the unit cell's lattice in that of the primitive cell, shape (3, 3)
        atom: of the primitive cell, for each of the unit cell
        lattice_points: where it is from there, in lattice vectors of the primitive cell, shape (n, 3)
        symbols: of the unit cell
    """

    primitive: Atoms
    multiplicity: np.ndarray
    atom: np.ndarray
    lattice_points: np.ndarray
    symbols: list[str]

    @classmethod
    def of(cls, unit_cell: Atoms, primitive_matrix: np.ndarray) -> "_PrimitiveCell":
        same, _ = build_cells(unit_cell, np.eye(3, dtype=int), np.eye(3))
        found = get_primitive(same, primitive_matrix, symprec=EXACT)
        primitive = without_constraints(to_ase(found))
        multiplicity = np.rint(np.linalg.inv(np.asarray(primitive_matrix, dtype=float)).T)
        atom = np.array([found.p2p_map[index] for index in found.s2p_map])
        fractional = (unit_cell.positions - primitive.positions[atom]) @ np.linalg.inv(primitive.cell.array)
        return cls(primitive, multiplicity, atom, np.rint(fractional), unit_cell.get_chemical_symbols())

    def unit_cell(self, primitive: Atoms) -> Atoms:
        positions = primitive.positions[self.atom] + self.lattice_points @ primitive.cell.array
        return Atoms(self.symbols, cell=self.multiplicity @ primitive.cell.array, positions=positions, pbc=True)

    def of_unit_cell(self, evaluation: Evaluation) -> Evaluation:
        n_cells = round(abs(np.linalg.det(self.multiplicity)))
        return Evaluation(evaluation.energy * n_cells, evaluation.forces[self.atom], evaluation.stress)
