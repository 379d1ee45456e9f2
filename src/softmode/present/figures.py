"""Figures 3 and 4 of Loew et al. (2024), violins of the errors; and what all figures have in common."""

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from softmode.compare.mean_errors import RELAXATION, THERMODYNAMICS, Quantity, signed_errors
from softmode.engine.outputs import whole_file

# Width of all figures in inches, that of two columns of a journal; with another one a journal scales them, and their
# text is no longer of 8 points.
WIDTH = 7.0
# Largest number of entries that are all shown, each as a point. With a larger one, points hide the violins, and one
# extreme value flattens all the rest.
_POINTS_UP_TO = 60
# Largest number of potentials whose names stand upright; with a larger one, long names overlap.
_UPRIGHT_LABELS = 3
# Largest number of labels that are slanted; with a larger one, slanted lines of text run into each other.
_SLANTED_LABELS = 8
# Markers and lines of the potentials in their order, so that colours are not all that tells them apart. Where there are
# more potentials than these, they begin again.
MARKERS = "osD^vPX<>*"
LINES = ("-", "--", "-.", ":")
# Steps between powers of ten that have a number on a logarithmic axis of less than so many decades. With more steps,
# numbers overlap; with fewer, a short axis may have none.
_STEPS_OF_DECADES = {
    0.5: (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0), 1.0: (1.0, 1.5, 2.0, 3.0, 5.0, 7.0),
    2.0: (1.0, 2.0, 5.0), math.inf: (1.0,),
}  # fmt: skip
# Percentiles of the values that the axis shows; what lies beyond is counted in the corner. With 0 and 100, one extreme
# value flattens all the rest.
_SHOWN = (1.0, 99.0)


def volume_figure(properties: pd.DataFrame, labels: Mapping[str, str], colours: Mapping[str, str]) -> Figure:
    """Return Figure 3: errors of the volume per atom."""
    with style():
        figure, axes = plt.subplots(figsize=(WIDTH, 3.2), layout="constrained")
        _errors(axes, properties, RELAXATION[1], labels, colours)
    return figure


def thermodynamics_figure(properties: pd.DataFrame, labels: Mapping[str, str], colours: Mapping[str, str]) -> Figure:
    """Return Figure 4: errors of highest frequency, entropy, free energy and heat capacity."""
    with style():
        # upright names of many potentials take the room of the violins
        height = 6.4 if len(labels) <= _SLANTED_LABELS else 9.4
        figure, panels = plt.subplots(2, 2, figsize=(WIDTH, height), layout="constrained")
        for letter, axes, quantity in zip("abcd", panels.flat, THERMODYNAMICS, strict=True):
            _errors(axes, properties, quantity, labels, colours)
            axes.set_title(f"({letter})", loc="left")
    return figure


def error_numbers(properties: pd.DataFrame, quantities: Sequence[Quantity], potentials: Sequence[str]) -> pd.DataFrame:
    """Return the numbers behind the violins: columns quantity, unit, entry, potential, error."""
    parts = []
    for quantity in quantities:
        errors = signed_errors(properties, quantity, potentials).reset_index()
        long = errors.melt(id_vars="entry", var_name="potential", value_name="error").dropna()
        parts.append(long.assign(quantity=quantity.key, unit=quantity.unit))
    return pd.concat(parts, ignore_index=True)[["quantity", "unit", "entry", "potential", "error"]]


def save(figure: Figure, stem: Path, numbers: pd.DataFrame) -> list[Path]:
    """Write a figure as PNG (300 dpi) and PDF, and the numbers behind it as CSV; return the three paths."""
    formats: dict[str, Any] = {"png": {"dpi": 300}, "pdf": {"metadata": {"CreationDate": None}}}
    paths = []
    for suffix, options in formats.items():
        paths.append(stem.with_suffix(f".{suffix}"))
        with whole_file(paths[-1]) as partial:
            figure.savefig(partial, format=suffix, **options)
    plt.close(figure)
    paths.append(stem.with_suffix(".csv"))
    with whole_file(paths[-1]) as partial:
        numbers.to_csv(partial, index=False)
    return paths


def style() -> AbstractContextManager[None]:
    """Return the settings of all figures: text of 8 points, no box, editable fonts in PDF."""
    fonts: Any = {"font.size": 8, "axes.titlesize": 8, "axes.labelsize": 8, "xtick.labelsize": 8, "ytick.labelsize": 8}
    return mpl.rc_context(fonts | {"axes.spines.top": False, "axes.spines.right": False, "pdf.fonttype": 42})


def grid_of_panels(
    n_panels: int, height: float, *, in_a_row: int = 4, rows_each: int = 1, room: float = 0.5
) -> tuple[Figure, np.ndarray]:
    """Return a figure of panels in lines, and its axes, those without a panel empty.

    Args:
        n_panels: one is there in any case
        height: of a panel in inches
        in_a_row: largest number of panels in a line; with more than four, labels of 8 points run into each other
        rows_each: axes of each panel, one below the other
        room: for legend and labels, in inches

    Returns:
        the axes in shape (rows_each, n), the first n_panels of each row in use
    """
    n_columns = min(in_a_row, max(1, n_panels))
    n_lines = math.ceil(max(1, n_panels) / n_columns)
    figure, axes = plt.subplots(
        n_lines * rows_each,
        n_columns,
        figsize=(WIDTH, height * n_lines * rows_each + room),
        layout="constrained",
        squeeze=False,
    )
    flat = axes.reshape(n_lines, rows_each, n_columns).transpose(1, 0, 2).reshape(rows_each, -1)
    for unused in flat[:, max(1, n_panels) :].flat:
        unused.set_axis_off()
    return figure, flat


def nothing(axes: Axes, reason: str) -> None:
    """Say in an empty panel why it is empty."""
    axes.text(0.5, 0.5, reason, ha="center", va="center", transform=axes.transAxes, color="#606060")


def turn_labels(axes: Axes) -> None:
    """Turn the labels of the x axis, so that long ones have room, and many of them more."""
    many = len(axes.get_xticks()) > _SLANTED_LABELS
    axes.tick_params(axis="x", rotation=75 if many else 40)
    for text in axes.get_xticklabels():
        text.set(ha="right", rotation_mode="anchor")


def potentials_legend(figure: Figure, handles: Sequence[Artist], labels: Sequence[str]) -> None:
    """Put one legend above all panels, as many potentials in a line as have room."""
    figure.legend(handles, labels, loc="outside upper center", ncols=max(1, min(4, len(labels))), frameon=False)


def plain_logarithm(axis: Axis) -> None:
    """Write the numbers of a logarithmic axis, which has its data, as they are: not as powers, and not too many."""
    low, high = axis.get_view_interval()
    decades = math.log10(high / low)
    for at_most, steps in _STEPS_OF_DECADES.items():
        if decades < at_most:
            axis.set_major_locator(LogLocator(subs=steps))
            break
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def violins(
    axes: Axes, values: pd.DataFrame, labels: Mapping[str, str], colours: Mapping[str, str], line: float = 0.0
) -> None:
    """Draw the distribution of a number for each potential, with its n, one beside the other.

    Args:
        values: index entry, a column for each potential, NaN where there is none
        labels: what each potential is called, in the order of the violins
        line: where a perfect potential is; the axis always shows it
    """
    _distributions(axes, values, colours, list(labels), "y", line)
    # a second line would run into the next label that is turned
    between = "\n" if len(labels) <= _UPRIGHT_LABELS else ", "
    names = [f"{label}{between}n = {values[name].notna().sum()}" for name, label in labels.items()]
    axes.set_xticks(range(len(names)), names)
    if len(labels) > _UPRIGHT_LABELS:
        turn_labels(axes)


def lying_violins(
    axes: Axes, values: pd.DataFrame, labels: Mapping[str, str], colours: Mapping[str, str], line: float = 0.0
) -> None:
    """Draw the same one above the other; names and n are left to the ticks of the first of several panels."""
    _distributions(axes, values, colours, list(labels), "x", line)


def _distributions(
    axes: Axes, values: pd.DataFrame, colours: Mapping[str, str], order: Sequence[str], along: str, line: float
) -> None:
    long = values.melt(var_name="potential", value_name="value").dropna()
    if long.empty:
        nothing(axes, "no entry has this number")
    else:
        # a violin for each potential that it has room for, not wider with fewer of them
        width = min(0.8, 0.14 * len(order)) if along == "y" else 0.8
        across = {"x": "y", "y": "x"}[along]
        sns.violinplot(
            **{across: "potential", along: "value"}, data=long, order=order, hue="potential", hue_order=order,
            palette=dict(colours), legend=False, density_norm="width", cut=0, inner="quart", linewidth=0.7,
            width=width, ax=axes,
        )  # fmt: skip
        for violin in axes.collections:
            violin.set_alpha(0.55)
        if values.notna().sum().max() <= _POINTS_UP_TO:
            for place, name in enumerate(order):
                _points(axes, place, values[name].dropna().sort_values().to_numpy(), width, along)
        _show_most(axes, long["value"].to_numpy(), along, line)
    (axes.axhline if along == "y" else axes.axvline)(line, color="black", linewidth=0.6, linestyle=":")
    axes.set(xlabel="", ylabel="")


def _points(axes: Axes, place: int, values: np.ndarray, width: float, along: str) -> None:
    # multiples of the golden ratio: points that are neighbours in value lie far apart across, whatever their number
    places = place + 0.35 * width * ((np.arange(len(values)) * 0.618034 + 0.5) % 1.0 - 0.5)
    x, y = (places, values) if along == "y" else (values, places)
    axes.scatter(x, y, s=7, facecolor="white", edgecolor="black", linewidth=0.6, zorder=3)


def _errors(
    axes: Axes, properties: pd.DataFrame, quantity: Quantity, labels: Mapping[str, str], colours: Mapping[str, str]
) -> None:
    violins(axes, signed_errors(properties, quantity, list(labels)), labels, colours)
    axes.set_ylabel(f"error of the {quantity.name}, ${quantity.symbol}$ ({quantity.unit})")


def _show_most(axes: Axes, values: np.ndarray, along: str, line: float) -> None:
    """Let a few extreme values not flatten all the rest, and say how many are not shown."""
    low, high = np.percentile(values, _SHOWN) if len(values) > _POINTS_UP_TO else (values.min(), values.max())
    margin = 0.15 * max(high - low, 1e-6)
    low, high = min(low, line) - margin, max(high, line) + margin
    axes.set(**{f"{along}lim": (low, high)})
    beyond = int(((values < low) | (values > high)).sum())
    if beyond:
        axes.set_title(f"{beyond} beyond the axis", loc="right", fontsize=7)
