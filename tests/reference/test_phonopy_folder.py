"""A folder as phonopy leaves it is one entry with a name, and nothing in it stops the others."""

import contextlib
import shutil
from pathlib import Path
from typing import Any

import pytest
from phonopy.file_IO import write_FORCE_SETS

from softmode.errors import InputError
from softmode.reference import phonopy_folder
from softmode.reference.dataset import load_entries, write_dataset
from softmode.reference.entry import Entry
from softmode.reference.reading import Problem, Selection, read_entries
from tests.reference.forms import as_phonopy, demo, ours, set_up, theirs, with_force_constants


@pytest.fixture(scope="module")
def left_by_phonopy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What phonopy leaves beside phonopy_disp.yaml and FORCE_SETS, by itself."""
    folder = tmp_path_factory.mktemp("made") / "MgO"
    made = as_phonopy(demo("MgO-rocksalt"))
    set_up(folder, made)
    write_FORCE_SETS(made.dataset, folder / "FORCE_SETS")
    with_force_constants(made)
    with contextlib.chdir(folder):
        made.save("phonopy.yaml", settings={"force_sets": False})
        made.run_mesh([3, 3, 3], with_eigenvectors=True, is_mesh_symmetry=False)
        made.write_yaml_mesh()
        made.run_thermal_properties(temperatures=[0.0, 300.0])
        made.write_yaml_thermal_properties()
        made.run_band_structure([[[0, 0, 0], [0.5, 0, 0]]])
        made.write_yaml_band_structure()
        made.run_qpoints([[0, 0, 0]])
        made.write_yaml_qpoints_phonon()
        made.run_irreps([0, 0, 0])
        made.write_yaml_irreps()
    (folder / "notes.yaml").write_text("who: me\n", encoding="utf-8")
    return folder


def written(outcomes: Any, folder: Path) -> tuple[int, int]:
    return write_dataset(iter(outcomes), *(folder / name for name in ("entries.db", "index.csv", "unreadable.csv")))


def test_folder_that_phonopy_left_is_one_entry(left_by_phonopy: Path) -> None:
    names = {path.name for path in left_by_phonopy.iterdir()}
    assert {"phonopy.yaml", "band.yaml", "mesh.yaml", "thermal_properties.yaml", "irreps.yaml", "qpoints.yaml"} <= names
    outcomes = list(read_entries("phonopy", left_by_phonopy, Selection()))
    (entry,) = [outcome for outcome in outcomes if isinstance(outcome, Entry)]
    assert (entry.id, entry.source, entry.reference) == ("MgO", "phonopy_disp.yaml", "force set")
    # a YAML of nobody knows what is listed under its own name
    assert [outcome.entry for outcome in outcomes if isinstance(outcome, Problem)] == ["notes"]
    expected = theirs(left_by_phonopy / "phonopy_disp.yaml", force_sets_filename=left_by_phonopy / "FORCE_SETS")
    assert ours(entry) == pytest.approx(expected, rel=1e-4, abs=1e-3)
    assert entry.own_numbers["n_atoms"] == 2


@pytest.mark.parametrize(
    "folders", [("mp-1", "mp-2"), ("Si/phonopy", "MgO/phonopy"), ("a/DFT/phonons", "b/DFT/phonons")]
)
def test_folders_of_the_same_make_do_not_clash(left_by_phonopy: Path, tmp_path: Path, folders: tuple[str, ...]) -> None:
    for folder in folders:
        shutil.copytree(left_by_phonopy, tmp_path / folder)
    outcomes = list(read_entries("phonopy", tmp_path, Selection()))
    ids = sorted(outcome.id for outcome in outcomes if isinstance(outcome, Entry))
    assert ids == sorted(folder.split("/")[0] for folder in folders)
    assert {outcome.file for outcome in outcomes if isinstance(outcome, Problem)} == {
        f"{folder}/notes.yaml" for folder in folders
    }


def test_entry_that_is_there_twice_names_both_places_and_the_rest_goes_on(tmp_path: Path) -> None:
    silicon = as_phonopy(demo("Si-diamond"))
    text = silicon.to_phonopy_yaml(settings={"force_sets": True})
    # as JSON has it, too
    for name in ("a/mp-1.yaml", "b/mp-1.yaml", "mp-2.yaml", "mp-2.yaml.xz", "mp-3.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        quoted = str(text).replace("unit_cell:", '"unit_cell":') if name[0] in "ab" else str(text)
        (tmp_path / name).write_text(quoted, encoding="utf-8")
    outcomes = list(read_entries("phonopy", tmp_path, Selection()))
    assert [outcome.id for outcome in outcomes if isinstance(outcome, Entry)] == ["mp-3"]
    messages = {outcome.file: outcome.message for outcome in outcomes if isinstance(outcome, Problem)}
    assert "entry mp-1 is in b/mp-1.yaml too" in messages["a/mp-1.yaml"]
    assert "entry mp-1 is in a/mp-1.yaml too" in messages["b/mp-1.yaml"]
    assert "entry mp-2 is in mp-2.yaml.xz too" in messages["mp-2.yaml"]
    assert "entry mp-2 is in mp-2.yaml too" in messages["mp-2.yaml.xz"]
    assert written(outcomes, tmp_path / "out") == (1, 4)


IDS = ("1000", "1e5", "nan", "inf", "True", "None", "1_000", "Ni", "-x", "=1+1", "a,b;c")
IDS += ("mit Leerzeichen", "Umlaut-ä", "quo\"te's")


def test_every_id_comes_back_from_the_database(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    text = str(as_phonopy(demo("Si-diamond")).to_phonopy_yaml(settings={"force_sets": True}))
    for id in IDS:
        (data / f"{id}.yaml").write_text(text, encoding="utf-8")
    entries = list(read_entries("phonopy", data, Selection()))
    assert written(entries, tmp_path) == (len(IDS), 0)
    stored = {entry.id for entry in entries}
    assert {entry.id for entry in load_entries(tmp_path / "entries.db")} == stored
    assert [entry.id for entry in load_entries(tmp_path / "entries.db", ["Ni", "entry-1000"])] == ["Ni", "entry-1000"]
    # the user knows an id by its file or from the index
    for wanted in ("1000", "entry-1000"):
        assert [entry.id for entry in read_entries("phonopy", data, Selection(ids=(wanted,)))] == ["entry-1000"]
    (data / "entry-1000.yaml").write_text(text, encoding="utf-8")
    outcomes = list(read_entries("phonopy", data, Selection()))
    assert {outcome.file for outcome in outcomes if isinstance(outcome, Problem)} == {"1000.yaml", "entry-1000.yaml"}
    assert len(outcomes) == len(IDS) + 1


def test_nothing_of_one_entry_stops_the_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    data.mkdir()
    text = str(as_phonopy(demo("Si-diamond")).to_phonopy_yaml(settings={"force_sets": True}))
    for functional in ("1e5", "true", "[1, 2]", "PBE"):
        notes = f"softmode:\n  functional: {functional}\n"
        (data / f"f-{functional}.yaml").write_text(notes + text, encoding="utf-8")
    (data / "quoted.yaml").write_text("softmode: {functional: '1e5'}\n" + text, encoding="utf-8")
    # a folder whose name is no text
    strange = data / "b\udcff" / "Si"
    strange.mkdir(parents=True)
    (strange / "phonopy_params.yaml").write_text(text, encoding="utf-8")
    assert written(read_entries("phonopy", data, Selection()), tmp_path) == (2, 4)
    # what the database itself refuses
    index, records = "softmode.reference.dataset.describe", "softmode.reference.dataset._to_record"
    monkeypatch.setattr(records, lambda entry, description: (_ for _ in ()).throw(ValueError("no such thing")))
    with pytest.raises(InputError, match=r"not one entry could be read:\n.*softmode failed with ValueError: no such"):
        written(read_entries("phonopy", data, Selection()), tmp_path)
    monkeypatch.setattr(index, lambda entry: 1 / 0)
    with pytest.raises(InputError, match="softmode failed with ZeroDivisionError"):
        written(read_entries("phonopy", data, Selection()), tmp_path)


@pytest.mark.parametrize(
    ("path", "id"),
    [
        ("mp-1000.yaml.bz2", "mp-1000"),
        ("mp-99/phonopy_params.yaml.xz", "mp-99"),
        ("mp-99/vasp/phonopy/phonopy.yaml", "mp-99"),
        ("x.y.yaml", "x.y"),
        ("Si_phonopy_params.yaml", "Si"),
        ("phonopy_disp.yaml", "set"),
        ("phonopy/phonopy_disp.yaml", "phonopy"),
    ],
)
def test_id_is_the_name_of_file_or_folder(path: str, id: str) -> None:
    assert phonopy_folder.entry_id(Path("set") / path, Path("set")) == id
