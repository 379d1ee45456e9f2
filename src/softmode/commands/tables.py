"""Write Tables I to IV and the failures as CSV, Markdown, LaTeX and HTML."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import ComparisonOptions, add_comparison


@dataclass(frozen=True)
class Options(ComparisonOptions):
    unreadable: Path
    output: Path


def add_arguments(parser: ArgumentParser) -> None:
    add_comparison(parser)
    parser.add_argument("--unreadable", type=Path, required=True, help="the data set's list of what cannot be read")
    parser.add_argument("--output", type=Path, required=True, help="folder of the tables")


def run(options: Options) -> None:
    from softmode.present.campaign import campaign_tables

    for table in campaign_tables(options.properties, options.unreadable, options.presentation, options.report):
        table.write(options.output)
