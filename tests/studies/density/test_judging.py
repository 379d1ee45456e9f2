"""What trainings are worth: rows of the errors, their baselines, and how they depend on the number of crystals."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from ase.build import bulk

from softmode.cli import main
from softmode.settings.from_scratch import DensityTraining
from softmode.studies.density.density import N_BINS
from softmode.studies.density.judging import COMPOSITION, MEAN
from softmode.studies.density.label_file import VALUES, Label, Labels, read_labels, save_labels
from softmode.studies.density.training_folder import PREDICTIONS, SETTINGS
from softmode.training.split import Compound, Split

SALTS = ["LiF", "LiCl", "LiBr", "NaF", "NaCl", "NaBr", "KF", "KCl", "KBr", "RbF", "RbCl", "RbBr"]
SIZES = {"LiF": 4.03, "LiCl": 5.13, "NaF": 4.63, "NaCl": 5.64, "KF": 5.35, "KCl": 6.29}


@pytest.fixture
def labels(tmp_path: Path) -> list[Label]:
    """Salts whose made densities lie at lower frequencies where the mean mass is larger; file and split beside."""
    found = []
    for salt in SALTS:
        crystal = bulk(salt, "rocksalt", a=SIZES.get(salt, 6.0))
        crystal.set_masses(crystal.get_masses())
        middle = 400 / crystal.get_masses().mean()
        shares = np.exp(-0.5 * ((np.arange(N_BINS) - 25 - middle) / 4) ** 2) * np.ones((2, 1))
        states = 3 * shares / shares.sum(axis=1, keepdims=True)
        values = dict.fromkeys(VALUES, 1.0)
        found.append(Label(salt, crystal, states, np.zeros(2), np.tile(np.eye(3), (2, 1, 1)), values))
    save_labels(tmp_path / "labels.npz", Labels(found))
    compounds = [Compound(salt, salt, 1) for salt in SALTS]
    Split(tuple(compounds[:8]), tuple(compounds[8:10]), tuple(compounds[10:])).write(tmp_path / "split.csv")
    return read_labels(tmp_path / "labels.npz").of_entries


def trained(folder: Path, test: Sequence[Label], size: int | None, seed: int, error: float) -> Path:
    """A training that is said to be done; states of the predictions lie by a share of themselves a bin too low."""
    settings = DensityTraining(
        labels=str(folder / "labels.npz"), split=str(folder / "split.csv"), epochs=1, compounds=size, seed=seed
    )
    made = folder / f"{size}-{seed}"
    made.mkdir()
    (made / SETTINGS).write_text(yaml.safe_dump(settings.model_dump(mode="json")), encoding="utf-8")
    states = [(1 - error) * each.states + error * np.roll(each.states, -1, axis=1) for each in test]
    np.savez(
        made / PREDICTIONS,
        test_entries=[each.entry for each in test],
        test_states=np.concatenate(states),
        test_overflow_THz=np.zeros(2 * len(test)),
    )
    return made


def test_rows_are_of_each_training_their_mean_and_the_baselines_of_as_many_crystals(
    labels: list[Label], tmp_path: Path
) -> None:
    test = labels[10:]
    folders = [
        trained(tmp_path, test, 4, 0, 0.8),
        trained(tmp_path, test, 4, 1, 0.4),
        trained(tmp_path, test, None, 0, 0),
    ]
    output = tmp_path / "errors.csv"
    words = ["density-errors", *map(str, folders), "--labels", str(tmp_path / "labels.npz")]
    words += ["--split", str(tmp_path / "split.csv"), "--output", str(output)]
    assert main([*words, "--learning-curve"]) == 0
    table = pd.read_csv(output).set_index(["crystals", "source"])
    assert table.loc[4].index.tolist() == [MEAN, COMPOSITION, "moments 0", "moments 1", "moments ensemble"]
    assert table.loc[8].index.tolist() == [MEAN, COMPOSITION, "moments 0"]
    distance = table["wasserstein_THz"]
    # a bin is 0.25 THz; the mean of two seeds is moved by the mean of both
    assert distance[4].loc["moments 0":].tolist() == pytest.approx([0.2, 0.1, 0.15], abs=1e-3)
    assert distance[8]["moments 0"] == pytest.approx(0, abs=1e-6)
    assert distance[4][MEAN] > distance[4][COMPOSITION] > 0
    assert (tmp_path / "errors_learning_curve.png").stat().st_size > 10_000
    drawn = pd.read_csv(tmp_path / "errors_learning_curve.csv").set_index(["crystals", "source"])
    pd.testing.assert_frame_equal(drawn, table, rtol=1e-4, check_dtype=False)


def test_a_learning_curve_of_one_size_is_refused(
    labels: list[Label], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = trained(tmp_path, labels[10:], None, 0, 0.5)
    words = ["density-errors", str(folder), "--labels", str(tmp_path / "labels.npz"), "--split"]
    words += [str(tmp_path / "split.csv"), "--output", str(tmp_path / "errors.csv"), "--learning-curve"]
    assert main(words) == 2
    assert "several numbers of crystals" in capsys.readouterr().err
