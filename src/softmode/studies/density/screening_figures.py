"""Figures of predictions: densities of some structures, and of a data set after Figure 5 of Chen et al. (2021)."""

import math
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from softmode.present.figures import WIDTH, nothing, plain_logarithm, style
from softmode.present.periodic_table import colour_scale, periodic_table
from softmode.studies.density.density import bin_centres_THz
from softmode.studies.density.prediction_files import Predicted
from softmode.studies.density.screening import Screening

_COLOUR, _OTHER = "#0072b2", "#d55e00"
_IN_A_ROW = 4
# Temperatures in K at which heat capacities are drawn.
_TEMPERATURES_K = tuple(float(each) for each in range(5, 605, 5))
_GAS_CONSTANT_J = 8.314462618


def densities_figure(found: Sequence[Predicted]) -> Figure:
    """Return densities of states of some structures, a panel each, and their heat capacities over temperature."""
    with style():
        n_columns = min(_IN_A_ROW, len(found))
        n_lines = math.ceil(len(found) / n_columns)
        figure = plt.figure(figsize=(WIDTH, 1.5 * n_lines + 2.4), layout="constrained")
        parts: Any = figure.subfigures(2, 1, height_ratios=[1.5 * n_lines, 2.4])
        above, below = parts
        panels = above.subplots(n_lines, n_columns, squeeze=False)
        for axes, each in zip(panels.flat, found, strict=False):
            _density(axes, each)
        for unused in panels.flat[len(found) :]:
            unused.set_axis_off()
        above.supxlabel("frequency (THz)", fontsize=8)
        above.supylabel("states (1/THz/atom)", fontsize=8)
        heat, per_mass = below.subplots(1, 2)
        colours = mpl.colormaps["viridis"](np.linspace(0, 0.9, len(found)))
        for each, colour in zip(found, colours, strict=True):
            density = each.density
            values = density.thermodynamics(_TEMPERATURES_K).heat_capacity_J_per_K_mol
            heat.plot(_TEMPERATURES_K, values, color=colour, linewidth=1, label=each.row["formula"])
            per_mass.plot(_TEMPERATURES_K, values / density.kilograms_per_mol_atoms, color=colour, linewidth=1)
        heat.axhline(3 * _GAS_CONSTANT_J, color="#808080", linewidth=0.6, linestyle=":")
        heat.set(xlabel="temperature (K)", ylabel="$C_V$ (J/K/mol atoms)", ylim=(0, None))
        per_mass.set(xlabel="temperature (K)", ylabel="$C_V$ (J/K/kg)", ylim=(0, None))
        if len(found) > 1:
            below.legend(loc="outside lower center", ncols=min(8, len(found)), frameon=False, fontsize=7)
    return figure


def _density(axes: Axes, each: Predicted) -> None:
    row, centres = each.row, bin_centres_THz()
    values, deviations = (
        np.array(row[name], dtype=float)
        for name in ("density_of_states_per_THz", "density_of_states_standard_deviation_per_THz")
    )
    if np.isfinite(deviations).all():
        axes.fill_between(centres, (values - deviations).clip(0), values + deviations, color=_COLOUR, alpha=0.25, lw=0)
    axes.plot(centres, values, color=_COLOUR, linewidth=0.9)
    end = centres[np.flatnonzero(values > 0.01 * values.max())[-1]]
    axes.set(xlim=(0, 1.05 * end), ylim=(0, None))
    axes.set_title(f"{row['formula']}", fontsize=7)
    if row["states_above"] > 0.01:
        axes.text(0.98, 0.95, f"{row['states_above']:.2f} at {row['frequency_above_THz']:.0f} THz",
                  transform=axes.transAxes, ha="right", va="top", fontsize=6)  # fmt: skip


def screening_figure(found: Screening, checked: pd.DataFrame | None) -> Figure:
    """Return histogram, principal components and periodic table of heat capacities, and how true the first are.

    Args:
        checked: the ranked structures with `reference_J_per_K_kg`; None where no reference was asked
    """
    at = f"{found.temperature_K:g} K"
    with style():
        figure = plt.figure(figsize=(WIDTH, 8.2), layout="constrained")
        parts: Any = figure.subfigures(2, 1, height_ratios=[1, 1.05])
        above, below = parts
        axes = above.subplots(2, 2)
        _histogram(axes[0, 0], found, at)
        _components(above, axes[0, 1], found)
        _by_mass(axes[1, 0], found, at)
        _checked(axes[1, 1], checked, at)
        table = below.subplots()
        means = found.by_element["mean"]
        if len(means) > 2 and means.min() < means.max():
            scale = LogNorm(*means.quantile([0.03, 0.97]))
            periodic_table(table, means, scale, found.by_element["n"].map(lambda n: f"{n:.0f}"))
            label = f"mean $C_V$ at {at} of structures with the element (J/K/kg); below the symbol their number"
            colour_scale(below, table, scale, label, extend="both")
        else:
            nothing(table, "too few elements")
        table.set_title("(e)", loc="left")
    return figure


def _histogram(axes: Axes, found: Screening, at: str) -> None:
    values = found.heat_capacities
    axes.hist(values, bins=np.geomspace(values.min(), values.max(), 50).tolist(), color=_COLOUR, alpha=0.7)
    axes.set(xscale="log", xlabel=f"$C_V$ at {at} (J/K/kg)", ylabel="structures")
    plain_logarithm(axes.xaxis)
    axes.axvline(found.ranked["heat_capacity_J_per_K_kg"].iloc[-1], color=_OTHER, linewidth=0.8)
    axes.set_title(f"(a) n = {len(values):,}; line: the first {len(found.ranked)}", loc="left")


def _components(figure: Figure, axes: Axes, found: Screening) -> None:
    points = found.components.sort_values("heat_capacity_J_per_K_kg")
    norm = LogNorm(*points["heat_capacity_J_per_K_kg"].quantile([0.02, 0.98]))
    drawn = axes.scatter(
        points["first"], points["second"], c=points["heat_capacity_J_per_K_kg"], norm=norm, s=3, cmap="viridis_r",
        linewidth=0, rasterized=True,
    )  # fmt: skip
    bar = figure.colorbar(drawn, ax=axes, label="$C_V$ (J/K/kg)", extend="both")
    plain_logarithm(bar.ax.yaxis)
    one, two = (100 * share for share in found.explained)
    axes.set(xlabel=f"first component ({one:.0f} % of the variance)", ylabel=f"second ({two:.0f} %)")
    axes.set_title("(b) densities of an atom", loc="left")


def _by_mass(axes: Axes, found: Screening, at: str) -> None:
    points = found.components
    axes.scatter(
        points["mean_frequency_THz"],
        points["heat_capacity_J_per_K_kg"],
        s=3,
        color=_COLOUR,
        linewidth=0,
        alpha=0.5,
        rasterized=True,
    )
    first = found.ranked
    axes.scatter(first["mean_frequency_THz"], first["heat_capacity_J_per_K_kg"], s=14, color=_OTHER, linewidth=0)
    axes.set(xscale="log", yscale="log", xlabel="mean frequency (THz)", ylabel=f"$C_V$ at {at} (J/K/kg)")
    for axis in (axes.xaxis, axes.yaxis):
        plain_logarithm(axis)
    axes.set_title("(c)", loc="left")


def _checked(axes: Axes, checked: pd.DataFrame | None, at: str) -> None:
    axes.set_title("(d)", loc="left")
    if checked is None or checked["reference_J_per_K_kg"].notna().sum() == 0:
        nothing(axes, "no reference of the first ones")
        return
    known = checked[checked["reference_J_per_K_kg"].notna()]
    expected, found = (known[name].to_numpy(float) for name in ("reference_J_per_K_kg", "heat_capacity_J_per_K_kg"))
    deviations = np.nan_to_num(known["heat_capacity_standard_deviation_J_per_K_kg"].to_numpy(float))
    lines = np.arange(len(known))
    axes.errorbar(found, lines, xerr=deviations, fmt="o", markersize=4, color=_OTHER, linewidth=0.8, label="predicted")
    axes.scatter(expected, lines, marker="|", s=50, color="#202020", linewidth=1.2, zorder=3, label="reference")
    axes.set_yticks(lines, known["formula"], fontsize=6)
    axes.invert_yaxis()
    axes.set(xscale="log", xlabel=f"$C_V$ at {at} (J/K/kg)")
    plain_logarithm(axes.xaxis)
    error = 100 * np.abs(found / expected - 1).mean()
    axes.legend(title=f"mean error {error:.1f} %", frameon=False, fontsize=7, title_fontsize=7)
