"""Where a relaxation has been: its points, its steps, and how far the volume may go."""

from collections.abc import Generator

import numpy as np
from ase import Atoms

from softmode.errors import EntryError
from softmode.potentials.base import Evaluation
from softmode.settings.relaxation import QuasiNewtonRelaxation
from softmode.stages.relaxed import check_physical
from softmode.stages.symmetric_cell import SymmetricCell

# Kind of the failure where the volume runs away; failures are counted by it.
NO_MINIMUM = "no_minimum"
# Part of an energy that is rounding in single precision: four units of its last place. With less, steps next to a
# minimum are refused at random; with more, what is uphill counts as level.
_ROUNDING = 4 * 2.0**-23


class Left:
    """Forces and stress that are left to do work on the coordinates, and how far they are from the targets.

    Args:
        forces: in eV/Å, shape (n_atoms, 3)
        stress: in eV/Å³, shape (3, 3)

    Attributes:
        distance: converged below 1
        accepted: whether they are within the bounds that are accepted
    """

    def __init__(self, forces: np.ndarray, stress: np.ndarray, settings: QuasiNewtonRelaxation) -> None:
        self.forces, self.stress = forces, stress
        self.largest_force = float(np.linalg.norm(forces, axis=1).max())
        self.largest_stress = float(np.abs(stress).max())
        self.distance = max(
            self.largest_force / settings.force_target_eV_per_A, self.largest_stress / settings.stress_target_eV_per_A3
        )
        self.accepted = (
            self.largest_force < settings.force_accepted_eV_per_A
            and self.largest_stress < settings.stress_accepted_eV_per_A3
        )


class Point:
    """One evaluated point: coordinates, evaluation of the primitive cell, gradient in eV/Å, and what is left."""

    def __init__(self, cell: SymmetricCell, evaluation: Evaluation, settings: QuasiNewtonRelaxation) -> None:
        self.x = cell.get_x()
        self.evaluation = evaluation
        self.gradient = cell.gradient(evaluation)
        self.left = Left(*cell.symmetric_part(evaluation), settings)

    @property
    def distance(self) -> float:
        """How far from the targets it is; converged below 1."""
        return self.left.distance

    @property
    def rounding(self) -> float:
        """What of the energy is rounding, in eV."""
        return _ROUNDING * abs(self.evaluation.energy)


class Course:
    """The points that the relaxation of one cell has seen, whatever comes to an end on the way.

    Attributes:
        n_steps: structures asked for one after the other, those that failed included; not those of finite differences
        lowest: the point of least energy; None before the first
        nearest: the point nearest to the targets, of those that are accepted if there are any; None before the first
    """

    def __init__(self, cell: SymmetricCell, settings: QuasiNewtonRelaxation) -> None:
        self.cell, self.settings = cell, settings
        self.n_steps = 0
        self.lowest: Point | None = None
        self.nearest: Point | None = None
        self._volume = cell.primitive(np.zeros(cell.ndofs())).cell.volume

    def step(self) -> Generator[list[Atoms], list[Evaluation], Point]:
        """Evaluate the cell where it is, as one more step.

        Raises:
            EntryError: the potential fails here, `unphysical_forces`, or `no_minimum`: the volume left its bounds.
        """
        self.n_steps += 1
        (evaluation,) = yield [self.cell.primitive()]
        return self._seen(evaluation)

    def with_jacobian(self) -> Generator[list[Atoms], list[Evaluation], tuple[Point, np.ndarray]]:
        """Evaluate the cell where it is, and the Jacobian of its gradient from forward differences, in eV/Å²."""
        x = self.cell.get_x()
        steps = np.diag(self.cell.steps(self.settings.difference_displacement_A, self.settings.difference_strain))
        evaluation, *displaced = yield [self.cell.primitive(x), *(self.cell.primitive(x + step) for step in steps)]
        point = self._seen(evaluation)
        columns = [
            (self.cell.gradient(there, x + step) - point.gradient) / np.linalg.norm(step)
            for step, there in zip(steps, displaced, strict=True)
        ]
        return point, np.array(columns).reshape(len(steps), len(steps)).T

    def _seen(self, evaluation: Evaluation) -> Point:
        check_physical(evaluation, self.settings.force_unphysical_eV_per_A)
        ratio = self.cell.primitive().cell.volume / self._volume
        largest = self.settings.largest_volume_change
        if largest is not None and not 1 / largest < ratio < largest:
            raise EntryError(
                NO_MINIMUM,
                f"after {self.n_steps} steps the volume is {ratio:.3g} times what it was, and no minimum was found; "
                f"{largest:g} times, or as many times less, is the bound",
            )
        point = Point(self.cell, evaluation, self.settings)
        if self.lowest is None or evaluation.energy < self.lowest.evaluation.energy:
            self.lowest = point
        # force and stress have bounds in another ratio than their targets, so that a nearer point may not be accepted
        if self.nearest is None or _order(point) < _order(self.nearest):
            self.nearest = point
        return point


def _order(point: Point) -> tuple[bool, float]:
    return not point.left.accepted, point.distance


def downhill(jacobian: np.ndarray, softest: float) -> np.ndarray:
    """Return a Jacobian whose symmetric part is positive, so that steps lead to minima rather than to saddle points."""
    symmetric, rest = (jacobian + jacobian.T) / 2, (jacobian - jacobian.T) / 2
    values, vectors = np.linalg.eigh(symmetric)
    positive: np.ndarray = (vectors * np.maximum(np.abs(values), softest)) @ vectors.T + rest
    return positive
