"""Table and figure of the study."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from softmode.compare.mean_errors import by_subset
from softmode.compare.resampling import mean_interval
from softmode.compare.training import SEEN
from softmode.present.figures import WIDTH, nothing, style
from softmode.present.results import Results
from softmode.present.table_text import Table
from softmode.present.tables import origin, subset_cells, subsets
from softmode.sources import REFERENCE
from softmode.studies.spectroscopy.assignment import ACTIVE, assigned_modes, mode_errors
from softmode.studies.spectroscopy.study import STUDY

# Colours of infrared active, Raman active and other modes; the caption names them.
_COLOURS = {"infrared": "#d55e00", "Raman": "#0072b2", "both": "#882255", "neither": "#b0b0b0"}


def _modes(results: Results) -> pd.DataFrame:
    return assigned_modes(results.table_of(STUDY.name))


def error_numbers(
    table: pd.DataFrame, modes: pd.DataFrame, potentials: Sequence[str], report: Mapping[str, Any]
) -> pd.DataFrame:
    """Return the mean over entries of the mean absolute error of their modes, for each potential, subset and quantity.

    Columns as of `compare.mean_errors.error_table`, without mean_error, and n_modes, the modes behind the number.

    Args:
        table: the study's table
        modes: of `assigned_modes`
    """
    errors = mode_errors(modes)
    rows = []
    for quantity in ACTIVE:
        values = errors.pivot(index="entry", columns="source", values=quantity.column).reindex(columns=list(potentials))
        for row, known in by_subset(quantity, values, table, potentials):
            low, high = mean_interval(known, report)
            rows.append(row | {"mae": known.mean() if len(known) else np.nan, "mae_low": low, "mae_high": high})
    return pd.DataFrame(rows)


def active_modes(results: Results) -> Table:
    """Return how far the active frequencies are from the reference's."""
    table = results.table_of(STUDY.name)
    if SEEN in results.properties:
        table = table.merge(results.properties[["entry", "source", SEEN]], on=["entry", "source"], how="left")
    modes = results.once(_modes)
    numbers = error_numbers(table, modes, results.names, results.report)
    rows = [[label, *cells] for name, label in results.labels.items() for cells in subset_cells(numbers, name, ACTIVE)]
    assigned = modes.groupby("source")["overlap"]
    shares = ", ".join(
        f"{results.labels[name]} {100 * (values > 0.5).mean():.0f} %"
        for name, values in assigned
        if name in results.labels
    )
    caption = (
        "Frequencies at Γ in cm⁻¹, without the splitting by the long-range Coulomb field: mean over entries of the "
        "mean absolute error of an entry's modes. Active by symmetry; a mode of the potential is assigned to one of "
        "the reference by its representation and by what moves. Modes that move at least half as in the reference: "
        f"{shares or 'none'}. {origin(results.properties, results.report, results.metadata)} {results.cautions} "
        f"{subsets(results.properties, results.labels, results.report)}"
    )
    header = ["potential", "subset", "n", *(f"{quantity.name} (cm⁻¹)" for quantity in ACTIVE)]
    title = "What a spectrometer sees: errors of infrared and Raman active frequencies"
    return Table("active_modes", title, header, rows, caption, numbers)


def active_modes_figure(results: Results) -> tuple[Figure, pd.DataFrame]:
    """Return the frequencies of each potential against the reference's, by activity."""
    modes = results.once(_modes)
    names = [name for name in results.names if name != REFERENCE]
    n_columns = min(3, len(names))
    n_rows = -(-len(names) // n_columns)
    with style():
        figure, panels = plt.subplots(
            n_rows, n_columns, figsize=(WIDTH, 0.4 + WIDTH / n_columns * n_rows * 0.95), layout="constrained",
            sharex=True, sharey=True, squeeze=False,
        )  # fmt: skip
        for axes, name in zip(panels.flat, names, strict=False):
            own = modes[modes["source"] == name]
            axes.set_title(results.labels[name], loc="left")
            if own.empty:
                nothing(axes, "no modes")
                continue
            for key, chosen in _by_activity(own).items():
                axes.plot(chosen["reference_per_cm"], chosen["source_per_cm"], ".", markersize=4, color=_COLOURS[key],
                          alpha=0.7, label=f"{key} ({int(chosen['degeneracy'].sum())})", rasterized=True)  # fmt: skip
            ends = [min(0.0, own["reference_per_cm"].min()), own["reference_per_cm"].max()]
            axes.plot(ends, ends, "-", color="black", linewidth=0.6, zorder=0)
            axes.legend(frameon=False, loc="upper left", markerscale=2.5, handletextpad=0.1)
        for axes in panels.flat[len(names) :]:
            axes.axis("off")
        figure.supxlabel("reference (cm⁻¹), imaginary as negative")
        figure.supylabel("potential (cm⁻¹)")
    return figure, modes


def _by_activity(modes: pd.DataFrame) -> dict[str, pd.DataFrame]:
    infrared, raman = modes["infrared"].astype(bool), modes["raman"].astype(bool)
    chosen = {
        "neither": ~infrared & ~raman,
        "infrared": infrared & ~raman,
        "Raman": raman & ~infrared,
        "both": infrared & raman,
    }
    return {key: modes[rows] for key, rows in chosen.items() if rows.any()}
