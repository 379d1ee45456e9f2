"""Whole spectra against the reference: frequencies, density of states, softening, and how imaginary modes are."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.stats import wasserstein_distance

from softmode.compare.mean_errors import Quantity, by_subset
from softmode.compare.properties import common_metadata, density_grid_of
from softmode.compare.resampling import mean_interval
from softmode.density_grid import bin_centres
from softmode.engine.parquet import Column, read_table, write_table
from softmode.errors import InputError
from softmode.sources import REFERENCE, YARDSTICK
from softmode.stages.acoustic_modes import lowest_modes

_F, _S = pa.float64(), pa.string()
COLUMNS = (
    Column("entry", _S, "", "id of the entry"),
    Column("source", _S, "", f"name of the potential, '{REFERENCE}' or '{YARDSTICK}'"),
    Column("status", _S, "", "'done' or 'failed'"),
    Column("lowest_acoustic_gamma_THz", _F, "THz", "lowest of the three acoustic modes at Gamma, imaginary negative"),
    Column("lowest_other_THz", _F, "THz", "lowest of all other modes at commensurate q points, imaginary negative"),
    Column("n_frequencies", pa.int64(), "", "frequencies compared with the reference's"),
    Column("frequency_mae_THz", _F, "THz", "mean absolute error over all commensurate frequencies"),
    Column("softening_slope", _F, "", "slope through the origin of frequencies against the reference's real ones"),
    Column("density_of_states_distance_THz", _F, "THz", "Wasserstein distance of the densities of states, each to one"),
)
# Quantities of a spectrum, each a comparison with the reference already, so that nothing is subtracted.
SPECTRUM = (
    Quantity("frequencies", "frequency_mae_THz", 1.0, "THz", "MAE", "mean absolute error of all frequencies"),
    Quantity("density_of_states", "density_of_states_distance_THz", 1.0, "THz", "W_1", "distance of the densities"),
    Quantity("softening", "softening_slope", 1.0, "", "s", "softening slope"),
)
_NEEDED = ["entry", "source", "status", "qpoints", "frequencies_THz", "density_of_states_per_THz"]


def write_spectra(phonons: Sequence[Path], output: Path) -> None:
    """Write spectra.parquet, one row for each record of the phonons.

    Args:
        phonons: tables of all shards of all sources; shards of the same name have the same entries

    Raises:
        InputError: there is no reference for an entry, or the tables are not of one protocol and data set.
    """
    write_table(output, spectra_rows(phonons), COLUMNS, common_metadata(phonons))


def spectra_rows(phonons: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """Yield one row for each record of the phonons, with the columns above; numbers that cannot be had are missing.

    Args:
        phonons: tables of all shards of all sources; shards of the same name have the same entries

    Raises:
        InputError: there is no reference for an entry.
    """
    for name in dict.fromkeys(path.stem for path in phonons):
        paths = [path for path in phonons if path.stem == name]
        tables = {path: read_table(path, _NEEDED) for path in paths}
        references = {
            row["entry"]: row
            for table, metadata in tables.values()
            if metadata["source"] == REFERENCE
            for row in table.to_pylist()
        }
        for path, (table, metadata) in tables.items():
            grid = bin_centres(density_grid_of(metadata))
            for row in table.to_pylist():
                if row["entry"] not in references:
                    raise InputError(f"{path}: no reference has entry {row['entry']} in a shard {name}; run again")
                yield _compared(row, references[row["entry"]], grid)


def _compared(row: Mapping[str, Any], reference: Mapping[str, Any], grid: np.ndarray) -> dict[str, Any]:
    result: dict[str, Any] = {key: row[key] for key in ("entry", "source", "status")}
    if row["status"] != "done":
        return result
    qpoints, frequencies = np.array(row["qpoints"]), np.array(row["frequencies_THz"])
    result["lowest_acoustic_gamma_THz"], result["lowest_other_THz"] = lowest_modes(qpoints, frequencies)
    if row["source"] == REFERENCE or reference["status"] != "done":
        return result
    expected = np.array(reference["frequencies_THz"])
    # another number of atoms in the primitive cell: nothing corresponds
    if expected.shape != frequencies.shape or not np.allclose(qpoints, reference["qpoints"], atol=1e-6):
        return result
    return result | {
        "n_frequencies": frequencies.size,
        "frequency_mae_THz": frequency_error(frequencies, expected),
        "softening_slope": softening_slope(frequencies, expected),
        "density_of_states_distance_THz": wasserstein_distance(
            grid, grid, row["density_of_states_per_THz"], reference["density_of_states_per_THz"]
        ),
    }


def spectrum_values(spectra: pd.DataFrame, quantity: Quantity, potentials: Sequence[str]) -> pd.DataFrame:
    """Return one number of each spectrum: index entry, one column for each potential, NaN where there is none."""
    wide = spectra.pivot(index="entry", columns="source", values=quantity.column).astype(float)
    return wide[list(potentials)]


def spectrum_table(spectra: pd.DataFrame, potentials: Sequence[str], report: Mapping[str, Any]) -> pd.DataFrame:
    """Return the means over entries, one row for each potential, subset (as in `mean_errors.error_table`) and quantity.

    Columns: potential, subset, quantity, unit, n (entries behind the number), mean, mean_low and mean_high (95 %
    percentile bootstrap interval; NaN for too few entries).

    Args:
        spectra: spectra.parquet
        report: settings of the report; its seed makes the intervals reproducible
    """
    rows = []
    for quantity in SPECTRUM:
        values = spectrum_values(spectra, quantity, potentials)
        for row, known in by_subset(quantity, values, spectra, potentials):
            low, high = mean_interval(known, report)
            mean = known.mean() if len(known) else np.nan
            rows.append(row | {"mean": mean, "mean_low": low, "mean_high": high})
    return pd.DataFrame(rows)


def frequency_error(frequencies: np.ndarray, reference: np.ndarray) -> float:
    """Return the mean absolute error over all q points and bands.

    Both have the reference's supercell, hence the same q points in the same order. Bands are matched by their order in
    frequency at each q point, not by their eigenvectors: where bands cross, this is the smallest error there can be,
    and degenerate modes need no matching.

    Args:
        frequencies: shape (n_q, n_bands)
        reference: the same shape
    """
    return float(np.abs(np.sort(frequencies, axis=1) - np.sort(reference, axis=1)).mean())


def softening_slope(frequencies: np.ndarray, reference: np.ndarray) -> float:
    """Return the least-squares slope through the origin of frequencies against the reference's; below 1 is too soft.

    Only modes count that are real in the reference; matched as in `frequency_error`. NaN if there is none.
    """
    predicted, expected = np.sort(frequencies, axis=1).ravel(), np.sort(reference, axis=1).ravel()
    real = expected > 0
    if not real.any():
        return np.nan
    return float(predicted[real] @ expected[real] / (expected[real] @ expected[real]))
