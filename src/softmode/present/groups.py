"""Errors by what the entries are: elements, crystal system, class of stability, number of atoms."""

import math
from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from softmode.compare.groups import CRYSTAL_SYSTEMS, PER_ATOM, QUANTITIES, SIZES, STABILITY
from softmode.compare.mean_errors import THERMODYNAMICS, Quantity, with_numbers
from softmode.present.figures import MARKERS, WIDTH, nothing, plain_logarithm, potentials_legend, style, turn_labels
from softmode.present.periodic_table import colour_scale, periodic_table
from softmode.present.table_text import Table, digits_or_dash, three_digits

# Name of the files, title and meaning of each grouping of `compare.groups`. The names are those of the results that
# `studies.harmonic` declares; with another one, the files are not where their rule looks for them.
_TABLES = {
    "elements": ("errors_by_element", "element", "an entry counts for each of its elements"),
    "crystal_system": ("errors_by_crystal_system", "crystal system", "of the reference's cell"),
    "stability": ("errors_by_stability", "stability", "of the reference, by the protocol's threshold"),
    "atoms": ("errors_by_atoms", "atoms", "of the reference's primitive cell"),
}
# Symbols of QUANTITIES in the titles of their columns, by keys; one that is missing here cannot be shown.
_SYMBOLS = {
    "energy": "E", "volume": "V", "omega_max": "ω_max", "entropy": "S", "free_energy": "F", "heat_capacity": "C_V",
    "entropy_per_atom": "S", "free_energy_per_atom": "F", "heat_capacity_per_atom": "C_V",
}  # fmt: skip
_IN_GROUP_FIGURE = {
    "highest frequency (K)": THERMODYNAMICS[0],
    "entropy (J/K/mol)": THERMODYNAMICS[1],
    "entropy per atom\n(J/K/mol atoms)": PER_ATOM[0],
}
# Groups in the order in which they are shown. A grouping that is missing here is not in the figure by groups, and its
# table is in the order of the alphabet.
_ORDERS = {"crystal_system": CRYSTAL_SYSTEMS, "stability": STABILITY, "atoms": SIZES}
# Number of entries below which a mean is marked in the figures by element; with a smaller one, a mean of two or three
# entries looks as certain as any.
_FEW = 5
# Percentiles of the errors where the scale of colours ends; with 0 and 100, one extreme element makes all others look
# alike.
_SHOWN = (2.0, 98.0)


def grouped_error_table(numbers: pd.DataFrame, grouping: str, labels: Mapping[str, str], origin: str) -> Table:
    """Return one grouping's errors, a row for each group and potential.

    Args:
        numbers: of `compare.groups.grouped_errors`
        grouping: one of theirs
        origin: what the numbers are of, for the caption
    """
    name, title, meaning = _TABLES[grouping]
    own = numbers[numbers["grouping"] == grouping].reset_index(drop=True)
    shown = with_numbers(numbers, QUANTITIES)
    cells = {key: of_both.set_index("quantity") for key, of_both in own.groupby(["group", "potential"])}
    rows = [
        _row(cells[group, potential], group, label, shown)
        for group, (potential, label) in product(_groups(own, grouping), labels.items())
    ]
    caption = (
        "Mean absolute errors ± their standard errors, none for fewer entries than an interval needs "
        f"(report.interval_smallest_n of the protocol). {title}: {meaning}. entries: of the group; n: those of "
        "them behind the numbers, which this potential completed. S, F and C_V per mole of primitive cells, then "
        f"per mole of atoms. {origin}"
    )
    header = [title, "potential", "entries", "n", *(f"{_SYMBOLS[each.key]} ({each.unit})" for each in shown)]
    return Table(name, f"Errors by {title}", header, rows, caption, own)


def _row(cells: pd.DataFrame, group: str, label: str, shown: Sequence[Quantity]) -> list[str]:
    n = int(cells["n"].max())
    texts = []
    for quantity in shown:
        cell = cells.loc[quantity.key]
        text = digits_or_dash(cell["mae"])
        if not math.isnan(cell["mae_standard_error"]):
            text += f" ± {three_digits(cell['mae_standard_error'])}"
        texts.append(text + (f" (n = {cell['n']})" if 0 < cell["n"] != n else ""))
    return [group, label, str(cells["n_entries"].iloc[0]), str(n), *texts]


def _groups(numbers: pd.DataFrame, grouping: str) -> list[str]:
    """Return the groups that have entries, in their order."""
    found = set(numbers.loc[numbers["grouping"] == grouping, "group"])
    return [group for group in _ORDERS.get(grouping, sorted(found)) if group in found]


def element_numbers(numbers: pd.DataFrame, quantity: Quantity) -> pd.DataFrame:
    """Return the errors of one quantity by element."""
    return numbers[(numbers["grouping"] == "elements") & (numbers["quantity"] == quantity.key)].reset_index(drop=True)


def element_figure(numbers: pd.DataFrame, labels: Mapping[str, str], quantity: Quantity) -> Figure:
    """Return a periodic table for each potential, all with the same colours.

    Args:
        numbers: of `element_numbers`
    """
    columns = 1 if len(labels) == 1 else 2
    rows = math.ceil(len(labels) / columns)
    norm, extend = _scale(numbers["mae"])
    with style():
        figure, panels = plt.subplots(
            rows, columns, figsize=(WIDTH, rows * (4.1 if columns == 1 else 2.2) + 0.7), layout="constrained",
            squeeze=False,
        )  # fmt: skip
        for axes in panels.flat[len(labels) :]:
            axes.axis("off")
        for axes, (potential, label) in zip(panels.flat, labels.items(), strict=False):
            own = numbers[numbers["potential"] == potential].set_index("group")
            few = own.index[own["n"] < _FEW]
            # with several tables there is no room for numbers
            texts = own["mae"].map(digits_or_dash) if columns == 1 else None
            periodic_table(axes, own["mae"], norm, texts, few, font_size=8.0 if columns == 1 else 5.5)
            axes.set_title(label)
        label = f"MAE of the {quantity.name} ({quantity.unit}); corner: fewer than {_FEW} entries"
        colour_scale(figure, list(panels.flat), norm, label, extend)
    return figure


def _scale(errors: pd.Series) -> tuple[LogNorm, str]:
    known = errors[errors > 0]
    if known.empty:
        return LogNorm(0.1, 1.0), "neither"
    low, high = np.percentile(known, _SHOWN)
    extend = "both" if known.min() < low or known.max() > high else "neither"
    return LogNorm(low, max(high, 1.01 * low)), extend


def group_figure_numbers(numbers: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers that `group_figure` draws."""
    keys = [quantity.key for quantity in _IN_GROUP_FIGURE.values()]
    shown = numbers["grouping"].isin(_ORDERS) & numbers["quantity"].isin(keys)
    return numbers[shown].reset_index(drop=True)


def group_figure(numbers: pd.DataFrame, labels: Mapping[str, str], colours: Mapping[str, str]) -> Figure:
    """Return the errors by crystal system, class of stability and number of atoms, with their standard errors.

    Args:
        numbers: of `group_figure_numbers`
    """
    groups = {grouping: _groups(numbers, grouping) for grouping in _ORDERS}
    widths = [max(2, len(found)) for found in groups.values()]
    with style():
        figure, panels = plt.subplots(
            len(_IN_GROUP_FIGURE), len(groups), figsize=(WIDTH, 6.6), layout="constrained", sharey="row",
            sharex="col", width_ratios=widths,
        )  # fmt: skip
        for (row, (name, quantity)), (column, (grouping, names)) in product(
            enumerate(_IN_GROUP_FIGURE.items()), enumerate(groups.items())
        ):
            axes = panels[row, column]
            own = numbers[(numbers["grouping"] == grouping) & (numbers["quantity"] == quantity.key)]
            handles = _panel(axes, own, names, labels, colours)
            if column == 0:
                axes.set_ylabel(f"MAE of the\n{name}")
            if row == 0:
                axes.set_title(_TABLES[grouping][1])
        note = "In brackets: entries of the group. Bars: standard errors, if any. Stability, atoms: of the reference."
        figure.supxlabel(note, fontsize=7)
        potentials_legend(figure, handles, list(labels.values()))
    return figure


def _panel(
    axes: Axes, own: pd.DataFrame, groups: Sequence[str], labels: Mapping[str, str], colours: Mapping[str, str]
) -> list[Artist]:
    """Draw one quantity of one grouping, the potentials side by side, and return what the legend has."""
    handles: list[Artist] = []
    for position, potential in enumerate(labels):
        errors = own[own["potential"] == potential].set_index("group").reindex(groups)
        places = np.arange(len(groups)) + 0.8 * ((position + 0.5) / len(labels) - 0.5)
        drawn = axes.errorbar(
            places, errors["mae"], errors["mae_standard_error"].fillna(0.0), color=colours[potential],
            marker=MARKERS[position % len(MARKERS)], markersize=3, linestyle="", elinewidth=0.7,
        )  # fmt: skip
        handles.append(drawn.lines[0])
    if not (own["mae"] > 0).any():
        nothing(axes, "no entry")
    else:
        axes.set_yscale("log", nonpositive="clip")
        plain_logarithm(axes.yaxis)
    sizes = own.groupby("group")["n_entries"].first()
    axes.set_xticks(range(len(groups)), [f"{group} ({sizes[group]})" for group in groups])
    axes.set_xlim(-0.5, max(1, len(groups)) - 0.5)
    turn_labels(axes)
    return handles
