"""The line spectra of one entry, as its section of the page shows them: `entry.js` draws what comes from here."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from softmode.present.page.rounding import decimals, significant
from softmode.studies.spectroscopy.assignment import PER_CM_OF_THz, assigned_modes, first_bands


def spectrum(rows: Sequence[Mapping[str, Any]], presentation: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the optical modes of each source, and which of them are those of the reference.

    Args:
        rows: of the study's table, of one entry
        presentation: of the campaign

    Returns:
        None where no source has modes; else `lines`, by source, lists with one value for each set of degenerate modes:
        per_cm, degeneracy, label, infrared, raman, band (the first of the set, from 0) and intensity (in e²/u; null
        without Born charges); and `assigned`, by source, pairs of bands: of the reference, of the source
    """
    lines = {row["source"]: _lines(row) for row in rows if row["status"] == "done"}
    if not lines:
        return None
    modes = assigned_modes(pd.DataFrame(rows))
    pairs = modes.groupby("source")[["reference_band", "source_band"]]
    return {"lines": lines, "assigned": {source: own.to_numpy().tolist() for source, own in pairs}}


def _lines(row: Mapping[str, Any]) -> dict[str, Any]:
    optical = np.flatnonzero(~np.array(row["gamma_acoustic"], dtype=bool))
    intensities = row["gamma_infrared_intensities_e2_per_u"]

    def of_optical(values: Any) -> list[Any]:
        return [values[position] for position in optical]

    return {
        "per_cm": decimals(np.array(of_optical(row["gamma_frequencies_THz"])) * PER_CM_OF_THz, 1),
        "degeneracy": of_optical(row["gamma_degeneracies"]),
        "label": of_optical(row["gamma_labels"]),
        "infrared": of_optical(row["gamma_infrared"]),
        "raman": of_optical(row["gamma_raman"]),
        "band": of_optical(first_bands(row["gamma_degeneracies"]).tolist()),
        "intensity": None if intensities is None else significant(of_optical(intensities), 3),
    }
