"""Print which potential is best, in a table and a sentence, and the paths."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from softmode.commands.arguments import add_campaign
from softmode.errors import InputError

if TYPE_CHECKING:
    from softmode.campaign_folder import CampaignFolder
    from softmode.studies.study import Result

# Most rows of the table of properties that is printed; a longer one hides what comes before it, and the table of
# potentials against each other takes its place.
_MOST_ROWS = 40


@dataclass(frozen=True)
class Options:
    campaign: Path
    all: bool = False


def add_arguments(parser: ArgumentParser) -> None:
    add_campaign(parser)
    parser.add_argument(
        "--all", action="store_true", help="print the other tables first, but those by element and group"
    )


def run(options: Options) -> None:
    from softmode.campaign_folder import CampaignFolder
    from softmode.present.verdict import verdict

    campaign = CampaignFolder(options.campaign)
    written = campaign.written("table")
    if not written:
        raise InputError(f"{options.campaign}: has no tables; has the campaign finished?")
    last = _headline(campaign, written)
    # a campaign that has none, such as one of an older softmode, shows what it has
    others = [table for table in written if table is not last and not table.long] if options.all or not last else []
    for table in [*others, *([last] if last else [])]:
        print((options.campaign / table.folder / f"{table.name}.md").read_text(encoding="utf-8"))
    for line in (verdict(options.campaign / "tables", _labels(campaign)), _failures(options.campaign)):
        if line:
            print(f"{line}\n")
    for kind in ("table", "figure"):
        for folder in dict.fromkeys(result.folder for result in campaign.written(kind)):
            print(f"{kind}s: {options.campaign / folder}")
    if (page := options.campaign / "report" / "index.html").is_file():
        print(f"to explore in a browser: {page}")


def _headline(campaign: "CampaignFolder", written: "list[Result]") -> "Result | None":
    """Return the table of a line for each potential; without a reference, that of the crystals if it is short."""
    by_name = {table.name: table for table in written}
    if "at_a_glance" in by_name:
        return by_name["at_a_glance"]
    properties, agreement = by_name.get("properties"), by_name.get("agreement")
    if properties and agreement:
        text = (campaign.path / properties.folder / "properties.md").read_text(encoding="utf-8")
        return properties if text.count("\n|") <= _MOST_ROWS + 2 else agreement
    return properties or agreement


def _labels(campaign: "CampaignFolder") -> dict[str, str]:
    presented = campaign.settings("presentation")["potentials"]
    return {name: presented[name]["label"] for name in campaign.potentials()}


def _failures(campaign: Path) -> str:
    """Return how many records failed, and where they are listed; empty if none did."""
    import csv

    path = campaign / "tables" / "failures.csv"
    if not path.is_file():
        return ""
    with path.open(newline="", encoding="utf-8") as file:
        n_failures = sum(1 for _ in csv.DictReader(file))
    return f"Failures: {n_failures}, listed in {path}" if n_failures else ""
