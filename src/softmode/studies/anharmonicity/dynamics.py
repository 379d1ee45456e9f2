"""Molecular dynamics of a Taylor series, and the data sets without noise that it makes (IDMD).

After Bandi, Jiang and Marianetti (2024): potentials are trained on dynamics of known derivatives, and asked for them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from ase import Atoms, units
from ase.calculators.singlepoint import SinglePointCalculator
from ase.md.velocitydistribution import Stationary, thermalize_momenta
from ase.md.verlet import VelocityVerlet

from softmode.engine.interruption import check
from softmode.errors import EntryError
from softmode.studies.anharmonicity.taylor import TaylorCalculator, TaylorSeries

# Parts of a trajectory, in this order, and what share of the frames each is. Blocks in time: frames beside each other
# are alike, and a test on frames between those that were trained on would say nothing.
SPLIT = {"train": 0.8, "validation": 0.1, "test": 0.1}
# Frames that are left out between two parts, in multiples of the interval: neighbours of a part are no test of it.
_GAP = 2


@dataclass(frozen=True)
class Dynamics:
    """How a trajectory is made.

    Attributes:
        temperature_K: of the velocities at the start, at rest; half of it becomes potential energy
        time_step_fs: of the integrator
        interval_fs: between frames
        warm_up_fs: before the first frame
        n_frames: of all parts together
        seed: of the velocities
        largest_displacement_A: of an atom, beyond which the series is unbounded
        largest_drift_eV: of the energy for each atom, root mean square over the trajectory
    """

    temperature_K: float = 2000.0
    time_step_fs: float = 0.25
    interval_fs: float = 10.0
    warm_up_fs: float = 200.0
    n_frames: int = 200
    seed: int = 0
    largest_displacement_A: float = 1.2
    largest_drift_eV: float = 1e-6


def trajectory(rest: Atoms, series: TaylorSeries, dynamics: Dynamics) -> Iterator[Atoms]:
    """Yield frames of constant energy, each with energy (eV, above rest), forces, `time_fs` and its part of the split.

    The array `harmonic_forces` has the forces of second order alone, in eV/Å.

    Args:
        rest: the crystal at rest

    Raises:
        EntryError: (kind `unbounded`) an atom leaves the range of the series; (kind `energy_drift`) energy is not
            conserved: the time step is too long.
    """
    atoms = rest.copy()
    atoms.calc = TaylorCalculator(rest, series, dynamics.largest_displacement_A)
    thermalize_momenta(atoms, dynamics.temperature_K, exact_temperature=True, rng=np.random.default_rng(dynamics.seed))
    Stationary(atoms, preserve_temperature=False)
    integrator = VelocityVerlet(atoms, timestep=dynamics.time_step_fs * units.fs)
    every = max(1, round(dynamics.interval_fs / dynamics.time_step_fs))
    integrator.run(round(dynamics.warm_up_fs / dynamics.time_step_fs))
    energies = [atoms.get_total_energy() / len(atoms)]
    parts = split(dynamics.n_frames)
    harmonic = series.of_order(2)
    for number in range(dynamics.n_frames):
        check()
        integrator.run(every)
        energies.append(atoms.get_total_energy() / len(atoms))
        _check_drift(energies, dynamics)
        if parts[number]:
            frame = _frame(atoms, (number + 1) * every * dynamics.time_step_fs, parts[number])
            frame.arrays["harmonic_forces"] = harmonic.energy_and_forces(frame.positions - rest.positions)[1]
            yield frame


def split(n_frames: int) -> list[str]:
    """Return the part of each frame of a trajectory, in blocks of time; empty for those that are left out between two.

    Raises:
        EntryError: (kind `too_few`) a part would be empty.
    """
    ends = np.round(np.cumsum(list(SPLIT.values())) * n_frames).astype(int)
    parts = [""] * n_frames
    start = 0
    for name, end in zip(SPLIT, ends, strict=True):
        first = start + (_GAP if start else 0)
        if first >= end:
            raise EntryError("too_few", f"{n_frames} frames leave none for the part '{name}'; ask for more")
        parts[first:end] = [name] * (end - first)
        start = end
    return parts


def _check_drift(energies: list[float], dynamics: Dynamics) -> None:
    drift = float(np.std(energies))
    if drift > dynamics.largest_drift_eV:
        raise EntryError(
            "energy_drift",
            f"the energy varies by {drift:.2g} eV/atom, more than {dynamics.largest_drift_eV:g}; take a shorter time "
            f"step than {dynamics.time_step_fs:g} fs",
        )


def _frame(atoms: Atoms, time_fs: float, part: str) -> Atoms:
    frame = Atoms(atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=True)
    frame.info = {"time_fs": time_fs, "part": part}
    frame.calc = SinglePointCalculator(frame, energy=atoms.get_potential_energy(), forces=atoms.get_forces())
    return frame
