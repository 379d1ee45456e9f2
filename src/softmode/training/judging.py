"""How far a potential's harmonic forces are from the reference's, compound by compound."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from softmode.engine.interruption import check
from softmode.potentials.base import Potential
from softmode.stages.thermal_displacements import ThermalDisplacements, made_small, moved
from softmode.training.losses import DISPLACEMENT_DISTANCE, far_from_rest

# Seed of the displacements along which potentials are judged. With another one, errors of two trainings are not of the
# same displacements; a training draws by other seeds.
_SEED = 20261127


@dataclass(frozen=True)
class Error:
    """What a potential says of one compound.

    Attributes:
        entry: id
        harmonic_mae_eV_per_A: mean absolute difference of minus second derivatives times thermal displacements; they
            are differences over small ones along the same directions, as in a campaign
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
        potential: any
        crystals: the compounds
        temperature_K: of the displacements
    """
    for crystal in crystals:
        check()
        snapshot = crystal.snapshots(temperature_K, _SEED, 0, 1)
        (displacements,), (reference,) = snapshot.displacements, snapshot.forces
        small, larger = made_small(displacements, DISPLACEMENT_DISTANCE)
        structures = [moved(crystal.supercell, by) for by in (0 * small, displacements, small, -small)]
        at_rest, displaced, forward, back = (found.forces for found in potential.evaluate(structures))
        harmonic = (forward - back) / 2 * larger
        yield Error(
            crystal.entry,
            float(np.abs(harmonic - reference).mean()),
            float((harmonic * reference).sum() / (reference**2).sum()),
            float(np.abs(displaced - at_rest - reference).mean()),
            float(np.abs(reference).mean()),
        )


@dataclass(frozen=True)
class Change:
    """By how much a potential is another than before, far from rest: what it may have lost.

    Attributes:
        far_force_change: mean absolute difference of forces in a strained and rattled unit cell, over their mean before
        far_energy_change_eV_per_atom: difference of the energy there, after minus before
    """

    far_force_change: float
    far_energy_change_eV_per_atom: float


def changes_far_from_rest(
    before: Potential, after: Potential, crystals: Iterable[ThermalDisplacements]
) -> Iterator[Change]:
    """Yield how much each compound changed, in one structure that is the same for every potential."""
    generator = np.random.default_rng(_SEED)
    for crystal in crystals:
        check()
        structure = far_from_rest(crystal.unit_cell, generator)
        (was,), (found,) = (potential.evaluate([structure]) for potential in (before, after))
        yield Change(
            float(np.abs(found.forces - was.forces).mean() / np.abs(was.forces).mean()),
            (found.energy - was.energy) / len(structure),
        )
