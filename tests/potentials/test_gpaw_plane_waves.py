"""The grid that GPAW is told: fine enough along every lattice vector, and one whose Fourier transforms are fast."""

import numpy as np
import pytest

from softmode.potentials.gpaw_plane_waves import grid_points

_FCC = np.array([[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]])


def test_grid_of_a_slanted_cell_counts_along_its_vectors_and_not_between_its_planes() -> None:
    # planes of a face-centred cell are closer to each other than its vectors are long, by the factor √(2/3)
    assert grid_points(5.519 * _FCC, 0.131) == (30, 30, 30)
    assert grid_points(5.519 * np.eye(3), 0.115) == (48, 48, 48)


@pytest.mark.parametrize("seed", range(5))
def test_grid_is_never_coarser_than_asked_for_and_has_even_numbers_of_small_factors(seed: int) -> None:
    cell = 6 * np.eye(3) + np.random.default_rng(seed).normal(size=(3, 3))
    for spacing in (0.1, 0.137, 0.2):
        for number, length in zip(grid_points(cell, spacing), np.linalg.norm(cell, axis=1), strict=True):
            assert length / number <= spacing * (1 + 1e-6)
            assert length / number > 0.7 * spacing
            left = number
            for factor in (2, 3, 5):
                while left % factor == 0:
                    left //= factor
            assert left == 1 and number % 2 == 0
