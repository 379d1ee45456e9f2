"""How much the errors change with a setting, as a table and a figure."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from softmode.compare.changes import FALSE_OUTCOMES, QUANTITIES, Base
from softmode.present.figures import WIDTH, style
from softmode.present.table_text import NOTHING, Table, three_digits
from softmode.present.tables import verdicts_in_words

# Settings that `softmode sensitivity` changes, as people call them; one that is missing here is called by its key.
_SETTINGS = {"force_sets.displacement_distance_A": "displacement (Å)", "dtype": "floating-point type"}
# Titles of n and of QUANTITIES in their order; in another one, numbers stand under wrong titles.
_HEADER = ["n", "ω_max (K)", "S (J/K/mol)", "F (kJ/mol)", "C_V (J/K/mol)", "FU (%)", "FS (%)"]


def changes_table(numbers: pd.DataFrame, base: Base) -> Table:
    """Return the table of the errors in the base, and of their changes in every variation.

    Args:
        numbers: of `compare.changes.change_table`
    """
    rows = []
    for potential, own in numbers.groupby("potential", sort=False):
        first = own[own["campaign"] == own["campaign"].iloc[0]].set_index("quantity")
        rows.append([base.labels[str(potential)], "as in the base", *_cells(first, of_base=True)])
        for _, variation in own.groupby("campaign", sort=False):
            text = f"{setting_label(variation['setting'].iloc[0])} {variation['value'].iloc[0]}"
            rows.append([base.labels[str(potential)], text, *_cells(variation.set_index("quantity"))])
    report = base.report
    values = numbers[["setting", "base_value"]].drop_duplicates().astype(str)
    usual = ", ".join(f"{setting_label(row.setting)} {row.base_value}" for row in values.itertuples())
    caption = (
        f"Base: {usual or 'nothing was varied'}. Each potential is judged on the entries that it brought to the end in "
        "every campaign (n; in brackets those whose reference is stable, and unstable; and how many were dropped). "
        "Mean absolute errors at "
        f"{report['temperature_K']:g} K, verdicts by the thresholds '{report['stability']}'. "
        f"{verdicts_in_words('FU', 'FS')} In brackets after an error: its change from the base, and the 95 % "
        f"interval of the change by a paired bootstrap over the entries ({report['bootstrap_resamples']} resamples, "
        f"seed {report['bootstrap_seed']}; none for n below {report['interval_smallest_n']}); * where the interval has "
        "no zero; nothing where no entry changed. "
        f"Protocol of the base {report['protocol']} ({report['protocol_digest'][:12]}), "
        f"data set {base.dataset_digest[:12]}. {base.cautions}".rstrip()
    )
    title = "Errors of each potential, and how they change with one setting"
    return Table("changes", title, ["potential", "setting", *_HEADER], rows, caption, numbers)


def setting_label(key: str) -> str:
    """Return what a setting is called."""
    return _SETTINGS.get(key, key)


def _cells(rows: pd.DataFrame, *, of_base: bool = False) -> list[str]:
    stable, unstable = (rows.loc[quantity.key, "n"] for quantity in FALSE_OUTCOMES)
    dropped = int(rows["n_dropped"].iloc[0])
    n = f"{rows.loc[QUANTITIES[0].key, 'n']} ({stable}, {unstable}{f'; {dropped} dropped' if dropped else ''})"
    return [n, *(_cell(rows.loc[quantity.key], of_base) for quantity in QUANTITIES)]


def _cell(row: pd.Series, of_base: bool) -> str:
    error = row["error_base"] if of_base else row["error"]
    if math.isnan(error):
        return NOTHING
    text = "0.0" if error == 0 else three_digits(error)
    if of_base or row["change"] == row["change_low"] == row["change_high"] == 0:
        return text
    # as many decimals as the error has: what the change adds to it
    decimals = len(text.partition(".")[2])
    change, low, high = (f"{row[key]:+z.{decimals}f}" for key in ("change", "change_low", "change_high"))
    if math.isnan(row["change_low"]):
        return f"{text} ({change})"
    return f"{text} ({change} [{low}, {high}]{'*' if row['decided'] else ''})"


def changes_figure(numbers: pd.DataFrame, base: Base) -> Figure:
    """Return a panel for each quantity and setting: errors of each potential against the setting.

    The bars are the intervals of the ratio to the error in the base, which is the open marker; of the false outcomes,
    which may be none, those of the change.

    Args:
        numbers: of `compare.changes.change_table`
    """
    settings = {setting: _values(numbers, setting) for setting in numbers["setting"].unique()}
    with style():
        figure, panels = plt.subplots(
            len(QUANTITIES),
            max(1, len(settings)),
            figsize=(WIDTH, 1.5 * len(QUANTITIES)),
            width_ratios=[len(values) for values in settings.values()] or None,
            sharex="col",
            sharey="row",
            squeeze=False,
            layout="constrained",
        )
        for quantity, row in zip(QUANTITIES, panels, strict=True):
            of_quantity = numbers[numbers["quantity"] == quantity.key]
            for axes, (setting, values) in zip(row, settings.items(), strict=False):
                _lines(axes, of_quantity[of_quantity["setting"] == setting], values, base)
                axes.set_xlim(-0.5, len(values) - 0.5)
                axes.set_xticks(range(len(values)), [str(value) for value in values])
                axes.set_xlabel(setting_label(setting) if quantity is QUANTITIES[-1] else "")
            if quantity in FALSE_OUTCOMES:
                row[0].set_ylim(-5, max(row[0].get_ylim()[1], 25))
            elif (of_quantity[["error", "error_base"]] > 0).all(axis=None):
                _make_logarithmic(row[0])
            what = "" if quantity in FALSE_OUTCOMES else "MAE of "
            row[0].set_ylabel(f"{what}${quantity.symbol}$ ({quantity.unit})")
        handles, labels = panels[0, 0].get_legend_handles_labels()
        if handles:
            figure.legend(handles, labels, loc="outside upper center", ncols=4, columnspacing=1.2, frameon=False)
        figure.align_ylabels()
    return figure


def _make_logarithmic(axes: Axes) -> None:
    """Let the errors of all potentials be seen, with plain numbers at the ticks."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())


def _values(numbers: pd.DataFrame, setting: str) -> list[Any]:
    """Return the values of a setting, in the order of the axis."""
    own = numbers[numbers["setting"] == setting]
    values = dict.fromkeys([*own["base_value"], *own["value"]])
    if all(isinstance(value, (int, float)) for value in values):
        return sorted(values)
    return sorted(values, key=str)


def _lines(axes: Axes, numbers: pd.DataFrame, values: Sequence[Any], base: Base) -> None:
    names = [name for name in base.labels if name in set(numbers["potential"])]
    for name, shift in zip(names, np.linspace(-0.15, 0.15, len(names)) if len(names) > 1 else [0.0], strict=True):
        own = numbers[numbers["potential"] == name]
        first = own.iloc[0]
        points = {values.index(first["base_value"]): (first["error_base"], np.nan, np.nan)}
        for _, row in own.iterrows():
            points[values.index(row["value"])] = (row["error"], *_interval(row))
        positions = sorted(points)
        x = np.array(positions) + shift
        y, low, high = np.array([points[position] for position in positions], dtype=float).T
        colour = base.colours[name]
        axes.errorbar(
            x, y, yerr=np.maximum([y - low, high - y], 0), color=colour, marker="o", markersize=3.5, linewidth=0.8,
            elinewidth=1, capsize=2, label=base.labels[name],
        )  # fmt: skip
        axes.plot(
            values.index(first["base_value"]) + shift, first["error_base"], "o", markersize=5, markerfacecolor="white",
            color=colour, zorder=5,
        )  # fmt: skip


def _interval(row: pd.Series) -> tuple[float, float]:
    """Return between what the error lies, that of the base taken as known."""
    if row["quantity"] in [quantity.key for quantity in FALSE_OUTCOMES]:
        low, high = row["error_base"] + row["change_low"], row["error_base"] + row["change_high"]
        return max(low, 0.0), min(high, 100.0)
    return row["error_base"] * row["ratio_low"], row["error_base"] * row["ratio_high"]
