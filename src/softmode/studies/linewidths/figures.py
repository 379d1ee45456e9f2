"""Figure of modes along a path: frequencies, linewidths and shifts of every source, a panel for each entry."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from softmode.present.figures import LINES, MARKERS, grid_of_panels, nothing, potentials_legend, style
from softmode.present.results import Results
from softmode.sources import REFERENCE
from softmode.studies.linewidths.study import STUDY

# Largest number of entries with a panel, those that most sources have; with more, the figure is no page.
_MOST_PANELS = 6
# The reference is drawn below all potentials, and larger.
_OF_REFERENCE = {"color": "#000000", "marker": "o"}
# Lists of a mode at each point of the mesh, and what they are called where each has a row.
_OF_MODES = {
    "path_qpoint_frequencies_THz": "frequency_THz",
    "path_linewidths_THz": "linewidth_THz",
    "path_shifts_THz": "shift_THz",
}


def linewidths_figure(results: Results) -> tuple[Figure, pd.DataFrame]:
    """Return the modes of the potentials along the paths of the entries that most of them have."""
    return path_figure(results, results.table_of(STUDY.name), list(results.potentials))


def modes_of(table: pd.DataFrame, sources: Sequence[str]) -> pd.DataFrame:
    """Return one row for each mode at the points of the mesh.

    Columns: entry, source, point (its place on the path), q1, q2, q3, distance_per_A, band, frequency_THz,
    linewidth_THz, shift_THz.

    Args:
        table: of a study with `path_columns`
    """
    parts = []
    for row in table[table["source"].isin(sources)].to_dict("records"):
        if not has_path(row):
            continue
        qpoints = np.reshape(row["path_qpoints"], (-1, 3))
        n_bands = len(row["path_linewidths_THz"]) // len(qpoints)
        points, bands = np.divmod(np.arange(len(qpoints) * n_bands), n_bands)
        of_modes = {name: np.asarray(row[key], dtype=float) for key, name in _OF_MODES.items()}
        parts.append(
            pd.DataFrame(
                {"entry": row["entry"], "source": row["source"], "point": points}
                | dict(zip(("q1", "q2", "q3"), qpoints[points].T, strict=True))
                | {"distance_per_A": np.asarray(row["path_qpoint_distances_per_A"])[points], "band": bands}
                | of_modes
            )
        )
    columns = ["entry", "source", "point", "q1", "q2", "q3", "distance_per_A", "band", *_OF_MODES.values()]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def path_figure(results: Results, table: pd.DataFrame, sources: Sequence[str]) -> tuple[Figure, pd.DataFrame]:
    """Return frequencies, full widths and shifts along the path, one below the other, and the modes behind them.

    Args:
        table: of a study with `path_columns`
        sources: which are drawn, the reference among them where it has modes
    """
    rows = [row for row in table.to_dict("records") if row["source"] in sources and has_path(row)]
    counts = pd.Series([row["entry"] for row in rows], dtype=object).value_counts()
    entries = sorted(counts.index[:_MOST_PANELS])
    formulas = results.properties.groupby("entry")["formula"].first()
    numbers = modes_of(table, sources)
    with style():
        figure, panels = grid_of_panels(len(entries), 2.0, in_a_row=2 if len(entries) > 1 else 1, rows_each=3)
        if not entries:
            for axes in panels[:, 0]:
                nothing(axes, "no linewidths were computed")
        for column, entry in zip(panels.T, entries, strict=False):
            own = {row["source"]: row for row in rows if row["entry"] == entry}
            column[0].set_title(f"{formulas.get(entry, '')} {entry}")
            _draw(column, own, results, sources)
            if column[0].get_subplotspec().is_first_col():
                for axes, label in zip(column, ("ω (THz)", "full width (THz)", "shift (THz)"), strict=True):
                    axes.set_ylabel(label)
        there = [name for name in sources if any(row["source"] == name for row in rows)]
        handles = [Line2D([], [], linewidth=1, markersize=4, **_look(name, results)) for name in there]
        labels = [("reference" if name == REFERENCE else results.labels[name]) for name in there]
        if there:
            potentials_legend(figure, handles, labels)
    return figure, numbers


def has_path(row: Mapping[str, Any]) -> bool:
    """Return whether a row of a table with `path_columns` has modes along a path."""
    return row["status"] == "done" and row.get("path_labels") is not None


def _look(name: str, results: Results) -> dict[str, Any]:
    if name == REFERENCE:
        return dict(_OF_REFERENCE)
    place = list(results.potentials).index(name)
    return {
        "color": results.colours[name],
        "marker": MARKERS[place % len(MARKERS)],
        "linestyle": LINES[place // len(MARKERS) % len(LINES)],
    }


def _draw(
    column: Sequence[Axes], own: Mapping[str, Mapping[str, Any]], results: Results, sources: Sequence[str]
) -> None:
    """Draw one entry's sources, the first one's path being that of the axis."""
    first = next(own[name] for name in sources if name in own)
    ticks, names = ticks_of(first)
    for name in sources:
        if name not in own:
            continue
        row = own[name]
        own_ticks, own_names = ticks_of(row)
        if own_names != names:  # another lattice, whose path goes elsewhere
            continue
        look = _look(name, results)
        marker = look.pop("marker")
        of_reference = name == REFERENCE
        line = {"linewidth": 1.6 if of_reference else 0.8, "alpha": 1.0 if of_reference else 0.8, **look}
        x = np.interp(row["path_distances_per_A"], own_ticks, ticks)
        bands = np.reshape(row["path_frequencies_THz"], (len(x), -1)).astype(float)
        ends = np.flatnonzero(np.diff(x) == 0) + 1  # a segment ends where the next begins
        for piece in np.split(np.arange(len(x)), ends):
            column[0].plot(x[piece], bands[piece], **line)
        x = np.interp(row["path_qpoint_distances_per_A"], own_ticks, ticks)
        # half of a marker at an end of the path would be cut off
        dots = {"linestyle": "", "marker": marker, "color": look["color"], "alpha": 0.8, "clip_on": False}
        for axes, key in zip(column[1:], ("path_linewidths_THz", "path_shifts_THz"), strict=True):
            axes.plot(
                x,
                np.reshape(row[key], (len(x), -1)).astype(float),
                markersize=3.5 if of_reference else 2.2,
                zorder=1 if of_reference else 2,
                **dots,
            )
    for axes in column:
        axes.set_xticks(ticks, names)
        axes.set_xlim(ticks[0], ticks[-1])
        axes.set_axisbelow(True)
        axes.grid(axis="x", color="#d0d0d0", linewidth=0.6)
        axes.axhline(0, color="#808080", linewidth=0.5)


def ticks_of(row: Mapping[str, Any]) -> tuple[list[float], list[str]]:
    """Return where the segments of a row's path end, in Å⁻¹, and what is there, such as `Γ` or `U|K`."""
    ticks: list[float] = []
    names: list[str] = []
    for distance, label in zip(row["path_distances_per_A"], row["path_labels"], strict=True):
        if not label:
            continue
        name = label.replace("GAMMA", "Γ")
        if ticks and abs(distance - ticks[-1]) < 1e-4:
            names[-1] = name if name == names[-1] else f"{names[-1]}|{name}"
        else:
            ticks.append(float(distance))
            names.append(name)
    return ticks, names
