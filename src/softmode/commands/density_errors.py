"""Errors of trained models of densities of states, beside two baselines.

They are those of the test part of their split. The baselines are the mean density of the training part, and kernel
ridge regression by composition and volume, of as many crystals.
"""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import add_density_trainings


@dataclass(frozen=True)
class Options:
    trainings: list[Path]
    labels: Path
    split: Path
    output: Path
    learning_curve: bool


def add_arguments(parser: ArgumentParser) -> None:
    add_density_trainings(parser)
    parser.add_argument("--output", type=Path, required=True, help="CSV with one row for each source")
    parser.add_argument(
        "--learning-curve", action="store_true", help="also draw errors over the number of training crystals, beside it"
    )


def run(options: Options) -> None:
    from softmode.studies.density.judging import judge

    rows = judge(options.trainings, options.labels, options.split, options.output)
    for row in rows:
        print(
            f"{row['source']}, {row['crystals']} crystals: mean squared difference {row['paper_mse']:.4f}, mean "
            f"frequency right in {100 * row['mean_frequency_right']:.0f} %, heat capacity wrong by "
            f"{row['heat_capacity_J_per_K_mol']:.2f} J/K/mol of atoms"
        )
    if options.learning_curve:
        import pandas as pd

        from softmode.present.figures import save
        from softmode.studies.density.learning_curve import learning_curve_figure

        stem = options.output.with_name(f"{options.output.stem}_learning_curve")
        print(f"drawn: {save(learning_curve_figure(rows), stem, pd.DataFrame(rows))[0]}")
