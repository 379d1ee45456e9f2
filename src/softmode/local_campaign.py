"""The file of a campaign that was asked for in one line: its structures and potentials, and the rest as usual."""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

import softmode
from softmode.engine.outputs import whole_file
from softmode.errors import InputError
from softmode.settings.campaign import OWN_PATHS, Campaign, CampaignSettings, load_campaign
from softmode.yaml_files import read_yaml

# Name of the file in the campaign's folder; folders without it are another's, and are not written to.
FILE = "campaign.yaml"
# Stands for standard input among the names of files.
STANDARD_INPUT = "-"
# Structures for each part of a campaign that is worked through side by side with others: with fewer, processes load
# their potential for a few crystals only.
_STRUCTURES_PER_SHARD = 8


def project_folder() -> Path:
    """Return the clone that this package is of, whose files and environments are used from wherever it is called.

    Raises:
        InputError: the package is of no clone.
    """
    folder = Path(softmode.__file__).resolve().parent.parent.parent
    if not (folder / "envs" / "build.sh").is_file():
        raise InputError(f"{folder}: not a clone of softmode, from whose files the environments are built; clone it")
    return folder


def folder_for(structures: Sequence[str], dataset: str | None) -> Path:
    """Return the campaign's folder where none is given: called after the one file, else results/phonons."""
    alone = len(structures) == 1 and dataset is None and structures[0] != STANDARD_INPUT
    name = Path(structures[0]).resolve().name.partition(".")[0] if alone else ""
    # a campaign's name is made of these characters
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_")
    return Path("results") / (name or "phonons")


def local_campaign(
    structures: Sequence[str],
    potentials: Sequence[str],
    folder: Path,
    *,
    dataset: str | None = None,
    supercell: Mapping[str, float] | None = None,
    cores: int = 1,
    **settings: Any,
) -> Campaign:
    """Return the campaign, and write its file into its folder, with every key and with paths that hold anywhere.

    Args:
        structures: files and folders, `-` for standard input; of a data set, ids
        potentials: names
        folder: of the campaign
        dataset: `kind:path`; None where the structures are files
        supercell: keys of `settings.supercell.Supercell`
        cores: processes at a time
        settings: further keys of the campaign's file; those that are None are as usual

    Raises:
        InputError: a setting is wrong, a file is not there, or the folder has another campaign.
    """
    project = project_folder()
    given = {key: value for key, value in settings.items() if value is not None}
    paths = {key: str(project / CampaignSettings.model_fields[key].default) for key in OWN_PATHS}
    file = folder / FILE
    document: dict[str, Any] = paths | {
        "campaign": folder.resolve().name,
        "results": str(folder.resolve().parent),
        "potentials": list(potentials),
        "protocol": "softmode",
        "dataset": _dataset(structures, dataset, supercell or {}, folder),
    }
    # with another number, everything that is there would be computed anew
    before = read_yaml(file) if file.is_file() else None
    before = before if isinstance(before, Mapping) else {}
    shards = before.get("shards") or _shards(document["dataset"], len(potentials), cores)
    document |= {"shards": shards} | given
    campaign = load_campaign(document, str(file))
    _refuse_another(file, before, campaign)
    content = {key: value for key, value in campaign.settings.items() if value is not None}
    with whole_file(file) as partial:
        partial.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return campaign


# How the text of a format looks that comes without a name, by the ending of its files; what looks like none of them is
# taken for a POSCAR. ASE tells these formats apart by the names of files.
_LOOKS = {".cif": rb"(?m)^\s*data_", ".extxyz": rb"(?i)\A\s*\d+\s*\n.*lattice=", ".json": rb"\A\s*[{\[]"}


def _dataset(
    structures: Sequence[str], dataset: str | None, supercell: Mapping[str, float], folder: Path
) -> dict[str, Any]:
    if dataset is not None:
        kind, _, path = dataset.partition(":")
        if not path:
            raise InputError(f"--dataset {dataset}: its kind, a colon and its folder, such as kyoto:my/files")
        if supercell:
            raise InputError("--length and --atoms are for structures; the entries of a data set have their supercells")
        return {"kind": kind, "path": str(Path(path).resolve()), "ids": list(dict.fromkeys(structures))}
    found = [_saved(folder) if name == STANDARD_INPUT else Path(name) for name in dict.fromkeys(structures)]
    for each in found:
        if not each.exists():
            raise InputError(f"{each}: no such file or folder")
    first, *more = (str(each.resolve()) for each in found)
    settings: dict[str, Any] = {"kind": "structures", "path": first}
    return settings | ({"more_paths": more} if more else {}) | ({"supercell": dict(supercell)} if supercell else {})


def _saved(folder: Path) -> Path:
    """Return a file with what came in by standard input, named by what it is: CIF, extxyz, JSON or else POSCAR."""
    content = sys.stdin.buffer.read()
    if not content.strip():
        raise InputError("standard input is empty; it must bring a structure")
    ending = next((ending for ending, pattern in _LOOKS.items() if re.search(pattern, content)), ".vasp")
    path = folder / "structures" / f"stdin{ending}"
    if not path.is_file() or path.read_bytes() != content:
        with whole_file(path) as partial:
            partial.write_bytes(content)
    return path


def _shards(dataset: Mapping[str, Any], n_potentials: int, cores: int) -> int:
    """Return into how many parts the campaign is split: as many as keep all cores busy, unless they are too small."""
    paths = map(Path, [dataset["path"], *dataset.get("more_paths", [])])
    n_files = sum(1 if path.is_file() else sum(1 for _ in path.rglob("*")) for path in paths)
    n_files = len(dataset["ids"]) if "ids" in dataset else n_files
    return max(1, min(cores // n_potentials, n_files // _STRUCTURES_PER_SHARD))


def _refuse_another(file: Path, before: Mapping[str, Any], campaign: Campaign) -> None:
    """Raise InputError where the folder has a campaign of other structures, or one that has another file.

    Args:
        before: what is in the file
    """
    if not file.is_file():
        if file.parent.is_dir() and any(path.name != "structures" for path in file.parent.iterdir()):
            raise InputError(f"{file.parent}: is there, and not made by this command; give another --output")
        return
    if before.get("dataset") != campaign.settings["dataset"]:
        raise InputError(f"{file.parent}: has phonons of other structures; give another --output, or delete it")
