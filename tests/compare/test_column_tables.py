from softmode.compare.column_tables import DOCUMENT, document


def test_document_has_the_columns_of_all_tables_as_they_are_declared():
    assert document() == DOCUMENT.read_text(encoding="utf-8"), "run: python -m softmode.compare.column_tables"


def test_a_column_is_named_with_its_type_unit_and_meaning():
    assert "| `omega_max_K` | number | K | highest frequency at the commensurate q points |" in document()
