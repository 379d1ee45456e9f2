"""What `softmode density` writes: numbers per mole and mass, ranks, and failures, a few structures at a time."""

import contextlib
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from ase.build import bulk
from ase.io import write

from softmode.cli import main
from softmode.errors import InputError
from softmode.studies.density import predict, predictor
from softmode.studies.density.density import STEP_THz
from softmode.studies.density.prediction_files import BATCH, Predicted, predicted, write_predictions
from softmode.studies.density.screening import screen
from softmode.studies.density.structure_stream import Problem, Structure
from tests.studies.density.debye import Debye

CRYSTALS = [
    *(bulk(symbol) for symbol in ("Al", "Cu", "Ag", "Si", "Fe", "W")),
    *(bulk(name, "rocksalt", 5.6) for name in ("NaCl", "MgO", "LiF", "KBr")),
]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def of_tests(checkpoint: Path | None, device: str = "cpu") -> Iterator[Any]:
        found = Debye()
        yield (lambda structures: predictor.densities(found, structures)), predictor._facts(found)

    monkeypatch.setattr(predict, "predictor", of_tests)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_numbers_are_of_a_mole_of_atoms_of_formula_units_and_of_a_kilogram(model: None, tmp_path: Path) -> None:
    salt = tmp_path / "salt.extxyz"
    write(salt, [bulk("NaCl", "rocksalt", 5.6, cubic=True), bulk("NaCl", "rocksalt", 5.6)])
    output = tmp_path / "out"
    arguments = ["density", str(salt), "--output", str(output), "--temperatures", "100,1000", "--csv"]
    assert main(arguments) == 0
    rows = rows_of(output / "thermodynamics.csv")
    assert [(row["frame"], row["temperature_K"]) for row in rows] == [
        ("0", "100"),
        ("0", "1000"),
        ("1", "100"),
        ("1", "1000"),
    ]
    # another cell of the same crystal
    assert [row["entropy_J_per_K_mol_atoms"] for row in rows[:2]] == [
        row["entropy_J_per_K_mol_atoms"] for row in rows[2:]
    ]
    hot = {key: float(value) for key, value in rows[1].items() if key not in ("file", "formula")}
    assert hot["heat_capacity_J_per_K_mol_atoms"] == pytest.approx(3 * 8.3145, rel=0.02)
    assert hot["heat_capacity_J_per_K_mol_formula_units"] == pytest.approx(2 * hot["heat_capacity_J_per_K_mol_atoms"])
    assert hot["heat_capacity_J_per_K_kg"] == pytest.approx(
        hot["heat_capacity_J_per_K_mol_formula_units"] / 58.443e-3, rel=1e-3
    )
    assert hot["heat_capacity_standard_deviation_J_per_K_kg"] > 0
    with pq.ParquetFile(output / "densities.parquet") as table:
        states = np.array(table.read()["density_of_states_per_THz"].to_pylist())
        above = np.array(table.read()["states_above"].to_pylist())
    assert states.sum(axis=1) * STEP_THz + above == pytest.approx([3, 3], abs=1e-4)
    of_csv = rows_of(output / "densities.csv")
    assert float(of_csv[0]["2.125 THz"]) == pytest.approx(states[0][8], rel=1e-3)


def test_what_fails_is_named_and_the_others_go_on(
    model: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "some.extxyz"
    write(file, [bulk("Cu"), bulk("He", "fcc", 4.0), bulk("Ag")])
    output = tmp_path / "out"
    assert main(["density", str(file), str(tmp_path / "missing.cif"), "--output", str(output)]) == 0
    assert [row["formula"] for row in rows_of(output / "thermodynamics.csv")] == ["Cu", "Ag"]
    failures = rows_of(output / "failures.csv")
    assert [(Path(row["file"]).name, row["frame"]) for row in failures] == [("some.extxyz", "1"), ("missing.cif", "0")]
    assert "not trained on He" in failures[0]["message"]
    said = capsys.readouterr()
    assert "some.extxyz, frame 1" in said.err and "2 structures predicted, 2 not" in said.out
    assert main(["density", str(tmp_path / "missing.cif"), "--output", str(output)]) == 1
    assert main(["density", "--output", str(output)]) == 2


def test_no_more_than_a_batch_is_held() -> None:
    """A million structures come one after the other: none is read before those of the batch before are written."""
    held, most = 0, 0

    def many() -> Iterator[Structure]:
        nonlocal held, most
        for number in range(5 * BATCH):
            held += 1
            most = max(most, held)
            yield Structure("file", number, bulk("Cu"))

    for each in predicted(many(), lambda atoms: predictor.densities(Debye(), atoms), [300.0]):
        assert isinstance(each, Predicted)
        held -= 1
    assert most == BATCH


def test_screening_ranks_all_and_explains_what_varies(tmp_path: Path) -> None:
    found = [Structure(f"c{place}", 0, atoms) for place, atoms in enumerate(CRYSTALS)]
    source = predicted([*found, Problem("bad", 0, "no")], lambda atoms: predictor.densities(Debye(), atoms), [300.0])
    summary, first = write_predictions(source, tmp_path, {"name": "debye"})
    assert (summary.n_predicted, summary.n_failed, len(first)) == (10, 1, 10)
    screening = screen(tmp_path / "densities.parquet", 300.0, 3)
    expected = {each.row["formula"]: each.row["heat_capacity_J_per_K_kg"][0] for each in first}
    assert screening.ranked["formula"].tolist() == sorted(expected, key=lambda name: -expected[name])[:3]
    assert screening.ranked["rank"].tolist() == [1, 2, 3]
    assert sorted(screening.heat_capacities) == pytest.approx(sorted(expected.values()), rel=1e-5)
    assert screening.by_element.loc["Na", "mean"] == pytest.approx(expected["NaCl"])
    # components are those of the centred densities
    states = np.array(
        [np.append(each.row["density_of_states_per_THz"], each.row["states_above"] / STEP_THz) for each in first]
    )
    centred = states - states.mean(axis=0)
    singular = np.linalg.svd(centred, compute_uv=False) ** 2
    assert screening.explained == pytest.approx((singular[:2] / singular.sum()).tolist(), rel=1e-5)
    assert screening.components[["first", "second"]].var(ddof=0).tolist() == pytest.approx(singular[:2] / 10, rel=1e-4)
    with pytest.raises(InputError, match="not at 20 K"):
        screen(tmp_path / "densities.parquet", 20.0, 3)


def test_ranked_entries_are_checked_by_the_reference(
    model: None, demo_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = ["MgO-rocksalt", "NaCl-rocksalt", "Si-diamond"]
    arguments = [
        "density",
        *ids,
        "--dataset",
        f"demo:{demo_folder}",
        "--output",
        str(tmp_path),
        "--rank",
        "2",
        "--plot",
    ]
    assert main(arguments) == 0
    ranking = pd.read_csv(tmp_path / "ranking.csv")
    assert len(ranking) == 2 and ranking["stable"].all()
    magnesia = ranking.set_index("file").loc["MgO-rocksalt"]
    # 36.6 J/K/mol of formula units by experiment; PBE is a little too soft
    assert magnesia["reference_J_per_K_mol_atoms"] == pytest.approx(18.3, abs=1.0)
    assert magnesia["reference_J_per_K_kg"] == pytest.approx(
        magnesia["reference_J_per_K_mol_atoms"] / 20.152e-3, rel=1e-3
    )
    assert "Heat capacity per mass" in capsys.readouterr().out
    assert {"screening.png", "densities_of_states.png", "screening_elements.csv"} <= {
        p.name for p in tmp_path.iterdir()
    }
