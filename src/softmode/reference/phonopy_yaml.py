"""Phonopy's YAML files, plain, .xz or .bz2.

The Alexandria phonon benchmark has one `<mp-id>.yaml.bz2` for each entry (its force constants, some 95 % of the text,
are passed over); MDR downloads are `phonopy_params.yaml.xz`; the embedded reference is written by `write`.
"""

import lzma
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from phonopy.interface.phonopy_yaml import PhonopyYamlLoader

from softmode.errors import EntryError
from softmode.reference.cells import check_lattice, integers, make_phonopy, order_of_atoms, to_ase
from softmode.reference.compressed import LARGEST_TEXT, read_lines
from softmode.reference.displacements import check_displacements
from softmode.reference.entry import Entry, ForceSet
from softmode.yaml_files import parse_yaml

SUFFIXES = (".yaml", ".yaml.xz", ".yaml.bz2")

_WANTED = {"phonopy", "physical_unit", "primitive_matrix", "supercell_matrix", "unit_cell", "supercell"}
_WANTED |= {"primitive_cell", "displacements", "energy", "softmode"}
_UNITS = {"length": "angstrom", "force": "eV/angstrom"}
# in eV: a cell of a hundred of the heaviest atoms, all electrons counted, has 10⁸
_LARGEST_ENERGY = 1e10


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
    notes = document.pop("softmode", None)
    energy = document.pop("energy", None)
    for key in ("unit_cell", "supercell_matrix", "displacements"):
        if key not in document:
            raise EntryError("bad_entry", f"has no '{key}'; is this phonopy's YAML with forces?")
    _check_units(document)
    try:
        data: Any = PhonopyYamlLoader(document).parse().data
        if data.dataset is None or "first_atoms" not in data.dataset:
            raise EntryError("bad_entry", "holds no displacements of single atoms (random displacements are not read)")
        force_set = ForceSet.from_phonopy(data.dataset)
        primitive_matrix = np.eye(3) if data.primitive_matrix is None else np.array(data.primitive_matrix, dtype=float)
        unit_cell = to_ase(data.unitcell)
        supercell_matrix = integers(document["supercell_matrix"], "supercell_matrix")
    except EntryError:
        raise
    except Exception as error:  # the loader raises whatever the text leads it to
        raise EntryError(
            "bad_entry", f"cannot be understood: {type(error).__name__}: {error}; fetch it again"
        ) from error
    entry = Entry(
        id=entry_id(path),
        unit_cell=unit_cell,
        supercell_matrix=supercell_matrix,
        primitive_matrix=primitive_matrix,
        source=path.name,
        force_set=force_set,
        energy=_energy(energy),
        functional=str(notes.get("functional", "")) if isinstance(notes, dict) else "",
    )
    supercell = entry.check()
    listed = document.get("primitive_cell")
    if isinstance(listed, dict):
        check_lattice(primitive_matrix.T @ unit_cell.cell.array, listed.get("lattice"), "primitive cell")
    if data.supercell is not None:
        check_lattice(supercell.cell, data.supercell.cell, "supercell")
        order = order_of_atoms(supercell, data.supercell.symbols, data.supercell.scaled_positions)
        entry = replace(entry, force_set=force_set.reordered(order))
    check_displacements(entry, supercell)
    return entry


def _check_units(document: dict[str, Any]) -> None:
    """Raise EntryError (kind `bad_entry`) where a code other than VASP and the like left its own units."""
    units = document.get("physical_unit")
    for quantity, unit in _UNITS.items():
        if isinstance(units, dict) and units.get(quantity, unit) not in (unit, unit.replace("angstrom", "Angstrom")):
            raise EntryError(
                "bad_entry", f"physical_unit: {quantity} is in {units[quantity]!r:.40}, not {unit}; convert it"
            )


def _energy(value: Any) -> float | None:
    """Return an energy in eV; nan, where a code gave none, is none."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > _LARGEST_ENERGY:
        raise EntryError("bad_entry", f"energy: {value!r:.40} is not an energy in eV")
    return None if np.isnan(value) else float(value)


def _read_document(path: Path) -> dict[str, Any]:
    try:
        document = parse_yaml("".join(_wanted_lines(read_lines(path))))
    except EntryError:
        raise
    except Exception as error:  # decompressors and parser each raise their own
        raise EntryError("bad_entry", f"the file is damaged ({error}); fetch it again") from error
    if not isinstance(document, dict):
        raise EntryError("bad_entry", "is not phonopy's YAML")
    return document


def _wanted_lines(lines: Iterator[str]) -> Iterator[str]:
    """Yield the lines of the top-level keys that are needed: the force constants would take minutes to parse."""
    wanted = False
    n_characters = 0
    for line in lines:
        if line[:1].isalpha():
            wanted = line.split(":")[0] in _WANTED
        if wanted:
            n_characters += len(line)
            if n_characters > LARGEST_TEXT:
                raise EntryError("bad_entry", f"has more than {LARGEST_TEXT / 1e6:.0f} MB besides force constants")
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
