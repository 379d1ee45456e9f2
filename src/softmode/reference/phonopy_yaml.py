"""Phonopy's YAML files, plain, .xz or .bz2.

The Alexandria phonon benchmark has one `<mp-id>.yaml.bz2` for each entry (its force constants, some 95 % of the text,
are passed over); MDR downloads are `phonopy_params.yaml.xz`; the embedded reference is written by `write`.
"""

import bz2
import lzma
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
import yaml
from phonopy.interface.phonopy_yaml import PhonopyYamlLoader

from softmode.errors import EntryError
from softmode.reference.cells import build_cells, make_phonopy, order_of_atoms, to_ase
from softmode.reference.entry import Entry, ForceSet

SUFFIXES = (".yaml", ".yaml.xz", ".yaml.bz2")

_WANTED = {"phonopy", "physical_unit", "primitive_matrix", "supercell_matrix", "unit_cell", "supercell"}
_WANTED |= {"displacements", "energy", "softmode"}
_OPENERS: dict[str, Callable[..., IO[str]]] = {".xz": lzma.open, ".bz2": bz2.open}


def entry_id(path: Path) -> str:
    """Return the file's name without suffixes; of a file called phonopy_params, that of its folder."""
    name = path.name.split(".yaml")[0]
    return path.parent.name if name in ("phonopy_params", "phonopy", "phonopy_disp") else name


def read(path: Path) -> Entry:
    """Read one file.

    Raises:
        EntryError: (kind `bad_entry`) the file is damaged, or has no cell, matrices or forces.
    """
    document = _read_document(path)
    notes = document.pop("softmode", {})
    energy = document.pop("energy", None)
    for key in ("unit_cell", "supercell_matrix", "displacements"):
        if key not in document:
            raise EntryError("bad_entry", f"has no '{key}'; is this phonopy's YAML with forces?")
    try:
        data: Any = PhonopyYamlLoader(document).parse().data
        if data.dataset is None or "first_atoms" not in data.dataset:
            raise EntryError("bad_entry", "holds no displacements of single atoms (random displacements are not read)")
        force_set = ForceSet.from_phonopy(data.dataset)
        primitive_matrix = np.eye(3) if data.primitive_matrix is None else np.array(data.primitive_matrix, dtype=float)
        unit_cell = to_ase(data.unitcell)
        supercell_matrix = np.rint(data.supercell_matrix).astype(int)
    except EntryError:
        raise
    except Exception as error:  # the loader raises whatever the text leads it to
        raise EntryError("bad_entry", f"cannot be understood: {type(error).__name__}: {error}") from error
    entry = Entry(
        id=entry_id(path),
        unit_cell=unit_cell,
        supercell_matrix=supercell_matrix,
        primitive_matrix=primitive_matrix,
        source=path.name,
        force_set=force_set,
        energy=float(energy) if energy is not None and np.isfinite(energy) else None,
        functional=str(notes.get("functional", "")),
    )
    entry.check()
    if data.supercell is None:
        return entry
    supercell, _ = build_cells(unit_cell, supercell_matrix, primitive_matrix)
    order = order_of_atoms(supercell, data.supercell.symbols, data.supercell.scaled_positions)
    return replace(entry, force_set=force_set.reordered(order))


def _read_document(path: Path) -> dict[str, Any]:
    opener: Callable[..., IO[str]] = _OPENERS.get(path.suffix, open)
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            document = yaml.load("".join(_wanted_lines(file)), Loader=yaml.CSafeLoader)
    except Exception as error:  # decompressors and parser each raise their own
        raise EntryError("bad_entry", f"the file is damaged ({error}); fetch it again") from error
    if not isinstance(document, dict):
        raise EntryError("bad_entry", "is not phonopy's YAML")
    return document


def _wanted_lines(file: IO[str]) -> Iterator[str]:
    """Yield the lines of the top-level keys that are needed: the force constants would take minutes to parse."""
    wanted = False
    for line in file:
        if line[:1].isalpha():
            wanted = line.split(":")[0] in _WANTED
        if wanted:
            yield line


def write(path: Path, entry: Entry, notes: dict[str, Any]) -> None:
    """Write an entry as phonopy's YAML (.xz), which `phonopy.load` reads, with `notes` under the key `softmode`."""
    assert entry.force_set is not None
    phonopy = make_phonopy(entry.unit_cell, entry.supercell_matrix, entry.primitive_matrix, 1e-5)
    phonopy.dataset = entry.force_set.to_phonopy()
    document = phonopy.to_phonopy_yaml(settings={"force_sets": True, "displacements": True})
    head = {"softmode": notes} | ({} if entry.energy is None else {"energy": entry.energy})
    text = yaml.safe_dump(head, sort_keys=False, allow_unicode=True) + "\n" + str(document)
    partial = path.with_name(path.name + ".partial")
    with lzma.open(partial, "wt", encoding="utf-8", preset=9) as file:
        file.write(text)
    partial.rename(path)
