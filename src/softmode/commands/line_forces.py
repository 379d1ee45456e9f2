"""Forces of a crystal displaced along random lines, for derivatives of its energy.

The crystal at rest and, for each direction, displacements forward and back by each amplitude: one extended XYZ with a
frame for each. A file that is there is gone on with: after a stop, or to have more directions. It runs in the
environment of the potential.
"""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import add_device, positive


@dataclass(frozen=True)
class Options:
    structure: Path
    potential: Path
    device: str
    directions: int
    amplitudes: list[float]
    seed: int
    output: Path


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--structure", type=Path, required=True, help="the crystal at rest, a file that ASE reads")
    parser.add_argument("--potential", type=Path, required=True, help="settings of the potential (YAML)")
    add_device(parser)
    parser.add_argument("--directions", type=positive, required=True, metavar="N", help="number of directions")
    parser.add_argument(
        "--amplitudes", type=_length, nargs="+", required=True, metavar="A", help="in Å, of the atom that moves most"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the random directions (0)")
    parser.add_argument("--output", type=Path, required=True, help="the file, such as forces.extxyz")


def run(options: Options) -> None:
    from softmode.errors import InputError
    from softmode.potentials.registry import load_potential
    from softmode.reference.structure_files import read_structure
    from softmode.stages.line_forces import Lines, line_forces
    from softmode.yaml_files import read_yaml

    try:
        rest = read_structure(options.structure)
    except Exception as error:  # ASE's readers raise anything
        raise InputError(f"{options.structure}: not a structure that ASE reads: {error}") from error
    settings = read_yaml(options.potential)
    potential = load_potential(settings, options.device)
    lines = Lines(options.directions, tuple(sorted(options.amplitudes)), options.seed)
    total = 1 + 2 * len(lines.amplitudes_A) * lines.n_directions
    for n_frames in line_forces(rest, lines, potential, settings, options.output):
        print(f"{n_frames} of {total} frames in {options.output}", flush=True)


def _length(text: str) -> float:
    """Return a length in Å above zero; argparse turns the error into a message."""
    length = float(text)
    if not 0 < length < float("inf"):
        raise ValueError
    return length
