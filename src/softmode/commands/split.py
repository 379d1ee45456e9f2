"""Draw which compounds a potential is trained on, and which judge it.

Drawn are entries that have thermal displacements, one of each formula. No formula is in two parts: one to train on, one
that chooses the checkpoint, and one that judges.
"""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import add_never_trained


@dataclass(frozen=True)
class Options:
    index: Path
    snapshots: Path
    largest_supercell: int
    largest_displacement: float
    train: int
    validation: int
    test: int
    never_trained: list[Path]
    seed: int
    output: Path


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--index", type=Path, required=True, help="the data set's index, of 'softmode dataset'")
    parser.add_argument("--snapshots", type=Path, required=True, help="the CSV of 'softmode snapshots' of its entries")
    parser.add_argument("--largest-supercell", type=int, default=128, metavar="ATOMS", help="no larger one (128)")
    parser.add_argument(
        "--largest-displacement",
        type=float,
        default=1.0,
        metavar="Å",
        help="leave out what moves farther at the temperature of the snapshots, where nothing is harmonic (1)",
    )
    parser.add_argument("--train", type=int, default=300, help="compounds to train on (300)")
    parser.add_argument("--validation", type=int, default=30, help="compounds that choose the checkpoint (30)")
    parser.add_argument("--test", type=int, default=60, help="compounds that judge (60)")
    add_never_trained(parser)
    parser.add_argument("--seed", type=int, default=0, help="of the draw (0)")
    parser.add_argument("--output", type=Path, required=True, help="the split (CSV)")


def run(options: Options) -> None:
    from softmode.potentials.checkpoints import sha256
    from softmode.reference.index_file import read_index
    from softmode.training.split import PARTS, draw_split

    snapshots = {row["entry"]: row for row in read_index(options.snapshots, {"entry": str, "status": str})}
    rows = [
        row
        for row in read_index(options.index, {"entry": str, "formula": str, "space_group": int, "n_supercell": int})
        if row["n_supercell"] <= options.largest_supercell
        and row["entry"] in snapshots
        and snapshots[row["entry"]]["status"] == "done"
        and float(snapshots[row["entry"]]["largest_displacement_A"]) <= options.largest_displacement
    ]
    never = [word for path in options.never_trained for word in path.read_text(encoding="utf-8").split()]
    split = draw_split(rows, {part: getattr(options, part) for part in PARTS}, never, options.seed)
    split.write(options.output)
    new = sum(map(split.has_new_prototype, split.test))
    print(
        f"{options.output}: drawn from {len(rows)} entries; {new} of {len(split.test)} test compounds have a prototype "
        f"that no compound to train on has; SHA-256 {sha256(options.output)}"
    )
