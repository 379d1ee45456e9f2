"""Force constants that fit the forces of displaced supercells best, and how well they do on supercells held out."""

from dataclasses import dataclass

import numpy as np
from phonopy import Phonopy
from phonopy.harmonic.displacement import estimate_number_of_snapshots

from softmode.errors import EntryError
from softmode.stages.thermal_displacements import Snapshots, harmonic_forces


@dataclass(frozen=True)
class EffectiveForceConstants:
    """What a fit has found.

    Attributes:
        force_constants: in eV/Å², shape (n_supercell, n_supercell, 3, 3)
        held_out_residual_eV_per_A: root mean square of the forces of snapshots held out, less those of the fit
        held_out_residual_ratio: that to the root mean square of those forces; in the snapshots of the fit it would be
            lower by the number of parameters
    """

    force_constants: np.ndarray
    held_out_residual_eV_per_A: float
    held_out_residual_ratio: float


def least_number_of_snapshots(phonopy: Phonopy) -> int:
    """Return phonopy's number of snapshots ("auto"): four times as many as symfc counts for this symmetry."""
    return estimate_number_of_snapshots(phonopy.supercell, phonopy.symmetry)


def effective_force_constants(phonopy: Phonopy, fitted: Snapshots, held_out: Snapshots) -> EffectiveForceConstants:
    """Return the symmetric force constants of least squares (symfc: Seko and Togo, Phys. Rev. B 110, 214302 (2024)).

    Static forces, which a crystal that is not at its minimum has without any displacement, are no part of a fit:
    subtract them first.

    Args:
        phonopy: of the crystal, whose own force constants are not touched
        fitted: what is fitted
        held_out: others, by which the fit is judged

    Raises:
        EntryError: (kind `underdetermined`) there are fewer snapshots than phonopy's number, below which symfc returns
            wrong force constants without a word; or none are held out.
    """
    needed, there_are = least_number_of_snapshots(phonopy), len(fitted.forces)
    if there_are < needed or not len(held_out.forces):
        raise EntryError(
            "underdetermined",
            f"{there_are} snapshots to fit and {len(held_out.forces)} held out; this crystal needs {needed} and 1",
        )
    solver = phonopy.replicate()
    solver.dataset = {"displacements": fitted.displacements, "forces": fitted.forces}
    solver.produce_force_constants(fc_calculator="symfc", calculate_full_force_constants=True, show_drift=False)
    assert solver.force_constants is not None
    left = held_out.forces - harmonic_forces(solver.force_constants, held_out.displacements)
    residual, size = (float(np.sqrt(np.mean(forces**2))) for forces in (left, held_out.forces))
    return EffectiveForceConstants(solver.force_constants, residual, residual / size)
