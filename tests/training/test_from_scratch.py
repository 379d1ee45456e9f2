import re
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io.extxyz import write_extxyz

from softmode.errors import InputError
from softmode.potentials.base import Evaluation
from softmode.settings.from_scratch import GAPTraining, MACETraining
from softmode.settings.json_schema import schema_of
from softmode.settings.messages import validate
from softmode.settings.potentials import Potentials
from softmode.training.from_scratch import gap, mace
from softmode.training.from_scratch.frames import PARTS, read_frames
from softmode.training.from_scratch.program import run_program
from softmode.training.from_scratch.train import _write_settings, errors, potentials_file_entry


def frame(seed: int) -> Atoms:
    """Springs to the places of fluorite, harmonic but for a tenth."""
    atoms = bulk("CaF2", "fluorite", 5.46)
    displacements = np.random.default_rng(seed).normal(scale=0.05, size=(3, 3))
    atoms.positions += displacements
    forces = -2 * displacements
    atoms.arrays["harmonic_forces"] = forces
    atoms.calc = SinglePointCalculator(atoms, energy=float((displacements**2).sum()), forces=1.1 * forces)
    return atoms


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for seed, part in enumerate(PARTS):
        with (tmp_path / f"{part}.extxyz").open("w") as file:
            write_extxyz(file, [frame(10 * seed + number) for number in range(3)])
    return tmp_path


def test_frames_of_one_crystal_are_read_with_their_harmonic_part(data: Path) -> None:
    frames = read_frames(data)
    assert frames.elements == ["F", "Ca"]
    assert [len(frames.frames[part]) for part in PARTS] == [3, 3, 3]
    assert frames.frames["test"][0].get_forces() == pytest.approx(frame(20).get_forces(), abs=1e-7)


def test_frames_that_cannot_be_learned_from_are_refused_by_file_and_number(data: Path) -> None:
    path = data / "validation.extxyz"
    for wrong, message in (
        (bulk("MgO", "rocksalt", 4.2), "frame 2 has other atoms than the first of train.extxyz"),
        (bulk("CaF2", "fluorite", 5.46), "frame 2 has no energy, or no forces"),
    ):
        with path.open("w") as file:
            write_extxyz(file, [frame(0), wrong])
        with pytest.raises(InputError, match=f"{re.escape(str(path))}: {message}"):
            read_frames(data)
    path.unlink()
    with pytest.raises(InputError, match=r"validation\.extxyz: no such file; softmode taylor-dynamics or split-"):
        read_frames(data)


class Known:
    """Forces that are right but for 1 %."""

    def evaluate(self, structures: list[Atoms]) -> list[Evaluation]:
        return [
            Evaluation(atoms.get_potential_energy() + 0.03, 1.01 * atoms.get_forces(), None) for atoms in structures
        ]


def test_errors_stand_beside_those_of_no_forces_and_of_the_harmonic_part() -> None:
    rows = errors(Known(), [frame(seed) for seed in range(4)])  # type: ignore[arg-type]
    assert [row["what"] for row in rows] == ["no forces", "harmonic part", "trained"]
    assert [row["relative_force_rmse"] for row in rows] == pytest.approx([1, 1 - 1 / 1.1, 0.01])
    assert rows[2]["energy_rmse_eV_per_atom"] == pytest.approx(0.01)
    without = [frame(seed) for seed in range(2)]
    for atoms in without:
        del atoms.arrays["harmonic_forces"]
    assert [row["what"] for row in errors(Known(), without)] == ["no forces", "trained"]  # type: ignore[arg-type]


def test_folder_of_another_training_is_refused(data: Path) -> None:
    frames, path = read_frames(data), data / "training.yaml"
    settings = GAPTraining(data=str(data), seed=0)
    _write_settings(settings, frames, path)
    _write_settings(settings.model_copy(update={"data": "elsewhere"}), frames, path)
    with pytest.raises(InputError, match="has a training of other settings or data"):
        _write_settings(settings.model_copy(update={"seed": 1}), frames, path)
    with (data / "train.extxyz").open("a") as file:
        write_extxyz(file, [frame(99)])
    with pytest.raises(InputError, match="has a training of other settings or data"):
        _write_settings(settings, read_frames(data), path)


def test_programs_get_the_seed_and_all_numbers_of_the_settings(data: Path) -> None:
    frames = read_frames(data)
    told = " ".join(gap.arguments(GAPTraining(data=str(data), seed=6, sparse_points=33), frames.files["train"], data))
    assert "n_sparse=33" in told and "rnd_seed=7" in told and "cutoff=5.0" in told
    settings = MACETraining(data=str(data), seed=6, epochs=20, channels=4, highest_momentum=2)
    written = mace.configuration(settings, frames, "auto")
    assert written["seed"] == 6 and written["num_channels"] == 4 and written["max_L"] == 2
    assert written["lr_scheduler_gamma"] ** 20 == pytest.approx(0.01)


def test_program_that_fails_tells_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"(?s)python failed with exit code 3; the end of .*train\.log:\nno such thing"
    ):
        run_program("python", ["-c", "print('no such thing'); raise SystemExit(3)"], tmp_path, "train.log")


@pytest.mark.parametrize("settings", [GAPTraining, MACETraining])
def test_entry_of_a_trained_potential_is_one_of_the_potentials_file(data: Path, settings: type) -> None:
    own = settings(data=str(data), seed=2, **({"epochs": 3} if settings is MACETraining else {}))
    checkpoint = data / "made.model"
    checkpoint.write_bytes(b"weights")
    entry = potentials_file_entry(own, read_frames(data), checkpoint)
    validate({"made": entry}, schema_of(Potentials), "potential.yaml")
    assert entry["checkpoint"]["path"] == str(checkpoint) and len(entry["checkpoint"]["sha256"]) == 64
