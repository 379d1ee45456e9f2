"""Figures of the study, after Figure 2 of Chen et al. (2021): errors by size and element, gallery, mean frequencies."""

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from softmode.compare.cost import pareto
from softmode.compare.groups import PER_ATOM, SIZES, groups
from softmode.density_grid import bin_width
from softmode.present.figures import MARKERS, WIDTH, nothing, plain_logarithm, potentials_legend, style
from softmode.present.periodic_table import colour_scale, periodic_table
from softmode.present.results import Results
from softmode.sources import REFERENCE, YARDSTICK
from softmode.studies.density.combined import BASELINE, DISTANCE, MEAN_FREQUENCY, AllSources, all_sources
from softmode.studies.density.density import bin_centres_THz
from softmode.studies.density.results import COMPARED, FREQUENCY, values_of
from softmode.studies.harmonic.study import PHONONS

# Rows of the gallery, a quarter of the errors each, and entries in a row.
_QUARTERS, _IN_A_ROW = 4, 4
# Bins of a model that are put together, by the highest frequency in THz that a panel shows; with all of them, densities
# of the reference are noise that nobody can compare.
_TOGETHER = {8.0: 1, 20.0: 2, math.inf: 4}
# Panels of parity in a row.
_PARITY_IN_A_ROW = 4
_REFERENCE_COLOUR = "#404040"


def _judged(found: AllSources, results: Results) -> pd.DataFrame:
    """Return the rows of entries that the reference calls stable, which models are for."""
    properties = found.properties
    reference = properties[properties["source"] == REFERENCE]
    stable = reference[reference[f"stable_{results.report['stability']}"].eq(True)]["entry"]
    return properties[properties["entry"].isin(stable) & (properties["status"] == "done")]


def gallery_figure(results: Results) -> tuple[Figure, pd.DataFrame]:
    """Return densities of states of the first model and of the reference, entries of each quarter of its errors."""
    found = all_sources(results)
    model = found.models[0]
    own = _judged(found, results)
    own = own[(own["source"] == model) & own[DISTANCE].notna()].sort_values(DISTANCE)
    chosen = gallery_entries(own["entry"].tolist())
    parts = []
    with style():
        figure, axes = plt.subplots(
            _QUARTERS, _IN_A_ROW, figsize=(WIDTH, 6.6), layout="constrained", squeeze=False, sharex=False
        )
        for panel, entry in zip(axes.flat, chosen, strict=True):
            if entry is None:
                panel.set_axis_off()
                continue
            row = own[own["entry"] == entry].iloc[0]
            parts.append(_compared(panel, found, entry, model, results).assign(entry=entry))
            panel.set_title(f"{row['formula']}  {row[DISTANCE]:.2f} THz", fontsize=7)
        for quarter, panel in enumerate(axes[:, 0]):
            panel.set_ylabel(f"quarter {quarter + 1}")
        figure.supxlabel("frequency (THz)", fontsize=8)
        handles = axes[0, 0].get_lines() if parts else []
        potentials_legend(figure, handles, [line.get_label() for line in handles])
    columns = ["entry", "frequency_THz", "reference_per_THz", "model_per_THz", "standard_deviation_per_THz"]
    return figure, pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)


def gallery_entries(ordered: list[str]) -> list[str | None]:
    """Return entries of each quarter of a list, equally far from each other; None where there are too few."""
    chosen: list[str | None] = []
    for part in np.array_split(np.array(ordered, dtype=object), _QUARTERS):
        places = np.linspace(0, len(part) - 1, min(_IN_A_ROW, len(part))).round().astype(int)
        names = [str(part[place]) for place in places]
        chosen += [*names, *([None] * (_IN_A_ROW - len(names)))]
    return chosen


def _compared(axes: Axes, found: AllSources, entry: str, model: str, results: Results) -> pd.DataFrame:
    """Draw one panel, and return its numbers on the model's bins, in states per THz and primitive cell."""
    centres = bin_centres_THz()
    step = float(centres[1] - centres[0])
    edges = np.append(centres - step / 2, centres[-1] + step / 2)
    width = bin_width(results.campaign.settings(PHONONS.name)["density_of_states"])
    reference, predicted = found.densities.get(entry, REFERENCE), found.densities.get(entry, model)
    assert reference is not None and predicted is not None  # both were compared
    expected = np.histogram(reference[0], edges, weights=reference[1] * width / step)[0]
    values, deviations = predicted[1][:-1], found.densities.deviations(entry, model)
    occupied = np.flatnonzero(expected + values > 0.02 * expected.max())
    end = float(centres[occupied[-1]]) + step
    every = next(number for highest, number in _TOGETHER.items() if end <= highest)

    def wide(states: np.ndarray) -> np.ndarray:
        return np.asarray(states.reshape(-1, every).mean(axis=1))

    shown = centres.reshape(-1, every).mean(axis=1)
    axes.fill_between(shown, wide(expected), step="mid", color=_REFERENCE_COLOUR, alpha=0.25, linewidth=0)
    axes.plot(shown, wide(expected), drawstyle="steps-mid", color=_REFERENCE_COLOUR, linewidth=0.7, label="reference")
    colour = found.colours[model]
    axes.plot(shown, wide(values), color=colour, linewidth=1.1, label=found.labels[model])
    if np.isfinite(deviations).all():
        low, high = wide(values - deviations), wide(values + deviations)
        axes.fill_between(shown, np.maximum(low, 0), high, color=colour, alpha=0.25, linewidth=0)
    axes.set(xlim=(0, 1.05 * end), ylim=(0, None), yticks=[])
    return pd.DataFrame(
        {
            "frequency_THz": centres,
            "reference_per_THz": expected,
            "model_per_THz": values,
            "standard_deviation_per_THz": deviations,
        }
    )


def parity_figure(results: Results) -> tuple[Figure, pd.DataFrame]:
    """Return the mean frequency of each entry against the reference's, a panel for each source."""
    found = all_sources(results)
    wide = _judged(found, results).pivot(index="entry", columns="source", values=MEAN_FREQUENCY).astype(float)
    names = [name for name in found.names if name in wide]
    with style():
        n_lines = math.ceil(len(names) / _PARITY_IN_A_ROW)
        figure, axes = plt.subplots(
            n_lines,
            min(len(names), _PARITY_IN_A_ROW),
            figsize=(WIDTH, 1.9 * n_lines + 0.3),
            layout="constrained",
            squeeze=False,
            sharex=True,
            sharey=True,
        )
        for panel, name in zip(axes.flat, names, strict=False):
            both = wide[[REFERENCE, name]].dropna().to_numpy().T
            if both.size:
                _parity(panel, both, found.colours[name])
            else:
                nothing(panel, "no entry")
            panel.set_title(found.labels[name])
        for unused in axes.flat[len(names) :]:
            unused.set_axis_off()
        figure.supxlabel("mean frequency of the reference (THz)", fontsize=8)
        figure.supylabel("of the source (THz)", fontsize=8)
    numbers = wide.reset_index().melt(id_vars=["entry", REFERENCE], var_name="source", value_name=MEAN_FREQUENCY)
    return figure, numbers.rename(columns={REFERENCE: "reference_THz"}).dropna()


def _parity(axes: Axes, both: np.ndarray, colour: Any) -> None:
    expected, predicted = both
    ends = np.array([both.min() / 1.1, both.max() * 1.1])
    axes.plot(ends, ends, color=_REFERENCE_COLOUR, linewidth=0.6)
    for factor in (0.9, 1.1):
        axes.plot(ends, factor * ends, color=_REFERENCE_COLOUR, linewidth=0.5, linestyle=":")
    axes.plot(expected, predicted, ".", markersize=3, color=colour, alpha=0.6, rasterized=True)
    share = 100 * (np.abs(predicted / expected - 1) < 0.1).mean()
    axes.text(0.04, 0.96, f"{share:.0f} % within 10 %", transform=axes.transAxes, va="top", fontsize=7)
    axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    for axis in (axes.xaxis, axes.yaxis):
        plain_logarithm(axis)


def groups_figure(results: Results) -> tuple[Figure, pd.DataFrame]:
    """Return the distance of densities by number of atoms, of all sources, and by element, of the first model."""
    found = all_sources(results)
    judged = _judged(found, results)
    numbers = group_numbers(judged, found, results.report["stability"])
    model = found.models[0]
    by_element = numbers[(numbers["grouping"] == "elements") & (numbers["source"] == model)].set_index("group")
    with style():
        figure, (above, below) = plt.subplots(2, 1, figsize=(WIDTH, 6.6), layout="constrained", height_ratios=[1, 1.7])
        sizes = [size for size in SIZES if size in set(numbers[numbers["grouping"] == "atoms"]["group"])]
        for place, name in enumerate(found.names):
            own = numbers[(numbers["grouping"] == "atoms") & (numbers["source"] == name)].set_index("group")
            if own.empty:
                continue
            own = own.reindex(sizes)
            above.errorbar(
                np.arange(len(sizes)) + 0.5 * (place / max(1, len(found.names) - 1) - 0.5),
                own["mean"],
                own["standard_error"].fillna(0),
                fmt=MARKERS[place % len(MARKERS)],
                color=found.colours[name],
                markersize=4,
                linewidth=0.8,
                label=found.labels[name],
            )
        counts = numbers[numbers["grouping"] == "atoms"].groupby("group")["n"].max()
        above.set_xticks(range(len(sizes)), [f"{size}\nn = {counts[size]}" for size in sizes])
        above.set(xlabel="atoms of the primitive cell", ylabel="distance of densities (THz)", yscale="log")
        if sizes:
            plain_logarithm(above.yaxis)
        potentials_legend(figure, *above.get_legend_handles_labels())
        values = by_element["mean"]
        if len(values) > 1 and values.min() < values.max():
            # a few elements beyond 5 and 95 % have the colours of the ends
            scale = LogNorm(*values.quantile([0.05, 0.95]))
            texts = by_element["n"].map(str)
            periodic_table(below, values, scale, texts)
            colour_scale(figure, below, scale, f"distance of densities, {found.labels[model]} (THz)", extend="both")
        else:
            nothing(below, "too few elements")
    return figure, numbers


def group_numbers(judged: pd.DataFrame, found: AllSources, variant: str) -> pd.DataFrame:
    """Return the mean distance of densities of each group.

    Columns: grouping (`elements` or `atoms`), group, source, n, mean and standard_error (THz, of the mean).

    Args:
        judged: rows of entries that count
        variant: thresholds by which the reference is stable
    """
    members = groups(found.properties, variant)
    members = members[members["grouping"].isin(["elements", "atoms"])]
    long = members.merge(judged[["entry", "source", DISTANCE]].dropna(), on="entry")
    by_group = long.groupby(["grouping", "group", "source"], sort=False)[DISTANCE]
    return by_group.agg(n="count", mean="mean", standard_error="sem").reset_index()


def cost_figure(results: Results) -> tuple[Figure, pd.DataFrame]:
    """Return errors against the mean time of an entry, on stable entries that every source completed."""
    found = all_sources(results)
    numbers = cost_numbers(found, results)
    shown = (FREQUENCY, COMPARED[1], PER_ATOM[0], PER_ATOM[2])
    with style():
        figure, panels = plt.subplots(2, 2, figsize=(WIDTH, 5.6), layout="constrained", sharex=True)
        for letter, axes, quantity in zip("abcd", panels.flat, shown, strict=True):
            own = numbers[numbers["quantity"] == quantity.key]
            points = own[own["seconds"].notna() & own["mae"].notna()]
            axes.set_title(f"({letter})" + (f" n = {points['n'].max()}" if len(points) else ""), loc="left")
            axes.set_ylabel(f"MAE of ${quantity.symbol}$ ({quantity.unit})")
            if points.empty:
                nothing(axes, "no entry that all completed")
                continue
            best = points[points["pareto"]].sort_values("seconds")
            axes.plot(best["seconds"], best["mae"], color="#808080", linewidth=0.8, zorder=1)
            for place, name in enumerate(found.names):
                one = points[points["source"] == name]
                marker = MARKERS[place % len(MARKERS)]
                axes.scatter(one["seconds"], one["mae"], marker=marker, color=found.colours[name], s=30, zorder=2)
            baseline = own[own["source"] == BASELINE]["mae"]
            for value in baseline.dropna():
                axes.axhline(value, color=found.colours[BASELINE], linewidth=0.7, linestyle=":")
            axes.set(xscale="log", yscale="log")
            axes.margins(0.12)
            for axis in (axes.xaxis, axes.yaxis):
                plain_logarithm(axis)
        for axes in panels[-1]:
            axes.set_xlabel("mean time of an entry (s)")
        timed = [name for name in found.names if name in set(numbers[numbers["seconds"].notna()]["source"])]
        handles = [
            Line2D(
                [], [], marker=MARKERS[found.names.index(name) % len(MARKERS)], color=found.colours[name], linestyle=""
            )
            for name in timed
        ]
        handles.append(Line2D([], [], color=found.colours[BASELINE], linestyle=":"))
        potentials_legend(figure, handles, [*(found.labels[name] for name in timed), found.labels[BASELINE]])
    return figure, numbers


def cost_numbers(found: AllSources, results: Results) -> pd.DataFrame:
    """Return errors and times of each source, on stable entries that every one completed.

    Columns: source, quantity, unit, n, mae, seconds (mean of an entry) and pareto (no other is faster and better).
    """
    judged = _judged(found, results)
    competing = [name for name in found.names if name not in (BASELINE, YARDSTICK)]
    counts = judged[judged["source"].isin(competing)].groupby("entry")["source"].nunique()
    common = counts.index[counts == len(competing)]
    rows = []
    for quantity in (FREQUENCY, *PER_ATOM, COMPARED[1]):
        values = values_of(found.properties, quantity, [*competing, BASELINE])
        for name in (*competing, BASELINE):
            known = values.loc[values.index.isin(common), name].dropna()
            own = found.properties[(found.properties["source"] == name) & found.properties["entry"].isin(common)]
            seconds = own["seconds"].astype(float).mean() if name != BASELINE else np.nan
            row = {"source": name, "quantity": quantity.key, "unit": quantity.unit, "n": len(known)}
            rows.append(row | {"mae": known.mean(), "seconds": seconds})
    table = pd.DataFrame(rows)
    table["pareto"] = False
    for _, same in table.groupby("quantity"):
        table.loc[same.index, "pareto"] = pareto(same["seconds"].to_numpy(float), same["mae"].to_numpy(float))
    return table
