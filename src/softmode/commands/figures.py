"""Draw Figures 1 to 5 as PNG and PDF, with their numbers as CSV."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import ComparisonOptions, add_comparison


@dataclass(frozen=True)
class Options(ComparisonOptions):
    output: Path


def add_arguments(parser: ArgumentParser) -> None:
    add_comparison(parser)
    parser.add_argument("--output", type=Path, required=True, help="folder of the figures")


def run(options: Options) -> None:
    from softmode.present.campaign import read_presentation, read_properties
    from softmode.present.figures import save
    from softmode.present.paper import paper_figures

    properties, _ = read_properties(options.properties)
    labels, colours, _ = read_presentation(options.presentation)
    for name, (figure, numbers) in paper_figures(properties, labels, colours).items():
        save(figure, options.output / name, numbers)
