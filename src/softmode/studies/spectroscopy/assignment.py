"""Which mode of a potential is which of the reference: by symmetry and by what moves, not by their order."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.constants import speed_of_light
from scipy.optimize import linear_sum_assignment

from softmode.compare.mean_errors import Quantity
from softmode.sources import REFERENCE

# Wave number in cm⁻¹ of a frequency of 1 THz.
PER_CM_OF_THz = 1e12 / (100 * speed_of_light)
# Errors of an entry's modes, each the mean over modes, a degenerate one counted as often as it is there.
ACTIVE = (
    Quantity("infrared", "infrared_mae_per_cm", 1.0, "cm⁻¹", r"\mathrm{IR}", "infrared active modes"),
    Quantity("raman", "raman_mae_per_cm", 1.0, "cm⁻¹", r"\mathrm{Raman}", "Raman active modes"),
    Quantity("optical", "optical_mae_per_cm", 1.0, "cm⁻¹", r"\mathrm{optical}", "all optical modes"),
)
_MODE = ("gamma_frequencies_THz", "gamma_degeneracies", "gamma_labels", "gamma_infrared", "gamma_raman")


def assigned_modes(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each set of degenerate optical modes of the reference that a source has too.

    Sets of the same degeneracy, representation and activity are assigned to each other so that the sum of their
    overlaps is the largest. An entry whose sets are not the same for the source, because one of the two has lost
    symmetry, has no rows for it.

    Args:
        table: the study's table

    Returns:
        columns entry, source, label, degeneracy, infrared, raman, reference_per_cm, source_per_cm (wave numbers,
        imaginary ones negative), reference_band, source_band (the first of the set, from 0) and overlap (1 for the same
        displacements)
    """
    done = table[table["status"] == "done"]
    references = {row["entry"]: row for row in done[done["source"] == REFERENCE].to_dict("records")}
    rows = [
        row
        for own in done[done["source"] != REFERENCE].to_dict("records")
        if own["entry"] in references
        for row in _assigned(references[own["entry"]], own)
    ]
    columns = ["entry", "source", "label", "degeneracy", "infrared", "raman"]
    found = ["reference_per_cm", "source_per_cm", "reference_band", "source_band", "overlap"]
    return pd.DataFrame(rows, columns=[*columns, *found])


def _assigned(reference: Mapping[str, Any], own: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    known, found = _sets(reference), _sets(own)
    if {key: len(sets) for key, sets in known.items()} != {key: len(sets) for key, sets in found.items()}:
        return
    if len(reference["gamma_eigenvectors"]) != len(own["gamma_eigenvectors"]):
        return
    for key, sets in known.items():
        overlaps = np.array([[_overlap(one[2], other[2]) for other in found[key]] for one in sets])
        for position, other in zip(*linear_sum_assignment(-overlaps), strict=True):
            degeneracy, label, infrared, raman = key
            yield {
                "entry": own["entry"],
                "source": own["source"],
                "label": label,
                "degeneracy": degeneracy,
                "infrared": infrared,
                "raman": raman,
                "reference_per_cm": sets[position][0] * PER_CM_OF_THz,
                "source_per_cm": found[key][other][0] * PER_CM_OF_THz,
                "reference_band": sets[position][1],
                "source_band": found[key][other][1],
                "overlap": overlaps[position, other],
            }


def _sets(row: Mapping[str, Any]) -> dict[tuple[int, str, bool, bool], list[tuple[float, int, np.ndarray]]]:
    """Return frequency, first band and eigenvectors of the optical sets, by degeneracy, label and activities."""
    n_modes = sum(row["gamma_degeneracies"])
    real, imaginary = np.asarray(row["gamma_eigenvectors"], dtype=float).reshape(2, n_modes, n_modes)
    bands = first_bands(row["gamma_degeneracies"])
    vectors = np.split(real + 1j * imaginary, bands[1:])
    sets: dict[tuple[int, str, bool, bool], list[tuple[float, int, np.ndarray]]] = {}
    for frequency, degeneracy, label, infrared, raman, acoustic, band, own in zip(
        *(row[name] for name in _MODE), row["gamma_acoustic"], bands, vectors, strict=True
    ):
        if not acoustic:
            key = (int(degeneracy), label, bool(infrared), bool(raman))
            sets.setdefault(key, []).append((frequency, int(band), own))
    return sets


def first_bands(degeneracies: Sequence[int]) -> np.ndarray:
    """Return the first band of each set, from 0; the sets stand in the order of the bands."""
    return np.cumsum([0, *degeneracies[:-1]])


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    return float((np.abs(one.conj() @ other.T) ** 2).sum()) / len(one)


def mode_errors(modes: pd.DataFrame) -> pd.DataFrame:
    """Return for each entry and source the mean absolute errors of its modes, the columns of `ACTIVE`; NaN for none.

    Args:
        modes: of `assigned_modes`
    """
    weight = modes["degeneracy"].astype(float)
    error = (modes["source_per_cm"] - modes["reference_per_cm"]).abs()
    keys = [modes["entry"], modes["source"]]
    errors = {}
    for quantity, chosen in zip(ACTIVE, (modes["infrared"], modes["raman"], weight > 0), strict=True):
        of_chosen = weight.where(chosen.astype(bool))
        errors[quantity.column] = (error * of_chosen).groupby(keys).sum(min_count=1) / of_chosen.groupby(keys).sum()
    return pd.DataFrame(errors).reset_index()
