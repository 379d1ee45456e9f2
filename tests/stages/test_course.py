import numpy as np
import pytest

from softmode.potentials.base import Evaluation
from softmode.stages.course import Course
from softmode.stages.symmetric_cell import SymmetricCell
from tests.stages.test_quasi_newton import SETTINGS as TEN_TIMES_THE_TARGETS
from tests.stages.test_quasi_newton import alloy


def after(*left: tuple[float, float]) -> Course:
    """Return a course that has seen points with so much force (eV/Å, on two atoms) and stress (eV/Å³)."""
    settings = TEN_TIMES_THE_TARGETS.model_copy(update={"stress_accepted_eV_per_A3": 1e-4})
    course = Course(SymmetricCell(alloy(), 0.01), settings)
    direction = course.cell.displacement_basis[0] / np.linalg.norm(course.cell.displacement_basis[0], axis=1).max()
    for force, stress in left:
        step = course.step()
        next(step)
        with pytest.raises(StopIteration):
            step.send([Evaluation(0.0, force * direction, np.array([0, 0, stress, 0, 0, 0]))])
    return course


def test_accepted_point_is_nearer_than_one_nearer_to_the_targets() -> None:
    # 12 times the target of the force and not accepted; 50 times the target of the stress and accepted
    course = after((1.2e-3, 1e-9), (5e-4, 5e-5))
    assert course.nearest is not None and course.nearest.left.accepted
    assert course.nearest.left.largest_force == pytest.approx(5e-4)


def test_of_accepted_points_the_nearest_to_the_targets_is_kept() -> None:
    course = after((5e-4, 5e-5), (4e-4, 1e-9), (6e-4, 1e-9))
    assert course.nearest is not None and course.nearest.left.largest_force == pytest.approx(4e-4)
