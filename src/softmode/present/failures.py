"""What failed: counted by source, stage and kind for people, and one by one as numbers."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from softmode.errors import InputError
from softmode.present.table_text import Table
from softmode.reference.reading import CRASH
from softmode.sources import REFERENCE, YARDSTICK

# Source and stage of entries that could not be read. `settings.potentials` forbids it as the name of a potential, whose
# failures would be counted with these.
DATASET = "dataset"
# Ending of the columns of `Stage.seconds`; with another one no stage is found, and the table cannot be made.
_SECONDS = "_seconds"
_COLUMNS = ["entry", "formula", "source", "stage", "kind", "message", "seconds"]
# Characters of an example's message; with many more, the table is wider than a terminal or a page.
_SHOWN = 120


def read_unreadable(path: Path) -> pd.DataFrame:
    """Return what of a data set could not be read: entry, file and message, all texts.

    Raises:
        InputError: there is no such file, or it is none.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        return table[["entry", "file", "message"]]
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; make it with 'softmode dataset', or run the campaign") from error
    except (KeyError, ValueError) as error:
        raise InputError(f"{path}: no list of unreadable entries; make it again with 'softmode dataset'") from error


def failures_table(records: pd.DataFrame, unreadable: pd.DataFrame, labels: Mapping[str, str]) -> Table:
    """Return the failures, each once, with the source and the stage where it happened.

    What the yardstick lacks, or cannot do, is a failure of the yardstick, and of no potential.

    Args:
        records: properties.parquet, or more; the columns `<stage>_seconds` say which stages there are, in their order
        unreadable: as `read_unreadable` returns it
        labels: what potentials and yardstick are called, in the order of the table
    """
    names = {DATASET: "data set", REFERENCE: "reference"}
    names |= {YARDSTICK: f"{labels[YARDSTICK]} (second functional)"} if YARDSTICK in labels else {}
    names |= {name: label for name, label in labels.items() if name != YARDSTICK}
    numbers = pd.concat([_of_dataset(unreadable), _of_records(records)], ignore_index=True)
    order = {"source": list(names), "stage": [DATASET, *stages_of(records)]}
    numbers = numbers.sort_values(
        ["source", "stage", "kind", "entry"],
        key=lambda column: column.map(order[column.name].index) if column.name in order else column,
        ignore_index=True,
    )
    rows = []
    for (source, stage, kind), group in numbers.groupby(["source", "stage", "kind"], sort=False):
        first = group.iloc[0]
        entry = f"{first['entry']} ({first['formula']})" if first["formula"] else first["entry"]
        rows.append([names[source], stage, kind, str(len(group)), entry, _shown(first["message"])])
    n_failed = len(numbers) - len(unreadable)
    caption = (
        f"{n_failed} of {len(records)} records are failures, {len(unreadable)} entries could not be read. "
        "Each counts once, at the stage where it happened; example: the first entry of each kind. "
        "failures.csv lists all of them."
    )
    return Table("failures", "Failures", ["source", "stage", "kind", "n", "example", "message"], rows, caption, numbers)


def _of_dataset(unreadable: pd.DataFrame) -> pd.DataFrame:
    crashed = unreadable["message"].str.startswith(CRASH)
    return pd.DataFrame(
        {
            "entry": unreadable["entry"],
            "formula": "",
            "source": DATASET,
            "stage": DATASET,
            "kind": crashed.map({True: "crash", False: "bad_entry"}),
            "message": unreadable["file"] + ": " + unreadable["message"],
            "seconds": float("nan"),
        },
        columns=_COLUMNS,
    )


def _of_records(records: pd.DataFrame) -> pd.DataFrame:
    failed = records[records["status"] == "failed"]
    renamed = failed.rename(columns={"failed_stage": "stage", "failed_kind": "kind"})
    return renamed.assign(seconds=seconds_of(failed).round(3))[_COLUMNS]


def stages_of(records: pd.DataFrame) -> list[str]:
    """Return the stages that records have times of, in their order."""
    return [name.removesuffix(_SECONDS) for name in records.columns if name.endswith(_SECONDS)]


def seconds_of(records: pd.DataFrame) -> pd.Series:
    """Return the time in s that each record took in all stages; NaN where it is not known."""
    columns = [f"{stage}{_SECONDS}" for stage in stages_of(records)]
    # min_count: a reference that was never computed took no time, and not a time of 0
    return records[columns].astype(float).sum(axis=1, min_count=1)


def _shown(message: str) -> str:
    line = " ".join(message.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"
