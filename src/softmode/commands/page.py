"""Write a page to explore a campaign in a browser: tables, errors, entries.

It works from disk, without a server.
"""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import add_campaign


@dataclass(frozen=True)
class Options:
    campaign: Path
    entries: int | None
    processes: int
    output: Path


def add_arguments(parser: ArgumentParser) -> None:
    add_campaign(parser)
    parser.add_argument(
        "--entries", type=int, metavar="N", help="band structures of so many entries, those of largest errors (all)"
    )
    parser.add_argument("--processes", type=int, default=1, help="how many entries are computed at a time (1)")
    parser.add_argument("--output", type=Path, required=True, help="folder of the page, such as results/demo/report")


def run(options: Options) -> None:
    from softmode.campaign_folder import CampaignFolder
    from softmode.present.page.folder import write_page

    write_page(CampaignFolder(options.campaign), options.entries, options.processes, options.output)
