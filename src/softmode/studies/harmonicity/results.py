"""Table of the study, and the numbers of its figures."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import bootstrap, spearmanr

from softmode.compare.agreement import FEWEST_FOR_RANKS
from softmode.compare.mean_errors import Quantity
from softmode.compare.resampling import enough, interval
from softmode.compare.study_means import study_means
from softmode.compare.training import seen_entries
from softmode.present.results import Results
from softmode.present.table_text import Table, percent_or_dash, with_interval
from softmode.present.tables import subset_cells
from softmode.studies.harmonicity.study import STUDY

# Columns that have a value for each temperature, of which the table shows that of the fit.
_BY_TEMPERATURE = (
    "anharmonic_ratio",
    "thermal_force_error_eV_per_A",
    "harmonic_force_error_eV_per_A",
    "harmonic_slope",
)
_FREE_ENERGY_ERROR = "effective_free_energy_error_kJ_per_mol_atoms"
_HARMONIC_ERROR = "harmonic_force_error"
# Errors that |δF|/F may tell, and the column of its rank correlation with each. That of the fit's frequencies holds the
# crystal's own anharmonicity, which |δF|/F measures too; the relative one of harmonic forces does not.
_TOLD = {
    "rank_correlation": "effective_frequency_error_THz",
    "rank_correlation_of_harmonic_forces": _HARMONIC_ERROR,
}
QUANTITIES = (
    Quantity("static", "static_force_eV_per_A", 1.0, "eV/Å", "F_0", "static force"),
    Quantity("ratio", "anharmonic_ratio", 100.0, "%", r"|\delta F|/F", "|δF|/F"),
    Quantity("thermal", "thermal_force_error_eV_per_A", 1.0, "eV/Å", r"\Delta F", "forces"),
    Quantity("harmonic", "harmonic_force_error_eV_per_A", 1.0, "eV/Å", r"\Delta F_h", "harmonic forces"),
    Quantity("slope", "harmonic_slope", 1.0, "", "s", "slope"),
    Quantity("residual", "fit_residual_ratio", 100.0, "%", "r", "left by the fit"),
    Quantity("frequency", "effective_frequency_error_THz", 1.0, "THz", r"\Delta\omega", "ω"),
    Quantity("free_energy", _FREE_ENERGY_ERROR, 1.0, "kJ/mol atoms", r"\Delta F", "F"),
)


def numbers_of(results: Results) -> pd.DataFrame:
    """Return one row for each entry, potential and temperature that was completed, see `by_temperature`."""
    return by_temperature(results.table_of(STUDY.name), list(results.potentials))


def by_temperature(table: pd.DataFrame, potentials: Sequence[str]) -> pd.DataFrame:
    """Return the study's table with a row for each temperature.

    Columns of a fit are there at its own temperature alone, beside the absolute error of the free energy, and
    `unstable`, whether a mode of the fitted force constants is imaginary; `harmonic_force_error`, relative, at each.
    """
    done = table[(table["status"] == "done") & table["source"].isin(potentials)]
    lists = ["thermal_temperatures_K", "reference_force_eV_per_A", *_BY_TEMPERATURE]
    long = done.explode(lists, ignore_index=True)
    long[lists] = long[lists].astype(float)
    long = long.rename(columns={"thermal_temperatures_K": "temperature_K"})
    long[_FREE_ENERGY_ERROR] = (
        long["effective_free_energy_kJ_per_mol_atoms"] - long["reference_free_energy_kJ_per_mol_atoms"]
    ).abs()
    long[_HARMONIC_ERROR] = long["harmonic_force_error_eV_per_A"] / long["reference_force_eV_per_A"]
    long["unstable"] = (long["effective_omega_min_THz"] <= 0).where(long["effective_omega_min_THz"].notna())
    of_fit = ["fit_residual_ratio", "effective_frequency_error_THz", _FREE_ENERGY_ERROR, "unstable"]
    long[of_fit] = long[of_fit].astype(float).where(long["temperature_K"] == long["fit_temperature_K"], axis=0)
    return long


def harmonicity_numbers(
    long: pd.DataFrame,
    potentials: Sequence[str],
    report: Mapping[str, Any],
    seen: Mapping[str, pd.Index] | None = None,
) -> pd.DataFrame:
    """Return the mean of each quantity by potential, temperature and subset, with its 95 % bootstrap interval.

    Columns: those of `study_means` by temperature_K, percent_unstable; and of |δF|/F with the error of frequencies
    rank_correlation, with the relative error of harmonic forces rank_correlation_of_harmonic_forces, both with their
    intervals in _low and _high.

    Args:
        long: of `by_temperature`
        seen: entries that potentials were trained on, of `seen_entries`
    """

    def more(chosen: pd.DataFrame) -> dict[str, float]:
        found = {"percent_unstable": 100 * chosen["unstable"].mean()}
        for key, error in _TOLD.items():
            told = rank_correlation(chosen[["anharmonic_ratio", error]].dropna(), report)
            found |= dict(zip((key, f"{key}_low", f"{key}_high"), told, strict=True))
        return found

    return study_means(long, QUANTITIES, potentials, report, by=("temperature_K",), more=more, seen=seen)


def rank_correlation(both: pd.DataFrame, report: Mapping[str, Any]) -> tuple[float, float, float]:
    """Return Spearman's rank correlation of two columns and its 95 % bootstrap interval, NaN for too few rows."""
    if len(both) < FEWEST_FOR_RANKS or (both.nunique() == 1).any():
        return (np.nan,) * 3
    one, other = both.to_numpy(float).T
    known = float(spearmanr(one, other).statistic)
    if not enough(len(both), report):
        return known, np.nan, np.nan
    resampled = bootstrap(
        (one, other),
        lambda x, y: spearmanr(x, y).statistic,
        n_resamples=report["bootstrap_resamples"],
        paired=True,
        vectorized=False,
        method="percentile",
        rng=np.random.default_rng(report["bootstrap_seed"]),
    )
    return known, *interval(resampled.bootstrap_distribution)


def shown_temperature(long: pd.DataFrame, report: Mapping[str, Any]) -> float:
    """Return the temperature of the fit, or where nothing was fitted the one nearest to that of the report."""
    fitted = long["fit_temperature_K"].dropna()
    if len(fitted):
        return float(fitted.iloc[0])
    temperatures = long["temperature_K"].unique()
    return float(temperatures[np.abs(temperatures - report["temperature_K"]).argmin()])


def harmonicity(results: Results) -> Table:
    """Return how harmonic each potential is, and how good the force constants are that fit its thermal forces."""
    long = results.once(numbers_of)
    seen = seen_entries(results.properties, list(results.potentials))
    numbers = harmonicity_numbers(long, list(results.potentials), results.report, seen)
    temperature = shown_temperature(long, results.report)
    shown = numbers[numbers["temperature_K"] == temperature]
    rows = []
    for name in results.potentials:
        for cells in subset_cells(shown, name, QUANTITIES):
            own = shown[(shown["potential"] == name) & (shown["subset"] == cells[0])].iloc[0]
            ranks = [with_interval(own[key], own[f"{key}_low"], own[f"{key}_high"]) for key in _TOLD]
            rows.append([results.labels[name], *cells, percent_or_dash(own["percent_unstable"]), *ranks])
    report = results.report
    caption = (
        f"Thermal displacements of the reference at {temperature:g} K, at the reference's own geometry; means over "
        "entries. static force: RMS of the potential's forces at rest, which are subtracted from all others. |δF|/F: "
        "RMS of what is not harmonic in the forces, over their RMS; harmonic is minus the potential's second "
        "derivatives times the displacements, by small displacements along the same directions. forces, harmonic "
        "forces: mean absolute difference to the reference's harmonic forces; slope: harmonic forces against them, "
        "below 1 where the potential is soft. left by the fit: RMS of held-out forces less those of the force "
        "constants that fit best, over their RMS; ω and F: frequencies and free energy "
        f"({report['temperature_K']:g} K) of these force constants at the wave vectors of the supercell, against the "
        "reference's; unstable: a mode is imaginary, and there is no F. ρ: Spearman's rank correlation of |δF|/F over "
        "entries, ρ(ω) with the error of ω, ρ(F_h) with that of harmonic forces in their mean. common: the "
        "entries that every potential completed; own: those that this one did; unseen: of common, those that none was "
        "trained on; brackets: 95 % bootstrap interval. "
        f"Protocol {report['protocol']} ({report['protocol_digest'][:12]})."
    )
    titles = [f"{quantity.name} ({quantity.unit})" if quantity.unit else quantity.name for quantity in QUANTITIES]
    header = ["potential", "subset", "n", *titles, "unstable (%)", "ρ(ω)", "ρ(F_h)"]
    return Table("harmonicity", "Harmonicity along thermal displacements", header, rows, caption, numbers)
