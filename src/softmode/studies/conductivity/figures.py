"""Figures of the study: parity of conductivities, their errors, their course with temperature, and linewidths."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from softmode.present.figures import MARKERS, WIDTH, grid_of_panels, nothing, plain_logarithm, potentials_legend, style
from softmode.present.results import Results
from softmode.studies.conductivity.results import COMPUTED, numbers_of
from softmode.studies.conductivity.study import STUDY

# Largest number of crystals with panels of their own, those that most potentials have; with more, the figure is no
# page.
_MOST_PANELS = 12
# Largest number of modes of a panel and potential that are shown, a random choice; with more, a PDF takes seconds.
_MOST_MODES = 600
_KAPPA, _KNOWN, _PUBLISHED = "kappa_W_per_m_K", "kappa_reference_W_per_m_K", "kappa_published_W_per_m_K"


def parity_figure(results: Results) -> tuple[Figure, pd.DataFrame]:
    """Return conductivities against the reference's, and against what others published of the same model."""
    numbers = results.once(numbers_of)[["entry", "source", "outcome", _KAPPA, _KNOWN, _PUBLISHED]]
    with style():
        figure, panels = plt.subplots(1, 2, figsize=(WIDTH, 3.7), layout="constrained", sharey=True)
        for axes, known, label in zip(
            panels, (_KNOWN, _PUBLISHED), ("κ of PBE (W/m/K)", "published κ of the same model (W/m/K)"), strict=True
        ):
            for place, name in enumerate(results.potentials):
                own = numbers[numbers["source"] == name]
                axes.plot(own[known], own[_KAPPA], MARKERS[place % len(MARKERS)], markersize=4,
                          color=results.colours[name], alpha=0.8, label=results.labels[name])  # fmt: skip
            axes.set_xlabel(label)
            both = numbers[[known, _KAPPA]].dropna()
            if both.empty:
                nothing(axes, "none is known")
                continue
            ends = [both.to_numpy().min() / 1.2, both.to_numpy().max() * 1.2]
            axes.plot(ends, ends, color="#404040", linewidth=0.6)
            for axis, scale in ((axes.xaxis, axes.set_xscale), (axes.yaxis, axes.set_yscale)):
                scale("log")
                plain_logarithm(axis)
        panels[0].set_ylabel("κ (W/m/K)")
        potentials_legend(figure, *panels[0].get_legend_handles_labels())
    return figure, numbers


def errors_figure(results: Results) -> tuple[Figure, pd.DataFrame]:
    """Return the symmetric relative difference of each conductivity, a column for each potential."""
    numbers = results.once(numbers_of)[["entry", "source", "outcome", "srd", "sre", "srme"]]
    wide = numbers.pivot(index="entry", columns="source", values="srd").reindex(columns=list(results.potentials))
    wide = wide.dropna(how="all")
    wide = wide.loc[wide.abs().mean(axis=1).sort_values().index]
    formulas = results.properties.groupby("entry")["formula"].first()
    with style():
        figure, axes = plt.subplots(figsize=(WIDTH, 0.9 + 0.2 * max(4, len(wide))), layout="constrained")
        if wide.empty:
            nothing(axes, "no entry has a reference")
            return figure, numbers
        image = axes.imshow(wide.to_numpy(float), cmap="RdBu_r", vmin=-2, vmax=2, aspect="auto")
        figure.colorbar(image, label="SRD")
        axes.set_xticks(range(wide.shape[1]), [results.labels[name] for name in wide.columns], rotation=40, ha="right")
        axes.set_yticks(range(len(wide)), [f"{formulas.get(entry, '')} {entry}" for entry in wide.index])
        _mark_outcomes(axes, numbers, wide)
    return figure, numbers


def _mark_outcomes(axes: Axes, numbers: pd.DataFrame, wide: pd.DataFrame) -> None:
    """Write the difference into each field, and what is there instead of a conductivity."""
    outcomes = numbers.set_index(["entry", "source"])["outcome"]
    for line, entry in enumerate(wide.index):
        for column, name in enumerate(wide.columns):
            outcome = outcomes.get((entry, name))
            if outcome is None:
                continue
            value = wide.loc[entry, name]
            text = f"{value:.2f}" if outcome == COMPUTED else outcome.split("_")[0]
            axes.text(column, line, text, ha="center", va="center", fontsize=6, color="w" if abs(value) > 1 else "k")


def _shown(table: pd.DataFrame) -> list[str]:
    """Return the entries with panels of their own."""
    counts = table.groupby("entry")["source"].nunique().sort_values(ascending=False, kind="stable")
    return sorted(counts.index[:_MOST_PANELS])


def _computed(results: Results) -> pd.DataFrame:
    table = results.table_of(STUDY.name)
    known = (table["status"] == "done") & (table["conductivity_outcome"] == COMPUTED)
    return table[known & table["source"].isin(list(results.potentials))]


def _in_panels(results: Results, table: pd.DataFrame, draw: Any) -> tuple[Figure, list[Axes]]:
    """Return a panel for each entry, in which `draw(axes, row, line)` draws each potential's row."""
    formulas = results.properties.groupby("entry")["formula"].first()
    entries = _shown(table)
    figure, (panels,) = grid_of_panels(len(entries), 1.7, room=0.7)
    if not entries:
        nothing(panels[0], "no conductivity was computed")
    for axes, entry in zip(panels, entries, strict=False):
        axes.set_title(f"{formulas.get(entry, '')} {entry}")
        for place, name in enumerate(results.potentials):
            for row in table[(table["entry"] == entry) & (table["source"] == name)].to_dict("records"):
                draw(axes, row, {"color": results.colours[name], "marker": MARKERS[place % len(MARKERS)]})
    return figure, list(panels)


def _legend(figure: Figure, results: Results, table: pd.DataFrame) -> None:
    there = [(place, name) for place, name in enumerate(results.potentials) if (table["source"] == name).any()]
    lines = [
        Line2D([], [], linestyle="", marker=MARKERS[place % len(MARKERS)], color=results.colours[name])
        for place, name in there
    ]
    potentials_legend(figure, lines, [results.labels[name] for _, name in there])


def temperature_figure(results: Results) -> tuple[Figure, pd.DataFrame]:
    """Return conductivities over temperature, and the reference's at 300 K."""
    table = _computed(results)
    lists = ["conductivity_temperatures_K", "kappa_W_per_m_K", "kappa_populations_W_per_m_K"]
    lists.append("kappa_coherences_W_per_m_K")
    numbers = table[["entry", "source", *lists]].explode(lists, ignore_index=True)
    known = results.once(numbers_of).groupby("entry")[_KNOWN].first()

    def draw(axes: Axes, row: dict[str, Any], line: dict[str, Any]) -> None:
        axes.plot(row[lists[0]], row[lists[1]], markersize=3, linewidth=0.9, **line)

    with style():
        figure, panels = _in_panels(results, table, draw)
        for axes, entry in zip(panels, _shown(table), strict=False):
            axes.plot([300], [known.get(entry, np.nan)], "k+", markersize=8)
            axes.set_xscale("log")
            axes.set_yscale("log")
            plain_logarithm(axes.yaxis)
            axes.set_xticks([100, 200, 400, 800], ["100", "200", "400", "800"])
            axes.xaxis.minorticks_off()
        figure.supxlabel("temperature (K)", fontsize=8)
        figure.supylabel("κ (W/m/K); + PBE", fontsize=8)
        _legend(figure, results, table)
    return figure, numbers


def linewidths_figure(results: Results) -> tuple[Figure, pd.DataFrame]:
    """Return linewidths of modes over their frequencies."""
    table = _computed(results)
    lists = ["mode_frequencies_THz", "mode_linewidths_THz", "mode_kappa_W_per_m_K"]
    numbers = table[["entry", "source", *lists]].explode(lists, ignore_index=True)

    def draw(axes: Axes, row: dict[str, Any], line: dict[str, Any]) -> None:
        modes = np.array([row[name] for name in lists[:2]], dtype=float)
        modes = modes[:, modes.min(axis=0) > 0]
        if modes.shape[1] > _MOST_MODES:
            modes = modes[:, np.random.default_rng(0).choice(modes.shape[1], _MOST_MODES, replace=False)]
        axes.plot(*modes, linestyle="", markersize=1.2, alpha=0.5, rasterized=True, **line)

    with style():
        figure, panels = _in_panels(results, table, draw)
        for axes in panels[: len(_shown(table))]:
            axes.set_yscale("log")
        figure.supxlabel("frequency (THz)", fontsize=8)
        figure.supylabel("full width at half maximum (THz)", fontsize=8)
        _legend(figure, results, table)
    return figure, numbers
