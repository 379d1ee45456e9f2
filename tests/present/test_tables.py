from pathlib import Path

import pytest

from softmode.present import tables as tables_of
from softmode.yaml_files import read_yaml
from tests.compare.campaign import LABELS, REPORT, properties
from tests.present.paper_tables import paper_tables


@pytest.fixture
def tables() -> list:
    return paper_tables()


def test_tables_say_n_interval_protocol_and_data_set(tables: list) -> None:
    for table in tables:
        text = table.to_markdown()
        assert "loew2024 (0123456789ab)" in text and "fedcba987654" in text
        assert "Reference: PBE, 5 entries" in text and "the 3 entries that every potential survived" in text
    assert tables[1].rows[2][:4] == ["Good", "common", "3", "0.100 [0.100, 0.100]"]


def test_failures_show_in_the_relaxation_table(tables: list) -> None:
    assert "| Bad_1     | 20.00" in tables[0].to_markdown()


def test_quantity_without_numbers_is_a_dash_not_a_zero(tables: list) -> None:
    cells = [row[4] for row in tables[0].rows]
    assert cells == ["–"] * 4


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


def test_thresholds_are_told_with_when_they_are_judged(project: Path) -> None:
    stability = read_yaml(project / "config" / "protocols.yaml")["loew2024"]["phonons"]["stability"]
    assert (
        "scripts −35 / 0 K; paper −50 / 0 K, before the sum rule is imposed; one_kelvin −35 / −1 K."
        in tables_of.thresholds_in_words(stability)
    )


def test_stability_table_has_failed_as_third_outcome(tables: list) -> None:
    good = tables[2].rows[0]
    assert good == ["Good", "scripts (reported)", "4", "75.0", "0.0", "25.0", "1", "0.0", "100.0", "0.0"]
