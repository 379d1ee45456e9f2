"""A data set: its entries in `entries.db`, its index, and what could not be read."""

import csv
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from softmode.engine.interruption import check
from softmode.engine.outputs import whole_file
from softmode.engine.provenance import provenance
from softmode.engine.records import Failure, Record, RecordWriter, read_records, row_numbers
from softmode.errors import InputError, StorageError
from softmode.reference.born_charges import BornCharges
from softmode.reference.cells import EXACT
from softmode.reference.entry import Entry, ForceSet
from softmode.reference.index import describe
from softmode.reference.reading import CRASH, LISTED, Problem, problem
from softmode.sources import REFERENCE


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
    same: dict[str, str] = {}
    refused: list[Problem] = []
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
            for read in outcomes:
                check()
                outcome, description = _stored(read, writer)
                if isinstance(outcome, Problem):
                    refused.append(outcome)
                    problems.writerow([outcome.entry, outcome.file, outcome.message])
                    print(f"left out: entry {outcome.entry}, file {outcome.file}: {outcome.message}")
                    continue
                if rows is None:
                    rows = csv.DictWriter(index_file, list(description), lineterminator="\n")
                    rows.writeheader()
                rows.writerow(description)
                digests.append(outcome.digest())
                twin = same.setdefault(replace(outcome, id="").digest(), outcome.id)
                if twin != outcome.id and outcome.reference:
                    print(f"warning: entries {twin} and {outcome.id} have the same cell and forces; do you want both?")
        if not digests:
            # Snakemake deletes the list of what could not be read together with the other outputs
            first = "".join(f"\n  {each.file}: {each.message}" for each in refused[:LISTED])
            more = f"\n  and {len(refused) - LISTED} more, all in the log" if len(refused) > LISTED else ""
            raise InputError(f"not one entry could be read:{first}{more}")
        writer.metadata["dataset_digest"] = dataset_digest(digests)
    return len(digests), len(refused)


def _stored(outcome: Entry | Problem, writer: RecordWriter) -> tuple[Entry | Problem, dict[str, Any]]:
    """Store an entry, and return it with its row of the index; nothing of one entry must stop the others."""
    if isinstance(outcome, Problem):
        return outcome, {}
    try:
        description = describe(outcome)
        writer.write([_to_record(outcome, description)])
        return outcome, description
    except StorageError:
        raise
    except Exception as error:  # a mistake of ours
        message = f"{CRASH} {type(error).__name__}: {error}; please report it, with the file"
        return problem(outcome.id, outcome.source, message), {}


def dataset_digest(digests: Iterable[str]) -> str:
    """Return the digest of a data set whose entries have these, in whatever order."""
    return hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()


def _to_record(entry: Entry, description: dict[str, Any]) -> Record:
    shown = (
        *("space_group", "crystal_system", "n_supercell", "image_distance_A", "n_displacements", "estimated_cost"),
        "functional",
    )
    values = {key: description[key] for key in shown if description[key] != ""} | {"file": entry.source}
    if entry.energy is not None:
        values["reference_energy_eV"] = entry.energy
    arrays: dict[str, Any] = {
        "supercell_matrix": np.asarray(entry.supercell_matrix),
        "primitive_matrix": np.asarray(entry.primitive_matrix),
    }
    values["symmetry_tolerance_A"] = entry.symmetry_tolerance
    if entry.force_set is not None:
        arrays |= entry.force_set.to_arrays()
    if entry.force_constants is not None:
        arrays["force_constants"] = entry.force_constants
    if entry.own_numbers:
        arrays["own_numbers"] = dict(entry.own_numbers)
    for which, of_lines in entry.lines.items():
        arrays |= {f"{which}_lines_{name}": array for name, array in of_lines.to_arrays().items()}
    if entry.born_charges is not None:
        arrays |= entry.born_charges.to_arrays()
    return Record(entry.id, entry.unit_cell, values, arrays)


def load_entries(database: Path, ids: Sequence[str] | None = None) -> Iterator[Entry]:
    """Yield the entries of an entries.db one at a time, all or those of `ids` in that order."""
    for record in read_records(database, ids):
        arrays = record.arrays
        yield Entry(
            id=record.entry,
            unit_cell=record.atoms,
            supercell_matrix=arrays["supercell_matrix"],
            primitive_matrix=arrays["primitive_matrix"],
            source=record.values["file"],
            force_set=ForceSet.from_arrays(arrays),
            force_constants=arrays.get("force_constants"),
            symmetry_tolerance=record.values.get("symmetry_tolerance_A", EXACT),
            own_numbers=arrays.get("own_numbers", {}),
            born_charges=BornCharges.from_arrays(arrays),
            energy=record.values.get("reference_energy_eV"),
            functional=record.values.get("functional", ""),
            lines=_lines(arrays),
        )


def _lines(arrays: Mapping[str, Any]) -> dict[str, ForceSet]:
    found = {}
    for which in ("cell", "gamma"):
        begin = f"{which}_lines_"
        own = {name.removeprefix(begin): array for name, array in arrays.items() if name.startswith(begin)}
        of_lines = ForceSet.from_arrays(own)
        if of_lines is not None:
            found[which] = of_lines
    return found


def entries_of_reference(database: Path, ids: Sequence[str], source: str) -> Iterator[Entry | Record]:
    """Yield a reference's entries; for one that a yardstick does not have the record of a failure.

    Args:
        source: `reference` or `yardstick`

    Raises:
        InputError: the reference itself has no such entry.
    """
    known = set(ids) if source == REFERENCE else set(row_numbers(database))
    entries = load_entries(database, [id for id in ids if id in known])
    for id in ids:
        if id in known:
            yield next(entries)
        else:
            yield Record(id, Atoms(), failure=Failure("dataset", "no_reference", f"{database.name} has no such entry"))
