"""How the agreement on stability depends on the imaginary frequency that is still called stable."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from softmode.compare.stability import threshold_table
from softmode.present.figures import LINES, WIDTH, nothing, potentials_legend, style
from softmode.present.table_text import Table, digits_or_dash, percent_or_dash
from softmode.present.tables import verdicts_in_words

NAME = "stability_threshold"
# Thresholds in K of the figure and of the numbers behind it. Those of the table, `_SHOWN_K`, must be among them, or the
# table cannot be made.
TOLERANCES_K = tuple(map(float, range(0, 101, 2)))
_SHOWN_K = (0.0, 20.0, 50.0)
# Columns of `threshold_table` and the titles of their axes, row by row, those of stable entries on the left: the
# titles above say so, and would be wrong in another order.
_PANELS = (
    ("TS", "true stable, TS (%)"),
    ("TU", "true unstable, TU (%)"),
    ("FU", "false unstable, FU (%)"),
    ("FS", "false stable, FS (%)"),
    ("f1_stable", "F1 of stable"),
    ("f1_unstable", "F1 of unstable"),
)


def stability_threshold_numbers(
    spectra: pd.DataFrame, potentials: Sequence[str], bounds: Mapping[str, float]
) -> pd.DataFrame:
    """Return `compare.stability.threshold_table` for thresholds from 0 to 100 K.

    Args:
        bounds: `acoustic_gamma_K` and `other_K` of the protocol's variant
    """
    return threshold_table(spectra, potentials, bounds, TOLERANCES_K)


def stability_threshold_table(numbers: pd.DataFrame, labels: Mapping[str, str], origin: str) -> Table:
    """Return the agreement at three thresholds; the numbers have all of them.

    Args:
        numbers: of `stability_threshold_numbers`
        origin: what the numbers are of, for the caption
    """
    header = ["potential", "t (K)", "n stable", "TS (%)", "FU (%)", "failed (%)"]
    header += ["n unstable", "TU (%)", "FS (%)", "failed (%)", "F1 stable", "F1 unstable"]
    rows = []
    for name, label in labels.items():
        for tolerance in _SHOWN_K:
            row = numbers[(numbers["potential"] == name) & (numbers["tolerance_K"] == tolerance)].iloc[0]
            rows.append(
                [
                    label,
                    f"{tolerance:g}",
                    str(row["n_stable"]),
                    *(percent_or_dash(row[key]) for key in ("TS", "FU", "failed_stable")),
                    str(row["n_unstable"]),
                    *(percent_or_dash(row[key]) for key in ("TU", "FS", "failed_unstable")),
                    *(digits_or_dash(row[key]) for key in ("f1_stable", "f1_unstable")),
                ]
            )
    caption = (
        "At the threshold t every mode may be imaginary down to t, and those that the protocol allows more keep "
        "theirs; the reference is judged by the same t, so the numbers of its stable and unstable entries change. The "
        "sum rule is imposed. At 0 K the shares are those of Table III, unless its threshold is judged before that. "
        f"{verdicts_in_words('TS', 'FU', 'TU', 'FS')} "
        "F1: harmonic mean of precision and recall of the class; a failed entry is one not found. "
        f"{origin}"
    )
    title = "Agreement on dynamical stability, by the imaginary frequency that still counts as stable"
    return Table(NAME, title, header, rows, caption, numbers)


def stability_threshold_figure(numbers: pd.DataFrame, labels: Mapping[str, str], colours: Mapping[str, str]) -> Figure:
    """Return the shares and F1 against the threshold, a line for each potential."""
    with style():
        figure, panels = plt.subplots(3, 2, figsize=(WIDTH, 7.0), layout="constrained", sharex=True)
        for letter, axes, (key, name) in zip("abcdef", panels.flat, _PANELS, strict=True):
            if numbers[key].isna().all():
                nothing(axes, "no such entry")
            for position, potential in enumerate(labels):
                own = numbers[numbers["potential"] == potential]
                style_of_line = LINES[position % len(LINES)]
                axes.plot(own["tolerance_K"], own[key], style_of_line, color=colours[potential], linewidth=1.2)
            axes.set_ylabel(name)
            axes.set_title(f"({letter})", loc="left")
            top = 1.0 if key.startswith("f1") else 100.0
            axes.set(xlim=(TOLERANCES_K[0], TOLERANCES_K[-1]), ylim=(-0.04 * top, 1.04 * top))
        for axes, outcome in zip(panels[0], ("stable", "unstable"), strict=True):
            axes.set_title(f"{outcome} by the reference\n{_numbers_of(numbers, f'n_{outcome}')}")
        for axes in panels[-1]:
            axes.set_xlabel("imaginary frequency that counts as stable (K)")
        lines = panels[0, 0].get_lines()
        potentials_legend(figure, lines, list(labels.values()))
    return figure


def _numbers_of(numbers: pd.DataFrame, column: str) -> str:
    first, last = numbers[column].iloc[0], numbers[column].iloc[-1]
    return f"n = {first}" if first == last else f"n = {first} at 0 K, {last} at {TOLERANCES_K[-1]:g} K"
