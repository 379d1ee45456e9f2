"""From forces to frequencies, thermodynamics and stability, for potentials and reference by the same code."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from ase import Atoms
from phonopy import Phonopy
from phonopy.harmonic.dynmat_to_fc import get_commensurate_points
from phonopy.phonon.grid import length2mesh
from phonopy.physical_units import get_physical_units
from phonopy.structure.atoms import PhonopyAtoms

from softmode.density_grid import density_of_states
from softmode.engine.records import Failure, Record
from softmode.errors import InputError
from softmode.reference.cells import make_phonopy
from softmode.reference.dimensionality import in_slab, slab_lattice, vacuum_axis_of_primitive
from softmode.reference.entry import Entry, ForceSet
from softmode.settings.protocol import Phonons
from softmode.stages.acoustic_modes import is_stable
from softmode.stages.agreement import disagreement
from softmode.stages.force_residual import force_residual
from softmode.studies.harmonic.study import PHONONS, RELAX

STAGE = PHONONS.name


@dataclass(frozen=True)
class PhononTask:
    """What is known of one entry before this stage: its cell and forces, or why there are none.

    Attributes:
        values: numbers of the earlier stages, passed on
        force_constants: in eV/Å², compact, of a reference without forces
        own_numbers: what a reference's file states of itself
    """

    entry: str
    unit_cell: Atoms
    supercell_matrix: np.ndarray | None
    primitive_matrix: np.ndarray | None
    force_set: ForceSet | None
    energy: float | None
    values: Mapping[str, Any]
    failure: Failure | None
    force_constants: np.ndarray | None = None
    own_numbers: Mapping[str, Any] = field(default_factory=dict)


def task_of_potential(record: Record) -> PhononTask:
    """Return the task that a record of force sets makes."""
    arrays = record.arrays
    # a yardstick that lacks the entry has no cell of it either
    relaxed = len(record.atoms) > 0 and (record.failure is None or record.failure.stage != RELAX.name)
    return PhononTask(
        entry=record.entry,
        unit_cell=record.atoms,
        supercell_matrix=arrays.get("supercell_matrix"),
        primitive_matrix=arrays.get("primitive_matrix"),
        force_set=ForceSet.from_arrays(arrays),
        energy=record.atoms.get_potential_energy() if relaxed else None,
        values=record.values,
        failure=record.failure,
    )


def task_of_reference(entry: Entry) -> PhononTask:
    """Return the task that an entry's own reference makes."""
    failure = None
    if not entry.reference:
        failure = Failure(
            "dataset", "no_reference", "the data set has neither forces nor force constants of this entry"
        )
    return PhononTask(
        entry=entry.id,
        unit_cell=entry.unit_cell,
        supercell_matrix=entry.supercell_matrix,
        primitive_matrix=entry.primitive_matrix,
        force_set=entry.force_set,
        energy=entry.energy,
        values={},
        failure=failure,
        force_constants=entry.force_constants,
        own_numbers=entry.own_numbers,
    )


def task_of(found: Record | Entry) -> PhononTask:
    """Return the task that a record of force sets makes, or an entry of a reference."""
    return task_of_reference(found) if isinstance(found, Entry) else task_of_potential(found)


def phonons(found: Iterator[Record | Entry], source: str, settings: Phonons) -> Iterator[dict[str, Any]]:
    """Yield one row for each record of force sets, or for each entry of a reference; columns as `phonon_columns`.

    Args:
        source: the potential's name, `reference` or `yardstick`
    """
    return compute_phonons(map(task_of, found), source, settings)


def compute_phonons(tasks: Iterator[PhononTask], source: str, settings: Phonons) -> Iterator[dict[str, Any]]:
    """Yield one row for each task; columns as in `compare.properties`.

    Args:
        source: the potential's name, `reference` or `yardstick`
    """
    for task in tasks:
        started = time.perf_counter()
        row: dict[str, Any] = {"entry": task.entry, "source": source, "status": "done"} | dict(task.values)
        failure = task.failure
        if len(task.unit_cell) and (failure is None or failure.stage != RELAX.name):
            n_atoms = len(task.unit_cell)
            row["volume_A3_per_atom"] = task.unit_cell.cell.volume / n_atoms
            row["energy_eV_per_atom"] = None if task.energy is None else task.energy / n_atoms
        if failure is None:
            try:
                row |= _compute(task, settings)
            except Exception as error:  # one entry must never stop the others
                failure = Failure(STAGE, "crash", f"{type(error).__name__}: {error}")
        if failure:
            row |= {
                "status": "failed",
                "failed_stage": failure.stage,
                "failed_kind": failure.kind,
                "message": failure.message,
            }
        yield row | {"phonons_seconds": time.perf_counter() - started}


def _compute(task: PhononTask, settings: Phonons) -> dict[str, Any]:
    phonopy = phonopy_of(task, settings)
    row: dict[str, Any] = {"n_primitive": len(phonopy.primitive)}
    row |= force_residual(phonopy)
    row |= commensurate_frequencies(phonopy, settings)
    row |= thermodynamics(phonopy, settings)
    return row | disagreement(row, task.own_numbers)


def phonopy_of(task: PhononTask, settings: Phonons) -> Phonopy:
    """Return phonopy's object with the force constants that the protocol makes of a task's forces.

    Displacements of single atoms are solved for by phonopy's own method, those of all atoms by symfc. What is given as
    force constants is symmetrised like the others.

    Raises:
        InputError: the task has neither forces nor force constants.
    """
    known = task.force_set is not None or task.force_constants is not None
    if task.failure or not known or task.supercell_matrix is None or task.primitive_matrix is None:
        why = f": {task.failure.stage}: {task.failure.kind}: {task.failure.message}" if task.failure else ""
        raise InputError(f"no forces for {task.entry}{why}")
    phonopy = make_phonopy(task.unit_cell, task.supercell_matrix, task.primitive_matrix, settings.symmetry_tolerance_A)
    if task.force_set is None:
        phonopy.force_constants = task.force_constants
    else:
        forces = task.force_set.forces
        if settings.subtract_mean_force:
            forces = forces - forces.mean(axis=1, keepdims=True)
        phonopy.dataset = replace(task.force_set, forces=forces).to_phonopy()
        solver: Literal["traditional", "symfc"] = "traditional" if task.force_set.atoms is not None else "symfc"
        phonopy.produce_force_constants(fc_calculator=solver, show_drift=False)
    if settings.symmetrization_level:
        phonopy.symmetrize_force_constants(level=settings.symmetrization_level, show_drift=False)
    return phonopy


def commensurate_frequencies(phonopy: Phonopy, settings: Phonons) -> dict[str, Any]:
    """Return frequencies at the q points commensurate with the supercell, their extremes, and stability.

    Of a slab only those in its plane count: across the vacuum modes repeat, and the zeros of the acoustic ones, which
    are not exact, must not decide about stability.

    Frequencies are in THz, imaginary ones negative, shape (n_q, n_bands); ω_max, ω_min and the plain mean over q
    points and bands are in K.
    """
    to_primitive = np.linalg.inv(phonopy.primitive_matrix) @ phonopy.supercell_matrix
    qpoints = get_commensurate_points(np.rint(to_primitive).astype(int))
    across = vacuum_axis_of_primitive(phonopy.primitive)
    if across is not None:
        qpoints = in_slab(qpoints, across)
    frequencies = np.asarray(phonopy.run_qpoints(qpoints).frequencies)
    in_kelvin = frequencies * kelvin_per_THz()
    row = {
        "qpoints": qpoints.tolist(),
        "frequencies_THz": frequencies.tolist(),
        "omega_max_K": float(in_kelvin.max()),
        "omega_min_K": float(in_kelvin.min()),
        "omega_avg_K": float(in_kelvin.mean()),
    }
    for variant, threshold in settings.stability.items():
        row[f"stable_{variant}"] = is_stable(qpoints, in_kelvin, threshold["acoustic_gamma_K"], threshold["other_K"])
    return row


def kelvin_per_THz() -> float:
    """Return h/k_B in K per THz, about 47.992."""
    units = get_physical_units()
    return float(units.THzToEv / units.KB)


def _run_mesh(phonopy: Phonopy, size: Mapping[str, Any]) -> Any:
    """Return phonopy's frequencies on the protocol's mesh, which for a slab is one of two dimensions in its plane."""
    across = vacuum_axis_of_primitive(phonopy.primitive)
    if across is None:
        numbers = size.get("length_A") or size["numbers"]
        return phonopy.run_mesh(numbers, is_gamma_center=True, is_mesh_symmetry=not _has_isotopes(phonopy.primitive))
    if "length_A" in size:
        lattice = slab_lattice(phonopy.primitive.cell, across)
        numbers = length2mesh(size["length_A"], lattice, phonopy.primitive_symmetry.pointgroup_operations)
    else:
        numbers = np.array(size["numbers"])
    numbers[across] = 1
    # symmetry may take a point of the plane across the vacuum, where the cell is tilted; the mesh is small without it
    return phonopy.run_mesh(numbers, is_gamma_center=True, is_mesh_symmetry=False)


def _has_isotopes(cell: PhonopyAtoms) -> bool:
    """Return whether atoms of one element have several masses, of which phonopy's symmetry knows nothing."""
    return len(set(zip(cell.numbers, cell.masses, strict=True))) > len(set(cell.numbers))


def thermodynamics(phonopy: Phonopy, settings: Phonons) -> dict[str, Any]:
    """Return free energy (kJ/mol), entropy and heat capacity (J/K/mol) of a primitive cell, and the density of states.

    The density of states is that of the mesh, see `density_grid.density_of_states`.
    """
    mesh = _run_mesh(phonopy, settings.mesh)
    result: Any = phonopy.run_thermal_properties(
        temperatures=settings.temperatures_K, exclude_gamma_acoustic=settings.exclude_gamma_acoustic
    )
    densities = density_of_states(mesh.frequencies, mesh.weights, settings.density_of_states)
    return {
        "temperatures_K": [float(temperature) for temperature in result.temperatures],
        "free_energy_kJ_per_mol": result.free_energy.tolist(),
        "entropy_J_per_K_mol": result.entropy.tolist(),
        "heat_capacity_J_per_K_mol": result.heat_capacity.tolist(),
        "density_of_states_per_THz": densities.astype(np.float32).tolist(),
    }
