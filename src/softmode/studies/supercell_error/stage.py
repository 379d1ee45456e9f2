"""What a supercell makes wrong: frequencies interpolated from it against exact ones, of the same potential.

The dynamical matrix at a wave vector that fits into a supercell is exact, however far forces reach: what of them goes
beyond the supercell has come back by its periodicity with the right phase. A supercell of twice the length has the wave
vectors halfway between those of the data set's, where the interpolation of the smaller one is worst. Its force
constants, summed over the images of an atom, are the smaller supercell's own; so one calculation gives both.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from ase import Atoms
from ase.geometry import minkowski_reduce

from softmode.engine.parquet import Column
from softmode.engine.records import Record
from softmode.reference.cells import build_cells
from softmode.reference.entry import Entry, ForceSet
from softmode.stages.phonons import (
    PhononTask,
    commensurate_frequencies,
    is_stable_by,
    kelvin_per_THz,
    phonopy_of,
    task_of_potential,
)
from softmode.stages.table_row import table_row
from softmode.stages.thermodynamics import thermodynamics_per_atom
from softmode.studies.supercell_error.settings import DoubledSupercell, SupercellError
from softmode.studies.supercell_error.study import SUPERCELL_ERROR

_THERMODYNAMICS = (
    "free_energy_error_kJ_per_mol_atoms",
    "entropy_error_J_per_K_mol_atoms",
    "heat_capacity_error_J_per_K_mol_atoms",
)
_F, _B = pa.float64(), pa.bool_()


def doubled_columns(settings: DoubledSupercell) -> list[Column]:
    """Return the columns that the stage before adds; not beside it, as no potential's environment has pyarrow."""
    return [
        Column("n_supercell", pa.int64(), "", "atoms of the doubled supercell"),
        Column("n_displacements", pa.int64(), "", "directions along which second derivatives were taken"),
    ]


def columns(settings: SupercellError) -> list[Column]:
    """Return the columns of the stage's table; a difference is interpolated minus exact."""
    at = f"at {settings.temperature_K:g} K, both on the same wave vectors"
    which = f"by the threshold '{settings.stability}'"
    unstable = "missing where a mode is imaginary in either"
    return [
        Column("supercell_length_A", _F, "Å", "shortest lattice vector of the data set's supercell, relaxed"),
        Column("n_qpoints", pa.int64(), "", "wave vectors that fit into the doubled supercell"),
        Column("largest_frequency_error_THz", _F, "THz", "largest absolute difference of a frequency"),
        Column("rms_frequency_error_THz", _F, "THz", "root mean square over wave vectors and bands"),
        Column("omega_max_error_K", _F, "K", "difference of the highest frequency"),
        Column("entropy_error_J_per_K_mol_atoms", _F, "J/K/mol", f"of entropies {at}; {unstable}"),
        Column("free_energy_error_kJ_per_mol_atoms", _F, "kJ/mol", f"of free energies {at}; {unstable}"),
        Column("heat_capacity_error_J_per_K_mol_atoms", _F, "J/K/mol", f"of heat capacities {at}; {unstable}"),
        Column("omega_min_interpolated_K", _F, "K", "lowest frequency, imaginary negative"),
        Column("omega_min_exact_K", _F, "K", "lowest frequency, imaginary negative"),
        Column("stable_protocol", _B, "", f"at the wave vectors of the data set's supercell, as phonons say; {which}"),
        Column("stable_interpolated", _B, "", f"at those of the doubled supercell, interpolated; {which}"),
        Column("stable_exact", _B, "", f"at those of the doubled supercell, exact; {which}"),
    ]


def compute_errors(
    found: Iterator[tuple[Entry, Record]], source: str, settings: SupercellError
) -> Iterator[dict[str, Any]]:
    """Yield one row for each record of a doubled supercell.

    Args:
        found: each after the entry of the data set, whose supercell is judged
        source: the potential's name
    """
    for entry, record in found:
        yield table_row(SUPERCELL_ERROR, source, entry.id, record.failure, partial(_errors, entry, record, settings))


def _errors(entry: Entry, record: Record, settings: SupercellError) -> dict[str, Any]:
    doubled = task_of_potential(record)
    exact = phonopy_of(doubled, settings)
    small = phonopy_of(folded(doubled, entry.supercell_matrix, settings.symmetry_tolerance_A), settings)
    fitting = commensurate_frequencies(exact)
    qpoints, expected = np.array(fitting["qpoints"]), np.array(fitting["frequencies_THz"])
    interpolated = np.asarray(small.run_qpoints(qpoints).frequencies)
    own = commensurate_frequencies(small)
    difference = interpolated - expected
    kelvin = kelvin_per_THz()
    threshold = settings.thresholds[settings.stability]

    row = {
        "supercell_length_A": _shortest_vector(entry.supercell_matrix, doubled.unit_cell),
        "n_qpoints": len(qpoints),
        "largest_frequency_error_THz": float(np.abs(difference).max()),
        "rms_frequency_error_THz": float(np.sqrt((difference**2).mean())),
        "omega_max_error_K": float((interpolated.max() - expected.max()) * kelvin),
        "omega_min_interpolated_K": float(interpolated.min() * kelvin),
        "omega_min_exact_K": float(expected.min() * kelvin),
        "stable_protocol": is_stable_by(threshold, own),
        "stable_interpolated": is_stable_by(threshold, fitting | {"frequencies_THz": interpolated}),
        "stable_exact": is_stable_by(threshold, fitting),
    }
    if row["stable_interpolated"] and row["stable_exact"]:
        errors = thermodynamics_per_atom(qpoints, interpolated, settings.temperature_K)
        errors -= thermodynamics_per_atom(qpoints, expected, settings.temperature_K)
        row |= dict(zip(_THERMODYNAMICS, errors.tolist(), strict=True))
    return row


def folded(doubled: PhononTask, supercell_matrix: np.ndarray, tolerance: float) -> PhononTask:
    """Return the task of a smaller supercell: forces of an atom are the sum over its images in the larger one.

    That all images of an atom are displaced in the smaller supercell is the same as that all of their forces act on it.

    Args:
        doubled: with a force set of displaced single atoms
        supercell_matrix: of the smaller one, whose lattice has that of the larger one
        tolerance: phonopy's symprec in Å
    """
    assert doubled.force_set is not None and doubled.force_set.atoms is not None
    assert doubled.supercell_matrix is not None and doubled.primitive_matrix is not None
    primitive = doubled.primitive_matrix
    large, _ = build_cells(doubled.unit_cell, doubled.supercell_matrix, primitive, tolerance)
    small, _ = build_cells(doubled.unit_cell, supercell_matrix, primitive, tolerance)
    apart = (large.positions[:, None] - small.positions) @ np.linalg.inv(small.cell)
    apart = np.linalg.norm((apart - np.rint(apart)) @ small.cell, axis=2)
    image_of = apart.argmin(axis=1)
    assert np.take_along_axis(apart, image_of[:, None], axis=1).max() < tolerance
    force_set = doubled.force_set
    forces = np.stack([force_set.forces[:, image_of == atom].sum(axis=1) for atom in range(len(small))], axis=1)
    summed = ForceSet(image_of[force_set.atoms], force_set.displacements, forces)
    return replace(doubled, supercell_matrix=supercell_matrix, force_set=summed)


def _shortest_vector(supercell_matrix: np.ndarray, unit_cell: Atoms) -> float:
    reduced, _ = minkowski_reduce(supercell_matrix.T @ unit_cell.cell.array)
    return float(np.linalg.norm(reduced, axis=1).min())
