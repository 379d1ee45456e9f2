"""Forces along thermal displacements, and their harmonic part by small displacements along the same directions."""

from collections.abc import Iterator

import numpy as np

from softmode.engine.records import Record
from softmode.errors import EntryError
from softmode.reference.entry import Entry
from softmode.stages.effective_force_constants import least_number_of_snapshots
from softmode.stages.evaluate import Evaluator
from softmode.stages.lockstep import Steps, Task, run_in_lockstep
from softmode.stages.phonons import phonopy_of, task_of_reference
from softmode.stages.thermal_displacements import ThermalDisplacements, made_small, moved
from softmode.studies.harmonicity.settings import ThermalForces
from softmode.studies.harmonicity.study import THERMAL_FORCES


def compute_thermal_forces(tasks: Iterator[Entry], evaluator: Evaluator, settings: ThermalForces) -> Iterator[Record]:
    """Yield for each entry a record of forces along thermal displacements of the reference, at its geometry.

    Its arrays, of n snapshots: `temperatures_K`, shape (n,); `probed`, (n,), whether the harmonic part was asked for;
    the others are there for a fit; `displacements` in Å and `forces` in eV/Å less those at rest, (n, n_supercell, 3);
    `static_forces`, those at rest, (n_supercell, 3); and `harmonic_forces`, (n_probed, n_supercell, 3), minus the
    potential's second derivatives times the displacements.

    An entry without a reference, or with an imaginary mode in it, is a failure.
    """
    lockstep = (Task(entry.id, _steps(entry, settings), entry.unit_cell) for entry in tasks)
    return run_in_lockstep(THERMAL_FORCES.name, lockstep, evaluator, stress=False)


def _steps(entry: Entry, settings: ThermalForces) -> Steps:
    if not entry.reference:
        raise EntryError("no_reference", "without a reference's force constants there are no thermal displacements")
    phonopy = phonopy_of(task_of_reference(entry), settings)
    thermal = ThermalDisplacements(entry.id, phonopy)
    n_needed = least_number_of_snapshots(phonopy)
    n_fitted = n_needed if n_needed <= settings.most_fitted_snapshots else 0
    temperatures, probed, parts = [], [], []
    for temperature in settings.temperatures_K:
        number = settings.snapshots + (n_fitted if temperature == settings.fit_temperature_K else 0)
        parts.append(thermal.snapshots(temperature, settings.seed, 0, number).displacements)
        temperatures += [temperature] * number
        probed += [place < settings.snapshots for place in range(number)]
    displacements, is_probed = np.concatenate(parts), np.array(probed)
    small, larger = made_small(displacements[is_probed], settings.displacement_distance_A)
    evaluations = yield [
        thermal.supercell,
        *(moved(thermal.supercell, by) for by in np.concatenate([displacements, small, -small])),
    ]
    static, *displaced = (evaluation.forces for evaluation in evaluations)
    forces = np.array(displaced[: len(displacements)])
    forward, back = np.array(displaced[len(displacements) :]).reshape(2, *small.shape)
    arrays = {
        "temperatures_K": np.array(temperatures),
        "probed": is_probed,
        "displacements": displacements,
        "forces": forces - static,
        "static_forces": static,
        "harmonic_forces": (forward - back) / 2 * larger[:, None, None],
    }
    values = {"n_supercell": len(thermal.supercell), "n_snapshots": len(displacements), "n_needed_by_a_fit": n_needed}
    return Record(entry.id, entry.unit_cell, values, arrays)
