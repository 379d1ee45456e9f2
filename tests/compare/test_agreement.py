import numpy as np
import pandas as pd
import pytest

from softmode.compare.agreement import COMPARED, difference_table, spread_table, stability_table
from tests.compare.campaign import REPORT, row


def campaign(values: dict[str, list[float | None]], stable: dict[str, list[bool]] | None = None) -> pd.DataFrame:
    """Properties of potentials alone; each quantity is the entry's value, and None is a failed relaxation."""
    rows = []
    for name, of_entries in values.items():
        for number, value in enumerate(of_entries):
            is_stable = stable[name][number] if stable else True
            made = row(f"e{number}", name, value or 0.0, is_stable, failed="relax" if value is None else None)
            rows.append(made | {quantity.column: value for quantity in COMPARED})
    return pd.DataFrame(rows)


def test_differences_are_those_of_the_entries_that_both_have() -> None:
    table = difference_table(campaign({"a": [1.0, 2.0, 4.0, 5.0], "b": [2.0, 1.0, 7.0, None]}), ["a", "b"], REPORT)
    assert list(table["quantity"]) == [quantity.key for quantity in COMPARED]
    for pair in table.to_dict("records"):
        assert (pair["one"], pair["other"], pair["n"]) == ("a", "b", 3)
        assert pair["mean_difference"] == pytest.approx((-1.0 + 1.0 - 3.0) / 3)
        assert pair["mean_absolute_difference"] == pytest.approx(5.0 / 3)
        # ranks 1 2 3 against 2 1 3
        assert pair["rank_correlation"] == pytest.approx(0.5)


def test_few_entries_have_neither_interval_nor_ranks() -> None:
    nine, ten = ({"a": list(np.arange(1.0, n)), "b": list(np.arange(1.0, n) ** 2)} for n in (10, 11))
    few = difference_table(campaign(nine), ["a", "b"], REPORT)
    assert few["mean_absolute_difference_low"].isna().all() and (few["rank_correlation"] == 1.0).all()
    enough = difference_table(campaign(ten), ["a", "b"], REPORT)
    low, mean, high = (enough[f"mean_absolute_difference{end}"] for end in ("_low", "", "_high"))
    assert ((low < mean) & (mean < high)).all()
    two = difference_table(campaign({"a": [1.0, 2.0], "b": [2.0, 1.0]}), ["a", "b"], REPORT)
    assert two["rank_correlation"].isna().all()


def test_nothing_in_common_is_no_number_and_no_error() -> None:
    table = difference_table(campaign({"a": [1.0, None], "b": [None, 1.0]}), ["a", "b"], REPORT)
    assert (table["n"] == 0).all() and table["mean_difference"].isna().all()
    assert spread_table(campaign({"a": [1.0, None], "b": [None, 1.0]}), ["a", "b"], REPORT).empty


def test_stability_counts_the_entries_that_both_brought_to_the_end() -> None:
    stable = {"a": [True, True, False, False, True], "b": [True, False, False, True, True]}
    values: dict[str, list[float | None]] = {"a": [1.0] * 5, "b": [1.0, 1.0, 1.0, 1.0, None]}
    (pair,) = stability_table(campaign(values, stable), ["a", "b"], "scripts").to_dict("records")
    assert pair == {
        "one": "a", "other": "b", "n": 4, "both_stable": 1, "both_unstable": 1, "only_one_stable": 1,
        "only_other_stable": 1, "agreement_percent": 50.0,
    }  # fmt: skip


def test_entries_of_the_largest_spread_come_first() -> None:
    values = {"a": [10.0, 10.0, 10.0], "b": [11.0, 14.0, 10.0], "c": [9.0, 10.0, None]}
    table = spread_table(campaign(values), ["a", "b", "c"], REPORT)
    assert list(dict.fromkeys(table["entry"])) == ["e1", "e0", "e2"]
    first = table.iloc[0]
    assert (first["n"], first["lowest"], first["highest"], first["highest_of"]) == (3, 10.0, 14.0, "b")
    mean = (10.0 + 14.0 + 10.0) / 3
    assert first["range"] == 4.0 and first["disagreement_percent"] == pytest.approx(100 * 4.0 / mean)
    assert set(table[table["entry"] == "e2"]["n"]) == {2}


def test_free_energy_at_zero_decides_nothing() -> None:
    properties = campaign({"a": [10.0], "b": [11.0]})
    properties["reported_free_energy_kJ_per_mol_atoms"] = [-1e-9, 1e-9]
    table = spread_table(properties, ["a", "b"], REPORT)
    assert table["disagreement_percent"].iloc[0] == pytest.approx(100 / 10.5)


def test_thermodynamics_are_compared_where_both_call_the_entry_stable() -> None:
    values: dict[str, list[float | None]] = {"a": [1.0, 2.0, 4.0], "b": [2.0, 1.0, 9.0]}
    properties = campaign(values, {"a": [True, True, True], "b": [True, True, False]})
    table = difference_table(properties, ["a", "b"], REPORT).set_index("quantity")
    assert table.loc[["volume", "omega_max"], "n"].tolist() == [3, 3]
    assert table.loc[["entropy_per_atom", "heat_capacity_per_atom"], "n"].tolist() == [2, 2]
    spread = spread_table(properties, ["a", "b"], REPORT)
    assert set(spread[spread["entry"] == "e2"]["quantity"]) == {"volume", "omega_max"}
