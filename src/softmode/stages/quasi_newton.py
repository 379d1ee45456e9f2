"""Relaxation in the totally symmetric coordinates of the primitive cell, by a quasi-Newton method."""

import numpy as np
from ase import Atoms
from ase.optimize import BFGS

from softmode.errors import EntryError
from softmode.potentials.base import Evaluation
from softmode.protocol import QuasiNewtonRelaxation
from softmode.stages.relaxed import RelaxationSteps, Relaxed, check_physical
from softmode.stages.symmetric_cell import SymmetricCell


def relax_symmetric(unit_cell: Atoms, settings: QuasiNewtonRelaxation) -> RelaxationSteps:
    """Relax with ASE's BFGS, which starts from a Hessian of finite differences, one batch of structures.

    The symmetry at the start is kept exactly; the result is the unit cell as it was given, relaxed.

    Raises:
        EntryError: `not_converged`, `unphysical_forces`, `not_finite` or `symmetry_broken`.
    """
    cell = SymmetricCell(unit_cell, settings.symmetry_tolerance_A)
    optimizer = BFGS(cell, logfile=None, maxstep=settings.largest_step_A)  # type: ignore[arg-type]
    steps = np.diag(cell.steps(settings.difference_displacement_A, settings.difference_strain))
    evaluation, *displaced = yield [cell.primitive(), *map(cell.primitive, steps)]
    check_physical(evaluation, settings.force_unphysical_eV_per_A)
    optimizer.H0 = _hessian(cell, steps, evaluation, displaced)
    for n_steps in range(settings.steps + 1):
        forces, stress = cell.symmetric_part(evaluation)
        largest_force = float(np.linalg.norm(forces, axis=1).max())
        largest_stress = float(np.abs(stress).max())
        if largest_force < settings.force_target_eV_per_A and largest_stress < settings.stress_target_eV_per_A3:
            return Relaxed(cell.unit_cell(), cell.of_unit_cell(evaluation), largest_force, n_steps)
        if n_steps < settings.steps:
            cell.evaluation = evaluation
            optimizer.step()
            (evaluation,) = yield [cell.primitive()]
            check_physical(evaluation, settings.force_unphysical_eV_per_A)
    raise EntryError(
        "not_converged",
        f"largest force {largest_force:.4g} eV/Å and stress {largest_stress:.4g} eV/Å³ after {settings.steps} steps",
    )


def _hessian(cell: SymmetricCell, steps: np.ndarray, evaluation: Evaluation, displaced: list[Evaluation]) -> np.ndarray:
    """Return the Hessian at the start from forward differences of the gradient, in eV/Å²."""
    at_start = cell.gradient(evaluation)
    rows = [(cell.gradient(there, x) - at_start) / np.linalg.norm(x) for x, there in zip(steps, displaced, strict=True)]
    hessian = np.array(rows).reshape(len(steps), len(steps))
    return (hessian + hessian.T) / 2
