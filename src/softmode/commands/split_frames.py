"""Split computed frames into train, validation and test of a training from scratch.

Frames of forces along lines, as line-forces writes them, are split by line, and get energies by integration of their
forces. Frames of molecular dynamics, which have energies, are split in blocks of time.
"""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    frames: Path
    by: str
    validation: int
    test: int
    seed: int
    output: Path


def add_arguments(parser: ArgumentParser) -> None:
    from softmode.commands.arguments import positive

    parser.add_argument("frames", type=Path, help="frames of one crystal with forces, such as data/caf2/cell.extxyz")
    parser.add_argument("--by", choices=["lines", "blocks"], required=True, help="lines, or blocks of time")
    parser.add_argument("--validation", type=positive, default=1, metavar="N", help="lines that choose a model (1)")
    parser.add_argument("--test", type=positive, default=2, metavar="N", help="lines that judge it (2)")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of lines (0)")
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="train.extxyz and the others")


def run(options: Options) -> None:
    from softmode.studies.anharmonicity.frames import in_blocks, in_lines, write_parts

    parts = (
        in_lines(options.frames, options.validation, options.test, options.seed)
        if options.by == "lines"
        else in_blocks(options.frames)
    )
    for part, path in write_parts(parts, options.output).items():
        print(f"{len(parts[part])} frames in {path}")
