"""The stage: the density of states of each entry, and what follows from it, by a model that knows no forces."""

import time
from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
from ase import Atoms
from phonopy.structure.cells import get_primitive

from softmode.engine.interruption import check
from softmode.engine.records import Failure, Record
from softmode.errors import EntryError
from softmode.reference.cells import to_ase, to_phonopy
from softmode.reference.entry import Entry
from softmode.stages.evaluate import Evaluator
from softmode.studies.density.density import Density, PredictsDensity
from softmode.studies.density.prediction_settings import PredictedDensity
from softmode.studies.density.predictor import densities, in_batches
from softmode.studies.density.study import DENSITY

# Structures that a model is given together; their number changes no result.
_AT_A_TIME = 32
# Columns of the thermodynamics, named as those of the phonons, and of their standard deviations.
THERMODYNAMICS = {
    "free_energy_kJ_per_mol": "free_energy_standard_deviation_kJ_per_mol",
    "entropy_J_per_K_mol": "entropy_standard_deviation_J_per_K_mol",
    "heat_capacity_J_per_K_mol": "heat_capacity_standard_deviation_J_per_K_mol",
}


def predict_densities(tasks: Iterator[Entry], evaluator: Evaluator, settings: PredictedDensity) -> Iterator[Record]:
    """Yield a record for each entry, of its primitive cell as the data set has it; values and arrays as `columns`."""
    model = cast(PredictsDensity, evaluator.potential)
    for entries in in_batches(tasks, _AT_A_TIME):
        check()
        started = time.perf_counter()
        cells = [_primitive_cell(entry) for entry in entries]
        known = [cell for cell in cells if isinstance(cell, Atoms)]
        predicted = iter(densities(model, known))
        outcomes = [next(predicted) if isinstance(cell, Atoms) else cell for cell in cells]
        seconds = time.perf_counter() - started
        n_atoms = sum(map(len, known)) or 1
        for entry, cell, outcome in zip(entries, cells, outcomes, strict=True):
            share = seconds * (len(cell) if isinstance(cell, Atoms) else 0) / n_atoms
            timed = {DENSITY.seconds: share}
            if isinstance(outcome, EntryError):
                failure = Failure(DENSITY.name, outcome.kind, outcome.message)
                yield Record(entry.id, entry.unit_cell, timed, failure=failure)
            else:
                values, arrays = found(outcome, settings.temperatures_K)
                yield Record(entry.id, entry.unit_cell, values | timed, arrays)


def _primitive_cell(entry: Entry) -> Atoms | EntryError:
    try:
        tolerance = entry.symmetry_tolerance
        return to_ase(get_primitive(to_phonopy(entry.unit_cell), entry.primitive_matrix, symprec=tolerance))
    except Exception as error:  # one entry must never stop the others
        return EntryError("crash", f"no primitive cell: {type(error).__name__}: {error}")


def found(density: Density, temperatures_K: Sequence[float]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return values and arrays of a record: per mole of primitive cells, as the phonons have them."""
    n_atoms = len(density.numbers)
    mean, deviation = (
        density.thermodynamics(temperatures_K),
        density.thermodynamics_standard_deviation(temperatures_K),
    )
    above = density.states[:, -1]
    n_above = float(above.sum())
    values: dict[str, Any] = {
        "n_primitive": n_atoms,
        "mean_frequency_THz": density.mean_frequency_THz,
        "states_above": n_above,
        "frequency_above_THz": float(above @ density.overflow_THz / n_above) if n_above else 0.0,
    }
    if np.isfinite(density.mean_frequency_standard_deviation_THz):
        values["mean_frequency_standard_deviation_THz"] = density.mean_frequency_standard_deviation_THz
    arrays: dict[str, Any] = {
        "temperatures_K": [float(temperature) for temperature in temperatures_K],
        "density_of_states_per_THz": density.total_per_THz.astype(np.float32).tolist(),
        "density_of_states_standard_deviation_per_THz": density.total_standard_deviation_per_THz.astype(
            np.float32
        ).tolist(),
    }
    for name, of_deviation in THERMODYNAMICS.items():
        arrays[name] = (getattr(mean, name) * n_atoms).tolist()
        arrays[of_deviation] = (getattr(deviation, name) * n_atoms).tolist()
    return values, arrays
