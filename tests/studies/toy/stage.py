from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from softmode.engine.parquet import Column
from softmode.engine.records import Record
from softmode.errors import EntryError
from softmode.rates import EntrySize
from softmode.reference.entry import Entry
from softmode.stages.evaluate import Evaluator
from softmode.stages.lockstep import Steps, Task, run_in_lockstep
from tests.studies.toy.settings import Shake


def shake(tasks: Iterator[tuple[Entry, Record]], evaluator: Evaluator, settings: Shake) -> Iterator[Record]:
    steps = (
        Task(entry.id, _steps(relaxed, settings), relaxed.atoms, relaxed.values) for entry, relaxed in tasks
    )
    return run_in_lockstep("shake", steps, evaluator, stress=False)


def _steps(relaxed: Record, settings: Shake) -> Steps:
    if relaxed.failure:
        return relaxed
    shaken = relaxed.atoms.copy()
    shaken.rattle(settings.standard_deviation_A, seed=settings.seed)
    (evaluation,) = yield [shaken]
    largest = np.abs(evaluation.forces).max()
    if largest > settings.force_unphysical_eV_per_A:
        raise EntryError("unphysical", f"a force of {largest:.3g} eV/Å")
    values = {"shaken_force_eV_per_A": float(np.sqrt((evaluation.forces**2).mean()))}
    return Record(relaxed.entry, relaxed.atoms, dict(relaxed.values) | values)


def columns(settings: Shake) -> list[Column]:
    meaning = f"root mean square of the forces at displacements of {settings.standard_deviation_A} Å"
    return [Column("shaken_force_eV_per_A", pa.float64(), "eV/Å", meaning)]


def atoms(size: EntrySize) -> int:
    return size.n_sites
