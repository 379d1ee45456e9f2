"""Relaxation of cell and positions, of many entries at a time.

Each relaxation is a generator: it yields the structures that it needs evaluated and receives their evaluations. So
every structure keeps an optimiser of its own, while those of all active relaxations are evaluated in one batch.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixSymmetry
from ase.filters import FrechetCellFilter
from ase.optimize import FIRE

from softmode.engine.records import Failure, Record
from softmode.errors import EntryError
from softmode.potentials.base import Evaluation, Potential, check_elements
from softmode.protocol import FireRelaxation, QuasiNewtonRelaxation, Relaxation
from softmode.reference.entry import Entry
from softmode.stages.equation_of_state import relax_by_equation_of_state
from softmode.stages.evaluate import evaluate_each
from softmode.stages.quasi_newton import relax_symmetric
from softmode.stages.relaxed import RelaxationSteps, Relaxed, check_physical, without_constraints

STAGE = "relax"


def relax(entries: Iterator[Entry], potential: Potential, settings: Relaxation, largest_batch: int) -> Iterator[Record]:
    """Relax entries in lockstep and yield their records as they finish.

    Args:
        entries: read one at a time, when there is room
        largest_batch: there is room while fewer atoms than this are on their way
    """
    active: list[_Active] = []
    exhausted = False
    while True:
        while not exhausted and (not active or sum(task.n_atoms for task in active) < largest_batch):
            entry = next(entries, None)
            if entry is None:
                exhausted = True
                break
            task = _Active(entry, start(entry, potential, settings))
            active.append(task)
            task.advance(None)
        yield from (task.record for task in active if task.record)
        active = [task for task in active if not task.record]
        if not active:
            if exhausted:
                return
            continue
        _evaluate(active, potential)


def start(entry: Entry, potential: Potential, settings: Relaxation) -> RelaxationSteps:
    """Relax one entry by the method of the settings; an element the potential does not know fails before anything."""
    check_elements(potential, entry.unit_cell)
    if isinstance(settings, FireRelaxation):
        return (yield from relax_with_fire(entry.unit_cell, settings))
    if isinstance(settings, QuasiNewtonRelaxation):
        return (yield from relax_symmetric(entry.unit_cell, settings))
    return (yield from relax_by_equation_of_state(entry.unit_cell, settings))


def relax_with_fire(unit_cell: Atoms, settings: FireRelaxation) -> RelaxationSteps:
    """Relax with ASE's FIRE as the scripts of Loew et al. (2024) do.

    FIRE works on FrechetCellFilter(FixSymmetry(atoms)) in rounds; each round detects the symmetry anew.

    Raises:
        EntryError: `not_converged`, `unphysical_forces`, or `symmetry_broken` where ASE cannot keep the symmetry.
    """
    atoms = unit_cell.copy()
    n_steps = 0
    largest = np.inf
    for _ in range(settings.rounds):
        atoms.set_constraint()
        try:
            atoms.set_constraint(FixSymmetry(atoms, symprec=settings.symmetry_tolerance_A))
            filtered = FrechetCellFilter(atoms)
            optimizer = FIRE(filtered, logfile=None, **settings.fire)
            for step in range(settings.steps_per_round + 1):
                (evaluation,) = yield [without_constraints(atoms)]
                check_physical(evaluation, settings.force_unphysical_eV_per_A)
                atoms.calc = SinglePointCalculator(
                    atoms, energy=evaluation.energy, forces=evaluation.forces, stress=evaluation.stress
                )
                # rows of the filter: the atoms' forces and the three of the cell
                largest = float(np.linalg.norm(filtered.get_forces(), axis=1).max())
                if largest < settings.force_target_eV_per_A or step == settings.steps_per_round:
                    break
                optimizer.step()
                n_steps += 1
        except RuntimeError as error:  # FixSymmetry's way to say that a step was too large for it
            raise EntryError("symmetry_broken", f"after {n_steps} steps: {error}") from error
        if largest < settings.force_accepted_eV_per_A:
            return Relaxed(atoms, evaluation, largest, n_steps)
    raise EntryError(
        "not_converged",
        f"largest force {largest:.4g} eV/Å after {n_steps} steps in {settings.rounds} rounds; "
        f"{settings.force_accepted_eV_per_A} eV/Å would be accepted",
    )


@dataclass
class _Active:
    """One relaxation on its way: what it waits for, and its record at the end."""

    entry: Entry
    steps: RelaxationSteps
    waiting_for: list[Atoms] = field(default_factory=list)
    seconds: float = 0.0
    record: Record | None = None

    @property
    def n_atoms(self) -> int:
        return sum(len(atoms) for atoms in self.waiting_for)

    def advance(self, answers: list[Evaluation | EntryError] | None) -> None:
        """Hand over the evaluations, or the first error among them, and take the next structures."""
        started = time.perf_counter()
        try:
            if answers is None:
                self.waiting_for = next(self.steps)
            else:
                error = next((answer for answer in answers if isinstance(answer, EntryError)), None)
                self.waiting_for = self.steps.throw(error) if error else self.steps.send(answers)  # type: ignore[arg-type]
        except StopIteration as stop:
            self._finish(stop.value)
        except EntryError as error:
            self._fail(error.kind, error.message)
        except Exception as error:  # one structure must never stop the others
            self._fail("crash", f"{type(error).__name__}: {error}")
        self.seconds += time.perf_counter() - started
        if self.record:
            self.record = Record(
                self.record.entry,
                self.record.atoms,
                dict(self.record.values) | {"relax_seconds": self.seconds},
                self.record.arrays,
                self.record.failure,
            )

    def _finish(self, relaxed: Relaxed) -> None:
        atoms = without_constraints(relaxed.atoms)
        final = relaxed.evaluation
        atoms.calc = SinglePointCalculator(atoms, energy=final.energy, forces=final.forces, stress=final.stress)
        values = {"relax_steps": relaxed.n_steps, "relax_largest_force_eV_per_A": relaxed.largest_force}
        self.record = Record(self.entry.id, atoms, values)

    def _fail(self, kind: str, message: str) -> None:
        self.record = Record(self.entry.id, self.entry.unit_cell, failure=Failure(STAGE, kind, message))


def _evaluate(active: list[_Active], potential: Potential) -> None:
    """Evaluate what all active relaxations wait for in one batch; its time is shared by the number of atoms."""
    started = time.perf_counter()
    answers = iter(evaluate_each(potential, [atoms for task in active for atoms in task.waiting_for], stress=True))
    seconds_per_atom = (time.perf_counter() - started) / sum(task.n_atoms for task in active)
    for task in active:
        task.seconds += seconds_per_atom * task.n_atoms
        task.advance([next(answers) for _ in task.waiting_for])
