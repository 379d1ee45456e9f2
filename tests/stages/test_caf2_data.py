"""The embedded forces of fluorite: energies and forces belong together, and to the crystal that the files say."""

from pathlib import Path
from typing import cast

import numpy as np
import pytest
from ase import Atoms
from ase.io import read

from softmode.stages.line_forces import random_directions

_FOLDER = Path("data/caf2")
_FILES = ("cell", "primitive")
# Force (eV/Å) on the whole crystal that the grid and the convergence of the density leave.
_NOISE = 3e-5


def _frames(name: str) -> list[Atoms]:
    return cast(list[Atoms], read(_FOLDER / f"{name}.extxyz", index=":"))


@pytest.mark.parametrize("name", _FILES)
def test_positions_are_those_of_the_crystal_at_rest_displaced_along_the_lines_of_the_seed(name: str) -> None:
    rest = cast(Atoms, read(_FOLDER / f"{name}.vasp"))
    frames = _frames(name)
    number = 1 + max(frame.info["direction"] for frame in frames)
    directions = random_directions(number, len(rest), 0).reshape(-1, len(rest), 3)
    for frame in frames:
        by = frame.info["amplitude_A"] * directions[frame.info["direction"]]
        np.testing.assert_array_equal(frame.numbers, rest.numbers)
        np.testing.assert_allclose(frame.positions - rest.positions, by, atol=2e-8)


@pytest.mark.parametrize("name", _FILES)
def test_forces_sum_up_to_nothing_and_vanish_at_rest(name: str) -> None:
    frames = _frames(name)
    assert max(np.abs(frame.get_forces().sum(axis=0)).max() for frame in frames) < _NOISE
    (rest,) = [frame for frame in frames if frame.info["amplitude_A"] == 0]
    assert np.abs(rest.get_forces()).max() < _NOISE


@pytest.mark.parametrize("name", _FILES)
def test_energies_are_the_integrals_of_the_forces_along_each_line(name: str) -> None:
    rest, *displaced = _frames(name)
    rest_energy = rest.get_potential_energy()
    checked = 0
    for number in {frame.info["direction"] for frame in displaced}:
        line = sorted(
            (frame for frame in displaced if frame.info["direction"] == number),
            key=lambda frame: frame.info["amplitude_A"],
        )
        amplitudes = np.array([frame.info["amplitude_A"] for frame in line])
        direction = (line[-1].positions - rest.positions) / amplitudes[-1]
        along = np.array([np.vdot(frame.get_forces(), direction) for frame in line])
        energies = np.array([frame.get_potential_energy() for frame in line]) - rest_energy
        # a polynomial through all forces along the line, integrated from rest
        powers = np.arange(len(line)) + 1
        scale = np.abs(amplitudes).max()
        series = np.linalg.solve((amplitudes[:, None] / scale) ** powers, along)
        integrals = -scale * ((amplitudes[:, None] / scale) ** (powers + 1) / (powers + 1)) @ series
        np.testing.assert_allclose(integrals, energies, atol=1e-4 * np.abs(energies).max())
        checked += 1
    assert checked >= 3
