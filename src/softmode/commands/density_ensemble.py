"""Make one source of several trained models of densities of states.

The trainings differ in their seeds alone. What makes the spread of the models the standard deviation of their errors is
found on the validation part of their split.
"""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import add_density_trainings, add_environments


@dataclass(frozen=True)
class Options:
    trainings: list[Path]
    labels: Path
    split: Path
    environments: Path
    output: Path


def add_arguments(parser: ArgumentParser) -> None:
    add_density_trainings(parser)
    add_environments(parser)
    parser.add_argument("--output", type=Path, required=True, help="the ensemble (.pt)")


def run(options: Options) -> None:
    from softmode.commands.check_potential import enter_environment
    from softmode.studies.density.density import ENVIRONMENT

    enter_environment(options.environments / ENVIRONMENT)

    from softmode.studies.density.calibration import make_ensemble

    made = make_ensemble(options.trainings, options.labels, options.split, options.output)
    factors = ", ".join(f"{name} {factor:.2f} and {floor:.3g}" for name, (factor, floor) in made.scales.items())
    print(
        f"{options.output}: {len(made.members)} models, SHA-256 {made.checkpoint_sha256}; factors and addends of "
        f"standard deviations: {factors}"
    )
