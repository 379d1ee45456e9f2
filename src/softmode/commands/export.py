"""Write one entry of a campaign as files for phonopy."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import add_campaign


@dataclass(frozen=True)
class Options:
    campaign: Path
    entry: str
    source: str
    output: Path | None


def add_arguments(parser: ArgumentParser) -> None:
    add_campaign(parser)
    parser.add_argument("entry", help="id of the entry")
    parser.add_argument("source", help="a potential, reference or yardstick (second functional)")
    parser.add_argument("--output", type=Path, help="folder of the files (ENTRY-SOURCE)")


def run(options: Options) -> None:
    from softmode.campaign_folder import CampaignFolder
    from softmode.present.phonopy_files import export

    folder = options.output or Path(f"{options.entry}-{options.source}")
    for path in export(CampaignFolder(options.campaign), options.entry, options.source, folder):
        print(path)
