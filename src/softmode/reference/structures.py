"""An entry of a plain structure: its primitive cell, and a supercell as long as the settings ask for."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.geometry import minkowski_reduce
from phonopy.structure.cells import get_primitive

from softmode.errors import EntryError
from softmode.reference.cells import conventional_matrix, find_primitive_matrix, to_ase, to_phonopy
from softmode.reference.dimensionality import vacuum_axis
from softmode.reference.entry import Entry
from softmode.reference.files import split_suffix
from softmode.reference.structure_files import read_structures
from softmode.settings.supercell import Supercell

# Tolerance in Å with which the primitive cell of a starting structure is found: files have few digits, and every
# protocol relaxes what comes out with this tolerance into exact symmetry. With a smaller one, such cells would not be
# primitive and their force sets larger.
STARTING_TOLERANCE = 0.01
# Shortest distance in Å of an atom from its own image in a supercell that passes without a warning: twice the reach of
# the interatomic forces of most crystals. With less, a displaced atom feels its images, and nobody is told.
SHORT = 8.0
# Endings, and names, of files that are looked into where a folder is given; one that is named itself is always read.
# What is missing here is passed over, and named in the log.
_ENDINGS = (
    *(".cif", ".mcif", ".mmcif", ".vasp", ".poscar", ".contcar", ".xyz", ".extxyz", ".xsf", ".res", ".cell", ".cssr"),
    *(".traj", ".db", ".json", ".mson", ".gen", ".in", ".struct", ".abi", ".pwi"),
)
_NAMES = ("POSCAR", "CONTCAR", "SPOSCAR", "vasprun.xml", "OUTCAR", "XDATCAR")
# Names that say nothing of the crystal, whose entries are called after the folder. With more, entries of folders that
# hold several such files would clash; with fewer, all folders of a project have one id.
_UNTELLING = {
    "poscar",
    "contcar",
    "sposcar",
    "vasprun",
    "outcar",
    "xdatcar",
    "structure",
    "geometry",
    "relaxed",
    "unitcell",
}
# Relative difference of lengths up to which vectors of the conventional cell are equal by symmetry, and grow together:
# supercells keep the crystal's symmetry, and need the fewest displacements. With less, cells written in few digits
# would lose it.
_EQUAL = 1e-3


def is_known(name: str) -> bool:
    """Return whether a file in a folder is looked into, by its name."""
    stem, ending = split_suffix(name, _ENDINGS)
    return bool(ending) or stem.startswith(_NAMES)


def crystals(file: Path) -> Iterator[tuple[str, Atoms | EntryError]]:
    """Yield id and structure of each crystal in a file, or what is wrong with it.

    The id is the name of the file without its ending, or that of the folder where the file is called `POSCAR` or the
    like, with a number from 1 where there are several crystals in one file.
    """
    stem, _ = split_suffix(file.name, (*_ENDINGS, ".xml"))
    name = file.resolve().parent.name or stem if stem.lower() in _UNTELLING else stem
    found: list[Atoms | EntryError]
    try:
        found = read_structures(file)
    except EntryError as error:
        found = [error]
    except Exception as error:  # ASE raises many kinds
        found = [EntryError("bad_entry", f"cannot be read as a structure: {type(error).__name__}: {error}")]
    for number, atoms in enumerate(found, start=1):
        yield (f"{name}-{number}" if len(found) > 1 else name), atoms


def entry_of(
    atoms: Atoms, supercell: Supercell, id: str, source: str = "", symmetry_tolerance: float = STARTING_TOLERANCE
) -> Entry:
    """Return the entry of a structure without a reference, checked.

    Its unit cell is the primitive one, in the orientation of the structure and with its masses. The supercell consists
    of whole multiples of spglib's conventional cell, in which vectors that are equal by symmetry have one multiple; the
    shortest vector grows first. A conventional cell of more atoms than allowed gives way to the primitive cell. A slab
    keeps its cell as it is written and grows in its plane alone.

    Args:
        atoms: periodic in all directions
        supercell: how long and how large
        id: of the entry
        source: the file that it comes from
        symmetry_tolerance: in Å, within which its primitive cell is found; what differs by less is lost, so where
            nothing is relaxed it must be that of the phonons

    Raises:
        EntryError: (kind `bad_entry`) it is no crystal or slab, or no cell that phonopy takes.
    """
    given = Entry(id, atoms, np.eye(3, dtype=int), np.eye(3), source, symmetry_tolerance=symmetry_tolerance)
    given.check()
    given.check_dimensionality()
    entry = _slab(given, supercell) if given.dimensionality == 2 else _crystal(given, supercell)
    entry.check()
    entry.check_dimensionality()
    return entry


def image_distance(entry: Entry) -> float:
    """Return the shortest distance in Å of an atom from its own image in the entry's supercell."""
    lattice = np.asarray(entry.supercell_matrix).T @ entry.unit_cell.cell.array
    return float(np.linalg.norm(minkowski_reduce(lattice)[0], axis=1).min())


def _crystal(given: Entry, supercell: Supercell) -> Entry:
    to_primitive = find_primitive_matrix(given.unit_cell, given.primitive_matrix, given.symmetry_tolerance)
    to_conventional = conventional_matrix(given.unit_cell, given.symmetry_tolerance)
    if to_conventional is None:
        raise EntryError("bad_entry", "spglib finds no symmetry in it, not even that of a lattice; correct the cell")
    cell = given.unit_cell
    if to_primitive is not given.primitive_matrix:
        cell = to_ase(get_primitive(to_phonopy(cell), to_primitive, symprec=given.symmetry_tolerance))
    conventional = np.linalg.inv(to_primitive) @ to_conventional
    if np.abs(conventional - np.rint(conventional)).max() > _EQUAL:
        raise EntryError("bad_entry", "its conventional cell is not made of primitive cells; correct the positions")
    conventional = np.rint(conventional).astype(int)
    if round(abs(np.linalg.det(conventional))) * len(cell) > supercell.atoms:
        conventional = np.eye(3, dtype=int)
    lengths = np.linalg.norm(conventional.T @ cell.cell.array, axis=1)
    n_atoms = round(abs(np.linalg.det(conventional))) * len(cell)
    matrix = conventional @ np.diag(_multiples(lengths, n_atoms, supercell))
    return replace(given, unit_cell=cell, supercell_matrix=matrix)


def _slab(given: Entry, supercell: Supercell) -> Entry:
    lengths = given.unit_cell.cell.lengths()
    # across the vacuum nothing grows
    lengths[vacuum_axis(given.unit_cell, given.primitive_matrix)] = np.inf
    matrix = np.diag(_multiples(lengths, len(given.unit_cell), supercell))
    to_primitive = find_primitive_matrix(given.unit_cell, given.primitive_matrix, given.symmetry_tolerance)
    if vacuum_axis(given.unit_cell, to_primitive) is None:
        to_primitive = given.primitive_matrix
    return replace(given, supercell_matrix=matrix, primitive_matrix=to_primitive)


def _multiples(lengths: np.ndarray, n_atoms: int, supercell: Supercell) -> np.ndarray:
    """Return how often each vector (lengths in Å) of a cell with so many atoms is repeated."""
    multiples = np.ones(3, dtype=int)
    while True:
        shortest = int((multiples * lengths).argmin())
        grown = multiples + np.isclose(lengths, lengths[shortest], rtol=_EQUAL)
        if multiples[shortest] * lengths[shortest] >= supercell.length_A or n_atoms * grown.prod() > supercell.atoms:
            return multiples
        multiples = grown
