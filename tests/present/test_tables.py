from pathlib import Path

import pandas as pd
import pytest

from softmode.compare.training import SEEN
from softmode.present import tables as tables_of
from softmode.present.tables import relaxation_table, stability_table, subsets, thermodynamics_table
from softmode.yaml_files import read_yaml
from tests.compare.campaign import LABELS, REPORT, made_up, properties
from tests.present.paper_tables import paper_tables


@pytest.fixture
def tables() -> list:
    return paper_tables()


def test_tables_say_n_interval_protocol_and_data_set(tables: list) -> None:
    for table in tables:
        text = table.to_markdown()
        assert "loew2024 (0123456789ab)" in text and "fedcba987654" in text
        assert "Reference: PBE, 5 entries" in text and "the 3 entries that every potential completed" in text
    assert tables[1].rows[2][:4] == ["Good", "common", "3", "0.100"]  # too few for an interval


def test_failures_show_in_the_relaxation_table(tables: list) -> None:
    assert "| Bad_1     | 20.00" in tables[0].to_markdown()


def test_minima_on_creases_are_counted_below_the_relaxation_table(tables: list) -> None:
    assert "crease" not in tables[0].caption
    data = properties().assign(relax_crease_eV_per_A=None)
    data.loc[(data["source"] == "good") & data["entry"].isin(["a", "b"]), "relax_crease_eV_per_A"] = 0.03
    table = relaxation_table(data, LABELS, REPORT, "")
    assert (
        "on a crease of the potential's energy" in table.caption
        and "displacement distance: Good 2 of 5." in table.caption
    )
    assert set(table.numbers.loc[table.numbers["potential"] == "good", "on_crease"]) == {2}


def test_energy_is_a_column_only_where_the_reference_states_energies(tables: list) -> None:
    assert tables[0].header == ["potential", "failed (%)", "subset", "n", "V (Å³/atom)"]
    assert "E:" not in tables[0].caption and "energy" not in tables[0].title
    data = properties()
    data["energy_eV_per_atom"] = data["volume_A3_per_atom"]
    table = relaxation_table(data, LABELS, REPORT, "")
    assert table.header[4:] == ["E (meV/atom)", "V (Å³/atom)"] and table.rows[0][4:] == ["100", "0.100"]
    assert "No zero is aligned" in table.caption


def test_quantity_without_numbers_is_a_dash_not_a_zero() -> None:
    data = properties().assign(volume_A3_per_atom=None)
    assert [row[4] for row in relaxation_table(data, LABELS, REPORT, "").rows] == ["–"] * 4


def test_each_potential_stands_beside_the_second_functional_with_n_and_interval() -> None:
    properties, _ = made_up(["one", "two", "yardstick"], n_failed=1)
    labels = {"one": "One", "two": "Two", "yardstick": "PBEsol"}
    table = thermodynamics_table(properties, labels, REPORT, "Caption.")
    assert [row[:2] for row in table.rows[-2:]] == [["One − PBEsol", "common"], ["Two − PBEsol", "common"]]
    assert "Potential − PBEsol: by how much" in table.caption
    wide = properties.pivot(index="entry", columns="source", values="omega_max_K").astype(float).dropna()
    errors = wide.sub(wide["reference"], axis=0).abs()
    n, cell = table.rows[-2][2:4]
    by_hand = (errors["one"] - errors["yardstick"]).mean()
    assert n == "11" == str(len(errors))
    value, low, high = map(float, cell.replace("[", "").replace("]", "").replace(",", "").split())
    assert low < value < high and value == pytest.approx(by_hand, rel=0.01)
    numbers = table.numbers.set_index(["potential", "subset", "quantity"])
    assert numbers.loc[("one", "common", "omega_max"), "mae_minus_yardstick"] == pytest.approx(by_hand)
    assert numbers.loc[("one", "common", "omega_max"), "n_with_yardstick"] == 11
    assert pd.isna(numbers.loc[("yardstick", "common", "omega_max"), "mae_minus_yardstick"])
    alone = thermodynamics_table(properties, {"one": "One", "two": "Two"}, REPORT, "Caption.")
    assert len(alone.rows) == 6 and "−" not in alone.rows[-1][0] and "Potential −" not in alone.caption
    relaxation = relaxation_table(properties, labels, REPORT, "")
    assert [row[:4] for row in relaxation.rows[-2:]] == [
        ["One − PBEsol", "–", "common", "11"],
        ["Two − PBEsol", "–", "common", "11"],
    ]


def test_first_block_of_thermodynamics_has_what_is_stable_in_both_with_its_share(tables: list) -> None:
    # good survives four, of which the reference calls one unstable; bad calls none stable
    assert [row[:3] for row in tables[1].rows[:2]] == [["Good", "stable", "3 (75 %)"], ["Bad_1", "stable", "0"]]
    assert tables[1].rows[1][3:] == ["–"] * 4
    assert "no thermodynamics of a crystal" in tables[1].caption and "'scripts'" in tables[1].caption


def test_stability_table_has_a_row_for_each_variant_and_marks_the_reported_one() -> None:
    data = properties()
    data.loc[(data["source"] == "good") & (data["entry"] == "a"), "stable_paper"] = False
    table = tables_of.stability_table(data, LABELS, REPORT, "")
    assert [row[:2] for row in table.rows] == [
        ["Good", "scripts (reported)"], ["Good", "paper"], ["Bad_1", "scripts (reported)"], ["Bad_1", "paper"]
    ]  # fmt: skip
    assert [row[3:5] for row in table.rows[:2]] == [["75.0", "0.0"], ["50.0", "25.0"]]
    numbers = table.numbers.set_index(["variant", "potential", "reference"])
    assert numbers.loc[("paper", "good", "stable"), "n_unstable"] == 1
    assert numbers.loc["scripts", "reported"].all() and not numbers.loc["paper", "reported"].any()


def test_every_column_of_verdicts_is_explained_below_its_table(tables: list) -> None:
    shown = [title.removesuffix(" (%)") for title in tables[2].header if title.startswith(("T", "F"))]
    assert shown == [*tables_of.VERDICT_WORDS]
    assert all(f"{title}: {tables_of.VERDICT_WORDS[title]}" in tables[2].caption for title in shown)


def test_thresholds_are_told_with_when_they_are_judged(project: Path) -> None:
    stability = read_yaml(project / "config" / "protocols.yaml")["loew2024"]["phonons"]["stability"]
    assert (
        "scripts −35 / 0 K; paper −50 / 0 K, before the sum rule is imposed; one_kelvin −35 / −1 K."
        in tables_of.thresholds_in_words(stability)
    )


def test_stability_table_has_failed_as_third_outcome(tables: list) -> None:
    good = tables[2].rows[0]
    assert good == ["Good", "scripts (reported)", "4", "75.0", "0.0", "25.0", "1", "0.0", "100.0", "0.0"]


def test_stability_of_what_no_potential_was_trained_on_has_rows_of_its_own() -> None:
    data = properties()
    data[SEEN] = (data["source"] == "good") & data["entry"].isin(["a", "b"])
    table = stability_table(data, LABELS, REPORT, "")
    assert [row[1] for row in table.rows[:3]] == ["scripts (reported), unseen", "scripts (reported)", "paper"]
    assert [row[2] for row in table.rows[:2]] == ["2", "4"]
    assert {row[1] for row in stability_table(properties(), LABELS, REPORT, "").rows} == {"scripts (reported)", "paper"}


def test_table_of_errors_begins_with_what_no_potential_was_trained_on() -> None:
    data = properties()
    data[SEEN] = (data["source"] == "good") & (data["entry"] == "a")
    rows = relaxation_table(data, LABELS, REPORT, subsets(data, LABELS, REPORT)).rows
    assert [(row[2], row[3]) for row in rows[:3]] == [("unseen", "2"), ("common", "3"), ("own", "4")]
    assert "unseen: the 2 of common that no potential was trained on" in subsets(data, LABELS, REPORT)
