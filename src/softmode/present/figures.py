"""Figures 3 and 4 of Loew et al. (2024): violins of the errors, one for each potential."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from softmode.compare.errors import RELAXATION, THERMODYNAMICS, Quantity, signed_errors
from softmode.engine.outputs import whole_file

# width of two columns of a journal, in inches
WIDTH = 7.0
# with fewer entries than this each is drawn as a point
_POINTS_UP_TO = 60
# with more potentials than this their names are turned
_UPRIGHT_LABELS = 3
# the axis shows these percentiles; what lies beyond is counted in the corner
_SHOWN = (1.0, 99.0)


def volume_figure(properties: pd.DataFrame, labels: Mapping[str, str], colours: Mapping[str, str]) -> Figure:
    """Return Figure 3: errors of the volume per atom."""
    with style():
        figure, axes = plt.subplots(figsize=(WIDTH, 3.2), layout="constrained")
        _violins(axes, properties, RELAXATION[1], labels, colours)
    return figure


def thermodynamics_figure(properties: pd.DataFrame, labels: Mapping[str, str], colours: Mapping[str, str]) -> Figure:
    """Return Figure 4: errors of highest frequency, entropy, free energy and heat capacity."""
    with style():
        figure, panels = plt.subplots(2, 2, figsize=(WIDTH, 6.4), layout="constrained")
        for letter, axes, quantity in zip("abcd", panels.flat, THERMODYNAMICS, strict=True):
            _violins(axes, properties, quantity, labels, colours)
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


def save(figure: Figure, stem: Path) -> list[Path]:
    """Write a figure as PNG (300 dpi) and PDF and return their paths."""
    formats: dict[str, Any] = {"png": {"dpi": 300}, "pdf": {"metadata": {"CreationDate": None}}}
    paths = []
    for suffix, options in formats.items():
        paths.append(stem.with_suffix(f".{suffix}"))
        with whole_file(paths[-1]) as partial:
            figure.savefig(partial, format=suffix, **options)
    plt.close(figure)
    return paths


def style() -> AbstractContextManager[None]:
    """Return the settings of all figures: text of 8 points, no box, editable fonts in PDF."""
    fonts: Any = {"font.size": 8, "axes.titlesize": 8, "axes.labelsize": 8, "xtick.labelsize": 8, "ytick.labelsize": 8}
    return mpl.rc_context(fonts | {"axes.spines.top": False, "axes.spines.right": False, "pdf.fonttype": 42})


def _violins(
    axes: Axes, properties: pd.DataFrame, quantity: Quantity, labels: Mapping[str, str], colours: Mapping[str, str]
) -> None:
    errors = signed_errors(properties, quantity, list(labels))
    long = errors.melt(var_name="potential", value_name="error").dropna()
    order = list(labels)
    if long.empty:
        axes.text(0.5, 0.5, "no entry has this number", ha="center", transform=axes.transAxes)
    else:
        common = {"data": long, "x": "potential", "y": "error", "order": order, "ax": axes}
        # a violin for each potential that it has room for, not wider with fewer of them
        width = min(0.8, 0.14 * len(order))
        sns.violinplot(
            **common, hue="potential", hue_order=order, palette=dict(colours), legend=False,
            density_norm="width", cut=0, inner="quart", linewidth=0.7, width=width,
        )  # fmt: skip
        for violin in axes.collections:
            violin.set_alpha(0.55)
        if errors.notna().sum().max() <= _POINTS_UP_TO:
            sns.swarmplot(**common, color="white", edgecolor="black", linewidth=0.6, size=3)
        _show_most(axes, long["error"].to_numpy())
    axes.axhline(0, color="black", linewidth=0.6, linestyle=":")
    axes.set_xticks(range(len(order)), [f"{labels[name]}\nn = {errors[name].notna().sum()}" for name in order])
    if len(order) > _UPRIGHT_LABELS:
        axes.tick_params(axis="x", rotation=40)
        for text in axes.get_xticklabels():
            text.set(ha="right", rotation_mode="anchor")
    axes.set_xlabel("")
    axes.set_ylabel(f"error of the {quantity.name}, ${quantity.symbol}$ ({quantity.unit})")


def _show_most(axes: Axes, errors: np.ndarray) -> None:
    """Let a few extreme errors not flatten all the rest, and say how many are not shown."""
    low, high = np.percentile(errors, _SHOWN) if len(errors) > _POINTS_UP_TO else (errors.min(), errors.max())
    margin = 0.15 * max(high - low, 1e-6)
    low, high = min(low, 0) - margin, max(high, 0) + margin
    axes.set_ylim(low, high)
    beyond = int(((errors < low) | (errors > high)).sum())
    if beyond:
        axes.text(0.99, 0.99, f"{beyond} beyond the axis", ha="right", va="top", transform=axes.transAxes, fontsize=7)
