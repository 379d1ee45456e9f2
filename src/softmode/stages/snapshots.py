"""Snapshots of a whole data set: a row of numbers for each entry, and one file of all supercells for other programs."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.db import connect
from ase.io.extxyz import write_extxyz

from softmode.engine.interruption import check
from softmode.engine.outputs import whole_file
from softmode.engine.records import Failure, Record
from softmode.errors import EntryError, InputError
from softmode.reference.chemical_formula import chemical_formula
from softmode.reference.entry import Entry
from softmode.stages.phonons import HowForceConstantsAreMade
from softmode.stages.thermal_displacements import Snapshots, ThermalDisplacements, moved, reference_displacements

STAGE = "snapshots"
# Snapshots that are in memory at a time: some MB for the largest supercells. With more, memory grows; with one at a
# time, drawing takes three times as long.
_BLOCK = 32
# writes some frames behind those before
Write = Callable[[Sequence[Atoms]], None]


@dataclass(frozen=True)
class Draw:
    """Which snapshots of each entry.

    Attributes:
        number: so many, the first ones
    """

    temperature_K: float
    number: int
    seed: int

    def blocks(self, thermal: ThermalDisplacements) -> Iterator[tuple[int, Snapshots]]:
        """Yield the snapshots of an entry some at a time, each time with the number of the first."""
        for first in range(0, self.number, _BLOCK):
            number = min(_BLOCK, self.number - first)
            yield first, thermal.snapshots(self.temperature_K, self.seed, first, number)


def draw_all(entries: Iterable[Entry], settings: HowForceConstantsAreMade, draw: Draw) -> Iterator[Record]:
    """Yield a record of each entry, with what its snapshots are like, or why it has none.

    Its values: `n_supercell` (atoms), `n_snapshots`, `temperature_K`, `largest_displacement_A` of any atom, and the
    root mean squares of all coordinates, `rms_displacement_A` and `rms_force_eV_per_A`.
    """
    for entry, thermal in _thermal(entries, settings):
        check()
        if isinstance(thermal, Failure):
            yield Record(entry.id, entry.unit_cell, {"n_supercell": entry.n_supercell}, failure=thermal)
            continue
        blocks = [snapshots for _, snapshots in draw.blocks(thermal)]
        values = {
            "n_supercell": entry.n_supercell,
            "n_snapshots": draw.number,
            "temperature_K": draw.temperature_K,
            "largest_displacement_A": max(block.largest_displacement_A for block in blocks),
            "rms_displacement_A": _rms(np.concatenate([block.displacements for block in blocks])),
            "rms_force_eV_per_A": _rms(np.concatenate([block.forces for block in blocks])),
        }
        yield Record(entry.id, entry.unit_cell, values)


def write_summary(records: Iterable[Record], path: Path) -> None:
    """Write the records of `draw_all` as CSV, a row for each entry, those that failed with kind and message."""
    numbers = ("n_snapshots", "temperature_K", "largest_displacement_A", "rms_displacement_A", "rms_force_eV_per_A")
    columns = ("entry", "formula", "n_supercell", "status", "failed_stage", "failed_kind", "message", *numbers)
    with whole_file(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        rows = csv.DictWriter(file, columns, lineterminator="\n")
        rows.writeheader()
        for record in records:
            row: dict[str, Any] = {
                "entry": record.entry,
                "formula": chemical_formula(record.atoms.get_chemical_symbols()),
                "status": "done",
            }
            row |= {key: f"{value:.6g}" for key, value in record.values.items()}
            rows.writerow(row | (record.failure.columns if record.failure else {}))


def export(
    entries: Iterable[Entry], settings: HowForceConstantsAreMade, draw: Draw, path: Path, form: str = "extxyz"
) -> Iterator[Record]:
    """Write the snapshots of all entries into one file, one after the other; yield a record of each entry.

    Memory is that of some snapshots of one entry, however many there are. A frame has positions (Å), harmonic `forces`
    (eV/Å) and `energy` (eV, above that of the crystal at rest: of two crystals these cannot be compared),
    `displacements` (Å) from rest, and `entry`, `snapshot`, `temperature_K` and `seed`.

    Args:
        form: a key of `FORMATS`
    """
    with whole_file(path) as partial, FORMATS[form](partial) as write:
        for entry, thermal in _thermal(entries, settings):
            if isinstance(thermal, Failure):
                yield Record(entry.id, entry.unit_cell, failure=thermal)
                continue
            for first, snapshots in draw.blocks(thermal):
                check()
                write(list(_frames(entry.id, thermal, snapshots, first, draw)))
            yield Record(entry.id, thermal.supercell)


def _frames(entry: str, thermal: ThermalDisplacements, snapshots: Snapshots, first: int, draw: Draw) -> Iterator[Atoms]:
    for number, (displacements, forces, energy) in enumerate(
        zip(snapshots.displacements, snapshots.forces, snapshots.energies, strict=True), first
    ):
        atoms = moved(thermal.supercell, displacements)
        atoms.arrays["displacements"] = displacements
        atoms.info |= {"entry": entry, "snapshot": number}
        atoms.info |= {"temperature_K": draw.temperature_K, "seed": draw.seed}
        atoms.calc = SinglePointCalculator(atoms, energy=float(energy), forces=forces)
        yield atoms


@contextmanager
def _extxyz(path: Path) -> Iterator[Write]:
    with path.open("w", encoding="utf-8") as file:
        yield lambda frames: write_extxyz(file, frames)


@contextmanager
def _aselmdb(path: Path) -> Iterator[Write]:
    """Write an LMDB as ASE's databases have it, which fairchem trains from: a transaction for each call.

    What is no property of ASE's, displacements too, is in the data of a row, from where fairchem takes it.

    Raises:
        InputError: the package that ASE writes it with is not installed.
    """

    def write(frames: Sequence[Atoms]) -> None:
        # opened anew each time: its transaction ends where it is closed, and without one each row would be its own
        with connect(path, type="aselmdb") as database:
            for atoms in frames:
                database.write(atoms, data={**atoms.info, "displacements": atoms.arrays["displacements"]})

    path.unlink(missing_ok=True)  # of a process that was killed; ASE would go on with it
    try:
        write(())
        yield write
    except ImportError as error:
        raise InputError(f"aselmdb needs {error.name}: install ase-db-backends and lmdb, or take extxyz") from error
    finally:
        path.with_name(f"{path.name}-lock").unlink(missing_ok=True)


FORMATS: dict[str, Callable[[Path], AbstractContextManager[Write]]] = {"extxyz": _extxyz, "aselmdb": _aselmdb}


def _thermal(
    entries: Iterable[Entry], settings: HowForceConstantsAreMade
) -> Iterator[tuple[Entry, ThermalDisplacements | Failure]]:
    for entry in entries:
        try:
            yield entry, reference_displacements(entry, settings)
        except EntryError as error:
            yield entry, Failure(STAGE, error.kind, error.message)
        except InputError as error:
            yield entry, Failure(STAGE, "no_reference", str(error))
        except Exception as error:  # phonopy asserts, and one entry must never stop the others
            yield entry, Failure(STAGE, "crash", f"{type(error).__name__}: {error}")


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))
