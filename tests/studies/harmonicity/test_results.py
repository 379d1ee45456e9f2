import numpy as np
import pandas as pd
import pytest

from softmode.studies.harmonicity.results import (
    by_temperature,
    harmonicity_numbers,
    rank_correlation,
    shown_temperature,
)

REPORT = {"bootstrap_resamples": 200, "bootstrap_seed": 1, "interval_smallest_n": 5, "temperature_K": 300.0}


def row(entry: str, source: str, ratio: float, error: float | None) -> dict[str, object]:
    fit = {
        "fit_temperature_K": None if error is None else 300.0,
        "fit_residual_ratio": None if error is None else ratio,
        "effective_frequency_error_THz": error,
        "effective_omega_min_THz": None if error is None else 1.0 - error,
        "reference_free_energy_kJ_per_mol_atoms": None if error is None else 2.0,
        "effective_free_energy_kJ_per_mol_atoms": None if error is None or error >= 1 else 2.0 - error,
    }
    lists = {
        "thermal_temperatures_K": [100.0, 300.0],
        "anharmonic_ratio": [ratio / 2, ratio],
        "thermal_force_error_eV_per_A": [0.1, 0.2],
        "harmonic_force_error_eV_per_A": [0.1, 0.3 - ratio / 4],
        "harmonic_slope": [0.9, 0.9],
        "reference_force_eV_per_A": [0.5, 1.0],
    }
    return {"entry": entry, "source": source, "status": "done", "static_force_eV_per_A": 0.01} | lists | fit


def table() -> pd.DataFrame:
    rows = [row(f"e{place}", "a", 0.1 * (place + 1), 0.2 * (place + 1)) for place in range(6)]
    rows += [row("e0", "b", 0.4, None), {"entry": "e1", "source": "b", "status": "failed"}]
    return pd.DataFrame(rows)


def test_what_belongs_to_a_fit_is_at_its_temperature_alone() -> None:
    long = by_temperature(table(), ["a", "b"])
    assert len(long) == 14
    cold, warm = (long[(long["source"] == "a") & (long["temperature_K"] == each)] for each in (100, 300))
    assert cold["effective_frequency_error_THz"].isna().all() and cold["unstable"].isna().all()
    assert warm["unstable"].tolist() == [0, 0, 0, 0, 1, 1]
    errors = warm["effective_free_energy_error_kJ_per_mol_atoms"].tolist()
    assert errors[:4] == pytest.approx([0.2, 0.4, 0.6, 0.8]) and np.isnan(errors[4:]).all()
    assert shown_temperature(long, REPORT) == 300
    assert shown_temperature(long[long["source"] == "b"], REPORT | {"temperature_K": 120.0}) == 100


def test_numbers_are_means_over_what_all_and_what_each_completed() -> None:
    numbers = harmonicity_numbers(by_temperature(table(), ["a", "b"]), ["a", "b"], REPORT)
    shown = numbers.set_index(["potential", "subset", "temperature_K", "quantity"]).sort_index()
    own = shown.loc["a", "own", 300.0]
    assert own.loc["ratio", ["n", "mae"]].tolist() == [6, pytest.approx(35)]
    assert own.loc["frequency", "mae"] == pytest.approx(0.7) and own.loc["free_energy", "n"] == 4
    assert own.loc["ratio", "percent_unstable"] == pytest.approx(100 / 3)
    assert own.loc["ratio", "rank_correlation"] == pytest.approx(1)
    assert own.loc["ratio", "rank_correlation_of_harmonic_forces"] == pytest.approx(-1)
    common = shown.loc["b", "common", 300.0]
    assert common.loc["ratio", "mae"] == pytest.approx(40) and common.loc["frequency", "n"] == 0


def test_entries_that_a_potential_was_trained_on_are_told_apart() -> None:
    long = by_temperature(table(), ["a"])
    numbers = harmonicity_numbers(long, ["a"], REPORT, {"a": pd.Index(["e0", "e1", "e2", "e3"])})
    shown = numbers[(numbers["temperature_K"] == 300) & (numbers["quantity"] == "ratio")].set_index("subset")
    assert shown.index.tolist() == ["unseen", "common", "own"]
    assert shown["n"].tolist() == [2, 6, 6] and shown.loc["unseen", "mae"] == pytest.approx(55)


def test_rank_correlation_has_an_interval_and_none_of_few() -> None:
    rng = np.random.default_rng(3)
    one = rng.normal(size=40)
    known, low, high = rank_correlation(pd.DataFrame({"x": one, "y": one + rng.normal(size=40)}), REPORT)
    assert -1 < low < known < high < 1 and high - low > 0.1
    assert np.isnan(rank_correlation(pd.DataFrame({"x": [1, 2], "y": [1, 2]}), REPORT)).all()
    assert rank_correlation(pd.DataFrame({"x": [1, 2, 3], "y": [3, 2, 1]}), REPORT)[0] == -1
