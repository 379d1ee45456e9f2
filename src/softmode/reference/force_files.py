"""Files of forces and force constants that phonopy and phono3py leave beside a crystal's YAML."""

import io
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from softmode.errors import EntryError
from softmode.reference.compressed import read_content, read_lines
from softmode.reference.entry import LARGEST_SUPERCELL, ForceSet
from softmode.reference.units import force_constants_factor

# Numbers in the force constants of the largest supercell, in full. A damaged header that promises more would take all
# memory.
_LARGEST_SIZE = 9 * LARGEST_SUPERCELL**2


def parse_force_sets(lines: Iterator[str], n_supercell: int | None = None) -> ForceSet:
    """Return the data of a FORCE_SETS, of displacements of single atoms or of all.

    The first two numbers of the former say what follows; phonopy's own parser passes over what is left, and does not
    miss it.

    Args:
        n_supercell: number of supercell atoms, which displacements of all atoms do not say

    Raises:
        EntryError: (kind `bad_entry`) it ends too early or too late, or holds something else.
    """
    rows = (line.split("#")[0].split() for line in lines)
    rows = (row for row in rows if row)
    first = next(rows, [])
    if len(first) == 6:
        return _of_all_atoms(first, rows, n_supercell)

    def numbers(what: str, count: int, kind: type = float) -> list[float]:
        values = next(rows, None)
        if values is None:
            raise EntryError("bad_entry", f"FORCE_SETS ends where {what} should be; it is truncated, fetch it again")
        return _numbers(values, what, count, kind)

    (n_atoms,) = _numbers(first, "the number of atoms", 1, int)
    (n_displacements,) = numbers("the number of displacements", 1, int)
    atoms, displacements, forces = [], [], []
    for displacement in range(1, int(n_displacements) + 1):
        where = f"displacement {displacement}"
        atoms.append(int(numbers(f"the atom of {where}", 1, int)[0]) - 1)
        displacements.append(numbers(where, 3))
        forces.append([numbers(f"the force on atom {atom + 1} in {where}", 3) for atom in range(int(n_atoms))])
    rest = next(rows, None)
    if rest is not None:
        raise EntryError("bad_entry", f"FORCE_SETS goes on with '{' '.join(rest)[:40]}' after the last displacement")
    return ForceSet(np.array(atoms, dtype=int), np.array(displacements).reshape(-1, 3), np.array(forces))


def _numbers(values: list[str], what: str, count: int, kind: type = float) -> list[float]:
    try:
        if len(values) != count:
            raise ValueError(f"{len(values)} values instead of {count}")
        return [kind(value) for value in values]
    except ValueError as error:
        raise EntryError("bad_entry", f"FORCE_SETS, {what}: {error}; fetch it again") from error


def _of_all_atoms(first: list[str], rows: Iterator[list[str]], n_supercell: int | None) -> ForceSet:
    values = np.array([_numbers(row, "displacements and forces", 6) for row in (first, *rows)])
    if n_supercell is None or len(values) % n_supercell:
        raise EntryError(
            "bad_entry", f"FORCE_SETS has {len(values)} lines, no multiple of {n_supercell} supercell atoms"
        )
    values = values.reshape(-1, n_supercell, 6)
    return ForceSet(None, values[:, :, :3], values[:, :, 3:])


def read_forces_of_phono3py(path: Path, displaced: ForceSet, n_supercell: int) -> ForceSet:
    """Return the forces of phono3py's FORCES_FC2, or the harmonic part of its FORCES_FC3.

    Each displaced supercell is a block of lines, behind comments that repeat the displacement. FORCES_FC3 begins with
    the single displacements; pairs of them follow.

    Args:
        displaced: the single displacements, without forces

    Raises:
        EntryError: (kind `bad_entry`) it has other displacements or too few forces.
    """
    rows, comments = [], []
    for line in read_lines(path):
        if line.startswith("#"):
            comments.append(line[1:].split())
        elif line.strip():
            rows.append(line.split())
    try:
        values = np.array(rows, dtype=float).reshape(-1, n_supercell, len(rows[0]))
        repeated = np.array([words for words in comments if len(words) == 4], dtype=float).reshape(-1, 4)
    except (ValueError, IndexError) as error:
        raise EntryError("bad_entry", f"{path.name} is not of {n_supercell} supercell atoms: {error}") from error
    if values.shape[2] == 6:
        return ForceSet(None, values[:, :, :3], values[:, :, 3:])
    n = len(displaced.displacements)
    if displaced.atoms is None and len(values) == n:
        return ForceSet(None, displaced.displacements, values)
    if displaced.atoms is None or len(values) < n or (len(values) > n and path.name.startswith("FORCES_FC2")):
        raise EntryError("bad_entry", f"{path.name} has forces for {len(values)} displacements, not for {n}")
    expected = np.column_stack([displaced.atoms + 1, displaced.displacements])
    if len(repeated) >= n and np.abs(repeated[:n] - expected).max() > 1e-6:
        raise EntryError("bad_entry", f"{path.name} has other displacements than the YAML beside it")
    return ForceSet(displaced.atoms, displaced.displacements, values[:n])


def read_force_constants(path: Path) -> tuple[np.ndarray, np.ndarray | None, float | None]:
    """Read a FORCE_CONSTANTS, or a force_constants.hdf5 or fc2.hdf5.

    Returns:
        the force constants, shape (n, n_supercell, 3, 3), as the file has them; the supercell atoms that the first
        index stands for, counted from 0, or None; and the factor to eV/Å², or None where the file does not say.

    Raises:
        EntryError: (kind `bad_entry`) it is damaged.
    """
    return _read_hdf5(path) if ".hdf5" in path.name.lower() else _read_text(path)


def _read_hdf5(path: Path) -> tuple[np.ndarray, np.ndarray | None, float | None]:
    try:
        with h5py.File(io.BytesIO(read_content(path)), "r") as file:
            name = next(name for name in ("force_constants", "fc2") if name in file)
            atoms = np.array(file["p2s_map"]) if "p2s_map" in file else None
            unit = file["physical_unit"][()].ravel()[0] if "physical_unit" in file else None
            if file[name].size > _LARGEST_SIZE:
                raise EntryError("bad_entry", f"{path.name} says that it has {file[name].size} numbers")
            values = np.array(file[name], dtype=float)
    except (OSError, KeyError, StopIteration, AttributeError) as error:
        raise EntryError("bad_entry", f"{path.name} is damaged, or not phonopy's ({error!r})") from error
    return values, atoms, None if unit is None else force_constants_factor(unit.decode())


def _read_text(path: Path) -> tuple[np.ndarray, np.ndarray | None, float | None]:
    lines = (line.split() for line in read_lines(path) if line.strip())
    try:
        shape = [int(value) for value in next(lines)]
        n_rows, n_columns = shape if len(shape) == 2 else (shape[0], shape[0])
        if 9 * n_rows * n_columns > _LARGEST_SIZE:
            raise ValueError(f"it says that it is of {n_rows} and {n_columns} atoms")
        values = np.empty((n_rows, n_columns, 3, 3))
        atoms = np.full(n_rows, -1)
        for row in range(n_rows):
            for column in range(n_columns):
                pair = [int(value) for value in next(lines)]
                if pair[1] != column + 1 or atoms[row] not in (-1, pair[0] - 1):
                    raise ValueError(f"the pair of atoms {pair[0]} and {pair[1]} is not where it should be")
                atoms[row] = pair[0] - 1
                values[row, column] = [next(lines) for _ in range(3)]
    except (ValueError, StopIteration, IndexError) as error:
        raise EntryError("bad_entry", f"{path.name} is damaged or truncated ({error})") from error
    if next(lines, None) is not None:
        raise EntryError("bad_entry", f"{path.name} goes on after the last pair of atoms")
    return values, atoms, None
