"""A predicted phonon density of states: its grid, its states of each atom, and what follows from them.

The grid has equal bins from 0 to 40 THz and one bin for all states above. What lies in that bin counts at a frequency
of its own for each atom, as those of hydrogen are at 100 THz and those of carbon at 50. A bin holds states, not states
per THz: those of an atom sum to three.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
from ase import Atoms
from scipy.constants import Avogadro, Planck, atomic_mass, physical_constants

from softmode.errors import InputError

# End of the grid in THz and number of its equal bins; labels and checkpoints of another grid are refused. About a
# hundredth of the states of the reference is above (hydrogen, carbon, nitrogen).
MAXIMUM_THz, N_EQUAL_BINS = 40.0, 160
# Width of a bin in THz.
STEP_THz = MAXIMUM_THz / N_EQUAL_BINS
# Number of bins, the last one for all that is above the grid.
N_BINS = N_EQUAL_BINS + 1
# Names of what an ensemble has a calibrated standard deviation of, see `Density.scales`.
QUANTITIES = ("states", "mean_frequency", "free_energy", "entropy", "heat_capacity")

_GAS_CONSTANT = physical_constants["molar gas constant"][0]
_KELVIN_PER_THz = Planck * 1e12 / physical_constants["Boltzmann constant"][0]
# Points of a Gauss-Legendre quadrature within each bin. With one alone, the entropy at 300 K is wrong by 0.05 J/K/mol.
_POINTS = 6
# Lowest temperature in K that is computed with, as in `stages.thermodynamics`.
_COLDEST = 1e-3


def bin_edges_THz() -> np.ndarray:
    """Return the edges of the equal bins in THz, shape (N_EQUAL_BINS + 1,)."""
    return np.linspace(0, MAXIMUM_THz, N_EQUAL_BINS + 1)


def bin_centres_THz() -> np.ndarray:
    """Return the centres of the equal bins in THz, shape (N_EQUAL_BINS,)."""
    return (np.arange(N_EQUAL_BINS) + 0.5) * STEP_THz


@dataclass(frozen=True)
class Thermodynamics:
    """Of a mole of atoms, at some temperatures, each of shape (n_temperatures,)."""

    free_energy_kJ_per_mol: np.ndarray
    entropy_J_per_K_mol: np.ndarray
    heat_capacity_J_per_K_mol: np.ndarray


@dataclass(frozen=True)
class Density:
    """The predicted density of states of one structure, by each member of an ensemble.

    Attributes:
        numbers: atomic numbers, in the order of the structure, shape (n_atoms,)
        masses: in u, shape (n_atoms,)
        members: states of each atom in each bin, by each member, summing to 3 over the bins, shape (n_members, n_atoms,
            N_BINS)
        overflow_THz: at which frequency the states of each atom's last bin count, shape (n_atoms,)
        scales: what makes standard deviations of the members those of errors, for each of `QUANTITIES`, as found on the
            validation part: a factor, and what is added in quadrature, in the quantity's unit for a mole of atoms or
            (of `states`) 1/THz for an atom; 1 and 0 where it is missing
    """

    numbers: np.ndarray
    masses: np.ndarray
    members: np.ndarray
    overflow_THz: np.ndarray
    scales: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def states(self) -> np.ndarray:
        """States of each atom in each bin, the mean of the members, shape (n_atoms, N_BINS), 3 in each row."""
        return np.asarray(self.members.mean(axis=0))

    @property
    def total_per_THz(self) -> np.ndarray:
        """States per THz and cell in the equal bins, shape (N_EQUAL_BINS,); what is above the grid is not in it."""
        return np.asarray(self.states[:, :-1].sum(axis=0) / STEP_THz)

    @property
    def total_standard_deviation_per_THz(self) -> np.ndarray:
        """Standard deviation of `total_per_THz`, shape (N_EQUAL_BINS,)."""
        totals = self.members[:, :, :-1].sum(axis=1) / STEP_THz
        return self._spread(totals, "states", len(self.numbers))

    @property
    def mean_frequency_THz(self) -> float:
        """Mean frequency of all modes."""
        return float(mean_frequency(self.states, self.overflow_THz))

    @property
    def mean_frequency_standard_deviation_THz(self) -> float:
        """Standard deviation of `mean_frequency_THz`."""
        return float(self._spread(mean_frequency(self.members, self.overflow_THz), "mean_frequency"))

    def thermodynamics(self, temperatures_K: Sequence[float]) -> Thermodynamics:
        """Return free energy, entropy and heat capacity of a mole of atoms."""
        return _of_atoms(self.states, self.overflow_THz, temperatures_K)

    def thermodynamics_standard_deviation(self, temperatures_K: Sequence[float]) -> Thermodynamics:
        """Return the standard deviations of `thermodynamics`."""
        of_members = [_of_atoms(states, self.overflow_THz, temperatures_K) for states in self.members]
        return Thermodynamics(
            self._spread(np.array([each.free_energy_kJ_per_mol for each in of_members]), "free_energy"),
            self._spread(np.array([each.entropy_J_per_K_mol for each in of_members]), "entropy"),
            self._spread(np.array([each.heat_capacity_J_per_K_mol for each in of_members]), "heat_capacity"),
        )

    @property
    def kilograms_per_mol_atoms(self) -> float:
        """Mean mass of a mole of atoms, for heat capacities in J/(kg K)."""
        return float(self.masses.mean() * atomic_mass * Avogadro)

    def _spread(self, of_members: np.ndarray, quantity: str, n_atoms: int = 1) -> np.ndarray:
        if len(of_members) < 2:
            return np.full(of_members.shape[1:], np.nan)  # one member knows nothing of its error
        factor, floor = self.scales.get(quantity, (1.0, 0.0))
        return np.asarray(np.hypot(factor * of_members.std(axis=0, ddof=1), floor * n_atoms))


class PredictsDensity(Protocol):
    """A source that gives a density of states and no forces: a model, or an ensemble of them, loaded and ready.

    Attributes:
        name: for tables
        elements: atomic numbers that it was trained on; a structure with another one is refused
        checkpoint_sha256: of its weights
    """

    name: str
    elements: frozenset[int]
    checkpoint_sha256: str

    def density(self, structures: Sequence[Atoms]) -> list[Density]:
        """Return the density of states of each structure, in the order of the structures and of their atoms.

        Args:
            structures: periodic crystals of any sizes, in any cells; masses are their own where they have some

        Raises:
            InputError: a structure has no atoms, no cell in three directions, or an element that was not trained on.
        """
        ...


def load_ensemble(path: Path | None = None, device: str = "cpu") -> PredictsDensity:
    """Return the ensemble of a checkpoint, or the one that comes with softmode.

    torch and e3nn are imported here, so that it runs in the environment of `ENVIRONMENT`.

    Raises:
        InputError: there is no such checkpoint, it is of another grid, or a package is missing.
    """
    try:
        from softmode.studies.density.ensemble import load
    except ModuleNotFoundError as error:
        raise InputError(f"{error.name} is missing here; models of densities run in '{ENVIRONMENT}'") from error
    predictor: PredictsDensity = load(path, device)
    return predictor


# The environment that models are trained and run in: that of SevenNet has torch, e3nn and matscipy.
ENVIRONMENT = "sevennet"


def mean_frequency(states: np.ndarray, overflow_THz: np.ndarray) -> np.ndarray:
    """Return the mean frequency in THz of atoms' states, shape (..., n_atoms, N_BINS)."""
    sums = states[..., :-1] @ bin_centres_THz() + states[..., -1] * overflow_THz
    return np.asarray(sums.sum(axis=-1) / states.sum(axis=(-2, -1)))


def mean_square_frequency(states: np.ndarray, overflow_THz: np.ndarray) -> np.ndarray:
    """Return the mean square frequency in THz² of each atom's states, shape (..., n_atoms)."""
    squares = bin_centres_THz() ** 2 + STEP_THz**2 / 12
    sums = states[..., :-1] @ squares + states[..., -1] * overflow_THz**2
    return np.asarray(sums / states.sum(axis=-1))


def thermodynamics(states: np.ndarray, overflow_THz: float, temperatures_K: Sequence[float]) -> Thermodynamics:
    """Return free energy, entropy and heat capacity of a mole of atoms that have these states.

    Beside a Debye crystal of 2 THz, of eight bins, the entropy is wrong by 0.09 J/K/mol at 100 K and above, beside one
    of 8 THz by 0.005.

    Args:
        states: in each bin, shape (N_BINS,), of any sum; they are taken as three for an atom
        overflow_THz: at which frequency those of the last bin count
    """
    return _of_atoms(np.asarray(states)[None], np.array([overflow_THz]), temperatures_K)


def heat_capacity_of_bins(temperature_K: float) -> np.ndarray:
    """Return the heat capacity of one state of each bin in units of the gas constant; nothing above the grid."""
    return np.append(_kernels((temperature_K,))[2, 0] / _GAS_CONSTANT, 0.0)


def _of_atoms(states: np.ndarray, overflow_THz: np.ndarray, temperatures_K: Sequence[float]) -> Thermodynamics:
    total = states[:, :-1].sum(axis=0)
    above = states[:, -1]
    n_atoms = states.sum() / 3
    kernels = _kernels(tuple(float(each) for each in temperatures_K))
    sums = kernels @ total
    for place, temperature in enumerate(temperatures_K):
        sums[:, place] += _of_modes(overflow_THz, float(temperature)) @ above
    return Thermodynamics(sums[0] / n_atoms / 1000, sums[1] / n_atoms, sums[2] / n_atoms)


@cache
def _kernels(temperatures_K: tuple[float, ...]) -> np.ndarray:
    """Return what one state of each equal bin gives, shape (3, n_temperatures, N_EQUAL_BINS); energies in J/mol.

    Within a bin the density rises as from the bin before to the bin after; in the first one as the square of the
    frequency.
    """
    points, weights = np.polynomial.legendre.leggauss(_POINTS)
    within = (points + 1) / 2
    frequencies = (np.arange(N_EQUAL_BINS)[:, None] + within) * STEP_THz
    values = np.array([_of_modes(frequencies, temperature) for temperature in temperatures_K])
    flat, rising = (np.einsum("tkbp,p->ktb", values, weights / 2 * share) for share in (1.0, within - 0.5))
    flat[..., 0] = np.einsum("tkp,p->kt", values[:, :, 0], weights / 2 * 3 * within**2)
    rising[..., 0] = rising[..., -1] = 0
    flat[..., 1:] += rising[..., :-1] / 2
    flat[..., :-1] -= rising[..., 1:] / 2
    return np.asarray(flat)


def _of_modes(frequencies_THz: np.ndarray, temperature_K: float) -> np.ndarray:
    """Return free energy (J/mol), entropy and heat capacity (J/K/mol) of modes, shape (3, ...)."""
    temperature = max(temperature_K, _COLDEST)
    x = np.maximum(frequencies_THz, 1e-6) * _KELVIN_PER_THz / temperature
    population = 1 / np.expm1(np.minimum(x, 700))
    log = np.log1p(-np.exp(-x))
    found = np.array([temperature * (x / 2 + log), x * population - log, x**2 * population * (population + 1)])
    return np.asarray(found * _GAS_CONSTANT)
