"""The data set of a campaign: which entries, from where, and what they are held against."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from softmode.errors import InputError
from softmode.reference.files import list_files
from softmode.settings.fields import UNIQUE, FilePath, Settings, setting
from softmode.settings.supercell import Supercell

Text = Annotated[str, Field(min_length=1)]


class Yardstick(Settings):
    """A second reference of the same entries, such as another functional: how much does that change the answer?"""

    kind: Literal["kyoto", "phonopy", "demo"] = setting("As of the data set.")
    path: FilePath = setting("Its folder; entries are matched by their ids.")
    label: Text = setting("Its name in tables and figures, such as PBEsol.")


class DataSet(Settings):
    """The entries and their reference."""

    kind: Literal["kyoto", "phonopy", "demo", "lines", "structures", "prototypes"] = setting(
        "kyoto: archives of the Kyoto database of 2018; phonopy: phonopy's YAML files (Alexandria, MDR); demo: the "
        "embedded reference; lines: folders with forces along lines, cell.extxyz and primitive.extxyz of softmode "
        "line-forces; structures: files of crystals without a reference; prototypes: a CSV of starting structures "
        "for a reference of your own."
    )
    path: FilePath = setting("The folder (for structures also a file, for prototypes the CSV file).")
    more_paths: list[FilePath] | None = setting(
        "structures: further files and folders.", default=None, min_length=1, schema=UNIQUE
    )
    supercell: Supercell | None = setting("structures: how large the supercell is.", default=None)
    ids: list[Text] | None = setting("Take these entries.", default=None, min_length=1)
    ids_file: FilePath | None = setting(
        "Take the entries listed in this file, one id a line; softmode sample draws ids that stand for a whole data "
        "set by crystal system, number of elements and size.",
        default=None,
    )
    number: int | None = setting("Take so many entries, drawn at random.", default=None, ge=1)
    seed: int = setting("Seed of that draw.", default=0, ge=0)
    largest_supercell: int | None = setting(
        "Take no entry with more supercell atoms; applies before number.", default=None, ge=1
    )
    yardstick: Yardstick | None = setting(
        "The second functional: another reference of the same entries, one more row in every table, which no potential "
        "is held against.",
        default=None,
    )


def _paths_of(dataset: Mapping[str, Any]) -> list[Path]:
    return [Path(path) for path in (dataset["path"], *dataset.get("more_paths", []))]


def files_of(dataset: Mapping[str, Any]) -> list[Path]:
    """Return the files of a data set; none where its folder is not there yet."""
    return [file for path in _paths_of(dataset) for file in ([path] if path.is_file() else list_files(path).files)]


def with_supercell(dataset: Mapping[str, Any], source: str) -> Mapping[str, Any]:
    """Return the data set with its supercell in full where it is of structures, and refuse those keys where not.

    Other kinds do not have them, so that their frozen settings stay what they are.
    """
    if dataset["kind"] == "structures":
        if "yardstick" in dataset:
            raise InputError(f"{source}: dataset: structures have no reference, and so no yardstick beside it")
        return {**dataset, "supercell": Supercell(**dataset.get("supercell", {})).model_dump()}
    for key in ("more_paths", "supercell"):
        if key in dataset:
            raise InputError(f"{source}: dataset: '{key}' is for kind 'structures', not for '{dataset['kind']}'")
    return dataset
