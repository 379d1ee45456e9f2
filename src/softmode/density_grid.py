"""The grid of the densities of states, and what is counted on it: equal bins, from the protocol's `density_of_states`.

Where `step_THz` does not divide the range, the bins are as many as come nearest to it, and a little wider or narrower.
"""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from softmode.settings.harmonic import DensityGrid

# NumPy is imported where it is used: the configuration, which Snakemake reads at every start, only counts the bins


def number_of_bins(grid: "DensityGrid") -> int:
    """Return the number of bins between `minimum_THz` and `maximum_THz`, of `step_THz` each."""
    number = (grid["maximum_THz"] - grid["minimum_THz"]) / grid["step_THz"]
    return round(min(number, sys.maxsize))  # a tiny step gives infinity


def bin_width(grid: "DensityGrid") -> float:
    """Return the width of a bin in THz."""
    return (grid["maximum_THz"] - grid["minimum_THz"]) / number_of_bins(grid)


def bin_edges(grid: "DensityGrid") -> "np.ndarray":
    """Return the edges of the bins in THz, one more than there are bins."""
    import numpy as np

    return np.linspace(grid["minimum_THz"], grid["maximum_THz"], number_of_bins(grid) + 1)


def bin_centres(grid: "DensityGrid") -> "np.ndarray":
    """Return the centres of the bins in THz."""
    import numpy as np

    return np.asarray(grid["minimum_THz"] + bin_width(grid) * (np.arange(number_of_bins(grid)) + 0.5))


def density_of_states(
    frequencies: "np.ndarray", weights: "np.ndarray", grid: "DensityGrid", shares: "np.ndarray | None" = None
) -> "np.ndarray":
    """Return the density of states on the grid, in states per THz and primitive cell, shape (n_bins,).

    Its integral is the number of bands; modes beyond the grid count in its first or last bin.

    Args:
        frequencies: in THz, imaginary ones negative, shape (n_q, n_bands)
        weights: of the q points, shape (n_q,)
        shares: of each mode that counts, between 0 and 1, as `frequencies`; None for the whole of each
    """
    import numpy as np

    edges = bin_edges(grid)
    of_modes = np.broadcast_to(weights[:, None], frequencies.shape)
    if shares is not None:
        of_modes = of_modes * shares
    counts, _ = np.histogram(np.clip(frequencies, edges[0], edges[-1]), edges, weights=of_modes)
    return np.asarray(counts / weights.sum() / bin_width(grid))
