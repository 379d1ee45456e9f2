"""Print one entry of a campaign: properties and frequencies of all sources.

Draw its band structures and thermodynamics, too, where a file is given for the figure.
"""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import add_campaign


@dataclass(frozen=True)
class Options:
    campaign: Path
    entry: str
    source: list[str] | None
    figure: Path | None


def add_arguments(parser: ArgumentParser) -> None:
    add_campaign(parser)
    parser.add_argument("entry", help="id of the entry")
    parser.add_argument(
        "--source", nargs="+", metavar="NAME", help="only these potentials, reference or yardstick (all)"
    )
    parser.add_argument(
        "--figure", type=Path, help="draw band structures and thermodynamics here, too (PNG, PDF or SVG)"
    )


def run(options: Options) -> None:
    from softmode.campaign_folder import CampaignFolder
    from softmode.compare.training import SEEN
    from softmode.present.cautions import cautions
    from softmode.present.entry_tables import entry_tables, read_entry

    rows = read_entry(options.campaign, options.entry, options.source)
    campaign = CampaignFolder(options.campaign)
    presented = campaign.settings("presentation")["potentials"]
    shown = {row["source"]: presented[row["source"]] for row in rows if row["source"] in presented}
    temperature = campaign.settings("report")["temperature_K"]
    functionals = {row["functional"] for row in rows if row.get("functional")}
    seen = {row["source"]: 1 for row in rows if row.get(SEEN)}
    for table in entry_tables(options.entry, rows, temperature, cautions(shown, functionals, seen)):
        print(table.to_markdown())
    if options.figure:
        from softmode.present.entry_figure import entry_figure
        from softmode.present.results import Results

        results = Results(campaign)
        entry_figure(campaign, options.entry, rows, results.labels, results.colours).savefig(options.figure, dpi=200)
        print(f"figure: {options.figure}")
