"""The Kyoto phonon database of 2018 (now MDR), as archives: a clone of github WMD-group/phononDB.

Each `*.tar.lzma` holds POSCAR-unitcell, phonopy.conf (DIM, sometimes PRIMITIVE_AXIS), FORCE_SETS and disp.yaml.
VASP, PBEsol, displacements of 0.01 Å, CC BY 4.0.
"""

import io
import re
import tarfile
import tempfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import yaml
from ase.io.vasp import read_vasp
from phonopy.file_IO import parse_FORCE_SETS

from softmode.errors import EntryError
from softmode.reference.cells import build_cells, order_of_atoms
from softmode.reference.entry import Entry, ForceSet

SUFFIXES = (".tar.lzma", ".tar.xz")
FUNCTIONAL = "PBEsol"

_NEEDED = ("POSCAR-unitcell", "phonopy.conf", "FORCE_SETS")
_OPTIONAL = ("disp.yaml",)
# the largest FORCE_SETS of the database has 6 MB
_LARGEST_MEMBER = 200_000_000
# in Å
_DISPLACEMENT_TOLERANCE = 1e-4


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
    try:
        unit_cell = read_vasp(io.StringIO(members["POSCAR-unitcell"]))
        supercell_matrix, primitive_matrix = parse_phonopy_conf(members["phonopy.conf"])
        force_set = _parse_force_sets(members["FORCE_SETS"])
    except EntryError:
        raise
    except Exception as error:  # the parsers raise many kinds on damaged text
        raise EntryError("bad_entry", f"cannot be parsed: {type(error).__name__}: {error}") from error
    entry = Entry(
        id=entry_id(path),
        unit_cell=unit_cell,
        supercell_matrix=supercell_matrix,
        primitive_matrix=primitive_matrix,
        source=path.name,
        force_set=force_set,
        functional=FUNCTIONAL,
    )
    entry.check()
    return _in_phonopy_order(entry, members["disp.yaml"]) if "disp.yaml" in members else entry


def _read_members(path: Path) -> dict[str, str]:
    texts: dict[str, str] = {}
    try:
        with tarfile.open(path, "r:xz") as archive:
            for member in archive:
                name = member.name.rsplit("/", 1)[-1]
                if name not in _NEEDED + _OPTIONAL or not member.isfile():
                    continue
                if member.size > _LARGEST_MEMBER:
                    raise EntryError("bad_entry", f"{name} has {member.size} bytes, more than any real entry")
                content = archive.extractfile(member)
                if content is not None:
                    texts[name] = content.read().decode("utf-8")
    except EntryError:
        raise
    except Exception as error:  # tarfile, lzma and decoding each raise their own
        raise EntryError("bad_entry", f"the archive is damaged ({error}); fetch it again") from error
    return texts


def parse_phonopy_conf(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Return supercell matrix (integer) and primitive matrix, each of shape (3, 3), of a phonopy.conf.

    Raises:
        EntryError: DIM is missing or a line cannot be understood.
    """
    settings = {}
    for line in text.splitlines():
        key, separator, value = line.partition("#")[0].partition("=")
        if separator:
            settings[key.strip().upper()] = value.split()
    if "DIM" not in settings:
        raise EntryError("bad_entry", "phonopy.conf has no DIM")
    try:
        dimensions = [int(value) for value in settings["DIM"]]
        axes = settings.get("PRIMITIVE_AXIS") or settings.get("PRIMITIVE_AXES")
        primitive_matrix = np.array([float(Fraction(value)) for value in axes]).reshape(3, 3) if axes else np.eye(3)
        supercell_matrix = np.diag(dimensions) if len(dimensions) == 3 else np.array(dimensions).reshape(3, 3)
    except (ValueError, ZeroDivisionError) as error:
        raise EntryError("bad_entry", f"phonopy.conf: {error}") from error
    return supercell_matrix, primitive_matrix


def _parse_force_sets(text: str) -> ForceSet:
    with tempfile.NamedTemporaryFile("w", suffix="-FORCE_SETS") as file:  # phonopy reads only files
        file.write(text)
        file.flush()
        dataset = parse_FORCE_SETS(filename=file.name)
    if not dataset or "first_atoms" not in dataset:
        raise EntryError("bad_entry", "FORCE_SETS holds no displacements of single atoms")
    return ForceSet.from_phonopy(dataset)


def _in_phonopy_order(entry: Entry, text: str) -> Entry:
    """Return the entry with its forces in the order of the supercell that phonopy builds now.

    disp.yaml lists the supercell that was computed; its displacements must be those of FORCE_SETS.
    """
    assert entry.force_set is not None
    try:
        document = yaml.load(text, Loader=yaml.CSafeLoader)
        # phonopy has changed the names over the years
        atoms = document.get("atoms") or document["points"]
        symbols = [atom["symbol"] for atom in atoms]
        positions = np.array([atom.get("position") or atom["coordinates"] for atom in atoms], dtype=float)
        displacements = np.array([row["displacement"] for row in document["displacements"]], dtype=float)
        displaced = [int(row["atom"]) - 1 for row in document["displacements"]]
    except Exception as error:  # whatever the text leads the parser to
        raise EntryError("bad_entry", f"disp.yaml cannot be parsed: {type(error).__name__}: {error}") from error
    if (
        displaced != entry.force_set.atoms.tolist()
        or displacements.shape != entry.force_set.displacements.shape
        or np.abs(displacements - entry.force_set.displacements).max() > _DISPLACEMENT_TOLERANCE
    ):
        raise EntryError("bad_entry", "FORCE_SETS and disp.yaml list different displacements")
    supercell, _ = build_cells(entry.unit_cell, entry.supercell_matrix, entry.primitive_matrix)
    return replace(entry, force_set=entry.force_set.reordered(order_of_atoms(supercell, symbols, positions)))
