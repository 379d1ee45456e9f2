"""Starting structures from a table of prototypes, for those who compute a reference of their own.

A CSV with the columns `id`, `structure` (a crystal structure of `ase.build.bulk`: diamond, zincblende, rocksalt, …),
`formula`, `a_A` (starting lattice constant in Å) and `supercell` (three integers, multiples of the primitive cell).
"""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ase.build import bulk

from softmode.errors import EntryError
from softmode.reference.entry import Entry


def read(path: Path) -> Iterator[tuple[str, Entry | EntryError]]:
    """Yield `(line, entry)` or, for a line that cannot be used, `(line, error)`."""
    with path.open(newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            source = f"{path.name}:{number}"
            try:
                entry = Entry(
                    id=row["id"],
                    unit_cell=bulk(row["formula"], row["structure"], a=float(row["a_A"])),
                    supercell_matrix=np.diag([int(value) for value in row["supercell"].split()]),
                    primitive_matrix=np.eye(3),
                    source=source,
                )
                entry.check()
                yield source, entry
            except EntryError as error:
                yield source, error
            except Exception as error:  # ase.build.bulk raises many kinds
                yield source, EntryError("bad_entry", f"cannot be built: {type(error).__name__}: {error}")
