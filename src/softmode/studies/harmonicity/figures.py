"""Figures of the study, after Figure 3 of Lee and Xia (2024): a panel for each potential, and one for all."""

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from softmode.present.figures import (
    LINES,
    MARKERS,
    WIDTH,
    grid_of_panels,
    nothing,
    plain_logarithm,
    potentials_legend,
    style,
)
from softmode.present.results import Results
from softmode.studies.harmonicity.results import numbers_of, rank_correlation, shown_temperature

# Largest number of frequencies that a panel shows, a random choice; with more, a PDF takes seconds to be shown.
_MOST_POINTS = 5000
_ERROR = "effective_frequency_error_THz"
_FREE_ENERGY, _KNOWN = "effective_free_energy_kJ_per_mol_atoms", "reference_free_energy_kJ_per_mol_atoms"


def _shown(results: Results) -> pd.DataFrame:
    long = results.once(numbers_of)
    return long[long["temperature_K"] == shown_temperature(long, results.report)]


def harmonicity_figure(results: Results) -> tuple[Figure, pd.DataFrame]:
    """Return the error of frequencies of each entry against what is not harmonic, and their rank correlation."""
    shown = _shown(results)
    numbers = shown[["entry", "source", "temperature_K", "anharmonic_ratio", _ERROR]].dropna()
    with style():
        figure, panels = grid_of_panels(len(results.names), 1.9, room=0.3)
        first = panels[0, 0]
        for axes, name in zip(panels[0], results.names, strict=False):
            own = numbers[numbers["source"] == name]
            axes.set_title(results.labels[name])
            if own.empty:
                nothing(axes, "no fit")
                continue
            axes.plot(100 * own["anharmonic_ratio"], own[_ERROR], "o", markersize=2.5, color=results.colours[name])
            known, low, high = rank_correlation(own[["anharmonic_ratio", _ERROR]], results.report)
            of_interval = "" if math.isnan(low) else f" [{low:.2f}, {high:.2f}]"
            axes.text(0.04, 0.96, f"ρ = {known:.2f}{of_interval}", transform=axes.transAxes, va="top", fontsize=7)
            if axes is not first and first.has_data():
                axes.sharex(first)
                axes.sharey(first)
        _logarithmic(panels[0, : len(results.names)], numbers)
        figure.supxlabel("|δF|/F (%)", fontsize=8)
        figure.supylabel("error of frequencies (THz)", fontsize=8)
    return figure, numbers


def _logarithmic(panels: np.ndarray, numbers: pd.DataFrame) -> None:
    if numbers.empty:
        return
    ratios, found = 100 * numbers["anharmonic_ratio"], numbers[_ERROR]
    for axes in panels:
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlim(ratios.min() / 1.3, ratios.max() * 1.3)
        axes.set_ylim(found.min() / 1.3, found.max() * 3)  # room for ρ
        plain_logarithm(axes.xaxis)
        plain_logarithm(axes.yaxis)


def effective_figure(results: Results) -> tuple[Figure, pd.DataFrame]:
    """Return frequencies and free energies of the fitted force constants against the reference's."""
    shown = _shown(results)
    fitted = shown[shown[_ERROR].notna()]
    numbers = fitted[["entry", "source", _ERROR, _FREE_ENERGY, _KNOWN]]
    with style():
        figure, panels = grid_of_panels(len(results.names), 1.9, rows_each=2, room=0.3)
        for place, name in enumerate(results.names):
            own = fitted[fitted["source"] == name]
            above, below = panels[:, place]
            above.set_title(results.labels[name])
            if own.empty:
                nothing(above, "no fit")
                nothing(below, "no fit")
                continue
            pairs = np.array([np.concatenate(own[column].tolist()) for column in _FREQUENCIES])
            if pairs.shape[1] > _MOST_POINTS:
                pairs = pairs[:, np.random.default_rng(0).choice(pairs.shape[1], _MOST_POINTS, replace=False)]
            _against(above, pairs, f"{own[_ERROR].mean():.2f} THz", results.colours[name])
            both = own[[_KNOWN, _FREE_ENERGY]].dropna().to_numpy(float).T
            error = float(np.abs(both[0] - both[1]).mean()) if both.size else math.nan
            _against(below, both, f"{error:.2f} kJ/mol", results.colours[name])
        for above, below in panels.T:
            if above.get_subplotspec().is_first_col():
                above.set_ylabel("ω of the fit (THz)")
                below.set_ylabel("F of the fit (kJ/mol)")
        figure.supxlabel("the reference's", fontsize=8)
    return figure, numbers


_FREQUENCIES = ("reference_frequencies_THz", "effective_frequencies_THz")


def _against(axes: Axes, pairs: np.ndarray, error: str, colour: Any) -> None:
    axes.plot(*pairs, ".", markersize=2, color=colour, alpha=0.5, rasterized=True)
    if pairs.size:
        ends = [pairs.min(), pairs.max()]
        axes.plot(ends, ends, color="#404040", linewidth=0.6)
    axes.text(0.04, 0.96, f"MAE {error}", transform=axes.transAxes, va="top", fontsize=7)


def filter_figure(results: Results) -> tuple[Figure, pd.DataFrame]:
    """Return the mean error of the free energy below each |δF|/F, and how many entries that leaves."""
    shown = _shown(results)
    known = shown[["entry", "source", "anharmonic_ratio"]].assign(error=(shown[_FREE_ENERGY] - shown[_KNOWN]).abs())
    parts = [known[known["source"] == name].sort_values("anharmonic_ratio") for name in results.names]
    numbers = pd.concat(
        [
            part.assign(
                mean_error_below=part["error"].expanding().mean(),
                percent_below=100 * np.arange(1, len(part) + 1) / max(1, len(part)),
            )
            for part in parts
        ]
    )
    with style():
        figure, (error, share) = plt.subplots(1, 2, figsize=(WIDTH, 3.4), layout="constrained", sharex=True)
        for place, name in enumerate(results.names):
            own = numbers[numbers["source"] == name]
            line: dict[str, Any] = {
                "color": results.colours[name],
                "linestyle": LINES[place // len(MARKERS) % len(LINES)],
                "marker": MARKERS[place % len(MARKERS)],
                "markevery": 0.1,
                "markersize": 3.5,
                "linewidth": 1.0,
            }
            error.plot(100 * own["anharmonic_ratio"], own["mean_error_below"], **line)
            share.plot(100 * own["anharmonic_ratio"], own["percent_below"], **line)
        for axes in (error, share):
            axes.set_xscale("log")
            plain_logarithm(axes.xaxis)
            axes.set_xlabel("largest |δF|/F that is taken (%)")
        error.set_ylabel("mean error of F (kJ/mol atoms)")
        error.set_ylim(bottom=0)
        share.set_ylabel("entries that are taken (%)")
        share.set_ylim(0, 103)
        potentials_legend(figure, error.get_lines(), [results.labels[name] for name in results.names])
    return figure, numbers
