"""Which entries a potential was trained on, so that it is not judged by what it has learned."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from softmode.errors import InputError

if TYPE_CHECKING:  # `softmode show` prints without it
    import pandas as pd

# Column of properties.parquet: the potential was trained on the entry. It is missing where no potential has a list of
# what it was trained on; under another name, everything counts as new to every potential.
SEEN = "seen_in_training"
# Parts of a training set, and whether its potential has seen them: the validation part chose the checkpoint.
_PARTS = {"train": True, "validation": True, "test": False}
_COLUMNS = ("entry", "formula", "space_group", "part")


class TrainingSet:
    """The crystals whose phonons a potential was trained on.

    Args:
        path: CSV file with the columns entry, formula (reduced), space_group (number) and part (train, validation or
            test)

    Raises:
        InputError: the file is missing or something else.
    """

    def __init__(self, path: Path) -> None:
        self._seen: dict[str, bool] = {}
        self._crystals: set[tuple[str, int]] = set()
        try:
            with path.open(newline="", encoding="utf-8") as file:
                rows = csv.DictReader(file)
                if missing := [column for column in _COLUMNS if column not in (rows.fieldnames or ())]:
                    raise ValueError(f"no column {', '.join(missing)}")
                for row in rows:
                    seen = _PARTS[row["part"]]
                    self._seen[row["entry"]] = seen
                    if seen:
                        self._crystals.add((row["formula"], int(row["space_group"])))
        except (OSError, KeyError, ValueError, csv.Error) as error:
            raise InputError(
                f"{path}: not a list of what a potential was trained on ({', '.join(_COLUMNS)}; part is one of "
                f"{', '.join(_PARTS)}): {error}"
            ) from error

    def has(self, entry: str, formula: str, space_group: int) -> bool:
        """Return whether it has an entry; of one that the file does not list, whether it has one like it.

        Args:
            formula: reduced, as in properties.parquet
            space_group: its number
        """
        return self._seen.get(entry, (formula, space_group) in self._crystals)


def training_files(presentation: Mapping[str, Any]) -> dict[str, Path]:
    """Return the files that list what potentials were trained on, by their names.

    Args:
        presentation: frozen presentation of a campaign's potentials
    """
    listed = {name: settings.get("trained_on_entries") for name, settings in presentation["potentials"].items()}
    return {name: Path(path) for name, path in listed.items() if path}


def seen_entries(properties: "pd.DataFrame", potentials: Sequence[str]) -> "dict[str, pd.Index]":
    """Return the entries of each potential that it was trained on; nothing of one that has seen none.

    Args:
        properties: properties.parquet
    """
    if SEEN not in properties:
        return {}
    seen = properties[properties[SEEN].eq(True)].set_index("entry")["source"]
    found = {name: seen.index[seen == name] for name in potentials}
    return {name: entries for name, entries in found.items() if len(entries)}


def unseen_part(properties: "pd.DataFrame", seen: "Mapping[str, pd.Index]") -> "pd.DataFrame":
    """Return the rows of the entries that no potential was trained on, of `seen_entries`."""
    return properties[~properties["entry"].isin([entry for entries in seen.values() for entry in entries])]


def not_seen(entries: "pd.Index", seen: "Mapping[str, pd.Index]") -> "pd.Index":
    """Return the entries that no potential was trained on, of `seen_entries`."""
    for trained_on in seen.values():
        entries = entries.difference(trained_on, sort=False)
    return entries
