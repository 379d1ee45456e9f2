import math
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write

from softmode.cli import main
from softmode.errors import InputError
from softmode.studies.anharmonicity.directions import LineForces
from softmode.studies.anharmonicity.frames import energies_along, in_blocks, in_lines
from softmode.training.from_scratch.frames import read_frames
from tests.studies.anharmonicity.known import Series, gamma_series, primitive


def energy(series: Series, displaced: np.ndarray) -> float:
    """Of a Taylor series, term by term."""
    return sum(
        float(each.directional(values, displaced.reshape(1, -1))[0]) / math.factorial(each.order)
        for each, values in zip(series.polynomials, series.values, strict=True)
    )


def test_energies_along_lines_are_those_of_the_series_that_made_the_forces() -> None:
    series, rng = gamma_series(), np.random.default_rng(0)
    directions = rng.normal(size=(2, 9))
    directions -= directions.reshape(2, 3, 3).mean(axis=1).repeat(3, axis=0).reshape(2, 9)
    directions /= np.linalg.norm(directions.reshape(2, 3, 3), axis=2).max(axis=1)[:, None]
    amplitudes = np.array([0.05, 0.1, 0.16])
    at = directions[:, None] * amplitudes[:, None]
    forward, backward = (series.forces((sign * at).reshape(-1, 3, 3)).reshape(2, 3, 9) for sign in (1, -1))
    found = energies_along(LineForces(directions, amplitudes, forward, backward, np.zeros(9)))
    for sign, energies in zip((1, -1), found, strict=True):
        expected = [[energy(series, sign * place) for place in line] for line in at]
        assert energies == pytest.approx(np.array(expected), rel=1e-9)


def test_lines_of_density_functional_theory_are_a_data_set_of_whole_lines(project: Path, tmp_path: Path) -> None:
    forces = project / "data" / "caf2" / "cell.extxyz"
    assert main(["split-frames", str(forces), "--by", "lines", "--seed", "1", "--output", str(tmp_path)]) == 0
    found = read_frames(tmp_path)
    assert {part: len(frames) for part, frames in found.frames.items()} == {"train": 37, "validation": 4, "test": 8}
    rest = found.frames["train"][0]
    assert rest.get_potential_energy() == 0

    def lines(part: str) -> set[bytes]:
        displaced = [frame.positions - rest.positions for frame in found.frames[part]]
        moved = [by for by in displaced if np.abs(by).max() > 1e-6]
        of_line = [np.round(by / np.linalg.norm(by, axis=1).max() * np.sign(by[0, 0]), 3) + 0.0 for by in moved]
        return {by.tobytes() for by in of_line}

    assert [len(lines(part)) for part in ("train", "validation", "test")] == [9, 1, 2]
    assert not lines("train") & lines("test") and not lines("train") & lines("validation")
    given = read(forces, index=":")
    for frame in found.frames["test"]:
        (same,) = [each for each in given if np.abs(each.positions - frame.positions).max() < 1e-6]
        assert frame.get_forces() == pytest.approx(same.get_forces())
        assert 0 < frame.get_potential_energy() < 2
    with pytest.raises(InputError, match="12 lines, and 6 for validation and 6 for the test leave none"):
        in_lines(forces, 6, 6, 0)


def test_frames_in_blocks_have_energies_of_their_own_and_are_parted_in_time(tmp_path: Path) -> None:
    frames = []
    for step in range(60):
        frame: Atoms = primitive().copy()
        frame.calc = SinglePointCalculator(frame, energy=float(step), forces=np.zeros((3, 3)))
        frames.append(frame)
    path = tmp_path / "run.extxyz"
    write(path, frames, format="extxyz")
    parts = in_blocks(path)
    ends = {part: [own[0].get_potential_energy(), own[-1].get_potential_energy()] for part, own in parts.items()}
    assert ends["train"][1] < ends["validation"][0] < ends["validation"][1] < ends["test"][0]
    write(path, frames[:3], format="extxyz")
    with pytest.raises(InputError, match=r"run\.extxyz: 3 frames leave none"):
        in_blocks(path)
    bare = primitive()
    write(path, [bare] * 20, format="extxyz")
    with pytest.raises(InputError, match=r"frame 1 has no energy, or no forces; .*--by lines"):
        in_blocks(path)
