"""Relaxation of a cubic cell by an equation of state.

With a fixed plane-wave cutoff the stress carries a Pulay error that moves a lattice constant by per cents (MgO at
500 eV: 4.10 Å where the energies' minimum is at 4.25 Å); energies at one cutoff do not. Without free coordinates the
volume is the only degree of freedom of a cubic cell.
"""

import warnings

import numpy as np
import spglib
from ase import Atoms
from ase.eos import EquationOfState

from softmode.errors import EntryError
from softmode.potentials.base import KPOINT_CELL
from softmode.protocol import EquationOfStateRelaxation
from softmode.stages.relaxed import RelaxationSteps, Relaxed, check_physical

_FIRST_CUBIC_SPACE_GROUP = 195


def relax_by_equation_of_state(unit_cell: Atoms, settings: EquationOfStateRelaxation) -> RelaxationSteps:
    """Find the volume of least energy by a Birch-Murnaghan fit, with fixed fractional coordinates.

    The structures carry the unit cell as `atoms.info["kpoint_cell"]`, so that a density-functional calculator keeps one
    mesh of k points along the curve.

    Raises:
        EntryError: `not_cubic`, `not_converged` (no minimum within the strains), or `free_coordinates` where the forces
            at the minimum say that the positions are not fixed by symmetry.
    """
    symmetry = spglib.get_symmetry_dataset(
        (unit_cell.cell.array, unit_cell.get_scaled_positions(), unit_cell.numbers), settings.symmetry_tolerance_A
    )
    if symmetry is None or symmetry.number < _FIRST_CUBIC_SPACE_GROUP:
        raise EntryError("not_cubic", "an equation of state relaxes cubic cells only; use the method 'fire'")
    centre = unit_cell.cell.volume
    n_energies = 0
    for _ in range(settings.rounds):
        volumes = [centre * (1 + strain) for strain in settings.volume_strains]
        evaluations = yield [_scaled(unit_cell, volume) for volume in volumes]
        n_energies += len(volumes)
        for evaluation in evaluations:
            check_physical(evaluation, settings.force_unphysical_eV_per_A)
        fit = EquationOfState(volumes, [evaluation.energy for evaluation in evaluations], eos="birchmurnaghan")
        try:
            with warnings.catch_warnings():  # a minimum outside the scan is seen below
                warnings.simplefilter("ignore")
                minimum = float(fit.fit()[0])
        except (ValueError, RuntimeError) as error:
            raise EntryError("not_converged", f"no minimum of the energies over the volume: {error}") from error
        inside = volumes[0] < minimum < volumes[-1]
        centre = float(np.clip(minimum, volumes[0], volumes[-1]))
        if inside:
            break
    else:
        raise EntryError(
            "not_converged", f"the minimum was still at the rim after {settings.rounds} scans of the volume"
        )
    relaxed = _scaled(unit_cell, minimum)
    (final,) = yield [relaxed]
    largest = float(np.linalg.norm(final.forces, axis=1).max())
    if largest > settings.force_accepted_eV_per_A:
        raise EntryError(
            "free_coordinates", f"a force of {largest:.3g} eV/Å at the minimum of the energy over the volume"
        )
    return Relaxed(relaxed, final, largest, n_energies + 1)


def _scaled(unit_cell: Atoms, volume: float) -> Atoms:
    atoms = unit_cell.copy()
    atoms.set_cell(unit_cell.cell * (volume / unit_cell.cell.volume) ** (1 / 3), scale_atoms=True)
    atoms.info[KPOINT_CELL] = unit_cell.cell.array
    return atoms
