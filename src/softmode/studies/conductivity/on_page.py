"""The conductivities of one entry, as its section of the page shows them: `entry.js` draws what comes from here."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from softmode.present.page.rounding import significant
from softmode.studies.conductivity.published import read_model, read_models, read_modes, read_reference
from softmode.studies.conductivity.results import COMPUTED, errors

# Largest number of modes of a source that are drawn, a random choice; with more, an entry's file takes long to load.
_MOST_MODES = 1500
# Columns of `errors` that the section shows by these names.
_NUMBERS = {
    "kappa_W_per_m_K": "kappa",
    "coherences_percent": "coherences",
    "kappa_reference_W_per_m_K": "known",
    "kappa_published_W_per_m_K": "published",
    "sre": "sre",
    "srme": "srme",
}


def conductivities(rows: Sequence[Mapping[str, Any]], presentation: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the conductivity of each source beside the reference's and the published one, and its modes' linewidths.

    Args:
        rows: of the study's table, of one entry
        presentation: of the campaign, which says where the published numbers are

    Returns:
        None where nothing was computed or found to be none; else by source `outcome`, `message` of a failure,
        temperature_K, kappa, known and published (W/m/K), coherences (%), sre and srme, null where there is none, and
        `modes`: pairs of frequency and full width in THz
    """
    if not rows:
        return None
    sources = [row["source"] for row in rows]
    found = errors(pd.DataFrame(rows), sources, *_published(presentation.get("published_folder", "data/published")))
    by_source = found.set_index("source").to_dict("index")
    return {"sources": {row["source"]: _shown(row, by_source[row["source"]]) for row in rows}}


@cache
def _published(folder: str) -> tuple[Any, ...]:
    path = Path(folder)
    models = {name: read_model(path, model.key) for name, model in read_models(path).items()}
    return read_reference(path), read_modes(path), models


def _shown(row: Mapping[str, Any], numbers: Mapping[str, Any]) -> dict[str, Any]:
    shown = {"outcome": numbers["outcome"], "message": row.get("message"), "modes": []}
    shown |= {name: significant(float(numbers[key]), 4) for key, name in _NUMBERS.items()}
    shown["temperature_K"] = significant(float(numbers.get("temperature_K", np.nan)), 6)
    if numbers["outcome"] == COMPUTED:
        modes = np.array([row["mode_frequencies_THz"], row["mode_linewidths_THz"]], dtype=float)
        modes = modes[:, (modes > 0).all(axis=0)]
        if modes.shape[1] > _MOST_MODES:
            modes = modes[:, np.sort(np.random.default_rng(0).choice(modes.shape[1], _MOST_MODES, replace=False))]
        shown["modes"] = significant(modes.T, 3)
    return shown
