import bz2
from pathlib import Path

import numpy as np
import phonopy
import pytest

from softmode.errors import EntryError
from softmode.protocol import Phonons, Protocol
from softmode.reference import kyoto, phonopy_yaml
from softmode.reference.entry import Entry
from softmode.stages.phonons import compute_phonons, task_of_reference


def thermodynamics_at_300_K(entry: Entry, protocol: Protocol) -> tuple[float, float, float]:
    settings = Phonons(**protocol.section("phonons"))
    (row,) = compute_phonons(iter([task_of_reference(entry)]), "reference", settings)
    assert row["status"] == "done", row
    at = row["temperatures_K"].index(300.0)
    return tuple(
        row[name][at] for name in ("entropy_J_per_K_mol", "free_energy_kJ_per_mol", "heat_capacity_J_per_K_mol")
    )


def test_barium_telluride_is_the_same_through_both_readers_and_as_published(
    kyoto_folder: Path, alexandria_folder: Path, loew2024: Protocol
) -> None:
    archive = thermodynamics_at_300_K(kyoto.read(next(kyoto_folder.glob("materials-id-1000-*"))), loew2024)
    yaml = thermodynamics_at_300_K(phonopy_yaml.read(alexandria_folder / "mp-1000.yaml.bz2"), loew2024)
    assert archive == pytest.approx(yaml, rel=1e-6)
    # as the authors stored them, with another mesh
    assert archive == pytest.approx((104.146, -16.102, 49.304), rel=5e-4)


def test_embedded_entries_can_be_read_by_phonopy_itself(demo_folder: Path) -> None:
    paths = sorted(demo_folder.rglob("*.yaml.xz"))
    assert paths
    for path in paths:
        entry = phonopy_yaml.read(path)
        theirs = phonopy.load(path, produce_fc=False, log_level=0)
        assert theirs.supercell_matrix.tolist() == entry.supercell_matrix.tolist()
        assert np.asarray(theirs.forces) == pytest.approx(entry.force_set.forces)


def test_written_entry_is_read_back_unchanged(demo_folder: Path, tmp_path: Path) -> None:
    entry = phonopy_yaml.read(next(demo_folder.rglob("*.yaml.xz")))
    phonopy_yaml.write(tmp_path / f"{entry.id}.yaml.xz", entry, {"functional": "PBE"})
    again = phonopy_yaml.read(tmp_path / f"{entry.id}.yaml.xz")
    assert again.digest() == entry.digest()
    assert again.energy == entry.energy
    assert again.functional == "PBE"


def test_forces_follow_the_supercell_that_the_file_lists(alexandria_folder: Path, tmp_path: Path) -> None:
    """The same crystal with its supercell listed in another order, forces along, is the same entry."""
    import yaml

    source = alexandria_folder / "mp-1000.yaml.bz2"
    document = phonopy_yaml._read_document(source)
    order = np.random.default_rng(0).permutation(64)
    document["supercell"]["points"] = [document["supercell"]["points"][i] for i in order]
    for row in document["displacements"]:
        row["forces"] = [row["forces"][i] for i in order]
        row["atom"] = int(np.argsort(order)[row["atom"] - 1]) + 1
    shuffled = tmp_path / "mp-1000.yaml"
    shuffled.write_text(yaml.safe_dump(document), encoding="utf-8")
    assert phonopy_yaml.read(shuffled).digest() == phonopy_yaml.read(source).digest()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[: len(text) // 40], "damaged|cannot be understood|has no"),
        (
            lambda text: text.replace("displacements:", "a:").replace("force_constants:", "b:"),
            "neither forces nor force",
        ),
        (lambda text: text.replace("symbol: Ba", "symbol: Xx"), "cannot be understood"),
        (lambda text: text.replace("-0.02879638", ".nan"), "not finite"),
        (lambda text: "just a text", "is not a file of phonopy|damaged"),
        (lambda text: "phonopy: !!python/object/apply:os.system [exit 1]\n", "damaged"),
    ],
)
def test_damaged_file_says_what_is_wrong(alexandria_folder: Path, tmp_path: Path, change, message: str) -> None:
    text = bz2.decompress((alexandria_folder / "mp-1000.yaml.bz2").read_bytes()).decode()
    path = tmp_path / "mp-1000.yaml.bz2"
    path.write_bytes(bz2.compress(change(text).encode()))
    with pytest.raises(EntryError, match=message):
        phonopy_yaml.read(path)


def test_truncated_compressed_file_says_damaged(alexandria_folder: Path, tmp_path: Path) -> None:
    whole = (alexandria_folder / "mp-1000.yaml.bz2").read_bytes()
    path = tmp_path / "mp-1000.yaml.bz2"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EntryError, match=r"the file is damaged.*fetch it again"):
        phonopy_yaml.read(path)
