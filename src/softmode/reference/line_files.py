"""Files of forces along lines: a crystal at rest and displaced, as `softmode line-forces` writes them."""

from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.io import read as read_frames

from softmode.errors import EntryError
from softmode.reference.cells import EXACT, find_primitive_matrix, symmetry_dataset
from softmode.reference.entry import Entry, ForceSet

# Files of one entry: of a cell as large as one likes, and of the primitive cell, which may be missing.
CELL, PRIMITIVE = "cell.extxyz", "primitive.extxyz"
# Largest displacement in Å: more is another structure, or atoms that were moved into the cell.
_LARGEST_A = 1.0
# Length in Å below which nothing is displaced, and positions are the same: files have eight decimals or more.
_SAME_A = 1e-5
# Amplitudes that are one, relative to it.
_SAME_AMPLITUDE = 1e-3


def read(folder: Path) -> Entry:
    """Return the entry in a folder with the two files.

    Its unit cell is the crystal at rest of `cell.extxyz`, and its force set the frames there with the smallest
    displacements, of which harmonic phonons are made. All frames are in `lines`.

    Raises:
        EntryError: (kind `bad_entry`) a frame has no forces, or is not of the same crystal.
    """
    rest, of_cell = read_lines(folder / CELL)
    # neither the forces of the file nor what it says of its frames belong to the crystal
    unit_cell = Atoms(rest.numbers, cell=rest.cell, positions=rest.positions, pbc=True)
    lines = {"cell": of_cell}
    if (folder / PRIMITIVE).is_file():
        lines["gamma"] = _of_primitive_cell(unit_cell, *read_lines(folder / PRIMITIVE))
    entry = Entry(
        id=folder.name,
        unit_cell=unit_cell,
        supercell_matrix=np.eye(3, dtype=int),
        primitive_matrix=find_primitive_matrix(unit_cell, np.eye(3), EXACT),
        source=CELL,
        force_set=_shortest(of_cell),
        functional=_functional(rest),
        lines=lines,
    )
    entry.check()
    return entry


def read_lines(path: Path) -> tuple[Atoms, ForceSet]:
    """Return the crystal at rest, and displacements and forces of all frames, from a file of frames that ASE reads.

    Each frame has forces (eV/Å). The crystal at rest is the frame whose `amplitude_A` is 0, as `softmode line-forces`
    writes it, or the first frame. Atoms are in one order, and no frame's cell is deformed.

    Raises:
        EntryError: (kind `bad_entry`) no such file, a frame without forces or of another cell or other atoms.
    """
    frames = _frames(path)
    rest = next((frame for frame in frames if frame.info.get("amplitude_A") == 0), frames[0])
    displaced, forces = [], []
    for number, frame in enumerate(frames, 1):
        where = f"{path.name}: frame {number}"
        if not np.array_equal(frame.numbers, rest.numbers) or not np.allclose(frame.cell.array, rest.cell.array):
            raise EntryError("bad_entry", f"{where} has other atoms, or another cell, than the crystal at rest")
        by = frame.positions - rest.positions
        if np.abs(by).max() > _LARGEST_A:
            raise EntryError(
                "bad_entry",
                f"{where} is displaced by {np.abs(by).max():.3g} Å; are its atoms in another order, or moved into the "
                "cell?",
            )
        if frame.calc is None or "forces" not in frame.calc.results:
            raise EntryError("bad_entry", f"{where} has no forces")
        displaced.append(by)
        forces.append(frame.get_forces())
    return rest, ForceSet(None, np.array(displaced), np.array(forces))


def _frames(path: Path) -> list[Atoms]:
    if not path.is_file():
        raise EntryError("bad_entry", f"{path}: no such file")
    try:
        frames = read_frames(path, index=":")
    except Exception as error:  # ASE's readers raise anything
        raise EntryError("bad_entry", f"{path.name}: not a file of structures that ASE reads: {error}") from error
    if len(frames) < 2:
        raise EntryError("bad_entry", f"{path.name}: {len(frames)} frames, and nothing is displaced")
    return list(frames)


def _of_primitive_cell(unit_cell: Atoms, rest: Atoms, found: ForceSet) -> ForceSet:
    """Return forces of a primitive cell with its atoms in the order in which they are first in the unit cell.

    At Γ all cells are displaced alike, so that which lattice vectors it has does not matter.

    Raises:
        EntryError: (kind `bad_entry`) it is not a primitive cell of that crystal, of the same lattice constants and
            orientation.
    """
    symmetry = symmetry_dataset(unit_cell, EXACT)
    if symmetry is None:
        raise EntryError("bad_entry", f"{CELL}: spglib finds no symmetry within {EXACT} Å")
    _, first = np.unique(symmetry.mapping_to_primitive, return_index=True)
    multiples = unit_cell.cell.array @ np.linalg.inv(rest.cell.array)
    whole = np.abs(multiples - np.rint(multiples)).max() < _SAME_A
    if len(rest) != len(first) or not whole:
        raise EntryError(
            "bad_entry",
            f"{PRIMITIVE} has {len(rest)} atoms, and is not a primitive cell of {len(first)} atoms of the crystal in "
            f"{CELL}; it needs the same lattice constants, in the same orientation",
        )
    order = _order_of(unit_cell[first], rest)
    if order is None:
        raise EntryError("bad_entry", f"{PRIMITIVE} has atoms elsewhere than {CELL}")
    return found.reordered(order)


def _order_of(wanted: Atoms, rest: Atoms) -> np.ndarray | None:
    """Return which atom of a primitive cell is each of those that are wanted; None where some are elsewhere.

    The cells may be shifted against each other. Only one shift fits, as a primitive cell has no translations.
    """
    inverse = np.linalg.inv(rest.cell.array)
    for start in range(len(rest)):
        shift = wanted.positions[0] - rest.positions[start]
        apart = wanted.positions[:, None] - (rest.positions + shift)
        fractional = apart @ inverse
        apart = (fractional - np.rint(fractional)) @ rest.cell.array
        same = (np.linalg.norm(apart, axis=2) < 2 * _SAME_A) & (wanted.numbers[:, None] == rest.numbers)
        if (same.sum(axis=1) == 1).all():
            order: np.ndarray = same.argmax(axis=1)
            return order
    return None


def _shortest(found: ForceSet) -> ForceSet:
    lengths = np.linalg.norm(found.displacements, axis=2).max(axis=1)
    displaced = lengths > _SAME_A
    if not displaced.any():
        raise EntryError("bad_entry", f"{CELL}: nothing is displaced in its {len(lengths)} frames")
    chosen = displaced & (lengths < lengths[displaced].min() * (1 + _SAME_AMPLITUDE))
    return ForceSet(None, found.displacements[chosen], found.forces[chosen])


def _functional(rest: Atoms) -> str:
    """Return the functional in the provenance that `softmode line-forces` writes; empty where there is none."""
    known: Any = rest.info.get("softmode")
    for key in ("depends_on", "potential", "functional"):
        known = known.get(key) if isinstance(known, dict) else None
    return str(known or "")
