"""The grid of the densities of states: equal bins in THz, from the protocol's `density_of_states`."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from softmode.settings.protocol import DensityGrid

# NumPy is imported where it is used: the configuration, which Snakemake reads at every start, only counts the bins


def number_of_bins(grid: "DensityGrid") -> int:
    """Return the number of bins between `minimum_THz` and `maximum_THz`, of `step_THz` each."""
    number = (grid["maximum_THz"] - grid["minimum_THz"]) / grid["step_THz"]
    return round(min(number, sys.maxsize))  # a tiny step gives infinity


def bin_edges(grid: "DensityGrid") -> "np.ndarray":
    """Return the edges of the bins in THz, one more than there are bins."""
    import numpy as np

    return np.linspace(grid["minimum_THz"], grid["maximum_THz"], number_of_bins(grid) + 1)


def bin_centres(grid: "DensityGrid") -> "np.ndarray":
    """Return the centres of the bins in THz."""
    import numpy as np

    return np.asarray(grid["minimum_THz"] + grid["step_THz"] * (np.arange(number_of_bins(grid)) + 0.5))
