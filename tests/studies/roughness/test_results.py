import pandas as pd
import pytest

from softmode.studies.roughness.results import changes, roughness_numbers

REPORT = {"bootstrap_resamples": 100, "bootstrap_seed": 1, "interval_smallest_n": 10}


def table() -> pd.DataFrame:
    """Two entries: of the second, `b` has none, and `a` a verdict that depends on the displacements."""
    same = {"status": "done", "displacement_distances_A": [0.01, 0.1, 0.0]}
    lists = {
        "scanned_entropy_J_per_K_mol_atoms": [10.0, 11.0, 12.0],
        "scanned_free_energy_kJ_per_mol_atoms": [1.0, 1.0, 1.0],
        "scanned_heat_capacity_J_per_K_mol_atoms": [20.0, 20.0, 20.0],
    }
    rows = [
        ("one", "a", [0.001, 0.2, 0.0], [301.0, 280.0, 300.0], [True, True, True]),
        ("two", "a", [0.101, 0.2, 0.0], [203.0, 200.0, 200.0], [False, True, True]),
        ("one", "b", [0.002, 0.2, 0.0], [99.0, 100.0, 100.0], [True, True, True]),
    ]
    names = ["entry", "source", "force_constants_change", "scanned_omega_max_K", "scanned_stable"]
    done = [same | lists | dict(zip(names, row, strict=True)) for row in rows]
    return pd.DataFrame([*done, {"entry": "two", "source": "b", "status": "failed"}])


def test_changes_are_those_from_the_exact_derivatives_of_the_same_entry_and_source() -> None:
    changed = changes(table()).set_index(["entry", "source", "displacement_distance_A"])
    assert changed.loc[("one", "a", 0.1), "scanned_omega_max_K"] == 20
    assert changed.loc[("two", "a", 0.01), ["scanned_omega_max_K", "scanned_stable"]].tolist() == [3, 1]
    assert changed.loc[("one", "b", 0.01), "scanned_omega_max_K"] == 1
    assert len(changed) == 6


def test_numbers_are_of_the_entries_of_all_and_of_those_of_each() -> None:
    numbers = roughness_numbers(changes(table()), ["a", "b"], REPORT)
    numbers = numbers.set_index(["potential", "subset", "displacement_distance_A", "quantity"]).sort_index()
    own, common = numbers.loc[("a", "own", 0.01)], numbers.loc[("a", "common", 0.01)]
    assert own.loc["omega_max", ["n", "mae"]].tolist() == [2, 2.0]
    assert common.loc["omega_max", ["n", "mae"]].tolist() == [1, 1.0]
    assert own.loc["verdicts", "mae"] == 50 and common.loc["verdicts", "mae"] == 0
    assert own.loc["omega_max", "median_change"] == pytest.approx(0.051)
    assert own.loc["omega_max", "share_rough"] == 0.5
