"""Print a campaign's tables, and where everything is."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import add_campaign
from softmode.errors import InputError

# Tables whose names begin so are not printed: they have a row for each group and potential, and with them those that
# matter most scroll out of a terminal.
_TO_LOOK_UP = "errors_by_"


@dataclass(frozen=True)
class Options:
    campaign: Path


def add_arguments(parser: ArgumentParser) -> None:
    add_campaign(parser)


def run(options: Options) -> None:
    from softmode.present.table_text import written_tables

    folder = options.campaign / "tables"
    written = written_tables(folder)
    if not written:
        raise InputError(f"{options.campaign}: has no tables; has the campaign finished?")
    for name in written:
        if not name.startswith(_TO_LOOK_UP):
            print((folder / f"{name}.md").read_text(encoding="utf-8"))
    for kind in ("tables", "figures"):
        for path in sorted((options.campaign / kind).glob("*")):
            print(f"{kind}: {path}")
    if (page := options.campaign / "report" / "index.html").is_file():
        print(f"to explore in a browser: {page}")
    print(f"everything: {options.campaign / 'properties.parquet'}")
