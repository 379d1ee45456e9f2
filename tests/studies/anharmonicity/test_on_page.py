from softmode.studies.anharmonicity.on_page import orders
from tests.studies.anharmonicity.test_results import row

FAILED = {"entry": "CaF2", "source": "c", "status": "failed"}


def test_section_has_the_numbers_of_the_table_by_source_and_order() -> None:
    rows = [
        row("reference", 1.0),
        row("a", 1.1),
        row("b", 0.9, fourth=False) | {"undetermined": "order 3: some"},
        FAILED,
    ]
    shown = orders(rows, {"order": ["b", "a", "c"]})
    assert shown is not None and set(shown["sources"]) == {"reference", "a", "b"}
    second, fourth = shown["sources"]["a"]
    assert (second["order"], second["claimed"], second["to_reference"]) == (2, True, 0.105)
    assert fourth["mean_magnitude"] == 22 and fourth["to_others"] is None
    assert shown["sources"]["b"][1]["claimed"] is False and shown["sources"]["b"][1]["mean_magnitude"] is None
    assert shown["sources"]["reference"][0]["to_reference"] is None
    assert shown["undetermined"] == {"b": "order 3: some"}
    assert orders([FAILED], {"order": ["c"]}) is None
