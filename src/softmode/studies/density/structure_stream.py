"""Structures of many files one at a time: a million of them need no more memory than one, and a bad one stops none."""

import io
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TextIO, cast

import numpy as np
from ase import Atoms
from ase.db import connect
from ase.io import read
from ase.io.formats import filetype, open_with_compression

from softmode.errors import EntryError, InputError
from softmode.reference import kyoto
from softmode.reference.files import is_archive, list_files
from softmode.reference.reading import Problem as DatasetProblem
from softmode.reference.reading import Selection, read_entries
from softmode.reference.structure_files import bare_crystal, read_structures
from softmode.reference.structures import is_known

# Stands for standard input among the names of files.
STANDARD_INPUT = "-"
# Atoms of one frame at the most. A number of atoms that is a mistake would have the rest of a file read as one frame.
_MOST_ATOMS = 100_000


@dataclass(frozen=True)
class Structure:
    """One crystal, and where it comes from.

    Attributes:
        file: as it was given, or found in a folder; the id of an entry of a data set
        frame: its number in the file, from 0
        atoms: periodic, with masses where they are its own
        formula: where it is not that of the atoms, such as of an alloy
        elements: likewise
    """

    file: str
    frame: int
    atoms: Atoms
    formula: str = ""
    elements: tuple[str, ...] = ()


@dataclass(frozen=True)
class Problem:
    """A structure that there is nothing of, and why."""

    file: str
    frame: int
    message: str


def structures(names: Sequence[str]) -> Iterator[Structure | Problem]:
    """Yield the structures of files and folders one at a time, and what is wrong with each that is no ordered crystal.

    Files are of any format that ASE reads, or pymatgen's JSON; those of extxyz, and databases of ASE, are read frame by
    frame. Of a run with steps (a trajectory, an OUTCAR) it is the last structure alone.

    Args:
        names: files, folders, and `-` for standard input, which is extxyz
    """
    for name in names:
        if name == STANDARD_INPUT:
            yield from frames(sys.stdin, "standard input")
            continue
        path = Path(name)
        if not path.exists():
            yield Problem(name, 0, "no such file or folder")
        for file in _files(path):
            yield from _of_file(file)


def entries(kind: str, path: Path, ids: Sequence[str]) -> Iterator[Structure | Problem]:
    """Yield the unit cells of a data set's entries, all or those of `ids`, each as a file of the entry's id.

    Raises:
        InputError: there is no such data set or entry.
    """
    if kind == "kyoto" and not ids:
        yield from _of_archives(path)
        return
    for entry in read_entries(kind, path, Selection(ids=tuple(ids))):
        if isinstance(entry, DatasetProblem):
            yield Problem(entry.entry, 0, entry.message)
        else:
            yield Structure(entry.id, 0, entry.unit_cell)


def _of_archives(path: Path) -> Iterator[Structure | Problem]:
    """Yield the unit cells of archives of the Kyoto database, without their forces, which take most of the time."""
    if not path.is_dir():
        raise InputError(f"{path}: no such folder")
    for file in list_files(path).files:
        if not is_archive(file):
            continue
        try:
            yield Structure(kyoto.entry_id(file), 0, kyoto.read_unit_cell(file))
        except EntryError as error:
            yield Problem(kyoto.entry_id(file), 0, error.message)


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from (file for file in list_files(path).files if is_known(file.name))


def _of_file(path: Path) -> Iterator[Structure | Problem]:
    name = str(path)
    try:
        kind = filetype(name)
    except Exception:  # ASE raises many kinds; pymatgen's JSON is none of its formats
        kind = ""
    try:
        if kind in ("extxyz", "xyz"):
            with cast(TextIO, open_with_compression(name)) as file:
                yield from frames(file, name)
        elif kind == "db":
            yield from _rows(path)
        else:
            for number, atoms in enumerate(read_structures(path)):
                if isinstance(atoms, EntryError):
                    yield Problem(name, number, atoms.message)
                else:
                    yield Structure(name, number, atoms)
    except EntryError as error:
        yield Problem(name, 0, error.message)
    except Exception as error:  # a file that is cut short raises anything
        yield Problem(name, 0, f"cannot be read: {type(error).__name__}: {error}")


def _rows(path: Path) -> Iterator[Structure | Problem]:
    with connect(path, type="db", use_lock_file=False) as database:
        for number, row in enumerate(database.select(include_data=False)):
            # entries.db of softmode names its entries
            name = row.get("entry", str(path))
            yield _crystal(row.toatoms, str(name), number)


def frames(file: TextIO, name: str) -> Iterator[Structure | Problem]:
    """Yield the frames of an extxyz file; after one that is no frame, what follows the next beginning of one.

    Args:
        name: what messages call it
    """
    number = 0
    lines = _Lines(file)
    while (head := lines.next_written()) is not None:
        count = _count(head)
        body = [] if count is None else lines.take(count + 1)
        wrong = _mistake(head, count, body, lines)
        if wrong:
            yield Problem(name, number, wrong)
            lines.back(body)
            lines.skip_to_frame()
        else:
            yield _crystal(partial(_of_text, "".join([head, *body])), name, number)
        number += 1


def _mistake(head: str, count: int | None, body: Sequence[str], lines: "_Lines") -> str:
    """Return what is wrong with a frame that begins so; empty where nothing is."""
    if count is None:
        return f"no frame of extxyz begins with {head.strip()!r:.60}; it is a number of atoms that does"
    if len(body) < count + 1 or any(_count(line) is not None for line in body[1:]):
        return f"cut short: it announces {count} atoms and has fewer"
    after = lines.next_written()
    if after is not None:
        lines.back([after])
        if _count(after) is None:
            return f"announces {count} atoms, and has more lines or something else behind them: {after.strip()!r:.60}"
    return ""


def _of_text(text: str) -> Atoms:
    return cast(Atoms, read(io.StringIO(text), format="extxyz"))


def _crystal(made: Callable[[], Atoms], name: str, number: int) -> Structure | Problem:
    try:
        atoms = made()
        if not np.isfinite(atoms.positions).all() or not np.isfinite(atoms.cell.array).all():
            return Problem(name, number, "has a position or a cell that is not a finite number")
        return Structure(name, number, bare_crystal(atoms, f"frame {number}"))
    except EntryError as error:
        return Problem(name, number, error.message)
    except Exception as error:  # ASE raises many kinds
        return Problem(name, number, f"cannot be read: {type(error).__name__}: {error}")


def _count(line: str) -> int | None:
    """Return the number of atoms that a line announces; None where it is not the first one of a frame."""
    word = line.strip()
    return int(word) if word.isdecimal() and 0 < int(word) <= _MOST_ATOMS else None


class _Lines:
    """Lines of a file, some of which may be given back."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._back: list[str] = []

    def next(self) -> str:
        """Return the next line, empty at the end."""
        return self._back.pop() if self._back else self._file.readline()

    def next_written(self) -> str | None:
        """Return the next line that is not blank; None at the end."""
        while line := self.next():
            if line.strip():
                return line
        return None

    def take(self, number: int) -> list[str]:
        """Return so many lines, fewer at the end."""
        found: list[str] = []
        while len(found) < number and (line := self.next()):
            found.append(line)
        return found

    def back(self, lines: Sequence[str]) -> None:
        """Give lines back, to be the next ones."""
        self._back += reversed(lines)

    def skip_to_frame(self) -> None:
        """Go on to the next line that announces a number of atoms."""
        while line := self.next():
            if _count(line) is not None:
                self.back([line])
                return
