import numpy as np
import pytest

from softmode.compare.cost import cost_table, pareto
from softmode.compare.mean_errors import THERMODYNAMICS
from tests.compare.campaign import properties


def test_cost_is_time_over_atoms_of_common_entries() -> None:
    data = properties()
    data["n_sites"] = 8
    data["n_displacements"], data["n_supercell"] = 2, 50
    data["relax_seconds"] = data["source"].map({"good": 4.0, "bad": 2.0})
    data["force_sets_seconds"] = data["source"].map({"good": 10.0, "bad": 1.0})
    # entries that not all survived must not count
    data.loc[data["entry"].isin(["d", "e"]), ["relax_seconds", "force_sets_seconds"]] = 1e6
    table = cost_table(data, THERMODYNAMICS[:1], ["good", "bad"], {"sources": {"good": {"device": "cuda"}}})
    good, bad = (row for _, row in table.iterrows())
    assert good["n"] == 3 and good["device"] == "cuda" and bad["device"] == "unknown"
    assert good["seconds_per_atom"] == pytest.approx(3 * 10.0 / (3 * 100))
    assert good["seconds_per_atom_total"] == pytest.approx(3 * 14.0 / 24)
    assert bad["mae"] == pytest.approx(2.0)
    # the one is faster, the other better
    assert good["pareto"] and bad["pareto"]


def test_pareto_is_who_is_not_beaten_in_both() -> None:
    costs, errors = np.array([1.0, 2.0, 2.0, 3.0, np.nan]), np.array([5.0, 1.0, 4.0, 1.0, 0.0])
    assert pareto(costs, errors).tolist() == [True, True, False, False, False]
    assert pareto(np.array([1.0, 1.0]), np.array([2.0, 2.0])).tolist() == [True, True]
