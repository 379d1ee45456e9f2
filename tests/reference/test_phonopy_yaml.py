import bz2
from pathlib import Path

import numpy as np
import phonopy
import pytest

from softmode.errors import EntryError
from softmode.reference import kyoto, phonopy_yaml
from softmode.reference.cells import exact_fractions, make_phonopy
from softmode.reference.entry import Entry
from softmode.settings.harmonic import Phonons
from softmode.settings.protocol import Protocol
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


@pytest.mark.parametrize("digits", [3, 6])
def test_primitive_matrix_of_few_digits_is_the_fractions_it_was_rounded_from(
    alexandria_folder: Path, tmp_path: Path, digits: int
) -> None:
    text = bz2.decompress((alexandria_folder / "mp-1000.yaml.bz2").read_bytes()).decode()
    start, end = text.index("primitive_matrix:"), text.index("space_group:")
    third = f"{2 / 3:.{digits}f}"
    # a primitive vector that is two thirds of one of a tripled cell would be written so; here a half is
    changed = text[:start] + text[start:end].replace("0.5", f"{0.5:.{digits}f}") + text[end:]
    path = tmp_path / "mp-1000.yaml"
    path.write_text(changed, encoding="utf-8")
    assert phonopy_yaml.read(path).n_primitive == 2
    assert exact_fractions([[float(third), 0, 0], [0, 1, 0], [0, 0, 0.2001]])[0, 0] == 2 / 3
    assert exact_fractions([[0.2012, 0, 0]])[0, 0] == 0.2012


def test_reference_of_force_constants_takes_no_tolerance_for_its_images(demo_folder: Path, tmp_path: Path) -> None:
    """A tolerance makes images equally far that are not: entropies of rattled crystals changed by several per cent."""
    entry = phonopy_yaml.read(demo_folder / "SiC-wurtzite.yaml.xz")
    made = make_phonopy(entry.unit_cell, entry.supercell_matrix, entry.primitive_matrix, 1e-5)
    made.dataset = entry.force_set.to_phonopy()
    made.produce_force_constants()
    text = made.to_phonopy_yaml(settings={"force_sets": False, "displacements": False, "force_constants": True})
    path = tmp_path / "SiC.yaml"
    path.write_text(str(text).replace("symmetry_tolerance: 1.00000e-05", "symmetry_tolerance: 5.0e-02"), "utf-8")
    assert "5.0e-02" in path.read_text("utf-8")
    again = phonopy_yaml.read(path)
    assert (again.reference, again.symmetry_tolerance, again.n_primitive) == ("force constants", 1e-5, 4)
