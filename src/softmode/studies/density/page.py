"""Densities of models of one entry, as its section of the page shows them: `entry.js` draws what comes from here."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from softmode.present.page.rounding import decimals, significant
from softmode.studies.density.density import STEP_THz
from softmode.studies.density.predicted import THERMODYNAMICS


def densities(rows: Sequence[Mapping[str, Any]], _: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the density of states of each model, and what follows from it.

    Args:
        rows: of the study's table, of one entry

    Returns:
        None where no model has one; else `step_THz`, `temperatures_K`, and `models`, by source: states_per_THz in bins
        from 0, its deviations_per_THz (null of one member), mean_frequency_THz, its deviation_THz, and at the
        temperatures the thermodynamics, per mole of primitive cells
    """
    done = [row for row in rows if row["status"] == "done"]
    if not done:
        return None
    models = {row["source"]: _model(row) for row in done}
    return {"step_THz": STEP_THz, "temperatures_K": done[0]["temperatures_K"], "models": models}


def _model(row: Mapping[str, Any]) -> dict[str, Any]:
    states = np.array(row["density_of_states_per_THz"])
    # nothing is drawn where there is next to nothing
    end = int(np.flatnonzero(states > 1e-3 * states.max())[-1]) + 2
    deviations = np.array(row["density_of_states_standard_deviation_per_THz"])[:end]
    deviation = row["mean_frequency_standard_deviation_THz"]
    return {
        "states_per_THz": significant(states[:end], 3),
        "deviations_per_THz": significant(deviations, 3) if np.isfinite(deviations).all() else None,
        "mean_frequency_THz": round(row["mean_frequency_THz"], 3),
        "deviation_THz": None if deviation is None else round(deviation, 3),
        **{name: decimals(row[name], 3) for name in THERMODYNAMICS},
    }
