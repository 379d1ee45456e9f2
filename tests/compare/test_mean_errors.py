import numpy as np
import pandas as pd
import pytest

from softmode.compare.mean_errors import (
    RELAXATION,
    THERMODYNAMICS,
    comparable_energies,
    error_table,
    failure_table,
    signed_errors,
    survivors,
    with_numbers,
    yardstick_table,
)
from tests.compare.campaign import FEW, REPORT, properties, row

POTENTIALS = ["good", "bad"]


def test_common_subset_is_what_all_survived() -> None:
    assert list(survivors(properties(), POTENTIALS)) == ["a", "b", "c"]


def test_errors_are_counted_over_common_and_own_survivors() -> None:
    table = error_table(properties(), THERMODYNAMICS, POTENTIALS, REPORT).set_index(["potential", "subset", "quantity"])
    assert table.loc[("bad", "common", "entropy"), "mae"] == pytest.approx((1 + 2 + 3) / 3)
    assert table.loc[("good", "own", "entropy"), "mae"] == pytest.approx(0.1)
    assert table.loc[("good", "own", "entropy"), "n"] == 4
    assert table.loc[("good", "common", "entropy"), "n"] == 3


def test_volume_counts_where_only_later_stages_failed() -> None:
    table = error_table(properties(), RELAXATION, POTENTIALS, REPORT).set_index(["potential", "subset", "quantity"])
    assert table.loc[("bad", "own", "volume"), "n"] == 4
    assert table.loc[("bad", "own", "volume"), "mae"] == pytest.approx((1 + 2 + 3 + 4) / 4)


def test_quantity_that_the_reference_lacks_has_no_entries_and_no_number() -> None:
    table = error_table(properties(), RELAXATION, POTENTIALS, REPORT).set_index(["potential", "subset", "quantity"])
    assert table.loc[("good", "own", "energy"), "n"] == 0
    assert np.isnan(table.loc[("good", "own", "energy"), "mae"])


def test_errors_are_potential_minus_reference_in_the_reported_unit() -> None:
    data = properties()
    data["energy_eV_per_atom"] = data["volume_A3_per_atom"]
    errors = signed_errors(data, RELAXATION[0], POTENTIALS)
    assert errors.loc["b", "bad"] == pytest.approx(2000.0)  # meV
    assert np.isnan(errors.loc["e", "good"])


def test_failures_are_counted_by_where_they_happened() -> None:
    table = failure_table(properties(), POTENTIALS).set_index("potential")
    assert table.loc["good"].tolist() == [5, 1, 0, 0]
    assert table.loc["bad"].tolist() == [5, 1, 1, 0]


def test_yardstick_is_judged_but_takes_no_entry_from_the_common_subset() -> None:
    data = properties()
    yardstick = data[data["source"] == "bad"].assign(source="yardstick")
    yardstick.loc[yardstick["entry"] == "a", ["status", "omega_max_K"]] = ["failed", None]
    data = pd.concat([data, yardstick])
    names = ["good", "bad", "yardstick"]
    assert list(survivors(data, names)) == ["a", "b", "c"]
    table = error_table(data, THERMODYNAMICS[:1], names, REPORT).set_index(["potential", "subset"])
    assert table.loc[("yardstick", "common"), "n"] == 2
    assert table.loc[("good", "common"), "n"] == 3


def test_errors_are_those_that_pandas_gives_by_hand() -> None:
    data = properties()
    done = data[(data["status"] == "done") & data["source"].isin(["reference", *POTENTIALS])]
    entries = done.groupby("entry")["source"].nunique()
    common = entries[entries == 3].index
    table = error_table(data, THERMODYNAMICS, POTENTIALS, REPORT).set_index(["potential", "subset", "quantity"])
    for quantity in THERMODYNAMICS:
        wide = done.pivot(index="entry", columns="source", values=quantity.column).astype(float)
        for name in POTENTIALS:
            absolute = (wide[name] - wide["reference"]).abs().dropna()
            assert table.loc[(name, "own", quantity.key), "mae"] == pytest.approx(absolute.mean())
            assert table.loc[(name, "own", quantity.key), "n"] == len(absolute)
            assert table.loc[(name, "common", quantity.key), "mae"] == pytest.approx(absolute[common].mean())


def test_energies_of_another_functional_are_no_errors() -> None:
    data = properties()
    data["energy_eV_per_atom"] = data["volume_A3_per_atom"]
    data.loc[data["entry"] == "a", "functional"] = "PBEsol"
    data.loc[data["entry"] == "b", "functional"] = None
    functionals = {"good": "PBE", "yardstick": "PBEsol"}
    errors = signed_errors(comparable_energies(data, functionals), RELAXATION[0], POTENTIALS)
    # a is of PBEsol, b names none, c and d are of PBE; bad names none
    assert errors["good"].notna().to_dict() == {"a": False, "b": True, "c": True, "d": True, "e": False}
    assert errors["bad"].notna().to_dict() == {"a": True, "b": True, "c": True, "d": True, "e": False}
    kept = comparable_energies(data, functionals).drop(columns="energy_eV_per_atom")
    pd.testing.assert_frame_equal(kept, data.drop(columns="energy_eV_per_atom"))


def test_energies_stay_where_the_reference_has_none_to_compare_with() -> None:
    data = properties()
    data.loc[data["source"] == "good", "energy_eV_per_atom"] = -3.0
    data["functional"] = "PBEsol"
    same = comparable_energies(data, {"good": "PBE"})
    assert (same.loc[same["source"] == "good", "energy_eV_per_atom"] == -3.0).all()


def test_energy_is_shown_only_where_some_entry_has_an_error_of_it() -> None:
    data = properties()
    numbers = error_table(data, RELAXATION, POTENTIALS, REPORT)
    assert with_numbers(numbers, RELAXATION) == [RELAXATION[1]]
    data["energy_eV_per_atom"] = data["volume_A3_per_atom"]
    numbers = error_table(data, RELAXATION, POTENTIALS, REPORT)
    assert with_numbers(numbers, RELAXATION) == list(RELAXATION)


def test_error_beside_the_yardstick_is_that_of_the_entries_that_have_both() -> None:
    data = properties()
    yardstick = data[data["source"] == "good"].assign(source="yardstick")
    yardstick.loc[yardstick["entry"] == "a", ["status", "omega_max_K"]] = ["failed", None]
    names = [*POTENTIALS, "yardstick"]
    table = yardstick_table(pd.concat([data, yardstick]), THERMODYNAMICS[:1], names, FEW)
    assert set(table["potential"]) == set(POTENTIALS)
    rows = table.set_index(["potential", "subset"])
    # bad is off by 1, 2, 3 on a, b, c, and the yardstick by 0.1 on b, c, d
    assert rows.loc[("bad", "common"), "n"] == 2
    assert rows.loc[("bad", "common"), "difference"] == pytest.approx((1.9 + 2.9) / 2)
    assert rows.loc[("bad", "common"), ["difference_low", "difference_high"]].tolist() == pytest.approx([1.9, 2.9])
    assert rows.loc[("good", "own"), ["n", "difference"]].tolist() == pytest.approx([3, 0.0], abs=1e-12)
    few = yardstick_table(pd.concat([data, yardstick]), THERMODYNAMICS[:1], names, REPORT)
    assert few["difference"].notna().all() and few["difference_low"].isna().all()
    assert yardstick_table(data, THERMODYNAMICS, POTENTIALS, FEW).empty


def test_interval_beside_the_yardstick_is_of_pairs() -> None:
    """Errors differ by up to 100 between entries; the potential's is larger by 1 in each."""
    rows = [row(f"mp-{i}", "reference", 0.0, True) for i in range(12)]
    rows += [row(f"mp-{i}", "one", 9.0 * i + 1.0, True) for i in range(12)]
    rows += [row(f"mp-{i}", "yardstick", -9.0 * i, True) for i in range(12)]
    found = yardstick_table(pd.DataFrame(rows), THERMODYNAMICS[:1], ["one", "yardstick"], REPORT).iloc[0]
    assert found[["difference", "difference_low", "difference_high"]].tolist() == pytest.approx([1.0, 1.0, 1.0])


# Heat capacities at 300 K of the Kyoto database and of ORB d3-xs-v2, in J/K/mol, and whether ORB calls it stable.
ORB = {"AgCl": (48.64, 36.15, False), "KCl": (48.58, 39.18, False), "BeSe": (39.33, 44.77, True)}


def test_heat_capacity_of_a_crystal_that_the_potential_calls_unstable_is_not_in_the_first_block() -> None:
    """It lacks what the imaginary modes would have, as ORB's of silver chloride,."""
    rows = [row(entry, "reference", reference, stable=True) for entry, (reference, _, _) in ORB.items()]
    rows += [row(entry, "orb", found, stable) for entry, (_, found, stable) in ORB.items()]
    # an entry that is unstable in the reference alone, and one that the potential fails
    rows += [row("CaO2", "reference", 54.32, stable=False), row("CaO2", "orb", 44.42, stable=True)]
    rows += [row("NaF", "reference", 47.0, stable=True), row("NaF", "orb", 47.0, stable=True, failed="force_sets")]
    table = error_table(pd.DataFrame(rows), THERMODYNAMICS, ["orb"], REPORT, of_stable=True)
    assert list(table["subset"].unique()) == ["stable", "common", "own"]
    heat = table[table["quantity"] == "heat_capacity"].set_index("subset")
    assert heat.loc["stable", "mae"] == pytest.approx(44.77 - 39.33)
    assert heat.loc["stable", ["n", "percent_of_survivors"]].tolist() == [1, 25.0]
    assert heat.loc["own", "mae"] == pytest.approx((12.49 + 9.40 + 5.44 + 9.90) / 4)
    assert heat.loc["own", ["n", "percent_of_survivors"]].tolist() == [4, 100.0]


def test_potential_that_finds_nothing_stable_has_a_block_without_numbers() -> None:
    table = error_table(properties(), THERMODYNAMICS, POTENTIALS, REPORT, of_stable=True)
    bad = table[(table["potential"] == "bad") & (table["subset"] == "stable")]
    assert bad["n"].tolist() == [0] * 4 and bad["mae"].isna().all() and (bad["percent_of_survivors"] == 0).all()
