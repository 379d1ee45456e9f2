"""The index is read in one way: what is wrong with it names the file and what to do."""

from pathlib import Path

import pytest

from softmode.errors import InputError
from softmode.reference.index_file import read_index
from softmode.reference.sample import COLUMNS


def written(folder: Path, text: str) -> Path:
    path = folder / "index.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_that_are_asked_for_have_their_types_and_all_others_are_texts(tmp_path: Path) -> None:
    path = written(tmp_path, "entry,n_sites,functional\nmp-1,2,PBE\n")
    assert read_index(path, {"n_sites": int}) == [{"entry": "mp-1", "n_sites": 2, "functional": "PBE"}]


def test_index_of_the_kyoto_database_has_the_same_columns(tmp_path: Path) -> None:
    path = written(tmp_path, "mp_id,n_super\nmp-1,64\n")
    assert read_index(path, {"entry": str, "n_supercell": int}) == [{"entry": "mp-1", "n_supercell": 64}]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no column entry, crystal_system, elements, n_supercell"),
        ("entry,elements,n_supercell\nmp-1,Si,8\n", "no column crystal_system"),
        ("entry,crystal_system,elements,n_supercell\nmp-1,cubic,Si,many\n", "invalid literal .*'many'"),
        ("entry,crystal_system,elements,n_supercell\nmp-1,cubic,Si\n", "int"),  # cut short
    ],
)
def test_file_that_is_no_index_is_refused_with_what_to_do(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(InputError, match=rf"index\.csv: not an index of entries: .*{reason}.*'softmode dataset'"):
        read_index(written(tmp_path, text), COLUMNS)


def test_index_that_is_not_there_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"index\.csv: no such file; .*'softmode dataset'"):
        read_index(tmp_path / "index.csv")
