"""Forces of supercells in which pairs of atoms are displaced."""

from collections.abc import Iterator

import numpy as np

from softmode.engine.records import Record
from softmode.reference.entry import Entry
from softmode.stages.evaluate import Evaluator
from softmode.stages.lockstep import Steps, Task, run_in_lockstep
from softmode.studies.conductivity.settings import ThirdOrderForces
from softmode.studies.conductivity.study import THIRD_ORDER_FORCES
from softmode.studies.conductivity.third_order import displace_pairs, make_phono3py, smaller_supercell, to_arrays


def compute_third_order_forces(
    tasks: Iterator[tuple[Entry, Record]], evaluator: Evaluator, settings: ThirdOrderForces
) -> Iterator[Record]:
    """Yield a record for each entry: from its force sets to these and the forces of displaced pairs of atoms.

    Supercells of many entries are evaluated together. What failed before passes on as the failure it is. Arrays beyond
    those of the force sets: `third_order_supercell_matrix`, `third_order_atoms` (n, 2), `third_order_displacements` in
    Å (n, 2, 3) and `third_order_forces` in eV/Å (n, n_supercell, 3), see `third_order.pairs_of`.
    """
    lockstep = (Task(entry.id, _steps(record, settings), record.atoms, record.values) for entry, record in tasks)
    return run_in_lockstep(THIRD_ORDER_FORCES.name, lockstep, evaluator, stress=False)


def _steps(record: Record, settings: ThirdOrderForces) -> Steps:
    if record.failure:
        return record
    arrays = record.arrays
    phono3py = make_phono3py(
        record.atoms,
        arrays["supercell_matrix"],
        smaller_supercell(arrays["supercell_matrix"], settings.supercell_divisor),
        arrays["primitive_matrix"],
        settings.symmetry_tolerance_A,
    )
    evaluations = yield displace_pairs(phono3py, settings)
    forces = np.array([evaluation.forces for evaluation in evaluations])
    values = {"n_third_order_supercell": forces.shape[1], "n_third_order_displacements": len(forces)}
    return Record(
        record.entry,
        record.atoms,
        dict(record.values) | values,
        dict(arrays) | to_arrays(phono3py, forces),
    )
