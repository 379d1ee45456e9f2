"""Draw which crystals a model of densities learns from, and which judge it.

Crystals of one formula are in one part. Those of unreliable or unstable phonons, by the reference alone, are in none.
"""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import add_never_trained


@dataclass(frozen=True)
class Options:
    labels: Path
    validation: int
    test: int
    never_trained: list[Path]
    held_out_elements: list[str]
    imaginary_share: float
    seed: int
    output: Path


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--labels", type=Path, required=True, help="file of 'softmode density-labels'")
    parser.add_argument("--validation", type=int, default=300, help="crystals that choose the weights (300)")
    parser.add_argument("--test", type=int, default=350, help="crystals that judge (350)")
    add_never_trained(parser)
    parser.add_argument(
        "--held-out-elements",
        nargs="*",
        default=[],
        metavar="SYMBOL",
        help="take what has them out of both other parts; they are the test part then",
    )
    parser.add_argument(
        "--imaginary-share", type=float, default=0.005, help="leave out what has more imaginary states (0.005)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the draw (0)")
    parser.add_argument("--output", type=Path, required=True, help="the split (CSV)")


def run(options: Options) -> None:
    from softmode.potentials.checkpoints import sha256
    from softmode.studies.density.label_file import read_labels
    from softmode.studies.density.split import Limits, draw, unfit, without_elements

    labels = read_labels(options.labels).of_entries
    out = unfit(labels, Limits(imaginary_share=options.imaginary_share))
    for name, entries in out.items():
        print(f"left out for {name}: {len(entries)} of {len(labels)} entries")
    left_out = {entry for entries in out.values() for entry in entries}
    fit = [label for label in labels if label.entry not in left_out]
    never = [word for path in options.never_trained for word in path.read_text(encoding="utf-8").split()]
    split = draw(fit, options.validation, options.test, never, options.seed)
    if options.held_out_elements:
        split = without_elements(split, {label.entry: label for label in fit}, options.held_out_elements)
    split.write(options.output)
    new = sum(map(split.has_new_prototype, split.test))
    print(
        f"{options.output}: {len(split.train)}, {len(split.validation)} and {len(split.test)} crystals to train on, to "
        f"choose by and to judge by; {new} of these have a prototype that none to train on has; SHA-256 "
        f"{sha256(options.output)}"
    )
