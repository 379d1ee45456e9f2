"""From forces to frequencies, thermodynamics and stability, for potentials and reference by the same code."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import numpy as np
from ase import Atoms
from phonopy import Phonopy
from phonopy.harmonic.dynmat_to_fc import get_commensurate_points
from phonopy.physical_units import get_physical_units

from softmode.density_grid import density_of_states
from softmode.engine.records import Failure, Record
from softmode.errors import InputError
from softmode.reference.cells import build_cells, make_phonopy
from softmode.reference.dimensionality import in_slab, vacuum_axis_of_primitive
from softmode.reference.entry import Entry, ForceSet
from softmode.settings.harmonic import Phonons, Threshold
from softmode.stages.acoustic_modes import is_stable
from softmode.stages.agreement import disagreement
from softmode.stages.force_residual import force_residual
from softmode.stages.mesh import grid_matrix, run_mesh
from softmode.studies.harmonic.study import PHONONS, RELAX

STAGE = PHONONS.name


@dataclass(frozen=True)
class PhononTask:
    """What is known of one entry before this stage: its cell and forces, or why there are none.

    Attributes:
        values: numbers of the earlier stages, passed on
        force_constants: in eV/Å², compact, of a reference without forces
        own_numbers: what a reference's file states of itself
        mesh_of: the entry of the data set, for whose cell the mesh is made; None where there is no need of one
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
    mesh_of: Entry | None = None


def task_of_potential(record: Record, mesh_of: Entry | None = None) -> PhononTask:
    """Return the task that a record of force sets makes; `mesh_of` as in `PhononTask`."""
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
        mesh_of=mesh_of,
    )


def task_of_reference(entry: Entry, mesh_of: Entry | None = None) -> PhononTask:
    """Return the task that an entry's own reference makes; `mesh_of` another entry than itself for a yardstick."""
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
        mesh_of=mesh_of or entry,
    )


def task_of(found: Record | Entry, mesh_of: Entry | None = None) -> PhononTask:
    """Return the task that a record of force sets makes, or an entry of a reference; `mesh_of` as in `PhononTask`."""
    return task_of_reference(found, mesh_of) if isinstance(found, Entry) else task_of_potential(found, mesh_of)


def phonons(found: Iterator[tuple[Entry, Record | Entry]], source: str, settings: Phonons) -> Iterator[dict[str, Any]]:
    """Yield one row for each record of force sets, or for each entry of a reference; columns as `phonon_columns`.

    Args:
        found: each after the entry of the data set
        source: the potential's name, `reference` or `yardstick`
    """
    return compute_phonons((task_of(own, entry) for entry, own in found), source, settings)


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
            row |= failure.columns
        yield row | {"phonons_seconds": time.perf_counter() - started}


def _compute(task: PhononTask, settings: Phonons) -> dict[str, Any]:
    phonopy = _solved(task, settings)
    row: dict[str, Any] = {"n_primitive": len(phonopy.primitive)}
    before = {}
    if any(_before_sum_rule(threshold) for threshold in settings.stability.values()):
        before = commensurate_frequencies(phonopy)
    _impose_sum_rule(phonopy, settings)
    row |= force_residual(phonopy)
    row |= commensurate_frequencies(phonopy)
    for variant, threshold in settings.stability.items():
        row[f"stable_{variant}"] = is_stable_by(threshold, before if _before_sum_rule(threshold) else row)
    mesh = _mesh_of(task, settings)
    row |= {"mesh": mesh.tolist()} | thermodynamics(phonopy, mesh, settings)
    return row | disagreement(row, task.own_numbers)


def _mesh_of(task: PhononTask, settings: Phonons) -> np.ndarray:
    """Return the matrix of the mesh, see `stages.mesh`: of the entry's cell, whatever a potential made of it.

    Where a yardstick has the crystal in another cell than the data set, so that nothing corresponds, it is of its own.

    Raises:
        InputError: the task does not know the entry.
    """
    assert task.supercell_matrix is not None and task.primitive_matrix is not None  # `phonopy_of` has seen to it
    if task.mesh_of is None:
        raise InputError(f"{task.entry}: no mesh can be made without the entry")
    entry = task.mesh_of
    same = (
        np.array_equal(entry.unit_cell.numbers, task.unit_cell.numbers)
        and np.allclose(entry.supercell_matrix, task.supercell_matrix)
        and np.allclose(entry.primitive_matrix, task.primitive_matrix)
    )
    unit_cell = entry.unit_cell if same else task.unit_cell
    tolerance = settings.symmetry_tolerance_A
    _, primitive = build_cells(unit_cell, task.supercell_matrix, task.primitive_matrix, tolerance)
    return grid_matrix(primitive, settings.mesh, tolerance)


class HowForceConstantsAreMade(Protocol):
    """What of the settings force constants depend on; every study that makes them takes it from the phonons."""

    @property
    def subtract_mean_force(self) -> bool:
        """Subtract the mean force of each displaced supercell."""

    @property
    def symmetrization_level(self) -> int:
        """phonopy's symmetrize_force_constants(level); 0: not symmetrised."""

    @property
    def symmetry_tolerance_A(self) -> float:
        """phonopy's symprec, in Å."""


def phonopy_of(task: PhononTask, settings: HowForceConstantsAreMade) -> Phonopy:
    """Return phonopy's object with the force constants that the protocol makes of a task's forces.

    Displacements of single atoms are solved for by phonopy's own method, those of all atoms by symfc. What is given as
    force constants is symmetrised like the others.

    Raises:
        InputError: the task has neither forces nor force constants.
    """
    phonopy = _solved(task, settings)
    _impose_sum_rule(phonopy, settings)
    return phonopy


def _solved(task: PhononTask, settings: HowForceConstantsAreMade) -> Phonopy:
    """Return the same with the force constants as they were solved or given, not symmetrised."""
    known = task.force_set is not None or task.force_constants is not None
    if task.failure or not known or task.supercell_matrix is None or task.primitive_matrix is None:
        why = f": {task.failure.stage}: {task.failure.kind}: {task.failure.message}" if task.failure else ""
        raise InputError(f"no forces for {task.entry}{why}")
    phonopy = make_phonopy(task.unit_cell, task.supercell_matrix, task.primitive_matrix, settings.symmetry_tolerance_A)
    if task.force_set is None:
        phonopy.force_constants = task.force_constants
    else:
        _solve(phonopy, task.force_set, settings)
    return phonopy


def _solve(phonopy: Phonopy, force_set: ForceSet, settings: HowForceConstantsAreMade) -> None:
    forces = force_set.forces
    if settings.subtract_mean_force:
        forces = forces - forces.mean(axis=1, keepdims=True)
    phonopy.dataset = replace(force_set, forces=forces).to_phonopy()
    solver: Literal["traditional", "symfc"] = "traditional" if force_set.atoms is not None else "symfc"
    phonopy.produce_force_constants(fc_calculator=solver, show_drift=False)


def renew_force_constants(phonopy: Phonopy, force_set: ForceSet, settings: HowForceConstantsAreMade) -> None:
    """Give an object of `phonopy_of` the force constants of other forces in the same cell.

    A new object would take four times as long: it looks for the symmetry anew.
    """
    _solve(phonopy, force_set, settings)
    _impose_sum_rule(phonopy, settings)


def _impose_sum_rule(phonopy: Phonopy, settings: HowForceConstantsAreMade) -> None:
    if settings.symmetrization_level:
        phonopy.symmetrize_force_constants(level=settings.symmetrization_level, show_drift=False)


def commensurate_frequencies(phonopy: Phonopy) -> dict[str, Any]:
    """Return frequencies at the q points commensurate with the supercell, and their extremes.

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
    return {
        "qpoints": qpoints.tolist(),
        "frequencies_THz": frequencies.tolist(),
        "omega_max_K": float(in_kelvin.max()),
        "omega_min_K": float(in_kelvin.min()),
        "omega_avg_K": float(in_kelvin.mean()),
    }


def _before_sum_rule(threshold: Threshold) -> bool:
    return threshold.get("before_sum_rule", False)


def is_stable_by(threshold: Threshold, modes: Mapping[str, Any]) -> bool:
    """Return whether none of the `commensurate_frequencies` is imaginary, whenever the threshold is to be judged."""
    in_kelvin = np.array(modes["frequencies_THz"]) * kelvin_per_THz()
    return is_stable(np.array(modes["qpoints"]), in_kelvin, threshold["acoustic_gamma_K"], threshold["other_K"])


def kelvin_per_THz() -> float:
    """Return h/k_B in K per THz, about 47.992."""
    units = get_physical_units()
    return float(units.THzToEv / units.KB)


def thermodynamics(phonopy: Phonopy, matrix: np.ndarray, settings: Phonons) -> dict[str, Any]:
    """Return free energy (kJ/mol), entropy and heat capacity (J/K/mol) of a primitive cell, and the density of states.

    The density of states is that of the mesh, see `density_grid.density_of_states`.

    Args:
        matrix: of the mesh, see `stages.mesh`
    """
    mesh = run_mesh(phonopy, matrix, settings.mesh)
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
