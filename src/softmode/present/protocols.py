"""Which setting makes which difference between protocols: a table, a figure and a few lines of text."""

import math

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from softmode.compare.changes import Base
from softmode.compare.mean_errors import THERMODYNAMICS
from softmode.compare.protocols import REMAINDER, TOTAL
from softmode.present.figures import WIDTH, nothing, style
from softmode.present.table_text import NOTHING, Table, digits_or_dash

_TITLE = "Which setting makes which difference"
_HEADER = ["potential", "protocol", "settings", "ω_max (K)", "S (J/K/mol)", "F (kJ/mol)", "C_V (J/K/mol)"]
# Changes below this, in the units of the table, are told as such: nobody's question, and in part rounding.
_SMALLEST = 0.001
# Height in inches of a bar of the figure, and of what stands round the bars of a panel.
_BAR, _ROUND = 0.14, 0.42


def contributions_table(numbers: pd.DataFrame, base: Base) -> Table:
    """Return the table of the contributions of groups of settings.

    Args:
        numbers: of `compare.protocols.contribution_table`
        base: the base
    """
    rows = []
    for (potential, protocol, group), own in numbers.groupby(["potential", "protocol", "group"], sort=False):
        by_quantity = own.set_index("quantity")
        n = int(own["n"].iloc[0])
        name = f"all of them ({n} entries)" if group == TOTAL else str(group)
        cells = [_cell(by_quantity.loc[quantity.key]) for quantity in THERMODYNAMICS]
        rows.append([base.labels[str(potential)], str(protocol), name, *cells])
    report = base.report
    caption = (
        f"Base: the protocol {report['protocol']} ({report['protocol_digest'][:12]}), data set "
        f"{base.dataset_digest[:12]}, {report['temperature_K']:g} K. Each cell: the mean absolute change "
        "of the potential's own values by the settings, per mole of primitive cells, with its 95 % bootstrap interval "
        "over the entries; after the semicolon the share of the sum of squared changes. The change of a group is the "
        "mean of that when it is switched first and when it is switched last; the remainder is what three groups or "
        f"more do together. No interval for fewer than {report['interval_smallest_n']} entries. {base.cautions}"
    ).rstrip()
    return Table("contributions", _TITLE, _HEADER, rows, caption, numbers)


def _cell(row: pd.Series) -> str:
    if math.isnan(row["mean_absolute_change"]):
        return NOTHING
    text = _small(row["mean_absolute_change"])
    if not math.isnan(row["mean_absolute_change_low"]) and row["mean_absolute_change"] >= _SMALLEST:
        low, high = (_small(row[f"mean_absolute_change_{end}"]) for end in ("low", "high"))
        text += f" [{low}, {high}]"
    return text if math.isnan(row["share"]) else f"{text}; {100 * row['share']:z.0f} %"


def _small(value: float) -> str:
    return f"< {_SMALLEST}" if value < _SMALLEST else digits_or_dash(value)


def explained_text(explained: pd.DataFrame, base: Base) -> str:
    """Return how much of the changes named settings explain, a line for each potential and protocol.

    Args:
        explained: of `compare.protocols.explained_table`
    """
    symbols = dict(zip((quantity.key for quantity in THERMODYNAMICS), ("ω_max", "S", "F", "C_V"), strict=True))
    lines = ["Part of the squared changes that named settings explain, each alone added up (and with pairs of them):"]
    for (potential, protocol), own in explained.groupby(["potential", "protocol"], sort=False):
        parts = [f"{symbols[row.quantity]} {_percent(row.alone)} ({_percent(row.paired)})" for row in own.itertuples()]
        lines.append(f"  {base.labels[str(potential)]}, {protocol}: {', '.join(parts)}")
    return "\n".join(lines)


def _percent(part: float) -> str:
    return NOTHING if math.isnan(part) else f"{100 * part:.0f} %"


def waterfall_figure(numbers: pd.DataFrame, base: Base) -> Figure:
    """Return a row of panels for each other protocol: from the base to it, setting by setting.

    Steps are shares of the sum of squared changes of the potential's own values, which add up to all of it; how large
    the changes are, as a mean of their sizes, stands beside the end. Shares below zero take back what others do.

    Args:
        numbers: of `compare.protocols.contribution_table`
        base: the base
    """
    protocols = list(numbers["protocol"].unique())
    groups = {name: list(numbers.loc[numbers["protocol"] == name, "group"].unique()) for name in protocols}
    heights = [_ROUND + _BAR * len(base.labels) * len(groups[name]) for name in protocols]
    with style():
        figure, panels = plt.subplots(
            len(protocols),
            len(THERMODYNAMICS),
            figsize=(WIDTH, sum(heights) + 0.6),
            height_ratios=heights,
            squeeze=False,
            sharex=True,
            layout="constrained",
        )
        for place, (protocol, row) in enumerate(zip(protocols, panels, strict=True)):
            for quantity, axes in zip(THERMODYNAMICS, row, strict=True):
                own = numbers[(numbers["protocol"] == protocol) & (numbers["quantity"] == quantity.key)]
                _waterfall(axes, own, groups[protocol], base)
                if quantity is THERMODYNAMICS[0]:
                    axes.set_ylabel(f"to {protocol}")
                else:
                    axes.tick_params(axis="y", labelleft=False)
                if place == 0:
                    axes.set_title(f"${quantity.symbol}$ ({quantity.unit})")
                if place == len(protocols) - 1:
                    axes.set_xlabel("% of squared changes")
        handles, labels = panels[0, 0].get_legend_handles_labels()
        unique = dict(zip(labels, handles, strict=True))
        if unique:
            figure.legend(list(unique.values()), list(unique), loc="outside upper center", ncols=4, frameon=False)
        figure.align_ylabels()
    return figure


def _waterfall(axes: Axes, numbers: pd.DataFrame, groups: list[str], base: Base) -> None:
    steps = [group for group in groups if group != TOTAL]
    potentials = [name for name in base.labels if name in set(numbers["potential"])]
    axes.set_yticks(range(len(steps) + 1), [*map(_in_words, steps), "all of them"])
    axes.set_ylim(len(steps) + 0.6, -0.6)
    axes.set_xlim(-15, 125)
    axes.set_xticks([0, 50, 100])
    if numbers["share"].isna().all():
        nothing(axes, "no changes" if numbers["mean_change"].notna().any() else "no entries")
        return
    width = 0.8 / len(potentials)
    for position, potential in enumerate(potentials):
        own = numbers[numbers["potential"] == potential].set_index("group")
        shift = (position - (len(potentials) - 1) / 2) * width
        colour, level = base.colours[potential], 0.0
        for place, step in enumerate(steps):
            share = 100 * float(own.loc[step, "share"])
            axes.barh(place + shift, share, left=level, height=0.9 * width, color=colour, label=base.labels[potential])
            level += share
            axes.plot([level, level], [place + shift, place + 1 + shift], color=colour, linewidth=0.6)
        axes.barh(len(steps) + shift, level, height=0.9 * width, color=colour, alpha=0.35)
        size = float(own.loc[TOTAL, "mean_absolute_change"])
        axes.text(3, len(steps) + shift, _small(size), va="center", fontsize=6)


def _in_words(name: str) -> str:
    return "three or more together" if name == REMAINDER else name
