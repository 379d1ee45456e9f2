"""Relaxation of cell and positions, of many entries at a time, each with an optimiser of its own."""

from collections.abc import Iterator

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from softmode.engine.records import Record
from softmode.potentials.base import Potential, check_elements
from softmode.reference.entry import Entry
from softmode.settings.relaxation import AseRelaxation, FireRelaxation, NoRelaxation, QuasiNewtonRelaxation, Relax
from softmode.stages.ase_relaxation import relax_with_ase
from softmode.stages.equation_of_state import relax_by_equation_of_state
from softmode.stages.evaluate import Evaluator
from softmode.stages.lockstep import Steps, Task, run_in_lockstep
from softmode.stages.quasi_newton import relax_symmetric
from softmode.stages.relaxed import RelaxationSteps, Relaxed, without_constraints
from softmode.studies.harmonic.study import RELAX

STAGE = RELAX.name


def relax(entries: Iterator[Entry], evaluator: Evaluator, settings: Relax) -> Iterator[Record]:
    """Relax entries in lockstep and yield their records as they finish.

    Args:
        entries: read one at a time, when there is room
        evaluator: the potential, and how much it takes at a time
    """
    tasks = (Task(entry.id, _steps(entry, evaluator.potential, settings), entry.unit_cell) for entry in entries)
    return run_in_lockstep(STAGE, tasks, evaluator, stress=not isinstance(settings, NoRelaxation))


def _steps(entry: Entry, potential: Potential, settings: Relax) -> Steps:
    relaxed = yield from start(entry, potential, settings)
    atoms, final = without_constraints(relaxed.atoms), relaxed.evaluation
    if entry.unit_cell.has("masses"):  # they decide nothing here, and the frequencies later
        atoms.set_masses(entry.unit_cell.get_masses())
    atoms.calc = SinglePointCalculator(atoms, energy=final.energy, forces=final.forces, stress=final.stress)
    values = {"relax_steps": relaxed.n_steps, "relax_largest_force_eV_per_A": relaxed.largest_force}
    if relaxed.crease:
        values["relax_crease_eV_per_A"] = relaxed.crease
    return Record(entry.id, atoms, values)


def start(entry: Entry, potential: Potential, settings: Relax) -> RelaxationSteps:
    """Relax one entry by the method of the settings; an element the potential does not know fails before anything."""
    check_elements(potential, entry.unit_cell)
    if isinstance(settings, FireRelaxation):
        settings = settings.as_ase()
    if isinstance(settings, AseRelaxation):
        return (yield from relax_with_ase(entry.unit_cell, entry.primitive_matrix, settings))
    if isinstance(settings, QuasiNewtonRelaxation):
        return (yield from relax_symmetric(entry.unit_cell, settings, potential.conservative))
    if isinstance(settings, NoRelaxation):
        return (yield from keep_as_given(entry.unit_cell))
    return (yield from relax_by_equation_of_state(entry.unit_cell, settings))


def keep_as_given(unit_cell: Atoms) -> RelaxationSteps:
    """Evaluate the structure as it is, so that its energy and the forces that are left are known."""
    (evaluation,) = yield [without_constraints(unit_cell)]
    return Relaxed(unit_cell, evaluation, float(np.linalg.norm(evaluation.forces, axis=1).max()), 0)
