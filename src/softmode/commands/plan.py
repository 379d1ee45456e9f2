"""Print what a campaign will cost: entries, atoms, hours, disk and jobs."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import add_campaign_file
from softmode.errors import InputError


@dataclass(frozen=True)
class Options:
    campaign: Path
    index: Path | None
    measured: list[Path]


def add_arguments(parser: ArgumentParser) -> None:
    add_campaign_file(parser)
    parser.add_argument("--index", type=Path, help="its entries (CSV), if the data set has not been read yet")
    parser.add_argument(
        "--measured",
        type=Path,
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="campaigns whose records say how long the stages took, such as results/demo",
    )


def run(options: Options) -> None:
    from softmode.plan import make_plan, measured_rates, planned_entries
    from softmode.present.plan_text import plan_text
    from softmode.settings.campaign import read_campaign

    campaign = read_campaign(options.campaign)
    folder = Path(campaign.folder)
    index = options.index or folder / "index.csv"
    if not index.is_file():
        raise InputError(
            f"{index}: no such file; 'snakemake --profile profiles/local prepare --configfile {options.campaign}' "
            "reads the data set, or give an index of its entries with --index"
        )
    measured = [*options.measured, *([folder] if (folder / "shards.csv").is_file() else [])]
    print(plan_text(make_plan(campaign, planned_entries(index), measured_rates(measured))))
