import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from softmode.compare.properties import phonon_columns
from softmode.compare.spectra import (
    frequency_error,
    softening_slope,
    spectra_rows,
    spectrum_table,
)
from softmode.engine.parquet import write_table
from softmode.errors import InputError
from tests.compare.campaign import FEW, REPORT, made_up

GRID = {"minimum_THz": -1.0, "maximum_THz": 3.0, "step_THz": 1.0}
REFERENCE = [[0.0, 0.0, 0.0, 2.0], [1.0, 1.0, 2.0, -1.0]]


def shard(path: Path, source: str, frequencies: list | None, density: list | None, entry: str = "mp-1") -> Path:
    row = {"entry": entry, "source": source, "status": "done" if frequencies else "failed"}
    if frequencies:
        row |= {"qpoints": [[0.0, 0.0, 0.0], [0.5, 0.0, 0.0]], "frequencies_THz": frequencies}
        row["density_of_states_per_THz"] = density
    metadata = {"source": source, "density_of_states": GRID, "json": json.dumps(0)}
    write_table(path / source / "0.parquet", [row], phonon_columns([]), metadata)
    return path / source / "0.parquet"


def test_spectrum_is_compared_as_by_hand(tmp_path: Path) -> None:
    predicted = [[0.0, 0.0, 0.0, 1.0], [2.0, -2.0, 0.5, 0.5]]
    paths = [
        shard(tmp_path, "chgnet", predicted, [0.0, 4.0, 0.0, 0.0]),
        shard(tmp_path, "reference", REFERENCE, [0.0, 0.0, 2.0, 2.0]),
        shard(tmp_path, "failing", None, None),
    ]
    rows = {row["source"]: row for row in spectra_rows(paths)}
    row = rows["chgnet"]
    # sorted at the second q point: -2, 0.5, 0.5, 2 against -1, 1, 1, 2
    assert row["frequency_mae_THz"] == pytest.approx((1 + 1 + 0.5 + 0.5) / 8)
    assert row["softening_slope"] == pytest.approx((2 * 1 + 0.5 + 0.5 + 2 * 2) / (4 + 1 + 1 + 4))
    # half of the states moves by one bin, half by two
    assert row["density_of_states_distance_THz"] == pytest.approx(1.5)
    assert row["n_frequencies"] == 8
    assert (row["lowest_acoustic_gamma_THz"], row["lowest_other_THz"]) == (0.0, -2.0)
    assert rows["reference"]["lowest_other_THz"] == -1.0 and "frequency_mae_THz" not in rows["reference"]
    assert rows["failing"] == {"entry": "mp-1", "source": "failing", "status": "failed"}


def test_entry_without_reference_is_an_error(tmp_path: Path) -> None:
    paths = [
        shard(tmp_path, "reference", REFERENCE, [0.0, 0.0, 2.0, 2.0]),
        shard(tmp_path, "chgnet", REFERENCE, [0.0, 0.0, 2.0, 2.0], entry="mp-2"),
    ]
    with pytest.raises(InputError, match="no reference has entry mp-2"):
        list(spectra_rows(paths))


def test_other_bands_are_not_compared_but_not_lost(tmp_path: Path) -> None:
    paths = [
        shard(tmp_path, "reference", REFERENCE, [0.0, 0.0, 2.0, 2.0]),
        shard(tmp_path, "chgnet", [row[:3] for row in REFERENCE], [0.0, 0.0, 2.0, 1.0]),
    ]
    row = list(spectra_rows(paths))[1]
    assert row["status"] == "done" and "frequency_mae_THz" not in row and row["lowest_other_THz"] == 1.0


def test_order_of_degenerate_bands_is_no_error() -> None:
    one, other = np.array([[1.0, 2.0, 2.0]]), np.array([[2.0, 1.0, 2.0]])
    assert frequency_error(one, other) == 0.0
    assert softening_slope(one, other) == pytest.approx(1.0)


def test_spectrum_that_is_softer_by_a_tenth_has_that_slope_whatever_is_imaginary() -> None:
    reference = np.array([[-3.0, 1.0, 5.0]])
    assert softening_slope(reference * 0.9, reference) == pytest.approx(0.9)
    assert np.isnan(softening_slope(reference, -np.abs(reference)))


def test_means_over_entries_are_those_of_pandas_and_say_over_how_many() -> None:
    _, spectra = made_up(["good", "bad"], n_failed=2)
    # one that has no reference to be compared with
    spectra.loc[(spectra["entry"] == "mp-3") & (spectra["source"] == "good"), "frequency_mae_THz"] = None
    table = spectrum_table(spectra, ["good", "bad"], FEW).set_index(["potential", "subset", "quantity"])
    by_hand = spectra[spectra["source"] == "good"]["frequency_mae_THz"].astype(float)
    row = table.loc[("good", "own", "frequencies")]
    assert (row["n"], row["unit"]) == (9, "THz") and row["mean"] == pytest.approx(by_hand.mean())
    spread = by_hand.std() / 3
    assert row["mean_low"] == pytest.approx(row["mean"] - 1.96 * spread, abs=0.5 * spread)
    assert row["mean_high"] == pytest.approx(row["mean"] + 1.96 * spread, abs=0.5 * spread)
    slopes = spectra[(spectra["source"] == "bad") & (spectra["status"] == "done")]["softening_slope"].astype(float)
    assert table.loc[("bad", "common", "softening"), "mean"] == pytest.approx(slopes.mean())


def test_single_entry_has_a_mean_and_no_interval() -> None:
    _, spectra = made_up(["good"], n_entries=1)
    row = spectrum_table(spectra, ["good"], REPORT).iloc[0]
    assert row["n"] == 1 and row["mean"] > 0 and pd.isna(row["mean_low"])
