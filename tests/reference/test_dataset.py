import bz2
import csv
import lzma
import shutil
from pathlib import Path

import pytest

from softmode.engine.records import read_metadata
from softmode.errors import InputError
from softmode.reference.dataset import load_entries, write_dataset
from softmode.reference.entry import Entry
from softmode.reference.index import crystal_system
from softmode.reference.reading import Problem, Selection, read_entries


def ids_of(outcomes) -> list[str]:
    return [outcome.id for outcome in outcomes]


def test_data_set_is_stored_and_read_back_unchanged(demo_folder: Path, tmp_path: Path) -> None:
    entries = list(read_entries("demo", demo_folder, Selection()))
    files = [tmp_path / name for name in ("entries.db", "index.csv", "unreadable.csv")]
    assert write_dataset(iter(entries), *files) == (len(entries), 0)
    again = list(load_entries(files[0]))
    assert [entry.digest() for entry in again] == [entry.digest() for entry in entries]
    rows = list(csv.DictReader(files[1].open(encoding="utf-8")))
    silicon = next(row for row in rows if row["entry"] == "Si-diamond")
    assert (silicon["formula"], silicon["space_group"], silicon["crystal_system"]) == ("Si", "227", "cubic")
    assert (silicon["n_sites"], silicon["n_supercell"], silicon["n_displacements"]) == ("2", "16", "1")
    assert float(silicon["estimated_cost"]) > 16


def test_digest_of_the_data_set_does_not_depend_on_the_order(demo_folder: Path, tmp_path: Path) -> None:
    entries = list(read_entries("demo", demo_folder, Selection()))
    digests = []
    for number, order in enumerate((entries, entries[::-1], entries[1:])):
        files = [tmp_path / str(number) / name for name in ("entries.db", "index.csv", "unreadable.csv")]
        write_dataset(iter(order), *files)
        digests.append(read_metadata(files[0])["dataset_digest"])
    assert digests[0] == digests[1] != digests[2]


def test_selection_by_number_is_a_seeded_draw(kyoto_folder: Path) -> None:
    first = ids_of(read_entries("kyoto", kyoto_folder, Selection(number=5, seed=1)))
    assert first == ids_of(read_entries("kyoto", kyoto_folder, Selection(number=5, seed=1)))
    assert first != ids_of(read_entries("kyoto", kyoto_folder, Selection(number=5, seed=2)))
    assert len(set(first)) == 5


def test_selection_by_size_applies_before_the_number(kyoto_folder: Path) -> None:
    entries = list(read_entries("kyoto", kyoto_folder, Selection(number=5, seed=1, largest_supercell=64)))
    assert len(entries) == 5
    assert max(entry.n_supercell for entry in entries) <= 64


def test_selection_by_ids_keeps_their_order(kyoto_folder: Path) -> None:
    wanted = ("mp-149", "mp-1000", "mp-1265")
    assert ids_of(read_entries("kyoto", kyoto_folder, Selection(ids=wanted))) == list(wanted)


def test_id_that_is_not_there_is_named(demo_folder: Path) -> None:
    with pytest.raises(InputError, match="has no entry mp-0"):
        list(read_entries("demo", demo_folder, Selection(ids=("mp-0",))))


def test_damaged_archive_is_listed_and_the_others_are_read(kyoto_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "entries"
    folder.mkdir()
    good, bad = sorted(kyoto_folder.glob("*.lzma"))[:2]
    shutil.copy(good, folder)
    (folder / bad.name).write_bytes(bad.read_bytes()[:1000])
    outcomes = list(read_entries("kyoto", folder, Selection()))
    files = [tmp_path / name for name in ("entries.db", "index.csv", "unreadable.csv")]
    assert write_dataset(iter(outcomes), *files) == (1, 1)
    assert [type(outcome) for outcome in outcomes] == [Entry, Problem]
    (row,) = csv.DictReader(files[2].open(encoding="utf-8"))
    assert row["file"] == bad.name and "damaged" in row["message"]


def test_data_set_without_one_readable_entry_is_an_error(tmp_path: Path) -> None:
    problem = Problem("mp-1", "mp-1.tar.lzma", "damaged")
    with pytest.raises(InputError, match="not one entry"):
        write_dataset(iter([problem]), tmp_path / "entries.db", tmp_path / "index.csv", tmp_path / "unreadable.csv")
    assert not (tmp_path / "entries.db").exists()


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("kyoto", "nowhere", "no such folder"),
        ("kyoto", ".", r"no file that ends in \.tar or \.tgz, plain or compressed"),
        ("vasp", ".", "no kind"),
    ],
)
def test_folder_that_is_no_data_set_says_what_to_do(tmp_path: Path, kind: str, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        list(read_entries(kind, tmp_path / name, Selection()))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a/mp-1.yaml", "b/mp-1.yaml"),
        ("mp-1.yaml", "mp-1.yaml.bz2"),
        ("mp-1.yaml.xz", "mp-1/phonopy_params.yaml.xz"),
        ("1234.yaml", "entry-1234.yaml"),  # as what the first is stored
    ],
)
def test_same_id_twice_is_refused_with_both_paths_and_the_rest_is_read(
    demo_folder: Path, tmp_path: Path, first: str, second: str
) -> None:
    content = next(demo_folder.rglob("*.yaml.xz")).read_bytes()
    pack = {".xz": bytes, ".bz2": lambda xz: bz2.compress(lzma.decompress(xz)), ".yaml": lzma.decompress}
    for name in (first, second, "other.yaml.xz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(pack[Path(name).suffix](content))
    outcomes = list(read_entries("phonopy", tmp_path, Selection()))
    assert [outcome.id for outcome in outcomes if isinstance(outcome, Entry)] == ["other"]
    problems = {outcome.file: outcome.message for outcome in outcomes if isinstance(outcome, Problem)}
    assert set(problems) == {first, second}
    assert second in problems[first] and first in problems[second]


def test_file_without_a_crystal_does_not_take_an_id_away(demo_folder: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    shutil.copy(next(demo_folder.rglob("*.yaml.xz")), tmp_path / "a" / "mp-1.yaml.xz")
    (tmp_path / "b" / "mp-1.yaml").write_text("settings: of something else\n", encoding="utf-8")
    entry, problem = read_entries("phonopy", tmp_path, Selection())
    assert isinstance(entry, Entry) and entry.id == "mp-1"
    assert isinstance(problem, Problem) and "has no 'unit_cell'" in problem.message


def test_same_id_twice_in_a_table_of_prototypes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "structures.csv"
    rows = ["id,structure,formula,a_A,c_A,u,supercell", *["x,rocksalt,NaCl,5.6,,,2 2 2"] * 2]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    outcomes = list(read_entries("prototypes", path, Selection()))
    assert [outcome.file for outcome in outcomes] == ["structures.csv:2", "structures.csv:3"]
    assert all(isinstance(outcome, Problem) and "rename or remove" in outcome.message for outcome in outcomes)


def test_id_that_looks_like_a_number_can_be_stored(demo_folder: Path, tmp_path: Path) -> None:
    shutil.copy(next(demo_folder.rglob("*.yaml.xz")), tmp_path / "1234.yaml.xz")
    (entry,) = read_entries("phonopy", tmp_path, Selection())
    files = [tmp_path / name for name in ("entries.db", "index.csv", "unreadable.csv")]
    write_dataset(iter([entry]), *files)
    assert [entry.id for entry in load_entries(files[0])] == ["entry-1234"]


@pytest.mark.parametrize(
    ("space_group", "name"),
    [(1, "triclinic"), (2, "triclinic"), (3, "monoclinic"), (16, "orthorhombic"), (75, "tetragonal"),
     (143, "trigonal"), (168, "hexagonal"), (194, "hexagonal"), (195, "cubic"), (230, "cubic")],
)  # fmt: skip
def test_crystal_system_of_space_group(space_group: int, name: str) -> None:
    assert crystal_system(space_group) == name
