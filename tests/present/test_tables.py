import html
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from softmode.present.tables import make_tables, three_digits
from tests.compare.campaign import LABELS, METADATA, REPORT, properties


@pytest.fixture
def tables() -> list:
    return make_tables(properties(), LABELS, REPORT, METADATA)


def test_tables_say_n_interval_protocol_and_data_set(tables: list) -> None:
    for table in tables:
        text = table.to_markdown()
        assert "loew2024 (0123456789ab)" in text and "fedcba987654" in text
        assert "Reference: PBE, 5 entries" in text and "the 3 entries that every potential survived" in text
    assert tables[1].rows[0][:4] == ["Good", "common", "3", "0.100 [0.100, 0.100]"]


def test_failures_show_in_the_relaxation_table(tables: list) -> None:
    assert "| Bad_1     | 20.00" in tables[0].to_markdown()


def test_quantity_without_numbers_is_a_dash_not_a_zero(tables: list) -> None:
    cells = [row[4] for row in tables[0].rows]
    assert cells == ["–"] * 4


def test_stability_table_has_failed_as_third_outcome(tables: list) -> None:
    good = tables[2].rows[0]
    assert good == ["Good", "4", "75.0", "0.0", "25.0", "1", "0.0", "100.0", "0.0"]


def test_written_numbers_are_those_of_the_table(tables: list, tmp_path: Path) -> None:
    csv, markdown, latex, page = tables[1].write(tmp_path)
    numbers = pd.read_csv(csv)
    row = numbers[(numbers.potential == "bad") & (numbers.subset == "common") & (numbers.quantity == "entropy")].iloc[0]
    assert row["mae"] == pytest.approx(2.0) and row["n"] == 3
    assert markdown.read_text(encoding="utf-8") == tables[1].to_markdown()
    assert latex.read_text(encoding="utf-8") == tables[1].to_latex()
    cells = re.findall("<td>(.*?)</td>", page.read_text(encoding="utf-8"))
    assert [html.unescape(cell) for cell in cells] == [cell for row in tables[1].rows for cell in row]


def test_page_escapes_what_a_browser_would_take_for_markup(tables: list) -> None:
    page = replace(tables[0], rows=[["<b>", "a & b", "", "", "", ""]]).to_html()
    assert "<td>&lt;b&gt;</td><td>a &amp; b</td>" in page


def test_latex_escapes_what_latex_would_misread(tables: list) -> None:
    latex = tables[0].to_latex() + tables[1].to_latex()
    assert r"Bad\_1" in latex and r"failed (\%)" in latex and r"$\omega_\mathrm{max}$ (K)" in latex
    assert "Å" not in latex and "–" not in latex
    assert latex.count(r"\begin{tabular}") == 2


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.0123456, "0.0123"), (0.09999999, "0.100"), (1.2345, "1.23"), (123.45, "123"), (98765.4, "98765")],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert three_digits(value) == text
