import pytest

from tests.present.paper_tables import paper_tables


@pytest.fixture
def tables() -> list:
    return paper_tables()


def test_tables_say_n_interval_protocol_and_data_set(tables: list) -> None:
    for table in tables:
        text = table.to_markdown()
        assert "loew2024 (0123456789ab)" in text and "fedcba987654" in text
        assert "Reference: PBE, 5 entries" in text and "the 3 entries that every potential survived" in text
    assert tables[1].rows[0][:4] == ["Good", "common", "3", "0.100"]  # too few for an interval


def test_failures_show_in_the_relaxation_table(tables: list) -> None:
    assert "| Bad_1     | 20.00" in tables[0].to_markdown()


def test_quantity_without_numbers_is_a_dash_not_a_zero(tables: list) -> None:
    cells = [row[4] for row in tables[0].rows]
    assert cells == ["–"] * 4


def test_stability_table_has_failed_as_third_outcome(tables: list) -> None:
    good = tables[2].rows[0]
    assert good == ["Good", "4", "75.0", "0.0", "25.0", "1", "0.0", "100.0", "0.0"]
