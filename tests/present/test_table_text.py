import html
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from softmode.errors import InputError
from softmode.present.table_text import Table, three_digits, written_tables
from softmode.present.tables import make_tables
from tests.compare.campaign import LABELS, METADATA, REPORT, properties


@pytest.fixture
def tables() -> list:
    return make_tables(properties(), LABELS, REPORT, METADATA)


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
    [
        (0.0, "0"),
        (0.0123456, "0.0123"),
        (0.09999999, "0.100"),
        (1.2345, "1.23"),
        (123.45, "123"),
        (98765.4, "98765"),
        (6.04e-14, "6.04e-14"),
    ],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert three_digits(value) == text


def test_table_that_was_written_is_read_as_it_was(tables: list, tmp_path: Path) -> None:
    odd = Table(
        "odd", "Odd | even", ["a|b", "text"], [["|", r"\| and \\"], ["", "–"]], "Two.\n\nLines.", tables[0].numbers
    )
    for table in (*tables, odd, Table("empty", "Nothing", ["a", "b"], [], "", tables[0].numbers)):
        table.write(tmp_path)
        read = Table.read(tmp_path, table.name)
        assert (read.title, read.caption) == (table.title, table.caption)
        assert [list(read.header), *map(list, read.rows)] == [list(table.header), *map(list, table.rows)]
        pd.testing.assert_frame_equal(read.numbers, table.numbers.reset_index(drop=True), check_dtype=False)


def test_tables_of_a_folder_come_numbered_ones_first_and_failures_last(tables: list, tmp_path: Path) -> None:
    for name in ("failures", "groups", "table10_more", "cost", "table2_thermodynamics"):
        (tmp_path / f"{name}.md").write_text("", encoding="utf-8")
    assert written_tables(tmp_path) == ["table2_thermodynamics", "table10_more", "cost", "groups", "failures"]


def test_file_that_is_no_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"notes\.md: no such file"):
        Table.read(tmp_path, "notes")
    (tmp_path / "notes.md").write_text("remember the milk\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"notes\.md: no table of softmode"):
        Table.read(tmp_path, "notes")
