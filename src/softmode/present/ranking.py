"""Which potential is really better than which."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from softmode.compare.mean_errors import RELAXATION, THERMODYNAMICS, with_numbers
from softmode.present.figures import WIDTH, nothing, style, turn_labels
from softmode.present.table_text import NOTHING, Table, three_digits
from softmode.present.verdict import SYMBOLS
from softmode.sources import YARDSTICK

NAME = "ranking"
RANKED = (*RELAXATION, *THERMODYNAMICS)
# Colours of better, worse and undecided. The note below the figure calls the first two blue and orange: with others it
# is wrong.
_BETTER, _WORSE, _UNDECIDED = "#9ecae1", "#fdbf8f", "#ffffff"

# Points of text that a row of the matrix has room for, all numbers together; with more, numbers of many potentials run
# into each other.
_TEXT_OF_ROW = 46.0


def ranking_table(numbers: pd.DataFrame, labels: Mapping[str, str], origin: str) -> Table:
    """Return the place of each potential for each quantity, or the places between which it lies.

    Args:
        numbers: of `compare.ranking.ranking_table`
        origin: what the numbers are of, for the caption
    """
    competing = [name for name in labels if name != YARDSTICK]
    shown = with_numbers(numbers, RANKED)
    rows = [
        [labels[name], *(_place(numbers[numbers["quantity"] == q.key], name, len(competing)) for q in shown)]
        for name in competing
    ]
    n = [
        f"{SYMBOLS[quantity.key]} {int(numbers.loc[numbers['quantity'] == quantity.key, 'n'].max())}"
        for quantity in shown
        if (numbers["quantity"] == quantity.key).any()
    ]
    unseen = numbers["subset"] == "unseen"
    training = (
        "A potential that was trained on some of these entries is compared on the others "
        f"({numbers.loc[unseen, 'n'].min()} or more). "
        if unseen.any()
        else ""
    )
    caption = (
        "Places by the mean absolute error, on the entries that every potential completed "
        f"(n: {', '.join(n) or 'none that can be compared'}), also where modes are imaginary and S, F and C_V are sums "
        f"over the others. {training}"
        "A place of 2–4: one other potential is certainly better, so the second is the best possible, and as many are "
        "certainly worse as make the fourth the worst possible. Certainly: the 95 % interval of the difference of the "
        "two errors, a bootstrap in which both have the same entries, has no zero; each pair is judged by itself, and "
        "nothing is certain with fewer entries than an interval needs (report.interval_smallest_n of the protocol). "
        f"ranking.csv has every pair. {origin}"
    )
    title = "Which potential is better: place by each error"
    header = ["potential", *(SYMBOLS[quantity.key] for quantity in shown)]
    return Table(NAME, title, header, rows, caption, numbers)


def _place(pairs: pd.DataFrame, name: str, n_potentials: int) -> str:
    if pairs.empty:
        return NOTHING
    certain = pairs[pairs["decided"]]
    first = 1 + int((certain["worse"] == name).sum())
    last = n_potentials - int((certain["better"] == name).sum())
    return str(first) if first == last else f"{first}–{last}"


def ranking_figure(numbers: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Return a matrix of all pairs of potentials for each quantity of the thermodynamics."""
    competing = [name for name in labels if name != YARDSTICK]
    with style():
        side = min(2.5, 0.42 * max(2, len(competing)))
        figure, panels = plt.subplots(
            2, 2, figsize=(WIDTH, 2 * side + 1.9), layout="constrained", sharex=True, sharey=True
        )
        for letter, axes, quantity in zip("abcd", panels.flat, THERMODYNAMICS, strict=True):
            pairs = numbers[numbers["quantity"] == quantity.key]
            n = f", n = {pairs['n'].max()}" if len(pairs) else ""
            axes.set_title(f"({letter}) {quantity.name} ({quantity.unit}){n}", loc="left")
            if pairs.empty:
                nothing(axes, "nothing to rank")
                axes.axis("off")
            else:
                _matrix(axes, pairs, competing)
        for axes in panels[-1]:
            axes.set_xticks(range(len(competing)), [labels[name] for name in competing])
            turn_labels(axes)
        for axes in panels[:, 0]:
            axes.set_yticks(range(len(competing)), [labels[name] for name in competing])
        figure.supxlabel(
            "Error of the row's potential minus that of the column's (diagonal: its error). "
            "Blue: the row's is certainly smaller; orange: certainly larger.",
            fontsize=7,
        )
    return figure


def _matrix(axes: Axes, pairs: pd.DataFrame, competing: Sequence[str]) -> None:
    size = len(competing)
    for better, worse, difference, decided in zip(
        pairs["better"], pairs["worse"], pairs["difference"], pairs["decided"], strict=True
    ):
        one, other = competing.index(better), competing.index(worse)
        _cell(axes, one, other, f"−{three_digits(difference)}", _BETTER if decided else _UNDECIDED, size)
        _cell(axes, other, one, f"+{three_digits(difference)}", _WORSE if decided else _UNDECIDED, size)
    # of potentials that are compared on fewer entries with some others, the error on the most
    pairs = pairs.sort_values("n", ascending=False, kind="stable")
    errors = (
        pd.concat([pairs.set_index("better")["mae_better"], pairs.set_index("worse")["mae_worse"]])
        .groupby(level=0)
        .first()
    )
    for place, name in enumerate(competing):
        _cell(axes, place, place, three_digits(errors[name]), "#e6e6e6", size)
    axes.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5), aspect="equal")
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _cell(axes: Axes, row: int, column: int, text: str, colour: str, size: int) -> None:
    axes.add_patch(
        Rectangle((column - 0.48, row - 0.48), 0.96, 0.96, facecolor=colour, edgecolor="#b0b0b0", linewidth=0.4)
    )
    axes.text(column, row, text, ha="center", va="center", fontsize=min(6.0, _TEXT_OF_ROW / size))
