"""The Kyoto phonon database of 2018 (now MDR), as archives: a clone of github WMD-group/phononDB.

Each `*.tar.lzma` holds POSCAR-unitcell, phonopy.conf (DIM, sometimes PRIMITIVE_AXIS), FORCE_SETS and disp.yaml.
VASP, PBEsol, displacements of 0.01 Å, CC BY 4.0.
"""

import difflib
import io
import re
import tarfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io.vasp import read_vasp
from phonopy.structure.cells import Supercell

from softmode.errors import EntryError
from softmode.reference.cells import check_lattice, integers, order_of_atoms
from softmode.reference.compressed import LARGEST_TEXT, read_content
from softmode.reference.displacements import check_displacements
from softmode.reference.entry import LARGEST_SUPERCELL, Entry, ForceSet
from softmode.yaml_files import parse_yaml

SUFFIXES = (".tar.lzma", ".tar.xz")
FUNCTIONAL = "PBEsol"

# disp.yaml says which atoms the forces belong to
_NEEDED = ("POSCAR-unitcell", "phonopy.conf", "FORCE_SETS", "disp.yaml")
# of phonopy.conf; what is only almost one of them is damaged
_SETTINGS = ("DIM", "PRIMITIVE_AXIS", "PRIMITIVE_AXES")
# in Å; the two lists of displacements are equal to the last digit in each of 3,944 archives (largest difference 0), so
# that this is room for another program that writes fewer digits than phonopy's sixteen
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
    unit_cell = _parse_poscar(members["POSCAR-unitcell"])
    supercell_matrix, primitive_matrix = parse_phonopy_conf(members["phonopy.conf"])
    force_set = _parse_force_sets(members["FORCE_SETS"])
    entry = Entry(
        id=entry_id(path),
        unit_cell=unit_cell,
        supercell_matrix=supercell_matrix,
        primitive_matrix=primitive_matrix,
        source=path.name,
        force_set=force_set,
        functional=FUNCTIONAL,
    )
    supercell = entry.check()
    entry = _in_phonopy_order(entry, supercell, members["disp.yaml"])
    check_displacements(entry, supercell)
    return entry


def _read_members(path: Path) -> dict[str, str]:
    texts: dict[str, str] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(read_content(path)), mode="r:") as archive:
            for member in archive:
                name = member.name.rsplit("/", 1)[-1]
                if name in _NEEDED:
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


def parse_phonopy_conf(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Return supercell matrix (integer) and primitive matrix, each of shape (3, 3), of a phonopy.conf.

    Raises:
        EntryError: DIM is missing or a line cannot be understood.
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
    try:
        dimensions = [int(value) for value in settings["DIM"]]
        axes = settings.get("PRIMITIVE_AXIS") or settings.get("PRIMITIVE_AXES")
        primitive_matrix = np.array([float(Fraction(value)) for value in axes]).reshape(3, 3) if axes else np.eye(3)
        supercell_matrix = np.diag(dimensions) if len(dimensions) == 3 else np.array(dimensions).reshape(3, 3)
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise EntryError("bad_entry", f"phonopy.conf: {error}") from error
    return integers(supercell_matrix, "phonopy.conf: DIM"), primitive_matrix


def _parse_force_sets(text: str) -> ForceSet:
    """Return the data of a FORCE_SETS of displacements of single atoms.

    Its first two numbers say what follows; phonopy's own parser passes over what is left, and does not miss it.
    """
    lines = (line.split() for line in text.splitlines() if line.strip())

    def numbers(what: str, count: int, kind: type = float) -> list[float]:
        values = next(lines, None)
        if values is None:
            raise EntryError("bad_entry", f"FORCE_SETS ends where {what} should be; it is truncated, fetch it again")
        try:
            if len(values) != count:
                raise ValueError(f"{len(values)} values instead of {count}")
            return [kind(value) for value in values]
        except ValueError as error:
            raise EntryError("bad_entry", f"FORCE_SETS, {what}: {error}; fetch it again") from error

    (n_atoms,) = numbers("the number of atoms", 1, int)
    (n_displacements,) = numbers("the number of displacements", 1, int)
    atoms, displacements, forces = [], [], []
    for displacement in range(1, int(n_displacements) + 1):
        where = f"displacement {displacement}"
        atoms.append(int(numbers(f"the atom of {where}", 1, int)[0]) - 1)
        displacements.append(numbers(where, 3))
        forces.append([numbers(f"the force on atom {atom + 1} in {where}", 3) for atom in range(int(n_atoms))])
    rest = next(lines, None)
    if rest is not None:
        raise EntryError("bad_entry", f"FORCE_SETS goes on with '{' '.join(rest)[:40]}' after the last displacement")
    return ForceSet(np.array(atoms, dtype=int), np.array(displacements).reshape(-1, 3), np.array(forces))


def _in_phonopy_order(entry: Entry, supercell: Supercell, text: str) -> Entry:
    """Return the entry with its forces in the order of the supercell that phonopy builds now.

    disp.yaml lists the supercell that was computed; its displacements must be those of FORCE_SETS.
    """
    assert entry.force_set is not None
    try:
        document = parse_yaml(text)
        # phonopy has changed the names over the years
        atoms = document.get("atoms") or document["points"]
        symbols = [str(atom["symbol"]) for atom in atoms]
        positions = np.array([atom.get("position") or atom["coordinates"] for atom in atoms], dtype=float)
        displacements = np.array([row["displacement"] for row in document["displacements"]], dtype=float)
        displaced = [int(row["atom"]) - 1 for row in document["displacements"]]
        lattice = document["lattice"]
    except Exception as error:  # whatever the text leads the parser to
        raise EntryError(
            "bad_entry", f"disp.yaml cannot be parsed: {type(error).__name__}: {error}; fetch it again"
        ) from error
    check_lattice(supercell.cell, lattice, "supercell of disp.yaml")
    if (
        displaced != entry.force_set.atoms.tolist()
        or displacements.shape != entry.force_set.displacements.shape
        or not np.abs(displacements - entry.force_set.displacements).max() <= _DISPLACEMENT_TOLERANCE
    ):
        raise EntryError("bad_entry", "FORCE_SETS and disp.yaml list different displacements")
    return replace(entry, force_set=entry.force_set.reordered(order_of_atoms(supercell, symbols, positions)))
