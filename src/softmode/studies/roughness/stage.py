"""Forces at displacements of several lengths, and exact second derivatives, of one relaxed cell."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from softmode.engine.records import Record
from softmode.rates import EntrySize, displaced_atoms
from softmode.reference.entry import Entry, ForceSet
from softmode.settings.harmonic import ForceSets
from softmode.stages.displacements import Displaced, displace
from softmode.stages.evaluate import Evaluator
from softmode.stages.lockstep import Steps, Task, run_in_lockstep
from softmode.studies.roughness.settings import DisplacementScan
from softmode.studies.roughness.study import DISPLACEMENT_SCAN

# Time of an entry in passes over its displacements: four distances beside that of the force sets, and exact products,
# which took 1.1 to 1.5 passes with four potentials. `softmode plan` counts with it.
_CALLS = 5.5


def scanned_atoms(size: EntrySize) -> int:
    """Return the atoms to evaluate."""
    return round(_CALLS * displaced_atoms(size))


def scan_displacements(
    tasks: Iterator[tuple[Entry, Record]], evaluator: Evaluator, settings: DisplacementScan
) -> Iterator[Record]:
    """Yield for each record of force sets one with the same displacements at other distances, and exact products.

    Its arrays are those of the force sets, and `scanned_forces` in eV/Å, shape (n_distances, n, n_supercell, 3), in the
    order of the settings; and of the exact derivatives `exact_atoms`, `exact_displacements` and `exact_forces`, minus
    the second derivatives times displacements.

    Args:
        tasks: read one at a time, when there is room
        evaluator: the potential, and how much it takes at a time
    """
    lockstep = (Task(entry.id, _steps(own, evaluator, settings), own.atoms, own.values) for entry, own in tasks)
    return run_in_lockstep(DISPLACEMENT_SCAN.name, lockstep, evaluator, stress=False)


def _steps(own: Record, evaluator: Evaluator, settings: DisplacementScan) -> Steps:
    if own.failure:
        return own
    exact = displace(
        (own.atoms, own.arrays["supercell_matrix"]),
        ForceSets(
            method="autodiff",
            displacement_distance_A=settings.displacement_distance_A,
            diagonal=settings.diagonal,
            plus_minus=False,
            symmetry_tolerance_A=settings.symmetry_tolerance_A,
        ),
    )
    assert exact is not None
    force_set = ForceSet.from_arrays(own.arrays)
    assert force_set is not None and force_set.atoms is not None  # phonopy's displacements of single atoms
    known = settings.displacement_distance_A
    scaled = [
        Displaced(replace(force_set, displacements=force_set.displacements * (distance / known)), exact.pristine)
        for distance in settings.displacement_distances_A
    ]
    evaluations = yield [supercell for displaced in scaled for supercell in displaced.supercells]
    forces = np.array([evaluation.forces for evaluation in evaluations])
    products = evaluator.curvature(exact.pristine, exact.directions)
    arrays: Mapping[str, Any] = {
        **own.arrays,
        "scanned_forces": forces.reshape(len(settings.displacement_distances_A), *force_set.forces.shape),
        "exact_atoms": exact.force_set.atoms,
        "exact_displacements": exact.force_set.displacements,
        "exact_forces": -products,
    }
    return Record(own.entry, own.atoms, own.values, arrays)
