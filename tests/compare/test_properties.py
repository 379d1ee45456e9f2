from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk

from softmode.compare.properties import collect, phonon_columns
from softmode.engine.parquet import read_table, write_table
from softmode.errors import InputError
from softmode.reference.dataset import write_dataset
from softmode.reference.entry import Entry

VARIANTS = ["paper", "scripts"]
REPORT = {"temperature_K": 300.0, "symmetry_tolerance_A": 1e-3}
METADATA = {
    "phonons_digest": "p", "dataset_digest": "d", "stability_variants": VARIANTS,
    "density_of_states": {}, "origin": {"identity": "i"},
}  # fmt: skip


def shard(path: Path, source: str, entries: list[str], **changes: object) -> Path:
    rows = [
        {
            "entry": entry, "source": source, "status": "done", "n_primitive": 2, "temperatures_K": [0.0, 300.0],
            "free_energy_kJ_per_mol": [1.0, -4.0], "entropy_J_per_K_mol": [0.0, 40.0],
            "heat_capacity_J_per_K_mol": [0.0, 30.0], "stable_paper": True, "stable_scripts": False,
        }
        for entry in entries
    ]  # fmt: skip
    write_table(path, rows, phonon_columns(VARIANTS), METADATA | {"source": source} | changes)
    return path


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Two crystals of NaCl beside their entries.db, the second with one axis that is longer by 0.004 Å."""
    entries = []
    for name, longer in (("mp-1", 0.0), ("mp-2", 0.004)):
        cell = bulk("NaCl", "rocksalt", a=5.64, cubic=True)
        cell.set_cell(cell.cell.array + np.diag([0.0, 0.0, longer]), scale_atoms=True)
        primitive = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2
        entries.append(Entry(name, cell, np.eye(3, dtype=int), primitive, "made up", functional="PBE"))
    write_dataset(iter(entries), tmp_path / "entries.db", tmp_path / "index.csv", tmp_path / "unreadable.csv")
    return tmp_path / "index.csv"


def test_all_sources_are_put_together_with_what_is_known_of_the_entries(tmp_path: Path, index: Path) -> None:
    shards = [
        shard(tmp_path / f"{s}{i}.parquet", s, [f"mp-{i}"]) for s in ("reference", "chgnet") for i in (1, 2)
    ]  # fmt: skip
    output = tmp_path / "properties.parquet"
    assert collect(shards, index, index.with_name("entries.db"), REPORT, output) == (4, 0)
    table, metadata = read_table(output)
    rows = table.to_pylist()
    assert {(row["entry"], row["source"]) for row in rows} == {
        (e, s) for e in ("mp-1", "mp-2") for s in ("reference", "chgnet")
    }
    assert rows[0]["reported_entropy_J_per_K_mol"] == 40.0
    assert rows[0]["reported_entropy_J_per_K_mol_atoms"] == 20.0
    assert (rows[0]["formula"], rows[0]["space_group"], rows[0]["dimensionality"]) == ("NaCl", 225, 3)
    assert "frequencies_THz" not in table.schema.names
    assert table.schema.field("reported_entropy_J_per_K_mol").metadata[b"unit"] == b"J/K/mol"
    assert metadata["report"] == REPORT and metadata["dataset_digest"] == "d"


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (REPORT, {"mp-1": (225, "cubic"), "mp-2": (139, "tetragonal")}),
        (REPORT | {"symmetry_tolerance_A": 0.01}, {"mp-1": (225, "cubic"), "mp-2": (225, "cubic")}),
        # frozen before the key was there
        ({"temperature_K": 300.0}, {"mp-1": (225, "cubic"), "mp-2": (139, "tetragonal")}),
    ],
)
def test_crystal_system_is_that_of_the_tolerance_of_the_report(
    tmp_path: Path, index: Path, report: dict, expected: dict
) -> None:
    path = shard(tmp_path / "reference.parquet", "reference", ["mp-1", "mp-2"])
    output = tmp_path / "properties.parquet"
    collect([path], index, index.with_name("entries.db"), report, output)
    rows = read_table(output)[0].to_pylist()
    assert {row["entry"]: (row["space_group"], row["crystal_system"]) for row in rows} == expected


def test_index_of_an_earlier_version_says_what_to_do(tmp_path: Path, index: Path) -> None:
    index.write_text(index.read_text(encoding="utf-8").replace("dimensionality", "colour"), encoding="utf-8")
    path = shard(tmp_path / "reference.parquet", "reference", ["mp-1", "mp-2"])
    with pytest.raises(InputError, match=r"no column dimensionality; .* delete it and run the campaign again"):
        collect([path], index, index.with_name("entries.db"), REPORT, tmp_path / "properties.parquet")


def test_missing_entry_is_an_error(tmp_path: Path, index: Path) -> None:
    shards = [
        shard(tmp_path / "a.parquet", "reference", ["mp-1", "mp-2"]),
        shard(tmp_path / "b.parquet", "x", ["mp-2"]),
    ]
    with pytest.raises(InputError, match="no record of x for entry mp-1"):
        collect(shards, index, index.with_name("entries.db"), REPORT, tmp_path / "properties.parquet")
    assert not (tmp_path / "properties.parquet").exists()


def test_entry_twice_is_an_error(tmp_path: Path, index: Path) -> None:
    shards = [shard(tmp_path / f"{name}.parquet", "reference", ["mp-1"]) for name in "ab"]
    with pytest.raises(InputError, match=r"entry mp-1 of reference is in .*a.parquet too"):
        collect(shards, index, index.with_name("entries.db"), REPORT, tmp_path / "properties.parquet")


def test_entry_that_is_not_in_the_data_set_is_an_error(tmp_path: Path, index: Path) -> None:
    shards = [shard(tmp_path / "a.parquet", "reference", ["mp-1", "mp-2", "mp-3"])]
    with pytest.raises(InputError, match="entry mp-3 is not in"):
        collect(shards, index, index.with_name("entries.db"), REPORT, tmp_path / "properties.parquet")


@pytest.mark.parametrize("key", ["phonons_digest", "dataset_digest"])
def test_shards_of_different_protocols_or_data_are_never_mixed(tmp_path: Path, index: Path, key: str) -> None:
    shards = [
        shard(tmp_path / "a.parquet", "reference", ["mp-1"]),
        shard(tmp_path / "b.parquet", "reference", ["mp-2"], **{key: "other"}),
    ]
    with pytest.raises(InputError, match=f"different {key}"):
        collect(shards, index, index.with_name("entries.db"), REPORT, tmp_path / "properties.parquet")
