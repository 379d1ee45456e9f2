"""From frames that somebody computed to a data set for training from scratch: whole lines, or blocks of time."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read
from ase.io.extxyz import write_extxyz

from softmode.engine.outputs import whole_file
from softmode.errors import EntryError, InputError
from softmode.reference.line_files import read_lines
from softmode.studies.anharmonicity.directions import LineForces, from_displacements
from softmode.studies.anharmonicity.dynamics import SPLIT, split


def in_lines(path: Path, n_validation: int, n_test: int, seed: int) -> dict[str, list[Atoms]]:
    """Return the frames of a file of forces along lines by their part, all of a line in one of them.

    Frames of one line are alike, forward and back, so that a test on a line that was trained on would say nothing. The
    crystal at rest is in `train`. Energies are above rest, by `energies_along`: what the file says of them is not read.

    Args:
        n_validation: lines, drawn at random
        n_test: the same
        seed: of the draw

    Raises:
        InputError: there are no lines, or no line is left for training.
    """
    try:
        rest, found = read_lines(path)
        sets = from_displacements(found.displacements, found.forces)
    except EntryError as error:
        raise InputError(f"{path}: {error.message}") from error
    lines = [(each, line) for each in sets for line in range(len(each.directions))]
    if len(lines) <= n_validation + n_test:
        raise InputError(
            f"{path}: {len(lines)} lines, and {n_validation} for validation and {n_test} for the test leave none to "
            "train on; ask for fewer, or add lines"
        )
    order = np.random.default_rng(seed).permutation(len(lines))
    parts: dict[str, list[Atoms]] = {"train": [_frame(rest, np.zeros((len(rest), 3)), sets[0].rest, 0.0)]}
    ends = np.cumsum([0, len(lines) - n_validation - n_test, n_validation, n_test])
    for part, first, last in zip(("train", "validation", "test"), ends[:-1], ends[1:], strict=True):
        own = parts.setdefault(part, [])
        for place in sorted(order[first:last].tolist()):
            own += _frames_of(rest, *lines[place])
    return parts


def energies_along(lines: LineForces) -> tuple[np.ndarray, np.ndarray]:
    """Return energies in eV above rest along each direction, forward and back, each of shape (n, m).

    The work against forces: minus the integral of the polynomial through the forces along the direction at all 2m + 1
    places. What it leaves out is of order 2m + 2 in the amplitude: with two amplitudes sixth derivatives, and beyond.
    """
    longest = lines.amplitudes_A[-1]
    scaled = lines.amplitudes_A / longest
    nodes = np.concatenate([-scaled[::-1], [0.0], scaled])
    powers = np.arange(len(nodes))
    of_polynomial = np.linalg.inv(nodes[:, None] ** powers)
    weights = (nodes[:, None] ** (powers + 1) / (powers + 1)) @ of_polynomial * longest
    along = [
        np.concatenate([backward[::-1] @ direction, [lines.rest @ direction], forward @ direction])
        for direction, forward, backward in zip(lines.directions, lines.forward, lines.backward, strict=True)
    ]
    energies = -np.array(along) @ weights.T
    m = len(scaled)
    return energies[:, m + 1 :], energies[:, m - 1 :: -1]


def in_blocks(path: Path) -> dict[str, list[Atoms]]:
    """Return the frames of molecular dynamics by their part, blocks of time as those of `dynamics`.

    Raises:
        InputError: no such file, a frame has no energy or forces, or there are too few.
    """
    try:
        frames: Sequence[Atoms] = list(read(path, index=":"))
    except Exception as error:  # ASE's readers raise anything
        raise InputError(f"{path}: not a file of structures that ASE reads: {error}") from error
    for place, frame in enumerate(frames, 1):
        if frame.calc is None or not {"energy", "forces"} <= set(frame.calc.results):
            raise InputError(
                f"{path}: frame {place} has no energy, or no forces; of forces along lines energies can be made (--by "
                "lines)"
            )
    try:
        parts = split(len(frames))
    except EntryError as error:
        raise InputError(f"{path}: {error.message}") from error
    return {name: [frame for frame, part in zip(frames, parts, strict=True) if part == name] for name in SPLIT}


def write_parts(parts: Mapping[str, Sequence[Atoms]], folder: Path) -> dict[str, Path]:
    """Write each part as extended XYZ, whole or not at all, and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {part: folder / f"{part}.extxyz" for part in parts}
    for part, frames in parts.items():
        with whole_file(files[part]) as partial, partial.open("w", encoding="utf-8") as file:
            write_extxyz(file, list(frames))
    return files


def _frames_of(rest: Atoms, lines: LineForces, line: int) -> list[Atoms]:
    forward, backward = energies_along(lines)
    direction = lines.directions[line].reshape(-1, 3)
    return [
        _frame(rest, sign * amplitude * direction, forces[line, place], float(energies[line, place]))
        for place, amplitude in enumerate(lines.amplitudes_A)
        for sign, forces, energies in ((1, lines.forward, forward), (-1, lines.backward, backward))
    ]


def _frame(rest: Atoms, displaced: np.ndarray, forces: np.ndarray, energy: float) -> Atoms:
    frame = Atoms(rest.numbers, positions=rest.positions + displaced, cell=rest.cell, pbc=True)
    frame.calc = SinglePointCalculator(frame, energy=energy, forces=forces.reshape(-1, 3))
    return frame
