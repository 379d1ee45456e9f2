"""Relaxation in the totally symmetric coordinates of the primitive cell, by quasi-Newton methods.

Forces that are the gradient of an energy get ASE's BFGS. Forces and stresses that a network gives directly have no
energy behind them: their Jacobian is not symmetric, BFGS walks away, and Broyden's method for equations does not. It
also knows when it is at the bottom of what the potential can say: such forces jump where neighbours come and go. What
neither brings within the accepted bounds gets ASE's FIRE.
"""

from collections.abc import Generator
from contextlib import suppress

import numpy as np
from ase import Atoms
from ase.optimize import BFGS, FIRE

from softmode.errors import EntryError
from softmode.potentials.base import Evaluation
from softmode.settings.protocol import QuasiNewtonRelaxation
from softmode.stages.relaxed import RelaxationSteps, Relaxed, check_physical
from softmode.stages.symmetric_cell import SymmetricCell

# Broyden's method: steps without improvement after which the Jacobian is made anew, and how often that may be in vain
_PATIENCE = 4
_RESTARTS = 3
# eV/Å²: a Jacobian is not let go softer than this: Broyden's, and the one that BFGS starts from. Below the second is
# noise of the differences, or a direction without any force, as across the vacuum of a monolayer, which BFGS must not
# follow.
_SOFTEST = 1.0
_SOFTEST_AT_START = 0.05


def relax_symmetric(unit_cell: Atoms, settings: QuasiNewtonRelaxation, conservative: bool) -> RelaxationSteps:
    """Relax from a Hessian of finite differences, which is one batch of structures.

    The symmetry at the start is kept exactly; the result is the unit cell as it was given, relaxed.

    Args:
        conservative: whether the forces are the gradient of the energy

    Raises:
        EntryError: `not_converged`, `unphysical_forces`, `not_finite` or `symmetry_broken`.
    """
    cell = SymmetricCell(unit_cell, settings.symmetry_tolerance_A)
    best, n_steps = None, 0
    with suppress(EntryError):  # a step may lead to where the potential says nothing; FIRE's are small
        best, n_steps = yield from (_bfgs if conservative else _broyden)(cell, settings)
    if best is None or not best.accepted:
        cell.set_x(np.zeros(cell.ndofs()))
        best, n_more = yield from _fire(cell, settings)
        n_steps += n_more
    if not best.accepted:
        raise EntryError(
            "not_converged",
            f"after {n_steps} steps a force of {best.largest_force:.4g} eV/Å and a stress of {best.largest_stress:.4g} "
            f"eV/Å³ are left; {settings.force_accepted_eV_per_A} and {settings.stress_accepted_eV_per_A3} would be "
            "accepted",
        )
    cell.set_x(best.x)
    return Relaxed(cell.unit_cell(), cell.of_unit_cell(best.evaluation), best.largest_force, n_steps)


class _Point:
    """Where a relaxation is: coordinates, gradient, and how far from the targets (converged below 1)."""

    def __init__(self, cell: SymmetricCell, evaluation: Evaluation, settings: QuasiNewtonRelaxation) -> None:
        check_physical(evaluation, settings.force_unphysical_eV_per_A)
        forces, stress = cell.symmetric_part(evaluation)
        self.x = cell.get_x()
        self.evaluation = evaluation
        self.gradient = cell.gradient(evaluation)
        self.largest_force = float(np.linalg.norm(forces, axis=1).max())
        self.largest_stress = float(np.abs(stress).max())
        self.distance = max(
            self.largest_force / settings.force_target_eV_per_A, self.largest_stress / settings.stress_target_eV_per_A3
        )
        self.accepted = (
            self.largest_force < settings.force_accepted_eV_per_A
            and self.largest_stress < settings.stress_accepted_eV_per_A3
        )


_Steps = Generator[list[Atoms], list[Evaluation], tuple[_Point, int]]


def _bfgs(cell: SymmetricCell, settings: QuasiNewtonRelaxation) -> _Steps:
    optimizer = BFGS(cell, logfile=None, maxstep=settings.largest_step_A)  # type: ignore[arg-type]
    point, jacobian = yield from _with_jacobian(cell, settings)
    optimizer.H0 = _downhill((jacobian + jacobian.T) / 2, _SOFTEST_AT_START)
    for n_steps in range(settings.steps):
        if point.distance < 1:
            return point, n_steps
        cell.evaluation = point.evaluation
        optimizer.step()
        (evaluation,) = yield [cell.primitive()]
        point = _Point(cell, evaluation, settings)
    return point, settings.steps


def _broyden(cell: SymmetricCell, settings: QuasiNewtonRelaxation) -> _Steps:
    """Solve gradient = 0 by Broyden's (good) method, from the best point anew when it gets no better."""
    largest_step = settings.largest_step_A
    best: _Point | None = None
    in_vain = n_steps = 0
    while in_vain < _RESTARTS and n_steps < settings.steps:
        point, jacobian = yield from _with_jacobian(cell, settings)
        jacobian = _downhill(jacobian, _SOFTEST)
        at_restart = best
        best = point if best is None or point.distance < best.distance else best
        since_best = 0
        while best.distance >= 1 and since_best < _PATIENCE and n_steps < settings.steps:
            step = -np.linalg.solve(jacobian, point.gradient)
            step *= min(1.0, largest_step / cell.gradient_norm(step))
            cell.set_x(point.x + step)
            (evaluation,) = yield [cell.primitive()]
            n_steps += 1
            here = _Point(cell, evaluation, settings)
            change = here.gradient - point.gradient
            jacobian = jacobian + np.outer(change - jacobian @ step, step) / (step @ step)
            point = here
            since_best = 0 if point.distance < best.distance else since_best + 1
            best = point if point.distance < best.distance else best
        if best.distance < 1:
            break
        in_vain = 0 if at_restart is None or best.distance < 0.5 * at_restart.distance else in_vain + 1
        largest_step /= 2
        cell.set_x(best.x)
    assert best is not None
    return best, n_steps


def _fire(cell: SymmetricCell, settings: QuasiNewtonRelaxation) -> _Steps:
    """Take ASE's FIRE to the bounds that are accepted: slow, and not to be led astray by jumps."""
    optimizer = FIRE(cell, logfile=None, maxstep=settings.largest_step_A)
    (evaluation,) = yield [cell.primitive()]
    point = _Point(cell, evaluation, settings)
    for n_steps in range(settings.steps):
        if point.accepted:
            return point, n_steps
        cell.evaluation = evaluation
        optimizer.step()
        (evaluation,) = yield [cell.primitive()]
        point = _Point(cell, evaluation, settings)
    return point, settings.steps


def _with_jacobian(
    cell: SymmetricCell, settings: QuasiNewtonRelaxation
) -> Generator[list[Atoms], list[Evaluation], tuple[_Point, np.ndarray]]:
    """Evaluate the current point, and the Jacobian of its gradient from forward differences, in eV/Å²."""
    x = cell.get_x()
    steps = np.diag(cell.steps(settings.difference_displacement_A, settings.difference_strain))
    evaluation, *displaced = yield [cell.primitive(x), *(cell.primitive(x + step) for step in steps)]
    point = _Point(cell, evaluation, settings)
    columns = [
        (cell.gradient(there, x + step) - point.gradient) / np.linalg.norm(step)
        for step, there in zip(steps, displaced, strict=True)
    ]
    return point, np.array(columns).reshape(len(steps), len(steps)).T


def _downhill(jacobian: np.ndarray, softest: float) -> np.ndarray:
    """Return a Jacobian whose symmetric part is positive, so that steps lead to minima rather than to saddle points."""
    symmetric, rest = (jacobian + jacobian.T) / 2, (jacobian - jacobian.T) / 2
    values, vectors = np.linalg.eigh(symmetric)
    positive: np.ndarray = (vectors * np.maximum(np.abs(values), softest)) @ vectors.T + rest
    return positive
