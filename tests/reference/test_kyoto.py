import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk

from softmode.errors import EntryError
from softmode.reference import kyoto
from softmode.reference.force_files import parse_force_sets

BATE = "materials-id-1000-bate-fm-3m-225.tar.lzma"


def rewritten(source: Path, target: Path, change: dict[str, bytes | None]) -> Path:
    """Write a copy of an archive with some members replaced, or left out where the new content is None."""
    with tarfile.open(source, "r:xz") as old, tarfile.open(target, "w:xz") as new:
        for member in old:
            name = member.name.rsplit("/", 1)[-1]
            content = old.extractfile(member).read() if member.isfile() else None
            if name in change:
                content = change[name]
                if content is None:
                    continue
            member.size = len(content) if content is not None else 0
            new.addfile(member, io.BytesIO(content) if content is not None else None)
    return target


def member(source: Path, name: str) -> bytes:
    with tarfile.open(source, "r:xz") as archive:
        return next(archive.extractfile(item).read() for item in archive if item.name.endswith(name))


def test_entry_has_the_numbers_of_its_files(kyoto_folder: Path) -> None:
    entry = kyoto.read(kyoto_folder / BATE)
    assert entry.id == "mp-1000"
    assert entry.unit_cell.get_chemical_formula() == "Ba4Te4"
    assert entry.unit_cell.cell.lengths() == pytest.approx([6.96967277] * 3)
    assert entry.supercell_matrix.tolist() == np.diag([2, 2, 2]).tolist()
    assert entry.primitive_matrix.tolist() == [[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
    assert entry.force_set.atoms.tolist() == [0, 32]
    assert entry.force_set.forces.shape == (2, 64, 3)
    assert entry.force_set.forces[0, 0, 0] == -0.02879638
    assert entry.functional == "PBEsol"


def test_forces_follow_their_atoms_where_phonopy_now_orders_the_supercell_differently(kyoto_folder: Path) -> None:
    # mp-776016: eight atoms lie at fractional coordinates of -1e-17, which old phonopy wrapped to the other side
    path = next(kyoto_folder.glob("materials-id-776016-*"))
    as_read = kyoto.read(path)
    text = member(path, "FORCE_SETS").decode()
    as_listed = parse_force_sets(iter(text.splitlines()))
    moved = np.abs(as_read.force_set.forces - as_listed.forces).max(axis=(0, 2)) > 0
    assert 0 < moved.sum() < len(moved)
    # the displaced atom is the one that feels the largest force, in every displacement, only if the order is right
    largest = np.linalg.norm(as_read.force_set.forces, axis=2).argmax(axis=1)
    assert largest.tolist() == as_read.force_set.atoms.tolist()


def test_truncated_archive_says_damaged(kyoto_folder: Path, tmp_path: Path) -> None:
    whole = (kyoto_folder / BATE).read_bytes()
    damaged = tmp_path / BATE
    damaged.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EntryError, match=r"archive is damaged.*fetch it again"):
        kyoto.read(damaged)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("FORCE_SETS", None, "FORCE_SETS is missing"),
        ("phonopy.conf", None, "phonopy.conf is missing"),
        ("phonopy.conf", b"PRIMITIVE_AXIS = 1 0 0 0 1 0 0 0 1", "no DIM"),
        ("phonopy.conf", b"DIM = 2 0 two 0 2 0 0 0 2", "phonopy.conf: invalid literal"),
        ("phonopy.conf", b"DIM = 3 0 0 0 2 0 0 0 2", "sets of forces on 64 atoms for"),
        ("phonopy.conf", b"DIM = 0 0 0 0 2 0 0 0 2", "supercell matrix is singular"),
        ("POSCAR-unitcell", b"no structure here", "POSCAR-unitcell cannot be parsed"),
        ("FORCE_SETS", b"64\n2\n\n1\n 0.01 0 0\n nan", "the force on atom 1 in displacement 1: 1 values instead of 3"),
        ("POSCAR-unitcell", "Ta\u0142".encode("latin2"), "POSCAR-unitcell is not text"),
        ("FORCE_SETS", b"64\n2\n\xff\xfe", "FORCE_SETS is not text"),
        (
            "POSCAR-unitcell",
            b"x\n1.0\n5 0 0\n0 5 0\n5 5 0\nBa Te\n1 1\nDirect\n0 0 0\n0.5 0.5 0",
            "has 0 .* for 2 atoms",
        ),
        (
            "POSCAR-unitcell",
            b"x\n1.0\n5 0 0\n0 5 0\n0 0 5\nBa Te\n1 1\nDirect\n0 0 0\n1 0 0",
            "atoms 1 and 2 .* 0 .* apart",
        ),
    ],
)
def test_damaged_member_is_named(
    kyoto_folder: Path, tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    path = rewritten(kyoto_folder / BATE, tmp_path / BATE, {name: content})
    with pytest.raises(EntryError, match=message) as error:
        kyoto.read(path)
    assert error.value.kind == "bad_entry"


def test_forces_that_are_not_numbers_are_refused(kyoto_folder: Path, tmp_path: Path) -> None:
    text = member(kyoto_folder / BATE, "FORCE_SETS").replace(b"-0.0287963800", b"nan          ")
    with pytest.raises(EntryError, match="not finite"):
        kyoto.read(rewritten(kyoto_folder / BATE, tmp_path / BATE, {"FORCE_SETS": text}))


def test_displacement_of_no_length_is_refused(kyoto_folder: Path, tmp_path: Path) -> None:
    text = member(kyoto_folder / BATE, "FORCE_SETS").replace(b"0.0100000000000000", b"0.0000000000000000")
    with pytest.raises(EntryError, match="displacements of 0 to 0"):
        kyoto.read(rewritten(kyoto_folder / BATE, tmp_path / BATE, {"FORCE_SETS": text}))


def test_forces_of_other_displacements_are_refused(kyoto_folder: Path, tmp_path: Path) -> None:
    text = member(kyoto_folder / BATE, "disp.yaml").replace(b"- atom:   33", b"- atom:   34")
    with pytest.raises(EntryError, match="different displacements"):
        kyoto.read(rewritten(kyoto_folder / BATE, tmp_path / BATE, {"disp.yaml": text}))


@pytest.mark.parametrize(("written", "same"), [(b"0.0100000000", True), (b"0.0100001000000000", False)])
def test_displacements_may_differ_by_the_digits_that_are_written_and_no_more(
    kyoto_folder: Path, tmp_path: Path, written: bytes, same: bool
) -> None:
    text = member(kyoto_folder / BATE, "disp.yaml").replace(b"0.0100000000000000", written)
    path = rewritten(kyoto_folder / BATE, tmp_path / BATE, {"disp.yaml": text})
    if same:
        assert kyoto.read(path).digest() == kyoto.read(kyoto_folder / BATE).digest()
    else:
        with pytest.raises(EntryError, match="different displacements"):
            kyoto.read(path)


def test_atom_without_a_symbol_is_refused(kyoto_folder: Path, tmp_path: Path) -> None:
    text = member(kyoto_folder / BATE, "disp.yaml").replace(b"symbol: Ba", b"symbol:", 1)
    with pytest.raises(EntryError, match=r"disp\.yaml cannot be parsed: KeyError"):
        kyoto.read(rewritten(kyoto_folder / BATE, tmp_path / BATE, {"disp.yaml": text}))


def test_supercell_of_another_cell_is_refused(kyoto_folder: Path, tmp_path: Path) -> None:
    text = member(kyoto_folder / BATE, "disp.yaml").replace(b"0.2500000000000000", b"0.2600000000000000")
    with pytest.raises(EntryError, match="not the one that phonopy builds"):
        kyoto.read(rewritten(kyoto_folder / BATE, tmp_path / BATE, {"disp.yaml": text}))


def test_dim_may_have_three_numbers_and_comments() -> None:
    settings = kyoto.parse_phonopy_conf("DIM = 1 2 3 # a comment\n\nMESH = 8 8 8\n", bulk("Si"))
    assert settings.supercell_matrix.tolist() == np.diag([1, 2, 3]).tolist()
    assert settings.primitive_matrix.tolist() == np.eye(3).tolist()


def test_masses_moments_and_tolerance_of_the_conf_are_the_crystals() -> None:
    text = "DIM = 2 2 2\nMASS = 28 30\nMAGMOM = 1 -1\nSYMMETRY_TOLERANCE = 1e-3\nPRIMITIVE_AXES = F\n"
    settings = kyoto.parse_phonopy_conf(text, bulk("Si"))
    assert settings.masses.tolist() == [28, 30] and settings.magnetic_moments.tolist() == [1, -1]
    assert settings.symmetry_tolerance == 1e-3
    assert np.linalg.det(settings.primitive_matrix) == pytest.approx(0.25)


@pytest.mark.parametrize(("mass", "kept"), [(b"140.000000", 140.0), (b"137.400000", None)])
def test_masses_that_the_supercell_lists_are_the_crystals_where_nature_has_no_such(
    kyoto_folder: Path, tmp_path: Path, mass: bytes, kept: float | None
) -> None:
    """phonopy 1 wrote its own table of masses, which has changed a little since."""
    text = member(kyoto_folder / BATE, "disp.yaml").replace(b"137.327000", mass)
    cell = kyoto.read(rewritten(kyoto_folder / BATE, tmp_path / BATE, {"disp.yaml": text})).unit_cell
    assert mass in text
    assert (set(cell.get_masses()[cell.symbols == "Ba"]) == {kept}) if kept else not cell.has("masses")


@pytest.mark.parametrize("tolerance", ["0", "-1", "nan", ""])
def test_tolerance_of_the_conf_must_be_a_length(tolerance: str) -> None:
    with pytest.raises(EntryError, match="is no length"):
        kyoto.parse_phonopy_conf(f"DIM = 2 2 2\nSYMMETRY_TOLERANCE = {tolerance}\n", bulk("Si"))


def test_masses_of_another_number_of_atoms_are_refused() -> None:
    with pytest.raises(EntryError, match=r"phonopy\.conf: cannot reshape"):
        kyoto.parse_phonopy_conf("DIM = 2 2 2\nMASS = 28\n", bulk("Si"))
