"""Relaxation whose volume comes from energies, not from the stress.

With a fixed plane-wave cutoff the stress carries a Pulay error that moves a lattice constant by per cents (MgO at
500 eV: 4.10 Å where the energies' minimum is at 4.25 Å); energies at one cutoff do not. The error is a pressure: the
shape of the cell and the positions may follow the stress at constant volume.
"""

import warnings
from collections.abc import Generator

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixSymmetry
from ase.eos import EquationOfState
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS

from softmode.errors import EntryError
from softmode.potentials.base import KPOINT_CELL, Evaluation
from softmode.settings.relaxation import EquationOfStateRelaxation
from softmode.stages.relaxed import RelaxationSteps, Relaxed, check_physical, without_constraints


def relax_by_equation_of_state(unit_cell: Atoms, settings: EquationOfStateRelaxation) -> RelaxationSteps:
    """Find the volume of least energy by Birch-Murnaghan fits, and shape and positions by ASE's BFGS between them.

    Rounds of both go on until a new volume asks for no new shape; in a cubic cell without free coordinates the first
    scan with its minimum inside is the last. The structures carry the unit cell as `atoms.info["kpoint_cell"]`, so
    that a density-functional calculator keeps one mesh of k points throughout.

    Raises:
        EntryError: `not_converged`, `unphysical_forces` or `symmetry_broken`.
    """
    atoms = without_constraints(unit_cell)
    atoms.info[KPOINT_CELL] = unit_cell.cell.array
    n_evaluations = 0
    for _ in range(settings.rounds):
        volumes = [atoms.cell.volume * (1 + strain) for strain in settings.volume_strains]
        evaluations = yield [_scaled(atoms, volume) for volume in volumes]
        for evaluation in evaluations:
            check_physical(evaluation, settings.force_unphysical_eV_per_A)
        minimum = _volume_of_least_energy(volumes, [evaluation.energy for evaluation in evaluations])
        n_evaluations += len(volumes)
        atoms = _scaled(atoms, float(np.clip(minimum, volumes[0], volumes[-1])))
        if not volumes[0] < minimum < volumes[-1]:
            continue
        atoms, final, largest, n_steps = yield from _relax_shape(atoms, settings)
        n_evaluations += n_steps + 1
        if n_steps == 0:
            return Relaxed(atoms, final, largest, n_evaluations)
    raise EntryError(
        "not_converged",
        f"volume and shape still moved after {settings.rounds} scans of the volume, the last from "
        f"{volumes[0]:.4g} to {volumes[-1]:.4g} Å³ with its minimum at {minimum:.4g} Å³",
    )


def _volume_of_least_energy(volumes: list[float], energies: list[float]) -> float:
    try:
        with warnings.catch_warnings():  # a minimum outside the scan is seen by the caller
            warnings.simplefilter("ignore")
            return float(EquationOfState(volumes, energies, eos="birchmurnaghan").fit()[0])
    except (ValueError, RuntimeError) as error:
        raise EntryError("not_converged", f"no minimum of the energies over the volume: {error}") from error


def _relax_shape(
    unit_cell: Atoms, settings: EquationOfStateRelaxation
) -> Generator[list[Atoms], list[Evaluation], tuple[Atoms, Evaluation, float, int]]:
    """Relax positions and shape at constant volume; return structure, evaluation, largest force and steps."""
    atoms = unit_cell.copy()
    n_steps = 0
    try:
        atoms.set_constraint(FixSymmetry(atoms, symprec=settings.symmetry_tolerance_A))
        filtered = FrechetCellFilter(atoms, constant_volume=True)
        optimizer = BFGS(filtered, logfile=None)  # type: ignore[arg-type]
        while True:
            bare = without_constraints(atoms)
            bare.info = dict(unit_cell.info)
            (evaluation,) = yield [bare]
            check_physical(evaluation, settings.force_unphysical_eV_per_A)
            atoms.calc = SinglePointCalculator(
                atoms, energy=evaluation.energy, forces=evaluation.forces, stress=evaluation.stress
            )
            largest = float(np.linalg.norm(filtered.get_forces(), axis=1).max())
            if largest < settings.force_target_eV_per_A:
                return bare, evaluation, largest, n_steps
            if n_steps == settings.steps_per_round:
                raise EntryError(
                    "not_converged", f"largest force {largest:.4g} eV/Å after {n_steps} steps at constant volume"
                )
            optimizer.step()
            n_steps += 1
    except RuntimeError as error:  # FixSymmetry's way to say that a step was too large for it
        raise EntryError("symmetry_broken", f"after {n_steps} steps: {error}") from error


def _scaled(atoms: Atoms, volume: float) -> Atoms:
    scaled = atoms.copy()
    scaled.set_cell(atoms.cell * (volume / atoms.cell.volume) ** (1 / 3), scale_atoms=True)
    return scaled
