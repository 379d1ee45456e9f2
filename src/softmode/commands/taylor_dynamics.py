"""Run dynamics of a Taylor series, and write a data set of it.

The series is made of the forces in a file, as `derivatives` makes it, or of those of a campaign's stage
`derivative_forces`: second to fourth order in the file's cell. Each part of the split is a file of extended XYZ, in
blocks of time; its energies and forces have no noise. A series that has no bound stops the run, and so does energy that
is not conserved.
"""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    forces: Path
    entry: str | None
    temperature: float
    time_step: float
    interval: float
    frames: int
    seed: int
    symmetry_tolerance: float
    output: Path


def add_arguments(parser: ArgumentParser) -> None:
    from softmode.commands.arguments import positive

    parser.add_argument("forces", type=Path, help="a file of forces along lines, or derivative_forces/… of a campaign")
    parser.add_argument("--entry", metavar="ID", help="of the campaign's database, where it has more than one")
    parser.add_argument("--temperature", type=float, default=2000.0, help="of the velocities at the start in K (2000)")
    parser.add_argument("--time-step", type=float, default=0.25, help="in fs (0.25)")
    parser.add_argument("--interval", type=float, default=10.0, help="between frames in fs (10)")
    parser.add_argument("--frames", type=positive, default=200, metavar="N", help="of all parts together (200)")
    parser.add_argument("--seed", type=int, default=0, help="of the velocities (0)")
    parser.add_argument("--symmetry-tolerance", type=float, default=1e-4, help="of the crystal at rest in Å (1e-4)")
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="train.extxyz and the others")


def run(options: Options) -> None:
    from softmode.studies.anharmonicity.dynamics import SPLIT, Dynamics, trajectory
    from softmode.studies.anharmonicity.frames import write_parts
    from softmode.studies.anharmonicity.given import series_of
    from softmode.studies.anharmonicity.taylor import TaylorSeries

    rest, found = series_of(options.forces, options.entry, options.symmetry_tolerance)
    dynamics = Dynamics(
        temperature_K=options.temperature,
        time_step_fs=options.time_step,
        interval_fs=options.interval,
        n_frames=options.frames,
        seed=options.seed,
    )
    frames = list(trajectory(rest, TaylorSeries.of(found), dynamics))
    parts = {part: [frame for frame in frames if frame.info["part"] == part] for part in SPLIT}
    for part, path in write_parts(parts, options.output).items():
        print(f"{len(parts[part])} frames in {path}")
