"""Linewidths and shifts of one entry along its path, as its section of the page shows them: `entry.js` draws them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from softmode.present.page.rounding import decimals, significant
from softmode.studies.linewidths.figures import has_path, ticks_of


def linewidths(rows: Sequence[Mapping[str, Any]], presentation: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return linewidths and shifts of each source; those whose path is that of the first one.

    Args:
        rows: of the study's table, of one entry

    Returns:
        None where no source has linewidths; else `ticks` and `names` of the ends of segments, and by source lists with
        one value for each point and band: `at` (Å⁻¹ along the first one's path), `frequency`, `width`, `shift` (THz)
    """
    known = [row for row in rows if has_path(row)]
    if not known:
        return None
    ticks, names = ticks_of(known[0])
    sources = {}
    for row in known:
        own_ticks, own_names = ticks_of(row)
        if own_names != names:
            continue
        at = np.interp(row["path_qpoint_distances_per_A"], own_ticks, ticks)
        sources[row["source"]] = {
            "at": decimals(np.repeat(at, len(row["path_linewidths_THz"]) // len(at)), 4),
            "frequency": significant(row["path_qpoint_frequencies_THz"], 4),
            "width": significant(row["path_linewidths_THz"], 3),
            "shift": significant(row["path_shifts_THz"], 3),
        }
    return {"ticks": decimals(ticks, 4), "names": names, "sources": sources}
