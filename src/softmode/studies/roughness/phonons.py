"""Phonons of the same relaxed cell by displacements of several lengths, and by exact second derivatives."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from phonopy import Phonopy

from softmode.engine.parquet import Column
from softmode.engine.records import Record
from softmode.reference.entry import Entry, ForceSet
from softmode.stages.mesh import grid_matrix, run_mesh
from softmode.stages.phonons import (
    PhononTask,
    commensurate_frequencies,
    is_stable_by,
    phonopy_of,
    renew_force_constants,
    task_of_potential,
)
from softmode.stages.table_row import table_row
from softmode.studies.roughness.settings import DisplacementScan, ScannedPhonons
from softmode.studies.roughness.study import SCANNED_PHONONS

# What is known at each distance, the last one that of the exact derivatives: column, unit, meaning.
_QUANTITIES = (
    ("scanned_omega_max_K", "K", "highest frequency"),
    ("scanned_omega_min_K", "K", "lowest frequency, imaginary ones negative"),
    ("scanned_entropy_J_per_K_mol_atoms", "J/K/mol atoms", "entropy"),
    ("scanned_free_energy_kJ_per_mol_atoms", "kJ/mol atoms", "free energy"),
    ("scanned_heat_capacity_J_per_K_mol_atoms", "J/K/mol atoms", "heat capacity"),
)


def scan_columns(settings: DisplacementScan) -> list[Column]:
    """Return what the records of the scan have for the study's table: nothing; their forces become phonons first."""
    return []


def columns(settings: ScannedPhonons) -> list[Column]:
    """Return the columns of the stage's table; each list has a value for each distance, then that of the exact ones."""
    numbers = pa.list_(pa.float64())
    return [
        Column("displacement_distances_A", numbers, "Å", "lengths of the displacements, 0 for exact derivatives"),
        Column(
            "force_constants_change",
            numbers,
            "",
            "norm of the force constants' difference from the exact ones, over the norm of these",
        ),
        *(Column(name, numbers, unit, meaning) for name, unit, meaning in _QUANTITIES),
        Column("scanned_stable", pa.list_(pa.bool_()), "", "dynamically stable, by the variant of the report"),
    ]


def scanned_phonons(
    found: Iterator[tuple[Entry, Record]], source: str, settings: ScannedPhonons
) -> Iterator[dict[str, Any]]:
    """Yield one row for each record of a scan.

    Args:
        found: each after the entry of the data set
        source: the potential's name
    """
    for _, own in found:
        yield table_row(SCANNED_PHONONS, source, own.entry, own.failure, partial(_compute, own, settings))


def _compute(own: Record, settings: ScannedPhonons) -> dict[str, Any]:
    task = task_of_potential(own)
    exact = ForceSet(*(own.arrays[f"exact_{part}"] for part in ("atoms", "displacements", "forces")))
    phonopy = phonopy_of(replace(task, force_set=exact), settings)
    mesh = grid_matrix(phonopy.primitive, settings.mesh, settings.symmetry_tolerance_A)
    constants = _force_constants(phonopy)
    of_exact = {"displacement_distances_A": 0.0, "force_constants_change": 0.0} | _properties(phonopy, mesh, settings)
    rows = []
    for distance, force_set in _force_sets(task, own, settings):
        renew_force_constants(phonopy, force_set, settings)
        change = float(np.linalg.norm(_force_constants(phonopy) - constants) / np.linalg.norm(constants))
        rows.append(
            {"displacement_distances_A": distance, "force_constants_change": change}
            | _properties(phonopy, mesh, settings)
        )
    rows.append(of_exact)
    return {name: [row[name] for row in rows] for name in rows[0]}


def _force_constants(phonopy: Phonopy) -> np.ndarray:
    assert phonopy.force_constants is not None
    return phonopy.force_constants.copy()


def _force_sets(task: PhononTask, own: Record, settings: ScannedPhonons) -> list[tuple[float, ForceSet]]:
    """Return the force set of each distance, the shortest first."""
    assert task.force_set is not None
    known = settings.displacement_distance_A
    found = [(known, task.force_set)]
    for distance, forces in zip(settings.displacement_distances_A, own.arrays["scanned_forces"], strict=True):
        displacements = task.force_set.displacements * (distance / known)
        found.append((distance, ForceSet(task.force_set.atoms, displacements, forces)))
    return sorted(found, key=lambda pair: pair[0])


def _properties(phonopy: Phonopy, mesh: np.ndarray, settings: ScannedPhonons) -> dict[str, Any]:
    modes = commensurate_frequencies(phonopy)
    run_mesh(phonopy, mesh, settings.mesh)
    result: Any = phonopy.run_thermal_properties(
        temperatures=[settings.temperature_K], exclude_gamma_acoustic=settings.exclude_gamma_acoustic
    )
    n_atoms = len(phonopy.primitive)
    return {
        "scanned_omega_max_K": modes["omega_max_K"],
        "scanned_omega_min_K": modes["omega_min_K"],
        "scanned_entropy_J_per_K_mol_atoms": float(result.entropy[0]) / n_atoms,
        "scanned_free_energy_kJ_per_mol_atoms": float(result.free_energy[0]) / n_atoms,
        "scanned_heat_capacity_J_per_K_mol_atoms": float(result.heat_capacity[0]) / n_atoms,
        "scanned_stable": is_stable_by(settings.stability[settings.reported_stability], modes),
    }
