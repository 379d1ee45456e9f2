"""Forces along lines: the file is whole at any time, is gone on with, and gives exact derivatives of a known energy."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from ase import Atoms
from ase.io import read

from softmode.errors import InputError
from softmode.potentials.base import Evaluation, Potential
from softmode.potentials.registry import load_potential
from softmode.stages.line_forces import Lines, line_forces, random_directions

_LENNARD_JONES = {
    "name": "lennard-jones",
    "adapter": "ase_calculator",
    "environment": "test",
    "calculator": "ase.calculators.lj.LennardJones",
    "arguments": {"sigma": 2.0, "epsilon": 0.3, "rc": 5.0, "smooth": True},
    "packages": ["ase"],
}
_LINES = Lines(n_directions=2, amplitudes_A=(0.01, 0.02), seed=3)


@pytest.fixture
def crystal() -> Atoms:
    """Two elements on general positions of a triclinic cell, so that no symmetry makes a check vacuous."""
    return Atoms(
        "ArKrAr",
        scaled_positions=[[0.02, 0.01, 0.03], [0.48, 0.55, 0.52], [0.1, 0.6, 0.45]],
        cell=[[4.1, 0, 0], [0.3, 4.3, 0], [0.2, -0.4, 4.6]],
        pbc=True,
    )


class Counting:
    """A potential that counts what it is asked for, and may stop after a while."""

    def __init__(self, most: int = 1000) -> None:
        self._potential = load_potential(_LENNARD_JONES, "cpu")
        self.n_asked, self._most = 0, most

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        return getattr(self._potential, name)

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        if self.n_asked + len(structures) > self._most:
            raise RuntimeError("the power is off")
        self.n_asked += len(structures)
        return self._potential.evaluate(structures, stress=stress)


def _run(crystal: Atoms, lines: Lines, output: Path, potential: Counting | None = None) -> list[Atoms]:
    list(line_forces(crystal, lines, cast(Potential, potential or Counting()), _LENNARD_JONES, output))
    return cast(list[Atoms], read(output, index=":"))


def test_file_has_every_displacement_forward_and_back_with_the_potentials_energy_and_forces(
    crystal: Atoms, tmp_path: Path
) -> None:
    frames = _run(crystal, _LINES, tmp_path / "forces.extxyz")
    assert [(frame.info["direction"], frame.info["amplitude_A"]) for frame in frames] == [
        (-1, 0.0),
        *((number, size) for number in (0, 1) for size in (0.01, -0.01, 0.02, -0.02)),
    ]
    directions = random_directions(_LINES.n_directions, len(crystal), _LINES.seed).reshape(-1, len(crystal), 3)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=2).max(axis=1), 1, rtol=1e-12)
    for frame in frames[1:]:
        displaced = frame.info["amplitude_A"] * directions[frame.info["direction"]]
        np.testing.assert_allclose(frame.positions - crystal.positions, displaced, atol=1e-8)
    expected = Counting().evaluate(frames)
    np.testing.assert_allclose([frame.get_potential_energy() for frame in frames], [e.energy for e in expected])
    np.testing.assert_allclose([frame.get_forces() for frame in frames], [e.forces for e in expected], atol=2e-7)


def test_third_difference_of_energies_is_the_second_difference_of_forces(crystal: Atoms, tmp_path: Path) -> None:
    rest, *displaced = _run(crystal, Lines(1, (0.005,), 0), tmp_path / "forces.extxyz")
    direction = random_directions(1, len(crystal), 0).reshape(-1, 3)
    forward, backward = displaced
    of_forces = -np.vdot(forward.get_forces() + backward.get_forces() - 2 * rest.get_forces(), direction) / 0.005**2
    wide = _run(crystal, Lines(1, (0.005, 0.01), 0), tmp_path / "wide.extxyz")
    energies = [frame.get_potential_energy() for frame in wide[1:]]
    of_energies = (energies[2] - energies[3] - 2 * (energies[0] - energies[1])) / (2 * 0.005**3)
    assert abs(of_forces) > 1
    assert of_forces == pytest.approx(of_energies, rel=5e-3)


def test_stopped_run_leaves_whole_lines_and_the_next_one_computes_only_the_rest(crystal: Atoms, tmp_path: Path) -> None:
    output = tmp_path / "forces.extxyz"
    with pytest.raises(RuntimeError, match="the power is off"):
        _run(crystal, _LINES, output, Counting(most=6))
    assert len(read(output, index=":")) == 5
    rest = Counting()
    frames = _run(crystal, _LINES, output, rest)
    assert rest.n_asked == 4
    expected = _run(crystal, _LINES, tmp_path / "at-once.extxyz")
    for frame, other in zip(frames, expected, strict=True):
        np.testing.assert_array_equal(frame.positions, other.positions)
        np.testing.assert_array_equal(frame.get_forces(), other.get_forces())


def test_more_directions_or_amplitudes_are_added_to_what_is_there(crystal: Atoms, tmp_path: Path) -> None:
    output = tmp_path / "forces.extxyz"
    _run(crystal, _LINES, output)
    more = Counting()
    frames = _run(crystal, Lines(3, (0.01, 0.02, 0.03), 3), output, more)
    assert more.n_asked == 3 * 6 - 2 * 4
    assert len(frames) == 1 + 3 * 6
    again = Counting()
    assert len(_run(crystal, _LINES, output, again)) == 1 + 3 * 6  # fewer are asked for, and none is lost
    assert again.n_asked == 0


def test_file_of_another_seed_crystal_or_potential_is_refused_and_kept(crystal: Atoms, tmp_path: Path) -> None:
    output = tmp_path / "forces.extxyz"
    _run(crystal, _LINES, output)
    before = output.read_bytes()
    other = crystal.copy()
    other.positions[0, 0] += 0.01
    with pytest.raises(InputError, match="is another structure"):
        _run(other, _LINES, output)
    with pytest.raises(InputError, match="is another structure"):
        _run(crystal, Lines(2, (0.01, 0.02), 4), output)
    settings = _LENNARD_JONES | {"arguments": {"sigma": 2.1}}
    with pytest.raises(InputError, match="another potential, other settings"):
        list(line_forces(crystal, _LINES, load_potential(settings, "cpu"), settings, output))
    assert output.read_bytes() == before


def test_first_frame_says_where_the_file_comes_from(crystal: Atoms, tmp_path: Path) -> None:
    first = _run(crystal, _LINES, tmp_path / "forces.extxyz")[0]
    stored = first.info["softmode"]
    assert stored["depends_on"]["potential"] == json.loads(json.dumps(_LENNARD_JONES))
    assert stored["packages"]["ase"] and stored["softmode"]
