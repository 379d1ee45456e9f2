"""Finite displacements of the relaxed cell and the forces on them."""

from collections.abc import Iterator

import numpy as np
from ase import Atoms
from phonopy import Phonopy

from softmode.engine.records import Record
from softmode.protocol import ForceSets
from softmode.reference.cells import make_phonopy, to_ase
from softmode.reference.entry import Entry, ForceSet
from softmode.stages.evaluate import Evaluator
from softmode.stages.lockstep import Steps, Task, run_in_lockstep

STAGE = "force_sets"


def compute_force_sets(
    tasks: Iterator[tuple[Entry, Record]], evaluator: Evaluator, settings: ForceSets
) -> Iterator[Record]:
    """Yield a record for each entry: from the record of its relaxation to displacements and forces.

    Supercells of many entries are evaluated together. A relaxation that failed passes on as the failure it is. The
    record's structure is the relaxed unit cell.

    Args:
        tasks: read one at a time, when there is room
        evaluator: the potential, and how much it takes at a time
    """
    lockstep = (
        Task(entry.id, _steps(entry, relaxed, settings), relaxed.atoms, relaxed.values) for entry, relaxed in tasks
    )
    return run_in_lockstep(STAGE, lockstep, evaluator, stress=False)


def _steps(entry: Entry, relaxed: Record, settings: ForceSets) -> Steps:
    if relaxed.failure:
        return relaxed
    phonopy = make_phonopy(relaxed.atoms, entry.supercell_matrix, entry.primitive_matrix, settings.symmetry_tolerance_A)
    displaced = displace(phonopy, settings)
    pristine, *evaluations = yield [to_ase(phonopy.supercell), *displaced]
    forces = np.array([evaluation.forces for evaluation in evaluations])
    force_set = ForceSet.from_phonopy(phonopy.dataset)
    values = {
        "n_displacements": len(displaced),
        "n_supercell": len(phonopy.supercell),
        "supercell_energy_eV": pristine.energy,
        "supercell_largest_force_eV_per_A": float(np.linalg.norm(pristine.forces, axis=1).max()),
        "largest_mean_force_eV_per_A": float(np.linalg.norm(forces.mean(axis=1), axis=1).max()),
    }
    arrays = {
        "supercell_matrix": entry.supercell_matrix,
        "primitive_matrix": entry.primitive_matrix,
        "atoms": force_set.atoms,
        "displacements": force_set.displacements,
        "forces": forces,
    }
    return Record(entry.id, relaxed.atoms, dict(relaxed.values) | values, arrays)


def displace(phonopy: Phonopy, settings: ForceSets) -> list[Atoms]:
    """Generate phonopy's displacements and return the displaced supercells."""
    phonopy.generate_displacements(
        distance=settings.displacement_distance_A, is_plusminus=settings.plus_minus, is_diagonal=settings.diagonal
    )
    return [to_ase(supercell) for supercell in phonopy.supercells_with_displacements or []]
