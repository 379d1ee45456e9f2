from collections.abc import Iterator
from typing import Any

import pandas as pd
import pyarrow as pa
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from softmode.engine.parquet import Column
from softmode.engine.records import Record
from softmode.present.results import Results
from softmode.present.table_text import Table, digits_or_dash
from softmode.reference.entry import Entry
from tests.studies.toy.settings import Shake, Stiffness


def columns(settings: Shake) -> list[Column]:
    meaning = f"root mean square of the forces at displacements of {settings.standard_deviation_A} Å"
    return [Column("shaken_force_eV_per_A", pa.float64(), "eV/Å", meaning)]


def stiffness_columns(settings: Stiffness) -> list[Column]:
    meaning = "the same force over the displacement"
    return [Column("stiffness_eV_per_A2", pa.float64(), "eV/Å²", meaning)]


def stiffness(found: Iterator[tuple[Entry, Record]], source: str, settings: Stiffness) -> Iterator[dict[str, Any]]:
    for _, record in found:
        row: dict[str, Any] = {"entry": record.entry, "source": source, "stiffness_seconds": 0.01}
        if record.failure:
            reason = {"failed_stage": record.failure.stage, "failed_kind": record.failure.kind}
            yield row | {"status": "failed", "message": record.failure.message} | reason
        else:
            force = record.values["shaken_force_eV_per_A"]
            yield row | {"status": "done", "stiffness_eV_per_A2": force / settings.standard_deviation_A}


def table(results: Results) -> Table:
    numbers = results.table_of("shaken").groupby("source", sort=False)["shaken_force_eV_per_A"].agg(["count", "mean"])
    rows = [[results.labels[name], str(row["count"]), digits_or_dash(row["mean"])] for name, row in numbers.iterrows()]
    return Table("shaken_forces", "Forces", ["potential", "n", "force (eV/Å)"], rows, "", numbers.reset_index())


def figure(results: Results) -> tuple[Figure, pd.DataFrame]:
    numbers = results.table_of("shaken")[["entry", "source", "shaken_force_eV_per_A"]]
    drawn, axes = plt.subplots()
    axes.hist(numbers["shaken_force_eV_per_A"].dropna())
    axes.set_xlabel("force (eV/Å)")
    return drawn, numbers
