"""Starting structures from a table of prototypes, for those who compute a reference of their own.

A CSV with the columns

- `id`
- `structure`: a crystal structure of `ase.build.bulk` (diamond, zincblende, rocksalt, cesiumchloride, wurtzite, …), one
  of `SPACE_GROUPS`, or a file that ASE reads (POSCAR, CIF, …; seen from the table's folder)
- `formula`: the elements in the order of the sites, such as LiMgP
- `a_A`, `c_A`: starting lattice constants in Å, the second where the structure has one
- `u`: the structure's free coordinate, where it has one
- `supercell`: three or nine integers, multiples of the cell (of a file: as it stands there)

A file gives formula, lattice constants and coordinates itself; those columns are empty then. What a spreadsheet makes
of a CSV is read too: a byte-order mark, semicolons or tabs.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.formula import Formula
from ase.spacegroup import crystal

from softmode.errors import EntryError, InputError
from softmode.reference.entry import Entry, with_primitive_cell
from softmode.reference.structure_files import read_structure
from softmode.reference.structures import STARTING_TOLERANCE

# Structures that ase.build.bulk does not know: number of the space group and sites of the elements, in its standard
# setting; u is the free coordinate. A site that is changed is another crystal under the same name.
SPACE_GROUPS: dict[str, tuple[int, tuple[tuple[float | str, ...], ...]]] = {
    "half-Heusler": (216, ((0, 0, 0), (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))),
    "perovskite": (221, ((0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0))),
    # the ferroelectric distortion of rock salt along (111), in hexagonal axes
    "alpha-GeTe": (160, ((0, 0, 0), (0, 0, "u"))),
}

# Columns without which no line can be read.
_NEEDED = ("id", "structure", "formula", "supercell")


def read(path: Path) -> Iterator[tuple[str, Entry | EntryError]]:
    """Yield `(line, entry)` or, for a line that cannot be used, `(line, error)`.

    Raises:
        InputError: a column is missing.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        first = file.readline()
        file.seek(0)
        reader = csv.DictReader(file, delimiter=max(",;\t", key=first.count))
        missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
        if missing:
            raise InputError(f"{path}: no column {', '.join(missing)}; the first line must name the columns")
        for row in reader:
            source = f"{path.name}:{reader.line_num}"
            try:
                if None in row or None in row.values():  # what the reader makes of too many and too few
                    raise EntryError("bad_entry", "has other columns than the first line names")
                entry = Entry(
                    id=row["id"],
                    unit_cell=_unit_cell(row, path.parent),
                    supercell_matrix=_supercell_matrix(row["supercell"]),
                    primitive_matrix=np.eye(3),
                    source=source,
                    symmetry_tolerance=STARTING_TOLERANCE,
                )
                entry.check()
                yield source, with_primitive_cell(entry)
            except EntryError as error:
                yield source, error
            except Exception as error:  # ASE raises many kinds
                yield source, EntryError("bad_entry", f"cannot be built: {type(error).__name__}: {error}")


def _unit_cell(row: Mapping[str, str], folder: Path) -> Atoms:
    structure = row["structure"]
    if (folder / structure).is_file():
        return read_structure(folder / structure)
    if Path(structure).suffix or "/" in structure:
        raise EntryError("bad_entry", f"there is no file {structure} beside the table")
    parameters = {name: float(row[f"{name}_A"]) for name in ("a", "c") if row.get(f"{name}_A")}
    u = float(row["u"]) if row.get("u") else None
    if structure not in SPACE_GROUPS:
        return bulk(row["formula"], structure, a=parameters.get("a"), c=parameters.get("c"), u=u)
    number, sites = SPACE_GROUPS[structure]
    elements = list(Formula(row["formula"]).count())
    a, c = parameters["a"], parameters.get("c", parameters["a"])
    if len(elements) != len(sites):
        raise EntryError("bad_entry", f"{structure} has {len(sites)} elements, {row['formula']} has {len(elements)}")
    return crystal(
        elements,
        [[u if coordinate == "u" else coordinate for coordinate in site] for site in sites],
        spacegroup=number,
        cellpar=[a, a, c, 90, 90, 120 if 143 <= number <= 194 else 90],
        primitive_cell=True,
    )


def _supercell_matrix(text: str) -> np.ndarray:
    numbers = [int(value) for value in text.split()]
    if len(numbers) not in (3, 9):
        raise EntryError("bad_entry", f"supercell '{text}': three or nine integers are needed")
    return np.diag(numbers) if len(numbers) == 3 else np.array(numbers).reshape(3, 3)
