"""Write the tables of a campaign, and draw its figures."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import add_campaign


@dataclass(frozen=True)
class Options:
    campaign: Path
    rule: list[str] | None


def add_arguments(parser: ArgumentParser) -> None:
    add_campaign(parser)
    parser.add_argument(
        "--rule",
        nargs="+",
        metavar="RULE",
        help="only those of these rules, such as tables, figures, comparisons (all)",
    )


def run(options: Options) -> None:
    from softmode.campaign_folder import CampaignFolder
    from softmode.present.results import write_results

    for path in write_results(CampaignFolder(options.campaign), options.rule):
        print(path)
