"""Displacements of the relaxed cell and the forces they bring: of displaced supercells, or by second derivatives."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import tee
from typing import Any

import numpy as np
from ase import Atoms

from softmode.engine.background import ahead
from softmode.engine.records import Record
from softmode.reference.entry import Entry
from softmode.settings.harmonic import ForceSets
from softmode.stages.displacements import Displaced, displace
from softmode.stages.evaluate import Evaluator
from softmode.stages.lockstep import Steps, Task, run_in_lockstep
from softmode.studies.harmonic.study import FORCE_SETS

STAGE = FORCE_SETS.name


def compute_force_sets(
    tasks: Iterator[tuple[Entry, Record]], evaluator: Evaluator, settings: ForceSets, stage: str = STAGE
) -> Iterator[Record]:
    """Yield a record for each entry: from the record of its relaxation to displacements and forces.

    Supercells of many entries are evaluated together. A relaxation that failed passes on as the failure it is. The
    record's structure is the relaxed unit cell.

    Args:
        tasks: read one at a time, when there is room
        evaluator: the potential, how much it takes at a time, and who makes displacements ahead
        stage: the name that failures and times carry
    """
    tasks, relaxations = tee(tasks)
    # without the reference's forces and without a calculator, which a worker would be sent
    cells = (
        None if relaxed.failure else (relaxed.atoms.copy(), _supercell_matrix(entry, relaxed, settings))
        for entry, relaxed in relaxations
    )
    displaced = ahead(evaluator.executor, partial(displace, settings=settings), cells)
    curvature = evaluator.curvature if settings.method == "autodiff" else None
    lockstep = (
        Task(
            entry.id,
            _steps(entry, _supercell_matrix(entry, relaxed, settings), relaxed, call, curvature),
            relaxed.atoms,
            relaxed.values,
        )
        for (entry, relaxed), call in zip(tasks, displaced, strict=True)
    )
    return run_in_lockstep(stage, lockstep, evaluator, stress=False)


def _supercell_matrix(entry: Entry, relaxed: Record, settings: ForceSets) -> np.ndarray:
    size: Mapping[str, Any] | None = settings.supercell
    if size is None:
        return entry.supercell_matrix
    if "numbers" in size:
        return np.diag(size["numbers"])
    return np.diag(np.ceil(size["length_A"] / relaxed.atoms.cell.lengths()).astype(int))


def _steps(
    entry: Entry,
    supercell_matrix: np.ndarray,
    relaxed: Record,
    displaced_later: Callable[[], Displaced | None],
    curvature: Callable[[Atoms, np.ndarray], np.ndarray] | None,
) -> Steps:
    displaced = displaced_later()
    if displaced is None:
        return relaxed
    if curvature:
        forces = -curvature(displaced.pristine, displaced.directions)
    else:
        evaluations = yield displaced.supercells
        forces = np.array([evaluation.forces for evaluation in evaluations])
    values = {
        "n_displacements": len(forces),
        "n_supercell": len(forces[0]),
        "largest_mean_force_eV_per_A": float(np.linalg.norm(forces.mean(axis=1), axis=1).max()),
    }
    arrays = {
        "supercell_matrix": supercell_matrix,
        "primitive_matrix": entry.primitive_matrix,
        **replace(displaced.force_set, forces=forces).to_arrays(),
    }
    return Record(entry.id, relaxed.atoms, dict(relaxed.values) | values, arrays)
