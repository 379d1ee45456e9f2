"""A campaign's results with how its potentials are presented, and all tables that come of them."""

from pathlib import Path
from typing import Any

import pandas as pd

from softmode.compare.mean_errors import YARDSTICK
from softmode.engine.parquet import read_table
from softmode.present.failures import failures_table, read_unreadable
from softmode.present.potentials import potentials_table
from softmode.present.published import with_published
from softmode.present.suspects import suspects_table
from softmode.present.table_text import Table
from softmode.present.tables import make_tables
from softmode.yaml_files import read_yaml

_YARDSTICK_COLOUR = "#949494"


def campaign_tables(properties: Path, unreadable: Path, presentation: Path, report: Path) -> list[Table]:
    """Return Tables I to IV, the failures and the suspect references.

    Args:
        properties: properties.parquet
        unreadable: the data set's unreadable.csv
        presentation: labels, colours and facts of the potentials (YAML)
        report: settings of the report (YAML)
    """
    table, metadata = read_properties(properties)
    labels, _, potentials = read_presentation(presentation)
    settings = read_yaml(report)
    tables = make_tables(table, labels, settings, metadata)
    tables = with_published(tables, table, labels, read_published_numbers(presentation), settings["protocol"])
    return [
        *tables,
        potentials_table(potentials),
        failures_table(table, read_unreadable(unreadable), labels),
        suspects_table(table, settings, labels),
    ]


def read_properties(path: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return properties.parquet and its metadata."""
    table, metadata = read_table(path)
    return table.to_pandas(), metadata


def read_presentation(path: Path) -> tuple[dict[str, str], dict[str, str], dict[str, Any]]:
    """Return labels and colours of potentials and yardstick, and the settings of the potentials, in their order."""
    presentation = read_yaml(path)
    potentials = {name: presentation["potentials"][name] for name in presentation["order"]}
    labels = {name: settings["label"] for name, settings in potentials.items()}
    colours = {name: settings["colour"] for name, settings in potentials.items()}
    if "yardstick" in presentation:
        labels[YARDSTICK], colours[YARDSTICK] = presentation["yardstick"], _YARDSTICK_COLOUR
    return labels, colours, potentials


def read_published_numbers(path: Path) -> dict[str, Any]:
    """Return what Loew et al. (2024) published of potentials and yardstick, by their names in the campaign."""
    presentation = read_yaml(path)
    published = dict(presentation.get("published", {}))
    functional = published.pop(presentation.get("yardstick"), None)
    return published | ({YARDSTICK: functional} if functional else {})
