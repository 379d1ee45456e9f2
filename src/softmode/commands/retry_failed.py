"""Have the next run compute failed entries again, and only them."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import add_campaign


@dataclass(frozen=True)
class Options:
    campaign: Path
    kind: list[str]
    potential: list[str] | None
    stage: list[str] | None


def add_arguments(parser: ArgumentParser) -> None:
    add_campaign(parser)
    parser.add_argument("--kind", nargs="+", required=True, help="kinds of failure, such as out_of_memory, or 'all'")
    parser.add_argument("--potential", nargs="+", metavar="NAME", help="only those of these potentials (all)")
    parser.add_argument("--stage", nargs="+", metavar="NAME", help="only those of these stages, such as relax (all)")


def run(options: Options) -> None:
    from softmode.campaign_folder import CampaignFolder
    from softmode.retry import forget_failures

    n_forgotten = 0
    for line, number in forget_failures(
        CampaignFolder(options.campaign), set(options.kind), options.potential, options.stage
    ):
        print(line)
        n_forgotten += number
    print(f"{n_forgotten} failures are forgotten{'; run snakemake again as before' if n_forgotten else ''}")
