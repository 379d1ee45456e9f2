"""Table and figure of the modes along the path: the paper's Figures 2 to 4, by derivatives of the cell."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from softmode.present.results import Results
from softmode.present.table_text import Table, digits_or_dash, percent_or_dash
from softmode.sources import REFERENCE
from softmode.studies.anharmonicity.study import STUDY
from softmode.studies.linewidths.figures import modes_of, path_figure

_KEY = ["entry", "point", "band"]
_QUANTITIES = ("frequency_THz", "linewidth_THz", "shift_THz")


def path_numbers(modes: pd.DataFrame, sources: Sequence[str]) -> pd.DataFrame:
    """Return what each source's modes along the path are like, means over entries.

    Columns: source, n (entries with modes), n_to_reference (of these, with the reference's at the same points), and of
    frequency, linewidth and shift: mean_<quantity> (absolute values, THz) and error_<quantity>: root mean square
    difference to the reference's mode of the same place by frequency, over the reference's mean absolute value.

    Args:
        modes: of `linewidths.figures.modes_of`
    """
    known = {entry: own.set_index(_KEY) for entry, own in modes[modes["source"] == REFERENCE].groupby("entry")}
    rows = []
    for name in sources:
        means, errors = [], []
        for entry, own in modes[modes["source"] == name].groupby("entry"):
            means.append([own[quantity].abs().mean() for quantity in _QUANTITIES])
            expected = known.get(entry)
            found = own.set_index(_KEY)
            if name != REFERENCE and expected is not None and found.index.equals(expected.index):
                differences = (found[[*_QUANTITIES]] - expected[[*_QUANTITIES]]) ** 2
                errors.append(np.sqrt(differences.mean()) / expected[[*_QUANTITIES]].abs().mean())
        if not means:
            continue
        row: dict[str, object] = {"source": name, "n": len(means), "n_to_reference": len(errors)}
        for place, quantity in enumerate(_QUANTITIES):
            row[f"mean_{quantity}"] = float(np.mean([each[place] for each in means]))
            row[f"error_{quantity.removesuffix('_THz')}"] = (
                float(np.mean([each[quantity] for each in errors])) if errors else np.nan
            )
        rows.append(row)
    columns = ["source", "n", "n_to_reference"]
    columns += [f"mean_{quantity}" for quantity in _QUANTITIES]
    columns += [f"error_{quantity.removesuffix('_THz')}" for quantity in _QUANTITIES]
    return pd.DataFrame(rows, columns=columns)


def _modes(results: Results) -> pd.DataFrame:
    return modes_of(results.table_of(STUDY.name), [REFERENCE, *results.potentials])


def path_modes_table(results: Results) -> Table:
    """Return how far frequencies, linewidths and shifts along the path are from the reference's."""
    numbers = path_numbers(results.once(_modes), [REFERENCE, *results.potentials])
    labels = {REFERENCE: "reference"} | results.labels
    outcomes = results.table_of(STUDY.name)[["entry", "source", "path_outcome"]].dropna()
    without = [
        f"{labels[row['source']]}, {row['entry']}: {row['path_outcome']}"
        for row in outcomes.to_dict("records")
        if row["source"] in labels and row["path_outcome"] != "computed"
    ]
    rows = [
        [
            labels[row["source"]],
            str(row["n"]),
            *(digits_or_dash(row[f"mean_{quantity}"]) for quantity in _QUANTITIES),
            *(percent_or_dash(100 * row[f"error_{quantity.removesuffix('_THz')}"]) for quantity in _QUANTITIES),
        ]
        for row in numbers.to_dict("records")
    ]
    caption = (
        "Modes at the points of a mesh on the path of high symmetry, by second and third derivatives of the cell, as "
        "Bandi, Jiang and Marianetti (2024) show them in Figures 2 to 4: means of absolute values over modes, and "
        "root-mean-square differences to the reference's, over its mean. Modes are compared in the order of their "
        "frequencies. width: full, by three phonons (bubble); shift: the real part of the same. Fourth derivatives are "
        "not in them. Between the wave vectors that repeat in the cell, phonons are interpolated, of potentials and "
        "reference alike, without the correction of polar crystals. "
        f"Without modes: {'; '.join(without) or 'none'}. "
        f"Protocol {results.report['protocol']} ({results.report['protocol_digest'][:12]})."
    )
    header = ["potential", "n", "ω (THz)", "width (THz)", "shift (THz)"]
    header += ["error of ω (%)", "of width (%)", "of shift (%)"]
    return Table("path_modes", "Frequencies, linewidths and shifts along the path", header, rows, caption, numbers)


def path_modes_figure(results: Results) -> tuple[Figure, pd.DataFrame]:
    """Return the modes of reference and potentials along the path."""
    return path_figure(results, results.table_of(STUDY.name), [REFERENCE, *results.potentials])
