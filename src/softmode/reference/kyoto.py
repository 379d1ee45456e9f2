"""The Kyoto phonon database of 2018 (now MDR), as archives: a clone of github WMD-group/phononDB.

Each archive (`*.tar.lzma`) holds POSCAR-unitcell, phonopy.conf (DIM, sometimes PRIMITIVE_AXIS), FORCE_SETS and
disp.yaml, and half of them BORN. VASP, PBEsol, displacements of 0.01 Å, CC BY 4.0.
"""

import difflib
import io
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from ase.io.vasp import read_vasp
from phonopy.structure.cells import Supercell, get_primitive_matrix

from softmode.errors import EntryError
from softmode.reference.born_charges import of_born_file
from softmode.reference.cells import (
    check_lattice,
    exact_fractions,
    integers,
    order_of_atoms,
    set_masses,
    unusual_masses,
)
from softmode.reference.completeness import TOLERANCES, recorded_tolerance, settle_symmetry
from softmode.reference.compressed import LARGEST_TEXT, read_content
from softmode.reference.entry import LARGEST_SUPERCELL, Entry, with_primitive_cell
from softmode.reference.force_files import parse_force_sets
from softmode.yaml_files import parse_yaml

SUFFIXES = (".tar", ".tgz")
# Functional of the whole database, which its files do not name; it stands in every caption.
FUNCTIONAL = "PBEsol"

# Files of an archive that are read, disp.yaml among them because it says which atoms the forces belong to. Without
# one of them an entry is refused.
_NEEDED = ("POSCAR-unitcell", "phonopy.conf", "FORCE_SETS", "disp.yaml")
# Keys of phonopy.conf that change a result. A line whose key is almost one of them is damaged and refused; one that
# is missing here would be passed over.
_SETTINGS = ("DIM", "PRIMITIVE_AXIS", "PRIMITIVE_AXES", "SYMMETRY_TOLERANCE", "MASS", "MAGMOM")
# Largest difference in Å of the two lists of displacements. They are equal to the last digit in each of 3,944
# archives, so that this is room for another program that writes fewer digits than phonopy's sixteen; with much more,
# forces of another calculation would pass.
_DISPLACEMENT_TOLERANCE = 1e-8


def entry_id(path: Path) -> str:
    """Return the id that an archive's name gives: `materials-id-1000-bate-…` is `mp-1000`."""
    match = re.match(r"materials-id-(\d+)-", path.name)
    return f"mp-{match.group(1)}" if match else path.name.split(".")[0]


def read(path: Path) -> Entry:
    """Read one archive; nothing is unpacked onto the disk.

    Raises:
        EntryError: (kind `bad_entry`) the archive is damaged or incomplete, or its files contradict one another.
    """
    members = _read_members(path)
    missing = [name for name in _NEEDED if name not in members]
    if missing:
        raise EntryError("bad_entry", f"{', '.join(missing)} is missing in the archive; fetch it again")
    return replace(from_texts(members), id=entry_id(path), source=path.name, functional=FUNCTIONAL)


def read_unit_cell(path: Path) -> Atoms:
    """Return the unit cell of one archive, with masses where they are its own; twenty times as fast as all of it.

    Raises:
        EntryError: (kind `bad_entry`) the archive is damaged, or has no cell.
    """
    texts = _read_members(path)
    if "POSCAR-unitcell" not in texts:
        raise EntryError("bad_entry", "POSCAR-unitcell is missing in the archive; fetch it again")
    cell = _parse_poscar(texts["POSCAR-unitcell"])
    if "phonopy.conf" in texts:
        set_masses(cell, parse_phonopy_conf(texts["phonopy.conf"], cell).masses)
    return cell


def from_texts(texts: Mapping[str, str]) -> Entry:
    """Return the entry of the files that phonopy 1 left of a calculation with VASP.

    Args:
        texts: POSCAR-unitcell, FORCE_SETS, disp.yaml, and where they are there phonopy.conf, without which the
            supercell is that of disp.yaml, and BORN

    Raises:
        EntryError: (kind `bad_entry`) they cannot be understood, or contradict one another.
    """
    unit_cell = _parse_poscar(texts["POSCAR-unitcell"])
    listed = _parse_disp_yaml(texts["disp.yaml"])
    if "phonopy.conf" in texts:
        settings = parse_phonopy_conf(texts["phonopy.conf"], unit_cell)
    else:
        settings = Settings(integers(listed.lattice @ np.linalg.inv(unit_cell.cell.array), "the supercell").T)
    set_masses(unit_cell, settings.masses)
    if settings.magnetic_moments is not None:
        unit_cell.set_initial_magnetic_moments(settings.magnetic_moments)
    force_set = parse_force_sets(iter(texts["FORCE_SETS"].splitlines()), len(listed.numbers))
    entry = Entry(
        id="",
        unit_cell=unit_cell,
        supercell_matrix=settings.supercell_matrix,
        primitive_matrix=settings.primitive_matrix,
        source="",
        force_set=force_set,
        symmetry_tolerance=TOLERANCES[-1],
    )
    entry = _in_phonopy_order(entry, entry.check(), listed)
    entry = settle_symmetry(entry, settings.symmetry_tolerance)
    crystal = entry.unit_cell, settings.primitive_matrix, entry.symmetry_tolerance
    return with_primitive_cell(replace(entry, born_charges=of_born_file(texts.get("BORN"), *crystal)))


def _read_members(path: Path) -> dict[str, str]:
    texts: dict[str, str] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(read_content(path)), mode="r:") as archive:
            for member in archive:
                name = member.name.rsplit("/", 1)[-1]
                if name in (*_NEEDED, "BORN"):
                    if name in texts:
                        raise EntryError("bad_entry", f"the archive holds {name} twice; which one is right?")
                    texts[name] = _read_member(archive, member, name)
    except EntryError:
        raise
    except Exception as error:  # tarfile, lzma and decoding each raise their own
        raise EntryError("bad_entry", f"the archive is damaged ({error}); fetch it again") from error
    return texts


def _read_member(archive: tarfile.TarFile, member: tarfile.TarInfo, name: str) -> str:
    if member.name.startswith("/") or ".." in member.name.split("/"):
        raise EntryError("bad_entry", f"the archive holds {member.name!r}, a path out of its folder; fetch it again")
    content = archive.extractfile(member) if member.isfile() else None
    if content is None:
        raise EntryError("bad_entry", f"{name} is not a file in the archive (a link or a device); fetch it again")
    if member.size > LARGEST_TEXT:
        raise EntryError(
            "bad_entry", f"{name} has {member.size / 1e6:.0f} MB, more than any real entry; fetch it again"
        )
    try:
        return content.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise EntryError("bad_entry", f"{name} is not text ({error}), damaged; fetch it again") from error


def _parse_poscar(text: str) -> Atoms:
    # ASE makes room for as many atoms as the text says
    if any(word.isdecimal() and int(word) > LARGEST_SUPERCELL for word in text.split()):
        raise EntryError("bad_entry", f"POSCAR-unitcell has more than {LARGEST_SUPERCELL} atoms; fetch it again")
    try:
        return read_vasp(io.StringIO(text))
    except Exception as error:  # ASE's parser raises many kinds on damaged text
        raise EntryError(
            "bad_entry", f"POSCAR-unitcell cannot be parsed: {type(error).__name__}: {error}; fetch it again"
        ) from error


@dataclass(frozen=True)
class Settings:
    """What a phonopy.conf says of the crystal.

    Attributes:
        supercell_matrix: integer, shape (3, 3)
        primitive_matrix: shape (3, 3)
        symmetry_tolerance: in Å, or None
        masses: in u, of the unit cell's atoms, or None
        magnetic_moments: of the unit cell's atoms, shape (n,) or (n, 3), or None
    """

    supercell_matrix: np.ndarray
    primitive_matrix: np.ndarray = field(default_factory=lambda: np.eye(3))
    symmetry_tolerance: float | None = None
    masses: np.ndarray | None = None
    magnetic_moments: np.ndarray | None = None


def parse_phonopy_conf(text: str, unit_cell: Atoms) -> Settings:
    """Return what a phonopy.conf says of a crystal.

    Raises:
        EntryError: (kind `bad_entry`) DIM is missing or a line cannot be understood.
    """
    settings: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, separator, value = line.partition("#")[0].partition("=")
        key = key.strip().upper()
        if not separator and not key:
            continue
        if not separator or (key not in _SETTINGS and difflib.get_close_matches(key, _SETTINGS, cutoff=0.8)):
            raise EntryError("bad_entry", f"phonopy.conf: '{line.strip()[:60]}' cannot be understood; correct it")
        if key in settings:
            raise EntryError("bad_entry", f"phonopy.conf has {key} twice; which one is right?")
        settings[key] = value.split()
    if "DIM" not in settings:
        raise EntryError("bad_entry", "phonopy.conf has no DIM")
    n_atoms = len(unit_cell)
    try:
        dimensions = [int(value) for value in settings["DIM"]]
        supercell_matrix = np.diag(dimensions) if len(dimensions) == 3 else np.array(dimensions).reshape(3, 3)
        axes = settings.get("PRIMITIVE_AXIS") or settings.get("PRIMITIVE_AXES")
        tolerance = None
        if "SYMMETRY_TOLERANCE" in settings:
            tolerance = recorded_tolerance(" ".join(settings["SYMMETRY_TOLERANCE"]))
        masses = np.array(settings["MASS"], dtype=float).reshape(n_atoms) if "MASS" in settings else None
        moments = np.array(settings["MAGMOM"], dtype=float) if "MAGMOM" in settings else None
        if moments is not None:
            moments = moments.reshape((n_atoms,) if moments.size == n_atoms else (n_atoms, 3))
        return Settings(
            integers(supercell_matrix, "phonopy.conf: DIM"), _primitive_matrix(axes), tolerance, masses, moments
        )
    except EntryError:
        raise
    except (ValueError, ZeroDivisionError, OverflowError, IndexError) as error:
        raise EntryError("bad_entry", f"phonopy.conf: {error}") from error


def _primitive_matrix(axes: list[str] | None) -> np.ndarray:
    """Return the matrix of PRIMITIVE_AXES; `auto` is left to our own search."""
    if not axes or axes[0].lower() == "auto":
        return np.eye(3)
    if len(axes) == 1:
        return np.array(get_primitive_matrix(cast(Any, axes[0].upper())))
    return exact_fractions(np.array([float(Fraction(value)) for value in axes]).reshape(3, 3))


@dataclass(frozen=True)
class _Listed:
    """The supercell and the displacements that disp.yaml lists; lengths in Å."""

    numbers: np.ndarray
    scaled_positions: np.ndarray
    lattice: np.ndarray
    masses: np.ndarray | None
    displaced: list[int]
    displacements: np.ndarray


def _parse_disp_yaml(text: str) -> _Listed:
    try:
        document = parse_yaml(text)
        # phonopy has changed the names over the years
        atoms = document.get("atoms") or document["points"]
        return _Listed(
            numbers=np.array([atomic_numbers[str(atom["symbol"])] for atom in atoms]),
            scaled_positions=np.array([atom.get("position") or atom["coordinates"] for atom in atoms], dtype=float),
            lattice=np.array(document["lattice"], dtype=float).reshape(3, 3),
            masses=np.array([atom["mass"] for atom in atoms], dtype=float) if "mass" in atoms[0] else None,
            displaced=[int(row["atom"]) - 1 for row in document["displacements"]],
            displacements=np.array([row["displacement"] for row in document["displacements"]], dtype=float),
        )
    except Exception as error:  # whatever the text leads the parser to
        raise EntryError(
            "bad_entry", f"disp.yaml cannot be parsed: {type(error).__name__}: {error}; fetch it again"
        ) from error


def _in_phonopy_order(entry: Entry, supercell: Supercell, listed: _Listed) -> Entry:
    """Return the entry with its forces in the order of the supercell that phonopy builds now.

    disp.yaml lists the supercell that was computed; its displacements must be those of FORCE_SETS.
    """
    force_set = entry.force_set
    assert force_set is not None
    check_lattice(supercell.cell, listed.lattice, "supercell of disp.yaml")
    if (
        force_set.atoms is None
        or listed.displaced != force_set.atoms.tolist()
        or listed.displacements.shape != force_set.displacements.shape
        or not np.abs(listed.displacements - force_set.displacements).max() <= _DISPLACEMENT_TOLERANCE
    ):
        raise EntryError("bad_entry", "FORCE_SETS and disp.yaml list different displacements")
    order = order_of_atoms(supercell, listed.numbers, listed.scaled_positions)
    if listed.masses is not None and not entry.unit_cell.has("masses"):
        # phonopy 1 wrote its own table here, which has changed since; another mass than that is the crystal's
        masses = listed.masses[order][supercell.u2s_map]
        if unusual_masses(entry.unit_cell.numbers, masses).any():
            set_masses(entry.unit_cell, masses)
    return replace(entry, force_set=force_set.reordered(order))
