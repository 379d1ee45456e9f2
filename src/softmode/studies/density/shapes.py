"""Shapes of densities of states: smearing, and the grid of Chen et al. (2021)."""

from functools import cache

import numpy as np

from softmode.studies.density.density import N_EQUAL_BINS, STEP_THz, bin_centres_THz

# The grid of the paper: 51 frequencies from 0 to 1,000 cm⁻¹, of which one is 0.0299792458 THz.
PAPER_THz = np.linspace(0, 1000, 51) * 0.0299792458
# Width of the Gaussian that densities are smeared by on that grid, in bins: half of its step.
_PAPER_SMEARING_BINS = 10 * 0.0299792458 / STEP_THz


@cache
def smearing(width: float) -> np.ndarray:
    """Return the matrix of a Gaussian of a width in bins, reflected at both ends, shape (N_EQUAL_BINS, N_EQUAL_BINS).

    Its rows sum to one.
    """
    places = np.arange(N_EQUAL_BINS)
    distance = places[None, :] - places[:, None]
    mirrored = places[None, :] + places[:, None] + 1
    images = (distance, mirrored, 2 * N_EQUAL_BINS - mirrored)
    kernel = sum((np.exp(-0.5 * (each / width) ** 2) for each in images), start=np.zeros(distance.shape))
    return np.asarray(kernel / kernel.sum(axis=1, keepdims=True))


def on_paper_grid(states: np.ndarray) -> np.ndarray:
    """Return a density of states on the paper's grid, divided by its maximum there, shape (51,).

    Args:
        states: in each bin, of one crystal, shape (N_BINS,)
    """
    smooth = states[:-1] @ smearing(_PAPER_SMEARING_BINS)
    values = np.interp(PAPER_THz, bin_centres_THz(), smooth)
    return np.asarray(values / max(values.max(), 1e-12))
