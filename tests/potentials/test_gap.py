"""A Gaussian approximation, in its environment, which is built only for who asks for it: trained, and run."""

from pathlib import Path

import pytest
from ase.io import read
from contract import load
from springs import error_of_test, write_springs

from softmode.settings.from_scratch import GAPTraining
from softmode.training.from_scratch.train import train
from softmode.yaml_files import read_yaml


def test_training_learns_and_its_entry_is_a_potential_with_a_gradient(tmp_path: Path) -> None:
    folder = tmp_path / "trained"
    train(GAPTraining(data=str(write_springs(tmp_path)), seed=0, n_max=4, l_max=3, sparse_points=30), folder, "cpu")
    assert error_of_test(folder) < 0.3
    ((name, entry),) = read_yaml(folder / "potential.yaml").items()
    potential = load({"name": name, **entry})
    assert potential.elements == {9, 20}
    frame = read(tmp_path / "test.extxyz")
    displaced = []
    for sign in (1, -1):
        moved = frame.copy()
        moved.positions[1, 2] += sign * 1e-4
        displaced.append(moved)
    up, down, found = potential.evaluate([*displaced, frame])
    assert found.forces[1, 2] == pytest.approx((down.energy - up.energy) / 2e-4, abs=1e-5)
    assert potential.evaluate([frame])[0].energy == found.energy
