"""The grid of the densities of states: counted, drawn and compared as it was filled."""

import subprocess
import sys

import numpy as np
import pytest

from softmode.density_grid import bin_centres, bin_edges, bin_width, density_of_states, number_of_bins
from softmode.settings.protocol import Protocol


def test_grid_is_that_of_the_protocol(loew2024: Protocol) -> None:
    grid = loew2024.settings["phonons"]["density_of_states"]
    edges, centres = bin_edges(grid), bin_centres(grid)
    assert number_of_bins(grid) == 1800
    assert (edges[0], edges[-1]) == (-30.0, 150.0) and len(edges) == 1801
    assert centres == pytest.approx((edges[1:] + edges[:-1]) / 2, abs=1e-9)


@pytest.mark.parametrize("step", [0.1, 0.3, 0.7])
def test_bins_have_the_step_where_that_divides_the_grid_up_to_rounding(step: float) -> None:
    # 0.3 / 0.1 is less than 3 in floating point; a bin must not get lost
    grid = {"minimum_THz": -step, "maximum_THz": 2 * step, "step_THz": step}
    assert number_of_bins(grid) == 3 and np.diff(bin_edges(grid)) == pytest.approx(step)


def test_centres_and_density_are_those_of_the_bins_where_the_step_does_not_divide_the_range() -> None:
    grid = {"minimum_THz": -1.0, "maximum_THz": 2.0, "step_THz": 0.7}
    assert bin_width(grid) == 0.75
    assert bin_centres(grid) == pytest.approx((bin_edges(grid)[1:] + bin_edges(grid)[:-1]) / 2)
    density = density_of_states(np.array([[0.1, 0.2], [1.9, 5.0]]), np.array([3, 1]), grid)
    # one q point counts three times; what is beyond the grid is in the last bin
    assert density == pytest.approx(np.array([0, 6, 0, 2]) / 4 / 0.75)


def test_tiny_step_is_counted_and_not_an_error() -> None:
    assert number_of_bins({"minimum_THz": 0.0, "maximum_THz": 1e300, "step_THz": 1e-300}) > 10**9


def test_configuration_is_read_without_numpy() -> None:
    """Snakemake reads it at every start, in every job."""
    code = "import sys, softmode.settings.campaign; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
