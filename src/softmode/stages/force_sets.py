"""Finite displacements of the relaxed cell and the forces on them."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from ase import Atoms
from phonopy import Phonopy

from softmode.engine.batching import batches
from softmode.engine.records import Failure, Record
from softmode.errors import EntryError
from softmode.potentials.base import Potential
from softmode.protocol import ForceSets
from softmode.reference.cells import make_phonopy, to_ase
from softmode.reference.entry import Entry, ForceSet
from softmode.stages.evaluate import evaluate_each

STAGE = "force_sets"


def compute_force_sets(
    tasks: Iterator[tuple[Entry, Record]], potential: Potential, settings: ForceSets, largest_batch: int
) -> Iterator[Record]:
    """Yield a record for each entry: from the record of its relaxation to displacements and forces.

    A relaxation that failed passes on as the failure it is. The record's structure is the relaxed unit cell.

    Args:
        largest_batch: atoms that are evaluated at a time
    """
    for entry, relaxed in tasks:
        if relaxed.failure:
            yield relaxed
            continue
        started = time.perf_counter()
        try:
            values, arrays = _compute(entry, relaxed.atoms, potential, settings, largest_batch)
            failure = None
        except EntryError as error:
            values, arrays, failure = {}, {}, Failure(STAGE, error.kind, error.message)
        except Exception as error:  # one structure must never stop the others
            values, arrays, failure = {}, {}, Failure(STAGE, "crash", f"{type(error).__name__}: {error}")
        values = dict(relaxed.values) | values | {"force_sets_seconds": time.perf_counter() - started}
        yield Record(entry.id, relaxed.atoms, values, arrays, failure)


def _compute(
    entry: Entry, unit_cell: Atoms, potential: Potential, settings: ForceSets, largest_batch: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    phonopy = make_phonopy(unit_cell, entry.supercell_matrix, entry.primitive_matrix, settings.symmetry_tolerance_A)
    displaced = displace(phonopy, settings)
    supercells = [to_ase(phonopy.supercell), *displaced]
    evaluations = []
    for batch in batches(supercells, largest_batch):
        for answer in evaluate_each(potential, batch, stress=False):
            if isinstance(answer, EntryError):
                raise answer
            evaluations.append(answer)
    pristine, forces = evaluations[0], np.array([evaluation.forces for evaluation in evaluations[1:]])
    if not np.isfinite(forces).all():
        raise EntryError("not_finite", "the potential gave a force that is not a finite number")
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
    return values, arrays


def displace(phonopy: Phonopy, settings: ForceSets) -> list[Atoms]:
    """Generate phonopy's displacements and return the displaced supercells."""
    phonopy.generate_displacements(
        distance=settings.displacement_distance_A, is_plusminus=settings.plus_minus, is_diagonal=settings.diagonal
    )
    return [to_ase(supercell) for supercell in phonopy.supercells_with_displacements or []]
