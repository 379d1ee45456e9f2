"""Put the records of a study into its table, strictly."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import add_campaign
from softmode.errors import InputError


@dataclass(frozen=True)
class Options:
    campaign: Path
    study: str
    output: Path


def add_arguments(parser: ArgumentParser) -> None:
    add_campaign(parser)
    parser.add_argument("study", help="one of the campaign's, with a table of its own")
    parser.add_argument("--output", type=Path, required=True, help="Parquet table")


def run(options: Options) -> None:
    from softmode.campaign_folder import CampaignFolder
    from softmode.compare.study_table import write_study_table

    campaign = CampaignFolder(options.campaign)
    known = {study.name: study for study in campaign.studies if study.table}
    if options.study not in known:
        raise InputError(f"{options.campaign}: no table of a study '{options.study}'; there are: {', '.join(known)}")
    n_rows, n_failed = write_study_table(campaign, known[options.study], options.output)
    print(f"{n_rows} records in {options.output}, {n_failed} of them failures")
