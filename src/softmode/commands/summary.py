"""Print a campaign's tables, and where everything is."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import add_campaign
from softmode.errors import InputError


@dataclass(frozen=True)
class Options:
    campaign: Path


def add_arguments(parser: ArgumentParser) -> None:
    add_campaign(parser)


def run(options: Options) -> None:
    from softmode.campaign_folder import CampaignFolder

    campaign = CampaignFolder(options.campaign)
    written = campaign.written("table")
    if not written:
        raise InputError(f"{options.campaign}: has no tables; has the campaign finished?")
    for table in written:
        if not table.long:
            print((options.campaign / table.folder / f"{table.name}.md").read_text(encoding="utf-8"))
    for result in (*written, *campaign.written("figure")):
        # with the numbers of all entries, and as people look at it
        suffix = "csv" if result.kind == "table" else "png"
        print(f"{result.folder}: {options.campaign / result.folder / result.name}.{suffix}")
    if (page := options.campaign / "report" / "index.html").is_file():
        print(f"to explore in a browser: {page}")
    print(f"everything: {options.campaign / 'properties.parquet'}")
