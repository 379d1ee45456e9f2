"""Columns of modes along a path, for every study that has them."""

from typing import Any

import pyarrow as pa

from softmode.engine.parquet import Column
from softmode.studies.linewidths.path import PathModes

_S = pa.list_(pa.float32())


def path_columns(temperature_K: float) -> list[Column]:
    """Return the columns of `as_columns`; lists of modes are by point, then band."""
    along = "along the path in Å⁻¹, with the factor 2π"
    of_acoustic = "missing of acoustic modes at Gamma"
    return [
        Column("path_labels", pa.list_(pa.string()), "", "of close points: the name of the end of a segment, or empty"),
        Column("path_distances_per_A", _S, "1/Å", f"of close points, {along}"),
        Column("path_frequencies_THz", _S, "THz", "of the modes at close points; imaginary negative"),
        Column("path_qpoints", _S, "", "points of the mesh on the path, three reduced coordinates each"),
        Column("path_qpoint_distances_per_A", _S, "1/Å", f"of these points, {along}"),
        Column("path_qpoint_frequencies_THz", _S, "THz", "of the modes at these points"),
        Column(
            "path_linewidths_THz",
            _S,
            "THz",
            f"of these modes: full widths at half maximum by three phonons at {temperature_K:g} K; {of_acoustic}",
        ),
        Column(
            "path_shifts_THz",
            _S,
            "THz",
            "of these modes: real part of the self-energy by three phonons, the bubble, at the mode's frequency and "
            f"{temperature_K:g} K, to be added to it; {of_acoustic}",
        ),
    ]


def as_columns(modes: PathModes) -> dict[str, Any]:
    """Return the values of `path_columns`."""
    return {
        "path_labels": modes.labels,
        "path_distances_per_A": modes.distances.tolist(),
        "path_frequencies_THz": modes.frequencies.ravel().tolist(),
        "path_qpoints": modes.qpoints.ravel().tolist(),
        "path_qpoint_distances_per_A": modes.point_distances.tolist(),
        "path_qpoint_frequencies_THz": modes.point_frequencies.ravel().tolist(),
        "path_linewidths_THz": modes.linewidths.ravel().tolist(),
        "path_shifts_THz": modes.shifts.ravel().tolist(),
    }
