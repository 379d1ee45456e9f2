"""Tables of the study: models of densities and potentials, by the same statistics."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from softmode.compare.groups import PER_ATOM
from softmode.compare.mean_errors import Quantity, by_subset, signed_errors
from softmode.compare.resampling import mean_interval
from softmode.compare.stability import outcomes
from softmode.present.results import Results
from softmode.present.table_text import Table, digits_or_dash, percent_or_dash
from softmode.present.tables import subset_cells
from softmode.sources import REFERENCE
from softmode.studies.density.combined import BASELINE, DISTANCE, MEAN_FREQUENCY, WITHIN, AllSources, all_sources
from softmode.studies.density.predicted import THERMODYNAMICS

FREQUENCY = Quantity("mean_frequency", MEAN_FREQUENCY, 1.0, "THz", r"\bar\omega", "mean frequency")
# Numbers that are a comparison with the reference already.
COMPARED = (
    Quantity("within", WITHIN, 100.0, "%", r"\bar\omega", "mean frequency within 10 %"),
    Quantity("distance", DISTANCE, 1.0, "THz", "W_1", "distance of the densities of states"),
)
ERRORS = (FREQUENCY, *PER_ATOM)
# Subsets in the order of the table's rows.
_SUBSETS = ("stable", "unseen", "common", "own")
QUANTITIES = (FREQUENCY, COMPARED[0], *PER_ATOM, COMPARED[1])


def values_of(properties: pd.DataFrame, quantity: Quantity, names: Sequence[str]) -> pd.DataFrame:
    """Return absolute errors, or what is compared already: index entry, a column for each source."""
    if quantity in ERRORS:
        return signed_errors(properties, quantity, names).abs()
    wide = properties.pivot(index="entry", columns="source", values=quantity.column).astype(float)
    return wide[list(names)] * quantity.factor


def density_numbers(found: AllSources, report: Mapping[str, Any]) -> pd.DataFrame:
    """Return means over entries, one row for each source, subset and quantity.

    Columns: potential, subset, quantity, unit, n, mae (a share for `within`), mae_low and mae_high (95 % bootstrap
    interval), percent_of_survivors, and seconds (mean time of an entry in that subset). The subset `stable` has the
    entries that the reference calls stable, and the source too.
    """
    properties, names = found.properties, found.names
    called = outcomes(properties, report["stability"]) == "stable"
    stable = {name: called.index[called[REFERENCE] & called[name]] for name in names}
    seconds = properties.pivot(index="entry", columns="source", values="seconds").astype(float)
    # the baseline is of stable entries alone, and no source that must have brought an entry to its end
    competing = [name for name in names if name != BASELINE]
    rows = []
    for quantity in QUANTITIES:
        values = values_of(properties, quantity, names)
        of_names = by_subset(quantity, values, properties, competing, stable)
        of_baseline = by_subset(quantity, values, properties, [BASELINE], {BASELINE: stable[BASELINE]})
        for row, known in [*of_names, *((row, known) for row, known in of_baseline if row["subset"] == "stable")]:
            low, high = mean_interval(known, report)
            n_own = int(values[row["potential"]].count())
            own = seconds[row["potential"]] if row["potential"] in seconds else pd.Series(dtype=float)
            rows.append(
                row
                | {
                    "mae": known.mean() if len(known) else np.nan,
                    "mae_low": low,
                    "mae_high": high,
                    "percent_of_survivors": 100.0 * len(known) / n_own if n_own else np.nan,
                    "seconds": own.mean(),
                }
            )
    return pd.DataFrame(rows)


def numbers_of(results: Results) -> pd.DataFrame:
    """Return the numbers of the table."""
    return density_numbers(all_sources(results), results.report)


def density(results: Results) -> Table:
    """Return models and potentials with their errors."""
    found, numbers = all_sources(results), results.once(numbers_of)
    rows = []
    for name in found.names:
        seconds = numbers[numbers["potential"] == name]["seconds"].max()
        kind = "model" if name in found.models else "baseline" if name == BASELINE else "potential"
        for cells in subset_cells(numbers, name, QUANTITIES, subsets=_SUBSETS):
            rows.append([found.labels[name], kind, *cells, digits_or_dash(seconds)])
    report = results.report
    temperature = f"{report['temperature_K']:g} K"
    titles = [
        "ω̄ (THz)",
        "ω̄ within 10 % (%)",
        "S (J/K/mol atoms)",
        "F (kJ/mol atoms)",
        "C_V (J/K/mol atoms)",
        "W₁ (THz)",
    ]
    caption = (
        "Mean absolute errors against the reference. model: it is given the data set's structure and no forces; "
        "potential: it relaxes the structure and computes phonons from forces. ω̄: mean frequency of all modes, of the "
        f"density of states; S, F, C_V at {temperature}, per mole of atoms; W₁: Wasserstein distance of the densities "
        "of states, each normalised. stable: entries that the reference and the source call stable; a model, which is "
        "trained on such crystals, calls all so. unseen: of common, those that none was trained on; common: those that "
        f"every source completed; own: those that this one did. {found.labels[BASELINE]}: of each stable entry, the "
        "mean of the reference over all others, per atom. s: mean time of an entry with all its stages, on machines "
        "that this campaign ran on; brackets: 95 % bootstrap interval. "
        f"Protocol {report['protocol']} ({report['protocol_digest'][:12]}). {found.cautions}"
    ).rstrip()
    header = ["source", "kind", "subset", "n", *titles, "s"]
    return Table("density", "Densities of states by models and potentials", header, rows, caption, numbers)


def calibration_numbers(found: AllSources, report: Mapping[str, Any]) -> pd.DataFrame:
    """Return for each model and quantity how its errors are to its own standard deviations.

    Columns: potential, quantity, unit, n (stable entries), percent_within_one and percent_within_two (entries whose
    error is below one and two standard deviations), median_ratio (of the error to the standard deviation, over that of
    a normal distribution: 1 where calibrated) and rank_correlation (Spearman's, of both).
    """
    properties = found.properties
    stable = f"stable_{report['stability']}"
    reference = properties[(properties["source"] == REFERENCE)].set_index("entry")
    columns = {MEAN_FREQUENCY: "mean_frequency_standard_deviation_THz"}
    columns |= {f"reported_{name}_atoms": f"reported_{other}_atoms" for name, other in THERMODYNAMICS.items()}
    rows = []
    for name in found.models:
        own = properties[(properties["source"] == name) & (properties["status"] == "done")].set_index("entry")
        expected = reference.reindex(own.index)
        is_stable = expected[stable].eq(True)
        for quantity in ERRORS:
            deviation = own[columns[quantity.column]].astype(float)
            error = (own[quantity.column] - expected[quantity.column]).astype(float).abs()
            both = pd.DataFrame({"error": error, "deviation": deviation})[is_stable].dropna()
            ratio = both["error"] / both["deviation"]
            rows.append(
                {
                    "potential": name,
                    "quantity": quantity.key,
                    "unit": quantity.unit,
                    "n": len(both),
                    "percent_within_one": 100 * (ratio < 1).mean(),
                    "percent_within_two": 100 * (ratio < 2).mean(),
                    "median_ratio": ratio.median() / norm.ppf(0.75),
                    "rank_correlation": both.corr(method="spearman").iloc[0, 1] if len(both) > 2 else np.nan,
                }
            )
    return pd.DataFrame(rows)


def calibration(results: Results) -> Table:
    """Return whether the errors of models are as large as they say."""
    found = all_sources(results)
    numbers = calibration_numbers(found, results.report)
    rows = []
    for row in numbers.to_dict("records"):
        (quantity,) = (each for each in ERRORS if each.key == row["quantity"])
        shares = [percent_or_dash(row[f"percent_within_{word}"]) for word in ("one", "two")]
        others = [digits_or_dash(row["median_ratio"]), digits_or_dash(row["rank_correlation"])]
        rows.append(
            [found.labels[row["potential"]], f"{quantity.name} ({row['unit']})", str(row["n"]), *shares, *others]
        )
    caption = (
        "Errors against the reference, of entries that it calls stable, over the standard deviation that the model "
        "itself gives: shares below one and two (of a normal distribution 68.3 and 95.4 %), the median over that of a "
        "normal distribution (1 where calibrated, above 1 where the model is too sure), and Spearman's correlation of "
        "the ranks of errors and standard deviations."
    )
    header = ["model", "quantity", "n", "within 1 σ (%)", "within 2 σ (%)", "median", "ρ"]
    return Table("density_calibration", "How sure models of densities are", header, rows, caption, numbers)
