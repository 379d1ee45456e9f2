"""What each potential says of each entry, and potentials against each other: tables and figure without a reference."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from softmode.compare.agreement import (
    COMPARED,
    FEWEST_FOR_RANKS,
    difference_table,
    spread_table,
    stability_table,
)
from softmode.compare.mean_errors import Quantity
from softmode.compare.stability import outcome
from softmode.present.figures import WIDTH, nothing, style, turn_labels
from softmode.present.results import Results
from softmode.present.table_text import NOTHING, Table, digits_or_dash, percent_or_dash, with_interval
from softmode.sources import YARDSTICK

# Titles of the columns of COMPARED in its order; in another one, numbers stand under wrong titles.
_HEADER = ("V (Å³/atom)", "ω_max (K)", "S (J/K/mol atoms)", "F (kJ/mol atoms)", "C_V (J/K/mol atoms)")
# Columns of properties.parquet that the table of properties shows, with their titles, and digits after the point.
_PROPERTIES = (
    ("volume_A3_per_atom", "V (Å³/atom)", 3),
    ("omega_max_K", "ω_max (K)", 1),
    ("omega_min_K", "ω_min (K)", 1),
    ("reported_entropy_J_per_K_mol", "S (J/K/mol)", 2),
    ("reported_free_energy_kJ_per_mol", "F (kJ/mol)", 3),
    ("reported_heat_capacity_J_per_K_mol", "C_V (J/K/mol)", 2),
)
# Entries in the table of the spread; its CSV has all. With more, nobody reads it.
_LISTED = 20


def _potentials(results: Results) -> dict[str, str]:
    """Return the labels of the potentials; the yardstick is none."""
    return {name: label for name, label in results.labels.items() if name != YARDSTICK}


def _origin(results: Results) -> str:
    report = results.report
    return (
        f"{results.properties['entry'].nunique()} entries. Protocol {report['protocol']} "
        f"({report['protocol_digest'][:12]}), data set {results.metadata['dataset_digest'][:12]}. {results.cautions}"
    ).rstrip()


def properties(results: Results) -> Table:
    """Return the properties of each entry by each potential, per mole of primitive cells."""
    labels, report = _potentials(results), results.report
    frame = results.properties.assign(stable=outcome(results.properties, report["stability"]))
    frame = frame[frame["source"].isin(labels)]
    place = {name: number for number, name in enumerate(labels)}
    frame = frame.sort_values(
        ["entry", "source"], key=lambda column: column.map(place) if column.name == "source" else column
    )
    names = [name for name, _, _ in _PROPERTIES]
    rows = []
    for row in frame.to_dict("records"):
        done = row["status"] == "done"
        cells = [_number(row[name], digits) for name, _, digits in _PROPERTIES]
        what = row["stable"] if done else f"failed: {row['failed_stage']}: {row['failed_kind']}"
        rows.append([row["entry"], str(row["formula"]), labels[row["source"]], what, *cells])
    caption = (
        f"S, F and C_V at {report['temperature_K']:g} K, per mole of primitive cells. Stable: no imaginary frequency "
        f"at the q points that the supercell holds, thresholds '{report['stability']}'; imaginary frequencies are "
        "negative, and S, F and C_V are then sums over the other modes, and no thermodynamics of a crystal. "
        f"{_origin(results)}"
    )
    header = ["entry", "formula", "potential", "dynamically", *(title for _, title, _ in _PROPERTIES)]
    columns = ["entry", "formula", "source", "status", "failed_stage", "failed_kind", "stable", "n_primitive", *names]
    return Table("properties", "What each potential says of each entry", header, rows, caption, frame[columns])


def _number(value: Any, digits: int) -> str:
    return NOTHING if value is None or math.isnan(value) else f"{value:.{digits}f}".replace("-", "−")


def _differences(results: Results) -> pd.DataFrame:
    return difference_table(results.properties, list(_potentials(results)), results.report)


def agreement(results: Results) -> Table:
    """Return how far each two potentials are apart."""
    numbers, labels = results.once(_differences), _potentials(results)
    rows = []
    for (one, other), pair in numbers.groupby(["one", "other"], sort=False):
        of = pair.set_index("quantity")
        n = int(of["n"].max())
        name = f"{labels[one]} − {labels[other]}"
        for what, cell in (("mean", _mean), ("mean absolute", _mean_absolute), ("rank correlation", _ranks)):
            rows.append([name, what, str(n), *(_with_n(cell(of.loc[q.key]), of.loc[q.key], n) for q in COMPARED)])
    report = results.report
    caption = (
        f"Over the n entries that both potentials have; S, F and C_V at {report['temperature_K']:g} K, per mole of "
        "atoms, of entries that both call stable. Brackets: 95 % bootstrap interval, from "
        f"{report['interval_smallest_n']} entries on; rank correlation: Spearman's, from {FEWEST_FOR_RANKS} on. "
        "That potentials agree does not make them right: they learned from similar calculations. "
        f"{_origin(results)}"
    )
    header = ["potentials", "difference", "n", *_HEADER]
    return Table("agreement", "Potential against potential", header, rows, caption, numbers)


def _mean(row: pd.Series) -> str:
    return digits_or_dash(row["mean_difference"]).replace("-", "−")


def _mean_absolute(row: pd.Series) -> str:
    key = "mean_absolute_difference"
    return with_interval(row[key], row[f"{key}_low"], row[f"{key}_high"])


def _ranks(row: pd.Series) -> str:
    value = row["rank_correlation"]
    return NOTHING if math.isnan(value) else f"{value:.2f}".replace("-", "−")


def _with_n(text: str, row: pd.Series, n: int) -> str:
    return f"{text} (n = {row['n']})" if 0 < row["n"] != n else text


def agreement_figure(results: Results) -> tuple[Figure, pd.DataFrame]:
    """Return matrices of mean absolute differences (lower left) and rank correlations (upper right)."""
    numbers, labels = results.once(_differences), _potentials(results)
    side = min(2.6, 0.5 * max(2, len(labels)))
    with style():
        figure, panels = plt.subplots(
            2, 3, figsize=(WIDTH, 2 * side + 2.2), layout="constrained", sharex=True, sharey=True
        )
        for letter, axes, quantity in zip("abcde", panels.flat, COMPARED, strict=False):
            pairs = numbers[numbers["quantity"] == quantity.key]
            axes.set_title(
                f"({letter}) {quantity.name.removesuffix(' of one mole of atoms')}\n({quantity.unit})", loc="left"
            )
            _matrix(axes, pairs, labels, quantity)
        panels.flat[-1].axis("off")
        for axes in (*panels[-1][:-1], panels[0][-1]):
            axes.set_xticks(range(len(labels)), list(labels.values()))
            axes.tick_params(labelbottom=True)
            turn_labels(axes)
        for axes in panels[:, 0]:
            axes.set_yticks(range(len(labels)), list(labels.values()))
        figure.supxlabel(
            "Lower left: mean absolute difference, the darker the larger. Upper right: rank correlation.", fontsize=7
        )
    return figure, numbers


def _matrix(axes: Axes, pairs: pd.DataFrame, labels: Mapping[str, str], quantity: Quantity) -> None:
    if not pairs["n"].any():
        nothing(axes, f"no {quantity.name}")
        return
    places = {name: place for place, name in enumerate(labels)}
    shades = np.full((len(labels), len(labels)), np.nan)
    largest = pairs["mean_absolute_difference"].max() or 1.0
    for row in pairs.to_dict("records"):
        one, other = places[row["one"]], places[row["other"]]
        shades[other, one] = row["mean_absolute_difference"] / largest
        axes.text(one, other, digits_or_dash(row["mean_absolute_difference"]), ha="center", va="center", fontsize=6)
        ranks = row["rank_correlation"]
        axes.text(other, one, NOTHING if math.isnan(ranks) else f"{ranks:.2f}", ha="center", va="center", fontsize=6)
    # shades below the middle leave black text readable
    axes.imshow(shades, cmap="Oranges", vmin=0, vmax=2)
    axes.tick_params(length=0)


def stability(results: Results) -> Table:
    """Return whether each two potentials call the same entries dynamically stable."""
    labels, report = _potentials(results), results.report
    numbers = stability_table(results.properties, list(labels), report["stability"])
    rows = [
        [
            labels[row["one"]],
            labels[row["other"]],
            *(str(row[name]) for name in ("n", "both_stable", "both_unstable", "only_one_stable", "only_other_stable")),
            percent_or_dash(row["agreement_percent"]),
        ]
        for row in numbers.to_dict("records")
    ]
    caption = (
        f"n: entries that both potentials brought to the end. Thresholds '{report['stability']}'. {_origin(results)}"
    )
    header = ["first", "second", "n", "both stable", "both unstable", "only first stable", "only second stable"]
    title = "Do potentials agree on dynamical stability?"
    return Table("stability_agreement", title, [*header, "agreement (%)"], rows, caption, numbers)


def spread(results: Results) -> Table:
    """Return the entries on which the potentials disagree most."""
    labels = _potentials(results)
    numbers = spread_table(results.properties, list(labels), results.report)
    rows = []
    for entry in list(dict.fromkeys(numbers["entry"]))[:_LISTED]:
        of = numbers[numbers["entry"] == entry].set_index("quantity")
        cells = [_range(of.loc[q.key], labels) if q.key in of.index else NOTHING for q in COMPARED]
        first = of.iloc[0]
        rows.append([f"{entry} ({first['formula']})", percent_or_dash(first["disagreement_percent"]), *cells])
    n_entries = numbers["entry"].nunique()
    caption = (
        "Highest minus lowest value, and the potentials that they are of (highest, lowest). Disagreement: root mean "
        "square over volume, highest frequency, entropy and heat capacity of that range over the mean. S, F and C_V of "
        "potentials that call the entry stable. Of "
        f"{n_entries} entries that two potentials or more have, the first {len(rows)}; the CSV has all. "
        f"{_origin(results)}"
    )
    header = ["entry", "disagreement (%)", *_HEADER]
    return Table("spread", "Where potentials disagree most", header, rows, caption, numbers)


def _range(row: pd.Series, labels: Mapping[str, str]) -> str:
    text = digits_or_dash(row["range"])
    # of two potentials, one has the highest and the other the lowest
    return f"{text} ({labels[row['highest_of']]}, {labels[row['lowest_of']]})"
