"""Table and figure of the study."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from softmode.compare.mean_errors import Quantity
from softmode.compare.study_means import study_means
from softmode.potentials.phonon_bounds import ROUGHNESS_BOUND_PERCENT
from softmode.present.figures import LINES, MARKERS, WIDTH, plain_logarithm, potentials_legend, style
from softmode.present.results import Results
from softmode.present.table_text import Table
from softmode.present.tables import origin, subset_cells
from softmode.studies.roughness.study import SCANNED_PHONONS, STUDY

# What is held against the exact second derivatives; flips of verdicts have a mean that is their share.
_QUANTITIES = (
    Quantity("omega_max", "scanned_omega_max_K", 1.0, "K", r"\omega_\mathrm{max}", "highest frequency"),
    Quantity("entropy", "scanned_entropy_J_per_K_mol_atoms", 1.0, "J/K/mol atoms", "S", "entropy"),
    Quantity("free_energy", "scanned_free_energy_kJ_per_mol_atoms", 1.0, "kJ/mol atoms", "F", "free energy"),
    Quantity("heat_capacity", "scanned_heat_capacity_J_per_K_mol_atoms", 1.0, "J/K/mol atoms", "C_V", "heat capacity"),
    Quantity("verdicts", "scanned_stable", 100.0, "%", r"\mathrm{flips}", "verdicts that flip"),
)
# Relative change of force constants that counts as rough: the bound of `check-potential`. With another, the two would
# call different potentials rough.
_ROUGH = ROUGHNESS_BOUND_PERCENT / 100
# Panels of the figure: title of the axis, quantity, column of its numbers, factor to the unit of the title.
_PANELS = (
    ("median change of force constants (%)", "omega_max", "median_change", 100.0),
    ("mean change of ω_max (K)", "omega_max", "mae", 1.0),
    ("mean change of S (J/K/mol atoms)", "entropy", "mae", 1.0),
    ("verdicts on stability that flip (%)", "verdicts", "mae", 1.0),
)


def changes(table: pd.DataFrame) -> pd.DataFrame:
    """Return by how much displacements differ from the exact derivatives, a row for each entry, source and distance.

    Columns entry, source, displacement_distance_A, force_constants_change (relative, of norms) and those of
    `_QUANTITIES`, absolute differences; of verdicts 1 for one that flips.

    Args:
        table: the study's table
    """
    done = table[table["status"] == "done"]
    lists = ["displacement_distances_A", "force_constants_change", *(quantity.column for quantity in _QUANTITIES)]
    long = done[["entry", "source", *lists]].explode(lists, ignore_index=True)
    long = long.rename(columns={"displacement_distances_A": "displacement_distance_A"})
    numbers = [column for column in long if column not in ("entry", "source")]
    long[numbers] = long[numbers].astype(float)
    exact = long["displacement_distance_A"] == 0
    columns = [quantity.column for quantity in _QUANTITIES]
    known = long[exact].set_index(["entry", "source"])[columns]
    scanned = long[~exact].reset_index(drop=True)
    of_exact = known.loc[pd.MultiIndex.from_frame(scanned[["entry", "source"]])].reset_index(drop=True)
    scanned[columns] = (scanned[columns] - of_exact).abs()
    return scanned


def roughness_numbers(changed: pd.DataFrame, potentials: Sequence[str], report: Mapping[str, Any]) -> pd.DataFrame:
    """Return the mean changes of each potential by distance, of the entries that it and that all potentials completed.

    Columns: those of `study_means` by displacement_distance_A; median_change and share_rough are of force constants,
    relative.

    Args:
        changed: of `changes`
    """

    def more(chosen: pd.DataFrame) -> dict[str, float]:
        change = chosen["force_constants_change"]
        return {"median_change": change.median(), "share_rough": (change > _ROUGH).mean()}

    return study_means(changed, _QUANTITIES, potentials, report, by=("displacement_distance_A",), more=more)


def _numbers(results: Results) -> pd.DataFrame:
    return roughness_numbers(changes(results.table_of(STUDY.name)), results.names, results.report)


def roughness(results: Results) -> Table:
    """Return what displacements of the protocol's length change against exact second derivatives."""
    numbers = results.once(_numbers)
    distance = results.campaign.settings(SCANNED_PHONONS.name)["displacement_distance_A"]
    shown = numbers[numbers["displacement_distance_A"] == distance]
    rows = []
    for name, label in results.labels.items():
        for subset in ("common", "own"):
            own = shown[(shown["potential"] == name) & (shown["subset"] == subset)]
            if own.empty:
                continue
            ((_, n, *cells),) = subset_cells(shown, name, _QUANTITIES, subsets=(subset,))
            of_constants = [f"{100 * own['median_change'].iloc[0]:.2g}", f"{100 * own['share_rough'].iloc[0]:.0f}"]
            rows.append([label, subset, n, *of_constants, *cells])
    caption = (
        f"Phonons by displacements of {distance:g} Å against those of the exact second derivatives of the same energy "
        "in the same relaxed cell: median relative change of the force constants (norm), share of entries where it is "
        f"above {100 * _ROUGH:g} %, mean absolute changes, and share of verdicts on dynamical stability that flip. No "
        "error against a reference: what is large here depends on the length of the displacements. common: the entries "
        f"that every potential completed; own: those that this one did. The numbers at all lengths are in the CSV. "
        f"{origin(results.properties, results.report, results.metadata)}"
    )
    header = ["potential", "subset", "n", "ΔΦ (%)", f"ΔΦ > {100 * _ROUGH:g} % (%)"]
    header += ["ω_max (K)", "S (J/K/mol atoms)", "F (kJ/mol atoms)", "C_V (J/K/mol atoms)", "flips (%)"]
    return Table("roughness", "Displacements against exact second derivatives", header, rows, caption, numbers)


def roughness_figure(results: Results) -> tuple[Figure, pd.DataFrame]:
    """Return how force constants, frequencies and verdicts change with the length of the displacements."""
    numbers = results.once(_numbers)
    own = numbers[numbers["subset"] == "own"]
    with style():
        figure, axes_of = plt.subplots(2, 2, figsize=(WIDTH, 5.6), layout="constrained", sharex=True)
        for axes, (title, quantity, column, factor) in zip(
            axes_of.flat,
            _PANELS,
            strict=True,
        ):
            for position, name in enumerate(results.names):
                line = own[(own["potential"] == name) & (own["quantity"] == quantity)]
                axes.plot(
                    line["displacement_distance_A"],
                    line[column] * factor,
                    LINES[position // len(MARKERS) % len(LINES)] + MARKERS[position % len(MARKERS)],
                    color=results.colours[name],
                    linewidth=1.0,
                    markersize=3.5,
                )
            axes.set_ylabel(title)
            axes.set_xscale("log")
            if quantity != "verdicts":
                axes.set_yscale("log")
            plain_logarithm(axes.xaxis)
        for axes in axes_of[-1]:
            axes.set_xlabel("length of the displacements (Å)")
        potentials_legend(figure, axes_of[0, 0].get_lines(), list(results.labels.values()))
    return figure, numbers
