"""Tables of the study: κ_SRME of each potential, and conductivities beside those published of the same model."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from softmode.compare.resampling import mean_interval
from softmode.present.results import Results
from softmode.present.table_text import NOTHING, Table, digits_or_dash, percent_or_dash, with_interval
from softmode.studies.conductivity.published import (
    MODES_FILE,
    Modes,
    read_model,
    read_models,
    read_modes,
    read_reference,
    same_modes,
)
from softmode.studies.conductivity.relative_errors import CENSORED, mode_error, relative_difference
from softmode.studies.conductivity.study import STUDY

# What `outcome` says of an entry: the words of the stage's `conductivity_outcome`, and of one whose calculation failed.
COMPUTED = "computed"
# Temperature in K of all published conductivities; one at another temperature is compared with none of them.
_PUBLISHED_K = 300.0
OUTCOMES = (COMPUTED, "imaginary_modes", "broken_symmetry", "failed")


def numbers_of(results: Results) -> pd.DataFrame:
    """Return one row for each entry and potential, see `errors`."""
    folder = published_folder(results)
    return errors(
        results.table_of(STUDY.name),
        list(results.potentials),
        read_reference(folder),
        read_modes(folder),
        {name: read_model(folder, model.key) for name, model in read_models(folder).items()},
    )


def published_folder(results: Results) -> Path:
    """Return the folder of published numbers that the campaign names."""
    return Path(results.presentation.get("published_folder", "data/published"))


def errors(
    table: pd.DataFrame,
    potentials: Sequence[str],
    reference: Mapping[str, float],
    modes: Mapping[str, Modes] | None,
    published: Mapping[str, tuple[Mapping[str, float], Mapping[str, float]]],
) -> pd.DataFrame:
    """Return one row for each entry and potential.

    Columns: entry, source, outcome (of `OUTCOMES`), temperature_K, kappa_W_per_m_K, coherences_percent,
    kappa_reference_W_per_m_K; srd, sre and srme, 2 (srd −2) without a conductivity and missing without a reference;
    kappa_published_W_per_m_K and srme_published of the same model; and difference_percent of κ to it.

    Args:
        table: the study's table
        reference: conductivities of `read_reference`
        modes: of `read_modes`
        published: of `read_model`, by potential
    """
    rows = []
    for row in table[table["source"].isin(potentials)].to_dict("records"):
        kappas, mode_errors = published.get(row["source"], ({}, {}))
        found = {"entry": row["entry"], "source": row["source"]} | _kappa(row)
        known = reference.get(row["entry"], np.nan)
        if found.get("temperature_K", _PUBLISHED_K) != _PUBLISHED_K:
            known, kappas, mode_errors = np.nan, {}, {}
        found["kappa_reference_W_per_m_K"] = known
        found |= _relative(row, found, known, None if modes is None else modes.get(row["entry"]))
        found["kappa_published_W_per_m_K"] = kappas.get(row["entry"], np.nan)
        found["srme_published"] = mode_errors.get(row["entry"], np.nan)
        found["difference_percent"] = 100 * (found["kappa_W_per_m_K"] / found["kappa_published_W_per_m_K"] - 1)
        rows.append(found)
    return pd.DataFrame(sorted(rows, key=lambda row: (row["entry"], list(potentials).index(row["source"]))))


def _kappa(row: Mapping[str, Any]) -> dict[str, Any]:
    outcome = row["conductivity_outcome"] if row["status"] == "done" else "failed"
    found = {"outcome": outcome, "kappa_W_per_m_K": np.nan, "coherences_percent": np.nan}
    if outcome != COMPUTED:
        return found
    # the tensor is of the temperature of the modes
    kappa = float(np.mean(row["kappa_tensor_W_per_m_K"][:3]))
    at = int(np.abs(np.array(row["kappa_W_per_m_K"]) - kappa).argmin())
    coherences = 100 * row["kappa_coherences_W_per_m_K"][at] / kappa
    temperature = row["conductivity_temperatures_K"][at]
    return found | {"kappa_W_per_m_K": kappa, "coherences_percent": coherences, "temperature_K": temperature}


def _relative(row: Mapping[str, Any], found: Mapping[str, Any], known: float, modes: Modes | None) -> dict[str, float]:
    if np.isnan(known):
        return {"srd": np.nan, "sre": np.nan, "srme": np.nan}
    if found["outcome"] != COMPUTED:
        return {"srd": -CENSORED, "sre": CENSORED, "srme": CENSORED}
    kappa = found["kappa_W_per_m_K"]
    difference = relative_difference(kappa, known)
    return {"srd": difference, "sre": abs(difference), "srme": _of_modes(row, kappa, modes)}


def _of_modes(row: Mapping[str, Any], kappa: float, modes: Modes | None) -> float:
    if modes is None:
        return np.nan
    expected = same_modes(np.reshape(row["conductivity_qpoints"], (-1, 3)).astype(float), modes)
    own = np.asarray(row["mode_kappa_W_per_m_K"], dtype=float)
    if expected is None or own.size != expected.size:
        return np.nan
    n_mesh = int(np.sum(row["conductivity_weights"]))
    return mode_error(own.reshape(expected.shape), kappa, expected, modes.kappa, n_mesh)


def means(numbers: pd.DataFrame, potentials: Sequence[str], report: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row for each potential.

    Columns: potential, n (entries with a reference), the number of each outcome among them, srd, sre and srme (means,
    the last missing where any is), sre_low, sre_high, srme_low and srme_high (95 % bootstrap interval), srme_published
    (mean over the same entries), n_published and median_difference_percent (absolute, of κ to the published value).
    """
    rows = []
    for name in potentials:
        own = numbers[(numbers["source"] == name) & numbers["kappa_reference_W_per_m_K"].notna()]
        row: dict[str, Any] = {"potential": name, "n": len(own)}
        row |= {outcome: int((own["outcome"] == outcome).sum()) for outcome in OUTCOMES}
        for key in ("srd", "sre", "srme", "srme_published"):
            values = own[key].to_numpy(float)
            # of some alone, it would be the mean of other entries
            row[key] = values.mean() if len(values) else np.nan
            if key in ("sre", "srme"):
                row[f"{key}_low"], row[f"{key}_high"] = _interval(values, report)
        both = own["difference_percent"].dropna().abs()
        row |= {"n_published": len(both), "median_difference_percent": both.median() if len(both) else np.nan}
        rows.append(row)
    return pd.DataFrame(rows)


def _interval(values: np.ndarray, report: Mapping[str, Any]) -> tuple[float, float]:
    return mean_interval(values, report) if len(values) and not np.isnan(values).any() else (np.nan, np.nan)


def conductivity(results: Results) -> Table:
    """Return κ_SRME of each potential."""
    numbers = means(results.once(numbers_of), list(results.potentials), results.report)
    rows = []
    for row in numbers.to_dict("records"):
        counts = [str(row[outcome]) for outcome in OUTCOMES]
        errors = [with_interval(row[key], row[f"{key}_low"], row[f"{key}_high"]) for key in ("sre", "srme")]
        shown = [digits_or_dash(row["srd"]), *errors]
        published = [digits_or_dash(row["srme_published"]), str(row["n_published"])]
        difference = percent_or_dash(row["median_difference_percent"])
        rows.append([results.labels[row["potential"]], str(row["n"]), *counts, *shown, *published, difference])
    caption = (
        "Thermal conductivity in the relaxation-time approximation with Wigner's tunnelling between modes, against "
        "PBE without the correction of polar crystals (Póta et al. 2024; values of Matbench Discovery). SRD, SRE: "
        "symmetric relative difference of κ and its absolute value; SRME: the same mode by mode. All are means over "
        "the entries with a reference, of which one without a conductivity (an imaginary mode on the mesh, another "
        "space group than the data set's, or a failure) counts 2. published: SRME of the same model over the same "
        "entries, as Matbench Discovery has it; |Δκ|: median of the difference of κ to the published value of the same "
        f"model, of the n entries that have both. SRME is a dash without the reference's modes ({MODES_FILE} in "
        "data/published, see its README); brackets: 95 % bootstrap interval. "
        f"Protocol {results.report['protocol']} ({results.report['protocol_digest'][:12]})."
    )
    header = ["potential", "n", "computed", "imaginary", "symmetry broken", "failed", "SRD", "SRE", "SRME"]
    header += ["SRME published", "n", "|Δκ| (%)"]
    return Table("conductivity", "Thermal conductivity against PBE", header, rows, caption, numbers)


def conductivity_entries(results: Results) -> Table:
    """Return each conductivity beside the reference's, and beside what others published of the same model."""
    numbers = results.once(numbers_of)
    formulas = results.properties.groupby("entry")["formula"].first()
    rows = []
    for row in numbers.to_dict("records"):
        kappas = [row[f"kappa{which}_W_per_m_K"] for which in ("", "_reference", "_published")]
        shown = [row["coherences_percent"], row["sre"], row["srme"], row["srme_published"], row["difference_percent"]]
        cells = [*map(digits_or_dash, kappas), *map(digits_or_dash, shown)]
        outcome = row["outcome"].replace("_", " ")
        name = str(formulas.get(row["entry"], NOTHING))
        rows.append([name, row["entry"], results.labels[row["source"]], outcome, *cells])
    temperature = numbers["temperature_K"].dropna()
    models = read_models(published_folder(results))
    differences = [
        f"{results.labels[name]}: {models[name].displacement_distance_A:g} Å"
        + (f", {models[name].difference}" if models[name].difference else "")
        for name in results.potentials
        if name in models
    ]
    caption = (
        f"κ at {temperature.iloc[0] if len(temperature) else 300:g} K, mean of the three directions; C: the part of "
        "tunnelling between modes. PBE: reference without the correction of polar crystals; published: the value of "
        "the same model by Matbench Discovery. SRE, SRME: symmetric relative errors of κ and of its modes. How the "
        f"published values were made: {'; '.join(differences) or 'none of these models is published'}. "
        f"Protocol {results.report['protocol']} ({results.report['protocol_digest'][:12]})."
    )
    header = ["crystal", "entry", "potential", "outcome", "κ (W/m/K)", "PBE", "published", "C (%)", "SRE", "SRME"]
    header += ["SRME published", "Δκ (%)"]
    return Table("conductivity_entries", "Thermal conductivity of each crystal", header, rows, caption, numbers)
