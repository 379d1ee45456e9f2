"""Errors of whole phonon spectra: all frequencies, density of states, softening."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from softmode.compare.spectra import SPECTRUM, spectrum_values
from softmode.present.figures import WIDTH, lying_violins, style
from softmode.present.table_text import Table
from softmode.present.tables import subset_cells

NAME = "spectrum_errors"
# Title of the axis and perfect value of each quantity of SPECTRUM, in its order; in another one, panels have the titles
# of others.
_AXES = (
    ("MAE of all frequencies (THz)", 0.0),
    ("distance of the densities\nof states (THz)", 0.0),
    ("softening slope", 1.0),
)


def spectrum_error_table(numbers: pd.DataFrame, labels: Mapping[str, str], caption: str) -> Table:
    """Return the means over entries with their intervals.

    Args:
        numbers: of `compare.spectra.spectrum_table`
        caption: what subsets, n and brackets are, and what the numbers are of
    """
    header = ["potential", "subset", "n", "frequencies (THz)", "density of states (THz)", "softening slope"]
    rows = [
        [label, *cells] for name, label in labels.items() for cells in subset_cells(numbers, name, SPECTRUM, "mean")
    ]
    meaning = (
        "Means over entries of: the mean absolute error of all frequencies at the q points commensurate with the "
        "supercell, bands in the order of their frequency; the Wasserstein distance of the phonon densities of states, "
        "each of them normalised, which is how far a state moves on average; the slope through the origin of the "
        "frequencies against the reference's real ones (below 1 the potential is too soft). "
    )
    title = "Errors of whole spectra: all frequencies, density of states, softening"
    return Table(NAME, title, header, rows, meaning + caption, numbers)


def spectrum_error_numbers(spectra: pd.DataFrame, potentials: Sequence[str]) -> pd.DataFrame:
    """Return the numbers behind the figure: columns entry, potential, and one for each quantity."""
    own = spectra[spectra["source"].isin(potentials) & spectra["n_frequencies"].notna()]
    columns = ["entry", "source", "n_frequencies", *(quantity.column for quantity in SPECTRUM)]
    return own[columns].rename(columns={"source": "potential"}).reset_index(drop=True)


def spectrum_error_figure(spectra: pd.DataFrame, labels: Mapping[str, str], colours: Mapping[str, str]) -> Figure:
    """Return the distributions of the three numbers over the entries, a row for each potential."""
    with style():
        height = 1.0 + 0.42 * len(labels)
        figure, panels = plt.subplots(1, 3, figsize=(WIDTH, height), layout="constrained", sharey=True)
        for letter, axes, quantity, (name, line) in zip("abc", panels, SPECTRUM, _AXES, strict=True):
            lying_violins(axes, spectrum_values(spectra, quantity, list(labels)), labels, colours, line)
            axes.set_xlabel(name)
            axes.set_title(f"({letter})", loc="left")
        counts = spectrum_values(spectra, SPECTRUM[0], list(labels)).notna().sum()
        names = [f"{label} (n = {counts[name]})" for name, label in labels.items()]
        panels[0].set_yticks(range(len(names)), names)
        panels[0].set_ylim(len(names) - 0.4, -0.6)
    return figure
