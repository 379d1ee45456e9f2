"""Write what goes beyond the paper: groups, spectra, thresholds, ranking, cost."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import ComparisonOptions, add_comparison


@dataclass(frozen=True)
class Options(ComparisonOptions):
    spectra: Path
    protocol: Path
    tables: Path
    figures: Path


def add_arguments(parser: ArgumentParser) -> None:
    add_comparison(parser)
    parser.add_argument("--spectra", type=Path, required=True, help="spectra.parquet")
    parser.add_argument("--protocol", type=Path, required=True, help="the protocol's section 'phonons'")
    parser.add_argument("--tables", type=Path, required=True, help="folder of the tables")
    parser.add_argument("--figures", type=Path, required=True, help="folder of the figures")


def run(options: Options) -> None:
    from softmode.present.comparisons import read_comparisons
    from softmode.present.figures import save

    compared = read_comparisons(
        options.properties, options.spectra, options.presentation, options.report, options.protocol
    )
    for table in compared.tables():
        table.write(options.tables)
    for name, (figure, numbers) in compared.figures().items():
        save(figure, options.figures / name, numbers)
