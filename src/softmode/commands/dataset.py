"""Read a data set: entries.db, its index, and a list of what cannot be read."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from softmode.errors import InputError


@dataclass(frozen=True)
class Options:
    settings: Path | None
    kind: str | None
    path: str | None
    ids: list[str] | None
    ids_file: Path | None
    number: int | None
    seed: int | None
    largest_supercell: int | None
    output: Path
    index: Path
    unreadable: Path


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--settings", type=Path, help="YAML with the keys below, instead of options")
    parser.add_argument("--kind", help="kyoto, phonopy, demo, structures or prototypes")
    parser.add_argument("--path", help="the folder (for structures also a file, for prototypes the CSV file)")
    parser.add_argument("--ids", nargs="+", metavar="ID", help="take these entries")
    parser.add_argument("--ids-file", type=Path, help="take the entries in this file, one id a line")
    parser.add_argument("--number", type=int, help="take so many entries, drawn at random")
    parser.add_argument("--seed", type=int, help="seed of that draw (0)")
    parser.add_argument("--largest-supercell", type=int, metavar="ATOMS", help="take no entry with a larger supercell")
    parser.add_argument("--output", type=Path, required=True, help="entries.db, an ASE database")
    parser.add_argument("--index", type=Path, required=True, help="CSV with one row for each entry")
    parser.add_argument("--unreadable", type=Path, required=True, help="CSV of what could not be read, and why")


def run(options: Options) -> None:
    from softmode.reference.dataset import write_dataset
    from softmode.reference.reading import Selection, read_entries, selected_ids
    from softmode.settings.supercell import Supercell

    settings = _settings(options)
    selection = Selection(
        tuple(selected_ids(settings)),
        settings.get("number"),
        settings.get("seed", 0),
        settings.get("largest_supercell"),
    )
    more_paths = [Path(path) for path in settings.get("more_paths", [])]
    supercell = Supercell(**settings["supercell"]) if "supercell" in settings else None
    outcomes = read_entries(settings["kind"], Path(settings["path"]), selection, more_paths, supercell)
    n_entries, n_problems = write_dataset(outcomes, options.output, options.index, options.unreadable)
    print(f"{n_entries} entries in {options.output}; {n_problems} could not be read, see {options.unreadable}")


def _settings(options: Options) -> dict[str, Any]:
    """Return the keys of the settings file; options given by hand win over them."""
    from softmode.yaml_files import read_yaml

    settings: dict[str, Any] = read_yaml(options.settings) if options.settings else {}
    by_hand = {
        "kind": options.kind,
        "path": options.path,
        "ids": options.ids,
        "ids_file": options.ids_file,
        "number": options.number,
        "seed": options.seed,
        "largest_supercell": options.largest_supercell,
    }
    settings |= {name: value for name, value in by_hand.items() if value is not None}
    for name in ("kind", "path"):
        if name not in settings:
            raise InputError(f"--{name} is missing")
    return settings
