import pytest

from softmode.present.published import with_published
from softmode.present.table_text import Table
from softmode.present.tables import thermodynamics_table
from tests.compare.campaign import LABELS, REPORT, made_up, properties
from tests.present.paper_tables import paper_tables

NUMBERS = {
    "failed_percent": 0.09, "energy": 334.0, "volume": 0.518, "omega_max": 89.0, "entropy": 114.0,
    "free_energy": 45.0, "heat_capacity": 21.0, "true_stable": 77.0, "false_unstable": 23.0, "true_unstable": 73.0,
    "false_stable": 27.0,
}  # fmt: skip
PUBLISHED = {"bad": {"model": "CHGNet", "difference": "other weights", "numbers": NUMBERS}}


@pytest.fixture
def tables() -> list[Table]:
    return [with_published(table, properties(), LABELS, PUBLISHED, "softmode") for table in paper_tables()]


def test_published_errors_stand_beside_ours_for_own_survivors_only(tables: list[Table]) -> None:
    rows = [dict(zip(enumerate(tables[1].header), row, strict=True)) for row in tables[1].rows]
    beside = [[text for (_, title), text in row.items() if title == "paper"] for row in rows]
    assert tables[1].rows[-1][:2] == ["Bad_1", "own"]
    assert beside == [["–"] * 4] * 5 + [["89", "114", "45", "21"]]
    assert tables[1].header[3:5] == ["ω_max (K)", "paper"]


def test_difference_to_the_second_functional_has_no_published_number() -> None:
    made, _ = made_up(["bad", "yardstick"])
    labels = {"bad": "Bad", "yardstick": "PBEsol"}
    table = with_published(thermodynamics_table(made, labels, REPORT, ""), made, labels, PUBLISHED, "softmode")
    difference = dict(zip(enumerate(table.header), table.rows[-1], strict=True))
    assert table.rows[-1][0] == "Bad − PBEsol"
    assert [text for (_, title), text in difference.items() if title == "paper"] == ["–"] * 4


def test_published_stability_is_in_the_right_class(tables: list[Table]) -> None:
    everything = tables[2].numbers
    numbers = everything[everything["reported"]].set_index(["potential", "reference"])
    assert everything.loc[~everything["reported"], "published_percent_stable"].isna().all()
    columns = ["published_percent_stable", "published_percent_unstable"]
    assert numbers.loc[("bad", "stable"), columns].tolist() == [77.0, 23.0]
    assert numbers.loc[("bad", "unstable"), columns].tolist() == [27.0, 73.0]
    assert numbers.loc[("good", "stable"), columns].isna().all()
    header, bad = tables[2].header, tables[2].rows[2]
    assert bad[:2] == ["Bad_1", "scripts (reported)"]
    shown = {header[i - 1]: bad[i] for i, title in enumerate(header) if title == "paper"}
    assert shown == {"TS (%)": "77", "FU (%)": "23", "TU (%)": "73", "FS (%)": "27"}


def test_caption_says_what_differs(tables: list[Table]) -> None:
    for table in tables:
        assert "9,958 of the MDR database (8,189 stable), here 5" in table.caption
        assert "its protocol is loew2024, here softmode" in table.caption
        assert "Bad_1: other weights; not in the paper: Good." in table.caption


def test_campaign_without_published_potential_has_no_such_column() -> None:
    for plain in paper_tables():
        assert with_published(plain, properties(), LABELS, {}, "softmode") == plain
