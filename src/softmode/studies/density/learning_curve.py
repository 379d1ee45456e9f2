"""How errors of densities of states fall with the number of crystals that were learned from."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from softmode.errors import InputError
from softmode.present.figures import WIDTH, plain_logarithm, style
from softmode.studies.density.judging import COMPOSITION, ENSEMBLE, MEAN

# Columns of `judging.judge`, and their axes.
_PANELS = {
    "mean_frequency_right": "mean frequency within 10 % (share)",
    "heat_capacity_J_per_K_mol": "error of $C_V$, 300 K (J/K/mol atoms)",
    "wasserstein_THz": "Wasserstein distance (THz)",
    "paper_mse": "squared difference",
}
# Baselines are grey; networks have these colours in the order of their names, and begin again after the last.
_BASELINES = {MEAN: ("#808080", "s"), COMPOSITION: ("#404040", "D")}
_COLOURS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7")


def learning_curve_figure(rows: Sequence[dict[str, Any]]) -> Figure:
    """Return mean errors over the number of training crystals, with 95 % intervals, and each seed as a point.

    Args:
        rows: of `judging.judge`

    Raises:
        InputError: all are of the same number of crystals.
    """
    table = pd.DataFrame(list(rows))
    sizes = sorted(table["crystals"].unique())
    if len(sizes) < 2:
        raise InputError("a learning curve needs trainings of several numbers of crystals (key compounds)")
    of_seed = ~table["source"].isin(_BASELINES) & ~table["source"].str.endswith(f" {ENSEMBLE}")
    network = table["source"].where(table["source"].isin(_BASELINES), table["source"].str.rsplit(" ", n=1).str[0])
    networks = [name for name in network.drop_duplicates() if name not in _BASELINES]
    styles = _BASELINES | {name: (_COLOURS[i % len(_COLOURS)], "o") for i, name in enumerate(sorted(networks))}
    with style():
        figure, panels = plt.subplots(2, 2, figsize=(WIDTH, 5.2), layout="constrained", sharex=True)
        for letter, axes, (measure, label) in zip("abcd", panels.flat, _PANELS.items(), strict=True):
            for name, (colour, marker) in styles.items():
                seeds, means = table[of_seed & (network == name)], table[~of_seed & (network == name)]
                axes.scatter(seeds["crystals"], seeds[measure], s=5, color=colour, alpha=0.6, linewidth=0)
                _line(axes, means, measure, name, colour, marker)
            axes.set(xscale="log", ylabel=label)
            if measure != "mean_frequency_right":
                axes.set_yscale("log")
                plain_logarithm(axes.yaxis)
            axes.set_title(f"({letter})", loc="left")
            axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
            axes.xaxis.set_minor_locator(NullLocator())
        figure.supxlabel("training crystals", fontsize=8)
        handles, labels = panels.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    return figure


def _line(axes: Axes, means: pd.DataFrame, measure: str, name: str, colour: str, marker: str) -> None:
    if means.empty:
        return
    means = means.sort_values("crystals")
    label = name if name in _BASELINES else f"{name}, mean of seeds"
    axes.plot(means["crystals"], means[measure], marker=marker, markersize=3.5, linewidth=1, color=colour, label=label)
    axes.fill_between(
        means["crystals"], means[f"{measure}_low"], means[f"{measure}_high"], color=colour, alpha=0.2, linewidth=0
    )
