"""Which modes are acoustic, and which crystals are stable by the others."""

import numpy as np
import pytest

from softmode.stages.acoustic_modes import acoustic_at_gamma, is_stable, lowest_modes

GAMMA_AND_X = np.array([[0.0, 0, 0], [0.5, 0.5, 0]])


@pytest.mark.parametrize(
    ("at_gamma", "at_x", "stable"),
    [
        ([-1e-6, 1e-6, 0.0, 5, 5, 5], [1, 1, 2, 2, 3, 3], True),
        ([-34, -34, -34, 50, 50, 50], [1, 1, 2, 2, 3, 3], True),  # acoustic modes off zero, within the tolerance
        ([-36, 0, 0, 50, 50, 50], [1, 1, 2, 2, 3, 3], False),
        ([-20, 0, 0, 1e-3, 50, 50], [1, 1, 2, 2, 3, 3], False),  # acoustic are the three nearest to zero
        ([0, 0, 0, 50, 50, 50], [-1e-3, 1, 2, 2, 3, 3], False),  # no tolerance away from Gamma
    ],
)
def test_stability_looks_at_optical_modes_and_at_all_q(at_gamma: list, at_x: list, stable: bool) -> None:
    frequencies = np.array([at_gamma, at_x], dtype=float)
    assert is_stable(GAMMA_AND_X, frequencies, acoustic_gamma=-35.0, other=0.0) is stable


def test_acoustic_modes_at_gamma_are_the_three_nearest_to_zero_whatever_their_order() -> None:
    # an imaginary optical mode, lower than all acoustic ones, and a Gamma point that is a reciprocal lattice vector
    frequencies = np.array([[1, 2, 3, 4, 5, 6], [-5, -0.1, 0.0, 0.2, 7, 8]])
    assert lowest_modes(np.add(GAMMA_AND_X[::-1], [0, 0, 1]), frequencies) == (-0.1, -5.0)
    acoustic = acoustic_at_gamma(np.add(GAMMA_AND_X[::-1], [0, 0, 1]), frequencies)
    assert acoustic.tolist() == [[False] * 6, [False, True, True, True, False, False]]
    # one atom has no optical modes, and Gamma may be the only point
    assert lowest_modes(GAMMA_AND_X[:1], np.array([[0.1, -0.2, 0.3]])) == (-0.2, np.inf)


def test_thresholds_of_paper_and_scripts_differ() -> None:
    frequencies = np.array([[-40.0, 0, 0], [10, 10, 20]])
    assert is_stable(GAMMA_AND_X, frequencies, -50.0, 0.0)
    assert not is_stable(GAMMA_AND_X, frequencies, -35.0, 0.0)
