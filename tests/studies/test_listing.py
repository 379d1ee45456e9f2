"""What is declared once is what people read."""

from pathlib import Path

from softmode.studies.listing import DOCUMENT, with_lists


def test_list_of_tables_and_figures_is_that_of_the_declarations(project: Path) -> None:
    text = (project / DOCUMENT).read_text(encoding="utf-8")
    assert text == with_lists(text), "stale: python -m softmode.studies.listing, in the project's folder, makes it anew"
