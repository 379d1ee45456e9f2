"""A data set: a folder of entries in one of the known forms, turned into `entries.db` and an index."""

import csv
import hashlib
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import spglib

from softmode.cost import evaluations
from softmode.engine.interruption import check
from softmode.engine.outputs import whole_file
from softmode.engine.provenance import provenance
from softmode.engine.records import Record, RecordWriter, read_records
from softmode.errors import EntryError, InputError
from softmode.reference import kyoto, phonopy_yaml, prototypes
from softmode.reference.dimensionality import check_dimensionality, dimensionality
from softmode.reference.entry import Entry, ForceSet

KINDS = ("kyoto", "phonopy", "demo", "prototypes")

_SYMMETRY_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Selection:
    """Which entries of a data set a campaign takes; an unset field does not select.

    Attributes:
        ids: these entries, in this order
        number: so many, drawn at random with `seed` from those that the other fields leave
        largest_supercell: no entry with more supercell atoms
    """

    ids: tuple[str, ...] = ()
    number: int | None = None
    seed: int = 0
    largest_supercell: int | None = None


def selected_ids(settings: Mapping[str, Any]) -> list[str]:
    """Return the ids that a data set's settings name, in `ids` and in `ids_file`; none means all.

    Raises:
        InputError: the file cannot be read.
    """
    ids = list(settings.get("ids") or [])
    path = settings.get("ids_file")
    if path:
        try:
            ids += Path(path).read_text(encoding="utf-8").split()
        except OSError as error:
            raise InputError(f"ids_file {path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise InputError(f"ids_file {path}: not text in UTF-8: {error}") from error
    return ids


Reader = Callable[[], Entry | EntryError]

# how the message of a Problem starts that should never have been
CRASH = "softmode failed with"


@dataclass(frozen=True)
class Problem:
    """An entry that could not be read: where it is, and why."""

    entry: str
    file: str
    message: str


def read_entries(kind: str, path: Path, selection: Selection) -> Iterator[Entry | Problem]:
    """Yield the selected entries of a data set one at a time, and a Problem for each that cannot be read.

    Raises:
        InputError: the folder or an id that was asked for does not exist, or an id occurs twice.
    """
    if kind not in KINDS:
        raise InputError(f"no kind of data set '{kind}'; there are: {', '.join(KINDS)}")
    if kind == "prototypes":
        readers = _by_id(path, ((id, path.name, partial(_given, outcome)) for id, outcome in _prototypes(path)))
    else:
        readers = _by_id(path, _files(kind, path))
    ids = _order(list(readers), selection, path)
    n_read = 0
    for id in ids:
        if selection.number is not None and n_read == selection.number:
            return
        file, reader = readers[id]
        try:
            entry = reader()
            if isinstance(entry, EntryError):
                raise entry
            check_dimensionality(entry.unit_cell, entry.primitive_matrix)
        except EntryError as error:
            yield _problem(id, file, error.message)
            continue
        except Exception as error:  # a mistake of ours; one entry must never stop the others
            yield _problem(id, file, f"{CRASH} {type(error).__name__}: {error}; please report it, with the file")
            continue
        if selection.largest_supercell is None or entry.n_supercell <= selection.largest_supercell:
            n_read += 1
            yield replace(entry, id=_storable(id))
    if selection.number is not None and n_read < selection.number:
        print(f"{path}: {selection.number} entries were asked for, {n_read} could be had")


def _problem(id: str, file: str, message: str) -> Problem:
    return Problem(_printable(id), _printable(file), _printable(" ".join(message.split())))


def _printable(text: str) -> str:
    """Return the text as tables and terminals can show it: names of files, and what is in them, are any characters."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def _storable(id: str) -> str:
    """Return the id, with a prefix where an ASE database would take it for a number."""
    return f"entry-{id}" if re.fullmatch(r"[\d.eE+-]+", id) else id


def _by_id(path: Path, found: Iterable[tuple[str, str, Reader]]) -> dict[str, tuple[str, Reader]]:
    """Return file and reader of each entry by its id."""
    readers: dict[str, tuple[str, Reader]] = {}
    files: dict[str, str] = {}
    for id, file, reader in found:
        stored = _storable(id)
        if stored in files:
            raise InputError(f"{path}: entry {id} occurs twice, in {files[stored]} and {file}; remove one")
        files[stored] = file
        unusable = EntryError("bad_entry", f"its id {id!r} is not printable text; rename it")
        readers[id] = (file, reader if id.isprintable() and id.strip() else partial(_given, unusable))
    return readers


def _given(outcome: Entry | EntryError) -> Entry | EntryError:
    return outcome


def _prototypes(path: Path) -> Iterator[tuple[str, Entry | EntryError]]:
    if not path.is_file():
        raise InputError(f"{path}: no such file; a data set of kind 'prototypes' is one CSV")
    try:
        for source, outcome in prototypes.read(path):
            yield (outcome.id if isinstance(outcome, Entry) else source), outcome
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a CSV in UTF-8: {error}") from error


def _files(kind: str, folder: Path) -> Iterator[tuple[str, str, Reader]]:
    module = kyoto if kind == "kyoto" else phonopy_yaml
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; 'path' of the data set must name the folder of its files")
    files = sorted(path for path in folder.rglob("*") if path.name.endswith(module.SUFFIXES) and path.is_file())
    if not files:
        raise InputError(f"{folder}: no file that ends in {' or '.join(module.SUFFIXES)}; is '{kind}' the right kind?")
    for file in files:
        yield module.entry_id(file), file.name, partial(module.read, file)


def _order(ids: list[str], selection: Selection, path: Path) -> list[str]:
    if selection.ids:
        unknown = [id for id in selection.ids if id not in set(ids)]
        if unknown:
            raise InputError(f"{path}: has no entry {', '.join(unknown[:5])}{' …' if len(unknown) > 5 else ''}")
        ids = list(dict.fromkeys(selection.ids))
    if selection.number is not None:
        random.Random(selection.seed).shuffle(ids)
    return ids


def describe(entry: Entry) -> dict[str, Any]:
    """Return the entry's row of the index.

    `estimated_cost` counts atoms to evaluate: those of all displaced supercells and of a relaxation.
    """
    cell = entry.unit_cell
    symmetry = spglib.get_symmetry_dataset(
        (cell.cell.array, cell.get_scaled_positions(), cell.numbers), symprec=_SYMMETRY_TOLERANCE
    )
    number = symmetry.number if symmetry else 1
    n_displacements = len(entry.force_set.atoms) if entry.force_set else 0
    return {
        "entry": entry.id,
        "formula": cell.symbols.formula.reduce()[0].format("metal"),
        "elements": " ".join(sorted(set(cell.get_chemical_symbols()))),
        "space_group": number,
        "crystal_system": crystal_system(number),
        "dimensionality": dimensionality(cell),
        "n_sites": len(cell),
        "n_supercell": entry.n_supercell,
        "n_displacements": n_displacements,
        "estimated_cost": sum(evaluations(len(cell), entry.n_supercell, n_displacements)),
        "functional": entry.functional,
        "file": entry.source,
    }


def crystal_system(space_group: int) -> str:
    """Return the crystal system of a space group number (International Tables A)."""
    bounds = [(2, "triclinic"), (15, "monoclinic"), (74, "orthorhombic"), (142, "tetragonal"), (167, "trigonal")]
    bounds += [(194, "hexagonal"), (230, "cubic")]
    return next(name for last, name in bounds if space_group <= last)


def write_dataset(
    outcomes: Iterator[Entry | Problem], database: Path, index: Path, unreadable: Path
) -> tuple[int, int]:
    """Write entries.db, the index and the list of what could not be read, entry by entry.

    Returns:
        the numbers of entries and of problems

    Raises:
        InputError: not one entry could be read.
    """
    digests: list[str] = []
    n_problems = 0
    # reading is quick; it is never resumed
    writer = RecordWriter(database, provenance({"stage": "dataset"}, ("ase", "phonopy", "spglib")), anew=True)
    with writer:
        with (
            whole_file(index) as index_partial,
            whole_file(unreadable) as unreadable_partial,
            index_partial.open("w", newline="", encoding="utf-8") as index_file,
            unreadable_partial.open("w", newline="", encoding="utf-8") as unreadable_file,
        ):
            problems = csv.writer(unreadable_file, lineterminator="\n")
            problems.writerow(["entry", "file", "message"])
            rows: csv.DictWriter | None = None
            for outcome in outcomes:
                check()
                if isinstance(outcome, Problem):
                    n_problems += 1
                    problems.writerow([outcome.entry, outcome.file, outcome.message])
                    print(f"left out: entry {outcome.entry}, file {outcome.file}: {outcome.message}")
                    continue
                description = describe(outcome)
                if rows is None:
                    rows = csv.DictWriter(index_file, list(description), lineterminator="\n")
                    rows.writeheader()
                rows.writerow(description)
                writer.write([_to_record(outcome, description)])
                digests.append(outcome.digest())
        if not digests:
            raise InputError(f"not one entry could be read; {unreadable} says why")
        writer.metadata["dataset_digest"] = dataset_digest(digests)
    return len(digests), n_problems


def dataset_digest(digests: Iterable[str]) -> str:
    """Return the digest of a data set whose entries have these, in whatever order."""
    return hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()


def _to_record(entry: Entry, description: dict[str, Any]) -> Record:
    shown = ("space_group", "crystal_system", "n_supercell", "n_displacements", "estimated_cost", "functional")
    values = {key: description[key] for key in shown if description[key] != ""} | {"file": entry.source}
    if entry.energy is not None:
        values["reference_energy_eV"] = entry.energy
    arrays: dict[str, Any] = {
        "supercell_matrix": np.asarray(entry.supercell_matrix),
        "primitive_matrix": np.asarray(entry.primitive_matrix),
    }
    if entry.force_set is not None:
        arrays |= vars(entry.force_set)
    return Record(entry.id, entry.unit_cell, values, arrays)


def load_entries(database: Path, ids: Sequence[str] | None = None) -> Iterator[Entry]:
    """Yield the entries of an entries.db one at a time, all or those of `ids` in that order."""
    for record in read_records(database, ids):
        arrays = record.arrays
        force_set = None
        if "forces" in arrays:
            force_set = ForceSet(arrays["atoms"], arrays["displacements"], arrays["forces"])
        yield Entry(
            id=record.entry,
            unit_cell=record.atoms,
            supercell_matrix=arrays["supercell_matrix"],
            primitive_matrix=arrays["primitive_matrix"],
            source=record.values["file"],
            force_set=force_set,
            energy=record.values.get("reference_energy_eV"),
            functional=record.values.get("functional", ""),
        )
