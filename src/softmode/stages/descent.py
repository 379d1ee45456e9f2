"""Down to a minimum of the energy where it is not smooth, and to none that is a saddle point.

Some potentials have creases: M3GNet's energy has a kink wherever a neighbour crosses its cutoff, and a whole shell of
equivalent neighbours crosses it at once. Where the energy rises on both sides, the minimum lies on the crease, its
forces jump there from one side to the other, and no point has none. BFGS without a look at the energy then walks in
circles. Here a step is taken only if the energy falls, else half of it is tried: the steps end at the minimum, smooth
or not. On a crease, a mean of the forces on its sides is zero, which is what a minimum is there.
"""

from collections.abc import Generator

import numpy as np
from ase import Atoms
from scipy.optimize import nnls

from softmode.errors import EntryError
from softmode.potentials.base import Evaluation
from softmode.stages.course import NO_MINIMUM, Course, Left, Point, downhill

# Softest curvature in eV/Å² that a descent, or BFGS, starts from. Below it is noise of the differences, or a direction
# without any force, as across the vacuum of a monolayer, which must not be followed.
SOFTEST_AT_START = 0.05
# Length in Å at which halved steps end. With more, a side of a crease may not have been seen within its width; with
# less, steps are spent where rounding decides.
_SHORTEST_A = 1e-4
# Length in Å at which the energy is looked at on both sides of a point that may be a saddle, at least; it is longer
# where the fall would be lost in rounding, up to the largest step. With much more, it may be that of another valley.
_LOOK_A = 0.05
# Weight of the condition that the parts of a mean add up to 1, beside forces and stresses of at most 1. With much less,
# the mean would be short of its parts.
_ADD_UP = 100.0

_Waiting = Generator[list[Atoms], list[Evaluation], Point]


def descend(course: Course, start: Point) -> Generator[list[Atoms], list[Evaluation], tuple[Point, Left]]:
    """Go down from a point by BFGS within a radius that failed steps halve, from a new Hessian each time it ends.

    Returns the lowest point, and what is left of forces and stress: there, or on a crease the mean of its sides. The
    caller judges whether that is accepted.

    Raises:
        EntryError: the potential fails at the differences of a Hessian, or `no_minimum`.
    """
    settings, cell = course.settings, course.cell
    best, left = start, start.left
    last_step = course.n_steps + settings.steps
    settled = start.distance < 1
    while course.n_steps < last_step:
        cell.set_x(best.x)
        _, jacobian = yield from course.with_jacobian()
        symmetric = (jacobian + jacobian.T) / 2
        if settled:
            lower = yield from _beside(course, best, symmetric)
            if lower is best:
                break
            best, left = lower, lower.left
        before = left
        hessian = downhill(symmetric, SOFTEST_AT_START)
        seen = yield from _round(course, best, hessian, last_step)
        gained = best.evaluation.energy - seen[-1].evaluation.energy > best.rounding
        best = seen[-1]
        left, gradient = _mean_of_sides(course, seen)
        if settings.crease_width_A:
            best, left = yield from _along_crease(course, best, left, gradient, hessian, last_step)
        settled = left.distance < 1 or not (gained or left.distance < before.distance / 2)
    return best, left


def _round(
    course: Course, best: Point, hessian: np.ndarray, last_step: int
) -> Generator[list[Atoms], list[Evaluation], list[Point]]:
    """Take steps until one is at the target or as short as it may be; return what was seen, the lowest point last."""
    settings, cell = course.settings, course.cell
    radius = settings.largest_step_A / 2
    others: list[Point] = []
    while best.distance >= 1 and radius > _SHORTEST_A and course.n_steps < last_step:
        step = -np.linalg.solve(hessian, best.gradient)
        length = cell.gradient_norm(step)
        step *= min(1.0, radius / length)
        cell.set_x(best.x + step)
        try:
            there = yield from course.step()
        except EntryError as error:
            if error.kind == NO_MINIMUM:
                raise
            radius = min(radius, length) / 2
            continue
        hessian = _updated(hessian, step, there.gradient - best.gradient)
        fall = best.evaluation.energy - there.evaluation.energy
        if fall > best.rounding or (fall > -best.rounding and there.distance < best.distance):
            best, other = there, best
            radius = min(2 * radius, settings.largest_step_A) if length > radius else radius
        else:
            other = there
            radius = min(radius, length) / 2
        others.append(other)
    return [*others, best]


def _along_crease(
    course: Course, best: Point, left: Left, gradient: np.ndarray, hessian: np.ndarray, last_step: int
) -> Generator[list[Atoms], list[Evaluation], tuple[Point, Left]]:
    """Follow the mean of a crease's sides along the crease, as long as it shrinks; return as `descend` does.

    Across the crease the energy rises so steeply that a fall along it is soon lost in rounding.

    Args:
        gradient: the mean's, in eV/Å
    """
    while min(left.distance, best.distance) >= 1 and course.n_steps < last_step:
        step = -np.linalg.solve(hessian, gradient)
        course.cell.set_x(best.x + step * min(1.0, course.settings.largest_step_A / course.cell.gradient_norm(step)))
        start = yield from course.step()
        seen = yield from _round(course, start, hessian, last_step)
        nearer, gradient = _mean_of_sides(course, seen)
        if nearer.distance >= left.distance:
            break
        best, left = seen[-1], nearer
    return best, left


def _updated(hessian: np.ndarray, step: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Return BFGS's next Hessian, the same where the curvature along the step is not positive."""
    if change @ step <= 1e-8 * np.linalg.norm(change) * np.linalg.norm(step):
        return hessian
    along = hessian @ step
    return hessian + np.outer(change, change) / (change @ step) - np.outer(along, along) / (step @ along)


def _beside(course: Course, best: Point, hessian: np.ndarray) -> _Waiting:
    """Return the point itself, or a lower one on a side of it where the curvature is negative."""
    values, vectors = np.linalg.eigh(hessian)
    negative = values < -SOFTEST_AT_START
    for curvature, direction in zip(values[negative], vectors.T[negative], strict=True):
        norm = course.cell.gradient_norm(direction)
        # a fall of twice what is rounding
        seen_from = np.sqrt(4 * best.rounding / -curvature)
        length = np.clip(seen_from, _LOOK_A / norm, course.settings.largest_step_A / norm)
        for sign in (1, -1):
            course.cell.set_x(best.x + sign * length * direction)
            there = yield from course.step()
            if best.evaluation.energy - there.evaluation.energy > best.rounding:
                return there
    return best


def has_negative(hessian: np.ndarray) -> bool:
    """Return whether a curvature is negative by more than the noise of differences."""
    return bool((np.linalg.eigvalsh(hessian) < -SOFTEST_AT_START).any())


def _mean_of_sides(course: Course, seen: list[Point]) -> tuple[Left, np.ndarray]:
    """Return the mean of what is left within a crease's width of the last point that is nearest to zero.

    With it the same mean of the gradients, in eV/Å. What is left at that point itself where no mean is nearer to the
    targets, or where it is at them: a mean of points around a smooth minimum is nearer still, and no crease.
    """
    cell, settings = course.cell, course.settings
    best = seen[-1]
    if best.distance < 1:
        return best.left, best.gradient
    width = settings.crease_width_A or 0.0
    near = [point for point in seen if cell.gradient_norm(point.x - best.x) <= width]
    sides = np.array(
        [
            np.append(
                point.left.forces / settings.force_target_eV_per_A, point.left.stress / settings.stress_target_eV_per_A3
            )
            for point in near
        ]
    )
    scale = np.abs(sides).max()
    if scale == 0:
        return best.left, best.gradient
    rows = np.vstack([sides.T / scale, np.full(len(near), _ADD_UP)])
    parts, _ = nnls(rows, np.append(np.zeros(sides.shape[1]), _ADD_UP))
    parts /= parts.sum()
    mean = Left(
        np.einsum("k,kij->ij", parts, np.array([point.left.forces for point in near])),
        np.einsum("k,kij->ij", parts, np.array([point.left.stress for point in near])),
        settings,
    )
    if mean.distance >= best.distance:
        return best.left, best.gradient
    return mean, np.einsum("k,ki->i", parts, np.array([point.gradient for point in near]))
