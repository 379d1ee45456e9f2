import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from ase.db import connect
from ase.io import iread
from ase.units import kB

from softmode.cli import main
from softmode.reference.entry import Entry
from softmode.reference.reading import Selection, read_entries
from softmode.settings.harmonic import Phonons
from softmode.settings.protocol import Protocol
from softmode.stages.snapshots import Draw, export
from softmode.stages.thermal_displacements import reference_displacements


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory, demo_folder: Path) -> Path:
    folder = tmp_path_factory.mktemp("entries")
    names = ["MgO-rocksalt", "GeTe-rocksalt", "SiC-wurtzite"]
    files = ["--output", folder / "entries.db", "--index", folder / "index.csv", "--unreadable", folder / "bad.csv"]
    assert main(["dataset", "--kind", "demo", "--path", str(demo_folder), "--ids", *names, *map(str, files)]) == 0
    return folder / "entries.db"


def test_summary_has_every_entry_those_without_snapshots_too(entries: Path, tmp_path: Path) -> None:
    arguments = ["--entries", str(entries), "--number", "40", "--output", str(tmp_path / "summary.csv")]
    assert main(["snapshots", *arguments]) == 0
    with (tmp_path / "summary.csv").open(encoding="utf-8") as file:
        rows = {row["entry"]: row for row in csv.DictReader(file)}
    assert {name: row["status"] for name, row in rows.items()} == {
        "MgO-rocksalt": "done",
        "GeTe-rocksalt": "failed",
        "SiC-wurtzite": "done",
    }
    assert rows["GeTe-rocksalt"]["failed_kind"] == "imaginary_modes"
    # mean square displacements of MgO at 300 K: 0.0039 Å² along each axis (neutrons: B = 0.31 Å²), a little less in so
    # small a supercell, which lacks the softest modes
    assert 0.045 < float(rows["MgO-rocksalt"]["rms_displacement_A"]) < 0.065
    assert float(rows["MgO-rocksalt"]["temperature_K"]) == 300


def test_exported_frames_are_the_snapshots(
    entries: Path, tmp_path: Path, demo_folder: Path, loew2024: Protocol
) -> None:
    path = tmp_path / "all.extxyz"
    # more than are drawn at a time
    assert main(["export-snapshots", "--entries", str(entries), "--number", "35", "--output", str(path)]) == 0
    frames = list(iread(path, index=":"))
    assert [frame.info["entry"] for frame in frames] == ["MgO-rocksalt"] * 35 + ["SiC-wurtzite"] * 35
    (entry,) = read_entries("demo", demo_folder, Selection(ids=("SiC-wurtzite",)))
    assert isinstance(entry, Entry)
    thermal = reference_displacements(entry, Phonons(**loew2024.section("phonons")))
    expected = thermal.snapshots(300.0, 0, 34, 1)
    last = frames[-1]
    assert last.info["snapshot"] == 34
    assert last.arrays["displacements"] == pytest.approx(expected.displacements[0], abs=1e-7)
    assert last.get_forces() == pytest.approx(expected.forces[0], abs=1e-7)
    # ½ uᵀΦu; of a harmonic crystal each mode but the three of its drift has half of at least kT
    work = [-0.5 * np.sum(frame.arrays["displacements"] * frame.get_forces()) for frame in frames]
    assert [frame.get_potential_energy() for frame in frames] == pytest.approx(work, rel=1e-5)
    assert np.mean(work[35:]) > 0.9 * 0.5 * (3 * len(last) - 3) * kB * 300
    at_rest = last.positions - last.arrays["displacements"]
    assert at_rest == pytest.approx(thermal.supercell.positions, abs=1e-7)


def test_one_part_of_a_split_is_exported(entries: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    split, path = tmp_path / "split.csv", tmp_path / "part.extxyz"
    split.write_text(
        "entry,formula,space_group,part\nSiC-wurtzite,SiC,186,train\nMgO-rocksalt,MgO,225,validation\n",
        encoding="utf-8",
    )
    arguments = ["--entries", str(entries), "--split", str(split), "--number", "2", "--output", str(path)]
    for part, entry in ((["--part", "validation"], "MgO-rocksalt"), ([], "SiC-wurtzite")):
        assert main(["export-snapshots", *arguments, *part]) == 0
        assert [frame.info["entry"] for frame in iread(path, index=":")] == [entry] * 2
    assert main(["export-snapshots", *arguments, "--part", "test"]) == 2
    assert "split.csv: no entry to export" in capsys.readouterr().err


def test_export_holds_no_more_than_some_snapshots(demo_folder: Path, tmp_path: Path, loew2024: Protocol) -> None:
    """Entries are read one after the other, each after the one before is written."""
    settings = Phonons(**loew2024.section("phonons"))
    read: list[str] = []

    def entries() -> Iterator[Entry]:
        for entry in read_entries("demo", demo_folder, Selection(ids=("MgO-rocksalt", "SiC-wurtzite"))):
            assert isinstance(entry, Entry)
            read.append(entry.id)
            yield entry

    path = tmp_path / "all.extxyz"
    seen = [(record.entry, list(read)) for record in export(entries(), settings, Draw(300.0, 2, 0), path)]
    assert seen == [("MgO-rocksalt", ["MgO-rocksalt"]), ("SiC-wurtzite", ["MgO-rocksalt", "SiC-wurtzite"])]


def test_exported_database_has_the_frames_of_the_other_format(entries: Path, tmp_path: Path) -> None:
    pytest.importorskip("ase_db_backends.aselmdb", reason="needs ase-db-backends and lmdb, of envs/test.txt")
    database, frames = tmp_path / "all.aselmdb", tmp_path / "all.extxyz"
    (tmp_path / "all.aselmdb.partial").write_bytes(b"what a process that was killed left")
    for path in (database, frames):
        arguments = ["--entries", str(entries), "--number", "35", "--format", path.suffix[1:], "--output", str(path)]
        assert main(["export-snapshots", *arguments]) == 0
    # and nothing else: no lock, nothing unfinished
    assert {path.name for path in tmp_path.iterdir()} == {"all.aselmdb", "all.extxyz"}
    with connect(database, readonly=True) as rows:
        for row, frame in zip(rows.select(), iread(frames, index=":"), strict=True):
            atoms = row.toatoms()
            assert atoms.get_chemical_formula() == frame.get_chemical_formula() and atoms.pbc.all()
            assert atoms.get_forces() == pytest.approx(frame.get_forces(), abs=1e-7)
            assert atoms.get_potential_energy() == pytest.approx(frame.get_potential_energy(), abs=1e-7)
            assert atoms.positions == pytest.approx(frame.positions, abs=1e-7)
            assert atoms.cell.array == pytest.approx(frame.cell.array, abs=1e-7)
            assert row.data.displacements == pytest.approx(frame.arrays["displacements"], abs=1e-7)
            assert {key: row.data[key] for key in frame.info} == frame.info


def test_database_without_its_package_is_refused(
    entries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ase_db_backends.aselmdb", None)
    arguments = ["--entries", str(entries), "--format", "aselmdb", "--output", str(tmp_path / "all.aselmdb")]
    assert main(["export-snapshots", *arguments]) == 2
    assert "install ase-db-backends and lmdb, or take extxyz" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("wrong", [["--temperature", "-1"], ["--number", "0"], ["--temperature", "nan"]])
def test_impossible_draw_is_refused(
    entries: Path, tmp_path: Path, wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["snapshots", "--entries", str(entries), "--output", str(tmp_path / "x.csv"), *wrong])
    assert wrong[0] in capsys.readouterr().err
    assert np.size(list(tmp_path.iterdir())) == 0
