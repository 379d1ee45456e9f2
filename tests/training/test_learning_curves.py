from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from softmode.cli import main
from softmode.errors import InputError
from softmode.training.learning_curves import learning_curves, objectives_compared, read_trainings

N_TEST = 12


def training(folder: Path, objective: str, compounds: int, seed: int, error: float) -> None:
    folder.mkdir()
    settings = {"potential": "m3gnet", "objective": objective, "compounds": compounds, "seed": seed}
    (folder / "training.yaml").write_text(yaml.safe_dump(settings | {"processor_seconds": 150.0}), encoding="utf-8")
    rows = [
        {
            "when": when,
            "new_prototype": place % 2 == 0,
            "entry": f"e{place}",
            "harmonic_mae_eV_per_A": (0.2 if when == "before" else error) + 0.01 * place,
            "harmonic_slope": 0.9,
            "forces_mae_eV_per_A": 0.1,
        }
        for when in ("before", "after")
        for place in range(N_TEST)
    ]
    pd.DataFrame(rows).to_csv(folder / "test.csv", index=False)


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    for objective, base in (("hessian_products", 0.10), ("forces_along_displacements", 0.12)):
        for compounds in (30, 100):
            for seed in (0, 1):
                name = f"{objective}-{compounds}-{seed}"
                training(tmp_path / name, objective, compounds, seed, base - compounds / 5000 + 0.01 * seed)
    (tmp_path / "unfinished").mkdir()
    return sorted(tmp_path.iterdir())


def test_curves_are_means_over_compounds_and_seeds(folders: list[Path]) -> None:
    curves = learning_curves(read_trainings(folders)).set_index(["compounds", "objective"])
    assert len(curves) == 5
    before, after = curves.loc[(0, "none")], curves.loc[(100, "hessian_products")]
    assert before["harmonic_mae_eV_per_A"] == pytest.approx(0.2 + 0.055)
    assert (before["n_test"], after["n_seeds"], after["processor_seconds"]) == (N_TEST, 2, 150)
    assert after["harmonic_mae_eV_per_A"] == pytest.approx(0.085 + 0.055)
    assert after["harmonic_mae_eV_per_A_low"] < after["harmonic_mae_eV_per_A"] < after["harmonic_mae_eV_per_A_high"]
    assert after["harmonic_mae_eV_per_A_seeds"] == pytest.approx(np.std([0.08, 0.09], ddof=1))
    assert after["harmonic_mae_eV_per_A_new_prototypes"] == pytest.approx(0.085 + 0.05)


def test_objectives_are_compared_compound_by_compound(folders: list[Path]) -> None:
    compared = objectives_compared(read_trainings(folders)).set_index("compounds")
    assert compared.loc[30, ["one", "other"]].tolist() == ["forces_along_displacements", "hessian_products"]
    # the same difference for each of them leaves nothing to doubt
    columns = ["difference", "difference_low", "difference_high"]
    assert compared.loc[30, columns].tolist() == pytest.approx([0.02] * 3)


def test_command_writes_table_figure_and_differences(
    folders: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "output"
    assert main(["learning-curves", *map(str, folders), "--output", str(output)]) == 0
    assert "hessian products" in capsys.readouterr().out
    names = {path.name for path in output.iterdir()}
    assert {"learning_curves.md", "learning_curves.csv", "learning_curves.png", "objectives_compared.csv"} <= names


def test_no_finished_training_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no finished training"):
        read_trainings([tmp_path])
