"""A CSV that grows by a row at a time and is cut back to the step at which a training goes on."""

import csv
from pathlib import Path
from typing import Any

from softmode.engine.outputs import storage


class Log:
    """Rows with a column `step`.

    Args:
        path: the file
        step: rows of later steps are taken out; those steps are made again
    """

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        kept: list[dict[str, str]] = []
        if path.exists():
            with path.open(newline="", encoding="utf-8") as file:
                # a row that a killed process left unfinished is of a later step too
                kept = [
                    row for row in csv.DictReader(file) if (row["step"] or "").isdigit() and int(row["step"]) <= step
                ]
        with storage(path):
            self._file = path.open("w", newline="", encoding="utf-8")
            self._rows: csv.DictWriter[str] | None = None
            for row in kept:
                self.write(row)

    def write(self, row: dict[str, Any]) -> None:
        """Add a row."""
        with storage(self.path):
            if self._rows is None:
                self._rows = csv.DictWriter(self._file, list(row), lineterminator="\n")
                self._rows.writeheader()
            self._rows.writerow(row)
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
