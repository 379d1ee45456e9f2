"""The columns of all tables that a campaign writes as Parquet, in docs/columns.md, made from the declarations.

`python -m softmode.compare.column_tables`, in the project's folder, makes the document anew.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from softmode.compare.properties import property_columns
from softmode.compare.study_table import columns_of
from softmode.engine.parquet import Column
from softmode.settings.protocol import load_protocol, sections_of, stage_settings
from softmode.studies import DEFAULT, own_studies
from softmode.yaml_files import read_yaml

DOCUMENT = Path("docs/columns.md")
# Settings choose some columns (a threshold of stability has one of its own): those of this protocol stand for all.
_PROTOCOLS, _PROTOCOL = Path("config/protocols.yaml"), "softmode"
_TYPES = {"int64": "integer", "string": "text", "bool": "true or false"}


def document() -> str:
    """Return the whole document.

    Raises:
        InputError: the protocols file cannot be read.
    """
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Columns\n"
    yield (
        "What each Parquet table of a campaign has, a row for each entry and source. The files say the same\n"
        "themselves: the metadata of a column have its unit and meaning. Made by\n"
        f"`python -m softmode.compare.column_tables`, with the protocol `{_PROTOCOL}`.\n"
    )
    studies = own_studies()
    sections = sections_of([stage for study in studies for stage in study.stages])
    protocol = load_protocol(read_yaml(_PROTOCOLS), _PROTOCOL, str(_PROTOCOLS), sections)
    for study in studies:
        stages = [stage for stage in study.stages if stage.columns]
        settings = [
            stage_settings(sections[stage.name], protocol.section(stage.name), f"{_PROTOCOL}.{stage.name}")
            for stage in stages
        ]
        if study.name in DEFAULT:
            name = "properties"
            columns = property_columns(list(protocol.settings["phonons"]["stability"]))
        else:
            name = study.name
            found = [columns_of(stage, own) for stage, own in zip(stages, settings, strict=True)]
            # a later stage may carry on what an earlier one has
            columns = list({column.name: column for of_stage in found for column in of_stage}.values())
        yield f"## {name}.parquet\n"
        yield f"{study.title[0].upper()}{study.title[1:]}.\n"
        yield from _table(columns)


def _table(columns: Sequence[Column]) -> Iterator[str]:
    yield from ("| column | type | unit | what it is |", "|---|---|---|---|")
    for column in columns:
        meaning = column.meaning.replace("|", "\\|")
        yield f"| `{column.name}` | {_type(column.type)} | {column.unit} | {meaning} |"
    yield ""


def _type(of: pa.DataType) -> str:
    if pa.types.is_list(of):
        return f"list of {_type(of.value_type)}"
    return "number" if pa.types.is_floating(of) else _TYPES.get(str(of), str(of))


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
    print(DOCUMENT)
