"""Make a potential's weights present, verified by their hash."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import add_mirrors


@dataclass(frozen=True)
class Options:
    potential: Path
    mirrors: list[Path]
    output: Path


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--potential", type=Path, required=True, help="settings of the potential (YAML)")
    add_mirrors(parser)
    parser.add_argument("--output", type=Path, required=True, help="JSON: where the checkpoint is, and its hash")


def run(options: Options) -> None:
    import json

    from softmode.engine.outputs import whole_file
    from softmode.potentials.checkpoint_download import fetch
    from softmode.yaml_files import read_yaml

    settings = read_yaml(options.potential)
    name = settings["name"]
    if "checkpoint" in settings:
        found = fetch(name, settings["checkpoint"], options.mirrors)
    else:
        found = {"source": "none needed", "path": None, "sha256": ""}
    with whole_file(options.output) as partial:
        partial.write_text(json.dumps({"potential": name} | found, indent=2) + "\n", encoding="utf-8")
    print(f"{name}: {found['source']}" + (f", {found['path']}" if found["path"] else ""))
