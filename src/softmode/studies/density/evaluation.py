"""How wrong densities of states are: errors of each crystal, their means with intervals, and how they scatter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.optimize import minimize

from softmode.studies.density.density import (
    N_EQUAL_BINS,
    MAXIMUM_THz,
    STEP_THz,
    bin_centres_THz,
    mean_frequency,
    thermodynamics,
)
from softmode.studies.density.label_file import TEMPERATURE_K, Label
from softmode.studies.density.shapes import PAPER_THz, on_paper_grid

# Resamples of the bootstrap and their seed, as in the protocol's report.
_RESAMPLES, _SEED = 10_000, 2024
# Relative error of the mean frequency up to which it counts as right, as in Chen et al. (2021).
_RIGHT = 0.1


@dataclass(frozen=True)
class Derived:
    """What follows from one density of states, for a mole of atoms."""

    mean_frequency_THz: float
    free_energy_kJ_per_mol: float
    entropy_J_per_K_mol: float
    heat_capacity_J_per_K_mol: float


def derived(states: np.ndarray, overflow_THz: np.ndarray) -> Derived:
    """Return what follows from states of atoms at 300 K.

    Args:
        states: shape (n_atoms, N_BINS)
        overflow_THz: where those of the last bin count, shape (n_atoms,)
    """
    total = states.sum(axis=0)
    above = float(overflow_THz @ states[:, -1] / total[-1]) if total[-1] > 1e-12 else MAXIMUM_THz
    found = thermodynamics(total, above, [TEMPERATURE_K])
    return Derived(
        float(mean_frequency(states, overflow_THz)),
        float(found.free_energy_kJ_per_mol[0]),
        float(found.entropy_J_per_K_mol[0]),
        float(found.heat_capacity_J_per_K_mol[0]),
    )


@dataclass(frozen=True)
class Errors:
    """Of each crystal, in the order of the labels, each of shape (n,); signed where a quantity has a sign.

    Attributes:
        paper_mse: mean squared difference on the grid of Chen et al., each density divided by its maximum
        paper_mean_frequency: relative, both of the densities on that grid, which end at 1,000 cm⁻¹
        wasserstein_THz: distance of the densities, each to one; what is above the grid counts by its mean
        mean_frequency: relative
    """

    paper_mse: np.ndarray
    paper_mean_frequency: np.ndarray
    wasserstein_THz: np.ndarray
    mean_frequency: np.ndarray
    free_energy_kJ_per_mol: np.ndarray
    entropy_J_per_K_mol: np.ndarray
    heat_capacity_J_per_K_mol: np.ndarray


def errors(
    labels: Sequence[Label],
    states: Sequence[np.ndarray],
    overflow_THz: Sequence[np.ndarray],
    on_grid: Sequence[np.ndarray] | None = None,
) -> Errors:
    """Return the errors of predictions.

    Args:
        states: of the atoms of each crystal in each bin, shape (n_atoms, N_BINS); or of the whole, shape (1, N_BINS)
        overflow_THz: as many for each crystal
        on_grid: densities of a model that gives them on the paper's grid, where `states` are made of them
    """
    rows = []
    on_grid = [on_paper_grid(own.sum(axis=0)) for own in states] if on_grid is None else on_grid
    for label, own, above, shown in zip(labels, states, overflow_THz, on_grid, strict=True):
        expected = on_paper_grid(label.states.sum(axis=0))
        known, found = derived(label.states, label.overflow_THz), derived(own, above)
        rows.append(
            (
                float(((shown - expected) ** 2).mean()),
                _mean_on_grid(shown) / _mean_on_grid(expected) - 1,
                _wasserstein(own, above, label.states, label.overflow_THz),
                found.mean_frequency_THz / known.mean_frequency_THz - 1,
                found.free_energy_kJ_per_mol - known.free_energy_kJ_per_mol,
                found.entropy_J_per_K_mol - known.entropy_J_per_K_mol,
                found.heat_capacity_J_per_K_mol - known.heat_capacity_J_per_K_mol,
            )
        )
    return Errors(*np.array(rows).T)


def _wasserstein(one: np.ndarray, above: np.ndarray, other: np.ndarray, other_above: np.ndarray) -> float:
    shares = [each.sum(axis=0) / each.sum() for each in (one, other)]
    beyond = [
        float(((where - MAXIMUM_THz) * each[:, -1]).sum() / each.sum())
        for each, where in ((one, above), (other, np.maximum(other_above, MAXIMUM_THz)))
    ]
    cumulative = np.cumsum(shares[0][:N_EQUAL_BINS] - shares[1][:N_EQUAL_BINS])
    return float(np.abs(cumulative).sum() * STEP_THz + abs(beyond[0] - beyond[1]))


def summary(found: Errors) -> dict[str, tuple[float, float, float]]:
    """Return mean errors with their 95 % bootstrap intervals: mean, low, high."""
    means = {}
    for name, values in measures(found).items():
        low, high = np.percentile(_means(values), [2.5, 97.5])
        means[name] = float(values.mean()), float(low), float(high)
    return means


def measures(found: Errors) -> dict[str, np.ndarray]:
    """Return what is averaged over crystals; of all but shares of right mean frequencies less is better."""
    return {
        "paper_mse": found.paper_mse,
        "wasserstein_THz": found.wasserstein_THz,
        "paper_mean_frequency_right": (np.abs(found.paper_mean_frequency) <= _RIGHT).astype(float),
        "mean_frequency_error": np.abs(found.mean_frequency),
        "mean_frequency_right": (np.abs(found.mean_frequency) <= _RIGHT).astype(float),
        "free_energy_kJ_per_mol": np.abs(found.free_energy_kJ_per_mol),
        "entropy_J_per_K_mol": np.abs(found.entropy_J_per_K_mol),
        "heat_capacity_J_per_K_mol": np.abs(found.heat_capacity_J_per_K_mol),
    }


def advantage(found: Errors, other: Errors) -> dict[str, float]:
    """Return by how many standard deviations each mean is better than another source's, of the same crystals.

    The standard deviation is that of the mean difference of resampled crystals.
    """
    own, others = measures(found), measures(other)
    better = {}
    for name, values in own.items():
        difference = values - others[name] if name.endswith("_right") else others[name] - values
        better[name] = float(difference.mean() / max(_means(difference).std(), 1e-12))
    return better


def _means(values: np.ndarray) -> np.ndarray:
    return np.asarray(values[_resamples(len(values))].mean(axis=1))


@cache
def _resamples(n: int) -> np.ndarray:
    """Return places of resampled crystals, the same for all quantities and sources, shape (_RESAMPLES, n)."""
    return np.random.default_rng(_SEED).integers(0, n, (_RESAMPLES, n))


def _mean_on_grid(density: np.ndarray) -> float:
    return float((density @ PAPER_THz) / density.sum())


def states_of_paper_density(density: np.ndarray) -> np.ndarray:
    """Return states of one atom in the bins of `density` of a density on the paper's grid, shape (1, N_BINS)."""
    values = np.interp(bin_centres_THz(), PAPER_THz, density, right=0.0)
    return np.asarray(3 * np.append(values, 0.0)[None] / values.sum())


def calibrated_scale(deviations: np.ndarray, differences: np.ndarray) -> tuple[float, float]:
    """Return factor and addend (in quadrature) that make an ensemble's standard deviations those of its errors.

    They are those of largest likelihood of normal errors. Three members agree by chance now and then, which a factor
    alone would have to make up for everywhere.
    """
    size = float(np.sqrt(np.mean(differences**2)))

    def unlikely(logarithms: np.ndarray) -> float:
        factor, floor = np.exp(logarithms)
        variance = (factor * deviations) ** 2 + (floor * size) ** 2
        return float(np.mean(np.log(variance) + differences**2 / variance))

    starts = [np.log([factor, floor]) for factor in (0.5, 2.0) for floor in (0.05, 0.5)]
    found = min((minimize(unlikely, start, method="Nelder-Mead") for start in starts), key=lambda each: each.fun)
    factor, floor = np.exp(found.x)
    return float(factor), float(floor) * size


def coverage(deviations: np.ndarray, differences: np.ndarray) -> Mapping[str, float]:
    """Return in how many cases the error is within one and two standard deviations (68 and 95 % where all is well)."""
    ratios = np.abs(differences) / np.maximum(deviations, 1e-12)
    return {"one": float((ratios <= 1).mean()), "two": float((ratios <= 2).mean())}
