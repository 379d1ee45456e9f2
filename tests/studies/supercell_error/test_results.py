import numpy as np
import pandas as pd
import pytest

from softmode.studies.supercell_error.results import QUANTITIES, error_numbers

REPORT = {"bootstrap_resamples": 200, "bootstrap_seed": 1, "interval_smallest_n": 3}


def row(entry: str, source: str, error: float, **verdicts: bool) -> dict[str, object]:
    stable = {"stable_protocol": True, "stable_interpolated": True, "stable_exact": True} | verdicts
    columns = {quantity.column: error for quantity in QUANTITIES}
    return {"entry": entry, "source": source, "status": "done"} | columns | stable


def test_errors_are_means_over_all_entries_of_a_potential_and_over_those_that_all_have() -> None:
    rows = [row("a", "x", 0.1), row("b", "x", -0.3), row("c", "x", 0.2), row("a", "y", 0.4), row("b", "y", 0.0)]
    rows[1]["entropy_error_J_per_K_mol_atoms"] = np.nan  # unstable in one of both
    table = pd.DataFrame([*rows, {"entry": "c", "source": "y", "status": "failed"}])
    numbers = error_numbers(table, ["x", "y", "nothing"], REPORT).set_index(["potential", "subset", "quantity"])
    own = numbers.loc["x", "own", "largest"]
    assert (own["n"], own["mae"], own["median"]) == (3, pytest.approx(0.2), pytest.approx(0.2))
    assert own["mae_low"] < own["mae"] < own["mae_high"]
    assert numbers.loc["x", "own", "entropy"]["n"] == 2
    assert numbers.loc["y", "own", "largest"]["mae"] == pytest.approx(0.2)
    # a potential that completed nothing leaves nothing in common
    assert set(numbers.xs("common", level="subset")["n"]) == {0}
    both = error_numbers(table, ["x", "y"], REPORT).set_index(["potential", "subset", "quantity"])
    assert both.loc["x", "common", "largest"]["n"] == 2
    assert both.loc["x", "common", "largest"]["mae"] == pytest.approx(0.2)
    assert both.loc["y", "common", "largest"]["percentile_95"] == pytest.approx(0.38)


def test_verdicts_that_the_supercell_has_wrong_are_counted() -> None:
    table = pd.DataFrame(
        [
            row("a", "x", 0.1),
            row("b", "x", 0.1, stable_interpolated=False),
            row("c", "x", 0.1, stable_exact=False, stable_interpolated=False),
            row("d", "x", 0.1, stable_protocol=False, stable_exact=False, stable_interpolated=False),
        ]
    )
    found = error_numbers(table, ["x"], REPORT).iloc[0]
    assert (found["n_entries"], found["missed"], found["false_alarms"]) == (4, 1, 1)
