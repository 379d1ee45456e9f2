"""Print how much errors change between campaigns that differ in one setting.

Table and figure are written, too.
"""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    base: Path
    variations: list[Path]
    output: Path


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("base", type=Path, help="folder of the campaign to compare with, such as results/demo")
    parser.add_argument("variations", type=Path, nargs="+", help="folders of campaigns with one other setting each")
    parser.add_argument("--output", type=Path, required=True, help="folder of the table and the figure")


def run(options: Options) -> None:
    from softmode.compare.changes import change_table
    from softmode.present.changes import changes_figure, changes_table
    from softmode.present.figures import save
    from softmode.variations import read_variations

    base, variations = read_variations(options.base, options.variations)
    numbers = change_table(base, variations)
    table = changes_table(numbers, base)
    paths = table.write(options.output)
    # the numbers of both are the same
    paths += save(changes_figure(numbers, base), options.output / "changes", numbers)
    print(table.to_markdown())
    for path in dict.fromkeys(paths):
        print(path)
