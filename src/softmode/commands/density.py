"""Predict densities of states of structures by a model without forces.

Structures are files that ASE reads (CIF, POSCAR, extxyz, …) or pymatgen's JSON, folders of such, or - for extxyz on
standard input; with --dataset, ids of a data set, or all of it. What comes out are densities of states (Parquet), mean
frequencies, entropies, free energies and heat capacities per mole of atoms, per mole of formula units and per kilogram
(CSV), with standard deviations. They are read, predicted and written a few at a time; one that cannot be predicted is
named, and the others go on.
"""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import add_device, positive, temperature
from softmode.errors import InputError


@dataclass(frozen=True)
class Options:
    structures: list[str]
    dataset: str | None
    model: str | None
    output: Path | None
    temperatures: list[float]
    plot: bool
    csv: bool
    rank: int | None
    mix: list[str]
    device: str
    potentials_file: Path | None


def _temperatures(text: str) -> list[float]:
    return [temperature(each) for each in text.split(",")]


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("structures", nargs="*", metavar="FILE", help="files, folders, or - for standard input")
    parser.add_argument(
        "--dataset", metavar="KIND:PATH", help="take these ids of a data set, or all, such as kyoto:my/files"
    )
    parser.add_argument(
        "--model", metavar="NAME", help="a name in the potentials file, or a checkpoint (softmode's own)"
    )
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="of the files (results/density)")
    parser.add_argument(
        "--temperatures", type=_temperatures, default=[300.0], metavar="K,…", help="of the thermodynamics (300)"
    )
    parser.add_argument("--plot", action="store_true", help="draw the first densities of states, too")
    parser.add_argument("--csv", action="store_true", help="write the densities of states as CSV, too")
    parser.add_argument(
        "--rank",
        type=positive,
        metavar="N",
        help="name those of largest heat capacity per mass, draw all; of a data set, check them by the reference",
    )
    parser.add_argument(
        "--mix",
        action="append",
        default=[],
        metavar="A:B=X:Y",
        help="alloy: A and B share their sites, such as Sb:Bi=0.25:0.75; of two FILEs, in a lattice between",
    )
    add_device(parser)
    parser.add_argument("--potentials-file", type=Path, metavar="FILE", help="another one than config/potentials.yaml")


def run(options: Options) -> int:
    from softmode.studies.density.predict import Request, predict

    if not options.structures and options.dataset is None:
        raise InputError("no structures: name files or folders, - for standard input, or --dataset KIND:PATH")
    return predict(
        Request(
            options.structures,
            options.dataset,
            options.model,
            options.output or Path("results") / "density",
            options.temperatures,
            options.plot,
            options.csv,
            options.rank,
            options.mix,
            options.device,
            options.potentials_file,
        )
    )
