"""Tables I to III of a few made-up entries."""

from softmode.present import tables
from softmode.present.table_text import Table
from tests.compare.campaign import LABELS, METADATA, REPORT, properties


def paper_tables() -> list[Table]:
    caption = f"{tables.origin(properties(), REPORT, METADATA)} {tables.subsets(properties(), LABELS, REPORT)}"
    made = (tables.relaxation_table, tables.thermodynamics_table, tables.stability_table)
    return [make(properties(), LABELS, REPORT, caption) for make in made]
