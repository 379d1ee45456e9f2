"""Relaxation in the totally symmetric coordinates of the primitive cell, by quasi-Newton methods.

Forces that are the gradient of an energy get ASE's BFGS; where that no longer comes lower, a descent that looks at the
energy goes on from the lowest point (`stages.descent`). Forces and stresses that a network gives directly have no
energy behind them: their Jacobian is not symmetric, BFGS walks away, and Broyden's method for equations does not. It
also knows when it is at the bottom of what the potential can say: such forces jump where neighbours come and go. What
it does not bring within the accepted bounds gets ASE's FIRE.
"""

from collections.abc import Generator

import numpy as np
from ase import Atoms
from ase.optimize import BFGS, FIRE

from softmode.errors import EntryError
from softmode.potentials.base import Evaluation
from softmode.settings.relaxation import QuasiNewtonRelaxation
from softmode.stages.course import Course, Left, Point, downhill
from softmode.stages.descent import SOFTEST_AT_START, descend, has_negative
from softmode.stages.relaxed import RelaxationSteps, Relaxed
from softmode.stages.symmetric_cell import SymmetricCell

# Steps of BFGS without a lower energy after which the descent takes over. With fewer, some that would converge get
# other last steps; with more, steps are spent in circles around a crease.
_CIRCLING = 50
# Steps of Broyden's method without improvement after which the Jacobian is made anew. With fewer, each jump of the
# forces costs a Jacobian; with more, steps are spent where nothing gets better.
_PATIENCE = 4
# Jacobians in vain after which Broyden's method gives up, and FIRE goes on.
_RESTARTS = 3
# Softest curvature in eV/Å² of a Jacobian in Broyden's method; with less, its steps along soft coordinates may
# overshoot.
_SOFTEST = 1.0

_Steps = Generator[list[Atoms], list[Evaluation], tuple[Point, Left]]


def relax_symmetric(unit_cell: Atoms, settings: QuasiNewtonRelaxation, conservative: bool) -> RelaxationSteps:
    """Relax from a Hessian of finite differences, which is one batch of structures.

    The symmetry at the start is kept exactly; the result is the unit cell as it was given, relaxed.

    Args:
        conservative: whether the forces are the gradient of the energy

    Raises:
        EntryError: `not_converged`, `no_minimum`, `unphysical_forces`, `not_finite` or `symmetry_broken`.
    """
    cell = SymmetricCell(unit_cell, settings.symmetry_tolerance_A)
    course = Course(cell, settings)
    point, left = yield from (_along_gradient if conservative else _to_zero)(course)
    if not left.accepted:
        raise EntryError(
            "not_converged",
            f"after {course.n_steps} steps a force of {left.largest_force:.4g} eV/Å and a stress of "
            f"{left.largest_stress:.4g} eV/Å³ are left; {settings.force_accepted_eV_per_A} and "
            f"{settings.stress_accepted_eV_per_A3} would be accepted",
        )
    cell.set_x(point.x)
    evaluation = cell.of_unit_cell(point.evaluation)
    crease = 0.0 if left is point.left else float(np.linalg.norm(point.gradient))
    return Relaxed(cell.unit_cell(), evaluation, left.largest_force, course.n_steps, crease)


def _along_gradient(course: Course) -> _Steps:
    """Go down by BFGS as far as it goes, then by the descent; return the point, and what is left there."""
    try:
        point, at_saddle = yield from _bfgs(course)
    except EntryError:  # a step may lead to where the potential says nothing
        if course.lowest is None:
            raise
    else:
        if point.distance < 1:
            # the descent looks at what may be a saddle point from a Hessian of its own
            return (yield from descend(course, point)) if at_saddle else (point, point.left)
    assert course.lowest is not None
    return (yield from descend(course, course.lowest))


def _bfgs(course: Course) -> Generator[list[Atoms], list[Evaluation], tuple[Point, bool]]:
    """Return the last point, and whether a curvature was negative at the first or seems so at the last."""
    cell, settings = course.cell, course.settings
    optimizer = BFGS(cell, logfile=None, maxstep=settings.largest_step_A)  # type: ignore[arg-type]
    point, jacobian = yield from course.with_jacobian()
    hessian = (jacobian + jacobian.T) / 2
    optimizer.H0 = downhill(hessian, SOFTEST_AT_START)
    lowest, since_lowest = point, 0
    while point.distance >= 1 and since_lowest < _CIRCLING and course.n_steps < settings.steps:
        cell.evaluation = point.evaluation
        optimizer.step()
        point = yield from course.step()
        lower = lowest.evaluation.energy - point.evaluation.energy > lowest.rounding
        lowest, since_lowest = (point, 0) if lower else (lowest, since_lowest + 1)
    last = optimizer.H if course.n_steps else hessian
    return point, has_negative(hessian) or has_negative(last)


def _to_zero(course: Course) -> _Steps:
    """Solve gradient = 0 by Broyden's method, then by FIRE from the nearest point; return the nearest then."""
    try:
        yield from _broyden(course)
    except EntryError:  # as with BFGS; FIRE's steps are small
        if course.nearest is None:
            raise
    assert course.nearest is not None
    if not course.nearest.left.accepted:
        yield from _fire(course, course.nearest)
    return course.nearest, course.nearest.left


def _broyden(course: Course) -> Generator[list[Atoms], list[Evaluation], None]:
    """Solve gradient = 0 by Broyden's (good) method, from the best point anew when it gets no better."""
    cell, settings = course.cell, course.settings
    largest_step = settings.largest_step_A
    best: Point | None = None
    in_vain = 0
    while in_vain < _RESTARTS and course.n_steps < settings.steps:
        point, jacobian = yield from course.with_jacobian()
        jacobian = downhill(jacobian, _SOFTEST)
        at_restart = best
        best = point if best is None or point.distance < best.distance else best
        since_best = 0
        while best.distance >= 1 and since_best < _PATIENCE and course.n_steps < settings.steps:
            step = -np.linalg.solve(jacobian, point.gradient)
            step *= min(1.0, largest_step / cell.gradient_norm(step))
            cell.set_x(point.x + step)
            here = yield from course.step()
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


def _fire(course: Course, point: Point) -> Generator[list[Atoms], list[Evaluation], None]:
    """Take ASE's FIRE to the bounds that are accepted: slow, and not to be led astray by jumps."""
    cell, settings = course.cell, course.settings
    cell.set_x(point.x)
    optimizer = FIRE(cell, logfile=None, maxstep=settings.largest_step_A)
    last_step = course.n_steps + settings.steps
    while not point.left.accepted and course.n_steps < last_step:
        cell.evaluation = point.evaluation
        optimizer.step()
        point = yield from course.step()
