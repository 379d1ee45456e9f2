"""Write campaigns that differ from one in a single setting.

The paths of their files are printed, to be given to snakemake and, once they have run, to compare-campaigns.
"""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import add_campaign_file


@dataclass(frozen=True)
class Options:
    campaign: Path
    output: Path
    number: int | None
    seed: int
    displacement_distances: list[float]
    dtypes: list[str]


def add_arguments(parser: ArgumentParser) -> None:
    add_campaign_file(parser)
    parser.add_argument("--output", type=Path, required=True, help="folder of the files, and of the campaigns")
    parser.add_argument("--number", type=int, help="take so many entries, drawn at random (as in the campaign)")
    parser.add_argument("--seed", type=int, default=0, help="seed of that draw (0)")
    parser.add_argument(
        "--displacement-distances",
        type=float,
        nargs="*",
        default=[0.005, 0.01, 0.03, 0.05],
        metavar="A",
        help="displacements of the atoms in Å (0.005 0.01 0.03 0.05)",
    )
    parser.add_argument(
        "--dtypes",
        nargs="*",
        choices=("float32", "float64"),
        default=["float32", "float64"],
        help="floating-point types, for the potentials that know them (float32 float64)",
    )


def run(options: Options) -> None:
    from softmode.settings.campaign import read_campaign
    from softmode.variations import write_variations

    selection = {"number": options.number, "seed": options.seed} if options.number else {}
    for path in write_variations(
        read_campaign(options.campaign), options.output, options.displacement_distances, options.dtypes, selection
    ):
        print(path)
