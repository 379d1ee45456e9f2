"""The force constants of a crystal's YAML: found in its text, and held against its cells."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from phonopy.harmonic.force_constants import compact_fc_to_full_fc

from softmode.errors import EntryError
from softmode.reference.cells import build_cells
from softmode.reference.compressed import LARGEST_TEXT, read_lines
from softmode.reference.entry import Entry

# Largest force constant in eV/Å²; the bond of N2, the stiffest there is, has 140. With a larger bound, numbers in
# another unit would pass.
_LARGEST_FORCE_CONSTANT = 1000.0
# Largest relative difference of force constants that must be equal: Φ(i, j) and the transpose of Φ(j, i), and those
# of atoms a lattice vector apart. Noise leaves a per cent, a wrong order of atoms leaves all: with 1 a wrong order
# would pass.
_LARGEST_ASYMMETRY = 0.2


def without_force_constants(lines: Iterator[str]) -> Iterator[str]:
    """Yield all but the block of the force constants, which would take minutes to parse as YAML."""
    n_characters = 0
    for belongs, line in _marked(lines):
        if belongs:
            continue
        n_characters += len(line)
        if n_characters > LARGEST_TEXT:
            raise EntryError("bad_entry", f"has more than {LARGEST_TEXT / 1e6:.0f} MB besides force constants")
        yield line


def _marked(lines: Iterator[str]) -> Iterator[tuple[bool, str]]:
    """Yield each line with whether it belongs to the block of the force constants."""
    belongs = False
    for line in lines:
        # a new key of the file; lists may stand at its margin
        if not line[:1].isspace() and line[:1] not in ("-", "#"):
            belongs = line.startswith("force_constants:")
        yield belongs, line


def given_force_constants(document: Mapping[str, Any], path: Path) -> np.ndarray | None:
    """Return the force constants in a file, shape (n, n_supercell, 3, 3), in its own units; None where it has none."""
    # in the document are those whose block was not found in the text: its keys are quoted, or it is JSON
    block = document.get("force_constants")
    if block is None:
        return _read_block(path)
    try:
        return np.array(block["elements"], dtype=float).reshape(*block["shape"], 3, 3)
    except (KeyError, TypeError, ValueError) as error:
        raise EntryError("bad_entry", f"its force constants cannot be understood: {error}") from error


def _read_block(path: Path) -> np.ndarray | None:
    """Return the block of force constants, shape (n, n_supercell, 3, 3), in the file's units; None without one."""
    parts: dict[str, list[str]] = {}
    part: list[str] = []
    for belongs, line in _marked(read_lines(path)):
        if not belongs:
            continue
        key = re.match(r"\s+(format|shape|elements):", line)
        if key:
            part = parts.setdefault(key.group(1), [])
        part.append(line[key.end() if key else 0 :].partition("#")[0])
    if not {"shape", "elements"} <= set(parts):
        return None
    number = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
    shape = [int(value) for value in re.findall(r"\d+", "".join(parts["shape"]))]
    values = np.array(re.findall(number, "".join(parts["elements"])), dtype=float)
    if len(shape) != 2 or values.size != 9 * shape[0] * shape[1]:
        raise EntryError("bad_entry", f"has {values.size} numbers in force constants of shape {shape}; it is truncated")
    return values.reshape(*shape, 3, 3)


def for_primitive_cell(
    values: np.ndarray, atoms: np.ndarray | None, entry: Entry, given: np.ndarray, order: np.ndarray
) -> np.ndarray:
    """Return a file's force constants, full or compact, as the compact ones of the entry's primitive cell, in eV/Å².

    Args:
        atoms: the supercell atoms that the first index stands for, where the file says so
        given: the file's own primitive matrix, which compact force constants of its belong to
        order: for each atom of the supercell, its index in the file's

    Raises:
        EntryError: (kind `bad_entry`) they are not those of this crystal.
    """
    n_supercell = entry.n_supercell
    if values.ndim != 4 or values.shape[1:] != (n_supercell, 3, 3) or not np.isfinite(values).all():
        raise EntryError(
            "bad_entry", f"has force constants of shape {values.shape} for a supercell of {n_supercell} atoms"
        )
    if not values.any():
        raise EntryError("bad_entry", "all force constants are zero")
    if np.abs(values).max() > _LARGEST_FORCE_CONSTANT:
        raise EntryError("bad_entry", f"a force constant of {np.abs(values).max():.3g} eV/Å², which no bond has")
    if len(values) != n_supercell:
        values = _expanded(values, atoms, entry, given, order)
    elif atoms is not None and len(atoms) == n_supercell and (atoms != np.arange(n_supercell)).any():
        raise EntryError("bad_entry", "has force constants whose first atoms are not counted from 1 on")
    else:
        values = values[np.ix_(order, order)]
    _, primitive = build_cells(
        entry.unit_cell, entry.supercell_matrix, entry.primitive_matrix, entry.symmetry_tolerance
    )
    compact = np.ascontiguousarray(values[primitive.p2s_map])
    same = {
        "Φ(i, j) and Φ(j, i) differ": values.transpose(1, 0, 3, 2),
        "those of atoms a lattice vector apart differ": compact_fc_to_full_fc(primitive, compact),
    }
    for what, others in same.items():
        difference = np.linalg.norm(values - others) / max(float(np.linalg.norm(values)), 1e-12)
        if difference > _LARGEST_ASYMMETRY:
            raise EntryError(
                "bad_entry",
                f"its force constants are not those of this crystal, or of its atoms in another order: {what} by "
                f"{difference:.0%}",
            )
    return compact


def _expanded(
    values: np.ndarray, atoms: np.ndarray | None, entry: Entry, given: np.ndarray, order: np.ndarray
) -> np.ndarray:
    """Return compact force constants of the file's primitive cell in full."""
    if (order != np.arange(len(order))).any():
        raise EntryError("bad_entry", "has compact force constants of a supercell in another order; write them in full")
    _, primitive = build_cells(entry.unit_cell, entry.supercell_matrix, given, entry.symmetry_tolerance)
    if len(values) != len(primitive) or (atoms is not None and (atoms != primitive.p2s_map).any()):
        raise EntryError(
            "bad_entry",
            f"has force constants of {len(values)} atoms, which are not the {len(primitive)} of its primitive cell",
        )
    return np.asarray(compact_fc_to_full_fc(primitive, np.ascontiguousarray(values)))
