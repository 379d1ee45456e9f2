"""What accuracy costs: errors against the time of a force call."""

from collections.abc import Mapping

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from softmode.compare.mean_errors import THERMODYNAMICS
from softmode.present.figures import MARKERS, WIDTH, nothing, plain_logarithm, potentials_legend, style
from softmode.present.table_text import NOTHING, Table, digits_or_dash, three_digits
from softmode.sources import YARDSTICK

NAME = "cost_accuracy"


def cost_accuracy_table(numbers: pd.DataFrame, labels: Mapping[str, str], origin: str) -> Table:
    """Return times and errors of each potential, marking which is not beaten in both.

    Args:
        numbers: of `compare.cost.cost_table`
        origin: what the numbers are of, for the caption
    """
    header = ["potential", "device", "n", "force call (ms/atom)", "relaxation (s/atom)", "all (s/atom)"]
    header += ["ω_max (K)", "S (J/K/mol)", "F (kJ/mol)", "C_V (J/K/mol)"]
    rows = []
    for name, label in labels.items():
        if name == YARDSTICK:
            continue
        own = numbers[numbers["potential"] == name].set_index("quantity")
        first = own.iloc[0]
        times = (1000 * first["seconds_per_atom"], first["relax_seconds_per_atom"], first["seconds_per_atom_total"])
        errors = [_marked(own.loc[quantity.key]) for quantity in THERMODYNAMICS]
        rows.append([label, first["device"], str(own["n"].max()), *map(digits_or_dash, times), *errors])
    caption = (
        "On the n entries that every potential completed. Force call: time of all force sets over the atoms of all "
        "displaced supercells; relaxation, and relaxation with force sets (all), over the atoms of the unit cells; "
        "on the machines that this campaign ran on, with whatever else they did. Mean absolute errors; *: no other "
        f"potential has both a faster force call and a smaller error. {origin}"
    )
    return Table(NAME, "Cost and accuracy", header, rows, caption, numbers)


def _marked(row: pd.Series) -> str:
    if pd.isna(row["mae"]):
        return NOTHING
    return three_digits(row["mae"]) + ("*" if row["pareto"] else "")


def cost_accuracy_figure(numbers: pd.DataFrame, labels: Mapping[str, str], colours: Mapping[str, str]) -> Figure:
    """Return the errors of the thermodynamics against the time of a force call; a line joins those not beaten."""
    devices = " or ".join(sorted(set(numbers["device"]) - {"unknown"})) or "an unknown device"
    with style():
        figure, panels = plt.subplots(2, 2, figsize=(WIDTH, 5.6), layout="constrained", sharex=True)
        drawn: dict[str, PathCollection] = {}
        for letter, axes, quantity in zip("abcd", panels.flat, THERMODYNAMICS, strict=True):
            points = numbers[(numbers["quantity"] == quantity.key) & numbers["mae"].notna()]
            points = points[points["seconds_per_atom"].notna()]
            axes.set_ylabel(f"MAE of the {quantity.name}, ${quantity.symbol}$ ({quantity.unit})")
            axes.set_title(f"({letter})" + (f" n = {points['n'].max()}" if len(points) else ""), loc="left")
            drawn |= _points(axes, points, labels, colours)
        for axes in panels[-1]:
            axes.set_xlabel(f"time of a force call on {devices} (ms/atom)")
        potentials_legend(figure, list(drawn.values()), list(drawn))
    return figure


def _points(
    axes: Axes, points: pd.DataFrame, labels: Mapping[str, str], colours: Mapping[str, str]
) -> dict[str, PathCollection]:
    """Draw one panel and return what the legend has, by label."""
    if points.empty:
        nothing(axes, "no entry that all completed")
        return {}
    axes.set(xscale="log", yscale="log")
    best = points[points["pareto"]].sort_values("seconds_per_atom")
    axes.plot(1000 * best["seconds_per_atom"], best["mae"], color="#808080", linewidth=0.8, zorder=1)
    drawn = {}
    for position, (name, label) in enumerate(labels.items()):
        own = points[points["potential"] == name]
        if len(own):
            marker = MARKERS[position % len(MARKERS)]
            drawn[label] = axes.scatter(
                1000 * own["seconds_per_atom"], own["mae"], marker=marker, color=colours[name], s=30, zorder=2
            )
    axes.margins(0.1)
    for axis in (axes.xaxis, axes.yaxis):
        plain_logarithm(axis)
    return drawn
