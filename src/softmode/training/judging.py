"""How far a potential's harmonic forces are from the reference's, compound by compound."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np

from softmode.engine.interruption import check
from softmode.potentials.base import HasCurvature, Potential
from softmode.stages.thermal_displacements import ThermalDisplacements

# Seed of the displacements along which potentials are judged, and their number for each compound. With other ones,
# errors of two trainings are not of the same displacements; a training draws by other seeds.
_SEED, _NUMBER = 20261127, 1


@dataclass(frozen=True)
class Error:
    """What a potential says of one compound.

    Attributes:
        entry: id
        harmonic_mae_eV_per_A: mean absolute difference of minus second derivatives times thermal displacements
        harmonic_slope: these against the reference's, by least squares through zero; below 1, the potential is soft
        forces_mae_eV_per_A: mean absolute difference of the forces in the displaced crystal, less those at rest, to the
            harmonic ones of the reference; what is not harmonic in the potential is in it
        force_eV_per_A: mean absolute harmonic force of the reference
    """

    entry: str
    harmonic_mae_eV_per_A: float
    harmonic_slope: float
    forces_mae_eV_per_A: float
    force_eV_per_A: float


def errors(potential: Potential, crystals: Iterable[ThermalDisplacements], temperature_K: float) -> Iterator[Error]:
    """Yield the errors of each compound, along thermal displacements that are the same for every potential.

    Args:
        potential: with second derivatives
        crystals: the compounds
        temperature_K: of the displacements
    """
    for crystal in crystals:
        check()
        snapshots = crystal.snapshots(temperature_K, _SEED, 0, _NUMBER)
        harmonic = -cast(HasCurvature, potential).curvature(crystal.supercell, snapshots.displacements)
        structures = [crystal.supercell.copy() for _ in range(_NUMBER + 1)]
        for atoms, displacements in zip(structures[1:], snapshots.displacements, strict=True):
            atoms.positions += displacements
        at_rest, *displaced = (evaluation.forces for evaluation in potential.evaluate(structures))
        reference = snapshots.forces
        yield Error(
            crystal.entry,
            float(np.abs(harmonic - reference).mean()),
            float((harmonic * reference).sum() / (reference**2).sum()),
            float(np.abs(np.array(displaced) - at_rest - reference).mean()),
            float(np.abs(reference).mean()),
        )
