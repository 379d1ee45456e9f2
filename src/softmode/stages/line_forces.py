"""Forces of one crystal displaced along straight lines, forward and back, in one extended XYZ that grows.

Derivatives of the energy of any order are differences of these forces. The file is whole after each line, so that what
is done is of use at any time, and a run that was stopped, or that gets more lines, goes on.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read
from ase.io.extxyz import write_extxyz

from softmode.engine.interruption import check
from softmode.engine.outputs import whole_file
from softmode.engine.provenance import PACKAGES, provenance, versions
from softmode.errors import InputError
from softmode.potentials.base import Potential, check_elements

# Key of the first frame for where the file comes from. Files that were written with another one cannot be gone on with.
_PROVENANCE = "softmode"
# Difference in Å up to which positions of a file are those asked for; extended XYZ has eight decimals.
_SAME_A = 2e-8


@dataclass(frozen=True)
class Lines:
    """Random directions, and how far is gone along each.

    Attributes:
        n_directions: more of them, with the same seed, begin with the same ones
        amplitudes_A: displacement of the atom that moves most, forward and back
        seed: of the random numbers
    """

    n_directions: int
    amplitudes_A: tuple[float, ...]
    seed: int

    def frames(self, rest: Atoms) -> Iterator[list[Atoms]]:
        """Yield the structure at rest, then all displaced ones of each line; `info` has direction and amplitude."""
        yield [_frame(rest, np.zeros((len(rest), 3)), -1, 0.0)]
        directions = random_directions(self.n_directions, len(rest), self.seed).reshape(-1, len(rest), 3)
        for number, direction in enumerate(directions):
            yield [
                _frame(rest, direction * amplitude, number, amplitude)
                for size in self.amplitudes_A
                for amplitude in (size, -size)
            ]


def random_directions(n_directions: int, n_atoms: int, seed: int) -> np.ndarray:
    """Return random displacements of all atoms whose largest has a length of 1, shape (n_directions, 3 n_atoms).

    Of all ways that were tried (single atoms, pairs, triples), these determine derivatives best: each gives as many
    independent numbers as there are coordinates, and for fluorite's 386 fourth derivatives twenty of them give a
    least-squares problem of condition 30. The centre of the atoms stays where it is.
    """
    found = np.random.default_rng(seed).normal(size=(n_directions, n_atoms, 3))
    found -= found.mean(axis=1, keepdims=True)
    directions: np.ndarray = found / np.linalg.norm(found, axis=2).max(axis=1)[:, None, None]
    return directions.reshape(n_directions, -1)


def line_forces(
    rest: Atoms, lines: Lines, potential: Potential, settings: Mapping[str, Any], output: Path
) -> Iterator[int]:
    """Write the forces of a crystal at rest and along lines; yield how many frames there are after each line.

    A frame has positions (Å), `energy` (eV), `forces` (eV/Å), `direction` (its number; −1 at rest), `amplitude_A`
    (negative backwards) and `seconds`, which the potential took. The first one, at rest, has the provenance.

    Args:
        settings: of the potential
        output: what is there is gone on with, if it was computed with the same settings and versions

    Raises:
        InputError: the file there is of something else, or the crystal has an element that the potential does not know.
    """
    check_elements(potential, rest)
    identity = _identity(potential, settings)
    known = _known(output, identity)
    frames: list[Atoms] = []
    for wanted in lines.frames(rest):
        check()
        found = [known.pop(_place(frame), None) for frame in wanted]
        missing = [frame for frame, there in zip(wanted, found, strict=True) if there is None]
        computed = iter(_computed(missing, potential))
        for frame, there in zip(wanted, found, strict=True):
            frames.append(next(computed) if there is None else _same(there, frame, output))
        if missing:
            _write([*frames, *known.values()], identity, potential, output)
        yield len(frames)


def _frame(rest: Atoms, displacements: np.ndarray, direction: int, amplitude_A: float) -> Atoms:
    frame = Atoms(rest.numbers, positions=rest.positions + displacements, cell=rest.cell, pbc=True)
    frame.info = {"direction": direction, "amplitude_A": amplitude_A}
    return frame


def _place(frame: Atoms) -> tuple[int, float]:
    return int(frame.info["direction"]), round(float(frame.info["amplitude_A"]), 9)


def _computed(frames: Sequence[Atoms], potential: Potential) -> list[Atoms]:
    started = time.perf_counter()
    # direction and amplitude are no matter of the potential's
    bare = [Atoms(frame.numbers, positions=frame.positions, cell=frame.cell, pbc=True) for frame in frames]
    evaluations = potential.evaluate(bare)
    seconds = (time.perf_counter() - started) / max(1, len(frames))
    for frame, evaluation in zip(frames, evaluations, strict=True):
        frame.info["seconds"] = round(seconds, 3)
        frame.calc = SinglePointCalculator(frame, energy=evaluation.energy, forces=evaluation.forces)
    return list(frames)


def _same(there: Atoms, wanted: Atoms, output: Path) -> Atoms:
    alike = (
        np.array_equal(there.numbers, wanted.numbers)
        and np.allclose(there.cell.array, wanted.cell.array, rtol=0, atol=_SAME_A)
        and np.allclose(there.positions, wanted.positions, rtol=0, atol=_SAME_A)
    )
    if not alike:
        number, amplitude = _place(wanted)
        raise InputError(
            f"{output}: its frame of direction {number} at {amplitude} Å is another structure: it was made of another "
            "crystal, or with another seed; use another output"
        )
    return there


def _identity(potential: Potential, settings: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in settings.items() if key != "cache"}
    return {
        "potential": kept,
        "checkpoint_sha256": potential.checkpoint_sha256,
        "dtype": potential.dtype,
        "packages": versions(potential.packages),
    }


def _known(output: Path, identity: Mapping[str, Any]) -> dict[tuple[int, float], Atoms]:
    if not output.is_file():
        return {}
    frames = cast(list[Atoms], read(output, index=":"))
    # both as JSON has them: it knows no tuples
    asked = json.loads(json.dumps(identity, default=str))
    if frames[0].info.get(_PROVENANCE, {}).get("depends_on") != asked:
        raise InputError(
            f"{output}: was computed with another potential, other settings or versions; use another output"
        )
    return {_place(frame): frame for frame in frames}


def _write(frames: Sequence[Atoms], identity: Mapping[str, Any], potential: Potential, output: Path) -> None:
    packages = tuple(dict.fromkeys((*PACKAGES, *potential.packages)))
    frames[0].info[_PROVENANCE] = provenance(
        json.loads(json.dumps(identity, default=str)), packages, device=potential.device
    )
    with whole_file(output) as partial, partial.open("w", encoding="utf-8") as file:
        write_extxyz(file, frames)
