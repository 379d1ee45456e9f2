import pandas as pd
import pytest

from softmode.compare.groups import PER_ATOM, grouped_errors, groups
from softmode.compare.mean_errors import THERMODYNAMICS
from tests.compare.campaign import FEW, REPORT, properties


@pytest.fixture
def data() -> pd.DataFrame:
    """Entries a and b are cubic NaCl of two atoms, the others a hexagonal compound of Na with forty."""
    data = properties()
    cubic = data["entry"].isin(["a", "b"])
    data["elements"] = cubic.map({True: "Cl Na", False: "Na Te"})
    data["crystal_system"] = cubic.map({True: "cubic", False: "hexagonal"})
    data["n_primitive"] = cubic.map({True: 2, False: 40}).where(data["status"] == "done")
    data["reported_entropy_J_per_K_mol_atoms"] = data["reported_entropy_J_per_K_mol"] / data["n_primitive"]
    return data


def test_entry_is_in_the_group_of_each_of_its_elements(data: pd.DataFrame) -> None:
    members = groups(data, "scripts")
    elements = members[members["grouping"] == "elements"].groupby("group")["entry"].apply(list).to_dict()
    assert elements == {"Cl": ["a", "b"], "Na": ["a", "b", "c", "d", "e"], "Te": ["c", "d", "e"]}
    sizes = members[members["grouping"] == "atoms"].groupby("group")["entry"].apply(list).to_dict()
    assert sizes == {"1–4": ["a", "b"], "33 and more": ["c", "d", "e"]}
    stability = members[members["grouping"] == "stability"].groupby("group")["entry"].apply(list).to_dict()
    assert stability == {"stable": ["a", "b", "d", "e"], "unstable": ["c"]}


def test_errors_of_a_group_are_those_of_its_entries_and_say_how_many_failed(data: pd.DataFrame) -> None:
    members = groups(data, "scripts")
    table = grouped_errors(data, members, ["good", "bad"], FEW, [THERMODYNAMICS[1], PER_ATOM[0]])
    table = table.set_index(["grouping", "group", "potential", "quantity"])
    # bad is off by 1, 2, 3 on a, b, c and fails on d and e
    row = table.loc[("elements", "Te", "bad", "entropy")]
    assert (row["n_entries"], row["n"], row["mae"]) == (3, 1, pytest.approx(3.0))
    row = table.loc[("crystal_system", "cubic", "bad", "entropy")]
    assert (row["n"], row["mae"], row["mae_standard_error"]) == (2, pytest.approx(1.5), pytest.approx(0.5))
    assert table.loc[("atoms", "1–4", "bad", "entropy_per_atom"), "mae"] == pytest.approx(0.75)
    assert table.loc[("stability", "unstable", "good", "entropy"), "mae"] == pytest.approx(0.1)


def test_entry_without_reference_has_no_class_but_its_elements(data: pd.DataFrame) -> None:
    data.loc[(data["entry"] == "a") & (data["source"] == "reference"), "status"] = "failed"
    members = groups(data, "scripts")
    assert set(members.loc[members["entry"] == "a", "grouping"]) == {"elements", "crystal_system"}


def test_mean_of_two_entries_has_no_standard_error(data: pd.DataFrame) -> None:
    table = grouped_errors(data, groups(data, "scripts"), ["bad"], REPORT, [THERMODYNAMICS[1]])
    assert table["mae"].notna().any() and table["mae_standard_error"].isna().all()
