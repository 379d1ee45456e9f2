"""Every file in a data set's folder is read, or listed with the reason."""

import codecs
import gzip
import os
from pathlib import Path

import pytest

from softmode.reference.entry import Entry
from softmode.reference.files import list_files, split_suffix
from softmode.reference.reading import Problem, Selection, read_entries
from tests.reference.forms import as_phonopy, demo


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("text") / "phonopy_params.yaml"
    as_phonopy(demo("Si-diamond")).save(path)
    return path.read_text(encoding="utf-8")


def outcomes(folder: Path) -> tuple[list[str], dict[str, str]]:
    """The ids that were read, and the messages of the others by their place."""
    found = list(read_entries("phonopy", folder, Selection()))
    read = [outcome.id for outcome in found if isinstance(outcome, Entry)]
    return sorted(read), {outcome.file: outcome.message for outcome in found if isinstance(outcome, Problem)}


def test_suffixes_of_every_kind_are_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "b.yaml.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "c.yml").write_text(text, encoding="utf-8")
    (tmp_path / "D.YAML.GZ").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "mark.yaml").write_bytes(codecs.BOM_UTF8 + text.encode())
    (tmp_path / "windows.yaml").write_bytes(text.replace("\n", "\r\n").encode())
    (tmp_path / "quoted.yaml").write_text(text.replace("unit_cell:", '"unit_cell":'), encoding="utf-8")
    assert outcomes(tmp_path) == (["D", "a", "b", "c", "mark", "quoted", "windows"], {})


def test_what_is_not_read_is_listed(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    for name in ("z.zip", "t.tar.gz", "x.yaml.zst"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "empty.yml").write_bytes(b"")
    (tmp_path / "wide.yaml").write_bytes(text.encode("utf-16"))
    (tmp_path / "typo.yaml").write_text(text.replace("  lattice", "\tlattice"), encoding="utf-8")
    (tmp_path / "OUTCAR").touch()
    (tmp_path / "FORCE_SETS").touch()
    os.mkfifo(tmp_path / "pipe.yaml")
    read, refused = outcomes(tmp_path)
    assert read == ["a"]
    for name in ("z.zip", "t.tar.gz", "x.yaml.zst"):
        assert refused.pop(name) == "is an archive, which is not looked into; unpack it"
    assert "empty.yml is empty" in refused.pop("empty.yml")
    assert "not in UTF-8" in refused.pop("wide.yaml")
    typo = refused.pop("typo.yaml")
    assert "no YAML that can be read" in typo and "fetch it again" not in typo
    assert not refused
    # what is read with a crystal is not passed over
    assert "passed over: OUTCAR\n" in capsys.readouterr().out


def test_linked_folders_are_entered_and_no_folder_twice(tmp_path: Path, text: str) -> None:
    data = tmp_path / "data"
    for folder in ("real/AlP", "real/deep/MgS", "data/MgO"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "phonopy_params.yaml").write_text(text, encoding="utf-8")
    (data / "AlP").symlink_to("../real/AlP")
    assert outcomes(data) == (["AlP", "MgO"], {})
    (data / "again").symlink_to(tmp_path / "real" / "AlP")
    (data / "broken").symlink_to("nowhere")
    (data / "circle").symlink_to("circle")
    (data / "here").symlink_to(".")
    (data / "inside").symlink_to("MgO")
    (data / "up").symlink_to("..")
    (data / "zz").symlink_to("../real")
    (data / "Si.yaml").symlink_to("../real/AlP/phonopy_params.yaml")
    read, refused = outcomes(data)
    assert read == ["AlP", "MgO", "MgS", "Si"]
    assert sorted(refused) == ["again", "broken", "circle", "here", "inside", "up"]
    assert refused["broken"] == refused["circle"] == "is a link to nothing"
    assert "in which the data set itself is" in refused["up"]
    assert all("read where it is" in refused[name] for name in ("again", "here", "inside"))


def test_folder_that_cannot_be_opened_is_listed(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may open every folder")
    (tmp_path / "closed").mkdir(mode=0)
    assert [path.name for path, _ in list_files(tmp_path).links] == ["closed"]


@pytest.mark.parametrize(
    ("name", "stem", "suffix"),
    [
        ("mp-1.yaml", "mp-1", ".yaml"),
        ("mp-1.YML.BZ2", "mp-1", ".yml"),
        ("x.y.yaml.lzma", "x.y", ".yaml"),
        (".yaml", ".yaml", ""),
        ("mp-1.yaml.zst", "mp-1.yaml.zst", ""),
    ],
)
def test_suffix_says_what_a_file_is(name: str, stem: str, suffix: str) -> None:
    assert split_suffix(name, (".yaml", ".yml")) == (stem, suffix)
