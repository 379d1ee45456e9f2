"""Train a potential on phonons or on one crystal's forces, or a density model.

What comes out is a potential like any other, with an entry for the potentials file. It runs in the environment of the
potential, and goes on where it was stopped. The options change the configuration, of which a key `model` says that it
is one from scratch: that has a seed alone of them.
"""

from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from softmode.commands.arguments import add_device, add_environments

if TYPE_CHECKING:
    from softmode.settings.from_scratch import DensityTraining


@dataclass(frozen=True)
class Options:
    configuration: Path
    potential: str | None
    objective: str | None
    compounds: int | None
    seed: int | None
    processor_seconds: float | None
    entries: str | None
    environments: Path
    device: str
    workers: int
    output: Path | None


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("configuration", type=Path, help="its file, such as config/training/m3gnet.yaml")
    parser.add_argument("--potential", help="another one")
    parser.add_argument("--objective", help="another one: see the keys of a training")
    parser.add_argument("--compounds", type=int, help="train on so many")
    parser.add_argument("--seed", type=int, help="another one")
    parser.add_argument("--processor-seconds", type=float, metavar="s", help="train so long")
    parser.add_argument("--entries", metavar="entries.db", help="other ones")
    add_environments(parser)
    add_device(parser)
    parser.add_argument(
        "--workers",
        type=int,
        default=0,
        metavar="N",
        help="processes that prepare the next steps while a GPU computes (0)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="results/training/POTENTIAL-OBJECTIVE-COMPOUNDS-SEED, or MODEL-DATA-SEED, where left out",
    )


def run(options: Options) -> None:
    from softmode.yaml_files import read_yaml

    document = read_yaml(options.configuration)
    changes = {
        key: getattr(options, key)
        for key in ("potential", "objective", "compounds", "seed", "processor_seconds", "entries")
    }
    document = document | {key: value for key, value in changes.items() if value is not None}
    folder = (_train_from_scratch if "model" in document else _train_further)(document, options)
    entry = folder / "potential.yaml"
    if entry.is_file():  # a model of densities of states is no potential
        print(f"for the potentials file, as in {entry}:")
        print(entry.read_text(encoding="utf-8"), end="")


def _train_further(document: dict[str, Any], options: Options) -> Path:
    from softmode.commands.check_potential import enter_environment
    from softmode.settings.protocol import stage_settings
    from softmode.settings.training import Training
    from softmode.yaml_files import read_yaml

    if options.processor_seconds is not None:
        document.pop("steps", None)
    settings: Training = stage_settings(Training, document, str(options.configuration))
    potentials = read_yaml(Path(settings.potentials_file))
    if settings.potential in potentials:
        enter_environment(options.environments / potentials[settings.potential]["environment"])

    from softmode.training.train import train

    name = f"{settings.potential}-{settings.objective}-{settings.compounds}-{settings.seed}"
    folder = options.output or Path("results/training") / name
    return train(settings, folder, options.device, options.workers).parent


def _train_from_scratch(document: Mapping[str, Any], options: Options) -> Path:
    from softmode.commands.check_potential import enter_environment
    from softmode.errors import InputError
    from softmode.settings.from_scratch import FromScratch
    from softmode.settings.protocol import stage_settings
    from softmode.training.from_scratch.train import environment_of, train

    if options.workers:
        raise InputError("--workers: a training from scratch prepares no steps; leave it out")
    settings = stage_settings(FromScratch, document, str(options.configuration))
    if settings.model == "density":
        return _train_density(settings, options)
    enter_environment(options.environments / environment_of(settings))
    name = f"{settings.model}-{Path(settings.data).name}-{settings.seed}"
    return train(settings, options.output or Path("results/training") / name, options.device).parent


def _train_density(settings: "DensityTraining", options: Options) -> Path:
    from softmode.commands.check_potential import enter_environment
    from softmode.studies.density.density import ENVIRONMENT

    enter_environment(options.environments / ENVIRONMENT)

    from softmode.potentials.torch_settings import prepare_torch
    from softmode.studies.density.train import train

    of = settings.compounds or "all"
    folder = options.output or Path("results/training") / f"density-{settings.network}-{of}-{settings.seed}"
    return train(settings, folder, str(prepare_torch(options.device))).parent
