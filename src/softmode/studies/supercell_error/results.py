"""Table and figure of the study."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from softmode.compare.mean_errors import Quantity
from softmode.compare.study_means import study_means
from softmode.present.figures import MARKERS, WIDTH, plain_logarithm, potentials_legend, style
from softmode.present.results import Results
from softmode.present.table_text import Table, digits_or_dash, percent_or_dash
from softmode.present.tables import subset_cells
from softmode.studies.supercell_error.study import STUDY

_LARGEST = "largest_frequency_error_THz"
QUANTITIES = (
    Quantity("rms", "rms_frequency_error_THz", 1.0, "THz", r"\Delta\omega", "RMS of Δω"),
    Quantity("largest", _LARGEST, 1.0, "THz", r"\Delta\omega", "largest Δω"),
    Quantity("omega_max", "omega_max_error_K", 1.0, "K", r"\omega_\mathrm{max}", "ω_max"),
    Quantity("entropy", "entropy_error_J_per_K_mol_atoms", 1.0, "J/K/mol", "S", "S"),
    Quantity("free_energy", "free_energy_error_kJ_per_mol_atoms", 1.0, "kJ/mol", "F", "F"),
    Quantity("heat_capacity", "heat_capacity_error_J_per_K_mol_atoms", 1.0, "J/K/mol", "C_V", "C_V"),
)
# Frequency errors in THz from which on the figure shows them; below are those that a supercell holds no error of, to
# rounding, and with them the axis would be of nothing else.
_SHOWN_FROM = 1e-3


def error_numbers(table: pd.DataFrame, potentials: Sequence[str], report: Mapping[str, Any]) -> pd.DataFrame:
    """Return the mean absolute error of each potential, subset and quantity.

    Columns: those of `study_means`, and of the subset n_entries, missed and false_alarms, see `verdicts`.

    Args:
        table: the study's table
    """
    done = table[table["status"] == "done"]
    errors = done.assign(**{each.column: done[each.column].astype(float).abs() for each in QUANTITIES})
    return study_means(errors, QUANTITIES, potentials, report, more=verdicts)


def verdicts(done: pd.DataFrame) -> dict[str, int]:
    """Return the number of entries, and of those whose stability the supercell has wrong.

    Keys: n_entries; missed, stable at the wave vectors of the data set's supercell and unstable between them;
    false_alarms, unstable between them by the interpolation alone.
    """
    exact = done["stable_exact"].astype(bool)
    return {
        "n_entries": len(done),
        "missed": int((done["stable_protocol"].astype(bool) & ~exact).sum()),
        "false_alarms": int((exact & ~done["stable_interpolated"].astype(bool)).sum()),
    }


def supercell_error(results: Results) -> Table:
    """Return how wrong each potential's numbers are because the supercell is no larger."""
    numbers = error_numbers(results.table_of(STUDY.name), list(results.potentials), results.report)
    rows = []
    for name in results.potentials:
        for cells in subset_cells(numbers, name, QUANTITIES):
            own = numbers[(numbers["potential"] == name) & (numbers["subset"] == cells[0])]
            largest = own.set_index("quantity").loc["largest"]
            of_largest = [digits_or_dash(largest[column]) for column in ("median", "percentile_95")]
            shares = [_percent(largest[column], largest["n_entries"]) for column in ("missed", "false_alarms")]
            rows.append([results.labels[name], *cells[:4], *of_largest, *cells[4:], *shares])
    temperature = results.report["temperature_K"]
    caption = (
        "Frequencies that are interpolated from the data set's supercell minus exact ones of the same potential, at "
        "all wave vectors that fit into a supercell of twice the length along each vector: mean over entries of the "
        "absolute difference; RMS over wave vectors and bands, and the largest of an entry with its median and 95th "
        f"percentile. Entropy, free energy and heat capacity of a mole of atoms at {temperature:g} K, of entries that "
        "are stable in both. missed: stable at the wave vectors of the data set's supercell, and not at those between; "
        "false alarms: unstable by the interpolation alone. common: the entries that all potentials completed; own: "
        "those that this potential completed; brackets: 95 % bootstrap interval. "
        f"Protocol {results.report['protocol']} ({results.report['protocol_digest'][:12]})."
    )
    units = [f"{quantity.name} ({quantity.unit})" for quantity in QUANTITIES]
    header = ["potential", "subset", "n", *units[:2], "median", "95th percentile", *units[2:]]
    header += ["missed (%)", "false alarms (%)"]
    return Table("supercell_error", "What the data set's supercell makes wrong", header, rows, caption, numbers)


def _percent(count: int, of: int) -> str:
    return percent_or_dash(100 * count / of if of else np.nan)


def supercell_error_figure(results: Results) -> tuple[Figure, pd.DataFrame]:
    """Return the largest frequency error of each entry, by the length of its supercell and as a distribution."""
    table = results.table_of(STUDY.name)
    numbers = table.loc[table["status"] == "done", ["entry", "source", "supercell_length_A", _LARGEST]]
    with style():
        figure, (by_length, shares) = plt.subplots(1, 2, figsize=(WIDTH, 3.4), layout="constrained", sharey=True)
        for index, name in enumerate(results.potentials):
            own = numbers[numbers["source"] == name]
            colour, marker = results.colours[name], MARKERS[index % len(MARKERS)]
            errors = own[_LARGEST].clip(lower=_SHOWN_FROM)
            by_length.plot(own["supercell_length_A"], errors, marker, markersize=3.5, color=colour, alpha=0.8,
                           label=results.labels[name])  # fmt: skip
            ordered = np.sort(errors)
            shares.plot(100 * np.arange(1, len(ordered) + 1) / max(1, len(ordered)), ordered, color=colour)
        by_length.set_yscale("log")
        by_length.set_ylim(bottom=_SHOWN_FROM * 0.8)
        plain_logarithm(by_length.yaxis)
        by_length.set_xlabel("shortest vector of the supercell (Å)")
        by_length.set_ylabel("largest error of a frequency (THz)")
        shares.set_xlabel("entries with no larger error (%)")
        shares.set_xlim(0, 100)
        potentials_legend(figure, *by_length.get_legend_handles_labels())
    return figure, numbers
