"""Check a potential: forces, invariances, cost, and what ruins phonons.

Forces are held against differences of energies. Phonons of symmetric crystals show numerical noise, of which equal
distances are one cause, and how rough the energy is. It runs in the environment of the potential. The exit code is 1 if
a check fails.
"""

import json
import os
import sys
from argparse import ArgumentParser
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from softmode.commands.arguments import add_device, add_environments, add_registry
from softmode.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from softmode.potentials.base import Potential
    from softmode.potentials.check import Check


@dataclass(frozen=True)
class Options:
    name: str
    potentials: Path
    environments: Path
    structures: list[str] | None
    sizes: list[int] | None
    device: str
    output: Path | None


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", help="a key of the potentials file")
    add_registry(parser)
    add_environments(parser)
    parser.add_argument(
        "--structures", nargs="+", metavar="FILE", help="structures that ASE reads, not built-in crystals"
    )
    parser.add_argument(
        "--sizes", type=int, nargs="*", metavar="ATOMS", help="sizes for time and memory (8 64 216 512)"
    )
    add_device(parser)
    parser.add_argument("--output", type=Path, metavar="FILE", help="write all checks here, too, with versions (JSON)")


def run(options: Options) -> int:
    from softmode.yaml_files import read_yaml

    potentials = read_yaml(options.potentials)
    if options.name not in potentials:
        raise InputError(f"no potential '{options.name}' in {options.potentials}; there are: {', '.join(potentials)}")
    settings = {"name": options.name} | potentials[options.name]
    environment = options.environments / settings["environment"]
    enter_environment(environment)

    import numpy as np
    from ase.io import read

    from softmode.potentials import check, check_phonons
    from softmode.potentials.registry import load_potential, runs_here

    if not environment.exists() and not runs_here(settings):
        raise InputError(
            f"potential {options.name}: its environment {environment} is not built; build it with "
            f"'make .envs/{environment.name}.ready'"
        )
    potential = load_potential(settings, options.device)
    if options.structures:
        structures = [atoms for path in options.structures for atoms in read(path, index=":")]
    else:
        structures = check.default_structures(potential.elements)
    sizes = check.SIZES if options.sizes is None else options.sizes
    crystals = check_phonons.symmetric_crystals(potential.elements)
    steps = chain(check.check_potential(potential, structures, sizes), check_phonons.check_phonons(potential, crystals))
    if "acceleration" in settings:
        plain = load_potential({key: settings[key] for key in settings.keys() - {"acceleration"}}, options.device)
        steps = chain(check.check_acceleration(potential, plain, structures), steps)
    checks = []
    for item in steps:
        checks.append(item)
        # large sizes take minutes, and the table comes at the end
        print(f"{len(checks)}: {item.name}: {item.value:.3g} {item.unit} {item.verdict}".rstrip(), file=sys.stderr)
    print(check.report(options.name, checks))
    keys = check_phonons.registry_keys(checks)
    if keys:
        print(f"\nFor {options.name} in the potentials file:")
        for key, value in keys.items():
            print(f"  {key}: {np.format_float_positional(value, trim='-')}")
    else:
        print("\nPhonons were not checked: none of the built-in symmetric crystals has only elements that it knows")
    if options.output:
        _write(options.output, settings, potential, checks, keys)
    return 1 if any(item.verdict == "FAIL" for item in checks) else 0


def _write(
    path: Path, settings: "Mapping[str, Any]", potential: "Potential", checks: "Sequence[Check]", keys: dict[str, float]
) -> None:
    from softmode.engine.outputs import whole_file
    from softmode.engine.provenance import PACKAGES, provenance, versions
    from softmode.settings.potentials import digest_of_settings

    packages = PACKAGES + potential.packages
    identity = {
        "potential": digest_of_settings(settings),
        "checkpoint_sha256": potential.checkpoint_sha256,
        "dtype": potential.dtype,
        "packages": versions(packages),
    }
    facts = {"potential": potential.name, "device": potential.device, **keys, "checks": [vars(one) for one in checks]}
    with whole_file(path) as partial:
        partial.write_text(
            json.dumps(provenance(identity, packages, **facts), indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )


def enter_environment(folder: Path) -> None:
    """Go on in the potential's environment, if this is another one and that exists."""
    softmode = folder / "bin" / "softmode"
    if softmode.exists() and Path(sys.prefix).resolve() != folder.resolve():
        print(f"going on in {folder}", file=sys.stderr, flush=True)
        os.execv(softmode, [str(softmode), *sys.argv[1:]])
