"""Compare trainings of several sizes, objectives and seeds on the test compounds.

Reads the folders of finished trainings of one split, and writes a table and a figure of mean errors with intervals, and
a CSV of differences between objectives.
"""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    folders: list[Path]
    output: Path


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("folders", type=Path, nargs="+", help="of the trainings, such as results/training/*")
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="of the table and the figure")


def run(options: Options) -> None:
    from softmode.engine.outputs import whole_file
    from softmode.present.figures import save
    from softmode.present.learning_curves import learning_curves_figure, learning_curves_table
    from softmode.training.learning_curves import learning_curves, objectives_compared, read_trainings

    trainings = read_trainings(options.folders)
    curves = learning_curves(trainings)
    table = learning_curves_table(curves)
    options.output.mkdir(parents=True, exist_ok=True)
    paths = [*table.write(options.output), *save(learning_curves_figure(curves), options.output / table.name, curves)]
    paths.append(options.output / "objectives_compared.csv")
    with whole_file(paths[-1]) as partial:
        objectives_compared(trainings).to_csv(partial, index=False)
    print(table.to_markdown())
    print(*paths, sep="\n")
